/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_order.c - strict order: what is held, what is late, and that
 * nothing is held for long.
 */
#include "test/unit/esp/rig.h"
#include "esp/order.h"

#define PAIR 3
#define LEN  100

/* A pair whose receiver delivers in order, and n sealed frames, tagged 1 .. n. */
static struct buf **
sealed(unsigned n)
{
	static struct buf *pkt[RIG_MAX + 1];

	rig_open(1);
	for (unsigned i = 0; i < 2; i++) {
		struct vpn_child c = rig_child(i, PAIR, VPN_ALG_AES_GCM_256,
					       VPN_MODE_ETHER);

		c.is_strict = i == 1;
		rig_install(i, &c);
	}
	for (unsigned i = 1; i <= n; i++) {
		rig_out(0, rig_frame(LEN, (uint8_t)i));
		pkt[i] = rig[0].wire[--rig[0].n_wire];
	}
	return pkt;
}

/* Exactly these came out, in this order; hexadecimal tags. */
static void
delivered(const char *tags)
{
	uint8_t want[RIG_MAX];
	size_t n = test_hex(tags, want, sizeof(want));

	assert_int_equal(rig[1].n_got, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(rig[1].got[i]->data[LEN - 1], want[i]);
}

static void
wait_ms(unsigned ms)
{
	rig_now_ms += ms;
	esp_tick(rig[1].esp, 0);
}

TEST(what_comes_early_waits_for_its_turn)
{
	struct buf **p = sealed(6);

	rig_in(1, p[1]);
	rig_in(1, p[3]);
	rig_in(1, p[4]);
	delivered("01");
	assert_true(esp_is_holding(rig[1].esp, 0));
	rig_in(1, p[2]);
	delivered("01020304");
	rig_in(1, p[6]);
	rig_in(1, p[5]);
	delivered("010203040506");
	wait_ms(0);
	assert_false(esp_is_holding(rig[1].esp, 0));
	rig_close();
}

TEST(a_batch_comes_out_in_order)
{
	struct buf **p = sealed(8), *b[8] = { p[8], p[7], p[6], p[5], p[4],
	    p[3], p[2], p[1] };

	rig_in_n(1, b, 8);
	delivered("0102030405060708");
	assert_int_equal(rig[1].n_deliver, 1);
	rig_close();
}

TEST(a_lost_packet_is_not_waited_for_long_and_is_late_then)
{
	struct buf **p = sealed(5);

	rig_in(1, p[1]);
	rig_in(1, p[3]);
	wait_ms(ESP_ORDER_MS - 1);
	rig_in(1, p[5]);
	delivered("01");
	wait_ms(1);
	delivered("0103");
	rig_in(1, p[2]);
	assert_int_equal(drop_sum(DROP_ESP_LATE), 1);
	delivered("0103");
	rig_in(1, p[4]);
	delivered("01030405");
	rig_close();
}

TEST(none_waits_longer_though_others_come)
{
	struct buf **p = sealed(9);

	rig_in(1, p[5]);		/* waits for 1 to 4 */
	rig_now_ms += ESP_ORDER_MS - 2;
	rig_in(1, p[3]);
	wait_ms(2);
	delivered("0305");
	assert_false(esp_is_holding(rig[1].esp, 0));
	rig_in(1, p[4]);
	rig_in(1, p[2]);
	assert_int_equal(drop_sum(DROP_ESP_LATE), 2);
	for (unsigned i = 1; i <= 9; i++)
		if (i == 1 || i > 5)
			buf_put(p[i]);
	rig_close();
}

TEST(a_gap_wider_than_what_is_held_is_given_up)
{
	struct buf **p = sealed(200);

	rig_in(1, p[1]);
	rig_in(1, p[3]);
	rig_in(1, p[ESP_ORDER_MAX + 2]); /* one beyond: 2 is given up */
	delivered("0103");
	rig_in(1, p[200]);
	assert_int_equal(rig[1].n_got, 4);
	assert_int_equal(rig[1].got[3]->data[LEN - 1], 200);
	for (unsigned i = 1; i <= 199; i++)
		if (i != 1 && i != 3 && i != ESP_ORDER_MAX + 2)
			buf_put(p[i]);
	rig_close();
}

TEST(a_number_that_brings_no_frame_is_not_waited_for)
{
	struct buf **p = sealed(3), *runt;

	rig_clear(&rig[0]);
	rig_in(1, p[1]);
	rig_in(1, p[3]);
	/* number 2 holds no EtherIP: authentic, not deliverable */
	runt = p[2];
	runt->data[runt->len - 1] ^= 1;
	rig_in(1, runt); /* forged: tells nothing */
	delivered("01");
	assert_int_equal(drop_sum(DROP_ESP_ICV), 1);
	wait_ms(ESP_ORDER_MS);
	delivered("0103");
	rig_close();
}

TEST(a_dummy_takes_its_turn)
{
	struct esp_order o;

	esp_order_init(&o);
	rig_open(1);
	esp_order_put(&o, 2, rig_frame(LEN, 2), 1);
	assert_null(esp_order_take(&o));
	esp_order_put(&o, 1, NULL, 1);
	rig[1].got[rig[1].n_got++] = esp_order_take(&o);
	delivered("02");
	assert_null(esp_order_take(&o));
	assert_int_equal(o.n, 0);
	rig_close();
}

TEST(replays_are_none_the_less_refused)
{
	struct buf **p = sealed(3), *again;

	again = buf_copy(rig_pool, p[3]);
	rig_in(1, p[3]);
	rig_in(1, again);
	assert_int_equal(drop_sum(DROP_ESP_REPLAY), 1);
	rig_in(1, p[1]);
	rig_in(1, p[2]);
	delivered("010203");
	rig_close();
}

TEST(what_is_held_goes_with_its_pair)
{
	struct buf **p = sealed(3);

	rig_in(1, p[2]);
	rig_in(1, p[3]);
	esp_child_del(rig[1].esp, PAIR);
	thr_reclaim_all();
	wait_ms(1);
	assert_false(esp_is_holding(rig[1].esp, 0));
	delivered("");
	buf_put(p[1]);
	rig_close();
}

TEST(many_pairs_hold_no_more_than_the_bound)
{
	rig_open(1);
	for (unsigned k = 0; k < 40; k++) {
		struct vpn_child c = rig_child(1, PAIR + k, VPN_ALG_AES_GCM_256,
					       VPN_MODE_ETHER);

		c.is_strict = true;
		rig_install(1, &c);
		c = rig_child(0, PAIR + k, VPN_ALG_AES_GCM_256, VPN_MODE_ETHER);
		rig_install(0, &c);
		for (unsigned i = 0; i < 12; i++)
			rig_out(0, rig_frame(LEN, (uint8_t)i));
		buf_put(rig[0].wire[0]); /* the first is lost */
		for (unsigned i = 1; i < 12; i++)
			rig_in(1, rig[0].wire[i]);
		rig[0].n_wire = 0;
		assert_true(rig[1].esp->hold[0].n_packet <= ESP_HOLD_PACKETS);
	}
	assert_true(rig[1].n_got >= 40 * 11 - ESP_HOLD_PACKETS);
	wait_ms(ESP_ORDER_MS);
	assert_int_equal(rig[1].n_got, 40 * 11);
	assert_false(esp_is_holding(rig[1].esp, 0));
	rig_close();
}

TEST(without_the_option_nothing_is_held)
{
	struct buf *p[4];

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_256, VPN_MODE_ETHER, true);
	for (unsigned i = 1; i <= 3; i++)
		rig_out(0, rig_frame(LEN, (uint8_t)i));
	for (unsigned i = 0; i < 3; i++)
		p[i] = rig[0].wire[i];
	rig[0].n_wire = 0;
	rig_in(1, p[2]);
	rig_in(1, p[0]);
	rig_in(1, p[1]);
	delivered("030102");
	rig_close();
}
