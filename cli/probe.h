/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/probe.h - does an IKE daemon answer at an address and port?
 *
 * An IKE header of a major version that does not exist: who gets it says so
 * without making any state (RFC 7296 2.5, INVALID_MAJOR_VERSION), and a firewall
 * that lets it pass lets IKE pass.
 */
#ifndef TAPIR_CLI_PROBE_H
#define TAPIR_CLI_PROBE_H

#include "daemon/base/addr.h"

#define PROBE_MAX 80	/* bytes of a probe; ours */

enum probe_answer {
	PROBE_ANSWERED,
	PROBE_SILENT,		/* filtered, lost, nobody there, or too old */
	PROBE_REFUSED,		/* the host answers: nobody listens */
	PROBE_NO_ROUTE,
	PROBE_FAILED,		/* no socket */
};

/** The probe; is_natt: behind the marker of port 4500 (RFC 3948 2.2).
 * @return its length. */
size_t probe_make(uint64_t ispi, bool is_natt, void *out, size_t cap);
/** Is a datagram an answer to it? */
bool probe_is_answer(uint64_t ispi, bool is_natt, const void *p, size_t len);
/** Ask up to three times within wait_ms. */
enum probe_answer probe_ask(const struct net_ep *to, bool is_natt,
			    unsigned wait_ms);

#endif
