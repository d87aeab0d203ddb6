/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_choose.c - realms chosen by what a certificate says, and
 * every way to get into another's.
 */
#include "daemon/base/str.h"
#include "secure-proc/keys/auth.h"
#include "test/unit/secure-proc/chains.h"

#define N 10
#define ANY_PEER(ca_) "<peer ca='" ca_ "' my-auth='psk' psk='k' revocation='off' name='any'/>"
#define ME "<me id='gw' psk='k'/>"

/* Four realms, each with an authority of its own. */
static const char four[] =
    "<vpn><realm name='sales'><match email='*@sales.example'/>"
    ME ANY_PEER("ca0.pem") "</realm>"
    "<realm name='dev'><match dns='*.dev.example'/>"
    ME ANY_PEER("ca1.pem") "</realm>"
    "<realm name='lab'><match dn='O=Test, OU=Lab'/>"
    ME ANY_PEER("ca2.pem") "</realm>"
    "<realm name='rest'><match id='*'/>"
    ME ANY_PEER("ca3.pem") "<peer id='boss.example' ca='ca0.pem' my-auth='psk' "
    "psk='k' revocation='off'/></realm></vpn>";
enum { SALES, DEV, LAB, REST };

static EVP_PKEY *ca_key[N];
static X509 *ca[N];

static void
cas_free(void)
{
	for (unsigned i = 0; i < N; i++) {
		EVP_PKEY_free(ca_key[i]);
		X509_free(ca[i]);
	}
}

static void
begin_with(const char *text)
{
	char name[16];

	kit_begin();
	keys_make();
	if (ca[0] == NULL)
		(void)atexit(cas_free);
	for (unsigned i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "ca%u", i);
		if (ca[i] == NULL) {
			ca_key[i] = pki_key("EC", "P-256");
			ca[i] = pki_ca(name, ca_key[i], NULL, NULL);
		}
		str_add(name, sizeof(name), ".pem");
		pki_pem(name, ca[i]);
	}
	conf = kit_conf(text);
	assert_int_equal(sec_trust_load(&trust, conf, kit_dir, geteuid()), 0);
}

static void
add_lab(X509 *x)
{
	X509_NAME *n = X509_get_subject_name(x);

	assert_int_equal(X509_NAME_add_entry_by_txt(n, "OU", MBSTRING_ASC,
	    (const uint8_t *)"Lab", -1, -1, 0), 1);
}

/* One attribute for which we have no word, and the department. */
static void
add_odd_lab(X509 *x)
{
	X509_NAME *n = X509_get_subject_name(x);

	assert_int_equal(X509_NAME_add_entry_by_txt(n, "businessCategory",
	    MBSTRING_ASC, (const uint8_t *)"x", -1, -1, 0), 1);
	add_lab(x);
}

static X509 *
made(unsigned issuer, const char *san, void (*tweak)(X509 *))
{
	const struct pki_spec s = { .cn = "peer", .key = ec,
		.issuer = ca[issuer], .issuer_key = ca_key[issuer], .san = san,
		.tweak = tweak };

	return pki_cert(&s);
}

static struct sec_checked
shown(X509 *x, const char *id)
{
	struct asking a = asking(SEC_CHECK_CHOOSE);

	a.peer = SEC_CHECK_CHOOSE;
	a.id = id;
	pki_put_cert(&a.w, x);
	return ask(&a);
}

static struct sec_checked
show(unsigned issuer, const char *id, const char *san, void (*tweak)(X509 *))
{
	X509 *x = made(issuer, san, tweak);
	struct sec_checked c = shown(x, id);

	X509_free(x);
	return c;
}

static void
leads_to(const struct sec_checked *c, uint32_t realm)
{
	good(c);
	assert_int_equal(c->realm, realm);
	assert_int_equal(c->peer, 0);
}

TEST(names_of_a_certificate_choose_the_realm)
{
	struct sec_checked c;

	begin_with(four);
	c = show(0, "h", "DNS:h,email:ann@sales.example", NULL);
	leads_to(&c, SALES);
	c = show(1, "h", "DNS:h,DNS:x.dev.example", NULL);
	leads_to(&c, DEV);
	c = show(2, "h", "DNS:h", add_lab);
	leads_to(&c, LAB);
	c = show(2, "h", "DNS:h", add_odd_lab);
	leads_to(&c, LAB);
	c = show(3, "h", "DNS:h,DNS:dev.example,email:sales.example", NULL);
	leads_to(&c, REST);
	/* A whole identity goes before what the certificate says. */
	c = show(0, "boss.example", "DNS:boss.example,DNS:x.dev.example", NULL);
	good(&c);
	assert_int_equal(c.realm, REST);
	assert_int_equal(c.peer, 1);
	end();
}

TEST(only_the_authorities_of_the_chosen_realm_count)
{
	struct sec_checked c;

	begin_with(four);
	for (unsigned i = 0; i < 4; i++) {
		c = show(i, "h", "DNS:h,email:ann@sales.example", NULL);
		assert_int_equal(c.err == 0, i == SALES);
		c = show(i, "h", "DNS:h,DNS:x.dev.example", NULL);
		assert_int_equal(c.err == 0, i == DEV);
		c = show(i, "h", "DNS:h", add_lab);
		assert_int_equal(c.err == 0, i == LAB);
		c = show(i, "h", "DNS:h", NULL);
		assert_int_equal(c.err == 0, i == REST);
	}
	/* The names choose, the identity must still be among them. */
	c = show(0, "other", "DNS:h,email:ann@sales.example", NULL);
	bad(&c, "identity");
	end();
}

TEST(names_that_try_to_look_like_others_choose_nothing)
{
	static const char *const san[] = {
		"DNS:h,email:ann@sales.example@evil.example",
		"DNS:h,email:ann@evil.example", "DNS:h,DNS:dev.example",
		"DNS:h,DNS:xdev.example", "DNS:h,DNS:x.dev.example.evil",
		"DNS:h,DNS:*", "DNS:h,email:*",
		/* An e-mail address is no host name, nor the other way round. */
		"DNS:h,email:x.dev.example", "DNS:h,DNS:ann@sales.example",
	};
	struct sec_checked c;

	begin_with(four);
	for (unsigned i = 0; i < N_OF(san); i++) {
		c = show(3, "h", san[i], NULL);
		if (c.err != 0)
			fail_msg("%s: %s", san[i], c.why);
		assert_int_equal(c.realm, REST);
	}
	end();
}

/* Two departments at once: nobody guesses. */
TEST(a_certificate_that_fits_two_realms_alike_is_refused)
{
	struct sec_checked c;

	begin_with("<vpn><realm name='a'><match dns='*.a.example'/>" ME
	    ANY_PEER("ca0.pem") "</realm><realm name='b'>"
	    "<match dns='*.b.example'/>" ME ANY_PEER("ca0.pem")
	    "</realm></vpn>");
	c = show(0, "h", "DNS:h,DNS:x.a.example,DNS:x.b.example", NULL);
	bad(&c, "more than one");
	assert_int_equal(c.err, ERR_NOTFOUND);
	c = show(0, "h", "DNS:h", NULL);
	bad(&c, "no realm");
	end();
}

/* The same file name in two keystores is two authorities. */
TEST(authorities_are_those_of_the_realms_own_keys)
{
	static const char text[] =
	    "<vpn><realm name='a' keys='a'><match dns='*.a.example'/>" ME
	    ANY_PEER("ca.pem") "</realm>"
	    "<realm name='b' keys='b'><match dns='*.b.example'/>" ME
	    ANY_PEER("ca.pem") "</realm></vpn>";
	struct sec_checked c;
	char path[128];

	begin_with(four);
	sec_trust_free(trust);
	conf_free(conf);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%c", kit_dir, "ab"[i]);
		assert_int_equal(mkdir(path, 0700), 0);
		snprintf(path, sizeof(path), "%c/ca.pem", "ab"[i]);
		pki_pem(path, ca[i]);
	}
	conf = kit_conf(text);
	assert_int_equal(sec_trust_load(&trust, conf, kit_dir, geteuid()), 0);
	for (unsigned i = 0; i < 2; i++) {
		c = show(i, "h", "DNS:h,DNS:x.a.example", NULL);
		assert_int_equal(c.err == 0, i == 0);
		c = show(i, "h", "DNS:h,DNS:x.b.example", NULL);
		assert_int_equal(c.err == 0, i == 1);
	}
	end();
}

/* 10 identities, 10 departments, 10 authorities: what is on the diagonal. */
TEST(ten_realms_identities_and_credentials_pass_as_specified_only)
{
	char text[8192] = "<vpn>", id[32], san[96];
	struct sec_checked c;
	unsigned n_good = 0;

	for (unsigned i = 0; i < N; i++)
		str_add(text, sizeof(text), "<realm name='r%u'>"
		    "<match email='*@d%u.example'/>" ME "<peer ca='ca%u.pem' "
		    "my-auth='psk' psk='k' revocation='off'/></realm>", i, i, i);
	str_add(text, sizeof(text), "</vpn>");
	begin_with(text);
	for (unsigned i = 0; i < N * N; i++) {
		unsigned who = i / N, by = i % N;
		X509 *x;

		snprintf(san, sizeof(san), "DNS:h%u,email:x@d%u.example", who,
		    who);
		x = made(by, san, NULL);
		for (unsigned says = 0; says < N; says++) {
			snprintf(id, sizeof(id), "h%u", says);
			c = shown(x, id);
			assert_int_equal(c.err == 0, who == by && who == says);
			n_good += c.err == 0;
			if (c.err == 0)
				assert_int_equal(c.realm, who);
		}
		X509_free(x);
	}
	assert_int_equal(n_good, N);
	end();
}

/* ---- the child is not believed everything -------------------------------------------- */

static struct sec_auth
asked_open(void)
{
	return (struct sec_auth){
		.phase = SEC_P_ASKED, .realm = SEC_ANY, .peer = SEC_ANY,
	};
}

static int
told(uint32_t realm, uint32_t peer, const char *id, const char *own,
     struct sec_auth *a)
{
	const struct sec_keys k = { .conf = conf };
	uint8_t body[2][64];
	struct sec_auth_told t = { .realm = realm, .peer = peer };
	char why[257];
	int err;

	t.id_peer = kit_id(body[0], 2, id);
	if (own != NULL)
		t.id_own = kit_id(body[1], 2, own);
	err = sec_auth_verified(&k, a, &t, why, sizeof(why));
	assert_int_equal(why[0] != '\0', err != 0);
	assert_int_equal(a->phase, err == 0 ? SEC_P_VERIFIED : SEC_P_FAILED);
	return err;
}

TEST(the_child_may_choose_only_what_the_identity_leaves_open)
{
	static const struct {
		uint32_t realm, peer;
		const char *id, *own;
		bool is_good;
	} row[] = {
		{ SALES, 0, "h", NULL, true }, { DEV, 0, "h", "gw", true },
		{ REST, 0, "h", NULL, true },
		{ REST, 1, "boss.example", NULL, true },
		{ REST, 1, "h", NULL, false },	/* it is not the boss */
		{ DEV, 0, "h", "gw2", false },	/* it wants somebody else */
		{ DEV, 1, "h", NULL, false }, { 4, 0, "h", NULL, false },
		{ SEC_ANY, SEC_ANY, "h", NULL, false },
	};
	struct sec_auth a;

	begin_with(four);
	for (unsigned i = 0; i < N_OF(row); i++) {
		a = asked_open();
		assert_int_equal(told(row[i].realm, row[i].peer, row[i].id,
		    row[i].own, &a) == 0, row[i].is_good);
	}
	/* Asked about one peer, it answers about another. */
	a = asked_open();
	a.realm = DEV;
	a.peer = 0;
	assert_int_equal(told(SALES, 0, "h", NULL, &a), ERR_AUTH);
	assert_int_equal(told(SALES, 0, "h", NULL, &a), ERR_STATE);
	end();
}

TEST(a_key_mixed_in_before_must_be_that_of_the_chosen_peer)
{
	struct sec_auth a;

	begin_with("<vpn><realm name='a'><match id='*.a.example'/>" ME
	    "<peer ca='ca0.pem' my-auth='psk' psk='k' ppk='pa'/></realm>"
	    "<realm name='b'><match dn='OU=B'/>" ME
	    "<peer ca='ca0.pem' my-auth='psk' psk='k' ppk='pb'/></realm>"
	    "<realm name='c'><match dn='OU=C'/>" ME
	    "<peer ca='ca0.pem' my-auth='psk' psk='k'/></realm></vpn>");
	a = asked_open();
	assert_int_equal(told(0, 0, "x.a.example", NULL, &a), 0);
	a = asked_open();
	assert_int_equal(told(1, 0, "x.a.example", NULL, &a), ERR_AUTH);
	a = asked_open();
	assert_int_equal(told(1, 0, "h", NULL, &a), ERR_AUTH);
	a = asked_open();
	assert_int_equal(told(2, 0, "h", NULL, &a), 0);
	end();
}
