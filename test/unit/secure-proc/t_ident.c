/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_ident.c - identities compare by type and value, and
 * select exactly one peer of one realm.
 */
#include "secure-proc/id/ident.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "test/unit/secure-proc/kit.h"

#define V4 1
#define FQDN 2
#define MAIL 3
#define KEYID 11
#define TEXT_BYTES 8192

static struct sec_id
id_of(uint8_t type, const char *data)
{
	return (struct sec_id){ type, kit_view(data, strlen(data)) };
}

TEST(bodies_are_decoded_and_encoded)
{
	uint8_t b[SEC_ID_BODY_MAX + 1] = { FQDN, 9, 9, 9, 'a' };
	struct sec_id id;
	size_t n;

	assert_int_equal(sec_id_dec(kit_view(b, 5), &id), 0);
	assert_int_equal(id.type, FQDN);
	assert_int_equal(id.data.len, 1);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(sec_id_dec(kit_view(b, i), &id), ERR_SHORT);
	assert_int_equal(sec_id_dec(kit_view(b, sizeof(b)), &id), ERR_LONG);
	assert_int_equal(sec_id_enc("tokyo", b, sizeof(b), &n), 0);
	assert_int_equal(n, 9);
	assert_memory_equal(b, "\x02\0\0\0tokyo", 9);
	assert_int_equal(sec_id_enc("10.0.0.1", b, sizeof(b), &n), 0);
	assert_memory_equal(b, "\x01\0\0\0\x0a\0\0\x01", 8);
	assert_int_equal(sec_id_enc("a@b", b, sizeof(b), &n), 0);
	assert_int_equal(b[0], MAIL);
	assert_int_equal(sec_id_enc("tokyo", b, 8, &n), ERR_LONG);
	assert_int_equal(sec_id_enc("", b, sizeof(b), &n), ERR_SYNTAX);
}

TEST(values_compare_by_type_and_host_names_without_case)
{
	struct sec_id id = id_of(FQDN, "Tokyo.Example");
	struct sec_id nul = { FQDN, { (const uint8_t *)"to\0yo", 5 } };

	assert_true(sec_id_equal(&id, "tokyo.example"));
	assert_false(sec_id_equal(&id, "tokyo.exampl"));
	assert_false(sec_id_equal(&id, "tokyo.example.com"));
	id.type = MAIL;
	assert_false(sec_id_equal(&id, "tokyo.example"));
	id = id_of(MAIL, "A@b");
	assert_true(sec_id_equal(&id, "A@b"));
	assert_false(sec_id_equal(&id, "a@b"));
	id = id_of(V4, "\x0a\x01\x01\x01");
	assert_true(sec_id_equal(&id, "10.1.1.1"));
	id = id_of(FQDN, "10.1.1.1");		/* an address posing as a name */
	assert_false(sec_id_equal(&id, "10.1.1.1"));
	assert_false(sec_id_equal(&nul, "tokyo"));
	assert_false(sec_id_equal(&nul, "to"));
}

TEST(patterns_match_their_own_kind_alone)
{
	struct sec_id id = id_of(FQDN, "a.dev.example.com");
	struct sec_id mail = id_of(MAIL, "hanako@sales.example.com");
	struct sec_id fake = id_of(FQDN, "hanako@sales.example.com");
	struct sec_id nul = { FQDN, { (const uint8_t *)"a\0.example.com", 14 } };
	struct sec_id key = id_of(KEYID, "x.example.com");

	assert_true(sec_id_glob(&id, "*.dev.example.com"));
	assert_true(sec_id_glob(&id, "*.DEV.example.com"));
	assert_false(sec_id_glob(&id, "*@dev.example.com"));
	assert_true(sec_id_glob(&mail, "*@sales.example.com"));
	assert_false(sec_id_glob(&mail, "*.example.com"));
	assert_false(sec_id_glob(&fake, "*@sales.example.com"));
	assert_false(sec_id_glob(&fake, "*.example.com"));
	assert_false(sec_id_glob(&nul, "*.example.com"));
	assert_false(sec_id_glob(&key, "*.example.com"));
	assert_true(sec_id_glob(&key, "*"));
}

TEST(texts_are_printable_whatever_came)
{
	char out[SEC_ID_TEXT_MAX];
	uint8_t raw[256];
	struct sec_id id = { FQDN, { raw, sizeof(raw) } };

	for (unsigned t = 0; t < 256; t++) {
		for (unsigned i = 0; i < sizeof(raw); i++)
			raw[i] = (uint8_t)(i + t);
		id.type = (uint8_t)t;
		sec_id_text(&id, out);
		assert_true(strlen(out) < sizeof(out));
		for (const char *s = out; *s != '\0'; s++)
			assert_true(*s >= 0x20 && *s < 0x7f);
	}
	id = id_of(V4, "\x0a\x01\x01\x01");
	assert_string_equal(sec_id_text(&id, out), "10.1.1.1");
}

static const char two_realms[] =
    "<vpn>"
    "<realm name='north'><me id='gw-n' psk='n'/><peer id='ann'/>"
    "<peer id='both'/><peer id='*.north.example'/></realm>"
    "<realm name='south'><me id='gw-s' psk='s'/><peer id='sam'/>"
    "<peer id='both'/><peer id='*.south.example'/></realm>"
    "</vpn>";

struct pick {
	const char *peer, *own;	/* own NULL: no IDr */
	const char *realm;	/* NULL: refused */
	unsigned index;
};

TEST(identities_select_exactly_one_realm_and_peer)
{
	static const struct pick picks[] = {
		{ "ann", NULL, "north", 0 },
		{ "ANN", NULL, "north", 0 },
		{ "ann", "gw-n", "north", 0 },
		{ "ann", "gw-s", NULL, 0 },
		{ "ann", "other", NULL, 0 },
		{ "sam", NULL, "south", 0 },
		{ "sam", "gw-n", NULL, 0 },
		{ "both", NULL, NULL, 0 },	/* ambiguous */
		{ "both", "gw-n", "north", 1 },
		{ "both", "gw-s", "south", 1 },
		{ "x.north.example", NULL, "north", 2 },
		{ "x.south.example", NULL, "south", 2 },
		{ "x.south.example", "gw-n", NULL, 0 },
		{ "*.north.example", NULL, "north", 2 },
		{ "stranger", NULL, NULL, 0 },
		{ "an", NULL, NULL, 0 },
	};
	struct conf *c = kit_conf(two_realms);

	for (size_t i = 0; i < N_OF(picks); i++) {
		struct sec_id p = id_of(FQDN, picks[i].peer);
		struct sec_id o = id_of(FQDN, picks[i].own != NULL ?
		    picks[i].own : "");
		const struct sec_comer who = { .peer = &p,
			.own = picks[i].own != NULL ? &o : NULL };
		struct sec_place at;
		char why[256] = "";
		int err;

		err = sec_id_select(c, &who, &at, why, sizeof(why));
		if (picks[i].realm == NULL) {
			assert_int_equal(err, ERR_NOTFOUND);
			assert_non_null(strstr(why, picks[i].peer));
			continue;
		}
		assert_int_equal(err, 0);
		assert_string_equal(at.realm->name, picks[i].realm);
		assert_int_equal(at.peer->index, picks[i].index);
	}
	conf_free(c);
}

TEST(ten_realms_and_ten_identities_pass_on_the_diagonal_only)
{
	char *text = calloc(1, TEXT_BYTES);
	struct conf *c;

	assert_non_null(text);
	str_add(text, TEXT_BYTES, "<vpn>");
	for (unsigned i = 0; i < 10; i++)
		str_add(text, TEXT_BYTES, "<realm name='r%u'><me id='me%u' "
		    "psk='k%u'/><peer id='peer%u'/></realm>", i, i, i, i);
	str_add(text, TEXT_BYTES, "</vpn>");
	c = kit_conf(text);
	for (unsigned p = 0; p < 10; p++)
		for (unsigned o = 0; o < 10; o++) {
			char pn[16], on[16], why[256];
			struct sec_id pi, oi;
			const struct sec_comer who = { .peer = &pi,
						       .own = &oi };
			struct sec_place at;
			int err;

			snprintf(pn, sizeof(pn), "peer%u", p);
			snprintf(on, sizeof(on), "me%u", o);
			pi = id_of(FQDN, pn);
			oi = id_of(FQDN, on);
			err = sec_id_select(c, &who, &at, why, sizeof(why));
			assert_int_equal(err, p == o ? 0 : ERR_NOTFOUND);
			if (p == o)
				assert_int_equal(at.realm->index, p);
		}
	conf_free(c);
	free(text);
}

TEST(hostile_identities_are_escaped_in_the_sentence)
{
	struct conf *c = kit_conf(two_realms);
	struct sec_id id = id_of(FQDN, "a\x1b[31m\n\"b");
	const struct sec_comer who = { .peer = &id };
	struct sec_place at;
	char why[256];

	assert_int_equal(sec_id_select(c, &who, &at, why, sizeof(why)),
	    ERR_NOTFOUND);
	for (const char *s = why; *s != '\0'; s++)
		assert_true(*s >= 0x20 && *s < 0x7f);
	conf_free(c);
}
