/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_desk.c - the desk: command lines put together of what a browser
 * sends, sealed answers, and a few deeds in a directory of its own.
 */
#define ERR_STATE ossl_err_state_type /* a type of theirs, an error of ours */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#undef ERR_STATE
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/desk/desk.h"
#include "cli/desk/seal.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "test/lib/test.h"

static const char *const changes[] = {
	"account-add", "account-set", "account-del", "user-add", "user-passwd",
	"user-del", "ca-init", "ca-issue", "ca-revoke", "ca-renew", "invite",
};
static struct desk_line line;
static struct bus_rec cmd;
static struct desk_place place = { "/c/tapir.xml", "/c/keys", false, true };

/* ---- command lines ------------------------------------------------------------- */

static void
ask(const char *what, const char *realm, const char *name)
{
	bus_rec_init(&cmd, BUS_CMD_DESK);
	bus_set_str(&cmd, BUS_F_WHAT, what);
	bus_set_str(&cmd, BUS_F_REALM, realm);
	bus_set_str(&cmd, BUS_F_NAME, name);
}

/* The line as text, "" when it was refused. */
static const char *
text_of(int *err)
{
	static char out[DESK_TEXT_MAX + DESK_WORDS_MAX];

	out[0] = '\0';
	*err = desk_line(&cmd, &place, &line);
	for (int i = 0; *err == 0 && i < line.argc; i++)
		str_add(out, sizeof(out), "%s%s", i > 0 ? " " : "",
			line.argv[i]);
	return out;
}

TEST(each_word_becomes_the_command_of_the_same_name)
{
	int err;

	ask("accounts", "", "");
	assert_string_equal(text_of(&err), "user list --dir /c/keys --");
	assert_false(line.is_change);
	ask("users", "sales", "");
	assert_string_equal(text_of(&err), "list --config /c/tapir.xml -- sales");
	ask("users", "", "");
	assert_string_equal(text_of(&err), "list --config /c/tapir.xml --");
	assert_int_equal(err, 0);
	ask("certs", "", "");
	assert_string_equal(text_of(&err), "list --dir /c/keys --");
	ask("account-del", "", "hanako");
	assert_string_equal(text_of(&err), "user del --dir /c/keys -- hanako");
	assert_true(line.is_change);
	assert_false(line.is_secret);
	ask("ca-issue", "", "a.example  b.example");
	bus_set_str(&cmd, BUS_F_KIND, "p384");
	bus_set_u64(&cmd, BUS_F_DAYS, 90);
	assert_string_equal(text_of(&err), "issue --dir /c/keys --type p384 "
			    "--days 90 -- a.example b.example");
	ask("invite", "branches", "osaka");
	bus_set_str(&cmd, BUS_F_REMOTE, "vpn.example.com");
	assert_string_equal(text_of(&err), "--config /c/tapir.xml --at "
			    "vpn.example.com --out - --realm branches -- osaka");
	assert_true(line.is_secret);
	assert_true(line.is_file);
	assert_null(line.argv[line.argc]);
}

TEST(a_password_is_never_in_the_command_line)
{
	int err;

	ask("account-add", "", "hanako");
	bus_set_str(&cmd, BUS_F_PASSWORD, "correct horse");
	bus_set_str(&cmd, BUS_F_ROLE, "viewer");
	assert_string_equal(text_of(&err), "user add --dir /c/keys --role viewer "
			    "--pass /proc/self/fd/0 -- hanako");
	assert_null(memmem(line.text, sizeof(line.text), "horse", 5));
}

TEST(codes_make_the_answer_a_secret)
{
	int err;

	ask("account-add", "", "hanako");
	bus_set_str(&cmd, BUS_F_PASSWORD, "correct horse");
	(void)text_of(&err);
	assert_false(line.is_secret);
	bus_set_bool(&cmd, BUS_F_HAS_CODES, true);
	(void)text_of(&err);
	assert_int_equal(err, 0);
	assert_true(line.is_secret);
}

TEST(a_name_that_looks_like_an_option_is_a_name)
{
	int err;

	ask("account-del", "", "--dir=/etc");
	assert_string_equal(text_of(&err), "user del --dir /c/keys -- "
			    "--dir=/etc");
	ask("ca-issue", "", "--pass=/etc/shadow a");
	assert_string_equal(text_of(&err), "issue --dir /c/keys -- "
			    "--pass=/etc/shadow a");
}

TEST(what_is_missing_or_too_much_is_refused)
{
	static const struct {
		const char *what, *realm, *name;
		int err;
	} row[] = {
		{ "lab", "", "", ERR_NOTFOUND }, { "", "", "", ERR_NOTFOUND },
		{ "accounts", "r", "", ERR_SYNTAX },
		{ "accounts", "", "x", ERR_SYNTAX },
		{ "user-del", "", "x", ERR_SYNTAX },
		{ "account-del", "", "", ERR_SYNTAX },
		{ "user-add", "r", "x", ERR_SYNTAX },	/* no password */
		{ "invite", "", "osaka", ERR_SYNTAX },
		{ "account-del", "", "a\nb", ERR_SYNTAX },
		{ "ca-revoke", "", "a\x7f", ERR_SYNTAX },
	};
	int err;

	for (size_t i = 0; i < N_OF(row); i++) {
		ask(row[i].what, row[i].realm, row[i].name);
		(void)text_of(&err);
		assert_int_equal(err, row[i].err);
		assert_non_null(line.why);
	}
	ask("accounts", "", "");
	bus_set_str(&cmd, BUS_F_PASSWORD, "x");
	(void)text_of(&err);
	assert_int_equal(err, ERR_SYNTAX);
}

TEST(more_names_than_there_is_room_for_are_refused)
{
	char names[2 * DESK_WORDS_MAX + 1] = "";
	int err;

	for (int i = 0; i < DESK_WORDS_MAX; i++)
		str_add(names, sizeof(names), "a ");
	ask("ca-issue", "", names);
	(void)text_of(&err);
	assert_int_equal(err, ERR_LONG);
}

TEST(a_closed_desk_shows_and_changes_nothing)
{
	int err;

	place.is_closed = true;
	ask("accounts", "", "");
	(void)text_of(&err);
	assert_int_equal(err, 0);
	ask("account-del", "", "hanako");
	(void)text_of(&err);
	place.is_closed = false;
	assert_int_equal(err, ERR_PERM);
}

/* ---- seals ------------------------------------------------------------------------ */

/* A browser: its key pair, and the public half as text. */
static EVP_PKEY *
browser(char text[DESK_POINT_T])
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	uint8_t *p = NULL;

	assert_int_equal(EVP_PKEY_get1_encoded_public_key(key, &p), DESK_POINT);
	str_hex(text, DESK_POINT_T, p, DESK_POINT);
	OPENSSL_free(p);
	return key;
}

/* 1 when the tag is right. */
static int
opens(const uint8_t key[DESK_KEY], const uint8_t *sealed, size_t len,
      uint8_t *out)
{
	static const uint8_t nonce[12];
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t tag[DESK_TAG];
	int n = 0, ok;

	memcpy(tag, sealed + len - DESK_TAG, DESK_TAG);
	ok = EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	    EVP_DecryptUpdate(c, out, &n, sealed, (int)(len - DESK_TAG)) == 1 &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, DESK_TAG, tag) == 1 &&
	    EVP_DecryptFinal_ex(c, out + n, &n) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

TEST(a_seal_is_used_once)
{
	const struct view in = { (const uint8_t *)"secret", 6 };
	uint8_t sealed[6 + DESK_TAG], plain[6];
	char peer[DESK_POINT_T];
	struct desk_seal s;

	EVP_PKEY_free(browser(peer));
	assert_int_equal(desk_seal_begin(&s, peer), 0);
	assert_int_equal(strlen(s.own), DESK_POINT_T - 1);
	assert_string_not_equal(s.own, peer);
	assert_int_equal(desk_seal_do(&s, in, sealed), 0);
	assert_true(opens(s.key, sealed, sizeof(sealed), plain));
	assert_memory_equal(plain, "secret", 6);
	sealed[0] ^= 1;
	assert_false(opens(s.key, sealed, sizeof(sealed), plain));
	assert_int_equal(desk_seal_do(&s, in, sealed), ERR_STATE);
	desk_seal_wipe(&s);
}

TEST(what_is_no_point_of_the_curve_is_refused)
{
	char peer[DESK_POINT_T], bad[DESK_POINT_T];
	struct desk_seal s;

	EVP_PKEY_free(browser(peer));
	assert_int_equal(desk_seal_begin(&s, ""), ERR_SYNTAX);
	assert_int_equal(desk_seal_begin(&s, "04"), ERR_SYNTAX);
	memcpy(bad, peer, sizeof(bad));
	bad[1] = '2';			/* another form of a point */
	assert_int_equal(desk_seal_begin(&s, bad), ERR_SYNTAX);
	memcpy(bad, peer, sizeof(bad));
	bad[DESK_POINT_T - 2] ^= 1;	/* beside the curve */
	assert_int_equal(desk_seal_begin(&s, bad), ERR_SYNTAX);
	memset(bad, '0', DESK_POINT_T - 1);	/* infinity */
	bad[1] = '4';
	assert_int_equal(desk_seal_begin(&s, bad), ERR_SYNTAX);
}

/* ---- deeds ------------------------------------------------------------------------- */

static char dir[64], keys[80], conf[80];
static struct desk_answer answer;

static int
remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
	   struct FTW *at UNUSED)
{
	return remove(path);
}

static void
begin(void)
{
	snprintf(dir, sizeof(dir), "/tmp/tapir-desk-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(keys, sizeof(keys), "%s/keys", dir);
	snprintf(conf, sizeof(conf), "%s/tapir.xml", dir);
	assert_int_equal(mkdir(keys, 0700), 0);
	place = (struct desk_place){ conf, keys, false, true };
}

static void
end(void)
{
	place = (struct desk_place){ "/c/tapir.xml", "/c/keys", false,
				      true };
	assert_int_equal(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* Run cmd; the document as text. */
static const char *
deed(void)
{
	static char text[8192];

	assert_int_equal(desk_run(&cmd, &place, &answer), 0);
	snprintf(text, sizeof(text), "%.*s", (int)answer.len,
		 (const char *)answer.doc);
	desk_answer_free(&answer);
	return text;
}

TEST(who_proved_nothing_may_only_look)
{
	int err;

	place.is_proved = false;
	ask("accounts", "", "");
	assert_string_not_equal(text_of(&err), "");
	assert_int_equal(err, 0);
	ask("users", "r", "");
	(void)text_of(&err);
	assert_int_equal(err, 0);
	for (unsigned i = 0; i < N_OF(changes); i++) {
		ask(changes[i], "r", "x");
		assert_string_equal(text_of(&err), "");
		assert_int_equal(err, ERR_PROOF);
	}
	begin();
	place.is_proved = false;
	ask("account-add", "", "jiro");
	bus_set_str(&cmd, BUS_F_PASSWORD, "correct horse");
	assert_non_null(strstr(deed(), "ERR_PROOF"));
	assert_string_equal(bus_str(&answer.rec, BUS_F_CODE), "proof");
	place.is_proved = true;
	assert_non_null(strstr(deed(), "\"ok\":true"));
	end();
}

TEST(an_account_comes_and_goes_and_its_password_stays_unsaid)
{
	const char *text;

	begin();
	ask("account-add", "", "hanako");
	bus_set_str(&cmd, BUS_F_PASSWORD, "correct horse");
	text = deed();
	assert_string_equal(bus_str(&answer.rec, BUS_F_CODE), "done");
	assert_false(bus_bool(&answer.rec, BUS_F_IS_DRY));
	assert_null(strstr(text, "horse"));
	ask("accounts", "", "");
	text = deed();
	assert_true(bus_bool(&answer.rec, BUS_F_IS_DRY));
	assert_non_null(strstr(text, "\"hanako\""));
	assert_non_null(strstr(text, "\"viewer\""));
	ask("account-add", "", "hanako");
	bus_set_str(&cmd, BUS_F_PASSWORD, "correct horse");
	text = deed();
	assert_string_equal(bus_str(&answer.rec, BUS_F_CODE), "failed");
	assert_non_null(strstr(text, "\"exists\""));
	ask("account-del", "", "hanako");
	(void)deed();
	assert_string_equal(bus_str(&answer.rec, BUS_F_CODE), "done");
	end();
}

TEST(a_secret_is_made_for_nobody_without_a_key_to_seal_it)
{
	char peer[DESK_POINT_T];

	begin();
	ask("account-add", "", "hanako");
	bus_set_str(&cmd, BUS_F_PASSWORD, "correct horse");
	bus_set_bool(&cmd, BUS_F_HAS_CODES, true);
	assert_non_null(strstr(deed(), "seal="));
	assert_string_equal(bus_str(&answer.rec, BUS_F_CODE), "failed");
	ask("accounts", "", "");
	assert_null(strstr(deed(), "hanako"));
	EVP_PKEY_free(browser(peer));
	ask("account-add", "", "hanako");
	bus_set_str(&cmd, BUS_F_PASSWORD, "correct horse");
	bus_set_bool(&cmd, BUS_F_HAS_CODES, true);
	bus_set_str(&cmd, BUS_F_SEAL, peer);
	assert_null(strstr(deed(), "totp"));
	assert_string_equal(bus_str(&answer.rec, BUS_F_CODE), "done");
	assert_int_equal(strlen(bus_str(&answer.rec, BUS_F_SEAL)),
			 DESK_POINT_T - 1);
	end();
}

TEST(an_authority_is_made_issues_and_revokes)
{
	begin();
	ask("certs", "", "");
	assert_non_null(strstr(deed(), "\"not-found\""));
	ask("ca-init", "", "Example CA");
	(void)deed();
	assert_string_equal(bus_str(&answer.rec, BUS_F_CODE), "done");
	ask("ca-issue", "", "vpn.example.com");
	assert_null(strstr(deed(), "PRIVATE"));
	ask("certs", "", "");
	assert_non_null(strstr(deed(), "\"valid\""));
	ask("ca-revoke", "", "vpn.example.com");
	(void)deed();
	ask("certs", "", "");
	assert_non_null(strstr(deed(), "\"revoked\""));
	end();
}
