/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_json.c - one JSON document, well nested.
 */
#include "test/lib/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/json.h"

TEST(json_puts_commas_between_members_only)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	json_init(&j, f);
	json_obj(&j, NULL);
	json_arr(&j, "empty");
	json_arr_end(&j);
	json_arr(&j, "a");
	json_u64(&j, NULL, 1);
	json_i64(&j, NULL, -2);
	json_obj(&j, NULL);
	json_bool(&j, "yes", true);
	json_f64(&j, "x", 1.5);
	json_obj_end(&j);
	json_arr_end(&j);
	json_str(&j, "last", "x");
	json_obj_end(&j);
	json_end(&j);
	fclose(f);
	assert_string_equal(text, "{\"empty\":[],\"a\":[1,-2,{\"yes\":true,"
				  "\"x\":1.500}],\"last\":\"x\"}\n");
	free(text);
}

TEST(json_escapes_what_strangers_wrote)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	json_init(&j, f);
	json_obj(&j, NULL);
	json_str(&j, "a\"b", "\"\\\n\033</script>\xff");
	json_obj_end(&j);
	json_end(&j);
	fclose(f);
	assert_non_null(strstr(text, "{\"a\\\"b\":\"\\\"\\\\"));
	for (size_t i = 0; i + 1 < len; i++)
		assert_true((unsigned char)text[i] >= 0x20);
	assert_null(memchr(text, 0xff, len));
	free(text);
}

TEST(json_writes_every_field_of_a_record_but_one)
{
	struct bus_rec r;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	bus_rec_init(&r, BUS_RES_COUNTER);
	bus_set_str(&r, BUS_F_NAME, "esp-icv");
	bus_set_u64(&r, BUS_F_VALUE, 18446744073709551615ull);
	bus_set_str(&r, BUS_F_OWNER, "esp");
	json_init(&j, f);
	json_obj(&j, NULL);
	json_fields(&j, &r, BUS_F_OWNER);
	json_obj_end(&j);
	json_end(&j);
	fclose(f);
	assert_string_equal(text, "{\"name\":\"esp-icv\","
			    "\"value\":18446744073709551615,\"text\":\"\"}\n");
	free(text);
}
