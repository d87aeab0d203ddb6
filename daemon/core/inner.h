/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/inner.h - what may travel: selectors from <net> elements.
 *
 * Thread: pure functions.
 */
#ifndef TAPIR_CORE_INNER_H
#define TAPIR_CORE_INNER_H

#include "conf/conf.h"
#include "daemon/base/vpn.h"

/** Selectors of a <net> list; a side left out means any address.  Without any
 * <net> both are empty. */
void inner_of_net(const struct conf_net *net, unsigned *n_local,
		  struct vpn_ts *local, unsigned *n_remote,
		  struct vpn_ts *remote);
/**
 * The selectors of a pair of SAs as packets meet them.  Those of GRE name the two
 * hosts and protocol 47; what may be within is what <net> says, or anything.
 *
 * @param net  of the peer, or of its realm.
 * @param c    changed in mode GRE.
 */
void inner_of_child(const struct conf_net *net, struct vpn_child *c);
/** Is this one to be a route?  Not for multicast, and not for all addresses, where
 * nobody named them and the peer gives us no address. */
bool inner_is_route(const struct conf_net *net, const struct vpn_ts *ts);

/**
 * What a <pool> changes in what inner_of_net() gave: without <net remote=> nothing
 * is permitted but the address a client was given; without <net local=> it
 * reaches what route= names, or everything.
 *
 * @param pool NULL = none: nothing changes.
 */
void inner_of_pool(const struct conf_net *net, const struct conf_pool *pool,
		   unsigned *n_local, struct vpn_ts *local, unsigned *n_remote);

#endif
