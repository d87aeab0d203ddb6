/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/cap_wire.c - a captured packet <-> its datagram.
 */
#include "daemon/bus/cap_wire.h"
#include <string.h>
#include "daemon/base/drop.h"
#include "daemon/base/err.h"

static void
enc_ep(struct wcur *w, const struct net_ep *ep)
{
	wcur_u8(w, ep->ip.family);
	wcur_bytes(w, ep->ip.b, sizeof(ep->ip.b));
	wcur_u16(w, ep->port);
}

void
cap_enc_head(struct wcur *w, const struct cap_pkt *p)
{
	wcur_u8(w, CAP_CLASS);
	wcur_u8(w, (uint8_t)p->side);
	wcur_u8(w, p->is_out);
	wcur_u16(w, p->drop);
	wcur_u64(w, p->time_ns);
	wcur_u32(w, p->len);
	wcur_u32(w, p->link);
	enc_ep(w, &p->local);
	enc_ep(w, &p->remote);
}

static int
dec_ep(struct cur *c, struct net_ep *ep)
{
	int err;

	if ((err = cur_u8(c, &ep->ip.family)) != 0 ||
	    (err = cur_copy(c, ep->ip.b, sizeof(ep->ip.b))) != 0 ||
	    (err = cur_u16(c, &ep->port)) != 0)
		return err;
	return ep->ip.family == 0 || ep->ip.family == 4 ||
	    ep->ip.family == 6 ? 0 : ERR_SYNTAX;
}

int
cap_dec(const void *data, size_t len, struct cap_pkt *out)
{
	struct cap_pkt p = { .drop = 0 };
	uint8_t class, side, is_out;
	struct cur c;
	int err;

	cur_init(&c, data, len);
	if ((err = cur_u8(&c, &class)) != 0 ||
	    (err = cur_u8(&c, &side)) != 0 ||
	    (err = cur_u8(&c, &is_out)) != 0 ||
	    (err = cur_u16(&c, &p.drop)) != 0 ||
	    (err = cur_u64(&c, &p.time_ns)) != 0 ||
	    (err = cur_u32(&c, &p.len)) != 0 ||
	    (err = cur_u32(&c, &p.link)) != 0 ||
	    (err = dec_ep(&c, &p.local)) != 0 ||
	    (err = dec_ep(&c, &p.remote)) != 0)
		return err;
	cur_rest(&c, &p.bytes);
	if (class != CAP_CLASS || side >= CAP_SIDE_END || is_out > 1 ||
	    (p.drop != CAP_NO_DROP && p.drop >= DROP_END) ||
	    p.bytes.len > CAP_BYTES_MAX ||
	    (side != CAP_LOST && p.bytes.len > p.len))
		return ERR_SYNTAX;
	p.side = (enum cap_side)side;
	p.is_out = is_out != 0;
	*out = p;
	return 0;
}

int
cap_want_parse(const char *text, unsigned *out)
{
	static const char *const name[] = { "clear", "esp", "ike", "dropped" };
	static const char between[] = " ,";
	unsigned want = 0, i;
	size_t n;

	for (text += strspn(text, between); *text != '\0';
	     text += n + strspn(text + n, between)) {
		n = strcspn(text, between);
		for (i = 0; i < N_OF(name); i++)
			if (strlen(name[i]) == n && memcmp(name[i], text, n) == 0)
				break;
		if (i == N_OF(name))
			return ERR_SYNTAX;
		want |= 1u << i;
	}
	*out = want != 0 ? want : CAP_WANT_ALL;
	return 0;
}
