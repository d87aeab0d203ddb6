/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/webui/t_app_login.c - logging in while others try to keep one from it.
 */
#include "test/unit/webui/app_rig.h"

#define WORD_OF "{\"user\":\"n\",\"password\":\"long enough\"}"

static struct ui_req rq[32];

/* One more who logs in from there; false: he was told to wait. */
static bool
tries(unsigned i, const char *source, const char *body)
{
	w.source = source;
	ask(&rq[i], UI_POST, "/login", "", body);
	assert_true(rq[i].status == 0 || rq[i].status == 429);
	return rq[i].status == 0;
}

/* All questions are answered, by no. */
static void
no_to_all(void)
{
	const struct pass_answer no = { .verdict = PASS_NO };

	for (unsigned i = 0; i < gate.n; i++)
		gate.all[i].fn(gate.all[i].ctx, &no);
	gate.n = 0;
}

TEST(who_floods_from_one_address_keeps_only_himself_waiting)
{
	begin();
	gate.n = 0;
	assert_true(tries(0, "192.0.2.1", WORD_OF));
	assert_true(tries(1, "192.0.2.1", WORD_OF));
	for (unsigned i = 2; i < 20; i++)
		assert_false(tries(i, "192.0.2.1", WORD_OF));
	assert_true(tries(20, "192.0.2.2", WORD_OF));
	/* he leaves, and comes again: his questions wait all the same */
	ui_app_gone(&w.app, &rq[0]);
	ui_app_gone(&w.app, &rq[1]);
	assert_false(tries(2, "192.0.2.1", WORD_OF));
	no_to_all();
	assert_int_equal(rq[20].status, 401);
	assert_true(tries(2, "192.0.2.1", WORD_OF));
	no_to_all();
	end();
}

TEST(all_addresses_of_a_network_of_ipv6_are_one_source)
{
	begin();
	gate.n = 0;
	assert_true(tries(0, "2001:db8::1", WORD_OF));
	assert_true(tries(1, "2001:db8::ffff:2", WORD_OF));
	assert_false(tries(2, "2001:db8::3", WORD_OF));
	assert_true(tries(3, "2001:db8:0:1::3", WORD_OF));
	no_to_all();
	end();
}

TEST(a_link_is_not_slowed_down_by_wrong_guesses_of_a_neighbour)
{
	begin();
	gate.n = 0;
	for (unsigned i = 0; i < 2 * UI_FAIL_MAX; i++)
		ask(&rq[0], UI_GET, "/login", "Bearer x", "");
	assert_int_equal(rq[0].status, 429);
	assert_true(tries(1, "192.0.2.1", WORD_OF)); /* one at a time now */
	assert_false(tries(2, "192.0.2.1", WORD_OF));
	assert_true(tries(3, "192.0.2.1", "{\"link\":\"" LINK "\"}"));
	assert_int_equal(gate.q.kind, PASS_LINK);
	no_to_all();
	end();
}
