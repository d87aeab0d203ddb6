/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/net/bridge.c - TAPs in bridges of the system.
 *
 * A bridge is the administrator's: it may be there before us or come later, and
 * a restart of the network takes it down and makes it again, whereby the kernel
 * throws its ports out.  So the state is looked at, not remembered:
 *
 *   bridge    TAP is in       done
 *   --------  --------------  -----------------------------------
 *   none      nothing         down
 *   there     it              nothing
 *   there     nothing         into it, and up
 *   there     another bridge  nothing: somebody wanted it there
 *
 * Thread: the only one.
 */
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/route/link.h>
#include <stdio.h>
#include "daemon/base/err.h"
#include "secure-proc/net/net.h"
#include "secure-proc/net/netlink.h"

struct state {
	int index, master;
	bool is_up;
};

int
sec_bridge_find(struct sec_netlink *nl, const char *bridge, int *index,
		char *why, size_t cap)
{
	bool is_bridge = false;
	int i = sec_link_index(nl, bridge, &is_bridge);

	if (i == 0) {
		snprintf(why, cap, "bridge %s does not exist: ip link add %s "
		    "type bridge", bridge, bridge);
		return ERR_NOTFOUND;
	}
	if (i < 0) {
		snprintf(why, cap, "bridge %s cannot be looked up", bridge);
		return i;
	}
	if (!is_bridge) {
		snprintf(why, cap, "%s is not a bridge", bridge);
		return ERR_CONF;
	}
	*index = i;
	return 0;
}

int
sec_link_attach(struct sec_netlink *nl, const char *ifname, int ifindex,
		const char *bridge, int bridge_index, char *why, size_t cap)
{
	struct rtnl_link *l = rtnl_link_alloc();
	char what[80];
	int err;

	if (l == NULL)
		return ERR_NOMEM;
	if (bridge_index != 0) {
		snprintf(what, sizeof(what), "TAP %s cannot join bridge %.20s",
		    ifname, bridge);
		rtnl_link_set_master(l, bridge_index);
	} else {
		snprintf(what, sizeof(what), "TAP %s cannot be brought up",
		    ifname);
	}
	/* The kernel does it in this order, within one request. */
	rtnl_link_set_flags(l, IFF_UP);
	err = sec_link_change(nl, ifindex, l, what, why, cap);
	rtnl_link_put(l);
	return err;
}

static int
take_down(struct sec_netlink *nl, const char *ifname, int ifindex, char *why,
	  size_t cap)
{
	struct rtnl_link *l = rtnl_link_alloc();
	char what[80];
	int err;

	if (l == NULL)
		return ERR_NOMEM;
	snprintf(what, sizeof(what), "TAP %s cannot be taken down", ifname);
	rtnl_link_unset_flags(l, IFF_UP);
	err = sec_link_change(nl, ifindex, l, what, why, cap);
	rtnl_link_put(l);
	return err;
}

static int
state_get(struct sec_netlink *nl, const char *tap, struct state *out, char *why,
	  size_t cap)
{
	struct rtnl_link *l = NULL;
	int rc = rtnl_link_get_kernel(nl->sk, 0, tap, &l);

	if (rc < 0) {
		snprintf(why, cap, "TAP %s does not exist", tap);
		return sec_nl_err(rc);
	}
	*out = (struct state){
		.index = rtnl_link_get_ifindex(l),
		.master = rtnl_link_get_master(l),
		.is_up = (rtnl_link_get_flags(l) & IFF_UP) != 0,
	};
	rtnl_link_put(l);
	return 0;
}

int
sec_bridge(void *ctx, const struct conf_realm *realm, bool *has_joined,
	   char *why, size_t cap)
{
	struct sec_netlink *nl = ctx;
	char unsaid[128];
	struct state tap = { 0 };
	int err, bridge = 0;

	*has_joined = false;
	if (realm->bridge == NULL) {
		snprintf(why, cap, "realm %s has no bridge", realm->name);
		return ERR_CONF;
	}
	if ((err = state_get(nl, realm->tap, &tap, why, cap)) != 0)
		return err;
	err = sec_bridge_find(nl, realm->bridge, &bridge, why, cap);
	if (err != 0) {
		if (tap.is_up && tap.master == 0)
			(void)take_down(nl, realm->tap, tap.index, unsaid,
			    sizeof(unsaid));
		return err;
	}
	if (tap.master == bridge)
		return 0;
	if (tap.master != 0) {
		snprintf(why, cap, "somebody put TAP %s into another bridge "
		    "than %s: ip link set %s nomaster", realm->tap,
		    realm->bridge, realm->tap);
		return ERR_EXISTS;
	}
	err = sec_link_attach(nl, realm->tap, tap.index, realm->bridge, bridge,
	    why, cap);
	*has_joined = err == 0;
	return err;
}
