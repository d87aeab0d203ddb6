/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/bus_text.c - records for people and scripts: sentences and JSON.
 *
 * Thread: none shared.
 */
#include "daemon/bus/bus_text.h"
#include <inttypes.h>
#include <string.h>

/* A bounded text under construction; always terminated. */
struct out {
	char *p;
	size_t cap, len;
	bool is_full;
};

/* Add n bytes together or not at all, and after that nothing more. */
static void
add(struct out *o, const char *text, size_t n)
{
	if (o->is_full || n >= o->cap - o->len) {
		o->is_full = true;
		return;
	}
	memcpy(o->p + o->len, text, n);
	o->len += n;
	o->p[o->len] = '\0';
}

/* Length of the UTF-8 sequence at s (RFC 3629: shortest form, no surrogates),
 * and its code point; 0 when it is not one. */
static size_t
utf8(const unsigned char *s, uint32_t *cp)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 && s[0] < 0xf8 ? 4 :
	    s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xc0 && s[0] < 0xe0 ? 2 : 0;

	if (n == 0)
		return 0;
	*cp = n == 1 ? s[0] : s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80) /* also stops at the NUL */
			return 0;
		*cp = *cp << 6 | (s[i] & 0x3fu);
	}
	if (*cp < least[n] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp < 0xe000))
		return 0;
	return n;
}

/* Characters that act on a terminal or turn the reading direction. */
static bool
is_hidden(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
	    (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	    (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff;
}

static void
add_printable(struct out *o, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	char esc[5];

	while (*s != '\0') {
		uint32_t cp = 0;
		size_t n = utf8(s, &cp);

		if (n > 0 && !is_hidden(cp)) {
			add(o, (const char *)s, n);
			s += n;
			continue;
		}
		n = n > 0 ? n : 1;
		for (; n > 0; n--, s++) {
			snprintf(esc, sizeof(esc), "\\x%02x", *s);
			add(o, esc, 4);
		}
	}
}

static void
add_val(struct out *o, const struct bus_rec *r, unsigned i)
{
	char num[24];

	switch (bus_field_kind(r->desc->field[i])) {
	case BUS_KIND_STR:
		add_printable(o, r->text + r->val[i].off);
		return;
	case BUS_KIND_BOOL:
		snprintf(num, sizeof(num), "%s", r->val[i].num ? "yes" : "no");
		break;
	case BUS_KIND_I64:
		snprintf(num, sizeof(num), "%" PRId64, (int64_t)r->val[i].num);
		break;
	case BUS_KIND_U64:
		/* as other tools write Security Parameter Indexes */
		snprintf(num, sizeof(num), r->desc->field[i] == BUS_F_SPI_IN ||
			 r->desc->field[i] == BUS_F_SPI_OUT ? "%08" PRIx64 :
			 "%" PRIu64, r->val[i].num);
		break;
	}
	add(o, num, strlen(num));
}

/* The field a {key} names, as its place in the row; -1 when there is none. */
static int
key_place(const struct bus_desc *d, const char *key, size_t n)
{
	for (unsigned i = 0; i < d->n_field; i++) {
		const char *k = bus_field_key(d->field[i]);

		if (strlen(k) == n && memcmp(k, key, n) == 0)
			return (int)i;
	}
	return -1;
}

static void
add_sentence(struct out *o, const struct bus_rec *r)
{
	const char *s = r->desc->sentence;

	while (*s != '\0') {
		const char *end = *s == '{' ? strchr(s, '}') : NULL;
		int i = end == NULL ? -1 :
		    key_place(r->desc, s + 1, (size_t)(end - s - 1));

		if (i < 0) {
			add(o, s++, 1);
			continue;
		}
		add_val(o, r, (unsigned)i);
		s = end + 1;
	}
	/* "...: why; " without its hint, or empty names at the end. */
	while (o->len > 0 && strchr(" ;:", o->p[o->len - 1]) != NULL)
		o->p[--o->len] = '\0';
}

const char *
bus_event_text(const struct bus_rec *r, char *out, size_t cap)
{
	struct out o = { out, cap, 0, false };

	if (cap == 0)
		return out;
	out[0] = '\0';
	if (r->desc->sentence != NULL) {
		add_sentence(&o, r);
		return out;
	}
	add(&o, r->desc->name, strlen(r->desc->name));
	for (unsigned i = 0; i < r->desc->n_field; i++) {
		const char *key = bus_field_key(r->desc->field[i]);

		add(&o, " ", 1);
		add(&o, key, strlen(key));
		add(&o, "=", 1);
		add_val(&o, r, i);
	}
	return out;
}

const char *
bus_event_part(const struct bus_desc *d)
{
	if (d->audit == BUS_AUDIT_CONF)
		return "conf";
	if (bus_desc_has(d, BUS_F_SPI_IN))
		return "esp";
	if (strncmp(d->name, "hub-", 4) == 0)
		return "hub";
	if (strncmp(d->name, "realm-", 6) == 0)
		return "realm";
	if (strncmp(d->name, "peer-", 5) == 0 || d->audit == BUS_AUDIT_AUTH ||
	    d->audit == BUS_AUDIT_KEY)
		return "ike";
	return "tapird";
}

const char *
bus_print_text(const char *text, char *out, size_t cap)
{
	struct out o = { out, cap, 0, false };

	if (cap == 0)
		return out;
	out[0] = '\0';
	add_printable(&o, text);
	return out;
}

void
bus_json_str(FILE *f, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	putc('"', f);
	while (*s != '\0') {
		uint32_t cp = 0;
		size_t n = utf8(s, &cp);

		if (n == 0) {
			fputs("\\ufffd", f);
			n = 1;
		} else if (cp == '"' || cp == '\\') {
			putc('\\', f);
			putc((int)cp, f);
		} else if (is_hidden(cp)) {
			fprintf(f, "\\u%04x", cp);
		} else {
			fwrite(s, 1, n, f);
		}
		s += n;
	}
	putc('"', f);
}

static void
json_val(FILE *f, const struct bus_rec *r, unsigned i)
{
	switch (bus_field_kind(r->desc->field[i])) {
	case BUS_KIND_STR:
		bus_json_str(f, r->text + r->val[i].off);
		break;
	case BUS_KIND_BOOL:
		fputs(r->val[i].num ? "true" : "false", f);
		break;
	case BUS_KIND_I64:
		fprintf(f, "%" PRId64, (int64_t)r->val[i].num);
		break;
	case BUS_KIND_U64:
		fprintf(f, "%" PRIu64, r->val[i].num);
		break;
	}
}

void
bus_json_fields(FILE *f, const struct bus_rec *r)
{
	for (unsigned i = 0; i < r->desc->n_field; i++) {
		fprintf(f, "%s\"%s\":", i > 0 ? "," : "",
		    bus_field_key(r->desc->field[i]));
		json_val(f, r, i);
	}
}

void
bus_rec_json(const struct bus_rec *r, FILE *f)
{
	char line[BUS_SENTENCE_MAX];

	fprintf(f, "{\"%s\":\"%s\"", bus_class_name(r->desc->class),
	    r->desc->name);
	if (r->desc->class == BUS_EVENT) {
		fprintf(f, ",\"seq\":%" PRIu64 ",\"time_ms\":%" PRIu64
		    ",\"severity\":\"%s\",\"sentence\":", r->seq, r->time_ms,
		    log_level_name(r->desc->severity));
		bus_json_str(f, bus_event_text(r, line, sizeof(line)));
	}
	if (r->desc->n_field > 0) {
		putc(',', f);
		bus_json_fields(f, r);
	}
	putc('}', f);
}
