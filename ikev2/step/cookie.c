/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/cookie.c - stateless cookies (RFC 7296 2.6).
 *
 *   cookie = version | HMAC-SHA2-256(secret of version, Ni | IPi | SPIi)
 *
 * The secret is replaced each minute; the one before is still honoured.
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

static int
compute(const struct ike *ike, const struct ike_msg *m, uint8_t ver,
	uint8_t out[COOKIE_LEN])
{
	uint8_t spi[8];
	struct view part[3] = {
		*m->p->nonce,
		{ m->remote.ip.b, ip_len(&m->remote.ip) },
		{ spi, sizeof(spi) }
	};

	be64_put(spi, m->h.ispi);
	out[0] = ver;
	return spi_crypto()->hmac(SPI_HASH_SHA256, (struct view){
	    ike->cookie_key[ver & 1], IKE_COOKIE_KEY }, part, N_OF(part),
	    out + 1);
}

static bool
cookie_is_good(const struct ike *ike, const struct ike_msg *m,
	       const struct ike_ntf *n)
{
	uint8_t want[COOKIE_LEN];
	uint8_t age;

	if (n->data.len != COOKIE_LEN)
		return false;
	age = (uint8_t)(ike->cookie_ver - n->data.p[0]);
	return age <= 1 && compute(ike, m, n->data.p[0], want) == 0 &&
	    ct_equal(want, n->data.p, COOKIE_LEN);
}

enum ike_verdict
ike_step_cookie(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_COOKIE);
	uint8_t cookie[COOKIE_LEN];

	(void)sa;
	if (ike->stats.n_halfopen < ike->conf.cookie_threshold &&
	    ike_sa_halfopen_of(ike, &m->remote.ip) < IKE_COOKIE_PER_SRC)
		return V_NEXT;
	rotate(ike);
	if (n != NULL && cookie_is_good(ike, m, n)) {
		if (ike->stats.n_halfopen >= ike->conf.max_halfopen)
			return ike_drop(m, DROP_IKE_HALFOPEN);
		return V_NEXT;
	}
	if (n != NULL)
		drop_count(DROP_IKE_COOKIE, 1);
	if (compute(ike, m, ike->cookie_ver, cookie) != 0)
		return ike_drop(m, DROP_IKE_COOKIE);
	ike->stats.n_cookie_asked++;
	/* smaller than what it answers: no amplification */
	ike_out_clear_error(ike, m, IKE_N_COOKIE, (struct view){ cookie,
	    sizeof(cookie) }, false);
	return V_DONE;
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
