/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/mcast.c - IGMP and MLD messages.
 *
 *   IGMP   type | max resp | checksum | group (4) | [S, QRV | QQIC | sources]
 *          0x22 | 0 | checksum | 0 (2) | records (2) | record ...
 *   MLD    hop-by-hop with router alert, then
 *          type | 0 | checksum | max resp (2) | 0 (2) | group (16) | [as above]
 *          143  | 0 | checksum | 0 (2) | records (2) | record ...
 *   record type | aux words | sources (2) | group | sources | aux
 *
 * Thread: none shared.  No allocation.
 */
#include "vhub/mcast.h"
#include <string.h>
#include "daemon/base/err.h"

#define PROTO_IGMP	2
#define PROTO_HOPOPTS	0
#define PROTO_ICMPV6	58
#define PROTO_PIM	103
#define OPT_PAD1	0
#define OPT_ALERT	5	/* RFC 2711 */
#define PIM_HELLO	0x20	/* version 2, type 0 */

#define REC_IS_IN	1	/* RFC 3376 4.2.12, RFC 3810 5.2.12 */
#define REC_IS_EX	2
#define REC_TO_IN	3
#define REC_TO_EX	4
#define REC_ALLOW	5
#define REC_BLOCK	6

#define V1_RESP_S	10	/* RFC 2236 4: of queries that do not say it */

static int
dec_ip(struct cur *c, size_t n, struct ip_addr *out)
{
	uint8_t b[16];
	int err = cur_copy(c, b, n);

	if (err != 0)
		return err;
	out->family = n == 4 ? 4 : 6;
	memset(out->b, 0, sizeof(out->b));
	memcpy(out->b, b, n);
	return 0;
}

/* Mantissa and exponent (RFC 3376 4.1.1 and 4.1.7, RFC 3810 5.1.3). */
static uint32_t
code_value(uint32_t code, unsigned bits)
{
	uint32_t top = 1u << (bits - 1), mant = top >> 3;

	if (code < top)
		return code;
	return ((code & (mant - 1)) | mant) << (((code >> (bits - 4)) & 7) + 3);
}

/* S and QRV, QQIC, number of sources: where the query is of the newer kind. */
static int
dec_query_end(struct cur *c, struct mc_msg *out)
{
	uint8_t qrv = 0, qqic = 0;
	int err;

	if (cur_left(c) == 0)
		return 0;
	if ((err = cur_u8(c, &qrv)) != 0 || (err = cur_u8(c, &qqic)) != 0 ||
	    (err = cur_skip(c, 2)) != 0)
		return err;
	qrv = (qrv & 7) != 0 ? qrv & 7 : 2;
	out->hold_s = qrv * code_value(qqic, 8) + out->resp_s;
	return 0;
}

static int
dec_records_head(struct cur *c, struct mc_msg *out)
{
	int err;

	out->kind = MC_REPORT;
	if ((err = cur_skip(c, 2)) != 0 ||
	    (err = cur_u16(c, &out->n_record)) != 0)
		return err;
	out->records = *c;
	return 0;
}

static int
dec_igmp(struct view v, struct mc_msg *out)
{
	uint8_t type = 0, resp = 0;
	struct cur c;
	int err;

	if (ip_sum(v.p, v.len) != 0)
		return ERR_ICV;
	cur_init(&c, v.p, v.len);
	if ((err = cur_u8(&c, &type)) != 0 || (err = cur_u8(&c, &resp)) != 0 ||
	    (err = cur_skip(&c, 2)) != 0)
		return err;
	switch (type) {
	case 0x11:
		out->kind = MC_QUERY;
		break;
	case 0x12:
	case 0x16:
		out->kind = MC_REPORT;
		break;
	case 0x17:
		out->kind = MC_LEAVE;
		break;
	case 0x22:
		return dec_records_head(&c, out);
	default:
		return ERR_UNSUP;
	}
	if ((err = dec_ip(&c, 4, &out->group)) != 0 || out->kind != MC_QUERY)
		return err;
	if (cur_left(&c) > 0) /* version 3: a code; before: the number */
		resp = (uint8_t)MIN(code_value(resp, 8), 255);
	out->resp_s = resp != 0 ? (resp + 9u) / 10 : V1_RESP_S;
	return dec_query_end(&c, out);
}

static int
dec_mld(struct view v, const struct ip_head *ip, struct mc_msg *out)
{
	uint16_t resp = 0;
	uint8_t type = 0;
	uint32_t ms;
	struct cur c;
	int err;

	cur_init(&c, v.p, v.len);
	if ((err = cur_u8(&c, &type)) != 0)
		return err;
	if (type != 143 && (type < 130 || type > 132))
		return ERR_UNSUP;
	/* RFC 2710 3, RFC 3810 5.1.14, 5.2.13; reports may come from ::, as of
	 * RFC 3590. */
	if (ip->hops != 1 || (!ip_is_any(&ip->src) &&
	    (ip->src.b[0] != 0xfe || (ip->src.b[1] & 0xc0) != 0x80)) ||
	    (type == 130 && ip_is_any(&ip->src)))
		return ERR_SYNTAX;
	if (ip_sum_icmpv6(&ip->src, &ip->dst, v.p, v.len) != 0)
		return ERR_ICV;
	if ((err = cur_skip(&c, 3)) != 0)
		return err;
	if (type == 143)
		return dec_records_head(&c, out);
	if ((err = cur_u16(&c, &resp)) != 0 || (err = cur_skip(&c, 2)) != 0 ||
	    (err = dec_ip(&c, 16, &out->group)) != 0)
		return err;
	out->kind = type == 130 ? MC_QUERY : type == 131 ? MC_REPORT : MC_LEAVE;
	if (out->kind != MC_QUERY)
		return 0;
	ms = cur_left(&c) > 0 ? code_value(resp, 16) : resp;
	out->resp_s = (ms + 999) / 1000;
	return dec_query_end(&c, out);
}

/* Hop-by-hop options with a router alert (RFC 3810 5): then what follows. */
static int
dec_hop_options(struct view v, uint8_t *next, struct view *rest)
{
	struct cur c, opts;
	bool has_alert = false;
	uint8_t units = 0, type = 0, len = 0;
	int err;

	cur_init(&c, v.p, v.len);
	if ((err = cur_u8(&c, next)) != 0 || (err = cur_u8(&c, &units)) != 0 ||
	    (err = cur_sub(&c, 6 + units * (size_t)8, &opts)) != 0)
		return err;
	while (cur_u8(&opts, &type) == 0) {
		if (type == OPT_PAD1)
			continue;
		if ((err = cur_u8(&opts, &len)) != 0 ||
		    (err = cur_skip(&opts, len)) != 0)
			return err;
		has_alert |= type == OPT_ALERT && len == 2;
	}
	cur_rest(&c, rest);
	return has_alert ? 0 : ERR_SYNTAX;
}

int
mc_dec(struct view v, const struct ip_head *ip, struct mc_msg *out)
{
	struct view in = { v.p + ip->head_len, ip->total_len - ip->head_len };
	uint8_t proto = ip->proto;
	int err;

	*out = (struct mc_msg){ .kind = MC_ROUTER, .src = ip->src,
		.group = { .family = ip->dst.family } };
	if (ip->is_fragment)
		return ERR_UNSUP;
	if (proto == PROTO_PIM)
		return in.len > 0 && in.p[0] == PIM_HELLO ? 0 : ERR_UNSUP;
	if (ip->dst.family == 4)
		return proto == PROTO_IGMP ? dec_igmp(in, out) : ERR_UNSUP;
	if (proto != PROTO_HOPOPTS)
		return ERR_UNSUP; /* RFC 3810 6: without an alert it is none */
	if ((err = dec_hop_options(in, &proto, &in)) != 0)
		return err;
	return proto == PROTO_ICMPV6 ? dec_mld(in, ip, out) : ERR_UNSUP;
}

int
mc_next(struct mc_msg *m, struct ip_addr *group, bool *is_join)
{
	size_t n = m->src.family == 4 ? 4 : 16;
	uint16_t n_src = 0;
	uint8_t type = 0, aux = 0;
	int err;

	if (m->n_record == 0) {
		if (m->kind == MC_QUERY || m->group.family == 0 ||
		    ip_is_any(&m->group))
			return 0;
		*group = m->group;
		*is_join = m->kind == MC_REPORT;
		m->group.family = 0;
		return ip_is_multicast(group) ? 1 : ERR_SYNTAX;
	}
	if ((err = cur_u8(&m->records, &type)) != 0 ||
	    (err = cur_u8(&m->records, &aux)) != 0 ||
	    (err = cur_u16(&m->records, &n_src)) != 0 ||
	    (err = dec_ip(&m->records, n, group)) != 0 ||
	    (err = cur_skip(&m->records, n_src * n + aux * (size_t)4)) != 0)
		return err;
	if (!ip_is_multicast(group))
		return ERR_SYNTAX;
	m->n_record--;
	if (m->n_record == 0)
		m->group.family = 0;
	/* From some sources, or from all but some. */
	*is_join = type == REC_IS_EX || type == REC_TO_EX ||
	    ((type == REC_IS_IN || type == REC_TO_IN || type == REC_ALLOW) &&
	    n_src > 0);
	return 1;
}
