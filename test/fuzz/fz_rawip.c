/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_rawip.c - IP packets from a packet socket: header, and pieces put
 * together.
 *
 * Input: records { control, length (2), bytes }.  Control: bit 0 the IPv4 header
 * checksum is made right, bit 1 time passes, bit 2 the packet before once more
 * with these bytes as its fragment field.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/rng.h"
#include "daemon/core/frag.h"
#include "esp/csum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BUFS (FRAG_SETS * FRAG_WAYS)

static struct buf_pool *pool;
static uint8_t pkt[4096];

static void
one(struct frag *f, size_t len, uint64_t now_ms)
{
	uint8_t *copy = malloc(len + 1); /* of exactly this size, for ASan */
	struct rawip ip;
	struct buf *b;

	memcpy(copy, pkt, len);
	if (rawip_decode((struct view){ copy, len }, &ip) == 0) {
		if (ip.data.len > len || ip.data.p < copy ||
		    ip.data.p + ip.data.len > copy + len)
			abort();
		if (rawip_is_piece(&ip)) {
			b = frag_take(f, &ip, pool, now_ms);
			if (b != NULL && (b->len == 0 || b->len > 65515))
				abort();
			buf_put(b);
		}
	}
	free(copy);
	if (frag_waiting(f) > BUFS || buf_pool_used(pool) > BUFS)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rng_det det;
	uint64_t now_ms = 1;
	struct frag *f;
	size_t len = 0;
	struct cur c;

	if (pool == NULL && buf_pool_new(&pool, BUFS + 1, 65536 + 832) != 0)
		return 0;
	rng_det_init(&det, 1);
	rng_set_source(rng_det_source, &det);
	if (frag_new(&f) != 0)
		return 0;
	cur_init(&c, data, size);
	for (;;) {
		uint8_t control;
		uint16_t n;
		struct view v;

		if (cur_u8(&c, &control) != 0 || cur_u16(&c, &n) != 0)
			break;
		if ((control & 4) != 0 && len >= 48) {
			bool is_v4 = pkt[0] >> 4 == 4;

			be16_put(pkt + (is_v4 ? 6 : 42), n);
		} else {
			if (n > sizeof(pkt) || cur_view(&c, n, &v) != 0)
				break;
			memcpy(pkt, v.p, v.len);
			len = v.len;
		}
		if ((control & 1) != 0 && len >= 20 && pkt[0] == 0x45) {
			be16_put(pkt + 10, 0);
			be16_put(pkt + 10, (uint16_t)~esp_csum_part(pkt, 20));
		}
		if ((control & 2) != 0)
			now_ms += FRAG_MS / 2;
		one(f, len, now_ms);
	}
	frag_free(f);
	if (buf_pool_used(pool) != 0)
		abort();
	return 0;
}
