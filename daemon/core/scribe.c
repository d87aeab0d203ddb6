/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/scribe.c - the main role's end of the diary.
 */
#include "daemon/core/scribe.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"
#include "daemon/core/ctl.h"
#include "daemon/core/loop.h"
#include "daemon/diary/frame.h"
#include "daemon/diary/history.h"

#define ASKS_MAX 16		/* queries under way; ours */
#define PUMP_MAX 64		/* events at a time; then the loop goes on */

struct ask {
	uint32_t id;			/* 0 = free */
	struct ctl_client *cl;		/* NULL = it is gone */
	uint32_t tag;
};

struct scribe {
	struct vpn *vpn;
	int fd;				/* one number for ever: lines come from
					 * any thread, at any time */
	bool is_open;
	bool has_sink;
	struct bus_reader reader;
	uint8_t held[DIARY_FRAME_MAX];	/* did not fit when it was sent */
	size_t n_held;
	uint32_t last_id;
	struct ask ask[ASKS_MAX];
	struct diary_frame frame;	/* large; of the loop */
};

/* ---- lines --------------------------------------------------------------- */

/* log_sink_fn: any thread. */
static void
on_line(void *ctx, enum log_level lv, const char *who, const char *line)
{
	struct scribe *s = ctx;
	uint8_t buf[DIARY_FRAME_MAX];
	int len = diary_enc_line(lv, clk_wall_ms(), who, line, buf, sizeof(buf));

	if (len < 0 ||
	    send(s->fd, buf, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_stderr(lv, who, line);
}

/* ---- events -------------------------------------------------------------- */

/* True when it is on its way, or will never be; false: later. */
static bool
put(struct scribe *s, const uint8_t *buf, size_t len)
{
	if (send(s->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (errno != EAGAIN && errno != EINTR)
		return true;		/* its end is noticed by reading */
	memcpy(s->held, buf, len);
	s->n_held = len;
	loop_want_out(s->vpn->loop, s->fd, true);
	return false;
}

/* The next event of the ring, sent; false when there is none, or no room. */
static bool
pump_one(struct scribe *s)
{
	struct diary_frame *f = &s->frame;
	uint8_t buf[DIARY_FRAME_MAX];
	uint64_t lost;
	int len;

	f->kind = DIARY_EVENT;
	if (bus_read(s->vpn->bus, &s->reader, &f->rec, &lost) != 0)
		return false;
	if (lost > 0) {
		log_rl(LOG_WARN, "tapird", "the diary is slow: %llu events are "
		       "missing in history and logs", (unsigned long long)lost);
		return true;
	}
	if ((len = diary_enc(f, buf, sizeof(buf))) < 0)
		return true;
	return put(s, buf, (size_t)len);
}

/* loop_post_fn. */
static void
pump_more(void *ctx, void *item UNUSED)
{
	scribe_pump(ctx);
}

void
scribe_pump(struct scribe *s)
{
	unsigned n = 0;

	if (s == NULL || s->n_held > 0)
		return;
	while (s->is_open && pump_one(s))
		if (++n == PUMP_MAX &&
		    loop_post(s->vpn->loop, pump_more, s, NULL) == 0)
			return;
}

static void
flush(struct scribe *s)
{
	if (s->n_held > 0 && send(s->fd, s->held, s->n_held, MSG_DONTWAIT |
				  MSG_NOSIGNAL) < 0 &&
	    (errno == EAGAIN || errno == EINTR))
		return;
	s->n_held = 0;
	loop_want_out(s->vpn->loop, s->fd, false);
	scribe_pump(s);
}

/* ---- history ------------------------------------------------------------- */

static struct ask *
ask_find(struct scribe *s, uint32_t id)
{
	for (unsigned i = 0; i < ASKS_MAX; i++)
		if (s->ask[i].id == id)
			return &s->ask[i];
	return NULL;
}

static void
no_history(struct ctl_client *cl, uint32_t tag, int err)
{
	if (err == ERR_FULL)
		ctl_failed(cl, tag, err, "too many questions at a time",
			   "ask again");
	else if (err == ERR_UNSUP)
		ctl_failed(cl, tag, err, "no history is kept",
			   "the log says why; see tapird(8), --state-dir");
	else
		ctl_failed(cl, tag, err, "the history cannot be read now",
			   "tapir log --code warning says why");
}

static void
ask_end(struct ask *a, int err)
{
	if (a->cl != NULL && err == 0)
		ctl_done(a->cl, a->tag, "");
	else if (a->cl != NULL)
		no_history(a->cl, a->tag, err);
	a->id = 0;
	a->cl = NULL;
}

void
scribe_ask(struct scribe *s, struct ctl_client *cl, const struct bus_rec *cmd)
{
	struct ask *a = s != NULL ? ask_find(s, 0) : NULL;
	uint64_t limit = bus_u64(cmd, BUS_F_LIMIT);
	uint8_t buf[DIARY_FRAME_MAX];
	struct diary_frame *f;
	int len;

	if (s == NULL || a == NULL || !s->is_open) {
		no_history(cl, cmd->tag, s == NULL ? ERR_UNSUP :
			   a == NULL ? ERR_FULL : ERR_CLOSED);
		return;
	}
	f = &s->frame;
	f->kind = DIARY_QUERY;
	f->id = ++s->last_id != 0 ? s->last_id : ++s->last_id;
	f->since_ms = bus_u64(cmd, BUS_F_SINCE_MS);
	f->limit = limit == 0 || limit > HISTORY_ASK_MAX ? HISTORY_ASK_MAX :
	    (uint32_t)limit;
	(void)str_copy(f->realm, sizeof(f->realm), bus_str(cmd, BUS_F_REALM));
	(void)str_copy(f->peer, sizeof(f->peer), bus_str(cmd, BUS_F_PEER));
	len = diary_enc(f, buf, sizeof(buf));
	if (len < 0 || send(s->fd, buf, (size_t)len,
			    MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		no_history(cl, cmd->tag, ERR_CLOSED);
		return;
	}
	*a = (struct ask){ f->id, cl, cmd->tag };
}

void
scribe_forget(struct scribe *s, const struct ctl_client *cl)
{
	for (unsigned i = 0; s != NULL && i < ASKS_MAX; i++)
		if (s->ask[i].cl == cl)
			s->ask[i].cl = NULL;
}

/* ---- what the diary says ------------------------------------------------- */

static void
on_note(struct scribe *s, const struct diary_frame *f)
{
	struct bus_rec r;

	bus_rec_init(&r, f->level <= LOG_WARN ? BUS_EV_WARNING : BUS_EV_NOTE);
	bus_set_str(&r, BUS_F_CODE, f->word);
	bus_set_str(&r, BUS_F_TEXT, f->text);
	vpn_publish(s->vpn, &r);
	if (s->has_sink)	/* perhaps there is no log to write it to */
		log_stderr(f->level, "diary", f->text);
}

static void
on_frame(struct scribe *s, struct diary_frame *f)
{
	struct ask *a = f->kind == DIARY_ROW || f->kind == DIARY_END ?
	    ask_find(s, f->id) : NULL;

	if (f->kind == DIARY_NOTE)
		on_note(s, f);
	if (a == NULL || f->id == 0)
		return;
	if (f->kind == DIARY_END)
		ask_end(a, f->err);
	else if (a->cl != NULL)
		ctl_send(a->cl, &f->rec, a->tag);
}

static void
end(struct scribe *s)
{
	if (!s->is_open)
		return;
	s->is_open = false;
	loop_del(s->vpn->loop, s->fd);
	(void)shutdown(s->fd, SHUT_RDWR);
	s->n_held = 0;
	for (unsigned i = 0; i < ASKS_MAX; i++)
		if (s->ask[i].id != 0)
			ask_end(&s->ask[i], ERR_CLOSED);
}

static void
on_diary(void *ctx, int fd, uint32_t events)
{
	struct scribe *s = ctx;
	uint8_t buf[DIARY_FRAME_MAX];
	ssize_t n;

	if ((events & EPOLLOUT) != 0)
		flush(s);
	n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		end(s);
	else if (diary_dec(buf, (size_t)n, &s->frame) == 0)
		on_frame(s, &s->frame);
}

/* ---- start and end ------------------------------------------------------- */

void
scribe_renew(struct scribe *s, int fd)
{
	end(s);
	if (dup2(fd, s->fd) >= 0 &&
	    loop_add(s->vpn->loop, s->fd, on_diary, s) == 0)
		s->is_open = true;
	close(fd);
	scribe_pump(s);
}

int
scribe_new(struct scribe **out, struct vpn *v, int fd)
{
	struct scribe *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL) {
		close(fd);
		return ERR_NOMEM;
	}
	s->vpn = v;
	s->fd = fd;
	s->is_open = true;
	bus_reader_init(&s->reader, 0);
	if ((err = loop_add(v->loop, fd, on_diary, s)) != 0) {
		close(fd);
		free(s);
		return err;
	}
	*out = s;
	return 0;
}

void
scribe_conf(struct scribe *s, const struct conf *c)
{
	enum log_level most = LOG_ERROR;

	for (unsigned i = 0; i < c->n_log; i++)
		most = MAX(most, c->logs[i].level);
	if (c->n_log > 0 && most > log_get_level())
		log_set_level(most);
	s->has_sink = c->n_log > 0;
	log_set_sink(s->has_sink ? on_line : NULL, s);
}

void
scribe_free(struct scribe *s)
{
	if (s == NULL)
		return;
	log_set_sink(NULL, NULL);
	scribe_pump(s);
	end(s);
	close(s->fd);
	free(s);
}

bool
scribe_has_sink(const struct scribe *s)
{
	return s != NULL && s->has_sink;
}
