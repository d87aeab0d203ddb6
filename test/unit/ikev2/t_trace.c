/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_trace.c - what an engine remembers of attempts.
 */
#include "ikev2/trace.h"
#include "test/unit/ikev2/engine_help.h"

#define SILENT_MS 20000	/* all transmissions of one attempt, and more */

static uint32_t link_id;

static void
op_resolve(void *ctx, uint32_t realm, uint32_t peer)
{
	(void)ctx, (void)realm, (void)peer;
}

static void
world(bool is_dial)
{
	struct ike_peer_conf peer = { .id = "osaka", .name = "osaka",
		.has_at = is_dial, .is_dial = is_dial };
	struct ike_realm_conf realm = { .index = 1, .n_peer = 1,
					.peer = &peer };
	struct ike_link_info li;
	uint32_t it = 0;

	start(100, 100);
	ike->ops.resolve = op_resolve;
	assert_int_equal(ike_realm_add(ike, &realm), 0);
	do				/* start() makes a realm 0 */
		assert_true(ike_link_next(ike, &it, &li));
	while (li.realm != 1);
	link_id = li.link;
	if (is_dial)
		ike_peer_at(ike, 1, 0, &there, 1);
	ike_tick(ike, now);
	jobs();
}

static struct ike_trace_info
trace(void)
{
	struct ike_trace_info t;

	assert_true(ike_trace_get(ike, link_id, &t));
	return t;
}

static void
wait_ms(uint64_t ms)
{
	for (uint64_t end = now + ms; now < end;) {
		now += 100;
		ike_tick(ike, now);
		jobs();
	}
}

/* An answer to our request that is one notify and nothing else. */
static void
answer(uint16_t notify, const void *data, size_t len)
{
	const struct ike_sa *sa = CONTAINER_OF(ike->sas.next, struct ike_sa,
					       node);
	struct ike_hdr h = { .ispi = sa->ispi, .major = 2,
		.xchg = IKE_XCHG_IKE_SA_INIT, .is_response = true };
	struct view none = { NULL, 0 }, out;
	uint8_t buf[200];
	struct ike_build b;

	ike_build_init(&b, buf, sizeof(buf), &h);
	ike_build_notify(&b, IKE_PROTO_NONE, notify, none,
			 (struct view){ data, len });
	assert_int_equal(ike_build_finish(&b, &out), 0);
	input(out.p, out.len);
	jobs();
}

TEST(an_attempt_that_hangs_is_silence_before_it_ends)
{
	struct ike_trace_info t;

	world(true);
	t = trace();
	assert_int_equal(t.out.by, IKE_BY_NOBODY);
	assert_int_equal(t.n_ep, 1);
	assert_true(t.is_wanted && t.sent_ms[0] != 0 && t.heard_ms[0] == 0);
	wait_ms(2000);			/* three transmissions */
	t = trace();
	assert_int_equal(t.out.by, IKE_BY_SILENCE);
	assert_int_equal(t.out.stage, IKE_STAGE_INIT);
	assert_true(t.big_bytes > 200 && t.big_bytes < 1500);
	wait_ms(SILENT_MS);		/* then by the other port */
	t = trace();
	assert_true(t.sent_ms[1] > t.sent_ms[0]);
	stop();
}

TEST(a_refusal_in_clear_is_kept_with_what_we_offered)
{
	struct ike_trace_info t;

	world(true);
	answer(IKE_N_NO_PROPOSAL_CHOSEN, NULL, 0);
	t = trace();
	assert_int_equal(t.out.by, IKE_BY_PEER);
	assert_int_equal(t.out.stage, IKE_STAGE_INIT);
	assert_int_equal(t.out.notify, IKE_N_NO_PROPOSAL_CHOSEN);
	assert_false(t.out.is_protected);
	assert_int_equal(t.pairs.kind, IKE_PAIR_IKE);
	assert_string_equal(t.pairs.pair[0].what, "encryption");
	assert_non_null(strstr(t.pairs.pair[0].own, "AES-GCM-16-256"));
	assert_string_equal(t.pairs.pair[0].peer, "");
	assert_true(t.heard_ms[0] != 0);
	stop();
}

TEST(a_group_we_do_not_offer_is_named)
{
	static const uint8_t modp_1024[2] = { 0, 2 };
	struct ike_trace_info t;
	unsigned i = 0;

	world(true);
	answer(IKE_N_INVALID_KE_PAYLOAD, modp_1024, 2);
	t = trace();
	assert_int_equal(t.out.notify, IKE_N_INVALID_KE_PAYLOAD);
	assert_int_equal(t.n_group, 1);
	while (i < t.pairs.n && strcmp(t.pairs.pair[i].what, "group") != 0)
		i++;
	assert_true(i < t.pairs.n);
	assert_string_equal(t.pairs.pair[i].peer, "MODP-1024");
	assert_non_null(strstr(t.pairs.pair[i].own, "X25519"));
	stop();
}

TEST(cookies_are_counted_for_one_attempt)
{
	world(true);
	for (unsigned i = 1; i <= 5; i++) {
		uint8_t cookie[8] = { (uint8_t)i };

		answer(IKE_N_COOKIE, cookie, sizeof(cookie));
		assert_int_equal(trace().n_cookie, i);
	}
	wait_ms(SILENT_MS);		/* the next one begins from 0 */
	assert_int_equal(trace().n_cookie, 0);
	stop();
}

TEST(a_name_that_does_not_resolve_is_known_until_it_does)
{
	world(true);
	ike_peer_at(ike, 1, 0, NULL, 0);
	assert_true(trace().is_unresolved);
	ike_peer_at(ike, 1, 0, &there, 1);
	assert_false(trace().is_unresolved);
	stop();
}

TEST(nothing_is_known_of_links_that_are_not_there)
{
	struct ike_trace_info t;

	world(false);
	assert_false(ike_trace_get(ike, 12345, &t));
	assert_null(ike_stranger_at(ike, 0));
	t = trace();
	assert_int_equal(t.try_ms, 0);
	assert_int_equal(t.n_ep, 0);
	stop();
}
