/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/http.c - HTTP/1.1 on libevent's buffered sockets.
 *
 *            head          body          reply          sent
 *   HEAD ------------> BODY -----> BUSY --------> SEND -------> HEAD
 *     | bad                                         | close
 *     `--------------------------> SEND ------------+---------> LINGER
 *
 * While BUSY the next request waits in the socket's buffer, and the end of the
 * connection is seen.  STREAM is BUSY with an answer that has begun.
 *
 * When that buffer is full nothing is read (libevent would call again and again for
 * what it holds): so the end would not be seen, and who is held then is let go.
 */
#include "webui/http.h"
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/list.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "webui/tls.h"

#define DOOR_MAX    8
#define DOORS_USED  2	/* bus.sock, and one for browsers */
#define OTHER_FDS   32	/* descriptors for what is no connection; ours */
#define AGAIN_MS    100	/* without a descriptor: until the next try; ours */
#define INPUT_BYTES (UI_HEAD_MAX + UI_BODY_MAX) /* read ahead at most */

enum state { S_HEAD, S_BODY, S_BUSY, S_STREAM, S_SEND, S_LINGER };

struct door {
	struct ui_http *http;
	enum ui_door kind;
	struct ssl_ctx_st *ssl;
	struct evconnlistener *listener;
	struct event *again;		/* look at the listener again */
	unsigned n;
};

/* A connection, and the request on it. */
struct ui_req {
	struct list node;
	struct door *door;
	struct bufferevent *bev;
	struct event *timer;
	enum state state;
	bool is_close;
	bool is_started;		/* bytes of a head are there */
	size_t n_looked;		/* so many of them made no head yet */
	bool is_deaf;			/* nothing is read: the buffer is full */
	struct ui_head head;		/* views into bytes */
	uint8_t *bytes;			/* head, then body */
	size_t body_got;
	uid_t uid;
	char source[UI_SOURCE_MAX];
};

struct ui_http {
	struct event_base *base;
	struct ui_http_ops ops;
	struct list conns;		/* oldest activity first */
	unsigned n, max, n_door;
	struct door door[DOOR_MAX];
};

static const char fixed_fields[] =
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Cross-Origin-Embedder-Policy: require-corp\r\n"
    "Permissions-Policy: camera=(), geolocation=(), microphone=(), usb=()\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Vary: Accept, Accept-Encoding, Authorization\r\n";

static void process(struct ui_req *rq);

/* ---- connections ----------------------------------------------------------- */

static void
timer_set(struct ui_req *rq, unsigned ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

	(void)event_add(rq->timer, &tv);
}

static void
bytes_drop(struct ui_req *rq)
{
	if (rq->bytes != NULL) /* tokens and passwords were in it */
		wipe(rq->bytes, rq->head.head_bytes + rq->head.body_bytes);
	free(rq->bytes);
	rq->bytes = NULL;
	rq->body_got = 0;
	memset(&rq->head, 0, sizeof(rq->head));
}

/* Somebody of ours holds it. */
static bool
is_held(const struct ui_req *rq)
{
	return rq->state == S_BUSY || rq->state == S_STREAM;
}

static void
conn_free(struct ui_req *rq)
{
	struct door *d = rq->door;

	if (is_held(rq)) {
		rq->state = S_LINGER;
		d->http->ops.on_gone(d->http->ops.ctx, rq);
	}
	bytes_drop(rq);
	list_remove(&rq->node);
	d->n--;
	d->http->n--;
	event_free(rq->timer);
	bufferevent_free(rq->bev);
	free(rq);
}

static void
on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	conn_free(ctx);
}

/* The answer was taken: the next request, or good-bye. */
static void
sent(struct ui_req *rq)
{
	if (rq->is_deaf)
		(void)bufferevent_enable(rq->bev, EV_READ);
	rq->is_deaf = false;
	if (rq->is_close) {
		rq->state = S_LINGER;
		(void)shutdown(bufferevent_getfd(rq->bev), SHUT_WR);
		timer_set(rq, UI_LINGER_MS);
		process(rq);
		return;
	}
	rq->state = S_HEAD;
	rq->is_started = false;
	timer_set(rq, UI_KEEP_MS);
	list_remove(&rq->node);
	list_add_tail(&rq->door->http->conns, &rq->node);
	process(rq);
}

static void
on_write(struct bufferevent *bev, void *ctx)
{
	struct ui_req *rq = ctx;

	bool is_empty = evbuffer_get_length(bufferevent_get_output(bev)) == 0;

	if (rq->state == S_SEND && is_empty)
		sent(rq);
	else if (rq->state == S_STREAM && is_empty)
		(void)event_del(rq->timer);
	else if (rq->state == S_STREAM)
		timer_set(rq, UI_WRITE_MS);
}

static void
on_event(struct bufferevent *bev UNUSED, short what, void *ctx)
{
	struct ui_req *rq = ctx;

	/* Who asked and closed its half still gets the answer. */
	if ((what & BEV_EVENT_EOF) != 0 && rq->state == S_SEND)
		rq->is_close = true;
	else if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		conn_free(rq);
}

static void
on_read(struct bufferevent *bev, void *ctx)
{
	size_t n = evbuffer_get_length(bufferevent_get_input(bev));
	struct ui_req *rq = ctx;

	if (n < INPUT_BYTES || (rq->state != S_SEND && !is_held(rq))) {
		process(rq);
	} else if (is_held(rq)) {
		conn_free(rq);
	} else {
		rq->is_deaf = true;
		(void)bufferevent_disable(bev, EV_READ);
	}
}

/* ---- answers --------------------------------------------------------------- */

static const char *
phrase(int status)
{
	static const struct {
		int status;
		const char *text;
	} known[] = {
		{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" },
		{ 204, "No Content" }, { 304, "Not Modified" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 406, "Not Acceptable" },
		{ 409, "Conflict" }, { 410, "Gone" }, { 411, "Length Required" },
		{ 413, "Content Too Large" }, { 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" }, { 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 428, "Precondition Required" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (unsigned i = 0; i < N_OF(known); i++)
		if (known[i].status == status)
			return known[i].text;
	return "Unknown";
}

/* Does the answer say itself how it may be kept? */
static const char *
fixed_for(const struct ui_reply *rep)
{
	if (rep->fields != NULL &&
	    strstr(rep->fields, "Cache-Control:") != NULL)
		return strchr(fixed_fields, '\n') + 1;
	return fixed_fields;
}

/* RFC 9110 6.6.1 and 5.6.7. */
static void
date_write(struct evbuffer *out)
{
	time_t now = (time_t)(clk_wall_ms() / 1000);
	char text[40];
	struct tm tm;

	if (gmtime_r(&now, &tm) != NULL &&
	    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0)
		evbuffer_add_printf(out, "Date: %s\r\n", text);
}

static void
reply_write(struct ui_req *rq, const struct ui_reply *rep, bool is_stream)
{
	struct evbuffer *out = bufferevent_get_output(rq->bev);
	bool is_empty = rep->status == 204 || rep->status == 304;

	evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\n%s", rep->status,
			    phrase(rep->status), fixed_for(rep));
	date_write(out);
	if (rep->fields != NULL)
		evbuffer_add_printf(out, "%s", rep->fields);
	if (rep->type != NULL && !is_empty)
		evbuffer_add_printf(out, "Content-Type: %s\r\n", rep->type);
	if (is_stream)
		evbuffer_add_printf(out, "Transfer-Encoding: chunked\r\n");
	else if (!is_empty)
		evbuffer_add_printf(out, "Content-Length: %zu\r\n", rep->len);
	if (rq->is_close)
		evbuffer_add_printf(out, "Connection: close\r\n");
	evbuffer_add(out, "\r\n", 2);
	if (!is_empty && !is_stream && rep->len > 0 &&
	    rq->head.method != UI_HEAD)
		evbuffer_add(out, rep->body, rep->len);
}

static void
reply_begin(struct ui_req *rq, const struct ui_reply *rep, bool is_stream)
{
	rq->is_close |= rep->is_close ||
	    ui_list_has(rq->head.field[UI_F_CONNECTION], "close");
	reply_write(rq, rep, is_stream);
	bytes_drop(rq);
}

void
ui_req_reply(struct ui_req *rq, const struct ui_reply *rep)
{
	reply_begin(rq, rep, false);
	rq->state = S_SEND;
	timer_set(rq, UI_WRITE_MS);
}

static void
chunk(struct ui_req *rq, const void *p, size_t len)
{
	struct evbuffer *out = bufferevent_get_output(rq->bev);

	if (len == 0) /* it would be the end */
		return;
	evbuffer_add_printf(out, "%zx\r\n", len);
	evbuffer_add(out, p, len);
	evbuffer_add(out, "\r\n", 2);
}

void
ui_req_begin(struct ui_req *rq, const struct ui_reply *rep)
{
	reply_begin(rq, rep, true);
	rq->state = S_STREAM;
	/* half of what may wait: so a client that reads has time, though more
	 * always comes */
	bufferevent_setwatermark(rq->bev, EV_WRITE, UI_STREAM_BYTES / 2, 0);
	chunk(rq, rep->body, rep->len);
	timer_set(rq, UI_WRITE_MS);
}

bool
ui_req_part(struct ui_req *rq, const void *p, size_t len)
{
	struct evbuffer *out = bufferevent_get_output(rq->bev);

	if (evbuffer_get_length(out) + len > UI_STREAM_BYTES)
		return false;
	if (!event_pending(rq->timer, EV_TIMEOUT, NULL))
		timer_set(rq, UI_WRITE_MS);
	chunk(rq, p, len);
	return true;
}

void
ui_req_end(struct ui_req *rq)
{
	bufferevent_setwatermark(rq->bev, EV_WRITE, 0, 0);
	evbuffer_add(bufferevent_get_output(rq->bev), "0\r\n\r\n", 5);
	rq->state = S_SEND;
	timer_set(rq, UI_WRITE_MS);
}

void
ui_req_cut(struct ui_req *rq)
{
	rq->state = S_LINGER;
	conn_free(rq);
}

/* Refuse what is no request, and close. */
static void
refuse(struct ui_req *rq, int status)
{
	char text[64] = "";
	struct ui_reply rep = {
		.status = status, .type = "text/plain; charset=utf-8",
		.body = text, .is_close = true,
	};

	str_add(text, sizeof(text), "%d %s\n", status, phrase(status));
	rep.len = strlen(text);
	ui_req_reply(rq, &rep);
}

/* ---- requests -------------------------------------------------------------- */

/* Keep head and room for the body; views are made again in the copy. */
static int
head_keep(struct ui_req *rq, struct evbuffer *in, const struct ui_head *h)
{
	size_t n = h->head_bytes;

	rq->bytes = malloc(n + h->body_bytes + 1);
	if (rq->bytes == NULL)
		return 503;
	if (evbuffer_remove(in, rq->bytes, n) != (int)n)
		return 500;
	return ui_head_parse(rq->bytes, n, &rq->head);
}

/* Clients that ask first whether the body is wanted. */
static void
say_continue(struct ui_req *rq)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (rq->head.field[UI_F_EXPECT].p != NULL && rq->head.body_bytes > 0)
		evbuffer_add(bufferevent_get_output(rq->bev), go_on,
			     sizeof(go_on) - 1);
}

/* Can what came since the last look make a head?  Who sends byte by byte does not have
 * all of it read each time. */
static bool
is_worth_a_look(const struct ui_req *rq, const uint8_t *p, size_t n)
{
	size_t old = rq->n_looked;

	return old == 0 || n >= 2 * old || n >= UI_HEAD_MAX ||
	    memchr(p + old, '\n', n - old) != NULL;
}

/* False: more is needed, or it was refused. */
static bool
head_read(struct ui_req *rq, struct evbuffer *in)
{
	size_t n = MIN(evbuffer_get_length(in), (size_t)UI_HEAD_MAX);
	uint8_t *p = n > 0 ? evbuffer_pullup(in, (ev_ssize_t)n) : NULL;
	struct ui_head h;
	int bad;

	if (p == NULL || !is_worth_a_look(rq, p, n))
		return false;
	bad = ui_head_parse(p, n, &h);
	rq->n_looked = bad == ERR_AGAIN ? n : 0;
	if (bad == ERR_AGAIN) {
		if (!rq->is_started)
			timer_set(rq, UI_FIRST_MS);
		rq->is_started = true;
		return false;
	}
	if (bad == 0)
		bad = head_keep(rq, in, &h);
	if (bad != 0) {
		refuse(rq, bad);
		return false;
	}
	timer_set(rq, UI_BODY_MS);
	rq->state = S_BODY;
	say_continue(rq);
	return true;
}

static bool
body_read(struct ui_req *rq, struct evbuffer *in)
{
	size_t left = (size_t)rq->head.body_bytes - rq->body_got;
	int n;

	if (left > 0) {
		n = evbuffer_remove(in, rq->bytes + rq->head.head_bytes +
				    rq->body_got, left);
		rq->body_got += (size_t)MAX(n, 0);
	}
	return rq->body_got == rq->head.body_bytes;
}

static void
process(struct ui_req *rq)
{
	struct evbuffer *in = bufferevent_get_input(rq->bev);
	struct ui_http *h = rq->door->http;

	if (rq->state == S_LINGER) {
		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	if (rq->state == S_HEAD && !head_read(rq, in))
		return;
	if (rq->state != S_BODY || !body_read(rq, in))
		return;
	(void)event_del(rq->timer);
	rq->state = S_BUSY;
	h->ops.on_request(h->ops.ctx, rq);
}

const struct ui_head *
ui_req_head(const struct ui_req *rq)
{
	return &rq->head;
}

struct view
ui_req_body(const struct ui_req *rq)
{
	return (struct view){ rq->bytes + rq->head.head_bytes, rq->body_got };
}

enum ui_door
ui_req_door(const struct ui_req *rq)
{
	return rq->door->kind;
}

uid_t
ui_req_uid(const struct ui_req *rq)
{
	return rq->uid;
}

const char *
ui_req_source(const struct ui_req *rq)
{
	return rq->source;
}

/* ---- listening ------------------------------------------------------------- */

/* No descriptor is left: who waits longest goes, at whatever door. */
static void
oldest_drop(struct ui_http *h)
{
	LIST_FOREACH(it, &h->conns) {
		struct ui_req *rq = CONTAINER_OF(it, struct ui_req, node);

		if (is_held(rq))
			continue;
		conn_free(rq);
		return;
	}
}

static void
on_again(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct door *d = ctx;

	(void)evconnlistener_enable(d->listener);
}

/* Somebody is there and cannot be taken.  He stays there, so that the loop would ask
 * without a pause.  (The kernel looks for a descriptor before it looks for him.) */
static void
on_accept_error(struct evconnlistener *l, void *ctx)
{
	const struct timeval tv = { 0, AGAIN_MS * 1000 };
	struct pollfd door = { evconnlistener_get_fd(l), POLLIN, 0 };
	struct door *d = ctx;
	int err = errno;

	if (poll(&door, 1, 0) == 0)
		return;
	if (err == EMFILE)
		oldest_drop(d->http);
	(void)evconnlistener_disable(l);
	(void)event_add(d->again, &tv);
}

/* Places run out: who waits longest without a request under way goes. */
static void
make_room(struct door *d)
{
	LIST_FOREACH_SAFE(it, tmp, &d->http->conns) {
		struct ui_req *rq = CONTAINER_OF(it, struct ui_req, node);

		if (d->n < d->http->max)
			return;
		if (rq->door == d && !is_held(rq))
			conn_free(rq);
	}
}

static void
address_text(const struct sockaddr *sa, char out[UI_SOURCE_MAX])
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		(void)inet_ntop(AF_INET, &in.sin_addr, out, UI_SOURCE_MAX);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		(void)inet_ntop(AF_INET6, &in6.sin6_addr, out, UI_SOURCE_MAX);
	}
}

static void
who_is(struct ui_req *rq, int fd, const struct sockaddr *sa)
{
	struct ucred cred = { 0, (uid_t)-1, (gid_t)-1 };
	socklen_t len = sizeof(cred);

	rq->uid = (uid_t)-1;
	if (rq->door->kind != UI_DOOR_UNIX) {
		address_text(sa, rq->source);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		rq->uid = cred.uid;
	str_add(rq->source, sizeof(rq->source), "uid %u", (unsigned)rq->uid);
}

static struct bufferevent *
bev_new(struct door *d, int fd)
{
	struct event_base *base = d->http->base;

	if (d->kind == UI_DOOR_TLS)
		return ui_tls_bev(base, fd, d->ssl);
	return bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
}

static void
on_accept(struct evconnlistener *l UNUSED, evutil_socket_t fd,
	  struct sockaddr *sa, int len UNUSED, void *ctx)
{
	struct door *d = ctx;
	struct ui_req *rq;

	make_room(d);
	rq = d->n < d->http->max ? calloc(1, sizeof(*rq)) : NULL;
	if (rq == NULL) {
		evutil_closesocket(fd);
		return;
	}
	rq->door = d;
	who_is(rq, fd, sa);
	rq->timer = evtimer_new(d->http->base, on_timer, rq);
	rq->bev = rq->timer != NULL ? bev_new(d, fd) : NULL;
	if (rq->bev == NULL) {
		evutil_closesocket(fd);
		if (rq->timer != NULL)
			event_free(rq->timer);
		free(rq);
		return;
	}
	rq->is_started = true; /* its time runs from now on */
	list_add_tail(&d->http->conns, &rq->node);
	d->n++;
	d->http->n++;
	timer_set(rq, UI_FIRST_MS);
	bufferevent_setcb(rq->bev, on_read, on_write, on_event, rq);
	bufferevent_setwatermark(rq->bev, EV_READ, 0, INPUT_BYTES);
	(void)bufferevent_enable(rq->bev, EV_READ | EV_WRITE);
}

int
ui_http_listen(struct ui_http *h, int fd, enum ui_door kind,
	       struct ssl_ctx_st *ssl)
{
	struct door *d = &h->door[h->n_door];

	if (h->n_door == DOOR_MAX)
		return ERR_FULL;
	*d = (struct door){ .http = h, .kind = kind, .ssl = ssl };
	(void)evutil_make_socket_nonblocking(fd);
	d->again = evtimer_new(h->base, on_again, d);
	if (d->again == NULL)
		return ERR_NOMEM;
	d->listener = evconnlistener_new(h->base, on_accept, d,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (d->listener == NULL) {
		event_free(d->again);
		return ERR_NOMEM;
	}
	evconnlistener_set_error_cb(d->listener, on_accept_error);
	h->n_door++;
	return 0;
}

/* How many connections of each door there are descriptors for; as many of those as
 * may be had are asked for. */
static unsigned
conns_possible(unsigned max)
{
	rlim_t want = (rlim_t)DOORS_USED * max + OTHER_FDS;
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) != 0 || lim.rlim_cur >= want)
		return max;
	lim.rlim_cur = MIN(want, lim.rlim_max);
	if (setrlimit(RLIMIT_NOFILE, &lim) != 0 &&
	    getrlimit(RLIMIT_NOFILE, &lim) != 0)
		return max;
	if (lim.rlim_cur <= OTHER_FDS)
		return 1;
	return MAX((unsigned)(lim.rlim_cur - OTHER_FDS) / DOORS_USED, 1u);
}

int
ui_http_new(struct ui_http **out, struct event_base *base,
	    const struct ui_http_ops *ops, unsigned max)
{
	struct ui_http *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return ERR_NOMEM;
	h->base = base;
	h->ops = *ops;
	h->max = conns_possible(max);
	list_init(&h->conns);
	*out = h;
	return 0;
}

void
ui_http_free(struct ui_http *h)
{
	if (h == NULL)
		return;
	for (unsigned i = 0; i < h->n_door; i++) {
		evconnlistener_free(h->door[i].listener);
		event_free(h->door[i].again);
	}
	LIST_FOREACH_SAFE(it, tmp, &h->conns)
		conn_free(CONTAINER_OF(it, struct ui_req, node));
	free(h);
}
