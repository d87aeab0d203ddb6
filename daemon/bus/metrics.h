/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/metrics.h - the answer to METRICS as Prometheus text, or JSON.
 *
 *   metrics_new -> metrics_add, each record of the answer -> metrics_write
 *
 * Families, their help and labels are the table metric.def.  For the tapir
 * command, and for who serves /metrics.  Thread: the owner.
 */
#ifndef TAPIR_BUS_METRICS_H
#define TAPIR_BUS_METRICS_H

#include <stdio.h>
#include "daemon/bus/bus.h"

#define METRICS_BYTES_MAX (64u << 20)	/* of one answer; ours */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8" /* of the text */

struct metrics;

MUST_USE int metrics_new(struct metrics **out);
/** NULL is fine. */
void metrics_free(struct metrics *m);
/** Keep a record of the answer; what is no metric is passed over.  What does not
 * fit is told by metrics_check().  @param m  a struct metrics. */
void metrics_add(void *m, const struct bus_rec *r);
/** 0, or why it is not complete: ERR_NOMEM, ERR_LIMIT. */
MUST_USE int metrics_check(const struct metrics *m);
/** Text exposition format 0.0.4: each family once, with HELP and TYPE, also when
 * it has no sample now. */
void metrics_write(const struct metrics *m, FILE *out);
/** An array of families: name, type, help, samples (labels, value). */
void metrics_json(const struct metrics *m, FILE *out);

#endif
