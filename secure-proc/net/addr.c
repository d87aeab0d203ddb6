/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/net/addr.c - addresses of a TAP.
 *
 * Thread: the only one.
 */
#include <linux/if_addr.h>
#include <netlink/errno.h>
#include <netlink/route/addr.h>
#include <stdio.h>
#include "conf/conf.h"
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
		/* A host of its own network has nobody to ask whether it is
		 * alone (RFC 4862 5.4), and shall be of use at once. */
		if (a->addr.family == 6 && a->bits == 128)
			rtnl_addr_set_flags(ra, IFA_F_NODAD);
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

static int
addr_remove(struct sec_netlink *nl, int ifindex, const struct ip_net *a)
{
	struct rtnl_addr *ra = rtnl_addr_alloc();
	struct nl_addr *local = sec_nl_addr(&a->addr, a->bits);
	int rc = -NLE_NOMEM;

	if (ra != NULL && local != NULL) {
		rtnl_addr_set_ifindex(ra, ifindex);
		rc = rtnl_addr_set_local(ra, local);
		if (rc == 0)
			rc = rtnl_addr_delete(nl->sk, ra, 0);
	}
	if (local != NULL)
		nl_addr_put(local);
	if (ra != NULL)
		rtnl_addr_put(ra);
	return rc >= 0 || rc == -NLE_NOADDR || rc == -NLE_OBJ_NOTFOUND ? 0 :
	    sec_nl_err(rc);
}

/* Has another interface of this machine the address? */
static bool
is_elsewhere(struct sec_netlink *nl, int ifindex, const struct ip_addr *ip)
{
	struct nl_cache *cache = NULL;
	bool is = false;

	if (rtnl_addr_alloc_cache(nl->sk, &cache) < 0)
		return false;
	for (struct nl_object *o = nl_cache_get_first(cache); o != NULL && !is;
	    o = nl_cache_get_next(o)) {
		struct rtnl_addr *ra = (struct rtnl_addr *)o;
		struct nl_addr *a = rtnl_addr_get_local(ra);
		struct ip_addr own;

		if (a == NULL || rtnl_addr_get_ifindex(ra) == ifindex)
			continue;
		own = ip_from(nl_addr_get_binary_addr(a), nl_addr_get_len(a));
		is = ip_equal(&own, ip);
	}
	nl_cache_free(cache);
	return is;
}

int
sec_addr(void *ctx, const struct conf_realm *realm, const struct ip_net *a,
	 bool is_add, char *why, size_t cap)
{
	struct sec_netlink *nl = ctx;
	int index = sec_link_index(nl, realm->tap, NULL), err;
	char text[IP_TEXT_MAX];

	if (index <= 0 && !is_add)
		return 0;		/* gone with the device */
	if (index <= 0) {
		snprintf(why, cap, "TAP %s does not exist", realm->tap);
		return ERR_NOTFOUND;
	}
	if (is_add && is_elsewhere(nl, index, &a->addr)) {
		snprintf(why, cap, "address %s, which the peer gives us, is on "
		    "another interface of this machine already",
		    ip_net_text(a, text));
		return ERR_EXISTS;
	}
	if (is_add) {
		err = sec_addr_add(nl, index, realm->tap, a, why, cap);
		/* still there from before this process */
		return err == ERR_EXISTS ? 0 : err;
	}
	if ((err = addr_remove(nl, index, a)) != 0)
		snprintf(why, cap, "address %s cannot be taken from %s: %s",
		    ip_net_text(a, text), realm->tap, err_text(err));
	return err;
}
