/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/base/t_log.c - levels, escaping, the sink, the rate limit.
 */
#include "daemon/base/log.h"
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/thr.h"
#include "test/lib/test.h"

static char last[LOG_LINE_MAX + 8];
static char last_who[16];
static enum log_level last_level;
static unsigned n_lines;
static uint64_t now_ns;

static void
sink(void *ctx, enum log_level lv, const char *who, const char *line)
{
	assert_ptr_equal(ctx, &n_lines);
	n_lines++;
	last_level = lv;
	strncpy(last_who, who, sizeof(last_who) - 1);
	strncpy(last, line, sizeof(last) - 1);
}

static uint64_t
virtual_ns(void *ctx)
{
	(void)ctx;
	return now_ns;
}

static void
fresh(void)
{
	log_set_sink(sink, &n_lines);
	log_set_level(LOG_NOTICE);
	n_lines = 0;
	memset(last, 0, sizeof(last));
}

TEST(a_line_reaches_the_sink_with_its_parts)
{
	fresh();
	log_warn("ike", "peer %s: %d", "bob", 7);
	assert_int_equal(n_lines, 1);
	assert_int_equal(last_level, LOG_WARN);
	assert_string_equal(last_who, "ike");
	assert_string_equal(last, "peer bob: 7");
	log_set_sink(NULL, NULL);
}

TEST(lines_above_the_level_are_not_written)
{
	fresh();
	log_info("x", "no");
	log_debug("x", "no");
	assert_int_equal(n_lines, 0);
	log_notice("x", "yes");
	log_error("x", "yes");
	assert_int_equal(n_lines, 2);
	log_set_level(LOG_DEBUG);
	log_debug("x", "yes");
	assert_int_equal(n_lines, 3);
	log_set_level(LOG_ERROR);
	log_warn("x", "no");
	assert_int_equal(n_lines, 3);
	log_set_sink(NULL, NULL);
}

TEST(a_stranger_cannot_forge_lines_or_colour_terminals)
{
	fresh();
	log_warn("ike", "id '%s'", "a\nb\x1b[31m\x7f\xff\t");
	assert_string_equal(last, "id 'a\\x0ab\\x1b[31m\\x7f\\xff\\x09'");
	log_set_sink(NULL, NULL);
}

TEST(a_line_is_bounded)
{
	char big[4 * LOG_LINE_MAX];

	fresh();
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_warn("x", "%s", big);
	assert_int_equal(strlen(last), LOG_LINE_MAX - 1);
	memset(big, '\n', sizeof(big) - 1);
	log_warn("x", "%s", big);
	assert_in_range(strlen(last), LOG_LINE_MAX - 8, LOG_LINE_MAX - 1);
	assert_int_equal(strlen(last) % 4, 0);
	log_set_sink(NULL, NULL);
}

TEST(level_names_go_there_and_back)
{
	enum log_level lv = LOG_ERROR;

	for (int i = LOG_ERROR; i <= LOG_DEBUG; i++) {
		assert_int_equal(log_parse_level(
		    log_level_name((enum log_level)i), &lv), 0);
		assert_int_equal(lv, i);
	}
	assert_int_equal(log_parse_level("Warn", &lv), ERR_NOTFOUND);
	assert_int_equal(log_parse_level("", &lv), ERR_NOTFOUND);
	assert_int_equal(lv, LOG_DEBUG);
	assert_string_equal(log_level_name((enum log_level)99), "?");
}

static void
stranger(void)
{
	log_rl(LOG_WARN, "ike", "nonsense arrived");
}

TEST(a_flood_writes_a_burst_and_then_how_many_were_left_out)
{
	fresh();
	now_ns = 0;
	clk_set_source(virtual_ns, NULL);
	for (unsigned i = 0; i < 100; i++)
		stranger();
	assert_int_equal(n_lines, LOG_RL_BURST);
	now_ns += (uint64_t)LOG_RL_WINDOW_MS * 1000000 - 1;
	stranger();
	assert_int_equal(n_lines, LOG_RL_BURST);
	now_ns += 1;
	stranger();
	assert_int_equal(n_lines, LOG_RL_BURST + 2);
	assert_string_equal(last, "(96 more lines like this left out)");
	stranger();
	assert_int_equal(n_lines, LOG_RL_BURST + 3);
	assert_string_equal(last, "nonsense arrived");
	clk_set_source(NULL, NULL);
	log_set_sink(NULL, NULL);
}

static void
rl_many(void *ctx)
{
	unsigned skipped;
	struct log_rl *rl = ((void **)ctx)[0];
	unsigned *n = ((void **)ctx)[1];

	for (unsigned i = 0; i < 2000; i++)
		*n += log_rl_pass(rl, &skipped);
}

TEST(threads_share_one_burst)
{
	unsigned n[3] = { 0 };
	struct log_rl rl = { 0 };
	void *ctx[3][2];
	struct thr *t[3];

	clk_set_source(virtual_ns, NULL);
	for (size_t i = 0; i < 3; i++) {
		ctx[i][0] = &rl;
		ctx[i][1] = &n[i];
		assert_int_equal(thr_start(&t[i], "rl", rl_many, ctx[i]), 0);
	}
	for (size_t i = 0; i < 3; i++)
		thr_join(t[i]);
	/* Whoever opens the window may let in those that came just before. */
	assert_in_range(n[0] + n[1] + n[2], LOG_RL_BURST, LOG_RL_BURST + 2);
	clk_set_source(NULL, NULL);
}

TEST(clocks_run_forward_and_can_be_replaced)
{
	uint64_t a = clk_ns(), b = clk_ns();

	assert_true(b >= a);
	assert_true(clk_wall_s() > 1700000000);
	assert_true(clk_wall_ms() / 1000 - (uint64_t)clk_wall_s() <= 1);
	now_ns = 5999999;
	clk_set_source(virtual_ns, NULL);
	assert_true(clk_ns() == 5999999);
	assert_true(clk_ms() == 5);
	clk_set_source(NULL, NULL);
	assert_true(clk_ns() >= b);
}
