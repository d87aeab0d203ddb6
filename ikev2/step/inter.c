/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/inter.c - IKE_INTERMEDIATE (RFC 9242) with the additional key
 * exchanges of the set-up (RFC 9370 2.2.2).
 *
 *   HDR, SK{ KEi(n) }  -->
 *               <--  HDR, SK{ KEr(n) }        then both have new keys
 *
 *   SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr)
 *
 * There is one such exchange for each key exchange that was agreed on, and one
 * for a PPK (ppk_int.c), which a peer may join to the last of them.  Their
 * content is authenticated by AUTH:
 *
 *   IntAuth_n = prf(SK_p, IntAuth_(n-1) | header | SK header | text)
 */
#include <string.h>

#include "daemon/base/secret.h"
#include "ikev2/step/step.h"

#define NEXT_AT	 16		/* in the header: Next Payload */
#define LEN_AT	 24		/* ... Length */
#define SK_AT	 IKE_HDR_LEN
#define SK_LEN	 IKE_PL_HDR_LEN

/* ---- negotiation --------------------------------------------------------- */

unsigned
ike_inter_kems(const struct ike_sa *sa)
{
	return sa->has_inter ? sa->ike->conf.kems | IKE_ADDKE_KNOWN : 0;
}

bool
ike_inter_wanted(const struct ike_sa *sa)
{
	return sa->ike->conf.kems != 0 ||
	    (sa->ike->conf.has_ppk_int && sa->link->peer->has_ppk);
}

void
ike_inter_add(struct ike_sa *sa, struct ike_build *b)
{
	struct view none = { NULL, 0 };

	if (sa->is_initiator ? ike_inter_wanted(sa) : sa->has_inter)
		ike_build_notify(b, IKE_PROTO_NONE,
				 IKE_N_INTERMEDIATE_EXCHANGE_SUPPORTED, none,
				 none);
}

bool
ike_inter_said(const struct ike_msg *m)
{
	return ike_ntf_find(m->p, IKE_N_INTERMEDIATE_EXCHANGE_SUPPORTED) !=
	    NULL;
}

bool
ike_inter_is_due(const struct ike_sa *sa)
{
	return ike_addke_next(sa->suite.addke, sa->setup->addke_at) <
	    IKE_ADDKE_MAX;
}

static enum spi_group
due(struct ike_sa *sa)
{
	struct ike_setup *st = sa->setup;

	st->addke_at = ike_addke_next(sa->suite.addke, st->addke_at);
	return st->addke_at < IKE_ADDKE_MAX ? sa->suite.addke[st->addke_at] :
	    SPI_GROUP_NONE;
}

/* ---- what AUTH covers, RFC 9242 3.3.2 ------------------------------------ */

/* head: header and SK header as they would stand before text in clear. */
static int
int_auth(struct ike_sa *sa, bool of_initiator, uint8_t head[SK_AT + SK_LEN],
	 struct view text)
{
	struct ike_setup *st = sa->setup;
	unsigned i = of_initiator ? 0 : 1;
	size_t n = spi_hash_len(sa->suite.prf);
	uint8_t out[SPI_HASH_MAX];
	struct view part[3] = {
		{ st->int_auth[i], st->n_inter > 0 ? n : 0 },
		{ head, SK_AT + SK_LEN }, text
	};
	int err;

	head[NEXT_AT] = IKE_PL_SK;	/* whatever form it came in */
	be32_put(head + LEN_AT, (uint32_t)(SK_AT + SK_LEN + text.len));
	be16_put(head + SK_AT + 2, (uint16_t)(SK_LEN + text.len));
	err = spi_crypto()->hmac(sa->suite.prf, (struct view){
	    sa->keys->p[i], n }, part, N_OF(part), out);
	if (err == 0)
		memcpy(st->int_auth[i], out, n);
	wipe(out, sizeof(out));
	return err;
}

int
ike_inter_auth_in(struct ike_sa *sa, const struct ike_msg *m)
{
	uint8_t head[SK_AT + SK_LEN];

	memcpy(head, m->buf, SK_AT);
	head[SK_AT] = m->clear.sk_first;
	head[SK_AT + 1] = m->sk_flags;
	return int_auth(sa, m->h.is_initiator, head, m->text);
}

int
ike_inter_auth_out(struct ike_sa *sa, struct ike_build *b, uint32_t msgid)
{
	struct ike_hdr h = { .ispi = sa->ispi, .rspi = sa->rspi, .major = 2,
		.next = IKE_PL_SK, .xchg = IKE_XCHG_IKE_INTERMEDIATE,
		.is_initiator = sa->is_initiator,
		.is_response = !sa->is_initiator, .msgid = msgid };
	uint8_t head[SK_AT + SK_LEN] = { 0 };
	struct view text;
	struct wcur w;
	int err;

	if ((err = ike_build_finish(b, &text)) != 0)
		return err;
	wcur_init(&w, head, sizeof(head));
	ike_hdr_encode(&w, &h);
	head[SK_AT] = b->first;
	return w.err != 0 ? w.err : int_auth(sa, sa->is_initiator, head, text);
}

enum ike_verdict
ike_inter_send(struct ike_sa *sa, struct ike_msg *m, struct ike_build *b)
{
	int err;

	sa->task->type = IKE_TASK_AUTH;
	if ((err = ike_inter_auth_out(sa, b, sa->out.next)) != 0 ||
	    (err = ike_out_request(sa, b, IKE_XCHG_IKE_INTERMEDIATE)) != 0)
		return ike_fail(m, 0, "IKE_INTERMEDIATE not sent: %s",
				err_text(err));
	return V_KEEP;
}

struct view
ike_inter_auth(struct ike_sa *sa)
{
	struct ike_setup *st = sa->setup;
	size_t n = spi_hash_len(sa->suite.prf);

	if (st->n_inter == 0)
		return (struct view){ NULL, 0 };
	memcpy(st->int_auth_all, st->int_auth[0], n);
	memcpy(st->int_auth_all + n, st->int_auth[1], n);
	be32_put(st->int_auth_all + 2 * n, st->n_inter + 1);
	return (struct view){ st->int_auth_all, 2 * n + 4 };
}

/* ---- keys ---------------------------------------------------------------- */

int
ike_inter_derive(struct ike_sa *sa, struct ike_msg *m, struct ike_keys **out)
{
	struct ike_setup *st = sa->setup;
	struct ike_keymat_in in = {
		.ni = { st->ni, st->ni_len }, .nr = { st->nr, st->nr_len },
		.ispi = sa->ispi, .rspi = sa->rspi,
		.dh = { m->secret, m->secret_len }
	};
	struct ike_keys *k = secret_alloc(sizeof(*k));
	int err;

	if (k == NULL)
		return ERR_NOMEM;
	err = ike_keymat_rekey(&sa->suite, sa->suite.prf, sa->keys->d, &in, k);
	wipe(m->secret, sizeof(m->secret));
	if (err != 0) {
		secret_free(k);
		return err;
	}
	*out = k;
	st->addke_at++;
	return 0;
}

void
ike_inter_done(struct ike_sa *sa, struct ike_keys *k)
{
	sa->setup->n_inter++;
	if (k == NULL)
		return;
	/* the last message may have to be cut once more, or come so */
	secret_free(sa->old_keys);
	sa->old_keys = sa->keys;
	sa->keys = k;
	sa->in.plain.is_old = true;
}

static void
add_ke(struct ike_build *b, uint16_t group, const struct spi_dh_key *dh)
{
	struct ike_ke ke = { group, spi_crypto()->dh_public(dh) };

	ike_build_begin(b, IKE_PL_KE, false);
	enc_ke(&b->w, &ke);
	ike_build_end(b);
}

/* ---- as initiator -------------------------------------------------------- */

enum ike_verdict
ike_step_inter_key(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	enum spi_group g = due(sa);

	(void)ike;
	if (g == SPI_GROUP_NONE)
		return V_NEXT;
	spi_crypto()->dh_free(m->dh);	/* of the exchange before */
	m->dh = NULL;
	if (ike_job_start(sa, IKE_JOB_MSG, g, &m->dh,
			  (struct view){ NULL, 0 }) != 0)
		return ike_fail(m, 0, "out of memory");
	return V_WAIT;
}

enum ike_verdict
ike_step_inter_request(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;
	enum spi_group g = due(sa);
	struct ike_build b;

	(void)ike;
	if (g == SPI_GROUP_NONE)
		return V_NEXT;
	if (m->job_err != 0 || m->dh == NULL)
		return ike_fail(m, 0, "no key exchange: %s",
				err_text(m->job_err));
	spi_crypto()->dh_free(st->dh);
	st->dh = m->dh;
	m->dh = NULL;
	ike_out_open(sa, &b);
	add_ke(&b, ike_group_wire(g), st->dh);
	return ike_inter_send(sa, m, &b);
}

enum ike_verdict
ike_step_inter_answer(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;
	enum spi_group g = due(sa);

	(void)ike;
	if (st->is_mixed)		/* it was about the PPK */
		return V_NEXT;
	if (g == SPI_GROUP_NONE || st->dh == NULL || m->p->ke == NULL ||
	    m->p->ke->group != ike_group_wire(g) ||
	    m->p->ke->data.len != spi_group_answer_len(g)) {
		drop_count(DROP_IKE_KE, 1);
		return ike_fail(m, 0, "the peer's additional key exchange is "
				"not the one agreed on");
	}
	if (ike_inter_auth_in(sa, m) != 0 ||
	    ike_job_start(sa, IKE_JOB_MSG, g, &st->dh, m->p->ke->data) != 0)
		return ike_fail(m, 0, "out of memory");
	return V_WAIT;
}

enum ike_verdict
ike_step_inter_keys(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_keys *k = NULL;
	int err = m->job_err;

	(void)ike;
	if (sa->setup->is_mixed)
		return V_NEXT;
	if (err == 0)
		err = ike_inter_derive(sa, m, &k);
	if (err == 0) {
		ike_inter_done(sa, k);
		return V_NEXT;
	}
	drop_count(DROP_IKE_KE, 1);
	return ike_fail(m, 0, "additional key exchange failed: %s",
			err_text(err));
}

/* ---- as responder -------------------------------------------------------- */

enum ike_verdict
ike_step_inter_check(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	enum spi_group g = due(sa);
	bool has_ppk = ike_ppk_int_offered(sa, m);
	unsigned at = sa->setup->addke_at;

	(void)ike;
	if (g == SPI_GROUP_NONE && m->p->ke == NULL && has_ppk)
		return V_NEXT;
	/* RFC 9867 3.1: the PPK comes with the last one */
	if (g == SPI_GROUP_NONE || m->p->ke == NULL ||
	    m->p->ke->group != ike_group_wire(g) ||
	    m->p->ke->data.len != spi_group_public_len(g) ||
	    (has_ppk && ike_addke_next(sa->suite.addke, at + 1) <
	     IKE_ADDKE_MAX)) {
		m->drop = DROP_IKE_KE;
		return ike_fail(m, IKE_N_INVALID_SYNTAX, "the peer's additional "
				"key exchange is not the one agreed on");
	}
	if (ike_job_start(sa, IKE_JOB_MSG, g, &m->dh, m->p->ke->data) != 0)
		return ike_drop(m, DROP_IKE_BUSY);
	return V_WAIT;
}

enum ike_verdict
ike_step_inter_reply(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;
	struct ike_keys *k;
	struct ike_build b;
	int err = 0;

	(void)ike;
	if (m->p->ke != NULL && (m->job_err != 0 || m->dh == NULL)) {
		m->drop = DROP_IKE_KE;
		return ike_fail(m, IKE_N_INVALID_SYNTAX, "the peer's additional "
				"key exchange value is invalid");
	}
	/* not looked at, and nothing done yet: the peer repeats it */
	if (m->ans != NULL && m->ans->err == ERR_AGAIN && st->ppk_keys == NULL)
		return ike_drop(m, DROP_IKE_BUSY);
	ike_out_open(sa, &b);
	if (m->p->ke != NULL)
		add_ke(&b, m->p->ke->group, m->dh);
	if (ike_ppk_int_offered(sa, m))
		err = ike_ppk_int_take(sa, m, &b);
	else if (m->p->ke != NULL)
		err = ike_inter_derive(sa, m, &st->ppk_keys);
	k = st->ppk_keys;
	/* the request first: both parts are of one generation */
	if (err != 0 || ike_inter_auth_in(sa, m) != 0 ||
	    ike_inter_auth_out(sa, &b, m->h.msgid) != 0 ||
	    ike_out_reply(sa, m, &b) != 0) {
		/* half of it is done: the peer begins anew */
		ike_sa_kill(sa, NULL);
		return V_DONE;
	}
	st->ppk_keys = NULL;
	ike_inter_done(sa, k);
	return V_DONE;
}
