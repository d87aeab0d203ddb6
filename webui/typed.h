/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/typed.h - passwords of EAP that people type in the browser, on their way to
 * tapir-secure.
 *
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_TYPED_H
#define TAPIR_WEBUI_TYPED_H

#include "daemon/base/base.h"
#include "daemon/ipc/prompt.h"

#define UI_TYPED_MAX 8 /* questions under way; ours */

struct event_base;
struct ui_req;
struct ui_typed;

/** a NULL: the way was closed before the answer. */
typedef void ui_typed_fn(void *ctx, const struct prompt_answer *a);

/** @param fd connection to tapir-secure (taken), or -1: none yet. */
MUST_USE int ui_typed_new(struct ui_typed **out, struct event_base *base, int fd);
void ui_typed_free(struct ui_typed *t);
/** Another one answers from now on; what is under way fails. */
void ui_typed_renew(struct ui_typed *t, int fd);
/** Ask; fn is called once, later.  0, ERR_CLOSED, ERR_FULL, ERR_LONG. */
MUST_USE int ui_typed_ask(struct ui_typed *t, const struct prompt_ask *ask,
			  ui_typed_fn *fn, void *ctx);

/** The client of a request left.  app_typed.c. */
void ui_typed_gone(const struct ui_req *rq);

#endif
