/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/log.c - formats a line, escapes it, hands it to the sink.
 *
 * The level is one relaxed atomic, so that a line that is not wanted costs a
 * load.  The default sink opens no file: it works in a confined process.
 *
 * Thread: any.
 */
#include "daemon/base/log.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"

static const char *const level_names[] = {
	"error", "warn", "notice", "info", "debug"
};

static atomic_int level = LOG_NOTICE;
/* Leaf lock, held only to copy or replace the two pointers. */
static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER;
static log_sink_fn *sink_fn GUARDED_BY(sink_lock);
static void *sink_ctx GUARDED_BY(sink_lock);

static bool is_stream;		/* written before main() */

/* Is standard error what the service manager named in the environment?
 * systemd.exec(5), JOURNAL_STREAM.  Asked before a system call filter may
 * forbid to ask. */
__attribute__((constructor)) static void
stream_find(void)
{
	const char *named = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (named == NULL || fstat(STDERR_FILENO, &st) != 0)
		return;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	is_stream = strcmp(named, ours) == 0;
}

/* What a line begins with.  The journal knows the time itself, and takes the
 * level from "<N>", sd-daemon(3). */
static int
line_head(enum log_level lv, char *out, size_t cap)
{
	static const char *const upper[] = {
		"ERROR", "WARN", "NOTICE", "INFO", "DEBUG"
	};
	static const uint8_t priority[] = { 3, 4, 5, 6, 7 };
	uint64_t ms = clk_wall_ms();
	time_t s = (time_t)(ms / 1000);
	struct tm tm;

	if (is_stream)
		return snprintf(out, cap, "<%u>", priority[lv]);
	memset(&tm, 0, sizeof(tm));
	gmtime_r(&s, &tm);
	return snprintf(out, cap, "%04d-%02d-%02d %02d:%02d:%02d.%03u %s ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, (unsigned)(ms % 1000), upper[lv]);
}

/* "2026-01-31 12:00:00.123 WARN ike: line", or "<4>ike: line" for the journal;
 * in one write so that lines of several threads or processes do not mix. */
void
log_stderr(enum log_level lv, const char *who, const char *line)
{
	char out[LOG_LINE_MAX + 128];
	int n = line_head(lv, out, sizeof(out)), more;

	if (n < 0)
		return;
	more = snprintf(out + n, sizeof(out) - (size_t)n, "%.40s: %s\n", who,
	    line);
	if (more < 0)
		return;
	n += more;
	if ((size_t)n >= sizeof(out)) {
		n = (int)sizeof(out) - 1;
		out[n - 1] = '\n';
	}
	/* Nobody is left to tell when standard error is gone. */
	if (write(STDERR_FILENO, out, (size_t)n) < 0)
		return;
}

/* Bytes a terminal or a log reader could act on become \xNN. */
static void
escape_line(char *out, size_t cap, const char *in)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (; *in != '\0'; in++) {
		uint8_t ch = (uint8_t)*in;

		if (ch >= 0x20 && ch < 0x7f) {
			if (n + 1 >= cap)
				break;
			out[n++] = (char)ch;
			continue;
		}
		if (n + 4 >= cap)
			break;
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = digits[ch >> 4];
		out[n++] = digits[ch & 15];
	}
	out[n] = '\0';
}

void
log_set_sink(log_sink_fn *fn, void *ctx)
{
	pthread_mutex_lock(&sink_lock);
	sink_fn = fn;
	sink_ctx = ctx;
	pthread_mutex_unlock(&sink_lock);
}

void
log_set_level(enum log_level lv)
{
	atomic_store_explicit(&level, (int)lv, memory_order_relaxed);
}

enum log_level
log_get_level(void)
{
	return (enum log_level)atomic_load_explicit(&level,
	    memory_order_relaxed);
}

int
log_parse_level(const char *text, enum log_level *lv)
{
	for (size_t i = 0; i < N_OF(level_names); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*lv = (enum log_level)i;
			return 0;
		}
	}
	return ERR_NOTFOUND;
}

const char *
log_level_name(enum log_level lv)
{
	return (size_t)lv < N_OF(level_names) ? level_names[lv] : "?";
}

void
log_write(enum log_level lv, const char *who, const char *fmt, ...)
{
	char raw[LOG_LINE_MAX], line[LOG_LINE_MAX];
	log_sink_fn *fn;
	va_list ap;
	void *ctx;

	if ((unsigned)lv > LOG_DEBUG || log_get_level() < lv)
		return;
	va_start(ap, fmt);
	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		raw[0] = '\0';
	va_end(ap);
	escape_line(line, sizeof(line), raw);

	pthread_mutex_lock(&sink_lock);
	fn = sink_fn;
	ctx = sink_ctx;
	pthread_mutex_unlock(&sink_lock);
	if (fn != NULL)
		fn(ctx, lv, who, line);
	else
		log_stderr(lv, who, line);
}

bool
log_rl_pass(struct log_rl *rl, unsigned *skipped)
{
	uint64_t now = clk_ms() + 1; /* 0 means "no window yet" */
	uint64_t win = atomic_load_explicit(&rl->window_ms,
	    memory_order_relaxed);
	unsigned n;

	*skipped = 0;
	if ((win == 0 || now - win >= LOG_RL_WINDOW_MS) &&
	    atomic_compare_exchange_strong(&rl->window_ms, &win, now)) {
		n = atomic_exchange(&rl->n, 1);
		if (n > LOG_RL_BURST)
			*skipped = n - LOG_RL_BURST;
		return true;
	}
	/* Stop counting long before the counter could wrap. */
	if (atomic_load_explicit(&rl->n, memory_order_relaxed) > UINT32_MAX / 2)
		return false;
	return atomic_fetch_add(&rl->n, 1) < LOG_RL_BURST;
}
