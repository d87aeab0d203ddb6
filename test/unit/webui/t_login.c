/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/webui/t_login.c - tokens, failures.
 */
#include "webui/login.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

static struct view
view(const char *text)
{
	return (struct view){ (const uint8_t *)text, strlen(text) };
}

TEST(a_token_ends_without_use_and_after_its_life)
{
	char token[UI_TOKEN_MAX], other[UI_TOKEN_MAX];
	struct ui_who *who;
	struct ui_login *l;
	uint64_t now = 5, id;

	assert_int_equal(ui_login_new(&l), 0);
	assert_int_equal(ui_login_add(l, "a", BUS_RIGHT_ADMIN, now, token, &who),
			 0);
	id = who->id;
	assert_int_equal(ui_login_add(l, "b", BUS_RIGHT_VIEW, now, other, &who),
			 0);
	assert_string_not_equal(token, other);
	assert_int_equal(strlen(token), UI_TOKEN_MAX - 1);
	while (now + UI_LOGIN_IDLE_MS - 1 < UI_LOGIN_LIFE_MS) {
		now += UI_LOGIN_IDLE_MS - 1;
		assert_non_null(ui_login_find(l, view(token), now));
	}
	assert_null(ui_login_find(l, view(other), now));
	assert_null(ui_login_find(l, view(token), UI_LOGIN_LIFE_MS + 5));
	assert_int_equal(ui_login_expire(l, UI_LOGIN_LIFE_MS + 5), id);
	assert_int_not_equal(ui_login_expire(l, UI_LOGIN_LIFE_MS + 5), id);
	assert_int_equal(ui_login_expire(l, UI_LOGIN_LIFE_MS + 5), 0);
	ui_login_free(l);
}

TEST(a_token_is_taken_whole_or_not)
{
	char token[UI_TOKEN_MAX];
	struct ui_who *who;
	struct ui_login *l;

	assert_int_equal(ui_login_new(&l), 0);
	assert_int_equal(ui_login_add(l, "a", BUS_RIGHT_ADMIN, 0, token, &who), 0);
	token[0] ^= 1;
	assert_null(ui_login_find(l, view(token), 0));
	token[0] ^= 1;
	assert_null(ui_login_find(l, (struct view){ (uint8_t *)token,
				  UI_TOKEN_MAX - 2 }, 0));
	assert_ptr_equal(ui_login_find(l, view(token), 0), who);
	ui_login_end(l, who);
	assert_null(ui_login_find(l, view(token), 0));
	ui_login_free(l);
}

TEST(nobody_logs_others_out_by_logging_in)
{
	char token[UI_TOKEN_MAX], first[UI_TOKEN_MAX];
	struct ui_who *who;
	struct ui_login *l;

	assert_int_equal(ui_login_new(&l), 0);
	assert_int_equal(ui_login_add(l, "admin", BUS_RIGHT_ADMIN, 0, token,
				      &who), 0);
	for (unsigned i = 0; i < 2 * UI_LOGIN_MAX; i++) {
		char more[UI_TOKEN_MAX];

		assert_int_equal(ui_login_add(l, "vera", BUS_RIGHT_VIEW, 1 + i,
					      i == 0 ? first : more, &who), 0);
	}
	assert_non_null(ui_login_find(l, view(token), 1000));
	assert_null(ui_login_find(l, view(first), 1000));
	ui_login_free(l);
}

TEST(when_places_run_out_the_longest_unused_goes)
{
	char first[UI_TOKEN_MAX], second[UI_TOKEN_MAX], token[UI_TOKEN_MAX];
	struct ui_who *who;
	struct ui_login *l;

	assert_int_equal(ui_login_new(&l), 0);
	assert_int_equal(ui_login_add(l, "a", BUS_RIGHT_VIEW, 0, first, &who), 0);
	assert_int_equal(ui_login_add(l, "b", BUS_RIGHT_VIEW, 1, second, &who), 0);
	for (int i = 2; i < UI_LOGIN_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%d", i);
		assert_int_equal(ui_login_add(l, name, BUS_RIGHT_VIEW, 2, token,
					      &who), 0);
	}
	assert_non_null(ui_login_find(l, view(first), 3));
	assert_int_equal(ui_login_add(l, "d", BUS_RIGHT_VIEW, 4, token, &who), 0);
	assert_non_null(ui_login_find(l, view(first), 4));
	assert_null(ui_login_find(l, view(second), 4));
	ui_login_free(l);
}

TEST(name_and_password_in_each_request_are_looked_at_again_after_a_while)
{
	char token[UI_TOKEN_MAX];
	struct ui_who *who;
	struct ui_login *l;
	uint64_t id;

	memset(token, 'a', sizeof(token) - 1);
	token[sizeof(token) - 1] = '\0';
	assert_int_equal(ui_login_new(&l), 0);
	assert_int_equal(ui_login_add_as(l, "a", BUS_RIGHT_VIEW, 0, token, &who),
			 0);
	who->is_basic = true;
	id = who->id;
	assert_non_null(ui_login_find(l, view(token), UI_PROOF_MS - 1));
	assert_null(ui_login_find(l, view(token), UI_PROOF_MS));
	assert_int_equal(ui_login_add_as(l, "a", BUS_RIGHT_VIEW, UI_PROOF_MS,
					 token, &who), 0);
	assert_int_equal(who->id, id); /* its sessions stay its own */
	ui_login_free(l);
}

TEST(failures_are_counted_by_source_and_minute)
{
	struct ui_login *l;

	assert_int_equal(ui_login_new(&l), 0);
	for (int i = 0; i < UI_FAIL_MAX; i++)
		assert_false(ui_login_failed(l, "a", 0));
	assert_false(ui_login_is_slowed(l, "a", 0));
	assert_true(ui_login_failed(l, "a", 0));
	assert_true(ui_login_is_slowed(l, "a", UI_FAIL_MS - 1));
	assert_false(ui_login_is_slowed(l, "b", 0));
	assert_false(ui_login_is_slowed(l, "a", UI_FAIL_MS));
	assert_false(ui_login_failed(l, "a", UI_FAIL_MS));
	ui_login_free(l);
}

TEST(roles_have_names)
{
	assert_string_equal(ui_role_name(BUS_RIGHT_VIEW), "viewer");
	assert_string_equal(ui_role_name(BUS_RIGHT_OPERATE), "operator");
	assert_string_equal(ui_role_name(BUS_RIGHT_ADMIN), "admin");
}
