/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/fetch.h - lists of what was revoked, by HTTP, from where
 * certificates say they are (RFC 5280 4.2.1.13).
 *
 *   verify child --- address ---> fetch process ---> the network
 *        ^-------- a descriptor with the bytes ------'
 *
 * The fetch process has the network and files to resolve names with, and nothing
 * else: no key, no right.  It looks at no list.  Bounded: SEC_FETCH_S,
 * SEC_PUBLIC_MAX bytes, http only, no redirect, no private address but by our
 * own configuration (target.c).  Nobody waits for it: a check is answered with
 * what is known.
 */
#ifndef TAPIR_SECURE_VERIFY_FETCH_H
#define TAPIR_SECURE_VERIFY_FETCH_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"
#include "secure-proc/verify/trust.h"

#define SEC_FETCH_S 10		/* seconds for one list; ours */

/* Parts of an address. */
struct sec_url {
	char host[SPI_CERT_URL_MAX];
	char port[6];
	char path[SPI_CERT_URL_MAX];
};

/** "http://host[:port][/path]", nothing odd in it.  0 or ERR_SYNTAX. */
MUST_USE int sec_url_read(const char *text, struct sec_url *u);
/**
 * The head of an answer.
 *
 * @param head text up to and with the empty line.
 * @param n    bytes of the body; SIZE_MAX: until the end.
 * @return 0; ERR_SYNTAX, ERR_UNSUP (not status 200, or a form of transfer that
 *         was not asked for), ERR_LONG.
 */
MUST_USE int sec_http_head(struct view head, size_t *n);

/**
 * May a list be fetched from this address?
 *
 * @param is_ours where it is said is ours: the configuration, our certificate.
 * @return 0; ERR_PERM: of this machine, its wire, or a private network;
 *         ERR_UNSUP: no address.
 */
MUST_USE int sec_target_check(const struct ip_addr *ip, bool is_ours);

/** The fetch process's work: addresses on fd, until it is closed.  Not confined
 * by itself. */
void sec_fetch_serve(int fd);
/** Give up what it does not need.  0 or an error. */
MUST_USE int sec_fetch_confine(void);

/* ---- the verify child's side ----------------------------------------------- */

struct sec_fetcher;

/** @param fd to the fetch process; taken. */
MUST_USE int sec_fetcher_new(struct sec_fetcher **out, int fd,
			     struct sec_trust *trust);
int sec_fetcher_fd(const struct sec_fetcher *f);
/** Ask for the next list that is wanted and not asked for too often. */
void sec_fetcher_next(struct sec_fetcher *f, uint64_t now_ms);
/** Readable: take what came. */
void sec_fetcher_input(struct sec_fetcher *f, uint64_t now_ms);
/** Milliseconds until sec_fetcher_next() should be called; -1: never. */
int sec_fetcher_due(const struct sec_fetcher *f, uint64_t now_ms);

#endif
