/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/addr.c - reading, printing and comparing addresses.
 *
 * Ranges are computed on 128-bit numbers, so that IPv4 and IPv6 share one way.
 */
#include "daemon/base/addr.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/str.h"

__extension__ typedef unsigned __int128 u128;

static unsigned
bits_of(const struct ip_addr *ip)
{
	return (unsigned)ip_len(ip) * 8;
}

static u128
to_num(const struct ip_addr *ip)
{
	u128 v = 0;

	for (size_t i = 0; i < ip_len(ip); i++)
		v = v << 8 | ip->b[i];
	return v;
}

static struct ip_addr
from_num(uint8_t family, u128 v)
{
	struct ip_addr ip = { .family = family };

	for (size_t i = ip_len(&ip); i-- > 0; v >>= 8)
		ip.b[i] = (uint8_t)v;
	return ip;
}

/* A number of n one bits; n <= 128. */
static u128
ones(unsigned n)
{
	return n == 0 ? 0 : ~(u128)0 >> (128 - n);
}

/* A port after its colon, 1..65535. */
static int
port_parse(const char *text, uint16_t *port)
{
	uint64_t v;

	if (str_u64(text, UINT16_MAX, &v) != 0 || v == 0 || strlen(text) > 5)
		return ERR_ADDR;
	*port = (uint16_t)v;
	return 0;
}

static int
nibble(char ch)
{
	uint8_t v;
	char two[2] = { '0', ch };

	return str_unhex(two, 2, &v, 1) == 1 ? v : -1;
}

int
ip_parse(const char *text, struct ip_addr *ip)
{
	struct ip_addr out = { .family = 4 };

	if (inet_pton(AF_INET, text, out.b) != 1) {
		memset(&out, 0, sizeof(out));
		out.family = 6;
		if (inet_pton(AF_INET6, text, out.b) != 1)
			return ERR_ADDR;
	}
	*ip = out;
	return 0;
}

int
ip_net_parse(const char *text, struct ip_net *net)
{
	const char *slash = strchr(text, '/');
	char left[IP_TEXT_MAX];
	struct ip_net out;
	uint64_t bits;
	int err;

	if (slash == NULL)
		slash = text + strlen(text);
	if ((size_t)(slash - text) >= sizeof(left))
		return ERR_ADDR;
	memcpy(left, text, (size_t)(slash - text));
	left[slash - text] = '\0';
	if ((err = ip_parse(left, &out.addr)) != 0)
		return err;
	bits = bits_of(&out.addr);
	if (*slash == '/' && str_u64(slash + 1, bits, &bits) != 0)
		return ERR_ADDR;
	out.bits = (uint8_t)bits;
	*net = out;
	return 0;
}

int
net_ep_parse(const char *text, struct net_ep *ep)
{
	const char *first = strchr(text, ':'), *end;
	bool is_bracket = text[0] == '[';
	struct net_ep out = { .port = 0 };
	char ip[IP_TEXT_MAX];
	int err;

	if (is_bracket) {
		text++;
		if ((end = strchr(text, ']')) == NULL ||
		    (end[1] != '\0' && end[1] != ':'))
			return ERR_ADDR;
	} else if (first != NULL && strchr(first + 1, ':') == NULL) {
		end = first; /* one colon: IPv4 and a port */
	} else {
		end = text + strlen(text);
	}
	if ((size_t)(end - text) >= sizeof(ip))
		return ERR_ADDR;
	memcpy(ip, text, (size_t)(end - text));
	ip[end - text] = '\0';
	if ((err = ip_parse(ip, &out.ip)) != 0)
		return err;
	if (is_bracket && out.ip.family != 6)
		return ERR_ADDR;
	end += is_bracket;
	if (*end == ':' && (err = port_parse(end + 1, &out.port)) != 0)
		return err;
	*ep = out;
	return 0;
}

int
mac_parse(const char *text, struct mac *m)
{
	struct mac out;

	if (strlen(text) != MAC_TEXT_MAX - 1)
		return ERR_ADDR;
	for (size_t i = 0; i < 6; i++, text += 3) {
		int hi = nibble(text[0]), lo = nibble(text[1]);

		if (hi < 0 || lo < 0 || (i < 5 && text[2] != ':'))
			return ERR_ADDR;
		out.b[i] = (uint8_t)(hi << 4 | lo);
	}
	*m = out;
	return 0;
}

const char *
ip_text(const struct ip_addr *ip, char *out)
{
	int af = ip->family == 4 ? AF_INET : AF_INET6;

	if ((ip->family != 4 && ip->family != 6) ||
	    inet_ntop(af, ip->b, out, IP_TEXT_MAX) == NULL)
		str_copy(out, IP_TEXT_MAX, "none");
	return out;
}

const char *
ip_net_text(const struct ip_net *net, char *out)
{
	ip_text(&net->addr, out);
	if (net->addr.family != 0)
		str_add(out, IP_TEXT_MAX, "/%u", net->bits);
	return out;
}

const char *
net_ep_text(const struct net_ep *ep, char *out)
{
	char ip[IP_TEXT_MAX];

	ip_text(&ep->ip, ip);
	if (ep->port == 0)
		return ip_text(&ep->ip, out);
	out[0] = '\0';
	str_add(out, IP_TEXT_MAX, ep->ip.family == 6 ? "[%s]:%u" : "%s:%u", ip,
	    ep->port);
	return out;
}

const char *
mac_text(const struct mac *m, char *out)
{
	snprintf(out, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0],
	    m->b[1], m->b[2], m->b[3], m->b[4], m->b[5]);
	return out;
}

bool
ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return ip_compare(a, b) == 0;
}

bool
net_ep_equal(const struct net_ep *a, const struct net_ep *b)
{
	return a->port == b->port && ip_equal(&a->ip, &b->ip);
}

int
ip_compare(const struct ip_addr *a, const struct ip_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, ip_len(a));
}

size_t
ip_len(const struct ip_addr *ip)
{
	if (ip->family == 4)
		return 4;
	return ip->family == 6 ? 16 : 0;
}

struct ip_addr
ip_from(const void *p, size_t len)
{
	struct ip_addr ip = { .family = 0 };

	if (len == 4 || len == 16) {
		ip.family = len == 4 ? 4 : 6;
		memcpy(ip.b, p, len);
	}
	return ip;
}

bool
ip_is_any(const struct ip_addr *ip)
{
	return to_num(ip) == 0;
}

bool
ip_is_unicast(const struct ip_addr *ip)
{
	if (ip->family == 4) /* RFC 6890: 0/8, 127/8, 224/4, broadcast */
		return ip->b[0] != 0 && ip->b[0] != 127 &&
		    (ip->b[0] & 0xf0) != 0xe0 && to_num(ip) != ones(32);
	if (ip->family == 6) /* RFC 4291: ::, ::1, ff00::/8 */
		return to_num(ip) > 1 && ip->b[0] != 0xff;
	return false;
}

void
ip_net_range(const struct ip_net *net, struct ip_addr *lo, struct ip_addr *hi)
{
	unsigned all = bits_of(&net->addr);
	u128 host = ones(net->bits < all ? all - net->bits : 0);
	u128 v = to_num(&net->addr);

	*lo = from_num(net->addr.family, v & ~host);
	*hi = from_num(net->addr.family, v | host);
}

bool
ip_net_has(const struct ip_net *net, const struct ip_addr *ip)
{
	struct ip_addr lo, hi;

	if (net->addr.family != ip->family || ip->family == 0)
		return false;
	ip_net_range(net, &lo, &hi);
	return ip_compare(&lo, ip) <= 0 && ip_compare(ip, &hi) <= 0;
}

int
ip_range_nets(const struct ip_addr *lo, const struct ip_addr *hi,
	      struct ip_net *out, unsigned max)
{
	unsigned all = bits_of(lo), n = 0;
	u128 at = to_num(lo), end = to_num(hi);

	if (all == 0 || lo->family != hi->family || at > end)
		return ERR_RANGE;
	for (;;) {
		unsigned host = 0;

		/* The largest block that starts here and does not overshoot. */
		while (host < all && (at & ones(host + 1)) == 0 &&
		    (at | ones(host + 1)) <= end)
			host++;
		if (n == max)
			return ERR_FULL;
		out[n].addr = from_num(lo->family, at);
		out[n].bits = (uint8_t)(all - host);
		n++;
		at |= ones(host);
		if (at == end)
			return (int)n;
		at++;
	}
}

bool
mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool
mac_is_group(const struct mac *m)
{
	return (m->b[0] & 1) != 0;
}

bool
mac_is_null(const struct mac *m)
{
	static const struct mac null;

	return mac_equal(m, &null);
}

int
mac_random(struct mac *m)
{
	struct mac out;
	int err;

	if ((err = rng_bytes(out.b, sizeof(out.b))) != 0)
		return err;
	out.b[0] = (uint8_t)((out.b[0] & 0xfc) | 0x02);
	*m = out;
	return 0;
}
