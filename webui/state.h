/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/state.h - the latest realm and peer records, in the order of their last
 * change; readers remember how far they have looked.
 *
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_STATE_H
#define TAPIR_WEBUI_STATE_H

#include "webui/blob.h"

struct ui_state;

MUST_USE int ui_state_new(struct ui_state **out);
void ui_state_free(struct ui_state *st);
/** Forget everything. */
void ui_state_clear(struct ui_state *st);

/** A new round of records begins. */
void ui_state_begin(struct ui_state *st, uint64_t now_ms);
/** One of them.  True when it is news: more than ages changed, or they were not
 * sent for long. */
bool ui_state_put(struct ui_state *st, const struct bus_rec *r, uint64_t now_ms);
/** The round is complete.  True when something was not in it any more, and is
 * forgotten. */
bool ui_state_end(struct ui_state *st);

/** Was anything changed after a version? */
bool ui_state_has(const struct ui_state *st, uint64_t seen);

/* A change; good until the state changes. */
struct ui_change {
	struct ui_blob *blob;		/* borrowed; NULL: there is none (more) */
	uint64_t version;
	const void *at;
};
/** The oldest change after a version: looks through all that came later. */
struct ui_change ui_state_after(const struct ui_state *st, uint64_t seen);
/** The one after that. */
struct ui_change ui_state_next(const struct ui_state *st,
			       const struct ui_change *c);

#endif
