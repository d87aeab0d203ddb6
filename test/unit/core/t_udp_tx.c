/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_udp_tx.c - collected sending over loopback: trains, and the
 * ways around kernels that refuse them.
 */
#include "daemon/core/udp_tx.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>
#include "daemon/base/drop.h"
#include "daemon/core/fallback.h"
#include "daemon/core/udp.h"
#include "test/lib/test.h"

#define ROOM (65536 + 832)

static struct buf_pool *pool;
static struct udp_tx *tx;
static struct vpn_path path;
static int out, in;

static int
bound6(struct net_ep *ep)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		close(fd);
		return -1;
	}
	getsockname(fd, (struct sockaddr *)&a, &len);
	assert_int_equal(net_ep_parse("::1", ep), 0);
	ep->port = ntohs(a.sin6_port);
	return fd;
}

static int
bound(struct net_ep *ep)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int on = 1, big = 4 << 20;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	getsockname(fd, (struct sockaddr *)&a, &len);
	setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	assert_int_equal(net_ep_parse("127.0.0.1", ep), 0);
	ep->port = ntohs(a.sin_port);
	return fd;
}

static void
begin(uint32_t fallback)
{
	struct net_ep from;

	drop_reset();
	memset(&path, 0, sizeof(path));
	path.encap = VPN_ENCAP_UDP;
	out = bound(&from);
	in = bound(&path.remote);
	path.local.ip = from.ip;
	assert_int_equal(buf_pool_new(&pool, 256, ROOM), 0);
	assert_int_equal(udp_tx_new(&tx, fallback), 0);
}

static void
end(void)
{
	udp_tx_free(tx);
	assert_int_equal(buf_pool_used(pool), 0);
	buf_pool_free(pool);
	close(in);
	close(out);
}

/* n packets of seg bytes, the last of them shorter by less. */
static struct buf *
train(unsigned n, uint16_t seg, uint16_t less)
{
	struct buf *b = buf_new(pool);

	assert_non_null(b);
	for (unsigned i = 0; i < n; i++)
		memset(buf_append(b, i + 1 < n ? seg : (size_t)seg - less),
		       (int)(i + 1), i + 1 < n ? seg : (size_t)seg - less);
	b->seg_len = n > 1 ? seg : 0;
	return b;
}

static void
expect_packets(unsigned n, uint16_t seg, uint16_t less)
{
	struct buf *b;

	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(udp_recv(in, pool, 1, false, &b, 1), 1);
		assert_int_equal(b->len, i + 1 < n ? seg : seg - less);
		assert_int_equal(b->data[0], i + 1);
		assert_int_equal(b->data[b->len - 1], i + 1);
		assert_int_equal(b->seg_len, 0);
		buf_put(b);
	}
}

static void
expect_end(void)
{
	struct buf *b;

	assert_int_equal(udp_recv(in, pool, 1, false, &b, 1), 0);
}

TEST(a_train_arrives_as_its_packets_with_and_without_the_kernels_help)
{
	for (int has_gso = 0; has_gso < 2; has_gso++) {
		struct buf *b;

		begin(has_gso ? 0 : 1u << FALLBACK_UDP_GSO);
		b = train(40, 1000, 300);
		udp_tx_add(tx, out, &path, &b, 1);
		expect_end(); /* collected, not sent */
		udp_tx_flush(tx);
		expect_packets(40, 1000, 300);
		expect_end();
		assert_int_equal(udp_tx_counts(tx)->packets, 40);
		assert_int_equal(udp_tx_counts(tx)->messages,
				 has_gso ? 1 : 40);
		end();
	}
}

TEST(a_train_crosses_ipv6)
{
	struct net_ep from, to;
	struct buf *b;
	int o6, i6;

	begin(0);
	o6 = bound6(&from);
	i6 = bound6(&to);
	if (o6 >= 0 && i6 >= 0) { /* or a machine without IPv6 */
		path.remote = to;
		path.local.ip = from.ip;
		close(in);
		in = i6;
		b = train(30, 900, 1);
		udp_tx_add(tx, o6, &path, &b, 1);
		udp_tx_flush(tx);
		expect_packets(30, 900, 1);
		assert_int_equal(udp_tx_counts(tx)->messages, 1);
		close(o6);
	}
	end();
}

TEST(trains_and_packets_keep_their_order)
{
	struct buf *b[4];

	begin(0);
	b[0] = train(1, 100, 0);
	b[1] = train(3, 200, 10);
	b[2] = train(1, 300, 0);
	b[3] = train(64, 400, 399);
	udp_tx_add(tx, out, &path, b, 4);
	udp_tx_flush(tx);
	expect_packets(1, 100, 0);
	expect_packets(3, 200, 10);
	expect_packets(1, 300, 0);
	expect_packets(64, 400, 399);
	expect_end();
	assert_int_equal(udp_tx_counts(tx)->messages, 4);
	assert_int_equal(udp_tx_counts(tx)->trains, 2);
	end();
}

TEST(a_refused_train_leaves_packet_by_packet_and_is_remembered)
{
	struct buf *b;

	begin(0);
	/* 65 packets and more are refused by kernels before 6.9, 129 by all. */
	b = train(130, 100, 0);
	udp_tx_add(tx, out, &path, &b, 1);
	udp_tx_flush(tx);
	expect_packets(130, 100, 0);
	assert_int_equal(udp_tx_counts(tx)->refused, 1);
	assert_int_equal(udp_tx_counts(tx)->messages, 130);
	/* Of that size no more trains go there, smaller ones do. */
	b = train(4, 100, 0);
	udp_tx_add(tx, out, &path, &b, 1);
	b = train(4, 99, 0);
	udp_tx_add(tx, out, &path, &b, 1);
	udp_tx_flush(tx);
	expect_packets(4, 100, 0);
	expect_packets(4, 99, 0);
	assert_int_equal(udp_tx_counts(tx)->refused, 1);
	assert_int_equal(udp_tx_counts(tx)->messages, 130 + 5);
	assert_int_equal(drop_sum(DROP_SEND), 0);
	end();
}

TEST(a_kernel_that_refuses_trains_loses_nothing)
{
	struct buf *b;

	begin(1u << FAULT_GSO_REFUSED);
	for (unsigned i = 0; i < 3; i++) {
		b = train(20, 500, 7);
		udp_tx_add(tx, out, &path, &b, 1);
		udp_tx_flush(tx);
		expect_packets(20, 500, 7);
	}
	expect_end();
	assert_int_equal(udp_tx_counts(tx)->refused, 1);
	assert_int_equal(udp_tx_counts(tx)->trains, 0);
	assert_int_equal(udp_tx_counts(tx)->messages, 60);
	assert_int_equal(drop_sum(DROP_SEND), 0);
	end();
}

TEST(what_cannot_be_sent_is_dropped_and_the_rest_is_not)
{
	struct buf *b[3];

	begin(0);
	b[0] = train(1, 100, 0);
	b[1] = buf_new(pool); /* longer than any datagram */
	assert_non_null(buf_append(b[1], 65530));
	b[2] = train(2, 100, 0);
	udp_tx_add(tx, out, &path, b, 3);
	udp_tx_flush(tx);
	expect_packets(1, 100, 0);
	expect_packets(2, 100, 0);
	assert_int_equal(drop_sum(DROP_SEND), 1);
	end();
}

TEST(much_is_sent_before_it_is_asked_for)
{
	struct buf *b;

	begin(0);
	for (unsigned i = 0; i < UDP_TX_MAX; i++) {
		b = train(1, 50, 0);
		udp_tx_add(tx, out, &path, &b, 1);
	}
	assert_int_equal(udp_tx_counts(tx)->messages, UDP_TX_MAX);
	end();
}

TEST(the_kernel_coalesces_a_train_again)
{
	struct buf *b, *got;
	int on = 1;

	begin(0);
	if (setsockopt(in, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) == 0) {
		b = train(20, 1200, 100);
		udp_tx_add(tx, out, &path, &b, 1);
		udp_tx_flush(tx);
		assert_int_equal(udp_recv(in, pool, 7, false, &got, 1), 1);
		assert_int_equal(got->len, 20 * 1200 - 100);
		assert_int_equal(got->seg_len, 1200);
		assert_int_equal(got->to.port, 7);
		assert_true(ip_equal(&got->to.ip, &path.remote.ip));
		buf_put(got);
		b = train(1, 500, 0);
		udp_tx_add(tx, out, &path, &b, 1);
		udp_tx_flush(tx);
		assert_int_equal(udp_recv(in, pool, 7, false, &got, 1), 1);
		assert_int_equal(got->seg_len, 0);
		buf_put(got);
	}
	end();
}

TEST(words_of_fallbacks_are_understood_and_others_are_not)
{
	uint32_t m = 0;

	assert_int_equal(fallback_parse("tap-gso", &m), 0);
	assert_true(fallback_has(m, FALLBACK_TAP_GSO));
	assert_false(fallback_has(m, FALLBACK_USO));
	assert_int_equal(fallback_parse("uso,udp-gso,udp-gro", &m), 0);
	assert_int_equal(m, 14);
	for (int f = 0; f < FAULT_END; f++) {
		assert_int_equal(fallback_parse(fallback_name((enum fallback)f),
						&m), 0);
		assert_int_equal(m, 1u << f);
	}
	assert_int_not_equal(fallback_parse("", &m), 0);
	assert_int_not_equal(fallback_parse("tap-gso,", &m), 0);
	assert_int_not_equal(fallback_parse("tap", &m), 0);
	assert_int_not_equal(fallback_parse("all", &m), 0);
}
