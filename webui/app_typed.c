/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/app_typed.c - the password of a client realm, typed in the browser.
 *
 *   POST /password  {"realm", "password"} -> 204; then the command "up" uses it
 *
 * It goes to tapir-secure, and nothing of it stays here.  Who may connect a peer may
 * type it.
 */
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "webui/app.h"
#include "webui/typed.h"

/* A request that waits for the answer. */
struct waiting {
	struct ui_call call;	/* rq NULL: its client left */
	bool is_used;
};
static struct waiting waiting[UI_TYPED_MAX];

static void
no_way(struct ui_call *c)
{
	ui_call_fail(c, 503, err_name(ERR_CLOSED), "the password cannot be passed "
		     "on just now", "try again; tapir up asks for it as well");
}

static void
on_answer(void *ctx, const struct prompt_answer *a)
{
	struct waiting own = *(struct waiting *)ctx;
	struct ui_call *c = &own.call;

	memset(ctx, 0, sizeof(own));
	if (c->rq == NULL)
		return;
	c->now_ms = clk_ms();
	if (a == NULL)
		no_way(c);
	else if (a->verdict == PROMPT_KNOWN)
		ui_call_text(c, 204, NULL, NULL, 0);
	else if (a->verdict == PROMPT_NONE)
		ui_call_fail(c, 404, err_name(ERR_NOTFOUND), "this realm asks for "
			     "no password", "<me eap=\"USER\"> without cert= makes "
			     "it do so");
	else
		ui_call_fail(c, 400, err_name(ERR_SYNTAX), "this cannot be a "
			     "password", "");
}

void
ui_typed_gone(const struct ui_req *rq)
{
	for (unsigned i = 0; i < N_OF(waiting); i++)
		if (waiting[i].call.rq == rq)
			waiting[i].call.rq = NULL;
}

static void
ask(struct ui_call *c, const struct prompt_ask *q)
{
	struct waiting *w = NULL;
	int err = ERR_FULL;

	for (unsigned i = 0; i < N_OF(waiting) && w == NULL; i++)
		if (!waiting[i].is_used)
			w = &waiting[i];
	if (w != NULL && c->app->typed != NULL) {
		*w = (struct waiting){ *c, true };
		err = ui_typed_ask(c->app->typed, q, on_answer, w);
		if (err != 0)
			memset(w, 0, sizeof(*w));
	}
	if (err != 0)
		no_way(c);
}

void
ui_typed_call(struct ui_call *c)
{
	struct prompt_ask q = { .has_word = true };
	const char *realm, *word;
	struct ui_obj obj;

	if (c->owner.right < BUS_RIGHT_OPERATE) {
		ui_call_fail(c, 403, err_name(ERR_PERM), "a viewer may not do "
			     "this", "");
		return;
	}
	if (!ui_call_object(c, "password", &obj))
		return;
	realm = ui_obj_get(&obj, "realm");
	word = ui_obj_get(&obj, "password");
	if (realm == NULL || word == NULL || *word == '\0' ||
	    !str_copy(q.realm, sizeof(q.realm), realm) ||
	    !str_copy(q.word, sizeof(q.word), word))
		ui_call_fail(c, 400, err_name(ERR_SYNTAX), "realm or password is "
			     "missing, or too long", "");
	else
		ask(c, &q);
	wipe(&q, sizeof(q));
	ui_obj_wipe(&obj);
}
