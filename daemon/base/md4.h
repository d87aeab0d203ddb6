/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/md4.h - MD4 (RFC 1320), for nothing but MS-CHAPv2.
 *
 * OpenSSL has it in its legacy provider only, which some installations do not
 * have; the daemon does not depend on it for sixty lines.
 *
 * Thread: any.
 */
#ifndef TAPIR_BASE_MD4_H
#define TAPIR_BASE_MD4_H

#include "daemon/base/base.h"

#define MD4_LEN 16

/** The hash of len bytes; what it worked with is wiped. */
void md4(const uint8_t *p, size_t len, uint8_t out[MD4_LEN]);

#endif
