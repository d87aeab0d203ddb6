/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/evidence.h - what a peer's state rests on, in words.
 */
#ifndef TAPIR_CLI_EVIDENCE_H
#define TAPIR_CLI_EVIDENCE_H

#include "daemon/bus/bus.h"

#define EVIDENCE_MAX 512	/* bytes of one of these texts */

/** What was last heard of the peer: packets, IKE, answers.  @return out. */
const char *evidence_heard(const struct bus_rec *peer, char *out, size_t cap);
/** The question that is not answered yet; empty when none was repeated. */
const char *evidence_doubt(const struct bus_rec *peer, char *out, size_t cap);
/** What happens next to a peer that is not up; empty when it is. */
const char *evidence_next(const struct bus_rec *peer, char *out, size_t cap);
/** All that a table has room for below a peer that is not up: why, and what
 * happens next; empty when it is up. */
const char *evidence_note(const struct bus_rec *peer, char *out, size_t cap);

#endif
