/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/conf/t_role.c - which realm somebody falls into, and why.
 */
#include "conf/role.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

static struct conf_errs errs;

static struct conf *
good(const char *text)
{
	struct conf *c = NULL;

	if (conf_parse(text, strlen(text), "t.xml", NULL, &c, &errs) != 0)
		conf_errs_print(&errs, stderr);
	assert_non_null(c);
	return c;
}

/* The only mistake, with this in its sentence. */
static void
bad(const char *text, const char *part)
{
	struct conf *c = NULL;

	assert_int_equal(conf_parse(text, strlen(text), "t.xml", NULL, &c,
				    &errs), ERR_CONF);
	if (errs.n != 1 || strstr(errs.e[0].text, part) == NULL)
		conf_errs_print(&errs, stderr);
	assert_int_equal(errs.n, 1);
	assert_non_null(strstr(errs.e[0].text, part));
}

static struct view
view_of(const char *text)
{
	return (struct view){ (const uint8_t *)text, strlen(text) };
}

/* Somebody who calls himself so; names are his. */
static struct conf_who
who(const char *id, struct conf_rdn *rdn)
{
	struct conf_who w = { .peer = { .kind = conf_id_type(id) } };
	int n;

	w.peer.id = view_of(id);
	if (w.peer.kind == CONF_ID_DN) {
		n = conf_rdn_read(id, rdn, CONF_RDN_MAX);
		assert_true(n > 0);
		w.peer.rdn = rdn;
		w.peer.n_rdn = (unsigned)n;
	}
	return w;
}

/* The name of the realm, or what went wrong. */
static const char *
realm_of(const struct conf *c, const struct conf_who *w)
{
	struct conf_picked got;
	int err = conf_role_pick(c, w, &got);

	return err == 0 ? got.role.realm->name : err == ERR_NOTFOUND ? "none" :
	    err == ERR_STATE ? "two" : err == ERR_AGAIN ? "later" : "?";
}

#define ME  "<me id='gw' cert='gw'/>"
#define ANY "<peer ca='ca'/></realm>"

static const char departments[] =
    "<vpn>"
    "<realm name='all'><match id='*'/>" ME ANY
    "<realm name='sales'><match id='*@sales.example.com'/>"
    "<match email='*@sales.example.com'/>" ME ANY
    "<realm name='dev'><match id='*.dev.example.com'/>"
    "<match dn='O=Example, OU=Dev'/><match dns='*.dev.example.com'/>" ME ANY
    "<realm name='boss'><match id='boss@sales.example.com'/>" ME
    "<peer ca='ca'/><peer id='ceo.dev.example.com' ca='ca'/></realm>"
    "<realm name='lab'><match id='lab-?.dev.example.com'/>"
    "<match dn='O=Example, OU=Dev, L=Lab'/>" ME ANY
    "</vpn>";

TEST(the_most_special_rule_decides)
{
	static const struct {
		const char *id, *realm;
	} row[] = {
		{ "hanako@sales.example.com", "sales" },
		{ "HANAKO@SALES.EXAMPLE.COM", "sales" },
		{ "boss@sales.example.com", "boss" },
		{ "a.dev.example.com", "dev" },
		{ "a.b.dev.example.com", "dev" },
		{ "ceo.dev.example.com", "boss" },
		{ "lab-1.dev.example.com", "lab" },
		{ "lab-11.dev.example.com", "dev" },
		{ "dev.example.com", "all" },
		{ "a@b@sales.example.com", "all" },
		{ "sales.example.com", "all" },
		{ "10.0.0.1", "all" },
		{ "O=Example, OU=Dev, CN=x", "dev" },
		{ "OU=dev, O=EXAMPLE", "dev" },
		{ "O=Example, OU=Dev, L=Lab, CN=x", "lab" },
		{ "O=Example, CN=x", "all" },
	};
	struct conf *c = good(departments);
	struct conf_rdn rdn[CONF_RDN_MAX];

	for (size_t i = 0; i < N_OF(row); i++) {
		struct conf_who w = who(row[i].id, rdn);

		assert_string_equal(realm_of(c, &w), row[i].realm);
	}
	conf_free(c);
}

TEST(what_a_certificate_says_counts_when_it_is_known)
{
	static const struct conf_altname sales = {
		.is_email = true, .text = { (const uint8_t *)"x@sales.example.com",
					    19 },
	};
	struct conf *c = good(departments);
	struct conf_rdn rdn[CONF_RDN_MAX], subject[CONF_RDN_MAX];
	struct conf_altname host = { .text = view_of("n1.dev.example.com") };
	struct conf_who w = who("192.0.2.1", rdn);
	int n;

	assert_string_equal(realm_of(c, &w), "all");
	w.has_cert = true;
	w.n_name = 1;
	w.name = &sales;
	assert_string_equal(realm_of(c, &w), "sales");
	w.name = &host;
	assert_string_equal(realm_of(c, &w), "dev");
	host.is_email = true;			/* of the other kind */
	assert_string_equal(realm_of(c, &w), "all");
	n = conf_rdn_read("C=JP, O=Example, OU=Dev", subject, CONF_RDN_MAX);
	assert_int_equal(n, 3);
	w.n_subject = 3;
	w.subject = subject;
	assert_string_equal(realm_of(c, &w), "dev");
	/* the identity goes before what is beside it in the certificate */
	w = who("hanako@sales.example.com", rdn);
	w.has_cert = true;
	w.n_subject = 3;
	w.subject = subject;
	assert_string_equal(realm_of(c, &w), "sales");
	conf_free(c);
}

TEST(whom_the_peer_wants_keeps_realms_apart)
{
	struct conf *c = good("<vpn><realm name='a'><match id='*.x'/>"
			      "<me id='gw-a' cert='a'/>" ANY
			      "<realm name='b'><match id='*.x'/>"
			      "<me id='gw-b' cert='b'/>" ANY "</vpn>");
	struct conf_ident own = { .kind = CONF_ID_FQDN };
	struct conf_rdn rdn[CONF_RDN_MAX];
	struct conf_who w = who("n.x", rdn);

	assert_string_equal(realm_of(c, &w), "two");
	w.own = &own;
	own.id = view_of("gw-a");
	assert_string_equal(realm_of(c, &w), "a");
	own.id = view_of("GW-B");
	assert_string_equal(realm_of(c, &w), "b");
	own.id = view_of("gw-c");
	assert_string_equal(realm_of(c, &w), "none");
	conf_free(c);
}

static const char by_eap[] =
    "<vpn>"
    "<realm name='sales'><match eap='*@sales.example.com'/>" ME ANY
    "<realm name='dev'><match id='*@dev.example.com'/>" ME ANY
    "<realm name='all'><match id='*'/>" ME ANY
    "</vpn>";

TEST(an_eap_identity_decides_where_the_identity_of_ike_does_not)
{
	struct conf *c = good(by_eap);
	struct conf_rdn rdn[CONF_RDN_MAX];
	struct conf_who w = who("192.0.2.1", rdn);

	assert_string_equal(realm_of(c, &w), "all");	/* not by EAP */
	w.is_eap = true;
	assert_string_equal(realm_of(c, &w), "later");
	w.eap = view_of("hanako@sales.example.com");
	assert_string_equal(realm_of(c, &w), "sales");
	w.eap = view_of("taro@dev.example.com");	/* in place of an address */
	assert_string_equal(realm_of(c, &w), "dev");
	w.eap = view_of("x@other.example.com");
	assert_string_equal(realm_of(c, &w), "all");
	/* Who has said who he is goes there, whatever he says in EAP. */
	w = who("taro@dev.example.com", rdn);
	w.is_eap = true;
	assert_string_equal(realm_of(c, &w), "dev");
	w.eap = view_of("hanako@sales.example.com");
	assert_string_equal(realm_of(c, &w), "dev");
	conf_free(c);
}

TEST(another_eap_identity_than_that_of_ike_is_refused)
{
	struct conf *c = good(by_eap);
	struct conf_rdn rdn[CONF_RDN_MAX];
	struct conf_who w = who("taro@dev.example.com", rdn);
	struct conf_picked got;

	w.is_eap = true;
	w.eap = view_of("jiro@dev.example.com");
	assert_int_equal(conf_role_pick(c, &w, &got), 0);
	assert_false(conf_role_eap_ok(&got.role, &w));
	w.eap = view_of("taro@dev.example.co");
	assert_false(conf_role_eap_ok(&got.role, &w));
	w.eap = (struct view){ NULL, 0 };
	assert_false(conf_role_eap_ok(&got.role, &w));
	w.eap = view_of("taro@dev.example.com");
	assert_true(conf_role_eap_ok(&got.role, &w));
	w = who("192.0.2.1", rdn);
	w.is_eap = true;
	w.eap = view_of("taro@dev.example.com");
	assert_int_equal(conf_role_pick(c, &w, &got), 0);
	assert_true(conf_role_eap_ok(&got.role, &w));
	conf_free(c);
}

TEST(until_the_eap_identity_is_known_one_me_speaks_for_all)
{
	struct conf *c = good("<vpn><realm name='a'><match eap='*@a.example'/>"
			      "<me id='gw' cert='one'/>" ANY
			      "<realm name='b'><match eap='*@b.example'/>"
			      "<me id='gw' cert='two'/>" ANY "</vpn>");
	struct conf_rdn rdn[CONF_RDN_MAX];
	struct conf_who w = who("192.0.2.1", rdn);

	w.is_eap = true;
	assert_string_equal(realm_of(c, &w), "two");
	w.eap = view_of("x@b.example");
	assert_string_equal(realm_of(c, &w), "b");
	conf_free(c);
}

TEST(odd_bytes_fit_no_pattern)
{
	static const struct {
		const char *name;
		size_t len;
	} row[] = {
		{ "a\0.dev.example.com", 18 }, { "a .dev.example.com", 18 },
		{ "\xc3\xa4.dev.example.com", 18 }, { "", 0 },
		{ "a@x.dev.example.com", 19 },
	};

	for (size_t i = 0; i < N_OF(row); i++) {
		struct view v = { (const uint8_t *)row[i].name, row[i].len };

		assert_false(conf_glob_takes("*.dev.example.com", v));
	}
	assert_true(conf_glob_takes("*.dev.example.com",
				    view_of("A.DEV.example.com")));
	assert_false(conf_glob_takes("*@x", view_of("a@b@x")));
}

TEST(patterns_meet_when_one_name_fits_both)
{
	static const struct {
		const char *a, *b;
		bool do_meet;
	} row[] = {
		{ "a*", "*b", true },	     { "a*", "b*", false },
		{ "*.x", "*.y", false },     { "*.x", "a.*", true },
		{ "a?c", "ab*", true },	     { "a?c", "ab", false },
		{ "*", "x@y", true },	     { "*@x", "*.x", false },
		{ "a*b*c", "aXbYc", true },  { "a*b*c", "a*c*b", false },
		{ "**", "?", true },	     { "A.x", "a.X", true },
	};

	for (size_t i = 0; i < N_OF(row); i++) {
		assert_int_equal(conf_glob_meet(row[i].a, row[i].b),
				 row[i].do_meet);
		assert_int_equal(conf_glob_meet(row[i].b, row[i].a),
				 row[i].do_meet);
	}
}

#define TWO(a_, b_)                                                            \
	"<vpn><realm name='a'>" a_ ME ANY "<realm name='b'>" b_ ME ANY "</vpn>"

TEST(rules_of_one_rank_that_meet_are_a_mistake)
{
	bad(TWO("<match id='*.x'/>", "<match id='*.X'/>"), "also in realm \"a\"");
	bad(TWO("<match id='ab*'/>", "<match id='*cd'/>"), "equally special");
	bad(TWO("<match dn='O=x, OU=y'/>", "<match dn='OU=Y,O=X'/>"),
	    "equally special");
	bad(TWO("<match email='*@x.y'/>", "<match email='*@x.y'/>"),
	    "also in realm \"a\"");
	bad(TWO("<match id='a.x'/>", "<peer id='A.x' ca='c'/>"),
	    "also in realm \"a\"");
	conf_free(good(TWO("<match id='*.x'/>", "<match id='*.y'/>")));
	conf_free(good(TWO("<match id='*.x'/>", "<match dns='*.x'/>")));
	conf_free(good(TWO("<match id='*.x'/>", "<match id='*.a.x'/>")));
	conf_free(good(TWO("<match dn='O=x, OU=y'/>", "<match dn='O=x, OU=z'/>")));
	conf_free(good(TWO("<match dn='O=x'/>", "<match dn='O=x, OU=z'/>")));
}

static unsigned n_idle;

static void
count_idle(void *ctx, const struct conf_role *r)
{
	n_idle += conf_role_idle(ctx, r) != NULL;
}

static unsigned
idle_in(const char *text)
{
	struct conf *c = good(text);

	n_idle = 0;
	conf_role_walk(c, count_idle, c);
	conf_free(c);
	return n_idle;
}

TEST(rules_without_effect_are_found)
{
	assert_int_equal(idle_in(departments), 0);
	assert_int_equal(idle_in("<vpn><realm name='a'><match id='*.x'/>"
				 "<match id='a.x'/><match id='*.y'/>" ME ANY
				 "</vpn>"), 1);
	assert_int_equal(idle_in("<vpn><realm name='a'><match id='*'/>"
				 "<match id='*@x'/>" ME ANY "</vpn>"), 1);
	assert_int_equal(idle_in("<vpn><realm name='a'><match dn='O=x'/>"
				 "<match dn='O=X'/>" ME ANY "</vpn>"), 1);
	assert_int_equal(idle_in("<vpn><realm name='a'><match id='*.x'/>" ME
				 "<peer id='*.p' name='p' ca='c'/>"
				 "<peer id='*.q' name='q' ca='c'/></realm></vpn>"),
			 1);
	assert_int_equal(idle_in("<vpn><realm name='a'><match email='*@x'/>"
				 "<me id='gw' psk='k'/><peer id='*.p' name='p'/>"
				 "</realm></vpn>"), 1);
}

/* ---- from one configuration to the next ------------------------------------------ */

#define SALES_ "<realm name='sales'><match id='*@example.com'/>"	       \
	"<me id='gw' cert='c'/><peer ca='ca.pem'/></realm>"
#define DEV_(rule_) "<realm name='dev'>" rule_				       \
	"<me id='gw' cert='c'/><peer ca='ca.pem'/></realm>"
#define OFFICE_ "<realm name='o'><me id='gw' psk='k'/><peer id='tokyo'/>"

static bool
shifts(const char *old, const char *now)
{
	struct conf *a = good(old), *b = good(now);
	bool is_so = conf_role_shifts(a, b, &b->realm[0], &b->realm[0].peer[0]);

	conf_free(a);
	conf_free(b);
	return is_so;
}

TEST(a_new_rule_that_takes_people_away_is_seen)
{
	static const char before[] = "<vpn>" SALES_ "</vpn>";

	assert_false(shifts(before, before));
	/* of the same names, and narrower */
	assert_true(shifts(before, "<vpn>" SALES_
	    DEV_("<match id='*@dev.example.com'/>"
		 "<match id='ken@example.com'/>") "</vpn>"));
	/* whom a certificate would put there */
	assert_true(shifts("<vpn>" SALES_ DEV_("<match id='*@x.org'/>")
	    "</vpn>", "<vpn>" SALES_ DEV_("<match id='*@x.org'/>"
	    "<match id='k?n@example.com'/>") "</vpn>"));
	/* names that the old rule never took */
	assert_false(shifts(before, "<vpn>" SALES_
	    DEV_("<match id='*@example.org'/>") "</vpn>"));
	/* wider: who is here stays here */
	assert_false(shifts(before, "<vpn>" SALES_ DEV_("<match id='*'/>")
	    "</vpn>"));
	/* one that was there before */
	assert_false(shifts("<vpn>" SALES_ DEV_("<match id='ken@example.com'/>")
	    "</vpn>", "<vpn>" SALES_ DEV_("<match id='ken@example.com'/>")
	    "</vpn>"));
	/* an office more has nothing to do with them */
	assert_false(shifts(before, "<vpn>" SALES_ OFFICE_ "</realm></vpn>"));
}
