/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_sock.c - the set of sockets as text, and opening it.
 */
#include "daemon/core/sock.h"
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/core/udp.h"
#include "daemon/core/udp_tx.h"
#include "test/lib/test.h"

static struct sock_set
numbered(unsigned n_worker)
{
	struct sock_set s;
	int next = 3;

	memset(&s, 0xff, sizeof(s));
	s.n_worker = n_worker;
	s.ike[0] = next++;
	s.nat_ike[1] = next++;
	s.ctl = next++;
	s.lease = next++;
	for (unsigned i = 0; i < n_worker * vpn_lanes(n_worker); i++)
		for (int fam = 0; fam < FAM_END; fam++)
			s.nat[i][fam] = next++;
	return s;
}

TEST(sock_set_survives_its_text_form)
{
	char text[SOCK_SPEC_MAX];
	struct sock_set a, b;

	for (unsigned n = 1; n <= VPN_WORKER_MAX; n++) {
		a = numbered(n);
		sock_spec(&a, text, sizeof(text));
		assert_int_equal(sock_parse(text, &b), 0);
		assert_memory_equal(&a, &b, sizeof(a));
	}
}

TEST(sock_parse_refuses_what_is_not_a_set)
{
	static const char *const bad[] = {
		"", "x", "0", "1", "1,2", "1,2,3,4,5,6,7,8,9,", "65,1",
		"1,1,2,3,4,5,6,7,8,9,10", "1,a,b,c,d,e,f,g,h,i",
		"99999999999,1",
	};
	struct sock_set s;

	for (unsigned i = 0; i < N_OF(bad); i++)
		assert_int_equal(sock_parse(bad[i], &s), ERR_SYNTAX);
}

/* A bound loopback socket and its endpoint. */
static int
bound(int fam, struct net_ep *ep)
{
	struct sockaddr_in a4 = { .sin_family = AF_INET };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof(a4), len6 = sizeof(a6);
	int on = 1, fd = socket(fam == FAM_V4 ? AF_INET : AF_INET6,
				SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (fam == FAM_V4) {
		a4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
		if (bind(fd, (struct sockaddr *)&a4, len) != 0)
			goto fail;
		getsockname(fd, (struct sockaddr *)&a4, &len);
		assert_int_equal(net_ep_parse("127.0.0.1", ep), 0);
		ep->port = ntohs(a4.sin_port);
		return fd;
	}
	a6.sin6_addr = in6addr_loopback;
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a6, len6) != 0)
		goto fail;
	getsockname(fd, (struct sockaddr *)&a6, &len6);
	assert_int_equal(net_ep_parse("::1", ep), 0);
	ep->port = ntohs(a6.sin6_port);
	return fd;
fail:
	close(fd);
	return -1;
}

static void
batch_crosses(int fam)
{
	struct vpn_path path = { .encap = VPN_ENCAP_UDP };
	struct net_ep from, to;
	struct buf_pool *pool;
	struct buf *b[VPN_BATCH], *got[VPN_BATCH];
	struct udp_tx *out;
	int tx = bound(fam, &from), rx = bound(fam, &to);
	unsigned n;

	if (tx < 0 || rx < 0) { /* a machine without IPv6 */
		assert_int_equal(fam, FAM_V6);
		return;
	}
	assert_int_equal(buf_pool_new(&pool, 2 * VPN_BATCH,
				      BUF_ROOM_DEFAULT), 0);
	for (unsigned i = 0; i < VPN_BATCH; i++) {
		b[i] = buf_new(pool);
		memset(buf_append(b[i], i + 1), (int)i, i + 1);
	}
	path.remote = to;
	path.local.ip = from.ip;
	assert_int_equal(udp_tx_new(&out, 0), 0);
	udp_tx_add(out, tx, &path, b, VPN_BATCH);
	udp_tx_flush(out);
	udp_tx_free(out);
	n = udp_recv(rx, pool, 4500, false, got, VPN_BATCH);
	assert_int_equal(n, VPN_BATCH);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(got[i]->len, i + 1);
		assert_int_equal(got[i]->data[i], i);
		assert_true(net_ep_equal(&got[i]->from, &from));
		assert_true(ip_equal(&got[i]->to.ip, &to.ip));
		assert_int_equal(got[i]->to.port, 4500);
		assert_int_equal(got[i]->kind, VPN_ENCAP_UDP);
		buf_put(got[i]);
	}
	buf_pool_free(pool);
	close(tx);
	close(rx);
}

TEST(udp_batch_crosses_ipv4_with_its_endpoints)
{
	batch_crosses(FAM_V4);
}

TEST(udp_batch_crosses_ipv6_with_its_endpoints)
{
	batch_crosses(FAM_V6);
}

static void
send_one(int fd, const struct net_ep *to, bool natt, struct view msg)
{
	struct net_ep any = { 0 };
	struct udp_way way = { .local = &any, .remote = to, .is_natt = natt };

	udp_send_msg(fd, &way, msg);
}

TEST(udp_message_carries_the_marker_only_when_asked)
{
	struct net_ep from, to;
	struct view msg = { (const uint8_t *)"abcde", 5 };
	uint8_t in[16];
	int tx = bound(FAM_V4, &from), rx = bound(FAM_V4, &to);

	send_one(tx, &to, false, msg);
	assert_int_equal(recv(rx, in, sizeof(in), 0), 5);
	assert_memory_equal(in, "abcde", 5);
	send_one(tx, &to, true, msg);
	assert_int_equal(recv(rx, in, sizeof(in), 0), 9);
	assert_memory_equal(in, "\0\0\0\0abcde", 9);
	close(tx);
	close(rx);
}

TEST(udp_recv_without_buffers_drops_instead_of_blocking)
{
	struct net_ep from, to;
	struct view msg = { (const uint8_t *)"x", 1 };
	struct buf_pool *pool;
	struct buf *only, *got[1];
	int tx = bound(FAM_V4, &from), rx = bound(FAM_V4, &to);

	assert_int_equal(buf_pool_new(&pool, 1, BUF_ROOM_DEFAULT), 0);
	only = buf_new(pool);
	send_one(tx, &to, false, msg);
	assert_int_equal(udp_recv(rx, pool, 0, false, got, 1), 0);
	buf_put(only);
	assert_int_equal(udp_recv(rx, pool, 0, false, got, 1), 0);
	buf_pool_free(pool);
	close(tx);
	close(rx);
}

TEST(udp_probe_names_the_address_towards_loopback)
{
	int probe[FAM_END] = { socket(AF_INET, SOCK_DGRAM, 0), -1 };
	struct ip_addr lo, v6, got;

	assert_int_equal(ip_parse("127.0.0.1", &lo), 0);
	assert_int_equal(ip_parse("::1", &v6), 0);
	got = udp_local_addr(probe, &lo);
	assert_true(ip_equal(&got, &lo));
	got = udp_local_addr(probe, &v6); /* no such socket */
	assert_int_equal(got.family, 0);
	close(probe[FAM_V4]);
}

/* Sockets of a daemon on ports that nobody has. */
static void
open_somewhere(struct sock_set *s, unsigned n_worker, uint16_t *port)
{
	struct conf c = { 0 };
	char why[256];
	struct net_ep ep;
	int err = ERR_SYS, fd;

	for (unsigned i = 0; i < 20 && err != 0; i++) {
		fd = bound(FAM_V4, &ep);
		close(fd);
		c.port = ep.port;
		c.nat_port = ep.port ^ 1u;
		err = sock_open(s, &c, n_worker, 0, why, sizeof(why));
	}
	assert_int_equal(err, 0);
	*port = (uint16_t)c.nat_port;
}

/* Which socket of port 4500 has something: its number, n for the one of IKE,
 * -1 for none. */
static int
who_has(const struct sock_set *s, unsigned n)
{
	uint8_t b[16];

	if (recv(s->nat_ike[FAM_V4], b, sizeof(b), 0) > 0)
		return (int)n;
	for (unsigned i = 0; i < n; i++)
		if (recv(s->nat[i][FAM_V4], b, sizeof(b), 0) > 0)
			return (int)i;
	return -1;
}

static void
steers(unsigned n_worker)
{
	unsigned n_lane = vpn_lanes(n_worker), n = n_worker * n_lane;
	struct net_ep ep;
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = bound(FAM_V4, &ep);
	struct sock_set s;
	uint16_t port;

	open_somewhere(&s, n_worker, &port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(port);
	for (uint32_t spi = 0; spi < 1000; spi += 7) {
		unsigned worker = (spi & 63) % n_worker;
		unsigned lane = spi >> 6 & (n_lane - 1);
		uint32_t be = htonl(spi);

		assert_int_equal(sendto(fd, &be, sizeof(be), 0,
					(struct sockaddr *)&to, sizeof(to)), 4);
		assert_int_equal(who_has(&s, n), spi == 0 ? (int)n :
				 (int)(worker * n_lane + lane));
	}
	assert_int_equal(sendto(fd, "\xff", 1, 0, (struct sockaddr *)&to,
				sizeof(to)), 1); /* a keep-alive */
	assert_int_equal(who_has(&s, n), 0);
	sock_close(&s);
	close(fd);
}

TEST(port_4500_is_split_by_worker_and_lane_and_ike_has_its_own)
{
	steers(1);
	steers(3);
	steers(16);
	steers(40); /* too many for lanes */
}

/* The socket that has the datagram: 'i' IKE, 'd' door, 'I' and 'D' those of port
 * 4500, '-' none. */
static char
which(const struct sock_set *s)
{
	static const char name[] = "idID";
	int fd[] = { s->ike[FAM_V4], s->door[FAM_V4], s->nat_ike[FAM_V4],
		     s->nat_door[FAM_V4] };
	uint8_t b[64];

	for (unsigned i = 0; i < N_OF(fd); i++)
		if (recv(fd[i], b, sizeof(b), 0) > 0)
			return name[i];
	return '-';
}

TEST(requests_of_strangers_have_sockets_of_their_own)
{
	static const struct {
		uint8_t xchg, flags;
		char at_500, at_4500;
	} row[] = {
		{ 34, 0x08, 'd', 'D' },	/* IKE_SA_INIT request */
		{ 34, 0x00, 'd', 'D' },	/* with a wrong flag */
		{ 34, 0x20, 'i', 'I' },	/* its response */
		{ 34, 0x28, 'i', 'I' },
		{ 35, 0x08, 'i', 'I' },	/* IKE_AUTH */
		{ 37, 0x00, 'i', 'I' },	/* INFORMATIONAL */
		{ 37, 0x20, 'i', 'I' },
		{ 0, 0x08, 'i', 'I' },
	};
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct net_ep ep;
	int fd = bound(FAM_V4, &ep);
	struct sock_set s;
	uint16_t port;

	open_somewhere(&s, 2, &port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (unsigned i = 0; i < N_OF(row); i++)
		for (size_t len = 20; len <= 28; len += 4) {
			uint8_t m[32] = { 0 };

			m[4 + 18] = row[i].xchg;
			m[4 + 19] = row[i].flags;
			to.sin_port = htons(port ^ 1u);
			assert_int_equal(sendto(fd, m + 4, len, 0,
			    (struct sockaddr *)&to, sizeof(to)), (ssize_t)len);
			assert_int_equal(which(&s), row[i].at_500);
			to.sin_port = htons(port);
			assert_int_equal(sendto(fd, m, len + 4, 0,
			    (struct sockaddr *)&to, sizeof(to)),
			    (ssize_t)len + 4);
			assert_int_equal(which(&s), row[i].at_4500);
		}
	/* too short to say */
	to.sin_port = htons(port ^ 1u);
	assert_int_equal(sendto(fd, "\0\0\0\0", 4, 0, (struct sockaddr *)&to,
				sizeof(to)), 4);
	assert_int_equal(which(&s), 'i');
	sock_close(&s);
	close(fd);
}

TEST(a_list_of_all_descriptors_of_the_most_workers_has_room)
{
	int fd[SOCK_FD_MAX + 64];
	struct sock_set s;

	memset(&s, 0, sizeof(s));	/* every descriptor is 0: open */
	s.n_worker = VPN_WORKER_MAX;
	assert_int_equal(sock_list(&s, fd), SOCK_FD_MAX);
}
