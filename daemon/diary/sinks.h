/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/diary/sinks.h - where the log goes: providers with their filters.
 *
 * A sink as an argument of the diary is "PROVIDER:LEVEL:WHO:FD:PATH"; WHO is "*"
 * or components joined by '+'; FD the file, opened by the supervisor, or -1.
 *
 * Thread: the diary's only one.
 */
#ifndef TAPIR_DIARY_SINKS_H
#define TAPIR_DIARY_SINKS_H

#include "daemon/bus/bus.h"
#include "daemon/bus/bus_limit.h"
#include "daemon/diary/history.h"
#include "spi/spi_log.h"

#define SINK_MAX	4	/* as <log> elements of the configuration */
#define SINK_SPEC_MAX	512	/* bytes of one as an argument; ours */

struct sink {
	const struct spi_log *spi;
	struct spi_log_ctx *log;	/* NULL = could not be opened yet */
	enum log_level level;
	char who[SINK_SPEC_MAX];	/* "*" or "+ike+esp+" */
	char path[SINK_SPEC_MAX];
	bool is_told;			/* that it fails */
	uint64_t retry_ms;
	struct bus_limit limit;
};
struct sinks {
	unsigned n;
	struct sink sink[SINK_MAX];
	history_note_fn *note;
	void *ctx;
};

/** Add a sink as its argument says; takes the descriptor in it.
 * 0, ERR_SYNTAX, ERR_FULL or ERR_NOTFOUND (no such provider). */
MUST_USE int sinks_add(struct sinks *s, const char *spec);
/** The descriptor in such an argument, -1 when there is none. */
int sinks_fd(const char *spec);
/** Open what is not open; failing is noted once and tried again. */
void sinks_open(struct sinks *s);
void sinks_close(struct sinks *s);
/** Files the sinks write, in order: which sink, its path.  NULL at the end. */
const char *sinks_file(const struct sinks *s, unsigned i);
/** A new file for sinks_file(i); taken. */
void sinks_reopen(struct sinks *s, unsigned i, int fd);
/** An event, a line of text. */
void sinks_event(struct sinks *s, const struct bus_rec *ev);
void sinks_line(struct sinks *s, enum log_level lv, uint64_t time_ms,
		const char *who, const char *text);
/** Regular work. */
void sinks_tick(struct sinks *s);

#endif
