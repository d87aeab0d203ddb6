/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/echo.h - ICMP echo from this machine (RFC 792, RFC 4443 section 4).
 */
#ifndef TAPIR_CLI_ECHO_H
#define TAPIR_CLI_ECHO_H

#include "daemon/base/addr.h"

#define ECHO_MAX 512	/* of a request, and what is read of an answer */

struct echo {
	int fd;			/* -1 = not open */
	struct ip_addr to;
	uint16_t id;
	bool has_header;	/* answers come with their IP header */
};

/** A request; cap >= 24.  @return its length. */
size_t echo_make(uint8_t family, uint16_t id, uint16_t seq, void *out, size_t cap);
/** Is a packet the answer to such a request?
 * @param has_header  it begins with an IPv4 header. */
bool echo_is_answer(uint8_t family, bool has_header, uint16_t id, uint16_t seq,
		    const void *p, size_t len);

/** Needs CAP_NET_RAW, or a group that ping_group_range admits.
 * 0, ERR_PERM or ERR_SYS. */
MUST_USE int echo_open(struct echo *e, const struct ip_addr *to);
void echo_close(struct echo *e);
/** Ask once.  *rtt_us on success.
 * 0, ERR_TIMEOUT, ERR_ADDR (no route to it), ERR_AGAIN (stopped), ERR_SYS. */
MUST_USE int echo_ask(struct echo *e, uint16_t seq, unsigned wait_ms,
		      uint64_t *rtt_us);

#endif
