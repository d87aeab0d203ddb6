/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/pool.c - what <pool> hands out, from text to arrays.
 *
 * Thread: any; pure.
 */
#include "conf/pool.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define WORD_LEN 512	/* an encrypted resolver with four addresses */

/* ---- words ----------------------------------------------------------------------- */

/* A network without host bits. */
static bool
net_read(const char *word, struct ip_net *net)
{
	struct ip_addr lo, hi;

	if (strchr(word, '/') == NULL || ip_net_parse(word, net) != 0)
		return false;
	ip_net_range(net, &lo, &hi);
	return ip_equal(&lo, &net->addr);
}

static bool
ip_read(const char *word, struct ip_addr *ip)
{
	return ip_parse(word, ip) == 0 && ip_is_unicast(ip);
}

static int
scheme_read(const char **p, struct vpn_enc_dns *e)
{
	static const char *const scheme[] = { "tls://", "quic://", "https://" };
	bool *const has[] = { &e->has_dot, &e->has_doq, &e->has_doh };

	for (unsigned i = 0; i < N_OF(scheme); i++)
		if (strncmp(*p, scheme[i], strlen(scheme[i])) == 0) {
			*p += strlen(scheme[i]);
			*has[i] = true;
			return 0;
		}
	return ERR_SYNTAX;
}

/* NAME[:PORT][/PATH], len bytes. */
static int
place_read(const char *text, size_t len, struct vpn_enc_dns *e)
{
	size_t n_name = 0, n_port;
	char port[8];
	uint64_t v;

	while (n_name < len && text[n_name] != ':' && text[n_name] != '/')
		n_name++;
	if (vpn_name_read(text, n_name, e->name) != 0)
		return ERR_SYNTAX;
	text += n_name;
	len -= n_name;
	if (len > 0 && text[0] == ':') {
		for (n_port = 1; n_port < len && text[n_port] != '/';)
			n_port++;
		if (n_port > sizeof(port))
			return ERR_SYNTAX;
		memcpy(port, text + 1, n_port - 1);
		port[n_port - 1] = '\0';
		if (str_u64(port, UINT16_MAX, &v) != 0 || v == 0)
			return ERR_SYNTAX;
		e->port = (uint16_t)v;
		text += n_port;
		len -= n_port;
	}
	if (len == 0)
		return 0;
	if (!e->has_doh || len >= sizeof(e->doh_path))
		return ERR_SYNTAX;
	memcpy(e->doh_path, text, len);		/* begins with '/' */
	e->doh_path[len] = '\0';
	for (const char *c = e->doh_path; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f || strchr("\"\\#", *c) != NULL)
			return ERR_SYNTAX;
	return 0;
}

static int
addresses_read(const char *text, struct vpn_enc_dns *e)
{
	char one[IP_TEXT_MAX];
	size_t n;

	for (;; text += n + 1) {
		n = strcspn(text, "+");
		if (n >= sizeof(one) || e->n_ip == VPN_CFG_ENC_IP_MAX)
			return ERR_SYNTAX;
		memcpy(one, text, n);
		one[n] = '\0';
		if (!ip_read(one, &e->ip[e->n_ip]) ||
		    e->ip[e->n_ip].family != e->ip[0].family)
			return ERR_SYNTAX;
		e->n_ip++;
		if (text[n] == '\0')
			return 0;
	}
}

int
conf_resolver_parse(const char *text, struct vpn_enc_dns *out)
{
	struct vpn_enc_dns e = { 0 };
	const char *at = strrchr(text, '@');

	if (at == NULL || scheme_read(&text, &e) != 0 || text > at ||
	    place_read(text, (size_t)(at - text), &e) != 0 ||
	    addresses_read(at + 1, &e) != 0)
		return ERR_SYNTAX;
	if (e.has_doh && e.doh_path[0] == '\0')
		str_copy(e.doh_path, sizeof(e.doh_path), "/dns-query{?dns}");
	*out = e;
	return 0;
}

const char *
conf_pool_word(const struct conf_row *row, const char *word)
{
	bool is_route = strcmp(row->opt.name, "route") == 0;
	char name[VPN_NAME_MAX];
	struct vpn_enc_dns e;
	struct ip_addr ip;
	struct ip_net net;
	struct net_ep ep;

	switch (row->kind) {
	case K_NETS:
		return net_read(word, &net) && (ip_is_unicast(&net.addr) ||
		    (is_route && ip_is_any(&net.addr))) ? NULL :
		    "a network is like 10.20.1.0/24 or fd00:20::/64";
	case K_IPS:
		return ip_read(word, &ip) ? NULL :
		    "an address is like 10.20.0.53 or fd00:20::53";
	case K_NAMES:
		return vpn_name_read(word, strlen(word), name) == 0 ? NULL :
		    "a domain is like example.com (letters, digits, - and _; "
		    "others as xn--...)";
	case K_RESOLVERS:
		return conf_resolver_parse(word, &e) == 0 ? NULL :
		    "a resolver is like tls://dns.example.com@10.20.0.53 or "
		    "https://dns.example.com/dns-query@10.20.0.53";
	case K_SERVERS:
		return net_ep_parse(word, &ep) == 0 && !ip_is_any(&ep.ip) ?
		    NULL : "a server is an address like 10.20.0.5, "
		    "10.20.0.5:1645 or [fd00:20::5]:1812, not a name";
	default:
		return "nothing";
	}
}

/* ---- lists ----------------------------------------------------------------------- */

static void
too_many(struct checker *k, struct conf_pos pos, const char *what, unsigned max)
{
	conf_bad(k, pos, CONF_E_MANY, "more than %u %s", max, what);
}

static unsigned
nets_of(struct checker *k, struct conf_pos pos, const char *text,
	struct ip_net *out, unsigned max)
{
	char word[WORD_LEN];
	unsigned n = 0;

	while (text != NULL && conf_list_next(&text, word, sizeof(word))) {
		if (n == max) {
			too_many(k, pos, "networks", max);
			break;
		}
		n += net_read(word, &out[n]);
	}
	return n;
}

static unsigned
ips_of(struct checker *k, struct conf_pos pos, const char *text,
       struct ip_addr *out, unsigned max)
{
	char word[WORD_LEN];
	unsigned n = 0;

	while (text != NULL && conf_list_next(&text, word, sizeof(word))) {
		if (n == max) {
			too_many(k, pos, "addresses", max);
			break;
		}
		n += ip_read(word, &out[n]);
	}
	return n;
}

static void
domains_of(struct checker *k, struct conf_pos pos, const char *text,
	   struct vpn_cfg *cfg)
{
	char word[WORD_LEN];

	while (text != NULL && conf_list_next(&text, word, sizeof(word))) {
		if (cfg->n_domain == VPN_CFG_DOMAIN_MAX) {
			too_many(k, pos, "domains", VPN_CFG_DOMAIN_MAX);
			return;
		}
		if (vpn_name_read(word, strlen(word),
				  cfg->domain[cfg->n_domain]) == 0)
			cfg->n_domain++;
	}
}

static void
resolvers_of(struct checker *k, struct conf_pos pos, const char *text,
	     struct vpn_cfg *cfg)
{
	char word[WORD_LEN];

	while (text != NULL && conf_list_next(&text, word, sizeof(word))) {
		struct vpn_enc_dns *e = &cfg->enc[cfg->n_enc];

		if (cfg->n_enc == VPN_CFG_ENC_MAX) {
			too_many(k, pos, "encrypted resolvers",
				 VPN_CFG_ENC_MAX);
			return;
		}
		if (conf_resolver_parse(word, e) != 0)
			continue;
		e->prio = (uint16_t)++cfg->n_enc;	/* as they are written */
	}
}

static void
lists(struct checker *k, const struct conf_node *n, struct conf_pool *p)
{
	struct vpn_cfg *cfg = &p->cfg;

	p->n_net = nets_of(k, n->pos, p->net_text, p->net, CONF_POOL_NET_MAX);
	cfg->n_dns = ips_of(k, n->pos, p->dns, cfg->dns, VPN_CFG_DNS_MAX);
	cfg->n_subnet = nets_of(k, n->pos, p->route, cfg->subnet,
				VPN_CFG_SUBNET_MAX);
	domains_of(k, n->pos, p->domain, cfg);
	resolvers_of(k, n->pos, p->resolver, cfg);
	if (conf_node_attr(n, "net") == NULL)
		conf_bad(k, n->pos, CONF_E_MISSING, "<pool> has no net=; give the "
			 "network its addresses are from");
	if (p->domain != NULL && conf_node_attr(n, "dns") == NULL &&
	    conf_node_attr(n, "resolver") == NULL)	/* RFC 8598 3.2 */
		conf_bad(k, n->pos, CONF_E_CONFLICT, "domain= without dns=: "
			 "say who knows these names");
}

static void
lease_lists(struct checker *k, const struct conf_node *n, struct conf_lease *l)
{
	l->n_ip = ips_of(k, n->pos, l->address, l->ip, CONF_LEASE_IP_MAX);
	if (l->n_ip == 2 && l->ip[0].family == l->ip[1].family)
		conf_bad(k, n->pos, CONF_E_CONFLICT, "address=\"%.60s\": an "
			 "identity has one address of each family", l->address);
	if (conf_node_attr(n, "id") == NULL ||
	    conf_node_attr(n, "address") == NULL)
		conf_bad(k, n->pos, CONF_E_MISSING, "<lease> needs id= and "
			 "address=");
	if (l->id != NULL && strpbrk(l->id, "*?") != NULL)
		conf_bad(k, n->pos, CONF_E_IDENTITY, "id=\"%.60s\" of <lease>: "
			 "an address is kept for one identity, without * and ?",
			 l->id);
}

static void
take_leases(struct checker *k, const struct conf_node *node,
	    struct conf_pool *p)
{
	unsigned n = conf_node_count(node, CONF_IN_LEASE);
	struct conf_lease *l;

	p->lease = conf_keep_array(k, n, sizeof(*p->lease));
	for (const struct conf_node *c = node->child; c != NULL &&
	     p->lease != NULL && p->n_lease < n; c = c->next) {
		if (!conf_node_is(c, CONF_IN_LEASE))
			continue;
		l = &p->lease[p->n_lease++];
		l->pos = c->pos;
		conf_node_fill(k, c, CONF_IN_LEASE, l);
		lease_lists(k, c, l);
	}
}

void
conf_pool_take(struct checker *k, const struct conf_node *realm,
	       struct conf_realm *r)
{
	const struct conf_node *n = conf_node_child(realm, CONF_IN_POOL);

	if (n == NULL ||
	    (r->pool = conf_keep_array(k, 1, sizeof(*r->pool))) == NULL)
		return;
	r->pool->pos = n->pos;
	conf_node_fill(k, n, CONF_IN_POOL, r->pool);
	lists(k, n, r->pool);
	take_leases(k, n, r->pool);
}
