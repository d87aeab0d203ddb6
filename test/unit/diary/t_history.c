/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/diary/t_history.c - what is kept, for how long, and what happens to
 * a database that cannot be used.
 */
#include "daemon/diary/history.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "test/lib/test.h"

#define DAY_MS UINT64_C(86400000)
#define T0     (1000 * DAY_MS)

static uint64_t run_ms;		/* of the clock that nobody sets */
static char dir[64], path[96];
static char notes[512];
static struct bus_rec row[64];
static unsigned n_row;

static void
note(void *ctx, enum log_level lv, const char *code, const char *text)
{
	(void)ctx;
	(void)lv;
	(void)text;
	str_add(notes, sizeof(notes), "%s ", code);
}

static void
on_row(void *ctx, const struct bus_rec *r)
{
	(void)ctx;
	assert_true(n_row < N_OF(row));
	row[n_row++] = *r;
}

static uint64_t
run_ns(void *ctx)
{
	(void)ctx;
	return run_ms * 1000000u;
}

/* The diary was asked so long after it was asked last. */
static uint64_t
after(struct history *h, uint64_t wall_ms, uint64_t ms)
{
	for (; ms >= 3600000; ms -= 3600000) {
		run_ms += 3600000;
		wall_ms += 3600000;
		history_tick(h, wall_ms);
	}
	return wall_ms;
}

static void
setup(void)
{
	run_ms = DAY_MS;
	clk_set_source(run_ns, NULL);
	snprintf(dir, sizeof(dir), "/tmp/t_history.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/history.db", dir);
	notes[0] = '\0';
}

static void
clean(void)
{
	static const char *const tail[] = { "", "-wal", "-shm", ".damaged" };
	char name[128];

	for (unsigned i = 0; i < N_OF(tail); i++) {
		snprintf(name, sizeof(name), "%s%s", path, tail[i]);
		(void)remove(name);
	}
	assert_int_equal(rmdir(dir), 0);
}

static void
add(struct history *h, enum bus_row what, uint64_t t, const char *peer,
    const char *why)
{
	struct bus_rec r;

	bus_rec_init(&r, what);
	r.time_ms = t;
	if (*peer != '\0')
		bus_set_str(&r, BUS_F_REALM, "branches");
	if (*peer != '\0')
		bus_set_str(&r, BUS_F_PEER, peer);
	if (*why != '\0')
		bus_set_str(&r, BUS_F_WHY, why);
	history_add(h, &r);
}

static unsigned
ask(struct history *h, const char *peer, uint64_t since, unsigned limit)
{
	n_row = 0;
	assert_int_equal(history_ask(h, "branches", peer, since, limit, on_row,
				     NULL), 0);
	return n_row;
}

static struct history *
start(void)
{
	struct history *h = NULL;

	assert_int_equal(history_open(&h, path, note, NULL), 0);
	return h;
}

TEST(rows_come_back_oldest_first_after_a_restart)
{
	struct history *h;

	setup();
	h = start();
	add(h, BUS_EV_PEER_UP, T0, "osaka", "");
	add(h, BUS_EV_PEER_DOWN, T0 + 5000, "osaka", "no answer");
	add(h, BUS_EV_PEER_UP, T0 + 9000, "kyoto", "");
	history_close(h);
	h = start();
	assert_int_equal(ask(h, "osaka", 0, 100), 2);
	assert_string_equal(bus_str(&row[0], BUS_F_CODE), "peer-up");
	assert_string_equal(bus_str(&row[1], BUS_F_WHY), "no answer");
	assert_int_equal(bus_u64(&row[1], BUS_F_TIME_MS), T0 + 5000);
	assert_int_equal(ask(h, "", 0, 100), 3);
	assert_int_equal(ask(h, "", 0, 1), 1);	/* the newest */
	assert_string_equal(bus_str(&row[0], BUS_F_PEER), "kyoto");
	assert_int_equal(ask(h, "osaka", T0 + 1, 100), 1);
	assert_int_equal(ask(h, "nara", 0, 100), 0);
	assert_string_equal(notes, "");
	history_close(h);
	clean();
}

TEST(the_same_failure_again_and_again_is_one_row)
{
	struct history *h;

	setup();
	h = start();
	for (unsigned i = 0; i < 50; i++)
		add(h, BUS_EV_PEER_FAILED, T0 + i * 1000, "osaka", "no answer");
	add(h, BUS_EV_PEER_FAILED, T0 + 90000, "osaka", "no route");
	assert_int_equal(ask(h, "osaka", 0, 100), 2);
	assert_int_equal(bus_u64(&row[0], BUS_F_N_SAME), 50);
	assert_int_equal(bus_u64(&row[0], BUS_F_TIME_MS), T0);
	assert_int_equal(bus_u64(&row[0], BUS_F_LAST_MS), T0 + 49000);
	history_close(h);
	clean();
}

TEST(daemon_rows_belong_to_every_peer_and_noise_to_none)
{
	struct bus_rec r;
	struct history *h;

	setup();
	h = start();
	add(h, BUS_EV_DAEMON_STARTED, T0, "", "");
	add(h, BUS_EV_PEER_CONNECTING, T0, "osaka", "");
	bus_rec_init(&r, BUS_EV_AUTH_FAILED);	/* of a stranger */
	assert_false(history_wants(&r));
	history_add(h, &r);
	assert_int_equal(ask(h, "osaka", 0, 100), 1);
	assert_string_equal(bus_str(&row[0], BUS_F_CODE), "daemon-started");
	history_close(h);
	clean();
}

TEST(what_is_older_than_30_days_goes)
{
	struct history *h;
	uint64_t now;

	setup();
	h = start();
	add(h, BUS_EV_PEER_UP, T0, "osaka", "");
	history_tick(h, T0);
	add(h, BUS_EV_PEER_DOWN, T0 + 29 * DAY_MS, "osaka", "no answer");
	now = after(h, T0, 29 * DAY_MS);
	assert_int_equal(ask(h, "osaka", 0, 100), 2);
	now = after(h, now, 2 * DAY_MS);
	assert_int_equal(ask(h, "osaka", 0, 100), 1);
	assert_string_equal(bus_str(&row[0], BUS_F_CODE), "peer-down");
	/* a clock that went back does not stop it */
	history_tick(h, T0);
	now = after(h, T0, 62 * DAY_MS);
	assert_int_equal(now, T0 + 62 * DAY_MS);
	assert_int_equal(ask(h, "osaka", 0, 100), 0);
	history_close(h);
	clean();
}

TEST(a_clock_that_is_wrong_for_a_while_costs_no_history)
{
	struct history *h;
	uint64_t now;

	setup();
	h = start();
	add(h, BUS_EV_PEER_UP, T0, "osaka", "");
	history_tick(h, T0);
	/* ten years ahead for 20 hours, then right again */
	(void)after(h, T0 + 3650 * DAY_MS, 20 * 3600000);
	assert_int_equal(ask(h, "osaka", 0, 100), 1);
	now = after(h, T0 + DAY_MS, 2 * DAY_MS);
	assert_int_equal(ask(h, "osaka", 0, 100), 1);
	history_close(h);
	/* started with the wrong time */
	h = start();
	now += 3650 * DAY_MS;
	add(h, BUS_EV_DAEMON_STARTED, now, "", "");
	now = after(h, now, 20 * 3600000);
	assert_int_equal(ask(h, "osaka", 0, 100), 2);
	/* it was right after all: it has stood for a day */
	(void)after(h, now, DAY_MS);
	assert_int_equal(ask(h, "osaka", 0, 100), 1);
	history_close(h);
	clean();
}

TEST(that_the_clock_was_set_is_part_of_it)
{
	struct history *h;

	setup();
	h = start();
	add(h, BUS_EV_CLOCK_SET, T0, "", "");
	add(h, BUS_EV_CLOCK_SET, T0 + 1, "", "");
	assert_int_equal(ask(h, "osaka", 0, 100), 2);
	assert_string_equal(bus_str(&row[0], BUS_F_CODE), "clock-set");
	history_close(h);
	clean();
}

static void
scribble(const char *text, off_t at)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
	close(fd);
}

TEST(a_file_that_is_no_database_is_put_aside)
{
	struct history *h;
	char bad[128];
	struct stat st;

	setup();
	scribble("this is a text and nothing that SQLite would read, and it is "
		 "longer than a header of 100 bytes has to be, by far", 0);
	h = start();
	assert_string_equal(notes, "history-damaged ");
	snprintf(bad, sizeof(bad), "%s.damaged", path);
	assert_int_equal(stat(bad, &st), 0);
	add(h, BUS_EV_PEER_UP, T0, "osaka", "");
	assert_int_equal(ask(h, "osaka", 0, 100), 1);
	history_close(h);
	clean();
}

TEST(a_database_with_broken_pages_is_put_aside)
{
	struct history *h;
	struct stat st;
	char why[32];

	setup();
	h = start();
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(why, sizeof(why), "reason %u", i);
		add(h, BUS_EV_PEER_FAILED, T0 + i, "osaka", why);
	}
	history_close(h);
	assert_int_equal(stat(path, &st), 0);
	for (off_t at = 4096; at + 600 < st.st_size; at += 512)
		scribble("\377\377\377\377\377\377\377\377\377\377\377\377", at);
	h = start();
	assert_string_equal(notes, "history-damaged ");
	assert_int_equal(ask(h, "osaka", 0, 100), 0);
	history_close(h);
	clean();
}

TEST(a_directory_that_is_not_there_is_said_once_and_nothing_ends)
{
	struct history *h;

	setup();
	assert_int_equal(rmdir(dir), 0);
	h = start();
	assert_string_equal(notes, "history-stopped ");
	add(h, BUS_EV_PEER_UP, T0, "osaka", "");
	history_tick(h, T0);
	n_row = 0;
	assert_int_equal(history_ask(h, "", "", 0, 10, on_row, NULL),
			 ERR_CLOSED);
	assert_string_equal(notes, "history-stopped ");
	history_close(h);
}

TEST(a_database_of_a_later_version_is_not_touched_but_put_aside)
{
	struct history *h;
	uint8_t version[4] = { 0, 0, 0, 9 };
	int fd;

	setup();
	h = start();
	add(h, BUS_EV_PEER_UP, T0, "osaka", "");
	history_close(h);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, version, 4, 60), 4); /* user_version */
	close(fd);
	h = start();
	assert_string_equal(notes, "history-damaged ");
	history_close(h);
	clean();
}
