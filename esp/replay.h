/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/replay.h - anti-replay window of one inbound SA.
 */
#ifndef TAPIR_ESP_REPLAY_H
#define TAPIR_ESP_REPLAY_H

#include "daemon/base/base.h"
#include "esp/esp.h"

/* Words of the ring: a power of two, and at least one word more than the
 * window needs (RFC 6479 section 2). */
#define ESP_REPLAY_WORDS 256

struct esp_replay {
	uint64_t top;		/* highest accepted; 0 = none */
	uint64_t bit[ESP_REPLAY_WORDS];
};

/** Start before number 1. */
void esp_replay_init(struct esp_replay *w);
/**
 * Full sequence number of a packet that carries only the low half.
 *
 * @return 64-bit number; without ESN the low half itself.  0 (which no check
 * accepts) when the high half would be out of range.
 * Thread: owner of the SA.  RFC 4303 appendix A2.2.
 */
uint64_t esp_replay_rebuild(const struct esp_replay *w, bool is_esn,
			    uint32_t seq_lo);
/**
 * Is it likelier that a packet whose ICV was wrong was an old one?  Left of the
 * window the low half is taken for one of the next high half, as if billions of
 * packets had been lost, and the ICV then refutes that.
 *
 * @param seq  as esp_replay_rebuild() gave it.
 */
bool esp_replay_is_old(const struct esp_replay *w, uint64_t seq);
/**
 * Decide whether a sequence number may still be accepted.  Changes nothing.
 *
 * @return 0, or ERR_REPLAY if 0, seen before or left of the window.
 * Thread: owner of the SA.  RFC 4303 section 3.4.3.
 */
MUST_USE int esp_replay_check(const struct esp_replay *w, uint64_t seq);
/**
 * Note the number of a packet whose ICV was verified; checks once more, since
 * a batch may hold a packet twice.  0 or ERR_REPLAY.
 */
MUST_USE int esp_replay_commit(struct esp_replay *w, uint64_t seq);

#endif
