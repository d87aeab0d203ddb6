/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/vpn_cfg.c - domain names, and comparing two configurations.
 *
 * Thread: any.
 */
#include "daemon/base/vpn_cfg.h"
#include <string.h>
#include "daemon/base/err.h"

#define LABEL_MAX 63	/* RFC 1035 2.3.4 */

static bool
is_name_char(unsigned char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
	    (ch >= '0' && ch <= '9') || ch == '-' || ch == '_';
}

int
vpn_name_read(const void *text, size_t len, char *out)
{
	const unsigned char *s = text;
	size_t n_label = 0;

	if (len > 0 && s[len - 1] == '.')
		len--;
	if (len == 0 || len >= VPN_NAME_MAX)
		return ERR_SYNTAX;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '.' && n_label > 0) {
			n_label = 0;
			continue;
		}
		/* A name ends up in files and messages of others: nothing of
		 * meaning to them may be in it, nor an option's '-' in front. */
		if (!is_name_char(s[i]) || ++n_label > LABEL_MAX ||
		    (n_label == 1 && s[i] == '-'))
			return ERR_SYNTAX;
	}
	if (n_label == 0)
		return ERR_SYNTAX;
	memcpy(out, s, len);
	out[len] = '\0';
	return 0;
}

static bool
net_equal(const struct ip_net *a, const struct ip_net *b)
{
	return ip_equal(&a->addr, &b->addr) && a->bits == b->bits;
}

static bool
enc_equal(const struct vpn_enc_dns *a, const struct vpn_enc_dns *b)
{
	if (a->prio != b->prio || a->n_ip != b->n_ip || a->port != b->port ||
	    a->has_dot != b->has_dot || a->has_doq != b->has_doq ||
	    a->has_doh != b->has_doh || strcmp(a->name, b->name) != 0 ||
	    strcmp(a->doh_path, b->doh_path) != 0)
		return false;
	for (unsigned i = 0; i < a->n_ip; i++)
		if (!ip_equal(&a->ip[i], &b->ip[i]))
			return false;
	return true;
}

bool
vpn_cfg_equal(const struct vpn_cfg *a, const struct vpn_cfg *b)
{
	if (!net_equal(&a->ip4, &b->ip4) || !net_equal(&a->ip6, &b->ip6) ||
	    a->n_dns != b->n_dns || a->n_subnet != b->n_subnet ||
	    a->n_domain != b->n_domain || a->n_enc != b->n_enc)
		return false;
	for (unsigned i = 0; i < a->n_dns; i++)
		if (!ip_equal(&a->dns[i], &b->dns[i]))
			return false;
	for (unsigned i = 0; i < a->n_subnet; i++)
		if (!net_equal(&a->subnet[i], &b->subnet[i]))
			return false;
	for (unsigned i = 0; i < a->n_domain; i++)
		if (strcmp(a->domain[i], b->domain[i]) != 0)
			return false;
	for (unsigned i = 0; i < a->n_enc; i++)
		if (!enc_equal(&a->enc[i], &b->enc[i]))
			return false;
	return true;
}
