/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/blob.h - a record on its way to browsers: made into text once for each
 * form, however many sessions read it.
 *
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_BLOB_H
#define TAPIR_WEBUI_BLOB_H

#include "webui/form.h"
#include "webui/text.h"

struct ui_blob;

/** A copy of a record with one reference; NULL without memory. */
struct ui_blob *ui_blob_new(const struct bus_rec *r);
struct ui_blob *ui_blob_get(struct ui_blob *b);
/** NULL is fine. */
void ui_blob_put(struct ui_blob *b);
/** Bytes it takes. */
size_t ui_blob_bytes(const struct ui_blob *b);
/** Write it as item n, with the tag its reader knows (0 = none); t is bad without
 * memory. */
void ui_blob_write(struct ui_blob *b, struct ui_text *t, enum ui_form form,
		   uint64_t n, uint32_t tag);

#endif
