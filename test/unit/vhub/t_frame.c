/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_frame.c - headers: right ones, and all the wrong ones.
 */
#include "test/lib/test.h"
#include <string.h>
#include "vhub/frame.h"

static struct view
hex(const char *text, uint8_t *buf, size_t cap)
{
	return (struct view){ buf, test_hex(text, buf, cap) };
}

TEST(ethernet_header_is_read_with_and_without_tags)
{
	uint8_t b[64];
	struct eth e;

	assert_int_equal(eth_dec(hex("020000000001 020000000002 0800 4500", b,
	    64), &e), 0);
	assert_int_equal(e.type, ETHER_IPV4);
	assert_int_equal(e.n_tag, 0);
	assert_int_equal(e.data.len, 2);
	assert_int_equal(e.dst.b[5], 1);
	assert_int_equal(e.src.b[5], 2);
	assert_int_equal(eth_dec(hex("020000000001 020000000002 88a8 0064"
	    "8100 2003 86dd 60", b, 64), &e), 0);
	assert_int_equal(e.type, ETHER_IPV6);
	assert_int_equal(e.n_tag, 2);
	assert_int_equal(e.vlan, 100);
	assert_int_equal(e.data.len, 1);
	assert_int_equal(eth_dec(hex("020000000001 020000000002 8100 0001"
	    "8100 0002 8100 0003 0800", b, 64), &e), ERR_LIMIT);
}

TEST(short_ethernet_headers_are_refused_at_every_length)
{
	uint8_t b[64];
	struct view v = hex("020000000001 020000000002 8100 0001 8100 0002 0800",
	    b, 64);
	struct eth e;

	for (v.len = 0; v.len < 22; v.len++)
		assert_int_equal(eth_dec(v, &e), ERR_SHORT);
	assert_int_equal(eth_dec(v, &e), 0);
	assert_int_equal(e.data.len, 0);
}

#define ARP_BODY "0001 0800 06 04 0001 020000000002 0a000001 000000000000 " \
		 "0a000002"

TEST(arp_is_read_padded_or_not)
{
	uint8_t b[64];
	struct view v = hex(ARP_BODY "0000000000000000", b, 64);
	struct arp a;

	assert_int_equal(arp_dec(v, &a), 0);
	assert_int_equal(a.op, ARP_REQUEST);
	assert_int_equal(a.sender_mac.b[5], 2);
	assert_int_equal(a.sender_ip.b[3], 1);
	assert_int_equal(a.target_ip.b[3], 2);
	for (v.len = 0; v.len < 28; v.len++)
		assert_int_equal(arp_dec(v, &a), ERR_SHORT);
	b[4] = 8;
	v.len = 28;
	assert_int_equal(arp_dec(v, &a), ERR_UNSUP);
}

TEST(arp_frame_is_written_as_rfc_826_draws_it)
{
	uint8_t b[ARP_FRAME], want[64];
	struct arp a = { ARP_REPLY, { { 2, 0, 0, 0, 0, 9 } },
		{ { 2, 0, 0, 0, 0, 2 } }, { 4, { 10, 0, 0, 9 } },
		{ 4, { 10, 0, 0, 1 } } };
	struct wcur w;
	size_t n = test_hex("020000000002 020000000009 0806 0001 0800 06 04 0002"
	    "020000000009 0a000009 020000000002 0a000001", want, 64);

	wcur_init(&w, b, sizeof(b));
	arp_enc(&w, &(struct eth_to){ a.target_mac, 0 }, &a);
	assert_int_equal(w.err, 0);
	assert_int_equal(w.len, n);
	assert_memory_equal(b, want, n);
}

TEST(ip_headers_are_checked)
{
	uint8_t b[64];
	struct ip_head h;
	struct view v = hex("4500 0018 0000 0000 4011 0000 0a000001 0a000002"
	    "01020304 0000", b, 64);

	assert_int_equal(ip_dec(v, &h), 0);
	assert_int_equal(h.total_len, 24);
	assert_int_equal(h.proto, 17);
	assert_int_equal(h.hops, 64);
	assert_false(h.is_fragment);
	for (v.len = 0; v.len < 24; v.len++)
		assert_int_equal(ip_dec(v, &h), ERR_SHORT);
	v.len = 24;
	b[6] = 0x20; /* MF */
	assert_int_equal(ip_dec(v, &h), 0);
	assert_true(h.is_fragment);
	b[0] = 0x44; /* IHL 16 */
	assert_int_equal(ip_dec(v, &h), ERR_SYNTAX);
	b[0] = 0x4f; /* IHL 60 > total length */
	assert_int_equal(ip_dec(v, &h), ERR_SYNTAX);
	b[0] = 0x55;
	assert_int_equal(ip_dec(v, &h), ERR_VERSION);
}

TEST(ipv6_length_must_fit)
{
	uint8_t b[64];
	struct ip_head h;
	struct view v = hex("60000000 0002 3a ff 20010db8000000000000000000000001"
	    "20010db8000000000000000000000002 0102", b, 64);

	assert_int_equal(ip_dec(v, &h), 0);
	assert_int_equal(h.total_len, 42);
	for (v.len = 0; v.len < 42; v.len++)
		assert_int_equal(ip_dec(v, &h), ERR_SHORT);
}

/* A neighbour solicitation captured on Linux: fe80::1 asks for fe80::2. */
#define NS                                                                     \
	"60000000 0020 3a ff fe800000000000000000000000000001"                 \
	"ff0200000000000000000001ff000002"                                     \
	"87 00 0000 00000000 fe800000000000000000000000000002 01 01 020000000001"

/* Patch in the checksum, by the rule of RFC 4443 and not by the code under
 * test: pseudo header, message, one's complement. */
static void
sum_nd(uint8_t *b, size_t n)
{
	uint32_t s = 58 + (uint32_t)(n - 40);

	b[42] = b[43] = 0;
	for (size_t i = 8; i < n; i += 2)
		s += (uint32_t)(b[i] << 8 | b[i + 1]);
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	b[42] = (uint8_t)(~s >> 8);
	b[43] = (uint8_t)~s;
}

TEST(neighbour_solicitation_is_read)
{
	uint8_t b[128];
	struct view v = hex(NS, b, 128);
	struct nd n;

	sum_nd(b, v.len);
	assert_int_equal(nd_dec(v, &n), 0);
	assert_int_equal(n.type, ND_SOLICIT);
	assert_true(n.has_mac);
	assert_int_equal(n.mac.b[5], 1);
	assert_int_equal(n.target.b[15], 2);
	for (v.len = 0; v.len < 72; v.len++)
		assert_true(nd_dec(v, &n) != 0);
}

TEST(wrong_neighbour_messages_are_refused)
{
	uint8_t b[128];
	struct view v = hex(NS, b, 128);
	struct nd n;

	sum_nd(b, v.len);
	b[43] ^= 1;
	assert_int_equal(nd_dec(v, &n), ERR_ICV);
	b[7] = 254; /* came from beyond a router */
	assert_int_equal(nd_dec(v, &n), ERR_SYNTAX);
	v = hex(NS, b, 128);
	b[41] = 1; /* code */
	sum_nd(b, v.len);
	assert_int_equal(nd_dec(v, &n), ERR_SYNTAX);
	v = hex(NS, b, 128);
	b[65] = 0; /* option of length 0 */
	sum_nd(b, v.len);
	assert_int_equal(nd_dec(v, &n), ERR_SYNTAX);
	v = hex(NS, b, 128);
	b[65] = 2; /* option beyond the end */
	sum_nd(b, v.len);
	assert_int_equal(nd_dec(v, &n), ERR_SHORT);
	v = hex(NS, b, 128);
	b[48] = 0xff; /* group target */
	sum_nd(b, v.len);
	assert_int_equal(nd_dec(v, &n), ERR_SYNTAX);
	v = hex(NS, b, 128);
	memset(b + 8, 0, 16); /* from ::, with a source address option */
	sum_nd(b, v.len);
	assert_int_equal(nd_dec(v, &n), ERR_SYNTAX);
	v = hex(NS, b, 128);
	b[40] = 136; /* an advertisement to a group with S set */
	b[44] = 0x40;
	sum_nd(b, v.len);
	assert_int_equal(nd_dec(v, &n), ERR_SYNTAX);
	b[44] = 0x20;
	sum_nd(b, v.len);
	assert_int_equal(nd_dec(v, &n), 0);
	assert_false(n.has_mac); /* a source option means nothing there */
	b[40] = 128; /* echo request */
	assert_int_equal(nd_dec(v, &n), ERR_UNSUP);
}

TEST(what_nd_enc_writes_nd_dec_reads)
{
	uint8_t b[ND_FRAME];
	struct nd n = { .type = ND_ADVERT, .is_solicited = true,
		.has_mac = true, .mac = { { 2, 0, 0, 0, 0, 7 } } }, got;
	struct mac dst = { { 2, 0, 0, 0, 0, 1 } };
	struct wcur w;

	assert_int_equal(ip_parse("2001:db8::7", &n.src), 0);
	assert_int_equal(ip_parse("2001:db8::1", &n.dst), 0);
	n.target = n.src;
	wcur_init(&w, b, sizeof(b));
	nd_enc(&w, &(struct eth_to){ dst, 0 }, &n);
	assert_int_equal(w.err, 0);
	assert_int_equal(w.len, ND_FRAME);
	assert_int_equal(nd_dec((struct view){ b + ETH_HEAD,
	    ND_FRAME - ETH_HEAD }, &got), 0);
	assert_true(got.is_solicited);
	assert_true(mac_equal(&got.mac, &n.mac));
	assert_true(ip_equal(&got.target, &n.target));
	sum_nd(b + ETH_HEAD, ND_FRAME - ETH_HEAD);
	assert_int_equal(nd_dec((struct view){ b + ETH_HEAD,
	    ND_FRAME - ETH_HEAD }, &got), 0);
}

TEST(group_addresses_are_mapped)
{
	struct ip_addr ip, node;
	char text[IP_TEXT_MAX];
	struct mac m;

	assert_int_equal(ip_parse("239.129.2.3", &ip), 0);
	m = mac_of_multicast(&ip);
	assert_memory_equal(m.b, "\x01\x00\x5e\x01\x02\x03", 6);
	assert_true(ip_is_multicast(&ip));
	assert_int_equal(ip_parse("2001:db8::12:3456", &ip), 0);
	node = ip_solicited_node(&ip);
	assert_string_equal(ip_text(&node, text), "ff02::1:ff12:3456");
	m = mac_of_multicast(&node);
	assert_memory_equal(m.b, "\x33\x33\xff\x12\x34\x56", 6);
	assert_int_equal(ip_parse("255.255.255.255", &ip), 0);
	assert_true(ip_is_broadcast(&ip));
	assert_false(ip_is_multicast(&ip));
}
