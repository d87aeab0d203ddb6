/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_rawip.c - which IP headers in front of ESP are taken.
 */
#include "daemon/core/rawip.h"
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "esp/csum.h"
#include "test/lib/test.h"

static uint8_t pkt[2048];
static struct rawip ip;

static void
sum(void)
{
	be16_put(pkt + 10, 0);
	be16_put(pkt + 10, (uint16_t)~esp_csum_part(pkt, 20));
}

/* 192.0.2.1 -> 192.0.2.2, n bytes of ESP. */
static void
make4(uint16_t n)
{
	static const uint8_t head[20] = {
		0x45, 0, 0, 0, 0x12, 0x34, 0, 0, 64, 50, 0, 0,
		192, 0, 2, 1, 192, 0, 2, 2,
	};

	memcpy(pkt, head, sizeof(head));
	be16_put(pkt + 2, (uint16_t)(20 + n));
	for (unsigned i = 0; i < n; i++)
		pkt[20 + i] = (uint8_t)i;
	sum();
}

/* 2001:db8::1 -> 2001:db8::2. */
static void
make6(uint16_t n, uint8_t next)
{
	memset(pkt, 0, 40);
	pkt[0] = 0x60;
	be16_put(pkt + 4, n);
	pkt[6] = next;
	pkt[7] = 64;
	for (int i = 0; i < 2; i++) {
		be32_put(pkt + 8 + i * 16, 0x20010db8);
		pkt[23 + i * 16] = (uint8_t)(i + 1);
	}
}

static int
decode(size_t n)
{
	return rawip_decode((struct view){ pkt, n }, &ip);
}

TEST(ipv4_gives_addresses_and_esp_without_padding_of_the_link)
{
	struct ip_addr src, dst;

	make4(30);
	assert_int_equal(decode(64), 0); /* Ethernet pads to 60 */
	assert_int_equal(ip_parse("192.0.2.1", &src), 0);
	assert_int_equal(ip_parse("192.0.2.2", &dst), 0);
	assert_true(ip_equal(&ip.src, &src));
	assert_true(ip_equal(&ip.dst, &dst));
	assert_int_equal(ip.data.len, 30);
	assert_ptr_equal(ip.data.p, pkt + 20);
	assert_false(rawip_is_piece(&ip));
}

TEST(ipv4_pieces_tell_their_place)
{
	make4(64);
	be16_put(pkt + 6, 0x2000 | 10);
	sum();
	assert_int_equal(decode(84), 0);
	assert_true(rawip_is_piece(&ip));
	assert_true(ip.more);
	assert_int_equal(ip.off, 80);
	assert_int_equal(ip.id, 0x1234);
	be16_put(pkt + 6, 0x4000); /* "do not fragment" is none */
	sum();
	assert_int_equal(decode(84), 0);
	assert_false(rawip_is_piece(&ip));
}

TEST(a_wrong_header_checksum_is_refused)
{
	make4(64);
	for (unsigned bit = 0; bit < 160; bit++) {
		pkt[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(decode(84), 0);
		pkt[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(decode(84), 0);
}

TEST(lengths_beyond_the_packet_are_refused)
{
	make4(64);
	for (size_t n = 0; n < 84; n++)
		assert_int_not_equal(decode(n), 0);
	be16_put(pkt + 2, 19);
	sum();
	assert_int_equal(decode(84), ERR_SYNTAX);
	make6(64, 50);
	for (size_t n = 0; n < 104; n++)
		assert_int_not_equal(decode(n), 0);
	assert_int_equal(decode(104), 0);
}

TEST(what_the_kernel_has_to_look_at_is_left_to_it)
{
	make4(64);
	pkt[0] = 0x46;
	sum();
	assert_int_equal(decode(84), ERR_UNSUP);
	make4(64);
	pkt[9] = 51;
	sum();
	assert_int_equal(decode(84), ERR_UNSUP);
	for (unsigned next = 0; next < 256; next++) {
		make6(64, (uint8_t)next);
		memset(pkt + 40, 0, 64);
		if (next != 50)
			assert_int_equal(decode(104), ERR_UNSUP);
	}
}

TEST(addresses_that_no_host_has_are_refused)
{
	static const uint8_t bad[][4] = {
		{ 0, 0, 0, 0 }, { 0, 1, 2, 3 }, { 224, 0, 0, 1 },
		{ 239, 1, 2, 3 }, { 240, 0, 0, 1 }, { 255, 255, 255, 255 },
	};

	for (unsigned i = 0; i < N_OF(bad); i++)
		for (unsigned at = 12; at <= 16; at += 4) {
			make4(64);
			memcpy(pkt + at, bad[i], 4);
			sum();
			assert_int_equal(decode(84), ERR_ADDR);
		}
	make6(64, 50);
	pkt[8] = 0xff;
	assert_int_equal(decode(104), ERR_ADDR);
	make6(64, 50);
	memset(pkt + 24, 0, 16);
	assert_int_equal(decode(104), ERR_ADDR);
}

TEST(ipv6_is_taken_at_once_or_behind_a_fragment_header)
{
	make6(64, 50);
	assert_int_equal(decode(104), 0);
	assert_int_equal(ip.data.len, 64);
	assert_false(rawip_is_piece(&ip));
	make6(64, 44);
	memset(pkt + 40, 0, 8);
	pkt[40] = 50;
	be16_put(pkt + 42, 24 | 1);
	be32_put(pkt + 44, 0xdeadbeef);
	assert_int_equal(decode(104), 0);
	assert_true(rawip_is_piece(&ip));
	assert_true(ip.more);
	assert_int_equal(ip.off, 24);
	assert_int_equal(ip.id, 0xdeadbeef);
	assert_int_equal(ip.data.len, 56);
	be16_put(pkt + 42, 0); /* atomic, RFC 6946 */
	assert_int_equal(decode(104), ERR_UNSUP);
	be16_put(pkt + 42, 24 | 1);
	pkt[40] = 60;
	assert_int_equal(decode(104), ERR_UNSUP);
}
