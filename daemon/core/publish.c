/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/publish.c - events: to the bus, and as lines to the log.
 *
 * Where the diary writes the log, it takes events from the bus with all their
 * fields; else their sentences go to standard error here.
 */
#include "daemon/core/core.h"
#include <stdlib.h>
#include "daemon/base/clk.h"
#include "daemon/base/lk.h"
#include "daemon/base/log.h"
#include "daemon/bus/bus.h"
#include "daemon/bus/bus_limit.h"
#include "daemon/bus/bus_text.h"
#include "daemon/core/scribe.h"

#define LIMIT_LK_RANK 80	/* nothing is taken below it */

struct vpn_limit {
	struct lk lock;
	struct bus_limit limit GUARDED_BY(lock);
};

/* bus_limit_fn. */
static void
say_more(void *ctx UNUSED, enum log_level lv, unsigned n, const char *line)
{
	log_write(lv, "tapird", "(%u more like this: %s)", n, line);
}

static bool
may_say(struct vpn_limit *l, const struct bus_rec *r, const char *text)
{
	bool ok;

	if (l == NULL)
		return true;
	lk_lock(&l->lock);
	ok = bus_limit_pass(&l->limit, r, text, clk_ms(), say_more, NULL);
	lk_unlock(&l->lock);
	return ok;
}

void
vpn_publish(struct vpn *v, struct bus_rec *r)
{
	char text[BUS_SENTENCE_MAX];

	bus_publish(v->bus, r);
	wire_metrics_note(&v->metrics, r);
	if (scribe_has_sink(v->scribe) || log_get_level() < r->desc->severity)
		return;
	bus_event_text(r, text, sizeof(text));
	if (may_say(v->limit, r, text))
		log_write(r->desc->severity, bus_event_part(r->desc), "%s",
			  text);
}

void
vpn_publish_tick(struct vpn *v)
{
	lk_lock(&v->limit->lock);
	bus_limit_tick(&v->limit->limit, clk_ms(), say_more, NULL);
	lk_unlock(&v->limit->lock);
}

int
vpn_limit_new(struct vpn_limit **out)
{
	struct vpn_limit *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return ERR_NOMEM;
	lk_init(&l->lock, LIMIT_LK_RANK);
	*out = l;
	return 0;
}

void
vpn_limit_free(struct vpn_limit *l)
{
	if (l == NULL)
		return;
	lk_fini(&l->lock);
	free(l);
}
