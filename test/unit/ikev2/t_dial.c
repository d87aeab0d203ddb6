/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_dial.c - an engine that dials: which answers it takes.
 */
#include "test/unit/ikev2/engine_help.h"

static void
start_dialling(void)
{
	struct ike_peer_conf peer = { .id = "osaka", .name = "osaka",
		.has_at = true, .is_dial = true };
	struct ike_realm_conf realm = { .index = 1, .n_peer = 1,
					.peer = &peer };

	start(100, 100);
	assert_int_equal(ike_realm_add(ike, &realm), 0);
	ike_peer_at(ike, 1, 0, &there, 1);
	ike_tick(ike, now);
	jobs();
	assert_int_equal(n_sent, 1);
	assert_int_equal(sent[18], IKE_XCHG_IKE_SA_INIT);
}

enum wrong {
	W_NOTHING, W_SPIR_ZERO, W_SPIR_OURS, W_KE_OURS, W_NONCE_OURS, W_GROUP,
	W_KE_SHORT, W_ENCR, W_TWO, W_MSGID, W_ROLE, W_SOURCE, W_NO_SA,
	W_NO_KE, W_NO_NONCE, W_TWO_KE, W_TWO_NONCE, W_NONCE_SHORT, W_END
};

static void
pl_ke(struct ike_build *b, enum wrong w, const struct ike_sa *sa)
{
	static const uint8_t value[32] = { 9 };
	struct ike_ke ke = { .group = w == W_GROUP ? IKE_KE_ECP_256 :
			     IKE_KE_CURVE25519 };

	ke.data = w == W_KE_OURS ? spi_crypto()->dh_public(sa->setup->dh) :
	    (struct view){ value, w == W_KE_SHORT ? 31 : 32 };
	ike_build_begin(b, IKE_PL_KE, false);
	enc_ke(&b->w, &ke);
	ike_build_end(b);
}

static void
pl_nonce(struct ike_build *b, enum wrong w, const struct ike_sa *sa)
{
	static const uint8_t nonce[32] = { 7 };

	ike_build_begin(b, IKE_PL_NONCE, false);
	enc_nonce(&b->w, w == W_NONCE_OURS ? (struct view){ sa->setup->ni,
	    sa->setup->ni_len } : (struct view){ nonce,
	    w == W_NONCE_SHORT ? 15 : 32 });
	ike_build_end(b);
}

/* An answer to our request, wrong in one thing. */
static void
answer_wrong(enum wrong w)
{
	const struct ike_sa *sa = CONTAINER_OF(ike->sas.next, struct ike_sa,
					       node);
	struct ike_hdr h = { .ispi = sa->ispi, .rspi = 0x99,
		.xchg = IKE_XCHG_IKE_SA_INIT, .is_response = true };
	struct ike_choice ch = { .ike = { .encr = SPI_CIPHER_AES_GCM_256,
		.prf = SPI_HASH_SHA256, .group = SPI_GROUP_X25519 },
		.prop_num = 1 };
	struct net_ep from = there;
	struct ike_props props;
	uint8_t buf[800];
	struct ike_build b;
	struct arena a;
	struct view out;

	if (w == W_SPIR_ZERO)
		h.rspi = 0;
	if (w == W_SPIR_OURS)
		h.rspi = sa->ispi;
	h.msgid = w == W_MSGID;
	h.is_initiator = w == W_ROLE;
	if (w == W_ENCR) {
		ch.ike.encr = SPI_CIPHER_AES_CBC_256;	/* not in suite 2026 */
		ch.ike.integ = SPI_HASH_SHA256;
	}
	arena_init(&a, 1 << 16);
	if (w == W_TWO)
		assert_int_equal(ike_prop_offer_ike(&a, VPN_SUITE_2026,
		    (struct view){ NULL, 0 }, &props), 0);
	else
		assert_int_equal(ike_prop_answer_ike(&a, &ch, (struct view){
		    NULL, 0 }, &props), 0);
	ike_build_init(&b, buf, sizeof(buf), &h);
	if (w != W_NO_SA) {
		ike_build_begin(&b, IKE_PL_SA, false);
		enc_sa(&b.w, &props);
		ike_build_end(&b);
	}
	for (unsigned i = 0; i < (w == W_NO_KE ? 0 : w == W_TWO_KE ? 2 : 1); i++)
		pl_ke(&b, w, sa);
	for (unsigned i = 0; i < (w == W_NO_NONCE ? 0 :
				  w == W_TWO_NONCE ? 2 : 1); i++)
		pl_nonce(&b, w, sa);
	assert_int_equal(ike_build_finish(&b, &out), 0);
	if (w == W_SOURCE)
		from.ip.b[3]++;
	ike_input(ike, &here, &from, false, out, now);
	arena_fini(&a);
}

TEST(an_initiator_takes_only_what_it_offered_and_nothing_of_its_own)
{
	start_dialling();
	for (enum wrong w = W_SPIR_ZERO; w < W_END; w++) {
		answer_wrong(w);
		if (n_job != 0)
			fail_msg("wrong answer %d was taken", (int)w);
		assert_int_equal(CONTAINER_OF(ike->sas.next, struct ike_sa,
					      node)->state, IKE_SA_INIT_I);
		assert_int_equal(CONTAINER_OF(ike->sas.next, struct ike_sa,
					      node)->rspi, 0);
	}
	answer_wrong(W_NOTHING);
	assert_int_equal(n_job, 1);	/* the right one still comes through */
	answer_wrong(W_NOTHING);
	assert_int_equal(n_job, 1);
	stop();
}

/* COOKIE (16390) or INVALID_KE_PAYLOAD (17) with this data. */
static void
ask_again(uint16_t type, const void *data, size_t len)
{
	const struct ike_sa *sa = CONTAINER_OF(ike->sas.next, struct ike_sa,
					       node);
	struct ike_hdr h = { .ispi = sa->ispi, .xchg = IKE_XCHG_IKE_SA_INIT,
			     .is_response = true };
	struct ike_build b;
	uint8_t buf[200];
	struct view out;

	ike_build_init(&b, buf, sizeof(buf), &h);
	ike_build_notify(&b, IKE_PROTO_NONE, type, (struct view){ NULL, 0 },
			 (struct view){ data, len });
	assert_int_equal(ike_build_finish(&b, &out), 0);
	ike_input(ike, &here, &there, false, out, now);
	jobs();
}

TEST(cookie_and_other_group_are_followed_three_times)
{
	static const uint8_t ecp[2] = { 0, 19 }, x[2] = { 0, 31 };
	static const uint8_t modp1024[2] = { 0, 2 };

	start_dialling();
	ask_again(IKE_N_INVALID_KE_PAYLOAD, modp1024, 2);	/* not offered */
	ask_again(IKE_N_INVALID_KE_PAYLOAD, x, 2);		/* as we sent */
	ask_again(IKE_N_INVALID_KE_PAYLOAD, x, 1);
	assert_int_equal(n_sent, 1);
	for (unsigned i = 0; i < 10; i++)
		ask_again(IKE_N_INVALID_KE_PAYLOAD, i % 2 == 0 ? ecp : x, 2);
	assert_int_equal(n_sent, 1 + IKE_INIT_AGAIN_MAX);
	stop();
	start_dialling();
	for (unsigned i = 0; i < 10; i++)
		ask_again(IKE_N_COOKIE, "12345678", 8);
	assert_int_equal(n_sent, 1 + IKE_INIT_AGAIN_MAX);
	stop();
}

TEST(our_own_request_sent_back_makes_no_sa)
{
	uint8_t own[2048];
	size_t n;

	start_dialling();
	memcpy(own, sent, n = sent_len);
	input(own, n);
	assert_int_equal(n_job, 0);
	assert_int_equal(ike->n_sa, 1);
	assert_int_equal(drop_sum(DROP_IKE_SPI), 1);
	stop();
}
