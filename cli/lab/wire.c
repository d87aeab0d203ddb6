/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/wire.c - listen on the lab's internet and say what was on it.
 */
#include "cli/lab/wire.h"
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cli/lab/proc.h"
#include "daemon/base/cur.h"

#define PORT_IKE      500
#define PORT_NAT      4500
#define RCVBUF_BYTES  (8 << 20)	/* nothing may be missed between two reads */
#define NEXT_HOP	0	/* IPv6 hop-by-hop options, before MLD */
#define NEXT_ICMP6	58

static const struct {
	const char *key, *text;
} names[WIRE_END] = {
	[WIRE_ESP_UDP] = { "esp_udp", "ESP in UDP" },
	[WIRE_ESP] = { "esp", "bare ESP" },
	[WIRE_IKE] = { "ike", "IKE" },
	[WIRE_KEEPALIVE] = { "keepalive", "NAT keep-alive" },
	[WIRE_NEIGH] = { "neighbour", "ARP and ND of the gateways" },
	[WIRE_INNER] = { "inner", "inner addresses in clear" },
	[WIRE_OTHER] = { "other", "anything else" },
};

const char *
wire_class_key(enum wire_class c)
{
	return names[c].key;
}

const char *
wire_class_text(enum wire_class c)
{
	return names[c].text;
}

/* RFC 3948 2.2: four zero bytes in front of IKE on the NAT port. */
static enum wire_class
classify_udp(struct cur *c)
{
	uint16_t sport, dport;
	struct view rest;

	if (cur_u16(c, &sport) != 0 || cur_u16(c, &dport) != 0 ||
	    cur_skip(c, 4) != 0)
		return WIRE_OTHER;
	cur_rest(c, &rest);
	if (sport == PORT_IKE || dport == PORT_IKE)
		return WIRE_IKE;
	if (sport != PORT_NAT && dport != PORT_NAT)
		return WIRE_OTHER;
	if (rest.len == 1 && rest.p[0] == 0xff)
		return WIRE_KEEPALIVE;
	if (rest.len < 8)
		return WIRE_OTHER;
	return be32_get(rest.p) == 0 ? WIRE_IKE : WIRE_ESP_UDP;
}

static enum wire_class
classify_ip4(struct cur *c)
{
	uint8_t vihl, proto;
	uint16_t frag;
	uint32_t src, dst;
	size_t head;

	if (cur_u8(c, &vihl) != 0 || cur_skip(c, 5) != 0 ||
	    cur_u16(c, &frag) != 0 || cur_skip(c, 1) != 0 ||
	    cur_u8(c, &proto) != 0 || cur_skip(c, 2) != 0 ||
	    cur_u32(c, &src) != 0 || cur_u32(c, &dst) != 0)
		return WIRE_OTHER;
	if (src >> 24 == 10 || dst >> 24 == 10)
		return WIRE_INNER;
	head = (size_t)(vihl & 15) * 4;
	if (head < 20 || cur_skip(c, head - 20) != 0 || (frag & 0x1fff) != 0)
		return WIRE_OTHER;
	if (proto == IPPROTO_ESP)
		return WIRE_ESP;
	return proto == IPPROTO_UDP ? classify_udp(c) : WIRE_OTHER;
}

static enum wire_class
classify_ip6(struct cur *c)
{
	uint8_t next, src[16], dst[16], type = 0;

	if (cur_skip(c, 6) != 0 || cur_u8(c, &next) != 0 ||
	    cur_skip(c, 1) != 0 || cur_copy(c, src, 16) != 0 ||
	    cur_copy(c, dst, 16) != 0)
		return WIRE_OTHER;
	if (src[0] == 0xfd || dst[0] == 0xfd)
		return WIRE_INNER;
	if (next == NEXT_HOP) {
		if (cur_u8(c, &next) != 0 || cur_skip(c, 7) != 0)
			return WIRE_OTHER;
	}
	if (next == IPPROTO_ESP)
		return WIRE_ESP;
	if (next == IPPROTO_UDP)
		return classify_udp(c);
	if (next != NEXT_ICMP6 || cur_u8(c, &type) != 0)
		return WIRE_OTHER;
	/* MLD 130-132, 143; ND 133-137: not echo, not errors */
	return (type >= 130 && type <= 137) || type == 143 ? WIRE_NEIGH :
	    WIRE_OTHER;
}

static enum wire_class
classify_arp(struct cur *c)
{
	uint32_t sender, target;

	if (cur_skip(c, 14) != 0 || cur_u32(c, &sender) != 0 ||
	    cur_skip(c, 6) != 0 || cur_u32(c, &target) != 0)
		return WIRE_OTHER;
	return sender >> 24 == 10 || target >> 24 == 10 ? WIRE_INNER :
	    WIRE_NEIGH;
}

enum wire_class
wire_classify(const void *frame, size_t len)
{
	uint16_t type;
	struct cur c;

	cur_init(&c, frame, len);
	if (cur_skip(&c, 12) != 0 || cur_u16(&c, &type) != 0)
		return WIRE_OTHER;
	switch (type) {
	case ETH_P_IP:
		return classify_ip4(&c);
	case ETH_P_IPV6:
		return classify_ip6(&c);
	case ETH_P_ARP:
		return classify_arp(&c);
	default:
		return WIRE_OTHER;
	}
}

int
wire_open(struct wire *w, const char *ns, const char *dev)
{
	struct sockaddr_ll sa = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL) };
	int back, size = RCVBUF_BYTES;

	memset(w, 0, sizeof(*w));
	w->fd = -1;
	if (proc_ns_enter(ns, &back) != 0)
		return ERR_SYS;
	w->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       htons(ETH_P_ALL));
	sa.sll_ifindex = (int)if_nametoindex(dev);
	proc_ns_leave(back);
	if (w->fd < 0)
		return ERR_SYS;
	if (setsockopt(w->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) != 0 &&
	    setsockopt(w->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) != 0)
		goto fail;
	if (sa.sll_ifindex == 0 ||
	    bind(w->fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		goto fail;
	return 0;
fail:
	wire_close(w);
	return ERR_SYS;
}

void
wire_read(struct wire *w)
{
	struct tpacket_stats st = { 0 };
	socklen_t st_len = sizeof(st);
	uint8_t buf[65536];
	ssize_t n;

	if (w->fd < 0)
		return;
	while ((n = recv(w->fd, buf, sizeof(buf), 0)) >= 0) {
		w->n[wire_classify(buf, (size_t)n)]++;
		w->n_frame++;
		if (memmem(buf, (size_t)n, WIRE_MARKER,
			   sizeof(WIRE_MARKER) - 1) != NULL)
			w->n_marker++;
	}
	if (getsockopt(w->fd, SOL_PACKET, PACKET_STATISTICS, &st, &st_len) == 0)
		w->n_lost += st.tp_drops;
}

void
wire_close(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

bool
wire_is_esp_only(const struct wire *w)
{
	return w->n[WIRE_ESP_UDP] + w->n[WIRE_ESP] > 0 &&
	    w->n[WIRE_INNER] == 0 && w->n[WIRE_OTHER] == 0 &&
	    w->n_marker == 0 && w->n_lost == 0;
}
