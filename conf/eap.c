/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/eap.c - <eap> of a gateway, and what <me eap=> makes of a realm.
 *
 * Thread: the caller's.
 */
#include "conf/check.h"
#include <string.h>
#include "daemon/base/str.h"

static bool
has(const struct conf_node *n, const char *name)
{
	return n != NULL && conf_node_attr(n, name) != NULL;
}

static bool
has_method(const struct conf_eap *e, const char *name)
{
	const char *p = e->method;
	char word[32];

	while (p != NULL && conf_list_next(&p, word, sizeof(word)))
		if (strcmp(word, name) == 0)
			return true;
	return false;
}

bool
conf_eap_is_relay(const struct conf_eap *e)
{
	return has_method(e, "radius");
}

unsigned
conf_eap_servers(const struct conf_eap *e, struct net_ep *out)
{
	const char *p = e->at;
	char word[IP_TEXT_MAX];
	struct net_ep ep;
	unsigned n = 0;

	while (p != NULL && conf_list_next(&p, word, sizeof(word))) {
		if (net_ep_parse(word, &ep) != 0)
			continue;
		if (ep.port == 0)
			ep.port = CONF_RADIUS_PORT;
		if (n < CONF_RADIUS_MAX)
			out[n] = ep;
		n++;
	}
	return n;
}

/* Who relays to servers has no say in what they ask for. */
static void
check_radius(struct checker *k, const struct conf_node *n,
	     const struct conf_eap *e)
{
	struct net_ep ep[CONF_RADIUS_MAX];
	bool is_relay = conf_eap_is_relay(e);

	if (is_relay && (has_method(e, "mschapv2") || has_method(e, "tls")))
		conf_bad(k, n->pos, CONF_E_CONFLICT, "method=\"radius\" of "
			 "<eap> stands alone: the server decides what clients "
			 "are asked for");
	if (is_relay != has(n, "at"))
		conf_bad(k, n->pos, is_relay ? CONF_E_MISSING : CONF_E_CONFLICT,
			 is_relay ? "<eap method=\"radius\"> needs at=: the "
			 "addresses of the RADIUS servers" :
			 "at= of <eap> is for method=\"radius\"");
	if (is_relay != has(n, "secret"))
		conf_bad(k, n->pos, is_relay ? CONF_E_MISSING : CONF_E_CONFLICT,
			 is_relay ? "<eap method=\"radius\"> needs secret=: "
			 "the file in keys/ with what is shared with the "
			 "servers" : "secret= of <eap> is for "
			 "method=\"radius\"");
	if (conf_eap_servers(e, ep) > CONF_RADIUS_MAX)
		conf_bad(k, n->pos, CONF_E_LIST, "at= of <eap> names more "
			 "than %u servers", CONF_RADIUS_MAX);
}

/* Files and methods belong together. */
static void
check_files(struct checker *k, const struct conf_node *n,
	    const struct conf_eap *e)
{
	bool by_user = has_method(e, "mschapv2"), by_tls = has_method(e, "tls");

	if (by_user != has(n, "users"))
		conf_bad(k, n->pos, by_user ? CONF_E_MISSING : CONF_E_CONFLICT,
			 by_user ? "<eap method=\"mschapv2\"> needs users=: the "
			 "file in keys/ with names and hashes of passwords" :
			 "users= of <eap> is for method=\"mschapv2\"");
	if (by_tls != has(n, "ca"))
		conf_bad(k, n->pos, by_tls ? CONF_E_MISSING : CONF_E_CONFLICT,
			 by_tls ? "<eap method=\"tls\"> needs ca=: who must "
			 "have issued the certificates of users" :
			 "ca= of <eap> is for method=\"tls\"");
	if (e->only && (!by_tls || has_method(e, "mschapv2")))
		conf_bad(k, n->pos, CONF_E_CONFLICT, "<eap only=\"yes\"> is for "
			 "method=\"tls\" and no other: a password does not "
			 "prove the gateway");
	if (!by_tls && has(n, "tls12"))
		conf_bad(k, n->pos, CONF_E_CONFLICT,
			 "tls12= of <eap> is for method=\"tls\"");
}

void
conf_eap_take(struct checker *k, const struct conf_node *realm,
	      struct conf_realm *r)
{
	const struct conf_node *n = conf_node_child(realm, CONF_IN_EAP);
	const struct conf_node *me = conf_node_child(realm, CONF_IN_ME);

	if (r->me.eap != NULL && r->net.n_local == 0)
		r->net.is_dynamic = true;
	if (has(me, "eap-server") && !has(me, "eap"))
		conf_bad(k, me->pos, CONF_E_CONFLICT, "eap-server= of <me> is "
			 "for a client, with eap=");
	if (has(me, "keep") && (r->me.eap == NULL || has(me, "cert")))
		conf_bad(k, me->pos, CONF_E_CONFLICT, "keep= of <me> is for a "
			 "client that logs in by password: eap= without cert=");
	/* An address that is given is one of layer 3; who joins an Ethernet says
	 * which bridge, or its address in it. */
	if (r->me.eap != NULL && !has(realm, "mode") && !has(realm, "bridge") &&
	    !has(realm, "address"))
		r->mode = VPN_MODE_IP;
	if (r->me.only && (r->me.eap == NULL || !has(me, "cert")))
		conf_bad(k, me->pos, CONF_E_CONFLICT, "only= of <me> is for "
			 "eap= with cert=: a password does not prove the "
			 "gateway");
	if (n == NULL)
		return;
	conf_node_fill(k, n, CONF_IN_EAP, &r->eap);
	r->eap.pos = n->pos;
	if (!has(n, "method"))
		r->eap.method = conf_keep(k, "mschapv2");
	if (r->eap.method == NULL)
		return;			/* was told */
	check_files(k, n, &r->eap);
	check_radius(k, n, &r->eap);
	if (has(me, "eap"))
		conf_bad(k, n->pos, CONF_E_CONFLICT, "<eap> is for a gateway, "
			 "<me eap=...> for a client: a realm is one of the "
			 "two");
	else if (me != NULL && !has(me, "cert") &&
		 (!has(me, "key") || has_method(&r->eap, "tls")))
		conf_bad(k, n->pos, CONF_E_NO_KEY, "<eap> needs cert= in <me>: "
			 "a gateway proves who it is before it asks for a "
			 "password");
}

bool
conf_eap_asks(const struct conf_node *n, const struct conf_peer *p,
	      const struct conf_realm *r)
{
	return r->eap.method != NULL && p->at == NULL && !has(n, "psk") &&
	    !has(n, "ca") && !has(n, "cert") && !has(n, "pubkey");
}

bool
conf_eap_has_peer(const struct conf_realm *r, unsigned n_peer)
{
	for (unsigned i = 0; i < n_peer; i++)
		if (r->peer[i].auth == CONF_AUTH_EAP)
			return true;
	return false;
}

void
conf_eap_at(struct checker *k, const struct conf_node *n,
	    const struct conf_realm *r, struct conf_peer *p)
{
	const struct conf_attr at = { "at", p->id, n->pos };

	if (r->me.eap != NULL && !has(n, "at") && p->id != NULL && !p->is_glob)
		conf_field_set(k, conf_row_find(CONF_IN_PEER, "at"), &at, p);
}

bool
conf_peer_shows_cert(const struct conf_peer *p)
{
	return p->auth == CONF_AUTH_CERT ||
	    (p->auth == CONF_AUTH_EAP && p->eap_ca != NULL);
}
