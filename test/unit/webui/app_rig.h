/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/webui/app_rig.h - requests as the table of paths takes them, with HTTP,
 * the core and the process that knows the accounts made up.
 */
#ifndef TAPIR_TEST_APP_RIG_H
#define TAPIR_TEST_APP_RIG_H

#include "webui/app.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "daemon/bus/cap_wire.h"
#include "test/lib/test.h"
#include "webui/asset.h"
#include "webui/capture.h"
#include "webui/desk.h"
#include "webui/edit.h"
#include "webui/gate.h"
#include "webui/metrics_page.h"
#include "webui/typed.h"

#define LINK "0123456789abcdef"

static const struct ui_asset_set no_assets;

/* A request, and what became of it. */
struct ui_req {
	struct ui_head head;
	char body[1024];
	enum ui_door door;
	int status;			/* 0: no answer yet */
	char fields[512], text[1 << 16];
	size_t len;
	bool is_begun, is_ended, is_cut, is_slow;
};

static struct {
	struct ui_app app;
	uint64_t now_ns;
	struct bus_rec cmd;		/* the last to the core */
	uint32_t tag;
	unsigned n_cmd;
	char user[64], text[1024];
	int refuse;
	const char *source;		/* of requests; NULL: some address */
} w;

/* ---- HTTP ------------------------------------------------------------------ */

const struct ui_head *
ui_req_head(const struct ui_req *rq)
{
	return &rq->head;
}

struct view
ui_req_body(const struct ui_req *rq)
{
	return (struct view){ (const uint8_t *)rq->body, strlen(rq->body) };
}

enum ui_door
ui_req_door(const struct ui_req *rq)
{
	return rq->door;
}

uid_t
ui_req_uid(const struct ui_req *rq UNUSED)
{
	return 0;
}

const char *
ui_req_source(const struct ui_req *rq UNUSED)
{
	return w.source != NULL ? w.source : "192.0.2.1";
}

static UNUSED void
keep(struct ui_req *rq, const void *p, size_t len)
{
	assert_true(rq->len + len < sizeof(rq->text));
	if (len > 0)
		memcpy(rq->text + rq->len, p, len);
	rq->len += len;
	rq->text[rq->len] = '\0';
}

static UNUSED void
answer(struct ui_req *rq, const struct ui_reply *rep)
{
	assert_int_equal(rq->status, 0); /* exactly once */
	rq->status = rep->status;
	(void)str_copy(rq->fields, sizeof(rq->fields), rep->fields != NULL ?
		       rep->fields : "");
	keep(rq, rep->body, rep->len);
}

void
ui_req_reply(struct ui_req *rq, const struct ui_reply *rep)
{
	answer(rq, rep);
}

void
ui_req_begin(struct ui_req *rq, const struct ui_reply *rep)
{
	answer(rq, rep);
	rq->is_begun = true;
}

bool
ui_req_part(struct ui_req *rq, const void *p, size_t len)
{
	assert_true(rq->is_begun && !rq->is_ended && !rq->is_cut);
	if (!rq->is_slow)
		keep(rq, p, len);
	return !rq->is_slow;
}

void
ui_req_end(struct ui_req *rq)
{
	assert_true(rq->is_begun && !rq->is_ended && !rq->is_cut);
	rq->is_ended = true;
}

void
ui_req_cut(struct ui_req *rq)
{
	assert_true(rq->is_begun && !rq->is_ended && !rq->is_cut);
	rq->is_cut = true;
}

/* ---- the core -------------------------------------------------------------- */

static UNUSED int
core(void *ctx UNUSED, uint32_t tag, const char *user, struct bus_rec *cmd)
{
	if (w.refuse != 0)
		return w.refuse;
	w.cmd = *cmd;
	w.tag = tag;
	w.n_cmd++;
	(void)str_copy(w.user, sizeof(w.user), user != NULL ? user : "");
	return 0;
}

static UNUSED int
page_core(void *ctx, uint32_t tag, struct bus_rec *cmd)
{
	return core(ctx, tag, NULL, cmd);
}

static UNUSED int
supervisor(void *ctx UNUSED, const struct bus_rec *cmd, struct view text)
{
	if (w.refuse != 0)
		return w.refuse;
	w.cmd = *cmd;
	w.n_cmd++;
	assert_true(text.len < sizeof(w.text));
	if (text.len > 0)
		memcpy(w.text, text.p, text.len);
	w.text[text.len] = '\0';
	return 0;
}

/* The process that knows the accounts: what was asked last, and whom to tell.
 * &gate is a struct ui_gate that nobody looks into. */
static struct {
	struct pass_ask q;
	ui_gate_fn *fn;
	void *ctx;
	unsigned n;
	struct {			/* all that were asked, to answer them */
		ui_gate_fn *fn;
		void *ctx;
	} all[64];
} gate;

int
ui_gate_ask(struct ui_gate *g UNUSED, const struct pass_ask *q, ui_gate_fn *fn,
	    void *ctx)
{
	gate.q = *q;
	gate.fn = fn;
	gate.ctx = ctx;
	gate.all[gate.n % N_OF(gate.all)].fn = fn;
	gate.all[gate.n % N_OF(gate.all)].ctx = ctx;
	gate.n++;
	return 0;
}

/* tapir-secure, for typed passwords. */
static struct {
	struct prompt_ask q;
	ui_typed_fn *fn;
	void *ctx;
	unsigned n;
} typed;

int
ui_typed_ask(struct ui_typed *t UNUSED, const struct prompt_ask *q,
	     ui_typed_fn *fn, void *ctx)
{
	typed.q = *q;
	typed.fn = fn;
	typed.ctx = ctx;
	typed.n++;
	return 0;
}

static UNUSED uint64_t
fake_clock(void *ctx UNUSED)
{
	return w.now_ns;
}

static UNUSED void
begin(void)
{
	const struct ui_capture_ops cap = { NULL, core };
	const struct ui_page_ops page = { NULL, page_core };
	const struct ui_edit_ops edit = { NULL, supervisor };
	const struct ui_bus_ops bus = { NULL, core, ui_app_answer };

	memset(&w, 0, sizeof(w));
	w.now_ns = 3600000000000;
	clk_set_source(fake_clock, NULL);
	w.app.host[w.app.n_host++] = "localhost";
	w.app.assets = &no_assets;
	w.app.gate = (struct ui_gate *)&gate;
	assert_int_equal(ui_login_new(&w.app.login), 0);
	assert_int_equal(ui_page_new(&w.app.page, &page), 0);
	assert_int_equal(ui_capture_new(&w.app.capture, &cap), 0);
	assert_int_equal(ui_edit_new(&w.app.edit, &edit), 0);
	assert_int_equal(ui_desk_new(&w.app.desk), 0);
	assert_int_equal(ui_bus_new(&w.app.bus, &bus, 4), 0);
}

static UNUSED void
end(void)
{
	ui_capture_free(w.app.capture);
	ui_edit_free(w.app.edit);
	ui_desk_free(w.app.desk);
	ui_page_free(w.app.page);
	ui_login_free(w.app.login);
	ui_bus_free(w.app.bus);
	clk_set_source(NULL, NULL);
}

static UNUSED struct view
v(const char *text)
{
	return (struct view){ (const uint8_t *)text, strlen(text) };
}

/* A request with a token; NULL: on the Unix socket.  match: If-Match, or NULL. */
static UNUSED void
ask_match(struct ui_req *rq, enum ui_method m, const char *path,
	  const char *auth, const char *match, const char *body)
{
	const char *query = strchr(path, '?');

	memset(rq, 0, sizeof(*rq));
	rq->door = auth != NULL ? UI_DOOR_TCP : UI_DOOR_UNIX;
	rq->head.method = m;
	rq->head.path = v(path);
	if (query != NULL) {
		rq->head.path.len = (size_t)(query - path);
		rq->head.query = v(query + 1);
	}
	if (match != NULL)
		rq->head.field[UI_F_IF_MATCH] = v(match);
	rq->head.field[UI_F_HOST] = v("localhost");
	rq->head.field[UI_F_ACCEPT] = v("application/json");
	rq->head.field[UI_F_TYPE] = v("application/json");
	if (auth != NULL)
		rq->head.field[UI_F_AUTH] = v(auth);
	(void)str_copy(rq->body, sizeof(rq->body), body);
	rq->head.body_bytes = strlen(rq->body);
	ui_app_request(&w.app, rq);
}

static UNUSED void
ask(struct ui_req *rq, enum ui_method m, const char *path, const char *auth,
    const char *body)
{
	ask_match(rq, m, path, auth, NULL, body);
}

#define PROOF 0x7c00000000000001	/* of that login */

/* Log in; "Bearer TOKEN". */
static UNUSED const char *
logged_in(enum bus_right right)
{
	static char auth[8][96];
	static unsigned n;
	char token[UI_TOKEN_MAX], *out = auth[n++ % N_OF(auth)];
	struct ui_who *who;

	assert_int_equal(ui_login_add(w.app.login, "hanako", right, clk_ms(),
				      token, &who), 0);
	who->proof = PROOF;
	snprintf(out, sizeof(auth[0]), "Bearer %s", token);
	return out;
}

#endif
