/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire_ctl.c - commands of the control socket -> actions, and what
 * is to be seen of the running daemon -> result records.
 */
#include "daemon/core/ctl.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"
#include "daemon/bus/bus_text.h"
#include "daemon/core/audit.h"
#include "daemon/core/bridge.h"
#include "daemon/core/cap.h"
#include "daemon/core/mtu.h"
#include "daemon/core/reload.h"
#include "daemon/core/scribe.h"
#include "daemon/core/secure.h"
#include "daemon/core/wire.h"

typedef void cmd_fn(struct vpn *v, struct ctl_client *cl,
		    const struct bus_rec *cmd);

const char *
vpn_realm_name(const struct vpn *v, uint32_t realm)
{
	const struct vpn_realm *r = vpn_realm_at(v, realm);

	return r != NULL ? r->conf->name : "?";
}

/* ---- finding what a command names ---------------------------------------- */

static bool
fits(const char *want, const char *name)
{
	return *want == '\0' || strcmp(want, name) == 0;
}

/* Does a link answer to the realm and peer a command names? */
bool
wire_ctl_fits(const struct vpn *v, const struct ike_link_info *li,
	      const struct bus_rec *cmd)
{
	const char *peer = bus_str(cmd, BUS_F_PEER);

	return fits(bus_str(cmd, BUS_F_REALM), vpn_realm_name(v, li->realm)) &&
	    (fits(peer, li->name) || fits(peer, li->id));
}

static bool
realm_exists(const struct vpn *v, const char *name)
{
	return *name == '\0' || conf_realm_find(v->conf, name) != NULL;
}

/* "no realm ..." / "no peer ..." with the nearest name that exists. */
void
wire_ctl_no_peer(struct vpn *v, struct ctl_client *cl,
		 const struct bus_rec *cmd)
{
	const char *realm = bus_str(cmd, BUS_F_REALM);
	const char *peer = bus_str(cmd, BUS_F_PEER), *near = NULL;
	const char *word[256];
	struct ike_link_info li;
	char text[512] = "", hint[256] = "", names[256][IKE_NAME_MAX];
	uint32_t it = 0;
	size_t n = 0;

	if (!realm_exists(v, realm)) {
		str_add(text, sizeof(text), "there is no realm %s", realm);
		for (unsigned i = 0; i < v->conf->n_realm && n < N_OF(word); i++)
			word[n++] = v->conf->realm[i].name;
		near = str_closest(realm, word, n);
	} else {
		str_add(text, sizeof(text), "there is no peer %s%s%s", peer,
			*realm != '\0' ? " in realm " : "", realm);
		while (n < N_OF(word) && ike_link_next(v->ike, &it, &li)) {
			str_copy(names[n], sizeof(names[n]), li.name);
			word[n] = names[n];
			n++;
		}
		near = str_closest(peer, word, n);
	}
	if (near != NULL)
		str_add(hint, sizeof(hint), "did you mean %s?", near);
	else
		str_copy(hint, sizeof(hint), "tapir status lists them all");
	ctl_failed(cl, cmd->tag, ERR_NOTFOUND, text, hint);
}

/* ---- status -------------------------------------------------------------- */

static void
ts_list(const struct vpn_ts *ts, unsigned n, struct bus_rec *r,
	enum bus_field f)
{
	char all[BUS_STR_MAX];

	bus_set_str(r, f, wire_ts_text(ts, n, all, sizeof(all)));
}

static int64_t
ago_s(uint64_t now, uint64_t at)
{
	return at == 0 ? -1 : (int64_t)((now - MIN(now, at)) / 1000);
}

static int64_t
ahead_s(uint64_t now, uint64_t at)
{
	return at == 0 ? -1 : at <= now ? 0 : (int64_t)((at - now + 999) / 1000);
}

/* What the state rests on, and what comes next. */
static void
peer_evidence(const struct ike_evidence *e, struct bus_rec *r)
{
	uint64_t now = clk_ms();

	bus_set_i64(r, BUS_F_IKE_HEARD_S, ago_s(now, e->heard_ms));
	bus_set_i64(r, BUS_F_IKE_ANSWER_S, ago_s(now, e->answer_ms));
	bus_set_i64(r, BUS_F_ASKED_S, ago_s(now, e->asked_ms));
	bus_set_u64(r, BUS_F_TRY, e->n_try);
	bus_set_i64(r, BUS_F_NEXT_TRY_S, ahead_s(now, e->next_ms));
	bus_set_i64(r, BUS_F_DEAD_IN_S, ahead_s(now, e->dead_ms));
	bus_set_u64(r, BUS_F_N_FAILED, e->n_fail);
	bus_set_i64(r, BUS_F_DOWN_S, ago_s(now, e->down_since_ms));
	bus_set_str(r, BUS_F_INTENT, e->is_held ? "held" :
		    e->needs_word ? "password" : e->is_wanted ? "dial" :
		    "wait");
}

static void
peer_traffic(struct vpn *v, const struct ike_link_info *li, struct bus_rec *r)
{
	struct esp_child_stats st;
	uint64_t now = clk_ms();

	esp_link_stats_get(v->esp, li->link, &st);
	bus_set_u64(r, BUS_F_RX_BYTES, st.rx_bytes);
	bus_set_u64(r, BUS_F_TX_BYTES, st.tx_bytes);
	bus_set_u64(r, BUS_F_RX_PACKETS, st.rx_packets);
	bus_set_u64(r, BUS_F_TX_PACKETS, st.tx_packets);
	bus_set_i64(r, BUS_F_LAST_PACKET_S, ago_s(now, st.last_in_ms));
}

/* What a peer that is not up would get first: the words of the configuration,
 * with "auto" replaced by what is tried first. */
static void
peer_wanted(struct vpn *v, const struct ike_link_info *li, struct bus_rec *r)
{
	const struct conf_realm *cr = v->realm[li->realm].conf;
	const struct vpn_peer *vp = vpn_peer_at(v, li->realm, li->peer);
	enum vpn_mode mode = vp != NULL ? vp->conf->mode : cr->mode;
	enum vpn_encap encap = vp != NULL ? vp->conf->encap : cr->encap;
	const struct conf_net *net = vp != NULL ? vp->conf->net : &cr->net;
	bool has_net = net != NULL && (net->n_local > 0 || net->n_remote > 0);

	if (mode == VPN_MODE_AUTO)
		mode = has_net ? VPN_MODE_IP : VPN_MODE_ETHER;
	if (encap == VPN_ENCAP_AUTO)
		encap = VPN_ENCAP_UDP;
	bus_set_str(r, BUS_F_MODE, vpn_mode_name(mode));
	bus_set_str(r, BUS_F_ENCAP, vpn_encap_name(encap));
	bus_set_str(r, BUS_F_SUITE, vpn_suite_name(cr->suite));
}

static void
peer_rec(struct vpn *v, const struct ike_link_info *li, struct bus_rec *r)
{
	/* the cipher; whether the IV is sent is told with the SA */
	const struct vpn_alg_info *alg =
	    vpn_alg_info(vpn_alg_explicit(li->alg));
	char text[IP_TEXT_MAX];

	bus_rec_init(r, BUS_RES_PEER);
	bus_set_str(r, BUS_F_REALM, vpn_realm_name(v, li->realm));
	bus_set_str(r, BUS_F_NAME, li->name);
	bus_set_str(r, BUS_F_ID, li->id);
	wire_event_proof(r, li);
	bus_set_str(r, BUS_F_STATE, ike_link_state_name(li->state));
	if (li->child_id != 0) {
		bus_set_str(r, BUS_F_MODE, vpn_mode_name(li->mode));
		bus_set_str(r, BUS_F_ENCAP, vpn_encap_name(li->encap));
		bus_set_str(r, BUS_F_SUITE, alg != NULL ? alg->name : "");
		bus_set_u64(r, BUS_F_SPI_IN, li->esp_spi_in);
		bus_set_u64(r, BUS_F_SPI_OUT, li->esp_spi_out);
		ts_list(li->ts_local, li->n_ts_local, r, BUS_F_TS_LOCAL);
		ts_list(li->ts_remote, li->n_ts_remote, r, BUS_F_TS_REMOTE);
	} else {
		peer_wanted(v, li, r);
	}
	bus_set_str(r, BUS_F_IKE_SUITE, li->ike_suite);
	if (li->remote.ip.family != 0)
		bus_set_str(r, BUS_F_REMOTE, net_ep_text(&li->remote, text));
	if (li->local.ip.family != 0)
		bus_set_str(r, BUS_F_LOCAL, net_ep_text(&li->local, text));
	bus_set_str(r, BUS_F_NAT, li->is_nat_here && li->is_nat_there ? "both" :
		    li->is_nat_here ? "here" : li->is_nat_there ? "there" :
		    "none");
	if (li->up_since_ms != 0)
		bus_set_u64(r, BUS_F_UP_S, (clk_ms() - li->up_since_ms) / 1000);
	if (mtu_inside(v->mtu, li->link) != 0) {
		bus_set_u64(r, BUS_F_MTU, mtu_inside(v->mtu, li->link));
		bus_set_u64(r, BUS_F_PATH_MTU, mtu_outside(v->mtu, li->link));
	}
	bus_set_str(r, BUS_F_WHY, li->why);
	peer_evidence(&li->seen, r);
	peer_traffic(v, li, r);
}

/* The child SAs of a peer, one record each. */
static void
send_children(struct vpn *v, struct ctl_client *cl, uint32_t tag,
	      const struct ike_link_info *li)
{
	struct ike_child_info ci;
	struct esp_child_stats st;
	uint32_t it = 0;
	struct bus_rec r;

	while (ike_child_visit(v->ike, li->link, &it, &ci)) {
		const struct vpn_alg_info *alg = vpn_alg_info(ci.alg);

		if (esp_child_stats_get(v->esp, ci.id, &st) != 0)
			continue;
		bus_rec_init(&r, BUS_RES_CHILD);
		bus_set_str(&r, BUS_F_REALM, vpn_realm_name(v, li->realm));
		bus_set_str(&r, BUS_F_PEER, li->name);
		bus_set_u64(&r, BUS_F_SPI_IN, ci.esp_spi_in);
		bus_set_u64(&r, BUS_F_SPI_OUT, ci.esp_spi_out);
		bus_set_str(&r, BUS_F_MODE, vpn_mode_name(ci.mode));
		bus_set_str(&r, BUS_F_ENCAP, vpn_encap_name(ci.encap));
		bus_set_str(&r, BUS_F_SUITE, alg != NULL ? alg->name : "");
		bus_set_u64(&r, BUS_F_WORKER, ci.esp_spi_in &
			    ((1u << ESP_WORKER_BITS) - 1));
		bus_set_u64(&r, BUS_F_AGE_S, (clk_ms() - ci.made_ms) / 1000);
		bus_set_bool(&r, BUS_F_IS_OLD, !ci.is_current);
		bus_set_u64(&r, BUS_F_RX_BYTES, st.rx_bytes);
		bus_set_u64(&r, BUS_F_TX_BYTES, st.tx_bytes);
		bus_set_u64(&r, BUS_F_RX_PACKETS, st.rx_packets);
		bus_set_u64(&r, BUS_F_TX_PACKETS, st.tx_packets);
		ctl_send(cl, &r, tag);
	}
}

/* Which link is in which realm: looked at once, however many realms there are. */
struct seat {
	uint32_t link, realm;
	bool is_up;
};

/* All links; free() it.  NULL: there is none, or no memory. */
static struct seat *
seats(const struct vpn *v, size_t *n)
{
	struct seat *list = NULL, *more;
	struct ike_link_info li;
	uint32_t it = 0;
	size_t cap = 0;

	*n = 0;
	while (ike_link_next(v->ike, &it, &li)) {
		if (*n == cap) {
			cap = cap == 0 ? 64 : 2 * cap;
			if ((more = realloc(list, cap * sizeof(*list))) == NULL)
				break;
			list = more;
		}
		list[(*n)++] = (struct seat){ li.link, li.realm,
			li.state == IKE_ST_UP || li.state == IKE_ST_SUSPECT };
	}
	return list;
}

static void
realm_rec(struct vpn *v, unsigned i, const struct seat *seat, size_t n_seat,
	  struct bus_rec *r)
{
	const struct vpn_realm *vr = &v->realm[i];
	char mac[MAC_TEXT_MAX];
	unsigned n = 0, up = 0;

	for (size_t k = 0; k < n_seat; k++) {
		if (seat[k].realm != i)
			continue;
		n++;
		up += seat[k].is_up;
	}
	bus_rec_init(r, BUS_RES_REALM);
	bus_set_str(r, BUS_F_NAME, vr->conf->name);
	bus_set_str(r, BUS_F_TAP, vr->ifname);
	bus_set_str(r, BUS_F_BRIDGE, vr->conf->bridge);
	bus_set_str(r, BUS_F_MAC, mac_text(&vr->mac, mac));
	bridge_status(vr, r);
	bus_set_u64(r, BUS_F_N_PEER, n);
	bus_set_u64(r, BUS_F_N_UP, up);
	bus_set_u64(r, BUS_F_MTU, vr->mtu);
}

/* Why newcomers may take longer. */
static void
attack_rec(const struct ike_stats *is, struct bus_rec *r)
{
	char why[IKE_WHY_MAX] = "";

	if (is->level_ms == 0)
		return;
	str_add(why, sizeof(why), "many strangers: %s asked of newcomers for "
		"%llu s now", ike_gate_level_name(is->level),
		(unsigned long long)(clk_ms() - is->level_ms) / 1000);
	bus_set_str(r, BUS_F_WHY, why);
}

/* What somebody emptied stays so until somebody remembers. */
static void
drain_rec(const struct vpn *v, unsigned i, struct bus_rec *r)
{
	char to[IKE_WHY_MAX];

	switch (ike_drained(v->ike, i, to, sizeof(to))) {
	case IKE_DRAIN_OFF:
		break;
	case IKE_DRAIN_SEND:
		bus_set_fmt(r, BUS_F_WHY, "drained: who comes is sent to %s, "
			    "until tapir drain --off", to);
		break;
	case IKE_DRAIN_KEEP:
	case IKE_DRAIN_END:
		bus_set_str(r, BUS_F_WHY, "drained: nobody is let in, until "
			    "tapir drain --off");
		break;
	}
}

/* The peers of a realm that were asked for.  @return how many. */
static unsigned
send_peers(struct vpn *v, struct ctl_client *cl, const struct bus_rec *cmd,
	   unsigned realm, const struct seat *seat, size_t n_seat,
	   const struct bus_rec *head)
{
	struct bus_rec first = *head, r;
	struct ike_link_info li;
	unsigned n = 0;

	for (size_t k = 0; k < n_seat; k++) {
		if (seat[k].realm != realm ||
		    !ike_link_get(v->ike, seat[k].link, &li) ||
		    !wire_ctl_fits(v, &li, cmd))
			continue;
		if (n++ == 0)
			ctl_send(cl, &first, cmd->tag);
		peer_rec(v, &li, &r);
		ctl_send(cl, &r, cmd->tag);
		send_children(v, cl, cmd->tag, &li);
	}
	/* a realm without peers is shown, unless one was asked for */
	if (n == 0 && *bus_str(cmd, BUS_F_PEER) == '\0')
		ctl_send(cl, &first, cmd->tag);
	return n;
}

/* A realm that is none may be the name of a peer. */
static void
realm_or_peer(const struct vpn *v, struct bus_rec *cmd)
{
	struct bus_rec named;
	struct ike_link_info li;
	uint32_t it = 0;

	if (realm_exists(v, bus_str(cmd, BUS_F_REALM)) ||
	    *bus_str(cmd, BUS_F_PEER) != '\0')
		return;
	named = *cmd;
	bus_set_str(&named, BUS_F_PEER, bus_str(cmd, BUS_F_REALM));
	bus_set_str(&named, BUS_F_REALM, "");
	while (ike_link_next(v->ike, &it, &li))
		if (wire_ctl_fits(v, &li, &named)) {
			*cmd = named;
			return;
		}
}

static void
cmd_status(struct vpn *v, struct ctl_client *cl, const struct bus_rec *asked)
{
	struct bus_rec all = *asked, *cmd = &all;
	struct bus_rec r;
	struct ike_stats is;
	struct seat *seat;
	size_t n_seat;
	unsigned n = 0;

	realm_or_peer(v, cmd);
	if (!realm_exists(v, bus_str(cmd, BUS_F_REALM))) {
		wire_ctl_no_peer(v, cl, cmd);
		return;
	}
	ike_stats_get(v->ike, &is);
	seat = seats(v, &n_seat);
	for (unsigned i = 0; i < v->n_realm; i++) {
		if (v->realm[i].conf == NULL || !fits(bus_str(cmd, BUS_F_REALM),
						      v->realm[i].conf->name))
			continue;
		realm_rec(v, i, seat, n_seat, &r);
		attack_rec(&is, &r);
		drain_rec(v, i, &r);
		n += send_peers(v, cl, cmd, i, seat, n_seat, &r);
	}
	free(seat);
	if (n == 0 && *bus_str(cmd, BUS_F_PEER) != '\0')
		wire_ctl_no_peer(v, cl, cmd);
	else
		ctl_done(cl, cmd->tag, "");
}

/* ---- up, down, rekey ----------------------------------------------------- */

void
wire_ctl_record(struct vpn *v, struct ctl_client *cl, const struct bus_rec *cmd,
		const char *text)
{
	audit_command(v, cl, cmd, "", "", text);
}

static int
act(struct vpn *v, const struct ike_link_info *li, const struct bus_rec *cmd)
{
	uint64_t now = clk_ms();

	switch (cmd->desc->row) {
	case BUS_CMD_UP:
		return ike_up(v->ike, li->realm, li->link, now);
	case BUS_CMD_DOWN:
		return ike_down(v->ike, li->realm, li->link, now);
	case BUS_CMD_REKEY:
		return ike_rekey(v->ike, li->link,
				 strcmp(bus_str(cmd, BUS_F_WHAT), "ike") != 0,
				 now);
	default:
		return ERR_INTERNAL;
	}
}

/* Links may come and go while we act: collect their ids first.  NULL without
 * memory. */
static uint32_t *
act_links(struct vpn *v, const struct bus_rec *cmd, unsigned *n)
{
	struct ike_link_info li;
	unsigned cap = 1;
	uint32_t it = 0, *id;

	*n = 0;
	while (ike_link_next(v->ike, &it, &li))
		cap++;
	id = calloc(cap, sizeof(*id));
	it = 0;
	while (id != NULL && *n < cap && ike_link_next(v->ike, &it, &li))
		if (wire_ctl_fits(v, &li, cmd))
			id[(*n)++] = li.link;
	return id;
}

static void
cmd_act(struct vpn *v, struct ctl_client *cl, const struct bus_rec *cmd)
{
	struct ike_link_info li;
	char text[128] = "", before[AUDIT_STATES_MAX], after[AUDIT_STATES_MAX];
	unsigned n;
	uint32_t *id = act_links(v, cmd, &n);
	int err = 0, one;

	if (id != NULL && n == 0) {
		free(id);
		wire_ctl_no_peer(v, cl, cmd);
		return;
	}
	if (id == NULL)
		err = ERR_NOMEM;
	audit_states(v, id, n, before);
	for (unsigned i = 0; i < n; i++) {
		if (!ike_link_get(v->ike, id[i], &li))
			continue;
		if ((one = act(v, &li, cmd)) != 0)
			err = one;
	}
	audit_command(v, cl, cmd, before,
		      audit_states(v, id, n, after),
		      err == 0 ? "done" : err_text(err));
	free(id);
	if (err == ERR_STATE) {
		ctl_failed(cl, cmd->tag, err, cmd->desc->row == BUS_CMD_UP ?
			   "there is no address to dial" : "it is not up",
			   cmd->desc->row == BUS_CMD_UP ?
			   "give the peer at=, or connect from its end" :
			   "tapir status says why");
	} else if (err != 0) {
		ctl_failed(cl, cmd->tag, err, err_text(err), "");
	} else {
		str_add(text, sizeof(text), "%u peer%s", n, n == 1 ? "" : "s");
		ctl_done(cl, cmd->tag, text);
	}
}

/* ---- hub ----------------------------------------------------------------- */

static void
port_name(const struct hub *h, uint32_t port, struct bus_rec *r)
{
	struct hub_port_info pi;
	uint32_t it = 0;

	while (hub_port_next(h, &it, &pi))
		if (pi.port == port) {
			bus_set_str(r, BUS_F_PORT, pi.name);
			return;
		}
}

static void
hub_macs(const struct vpn_realm *vr, struct ctl_client *cl, uint32_t tag)
{
	struct hub_mac_info mi;
	struct bus_rec r;
	char mac[MAC_TEXT_MAX];
	uint32_t it = 0;

	while (hub_mac_next(vr->hub, &it, &mi)) {
		bus_rec_init(&r, BUS_RES_MAC);
		bus_set_str(&r, BUS_F_REALM, vr->conf->name);
		bus_set_str(&r, BUS_F_MAC, mac_text(&mi.mac, mac));
		port_name(vr->hub, mi.port, &r);
		bus_set_bool(&r, BUS_F_IS_STATIC, mi.is_static);
		bus_set_u64(&r, BUS_F_AGE_S, mi.age_s);
		bus_set_u64(&r, BUS_F_VLAN, mi.vlan);
		ctl_send(cl, &r, tag);
	}
}

static void
hub_neighs(const struct vpn_realm *vr, struct ctl_client *cl, uint32_t tag)
{
	struct hub_neigh_info ni;
	struct bus_rec r;
	char text[IP_TEXT_MAX];
	uint32_t it = 0;

	while (hub_neigh_next(vr->hub, &it, &ni)) {
		bus_rec_init(&r, BUS_RES_NEIGH);
		bus_set_str(&r, BUS_F_REALM, vr->conf->name);
		bus_set_str(&r, BUS_F_IP, ip_text(&ni.ip, text));
		bus_set_str(&r, BUS_F_MAC, mac_text(&ni.mac, text));
		port_name(vr->hub, ni.port, &r);
		bus_set_u64(&r, BUS_F_AGE_S, ni.age_s);
		bus_set_u64(&r, BUS_F_VLAN, ni.vlan);
		ctl_send(cl, &r, tag);
	}
}

/* What the hub answers for, because a peer in IP mode has it. */
static void
hub_behind(const struct vpn_realm *vr, struct ctl_client *cl, uint32_t tag)
{
	struct hub_behind_info bi;
	struct bus_rec r;
	char text[VPN_TS_TEXT_MAX], mac[MAC_TEXT_MAX];
	uint32_t it = 0;

	while (hub_behind_next(vr->hub, &it, &bi)) {
		if (!ip_is_unicast(&bi.ts.lo) && !ip_is_any(&bi.ts.lo))
			continue;	/* groups are not asked for */
		bi.ts.proto = 0;	/* whoever has one port has the address */
		bi.ts.port_lo = 0;
		bi.ts.port_hi = UINT16_MAX;
		bus_rec_init(&r, BUS_RES_NEIGH);
		bus_set_str(&r, BUS_F_REALM, vr->conf->name);
		bus_set_str(&r, BUS_F_IP, ip_equal(&bi.ts.lo, &bi.ts.hi) ?
			    ip_text(&bi.ts.lo, text) :
			    vpn_ts_text(&bi.ts, text));
		bus_set_str(&r, BUS_F_MAC, mac_text(&bi.mac, mac));
		port_name(vr->hub, bi.port, &r);
		bus_set_bool(&r, BUS_F_IS_STATIC, true);
		ctl_send(cl, &r, tag);
	}
}

static void
hub_groups(const struct vpn_realm *vr, struct ctl_client *cl, uint32_t tag)
{
	struct hub_group_info gi;
	struct bus_rec r;
	char text[IP_TEXT_MAX];
	uint32_t it = 0;

	while (hub_group_next(vr->hub, &it, &gi)) {
		bool is_router = gi.group.family == 0;

		bus_rec_init(&r, BUS_RES_GROUP);
		bus_set_str(&r, BUS_F_REALM, vr->conf->name);
		bus_set_u64(&r, BUS_F_VLAN, gi.vlan);
		bus_set_str(&r, BUS_F_IP, is_router ? "" :
			    ip_text(&gi.group, text));
		bus_set_str(&r, BUS_F_KIND, !is_router ? "member" :
			    gi.family == 4 ? "router4" : "router6");
		port_name(vr->hub, gi.port, &r);
		bus_set_u64(&r, BUS_F_LEFT_S, gi.left_s);
		ctl_send(cl, &r, tag);
	}
}

static void
hub_ports(const struct vpn_realm *vr, struct ctl_client *cl, uint32_t tag)
{
	static const char *const kind[] = { "tap", "ether", "ip" };
	struct hub_port_info pi;
	struct bus_rec r;
	char mac[MAC_TEXT_MAX];
	uint32_t it = 0;

	while (hub_port_next(vr->hub, &it, &pi)) {
		bus_rec_init(&r, BUS_RES_PORT);
		bus_set_str(&r, BUS_F_REALM, vr->conf->name);
		bus_set_str(&r, BUS_F_PORT, pi.name);
		bus_set_str(&r, BUS_F_KIND, kind[pi.kind]);
		bus_set_str(&r, BUS_F_MAC, mac_is_null(&pi.mac) ? "" :
			    mac_text(&pi.mac, mac));
		bus_set_u64(&r, BUS_F_N_MAC, pi.n_mac);
		bus_set_u64(&r, BUS_F_RX_PACKETS, pi.rx_frames);
		bus_set_u64(&r, BUS_F_RX_BYTES, pi.rx_bytes);
		bus_set_u64(&r, BUS_F_TX_PACKETS, pi.tx_frames);
		bus_set_u64(&r, BUS_F_TX_BYTES, pi.tx_bytes);
		bus_set_u64(&r, BUS_F_N_FLOOD, pi.n_flood);
		bus_set_u64(&r, BUS_F_N_DROP, pi.n_drop);
		bus_set_str(&r, BUS_F_STATE, pi.is_blocked ? "blocked" :
			    "forwarding");
		bus_set_u64(&r, BUS_F_RETRY_S, pi.blocked_s);
		bus_set_bool(&r, BUS_F_IS_ISOLATED, pi.is_isolated);
		ctl_send(cl, &r, tag);
	}
}

static void
cmd_hub(struct vpn *v, struct ctl_client *cl, const struct bus_rec *cmd)
{
	const char *what = bus_str(cmd, BUS_F_WHAT);

	if (!realm_exists(v, bus_str(cmd, BUS_F_REALM))) {
		wire_ctl_no_peer(v, cl, cmd);
		return;
	}
	for (unsigned i = 0; i < v->n_realm; i++) {
		const struct vpn_realm *vr = &v->realm[i];

		if (vr->conf == NULL ||
		    !fits(bus_str(cmd, BUS_F_REALM), vr->conf->name))
			continue;
		if (fits(what, "ports"))
			hub_ports(vr, cl, cmd->tag);
		if (fits(what, "mac"))
			hub_macs(vr, cl, cmd->tag);
		if (fits(what, "arp"))
			hub_neighs(vr, cl, cmd->tag);
		if (fits(what, "arp"))
			hub_behind(vr, cl, cmd->tag);
		if (fits(what, "groups"))
			hub_groups(vr, cl, cmd->tag);
	}
	ctl_done(cl, cmd->tag, "");
}

/* ---- the rest ------------------------------------------------------------ */

static void
cmd_ping(struct vpn *v, struct ctl_client *cl, const struct bus_rec *cmd)
{
	struct bus_rec r;
	unsigned n = 0;

	for (unsigned i = 0; i < v->n_realm; i++)
		n += v->realm[i].conf != NULL;
	bus_rec_init(&r, BUS_RES_DAEMON);
	bus_set_str(&r, BUS_F_VERSION, TAPIR_VERSION);
	bus_set_u64(&r, BUS_F_PID, (uint64_t)getpid());
	bus_set_u64(&r, BUS_F_UP_S, (clk_ms() - v->start_ms) / 1000);
	bus_set_u64(&r, BUS_F_N_REALM, n);
	ctl_send(cl, &r, cmd->tag);
	ctl_done(cl, cmd->tag, "");
}

static void
cmd_history(struct vpn *v, struct ctl_client *cl, const struct bus_rec *cmd)
{
	if (!realm_exists(v, bus_str(cmd, BUS_F_REALM)))
		wire_ctl_no_peer(v, cl, cmd);
	else	/* who came by a pattern may be gone by now: no reason to refuse */
		scribe_ask(v->scribe, cl, cmd);
}

static void
cmd_log(struct vpn *v UNUSED, struct ctl_client *cl, const struct bus_rec *cmd)
{
	ctl_follow(cl, cmd);
}

static void
cmd_reload(struct vpn *v, struct ctl_client *cl, const struct bus_rec *cmd)
{
	wire_ctl_record(v, cl, cmd, "asked");
	reload_ask(v->reload, cl, cmd);
}

void
wire_ctl_command(struct vpn *v, struct ctl_client *cl,
		 const struct bus_rec *cmd)
{
	static const struct {
		enum bus_row row;
		cmd_fn *fn;
	} table[] = {
		{ BUS_CMD_PING_DAEMON, cmd_ping },
		{ BUS_CMD_STATUS, cmd_status },
		{ BUS_CMD_UP, cmd_act },
		{ BUS_CMD_DOWN, cmd_act },
		{ BUS_CMD_LOG, cmd_log },
		{ BUS_CMD_HUB, cmd_hub },
		{ BUS_CMD_STATS, wire_stats_command },
		{ BUS_CMD_METRICS, wire_metrics_command },
		{ BUS_CMD_CAPTURE, capture_command },
		{ BUS_CMD_CAPTURES, capture_list_command },
		{ BUS_CMD_MATCH, wire_match_command },
		{ BUS_CMD_LEASES, wire_lease_command },
		{ BUS_CMD_CAPTURE_STOP, capture_stop_command },
		{ BUS_CMD_REKEY, cmd_act },
		{ BUS_CMD_RELOAD, cmd_reload },
		{ BUS_CMD_WHY, wire_why_command },
		{ BUS_CMD_CONFIRM, cmd_reload },
		{ BUS_CMD_WEB, wire_web_command },
		{ BUS_CMD_HISTORY, cmd_history },
		{ BUS_CMD_PING, wire_ping_command },
		{ BUS_CMD_DRAIN, wire_drain },
	};

	for (unsigned i = 0; i < N_OF(table); i++)
		if (table[i].row == cmd->desc->row) {
			table[i].fn(v, cl, cmd);
			return;
		}
	ctl_failed(cl, cmd->tag, ERR_UNSUP, "this daemon does not know this "
		   "command", "");
}
