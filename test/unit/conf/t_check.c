/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/conf/t_check.c - what a configuration text turns into, or why not.
 */
#include "daemon/base/str.h"
#include "test/lib/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/conf.h"
#include "daemon/base/err.h"

static struct conf_errs errs;

static struct conf *
good(const char *text)
{
	struct conf *c = NULL;
	int err = conf_parse(text, strlen(text), "t.xml", NULL, &c, &errs);

	if (err != 0)
		conf_errs_print(&errs, stderr);
	assert_int_equal(err, 0);
	assert_int_equal(errs.n, 0);
	assert_non_null(c);
	return c;
}

static int
bad_n(const char *text, size_t len)
{
	struct conf *c = (struct conf *)&errs;	/* must stay untouched */
	int err = conf_parse(text, len, "t.xml", NULL, &c, &errs);

	assert_int_not_equal(err, 0);
	assert_ptr_equal(c, &errs);
	return err;
}

static void
bad(const char *text)
{
	assert_int_equal(bad_n(text, strlen(text)), ERR_CONF);
	assert_true(errs.n > 0);
}

/* One error exactly, on this line, with this text in it. */
static void
expect(const char *what, unsigned line, const char *part)
{
	if (errs.n == 1 && errs.e[0].line == line &&
	    strstr(errs.e[0].text, part) != NULL)
		return;
	fprintf(stderr, "for: %s\nwanted %u: ...%s...\n", what, line, part);
	conf_errs_print(&errs, stderr);
	fail();
}

#define OFFICES                                                                \
	"<vpn>\n"                                                              \
	"  <realm name=\"branches\" bridge=\"br-lan\">\n"                      \
	"    <me id=\"tokyo\" psk=\"branches.psk\"/>\n"                        \
	"    <peer id=\"osaka\" at=\"203.0.113.2\"/>\n"                        \
	"  </realm>\n"                                                         \
	"</vpn>\n"

TEST(two_offices_need_only_names_and_get_defaults)
{
	struct conf *c = good(OFFICES);
	const struct conf_realm *r = conf_realm_find(c, "branches");
	const struct conf_peer *p;

	assert_int_equal(c->n_realm, 1);
	assert_int_equal(c->port, 500);
	assert_int_equal(c->nat_port, 4500);
	assert_int_equal(c->workers, 0);
	assert_int_equal(c->log, LOG_NOTICE);
	assert_int_equal(c->rule, CONF_RULE_QUEUE);
	assert_int_equal(c->cookie_threshold, 100);
	assert_int_equal(c->half_open_max, 32768);
	assert_null(c->esp_provider);
	assert_non_null(r);
	assert_string_equal(r->tap, "tap-branches");
	assert_string_equal(r->bridge, "br-lan");
	assert_int_equal(r->mode, VPN_MODE_AUTO);
	assert_int_equal(r->suite, VPN_SUITE_2026);
	assert_int_equal(r->cipher, VPN_PREFER_AES256);
	assert_int_equal(r->encap, VPN_ENCAP_AUTO);
	assert_int_equal(r->dpd_s, 10);
	assert_int_equal(r->child_life_s, 3600);
	assert_int_equal(r->ike_life_s, 28800);
	assert_string_equal(r->me.id, "tokyo");
	assert_int_equal(r->n_peer, 1);
	p = conf_peer_find(r, "osaka");
	assert_non_null(p);
	assert_string_equal(p->psk, "branches.psk");
	assert_true(p->dial);
	assert_true(p->at_is_ip);
	assert_string_equal(p->at_host, "203.0.113.2");
	assert_int_equal(p->at_ep.ip.b[3], 2);
	assert_int_equal(p->pos.line, 4);
	assert_ptr_equal(p->net, &r->net);
	assert_null(conf_realm_find(c, "tokyo"));
	assert_null(conf_peer_find(r, "tokyo"));
	conf_free(c);
}

TEST(every_written_value_arrives)
{
	struct conf *c = good(
	    "<vpn workers=\"4\" cpus=\"0-2,7\" rule=\"round-robin\" log=\"debug\""
	    " priority=\"3\" port=\"501\" nat-port=\"4501\" cookie-threshold=\"5\""
	    " half-open-max=\"64\" packet-ring=\"no\" esp-provider=\"my-card.2\">"
	    "<realm name=\"r\" tap=\"t0\" address=\"10.0.0.1/24, fd00::1/64\""
	    " mode=\"ip\" suite=\"compat\" cipher=\"aes128\" encap=\"esp\" mtu=\"1400\" dpd=\"3\""
	    " dead=\"9\" child-life=\"60\" ike-life=\"120\">"
	    "<match id=\"*@sales.example.com\"/>"
	    "<me id=\"me@example.com\" psk=\"a\"/>"
	    "<peer id=\"2001:db8::9\" name=\"nine\" at=\"[2001:db8::9]:4500\""
	    " dial=\"no\" psk=\"b\" mode=\"auto\" encap=\"udp\"/>"
	    "<peer id=\"*.example.com\"/>"
	    "<peer id=\"keyid:0a0b\" at=\"gw.example.com:600\">"
	    "<net remote=\"192.168.0.0/16\"/></peer>"
	    "<net local=\"10.1.0.0/16 fd00:1::/48\" remote=\"10.2.0.1-10.2.0.9\"/>"
	    "<net remote=\"10.3.0.1/32[udp/53]\"/>"
	    "</realm></vpn>");
	const struct conf_realm *r = c->realm;
	const struct conf_peer *p = r->peer;

	assert_int_equal(c->workers, 4);
	assert_int_equal(c->n_cpu, 4);
	assert_int_equal(c->cpu[3], 7);
	assert_int_equal(c->rule, CONF_RULE_ROUND_ROBIN);
	assert_int_equal(c->log, LOG_DEBUG);
	assert_int_equal(c->priority, 3);
	assert_int_equal(c->port, 501);
	assert_int_equal(c->nat_port, 4501);
	assert_int_equal(c->cookie_threshold, 5);
	assert_int_equal(c->half_open_max, 64);
	assert_false(c->packet_ring);
	assert_string_equal(c->esp_provider, "my-card.2");
	assert_string_equal(r->tap, "t0");
	assert_int_equal(r->n_addr, 2);
	assert_int_equal(r->addr[0].bits, 24);
	assert_int_equal(r->addr[0].addr.b[3], 1);
	assert_int_equal(r->addr[1].addr.family, 6);
	assert_int_equal(r->mode, VPN_MODE_IP);
	assert_int_equal(r->suite, VPN_SUITE_COMPAT);
	assert_int_equal(r->cipher, VPN_PREFER_AES128);
	assert_int_equal(r->encap, VPN_ENCAP_ESP);
	assert_int_equal(r->mtu, 1400);
	assert_int_equal(r->dpd_s, 3);
	assert_int_equal(r->dead_s, 9);
	assert_int_equal(r->child_life_s, 60);
	assert_int_equal(r->ike_life_s, 120);
	assert_int_equal(r->n_match, 1);
	assert_string_equal(r->match[0].text, "*@sales.example.com");
	assert_int_equal(r->me.id_kind, CONF_ID_EMAIL);
	assert_int_equal(r->net.n_local, 2);
	assert_int_equal(r->net.n_remote, 2);
	assert_int_equal(r->net.remote[0].hi.b[3], 9);
	assert_int_equal(r->net.remote[1].proto, 17);
	assert_int_equal(r->net.remote[1].port_lo, 53);
	assert_int_equal(r->net.remote[1].port_hi, 53);

	assert_int_equal(p[0].id_kind, CONF_ID_IPV6);
	assert_string_equal(p[0].name, "nine");
	assert_false(p[0].dial);
	assert_int_equal(p[0].at_port, 4500);
	assert_int_equal(p[0].at_ep.port, 4500);
	assert_string_equal(p[0].at_host, "2001:db8::9");
	assert_string_equal(p[0].psk, "b");
	assert_int_equal(p[0].mode, VPN_MODE_AUTO);
	assert_int_equal(p[0].encap, VPN_ENCAP_UDP);
	assert_true(p[1].is_glob);
	assert_false(p[1].dial);
	assert_null(p[1].at);
	assert_string_equal(p[1].psk, "a");
	assert_int_equal(p[1].mode, VPN_MODE_IP);
	assert_int_equal(p[1].encap, VPN_ENCAP_ESP);
	assert_int_equal(p[2].id_kind, CONF_ID_KEYID);
	assert_false(p[2].at_is_ip);
	assert_string_equal(p[2].at_host, "gw.example.com");
	assert_int_equal(p[2].at_port, 600);
	assert_true(p[2].net != &r->net);
	assert_int_equal(p[2].net->n_remote, 1);
	assert_int_equal(p[2].net->n_local, 0);
	conf_free(c);
}

TEST(gre_needs_no_net)
{
	struct conf *c = good("<vpn><realm name='r' mode='gre'>"
			      "<me id='a' psk='k'/><peer id='b'/>"
			      "<peer id='d'><net remote='10.9.0.0/24'/></peer>"
			      "<peer id='c' mode='ip'><net remote='10.2.0.0/16'/>"
			      "</peer></realm></vpn>");

	assert_int_equal(c->realm[0].peer[0].mode, VPN_MODE_GRE);
	assert_int_equal(c->realm[0].peer[0].net->n_remote, 0);
	assert_int_equal(c->realm[0].peer[2].mode, VPN_MODE_IP);
	conf_free(c);
}

TEST(ether_mode_may_carry_a_net_and_a_bom_may_come_first)
{
	conf_free(good("\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>\n"
		       "<!-- <!DOCTYPE is only a word here> -->\n"
		       "<vpn><realm name='j' mode='ether'>"
		       "<me id='l' psk='p'/><peer id='r' name='right'/>"
		       "<net local='10.0.0.1/32' remote='10.0.0.2/32'/>"
		       "</realm></vpn>"));
}

/* ---- broken ones ----------------------------------------------------------------- */

#define VPN(inside_) "<vpn>\n" inside_ "\n</vpn>\n"
/* The attributes of <realm> stand on line 2, what is inside on line 4. */
#define REALM(attrs_, inside_)                                                 \
	VPN("<realm name=\"r\" " attrs_ ">\n<me id=\"a\" psk=\"k\"/>\n" inside_  \
	    "\n</realm>")
#define PEER(attrs_) REALM("", "<peer id=\"b\" " attrs_ "/>")
#define IP(inside_)  REALM("mode=\"ip\"", inside_)

static const struct broken {
	const char *text;
	unsigned line;
	const char *part;
} broken[] = {
	/* names */
	{VPN("<relm name=\"r\"/>\n<realm name=\"x\"><me id=\"a\" psk=\"k\"/></realm>"),
	 2, "unknown element <relm> in <vpn>; did you mean \"realm\"?"},
	{REALM("brigde=\"br0\"", ""), 2, "did you mean \"bridge\"?"},
	{REALM("frobnicate=\"1\"", ""), 2, "unknown option \"frobnicate\""},
	{PEER("\n\n\n adress=\"10.0.0.1\""), 7, "unknown option \"adress\" of <peer>"},
	{"<vpm/>", 1, "it must be <vpn>"},
	{VPN("<peer id=\"b\"/>\n<realm name=\"x\"><me id=\"a\" psk=\"k\"/></realm>"),
	 2, "<peer> does not belong into <vpn>"},
	{"<vpn/>", 1, "no <realm>"},
	{VPN("<realm name=\"r\"><me id=\"a\" psk=\"k\"/>\n\nhello</realm>"), 4,
	 "text between the tags of <realm>"},
	{"<vpn xmlns=\"urn:x\"><realm name=\"r\"><me id=\"a\" psk=\"k\"/></realm></vpn>",
	 1, "unknown option \"xmlns\""},
	/* numbers and words */
	{"<vpn port=\"70000\"><realm name=\"r\"><me id=\"a\" psk=\"k\"/></realm></vpn>",
	 1, "a number from 1 to 65535"},
	{"<vpn port=\"4500\"><realm name=\"r\"><me id=\"a\" psk=\"k\"/></realm></vpn>",
	 0, "port and nat-port are both 4500"},
	{"<vpn workers=\"-1\"><realm name=\"r\"><me id=\"a\" psk=\"k\"/></realm></vpn>",
	 1, "a number from 0 to 64"},
	{"<vpn cpus=\"3-1\"><realm name=\"r\"><me id=\"a\" psk=\"k\"/></realm></vpn>",
	 1, "CPU numbers"},
	{"<vpn rule=\"quue\"><realm name=\"r\"><me id=\"a\" psk=\"k\"/></realm></vpn>",
	 1, "did you mean \"queue\"?"},
	{"<vpn cookie-threshold=\"200\" half-open-max=\"100\"><realm name=\"r\">"
	 "<me id=\"a\" psk=\"k\"/></realm></vpn>", 0, "cookies would never"},
	{"<vpn puzzle-bits=\"8\"><realm name=\"r\">"
	 "<me id=\"a\" psk=\"k\"/></realm></vpn>", 1, "0 or a number from 9 to 19"},
	{REALM("mtu=\"576\"", ""), 2, "0 or a number from 1280 to 9216 bytes"},
	{REALM("dpd=\"10s\"", ""), 2, "a number from 1 to 3600 s"},
	{REALM("mode=\"eter\"", ""), 2, "did you mean \"ether\"?  Allowed: auto ether ip gre"},
	{REALM("suite=\"3des\"", ""), 2, "llowed: 2026 compat"},
	{REALM("child-life=\"7200\" ike-life=\"3600\"", ""), 2, "longer than ike-life"},
	{PEER("at=\"192.0.2.1\" dial=\"maybe\""), 4, "allowed: yes no"},
	/* providers */
	{"<vpn esp-provider=\"../card\"><realm name=\"r\"><me id=\"a\" psk=\"k\"/>"
	 "</realm></vpn>", 1, "a name has 1 to 63 characters of: letters, digits"},
	{"<vpn esp-provider=\"\"><realm name=\"r\"><me id=\"a\" psk=\"k\"/></realm></vpn>",
	 1, "a name has"},
	{"<vpn esp-provider=\".hidden\"><realm name=\"r\"><me id=\"a\" psk=\"k\"/>"
	 "</realm></vpn>", 1, "first a letter or digit"},
	/* interfaces */
	{VPN("<realm name=\"a-long-realm-name\"><me id=\"a\" psk=\"k\"/></realm>"), 2,
	 "add tap="},
	{REALM("tap=\"sixteen-letters-\"", ""), 2, "1 to 15"},
	{REALM("bridge=\"br/0\"", ""), 2, "an interface name has"},
	{REALM("tap=\"br0\" bridge=\"br0\"", ""), 2, "they are two interfaces"},
	{VPN("<realm><me id=\"a\" psk=\"k\"/></realm>"), 2, "no name="},
	{VPN("<realm name=\"../etc\"><me id=\"a\" psk=\"k\"/></realm>"), 2, "a name has"},
	/* addresses */
	{REALM("address=\"10.0.0.1\"", ""), 2, "prefix length"},
	{REALM("address=\"10.0.0.1/24 10.0.0.300/24\"", ""), 2, "\"10.0.0.300/24\""},
	{REALM("address=\"\"", ""), 2, "empty"},
	{PEER("at=\"203.0.113.256\""), 4, "neither a host name nor an IP address"},
	{PEER("at=\"host:0\""), 4, "neither a host name"},
	{PEER("at=\"ho st\""), 4, "neither a host name"},
	{PEER("at=\"0.0.0.0\""), 4, "unicast"},
	{PEER("at=\"224.0.0.1\""), 4, "unicast"},
	{IP("<peer id=\"b\"/>"), 4, "mode=\"ip\" needs a <net"},
	{REALM("mode=\"gre\"", "<peer id=\"b\"/><peer id=\"c\"/>"), 4,
	 "which networks are behind each"},
	{REALM("mode=\"ip\"", ""), 2, "mode=\"ip\" needs a <net"},
	{IP("<net local=\"10.0.0.0/33\"/>"), 4, "\"10.0.0.0/33\" is not a network"},
	{IP("<net remote=\"10.0.0.9-10.0.0.1\"/>"), 4, "is not a network"},
	{IP("<net local=\"dynamic 10.0.0.0/8\"/>"), 4, "dynamic stands alone"},
	{IP("<net remote=\"dynamic\"/>"), 4, "\"dynamic\" is not a network"},
	{IP("<net local=\"dynamic\"/>\n<peer id=\"b\"/>"), 5,
	 "for a peer we dial"},
	{IP("<net/>"), 4, "names no network"},
	{IP("<net remote=\"10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6"
	    " 10.0.0.7 10.0.0.8 10.0.0.9 10.0.1.1 10.0.1.2 10.0.1.3 10.0.1.4"
	    " 10.0.1.5 10.0.1.6 10.0.1.7 10.0.1.8\"/>"), 4, "more than 16 networks"},
	/* identities and keys */
	{VPN("<realm name=\"r\"><peer id=\"b\"/></realm>"), 2, "no <me>"},
	{VPN("<realm name=\"r\"><me psk=\"k\"/></realm>"), 2, "<me> has no id="},
	{VPN("<realm name=\"r\"><me id=\"a\"/></realm>"), 2, "<me> has no psk="},
	{VPN("<realm name=\"r\"><me id=\"a\"/>\n<peer id=\"b\"/></realm>"), 3,
	 "no key for this peer"},
	{VPN("<realm name=\"r\"><me id=\"*\" psk=\"k\"/></realm>"), 2, "our own id="},
	{VPN("<realm name=\"r\"><me id=\"a\" psk=\"../k\"/></realm>"), 2, "no directory"},
	{VPN("<realm name=\"r\"><me id=\"a\" psk=\"k\"/>\n<me id=\"c\" psk=\"k\"/></realm>"),
	 3, "too many <me>"},
	{REALM("", "<peer/>"), 4, "<peer> has no id="},
	{REALM("", "<peer id=\"\"/>"), 4, "an identity is"},
	{REALM("", "<peer id=\"a b\"/>"), 4, "an identity is"},
	{REALM("", "<peer id=\"O=Example, XX=x\"/>"), 4, "distinguished name"},
	{REALM("", "<peer id=\"O=Example, CN=*\" name=\"x\"/>"), 4,
	 "distinguished name"},
	{REALM("", "<peer id=\"a/b\"/>"), 4, "add name="},
	{REALM("", "<peer id=\"*.x\" at=\"192.0.2.1\"/>"), 4, "cannot hold * or ?"},
	{PEER("dial=\"yes\""), 4, "dial=\"yes\" without at="},
	{VPN("<realm name=\"r\"><me eap=\"h@x.example\" only=\"yes\"/>"
	     "<peer id=\"gw.example\" ca=\"c\"/></realm>"), 2, "is for eap= with cert="},
	{VPN("<realm name=\"r\"><me id=\"a\" psk=\"k\" keep=\"5\"/></realm>"),
	 2, "keep= of <me> is for a client"},
	{VPN("<realm name=\"r\"><me eap=\"h@x.example\" cert=\"c\" keep=\"5\"/>"
	     "<peer id=\"gw.example\" ca=\"c\"/></realm>"), 2, "without cert="},
	{VPN("<realm name=\"r\"><me id=\"gw.example\" cert=\"c\"/>\n<eap "
	     "method=\"tls mschapv2\" users=\"u\" ca=\"c\" only=\"yes\"/></realm>"), 3,
	 "method=\"tls\" and no other"},
	{REALM("", "<match/>"), 4, "one of id=, eap=, email="},
	{VPN("<realm name=\"r\" keys=\"../x\"><me id=\"a\" psk=\"k\"/></realm>"), 2,
	 "keys=\"../x\""},
	{VPN("<realm name=\"r\" keys=\"..\"><me id=\"a\" psk=\"k\"/></realm>"), 2,
	 "keys=\"..\""},
	{VPN("<realm name=\"r\" keys=\"web\"><me id=\"a\" psk=\"k\"/></realm>"), 2,
	 "cannot be the directory"},
	{VPN("<realm name=\"r\" keys=\"x\"><me id=\"a\" psk=\"k\"/>"
	     "<peer id=\"b\" ppk=\"p\"/></realm>\n<realm name=\"s\" keys=\"y\">"
	     "<me id=\"c\" psk=\"k\"/><peer id=\"d\" ppk=\"p\"/></realm>"), 3,
	 "other keys="},
	/* doubles */
	{REALM("", "<peer id=\"b\"/>\n<peer id=\"B\" name=\"c\"/>"), 5,
	 "in this realm already (line 4)"},
	{REALM("", "<peer id=\"b\"/>\n<peer id=\"c\" name=\"b\"/>"), 5,
	 "peer \"b\" exists already"},
	{VPN("<realm name=\"r\"><me id=\"a\" psk=\"k\"/></realm>\n"
	     "<realm name=\"r\" tap=\"t\"><me id=\"b\" psk=\"k\"/></realm>"), 3,
	 "realm \"r\" exists already (line 2)"},
	{VPN("<realm name=\"r\"><me id=\"a\" psk=\"k\"/></realm>\n"
	     "<realm name=\"s\" tap=\"tap-r\"><me id=\"b\" psk=\"k\"/></realm>"), 3,
	 "belongs to realm \"r\" (line 2)"},
	{VPN("<realm name=\"r\"><me id=\"a\" psk=\"k\"/><peer id=\"p\"/></realm>\n"
	     "<realm name=\"s\"><me id=\"A\" psk=\"k\"/><peer id=\"P\"/></realm>"), 3,
	 "would select two realms"},
	{VPN("<realm name=\"r\"><match id=\"p\"/><me id=\"a\" psk=\"k\"/></realm>\n"
	     "<realm name=\"s\"><me id=\"a\" psk=\"k\"/>\n<peer id=\"p\"/></realm>"), 4,
	 "is also in realm \"r\" (line 2)"},
	/* XML */
	{"<vpn>\n<realm name=\"r\">\n</vpn>\n", 3, "not well-formed XML"},
	{REALM("", "<peer id=\"b\" id=\"c\"/>"), 4, "attribute \"id\" is written twice"},
	{"", 0, "empty"},
	{" \n\n", 0, "empty"},
	{"<vpn>\n&bomb;</vpn>", 2, "not well-formed XML"},
	{"<?xml version='1.0' encoding='ISO-8859-1'?>\n<vpn/>", 1, "must be UTF-8"},
	{"<?xml version='1.0' encoding='UTF-7'?>\n<vpn/>", 1, "must be UTF-8"},
	{"<vpn>\n<realm name=\"\xe9\"/></vpn>", 2, "not well-formed XML"},
	{"\n<!DOCTYPE vpn SYSTEM \"file:///etc/passwd\">\n<vpn/>", 2, "DOCTYPE"},
	{"<!DOCTYPE a [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>\n<vpn>&b;</vpn>", 1,
	 "DOCTYPE"},
	{"<vpn>\n<!ENTITY x \"y\">\n</vpn>", 2, "declaration is not allowed"},
};

TEST(each_mistake_gives_one_error_with_its_line_and_what_is_allowed)
{
	for (unsigned i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		bad(broken[i].text);
		expect(broken[i].text, broken[i].line, broken[i].part);
	}
}

TEST(all_mistakes_of_a_file_come_in_one_run_in_order)
{
	bad("<vpn prot=\"500\">\n"
	    "  <realm name=\"r\" mode=\"eter\">\n"
	    "    <me id=\"a\" psk=\"k\"/>\n"
	    "    <peer at=\"192.0.2.1\"/>\n"
	    "    <peer id=\"c\" at=\"1.2.3.4.5\"/>\n"
	    "    <pear id=\"d\"/>\n"
	    "  </realm>\n"
	    "</vpn>\n");
	assert_int_equal(errs.n, 5);
	assert_int_equal(errs.e[0].line, 1);
	assert_non_null(strstr(errs.e[0].text, "did you mean \"port\"?"));
	assert_int_equal(errs.e[1].line, 2);
	assert_int_equal(errs.e[2].line, 4);
	assert_int_equal(errs.e[3].line, 5);
	assert_int_equal(errs.e[4].line, 6);
	assert_non_null(strstr(errs.e[4].text, "did you mean \"peer\"?"));
}

TEST(an_attribute_is_reported_on_its_own_line)
{
	bad("<vpn>\n<realm name=\"r\"\n  mode='ether'\n  mtu='9'\n"
	    "  tap='t'><me id='a'\npsk='k'/></realm></vpn>");
	expect("mtu", 4, "mtu=\"9\"");
}

#define OFFICE(me_, peer_)                                                     \
	"<vpn><realm name=\"r\">\n" me_ "\n" peer_ "\n</realm></vpn>"

/* How the two ends prove themselves. */
static void
proofs(const char *text, enum conf_auth own, enum conf_auth peer)
{
	struct conf *c = good(text);

	assert_int_equal(c->realm[0].peer[0].own_auth, own);
	assert_int_equal(c->realm[0].peer[0].auth, peer);
	conf_free(c);
}

TEST(each_direction_has_its_own_way_of_proof)
{
	proofs(OFFICE("<me id='a' psk='k'/>", "<peer id='b'/>"),
	       CONF_AUTH_PSK, CONF_AUTH_PSK);
	proofs(OFFICE("<me id='a' cert='a'/>", "<peer id='b' ca='ca.pem'/>"),
	       CONF_AUTH_CERT, CONF_AUTH_CERT);
	proofs(OFFICE("<me id='a' cert='a'/>", "<peer id='b' psk='k'/>"),
	       CONF_AUTH_CERT, CONF_AUTH_PSK);
	proofs(OFFICE("<me id='a' psk='k'/>", "<peer id='b' ca='ca.pem'/>"),
	       CONF_AUTH_PSK, CONF_AUTH_CERT);
	proofs(OFFICE("<me id='a' cert='a' psk='k'/>",
		      "<peer id='b' ca='ca.pem' my-auth='psk'/>"),
	       CONF_AUTH_PSK, CONF_AUTH_CERT);
	proofs(OFFICE("<me id='a' key='a.key'/>",
		      "<peer id='b' pubkey='b.pub'/>"),
	       CONF_AUTH_CERT, CONF_AUTH_CERT);
}

TEST(a_proof_that_nobody_can_give_is_an_error)
{
	bad(OFFICE("<me id='a' psk='k'/>",
		   "<peer id='b' ca='c' my-auth='cert'/>"));
	expect("no certificate", 3, "neither cert= nor key=");
	bad(OFFICE("<me id='a'/>", "<peer id='b' ca='c'/>"));
	expect("nothing of ours", 3, "nothing to prove ourselves with");
	bad(OFFICE("<me id='a' cert='a'/>", "<peer id='b'/>"));
	expect("nothing of the peer", 3, "no key for this peer");
	bad(OFFICE("<me id='a' psk='k'/>", "<peer id='b' revocation='off'/>"));
	expect("revocation", 3, "revocation= is about certificates");
	bad(OFFICE("<me id='a' psk='k'/>",
	    "<peer id='b' cert='b' crl='http://h/'/>"));
	expect("crl", 3, "crl= is about");
	bad(OFFICE("<me id='a' psk='k' pass='p'/>", "<peer id='b'/>"));
	expect("pass", 2, "pass= without key= or cert=");
	bad(OFFICE("<me key='a.key'/>", "<peer id='b' pubkey='b'/>"));
	expect("no name", 2, "<me> has no id=");
}

TEST(lists_of_what_was_revoked_are_at_http_addresses)
{
	static const char *const wrong[] = {
		"https://h/c.crl", "h/c.crl", "http://", "http:///x",
		"http://u:p@h/x", "http://h/\xc3\xa4", "",
	};
	struct conf *c;
	char text[400], name[CONF_URL_MAX], longer[300];
	const char *list;

	c = good(OFFICE("<me id='a' psk='k'/>",
	    "<peer id='b' my-auth='psk' ca='c' "
	    "crl='http://10.0.0.1:8080/x.crl http://h'/>"));
	list = c->realm[0].peer[0].crl;
	assert_true(conf_file_next(&list, name, sizeof(name)));
	assert_string_equal(name, "http://10.0.0.1:8080/x.crl");
	assert_true(conf_file_next(&list, name, sizeof(name)));
	assert_string_equal(name, "http://h");
	assert_false(conf_file_next(&list, name, sizeof(name)));
	conf_free(c);
	for (unsigned i = 0; i <= N_OF(wrong); i++) {
		memset(longer, 'x', sizeof(longer));
		memcpy(longer, "http://", 7);
		longer[256] = '\0';
		snprintf(text, sizeof(text), OFFICE("<me id='a' psk='k'/>",
		    "<peer id='b' my-auth='psk' ca='c' crl='%s'/>"),
		    i < N_OF(wrong) ? wrong[i] : longer);
		bad(text);
		expect(wrong[i < N_OF(wrong) ? i : 0], 3, i == 6 ?
		    "allowed are 1 to 8" : "not an address like");
	}
}

TEST(a_certificate_may_say_who_we_and_the_peers_are)
{
	struct conf *c = good(OFFICE("<me cert='a'/>", "<peer ca='c.pem d'/>"));
	const struct conf_peer *p = &c->realm[0].peer[0];
	char name[CONF_FILE_MAX];
	const char *list = p->ca;

	assert_null(c->realm[0].me.id);
	assert_true(p->is_glob);
	assert_string_equal(p->id, "*");
	assert_string_equal(p->name, "any");
	assert_int_equal(p->revocation, CONF_REVOCATION_SOFT);
	assert_true(conf_file_next(&list, name, sizeof(name)));
	assert_string_equal(name, "c.pem");
	assert_true(conf_file_next(&list, name, sizeof(name)));
	assert_string_equal(name, "d");
	assert_false(conf_file_next(&list, name, sizeof(name)));
	conf_free(c);

	c = good(OFFICE("<me cert='a'/><match id='*.x'/>", "<peer ca='c'/>"));
	assert_null(c->realm[0].peer[0].id);
	conf_free(c);
	bad(OFFICE("<me cert='a'/>", "<peer ca='c' at='192.0.2.1'/>"));
	expect("who is dialled", 3, "<peer> has no id=");
}

TEST(a_distinguished_name_is_a_list_of_attributes)
{
	static const char text[] = "C=JP, O=Example\\, Inc. ,CN=a=b";
	char key[CONF_DN_KEY_MAX], value[CONF_ID_MAX + 1];
	const char *p = text;

	assert_int_equal(conf_id_type(text), CONF_ID_DN);
	assert_int_equal(conf_id_type("a=b@example.com"), CONF_ID_EMAIL);
	assert_int_equal(conf_dn_next(&p, key, value), 1);
	assert_string_equal(key, "C");
	assert_string_equal(value, "JP");
	assert_int_equal(conf_dn_next(&p, key, value), 1);
	assert_string_equal(key, "O");
	assert_string_equal(value, "Example, Inc.");
	assert_int_equal(conf_dn_next(&p, key, value), 1);
	assert_string_equal(value, "a=b");
	assert_int_equal(conf_dn_next(&p, key, value), 0);
	p = "C=, O=x";
	assert_int_equal(conf_dn_next(&p, key, value), ERR_SYNTAX);
	p = "CN";
	assert_int_equal(conf_dn_next(&p, key, value), ERR_SYNTAX);
	conf_free(good(OFFICE("<me id='C=JP, CN=a' psk='k'/>",
			      "<peer id='O=x, CN=b' name='b'/>")));
}

TEST(a_realm_is_selected_by_parts_of_names)
{
	struct conf *c = good(OFFICE("<me cert='a'/><match dn='O=Example'/>"
				     "<match id='*.x'/>", "<peer ca='c'/>"));
	const struct conf_realm *r = &c->realm[0];

	assert_int_equal(r->n_match, 2);
	assert_int_equal(r->match[0].kind, CONF_MATCH_DN);
	assert_string_equal(r->match[0].text, "O=Example");
	assert_int_equal(r->match[1].kind, CONF_MATCH_ID);
	assert_null(r->peer[0].id);
	conf_free(c);
	bad(OFFICE("<me cert='a'/><match dn='Example'/>", "<peer ca='c'/>"));
	expect("no attribute", 2, "parts of a distinguished name");
	bad(OFFICE("<me cert='a'/><match/>", "<peer ca='c'/>"));
	expect("neither", 2, "one of id=, eap=, email=");
	bad(OFFICE("<me cert='a'/><match id='a' dn='O=a'/>", "<peer ca='c'/>"));
	expect("both", 2, "one of id=, eap=, email=");
	bad("<vpn><realm name='r'><me id='a' cert='a'/><match dn='O=x'/>"
	    "<peer ca='c'/></realm>\n<realm name='s'><me id='a' cert='a'/>"
	    "<match dn='O=X'/><peer ca='d'/></realm></vpn>");
	expect("twice", 2, "would select two realms");
}

TEST(certificates_and_keys_have_a_few_names_they_are_looked_for_under)
{
	struct conf_me me = { .cert = "vpn.example.com" };
	char name[CONF_FILE_MAX];

	assert_true(conf_cert_file("a", 0, name));
	assert_string_equal(name, "a");
	assert_true(conf_cert_file("a", 1, name));
	assert_string_equal(name, "a.pem");
	assert_false(conf_cert_file("a", 4, name));

	assert_true(conf_key_file(&me, 0, name));
	assert_string_equal(name, "vpn.example.com.key");
	me.cert = "left.pem";
	assert_true(conf_key_file(&me, 0, name));
	assert_string_equal(name, "left.key");
	assert_true(conf_key_file(&me, 1, name));
	assert_string_equal(name, "left.pem.key");
	assert_false(conf_key_file(&me, 2, name));
	me.cert = "left.p12";
	assert_true(conf_key_file(&me, 0, name));
	assert_string_equal(name, "left.p12");
	assert_false(conf_key_file(&me, 1, name));
	me.key = "pkcs11:token=vpn";
	assert_true(conf_key_is_uri(me.key));
	assert_false(conf_key_file(&me, 0, name));
	me.key = "x";
	assert_true(conf_key_file(&me, 0, name));
	assert_string_equal(name, "x");
	assert_false(conf_key_file(&me, 1, name));
}

TEST(the_hundredth_error_is_the_last_one_kept)
{
	const size_t cap = 20000;
	char *text = calloc(1, cap);

	str_add(text, cap, "<vpn>");
	for (int i = 0; i < 150; i++)
		str_add(text, cap, "\n<x/>");
	str_add(text, cap, "\n</vpn>");
	bad(text);
	assert_int_equal(errs.n, CONF_ERR_MAX);
	assert_int_equal(errs.n_more, 51);	/* and no realm */
	free(text);
}

/* ---- ports of the hub ---------------------------------------------------------- */

TEST(a_port_is_described_by_the_peer_and_else_by_the_realm)
{
	struct conf *c = good("<vpn><realm name='r' isolate='yes' macs='64'"
	    " vlans='1-10,20' storm-broadcast='0' loop='strict' stp='pass'>"
	    "<me id='a' psk='k'/><peer id='b'/>"
	    "<peer id='c' isolate='no' macs='5' macs-full='drop' vlans='7'"
	    " untagged='filter' guard='yes' storm-multicast='9'>"
	    "<net remote='10.0.0.1/32'/></peer></realm></vpn>");
	const struct conf_realm *r = &c->realm[0];
	const struct conf_port *b = &r->peer[0].port, *p = &r->peer[1].port;
	uint64_t set[CONF_VLANS / 64];

	assert_int_equal(r->loop, CONF_LOOP_STRICT);
	assert_int_equal(r->stp, CONF_PASS);
	assert_int_equal(r->lldp, CONF_FILTER);
	assert_true(b->isolate && !b->guard);
	assert_int_equal(b->macs, 64);
	assert_int_equal(b->macs_full, CONF_FULL_FLOOD);
	assert_int_equal(b->untagged, CONF_PASS);
	assert_int_equal(b->storm[0], 0);
	assert_int_equal(b->storm[1], 50000);
	assert_int_equal(conf_vlans(b->vlans, set), 0);
	assert_int_equal(set[0], 0x7fe | 1u << 20);
	assert_int_equal(set[1], 0);
	assert_true(!p->isolate && p->guard);
	assert_int_equal(p->macs, 5);
	assert_int_equal(p->macs_full, CONF_FULL_DROP);
	assert_string_equal(p->vlans, "7");
	assert_int_equal(p->untagged, CONF_FILTER);
	assert_int_equal(p->storm[0], 0);
	assert_int_equal(p->storm[1], 9);
	assert_int_equal(p->storm[2], 50000);
	conf_free(c);
	assert_int_equal(conf_vlans(NULL, set), 0);
	assert_int_equal(set[0], ~(uint64_t)1);
	assert_int_equal(set[63], ~(uint64_t)0 >> 1); /* 4095 is no VLAN */
}

TEST(wrong_ports_are_explained)
{
	static const struct {
		const char *attr, *part;
	} wrong[] = {
		{ "vlans='0'", "1 to 4094" }, { "vlans='4095'", "1 to 4094" },
		{ "vlans='5-3'", "1 to 4094" }, { "vlans='1,'", "1 to 4094" },
		{ "vlans=''", "1 to 4094" }, { "vlans='1-'", "1 to 4094" },
		{ "vlans='1 2'", "1 to 4094" }, { "macs='0'", "1 to 4096" },
		{ "macs='4097'", "1 to 4096" }, { "untagged='yes'", "filter" },
		{ "storm-unknown='-1'", "10000000" }, { "guard='yes'", "<net" },
	};
	char text[400];

	for (unsigned i = 0; i < N_OF(wrong); i++) {
		snprintf(text, sizeof(text), "<vpn><realm name='r'>"
			 "<me id='a' psk='k'/><net local='10.0.0.0/8'/>\n"
			 "<peer id='b' %s/></realm></vpn>", wrong[i].attr);
		bad(text);
		expect(wrong[i].attr, 2, wrong[i].part);
	}
}

#define STATICS(s_)                                                            \
	"<vpn><realm name='r'><me id='a' psk='k'/><peer id='b' name='east'/>" \
	"<peer id='*.x' name='all'/>\n" s_ "</realm></vpn>"

#define CLIENT(attrs)                                                          \
	"<vpn><realm name='office'" attrs "><me eap='hanako@sales.example.com'/>" \
	"<peer id='vpn.example.com' ca='ca.pem'/></realm></vpn>"

TEST(a_client_dials_its_peer_and_carries_packets_unless_it_joins_an_ethernet)
{
	struct conf *c = good(CLIENT(""));

	assert_string_equal(c->realm[0].peer[0].at, "vpn.example.com");
	assert_true(c->realm[0].peer[0].dial);
	assert_int_equal(c->realm[0].peer[0].mode, VPN_MODE_IP);
	assert_true(c->realm[0].peer[0].net->is_dynamic);
	conf_free(c);
	c = good(CLIENT(" bridge='br-lan'"));
	assert_int_equal(c->realm[0].peer[0].mode, VPN_MODE_AUTO);
	conf_free(c);
	c = good(CLIENT(" address='10.9.0.2/24'"));
	assert_int_equal(c->realm[0].peer[0].mode, VPN_MODE_AUTO);
	conf_free(c);
	c = good(CLIENT(" mode='ether'"));
	assert_int_equal(c->realm[0].peer[0].mode, VPN_MODE_ETHER);
	conf_free(c);
}

TEST(a_static_address_is_behind_the_tap_or_a_peer)
{
	struct conf *c = good(STATICS("<static mac='02:00:00:00:00:01'/>"
	    "<static mac='02:00:00:00:00:02' peer='east'/>"));
	const struct conf_realm *r = &c->realm[0];

	assert_int_equal(r->n_fixed, 2);
	assert_null(r->fixed[0].peer);
	assert_int_equal(r->fixed[0].mac.b[5], 1);
	assert_string_equal(r->fixed[1].peer, "east");
	conf_free(c);
	bad(STATICS("<static mac='02:00:00:00:00:01'/>\n"
	    "<static mac='02:00:00:00:00:01' peer='east'/>"));
	expect("twice", 3, "already (line 2)");
	bad(STATICS("<static mac='02:00:00:00:00:01' peer='west'/>"));
	expect("west", 2, "no peer \"west\"");
	bad(STATICS("<static mac='02:00:00:00:00:01' peer='all'/>"));
	expect("all", 2, "many peers");
	bad(STATICS("<static mac='03:00:00:00:00:01'/>"));
	expect("group", 2, "no host");
	bad(STATICS("<static mac='02:00:00'/>"));
	expect("short", 2, "Ethernet address is like");
	bad(STATICS("<static peer='east'/>"));
	expect("without", 2, "no mac=");
}

/* ---- hostile texts ------------------------------------------------------------- */

TEST(deep_nesting_and_many_nodes_are_refused_before_the_parser)
{
	const size_t cap = 8 + 4 * (CONF_NODE_MAX + 1);
	char *text = calloc(1, cap);

	for (int i = 0; i < 10000; i++)
		memcpy(text + 3 * i, "<a>", 3);
	bad(text);
	expect("deep", 1, "nested more than 32 deep");

	memset(text, 0, cap);
	str_copy(text, cap, "<vpn>");
	for (unsigned i = 0; i < CONF_NODE_MAX; i++)
		memcpy(text + 5 + 4 * i, "<a/>", 4);
	bad(text);
	expect("many", 1, "more than 262144 elements and attributes");
	free(text);
}

TEST(too_large_a_text_is_refused_and_the_largest_is_not)
{
	char *text = malloc(CONF_BYTES_MAX + 1);
	struct conf *c = NULL;

	memset(text, ' ', CONF_BYTES_MAX + 1);
	memcpy(text, OFFICES, strlen(OFFICES));
	assert_int_equal(conf_parse(text, CONF_BYTES_MAX, "t", NULL, &c, &errs),
			 0);
	conf_free(c);
	bad_n(text, CONF_BYTES_MAX + 1);
	expect("large", 0, "larger than");
	free(text);
}

TEST(other_encodings_are_refused)
{
	static const char utf16[] = "\xff\xfe<\0v\0p\0n\0/\0>\0";
	static const char nul[] = "<vpn>\0</vpn>";

	bad_n(utf16, sizeof(utf16) - 1);
	expect("utf-16", 0, "UTF-16");
	bad_n(nul, sizeof(nul) - 1);
	expect("nul", 0, "NUL");
}

TEST(messages_hold_no_control_characters_of_the_text)
{
	bad("<vpn log=\"&#9;\xc2\x9b[2J&#10;\"><realm name=\"r\">"
	    "<me id=\"a\" psk=\"k\"/></realm></vpn>");
	assert_int_equal(errs.n, 1);
	for (const char *p = errs.e[0].text; *p != '\0'; p++)
		assert_true(*p >= ' ' && *p < 0x7f);
}
