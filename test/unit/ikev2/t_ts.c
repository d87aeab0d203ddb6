/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_ts.c - narrowing of traffic selectors, and nonce order.
 */
#include "test/lib/test.h"

#include "daemon/base/err.h"
#include "ikev2/neg/collide.h"
#include "ikev2/neg/ts.h"

static struct vpn_ts
net(const char *text)
{
	struct ip_net n;

	assert_int_equal(ip_net_parse(text, &n), 0);
	return vpn_ts_from_net(&n);
}

static struct ike_ts_set
set1(const char *text)
{
	return (struct ike_ts_set){ .n = 1, .ts = { net(text) } };
}

static void
expect(const struct vpn_ts *ts, const char *text)
{
	char buf[VPN_TS_TEXT_MAX];

	assert_string_equal(vpn_ts_text(ts, buf), text);
}

TEST(narrowing_gives_the_common_part)
{
	struct vpn_ts offer = net("10.0.0.0/8");
	struct ike_tss o = { .n = 1, .ts = &offer };
	struct ike_ts_set permit = set1("10.1.2.0/24"), out;

	assert_int_equal(ike_ts_narrow(&o, &permit, &out), 0);
	assert_int_equal(out.n, 1);
	expect(&out.ts[0], "10.1.2.0/24");
}

TEST(nothing_in_common_is_an_error)
{
	struct vpn_ts offer = net("10.0.0.0/8"), six = net("2001:db8::/32");
	struct ike_tss o = { .n = 1, .ts = &offer };
	struct ike_ts_set permit = set1("192.168.0.0/16"), out;
	struct ike_ts_set none = { .n = 0 };

	assert_int_equal(ike_ts_narrow(&o, &permit, &out), ERR_TS);
	assert_int_equal(ike_ts_narrow(&o, &none, &out), ERR_TS);
	o.ts = &six;
	assert_int_equal(ike_ts_narrow(&o, &permit, &out), ERR_TS);
	o.n = 0;
	assert_int_equal(ike_ts_narrow(&o, &permit, &out), ERR_TS);
}

TEST(protocol_and_ports_narrow_too)
{
	struct vpn_ts offer = net("10.0.0.0/8");
	struct ike_tss o = { .n = 1, .ts = &offer };
	struct ike_ts_set permit = set1("0.0.0.0/0"), out;

	permit.ts[0].proto = 17;
	permit.ts[0].port_lo = 53;
	permit.ts[0].port_hi = 100;
	offer.port_hi = 60;
	assert_int_equal(ike_ts_narrow(&o, &permit, &out), 0);
	assert_int_equal(out.ts[0].proto, 17);
	assert_int_equal(out.ts[0].port_lo, 53);
	assert_int_equal(out.ts[0].port_hi, 60);
	offer.proto = 6;
	assert_int_equal(ike_ts_narrow(&o, &permit, &out), ERR_TS);
}

TEST(opaque_ports_meet_only_opaque_or_any)
{
	struct vpn_ts offer = net("10.0.0.0/8");
	struct ike_tss o = { .n = 1, .ts = &offer };
	struct ike_ts_set permit = set1("0.0.0.0/0"), out;

	offer.port_lo = 65535;
	offer.port_hi = 0;
	assert_int_equal(ike_ts_narrow(&o, &permit, &out), 0);
	assert_int_equal(out.ts[0].port_lo, 65535);
	assert_int_equal(out.ts[0].port_hi, 0);
	permit.ts[0].port_hi = 80;
	assert_int_equal(ike_ts_narrow(&o, &permit, &out), ERR_TS);
}

TEST(covered_selectors_are_left_out)
{
	struct vpn_ts offer[3] = { net("10.1.0.0/16"), net("10.0.0.0/8"),
				   net("10.1.2.3/32") };
	struct ike_tss o = { .n = 3, .ts = offer };
	struct ike_ts_set permit = set1("0.0.0.0/0"), out;

	assert_int_equal(ike_ts_narrow(&o, &permit, &out), 0);
	assert_int_equal(out.n, 1);
	expect(&out.ts[0], "10.0.0.0/8");
}

TEST(too_many_selectors_are_cut_off)
{
	struct vpn_ts offer[64];
	struct ike_tss o = { .n = 64, .ts = offer };
	struct ike_ts_set permit = set1("0.0.0.0/0"), out;

	for (unsigned i = 0; i < 64; i++) {
		offer[i] = net("10.0.0.0/24");
		offer[i].lo.b[1] = offer[i].hi.b[1] = (uint8_t)i;
	}
	assert_int_equal(ike_ts_narrow(&o, &permit, &out), 0);
	assert_int_equal(out.n, VPN_TS_MAX);
}

TEST(an_answer_must_not_widen)
{
	struct vpn_ts ans = net("10.1.0.0/16");
	struct ike_tss a = { .n = 1, .ts = &ans };
	struct ike_ts_set offered = set1("10.0.0.0/8"), out;

	assert_int_equal(ike_ts_check(&a, &offered, &out), 0);
	expect(&out.ts[0], "10.1.0.0/16");
	ans = net("0.0.0.0/0");
	assert_int_equal(ike_ts_check(&a, &offered, &out), ERR_TS);
	ans = net("2001:db8::/32");
	assert_int_equal(ike_ts_check(&a, &offered, &out), ERR_TS);
	ans = net("10.1.0.0/16");
	a.n_skipped = 1;
	assert_int_equal(ike_ts_check(&a, &offered, &out), ERR_TS);
	a.n = a.n_skipped = 0;
	assert_int_equal(ike_ts_check(&a, &offered, &out), ERR_TS);
}

TEST(selectors_of_transport_mode_are_one_host_and_a_protocol)
{
	struct ip_addr ip;
	struct vpn_ts ts[2];
	struct ike_tss s = { .n = 1, .ts = ts };

	assert_int_equal(ip_parse("192.0.2.1", &ip), 0);
	ts[0] = ts[1] = ike_ts_host(&ip, ike_ts_proto(VPN_MODE_ETHER));
	assert_int_equal(ts[0].proto, 97);
	assert_false(ike_ts_is_host(&s, 47));
	assert_true(ike_ts_is_host(&s, 97));
	s.n = 2;
	assert_false(ike_ts_is_host(&s, 97));
	s.n = 1;
	ts[0].proto = 0;
	assert_false(ike_ts_is_host(&s, 97));
	ts[0] = ts[1];
	ts[0].hi.b[3]++;
	assert_false(ike_ts_is_host(&s, 97));
}

TEST(a_list_of_one_host_may_be_narrowed_to_a_protocol)
{
	struct ip_addr ip;
	struct vpn_ts ts[2];
	struct ike_tss s = { .n = 2, .ts = ts };

	assert_int_equal(ip_parse("192.0.2.1", &ip), 0);
	ts[0] = ts[1] = ike_ts_host(&ip, ike_ts_proto(VPN_MODE_GRE));
	assert_true(ike_ts_may_be_host(&s, 47));
	assert_false(ike_ts_may_be_host(&s, 97));
	ts[1].proto = 0;
	assert_true(ike_ts_may_be_host(&s, 47));
	ts[1].proto = 6;
	assert_false(ike_ts_may_be_host(&s, 47));
	ts[1].proto = 0;
	ts[1].hi.b[3]++;
	assert_false(ike_ts_may_be_host(&s, 47));
	ts[1].lo = ts[1].hi;
	assert_false(ike_ts_may_be_host(&s, 47));
	s.n = 0;
	assert_false(ike_ts_may_be_host(&s, 47));
}

TEST(nonces_are_ordered_octet_by_octet)
{
	static const uint8_t a[] = { 1, 2, 3 }, b[] = { 1, 3 }, c[] = { 1, 2 };
	struct view va = { a, 3 }, vb = { b, 2 }, vc = { c, 2 };

	assert_true(ike_nonce_compare(va, vb) < 0);
	assert_true(ike_nonce_compare(vb, va) > 0);
	assert_true(ike_nonce_compare(vc, va) < 0);
	assert_int_equal(ike_nonce_compare(va, va), 0);
	assert_ptr_equal(ike_nonce_lower(va, vb).p, a);
	assert_ptr_equal(ike_nonce_lower(vb, vc).p, c);
}
