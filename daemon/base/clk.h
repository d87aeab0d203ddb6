/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/clk.h - time; the source can be replaced (virtual in tests).
 */
#ifndef TAPIR_BASE_CLK_H
#define TAPIR_BASE_CLK_H

#include "daemon/base/base.h"

/** Milliseconds / nanoseconds since some origin; runs on through suspend
 * (CLOCK_BOOTTIME), never goes back.  Any thread. */
uint64_t clk_ms(void);
uint64_t clk_ns(void);
/** Seconds / milliseconds since 1970, UTC; may jump. */
int64_t clk_wall_s(void);
uint64_t clk_wall_ms(void);
uint64_t clk_wall_ns(void);
/** Replace the source of clk_ms()/clk_ns(): returns nanoseconds.  NULL
 * restores the system clock.  For tests, before threads start. */
void clk_set_source(uint64_t (*fn)(void *ctx), void *ctx);

#endif
