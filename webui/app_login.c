/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/app_login.c - logging in and out, proving again who one is.
 *
 *   POST   /login  {"link":"..."} or {"user","password","code"} -> token
 *   GET    /login  who am I                DELETE /login  log out
 *   PUT    /login  {"password","code"} or {"link"}: prove it again, before secrets
 *
 * A password or a link goes to the process that decides, and the request waits for
 * it.  What comes back is a number, too, by which others ask that process who proved
 * what: tapir-web is not believed.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "webui/app.h"
#include "webui/capture.h"
#include "webui/edit.h"
#include "webui/gate.h"
#include "webui/metrics_page.h"
#include "webui/tls.h"
#include "webui/typed.h"

#define BASIC_BYTES (4 * ((PASS_NAME_MAX + PASS_WORD_MAX + 3) / 3) + 4)

#define BY_LINK "root"		/* who came by a link */
#define LINK_WRONG "this link was used already, or its time is over"
#define LINK_HINT  "tapir web prints a new one"

#define PLACES	  (UI_GATE_MAX / 2) /* the rest is for app_still.c */
#define OF_SOURCE 2		/* of those, passwords of one source; ours */
#define LINKS_OF  4		/* and links; ours */

/* A request that waits for the decision. */
struct waiting {
	struct ui_call call;		/* rq NULL: its client left */
	bool is_link;			/* else a password */
	char name[UI_NAME_MAX];
	char token[UI_TOKEN_MAX];	/* of Basic: its digest */
	uint64_t who;			/* whom a proof is for */
	ui_call_fn *fn;			/* Basic: what is asked for */
	bool is_used;
	char source[UI_SOURCE_MAX];	/* its network; stays when it left */
};
static struct waiting waiting[PLACES];

/* ---- answers --------------------------------------------------------------- */

static void
who_write(struct ui_call *c, const char *token)
{
	char *text = NULL;
	struct ui_out o;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL) {
		ui_call_fail(c, 503, "ERR_NOMEM", "out of memory", "");
		return;
	}
	ui_out_begin(&o, f, c->form, "login");
	if (token != NULL)
		ui_out_str(&o, "token", token);
	ui_out_str(&o, "user", c->who != NULL ? c->who->name : BY_LINK);
	ui_out_str(&o, "role", ui_role_name(c->owner.right));
	ui_out_num(&o, "idle_s", UI_LOGIN_IDLE_MS / 1000);
	ui_out_bool(&o, "proved", c->who == NULL ||
		    c->now_ms - c->who->proof_ms < UI_PROOF_MS);
	ui_out_end(&o);
	(void)fclose(f);
	ui_call_text(c, 200, NULL, text, len);
}

/* What was proved, and by what. */
static void
proved(struct ui_who *who, const struct waiting *w, const struct pass_answer *a)
{
	who->proof = a->proof;
	who->proof_ms = w->call.now_ms;
	who->is_account = !w->is_link;
	who->stamp = a->stamp;
	who->checked_ms = w->call.now_ms;
}

static enum bus_right
right_of(enum pass_role role)
{
	return role == PASS_ADMIN ? BUS_RIGHT_ADMIN : role == PASS_OPERATOR ?
	    BUS_RIGHT_OPERATE : BUS_RIGHT_VIEW;
}

/* Somebody is known now: give a token. */
static void
let_in(struct waiting *w, const struct pass_answer *a)
{
	struct ui_call *c = &w->call;
	char token[UI_TOKEN_MAX];
	struct ui_who *who;
	int err = ui_login_add(c->app->login, w->name, right_of(a->role),
			       c->now_ms, token, &who);

	if (err != 0) {
		ui_call_fail(c, 503, err_name(err), err_text(err), "");
		return;
	}
	proved(who, w, a);
	ui_call_is(c, who);
	who_write(c, token);
	wipe(token, sizeof(token));
}

static void
later(struct ui_call *c, unsigned wait_s)
{
	char fields[48] = "", hint[48] = "";
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct ui_out o;

	str_add(fields, sizeof(fields), "Retry-After: %u\r\n", wait_s);
	str_add(hint, sizeof(hint), "wait %u s", wait_s);
	if (f != NULL) {
		ui_out_begin(&o, f, c->form, "error");
		ui_out_str(&o, "code", "ERR_AGAIN");
		ui_out_str(&o, "text", "too many attempts");
		ui_out_str(&o, "hint", hint);
		ui_out_num(&o, "retry_s", wait_s);
		ui_out_end(&o);
		(void)fclose(f);
	}
	ui_call_text(c, 429, fields, text, text != NULL ? len : 0);
}

static void
wrong(struct ui_call *c, const char *text, const char *hint)
{
	if (ui_login_failed(c->app->login, ui_req_source(c->rq), c->now_ms))
		later(c, UI_FAIL_MS / 1000);
	else
		ui_call_fail(c, 401, "ERR_AUTH", text, hint);
}

/* ---- the decision ------------------------------------------------------------ */

static void
basic_in(struct waiting *w, const struct pass_answer *a)
{
	struct ui_call *c = &w->call;

	if (ui_login_add_as(c->app->login, w->name, right_of(a->role), c->now_ms,
			    w->token, &c->who) != 0) {
		ui_call_fail(c, 503, "ERR_CRYPTO", "try again", "");
		return;
	}
	c->who->is_basic = true;
	proved(c->who, w, a);
	ui_call_is(c, c->who);
	w->fn(c);
}

/* Somebody who is logged in proved it again.  A link has no name: one of no lower
 * role will do for who came by one. */
static void
proved_again(struct waiting *w, const struct pass_answer *a)
{
	struct ui_call *c = &w->call;

	if (c->who->id != w->who) {
		ui_call_stranger(c); /* it ended meanwhile */
	} else if (w->is_link && right_of(a->role) < c->who->right) {
		wrong(c, LINK_WRONG ", or it is for a lower role", LINK_HINT);
	} else {
		c->who->proof = a->proof;
		c->who->proof_ms = c->now_ms;
		who_write(c, NULL);
	}
}

/* Yes was said to a login, to Basic, or to somebody who is logged in. */
static void
accepted(struct waiting *w, const struct pass_answer *a)
{
	if (w->fn != NULL)
		basic_in(w, a);
	else if (w->who == 0)
		let_in(w, a);
	else
		proved_again(w, a);
}

static void
on_answer(void *ctx, const struct pass_answer *a)
{
	struct waiting *w = ctx;
	struct waiting own = *w;

	wipe(w, sizeof(*w));
	own.call.now_ms = clk_ms();
	if (own.call.rq == NULL)
		return;
	if (a->verdict == PASS_YES)
		accepted(&own, a);
	else if (a->verdict == PASS_LATER)
		later(&own.call, MAX(a->wait_s, 1u));
	else if (own.is_link)
		wrong(&own.call, LINK_WRONG, LINK_HINT);
	else
		wrong(&own.call, "name, password or code is wrong", "");
	wipe(&own, sizeof(own));
}

/* Who has one address of IPv6 has 2^64 of them: the network counts. */
static void
source_of(const struct ui_call *c, char out[UI_SOURCE_MAX])
{
	struct in6_addr in6;

	(void)str_copy(out, UI_SOURCE_MAX, ui_req_source(c->rq));
	if (inet_pton(AF_INET6, out, &in6) != 1 || IN6_IS_ADDR_V4MAPPED(&in6))
		return;
	memset(&in6.s6_addr[8], 0, 8);
	(void)inet_ntop(AF_INET6, &in6, out, UI_SOURCE_MAX);
}

/* A free place; NULL: there is none, or its source has its share of them.  A password
 * takes a tenth of a second, a link none: who floods with passwords keeps neither
 * other sources waiting nor a link from his own. */
static struct waiting *
place_for(const struct waiting *proto, const char *source)
{
	const struct ui_call *c = &proto->call;
	bool is_slowed = ui_login_is_slowed(c->app->login,
					    ui_req_source(c->rq), c->now_ms);
	struct waiting *free_one = NULL;
	unsigned n = 0, most = proto->is_link ? LINKS_OF : is_slowed ? 1 :
	    OF_SOURCE;

	for (unsigned i = 0; i < PLACES; i++)
		if (!waiting[i].is_used)
			free_one = &waiting[i];
		else
			n += waiting[i].is_link == proto->is_link &&
			    strcmp(waiting[i].source, source) == 0;
	return n < most ? free_one : NULL;
}

/* Put the question; the call waits, or was answered. */
static void
ask(struct waiting *proto, struct pass_ask *q)
{
	struct ui_call *c = &proto->call;
	struct waiting *w;
	int err = ERR_FULL;

	source_of(c, proto->source);
	w = place_for(proto, proto->source);
	str_copy(q->source, sizeof(q->source), ui_req_source(c->rq));
	if (c->app->gate == NULL)
		err = ERR_CLOSED;
	if (w != NULL && c->app->gate != NULL) {
		*w = *proto;
		w->is_used = true;
		err = ui_gate_ask(c->app->gate, q, on_answer, w);
		if (err != 0)
			wipe(w, sizeof(*w));
	}
	wipe(q, sizeof(*q));
	if (err == 0)
		return;
	if (err == ERR_CLOSED)
		ui_call_fail(c, 503, err_name(err), "passwords and links cannot "
			     "be looked at just now", "try again in a moment; "
			     "the log of tapird says why");
	else
		later(c, 1);
}

void
ui_app_gone(void *app, struct ui_req *rq)
{
	struct ui_app *a = app;

	for (unsigned i = 0; i < N_OF(waiting); i++)
		if (waiting[i].call.rq == rq)
			waiting[i].call.rq = NULL;
	ui_page_gone(a->page, rq);
	ui_capture_gone(a->capture, rq);
	ui_edit_gone(a->edit, rq);
	ui_typed_gone(rq);
	ui_bus_gone(a->bus, rq);
}

/* ---- paths ------------------------------------------------------------------- */

static bool
put(char *out, size_t cap, const char *text)
{
	return text == NULL || str_copy(out, cap, text);
}

/* A new link, to log in or to prove it again. */
static void
ask_by_link(struct waiting *w, const char *link)
{
	struct ui_call *c = &w->call;
	struct pass_ask q = { .kind = PASS_LINK };

	w->is_link = true;
	(void)str_copy(w->name, sizeof(w->name), BY_LINK);
	/* nobody guesses a link: wrong tokens of a neighbour do not slow it down */
	if (!str_copy(q.word, sizeof(q.word), link))
		wrong(c, LINK_WRONG, LINK_HINT);
	else
		ask(w, &q);
	wipe(&q, sizeof(q));
}

void
ui_login_call(struct ui_call *c)
{
	struct waiting w = { .call = *c };
	struct pass_ask q = { 0 };
	struct ui_obj obj;
	const char *link;

	if (!ui_call_object(c, "login", &obj))
		return;
	link = ui_obj_get(&obj, "link");
	if (link != NULL)
		ask_by_link(&w, link);
	else if (ui_obj_get(&obj, "user") == NULL ||
		 ui_obj_get(&obj, "password") == NULL)
		ui_call_fail(c, 400, "ERR_SYNTAX", "link, or user and password, "
			     "are wanted", "");
	else if (!put(q.name, sizeof(q.name), ui_obj_get(&obj, "user")) ||
		 !put(q.word, sizeof(q.word), ui_obj_get(&obj, "password")) ||
		 !put(q.code, sizeof(q.code), ui_obj_get(&obj, "code")))
		wrong(c, "name, password or code is wrong", "");
	else {
		str_copy(w.name, sizeof(w.name), q.name);
		ask(&w, &q);
	}
	wipe(&q, sizeof(q));
	ui_obj_wipe(&obj);
}

void
ui_prove_call(struct ui_call *c)
{
	struct waiting w = { .call = *c };
	struct pass_ask q = { 0 };
	struct ui_obj obj;

	if (c->who == NULL) {
		who_write(c, NULL);
		return;
	}
	if (!ui_call_object(c, "login", &obj))
		return;
	w.who = c->who->id;
	if (ui_obj_get(&obj, "link") != NULL)
		ask_by_link(&w, ui_obj_get(&obj, "link"));
	else if (ui_obj_get(&obj, "password") == NULL)
		ui_call_fail(c, 400, "ERR_SYNTAX", "password, or a link, is "
			     "wanted", "");
	else if (!put(q.word, sizeof(q.word), ui_obj_get(&obj, "password")) ||
		 !put(q.code, sizeof(q.code), ui_obj_get(&obj, "code")))
		wrong(c, "password or code is wrong", "");
	else {
		str_copy(q.name, sizeof(q.name), c->who->name);
		ask(&w, &q);
	}
	wipe(&q, sizeof(q));
	ui_obj_wipe(&obj);
}

void
ui_whoami_call(struct ui_call *c)
{
	who_write(c, NULL);
}

void
ui_logout_call(struct ui_call *c)
{
	if (c->who != NULL) {
		ui_app_forget(c->app, c->who->id);
		ui_login_end(c->app->login, c->who);
	}
	ui_call_text(c, 204, NULL, NULL, 0);
}

/* ---- Basic, RFC 7617 ----------------------------------------------------------- */

static int
base64_digit(uint8_t b)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = b != '\0' ? strchr(digits, b) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* Whole groups of four; bytes written, or -1. */
static int
base64_dec(struct view v, uint8_t *out, size_t cap)
{
	size_t n = 0, pad = 0;
	uint32_t group = 0;

	while (pad < 2 && v.len > 0 && v.p[v.len - 1 - pad] == '=' &&
	       pad + 1 < v.len)
		pad++;
	if (v.len == 0 || v.len % 4 != 0 || v.len / 4 * 3 > cap)
		return -1;
	for (size_t i = 0; i < v.len; i++) {
		int d = i < v.len - pad ? base64_digit(v.p[i]) : 0;

		if (d < 0)
			return -1;
		group = group << 6 | (uint32_t)d;
		if (i % 4 != 3)
			continue;
		out[n++] = (uint8_t)(group >> 16);
		out[n++] = (uint8_t)(group >> 8);
		out[n++] = (uint8_t)group;
	}
	return (int)(n - pad);
}

/* "name:password" into the question. */
static bool
basic_split(struct view v, struct pass_ask *q)
{
	uint8_t text[BASIC_BYTES];
	int n = base64_dec(v, text, sizeof(text));
	uint8_t *colon = n > 0 ? memchr(text, ':', (size_t)n) : NULL;
	size_t name = colon != NULL ? (size_t)(colon - text) : 0;
	size_t word = colon != NULL ? (size_t)n - name - 1 : 0;
	bool is_ok = colon != NULL && name > 0 && name < sizeof(q->name) &&
	    word < sizeof(q->word) && memchr(text, '\0', (size_t)n) == NULL;

	if (is_ok) {
		memcpy(q->name, text, name);
		memcpy(q->word, colon + 1, word);
	}
	wipe(text, sizeof(text));
	return is_ok;
}

/* What stands for these credentials while they are known. */
static int
basic_token(struct view auth, char out[UI_TOKEN_MAX])
{
	static uint8_t salt[32];
	static bool is_salted;
	uint8_t all[sizeof(salt) + BASIC_BYTES], digest[32];
	int err;

	if (!is_salted && (err = rng_bytes(salt, sizeof(salt))) != 0)
		return err;
	is_salted = true;
	if (auth.len > BASIC_BYTES)
		return ERR_LONG;
	memcpy(all, salt, sizeof(salt));
	memcpy(all + sizeof(salt), auth.p, auth.len);
	err = ui_sha256(all, sizeof(salt) + auth.len, digest);
	wipe(all, sizeof(all));
	str_hex(out, UI_TOKEN_MAX, digest, sizeof(digest));
	return err;
}

bool
ui_basic_begin(struct ui_call *c, ui_call_fn *fn)
{
	static const char word[] = "Basic ";
	const struct view *f = c->head->field;
	struct view auth = f[UI_F_AUTH];
	struct view head = { auth.p, sizeof(word) - 1 };
	struct waiting w = { .call = *c, .fn = fn };
	struct pass_ask q = { 0 };

	if (auth.p == NULL || auth.len <= head.len ||
	    !ui_view_is_ci(head, word) || f[UI_F_SITE].p != NULL ||
	    f[UI_F_ORIGIN].p != NULL)
		return false;
	auth.p += head.len;
	auth.len -= head.len;
	if (basic_token(auth, w.token) != 0 || !basic_split(auth, &q))
		return false;
	c->who = ui_login_find(c->app->login, (struct view){
			       (const uint8_t *)w.token, UI_TOKEN_MAX - 1 },
			       c->now_ms);
	if (c->who != NULL) {
		ui_call_is(c, c->who);
		fn(c);
	} else {
		str_copy(w.name, sizeof(w.name), q.name);
		ask(&w, &q);
	}
	wipe(&q, sizeof(q));
	return true;
}
