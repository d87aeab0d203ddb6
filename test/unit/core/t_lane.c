/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_lane.c - lanes: flows keep theirs, and each has its turn.
 */
#include "daemon/core/lane.h"
#include <string.h>
#include "test/lib/test.h"

#define N 8

/* Ethernet, IPv4 or IPv6, ports; for the reply all pairs change places. */
struct frame {
	uint8_t b[80];
	size_t len;
};

static void
put(struct frame *f, const void *p, size_t n)
{
	memcpy(f->b + f->len, p, n);
	f->len += n;
}

struct flow {
	uint8_t family, proto, frag;
	uint8_t host[2];	/* last byte of the addresses */
	uint8_t port[2];
	bool has_vlan;
};

static struct frame
build(const struct flow *f, bool is_reply)
{
	int a = is_reply, z = !is_reply;
	uint8_t mac[2][6] = { { 2, 0, 0, 0, 0, f->host[a] },
			      { 2, 0, 0, 0, 0, f->host[z] } };
	uint8_t ip4[12] = { 0x45, [6] = f->frag, [8] = 64, [9] = f->proto };
	uint8_t ip6[8] = { 0x60, [6] = f->proto, [7] = 64 };
	uint8_t addr[2][16] = { { 10, [3] = f->host[a], [15] = 1 },
				{ 10, [3] = f->host[z], [15] = 1 } };
	uint8_t port[4] = { 9, f->port[a], 9, f->port[z] };
	uint8_t tag[4] = { 0x81, 0, 0, 7 };
	uint8_t type[2] = { f->family == 4 ? 0x08 : 0x86,
			    f->family == 4 ? 0x00 : 0xdd };
	struct frame out = { .len = 0 };

	put(&out, mac[1], 6);
	put(&out, mac[0], 6);
	if (f->has_vlan)
		put(&out, tag, sizeof(tag));
	put(&out, type, sizeof(type));
	put(&out, f->family == 4 ? ip4 : ip6, f->family == 4 ? 12 : 8);
	put(&out, addr[0], f->family == 4 ? 4 : 16);
	put(&out, addr[1], f->family == 4 ? 4 : 16);
	put(&out, port, sizeof(port));
	return out;
}

static uint32_t
hash_of(struct flow f, bool is_reply)
{
	struct frame x = build(&f, is_reply);

	return lane_hash((struct view){ x.b, x.len });
}

TEST(both_directions_of_a_flow_share_a_lane)
{
	static const struct flow some[] = {
		{ 4, 6, 0, { 1, 2 }, { 80, 200 }, false },
		{ 4, 17, 0, { 9, 2 }, { 53, 77 }, true },
		{ 4, 1, 0, { 3, 4 }, { 8, 0 }, false },
		{ 6, 6, 0, { 1, 2 }, { 80, 200 }, true },
		{ 6, 58, 0, { 5, 6 }, { 128, 129 }, false },
	};

	for (size_t i = 0; i < N_OF(some); i++)
		assert_int_equal(hash_of(some[i], false),
				 hash_of(some[i], true));
}

TEST(flows_of_one_pair_of_hosts_spread_over_the_lanes)
{
	for (unsigned family = 4; family <= 6; family += 2) {
		unsigned n[4] = { 0 };

		for (unsigned i = 0; i < 200; i++) {
			struct flow f = { (uint8_t)family, 6, 0, { 1, 2 },
					  { (uint8_t)i, 201 }, false };

			n[hash_of(f, false) & 3]++;
		}
		for (unsigned i = 0; i < 4; i++)
			assert_in_range(n[i], 25, 90);
	}
}

TEST(fragments_of_a_datagram_stay_together)
{
	struct flow first = { 4, 17, 0x20, { 1, 2 }, { 1, 2 }, false };
	struct flow later = { 4, 17, 0x01, { 1, 2 }, { 77, 88 }, false };

	assert_int_equal(hash_of(first, false), hash_of(later, false));
}

TEST(any_length_of_any_frame_has_a_lane)
{
	struct flow f = { 4, 6, 0, { 1, 2 }, { 80, 200 }, true };
	struct frame x = build(&f, false);
	uint32_t whole = lane_hash((struct view){ x.b, x.len });

	for (size_t len = 0; len < x.len; len++)
		(void)lane_hash((struct view){ x.b, len });
	x.b[18] = 0x4f; /* options that are not there */
	assert_int_not_equal(lane_hash((struct view){ x.b, x.len }), whole);
}

static void
point(struct lane *l, struct lane **ready, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ready[i] = &l[i];
}

TEST(short_lanes_come_before_one_long_one)
{
	struct lane l[N] = { { 0 } }, *ready[N];

	point(l, ready, N);
	assert_int_equal(lane_turns(ready, N), N);
	l[0] = (struct lane){ 5, true };
	l[3] = (struct lane){ 2, true };
	l[7] = (struct lane){ 9, true };
	point(l, ready, N);
	assert_int_equal(lane_turns(ready, N), N - 2);
	for (unsigned i = 0; i < N - 3; i++)
		assert_false(ready[i]->is_long);
	assert_ptr_equal(ready[N - 3], &l[3]);
	assert_int_equal(lane_turns(ready, 0), 0);
}

TEST(long_lanes_get_the_same_number_of_turns)
{
	struct lane l[N] = { { 0 } }, *ready[N];
	unsigned served[N] = { 0 };
	uint64_t turn = 0;

	for (unsigned i = 0; i < N; i++)
		l[i].is_long = true;
	for (unsigned round = 0; round < 10 * N; round++) {
		point(l, ready, N); /* always in the same order */
		assert_int_equal(lane_turns(ready, N), 1);
		ready[0]->turn = ++turn;
		served[ready[0] - l]++;
	}
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(served[i], 10);
}
