/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire_stats.c - what the daemon counted -> result records.
 *
 * Thread: the loop.
 */
#include "daemon/core/ctl.h"
#include "daemon/base/drop.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"
#include "daemon/core/fallback.h"
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

static void
stats_worker(struct vpn *v, struct ctl_client *cl, uint32_t tag, unsigned i)
{
	struct work_stats ws;
	char name[64];

	work_stats_get(v->work, i, &ws);
	const struct {
		const char *key;
		uint64_t value;
	} row[] = {
		{ "wakeups", ws.n_wake },
		{ "tap-frames", ws.n_tap_frames },
		{ "tap-batches", ws.n_tap_batches },
		{ "udp-packets", ws.n_udp_packets },
		{ "udp-batches", ws.n_udp_batches },
		{ "raw-packets", ws.n_raw_packets },
		{ "tap-super-frames", ws.n_tap_supers },
		{ "tap-written", ws.n_tap_written },
		{ "tap-merged", ws.n_tap_merged },
		{ "udp-trains", ws.n_udp_trains },
		{ "sent-packets", ws.n_sent_packets },
		{ "sent-messages", ws.n_sent_messages },
		{ "sent-trains", ws.n_sent_trains },
		{ "refused-trains", ws.n_refused_trains },
		{ "handed-over", ws.n_handed_over },
		{ "queued", ws.n_queued },
		{ "buffers-used", ws.n_buf_used },
		{ "big-buffers-used", ws.n_big_used },
	};

	for (unsigned k = 0; k < N_OF(row); k++) {
		name[0] = '\0';
		str_add(name, sizeof(name), "worker%u-%s", i, row[k].key);
		stat_rec(cl, tag, name, row[k].value);
	}
}

/* Is the packet path without something the kernel could have? */
static bool
is_without(const struct vpn *v, enum fallback f)
{
	uint32_t need = f == FALLBACK_TAP_GSO ? IPC_TAP_TSO :
	    f == FALLBACK_USO ? IPC_TAP_USO : 0;

	for (unsigned i = 0; i < v->n_realm; i++)
		if ((v->realm[i].offloads & need) != need)
			return true;
	return fallback_has(v->fallback, f);
}

void
wire_stats_command(struct vpn *v, struct ctl_client *cl,
		   const struct bus_rec *cmd)
{
	struct ike_stats is;
	struct bus_rec r;
	uint64_t n;

	ike_stats_get(v->ike, &is);
	stat_rec(cl, cmd->tag, "ike-sa", is.n_ike_sa);
	stat_rec(cl, cmd->tag, "ike-half-open", is.n_halfopen);
	stat_rec(cl, cmd->tag, "ike-init-in", is.n_init_in);
	stat_rec(cl, cmd->tag, "ike-init-out", is.n_init_out);
	stat_rec(cl, cmd->tag, "ike-auth-ok", is.n_auth_ok);
	stat_rec(cl, cmd->tag, "ike-auth-failed", is.n_auth_failed);
	stat_rec(cl, cmd->tag, "ike-retransmits", is.n_retransmit);
	stat_rec(cl, cmd->tag, "ike-rekeys", is.n_rekey);
	stat_rec(cl, cmd->tag, "ike-cookies-asked", is.n_cookie_asked);
	stat_rec(cl, cmd->tag, "child-sa", is.n_child);
	for (int f = 0; f < FALLBACK_END; f++) {
		char name[32] = "";

		str_add(name, sizeof(name), "without-%s",
			fallback_name((enum fallback)f));
		stat_rec(cl, cmd->tag, name, is_without(v, (enum fallback)f));
	}
	for (unsigned i = 0; i < v->n_worker; i++)
		stats_worker(v, cl, cmd->tag, i);
	for (int d = 0; d < DROP_END; d++) {
		if ((n = drop_sum((enum drop)d)) == 0)
			continue;
		bus_rec_init(&r, BUS_RES_COUNTER);
		bus_set_str(&r, BUS_F_NAME, drop_key((enum drop)d));
		bus_set_u64(&r, BUS_F_VALUE, n);
		bus_set_str(&r, BUS_F_TEXT, drop_text((enum drop)d));
		bus_set_str(&r, BUS_F_OWNER, drop_owner((enum drop)d));
		ctl_send(cl, &r, cmd->tag);
	}
	ctl_done(cl, cmd->tag, "");
}
