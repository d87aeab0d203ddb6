/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/pcapng.c - blocks of a pcapng file, little-endian.
 */
#include "daemon/bus/pcapng.h"
#include <string.h>
#include "daemon/base/drop.h"
#include "daemon/base/str.h"

#define BLOCK_SECTION	0x0a0d0d0au
#define BLOCK_INTERFACE	1u
#define BLOCK_STATISTICS 5u
#define BLOCK_PACKET	6u
#define MAGIC		0x1a2b3c4du
#define LINK_ETHERNET	1u
#define LINK_RAW_IP	101u
#define OPT_END		0u
#define OPT_COMMENT	1u
#define OPT_APPLICATION	4u		/* of the section */
#define OPT_NAME	2u		/* of an interface */
#define OPT_DESCRIPTION	3u
#define OPT_RESOLUTION	9u
#define OPT_FLAGS	2u		/* of a packet */
#define FLAG_IN		1u
#define FLAG_OUT	2u
#define NANOSECONDS	9u		/* 10^-9 */
#define HEADS_MAX	64		/* IPv6, UDP, marker */
#define BODY_MAX	(CAP_WIRE_MAX + 1024)

/* A block as it is put together. */
struct block {
	size_t n;
	uint8_t b[BODY_MAX];
};

static void
put32(struct block *k, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		k->b[k->n++] = (uint8_t)(v >> 8 * i);
}

static void
put16(struct block *k, uint32_t v)
{
	k->b[k->n++] = (uint8_t)v;
	k->b[k->n++] = (uint8_t)(v >> 8);
}

static void
put(struct block *k, const void *p, size_t n)
{
	memcpy(k->b + k->n, p, n);
	k->n += n;
}

static void
pad(struct block *k)
{
	while (k->n % 4 != 0)
		k->b[k->n++] = 0;
}

static void
option(struct block *k, uint32_t code, const void *p, size_t n)
{
	put16(k, code);
	put16(k, (uint32_t)n);
	put(k, p, n);
	pad(k);
}

static void
begin(struct block *k, uint32_t type)
{
	k->n = 0;
	put32(k, type);
	put32(k, 0);			/* the length, at the end */
}

static struct view
end(struct block *k)
{
	uint32_t n;

	put16(k, OPT_END);
	put16(k, 0);
	n = (uint32_t)k->n + 4;
	put32(k, n);
	for (int i = 0; i < 4; i++)
		k->b[4 + i] = (uint8_t)(n >> 8 * i);
	return (struct view){ k->b, k->n };
}

static void
end_to(struct block *k, FILE *out)
{
	struct view v = end(k);

	fwrite(v.p, 1, v.len, out);
}

/* ---- interfaces ------------------------------------------------------------ */

static const struct {
	const char *name, *what;
	uint32_t link;
} iface[PCAPNG_IF_END] = {
	[PCAPNG_CLEAR] = { "clear", "Ethernet inside of tunnels",
			   LINK_ETHERNET },
	[PCAPNG_CLEAR_IP] = { "clear-ip", "IP inside of tunnels", LINK_RAW_IP },
	[PCAPNG_ESP] = { "esp", "ESP on the wire", LINK_RAW_IP },
	[PCAPNG_IKE] = { "ike", "IKE on the wire", LINK_RAW_IP },
};

enum pcapng_if
pcapng_if_of(enum cap_side side)
{
	switch (side) {
	case CAP_PACKET:
		return PCAPNG_CLEAR_IP;
	case CAP_ESP:
	case CAP_ESP_UDP:
		return PCAPNG_ESP;
	case CAP_IKE:
	case CAP_IKE_NATT:
		return PCAPNG_IKE;
	default:
		return PCAPNG_CLEAR;
	}
}

const char *
pcapng_if_name(enum pcapng_if i)
{
	return (unsigned)i < PCAPNG_IF_END ? iface[i].name : "?";
}

void
pcapng_begin(FILE *out)
{
	static const uint8_t resolution = NANOSECONDS;
	static const char app[] = "tapir capture";
	static struct block k;

	begin(&k, BLOCK_SECTION);
	put32(&k, MAGIC);
	put16(&k, 1);			/* version 1.0 */
	put16(&k, 0);
	put32(&k, UINT32_MAX);		/* length of the section: not said */
	put32(&k, UINT32_MAX);
	option(&k, OPT_APPLICATION, app, strlen(app));
	end_to(&k, out);
	for (unsigned i = 0; i < PCAPNG_IF_END; i++) {
		begin(&k, BLOCK_INTERFACE);
		put16(&k, iface[i].link);
		put16(&k, 0);
		put32(&k, 0);		/* no limit to what is kept */
		option(&k, OPT_NAME, iface[i].name, strlen(iface[i].name));
		option(&k, OPT_DESCRIPTION, iface[i].what,
		       strlen(iface[i].what));
		option(&k, OPT_RESOLUTION, &resolution, 1);
		end_to(&k, out);
	}
}

/* ---- headers of the wire --------------------------------------------------- */

static uint32_t
sum(uint32_t s, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		s += be16_get(p + i);
	if (n % 2 != 0)
		s += (uint32_t)p[n - 1] << 8;
	while (s >> 16 != 0)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

static void
head_ip(struct wcur *w, const struct net_ep *from, const struct net_ep *to,
	uint8_t proto, size_t len)
{
	uint8_t b[20];
	struct wcur h;

	if (to->ip.family == 6 || from->ip.family == 6) {
		wcur_u32(w, 0x60000000);
		wcur_u16(w, (uint16_t)MIN(len, (size_t)UINT16_MAX));
		wcur_u8(w, proto);
		wcur_u8(w, 64);
		wcur_bytes(w, from->ip.b, 16);
		wcur_bytes(w, to->ip.b, 16);
		return;
	}
	wcur_init(&h, b, sizeof(b));
	wcur_u16(&h, 0x4500);
	wcur_u16(&h, (uint16_t)MIN(len + 20, (size_t)UINT16_MAX));
	wcur_u32(&h, 0x00004000);	/* not to be cut */
	wcur_u8(&h, 64);
	wcur_u8(&h, proto);
	wcur_u16(&h, 0);
	wcur_bytes(&h, from->ip.b, 4);
	wcur_bytes(&h, to->ip.b, 4);
	wcur_put16(&h, 10, (uint16_t)~sum(0, b, sizeof(b)));
	wcur_bytes(w, b, sizeof(b));
}

/* What stands before the bytes on the wire: IP, UDP, the marker of IKE. */
static size_t
heads(const struct cap_pkt *p, uint8_t out[HEADS_MAX])
{
	bool is_udp = p->side != CAP_ESP, has_marker = p->side == CAP_IKE_NATT;
	const struct net_ep *from = p->is_out ? &p->local : &p->remote;
	const struct net_ep *to = p->is_out ? &p->remote : &p->local;
	size_t len = p->len + (is_udp ? 8 : 0) + (has_marker ? 4 : 0);
	struct wcur w;
	struct view v;
	uint32_t s;

	wcur_init(&w, out, HEADS_MAX);
	head_ip(&w, from, to, is_udp ? 17 : 50, len);
	if (!is_udp)
		return wcur_done(&w).len;
	wcur_u16(&w, from->port);
	wcur_u16(&w, to->port);
	wcur_u16(&w, (uint16_t)len);
	wcur_u16(&w, 0);
	if (has_marker)
		wcur_u32(&w, 0);
	v = wcur_done(&w);
	if (to->ip.family != 6 && from->ip.family != 6)
		return v.len;
	/* RFC 8200 8.1: in IPv6 UDP has a sum */
	s = sum((uint32_t)len + 17, out + 8, 32);
	s = sum(s, out + 40, v.len - 40);
	s = sum(s, p->bytes.p, p->bytes.len);
	wcur_put16(&w, 46, (uint16_t)(s == 0xffff ? s : ~s));
	return v.len;
}

/* ---- packets --------------------------------------------------------------- */

static void
comment(struct block *k, const struct cap_pkt *p)
{
	char text[256] = "";

	if (p->drop == CAP_NO_DROP)
		return;
	str_add(text, sizeof(text), "dropped: %s: %s",
		drop_key((enum drop)p->drop), drop_text((enum drop)p->drop));
	option(k, OPT_COMMENT, text, strlen(text));
}

/* What is missing, of whichever interface: a comment of the first. */
static struct view
lost(struct block *k, const struct cap_pkt *p)
{
	char text[96] = "";

	begin(k, BLOCK_STATISTICS);
	put32(k, 0);
	put32(k, (uint32_t)(p->time_ns >> 32));
	put32(k, (uint32_t)p->time_ns);
	str_add(text, sizeof(text), "%u packets were lost on the way into this "
		"file", (unsigned)p->len);
	option(k, OPT_COMMENT, text, strlen(text));
	return end(k);
}

struct view
pcapng_block(const struct cap_pkt *p)
{
	enum pcapng_if i = pcapng_if_of(p->side);
	uint8_t head[HEADS_MAX], flags[4] = { 0 };
	static struct block k;
	size_t n = i == PCAPNG_ESP || i == PCAPNG_IKE ? heads(p, head) : 0;

	if (p->side == CAP_LOST)
		return lost(&k, p);
	begin(&k, BLOCK_PACKET);
	put32(&k, (uint32_t)i);
	put32(&k, (uint32_t)(p->time_ns >> 32));
	put32(&k, (uint32_t)p->time_ns);
	put32(&k, (uint32_t)(n + p->bytes.len));
	put32(&k, (uint32_t)(n + p->len));
	put(&k, head, n);
	put(&k, p->bytes.p, p->bytes.len);
	pad(&k);
	comment(&k, p);
	/* of what the hub dropped the direction is not known */
	flags[0] = p->is_out ? FLAG_OUT : FLAG_IN;
	if (p->drop == CAP_NO_DROP || i == PCAPNG_ESP)
		option(&k, OPT_FLAGS, flags, sizeof(flags));
	return end(&k);
}

void
pcapng_packet(FILE *out, const struct cap_pkt *p)
{
	struct view v = pcapng_block(p);

	fwrite(v.p, 1, v.len, out);
}
