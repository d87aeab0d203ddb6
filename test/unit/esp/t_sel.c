/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_sel.c - what selectors see in IPv4 and IPv6 packets.
 */
#include "test/lib/test.h"
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "esp/encap.h"
#include "esp/sel.h"

static uint8_t raw[256];
static size_t raw_len;

static struct view
pkt(const char *hex)
{
	raw_len = test_hex(hex, raw, sizeof(raw));
	return (struct view){ raw, raw_len };
}

#define V4(len_, frag_, proto_)                                                \
	"4500" len_ "0000" frag_ "40" proto_ "0000 0a010203 0a020304"
#define V6(len_, proto_)                                                       \
	"60000000" len_ proto_ "40"                                            \
	"20010db8000000000000000000000001 20010db8000000000000000000000002"

TEST(ports_of_ipv4_are_seen)
{
	struct esp_flow f;

	assert_int_equal(esp_flow_decode(pkt(V4("001c", "4000", "06")
	    "1388 0050 00000000"), &f), 0);
	assert_int_equal(f.src.family, 4);
	assert_memory_equal(f.src.b, ((uint8_t[]){ 10, 1, 2, 3 }), 4);
	assert_memory_equal(f.dst.b, ((uint8_t[]){ 10, 2, 3, 4 }), 4);
	assert_int_equal(f.proto, 6);
	assert_true(f.has_ports);
	assert_int_equal(f.src_port, 5000);
	assert_int_equal(f.dst_port, 80);
	assert_int_equal(f.len, 28);
}

TEST(ports_behind_options_are_found_and_outside_of_the_length_not)
{
	struct esp_flow f;

	assert_int_equal(esp_flow_decode(pkt("4600001c 00000000 40110000"
	    "0a010203 0a020304 01010101 1388 0050"), &f), 0);
	assert_true(f.has_ports);
	assert_int_equal(f.dst_port, 80);
	/* The length ends before the ports; bytes behind it do not count. */
	assert_int_equal(esp_flow_decode(pkt(V4("0017", "0000", "11")
	    "1388 0050 00000000"), &f), 0);
	assert_false(f.has_ports);
	assert_int_equal(f.len, 23);
}

TEST(fragments_and_unknown_protocols_are_opaque)
{
	struct esp_flow f;

	assert_int_equal(esp_flow_decode(pkt(V4("0018", "2001", "11")
	    "1388 0050"), &f), 0);
	assert_false(f.has_ports);
	assert_int_equal(f.proto, 17);
	assert_int_equal(esp_flow_decode(pkt(V4("0018", "2000", "11")
	    "1388 0050"), &f), 0);
	assert_true(f.has_ports);
	assert_int_equal(esp_flow_decode(pkt(V4("0018", "0000", "59")
	    "1388 0050"), &f), 0);
	assert_false(f.has_ports);
}

TEST(icmp_type_and_code_stand_for_ports)
{
	struct esp_flow f;

	assert_int_equal(esp_flow_decode(pkt(V4("0018", "0000", "01")
	    "0301 0000"), &f), 0);
	assert_true(f.has_ports);
	assert_int_equal(f.src_port, 0x0301);
	assert_int_equal(f.dst_port, 0x0301);
}

TEST(ipv6_extension_headers_are_walked)
{
	struct esp_flow f;

	assert_int_equal(esp_flow_decode(pkt(V6("0004", "11") "1388 0050"),
					 &f), 0);
	assert_true(f.has_ports);
	assert_int_equal(f.src.family, 6);
	assert_int_equal(f.src.b[15], 1);
	assert_int_equal(f.dst.b[15], 2);
	/* hop-by-hop, destination options, first fragment, TCP */
	assert_int_equal(esp_flow_decode(pkt(V6("001c", "00")
	    "3c00000000000000 2c00000000000000 0600000100000000 1388 0050"),
	    &f), 0);
	assert_int_equal(f.proto, 6);
	assert_true(f.has_ports);
	assert_int_equal(f.dst_port, 80);
	/* a later fragment */
	assert_int_equal(esp_flow_decode(pkt(V6("000c", "2c")
	    "1100000900000000 1388 0050"), &f), 0);
	assert_int_equal(f.proto, 17);
	assert_false(f.has_ports);
	/* an extension header longer than the packet */
	assert_int_equal(esp_flow_decode(pkt(V6("0008", "3c")
	    "1105000000000000"), &f), 0);
	assert_false(f.has_ports);
}

TEST(endless_extension_headers_end)
{
	struct esp_flow f;

	_Static_assert(ESP_EXT_MAX == 8, "as many headers as below");
	assert_int_equal(esp_flow_decode(pkt(V6("0048", "3c")
	    "3c000000000000003c000000000000003c000000000000003c00000000000000"
	    "3c000000000000003c000000000000003c000000000000001100000000000000"
	    "1388005000000000"), &f), 0);
	assert_false(f.has_ports);
	/* One less is walked to its end. */
	assert_int_equal(esp_flow_decode(pkt(V6("0040", "3c")
	    "3c000000000000003c000000000000003c000000000000003c00000000000000"
	    "3c000000000000003c000000000000001100000000000000"
	    "1388005000000000"), &f), 0);
	assert_true(f.has_ports);
	assert_int_equal(f.proto, 17);
}

TEST(truncated_and_strange_packets_are_refused)
{
	const char *const good[] = {
		V4("001c", "0000", "11") "1388005000080000",
		V6("0008", "11") "1388005000080000",
	};
	struct esp_flow f;

	for (unsigned g = 0; g < N_OF(good); g++) {
		struct view v = pkt(good[g]);
		size_t all = v.len;

		assert_int_equal(esp_flow_decode(v, &f), 0);
		for (v.len = 0; v.len < all; v.len++)
			assert_int_equal(esp_flow_decode(v, &f), ERR_SYNTAX);
		v.len = all;
		for (unsigned ver = 0; ver < 16; ver++) {
			if (ver == 4 || ver == 6)
				continue;
			raw[0] = (uint8_t)(ver << 4 | (raw[0] & 15));
			assert_int_equal(esp_flow_decode(v, &f), ERR_SYNTAX);
		}
	}
}

TEST(selectors_compare_range_protocol_and_port)
{
	struct ip_net net;
	struct vpn_ts ts[2];
	struct esp_flow f;

	assert_int_equal(ip_net_parse("10.2.0.0/16", &net), 0);
	ts[0] = vpn_ts_from_net(&net);
	assert_int_equal(ip_net_parse("2001:db8::/32", &net), 0);
	ts[1] = vpn_ts_from_net(&net);
	assert_int_equal(esp_flow_decode(pkt(V4("001c", "0000", "06")
	    "1388 0050 00000000"), &f), 0);
	assert_true(esp_sel_has(ts, 2, &f.dst, &f, f.dst_port));
	assert_false(esp_sel_has(ts, 2, &f.src, &f, f.src_port));
	assert_false(esp_sel_has(ts + 1, 1, &f.dst, &f, f.dst_port));
	assert_false(esp_sel_has(ts, 0, &f.dst, &f, f.dst_port));
	ts[0].proto = 17;
	assert_false(esp_sel_has(ts, 2, &f.dst, &f, f.dst_port));
	ts[0].proto = 6;
	assert_true(esp_sel_has(ts, 2, &f.dst, &f, f.dst_port));
	ts[0].port_lo = 81;
	assert_false(esp_sel_has(ts, 2, &f.dst, &f, f.dst_port));
	ts[0].port_lo = ts[0].port_hi = 80;
	assert_true(esp_sel_has(ts, 2, &f.dst, &f, f.dst_port));
	f.has_ports = false;
	assert_false(esp_sel_has(ts, 2, &f.dst, &f, f.dst_port));
	ts[0].lo.b[3] = 200;
	ts[0].lo.b[2] = 3;
	ts[0].port_lo = 0;
	ts[0].port_hi = UINT16_MAX;
	assert_false(esp_sel_has(ts, 2, &f.dst, &f, f.dst_port));
	ts[0].lo.b[3] = 4;
	assert_true(esp_sel_has(ts, 2, &f.dst, &f, f.dst_port));
}

TEST(encapsulations_belong_to_their_modes)
{
	assert_ptr_equal(esp_encap_of(VPN_MODE_ETHER), &esp_encap_etherip);
	assert_ptr_equal(esp_encap_of(VPN_MODE_IP), &esp_encap_ip);
	assert_ptr_equal(esp_encap_of(VPN_MODE_GRE), &esp_encap_gre);
	assert_null(esp_encap_of(VPN_MODE_AUTO));
}

TEST(wrapping_gives_header_next_and_length)
{
	struct esp_wrap w;
	struct esp_flow f;
	struct view v = pkt(V6("0004", "11") "1388 0050 ffff");

	assert_int_equal(esp_encap_ip.wrap(v, &w, &f), 0);
	assert_int_equal(w.hdr_len, 0);
	assert_int_equal(w.next, 41);
	assert_int_equal(w.len, 44);
	assert_int_equal(esp_encap_etherip.wrap(v, &w, &f), 0);
	assert_int_equal(w.hdr_len, 2);
	assert_int_equal(w.hdr[0], 0x30);
	assert_int_equal(w.hdr[1], 0);
	assert_int_equal(w.next, 97);
	assert_int_equal(w.len, 46);
	assert_int_equal(esp_encap_gre.wrap(v, &w, &f), 0);
	assert_int_equal(w.hdr_len, 4);
	assert_memory_equal(w.hdr, "\0\0\x86\xdd", 4);
	assert_int_equal(w.next, 47);
	assert_int_equal(w.len, 44);
}
