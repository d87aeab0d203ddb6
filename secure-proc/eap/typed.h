/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/eap/typed.h - passwords that people typed, one a realm: in secret
 * memory, for a time, never in a file.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_EAP_TYPED_H
#define TAPIR_SECURE_EAP_TYPED_H

#include "daemon/base/base.h"

#define SEC_TYPED_MAX 1023	/* bytes of one; as daemon/ipc/prompt.h */

struct sec_typed;

/** @param n_realm how many realms there are.  0 or ERR_NOMEM. */
MUST_USE int sec_typed_new(struct sec_typed **out, uint32_t n_realm);
/** Wipe and free; NULL is fine. */
void sec_typed_free(struct sec_typed *t);

/**
 * Take what was typed in place of what was there.
 *
 * @param word   copied.
 * @param keep_s how long; 0 = until it was used once.
 * @return 0, ERR_RANGE (no such realm, or nothing typed), ERR_LONG, ERR_NOMEM.
 */
MUST_USE int sec_typed_put(struct sec_typed *t, uint32_t realm, struct view word,
			   uint32_t keep_s, uint64_t now_ms);
/**
 * What was typed; empty: nothing, or its time is over.  Valid until the next call.
 *
 * @param serial its number, for sec_typed_used(); 0 = there is none.
 */
struct view sec_typed_get(struct sec_typed *t, uint32_t realm, uint64_t now_ms,
			  uint32_t *serial);
/** A login with the one of this number is over: it is forgotten, unless it was
 * right and is to be kept.  What was typed meanwhile stays. */
void sec_typed_used(struct sec_typed *t, uint32_t realm, uint32_t serial,
		    bool is_right);

/** When the next one is to be forgotten (clk_ms); 0 = none. */
uint64_t sec_typed_due(const struct sec_typed *t);
/** Forget those whose time is over. */
void sec_typed_tick(struct sec_typed *t, uint64_t now_ms);

#endif
