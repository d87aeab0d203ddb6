/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/spi_log.h - where the log goes, as an exchangeable provider.
 *
 * A provider takes finished records, one at a time, in the diary's process: it
 * may wait for a disk or a socket without anybody else waiting.  It holds no
 * secret and gets none.
 */
#ifndef TAPIR_SPI_SPI_LOG_H
#define TAPIR_SPI_SPI_LOG_H

#include "daemon/base/base.h"
#include "daemon/base/log.h"
#include "spi/spi.h"

/* A field of an event: key as in the tables of the bus ("realm"), and its value
 * as text, as untrusted as its source. */
struct spi_log_field {
	const char *key, *value;
};

struct spi_log_rec {
	uint64_t time_ms;		/* since 1970, UTC */
	uint64_t seq;			/* of an event; 0 = a line of text */
	enum log_level level;
	const char *who;		/* component: "ike", "hub" ... */
	const char *code;		/* of an event: "peer-up"; else "" */
	const char *line;		/* sentence; no control characters */
	unsigned n_field;
	const struct spi_log_field *field;
};

struct spi_log_ctx;

struct spi_log {
	struct spi_head head;
	bool wants_file;		/* the configuration names one */

	/** Begin.  path: the file, or "" where none is wanted; fd: it, open for
	 * appending, taken; or -1.  0, ERR_NOMEM, ERR_SYS. */
	int (*open)(struct spi_log_ctx **out, const char *path, int fd);
	/** Write one record.  0, or ERR_SYS: it is lost; may be called again. */
	int (*write)(struct spi_log_ctx *c, const struct spi_log_rec *r);
	/** The file was put away and fd is a new one, taken; -1 where there is
	 * no file. */
	void (*reopen)(struct spi_log_ctx *c, int fd);
	/** NULL is fine. */
	void (*close)(struct spi_log_ctx *c);
};

/** A built-in provider by name, NULL when there is none. */
const struct spi_log *spi_log_find(const char *name);

#endif
