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

static enum conf_id_kind
kind_of_type(uint8_t type)
{
	switch (type) {
	case SEC_ID_FQDN:
		return CONF_ID_FQDN;
	case SEC_ID_RFC822_ADDR:
		return CONF_ID_EMAIL;
	case SEC_ID_IPV4_ADDR:
		return CONF_ID_IPV4;
	case SEC_ID_IPV6_ADDR:
		return CONF_ID_IPV6;
	case SEC_ID_KEY_ID:
		return CONF_ID_KEYID;
	case SEC_ID_DER_ASN1_DN:
		return CONF_ID_DN;
	default:
		return CONF_ID_NONE;	/* nobody is configured with it */
	}
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

void
sec_id_open(const struct sec_id *id, struct sec_id_open *out)
{
	int n = 0;

	out->i = (struct conf_ident){
		.kind = kind_of_type(id->type), .id = id->data,
		.rdn = out->rdn,
	};
	if (out->i.kind == CONF_ID_DN)
		n = sec_dn_read(id->data, out->rdn, CONF_RDN_MAX);
	out->i.n_rdn = n > 0 ? (unsigned)n : 0;
}

bool
sec_id_equal(const struct sec_id *id, const char *text)
{
	struct sec_id_open o;

	sec_id_open(id, &o);
	return conf_ident_is(&o.i, text);
}

bool
sec_id_glob(const struct sec_id *id, const char *pattern)
{
	bool has_at = strchr(pattern, '@') != NULL;

	if (strcmp(pattern, "*") == 0)
		return true;
	return id->type == (has_at ? SEC_ID_RFC822_ADDR : SEC_ID_FQDN) &&
	    conf_glob_takes(pattern, id->data);
}

/* ---- selection --------------------------------------------------------------- */

static int
tell_none(const struct conf_picked *got, const struct sec_id *peer,
	  const struct sec_id *own, char *why, size_t cap)
{
	char p[SEC_ID_TEXT_MAX], o[SEC_ID_TEXT_MAX];

	sec_id_text(peer, p);
	if (own != NULL && got->n_own > 0)
		snprintf(why, cap, "peer \"%.*s\" wants to talk to \"%.*s\", "
		    "which is not our identity towards it", SHOWN_MAX / 2, p,
		    SHOWN_MAX / 2, sec_id_text(own, o));
	else
		snprintf(why, cap, "no realm for identity \"%.*s\"", SHOWN_MAX,
		    p);
	return ERR_NOTFOUND;
}

/* A comer as the rules look at it. */
struct opened {
	struct conf_who who;
	struct sec_id_open peer, own;
};

static void
open_comer(const struct sec_comer *c, struct opened *o)
{
	o->who = (struct conf_who){
		.has_cert = c->has_cert,
		.n_subject = c->n_subject, .subject = c->subject,
		.n_name = c->n_name, .name = c->name,
		.is_eap = c->is_eap, .eap = c->eap,
	};
	sec_id_open(c->peer, &o->peer);
	o->who.peer = o->peer.i;
	if (c->own == NULL)
		return;
	sec_id_open(c->own, &o->own);
	o->who.own = &o->own.i;
}

static int
pick(const struct conf *c, const struct opened *o, struct conf_picked *got,
     struct sec_place *out)
{
	int err = conf_role_pick(c, &o->who, got);

	*out = (struct sec_place){ .is_open = got->is_open };
	if (err == ERR_AGAIN)
		out->realm = got->asks;
	if (err == 0 && got->role.peer != NULL) {
		out->peer = got->role.peer;
		out->realm = got->role.realm;
	}
	return err;
}

static int
place(const struct conf *c, const struct sec_comer *who,
      const struct opened *o,
      struct sec_place *out, char *why, size_t cap)
{
	struct conf_picked got;
	char text[SEC_ID_TEXT_MAX];
	int err = pick(c, o, &got, out);

	if (err == ERR_AGAIN || (err == 0 && out->peer != NULL))
		return err;
	if (err == ERR_NOTFOUND)
		return tell_none(&got, who->peer, who->own, why, cap);
	sec_id_text(who->peer, text);
	if (err == ERR_STATE)
		snprintf(why, cap, "identity \"%.*s\" fits more than one peer "
		    "of the configuration", SHOWN_MAX, text);
	else
		snprintf(why, cap, "realm \"%.60s\" is for identity \"%.*s\", "
		    "but none of its peers is", got.role.realm != NULL ?
		    got.role.realm->name : "?", SHOWN_MAX, text);
	return ERR_NOTFOUND;
}

int
sec_id_select(const struct conf *c, const struct sec_comer *who,
	      struct sec_place *out, char *why, size_t cap)
{
	struct opened o;

	open_comer(who, &o);
	return place(c, who, &o, out, why, cap);
}

int
sec_id_by_eap(const struct conf *c, const struct sec_comer *who,
	      struct sec_place *out, char *why, size_t cap)
{
	struct conf_picked got;
	struct opened o;
	int err;

	open_comer(who, &o);
	o.who.is_eap = true;
	o.who.eap = (struct view){ NULL, 0 };
	err = pick(c, &o, &got, out);
	o.who.eap = who->eap;
	if (err == ERR_AGAIN) {
		err = place(c, who, &o, out, why, cap);
		return err == ERR_AGAIN ? ERR_NOTFOUND : err;
	}
	if (err != 0 || out->peer == NULL)
		return ERR_NOTFOUND;
	if (conf_role_eap_ok(&got.role, &o.who))
		return 0;
	snprintf(why, cap, "the identity for EAP is not the one of IKE, which "
	    "chose the realm");
	return ERR_AUTH;
}

bool
sec_id_may(const struct conf *c, const struct sec_comer *who,
	   const struct conf_peer *p)
{
	struct opened o;

	open_comer(who, &o);
	return conf_role_may(c, &o.who, p);
}
