/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/demo.h - tapir demo: a tunnel shown from its first packet to its last.
 */
#ifndef TAPIR_CLI_LAB_DEMO_H
#define TAPIR_CLI_LAB_DEMO_H

#include "cli/cli.h"

/** @param flags of a lab; @param is_once do not wait at the end.
 * @return exit status: 0 only when all pings crossed and only ESP was seen. */
int demo_run(struct cli *c, unsigned flags, bool is_once);

/** Read "3 packets transmitted, 2 received" out of ping's output. */
bool demo_ping_result(const char *text, unsigned *sent, unsigned *received);

#endif
