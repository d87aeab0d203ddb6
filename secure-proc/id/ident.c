/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/id/ident.c - identities: wire <-> text, compare, select.
 *
 *    0                   1                   2                   3
 *   +---------------+-----------------------------------------------+
 *   |   ID Type     |                 RESERVED                      |
 *   +---------------+-----------------------------------------------+
 *   ~                   Identification Data                         ~
 *   +---------------------------------------------------------------+
 *
 * Thread: any.
 */
#include "secure-proc/id/ident.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "daemon/base/addr.h"
#include "daemon/base/cur.h"
#include "daemon/base/str.h"
#include "secure-proc/id/dn.h"

#define SHOWN_MAX 120	/* bytes of an identity within a sentence */

static uint8_t
type_of_kind(enum conf_id_kind kind)
{
	switch (kind) {
	case CONF_ID_FQDN:
		return SEC_ID_FQDN;
	case CONF_ID_EMAIL:
		return SEC_ID_RFC822_ADDR;
	case CONF_ID_IPV4:
		return SEC_ID_IPV4_ADDR;
	case CONF_ID_IPV6:
		return SEC_ID_IPV6_ADDR;
	case CONF_ID_KEYID:
		return SEC_ID_KEY_ID;
	case CONF_ID_DN:
		return SEC_ID_DER_ASN1_DN;
	case CONF_ID_NONE:
		break;
	}
	return 0;
}

/* A host name or address of printable ASCII as a C string.  A NUL inside would
 * end the comparison early, so it is refused like any odd byte. */
static bool
plain_text(const struct sec_id *id, char *out, size_t cap)
{
	if (id->data.len == 0 || id->data.len >= cap)
		return false;
	for (size_t i = 0; i < id->data.len; i++)
		if (id->data.p[i] <= 0x20 || id->data.p[i] >= 0x7f)
			return false;
	memcpy(out, id->data.p, id->data.len);
	out[id->data.len] = '\0';
	return true;
}

/* ---- public: identities ------------------------------------------------------ */

int
sec_id_dec(struct view body, struct sec_id *id)
{
	struct cur c;
	int err;

	if (body.len > SEC_ID_BODY_MAX)
		return ERR_LONG;
	cur_init(&c, body.p, body.len);
	if ((err = cur_u8(&c, &id->type)) != 0 ||
	    (err = cur_skip(&c, 3)) != 0)		/* RESERVED */
		return err;
	cur_rest(&c, &id->data);
	return id->data.len > 0 ? 0 : ERR_SHORT;
}

int
sec_id_enc(const char *text, uint8_t *out, size_t cap, size_t *len)
{
	uint8_t data[SEC_ID_BODY_MAX];
	enum conf_id_kind kind = conf_id_type(text);
	struct wcur w;
	size_t n;
	int err;

	err = kind == CONF_ID_DN ? sec_dn_enc(text, data, sizeof(data), &n) :
	    conf_id_bytes(text, &kind, data, sizeof(data), &n);
	if (err != 0)
		return err;
	wcur_init(&w, out, cap);
	wcur_u8(&w, type_of_kind(kind));
	wcur_zero(&w, 3);
	wcur_bytes(&w, data, n);
	if (w.err != 0)
		return w.err;
	*len = w.len;
	return 0;
}

const char *
sec_id_text(const struct sec_id *id, char *out)
{
	char ip[IP_TEXT_MAX], hex[SEC_ID_TEXT_MAX];
	struct ip_addr a;

	if ((id->type == SEC_ID_IPV4_ADDR && id->data.len == 4) ||
	    (id->type == SEC_ID_IPV6_ADDR && id->data.len == 16)) {
		a = ip_from(id->data.p, id->data.len);
		snprintf(out, SEC_ID_TEXT_MAX, "%s", ip_text(&a, ip));
		return out;
	}
	if (id->type == SEC_ID_FQDN || id->type == SEC_ID_RFC822_ADDR) {
		str_escape(out, SEC_ID_TEXT_MAX, id->data.p, id->data.len);
		return out;
	}
	if (id->type == SEC_ID_DER_ASN1_DN &&
	    sec_dn_text(id->data, out, SEC_ID_TEXT_MAX))
		return out;
	str_hex(hex, sizeof(hex), id->data.p, MIN(id->data.len, 100u));
	if (id->type == SEC_ID_KEY_ID)
		snprintf(out, SEC_ID_TEXT_MAX, "keyid:%.240s", hex);
	else
		snprintf(out, SEC_ID_TEXT_MAX, "type%u:%.240s", id->type, hex);
	return out;
}

bool
sec_id_equal(const struct sec_id *id, const char *text)
{
	uint8_t data[CONF_ID_MAX];
	enum conf_id_kind kind;
	size_t n;

	if (conf_id_type(text) == CONF_ID_DN)
		return id->type == SEC_ID_DER_ASN1_DN && sec_dn_is(id->data, text);
	if (conf_id_bytes(text, &kind, data, sizeof(data), &n) != 0 ||
	    id->type != type_of_kind(kind) || id->data.len != n)
		return false;
	if (kind == CONF_ID_FQDN)
		return strncasecmp((const char *)data,
		    (const char *)id->data.p, n) == 0 &&
		    memchr(id->data.p, '\0', n) == NULL;
	return memcmp(data, id->data.p, n) == 0;
}

bool
sec_id_glob(const struct sec_id *id, const char *pattern)
{
	char text[SEC_ID_TEXT_MAX];
	bool has_at = strchr(pattern, '@') != NULL;

	if (strcmp(pattern, "*") == 0)
		return true;
	if (id->type != (has_at ? SEC_ID_RFC822_ADDR : SEC_ID_FQDN) ||
	    !plain_text(id, text, sizeof(text)))
		return false;
	/* A host name has no '@', an e-mail address has one. */
	if ((strchr(text, '@') != NULL) != has_at)
		return false;
	return str_glob(pattern, text);
}

/* ---- selection --------------------------------------------------------------- */

struct found {
	unsigned n;
	unsigned n_other_own;	/* would fit, but have another identity */
	const struct conf_realm *realm;
	const struct conf_peer *peer;
};

static void
found_add(struct found *f, const struct conf_realm *r,
	  const struct conf_peer *p, const struct sec_id *own)
{
	if (own != NULL &&
	    (r->me.id == NULL || !sec_id_equal(own, r->me.id))) {
		f->n_other_own++;
		return;
	}
	if (f->n > 0 && f->peer == p)
		return;
	f->n++;
	f->realm = r;
	f->peer = p;
}

static void
exact_find(const struct conf *c, const struct sec_id *peer,
	   const struct sec_id *own, struct found *f)
{
	for (unsigned i = 0; i < c->n_realm; i++) {
		const struct conf_realm *r = &c->realm[i];

		for (unsigned k = 0; k < r->n_peer; k++)
			if (!r->peer[k].is_glob && r->peer[k].id != NULL &&
			    sec_id_equal(peer, r->peer[k].id))
				found_add(f, r, &r->peer[k], own);
	}
}

/* <match> chooses the realm; the role is then its only peer without an exact
 * identity. */
static const struct conf_peer *
match_role(const struct conf_realm *r, const struct sec_id *peer)
{
	const struct conf_peer *role = NULL;
	bool is_match = false;

	for (unsigned i = 0; i < r->n_match && !is_match; i++)
		is_match = sec_id_equal(peer, r->match[i]) ||
		    sec_id_glob(peer, r->match[i]);
	for (unsigned i = 0; i < r->n_match_dn && !is_match; i++)
		is_match = peer->type == SEC_ID_DER_ASN1_DN &&
		    sec_dn_has(peer->data, r->match_dn[i]);
	if (!is_match)
		return NULL;
	for (unsigned i = 0; i < r->n_peer; i++) {
		if (!r->peer[i].is_glob && r->peer[i].id != NULL)
			continue;
		if (role != NULL)
			return NULL;
		role = &r->peer[i];
	}
	return role;
}

static void
glob_find(const struct conf *c, const struct sec_id *peer,
	  const struct sec_id *own, struct found *f)
{
	for (unsigned i = 0; i < c->n_realm; i++) {
		const struct conf_realm *r = &c->realm[i];
		const struct conf_peer *role;

		for (unsigned k = 0; k < r->n_peer; k++)
			if (r->peer[k].is_glob && r->peer[k].id != NULL &&
			    sec_id_glob(peer, r->peer[k].id))
				found_add(f, r, &r->peer[k], own);
		if ((role = match_role(r, peer)) != NULL)
			found_add(f, r, role, own);
	}
}

int
sec_id_select(const struct conf *c, const struct sec_id *peer,
	      const struct sec_id *own, const struct conf_peer **out_peer,
	      const struct conf_realm **out_realm, char *why, size_t cap)
{
	struct found f = { 0 };
	char p[SEC_ID_TEXT_MAX], o[SEC_ID_TEXT_MAX];

	exact_find(c, peer, own, &f);
	if (f.n == 0)
		glob_find(c, peer, own, &f);
	if (f.n == 1) {
		*out_peer = f.peer;
		*out_realm = f.realm;
		return 0;
	}
	sec_id_text(peer, p);
	if (own != NULL)
		sec_id_text(own, o);
	if (f.n > 1)
		snprintf(why, cap, "identity \"%.*s\" fits more than one peer "
		    "of the configuration", SHOWN_MAX, p);
	else if (f.n_other_own > 0)
		snprintf(why, cap, "peer \"%.*s\" wants to talk to \"%.*s\", "
		    "which is not our identity towards it", SHOWN_MAX / 2, p,
		    SHOWN_MAX / 2, o);
	else
		snprintf(why, cap, "no realm for identity \"%.*s\"", SHOWN_MAX,
		    p);
	return ERR_NOTFOUND;
}
