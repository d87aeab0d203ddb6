/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_pl_rest.c - all payloads but SA and TS: each is read,
 * written back to the same bytes, cut at every length, and given bad values.
 */
#include "test/unit/ikev2/wire_help.h"

/* Decode a body and, when that works, encode it again into out. */
typedef int both_fn(struct arena *a, struct cur *c, struct wcur *out);

#define BOTH(fn_, type_, dec_, enc_)                                           \
	static int fn_(struct arena *a UNUSED, struct cur *c, struct wcur *out) \
	{                                                                      \
		type_ x;                                                       \
		int err = dec_;                                                \
		if (err == 0)                                                  \
			enc_;                                                  \
		return err;                                                    \
	}

BOTH(ke, struct ike_ke, dec_ke(c, &x), enc_ke(out, &x))
BOTH(id, struct ike_id, dec_id(c, &x), enc_id(out, &x))
BOTH(cert, struct ike_cert, dec_cert(c, &x), enc_cert(out, &x))
BOTH(certreq, struct ike_certreq, dec_certreq(c, &x), enc_certreq(out, &x))
BOTH(auth, struct ike_auth, dec_auth(c, &x), enc_auth(out, &x))
BOTH(nonce, struct view, dec_nonce(c, &x), enc_nonce(out, x))
BOTH(notify, struct ike_ntf, dec_notify(c, &x), enc_notify(out, &x))
BOTH(del, struct ike_del, dec_delete(c, &x), enc_delete(out, &x))
BOTH(vid, struct view, dec_vid(c, &x), enc_vid(out, x))
BOTH(cp, struct ike_cp, dec_cp(a, c, &x), enc_cp(out, &x))
BOTH(ps, struct ike_ps, dec_ps(c, &x), enc_ps(out, &x))
BOTH(puzzle, struct ike_puzzle, dec_puzzle(c, &x), enc_puzzle(out, &x))
BOTH(eap, struct ike_eap, dec_eap(c, &x), enc_eap(out, &x))

/* Decode len bytes of v from memory of that size; must equal when encoded. */
static int
run(both_fn *fn, struct view v, size_t len)
{
	static uint8_t out[65536];
	uint8_t *p = malloc(len > 0 ? len : 1);
	struct arena a;
	struct wcur w;
	struct cur c;
	int err;

	assert_non_null(p);
	memcpy(p, v.p, len);
	arena_init(&a, ARENA_BYTES);
	cur_init(&c, p, len);
	wcur_init(&w, out, sizeof(out));
	if ((err = fn(&a, &c, &w)) == 0) {
		assert_int_equal(w.err, 0);
		assert_view(wcur_done(&w), v.p, len);
	}
	arena_fini(&a);
	free(p);
	return err;
}

static int
run_text(both_fn *fn, const char *text)
{
	uint8_t b[256];
	struct view v = HEX(b, text);

	return run(fn, v, v.len);
}

TEST(each_payload_round_trips_and_survives_every_cut)
{
	/* lengths from min_ok on are payloads again */
	static const struct {
		both_fn *fn;
		const char *text;
		size_t min_ok;
	} row[] = {
		{ ke, "001f 0000 aabbccdd", 5 },
		{ id, "01 000000 0a000001", 8 },
		{ id, "05 000000 20010db8000000000000000000000001", 20 },
		{ id, "02 000000 676174652e6578616d706c65", 5 },
		{ id, "03 000000 614062", 5 },
		{ id, "09 000000 3000", 5 },
		{ id, "0b 000000 00ff0a", 5 },
		{ id, "63 000000 00", 5 },
		{ id, "0d 000000", 4 },
		{ cert, "04 3082", 2 },
		{ certreq, "0c 010203", 1 },
		{ auth, "02 000000 aabb", 5 },
		{ nonce, "00112233445566778899aabbccddeeff 01", 16 },
		{ notify, "03 04 4009 01020304", 8 },
		{ notify, "00 00 4000", 4 },
		{ notify, "00 00 400a aabb", 4 },
		{ notify, "00 00 0011 0013", 6 },
		{ notify, "00 00 4006 aabb", 5 },
		{ notify, "00 00 4004 0001020304050607080910111213141516171819",
		  24 },
		{ notify, "00 00 4032 0005 10", 7 },
		{ puzzle, "0005 10", 3 },
		{ del, "01 00 0000", 4 },
		{ del, "03 04 0002 01020304 05060708", 12 },
		{ vid, "aabbcc", 0 },
		{ eap, "01 07 0009 01 61626364", 9 },
		{ eap, "03 07 0004", 4 },
	};
	size_t i, len;
	uint8_t b[256];

	for (i = 0; i < N_OF(row); i++) {
		struct view v = HEX(b, row[i].text);

		assert_true(row[i].min_ok <= v.len);
		for (len = 0; len <= v.len; len++) {
			int err = run(row[i].fn, v, len);

			if ((err == 0) != (len >= row[i].min_ok))
				fail_msg("row %zu length %zu: %d", i, len,
					 err);
		}
	}
}

TEST(values_that_contradict_are_refused)
{
	static const struct {
		both_fn *fn;
		const char *text;
		int err;
	} row[] = {
		/* identities: length of addresses, characters of names */
		{ id, "01 000000 0a0000", ERR_SYNTAX },
		{ id, "01 000000 0a00000100", ERR_SYNTAX },
		{ id, "05 000000 0a000001", ERR_SYNTAX },
		{ id, "02 000000", ERR_SHORT },
		{ id, "02 000000 610062", ERR_SYNTAX },
		{ id, "02 000000 610a", ERR_SYNTAX },
		{ id, "03 000000 7f", ERR_SYNTAX },
		{ id, "0b 000000", ERR_SHORT },
		{ id, "0d 000000 00", ERR_SYNTAX },
		/* X.509 requests are whole hashes */
		{ certreq, "04 00", ERR_SYNTAX },
		{ certreq, "04", 0 },
		/* notifies with a shape */
		{ notify, "00 00 4009", ERR_SYNTAX },
		{ notify, "01 04 4009 01020304", ERR_SYNTAX },
		{ notify, "03 08 4009 0102030405060708", ERR_SYNTAX },
		{ notify, "02 04 4009 01020304", 0 },
		{ notify, "00 00 0011 00", ERR_SYNTAX },
		{ notify, "00 00 0011 001300", ERR_SYNTAX },
		{ notify, "00 00 4001 000001", ERR_SYNTAX },
		{ notify, "00 00 4006", ERR_SYNTAX },
		{ notify, "00 00 0001", ERR_SYNTAX },
		/* unknown types keep whatever they have */
		{ notify, "00 00 9fff 0102", 0 },
		{ notify, "00 ff 9fff 0102", ERR_SHORT },
		/* deletes */
		{ del, "01 04 0001 01020304", ERR_SYNTAX },
		{ del, "01 00 0001", ERR_SYNTAX },
		{ del, "03 04 0000", ERR_SYNTAX },
		{ del, "03 08 0001 0102030405060708", ERR_SYNTAX },
		{ del, "03 04 0001 01020304 05", ERR_TRAIL },
		{ del, "03 04 ffff 01020304", ERR_LIMIT },
		{ del, "00 00 0000", ERR_RANGE },
		{ del, "07 04 0001 01020304", ERR_RANGE },
		/* configuration attributes of fixed size */
		{ cp, "01 000000", 0 },
		{ cp, "01 000000 0001 0000 0003 0000", 0 },
		{ cp, "02 000000 0001 0004 0a000001 000d 0008 "
		      "0a000000 ff000000 7abc 0001 00", 0 },
		{ cp, "02 000000 0001 0003 0a0000", ERR_SYNTAX },
		{ cp, "02 000000 0008 0010 00000000000000000000000000000000",
		  ERR_SYNTAX },
		{ cp, "02 000000 000e 0001 00", ERR_SYNTAX },
		{ cp, "02 000000 0001 0004 0a0000", ERR_SHORT },
		{ cp, "02 000000 0001 00", ERR_SHORT },
		/* EAP */
		{ eap, "01 07 0008 01 616263 00", ERR_SYNTAX },
		{ eap, "01 07 000a 01 616263", ERR_SYNTAX },
		{ eap, "01 07 0004", ERR_SHORT },
		{ eap, "03 07 0005 01", ERR_TRAIL },
		{ eap, "05 07 0004", ERR_RANGE },
	};
	size_t i;

	for (i = 0; i < N_OF(row); i++)
		if (run_text(row[i].fn, row[i].text) != row[i].err)
			fail_msg("row %zu: %s", i, row[i].text);
}

TEST(nonce_has_16_to_256_bytes)
{
	uint8_t b[257] = { 0 };
	struct view v = VIEW(b);

	assert_int_equal(run(nonce, v, 15), ERR_SHORT);
	assert_int_equal(run(nonce, v, 16), 0);
	assert_int_equal(run(nonce, v, 256), 0);
	assert_int_equal(run(nonce, v, 257), ERR_LONG);
}

TEST(cookie_has_1_to_64_bytes)
{
	uint8_t b[69] = { 0, 0, 0x40, 0x06 };
	struct view v = VIEW(b);

	assert_int_equal(run(notify, v, 4), ERR_SYNTAX);
	assert_int_equal(run(notify, v, 5), 0);
	assert_int_equal(run(notify, v, 68), 0);
	assert_int_equal(run(notify, v, 69), ERR_SYNTAX);
}

TEST(of_many_authorities_the_first_sixty_four_count)
{
	uint8_t req[1 + 400 * 20] = { IKE_CERT_X509_SIGNATURE };
	static const unsigned n[][2] = {
		{ 0, 0 }, { 1, 1 }, { 63, 63 }, { 64, 64 }, { 65, 64 },
		{ 400, 64 },
	};
	struct ike_certreq got;
	struct cur c;

	for (size_t i = 0; i < N_OF(n); i++) {
		size_t len = 1 + (size_t)n[i][0] * 20;

		assert_int_equal(run(certreq, VIEW(req), len), 0);
		cur_init(&c, req, len);
		assert_int_equal(dec_certreq(&c, &got), 0);
		assert_int_equal(got.n_hash, n[i][1]);
	}
	assert_int_equal(run(certreq, VIEW(req), 1 + 65 * 20 + 19), ERR_SYNTAX);
}

TEST(sixty_four_spis_and_attributes_and_not_one_more)
{
	uint8_t spis[4 + 65 * 4] = { IKE_PROTO_ESP, 4, 0, 64 };
	uint8_t attr[4 + 65 * 4] = { IKE_CP_REQUEST };

	assert_int_equal(run(del, VIEW(spis), 4 + 64 * 4), 0);
	spis[3] = 65;
	assert_int_equal(run(del, VIEW(spis), 4 + 65 * 4), ERR_LIMIT);
	assert_int_equal(run(cp, VIEW(attr), 4 + 64 * 4), 0);
	assert_int_equal(run(cp, VIEW(attr), 4 + 65 * 4), ERR_LIMIT);
}

TEST(reserved_bits_are_ignored)
{
	struct ike_ke k;
	struct ike_id i;
	struct ike_auth au;
	struct ike_cp p;
	struct arena a;
	struct cur c;
	uint8_t b[64];
	struct view v;

	v = HEX(b, "001f ffff aa");
	cur_init(&c, v.p, v.len);
	assert_int_equal(dec_ke(&c, &k), 0);
	assert_int_equal(k.group, IKE_KE_CURVE25519);
	assert_view(k.data, "\xaa", 1);
	v = HEX(b, "02 ffffff 61");
	cur_init(&c, v.p, v.len);
	assert_int_equal(dec_id(&c, &i), 0);
	assert_view(i.data, "a", 1);
	assert_view(i.raw, b, 5);	/* as received: AUTH signs it */
	cur_init(&c, v.p, v.len);
	assert_int_equal(dec_auth(&c, &au), 0);
	assert_int_equal(au.method, IKE_AUTH_PSK);
	v = HEX(b, "01 ffffff 8001 0000");
	cur_init(&c, v.p, v.len);
	arena_init(&a, ARENA_BYTES);
	assert_int_equal(dec_cp(&a, &c, &p), 0);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.attr[0].type, IKE_CA_INTERNAL_IP4_ADDRESS);
	arena_fini(&a);
}

TEST(protocol_of_a_notify_without_spi_is_ignored)
{
	struct ike_ntf n;
	struct cur c;
	uint8_t b[64];
	struct view v = HEX(b, "07 00 4000");

	cur_init(&c, v.p, v.len);
	assert_int_equal(dec_notify(&c, &n), 0);
	assert_int_equal(n.proto, IKE_PROTO_NONE);
	assert_int_equal(n.type, IKE_N_INITIAL_CONTACT);
}

TEST(spis_of_a_delete_are_reached_by_number)
{
	struct ike_del d;
	struct cur c;
	uint8_t b[64];
	struct view v = HEX(b, "03 04 0002 01020304 fffefdfc");

	cur_init(&c, v.p, v.len);
	assert_int_equal(dec_delete(&c, &d), 0);
	assert_int_equal(d.n_spi, 2);
	assert_int_equal(ike_del_spi(&d, 0), 0x01020304);
	assert_int_equal(ike_del_spi(&d, 1), 0xfffefdfc);
	assert_int_equal(ike_del_spi(&d, 2), 0);
	assert_int_equal(ike_del_spi(&d, UINT32_MAX), 0);
}

TEST(errors_are_below_16384)
{
	assert_true(ike_ntf_is_error(IKE_N_NO_PROPOSAL_CHOSEN));
	assert_true(ike_ntf_is_error(16383));
	assert_false(ike_ntf_is_error(16384));
	assert_false(ike_ntf_is_error(65535));
}

TEST(encrypted_payload_is_split)
{
	struct ike_sk sk;
	uint8_t b[64];
	struct view v = HEX(b, "1111111111111111 222222 33333333");

	assert_int_equal(dec_sk(v, IKE_PL_SK, 0, 8, 4, &sk), 0);
	assert_view(sk.iv, b, 8);
	assert_view(sk.ct, b + 8, 3);
	assert_view(sk.icv, b + 11, 4);
	assert_int_equal(sk.frag_num, 0);
	/* at least the pad length byte */
	v.len = 12;
	assert_int_equal(dec_sk(v, IKE_PL_SK, 0, 8, 4, &sk), ERR_SHORT);
	v.len = 13;
	assert_int_equal(dec_sk(v, IKE_PL_SK, 0, 8, 4, &sk), 0);
	assert_int_equal(sk.ct.len, 1);
	for (v.len = 0; v.len < 12; v.len++)
		assert_int_equal(dec_sk(v, IKE_PL_SK, 0, 8, 4, &sk),
				 ERR_SHORT);
	assert_int_equal(dec_sk(v, IKE_PL_SK, 0, 8, SIZE_MAX, &sk),
			 ERR_SHORT);
}

TEST(fragment_numbers_are_checked)
{
	static const struct {
		uint16_t num, total;
		uint8_t first;
		int err;
	} row[] = {
		{ 1, 1, IKE_PL_N, 0 },
		{ 1, 2, IKE_PL_N, 0 },
		{ 2, 2, IKE_PL_NONE, 0 },
		{ 2, 2, IKE_PL_N, ERR_SYNTAX },
		{ 0, 1, IKE_PL_N, ERR_RANGE },
		{ 0, 0, IKE_PL_N, ERR_RANGE },
		{ 3, 2, IKE_PL_NONE, ERR_RANGE },
		{ IKE_MAX_FRAGMENTS, IKE_MAX_FRAGMENTS, IKE_PL_NONE, 0 },
		{ 1, IKE_MAX_FRAGMENTS + 1, IKE_PL_N, ERR_LIMIT },
		{ 65535, 65535, IKE_PL_NONE, ERR_LIMIT },
	};
	struct ike_sk sk;
	uint8_t b[32] = { 0 };
	size_t i;

	for (i = 0; i < N_OF(row); i++) {
		be16_put(b, row[i].num);
		be16_put(b + 2, row[i].total);
		assert_int_equal(dec_sk(VIEW(b), IKE_PL_SKF, row[i].first, 8,
					16, &sk), row[i].err);
		if (row[i].err != 0)
			continue;
		assert_int_equal(sk.frag_num, row[i].num);
		assert_int_equal(sk.frag_total, row[i].total);
		assert_int_equal(sk.ct.len, 4);
	}
	assert_int_equal(dec_sk((struct view){ b, 3 }, IKE_PL_SKF, 0, 0, 0,
				&sk), ERR_SHORT);
}

TEST(a_puzzle_solution_has_four_keys_of_equal_length)
{
	uint8_t b[4 * (IKE_PS_KEY_MAX + 1)] = { 0 };

	for (size_t n = 0; n <= sizeof(b); n++)
		assert_int_equal(run(ps, (struct view){ b, sizeof(b) }, n) == 0,
		    n > 0 && n % 4 == 0 && n <= 4 * IKE_PS_KEY_MAX);
}

TEST(the_prfs_of_an_sa_payload_are_seen_without_storing_it)
{
	/* two proposals: PRF 5 and 7; PRF 6; with encryption between them */
	static const char text[] =
	    "02 00 0028 01 01 00 04"
	    " 03 00 0008 01 00 0014  03 00 0008 02 00 0005"
	    " 03 00 0008 02 00 0007  00 00 0008 04 00 001f"
	    "00 00 0010 02 01 00 01  00 00 0008 02 00 0006";
	uint8_t b[128];
	struct view v = HEX(b, text);

	assert_int_equal(ike_sa_prfs(v), 1u << 5 | 1u << 6 | 1u << 7);
	for (size_t n = 0; n < v.len; n++)
		assert_int_equal(ike_sa_prfs((struct view){ b, n }), 0);
	b[8 + 8 + 6] = 1;	/* a number no set can hold */
	assert_int_equal(ike_sa_prfs(v), 1u << 6 | 1u << 7);
}

TEST(encoders_refuse_what_their_fields_cannot_hold)
{
	static uint8_t big[65536], out[131072];
	struct ike_ntf n = { .type = 1, .spi = { big, 9 } };
	struct ike_del d = { .proto = 3, .n_spi = 2, .spis = { big, 4 } };
	struct ike_eap e = { .code = 1, .data = { big, 65531 } };
	struct ike_cp_attr at = { .type = 7, .value = { big, 65536 } };
	struct ike_cp p = { .type = 1, .n = 1, .attr = &at };
	struct wcur w;

	wcur_init(&w, out, sizeof(out));
	enc_notify(&w, &n);
	assert_int_equal(w.err, ERR_LONG);
	wcur_init(&w, out, sizeof(out));
	enc_delete(&w, &d);
	assert_int_equal(w.err, ERR_LONG);
	wcur_init(&w, out, sizeof(out));
	enc_eap(&w, &e);
	assert_int_equal(w.err, ERR_LONG);
	wcur_init(&w, out, sizeof(out));
	enc_cp(&w, &p);
	assert_int_equal(w.err, ERR_LONG);
	p.n = IKE_MAX_CP_ATTRS + 1;
	wcur_init(&w, out, sizeof(out));
	enc_cp(&w, &p);
	assert_int_equal(w.err, ERR_LONG);
}
