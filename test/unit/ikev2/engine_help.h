/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/engine_help.h - one engine whose datagrams and jobs the test
 * holds in its hands.
 */
#ifndef TAPIR_TEST_IKEV2_ENGINE_HELP_H
#define TAPIR_TEST_IKEV2_ENGINE_HELP_H

#include "test/lib/test.h"

#include <string.h>

#include "daemon/base/rng.h"
#include "ikev2/engine.h"

#define SENT_MAX 64

static struct ike *ike;
static struct ike_job *job[SENT_MAX];
static unsigned n_job, n_sent;
static uint8_t sent[2048];
static size_t sent_len;
static uint64_t now;
static struct rng_det det;
static struct net_ep here, there;

static inline void
op_send(void *ctx, const struct net_ep *l, const struct net_ep *r, bool natt,
	struct view data)
{
	(void)ctx, (void)l, (void)r, (void)natt;
	assert_true(data.len <= sizeof(sent));
	memcpy(sent, data.p, data.len);
	sent_len = data.len;
	n_sent++;
}

static inline struct ip_addr
op_local(void *ctx, const struct ip_addr *remote)
{
	(void)ctx, (void)remote;
	return here.ip;
}

static inline int
op_ask(void *ctx, const struct ike_ask *ask)
{
	(void)ctx, (void)ask;
	return 0;
}

static inline void
op_job(void *ctx, struct ike_job *j)
{
	(void)ctx;
	assert_true(n_job < SENT_MAX);
	job[n_job++] = j;
}

static inline void
jobs(void)
{
	while (n_job > 0) {
		struct ike_job *j = job[--n_job];

		j->run(j);
		ike_job_done(ike, j, now);
	}
}

static inline void
op_event(void *ctx, uint32_t link, int what, const char *why)
{
	(void)ctx, (void)link, (void)what, (void)why;
}

static inline void
start(uint32_t threshold, uint32_t max_halfopen)
{
	struct ike_conf conf = { .port = 500, .natt_port = 4500,
		.cookie_threshold = threshold, .max_halfopen = max_halfopen,
		.can_raw_esp = true };
	struct ike_ops ops = { .send = op_send, .local_addr = op_local,
		.ask = op_ask, .job = op_job, .link_event = op_event };
	struct ike_peer_conf peer = { .id = "osaka", .name = "osaka" };
	struct ike_realm_conf realm = { .n_peer = 1, .peer = &peer };

	rng_det_init(&det, 7);
	rng_set_source(rng_det_source, &det);
	drop_reset();
	n_job = n_sent = 0;
	now = 1000000;
	assert_int_equal(net_ep_parse("192.0.2.1:500", &here), 0);
	assert_int_equal(net_ep_parse("198.51.100.2:500", &there), 0);
	assert_int_equal(ike_new(&ike, &conf, &ops, now), 0);
	assert_int_equal(ike_realm_add(ike, &realm), 0);
	assert_int_equal(ike_realm_add(ike, &realm), ERR_EXISTS);
}

static inline void
stop(void)
{
	jobs();
	ike_free(ike);
	rng_set_source(NULL, NULL);
}

static inline void
input(const void *p, size_t n)
{
	ike_input(ike, &here, &there, false, (struct view){ p, n }, now);
}

/* An IKE_SA_INIT request: cookie may be empty. */
static inline size_t
init_msg(uint8_t *buf, size_t cap, uint64_t ispi, struct view cookie)
{
	struct ike_hdr h = { .ispi = ispi, .xchg = IKE_XCHG_IKE_SA_INIT,
			     .is_initiator = true };
	static const uint8_t nonce[32] = { 9 };
	struct spi_dh_key *dh = NULL;
	struct ike_props props;
	struct ike_build b;
	struct ike_ke ke = { .group = IKE_KE_CURVE25519 };
	struct arena a;
	struct view out;

	arena_init(&a, 1 << 16);
	assert_int_equal(ike_prop_offer_ike(&a, VPN_SUITE_2026,
	    (struct view){ NULL, 0 }, &props), 0);
	assert_int_equal(spi_crypto()->dh_new(SPI_GROUP_X25519, &dh), 0);
	ke.data = spi_crypto()->dh_public(dh);
	ike_build_init(&b, buf, cap, &h);
	if (cookie.len > 0)
		ike_build_notify(&b, IKE_PROTO_NONE, IKE_N_COOKIE,
				 (struct view){ NULL, 0 }, cookie);
	ike_build_begin(&b, IKE_PL_SA, false);
	enc_sa(&b.w, &props);
	ike_build_end(&b);
	ike_build_begin(&b, IKE_PL_KE, false);
	enc_ke(&b.w, &ke);
	ike_build_end(&b);
	ike_build_begin(&b, IKE_PL_NONCE, false);
	enc_nonce(&b.w, (struct view){ nonce, sizeof(nonce) });
	ike_build_end(&b);
	assert_int_equal(ike_build_finish(&b, &out), 0);
	spi_crypto()->dh_free(dh);
	arena_fini(&a);
	return out.len;
}

static inline struct ike_stats
stats(void)
{
	struct ike_stats s;

	ike_stats_get(ike, &s);
	return s;
}

#endif
