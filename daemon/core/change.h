/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/change.h - what another configuration would change, and what is wrong
 * in one, as records of an answer.
 *
 * Pure.  Thread: any.
 */
#ifndef TAPIR_CORE_CHANGE_H
#define TAPIR_CORE_CHANGE_H

#include "conf/conf.h"
#include "conf/diff.h"
#include "daemon/bus/bus.h"

/** One change as CHANGE. */
void change_rec(const struct conf_change *ch, struct bus_rec *out);
/** The sum of them as CHANGES; confirm_s: seconds until it is undone, 0 = not. */
void change_sum_rec(const struct conf_diff_sum *sum, uint32_t confirm_s,
		    struct bus_rec *out);

/** One mistake as MISTAKE: file, line, column, code, and the line that tapir check
 * prints. */
void mistake_rec(const struct conf_errs *errs, const struct conf_err *e,
		 struct bus_rec *out);
/** Every mistake, a line each, for mistake_parse(); free() it.  NULL without
 * memory. */
char *mistake_lines(const struct conf_errs *errs);
/** One of these lines as MISTAKE; what is none becomes a mistake without a place. */
void mistake_parse(const char *line, struct bus_rec *out);

#endif
