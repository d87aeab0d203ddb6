/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/metrics.c - records -> families of samples.
 *
 * The records of an answer stand in the order of peers, the text in that of
 * families: they are kept as bytes, and read once for each family of their row.
 */
#include "daemon/bus/metrics.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"
#include "daemon/bus/bus_wire.h"

#define LABEL_MAX 3
#define ALWAYS BUS_F_END

enum type { GAUGE, COUNTER, HISTOGRAM };
enum unit { ONE, MS, NS, NOT_ZERO, NOT_MINUS };

struct label {
	const char *key;
	const char *text;		/* or, when NULL: */
	enum bus_field field;
};
struct metric {
	const char *name;
	enum type type;
	const char *help;
	enum bus_row row;
	const char *pick;
	enum bus_field value;
	enum unit unit;
	struct label label[LABEL_MAX];
};

static const struct metric table[] = {
#define L(key_, field_) { key_, NULL, BUS_F_##field_ },
#define T(key_, text_) { key_, text_, BUS_F_END },
#define METRIC(name_, type_, help_, row_, pick_, value_, unit_, labels_)       \
	{ name_, type_, help_, BUS_RES_##row_, pick_, value_, unit_,           \
	  { labels_ } },
#include "daemon/bus/metric.def"
#undef METRIC
#undef T
#undef L
};

struct kept {
	enum bus_row row;
	uint32_t off, len;
};
struct metrics {
	struct kept *rec;
	size_t n, cap;
	uint8_t *bytes;
	size_t used, room;
	int err;
};

/* What a sample is, for both forms. */
struct sample {
	const struct metric *m;
	const char *suffix;		/* of a histogram: "_bucket", ... */
	const char *le;			/* its bound, or NULL */
	const struct bus_rec *r;
	char value[32];
};
typedef void sample_fn(void *ctx, const struct sample *s);

int
metrics_new(struct metrics **out)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return ERR_NOMEM;
	*out = m;
	return 0;
}

void
metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	free(m->rec);
	free(m->bytes);
	free(m);
}

int
metrics_check(const struct metrics *m)
{
	return m->err;
}

static bool
is_metric(enum bus_row row)
{
	for (size_t i = 0; i < N_OF(table); i++)
		if (table[i].row == row)
			return true;
	return false;
}

/* Room for one more record. */
static int
grow(struct metrics *m)
{
	if (m->n == m->cap) {
		size_t cap = m->cap * 2 + 64;
		struct kept *rec = realloc(m->rec, cap * sizeof(*rec));

		if (rec == NULL)
			return ERR_NOMEM;
		m->rec = rec;
		m->cap = cap;
	}
	if (m->room - m->used < BUS_WIRE_MAX) {
		size_t room = m->room * 2 + 16 * BUS_WIRE_MAX;
		uint8_t *bytes;

		if (room > METRICS_BYTES_MAX)
			return ERR_LIMIT;
		if ((bytes = realloc(m->bytes, room)) == NULL)
			return ERR_NOMEM;
		m->bytes = bytes;
		m->room = room;
	}
	return 0;
}

void
metrics_add(void *ctx, const struct bus_rec *r)
{
	struct metrics *m = ctx;
	int err, len;

	if (m->err != 0 || !is_metric(r->desc->row))
		return;
	if ((err = grow(m)) != 0) {
		m->err = err;
		return;
	}
	len = bus_enc_buf(r, m->bytes + m->used, m->room - m->used);
	if (len < 0) {
		m->err = len;
		return;
	}
	m->rec[m->n++] = (struct kept){ r->desc->row, (uint32_t)m->used,
					(uint32_t)len };
	m->used += (size_t)len;
}

/* ---- samples ------------------------------------------------------------- */

static void
seconds(char out[32], uint64_t v, uint64_t per_s, int digits)
{
	snprintf(out, 32, "%llu.%0*llu", (unsigned long long)(v / per_s),
		 digits, (unsigned long long)(v % per_s));
}

/* The value as text; false: there is no sample. */
static bool
value_of(const struct metric *m, const struct bus_rec *r, char out[32])
{
	int64_t i;
	uint64_t v;

	if (m->value == ALWAYS) {
		str_copy(out, 32, "1");
		return true;
	}
	if (bus_field_kind(m->value) == BUS_KIND_I64) {
		i = bus_i64(r, m->value);
		snprintf(out, 32, "%lld", (long long)i);
		return m->unit != NOT_MINUS || i >= 0;
	}
	v = bus_u64(r, m->value);
	if (m->unit == MS)
		seconds(out, v, 1000, 3);
	else if (m->unit == NS)
		seconds(out, v, 1000000000, 9);
	else
		snprintf(out, 32, "%llu", (unsigned long long)v);
	return m->unit != NOT_ZERO || v != 0;
}

/* One bound of a histogram; the last one brings sum and count. */
static void
bucket(struct sample *s, sample_fn *fn, void *ctx)
{
	uint64_t le_ms = bus_u64(s->r, BUS_F_LIMIT);
	char le[32];

	if (le_ms != 0)
		snprintf(le, sizeof(le), "%g", (double)le_ms / 1000);
	s->suffix = "_bucket";
	s->le = le_ms != 0 ? le : "+Inf";
	fn(ctx, s);
	s->le = NULL;
	if (le_ms != 0)
		return;
	s->suffix = "_count";
	fn(ctx, s);
	s->suffix = "_sum";
	seconds(s->value, bus_u64(s->r, BUS_F_SUM_MS), 1000, 3);
	fn(ctx, s);
}

static void
samples(const struct metrics *ms, const struct metric *m, sample_fn *fn,
	void *ctx)
{
	struct bus_rec r;

	for (size_t i = 0; i < ms->n; i++) {
		const struct kept *k = &ms->rec[i];
		struct sample s = { .m = m, .suffix = "", .r = &r };

		if (k->row != m->row ||
		    bus_dec(ms->bytes + k->off, k->len, &r) != 0 ||
		    (m->pick != NULL &&
		     strcmp(bus_str(&r, BUS_F_NAME), m->pick) != 0) ||
		    !value_of(m, &r, s.value))
			continue;
		if (m->type == HISTOGRAM)
			bucket(&s, fn, ctx);
		else
			fn(ctx, &s);
	}
}

/* Text of label i, or NULL behind the last. */
static const char *
label_text(const struct sample *s, unsigned i, char buf[24])
{
	const struct label *l = i < LABEL_MAX ? &s->m->label[i] : NULL;

	if (l == NULL || l->key == NULL)
		return NULL;
	if (l->text != NULL)
		return l->text;
	if (bus_field_kind(l->field) == BUS_KIND_STR)
		return bus_str(s->r, l->field);
	snprintf(buf, 24, "%llu", (unsigned long long)bus_u64(s->r, l->field));
	return buf;
}

static bool
is_first(size_t i)
{
	return i == 0 || strcmp(table[i].name, table[i - 1].name) != 0;
}

static const char *
type_name(const struct metric *m)
{
	static const char *const name[] = { "gauge", "counter", "histogram" };

	return name[m->type];
}

/* ---- text ---------------------------------------------------------------- */

/* A label's text: printable, with \ " and newline escaped as the format asks. */
static void
put_label(FILE *out, const char *key, const char *text, char *between)
{
	char clean[BUS_STR_MAX];

	fprintf(out, "%c%s=\"", *between, key);
	*between = ',';
	for (const char *p = bus_print_text(text, clean, sizeof(clean));
	     *p != '\0'; p++) {
		if (*p == '\\' || *p == '"')
			fputc('\\', out);
		fputc(*p, out);
	}
	fputc('"', out);
}

static void
put_text(void *ctx, const struct sample *s)
{
	FILE *out = ctx;
	char buf[24], between = '{';
	const char *text;

	fprintf(out, "%s%s", s->m->name, s->suffix);
	for (unsigned i = 0; (text = label_text(s, i, buf)) != NULL; i++)
		put_label(out, s->m->label[i].key, text, &between);
	if (s->le != NULL)
		put_label(out, "le", s->le, &between);
	fprintf(out, "%s %s\n", between == ',' ? "}" : "", s->value);
}

void
metrics_write(const struct metrics *m, FILE *out)
{
	for (size_t i = 0; i < N_OF(table); i++) {
		if (is_first(i))
			fprintf(out, "# HELP %s %s\n# TYPE %s %s\n",
				table[i].name, table[i].help, table[i].name,
				type_name(&table[i]));
		samples(m, &table[i], put_text, out);
	}
}

/* ---- JSON ---------------------------------------------------------------- */

struct json_out {
	FILE *out;
	bool has;			/* a sample stands before */
};

static void
put_pair(FILE *out, const char *key, const char *text, bool *has)
{
	fputs(*has ? "," : "", out);
	*has = true;
	bus_json_str(out, key);
	fputc(':', out);
	bus_json_str(out, text);
}

static void
put_json(void *ctx, const struct sample *s)
{
	struct json_out *j = ctx;
	char buf[24], name[128];
	const char *text;
	bool has = false;

	snprintf(name, sizeof(name), "%s%s", s->m->name, s->suffix);
	fputs(j->has ? ",{\"name\":" : "{\"name\":", j->out);
	j->has = true;
	bus_json_str(j->out, name);
	fputs(",\"labels\":{", j->out);
	for (unsigned i = 0; (text = label_text(s, i, buf)) != NULL; i++)
		put_pair(j->out, s->m->label[i].key, text, &has);
	if (s->le != NULL)
		put_pair(j->out, "le", s->le, &has);
	fprintf(j->out, "},\"value\":%s}", s->value);
}

void
metrics_json(const struct metrics *m, FILE *out)
{
	struct json_out j = { .out = out };

	fputc('[', out);
	for (size_t i = 0; i < N_OF(table); i++) {
		if (is_first(i)) {
			fprintf(out, "%s{\"name\":\"%s\",\"type\":\"%s\",\"help\":",
				i > 0 ? "]}," : "", table[i].name,
				type_name(&table[i]));
			bus_json_str(out, table[i].help);
			fputs(",\"samples\":[", out);
			j.has = false;
		}
		samples(m, &table[i], put_json, &j);
	}
	fputs("]}]", out);
}
