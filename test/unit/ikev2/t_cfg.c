/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_cfg.c - configuration attributes: what is asked, what is
 * handed out, and what is left of hostile values.
 */
#include <stdio.h>

#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "ikev2/wire/cfg.h"
#include "test/unit/ikev2/wire_help.h"

static const struct ike_cfg_req all = {
	.has_ip4 = true, .has_ip6 = true, .has_mask = true, .has_dns4 = true,
	.has_dns6 = true, .has_subnet4 = true, .has_subnet6 = true,
	.has_domain = true, .has_enc4 = true, .has_enc6 = true,
	.has_supported = true
};

static struct ip_addr
ip(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(text, &a), 0);
	return a;
}

static struct ip_net
net(const char *text)
{
	struct ip_net n;

	assert_int_equal(ip_net_parse(text, &n), 0);
	return n;
}

/* The attributes of a payload body given as hexadecimal text. */
static int
body(struct arena *a, const char *text, struct ike_cp *cp)
{
	static uint8_t b[4096];
	struct view v = HEX(b, text);
	struct cur c;

	cur_init(&c, v.p, v.len);
	return dec_cp(a, &c, cp);
}

static struct vpn_cfg
reply(const char *text)
{
	struct vpn_cfg cfg;
	struct ike_cp cp;
	struct arena a;

	arena_init(&a, ARENA_BYTES);
	assert_int_equal(body(&a, text, &cp), 0);
	ike_cfg_read(&cp, &cfg);
	arena_fini(&a);
	return cfg;
}

/* Over the wire and back. */
static struct vpn_cfg
turn(const struct ike_cfg_req *req, const struct vpn_cfg *cfg)
{
	static uint8_t out[65536];
	struct vpn_cfg got;
	struct ike_cp cp;
	struct arena a;
	struct wcur w;
	struct cur c;

	arena_init(&a, ARENA_BYTES);
	assert_int_equal(ike_cfg_write(&a, req, cfg, &cp), 0);
	assert_int_equal(cp.type, IKE_CP_REPLY);
	wcur_init(&w, out, sizeof(out));
	enc_cp(&w, &cp);
	assert_int_equal(w.err, 0);
	cur_init(&c, out, w.len);
	assert_int_equal(dec_cp(&a, &c, &cp), 0);
	ike_cfg_read(&cp, &got);
	arena_fini(&a);
	return got;
}

static struct vpn_cfg
sample(void)
{
	struct vpn_cfg c = {
		.ip4 = net("10.20.1.7/24"), .ip6 = net("fd00:1::7/64"),
		.n_dns = 2, .dns = { ip("10.20.0.53"), ip("fd00:1::53") },
		.n_subnet = 3, .subnet = { net("10.20.0.0/16"),
			net("0.0.0.0/0"), net("fd00::/8") },
		.n_domain = 2, .domain = { "example.com", "city.other.test" },
		.n_enc = 2
	};

	c.enc[0] = (struct vpn_enc_dns){ .prio = 1, .n_ip = 2,
		.ip = { ip("10.20.0.53"), ip("10.20.0.54") },
		.name = "dns.example.com", .has_dot = true };
	c.enc[1] = (struct vpn_enc_dns){ .prio = 2, .n_ip = 1,
		.ip = { ip("fd00:1::53") }, .name = "doh.example.com",
		.port = 8443, .has_doh = true, .has_doq = true,
		.doh_path = "/dns-query{?dns}" };
	return c;
}

TEST(all_that_is_handed_out_arrives)
{
	struct vpn_cfg in = sample(), got = turn(&all, &in);

	assert_true(vpn_cfg_equal(&in, &got));
}

TEST(the_largest_configuration_fits_into_one_payload)
{
	struct vpn_cfg in = sample(), got;
	unsigned i;

	in.n_dns = VPN_CFG_DNS_MAX;
	for (i = 0; i < VPN_CFG_DNS_MAX; i++) {
		in.dns[i] = ip("10.20.0.53");
		in.dns[i].b[3] = (uint8_t)i;
	}
	in.n_subnet = VPN_CFG_SUBNET_MAX;
	for (i = 0; i < VPN_CFG_SUBNET_MAX; i++) {
		in.subnet[i] = net("10.0.0.0/16");
		in.subnet[i].addr.b[1] = (uint8_t)i;
	}
	in.n_domain = VPN_CFG_DOMAIN_MAX;
	for (i = 0; i < VPN_CFG_DOMAIN_MAX; i++)
		snprintf(in.domain[i], VPN_NAME_MAX, "d%u.example.com", i);
	in.n_enc = VPN_CFG_ENC_MAX;
	for (i = 0; i < VPN_CFG_ENC_MAX; i++) {
		struct vpn_enc_dns *e = &in.enc[i];

		in.enc[i] = in.enc[1];
		e->prio = (uint16_t)(i + 1);
		e->n_ip = VPN_CFG_ENC_IP_MAX;
		for (unsigned k = 0; k < e->n_ip; k++)
			e->ip[k] = in.enc[1].ip[0];
		memset(e->doh_path, 'a', VPN_DOH_PATH_MAX - 1);
		e->doh_path[0] = '/';
		for (unsigned k = 0; k < VPN_NAME_MAX - 1; k++)
			e->name[k] = k % 64 == 63 ? '.' : 'n';
		e->name[VPN_NAME_MAX - 1] = '\0';
	}
	got = turn(&all, &in);
	assert_true(vpn_cfg_equal(&in, &got));
}

TEST(only_what_was_asked_for_is_handed_out)
{
	struct ike_cfg_req req = { .has_ip4 = true, .has_domain = true };
	struct vpn_cfg in = sample(), got = turn(&req, &in);

	assert_int_equal(got.ip4.addr.family, 4);
	assert_int_equal(got.ip4.bits, 32);	/* no mask was asked */
	assert_int_equal(got.ip6.addr.family, 0);
	assert_int_equal(got.n_dns, 0);
	assert_int_equal(got.n_enc, 0);
	assert_int_equal(got.n_domain, 0);	/* of no use without a server */
	assert_int_equal(got.n_subnet, 2);	/* those of IPv4 */
}

TEST(a_request_is_read_as_it_was_written)
{
	struct ike_cfg_req in = all, got;
	struct ike_cp cp;
	struct arena a;

	in.wish4 = ip("10.20.1.7");
	in.wish6 = ip("fd00:1::7");
	arena_init(&a, ARENA_BYTES);
	assert_int_equal(ike_cfg_req_write(&a, &in, &cp), 0);
	assert_int_equal(cp.type, IKE_CP_REQUEST);
	ike_cfg_req_read(&cp, &got);
	assert_true(ip_equal(&got.wish4, &in.wish4));
	assert_true(ip_equal(&got.wish6, &in.wish6));
	assert_true(got.has_ip4 && got.has_ip6 && got.has_mask &&
		    got.has_dns4 && got.has_dns6 && got.has_subnet4 &&
		    got.has_subnet6 && got.has_domain && got.has_enc4 &&
		    got.has_enc6 && got.has_supported);
	in = (struct ike_cfg_req){ .has_ip6 = true };
	assert_int_equal(ike_cfg_req_write(&a, &in, &cp), 0);
	assert_int_equal(cp.n, 1);
	assert_int_equal(cp.attr[0].value.len, 0);
	ike_cfg_req_read(&cp, &got);
	assert_true(got.has_ip6 && !got.has_ip4 && got.wish6.family == 0);
	arena_fini(&a);
}

/* Unknown attributes (Microsoft 23456, Cisco 28672 and others), an IPv4 DHCP
 * server, a name server of WINS. */
TEST(what_is_not_known_is_left)
{
	struct ike_cfg_req got;
	struct ike_cp cp;
	struct arena a;

	arena_init(&a, ARENA_BYTES);
	assert_int_equal(body(&a, "01000000 00010000 00030000 00040000 5ba00000"
	    " 7000 0002 abcd 00060000", &cp), 0);
	ike_cfg_req_read(&cp, &got);
	assert_true(got.has_ip4 && got.has_dns4 && !got.has_ip6);
	arena_fini(&a);
}

TEST(addresses_nobody_can_have_are_left)
{
	static const char *const text[] = {
		"02000000 00010004 00000000",	/* unspecified */
		"02000000 00010004 7f000001",	/* loopback */
		"02000000 00010004 e0000001",	/* group */
		"02000000 00010004 ffffffff",
		"02000000 00010000",		/* none */
		"02000000 00080011 00000000000000000000000000000001 40",
		"02000000 00080011 ff020000000000000000000000000001 40",
		"02000000 00080011 fd000000000000000000000000000001 81",
		"02000000 00080011 fd000000000000000000000000000001 00",
		"02000000 00030004 7f000035",	/* a server on ourselves */
		"02000000 000a0010 ff020000000000000000000000000001",
		"02000000 000d0008 0a000000 ff00ff00",	/* a mask with holes */
		"02000000 000d0008 e0000000 f0000000",
		"02000000 000f0011 fd000000000000000000000000000000 ff",
	};
	struct vpn_cfg none = { 0 };

	for (size_t i = 0; i < N_OF(text); i++) {
		struct vpn_cfg got = reply(text[i]);

		if (!vpn_cfg_equal(&got, &none))
			fail_msg("row %zu", i);
	}
}

TEST(host_bits_of_networks_are_cleared)
{
	struct vpn_cfg got = reply("02000000 000d0008 0a010203 ffff0000 "
	    "000f0011 fd000001000000000000000000000009 20");

	assert_int_equal(got.n_subnet, 2);
	assert_true(ip_equal(&got.subnet[0].addr, &(struct ip_addr){ 4,
		    { 10, 1 } }));
	assert_int_equal(got.subnet[0].bits, 16);
	assert_true(ip_equal(&got.subnet[1].addr, &(struct ip_addr){ 6,
		    { 0xfd, 0, 0, 1 } }));
}

TEST(the_first_address_of_a_family_counts)
{
	struct vpn_cfg got = reply("02000000 00010004 0a000001 00010004 0a000002"
	    " 00020004 ffffff00");

	assert_int_equal(got.ip4.addr.b[3], 1);
	assert_int_equal(got.ip4.bits, 24);
}

TEST(more_than_there_is_room_for_is_left)
{
	char text[4096] = "02000000";
	struct vpn_cfg got;

	for (unsigned i = 1; i <= 40; i++)
		str_add(text, sizeof(text), " 00030004 0a0000%02x", i);
	for (unsigned i = 1; i <= 20; i++)
		str_add(text, sizeof(text), " 000d0008 0a%02x0000 ffff0000", i);
	got = reply(text);
	assert_int_equal(got.n_dns, VPN_CFG_DNS_MAX);
	assert_int_equal(got.n_subnet, VPN_CFG_SUBNET_MAX);
}

TEST(names_are_letters_digits_and_dots)
{
	static const struct {
		const char *name;
		const char *as;		/* NULL = refused */
	} row[] = {
		{ "example.com", "example.com" },
		{ "example.com.", "example.com" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
		{ "_tcp.example", "_tcp.example" },
		{ "a", "a" },
		{ "", NULL }, { ".", NULL }, { "a..b", NULL }, { ".a", NULL },
		{ "a b", NULL }, { "a\nnameserver 6.6.6.6", NULL },
		{ "a/b", NULL }, { "a;b", NULL }, { "~.", NULL },
		{ "-o.example", NULL }, { "a.-b", NULL }, { "b\xc3\xbc.example", NULL },
		{ "a,b", NULL }, { "a\"b", NULL }, { "a%b", NULL },
	};
	char out[VPN_NAME_MAX], big[300];

	for (size_t i = 0; i < N_OF(row); i++) {
		int err = vpn_name_read(row[i].name, strlen(row[i].name), out);

		if ((err == 0) != (row[i].as != NULL))
			fail_msg("%s: %d", row[i].name, err);
		if (err == 0)
			assert_string_equal(out, row[i].as);
	}
	assert_int_equal(vpn_name_read("a\0b", 3, out), ERR_SYNTAX);
	memset(big, 'a', sizeof(big));
	assert_int_equal(vpn_name_read(big, 63, out), 0);
	assert_int_equal(vpn_name_read(big, 64, out), ERR_SYNTAX);
	for (size_t i = 63; i < sizeof(big); i += 64)
		big[i] = '.';
	assert_int_equal(vpn_name_read(big, 253, out), 0);
	assert_int_equal(vpn_name_read(big, 254, out), ERR_SYNTAX);
}

/* RFC 8598 3.2: a list of names goes with servers. */
TEST(names_without_a_server_are_left)
{
	struct vpn_cfg got = reply("02000000 0019 0005 612e746573");

	assert_int_equal(got.n_domain, 0);
	got = reply("02000000 0019 0006 612e74657374 0003 0004 0a000035");
	assert_int_equal(got.n_domain, 1);
	assert_string_equal(got.domain[0], "a.test");
}

/* One resolver: priority 1, 10.0.0.53, "a.test", then parameters. */
#define ENC(len_, params_) \
	"02000000 001b" len_ "0001 01 06 0a000035 612e74657374" params_

TEST(an_encrypted_resolver_without_parameters_speaks_tls)
{
	struct vpn_cfg got = reply(ENC("000e", ""));

	assert_int_equal(got.n_enc, 1);
	assert_true(got.enc[0].has_dot && !got.enc[0].has_doh);
	assert_string_equal(got.enc[0].name, "a.test");
}

TEST(malformed_encrypted_resolvers_are_left)
{
	static const char *const text[] = {
		"02000000 001b0000",
		"02000000 001b0003 000101",
		"02000000 001b000e 0000 01 06 0a000035 612e74657374", /* alias */
		"02000000 001b000a 0001 00 06 612e74657374",
		"02000000 001b0008 0001 01 00 0a000035",	/* no name */
		"02000000 001b000e 0001 02 06 0a000035 612e74657374",
		"02000000 001b000e 0001 01 07 0a000035 612e74657374",
		"02000000 001b000e 0001 01 06 7f000001 612e74657374",
		"02000000 001b000e 0001 01 06 0a000035 610a74657374",
		ENC("0010", "0003"),
		ENC("0012", "00030000"),			/* port */
		ENC("0014", "000300020000"),
		ENC("0015", "00030003035500"),
		ENC("001a", "000300020355 000300020355"),	/* twice */
		ENC("001c", "000300020355 0001000403646f74"),	/* order */
		ENC("0013", "0001000104"),			/* alpn */
		ENC("0016", "000400040a000001"),		/* a hint */
		ENC("0014", "000000020009"),		/* mandatory: not known */
		ENC("0014", "000700026161"),		/* a path without '/' */
		ENC("0014", "000700022f0a"),
	};

	for (size_t i = 0; i < N_OF(text); i++)
		if (reply(text[i]).n_enc != 0)
			fail_msg("row %zu", i);
}

TEST(resolvers_are_in_the_order_of_their_priority)
{
	struct vpn_cfg got = reply("02000000 "
	    "001b000e 0005 01 06 0a000035 612e74657374 "
	    "001c001a 0002 01 06 fd000000000000000000000000000035 622e74657374 "
	    "001b0014 0003 01 06 0a000036 632e74657374 000300020355");

	assert_int_equal(got.n_enc, 3);
	assert_string_equal(got.enc[0].name, "b.test");
	assert_string_equal(got.enc[1].name, "c.test");
	assert_int_equal(got.enc[1].port, 853);
	assert_string_equal(got.enc[2].name, "a.test");
}
