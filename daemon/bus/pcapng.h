/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/pcapng.h - captured packets as a pcapng file (draft-ietf-opsawg-pcapng).
 *
 *   section header | 4 interfaces | a packet | a packet | ...
 *
 * ESP and IKE come without headers of IP and UDP: they are made of the two ends, so
 * that Wireshark knows what it sees.
 */
#ifndef TAPIR_BUS_PCAPNG_H
#define TAPIR_BUS_PCAPNG_H

#include <stdio.h>
#include "daemon/bus/cap_wire.h"

enum pcapng_if { PCAPNG_CLEAR, PCAPNG_CLEAR_IP, PCAPNG_ESP, PCAPNG_IKE,
		 PCAPNG_IF_END };

/** Section header and interfaces.  Errors stay in out (ferror()). */
void pcapng_begin(FILE *out);
/** A packet as a block; what was dropped gets the reason as its comment, and
 * CAP_LOST is a block that says how many packets are missing.  Borrowed until the
 * next call; one thread. */
struct view pcapng_block(const struct cap_pkt *p);
/** The same, written to a file. */
void pcapng_packet(FILE *out, const struct cap_pkt *p);
/** Its interface, and the interface's name. */
enum pcapng_if pcapng_if_of(enum cap_side side);
const char *pcapng_if_name(enum pcapng_if i);

#endif
