/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_engine.c - one engine against hand-made datagrams: headers,
 * cookies, half-open bounds, repeats.  Whole stories are in test/sim/.
 */
#include "test/unit/ikev2/engine_help.h"

/* The shortest request that can be answered: one proposal, 16 byte nonce; and a
 * payload behind it, critical but for a vendor id. */
static size_t
short_init_prf(uint8_t *buf, size_t cap, uint8_t extra_type, enum spi_hash prf)
{
	struct ike_hdr h = { .ispi = 77, .xchg = IKE_XCHG_IKE_SA_INIT,
			     .is_initiator = true };
	struct ike_choice ch = { .ike = { .encr = SPI_CIPHER_AES_GCM_256,
		.prf = prf, .group = SPI_GROUP_X25519 },
		.prop_num = 1 };
	struct ike_ke ke = { .group = IKE_KE_CURVE25519 };
	static const uint8_t nonce[16] = { 9 };
	static const uint8_t value[32] = { 9 };
	struct ike_props props;
	struct ike_build b;
	struct arena a;
	struct view out;

	arena_init(&a, 1 << 16);
	assert_int_equal(ike_prop_answer_ike(&a, &ch, (struct view){ NULL, 0 },
					     &props), 0);
	ke.data = (struct view){ value, sizeof(value) };
	ike_build_init(&b, buf, cap, &h);
	ike_build_begin(&b, IKE_PL_SA, false);
	enc_sa(&b.w, &props);
	ike_build_end(&b);
	ike_build_begin(&b, IKE_PL_KE, false);
	enc_ke(&b.w, &ke);
	ike_build_end(&b);
	ike_build_begin(&b, IKE_PL_NONCE, false);
	enc_nonce(&b.w, (struct view){ nonce, sizeof(nonce) });
	ike_build_end(&b);
	if (extra_type != 0) {
		ike_build_begin(&b, extra_type, extra_type != IKE_PL_V);
		wcur_zero(&b.w, extra_type == IKE_PL_V ? 40 : 4);
		ike_build_end(&b);
	}
	assert_int_equal(ike_build_finish(&b, &out), 0);
	arena_fini(&a);
	return out.len;
}

static size_t
short_init_msg(uint8_t *buf, size_t cap, uint8_t extra_type)
{
	return short_init_prf(buf, cap, extra_type, SPI_HASH_SHA256);
}

/* 2.10: 16 bytes are too few for this PRF.  The peer may be wrong, we are not;
 * nor do we answer with more than it sent. */
TEST(our_nonce_has_half_of_the_prf_key_whatever_the_peer_sends)
{
	uint8_t msg[600];
	size_t n, i;

	start(100, 100);
	n = short_init_prf(msg, sizeof(msg), IKE_PL_V, SPI_HASH_SHA512);
	input(msg, n);
	jobs();
	assert_int_equal(n_sent, 1);
	assert_in_range(sent_len, 1, n);
	for (i = 28; sent[i] != IKE_PL_NONCE; i += be16_get(sent + i + 2))
		assert_true(i < sent_len);
	i += be16_get(sent + i + 2);
	assert_int_equal(be16_get(sent + i + 2), 4 + 32);
	stop();
	start(100, 100);
	n = short_init_prf(msg, sizeof(msg), 0, SPI_HASH_SHA512);
	input(msg, n);
	jobs();
	assert_int_equal(n_sent, 0);
	stop();
}

TEST(the_answer_to_init_is_not_longer_than_the_request)
{
	uint8_t msg[600];
	size_t n;

	start(100, 100);
	n = short_init_msg(msg, sizeof(msg), 0);
	input(msg, n);
	jobs();
	assert_int_equal(n_sent, 1);
	assert_int_equal(sent[18], IKE_XCHG_IKE_SA_INIT);
	assert_int_equal(sent[16], IKE_PL_SA);
	assert_in_range(sent_len, 1, n);
	stop();
}

TEST(an_unknown_critical_payload_of_init_is_told)
{
	uint8_t msg[600];
	size_t n;

	start(100, 100);
	n = short_init_msg(msg, sizeof(msg), 200);
	input(msg, n);
	assert_int_equal(n_job, 0);
	assert_int_equal(n_sent, 1);
	assert_int_equal(be16_get(sent + 34),
			 IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD);
	assert_int_equal(sent_len, 37);
	assert_int_equal(sent[36], 200);
	assert_int_equal(drop_sum(DROP_IKE_CRITICAL), 1);
	stop();
}

TEST(one_source_gets_a_part_of_the_table_even_with_cookies)
{
	uint8_t msg[600], cbuf[64];

	start(0, 40);
	for (uint64_t i = 1; i <= 20; i++) {
		size_t n = init_msg(msg, sizeof(msg), i,
				    (struct view){ NULL, 0 });

		input(msg, n);
		memcpy(cbuf, sent + 36, sent_len - 36);
		n = init_msg(msg, sizeof(msg), i,
			     (struct view){ cbuf, sent_len - 36 });
		input(msg, n);
		jobs();
	}
	assert_int_equal(stats().n_halfopen, 40 / IKE_HALFOPEN_PARTS);
	assert_int_equal(drop_sum(DROP_IKE_HALFOPEN), 20 - 40 /
			 IKE_HALFOPEN_PARTS);
	stop();
}

TEST(half_open_sas_wait_less_the_fuller_the_table_is)
{
	uint8_t msg[600];
	size_t n;

	start(100, 40);
	for (unsigned i = 1; i <= 39; i++) {
		there.ip.b[2] = (uint8_t)i;
		n = init_msg(msg, sizeof(msg), i, (struct view){ NULL, 0 });
		input(msg, n);
		jobs();
	}
	assert_int_equal(stats().n_halfopen, 39);
	now += 3000;
	ike_tick(ike, now);
	assert_in_range(stats().n_halfopen, 36, 38);
	now += IKE_HALFOPEN_MS;
	ike_tick(ike, now);
	assert_int_equal(stats().n_halfopen, 0);
	stop();
}

TEST(cookies_stop_at_half_of_the_threshold_only)
{
	uint8_t msg[600];
	unsigned i;
	size_t n;

	start(4, 100);
	for (i = 1; i <= 5; i++) {
		there.ip.b[2] = (uint8_t)i;
		n = init_msg(msg, sizeof(msg), i, (struct view){ NULL, 0 });
		input(msg, n);
		jobs();
	}
	assert_int_equal(stats().n_halfopen, 4);
	assert_int_equal(stats().n_cookie_asked, 1);
	/* one of them ends: three are left, and cookies are asked still */
	ike_sa_kill(CONTAINER_OF(ike->sas.next, struct ike_sa, node), NULL);
	input(msg, n);
	assert_int_equal(stats().n_cookie_asked, 2);
	ike_sa_kill(CONTAINER_OF(ike->sas.next, struct ike_sa, node), NULL);
	input(msg, n);
	assert_int_equal(stats().n_cookie_asked, 2);
	assert_int_equal(stats().n_halfopen, 3);
	stop();
}

TEST(an_overlong_init_request_is_not_kept)
{
	uint8_t msg[IKE_INIT_REQ_MAX + 200];
	size_t n, pad = IKE_INIT_REQ_MAX;

	start(100, 100);
	n = short_init_msg(msg, sizeof(msg), 200);
	/* the last payload of 8 bytes becomes a long vendor id */
	msg[n - 8 - 20] = IKE_PL_V;
	msg[n - 7] = 0;
	be16_put(msg + n - 6, (uint16_t)(pad - n + 8));
	memset(msg + n, 1, pad - n);
	be32_put(msg + 24, (uint32_t)pad);
	input(msg, pad);
	assert_int_equal(n_job, 1);
	jobs();
	ike_sa_kill(CONTAINER_OF(ike->sas.next, struct ike_sa, node), NULL);
	be16_put(msg + n - 6, (uint16_t)(pad + 1 - n + 8));
	be32_put(msg + 24, (uint32_t)pad + 1);
	input(msg, pad + 1);
	assert_int_equal(n_job, 0);
	assert_int_equal(drop_sum(DROP_IKE_LONG), 1);
	stop();
}

TEST(runts_and_wrong_lengths_are_dropped_with_a_name)
{
	uint8_t msg[600];
	size_t n;

	start(100, 100);
	n = init_msg(msg, sizeof(msg), 1, (struct view){ NULL, 0 });
	for (size_t i = 0; i < n; i++)
		input(msg, i);
	assert_int_equal(drop_sum(DROP_IKE_RUNT), n);
	input(msg, n + 1);
	assert_int_equal(drop_sum(DROP_IKE_LONG), 1);
	assert_int_equal(n_sent, 0);
	assert_int_equal(ike->n_sa, 0);
	stop();
}

TEST(a_higher_version_is_told_so_and_a_lower_one_is_not)
{
	uint8_t msg[600];
	size_t n;

	start(100, 100);
	n = init_msg(msg, sizeof(msg), 1, (struct view){ NULL, 0 });
	msg[17] = 0x10;
	input(msg, n);
	assert_int_equal(n_sent, 0);
	msg[17] = 0x30;
	input(msg, n);
	assert_int_equal(n_sent, 1);
	assert_int_equal(be16_get(sent + 34), IKE_N_INVALID_MAJOR_VERSION);
	assert_int_equal(drop_sum(DROP_IKE_VERSION), 2);
	stop();
}

TEST(roles_ids_and_spis_of_init_are_fixed)
{
	uint8_t msg[600];
	size_t n;

	start(100, 100);
	n = init_msg(msg, sizeof(msg), 1, (struct view){ NULL, 0 });
	msg[23] = 1;			/* message id */
	input(msg, n);
	msg[23] = 0;
	msg[15] = 1;			/* responder's SPI */
	input(msg, n);
	msg[15] = 0;
	msg[19] = 0;			/* not from an initiator */
	input(msg, n);
	msg[19] = 0x28;			/* a response of an initiator */
	input(msg, n);
	assert_int_equal(drop_sum(DROP_IKE_EXCH), 4);
	assert_int_equal(ike->n_sa, 0);
	assert_int_equal(n_sent, 0);
	stop();
}

TEST(unknown_spis_are_answered_at_a_bounded_rate)
{
	uint8_t msg[36] = { 1 };

	start(100, 100);
	msg[17] = 0x20;
	msg[18] = IKE_XCHG_INFORMATIONAL;
	msg[19] = 0x08;
	msg[27] = 36;
	for (unsigned i = 0; i < 100; i++)
		input(msg, 36);
	assert_int_equal(drop_sum(DROP_IKE_SPI), 100);
	assert_int_equal(sent_len, 36);
	assert_int_equal(n_sent, IKE_UNPROT_PER_S);
	assert_int_equal(be16_get(sent + 34), IKE_N_INVALID_IKE_SPI);
	assert_int_equal(drop_sum(DROP_IKE_RATE), 100 - IKE_UNPROT_PER_S);
	msg[19] = 0x28;			/* a response is never answered */
	now += 1000;
	input(msg, 36);
	assert_int_equal(n_sent, IKE_UNPROT_PER_S);
	stop();
}

TEST(a_stranger_never_gets_more_than_it_sent)
{
	uint8_t msg[600] = { 1 };

	start(100, 100);
	msg[17] = 0x20;
	msg[18] = IKE_XCHG_INFORMATIONAL;
	msg[19] = 0x08;
	for (uint8_t len = 28; len < 36; len++) {
		msg[27] = len;
		input(msg, len);	/* INVALID_IKE_SPI would be longer */
		msg[17] = 0x30;
		input(msg, len);	/* so would INVALID_MAJOR_VERSION */
		msg[17] = 0x20;
	}
	assert_int_equal(n_sent, 0);
	assert_int_equal(drop_sum(DROP_IKE_RATE), 16);
	stop();
}

TEST(an_init_request_is_answered_and_repeated_at_most_eight_times)
{
	uint8_t msg[600], first[600];
	size_t n, first_len;

	start(100, 100);
	n = init_msg(msg, sizeof(msg), 1, (struct view){ NULL, 0 });
	input(msg, n);
	input(msg, n);			/* while the key is being made */
	assert_int_equal(drop_sum(DROP_IKE_BUSY), 1);
	jobs();
	assert_int_equal(n_sent, 1);
	memcpy(first, sent, first_len = sent_len);
	for (unsigned i = 0; i < 20; i++)
		input(msg, n);
	assert_int_equal(n_sent, 1 + IKE_RESEND_MAX);
	assert_int_equal(sent_len, first_len);
	assert_memory_equal(sent, first, first_len);
	assert_int_equal(ike->n_sa, 1);
	/* other content under the same SPI */
	msg[n - 1] ^= 1;
	input(msg, n);
	assert_int_equal(n_sent, 1 + IKE_RESEND_MAX);
	assert_int_equal(drop_sum(DROP_IKE_REPEAT), 20 - IKE_RESEND_MAX + 1);
	stop();
}

TEST(half_open_sas_end_by_themselves)
{
	uint8_t msg[600];
	size_t n;

	start(100, 100);
	n = init_msg(msg, sizeof(msg), 1, (struct view){ NULL, 0 });
	input(msg, n);
	jobs();
	assert_int_equal(stats().n_halfopen, 1);
	now += IKE_HALFOPEN_MS;
	ike_tick(ike, now);
	assert_int_equal(stats().n_halfopen, 0);
	assert_int_equal(ike->n_sa, 0);
	stop();
}

TEST(one_source_is_asked_for_a_cookie_after_three_half_open_sas)
{
	uint8_t msg[600];

	start(100, 100);
	for (uint64_t i = 1; i <= 5; i++) {
		size_t n = init_msg(msg, sizeof(msg), i,
				    (struct view){ NULL, 0 });

		input(msg, n);
		jobs();
	}
	assert_int_equal(stats().n_halfopen, IKE_COOKIE_PER_SRC);
	assert_int_equal(stats().n_cookie_asked, 2);
	stop();
}

/* The cookie of the last answer. */
static struct view
asked_cookie(uint8_t *buf)
{
	assert_int_equal(be16_get(sent + 34), IKE_N_COOKIE);
	memcpy(buf, sent + 36, sent_len - 36);
	return (struct view){ buf, sent_len - 36 };
}

TEST(a_cookie_lets_in_and_every_wrong_one_does_not)
{
	uint8_t msg[600], cbuf[64], bad[64];
	struct view c, w;
	size_t n;

	start(0, 100);
	n = init_msg(msg, sizeof(msg), 1, (struct view){ NULL, 0 });
	input(msg, n);
	assert_int_equal(ike->n_sa, 0);
	assert_true(sent_len < n);	/* no amplification */
	c = asked_cookie(cbuf);
	for (size_t i = 0; i < c.len; i++) {
		memcpy(bad, c.p, c.len);
		bad[i] ^= 1;
		w = (struct view){ bad, c.len };
		n = init_msg(msg, sizeof(msg), 1, w);
		input(msg, n);
	}
	for (size_t len = 1; len < c.len; len++) {
		n = init_msg(msg, sizeof(msg), 1, (struct view){ c.p, len });
		input(msg, n);
	}
	/* right cookie, other SPI; other source */
	n = init_msg(msg, sizeof(msg), 2, c);
	input(msg, n);
	n = init_msg(msg, sizeof(msg), 1, c);
	there.ip.b[3]++;
	input(msg, n);
	there.ip.b[3]--;
	assert_int_equal(ike->n_sa, 0);
	assert_int_equal(drop_sum(DROP_IKE_COOKIE), 2 * c.len - 1 + 2);
	input(msg, n);
	jobs();
	assert_int_equal(stats().n_halfopen, 1);
	stop();
}

TEST(a_cookie_is_good_for_the_next_minute_but_not_for_ever)
{
	uint8_t msg[600], cbuf[64], c2buf[64];
	struct view c, c2;
	size_t n;

	start(0, 100);
	n = init_msg(msg, sizeof(msg), 1, (struct view){ NULL, 0 });
	input(msg, n);
	c = asked_cookie(cbuf);
	now += IKE_COOKIE_MS;
	n = init_msg(msg, sizeof(msg), 1, c);
	input(msg, n);
	jobs();
	assert_int_equal(stats().n_halfopen, 1);
	now += IKE_COOKIE_MS;
	n = init_msg(msg, sizeof(msg), 5, (struct view){ NULL, 0 });
	input(msg, n);
	c2 = asked_cookie(c2buf);
	now += 2 * IKE_COOKIE_MS;
	n = init_msg(msg, sizeof(msg), 5, c2);
	input(msg, n);
	assert_int_equal(drop_sum(DROP_IKE_COOKIE), 1);
	stop();
}

TEST(the_half_open_table_is_bounded)
{
	uint8_t msg[600], cbuf[64];
	struct view c;
	size_t n;

	start(0, 4);
	for (unsigned i = 1; i <= 6; i++) {
		there.ip.b[2] = (uint8_t)i;
		n = init_msg(msg, sizeof(msg), i, (struct view){ NULL, 0 });
		input(msg, n);
		c = asked_cookie(cbuf);
		n = init_msg(msg, sizeof(msg), i, c);
		input(msg, n);
		jobs();
		if (i > 4)
			continue;
		assert_int_equal(stats().n_halfopen, i);
	}
	assert_int_equal(stats().n_halfopen, 4);
	assert_int_equal(drop_sum(DROP_IKE_HALFOPEN), 2);
	stop();
}

TEST(forged_ike_auth_keeps_the_half_open_sa_and_its_keys)
{
	uint8_t msg[600], auth[120] = { 0 };
	struct ike_keys *keys;
	struct ike_sa *sa;
	size_t n;

	start(100, 100);
	n = init_msg(msg, sizeof(msg), 1, (struct view){ NULL, 0 });
	input(msg, n);
	jobs();
	memcpy(auth, sent, 16);
	auth[16] = IKE_PL_SK;
	auth[17] = 0x20;
	auth[18] = IKE_XCHG_IKE_AUTH;
	auth[19] = 0x08;
	auth[23] = 1;
	auth[27] = sizeof(auth);
	auth[28] = IKE_PL_IDI;
	auth[31] = sizeof(auth) - 28;
	sa = ike_sa_by_spi(ike, be64_get(auth + 8));
	assert_non_null(sa);
	input(auth, sizeof(auth));
	assert_int_equal(n_job, 1);	/* the secret, once */
	input(auth, sizeof(auth));	/* meanwhile: busy */
	jobs();
	keys = sa->keys;
	assert_non_null(keys);
	for (unsigned i = 0; i < 50; i++) {
		auth[40 + i] ^= 1;
		input(auth, sizeof(auth));
		assert_int_equal(n_job, 0);
	}
	assert_int_equal(drop_sum(DROP_IKE_ICV), 51);
	assert_int_equal(drop_sum(DROP_IKE_BUSY), 1);
	assert_ptr_equal(sa->keys, keys);
	assert_int_equal(sa->state, IKE_SA_INIT_R);
	assert_int_equal(stats().n_halfopen, 1);
	/* fragments are counted apart */
	auth[16] = IKE_PL_SKF;
	input(auth, sizeof(auth));
	assert_int_equal(drop_sum(DROP_IKE_FRAG), 1);
	/* nothing else is possible yet */
	auth[16] = IKE_PL_SK;
	auth[18] = IKE_XCHG_CREATE_CHILD_SA;
	input(auth, sizeof(auth));
	auth[18] = IKE_XCHG_INFORMATIONAL;
	input(auth, sizeof(auth));
	assert_int_equal(drop_sum(DROP_IKE_EXCH), 2);
	stop();
}

TEST(an_invalid_key_exchange_value_never_gives_keys)
{
	uint8_t msg[600], auth[120] = { 0 };
	struct ike_sa *sa;
	size_t n;

	start(100, 100);
	n = init_msg(msg, sizeof(msg), 1, (struct view){ NULL, 0 });
	/* the last 36 bytes are the nonce; 32 before it the X25519 value */
	memset(msg + n - 36 - 32, 0, 32);
	input(msg, n);
	jobs();
	memcpy(auth, sent, 16);
	auth[16] = IKE_PL_SK;
	auth[17] = 0x20;
	auth[18] = IKE_XCHG_IKE_AUTH;
	auth[19] = 0x08;
	auth[23] = 1;
	auth[27] = sizeof(auth);
	auth[28] = IKE_PL_IDI;
	auth[31] = sizeof(auth) - 28;
	input(auth, sizeof(auth));
	jobs();
	sa = ike_sa_by_spi(ike, be64_get(auth + 8));
	assert_non_null(sa);
	assert_null(sa->keys);
	assert_int_equal(drop_sum(DROP_IKE_KE), 1);
	input(auth, sizeof(auth));
	assert_int_equal(n_job, 0);
	stop();
}

TEST(an_answer_to_no_question_does_not_stand_for_a_key_exchange)
{
	uint8_t msg[600];
	struct ike_ans ans = { .err = 0 };
	struct ike_sa *sa;
	size_t n;

	start(100, 100);
	n = init_msg(msg, sizeof(msg), 1, (struct view){ NULL, 0 });
	input(msg, n);
	sa = CONTAINER_OF(ike->sas.next, struct ike_sa, node);
	assert_non_null(sa->parked);
	ans.handle = sa->handle;
	ans.ticket = sa->park_ticket;
	ike_answer(ike, &ans, now);
	assert_int_equal(n_sent, 0);
	assert_non_null(sa->parked);
	jobs();
	assert_int_equal(n_sent, 1);
	stop();
}

TEST(random_bytes_change_nothing)
{
	uint8_t msg[300];
	struct rng_det r;

	start(100, 100);
	rng_det_init(&r, test_seed());
	for (unsigned i = 0; i < 20000; i++) {
		size_t n = 28 + rng_det_u64(&r) % (sizeof(msg) - 28);

		assert_int_equal(rng_det_source(&r, msg, n), 0);
		msg[17] = 0x20;
		msg[18] = (uint8_t)(34 + rng_det_u64(&r) % 4);
		be32_put(msg + 24, (uint32_t)n);
		input(msg, n);
	}
	assert_int_equal(ike->n_sa, 0);
	stop();
}

TEST(commands_for_unknown_links_are_refused)
{
	start(100, 100);
	assert_int_equal(ike_up(ike, 7, 0, now), ERR_NOTFOUND);
	assert_int_equal(ike_down(ike, 0, 99, now), ERR_NOTFOUND);
	assert_int_equal(ike_rekey(ike, 99, true, now), ERR_NOTFOUND);
	assert_int_equal(ike_rekey(ike, 1, true, now), ERR_STATE);
	/* a passive peer without an address cannot be dialled */
	assert_int_equal(ike_up(ike, 0, 0, now), ERR_STATE);
	ike_child_expire(ike, 4711, true, now);
	ike_child_moved(ike, 4711, &there, now);
	stop();
}
