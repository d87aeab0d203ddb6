/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_gate.c - the judge of IKE_SA_INIT requests: what it asks, and
 * what it lets in.
 */
#include "test/unit/ikev2/engine_help.h"

static struct ike_gate *g;
static struct ike_gate_seat seat;
static uint8_t ans[IKE_GATE_ANSWER_MAX];
static size_t ans_len;
static struct ike_proof proof;
static struct ike_gate_want want;

static void
gate_start(enum ike_gate_level level, uint8_t bits, uint8_t chance)
{
	rng_det_init(&det, 7);
	rng_set_source(rng_det_source, &det);
	drop_reset();
	now = 1000000;
	seat = (struct ike_gate_seat){ .has_keys = false };
	assert_int_equal(net_ep_parse("198.51.100.2:500", &there), 0);
	assert_int_equal(ike_gate_new(&g), 0);
	want = (struct ike_gate_want){ level, bits, chance };
	ike_gate_set(g, &want);
}

static void
gate_stop(void)
{
	ike_gate_free(g);
	rng_set_source(NULL, NULL);
}

static enum ike_gate_verdict
judge(const uint8_t *msg, size_t n)
{
	return ike_gate_judge(g, &seat, NULL, &there, (struct view){ msg, n },
			      now, ans, &ans_len, &proof);
}

/* The answer in parts. */
struct answer {
	uint8_t cookie[64];
	size_t cookie_len;
	bool has_puzzle;
	struct ike_puzzle puzzle;
};

static struct answer
answer(void)
{
	struct answer a = { .cookie_len = be16_get(ans + 30) - 8u };
	struct cur c;

	assert_int_equal(ans[16], IKE_PL_N);
	assert_int_equal(ans[19], 0x20);	/* a responder's response */
	assert_int_equal(be32_get(ans + 24), ans_len);
	assert_int_equal(be16_get(ans + 34), IKE_N_COOKIE);
	memcpy(a.cookie, ans + 36, a.cookie_len);
	a.has_puzzle = ans[28] == IKE_PL_N;
	if (a.has_puzzle) {
		assert_int_equal(be16_get(ans + 36 + a.cookie_len + 6),
				 IKE_N_PUZZLE);
		cur_init(&c, ans + 36 + a.cookie_len + 8,
			 ans_len - 44 - a.cookie_len);
		assert_int_equal(dec_puzzle(&c, &a.puzzle), 0);
	}
	return a;
}

/* The request once more, with a cookie and, if bits > 0, a solution. */
static size_t
request(uint8_t *msg, size_t cap, const struct answer *a, unsigned bits)
{
	size_t n = init_msg(msg, cap, 1, (struct view){ a->cookie,
							a->cookie_len });
	size_t at = 28 + 8 + a->cookie_len;
	uint8_t ps[20] = { msg[28], 0, 0, 20 };

	if (bits == 0)
		return n;
	assert_int_equal(ike_puzzle_solve(a->puzzle.prf, (struct view){
	    a->cookie, a->cookie_len }, bits, 4, NULL, NULL, ps + 4), 0);
	memmove(msg + at + sizeof(ps), msg + at, n - at);
	memcpy(msg + at, ps, sizeof(ps));
	msg[28] = IKE_PL_PS;
	n += sizeof(ps);
	be32_put(msg + 24, (uint32_t)n);
	return n;
}

static const struct view no_cookie;

TEST(an_open_door_admits_and_asks_nothing)
{
	uint8_t msg[700];

	gate_start(IKE_GATE_OPEN, 0, 0);
	assert_int_equal(judge(msg, init_msg(msg, sizeof(msg), 1, no_cookie)),
			 IKE_GATE_ADMIT);
	assert_false(proof.has_cookie);
	gate_stop();
}

TEST(a_cookie_is_asked_for_and_admits)
{
	struct answer a;
	uint8_t msg[700];
	size_t n;

	gate_start(IKE_GATE_COOKIE, 0, 0);
	n = init_msg(msg, sizeof(msg), 1, no_cookie);
	assert_int_equal(judge(msg, n), IKE_GATE_ANSWER);
	assert_true(ans_len < n);
	a = answer();
	assert_false(a.has_puzzle);
	n = request(msg, sizeof(msg), &a, 0);
	assert_int_equal(judge(msg, n), IKE_GATE_ADMIT);
	assert_true(proof.has_cookie);
	assert_false(proof.has_solved);
	/* another thread's seat makes and takes the same cookies */
	seat = (struct ike_gate_seat){ .has_keys = false };
	assert_int_equal(judge(msg, n), IKE_GATE_ADMIT);
	there.ip.b[3] ^= 1;
	assert_int_equal(judge(msg, n), IKE_GATE_ANSWER);
	gate_stop();
}

TEST(a_puzzle_comes_with_its_cookie_and_a_solution_admits)
{
	struct answer a;
	uint8_t msg[700];
	size_t n;

	gate_start(IKE_GATE_PUZZLE, 9, 0);
	n = init_msg(msg, sizeof(msg), 1, no_cookie);
	assert_int_equal(judge(msg, n), IKE_GATE_ANSWER);
	assert_true(ans_len < n);
	a = answer();
	assert_true(a.has_puzzle);
	assert_int_equal(a.puzzle.bits, 9);
	assert_int_equal(a.puzzle.prf, IKE_PRF_HMAC_SHA2_256);
	assert_int_equal(judge(msg, request(msg, sizeof(msg), &a, 0)),
			 IKE_GATE_DROP);
	n = request(msg, sizeof(msg), &a, 9);
	assert_int_equal(judge(msg, n), IKE_GATE_ADMIT);
	assert_true(proof.has_cookie && proof.has_solved);
	for (unsigned i = 0; i < 16; i++) {
		size_t at = 28 + 8 + a.cookie_len + 4 + i;

		msg[at] ^= 0x10;
		assert_int_equal(judge(msg, n), IKE_GATE_DROP);
		msg[at] ^= 0x10;
	}
	assert_int_equal(drop_sum(DROP_IKE_PUZZLE), 17);
	gate_stop();
}

TEST(a_cookie_from_before_the_puzzles_does_not_pass_for_a_solution)
{
	struct answer a;
	uint8_t msg[700];

	gate_start(IKE_GATE_COOKIE, 0, 0);
	assert_int_equal(judge(msg, init_msg(msg, sizeof(msg), 1, no_cookie)),
			 IKE_GATE_ANSWER);
	a = answer();
	want = (struct ike_gate_want){ IKE_GATE_PUZZLE, 9, 0 };
	ike_gate_set(g, &want);
	a.puzzle.prf = IKE_PRF_HMAC_SHA2_256;
	assert_int_equal(judge(msg, request(msg, sizeof(msg), &a, 9)),
			 IKE_GATE_ANSWER);
	assert_true(answer().has_puzzle);
	gate_stop();
}

TEST(what_the_cookie_says_of_the_puzzle_cannot_be_changed)
{
	struct answer a, b;
	uint8_t msg[700];

	gate_start(IKE_GATE_PUZZLE, 12, 0);
	assert_int_equal(judge(msg, init_msg(msg, sizeof(msg), 1, no_cookie)),
			 IKE_GATE_ANSWER);
	a = answer();
	for (size_t i = 0; i < a.cookie_len; i++) {
		b = a;
		b.cookie[i] ^= 1;
		assert_int_equal(judge(msg, request(msg, sizeof(msg), &b, 0)),
				 IKE_GATE_ANSWER);
	}
	assert_int_equal(drop_sum(DROP_IKE_COOKIE), a.cookie_len);
	gate_stop();
}

TEST(what_was_solved_is_good_until_much_more_is_asked)
{
	struct answer a;
	uint8_t msg[700];
	size_t n;

	gate_start(IKE_GATE_PUZZLE, 9, 0);
	assert_int_equal(judge(msg, init_msg(msg, sizeof(msg), 1, no_cookie)),
			 IKE_GATE_ANSWER);
	a = answer();
	n = request(msg, sizeof(msg), &a, 9);
	want.bits = 11;
	ike_gate_set(g, &want);
	assert_int_equal(judge(msg, n), IKE_GATE_ADMIT);
	want.bits = 20;
	ike_gate_set(g, &want);
	assert_int_equal(judge(msg, n), IKE_GATE_ANSWER);
	/* the second one is the last: its difficulty was ours */
	want.bits = 9;
	ike_gate_set(g, &want);
	assert_int_equal(judge(msg, init_msg(msg, sizeof(msg), 1, no_cookie)),
			 IKE_GATE_ANSWER);
	a = answer();
	n = request(msg, sizeof(msg), &a, 9);
	want.bits = 13;
	ike_gate_set(g, &want);
	assert_int_equal(judge(msg, n), IKE_GATE_ANSWER);
	a = answer();
	assert_int_equal(a.puzzle.bits, 13);
	n = request(msg, sizeof(msg), &a, 13);
	want.bits = 22;
	ike_gate_set(g, &want);
	assert_int_equal(judge(msg, n), IKE_GATE_ADMIT);
	gate_stop();
}

TEST(where_the_choice_is_free_little_work_is_no_ticket)
{
	struct answer a;
	uint8_t msg[700];

	gate_start(IKE_GATE_PUZZLE, 0, 0);
	assert_int_equal(judge(msg, init_msg(msg, sizeof(msg), 1, no_cookie)),
			 IKE_GATE_ANSWER);
	a = answer();
	assert_true(a.has_puzzle);
	assert_int_equal(a.puzzle.bits, 0);
	assert_int_equal(judge(msg, request(msg, sizeof(msg), &a, 14)),
			 IKE_GATE_ADMIT);
	assert_true(proof.has_solved);
	/* too little: another one; and too little again: by chance only */
	assert_int_equal(judge(msg, request(msg, sizeof(msg), &a, 1)),
			 IKE_GATE_ANSWER);
	a = answer();
	assert_int_equal(judge(msg, request(msg, sizeof(msg), &a, 1)),
			 IKE_GATE_DROP);
	gate_stop();
}

TEST(some_without_solution_are_let_in_and_repeating_helps_nobody)
{
	unsigned n_in = 0;
	struct answer a;
	uint8_t msg[700];

	gate_start(IKE_GATE_PUZZLE, 9, 25);
	for (unsigned i = 0; i < 400; i++) {
		enum ike_gate_verdict v;
		size_t n;

		there.ip.b[2] = (uint8_t)i;
		there.ip.b[1] = (uint8_t)(i >> 8);
		assert_int_equal(judge(msg, init_msg(msg, sizeof(msg), 1,
						     no_cookie)),
				 IKE_GATE_ANSWER);
		a = answer();
		n = request(msg, sizeof(msg), &a, 0);
		v = judge(msg, n);
		n_in += v == IKE_GATE_ADMIT;
		assert_false(proof.has_solved);
		for (unsigned k = 0; k < 20; k++)
			assert_int_equal(judge(msg, n), v);
	}
	/* 100 +- 5 sigma */
	assert_in_range(n_in, 57, 143);
	gate_stop();
}

TEST(cookies_differ_each_second_and_end)
{
	struct answer a, b;
	uint8_t msg[700], plain[700];
	size_t n, n_plain = init_msg(plain, sizeof(plain), 1, no_cookie);

	gate_start(IKE_GATE_COOKIE, 0, 0);
	assert_int_equal(judge(plain, n_plain), IKE_GATE_ANSWER);
	a = answer();
	now += 1000;
	assert_int_equal(judge(plain, n_plain), IKE_GATE_ANSWER);
	b = answer();
	assert_memory_not_equal(a.cookie, b.cookie, a.cookie_len);
	n = request(msg, sizeof(msg), &a, 0);
	now += IKE_GATE_MS - 1000;
	assert_int_equal(judge(msg, n), IKE_GATE_ADMIT);
	now += IKE_GATE_MS;
	assert_int_equal(judge(msg, n), IKE_GATE_ANSWER);
	/* nor after as many periods as the byte for them can count */
	now += 254 * (uint64_t)IKE_GATE_MS;
	assert_int_equal(judge(msg, n), IKE_GATE_ANSWER);
	now += IKE_GATE_MS;
	assert_int_equal(judge(msg, n), IKE_GATE_ANSWER);
	gate_stop();
}

TEST(no_answer_is_longer_than_the_request)
{
	uint8_t msg[700];

	gate_start(IKE_GATE_PUZZLE, 9, 0);
	/* a header, an SA of one byte and a short nonce */
	init_msg(msg, sizeof(msg), 1, no_cookie);
	memset(msg + 28, 0, 32);
	msg[16] = IKE_PL_SA;
	msg[28] = IKE_PL_NONCE;
	msg[31] = 5;
	msg[33 + 3] = 20;
	be32_put(msg + 24, 28 + 5 + 20);
	assert_int_equal(judge(msg, 28 + 5 + 20), IKE_GATE_DROP);
	assert_int_equal(drop_sum(DROP_IKE_RATE), 1);
	gate_stop();
}

TEST(what_is_no_request_is_dropped_with_a_name)
{
	uint8_t msg[700], bad[700];
	size_t n;

	gate_start(IKE_GATE_COOKIE, 0, 0);
	n = init_msg(msg, sizeof(msg), 1, no_cookie);
	assert_true(ike_gate_is_mine((struct view){ msg, n }));
	assert_false(ike_gate_is_mine((struct view){ msg, 19 }));
	for (size_t len = 0; len < n; len++) {
		memcpy(bad, msg, n);
		if (len >= 28)
			be32_put(bad + 24, (uint32_t)len);
		assert_int_not_equal(judge(bad, len), IKE_GATE_ADMIT);
	}
	memcpy(bad, msg, n);
	bad[15] = 1;		/* SPIr */
	assert_int_equal(judge(bad, n), IKE_GATE_DROP);
	bad[15] = 0;
	bad[23] = 1;		/* message id */
	assert_int_equal(judge(bad, n), IKE_GATE_DROP);
	bad[23] = 0;
	bad[19] = 0x28;		/* a response */
	assert_false(ike_gate_is_mine((struct view){ bad, n }));
	assert_int_equal(judge(bad, n), IKE_GATE_DROP);
	assert_int_equal(drop_sum(DROP_IKE_EXCH), 3);
	bad[19] = 0x08;
	bad[17] = 0x30;		/* version 3 */
	assert_int_equal(judge(bad, n), IKE_GATE_DROP);
	assert_int_equal(drop_sum(DROP_IKE_VERSION), 1);
	gate_stop();
}

/* ---- with an engine behind it -------------------------------------------- */

static void
proven(uint64_t ispi, const struct ike_proof *p)
{
	uint8_t msg[700];
	size_t n = init_msg(msg, sizeof(msg), ispi, no_cookie);

	ike_input_proven(ike, &here, &there, false, (struct view){ msg, n }, p,
			 now);
	jobs();
}

TEST(one_solution_makes_one_half_open_sa)
{
	struct ike_proof p = { true, true, 0x1234567890abcdef };

	start(0, 100);
	proven(1, &p);
	assert_int_equal(stats().n_halfopen, 1);
	ike_sa_kill(CONTAINER_OF(ike->sas.next, struct ike_sa, node), NULL);
	ike_tick(ike, now);
	proven(1, &p);
	assert_int_equal(stats().n_halfopen, 0);
	assert_int_equal(drop_sum(DROP_IKE_PUZZLE), 1);
	p.tag++;
	proven(1, &p);
	assert_int_equal(stats().n_halfopen, 1);
	stop();
}

/* Our answer was lost, then cookies were asked: the same request with a cookie
 * must not be taken for a changed repeat. */
TEST(a_request_with_a_cookie_takes_the_place_of_one_without)
{
	struct ike_proof p = { .has_cookie = true, .tag = 5 };
	struct ike_sa *first;

	start(100, 100);
	proven(1, &(struct ike_proof){ .has_cookie = false });
	first = CONTAINER_OF(ike->sas.next, struct ike_sa, node);
	assert_int_equal(stats().n_halfopen, 1);
	proven(1, &p);		/* another KE: other bytes */
	assert_int_equal(stats().n_halfopen, 1);
	assert_int_equal(n_sent, 2);
	/* who has shown a cookie is not replaced by the next who has */
	first = CONTAINER_OF(ike->sas.next, struct ike_sa, node);
	proven(1, &p);
	assert_ptr_equal(first, CONTAINER_OF(ike->sas.next, struct ike_sa,
					     node));
	assert_int_equal(drop_sum(DROP_IKE_REPEAT), 1);
	stop();
}

TEST(a_rush_of_one_source_makes_everybody_show_a_cookie)
{
	start(1000, 1000);
	for (uint64_t i = 1; i <= IKE_COOKIE_PER_SRC + IKE_RUSH_PER_S; i++)
		proven(i, &(struct ike_proof){ .has_cookie = false });
	assert_int_equal(stats().n_halfopen, IKE_COOKIE_PER_SRC);
	assert_int_equal(stats().level, IKE_GATE_COOKIE);
	there.ip.b[1]++;
	proven(9999, &(struct ike_proof){ .has_cookie = false });
	assert_int_equal(stats().n_halfopen, IKE_COOKIE_PER_SRC);
	now += IKE_RUSH_MS + 2 * IKE_DOOR_MS;
	ike_tick(ike, now);
	assert_int_equal(stats().level, IKE_GATE_OPEN);
	assert_int_equal(stats().n_attack, 1);
	stop();
}

TEST(a_threshold_of_zero_alone_is_no_attack)
{
	start(0, 1000);
	proven(1, &(struct ike_proof){ .has_cookie = true, .tag = 5 });
	assert_int_equal(stats().level, IKE_GATE_COOKIE);
	assert_int_equal(stats().n_attack, 0);
	assert_int_equal(stats().level_ms, 0);
	for (uint64_t i = 2; i <= IKE_RUSH_PER_S + 2; i++)
		proven(i, &(struct ike_proof){ .has_cookie = false });
	assert_int_equal(stats().n_attack, 1);
	assert_true(stats().level_ms != 0);
	now += IKE_RUSH_MS + 2 * IKE_DOOR_MS;
	ike_tick(ike, now);
	assert_int_equal(stats().level, IKE_GATE_COOKIE);
	assert_int_equal(stats().level_ms, 0);
	stop();
}

TEST(a_64_is_one_source_and_a_48_a_network)
{
	start(1000, 1000);
	assert_int_equal(net_ep_parse("[2001:db8::1]:500", &there), 0);
	for (unsigned i = 0; i < 10; i++) {
		there.ip.b[15] = (uint8_t)i;
		proven(i + 1, &(struct ike_proof){ .has_cookie = false });
	}
	assert_int_equal(stats().n_halfopen, IKE_COOKIE_PER_SRC);
	stop();
	start(1000, 1000);
	assert_int_equal(net_ep_parse("[2001:db8::1]:500", &there), 0);
	for (unsigned i = 0; i < 40; i++) {
		there.ip.b[7] = (uint8_t)i;	/* 40 /64 of one /48 */
		proven(i + 1, &(struct ike_proof){ .has_cookie = false });
	}
	assert_int_equal(stats().n_halfopen, IKE_COOKIE_PER_NET);
	stop();
}

TEST(addresses_of_one_24_are_counted_apart_and_together)
{
	start(1000, 1000);
	for (unsigned i = 0; i < 60; i++) {
		there.ip.b[3] = (uint8_t)(i % 20);
		proven(i + 1, &(struct ike_proof){ .has_cookie = false });
	}
	assert_int_equal(stats().n_halfopen, IKE_COOKIE_PER_NET);
	stop();
}
