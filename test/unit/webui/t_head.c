/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/webui/t_head.c - heads of requests, good and bad.
 */
#include "webui/head.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "test/lib/test.h"

#define HOST "Host: localhost\r\n"

static int
parse(const char *text, struct ui_head *h)
{
	return ui_head_parse(text, strlen(text), h);
}

TEST(a_plain_request_is_read)
{
	struct ui_head h;
	struct view v;

	assert_int_equal(parse("GET /bus/read/1f?after=12&x=y HTTP/1.1\r\n"
			       HOST "ACCEPT: text/html, application/json;q=1 \r\n"
			       "X-Other: \t\r\n\r\nrest", &h), 0);
	assert_int_equal(h.method, UI_GET);
	assert_true(ui_view_is(h.path, "/bus/read/1f"));
	assert_true(ui_query_get(h.query, "after", &v));
	assert_true(ui_view_is(v, "12"));
	assert_false(ui_query_get(h.query, "a", &v));
	assert_true(ui_list_has(h.field[UI_F_ACCEPT], "application/json"));
	assert_false(ui_list_has(h.field[UI_F_ACCEPT], "json"));
	assert_null(h.field[UI_F_AUTH].p);
}

TEST(every_start_of_a_good_head_asks_for_more)
{
	static const char text[] = "PUT /bus/write/a HTTP/1.1\r\n" HOST
	    "Content-Length: 3\r\n\r\n";
	struct ui_head h;

	for (size_t n = 0; n < sizeof(text) - 1; n++)
		assert_int_equal(ui_head_parse(text, n, &h), ERR_AGAIN);
	assert_int_equal(ui_head_parse(text, sizeof(text) - 1, &h), 0);
	assert_int_equal(h.body_bytes, 3);
	assert_int_equal(h.head_bytes, sizeof(text) - 1);
}

TEST(what_two_parsers_could_read_differently_is_refused)
{
	static const struct {
		const char *text;
		int status;
	} bad[] = {
		{ "GET / HTTP/1.1\n" HOST "\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\n\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "\tfolded: x\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400 },
		{ "GET / HTTP/1.1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "nocolon\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST ": empty\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "A: \x01\r\n\r\n", 400 },
		{ "GET  / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET / HTTP/1.1 \r\n" HOST "\r\n", 400 },
		{ " GET / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET / HTTP/1.0\r\n" HOST "\r\n", 505 },
		{ "GET / HTTP/2.0\r\n" HOST "\r\n", 505 },
		{ "GET /\r\n" HOST "\r\n", 400 },
		{ "BREW / HTTP/1.1\r\n" HOST "\r\n", 501 },
		{ "G(T / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "get / HTTP/1.1\r\n" HOST "\r\n", 501 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n"
		  "Content-Length: 1\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST
		  "Content-Length: 18446744073709551617\r\n\r\n", 413 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n",
		  413 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
		  501 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n"
		  "Expect: miracles\r\n\r\n", 417 },
	};
	struct ui_head h;

	for (unsigned i = 0; i < N_OF(bad); i++)
		if (parse(bad[i].text, &h) != bad[i].status) {
			print_error("%s: %d\n", bad[i].text,
				    parse(bad[i].text, &h));
			fail();
		}
}

TEST(targets_are_plain_paths_from_the_root)
{
	static const char *const bad[] = {
		"http://localhost/", "//etc", "/a//b", "/../etc/passwd", "/a/..",
		"/a/./b", "/.git", "/%2e%2e/", "/a%00", "/a\\b", "*", "a", "",
		"/a;b", "/a#b", "/\xc3\xa4", "/a\tb", "/a\"", "/<x>", "?a=b",
	};
	struct ui_head h;
	char text[256];

	for (unsigned i = 0; i < N_OF(bad); i++) {
		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n",
			 bad[i]);
		assert_int_equal(parse(text, &h), 400);
	}
}

/* text, then n times 'a'; the whole length. */
static size_t
padded(char *out, size_t cap, const char *text, size_t n)
{
	out[0] = '\0';
	str_add(out, cap, "%s", text);
	memset(out + strlen(text), 'a', n);
	out[strlen(text) + n] = '\0';
	return strlen(text) + n;
}

TEST(long_heads_and_many_fields_are_refused)
{
	static char text[2 * UI_HEAD_MAX];
	struct ui_head h;

	text[0] = '\0';
	str_add(text, sizeof(text), "GET / HTTP/1.1\r\n" HOST);
	for (int i = 0; i < UI_FIELD_MAX; i++)
		str_add(text, sizeof(text), "A%d: b\r\n", i);
	str_add(text, sizeof(text), "\r\n");
	assert_int_equal(parse(text, &h), 431);
	(void)padded(text, sizeof(text), "GET / HTTP/1.1\r\n" HOST "A: ",
		     UI_HEAD_MAX);
	assert_int_equal(ui_head_parse(text, UI_HEAD_MAX - 1, &h), ERR_AGAIN);
	assert_int_equal(ui_head_parse(text, UI_HEAD_MAX, &h), 431);
	(void)padded(text, sizeof(text), "GET /", 1000);
	str_add(text, sizeof(text), " HTTP/1.1\r\n");
	assert_int_equal(parse(text, &h), 414);
}

TEST(a_nul_anywhere_is_refused)
{
	static const char good[] = "GET /a HTTP/1.1\r\n" HOST "\r\n";
	struct ui_head h;
	char text[sizeof(good)];

	for (size_t i = 0; i + 3 < sizeof(good) - 1; i++) {
		memcpy(text, good, sizeof(good));
		text[i] = '\0';
		assert_int_not_equal(ui_head_parse(text, sizeof(good) - 1, &h), 0);
	}
}

static struct view
text(const char *t)
{
	return (struct view){ (const uint8_t *)t, strlen(t) };
}

TEST(what_is_not_wanted_is_not_in_a_list)
{
	static const char *const has[] = {
		"gzip", "GZIP", "br, gzip", "gzip;q=1", "gzip ; q=0.001",
		"br;q=0,gzip;q=0.5", "gzip;x=0", "gzip;q=", "gzip;q=00",
		"gzip;qq=0",
	};
	static const char *const has_not[] = {
		"", "br", "x-gzip", "gzip2", "gzip;q=0", "gzip; Q=0.000",
		"br, gzip;x=1;q=0.0", "gzip;q=0, identity", "*",
	};

	for (unsigned i = 0; i < N_OF(has); i++)
		if (!ui_list_has(text(has[i]), "gzip"))
			fail_msg("%s", has[i]);
	for (unsigned i = 0; i < N_OF(has_not); i++)
		if (ui_list_has(text(has_not[i]), "gzip"))
			fail_msg("%s", has_not[i]);
	assert_false(ui_list_has((struct view){ NULL, 0 }, "gzip"));
}

TEST(entity_tags_are_found_weak_or_strong)
{
	static const char *const has[] = {
		"\"ab\"", "W/\"ab\"", "*", "\"x\", \"ab\"",
		"\"x\" ,W/\"ab\",\"y\"",
	};
	static const char *const has_not[] = {
		"", "ab", "\"AB\"", "w/\"ab\"", "\"abc\"", "W/", "\"x,y\"",
		"W/W/\"ab\"",
	};

	for (unsigned i = 0; i < N_OF(has); i++)
		if (!ui_list_has_tag(text(has[i]), "\"ab\""))
			fail_msg("%s", has[i]);
	for (unsigned i = 0; i < N_OF(has_not); i++)
		if (ui_list_has_tag(text(has_not[i]), "\"ab\""))
			fail_msg("%s", has_not[i]);
	assert_false(ui_list_has_tag((struct view){ NULL, 0 }, "\"ab\""));
}
