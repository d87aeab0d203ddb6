/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_place.c - addresses of both ends, pairs, NO_NATS_ALLOWED.
 */
#include "test/lib/test.h"
#include <stdio.h>
#include <string.h>
#include "ikev2/neg/place.h"

static struct ip_addr
ip(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(text, &a), 0);
	return a;
}

static struct net_ep
ep(const char *text)
{
	struct net_ep e;

	assert_int_equal(net_ep_parse(text, &e), 0);
	return e;
}

static struct ike_addrs
addrs(const char *const *text)
{
	struct ike_addrs s = { .n = 0 };

	for (; *text != NULL; text++) {
		struct ip_addr a = ip(*text);

		assert_true(ike_addrs_add(&s, &a));
	}
	return s;
}
#define ADDRS(...) addrs((const char *const[]){ __VA_ARGS__, NULL })

/* The pairs as text: "local>remote local>remote". */
static const char *
pairs(const struct ike_addrs *own, const struct ike_addrs *peer,
      const char *local, const char *remote, unsigned max)
{
	static char text[1024];
	struct ike_way now = { ip(local), ip(remote) }, out[IKE_WAY_MAX];
	unsigned n = ike_ways(own, peer, &now, out, max);
	char a[IP_TEXT_MAX], b[IP_TEXT_MAX];

	text[0] = '\0';
	for (unsigned i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s%s>%s", i > 0 ? " " : "", ip_text(&out[i].local, a),
			 ip_text(&out[i].remote, b));
	return text;
}

TEST(pairs_begin_with_the_one_in_use_and_keep_the_peers_address_first)
{
	struct ike_addrs own = ADDRS("192.0.2.1", "192.0.2.9");
	struct ike_addrs peer = ADDRS("198.51.100.3");

	assert_string_equal(pairs(&own, &peer, "192.0.2.9", "198.51.100.2",
				  IKE_WAY_MAX),
	    "192.0.2.9>198.51.100.2 192.0.2.1>198.51.100.2 "
	    "192.0.2.9>198.51.100.3 192.0.2.1>198.51.100.3");
}

TEST(pairs_leave_out_an_address_of_ours_that_is_gone)
{
	struct ike_addrs own = ADDRS("192.0.2.9"), peer = { .n = 0 };

	assert_string_equal(pairs(&own, &peer, "192.0.2.1", "198.51.100.2",
				  IKE_WAY_MAX), "192.0.2.9>198.51.100.2");
}

TEST(pairs_do_not_cross_families)
{
	struct ike_addrs own = ADDRS("192.0.2.1", "2001:db8::1");
	struct ike_addrs peer = ADDRS("2001:db8::2");

	assert_string_equal(pairs(&own, &peer, "192.0.2.1", "198.51.100.2",
				  IKE_WAY_MAX),
	    "192.0.2.1>198.51.100.2 2001:db8::1>2001:db8::2");
}

TEST(pairs_are_bounded_and_never_the_same_twice)
{
	struct ike_addrs own = ADDRS("10.0.0.1", "10.0.0.2", "10.0.0.3");
	struct ike_addrs peer = ADDRS("10.9.0.1", "10.9.0.2", "10.9.0.3");

	assert_string_equal(pairs(&own, &peer, "10.0.0.1", "10.9.0.1", 4),
	    "10.0.0.1>10.9.0.1 10.0.0.2>10.9.0.1 10.0.0.1>10.9.0.2 "
	    "10.0.0.3>10.9.0.1");
}

TEST(a_list_takes_what_hosts_can_have_once_each_and_so_many)
{
	static const char *const bad[] = { "0.0.0.0", "127.0.0.1", "224.0.0.1",
		"255.255.255.255", "::", "::1", "ff02::1" };
	struct ike_addrs s = { .n = 0 };
	struct ip_addr a;

	for (unsigned i = 0; i < N_OF(bad); i++) {
		a = ip(bad[i]);
		assert_false(ike_addrs_add(&s, &a));
	}
	a = ip("10.0.0.1");
	assert_true(ike_addrs_add(&s, &a));
	assert_false(ike_addrs_add(&s, &a));
	for (unsigned i = 1; i < IKE_ADDR_MAX; i++) {
		a.b[3]++;
		assert_true(ike_addrs_add(&s, &a));
	}
	a.b[3]++;
	assert_false(ike_addrs_add(&s, &a));
	assert_int_equal(s.n, IKE_ADDR_MAX);
}

TEST(what_this_machine_has_is_new_or_is_not_in_whatever_order)
{
	struct ike_addrs a = ADDRS("10.0.0.1", "10.0.0.2");
	struct ike_addrs b = ADDRS("10.0.0.2", "10.0.0.1");
	struct ike_addrs c = ADDRS("10.0.0.2", "10.0.0.3");
	struct ike_own own = { .n = 0 };

	assert_true(ike_own_set(&own, a.a, 2, 2));
	assert_false(ike_own_set(&own, b.a, 2, 2));
	assert_true(ike_own_set(&own, b.a, 1, 2));	/* one leads nowhere */
	assert_true(ike_own_set(&own, c.a, 1, 2));
	assert_true(ike_own_has(&own, &c.a[1]));
	assert_false(ike_own_has(&own, &a.a[0]));
	assert_true(ike_own_lacks(&own, &a.a[0]));
	assert_true(ike_own_set(&own, NULL, 0, 0));
}

TEST(nothing_is_gone_from_a_list_that_is_full)
{
	struct ip_addr many[IKE_OWN_MAX + 1];
	struct ike_own own = { .n = 0 };

	for (unsigned i = 0; i < N_OF(many); i++) {
		many[i] = ip("10.0.0.1");
		many[i].b[3] = (uint8_t)(i + 1);
	}
	assert_true(ike_own_set(&own, many, N_OF(many), N_OF(many)));
	assert_int_equal(own.n, IKE_OWN_MAX);
	assert_false(ike_own_lacks(&own, &many[IKE_OWN_MAX]));
}

static struct ike_addrs
outside(const struct ike_addrs *s, unsigned n_out, const char *inside,
	const char *in_use)
{
	struct ike_ts_set ts = { .n = 0 };
	struct ip_addr used = ip(in_use);
	struct ip_net net;

	if (inside != NULL) {
		assert_int_equal(ip_net_parse(inside, &net), 0);
		ts.ts[ts.n++] = vpn_ts_from_net(&net);
	}
	return ike_addrs_outside(s->a, s->n, n_out, &ts, &used);
}

TEST(no_candidate_is_inside_the_tunnel_unless_it_is_in_use)
{
	struct ike_addrs s = ADDRS("192.0.2.1", "10.0.0.1", "198.51.100.1",
				   "10.0.0.2");
	struct ike_addrs got;

	got = outside(&s, 4, "10.0.0.0/8", "198.51.100.1");
	assert_int_equal(got.n, 2);
	assert_true(ip_equal(&got.a[0], &s.a[2]));
	assert_true(ip_equal(&got.a[1], &s.a[0]));
	got = outside(&s, 4, "10.0.0.0/8", "10.0.0.2");
	assert_int_equal(got.n, 3);
	assert_true(ip_equal(&got.a[0], &s.a[3]));
	assert_int_equal(outside(&s, 4, "0.0.0.0/0", "192.0.2.1").n, 4);
	assert_int_equal(outside(&s, 4, NULL, "192.0.2.1").n, 4);
	assert_int_equal(outside(&s, 4, NULL, "192.0.2.99").n, 4);
	/* what leads nowhere is none unless it is in use */
	assert_int_equal(outside(&s, 2, NULL, "192.0.2.1").n, 2);
	assert_int_equal(outside(&s, 2, NULL, "10.0.0.2").n, 3);
}

/* The notifies of a message that was built, as they would be read. */
static struct ike_pls
read_back(struct ike_build *b, struct arena *a)
{
	struct ike_hdr h = { .major = 2, .xchg = IKE_XCHG_INFORMATIONAL };
	struct ike_perr perr;
	struct ike_pls p;
	struct view text;

	assert_int_equal(ike_build_finish(b, &text), 0);
	assert_int_equal(ike_pls_decode(a, &h, text, b->first, &p, &perr), 0);
	return p;
}

TEST(further_addresses_come_back_as_they_were_written)
{
	struct ike_addrs own = ADDRS("192.0.2.1", "2001:db8::1", "10.0.0.1");
	struct ike_addrs want = ADDRS("2001:db8::1", "10.0.0.1"), got;
	struct ip_addr used = ip("192.0.2.1");
	uint8_t buf[512];
	struct ike_build b;
	struct ike_pls p;
	struct arena a;

	arena_init(&a, 65536);
	ike_build_init_inner(&b, buf, sizeof(buf));
	ike_addrs_write(&b, &own, &used, true);
	p = read_back(&b, &a);
	assert_int_equal(p.n_ntf, 2);
	assert_true(ike_addrs_read(&p, &got));
	assert_int_equal(got.n, want.n);
	for (unsigned i = 0; i < want.n; i++)
		assert_true(ike_addrs_has(&got, &want.a[i]));
	arena_fini(&a);
}

TEST(who_has_one_address_only_says_so_or_nothing)
{
	struct ike_addrs own = ADDRS("192.0.2.1"), got = own;
	struct ip_addr used = ip("192.0.2.1");
	uint8_t buf[512];
	struct ike_build b;
	struct ike_pls p;
	struct arena a;

	arena_init(&a, 65536);
	ike_build_init_inner(&b, buf, sizeof(buf));
	ike_addrs_write(&b, &own, &used, true);
	p = read_back(&b, &a);
	assert_true(ike_addrs_read(&p, &got));
	assert_int_equal(got.n, 0);
	ike_build_init_inner(&b, buf, sizeof(buf));
	ike_addrs_write(&b, &own, &used, false);
	p = read_back(&b, &a);
	assert_false(ike_addrs_read(&p, &got));
	arena_fini(&a);
}

TEST(no_nats_allowed_has_the_octets_of_the_rfc)
{
	struct net_ep from = ep("192.0.2.1:500"), to = ep("198.51.100.2:4500");
	uint8_t want[12], out[IKE_NO_NATS_MAX];

	test_hex("c0000201 c6336402 01f4 1194", want, sizeof(want));
	assert_int_equal(ike_no_nats_put(&from, &to, out), 12);
	assert_memory_equal(out, want, 12);
	from = ep("[2001:db8::1]:500");
	to = ep("[2001:db8::2]:500");
	assert_int_equal(ike_no_nats_put(&from, &to, out), 36);
	assert_int_equal(out[15], 1);
	assert_int_equal(out[31], 2);
}

TEST(no_nats_allowed_fits_these_addresses_and_no_other)
{
	struct net_ep from = ep("192.0.2.1:500"), to = ep("198.51.100.2:500");
	struct net_ep other = ep("192.0.2.1:501");
	uint8_t out[IKE_NO_NATS_MAX] = { 0 };
	struct view v = { out, ike_no_nats_put(&from, &to, out) };

	assert_true(ike_no_nats_fits(v, &from, &to));
	assert_false(ike_no_nats_fits(v, &to, &from));
	assert_false(ike_no_nats_fits(v, &other, &to));
	v.len--;
	assert_false(ike_no_nats_fits(v, &from, &to));
	v.len = sizeof(out);
	assert_false(ike_no_nats_fits(v, &from, &to));
	v.len = 0;
	assert_false(ike_no_nats_fits(v, &from, &to));
}
