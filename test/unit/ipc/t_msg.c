/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ipc/t_msg.c - codec of every message of secure.def: there and back,
 * and every way a datagram can be wrong.
 */
#include "daemon/ipc/msg.h"
#include <string.h>
#include "daemon/base/rng.h"
#include "test/lib/test.h"

static uint8_t filler[IPC_MSG_MAX];

/* A message with every field set; bytes and texts as long as permitted. */
static bool
fill(struct ipc_msg *m, unsigned type)
{
	const struct ipc_row *r = ipc_row(type);

	if (r == NULL)
		return false;
	ipc_msg_init(m, (enum ipc_type)type);
	memset(filler, 'x', sizeof(filler));
	m->ticket = r->has_ticket ? UINT64_C(0x0102030405060708) : 0;
	m->handle = r->has_handle ? 0xa1b2c3d4 : 0;
	if (r->has_result) {
		m->err = ERR_AUTH;
		memset(m->why, 'w', IPC_WHY_MAX);
	}
	switch (type) {
#define IPC_MSG(num_, NAME_, name_, ...)                                       \
	case num_: {                                                           \
		struct ipc_##name_ *b UNUSED = &m->u.name_;
#define IPC_END(NAME_, name_)                                                  \
		break;                                                         \
	}
#define IPC_U8(f_)	  b->f_ = 0xfe;
#define IPC_U32(f_)	  b->f_ = 0xdeadbeef;
#define IPC_U64(f_)	  b->f_ = UINT64_C(0xfeedfacecafebeef);
#define IPC_BOOL(f_)	  b->f_ = true;
#define IPC_FIX(f_, n_)	  memset(b->f_, 0x5a, n_);
#define IPC_BYTES(f_, n_) b->f_ = (struct view){ filler, n_ };
#define IPC_STR(f_, n_)	  memset(b->f_, 's', n_);
#define IPC_RESULT
#include "daemon/ipc/secure.def"
#include "daemon/ipc/undef.h"
	}
	return true;
}

static bool
view_same(struct view a, struct view b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static void
assert_same(const struct ipc_msg *x, const struct ipc_msg *y)
{
	assert_int_equal(x->type, y->type);
	assert_true(x->ticket == y->ticket);
	assert_int_equal(x->handle, y->handle);
	assert_int_equal(x->err, y->err);
	assert_string_equal(x->why, y->why);
	switch (x->type) {
#define IPC_MSG(num_, NAME_, name_, ...)                                       \
	case num_: {                                                           \
		const struct ipc_##name_ *b UNUSED = &x->u.name_;              \
		const struct ipc_##name_ *c UNUSED = &y->u.name_;
#define IPC_END(NAME_, name_)                                                  \
		break;                                                         \
	}
#define IPC_U8(f_)	  assert_int_equal(b->f_, c->f_);
#define IPC_U32(f_)	  assert_int_equal(b->f_, c->f_);
#define IPC_U64(f_)	  assert_true(b->f_ == c->f_);
#define IPC_BOOL(f_)	  assert_int_equal(b->f_, c->f_);
#define IPC_FIX(f_, n_)	  assert_memory_equal(b->f_, c->f_, n_);
#define IPC_BYTES(f_, n_) assert_true(view_same(b->f_, c->f_));
#define IPC_STR(f_, n_)	  assert_string_equal(b->f_, c->f_);
#define IPC_RESULT
#include "daemon/ipc/secure.def"
#include "daemon/ipc/undef.h"
	}
}

TEST(every_message_comes_back_as_it_was_sent)
{
	static uint8_t buf[IPC_MSG_MAX];
	static struct ipc_msg m, d;
	unsigned n_seen = 0;

	for (unsigned t = 0; t < IPC_TYPE_END; t++) {
		size_t len;

		if (!fill(&m, t))
			continue;
		n_seen++;
		assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len), 0);
		/* Filled to the brim: exactly the size the table promises. */
		assert_int_equal(len, IPC_HEAD_LEN + ipc_row(t)->max);
		assert_int_equal(ipc_msg_decode(&d, buf, len), 0);
		assert_same(&m, &d);
	}
	assert_int_equal(n_seen, 40);
}

TEST(every_message_with_empty_fields_comes_back)
{
	static uint8_t buf[IPC_MSG_MAX];
	static struct ipc_msg m, d;

	for (unsigned t = 0; t < IPC_TYPE_END; t++) {
		size_t len;

		if (ipc_row(t) == NULL)
			continue;
		ipc_msg_init(&m, (enum ipc_type)t);
		m.ticket = ipc_row(t)->has_ticket;
		m.handle = ipc_row(t)->has_handle;
		assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len), 0);
		assert_int_equal(ipc_msg_decode(&d, buf, len), 0);
		assert_same(&m, &d);
	}
}

TEST(every_truncation_and_every_surplus_byte_is_refused)
{
	static uint8_t buf[IPC_MSG_MAX + 8];
	static struct ipc_msg m, d;

	for (unsigned t = 0; t < IPC_TYPE_END; t++) {
		size_t len;

		if (!fill(&m, t))
			continue;
		assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len), 0);
		for (size_t n = 0; n < len; n += n < 600 ? 1 : 37)
			assert_int_not_equal(ipc_msg_decode(&d, buf, n), 0);
		assert_int_equal(ipc_msg_decode(&d, buf, len + 1), ERR_TRAIL);
	}
}

TEST(body_length_shorter_than_its_fields_is_refused)
{
	static uint8_t buf[IPC_MSG_MAX];
	static struct ipc_msg m, d;

	for (unsigned t = 0; t < IPC_TYPE_END; t++) {
		size_t len;

		if (!fill(&m, t) || ipc_row(t)->max == 0)
			continue;
		assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len), 0);
		/* The outer length agrees, the inner fields do not fit. */
		len--;
		buf[4] = (uint8_t)((len - IPC_HEAD_LEN) >> 24);
		buf[5] = (uint8_t)((len - IPC_HEAD_LEN) >> 16);
		buf[6] = (uint8_t)((len - IPC_HEAD_LEN) >> 8);
		buf[7] = (uint8_t)(len - IPC_HEAD_LEN);
		assert_int_equal(ipc_msg_decode(&d, buf, len), ERR_SHORT);
	}
}

TEST(missing_and_needless_tickets_and_handles_are_refused)
{
	static uint8_t buf[IPC_MSG_MAX];
	static struct ipc_msg m, d;

	for (unsigned t = 0; t < IPC_TYPE_END; t++) {
		size_t len;

		if (!fill(&m, t))
			continue;
		assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len), 0);
		memset(buf + 8, ipc_row(t)->has_ticket ? 0 : 1, 8);
		assert_int_equal(ipc_msg_decode(&d, buf, len), ERR_RANGE);
		assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len), 0);
		memset(buf + 16, ipc_row(t)->has_handle ? 0 : 1, 4);
		assert_int_equal(ipc_msg_decode(&d, buf, len), ERR_RANGE);
	}
}

TEST(wrong_version_type_and_reserved_are_refused)
{
	uint8_t buf[64];
	struct ipc_msg m, d;
	size_t len;

	ipc_msg_init(&m, IPC_CLOSE);
	m.handle = 1;
	assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len), 0);
	assert_int_equal(len, IPC_HEAD_LEN);
	buf[0] = 2;
	assert_int_equal(ipc_msg_decode(&d, buf, len), ERR_VERSION);
	buf[0] = 1;
	buf[3] = 1;
	assert_int_equal(ipc_msg_decode(&d, buf, len), ERR_RANGE);
	buf[3] = 0;
	for (unsigned t = 0; t < 256; t++) {
		buf[1] = (uint8_t)t;
		if (ipc_row(t) == NULL)
			assert_int_equal(ipc_msg_decode(&d, buf, len),
			    ERR_NOTFOUND);
	}
}

TEST(odd_booleans_controls_in_texts_and_unknown_errors_are_refused)
{
	uint8_t buf[1024];
	static struct ipc_msg m, d;
	size_t len;

	ipc_msg_init(&m, IPC_ROUTE);
	m.ticket = m.handle = 1;
	assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len), 0);
	buf[IPC_HEAD_LEN + 4] = 2;	/* is_add */
	assert_int_equal(ipc_msg_decode(&d, buf, len), ERR_RANGE);

	ipc_msg_init(&m, IPC_TAP_MTU_OK);
	m.ticket = 1;
	m.err = ERR_SYS;
	memcpy(m.why, "no", 3);
	assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len), 0);
	buf[len - 1] = '\n';
	assert_int_equal(ipc_msg_decode(&d, buf, len), ERR_SYNTAX);
	buf[len - 1] = '\0';
	assert_int_equal(ipc_msg_decode(&d, buf, len), ERR_SYNTAX);
	buf[len - 1] = 'o';
	memset(buf + IPC_HEAD_LEN, 0, 4);
	buf[IPC_HEAD_LEN + 3] = 1;	/* a positive error */
	assert_int_equal(ipc_msg_decode(&d, buf, len), ERR_RANGE);
	memset(buf + IPC_HEAD_LEN, 0x80, 4);
	assert_int_equal(ipc_msg_decode(&d, buf, len), ERR_RANGE);
}

TEST(encoder_refuses_what_the_decoder_would)
{
	static uint8_t buf[IPC_MSG_MAX], big[IPC_MSG_MAX];
	static struct ipc_msg m;
	size_t len = 77;

	ipc_msg_init(&m, IPC_SIGN);
	m.ticket = m.handle = 1;
	m.u.sign.nonce = (struct view){ big, 257 };
	assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len), ERR_LONG);
	m.u.sign.nonce.len = 256;
	m.ticket = 0;
	assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len), ERR_RANGE);
	m.ticket = 1;
	assert_int_equal(ipc_msg_encode(&m, buf, 40, &len), ERR_LONG);
	m.type = 9;
	assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len),
	    ERR_NOTFOUND);
	ipc_msg_init(&m, IPC_TAP_OK);
	m.ticket = 1;
	memcpy(m.u.tap_ok.ifname, "a\tb", 4);
	assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len),
	    ERR_SYNTAX);
	assert_int_equal(len, 77);
}

TEST(answer_carries_ticket_handle_and_a_clean_sentence)
{
	struct ipc_msg q, a;

	ipc_msg_init(&q, IPC_VERIFY);
	q.ticket = 9;
	q.handle = 8;
	ipc_msg_answer(&a, &q, ERR_AUTH, "line\nbreak");
	assert_int_equal(a.type, IPC_VERIFY_OK);
	assert_true(a.ticket == 9);
	assert_int_equal(a.handle, 8);
	assert_string_equal(a.why, "line?break");
	ipc_msg_answer(&a, &q, ERR_AUTH, NULL);
	assert_string_equal(a.why, err_text(ERR_AUTH));
	ipc_msg_answer(&a, &q, 0, NULL);
	assert_string_equal(a.why, "");
}

TEST(random_datagrams_never_decode_outside_of_themselves)
{
	static uint8_t buf[512];
	static struct ipc_msg m, d;
	struct rng_det r;
	size_t len;

	rng_det_init(&r, test_seed());
	for (unsigned i = 0; i < 20000; i++) {
		unsigned t = (unsigned)(rng_det_u64(&r) % IPC_TYPE_END);

		if (ipc_row(t) == NULL)
			continue;
		ipc_msg_init(&m, (enum ipc_type)t);
		m.ticket = ipc_row(t)->has_ticket;
		m.handle = ipc_row(t)->has_handle;
		if (ipc_msg_encode(&m, buf, sizeof(buf), &len) != 0)
			continue;
		for (unsigned k = 0; k < 4; k++)
			buf[rng_det_u64(&r) % len] =
			    (uint8_t)rng_det_u64(&r);
		if (ipc_msg_decode(&d, buf, len) != 0)
			continue;
		/* What was accepted says the same when written again. */
		{
			static uint8_t again[512];
			size_t n;

			assert_int_equal(ipc_msg_encode(&d, again,
			    sizeof(again), &n), 0);
			assert_int_equal(n, len);
			assert_memory_equal(again, buf, n);
		}
	}
}

TEST(digest_of_the_table_is_stable_and_not_empty)
{
	uint8_t a[IPC_DIGEST_LEN], b[IPC_DIGEST_LEN] = { 0 };

	assert_int_equal(ipc_digest(a), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(ipc_digest(b), 0);
	assert_memory_equal(a, b, sizeof(a));
}
