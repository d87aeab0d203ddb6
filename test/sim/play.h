/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/play.h - a running scenario, for the files that hold its commands.
 */
#ifndef TAPIR_TEST_SIM_PLAY_H
#define TAPIR_TEST_SIM_PLAY_H

#include "test/sim/world.h"

#define LINE_LEN 512
#define ARG_MAX_ 12

struct play {
	struct sim_world w;
	unsigned nth;			/* of how many runs with other seeds */
	char *arg[ARG_MAX_];
	unsigned n_arg;
	char fail[LINE_LEN];
};

/** Say why a command failed; false. */
bool play_fail(struct play *p, const char *fmt, ...) PRINTF(2, 3);
/** Word i as a host or a number. */
struct sim_host *play_host(struct play *p, unsigned i);
unsigned play_num(struct play *p, unsigned i);

/* set.c */
bool play_set(struct play *p);

/* hostile.c: the commands of attackers */
bool play_forge(struct play *p);
bool play_reflect(struct play *p);
bool play_liar(struct play *p);
bool play_early(struct play *p);
bool play_sealed(struct play *p);
bool play_told(struct play *p);
bool play_flood(struct play *p);
bool play_probe(struct play *p);

/* qcd.c: SAs that one end lost */
bool play_stray(struct play *p);
bool play_fish(struct play *p);
bool play_token(struct play *p);

/** pool.c: a key of "expect"; false: not one of these. */
bool sim_pool_expect(struct play *p, struct sim_host *h, const char *key,
		     const char *val, bool *is_ok);
/* move.c */
bool play_addr(struct play *p);
bool play_dead(struct play *p);
bool play_paths(struct play *p);
bool play_gap(struct play *p);
bool play_drain(struct play *p);
bool play_gw2(struct play *p);

/* data.c */
bool play_data(struct play *p);
bool play_churn(struct play *p);

#endif
