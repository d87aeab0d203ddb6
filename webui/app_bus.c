/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/app_bus.c - the four verbs of the bus.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "webui/app.h"

static void
bus_fail(struct ui_call *c, int err)
{
	static const struct {
		int err, status;
		const char *text, *hint;
	} known[] = {
		{ ERR_FULL, 503, "too many sessions", "close some of them" },
		{ ERR_LIMIT, 429, "too many at the same time", "wait for what "
		  "is under way, or close sessions" },
		{ ERR_AGAIN, 429, "too many commands", "wait a second" },
		{ ERR_PERM, 403, "not permitted to this role", "" },
		{ ERR_UNSUP, 400, "events come by themselves", "read them" },
		{ ERR_STATE, 400, "its answer is no record", "POST /capture, "
		  "GET and PUT /conf" },
		{ ERR_CLOSED, 503, "tapird does not answer", "try again" },
		{ ERR_RANGE, 416, "after is more than was ever sent", "begin "
		  "with 0, or open a new session" },
		{ ERR_NOTFOUND, 404, "there is no such session", "it may have "
		  "ended: open a new one" },
	};

	for (unsigned i = 0; i < N_OF(known); i++)
		if (known[i].err == err) {
			ui_call_fail(c, known[i].status, err_name(err),
				     known[i].text, known[i].hint);
			return;
		}
	ui_call_fail(c, 503, err_name(err), err_text(err), "");
}

/* The session a path names, or NULL: answered. */
static struct ui_sess *
session(struct ui_call *c)
{
	struct ui_sess *s = ui_sess_find(c->app->bus, c->tail, &c->owner);

	if (s == NULL)
		bus_fail(c, ERR_NOTFOUND);
	return s;
}

void
ui_bus_open_call(struct ui_call *c)
{
	char *text = NULL, fields[96] = "";
	struct ui_sess *s;
	struct ui_out o;
	size_t len = 0;
	FILE *f;
	int err;

	if ((err = ui_sess_open(c->app->bus, &c->owner, c->now_ms, &s)) != 0) {
		bus_fail(c, err);
		return;
	}
	if ((f = open_memstream(&text, &len)) == NULL) {
		ui_sess_close(s);
		bus_fail(c, ERR_NOMEM);
		return;
	}
	ui_out_begin(&o, f, c->form, "session");
	ui_out_str(&o, "id", ui_sess_id(s));
	ui_out_str(&o, "role", ui_role_name(c->owner.right));
	ui_out_num(&o, "hold_s", UI_HOLD_MS / 1000);
	ui_out_end(&o);
	(void)fclose(f);
	str_add(fields, sizeof(fields), "Location: /bus/read/%s\r\n",
		ui_sess_id(s));
	ui_call_text(c, 201, fields, text, len);
}

void
ui_bus_write_call(struct ui_call *c)
{
	struct ui_sess *s = session(c);
	struct ui_obj obj;
	struct bus_rec cmd;
	char why[256];
	uint32_t tag;
	int err;

	if (s == NULL || !ui_call_object(c, "command", &obj))
		return;
	if ((err = ui_obj_command(&obj, &cmd, &tag, why, sizeof(why))) != 0) {
		ui_call_fail(c, 400, err_name(err), why, "tapir-bus(7) lists "
			     "the commands and their fields");
		return;
	}
	if ((err = ui_sess_write(s, &cmd, tag, c->now_ms)) != 0)
		bus_fail(c, err);
	else
		ui_call_text(c, 202, NULL, NULL, 0);
}

static int
after_of(struct view query, uint64_t *out)
{
	struct view v;
	char text[24];

	*out = 0;
	if (!ui_query_get(query, "after", &v))
		return query.len == 0 ? 0 : ERR_SYNTAX;
	if (v.len == 0 || v.len >= sizeof(text))
		return ERR_SYNTAX;
	memcpy(text, v.p, v.len);
	text[v.len] = '\0';
	return str_u64(text, UINT64_MAX - 1, out);
}

void
ui_bus_read_call(struct ui_call *c)
{
	struct ui_sess *s = session(c);
	uint64_t after;
	int err;

	if (s == NULL)
		return;
	if (after_of(c->head->query, &after) != 0) {
		ui_call_fail(c, 400, "ERR_SYNTAX", "after must be a number",
			     "?after=0 at first, then the last= of the batch");
		return;
	}
	err = ui_sess_read(s, after, c->form, c->rq, c->now_ms);
	if (err != 0)
		bus_fail(c, err);
}

void
ui_bus_close_call(struct ui_call *c)
{
	struct ui_sess *s = session(c);

	if (s == NULL)
		return;
	ui_sess_close(s);
	ui_call_text(c, 204, NULL, NULL, 0);
}
