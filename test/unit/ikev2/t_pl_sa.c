/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_pl_sa.c - Security Association payload.
 */
#include "test/unit/ikev2/wire_help.h"

/* Two ESP proposals: AES-GCM-16 with 256 bits and ESN; AES-CBC-128 with
 * HMAC-SHA2-256, X25519, no ESN. */
static const char two[] =
    "02 00 0020 01 03 04 02 11223344"
    "  03 00 000c 01 00 0014 800e 0100"
    "  00 00 0008 05 00 0001"
    "00 00 0030 02 03 04 04 aabbccdd"
    "  03 00 000c 01 00 000c 800e 0080"
    "  03 00 0008 03 00 000c"
    "  03 00 0008 04 00 001f"
    "  00 00 0008 05 00 0000";

static int
body(struct arena *a, struct cur *c)
{
	struct ike_props sa;

	return dec_sa(a, c, &sa);
}

static int
decode_text(const char *text)
{
	uint8_t b[256];
	struct view v = HEX(b, text);

	return decode_part(body, v, v.len);
}

TEST(proposals_are_read_and_written_back)
{
	struct ike_props sa;
	struct arena a;
	struct wcur w;
	struct cur c;
	uint8_t b[256], out[256];
	struct view v = HEX(b, two);

	arena_init(&a, ARENA_BYTES);
	cur_init(&c, v.p, v.len);
	assert_int_equal(dec_sa(&a, &c, &sa), 0);
	assert_int_equal(sa.n, 2);
	assert_int_equal(sa.prop[0].num, 1);
	assert_int_equal(sa.prop[0].proto, IKE_PROTO_ESP);
	assert_view(sa.prop[0].spi, "\x11\x22\x33\x44", 4);
	assert_int_equal(sa.prop[0].n_tr, 2);
	assert_int_equal(sa.prop[0].tr[0].type, IKE_TRT_ENCR);
	assert_int_equal(sa.prop[0].tr[0].id, IKE_ENCR_AES_GCM_16);
	assert_int_equal(sa.prop[0].tr[0].key_bits, 256);
	assert_int_equal(sa.prop[0].tr[1].id, IKE_SN_SEQ_64_PARTIAL);
	assert_int_equal(sa.prop[0].tr[1].key_bits, 0);
	assert_int_equal(sa.prop[1].n_tr, 4);
	assert_int_equal(sa.prop[1].tr[2].id, IKE_KE_CURVE25519);
	wcur_init(&w, out, sizeof(out));
	enc_sa(&w, &sa);
	assert_int_equal(w.err, 0);
	assert_view(wcur_done(&w), b, v.len);
	arena_fini(&a);
}

TEST(sa_cut_anywhere_fails)
{
	uint8_t b[256];
	struct view v = HEX(b, two);

	assert_cut_everywhere(body, v, v.len);
}

TEST(every_length_field_off_by_one_fails)
{
	static const size_t at[] = { 2, 14, 26, 34, 46, 58, 66, 74 };
	uint8_t b[256];
	struct view v = HEX(b, two);
	size_t i;
	int d;

	for (i = 0; i < N_OF(at); i++)
		for (d = -1; d <= 1; d += 2) {
			uint16_t was = be16_get(b + at[i]);

			be16_put(b + at[i], (uint16_t)(was + d));
			assert_int_not_equal(decode_part(body, v, v.len), 0);
			be16_put(b + at[i], was);
		}
	assert_int_equal(decode_part(body, v, v.len), 0);
}

TEST(last_bits_must_agree_with_what_follows)
{
	uint8_t b[256];
	struct view v = HEX(b, two);

	b[0] = 0;		/* last, but another follows */
	assert_int_equal(decode_part(body, v, v.len), ERR_TRAIL);
	b[0] = 3;
	assert_int_equal(decode_part(body, v, v.len), ERR_SYNTAX);
	b[0] = 2;
	b[12] = 0;		/* transform: last, count says two */
	assert_int_equal(decode_part(body, v, v.len), ERR_SYNTAX);
	b[12] = 2;
	assert_int_equal(decode_part(body, v, v.len), ERR_SYNTAX);
	b[12] = 3;
	b[24] = 3;		/* more, but it is the last */
	assert_int_equal(decode_part(body, v, v.len), ERR_SYNTAX);
	b[24] = 0;
	b[32] = 2;		/* more proposals, but none */
	assert_int_equal(decode_part(body, v, v.len), ERR_SHORT);
}

TEST(count_of_transforms_must_agree)
{
	uint8_t b[256];
	struct view v = HEX(b, two);

	b[7] = 1;
	assert_int_not_equal(decode_part(body, v, v.len), 0);
	b[7] = 3;
	assert_int_not_equal(decode_part(body, v, v.len), 0);
	b[7] = 255;
	assert_int_not_equal(decode_part(body, v, v.len), 0);
	assert_int_equal(decode_text("00 00 000c 01 03 04 00 11223344"),
			 ERR_SYNTAX);
	assert_int_equal(decode_text(""), ERR_SHORT);
}

TEST(spi_sizes_follow_the_protocol)
{
	static const struct {
		const char *text;
		int err;
	} row[] = {
		/* IKE: 0, 8, and 4 */
		{ "00 00 0010 01 01 00 01 00 00 0008 02 00 0005", 0 },
		{ "00 00 0018 01 01 08 01 0102030405060708 "
		  "00 00 0008 02 00 0005", 0 },
		{ "00 00 0014 01 01 04 01 01020304 00 00 0008 02 00 0005",
		  ERR_SYNTAX },
		/* ESP: 0; AH: 4; unknown protocol: anything */
		{ "00 00 0010 01 03 00 01 00 00 0008 01 00 0014",
		  ERR_SYNTAX },
		{ "00 00 0014 01 02 04 01 01020304 00 00 0008 03 00 000c",
		  0 },
		{ "00 00 0013 01 63 03 01 010203 00 00 0008 03 00 000c", 0 },
		/* SPI longer than the proposal */
		{ "00 00 0010 01 63 ff 01 00 00 0008 03 00 000c",
		  ERR_SHORT },
	};
	size_t i;

	for (i = 0; i < N_OF(row); i++)
		assert_int_equal(decode_text(row[i].text), row[i].err);
}

static struct ike_tr
one_transform(const char *text)
{
	struct ike_props sa;
	struct ike_tr tr;
	struct arena a;
	struct cur c;
	uint8_t b[256];
	struct view v = HEX(b, text);

	arena_init(&a, ARENA_BYTES);
	cur_init(&c, v.p, v.len);
	assert_int_equal(dec_sa(&a, &c, &sa), 0);
	tr = sa.prop[0].tr[0];
	arena_fini(&a);
	return tr;
}

TEST(what_is_not_understood_is_kept_and_marked)
{
	struct ike_tr tr;

	/* unknown type and id: as such */
	tr = one_transform("00 00 0014 01 03 04 01 01020304 "
			   "00 00 0008 f1 00 ffee");
	assert_int_equal(tr.type, 0xf1);
	assert_int_equal(tr.id, 0xffee);
	assert_false(tr.is_odd);
	/* unknown short attribute */
	tr = one_transform("00 00 0018 01 03 04 01 01020304 "
			   "00 00 000c 01 00 0014 800f 0100");
	assert_true(tr.is_odd);
	/* unknown long attribute, then a key length */
	tr = one_transform("00 00 001e 01 03 04 01 01020304 "
			   "00 00 0012 01 00 0014 0012 0002 aabb 800e 0080");
	assert_true(tr.is_odd);
	assert_int_equal(tr.key_bits, 128);
	/* key length twice, as long attribute, zero */
	tr = one_transform("00 00 001c 01 03 04 01 01020304 "
			   "00 00 0010 01 00 0014 800e 0100 800e 0080");
	assert_true(tr.is_odd);
	tr = one_transform("00 00 001a 01 03 04 01 01020304 "
			   "00 00 000e 01 00 0014 000e 0002 0100");
	assert_true(tr.is_odd);
	tr = one_transform("00 00 0018 01 03 04 01 01020304 "
			   "00 00 000c 01 00 0014 800e 0000");
	assert_true(tr.is_odd);
}

/* n_prop proposals of n_tr transforms with n_attr attributes each. */
static int
decode_many(unsigned n_prop, unsigned n_tr, unsigned n_attr)
{
	static uint8_t b[65536];
	unsigned i, j, k;
	struct wcur w;

	wcur_init(&w, b, sizeof(b));
	for (i = 0; i < n_prop; i++) {
		wcur_u16(&w, i + 1 < n_prop ? 0x0200 : 0);
		wcur_u16(&w, (uint16_t)(12 + n_tr * (8 + 4 * n_attr)));
		wcur_u32(&w, (uint32_t)(i + 1) << 24 | 0x030400 | n_tr);
		wcur_u32(&w, 0x11223344);
		for (j = 0; j < n_tr; j++) {
			wcur_u16(&w, j + 1 < n_tr ? 0x0300 : 0);
			wcur_u16(&w, (uint16_t)(8 + 4 * n_attr));
			wcur_u32(&w, 0x01000014);
			for (k = 0; k < n_attr; k++)
				wcur_u32(&w, 0x800e0100);
		}
	}
	assert_int_equal(w.err, 0);
	return decode_part(body, wcur_done(&w), w.len);
}

TEST(bounds_of_an_sa_payload)
{
	assert_int_equal(decode_many(IKE_MAX_PROPOSALS, 4, 1), 0);
	assert_int_equal(decode_many(IKE_MAX_PROPOSALS + 1, 1, 1), ERR_LIMIT);
	assert_int_equal(decode_many(1, IKE_MAX_TRANSFORMS, 1), 0);
	assert_int_equal(decode_many(1, IKE_MAX_TRANSFORMS + 1, 1), ERR_LIMIT);
	assert_int_equal(decode_many(3, 43, 0), ERR_LIMIT);
	assert_int_equal(decode_many(1, 1, IKE_MAX_TR_ATTRS), 0);
	assert_int_equal(decode_many(1, 1, IKE_MAX_TR_ATTRS + 1), ERR_LIMIT);
}

TEST(encoder_refuses_what_the_format_cannot_say)
{
	static const uint8_t spi[9];
	struct ike_tr tr = { .type = 1, .id = 20 };
	struct ike_prop p = { .num = 1, .proto = 3, .n_tr = 1, .tr = &tr };
	struct ike_props sa = { 1, &p };
	uint8_t out[64];
	struct wcur w;

	p.spi = VIEW(spi);
	wcur_init(&w, out, sizeof(out));
	enc_sa(&w, &sa);
	assert_int_equal(w.err, ERR_LONG);
	p.spi.len = 4;
	p.n_tr = 0;
	wcur_init(&w, out, sizeof(out));
	enc_sa(&w, &sa);
	assert_int_equal(w.err, ERR_LONG);
	p.n_tr = 1;
	wcur_init(&w, out, 19);		/* 20 are needed */
	enc_sa(&w, &sa);
	assert_int_equal(w.err, ERR_LONG);
	wcur_init(&w, out, 20);
	enc_sa(&w, &sa);
	assert_int_equal(w.err, 0);
}
