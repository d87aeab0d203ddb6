/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/topo.h - the networks of the lab as tables of `ip` commands.
 */
#ifndef TAPIR_CLI_LAB_TOPO_H
#define TAPIR_CLI_LAB_TOPO_H

#include "daemon/base/base.h"

/* What a lab is made of; rows of the tables are chosen by these. */
enum topo_flag {
	TOPO_ETHER = 1,		/* one Ethernet: bridges in the gateways */
	TOPO_IP = 2,		/* two networks: the gateways route */
	TOPO_NAT = 4,		/* a NAT box in front of gw-a */
	TOPO_PLAIN = 8,		/* no NAT box */
};

#define TOPO_NS_MAX 64		/* bytes of a namespace's name */

/** Name of node i, or NULL behind the last. */
const char *topo_node(unsigned flags, unsigned i);
/** Namespace of a node: tapirID-NODE. */
void topo_ns(const char *id, const char *node, char *out, size_t cap);

/**
 * Build the network.
 *
 * @param id   of the instance, part of every namespace's name.
 * @param why  on failure one line, cap bytes.
 * @return 0 or ERR_*; what was made until then is still there.
 */
MUST_USE int topo_up(const char *id, unsigned flags, char *why, size_t cap);
/** Remove namespaces and whatever lives in them; what is not there is fine. */
void topo_down(const char *id);

/** One `ip` command in a node (NULL: here); @x stands for the namespace of x.
 * 0 or an error, with why. */
MUST_USE int topo_ip(const char *id, const char *node, const char *words,
		     char *why, size_t cap);

#endif
