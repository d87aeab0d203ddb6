/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_redact.c - no word of a key file is left in a text.
 */
#include "secure-proc/files/redact.h"
#include "test/unit/secure-proc/kit.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

static struct sec_words *
words(const void *bytes, size_t len)
{
	struct sec_words *w = sec_words_new();
	uint8_t *copy = secret_alloc(len);

	assert_non_null(w);
	assert_non_null(copy);
	memcpy(copy, bytes, len);
	assert_int_equal(sec_words_add(w, copy, len), 0);
	return w;
}

/* What is left of a text. */
static const char *
left(const struct sec_words *w, const char *text)
{
	static char *out;
	static size_t len;
	FILE *f;

	free(out);
	f = open_memstream(&out, &len);
	(void)sec_words_apply(w, text, strlen(text), f);
	fclose(f);
	return out;
}

static void
expect(const char *file, const char *text, const char *want)
{
	struct sec_words *w = words(file, strlen(file));

	assert_string_equal(left(w, text), want);
	sec_words_free(w);
}

TEST(the_line_of_a_psk_file_is_taken_out_wherever_it_stands)
{
	expect("hunter22\n", "a hunter22b Hunter22", "a [secret]b [secret]");
	expect("a b:c d\n", "x a b:c d", "x [secret]");
	expect("line one\nline two\n", "line two, line one",
	    "[secret], [secret]");
	expect("last", "last", "[secret]");
	expect("#1secret\n", "#1secret", "[secret]");
	expect("abc\n", "abc", "abc");	/* too short: any text has it */
}

TEST(hexadecimal_digits_count_without_their_sign)
{
	expect("0xdeadbeef01\n", "key DEADBEEF01 0xdeadbeef01",
	    "key [secret] [secret]");
}

TEST(fields_behind_a_name_are_secret_and_the_name_is_not)
{
	const char *users =
	    "hanako:operator:15:8:1:00112233445566778899aabbccddeeff:beef00beef\n"
	    "taro:nt:0cb6948805f797bf2a82807973b89537\n";

	expect(users, "hanako operator 00112233445566778899aabbccddeeff "
	    "beef00beef taro 0CB6948805F797BF2A82807973B89537",
	    "hanako operator [secret] [secret] taro [secret]");
}

TEST(private_blocks_of_pem_are_secret_and_certificates_are_not)
{
	const char *pem =
	    "-----BEGIN CERTIFICATE-----\nMIIBcertcert\n-----END CERTIFICATE-----\n"
	    "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIKeykey\nshort==\n"
	    "-----END EC PRIVATE KEY-----\n"
	    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHpublic\n-----END PUBLIC KEY-----\n";

	expect(pem, "MIIBcertcert MHcCAQEEIKeykey MFkwEwYHpublic",
	    "MIIBcertcert [secret] MFkwEwYHpublic");
}

TEST(a_binary_file_is_known_by_its_digits)
{
	const uint8_t key[] = { 0, 1, 2, 0xfe, 0xff };
	struct sec_words *w = words(key, sizeof(key));

	assert_string_equal(left(w, "qcd 000102FEFF."), "qcd [secret].");
	assert_int_equal(sec_words_count(w), 1);
	sec_words_free(w);
}

TEST(the_longest_word_wins)
{
	expect("long\nlonger word\n", "longer word", "[secret]");
}

TEST(every_file_of_the_directory_counts_whatever_its_mode)
{
	char path[128];
	struct sec_words *w = sec_words_new();

	kit_begin();
	kit_file("a.psk", "first secret\n", 13, 0600);
	kit_file("b.psk", "open secret\n", 12, 0644);
	kit_file("tap-x.mac", "02:00:00:00:00:01\n", 18, 0600);
	kit_file("empty", "", 0, 0600);
	snprintf(path, sizeof(path), "%s/web", kit_dir);
	assert_int_equal(mkdir(path, 0711), 0);
	kit_file("web/users", "anna:admin:deep secret\n", 23, 0600);
	snprintf(path, sizeof(path), "%s/link", kit_dir);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(sec_words_dir(w, kit_dir), 0);
	assert_string_equal(left(w, "first secret, open secret, deep secret, "
	    "02:00:00:00:00:01, root:x:0:0"), "[secret], [secret], [secret], "
	    "02:00:00:00:00:01, root:x:0:0");
	sec_words_free(w);
	kit_end();
}

TEST(a_directory_that_is_not_there_has_no_secrets)
{
	struct sec_words *w = sec_words_new();

	assert_int_equal(sec_words_dir(w, "/nonexistent/keys"), ERR_NOTFOUND);
	assert_int_equal(sec_words_count(w), 0);
	sec_words_free(w);
}
