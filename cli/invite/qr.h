/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/invite/qr.h - a text as a QR code on a terminal, by libqrencode where that is
 * installed.
 *
 * Thread: one.
 */
#ifndef TAPIR_CLI_QR_H
#define TAPIR_CLI_QR_H

#include <stdio.h>
#include "daemon/base/base.h"

/**
 * Print a QR code: two rows a line, by half blocks.
 *
 * @param is_color say which is dark and which is light; else what is printed is
 *                 light, as on a dark terminal.
 * @return 0; ERR_NOTFOUND: the library is not here, nothing was printed; ERR_LONG.
 */
MUST_USE int qr_print(FILE *f, const char *text, bool is_color);

#endif
