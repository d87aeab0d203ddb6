/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_spawn.c - how long the supervisor waits before it starts a
 * process again.
 */
#include "daemon/core/spawn.h"
#include "daemon/base/clk.h"
#include "test/lib/test.h"

static uint64_t now_ms = 1000000;

static uint64_t
source(void *ctx UNUSED)
{
	return now_ms * 1000000;
}

TEST(five_deaths_in_a_minute_cost_little_and_the_sixth_waits)
{
	struct super_death d = { 0 };

	clk_set_source(source, NULL);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(spawn_pause_ms(&d), SPAWN_PAUSE_MS);
		now_ms += 1000;
	}
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(spawn_pause_ms(&d), SPAWN_LONG_MS);
		now_ms += SPAWN_LONG_MS;
	}
	clk_set_source(NULL, NULL);
}

TEST(a_quiet_minute_is_a_new_beginning)
{
	struct super_death d = { 0 };

	clk_set_source(source, NULL);
	for (unsigned i = 0; i < 8; i++)
		(void)spawn_pause_ms(&d);
	now_ms += 60001;
	assert_int_equal(spawn_pause_ms(&d), SPAWN_PAUSE_MS);
	clk_set_source(NULL, NULL);
}
