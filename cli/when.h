/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/when.h - points in time as people write them.
 */
#ifndef TAPIR_CLI_WHEN_H
#define TAPIR_CLI_WHEN_H

#include "daemon/base/base.h"

/**
 * "90s", "5m", "2h", "7d" before now; "2026-01-31", "2026-01-31 08:00",
 * "2026-01-31T08:00:00" in local time.
 *
 * @param now_ms  Unix time in ms.
 * @param out     the same.
 * @return 0 or ERR_SYNTAX.
 */
MUST_USE int when_parse(const char *text, uint64_t now_ms, uint64_t *out);
/** "11-21 08:03:11" in local time; returns out. */
const char *when_text(uint64_t ms, char *out, size_t cap);

#endif
