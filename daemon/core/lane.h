/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/lane.h - lanes: queues beside each other, so that a flow that fills
 * its queue delays few others.
 *
 *   TAP     flow 1 --> lane 0 ||||||||||||| \
 *           flow 2 --> lane 1 |              > the worker, in turn
 *           flow 3 --> lane 2                /
 *
 * Each worker has the same number of lanes of every TAP and of UDP 4500.  The
 * kernel sorts: by the hash of the flow in front of a TAP, where it takes the
 * lane on which we write the other direction; by the SPI in front of the
 * sockets.  A full lane drops its own.
 *
 * The turns are those of a deficit round robin whose quantum is a batch: a lane
 * that had little is served at once, of those that had more than a batch the one
 * that waited longest.
 *
 * Thread: the worker.
 */
#ifndef TAPIR_CORE_LANE_H
#define TAPIR_CORE_LANE_H

#include "daemon/base/base.h"

/* A lane as the worker's turns see it. */
struct lane {
	uint64_t turn;		/* when it was served last */
	bool is_long;		/* a batch did not empty it */
};

/** A number that both directions of a flow share: addresses, and ports of TCP
 * and UDP; of what is not IP, the addresses of the frame. */
uint32_t lane_hash(struct view frame);

/**
 * Sort lanes that have something into the order in which they are served now.
 *
 * @param ready  n lanes; those to serve come first.
 * @return how many to serve before looking again: all short ones and one long.
 */
unsigned lane_turns(struct lane **ready, unsigned n);

#endif
