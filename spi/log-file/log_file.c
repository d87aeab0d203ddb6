/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/log-file/log_file.c - a file, one line a record.
 *
 *	2026-01-31T12:00:00.123Z NOTICE ike peer-up: branches/osaka is up ...
 *
 * The supervisor opens it (append, 0600, no link is followed) and, after
 * SIGHUP, once more, for who rotates logs.
 *
 * Thread: the diary's only one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "spi/spi_log.h"

#define FILE_LINE_MAX (LOG_LINE_MAX + 256)

struct spi_log_ctx {
	int fd;
};

static int
file_open(struct spi_log_ctx **out, const char *path UNUSED, int fd)
{
	struct spi_log_ctx *c;

	if (fd < 0)
		return ERR_SYS;
	if ((c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return ERR_NOMEM;
	}
	c->fd = fd;
	*out = c;
	return 0;
}

static int
file_write(struct spi_log_ctx *c, const struct spi_log_rec *r)
{
	static const char *const level[] = {
		"ERROR", "WARN", "NOTICE", "INFO", "DEBUG"
	};
	time_t s = (time_t)(r->time_ms / 1000);
	char line[FILE_LINE_MAX], when[24] = "";
	struct tm tm;
	int n;

	if (gmtime_r(&s, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	n = snprintf(line, sizeof(line), "%s.%03uZ %s %s%s%s: %s\n", when,
		     (unsigned)(r->time_ms % 1000),
		     level[MIN((unsigned)r->level, (unsigned)LOG_DEBUG)],
		     r->who, *r->code != '\0' ? " " : "", r->code, r->line);
	if (n < 0)
		return ERR_SYS;
	if ((size_t)n >= sizeof(line)) {
		n = (int)sizeof(line) - 1;
		line[n - 1] = '\n';
	}
	return write(c->fd, line, (size_t)n) == n ? 0 : ERR_SYS;
}

static void
file_reopen(struct spi_log_ctx *c, int fd)
{
	if (fd < 0)
		return;
	close(c->fd);
	c->fd = fd;
}

static void
file_close(struct spi_log_ctx *c)
{
	if (c != NULL)
		close(c->fd);
	free(c);
}

const struct spi_log spi_log_file = {
	.head = { SPI_VERSION, "file", "a file, one line a record" },
	.wants_file = true,
	.open = file_open,
	.write = file_write,
	.reopen = file_reopen,
	.close = file_close,
};
