/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/token.c - quick crash detection (RFC 6290), maker and taker.
 *
 *   IKE_AUTH   .., AUTH, N(QCD_TOKEN), ..  -->   <--  .., N(QCD_TOKEN), ..
 *   after rekeying   INFORMATIONAL N(QCD_TOKEN)  -->  from both ends
 *
 *   HDR, SK{..}  -->      to a peer that lost the SA
 *                <--  HDR, N(INVALID_IKE_SPI), N(QCD_TOKEN)      unprotected
 *
 * The secure process makes tokens out of a pair of SPIs and a secret in a file,
 * so that they are the same after a restart, and nothing of that secret is here.
 * Of a peer's token we keep the hash.
 *
 * RFC 6290 9.2: whoever learns the token of an SA can end it.  So none is told
 * in clear while either of its SPIs belongs to an SA here, in whatever state and
 * whichever end is said to have begun it.
 */
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "ikev2/step/step.h"

#define TOKEN_MIN 16	/* RFC 6290 5 */
#define TOKEN_MAX 128
#define TOKENS_READ 8	/* of one message; 4.5 wants four at least */
#define LATER_MS    1000 /* for the end that answered a rekeying */

static const struct view none;

/* ---- ours ---------------------------------------------------------------- */

static int
ask(struct ike *ike, uint64_t ispi, uint64_t rspi, uint64_t ticket)
{
	struct ike_ask a = { .type = IKE_ASK_TOKEN, .ticket = ticket,
			     .ispi = ispi, .rspi = rspi };

	return ike->ops.ask(ike->ops.ctx, &a);
}

static uint32_t
serial_new(struct ike *ike)
{
	if (++ike->last_serial == 0)
		ike->last_serial = 1;
	return ike->last_serial;
}

void
ike_token_ask(struct ike_sa *sa)
{
	struct ike *ike = sa->ike;
	int err;

	if (!ike->conf.has_qcd)
		return;
	err = ask(ike, sa->ispi, sa->rspi,
		  (uint64_t)sa->handle << 32 | serial_new(ike));
	if (err != 0)
		log_debug("ike", "SA %u: no QCD token: %s", sa->handle,
			  err_text(err));
}

static void
add(struct ike_sa *sa, struct ike_build *b)
{
	ike_build_notify(b, IKE_PROTO_IKE, IKE_N_QCD_TOKEN, none,
			 (struct view){ sa->token, sizeof(sa->token) });
	sa->is_token_told = true;
}

void
ike_token_add(struct ike_sa *sa, struct ike_build *b)
{
	if (sa->has_token)
		add(sa, b);
}

int
ike_token_send(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_build b;

	(void)t;
	if (!sa->has_token)
		return ERR_STATE;
	ike_out_open(sa, &b);
	add(sa, &b);
	return ike_out_request(sa, &b, IKE_XCHG_INFORMATIONAL);
}

/* ---- told in clear ------------------------------------------------------- */

/* 9.2.  An SPI of ours can stand on either side of a pair. */
static bool
may_tell(struct ike *ike, const struct ike_hdr *h)
{
	return ike_sa_by_spi(ike, h->ispi) == NULL &&
	    ike_sa_by_spi(ike, h->rspi) == NULL;
}

static struct ike_token_wait *
wait_find(struct ike *ike, uint32_t serial)
{
	for (unsigned i = 0; i < IKE_TOKENS_WAIT; i++)
		if (ike->token_wait[i].serial == serial)
			return &ike->token_wait[i];
	return NULL;
}

bool
ike_token_stranger(struct ike *ike, const struct ike_msg *m)
{
	struct ike_token_wait *w;
	uint32_t serial;

	if (!ike->conf.has_qcd || m->h.is_response || m->h.rspi == 0 ||
	    (m->h.next != IKE_PL_SK && m->h.next != IKE_PL_SKF) ||
	    (m->h.xchg != IKE_XCHG_CREATE_CHILD_SA &&
	     m->h.xchg != IKE_XCHG_INFORMATIONAL) || !may_tell(ike, &m->h) ||
	    (w = wait_find(ike, 0)) == NULL ||
	    !ike_rate_take(ike, &ike->token_rate, IKE_TOKENS_PER_S))
		return false;
	serial = serial_new(ike);
	if (ask(ike, m->h.ispi, m->h.rspi, serial) != 0)
		return false;
	*w = (struct ike_token_wait){ .serial = serial, .h = m->h,
		.local = m->local, .remote = m->remote,
		.is_natt = m->is_natt, .len = m->len };
	return true;
}

/* 4.5: the token, the error that peers without this extension know, or both. */
static int
build(struct ike *ike, const struct ike_token_wait *w, struct view token,
      bool has_error, struct view *pkt)
{
	struct ike_hdr h = { .ispi = w->h.ispi, .rspi = w->h.rspi, .major = 2,
		.xchg = w->h.xchg, .is_initiator = !w->h.is_initiator,
		.is_response = true, .msgid = w->h.msgid };
	struct ike_build b;

	ike_build_init(&b, ike->tx, IKE_MAX_MSG_BYTES, &h);
	if (has_error)
		ike_build_notify(&b, IKE_PROTO_NONE, IKE_N_INVALID_IKE_SPI,
				 none, none);
	if (token.len > 0)
		ike_build_notify(&b, IKE_PROTO_IKE, IKE_N_QCD_TOKEN, none,
				 token);
	return ike_build_finish(&b, pkt);
}

/* Both, unless that would be more than was sent to us: then they take turns,
 * since a peer repeats its request. */
static void
tell(struct ike *ike, const struct ike_token_wait *w, struct view token)
{
	struct view pkt;

	if (build(ike, w, token, true, &pkt) != 0)
		return;
	if (pkt.len > w->len) {
		if (++ike->token_turn % 2 == 0)
			token.len = 0;
		if (build(ike, w, token, token.len == 0, &pkt) != 0)
			return;
	}
	if (pkt.len > w->len)
		drop_count(DROP_IKE_RATE, 1);
	else
		ike->ops.send(ike->ops.ctx, &w->local, &w->remote, w->is_natt,
			      pkt);
}

static void
for_stranger(struct ike *ike, const struct ike_ans *ans, uint32_t serial)
{
	struct ike_token_wait *w = serial != 0 ? wait_find(ike, serial) : NULL;
	struct ike_token_wait got;

	if (w == NULL)
		return;
	got = *w;
	w->serial = 0;
	if (may_tell(ike, &got.h))
		tell(ike, &got, ans->err == 0 ? ans->token : none);
}

void
ike_token_answer(struct ike *ike, const struct ike_ans *ans)
{
	uint32_t handle = (uint32_t)(ans->ticket >> 32);
	struct ike_sa *sa;

	if (ans->err == 0 && ans->token.len != IKE_TOKEN_LEN)
		return;
	if (handle == 0) {
		for_stranger(ike, ans, (uint32_t)ans->ticket);
		return;
	}
	sa = ike_sa_by_handle(ike, handle);
	if (sa == NULL || ans->err != 0)
		return;
	memcpy(sa->token, ans->token.p, sizeof(sa->token));
	sa->has_token = true;
	if (sa->state == IKE_SA_UP && !sa->is_token_told) {
		/* whose rekeying it was does not have the new SA yet */
		ike_task_add_later(sa, IKE_TASK_TELL_TOKEN, 0,
				   sa->is_initiator ? 0 : LATER_MS);
		ike_task_pump(sa);
	}
}

/* ---- the peer's ---------------------------------------------------------- */

static int
digest(struct view token, uint8_t out[32])
{
	return spi_crypto()->hash(SPI_HASH_SHA256, &token, 1, out);
}

/* The next token of a message, from *at on. */
static const struct ike_ntf *
next_token(const struct ike_pls *p, unsigned *at)
{
	while (*at < p->n_ntf) {
		const struct ike_ntf *n = &p->ntf[(*at)++];

		if (n->type == IKE_N_QCD_TOKEN && n->data.len >= TOKEN_MIN &&
		    n->data.len <= TOKEN_MAX)
			return n;
	}
	return NULL;
}

void
ike_token_take(struct ike_sa *sa, const struct ike_msg *m)
{
	const struct ike_ntf *n;
	unsigned at = 0;

	if (!sa->ike->conf.has_qcd || (n = next_token(m->p, &at)) == NULL)
		return;
	if (digest(n->data, sa->peer_token) == 0)
		sa->has_peer_token = true;
}

bool
ike_token_proves(struct ike_sa *sa, const struct ike_msg *m)
{
	const struct ike_ntf *n;
	unsigned at = 0, n_read = 0;
	uint8_t have[32];

	if (!sa->has_peer_token || !sa->ike->conf.has_qcd)
		return false;
	while ((n = next_token(&m->clear, &at)) != NULL) {
		/* 8.1: so many messages are looked at, and no more */
		if (n_read == 0 && !ike_rate_take(sa->ike, &sa->tried,
						  IKE_TOKENS_TRIED))
			return false;
		if (++n_read > TOKENS_READ)
			break;
		if (digest(n->data, have) != 0 ||
		    !ct_equal(have, sa->peer_token, sizeof(have)))
			continue;
		log_notice("ike", "SA %u: the peer was restarted, it proves "
			   "that it lost this SA", sa->handle);
		ike_sa_kill(sa, "the peer was restarted");
		return true;
	}
	if (n_read > 0)
		log_rl(LOG_NOTICE, "ike", "SA %u: somebody sent a wrong QCD "
		       "token for it", sa->handle);
	return false;
}
