/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/link.h - the control socket RUN/ctl.sock, client's side.
 *
 *   tapir                         tapird
 *     | command record, tag 1       |
 *     |---------------------------->|   SOCK_SEQPACKET, one record a datagram
 *     |<----------------------------|   result (or event) records, tag 1
 *     |<----------------------------|   ... DONE or FAILED ends the answer
 */
#ifndef TAPIR_CLI_LINK_H
#define TAPIR_CLI_LINK_H

#include <signal.h>
#include "daemon/bus/bus.h"

#define LINK_SOCKET  "ctl.sock"
#define LINK_WAIT_MS 10000 /* for the next record of an answer; ours */

struct link {
	int fd;			/* -1 = not open */
	uint32_t tag;		/* of the last command */
};

/**
 * Connect.
 *
 * @return 0; ERR_NOTFOUND when nobody listens there, ERR_PERM when we may not
 *         connect, ERR_LONG for a path that is too long, ERR_SYS.
 */
MUST_USE int link_open(struct link *l, const char *run_dir);
void link_close(struct link *l);
/** Send a command; gives it the next tag.  0, ERR_CLOSED, ERR_SYS. */
MUST_USE int link_send(struct link *l, struct bus_rec *cmd);
/**
 * Next record of the answer; records with other tags are passed over.
 *
 * @param wait_ms  -1 = for ever.
 * @param stop     when it becomes true the wait ends; NULL = no such thing.
 * @return 0, ERR_TIMEOUT, ERR_AGAIN (stopped), ERR_CLOSED, ERR_SYS, or what
 *         bus_dec() says.
 */
MUST_USE int link_recv(struct link *l, struct bus_rec *out, int wait_ms,
		       const volatile sig_atomic_t *stop);

/**
 * Next datagram, whatever it is: for answers that are not of records alone.
 *
 * @param n  its length.
 * @return as link_recv(), ERR_LONG when it does not fit into buf.
 */
MUST_USE int link_recv_bytes(struct link *l, void *buf, size_t cap, size_t *n,
			     int wait_ms, const volatile sig_atomic_t *stop);

/** One record of an answer, DONE and FAILED excepted. */
typedef void link_row_fn(void *ctx, const struct bus_rec *r);
/**
 * Send a command and read the whole answer.
 *
 * @param fn   called for each record; NULL = they are passed over.
 * @param end  the record DONE or FAILED.
 * @return 0 when an end came, or as link_recv().
 */
MUST_USE int link_ask(struct link *l, struct bus_rec *cmd, link_row_fn *fn,
		      void *ctx, struct bus_rec *end);

#endif
