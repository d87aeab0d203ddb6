/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_ike_engine.c - a responder against a sequence of datagrams.
 *
 * Input: records { flags, length, bytes }.  Flags: 1 = let jobs finish first,
 * 2 = take the responder's SPI from its last answer, 4 = put version and length
 * right, 8 = let ten seconds pass, 16 = by port 4500.
 */
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "ikev2/engine.h"

#define JOB_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ike_job *job[JOB_MAX];
static unsigned n_job;
static uint8_t last_spi[8];

static void
op_send(void *ctx, const struct net_ep *l, const struct net_ep *r, bool natt,
	struct view data)
{
	(void)ctx, (void)l, (void)r, (void)natt;
	memcpy(last_spi, data.p + 8, 8);
}

static struct ip_addr
op_local(void *ctx, const struct ip_addr *remote)
{
	(void)ctx;
	return *remote;
}

static int
op_ask(void *ctx, const struct ike_ask *ask)
{
	(void)ctx, (void)ask;
	return 0;
}

static void
op_job(void *ctx, struct ike_job *j)
{
	(void)ctx;
	if (n_job < JOB_MAX)
		job[n_job++] = j;
}

static void
op_refused(void *ctx, const struct net_ep *remote, const char *id,
	   const char *why)
{
	(void)ctx;
	(void)remote;
	(void)id;
	(void)why;
}

static void
op_event(void *ctx, uint32_t link, int what, const char *why)
{
	(void)ctx, (void)link, (void)what, (void)why;
}

static void
op_sink(void *ctx, enum log_level lv, const char *who, const char *line)
{
	(void)ctx, (void)lv, (void)who, (void)line;
}

static void
jobs(struct ike *ike, uint64_t now)
{
	while (n_job > 0) {
		struct ike_job *j = job[--n_job];

		j->run(j);
		ike_job_done(ike, j, now);
	}
}

static void
one(struct ike *ike, uint8_t flags, uint8_t *p, size_t n, uint64_t *now)
{
	struct net_ep here, there;

	if (net_ep_parse("192.0.2.1:500", &here) != 0 ||
	    net_ep_parse("198.51.100.2:500", &there) != 0)
		return;
	if ((flags & 1) != 0)
		jobs(ike, *now);
	if ((flags & 8) != 0)
		ike_tick(ike, *now += 10000);
	if ((flags & 2) != 0 && n >= 16)
		memcpy(p + 8, last_spi, 8);
	if ((flags & 4) != 0 && n >= 28) {
		p[17] = 0x20;
		be32_put(p + 24, (uint32_t)n);
	}
	ike_input(ike, &here, &there, (flags & 16) != 0, (struct view){ p, n },
		  *now);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_conf conf = { .port = 500, .natt_port = 4500,
		.cookie_threshold = 8, .max_halfopen = 8, .can_raw_esp = true };
	struct ike_ops ops = { .send = op_send, .local_addr = op_local,
		.ask = op_ask, .job = op_job, .link_event = op_event,
		.auth_refused = op_refused };
	struct ike_peer_conf peer = { .id = "osaka", .name = "osaka" };
	struct ike_realm_conf realm = { .n_peer = 1, .peer = &peer,
		.suite = VPN_SUITE_COMPAT };
	uint64_t now = 1000000;
	struct rng_det det;
	struct ike *ike;
	struct cur c;
	uint8_t flags, buf[2048];
	uint16_t len;

	rng_det_init(&det, 1);
	rng_set_source(rng_det_source, &det);
	log_set_sink(op_sink, NULL);
	n_job = 0;
	if (ike_new(&ike, &conf, &ops, now) != 0)
		return 0;
	if (ike_realm_add(ike, &realm) != 0)
		goto out;
	cur_init(&c, data, size);
	while (cur_u8(&c, &flags) == 0 && cur_u16(&c, &len) == 0) {
		len = (uint16_t)MIN((size_t)len, MIN(cur_left(&c), sizeof(buf)));
		if (cur_copy(&c, buf, len) != 0)
			break;
		one(ike, flags, buf, len, &now);
	}
	jobs(ike, now);
out:
	ike_free(ike);
	rng_set_source(NULL, NULL);
	return 0;
}
