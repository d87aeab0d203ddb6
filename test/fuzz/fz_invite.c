/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_invite.c - any bytes as an invitation: what is accepted comes back
 * the same when it is written, and its names stay within keys/.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/invite/invite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct invite in, again;
	char why[160] = "", *text = NULL;
	size_t len;
	FILE *f;

	if (invite_read((const char *)data, size, &in, why, sizeof(why)) != 0) {
		if (*why == '\0')
			abort();
		return 0;
	}
	for (unsigned i = 0; i < in.n_file; i++)
		if (strchr(in.file[i].name, '/') != NULL)
			abort();
	if ((f = open_memstream(&text, &len)) == NULL)
		return 0;
	invite_write(f, &in);
	if (fclose(f) != 0 || len > INVITE_BYTES_MAX ||
	    invite_read(text, len, &again, why, sizeof(why)) != 0 ||
	    memcmp(&in, &again, sizeof(in)) != 0)
		abort();
	free(text);
	return 0;
}
