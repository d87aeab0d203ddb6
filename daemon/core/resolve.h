/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/resolve.h - names to addresses, in a process without rights.
 *
 * The main role opens no file and no new socket, so it cannot ask DNS; the
 * "resolve" role can do nothing else.  One datagram asks, one answers.
 */
#ifndef TAPIR_CORE_RESOLVE_H
#define TAPIR_CORE_RESOLVE_H

#include "daemon/core/core.h"

struct resolve;
/** n addresses (0: the name does not resolve now). */
typedef void resolve_fn(void *ctx, uint32_t realm, uint32_t peer,
			const struct ip_addr *ip, unsigned n);

/** Main role's side; takes fd, even on error. */
MUST_USE int resolve_new(struct resolve **out, int fd, struct loop *l,
			 resolve_fn *fn, void *ctx);
void resolve_free(struct resolve *r);
/** A new resolver instead of one that ended; takes fd. */
void resolve_renew(struct resolve *r, int fd);
/** Ask for a host name; fn is called later, on the loop: once a question, also
 * when the resolver ends meanwhile.  0, or ERR_CLOSED, ERR_FULL, ERR_NOMEM,
 * after which it is not called. */
MUST_USE int resolve_ask(struct resolve *r, uint32_t realm, uint32_t peer,
		 const char *host);

/** The role itself: serve questions on fd until it closes.  Exit status. */
int resolve_main(int fd);

#endif
