/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/when.c - points in time as people write them.
 */
#include "cli/when.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "daemon/base/err.h"

/* "5m": so many ms, or 0. */
static uint64_t
span(const char *text)
{
	static const struct {
		char letter;
		uint32_t s;
	} unit[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 7 * 86400 },
	};
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 6 || text[n] == '\0' || text[n + 1] != '\0')
		return 0;
	for (unsigned i = 0; i < N_OF(unit); i++)
		if (unit[i].letter == text[n])
			return strtoull(text, NULL, 10) * unit[i].s * 1000;
	return 0;
}

int
when_parse(const char *text, uint64_t now_ms, uint64_t *out)
{
	static const char *const form[] = {
		"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M",
		"%Y-%m-%dT%H:%M", "%Y-%m-%d",
	};
	uint64_t ms = span(text);

	if (ms > 0) {
		*out = now_ms > ms ? now_ms - ms : 0;
		return 0;
	}
	for (unsigned i = 0; i < N_OF(form); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(text, form[i], &tm);
		time_t t;

		if (end == NULL || *end != '\0' || (t = mktime(&tm)) < 0)
			continue;
		*out = (uint64_t)t * 1000;
		return 0;
	}
	return ERR_SYNTAX;
}

const char *
when_text(uint64_t ms, char *out, size_t cap)
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	out[0] = '\0';
	if (localtime_r(&t, &tm) != NULL)
		(void)strftime(out, cap, "%m-%d %H:%M:%S", &tm);
	return out;
}
