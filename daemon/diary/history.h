/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/diary/history.h - when peers were up and down, and why, kept for days
 * in an SQLite database.
 *
 * A peer that fails again and again for the same reason is one row with a
 * count.  Rows end after HISTORY_DAYS, the oldest also when there are
 * HISTORY_ROWS_MAX.  A damaged database is put aside under another name and a
 * new one begun; where nothing can be written, history stops, is tried again,
 * and says so once.
 *
 * Thread: the diary's only one.
 */
#ifndef TAPIR_DIARY_HISTORY_H
#define TAPIR_DIARY_HISTORY_H

#include "daemon/bus/bus.h"

#define HISTORY_DAYS	 30
#define HISTORY_ROWS_MAX 500000		/* about 100 MB; ours */
#define HISTORY_ASK_MAX	 10000		/* rows of an answer; ours */

struct history;
/** Something an administrator should know.  code: a stable word. */
typedef void history_note_fn(void *ctx, enum log_level lv, const char *code,
			     const char *text);
/** One row of an answer. */
typedef void history_row_fn(void *ctx, const struct bus_rec *r);

/**
 * Begin; a database that cannot be opened is noted and tried again later.
 *
 * @param path  of the file; its directory must be writable.  Copied.
 * @return 0 or ERR_NOMEM.
 */
MUST_USE int history_open(struct history **out, const char *path,
			  history_note_fn *note, void *ctx);
/** Commit and close; NULL is fine. */
void history_close(struct history *h);
/** Is this an event that belongs into a timeline? */
bool history_wants(const struct bus_rec *ev);
/** Add an event; what history_wants() does not is passed over. */
void history_add(struct history *h, const struct bus_rec *ev);
/** No more for now: what was added is kept from here on. */
void history_commit(struct history *h);
/** Regular work: commit, throw away what is too old.  now_ms: wall clock. */
void history_tick(struct history *h, uint64_t now_ms);
/**
 * The newest rows of a peer (and of the daemon itself), oldest first, as records
 * BUS_RES_HISTORY.  Empty names mean any.
 *
 * @return 0, or ERR_CLOSED when there is no usable database.
 */
MUST_USE int history_ask(struct history *h, const char *realm, const char *peer,
			 uint64_t since_ms, unsigned limit, history_row_fn *fn,
			 void *ctx);

#endif
