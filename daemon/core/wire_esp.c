/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire_esp.c - what ESP demands: packets out, frames in, events.
 */
#include "daemon/core/wire.h"
#include <stdlib.h>
#include "daemon/base/clk.h"
#include "daemon/base/drop.h"
#include "daemon/core/cap.h"
#include "daemon/core/loop.h"
#include "daemon/core/work.h"

static void
send_pkts(void *ctx, unsigned worker, const struct vpn_path *path,
	  struct buf **pkts, unsigned n)
{
	struct vpn *v = ctx;
	int fam = path->remote.ip.family == 6 ? FAM_V6 : FAM_V4;
	int fd = path->encap == VPN_ENCAP_ESP ? v->socks.raw[fam] :
	    v->socks.nat[worker * vpn_lanes(v->n_worker)][fam];

	struct cap *c = capture_on(v);

	if (UNLIKELY(c != NULL))
		capture_take_out(c, path, pkts, n);
	if (fd >= 0) {
		work_send(v, worker, fd, path, pkts, n);
		return;
	}
	drop_count(DROP_SEND, n);
	for (unsigned i = 0; i < n; i++)
		buf_put(pkts[i]);
}

static void
deliver(void *ctx, unsigned worker, uint32_t link, struct buf **frames,
	unsigned n)
{
	struct vpn_link *l = vpn_link_find(ctx, link);
	struct cap *c = capture_on(ctx);

	if (UNLIKELY(c != NULL) && l != NULL)
		capture_take_frames(c, l, false, frames, n);
	if (l != NULL) {
		hub_input(l->hub, worker, l->port, frames, n);
		return;
	}
	drop_count(DROP_HUB_NOPORT, n);
	for (unsigned i = 0; i < n; i++)
		buf_put(frames[i]);
}

/* On the loop. */
static void
on_event(void *ctx, void *item)
{
	struct vpn *v = ctx;
	struct esp_event *ev = item;
	uint64_t now = clk_ms();

	switch (ev->type) {
	case ESP_EV_SOFT:
	case ESP_EV_HARD:
		ike_child_expire(v->ike, ev->child_id, ev->type == ESP_EV_HARD,
				 now);
		break;
	case ESP_EV_SEL:
		ike_child_selectors(v->ike, ev->child_id, (struct view){
				    ev->head, ev->n_head }, now);
		break;
	case ESP_EV_STRAY:
		ike_stray_esp(v->ike, &ev->to, &ev->from, ev->from.port != 0,
			      ev->esp_spi, ev->len, now);
		break;
	case ESP_EV_MOVED:
		ike_child_moved(v->ike, ev->child_id, &ev->from, now);
		break;
	}
	free(ev);
}

/* On a worker, but rare: once per SA and kind, so it may allocate. */
static void
event(void *ctx, unsigned worker UNUSED, const struct esp_event *ev)
{
	struct vpn *v = ctx;
	struct esp_event *copy = malloc(sizeof(*copy));

	if (copy == NULL)
		return;
	*copy = *ev;
	if (loop_post(v->loop, on_event, v, copy) != 0) {
		drop_count(DROP_LOOP_FULL, 1);
		free(copy);
	}
}

struct esp_io
wire_esp_io(struct vpn *v)
{
	return (struct esp_io){ v, send_pkts, deliver, work_buf_new, event,
				work_buf_big, work_buf_slice, work_room };
}
