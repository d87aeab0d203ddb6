/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/bus/t_bus_text.c - sentences and JSON.
 */
#include "test/lib/test.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/bus/bus_text.h"

static char *
json_of(const struct bus_rec *r)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	bus_rec_json(r, f);
	fclose(f);
	return text;
}

TEST(a_sentence_is_filled_from_the_fields)
{
	char out[BUS_SENTENCE_MAX];
	struct bus_rec r;

	bus_rec_init(&r, BUS_EV_PEER_UP);
	bus_set_str(&r, BUS_F_REALM, "branches");
	bus_set_str(&r, BUS_F_PEER, "osaka");
	bus_set_str(&r, BUS_F_REMOTE, "192.0.2.1:4500");
	bus_set_str(&r, BUS_F_MODE, "ether");
	bus_set_str(&r, BUS_F_ENCAP, "udp");
	bus_set_str(&r, BUS_F_SUITE, "aes256-gcm");
	assert_string_equal(bus_event_text(&r, out, sizeof(out)),
	    "branches/osaka is up from 192.0.2.1:4500: ether over udp, "
	    "aes256-gcm");
}

TEST(an_absent_hint_leaves_no_loose_punctuation)
{
	char out[BUS_SENTENCE_MAX];
	struct bus_rec r;

	bus_rec_init(&r, BUS_EV_AUTH_FAILED);
	bus_set_str(&r, BUS_F_ID, "x");
	bus_set_str(&r, BUS_F_REMOTE, "y");
	bus_set_str(&r, BUS_F_WHY, "wrong PSK");
	assert_string_equal(bus_event_text(&r, out, sizeof(out)),
	    "authentication of x from y failed: wrong PSK");
}

TEST(a_sentence_never_acts_on_the_terminal)
{
	char out[BUS_SENTENCE_MAX];
	struct bus_rec r;

	bus_rec_init(&r, BUS_EV_NOTE);
	bus_set_str(&r, BUS_F_CODE, "c");
	/* escape, newline, C1, direction override, broken and overlong UTF-8,
	 * a surrogate; Japanese stays as it is. */
	bus_set_str(&r, BUS_F_TEXT, "\x1b[2J\n\xc2\x9b\xe2\x80\xae\xff"
	    "\xc0\xaf\xed\xa0\x80\xe6\x9d\xb1{why}\xe6\x9d");
	assert_string_equal(bus_event_text(&r, out, sizeof(out)),
	    "c: \\x1b[2J\\x0a\\xc2\\x9b\\xe2\\x80\\xae\\xff\\xc0\\xaf"
	    "\\xed\\xa0\\x80\xe6\x9d\xb1{why}\\xe6\\x9d");
	assert_string_equal(bus_print_text("a\tb", out, sizeof(out)),
	    "a\\x09b");
}

TEST(a_sentence_is_cut_to_its_room)
{
	char out[16];
	struct bus_rec r;

	bus_rec_init(&r, BUS_EV_NOTE);
	bus_set_str(&r, BUS_F_CODE, "code");
	bus_set_str(&r, BUS_F_TEXT, "aaaaaaaa\xe6\x9d\xb1zz");
	bus_event_text(&r, out, sizeof(out));
	assert_string_equal(out, "code: aaaaaaaa");
	out[0] = 'q';
	bus_event_text(&r, out, 0);
	assert_int_equal(out[0], 'q');
	bus_event_text(&r, out, 1);
	assert_string_equal(out, "");
}

TEST(a_result_reads_as_keys_and_values)
{
	char out[256];
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_MAC);
	bus_set_str(&r, BUS_F_MAC, "02:00:00:00:00:01");
	bus_set_bool(&r, BUS_F_IS_STATIC, true);
	assert_string_equal(bus_event_text(&r, out, sizeof(out)),
	    "mac realm= mac=02:00:00:00:00:01 port= static=yes age_s=0 vlan=0");
}

TEST(json_is_escaped_and_typed)
{
	struct bus_rec r;
	char *text;

	bus_rec_init(&r, BUS_EV_NOTE);
	r.seq = 3;
	r.time_ms = 5;
	bus_set_str(&r, BUS_F_CODE, "a\"b\\c");
	bus_set_str(&r, BUS_F_TEXT, "\n\xff\xe6\x9d\xb1");
	text = json_of(&r);
	assert_string_equal(text,
	    "{\"event\":\"note\",\"seq\":3,\"time_ms\":5,\"severity\":\"info\","
	    "\"sentence\":\"a\\\"b\\\\c: \\\\x0a\\\\xff\xe6\x9d\xb1\","
	    "\"realm\":\"\",\"peer\":\"\",\"remote\":\"\","
	    "\"code\":\"a\\\"b\\\\c\",\"text\":\"\\u000a\\ufffd\xe6\x9d\xb1\"}");
	free(text);
	bus_rec_init(&r, BUS_RES_LOST);
	bus_set_u64(&r, BUS_F_N_LOST, UINT64_MAX);
	text = json_of(&r);
	assert_string_equal(text,
	    "{\"result\":\"lost\",\"n_lost\":18446744073709551615}");
	free(text);
	bus_rec_init(&r, BUS_CMD_STATS);
	text = json_of(&r);
	assert_string_equal(text, "{\"command\":\"stats\"}");
	free(text);
}

TEST(json_knows_negative_numbers_and_truth)
{
	struct bus_rec r;
	char *text;

	bus_rec_init(&r, BUS_RES_PEER);
	bus_set_i64(&r, BUS_F_LAST_PACKET_S, -1);
	text = json_of(&r);
	assert_non_null(strstr(text, "\"last_packet_s\":-1,"));
	free(text);
	bus_rec_init(&r, BUS_CMD_LOG);
	bus_set_bool(&r, BUS_F_IS_FOLLOW, true);
	text = json_of(&r);
	assert_non_null(strstr(text, "\"follow\":true,"));
	free(text);
}
