/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_token.c - QCD tokens: the same after a restart, unlike
 * each other, and out of a file that nobody else can read.
 */
#include "secure-proc/keys/token.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "test/unit/secure-proc/kit.h"

static void
token(uint64_t ispi, uint64_t rspi, uint8_t out[SEC_TOKEN_LEN])
{
	struct sec_token *t;

	assert_int_equal(sec_token_load(&t, kit_dir, geteuid()), 0);
	assert_non_null(t);
	assert_int_equal(sec_token_make(t, ispi, rspi, out), 0);
	sec_token_free(t);
	assert_int_equal(secret_used(), 0);
}

TEST(a_token_is_the_same_after_a_restart)
{
	uint8_t a[SEC_TOKEN_LEN], b[SEC_TOKEN_LEN];

	kit_begin();
	token(1, 2, a);
	token(1, 2, b);
	assert_memory_equal(a, b, sizeof(a));
	kit_end();
}

TEST(tokens_of_other_pairs_and_other_secrets_differ)
{
	uint8_t a[SEC_TOKEN_LEN], b[SEC_TOKEN_LEN];
	char path[128];

	kit_begin();
	token(1, 2, a);
	token(2, 1, b);
	assert_memory_not_equal(a, b, sizeof(a));
	token(1, 3, b);
	assert_memory_not_equal(a, b, sizeof(a));
	snprintf(path, sizeof(path), "%s/%s", kit_dir, SEC_TOKEN_FILE);
	assert_int_equal(unlink(path), 0);
	token(1, 2, b);
	assert_memory_not_equal(a, b, sizeof(a));
	kit_end();
}

TEST(the_secret_is_in_a_file_of_the_owner_alone)
{
	uint8_t a[SEC_TOKEN_LEN];
	char path[128];
	struct stat st;

	kit_begin();
	token(1, 2, a);
	snprintf(path, sizeof(path), "%s/%s", kit_dir, SEC_TOKEN_FILE);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 2 + 64 + 1);
	kit_end();
}

TEST(an_unfit_file_is_refused_and_not_replaced)
{
	static const struct {
		const char *text;
		mode_t mode;
	} bad[] = {
		{ "", 0600 }, { "0x00112233\n", 0600 }, { "short\n", 0600 },
		{ "0xzz", 0600 },
		{ "0123456789012345678901234567890123456789", 0644 },
		{ "0123456789012345678901234567890123456789", 0660 },
	};
	struct sec_token *t;

	kit_begin();
	for (size_t i = 0; i < N_OF(bad); i++) {
		kit_file(SEC_TOKEN_FILE, bad[i].text, strlen(bad[i].text),
			 bad[i].mode);
		assert_int_equal(sec_token_load(&t, kit_dir, geteuid()),
				 ERR_KEYFILE);
		assert_null(t);
	}
	assert_int_equal(secret_used(), 0);
	kit_end();
}

TEST(where_nothing_can_be_written_there_are_no_tokens)
{
	struct sec_token *t;

	kit_begin();
	assert_int_equal(sec_token_load(&t, "/no/such/dir", geteuid()), 0);
	assert_null(t);
	kit_end();
}
