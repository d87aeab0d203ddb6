/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/head.h - the strict check of a request's head, before libevent sees it.
 *
 * What a lenient server takes and a strict proxy reads differently is refused
 * here: lines that end in a bare LF, folded fields, blanks before a colon, two
 * lengths, Transfer-Encoding, targets with a scheme or with escapes.
 *
 * Pure: bytes in, a struct of views out.  Thread: any.  RFC 9110, RFC 9112.
 */
#ifndef TAPIR_WEBUI_HEAD_H
#define TAPIR_WEBUI_HEAD_H

#include "daemon/base/base.h"

#define UI_HEAD_MAX  (16u << 10)	/* bytes of request line and fields; ours */
#define UI_FIELD_MAX 64			/* fields; ours */
#define UI_BODY_MAX  (64u << 10)	/* bytes of a body; ours */

enum ui_method {
	UI_GET = 1, UI_HEAD = 2, UI_POST = 4, UI_PUT = 8, UI_DELETE = 16,
};

/* Fields that are looked at; each may stand once. */
enum ui_field {
	UI_F_HOST, UI_F_LENGTH, UI_F_AUTH, UI_F_TYPE, UI_F_ACCEPT, UI_F_ORIGIN,
	UI_F_SITE, UI_F_MODE, UI_F_DEST, UI_F_ENCODING, UI_F_IF_NONE, UI_F_IF_MATCH,
	UI_F_EXPECT, UI_F_TRANSFER, UI_F_CONNECTION, UI_F_END
};

/* All views point into the bytes that were given. */
struct ui_head {
	enum ui_method method;
	struct view path;	/* "/bus/read/1f.." */
	struct view query;	/* "after=3", or empty */
	struct view field[UI_F_END]; /* value without blanks around it; p NULL =
				      * not there */
	uint64_t body_bytes;
	size_t head_bytes;	/* to the blank line's end */
};

/**
 * Read the head of a request.
 *
 * @param out written on success only.
 * @return 0; ERR_AGAIN: more bytes are needed; else an HTTP status of 400 or
 *         above: refuse it so and close.
 */
MUST_USE int ui_head_parse(const void *p, size_t len, struct ui_head *out);

/** Does a view hold this text?  _ci: without regard to the case of letters. */
bool ui_view_is(struct view v, const char *text);
bool ui_view_is_ci(struct view v, const char *text);
/** Does a comma separated list hold this word, parameters apart?  Not with "q=0",
 * which says that it is not wanted (RFC 9110 12.4.2). */
bool ui_list_has(struct view list, const char *word);
/** Does If-None-Match name this entity tag, as a strong or a weak one, or any by
 * "*"?  RFC 9110 13.1.2. */
bool ui_list_has_tag(struct view list, const char *tag);
/** The value of name= in a query; false when it is not there. */
bool ui_query_get(struct view query, const char *name, struct view *out);

#endif
