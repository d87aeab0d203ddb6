/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/net/full.c - everything through the tunnel, but its own packets.
 *
 * A default route into the TAP would catch the tunnel's own packets.  So it stands
 * in a table of its own, and two rules lead there:
 *
 *   32000+2i  from all lookup main suppress_prefixlength 0
 *             what the main table knows but for its default route: the networks
 *             this machine is in
 *   32001+2i  not from all fwmark CONF_MARK lookup TABLE
 *             the rest, but for packets of our outer sockets, which have the mark
 *
 * i is the realm's place, TABLE follows from the name of its TAP.  The routes go
 * with the TAP, whatever happened; rules that lead to an empty table do nothing,
 * and are taken away by the next start.  Rules go in behind the route, and out
 * before it would be missed: no packet meets a half.
 *
 * Thread: the only one.
 */
#include <linux/fib_rules.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/netconf.h>
#include <netlink/route/route.h>
#include <stdio.h>
#include <string.h>
#include "conf/conf.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "secure-proc/net/netlink.h"

#define RULE_PRIO  32000	/* before the main table's, 32766 */
#define TABLE_BASE 0x74000000u	/* ours: 't', and 24 bits of the TAP's name */
#define PROTO_OURS 116		/* who made a rule; not in rt_protos */
#define RP_STRICT  1		/* rp_filter */
#define AGAIN_MAX  8		/* the same rule, left over more than once */

enum rule { RULE_MAIN, RULE_OURS, RULE_END };

uint32_t
sec_full_table(const char *tap)
{
	return TABLE_BASE | (sec_name_hash(tap) & 0xffffff);
}

static int
put_rule(struct nl_msg *m, const struct conf_realm *r, int family,
	 enum rule which)
{
	struct fib_rule_hdr h = {
		.family = (uint8_t)family, .table = RT_TABLE_UNSPEC,
		.action = FR_ACT_TO_TBL,
		.flags = which == RULE_OURS ? FIB_RULE_INVERT : 0,
	};
	uint32_t prio = RULE_PRIO + 2u * r->index + which;

	if (nlmsg_append(m, &h, sizeof(h), NLMSG_ALIGNTO) < 0 ||
	    nla_put_u32(m, FRA_PRIORITY, prio) < 0 ||
	    nla_put_u8(m, FRA_PROTOCOL, PROTO_OURS) < 0 ||
	    nla_put_u32(m, FRA_TABLE, which == RULE_MAIN ? RT_TABLE_MAIN :
			sec_full_table(r->tap)) < 0)
		return -NLE_NOMEM;
	return which == RULE_MAIN ?
	    nla_put_u32(m, FRA_SUPPRESS_PREFIXLEN, 0) :
	    nla_put_u32(m, FRA_FWMARK, CONF_MARK);
}

/* 0 or a negative number of libnl. */
static int
rule(struct sec_netlink *nl, const struct conf_realm *r, int family,
     enum rule which, bool is_add)
{
	struct nl_msg *m = nlmsg_alloc_simple(
	    is_add ? RTM_NEWRULE : RTM_DELRULE,
	    is_add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	int rc;

	if (m == NULL)
		return -NLE_NOMEM;
	if ((rc = put_rule(m, r, family, which)) < 0) {
		nlmsg_free(m);
		return rc;
	}
	return nl_send_sync(nl->sk, m);		/* takes m */
}

/* A strict filter looks up the way back without the mark. */
static void
warn_strict(struct sec_netlink *nl, const struct conf_realm *r)
{
	struct nl_cache *cache = NULL;
	bool is_strict = false;
	int v, family;

	if (rtnl_netconf_alloc_cache(nl->sk, &cache) < 0)
		return;
	for (struct nl_object *o = nl_cache_get_first(cache); o != NULL;
	    o = nl_cache_get_next(o))
		is_strict |= rtnl_netconf_get_family((struct rtnl_netconf *)o,
		    &family) == 0 && family == AF_INET &&
		    rtnl_netconf_get_rp_filter((struct rtnl_netconf *)o,
		    &v) == 0 && v == RP_STRICT;
	nl_cache_free(cache);
	if (is_strict)
		log_warn("net", "realm %s: rp_filter is 1 (strict) here, which "
			 "drops the tunnel's own packets where everything goes "
			 "through it: sysctl net.ipv4.conf.all.rp_filter=2",
			 r->name);
}

int
sec_full_rules(struct sec_netlink *nl, const struct conf_realm *r,
	       uint8_t ip_family, char *why, size_t cap)
{
	int family = ip_family == 4 ? AF_INET : AF_INET6, rc;

	for (enum rule i = 0; i < RULE_END; i++) {
		rc = rule(nl, r, family, i, true);
		if (rc < 0 && rc != -NLE_EXIST) {
			snprintf(why, cap, "rule of the routing policy for %s: %s",
			    r->tap, nl_geterror(rc));
			return sec_nl_err(rc);
		}
	}
	if (family == AF_INET)
		warn_strict(nl, r);
	return 0;
}

/* Has the table of a realm no route any more? */
static bool
is_empty(struct sec_netlink *nl, const struct conf_realm *r, int family)
{
	uint32_t table = sec_full_table(r->tap);
	struct nl_cache *cache = NULL;
	bool has = false;

	if (rtnl_route_alloc_cache(nl->sk, family, 0, &cache) < 0)
		return false;
	for (struct nl_object *o = nl_cache_get_first(cache); o != NULL && !has;
	    o = nl_cache_get_next(o))
		has = rtnl_route_get_table((struct rtnl_route *)o) == table;
	nl_cache_free(cache);
	return !has;
}

static void
take_out(struct sec_netlink *nl, const struct conf_realm *r, int family)
{
	for (enum rule i = 0; i < RULE_END; i++)
		for (unsigned n = 0; n < AGAIN_MAX &&
		     rule(nl, r, family, i, false) >= 0; n++)
			continue;
}

void
sec_full_end(struct sec_netlink *nl, const struct conf_realm *r,
	     uint8_t ip_family)
{
	int family = ip_family == 4 ? AF_INET : AF_INET6;

	if (is_empty(nl, r, family))
		take_out(nl, r, family);
}

void
sec_full_forget(struct sec_netlink *nl, const struct conf_realm *r)
{
	take_out(nl, r, AF_INET);
	take_out(nl, r, AF_INET6);
}
