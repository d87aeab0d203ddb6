/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_gso.c - a TAP's description of a frame, and the frame.
 *
 * Input: struct virtio_net_hdr (10 bytes), frame.  It is read as tap.c reads a
 * queue, then cut into segments of exactly their length, which are coalesced
 * again: the payload must come out as it went in.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/core/tap.h"
#include "daemon/ipc/msg.h"
#include "esp/gso.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buf_pool *pool;
static struct esp_gro g;

static void
cut(struct buf *b)
{
	struct esp_gso plan;
	size_t bytes = 0;

	if (esp_gso_plan(buf_view(b), true, b->seg_len, &plan) != 0)
		return;
	esp_gro_init(&g, true);
	for (uint32_t i = 0; i < plan.n && i < 200; i++) {
		size_t n = esp_gso_len(&plan, i);
		uint8_t *out = malloc(n); /* so that one byte more is seen */
		struct buf *s = buf_new(pool);

		esp_gso_put(&plan, i, out);
		memcpy(buf_append(s, n), out, n);
		free(out);
		bytes += n;
		if (!esp_gro_add(&g, s))
			abort();
	}
	for (unsigned i = 0; i < g.n; i++) {
		struct esp_gro_item *it = &g.item[i];

		bytes -= it->bytes + (it->n - 1) * (size_t)plan.at.data;
		esp_gro_finish(it);
		for (struct buf *s = it->head, *next; s != NULL; s = next) {
			next = s->next;
			buf_put(s);
		}
	}
	if (bytes != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tap_count count = { 0 };
	bool is_gone = false;
	struct buf *b;
	int fd[2];

	if (pool == NULL && buf_pool_new(&pool, 512, TAP_BIG_ROOM) != 0)
		return 0;
	if (size == 0 || size > 65000 ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fd) != 0)
		return 0;
	if (write(fd[1], data, size) == (ssize_t)size &&
	    tap_read(fd[0], IPC_TAP_ALL, pool, &b, 1, 1, &is_gone, &count) == 1) {
		if (b->seg_len != 0)
			cut(b);
		buf_put(b);
	}
	close(fd[0]);
	close(fd[1]);
	return 0;
}
