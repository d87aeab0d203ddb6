/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_prop.c - proposals: offer, choose, check the answer.
 */
#include "test/lib/test.h"

#include <string.h>

#include "daemon/base/err.h"
#include "ikev2/neg/prop.h"

static struct arena arena;
static const uint8_t spi4[4] = { 0, 0, 1, 2 };
static const uint8_t spi8[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
#define NO_SPI ((struct view){ NULL, 0 })
#define SPI4   ((struct view){ spi4, 4 })
#define SPI8   ((struct view){ spi8, 8 })

static struct ike_props
offer_ike(enum vpn_suite suite)
{
	struct ike_props p;

	arena_init(&arena, 1 << 16);
	assert_int_equal(ike_prop_offer_ike(&arena, suite, NO_SPI, &p), 0);
	return p;
}

/* One proposal out of literals. */
#define PROP(proto_, spi_, ...)                                                \
	static const struct ike_tr tr[] = { __VA_ARGS__ };                     \
	const struct ike_prop prop = { .num = 1, .proto = (proto_),            \
		.spi = spi_, .n_tr = N_OF(tr), .tr = tr };                     \
	const struct ike_props props = { 1, &prop };                           \
	struct ike_choice ch = { .prop_num = 0 }
#define T(type_, id_)	     { .type = IKE_TRT_##type_, .id = IKE_##type_##_##id_ }
#define TK(id_, bits_)                                                         \
	{ .type = IKE_TRT_ENCR, .id = IKE_ENCR_##id_, .key_bits = (bits_) }

TEST(an_offer_meets_itself_at_our_first_choice)
{
	struct ike_props p = offer_ike(VPN_SUITE_2026);
	struct ike_choice ch;

	assert_int_equal(p.n, 1);
	assert_int_equal(ike_prop_choose_ike(&p, VPN_SUITE_2026, 0,
	    IKE_KE_CURVE25519, false, &ch), 0);
	assert_int_equal(ch.ike.encr, SPI_CIPHER_AES_GCM_256);
	assert_int_equal(ch.ike.integ, SPI_HASH_NONE);
	assert_int_equal(ch.ike.prf, SPI_HASH_SHA384);
	assert_int_equal(ch.ike.group, SPI_GROUP_X25519);
	arena_fini(&arena);
}

TEST(compat_offers_aead_first_and_cbc_apart)
{
	struct ike_props p = offer_ike(VPN_SUITE_COMPAT);

	assert_int_equal(p.n, 2);
	for (unsigned k = 0; k < 2; k++) {
		assert_int_equal(p.prop[k].num, k + 1);
		for (unsigned i = 0; i < p.prop[k].n_tr; i++) {
			const struct ike_tr *t = &p.prop[k].tr[i];

			if (t->type == IKE_TRT_INTEG)
				assert_int_equal(k, 1);
			if (t->type == IKE_TRT_ENCR)
				assert_int_equal(t->id == IKE_ENCR_AES_CBC, k);
			if (t->type == IKE_TRT_ENCR &&
			    t->id != IKE_ENCR_CHACHA20_POLY1305)
				assert_int_not_equal(t->key_bits, 0);
		}
	}
	arena_fini(&arena);
}

TEST(the_group_of_the_ke_payload_is_taken_when_offered)
{
	struct ike_props p = offer_ike(VPN_SUITE_2026);
	struct ike_choice ch;

	assert_int_equal(ike_prop_choose_ike(&p, VPN_SUITE_2026, 0, IKE_KE_ECP_384,
					     false, &ch), 0);
	assert_int_equal(ch.ike.group, SPI_GROUP_ECP_384);
	/* one that is not ours: our first instead, so INVALID_KE_PAYLOAD */
	assert_int_equal(ike_prop_choose_ike(&p, VPN_SUITE_2026, 0,
	    IKE_KE_MODP_1024, false, &ch), 0);
	assert_int_equal(ch.ike.group, SPI_GROUP_X25519);
	arena_fini(&arena);
}

TEST(cbc_is_chosen_in_compat_only)
{
	PROP(IKE_PROTO_IKE, NO_SPI, TK(AES_CBC, 256),
	     T(INTEG, HMAC_SHA2_256_128), T(PRF, HMAC_SHA2_256),
	     T(KE, MODP_2048));

	assert_int_equal(ike_prop_choose_ike(&props, VPN_SUITE_2026, 0,
	    IKE_KE_MODP_2048, false, &ch), ERR_NOPROP);
	assert_int_equal(ike_prop_choose_ike(&props, VPN_SUITE_COMPAT, 0,
	    IKE_KE_MODP_2048, false, &ch), 0);
	assert_int_equal(ch.ike.encr, SPI_CIPHER_AES_CBC_256);
	assert_int_equal(ch.ike.integ, SPI_HASH_SHA256);
	assert_false(ike_prop_permits(VPN_SUITE_2026, &ch.ike));
	assert_true(ike_prop_permits(VPN_SUITE_COMPAT, &ch.ike));
}

TEST(encryption_without_integrity_is_never_chosen)
{
	PROP(IKE_PROTO_IKE, NO_SPI, TK(AES_CBC, 256), T(PRF, HMAC_SHA2_256),
	     T(INTEG, NONE), T(KE, CURVE25519));

	assert_int_equal(ike_prop_choose_ike(&props, VPN_SUITE_COMPAT, 0,
	    IKE_KE_CURVE25519, false, &ch), ERR_NOPROP);
}

TEST(an_aead_takes_integrity_none_but_no_other)
{
	PROP(IKE_PROTO_IKE, NO_SPI, TK(AES_GCM_16, 128), T(PRF, HMAC_SHA2_256),
	     T(INTEG, NONE), T(KE, CURVE25519));
	static const struct ike_tr with_mac[] = { TK(AES_GCM_16, 128),
	    T(PRF, HMAC_SHA2_256), T(INTEG, HMAC_SHA2_256_128),
	    T(KE, CURVE25519) };
	const struct ike_prop p2 = { .num = 1, .proto = IKE_PROTO_IKE,
	    .n_tr = N_OF(with_mac), .tr = with_mac };
	const struct ike_props both = { 1, &p2 };

	assert_int_equal(ike_prop_choose_ike(&props, VPN_SUITE_2026, 0,
	    IKE_KE_CURVE25519, false, &ch), 0);
	assert_int_equal(ike_prop_choose_ike(&both, VPN_SUITE_2026, 0,
	    IKE_KE_CURVE25519, false, &ch), ERR_NOPROP);
}

TEST(old_algorithms_are_never_chosen)
{
	PROP(IKE_PROTO_IKE, NO_SPI, TK(3DES, 0), TK(AES_CBC, 0),
	     TK(AES_GCM_8, 256), TK(AES_GCM_16, 192), T(PRF, HMAC_SHA1),
	     T(PRF, HMAC_MD5), T(INTEG, HMAC_SHA1_96), T(KE, MODP_1024),
	     T(KE, MODP_1536));

	assert_int_equal(ike_prop_choose_ike(&props, VPN_SUITE_COMPAT, 0,
	    IKE_KE_MODP_1024, false, &ch), ERR_NOPROP);
}

TEST(an_unknown_transform_type_spoils_the_proposal)
{
	PROP(IKE_PROTO_IKE, NO_SPI, TK(AES_GCM_16, 256), T(PRF, HMAC_SHA2_384),
	     T(KE, CURVE25519), { .type = IKE_TRT_ADDKE1, .id = 36 });

	assert_int_equal(ike_prop_choose_ike(&props, VPN_SUITE_2026, 0,
	    IKE_KE_CURVE25519, false, &ch), ERR_NOPROP);
}

TEST(a_transform_with_an_odd_attribute_is_skipped)
{
	PROP(IKE_PROTO_IKE, NO_SPI, { .type = IKE_TRT_ENCR,
	     .id = IKE_ENCR_AES_GCM_16, .key_bits = 256, .is_odd = true },
	     TK(AES_GCM_16, 128), T(PRF, HMAC_SHA2_384), T(KE, CURVE25519));

	assert_int_equal(ike_prop_choose_ike(&props, VPN_SUITE_2026, 0,
	    IKE_KE_CURVE25519, false, &ch), 0);
	assert_int_equal(ch.ike.encr, SPI_CIPHER_AES_GCM_128);
}

TEST(types_of_different_proposals_are_not_mixed)
{
	static const struct ike_tr t1[] = { TK(AES_GCM_16, 256),
	    T(KE, CURVE25519) };
	static const struct ike_tr t2[] = { T(PRF, HMAC_SHA2_384),
	    T(KE, CURVE25519) };
	const struct ike_prop p[2] = {
		{ .num = 1, .proto = IKE_PROTO_IKE, .n_tr = 2, .tr = t1 },
		{ .num = 2, .proto = IKE_PROTO_IKE, .n_tr = 2, .tr = t2 }
	};
	const struct ike_props props = { 2, p };
	struct ike_choice ch;

	assert_int_equal(ike_prop_choose_ike(&props, VPN_SUITE_2026, 0,
	    IKE_KE_CURVE25519, false, &ch), ERR_NOPROP);
}

TEST(esp_prefers_extended_sequence_numbers)
{
	PROP(IKE_PROTO_ESP, SPI4, TK(AES_GCM_16, 256), T(SN, SEQ_32), T(SN, SEQ_64_PARTIAL));

	assert_int_equal(ike_prop_choose_esp(&props, VPN_SUITE_2026, 0, 0,
					     IKE_KE_NEVER, &ch), 0);
	assert_int_equal(ch.alg, VPN_ALG_AES_GCM_256);
	assert_true(ch.is_esn);
	assert_int_equal(ch.esp_spi, 0x102);
	assert_int_equal(ch.group, SPI_GROUP_NONE);
}

TEST(esp_without_esn_transform_is_refused)
{
	PROP(IKE_PROTO_ESP, SPI4, TK(AES_GCM_16, 256));

	assert_int_equal(ike_prop_choose_esp(&props, VPN_SUITE_2026, 0, 0,
					     IKE_KE_NEVER, &ch), ERR_NOPROP);
}

TEST(esp_cbc_with_each_integrity)
{
	PROP(IKE_PROTO_ESP, SPI4, TK(AES_CBC, 128),
	     T(INTEG, HMAC_SHA2_512_256), T(SN, SEQ_32));

	assert_int_equal(ike_prop_choose_esp(&props, VPN_SUITE_COMPAT, 0, 0,
					     IKE_KE_NEVER, &ch), 0);
	assert_int_equal(ch.alg, VPN_ALG_AES_CBC_128_SHA512);
	assert_false(ch.is_esn);
}

TEST(a_child_is_rekeyed_with_and_without_key_exchange)
{
	PROP(IKE_PROTO_ESP, SPI4, TK(AES_GCM_16, 256), T(KE, ECP_256),
	     T(SN, SEQ_64_PARTIAL));

	assert_int_equal(ike_prop_choose_esp(&props, VPN_SUITE_2026, 0,
	    IKE_KE_ECP_256, IKE_KE_MAYBE, &ch), 0);
	assert_int_equal(ch.group, SPI_GROUP_ECP_256);
	/* IKE_AUTH: a group is passed over in what is proposed to us */
	assert_int_equal(ike_prop_choose_esp(&props, VPN_SUITE_2026, 0,
	    IKE_KE_NONE, IKE_KE_NEVER, &ch), 0);
	assert_int_equal(ch.group, SPI_GROUP_NONE);
	/* and refused in an answer, where it was not offered */
	assert_int_equal(ike_prop_check_esp(&props, VPN_SUITE_2026, 0,
	    SPI_GROUP_NONE, &ch), ERR_NOPROP);
}

TEST(wrong_protocol_or_spi_length_is_unusable)
{
	PROP(IKE_PROTO_AH, SPI4, TK(AES_GCM_16, 256), T(SN, SEQ_64_PARTIAL));
	const struct ike_prop p2 = { .num = 1, .proto = IKE_PROTO_ESP,
	    .spi = { spi8, 8 }, .n_tr = N_OF(tr), .tr = tr };
	const struct ike_props long_spi = { 1, &p2 };

	assert_int_equal(ike_prop_choose_esp(&props, VPN_SUITE_2026, 0, 0,
					     IKE_KE_NEVER, &ch), ERR_NOPROP);
	assert_int_equal(ike_prop_choose_esp(&long_spi, VPN_SUITE_2026, 0, 0,
					     IKE_KE_NEVER, &ch), ERR_NOPROP);
}

TEST(an_answer_must_be_single_and_ours)
{
	struct ike_props p = offer_ike(VPN_SUITE_COMPAT), a;
	struct ike_choice ch, back;

	assert_int_equal(ike_prop_choose_ike(&p, VPN_SUITE_COMPAT, 0,
	    IKE_KE_CURVE25519, false, &ch), 0);
	assert_int_equal(ike_prop_answer_ike(&arena, &ch, NO_SPI, &a), 0);
	assert_int_equal(ike_prop_check_ike(&a, VPN_SUITE_2026, 0, false, &back),
			 0);
	assert_memory_equal(&back.ike, &ch.ike, sizeof(ch.ike));
	/* the offer itself is no answer */
	assert_int_equal(ike_prop_check_ike(&p, VPN_SUITE_COMPAT, 0, false, &back),
			 ERR_NOPROP);
	/* a rekeying answer needs an SPI */
	assert_int_equal(ike_prop_check_ike(&a, VPN_SUITE_2026, 0, true, &back),
			 ERR_NOPROP);
	assert_int_equal(ike_prop_answer_ike(&arena, &ch, SPI8, &a), 0);
	assert_int_equal(ike_prop_check_ike(&a, VPN_SUITE_2026, 0, true, &back),
			 0);
	assert_true(back.ike_spi == 0x0102030405060708);
	arena_fini(&arena);
}

TEST(rekeying_keeps_the_suite_in_use_where_it_is_proposed)
{
	PROP(IKE_PROTO_IKE, SPI8, TK(AES_GCM_16, 256), TK(AES_GCM_16, 128),
	     T(PRF, HMAC_SHA2_384), T(PRF, HMAC_SHA2_256), T(KE, CURVE25519));
	struct ike_suite now = { .encr = SPI_CIPHER_AES_GCM_128,
		.prf = SPI_HASH_SHA256, .integ = SPI_HASH_NONE,
		.group = SPI_GROUP_ECP_256 };

	assert_int_equal(ike_prop_keep_ike(&props, &now, VPN_SUITE_2026, 0,
	    IKE_KE_CURVE25519, &ch), 0);
	assert_int_equal(ch.ike.encr, SPI_CIPHER_AES_GCM_128);
	assert_int_equal(ch.ike.prf, SPI_HASH_SHA256);
	assert_int_equal(ch.ike.group, SPI_GROUP_X25519);
	assert_true(ch.ike_spi == 0x0102030405060708);
	/* among all it would be another */
	assert_int_equal(ike_prop_choose_ike(&props, VPN_SUITE_2026, 0,
	    IKE_KE_CURVE25519, true, &ch), 0);
	assert_int_equal(ch.ike.prf, SPI_HASH_SHA384);
	now.prf = SPI_HASH_SHA512;
	assert_int_equal(ike_prop_keep_ike(&props, &now, VPN_SUITE_2026, 0,
	    IKE_KE_CURVE25519, &ch), ERR_NOPROP);
}

TEST(an_esp_answer_keeps_the_key_exchange)
{
	PROP(IKE_PROTO_ESP, SPI4, TK(AES_GCM_16, 256), T(SN, SEQ_64_PARTIAL));

	assert_int_equal(ike_prop_check_esp(&props, VPN_SUITE_2026, 0,
	    SPI_GROUP_NONE, &ch), 0);
	assert_int_equal(ike_prop_check_esp(&props, VPN_SUITE_2026, 0,
	    SPI_GROUP_X25519, &ch), ERR_NOPROP);
}

TEST(implicit_ivs_are_offered_in_front_of_the_same_with_explicit_ones)
{
	static const uint16_t want[] = { IKE_ENCR_AES_GCM_16_IIV,
		IKE_ENCR_AES_GCM_16, IKE_ENCR_AES_GCM_16_IIV,
		IKE_ENCR_AES_GCM_16, IKE_ENCR_CHACHA20_POLY1305_IIV,
		IKE_ENCR_CHACHA20_POLY1305 };
	static const uint16_t bits[] = { 256, 256, 128, 128, 0, 0 };
	struct ike_props p;
	struct ike_choice ch;
	unsigned n = 0;

	arena_init(&arena, 1 << 16);
	assert_int_equal(ike_prop_offer_esp(&arena, VPN_SUITE_2026, SPI4,
					    SPI_GROUP_NONE, &p), 0);
	assert_int_equal(ike_prop_choose_esp(&p, VPN_SUITE_2026, IKE_MAY_IIV,
	    IKE_KE_NONE, IKE_KE_NEVER, &ch), 0);
	assert_int_equal(ch.alg, VPN_ALG_AES_GCM_256);
	assert_int_equal(ike_prop_offer_iiv(&arena, &p), 0);
	assert_int_equal(p.n, 1);
	for (unsigned i = 0; i < p.prop[0].n_tr; i++)
		if (p.prop[0].tr[i].type == IKE_TRT_ENCR) {
			assert_true(n < N_OF(want));
			assert_int_equal(p.prop[0].tr[i].id, want[n]);
			assert_int_equal(p.prop[0].tr[i].key_bits, bits[n]);
			n++;
		}
	assert_int_equal(n, N_OF(want));
	assert_int_equal(ike_prop_choose_esp(&p, VPN_SUITE_2026, IKE_MAY_IIV,
	    IKE_KE_NONE, IKE_KE_NEVER, &ch), 0);
	assert_int_equal(ch.alg, VPN_ALG_AES_GCM_256_IIV);
	/* who may not has the one behind it */
	assert_int_equal(ike_prop_choose_esp(&p, VPN_SUITE_2026, 0,
	    IKE_KE_NONE, IKE_KE_NEVER, &ch), 0);
	assert_int_equal(ch.alg, VPN_ALG_AES_GCM_256);
	arena_fini(&arena);
}

static enum vpn_alg
chosen(const struct ike_props *p, enum vpn_suite suite, unsigned kems)
{
	struct ike_choice ch = { .alg = VPN_ALG_NONE };

	assert_int_equal(ike_prop_choose_esp(p, suite, kems, IKE_KE_NONE,
					     IKE_KE_NEVER, &ch), 0);
	return ch.alg;
}

TEST(the_preferred_cipher_is_offered_first_and_the_others_stay)
{
	static const uint16_t want[] = { IKE_ENCR_AES_GCM_16,
		IKE_ENCR_AES_GCM_16, IKE_ENCR_CHACHA20_POLY1305 };
	static const uint16_t bits[] = { 128, 256, 0 };
	struct ike_props p, was;
	unsigned n = 0;

	arena_init(&arena, 1 << 16);
	assert_int_equal(ike_prop_offer_esp(&arena, VPN_SUITE_COMPAT, SPI4,
					    SPI_GROUP_NONE, &was), 0);
	p = was;
	assert_int_equal(ike_prop_offer_first(&arena, IKE_PREFER_AES128, &p), 0);
	assert_int_equal(p.n, was.n);
	for (unsigned i = 0; i < p.n; i++)
		assert_int_equal(p.prop[i].n_tr, was.prop[i].n_tr);
	for (unsigned i = 0; i < p.prop[0].n_tr; i++)
		if (p.prop[0].tr[i].type == IKE_TRT_ENCR) {
			assert_true(n < N_OF(want));
			assert_int_equal(p.prop[0].tr[i].id, want[n]);
			assert_int_equal(p.prop[0].tr[i].key_bits, bits[n]);
			n++;
		}
	assert_int_equal(n, N_OF(want));
	/* what is no AEAD keeps its order */
	assert_memory_equal(p.prop[1].tr, was.prop[1].tr,
			    was.prop[1].n_tr * sizeof(*was.prop[1].tr));
	/* and the implicit IV comes before its own */
	assert_int_equal(ike_prop_offer_iiv(&arena, &p), 0);
	assert_int_equal(p.prop[0].tr[0].id, IKE_ENCR_AES_GCM_16_IIV);
	assert_int_equal(p.prop[0].tr[0].key_bits, 128);
	arena_fini(&arena);
}

TEST(the_preferred_cipher_is_chosen_where_it_is_offered)
{
	struct ike_props p;

	arena_init(&arena, 1 << 16);
	assert_int_equal(ike_prop_offer_esp(&arena, VPN_SUITE_COMPAT, SPI4,
					    SPI_GROUP_NONE, &p), 0);
	assert_int_equal(chosen(&p, VPN_SUITE_COMPAT, 0), VPN_ALG_AES_GCM_256);
	assert_int_equal(chosen(&p, VPN_SUITE_COMPAT, IKE_PREFER_AES128),
			 VPN_ALG_AES_GCM_128);
	assert_int_equal(chosen(&p, VPN_SUITE_COMPAT, IKE_PREFER_CHACHA20),
			 VPN_ALG_CHACHA20_POLY1305);
	assert_int_equal(ike_prop_offer_iiv(&arena, &p), 0);
	assert_int_equal(chosen(&p, VPN_SUITE_2026, IKE_PREFER_AES128 |
				IKE_MAY_IIV), VPN_ALG_AES_GCM_128_IIV);
	assert_int_equal(chosen(&p, VPN_SUITE_2026, IKE_PREFER_CHACHA20),
			 VPN_ALG_CHACHA20_POLY1305);
	arena_fini(&arena);
}

TEST(a_peer_without_the_preferred_cipher_gets_another)
{
	PROP(IKE_PROTO_ESP, SPI4, TK(AES_GCM_16, 256), T(SN, SEQ_32));

	(void)ch;
	assert_int_equal(chosen(&props, VPN_SUITE_2026, IKE_PREFER_AES128),
			 VPN_ALG_AES_GCM_256);
	assert_int_equal(chosen(&props, VPN_SUITE_2026, IKE_PREFER_CHACHA20),
			 VPN_ALG_AES_GCM_256);
}

TEST(an_implicit_iv_we_did_not_offer_is_no_answer)
{
	PROP(IKE_PROTO_ESP, SPI4, TK(AES_GCM_16_IIV, 256), T(SN, SEQ_32));

	assert_int_equal(ike_prop_check_esp(&props, VPN_SUITE_COMPAT, 0,
	    SPI_GROUP_NONE, &ch), ERR_NOPROP);
	assert_int_equal(ike_prop_check_esp(&props, VPN_SUITE_2026, IKE_MAY_IIV,
	    SPI_GROUP_NONE, &ch), 0);
	assert_int_equal(ch.alg, VPN_ALG_AES_GCM_256_IIV);
}

/* RFC 8750 section 7: for ESP only. */
TEST(an_ike_sa_never_has_implicit_ivs)
{
	PROP(IKE_PROTO_IKE, NO_SPI, TK(AES_GCM_16_IIV, 256),
	     TK(CHACHA20_POLY1305_IIV, 0), T(PRF, HMAC_SHA2_256),
	     T(KE, CURVE25519));

	assert_int_equal(ike_prop_choose_ike(&props, VPN_SUITE_COMPAT,
	    IKE_MAY_IIV, IKE_KE_CURVE25519, false, &ch), ERR_NOPROP);
}

/* RFC 9827: new numbers may come; what we know is 0 and 1. */
TEST(sequence_numbers_of_an_unknown_kind_are_not_chosen)
{
	PROP(IKE_PROTO_ESP, SPI4, TK(AES_GCM_16, 256),
	     { .type = IKE_TRT_SN, .id = 2 }, { .type = IKE_TRT_SN, .id = 1024 });
	static const struct ike_tr more[] = { TK(AES_GCM_16, 256),
	    { .type = IKE_TRT_SN, .id = 2 }, T(SN, SEQ_32) };
	const struct ike_prop p2 = { .num = 1, .proto = IKE_PROTO_ESP,
	    .spi = SPI4, .n_tr = N_OF(more), .tr = more };
	const struct ike_props both = { 1, &p2 };

	assert_int_equal(ike_prop_choose_esp(&props, VPN_SUITE_2026, 0,
	    IKE_KE_NONE, IKE_KE_NEVER, &ch), ERR_NOPROP);
	assert_int_equal(ike_prop_choose_esp(&both, VPN_SUITE_2026, 0,
	    IKE_KE_NONE, IKE_KE_NEVER, &ch), 0);
	assert_false(ch.is_esn);
}

/* Who is configured for another group can only say so when it was offered. */
TEST(a_child_sa_is_offered_with_the_group_at_hand_before_all_others)
{
	static const uint16_t want[] = { IKE_KE_ECP_256, IKE_KE_CURVE25519,
		IKE_KE_ECP_384 };
	PROP(IKE_PROTO_ESP, SPI4, TK(AES_GCM_16, 256), T(KE, ECP_384),
	     T(SN, SEQ_32));
	struct ike_props p;
	unsigned n = 0;

	arena_init(&arena, 1 << 16);
	assert_int_equal(ike_prop_offer_esp(&arena, VPN_SUITE_2026, SPI4,
					    SPI_GROUP_ECP_256, &p), 0);
	for (unsigned i = 0; i < p.prop[0].n_tr; i++)
		if (p.prop[0].tr[i].type == IKE_TRT_KE) {
			assert_true(n < N_OF(want));
			assert_int_equal(p.prop[0].tr[i].id, want[n++]);
		}
	assert_int_equal(n, N_OF(want));
	/* an answer is in the group of the KE payload and no other */
	assert_int_equal(ike_prop_check_esp(&props, VPN_SUITE_2026, 0,
	    SPI_GROUP_ECP_256, &ch), ERR_NOPROP);
	assert_int_equal(ike_prop_check_esp(&props, VPN_SUITE_2026, 0,
	    SPI_GROUP_ECP_384, &ch), 0);
	arena_fini(&arena);
}

TEST(every_esp_choice_survives_its_answer)
{
	for (enum vpn_alg alg = VPN_ALG_NONE + 1; alg < VPN_ALG_END; alg++)
		for (unsigned esn = 0; esn < 2; esn++) {
			struct ike_choice ch = { .alg = alg, .is_esn = esn,
						 .prop_num = 1 }, back;
			struct ike_props a;

			arena_init(&arena, 1 << 16);
			assert_int_equal(ike_prop_answer_esp(&arena, &ch, SPI4,
							     &a), 0);
			assert_int_equal(ike_prop_check_esp(&a,
			    VPN_SUITE_COMPAT, IKE_MAY_IIV, SPI_GROUP_NONE,
			    &back), 0);
			assert_int_equal(back.alg, alg);
			assert_int_equal(back.is_esn, esn);
			arena_fini(&arena);
		}
}

/* ---- additional key exchanges, RFC 9370 ---------------------------------- */

#define KEM_768	 IKE_KEM_BIT(SPI_GROUP_ML_KEM_768)
#define KEM_1024 IKE_KEM_BIT(SPI_GROUP_ML_KEM_1024)
#define ADDKE(n_, id_) { .type = IKE_TRT_ADDKE##n_, .id = IKE_KE_##id_ }
#define BASE TK(AES_GCM_16, 256), T(PRF, HMAC_SHA2_384), T(KE, CURVE25519)

static int
choose_kem(const struct ike_props *p, unsigned kems, struct ike_choice *ch)
{
	return ike_prop_choose_ike(p, VPN_SUITE_2026, kems, IKE_KE_CURVE25519,
				   false, ch);
}

TEST(an_offer_with_kems_meets_every_kind_of_peer)
{
	struct ike_props p = offer_ike(VPN_SUITE_2026), a;
	struct ike_choice ch, back;

	assert_int_equal(ike_prop_offer_addke(&arena, KEM_768 | KEM_1024, &p),
			 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.prop[0].num, 1);
	assert_int_equal(p.prop[1].num, 2);
	/* one that has them */
	assert_int_equal(choose_kem(&p, IKE_ADDKE_KNOWN | KEM_1024, &ch), 0);
	assert_int_equal(ch.addke[0], SPI_GROUP_ML_KEM_1024);
	assert_int_equal(ch.prop_num, 1);
	assert_int_equal(ike_prop_answer_ike(&arena, &ch, NO_SPI, &a), 0);
	assert_int_equal(ike_prop_check_ike(&a, VPN_SUITE_2026,
	    IKE_ADDKE_KNOWN | KEM_768 | KEM_1024, false, &back), 0);
	assert_memory_equal(&back.ike, &ch.ike, sizeof(ch.ike));
	/* not what was never offered, nor where the types are not agreed on */
	assert_int_equal(ike_prop_check_ike(&a, VPN_SUITE_2026,
	    IKE_ADDKE_KNOWN | KEM_768, false, &back), ERR_NOPROP);
	assert_int_equal(ike_prop_check_ike(&a, VPN_SUITE_2026, 0, false,
					    &back), ERR_NOPROP);
	/* one that knows of them: none, said so in the answer */
	assert_int_equal(choose_kem(&p, IKE_ADDKE_KNOWN, &ch), 0);
	assert_int_equal(ch.prop_num, 1);
	assert_int_equal(ike_addke_next(ch.addke, 0), IKE_ADDKE_MAX);
	assert_int_equal(ch.addke_seen, 1);
	/* one that does not: the proposal behind */
	assert_int_equal(choose_kem(&p, 0, &ch), 0);
	assert_int_equal(ch.prop_num, 2);
	arena_fini(&arena);
}

TEST(an_additional_key_exchange_that_must_be_is_not_left_out)
{
	PROP(IKE_PROTO_IKE, NO_SPI, BASE, ADDKE(1, ML_KEM_768));

	assert_int_equal(choose_kem(&props, IKE_ADDKE_KNOWN, &ch), ERR_NOPROP);
	assert_int_equal(choose_kem(&props, IKE_ADDKE_KNOWN | KEM_1024, &ch),
			 ERR_NOPROP);
	assert_int_equal(choose_kem(&props, IKE_ADDKE_KNOWN | KEM_768, &ch), 0);
	assert_int_equal(ch.ike.addke[0], SPI_GROUP_ML_KEM_768);
}

/* RFC 9370 2.2.1: the greedy choice for ADDKE2 would leave none for ADDKE5. */
TEST(no_additional_key_exchange_is_chosen_twice)
{
	PROP(IKE_PROTO_IKE, NO_SPI, BASE, ADDKE(2, ML_KEM_768),
	     ADDKE(2, ML_KEM_1024), ADDKE(5, ML_KEM_768));

	assert_int_equal(choose_kem(&props, IKE_ADDKE_KNOWN | KEM_768, &ch),
			 ERR_NOPROP);
	assert_int_equal(choose_kem(&props, IKE_ADDKE_KNOWN | KEM_768 |
				    KEM_1024, &ch), 0);
	assert_int_equal(ch.addke[1], SPI_GROUP_ML_KEM_1024);
	assert_int_equal(ch.addke[4], SPI_GROUP_ML_KEM_768);
	assert_int_equal(ch.addke_seen, 1 << 1 | 1 << 4);
	assert_int_equal(ike_addke_next(ch.addke, 2), 4);
}

TEST(a_first_child_sa_takes_no_additional_key_exchange)
{
	PROP(IKE_PROTO_ESP, SPI4, TK(AES_GCM_16, 256), T(SN, SEQ_32),
	     ADDKE(1, ML_KEM_768), ADDKE(1, NONE));

	assert_int_equal(ike_prop_choose_esp(&props, VPN_SUITE_2026,
	    IKE_ADDKE_KNOWN | KEM_768, 0, IKE_KE_NEVER, &ch), 0);
	assert_int_equal(ike_addke_next(ch.addke, 0), IKE_ADDKE_MAX);
}
