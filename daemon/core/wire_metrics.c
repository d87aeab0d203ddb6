/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire_metrics.c - numbers for metrics -> result records.
 *
 * Configured peers have records of their own, up or not.  Those that a pattern
 * lets in are counted only: their names come from the network, and there is no
 * bound to them over time.
 *
 * Thread: the loop; wire_metrics_note() any.
 */
#include "daemon/core/ctl.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"
#include "daemon/core/lease.h"
#include "daemon/core/pool.h"
#include "daemon/core/wire.h"

/* ---- counting -------------------------------------------------------------- */

static void
code_count(struct vpn_metrics *m, const char *code)
{
	unsigned i = 0;

	while (i < m->n_code && strcmp(m->code[i].code, code) != 0)
		i++;
	if (i == m->n_code) {
		if (i == VPN_CODE_MAX || strlen(code) >= VPN_CODE_LEN) {
			m->n_other++;
			return;
		}
		str_copy(m->code[i].code, VPN_CODE_LEN, code);
		m->n_code++;
	}
	m->code[i].n++;
}

void
wire_metrics_note(struct vpn_metrics *m, const struct bus_rec *r)
{
	const char *code = bus_str(r, BUS_F_CODE);

	if (r->desc->num < VPN_EVENT_MAX)
		atomic_fetch_add_explicit(&m->n_event[r->desc->num], 1,
					  memory_order_relaxed);
	if (r->desc->row == BUS_EV_PEER_UP)
		m->n_ok++;
	else if (r->desc->row == BUS_EV_PEER_FAILED ||
		 r->desc->row == BUS_EV_AUTH_FAILED)
		code_count(m, *code != '\0' ? code : r->desc->name);
}

/* ---- peers ----------------------------------------------------------------- */

/* Peers of a realm's configuration: those of patterns, as numbers. */
struct tally {
	unsigned n_peer, n_up;
};

static bool
is_up(const struct ike_link_info *li)
{
	return li->state == IKE_ST_UP || li->state == IKE_ST_SUSPECT;
}

static void
peer_rec(struct vpn *v, struct ctl_client *cl, uint32_t tag,
	 const struct ike_link_info *li)
{
	uint64_t now = clk_ms();
	struct esp_child_stats st;
	struct bus_rec r;

	esp_link_stats_get(v->esp, li->link, &st);
	bus_rec_init(&r, BUS_RES_METRIC_PEER);
	bus_set_str(&r, BUS_F_REALM, vpn_realm_name(v, li->realm));
	bus_set_str(&r, BUS_F_PEER, li->name);
	bus_set_u64(&r, BUS_F_N_UP, is_up(li));
	bus_set_u64(&r, BUS_F_N_SUSPECT, li->state == IKE_ST_SUSPECT);
	bus_set_u64(&r, BUS_F_RX_BYTES, st.rx_bytes);
	bus_set_u64(&r, BUS_F_TX_BYTES, st.tx_bytes);
	bus_set_u64(&r, BUS_F_RX_PACKETS, st.rx_packets);
	bus_set_u64(&r, BUS_F_TX_PACKETS, st.tx_packets);
	bus_set_i64(&r, BUS_F_LAST_PACKET_S, st.last_in_ms == 0 ? -1 :
		    (int64_t)((now - MIN(now, st.last_in_ms)) / 1000));
	if (li->up_since_ms != 0)
		bus_set_u64(&r, BUS_F_UP_S, (now - li->up_since_ms) / 1000);
	bus_set_u64(&r, BUS_F_CERT_UNTIL, li->not_after_s);
	bus_set_u64(&r, BUS_F_OWN_CERT_UNTIL, li->own_end_s);
	ctl_send(cl, &r, tag);
}

static void
pattern_recs(struct vpn *v, struct ctl_client *cl, uint32_t tag,
	     struct tally **t)
{
	struct bus_rec r;

	for (unsigned i = 0; i < v->n_realm; i++) {
		for (unsigned k = 0; k < v->realm[i].n_peer; k++) {
			const struct vpn_peer *p = vpn_peer_at(v, i, k);

			if (p == NULL || !p->conf->is_glob)
				continue;
			bus_rec_init(&r, BUS_RES_METRIC_PATTERN);
			bus_set_str(&r, BUS_F_REALM, vpn_realm_name(v, i));
			bus_set_str(&r, BUS_F_PEER, p->conf->name);
			bus_set_u64(&r, BUS_F_N_PEER, t[i][k].n_peer);
			bus_set_u64(&r, BUS_F_N_UP, t[i][k].n_up);
			ctl_send(cl, &r, tag);
		}
	}
}

/* ---- hubs ------------------------------------------------------------------ */

static void
hub_rec(struct vpn *v, struct ctl_client *cl, uint32_t tag, unsigned i,
	const struct tally *t)
{
	const struct vpn_realm *vr = &v->realm[i];
	uint64_t n_port = 0, n_blocked = 0, n_flood = 0, n_drop = 0;
	struct hub_port_info pi;
	struct hub_counts n;
	struct bus_rec r;
	uint32_t it = 0;

	bus_rec_init(&r, BUS_RES_METRIC_HUB);
	while (hub_port_next(vr->hub, &it, &pi)) {
		n_port++;
		n_blocked += pi.is_blocked;
		n_flood += pi.n_flood;
		n_drop += pi.n_drop;
		if (pi.kind != HUB_PORT_TAP)
			continue;
		bus_set_u64(&r, BUS_F_RX_BYTES, pi.rx_bytes);
		bus_set_u64(&r, BUS_F_TX_BYTES, pi.tx_bytes);
		bus_set_u64(&r, BUS_F_RX_PACKETS, pi.rx_frames);
		bus_set_u64(&r, BUS_F_TX_PACKETS, pi.tx_frames);
	}
	hub_counts_get(vr->hub, &n);
	bus_set_str(&r, BUS_F_REALM, vr->conf->name);
	bus_set_u64(&r, BUS_F_N_PEER, t->n_peer);
	bus_set_u64(&r, BUS_F_N_UP, t->n_up);
	bus_set_u64(&r, BUS_F_N_PORT, n_port);
	bus_set_u64(&r, BUS_F_N_BLOCKED, n_blocked);
	bus_set_u64(&r, BUS_F_N_MAC, n.n_mac);
	bus_set_u64(&r, BUS_F_N_NEIGH, n.n_neigh);
	bus_set_u64(&r, BUS_F_N_GROUP, n.n_member);
	bus_set_u64(&r, BUS_F_N_FLOOD, n_flood);
	bus_set_u64(&r, BUS_F_N_DROP, n_drop);
	ctl_send(cl, &r, tag);
}

/* ---- pools ----------------------------------------------------------------- */

static void
pool_recs(struct vpn *v, struct ctl_client *cl, uint32_t tag,
	  const struct vpn_realm *vr)
{
	static const struct {
		uint8_t family;
		const char *name;
	} row[] = { { 4, "ipv4" }, { 6, "ipv6" } };
	struct lease_count n;
	struct bus_rec r;

	for (unsigned i = 0; i < N_OF(row); i++) {
		pools_count(v->pools, vr->conf->name, row[i].family, &n);
		if (n.n_all == 0)
			continue;
		bus_rec_init(&r, BUS_RES_METRIC_POOL);
		bus_set_str(&r, BUS_F_REALM, vr->conf->name);
		bus_set_str(&r, BUS_F_FAMILY, row[i].name);
		bus_set_u64(&r, BUS_F_N_NOW, n.n_used);
		bus_set_u64(&r, BUS_F_N_WAITING, n.n_kept);
		bus_set_u64(&r, BUS_F_LIMIT, n.n_all);
		ctl_send(cl, &r, tag);
	}
}

static void
realm_recs(struct vpn *v, struct ctl_client *cl, uint32_t tag)
{
	struct tally *sum = calloc(v->n_realm + 1, sizeof(*sum));
	struct tally **t = calloc(v->n_realm + 1, sizeof(*t));
	struct ike_link_info li;
	bool is_whole = sum != NULL && t != NULL;
	uint32_t it = 0;

	for (unsigned i = 0; is_whole && i < v->n_realm; i++) {
		t[i] = calloc(v->realm[i].n_peer + 1, sizeof(**t));
		is_whole = t[i] != NULL;
	}
	while (is_whole && ike_link_next(v->ike, &it, &li)) {
		const struct vpn_peer *p = vpn_peer_at(v, li.realm, li.peer);
		struct tally *one;

		if (p == NULL)
			continue;
		one = &t[li.realm][li.peer];
		one->n_peer++;
		one->n_up += is_up(&li);
		sum[li.realm].n_peer++;
		sum[li.realm].n_up += is_up(&li);
		if (!p->conf->is_glob)
			peer_rec(v, cl, tag, &li);
	}
	for (unsigned i = 0; is_whole && i < v->n_realm; i++)
		if (vpn_realm_at(v, i) != NULL)
			hub_rec(v, cl, tag, i, &sum[i]);
	for (unsigned i = 0; i < v->n_realm; i++)
		if (vpn_realm_at(v, i) != NULL &&
		    v->realm[i].conf->pool != NULL)
			pool_recs(v, cl, tag, &v->realm[i]);
	if (is_whole)
		pattern_recs(v, cl, tag, t);
	for (unsigned i = 0; t != NULL && i < v->n_realm; i++)
		free(t[i]);
	free(t);
	free(sum);
}

/* ---- counts ---------------------------------------------------------------- */

static void
handshake_rec(struct ctl_client *cl, uint32_t tag, const char *result,
	      const char *code, uint64_t n)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_HANDSHAKE);
	bus_set_str(&r, BUS_F_WHAT, result);
	bus_set_str(&r, BUS_F_CODE, code);
	bus_set_u64(&r, BUS_F_VALUE, n);
	ctl_send(cl, &r, tag);
}

static void
event_recs(const struct vpn_metrics *m, struct ctl_client *cl, uint32_t tag)
{
	const struct bus_desc *d;
	unsigned it = 0;
	struct bus_rec r;

	while ((d = bus_desc_next(BUS_EVENT, &it)) != NULL) {
		if (d->num >= VPN_EVENT_MAX)
			continue;
		bus_rec_init(&r, BUS_RES_EVENT_COUNT);
		bus_set_str(&r, BUS_F_CODE, d->name);
		bus_set_u64(&r, BUS_F_VALUE, m->n_event[d->num]);
		ctl_send(cl, &r, tag);
	}
	handshake_rec(cl, tag, "ok", "", m->n_ok);
	for (unsigned i = 0; i < m->n_code; i++)
		handshake_rec(cl, tag, "failed", m->code[i].code, m->code[i].n);
	if (m->n_other != 0)
		handshake_rec(cl, tag, "failed", "other", m->n_other);
}

static void
hist_recs(struct ctl_client *cl, uint32_t tag, const char *name,
	  const struct ike_hist *h)
{
	struct bus_rec r;
	uint64_t n = 0;

	for (unsigned i = 0; i < IKE_HIST_END; i++) {
		bool is_last = i == IKE_HIST_END - 1;

		n += h->n[i];
		bus_rec_init(&r, BUS_RES_BUCKET);
		bus_set_str(&r, BUS_F_NAME, name);
		bus_set_u64(&r, BUS_F_LIMIT, is_last ? 0 : ike_hist_ms[i]);
		bus_set_u64(&r, BUS_F_VALUE, n);
		bus_set_u64(&r, BUS_F_SUM_MS, h->sum_ms);
		ctl_send(cl, &r, tag);
	}
}

void
wire_metrics_command(struct vpn *v, struct ctl_client *cl,
		     const struct bus_rec *cmd)
{
	struct ike_stats is;
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_DAEMON);
	bus_set_str(&r, BUS_F_VERSION, TAPIR_VERSION);
	bus_set_u64(&r, BUS_F_PID, (uint64_t)getpid());
	bus_set_u64(&r, BUS_F_UP_S, (clk_ms() - v->start_ms) / 1000);
	bus_set_u64(&r, BUS_F_N_REALM, v->conf->n_realm);
	ctl_send(cl, &r, cmd->tag);
	realm_recs(v, cl, cmd->tag);
	event_recs(&v->metrics, cl, cmd->tag);
	ike_stats_get(v->ike, &is);
	hist_recs(cl, cmd->tag, "handshake", &is.setup);
	hist_recs(cl, cmd->tag, "exchange", &is.exchange);
	wire_stats_metrics(v, cl, cmd->tag);
	ctl_done(cl, cmd->tag, "");
}
