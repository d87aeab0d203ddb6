/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/base/t_addr.c - addresses as text, numbers, ranges; selectors.
 */
#include "daemon/base/addr.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/str.h"
#include "daemon/base/vpn.h"
#include "test/lib/test.h"

static struct ip_addr
ip(const char *text)
{
	struct ip_addr a = { 0 };

	if (ip_parse(text, &a) != 0)
		fail_msg("%s", text);
	return a;
}

static struct ip_net
net(const char *text)
{
	struct ip_net n = { .bits = 0 };

	if (ip_net_parse(text, &n) != 0)
		fail_msg("%s", text);
	return n;
}

TEST(addresses_survive_text)
{
	static const char *const list[] = {
		"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1",
		"2001:db8::1", "fe80::aabb:ccdd:eeff:1", "::ffff:192.0.2.1",
	};
	char out[IP_TEXT_MAX];

	for (size_t i = 0; i < N_OF(list); i++) {
		struct ip_addr a = ip(list[i]);

		assert_string_equal(ip_text(&a, out), list[i]);
		assert_int_equal(a.family, strchr(list[i], ':') ? 6 : 4);
	}
	assert_string_equal(ip_text(&(struct ip_addr){ 0 }, out), "none");
}

TEST(what_is_no_address_is_refused)
{
	static const char *const list[] = {
		"", " ", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ",
		"01.2.3.4", "1.2.3.-4", "fe80::1%eth0", ":::", "2001:db8::g",
		"[::1]", "1.2.3.4:5", "example.org", "1.2.3.4/8",
	};
	struct ip_addr a = { .family = 77 };

	for (size_t i = 0; i < N_OF(list); i++)
		assert_int_equal(ip_parse(list[i], &a), ERR_ADDR);
	assert_int_equal(a.family, 77);
}

TEST(prefixes_survive_text_and_keep_host_bits)
{
	static const char *const list[] = {
		"0.0.0.0/0", "10.1.2.3/8", "192.0.2.1/32", "::/0",
		"2001:db8::1/64", "::1/128",
	};
	char out[IP_TEXT_MAX];
	struct ip_net n;

	for (size_t i = 0; i < N_OF(list); i++) {
		n = net(list[i]);
		assert_string_equal(ip_net_text(&n, out), list[i]);
	}
	assert_int_equal(net("10.0.0.1").bits, 32);
	assert_int_equal(net("::1").bits, 128);
	assert_int_equal(ip_net_parse("10.0.0.0/33", &n), ERR_ADDR);
	assert_int_equal(ip_net_parse("::/129", &n), ERR_ADDR);
	assert_int_equal(ip_net_parse("10.0.0.0/", &n), ERR_ADDR);
	assert_int_equal(ip_net_parse("10.0.0.0/-1", &n), ERR_ADDR);
	assert_int_equal(ip_net_parse("10.0.0.0/8/8", &n), ERR_ADDR);
	assert_int_equal(ip_net_parse("/8", &n), ERR_ADDR);
}

TEST(endpoints_survive_text)
{
	static const char *const list[] = {
		"192.0.2.1", "192.0.2.1:4500", "2001:db8::1",
		"[2001:db8::1]:500", "0.0.0.0:65535",
	};
	char out[IP_TEXT_MAX];
	struct net_ep ep;

	for (size_t i = 0; i < N_OF(list); i++) {
		assert_int_equal(net_ep_parse(list[i], &ep), 0);
		assert_string_equal(net_ep_text(&ep, out), list[i]);
	}
	assert_int_equal(net_ep_parse("[::1]", &ep), 0);
	assert_int_equal(ep.port, 0);
	assert_int_equal(ep.ip.family, 6);
}

TEST(what_is_no_endpoint_is_refused)
{
	static const char *const list[] = {
		"", ":", ":500", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536",
		"1.2.3.4:+5", "1.2.3.4:000500", "[::1", "[::1]x", "[::1]:",
		"[1.2.3.4]:500", "::1]:500", "[]:5", "1.2.3.4:5:6",
		"1.2.3.4]",
		/* as long as the buffer it must not be copied into */
		"2001:0db8:0000:0000:0000:0000:0000:0001:0000:0000:0000:0000",
		"00000000000000000000000000000000000000000000000000000000001.2.3.4",
	};
	struct net_ep ep = { .port = 77 };

	for (size_t i = 0; i < N_OF(list); i++)
		if (net_ep_parse(list[i], &ep) != ERR_ADDR)
			fail_msg("%s was accepted", list[i]);
	assert_int_equal(ep.port, 77);
}

TEST(hardware_addresses_survive_text)
{
	char out[MAC_TEXT_MAX];
	struct mac m;

	assert_int_equal(mac_parse("02:aB:cd:00:01:fF", &m), 0);
	assert_string_equal(mac_text(&m, out), "02:ab:cd:00:01:ff");
	assert_int_equal(mac_parse("02:ab:cd:00:01", &m), ERR_ADDR);
	assert_int_equal(mac_parse("02:ab:cd:00:01:ff:", &m), ERR_ADDR);
	assert_int_equal(mac_parse("02-ab-cd-00-01-ff", &m), ERR_ADDR);
	assert_int_equal(mac_parse("0g:ab:cd:00:01:ff", &m), ERR_ADDR);
	assert_int_equal(mac_parse("", &m), ERR_ADDR);
}

TEST(kinds_of_hardware_addresses_are_told_apart)
{
	struct mac m, other;

	assert_int_equal(mac_parse("01:00:5e:00:00:01", &m), 0);
	assert_true(mac_is_group(&m));
	assert_int_equal(mac_parse("00:00:00:00:00:00", &m), 0);
	assert_true(mac_is_null(&m));
	assert_false(mac_is_group(&m));
	for (size_t i = 0; i < 50; i++) {
		assert_int_equal(mac_random(&other), 0);
		assert_int_equal(other.b[0] & 3, 2);
		assert_false(mac_equal(&m, &other));
		m = other;
	}
}

TEST(order_is_by_family_then_by_number)
{
	struct ip_addr a = ip("10.0.0.1"), b = ip("10.0.0.2"), c = ip("::");

	assert_true(ip_compare(&a, &b) < 0);
	assert_true(ip_compare(&b, &a) > 0);
	assert_true(ip_compare(&b, &c) < 0);
	assert_true(ip_equal(&a, &a));
	assert_false(ip_equal(&a, &b));
}

TEST(wire_bytes_become_addresses)
{
	struct ip_addr a = ip_from("\xc0\x00\x02\x01", 4), b = ip("192.0.2.1");

	assert_true(ip_equal(&a, &b));
	assert_int_equal(ip_from("123456", 6).family, 0);
	assert_int_equal(ip_from(b.b, 0).family, 0);
	assert_int_equal(ip_len(&b), 4);
}

TEST(only_what_a_peer_can_have_is_unicast)
{
	static const char *const yes[] = {
		"1.0.0.1", "192.0.2.1", "223.255.255.255", "10.0.0.1",
		"2001:db8::1", "fe80::1", "::2",
	};
	static const char *const no[] = {
		"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.9.9.9", "224.0.0.1",
		"239.255.255.255", "255.255.255.255", "::", "::1", "ff02::1",
	};

	for (size_t i = 0; i < N_OF(yes); i++)
		assert_true(ip_is_unicast(&(struct ip_addr[]){ ip(yes[i]) }[0]));
	for (size_t i = 0; i < N_OF(no); i++)
		assert_false(ip_is_unicast(&(struct ip_addr[]){ ip(no[i]) }[0]));
	assert_false(ip_is_unicast(&(struct ip_addr){ 0 }));
}

static void
expect_range(const char *prefix, const char *lo, const char *hi)
{
	struct ip_net n = net(prefix);
	struct ip_addr a, b, want_a = ip(lo), want_b = ip(hi);

	ip_net_range(&n, &a, &b);
	assert_true(ip_equal(&a, &want_a));
	assert_true(ip_equal(&b, &want_b));
	assert_true(ip_net_has(&n, &a));
	assert_true(ip_net_has(&n, &b));
}

TEST(a_prefix_has_a_first_and_a_last_address)
{
	struct ip_net n = net("10.1.0.0/16");
	struct ip_addr out = ip("10.2.0.0"), v6 = ip("::");

	expect_range("10.1.2.3/16", "10.1.0.0", "10.1.255.255");
	expect_range("10.1.2.3/32", "10.1.2.3", "10.1.2.3");
	expect_range("10.1.2.3/0", "0.0.0.0", "255.255.255.255");
	expect_range("2001:db8::1/33", "2001:db8::",
	    "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff");
	expect_range("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_false(ip_net_has(&n, &out));
	assert_false(ip_net_has(&n, &v6));
}

static void
expect_nets(const char *lo, const char *hi, const char *want)
{
	char text[512] = "", one[IP_TEXT_MAX];
	struct ip_addr a = ip(lo), b = ip(hi);
	struct ip_net out[32];
	int n = ip_range_nets(&a, &b, out, N_OF(out));

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		str_add(text, sizeof(text), "%s%s", i > 0 ? " " : "",
		    ip_net_text(&out[i], one));
	}
	assert_string_equal(text, want);
}

TEST(a_range_becomes_the_fewest_prefixes)
{
	expect_nets("10.0.0.0", "10.0.0.255", "10.0.0.0/24");
	expect_nets("10.0.0.1", "10.0.0.1", "10.0.0.1/32");
	expect_nets("10.0.0.1", "10.0.0.6",
	    "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32");
	expect_nets("0.0.0.0", "255.255.255.255", "0.0.0.0/0");
	expect_nets("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0");
	expect_nets("255.255.255.254", "255.255.255.255",
	    "255.255.255.254/31");
}

TEST(a_range_that_does_not_fit_or_is_none_is_refused)
{
	struct ip_addr a = ip("10.0.0.1"), b = ip("10.0.0.6"), c = ip("::1");
	struct ip_net out[4];

	assert_int_equal(ip_range_nets(&a, &b, out, 3), ERR_FULL);
	assert_int_equal(ip_range_nets(&b, &a, out, 4), ERR_RANGE);
	assert_int_equal(ip_range_nets(&a, &c, out, 4), ERR_RANGE);
	assert_int_equal(ip_range_nets(&(struct ip_addr){ 0 },
	    &(struct ip_addr){ 0 }, out, 4), ERR_RANGE);
}

/* The prefixes of a random range touch each other and end where it ends. */
TEST(prefixes_cover_a_random_range_exactly)
{
	struct rng_det r;

	rng_det_init(&r, test_seed());
	for (size_t k = 0; k < 300; k++) {
		uint64_t v = rng_det_u64(&r);
		struct ip_addr lo = ip_from(&v, 4), hi, first, last;
		struct ip_net out[64];
		int n;

		hi = ip_from((uint8_t *)&v + 4, 4);
		if (ip_compare(&lo, &hi) > 0) {
			first = lo;
			lo = hi;
			hi = first;
		}
		n = ip_range_nets(&lo, &hi, out, N_OF(out));
		assert_true(n > 0);
		for (int i = 0; i < n; i++) {
			ip_net_range(&out[i], &first, &last);
			assert_true(ip_equal(&first, &lo));
			lo = last;
			for (size_t b = 4; b-- > 0 && ++lo.b[b] == 0;)
				;
		}
		assert_true(ip_equal(&last, &hi));
	}
}

static void
expect_ts(const struct vpn_ts *ts, const char *want)
{
	char out[VPN_TS_TEXT_MAX];

	assert_string_equal(vpn_ts_text(ts, out), want);
}

TEST(selectors_print_as_prefix_or_range)
{
	struct ip_net n = net("10.1.2.3/16");
	struct vpn_ts ts = vpn_ts_from_net(&n);

	expect_ts(&ts, "10.1.0.0/16");
	ts.hi.b[3] = 9;
	expect_ts(&ts, "10.1.0.0-10.1.255.9");
	ts = vpn_ts_from_net(&n);
	ts.proto = 17;
	expect_ts(&ts, "10.1.0.0/16[udp]");
	ts.port_lo = ts.port_hi = 5000;
	expect_ts(&ts, "10.1.0.0/16[udp/5000]");
	ts.port_hi = 5001;
	ts.proto = 253;
	expect_ts(&ts, "10.1.0.0/16[253/5000-5001]");
	ts.port_lo = UINT16_MAX;
	ts.port_hi = 0;
	expect_ts(&ts, "10.1.0.0/16[253/opaque]");
}

TEST(a_selector_covers_what_lies_inside)
{
	struct ip_net n16 = net("10.1.0.0/16"), n24 = net("10.1.5.0/24");
	struct ip_net n6 = net("::/0");
	struct vpn_ts a = vpn_ts_from_net(&n16), b = vpn_ts_from_net(&n24);
	struct vpn_ts c = vpn_ts_from_net(&n6);

	assert_true(vpn_ts_covers(&a, &a));
	assert_true(vpn_ts_covers(&a, &b));
	assert_false(vpn_ts_covers(&b, &a));
	assert_false(vpn_ts_covers(&c, &a));
	b.proto = 6;
	b.port_lo = 80;
	b.port_hi = 90;
	assert_true(vpn_ts_covers(&a, &b));
	a.proto = 17;
	assert_false(vpn_ts_covers(&a, &b));
	a.proto = 6;
	a.port_lo = 85;
	a.port_hi = 100;
	assert_false(vpn_ts_covers(&a, &b));
	b.port_lo = 86;
	assert_true(vpn_ts_covers(&a, &b));
	b.port_lo = UINT16_MAX;
	b.port_hi = 0;
	assert_false(vpn_ts_covers(&a, &b));
	assert_true(vpn_ts_covers(&b, &b));
	a.port_lo = 0;
	a.port_hi = UINT16_MAX;
	assert_true(vpn_ts_covers(&a, &b));
}

TEST(every_algorithm_fits_the_key_structs)
{
	assert_null(vpn_alg_info(VPN_ALG_NONE));
	assert_null(vpn_alg_info(VPN_ALG_END));
	for (int a = VPN_ALG_NONE + 1; a < VPN_ALG_END; a++) {
		const struct vpn_alg_info *i = vpn_alg_info((enum vpn_alg)a);
		struct vpn_keys k;

		assert_non_null(i);
		assert_non_null(i->name);
		assert_true((size_t)i->encr_key_len + i->salt_len <=
		    sizeof(k.encr));
		assert_true(i->integ_key_len <= sizeof(k.integ));
		assert_true(i->encr_key_len + i->salt_len + i->integ_key_len <=
		    VPN_KEY_MAX);
		/* RFC 4868 2.6: half of the hash; AEADs have 16. */
		assert_int_equal(i->icv_len,
		    i->integ_key_len != 0 ? i->integ_key_len / 2 : 16);
		assert_int_equal(i->salt_len != 0, i->integ_key_len == 0);
	}
	assert_string_equal(vpn_mode_name(VPN_MODE_ETHER), "ether");
	assert_string_equal(vpn_encap_name(VPN_ENCAP_UDP), "udp");
	assert_string_equal(vpn_suite_name(VPN_SUITE_COMPAT), "compat");
	assert_string_equal(vpn_mode_name((enum vpn_mode)99), "?");
}
