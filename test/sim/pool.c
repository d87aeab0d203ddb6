/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/pool.c - addresses from a gateway: what it hands out, and what the
 * client got.
 *
 *   set b lease 10.20.1.7     has_pool, and hands this out; several may be set,
 *                             one of each family; "full", "none": nothing is left,
 *                             there is nothing
 *   set a client yes          asks for an address
 *   expect a given 10.20.1.7  "none": nothing came
 *   expect a wish 10.20.1.7   asked of b
 */
#include <string.h>

#include "daemon/base/str.h"
#include "ikev2/wire/cfg.h"
#include "test/sim/play.h"

int
sim_lease(void *ctx, uint32_t link, const struct ike_cfg_req *req,
	  struct vpn_cfg *out, char *why)
{
	struct sim_host *h = ctx;

	(void)link;
	h->n_leased++;
	h->wish = req->wish4;
	if (h->is_pool_full) {
		str_copy(why, IKE_WHY_MAX, "the pool is used up");
		return ERR_FULL;
	}
	if (req->has_ip4)
		out->ip4 = h->lease.ip4;
	if (req->has_ip6)
		out->ip6 = h->lease.ip6;
	out->n_dns = h->lease.n_dns;
	out->dns[0] = h->lease.dns[0];
	return out->ip4.addr.family != 0 || out->ip6.addr.family != 0 ? 0 :
	    ERR_NOTFOUND;
}

void
sim_configured(void *ctx, uint32_t link, const struct vpn_cfg *cfg)
{
	struct sim_host *h = ctx;

	(void)link;
	h->n_given++;
	h->given = *cfg;
}

bool
sim_pool_set(struct sim_host *h, const char *key, const char *val, bool *is_ok)
{
	struct ip_net net;

	*is_ok = true;
	if (strcmp(key, "client") == 0) {
		h->peer.is_client = strcmp(val, "yes") == 0;
		return true;
	}
	if (strcmp(key, "lease") != 0)
		return false;
	h->realm.has_pool = true;
	h->is_pool_full = strcmp(val, "full") == 0;
	if (strcmp(val, "none") == 0)
		memset(&h->lease, 0, sizeof(h->lease));
	else if (!h->is_pool_full && ip_net_parse(val, &net) != 0)
		*is_ok = false;
	else if (!h->is_pool_full)
		*(net.addr.family == 4 ? &h->lease.ip4 : &h->lease.ip6) = net;
	return true;
}

static bool
has_ip(const struct ip_net *net, const char *text)
{
	char own[IP_TEXT_MAX];

	return net->addr.family != 0 &&
	    strcmp(ip_text(&net->addr, own), text) == 0;
}

bool
sim_pool_expect(struct play *p, struct sim_host *h, const char *key,
		const char *val, bool *is_ok)
{
	char text[IP_TEXT_MAX];

	*is_ok = true;
	if (strcmp(key, "given") == 0) {
		if (strcmp(val, "none") == 0 ? h->n_given == 0 :
		    has_ip(&h->given.ip4, val) || has_ip(&h->given.ip6, val))
			return true;
		*is_ok = play_fail(p, "%s was given %s", h->name,
				   ip_text(&h->given.ip4.addr, text));
		return true;
	}
	if (strcmp(key, "wish") != 0)
		return false;
	ip_text(&h->other->wish, text);
	*is_ok = strcmp(text, val) == 0 ||
	    play_fail(p, "%s wished for %s", h->name, text);
	return true;
}
