/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/doc_wire.c - a record and a document <-> their datagram.
 */
#include "daemon/bus/doc_wire.h"
#include <string.h>
#include "daemon/base/secret.h"

int
doc_enc(const struct bus_rec *r, struct view doc, void *buf, size_t cap)
{
	uint8_t rec[BUS_WIRE_MAX];
	int n = bus_enc_buf(r, rec, sizeof(rec));
	struct wcur w;

	if (n < 0)
		return n;
	if (doc.len > DOC_BYTES_MAX || cap < 3 + (size_t)n + doc.len)
		return ERR_LONG;
	wcur_init(&w, buf, cap);
	wcur_u8(&w, DOC_CLASS);
	wcur_u16(&w, (uint16_t)n);
	wcur_bytes(&w, rec, (size_t)n);
	wcur_bytes(&w, doc.p, doc.len);
	wipe(rec, (size_t)n);	/* a new password may be in it */
	return (int)wcur_done(&w).len;
}

int
doc_dec(const void *p, size_t len, struct bus_rec *r, struct view *doc)
{
	struct view rec, rest;
	uint8_t class;
	uint16_t n;
	struct cur c;
	int err;

	cur_init(&c, p, len);
	if ((err = cur_u8(&c, &class)) != 0 || (err = cur_u16(&c, &n)) != 0 ||
	    (err = cur_view(&c, n, &rec)) != 0)
		return err;
	cur_rest(&c, &rest);
	if (class != DOC_CLASS)
		return ERR_SYNTAX;
	if (rest.len > DOC_BYTES_MAX)
		return ERR_LONG;
	if ((err = bus_dec(rec.p, rec.len, r)) == 0)
		*doc = rest;
	return err;
}
