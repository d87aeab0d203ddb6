/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/gate.h - questions about passwords, to the process that decides.
 *
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_GATE_H
#define TAPIR_WEBUI_GATE_H

#include "daemon/base/base.h"
#include "daemon/ipc/pass.h"

#define UI_GATE_MAX 16 /* questions under way; ours */

struct event_base;
struct ui_gate;

typedef void ui_gate_fn(void *ctx, const struct pass_answer *a);

/** @param fd channel (taken), or -1: none yet. */
MUST_USE int ui_gate_new(struct ui_gate **out, struct event_base *base, int fd);
void ui_gate_free(struct ui_gate *g);
/** A new process decides from now on; what is under way gets no. */
void ui_gate_renew(struct ui_gate *g, int fd);
/** Ask; fn is called once, later.  0, ERR_CLOSED, ERR_FULL, ERR_LONG. */
MUST_USE int ui_gate_ask(struct ui_gate *g, const struct pass_ask *ask,
			 ui_gate_fn *fn, void *ctx);

#endif
