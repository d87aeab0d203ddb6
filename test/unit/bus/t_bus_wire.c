/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/bus/t_bus_wire.c - records as bytes, and bytes that are none.
 */
#include "test/lib/test.h"
#include <string.h>
#include "daemon/bus/bus_wire.h"

/* A record of a row with something in every field. */
static void
fill(struct bus_rec *r, const struct bus_desc *d)
{
	bus_rec_init(r, d->row);
	r->tag = 7;
	r->seq = 1ull << 40;
	r->time_ms = 1234567890123;
	for (unsigned i = 0; i < d->n_field; i++)
		switch (bus_field_kind(d->field[i])) {
		case BUS_KIND_STR:
			bus_set_fmt(r, d->field[i], "v%u", i);
			break;
		case BUS_KIND_U64:
			bus_set_u64(r, d->field[i], i + (1ull << 63));
			break;
		case BUS_KIND_I64:
			bus_set_i64(r, d->field[i], -5);
			break;
		case BUS_KIND_BOOL:
			bus_set_bool(r, d->field[i], true);
			break;
		}
}

TEST(every_row_survives_the_round_trip)
{
	uint8_t a[BUS_WIRE_MAX], b[BUS_WIRE_MAX];

	for (int c = BUS_COMMAND; c <= BUS_EVENT; c++) {
		const struct bus_desc *d;
		unsigned it = 0;

		while ((d = bus_desc_next((enum bus_class)c, &it)) != NULL) {
			struct bus_rec r, got;
			int n, m;

			fill(&r, d);
			n = bus_enc_buf(&r, a, sizeof(a));
			assert_true(n >= BUS_WIRE_HEAD);
			assert_int_equal(bus_dec(a, (size_t)n, &got), 0);
			assert_ptr_equal(got.desc, d);
			assert_int_equal(got.tag, 7);
			assert_true(got.seq == r.seq);
			assert_true(got.time_ms == r.time_ms);
			m = bus_enc_buf(&got, b, sizeof(b));
			assert_int_equal(n, m);
			assert_memory_equal(a, b, (size_t)n);
			/* Every shorter form is refused, and a longer one. */
			for (int k = 0; k < n; k++)
				assert_int_equal(bus_dec(a, (size_t)k, &got),
				    ERR_SHORT);
			a[n] = 0;
			assert_int_equal(bus_dec(a, (size_t)n + 1, &got),
			    ERR_TRAIL);
		}
	}
}

TEST(the_bytes_are_those_of_the_drawing)
{
	uint8_t want[96], got[96];
	struct bus_rec r;
	size_t n = test_hex("01 0005 00000102 0000000000000000 0000000000000000"
	    "0000000000000009 01 0001 61 0000 0003 622d63 "
	    "0000 0000000000000000 0000 0000000000000000", want, sizeof(want));

	bus_rec_init(&r, BUS_CMD_LOG);
	r.tag = 0x102;
	bus_set_u64(&r, BUS_F_AFTER_SEQ, 9);
	bus_set_bool(&r, BUS_F_IS_FOLLOW, true);
	bus_set_str(&r, BUS_F_REALM, "a");
	bus_set_str(&r, BUS_F_CODE, "b-c");
	assert_int_equal(bus_enc_buf(&r, got, sizeof(got)), (int)n);
	assert_memory_equal(got, want, n);
	assert_int_equal(bus_enc_buf(&r, got, n - 1), ERR_LONG);
}

TEST(a_record_with_full_texts_fits_the_largest_message)
{
	char big[BUS_STR_MAX + 1];
	uint8_t buf[BUS_WIRE_MAX];
	struct bus_rec r, got;
	int n;

	memset(big, 'y', BUS_STR_MAX);
	big[BUS_STR_MAX] = '\0';
	bus_rec_init(&r, BUS_RES_PEER);
	for (unsigned i = 0; i < r.desc->n_field; i++)
		if (bus_field_kind(r.desc->field[i]) == BUS_KIND_STR)
			bus_set_str(&r, r.desc->field[i], big);
	n = bus_enc_buf(&r, buf, sizeof(buf));
	assert_true(n > 0);
	assert_int_equal(bus_dec(buf, (size_t)n, &got), 0);
	assert_string_equal(bus_str(&got, BUS_F_STATE),
	    bus_str(&r, BUS_F_STATE));
}

static int
dec_hex(const char *hex)
{
	uint8_t buf[128];
	struct bus_rec r;

	return bus_dec(buf, test_hex(hex, buf, sizeof(buf)), &r);
}

#define HEAD_LOG "01 0005 00000000 0000000000000000 0000000000000000" \
		 "0000000000000000 "
#define TAIL_LOG "0000 0000000000000000 0000 0000000000000000"

TEST(malformed_records_are_refused)
{
	/* no such class, no such row */
	assert_int_equal(dec_hex("04 0001"), ERR_NOTFOUND);
	assert_int_equal(dec_hex("00 0001"), ERR_NOTFOUND);
	assert_int_equal(dec_hex("01 ffff"), ERR_NOTFOUND);
	/* a bool of 2, a NUL in a text, a text over its bound */
	assert_int_equal(dec_hex(HEAD_LOG "02 0000 0000 0000" TAIL_LOG),
	    ERR_SYNTAX);
	assert_int_equal(dec_hex(HEAD_LOG "00 0002 6100 0000 0000" TAIL_LOG),
	    ERR_SYNTAX);
	assert_int_equal(dec_hex(HEAD_LOG "00 0401 61"), ERR_LONG);
	assert_int_equal(dec_hex(HEAD_LOG "00 0400 61"), ERR_SHORT);
	assert_int_equal(dec_hex(HEAD_LOG "00 0000 0000 0000" TAIL_LOG), 0);
}

TEST(texts_that_overfill_a_record_together_are_refused)
{
	uint8_t buf[8192];
	struct bus_rec r, keep;
	struct wcur w;
	const struct bus_desc *d = bus_desc_named(BUS_EVENT, "auth-failed");

	bus_rec_init(&keep, BUS_EV_NOTE);
	r = keep;
	wcur_init(&w, buf, sizeof(buf));
	wcur_u8(&w, BUS_EVENT);
	wcur_u16(&w, d->num);
	wcur_zero(&w, 20);
	for (unsigned i = 0; i < d->n_field; i++) {
		wcur_u16(&w, BUS_STR_MAX);
		for (unsigned k = 0; k < BUS_STR_MAX; k++)
			wcur_u8(&w, 'z');
	}
	assert_int_equal(w.err, 0);
	assert_int_equal(bus_dec(buf, w.len, &r), ERR_LONG);
	assert_ptr_equal(r.desc, keep.desc); /* untouched */
}
