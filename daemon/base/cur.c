/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/cur.c - cursors over bytes; the only pointer arithmetic on
 * input from outside.
 *
 * Invariants: at <= len for readers, len <= cap for writers.  Every check has
 * the form "n > what is left", which cannot overflow.
 *
 * Thread: none shared.  No allocation.
 */
#include "daemon/base/cur.h"
#include <string.h>

/* Room for n bytes more, or NULL and the sticky error. */
static uint8_t *
room(struct wcur *w, size_t n)
{
	uint8_t *p;

	if (UNLIKELY(w->err != 0))
		return NULL;
	if (UNLIKELY(n > w->cap - w->len)) {
		w->err = ERR_LONG;
		return NULL;
	}
	p = w->base + w->len;
	w->len += n;
	return p;
}

/* An earlier hole of n bytes; one that was never written is an error too. */
static uint8_t *
hole(struct wcur *w, size_t at, size_t n)
{
	if (UNLIKELY(w->err != 0))
		return NULL;
	if (UNLIKELY(at > w->len || n > w->len - at)) {
		w->err = ERR_LONG;
		return NULL;
	}
	return w->base + at;
}

void
wcur_init(struct wcur *w, void *p, size_t cap)
{
	static uint8_t nowhere;

	w->base = p != NULL ? p : &nowhere;
	w->cap = p != NULL ? cap : 0;
	w->len = 0;
	w->err = 0;
}

void
wcur_u8(struct wcur *w, uint8_t v)
{
	uint8_t *p = room(w, 1);

	if (p != NULL)
		p[0] = v;
}

void
wcur_u16(struct wcur *w, uint16_t v)
{
	uint8_t *p = room(w, 2);

	if (p != NULL)
		be16_put(p, v);
}

void
wcur_u32(struct wcur *w, uint32_t v)
{
	uint8_t *p = room(w, 4);

	if (p != NULL)
		be32_put(p, v);
}

void
wcur_u64(struct wcur *w, uint64_t v)
{
	uint8_t *p = room(w, 8);

	if (p != NULL)
		be64_put(p, v);
}

void
wcur_bytes(struct wcur *w, const void *p, size_t n)
{
	uint8_t *out = room(w, n);

	if (out != NULL && n > 0)
		memcpy(out, p, n);
}

void
wcur_view(struct wcur *w, struct view v)
{
	wcur_bytes(w, v.p, v.len);
}

void
wcur_block(struct wcur *w, struct view v)
{
	wcur_u32(w, (uint32_t)v.len);
	wcur_view(w, v);
}

void
wcur_text(struct wcur *w, const char *text)
{
	size_t n = strlen(text);

	wcur_u16(w, (uint16_t)n);
	wcur_bytes(w, text, n);
}

void
wcur_zero(struct wcur *w, size_t n)
{
	uint8_t *p = room(w, n);

	if (p != NULL)
		memset(p, 0, n);
}

size_t
wcur_hole(struct wcur *w, size_t n)
{
	size_t at = w->len;

	/* Zeroed, so that a forgotten hole never sends old memory. */
	wcur_zero(w, n);
	return w->err == 0 ? at : 0;
}

void
wcur_put8(struct wcur *w, size_t at, uint8_t v)
{
	uint8_t *p = hole(w, at, 1);

	if (p != NULL)
		p[0] = v;
}

void
wcur_put16(struct wcur *w, size_t at, uint16_t v)
{
	uint8_t *p = hole(w, at, 2);

	if (p != NULL)
		be16_put(p, v);
}

void
wcur_put32(struct wcur *w, size_t at, uint32_t v)
{
	uint8_t *p = hole(w, at, 4);

	if (p != NULL)
		be32_put(p, v);
}

struct view
wcur_done(const struct wcur *w)
{
	struct view v = { w->base, 0 };

	if (w->err == 0)
		v.len = w->len;
	return v;
}

int
cur_text(struct cur *c, char *out, size_t cap)
{
	struct view v;
	uint16_t n;
	int err;

	if ((err = cur_u16(c, &n)) != 0)
		return err;
	if (n >= cap)
		return ERR_LONG;
	if ((err = cur_view(c, n, &v)) != 0)
		return err;
	if (n > 0 && memchr(v.p, '\0', n) != NULL)
		return ERR_SYNTAX;
	if (n > 0)
		memcpy(out, v.p, n);
	out[n] = '\0';
	return 0;
}
