/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_frag.c - messages in fragments (RFC 7383): cutting, and
 * putting together what a peer may send in any order and number.
 */
#include "test/unit/ikev2/engine_help.h"

#include <stdlib.h>

#include "daemon/base/secret.h"
#include "ikev2/step/step.h"

#define TEXT 1500

static struct ike_sa *sa;

/* An SA with keys whose two directions are the same, so that it opens what it
 * sealed. */
static void
begin(void)
{
	start(100, 100);
	sa = ike_sa_new(ike, true);
	assert_non_null(sa);
	sa->rspi = 77;
	sa->remote = there;
	sa->suite = (struct ike_suite){ .encr = SPI_CIPHER_AES_GCM_256,
		.prf = SPI_HASH_SHA384, .group = SPI_GROUP_X25519 };
	sa->keys = secret_alloc(sizeof(*sa->keys));
	assert_non_null(sa->keys);
	memset(sa->keys, 0x2b, sizeof(*sa->keys));
	sa->has_frag = true;
	sa->frag_bytes = 576;
}

static void
end(void)
{
	ike_sa_kill(sa, NULL);
	assert_int_equal(ike->frag_held, 0);
	stop();
}

static struct ike_plain
plain(size_t len)
{
	struct ike_plain p = { .h = { .ispi = sa->ispi, .rspi = sa->rspi,
		.next = IKE_PL_SKF, .major = 2, .xchg = IKE_XCHG_IKE_AUTH,
		.is_initiator = true, .msgid = 1 }, .first = IKE_PL_IDI,
		.len = len };

	p.text = malloc(len);
	assert_non_null(p.text);
	for (size_t i = 0; i < len; i++)
		p.text[i] = (uint8_t)(i * 7);
	return p;
}

static struct ike_msg *
fragment(uint16_t num, uint16_t total)
{
	struct ike_msg *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->ike = ike;
	m->h.msgid = 1;
	m->h.xchg = IKE_XCHG_IKE_AUTH;
	m->frag.frag_num = num;
	m->frag.frag_total = total;
	m->clear.sk_first = num == 1 ? IKE_PL_IDI : IKE_PL_NONE;
	arena_init(&m->arena, IKE_ARENA_MAX);
	return m;
}

/* Give a fragment with this text; ERR_EXISTS: not admitted. */
static int
give(uint16_t num, uint16_t total, const char *text)
{
	struct ike_msg *m = fragment(num, total);
	struct view v = { (const uint8_t *)text, strlen(text) };
	int err = ERR_EXISTS;

	if (ike_frag_admits(sa, m)) {
		err = ike_frag_take(sa, m, &v);
		if (err == 0) {
			assert_int_equal(v.len, m->whole_len);
			memcpy(sent, v.p, MIN(v.len, sizeof(sent)));
			sent_len = v.len;
			assert_int_equal(m->clear.sk_first, IKE_PL_IDI);
		}
	}
	ike_msg_free(m);
	return err;
}

TEST(no_datagram_is_larger_than_the_bound)
{
	static const struct {
		uint8_t family;
		bool natt;
		uint16_t bytes;
		size_t outer;
	} row[] = {
		{ 4, false, 576, 28 }, { 4, true, 576, 32 },
		{ 4, true, 1280, 32 }, { 6, false, 1280, 48 },
		{ 6, true, 1500, 52 }, { 4, false, 9216, 28 },
	};

	for (size_t i = 0; i < N_OF(row); i++)
		for (size_t n = 1; n < 4000; n += 97) {
			struct ike_plain p;
			struct view train;
			size_t at = 0, most = 0;

			begin();
			sa->remote.ip.family = row[i].family;
			sa->is_natt = row[i].natt;
			sa->frag_bytes = row[i].bytes;
			p = plain(n);
			assert_int_equal(ike_frag_cut(sa, &p, &train), 0);
			for (unsigned k = 0; k < p.n_frag; k++) {
				size_t len = be32_get(train.p + at + 24);

				assert_int_equal(be16_get(train.p + at + 32),
						 k + 1);
				assert_int_equal(be16_get(train.p + at + 34),
						 p.n_frag);
				assert_int_equal(train.p[at + 28], k == 0 ?
						 IKE_PL_IDI : IKE_PL_NONE);
				most = MAX(most, len);
				at += len;
			}
			assert_int_equal(at, train.len);
			assert_true(most + row[i].outer <= row[i].bytes);
			assert_int_equal(ike_frag_wanted(sa, n) && p.n_frag == 1,
					 false);
			ike_plain_free(&p);
			end();
		}
}

TEST(a_second_cut_has_more_fragments_or_is_none)
{
	struct ike_plain p;
	struct view train;
	unsigned n;

	begin();
	sa->frag_bytes = 1280;
	p = plain(TEXT);
	assert_int_equal(ike_frag_cut(sa, &p, &train), 0);
	n = p.n_frag;
	assert_int_equal(ike_frag_cut(sa, &p, &train), ERR_RANGE);
	assert_true(ike_frag_smaller(sa, &p, 0, &train));
	assert_int_equal(sa->frag_bytes, 576);
	assert_true(p.n_frag > n);
	assert_false(ike_frag_smaller(sa, &p, 0, &train));
	ike_plain_free(&p);
	end();
}

TEST(fragments_in_any_order_give_the_message)
{
	begin();
	assert_int_equal(give(3, 3, "cc"), ERR_AGAIN);
	assert_int_equal(give(1, 3, "a"), ERR_AGAIN);
	assert_int_equal(give(2, 3, "bbb"), 0);
	assert_int_equal(sent_len, 6);
	assert_memory_equal(sent, "abbbcc", 6);
	assert_null(sa->frags[0]);
	assert_int_equal(ike->frag_held, 0);
	end();
}

TEST(a_fragment_twice_is_a_replay)
{
	begin();
	assert_int_equal(give(2, 3, "b"), ERR_AGAIN);
	assert_int_equal(give(2, 3, "x"), ERR_EXISTS);
	assert_int_equal(give(1, 3, "a"), ERR_AGAIN);
	assert_int_equal(give(3, 3, "c"), 0);
	assert_memory_equal(sent, "abc", 3);
	end();
}

TEST(a_set_of_more_fragments_begins_anew_and_one_of_fewer_is_ignored)
{
	begin();
	assert_int_equal(give(1, 2, "old"), ERR_AGAIN);
	assert_int_equal(give(2, 3, "b"), ERR_AGAIN);
	assert_int_equal(give(2, 2, "old"), ERR_EXISTS);
	assert_int_equal(give(1, 3, "a"), ERR_AGAIN);
	assert_int_equal(give(3, 3, "c"), 0);
	assert_int_equal(sent_len, 3);
	assert_memory_equal(sent, "abc", 3);
	end();
}

TEST(an_incomplete_message_is_forgotten_in_time)
{
	begin();
	assert_int_equal(give(1, 3, "a"), ERR_AGAIN);
	ike->now_ms += IKE_FRAG_MS - 1;
	assert_int_equal(give(2, 3, "b"), ERR_AGAIN);
	ike->now_ms += IKE_FRAG_MS - 1;
	ike_frag_expire(sa);
	assert_non_null(sa->frags[0]);
	ike->now_ms++;
	assert_int_equal(give(3, 3, "c"), ERR_AGAIN);
	assert_int_equal(give(2, 3, "d"), ERR_AGAIN);
	assert_int_equal(give(1, 3, "e"), 0);
	assert_memory_equal(sent, "edc", 3);
	end();
}

TEST(the_text_of_a_message_is_bounded)
{
	static uint8_t big[60000];
	struct ike_msg *m;
	struct view v = { big, sizeof(big) };

	begin();
	m = fragment(1, 3);
	assert_int_equal(ike_frag_take(sa, m, &v), ERR_AGAIN);
	ike_msg_free(m);
	m = fragment(2, 3);
	v = (struct view){ big, 10000 };
	assert_int_equal(ike_frag_take(sa, m, &v), ERR_LIMIT);
	ike_msg_free(m);
	end();
}

TEST(strangers_share_one_bound_and_a_known_peer_does_not)
{
	begin();
	ike->frag_held = IKE_FRAG_HELD_MAX;
	assert_int_equal(give(1, 2, "a"), ERR_NOMEM);
	sa->is_authenticated = true;
	assert_int_equal(give(1, 2, "a"), ERR_AGAIN);
	assert_int_equal(give(2, 2, "b"), 0);
	ike->frag_held -= IKE_FRAG_HELD_MAX;
	end();
}

TEST(the_answer_is_cut_as_small_as_the_request)
{
	struct ike_msg *m;
	struct view v = { (const uint8_t *)"x", 1 };

	begin();
	sa->frag_bytes = 1280;
	for (uint16_t i = 1; i <= 2; i++) {
		m = fragment(i, 2);
		m->len = 700 + i;
		assert_int_equal(ike_frag_take(sa, m, &v), i < 2 ? ERR_AGAIN : 0);
		v = (struct view){ (const uint8_t *)"x", 1 };
		m->len = 0;
		ike_msg_free(m);
	}
	assert_int_equal(sa->frag_bytes, 702 + 28);
	end();
}

TEST(small_messages_are_not_kept_for_another_cut)
{
	struct ike_hdr h = { .msgid = 1 };
	struct ike_plain p;
	struct ike_build b;
	uint8_t buf[2000];

	begin();
	ike_build_init_inner(&b, buf, sizeof(buf));
	ike_build_begin(&b, IKE_PL_V, false);
	wcur_zero(&b.w, 300);
	ike_build_end(&b);
	assert_int_equal(ike_frag_keep(sa, &h, &b, &p), 0);
	assert_null(p.text);
	ike_build_init_inner(&b, buf, sizeof(buf));
	ike_build_begin(&b, IKE_PL_V, false);
	wcur_zero(&b.w, 600);
	ike_build_end(&b);
	assert_int_equal(ike_frag_keep(sa, &h, &b, &p), 0);
	assert_non_null(p.text);
	ike_plain_free(&p);
	sa->has_frag = false;
	assert_int_equal(ike_frag_keep(sa, &h, &b, &p), 0);
	assert_null(p.text);
	assert_false(ike_frag_wanted(sa, 60000));
	end();
}

