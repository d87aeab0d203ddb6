/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/inner.c - what may travel: selectors from <net> elements.
 */
#include "daemon/core/inner.h"
#include <string.h>

static const struct ip_net any[] = {
	{ .addr = { .family = 4 } }, { .addr = { .family = 6 } },
};

void
inner_of_net(const struct conf_net *net, unsigned *n_local,
	     struct vpn_ts *local, unsigned *n_remote, struct vpn_ts *remote)
{
	*n_local = net->n_local;
	*n_remote = net->n_remote;
	memcpy(local, net->local, sizeof(net->local));
	memcpy(remote, net->remote, sizeof(net->remote));
	if (*n_local == 0 && *n_remote == 0 && !net->is_dynamic)
		return;
	for (unsigned i = 0; i < N_OF(any) && net->n_local == 0; i++)
		local[(*n_local)++] = vpn_ts_from_net(&any[i]);
	for (unsigned i = 0; i < N_OF(any) && net->n_remote == 0; i++)
		remote[(*n_remote)++] = vpn_ts_from_net(&any[i]);
}

void
inner_of_child(const struct conf_net *net, struct vpn_child *c)
{
	if (c->mode != VPN_MODE_GRE)
		return;
	inner_of_net(net, &c->n_ts_local, c->ts_local, &c->n_ts_remote,
		     c->ts_remote);
	if (c->n_ts_local > 0)
		return;
	for (unsigned i = 0; i < N_OF(any); i++)
		c->ts_local[i] = c->ts_remote[i] = vpn_ts_from_net(&any[i]);
	c->n_ts_local = c->n_ts_remote = N_OF(any);
}

bool
inner_is_route(const struct conf_net *net, const struct vpn_ts *ts)
{
	if (!ip_is_unicast(&ts->lo) && !ip_is_any(&ts->lo))
		return false;
	for (unsigned i = 0; i < N_OF(any) && net->n_remote == 0 &&
	     !net->is_dynamic; i++) {
		struct vpn_ts all = vpn_ts_from_net(&any[i]);

		if (vpn_ts_covers(ts, &all))
			return false;
	}
	return true;
}

void
inner_of_pool(const struct conf_net *net, const struct conf_pool *pool,
	      unsigned *n_local, struct vpn_ts *local, unsigned *n_remote)
{
	const struct vpn_cfg *cfg = pool != NULL ? &pool->cfg : NULL;

	if (pool == NULL || net->is_dynamic)
		return;
	if (net->n_remote == 0)
		*n_remote = 0;
	if (net->n_local > 0)
		return;
	*n_local = 0;
	_Static_assert(VPN_CFG_SUBNET_MAX <= VPN_TS_MAX, "room");
	for (unsigned i = 0; i < cfg->n_subnet; i++)
		local[(*n_local)++] = vpn_ts_from_net(&cfg->subnet[i]);
	for (unsigned i = 0; i < N_OF(any) && cfg->n_subnet == 0; i++)
		local[(*n_local)++] = vpn_ts_from_net(&any[i]);
}
