/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/conf/t_pool.c - <pool>, <lease>, local="dynamic" and lockdown=.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/diff.h"
#include "conf/pool.h"
#include "daemon/base/err.h"
#include "test/lib/test.h"

static struct conf_errs errs;

#define GATE(pool_)                                                            \
	"<vpn><realm name=\"r\">\n<me id=\"gw\" psk=\"k\"/>\n"                   \
	"<peer id=\"*@x.example\"/>\n" pool_ "\n</realm></vpn>"
#define CLIENT(attrs_, net_)                                                   \
	"<vpn><realm name=\"r\" " attrs_ ">\n<me id=\"anna@x\" psk=\"k\"/>\n"    \
	"<peer id=\"gw\" at=\"192.0.2.1\"/>\n" net_ "\n</realm></vpn>"

static struct conf *
good(const char *text)
{
	struct conf *c = NULL;
	int err = conf_parse(text, strlen(text), "t.xml", NULL, &c, &errs);

	if (err != 0)
		conf_errs_print(&errs, stderr);
	assert_int_equal(err, 0);
	return c;
}

/* One error on this line, with this in it. */
static void
bad(const char *text, unsigned line, const char *part)
{
	struct conf *c = NULL;

	assert_int_equal(conf_parse(text, strlen(text), "t.xml", NULL, &c,
				    &errs), ERR_CONF);
	if (errs.n == 1 && errs.e[0].line == line &&
	    strstr(errs.e[0].text, part) != NULL)
		return;
	conf_errs_print(&errs, stderr);
	fail_msg("for %s: wanted %u: ...%s...", text, line, part);
}

static const char full[] = GATE("<pool net=\"10.20.1.0/24 fd00:20::/64\" "
    "dns=\"10.20.0.53 fd00:20::53\" route=\"10.20.0.0/16,fd00::/8\" "
    "domain=\"example.com corp.example\" "
    "resolver=\"tls://dns.example.com@10.20.0.53+10.20.0.54 "
    "https://doh.example.com:8443/q{?dns}@fd00:20::53\">\n"
    "<lease id=\"boss@x.example\" address=\"10.20.1.9 fd00:20::9\"/>\n"
    "<lease id=\"far@x.example\" address=\"10.99.0.1\"/></pool>");

TEST(a_pool_is_read_into_arrays)
{
	struct conf *c = good(full);
	const struct conf_pool *p = c->realm[0].pool;

	assert_non_null(p);
	assert_int_equal(p->n_net, 2);
	assert_int_equal(p->net[0].bits, 24);
	assert_int_equal(p->net[1].addr.family, 6);
	assert_int_equal(p->cfg.n_dns, 2);
	assert_int_equal(p->cfg.n_subnet, 2);
	assert_int_equal(p->cfg.n_domain, 2);
	assert_string_equal(p->cfg.domain[1], "corp.example");
	assert_int_equal(p->cfg.n_enc, 2);
	assert_true(p->cfg.enc[0].has_dot && !p->cfg.enc[0].has_doh);
	assert_int_equal(p->cfg.enc[0].n_ip, 2);
	assert_int_equal(p->cfg.enc[0].prio, 1);
	assert_int_equal(p->cfg.enc[1].prio, 2);
	assert_int_equal(p->cfg.enc[1].port, 8443);
	assert_string_equal(p->cfg.enc[1].doh_path, "/q{?dns}");
	assert_int_equal(p->n_lease, 2);
	assert_string_equal(p->lease[0].id, "boss@x.example");
	assert_int_equal(p->lease[0].n_ip, 2);
	assert_int_equal(p->lease[1].n_ip, 1);
	conf_free(c);
}

TEST(what_is_printed_means_the_same)
{
	static const char *const text[] = { full,
		CLIENT("mode=\"ip\" lockdown=\"yes\"",
		       "<net local=\"dynamic\" remote=\"10.0.0.0/8\"/>"),
		CLIENT("mode=\"ip\"", "<net local=\"dynamic\"/>") };

	for (size_t i = 0; i < N_OF(text); i++) {
		struct conf *a = good(text[i]), *b;
		char *out = NULL;

		assert_int_equal(conf_print(a, &out), 0);
		b = good(out);
		assert_true(conf_equal(a, b));
		conf_free(a);
		conf_free(b);
		free(out);
	}
}

TEST(an_address_of_ours_may_come_from_the_peer)
{
	struct conf *c = good(CLIENT("mode=\"ip\" lockdown=\"yes\"",
	    "<net local=\"dynamic\" remote=\"10.0.0.0/8\"/>"));

	assert_true(c->realm[0].peer[0].net->is_dynamic);
	assert_int_equal(c->realm[0].net.n_local, 0);
	assert_int_equal(c->realm[0].net.n_remote, 1);
	assert_true(c->realm[0].lockdown);
	conf_free(c);
}

TEST(mistakes_in_a_pool_are_told_where_they_are)
{
	bad(GATE("<pool/>"), 4, "no net=");
	bad(GATE("<pool net=\"10.20.1.1/24\"/>"), 4, "a network is like");
	bad(GATE("<pool net=\"10.20.1.0\"/>"), 4, "a network is like");
	bad(GATE("<pool net=\"0.0.0.0/0\"/>"), 4, "a network is like");
	bad(GATE("<pool net=\"224.0.0.0/24\"/>"), 4, "a network is like");
	bad(GATE("<pool net=\"10.0.0.0/24\" dns=\"10.0.0.0/8\"/>"), 4,
	    "an address is like");
	bad(GATE("<pool net=\"10.0.0.0/24\" dns=\"127.0.0.1\"/>"), 4,
	    "an address is like");
	bad(GATE("<pool net=\"10.0.0.0/24\" domain=\"example.com\"/>"), 4,
	    "who knows these names");
	bad(GATE("<pool net=\"10.0.0.0/24\" dns=\"10.0.0.1\" "
	    "domain=\"ex/ample\"/>"), 4, "a domain is like");
	bad(GATE("<pool net=\"10.0.0.0/24\" resolver=\"dns.example\"/>"), 4,
	    "a resolver is like");
	bad(GATE("<pool net=\"10.0.0.0/24\"><lease id=\"a@x\"/></pool>"), 4,
	    "needs id= and");
	bad(GATE("<pool net=\"10.0.0.0/24\"><lease id=\"*@x\" "
	    "address=\"10.0.0.3\"/></pool>"), 4, "without * and ?");
	bad(GATE("<pool net=\"10.0.0.0/24\"><lease id=\"a@x\" "
	    "address=\"10.0.0.3 10.0.0.4\"/></pool>"), 4, "of each family");
	bad(GATE("<pool net=\"10.0.0.0/24\">\n"
	    "<lease id=\"a@x\" address=\"10.0.0.3\"/>\n"
	    "<lease id=\"b@x\" address=\"10.0.0.3\"/></pool>"), 6,
	    "somebody else");
	bad(GATE("<pool net=\"10.0.0.0/24\">\n"
	    "<lease id=\"a@x\" address=\"10.0.0.3\"/>\n"
	    "<lease id=\"a@x\" address=\"10.0.0.4\"/></pool>"), 6,
	    "already (line 5)");
}

TEST(lockdown_needs_a_tunnel_for_all)
{
	bad(CLIENT("mode=\"ip\" lockdown=\"yes\"",
		   "<net local=\"10.1.0.0/16\"/>"), 1, "local=\"dynamic\"");
}

TEST(resolvers_are_read_as_they_are_meant)
{
	static const struct {
		const char *text;
		bool is_good;
	} row[] = {
		{ "tls://dns.example@10.0.0.1", true },
		{ "quic://dns.example:8853@fd00::1", true },
		{ "https://dns.example@10.0.0.1", true },
		{ "tls://dns.example/path@10.0.0.1", false },
		{ "tls://dns.example@", false },
		{ "tls://@10.0.0.1", false },
		{ "tls://dns.example", false },
		{ "tls://dns.example:0@10.0.0.1", false },
		{ "tls://dns.example:@10.0.0.1", false },
		{ "tls://dns.example:65536@10.0.0.1", false },
		{ "tls://dns.example:123456789@10.0.0.1", false },
		{ "tls://dns.example@10.0.0.1+fd00::1", false },
		{ "tls://dns.example@10.0.0.1+", false },
		{ "tls://dns.example@10.0.0.1+10.0.0.2+10.0.0.3+10.0.0.4", true },
		{ "tls://dns.example@1.0.0.1+1.0.0.2+1.0.0.3+1.0.0.4+1.0.0.5",
		  false },
		{ "dot://dns.example@10.0.0.1", false },
		{ "https://dns.example/\"@10.0.0.1", false },
		{ "", false }, { "@", false }, { "tls://", false },
	};
	struct vpn_enc_dns e;

	for (size_t i = 0; i < N_OF(row); i++)
		if ((conf_resolver_parse(row[i].text, &e) == 0) !=
		    row[i].is_good)
			fail_msg("%s", row[i].text);
	assert_int_equal(conf_resolver_parse("https://dns.example@10.0.0.1",
					     &e), 0);
	assert_string_equal(e.doh_path, "/dns-query{?dns}");
}

/* What a reload says of it. */
static unsigned
changes(const char *a, const char *b, struct conf_diff_sum *sum)
{
	struct conf *old = good(a), *now = good(b);

	memset(sum, 0, sizeof(*sum));
	conf_diff(old, now, NULL, NULL, sum);
	conf_free(old);
	conf_free(now);
	return sum->n_change;
}

TEST(a_reload_tells_what_changed_in_a_pool)
{
	struct conf_diff_sum sum;

	assert_int_equal(changes(full, full, &sum), 0);
	assert_int_equal(changes(GATE("<pool net=\"10.0.0.0/24\"/>"),
	    GATE("<pool net=\"10.0.0.0/24\" dns=\"10.0.0.1\"/>"), &sum), 1);
	assert_int_equal(sum.n_interrupted, 1);
	assert_int_equal(changes(GATE("<pool net=\"10.0.0.0/24\"/>"),
	    GATE("<pool net=\"10.0.0.0/24\"><lease id=\"a@x\" "
		 "address=\"10.0.0.3\"/></pool>"), &sum), 1);
	assert_int_equal(sum.n_interrupted, 0);
	assert_int_equal(changes(GATE(""), GATE("<pool net=\"10.0.0.0/24\"/>"),
				 &sum), 1);
}
