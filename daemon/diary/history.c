/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/diary/history.c - when peers were up and down, in SQLite.
 *
 * A transaction holds the events that came together.  A disk is not asked to
 * flush for each (write-ahead log, synchronous=NORMAL): a power cut may cost the
 * last commits, never the database; the end of this process costs nothing that
 * was committed.
 */
#include "daemon/diary/history.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include "daemon/base/clk.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

#define PATH_BYTES   512
#define RETRY_MS     60000	/* after it could not be used */
#define PRUNE_MS     3600000	/* between two looks for what is too old */
#define JUMP_MS	     3600000	/* so far off, the clock was set; ours */
#define DAY_MS	     86400000	/* a new time is believed after this; ours */
#define VERSION	     1		/* of the tables; PRAGMA user_version */
#define CACHE_KIB    "1024"

struct history {
	char path[PATH_BYTES];
	history_note_fn *note;
	void *ctx;
	sqlite3 *db;			/* NULL = not usable now */
	sqlite3_stmt *last, *same, *add;
	bool in_tx;
	bool is_told;			/* that it is not usable */
	uint64_t retry_ms;		/* clk_ms() */
	uint64_t prune_ms;		/* wall clock */
	uint64_t believe_ms;		/* clk_ms(): no row is too old before */
	uint64_t at_ms, wall_ms;	/* of the last tick; 0 = none yet */
};

static const char schema[] =
    "PRAGMA locking_mode=EXCLUSIVE;"
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=NORMAL;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA cache_size=-" CACHE_KIB ";"
    "CREATE TABLE IF NOT EXISTS event("
    " id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL,"
    " last_ms INTEGER NOT NULL, n INTEGER NOT NULL,"
    " realm TEXT NOT NULL, peer TEXT NOT NULL, code TEXT NOT NULL,"
    " level TEXT NOT NULL, why TEXT NOT NULL, remote TEXT NOT NULL,"
    " up_s INTEGER NOT NULL, text TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS of_peer ON event(realm, peer, id);"
    "CREATE INDEX IF NOT EXISTS of_time ON event(last_ms);"
    "PRAGMA user_version=1;";

/* ---- what is kept -------------------------------------------------------- */

static const enum bus_row kept[] = {
	BUS_EV_DAEMON_STARTED, BUS_EV_DAEMON_STOPPING, BUS_EV_CLOCK_SET,
	BUS_EV_PEER_UP, BUS_EV_PEER_DOWN, BUS_EV_PEER_SUSPECT,
	BUS_EV_PEER_ALIVE, BUS_EV_PEER_MOVED, BUS_EV_PEER_FAILED,
	BUS_EV_PEER_ROAMED, BUS_EV_PEER_EXPELLED, BUS_EV_AUTH_FAILED, BUS_EV_COMMAND_RUN,
};

bool
history_wants(const struct bus_rec *ev)
{
	enum bus_row row = ev->desc->row;
	bool is_daemon = row == BUS_EV_DAEMON_STARTED ||
	    row == BUS_EV_DAEMON_STOPPING || row == BUS_EV_CLOCK_SET;

	for (unsigned i = 0; i < N_OF(kept); i++)
		if (kept[i] == row)
			return is_daemon || *bus_str(ev, BUS_F_REALM) != '\0';
	return false;
}

/* ---- life of the database ------------------------------------------------ */

static void
shut(struct history *h)
{
	sqlite3_finalize(h->last);
	sqlite3_finalize(h->same);
	sqlite3_finalize(h->add);
	h->last = h->same = h->add = NULL;
	(void)sqlite3_close(h->db);
	h->db = NULL;
	h->in_tx = false;
}

static bool
is_damaged(int rc)
{
	rc &= 0xff;
	return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB;
}

/* Put the file and its companions aside. */
static void
put_aside(struct history *h)
{
	static const char *const tail[] = { "-wal", "-shm", "-journal" };
	char bad[PATH_BYTES + 16] = "", side[PATH_BYTES + 16];
	char text[2 * PATH_BYTES];

	str_add(bad, sizeof(bad), "%s.damaged", h->path);
	for (unsigned i = 0; i < N_OF(tail); i++) {
		side[0] = '\0';
		str_add(side, sizeof(side), "%s%s", h->path, tail[i]);
		(void)remove(side);
	}
	if (rename(h->path, bad) != 0)
		(void)remove(h->path);
	text[0] = '\0';
	str_add(text, sizeof(text), "the history of the peers was damaged: it is "
		"%s now, and a new one was begun", bad);
	h->note(h->ctx, LOG_WARN, "history-damaged", text);
}

/* It cannot be used: say why once, and try again later. */
static void
give_up(struct history *h, int rc)
{
	char text[256 + PATH_BYTES] = "";
	int why = h->db != NULL ? sqlite3_system_errno(h->db) : 0;

	str_add(text, sizeof(text), "no history of the peers is kept: %s: %s%s%s",
		h->path, sqlite3_errstr(rc), why != 0 ? ": " : "",
		why != 0 ? strerror(why) : "");
	shut(h);
	h->retry_ms = clk_ms() + RETRY_MS;
	if (!h->is_told)
		h->note(h->ctx, LOG_WARN, "history-stopped", text);
	h->is_told = true;
}

/* A step failed: a damaged file is replaced, with anything else we wait. */
static void failed(struct history *h, int rc);

static int
is_sound(struct history *h)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(h->db, "PRAGMA quick_check(1)", -1, &st,
				    NULL);

	if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
		rc = strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0
		    ? SQLITE_OK : SQLITE_CORRUPT;
	sqlite3_finalize(st);
	return rc;
}

/* Of a version that this one does not know? */
static int
is_known(struct history *h)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(h->db, "PRAGMA user_version", -1, &st, NULL);

	if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
		rc = sqlite3_column_int(st, 0) <= VERSION ? SQLITE_OK :
		    SQLITE_NOTADB;
	sqlite3_finalize(st);
	return rc;
}

/* When the last thing happened; 0: nothing yet. */
static int
newest(struct history *h)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(h->db, "SELECT last_ms FROM event "
				    "ORDER BY id DESC LIMIT 1", -1, &st, NULL);

	if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		h->wall_ms = (uint64_t)sqlite3_column_int64(st, 0);
		h->at_ms = clk_ms();
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
prepare(struct history *h)
{
	int rc;

	if ((rc = sqlite3_prepare_v2(h->db, "SELECT id, code, why FROM event "
			"WHERE realm=?1 AND peer=?2 ORDER BY id DESC LIMIT 1",
			-1, &h->last, NULL)) != SQLITE_OK ||
	    (rc = sqlite3_prepare_v2(h->db, "UPDATE event SET last_ms=?2, n=n+1 "
			"WHERE id=?1", -1, &h->same, NULL)) != SQLITE_OK)
		return rc;
	return sqlite3_prepare_v2(h->db, "INSERT INTO event(time_ms, last_ms, n,"
			" realm, peer, code, level, why, remote, up_s, text)"
			" VALUES(?1,?1,1,?2,?3,?4,?5,?6,?7,?8,?9)", -1, &h->add,
			NULL);
}

static int
begin(struct history *h)
{
	int rc;

	rc = sqlite3_open_v2(h->path, &h->db, SQLITE_OPEN_READWRITE |
			     SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW |
			     SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return rc;
	(void)sqlite3_db_config(h->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(h->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if ((rc = is_known(h)) != SQLITE_OK ||
	    (rc = sqlite3_exec(h->db, schema, NULL, NULL, NULL)) != SQLITE_OK ||
	    (rc = is_sound(h)) != SQLITE_OK ||
	    (h->at_ms == 0 && (rc = newest(h)) != SQLITE_OK))
		return rc;
	return prepare(h);
}

/* True when it can be used now. */
static bool
ready(struct history *h)
{
	int rc;

	if (h->db != NULL)
		return true;
	if (h->retry_ms > clk_ms())
		return false;
	rc = begin(h);
	if (is_damaged(rc)) {
		shut(h);
		put_aside(h);
		rc = begin(h);
	}
	if (rc != SQLITE_OK) {
		give_up(h, rc);
		return false;
	}
	if (h->is_told)
		h->note(h->ctx, LOG_NOTICE, "history-again",
			"the history of the peers is kept again");
	h->is_told = false;
	return true;
}

static void
failed(struct history *h, int rc)
{
	if (is_damaged(rc)) {
		shut(h);
		put_aside(h);
		h->retry_ms = 0;
		return;
	}
	if (h->in_tx)
		(void)sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
	give_up(h, rc);
}

/* ---- writing ------------------------------------------------------------- */

static void
bind(sqlite3_stmt *st, int at, const char *text)
{
	(void)sqlite3_bind_text(st, at, text, -1, SQLITE_TRANSIENT);
}

/* What a row says of the cause. */
static const char *
cause(const struct bus_rec *ev)
{
	if (ev->desc->row == BUS_EV_COMMAND_RUN)
		return bus_str(ev, BUS_F_COMMAND);
	return bus_str(ev, BUS_F_WHY);
}

/* The row this event repeats, or 0; < 0: SQLite failed, in *rc. */
static int64_t
repeats(struct history *h, const struct bus_rec *ev, int *rc)
{
	int64_t id = 0;

	bind(h->last, 1, bus_str(ev, BUS_F_REALM));
	bind(h->last, 2, bus_str(ev, BUS_F_PEER));
	*rc = sqlite3_step(h->last);
	if (*rc == SQLITE_ROW &&
	    strcmp((const char *)sqlite3_column_text(h->last, 1),
		   ev->desc->name) == 0 &&
	    strcmp((const char *)sqlite3_column_text(h->last, 2),
		   cause(ev)) == 0)
		id = sqlite3_column_int64(h->last, 0);
	if (*rc != SQLITE_ROW && *rc != SQLITE_DONE)
		id = -1;
	(void)sqlite3_reset(h->last);
	return id;
}

static int
again(struct history *h, int64_t id, const struct bus_rec *ev)
{
	int rc;

	(void)sqlite3_bind_int64(h->same, 1, id);
	(void)sqlite3_bind_int64(h->same, 2, (int64_t)ev->time_ms);
	rc = sqlite3_step(h->same);
	(void)sqlite3_reset(h->same);
	return rc;
}

static int
insert(struct history *h, const struct bus_rec *ev, const char *text)
{
	int rc;

	(void)sqlite3_bind_int64(h->add, 1, (int64_t)ev->time_ms);
	bind(h->add, 2, bus_str(ev, BUS_F_REALM));
	bind(h->add, 3, bus_str(ev, BUS_F_PEER));
	bind(h->add, 4, ev->desc->name);
	bind(h->add, 5, log_level_name(ev->desc->severity));
	bind(h->add, 6, cause(ev));
	bind(h->add, 7, bus_str(ev, BUS_F_REMOTE));
	(void)sqlite3_bind_int64(h->add, 8, (int64_t)bus_u64(ev, BUS_F_UP_S));
	bind(h->add, 9, text);
	rc = sqlite3_step(h->add);
	(void)sqlite3_reset(h->add);
	return rc;
}

void
history_add(struct history *h, const struct bus_rec *ev)
{
	char text[BUS_SENTENCE_MAX];
	int64_t id = 0;
	int rc = SQLITE_OK;

	if (!history_wants(ev) || !ready(h))
		return;
	if (!h->in_tx)
		rc = sqlite3_exec(h->db, "BEGIN", NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		failed(h, rc);
		return;
	}
	h->in_tx = true;
	if (ev->desc->row != BUS_EV_CLOCK_SET)	/* each is one of its own */
		id = repeats(h, ev, &rc);
	if (id > 0)
		rc = again(h, id, ev);
	else if (id == 0)
		rc = insert(h, ev, bus_event_text(ev, text, sizeof(text)));
	if (rc != SQLITE_DONE)
		failed(h, rc);
}

void
history_commit(struct history *h)
{
	int rc;

	if (!h->in_tx)
		return;
	rc = sqlite3_exec(h->db, "COMMIT", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		h->in_tx = false;
	else
		failed(h, rc);
}

/* ---- regular work -------------------------------------------------------- */

/* A clock that is far ahead for an hour must not cost the rows of a month.  One
 * that jumped, between two ticks or since the last row, is believed when it has
 * stood for a day. */
static bool
is_believed(struct history *h, uint64_t wall_ms)
{
	uint64_t now = clk_ms(), was = h->wall_ms + (now - h->at_ms);
	uint64_t off = wall_ms > was ? wall_ms - was : was - wall_ms;

	if (h->at_ms != 0 && off > JUMP_MS)
		h->believe_ms = now + DAY_MS;
	h->at_ms = now;
	h->wall_ms = wall_ms;
	return now >= h->believe_ms;
}

static int
prune(struct history *h, uint64_t now_ms, bool is_time)
{
	const uint64_t keep_ms = HISTORY_DAYS * (uint64_t)DAY_MS;
	char sql[256] = "";

	str_add(sql, sizeof(sql), "DELETE FROM event WHERE last_ms < %lld;"
		"DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - %d;",
		(long long)(is_time && now_ms > keep_ms ? now_ms - keep_ms : 0),
		HISTORY_ROWS_MAX);
	return sqlite3_exec(h->db, sql, NULL, NULL, NULL);
}

void
history_tick(struct history *h, uint64_t now_ms)
{
	int rc = SQLITE_OK;
	bool is_time;

	if (!ready(h))
		return;
	is_time = is_believed(h, now_ms);
	if (h->prune_ms <= now_ms || h->prune_ms > now_ms + 2 * PRUNE_MS) {
		h->prune_ms = now_ms + PRUNE_MS;
		rc = prune(h, now_ms, is_time);
	}
	if (rc != SQLITE_OK)
		failed(h, rc);
	else
		history_commit(h);
}

/* ---- answers ------------------------------------------------------------- */

static const char *
text_at(sqlite3_stmt *st, int col)
{
	const unsigned char *t = sqlite3_column_text(st, col);

	return t != NULL ? (const char *)t : "";
}

static void
row_rec(sqlite3_stmt *st, struct bus_rec *r)
{
	bus_rec_init(r, BUS_RES_HISTORY);
	bus_set_u64(r, BUS_F_TIME_MS, (uint64_t)sqlite3_column_int64(st, 0));
	bus_set_u64(r, BUS_F_LAST_MS, (uint64_t)sqlite3_column_int64(st, 1));
	bus_set_u64(r, BUS_F_N_SAME, (uint64_t)sqlite3_column_int64(st, 2));
	bus_set_str(r, BUS_F_REALM, text_at(st, 3));
	bus_set_str(r, BUS_F_PEER, text_at(st, 4));
	bus_set_str(r, BUS_F_CODE, text_at(st, 5));
	bus_set_str(r, BUS_F_LEVEL, text_at(st, 6));
	bus_set_str(r, BUS_F_WHY, text_at(st, 7));
	bus_set_str(r, BUS_F_REMOTE, text_at(st, 8));
	bus_set_u64(r, BUS_F_UP_S, (uint64_t)sqlite3_column_int64(st, 9));
	bus_set_str(r, BUS_F_TEXT, text_at(st, 10));
}

int
history_ask(struct history *h, const char *realm, const char *peer,
	    uint64_t since_ms, unsigned limit, history_row_fn *fn, void *ctx)
{
	static const char sql[] =
	    "SELECT time_ms, last_ms, n, realm, peer, code, level, why, remote,"
	    " up_s, text FROM (SELECT * FROM event WHERE last_ms >= ?3"
	    " AND ((?1='' OR realm=?1) AND (?2='' OR peer=?2 OR peer='')"
	    " OR realm='') ORDER BY id DESC LIMIT ?4) ORDER BY id";
	sqlite3_stmt *st = NULL;
	struct bus_rec r;
	int rc;

	if (!ready(h))
		return ERR_CLOSED;
	rc = sqlite3_prepare_v2(h->db, sql, -1, &st, NULL);
	if (rc == SQLITE_OK) {
		bind(st, 1, realm);
		bind(st, 2, peer);
		(void)sqlite3_bind_int64(st, 3, (int64_t)MIN(since_ms,
					 (uint64_t)INT64_MAX));
		(void)sqlite3_bind_int64(st, 4, MIN(limit, HISTORY_ASK_MAX));
		while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
			row_rec(st, &r);
			fn(ctx, &r);
		}
	}
	sqlite3_finalize(st);
	if (rc == SQLITE_DONE)
		return 0;
	failed(h, rc);
	return ERR_CLOSED;
}

/* ---- start and end ------------------------------------------------------- */

int
history_open(struct history **out, const char *path, history_note_fn *note,
	     void *ctx)
{
	struct history *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return ERR_NOMEM;
	h->note = note;
	h->ctx = ctx;
	(void)str_copy(h->path, sizeof(h->path), path);
	(void)ready(h);
	*out = h;
	return 0;
}

void
history_close(struct history *h)
{
	if (h == NULL)
		return;
	if (h->in_tx)
		(void)sqlite3_exec(h->db, "COMMIT", NULL, NULL, NULL);
	shut(h);
	free(h);
}
