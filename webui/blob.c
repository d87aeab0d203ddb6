/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/blob.c - a record on its way to browsers.
 */
#include "webui/blob.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/bus/bus_wire.h"

struct ui_blob {
	unsigned n_ref;
	const char *element;
	char *text[UI_FORM_END];	/* NULL: not asked for yet */
	size_t n_text[UI_FORM_END];
	size_t n_wire;
	uint8_t wire[];
};

struct ui_blob *
ui_blob_new(const struct bus_rec *r)
{
	uint8_t wire[BUS_WIRE_MAX];
	int n = bus_enc_buf(r, wire, sizeof(wire));
	struct ui_blob *b;

	if (n < 0 || (b = calloc(1, sizeof(*b) + (size_t)n)) == NULL)
		return NULL;
	b->n_ref = 1;
	b->element = ui_rec_element(r);
	b->n_wire = (size_t)n;
	memcpy(b->wire, wire, b->n_wire);
	return b;
}

struct ui_blob *
ui_blob_get(struct ui_blob *b)
{
	b->n_ref++;
	return b;
}

void
ui_blob_put(struct ui_blob *b)
{
	if (b == NULL || --b->n_ref > 0)
		return;
	for (int i = 0; i < UI_FORM_END; i++)
		free(b->text[i]);
	free(b);
}

size_t
ui_blob_bytes(const struct ui_blob *b)
{
	return sizeof(*b) + b->n_wire;
}

static bool
make_text(struct ui_blob *b, enum ui_form form)
{
	struct bus_rec r;
	FILE *f;

	if (b->text[form] != NULL)
		return true;
	if (bus_dec(b->wire, b->n_wire, &r) != 0 ||
	    (f = open_memstream(&b->text[form], &b->n_text[form])) == NULL)
		return false;
	ui_rec_write(f, form, &r);
	if (fclose(f) == 0)
		return true;
	free(b->text[form]);
	b->text[form] = NULL;
	return false;
}

void
ui_blob_write(struct ui_blob *b, struct ui_text *t, enum ui_form form,
	      uint64_t n, uint32_t tag)
{
	bool is_json = form == UI_JSON;

	if (!make_text(b, form)) {
		t->is_bad = true;
		return;
	}
	ui_text_str(t, is_json ? "{\"n\":" : "<");
	if (!is_json) {
		ui_text_str(t, b->element);
		ui_text_str(t, " n=\"");
	}
	ui_text_u64(t, n);
	ui_text_str(t, is_json ? "," : "\"");
	if (tag != 0) {
		ui_text_str(t, is_json ? "\"tag\":" : " tag=\"");
		ui_text_u64(t, tag);
		ui_text_str(t, is_json ? "," : "\"");
	}
	ui_text_add(t, b->text[form], b->n_text[form]);
}
