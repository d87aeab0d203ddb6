/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire_ike.c - what the IKE engine demands: datagrams out,
 * questions, children, jobs, names.
 *
 * Everything here runs on the loop; what takes long goes to jobs.c.
 */
#include "daemon/core/wire.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/drop.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/base/vpn_names.h"
#include "daemon/bus/bus.h"
#include "daemon/core/behind.h"
#include "daemon/core/cap.h"
#include "daemon/core/door.h"
#include "daemon/core/inner.h"
#include "daemon/core/jobs.h"
#include "daemon/core/loop.h"
#include "daemon/core/mtu.h"
#include "daemon/core/pool.h"
#include "daemon/core/resolve.h"
#include "daemon/core/secure.h"
#include "daemon/core/udp.h"
#include "daemon/ipc/msg.h"
#include "daemon/core/uplink.h"
#include "ikev2/ike.h"

#define LOOKUPS_MAX   256	/* names waiting to be asked for; ours */
#define POSTED_MAX    (VPN_POOL_BUFS / 4) /* IKE messages on their way from a
					   * worker; the rest of its buffers
					   * stays free for ESP */

/* Added to the number of a peer: not its own name, but that of a gateway. */
#define OF_GATEWAY (1u << 31)

struct lookup {
	uint32_t realm, peer;
};

struct wire_ike {
	struct jobs *jobs;
	enum ike_gate_level level;	/* what is asked of strangers, as they are
					 * many; else OPEN */
	uint64_t attack_ms;		/* since when */
	atomic_uint n_posted;		/* messages from workers to the loop */
	struct lookup lookup[LOOKUPS_MAX];
	unsigned n_lookup;
	uint16_t *n_child;		/* [VPN_LINK_MAX] children up */
	struct behind *behind;
};

/* ---- datagrams ----------------------------------------------------------- */

static void
on_posted(void *vpn, void *item)
{
	struct vpn *v = vpn;

	atomic_fetch_sub(&v->wire_ike->n_posted, 1);
	wire_ike_datagram(v, item);
}

void
wire_ike_from_worker(struct vpn *v, struct buf *b)
{
	atomic_uint *n = &v->wire_ike->n_posted;

	if (atomic_fetch_add(n, 1) < POSTED_MAX &&
	    loop_post(v->loop, on_posted, v, b) == 0)
		return;
	atomic_fetch_sub(n, 1);
	drop_count(DROP_LOOP_FULL, 1);
	buf_put(b);
}

static void
cap_ike(const struct vpn *v, const struct net_ep *local,
	const struct net_ep *remote, bool natt, bool is_out, struct view data)
{
	struct cap *c = capture_on(v);

	if (c != NULL)
		capture_take_ike(c, local, remote, natt, is_out, data);
}

void
wire_ike_datagram(struct vpn *v, struct buf *b)
{
	bool natt = b->to.port == v->nat_port;

	cap_ike(v, &b->to, &b->from, natt, false, buf_view(b));
	if (!v->is_stopping)
		ike_input(v->ike, &b->to, &b->from, natt, buf_view(b), clk_ms());
	buf_put(b);
}

void
wire_ike_proven(struct vpn *v, struct buf *b, bool natt,
		const struct ike_proof *proof)
{
	cap_ike(v, &b->to, &b->from, natt, false, buf_view(b));
	if (!v->is_stopping)
		ike_input_proven(v->ike, &b->to, &b->from, natt, buf_view(b),
				 proof, clk_ms());
	buf_put(b);
}

static void
op_gate(void *ctx, enum ike_gate_level level, bool is_many)
{
	struct vpn *v = ctx;
	struct wire_ike *wi = v->wire_ike;
	struct bus_rec r;

	door_level(v->door, level);
	if (!is_many)
		level = IKE_GATE_OPEN;
	if (level == wi->level)
		return;
	bus_rec_init(&r, level == IKE_GATE_OPEN ? BUS_EV_ATTACK_OVER :
		     BUS_EV_ATTACK);
	if (level == IKE_GATE_OPEN)
		bus_set_u64(&r, BUS_F_UP_S, (clk_ms() - wi->attack_ms) / 1000);
	else if (wi->level == IKE_GATE_OPEN)
		wi->attack_ms = clk_ms();
	bus_set_str(&r, BUS_F_WHAT, ike_gate_level_name(
		    level == IKE_GATE_OPEN ? wi->level : level));
	wi->level = level;
	vpn_publish(v, &r);
}

static void
op_job(void *ctx, struct ike_job *job)
{
	struct vpn *v = ctx;

	jobs_give(v->wire_ike->jobs, job);
}

static struct udp_way
way_of(const struct vpn *v, const struct net_ep *local,
       const struct net_ep *remote, bool natt)
{
	return (struct udp_way){ .local = local, .remote = remote,
		.ifindex = uplink_index(v->uplink, &local->ip, &remote->ip),
		.is_natt = natt };
}

static void
op_send(void *ctx, const struct net_ep *local, const struct net_ep *remote,
	bool natt, struct view data)
{
	struct vpn *v = ctx;
	int fam = remote->ip.family == 6 ? FAM_V6 : FAM_V4;
	int fd = natt ? v->socks.nat_ike[fam] : v->socks.ike[fam];
	struct udp_way way = way_of(v, local, remote, natt);

	cap_ike(v, local, remote, natt, true, data);
	if (fd < 0)
		drop_count(DROP_SEND, 1);
	else
		udp_send_msg(fd, &way, data);
}

static int
op_send_whole(void *ctx, const struct net_ep *local,
	      const struct net_ep *remote, bool natt, struct view data)
{
	struct vpn *v = ctx;
	int fam = remote->ip.family == 6 ? FAM_V6 : FAM_V4;
	int fd = natt ? v->socks.nat_ike[fam] : v->socks.ike[fam];
	struct udp_way way = way_of(v, local, remote, natt);

	if (fd < 0)
		return 0;
	return udp_send_whole(fd, &way, data);
}

static uint32_t
op_path_mtu(void *ctx, const struct ip_addr *remote)
{
	struct vpn *v = ctx;

	return udp_path_mtu(v->socks.probe, remote);
}

static void
op_keepalive(void *ctx, const struct net_ep *local, const struct net_ep *remote)
{
	static const uint8_t byte = 0xff;
	struct vpn *v = ctx;
	int fd = v->socks.nat_ike[remote->ip.family == 6 ? FAM_V6 : FAM_V4];
	struct udp_way way = way_of(v, local, remote, false);

	if (fd >= 0)
		udp_send_msg(fd, &way, (struct view){ &byte, 1 });
}

static struct ip_addr
op_local_addr(void *ctx, const struct ip_addr *remote)
{
	struct vpn *v = ctx;

	return udp_local_addr(v->socks.probe, remote);
}

/* ---- questions ----------------------------------------------------------- */

/* The secure process knows realms and peers by their place in the
 * configuration. */
static int
op_ask(void *ctx, const struct ike_ask *ask)
{
	struct vpn *v = ctx;
	const struct vpn_peer *p;
	struct ike_ask a = *ask;

	if (ask->type != IKE_ASK_CLOSE && ask->type != IKE_ASK_TOKEN &&
	    ask->realm != UINT32_MAX) {
		if ((p = vpn_peer_at(v, ask->realm, ask->peer)) == NULL)
			return ERR_CLOSED;
		a.realm = v->realm[ask->realm].conf->index;
		a.peer = p->conf->index;
	}
	return secure_ask(v->secure, &a);
}

/* Back again; UINT32_MAX: nobody's. */
static void
place_of(const struct vpn *v, uint32_t *realm, uint32_t *peer)
{
	uint32_t r = 0, p = 0;

	while (r < v->n_realm && (v->realm[r].conf == NULL ||
	    v->realm[r].conf->index != *realm))
		r++;
	while (r < v->n_realm && p < v->realm[r].n_peer &&
	       (v->realm[r].peer[p].conf == NULL ||
		v->realm[r].peer[p].conf->index != *peer))
		p++;
	*realm = *peer = UINT32_MAX;
	if (r < v->n_realm && p < v->realm[r].n_peer) {
		*realm = r;
		*peer = p;
	}
}

void
wire_ike_answer(void *vpn, const struct ike_ans *ans)
{
	struct vpn *v = vpn;
	struct ike_ans a = *ans;

	if (ans->err == 0 && ans->realm != UINT32_MAX)
		place_of(v, &a.realm, &a.peer);
	ike_answer(v->ike, &a, clk_ms());
}

void
wire_ike_secure_lost(struct vpn *v)
{
	ike_secure_lost(v->ike, clk_ms());
}

/* ---- children ------------------------------------------------------------ */

static int
op_spi_alloc(void *ctx, uint32_t realm, uint32_t link, uint32_t like,
	     uint32_t *esp_spi)
{
	struct vpn *v = ctx;

	return esp_spi_alloc(v->esp, realm, link, like, esp_spi);
}

static void
op_spi_free(void *ctx, uint32_t esp_spi)
{
	struct vpn *v = ctx;

	esp_spi_free(v->esp, esp_spi);
}

/* What the configuration says of a peer, else of its realm. */
static const struct conf_net *
net_of(const struct vpn *v, uint32_t realm, uint32_t peer)
{
	const struct vpn_peer *p = vpn_peer_at(v, realm, peer);

	return p != NULL ? p->conf->net : &v->realm[realm].conf->net;
}

/* Who is given addresses has use for what lies behind the peer in their families
 * only. */
static unsigned
useful(const struct conf_net *net, const struct vpn_child *c, struct vpn_ts *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->n_ts_remote; i++) {
		bool is_ours = !net->is_dynamic;

		for (unsigned k = 0; k < c->n_ts_local; k++)
			is_ours |= c->ts_local[k].lo.family ==
			    c->ts_remote[i].lo.family;
		if (is_ours)
			out[n++] = c->ts_remote[i];
	}
	return n;
}

/* Routes to what lies behind an IP-mode peer. */
static void
routes(struct vpn *v, uint32_t link, const struct vpn_ts *ts, unsigned n_ts,
       bool is_add)
{
	struct ike_link_info info;
	const struct conf_net *net;
	struct ip_net part[64];
	uint32_t realm;
	int n;

	if (!ike_link_get(v->ike, link, &info) ||
	    vpn_peer_at(v, info.realm, info.peer) == NULL)
		return;
	realm = info.realm;
	net = net_of(v, realm, info.peer);
	/* authenticated by a secure process that is gone: the next one removes
	 * what that one set, and adds when it knows the peer */
	if (info.ask_handle == 0 && is_add) {
		log_rl(LOG_WARN, "net", "realm %s: routes of a peer stay as they "
		       "are until it authenticates again",
		       vpn_realm_name(v, realm));
		return;
	}
	for (unsigned i = 0; i < n_ts; i++) {
		if (!inner_is_route(net, &ts[i]))
			continue;
		n = ip_range_nets(&ts[i].lo, &ts[i].hi, part, N_OF(part));
		for (int k = 0; k < n; k++)
			secure_route(v->secure, info.ask_handle != 0 ?
				     info.ask_handle : IPC_NOBODY,
				     v->realm[realm].conf->index, &part[k],
				     is_add);
	}
}

/* The hub port of a link that has a child SA more or less: what lies behind all
 * of them. */
static int
link_set(struct vpn *v, uint32_t link, uint32_t peer, uint32_t realm,
	 enum vpn_mode mode)
{
	struct vpn_child all = { .realm = realm, .mode = mode };

	if (vpn_mode_is_ip(mode))
		all.n_ts_remote = behind_get(v->wire_ike->behind, link,
					     all.ts_remote);
	return wire_hub_link_up(v, link, peer, &all);
}

/* Take back what op_child_up() did before it failed. */
static void
child_undo(struct vpn *v, uint32_t link, const struct vpn_link *l, uint32_t id)
{
	behind_del(v->wire_ike->behind, link, id);
	if (v->wire_ike->n_child[link] == 0)
		wire_hub_link_down(v, link);
	else if (l != NULL && link_set(v, link, l->peer, l->realm, l->mode) != 0)
		log_rl(LOG_WARN, "core", "link %u: out of memory, its port keeps "
		       "the selectors of a child SA that is not there", link);
}

/* E4, as its peer or realm is configured. */
static bool
is_strict(const struct vpn *v, uint32_t realm, uint32_t peer)
{
	const struct vpn_realm *r = vpn_realm_at(v, realm);
	const struct vpn_peer *p = vpn_peer_at(v, realm, peer);

	return p != NULL ? p->conf->order == CONF_ORDER_STRICT :
	    r != NULL && r->conf->order == CONF_ORDER_STRICT;
}

static int
op_child_up(void *ctx, uint32_t link, const struct vpn_child *made)
{
	struct vpn_child in = *made, *c = &in;
	struct vpn *v = ctx;
	struct ike_link_info info;
	uint32_t peer = UINT32_MAX;
	struct vpn_ts ts[VPN_TS_MAX];
	unsigned n;
	int err;

	if (link >= VPN_LINK_MAX || c->realm >= v->n_realm)
		return ERR_LIMIT;
	if (ike_link_get(v->ike, link, &info))
		peer = info.peer;
	c->path.ifindex = uplink_index(v->uplink, &c->path.local.ip,
				       &c->path.remote.ip);
	inner_of_child(net_of(v, c->realm, peer), c);
	c->is_strict = is_strict(v, c->realm, peer);
	if ((err = behind_add(v->wire_ike->behind, link, c)) != 0)
		return err;
	if ((err = link_set(v, link, peer, c->realm, c->mode)) != 0 ||
	    (err = esp_child_add(v->esp, link, c)) != 0) {
		child_undo(v, link, vpn_link_find(v, link), c->id);
		return err;
	}
	v->wire_ike->n_child[link]++;
	wire_event_child_up(v, link, made);
	mtu_child(v->mtu, link, c);
	if (vpn_mode_is_ip(c->mode)) {
		n = useful(net_of(v, c->realm, peer), c, ts);
		routes(v, link, ts, n, true);
	}
	return 0;
}

static void
op_child_retire(void *ctx, uint32_t child_id)
{
	struct vpn *v = ctx;

	esp_child_retire(v->esp, child_id);
}

/* One of several child SAs went: what was behind it alone is not any more. */
static void
link_less(struct vpn *v, const struct vpn_link *l)
{
	struct vpn_ts left[VPN_TS_MAX], gone[VPN_TS_MAX];
	unsigned n_left = behind_get(v->wire_ike->behind, l->id, left);
	unsigned n_gone = 0;

	for (unsigned i = 0; i < l->n_ts; i++) {
		bool stays = false;

		for (unsigned k = 0; k < n_left && !stays; k++)
			stays = vpn_ts_covers(&left[k], &l->ts[i]);
		if (!stays)
			gone[n_gone++] = l->ts[i];
	}
	if (n_gone == 0)
		return;
	routes(v, l->id, gone, n_gone, false);
	/* what the lost routes covered beside */
	routes(v, l->id, left, n_left, true);
	if (link_set(v, l->id, l->peer, l->realm, l->mode) != 0)
		log_rl(LOG_WARN, "core", "link %u: out of memory, its port keeps "
		       "the selectors of a child SA that went", l->id);
}

/* What a gateway gave us, by a secure process that is gone: the one that is here
 * knows nothing of it. */
static void
forget_given(struct vpn *v, uint32_t link)
{
	const struct vpn_cfg *cfg = ike_link_cfg(v->ike, link);
	const struct ip_net *own[2];
	struct ike_link_info info;
	uint32_t realm;

	if (cfg == NULL || !ike_link_get(v->ike, link, &info) ||
	    info.ask_handle != 0 ||
	    !net_of(v, info.realm, info.peer)->is_dynamic)
		return;
	realm = v->realm[info.realm].conf->index;
	own[0] = &cfg->ip4;
	own[1] = &cfg->ip6;
	secure_names(v->secure, IPC_NOBODY, realm, "");
	for (unsigned i = 0; i < N_OF(own); i++)
		if (own[i]->addr.family != 0)
			secure_addr(v->secure, IPC_NOBODY, realm, own[i],
				    false);
}

static void
op_child_down(void *ctx, uint32_t link, uint32_t child_id)
{
	struct vpn *v = ctx;
	struct vpn_link *l = vpn_link_find(v, link);

	wire_event_child_down(v, link, child_id);
	esp_child_del(v->esp, child_id);
	behind_del(v->wire_ike->behind, link, child_id);
	if (l == NULL || v->wire_ike->n_child[link] == 0)
		return;
	if (--v->wire_ike->n_child[link] > 0) {
		link_less(v, l);
		return;
	}
	routes(v, l->id, l->ts, l->n_ts, false);
	forget_given(v, link);
	mtu_gone(v->mtu, link);
	wire_hub_link_down(v, link);
}

static void
op_child_path(void *ctx, uint32_t child_id, const struct vpn_path *path)
{
	struct vpn *v = ctx;
	struct vpn_path p = *path;
	uint32_t link;

	p.ifindex = uplink_index(v->uplink, &p.local.ip, &p.remote.ip);
	esp_child_path(v->esp, child_id, &p);
	if (esp_child_link(v->esp, child_id, &link) == 0)
		mtu_path(v->mtu, link, &p);
}

static void
op_traffic(void *ctx, uint32_t child_id, uint64_t *in_ms, uint64_t *out_ms)
{
	struct vpn *v = ctx;
	struct esp_child_stats st;

	*in_ms = *out_ms = 0;
	if (esp_child_stats_get(v->esp, child_id, &st) == 0) {
		*in_ms = st.last_in_ms;
		*out_ms = st.last_out_ms;
	}
}

/* ---- addresses for clients ----------------------------------------------- */

static int
op_lease(void *ctx, uint32_t link, const struct ike_cfg_req *req,
	 struct vpn_cfg *out, char *why)
{
	struct vpn *v = ctx;
	struct ike_link_info info;
	const struct vpn_realm *r;

	if (!ike_link_get(v->ike, link, &info) ||
	    (r = vpn_realm_at(v, info.realm)) == NULL)
		return ERR_NOTFOUND;
	return pools_take(v->pools, r->conf, info.id, req, out, why,
			  IKE_WHY_MAX);
}

/* The IKE SA's end takes them back: its handle is closed then. */
static void
op_configured(void *ctx, uint32_t link, const struct vpn_cfg *cfg)
{
	const struct ip_net *own[] = { &cfg->ip4, &cfg->ip6 };
	struct vpn *v = ctx;
	struct ike_link_info info;
	char words[VPN_NAMES_TEXT];
	uint32_t realm;

	if (!ike_link_get(v->ike, link, &info) || info.ask_handle == 0)
		return;
	realm = v->realm[info.realm].conf->index;
	secure_names(v->secure, info.ask_handle, realm,
		     vpn_names_write(cfg, words, sizeof(words)));
	for (unsigned i = 0; i < N_OF(own); i++)
		if (own[i]->addr.family != 0)
			secure_addr(v->secure, info.ask_handle, realm, own[i],
				    true);
}

/* ---- names --------------------------------------------------------------- */

static void
op_resolve(void *ctx, uint32_t realm, uint32_t peer)
{
	struct vpn *v = ctx;
	struct wire_ike *wi = v->wire_ike;

	for (unsigned i = 0; i < wi->n_lookup; i++)
		if (wi->lookup[i].realm == realm && wi->lookup[i].peer == peer)
			return;
	if (wi->n_lookup < LOOKUPS_MAX)
		wi->lookup[wi->n_lookup++] = (struct lookup){ realm, peer };
}

static void
op_resolve_gateway(void *ctx, uint32_t realm, uint32_t peer, const char *name)
{
	struct vpn *v = ctx;

	/* without an answer it goes on by itself */
	if (v->resolve != NULL &&
	    resolve_ask(v->resolve, realm, peer | OF_GATEWAY, name) != 0)
		log_rl(LOG_NOTICE, "ike", "the gateway %s is not looked up now",
		       name);
}

static uint16_t
peer_port(const struct vpn *v, const struct conf_peer *p)
{
	return p->at_port != 0 ? p->at_port : v->port;
}

void
wire_ike_idle(struct vpn *v)
{
	struct wire_ike *wi = v->wire_ike;
	unsigned n = wi->n_lookup;

	jobs_late(wi->jobs);
	wi->n_lookup = 0;
	for (unsigned i = 0; i < n; i++) {
		struct lookup l = wi->lookup[i];
		const struct vpn_peer *vp = vpn_peer_at(v, l.realm, l.peer);
		const struct conf_peer *p;
		struct net_ep ep;

		if (vp == NULL)
			continue;
		p = vp->conf;
		if (p->at_is_ip) {
			ep = p->at_ep;
			ep.port = peer_port(v, p);
			ike_peer_at(v->ike, l.realm, l.peer, &ep, 1);
		} else if (p->at_host != NULL && v->resolve != NULL &&
			   resolve_ask(v->resolve, l.realm, l.peer,
				       p->at_host) != 0) {
			ike_peer_at(v->ike, l.realm, l.peer, NULL, 0);
		}
	}
}

void
wire_ike_resolved(void *vpn, uint32_t realm, uint32_t peer,
		  const struct ip_addr *ip, unsigned n)
{
	struct vpn *v = vpn;
	const struct vpn_peer *p = vpn_peer_at(v, realm, peer & ~OF_GATEWAY);
	struct net_ep ep[IKE_EP_MAX];

	if (p == NULL)
		return;
	if ((peer & OF_GATEWAY) != 0) {
		ike_gateway_at(v->ike, realm, peer & ~OF_GATEWAY, ip, n,
			       clk_ms());
		return;
	}
	for (unsigned i = 0; i < n; i++)
		ep[i] = (struct net_ep){ ip[i], peer_port(v, p->conf) };
	ike_peer_at(v->ike, realm, peer, ep, n);
}

/* ---- start and end ------------------------------------------------------- */

int
wire_ike_init(struct vpn *v, struct ike_ops *ops)
{
	struct wire_ike *wi = calloc(1, sizeof(*wi));
	int err;

	if (wi == NULL)
		return ERR_NOMEM;
	v->wire_ike = wi;
	wi->n_child = calloc(VPN_LINK_MAX, sizeof(*wi->n_child));
	if (wi->n_child == NULL)
		return ERR_NOMEM;
	if ((err = wire_event_new(&v->wire_event)) != 0 ||
	    (err = behind_new(&wi->behind, VPN_LINK_MAX)) != 0 ||
	    (err = jobs_new(&wi->jobs, v)) != 0)
		return err;
	*ops = (struct ike_ops){
		.ctx = v,
		.send = op_send, .send_whole = op_send_whole,
		.path_mtu = op_path_mtu,
		.gate = op_gate,
		.keepalive = op_keepalive,
		.local_addr = op_local_addr,
		.ask = op_ask,
		.job = op_job,
		.spi_alloc = op_spi_alloc,
		.spi_free = op_spi_free,
		.child_up = op_child_up,
		.child_retire = op_child_retire,
		.child_down = op_child_down,
		.child_path = op_child_path,
		.traffic = op_traffic,
		.resolve = op_resolve,
		.resolve_gateway = op_resolve_gateway,
		.lease = op_lease,
		.configured = op_configured,
		.link_event = wire_event_link,
		.ping = wire_ping_told,
		.auth_refused = wire_event_refused,
	};
	return 0;
}

void
wire_ike_stop(struct vpn *v)
{
	if (v->wire_ike == NULL)
		return;
	jobs_stop(v->wire_ike->jobs);
}

void
wire_ike_fini(struct vpn *v)
{
	struct wire_ike *wi = v->wire_ike;

	if (wi == NULL)
		return;
	wire_ike_stop(v);
	jobs_free(wi->jobs);
	behind_free(wi->behind);
	free(wi->n_child);
	wire_event_free(v->wire_event);
	v->wire_event = NULL;
	wire_ping_free(v);
	free(wi);
	v->wire_ike = NULL;
}
