/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/desk.h - /desk: accounts, users, certificates and invitations, for admins.
 *
 *   GET /desk?what=&realm=  what there is: names, roles and ends, no secret
 *   POST /desk              do something; a proof is wanted
 *   GET /get/TOKEN          what was made, for anybody who has the link: once
 *
 * A process with rights does it (cli/desk); questions wait with those of /conf
 * (edit.h).  An answer that holds a secret comes sealed for the browser that asked,
 * and is passed on as it is.
 *
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_DESK_H
#define TAPIR_WEBUI_DESK_H

#include "daemon/bus/bus.h"

#define UI_DESK_KEPT 16		/* files that wait to be fetched; ours */
#define UI_DESK_S    600	/* so long they do, as by tapir invite --link */

struct ui_call;
struct ui_desk;

MUST_USE int ui_desk_new(struct ui_desk **out);
void ui_desk_free(struct ui_desk *d);
/** Answer a call with what the desk said; doc is borrowed. */
void ui_desk_say(struct ui_call *c, const struct bus_rec *r, struct view doc);
/** Once a second: what nobody fetched is forgotten. */
void ui_desk_run(struct ui_desk *d, uint64_t now_ms);

#endif
