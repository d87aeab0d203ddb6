/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_stp.c - topology changes of a spanning tree that crosses the
 * hub: which BPDUs speak of one, and what is forgotten.
 */
#include "test/unit/vhub/rig.h"
#include "vhub/priv.h"

#define A "020000000001"
#define B "020000000002"
#define BRIDGE "020000000009"
#define ALL "ffffffffffff"
#define DATA "88b6 0102030405060708"
#define BPDU "0180c2000000" BRIDGE "0026 424203 0000"
#define PVST "01000ccccccd" BRIDGE "0032 aaaa03 00000c 010b 0000"

static void
begin(struct rig *r, bool pass)
{
	struct hub_conf c = { .name = "test", .has_bridge = true,
		.pass_stp = pass, .loop = HUB_LOOP_OFF, .n_worker = 2,
		.buf_new = rig_buf_new, .ctx = r };

	rig_init(r, true);
	hub_free(r->h);
	assert_int_equal(hub_new(&r->h, &c), 0);
	rig_add(r, 0, HUB_PORT_TAP, "02:00:00:00:00:f0", NULL);
	for (unsigned i = 1; i < 4; i++)
		rig_add(r, i, HUB_PORT_ETHER, NULL, NULL);
	rig_tick(r, 100);
}

/* A is behind port 1, B behind port 2. */
static void
teach(struct rig *r)
{
	rig_in_hex(r, 1, ALL A DATA);
	rig_in_hex(r, 2, ALL B DATA);
	rig_clear(r);
}

static unsigned
known(struct rig *r)
{
	return mactab_count(r->h->macs);
}

TEST(only_some_bpdus_speak_of_a_change)
{
	static const struct {
		const char *hex;
		bool is_change;
	} row[] = {
		{ "424203 0000 00 80", true },		/* notification */
		{ "424203 0000 00 00 01", true },
		{ "424203 0000 00 00 80", false },	/* it is acknowledged */
		{ "424203 0000 00 00 00", false },
		{ "424203 0000 02 02 3d", true },	/* rapid */
		{ "424203 0000 02 02 3c", false },
		{ "424203 0000 00 01 01", false },	/* no such type */
		{ "424203 0001 00 80", false },		/* another protocol */
		{ "424204 0000 00 80", false },
		{ "424203 0000 00", false },		/* cut short */
		{ "424203 0000 00 00", false },
		{ "4242", false },
		{ "", false },
		{ "aaaa03 00000c 010b 0000 00 80", true },
		{ "aaaa03 00000c 010b 0000 02 02 01", true },
		{ "aaaa03 00000c 010c 0000 00 80", false },
		{ "aaaa03 00000d 010b 0000 00 80", false },
		{ "aaaa03 0000", false },
	};

	for (unsigned i = 0; i < N_OF(row); i++) {
		uint8_t b[64];
		struct view v = { b, test_hex(row[i].hex, b, sizeof(b)) };

		if (stp_is_change(v) != row[i].is_change)
			fail_msg("%s", row[i].hex);
	}
}

TEST(a_change_forgets_what_was_learned_on_every_port)
{
	struct rig r;

	begin(&r, true);
	teach(&r);
	assert_int_equal(known(&r), 2);
	rig_in_hex(&r, 3, BPDU "00 00 00 000000");
	rig_expect(&r, 1, 1);
	rig_tick(&r, 1);
	assert_int_equal(known(&r), 2);
	rig_in_hex(&r, 3, BPDU "00 80");
	rig_tick(&r, 1);
	assert_int_equal(known(&r), 0);
	rig_clear(&r);
	rig_in_hex(&r, 0, A "0200000000f0" DATA); /* unknown now */
	rig_expect(&r, 1, 1);
	rig_expect(&r, 2, 1);
	rig_fini(&r);
}

TEST(while_a_change_goes_on_addresses_are_kept_for_a_short_time)
{
	struct rig r;

	begin(&r, true);
	rig_in_hex(&r, 3, PVST "02 02 01");
	rig_tick(&r, 1);
	teach(&r); /* learned anew */
	for (unsigned s = 0; s < 40; s++) {
		rig_in_hex(&r, 3, PVST "02 02 01");
		if (s % 4 == 0)
			rig_in_hex(&r, 1, ALL A DATA);
		rig_clear(&r);
		rig_tick(&r, 1);
		/* Not thrown away with each BPDU, but soon when silent. */
		assert_int_equal(known(&r), s < 14 ? 2 : known(&r));
	}
	assert_int_equal(known(&r), 1);
	rig_tick(&r, 6); /* over */
	teach(&r);
	rig_tick(&r, 200);
	assert_int_equal(known(&r), 2);
	rig_fini(&r);
}

TEST(changes_again_and_again_do_not_keep_the_hub_flooding)
{
	struct rig r;
	unsigned n_flush = 0;

	begin(&r, true);
	for (unsigned s = 0; s < 60; s += 6) { /* a new one each time */
		teach(&r);
		rig_in_hex(&r, 3, BPDU "00 80");
		rig_tick(&r, 1);
		n_flush += known(&r) == 0;
		rig_tick(&r, 5);
	}
	assert_true(n_flush >= 4 && n_flush <= 6); /* one in 10 s at most */
	rig_fini(&r);
}

TEST(filtered_bpdus_change_nothing)
{
	struct rig r;

	begin(&r, false);
	teach(&r);
	rig_in_hex(&r, 3, BPDU "00 80");
	rig_in_hex(&r, 3, PVST "00 80");
	rig_tick(&r, 1);
	assert_int_equal(known(&r), 2);
	assert_int_equal(drop_sum(DROP_HUB_LINKLOCAL), 2);
	rig_fini(&r);
}
