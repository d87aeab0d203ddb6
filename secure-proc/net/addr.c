/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/net/addr.c - addresses of a TAP.
 *
 * Thread: the only one.
 */
#include <netlink/errno.h>
#include <netlink/route/addr.h>
#include <stdio.h>
#include "daemon/base/err.h"
#include "secure-proc/net/netlink.h"

int
sec_addr_add(struct sec_netlink *nl, int ifindex, const char *ifname,
	     const struct ip_net *a, char *why, size_t cap)
{
	struct rtnl_addr *ra = rtnl_addr_alloc();
	struct nl_addr *local = sec_nl_addr(&a->addr, a->bits);
	char text[IP_TEXT_MAX];
	int rc = -NLE_NOMEM;

	if (ra != NULL && local != NULL) {
		rtnl_addr_set_ifindex(ra, ifindex);
		rc = rtnl_addr_set_local(ra, local);
		if (rc == 0)
			rc = rtnl_addr_add(nl->sk, ra, NLM_F_CREATE);
	}
	if (local != NULL)
		nl_addr_put(local);
	if (ra != NULL)
		rtnl_addr_put(ra);
	if (rc >= 0)
		return 0;
	snprintf(why, cap, "address %s cannot be set on %s: %s%s",
	    ip_net_text(a, text), ifname, nl_geterror(rc),
	    a->addr.family == 6 && sec_nl_err(rc) == ERR_PERM ?
	    ": IPv6 is switched off (sysctl net.ipv6.conf.all.disable_ipv6)" :
	    "");
	return sec_nl_err(rc);
}
