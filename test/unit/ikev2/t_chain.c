/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_chain.c - runs of payloads, and whole messages decoded
 * against the bounds.
 */
#include "test/unit/ikev2/wire_help.h"

static const struct ike_hdr request = { .xchg = IKE_XCHG_INFORMATIONAL };

/* n payloads of one type and body; the last is followed by nothing. */
static struct view
repeat(uint8_t *buf, size_t cap, uint8_t type, struct view body, unsigned n)
{
	struct wcur w;
	unsigned i;

	wcur_init(&w, buf, cap);
	for (i = 0; i < n; i++) {
		wcur_u8(&w, i + 1 < n ? type : IKE_PL_NONE);
		wcur_u8(&w, 0);
		wcur_u16(&w, (uint16_t)(IKE_PL_HDR_LEN + body.len));
		wcur_view(&w, body);
	}
	assert_int_equal(w.err, 0);
	return wcur_done(&w);
}

TEST(chain_is_cut_into_payloads)
{
	struct ike_chain ch;
	struct ike_perr perr;
	uint8_t b[64];
	struct view v = HEX(b, "28 80 0006 aabb 00 7f 0005 cc");

	assert_int_equal(ike_chain_decode(v, IKE_PL_V, &ch, &perr), 0);
	assert_int_equal(ch.n, 2);
	assert_int_equal(ch.pl[0].type, IKE_PL_V);
	assert_true(ch.pl[0].is_critical);	/* of no consequence: known */
	assert_view(ch.pl[0].body, b + 4, 2);
	assert_int_equal(ch.pl[1].type, IKE_PL_NONCE);
	assert_false(ch.pl[1].is_critical);	/* reserved bits ignored */
	assert_view(ch.pl[1].body, b + 10, 1);
}

TEST(chain_cut_anywhere_fails)
{
	struct ike_chain ch;
	struct ike_perr perr;
	uint8_t b[64];
	struct view v = HEX(b, "2b 00 0006 aabb 00 00 0005 cc");
	size_t full = v.len;

	for (v.len = 0; v.len < full; v.len++) {
		assert_int_equal(ike_chain_decode(v, IKE_PL_V, &ch, &perr),
				 ERR_SHORT);
		assert_int_equal(perr.notify, IKE_N_INVALID_SYNTAX);
		assert_int_equal(perr.pl_type, IKE_PL_V);
	}
}

TEST(payload_length_below_its_header_is_short)
{
	struct ike_chain ch;
	struct ike_perr perr;
	uint8_t b[64];
	unsigned len;

	for (len = 0; len < 4; len++) {
		struct view v = HEX(b, "00 00 0000");

		b[3] = (uint8_t)len;
		assert_int_equal(ike_chain_decode(v, IKE_PL_V, &ch, &perr),
				 ERR_SHORT);
	}
}

TEST(bytes_after_the_last_payload_are_refused)
{
	struct ike_chain ch;
	struct ike_perr perr;
	uint8_t b[64];

	assert_int_equal(ike_chain_decode(HEX(b, "00 00 0004 00"), IKE_PL_V,
					  &ch, &perr), ERR_TRAIL);
	assert_int_equal(ike_chain_decode(HEX(b, "00"), IKE_PL_NONE, &ch,
					  &perr), ERR_TRAIL);
}

TEST(empty_chain_is_fine)
{
	struct ike_chain ch;
	struct ike_perr perr;

	assert_int_equal(ike_chain_decode((struct view){ NULL, 0 },
					  IKE_PL_NONE, &ch, &perr), 0);
	assert_int_equal(ch.n, 0);
}

TEST(every_unknown_type_is_skipped_or_reported)
{
	struct ike_chain ch;
	struct ike_perr perr;
	uint8_t b[64];
	unsigned type;

	for (type = 1; type < 256; type++) {
		struct view v = HEX(b, "2b 00 0006 0102 00 00 0005 aa");

		if (ike_pl_is_known((uint8_t)type))
			continue;
		assert_int_equal(ike_chain_decode(v, (uint8_t)type, &ch,
						  &perr), 0);
		assert_int_equal(ch.n, 1);
		assert_int_equal(ch.pl[0].type, IKE_PL_V);
		b[1] = 0x80;
		assert_int_equal(ike_chain_decode(v, (uint8_t)type, &ch,
						  &perr), ERR_CRITICAL);
		assert_int_equal(perr.notify,
				 IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD);
		assert_int_equal(perr.n_data, 1);
		assert_int_equal(perr.data[0], type);
	}
}

TEST(encrypted_payload_ends_the_chain)
{
	struct ike_chain ch;
	struct ike_perr perr;
	uint8_t b[64];
	struct view v = HEX(b, "2e 00 0004 23 00 0006 eeee");

	assert_int_equal(ike_chain_decode(v, IKE_PL_V, &ch, &perr), 0);
	assert_int_equal(ch.n, 2);
	assert_int_equal(ch.pl[1].type, IKE_PL_SK);
	assert_int_equal(ch.sk_first, IKE_PL_IDI);
	v = HEX(b, "23 00 0006 eeee 00 00 0004");
	assert_int_equal(ike_chain_decode(v, IKE_PL_SK, &ch, &perr),
			 ERR_TRAIL);
}

TEST(sixty_four_payloads_and_not_one_more)
{
	struct ike_chain ch;
	struct ike_perr perr;
	uint8_t b[1024];
	struct view none = { NULL, 0 };
	struct view v;

	v = repeat(b, sizeof(b), IKE_PL_V, none, IKE_MAX_PAYLOADS);
	assert_int_equal(ike_chain_decode(v, IKE_PL_V, &ch, &perr), 0);
	assert_int_equal(ch.n, IKE_MAX_PAYLOADS);
	v = repeat(b, sizeof(b), IKE_PL_V, none, IKE_MAX_PAYLOADS + 1);
	assert_int_equal(ike_chain_decode(v, IKE_PL_V, &ch, &perr),
			 ERR_LIMIT);
	v = repeat(b, sizeof(b), 200, none, IKE_MAX_PAYLOADS + 1);
	assert_int_equal(ike_chain_decode(v, 200, &ch, &perr), ERR_LIMIT);
}

/* ---- whole messages ---- */

static int
decode_run(const struct ike_hdr *h, struct view v, uint8_t first,
	   struct ike_perr *perr)
{
	struct ike_pls pls;
	struct arena a;
	int err;

	memset(perr, 0, sizeof(*perr));
	arena_init(&a, ARENA_BYTES);
	err = ike_pls_decode(&a, h, v, first, &pls, perr);
	arena_fini(&a);
	return err;
}

/* The largest count that decodes is max; one more gives err. */
static void
assert_bound(uint8_t type, struct view body, unsigned max, int err)
{
	static uint8_t b[131072];
	struct ike_perr perr;
	struct view v;

	v = repeat(b, sizeof(b), type, body, max);
	assert_int_equal(decode_run(&request, v, type, &perr), 0);
	v = repeat(b, sizeof(b), type, body, max + 1);
	assert_int_equal(decode_run(&request, v, type, &perr), err);
	assert_int_equal(perr.err, err);
	assert_int_equal(perr.pl_type, type);
	assert_int_equal(perr.notify, IKE_N_INVALID_SYNTAX);
}

TEST(bounds_of_payloads_that_may_repeat)
{
	static uint8_t big[9 * 1024];
	uint8_t b[256];

	assert_bound(IKE_PL_N, HEX(b, "00 00 4000"), IKE_MAX_NOTIFIES,
		     ERR_LIMIT);
	assert_bound(IKE_PL_CERT, HEX(b, "04 30"), IKE_MAX_CERTS, ERR_LIMIT);
	/* 7 certificates of 9215 bytes stay below 64 KiB, 8 do not */
	assert_bound(IKE_PL_CERT, VIEW(big), 7, ERR_LIMIT);
	assert_bound(IKE_PL_V, HEX(b, "aa"), IKE_MAX_PAYLOADS, ERR_LIMIT);
	/* 16 SPIs each: 4 payloads make 64 */
	test_hex("03 04 0010", b, sizeof(b));
	assert_bound(IKE_PL_D, (struct view){ b, 68 }, 4, ERR_LIMIT);
}

/* 3.7: hints.  A client that trusts two hundred authorities names them all. */
TEST(authorities_beyond_the_bound_are_left_out_not_refused)
{
	static uint8_t b[131072];
	uint8_t body[161] = { IKE_CERT_X509_SIGNATURE };
	unsigned n_hash = 0;
	struct ike_perr perr;
	struct ike_pls pls;
	struct arena a;
	struct view v;

	/* 8 hashes each: 8 payloads make 64 */
	v = repeat(b, sizeof(b), IKE_PL_CERTREQ, VIEW(body), 25);
	arena_init(&a, ARENA_BYTES);
	assert_int_equal(ike_pls_decode(&a, &request, v, IKE_PL_CERTREQ, &pls,
					&perr), 0);
	assert_int_equal(pls.n_certreq, 8);
	for (unsigned i = 0; i < pls.n_certreq; i++)
		n_hash += pls.certreq[i].n_hash;
	assert_int_equal(n_hash, IKE_MAX_CERTREQ_HASHES);
	arena_fini(&a);
}

TEST(payloads_that_come_once_are_refused_twice)
{
	uint8_t b[256];

	assert_bound(IKE_PL_KE, HEX(b, "001f 0000 aa"), 1, ERR_GRAMMAR);
	memset(b, 7, 16);
	assert_bound(IKE_PL_NONCE, (struct view){ b, 16 }, 1, ERR_GRAMMAR);
	assert_bound(IKE_PL_IDI, HEX(b, "02 000000 61"), 1, ERR_GRAMMAR);
	assert_bound(IKE_PL_IDR, HEX(b, "02 000000 61"), 1, ERR_GRAMMAR);
	assert_bound(IKE_PL_AUTH, HEX(b, "02 000000 61"), 1, ERR_GRAMMAR);
	assert_bound(IKE_PL_CP, HEX(b, "01 000000"), 1, ERR_GRAMMAR);
	assert_bound(IKE_PL_EAP, HEX(b, "03 01 0004"), 1, ERR_GRAMMAR);
	assert_bound(IKE_PL_TSI, HEX(b, "01 000000 07 00 0010 0000 ffff "
				     "00000000 ffffffff"), 1, ERR_GRAMMAR);
	assert_bound(IKE_PL_TSR, HEX(b, "01 000000 07 00 0010 0000 ffff "
				     "00000000 ffffffff"), 1, ERR_GRAMMAR);
	assert_bound(IKE_PL_SA, HEX(b, "00 00 0014 01 03 04 01 11223344 "
				    "00 00 0008 05 00 0000"), 1, ERR_GRAMMAR);
}

TEST(proposals_of_a_request_count_up_and_a_response_has_one)
{
	static const struct ike_hdr response = { .is_response = true };
	struct ike_perr perr;
	uint8_t b[256];
	struct view v = HEX(b,
	    "00 00 002c"
	    "02 00 0014 01 03 04 01 11223344 00 00 0008 05 00 0000"
	    "00 00 0014 02 03 04 01 11223344 00 00 0008 05 00 0000");

	assert_int_equal(decode_run(&request, v, IKE_PL_SA, &perr), 0);
	assert_int_equal(decode_run(&response, v, IKE_PL_SA, &perr),
			 ERR_SYNTAX);
	b[8] = 2;
	assert_int_equal(decode_run(&request, v, IKE_PL_SA, &perr),
			 ERR_SYNTAX);
	b[8] = 1;
	b[28] = 1;
	assert_int_equal(decode_run(&request, v, IKE_PL_SA, &perr),
			 ERR_SYNTAX);
	/* the answer keeps the number of the offer it takes */
	v = HEX(b, "00 00 0018 00 00 0014 07 03 04 01 11223344 "
		"00 00 0008 05 00 0000");
	assert_int_equal(decode_run(&response, v, IKE_PL_SA, &perr), 0);
	assert_int_equal(decode_run(&request, v, IKE_PL_SA, &perr),
			 ERR_SYNTAX);
}

TEST(a_full_arena_is_an_error_without_an_answer)
{
	struct ike_perr perr = { 0 };
	struct ike_pls pls;
	struct arena a;
	uint8_t b[64];
	size_t max;
	struct view v = HEX(b, "2b 00 0008 00 00 4000 00 00 0005 aa");
	int err = ERR_NOMEM;

	for (max = 0; max < 8192 && err != 0; max += 16) {
		arena_init(&a, max);
		err = ike_pls_decode(&a, &request, v, IKE_PL_N, &pls, &perr);
		if (err != 0) {
			assert_int_equal(err, ERR_NOMEM);
			assert_int_equal(perr.notify, 0);
		}
		arena_fini(&a);
	}
	assert_int_equal(err, 0);
	assert_true(max > 64);
}

TEST(decoded_message_gives_access_to_its_parts)
{
	struct ike_perr perr;
	struct ike_pls p;
	struct arena a;
	uint8_t b[128];
	struct view v = HEX(b,
	    "29 00 0008 00 00 4000"		/* N(INITIAL_CONTACT) */
	    "2a 00 0008 00 00 000e"		/* N(NO_PROPOSAL_CHOSEN) */
	    "2b 00 0008 01 00 0000"		/* D(IKE) */
	    "2e 00 0006 abcd"			/* V */
	    "29 00 0007 010203");		/* SK */

	arena_init(&a, ARENA_BYTES);
	assert_int_equal(ike_pls_decode(&a, &request, v, IKE_PL_N, &p, &perr),
			 0);
	assert_int_equal(p.n_ntf, 2);
	assert_int_equal(p.n_del, 1);
	assert_int_equal(p.n_vid, 1);
	assert_view(p.vid[0], "\xab\xcd", 2);
	assert_int_equal(p.sk_type, IKE_PL_SK);
	assert_int_equal(p.sk_first, IKE_PL_N);
	assert_view(p.sk, "\1\2\3", 3);
	assert_int_equal(p.n_pl, 5);
	assert_int_equal(ike_pls_count(&p, IKE_PL_N), 2);
	assert_int_equal(ike_pls_count(&p, IKE_PL_SA), 0);
	assert_null(p.sa);
	assert_ptr_equal(ike_ntf_find(&p, IKE_N_INITIAL_CONTACT), &p.ntf[0]);
	assert_null(ike_ntf_find(&p, IKE_N_COOKIE));
	assert_ptr_equal(ike_ntf_error(&p), &p.ntf[1]);
	arena_fini(&a);
}
