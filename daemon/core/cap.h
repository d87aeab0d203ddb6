/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/cap.h - capture: copies of packets for a client of the control socket.
 *
 *   worker, loop -> capture_*() -> a bounded ring -> the loop -> datagrams (cap_wire.h)
 *
 * One capture at a time.  While there is none each place costs a load and a branch a
 * batch.  While there is one its ring has a short lock, and what finds it full is
 * counted as lost; no packet waits for who looks at it.
 *
 * The functions are capture_*(), since cap_*() are those of libcap.
 */
#ifndef TAPIR_CORE_CAP_H
#define TAPIR_CORE_CAP_H

#include "daemon/core/core.h"
#include "daemon/bus/cap_wire.h"

#define CAP_RING_BYTES	(8u << 20)	/* waiting for the loop; ours */
#define CAP_KEYS_S	60		/* keys are handed out so long, */
#define CAP_KEYS_MAX_S	600		/* and never longer; ours */

struct cap;
struct ctl_client;

/** The command CAPTURE.  Thread: the loop. */
void capture_command(struct vpn *v, struct ctl_client *cl,
		 const struct bus_rec *cmd);
/** The commands CAPTURES and CAPTURE_STOP. */
void capture_list_command(struct vpn *v, struct ctl_client *cl,
			  const struct bus_rec *cmd);
void capture_stop_command(struct vpn *v, struct ctl_client *cl,
			  const struct bus_rec *cmd);
/** The client is gone, or took what waited for it. */
void capture_client_gone(struct vpn *v, const struct ctl_client *cl);
void capture_client_ready(struct vpn *v, const struct ctl_client *cl);
/** Once a second: is it over?  Thread: the loop. */
void capture_tick(struct vpn *v);

void capture_take_frames(struct cap *c, const struct vpn_link *l, bool is_out,
		     struct buf *const *b, unsigned n);
void capture_take_in(struct cap *c, struct buf *const *b, unsigned n);
void capture_take_out(struct cap *c, const struct vpn_path *path,
		  struct buf *const *b, unsigned n);
void capture_take_ike(struct cap *c, const struct net_ep *local,
		  const struct net_ep *remote, bool is_natt, bool is_out,
		  struct view data);

/** The capture that runs, or NULL.  Any thread between quiescent points. */
static inline struct cap *
capture_on(const struct vpn *v)
{
	return atomic_load_explicit(&v->cap, memory_order_acquire);
}

#endif
