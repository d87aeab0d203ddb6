/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/cur.h - the one bounds check of the program.
 *
 * struct cur reads, struct wcur writes; big endian, as on the wire.  Reading
 * past the end gives ERR_SHORT and leaves the cursor where it was.  Writing
 * past the end gives ERR_LONG and is sticky (w->err), so an encoder may write
 * everything and look once at the end.
 *
 * Thread: none shared.  No allocation.
 */
#ifndef TAPIR_BASE_CUR_H
#define TAPIR_BASE_CUR_H

#include "daemon/base/base.h"
#include <string.h>
#include "daemon/base/err.h"

struct cur {
	const uint8_t *base;	/* borrowed */
	size_t len;
	size_t at;
};

/** Start reading len bytes at p (p may be NULL when len is 0). */
static inline void cur_init(struct cur *c, const void *p, size_t len);
/** Bytes not yet read / read so far. */
static inline size_t cur_left(const struct cur *c);
static inline size_t cur_at(const struct cur *c);
/** Read one number; 0 or ERR_SHORT. */
MUST_USE static inline int cur_u8(struct cur *c, uint8_t *v);
MUST_USE static inline int cur_u16(struct cur *c, uint16_t *v);
MUST_USE static inline int cur_u32(struct cur *c, uint32_t *v);
MUST_USE static inline int cur_u64(struct cur *c, uint64_t *v);
/** Skip n bytes. */
MUST_USE static inline int cur_skip(struct cur *c, size_t n);
/** View of the next n bytes, borrowed from the input. */
MUST_USE static inline int cur_view(struct cur *c, size_t n, struct view *v);
/** View of a block: bytes behind their number, of 32 bits. */
MUST_USE static inline int cur_block(struct cur *c, struct view *v);
/** Copy a text out: bytes behind their number, of 16 bits.  0, ERR_SHORT, ERR_LONG
 * when it does not fit into cap with its end, ERR_SYNTAX when a zero is in it. */
MUST_USE int cur_text(struct cur *c, char *out, size_t cap);
/** Copy the next n bytes out. */
MUST_USE static inline int cur_copy(struct cur *c, void *out, size_t n);
/** Child cursor over the next n bytes; the parent moves past them. */
MUST_USE static inline int cur_sub(struct cur *c, size_t n, struct cur *sub);
/** All that is left (may be empty); the cursor is at its end afterwards. */
static inline void cur_rest(struct cur *c, struct view *v);
/** 0 when nothing is left, else ERR_TRAIL. */
MUST_USE static inline int cur_end(const struct cur *c);

struct wcur {
	uint8_t *base;		/* borrowed */
	size_t cap;
	size_t len;		/* written so far */
	int err;		/* sticky: 0 or ERR_LONG */
};

void wcur_init(struct wcur *w, void *p, size_t cap);
void wcur_u8(struct wcur *w, uint8_t v);
void wcur_u16(struct wcur *w, uint16_t v);
void wcur_u32(struct wcur *w, uint32_t v);
void wcur_u64(struct wcur *w, uint64_t v);
void wcur_bytes(struct wcur *w, const void *p, size_t n);
void wcur_view(struct wcur *w, struct view v);
/** A block, as cur_block() reads it. */
void wcur_block(struct wcur *w, struct view v);
/** A text of less than 65536 bytes, as cur_text() reads it. */
void wcur_text(struct wcur *w, const char *text);
void wcur_zero(struct wcur *w, size_t n);
/** Leave n bytes open and return where they begin (0 after an error). */
size_t wcur_hole(struct wcur *w, size_t n);
/** Patch numbers into an earlier hole. */
void wcur_put8(struct wcur *w, size_t at, uint8_t v);
void wcur_put16(struct wcur *w, size_t at, uint16_t v);
void wcur_put32(struct wcur *w, size_t at, uint32_t v);
/** What was written, or an empty view after an error. */
struct view wcur_done(const struct wcur *w);

/** Big-endian loads and stores for fixed places that a check has covered. */
static inline uint16_t
be16_get(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t)(b[0] << 8 | b[1]);
}
static inline uint32_t
be32_get(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	    (uint32_t)b[2] << 8 | b[3];
}
static inline uint64_t
be64_get(const void *p)
{
	const uint8_t *b = p;

	return (uint64_t)be32_get(b) << 32 | be32_get(b + 4);
}
static inline void
be16_put(void *p, uint16_t v)
{
	uint8_t *b = p;

	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}
static inline void
be32_put(void *p, uint32_t v)
{
	uint8_t *b = p;

	be16_put(b, (uint16_t)(v >> 16));
	be16_put(b + 2, (uint16_t)v);
}
static inline void
be64_put(void *p, uint64_t v)
{
	uint8_t *b = p;

	be32_put(b, (uint32_t)(v >> 32));
	be32_put(b + 4, (uint32_t)v);
}

/* ---- the readers' bodies: here, as every packet passes through several ---------- */

/* The next n bytes, or NULL when fewer are left. */
static inline const uint8_t *
cur_take(struct cur *c, size_t n)
{
	const uint8_t *p;

	if (UNLIKELY(n > c->len - c->at))
		return NULL;
	p = c->base + c->at;
	c->at += n;
	return p;
}

static inline void
cur_init(struct cur *c, const void *p, size_t len)
{
	static const uint8_t nothing;

	/* A NULL base would make base + 0 undefined. */
	c->base = p != NULL ? p : &nothing;
	c->len = p != NULL ? len : 0;
	c->at = 0;
}

static inline size_t
cur_left(const struct cur *c)
{
	return c->len - c->at;
}

static inline size_t
cur_at(const struct cur *c)
{
	return c->at;
}

static inline int
cur_u8(struct cur *c, uint8_t *v)
{
	const uint8_t *p = cur_take(c, 1);

	if (p == NULL)
		return ERR_SHORT;
	*v = p[0];
	return 0;
}

static inline int
cur_u16(struct cur *c, uint16_t *v)
{
	const uint8_t *p = cur_take(c, 2);

	if (p == NULL)
		return ERR_SHORT;
	*v = be16_get(p);
	return 0;
}

static inline int
cur_u32(struct cur *c, uint32_t *v)
{
	const uint8_t *p = cur_take(c, 4);

	if (p == NULL)
		return ERR_SHORT;
	*v = be32_get(p);
	return 0;
}

static inline int
cur_u64(struct cur *c, uint64_t *v)
{
	const uint8_t *p = cur_take(c, 8);

	if (p == NULL)
		return ERR_SHORT;
	*v = be64_get(p);
	return 0;
}

static inline int
cur_skip(struct cur *c, size_t n)
{
	return cur_take(c, n) != NULL ? 0 : ERR_SHORT;
}

static inline int
cur_view(struct cur *c, size_t n, struct view *v)
{
	const uint8_t *p = cur_take(c, n);

	if (p == NULL)
		return ERR_SHORT;
	v->p = p;
	v->len = n;
	return 0;
}

static inline int
cur_block(struct cur *c, struct view *v)
{
	uint32_t len;
	int err = cur_u32(c, &len);

	return err != 0 ? err : cur_view(c, len, v);
}

static inline int
cur_copy(struct cur *c, void *out, size_t n)
{
	const uint8_t *p = cur_take(c, n);

	if (p == NULL)
		return ERR_SHORT;
	if (n > 0)
		memcpy(out, p, n);
	return 0;
}

static inline int
cur_sub(struct cur *c, size_t n, struct cur *sub)
{
	const uint8_t *p = cur_take(c, n);

	if (p == NULL)
		return ERR_SHORT;
	cur_init(sub, p, n);
	return 0;
}

static inline void
cur_rest(struct cur *c, struct view *v)
{
	v->p = c->base + c->at;
	v->len = c->len - c->at;
	c->at = c->len;
}

static inline int
cur_end(const struct cur *c)
{
	return c->at == c->len ? 0 : ERR_TRAIL;
}

#endif
