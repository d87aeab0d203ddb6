/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/capture.h - POST /capture: packets of the daemon as a stream of pcapng.
 *
 *   request -> may he? -> CAPTURE ----> tapird
 *   client <- chunks of pcapng <------- datagrams of cap_wire.h
 *   client left, or logged out -------> CAPTURE_STOP
 *
 * One capture at a time, as in tapird; a request that comes while the last one
 * ends waits for that.  What a slow client does not take is counted, and the last
 * block says how much it was.
 *
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_CAPTURE_H
#define TAPIR_WEBUI_CAPTURE_H

#include "daemon/bus/bus.h"

#define UI_CAPTURE_TAG	  4	/* of the question; see metrics_page.h */
#define UI_CAPTURE_END	  5	/* of what ends it */
#define UI_CAPTURE_S	  60	/* unless it says so; ours */
#define UI_CAPTURE_MAX_S  900	/* no longer than a login lives unused; ours */

struct ui_capture;
struct ui_req;

struct ui_capture_ops {
	void *ctx;
	/** A command for the core under a tag, in the name of a user (NULL: ours).
	 * 0, ERR_CLOSED, ERR_FULL. */
	int (*command)(void *ctx, uint32_t tag, const char *user,
		       struct bus_rec *cmd);
};

MUST_USE int ui_capture_new(struct ui_capture **out,
			    const struct ui_capture_ops *ops);
/** NULL is fine; who waits is not answered any more. */
void ui_capture_free(struct ui_capture *p);
/** A record under UI_CAPTURE_TAG. */
void ui_capture_record(struct ui_capture *p, const struct bus_rec *r);
/** A datagram of cap_wire.h; what is none is left out. */
void ui_capture_packet(struct ui_capture *p, const void *data, size_t len);
/** The core is gone: the stream breaks off. */
void ui_capture_lost(struct ui_capture *p);
/** The client behind rq went away. */
void ui_capture_gone(struct ui_capture *p, const struct ui_req *rq);
/** This login has ended: so does what it captures. */
void ui_capture_forget(struct ui_capture *p, uint64_t owner);
/** Once a second. */
void ui_capture_run(struct ui_capture *p);

#endif
