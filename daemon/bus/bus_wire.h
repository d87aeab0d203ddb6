/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/bus_wire.h - records as bytes, for the control socket.
 *
 *   0        1               3               7              15             23
 *   +--------+---------------+---------------+--------------+--------------+
 *   | class  | number        | tag           | seq          | time_ms      |
 *   +--------+---------------+---------------+--------------+--------------+
 *   | fields in the row's order: U64, I64 8 bytes; BOOL 1 byte, 0 or 1;    |
 *   | STR 2 bytes length (<= BUS_STR_MAX), then the bytes, no NUL          |
 *   +----------------------------------------------------------------------+
 *
 * Big endian, exact: trailing bytes are refused.  One record is one datagram
 * of the socket (SOCK_SEQPACKET).
 */
#ifndef TAPIR_BUS_BUS_WIRE_H
#define TAPIR_BUS_BUS_WIRE_H

#include "daemon/base/cur.h"
#include "daemon/bus/bus.h"

#define BUS_WIRE_HEAD 23
#define BUS_WIRE_MAX  4096 /* largest record: head, numbers, texts; rounded up */

/** Write a record.  0 or ERR_LONG.  Any thread. */
MUST_USE int bus_enc(struct wcur *w, const struct bus_rec *r);
/** Encode into buf; @return the length, or ERR_LONG. */
MUST_USE int bus_enc_buf(const struct bus_rec *r, void *buf, size_t cap);
/**
 * Read a whole datagram as a record.
 *
 * @return 0, ERR_SHORT, ERR_TRAIL, ERR_LONG (text too long), ERR_NOTFOUND (no
 *         such row), ERR_SYNTAX (a NUL in a text, a bool not 0 or 1).  out is
 *         written only on success.
 */
MUST_USE int bus_dec(const void *p, size_t len, struct bus_rec *out);

#endif
