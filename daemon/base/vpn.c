/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/vpn.c - facts about the shared nouns: algorithms, selectors.
 */
#include "daemon/base/vpn.h"
#include <netinet/in.h>
#include "daemon/base/str.h"

/* AES-GCM: RFC 4106.  ChaCha20-Poly1305: RFC 7634.  AES-CBC: RFC 3602, with
 * HMAC-SHA-2 truncated to half as RFC 4868 says. */
static const struct vpn_alg_info infos[VPN_ALG_END] = {
	/*                              name           key salt int iv icv blk */
	[VPN_ALG_AES_GCM_128]        = { "aes128-gcm",        16, 4,  0,  8, 16,  1 },
	[VPN_ALG_AES_GCM_256]        = { "aes256-gcm",        32, 4,  0,  8, 16,  1 },
	[VPN_ALG_CHACHA20_POLY1305]  = { "chacha20-poly1305", 32, 4,  0,  8, 16,  1 },
	[VPN_ALG_AES_CBC_128_SHA256] = { "aes128-cbc-sha256", 16, 0, 32, 16, 16, 16 },
	[VPN_ALG_AES_CBC_128_SHA384] = { "aes128-cbc-sha384", 16, 0, 48, 16, 24, 16 },
	[VPN_ALG_AES_CBC_128_SHA512] = { "aes128-cbc-sha512", 16, 0, 64, 16, 32, 16 },
	[VPN_ALG_AES_CBC_256_SHA256] = { "aes256-cbc-sha256", 32, 0, 32, 16, 16, 16 },
	[VPN_ALG_AES_CBC_256_SHA384] = { "aes256-cbc-sha384", 32, 0, 48, 16, 24, 16 },
	[VPN_ALG_AES_CBC_256_SHA512] = { "aes256-cbc-sha512", 32, 0, 64, 16, 32, 16 },
	[VPN_ALG_AES_GCM_128_IIV]    = { "aes128-gcm-iiv",    16, 4,  0,  0, 16,  1 },
	[VPN_ALG_AES_GCM_256_IIV]    = { "aes256-gcm-iiv",    32, 4,  0,  0, 16,  1 },
	[VPN_ALG_CHACHA20_POLY1305_IIV] =
				       { "chacha20-poly1305-iiv", 32, 4, 0, 0, 16, 1 },
};

static bool
is_any_port(const struct vpn_ts *ts)
{
	return ts->port_lo == 0 && ts->port_hi == UINT16_MAX;
}

static bool
is_opaque(const struct vpn_ts *ts)
{
	return ts->port_lo == UINT16_MAX && ts->port_hi == 0;
}

static void
add_proto(char *out, uint8_t proto)
{
	const char *name = NULL;

	switch (proto) {
	case 0:
		name = "any";
		break;
	case IPPROTO_ICMP:
		name = "icmp";
		break;
	case IPPROTO_TCP:
		name = "tcp";
		break;
	case IPPROTO_UDP:
		name = "udp";
		break;
	case IPPROTO_GRE:
		name = "gre";
		break;
	case IPPROTO_ICMPV6:
		name = "icmpv6";
		break;
	case IPPROTO_SCTP:
		name = "sctp";
		break;
	}
	if (name != NULL)
		str_add(out, VPN_TS_TEXT_MAX, "[%s", name);
	else
		str_add(out, VPN_TS_TEXT_MAX, "[%u", proto);
}

const struct vpn_alg_info *
vpn_alg_info(enum vpn_alg alg)
{
	if ((unsigned)alg >= VPN_ALG_END || infos[alg].name == NULL)
		return NULL;
	return &infos[alg];
}

enum vpn_alg
vpn_alg_explicit(enum vpn_alg alg)
{
	switch (alg) {
	case VPN_ALG_AES_GCM_128_IIV:
		return VPN_ALG_AES_GCM_128;
	case VPN_ALG_AES_GCM_256_IIV:
		return VPN_ALG_AES_GCM_256;
	case VPN_ALG_CHACHA20_POLY1305_IIV:
		return VPN_ALG_CHACHA20_POLY1305;
	default:
		return alg;
	}
}

const char *
vpn_mode_name(enum vpn_mode m)
{
	static const char *const names[] = { "auto", "ether", "ip", "gre" };

	return (unsigned)m < N_OF(names) ? names[m] : "?";
}

const char *
vpn_encap_name(enum vpn_encap e)
{
	static const char *const names[] = { "auto", "udp", "esp" };

	return (unsigned)e < N_OF(names) ? names[e] : "?";
}

const char *
vpn_suite_name(enum vpn_suite s)
{
	static const char *const names[] = { "2026", "compat" };

	return (unsigned)s < N_OF(names) ? names[s] : "?";
}

const char *
vpn_ts_text(const struct vpn_ts *ts, char *out)
{
	char lo[IP_TEXT_MAX], hi[IP_TEXT_MAX];
	struct ip_net net;

	out[0] = '\0';
	if (ip_range_nets(&ts->lo, &ts->hi, &net, 1) == 1)
		str_add(out, VPN_TS_TEXT_MAX, "%s", ip_net_text(&net, lo));
	else
		str_add(out, VPN_TS_TEXT_MAX, "%s-%s", ip_text(&ts->lo, lo),
		    ip_text(&ts->hi, hi));
	if (ts->proto == 0 && is_any_port(ts))
		return out;
	add_proto(out, ts->proto);
	if (is_opaque(ts))
		str_add(out, VPN_TS_TEXT_MAX, "/opaque");
	else if (!is_any_port(ts) && ts->port_lo == ts->port_hi)
		str_add(out, VPN_TS_TEXT_MAX, "/%u", ts->port_lo);
	else if (!is_any_port(ts))
		str_add(out, VPN_TS_TEXT_MAX, "/%u-%u", ts->port_lo,
		    ts->port_hi);
	str_add(out, VPN_TS_TEXT_MAX, "]");
	return out;
}

struct vpn_ts
vpn_ts_from_net(const struct ip_net *net)
{
	struct vpn_ts ts = { .proto = 0, .port_hi = UINT16_MAX };

	ip_net_range(net, &ts.lo, &ts.hi);
	return ts;
}

bool
vpn_ts_covers(const struct vpn_ts *a, const struct vpn_ts *b)
{
	if (a->lo.family != b->lo.family || a->lo.family == 0)
		return false;
	if (ip_compare(&a->lo, &b->lo) > 0 || ip_compare(&b->hi, &a->hi) > 0)
		return false;
	if (a->proto != 0 && a->proto != b->proto)
		return false;
	if (is_any_port(a)) /* RFC 4301 4.4.1.1: ANY includes OPAQUE */
		return true;
	if (is_opaque(a) || is_opaque(b))
		return is_opaque(a) && is_opaque(b);
	return a->port_lo <= b->port_lo && b->port_hi <= a->port_hi;
}
