/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/frames.h - random TCP and UDP frames, and a slow reference for
 * cutting them: one field after the other, sums over 16-bit words.
 */
#ifndef TEST_UNIT_ESP_FRAMES_H
#define TEST_UNIT_ESP_FRAMES_H

#include "test/lib/test.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "esp/gso.h"

#define FR_MAX 70000

struct fr_spec {
	bool is_ether;
	unsigned n_tag;		/* 0..2 */
	unsigned family;	/* 4 or 6 */
	unsigned n_ext;		/* IPv6: options headers of 8 bytes */
	unsigned ip_opt;	/* IPv4: words of options */
	bool is_tcp;
	unsigned tcp_opt;	/* words of options */
	uint8_t flags;
	uint16_t id, frag, port;
	uint32_t seq;
	size_t len;		/* payload */
};
struct fr {
	uint8_t b[FR_MAX];
	size_t len, ip, l4, data;
};

static uint32_t fr_seed UNUSED = 1;

static UNUSED uint32_t
fr_rand(void)
{
	fr_seed = fr_seed * 1664525u + 1013904223u;
	return fr_seed >> 8;
}

static UNUSED uint16_t
fr_sum(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Sum of the pseudo header. */
static UNUSED uint16_t
fr_pseudo(const uint8_t *ip, bool is_tcp, size_t n)
{
	uint32_t sum = (is_tcp ? 6 : 17) + (uint32_t)(n >> 16) +
	    (uint32_t)(n & 0xffff);

	return ip[0] >> 4 == 4 ? fr_sum(sum, ip + 12, 8) :
				 fr_sum(sum, ip + 8, 32);
}

/* Write every length and checksum that follows from the rest. */
static UNUSED void
fr_seal(struct fr *f, const struct fr_spec *s)
{
	uint8_t *ip = f->b + f->ip, *l4 = f->b + f->l4;
	size_t n = f->len - f->l4;
	uint16_t sum;

	if (s->family == 4) {
		be16_put(ip + 2, (uint16_t)(f->len - f->ip));
		be16_put(ip + 10, 0);
		be16_put(ip + 10, (uint16_t)~fr_sum(0, ip, f->l4 - f->ip));
	} else {
		be16_put(ip + 4, (uint16_t)(f->len - f->ip - 40));
	}
	if (!s->is_tcp)
		be16_put(l4 + 4, (uint16_t)n);
	be16_put(l4 + (s->is_tcp ? 16 : 6), 0);
	sum = (uint16_t)~fr_sum(fr_pseudo(ip, s->is_tcp, n), l4, n);
	if (!s->is_tcp && sum == 0)
		sum = 0xffff;
	be16_put(l4 + (s->is_tcp ? 16 : 6), sum);
}

static UNUSED void
fr_make(struct fr *f, const struct fr_spec *s)
{
	uint8_t *p = f->b;
	unsigned proto = s->is_tcp ? 6 : 17;

	if (s->is_ether) {
		memset(p, 0x02, 12);
		p += 12;
		for (unsigned i = 0; i < s->n_tag; i++) {
			be16_put(p, i == 0 && s->n_tag == 2 ? 0x88a8 : 0x8100);
			be16_put(p + 2, (uint16_t)(10 + i));
			p += 4;
		}
		be16_put(p, s->family == 4 ? 0x0800 : 0x86dd);
		p += 2;
	}
	f->ip = (size_t)(p - f->b);
	if (s->family == 4) {
		memset(p, 0, 20);
		p[0] = (uint8_t)(0x45 + s->ip_opt);
		be16_put(p + 4, s->id);
		be16_put(p + 6, s->frag);
		p[8] = 64;
		p[9] = (uint8_t)proto;
		memcpy(p + 12, "\x0a\1\0\1\x0a\2\0\2", 8);
		p += 20;
		memset(p, 1, s->ip_opt * 4ul); /* no operation */
		p += s->ip_opt * 4ul;
	} else {
		memset(p, 0, 8);
		p[0] = 0x60;
		p[6] = (uint8_t)(s->n_ext > 0 ? 0 : proto);
		p[7] = 64;
		memset(p + 8, 0xfd, 32);
		p[23] = 1;
		p[39] = 2;
		p += 40;
		for (unsigned i = 0; i < s->n_ext; i++, p += 8) {
			memset(p, 0, 8);
			p[0] = (uint8_t)(i + 1 < s->n_ext ? 60 : proto);
			p[2] = 1; /* PadN */
			p[3] = 4;
		}
	}
	f->l4 = (size_t)(p - f->b);
	be16_put(p, s->port);
	be16_put(p + 2, 5201);
	if (s->is_tcp) {
		be32_put(p + 4, s->seq);
		be32_put(p + 8, 0x01020304);
		p[12] = (uint8_t)((5 + s->tcp_opt) << 4);
		p[13] = s->flags;
		be16_put(p + 14, 0x7000);
		be16_put(p + 18, 0);
		memset(p + 20, 1, s->tcp_opt * 4ul);
		p += 20 + s->tcp_opt * 4ul;
	} else {
		p += 8;
	}
	f->data = (size_t)(p - f->b);
	for (size_t i = 0; i < s->len; i++)
		p[i] = (uint8_t)fr_rand();
	f->len = f->data + s->len;
	assert_true(f->len <= FR_MAX);
	fr_seal(f, s);
}

static UNUSED struct fr_spec
fr_random(void)
{
	struct fr_spec s = {
		.is_ether = fr_rand() % 4 != 0,
		.n_tag = fr_rand() % 3,
		.family = fr_rand() % 2 == 0 ? 4 : 6,
		.n_ext = fr_rand() % 4 == 0 ? fr_rand() % 3 : 0,
		.ip_opt = fr_rand() % 4 == 0 ? fr_rand() % 11 : 0,
		.is_tcp = fr_rand() % 3 != 0,
		.tcp_opt = fr_rand() % 11,
		.flags = (uint8_t)(0x10 | (fr_rand() & 0xc9)), /* CWR ECE PSH FIN */
		.id = (uint16_t)fr_rand(),
		.frag = fr_rand() % 2 == 0 ? 0x4000 : 0,
		.port = (uint16_t)fr_rand(),
		.seq = fr_rand() << 8 | (fr_rand() & 0xff),
		.len = 1 + fr_rand() % 20000,
	};

	return s;
}

/* Segment i of a frame made from s, the slow way.  False: there is none. */
static UNUSED bool
fr_cut(const struct fr *f, const struct fr_spec *s, size_t seg, size_t i,
       struct fr *out)
{
	size_t at = i * seg, n = s->len > at ? s->len - at : 0;
	bool is_last = at + seg >= s->len;

	if (n == 0)
		return false;
	n = n < seg ? n : seg;
	*out = (struct fr){ .ip = f->ip, .l4 = f->l4, .data = f->data };
	memcpy(out->b, f->b, f->data);
	memcpy(out->b + f->data, f->b + f->data + at, n);
	out->len = f->data + n;
	if (s->family == 4)
		be16_put(out->b + f->ip + 4, (uint16_t)(s->id + i));
	if (s->is_tcp) {
		be32_put(out->b + f->l4 + 4, (uint32_t)(s->seq + at));
		if (i > 0)
			out->b[f->l4 + 13] &= 0x7f; /* CWR */
		if (!is_last)
			out->b[f->l4 + 13] &= 0xf6; /* FIN, PSH */
	}
	fr_seal(out, s);
	return true;
}

#endif
