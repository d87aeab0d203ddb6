/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_radius_ask.c - who asks RADIUS servers: repeating,
 * going to the next one, forgers.
 */
#include "secure-proc/radius/ask.h"
#define ERR_STATE ossl_err_state_type
#include <openssl/evp.h>
#include <openssl/hmac.h>
#undef ERR_STATE
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

static struct {
	unsigned n_sent[SEC_RADIUS_SERVERS];
	uint8_t last[SPI_RADIUS_MAX];
	size_t last_len;
	unsigned n_done;
	uint64_t ticket;
	int err;
} seen;

static void
on_send(void *ctx, unsigned server, struct view b)
{
	(void)ctx;
	seen.n_sent[server]++;
	memcpy(seen.last, b.p, b.len);
	seen.last_len = b.len;
}

static void
on_done(void *ctx, uint64_t ticket, int err, unsigned server,
	const struct spi_radius_answer *a)
{
	(void)ctx;
	(void)server;
	(void)a;
	seen.n_done++;
	seen.ticket = ticket;
	seen.err = err;
}

static const struct sec_radius_ops ops = { on_send, on_done };

static struct sec_radius *
make(unsigned n)
{
	static const struct view secret[SEC_RADIUS_SERVERS] = {
		{ (const uint8_t *)"one", 3 }, { (const uint8_t *)"two", 3 },
		{ (const uint8_t *)"three", 5 }, { (const uint8_t *)"four", 4 }
	};
	struct sec_radius *r = NULL;

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(spi_radius_init(), 0);
	assert_int_equal(sec_radius_new(&r, secret, n, &ops, NULL), 0);
	return r;
}

static const struct spi_radius_ask q = {
	.user = { (const uint8_t *)"hanako", 6 },
	.nas = { (const uint8_t *)"gate", 4 },
	.eap = { (const uint8_t *)"\x02\x01\x00\x06\x01x", 6 }
};

TEST(a_silent_server_is_asked_again_with_the_same_bytes)
{
	struct sec_radius *r = make(1);
	uint8_t first[SPI_RADIUS_MAX];
	size_t len;

	assert_int_equal(sec_radius_ask(r, 7, SEC_RADIUS_ANY, &q, 0), 0);
	assert_int_equal(seen.n_sent[0], 1);
	len = seen.last_len;
	memcpy(first, seen.last, len);
	assert_int_equal(sec_radius_tick(r, SEC_RADIUS_WAIT_MS - 1),
			 SEC_RADIUS_WAIT_MS);
	assert_int_equal(seen.n_sent[0], 1);
	assert_int_equal(sec_radius_tick(r, SEC_RADIUS_WAIT_MS),
			 3 * SEC_RADIUS_WAIT_MS);
	assert_int_equal(seen.n_sent[0], 2);
	assert_int_equal(seen.last_len, len);
	assert_memory_equal(seen.last, first, len);
	sec_radius_free(r);
}

TEST(silence_has_an_end)
{
	struct sec_radius *r = make(1);
	uint64_t now = 0;

	assert_int_equal(sec_radius_ask(r, 7, SEC_RADIUS_ANY, &q, 0), 0);
	for (unsigned i = 0; i < 10 && seen.n_done == 0; i++)
		now = sec_radius_tick(r, now);
	assert_int_equal(seen.n_done, 1);
	assert_int_equal(seen.ticket, 7);
	assert_int_equal(seen.err, ERR_TIMEOUT);
	assert_int_equal(seen.n_sent[0], SEC_RADIUS_TRIES);
	assert_true(now == UINT64_MAX);
	sec_radius_free(r);
}

TEST(a_first_message_goes_to_the_next_server_and_later_ones_begin_there)
{
	struct sec_radius *r = make(2);
	uint8_t first[SPI_RADIUS_MAX];
	uint64_t now = 0;
	size_t len;

	assert_int_equal(sec_radius_ask(r, 7, SEC_RADIUS_ANY, &q, 0), 0);
	len = seen.last_len;
	memcpy(first, seen.last, len);
	while (seen.n_sent[1] == 0)
		now = sec_radius_tick(r, now);
	/* the same question behind other authenticators */
	assert_int_equal(seen.last_len, len);
	assert_memory_not_equal(seen.last + 4, first + 4, 16);
	assert_memory_not_equal(seen.last + 22, first + 22, 16);
	assert_memory_equal(seen.last + 38, first + 38, len - 38);
	assert_int_equal(seen.n_sent[0], SEC_RADIUS_MOVE);
	assert_int_equal(seen.n_done, 0);
	now = 20000;	/* the first is still held for dead */
	assert_int_equal(sec_radius_ask(r, 8, SEC_RADIUS_ANY, &q, now), 0);
	assert_int_equal(seen.n_sent[0], SEC_RADIUS_MOVE);
	assert_int_equal(seen.n_sent[1], 2);
	sec_radius_free(r);
}

TEST(a_conversation_does_not_change_its_server)
{
	struct sec_radius *r = make(2);
	uint64_t now = 0;

	assert_int_equal(sec_radius_ask(r, 7, 0, &q, 0), 0);
	while (seen.n_done == 0)
		now = sec_radius_tick(r, now);
	assert_int_equal(seen.n_sent[1], 0);
	assert_int_equal(seen.err, ERR_TIMEOUT);
	sec_radius_free(r);
}

TEST(a_forged_answer_leaves_the_question_open)
{
	struct sec_radius *r = make(1);
	uint8_t bad[20] = { SPI_RADIUS_REJECT, 0, 0, 20 };

	assert_int_equal(sec_radius_ask(r, 7, SEC_RADIUS_ANY, &q, 0), 0);
	bad[1] = seen.last[1];
	assert_int_equal(sec_radius_input(r, 0, (struct view){ bad, 20 }, 1),
			 ERR_AUTH);
	assert_int_equal(seen.n_done, 0);
	assert_int_equal(sec_radius_tick(r, 1), SEC_RADIUS_WAIT_MS);
	bad[1]++;
	assert_int_equal(sec_radius_input(r, 0, (struct view){ bad, 20 }, 1),
			 ERR_NOTFOUND);
	assert_int_equal(sec_radius_input(r, 0, (struct view){ bad, 1 }, 1),
			 ERR_SHORT);
	assert_int_equal(sec_radius_input(r, 1, (struct view){ bad, 20 }, 1),
			 ERR_RANGE);
	sec_radius_free(r);
}

TEST(more_questions_than_identifiers_are_refused)
{
	struct sec_radius *r = make(1);

	for (unsigned i = 0; i < SEC_RADIUS_OPEN; i++)
		assert_int_equal(sec_radius_ask(r, i, 0, &q, 0), 0);
	assert_int_equal(sec_radius_ask(r, 999, 0, &q, 0), ERR_FULL);
	sec_radius_forget(r, 17);
	assert_int_equal(sec_radius_ask(r, 999, 0, &q, 0), 0);
	sec_radius_free(r);
}

TEST(who_is_gone_is_told_nothing)
{
	struct sec_radius *r = make(1);

	assert_int_equal(sec_radius_ask(r, 7, SEC_RADIUS_ANY, &q, 0), 0);
	sec_radius_forget(r, 7);
	assert_true(sec_radius_tick(r, 100000) == UINT64_MAX);
	assert_int_equal(seen.n_done, 0);
	sec_radius_free(r);
}

TEST(a_server_without_a_secret_is_none)
{
	const struct view none = { NULL, 0 };
	struct sec_radius *r = NULL;

	assert_int_equal(sec_radius_new(&r, &none, 1, &ops, NULL), ERR_RANGE);
	assert_int_equal(sec_radius_new(&r, &none, 0, &ops, NULL), ERR_RANGE);
	assert_null(r);
}

/* The server one has the secret "one": its answer to the last question. */
static void
answer(struct sec_radius *r, unsigned server, uint8_t code, uint64_t now)
{
	uint8_t a[38] = { code, seen.last[1], 0, sizeof(a) };
	uint8_t whole[sizeof(a) + 3];
	unsigned n = 0;

	memcpy(a + 4, seen.last + 4, 16);
	a[20] = 80;
	a[21] = 18;
	assert_non_null(HMAC(EVP_md5(), "one", 3, a, sizeof(a), whole, &n));
	memcpy(a + 22, whole, 16);
	memcpy(whole, a, sizeof(a));
	memcpy(whole + sizeof(a), "one", 3);
	assert_int_equal(EVP_Digest(whole, sizeof(whole), a + 4, &n, EVP_md5(),
				    NULL), 1);
	assert_int_equal(sec_radius_input(r, server,
	    (struct view){ a, sizeof(a) }, now), 0);
}

TEST(who_answers_others_is_not_dead_for_being_silent_to_one)
{
	struct sec_radius *r = make(2);
	uint64_t now = 0;

	assert_int_equal(sec_radius_ask(r, 7, 0, &q, 1), 0);
	assert_int_equal(sec_radius_ask(r, 8, 0, &q, 1), 0);
	answer(r, 0, SPI_RADIUS_CHALLENGE, 2);
	assert_int_equal(seen.ticket, 8);
	assert_int_equal(sec_radius_n_open(r), 1);
	while (seen.n_done == 1)
		now = sec_radius_tick(r, now);
	assert_int_equal(seen.err, ERR_TIMEOUT);
	assert_int_equal(sec_radius_n_open(r), 0);
	now = 20000;
	seen.n_sent[0] = 0;
	assert_int_equal(sec_radius_ask(r, 9, SEC_RADIUS_ANY, &q, now), 0);
	assert_int_equal(seen.n_sent[0], 1);
	sec_radius_free(r);
}

TEST(a_server_where_nobody_listens_is_left_at_once_by_who_has_only_begun)
{
	struct sec_radius *r = make(2);

	assert_int_equal(sec_radius_ask(r, 7, SEC_RADIUS_ANY, &q, 100), 0);
	assert_int_equal(sec_radius_ask(r, 8, 0, &q, 100), 0);
	sec_radius_deaf(r, 0, 110);
	(void)sec_radius_tick(r, 110);
	assert_int_equal(seen.n_sent[1], 1);
	assert_int_equal(seen.n_done, 0);
	assert_int_equal(sec_radius_n_open(r), 2);
	/* the last one is asked as long as ever */
	sec_radius_deaf(r, 1, 120);
	(void)sec_radius_tick(r, 120);
	assert_int_equal(seen.n_done, 0);
	(void)sec_radius_tick(r, 110 + SEC_RADIUS_WAIT_MS);
	assert_int_equal(seen.n_sent[1], 2);
	sec_radius_free(r);
}
