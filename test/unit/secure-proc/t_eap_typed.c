/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_eap_typed.c - how long a typed password is known.
 */
#include "secure-proc/eap/typed.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "test/lib/test.h"

static struct sec_typed *t;
static uint32_t serial;

static struct view
text(const char *s)
{
	return (struct view){ (const uint8_t *)s, strlen(s) };
}

static bool
is(uint32_t realm, uint64_t now_ms, const char *want)
{
	struct view v = sec_typed_get(t, realm, now_ms, &serial);

	assert_int_equal(serial == 0, v.len == 0);
	return v.len == strlen(want) &&
	    (v.len == 0 || memcmp(v.p, want, v.len) == 0);
}

static void
begin(void)
{
	assert_int_equal(sec_typed_new(&t, 2), 0);
	assert_int_equal(secret_used(), 0);
}

static void
end(void)
{
	sec_typed_free(t);
	assert_int_equal(secret_used(), 0);
}

TEST(a_word_is_known_in_its_realm_until_its_time_is_over)
{
	begin();
	assert_int_equal(sec_typed_put(t, 1, text("horse"), 10, 1000), 0);
	assert_true(is(1, 1000, "horse"));
	assert_true(is(0, 1000, ""));
	assert_int_equal(sec_typed_due(t), 11000);
	assert_true(is(1, 10999, "horse"));
	assert_true(is(1, 11000, ""));
	assert_int_equal(secret_used(), 0);
	assert_int_equal(sec_typed_due(t), 0);
	end();
}

TEST(a_right_one_stays_and_a_wrong_one_does_not)
{
	begin();
	assert_int_equal(sec_typed_put(t, 0, text("horse"), 10, 0), 0);
	assert_true(is(0, 1, "horse"));
	sec_typed_used(t, 0, serial, true);
	assert_true(is(0, 2, "horse"));
	sec_typed_used(t, 0, serial, false);
	assert_true(is(0, 3, ""));
	end();
}

TEST(without_a_time_it_is_for_one_login)
{
	begin();
	assert_int_equal(sec_typed_put(t, 0, text("horse"), 0, 0), 0);
	assert_true(is(0, 1000, "horse"));
	sec_typed_used(t, 0, serial, true);
	assert_true(is(0, 1001, ""));
	end();
}

TEST(what_was_typed_meanwhile_is_not_forgotten_for_the_one_before)
{
	uint32_t old;

	begin();
	assert_int_equal(sec_typed_put(t, 0, text("wrong"), 10, 0), 0);
	assert_true(is(0, 0, "wrong"));
	old = serial;
	assert_int_equal(sec_typed_put(t, 0, text("right"), 10, 0), 0);
	sec_typed_used(t, 0, old, false);
	assert_true(is(0, 1, "right"));
	end();
}

TEST(what_cannot_be_a_password_changes_nothing)
{
	static uint8_t big[SEC_TYPED_MAX + 1];

	begin();
	assert_int_equal(sec_typed_put(t, 0, text("horse"), 10, 0), 0);
	assert_int_equal(sec_typed_put(t, 0, text(""), 10, 0), ERR_RANGE);
	assert_int_equal(sec_typed_put(t, 2, text("x"), 10, 0), ERR_RANGE);
	assert_int_equal(sec_typed_put(t, 0, (struct view){ big, sizeof(big) },
	    10, 0), ERR_LONG);
	assert_true(is(0, 1, "horse"));
	assert_true(is(7, 1, ""));
	sec_typed_used(t, 7, 1, false);
	end();
}
