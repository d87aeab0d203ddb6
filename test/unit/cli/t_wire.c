/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_wire.c - what the demo calls a frame on its internet.
 */
#include "test/lib/test.h"
#include <string.h>
#include "cli/lab/demo.h"
#include "cli/lab/wire.h"

#define ETH4 "020000000001 020000000002 0800 "
#define ETH6 "020000000001 020000000002 86dd "
#define ARP  "020000000001 020000000002 0806 0001 0800 06 04 0001 020000000002 "
/* IPv4 head: up to the protocol, then addresses */
#define IP4  "45 00 0054 0000 4000 40 "
#define OUT4 " 0000 c0000201 c0000202 "
#define IN4  " 0000 0a000001 0a000002 "
#define OUT6 "20010db8000100000000000000000001 20010db8000100000000000000000002 "
#define IN6  "fd000000000000000000000000000001 fd000000000000000000000000000002 "

static enum wire_class
classify(const char *hex)
{
	uint8_t b[256];
	size_t n = test_hex(hex, b, sizeof(b));

	return wire_classify(b, n);
}

TEST(wire_knows_esp_in_udp_from_ike_on_the_nat_port)
{
	assert_int_equal(classify(ETH4 IP4 "11" OUT4 "1194 1194 0030 0000 "
				  "c1234567 00000001 aabbccdd"), WIRE_ESP_UDP);
	assert_int_equal(classify(ETH4 IP4 "11" OUT4 "1194 1194 0030 0000 "
				  "00000000 00000001 aabbccdd"), WIRE_IKE);
	assert_int_equal(classify(ETH4 IP4 "11" OUT4 "1194 1194 0009 0000 ff"),
			 WIRE_KEEPALIVE);
	assert_int_equal(classify(ETH4 IP4 "11" OUT4 "01f4 01f4 0030 0000 "
				  "c1234567 00000001"), WIRE_IKE);
	/* behind a NAT only one port is ours */
	assert_int_equal(classify(ETH4 IP4 "11" OUT4 "9c41 1194 0030 0000 "
				  "c1234567 00000001"), WIRE_ESP_UDP);
}

TEST(wire_knows_bare_esp_in_both_families)
{
	assert_int_equal(classify(ETH4 IP4 "32" OUT4 "c1234567 00000001"),
			 WIRE_ESP);
	assert_int_equal(classify(ETH6 "60000000 0020 32 40" OUT6
				  "c1234567 00000001"), WIRE_ESP);
}

TEST(wire_calls_inner_addresses_a_leak)
{
	assert_int_equal(classify(ETH4 IP4 "01" IN4 "0800"), WIRE_INNER);
	assert_int_equal(classify(ETH6 "60000000 0020 3a 40" IN6 "8000"),
			 WIRE_INNER);
	assert_int_equal(classify(ARP "0a000001 000000000000 0a000002"),
			 WIRE_INNER);
	/* even when it claims to be ESP */
	assert_int_equal(classify(ETH4 IP4 "32" IN4 "c1234567 00000001"),
			 WIRE_INNER);
}

TEST(wire_lets_the_neighbours_of_the_outside_talk)
{
	assert_int_equal(classify(ARP "c0000201 000000000000 c0000202"),
			 WIRE_NEIGH);
	assert_int_equal(classify(ETH6 "60000000 0020 3a ff" OUT6 "8700"),
			 WIRE_NEIGH);
	assert_int_equal(classify(ETH6 "60000000 0020 00 01" OUT6
				  "3a00050200000100 8f00"), WIRE_NEIGH);
}

TEST(wire_calls_everything_else_other)
{
	assert_int_equal(classify(ETH4 IP4 "01" OUT4 "0800"), WIRE_OTHER);
	assert_int_equal(classify(ETH6 "60000000 0020 3a 40" OUT6 "8000"),
			 WIRE_OTHER);
	assert_int_equal(classify(ETH4 IP4 "11" OUT4 "0035 9999 0030 0000"),
			 WIRE_OTHER);
	assert_int_equal(classify(ETH4 "45 00 0054 0000 00b9 40 32" OUT4
				  "c1234567 00000001"), WIRE_OTHER);
	assert_int_equal(classify("0200000000010200000000028100"), WIRE_OTHER);
	assert_int_equal(classify(""), WIRE_OTHER);
	assert_int_equal(classify(ETH4 "45"), WIRE_OTHER);
	assert_int_equal(classify(ETH4 "41 00 0054 0000 4000 40 32" OUT4
				  "c1234567"), WIRE_OTHER);
}

TEST(esp_only_needs_esp_and_nothing_readable)
{
	struct wire w = { .fd = -1 };

	assert_false(wire_is_esp_only(&w));
	w.n[WIRE_IKE] = 4;
	w.n[WIRE_NEIGH] = 2;
	assert_false(wire_is_esp_only(&w));
	w.n[WIRE_ESP_UDP] = 6;
	assert_true(wire_is_esp_only(&w));
	w.n_marker = 1;
	assert_false(wire_is_esp_only(&w));
	w.n_marker = 0;
	w.n[WIRE_OTHER] = 1;
	assert_false(wire_is_esp_only(&w));
	w.n[WIRE_OTHER] = 0;
	w.n[WIRE_INNER] = 1;
	assert_false(wire_is_esp_only(&w));
	w.n[WIRE_INNER] = 0;
	w.n_lost = 1;
	assert_false(wire_is_esp_only(&w));
}

TEST(marker_as_hex_is_the_marker)
{
	uint8_t b[64];
	size_t n = test_hex(WIRE_MARKER_HEX, b, sizeof(b));

	assert_int_equal(n, sizeof(WIRE_MARKER) - 1);
	assert_memory_equal(b, WIRE_MARKER, n);
}

TEST(result_of_ping_is_read)
{
	unsigned sent = 0, got = 0;

	assert_true(demo_ping_result("PING x\n\n--- x ping statistics ---\n"
				     "3 packets transmitted, 2 received, 33% "
				     "packet loss\n", &sent, &got));
	assert_int_equal(sent, 3);
	assert_int_equal(got, 2);
	assert_false(demo_ping_result("ping: connect: Network is unreachable",
				      &sent, &got));
}
