/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/mcmake.h - IGMP and MLD packets with right checksums.
 */
#ifndef TAPIR_TEST_VHUB_MCMAKE_H
#define TAPIR_TEST_VHUB_MCMAKE_H

#include "test/lib/test.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/cur.h"
#include "vhub/frame.h"

static UNUSED struct ip_addr
mk_ip(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(text, &a), 0);
	return a;
}

/* An IPv4 packet with router alert (RFC 2113) around a message; the checksum
 * is filled in. */
static UNUSED size_t
mk_igmp(uint8_t *out, const char *src, const char *dst, const char *hex)
{
	struct ip_addr s = mk_ip(src), d = mk_ip(dst);
	size_t n = test_hex(hex, out + 24, 512);
	struct wcur w;

	wcur_init(&w, out, 24);
	wcur_u32(&w, 0x46c00000u | (uint32_t)(24 + n));
	wcur_u32(&w, 0);
	wcur_u32(&w, 0x01020000);
	wcur_bytes(&w, s.b, 4);
	wcur_bytes(&w, d.b, 4);
	wcur_u32(&w, 0x94040000);
	if (n >= 4)
		be16_put(out + 26, ip_sum(out + 24, n));
	return 24 + n;
}

/* An IPv6 packet with hop-by-hop router alert around a message. */
static UNUSED size_t
mk_mld(uint8_t *out, const char *src, const char *dst, const char *hex)
{
	struct ip_addr s = mk_ip(src), d = mk_ip(dst);
	size_t n = test_hex(hex, out + 48, 512);
	struct wcur w;

	wcur_init(&w, out, 48);
	wcur_u32(&w, 0x60000000);
	wcur_u16(&w, (uint16_t)(8 + n));
	wcur_u16(&w, 0x0001);
	wcur_bytes(&w, s.b, 16);
	wcur_bytes(&w, d.b, 16);
	wcur_u64(&w, 0x3a00050200000100); /* ICMPv6; alert; PadN */
	be16_put(out + 50, ip_sum_icmpv6(&s, &d, out + 48, n));
	return 48 + n;
}

#endif
