/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/diary/sinks.c - where the log goes: providers with their filters.
 */
#include "daemon/diary/sinks.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

#define RETRY_MS 10000	/* a sink that could not be opened or written */

/* ---- arguments ----------------------------------------------------------- */

/* The text up to the next ':', which is passed. */
static bool
part(const char **p, char *out, size_t cap)
{
	size_t n = strcspn(*p, ":");

	if ((*p)[n] != ':' || n >= cap)
		return false;
	memcpy(out, *p, n);
	out[n] = '\0';
	*p += n + 1;
	return true;
}

int
sinks_add(struct sinks *s, const char *spec)
{
	struct sink *k = &s->sink[s->n];
	char name[32], level[16], who[SINK_SPEC_MAX - 3], fd[16];
	int err, f;

	if (s->n == SINK_MAX)
		return ERR_FULL;
	memset(k, 0, sizeof(*k));
	if (!part(&spec, name, sizeof(name)) ||
	    !part(&spec, level, sizeof(level)) ||
	    !part(&spec, who, sizeof(who)) || !part(&spec, fd, sizeof(fd)) ||
	    log_parse_level(level, &k->level) != 0 || *who == '\0' ||
	    !str_copy(k->path, sizeof(k->path), spec))
		return ERR_SYNTAX;
	if ((k->spi = spi_log_find(name)) == NULL)
		return ERR_NOTFOUND;
	if (strcmp(who, "*") == 0)
		(void)str_copy(k->who, sizeof(k->who), who);
	else
		str_add(k->who, sizeof(k->who), "+%s+", who);
	s->n++;
	f = atoi(fd);
	err = k->spi->wants_file && f < 0 ? ERR_SYS :
	    k->spi->open(&k->log, k->path, f);
	if (err != 0)
		k->log = NULL;
	return 0;
}

int
sinks_fd(const char *spec)
{
	char skip[SINK_SPEC_MAX], fd[16];

	for (unsigned i = 0; i < 3; i++)
		if (!part(&spec, skip, sizeof(skip)))
			return -1;
	return part(&spec, fd, sizeof(fd)) ? atoi(fd) : -1;
}

/* ---- life ---------------------------------------------------------------- */

static void
fails(struct sinks *s, struct sink *k, const char *what)
{
	char text[SINK_SPEC_MAX + 128] = "";

	k->retry_ms = clk_ms() + RETRY_MS;
	if (k->is_told)
		return;
	k->is_told = true;
	str_add(text, sizeof(text), "the log to %s%s%s cannot be %s: lines are "
		"lost until it can; tapir log has the events",
		k->spi->head.name, *k->path != '\0' ? " " : "", k->path, what);
	s->note(s->ctx, LOG_WARN, "log-lost", text);
}

static void
works(struct sinks *s, struct sink *k)
{
	char text[SINK_SPEC_MAX + 128] = "";

	if (!k->is_told)
		return;
	k->is_told = false;
	str_add(text, sizeof(text), "the log to %s%s%s is written again",
		k->spi->head.name, *k->path != '\0' ? " " : "", k->path);
	s->note(s->ctx, LOG_NOTICE, "log-again", text);
}

void
sinks_open(struct sinks *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		struct sink *k = &s->sink[i];

		if (k->log != NULL || k->retry_ms > clk_ms())
			continue;
		if (k->spi->wants_file ||
		    k->spi->open(&k->log, k->path, -1) != 0) {
			k->log = NULL;
			fails(s, k, "opened");
		}
	}
}

void
sinks_close(struct sinks *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->sink[i].log != NULL)
			s->sink[i].spi->close(s->sink[i].log);
	s->n = 0;
}

const char *
sinks_file(const struct sinks *s, unsigned i)
{
	for (unsigned k = 0; k < s->n; k++)
		if (s->sink[k].spi->wants_file && i-- == 0)
			return s->sink[k].path;
	return NULL;
}

void
sinks_reopen(struct sinks *s, unsigned i, int fd)
{
	for (unsigned n = 0; n < s->n; n++) {
		struct sink *k = &s->sink[n];

		if (!k->spi->wants_file || i-- != 0)
			continue;
		if (k->log != NULL)
			k->spi->reopen(k->log, fd);
		else if (k->spi->open(&k->log, k->path, fd) != 0)
			k->log = NULL;
		return;
	}
}

/* ---- writing ------------------------------------------------------------- */

static bool
wants(const struct sink *k, enum log_level lv, const char *who)
{
	char word[64] = "";

	if (lv > k->level)
		return false;
	if (strcmp(k->who, "*") == 0)
		return true;
	str_add(word, sizeof(word), "+%s+", who);
	return strstr(k->who, word) != NULL;
}

static void
put(struct sinks *s, struct sink *k, const struct spi_log_rec *r)
{
	if (k->log == NULL)
		sinks_open(s);
	if (k->log == NULL)
		return;
	if (k->spi->write(k->log, r) == 0)
		works(s, k);
	else
		fails(s, k, "written");
}

/* bus_limit_fn. */
struct more {
	struct sinks *s;
	struct sink *k;
	uint64_t time_ms;
};
static void
say_more(void *ctx, enum log_level lv, unsigned n, const char *line)
{
	struct more *m = ctx;
	char text[BUS_LIMIT_LINE + 64] = "";
	struct spi_log_rec r = { .time_ms = m->time_ms, .level = lv,
		.who = "tapird", .code = "", .line = text };

	str_add(text, sizeof(text), "(%u more like this: %s)", n, line);
	put(m->s, m->k, &r);
}

/* Fields as texts; NULL when memory is short. */
static struct spi_log_field *
fields(const struct bus_rec *ev, char num[][24])
{
	struct spi_log_field *f = calloc(ev->desc->n_field + 1, sizeof(*f));

	for (unsigned i = 0; f != NULL && i < ev->desc->n_field; i++) {
		enum bus_field id = ev->desc->field[i];

		f[i].key = bus_field_key(id);
		f[i].value = num[i];
		num[i][0] = '\0';
		switch (bus_field_kind(id)) {
		case BUS_KIND_STR:
			f[i].value = bus_str(ev, id);
			break;
		case BUS_KIND_U64:
			str_add(num[i], 24, "%llu", (unsigned long long)
				bus_u64(ev, id));
			break;
		case BUS_KIND_I64:
			str_add(num[i], 24, "%lld", (long long)bus_i64(ev, id));
			break;
		case BUS_KIND_BOOL:
			f[i].value = bus_bool(ev, id) ? "1" : "0";
			break;
		}
	}
	return f;
}

void
sinks_event(struct sinks *s, const struct bus_rec *ev)
{
	char line[BUS_SENTENCE_MAX], num[BUS_FIELD_MAX][24];
	struct spi_log_rec r = {
		.time_ms = ev->time_ms, .seq = ev->seq,
		.level = ev->desc->severity, .who = bus_event_part(ev->desc),
		.code = ev->desc->name, .line = line,
	};
	struct spi_log_field *f = fields(ev, num);

	bus_event_text(ev, line, sizeof(line));
	r.field = f;
	r.n_field = f != NULL ? ev->desc->n_field : 0;
	for (unsigned i = 0; i < s->n; i++) {
		struct sink *k = &s->sink[i];
		struct more m = { s, k, ev->time_ms };

		if (wants(k, r.level, r.who) &&
		    bus_limit_pass(&k->limit, ev, line, clk_ms(), say_more, &m))
			put(s, k, &r);
	}
	free(f);
}

void
sinks_line(struct sinks *s, enum log_level lv, uint64_t time_ms,
	   const char *who, const char *text)
{
	struct spi_log_rec r = { .time_ms = time_ms, .level = lv, .who = who,
				 .code = "", .line = text };

	for (unsigned i = 0; i < s->n; i++)
		if (wants(&s->sink[i], lv, who))
			put(s, &s->sink[i], &r);
}

void
sinks_tick(struct sinks *s)
{
	sinks_open(s);
	for (unsigned i = 0; i < s->n; i++) {
		struct more m = { s, &s->sink[i], clk_wall_ms() };

		bus_limit_tick(&s->sink[i].limit, clk_ms(), say_more, &m);
	}
}
