/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_shown.c - what a peer showed: its form, what is kept.
 */
#include "secure-proc/keys/shown.h"
#include "daemon/base/err.h"
#include "test/unit/secure-proc/kit.h"

static uint8_t out[SEC_SHOWN_MAX];

static struct view
text(const char *s)
{
	return kit_view(s, strlen(s));
}

static struct view
encoded(void)
{
	struct sec_shown s = { .kind = SEC_SHOWN_TLS, .mark = { 1, 2, 3 },
		.id_peer = text("peer"), .user = text("hanako"),
		.cert = text("certificates") };
	size_t len = 0;

	assert_int_equal(sec_shown_enc(&s, out, &len), 0);
	return kit_view(out, len);
}

TEST(what_was_shown_comes_back)
{
	struct sec_shown s;

	assert_int_equal(sec_shown_dec(encoded(), &s), 0);
	assert_int_equal(s.kind, SEC_SHOWN_TLS);
	assert_int_equal(s.mark[2], 3);
	assert_int_equal(s.id_own.len, 0);
	assert_memory_equal(s.user.p, "hanako", 6);
	assert_memory_equal(s.cert.p, "certificates", 12);
}

TEST(what_is_cut_longer_or_of_no_kind_is_refused)
{
	struct view whole = encoded();
	struct sec_shown s;

	for (size_t n = 0; n < whole.len; n++)
		assert_int_not_equal(sec_shown_dec(kit_view(out, n), &s), 0);
	out[whole.len] = 0;
	assert_int_not_equal(sec_shown_dec(kit_view(out, whole.len + 1), &s),
	    0);
	out[0] = 0;
	assert_int_equal(sec_shown_dec(whole, &s), ERR_RANGE);
	out[0] = SEC_SHOWN_END;
	assert_int_equal(sec_shown_dec(whole, &s), ERR_RANGE);
}

TEST(too_long_a_chain_is_not_written)
{
	static uint8_t much[SEC_SHOWN_MAX];
	struct sec_shown s = { .kind = SEC_SHOWN_CERT, .id_peer = text("p"),
		.cert = kit_view(much, sizeof(much) - 1) };
	size_t len;

	assert_int_equal(sec_shown_enc(&s, out, &len), ERR_LONG);
}

TEST(unknown_marks_differ_from_none)
{
	uint8_t none[SEC_SHOWN_MARK] = { 0 }, a[SEC_SHOWN_MARK] = { 1 },
		b[SEC_SHOWN_MARK] = { 2 };

	assert_true(sec_shown_differ(a, b));
	assert_false(sec_shown_differ(a, a));
	assert_false(sec_shown_differ(a, none));
	assert_false(sec_shown_differ(none, b));
}

TEST(of_what_was_sent_lists_and_responses_are_left_out)
{
	static const uint8_t sent[] = { 0, 3, 4, 'a', 'b', 0, 2, 7, 'l', 0, 2,
		14, 'o', 0, 2, 15, 'k' };
	static const uint8_t want[] = { 0, 3, 4, 'a', 'b', 0, 2, 15, 'k' };
	uint8_t *p;
	size_t n;

	assert_int_equal(sec_shown_certs(kit_view(sent, sizeof(sent)), &p, &n),
	    0);
	assert_int_equal(n, sizeof(want));
	assert_memory_equal(p, want, n);
	free(p);
	assert_int_equal(sec_shown_certs(kit_view(sent, 0), &p, &n), 0);
	assert_null(p);
	assert_int_not_equal(sec_shown_certs(kit_view(sent, 4), &p, &n), 0);
	assert_null(p);
}

TEST(the_oldest_goes_and_who_comes_again_is_young)
{
	uint8_t first[SEC_SHOWN_ID], second[SEC_SHOWN_ID], id[SEC_SHOWN_ID];
	struct sec_showns *k;
	uint32_t i;

	assert_int_equal(sec_showns_new(&k), 0);
	assert_int_equal(sec_showns_add(k, text("first"), first), 0);
	assert_int_equal(sec_showns_add(k, text("second"), second), 0);
	for (i = 0; i < SEC_SHOWN_KEEP - 2; i++)
		assert_int_equal(sec_showns_add(k, kit_view(&i, sizeof(i)),
		    id), 0);
	assert_int_equal(sec_showns_add(k, text("first"), id), 0);
	assert_memory_equal(id, first, sizeof(id));
	i++;
	assert_int_equal(sec_showns_add(k, kit_view(&i, sizeof(i)), id), 0);
	assert_int_equal(sec_showns_find(k, kit_view(first,
	    sizeof(first))).len, 5);
	assert_int_equal(sec_showns_find(k, kit_view(second,
	    sizeof(second))).len, 0);
	assert_int_equal(sec_showns_find(k, kit_view(first, 0)).len, 0);
	sec_showns_free(k);
}

TEST(what_is_kept_is_bounded_in_bytes)
{
	static uint8_t much[SEC_SHOWN_MAX];
	uint8_t first[SEC_SHOWN_ID] = { 0 }, id[SEC_SHOWN_ID];
	struct sec_showns *k;

	assert_int_equal(sec_showns_new(&k), 0);
	for (uint32_t i = 0; i <= SEC_SHOWN_BYTES / sizeof(much); i++) {
		memcpy(much, &i, sizeof(i));
		assert_int_equal(sec_showns_add(k, kit_view(much,
		    sizeof(much)), i == 0 ? first : id), 0);
	}
	assert_int_equal(sec_showns_find(k, kit_view(first,
	    sizeof(first))).len, 0);
	assert_int_equal(sec_showns_find(k, kit_view(id, sizeof(id))).len,
	    sizeof(much));
	sec_showns_free(k);
}
