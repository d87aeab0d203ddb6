/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_fit.c - packets and the sizes of tunnels: what is lowered,
 * what is answered, what passes.
 */
#include "test/unit/vhub/rig.h"
#include "test/unit/vhub/tcpmake.h"
#include "vhub/frame.h"
#include "vhub/icmp.h"

#define TAP  "02:00:00:00:00:f0"
#define HOST "\x02\0\0\0\0\x01"
#define FAR  "\x02\0\0\0\0\x02"
#define TAG  "\x81\0\0\x0a"

/* TAP 0, with a host behind; Ethernet peer 1, with another; IP peers 2 and 3. */
static void
setup(struct rig *r)
{
	rig_init(r, true);
	rig_add(r, 0, HUB_PORT_TAP, TAP, NULL);
	rig_add(r, 1, HUB_PORT_ETHER, NULL, NULL);
	rig_add(r, 2, HUB_PORT_IP, "02:00:00:00:00:a1", "10.2.0.0/16");
	rig_add(r, 3, HUB_PORT_IP, "02:00:00:00:00:a3", "10.3.0.0/16");
	rig_in_hex(r, 0, "ffffffffffff 020000000001 88b6 00");
	rig_in_hex(r, 1, "ffffffffffff 020000000002 88b6 00");
	rig_in_hex(r, 0, "ffffffffffff 020000000001 8100000a 88b6 00");
	rig_in_hex(r, 1, "ffffffffffff 020000000002 8100000a 88b6 00");
	rig_clear(r);
	drop_reset();
	hub_port_mtu(r->h, r->port[1].num, 1400, 0);
	hub_port_mtu(r->h, r->port[2].num, 1300, 0);
	hub_port_mtu(r->h, r->port[3].num, 1200, 0);
}

/* An Ethernet frame around a packet. */
static size_t
frame(uint8_t *f, const char *dst, const char *src, bool has_tag,
      const uint8_t *packet, size_t n)
{
	size_t at = has_tag ? 18 : 14;

	memcpy(f, dst, 6);
	memcpy(f + 6, src, 6);
	memcpy(f + 12, TAG, 4);
	be16_put(f + at - 2, packet[0] >> 4 == 4 ? ETHER_IPV4 : ETHER_IPV6);
	memcpy(f + at, packet, n);
	return at + n;
}

static void
send_syn(struct rig *r, unsigned port, const char *dst, const char *src,
	 bool has_tag)
{
	static const uint8_t mss[4] = { 2, 4, 0x05, 0xb4 };
	struct tcpmake m;
	uint8_t f[256];

	tcpmake(&m, 4, TCPMAKE_SYN, mss, 4, 0);
	rig_in(r, port, f, frame(f, dst, src, has_tag, m.b, m.len));
}

/* MSS of the kth frame that left by a port. */
static unsigned
mss_out(const struct rig *r, unsigned port, unsigned k, size_t ip)
{
	assert_true(k < r->port[port].n_out);
	return be16_get(r->port[port].out[k]->data + ip + 42);
}

/* A large TCP segment or other packet of n bytes comes by a port. */
static void
send_large(struct rig *r, unsigned port, unsigned family, uint8_t proto,
	   bool has_df, size_t n)
{
	struct tcpmake m;
	uint8_t f[2100];

	tcpmake(&m, family, TCPMAKE_ACK, NULL, 0,
		n - (family == 4 ? 40 : 60));
	m.b[family == 4 ? 9 : 6] = proto;
	if (family == 4 && !has_df)
		be16_put(m.b + 6, 0);
	rig_in(r, port, f, port == 0 ? frame(f, FAR, HOST, false, m.b, m.len) :
	       frame(f, HOST, FAR, false, m.b, m.len));
}

TEST(a_syn_is_lowered_on_its_way_in_and_on_its_way_out)
{
	struct rig r;

	setup(&r);
	send_syn(&r, 0, FAR, HOST, false);
	assert_int_equal(mss_out(&r, 1, 0, 14), 1360);
	send_syn(&r, 1, HOST, FAR, false);
	assert_int_equal(mss_out(&r, 0, 0, 14), 1360);
	rig_fini(&r);
}

TEST(a_tag_takes_from_the_room)
{
	struct rig r;

	setup(&r);
	send_syn(&r, 0, FAR, HOST, true);
	assert_int_equal(mss_out(&r, 1, 0, 18), 1356);
	rig_fini(&r);
}

TEST(a_syn_with_data_is_lowered_too)
{
	static const uint8_t mss[4] = { 2, 4, 0x05, 0xb4 };
	struct tcpmake m;
	uint8_t f[1500];
	struct rig r;

	setup(&r);	/* RFC 7413 */
	tcpmake(&m, 4, TCPMAKE_SYN, mss, 4, 1300);
	rig_in(&r, 0, f, frame(f, FAR, HOST, false, m.b, m.len));
	assert_int_equal(mss_out(&r, 1, 0, 14), 1360);
	tcpmake(&m, 4, TCPMAKE_SYN, mss, 4, 1400); /* and too large at once */
	rig_in(&r, 0, f, frame(f, FAR, HOST, false, m.b, m.len));
	rig_expect(&r, 1, 1);
	rig_expect(&r, 0, 1);
	rig_fini(&r);
}

TEST(a_syn_within_a_run_is_lowered_too)
{
	struct rig r;

	setup(&r);
	send_large(&r, 0, 4, 6, true, 1000);
	send_syn(&r, 0, FAR, HOST, false);
	assert_int_equal(mss_out(&r, 1, 1, 14), 1360);
	rig_fini(&r);
}

TEST(a_flooded_syn_is_lowered_once_to_the_smallest_tunnel)
{
	struct rig r;

	setup(&r);
	hub_port_mtu(r.h, r.port[1].num, 1350, 0);
	send_syn(&r, 0, "\x02\0\0\0\0\x77", HOST, false);
	rig_expect(&r, 1, 1);
	/* IP ports have no part in it, but may get the answer */
	assert_int_equal(mss_out(&r, 1, 0, 14), 1160);
	rig_fini(&r);
}

TEST(without_a_size_nothing_is_touched)
{
	struct rig r;

	setup(&r);
	hub_port_mtu(r.h, r.port[1].num, 0, 0);
	send_syn(&r, 0, FAR, HOST, false);
	assert_int_equal(mss_out(&r, 1, 0, 14), 1460);
	send_large(&r, 0, 4, 6, true, 1500);
	rig_expect(&r, 1, 2);
	rig_expect(&r, 0, 0);
	rig_fini(&r);
}

/* The answer says so much, comes from the packet's destination, and quotes it. */
static void
told4(const struct rig *r, unsigned port, unsigned mtu)
{
	const struct buf *b = r->port[port].out[0];
	const uint8_t *ip = b->data + 14;
	struct ip_head h;

	rig_expect((struct rig *)(uintptr_t)r, port, 1);
	assert_memory_equal(b->data, HOST FAR "\x08\0", 14);
	assert_int_equal(ip_dec((struct view){ ip, b->len - 14 }, &h), 0);
	assert_int_equal(h.total_len, 576);
	assert_int_equal(b->len, 14 + 576);
	assert_int_equal(ip_sum(ip, 20), 0);
	assert_memory_equal(ip + 12, "\x0a\0\0\x02\x0a\0\0\x01", 8);
	assert_int_equal(h.proto, 1);
	assert_memory_equal(ip + 20, "\x03\x04", 2);
	assert_int_equal(ip_sum(ip + 20, 556), 0);
	assert_int_equal(be16_get(ip + 24), 0);
	assert_int_equal(be16_get(ip + 26), mtu);
	assert_int_equal(be16_get(ip + 28 + 2), 1401); /* quoted */
}

TEST(a_sender_that_forbids_cutting_is_told_and_the_packet_ends)
{
	struct rig r;

	setup(&r);
	send_large(&r, 0, 4, 6, true, 1400);
	rig_expect(&r, 1, 1); /* just fits */
	send_large(&r, 0, 4, 6, true, 1401);
	rig_expect(&r, 1, 1);
	told4(&r, 0, 1400);
	assert_int_equal(drop_sum(DROP_HUB_TOOBIG), 1);
	rig_fini(&r);
}

TEST(a_sender_of_ipv6_is_told)
{
	struct rig r;
	const uint8_t *p;

	setup(&r);
	send_large(&r, 0, 6, 6, true, 1401);
	rig_expect(&r, 1, 0);
	rig_expect(&r, 0, 1);
	p = r.port[0].out[0]->data;
	assert_memory_equal(p, HOST FAR "\x86\xdd", 14);
	assert_int_equal(r.port[0].out[0]->len, 14 + ICMP_MAX);
	assert_int_equal(p[14 + 6], 58);
	assert_memory_equal(p + 14 + 40, "\x02\0", 2);
	assert_int_equal(be32_get(p + 14 + 44), 1400);
	rig_fini(&r);
}

TEST(ipv6_is_never_asked_for_less_than_1280)
{
	struct rig r;

	setup(&r);
	hub_port_mtu(r.h, r.port[1].num, 500, 0);
	send_large(&r, 0, 6, 6, true, 1280);
	rig_expect(&r, 1, 1); /* cut outside */
	send_large(&r, 0, 6, 6, true, 1281);
	rig_expect(&r, 1, 1);
	assert_int_equal(be32_get(r.port[0].out[0]->data + 14 + 44), 1280);
	rig_fini(&r);
}

TEST(what_may_be_cut_passes)
{
	struct rig r;

	setup(&r);
	send_large(&r, 0, 4, 17, false, 1500);
	rig_expect(&r, 1, 1);
	rig_expect(&r, 0, 0);
	rig_fini(&r);
}

TEST(full_frames_pass_where_the_configuration_wants_them)
{
	struct rig r;

	setup(&r);
	hub_port_mtu(r.h, r.port[1].num, 1400, 1500);
	send_large(&r, 0, 4, 17, true, 1500);
	send_large(&r, 0, 6, 17, true, 1500);
	rig_expect(&r, 1, 2);
	send_large(&r, 0, 4, 17, true, 1501);
	rig_expect(&r, 1, 2);
	assert_int_equal(be16_get(r.port[0].out[0]->data + 14 + 26), 1500);
	/* yet TCP is asked for what leaves whole */
	send_syn(&r, 0, FAR, HOST, false);
	assert_int_equal(mss_out(&r, 1, 2, 14), 1360);
	rig_fini(&r);
}

TEST(less_than_what_fits_is_the_configurations_word)
{
	struct rig r;

	setup(&r);
	hub_port_mtu(r.h, r.port[1].num, 1400, 1350);
	send_large(&r, 0, 4, 17, true, 1351);
	rig_expect(&r, 1, 0);
	assert_int_equal(be16_get(r.port[0].out[0]->data + 14 + 26), 1350);
	send_syn(&r, 0, FAR, HOST, false);
	assert_int_equal(mss_out(&r, 1, 0, 14), 1310);
	rig_fini(&r);
}

TEST(nobody_is_told_about_errors_pieces_and_groups)
{
	struct rig r;
	struct tcpmake m;
	uint8_t f[2100];

	setup(&r);
	tcpmake(&m, 4, 0, NULL, 0, 1460);
	be16_put(m.b + 6, 0x6000); /* DF and more pieces */
	rig_in(&r, 0, f, frame(f, FAR, HOST, false, m.b, m.len));
	tcpmake(&m, 4, 0, NULL, 0, 1460);
	m.b[9] = 1;
	m.b[20] = 3; /* an error of ICMP */
	rig_in(&r, 0, f, frame(f, FAR, HOST, false, m.b, m.len));
	tcpmake(&m, 6, 0, NULL, 0, 1440);
	m.b[6] = 58;
	m.b[40] = 1;
	rig_in(&r, 0, f, frame(f, FAR, HOST, false, m.b, m.len));
	tcpmake(&m, 4, 0, NULL, 0, 1460);
	memcpy(m.b + 16, "\xe0\0\0\x09", 4);
	rig_in(&r, 0, f, frame(f, FAR, HOST, false, m.b, m.len));
	tcpmake(&m, 4, 0, NULL, 0, 1460);
	memcpy(m.b + 12, "\0\0\0\0", 4); /* from nobody */
	rig_in(&r, 0, f, frame(f, FAR, HOST, false, m.b, m.len));
	rig_expect(&r, 1, 5);
	rig_expect(&r, 0, 0);
	/* but about an echo */
	tcpmake(&m, 4, 0, NULL, 0, 1460);
	m.b[9] = 1;
	m.b[20] = 8;
	rig_in(&r, 0, f, frame(f, FAR, HOST, false, m.b, m.len));
	rig_expect(&r, 0, 1);
	rig_fini(&r);
}

TEST(answers_are_bounded_in_rate)
{
	struct rig r;

	setup(&r);
	for (int i = 0; i < 250; i++)
		send_large(&r, 0, 4, 17, true, 1500);
	rig_expect(&r, 1, 0);
	assert_int_equal(drop_sum(DROP_HUB_TOOBIG), 250);
	assert_true(r.port[0].n_out >= 100 && r.port[0].n_out <= 120);
	rig_fini(&r);
}

TEST(between_ip_peers_the_answer_is_a_bare_packet)
{
	struct tcpmake m;
	struct rig r;

	setup(&r);
	tcpmake(&m, 4, TCPMAKE_ACK, NULL, 0, 1210);
	memcpy(m.b + 12, "\x0a\x02\0\x05\x0a\x03\0\x07", 8);
	rig_in(&r, 2, m.b, m.len);
	rig_expect(&r, 3, 0);
	rig_expect(&r, 2, 1);
	assert_memory_equal(r.port[2].out[0]->data + 12,
			    "\x0a\x03\0\x07\x0a\x02\0\x05", 8);
	assert_int_equal(be16_get(r.port[2].out[0]->data + 26), 1200);
	rig_clear(&r);
	tcpmake(&m, 4, TCPMAKE_SYN, (const uint8_t *)"\x02\x04\x05\xb4", 4, 0);
	memcpy(m.b + 12, "\x0a\x02\0\x05\x0a\x03\0\x07", 8);
	rig_in(&r, 2, m.b, m.len);
	assert_int_equal(mss_out(&r, 3, 0, 0), 1160);
	rig_fini(&r);
}

TEST(super_frames_of_tcp_pass_and_of_udp_as_their_segments)
{
	struct tcpmake m;
	struct rig r;
	struct buf *b;
	uint8_t f[2100];

	setup(&r);
	for (unsigned i = 0; i < 3; i++) {
		tcpmake(&m, 4, TCPMAKE_ACK, NULL, 0, 1960);
		if (i > 0)
			m.b[9] = 17;
		b = rig_buf(&r, f, frame(f, FAR, HOST, false, m.b, m.len));
		b->seg_len = i == 1 ? 1372 : 1373;
		hub_input(r.h, 0, r.port[0].num, &b, 1);
	}
	rig_expect(&r, 1, 2);
	rig_expect(&r, 0, 1);
	rig_fini(&r);
}
