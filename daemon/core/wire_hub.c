/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire_hub.c - ports of the hubs: the TAP and the tunnels.
 *
 * A link is published to the workers as a struct vpn_link that is replaced as
 * a whole; the old one is freed once every worker was quiet.
 */
#include "daemon/core/wire.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/base/drop.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/base/thr.h"
#include "daemon/core/pseudo.h"
#include "daemon/core/cap.h"
#include "daemon/core/work.h"

struct vpn_link *
vpn_link_find(const struct vpn *v, uint32_t link)
{
	if (link >= VPN_LINK_MAX)
		return NULL;
	return atomic_load_explicit(&v->link[link], memory_order_acquire);
}

/* ---- on workers ---------------------------------------------------------- */

static void
tap_out(void *ctx, unsigned worker, struct buf **frames, unsigned n)
{
	work_tap_out(ctx, worker, frames, n);
}

/* A frame goes to the worker the rule names.  A flooded one is shared with
 * other ports and stays here: nobody may write to it, not even its port. */
static unsigned
worker_of(const struct vpn_link *l, unsigned worker, const struct buf *b)
{
	const struct vpn *v = l->vpn;

	return v->n_worker == 1 || buf_is_shared(b) ? worker :
	    esp_out_worker(v->esp, worker, l->id, b);
}

static void
tunnel_out(void *ctx, unsigned worker, struct buf **frames, unsigned n)
{
	struct vpn_link *l = ctx;
	struct vpn *v = l->vpn;
	struct cap *c = capture_on(v);
	unsigned kept = 0, i = 0;

	if (UNLIKELY(c != NULL))
		capture_take_frames(c, l, true, frames, n);
	while (i < n) {
		unsigned from = i, to = worker_of(l, worker, frames[i]);

		if (to == worker) {
			frames[kept++] = frames[i++];
			continue;
		}
		do
			frames[i]->port = l->id;
		while (++i < n && worker_of(l, worker, frames[i]) == to);
		work_hand_over(v->work, to, WORK_OUT, frames + from, i - from);
	}
	if (kept < n)
		work_count_handed(v->work, worker, n - kept);
	if (kept > 0)
		esp_output(v->esp, worker, l->id, frames, kept);
}

static void
tell(void *ctx, struct bus_rec *r)
{
	vpn_publish(ctx, r);
}

/* ---- on the loop --------------------------------------------------------- */

static void
policy(const struct conf_port *c, struct hub_policy *out)
{
	_Static_assert(HUB_VLANS == CONF_VLANS, "one kind of set");
	_Static_assert(HUB_MSS_NO == CONF_MSS_NO &&
		       HUB_MSS_AUTO == CONF_MSS_AUTO, "the same words");
	*out = (struct hub_policy){
		.is_isolated = c->isolate,
		.is_strict = c->macs_full == CONF_FULL_DROP,
		.has_guard = c->guard != CONF_GUARD_NO,
		.has_ip_guard = c->guard == CONF_GUARD_IP,
		.has_vlans = c->vlans != NULL || c->untagged == CONF_FILTER,
		.mac_max = c->macs,
		.rate = { c->storm[0], c->storm[1], c->storm[2],
			  c->storm[3] },
	};
	if (conf_vlans(c->vlans, out->vlans) != 0) /* it was checked */
		memset(out->vlans, 0, sizeof(out->vlans));
	if (c->untagged == CONF_PASS)
		out->vlans[0] |= 1;
}

/* The TAP: peers are isolated and guarded, not what is here. */
static void
tap_policy(const struct conf_realm *cr, struct hub_policy *out)
{
	policy(&cr->port, out);
	out->is_isolated = out->is_strict = false;
	out->has_guard = out->has_ip_guard = false;
	out->mac_max = 0;
}

static struct hub_fixed *
fixed_of(const struct conf_realm *cr)
{
	struct hub_fixed *f = calloc(cr->n_fixed + 1, sizeof(*f));

	for (unsigned i = 0; f != NULL && i < cr->n_fixed; i++) {
		f[i].mac = cr->fixed[i].mac;
		if (cr->fixed[i].peer != NULL)
			str_copy(f[i].port, sizeof(f[i].port),
				 cr->fixed[i].peer);
	}
	return f;
}

static void
tap_conf(struct vpn_realm *r, struct hub_port_conf *pc)
{
	*pc = (struct hub_port_conf){
		.kind = HUB_PORT_TAP,
		.mac = r->mac,
		.ops = { r, tap_out },
	};
	str_copy(pc->name, sizeof(pc->name), r->ifname);
	tap_policy(r->conf, &pc->policy);
}

int
wire_hub_realm(struct vpn *v, struct vpn_realm *r)
{
	struct hub_conf hc = {
		.has_bridge = r->conf->bridge != NULL,
		.pass_stp = r->conf->stp == CONF_PASS,
		.pass_lldp = r->conf->lldp == CONF_PASS,
		.loop = (enum hub_loop)r->conf->loop,
		.snoop = (enum hub_snoop)r->conf->multicast,
		.mss = r->conf->mss,	/* CONF_MSS_* are HUB_MSS_* */
		.n_fixed = r->conf->n_fixed,
		.n_addr = MIN(r->conf->n_addr, HUB_ADDR_MAX),
		.n_worker = v->n_worker,
		.buf_new = work_buf_new,
		.ctx = v,
		.tell = tell,
	};
	struct hub_port_conf pc;
	struct hub_fixed *fixed = fixed_of(r->conf);
	struct hub *hub;
	int err;

	if (fixed == NULL)
		return ERR_NOMEM;
	hc.fixed = fixed;
	memcpy(hc.addr, r->conf->addr, hc.n_addr * sizeof(hc.addr[0]));
	str_copy(hc.name, sizeof(hc.name), r->conf->name);
	tap_conf(r, &pc);
	err = hub_new(&hub, &hc);
	free(fixed);
	if (err != 0)
		return err;
	if ((err = hub_port_add(hub, &pc, &r->tap_port)) != 0) {
		hub_free(hub);
		return err;
	}
	r->hub = hub;
	return 0;
}

static void
link_free(void *ctx)
{
	free(ctx);
}

/* Publish l (or NULL) in place of what stands there. */
static void
link_replace(struct vpn *v, uint32_t id, struct vpn_link *l)
{
	struct vpn_link *old;

	old = atomic_exchange_explicit(&v->link[id], l, memory_order_acq_rel);
	if (old != NULL && thr_defer(link_free, old) != 0)
		log_error("core", "link %u: out of memory, its record is kept", id);
}

/* GRE is a link, on which routers speak by multicast.  IP mode carries the groups
 * that somebody took the trouble to name: 0.0.0.0/0 means hosts. */
static enum hub_mcast
mcast_of(enum vpn_mode mode, const struct vpn_link *l)
{
	if (mode == VPN_MODE_GRE)
		return HUB_MCAST_LINK;
	for (unsigned i = 0; i < l->n_ts; i++)
		if (!ip_is_unicast(&l->ts[i].lo) && !ip_is_any(&l->ts[i].lo))
			return HUB_MCAST_NAMED;
	return HUB_MCAST_NONE;
}

static void
port_conf(struct vpn *v, struct vpn_link *l, const struct vpn_child *c,
	  struct hub_port_conf *pc)
{
	const struct conf_realm *cr = v->realm[l->realm].conf;
	const struct conf_peer *cp = NULL;
	const struct vpn_peer *vp;
	struct ike_link_info info;

	*pc = (struct hub_port_conf){
		.kind = vpn_mode_is_ip(c->mode) ? HUB_PORT_IP : HUB_PORT_ETHER,
		.link = l->id,
		.ops = { l, tunnel_out },
	};
	if (ike_link_get(v->ike, l->id, &info)) {
		/* If it fails, the hub makes one. */
		if (pc->kind == HUB_PORT_IP)
			(void)!pseudo_mac(&v->realm[l->realm].mac, cr->name,
					  info.id, &pc->mac);
		str_copy(pc->name, sizeof(pc->name), info.name);
		vp = vpn_peer_at(v, l->realm, info.peer);
		cp = vp != NULL ? vp->conf : NULL;
	}
	policy(cp != NULL ? &cp->port : &cr->port, &pc->policy);
	pc->n_ts = l->n_ts;
	memcpy(pc->ts, l->ts, sizeof(pc->ts));
	pc->mcast = mcast_of(c->mode, l);
	/* An Ethernet peer has no selectors: for what it may speak is said in
	 * the configuration. */
	if (pc->kind == HUB_PORT_ETHER && cp != NULL) {
		pc->n_ts = cp->net->n_remote;
		memcpy(pc->ts, cp->net->remote, sizeof(pc->ts));
	}
}

/* ERR_EXISTS: another has the pseudo address. */
static int
port_put(struct vpn_link *l, const struct vpn_link *old,
	 struct hub_port_conf *pc)
{
	if (old == NULL)
		return hub_port_add(l->hub, pc, &l->port);
	l->port = old->port;
	/* It keeps the one it has. */
	if (vpn_mode_is_ip(old->mode))
		memset(&pc->mac, 0, sizeof(pc->mac));
	return hub_port_set(l->hub, l->port, pc);
}

int
wire_hub_link_up(struct vpn *v, uint32_t link, uint32_t peer,
		 const struct vpn_child *c)
{
	struct vpn_link *old = vpn_link_find(v, link), *l;
	struct hub_port_conf pc;
	int err;

	if (link >= VPN_LINK_MAX || c->realm >= v->n_realm)
		return ERR_LIMIT;
	/* A further child of the same mode changes nothing. */
	if (old != NULL && old->mode == c->mode && c->mode == VPN_MODE_ETHER)
		return 0;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return ERR_NOMEM;
	*l = (struct vpn_link){
		.id = link,
		.realm = c->realm,
		.peer = peer,
		.mode = c->mode,
		.hub = v->realm[c->realm].hub,
		.vpn = v,
	};
	if (vpn_mode_is_ip(c->mode)) {
		l->n_ts = c->n_ts_remote;
		memcpy(l->ts, c->ts_remote, sizeof(l->ts));
	}
	port_conf(v, l, c, &pc);
	if ((err = port_put(l, old, &pc)) == ERR_EXISTS) {
		memset(&pc.mac, 0, sizeof(pc.mac));
		err = port_put(l, old, &pc);
	}
	if (err == ERR_FULL)
		log_rl(LOG_WARN, "core", "realm %s: all %u ports of its hub are "
		       "taken, a peer is refused; a further realm can have it",
		       vpn_realm_name(v, c->realm), HUB_PORT_MAX);
	if (err != 0) {
		free(l);
		return err;
	}
	link_replace(v, link, l);
	return 0;
}

/* What a port may do, after a reload. */
static void
link_policy(struct vpn *v, struct vpn_link *l)
{
	struct vpn_child c = { .realm = l->realm, .mode = l->mode };
	struct hub_port_conf pc;

	port_conf(v, l, &c, &pc);
	if (hub_port_set(l->hub, l->port, &pc) != 0)
		log_warn("core", "port %s: out of memory, what it may do stays "
			 "as it was", pc.name);
}

void
wire_hub_reload(struct vpn *v, uint32_t realm, bool is_tap, uint32_t peer)
{
	struct vpn_realm *r = vpn_realm_at(v, realm);
	struct hub_port_conf pc;
	struct vpn_link *l;

	if (r == NULL)
		return;
	if (is_tap) {
		tap_conf(r, &pc);
		if (hub_port_set(r->hub, r->tap_port, &pc) != 0)
			log_warn("core", "%s: out of memory, what it may do "
				 "stays as it was", r->ifname);
		return;
	}
	for (uint32_t id = 0; id < VPN_LINK_MAX; id++) {
		l = vpn_link_find(v, id);
		if (l != NULL && l->realm == realm && l->peer == peer)
			link_policy(v, l);
	}
}

void
wire_hub_link_down(struct vpn *v, uint32_t link)
{
	struct vpn_link *l = vpn_link_find(v, link);

	if (l == NULL)
		return;
	hub_port_del(l->hub, l->port);
	link_replace(v, link, NULL);
}
