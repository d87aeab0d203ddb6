/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/log.h - text log: components, levels, a sink set from above.
 *
 * A line reads "who: what failed: why".  Control characters are escaped
 * (\xNN), a line is at most LOG_LINE_MAX bytes.  No secret is ever passed in.
 * log_rl() is for what a stranger can trigger: at most LOG_RL_BURST lines per
 * call site and LOG_RL_WINDOW_MS, then one line that says how many were left out.
 */
#ifndef TAPIR_BASE_LOG_H
#define TAPIR_BASE_LOG_H

#include "daemon/base/base.h"
#include <stdatomic.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

#define LOG_LINE_MAX	 1024
#define LOG_RL_BURST	 5
#define LOG_RL_WINDOW_MS 10000

/** Where finished lines go; line has no newline.  Called on the logging thread. */
typedef void log_sink_fn(void *ctx, enum log_level lv, const char *who,
			 const char *line);

/** Replace the sink (default: standard error).  NULL restores the default. */
void log_set_sink(log_sink_fn *fn, void *ctx);
/** The default sink, also for one that cannot do its work just now: time and
 * level before the line; where standard error is the journal's (JOURNAL_STREAM in
 * the environment when the program began), its "<N>" instead. */
void log_stderr(enum log_level lv, const char *who, const char *line);
/** Highest level that is still written (default LOG_NOTICE). */
void log_set_level(enum log_level lv);
enum log_level log_get_level(void);
/** "error warn notice info debug" -> level.  @return 0 or ERR_NOTFOUND. */
MUST_USE int log_parse_level(const char *text, enum log_level *lv);
const char *log_level_name(enum log_level lv);

/** Write a line.  who: component ("ike", "esp", ...).  Any thread. */
void log_write(enum log_level lv, const char *who, const char *fmt, ...)
    PRINTF(3, 4);

/* State of one rate-limited call site. */
struct log_rl {
	_Atomic uint64_t window_ms;
	atomic_uint n;
};
/** True when this call site may write now; *skipped is what to report. */
bool log_rl_pass(struct log_rl *rl, unsigned *skipped);

#define log_error(who_, ...)  log_write(LOG_ERROR, who_, __VA_ARGS__)
#define log_warn(who_, ...)   log_write(LOG_WARN, who_, __VA_ARGS__)
#define log_notice(who_, ...) log_write(LOG_NOTICE, who_, __VA_ARGS__)
#define log_info(who_, ...)   log_write(LOG_INFO, who_, __VA_ARGS__)
#define log_debug(who_, ...)                                                   \
	do {                                                                   \
		if (log_get_level() >= LOG_DEBUG)                              \
			log_write(LOG_DEBUG, who_, __VA_ARGS__);               \
	} while (0)
/** Rate limited line: log_rl(LOG_WARN, "ike", "..."). */
#define log_rl(lv_, who_, ...)                                                 \
	do {                                                                   \
		static struct log_rl log_rl_site_;                             \
		unsigned log_rl_skip_ = 0;                                     \
		if (log_get_level() >= (lv_) &&                                \
		    log_rl_pass(&log_rl_site_, &log_rl_skip_)) {               \
			log_write(lv_, who_, __VA_ARGS__);                     \
			if (log_rl_skip_ > 0)                                  \
				log_write(lv_, who_,                           \
					  "(%u more lines like this left out)",\
					  log_rl_skip_);                       \
		}                                                              \
	} while (0)

#endif
