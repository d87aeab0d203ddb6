/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_dn.c - distinguished names as text and as DER.
 */
#include "secure-proc/id/dn.h"
#include "daemon/base/err.h"
#include "secure-proc/id/ident.h"
#include "test/unit/secure-proc/kit.h"

#define NAME "C=JP, O=Example, CN=vpn, emailAddress=a@b.c, DC=example"

/* The same name out of a certificate that the openssl program made. */
static const uint8_t foreign[] = {
	0x30, 0x5c, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06, 0x13,
	0x02, 0x4a, 0x50, 0x31, 0x10, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x04, 0x0a,
	0x0c, 0x07, 0x45, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x31, 0x0c, 0x30,
	0x0a, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x03, 0x76, 0x70, 0x6e, 0x31,
	0x14, 0x30, 0x12, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
	0x09, 0x01, 0x16, 0x05, 0x61, 0x40, 0x62, 0x2e, 0x63, 0x31, 0x17, 0x30,
	0x15, 0x06, 0x0a, 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01,
	0x19, 0x16, 0x07, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65
};

static bool
is(const uint8_t *der, size_t len, const char *text)
{
	return sec_dn_is((struct view){ der, len }, text);
}

TEST(a_name_of_another_program_is_the_one_of_the_text)
{
	char text[SEC_ID_TEXT_MAX];

	assert_true(is(foreign, sizeof(foreign), NAME));
	assert_true(is(foreign, sizeof(foreign),
	    "C=jp,O=EXAMPLE,CN=Vpn,emailAddress=A@b.C,DC=Example"));
	assert_true(sec_dn_text((struct view){ foreign, sizeof(foreign) }, text,
				sizeof(text)));
	assert_string_equal(text, NAME);
}

TEST(what_is_written_reads_back)
{
	static const char *const names[] = {
		NAME, "CN=a", "O=Example\\, Inc., CN=vpn 1", "CN=b\xc3\xbc" "ro",
		"OU=a, OU=b, serialNumber=7, UID=x, SN=n, GN=g, L=l, ST=s, "
		"street=r, title=t, organizationIdentifier=o",
	};
	uint8_t der[SEC_ID_BODY_MAX];
	char big[CONF_ID_MAX + 20] = "CN=";
	size_t n;

	for (size_t i = 0; i < N_OF(names); i++) {
		assert_int_equal(sec_dn_enc(names[i], der, sizeof(der), &n), 0);
		assert_true(is(der, n, names[i]));
		for (size_t k = 0; k < n; k++)
			assert_int_not_equal(sec_dn_enc(names[i], der, k, &n), 0);
	}
	memset(big + 3, 'x', 150);
	assert_int_equal(sec_dn_enc(big, der, sizeof(der), &n), 0);
	assert_true(is(der, n, big));
	memset(big + 3, 'x', 250);
	assert_int_equal(sec_dn_enc(big, der, sizeof(der), &n), ERR_LONG);
	assert_int_equal(sec_dn_enc("", der, sizeof(der), &n), ERR_SYNTAX);
	assert_int_equal(sec_dn_enc("vpn", der, sizeof(der), &n), ERR_SYNTAX);
}

TEST(another_name_is_another_name)
{
	static const char *const others[] = {
		"C=JP, O=Example, CN=vpn, emailAddress=a@b.c",
		NAME ", DC=com",
		"O=Example, C=JP, CN=vpn, emailAddress=a@b.c, DC=example",
		"C=JP, O=Example, CN=vpn2, emailAddress=a@b.c, DC=example",
		"C=JP, O=Example, CN=vp, emailAddress=a@b.c, DC=example",
		"C=JP, O=Example, OU=vpn, emailAddress=a@b.c, DC=example",
		"CN=vpn", "",
	};

	for (size_t i = 0; i < N_OF(others); i++)
		assert_false(is(foreign, sizeof(foreign), others[i]));
}

static bool
has(const uint8_t *der, size_t len, const char *text)
{
	struct conf_rdn r[CONF_RDN_MAX];
	int n = sec_dn_read((struct view){ der, len }, r, CONF_RDN_MAX);

	return n > 0 && conf_rdn_has(r, (unsigned)n, text);
}

TEST(parts_of_a_name_are_found_in_any_order)
{
	static const struct {
		const char *text;
		bool has;
	} row[] = {
		{ "O=Example", true }, { "C=JP, CN=VPN", true }, { NAME, true },
		{ "DC=example", true }, { "O=Example, C=JP", true },
		{ "OU=Example", false }, { "O=Exampl", false }, { "", false },
		{ "O=Example, O=Example", false },
	};
	uint8_t der[sizeof(foreign)];

	for (size_t i = 0; i < N_OF(row); i++)
		assert_int_equal(has(foreign, sizeof(foreign), row[i].text),
		    row[i].has);
	/* what follows the parts must be a name as well */
	memcpy(der, foreign, sizeof(foreign));
	der[sizeof(foreign) - 8] ^= 0x40;
	assert_false(has(der, sizeof(der), "C=JP"));
}

TEST(every_flipped_byte_and_every_cut_is_noticed_or_harmless)
{
	char text[SEC_ID_TEXT_MAX];
	uint8_t der[sizeof(foreign) + 1];
	struct view v = { der, sizeof(foreign) };

	for (size_t i = 0; i < sizeof(foreign); i++) {
		assert_false(is(foreign, i, NAME));
		memcpy(der, foreign, sizeof(foreign));
		der[i] ^= 0x01;
		/* but for a type of string, and the case of letters */
		if (sec_dn_is(v, NAME))
			assert_true(foreign[i] == 0x0c || foreign[i] == 0x13);
		der[i] ^= 0x81;
		assert_false(sec_dn_is(v, NAME));
		(void)sec_dn_text(v, text, sizeof(text));
	}
	memcpy(der, foreign, sizeof(foreign));
	der[sizeof(foreign)] = 0;
	assert_false(is(der, sizeof(der), NAME));
}

TEST(hidden_bytes_are_not_equal_and_not_printed)
{
	static const uint8_t nul[] = { 0x30, 0x0e, 0x31, 0x0c, 0x30, 0x0a, 6, 3,
		0x55, 4, 3, 0x0c, 3, 'a', 0, 'b' };
	static const uint8_t unknown[] = { 0x30, 0x0c, 0x31, 0x0a, 0x30, 8, 6, 3,
		0x55, 4, 99, 0x0c, 1, 'a' };
	static const uint8_t none[] = { 0x30, 0 };
	char text[SEC_ID_TEXT_MAX];

	assert_false(is(nul, sizeof(nul), "CN=a"));
	assert_true(sec_dn_text((struct view){ nul, sizeof(nul) }, text,
				sizeof(text)));
	assert_string_equal(text, "CN=a\\x00b");
	assert_false(sec_dn_text((struct view){ unknown, sizeof(unknown) },
				 text, sizeof(text)));
	assert_false(sec_dn_text((struct view){ none, sizeof(none) }, text,
				 sizeof(text)));
	assert_false(is(none, sizeof(none), ""));
}

TEST(an_identity_may_be_a_distinguished_name)
{
	uint8_t body[SEC_ID_BODY_MAX];
	char text[SEC_ID_TEXT_MAX];
	struct sec_id id;
	size_t n;

	assert_int_equal(sec_id_enc(NAME, body, sizeof(body), &n), 0);
	assert_int_equal(sec_id_dec((struct view){ body, n }, &id), 0);
	assert_int_equal(id.type, 9);
	assert_true(sec_id_equal(&id, NAME));
	assert_false(sec_id_equal(&id, "CN=vpn"));
	assert_false(sec_id_equal(&id, "vpn"));
	assert_string_equal(sec_id_text(&id, text), NAME);
	id.type = 2;
	assert_false(sec_id_equal(&id, NAME));
}
