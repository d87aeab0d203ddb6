/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/cookie.c - stateless cookies (RFC 7296 2.6).
 *
 *   cookie = version | HMAC-SHA2-256(secret of version, Ni | IPi | SPIi)
 *
 * The secret is replaced each minute; the one before is still honoured.
 *
 * The gate for requests runs on the datagram as it came, before anything is
 * allocated, copied or decoded; so it is no step of path.c.
 */
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "ikev2/step/step.h"

#define COOKIE_LEN 33	/* version and HMAC; RFC permits 1 to 64 */

static void
rotate(struct ike *ike)
{
	uint8_t fresh[IKE_COOKIE_KEY];
	bool both = ike->now_ms - ike->cookie_ms >= 2 * IKE_COOKIE_MS;

	if (ike->now_ms - ike->cookie_ms < IKE_COOKIE_MS ||
	    rng_bytes(fresh, sizeof(fresh)) != 0)
		return;
	ike->cookie_ver++;
	memcpy(ike->cookie_key[ike->cookie_ver & 1], fresh, sizeof(fresh));
	if (both && rng_bytes(fresh, sizeof(fresh)) == 0)
		memcpy(ike->cookie_key[1 - (ike->cookie_ver & 1)], fresh,
		       sizeof(fresh));
	ike->cookie_ms = ike->now_ms;
	wipe(fresh, sizeof(fresh));
}

/* What the gate reads of a request, without decoding the rest. */
struct wanted {
	struct view nonce, cookie;	/* views; len 0 = not there */
};

static int
find_wanted(const struct ike_msg *m, struct view data, struct wanted *out)
{
	struct ike_chain chain;
	struct ike_perr perr;
	struct ike_ntf ntf;
	struct cur c;
	int err;

	*out = (struct wanted){ .nonce = { NULL, 0 } };
	cur_init(&c, data.p, data.len);
	if ((err = cur_skip(&c, IKE_HDR_LEN)) != 0)
		return err;
	cur_rest(&c, &data);
	if ((err = ike_chain_decode(data, m->h.next, &chain, &perr)) != 0)
		return err;
	for (unsigned i = 0; i < chain.n; i++) {
		const struct ike_pl *pl = &chain.pl[i];

		cur_init(&c, pl->body.p, pl->body.len);
		if (pl->type == IKE_PL_NONCE &&
		    (err = dec_nonce(&c, &out->nonce)) != 0)
			return err;
		if (pl->type != IKE_PL_N)
			continue;
		if ((err = dec_notify(&c, &ntf)) != 0)
			return err;
		if (ntf.type == IKE_N_COOKIE)
			out->cookie = ntf.data;
	}
	return out->nonce.len > 0 ? 0 : ERR_GRAMMAR;
}

static int
compute(const struct ike *ike, const struct ike_msg *m, struct view nonce,
	uint8_t ver, uint8_t out[COOKIE_LEN])
{
	uint8_t ispi[8];
	struct view part[3] = {
		nonce,
		{ m->remote.ip.b, ip_len(&m->remote.ip) },
		{ ispi, sizeof(ispi) }
	};

	be64_put(ispi, m->h.ispi);
	out[0] = ver;
	return spi_crypto()->hmac(SPI_HASH_SHA256, (struct view){
	    ike->cookie_key[ver & 1], IKE_COOKIE_KEY }, part, N_OF(part),
	    out + 1);
}

static bool
cookie_is_good(const struct ike *ike, const struct ike_msg *m,
	       const struct wanted *w)
{
	uint8_t want[COOKIE_LEN];
	uint8_t age;

	if (w->cookie.len != COOKIE_LEN)
		return false;
	age = (uint8_t)(ike->cookie_ver - w->cookie.p[0]);
	return age <= 1 &&
	    compute(ike, m, w->nonce, w->cookie.p[0], want) == 0 &&
	    ct_equal(want, w->cookie.p, COOKIE_LEN);
}

/* On from the threshold, off again at half of it. */
static bool
is_under_load(struct ike *ike)
{
	uint64_t n = ike->stats.n_halfopen, on = ike->conf.cookie_threshold;

	if (n >= on)
		ike->is_cookie_on = true;
	else if (n <= on / 2)
		ike->is_cookie_on = false;
	return ike->is_cookie_on;
}

static void
ask_cookie(struct ike *ike, const struct ike_msg *m, const struct wanted *w)
{
	uint8_t cookie[COOKIE_LEN];

	if (w->cookie.len > 0)
		drop_count(DROP_IKE_COOKIE, 1);
	if (compute(ike, m, w->nonce, ike->cookie_ver, cookie) != 0)
		return;
	ike->stats.n_cookie_asked++;
	ike_out_clear_error(ike, m, IKE_N_COOKIE, (struct view){ cookie,
	    sizeof(cookie) }, false);
}

bool
ike_cookie_admits(struct ike *ike, const struct ike_msg *m, struct view data)
{
	unsigned n_src = ike_sa_halfopen_of(ike, &m->remote.ip);
	struct wanted w;

	if (ike_sa_by_init(ike, m) != NULL)
		return true;		/* admitted before: a repeat */
	if (data.len > IKE_INIT_REQ_MAX) {
		drop_count(DROP_IKE_LONG, 1);
		return false;
	}
	if (is_under_load(ike) || n_src >= IKE_COOKIE_PER_SRC) {
		rotate(ike);
		if (find_wanted(m, data, &w) != 0) {
			drop_count(DROP_IKE_SYNTAX, 1);
			return false;
		}
		if (!cookie_is_good(ike, m, &w)) {
			ask_cookie(ike, m, &w);
			return false;
		}
	}
	/* one source, proven or not, gets a part of the table only */
	if (ike->stats.n_halfopen < ike->conf.max_halfopen &&
	    n_src < MAX(ike->conf.max_halfopen / IKE_HALFOPEN_PARTS,
			IKE_COOKIE_PER_SRC + 1u))
		return true;
	drop_count(DROP_IKE_HALFOPEN, 1);
	return false;
}

enum ike_verdict
ike_step_cookie_again(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_COOKIE);
	struct ike_setup *st = sa->setup;

	(void)ike;
	if (n == NULL || n->data.len == 0 || n->data.len > sizeof(st->cookie))
		return ike_drop(m, DROP_IKE_SYNTAX);
	if (m->h.rspi != 0 || st->n_again >= IKE_INIT_AGAIN_MAX)
		return ike_drop(m, DROP_IKE_UNPROT);
	st->n_again++;
	memcpy(st->cookie, n->data.p, n->data.len);
	st->cookie_len = n->data.len;
	ike_win_answered(sa);
	if (ike_init_send(sa, sa->task) != 0)
		return ike_fail(m, 0, "the request could not be sent again");
	return V_KEEP;
}
