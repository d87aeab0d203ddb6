/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_hdr.c - the IKE header.
 */
#include "test/unit/ikev2/wire_help.h"

static const char good[] =
    "0102030405060708 1112131415161718 21 20 22 08 00000007 0000001c";

TEST(header_fields_are_read)
{
	struct ike_hdr h;
	uint8_t b[64];

	assert_int_equal(ike_hdr_decode(HEX(b, good), &h), 0);
	assert_true(h.ispi == 0x0102030405060708);
	assert_true(h.rspi == 0x1112131415161718);
	assert_int_equal(h.next, IKE_PL_SA);
	assert_int_equal(h.major, 2);
	assert_int_equal(h.minor, 0);
	assert_int_equal(h.xchg, IKE_XCHG_IKE_SA_INIT);
	assert_true(h.is_initiator);
	assert_false(h.is_response);
	assert_false(h.is_version);
	assert_int_equal(h.msgid, 7);
	assert_int_equal(h.len, 28);
}

TEST(header_cut_anywhere_is_short)
{
	struct ike_hdr h;
	uint8_t b[64];
	struct view v = HEX(b, good);

	for (v.len = 0; v.len < IKE_HDR_LEN; v.len++)
		assert_int_equal(ike_hdr_decode(v, &h), ERR_SHORT);
}

TEST(length_field_must_be_the_datagram)
{
	static const struct {
		uint32_t len;
		int err;
	} row[] = {
		{ 0, ERR_SHORT }, { 27, ERR_SHORT }, { 28, ERR_TRAIL },
		{ 39, ERR_TRAIL }, { 40, 0 }, { 41, ERR_SHORT },
		{ UINT32_MAX, ERR_SHORT },
	};
	uint8_t b[64] = { 0 };
	struct ike_hdr h;
	size_t i;

	test_hex(good, b, sizeof(b));
	for (i = 0; i < N_OF(row); i++) {
		be32_put(b + 24, row[i].len);
		assert_int_equal(ike_hdr_decode((struct view){ b, 40 }, &h),
				 row[i].err);
	}
}

TEST(other_major_version_is_told_and_minor_is_ignored)
{
	struct ike_hdr h;
	uint8_t b[64];
	struct view v = HEX(b, good);

	b[17] = 0x30;
	assert_int_equal(ike_hdr_decode(v, &h), ERR_VERSION);
	assert_int_equal(h.major, 3);
	assert_int_equal(h.msgid, 7);
	b[17] = 0x10;
	assert_int_equal(ike_hdr_decode(v, &h), ERR_VERSION);
	assert_int_equal(h.major, 1);
	b[17] = 0x2f;
	assert_int_equal(ike_hdr_decode(v, &h), 0);
	assert_int_equal(h.minor, 15);
}

TEST(reserved_flags_are_ignored_and_known_ones_read)
{
	struct ike_hdr h;
	uint8_t b[64];
	struct view v = HEX(b, good);

	b[19] = 0xc7;
	assert_int_equal(ike_hdr_decode(v, &h), 0);
	assert_false(h.is_initiator || h.is_response || h.is_version);
	b[19] = 0x30;
	assert_int_equal(ike_hdr_decode(v, &h), 0);
	assert_true(h.is_response && h.is_version && !h.is_initiator);
}

TEST(initiator_spi_zero_is_refused)
{
	struct ike_hdr h;
	uint8_t b[64];
	struct view v = HEX(b, good);

	memset(b, 0, 8);
	assert_int_equal(ike_hdr_decode(v, &h), ERR_RANGE);
	b[18] = IKE_XCHG_INFORMATIONAL;	/* RFC 7296 1.5 */
	b[19] = 0x08;
	assert_int_equal(ike_hdr_decode(v, &h), 0);
	b[19] = 0x20;
	assert_int_equal(ike_hdr_decode(v, &h), ERR_RANGE);
}

TEST(header_round_trip_and_sender_bits)
{
	struct ike_hdr h, back;
	uint8_t b[64], out[64];
	struct view v = HEX(b, good);
	struct wcur w;

	assert_int_equal(ike_hdr_decode(v, &h), 0);
	h.is_version = true;		/* MUST be clear when sending */
	h.minor = 5;
	h.is_response = true;
	wcur_init(&w, out, sizeof(out));
	ike_hdr_encode(&w, &h);
	assert_int_equal(w.err, 0);
	assert_int_equal(w.len, IKE_HDR_LEN);
	assert_int_equal(ike_hdr_decode(wcur_done(&w), &back), 0);
	assert_false(back.is_version);
	assert_int_equal(back.minor, 0);
	assert_true(back.is_response && back.is_initiator);
	assert_memory_equal(out, b, 17);
}

TEST(names_of_numbers)
{
	char b[IKE_WORD_MAX];

	assert_string_equal(ike_name(IKE_SET_XCHG, 36, b), "CREATE_CHILD_SA");
	assert_string_equal(ike_name(IKE_SET_N, 16390, b), "COOKIE");
	assert_string_equal(ike_name(IKE_SET_PL, 200, b), "unknown(200)");
	assert_string_equal(ike_name(IKE_SET_END, UINT32_MAX, b),
			    "unknown(4294967295)");
	assert_string_equal(ike_tr_name(IKE_TRT_ENCR, 20, b), "AES-GCM-16");
	assert_string_equal(ike_tr_name(IKE_TRT_ADDKE1, 36, b), "ML-KEM-768");
	assert_string_equal(ike_tr_name(99, 3, b), "unknown(3)");
}
