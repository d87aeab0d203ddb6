/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_cert.c - what an IKE_SA_INIT answer says about certificates,
 * and that it stays no longer than the request.  Whole stories: test/sim/cert*.
 */
#include "test/unit/ikev2/engine_help.h"

/* What a request may hold beside the least. */
struct extra {
	const uint16_t *hash;	/* SIGNATURE_HASH_ALGORITHMS */
	unsigned n_hash;
	unsigned n_pad;		/* bytes of a vendor id nobody knows */
	bool is_odd;		/* the hashes are cut in the middle of one */
};

static size_t
request(uint8_t *buf, size_t cap, const struct extra *x)
{
	struct ike_hdr h = { .ispi = 77, .xchg = IKE_XCHG_IKE_SA_INIT,
			     .is_initiator = true };
	struct ike_choice ch = { .ike = { .encr = SPI_CIPHER_AES_GCM_256,
		.prf = SPI_HASH_SHA256, .group = SPI_GROUP_X25519 },
		.prop_num = 1 };
	static const uint8_t bytes[1500] = { 9 };
	struct ike_ke ke = { IKE_KE_CURVE25519, { bytes, 32 } };
	struct ike_props props;
	struct ike_build b;
	uint8_t list[64];
	struct arena a;
	struct view out;

	arena_init(&a, 1 << 16);
	assert_int_equal(ike_prop_answer_ike(&a, &ch, (struct view){ NULL, 0 },
					     &props), 0);
	ike_build_init(&b, buf, cap, &h);
	ike_build_begin(&b, IKE_PL_SA, false);
	enc_sa(&b.w, &props);
	ike_build_end(&b);
	ike_build_begin(&b, IKE_PL_KE, false);
	enc_ke(&b.w, &ke);
	ike_build_end(&b);
	ike_build_begin(&b, IKE_PL_NONCE, false);
	enc_nonce(&b.w, (struct view){ bytes, 16 });
	ike_build_end(&b);
	for (unsigned i = 0; i < x->n_hash; i++)
		be16_put(list + 2 * (size_t)i, x->hash[i]);
	if (x->n_hash > 0)
		ike_build_notify(&b, IKE_PROTO_NONE,
		    IKE_N_SIGNATURE_HASH_ALGORITHMS, (struct view){ NULL, 0 },
		    (struct view){ list, 2 * (size_t)x->n_hash - x->is_odd });
	if (x->n_pad > 0) {
		ike_build_begin(&b, IKE_PL_V, false);
		enc_vid(&b.w, (struct view){ bytes, x->n_pad });
		ike_build_end(&b);
	}
	assert_int_equal(ike_build_finish(&b, &out), 0);
	arena_fini(&a);
	return out.len;
}

static struct arena mem;

/* The answer to such a request. */
static const struct ike_pls *
answer_to(const struct extra *x, size_t *asked_bytes)
{
	static struct ike_pls pls;
	struct ike_perr perr;
	struct ike_hdr h;
	uint8_t msg[3000];

	*asked_bytes = request(msg, sizeof(msg), x);
	input(msg, *asked_bytes);
	jobs();
	assert_int_equal(n_sent, 1);
	arena_init(&mem, 1 << 16);
	assert_int_equal(ike_hdr_decode((struct view){ sent, sent_len }, &h), 0);
	assert_int_equal(ike_pls_decode(&mem, &h, (struct view){
	    sent + IKE_HDR_LEN, sent_len - IKE_HDR_LEN }, h.next, &pls, &perr),
	    0);
	return &pls;
}

static void
done(void)
{
	arena_fini(&mem);
	stop();
}

/* A list with one CERTREQ of n authorities. */
static size_t
trust(uint8_t *list, unsigned n)
{
	size_t len = 1 + (size_t)n * IKE_CERTREQ_HASH_LEN;

	be16_put(list, (uint16_t)len);
	list[2] = IKE_CERT_X509_SIGNATURE;
	memset(list + 3, 0xca, len - 1);
	return len + 2;
}

TEST(the_answer_names_the_hashes_both_ends_know)
{
	static const uint16_t some[] = { 1, IKE_HASH_SHA2_512, 777,
					 IKE_HASH_IDENTITY };
	const struct extra x = { .hash = some, .n_hash = N_OF(some) };
	const struct ike_ntf *n;
	size_t asked;

	start(100, 100);
	n = ike_ntf_find(answer_to(&x, &asked), IKE_N_SIGNATURE_HASH_ALGORITHMS);
	assert_non_null(n);
	assert_int_equal(n->data.len, 4);
	assert_int_equal(be16_get(n->data.p), IKE_HASH_SHA2_512);
	assert_int_equal(be16_get(n->data.p + 2), IKE_HASH_IDENTITY);
	done();
}

TEST(who_announces_no_hash_of_ours_gets_no_announcement)
{
	static const uint16_t old[] = { IKE_HASH_SHA1 };
	const struct extra x[] = {
		{ .n_hash = 0 },
		{ .hash = old, .n_hash = 1 },
		{ .hash = old, .n_hash = 1, .is_odd = true },
	};
	size_t asked;

	for (unsigned i = 0; i < N_OF(x); i++) {
		start(100, 100);
		assert_null(ike_ntf_find(answer_to(&x[i], &asked),
					 IKE_N_SIGNATURE_HASH_ALGORITHMS));
		done();
	}
}

TEST(authorities_are_named_as_far_as_the_request_paid_for)
{
	static const uint16_t all[] = { 2, 3, 4, 5 };
	unsigned n_full = 0, n_any = 0, n_none = 0;
	uint8_t list[2000];
	size_t asked;

	for (unsigned pad = 0; pad < 1400; pad += 3) {
		struct extra x = { .hash = all, .n_hash = 4, .n_pad = pad };
		struct view v = { list, trust(list, pad % 7 * 10) };
		const struct ike_pls *p;

		start(100, 100);
		assert_int_equal(ike_set_cert_asks(ike, v,
		    (struct view){ list, 8 }), 0);
		p = answer_to(&x, &asked);
		assert_in_range(sent_len, 1, asked);
		assert_true(p->n_certreq <= 1);
		if (p->n_certreq == 0)
			n_none++;
		else if (p->certreq[0].n_hash == 0 && pad % 7 != 0)
			n_any++;
		else
			n_full++;
		if (p->n_certreq > 0 && p->certreq[0].n_hash > 0)
			assert_int_equal(p->certreq[0].n_hash, pad % 7 * 10);
		done();
	}
	assert_true(n_full > 0 && n_any > 0 && n_none > 0);
}

TEST(methods_are_announced_beside_the_authorities_alone)
{
	static const uint8_t ann[] = { 3, 1, 0, 2, 2 };
	struct extra x = { .n_pad = 200 };
	uint8_t list[64];
	struct view v = { list, trust(list, 1) };
	const struct ike_ntf *n;
	size_t asked;

	start(100, 100);
	assert_int_equal(ike_set_cert_asks(ike, v, (struct view){ ann,
	    sizeof(ann) }), 0);
	n = ike_ntf_find(answer_to(&x, &asked), IKE_N_SUPPORTED_AUTH_METHODS);
	assert_non_null(n);
	assert_int_equal(n->data.len, sizeof(ann));
	assert_memory_equal(n->data.p, ann, sizeof(ann));
	done();

	start(100, 100);
	assert_int_equal(ike_set_cert_asks(ike, (struct view){ NULL, 0 },
	    (struct view){ ann, sizeof(ann) }), 0);
	assert_null(ike_ntf_find(answer_to(&x, &asked),
				 IKE_N_SUPPORTED_AUTH_METHODS));
	done();
}

TEST(what_is_to_be_asked_is_bounded_and_replaced)
{
	static const uint8_t big[IKE_CERTREQ_LIST_MAX + 1];
	struct extra x = { .n_pad = 200 };
	uint8_t list[64];
	struct view v = { list, trust(list, 1) };
	size_t asked;

	start(100, 100);
	assert_int_equal(ike_set_cert_asks(ike, v, (struct view){ NULL, 0 }),
			 0);
	assert_int_equal(ike_set_cert_asks(ike, (struct view){ big,
	    sizeof(big) }, v), ERR_LONG);
	assert_int_equal(ike_set_cert_asks(ike, v, (struct view){ big,
	    IKE_AUTH_ANN_MAX + 1 }), ERR_LONG);
	assert_int_equal(ike_set_cert_asks(ike, (struct view){ NULL, 0 },
	    (struct view){ NULL, 0 }), 0);
	assert_int_equal(answer_to(&x, &asked)->n_certreq, 0);
	done();
}
