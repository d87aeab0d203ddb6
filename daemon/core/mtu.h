/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/mtu.h - how large packets inside of the tunnels may be (E3).
 *
 *   path (outer)  ->  suite, encapsulation  ->  tunnel (inner)  ->  hub port:
 *   ikev2/pmtu.h      esp_inner_max()                               MSS, ICMP
 *                                           ->  TAP of a routed realm
 *
 * A hub port knows at once what fits.  The TAP of a realm without mtu= and without
 * bridge follows the smallest tunnel of the realm: down at once, up when it has
 * been so for a while, never below what IPv6 needs.
 *
 * Thread: the loop.
 */
#ifndef TAPIR_CORE_MTU_H
#define TAPIR_CORE_MTU_H

#include "daemon/core/core.h"

struct mtu;

/** 0 or ERR_NOMEM. */
MUST_USE int mtu_new(struct mtu **out, struct vpn *v);
void mtu_free(struct mtu *m);
/** MTU of a realm's TAP before any peer is known: mtu=, in a bridge 1500, else
 * what fits an Ethernet path whatever is negotiated.  In a bridge it is never
 * less than its LAN's. */
unsigned mtu_at_start(const struct conf_realm *cr);
/** A child SA came up: the last one of a link counts.  Its hub port exists. */
void mtu_child(struct mtu *m, uint32_t link, const struct vpn_child *c);
/** The outer path of a link changed, or what is known of its size. */
void mtu_path(struct mtu *m, uint32_t link, const struct vpn_path *path);
/** A link ended. */
void mtu_gone(struct mtu *m, uint32_t link);
/** Bytes of the largest IP packet that leaves whole, 0 = the link is not up. */
uint32_t mtu_inside(const struct mtu *m, uint32_t link);
/** Bytes of the largest outer packet, as far as it is known. */
uint32_t mtu_outside(const struct mtu *m, uint32_t link);
/** Let the TAPs follow; about once a second. */
void mtu_tick(struct mtu *m, uint64_t now_ms);

#endif
