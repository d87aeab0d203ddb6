/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/net/netlink.c - the rtnetlink socket.
 *
 * Thread: the only one.
 */
#include "secure-proc/net/netlink.h"
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "secure-proc/net/net.h"

int
sec_nl_err(int nle)
{
	switch (abs(nle)) {
	case 0:
		return 0;
	case NLE_NOMEM:
		return ERR_NOMEM;
	case NLE_EXIST:
		return ERR_EXISTS;
	case NLE_PERM:
	case NLE_NOACCESS:
		return ERR_PERM;
	case NLE_NODEV:
	case NLE_OBJ_NOTFOUND:
		return ERR_NOTFOUND;
	default:
		return ERR_SYS;
	}
}

struct nl_addr *
sec_nl_addr(const struct ip_addr *ip, uint8_t bits)
{
	struct nl_addr *a;

	a = nl_addr_build(ip->family == 4 ? AF_INET : AF_INET6, ip->b,
	    ip_len(ip));
	if (a != NULL)
		nl_addr_set_prefixlen(a, bits);
	return a;
}

int
sec_link_index(struct sec_netlink *nl, const char *name, bool *is_bridge)
{
	struct rtnl_link *l = NULL;
	const char *type;
	int rc, index;

	rc = rtnl_link_get_kernel(nl->sk, 0, name, &l);
	if (rc < 0)
		return sec_nl_err(rc) == ERR_NOTFOUND ? 0 : ERR_SYS;
	index = rtnl_link_get_ifindex(l);
	type = rtnl_link_get_type(l);
	if (is_bridge != NULL)
		*is_bridge = type != NULL && strcmp(type, "bridge") == 0;
	rtnl_link_put(l);
	return index;
}

int
sec_link_change(struct sec_netlink *nl, int ifindex,
		struct rtnl_link *change, const char *what, char *why,
		size_t cap)
{
	struct rtnl_link *orig = rtnl_link_alloc();
	int rc = -NLE_NOMEM;

	if (orig != NULL) {
		rtnl_link_set_ifindex(orig, ifindex);
		rc = rtnl_link_change(nl->sk, orig, change, 0);
		rtnl_link_put(orig);
	}
	if (rc >= 0)
		return 0;
	snprintf(why, cap, "%s: %s", what, nl_geterror(rc));
	return sec_nl_err(rc);
}

int
sec_net_open(struct sec_netlink **out, struct sec_net *ops)
{
	struct sec_netlink *nl = calloc(1, sizeof(*nl));
	int rc;

	if (nl == NULL || (nl->sk = nl_socket_alloc()) == NULL) {
		free(nl);
		return ERR_NOMEM;
	}
	/* libnl sets close-on-exec itself. */
	if ((rc = nl_connect(nl->sk, NETLINK_ROUTE)) < 0) {
		log_error("net", "no rtnetlink socket: %s", nl_geterror(rc));
		sec_net_close(nl);
		return ERR_SYS;
	}
	ops->ctx = nl;
	ops->tap_open = sec_tap_open;
	ops->tap_mtu = sec_tap_mtu;
	ops->bridge = sec_bridge;
	ops->route = sec_route;
	ops->addr = sec_addr;
	ops->lock = sec_lock;
	nl->nf = sec_lock_open();
	*out = nl;
	return 0;
}

void
sec_net_close(struct sec_netlink *nl)
{
	if (nl == NULL)
		return;
	nl_socket_free(nl->sk);
	nl_socket_free(nl->nf);
	free(nl);
}

unsigned
sec_net_fds(const struct sec_netlink *nl, int *out)
{
	out[0] = nl_socket_get_fd(nl->sk);
	if (nl->nf == NULL)
		return 1;
	out[1] = nl_socket_get_fd(nl->nf);
	return SEC_NET_FDS;
}

void
sec_net_forget(struct sec_netlink *nl, const struct conf_realm *r)
{
	sec_full_forget(nl, r);
}

uint32_t
sec_name_hash(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

uint32_t
sec_net_instance(const char *run_dir)
{
	return sec_name_hash(run_dir);
}
