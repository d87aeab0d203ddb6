/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_tap.c - frames of a TAP queue, which a pair of datagram
 * sockets plays: one read or write is one frame there too.
 */
#include "daemon/core/tap.h"
#include <fcntl.h>
#include <linux/virtio_net.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/drop.h"
#include "daemon/ipc/msg.h"
#include "test/unit/esp/frames.h"

#define VNET (IPC_TAP_VNET | IPC_TAP_TSO)

static int fd[2];
static struct buf_pool *pool;
static struct fr frame, one;
static struct tap_count count;
static bool is_gone;

static void
begin(void)
{
	int big = 1 << 20;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0,
				    fd), 0);
	setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
	setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
	assert_int_equal(buf_pool_new(&pool, 64, TAP_BIG_ROOM), 0);
	drop_reset();
	memset(&count, 0, sizeof(count));
	is_gone = false;
}

static void
end(void)
{
	assert_int_equal(buf_pool_used(pool), 0);
	buf_pool_free(pool);
	close(fd[0]);
	close(fd[1]);
}

/* As the kernel would hand it over. */
static void
feed(const struct virtio_net_hdr *h, const void *p, size_t len)
{
	static uint8_t raw[FR_MAX + 16];

	memcpy(raw, h, sizeof(*h));
	memcpy(raw + sizeof(*h), p, len);
	assert_int_equal(write(fd[1], raw, sizeof(*h) + len),
			 sizeof(*h) + len);
}

static unsigned
take(struct buf **b, unsigned n)
{
	return tap_read(fd[0], VNET, pool, b, n, 1 << 20, &is_gone, &count);
}

static struct fr_spec
spec(size_t len)
{
	return (struct fr_spec){ .is_ether = true, .family = 4, .is_tcp = true,
				 .flags = 0x18, .len = len };
}

/* Header of a TCP super-frame; its checksum becomes partial. */
static struct virtio_net_hdr
partial(uint8_t type, uint16_t size)
{
	be16_put(frame.b + frame.l4 + 16, fr_pseudo(frame.b + frame.ip, true,
						    frame.len - frame.l4));
	return (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = type,
		.gso_size = size,
		.csum_start = (uint16_t)frame.l4,
		.csum_offset = 16,
	};
}

TEST(a_plain_frame_gets_its_checksum_completed)
{
	struct fr_spec s = spec(700);
	struct virtio_net_hdr h;
	struct buf *b;

	begin();
	fr_make(&frame, &s);
	one = frame;
	h = partial(VIRTIO_NET_HDR_GSO_NONE, 0);
	feed(&h, frame.b, frame.len);
	assert_int_equal(take(&b, 1), 1);
	assert_int_equal(b->len, one.len);
	assert_memory_equal(b->data, one.b, one.len);
	assert_int_equal(b->seg_len, 0);
	assert_int_equal(count.frames, 1);
	buf_put(b);
	end();
}

TEST(a_super_frame_keeps_its_segment_size)
{
	struct fr_spec s = spec(64000);
	struct virtio_net_hdr h;
	struct buf *b;

	begin();
	fr_make(&frame, &s);
	h = partial(VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN, 1000);
	feed(&h, frame.b, frame.len);
	assert_int_equal(take(&b, 1), 1);
	assert_int_equal(b->seg_len, 1000);
	assert_int_equal(b->len, frame.len);
	assert_int_equal(count.supers, 1);
	assert_int_equal(count.frames, 64);
	buf_put(b);
	end();
}

TEST(headers_that_lie_are_dropped)
{
	struct fr_spec s = spec(3000);
	struct virtio_net_hdr good, h;
	struct buf *b[2];

	begin();
	fr_make(&frame, &s);
	good = partial(VIRTIO_NET_HDR_GSO_TCPV4, 1000);
	for (unsigned i = 0; i < 8; i++) {
		h = good;
		switch (i) {
		case 0: h.gso_type = VIRTIO_NET_HDR_GSO_TCPV6; break;
		case 1: h.gso_type = 5; break; /* UDP */
		case 2: h.gso_type = 77; break;
		case 3: h.gso_size = 0; break;
		case 4: h.csum_start++; break;
		case 5: h.csum_offset = 6; break;
		case 6: h.flags = 0; break;
		default:
			h.gso_type = VIRTIO_NET_HDR_GSO_NONE;
			h.csum_start = 65535;
			break;
		}
		feed(&h, frame.b, frame.len);
		assert_int_equal(take(b, 2), 0);
		assert_int_equal(drop_sum(DROP_TAP_HEADER), i + 1);
	}
	/* a header and nothing behind it */
	feed(&good, frame.b, 0);
	assert_int_equal(take(b, 2), 0);
	assert_int_equal(drop_sum(DROP_TAP_HEADER), 9);
	assert_false(is_gone);
	end();
}

TEST(reading_ends_at_the_count_at_the_bytes_and_at_the_end)
{
	struct virtio_net_hdr h = { 0 };
	struct fr_spec s = spec(1000);
	struct buf *b[8];

	begin();
	fr_make(&frame, &s);
	for (unsigned i = 0; i < 6; i++)
		feed(&h, frame.b, frame.len);
	assert_int_equal(take(b, 3), 3);
	buf_put(b[0]);
	buf_put(b[1]);
	buf_put(b[2]);
	assert_int_equal(tap_read(fd[0], VNET, pool, b, 8, 1500, &is_gone,
				  &count), 2);
	buf_put(b[0]);
	buf_put(b[1]);
	assert_int_equal(take(b, 8), 1);
	buf_put(b[0]);
	assert_int_equal(take(b, 8), 0);
	assert_false(is_gone);
	end();
}

TEST(a_device_that_is_gone_is_noticed)
{
	struct buf *b;
	int p[2];

	begin();
	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	/* Writing ends cannot be read: an error that is not "later". */
	assert_int_equal(tap_read(p[1], VNET, pool, &b, 1, 1, &is_gone,
				  &count), 0);
	assert_true(is_gone);
	close(p[0]);
	close(p[1]);
	end();
}

TEST(coalesced_frames_are_written_as_one_with_their_description)
{
	struct fr_spec s = spec(3500);
	static struct esp_gro g;
	static uint8_t got[8192];
	struct virtio_net_hdr h;
	ssize_t n;

	begin();
	esp_gro_init(&g, false);
	fr_make(&frame, &s);
	for (size_t i = 0; fr_cut(&frame, &s, 1000, i, &one); i++) {
		struct buf *b = buf_new(pool);

		memcpy(buf_append(b, one.len), one.b, one.len);
		assert_true(esp_gro_add(&g, b));
	}
	tap_write_all(fd, 1, &g, &count);
	assert_int_equal(g.n, 0);
	assert_int_equal(count.frames, 4);
	assert_int_equal(count.supers, 1);
	n = read(fd[1], got, sizeof(got));
	assert_int_equal(n, sizeof(h) + frame.len);
	memcpy(&h, got, sizeof(h));
	assert_int_equal(h.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(h.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(h.gso_size, 1000);
	assert_int_equal(h.hdr_len, frame.data);
	assert_int_equal(h.csum_start, frame.l4);
	assert_int_equal(h.csum_offset, 16);
	/* Reading it back gives what was cut. */
	assert_memory_equal(got + sizeof(h) + frame.data,
			    frame.b + frame.data, 3500);
	assert_int_equal(read(fd[1], got, sizeof(got)), -1);
	end();
}

TEST(without_headers_frames_pass_as_they_are)
{
	struct fr_spec s = spec(900);
	uint8_t got[2048];
	struct buf *b;

	begin();
	fr_make(&frame, &s);
	assert_int_equal(write(fd[1], frame.b, frame.len), frame.len);
	assert_int_equal(tap_read(fd[0], 0, pool, &b, 1, 1, &is_gone, &count),
			 1);
	assert_memory_equal(b->data, frame.b, frame.len);
	tap_write(fd[0], b, &count);
	assert_int_equal(read(fd[1], got, sizeof(got)), frame.len);
	assert_memory_equal(got, frame.b, frame.len);
	end();
}

TEST(without_a_buffer_one_frame_is_taken_off_and_dropped)
{
	struct virtio_net_hdr h = { 0 };
	struct buf *all[64], *b;

	begin();
	for (unsigned i = 0; i < 64; i++)
		all[i] = buf_new(pool);
	feed(&h, "0123456789abcdef", 16);
	feed(&h, "0123456789abcdef", 16);
	assert_int_equal(take(&b, 1), 0);
	assert_int_equal(drop_sum(DROP_NO_BUF), 1);
	for (unsigned i = 0; i < 64; i++)
		buf_put(all[i]);
	assert_int_equal(take(&b, 1), 1);
	buf_put(b);
	end();
}
