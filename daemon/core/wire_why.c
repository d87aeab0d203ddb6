/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire_why.c - what is known of a peer -> causes and cures.
 *
 * Facts come from the configuration, the engine, ESP, the hub and the events
 * that are still in the ring; why/ judges them.  Nothing is waited for.
 *
 * Thread: the loop.
 */
#include "daemon/core/ctl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "daemon/base/clk.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"
#include "daemon/core/icmp.h"
#include "daemon/core/mtu.h"
#include "daemon/core/secure.h"
#include "daemon/core/udp.h"
#include "daemon/core/wire.h"
#include "ikev2/trace.h"
#include "ikev2/wire/wire.h"
#include "why/why.h"

#define MARKS	32	/* fingerprints remembered; ours */
#define MARK_MS	60000	/* the file may be another one later */
#define MOVES	3	/* of one address: it is at two places; ours */
#define MOVE_MS	120000	/* ... within so long */
#define STRANGER_MS 600000	/* what a user did before explains nothing; ours */
#define SWAP_MS (600 * 1000u)	/* addresses of a peer are compared so long */

struct mark {
	uint32_t realm, peer;
	uint64_t at_ms;		/* 0 = no entry */
	char text[8];
};
struct wire_why {
	struct mark mark[MARKS];
	unsigned n_mark;
	const struct conf *conf;	/* they are of this one */
};

/* One question. */
struct asked {
	struct vpn *v;
	const struct bus_rec *cmd;
	struct ike_link_info li;
	const struct conf_realm *cr;
	const struct conf_peer *cp;	/* NULL: not in the configuration */
	struct why_facts f;
	bool is_pending;		/* the fingerprint is being made */
	bool is_comer;			/* somebody whom a pattern admits, who is
					 * not here */
	struct why_told moved;		/* an address that moves */
};

static int64_t
age_s(uint64_t then_ms)
{
	uint64_t now = clk_ms();

	return then_ms == 0 ? WHY_NEVER :
	    (int64_t)((now - MIN(now, then_ms)) / 1000);
}

static void
ep_text(const struct net_ep *ep, char out[WHY_EP_MAX])
{
	char text[IP_TEXT_MAX];

	out[0] = '\0';
	if (ep->ip.family != 0)
		str_copy(out, WHY_EP_MAX, net_ep_text(ep, text));
}

static void
date_text(time_t t, char *out, size_t cap)
{
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, cap, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		str_copy(out, cap, "?");
}

/* ---- configuration --------------------------------------------------------- */

static void
from_conf(struct asked *q)
{
	struct why_facts *f = &q->f;
	const struct conf_peer *p = q->cp;
	time_t now = (time_t)clk_wall_s();

	str_copy(f->realm, sizeof(f->realm), q->cr->name);
	str_copy(f->peer, sizeof(f->peer), q->li.name);
	str_copy(f->id, sizeof(f->id), q->li.id);
	str_copy(f->me, sizeof(f->me), q->cr->me.id != NULL ? q->cr->me.id : "");
	str_copy(f->tap, sizeof(f->tap), q->cr->tap);
	f->has_bridge = q->cr->bridge != NULL;
	str_copy(f->bridge, sizeof(f->bridge), f->has_bridge ? q->cr->bridge :
		 "");
	f->mtu = q->cr->mtu;
	date_text(now, f->now, sizeof(f->now));
	str_copy(f->mode, sizeof(f->mode), vpn_mode_name(p != NULL ? p->mode :
							 q->cr->mode));
	if (p == NULL)
		return;
	f->is_name = p->at_host != NULL && !p->at_is_ip;
	str_copy(f->at, sizeof(f->at), p->at_host != NULL ? p->at_host : "");
	f->own_cert = p->own_auth == CONF_AUTH_CERT;
	f->own_eap = p->own_auth == CONF_AUTH_EAP;
	f->peer_cert = p->auth == CONF_AUTH_CERT;
}

/* ---- fingerprints ------------------------------------------------------------- */

void
wire_why_mark(struct vpn *v, uint32_t realm, uint32_t peer, const char *mark)
{
	struct mark *m;

	if (v->why == NULL)
		return;
	v->why->conf = v->conf;
	m = &v->why->mark[v->why->n_mark++ % MARKS];
	*m = (struct mark){ .realm = realm, .peer = peer, .at_ms = clk_ms() };
	str_copy(m->text, sizeof(m->text), mark);
}

void
wire_why_fini(struct vpn *v)
{
	free(v->why);
	v->why = NULL;
}

/* One is made on demand, because it takes a while: whoever asks comes again. */
static void
from_secure(struct asked *q)
{
	struct wire_why *w = q->v->why;
	uint32_t realm, peer;

	if (q->cp == NULL || q->cp->is_glob || w == NULL ||
	    q->cp->psk == NULL)
		return;
	realm = q->cr->index;	/* as the secure process knows them */
	peer = q->cp->index;
	if (w->conf != q->v->conf)	/* it was reloaded: other indexes */
		memset(w->mark, 0, sizeof(w->mark));
	for (unsigned i = 0; i < MARKS; i++) {
		const struct mark *m = &w->mark[i];

		if (m->at_ms == 0 || m->realm != realm || m->peer != peer ||
		    clk_ms() - m->at_ms > MARK_MS)
			continue;
		str_copy(q->f.fingerprint, sizeof(q->f.fingerprint), m->text);
		return;
	}
	q->is_pending = !q->f.is_secure_gone &&
	    secure_mark(q->v->secure, realm, peer) == 0;
}

/* ---- the engine -------------------------------------------------------------- */

static void
end_from(const struct ike_end *e, struct why_end *out)
{
	static const enum why_by by[] = {
		[IKE_BY_NOBODY] = WHY_BY_NOBODY,
		[IKE_BY_SILENCE] = WHY_BY_SILENCE,
		[IKE_BY_PEER] = WHY_BY_PEER, [IKE_BY_US] = WHY_BY_US,
	};
	static const enum why_stage stage[] = {
		[IKE_STAGE_START] = WHY_AT_START, [IKE_STAGE_INIT] = WHY_AT_INIT,
		[IKE_STAGE_AUTH] = WHY_AT_AUTH, [IKE_STAGE_CHILD] = WHY_AT_CHILD,
		[IKE_STAGE_REKEY] = WHY_AT_REKEY,
		[IKE_STAGE_ALIVE] = WHY_AT_ALIVE,
	};

	out->by = by[e->by];
	out->stage = stage[e->stage];
	out->age_s = e->by == IKE_BY_NOBODY ? WHY_NEVER : age_s(e->at_ms);
	out->notify = e->notify;
	out->is_protected = e->is_protected;
	ep_text(&e->from, out->from);
	str_copy(out->why, sizeof(out->why), e->why);
}

static void
pairs_from(const struct ike_pairs *p, struct why_facts *f)
{
	_Static_assert(IKE_PAIR_MAX <= WHY_PAIR_MAX, "all rows");
	_Static_assert(IKE_CELL_MAX <= WHY_CELL_MAX, "whole cells");
	f->pair_kind = p->kind == IKE_PAIR_IKE ? WHY_PAIR_IKE :
	    p->kind == IKE_PAIR_ESP ? WHY_PAIR_ESP :
	    p->kind == IKE_PAIR_TS ? WHY_PAIR_TS : WHY_PAIR_NONE;
	f->n_pair = p->n;
	for (unsigned i = 0; i < p->n; i++) {
		str_copy(f->pair[i].what, sizeof(f->pair[i].what),
			 p->pair[i].what);
		str_copy(f->pair[i].own, sizeof(f->pair[i].own),
			 p->pair[i].own);
		str_copy(f->pair[i].peer, sizeof(f->pair[i].peer),
			 p->pair[i].peer);
	}
}

static void
from_icmp(struct asked *q, const struct net_ep *at)
{
	static const enum why_icmp kind[] = {
		[ICMP_NONE] = WHY_ICMP_NONE, [ICMP_PORT] = WHY_ICMP_PORT,
		[ICMP_HOST] = WHY_ICMP_HOST, [ICMP_ADMIN] = WHY_ICMP_ADMIN,
		[ICMP_BIG] = WHY_ICMP_BIG,
	};
	const struct icmp_error *e = icmp_find(q->v->icmp, &at->ip);
	struct why_facts *f = &q->f;
	char ip[IP_TEXT_MAX];

	f->icmp_s = WHY_NEVER;
	if (e == NULL)
		return;
	f->icmp = kind[e->kind];
	f->icmp_s = age_s(e->at_ms);
	str_copy(f->icmp_from, sizeof(f->icmp_from), ip_text(&e->from, ip));
	f->icmp_port = e->to.port;
	f->icmp_mtu = e->mtu;
}

static void
moved_from(const struct ike_moved *m, struct why_moved *out)
{
	static const enum why_moved_how how[] = {
		[IKE_MOVED_GONE] = WHY_MOVED_GONE,
		[IKE_MOVED_TOO_OFTEN] = WHY_MOVED_TOO_OFTEN,
		[IKE_MOVED_NOWHERE] = WHY_MOVED_NOWHERE,
	};
	char ip[IP_TEXT_MAX];

	out->age_s = age_s(m->at_ms);
	if (m->at_ms == 0)
		return;
	out->how = how[m->how];
	out->n = m->n;
	str_copy(out->from, sizeof(out->from), ip_text(&m->from, ip));
	str_copy(out->to, sizeof(out->to), m->to);
}

static void
from_trace(struct asked *q)
{
	enum ike_drain_mode drain;
	struct ike_trace_info t;
	struct why_facts *f = &q->f;
	struct ip_addr own;

	(void)ike_trace_get(q->v->ike, q->li.link, &t);
	f->is_held = t.is_held;
	f->needs_word = t.needs_word;
	f->is_dialled = t.is_wanted;
	f->n_addr = t.n_ep;
	f->is_unresolved = t.is_unresolved;
	f->port[0].number = q->v->conf->port;
	f->port[1].number = q->v->conf->nat_port;
	for (int i = 0; i < 2; i++) {
		f->port[i].sent_s = age_s(t.sent_ms[i]);
		f->port[i].heard_s = age_s(t.heard_ms[i]);
	}
	f->try_s = age_s(t.try_ms);
	end_from(&t.out, &f->out);
	end_from(&t.in, &f->in);
	f->big_bytes = t.big_bytes;
	f->has_frag = t.has_frag;
	f->n_cookie = t.n_cookie;
	f->n_group = t.n_group;
	pairs_from(&t.pairs, f);
	f->rekey_s = age_s(t.rekey_ms);
	str_copy(f->rekey_said, sizeof(f->rekey_said), t.rekey_why);
	moved_from(&t.moved, &f->moved);
	f->moved.was_up = q->li.up_since_ms != 0 &&
	    q->li.up_since_ms <= t.moved.at_ms;
	f->ticket_s = age_s(t.ticket_ms);
	if (t.own_end_s != 0 && (int64_t)t.own_end_s < clk_wall_s())
		date_text((time_t)t.own_end_s, f->own_end, sizeof(f->own_end));
	drain = ike_drained(q->v->ike, q->li.realm, f->drain, sizeof(f->drain));
	f->is_shut = drain == IKE_DRAIN_KEEP || drain == IKE_DRAIN_END;
	if (f->remote[0] == '\0')
		ep_text(&t.at, f->remote);
	from_icmp(q, t.at.ip.family != 0 ? &t.at : &q->li.remote);
	if (t.n_ep == 0)
		return;
	own = udp_local_addr(q->v->socks.probe, &t.at.ip);
	f->has_route = own.family != 0;
}

/* The rule that nearly fits an identity; NULL for none. */
static const char *
nearest(const struct vpn *v, const char *id)
{
	const char *word[256];
	size_t n = 0;

	for (unsigned i = 0; i < v->conf->n_realm; i++)
		for (unsigned k = 0; k < v->conf->realm[i].n_peer; k++)
			if (v->conf->realm[i].peer[k].id != NULL &&
			    n < N_OF(word))
				word[n++] = v->conf->realm[i].peer[k].id;
	return *id != '\0' ? str_closest(id, word, n) : NULL;
}

/* May this stranger have been the peer? */
static bool
may_be(const struct asked *q, const struct ike_stranger *s, const char *near)
{
	struct ike_trace_info t;

	if (ike_trace_get(q->v->ike, q->li.link, &t) && t.n_ep > 0 &&
	    !ip_equal(&t.at.ip, &s->from.ip))
		return false;
	return near == NULL || q->cp == NULL || q->cp->id == NULL ||
	    strcmp(near, q->cp->id) == 0;
}

/* Who it wanted to be: by EAP, when it came so far, else by IKE. */
static void
claim_of(const struct ike_stranger *s, char out[WHY_ID_MAX])
{
	static const char head[] = "user \"";
	const char *user = strstr(s->why, head);

	str_copy(out, WHY_ID_MAX, s->id);
	if (user == NULL)
		return;
	user += sizeof(head) - 1;
	snprintf(out, WHY_ID_MAX, "%.*s", (int)strcspn(user, "\""), user);
}

/* Is it who was asked for, or one whom this pattern would take? */
static bool
is_asked_for(const struct asked *q, const struct ike_stranger *s)
{
	const struct conf_realm *r;
	char claim[WHY_ID_MAX];

	claim_of(s, claim);
	if (q->is_comer)
		return strcasecmp(claim, q->li.name) == 0 ||
		    strcasecmp(s->id, q->li.name) == 0;
	return q->cp != NULL && q->cp->is_glob && q->li.link == 0 &&
	    wire_match_name(q->v->conf, claim, &r) == q->cp;
}

/* It has no link of its own: what was refused is the evidence. */
static void
end_of_stranger(const struct ike_stranger *s, struct why_end *out)
{
	*out = (struct why_end){ .by = WHY_BY_US, .age_s = age_s(s->at_ms),
		.stage = s->stage == IKE_STAGE_INIT ? WHY_AT_INIT : WHY_AT_AUTH,
		.notify = s->stage == IKE_STAGE_INIT ?
		    IKE_N_NO_PROPOSAL_CHOSEN : IKE_N_AUTHENTICATION_FAILED };
	ep_text(&s->from, out->from);
	str_copy(out->why, sizeof(out->why), s->why);
}

static void
from_strangers(struct asked *q)
{
	const struct ike_stranger *s;
	struct why_stranger *out = &q->f.stranger;

	out->age_s = WHY_NEVER;
	for (unsigned i = 0; (s = ike_stranger_at(q->v->ike, i)) != NULL; i++) {
		const char *near = nearest(q->v, s->id);
		bool is_it = is_asked_for(q, s);

		if (!is_it && (q->is_comer || !may_be(q, s, near)))
			continue;
		if (is_it && clk_ms() - s->at_ms <= STRANGER_MS)
			end_of_stranger(s, &q->f.in);
		out->age_s = age_s(s->at_ms);
		ep_text(&s->from, out->from);
		str_copy(out->id, sizeof(out->id), s->id);
		str_copy(out->said, sizeof(out->said), s->why);
		str_copy(out->nearest, sizeof(out->nearest), near != NULL ?
			 near : "");
		if (s->pairs.n > 0 && q->f.n_pair == 0)
			pairs_from(&s->pairs, &q->f);
		return;
	}
}

static void
from_link(struct asked *q)
{
	static const enum why_state state[] = {
		[IKE_ST_DOWN] = WHY_DOWN, [IKE_ST_CONNECTING] = WHY_CONNECTING,
		[IKE_ST_SUSPECT] = WHY_SUSPECT, [IKE_ST_UP] = WHY_UP,
	};
	const struct ike_link_info *li = &q->li;
	struct why_facts *f = &q->f;

	f->state = state[li->state];
	f->up_s = age_s(li->up_since_ms);
	str_copy(f->said, sizeof(f->said), li->why);
	ep_text(&li->remote, f->remote);
	str_copy(f->mode_now, sizeof(f->mode_now), li->child_id != 0 ?
		 vpn_mode_name(li->mode) : "");
	str_copy(f->encap, sizeof(f->encap), vpn_encap_name(li->encap));
	f->inside = mtu_inside(q->v->mtu, li->link);
	f->path_mtu = mtu_outside(q->v->mtu, li->link);
	f->is_secure_gone = !secure_is_open(q->v->secure);
}

/* ---- traffic ------------------------------------------------------------------- */

static void
from_esp(struct asked *q)
{
	const struct bus_rec *cmd = q->cmd;
	struct esp_child_stats st;
	struct why_facts *f = &q->f;

	esp_link_stats_get(q->v->esp, q->li.link, &st);
	f->rx_packets = st.rx_packets;
	f->tx_packets = st.tx_packets;
	f->in_s = age_s(st.last_in_ms);
	f->out_s = age_s(st.last_out_ms);
	f->n_replay = st.n_replay;
	f->n_icv = st.n_icv;
	f->sample_s = (unsigned)MIN(bus_u64(cmd, BUS_F_SAMPLE_S), 3600u);
	if (f->sample_s == 0)
		return;
	f->has_sample = true;
	f->rx_now = st.rx_packets - MIN(bus_u64(cmd, BUS_F_RX_PACKETS),
					st.rx_packets);
	f->tx_now = st.tx_packets - MIN(bus_u64(cmd, BUS_F_TX_PACKETS),
					st.tx_packets);
}

static void
from_hub(struct asked *q)
{
	const struct vpn_link *l = vpn_link_find(q->v, q->li.link);
	struct hub_port_info pi;
	struct why_facts *f = &q->f;
	uint32_t it = 0;

	while (l != NULL && hub_port_next(l->hub, &it, &pi)) {
		if (pi.kind == HUB_PORT_TAP)
			f->tap_in = pi.rx_frames;
		if (pi.kind == HUB_PORT_TAP)
			f->arp_told = pi.n_arp_reply;
		if (pi.port != l->port)
			continue;
		f->has_port = true;
		f->n_mac = pi.n_mac;
		f->arp_asked = pi.n_arp_ask;
		f->is_blocked = pi.is_blocked;
		f->blocked_s = pi.blocked_s;
	}
}

/* ---- events ---------------------------------------------------------------------- */

static bool
is_port(const struct asked *q, const struct bus_rec *ev)
{
	return strcmp(bus_str(ev, BUS_F_PORT), q->li.name) == 0 ||
	    strcmp(bus_str(ev, BUS_F_OLD_PORT), q->li.name) == 0;
}

static void
told(const struct bus_rec *ev, struct why_told *t)
{
	uint64_t now = clk_wall_ms();

	t->age_s = (int64_t)((now - MIN(now, ev->time_ms)) / 1000);
	t->n = (unsigned)bus_u64(ev, BUS_F_VALUE);
	str_copy(t->mac, sizeof(t->mac), bus_str(ev, BUS_F_MAC));
	str_copy(t->port, sizeof(t->port), bus_str(ev, BUS_F_PORT));
	str_copy(t->old_port, sizeof(t->old_port), bus_str(ev, BUS_F_OLD_PORT));
}

/* The peer came: from another address than before, and that to and fro? */
static void
came(struct asked *q, const struct bus_rec *ev)
{
	struct why_facts *f = &q->f;
	uint64_t now = clk_wall_ms();
	struct net_ep ep;
	char ip[IP_TEXT_MAX];

	if (now - MIN(now, ev->time_ms) > SWAP_MS ||
	    net_ep_parse(bus_str(ev, BUS_F_REMOTE), &ep) != 0)
		return;
	ip_text(&ep.ip, ip);
	if (strcmp(f->swap[1], ip) == 0)
		return;
	if (strcmp(f->swap[0], ip) == 0)
		f->n_swap++;
	str_copy(f->swap[0], sizeof(f->swap[0]), f->swap[1]);
	str_copy(f->swap[1], sizeof(f->swap[1]), ip);
}

/* An address came to the peer's port or left it: again and again? */
static void
moved(struct asked *q, const struct bus_rec *ev)
{
	struct why_told *m = &q->moved;
	uint64_t now = clk_wall_ms();
	unsigned n = strcmp(m->mac, bus_str(ev, BUS_F_MAC)) == 0 ? m->n : 0;

	if (now - MIN(now, ev->time_ms) > MOVE_MS)
		return;
	told(ev, m);
	m->n = n + 1;
	if (m->n >= MOVES)
		q->f.clash = *m;
}

static void
event(struct asked *q, const struct bus_rec *ev)
{
	if (strcmp(bus_str(ev, BUS_F_REALM), q->f.realm) != 0)
		return;
	switch ((unsigned)ev->desc->row) {
	case BUS_EV_PEER_UP:
		if (strcmp(bus_str(ev, BUS_F_PEER), q->li.name) == 0)
			came(q, ev);
		break;
	case BUS_EV_HUB_LOOP:
		if (is_port(q, ev))
			told(ev, &q->f.loop);
		break;
	case BUS_EV_HUB_FLAP:
		if (is_port(q, ev))
			told(ev, &q->f.flap);
		break;
	case BUS_EV_HUB_MAC_MOVED:
		if (is_port(q, ev))
			moved(q, ev);
		break;
	case BUS_EV_HUB_MAC_CLASH:
		if (is_port(q, ev))
			told(ev, &q->f.clash);
		break;
	default:
		break;
	}
}

static void
from_events(struct asked *q)
{
	struct bus_reader rd;
	struct bus_rec ev;
	uint64_t lost;

	q->f.loop.age_s = q->f.flap.age_s = q->f.clash.age_s = WHY_NEVER;
	bus_reader_init(&rd, 0);
	while (bus_read(q->v->bus, &rd, &ev, &lost) == 0)
		if (lost == 0)
			event(q, &ev);
}

/* ---- the answer -------------------------------------------------------------------- */

static void
send_head(struct asked *q, struct ctl_client *cl, const struct why_report *rep)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_WHY);
	bus_set_str(&r, BUS_F_REALM, q->f.realm);
	bus_set_str(&r, BUS_F_PEER, q->f.peer);
	bus_set_str(&r, BUS_F_STATE, ike_link_state_name(q->li.state));
	bus_set_str(&r, BUS_F_REMOTE, q->f.remote);
	bus_set_u64(&r, BUS_F_UP_S, q->f.up_s == WHY_NEVER ? 0 :
		    (uint64_t)q->f.up_s);
	bus_set_str(&r, BUS_F_CODE, rep->n_cause == 0 ? "" :
		    why_rule_info(rep->cause[0].rule)->code);
	bus_set_str(&r, BUS_F_FINGERPRINT, q->f.fingerprint);
	bus_set_bool(&r, BUS_F_IS_PENDING, q->is_pending);
	bus_set_u64(&r, BUS_F_RX_PACKETS, q->f.rx_packets);
	bus_set_u64(&r, BUS_F_TX_PACKETS, q->f.tx_packets);
	ctl_send(cl, &r, q->cmd->tag);
}

static void
send_checks(struct asked *q, struct ctl_client *cl,
	    const struct why_report *rep, enum why_lang lang)
{
	struct bus_rec r;

	for (unsigned i = 0; i < WHY_CHECK_END; i++) {
		const struct why_checked *c = &rep->check[i];

		bus_rec_init(&r, BUS_RES_CHECK);
		bus_set_str(&r, BUS_F_CHECK, why_check_code(i));
		bus_set_str(&r, BUS_F_TEXT, why_check_text(i, lang));
		bus_set_str(&r, BUS_F_VERDICT, why_result_name(c->result));
		bus_set_str(&r, BUS_F_DETAIL, c->detail);
		ctl_send(cl, &r, q->cmd->tag);
	}
}

static void
send_causes(struct asked *q, struct ctl_client *cl,
	    const struct why_report *rep)
{
	struct bus_rec r;

	for (unsigned i = 0; i < rep->n_cause; i++) {
		const struct why_cause *c = &rep->cause[i];
		const struct why_rule_info *info = why_rule_info(c->rule);

		bus_rec_init(&r, BUS_RES_CAUSE);
		bus_set_str(&r, BUS_F_CODE, info->code);
		bus_set_fmt(&r, BUS_F_NUMBER, "W%03u", info->num);
		bus_set_str(&r, BUS_F_CHECK, why_check_code(info->check));
		bus_set_str(&r, BUS_F_WHY, c->cause);
		bus_set_str(&r, BUS_F_HINT, c->cure);
		ctl_send(cl, &r, q->cmd->tag);
	}
	for (unsigned i = 0; i < q->f.n_pair && rep->has_pairs; i++) {
		const struct why_pair *p = &q->f.pair[i];

		bus_rec_init(&r, BUS_RES_PAIR);
		bus_set_str(&r, BUS_F_WHAT, p->what);
		bus_set_str(&r, BUS_F_OWN, p->own);
		bus_set_str(&r, BUS_F_THEIRS, p->peer);
		bus_set_bool(&r, BUS_F_IS_SAME, why_pair_fits(p));
		ctl_send(cl, &r, q->cmd->tag);
	}
}

/* A pattern of the configuration: nobody who fits it is here. */
static int
find_pattern(struct asked *q)
{
	const char *realm = bus_str(q->cmd, BUS_F_REALM);
	const char *peer = bus_str(q->cmd, BUS_F_PEER);
	unsigned n = 0;

	for (uint32_t i = 0; i < q->v->n_realm; i++)
		for (uint32_t k = 0; k < q->v->realm[i].n_peer; k++) {
			const struct vpn_peer *p = vpn_peer_at(q->v, i, k);

			if (p == NULL || strcmp(p->conf->name, peer) != 0 ||
			    (*realm != '\0' &&
			     strcmp(q->v->realm[i].conf->name, realm) != 0))
				continue;
			q->li = (struct ike_link_info){ .realm = i, .peer = k,
				.encap = p->conf->encap };
			str_copy(q->li.name, sizeof(q->li.name),
				 p->conf->name);
			str_copy(q->li.id, sizeof(q->li.id),
				 p->conf->id != NULL ? p->conf->id : "");
			n++;
		}
	return n == 1 ? 0 : n == 0 ? ERR_NOTFOUND : ERR_EXISTS;
}

/* Nobody of that name is here: whom would it be let in as? */
static int
find_comer(struct asked *q)
{
	const char *realm = bus_str(q->cmd, BUS_F_REALM);
	const char *name = bus_str(q->cmd, BUS_F_PEER);
	const struct conf_realm *r;
	const struct conf_peer *p = wire_match_name(q->v->conf, name, &r);

	if (p == NULL || !p->is_glob ||
	    (*realm != '\0' && strcmp(realm, r->name) != 0) ||
	    vpn_peer_at(q->v, r->index, p->index) == NULL)
		return ERR_NOTFOUND;
	q->is_comer = true;
	q->li = (struct ike_link_info){ .realm = r->index, .peer = p->index,
		.encap = p->encap };
	str_copy(q->li.name, sizeof(q->li.name), name);
	str_copy(q->li.id, sizeof(q->li.id), name);
	return 0;
}

/* The only peer of that name; 0, ERR_NOTFOUND, or ERR_EXISTS for several. */
static int
find(struct asked *q)
{
	struct ike_link_info li;
	uint32_t it = 0;
	unsigned n = 0;
	int err;

	while (ike_link_next(q->v->ike, &it, &li))
		if (wire_ctl_fits(q->v, &li, q->cmd)) {
			q->li = li;
			n++;
		}
	if (n > 0)
		return n == 1 ? 0 : ERR_EXISTS;
	err = find_pattern(q);
	return err == ERR_NOTFOUND ? find_comer(q) : err;
}

static void
answer(struct asked *q, struct ctl_client *cl)
{
	enum why_lang lang = why_lang_of(bus_str(q->cmd, BUS_F_LANG));
	struct why_report *rep = malloc(sizeof(*rep));
	const struct vpn_peer *p;

	if (rep == NULL) {
		ctl_failed(cl, q->cmd->tag, ERR_NOMEM, err_text(ERR_NOMEM), "");
		return;
	}
	q->cr = q->v->realm[q->li.realm].conf;
	p = vpn_peer_at(q->v, q->li.realm, q->li.peer);
	q->cp = p != NULL ? p->conf : NULL;
	from_conf(q);
	from_link(q);
	from_trace(q);
	from_secure(q);
	from_strangers(q);
	from_esp(q);
	from_hub(q);
	from_events(q);
	why_judge(&q->f, lang, rep);
	send_head(q, cl, rep);
	send_checks(q, cl, rep, lang);
	send_causes(q, cl, rep);
	ctl_done(cl, q->cmd->tag, "");
	free(rep);
}

void
wire_why_command(struct vpn *v, struct ctl_client *cl,
		 const struct bus_rec *cmd)
{
	struct asked *q = calloc(1, sizeof(*q));
	int err = ERR_NOMEM;

	if (v->why == NULL)		/* without memory: no fingerprints */
		v->why = calloc(1, sizeof(*v->why));

	if (q != NULL) {
		q->v = v;
		q->cmd = cmd;
		err = find(q);
	}
	if (err == 0)
		answer(q, cl);
	else if (err == ERR_NOTFOUND)
		wire_ctl_no_peer(v, cl, cmd);
	else
		ctl_failed(cl, cmd->tag, err, err == ERR_EXISTS ?
			   "this means more than one peer" : err_text(err),
			   err == ERR_EXISTS ? "say which: REALM/PEER" : "");
	free(q);
}
