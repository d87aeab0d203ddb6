/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/ppk_int.c - post-quantum pre-shared keys in IKE_INTERMEDIATE (RFC
 * 9867).
 *
 *   IKE_SA_INIT       N(USE_PPK_INT)  -->          <--  N(USE_PPK_INT)
 *   IKE_INTERMEDIATE  N(PPK_IDENTITY_KEY)+  -->    <--  [N(PPK_IDENTITY)]
 *
 *   SKEYSEED' = prf+ (PPK, SK_d)     then all SK_* anew (3.1.1)
 *
 * Unlike RFC 8784 it protects IKE_AUTH too.  The secure process has the PPK; it
 * proves it (initiator) or looks for it (responder), and gives SKEYSEED'.  The
 * responder does not know yet who asks: whose PPK it was is seen once the
 * identity is proved.  Ours is an exchange of its own after the key exchanges; a
 * peer may join it to the last of them.
 *
 * A responder without the PPK answers without PPK_IDENTITY; whether it may be
 * left out is decided by the identity as well, and an initiator of ours goes on
 * with nothing less.
 */
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "ikev2/step/step.h"

#define CONFIRM_LEN 8		/* PPK Confirmation, 3.1 */
#define ID_FIXED    2		/* PPK_ID_FIXED, RFC 8784 5.1 */
#define SEED_MAX    (2 * IKE_NONCE_MAX + 16)
#define OFFERS_MAX  640		/* bytes of them that are looked at; ours */

static const struct view none;

static bool
is_due(const struct ike_sa *sa)
{
	return sa->setup->is_ppk_int && !sa->setup->is_mixed;
}

/* ---- asking -------------------------------------------------------------- */

/* Ni | Nr | SPIi | SPIr */
static struct view
seed_of(const struct ike_sa *sa, uint8_t out[SEED_MAX])
{
	const struct ike_setup *st = sa->setup;
	size_t n = st->ni_len + st->nr_len;

	memcpy(out, st->ni, st->ni_len);
	memcpy(out + st->ni_len, st->nr, st->nr_len);
	be64_put(out + n, sa->ispi);
	be64_put(out + n + 8, sa->rspi);
	return (struct view){ out, n + 16 };
}

static int
ask_for(struct ike_sa *sa, const struct ike_keys *keys, struct view offers)
{
	uint8_t seed[SEED_MAX];
	struct ike_ask ask = {
		.type = IKE_ASK_PPK, .handle = sa->handle,
		.is_initiator = sa->is_initiator,
		.realm = UINT32_MAX, .peer = UINT32_MAX,
		.prf = ike_auth_prf(sa), .is_ppk_int = true,
		.sk_d = { keys->d, spi_hash_len(sa->suite.prf) },
		.ppk_seed = seed_of(sa, seed), .ppk_offers = offers
	};

	if (sa->is_initiator) {
		ask.realm = sa->link->realm->conf.index;
		ask.peer = sa->link->peer->index;
	}
	return ike_auth_ask(sa, &ask);
}

/* Keys out of the SKEYSEED' of an answer. */
static int
keys_of(const struct ike_sa *sa, const struct ike_ans *ans,
	struct ike_keys **out)
{
	const struct ike_setup *st = sa->setup;
	struct ike_keymat_in in = {
		.ni = { st->ni, st->ni_len }, .nr = { st->nr, st->nr_len },
		.ispi = sa->ispi, .rspi = sa->rspi
	};
	struct ike_keys *k;
	int err;

	if (ans->sk_d.len != spi_hash_len(sa->suite.prf) ||
	    ans->ppk_id.len == 0 || ans->ppk_id.len > IKE_PPK_ID_MAX)
		return ERR_INTERNAL;
	if ((k = secret_alloc(sizeof(*k))) == NULL)
		return ERR_NOMEM;
	err = ike_keymat_seeded(&sa->suite, ans->sk_d, &in, k);
	if (err != 0) {
		secret_free(k);
		return err;
	}
	*out = k;
	return 0;
}

static void
id_keep(struct ike_setup *st, const struct ike_ans *ans)
{
	memcpy(st->ppk_id, ans->ppk_id.p, ans->ppk_id.len);
	st->ppk_id_len = ans->ppk_id.len;
}

/* ---- as initiator -------------------------------------------------------- */

enum ike_verdict
ike_step_ppk_int_ask(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	if (!is_due(sa))
		return V_NEXT;
	if (ask_for(sa, sa->keys, none) == 0)
		return V_WAIT;
	return ike_fail(m, 0, "the secure process cannot be asked now");
}

enum ike_verdict
ike_step_ppk_int_request(struct ike *ike, struct ike_sa *sa,
			 struct ike_msg *m)
{
	const struct ike_ans *ans = m->ans;
	struct ike_setup *st = sa->setup;
	uint8_t data[IKE_PPK_ID_MAX + CONFIRM_LEN];
	struct ike_build b;
	int err;

	(void)ike;
	if (!is_due(sa))
		return V_NEXT;
	if (ans->err != 0)
		return ike_fail(m, 0, "%s", ans->why);
	if (ans->ppk_confirm.len != CONFIRM_LEN ||
	    (err = keys_of(sa, ans, &st->ppk_keys)) != 0)
		return ike_fail(m, 0,
				"the secure process gave no usable answer");
	id_keep(st, ans);
	memcpy(data, st->ppk_id, st->ppk_id_len);
	memcpy(data + st->ppk_id_len, ans->ppk_confirm.p, CONFIRM_LEN);
	m->ans = NULL;
	ike_out_open(sa, &b);
	ike_build_notify(&b, IKE_PROTO_NONE, IKE_N_PPK_IDENTITY_KEY, none,
			 (struct view){ data, st->ppk_id_len + CONFIRM_LEN });
	return ike_inter_send(sa, m, &b);
}

enum ike_verdict
ike_step_ppk_int_answer(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_PPK_IDENTITY);
	struct ike_setup *st = sa->setup;

	(void)ike;
	if (st->ppk_keys == NULL)	/* of a key exchange */
		return V_NEXT;
	if (n == NULL)
		return ike_fail(m, 0, "the peer has no PPK of that name, or "
				"another key under it");
	/* 3.1: one that was not proposed is fatal */
	if (m->p->ke != NULL || n->data.len != st->ppk_id_len ||
	    memcmp(n->data.p, st->ppk_id, st->ppk_id_len) != 0)
		return ike_fail(m, 0, "the peer chose a PPK we did not offer");
	if (ike_inter_auth_in(sa, m) != 0)
		return ike_fail(m, 0, "out of memory");
	ike_inter_done(sa, st->ppk_keys);
	st->ppk_keys = NULL;
	st->is_mixed = true;
	return V_NEXT;
}

/* ---- as responder -------------------------------------------------------- */

bool
ike_ppk_int_offered(const struct ike_sa *sa, const struct ike_msg *m)
{
	return is_due(sa) &&
	    ike_ntf_find(m->p, IKE_N_PPK_IDENTITY_KEY) != NULL;
}

/* Those that can be ours, as many as there is room for. */
static struct view
offers_of(const struct ike_msg *m, uint8_t out[OFFERS_MAX])
{
	size_t n = 0;

	for (unsigned i = 0; i < m->p->n_ntf; i++) {
		const struct ike_ntf *t = &m->p->ntf[i];

		if (t->type != IKE_N_PPK_IDENTITY_KEY ||
		    t->data.len < 2 + CONFIRM_LEN || t->data.p[0] != ID_FIXED ||
		    t->data.len > IKE_PPK_ID_MAX + CONFIRM_LEN ||
		    n + 2 + t->data.len > OFFERS_MAX)
			continue;
		be16_put(out + n, (uint16_t)t->data.len);
		memcpy(out + n + 2, t->data.p, t->data.len);
		n += 2 + t->data.len;
	}
	return (struct view){ out, n };
}

enum ike_verdict
ike_step_ppk_int_find(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;
	uint8_t offers[OFFERS_MAX];

	(void)ike;
	if (!ike_ppk_int_offered(sa, m))
		return V_NEXT;
	/* 3.1.1: after the key exchange of the same message */
	if (m->p->ke != NULL && (m->job_err != 0 || m->dh == NULL))
		return V_NEXT;		/* the next step sees it */
	if (m->p->ke != NULL && st->ppk_keys == NULL &&
	    ike_inter_derive(sa, m, &st->ppk_keys) != 0) {
		ike_sa_kill(sa, NULL);	/* the secret is gone */
		return V_DONE;
	}
	if (ask_for(sa, st->ppk_keys != NULL ? st->ppk_keys : sa->keys,
		    offers_of(m, offers)) == 0)
		return V_WAIT;
	if (st->ppk_keys == NULL)
		return ike_drop(m, DROP_IKE_BUSY); /* the peer repeats it */
	ike_sa_kill(sa, NULL);		/* half of it is done */
	return V_DONE;
}

int
ike_ppk_int_take(struct ike_sa *sa, struct ike_msg *m, struct ike_build *b)
{
	const struct ike_ans *ans = m->ans;
	struct ike_setup *st = sa->setup;
	struct ike_keys *k = NULL;
	int err;

	if (ans == NULL)
		return ERR_INTERNAL;
	if (ans->err == ERR_NOTFOUND) {
		log_rl(LOG_NOTICE, "ike", "PPK of a peer: %s", ans->why);
		return 0;		/* 3.1, item 3 */
	}
	if (ans->err != 0)
		return ans->err;
	if ((err = keys_of(sa, ans, &k)) != 0)
		return err;
	id_keep(st, ans);
	secret_free(st->ppk_keys);
	st->ppk_keys = k;
	st->is_mixed = true;
	m->ans = NULL;
	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_PPK_IDENTITY, none,
			 (struct view){ st->ppk_id, st->ppk_id_len });
	return 0;
}

bool
ike_ppk_is_foreign(const struct ike_sa *sa)
{
	const struct ike_setup *st = sa->setup;
	const char *own = sa->link->peer->ppk;

	return st->is_ppk_int && st->is_mixed &&
	    (st->ppk_id_len != 1 + strlen(own) ||
	     memcmp(st->ppk_id + 1, own, st->ppk_id_len - 1) != 0);
}
