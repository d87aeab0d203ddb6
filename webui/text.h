/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/text.h - text that grows, in memory that is used again for the next one:
 * what a batch is written to, an item every microsecond when much happens.
 *
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_TEXT_H
#define TAPIR_WEBUI_TEXT_H

#include <stdint.h>
#include "daemon/base/base.h"

#define UI_TEXT_KEEP (1u << 18)	/* bytes kept for the next text; ours */

struct ui_text {
	char *p;		/* [cap], owned; no NUL */
	size_t n, cap;
	bool is_bad;		/* there was no memory: not whole */
};

/** Empty it, for the next one; gives back what is more than UI_TEXT_KEEP. */
void ui_text_clear(struct ui_text *t);
void ui_text_fini(struct ui_text *t);
void ui_text_add(struct ui_text *t, const void *p, size_t n);
/** A string. */
void ui_text_str(struct ui_text *t, const char *s);
/** A number, in decimal. */
void ui_text_u64(struct ui_text *t, uint64_t v);

#endif
