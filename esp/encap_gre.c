/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/encap_gre.c - IP packets in GRE (RFC 2784), next header 47.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |C|0|K|S| 0 0 |    ignored  | V=0 |         Protocol Type         |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |      Checksum (with C)        |       Reserved1 (with C)      |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   | IPv4 or IPv6 packet ...
 *
 * We send the four bytes alone.  A checksum is verified where it comes, although
 * the ICV says more.  Key and sequence number (RFC 2890) are refused: they would
 * number tunnels between the same two hosts, of which there is one.  So is all
 * that is not IP: Ethernet in GRE is what EtherIP is for.
 *
 * The outer header is that of transport mode: the two hosts of the SA.  Who may
 * send what within is said by the configuration's selectors, not by the SA's,
 * which name protocol 47 only; whoever makes the pair gives those.
 *
 * What follows the length of the IP packet is cut off.
 */
#include "esp/encap.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "esp/csum.h"
#include "esp/pkt.h"

#define FLAG_SUM	0x8000 /* C */
#define FLAGS_REFUSED	0x7c00 /* bits 1 to 5: routing, K, S (RFC 2784 2.3) */
#define VERSION		0x0007
#define TYPE_IP4	0x0800
#define TYPE_IP6	0x86dd

static uint16_t
type_of(const struct esp_flow *f)
{
	return f->src.family == 4 ? TYPE_IP4 : TYPE_IP6;
}

static int
gre_wrap(struct view inner, struct esp_wrap *w, struct esp_flow *f)
{
	if (esp_flow_decode(inner, f) != 0)
		return ERR_SYNTAX;
	be16_put(w->hdr, 0);
	be16_put(w->hdr + 2, type_of(f));
	w->hdr_len = ESP_GRE_LEN;
	w->next = ESP_NEXT_GRE;
	w->len = f->len;
	return 0;
}

/* RFC 2784 2.3, 2.5: flags, and the checksum of header and payload. */
static int
dec_gre(struct cur *c, struct view text, uint16_t *type)
{
	uint16_t flags;
	int err;

	if ((err = cur_u16(c, &flags)) != 0 || (err = cur_u16(c, type)) != 0)
		return err;
	if ((flags & (FLAGS_REFUSED | VERSION)) != 0)
		return ERR_UNSUP;
	if ((flags & FLAG_SUM) == 0)
		return 0;
	if ((err = cur_skip(c, 4)) != 0)
		return err;
	return esp_csum_fold(esp_csum_part(text.p, text.len)) == 0xffff ? 0 :
	    ERR_SYNTAX;
}

static int
gre_unwrap(struct view text, uint8_t next, struct view *inner,
	   struct esp_flow *f, enum drop *why)
{
	struct view packet;
	struct cur c;
	uint16_t type;

	*why = DROP_ESP_NEXT;
	if (next != ESP_NEXT_GRE)
		return ERR_SYNTAX;
	*why = DROP_GRE;
	cur_init(&c, text.p, text.len);
	if (dec_gre(&c, text, &type) != 0)
		return ERR_SYNTAX;
	*why = DROP_GRE_TYPE;
	if (type != TYPE_IP4 && type != TYPE_IP6)
		return ERR_SYNTAX;
	*why = DROP_ESP_INNER;
	cur_rest(&c, &packet);
	if (esp_flow_decode(packet, f) != 0 || type != type_of(f))
		return ERR_SYNTAX;
	*inner = (struct view){ packet.p, f->len };
	return 0;
}

const struct esp_encap esp_encap_gre = {
	.name = "gre",
	.has_sel = true,
	.wrap = gre_wrap,
	.unwrap = gre_unwrap,
};
