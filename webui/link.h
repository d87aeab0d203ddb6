/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/link.h - the channel to tapird: records in their compact form.
 *
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_LINK_H
#define TAPIR_WEBUI_LINK_H

#include "daemon/bus/bus.h"

struct event_base;
struct ui_link;

struct ui_link_ops {
	void *ctx;
	void (*on_record)(void *ctx, const struct bus_rec *r);
	/** A captured packet (cap_wire.h), between the records. */
	void (*on_packet)(void *ctx, const void *data, size_t len);
	void (*on_lost)(void *ctx);
};

MUST_USE int ui_link_new(struct ui_link **out, struct event_base *base,
			 const struct ui_link_ops *ops);
void ui_link_free(struct ui_link *l);
/** From now on this channel (taken).  0, ERR_NOMEM. */
MUST_USE int ui_link_use(struct ui_link *l, int fd);
/** 0, ERR_CLOSED, ERR_FULL (it does not take more just now). */
MUST_USE int ui_link_send(struct ui_link *l, uint32_t tag, struct bus_rec *r);

#endif
