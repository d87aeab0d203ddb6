/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/ppk.c - post-quantum pre-shared keys, RFC 8784, RFC 9867.
 *
 * Thread: the only one.
 */
#include "secure-proc/keys/ppk.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "spi/spi_crypto.h"

#define PPK_ID_FIXED 2	/* RFC 8784 5.1 */

static int
fail(char *why, size_t cap, int err, const char *text)
{
	snprintf(why, cap, "%s", text);
	return err;
}

static enum spi_hash
hash_of(uint8_t prf)
{
	return prf == 1 ? SPI_HASH_SHA256 : prf == 2 ? SPI_HASH_SHA384 :
	    prf == 3 ? SPI_HASH_SHA512 : SPI_HASH_NONE;
}

/* prf+ (PPK, K) in the length of the PRF: one round. */
static int
mix(enum spi_hash h, struct view ppk, struct view key, uint8_t *out)
{
	static const uint8_t one = 1;
	struct view part[2] = { key, { &one, 1 } };

	return spi_crypto()->hmac(h, ppk, part, N_OF(part), out);
}

/* Whose keys are they? */
static int
find(const struct sec_keys *k, const struct ipc_ppk *q,
     const struct conf_realm **r, const struct conf_peer **p, char *why,
     size_t cap)
{
	struct sec_id id, own;
	struct sec_comer who = { .peer = &id };
	struct sec_place at;
	int err;

	if (q->is_initiator) {
		if (q->realm >= k->conf->n_realm ||
		    q->peer >= k->conf->realm[q->realm].n_peer)
			return fail(why, cap, ERR_NOTFOUND, "no such peer");
		*r = &k->conf->realm[q->realm];
		*p = &(*r)->peer[q->peer];
		return 0;
	}
	if ((err = sec_id_dec(q->id_peer, &id)) != 0 ||
	    (q->id_own.len > 0 && (err = sec_id_dec(q->id_own, &own)) != 0))
		return fail(why, cap, err, "malformed identity");
	if (q->id_own.len > 0)
		who.own = &own;
	err = sec_id_select(k->conf, &who, &at, why, cap);
	*r = at.realm;
	*p = at.peer;
	return err;
}

static int
mix_all(struct view ppk, const struct ipc_ppk *q, struct sec_ppk *out)
{
	enum spi_hash h = hash_of(q->prf);
	int err;

	out->len = out->p_len = spi_hash_len(h);
	if (out->len == 0)
		return ERR_ALG;
	if (q->sk_d.len != out->len || q->sk_pi.len != out->len ||
	    q->sk_pr.len != out->len)
		return ERR_RANGE;
	if ((err = mix(h, ppk, q->sk_d, out->sk_d)) == 0 &&
	    (err = mix(h, ppk, q->sk_pi, out->sk_pi)) == 0)
		err = mix(h, ppk, q->sk_pr, out->sk_pr);
	return err;
}

static int
mix_auth(const struct sec_keys *k, const struct ipc_ppk *q,
	 struct sec_ppk *out, char *why, size_t cap)
{
	const struct conf_realm *r = NULL;
	const struct conf_peer *p = NULL;
	struct view ppk;
	int err;

	memset(out, 0, sizeof(*out));
	if ((err = find(k, q, &r, &p, why, cap)) != 0)
		return err;
	if (p->ppk == NULL || strlen(p->ppk) >= sizeof(out->id))
		return fail(why, cap, ERR_NOTFOUND, "this peer has no ppk=");
	out->is_required = true;
	out->id[0] = PPK_ID_FIXED;
	memcpy(out->id + 1, p->ppk, strlen(p->ppk));
	out->id_len = 1 + strlen(p->ppk);
	ppk = sec_store_ppk(k->store, r->index, p->index);
	if (ppk.len == 0)
		return fail(why, cap, ERR_NOTFOUND, "this peer has no ppk=");
	if (!q->is_initiator && (q->ppk_id.len != out->id_len ||
	    memcmp(q->ppk_id.p, out->id, out->id_len) != 0))
		return fail(why, cap, ERR_NOTFOUND,
			    "the peer uses another PPK than its ppk=");
	if ((err = mix_all(ppk, q, out)) != 0) {
		wipe(out, sizeof(*out));
		out->is_required = true;
		return fail(why, cap, err, err_text(err));
	}
	return 0;
}

/* ---- RFC 9867 ---------------------------------------------------------------- */

/* The first 8 octets of prf (PPK, Ni | Nr | SPIi | SPIr). */
static int
confirm(enum spi_hash h, struct view ppk, struct view seed,
	uint8_t out[SEC_PPK_CONFIRM])
{
	uint8_t mac[SEC_PRF_MAX];
	int err = spi_crypto()->hmac(h, ppk, &seed, 1, mac);

	if (err == 0)
		memcpy(out, mac, SEC_PPK_CONFIRM);
	wipe(mac, sizeof(mac));
	return err;
}

/* The key behind a PPK_ID; one name is one file, so any peer's will do. */
static struct view
by_id(const struct sec_keys *k, struct view id)
{
	for (unsigned i = 0; i < k->conf->n_realm; i++)
		for (unsigned n = 0; n < k->conf->realm[i].n_peer; n++) {
			const struct conf_peer *p = &k->conf->realm[i].peer[n];

			if (p->ppk != NULL && id.len == 1 + strlen(p->ppk) &&
			    id.p[0] == PPK_ID_FIXED &&
			    memcmp(id.p + 1, p->ppk, id.len - 1) == 0)
				return sec_store_ppk(k->store, i, p->index);
		}
	return (struct view){ NULL, 0 };
}

/* The first that is offered, is ours, and proves to be the same. */
static int
pick(const struct sec_keys *k, const struct ipc_ppk *q, enum spi_hash h,
     struct sec_ppk *out, struct view *ppk)
{
	struct view id, proof;
	struct cur list, one;
	uint16_t n;

	cur_init(&list, q->offers.p, q->offers.len);
	while (cur_left(&list) > 0) {
		if (cur_u16(&list, &n) != 0 || n < SEC_PPK_CONFIRM + 2 ||
		    cur_sub(&list, n, &one) != 0 ||
		    cur_view(&one, n - SEC_PPK_CONFIRM, &id) != 0 ||
		    cur_view(&one, SEC_PPK_CONFIRM, &proof) != 0 ||
		    id.len > sizeof(out->id))
			return ERR_SYNTAX;
		*ppk = by_id(k, id);
		if (ppk->len == 0)
			continue;
		if (confirm(h, *ppk, q->seed, out->confirm) != 0)
			return ERR_CRYPTO;
		if (!ct_equal(out->confirm, proof.p, SEC_PPK_CONFIRM))
			continue;
		memcpy(out->id, id.p, id.len);
		out->id_len = id.len;
		return 0;
	}
	return ERR_NOTFOUND;
}

static int
own(const struct sec_keys *k, const struct ipc_ppk *q, enum spi_hash h,
    struct sec_ppk *out, struct view *ppk)
{
	const struct conf_peer *p;

	if (q->realm >= k->conf->n_realm ||
	    q->peer >= k->conf->realm[q->realm].n_peer)
		return ERR_NOTFOUND;
	p = &k->conf->realm[q->realm].peer[q->peer];
	if (p->ppk == NULL || strlen(p->ppk) >= sizeof(out->id))
		return ERR_NOTFOUND;
	out->id[0] = PPK_ID_FIXED;
	memcpy(out->id + 1, p->ppk, strlen(p->ppk));
	out->id_len = 1 + strlen(p->ppk);
	*ppk = sec_store_ppk(k->store, q->realm, p->index);
	return ppk->len == 0 ? ERR_NOTFOUND :
	    confirm(h, *ppk, q->seed, out->confirm);
}

static int
mix_int(const struct sec_keys *k, const struct ipc_ppk *q, struct sec_ppk *out,
	char *why, size_t cap)
{
	enum spi_hash h = hash_of(q->prf);
	struct view ppk = { NULL, 0 };
	int err;

	memset(out, 0, sizeof(*out));
	out->len = spi_hash_len(h);
	out->n_confirm = sizeof(out->confirm);
	if (out->len == 0)
		return fail(why, cap, ERR_ALG, err_text(ERR_ALG));
	if (q->sk_d.len != out->len || q->seed.len == 0)
		return fail(why, cap, ERR_RANGE, err_text(ERR_RANGE));
	err = q->is_initiator ? own(k, q, h, out, &ppk) :
	    pick(k, q, h, out, &ppk);
	if (err == 0)
		err = mix(h, ppk, q->sk_d, out->sk_d);
	if (err != 0)
		wipe(out, sizeof(*out));
	return err == ERR_NOTFOUND ? fail(why, cap, err, q->is_initiator ?
	    "this peer has no ppk=" : "no PPK in common with the peer") :
	    err != 0 ? fail(why, cap, err, err_text(err)) : 0;
}

int
sec_ppk_mix(const struct sec_keys *k, const struct ipc_ppk *q,
	    struct sec_ppk *out, char *why, size_t cap)
{
	return q->is_int ? mix_int(k, q, out, why, cap) :
	    mix_auth(k, q, out, why, cap);
}
