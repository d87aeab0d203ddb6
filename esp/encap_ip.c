/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/encap_ip.c - IP packets in tunnel mode, next header 4 or 41 (RFC 4303).
 *
 * Nothing is put in front.  The inner packet ends where its own length field
 * says; what follows is TFC padding and is cut off (RFC 4303 section 2.7).
 */
#include "esp/encap.h"
#include "daemon/base/err.h"
#include "esp/pkt.h"

static uint8_t
next_of(const struct esp_flow *f)
{
	return f->src.family == 4 ? ESP_NEXT_IPV4 : ESP_NEXT_IPV6;
}

static int
ip_wrap(struct view inner, struct esp_wrap *w, struct esp_flow *f)
{
	if (esp_flow_decode(inner, f) != 0)
		return ERR_SYNTAX;
	w->hdr_len = 0;
	w->next = next_of(f);
	w->len = f->len;
	return 0;
}

static int
ip_unwrap(struct view text, uint8_t next, struct view *inner,
	  struct esp_flow *f, enum drop *why)
{
	*why = DROP_ESP_NEXT;
	if (next != ESP_NEXT_IPV4 && next != ESP_NEXT_IPV6)
		return ERR_SYNTAX;
	*why = DROP_ESP_INNER;
	if (esp_flow_decode(text, f) != 0 || next != next_of(f))
		return ERR_SYNTAX;
	*inner = (struct view){ text.p, f->len };
	return 0;
}

const struct esp_encap esp_encap_ip = {
	.name = "ip",
	.has_sel = true,
	.wrap = ip_wrap,
	.unwrap = ip_unwrap,
};
