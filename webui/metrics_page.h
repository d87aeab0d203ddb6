/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/metrics_page.h - GET /metrics: the daemon's numbers as Prometheus text.
 *
 * One question to the daemon answers all who ask at the same time, and who asks
 * again within a second.
 *
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_METRICS_PAGE_H
#define TAPIR_WEBUI_METRICS_PAGE_H

#include "daemon/bus/bus.h"

#define UI_METRICS_TAG	3	/* of the question; session.c has 1, 2, 1024.. */
#define UI_METRICS_MAX	16	/* who waits for it; ours */
#define UI_METRICS_MS	1000	/* a page is good so long; ours */

struct ui_page;
struct ui_req;

struct ui_page_ops {
	void *ctx;
	/** A command for the core under a tag.  0, ERR_CLOSED, ERR_FULL. */
	int (*command)(void *ctx, uint32_t tag, struct bus_rec *cmd);
};

MUST_USE int ui_page_new(struct ui_page **out, const struct ui_page_ops *ops);
void ui_page_free(struct ui_page *p);
/** Answer with the page, now or when it is there. */
void ui_page_get(struct ui_page *p, struct ui_req *rq, uint64_t now_ms);
/** Whoever waits behind rq went away. */
void ui_page_gone(struct ui_page *p, const struct ui_req *rq);
/** A record of the answer. */
void ui_page_record(struct ui_page *p, const struct bus_rec *r, uint64_t now_ms);
/** The core is gone: who waits is told. */
void ui_page_lost(struct ui_page *p);

#endif
