/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/auth.c - who proves what to whom: keys of <me> and of <peer> together.
 *
 * The two directions of an IKE SA are apart (RFC 7296 2.15): how we prove
 * ourselves follows from <me>, how the peer must from <peer>.
 *
 * Thread: the caller's; file access only through conf_keyfile_look().
 */
#include "conf/check.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"

static bool
has(const struct conf_node *n, const char *name)
{
	return conf_node_attr(n, name) != NULL;
}

/* Is one of the names the key may have there?  The complaint is about the
 * first. */
static void
look_at_key(struct checker *k, const struct conf_node *n,
	    const struct conf_me *me)
{
	char why[CONF_ERR_TEXT], first[CONF_ERR_TEXT], name[CONF_FILE_MAX];
	const char *opt = has(n, "key") ? "key" : "cert";
	unsigned i = 0;

	for (; k->key_dir != NULL && conf_key_file(me, i, name); i++) {
		if (conf_keyfile_look(k->key_dir, name, why, sizeof(why)) == 0)
			return;
		if (i == 0)
			str_copy(first, sizeof(first), why);
	}
	if (i == 0)
		return;
	k->n_key++;
	conf_err_add(k->errs, conf_node_attr(n, opt)->pos, CONF_E_KEYFILE,
		     "private key of <me>: %s", first);
}

void
conf_auth_me(struct checker *k, const struct conf_node *me,
	     struct conf_realm *r)
{
	bool is_later = conf_has_later(me, CONF_IN_ME);
	bool has_cert = has(me, "cert"), has_key = has(me, "key");
	bool is_client = has(me, "eap");

	if (!has(me, "id") && !has_cert && !is_later && !is_client)
		conf_bad(k, me->pos, CONF_E_MISSING, "<me> has no id=; give our identity: "
			 "host name, user@host or IP address");
	if (!has(me, "psk") && !has_cert && !has_key && !is_later && !is_client &&
	    (r->n_peer == 0 || r->n_match > 0))
		conf_bad(k, me->pos, CONF_E_NO_KEY, "<me> has no psk= and no cert=; give the "
			 "name of a file in keys/");
	if (has(me, "pass") && !has_cert && !has_key)
		conf_bad(k, me->pos, CONF_E_CONFLICT, "pass= without key= or cert=: it is the "
			 "passphrase of our private key");
	if (r->me.cert != NULL || r->me.key != NULL)
		look_at_key(k, me, &r->me);
}

/* How we prove ourselves to p. */
static void
own_side(struct checker *k, const struct conf_node *n,
	 const struct conf_node *me, struct conf_peer *p)
{
	bool can_sign = has(me, "cert") || has(me, "key");

	if (!has(n, "my-auth"))
		p->own_auth = has(me, "eap") ? CONF_AUTH_EAP :
		    can_sign ? CONF_AUTH_CERT : CONF_AUTH_PSK;
	if (p->own_auth == CONF_AUTH_EAP && !has(me, "eap"))
		conf_bad(k, n->pos, CONF_E_CONFLICT, "my-auth=\"eap\", but <me> "
			 "has no eap=");
	if (p->own_auth == CONF_AUTH_EAP && p->auth != CONF_AUTH_CERT)
		conf_bad(k, n->pos, CONF_E_NO_KEY, "a gateway that asks us by "
			 "EAP proves itself by certificate; give ca=");
	if (p->own_auth == CONF_AUTH_CERT && !can_sign)
		conf_bad(k, n->pos, CONF_E_CONFLICT, "my-auth=\"cert\", but <me> has neither "
			 "cert= nor key=");
	if (p->own_auth == CONF_AUTH_PSK && !has(n, "psk") && !has(me, "psk"))
		conf_bad(k, n->pos, CONF_E_NO_KEY, "nothing to prove ourselves with to this "
			 "peer; give psk=, here or in <me>, or cert= in <me>");
}

void
conf_auth_peer(struct checker *k, const struct conf_node *n,
	       const struct conf_node *me, struct conf_peer *p,
	       const struct conf_realm *r)
{
	bool is_signed = has(n, "ca") || has(n, "cert") || has(n, "pubkey");
	bool is_later;

	p->auth = is_signed ? CONF_AUTH_CERT :
	    conf_eap_asks(n, p, r) ? CONF_AUTH_EAP : CONF_AUTH_PSK;
	if (p->auth == CONF_AUTH_EAP)
		p->eap_ca = r->eap.ca;
	else if (p->psk == NULL)
		p->psk = r->me.psk;
	if (me == NULL)
		return;
	is_later = conf_has_later(n, CONF_IN_PEER) ||
	    conf_has_later(me, CONF_IN_ME);
	if (is_later)
		return;
	if (!is_signed && !has(n, "psk") && !has(me, "psk") &&
	    p->auth == CONF_AUTH_PSK && !has(me, "eap")) {
		conf_bad(k, p->pos, CONF_E_NO_KEY, "no key for this peer; give psk=, here or "
			 "in <me>, or ca=, cert= or pubkey=, with the name of "
			 "a file in keys/");
		return;
	}
	if (p->auth == CONF_AUTH_EAP && has(n, "ppk"))
		conf_bad(k, n->pos, CONF_E_CONFLICT, "ppk= is not for peers who "
			 "come by EAP");
	if (has(n, "revocation") && !is_signed)
		conf_bad(k, conf_node_attr(n, "revocation")->pos,
			 CONF_E_CONFLICT,
			 "revocation= is about certificates; this peer proves "
			 "itself with a pre-shared key");
	if (has(n, "crl") && !has(n, "ca"))
		conf_bad(k, conf_node_attr(n, "crl")->pos, CONF_E_CONFLICT, "crl= is about "
			 "certificates of an authority; this peer has no ca=");
	own_side(k, n, me, p);
}
