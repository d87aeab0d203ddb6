/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/cfg.c - configuration attributes as values.
 *
 *  ENCDNS_IP4, ENCDNS_IP6 (RFC 9464 3.1)
 * +-------------------------------+---------------+---------------+
 * |       Service Priority        | Num Addresses |  ADN Length   |
 * +-------------------------------+---------------+---------------+
 * ~ addresses of 4 or 16 bytes, authentication domain name        ~
 * +-------------------------------+-------------------------------+
 * ~ { SvcParamKey 16, length 16, value }, keys rising (RFC 9460)  ~
 * +---------------------------------------------------------------+
 *
 * Pure; arrays from the arena.
 */
#include "ikev2/wire/cfg.h"
#include <string.h>
#include "daemon/base/err.h"

/* RFC 9460 14.3.2, RFC 9461 5 */
enum svc_key {
	SVC_MANDATORY	= 0,
	SVC_ALPN	= 1,
	SVC_NO_DEFAULT	= 2,
	SVC_PORT	= 3,
	SVC_IP4_HINT	= 4,
	SVC_IP6_HINT	= 6,
	SVC_DOH_PATH	= 7
};

#define ENC_HEAD_LEN	4
#define ENC_VALUE_MAX	640	/* head, addresses, name, parameters below */

/* ---- reading: addresses and networks -------------------------------------------- */

static struct ip_addr
addr_of(struct view v, size_t len)
{
	struct ip_addr none = { 0 }, ip;

	if (v.len < len)
		return none;
	ip = ip_from(v.p, len);
	return ip_is_unicast(&ip) ? ip : none;
}

/* Ones, then zeros. */
static bool
mask_bits(uint32_t mask, uint8_t *bits)
{
	uint8_t n = 0;

	while (n < 32 && (mask & UINT32_C(0x80000000) >> n) != 0)
		n++;
	*bits = n;
	return n == 32 || (mask & UINT32_MAX >> n) == 0;
}

static void
add_subnet(struct vpn_cfg *cfg, const struct ip_addr *ip, uint8_t bits)
{
	struct ip_net *net = &cfg->subnet[cfg->n_subnet];
	struct ip_addr lo, hi;

	if (cfg->n_subnet == VPN_CFG_SUBNET_MAX || bits > ip_len(ip) * 8)
		return;
	*net = (struct ip_net){ *ip, bits };
	ip_net_range(net, &lo, &hi);
	if (!ip_is_unicast(&lo) && !ip_is_any(&lo))
		return;
	net->addr = lo;
	cfg->n_subnet++;
}

static void
read_subnet(struct vpn_cfg *cfg, const struct ike_cp_attr *at)
{
	struct ip_addr ip;
	uint8_t bits;

	if (at->type == IKE_CA_INTERNAL_IP4_SUBNET && at->value.len == 8) {
		ip = ip_from(at->value.p, 4);
		if (mask_bits(be32_get(at->value.p + 4), &bits))
			add_subnet(cfg, &ip, bits);
	} else if (at->type == IKE_CA_INTERNAL_IP6_SUBNET &&
		   at->value.len == 17) {
		ip = ip_from(at->value.p, 16);
		add_subnet(cfg, &ip, at->value.p[16]);
	}
}

static void
read_dns(struct vpn_cfg *cfg, const struct ike_cp_attr *at, size_t len)
{
	struct ip_addr ip = addr_of(at->value, len);

	if (ip.family == 0 || cfg->n_dns == VPN_CFG_DNS_MAX)
		return;
	for (unsigned i = 0; i < cfg->n_dns; i++)
		if (ip_equal(&cfg->dns[i], &ip))
			return;
	cfg->dns[cfg->n_dns++] = ip;
}

static void
read_domain(struct vpn_cfg *cfg, const struct ike_cp_attr *at)
{
	if (cfg->n_domain < VPN_CFG_DOMAIN_MAX &&
	    vpn_name_read(at->value.p, at->value.len,
			  cfg->domain[cfg->n_domain]) == 0)
		cfg->n_domain++;
}

/* ---- reading: encrypted resolvers ------------------------------------------------ */

/* RFC 9460 7.1.1: names, each behind its length. */
static int
read_alpn(struct cur c, struct vpn_enc_dns *e)
{
	while (cur_left(&c) > 0) {
		struct view v;
		uint8_t len;

		if (cur_u8(&c, &len) != 0 || cur_view(&c, len, &v) != 0)
			return ERR_SYNTAX;
		if (len == 3 && memcmp(v.p, "dot", 3) == 0)
			e->has_dot = true;
		else if (len == 3 && memcmp(v.p, "doq", 3) == 0)
			e->has_doq = true;
		else if (len == 2 && (memcmp(v.p, "h2", 2) == 0 ||
				      memcmp(v.p, "h3", 2) == 0))
			e->has_doh = true;
	}
	return 0;
}

/* A path, relative: printable, without what others may take as an end. */
static int
read_path(struct view v, struct vpn_enc_dns *e)
{
	if (v.len == 0 || v.len >= sizeof(e->doh_path) || v.p[0] != '/')
		return ERR_SYNTAX;
	for (size_t i = 0; i < v.len; i++)
		if (v.p[i] <= ' ' || v.p[i] >= 0x7f || v.p[i] == '"' ||
		    v.p[i] == '\\' || v.p[i] == '#')
			return ERR_SYNTAX;
	memcpy(e->doh_path, v.p, v.len);
	e->doh_path[v.len] = '\0';
	return 0;
}

/* A parameter that has to be understood, RFC 9460 8: is it? */
static int
read_mandatory(struct cur c)
{
	uint16_t key;

	while (cur_left(&c) > 0)
		if (cur_u16(&c, &key) != 0 ||
		    (key != SVC_ALPN && key != SVC_PORT && key != SVC_DOH_PATH &&
		     key != SVC_NO_DEFAULT))
			return ERR_UNSUP;
	return 0;
}

static int
read_param(uint16_t key, struct cur c, struct vpn_enc_dns *e)
{
	struct view v;
	int err;

	switch (key) {
	case SVC_MANDATORY:
		return read_mandatory(c);
	case SVC_ALPN:
		return read_alpn(c, e);
	case SVC_PORT:
		if ((err = cur_u16(&c, &e->port)) != 0)
			return err;
		return e->port != 0 ? cur_end(&c) : ERR_RANGE;
	case SVC_IP4_HINT:
	case SVC_IP6_HINT:
		return ERR_SYNTAX;	/* RFC 9464 3.1: MUST NOT */
	case SVC_DOH_PATH:
		cur_rest(&c, &v);
		return read_path(v, e);
	default:
		return 0;
	}
}

static int
read_params(struct cur *c, struct vpn_enc_dns *e)
{
	int last = -1, err;

	while (cur_left(c) > 0) {
		uint16_t key, len;
		struct cur sub;

		if ((err = cur_u16(c, &key)) != 0 ||
		    (err = cur_u16(c, &len)) != 0 ||
		    (err = cur_sub(c, len, &sub)) != 0)
			return err;
		if (key <= last)	/* RFC 9460 2.2 */
			return ERR_SYNTAX;
		last = key;
		if ((err = read_param(key, sub, e)) != 0)
			return err;
	}
	return 0;
}

static int
read_enc_value(struct view value, size_t ip_bytes, struct vpn_enc_dns *e)
{
	struct view name, ip;
	uint8_t n_ip, n_name;
	struct cur c;
	int err;

	cur_init(&c, value.p, value.len);
	if ((err = cur_u16(&c, &e->prio)) != 0 ||
	    (err = cur_u8(&c, &n_ip)) != 0 || (err = cur_u8(&c, &n_name)) != 0)
		return err;
	if (e->prio == 0 || n_ip == 0)	/* AliasMode; RFC 9464 3.1 */
		return ERR_RANGE;
	for (unsigned i = 0; i < n_ip; i++) {
		if ((err = cur_view(&c, ip_bytes, &ip)) != 0)
			return err;
		if (e->n_ip == VPN_CFG_ENC_IP_MAX)
			continue;
		e->ip[e->n_ip] = addr_of(ip, ip_bytes);
		if (e->ip[e->n_ip].family != 0)
			e->n_ip++;
	}
	if ((err = cur_view(&c, n_name, &name)) != 0 ||
	    (err = vpn_name_read(name.p, name.len, e->name)) != 0)
		return err;
	return e->n_ip > 0 ? read_params(&c, e) : ERR_RANGE;
}

static void
read_enc(struct vpn_cfg *cfg, const struct ike_cp_attr *at, size_t ip_bytes)
{
	struct vpn_enc_dns e = { 0 };
	unsigned i;

	if (cfg->n_enc == VPN_CFG_ENC_MAX ||
	    read_enc_value(at->value, ip_bytes, &e) != 0)
		return;
	if (!e.has_doq && !e.has_doh)
		e.has_dot = true;
	if (!e.has_doh)
		e.doh_path[0] = '\0';
	for (i = cfg->n_enc; i > 0 && cfg->enc[i - 1].prio > e.prio; i--)
		cfg->enc[i] = cfg->enc[i - 1];
	cfg->enc[i] = e;
	cfg->n_enc++;
}

/* ---- reading ---------------------------------------------------------------------- */

static void
read_ip6(struct vpn_cfg *cfg, const struct ike_cp_attr *at)
{
	struct ip_addr ip = addr_of(at->value, 16);

	if (ip.family == 0 || at->value.len != 17 || at->value.p[16] > 128 ||
	    at->value.p[16] == 0 || cfg->ip6.addr.family != 0)
		return;
	cfg->ip6 = (struct ip_net){ ip, at->value.p[16] };
}

void
ike_cfg_read(const struct ike_cp *cp, struct vpn_cfg *out)
{
	struct vpn_cfg cfg = { 0 };
	uint8_t bits = 0, b;

	for (unsigned i = 0; i < cp->n; i++) {
		const struct ike_cp_attr *at = &cp->attr[i];

		switch (at->type) {
		case IKE_CA_INTERNAL_IP4_ADDRESS:
			if (cfg.ip4.addr.family == 0)
				cfg.ip4.addr = addr_of(at->value, 4);
			break;
		case IKE_CA_INTERNAL_IP4_NETMASK:
			if (at->value.len == 4 && bits == 0 &&
			    mask_bits(be32_get(at->value.p), &b))
				bits = b;
			break;
		case IKE_CA_INTERNAL_IP6_ADDRESS:
			read_ip6(&cfg, at);
			break;
		case IKE_CA_INTERNAL_IP4_DNS:
			read_dns(&cfg, at, 4);
			break;
		case IKE_CA_INTERNAL_IP6_DNS:
			read_dns(&cfg, at, 16);
			break;
		case IKE_CA_INTERNAL_IP4_SUBNET:
		case IKE_CA_INTERNAL_IP6_SUBNET:
			read_subnet(&cfg, at);
			break;
		case IKE_CA_INTERNAL_DNS_DOMAIN:
			read_domain(&cfg, at);
			break;
		case IKE_CA_ENCDNS_IP4:
			read_enc(&cfg, at, 4);
			break;
		case IKE_CA_ENCDNS_IP6:
			read_enc(&cfg, at, 16);
			break;
		default:		/* 3.15.1: ignored */
			break;
		}
	}
	if (cfg.ip4.addr.family != 0)
		cfg.ip4.bits = bits != 0 ? bits : 32;
	if (cfg.n_dns == 0 && cfg.n_enc == 0)	/* RFC 8598 3.2 */
		cfg.n_domain = 0;
	*out = cfg;
}

static void
wish(const struct ike_cp_attr *at, size_t len, bool *has, struct ip_addr *ip)
{
	if (!*has)
		*ip = addr_of(at->value, len);
	*has = true;
}

void
ike_cfg_req_read(const struct ike_cp *cp, struct ike_cfg_req *out)
{
	struct ike_cfg_req r = { 0 };

	for (unsigned i = 0; i < cp->n; i++) {
		const struct ike_cp_attr *at = &cp->attr[i];

		switch (at->type) {
		case IKE_CA_INTERNAL_IP4_ADDRESS:
			wish(at, 4, &r.has_ip4, &r.wish4);
			break;
		case IKE_CA_INTERNAL_IP6_ADDRESS:
			wish(at, 16, &r.has_ip6, &r.wish6);
			break;
		case IKE_CA_INTERNAL_IP4_NETMASK:
			r.has_mask = true;
			break;
		case IKE_CA_INTERNAL_IP4_DNS:
			r.has_dns4 = true;
			break;
		case IKE_CA_INTERNAL_IP6_DNS:
			r.has_dns6 = true;
			break;
		case IKE_CA_INTERNAL_IP4_SUBNET:
			r.has_subnet4 = true;
			break;
		case IKE_CA_INTERNAL_IP6_SUBNET:
			r.has_subnet6 = true;
			break;
		case IKE_CA_INTERNAL_DNS_DOMAIN:
			r.has_domain = true;
			break;
		case IKE_CA_ENCDNS_IP4:
			r.has_enc4 = true;
			break;
		case IKE_CA_ENCDNS_IP6:
			r.has_enc6 = true;
			break;
		case IKE_CA_SUPPORTED_ATTRIBUTES:
			r.has_supported = true;
			break;
		default:
			break;
		}
	}
	*out = r;
}

/* ---- writing ---------------------------------------------------------------------- */

struct writer {
	struct arena *arena;
	struct ike_cp_attr *attr;	/* IKE_MAX_CP_ATTRS */
	unsigned n;
	int err;
};

/* Append; a full payload leaves the rest out, which 3.15.1 permits. */
static void
add(struct writer *w, uint16_t type, const void *p, size_t len)
{
	void *copy = NULL;

	if (w->n == IKE_MAX_CP_ATTRS || w->err != 0)
		return;
	if (len > 0 && (copy = arena_dup(w->arena, p, len)) == NULL) {
		w->err = ERR_NOMEM;
		return;
	}
	w->attr[w->n++] = (struct ike_cp_attr){ type, { copy, len } };
}

static void
add_ip(struct writer *w, uint16_t type, const struct ip_addr *ip)
{
	add(w, type, ip->b, ip_len(ip));
}

/* An IPv6 address and its prefix length. */
static void
add_net6(struct writer *w, uint16_t type, const struct ip_net *net)
{
	uint8_t b[17];

	memcpy(b, net->addr.b, 16);
	b[16] = net->bits;
	add(w, type, b, sizeof(b));
}

static uint32_t
mask_of(uint8_t bits)
{
	return bits == 0 ? 0 : UINT32_MAX << (32 - bits);
}

static void
add_net4(struct writer *w, const struct ip_net *net)
{
	uint8_t b[8];

	memcpy(b, net->addr.b, 4);
	be32_put(b + 4, mask_of(net->bits));
	add(w, IKE_CA_INTERNAL_IP4_SUBNET, b, sizeof(b));
}

static int
begin(struct writer *w, struct arena *a)
{
	*w = (struct writer){ .arena = a };
	w->attr = arena_alloc(a, IKE_MAX_CP_ATTRS * sizeof(*w->attr));
	return w->attr != NULL ? 0 : ERR_NOMEM;
}

static int
finish(const struct writer *w, uint8_t type, struct ike_cp *out)
{
	if (w->err == 0)
		*out = (struct ike_cp){ .type = type, .n = w->n,
					.attr = w->attr };
	return w->err;
}

static void
put_alpn(struct wcur *w, const struct vpn_enc_dns *e)
{
	size_t hole;

	wcur_u16(w, SVC_ALPN);
	hole = wcur_hole(w, 2);
	if (e->has_dot)
		wcur_bytes(w, "\003dot", 4);
	if (e->has_doq)
		wcur_bytes(w, "\003doq", 4);
	if (e->has_doh)
		wcur_bytes(w, "\002h2\002h3", 6);
	wcur_put16(w, hole, (uint16_t)(w->len - hole - 2));
}

static void
add_enc(struct writer *w, const struct vpn_enc_dns *e)
{
	uint8_t buf[ENC_VALUE_MAX];
	size_t n_name = strlen(e->name), n_path = strlen(e->doh_path);
	struct wcur c;
	struct view v;

	wcur_init(&c, buf, sizeof(buf));
	wcur_u16(&c, e->prio);
	wcur_u8(&c, (uint8_t)e->n_ip);
	wcur_u8(&c, (uint8_t)n_name);
	for (unsigned i = 0; i < e->n_ip; i++)
		wcur_bytes(&c, e->ip[i].b, ip_len(&e->ip[i]));
	wcur_bytes(&c, e->name, n_name);
	put_alpn(&c, e);
	if (e->port != 0) {
		wcur_u16(&c, SVC_PORT);
		wcur_u16(&c, 2);
		wcur_u16(&c, e->port);
	}
	if (e->has_doh && n_path > 0) {
		wcur_u16(&c, SVC_DOH_PATH);
		wcur_u16(&c, (uint16_t)n_path);
		wcur_bytes(&c, e->doh_path, n_path);
	}
	v = wcur_done(&c);
	if (v.len > 0)
		add(w, e->ip[0].family == 4 ? IKE_CA_ENCDNS_IP4 :
		    IKE_CA_ENCDNS_IP6, v.p, v.len);
}

/* 3.15.1: what we know, two bytes each. */
static void
add_supported(struct writer *w)
{
	static const uint16_t known[] = {
		IKE_CA_INTERNAL_IP4_ADDRESS, IKE_CA_INTERNAL_IP4_NETMASK,
		IKE_CA_INTERNAL_IP4_DNS, IKE_CA_INTERNAL_IP6_ADDRESS,
		IKE_CA_INTERNAL_IP6_DNS, IKE_CA_INTERNAL_IP4_SUBNET,
		IKE_CA_SUPPORTED_ATTRIBUTES, IKE_CA_INTERNAL_IP6_SUBNET,
		IKE_CA_INTERNAL_DNS_DOMAIN, IKE_CA_ENCDNS_IP4,
		IKE_CA_ENCDNS_IP6
	};
	uint8_t b[2 * N_OF(known)];

	for (unsigned i = 0; i < N_OF(known); i++)
		be16_put(b + 2 * i, known[i]);
	add(w, IKE_CA_SUPPORTED_ATTRIBUTES, b, sizeof(b));
}

static void
add_wish6(struct writer *w, const struct ip_addr *ip)
{
	struct ip_net net = { *ip, 128 };

	if (ip->family == 6)
		add_net6(w, IKE_CA_INTERNAL_IP6_ADDRESS, &net);
	else
		add(w, IKE_CA_INTERNAL_IP6_ADDRESS, NULL, 0);
}

int
ike_cfg_req_write(struct arena *a, const struct ike_cfg_req *req,
		  struct ike_cp *out)
{
	const struct { bool is; uint16_t type; } empty[] = {
		{ req->has_mask, IKE_CA_INTERNAL_IP4_NETMASK },
		{ req->has_dns4, IKE_CA_INTERNAL_IP4_DNS },
		{ req->has_dns6, IKE_CA_INTERNAL_IP6_DNS },
		{ req->has_subnet4, IKE_CA_INTERNAL_IP4_SUBNET },
		{ req->has_subnet6, IKE_CA_INTERNAL_IP6_SUBNET },
		{ req->has_domain, IKE_CA_INTERNAL_DNS_DOMAIN },
		{ req->has_enc4, IKE_CA_ENCDNS_IP4 },
		{ req->has_enc6, IKE_CA_ENCDNS_IP6 },
		{ req->has_supported, IKE_CA_SUPPORTED_ATTRIBUTES },
	};
	struct writer w;
	int err;

	if ((err = begin(&w, a)) != 0)
		return err;
	if (req->has_ip4)
		add_ip(&w, IKE_CA_INTERNAL_IP4_ADDRESS, &req->wish4);
	if (req->has_ip6)
		add_wish6(&w, &req->wish6);
	for (unsigned i = 0; i < N_OF(empty); i++)
		if (empty[i].is)
			add(&w, empty[i].type, NULL, 0);
	return finish(&w, IKE_CP_REQUEST, out);
}

static void
add_addresses(struct writer *w, const struct ike_cfg_req *req,
	      const struct vpn_cfg *cfg)
{
	uint8_t mask[4];

	if (req->has_ip4 && cfg->ip4.addr.family == 4) {
		add_ip(w, IKE_CA_INTERNAL_IP4_ADDRESS, &cfg->ip4.addr);
		be32_put(mask, mask_of(cfg->ip4.bits));
		/* 3.15.1: of use where the address is on a shared network */
		if (req->has_mask && cfg->ip4.bits < 32)
			add(w, IKE_CA_INTERNAL_IP4_NETMASK, mask, sizeof(mask));
	}
	if (req->has_ip6 && cfg->ip6.addr.family == 6)
		add_net6(w, IKE_CA_INTERNAL_IP6_ADDRESS, &cfg->ip6);
}

/* Returns whether there is any server for names. */
static bool
add_servers(struct writer *w, const struct ike_cfg_req *req,
	    const struct vpn_cfg *cfg)
{
	unsigned n = w->n;

	for (unsigned i = 0; i < cfg->n_dns; i++) {
		bool is4 = cfg->dns[i].family == 4;

		if (is4 ? req->has_dns4 : req->has_dns6)
			add_ip(w, is4 ? IKE_CA_INTERNAL_IP4_DNS :
			       IKE_CA_INTERNAL_IP6_DNS, &cfg->dns[i]);
	}
	for (unsigned i = 0; i < cfg->n_enc; i++)
		if (cfg->enc[i].ip[0].family == 4 ? req->has_enc4 :
		    req->has_enc6)
			add_enc(w, &cfg->enc[i]);
	return w->n > n;
}

int
ike_cfg_write(struct arena *a, const struct ike_cfg_req *req,
	      const struct vpn_cfg *cfg, struct ike_cp *out)
{
	bool has_server;
	struct writer w;
	int err;

	if ((err = begin(&w, a)) != 0)
		return err;
	add_addresses(&w, req, cfg);
	has_server = add_servers(&w, req, cfg);
	for (unsigned i = 0; has_server && req->has_domain &&
	     i < cfg->n_domain; i++)
		add(&w, IKE_CA_INTERNAL_DNS_DOMAIN, cfg->domain[i],
		    strlen(cfg->domain[i]));
	for (unsigned i = 0; i < cfg->n_subnet; i++) {
		if (cfg->subnet[i].addr.family == 4 && req->has_ip4)
			add_net4(&w, &cfg->subnet[i]);
		else if (cfg->subnet[i].addr.family == 6 && req->has_ip6)
			add_net6(&w, IKE_CA_INTERNAL_IP6_SUBNET,
				 &cfg->subnet[i]);
	}
	if (req->has_supported)
		add_supported(&w);
	return finish(&w, IKE_CP_REPLY, out);
}
