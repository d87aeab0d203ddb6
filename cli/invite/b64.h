/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/invite/b64.h - base64, RFC 4648 4.
 *
 * Pure.  Thread: any.
 */
#ifndef TAPIR_CLI_B64_H
#define TAPIR_CLI_B64_H

#include <stdio.h>
#include "daemon/base/base.h"

/** Characters of n bytes, without lines. */
#define B64_LEN(n_) (((n_) + 2) / 3 * 4)

/** Write v in lines of at most width characters (a multiple of 4; 0: one line
 * without its end), each behind indent. */
void b64_write(FILE *f, struct view v, unsigned width, const char *indent);
/**
 * Decode a text without spaces or lines; what is left over of the last character
 * must be 0, so that a value has one text.
 *
 * @return bytes written to out, or ERR_SYNTAX or ERR_LONG.
 */
MUST_USE int b64_read(const char *text, size_t len, uint8_t *out, size_t cap);

#endif
