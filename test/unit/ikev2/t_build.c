/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_build.c - writing messages and SK content.
 */
#include "test/unit/ikev2/wire_help.h"

static const struct ike_hdr hdr = {
	.ispi = 0x0102030405060708,
	.xchg = IKE_XCHG_INFORMATIONAL,
	.is_initiator = true,
	.msgid = 3,
	.next = 99,		/* overwritten */
	.len = 99,
};
static const struct view none = { NULL, 0 };

TEST(message_is_linked_and_measured)
{
	struct ike_ke ke = { .group = 31, .data = { (uint8_t *)"\xaa", 1 } };
	struct ike_build b;
	struct ike_hdr h;
	uint8_t buf[128], want[128];
	struct view msg;
	size_t n;

	ike_build_init(&b, buf, sizeof(buf), &hdr);
	assert_int_equal(ike_build_begin(&b, IKE_PL_KE, false), IKE_HDR_LEN);
	enc_ke(&b.w, &ke);
	ike_build_end(&b);
	ike_build_notify(&b, 0, IKE_N_INITIAL_CONTACT, none, none);
	ike_build_begin(&b, IKE_PL_V, true);
	enc_vid(&b.w, (struct view){ (uint8_t *)"xy", 2 });
	ike_build_end(&b);
	assert_int_equal(ike_build_finish(&b, &msg), 0);
	n = test_hex("0102030405060708 0000000000000000 22 20 25 08 "
		     "00000003 00000033 "
		     "29 00 0009 001f 0000 aa "
		     "2b 00 0008 00 00 4000 "
		     "00 80 0006 7879", want, sizeof(want));
	assert_view(msg, want, n);
	assert_int_equal(ike_hdr_decode(msg, &h), 0);
}

TEST(message_without_payloads_is_a_header)
{
	struct ike_build b;
	struct ike_hdr h;
	uint8_t buf[28];
	struct view msg;

	ike_build_init(&b, buf, sizeof(buf), &hdr);
	assert_int_equal(ike_build_finish(&b, &msg), 0);
	assert_int_equal(ike_hdr_decode(msg, &h), 0);
	assert_int_equal(h.next, IKE_PL_NONE);
	assert_int_equal(h.len, 28);
}

TEST(inner_chain_then_encrypted_payload)
{
	struct ike_build in, out;
	struct ike_sk_room room;
	struct ike_chain ch;
	struct ike_perr perr;
	struct ike_hdr h;
	struct ike_sk sk;
	uint8_t inner[64], buf[128];
	struct view plain, msg;

	ike_build_init_inner(&in, inner, sizeof(inner));
	ike_build_notify(&in, 0, IKE_N_COOKIE2, none,
			 (struct view){ (uint8_t *)"12345678", 8 });
	assert_int_equal(ike_build_finish(&in, &plain), 0);
	assert_int_equal(in.first, IKE_PL_N);
	assert_int_equal(plain.len, 16);

	ike_build_init(&out, buf, sizeof(buf), &hdr);
	ike_build_sk(&out, in.first, NULL, 8, plain.len + 1, 16, &room);
	assert_int_equal(ike_build_finish(&out, &msg), 0);
	assert_int_equal(room.aad_len, 32);
	assert_int_equal(room.iv_at, 32);
	assert_int_equal(room.ct_at, 40);
	assert_int_equal(room.icv_at, 57);
	assert_int_equal(room.msg_len, 73);
	assert_int_equal(msg.len, 73);
	memcpy(buf + room.ct_at, plain.p, plain.len);

	assert_int_equal(ike_hdr_decode(msg, &h), 0);
	assert_int_equal(h.next, IKE_PL_SK);
	assert_int_equal(ike_chain_decode((struct view){ msg.p + 28, 45 },
					  h.next, &ch, &perr), 0);
	assert_int_equal(ch.sk_first, IKE_PL_N);
	assert_int_equal(dec_sk(ch.pl[0].body, IKE_PL_SK, ch.sk_first, 8, 16,
				&sk), 0);
	assert_ptr_equal(sk.ct.p, buf + room.ct_at);
	assert_int_equal(sk.ct.len, 17);
	sk.ct.len--;		/* padding off */
	assert_int_equal(ike_chain_decode(sk.ct, ch.sk_first, &ch, &perr), 0);
	assert_int_equal(ch.n, 1);
}

TEST(fragment_carries_its_numbers)
{
	struct ike_sk frag = { .frag_num = 2, .frag_total = 3 }, sk;
	struct ike_sk_room room;
	struct ike_build b;
	uint8_t buf[128];
	struct view msg;

	ike_build_init(&b, buf, sizeof(buf), &hdr);
	ike_build_sk(&b, IKE_PL_NONE, &frag, 8, 10, 16, &room);
	assert_int_equal(ike_build_finish(&b, &msg), 0);
	assert_int_equal(buf[16], IKE_PL_SKF);
	assert_int_equal(room.aad_len, 36);
	assert_int_equal(dec_sk((struct view){ buf + 32, msg.len - 32 },
				IKE_PL_SKF, IKE_PL_NONE, 8, 16, &sk), 0);
	assert_int_equal(sk.frag_num, 2);
	assert_int_equal(sk.frag_total, 3);
	assert_int_equal(sk.ct.len, 10);
}

TEST(every_buffer_that_is_too_small_is_reported)
{
	struct ike_sk_room room;
	struct ike_build b;
	uint8_t buf[128];
	struct view msg;
	size_t cap;

	for (cap = 0; cap <= 80; cap++) {
		ike_build_init(&b, buf, cap, &hdr);
		ike_build_notify(&b, 0, IKE_N_COOKIE2, none,
				 (struct view){ (uint8_t *)"12345678", 8 });
		ike_build_sk(&b, IKE_PL_NONE, NULL, 8, 4, 16, &room);
		/* 28 + 16 + 4 + 28 */
		assert_int_equal(ike_build_finish(&b, &msg),
				 cap < 76 ? ERR_LONG : 0);
		assert_int_equal(room.msg_len, cap < 76 ? 0 : 76);
	}
}

TEST(lengths_beyond_their_fields_are_reported)
{
	static uint8_t buf[200000], big[65536];
	struct ike_sk_room room;
	struct ike_build b;
	struct view msg;

	ike_build_init_inner(&b, buf, sizeof(buf));
	ike_build_begin(&b, IKE_PL_V, false);
	enc_vid(&b.w, (struct view){ big, 65531 });	/* 65535 in all */
	ike_build_end(&b);
	assert_int_equal(ike_build_finish(&b, &msg), 0);
	ike_build_init_inner(&b, buf, sizeof(buf));
	ike_build_begin(&b, IKE_PL_V, false);
	enc_vid(&b.w, (struct view){ big, 65532 });
	ike_build_end(&b);
	assert_int_equal(ike_build_finish(&b, &msg), ERR_LONG);
	/* each payload fits, the message does not */
	ike_build_init(&b, buf, sizeof(buf), &hdr);
	ike_build_begin(&b, IKE_PL_V, false);
	enc_vid(&b.w, (struct view){ big, 65504 });
	ike_build_end(&b);
	assert_int_equal(ike_build_finish(&b, &msg), ERR_LONG);
	ike_build_init(&b, buf, sizeof(buf), &hdr);
	ike_build_sk(&b, 0, NULL, SIZE_MAX, 1, 1, &room);
	assert_int_equal(ike_build_finish(&b, &msg), ERR_LONG);
	assert_int_equal(room.msg_len, 0);
}

TEST(calls_out_of_order_are_reported)
{
	struct ike_sk_room room;
	struct ike_build b;
	uint8_t buf[128];
	struct view msg;

	ike_build_init(&b, buf, sizeof(buf), &hdr);
	ike_build_end(&b);
	assert_int_equal(ike_build_finish(&b, &msg), ERR_INTERNAL);
	ike_build_init(&b, buf, sizeof(buf), &hdr);
	ike_build_begin(&b, IKE_PL_V, false);
	assert_int_equal(ike_build_finish(&b, &msg), ERR_INTERNAL);
	ike_build_init(&b, buf, sizeof(buf), &hdr);
	ike_build_begin(&b, IKE_PL_V, false);
	ike_build_begin(&b, IKE_PL_V, false);
	ike_build_end(&b);
	assert_int_equal(ike_build_finish(&b, &msg), ERR_INTERNAL);
	/* nothing after SK */
	ike_build_init(&b, buf, sizeof(buf), &hdr);
	ike_build_sk(&b, 0, NULL, 8, 1, 16, &room);
	ike_build_notify(&b, 0, IKE_N_COOKIE, none, none);
	assert_int_equal(ike_build_finish(&b, &msg), ERR_INTERNAL);
}
