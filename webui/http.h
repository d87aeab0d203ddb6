/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/http.h - HTTP/1.1 on libevent's buffered sockets.
 *
 *   listener -> connection -> head.c -> body -> on_request -> ui_req_reply
 *
 * A request may be answered later (a held read); if its client leaves before,
 * on_gone is called and the request is no more.  Each connection has one
 * deadline: for its next request to begin, for the head and the body to arrive,
 * for the answer to be taken.  When places run out, whoever waits longest
 * without a request under way makes room.
 *
 * One parser reads the head: requests that two parsers could read differently
 * do not get beyond it.  (libevent's own evhttp would be a second one, lenient,
 * and does not tell when the client of a held request left.)
 *
 * Thread: one, that of the event base.
 */
#ifndef TAPIR_WEBUI_HTTP_H
#define TAPIR_WEBUI_HTTP_H

#include <sys/types.h>
#include "daemon/base/base.h"
#include "webui/head.h"

#define UI_FIRST_MS 10000	/* from connecting to a whole head; ours */
#define UI_BODY_MS  10000	/* for a body; ours */
#define UI_KEEP_MS  60000	/* between requests; ours */
#define UI_WRITE_MS 30000	/* for an answer to be taken; ours */
#define UI_LINGER_MS 1000	/* until a refused client has read why; ours */
#define UI_STREAM_BYTES (4u << 20) /* of a stream wait for its client; ours */
#define UI_SOURCE_MAX 64	/* text of an address, with NUL */

struct event_base;
struct ssl_ctx_st;
struct ui_http;
struct ui_req;

enum ui_door { UI_DOOR_TCP, UI_DOOR_TLS, UI_DOOR_UNIX };

struct ui_http_ops {
	void *ctx;
	/** A whole request: reply now or later, exactly once. */
	void (*on_request)(void *ctx, struct ui_req *rq);
	/** Its client left; rq must not be used after this call. */
	void (*on_gone)(void *ctx, struct ui_req *rq);
};

/** @param max connections at a time, of each door; fewer where there are not enough
 * descriptors, of which as many as may be had are asked for. */
MUST_USE int ui_http_new(struct ui_http **out, struct event_base *base,
			 const struct ui_http_ops *ops, unsigned max);
/** Ends all connections; on_gone is called for what is under way. */
void ui_http_free(struct ui_http *h);
/** Serve a listening socket (taken).  ssl: for UI_DOOR_TLS (borrowed).
 * 0, ERR_NOMEM, ERR_FULL. */
MUST_USE int ui_http_listen(struct ui_http *h, int fd, enum ui_door door,
			    struct ssl_ctx_st *ssl);

const struct ui_head *ui_req_head(const struct ui_req *rq);
struct view ui_req_body(const struct ui_req *rq);
enum ui_door ui_req_door(const struct ui_req *rq);
/** User at the other end of the Unix socket, (uid_t)-1 elsewhere. */
uid_t ui_req_uid(const struct ui_req *rq);
/** Address of the client, for rate limits and the log. */
const char *ui_req_source(const struct ui_req *rq);

struct ui_reply {
	int status;
	const char *type;	/* media type; NULL: no body */
	const char *fields;	/* further lines, each with CRLF; or NULL */
	const void *body;	/* copied */
	size_t len;
	bool is_close;		/* and no further request */
};
/** Answer; rq is no more. */
void ui_req_reply(struct ui_req *rq, const struct ui_reply *rep);

/**
 * Answer bit by bit, in chunks (RFC 9112 7.1): begin, parts, then end or cut.
 * Until then on_gone tells when the client left, or does not take what waits for
 * UI_WRITE_MS.
 *
 * @param rep its body is the first part.
 */
void ui_req_begin(struct ui_req *rq, const struct ui_reply *rep);
/** A further part; false: the client is slow, and it was not taken. */
MUST_USE bool ui_req_part(struct ui_req *rq, const void *p, size_t len);
/** The stream is whole; rq is no more. */
void ui_req_end(struct ui_req *rq);
/** It is not: the connection is closed, so that the client notices; rq is no
 * more, and on_gone is not called. */
void ui_req_cut(struct ui_req *rq);

#endif
