/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/rule.c - rules across the whole configuration: doubles and conflicts.
 *
 * Fields that were wrong are NULL here and take no part.
 *
 * Thread: the caller's.
 */
#include "conf/check.h"
#include <string.h>
#include <strings.h>

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Identities: host names and e-mail addresses do not care about case. */
static bool
same_id(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcasecmp(a, b) == 0;
}

static void
realm_doubles(struct checker *k, const struct conf_realm *r)
{
	const struct conf_realm *o;

	for (o = k->c->realm; o < r; o++) {
		if (same(o->name, r->name))
			conf_bad(k, r->pos, CONF_E_DOUBLE, "realm \"%s\" exists already (line "
				 "%u); names are unique", r->name, o->pos.line);
		else if (same(o->tap, r->tap))
			conf_bad(k, r->pos, CONF_E_DOUBLE, "TAP interface \"%s\" belongs to "
				 "realm \"%s\" (line %u); each realm has its "
				 "own: change tap=", r->tap,
				 o->name != NULL ? o->name : "?", o->pos.line);
	}
	if (same(r->tap, r->bridge))
		conf_bad(k, r->pos, CONF_E_CONFLICT, "tap= and bridge= are both \"%s\"; they "
			 "are two interfaces", r->tap);
}

static void
peer_doubles(struct checker *k, const struct conf_realm *r,
	     const struct conf_peer *p)
{
	char q[QUOTE_MAX];

	for (const struct conf_peer *o = r->peer; o < p; o++) {
		if (same_id(o->id, p->id))
			conf_bad(k, p->pos, CONF_E_DOUBLE, "peer id \"%s\" is in this realm "
				 "already (line %u); an identity is one peer",
				 conf_quote(p->id, q), o->pos.line);
		else if (same(o->name, p->name))
			conf_bad(k, p->pos, CONF_E_DOUBLE, "peer \"%s\" exists already in "
				 "this realm (line %u); names are unique: "
				 "change name=", p->name, o->pos.line);
	}
}

/* Does a realm already take this identity, as a peer's or by <match>? */
static bool
realm_takes(const struct conf_realm *r, const char *id)
{
	for (unsigned i = 0; i < r->n_peer; i++)
		if (same_id(r->peer[i].id, id))
			return true;
	for (unsigned i = 0; i < r->n_match; i++)
		if (same_id(r->match[i], id))
			return true;
	return false;
}

/* The pair of identities of an IKE_AUTH request selects the realm, so it may
 * select one only. */
static void
one_realm(struct checker *k, const struct conf_realm *r, const char *id,
	  struct conf_pos pos)
{
	char q[QUOTE_MAX], q_me[QUOTE_MAX];
	const struct conf_realm *o;

	if (id == NULL)
		return;
	for (o = k->c->realm; o < r; o++) {
		if (same(o->name, r->name) || !same_id(o->me.id, r->me.id) ||
		    !realm_takes(o, id))
			continue;
		conf_bad(k, pos, CONF_E_AMBIGUOUS, "peer id \"%s\" with our id \"%s\" is also "
			 "in realm \"%s\" (line %u): the identities would "
			 "select two realms; change one of them",
			 conf_quote(id, q), conf_quote(r->me.id, q_me),
			 o->name != NULL ? o->name : "?", o->pos.line);
		return;
	}
}

/* The same for parts of distinguished names, as far as they are equal. */
static void
one_dn(struct checker *k, const struct conf_realm *r, const char *dn)
{
	const struct conf_realm *o;
	char q[QUOTE_MAX];

	for (o = k->c->realm; o < r; o++)
		for (unsigned i = 0; i < o->n_match_dn; i++)
			if (same_id(o->me.id, r->me.id) &&
			    same_id(o->match_dn[i], dn))
				conf_bad(k, r->pos, CONF_E_AMBIGUOUS, "<match dn=\"%s\"> is "
					 "also in realm \"%s\" (line %u): "
					 "the identities would select two "
					 "realms; change one of them",
					 conf_quote(dn, q), o->name != NULL ?
					 o->name : "?", o->pos.line);
}

/* An address is once in a realm, and behind one peer. */
static void
check_static(struct checker *k, const struct conf_realm *r,
	     const struct conf_static *s)
{
	const struct conf_peer *p = s->peer != NULL ?
	    conf_peer_find(r, s->peer) : NULL;
	char q[QUOTE_MAX];

	for (const struct conf_static *o = r->fixed; o < s; o++)
		if (s->text != NULL && o->text != NULL &&
		    mac_equal(&o->mac, &s->mac))
			conf_bad(k, s->pos, CONF_E_DOUBLE, "mac \"%s\" is in this realm "
				 "already (line %u); it is in one place only",
				 s->text, o->pos.line);
	if (s->peer != NULL && p == NULL)
		conf_bad(k, s->pos, CONF_E_NOBODY, "there is no peer \"%s\" in this realm",
			 conf_quote(s->peer, q));
	else if (p != NULL && p->is_glob)
		conf_bad(k, s->pos, CONF_E_NOBODY, "peer \"%s\" stands for many peers; give "
			 "the one of this address a <peer> of its own",
			 conf_quote(s->peer, q));
}

/* With a GRE tunnel that may carry every address, nobody knows which of several an
 * address is behind. */
static void
one_open_gre(struct checker *k, const struct conf_realm *r)
{
	const struct conf_peer *first = NULL;

	for (const struct conf_peer *p = r->peer; p < r->peer + r->n_peer; p++) {
		if (p->mode != VPN_MODE_GRE || p->net == NULL ||
		    p->net->n_remote > 0)
			continue;
		if (first == NULL)
			first = p;
		else
			conf_bad(k, p->pos, CONF_E_CONFLICT, "a second peer with mode=\"gre\" "
				 "and no <net remote=\"...\"/> (the first is on "
				 "line %u): say which networks are behind "
				 "each, or give each a realm", first->pos.line);
	}
}

/* An identity has its address once, and an address one identity. */
static void
check_leases(struct checker *k, const struct conf_pool *p)
{
	char q[QUOTE_MAX], text[IP_TEXT_MAX];

	for (const struct conf_lease *l = p->lease; l < p->lease + p->n_lease;
	     l++)
		for (const struct conf_lease *o = p->lease; o < l; o++) {
			if (l->id != NULL && o->id != NULL &&
			    strcmp(l->id, o->id) == 0)
				conf_bad(k, l->pos, CONF_E_DOUBLE, "id \"%s\" has "
					 "a <lease> already (line %u)",
					 conf_quote(l->id, q), o->pos.line);
			for (unsigned i = 0; i < l->n_ip * o->n_ip; i++)
				if (ip_equal(&l->ip[i / o->n_ip],
					     &o->ip[i % o->n_ip]))
					conf_bad(k, l->pos, CONF_E_DOUBLE,
						 "%s is kept for somebody else "
						 "already (line %u)",
						 ip_text(&l->ip[i / o->n_ip],
							 text), o->pos.line);
		}
}

void
conf_rules(struct checker *k)
{
	const struct conf *c = k->c;
	const struct conf_realm *r;

	if (c->n_realm == 0)
		return;
	if (c->port == c->nat_port)
		conf_bad(k, CONF_WHOLE, CONF_E_CONFLICT, "port and nat-port "
			 "are both %u; they must differ", c->port);
	if (c->cookie_threshold > c->half_open_max)
		conf_bad(k, CONF_WHOLE, CONF_E_CONFLICT, "cookie-threshold "
			 "(%u) is above half-open-max (%u): cookies would never be asked for",
			 c->cookie_threshold, c->half_open_max);
	for (r = c->realm; r < c->realm + c->n_realm; r++) {
		realm_doubles(k, r);
		one_open_gre(k, r);
		if (r->pool != NULL && r->pool->lease != NULL)
			check_leases(k, r->pool);
		for (unsigned i = 0; i < r->n_peer; i++) {
			peer_doubles(k, r, &r->peer[i]);
			one_realm(k, r, r->peer[i].id, r->peer[i].pos);
		}
		for (unsigned i = 0; i < r->n_fixed; i++)
			check_static(k, r, &r->fixed[i]);
		for (unsigned i = 0; i < r->n_match_dn; i++)
			one_dn(k, r, r->match_dn[i]);
		for (unsigned i = 0; i < r->n_match; i++)
			one_realm(k, r, r->match[i], r->pos);
	}
}
