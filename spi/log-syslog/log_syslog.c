/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/log-syslog/log_syslog.c - the local syslog, by syslog(3).
 *
 * The C library keeps the connection to /dev/log and makes it anew when the
 * syslog daemon was restarted.
 *
 * Thread: the diary's only one.
 */
#include <stdlib.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "spi/spi_log.h"

/* Both headers have names of levels that begin with LOG_; these are those of
 * syslog(3), which its header would redefine. */
void openlog(const char *ident, int option, int facility);
void syslog(int priority, const char *format, ...) PRINTF(2, 3);
void closelog(void);

#define SYSLOG_OPTIONS	(0x01 | 0x08)	/* LOG_PID, LOG_NDELAY */
#define SYSLOG_DAEMON	(3 << 3)	/* LOG_DAEMON */
#define SYSLOG_ERR	3		/* LOG_ERR; warnings, notices ... follow */

struct spi_log_ctx {
	bool is_open;
};

static int
syslog_open(struct spi_log_ctx **out, const char *path UNUSED, int fd)
{
	struct spi_log_ctx *c = calloc(1, sizeof(*c));

	if (fd >= 0)
		close(fd);
	if (c == NULL)
		return ERR_NOMEM;
	openlog("tapird", SYSLOG_OPTIONS, SYSLOG_DAEMON);
	c->is_open = true;
	*out = c;
	return 0;
}

static int
syslog_write(struct spi_log_ctx *c UNUSED, const struct spi_log_rec *r)
{
	if (*r->code != '\0')
		syslog(SYSLOG_ERR + (int)r->level, "%s: %s [%s]", r->who, r->line,
		       r->code);
	else
		syslog(SYSLOG_ERR + (int)r->level, "%s: %s", r->who, r->line);
	return 0;
}

static void
syslog_reopen(struct spi_log_ctx *c UNUSED, int fd)
{
	if (fd >= 0)
		close(fd);
}

static void
syslog_close(struct spi_log_ctx *c)
{
	if (c != NULL)
		closelog();
	free(c);
}

const struct spi_log spi_log_syslog = {
	.head = { SPI_VERSION, "syslog", "the local syslog daemon" },
	.open = syslog_open,
	.write = syslog_write,
	.reopen = syslog_reopen,
	.close = syslog_close,
};
