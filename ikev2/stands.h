/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/stands.h - would who is connected be let in again?
 *
 * Thread: the loop.
 */
#ifndef TAPIR_IKEV2_STANDS_H
#define TAPIR_IKEV2_STANDS_H

#include "daemon/base/base.h"
#include "daemon/base/tmr.h"

struct ike;
struct ike_ans;
struct ike_link;

#define IKE_DOUBTS 8	/* questions about who is connected, at once; ours */

/* ike_recheck(), as far as it got. */
struct ike_doubt {
	uint64_t ticket;	/* 0 = none */
	uint32_t link;
};
struct ike_stands {
	bool is_on, has_unknown;
	uint32_t at;		/* link asked about last */
	unsigned n_again;
	struct tmr again;
	struct ike_doubt doubt[IKE_DOUBTS];
};

void ike_stands_init(struct ike *ike);
/** The secure process is gone: no answers will come. */
void ike_stands_lost(struct ike *ike);
void ike_stands_answer(struct ike *ike, const struct ike_ans *ans);
/** What the peer of a link showed, in place of what it showed before.  Copied;
 * without memory it cannot be asked about. */
void ike_shown_keep(struct ike_link *link, struct view shown);

#endif
