/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/app_edit.c - /conf.
 */
#include "webui/edit.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "webui/app.h"
#include "webui/desk.h"

/* One request: waits for its turn, then for the answer. */
struct question {
	bool is_used;
	struct ui_call call;		/* rq NULL: its client left */
	struct bus_rec cmd;
	uint8_t *text;			/* of a write; NULL: none */
	size_t len;
	uint64_t number;		/* in the order they came */
};

struct ui_edit {
	struct ui_edit_ops ops;
	struct question q[UI_EDIT_MAX];
	struct question *now;		/* the supervisor was asked; or NULL */
	uint32_t tag;			/* of that */
	uint64_t until_ms, n_question;
	/* its answer so far */
	FILE *items;
	char *items_text;
	size_t items_len;
	unsigned n_item;
	char digest[32], file[BUS_STR_MAX];
	uint8_t *doc;
	size_t doc_len;
	struct bus_rec desk;		/* what the desk said; desc NULL: nothing */
};

/* ---- the answer ------------------------------------------------------------ */

static void
answer_forget(struct ui_edit *e)
{
	if (e->items != NULL)
		(void)fclose(e->items);
	free(e->items_text);
	if (e->doc != NULL)
		wipe(e->doc, e->doc_len);
	free(e->doc);
	wipe(&e->desk, sizeof(e->desk));
	e->items = NULL;
	e->items_text = NULL;
	e->doc = NULL;
	e->doc_len = 0;
	e->n_item = 0;
	e->digest[0] = e->file[0] = '\0';
}

static void
question_end(struct ui_edit *e, struct question *q)
{
	if (e->now == q) {
		answer_forget(e);
		e->now = NULL;
	}
	free(q->text);
	wipe(q, sizeof(*q));	/* a new password may be in it */
}

static void
refuse(struct question *q, int status, int err, const char *text,
       const char *hint)
{
	if (q->call.rq != NULL)
		ui_call_fail(&q->call, status, err_name(err), text, hint);
	q->call.rq = NULL;
}

/* Who waits longest is next. */
static void
ask_next(struct ui_edit *e)
{
	struct question *q;
	struct view text;
	int err;

	while (e->now == NULL) {
		q = NULL;
		for (unsigned i = 0; i < UI_EDIT_MAX; i++)
			if (e->q[i].is_used && (q == NULL ||
						e->q[i].number < q->number))
				q = &e->q[i];
		if (q == NULL)
			return;
		if (++e->tag == 0)
			e->tag = 1;
		q->cmd.tag = e->tag;
		text = (struct view){ q->text, q->len };
		err = q->call.rq == NULL ? ERR_CLOSED :
		    e->ops.send(e->ops.ctx, &q->cmd, text);
		if (err == 0) {
			e->now = q;
			e->until_ms = clk_ms() + UI_EDIT_MS;
			e->items = open_memstream(&e->items_text,
						  &e->items_len);
			return;
		}
		refuse(q, 503, err, "tapird does not answer", "try again");
		question_end(e, q);
	}
}

/* {"ok":true,"digest":"...","items":[...]}, or the same as XML. */
static void
say(struct ui_edit *e, int status, const struct bus_rec *end)
{
	struct ui_call *c = &e->now->call;
	bool is_ok = end->desc->row == BUS_RES_DONE, is_json = c->form == UI_JSON;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct ui_out o;

	if (f == NULL || e->items == NULL || fflush(e->items) != 0) {
		refuse(e->now, 503, ERR_NOMEM, err_text(ERR_NOMEM), "");
		if (f != NULL)
			(void)fclose(f);
		free(text);
		return;
	}
	ui_out_begin(&o, f, c->form, "conf");
	ui_out_bool(&o, "ok", is_ok);
	if (!is_ok) {
		ui_out_str(&o, "code", bus_str(end, BUS_F_CODE));
		ui_out_str(&o, "hint", bus_str(end, BUS_F_HINT));
	}
	ui_out_str(&o, "text", bus_str(end, BUS_F_TEXT));
	if (*e->digest != '\0' && e->now->cmd.desc->row == BUS_CMD_CONF_WRITE)
		ui_out_str(&o, "digest", e->digest);
	fputs(is_json ? ",\"items\":[" : ">", f);
	fwrite(e->items_text, 1, e->items_len, f);
	fputs(is_json ? "]}\n" : "</conf>\n", f);
	(void)fclose(f);
	ui_call_text(c, status, NULL, text, len);
	c->rq = NULL;
}

/* A file as it is. */
static void
say_file(struct ui_edit *e)
{
	struct ui_call *c = &e->now->call;
	char fields[BUS_STR_MAX + 96] = "";
	struct ui_reply rep = {
		.status = 200, .type = "application/xml; charset=utf-8",
		.fields = fields, .body = e->doc, .len = e->doc_len,
	};

	str_add(fields, sizeof(fields), "ETag: \"%s\"\r\n", e->digest);
	for (const char *p = e->file; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			e->file[0] = '\0'; /* such a name is no field */
	if (*e->file != '\0')
		str_add(fields, sizeof(fields), "Tapir-File: %s\r\n", e->file);
	ui_req_reply(c->rq, &rep);
	c->rq = NULL;
}

static int
status_of(const struct bus_rec *failed)
{
	static const struct {
		int err, status;
	} known[] = {
		{ ERR_CONF, 422 }, { ERR_STALE, 409 }, { ERR_PERM, 403 },
		{ ERR_PROOF, 403 },
		{ ERR_NOTFOUND, 404 }, { ERR_LONG, 413 }, { ERR_SYNTAX, 400 },
		{ ERR_SYS, 500 },
	};

	for (unsigned i = 0; i < N_OF(known); i++)
		if (strcmp(bus_str(failed, BUS_F_CODE),
			   err_name(known[i].err)) == 0)
			return known[i].status;
	return 503;
}

/* What the desk said, or that it said nothing. */
static void
say_desk(struct ui_edit *e)
{
	struct ui_call *c = &e->now->call;

	if (e->desk.desc == NULL)
		refuse(e->now, 503, ERR_SYS, "the desk said nothing", "look "
		       "whether it was done");
	else
		ui_desk_say(c, &e->desk, (struct view){ e->doc, e->doc_len });
	c->rq = NULL;
}

/* The last record: answer the client. */
static void
finish(struct ui_edit *e, const struct bus_rec *end)
{
	if (e->now->call.rq == NULL)
		return;
	if (end->desc->row == BUS_RES_FAILED)
		say(e, status_of(end), end);
	else if (e->now->cmd.desc->row == BUS_CMD_CONF_READ)
		say_file(e);
	else if (e->now->cmd.desc->row == BUS_CMD_DESK)
		say_desk(e);
	else
		say(e, 200, end);
}

static void
item(struct ui_edit *e, const struct bus_rec *r)
{
	enum ui_form form = e->now->call.form;

	if (e->items == NULL)
		return;
	if (form == UI_JSON)
		fputs(e->n_item > 0 ? ",{" : "{", e->items);
	else
		fprintf(e->items, "<%s", ui_rec_element(r));
	ui_rec_write(e->items, form, r);
	e->n_item++;
}

static void
keep_doc(struct ui_edit *e, struct view doc)
{
	free(e->doc);
	e->doc_len = 0;
	e->doc = malloc(doc.len + 1);
	if (e->doc == NULL || doc.len == 0)
		return;
	memcpy(e->doc, doc.p, doc.len);
	e->doc_len = doc.len;
}

void
ui_edit_record(struct ui_edit *e, const struct bus_rec *r, struct view doc)
{
	if (e->now == NULL || r->tag != e->tag)
		return;
	if (r->desc->row == BUS_RES_DONE || r->desc->row == BUS_RES_FAILED) {
		finish(e, r);
		question_end(e, e->now);
		ask_next(e);
		return;
	}
	if (r->desc->row == BUS_RES_CONF_FILE) {
		(void)str_copy(e->digest, sizeof(e->digest),
			       bus_str(r, BUS_F_DIGEST));
		(void)str_copy(e->file, sizeof(e->file), bus_str(r, BUS_F_FILE));
		keep_doc(e, doc);
	}
	if (r->desc->row == BUS_RES_DESK) {
		e->desk = *r;
		keep_doc(e, doc);
		return;
	}
	item(e, r);
}

void
ui_edit_gone(struct ui_edit *e, const struct ui_req *rq)
{
	for (unsigned i = 0; i < UI_EDIT_MAX; i++)
		if (e->q[i].call.rq == rq)
			e->q[i].call.rq = NULL;
}

void
ui_edit_run(struct ui_edit *e, uint64_t now_ms)
{
	if (e->now == NULL || now_ms < e->until_ms)
		return;
	refuse(e->now, 503, ERR_TIMEOUT, "tapird does not answer", "look "
	       "whether it was done");
	question_end(e, e->now);
	ask_next(e);
}

/* ---- requests -------------------------------------------------------------- */

/* Admins only; else it was answered. */
static bool
may(struct ui_call *c)
{
	if (c->owner.right >= BUS_RIGHT_ADMIN)
		return true;
	ui_call_fail(c, 403, "ERR_PERM", "the configuration is for admins", "");
	return false;
}

/* A value of the query as text; false: it is too long. */
static bool
query(struct ui_call *c, const char *name, char *out, size_t cap)
{
	struct view v;

	out[0] = '\0';
	if (!ui_query_get(c->head->query, name, &v))
		return true;
	if (v.len >= cap)
		return false;
	memcpy(out, v.p, v.len);
	out[v.len] = '\0';
	return true;
}

void
ui_edit_put(struct ui_call *c, const struct bus_rec *cmd, struct view text)
{
	struct ui_edit *e = c->app->edit;
	struct question *q = NULL;

	for (unsigned i = 0; i < UI_EDIT_MAX && q == NULL; i++)
		if (!e->q[i].is_used)
			q = &e->q[i];
	if (q == NULL) {
		ui_call_fail(c, 429, "ERR_LIMIT", "too many at the same time",
			     "wait a moment");
		return;
	}
	if (text.len > 0 && (q->text = malloc(text.len)) == NULL) {
		ui_call_fail(c, 503, "ERR_NOMEM", err_text(ERR_NOMEM), "");
		return;
	}
	if (text.len > 0)
		memcpy(q->text, text.p, text.len);
	q->len = text.len;
	q->is_used = true;
	q->call = *c;
	q->cmd = *cmd;
	q->number = e->n_question++;
	ask_next(e);
}

void
ui_conf_files_call(struct ui_call *c)
{
	struct bus_rec cmd;

	if (!may(c))
		return;
	bus_rec_init(&cmd, BUS_CMD_CONF_FILES);
	ui_edit_put(c, &cmd, (struct view){ NULL, 0 });
}

/* The file a request names, into cmd; false: it was answered. */
static bool
file_of(struct ui_call *c, struct bus_rec *cmd)
{
	char file[BUS_STR_MAX];

	if (!query(c, "file", file, sizeof(file))) {
		ui_call_fail(c, 414, "ERR_LONG", "this is no name of a file", "");
		return false;
	}
	bus_set_str(cmd, BUS_F_FILE, file);
	return true;
}

void
ui_conf_read_call(struct ui_call *c)
{
	struct bus_rec cmd;

	bus_rec_init(&cmd, BUS_CMD_CONF_READ);
	if (may(c) && file_of(c, &cmd))
		ui_edit_put(c, &cmd, (struct view){ NULL, 0 });
}

/* The digest in If-Match: one entity tag (RFC 9110 13.1.1). */
static bool
digest_of(struct view v, char *out, size_t cap)
{
	if (v.p == NULL || v.len < 3 || v.len - 2 >= cap || v.p[0] != '"' ||
	    v.p[v.len - 1] != '"')
		return false;
	memcpy(out, v.p + 1, v.len - 2);
	out[v.len - 2] = '\0';
	return true;
}

void
ui_conf_write_call(struct ui_call *c)
{
	char digest[32] = "";
	struct bus_rec cmd;
	struct view dry;
	bool is_dry;

	bus_rec_init(&cmd, BUS_CMD_CONF_WRITE);
	if (!may(c) || !file_of(c, &cmd))
		return;
	is_dry = ui_query_get(c->head->query, "dry", &dry);
	if (is_dry && !ui_view_is(dry, "1")) {
		ui_call_fail(c, 400, "ERR_SYNTAX", "dry is 1, or not there", "");
		return;
	}
	if (!is_dry && !ui_call_proof(c, &cmd))
		return;
	if (!is_dry && !digest_of(c->head->field[UI_F_IF_MATCH], digest,
				  sizeof(digest))) {
		ui_call_fail(c, 428, "ERR_SYNTAX", "which text is it to take "
			     "the place of?", "If-Match: with the ETag of GET "
			     "/conf");
		return;
	}
	bus_set_str(&cmd, BUS_F_DIGEST, digest);
	bus_set_bool(&cmd, BUS_F_IS_DRY, is_dry);
	ui_edit_put(c, &cmd, ui_req_body(c->rq));
}

/* ---- start and end --------------------------------------------------------- */

int
ui_edit_new(struct ui_edit **out, const struct ui_edit_ops *ops)
{
	struct ui_edit *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return ERR_NOMEM;
	e->ops = *ops;
	*out = e;
	return 0;
}

void
ui_edit_free(struct ui_edit *e)
{
	if (e == NULL)
		return;
	for (unsigned i = 0; i < UI_EDIT_MAX; i++)
		question_end(e, &e->q[i]);
	answer_forget(e);
	free(e);
}
