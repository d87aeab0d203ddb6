/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire.h - what the siblings demand, filled by wire_*.c.
 *
 *   wire_ike.c   struct ike_ops: send, ask, child up and down, jobs
 *   wire_event.c its links -> events, in words
 *   wire_ping.c  the command ping: IKE answers, inner addresses (ctl.h)
 *   wire_esp.c   struct esp_io: send packets, deliver frames, events
 *   wire_hub.c   struct hub_port_ops: TAP port, tunnel ports; links
 *   wire_ctl.c   control socket: commands -> actions, events (ctl.h)
 *   wire_stats.c, wire_metrics.c  what was counted -> answers (ctl.h)
 *   wire_why.c   what is known of a peer -> answer of the command why (ctl.h)
 */
#ifndef TAPIR_CORE_WIRE_H
#define TAPIR_CORE_WIRE_H

#include "daemon/bus/bus.h"
#include "daemon/core/core.h"

struct bus_rec;
struct ike_ans;
struct ike_link_info;
struct ike_ops;

/** An IKE message, marker removed; takes b.  Thread: the loop. */
void wire_ike_datagram(struct vpn *v, struct buf *b);
/** The same from a worker: it is passed to the loop, or dropped when too many
 * of them wait; takes b. */
void wire_ike_from_worker(struct vpn *v, struct buf *b);
/** The same, with what was proven of it (gate.h); takes b. */
void wire_ike_proven(struct vpn *v, struct buf *b, bool natt,
		     const struct ike_proof *proof);
/** Fill the ops and start the job threads.  0, ERR_NOMEM, ERR_SYS. */
MUST_USE int wire_ike_init(struct vpn *v, struct ike_ops *ops);
/** End the job threads; what they posted is still to be drained. */
void wire_ike_stop(struct vpn *v);
/** Free it all, after the engine, which may ask its ops for a last time. */
void wire_ike_fini(struct vpn *v);
/** Names to resolve that the engine asked for (its ops may not call back). */
void wire_ike_idle(struct vpn *v);

/** The secure process is gone: its handles mean nothing any more. */
void wire_ike_secure_lost(struct vpn *v);
/** The secure process says the fingerprint of a peer's key (secure_cb). */
void wire_why_mark(struct vpn *v, uint32_t realm, uint32_t peer,
		   const char *mark);
void wire_why_fini(struct vpn *v);
/** Answer of the secure process (secure_cb) and of the resolver. */
void wire_ike_answer(void *vpn, const struct ike_ans *ans);
void wire_ike_resolved(void *vpn, uint32_t realm, uint32_t peer,
		       const struct ip_addr *ip, unsigned n);

/** struct ike_ops: ping.  Free what waits for it. */
void wire_ping_told(void *vpn, uint32_t link, unsigned n_try);
void wire_ping_free(struct vpn *v);
/** Which links were up is remembered; NULL is fine to free.  0 or ERR_NOMEM. */
MUST_USE int wire_event_new(struct wire_event **out);
void wire_event_free(struct wire_event *we);
/** Ops of the engine (struct ike_ops: link_event, auth_refused). */
void wire_event_link(void *vpn, uint32_t link, int what, const char *why);
void wire_event_refused(void *vpn, const struct net_ep *remote, const char *id,
			const char *why);
/** Events about child SAs; down: before the engine forgets it. */
void wire_event_child_up(struct vpn *v, uint32_t link, const struct vpn_child *c);
void wire_event_child_down(struct vpn *v, uint32_t link, uint32_t child_id);
/** Traffic selectors side by side.  @return out. */
const char *wire_ts_text(const struct vpn_ts *ts, unsigned n, char *out,
			 size_t cap);
/** Begin a record about a peer: realm, name, and its address where the row has one
 * and it is known. */
void wire_event_peer(struct bus_rec *r, enum bus_row row, const struct vpn *v,
		     const struct ike_link_info *info);
/** How a peer proved itself, into a record with those fields. */
void wire_event_proof(struct bus_rec *r, const struct ike_link_info *info);

struct esp_io wire_esp_io(struct vpn *v);

/** Make the hub of a realm and its TAP port.  0 or an error. */
MUST_USE int wire_hub_realm(struct vpn *v, struct vpn_realm *r);
/** Make or change the hub port and link of a child.  0 or an error. */
MUST_USE int wire_hub_link_up(struct vpn *v, uint32_t link, uint32_t peer,
			      const struct vpn_child *c);
/** What a port of the hub may do has changed: of the TAP, or of a peer. */
void wire_hub_reload(struct vpn *v, uint32_t realm, bool is_tap, uint32_t peer);
/** Remove a link and its port; unknown links are ignored. */
void wire_hub_link_down(struct vpn *v, uint32_t link);

#endif
