/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/bench/dial.h - the parts of dial: people who log in by EAP, and what they
 * were given.
 */
#ifndef TAPIR_TEST_BENCH_DIAL_H
#define TAPIR_TEST_BENCH_DIAL_H

#include "daemon/base/cur.h"
#include "daemon/base/vpn_cfg.h"
#include "ikev2/ike.h"

/**
 * n people, of whom each may have one conversation at a time, by EAP-MSCHAPv2 and
 * all with the same password.
 *
 * @param word kept: borrowed until the end.
 * @return 0, ERR_NOMEM or ERR_UNSUP.
 */
MUST_USE int dial_eap_init(unsigned n, const char *word);
/** A new conversation of a person; user is copied.  0 or why not. */
MUST_USE int dial_eap_begin(unsigned who, const char *user);
/** A message of the gateway.  What is to be sent goes to out. */
enum ike_eap_end dial_eap_talk(unsigned who, struct view in, struct wcur *out);
/** The key that came of it; empty before it succeeded. */
struct view dial_eap_key(unsigned who);

/** An address was given to a person. */
void dial_lease(unsigned who, const struct vpn_cfg *cfg);
/** How many different IPv4 addresses were given. */
unsigned dial_n_lease(void);
/** The same whenever everybody has the same address. */
uint32_t dial_lease_sum(void);

#endif
