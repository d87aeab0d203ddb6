/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/app.h - what the browser may ask: the table of paths, who may ask, and
 * what is answered.
 *
 *   request -> is it ours? (site.c) -> row of the table (app.c) -> who is it?
 *           -> login paths (app_login.c), bus paths (app_bus.c), files (asset.h)
 *
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_APP_H
#define TAPIR_WEBUI_APP_H

#include <sys/types.h>
#include "webui/form.h"
#include "webui/http.h"
#include "webui/login.h"
#include "webui/session.h"

#define UI_HOST_MAX 16 /* names we answer to; ours */

struct ui_asset_set;
struct ui_capture;
struct ui_desk;
struct ui_edit;
struct ui_gate;
struct ui_page;
struct ui_typed;

struct ui_app {
	struct ui_bus *bus;
	struct ui_login *login;
	struct ui_page *page;		/* of metrics */
	struct ui_capture *capture;
	struct ui_edit *edit;
	struct ui_desk *desk;
	struct ui_gate *gate;		/* passwords; NULL: none */
	struct ui_typed *typed;		/* those of EAP; NULL: no way */
	const struct ui_asset_set *assets;
	uid_t owner;			/* who besides root may use bus.sock */
	bool needs_cert;		/* by TLS only with a certificate */
	unsigned n_host;
	const char *host[UI_HOST_MAX];	/* lower case, without a port */
};

/* What a request is, beyond its head. */
struct ui_call {
	struct ui_app *app;
	struct ui_req *rq;
	const struct ui_head *head;
	struct view tail;		/* what "*" of the path stands for */
	struct ui_owner owner;		/* who asks, once known */
	struct ui_who *who;		/* NULL: the kernel says who, on the Unix
					 * socket */
	enum ui_form form;		/* of the answer */
	uint64_t now_ms;
};
typedef void ui_call_fn(struct ui_call *c);

/** ui_http_ops. */
void ui_app_request(void *app, struct ui_req *rq);
void ui_app_gone(void *app, struct ui_req *rq);
/** A login is over: so is all that it has under way. */
void ui_app_forget(struct ui_app *a, uint64_t who);
/** Once a second: do the accounts of those who are logged in still stand?  Logins of
 * one that was removed or changed end.  app_still.c. */
void ui_app_check(struct ui_app *a, uint64_t now_ms);
/** ui_bus_ops: the end of a held read. */
void ui_app_answer(void *app, void *rq, int status, enum ui_form form,
		   const char *text, size_t len);

/* ---- between the files ------------------------------------------------------ */

/** May this request come from where it comes from?  0, or the status to refuse it
 * with.  site.c. */
int ui_site_check(const struct ui_app *a, const struct ui_req *rq);

/** It is this login that asks. */
void ui_call_is(struct ui_call *c, struct ui_who *who);
/** Did whoever asks prove lately who he is?  Else it is answered: 403, ERR_PROOF. */
bool ui_call_is_proved(struct ui_call *c);
/** The same for what the supervisor does not do without: the number of the proof is
 * put into cmd.  The Unix socket proves nothing. */
bool ui_call_proof(struct ui_call *c, struct bus_rec *cmd);
/** Answer with <error code= text= hint=/> of the call's form. */
void ui_call_fail(struct ui_call *c, int status, const char *code,
		  const char *text, const char *hint);
/** Answer with what was written (malloc()ed text, freed here). */
void ui_call_text(struct ui_call *c, int status, const char *fields, char *text,
		  size_t len);
/** The body as an object; answers and returns false when it is none. */
bool ui_call_object(struct ui_call *c, const char *name, struct ui_obj *out);
/**
 * The body as the one command that is taken here, answered otherwise.
 *   row      of the command (BUS_CMD_*)
 *   only     the refusal of another one, example a body that would do
 *   cmd      written; the caller wipes it where it has secrets
 */
bool ui_call_command(struct ui_call *c, uint32_t row, const char *only,
		     const char *example, struct bus_rec *cmd);
/** "no such login": 401 with its challenge, 429 when there were too many. */
void ui_call_stranger(struct ui_call *c);

ui_call_fn ui_bus_open_call, ui_bus_write_call, ui_bus_read_call,
    ui_bus_close_call;				/* app_bus.c */
ui_call_fn ui_login_call, ui_whoami_call, ui_logout_call, ui_prove_call;
						/* app_login.c */
ui_call_fn ui_capture_call;			/* app_capture.c */
ui_call_fn ui_conf_files_call, ui_conf_read_call, ui_conf_write_call;
						/* app_edit.c */
ui_call_fn ui_desk_look_call, ui_desk_do_call, ui_desk_get_call;
						/* app_desk.c */
ui_call_fn ui_typed_call;			/* app_typed.c */
/** Start a check of the Basic credentials of a call; false: there are none, or
 * they are not for a browser.  The call is answered or continued with fn. */
bool ui_basic_begin(struct ui_call *c, ui_call_fn *fn);

#endif
