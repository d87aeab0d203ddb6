/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/clk.c - clocks of the system, or one that a test supplies.
 *
 * Thread: reading from any; replacing before threads start.
 */
#include "daemon/base/clk.h"
#include <stdlib.h>
#include <time.h>

static uint64_t (*source)(void *ctx);
static void *source_ctx;

static uint64_t
read_ns(clockid_t id)
{
	struct timespec ts;

	/* Fails only for an unknown clock; there is no work without time. */
	if (clock_gettime(id, &ts) != 0)
		abort();
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t
clk_ns(void)
{
	if (source != NULL)
		return source(source_ctx);
	return read_ns(CLOCK_BOOTTIME);
}

uint64_t
clk_ms(void)
{
	return clk_ns() / 1000000u;
}

uint64_t
clk_wall_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

uint64_t
clk_wall_ms(void)
{
	return clk_wall_ns() / 1000000u;
}

int64_t
clk_wall_s(void)
{
	return (int64_t)(clk_wall_ms() / 1000u);
}

void
clk_set_source(uint64_t (*fn)(void *ctx), void *ctx)
{
	source = fn;
	source_ctx = ctx;
}
