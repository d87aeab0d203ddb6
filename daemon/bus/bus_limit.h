/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/bus_limit.h - the same thing, again and again: said a few times,
 * then counted, then "N more like this".
 *
 * Same means: the same code of the same realm and peer.  What an administrator
 * did (BUS_AUDIT_ADMIN, BUS_AUDIT_CONF) is never held back.
 *
 * Thread: the owner's.
 */
#ifndef TAPIR_BUS_BUS_LIMIT_H
#define TAPIR_BUS_BUS_LIMIT_H

#include "daemon/bus/bus.h"

#define BUS_LIMIT_BURST	    10		/* in a window; ours */
#define BUS_LIMIT_WINDOW_MS 10000
#define BUS_LIMIT_SLOTS	    256		/* things told apart at a time; ours */
#define BUS_LIMIT_LINE	    160		/* of the sentence that is kept */

struct bus_limit_slot {
	uint64_t key;			/* 0 = free */
	uint64_t from_ms;		/* start of the window */
	unsigned n;			/* in it */
	enum log_level level;
	char line[BUS_LIMIT_LINE];	/* the last one held back */
};
struct bus_limit {
	struct bus_limit_slot slot[BUS_LIMIT_SLOTS];
};

/** Called for each thing that was held back: so many more like the line. */
typedef void bus_limit_fn(void *ctx, enum log_level lv, unsigned n,
			  const char *line);

/**
 * May this event be said?
 *
 * @param line  its sentence.
 * @param fn    called at once for what was held back and is over.
 */
bool bus_limit_pass(struct bus_limit *l, const struct bus_rec *ev,
		    const char *line, uint64_t now_ms, bus_limit_fn *fn,
		    void *ctx);
/** Say what was held back and is over; once in a while. */
void bus_limit_tick(struct bus_limit *l, uint64_t now_ms, bus_limit_fn *fn,
		    void *ctx);

#endif
