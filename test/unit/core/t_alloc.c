/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_alloc.c - the packet path takes no memory.
 *
 *   TAP 0 -> tap_read -> hub 0 -> esp 0 -> trains -> slices -> esp 1 -> hub 1
 *     -> esp_gro -> tap_write_all -> TAP 1
 *
 * A TAP is a pair of sockets here.  The linker sends malloc() and its like of
 * this program here (--wrap), and OpenSSL takes its memory from here as well.
 * What OpenSSL takes for HMAC is not ours to change: before 3.2 each start of a
 * digest makes a context.
 */
#include "test/lib/test.h"
#define ERR_STATE OPENSSL_ERR_STATE /* a type of theirs, an error of ours */
#include <openssl/crypto.h>
#undef ERR_STATE
#include <linux/virtio_net.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/drop.h"
#include "daemon/base/thr.h"
#include "daemon/core/tap.h"
#include "daemon/ipc/msg.h"
#include "esp/esp.h"
#include "spi/spi_esp.h"
#include "test/unit/esp/frames.h"
#include "vhub/hub.h"

#define LINK	 3
#define VNET	 sizeof(struct virtio_net_hdr)
#define WARM_UP	 4	/* rounds in which contexts are made */
#define ROUNDS	 20

/* ---- counting ------------------------------------------------------------------ */

static bool is_counting;
static unsigned n_taken, n_openssl;

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);

void *
__wrap_malloc(size_t n)
{
	n_taken += is_counting;
	return __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	n_taken += is_counting;
	return __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	n_taken += is_counting;
	return __real_realloc(p, n);
}

void *
__wrap_aligned_alloc(size_t align, size_t n)
{
	n_taken += is_counting;
	return __real_aligned_alloc(align, n);
}

static void *
ossl_malloc(size_t n, const char *file UNUSED, int line UNUSED)
{
	n_openssl += is_counting;
	return __real_malloc(n);
}

static void *
ossl_realloc(void *p, size_t n, const char *file UNUSED, int line UNUSED)
{
	n_openssl += is_counting;
	return __real_realloc(p, n);
}

static void
ossl_free(void *p, const char *file UNUSED, int line UNUSED)
{
	free(p);
}

/* Before OpenSSL has taken anything. */
__attribute__((constructor(101))) static void
watch_openssl(void)
{
	if (CRYPTO_set_mem_functions(ossl_malloc, ossl_realloc, ossl_free) != 1)
		abort();
}

/* ---- two gateways in one thread ------------------------------------------------ */

struct gate {
	struct esp *esp;
	struct hub *hub;
	uint32_t tap, tunnel;	/* ports */
	int dev, host;		/* the daemon's end of the TAP, and the other */
	struct esp_gro gro;
};
static struct gate gate[2];
static struct buf_pool *pool, *bigs, *slices;
static struct fr frame;

static struct buf *
on_buf(void *ctx UNUSED, unsigned worker UNUSED)
{
	return buf_new(pool);
}

static struct buf *
on_big(void *ctx UNUSED, unsigned worker UNUSED)
{
	return buf_new(bigs);
}

static struct buf *
on_slice(void *ctx UNUSED, unsigned worker UNUSED, struct buf *parent,
	 uint8_t *p, size_t len)
{
	return buf_slice(slices, parent, p, len);
}

static void
on_event(void *ctx UNUSED, unsigned worker UNUSED,
	 const struct esp_event *ev UNUSED)
{
}

/* The wire: messages become slices at the other end. */
static void
on_send(void *ctx, unsigned worker, const struct vpn_path *path,
	struct buf **pkts, unsigned n)
{
	struct gate *to = ctx == &gate[0] ? &gate[1] : &gate[0];

	for (unsigned i = 0; i < n; i++) {
		struct buf *part[ESP_TRAIN_SEGS];
		uint32_t seg = pkts[i]->seg_len ? pkts[i]->seg_len :
						  pkts[i]->len;
		unsigned k = 0;

		for (uint32_t at = 0; at < pkts[i]->len; at += seg) {
			part[k] = buf_slice(slices, pkts[i], pkts[i]->data + at,
					    MIN(seg, pkts[i]->len - at));
			assert_non_null(part[k]);
			part[k]->from = path->local;
			part[k++]->kind = VPN_ENCAP_UDP;
		}
		buf_put(pkts[i]);
		esp_input(to->esp, worker, part, k);
	}
}

static void
on_deliver(void *ctx, unsigned worker, uint32_t link UNUSED,
	   struct buf **frames, unsigned n)
{
	struct gate *g = ctx;

	hub_input(g->hub, worker, g->tunnel, frames, n);
}

static void
tunnel_out(void *ctx, unsigned worker, struct buf **frames, unsigned n)
{
	struct gate *g = ctx;

	esp_output(g->esp, worker, LINK, frames, n);
}

static void
tap_out(void *ctx, unsigned worker UNUSED, struct buf **frames, unsigned n)
{
	struct gate *g = ctx;

	for (unsigned i = 0; i < n; i++)
		assert_true(esp_gro_add(&g->gro, frames[i]));
}

static void
gate_open(unsigned i, const char *provider, enum vpn_alg alg)
{
	static const struct vpn_keys keys[2] = { { { 1 }, { 2 } },
						 { { 3 }, { 4 } } };
	struct gate *g = &gate[i];
	struct esp_io io = {
		.ctx = g, .send = on_send, .deliver = on_deliver,
		.buf_new = on_buf, .event = on_event, .big_new = on_big,
		.slice = on_slice,
	};
	struct hub_conf hc = { .name = "r", .n_worker = 1, .buf_new = on_buf };
	struct hub_port_conf tap = { .kind = HUB_PORT_TAP, .name = "tap",
				     .mac = { { 2, 0, 0, 0, 9, (uint8_t)i } },
				     .ops = { g, tap_out } };
	struct hub_port_conf tunnel = { .kind = HUB_PORT_ETHER, .name = "peer",
					.link = LINK, .ops = { g, tunnel_out } };
	struct vpn_child c = {
		.id = 1, .alg = alg, .is_esn = true, .is_initiator = true,
		.esp_spi_in = 0x10000u << i, .esp_spi_out = 0x20000u >> i,
		.mode = VPN_MODE_ETHER,
		.keys_in = &keys[i], .keys_out = &keys[!i],
	};
	int fd[2], room = 1 << 20;

	assert_int_equal(net_ep_parse(i == 0 ? "192.0.2.1:4500" :
				      "192.0.2.2:4500", &c.path.local), 0);
	assert_int_equal(net_ep_parse(i == 0 ? "192.0.2.2:4500" :
				      "192.0.2.1:4500", &c.path.remote), 0);
	c.path.encap = VPN_ENCAP_UDP;
	assert_int_equal(esp_new(&g->esp, 1, &io, provider, NULL), 0);
	assert_int_equal(esp_spi_reserve(g->esp, c.esp_spi_in), 0);
	assert_int_equal(esp_child_add(g->esp, LINK, &c), 0);
	assert_int_equal(hub_new(&g->hub, &hc), 0);
	assert_int_equal(hub_port_add(g->hub, &tap, &g->tap), 0);
	assert_int_equal(hub_port_add(g->hub, &tunnel, &g->tunnel), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
				    fd), 0);
	g->host = fd[0];
	g->dev = fd[1];
	assert_int_equal(setsockopt(g->host, SOL_SOCKET, SO_SNDBUF, &room,
				    sizeof(room)), 0);
	assert_int_equal(setsockopt(g->dev, SOL_SOCKET, SO_SNDBUF, &room,
				    sizeof(room)), 0);
	esp_gro_init(&g->gro, true);
}

static void
gate_close(struct gate *g)
{
	hub_free(g->hub);
	esp_free(g->esp);
	close(g->host);
	close(g->dev);
}

/* ---- frames -------------------------------------------------------------------- */

/* One frame or super-frame into a TAP. */
static void
host_write(unsigned i, bool is_tcp, size_t len, uint16_t seg)
{
	static uint8_t raw[VNET + FR_MAX];
	struct fr_spec s = { .is_ether = true, .family = 4, .is_tcp = is_tcp,
			     .flags = 0x10, .frag = 0x4000, .len = len };
	struct virtio_net_hdr h = { .gso_type = VIRTIO_NET_HDR_GSO_NONE };

	fr_make(&frame, &s);
	frame.b[5] = (uint8_t)!i;
	frame.b[11] = (uint8_t)i;
	if (seg != 0)
		h = (struct virtio_net_hdr){
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = is_tcp ? VIRTIO_NET_HDR_GSO_TCPV4 : 5,
			.hdr_len = (uint16_t)frame.data,
			.gso_size = seg,
			.csum_start = (uint16_t)frame.l4,
			.csum_offset = is_tcp ? 16 : 6,
		};
	memcpy(raw, &h, VNET);
	memcpy(raw + VNET, frame.b, frame.len);
	assert_int_equal(write(gate[i].host, raw, VNET + frame.len),
			 VNET + frame.len);
}

/* What the daemon does with a TAP that is readable.  @return frames. */
static unsigned
daemon_turn(unsigned i)
{
	struct tap_count in = { 0 }, out = { 0 };
	struct buf *b[ESP_BATCH_MAX];
	bool is_gone = false;
	unsigned n;

	n = tap_read(gate[i].dev, IPC_TAP_ALL, bigs, b, ESP_BATCH_MAX, 1 << 20,
		     &is_gone, &in);
	hub_input(gate[i].hub, 0, gate[i].tap, b, n);
	tap_write_all(&gate[!i].dev, 1, &gate[!i].gro, &out);
	return (unsigned)out.frames;
}

/* Payload bytes that came out, all headers off. */
static size_t
host_read(unsigned i)
{
	static uint8_t raw[VNET + FR_MAX];
	struct esp_l4 at;
	size_t sum = 0;
	ssize_t n;

	while ((n = read(gate[i].host, raw, sizeof(raw))) > 0) {
		struct view v = { raw + VNET, (size_t)n - VNET };

		assert_int_equal(esp_l4_find(v, true, &at), 0);
		sum += v.len - at.data;
	}
	return sum;
}

/* A mixed batch from each side; with TCP, UDP, single frames. */
static void
round_trip(bool counts)
{
	for (unsigned i = 0; i < 2; i++) {
		size_t sum = 60000 + 64 * 18 + 3 * 900;

		host_write(i, true, 60000, 1346);
		host_write(i, false, 64 * 18, 18);
		for (unsigned k = 0; k < 3; k++)
			host_write(i, false, 900, 0);
		is_counting = counts;
		assert_in_range(daemon_turn(i), 45 + 64 + 3, 45 + 64 + 3);
		is_counting = false;
		assert_int_equal(host_read(!i), sum);
	}
}

static void
play(const char *provider, enum vpn_alg alg)
{
	drop_reset();
	assert_int_equal(buf_pool_new(&pool, 512, BUF_ROOM_DEFAULT), 0);
	assert_int_equal(buf_pool_new(&bigs, 64, TAP_BIG_ROOM), 0);
	assert_int_equal(buf_pool_new(&slices, 2048, 0), 0);
	for (unsigned i = 0; i < 2; i++)
		gate_open(i, provider, alg);
	for (unsigned i = 0; i < WARM_UP; i++)
		round_trip(false);
	n_taken = n_openssl = 0;
	for (unsigned i = 0; i < ROUNDS; i++)
		round_trip(true);
	if (vpn_alg_info(alg)->integ_key_len != 0)
		n_openssl = 0;
	if (n_taken + n_openssl != 0)
		fail_msg("%s, %s: %u allocations, %u of OpenSSL", provider,
			 vpn_alg_info(alg)->name, n_taken, n_openssl);
	for (unsigned i = 0; i < 2; i++)
		gate_close(&gate[i]);
	buf_pool_free(slices);
	buf_pool_free(bigs);
	buf_pool_free(pool);
}

TEST(packets_take_no_memory)
{
	const struct spi_esp *p;
	unsigned n = 0;

	thr_register();
	for (unsigned i = 0; (p = spi_esp_at(i)) != NULL; i++) {
		if (p->init() != 0)
			continue;
		for (int alg = 1; alg < VPN_ALG_END; alg++)
			if (p->has_alg((enum vpn_alg)alg)) {
				play(p->head.name, (enum vpn_alg)alg);
				n++;
			}
	}
	thr_unregister();
	assert_true(n > 2);
}

/* The counter counts: what is made for a new pair is seen. */
TEST(a_new_context_is_seen)
{
	thr_register();
	assert_int_equal(buf_pool_new(&pool, 512, BUF_ROOM_DEFAULT), 0);
	assert_int_equal(buf_pool_new(&bigs, 64, TAP_BIG_ROOM), 0);
	assert_int_equal(buf_pool_new(&slices, 2048, 0), 0);
	for (unsigned i = 0; i < 2; i++)
		gate_open(i, "openssl", VPN_ALG_AES_GCM_256);
	n_taken = n_openssl = 0;
	round_trip(true);
	assert_true(n_taken >= 2);	/* two gateways, a context each */
	assert_true(n_openssl > 2);
	for (unsigned i = 0; i < 2; i++)
		gate_close(&gate[i]);
	buf_pool_free(slices);
	buf_pool_free(bigs);
	buf_pool_free(pool);
	thr_unregister();
}
