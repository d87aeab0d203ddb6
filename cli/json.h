/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/json.h - write one JSON document, commas and nesting kept in order.
 */
#ifndef TAPIR_CLI_JSON_H
#define TAPIR_CLI_JSON_H

#include <stdio.h>
#include "cli/ask.h"
#include "daemon/bus/bus.h"

#define JSON_DEPTH_MAX 16 /* nesting; ours */

struct json {
	FILE *out;
	unsigned depth;
	bool has[JSON_DEPTH_MAX]; /* something stands at this depth */
};

void json_init(struct json *j, FILE *out);
/** Open and close an object or an array; key NULL inside arrays and on top. */
void json_obj(struct json *j, const char *key);
void json_obj_end(struct json *j);
void json_arr(struct json *j, const char *key);
void json_arr_end(struct json *j);
/** Members; key NULL inside arrays. */
void json_str(struct json *j, const char *key, const char *v);
void json_u64(struct json *j, const char *key, uint64_t v);
void json_i64(struct json *j, const char *key, int64_t v);
void json_f64(struct json *j, const char *key, double v);
void json_bool(struct json *j, const char *key, bool v);
/** All fields of a record as members, but not the field skip (BUS_F_END: none). */
void json_fields(struct json *j, const struct bus_rec *r, enum bus_field skip);
/** The records of one row as an array of objects. */
void json_rows(struct json *j, const char *key, const struct ask_list *a,
	       enum bus_row row);
/** The newline behind the document. */
void json_end(struct json *j);

#endif
