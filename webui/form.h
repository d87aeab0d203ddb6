/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/form.h - commands and events as XML and as JSON: one tree, two forms.
 *
 *   {"command":"up","tag":7,"realm":"r"}  <command command="up" tag="7" realm="r"/>
 *   {"event":"peer-up","seq":12,...}      <event event="peer-up" seq="12" .../>
 *
 * An object of JSON is an element of XML of the same keys; which key comes first
 * names the element.  What may stand in them comes from the tables of daemon/bus.
 * form_json.c and form_xml.c have what differs.
 *
 * Thread: any; nothing shared.
 */
#ifndef TAPIR_WEBUI_FORM_H
#define TAPIR_WEBUI_FORM_H

#include <stdio.h>
#include "daemon/base/base.h"
#include "daemon/bus/bus.h"

#define UI_OBJ_BYTES 8192	/* of a command's text, as sent; ours */
#define UI_PAIR_MAX  40		/* keys of an object: all fields and more */

enum ui_form { UI_XML, UI_JSON, UI_FORM_END };

/* One flat object that a client sent. */
struct ui_obj {
	unsigned n;
	struct ui_pair {
		uint16_t key, value;	/* places in text[] */
	} pair[UI_PAIR_MAX];
	size_t used;
	char text[UI_OBJ_BYTES];	/* NUL after each */
};

/**
 * Read an object.
 *
 * @param name of the element that is wanted ("command"); JSON has no name.
 * @return 0; ERR_SYNTAX: not this form, keys twice, nesting, a DOCTYPE, not
 *         UTF-8; ERR_LONG: more than UI_OBJ_BYTES or UI_PAIR_MAX.
 */
MUST_USE int ui_obj_parse(enum ui_form form, struct view body, const char *name,
			  struct ui_obj *out);
/** The value of a key, or NULL. */
const char *ui_obj_get(const struct ui_obj *o, const char *key);
/** Overwrite what may have been secret. */
void ui_obj_wipe(struct ui_obj *o);

/**
 * An object as a command of the table.
 *
 * @param tag what the client calls it, 0 when it did not say.
 * @param why on error, one sentence: what is wrong and what is allowed.
 * @return 0, ERR_NOTFOUND (no such command), ERR_SYNTAX (field).
 */
MUST_USE int ui_obj_command(const struct ui_obj *o, struct bus_rec *cmd,
			    uint32_t *tag, char *why, size_t cap);

/** Add a pair; both texts are copied.  0 or ERR_LONG, ERR_SYNTAX (twice). */
MUST_USE int ui_obj_add(struct ui_obj *o, struct view key, struct view value);

/* ---- writing --------------------------------------------------------------- */

/** What a record is in a form, without its beginning, which differs from reader
 * to reader: from behind {"n":5,"tag":7, up to } or from behind
 * <event n="5" tag="7" up to />. */
void ui_rec_write(FILE *f, enum ui_form form, const struct bus_rec *r);
/** The element of a record: command, result, event. */
const char *ui_rec_element(const struct bus_rec *r);

/* An answer that is not a record: keys and values, flat. */
struct ui_out {
	FILE *f;
	enum ui_form form;
	bool is_first;
	const char *name;
};
void ui_out_begin(struct ui_out *o, FILE *f, enum ui_form form,
		  const char *name);
void ui_out_str(struct ui_out *o, const char *key, const char *value);
void ui_out_num(struct ui_out *o, const char *key, uint64_t value);
void ui_out_bool(struct ui_out *o, const char *key, bool value);
void ui_out_end(struct ui_out *o);
/** Text as the value of an attribute, without its quotes. */
void ui_xml_text(FILE *f, const char *text);

/* ---- between the files ------------------------------------------------------ */
MUST_USE int ui_obj_json(struct view body, struct ui_obj *out);
MUST_USE int ui_obj_xml(struct view body, const char *name, struct ui_obj *out);

#endif
