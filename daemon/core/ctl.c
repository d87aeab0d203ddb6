/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/ctl.c - the control socket: clients, rights, queues.
 */
#include "daemon/core/ctl.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/list.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/base/secret.h"
#include "daemon/bus/bus.h"
#include "daemon/bus/bus_text.h"
#include "daemon/bus/bus_wire.h"
#include "daemon/core/cap.h"
#include "daemon/core/loop.h"
#include "daemon/core/scribe.h"

#define CTL_CLIENT_MAX 64		/* at the same time; ours */
#define CTL_FOLLOW_MAX 80		/* readings of the log of one client; ours */
#define CTL_REFUSED_MAX 8		/* and those only to be refused; ours */
#define CTL_QUEUE_MAX  (8u << 20)	/* bytes that wait for one client; ours */
#define CTL_RAW_MAX    (1u << 20)	/* of them, captured packets; ours */
#define CTL_PUMP_MAX   (256u << 10)	/* of them, events of the log; ours */

struct item {
	struct list node;
	size_t len;
	uint8_t bytes[];
};

/* One reading of the log. */
struct follow {
	struct list node;
	struct bus_reader reader;
	struct bus_rec filter;		/* the LOG command */
	uint64_t n_skip;		/* older ones than it wants */
};

struct ctl_client {
	struct list node;
	struct ctl *ctl;
	int fd;
	uint64_t id;			/* never used again */
	uid_t uid;
	int refusal;			/* error for every command, 0 = none */
	struct list queue;
	size_t queued_bytes;		/* with the heads of the items */
	bool is_broken;			/* to be freed once nobody uses it */
	char user[CTL_USER_MAX];	/* of tapir-web: who asks next */
	struct list follows;		/* have not seen the end of the log yet */
	unsigned n_follow;
};

struct ctl {
	struct vpn *vpn;
	int fd;
	uid_t owner;
	uint64_t last_id;
	unsigned n, n_refused;		/* may command, may not */
	struct list clients;
	struct ctl_client *web;		/* one of them, or NULL */
	atomic_bool is_posted;		/* a wake-up for followers is under way */
};

static void
item_free(struct item *m)
{
	wipe(m->bytes, m->len);
	free(m);
}

static void
client_free(struct ctl_client *cl)
{
	scribe_forget(cl->ctl->vpn->scribe, cl);
	loop_del(cl->ctl->vpn->loop, cl->fd);
	close(cl->fd);
	capture_client_gone(cl->ctl->vpn, cl);
	LIST_FOREACH_SAFE(it, tmp, &cl->queue)
		item_free(CONTAINER_OF(it, struct item, node));
	LIST_FOREACH_SAFE(it, tmp, &cl->follows)
		free(CONTAINER_OF(it, struct follow, node));
	list_remove(&cl->node);
	if (cl->ctl->web == cl)
		cl->ctl->web = NULL;
	if (cl->refusal == 0)
		cl->ctl->n--;
	else
		cl->ctl->n_refused--;
	free(cl);
}

/* Send what waits; false when the client is gone. */
static bool
flush(struct ctl_client *cl)
{
	LIST_FOREACH_SAFE(it, tmp, &cl->queue) {
		struct item *m = CONTAINER_OF(it, struct item, node);
		ssize_t n = send(cl->fd, m->bytes, m->len,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		cl->queued_bytes -= sizeof(*m) + m->len;
		list_remove(it);
		item_free(m);
	}
	return true;
}

/* Send it now, or when what waits was sent. */
static void
send_bytes(struct ctl_client *cl, const void *p, size_t len)
{
	struct item *m = NULL;

	if (list_is_empty(&cl->queue)) {
		if (send(cl->fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return;
		if (errno != EAGAIN && errno != EINTR) {
			cl->is_broken = true;
			return;
		}
	}
	if (cl->queued_bytes + sizeof(*m) + len <= CTL_QUEUE_MAX)
		m = malloc(sizeof(*m) + len);
	if (m == NULL) {
		cl->is_broken = true;
		return;
	}
	m->len = len;
	memcpy(m->bytes, p, len);
	list_add_tail(&cl->queue, &m->node);
	cl->queued_bytes += sizeof(*m) + m->len;
	loop_want_out(cl->ctl->vpn->loop, cl->fd, true);
	loop_want_in(cl->ctl->vpn->loop, cl->fd, false);
}

void
ctl_send(struct ctl_client *cl, struct bus_rec *r, uint32_t tag)
{
	uint8_t bytes[BUS_WIRE_MAX];
	int len;

	r->tag = tag;
	len = bus_enc_buf(r, bytes, sizeof(bytes));
	if (len < 0 || cl->is_broken)
		return;
	send_bytes(cl, bytes, (size_t)len);
	wipe(bytes, (size_t)len);	/* it may have held keys */
}

bool
ctl_send_raw(struct ctl_client *cl, const void *p, size_t len)
{
	if (cl->is_broken || cl->queued_bytes + len > CTL_RAW_MAX)
		return false;
	send_bytes(cl, p, len);
	return true;
}

bool
ctl_is_ready(const struct ctl_client *cl)
{
	return list_is_empty(&cl->queue) && !cl->is_broken;
}

void
ctl_done(struct ctl_client *cl, uint32_t tag, const char *text)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_DONE);
	bus_set_str(&r, BUS_F_TEXT, text);
	ctl_send(cl, &r, tag);
}

void
ctl_failed(struct ctl_client *cl, uint32_t tag, int err, const char *text,
	   const char *hint)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_FAILED);
	bus_set_str(&r, BUS_F_CODE, err_name(err));
	bus_set_str(&r, BUS_F_TEXT, text);
	bus_set_str(&r, BUS_F_HINT, hint);
	ctl_send(cl, &r, tag);
}

const char *
ctl_user(const struct ctl_client *cl, char *out)
{
	out[0] = '\0';
	if (cl == cl->ctl->web)
		str_add(out, CTL_USER_MAX, "%s by the web", cl->user);
	else
		str_add(out, CTL_USER_MAX, "user %u", (unsigned)cl->uid);
	return out;
}

uid_t
ctl_uid(const struct ctl_client *cl)
{
	return cl->uid;
}

uint64_t
ctl_id(const struct ctl_client *cl)
{
	return cl->id;
}

struct ctl_client *
ctl_find(const struct ctl *c, uint64_t id)
{
	LIST_FOREACH(it, &c->clients) {
		struct ctl_client *cl = CONTAINER_OF(it, struct ctl_client, node);

		if (cl->id == id)
			return cl;
	}
	return NULL;
}

/* ---- followers of the log ------------------------------------------------ */

static bool
wanted(const struct bus_rec *filter, const struct bus_rec *ev)
{
	const char *realm = bus_str(filter, BUS_F_REALM);
	const char *peer = bus_str(filter, BUS_F_PEER);
	const char *code = bus_str(filter, BUS_F_CODE);
	const char *part = bus_str(filter, BUS_F_OWNER);
	enum log_level lv = LOG_DEBUG;

	if (log_parse_level(bus_str(filter, BUS_F_LEVEL), &lv) == 0 &&
	    ev->desc->severity > lv)
		return false;
	if (ev->time_ms < bus_u64(filter, BUS_F_SINCE_MS) ||
	    (*part != '\0' && strcmp(part, bus_event_part(ev->desc)) != 0))
		return false;
	return (*realm == '\0' || strcmp(realm, bus_str(ev, BUS_F_REALM)) == 0) &&
	    (*peer == '\0' || strcmp(peer, bus_str(ev, BUS_F_PEER)) == 0) &&
	    (*code == '\0' || strcmp(code, ev->desc->name) == 0 ||
	     strcmp(code, bus_str(ev, BUS_F_CODE)) == 0);
}

static void
follow_end(struct ctl_client *cl, struct follow *f)
{
	list_remove(&f->node);
	cl->n_follow--;
	free(f);
}

/* Send what there is, but no more than the client takes: the rest follows
 * when the queue is empty. */
static void
pump_one(struct ctl_client *cl, struct follow *f)
{
	struct bus_rec ev, lost_rec;
	uint64_t lost;

	while (!cl->is_broken && cl->queued_bytes < CTL_PUMP_MAX) {
		if (bus_read(cl->ctl->vpn->bus, &f->reader, &ev, &lost) != 0) {
			if (bus_bool(&f->filter, BUS_F_IS_FOLLOW))
				return;
			ctl_done(cl, f->filter.tag, "");
			follow_end(cl, f);
			return;
		}
		if (lost > 0 && lost <= f->n_skip) {
			f->n_skip -= lost;
		} else if (lost > 0) {
			f->n_skip = 0;
			bus_rec_init(&lost_rec, BUS_RES_LOST);
			bus_set_u64(&lost_rec, BUS_F_N_LOST, lost);
			ctl_send(cl, &lost_rec, f->filter.tag);
		} else if (wanted(&f->filter, &ev)) {
			if (f->n_skip > 0) {
				f->n_skip--;
				continue;
			}
			ctl_send(cl, &ev, f->filter.tag);
		}
	}
}

static void
pump(struct ctl_client *cl)
{
	LIST_FOREACH_SAFE(it, tmp, &cl->follows)
		pump_one(cl, CONTAINER_OF(it, struct follow, node));
}

/* How many are wanted now, but for the newest limit of them.  The reader is moved
 * to the oldest that is there. */
static uint64_t
too_old(const struct ctl_client *cl, struct follow *f, uint64_t limit)
{
	struct bus_reader rd = f->reader;
	struct bus_rec ev;
	uint64_t lost, n = 0;

	while (bus_read(cl->ctl->vpn->bus, &rd, &ev, &lost) == 0)
		if (lost > 0)
			f->reader = rd;
		else
			n += wanted(&f->filter, &ev);
	return n > limit ? n - limit : 0;
}

void
ctl_follow(struct ctl_client *cl, const struct bus_rec *cmd)
{
	struct follow *f = cl->n_follow < CTL_FOLLOW_MAX ?
	    calloc(1, sizeof(*f)) : NULL;

	if (f == NULL) {
		ctl_failed(cl, cmd->tag, ERR_FULL, "the log is read too often "
			   "at the same time", "end some of them");
		return;
	}
	f->filter = *cmd;
	bus_reader_init(&f->reader, bus_u64(cmd, BUS_F_AFTER_SEQ));
	if (bus_u64(cmd, BUS_F_LIMIT) > 0)
		f->n_skip = too_old(cl, f, bus_u64(cmd, BUS_F_LIMIT));
	list_add_tail(&cl->follows, &f->node);
	cl->n_follow++;
	pump(cl);
}

static void
pump_all(void *ctx, void *item UNUSED)
{
	struct ctl *c = ctx;

	atomic_store(&c->is_posted, false);
	scribe_pump(c->vpn->scribe);
	LIST_FOREACH_SAFE(it, tmp, &c->clients) {
		struct ctl_client *cl = CONTAINER_OF(it, struct ctl_client, node);

		pump(cl);
		if (cl->is_broken)
			client_free(cl);
	}
}

/* bus_notify_fn: any thread. */
static void
on_publish(void *ctx)
{
	struct ctl *c = ctx;

	if (!atomic_exchange(&c->is_posted, true) &&
	    loop_post(c->vpn->loop, pump_all, c, NULL) != 0)
		atomic_store(&c->is_posted, false);
}

/* ---- clients ------------------------------------------------------------- */

static void
command(struct ctl_client *cl, const uint8_t *bytes, size_t len)
{
	struct bus_rec cmd;
	int err = bus_dec(bytes, len, &cmd);

	if (cl->refusal != 0) {
		ctl_failed(cl, err == 0 ? cmd.tag : 0, cl->refusal,
			   cl->refusal == ERR_PERM ?
			   "not permitted to this user" :
			   "too many clients at the same time",
			   cl->refusal == ERR_PERM ? "run it as root" :
			   "end some of them");
		cl->is_broken = true;
		return;
	}
	if (err == 0 && cl == cl->ctl->web &&
	    cmd.desc->row == BUS_RES_WEB_USER) {
		(void)str_copy(cl->user, sizeof(cl->user),
			       bus_str(&cmd, BUS_F_NAME));
		return;
	}
	if (err != 0 || cmd.desc->class != BUS_COMMAND) {
		ctl_failed(cl, 0, ERR_SYNTAX, "not a command of this version",
			   "use the tapir command that came with this tapird");
		return;
	}
	wire_ctl_command(cl->ctl->vpn, cl, &cmd);
}

/* All that waited was sent: go on with the log, then with commands. */
static void
drained(struct ctl_client *cl)
{
	pump(cl);
	if (!list_is_empty(&cl->queue))
		return;
	loop_want_out(cl->ctl->vpn->loop, cl->fd, false);
	loop_want_in(cl->ctl->vpn->loop, cl->fd, true);
	capture_client_ready(cl->ctl->vpn, cl);
}

static void
on_client(void *ctx, int fd, uint32_t events)
{
	struct ctl_client *cl = ctx;
	uint8_t bytes[BUS_WIRE_MAX];
	ssize_t n;

	if (!list_is_empty(&cl->queue)) {
		if (!flush(cl))
			cl->is_broken = true;
		else if (list_is_empty(&cl->queue))
			drained(cl);
	} else if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
		n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_TRUNC);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) ||
		    n > (ssize_t)sizeof(bytes))
			cl->is_broken = true;
		else if (n > 0)
			command(cl, bytes, (size_t)n);
	}
	if (cl->is_broken)
		client_free(cl);
}

/* Why this client may not command: ERR_PERM, ERR_FULL, or 0. */
static int
refusal_of(const struct ctl *c, uid_t uid)
{
	if (uid != 0 && uid != c->owner)
		return ERR_PERM;
	return c->n >= CTL_CLIENT_MAX ? ERR_FULL : 0;
}

/* Those to be refused have few places: the oldest of them makes room. */
static void
make_room(struct ctl *c)
{
	LIST_FOREACH_SAFE(it, tmp, &c->clients) {
		struct ctl_client *cl = CONTAINER_OF(it, struct ctl_client, node);

		if (c->n_refused < CTL_REFUSED_MAX)
			return;
		if (cl->refusal != 0)
			client_free(cl);
	}
}

static int
client_add(struct ctl_client *cl)
{
	struct ctl *c = cl->ctl;
	int err;

	cl->id = ++c->last_id;
	list_init(&cl->queue);
	list_init(&cl->follows);
	if ((err = loop_add(c->vpn->loop, cl->fd, on_client, cl)) != 0)
		return err;
	if (cl->refusal != 0)
		make_room(c);
	list_add_tail(&c->clients, &cl->node);
	return 0;
}

static void
on_listen(void *ctx, int fd, uint32_t events UNUSED)
{
	struct ctl *c = ctx;
	struct ctl_client *cl;
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int s = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (s < 0)
		return;
	if (getsockopt(s, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 ||
	    (cl = calloc(1, sizeof(*cl))) == NULL) {
		close(s);
		return;
	}
	cl->ctl = c;
	cl->fd = s;
	cl->uid = cred.uid;
	cl->refusal = refusal_of(c, cred.uid);
	if (client_add(cl) != 0) {
		close(s);
		free(cl);
		return;
	}
	if (cl->refusal != 0)
		c->n_refused++;
	else
		c->n++;
}

int
ctl_adopt_web(struct ctl *c, int fd)
{
	struct ctl_client *cl = calloc(1, sizeof(*cl));
	int err;

	if (cl == NULL)
		return ERR_NOMEM;
	if (c->web != NULL)
		client_free(c->web);
	cl->ctl = c;
	cl->fd = fd;
	if ((err = client_add(cl)) != 0) {
		free(cl);
		return err;
	}
	c->n++;
	c->web = cl;
	return 0;
}

struct ctl_client *
ctl_web(const struct ctl *c)
{
	return c->web;
}

int
ctl_new(struct ctl **out, struct vpn *v, int fd, uid_t owner)
{
	struct ctl *c = calloc(1, sizeof(*c));
	int err;

	if (c == NULL)
		return ERR_NOMEM;
	c->vpn = v;
	c->fd = fd;
	c->owner = owner;
	list_init(&c->clients);
	if ((err = loop_add(v->loop, fd, on_listen, c)) != 0) {
		free(c);
		return err;
	}
	bus_set_notify(v->bus, on_publish, c);
	*out = c;
	return 0;
}

void
ctl_free(struct ctl *c)
{
	if (c == NULL)
		return;
	bus_set_notify(c->vpn->bus, NULL, NULL);
	loop_del(c->vpn->loop, c->fd);
	pump_all(c, NULL); /* the last events, to those who take them now */
	LIST_FOREACH_SAFE(it, tmp, &c->clients)
		client_free(CONTAINER_OF(it, struct ctl_client, node));
	free(c);
}
