/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_gro.c - frames of a batch that may or may not belong together.
 *
 * Input: records { control, length (2), bytes }.  Control: bit 0 UDP may be
 * merged (first record), bit 1 all checksums are made right, bit 2 the frame is
 * the one before with the next sequence number and identification, bit 3
 * somebody else holds it too.  What was merged must be cut into the frames that
 * came.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/base/cur.h"
#include "esp/csum.h"
#include "esp/gro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAMES 64

static struct buf_pool *pool;
static struct esp_gro g;

/* Make the checksums of a frame right, so that the rest is reached. */
static void
mend(uint8_t *f, size_t len)
{
	struct esp_l4 at;
	uint32_t n;

	if (esp_l4_find((struct view){ f, len }, true, &at) != 0)
		return;
	n = (uint32_t)(len - at.l4);
	if (at.family == 4) {
		be16_put(f + at.ip + 2, (uint16_t)(len - at.ip));
		be16_put(f + at.ip + 10, 0);
		be16_put(f + at.ip + 10, (uint16_t)~esp_csum_part(f + at.ip,
			 (f[at.ip] & 15u) * 4));
	} else {
		be16_put(f + at.ip + 4, (uint16_t)(len - at.ip - 40));
	}
	if (!at.is_tcp)
		be16_put(f + at.l4 + 4, (uint16_t)n);
	be16_put(f + at.l4 + (at.is_tcp ? 16 : 6), esp_csum_fold(
		 esp_csum_pseudo(f + at.ip + (at.family == 4 ? 12 : 8),
				 at.family == 4 ? 4 : 16,
				 at.is_tcp ? 6 : 17, n)));
	if (esp_csum_complete(f, len, at.l4, at.is_tcp ? 16 : 6) != 0)
		abort();
}

/* The frame behind one of a flow. */
static void
follow(uint8_t *f, size_t len)
{
	struct esp_l4 at;

	if (esp_l4_find((struct view){ f, len }, true, &at) != 0)
		return;
	if (at.family == 4)
		be16_put(f + at.ip + 4, (uint16_t)(be16_get(f + at.ip + 4) + 1));
	if (at.is_tcp)
		be32_put(f + at.l4 + 4, be32_get(f + at.l4 + 4) +
			 (uint32_t)(len - at.data));
	mend(f, len);
}

static void
check(struct esp_gro_item *it)
{
	static uint8_t flat[128 << 10], seg[65536];
	struct esp_gso cut;
	size_t at = 0;

	esp_gro_finish(it);
	for (struct buf *b = it->head; b != NULL; b = b->next) {
		memcpy(flat + at, b->data, b->len);
		at += b->len;
	}
	if (at != it->bytes)
		abort();
	if (it->n == 1)
		return;
	if (esp_gso_plan((struct view){ flat, at }, true, it->seg_len, &cut) !=
	    0 || cut.n != it->n)
		abort();
	for (uint32_t i = 0; i < cut.n; i++) {
		size_t n = esp_gso_len(&cut, i);
		uint16_t l4 = cut.at.l4;
		uint32_t len = (uint32_t)(n - l4);
		const uint8_t *ip = seg + cut.at.ip;

		esp_gso_put(&cut, i, seg);
		if (esp_csum_fold(esp_csum_part(seg + l4, len) +
		    esp_csum_pseudo(ip + (cut.at.family == 4 ? 12 : 8),
				    cut.at.family == 4 ? 4 : 16,
				    cut.at.is_tcp ? 6 : 17, len)) != 0xffff)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t last[2048];
	struct buf *held[FRAMES];
	unsigned n = 0, n_held = 0;
	size_t last_len = 0;
	struct cur c;

	if (pool == NULL && buf_pool_new(&pool, 2 * FRAMES, 4096) != 0)
		return 0;
	esp_gro_init(&g, size > 0 && (data[0] & 1) != 0);
	cur_init(&c, data, size);
	for (; n < FRAMES; n++) {
		uint8_t control;
		uint16_t len;
		struct view v;
		struct buf *b;

		if (cur_u8(&c, &control) != 0)
			break;
		if ((control & 4) != 0 && last_len > 0) {
			follow(last, last_len);
		} else {
			if (cur_u16(&c, &len) != 0 || len > sizeof(last) ||
			    cur_view(&c, len, &v) != 0)
				break;
			memcpy(last, v.p, v.len);
			last_len = v.len;
			if ((control & 2) != 0)
				mend(last, last_len);
		}
		b = buf_new(pool);
		memcpy(buf_append(b, last_len), last, last_len);
		if ((control & 8) != 0)
			held[n_held++] = buf_get(b);
		if (!esp_gro_add(&g, b))
			abort();
	}
	for (unsigned i = 0; i < g.n; i++) {
		check(&g.item[i]);
		for (struct buf *b = g.item[i].head, *next; b; b = next) {
			next = b->next;
			buf_put(b);
		}
	}
	for (unsigned i = 0; i < n_held; i++)
		buf_put(held[i]);
	return 0;
}
