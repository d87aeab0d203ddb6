/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_pl_ts.c - Traffic Selector payloads.
 */
#include "test/unit/ikev2/wire_help.h"

static const char both[] =
    "02 000000"
    "07 11 0010 0035 0035 0a010000 0a01ffff"
    "08 00 0028 0000 ffff 20010db8000000000000000000000000"
    "                     20010db80000ffffffffffffffffffff";

static int
body(struct arena *a, struct cur *c)
{
	struct ike_tss ts;

	return dec_ts(a, c, &ts);
}

static int
decode_text(const char *text)
{
	uint8_t b[256];
	struct view v = HEX(b, text);

	return decode_part(body, v, v.len);
}

TEST(selectors_are_read_and_written_back)
{
	struct ike_tss tss;
	struct arena a;
	struct wcur w;
	struct cur c;
	uint8_t b[256], out[256];
	struct view v = HEX(b, both);

	arena_init(&a, ARENA_BYTES);
	cur_init(&c, v.p, v.len);
	assert_int_equal(dec_ts(&a, &c, &tss), 0);
	assert_int_equal(tss.n, 2);
	assert_int_equal(tss.n_skipped, 0);
	assert_int_equal(tss.ts[0].proto, 17);
	assert_int_equal(tss.ts[0].port_lo, 53);
	assert_int_equal(tss.ts[0].port_hi, 53);
	assert_int_equal(tss.ts[0].lo.family, 4);
	assert_memory_equal(tss.ts[0].hi.b, "\x0a\x01\xff\xff", 4);
	assert_int_equal(tss.ts[1].lo.family, 6);
	assert_int_equal(tss.ts[1].port_hi, 65535);
	wcur_init(&w, out, sizeof(out));
	enc_ts(&w, &tss);
	assert_int_equal(w.err, 0);
	assert_view(wcur_done(&w), b, v.len);
	arena_fini(&a);
}

TEST(ts_cut_anywhere_fails)
{
	uint8_t b[256];
	struct view v = HEX(b, both);

	assert_cut_everywhere(body, v, v.len);
}

TEST(selector_values)
{
	static const struct {
		const char *text;
		int err;
	} row[] = {
		/* none at all, though announced zero */
		{ "00 000000", ERR_SYNTAX },
		/* trailing byte */
		{ "01 000000 07 00 0010 0000 ffff 0a000000 0a0000ff 00",
		  ERR_TRAIL },
		/* last address before the first */
		{ "01 000000 07 00 0010 0000 ffff 0a000001 0a000000",
		  ERR_RANGE },
		/* ports backwards; OPAQUE is not */
		{ "01 000000 07 06 0010 0002 0001 0a000000 0a0000ff",
		  ERR_RANGE },
		{ "01 000000 07 06 0010 ffff 0000 0a000000 0a0000ff", 0 },
		/* one address is a range */
		{ "01 000000 07 00 0010 0000 ffff 0a000001 0a000001", 0 },
		/* selector length: too small, v6 in a v4 length */
		{ "01 000000 07 00 0003 0000 ffff 0a000000 0a0000ff",
		  ERR_SHORT },
		{ "01 000000 07 00 000f 0000 ffff 0a000000 0a0000ff",
		  ERR_SHORT },
		{ "01 000000 08 00 0010 0000 ffff 0a000000 0a0000ff",
		  ERR_SHORT },
		{ "01 000000 07 00 0011 0000 ffff 0a000000 0a0000ff 00",
		  ERR_TRAIL },
	};
	size_t i;

	for (i = 0; i < N_OF(row); i++)
		assert_int_equal(decode_text(row[i].text), row[i].err);
}

TEST(selectors_of_unknown_type_are_skipped)
{
	struct ike_tss tss;
	struct arena a;
	struct cur c;
	uint8_t b[256];
	struct view v = HEX(b, "03 000000 09 00 0008 01020304 "
			    "07 00 0010 0000 ffff 0a000000 0a0000ff "
			    "0a 00 0004");

	arena_init(&a, ARENA_BYTES);
	cur_init(&c, v.p, v.len);
	assert_int_equal(dec_ts(&a, &c, &tss), 0);
	assert_int_equal(tss.n, 1);
	assert_int_equal(tss.n_skipped, 2);
	assert_memory_equal(tss.ts[0].lo.b, "\x0a\0\0\0", 4);
	/* only unknown ones: nothing to choose from, but no syntax error */
	v = HEX(b, "01 000000 09 00 0008 01020304");
	cur_init(&c, v.p, v.len);
	assert_int_equal(dec_ts(&a, &c, &tss), 0);
	assert_int_equal(tss.n, 0);
	assert_int_equal(tss.n_skipped, 1);
	arena_fini(&a);
}

TEST(sixty_four_selectors_and_not_one_more)
{
	static uint8_t b[4096];
	struct vpn_ts ts[IKE_MAX_SELECTORS + 1] = { 0 };
	struct ike_tss tss = { .n = IKE_MAX_SELECTORS, .ts = ts };
	struct wcur w;
	unsigned i;

	for (i = 0; i < N_OF(ts); i++)
		ts[i].lo.family = ts[i].hi.family = 4;
	wcur_init(&w, b, sizeof(b));
	enc_ts(&w, &tss);
	assert_int_equal(decode_part(body, wcur_done(&w), w.len), 0);
	wcur_zero(&w, 16);
	b[0]++;
	memcpy(b + w.len - 16, b + 4, 16);
	assert_int_equal(decode_part(body, wcur_done(&w), w.len), ERR_LIMIT);
	tss.n++;
	wcur_init(&w, b, sizeof(b));
	enc_ts(&w, &tss);
	assert_int_equal(w.err, ERR_LONG);
	/* families that differ cannot be written */
	ts[0].hi.family = 6;
	tss.n = 1;
	wcur_init(&w, b, sizeof(b));
	enc_ts(&w, &tss);
	assert_int_equal(w.err, ERR_LONG);
}
