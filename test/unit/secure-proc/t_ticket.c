/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_ticket.c - tickets: sealed, bound, once, for a while.
 */
#include "test/lib/test.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "secure-proc/keys/ticket.h"

#define NOW 1000000000ull

/* The clock of the wall says something else than the other. */
#define WALL 1763769600ull

static struct sec_now
at(uint64_t now_s)
{
	return (struct sec_now){ now_s, WALL + now_s - NOW };
}

static struct view
text(const char *s)
{
	return (struct view){ (const uint8_t *)s, strlen(s) };
}

static struct sec_ticket
some(void)
{
	return (struct sec_ticket){ .until_s = NOW + 3600,
		.suite = { 20, 0, 6, 31 }, .role = 2, .prf = 3,
		.realm = text("sales"), .peer = text("hanako"),
		.id_own = text("vpn.example.com"),
		.id_peer = text("hanako@sales.example.com"),
		.sk_d = text("0123456789abcdef0123456789abcdef") };
}

static struct sec_tickets *
begin(void)
{
	struct sec_tickets *ts;

	assert_int_equal(sec_tickets_new(&ts), 0);
	return ts;
}

static size_t
seal(struct sec_tickets *ts, uint64_t now_s, uint8_t out[SEC_TICKET_MAX])
{
	struct sec_ticket t = some();
	size_t len;

	t.until_s = now_s + 3600;
	assert_int_equal(sec_ticket_seal(ts, &t, at(now_s), out, &len), 0);
	return len;
}

static int
open_at(struct sec_tickets *ts, const uint8_t *p, size_t len, uint64_t now_s,
	struct sec_ticket *t)
{
	static uint8_t buf[SEC_TICKET_MAX];

	return sec_ticket_open(ts, (struct view){ p, len }, at(now_s), buf, t);
}

static bool
same(struct view a, struct view b)
{
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

TEST(a_ticket_gives_back_what_was_sealed)
{
	struct sec_tickets *ts = begin();
	struct sec_ticket want = some(), got;
	uint8_t out[SEC_TICKET_MAX];
	size_t len = seal(ts, NOW, out);

	assert_int_equal(open_at(ts, out, len, NOW, &got), 0);
	assert_true(same(got.realm, want.realm));
	assert_true(same(got.peer, want.peer));
	assert_true(same(got.id_own, want.id_own));
	assert_true(same(got.id_peer, want.id_peer));
	assert_true(same(got.sk_d, want.sk_d));
	assert_memory_equal(got.suite, want.suite, sizeof(want.suite));
	assert_int_equal(got.role, 2);
	assert_int_equal(got.prf, 3);
	sec_tickets_free(ts);
	assert_int_equal(secret_used(), 0);
}

TEST(every_changed_bit_makes_it_worthless)
{
	struct sec_tickets *ts = begin();
	uint8_t out[SEC_TICKET_MAX];
	struct sec_ticket got;
	size_t len = seal(ts, NOW, out);

	for (size_t i = 0; i < len * 8; i++) {
		out[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(open_at(ts, out, len, NOW, &got), ERR_AUTH);
		out[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t n = 0; n < len; n++)
		assert_int_equal(open_at(ts, out, n, NOW, &got), ERR_AUTH);
	assert_int_equal(open_at(ts, out, len, NOW, &got), 0);
	sec_tickets_free(ts);
}

TEST(nothing_of_it_can_be_read_from_outside)
{
	struct sec_tickets *ts = begin();
	uint8_t out[SEC_TICKET_MAX];
	size_t len = seal(ts, NOW, out);

	assert_null(memmem(out, len, "hanako", 6));
	assert_null(memmem(out, len, "sales", 5));
	assert_null(memmem(out, len, "0123456789", 10));
	sec_tickets_free(ts);
}

TEST(a_ticket_ends_in_time_and_with_the_certificate)
{
	struct sec_tickets *ts = begin();
	struct sec_ticket t = some(), got;
	uint8_t out[SEC_TICKET_MAX];
	size_t len = seal(ts, NOW, out);

	assert_int_equal(open_at(ts, out, len, NOW + 3599, &got), 0);
	assert_int_equal(open_at(ts, out, len, NOW + 3600, &got), ERR_AUTH);
	t.not_after_s = WALL + 10;
	assert_int_equal(sec_ticket_seal(ts, &t, at(NOW), out, &len), 0);
	assert_int_equal(t.until_s, NOW + 10);
	assert_int_equal(open_at(ts, out, len, NOW + 10, &got), ERR_AUTH);
	t.not_after_s = WALL;
	assert_int_equal(sec_ticket_seal(ts, &t, at(NOW), out, &len), ERR_RANGE);
	t = some();
	t.until_s = NOW + 10 * SEC_TICKET_LIFE_S;
	assert_int_equal(sec_ticket_seal(ts, &t, at(NOW), out, &len), 0);
	assert_int_equal(t.until_s, NOW + SEC_TICKET_LIFE_S);
	sec_tickets_free(ts);
}

TEST(a_ticket_is_used_once)
{
	struct sec_tickets *ts = begin();
	uint8_t out[SEC_TICKET_MAX];
	struct sec_ticket got;
	size_t len = seal(ts, NOW, out);

	assert_int_equal(open_at(ts, out, len, NOW, &got), 0);
	assert_int_equal(open_at(ts, out, len, NOW, &got), 0);
	assert_int_equal(sec_ticket_use(ts, &got, NOW), 0);
	assert_int_equal(sec_ticket_use(ts, &got, NOW), ERR_EXISTS);
	assert_int_equal(open_at(ts, out, len, NOW, &got), ERR_AUTH);
	sec_tickets_free(ts);
}

TEST(who_sets_the_clock_ends_no_ticket_and_makes_no_used_one_good)
{
	struct sec_tickets *ts = begin();
	static uint8_t buf[SEC_TICKET_MAX];
	uint8_t out[SEC_TICKET_MAX], second[SEC_TICKET_MAX];
	const uint64_t years = 20ull * 365 * 86400;
	struct sec_ticket t = some(), got;
	size_t len = seal(ts, NOW, out), n;
	struct view v = { out, len };

	assert_int_equal(sec_ticket_open(ts, v, (struct sec_now){ NOW + 1,
			 WALL + years }, buf, &got), 0);
	assert_int_equal(sec_ticket_use(ts, &got, NOW + 1), 0);
	assert_int_equal(sec_ticket_open(ts, v, (struct sec_now){ NOW + 2,
			 WALL - years }, buf, &got), ERR_AUTH);
	/* its certificate does follow that clock */
	t.not_after_s = WALL + years / 2;
	assert_int_equal(sec_ticket_seal(ts, &t, at(NOW), second, &n), 0);
	assert_int_equal(sec_ticket_open(ts, (struct view){ second, n },
			 (struct sec_now){ NOW + 1, WALL + years }, buf, &got),
			 ERR_AUTH);
	assert_int_equal(sec_ticket_open(ts, (struct view){ second, n },
			 at(NOW + 1), buf, &got), 0);
	sec_tickets_free(ts);
}

TEST(keys_change_and_the_oldest_is_forgotten)
{
	struct sec_tickets *ts = begin();
	uint8_t out[SEC_TICKET_MAX], other[SEC_TICKET_MAX];
	struct sec_ticket got;
	size_t len = seal(ts, NOW, out);

	(void)seal(ts, NOW + SEC_TICKET_KEY_S, other);
	assert_int_not_equal(out[4], other[4]);
	assert_int_equal(open_at(ts, out, len, NOW + 1, &got), 0);
	for (unsigned i = 2; i <= SEC_TICKET_KEYS; i++)
		(void)seal(ts, NOW + i * SEC_TICKET_KEY_S, other);
	assert_int_equal(open_at(ts, out, len, NOW + 1, &got), ERR_AUTH);
	sec_tickets_free(ts);
}

TEST(a_ticket_of_another_process_is_none)
{
	struct sec_tickets *ts = begin(), *other = begin();
	uint8_t out[SEC_TICKET_MAX], mine[SEC_TICKET_MAX];
	struct sec_ticket got;
	size_t len = seal(ts, NOW, out);

	(void)seal(other, NOW, mine);	/* its key has the same number */
	assert_int_equal(open_at(other, out, len, NOW, &got), ERR_AUTH);
	sec_tickets_free(ts);
	sec_tickets_free(other);
}

TEST(more_used_ones_than_are_remembered_are_refused)
{
	struct sec_tickets *ts = begin();
	struct sec_ticket t = some();

	for (uint64_t i = 1; i <= SEC_TICKET_USED_MAX; i++) {
		t.serial = i;
		assert_int_equal(sec_ticket_use(ts, &t, NOW), 0);
	}
	t.serial = 0;
	assert_int_equal(sec_ticket_use(ts, &t, NOW), ERR_FULL);
	assert_int_equal(sec_ticket_use(ts, &t, NOW + SEC_TICKET_LIFE_S), 0);
	sec_tickets_free(ts);
}
