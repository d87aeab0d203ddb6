/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_pring.c - frames of a ring, written as the kernel would.
 *
 * The ring's memory is a file in memory instead of a packet socket.
 */
#include "daemon/core/pring.h"
#include <linux/if_packet.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/drop.h"
#include "esp/csum.h"
#include "test/lib/test.h"

#define RING_LEN ((size_t)PRING_FRAMES * PRING_FRAME_LEN)
#define NET_AT	 96u	/* of the IP header in a frame */
#define N	 64

static struct ring_test {
	int mem, probe[FAM_END];
	uint8_t *p;
	struct pring *ring;
	struct pring_rx rx;
	struct pring_count count;
	struct route route;
} t;

static void
open_ring(unsigned n_big)
{
	memset(&t, 0, sizeof(t));
	t.mem = memfd_create("ring", MFD_CLOEXEC);
	assert_true(t.mem >= 0);
	assert_int_equal(ftruncate(t.mem, (off_t)RING_LEN), 0);
	t.p = mmap(NULL, RING_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, t.mem, 0);
	assert_true(t.p != MAP_FAILED);
	t.probe[FAM_V4] = socket(AF_INET, SOCK_DGRAM, 0);
	t.probe[FAM_V6] = -1;
	route_init(&t.route, t.probe);
	t.rx = (struct pring_rx){ .route = &t.route, .count = &t.count };
	assert_int_equal(frag_new(&t.rx.frag), 0);
	assert_int_equal(buf_pool_new(&t.rx.big, n_big, 66048), 0);
	assert_int_equal(buf_pool_new(&t.rx.slices, 256, 0), 0);
	assert_int_equal(pring_new(&t.ring, t.mem), 0);
}

static void
close_ring(void)
{
	pring_free(t.ring);
	frag_free(t.rx.frag);
	assert_int_equal(buf_pool_used(t.rx.slices), 0);
	buf_pool_free(t.rx.slices);
	assert_int_equal(buf_pool_used(t.rx.big), 0);
	buf_pool_free(t.rx.big);
	(void)munmap(t.p, RING_LEN);
	close(t.mem);
	close(t.probe[FAM_V4]);
}

static struct tpacket2_hdr *
frame(unsigned i)
{
	return (struct tpacket2_hdr *)(void *)
	    (t.p + (size_t)(i % PRING_FRAMES) * PRING_FRAME_LEN);
}

/* An ESP packet of len bytes to host .last of the loopback network. */
static size_t
packet(uint8_t *ip, uint32_t spi, size_t len, uint8_t net, uint16_t frag)
{
	memset(ip, 0, 20);
	ip[0] = 0x45;
	be16_put(ip + 2, (uint16_t)(20 + len));
	be16_put(ip + 4, 77);
	be16_put(ip + 6, frag);
	ip[8] = 64;
	ip[9] = 50;
	ip[12] = 192;
	ip[15] = 9;
	ip[16] = net;
	ip[19] = 1;
	be16_put(ip + 10, (uint16_t)~esp_csum_fold(esp_csum_part(ip, 20)));
	memset(ip + 20, 0x5a, len);
	if (len >= 4)
		be32_put(ip + 20, spi);
	return 20 + len;
}

static void
ready(unsigned i, size_t len, uint32_t more)
{
	struct tpacket2_hdr *h = frame(i);

	h->tp_len = h->tp_snaplen = (uint32_t)len;
	h->tp_net = NET_AT;
	h->tp_status = TP_STATUS_USER | more;
}

/* Frame i holds a packet for us. */
static void
put(unsigned i, uint32_t spi, size_t len)
{
	ready(i, packet((uint8_t *)frame(i) + NET_AT, spi, len, 127, 0), 0);
}

/* SPIs of what comes out, at most n; how many. */
static unsigned
take(uint32_t *spi, unsigned n)
{
	struct buf *b[N];
	unsigned got = pring_recv(t.ring, &t.rx, b, n);

	for (unsigned i = 0; i < got; i++) {
		spi[i] = be32_get(b[i]->data);
		buf_put(b[i]);
	}
	return got;
}

TEST(packets_come_as_they_were_put_there)
{
	struct buf *b[N];
	unsigned n;

	open_ring(8);
	for (unsigned i = 0; i < 20; i++)
		put(i, 1000 + i, 40 + i * 50);
	n = pring_recv(t.ring, &t.rx, b, N);
	assert_int_equal(n, 20);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(be32_get(b[i]->data), 1000 + i);
		assert_int_equal(b[i]->len, 40 + i * 50);
		assert_int_equal(b[i]->data[b[i]->len - 1], 0x5a);
		assert_int_equal((uintptr_t)b[i]->data % 16, 0);
		assert_int_equal(b[i]->from.ip.b[0], 192);
		assert_int_equal(b[i]->to.ip.b[0], 127);
		assert_int_equal(frame(i)->tp_status, TP_STATUS_KERNEL);
		buf_put(b[i]);
	}
	assert_int_equal(t.count.packets, 20);
	assert_int_equal(pring_recv(t.ring, &t.rx, b, N), 0);
	close_ring();
}

TEST(the_ring_goes_round)
{
	uint32_t spi[N];

	open_ring(8);
	for (unsigned i = 0; i < 3 * PRING_FRAMES; i += 7) {
		for (unsigned k = 0; k < 7; k++)
			put(i + k, i + k + 1, 100);
		assert_int_equal(take(spi, N), 7);
		for (unsigned k = 0; k < 7; k++)
			assert_int_equal(spi[k], i + k + 1);
	}
	close_ring();
}

TEST(no_more_than_asked_for_is_taken)
{
	uint32_t spi[N];

	open_ring(8);
	for (unsigned i = 0; i < 10; i++)
		put(i, 1 + i, 100);
	assert_int_equal(take(spi, 4), 4);
	assert_int_equal(frame(4)->tp_status, TP_STATUS_USER);
	assert_int_equal(take(spi, 4), 4);
	assert_int_equal(spi[0], 5);
	assert_int_equal(take(spi, 4), 2);
	close_ring();
}

TEST(a_new_process_finds_the_oldest_frame)
{
	static const unsigned from[] = { 1, 700, PRING_FRAMES - 3 };
	uint32_t spi[N];

	for (unsigned k = 0; k < N_OF(from); k++) {
		open_ring(8);
		for (unsigned i = 0; i < 9; i++)
			put(from[k] + i, 1 + i, 100);
		assert_int_equal(take(spi, N), 9);
		for (unsigned i = 0; i < 9; i++)
			assert_int_equal(spi[i], 1 + i);
		put(from[k] + 9, 10, 100);
		assert_int_equal(take(spi, N), 1);
		assert_int_equal(spi[0], 10);
		close_ring();
	}
	open_ring(64); /* all of it waits */
	for (unsigned i = 0; i < PRING_FRAMES; i++)
		put(i, 1 + i, 100);
	for (unsigned i = 0; i < PRING_FRAMES; i += N) {
		assert_int_equal(take(spi, N), N);
		assert_int_equal(spi[0], 1 + i);
	}
	assert_int_equal(take(spi, N), 0);
	close_ring();
}

TEST(lengths_of_a_frame_are_not_believed)
{
	uint64_t lost = drop_sum(DROP_TOO_BIG), full = drop_sum(DROP_RING_FULL);
	uint32_t spi[N];

	open_ring(8);
	for (unsigned i = 0; i < 6; i++)
		put(i, 1 + i, 100);
	frame(0)->tp_net = 0xffff; /* outside */
	frame(1)->tp_len = frame(1)->tp_snaplen = PRING_FRAME_LEN;
	frame(2)->tp_len = frame(2)->tp_snaplen = UINT32_MAX;
	frame(3)->tp_net = PRING_FRAME_LEN - 4;
	frame(4)->tp_len = 9000; /* the rest was kept nowhere */
	assert_int_equal(take(spi, N), 1);
	assert_int_equal(spi[0], 6);
	assert_int_equal(drop_sum(DROP_TOO_BIG) - lost, 4);
	assert_int_equal(drop_sum(DROP_RING_FULL) - full, 1);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(frame(i)->tp_status, TP_STATUS_KERNEL);
	close_ring();
}

TEST(only_what_is_for_us_and_whole_is_taken)
{
	uint64_t bad = drop_sum(DROP_RAW_IP);
	uint32_t spi[N];
	uint8_t *ip;

	open_ring(8);
	ready(0, packet((uint8_t *)frame(0) + NET_AT, 1, 50, 203, 0), 0);
	put(1, 2, 50);
	ip = (uint8_t *)frame(1) + NET_AT;
	ip[8]--; /* the sum is wrong */
	put(2, 3, 50);
	frame(2)->tp_len = frame(2)->tp_snaplen = 69; /* one byte short */
	put(3, 4, 50);
	((uint8_t *)frame(3) + NET_AT)[0] = 0x46; /* options: the raw socket's */
	ready(4, 0, 0);
	put(5, 6, 50);
	frame(5)->tp_len = frame(5)->tp_snaplen = 90; /* Ethernet's padding */
	assert_int_equal(take(spi, N), 1);
	assert_int_equal(spi[0], 6);
	assert_int_equal(t.count.transit, 1);
	assert_int_equal(drop_sum(DROP_RAW_IP) - bad, 3);
	close_ring();
}

TEST(pieces_are_put_together)
{
	uint32_t spi[N];
	uint8_t *ip;

	open_ring(8);
	ip = (uint8_t *)frame(0) + NET_AT;
	ready(0, packet(ip, 0, 300, 127, 1400 / 8), 0); /* the last one first */
	ip = (uint8_t *)frame(1) + NET_AT;
	ready(1, packet(ip, 42, 1400, 127, 0x2000), 0);
	assert_int_equal(take(spi, N), 1);
	assert_int_equal(spi[0], 42);
	assert_int_equal(t.count.pieces, 2);
	close_ring();
}

TEST(pieces_without_end_do_not_hold_the_worker)
{
	struct buf *b[N];
	unsigned used = 0;

	open_ring(128);
	for (unsigned i = 0; i < 1000; i++)
		ready(i, packet((uint8_t *)frame(i) + NET_AT, 1, 80, 127,
				0x2000), 0);
	assert_int_equal(pring_recv(t.ring, &t.rx, b, 8), 0);
	for (unsigned i = 0; i < 1000; i++)
		used += frame(i)->tp_status == TP_STATUS_KERNEL;
	assert_in_range(used, 8, 64);
	close_ring();
}

TEST(without_buffers_packets_are_lost_and_counted)
{
	uint64_t lost = drop_sum(DROP_NO_BUF);
	struct buf *held;
	uint32_t spi[N];

	open_ring(1);
	held = buf_new(t.rx.big);
	assert_non_null(held);
	for (unsigned i = 0; i < 5; i++)
		put(i, 1 + i, 1000);
	assert_int_equal(take(spi, N), 0);
	assert_int_equal(drop_sum(DROP_NO_BUF) - lost, 5);
	buf_put(held);
	put(5, 6, 1000);
	assert_int_equal(take(spi, N), 1);
	assert_int_equal(spi[0], 6);
	close_ring();
}

TEST(a_ring_that_cannot_be_mapped_is_an_error)
{
	struct pring *r = NULL;

	assert_int_equal(pring_new(&r, -1), ERR_SYS);
	assert_null(r);
}
