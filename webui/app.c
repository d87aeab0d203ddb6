/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/app.c - the table of paths, and who may ask.
 */
#include "webui/app.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "webui/asset.h"
#include "webui/capture.h"
#include "webui/metrics_page.h"

enum need { ANYBODY, SOMEBODY };

static ui_call_fn metrics_call;

static const struct row {
	enum ui_method method;
	const char *path;		/* '*' at the end: anything but '/' */
	enum need need;
	ui_call_fn *fn;
} rows[] = {
	{ UI_POST,   "/bus/open",    SOMEBODY, ui_bus_open_call },
	{ UI_PUT,    "/bus/write/*", SOMEBODY, ui_bus_write_call },
	{ UI_GET,    "/bus/read/*",  SOMEBODY, ui_bus_read_call },
	{ UI_DELETE, "/bus/close/*", SOMEBODY, ui_bus_close_call },
	{ UI_GET,    "/metrics",     SOMEBODY, metrics_call },
	{ UI_POST,   "/capture",     SOMEBODY, ui_capture_call },
	{ UI_GET,    "/conf/files",  SOMEBODY, ui_conf_files_call },
	{ UI_GET,    "/conf",	     SOMEBODY, ui_conf_read_call },
	{ UI_PUT,    "/conf",	     SOMEBODY, ui_conf_write_call },
	{ UI_GET,    "/desk",	     SOMEBODY, ui_desk_look_call },
	{ UI_POST,   "/desk",	     SOMEBODY, ui_desk_do_call },
	{ UI_GET,    "/get/*",	     ANYBODY,  ui_desk_get_call },
	{ UI_POST,   "/password",    SOMEBODY, ui_typed_call },
	{ UI_POST,   "/login",	     ANYBODY,  ui_login_call },
	{ UI_GET,    "/login",	     SOMEBODY, ui_whoami_call },
	{ UI_PUT,    "/login",	     SOMEBODY, ui_prove_call },
	{ UI_DELETE, "/login",	     SOMEBODY, ui_logout_call },
};

/* ---- answers --------------------------------------------------------------- */

static const char *
media(enum ui_form form)
{
	return form == UI_JSON ? "application/json" :
	    "application/xml; charset=utf-8";
}

void
ui_call_text(struct ui_call *c, int status, const char *fields, char *text,
	     size_t len)
{
	struct ui_reply rep = {
		.status = status, .type = media(c->form), .fields = fields,
		.body = text, .len = len,
	};

	ui_req_reply(c->rq, &rep);
	free(text);
}

void
ui_call_fail(struct ui_call *c, int status, const char *code, const char *text,
	     const char *hint)
{
	char *out = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&out, &len);
	struct ui_out o;

	if (f != NULL) {
		ui_out_begin(&o, f, c->form, "error");
		ui_out_str(&o, "code", code);
		ui_out_str(&o, "text", text);
		ui_out_str(&o, "hint", hint);
		ui_out_end(&o);
		(void)fclose(f);
	}
	ui_call_text(c, status, status == 401 ?
		     "WWW-Authenticate: Bearer realm=\"tapir\"\r\n" : NULL,
		     out, out != NULL ? len : 0);
}

void
ui_call_stranger(struct ui_call *c)
{
	if (ui_login_failed(c->app->login, ui_req_source(c->rq), c->now_ms))
		ui_call_fail(c, 429, "ERR_AGAIN", "too many wrong attempts from "
			     "here", "wait a minute");
	else
		ui_call_fail(c, 401, "ERR_AUTH", "not logged in, or not any "
			     "more", "tapir web prints a link that logs in");
}

bool
ui_call_proof(struct ui_call *c, struct bus_rec *cmd)
{
	if (c->who == NULL) {
		ui_call_fail(c, 403, err_name(ERR_PROOF), err_text(ERR_PROOF),
			     "POST /login with a link of tapir web, then send "
			     "the token");
		return false;
	}
	if (!ui_call_is_proved(c))
		return false;
	bus_set_u64(cmd, BUS_F_PROOF, c->who->proof);
	return true;
}

bool
ui_call_is_proved(struct ui_call *c)
{
	if (c->who == NULL || c->now_ms - c->who->proof_ms < UI_PROOF_MS)
		return true;
	ui_call_fail(c, 403, err_name(ERR_PROOF), err_text(ERR_PROOF),
		     "PUT /login with the password, or with a new link");
	return false;
}

void
ui_app_forget(struct ui_app *a, uint64_t who)
{
	ui_bus_forget(a->bus, who);
	ui_capture_forget(a->capture, who);
}

void
ui_app_answer(void *app UNUSED, void *rq, int status, enum ui_form form,
	      const char *text, size_t len)
{
	struct ui_reply rep = {
		.status = status, .type = media(form), .body = text, .len = len,
	};

	ui_req_reply(rq, &rep);
}

/* ---- requests -------------------------------------------------------------- */

/* The form of a body; false: a type that we do not read. */
static bool
body_form(struct view type, enum ui_form *out)
{
	*out = UI_XML;
	if (type.p == NULL || ui_list_has(type, "application/xml") ||
	    ui_list_has(type, "text/xml"))
		return true;
	*out = UI_JSON;
	return ui_list_has(type, "application/json");
}

bool
ui_call_object(struct ui_call *c, const char *name, struct ui_obj *out)
{
	enum ui_form form;
	int err;

	if (!body_form(c->head->field[UI_F_TYPE], &form)) {
		ui_call_fail(c, 415, "ERR_UNSUP", "the body is neither XML nor "
			     "JSON", "Content-Type: application/xml or "
			     "application/json");
		return false;
	}
	err = ui_obj_parse(form, ui_req_body(c->rq), name, out);
	if (err == 0)
		return true;
	if (err == ERR_LONG)
		ui_call_fail(c, 413, "ERR_LONG", "the body is too long", "");
	else
		ui_call_fail(c, 400, "ERR_SYNTAX", form == UI_JSON ?
			     "the body is not one flat object of JSON" :
			     "the body is not one element of XML with "
			     "attributes", "tapir-bus(7) has the form");
	return false;
}

bool
ui_call_command(struct ui_call *c, uint32_t row, const char *only,
		const char *example, struct bus_rec *cmd)
{
	struct ui_obj obj;
	char why[256];
	uint32_t tag;
	int err;

	if (!ui_call_object(c, "command", &obj))
		return false;
	err = ui_obj_command(&obj, cmd, &tag, why, sizeof(why));
	ui_obj_wipe(&obj);
	if (err == 0 && cmd->desc->row != row) {
		err = ERR_SYNTAX;
		(void)str_copy(why, sizeof(why), only);
	}
	if (err != 0)
		ui_call_fail(c, 400, err_name(err), why, example);
	return err == 0;
}

/* Does a path fit a row?  tail: what the '*' stands for. */
static bool
row_fits(const struct row *r, struct view path, struct view *tail)
{
	size_t n = strlen(r->path);

	if (r->path[n - 1] != '*')
		return ui_view_is(path, r->path);
	n--;
	if (path.len <= n || memcmp(path.p, r->path, n) != 0)
		return false;
	*tail = (struct view){ path.p + n, path.len - n };
	return memchr(tail->p, '/', tail->len) == NULL;
}

/* The row of a request; NULL, and the methods of rows of the same path. */
static const struct row *
row_of(struct ui_call *c, unsigned *methods)
{
	*methods = 0;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		if (!row_fits(&rows[i], c->head->path, &c->tail))
			continue;
		*methods |= rows[i].method;
		if (rows[i].method == c->head->method)
			return &rows[i];
	}
	return NULL;
}

static void
wrong_method(struct ui_call *c, unsigned methods)
{
	static const struct {
		unsigned method;
		const char *name;
	} known[] = {
		{ UI_GET, "GET" }, { UI_HEAD, "HEAD" }, { UI_POST, "POST" },
		{ UI_PUT, "PUT" }, { UI_DELETE, "DELETE" },
	};
	char fields[80] = "Allow: ";
	bool is_first = true;

	for (unsigned i = 0; i < N_OF(known); i++)
		if ((methods & known[i].method) != 0) {
			str_add(fields, sizeof(fields), "%s%s", is_first ? "" :
				", ", known[i].name);
			is_first = false;
		}
	str_add(fields, sizeof(fields), "\r\n");
	ui_call_text(c, 405, fields, NULL, 0);
}

/* The token of "Bearer TOKEN"; empty when it is something else. */
static struct view
bearer(struct view auth)
{
	static const char word[] = "Bearer ";
	size_t n = sizeof(word) - 1;
	struct view head = { auth.p, n };

	if (auth.p == NULL || auth.len <= n || !ui_view_is_ci(head, word))
		return (struct view){ NULL, 0 };
	return (struct view){ auth.p + n, auth.len - n };
}

/* The Unix socket: the kernel says who it is. */
static bool
local_user(struct ui_call *c)
{
	uid_t uid = ui_req_uid(c->rq);

	if (uid != 0 && uid != c->app->owner)
		return false;
	c->owner = (struct ui_owner){ 0, BUS_RIGHT_ADMIN, "" };
	str_add(c->owner.name, sizeof(c->owner.name), "uid %u", (unsigned)uid);
	return true;
}

void
ui_call_is(struct ui_call *c, struct ui_who *who)
{
	c->who = who;
	c->owner = (struct ui_owner){ who->id, who->right, "" };
	(void)str_copy(c->owner.name, sizeof(c->owner.name), who->name);
}

static void
metrics_call(struct ui_call *c)
{
	ui_page_get(c->app->page, c->rq, c->now_ms);
}

/* Who asks?  Goes on with fn when that is known, now or later. */
static void
identify(struct ui_call *c, ui_call_fn *fn)
{
	if (ui_req_door(c->rq) == UI_DOOR_UNIX &&
	    c->head->field[UI_F_AUTH].p == NULL) {
		if (local_user(c))
			fn(c);
		else
			ui_call_fail(c, 403, "ERR_PERM", "not permitted to this "
				     "user", "run it as root");
		return;
	}
	c->who = ui_login_find(c->app->login,
			       bearer(c->head->field[UI_F_AUTH]), c->now_ms);
	if (c->who != NULL) {
		ui_call_is(c, c->who);
		fn(c);
	} else if (!ui_basic_begin(c, fn)) {
		ui_call_stranger(c);
	}
}

static void
refuse_site(struct ui_call *c, int status)
{
	if (status == 421)
		ui_call_fail(c, status, "ERR_PERM", "this is not a name of this "
			     "server", "use the address that tapir web prints, "
			     "or name it in <web host=>");
	else
		ui_call_fail(c, status, "ERR_PERM", "other sites may not ask "
			     "this server", "");
}

void
ui_app_request(void *app, struct ui_req *rq)
{
	struct ui_call c = {
		.app = app, .rq = rq, .head = ui_req_head(rq),
		.now_ms = clk_ms(),
	};
	const struct row *row;
	unsigned methods;
	int bad;

	c.form = ui_list_has(c.head->field[UI_F_ACCEPT], "application/json") ?
	    UI_JSON : UI_XML;
	if ((bad = ui_site_check(c.app, rq)) != 0) {
		refuse_site(&c, bad);
		return;
	}
	row = row_of(&c, &methods);
	if (row == NULL && methods != 0)
		wrong_method(&c, methods);
	else if (row == NULL)
		ui_asset_serve(c.app->assets, rq);
	else if (row->need == ANYBODY)
		row->fn(&c);
	else
		identify(&c, row->fn);
}
