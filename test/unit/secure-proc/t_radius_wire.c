/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_radius_wire.c - questions to the RADIUS child, its
 * answers, and files of secrets.
 */
#include "secure-proc/radius/wire.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "secure-proc/radius/set.h"
#include "test/lib/test.h"

static uint8_t buf[SEC_RADIUS_WIRE_MAX];
static struct sec_radius_reply in, out;
static size_t len;

static struct view
text(const char *s)
{
	return (struct view){ (const uint8_t *)s, strlen(s) };
}

static bool
is_text(struct view v, const char *s)
{
	return v.len == strlen(s) && memcmp(v.p, s, v.len) == 0;
}

/* A good Accept, ready to be spoiled. */
static void
accept_make(void)
{
	memset(&in, 0, sizeof(in));
	in.number = 77;
	in.server = 1;
	in.answer.code = SPI_RADIUS_ACCEPT;
	in.answer.has_msk = true;
	memset(in.answer.msk, 0x5a, sizeof(in.answer.msk));
	memcpy(in.answer.eap, "\x03\x07\x00\x04", 4);
	in.answer.eap_len = 4;
	memcpy(in.answer.state, "st", 2);
	in.answer.state_len = 2;
	str_copy(in.answer.user, sizeof(in.answer.user), "hanako");
	in.answer.timeout_s = 3600;
}

static int
round_trip(void)
{
	assert_int_equal(sec_radius_reply_enc(&in, buf, sizeof(buf), &len), 0);
	return sec_radius_reply_dec((struct view){ buf, len }, &out);
}

TEST(a_question_comes_out_as_it_went_in)
{
	struct sec_radius_query q = {
		.number = UINT64_C(0x1122334455667788), .realm = 3,
		.server = SEC_RADIUS_ANY,
		.ask = { .user = text("hanako"), .nas = text("gate"),
			 .from = text("192.0.2.7"), .state = text("s"),
			 .eap = text("message") },
	}, got;

	assert_int_equal(sec_radius_query_enc(&q, buf, sizeof(buf), &len), 0);
	assert_int_equal(sec_radius_query_dec((struct view){ buf, len }, &got),
			 0);
	assert_true(got.number == q.number);
	assert_int_equal(got.realm, 3);
	assert_true(got.server == SEC_RADIUS_ANY);
	assert_true(is_text(got.ask.user, "hanako"));
	assert_true(is_text(got.ask.nas, "gate"));
	assert_true(is_text(got.ask.from, "192.0.2.7"));
	assert_true(is_text(got.ask.state, "s"));
	assert_true(is_text(got.ask.eap, "message"));
	for (size_t n = 0; n < len; n++)
		assert_int_not_equal(sec_radius_query_dec((struct view){ buf,
		    n }, &got), 0);
	buf[len] = 0;
	assert_int_equal(sec_radius_query_dec((struct view){ buf, len + 1 },
	    &got), ERR_TRAIL);
}

TEST(an_answer_comes_out_as_it_went_in)
{
	accept_make();
	assert_int_equal(round_trip(), 0);
	assert_true(out.number == 77);
	assert_int_equal(out.server, 1);
	assert_int_equal(out.answer.code, SPI_RADIUS_ACCEPT);
	assert_true(out.answer.has_msk);
	assert_memory_equal(out.answer.msk, in.answer.msk, SPI_EAP_MSK);
	assert_int_equal(out.answer.eap_len, 4);
	assert_memory_equal(out.answer.eap, in.answer.eap, 4);
	assert_int_equal(out.answer.state_len, 2);
	assert_string_equal(out.answer.user, "hanako");
	assert_int_equal(out.answer.timeout_s, 3600);
	for (size_t n = 0; n < len; n++)
		assert_int_not_equal(sec_radius_reply_dec((struct view){ buf,
		    n }, &out), 0);
}

TEST(a_child_that_was_taken_over_is_not_believed)
{
	accept_make();
	in.answer.code = SPI_RADIUS_CHALLENGE;	/* a key without an Accept */
	assert_int_equal(round_trip(), ERR_SYNTAX);
	accept_make();
	in.answer.code = (enum spi_radius_code)9;
	assert_int_equal(round_trip(), ERR_SYNTAX);
	accept_make();
	in.err = ERR_TIMEOUT;			/* both */
	assert_int_equal(round_trip(), ERR_SYNTAX);
	accept_make();
	str_copy(in.answer.user, sizeof(in.answer.user), "ha\nnako");
	assert_int_equal(round_trip(), ERR_SYNTAX);
	accept_make();
	in.number = 0;
	assert_int_equal(round_trip(), ERR_SYNTAX);
	memset(&in, 0, sizeof(in));
	in.number = 1;
	in.err = -100000;
	assert_int_equal(round_trip(), ERR_RANGE);
	in.err = 5;
	assert_int_equal(round_trip(), ERR_RANGE);
	in.err = ERR_TIMEOUT;
	assert_int_equal(round_trip(), 0);
	assert_int_equal(out.err, ERR_TIMEOUT);
	memset(&in, 0, sizeof(in));
	assert_int_equal(round_trip(), 0);	/* a child has begun */
}

/* ---- files of secrets --------------------------------------------------------- */

static struct sec_radius_server server[SEC_RADIUS_SERVERS];
static char why[200];

static int
secrets(const char *file, unsigned n)
{
	memset(server, 0, sizeof(server));
	return sec_radius_secrets(text(file), n, server, why, sizeof(why));
}

static bool
is_secret(unsigned i, const char *s)
{
	return server[i].n_secret == strlen(s) &&
	    memcmp(server[i].secret, s, strlen(s)) == 0;
}

TEST(one_line_is_for_all_servers_and_as_many_are_for_each)
{
	assert_int_equal(secrets("one secret\n", 3), 0);
	assert_true(is_secret(0, "one secret") && is_secret(2, "one secret"));
	assert_int_equal(secrets("first\nsecond", 2), 0);
	assert_true(is_secret(0, "first") && is_secret(1, "second"));
	assert_int_equal(secrets("0x6162\r\n", 1), 0);
	assert_true(is_secret(0, "ab"));
}

TEST(a_file_of_secrets_that_does_not_fit_is_refused)
{
	char long_one[SEC_RADIUS_SECRET_MAX + 2];

	memset(long_one, 'x', sizeof(long_one));
	long_one[sizeof(long_one) - 1] = '\0';
	assert_int_equal(secrets("", 1), ERR_KEYFILE);
	assert_int_equal(secrets("a\nb\n", 3), ERR_KEYFILE);
	assert_non_null(strstr(why, "2 lines"));
	assert_int_equal(secrets("a\nb\nc\n", 2), ERR_KEYFILE);
	assert_non_null(strstr(why, "more lines"));
	assert_int_equal(secrets("\n", 1), ERR_KEYFILE);
	assert_int_equal(secrets("0xabc\n", 1), ERR_KEYFILE);
	assert_int_equal(secrets("0xzz\n", 1), ERR_KEYFILE);
	assert_int_equal(secrets(long_one, 1), ERR_KEYFILE);
	long_one[SEC_RADIUS_SECRET_MAX] = '\0';
	assert_int_equal(secrets(long_one, 1), 0);
}
