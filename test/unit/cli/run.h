/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/run.h - a command line in this process, and what it printed.
 */
#ifndef TAPIR_TEST_CLI_RUN_H
#define TAPIR_TEST_CLI_RUN_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "cli/cli.h"

static char *out, *err;

/* Run a command line: words up to NULL; what it printed is in out and err. */
static int
run(const char *first, ...)
{
	char *argv[16] = { (char[]){ "tapir" } }, copy[16][128];
	size_t out_len, err_len;
	FILE *o, *e;
	int argc = 1, status;
	const char *w;
	va_list ap;

	free(out);
	free(err);
	out = err = NULL;
	va_start(ap, first);
	for (w = first; w != NULL; w = va_arg(ap, const char *)) {
		snprintf(copy[argc], sizeof(copy[argc]), "%s", w);
		argv[argc] = copy[argc];
		argc++;
	}
	va_end(ap);
	o = open_memstream(&out, &out_len);
	e = open_memstream(&err, &err_len);
	status = cli_main(argc, argv, o, e);
	fclose(o);
	fclose(e);
	return status;
}

#endif
