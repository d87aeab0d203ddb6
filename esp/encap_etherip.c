/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/encap_etherip.c - Ethernet frames in EtherIP (RFC 3378), next header 97.
 *
 *    0  1  2  3  4 ...               15
 *   +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
 *   |  version=3|            reserved=0             |
 *   +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
 *   | Ethernet frame without FCS ...
 *
 * The frame has no length of its own, so TFC padding cannot be told from it
 * and is not possible in this mode (RFC 4303 2.7).
 */
#include "esp/encap.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "esp/pkt.h"

#define VERSION_3 0x3000 /* with RESERVED, which must be zero */

static int
etherip_wrap(struct view inner, struct esp_wrap *w, struct esp_flow *f UNUSED)
{
	if (inner.len < ESP_ETHER_HDR)
		return ERR_SYNTAX;
	be16_put(w->hdr, VERSION_3);
	w->hdr_len = ESP_ETHERIP_LEN;
	w->next = ESP_NEXT_ETHERIP;
	w->len = (uint32_t)inner.len;
	return 0;
}

static int
etherip_unwrap(struct view text, uint8_t next, struct view *inner,
	       struct esp_flow *f UNUSED, enum drop *why)
{
	struct cur c;
	uint16_t hdr;

	*why = DROP_ESP_NEXT;
	if (next != ESP_NEXT_ETHERIP)
		return ERR_SYNTAX;
	*why = DROP_ETHERIP;
	cur_init(&c, text.p, text.len);
	/* RFC 3378 section 3: other versions MUST be discarded. */
	if (cur_u16(&c, &hdr) != 0 || hdr != VERSION_3)
		return ERR_SYNTAX;
	*why = DROP_ESP_INNER;
	if (cur_left(&c) < ESP_ETHER_HDR)
		return ERR_SYNTAX;
	cur_rest(&c, inner);
	return 0;
}

const struct esp_encap esp_encap_etherip = {
	.name = "etherip",
	.wrap = etherip_wrap,
	.unwrap = etherip_unwrap,
};

const struct esp_encap *
esp_encap_of(enum vpn_mode mode)
{
	switch (mode) {
	case VPN_MODE_ETHER:
		return &esp_encap_etherip;
	case VPN_MODE_IP:
		return &esp_encap_ip;
	case VPN_MODE_GRE:
		return &esp_encap_gre;
	default:
		return NULL;
	}
}
