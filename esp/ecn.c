/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/ecn.c - telling a sender of congestion without losing its packet.
 */
#include "esp/ecn.h"
#include "daemon/base/cur.h"
#include "esp/csum.h"
#include "esp/gso.h"

#define ETHER_LEN  14
#define TAG_LEN	   4
#define ETHER_IPV4 0x0800
#define ETHER_VLAN 0x8100
#define ETHER_IPV6 0x86dd
#define ETHER_QINQ 0x88a8
#define IP4_LEN	   20
#define IP6_LEN	   40
#define ECN_CE	   3u	/* RFC 3168 5; 0: not understood */

/* The type behind the Ethernet header; *at moves to what follows.  0: there is
 * none. */
static uint16_t
ether_type(const uint8_t *p, size_t len, size_t *at)
{
	uint16_t type;

	if (len < ETHER_LEN)
		return 0;
	type = be16_get(p + ETHER_LEN - 2);
	*at = ETHER_LEN;
	for (int i = 0; i < ESP_TAGS_MAX && (type == ETHER_VLAN ||
	     type == ETHER_QINQ); i++) {
		if (len < *at + TAG_LEN)
			return 0;
		type = be16_get(p + *at + 2);
		*at += TAG_LEN;
	}
	return type;
}

/* RFC 791 3.1; the checksum as in RFC 1624 3. */
static bool
mark4(uint8_t *ip, size_t len)
{
	uint16_t old, sum;

	if (len < IP4_LEN || ip[0] >> 4 != 4 || (ip[1] & ECN_CE) == 0)
		return false;
	old = be16_get(ip);
	ip[1] |= ECN_CE;
	sum = (uint16_t)~be16_get(ip + 10);
	be16_put(ip + 10, (uint16_t)~esp_csum_fold((uint32_t)sum +
		 (uint16_t)~old + be16_get(ip)));
	return true;
}

/* RFC 8200 3: the traffic class lies across two bytes. */
static bool
mark6(uint8_t *ip, size_t len)
{
	if (len < IP6_LEN || ip[0] >> 4 != 6 ||
	    (ip[1] & ECN_CE << 4) == 0)
		return false;
	ip[1] |= ECN_CE << 4;
	return true;
}

bool
esp_ecn_mark(uint8_t *frame, size_t len, bool is_ether)
{
	size_t at = 0;
	uint16_t type = is_ether ? ether_type(frame, len, &at) : 0;

	if (is_ether && type != ETHER_IPV4 && type != ETHER_IPV6)
		return false;
	if (is_ether ? type == ETHER_IPV4 : len > 0 && frame[0] >> 4 == 4)
		return mark4(frame + at, len - at);
	return mark6(frame + at, len - at);
}
