/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_bug.c - any bytes as a configuration in a report: whatever stands
 * before it, a key written into psk= is never left.
 */
#include <stdlib.h>
#include <string.h>
#include "cli/bug/bug.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char tail[] = "\n--><peer psk=\"kangaroo rat\"/>";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + sizeof(tail)), *out = NULL, *words = NULL;
	size_t n, m, out_len, words_len;
	struct anon *a = anon_new();
	FILE *f, *g;

	if (text == NULL || a == NULL)
		abort();
	memcpy(text, data, size);
	memcpy(text + size, tail, sizeof(tail));
	n = size + sizeof(tail) - 1;
	for (size_t i = 0; i < size; i++)	/* strstr finds ours only */
		if (text[i] == '\0' || text[i] == 'k')
			text[i] = ' ';
	f = open_memstream(&out, &out_len);
	g = open_memstream(&words, &words_len);
	bug_conf_text(text, n, "/nonexistent", f, g);
	fclose(f);
	fclose(g);
	if (strstr(out + MAX(out_len, 40) - 40, "kangaroo") != NULL)
		abort();
	anon_conf(a, text, n);
	free(out);
	f = open_memstream(&out, &m);
	anon_text(a, text, n, f);
	fclose(f);
	anon_free(a);
	free(out);
	free(words);
	free(text);
	return 0;
}
