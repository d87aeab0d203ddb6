/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/fallback.c - words of --force-fallback.
 *
 * Thread: pure functions.
 */
#include "daemon/core/fallback.h"
#include <string.h>
#include "daemon/base/err.h"

static const char *const names[FAULT_END] = {
	"tap-gso", "uso", "udp-gso", "udp-gro", "packet-ring",
	"gso-mangled", "gso-refused",
};

const char *
fallback_name(enum fallback f)
{
	return names[f];
}

static int
find(const char *word, size_t len)
{
	for (int f = 0; f < FAULT_END; f++)
		if (strlen(names[f]) == len && memcmp(names[f], word, len) == 0)
			return f;
	return -1;
}

int
fallback_parse(const char *list, uint32_t *mask)
{
	uint32_t got = 0;

	for (;;) {
		size_t len = strcspn(list, ",");
		int f = find(list, len);

		if (f < 0)
			return ERR_SYNTAX;
		got |= 1u << f;
		if (list[len] == '\0')
			break;
		list += len + 1;
	}
	*mask = got;
	return 0;
}
