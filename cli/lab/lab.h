/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/lab.h - a running lab: networks, daemons, their files.
 *
 *   /run/tapir-lab/ID/            0700, root
 *     lab                         what it is made of
 *     gw-a/ gw-b/                 tapir.xml keys/ run/ log  (or strongSwan's)
 *
 * ID is the process id of the tapir that built it.
 */
#ifndef TAPIR_CLI_LAB_LAB_H
#define TAPIR_CLI_LAB_LAB_H

#include <sys/types.h>
#include "cli/ask.h"
#include "cli/lab/topo.h"

#define LAB_DIR	    "/run/tapir-lab"
#define LAB_ID_MAX  24
#define LAB_WHY_MAX 512
#define LAB_UP_MS   20000	/* patience for the tunnel; ours */

enum lab_flag {
	LAB_STRONGSWAN = 64,	/* gw-b is strongSwan; goes with TOPO_IP */
	LAB_TIED = 128,		/* ends when this process ends */
};

struct lab {
	char id[LAB_ID_MAX];
	char dir[128];
	unsigned flags;		/* enum topo_flag and enum lab_flag */
	pid_t pid[2];		/* daemons of gw-a and gw-b */
	char why[LAB_WHY_MAX];	/* what failed, for people */
	char hint[LAB_WHY_MAX];	/* what to do about it, or "" */
};

/** What the machine lacks for a lab with these flags, in why and hint.
 * 0, ERR_PERM or ERR_NOTFOUND. */
MUST_USE int lab_check(struct lab *l, unsigned flags);
/**
 * Without root: become root of a user namespace of our own, with a network
 * and a /run that vanish with us.
 *
 * @return 0, or ERR_PERM when the machine does not permit that.
 */
MUST_USE int lab_enter_userns(void);

/** Network and files.  On failure lab_down() is still due. */
MUST_USE int lab_build(struct lab *l, unsigned flags);
/** Start the daemon of both gateways. */
MUST_USE int lab_start(struct lab *l);
/** Start the daemon of gw-a (0) or gw-b (1). */
MUST_USE int lab_start_one(struct lab *l, unsigned i);
/** Start a tapird in another node; it ends with the node. */
MUST_USE int lab_start_at(struct lab *l, const char *node);
/** End both daemons, also of a lab that another process built. */
void lab_stop(struct lab *l);
/** Wait until gw-a says its peer is up; ERR_TIMEOUT, ERR_AGAIN, ERR_CLOSED
 * (a daemon ended), with why. */
MUST_USE int lab_wait_up(struct lab *l, int ms);
/** End daemons, remove networks and files; from any state. */
void lab_down(struct lab *l);

/** A lab built by another tapir, by id.  0 or ERR_NOTFOUND. */
MUST_USE int lab_find(struct lab *l, const char *id);
/** Visit the labs of this machine: index i; false behind the last. */
bool lab_at(unsigned i, struct lab *l);
/** Remove what tapir processes that no longer run have left: with LAB_TIED. */
void lab_sweep(void);

/** Answer of a gateway's daemon to STATUS.  0 or what link_ask() says. */
MUST_USE int lab_status(const struct lab *l, const char *node,
			struct ask_list *a);
/** Run directory of a gateway's daemon. */
void lab_run_dir(const struct lab *l, const char *node, char *out, size_t cap);
/** Address of host-b as seen from host-a. */
const char *lab_target(const struct lab *l);

#endif
