/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/names.c - identity against certificate, RFC 4945 3.1.
 *
 *   ID_FQDN         dNSName       without regard to ASCII case
 *   ID_RFC822_ADDR  rfc822Name    the host without regard to case
 *   ID_IPV4_ADDR    iPAddress     same bytes
 *   ID_IPV6_ADDR    iPAddress     same bytes
 *   ID_DER_ASN1_DN  subject       RFC 5280 7.1
 *
 * Never the common name, never a wildcard in the certificate.
 *
 * Thread: any.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "daemon/base/addr.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "secure-proc/verify/check.h"

/* RFC 7296 3.5 */
#define ID_IPV4_ADDR   1
#define ID_FQDN	       2
#define ID_RFC822_ADDR 3
#define ID_IPV6_ADDR   5
#define ID_DER_ASN1_DN 9

#define LISTED_MAX 150	/* bytes of a list of names in a sentence */

static bool
same_nocase(struct view a, struct view b)
{
	return a.len == b.len && a.len > 0 &&
	    strncasecmp((const char *)a.p, (const char *)b.p, a.len) == 0 &&
	    memchr(a.p, '\0', a.len) == NULL &&
	    memchr(b.p, '\0', b.len) == NULL;
}

static bool
same(struct view a, struct view b)
{
	return a.len == b.len && a.len > 0 && memcmp(a.p, b.p, a.len) == 0;
}

/* Local part exactly, host without regard to case (RFC 5280 7.5). */
static bool
same_mail(struct view a, struct view b)
{
	const uint8_t *at = memrchr(a.p, '@', a.len);
	size_t n;

	if (a.len != b.len || at == NULL)
		return false;
	n = (size_t)(at - a.p);
	return memcmp(a.p, b.p, n) == 0 &&
	    same_nocase((struct view){ a.p + n, a.len - n },
			(struct view){ b.p + n, b.len - n });
}

static bool
name_is(const struct spi_cert_name *n, uint8_t type, struct view id)
{
	switch (type) {
	case ID_FQDN:
		return n->kind == SPI_NAME_DNS && same_nocase(n->data, id);
	case ID_RFC822_ADDR:
		return n->kind == SPI_NAME_EMAIL && same_mail(n->data, id);
	case ID_IPV4_ADDR:
		return n->kind == SPI_NAME_IP && id.len == 4 &&
		    same(n->data, id);
	case ID_IPV6_ADDR:
		return n->kind == SPI_NAME_IP && id.len == 16 &&
		    same(n->data, id);
	default:
		return false;
	}
}

static void
name_list(const struct spi_cert_facts *f, char *out, size_t cap)
{
	char text[128], ip[IP_TEXT_MAX];
	struct ip_addr a;

	out[0] = '\0';
	for (unsigned i = 0; i < f->n_name; i++) {
		const struct spi_cert_name *n = &f->name[i];

		if (n->kind == SPI_NAME_IP) {
			a = ip_from(n->data.p, n->data.len);
			snprintf(text, sizeof(text), "%s", ip_text(&a, ip));
		} else if (n->kind == SPI_NAME_DNS ||
		    n->kind == SPI_NAME_EMAIL) {
			str_escape(text, sizeof(text), n->data.p, n->data.len);
		} else {
			continue;
		}
		if (strlen(out) + strlen(text) + 8 > cap) {
			str_add(out, cap, ", ...");
			return;
		}
		str_add(out, cap, "%s%s", out[0] != '\0' ? ", " : "", text);
	}
	if (out[0] == '\0')
		str_add(out, cap, "none");
}

int
sec_names_check(const struct spi_cert *c, const struct spi_cert_facts *f,
		struct view id, char *why, size_t cap)
{
	char listed[LISTED_MAX];
	struct view data;
	struct cur in;
	uint8_t type;

	cur_init(&in, id.p, id.len);
	if (cur_u8(&in, &type) != 0 || cur_skip(&in, 3) != 0) {
		snprintf(why, cap, "malformed identity");
		return ERR_SYNTAX;
	}
	cur_rest(&in, &data);
	if (type == ID_DER_ASN1_DN) {
		if (data.len > 0 && spi_certs()->cert_is_named(c, data))
			return 0;
		snprintf(why, cap, "the peer's identity is not the subject of "
		    "its certificate, which is \"%.150s\"", f->subject);
		return ERR_AUTH;
	}
	for (unsigned i = 0; i < f->n_name && data.len > 0; i++)
		if (name_is(&f->name[i], type, data))
			return 0;
	name_list(f, listed, sizeof(listed));
	snprintf(why, cap, "the peer's identity is not in its certificate, "
	    "whose names are: %s", listed);
	return ERR_AUTH;
}
