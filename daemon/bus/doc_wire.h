/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/doc_wire.h - a record and a document as one datagram.
 *
 *   0       1        3
 *   +-------+--------+------------------------+---------------------+
 *   | class | length | the record, bus_wire.h | the document        |
 *   +-------+--------+------------------------+---------------------+
 *
 * Big endian.  The class is none of records, so that both go over one socket.  What
 * the document is, the record says.
 */
#ifndef TAPIR_BUS_DOC_WIRE_H
#define TAPIR_BUS_DOC_WIRE_H

#include "daemon/bus/bus_wire.h"

#define DOC_CLASS	0x11		/* no bus_class */
#define DOC_BYTES_MAX	(64u << 10)	/* of a document; that of an HTTP body */
#define DOC_WIRE_MAX	(3 + BUS_WIRE_MAX + DOC_BYTES_MAX)

/** Write both into buf; @return the length, or ERR_LONG.  Any thread. */
MUST_USE int doc_enc(const struct bus_rec *r, struct view doc, void *buf,
		     size_t cap);
/** Read a datagram; doc is a view of it.  0, or as bus_dec(), and ERR_LONG for a
 * document that is too long.  Both are written on success only. */
MUST_USE int doc_dec(const void *p, size_t len, struct bus_rec *r,
		     struct view *doc);

#endif
