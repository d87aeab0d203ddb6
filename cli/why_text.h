/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/why_text.h - the answer of tapir why for people.
 */
#ifndef TAPIR_CLI_WHY_TEXT_H
#define TAPIR_CLI_WHY_TEXT_H

#include "cli/ask.h"
#include "why/why.h"

/** Head, checks, causes with cures, and behind the first cause what was compared;
 * no line is wider than s->width.
 *
 * @param a     records of an answer to WHY, in their order.
 * @param lang  of the few words around what the daemon says. */
void why_text(const struct show *s, const struct ask_list *a,
	      enum why_lang lang);

#endif
