/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/bus/t_doc_wire.c - records with documents, and bytes that are none.
 */
#include "test/lib/test.h"
#include <string.h>
#include "daemon/bus/doc_wire.h"

static uint8_t buf[DOC_WIRE_MAX + 1], text[DOC_BYTES_MAX + 1];

static struct bus_rec
one(void)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_CMD_CONF_WRITE);
	bus_set_str(&r, BUS_F_FILE, "/etc/tapir/tapir.xml");
	bus_set_bool(&r, BUS_F_IS_DRY, true);
	r.tag = 9;
	return r;
}

TEST(a_record_and_its_document_come_back)
{
	static const size_t lens[] = { 0, 1, 5000, DOC_BYTES_MAX };
	struct bus_rec r = one(), got;
	struct view doc;

	memset(text, 'x', sizeof(text));
	for (unsigned i = 0; i < N_OF(lens); i++) {
		int n = doc_enc(&r, (struct view){ text, lens[i] }, buf,
				sizeof(buf));

		assert_true(n > 0);
		assert_int_equal(doc_dec(buf, (size_t)n, &got, &doc), 0);
		assert_int_equal(doc.len, lens[i]);
		assert_memory_equal(doc.p, text, lens[i]);
		assert_int_equal(got.tag, 9);
		assert_string_equal(bus_str(&got, BUS_F_FILE),
				    "/etc/tapir/tapir.xml");
	}
}

TEST(what_is_too_long_is_refused_at_both_ends)
{
	struct bus_rec r = one(), got;
	struct view doc;
	int n;

	assert_int_equal(doc_enc(&r, (struct view){ text, DOC_BYTES_MAX + 1 },
				 buf, sizeof(buf)), ERR_LONG);
	n = doc_enc(&r, (struct view){ text, 10 }, buf, sizeof(buf));
	assert_true(n > 0);
	assert_int_equal(doc_enc(&r, (struct view){ text, 10 }, buf,
				 (size_t)n - 1), ERR_LONG);
	n = doc_enc(&r, (struct view){ text, DOC_BYTES_MAX }, buf, sizeof(buf));
	assert_int_equal(doc_dec(buf, (size_t)n + 1, &got, &doc), ERR_LONG);
}

TEST(what_is_cut_or_no_record_is_refused)
{
	struct bus_rec r = one(), got;
	struct view doc = { NULL, 77 };
	int n = doc_enc(&r, (struct view){ text, 0 }, buf, sizeof(buf));

	for (int i = 0; i < n; i++)
		assert_int_not_equal(doc_dec(buf, (size_t)i, &got, &doc), 0);
	assert_int_equal(doc_dec(buf, (size_t)n, &got, &doc), 0);
	doc.len = 77;
	buf[0] = 0x10;
	assert_int_equal(doc_dec(buf, (size_t)n, &got, &doc), ERR_SYNTAX);
	buf[0] = DOC_CLASS;
	buf[2]--;			/* a byte of the record becomes document */
	assert_int_not_equal(doc_dec(buf, (size_t)n, &got, &doc), 0);
	assert_int_equal(doc.len, 77);
}
