/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/tcpmake.h - TCP segments in IP, with right checksums.
 */
#ifndef TAPIR_TEST_VHUB_TCPMAKE_H
#define TAPIR_TEST_VHUB_TCPMAKE_H

#include "test/lib/test.h"
#include <string.h>
#include "daemon/base/cur.h"

#define TCPMAKE_SYN 0x02
#define TCPMAKE_ACK 0x10

struct tcpmake {
	uint8_t b[2048];
	size_t len;
	size_t tcp;		/* where its header is */
};

static UNUSED uint32_t
tcpmake_add(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	return sum;
}

/* The checksum over pseudo header and segment: 0 when it is right. */
static UNUSED uint16_t
tcpmake_sum(const struct tcpmake *m)
{
	bool is_v4 = m->b[0] >> 4 == 4;
	uint32_t sum = 6 + (uint32_t)(m->len - m->tcp);

	sum = tcpmake_add(sum, m->b + (is_v4 ? 12 : 8), is_v4 ? 8 : 32);
	sum = tcpmake_add(sum, m->b + m->tcp, m->len - m->tcp);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static UNUSED void
tcpmake_end(struct tcpmake *m, struct wcur *w, uint8_t flags,
	    const uint8_t *options, size_t n_options, size_t n_data)
{
	assert_int_equal(n_options % 4, 0);
	m->tcp = w->len;
	wcur_u32(w, 0x04d20050);
	wcur_u64(w, 0x0102030405060708);
	wcur_u8(w, (uint8_t)((20 + n_options) / 4 << 4));
	wcur_u8(w, flags);
	wcur_u16(w, 0xffff);
	wcur_u32(w, 0);
	wcur_bytes(w, options, n_options);
	wcur_zero(w, n_data);
	assert_int_equal(w->err, 0);
	m->len = w->len;
	be16_put(m->b + m->tcp + 16, tcpmake_sum(m));
}

static UNUSED void
tcpmake(struct tcpmake *m, unsigned family, uint8_t flags,
	const uint8_t *options, size_t n_options, size_t n_data)
{
	uint16_t n = (uint16_t)(20 + n_options + n_data);
	struct wcur w;

	memset(m, 0, sizeof(*m));
	wcur_init(&w, m->b, sizeof(m->b));
	if (family == 4) {
		wcur_u32(&w, 0x45000000u | (20u + n));
		wcur_u32(&w, 0x00014000);	/* DF */
		wcur_u32(&w, 0x40060000);
		wcur_u64(&w, 0x0a0000010a000002);
	} else {
		wcur_u32(&w, 0x60000000);
		wcur_u16(&w, n);
		wcur_u16(&w, 0x0640);
		wcur_u64(&w, 0x20010db800000000);
		wcur_u64(&w, 1);
		wcur_u64(&w, 0x20010db800000000);
		wcur_u64(&w, 2);
	}
	tcpmake_end(m, &w, flags, options, n_options, n_data);
}

/* IPv6 with extension headers, of which the first is of this type. */
static UNUSED void
tcpmake_ext(struct tcpmake *m, uint8_t first, const char *ext, uint8_t flags,
	    const char *options)
{
	uint8_t e[128], o[40];
	size_t n_e = test_hex(ext, e, sizeof(e));
	size_t n_o = test_hex(options, o, sizeof(o));
	struct wcur w;

	memset(m, 0, sizeof(*m));
	wcur_init(&w, m->b, sizeof(m->b));
	wcur_u32(&w, 0x60000000);
	wcur_u16(&w, (uint16_t)(n_e + 20 + n_o));
	wcur_u8(&w, first);
	wcur_u8(&w, 64);
	wcur_u64(&w, 0x20010db800000000);
	wcur_u64(&w, 1);
	wcur_u64(&w, 0x20010db800000000);
	wcur_u64(&w, 2);
	wcur_bytes(&w, e, n_e);
	tcpmake_end(m, &w, flags, o, n_o, 0);
}

#endif
