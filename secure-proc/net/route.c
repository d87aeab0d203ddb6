/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/net/route.c - routes to what lies behind a peer.
 *
 * A route goes "dev TAP", with a preferred source when this machine has an
 * address inside the local selectors: packets it sends itself then fit the
 * tunnel.
 *
 * Thread: the only one.
 */
#include <netlink/errno.h>
#include <netlink/route/addr.h>
#include <netlink/route/route.h>
#include <stdio.h>
#include <string.h>
#include "daemon/base/err.h"
#include "secure-proc/net/net.h"
#include "secure-proc/net/netlink.h"

/* A configured local selector, of more than no address at all. */
static bool
ts_has(const struct conf_net *net, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < net->n_local; i++) {
		const struct vpn_ts *ts = &net->local[i];

		if (ts->lo.family == ip->family &&
		    ip_compare(&ts->lo, ip) <= 0 &&
		    ip_compare(ip, &ts->hi) <= 0)
			return true;
	}
	return false;
}

/* An address of this machine inside the local selectors; family 0: none. */
static struct ip_addr
source_find(struct sec_netlink *nl, const struct conf_net *net, uint8_t family)
{
	struct ip_addr none = { 0 }, ip;
	struct nl_cache *cache = NULL;
	struct nl_object *o;

	if (net == NULL || net->n_local == 0 ||
	    rtnl_addr_alloc_cache(nl->sk, &cache) < 0)
		return none;
	for (o = nl_cache_get_first(cache); o != NULL;
	    o = nl_cache_get_next(o)) {
		struct nl_addr *a =
		    rtnl_addr_get_local((struct rtnl_addr *)o);

		/* The kernel refuses a source that is not yet found unique. */
		if (a == NULL || (rtnl_addr_get_flags((struct rtnl_addr *)o) &
		    (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0)
			continue;
		ip = ip_from(nl_addr_get_binary_addr(a), nl_addr_get_len(a));
		if (ip.family == family && ip_is_unicast(&ip) &&
		    ts_has(net, &ip)) {
			none = ip;
			break;
		}
	}
	nl_cache_free(cache);
	return none;
}

/* NULL: no memory. */
static struct rtnl_route *
route_build(const struct sec_route_req *q, int ifindex, uint32_t table,
	    const struct ip_addr *source)
{
	struct rtnl_route *r = rtnl_route_alloc();
	struct rtnl_nexthop *nh = rtnl_route_nh_alloc();
	struct nl_addr *dst = sec_nl_addr(&q->prefix.addr, q->prefix.bits);
	struct nl_addr *src = NULL;

	if (source->family != 0)
		src = sec_nl_addr(source, (uint8_t)(ip_len(source) * 8));
	if (r == NULL || nh == NULL || dst == NULL) {
		if (nh != NULL)
			rtnl_route_nh_free(nh);
		if (r != NULL)
			rtnl_route_put(r);
		r = NULL;
	} else {
		rtnl_route_set_family(r,
		    q->prefix.addr.family == 4 ? AF_INET : AF_INET6);
		rtnl_route_set_dst(r, dst);
		rtnl_route_set_table(r, table);
		rtnl_route_set_protocol(r, RTPROT_STATIC);
		/* The kernel wants link scope for "dev X" without a gateway. */
		rtnl_route_set_scope(r, q->prefix.addr.family == 4 ?
		    RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
		if (src != NULL)
			rtnl_route_set_pref_src(r, src);
		rtnl_route_nh_set_ifindex(nh, ifindex);
		rtnl_route_add_nexthop(r, nh);
	}
	if (dst != NULL)
		nl_addr_put(dst);
	if (src != NULL)
		nl_addr_put(src);
	return r;
}

/* 0 or a negative number of libnl. */
static int
change(struct sec_netlink *nl, const struct sec_route_req *q, int ifindex,
       uint32_t table, const struct ip_addr *source)
{
	struct rtnl_route *r = route_build(q, ifindex, table, source);
	int rc;

	if (r == NULL)
		return -NLE_NOMEM;
	if (q->is_add)	/* its own table is nobody else's */
		rc = rtnl_route_add(nl->sk, r, NLM_F_CREATE |
				    (table == RT_TABLE_MAIN ? NLM_F_EXCL :
				     NLM_F_REPLACE));
	else
		rc = rtnl_route_delete(nl->sk, r, 0);
	rtnl_route_put(r);
	return rc;
}

/* Is this very route there, as a process before this one made it? */
static bool
is_there(struct sec_netlink *nl, const struct sec_route_req *q, int ifindex)
{
	struct nl_addr *dst = sec_nl_addr(&q->prefix.addr, q->prefix.bits);
	struct nl_cache *cache = NULL;
	struct nl_object *o;
	bool found = false;

	if (dst == NULL || rtnl_route_alloc_cache(nl->sk,
	    q->prefix.addr.family == 4 ? AF_INET : AF_INET6, 0, &cache) < 0)
		goto out;
	for (o = nl_cache_get_first(cache); o != NULL && !found;
	    o = nl_cache_get_next(o)) {
		struct rtnl_route *r = (struct rtnl_route *)o;
		struct rtnl_nexthop *nh = rtnl_route_get_nnexthops(r) == 1 ?
		    rtnl_route_nexthop_n(r, 0) : NULL;

		found = nh != NULL && rtnl_route_get_table(r) == RT_TABLE_MAIN &&
		    rtnl_route_get_protocol(r) == RTPROT_STATIC &&
		    rtnl_route_nh_get_ifindex(nh) == ifindex &&
		    rtnl_route_nh_get_gateway(nh) == NULL &&
		    nl_addr_cmp(rtnl_route_get_dst(r), dst) == 0;
	}
out:
	nl_cache_free(cache);
	nl_addr_put(dst);
	return found;
}

int
sec_route(void *ctx, const struct sec_route_req *q, char *why, size_t cap)
{
	struct sec_netlink *nl = ctx;
	int index = sec_link_index(nl, q->realm->tap, NULL), rc;
	bool is_wide = q->prefix.bits < SEC_ROUTE_BITS_MIN;
	uint32_t table = is_wide ? sec_full_table(q->realm->tap) :
	    RT_TABLE_MAIN;
	struct ip_addr source = q->source;
	char text[IP_TEXT_MAX];

	if (index <= 0 && !q->is_add)
		return 0;		/* gone with the device */
	if (index <= 0) {
		snprintf(why, cap, "TAP %s does not exist", q->realm->tap);
		return ERR_NOTFOUND;
	}
	if (q->is_add && source.family == 0)
		source = source_find(nl, q->net, q->prefix.addr.family);
	rc = change(nl, q, index, table, &source);
	/* The kernel refuses a source that is not yet found unique. */
	if (rc == -NLE_INVAL && source.family == 6) {
		source.family = 0;
		rc = change(nl, q, index, table, &source);
	}
	if (rc == -NLE_EXIST && q->is_add && is_there(nl, q, index))
		return 0;
	if (is_wide && !q->is_add)
		sec_full_end(nl, q->realm, q->prefix.addr.family);
	if (rc >= 0)
		return is_wide && q->is_add ? sec_full_rules(nl, q->realm,
		    q->prefix.addr.family, why, cap) : 0;
	if (!q->is_add && (rc == -NLE_OBJ_NOTFOUND || rc == -NLE_NODEV))
		return 0;
	/* The address of the TAP itself may have made the same route. */
	snprintf(why, cap, "route %s dev %s: %s%s", ip_net_text(&q->prefix,
	    text), q->realm->tap, nl_geterror(rc), rc == -NLE_EXIST ?
	    ": this machine reaches that network another way already" : "");
	return sec_nl_err(rc);
}
