/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/edit.h - /conf: the files of the configuration, read and written for admins.
 *
 *   GET /conf/files       which there are
 *   GET /conf?file=       one of them, its digest as ETag
 *   PUT /conf?file=&dry=1 what this text would change, or what is wrong in it
 *   PUT /conf?file=       write it, if it is still as If-Match says
 *
 * The supervisor owns the files and decides; it answers one question at a time,
 * others wait here.
 *
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_EDIT_H
#define TAPIR_WEBUI_EDIT_H

#include "daemon/bus/bus.h"

#define UI_EDIT_MAX 8		/* questions at a time; ours */
#define UI_EDIT_MS  15000	/* for an answer; ours */

struct ui_call;
struct ui_edit;
struct ui_req;

struct ui_edit_ops {
	void *ctx;
	/** A question to the supervisor, with a text.  0, ERR_FULL, ERR_CLOSED. */
	int (*send)(void *ctx, const struct bus_rec *cmd, struct view text);
};

MUST_USE int ui_edit_new(struct ui_edit **out, const struct ui_edit_ops *ops);
/** NULL is fine; who waits is not answered any more. */
void ui_edit_free(struct ui_edit *e);
/** Queue a question of a call, which is answered later; text is copied. */
void ui_edit_put(struct ui_call *c, const struct bus_rec *cmd, struct view text);
/** A record of the supervisor; doc: the text that came with it. */
void ui_edit_record(struct ui_edit *e, const struct bus_rec *r,
		    struct view doc);
/** The client behind rq went away. */
void ui_edit_gone(struct ui_edit *e, const struct ui_req *rq);
/** Once a second. */
void ui_edit_run(struct ui_edit *e, uint64_t now_ms);

#endif
