/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/conf/t_eap.c - <eap> whose users a RADIUS server knows.
 */
#include "test/lib/test.h"
#include <string.h>
#include "conf/conf.h"
#include "daemon/base/err.h"

static struct conf_errs errs;

static struct conf *
good(const char *text)
{
	struct conf *c = NULL;

	assert_int_equal(conf_parse(text, strlen(text), "t.xml", NULL, &c,
				    &errs), 0);
	assert_non_null(c);
	return c;
}

static void
bad(const char *text)
{
	struct conf *c = NULL;

	assert_int_equal(conf_parse(text, strlen(text), "t.xml", NULL, &c,
				    &errs), ERR_CONF);
	assert_true(errs.n > 0);
}

#define RADIUS(eap_)                                                           \
	"<vpn>\n<realm name=\"sales\">\n"                                        \
	"<me id=\"vpn.example.com\" cert=\"vpn.example.com\"/>\n"               \
	"<eap " eap_ "/>\n</realm>\n</vpn>"

TEST(radius_needs_its_servers_and_their_secret)
{
	bad(RADIUS("method=\"radius\""));
	assert_int_equal(errs.n, 2);
	assert_int_equal(errs.e[0].line, 4);
	assert_non_null(strstr(errs.e[0].text, "needs at="));
	assert_non_null(strstr(errs.e[1].text, "needs secret="));
}

TEST(radius_stands_alone)
{
	bad(RADIUS("method=\"radius tls\" ca=\"ca.pem\" at=\"10.0.0.5\" "
		   "secret=\"r\""));
	assert_int_equal(errs.n, 1);
	assert_non_null(strstr(errs.e[0].text, "stands alone"));
	bad(RADIUS("users=\"u\" at=\"10.0.0.5\" secret=\"r\""));
	assert_int_equal(errs.n, 2);
	bad(RADIUS("method=\"radius\" at=\"10.0.0.5\" secret=\"r\" "
		   "users=\"u\""));
	assert_int_equal(errs.n, 1);
}

TEST(radius_servers_are_addresses_in_order)
{
	struct net_ep ep[CONF_RADIUS_MAX];
	struct conf *c = good(RADIUS("method=\"radius\" secret=\"r\" "
	    "at=\"10.0.0.5 10.0.0.6:1645, [fd00::5]:1813\""));

	assert_true(conf_eap_is_relay(&c->realm[0].eap));
	assert_int_equal(conf_eap_servers(&c->realm[0].eap, ep), 3);
	assert_int_equal(ep[0].port, 1812);
	assert_int_equal(ep[1].port, 1645);
	assert_int_equal(ep[2].port, 1813);
	assert_int_equal(ep[2].ip.family, 6);
	conf_free(c);
	bad(RADIUS("method=\"radius\" secret=\"r\" at=\"radius.example.com\""));
	assert_non_null(strstr(errs.e[0].text, "not a name"));
	bad(RADIUS("method=\"radius\" secret=\"r\" at=\"10.0.0.1 10.0.0.2 "
		   "10.0.0.3 10.0.0.4 10.0.0.5\""));
	assert_non_null(strstr(errs.e[0].text, "more than 4"));
}

TEST(the_name_of_who_asks_belongs_to_a_client)
{
	struct conf *c = good("<vpn><realm name=\"r\">"
	    "<me eap=\"hanako@example.com\" eap-server=\"aaa.example.com\"/>"
	    "<peer id=\"vpn.example.com\" ca=\"ca.pem\"/></realm></vpn>");

	assert_string_equal(c->realm[0].me.eap_server, "aaa.example.com");
	conf_free(c);
	bad("<vpn><realm name=\"r\"><me id=\"a.example.com\" psk=\"p\" "
	    "eap-server=\"aaa.example.com\"/>"
	    "<peer id=\"b.example.com\" at=\"192.0.2.1\"/></realm></vpn>");
	assert_non_null(strstr(errs.e[0].text, "for a client"));
}
