/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/bus_rec.c - descriptions of all rows, and records of them.
 *
 * Thread: a record belongs to its holder; the tables are constant.
 */
#include "daemon/bus/bus.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define F(name_) BUS_F_##name_,
/* The list of a row and how long it is; END closes it. */
#define FIELDS(...)                                                            \
	.field = { __VA_ARGS__ BUS_F_END },                                    \
	.n_field = sizeof((const enum bus_field[]){ __VA_ARGS__ BUS_F_END }) / \
	    sizeof(enum bus_field) - 1

static const struct bus_desc descs[] = {
#define COMMAND(num_, name_, text_, right_, fields_)                           \
	{ .row = BUS_CMD_##name_, .class = BUS_COMMAND, .num = (num_),         \
	  .name = (text_), .right = (right_), FIELDS(fields_) },
#include "daemon/bus/command.def"
#undef COMMAND
#define RESULT(num_, name_, text_, fields_)                                    \
	{ .row = BUS_RES_##name_, .class = BUS_RESULT, .num = (num_),          \
	  .name = (text_), FIELDS(fields_) },
#include "daemon/bus/result.def"
#undef RESULT
#define EVENT(num_, name_, text_, sev_, audit_, line_, fields_)                \
	{ .row = BUS_EV_##name_, .class = BUS_EVENT, .num = (num_),            \
	  .name = (text_), .severity = (sev_), .audit = (audit_),              \
	  .sentence = (line_), FIELDS(fields_) },
#include "daemon/bus/event.def"
#undef EVENT
};

static const struct {
	const char *key;
	enum bus_kind kind;
} fields[BUS_F_END] = {
#define FIELD(name_, key_, kind_) { key_, BUS_KIND_##kind_ },
#include "daemon/bus/field.def"
#undef FIELD
};

/* Place of a field in a row, or -1. */
static int
place(const struct bus_desc *d, enum bus_field f)
{
	for (unsigned i = 0; i < d->n_field; i++)
		if (d->field[i] == f)
			return (int)i;
	return -1;
}

/* The value to set; wrong rows and kinds are our own bugs. */
static struct bus_val *
slot(struct bus_rec *r, enum bus_field f, enum bus_kind kind)
{
	int i = place(r->desc, f);

	assert(i >= 0);
	assert(fields[f].kind == kind);
	if (i < 0 || fields[f].kind != kind)
		return NULL;
	return &r->val[i];
}

static const struct bus_val *
value(const struct bus_rec *r, enum bus_field f, enum bus_kind kind)
{
	int i = (unsigned)f < BUS_F_END ? place(r->desc, f) : -1;

	return i >= 0 && fields[f].kind == kind ? &r->val[i] : NULL;
}

/* Longest start of text[n] of at most max bytes that does not cut a UTF-8
 * sequence in two. */
static size_t
cut(const char *text, size_t n, size_t max)
{
	if (n <= max)
		return n;
	n = max;
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

const struct bus_desc *
bus_desc_find(enum bus_class c, uint16_t num)
{
	for (size_t i = 0; i < N_OF(descs); i++)
		if (descs[i].class == c && descs[i].num == num)
			return &descs[i];
	return NULL;
}

const struct bus_desc *
bus_desc_named(enum bus_class c, const char *name)
{
	for (size_t i = 0; i < N_OF(descs); i++)
		if (descs[i].class == c && strcmp(descs[i].name, name) == 0)
			return &descs[i];
	return NULL;
}

const struct bus_desc *
bus_desc_next(enum bus_class c, unsigned *it)
{
	while (*it < N_OF(descs)) {
		const struct bus_desc *d = &descs[(*it)++];

		if (d->class == c)
			return d;
	}
	return NULL;
}

const char *
bus_field_key(enum bus_field f)
{
	return (unsigned)f < BUS_F_END ? fields[f].key : "";
}

enum bus_kind
bus_field_kind(enum bus_field f)
{
	return (unsigned)f < BUS_F_END ? fields[f].kind : BUS_KIND_U64;
}

const char *
bus_class_name(enum bus_class c)
{
	switch (c) {
	case BUS_COMMAND:
		return "command";
	case BUS_RESULT:
		return "result";
	case BUS_EVENT:
		return "event";
	}
	return "unknown";
}

void
bus_rec_init(struct bus_rec *r, enum bus_row row)
{
	const struct bus_desc *d = bus_desc_find((enum bus_class)(row >> 16),
	    (uint16_t)(row & 0xffff));

	assert(d != NULL);
	memset(r, 0, offsetof(struct bus_rec, text));
	r->desc = d;
	r->text[0] = '\0'; /* off 0 is the empty text */
	r->used = 1;
}

bool
bus_desc_has(const struct bus_desc *d, enum bus_field f)
{
	return place(d, f) >= 0;
}

bool
bus_has(const struct bus_rec *r, enum bus_field f)
{
	return place(r->desc, f) >= 0;
}

void
bus_set_str(struct bus_rec *r, enum bus_field f, const char *text)
{
	struct bus_val *v = slot(r, f, BUS_KIND_STR);
	size_t n = text != NULL ? strlen(text) : 0;
	size_t max = BUS_TEXT_MAX - 1 - (size_t)r->used;

	if (v == NULL)
		return;
	v->off = 0;
	v->len = 0;
	if (n == 0 || r->used >= BUS_TEXT_MAX - 1)
		return;
	n = cut(text, n, MIN(max, (size_t)BUS_STR_MAX));
	memcpy(r->text + r->used, text, n);
	r->text[r->used + n] = '\0';
	v->off = r->used;
	v->len = (uint16_t)n;
	r->used = (uint16_t)(r->used + n + 1);
}

void
bus_set_fmt(struct bus_rec *r, enum bus_field f, const char *fmt, ...)
{
	char text[BUS_STR_MAX + 1];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	bus_set_str(r, f, text);
}

void
bus_set_u64(struct bus_rec *r, enum bus_field f, uint64_t v)
{
	struct bus_val *s = slot(r, f, BUS_KIND_U64);

	if (s != NULL)
		s->num = v;
}

void
bus_set_i64(struct bus_rec *r, enum bus_field f, int64_t v)
{
	struct bus_val *s = slot(r, f, BUS_KIND_I64);

	if (s != NULL)
		s->num = (uint64_t)v;
}

void
bus_set_bool(struct bus_rec *r, enum bus_field f, bool v)
{
	struct bus_val *s = slot(r, f, BUS_KIND_BOOL);

	if (s != NULL)
		s->num = v;
}

const char *
bus_str(const struct bus_rec *r, enum bus_field f)
{
	const struct bus_val *v = value(r, f, BUS_KIND_STR);

	return v != NULL ? r->text + v->off : "";
}

uint64_t
bus_u64(const struct bus_rec *r, enum bus_field f)
{
	const struct bus_val *v = value(r, f, BUS_KIND_U64);

	return v != NULL ? v->num : 0;
}

int64_t
bus_i64(const struct bus_rec *r, enum bus_field f)
{
	const struct bus_val *v = value(r, f, BUS_KIND_I64);

	return v != NULL ? (int64_t)v->num : 0;
}

bool
bus_bool(const struct bus_rec *r, enum bus_field f)
{
	const struct bus_val *v = value(r, f, BUS_KIND_BOOL);

	return v != NULL && v->num != 0;
}
