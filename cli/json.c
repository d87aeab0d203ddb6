/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/json.c - write one JSON document, commas and nesting kept in order.
 */
#include "cli/json.h"
#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include "daemon/bus/bus_text.h"

void
json_init(struct json *j, FILE *out)
{
	memset(j, 0, sizeof(*j));
	j->out = out;
}

/* What stands before a value: comma and key. */
static void
lead(struct json *j, const char *key)
{
	if (j->has[j->depth])
		fputc(',', j->out);
	j->has[j->depth] = true;
	if (key != NULL) {
		bus_json_str(j->out, key);
		fputc(':', j->out);
	}
}

static void
enter(struct json *j, const char *key, char ch)
{
	lead(j, key);
	fputc(ch, j->out);
	assert(j->depth + 1 < JSON_DEPTH_MAX);
	j->has[++j->depth] = false;
}

static void
leave(struct json *j, char ch)
{
	assert(j->depth > 0);
	j->depth--;
	fputc(ch, j->out);
}

void
json_obj(struct json *j, const char *key)
{
	enter(j, key, '{');
}

void
json_obj_end(struct json *j)
{
	leave(j, '}');
}

void
json_arr(struct json *j, const char *key)
{
	enter(j, key, '[');
}

void
json_arr_end(struct json *j)
{
	leave(j, ']');
}

void
json_str(struct json *j, const char *key, const char *v)
{
	lead(j, key);
	bus_json_str(j->out, v);
}

void
json_u64(struct json *j, const char *key, uint64_t v)
{
	lead(j, key);
	fprintf(j->out, "%" PRIu64, v);
}

void
json_i64(struct json *j, const char *key, int64_t v)
{
	lead(j, key);
	fprintf(j->out, "%" PRId64, v);
}

void
json_f64(struct json *j, const char *key, double v)
{
	lead(j, key);
	fprintf(j->out, "%.3f", v);
}

void
json_bool(struct json *j, const char *key, bool v)
{
	lead(j, key);
	fputs(v ? "true" : "false", j->out);
}

void
json_fields(struct json *j, const struct bus_rec *r, enum bus_field skip)
{
	unsigned i;

	for (i = 0; i < r->desc->n_field; i++) {
		enum bus_field f = r->desc->field[i];

		if (f == skip)
			continue;
		switch (bus_field_kind(f)) {
		case BUS_KIND_STR:
			json_str(j, bus_field_key(f), bus_str(r, f));
			break;
		case BUS_KIND_U64:
			json_u64(j, bus_field_key(f), bus_u64(r, f));
			break;
		case BUS_KIND_I64:
			json_i64(j, bus_field_key(f), bus_i64(r, f));
			break;
		case BUS_KIND_BOOL:
			json_bool(j, bus_field_key(f), bus_bool(r, f));
			break;
		}
	}
}

void
json_rows(struct json *j, const char *key, const struct ask_list *a,
	  enum bus_row row)
{
	json_arr(j, key);
	for (size_t i = 0; i < a->n; i++) {
		if (a->rec[i].desc->row != row)
			continue;
		json_obj(j, NULL);
		json_fields(j, &a->rec[i], BUS_F_END);
		json_obj_end(j);
	}
	json_arr_end(j);
}

void
json_end(struct json *j)
{
	assert(j->depth == 0);
	fputc('\n', j->out);
}
