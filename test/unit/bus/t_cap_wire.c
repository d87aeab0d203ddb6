/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/bus/t_cap_wire.c - captured packets as datagrams.
 */
#include "test/lib/test.h"
#include <string.h>
#include "daemon/base/drop.h"
#include "daemon/base/err.h"
#include "daemon/bus/bus.h"
#include "daemon/bus/bus_wire.h"
#include "daemon/bus/cap_wire.h"

static uint8_t buf[CAP_WIRE_MAX + 1];

static size_t
enc(const struct cap_pkt *p)
{
	struct wcur w;

	wcur_init(&w, buf, sizeof(buf));
	cap_enc_head(&w, p);
	assert_int_equal(wcur_done(&w).len, CAP_HEAD);
	memcpy(buf + CAP_HEAD, p->bytes.p, p->bytes.len);
	return CAP_HEAD + p->bytes.len;
}

TEST(what_is_wanted_is_words)
{
	static const struct {
		const char *text;
		unsigned want;
	} good[] = {
		{ "", CAP_WANT_ALL }, { " , ", CAP_WANT_ALL },
		{ "esp", CAP_WANT_ESP }, { "esp,ike", CAP_WANT_WIRE },
		{ " ike  esp ", CAP_WANT_WIRE }, { "clear,", CAP_WANT_CLEAR },
		{ "dropped clear esp ike", CAP_WANT_ALL },
	};
	static const char *const bad[] = { "es", "espike", "esp;ike", "ESP",
					   "unclear", "esp\tike" };
	unsigned want;

	for (unsigned i = 0; i < N_OF(good); i++) {
		assert_int_equal(cap_want_parse(good[i].text, &want), 0);
		assert_int_equal(want, good[i].want);
	}
	for (unsigned i = 0; i < N_OF(bad); i++)
		assert_int_equal(cap_want_parse(bad[i], &want), ERR_SYNTAX);
}

static struct cap_pkt
one(void)
{
	static const uint8_t text[] = "0123456789";
	struct cap_pkt p = {
		.side = CAP_ESP_UDP, .is_out = true, .drop = CAP_NO_DROP,
		.time_ns = 1234567890123456789u, .len = 1400, .link = 7,
		.bytes = { text, 10 }
	};

	assert_int_equal(net_ep_parse("192.0.2.1:4500", &p.local), 0);
	assert_int_equal(net_ep_parse("[2001:db8::1]:4501", &p.remote), 0);
	return p;
}

TEST(what_is_written_is_read)
{
	struct cap_pkt p = one(), q;
	size_t n = enc(&p);

	assert_int_equal(cap_dec(buf, n, &q), 0);
	assert_int_equal(q.side, p.side);
	assert_true(q.is_out);
	assert_int_equal(q.drop, CAP_NO_DROP);
	assert_int_equal(q.time_ns, p.time_ns);
	assert_int_equal(q.len, 1400);
	assert_int_equal(q.link, 7);
	assert_int_equal(q.local.port, 4500);
	assert_true(ip_equal(&q.remote.ip, &p.remote.ip));
	assert_int_equal(q.bytes.len, 10);
	assert_memory_equal(q.bytes.p, "0123456789", 10);
}

TEST(a_packet_is_no_record_and_a_record_no_packet)
{
	struct cap_pkt p = one();
	struct bus_rec r;
	size_t n = enc(&p);
	int len;

	assert_int_not_equal(bus_dec(buf, n, &r), 0);
	bus_rec_init(&r, BUS_RES_DONE);
	len = bus_enc_buf(&r, buf, sizeof(buf));
	assert_true(len > 0);
	assert_int_not_equal(cap_dec(buf, (size_t)len, &p), 0);
}

TEST(what_cannot_be_is_refused)
{
	struct cap_pkt p = one(), q;
	size_t n = enc(&p);

	for (size_t i = 0; i < CAP_HEAD; i++)
		assert_int_equal(cap_dec(buf, i, &q), ERR_SHORT);
	buf[1] = CAP_SIDE_END;
	assert_int_equal(cap_dec(buf, n, &q), ERR_SYNTAX);
	p = one();
	p.drop = DROP_END;
	assert_int_equal(cap_dec(buf, enc(&p), &q), ERR_SYNTAX);
	p = one();
	p.len = 9;		/* less than there is */
	assert_int_equal(cap_dec(buf, enc(&p), &q), ERR_SYNTAX);
	p = one();
	p.local.ip.family = 5;
	assert_int_equal(cap_dec(buf, enc(&p), &q), ERR_SYNTAX);
	p = one();
	n = enc(&p);
	buf[2] = 2;
	assert_int_equal(cap_dec(buf, n, &q), ERR_SYNTAX);
}
