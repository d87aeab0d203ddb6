/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire_ping.c - the command ping: a liveness check whose answer is
 * timed, and the addresses that are known behind a peer.
 *
 * The time is that between the datagram handed to the kernel and the answer read
 * by the loop.  A repeated request is timed from its first transmission; how often
 * it was sent is told with it.
 *
 * Thread: the loop.
 */
#include "daemon/core/ctl.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/tmr.h"
#include "daemon/bus/bus.h"
#include "daemon/core/loop.h"
#include "daemon/core/wire.h"

#define PINGS_MAX    16		/* under way; ours */
#define WAIT_MS	     5000	/* when the command does not say */
#define WAIT_MS_MAX  60000	/* ours */

struct ping {
	struct vpn *vpn;
	uint64_t client;		/* ctl_id() */
	uint32_t tag;
	uint32_t link;			/* 0 = free */
	uint64_t sent_ns;		/* 0 = not yet */
	struct tmr tmr;
};
struct wire_ping {
	struct ping ping[PINGS_MAX];
};

/* ---- what waits ---------------------------------------------------------- */

static void
release(struct ping *p)
{
	tmr_stop(loop_timers(p->vpn->loop), &p->tmr);
	p->link = 0;
}

/* Nothing came in time. */
static void
over(void *ctx)
{
	struct ping *p = ctx;
	struct ctl_client *cl = ctl_find(p->vpn->ctl, p->client);

	if (cl != NULL)
		ctl_failed(cl, p->tag, ERR_TIMEOUT, p->sent_ns != 0 ?
			   "no answer" : "another question to the peer is not "
			   "answered yet", "tapir status PEER tells what was "
			   "heard of it");
	release(p);
}

void
wire_ping_told(void *vpn, uint32_t link, unsigned n_try)
{
	struct vpn *v = vpn;
	struct ike_link_info li;
	struct bus_rec r;

	for (unsigned i = 0; v->wire_ping != NULL && i < PINGS_MAX; i++) {
		struct ping *p = &v->wire_ping->ping[i];
		struct ctl_client *cl;

		if (p->link != link)
			continue;
		if (n_try == 0) {
			p->sent_ns = p->sent_ns != 0 ? p->sent_ns : clk_ns();
			continue;
		}
		cl = ctl_find(v->ctl, p->client);
		if (cl != NULL && p->sent_ns != 0 &&
		    ike_link_get(v->ike, link, &li)) {
			wire_event_peer(&r, BUS_RES_PONG, v, &li);
			bus_set_u64(&r, BUS_F_RTT_US,
				    (clk_ns() - p->sent_ns) / 1000);
			bus_set_u64(&r, BUS_F_TRY, n_try);
			ctl_send(cl, &r, p->tag);
			ctl_done(cl, p->tag, "");
		}
		release(p);
	}
}

static struct ping *
place(struct vpn *v)
{
	if (v->wire_ping == NULL)
		v->wire_ping = calloc(1, sizeof(*v->wire_ping));
	for (unsigned i = 0; v->wire_ping != NULL && i < PINGS_MAX; i++)
		if (v->wire_ping->ping[i].link == 0)
			return &v->wire_ping->ping[i];
	return NULL;
}

/* Somebody else's question to the same peer is out: its answer serves both. */
static void
join(struct vpn *v, struct ping *p)
{
	for (unsigned i = 0; p->sent_ns == 0 && i < PINGS_MAX; i++)
		if (v->wire_ping->ping[i].link == p->link)
			p->sent_ns = v->wire_ping->ping[i].sent_ns;
}

static void
ask(struct vpn *v, struct ctl_client *cl, const struct bus_rec *cmd,
    const struct ike_link_info *li)
{
	uint64_t wait = bus_u64(cmd, BUS_F_WAIT_MS);
	struct ping *p = place(v);
	int err;

	if (p == NULL) {
		ctl_failed(cl, cmd->tag, ERR_FULL, "too many are asked at a time",
			   "ask again");
		return;
	}
	*p = (struct ping){ .vpn = v, .client = ctl_id(cl), .tag = cmd->tag,
			    .link = li->link };
	tmr_init(&p->tmr, over, p);
	wait = wait == 0 ? WAIT_MS : MIN(wait, (uint64_t)WAIT_MS_MAX);
	err = tmr_start(loop_timers(v->loop), &p->tmr, clk_ms() + wait);
	if (err == 0)
		err = ike_ping(v->ike, li->link, clk_ms());
	if (err == 0) {
		join(v, p);
		return;
	}
	release(p);
	ctl_failed(cl, cmd->tag, err, err == ERR_STATE ?
		   "there is no tunnel to ask through" : err_text(err),
		   "tapir status PEER says why");
}

/* ---- what is behind ------------------------------------------------------ */

static uint32_t
port_of(const struct hub *h, uint32_t link, bool *found)
{
	struct hub_port_info pi;
	uint32_t it = 0;

	*found = false;
	while (hub_port_next(h, &it, &pi))
		if (pi.kind != HUB_PORT_TAP && pi.link == link) {
			*found = true;
			return pi.port;
		}
	return 0;
}

static void
inner(struct vpn *v, struct ctl_client *cl, const struct bus_rec *cmd,
      const struct ike_link_info *li)
{
	struct vpn_realm *vr = vpn_realm_at(v, li->realm);
	struct hub *h = vr != NULL ? vr->hub : NULL;
	struct hub_neigh_info ni;
	char text[IP_TEXT_MAX];
	struct bus_rec r;
	uint32_t it = 0, port;
	bool found = false;

	for (unsigned i = 0; i < li->n_ts_remote; i++)
		if (li->mode == VPN_MODE_IP &&
		    ip_compare(&li->ts_remote[i].lo, &li->ts_remote[i].hi) == 0) {
			wire_event_peer(&r, BUS_RES_INNER, v, li);
			bus_set_str(&r, BUS_F_IP,
				    ip_text(&li->ts_remote[i].lo, text));
			ctl_send(cl, &r, cmd->tag);
		}
	port = h != NULL ? port_of(h, li->link, &found) : 0;
	while (found && hub_neigh_next(h, &it, &ni)) {
		if (ni.port != port || ni.vlan != 0)
			continue;
		wire_event_peer(&r, BUS_RES_INNER, v, li);
		bus_set_str(&r, BUS_F_IP, ip_text(&ni.ip, text));
		bus_set_u64(&r, BUS_F_AGE_S, ni.age_s);
		ctl_send(cl, &r, cmd->tag);
	}
	ctl_done(cl, cmd->tag, "");
}

/* ---- the command --------------------------------------------------------- */

void
wire_ping_command(struct vpn *v, struct ctl_client *cl,
		  const struct bus_rec *cmd)
{
	struct ike_link_info li, first = { 0 };
	unsigned n = 0;
	uint32_t it = 0;

	while (ike_link_next(v->ike, &it, &li))
		if (wire_ctl_fits(v, &li, cmd) && n++ == 0)
			first = li;
	if (n == 0 || *bus_str(cmd, BUS_F_PEER) == '\0')
		wire_ctl_no_peer(v, cl, cmd);
	else if (n > 1)
		ctl_failed(cl, cmd->tag, ERR_EXISTS, "several peers are called "
			   "so", "name one as REALM/PEER");
	else if (strcmp(bus_str(cmd, BUS_F_WHAT), "inner") == 0)
		inner(v, cl, cmd, &first);
	else
		ask(v, cl, cmd, &first);
}

void
wire_ping_free(struct vpn *v)
{
	for (unsigned i = 0; v->wire_ping != NULL && i < PINGS_MAX; i++)
		if (v->wire_ping->ping[i].link != 0)
			release(&v->wire_ping->ping[i]);
	free(v->wire_ping);
	v->wire_ping = NULL;
}
