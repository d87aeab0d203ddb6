/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/ppk.c - post-quantum pre-shared keys, RFC 8784.
 *
 * Thread: the only one.
 */
#include "secure-proc/keys/ppk.h"
#include <stdio.h>
#include <string.h>
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
	return sec_id_select(k->conf, &id, q->id_own.len > 0 ? &own : NULL, p,
	    r, why, cap);
}

static int
mix_all(struct view ppk, const struct ipc_ppk *q, struct sec_ppk *out)
{
	enum spi_hash h = hash_of(q->prf);
	int err;

	out->len = spi_hash_len(h);
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

int
sec_ppk_mix(const struct sec_keys *k, const struct ipc_ppk *q,
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
