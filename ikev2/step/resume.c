/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/resume.c - session resumption (RFC 5723).
 *
 *   IKE_AUTH    SK{ .., N(TICKET_REQUEST) }  -->
 *               <--  SK{ .., N(TICKET_LT_OPAQUE: life, ticket) }
 *
 *   after the SA was lost, in place of IKE_SA_INIT
 *   HDR, [N(COOKIE)], Ni, N(TICKET_OPAQUE), N(NATD) x2, V  -->
 *               <--  HDR, Nr, N(NATD) x2, V      or  HDR, N(TICKET_NACK)
 *   and IKE_AUTH, in which AUTH proves SK_p
 *
 * Both ends have their secure process seal what it takes, and get from it only
 * keys: SKEYSEED = prf(SK_d of before, "Resumption" | Ni | Nr).  Who the peer is and
 * which realm it belongs to comes out of the ticket.  A ticket is tried once; what
 * goes wrong, or anybody's TICKET_NACK, leads to a full set-up.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

#define LIFE_LEN 4		/* in front of the ticket, 7.2 */

static const struct view none;

/* ---- suites --------------------------------------------------------------- */

static void
suite_put(const struct ike_suite *s, uint8_t out[IKE_SUITE_LEN])
{
	be32_put(out, (uint32_t)s->encr);
	be32_put(out + 4, (uint32_t)s->integ);
	be32_put(out + 8, (uint32_t)s->prf);
	be32_put(out + 12, (uint32_t)s->group);
}

/* What we sealed; the table of our secure process and ours are of one build. */
static struct ike_suite
suite_get(const uint8_t raw[IKE_SUITE_LEN])
{
	return (struct ike_suite){ .encr = (enum spi_cipher)be32_get(raw),
		.integ = (enum spi_hash)be32_get(raw + 4),
		.prf = (enum spi_hash)be32_get(raw + 8),
		.group = (enum spi_group)be32_get(raw + 12) };
}

/* ---- what is kept ---------------------------------------------------------- */

void
ike_resume_forget(struct ike_link *link)
{
	if (link == NULL || link->resume == NULL)
		return;
	wipe(link->resume, sizeof(*link->resume));
	free(link->resume);
	link->resume = NULL;
}

void
ike_resume_ended(struct ike_sa *sa)
{
	if (sa->link == NULL || sa->state != IKE_SA_UP)
		return;			/* replaced: not its ticket */
	LIST_FOREACH(it, &sa->link->sas) {
		struct ike_sa *other = CONTAINER_OF(it, struct ike_sa,
						    link_node);

		if (other != sa && other->state == IKE_SA_UP)
			return;
	}
	ike_resume_forget(sa->link);
}

static bool
is_wanted(const struct ike_sa *sa)
{
	return sa->link != NULL && sa->link->realm->conf.is_resume &&
	    !sa->link->peer->has_ppk;
}

/* Only towards the gateway that gave it: to another it tells who we are. */
void
ike_resume_begin(struct ike_sa *sa)
{
	struct ike_link *link = sa->link;
	struct ike_resume *r = link->resume;

	if (r == NULL || !is_wanted(sa))
		return;
	if (r->until_ms <= sa->ike->now_ms) {
		ike_resume_forget(link);
		return;
	}
	if (!ip_equal(&r->gateway, &sa->remote.ip))
		return;
	link->resume = NULL;
	sa->setup->resume = r;
}

/* Nobody answered: it was not used.  Twice, and it is no good. */
void
ike_resume_back(struct ike_sa *sa)
{
	struct ike_resume *r = sa->setup != NULL ? sa->setup->resume : NULL;

	if (r == NULL || sa->rspi != 0 || sa->link == NULL ||
	    sa->link->resume != NULL || ++r->n_try > 1)
		return;
	sa->setup->resume = NULL;
	sa->link->resume = r;
}

/* ---- IKE_SESSION_RESUME as initiator ---------------------------------------- */

static void
add_common(struct ike_sa *sa, struct ike_build *b, struct view nonce)
{
	ike_build_begin(b, IKE_PL_NONCE, false);
	enc_nonce(&b->w, nonce);
	ike_build_end(b);
	if (sa->is_initiator || sa->setup->has_natd)
		ike_natd_add(sa, b);
	ike_frag_add(sa, b);
	ike_redirect_add(sa, b);
	if (sa->is_initiator || sa->is_tapir)
		ike_vendor_add(b);
}

int
ike_resume_send(struct ike_sa *sa)
{
	struct ike_hdr h = { .ispi = sa->ispi, .major = 2,
		.xchg = IKE_XCHG_IKE_SESSION_RESUME, .is_initiator = true };
	struct ike_setup *st = sa->setup;
	const struct ike_resume *r = st->resume;
	struct ike_build b;
	struct view pkt;
	int err;

	ike_build_init(&b, sa->ike->tx, IKE_MAX_MSG_BYTES, &h);
	if (st->cookie_len > 0)
		ike_build_notify(&b, IKE_PROTO_NONE, IKE_N_COOKIE, none,
				 (struct view){ st->cookie, st->cookie_len });
	ike_build_notify(&b, IKE_PROTO_NONE, IKE_N_TICKET_OPAQUE, none,
			 (struct view){ r->ticket, r->ticket_len });
	add_common(sa, &b, (struct view){ st->ni, st->ni_len });
	if ((err = ike_build_finish(&b, &pkt)) != 0 ||
	    (err = ike_init_keep(&st->own_msg, pkt.p, pkt.len)) != 0)
		return err;
	sa->ike->stats.n_init_out++;
	return ike_win_send(sa, IKE_XCHG_IKE_SESSION_RESUME, pkt);
}

enum ike_verdict
ike_step_resume_answer(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;

	if (st->resume == NULL)
		return ike_drop(m, DROP_IKE_EXCH);
	if (m->h.rspi == 0 || ike_sa_by_spi(ike, m->h.rspi) != NULL)
		return ike_drop(m, DROP_IKE_SPI);
	if (m->p->nonce->len == st->ni_len &&
	    ct_equal(m->p->nonce->p, st->ni, st->ni_len))
		return ike_drop(m, DROP_IKE_SYNTAX);
	if (ike_init_keep(&st->peer_msg, m->buf, m->len) != 0)
		return ike_drop(m, DROP_IKE_LONG);
	sa->rspi = m->h.rspi;
	sa->suite = st->resume->suite;
	memcpy(st->nr, m->p->nonce->p, m->p->nonce->len);
	st->nr_len = m->p->nonce->len;
	ike_win_answered(sa);
	return V_NEXT;
}

/* Anybody can say so; then it takes a little longer. */
enum ike_verdict
ike_step_resume_refused(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;

	(void)ike;
	if (st->resume == NULL || sa->task_ticket != 0)
		return ike_drop(m, DROP_IKE_UNPROT);
	log_info("ike", "%s: the ticket is not taken: full set-up",
		 sa->link->id_text);
	ike_trace_ticket(sa->link);
	wipe(st->resume, sizeof(*st->resume));
	free(st->resume);
	st->resume = NULL;
	st->cookie_len = 0;
	ike_win_answered(sa);
	if (ike_job_start(sa, IKE_JOB_TASK, st->group, &sa->task->dh, none) != 0)
		return ike_fail(m, 0, "not enough memory to connect");
	return V_KEEP;
}

/* ---- keys, both ------------------------------------------------------------- */

static enum ike_verdict
ask_open(struct ike_sa *sa, struct ike_msg *m, struct view sealed)
{
	const struct ike_setup *st = sa->setup;
	struct ike_ask ask = { .type = IKE_ASK_OPEN, .handle = sa->handle,
		.is_initiator = sa->is_initiator, .realm = UINT32_MAX,
		.peer = UINT32_MAX, .ispi = sa->ispi, .sealed = sealed,
		.ni = { st->ni, st->ni_len }, .nr = { st->nr, st->nr_len } };

	if (ike_auth_ask(sa, &ask) == 0)
		return V_WAIT;
	return m->h.is_response ? ike_fail(m, 0, "the secure process cannot be "
					   "asked now") :
	    ike_drop(m, DROP_IKE_BUSY);
}

static int
keys_make(struct ike_sa *sa, const struct ike_ans *ans)
{
	const struct ike_setup *st = sa->setup;
	const struct ike_keymat_in in = {
		.ni = { st->ni, st->ni_len }, .nr = { st->nr, st->nr_len },
		.ispi = sa->ispi, .rspi = sa->rspi };
	int err;

	if (ans->err != 0)
		return ans->err;
	sa->suite = suite_get(ans->suite);
	if (ans->seed.len == 0 || ans->seed.len != spi_hash_len(sa->suite.prf))
		return ERR_INTERNAL;
	if ((sa->keys = secret_alloc(sizeof(*sa->keys))) == NULL)
		return ERR_NOMEM;
	if ((err = ike_keymat_seeded(&sa->suite, ans->seed, &in,
				     sa->keys)) != 0) {
		secret_free(sa->keys);
		sa->keys = NULL;
	}
	return err;
}

enum ike_verdict
ike_step_resume_open(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_resume *r = sa->setup->resume;

	(void)ike;
	return ask_open(sa, m, (struct view){ r->sealed, r->sealed_len });
}

enum ike_verdict
ike_step_resume_keys(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	if (keys_make(sa, m->ans) != 0)
		return ike_fail(m, 0, "our own ticket is not good any more");
	m->ans = NULL;
	if (!ike_sa_move(sa, IKE_EV_KEYED))
		return ike_fail(m, 0, "not possible in this state");
	return V_NEXT;
}

/* ---- IKE_SESSION_RESUME as responder ----------------------------------------- */

enum ike_verdict
ike_step_resume_new(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_TICKET_OPAQUE);
	struct ike_setup *st;

	/* who shall go elsewhere hears so in IKE_SA_INIT */
	if (n->data.len > IKE_TICKET_MAX ||
	    ike->drain.mode != IKE_DRAIN_OFF)
		return ike_fail(m, IKE_N_TICKET_NACK, "no ticket of ours");
	if ((sa = ike_init_halfopen(ike, m)) == NULL)
		return ike_drop(m, DROP_IKE_HALFOPEN);
	st = sa->setup;
	st->nr_len = IKE_NONCE_LEN;
	st->is_resumed = true;
	return ask_open(sa, m, n->data);
}

enum ike_verdict
ike_step_resume_opened(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	int err = keys_make(sa, m->ans);

	(void)ike;
	m->ans = NULL;
	if (err == ERR_AGAIN || err == ERR_NOMEM || err == ERR_FULL)
		return ike_drop(m, DROP_IKE_BUSY);
	if (err != 0)
		return ike_fail(m, IKE_N_TICKET_NACK, "the ticket is not good");
	return V_NEXT;
}

enum ike_verdict
ike_step_resume_reply(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_hdr h = { .ispi = sa->ispi, .rspi = sa->rspi, .major = 2,
		.xchg = IKE_XCHG_IKE_SESSION_RESUME, .is_response = true };
	struct ike_setup *st = sa->setup;
	struct ike_build b;
	struct view pkt;

	ike_build_init(&b, ike->tx, IKE_MAX_MSG_BYTES, &h);
	add_common(sa, &b, (struct view){ st->nr, st->nr_len });
	ike_childless_add(&b, m->len);
	if (ike_build_finish(&b, &pkt) != 0 || pkt.len > m->len ||
	    ike_init_keep(&st->own_msg, pkt.p, pkt.len) != 0 ||
	    !ike_sa_move(sa, IKE_EV_INIT_IN) ||
	    ike_win_reply(sa, m, pkt) != 0) {
		ike_sa_kill(sa, NULL);
		return ike_drop(m, DROP_IKE_HALFOPEN);
	}
	return V_DONE;
}

/* ---- tickets in IKE_AUTH ------------------------------------------------------ */

/* Have secure seal what makes this SA. */
static bool
ask_seal(struct ike_sa *sa, uint32_t life_s)
{
	struct ike_ask ask = { .type = IKE_ASK_SEAL, .handle = sa->handle,
		.is_initiator = sa->is_initiator, .realm = UINT32_MAX,
		.peer = UINT32_MAX, .prf = ike_auth_prf(sa),
		.life_s = life_s,
		.sk_d = { sa->keys->d, spi_hash_len(sa->suite.prf) } };

	suite_put(&sa->suite, ask.suite);
	return ike_auth_ask(sa, &ask) == 0;
}

void
ike_resume_ask(struct ike_sa *sa, struct ike_build *b)
{
	if (is_wanted(sa))
		ike_build_notify(b, IKE_PROTO_NONE, IKE_N_TICKET_REQUEST, none,
				 none);
}

enum ike_verdict
ike_step_resume_give(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	if (sa->setup->is_resumed)
		log_info("ike", "%s: resumed by a ticket", sa->link->id_text);
	if (ike_ntf_find(m->p, IKE_N_TICKET_REQUEST) == NULL ||
	    !is_wanted(sa) || sa->end_ms != 0 ||
	    !ask_seal(sa, sa->link->realm->conf.ike_life_s))
		return V_NEXT;
	return V_WAIT;
}

enum ike_verdict
ike_step_resume_given(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ans *ans = m->ans;
	size_t len;
	uint8_t *p;

	(void)ike;
	(void)sa;
	m->ans = NULL;
	if (ans == NULL || ans->err != 0 || ans->sealed.len == 0)
		return V_NEXT;
	len = LIFE_LEN + ans->sealed.len;
	if ((p = arena_alloc(&m->arena, len)) == NULL)
		return V_NEXT;
	be32_put(p, ans->life_s);
	memcpy(p + LIFE_LEN, ans->sealed.p, ans->sealed.len);
	m->ticket = (struct view){ p, len };
	return V_NEXT;
}

void
ike_resume_add(const struct ike_msg *m, struct ike_build *b)
{
	if (m->ticket.len > 0)
		ike_build_notify(b, IKE_PROTO_NONE, IKE_N_TICKET_LT_OPAQUE, none,
				 m->ticket);
}

/* What the gateway gave us, if it is of use; 0 = nothing. */
static uint32_t
given(const struct ike_msg *m, struct view *ticket)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_TICKET_LT_OPAQUE);

	if (n == NULL || n->data.len <= LIFE_LEN ||
	    n->data.len - LIFE_LEN > IKE_TICKET_THEIRS_MAX)
		return 0;
	ticket->p = n->data.p + LIFE_LEN;
	ticket->len = n->data.len - LIFE_LEN;
	return be32_get(n->data.p);
}

enum ike_verdict
ike_step_resume_take(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct view ticket;
	uint32_t life_s = given(m, &ticket);

	(void)ike;
	if (sa->setup->resume != NULL)
		log_info("ike", "%s: resumed by a ticket", sa->link->id_text);
	if (life_s == 0 || !is_wanted(sa) || !ask_seal(sa, life_s))
		return V_NEXT;
	return V_WAIT;
}

enum ike_verdict
ike_step_resume_keep(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ans *ans = m->ans;
	struct view ticket = { NULL, 0 };
	uint32_t life_s = given(m, &ticket);
	struct ike_resume *r;

	m->ans = NULL;
	if (ans == NULL || ans->err != 0 || sa->link == NULL ||
	    ans->sealed.len == 0 || ans->sealed.len > sizeof(r->sealed) ||
	    (r = calloc(1, sizeof(*r))) == NULL)
		return V_NEXT;
	memcpy(r->ticket, ticket.p, ticket.len);
	r->ticket_len = ticket.len;
	memcpy(r->sealed, ans->sealed.p, ans->sealed.len);
	r->sealed_len = ans->sealed.len;
	r->suite = sa->suite;
	r->gateway = sa->remote.ip;
	r->until_ms = ike->now_ms + 1000ull * MIN(life_s, ans->life_s);
	ike_resume_forget(sa->link);
	sa->link->resume = r;
	return V_NEXT;
}
