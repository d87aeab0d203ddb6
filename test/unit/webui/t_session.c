/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/webui/t_session.c - sessions of the bus, with a core made up.
 */
#include "webui/session.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

#define FOLLOW 1
#define STATE  2

struct world {
	struct ui_bus *bus;
	uint32_t last_tag;	/* of the last command */
	enum bus_row last_row;
	int refuse;
	unsigned n_answer;
	int status;
	void *rq;
	char text[1 << 16];
	uint64_t now;
};
static const struct ui_owner admin = { 7, BUS_RIGHT_ADMIN, "a" };
static int rq_a, rq_b, rq_c;

static int
core(void *ctx, uint32_t tag, const char *user UNUSED, struct bus_rec *cmd)
{
	struct world *w = ctx;

	if (w->refuse != 0)
		return w->refuse;
	w->last_tag = tag;
	w->last_row = cmd->desc->row;
	return 0;
}

static void
answered(void *ctx, void *rq, int status, enum ui_form form UNUSED,
	 const char *text, size_t len)
{
	struct world *w = ctx;

	w->n_answer++;
	w->rq = rq;
	w->status = status;
	assert_true(len < sizeof(w->text));
	memcpy(w->text, text, len);
	w->text[len] = '\0';
}

static void
world_new(struct world *w, unsigned max)
{
	struct ui_bus_ops ops = { w, core, answered };

	memset(w, 0, sizeof(*w));
	w->now = 1000000;
	assert_int_equal(ui_bus_new(&w->bus, &ops, max), 0);
	ui_bus_link(w->bus, true, w->now);
	assert_int_equal(w->last_row, BUS_CMD_LOG);
	assert_int_equal(w->last_tag, FOLLOW);
}

static struct ui_sess *
opened(struct world *w)
{
	struct ui_sess *s;

	assert_int_equal(ui_sess_open(w->bus, &admin, w->now, &s), 0);
	return s;
}

static void
later(struct world *w, uint64_t ms)
{
	w->now += ms;
	ui_bus_run(w->bus, w->now);
}

static void
event(struct world *w, uint64_t seq)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_EV_DAEMON_STOPPING);
	bus_set_fmt(&r, BUS_F_WHY, "why%llu", (unsigned long long)seq);
	r.seq = seq;
	r.tag = FOLLOW;
	ui_bus_record(w->bus, &r, w->now);
}

/* One round of state: a peer with so many bytes, up for so long. */
static void
state_round(struct world *w, uint64_t bytes, uint64_t up_s)
{
	struct bus_rec r;

	later(w, UI_STATE_MS);
	assert_int_equal(w->last_tag, STATE);
	bus_rec_init(&r, BUS_RES_PEER);
	bus_set_str(&r, BUS_F_REALM, "r");
	bus_set_str(&r, BUS_F_NAME, "p");
	bus_set_u64(&r, BUS_F_RX_BYTES, bytes);
	bus_set_u64(&r, BUS_F_UP_S, up_s);
	r.tag = STATE;
	ui_bus_record(w->bus, &r, w->now);
	bus_rec_init(&r, BUS_RES_DONE);
	r.tag = STATE;
	ui_bus_record(w->bus, &r, w->now);
}

static unsigned
count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text++;
		n++;
	}
	return n;
}

/* A read that has news waiting for it. */
static void
read_now(struct world *w, struct ui_sess *s, uint64_t after)
{
	unsigned n = w->n_answer;

	assert_int_equal(ui_sess_read(s, after, UI_JSON, &rq_a, w->now), 0);
	later(w, UI_BATCH_MS);
	assert_int_equal(w->n_answer, n + 1);
	assert_int_equal(w->status, 200);
}

TEST(a_read_without_news_is_held_25_seconds)
{
	static struct world w;
	struct ui_sess *s;

	world_new(&w, 4);
	s = opened(&w);
	assert_int_equal(ui_sess_read(s, 0, UI_JSON, &rq_a, w.now), 0);
	later(&w, UI_HOLD_MS - 1);
	assert_int_equal(w.n_answer, 0);
	later(&w, 1);
	assert_int_equal(w.n_answer, 1);
	assert_ptr_equal(w.rq, &rq_a);
	assert_string_equal(w.text, "{\"after\":0,\"last\":0,\"items\":[]}\n");
	ui_bus_free(w.bus);
}

TEST(events_close_together_come_in_one_batch)
{
	static struct world w;
	struct ui_sess *s;

	world_new(&w, 4);
	s = opened(&w);
	assert_int_equal(ui_sess_read(s, 0, UI_XML, &rq_a, w.now), 0);
	event(&w, 1);
	later(&w, UI_SOON_MS - 1);
	event(&w, 2);
	assert_int_equal(w.n_answer, 0);
	later(&w, 1);
	assert_int_equal(w.n_answer, 1);
	assert_non_null(strstr(w.text, "<batch after=\"0\" last=\"2\"><event n=\"1\" "
			       "event=\"daemon-stopping\" seq=\"1\""));
	assert_non_null(strstr(w.text, "<event n=\"2\""));
	ui_bus_free(w.bus);
}

TEST(what_was_not_acknowledged_comes_again)
{
	static struct world w;
	struct ui_sess *s;

	world_new(&w, 4);
	s = opened(&w);
	event(&w, 1);
	read_now(&w, s, 0);
	event(&w, 2);
	read_now(&w, s, 0);
	assert_non_null(strstr(w.text, "\"last\":2,"));
	assert_non_null(strstr(w.text, "why1"));
	read_now(&w, s, 1);
	assert_null(strstr(w.text, "why1"));
	assert_non_null(strstr(w.text, "{\"n\":2,\"event\":"));
	ui_bus_free(w.bus);
}

TEST(acknowledging_what_was_never_sent_is_an_error)
{
	static struct world w;
	struct ui_sess *s;

	world_new(&w, 4);
	s = opened(&w);
	event(&w, 1);
	assert_int_equal(ui_sess_read(s, 1, UI_JSON, &rq_a, w.now), ERR_RANGE);
	assert_int_equal(ui_sess_read(s, UINT64_MAX - 1, UI_JSON, &rq_a, w.now),
			 ERR_RANGE);
	ui_bus_free(w.bus);
}

TEST(going_back_behind_what_was_acknowledged_is_a_resync)
{
	static struct world w;
	struct ui_sess *s;

	world_new(&w, 4);
	s = opened(&w);
	event(&w, 1);
	read_now(&w, s, 0);
	event(&w, 2);
	read_now(&w, s, 1);
	read_now(&w, s, 0);
	assert_non_null(strstr(w.text, "\"resync\":true"));
	ui_bus_free(w.bus);
}

TEST(batches_of_a_session_keep_a_distance)
{
	static struct world w;
	struct ui_sess *s;

	world_new(&w, 4);
	s = opened(&w);
	event(&w, 1);
	assert_int_equal(ui_sess_read(s, 0, UI_JSON, &rq_a, w.now), 0);
	later(&w, 0);
	assert_int_equal(w.n_answer, 1);
	/* news that is there, and news that comes */
	event(&w, 2);
	assert_int_equal(ui_sess_read(s, 1, UI_JSON, &rq_a, w.now), 0);
	later(&w, UI_BATCH_MS - 1);
	event(&w, 3);
	assert_int_equal(w.n_answer, 1);
	later(&w, 1);
	assert_int_equal(w.n_answer, 2);
	assert_int_equal(count(w.text, "\"event\""), 2);
	/* after silence it is soon again */
	later(&w, UI_BATCH_MS);
	assert_int_equal(ui_sess_read(s, 3, UI_JSON, &rq_a, w.now), 0);
	event(&w, 4);
	later(&w, UI_SOON_MS);
	assert_int_equal(w.n_answer, 3);
	ui_bus_free(w.bus);
}

TEST(behind_a_full_batch_comes_the_next_at_once)
{
	static struct world w;
	struct ui_sess *s;

	world_new(&w, 4);
	s = opened(&w);
	for (unsigned i = 1; i <= UI_BATCH_ITEMS + 3; i++)
		event(&w, i);
	assert_int_equal(ui_sess_read(s, 0, UI_JSON, &rq_a, w.now), 0);
	later(&w, 0);
	assert_int_equal(w.n_answer, 1);
	assert_int_equal(ui_sess_read(s, UI_BATCH_ITEMS, UI_JSON, &rq_a, w.now), 0);
	later(&w, 0);
	assert_int_equal(w.n_answer, 2);
	assert_int_equal(count(w.text, "\"event\""), 3);
	ui_bus_free(w.bus);
}

TEST(a_second_read_takes_the_place_of_the_first)
{
	static struct world w;
	struct ui_sess *s;

	world_new(&w, 4);
	s = opened(&w);
	assert_int_equal(ui_sess_read(s, 0, UI_JSON, &rq_a, w.now), 0);
	assert_int_equal(ui_sess_read(s, 0, UI_JSON, &rq_b, w.now), 0);
	assert_int_equal(w.status, 409);
	assert_ptr_equal(w.rq, &rq_a);
	event(&w, 1);
	later(&w, UI_BATCH_MS);
	assert_ptr_equal(w.rq, &rq_b);
	assert_int_equal(w.n_answer, 2);
	ui_bus_free(w.bus);
}

TEST(who_left_is_not_answered)
{
	static struct world w;
	struct ui_sess *s;

	world_new(&w, 4);
	s = opened(&w);
	assert_int_equal(ui_sess_read(s, 0, UI_JSON, &rq_a, w.now), 0);
	ui_bus_gone(w.bus, &rq_a);
	event(&w, 1);
	later(&w, UI_BATCH_MS);
	assert_int_equal(w.n_answer, 0);
	read_now(&w, s, 0);
	assert_non_null(strstr(w.text, "why1"));
	ui_bus_free(w.bus);
}

TEST(answers_go_to_who_asked_with_his_tag)
{
	static struct world w;
	struct ui_sess *s, *other;
	struct bus_rec cmd, r;

	world_new(&w, 4);
	s = opened(&w);
	other = opened(&w);
	bus_rec_init(&cmd, BUS_CMD_PING_DAEMON);
	assert_int_equal(ui_sess_write(s, &cmd, 99, w.now), 0);
	bus_rec_init(&r, BUS_RES_DONE);
	r.tag = w.last_tag;
	ui_bus_record(w.bus, &r, w.now);
	read_now(&w, s, 0);
	assert_non_null(strstr(w.text, "\"tag\":99,\"result\":\"done\""));
	assert_int_equal(ui_sess_read(other, 0, UI_JSON, &rq_c, w.now), 0);
	ui_bus_record(w.bus, &r, w.now); /* once more: nobody waits for it */
	later(&w, UI_BATCH_MS);
	assert_ptr_not_equal(w.rq, &rq_c);
	ui_bus_free(w.bus);
}

TEST(a_late_answer_for_a_closed_session_is_nobodys)
{
	static struct world w;
	struct ui_sess *s;
	struct bus_rec cmd, r;

	world_new(&w, 4);
	s = opened(&w);
	bus_rec_init(&cmd, BUS_CMD_PING_DAEMON);
	assert_int_equal(ui_sess_write(s, &cmd, 1, w.now), 0);
	ui_sess_close(s);
	s = opened(&w);
	bus_rec_init(&r, BUS_RES_DONE);
	r.tag = w.last_tag;
	ui_bus_record(w.bus, &r, w.now);
	assert_int_equal(ui_sess_read(s, 0, UI_JSON, &rq_a, w.now), 0);
	later(&w, UI_BATCH_MS);
	assert_int_equal(w.n_answer, 0);
	ui_bus_free(w.bus);
}

TEST(rights_rates_and_numbers_are_limited)
{
	static struct world w;
	const struct ui_owner viewer = { 8, BUS_RIGHT_VIEW, "v" };
	struct ui_sess *s;
	struct bus_rec cmd;
	int n = 0;

	world_new(&w, 3);
	assert_int_equal(ui_sess_open(w.bus, &viewer, w.now, &s), 0);
	bus_rec_init(&cmd, BUS_CMD_UP);
	assert_int_equal(ui_sess_write(s, &cmd, 1, w.now), ERR_PERM);
	bus_rec_init(&cmd, BUS_CMD_LOG);
	bus_set_bool(&cmd, BUS_F_IS_FOLLOW, true);
	assert_int_equal(ui_sess_write(s, &cmd, 1, w.now), ERR_UNSUP);
	bus_rec_init(&cmd, BUS_CMD_STATUS);
	while (ui_sess_write(s, &cmd, 1, w.now) == 0)
		n++;
	assert_int_equal(n, UI_ASKED_MAX);
	(void)opened(&w);
	(void)opened(&w);
	assert_int_equal(ui_sess_open(w.bus, &admin, w.now, &s), ERR_FULL);
	ui_bus_free(w.bus);
}

TEST(nobody_keeps_others_out_by_many_sessions)
{
	static struct world w;
	struct ui_owner crowd = { 100, BUS_RIGHT_VIEW, "v" };
	struct ui_owner same = { 300, BUS_RIGHT_ADMIN, "v" };
	struct ui_sess *s[6];

	world_new(&w, 4);
	for (unsigned i = 0; i < 4; i++) { /* each by a login of its own */
		crowd.id++;
		w.now++;
		assert_int_equal(ui_sess_open(w.bus, &crowd, w.now, &s[i]), 0);
	}
	/* the second is silent longest now, and one is held */
	assert_int_equal(ui_sess_read(s[0], 0, UI_JSON, &rq_a, w.now + 1), 0);
	assert_int_equal(ui_sess_read(s[1], 0, UI_JSON, &rq_b, w.now), 0);
	assert_int_equal(ui_sess_open(w.bus, &crowd, w.now, &s[5]), ERR_FULL);
	assert_int_equal(w.n_answer, 0);
	s[4] = opened(&w);
	assert_int_equal(ui_sess_open(w.bus, &same, w.now, &s[5]), 0);
	assert_int_equal(w.n_answer, 1);
	assert_int_equal(w.status, 410);
	assert_ptr_equal(w.rq, &rq_b);
	/* two, one and one: nobody has much more than another */
	assert_int_equal(ui_sess_open(w.bus, &crowd, w.now, &s[5]), ERR_FULL);
	assert_int_equal(ui_sess_open(w.bus, &same, w.now, &s[5]), ERR_FULL);
	ui_bus_free(w.bus);
}

TEST(a_session_is_found_by_its_owner_only)
{
	static struct world w;
	const struct ui_owner other = { 8, BUS_RIGHT_ADMIN, "o" };
	struct ui_sess *s;
	struct view id;

	world_new(&w, 4);
	s = opened(&w);
	id = (struct view){ (const uint8_t *)ui_sess_id(s), UI_ID_MAX - 1 };
	assert_ptr_equal(ui_sess_find(w.bus, id, &admin), s);
	assert_null(ui_sess_find(w.bus, id, &other));
	id.len--;
	assert_null(ui_sess_find(w.bus, id, &admin));
	ui_bus_forget(w.bus, admin.id);
	id.len++;
	ui_bus_free(w.bus);
}

TEST(a_full_queue_becomes_resync_and_the_whole_state)
{
	static struct world w;
	struct ui_sess *s;

	world_new(&w, 4);
	s = opened(&w);
	state_round(&w, 5, 1);
	read_now(&w, s, 0);
	assert_non_null(strstr(w.text, "\"rx_bytes\":5"));
	for (uint64_t i = 1; i <= UI_QUEUE_MAX + 1; i++)
		event(&w, i);
	read_now(&w, s, 1);
	assert_non_null(strstr(w.text, "\"resync\":true"));
	assert_int_equal(count(w.text, "\"seq\":"), 1);
	assert_non_null(strstr(w.text, "\"rx_bytes\":5"));
	ui_bus_free(w.bus);
}

TEST(a_slow_reader_gets_the_latest_counters_only)
{
	static struct world w;
	struct ui_sess *s;

	world_new(&w, 4);
	s = opened(&w);
	for (uint64_t i = 1; i <= 50; i++)
		state_round(&w, i, i);
	read_now(&w, s, 0);
	assert_int_equal(count(w.text, "\"result\":\"peer\""), 1);
	assert_non_null(strstr(w.text, "\"rx_bytes\":50"));
	ui_bus_free(w.bus);
}

TEST(ages_alone_are_no_news_for_a_while)
{
	static struct world w;
	struct ui_sess *s;
	uint64_t up = 2;

	world_new(&w, 4);
	s = opened(&w);
	state_round(&w, 5, 1);
	read_now(&w, s, 0);
	assert_int_equal(ui_sess_read(s, 1, UI_JSON, &rq_b, w.now), 0);
	for (; up < 9; up++)
		state_round(&w, 5, up);
	later(&w, UI_BATCH_MS);
	assert_int_equal(w.n_answer, 1);
	for (; up < 13; up++)
		state_round(&w, 5, up);
	later(&w, UI_BATCH_MS);
	assert_int_equal(w.n_answer, 2);
	ui_bus_free(w.bus);
}

TEST(what_vanished_from_the_state_is_a_resync)
{
	static struct world w;
	struct ui_sess *s;
	struct bus_rec r;

	world_new(&w, 4);
	s = opened(&w);
	state_round(&w, 5, 1);
	read_now(&w, s, 0);
	later(&w, UI_STATE_MS);
	bus_rec_init(&r, BUS_RES_DONE);
	r.tag = STATE;
	ui_bus_record(w.bus, &r, w.now);
	read_now(&w, s, 1);
	assert_non_null(strstr(w.text, "\"resync\":true"));
	assert_null(strstr(w.text, "rx_bytes"));
	ui_bus_free(w.bus);
}

TEST(when_tapird_goes_its_questions_fail_and_come_back_is_a_resync)
{
	static struct world w;
	struct ui_sess *s;
	struct bus_rec cmd;

	world_new(&w, 4);
	s = opened(&w);
	bus_rec_init(&cmd, BUS_CMD_STATUS);
	assert_int_equal(ui_sess_write(s, &cmd, 3, w.now), 0);
	ui_bus_link(w.bus, false, w.now);
	read_now(&w, s, 0);
	assert_non_null(strstr(w.text, "\"tag\":3,\"result\":\"failed\""));
	assert_int_equal(ui_sess_write(s, &cmd, 4, w.now), ERR_CLOSED);
	ui_bus_link(w.bus, true, w.now);
	read_now(&w, s, 1);
	assert_non_null(strstr(w.text, "\"resync\":true"));
	ui_bus_free(w.bus);
}

TEST(sessions_nobody_reads_end)
{
	static struct world w;
	struct ui_bus_stats st;
	struct ui_sess *s;

	world_new(&w, 4);
	s = opened(&w);
	(void)opened(&w);
	assert_int_equal(ui_sess_read(s, 0, UI_JSON, &rq_a, w.now), 0);
	later(&w, UI_IDLE_MS - 1);
	ui_bus_stats_get(w.bus, &st);
	assert_int_equal(st.n_sess, 2);
	later(&w, 1);
	ui_bus_stats_get(w.bus, &st);
	assert_int_equal(st.n_sess, 1); /* that was answered just before */
	assert_true(ui_bus_due(w.bus) < UINT64_MAX);
	ui_bus_free(w.bus);
}
