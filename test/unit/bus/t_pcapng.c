/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/bus/t_pcapng.c - the blocks of a pcapng file.
 */
#include "test/lib/test.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/bus/pcapng.h"
#include "daemon/base/drop.h"

#define EPB_HEAD 28		/* type, length, interface, time, two lengths */

static char *out;
static size_t len;
static FILE *f;

/* The test closes f; what is in out then goes with the next. */
static void
begin(void)
{
	free(out);
	out = NULL;
	f = open_memstream(&out, &len);
}

static uint32_t
le32(size_t at)
{
	const uint8_t *p = (const uint8_t *)out + at;

	assert_true(at + 4 <= len);
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Where the nth block begins; every block says its length at both ends. */
static size_t
block(unsigned nth)
{
	size_t at = 0;

	fflush(f);
	while (nth-- > 0) {
		assert_int_equal(le32(at + 4) % 4, 0);
		assert_int_equal(le32(at + le32(at + 4) - 4), le32(at + 4));
		at += le32(at + 4);
	}
	return at;
}

static struct cap_pkt
pkt(enum cap_side side, const char *local, const char *remote, size_t n)
{
	static const uint8_t bytes[2000] = { 0x11, 0x22, 0x33, 0x44 };
	struct cap_pkt p = { .side = side, .drop = CAP_NO_DROP,
			     .len = (uint32_t)n, .bytes = { bytes, n } };

	if (local != NULL)
		assert_int_equal(net_ep_parse(local, &p.local), 0);
	if (remote != NULL)
		assert_int_equal(net_ep_parse(remote, &p.remote), 0);
	return p;
}

/* Bytes of the packet in the nth block. */
static const uint8_t *
packet(unsigned nth, uint32_t *n)
{
	size_t at = block(nth);

	assert_int_equal(le32(at), 6);
	*n = le32(at + 20);
	return (const uint8_t *)out + at + EPB_HEAD;
}

static uint32_t
sum(const uint8_t *p, size_t n, uint32_t s)
{
	for (size_t i = 0; i < n; i++)
		s += (uint32_t)p[i] << (i % 2 == 0 ? 8 : 0);
	while (s >> 16 != 0)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

TEST(a_file_begins_with_its_interfaces)
{
	begin();
	pcapng_begin(f);
	fflush(f);
	assert_int_equal(block(1 + PCAPNG_IF_END), len);
	assert_int_equal(le32(0), 0x0a0d0d0a);
	assert_int_equal(le32(8), 0x1a2b3c4d);
	for (unsigned i = 0; i < PCAPNG_IF_END; i++) {
		assert_int_equal(le32(block(1 + i)), 1);
		assert_int_equal(le32(block(1 + i) + 8) & 0xffff,
				 i == PCAPNG_CLEAR ? 1 : 101);
	}
	fclose(f);
}

TEST(esp_in_udp_gets_the_headers_it_had)
{
	struct cap_pkt p = pkt(CAP_ESP_UDP, "192.0.2.1:4500", "192.0.2.2:4501",
			       101);
	const uint8_t *b;
	uint32_t n;

	begin();
	p.is_out = true;
	pcapng_packet(f, &p);
	b = packet(0, &n);
	assert_int_equal(n, 20 + 8 + 101);
	assert_int_equal(sum(b, 20, 0), 0xffff);
	assert_int_equal(b[9], 17);
	assert_memory_equal(b + 12, "\xc0\x00\x02\x01\xc0\x00\x02\x02", 8);
	assert_int_equal(b[20] << 8 | b[21], 4500);
	assert_int_equal(b[22] << 8 | b[23], 4501);
	assert_int_equal(b[24] << 8 | b[25], 109);
	assert_int_equal(b[28], 0x11);
	p.is_out = false;
	pcapng_packet(f, &p);
	b = packet(1, &n);
	assert_memory_equal(b + 12, "\xc0\x00\x02\x02\xc0\x00\x02\x01", 8);
	assert_int_equal(b[20] << 8 | b[21], 4501);
	fflush(f);
	assert_int_equal(block(2), len);
	fclose(f);
}

TEST(udp_in_ipv6_has_its_sum)
{
	struct cap_pkt p = pkt(CAP_IKE_NATT, "[2001:db8::1]:4500",
			       "[2001:db8::2]:4500", 77);
	const uint8_t *b;
	uint32_t n, s;

	begin();
	pcapng_packet(f, &p);
	b = packet(0, &n);
	assert_int_equal(n, 40 + 8 + 4 + 77);
	s = sum(b + 8, 32, 17 + n - 40);	/* the pseudo header */
	assert_int_equal(sum(b + 40, n - 40, s), 0xffff);
	assert_memory_equal(b + 48, "\0\0\0\0\x11\x22", 6);
	fclose(f);
}

TEST(raw_esp_has_no_udp_and_an_unknown_end_is_zero)
{
	struct cap_pkt p = pkt(CAP_ESP, NULL, "192.0.2.2:500", 40);
	const uint8_t *b;
	uint32_t n;

	begin();
	pcapng_packet(f, &p);
	b = packet(0, &n);
	assert_int_equal(n, 20 + 40);
	assert_int_equal(b[9], 50);
	assert_memory_equal(b + 12, "\xc0\x00\x02\x02\0\0\0\0", 8);
	fclose(f);
}

TEST(a_drop_has_its_reason_as_comment)
{
	struct cap_pkt p = pkt(CAP_FRAME, NULL, NULL, 60);

	begin();
	p.drop = DROP_ESP_REPLAY;
	pcapng_packet(f, &p);
	fflush(f);
	assert_int_equal(block(1), len);
	assert_non_null(memmem(out, len, "dropped: esp-replay: ", 21));
	fclose(f);
	begin();
	p.drop = CAP_NO_DROP;
	pcapng_packet(f, &p);
	fflush(f);
	assert_null(memmem(out, len, "dropped", 7));
	fclose(f);
}

TEST(a_packet_that_was_cut_says_how_long_it_was)
{
	struct cap_pkt p = pkt(CAP_ESP, "192.0.2.1:500", "192.0.2.2:500", 8);
	const uint8_t *b;
	uint32_t n;

	begin();
	p.len = 1400;
	pcapng_packet(f, &p);
	b = packet(0, &n);
	assert_int_equal(n, 28);
	assert_int_equal(le32(24), 1420);
	assert_int_equal(b[2] << 8 | b[3], 1420);
	fclose(f);
}

TEST(what_is_missing_is_said_in_a_block_of_its_own)
{
	struct cap_pkt p = { .side = CAP_LOST, .drop = CAP_NO_DROP, .len = 77 };

	begin();
	pcapng_packet(f, &p);
	fflush(f);
	assert_int_equal(le32(0), 5);
	assert_int_equal(block(1), len);
	assert_non_null(memmem(out, len, "77 packets were lost", 20));
	fclose(f);
}
