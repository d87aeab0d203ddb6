/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_busform.c - any bytes as a command in XML (first byte even) or
 * JSON; what is taken is written again in both forms.
 */
#include <stdlib.h>
#include <string.h>
#include "webui/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum ui_form form = size > 0 && data[0] % 2 == 0 ? UI_XML : UI_JSON;
	static FILE *null;
	struct bus_rec cmd;
	struct ui_obj o;
	uint32_t tag;
	char why[256];

	if (null == NULL)
		null = fopen("/dev/null", "w");
	if (size == 0 || null == NULL)
		return 0;
	if (ui_obj_parse(form, (struct view){ data + 1, size - 1 }, "command",
			 &o) != 0)
		return 0;
	if (o.n > UI_PAIR_MAX || o.used > sizeof(o.text))
		abort();
	for (unsigned i = 0; i < o.n; i++)
		ui_xml_text(null, o.text + o.pair[i].value);
	if (ui_obj_command(&o, &cmd, &tag, why, sizeof(why)) != 0)
		return 0;
	ui_rec_write(null, UI_XML, &cmd);
	ui_rec_write(null, UI_JSON, &cmd);
	return 0;
}
