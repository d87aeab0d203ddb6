/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire_stats.c - what the daemon counted -> result records.
 *
 * Thread: the loop.
 */
#include "daemon/core/ctl.h"
#include <linux/sock_diag.h>
#include <stdio.h>
#include <sys/socket.h>
#include "daemon/base/clk.h"
#include "daemon/base/drop.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"
#include "daemon/core/fallback.h"
#include "daemon/core/sock.h"
#include "daemon/core/work.h"
#include "daemon/ipc/msg.h"

static void
stat_rec(struct ctl_client *cl, uint32_t tag, const char *name, uint64_t value)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_STAT);
	bus_set_str(&r, BUS_F_NAME, name);
	bus_set_u64(&r, BUS_F_VALUE, value);
	ctl_send(cl, &r, tag);
}

/* The same numbers one by one, by name. */
static void
flat_worker(struct ctl_client *cl, uint32_t tag, unsigned i,
	    const struct work_stats *ws)
{
	char name[64];
	const struct {
		const char *key;
		uint64_t value;
	} row[] = {
		{ "wakeups", ws->n_wake },
		{ "rests", ws->n_rest },
		{ "tap-frames", ws->n_tap_frames },
		{ "tap-batches", ws->n_tap_batches },
		{ "udp-packets", ws->n_udp_packets },
		{ "udp-batches", ws->n_udp_batches },
		{ "raw-packets", ws->n_raw_packets },
		{ "ring-packets", ws->n_ring_packets },
		{ "ring-pieces", ws->n_ring_pieces },
		{ "ring-large", ws->n_ring_large },
		{ "ring-transit", ws->n_ring_transit },
		{ "tap-super-frames", ws->n_tap_supers },
		{ "tap-written", ws->n_tap_written },
		{ "tap-merged", ws->n_tap_merged },
		{ "udp-trains", ws->n_udp_trains },
		{ "sent-packets", ws->n_sent_packets },
		{ "sent-messages", ws->n_sent_messages },
		{ "sent-trains", ws->n_sent_trains },
		{ "refused-trains", ws->n_refused_trains },
		{ "handed-over", ws->n_handed_over },
		{ "queued", ws->n_queued },
		{ "buffers-used", ws->n_buf_used },
		{ "big-buffers-used", ws->n_big_used },
	};

	for (unsigned k = 0; k < N_OF(row); k++) {
		name[0] = '\0';
		str_add(name, sizeof(name), "worker%u-%s", i, row[k].key);
		stat_rec(cl, tag, name, row[k].value);
	}
}

/* ---- workers ------------------------------------------------------------- */

static void
worker_rec(struct ctl_client *cl, uint32_t tag, unsigned i,
	   const struct work_stats *ws)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_WORKER);
	bus_set_u64(&r, BUS_F_WORKER, i);
	bus_set_u64(&r, BUS_F_CPU_NS, ws->cpu_ns);
	bus_set_u64(&r, BUS_F_N_WAKE, ws->n_wake);
	bus_set_u64(&r, BUS_F_N_HANDED, ws->n_handed_over);
	bus_set_u64(&r, BUS_F_N_REFUSED, ws->n_refused_trains);
	bus_set_u64(&r, BUS_F_N_DROP, ws->n_drop);
	ctl_send(cl, &r, tag);
}

static void
stage_recs(struct ctl_client *cl, uint32_t tag, unsigned i,
	   const struct work_stats *ws)
{
	static const char *const name[WORK_STAGE_END] = {
		"tap-in", "net-out", "net-in", "tap-out",
	};
	struct bus_rec r;

	for (int k = 0; k < WORK_STAGE_END; k++) {
		const struct work_flow *f = &ws->flow[k];

		bus_rec_init(&r, BUS_RES_STAGE);
		bus_set_u64(&r, BUS_F_WORKER, i);
		bus_set_str(&r, BUS_F_STAGE, name[k]);
		bus_set_u64(&r, BUS_F_N_BATCH, f->n_batch);
		bus_set_u64(&r, BUS_F_N_PACKET, f->n_packet);
		bus_set_u64(&r, BUS_F_N_BYTES, f->n_bytes);
		bus_set_u64(&r, BUS_F_N_TRAIN, f->n_train);
		bus_set_u64(&r, BUS_F_N_IN_TRAIN, f->n_in_train);
		ctl_send(cl, &r, tag);
	}
}

static void
queue_rec(struct ctl_client *cl, uint32_t tag, unsigned worker,
	  const char *name, const uint64_t n[4])
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_QUEUE);
	bus_set_u64(&r, BUS_F_WORKER, worker);
	bus_set_str(&r, BUS_F_QUEUE, name);
	bus_set_u64(&r, BUS_F_N_NOW, n[0]);
	bus_set_u64(&r, BUS_F_N_HIGH, n[1]);
	bus_set_u64(&r, BUS_F_LIMIT, n[2]);
	bus_set_u64(&r, BUS_F_N_DROP, n[3]);
	ctl_send(cl, &r, tag);
}

/* What waits in a socket, in bytes of the kernel's count; it keeps no highest. */
static void
socket_rec(struct ctl_client *cl, uint32_t tag, unsigned worker,
	   const char *name, int fd)
{
	uint32_t m[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(m);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_MEMINFO, m, &len) != 0)
		return;
	queue_rec(cl, tag, worker, name, (const uint64_t[4]){
		m[SK_MEMINFO_RMEM_ALLOC], m[SK_MEMINFO_RMEM_ALLOC],
		m[SK_MEMINFO_RCVBUF], m[SK_MEMINFO_DROPS] });
}

static void
queue_recs(struct vpn *v, struct ctl_client *cl, uint32_t tag, unsigned i,
	   const struct work_stats *ws)
{
	static const char *const name[WORK_PRIO_END] = {
		"in", "out",
	};
	unsigned n = vpn_lanes(v->n_worker);
	char lane[16];

	for (int q = 0; q < WORK_PRIO_END; q++)
		queue_rec(cl, tag, i, name[q], (const uint64_t[4]){
			ws->queue[q].n, ws->queue[q].high, ws->queue[q].limit });
	queue_rec(cl, tag, i, "tap", (const uint64_t[4]){
		ws->tap.n, ws->tap.high, ws->tap.limit, ws->n_tap_drop });
	for (unsigned k = 0; k < n; k++) {
		snprintf(lane, sizeof(lane), "udp4.%u", k);
		socket_rec(cl, tag, i, lane, v->socks.nat[i * n + k][FAM_V4]);
		snprintf(lane, sizeof(lane), "udp6.%u", k);
		socket_rec(cl, tag, i, lane, v->socks.nat[i * n + k][FAM_V6]);
	}
	if (i == 0) { /* who reads them */
		socket_rec(cl, tag, i, "raw4", v->socks.raw[FAM_V4]);
		socket_rec(cl, tag, i, "raw6", v->socks.raw[FAM_V6]);
	}
}

static void
worker_recs(struct vpn *v, struct ctl_client *cl, uint32_t tag)
{
	struct work_stats ws;

	for (unsigned i = 0; i < v->n_worker; i++) {
		work_stats_get(v->work, i, &ws);
		worker_rec(cl, tag, i, &ws);
		stage_recs(cl, tag, i, &ws);
		queue_recs(v, cl, tag, i, &ws);
		flat_worker(cl, tag, i, &ws);
	}
}

/* ---- SAs ----------------------------------------------------------------- */

static void
sa_recs(struct vpn *v, struct ctl_client *cl, uint32_t tag)
{
	uint64_t now = clk_ms();
	struct esp_child_info ci;
	struct ike_link_info li;
	struct bus_rec r;
	size_t it = 0;

	while (esp_child_next(v->esp, &it, &ci)) {
		const struct vpn_alg_info *alg = vpn_alg_info(ci.alg);
		const struct esp_child_stats *st = &ci.stats;

		bus_rec_init(&r, BUS_RES_SA);
		if (ike_link_get(v->ike, ci.link, &li)) {
			bus_set_str(&r, BUS_F_REALM,
				    vpn_realm_name(v, li.realm));
			bus_set_str(&r, BUS_F_PEER, li.name);
		}
		bus_set_u64(&r, BUS_F_SPI_IN, ci.esp_spi_in);
		bus_set_u64(&r, BUS_F_SPI_OUT, ci.esp_spi_out);
		bus_set_u64(&r, BUS_F_WORKER, ci.worker_in);
		bus_set_str(&r, BUS_F_SUITE, alg != NULL ? alg->name : "");
		bus_set_str(&r, BUS_F_MODE, vpn_mode_name(ci.mode));
		bus_set_str(&r, BUS_F_ENCAP, vpn_encap_name(ci.path.encap));
		bus_set_u64(&r, BUS_F_RX_PACKETS, st->rx_packets);
		bus_set_u64(&r, BUS_F_RX_BYTES, st->rx_bytes);
		bus_set_u64(&r, BUS_F_TX_PACKETS, st->tx_packets);
		bus_set_u64(&r, BUS_F_TX_BYTES, st->tx_bytes);
		bus_set_u64(&r, BUS_F_SEQ_IN, st->seq_in);
		bus_set_u64(&r, BUS_F_SEQ_OUT, st->seq_out);
		bus_set_u64(&r, BUS_F_N_REPLAY, st->n_replay);
		bus_set_u64(&r, BUS_F_N_ICV, st->n_icv);
		bus_set_i64(&r, BUS_F_LAST_PACKET_S, st->last_in_ms == 0 ? -1 :
			    (int64_t)((now - MIN(now, st->last_in_ms)) / 1000));
		ctl_send(cl, &r, tag);
	}
}

/* ---- the whole ----------------------------------------------------------- */

/* Is the packet path without something the kernel could have? */
static bool
is_without(const struct vpn *v, enum fallback f)
{
	uint32_t need = f == FALLBACK_TAP_GSO ? IPC_TAP_TSO :
	    f == FALLBACK_USO ? IPC_TAP_USO : 0;

	for (unsigned i = 0; i < v->n_realm; i++)
		if (v->realm[i].conf != NULL &&
		    (v->realm[i].offloads & need) != need)
			return true;
	if (f == FALLBACK_PACKET_RING)
		return sock_wants_rings(v->conf, v->n_worker) &&
		    v->socks.ring[0][FAM_V4] < 0;
	return fallback_has(v->fallback, f);
}

static void
datapath_recs(struct vpn *v, struct ctl_client *cl, uint32_t tag)
{
	char name[32], list[256] = "";
	struct bus_rec r;

	for (int f = 0; f < FALLBACK_END; f++) {
		const char *word = fallback_name((enum fallback)f);
		bool is = is_without(v, (enum fallback)f);

		name[0] = '\0';
		str_add(name, sizeof(name), "without-%s", word);
		stat_rec(cl, tag, name, is);
		if (is)
			str_add(list, sizeof(list), "%s%s",
				*list != '\0' ? "," : "", word);
	}
	bus_rec_init(&r, BUS_RES_DATAPATH);
	bus_set_str(&r, BUS_F_PROVIDER, esp_provider_name(v->esp));
	bus_set_str(&r, BUS_F_RULE, esp_rule_name(v->esp));
	bus_set_u64(&r, BUS_F_N_WORKER, v->n_worker);
	bus_set_str(&r, BUS_F_WITHOUT, list);
	ctl_send(cl, &r, tag);
}

static void
ike_recs(struct vpn *v, struct ctl_client *cl, uint32_t tag)
{
	struct ike_stats is;

	ike_stats_get(v->ike, &is);
	stat_rec(cl, tag, "ike-sa", is.n_ike_sa);
	stat_rec(cl, tag, "ike-half-open", is.n_halfopen);
	stat_rec(cl, tag, "ike-init-in", is.n_init_in);
	stat_rec(cl, tag, "ike-init-out", is.n_init_out);
	stat_rec(cl, tag, "ike-auth-ok", is.n_auth_ok);
	stat_rec(cl, tag, "ike-auth-failed", is.n_auth_failed);
	stat_rec(cl, tag, "ike-retransmits", is.n_retransmit);
	stat_rec(cl, tag, "ike-rekeys", is.n_rekey);
	stat_rec(cl, tag, "ike-cookies-asked", is.n_cookie_asked);
	stat_rec(cl, tag, "ike-puzzles-set", is.gate.n_puzzle);
	stat_rec(cl, tag, "ike-puzzles-solved", is.gate.n_solved);
	stat_rec(cl, tag, "ike-puzzles-excused", is.gate.n_lucky);
	/* 0 open, 1 cookies, 2 puzzles */
	stat_rec(cl, tag, "ike-attack-level", is.level);
	stat_rec(cl, tag, "ike-attack-seconds", is.level_ms == 0 ? 0 :
		 (clk_ms() - is.level_ms) / 1000);
	stat_rec(cl, tag, "ike-attacks", is.n_attack);
	stat_rec(cl, tag, "child-sa", is.n_child);
}

/* Reasons for dropped packets; those that never happened too when is_all. */
static void
drop_recs(struct ctl_client *cl, uint32_t tag, bool is_all)
{
	struct bus_rec r;
	uint64_t n;

	for (int d = 0; d < DROP_END; d++) {
		if ((n = drop_sum((enum drop)d)) == 0 && !is_all)
			continue;
		bus_rec_init(&r, BUS_RES_COUNTER);
		bus_set_str(&r, BUS_F_NAME, drop_key((enum drop)d));
		bus_set_u64(&r, BUS_F_VALUE, n);
		bus_set_str(&r, BUS_F_TEXT, drop_text((enum drop)d));
		bus_set_str(&r, BUS_F_OWNER, drop_owner((enum drop)d));
		ctl_send(cl, &r, tag);
	}
}

/* The same by peer, where it is known whose packet it was. */
static void
peer_drop_recs(struct vpn *v, struct ctl_client *cl, uint32_t tag)
{
	struct esp_child_stats st;
	struct ike_link_info li;
	struct bus_rec r;
	uint32_t it = 0;

	while (ike_link_next(v->ike, &it, &li)) {
		esp_link_stats_get(v->esp, li.link, &st);
		for (unsigned i = 0; i < ESP_DROPS; i++) {
			if (st.drop[i] == 0)
				continue;
			bus_rec_init(&r, BUS_RES_PEER_DROP);
			bus_set_str(&r, BUS_F_REALM,
				    vpn_realm_name(v, li.realm));
			bus_set_str(&r, BUS_F_PEER, li.name);
			bus_set_str(&r, BUS_F_NAME, drop_key(esp_drop_of[i]));
			bus_set_u64(&r, BUS_F_VALUE, st.drop[i]);
			bus_set_str(&r, BUS_F_TEXT, drop_text(esp_drop_of[i]));
			ctl_send(cl, &r, tag);
		}
	}
}

void
wire_stats_command(struct vpn *v, struct ctl_client *cl,
		   const struct bus_rec *cmd)
{
	ike_recs(v, cl, cmd->tag);
	datapath_recs(v, cl, cmd->tag);
	worker_recs(v, cl, cmd->tag);
	sa_recs(v, cl, cmd->tag);
	drop_recs(cl, cmd->tag, false);
	peer_drop_recs(v, cl, cmd->tag);
	ctl_done(cl, cmd->tag, "");
}

/* ---- the same for metrics -------------------------------------------------- */

static void
pool_rec(struct ctl_client *cl, uint32_t tag, unsigned worker,
	 const char *name, unsigned n, unsigned limit)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_POOL);
	bus_set_u64(&r, BUS_F_WORKER, worker);
	bus_set_str(&r, BUS_F_NAME, name);
	bus_set_u64(&r, BUS_F_N_NOW, n);
	bus_set_u64(&r, BUS_F_LIMIT, limit);
	ctl_send(cl, &r, tag);
}

void
wire_stats_metrics(struct vpn *v, struct ctl_client *cl, uint32_t tag)
{
	struct work_stats ws;

	ike_recs(v, cl, tag);
	for (unsigned i = 0; i < v->n_worker; i++) {
		work_stats_get(v->work, i, &ws);
		worker_rec(cl, tag, i, &ws);
		stage_recs(cl, tag, i, &ws);
		queue_recs(v, cl, tag, i, &ws);
		pool_rec(cl, tag, i, "packets", ws.n_buf_used, VPN_POOL_BUFS);
		pool_rec(cl, tag, i, "trains", ws.n_big_used, VPN_POOL_BIG);
	}
	drop_recs(cl, tag, true);
}
