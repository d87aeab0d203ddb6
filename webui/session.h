/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/session.h - the bus as browsers see it: sessions, what waits for each,
 * held reads, batches, acknowledgement.
 *
 *   core --event-----> every session's queue                 read?after=3
 *   core --result----> the queue of who asked        queue ----------------> batch
 *   core --state-----> one list for all, newest last          4,5,6,...
 *
 * What a batch holds is numbered when the batch is made, and kept until a later
 * read acknowledges it.  State (realms and peers, asked for each second while
 * somebody reads) is not queued: a session sends what changed since it last
 * looked, so that a slow reader gets the latest values and never old ones.
 * A queue that is full is thrown away: the session reads <resync/>, then the
 * whole state anew.
 *
 * Knows neither HTTP nor sockets: both are reached through ops.
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_SESSION_H
#define TAPIR_WEBUI_SESSION_H

#include "webui/form.h"

#define UI_USER_MAX	 64		/* a user's name, with NUL */
#define UI_ID_MAX	 33		/* a session's name, with NUL */
#define UI_HOLD_MS	 25000		/* a read is held so long; contract */
#define UI_SOON_MS	 2		/* wait for company after silence; ours */
#define UI_BATCH_MS	 10		/* between batches that are not full; ours */
#define UI_STATE_MS	 1000		/* how often state is asked for; ours */
#define UI_STATE_ALL_MS	 10000		/* ages alone are sent so often; ours */
#define UI_IDLE_MS	 120000		/* a session nobody reads ends; ours */
#define UI_QUEUE_MAX	 8192		/* items that wait for a session; ours */
#define UI_QUEUE_BYTES	 (1u << 20)	/* of answers among them; ours */
#define UI_BATCH_ITEMS	 512		/* of one batch; ours */
#define UI_ASKED_MAX	 16		/* commands of a session under way; ours */
#define UI_WRITE_RATE	 20		/* commands a second, and ... */
#define UI_WRITE_BURST	 40		/* ... at once; ours */
#define UI_PER_OWNER_MAX 32		/* sessions of one login; ours */
#define UI_STATE_MAX	 (1u << 16)	/* realms and peers; ours */

struct ui_bus;
struct ui_sess;

struct ui_bus_ops {
	void *ctx;
	/** A command for the core under a tag, in the name of a user (NULL: our own
	 * question).  0, ERR_CLOSED, ERR_FULL. */
	int (*command)(void *ctx, uint32_t tag, const char *user,
		       struct bus_rec *cmd);
	/** The end of a read: status 200 with a batch, or 409, 410 without. */
	void (*answer)(void *ctx, void *rq, int status, enum ui_form form,
		       const char *text, size_t len);
};

/* Who a session belongs to. */
struct ui_owner {
	uint64_t id;		/* the login; sessions end with it */
	enum bus_right right;
	char name[UI_USER_MAX];
};

/** @param max sessions at the same time. */
MUST_USE int ui_bus_new(struct ui_bus **out, const struct ui_bus_ops *ops,
			unsigned max);
void ui_bus_free(struct ui_bus *b);

/** A new session.  Where all places are taken, whoever has most of them (by name and
 * right) loses one to who has fewer.  0, ERR_FULL, ERR_LIMIT (too many of this owner),
 * ERR_RANDOM, ERR_NOMEM. */
MUST_USE int ui_sess_open(struct ui_bus *b, const struct ui_owner *o,
			  uint64_t now_ms, struct ui_sess **out);
const char *ui_sess_id(const struct ui_sess *s);
/** By name; NULL when there is none, or it belongs to somebody else. */
struct ui_sess *ui_sess_find(struct ui_bus *b, struct view id,
			     const struct ui_owner *o);
/** End it; a held read is answered 410. */
void ui_sess_close(struct ui_sess *s);
/** End all sessions of a login. */
void ui_bus_forget(struct ui_bus *b, uint64_t owner);

/** A command of the client, under its tag.  0, ERR_PERM (right), ERR_STATE (not over
 * the bus), ERR_AGAIN (too
 * fast), ERR_LIMIT (too many under way), ERR_UNSUP (follow), ERR_CLOSED. */
MUST_USE int ui_sess_write(struct ui_sess *s, struct bus_rec *cmd, uint32_t tag,
			   uint64_t now_ms);
/**
 * Read; answered through ops, at once or later.
 *
 * @param after what the client has; that much is forgotten.
 * @param rq    not NULL.  @return 0, or ERR_RANGE: never sent so much.
 */
MUST_USE int ui_sess_read(struct ui_sess *s, uint64_t after, enum ui_form form,
			  void *rq, uint64_t now_ms);
/** Whoever waits behind rq went away: it must not be answered any more. */
void ui_bus_gone(struct ui_bus *b, const void *rq);

/** A record of the core. */
void ui_bus_record(struct ui_bus *b, const struct bus_rec *r, uint64_t now_ms);
/** The core is there (again), or gone. */
void ui_bus_link(struct ui_bus *b, bool is_up, uint64_t now_ms);

/** When ui_bus_run() is to be called at the latest; UINT64_MAX = never. */
uint64_t ui_bus_due(const struct ui_bus *b);
void ui_bus_run(struct ui_bus *b, uint64_t now_ms);

struct ui_bus_stats {
	unsigned n_sess, n_held;
	uint64_t n_batch, n_item, n_resync;
};
void ui_bus_stats_get(const struct ui_bus *b, struct ui_bus_stats *out);

#endif
