/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/clock.c - notices that somebody set the clock of this machine.
 */
#include "daemon/core/clock.h"
#include <time.h>
#include "daemon/bus/bus.h"

bool
clock_was_set(struct clock_watch *w, uint64_t ms, uint64_t wall_ms,
	      uint64_t *was_ms)
{
	uint64_t was = w->wall_ms + (ms - w->ms);
	uint64_t off = wall_ms > was ? wall_ms - was : was - wall_ms;
	bool is_set = w->is_known && off >= CLOCK_SET_MS;

	*w = (struct clock_watch){ true, ms, wall_ms };
	if (is_set)
		*was_ms = was;
	return is_set;
}

static void
set_time(struct bus_rec *r, enum bus_field f, uint64_t wall_ms)
{
	time_t s = (time_t)(wall_ms / 1000);
	char text[40];
	struct tm tm;

	if (gmtime_r(&s, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		return;
	bus_set_str(r, f, text);
}

/* "3 h forward": the largest unit that fits at least twice. */
static void
set_span(struct bus_rec *r, uint64_t was_ms, uint64_t wall_ms)
{
	static const struct {
		uint64_t s;
		const char *name;
	} unit[] = {
		{ 365 * 86400, "years" }, { 86400, "days" }, { 3600, "h" },
		{ 60, "min" }, { 1, "s" },
	};
	bool is_back = wall_ms < was_ms;
	uint64_t s = (is_back ? was_ms - wall_ms : wall_ms - was_ms) / 1000;
	unsigned i = 0;

	while (i < N_OF(unit) - 1 && s < 2 * unit[i].s)
		i++;
	bus_set_fmt(r, BUS_F_WHAT, "%llu %s %s",
		    (unsigned long long)((s + unit[i].s / 2) / unit[i].s),
		    unit[i].name,
		    is_back ? "back" : "forward");
}

void
clock_event(struct bus_rec *r, uint64_t was_ms, uint64_t wall_ms)
{
	bus_rec_init(r, BUS_EV_CLOCK_SET);
	set_span(r, was_ms, wall_ms);
	set_time(r, BUS_F_BEFORE, was_ms);
	set_time(r, BUS_F_AFTER, wall_ms);
}
