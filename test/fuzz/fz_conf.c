/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_conf.c - any bytes as a configuration; what is accepted must
 * come back from its own printed form.
 */
#include <stdlib.h>
#include <string.h>
#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf_errs errs;
	struct conf *c = NULL, *again = NULL;
	char *text = NULL;

	if (conf_parse((const char *)data, size, "fuzz", NULL, &c, &errs) != 0) {
		if (errs.n == 0 || c != NULL)
			abort();
		return 0;
	}
	if (errs.n != 0 || conf_print(c, &text) != 0)
		abort();
	if (conf_parse(text, strlen(text), "again", NULL, &again, &errs) != 0 ||
	    !conf_equal(c, again))
		abort();
	conf_free(c);
	conf_free(again);
	free(text);
	return 0;
}
