/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/form.c - objects of clients -> commands, records -> text.
 */
#include "webui/form.h"
#include <inttypes.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

#define WORDS_MAX 64 /* commands, or fields of one, for "did you mean" */

/* ---- reading --------------------------------------------------------------- */

const char *
ui_obj_get(const struct ui_obj *o, const char *key)
{
	for (unsigned i = 0; i < o->n; i++)
		if (strcmp(o->text + o->pair[i].key, key) == 0)
			return o->text + o->pair[i].value;
	return NULL;
}

static int
keep(struct ui_obj *o, struct view v, uint16_t *at)
{
	if (v.len >= sizeof(o->text) - o->used)
		return ERR_LONG;
	if (v.len > 0 && memchr(v.p, '\0', v.len) != NULL)
		return ERR_SYNTAX;
	*at = (uint16_t)o->used;
	if (v.len > 0)
		memcpy(o->text + o->used, v.p, v.len);
	o->used += v.len;
	o->text[o->used++] = '\0';
	return 0;
}

int
ui_obj_add(struct ui_obj *o, struct view key, struct view value)
{
	struct ui_pair *p = &o->pair[o->n];
	int err;

	if (o->n == UI_PAIR_MAX)
		return ERR_LONG;
	if ((err = keep(o, key, &p->key)) != 0 ||
	    (err = keep(o, value, &p->value)) != 0)
		return err;
	if (ui_obj_get(o, o->text + p->key) != NULL)
		return ERR_SYNTAX;
	o->n++;
	return 0;
}

void
ui_obj_wipe(struct ui_obj *o)
{
	wipe(o, sizeof(*o));
}

/* Whole and well-formed UTF-8 (RFC 3629)? */
static bool
is_utf8(struct view v)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t i = 0;

	while (i < v.len) {
		uint8_t b = v.p[i++];
		size_t n = b < 0x80 ? 1 : b >= 0xf0 && b < 0xf8 ? 4 :
		    b >= 0xe0 && b < 0xf0 ? 3 : b >= 0xc0 && b < 0xe0 ? 2 : 0;
		uint32_t cp = n == 1 ? b : b & (0x7fu >> n);

		if (n == 0 || n - 1 > v.len - i)
			return false;
		for (size_t k = 1; k < n; k++, i++) {
			if ((v.p[i] & 0xc0) != 0x80)
				return false;
			cp = cp << 6 | (v.p[i] & 0x3fu);
		}
		if (cp < least[n] || cp > 0x10ffff ||
		    (cp >= 0xd800 && cp < 0xe000))
			return false;
	}
	return true;
}

int
ui_obj_parse(enum ui_form form, struct view body, const char *name,
	     struct ui_obj *out)
{
	out->n = 0;
	out->used = 0;
	if (body.len > UI_OBJ_BYTES)
		return ERR_LONG;
	if (body.len == 0 || memchr(body.p, '\0', body.len) != NULL ||
	    !is_utf8(body))
		return ERR_SYNTAX;
	return form == UI_JSON ? ui_obj_json(body, out) :
	    ui_obj_xml(body, name, out);
}

/* ---- commands -------------------------------------------------------------- */

static int
no_such_command(const char *name, char *why, size_t cap)
{
	const char *word[WORDS_MAX], *near;
	const struct bus_desc *d;
	unsigned it = 0;
	size_t n = 0;
	char quoted[80];

	while (n < N_OF(word) && (d = bus_desc_next(BUS_COMMAND, &it)) != NULL)
		word[n++] = d->name;
	near = str_closest(name, word, n);
	str_escape(quoted, sizeof(quoted), name, strlen(name));
	why[0] = '\0';
	str_add(why, cap, "there is no command %s", quoted);
	if (near != NULL)
		str_add(why, cap, "; did you mean %s?", near);
	return ERR_NOTFOUND;
}

/* The field of a row that a key names, or BUS_F_END. */
static enum bus_field
field_named(const struct bus_desc *d, const char *key)
{
	for (unsigned i = 0; i < d->n_field; i++)
		if (strcmp(bus_field_key(d->field[i]), key) == 0)
			return d->field[i];
	return BUS_F_END;
}

static int
set_i64(struct bus_rec *cmd, enum bus_field f, const char *text)
{
	bool is_minus = *text == '-';
	uint64_t v;

	if (str_u64(text + is_minus, INT64_MAX, &v) != 0)
		return ERR_SYNTAX;
	bus_set_i64(cmd, f, is_minus ? -(int64_t)v : (int64_t)v);
	return 0;
}

static int
set_bool(struct bus_rec *cmd, enum bus_field f, const char *text)
{
	bool is_yes = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;

	if (!is_yes && strcmp(text, "false") != 0 && strcmp(text, "no") != 0)
		return ERR_SYNTAX;
	bus_set_bool(cmd, f, is_yes);
	return 0;
}

static int
field_set(struct bus_rec *cmd, enum bus_field f, const char *text)
{
	uint64_t v;

	switch (bus_field_kind(f)) {
	case BUS_KIND_STR:
		if (strlen(text) > BUS_STR_MAX)
			return ERR_LONG;
		bus_set_str(cmd, f, text);
		return strcmp(bus_str(cmd, f), text) == 0 ? 0 : ERR_LONG;
	case BUS_KIND_U64:
		if (str_u64(text, UINT64_MAX, &v) != 0)
			return ERR_SYNTAX;
		bus_set_u64(cmd, f, v);
		return 0;
	case BUS_KIND_I64:
		return set_i64(cmd, f, text);
	case BUS_KIND_BOOL:
		return set_bool(cmd, f, text);
	}
	return ERR_INTERNAL;
}

/* One pair that is neither command nor tag. */
static int
take_field(struct bus_rec *cmd, const char *key, const char *value, char *why,
	   size_t cap)
{
	static const char *const kind[] = {
		[BUS_KIND_U64] = "a number", [BUS_KIND_I64] = "a number",
		[BUS_KIND_STR] = "a text of at most 1024 bytes",
		[BUS_KIND_BOOL] = "true or false",
	};
	enum bus_field f = field_named(cmd->desc, key);
	char quoted[80];

	why[0] = '\0';
	str_escape(quoted, sizeof(quoted), key, strlen(key));
	if (f == BUS_F_END) {
		str_add(why, cap, "%s has no field %s", cmd->desc->name, quoted);
		return ERR_SYNTAX;
	}
	if (field_set(cmd, f, value) == 0)
		return 0;
	str_add(why, cap, "%s of %s must be %s", quoted, cmd->desc->name,
		kind[bus_field_kind(f)]);
	return ERR_SYNTAX;
}

int
ui_obj_command(const struct ui_obj *o, struct bus_rec *cmd, uint32_t *tag,
	       char *why, size_t cap)
{
	const char *name = ui_obj_get(o, "command"), *text;
	const struct bus_desc *d;
	uint64_t v = 0;
	int err;

	why[0] = '\0';
	*tag = 0;
	if (name == NULL) {
		str_add(why, cap, "which command? the key command is missing");
		return ERR_SYNTAX;
	}
	if ((d = bus_desc_named(BUS_COMMAND, name)) == NULL)
		return no_such_command(name, why, cap);
	bus_rec_init(cmd, d->row);
	if ((text = ui_obj_get(o, "tag")) != NULL &&
	    str_u64(text, UINT32_MAX, &v) != 0) {
		str_add(why, cap, "tag must be a number of at most 32 bits");
		return ERR_SYNTAX;
	}
	*tag = (uint32_t)v;
	for (unsigned i = 0; i < o->n; i++) {
		const char *key = o->text + o->pair[i].key;

		if (strcmp(key, "command") == 0 || strcmp(key, "tag") == 0)
			continue;
		err = take_field(cmd, key, o->text + o->pair[i].value, why, cap);
		if (err != 0)
			return err;
	}
	return 0;
}

/* ---- writing --------------------------------------------------------------- */

const char *
ui_rec_element(const struct bus_rec *r)
{
	return bus_class_name(r->desc->class);
}

void
ui_xml_text(FILE *f, const char *text)
{
	struct view one;

	for (const char *s = text; *s != '\0';) {
		size_t n = 1;

		one.p = (const uint8_t *)s;
		while (n < 4 && ((uint8_t)s[n] & 0xc0) == 0x80)
			n++;
		one.len = n;
		if (!is_utf8(one)) {
			fputs("\xef\xbf\xbd", f); /* U+FFFD */
			s++;
			continue;
		}
		if ((uint8_t)*s == '\t' || *s == '\n' || *s == '\r' ||
		    strchr("&<>\"'", *s) != NULL)
			fprintf(f, "&#%u;", (unsigned)(uint8_t)*s);
		else if ((uint8_t)*s < ' ' || (uint8_t)*s == 0x7f ||
		    memcmp(s, "\xef\xbf\xbe", MIN(n, (size_t)3)) == 0 ||
		    memcmp(s, "\xef\xbf\xbf", MIN(n, (size_t)3)) == 0)
			fputs("\xef\xbf\xbd", f); /* XML 1.0 has none of them */
		else
			fwrite(s, 1, n, f);
		s += n;
	}
}

static void
attr_begin(FILE *f, const char *key)
{
	fprintf(f, " %s=\"", key);
}

static void
attr_str(FILE *f, const char *key, const char *value)
{
	attr_begin(f, key);
	ui_xml_text(f, value);
	fputc('"', f);
}

static void
attr_field(FILE *f, const struct bus_rec *r, enum bus_field field)
{
	attr_begin(f, bus_field_key(field));
	switch (bus_field_kind(field)) {
	case BUS_KIND_STR:
		ui_xml_text(f, bus_str(r, field));
		break;
	case BUS_KIND_U64:
		fprintf(f, "%" PRIu64, bus_u64(r, field));
		break;
	case BUS_KIND_I64:
		fprintf(f, "%" PRId64, bus_i64(r, field));
		break;
	case BUS_KIND_BOOL:
		fputs(bus_bool(r, field) ? "true" : "false", f);
		break;
	}
	fputc('"', f);
}

static void
rec_xml(FILE *f, const struct bus_rec *r)
{
	char line[BUS_SENTENCE_MAX];

	attr_str(f, ui_rec_element(r), r->desc->name);
	if (r->desc->class == BUS_EVENT) {
		fprintf(f, " seq=\"%" PRIu64 "\" time_ms=\"%" PRIu64 "\"",
			r->seq, r->time_ms);
		attr_str(f, "severity", log_level_name(r->desc->severity));
		attr_str(f, "sentence", bus_event_text(r, line, sizeof(line)));
	}
	for (unsigned i = 0; i < r->desc->n_field; i++)
		attr_field(f, r, r->desc->field[i]);
	fputs("/>", f);
}

static void
rec_json(FILE *f, const struct bus_rec *r)
{
	char line[BUS_SENTENCE_MAX];

	fprintf(f, "\"%s\":\"%s\"", ui_rec_element(r), r->desc->name);
	if (r->desc->class == BUS_EVENT) {
		fprintf(f, ",\"seq\":%" PRIu64 ",\"time_ms\":%" PRIu64
			",\"severity\":\"%s\",\"sentence\":", r->seq,
			r->time_ms, log_level_name(r->desc->severity));
		bus_json_str(f, bus_event_text(r, line, sizeof(line)));
	}
	if (r->desc->n_field > 0) {
		fputc(',', f);
		bus_json_fields(f, r);
	}
	fputc('}', f);
}

void
ui_rec_write(FILE *f, enum ui_form form, const struct bus_rec *r)
{
	if (form == UI_JSON)
		rec_json(f, r);
	else
		rec_xml(f, r);
}

/* ---- answers that are no records --------------------------------------------- */

void
ui_out_begin(struct ui_out *o, FILE *f, enum ui_form form, const char *name)
{
	*o = (struct ui_out){ f, form, true, name };
	if (form == UI_JSON)
		fputc('{', f);
	else
		fprintf(f, "<%s", name);
}

static void
out_key(struct ui_out *o, const char *key)
{
	if (o->form == UI_JSON)
		fprintf(o->f, "%s\"%s\":", o->is_first ? "" : ",", key);
	else
		attr_begin(o->f, key);
	o->is_first = false;
}

void
ui_out_str(struct ui_out *o, const char *key, const char *value)
{
	out_key(o, key);
	if (o->form == UI_JSON) {
		bus_json_str(o->f, value);
		return;
	}
	ui_xml_text(o->f, value);
	fputc('"', o->f);
}

void
ui_out_num(struct ui_out *o, const char *key, uint64_t value)
{
	out_key(o, key);
	fprintf(o->f, "%" PRIu64, value);
	if (o->form == UI_XML)
		fputc('"', o->f);
}

void
ui_out_bool(struct ui_out *o, const char *key, bool value)
{
	out_key(o, key);
	fputs(value ? "true" : "false", o->f);
	if (o->form == UI_XML)
		fputc('"', o->f);
}

void
ui_out_end(struct ui_out *o)
{
	fputs(o->form == UI_JSON ? "}\n" : "/>\n", o->f);
}
