/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/bench/hub_bench.c - what the hub alone costs: no crypto, no network.
 *
 *   make build/test/bench/hub_bench && build/test/bench/hub_bench
 *
 * One thread.  Frames go through hub_input() in batches and are held by nobody:
 *   run       one flow of IPv4 with TCP: looked up once a batch
 *   mixed     every frame another source and destination, of 64 hosts
 *   tagged    the same within a VLAN
 *   flood     broadcast to 1, 10, 100 ports
 *   learn     addresses never seen before
 *   memory    what the C library gave for a table of addresses, and for a hub
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/buf.h"
#include "daemon/base/clk.h"
#include "daemon/base/thr.h"
#include "vhub/hub.h"
#include "vhub/mactab.h"

#define BATCH	HUB_BATCH_MAX
#define MIN_NS	20000000ull	/* a measurement lasts at least so long */
#define TIMES	10		/* and the best of these counts */
#define HOSTS	64

static struct buf_pool *pool;
static uint64_t n_out;

static struct buf *
on_buf(void *ctx UNUSED, unsigned worker UNUSED)
{
	return buf_new(pool);
}

static void
on_out(void *ctx UNUSED, unsigned worker UNUSED, struct buf **b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_put(b[i]);
	n_out += n;
}

static struct hub *
make(unsigned n_port)
{
	struct hub_conf c = { .name = "bench", .n_worker = 1,
		.buf_new = on_buf };
	struct hub_port_conf p = { .kind = HUB_PORT_ETHER,
		.ops = { NULL, on_out } };
	struct hub *h;
	uint32_t num;

	if (hub_new(&h, &c) != 0)
		exit(1);
	for (unsigned i = 0; i < n_port; i++)
		if (hub_port_add(h, &p, &num) != 0)
			exit(1);
	return h;
}

/* A frame from host src to host dst. */
static struct buf *
frame(uint32_t dst, uint32_t src, unsigned len, bool is_tagged)
{
	static const uint8_t tail[] = { 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 6 };
	struct buf *b = buf_new(pool);
	uint8_t *p = b != NULL ? buf_append(b, len) : NULL;

	if (p == NULL)
		exit(1);
	memset(p, 0, 40);
	p[0] = p[6] = 2;
	memcpy(p + 2, &dst, 4);
	memcpy(p + 8, &src, 4);
	if (is_tagged) {
		p[12] = 0x81;
		p[15] = 10;
	}
	memcpy(p + (is_tagged ? 16 : 12), tail, sizeof(tail));
	return b;
}

enum kind { RUN, MIXED, TAGGED, FLOOD, LEARN };

/* Port 0 comes anew: what was learned on it is forgotten. */
static void
forget(struct hub *h)
{
	struct hub_port_conf p = { .kind = HUB_PORT_ETHER,
		.ops = { NULL, on_out } };
	uint32_t num;

	hub_port_del(h, 0);
	thr_reclaim_all();
	if (hub_port_add(h, &p, &num) != 0 || num != 0)
		exit(1);
}

static double
measure_once(struct hub *h, enum kind kind, unsigned len)
{
	static uint32_t fresh = 1000;
	uint64_t spent = 0, n = 0, at;
	struct buf *b[BATCH];

	while (spent < MIN_NS) {
		for (unsigned i = 0; i < BATCH; i++) {
			uint32_t k = kind == RUN ? 0 : i % HOSTS;

			b[i] = frame(kind == FLOOD ? 0 : k + 1,
			    kind == LEARN ? fresh++ : k + 101, len,
			    kind == TAGGED);
			if (kind == FLOOD)
				memset(b[i]->data, 0xff, 6);
		}
		at = clk_ns();
		hub_input(h, 0, 0, b, BATCH);
		spent += clk_ns() - at;
		n += BATCH;
		if (kind == LEARN && n % HUB_PORT_MAC_MAX == 0)
			forget(h);
	}
	return (double)spent / (double)n;
}

static double
measure(struct hub *h, enum kind kind, unsigned len)
{
	double best = measure_once(h, kind, len), ns;

	for (int i = 1; i < TIMES; i++)
		if ((ns = measure_once(h, kind, len)) < best)
			best = ns;
	return best;
}

/* Hosts 1 to 64 are behind port 1, in the VLAN as well. */
static void
teach(struct hub *h)
{
	for (uint32_t k = 0; k < 2 * HOSTS; k++) {
		struct buf *b = frame(9999, k % HOSTS + 1, 60, k >= HOSTS);

		hub_input(h, 0, 1, &b, 1);
	}
}

static size_t
taken(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void
memory(void)
{
	size_t before = taken(), table, hub;
	struct mactab *t;
	struct hub *h;

	if (mactab_new(&t) != 0)
		exit(1);
	table = taken() - before;
	mactab_free(t);
	before = taken();
	h = make(1);
	hub = taken() - before;
	hub_free(h);
	thr_reclaim_all();
	printf("memory  a hub         %7.1f KiB         %6.1f bytes an address\n",
	    (double)hub / 1024, (double)table / HUB_MAC_MAX);
}

int
main(void)
{
	static const unsigned len[] = { 64, 512, 1400 };
	static const struct {
		const char *name;
		enum kind kind;
	} kinds[] = { { "run", RUN }, { "mixed", MIXED }, { "tagged", TAGGED } };
	static const unsigned ports[] = { 1, 10, 100 };
	struct hub *h;

	if (buf_pool_new(&pool, 4 * BATCH, BUF_ROOM_DEFAULT) != 0)
		return 1;
	h = make(2);
	teach(h);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < 3; k++) {
			double ns = measure(h, kinds[i].kind, len[k]);

			printf("%-7s %4u bytes   %7.1f ns a frame  %6.2f M/s\n",
			    kinds[i].name, len[k], ns, 1e3 / ns);
		}
	hub_free(h);
	for (unsigned i = 0; i < 3; i++) {
		double ns;

		h = make(ports[i] + 1);
		ns = measure(h, FLOOD, 64);
		printf("flood   to %3u ports  %7.1f ns a frame  %6.1f ns a copy\n",
		    ports[i], ns, ns / ports[i]);
		hub_free(h);
	}
	h = make(2);
	printf("learn   new sources   %7.1f ns a frame\n", measure(h, LEARN, 64));
	hub_free(h);
	memory();
	thr_reclaim_all();
	buf_pool_free(pool);
	return n_out > 0 ? 0 : 1;
}
