/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_icmp.c - ICMP errors about our datagrams.
 */
#include "daemon/core/icmp.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

/* IPv4 from 198.51.100.9; ICMP; then our datagram 192.0.2.1:500 -> .2:4500. */
#define OUTER "45000038 00000000 40010000 c6336409 c0000201"
#define INNER "4500001c 00000000 40110000 c0000201 c0000202"
#define PORTS "01f41194 00080000"

static int
decode(const char *hex, int family, struct icmp_error *e)
{
	static const struct ip_addr from = { .family = 6, .b = { 0x20, 1 } };
	uint8_t b[256];
	size_t n = test_hex(hex, b, sizeof(b));

	return icmp_decode(family, &from, (struct view){ b, n }, e);
}

TEST(unreachable_names_port_host_filter_and_mtu)
{
	static const struct {
		const char *hex;
		enum icmp_kind kind;
		uint32_t mtu;
	} row[] = {
		{ OUTER "0303 0000 00000000" INNER PORTS, ICMP_PORT, 0 },
		{ OUTER "0301 0000 00000000" INNER PORTS, ICMP_HOST, 0 },
		{ OUTER "030d 0000 00000000" INNER PORTS, ICMP_ADMIN, 0 },
		{ OUTER "0304 0000 00000514" INNER PORTS, ICMP_BIG, 1300 },
	};
	char ip[IP_TEXT_MAX];
	struct icmp_error e;

	for (unsigned i = 0; i < N_OF(row); i++) {
		assert_int_equal(decode(row[i].hex, 4, &e), 0);
		assert_int_equal(e.kind, row[i].kind);
		assert_int_equal(e.mtu, row[i].mtu);
		assert_string_equal(ip_text(&e.from, ip), "198.51.100.9");
		assert_string_equal(net_ep_text(&e.to, ip), "192.0.2.2:4500");
		assert_int_equal(e.from_port, 500);
	}
}

TEST(esp_has_no_ports)
{
	struct icmp_error e;

	assert_int_equal(decode(OUTER "0304 0000 00000514"
	    "4500001c 00000000 40320000 c0000201 c0000202 00001000", 4, &e), 0);
	assert_int_equal(e.to.port, 0);
	assert_int_equal(e.kind, ICMP_BIG);
}

TEST(ipv6_has_no_outer_header_here)
{
	static const char inner[] = "60000000 00081140 "
	    "20010db8 00000000 00000000 00000001 "
	    "20010db8 00000000 00000000 00000002 01f401f4";
	char hex[300], ip[IP_TEXT_MAX];
	struct icmp_error e;

	snprintf(hex, sizeof(hex), "0104 0000 00000000 %s", inner);
	assert_int_equal(decode(hex, 6, &e), 0);
	assert_int_equal(e.kind, ICMP_PORT);
	assert_string_equal(net_ep_text(&e.to, ip), "[2001:db8::2]:500");
	snprintf(hex, sizeof(hex), "0200 0000 00000500 %s", inner);
	assert_int_equal(decode(hex, 6, &e), 0);
	assert_int_equal(e.kind, ICMP_BIG);
	assert_int_equal(e.mtu, 1280);
}

TEST(anything_else_is_refused_and_nothing_is_written)
{
	static const char *const row[] = {
		"",
		OUTER,
		OUTER "0303 0000",
		OUTER "0303 0000 00000000" INNER,		/* no ports */
		OUTER "0303 0000 00000000" INNER "01f4",
		OUTER "0800 0000 00000000" INNER PORTS,		/* an echo */
		OUTER "03ff 0000 00000000" INNER PORTS,		/* no such code */
		OUTER "0303 0000 00000000"			/* about TCP */
		"4500001c 00000000 40060000 c0000201 c0000202" PORTS,
		OUTER "0303 0000 00000000"			/* not IPv4 */
		"6500001c 00000000 40110000 c0000201 c0000202" PORTS,
		OUTER "0303 0000 00000000"			/* short header */
		"4100001c 00000000 40110000 c0000201 c0000202" PORTS,
		OUTER "0303 0000 00000000"			/* cut options */
		"4f00001c 00000000 40110000 c0000201 c0000202" PORTS,
	};
	struct icmp_error e;

	for (unsigned i = 0; i < N_OF(row); i++) {
		memset(&e, 0, sizeof(e));
		assert_int_not_equal(decode(row[i], 4, &e), 0);
		assert_int_equal(e.kind, ICMP_NONE);
	}
	assert_null(icmp_find(NULL, &e.from));
}
