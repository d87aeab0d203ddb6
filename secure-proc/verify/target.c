/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/target.c - where a list may be fetched from.
 *
 * An address in a certificate is somebody else's idea, and who may have one
 * issued could make us knock at doors only we can reach.  So it has to be a place
 * anybody can reach: nothing of this machine, of its wire, of a private network,
 * also not written as IPv6.  An address in the configuration, or in a certificate
 * of ours, may be of a private network.
 *
 * What is looked at is the address that is connected to, after names are
 * resolved: a name that changes its mind gains nothing.
 *
 * Thread: any.
 */
#include <string.h>
#include "daemon/base/addr.h"
#include "daemon/base/err.h"
#include "secure-proc/verify/fetch.h"

struct range {
	const char *net;
	bool is_private;	/* permitted to addresses of ours */
};

/* IANA's registries of special-purpose addresses; what documents use as an
 * example is as good as any. */
static const struct range ranges[] = {
	{ "0.0.0.0/8", false },		/* this network */
	{ "10.0.0.0/8", true },		/* RFC 1918 */
	{ "100.64.0.0/10", true },	/* RFC 6598 */
	{ "127.0.0.0/8", false },	/* loopback */
	{ "169.254.0.0/16", false },	/* link-local; cloud metadata */
	{ "172.16.0.0/12", true },
	{ "192.0.0.0/24", false },	/* RFC 6890 */
	{ "192.168.0.0/16", true },
	{ "198.18.0.0/15", true },	/* RFC 2544 */
	{ "224.0.0.0/3", false },	/* multicast, reserved, broadcast */
	{ "::/8", false },		/* none, loopback, IPv4 in IPv6, NAT64 */
	{ "100::/64", false },		/* RFC 6666 */
	{ "2001::/23", false },		/* Teredo, ORCHID, ... */
	{ "2002::/16", false },		/* 6to4: IPv4 in IPv6 */
	{ "fc00::/7", true },		/* RFC 4193 */
	{ "fe80::/9", false },		/* link-local, site-local */
	{ "ff00::/8", false },		/* multicast */
};

int
sec_target_check(const struct ip_addr *ip, bool is_ours)
{
	struct ip_net net;

	if (ip->family != 4 && ip->family != 6)
		return ERR_UNSUP;
	for (unsigned i = 0; i < N_OF(ranges); i++)
		if (ip_net_parse(ranges[i].net, &net) != 0)
			return ERR_INTERNAL;
		else if (net.addr.family == ip->family &&
		    ip_net_has(&net, ip))
			return ranges[i].is_private && is_ours ? 0 : ERR_PERM;
	return 0;
}
