/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/session.c - sessions, held reads, batches.
 *
 *   item  | 7 8 9 | 10 11 | . . . . |        numbered when a batch is made,
 *           sent, not      not sent yet      gone when acknowledged
 *           acknowledged
 *
 * A tag of the core is FOLLOW, STATE, or place + 1024 * generation of a row of
 * asked[], so that a late answer finds nobody.
 */
#include "webui/session.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/list.h"
#include "daemon/base/rng.h"
#include "daemon/base/str.h"
#include "webui/blob.h"
#include "webui/state.h"

#define TAG_FOLLOW 1u
#define TAG_STATE  2u
#define TAG_FIRST  1024u
#define N_ASKED	   1024	/* commands under way, of all; ours */

struct item {
	struct ui_blob *blob;		/* NULL: resync */
	uint32_t tag;
	bool is_answer;
};

/* All sessions of one name and right, by whatever logins. */
struct crowd {
	struct list node;
	enum bus_right right;
	char name[UI_USER_MAX];
	unsigned n;
};

struct ui_sess {
	struct list node;
	struct ui_bus *bus;
	struct crowd *crowd;
	char id[UI_ID_MAX];
	struct ui_owner owner;
	struct item *item;		/* [cap], a ring */
	unsigned cap, at, n;		/* n: sent and waiting */
	unsigned n_sent;
	uint64_t first;			/* number of the first of them */
	size_t answer_bytes;
	uint64_t state_seen;		/* version of what was sent */
	uint64_t seen_ms;		/* last request */
	unsigned n_asked;
	uint64_t milli, milli_ms;	/* token bucket of commands */
	void *rq;			/* held read, NULL = none */
	enum ui_form form;
	uint64_t after, due_ms;
	uint64_t free_ms;		/* not before this, for company's sake */
};

struct asked {
	struct ui_sess *sess;		/* NULL: it is gone */
	uint32_t tag, user_tag;		/* tag 0: free */
};

struct ui_bus {
	struct ui_bus_ops ops;
	struct list sessions, crowds;
	unsigned n, max;
	struct ui_state *state;
	struct asked asked[N_ASKED];
	unsigned next_asked;
	uint32_t generation;
	bool is_up, is_asking;		/* state was asked for, not answered */
	uint64_t state_ms;		/* when to ask again */
	uint64_t seq;			/* newest event seen */
	struct ui_text batch;		/* the one that is written */
	struct ui_bus_stats stats;
};

/* ---- the queue of a session ------------------------------------------------ */

static struct item *
item_at(struct ui_sess *s, unsigned i)
{
	return &s->item[(s->at + i) % s->cap];
}

static void
pop(struct ui_sess *s)
{
	struct item *it = item_at(s, 0);

	if (it->is_answer)
		s->answer_bytes -= ui_blob_bytes(it->blob);
	ui_blob_put(it->blob);
	s->at = (s->at + 1) % s->cap;
	s->n--;
	if (s->n_sent > 0) {
		s->n_sent--;
		s->first++;
	}
}

static bool
grow(struct ui_sess *s)
{
	unsigned cap = s->cap == 0 ? 16 : s->cap * 2;
	struct item *more;

	if (s->n < s->cap)
		return true;
	if (s->n >= UI_QUEUE_MAX || (more = calloc(cap, sizeof(*more))) == NULL)
		return false;
	for (unsigned i = 0; i < s->n; i++)
		more[i] = *item_at(s, i);
	free(s->item);
	s->item = more;
	s->cap = cap;
	s->at = 0;
	return true;
}

/* Throw away what waits; what comes next is the whole. */
static void
resync(struct ui_sess *s)
{
	while (s->n > 0)
		pop(s);
	s->state_seen = 0;
	s->bus->stats.n_resync++;
	if (grow(s))
		s->item[(s->at + s->n++) % s->cap] = (struct item){ 0 };
}

static void
push(struct ui_sess *s, struct ui_blob *b, uint32_t tag, bool is_answer)
{
	size_t bytes = is_answer ? ui_blob_bytes(b) : 0;

	if (s->answer_bytes + bytes > UI_QUEUE_BYTES || !grow(s)) {
		resync(s);
		return;
	}
	s->item[(s->at + s->n) % s->cap] =
	    (struct item){ ui_blob_get(b), tag, is_answer };
	s->n++;
	s->answer_bytes += bytes;
}

static void
wake(struct ui_sess *s, uint64_t now_ms)
{
	if (s->rq != NULL)
		s->due_ms = MIN(s->due_ms, MAX(s->free_ms,
					       now_ms + UI_SOON_MS));
}

/* ---- batches ----------------------------------------------------------------- */

/* Number what is new: items that wait, then state that changed. */
static void
number(struct ui_sess *s)
{
	unsigned room = UI_BATCH_ITEMS, n;
	struct ui_change c;

	n = MIN(room, s->n - s->n_sent);
	s->n_sent += n;
	room -= n;
	if (s->n > s->n_sent || !ui_state_has(s->bus->state, s->state_seen))
		return;
	for (c = ui_state_after(s->bus->state, s->state_seen);
	     c.blob != NULL && room > 0;
	     c = ui_state_next(s->bus->state, &c), room--) {
		if (!grow(s)) {
			resync(s);
			s->n_sent = s->n;
			return;
		}
		push(s, c.blob, 0, false);
		s->n_sent = s->n;
		s->state_seen = c.version;
	}
}

static bool
has_news(const struct ui_sess *s)
{
	return s->n > 0 || ui_state_has(s->bus->state, s->state_seen);
}

static void
item_write(struct ui_sess *s, unsigned i, struct ui_text *t)
{
	struct item *it = item_at(s, i);
	bool is_json = s->form == UI_JSON;

	if (i > 0 && is_json)
		ui_text_str(t, ",");
	if (it->blob != NULL) {
		ui_blob_write(it->blob, t, s->form, s->first + i, it->tag);
		return;
	}
	ui_text_str(t, is_json ? "{\"n\":" : "<resync n=\"");
	ui_text_u64(t, s->first + i);
	ui_text_str(t, is_json ? ",\"resync\":true}" : "\"/>");
}

static void
batch_write(struct ui_sess *s, struct ui_text *t)
{
	bool is_json = s->form == UI_JSON;

	ui_text_str(t, is_json ? "{\"after\":" :
		    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		    "<batch after=\"");
	ui_text_u64(t, s->after);
	ui_text_str(t, is_json ? ",\"last\":" : "\" last=\"");
	ui_text_u64(t, s->first + s->n_sent - 1);
	ui_text_str(t, is_json ? ",\"items\":[" : "\">");
	for (unsigned i = 0; i < s->n_sent; i++)
		item_write(s, i, t);
	ui_text_str(t, is_json ? "]}\n" : "</batch>\n");
}

/* End the held read. */
static void
answer(struct ui_sess *s, int status)
{
	struct ui_bus *b = s->bus;
	struct ui_text *t = &b->batch;
	void *rq = s->rq;

	s->rq = NULL;
	b->stats.n_held--;
	ui_text_clear(t);
	if (status == 200) {
		number(s);
		batch_write(s, t);
		b->stats.n_batch++;
		b->stats.n_item += s->n_sent;
	}
	if (t->is_bad)
		status = 503;
	b->ops.answer(b->ops.ctx, rq, status, s->form, status == 200 ? t->p :
		      "", status == 200 ? t->n : 0);
}

/* ---- sessions ------------------------------------------------------------------ */

static struct crowd *
crowd_of(struct ui_bus *b, const struct ui_owner *o)
{
	LIST_FOREACH(it, &b->crowds) {
		struct crowd *c = CONTAINER_OF(it, struct crowd, node);

		if (c->right == o->right && strcmp(c->name, o->name) == 0)
			return c;
	}
	return NULL;
}

static struct crowd *
crowd_join(struct ui_bus *b, const struct ui_owner *o)
{
	struct crowd *c = crowd_of(b, o);

	if (c == NULL) {
		if ((c = calloc(1, sizeof(*c))) == NULL)
			return NULL;
		c->right = o->right;
		(void)str_copy(c->name, sizeof(c->name), o->name);
		list_add_tail(&b->crowds, &c->node);
	}
	c->n++;
	return c;
}

static void
crowd_leave(struct crowd *c)
{
	if (--c->n > 0)
		return;
	list_remove(&c->node);
	free(c);
}

void
ui_sess_close(struct ui_sess *s)
{
	struct ui_bus *b = s->bus;

	if (s->rq != NULL)
		answer(s, 410);
	for (unsigned i = 0; i < N_ASKED; i++)
		if (b->asked[i].sess == s)
			b->asked[i].sess = NULL;
	while (s->n > 0)
		pop(s);
	free(s->item);
	crowd_leave(s->crowd);
	list_remove(&s->node);
	b->n--;
	free(s);
}

/* All places are taken.  Whoever has most of them gives the one that was silent
 * longest to somebody who has fewer: so nobody keeps all others out. */
static bool
room_make(struct ui_bus *b, const struct ui_owner *o)
{
	const struct crowd *own = crowd_of(b, o), *most = NULL;
	struct ui_sess *old = NULL;

	LIST_FOREACH(it, &b->crowds) {
		const struct crowd *c = CONTAINER_OF(it, struct crowd, node);

		if (most == NULL || c->n > most->n)
			most = c;
	}
	if (most == NULL || most->n <= (own != NULL ? own->n : 0) + 1)
		return false;
	LIST_FOREACH(it, &b->sessions) {
		struct ui_sess *s = CONTAINER_OF(it, struct ui_sess, node);

		if (s->crowd == most && (old == NULL ||
					 s->seen_ms < old->seen_ms))
			old = s;
	}
	ui_sess_close(old);
	return true;
}

int
ui_sess_open(struct ui_bus *b, const struct ui_owner *o, uint64_t now_ms,
	     struct ui_sess **out)
{
	struct ui_sess *s;
	uint8_t raw[(UI_ID_MAX - 1) / 2];
	unsigned n = 0;

	LIST_FOREACH(it, &b->sessions)
		n += CONTAINER_OF(it, struct ui_sess, node)->owner.id == o->id;
	if (n >= UI_PER_OWNER_MAX && o->id != 0)
		return ERR_LIMIT;
	if (rng_bytes(raw, sizeof(raw)) != 0)
		return ERR_RANDOM;
	if (b->n >= b->max && !room_make(b, o))
		return ERR_FULL;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return ERR_NOMEM;
	if ((s->crowd = crowd_join(b, o)) == NULL) {
		free(s);
		return ERR_NOMEM;
	}
	s->bus = b;
	s->owner = *o;
	s->first = 1;
	s->seen_ms = s->milli_ms = now_ms;
	s->milli = UI_WRITE_BURST * 1000;
	str_hex(s->id, sizeof(s->id), raw, sizeof(raw));
	list_add_tail(&b->sessions, &s->node);
	b->n++;
	*out = s;
	return 0;
}

const char *
ui_sess_id(const struct ui_sess *s)
{
	return s->id;
}

struct ui_sess *
ui_sess_find(struct ui_bus *b, struct view id, const struct ui_owner *o)
{
	if (id.len != UI_ID_MAX - 1)
		return NULL;
	LIST_FOREACH(it, &b->sessions) {
		struct ui_sess *s = CONTAINER_OF(it, struct ui_sess, node);

		if (memcmp(s->id, id.p, id.len) == 0)
			return s->owner.id == o->id ? s : NULL;
	}
	return NULL;
}

void
ui_bus_forget(struct ui_bus *b, uint64_t owner)
{
	LIST_FOREACH_SAFE(it, tmp, &b->sessions) {
		struct ui_sess *s = CONTAINER_OF(it, struct ui_sess, node);

		if (s->owner.id == owner)
			ui_sess_close(s);
	}
}

/* ---- commands ------------------------------------------------------------------ */

static bool
may_write(struct ui_sess *s, uint64_t now_ms)
{
	s->milli = MIN((uint64_t)UI_WRITE_BURST * 1000,
		       s->milli + (now_ms - s->milli_ms) * UI_WRITE_RATE);
	s->milli_ms = now_ms;
	if (s->milli < 1000)
		return false;
	s->milli -= 1000;
	return true;
}

static struct asked *
asked_new(struct ui_bus *b)
{
	for (unsigned i = 0; i < N_ASKED; i++) {
		unsigned at = b->next_asked++ % N_ASKED;

		if (b->asked[at].tag != 0)
			continue;
		if (++b->generation >= UINT32_MAX / N_ASKED)
			b->generation = 1;
		b->asked[at].tag = at + N_ASKED * b->generation;
		return &b->asked[at];
	}
	return NULL;
}

/* Answered by requests of their own: app_capture.c, app_edit.c, app_desk.c. */
static bool
is_elsewhere(enum bus_row row)
{
	return row == BUS_CMD_CAPTURE || row == BUS_CMD_CONF_FILES ||
	    row == BUS_CMD_CONF_READ || row == BUS_CMD_CONF_WRITE ||
	    row == BUS_CMD_DESK;
}

int
ui_sess_write(struct ui_sess *s, struct bus_rec *cmd, uint32_t tag,
	      uint64_t now_ms)
{
	struct ui_bus *b = s->bus;
	struct asked *a;
	int err;

	s->seen_ms = now_ms;
	if (cmd->desc->right > s->owner.right)
		return ERR_PERM;
	if (bus_bool(cmd, BUS_F_IS_FOLLOW))
		return ERR_UNSUP;
	if (is_elsewhere(cmd->desc->row))
		return ERR_STATE;
	if (!may_write(s, now_ms))
		return ERR_AGAIN;
	if (s->n_asked >= UI_ASKED_MAX)
		return ERR_LIMIT;
	if (!b->is_up)
		return ERR_CLOSED;
	if ((a = asked_new(b)) == NULL)
		return ERR_FULL;
	a->sess = s;
	a->user_tag = tag;
	if ((err = b->ops.command(b->ops.ctx, a->tag, s->owner.name, cmd)) != 0) {
		*a = (struct asked){ 0 };
		return err;
	}
	s->n_asked++;
	return 0;
}

static bool
is_end(const struct bus_rec *r)
{
	return r->desc->row == BUS_RES_DONE || r->desc->row == BUS_RES_FAILED;
}

/* A record that answers a session's command. */
static void
answer_take(struct ui_bus *b, const struct bus_rec *r, uint64_t now_ms)
{
	struct asked *a = &b->asked[r->tag % N_ASKED];
	struct ui_sess *s;
	struct ui_blob *blob;

	if (a->tag != r->tag)
		return;
	s = a->sess;
	if (s != NULL && (blob = ui_blob_new(r)) != NULL) {
		push(s, blob, a->user_tag, true);
		ui_blob_put(blob);
		wake(s, now_ms);
	}
	if (!is_end(r))
		return;
	if (s != NULL)
		s->n_asked--;
	*a = (struct asked){ 0 };
}

/* ---- reading --------------------------------------------------------------------- */

int
ui_sess_read(struct ui_sess *s, uint64_t after, enum ui_form form, void *rq,
	     uint64_t now_ms)
{
	if (after >= s->first + s->n_sent)
		return ERR_RANGE;
	if (s->rq != NULL)
		answer(s, 409); /* the newer one counts */
	while (s->n_sent > 0 && s->first <= after)
		pop(s);
	if (after + 1 < s->first)
		resync(s); /* it lost what it had acknowledged */
	s->rq = rq;
	s->form = form;
	s->after = after;
	s->seen_ms = now_ms;
	s->due_ms = has_news(s) ? MAX(s->free_ms, now_ms) : now_ms + UI_HOLD_MS;
	s->bus->stats.n_held++;
	return 0;
}

void
ui_bus_gone(struct ui_bus *b, const void *rq)
{
	LIST_FOREACH(it, &b->sessions) {
		struct ui_sess *s = CONTAINER_OF(it, struct ui_sess, node);

		if (s->rq == rq) {
			s->rq = NULL;
			b->stats.n_held--;
		}
	}
}

/* ---- from the core ---------------------------------------------------------------- */

static void
all_wake(struct ui_bus *b, uint64_t now_ms)
{
	LIST_FOREACH(it, &b->sessions)
		wake(CONTAINER_OF(it, struct ui_sess, node), now_ms);
}

static void
all_resync(struct ui_bus *b, uint64_t now_ms)
{
	LIST_FOREACH(it, &b->sessions)
		resync(CONTAINER_OF(it, struct ui_sess, node));
	all_wake(b, now_ms);
}

static void
all_push(struct ui_bus *b, const struct bus_rec *r, uint64_t now_ms)
{
	struct ui_blob *blob = b->n > 0 ? ui_blob_new(r) : NULL;

	if (blob == NULL)
		return;
	LIST_FOREACH(it, &b->sessions)
		push(CONTAINER_OF(it, struct ui_sess, node), blob, 0, false);
	ui_blob_put(blob);
	all_wake(b, now_ms);
}

static void
state_take(struct ui_bus *b, const struct bus_rec *r, uint64_t now_ms)
{
	if (is_end(r)) {
		b->is_asking = false;
		b->state_ms = now_ms + UI_STATE_MS;
		if (r->desc->row == BUS_RES_DONE && ui_state_end(b->state))
			all_resync(b, now_ms);
		return;
	}
	if (ui_state_put(b->state, r, now_ms))
		all_wake(b, now_ms);
}

void
ui_bus_record(struct ui_bus *b, const struct bus_rec *r, uint64_t now_ms)
{
	if (r->tag == TAG_STATE) {
		state_take(b, r, now_ms);
	} else if (r->tag >= TAG_FIRST) {
		answer_take(b, r, now_ms);
	} else if (r->tag == TAG_FOLLOW && r->desc->class == BUS_EVENT) {
		b->seq = r->seq;
		b->state_ms = MIN(b->state_ms, now_ms + UI_STATE_MS / 10);
		all_push(b, r, now_ms);
	} else if (r->tag == TAG_FOLLOW && r->desc->row == BUS_RES_LOST) {
		all_resync(b, now_ms);
	}
}

static void
fail_all(struct ui_bus *b, uint64_t now_ms)
{
	struct bus_rec r;

	for (unsigned i = 0; i < N_ASKED; i++) {
		if (b->asked[i].tag == 0)
			continue;
		bus_rec_init(&r, BUS_RES_FAILED);
		bus_set_str(&r, BUS_F_CODE, err_name(ERR_CLOSED));
		bus_set_str(&r, BUS_F_TEXT, "tapird was started again before it "
			    "answered");
		bus_set_str(&r, BUS_F_HINT, "look whether it was done, then ask "
			    "again");
		r.tag = b->asked[i].tag;
		answer_take(b, &r, now_ms);
	}
}

void
ui_bus_link(struct ui_bus *b, bool is_up, uint64_t now_ms)
{
	struct bus_rec cmd;

	b->is_up = is_up;
	b->is_asking = false;
	if (!is_up) {
		fail_all(b, now_ms);
		return;
	}
	/* A new tapird counts from 1 again. */
	ui_state_clear(b->state);
	all_resync(b, now_ms);
	b->state_ms = now_ms;
	bus_rec_init(&cmd, BUS_CMD_LOG);
	bus_set_bool(&cmd, BUS_F_IS_FOLLOW, true);
	(void)b->ops.command(b->ops.ctx, TAG_FOLLOW, NULL, &cmd);
}

/* ---- time -------------------------------------------------------------------------- */

static bool
wants_state(const struct ui_bus *b)
{
	return b->is_up && !b->is_asking && b->n > 0;
}

uint64_t
ui_bus_due(const struct ui_bus *b)
{
	uint64_t due = wants_state(b) ? b->state_ms : UINT64_MAX;

	LIST_FOREACH(it, &b->sessions) {
		const struct ui_sess *s = CONTAINER_OF(it, struct ui_sess, node);

		due = MIN(due, s->rq != NULL ? s->due_ms :
			  s->seen_ms + UI_IDLE_MS);
	}
	return due;
}

void
ui_bus_run(struct ui_bus *b, uint64_t now_ms)
{
	struct bus_rec cmd;

	LIST_FOREACH_SAFE(it, tmp, &b->sessions) {
		struct ui_sess *s = CONTAINER_OF(it, struct ui_sess, node);

		if (s->rq != NULL && s->due_ms <= now_ms) {
			s->seen_ms = now_ms;
			answer(s, 200);
			s->free_ms = s->n_sent < UI_BATCH_ITEMS ? now_ms + UI_BATCH_MS :
			    0;
		} else if (s->rq == NULL && s->seen_ms + UI_IDLE_MS <= now_ms) {
			ui_sess_close(s);
		}
	}
	if (!wants_state(b) || b->state_ms > now_ms)
		return;
	b->state_ms = now_ms + UI_STATE_MS;
	ui_state_begin(b->state, now_ms);
	bus_rec_init(&cmd, BUS_CMD_STATUS);
	b->is_asking = b->ops.command(b->ops.ctx, TAG_STATE, NULL, &cmd) == 0;
}

void
ui_bus_stats_get(const struct ui_bus *b, struct ui_bus_stats *out)
{
	*out = b->stats;
	out->n_sess = b->n;
}

int
ui_bus_new(struct ui_bus **out, const struct ui_bus_ops *ops, unsigned max)
{
	struct ui_bus *b = calloc(1, sizeof(*b));
	int err;

	if (b == NULL)
		return ERR_NOMEM;
	b->ops = *ops;
	b->max = max;
	list_init(&b->sessions);
	list_init(&b->crowds);
	if ((err = ui_state_new(&b->state)) != 0) {
		free(b);
		return err;
	}
	*out = b;
	return 0;
}

void
ui_bus_free(struct ui_bus *b)
{
	if (b == NULL)
		return;
	LIST_FOREACH_SAFE(it, tmp, &b->sessions)
		ui_sess_close(CONTAINER_OF(it, struct ui_sess, node));
	ui_state_free(b->state);
	ui_text_fini(&b->batch);
	free(b);
}
