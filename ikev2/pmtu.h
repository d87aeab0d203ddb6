/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/pmtu.h - how large packets to a peer may be: the search of RFC 8899.
 *
 * A probe is a request that is padded to a size and must not be cut; its answer
 * proves that the size passes.  ICMP is a hint where to look and never more, so
 * nothing that can be forged makes packets smaller than they have to be.
 *
 *           answer to top, or nothing left to try
 *   SEARCH ---------------------------------------> DONE --> CHECK (traffic)
 *     ^                                              |        |
 *     '----------- lost what was right so far -------'--------'
 *     '----------- after a while: perhaps more passes now ----'
 *
 * Thread: pure; the loop.
 */
#ifndef TAPIR_IKEV2_PMTU_H
#define TAPIR_IKEV2_PMTU_H

#include "daemon/base/base.h"

#define IKE_PMTU_USUAL	 1500	/* tried even where the kernel says less */
#define IKE_PMTU_TOP	 9216	/* the largest that is tried; ours */
#define IKE_PMTU_BASE	 1280	/* passes nearly everywhere */
#define IKE_PMTU_LEAST_4 576	/* believed without a probe; RFC 1122 3.3.3 */
#define IKE_PMTU_LEAST_6 1280	/* RFC 8200 5 */

enum ike_pmtu_phase { IKE_PMTU_SEARCH, IKE_PMTU_CHECK, IKE_PMTU_DONE };

struct ike_pmtu {
	enum ike_pmtu_phase phase;
	uint32_t grain;		/* so close to the truth is near enough */
	uint32_t least;		/* not below */
	uint32_t top;		/* not above */
	uint32_t ok;		/* the largest that passed; 0 = none yet */
	uint32_t bad;		/* the smallest that was lost; top + 1 = none */
	uint32_t hint;		/* what the kernel has heard; 0 = nothing */
	uint32_t now;		/* to be used */
};

/** Begin to search.
 * @param grain  how close to the truth the search has to end, at least 1.
 * @param hint   the kernel's word, 0 = it has none. */
void ike_pmtu_init(struct ike_pmtu *p, bool is_v6, uint32_t grain, uint32_t hint);
/** The size of the next probe; 0: nothing is to be found out now. */
uint32_t ike_pmtu_next(const struct ike_pmtu *p);
/** A probe of that size was answered, or lost. */
void ike_pmtu_result(struct ike_pmtu *p, uint32_t size, bool has_passed);
/** The kernel says something new; it is looked at when a probe is lost.
 * @return true when what is used should be checked. */
bool ike_pmtu_hint(struct ike_pmtu *p, uint32_t hint);
/** Does what is used still pass? */
void ike_pmtu_check(struct ike_pmtu *p);
/** Does more pass than before? */
void ike_pmtu_raise(struct ike_pmtu *p);

#endif
