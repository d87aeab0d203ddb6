/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/vpn_names.c - name servers as a line of text, and back.
 *
 * Thread: any.
 */
#include "daemon/base/vpn_names.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define WORD_MAX (IP_TEXT_MAX + VPN_NAME_MAX + 16)
#define DOT_PORT 853	/* RFC 7858 3.1 */

const char *
vpn_names_write(const struct vpn_cfg *cfg, char *out, size_t cap)
{
	char ip[IP_TEXT_MAX];

	out[0] = '\0';
	for (unsigned i = 0; i < cfg->n_dns; i++)
		str_add(out, cap, "%sdns=%s", *out != '\0' ? " " : "",
			ip_text(&cfg->dns[i], ip));
	for (unsigned i = 0; i < cfg->n_domain; i++)
		str_add(out, cap, "%sdomain=%s", *out != '\0' ? " " : "",
			cfg->domain[i]);
	for (unsigned i = 0; i < cfg->n_enc; i++) {
		const struct vpn_enc_dns *e = &cfg->enc[i];

		/* none said: TLS, see vpn_cfg.h */
		if (!e->has_dot && (e->has_doq || e->has_doh))
			continue;
		for (unsigned k = 0; k < e->n_ip; k++)
			str_add(out, cap, "%stls=%s,%u,%s",
				*out != '\0' ? " " : "",
				ip_text(&e->ip[k], ip),
				e->port != 0 ? e->port : DOT_PORT, e->name);
	}
	return out;
}

static int
read_ip(const char *text, struct ip_addr *out)
{
	return ip_parse(text, out) == 0 && ip_is_unicast(out) ? 0 : ERR_SYNTAX;
}

/* ADDRESS,PORT,NAME; the word is cut into pieces. */
static int
read_tls(char *text, struct vpn_enc_dns *out)
{
	char *port = strchr(text, ','), *name;
	uint64_t v;

	if (port == NULL || (name = strchr(port + 1, ',')) == NULL)
		return ERR_SYNTAX;
	*port++ = *name++ = '\0';
	if (read_ip(text, &out->ip[0]) != 0 ||
	    str_u64(port, UINT16_MAX, &v) != 0 || v == 0)
		return ERR_SYNTAX;
	out->n_ip = 1;
	out->port = (uint16_t)v;
	out->has_dot = true;
	return vpn_name_read(name, strlen(name), out->name);
}

/* Addresses of one resolver come one after the other. */
static int
add_tls(char *text, struct vpn_cfg *c)
{
	struct vpn_enc_dns e = { 0 }, *last;
	int err = read_tls(text, &e);

	if (err != 0)
		return err;
	last = c->n_enc > 0 ? &c->enc[c->n_enc - 1] : NULL;
	if (last != NULL && strcmp(last->name, e.name) == 0 &&
	    last->port == e.port && last->n_ip < VPN_CFG_ENC_IP_MAX) {
		last->ip[last->n_ip++] = e.ip[0];
		return 0;
	}
	if (c->n_enc == VPN_CFG_ENC_MAX)
		return ERR_LIMIT;
	e.prio = (uint16_t)(c->n_enc + 1);
	c->enc[c->n_enc++] = e;
	return 0;
}

static int
add_word(char *word, struct vpn_cfg *c)
{
	char *v = strchr(word, '=');

	if (v == NULL)
		return ERR_SYNTAX;
	*v++ = '\0';
	if (strcmp(word, "dns") == 0) {
		if (c->n_dns == VPN_CFG_DNS_MAX)
			return ERR_LIMIT;
		return read_ip(v, &c->dns[c->n_dns++]);
	}
	if (strcmp(word, "domain") == 0) {
		if (c->n_domain == VPN_CFG_DOMAIN_MAX)
			return ERR_LIMIT;
		return vpn_name_read(v, strlen(v), c->domain[c->n_domain++]);
	}
	return strcmp(word, "tls") == 0 ? add_tls(v, c) : ERR_SYNTAX;
}

int
vpn_names_read(const char *text, struct vpn_cfg *out)
{
	struct vpn_cfg c = { 0 };
	char word[WORD_MAX];
	size_t n;
	int err;

	for (; *text != '\0'; text += n + (text[n] == ' ')) {
		n = strcspn(text, " ");
		if (n == 0 || n >= sizeof(word))
			return ERR_SYNTAX;
		memcpy(word, text, n);
		word[n] = '\0';
		if ((err = add_word(word, &c)) != 0)
			return err;
	}
	*out = c;
	return 0;
}
