/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/rule.c - rules across the whole configuration: doubles and conflicts.
 *
 * Fields that were wrong are NULL here and take no part.
 *
 * Thread: the caller's.
 */
#include "conf/check.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "conf/role.h"
#include "daemon/base/str.h"

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

/* ---- realms apart ------------------------------------------------------------- */

/* The rules that lead to realms, of a peer's whole identity and others. */
struct rules {
	struct conf_role *role;
	unsigned n;
};

static void
rule_count(void *ctx, const struct conf_role *r)
{
	(void)r;
	++*(unsigned *)ctx;
}

static void
rule_keep(void *ctx, const struct conf_role *r)
{
	struct rules *rs = ctx;

	rs->role[rs->n++] = *r;
}

static int
by_place(const struct conf_role *a, const struct conf_role *b)
{
	if (a->pos.file != b->pos.file)
		return a->pos.file < b->pos.file ? -1 : 1;
	if (a->pos.line != b->pos.line)
		return a->pos.line < b->pos.line ? -1 : 1;
	return a->pos.col < b->pos.col ? -1 : a->pos.col > b->pos.col;
}

/* Rules that may tie stand together: whole identities by their text, the others by
 * rank; then as in the file. */
static int
by_group(const void *a, const void *b)
{
	const struct conf_role *x = a, *y = b;
	bool is_whole = conf_role_is_whole(x);
	int d = 0;

	if (is_whole != conf_role_is_whole(y))
		return is_whole ? -1 : 1;
	if (is_whole)
		d = x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) :
		    strcasecmp(x->text, y->text);
	else if (x->rank != y->rank)
		d = x->rank > y->rank ? -1 : 1;
	return d != 0 ? d : by_place(x, y);
}

static bool
same_group(const struct conf_role *a, const struct conf_role *b)
{
	if (conf_role_is_whole(a))
		return conf_role_is_whole(b) && a->kind == b->kind &&
		    strcasecmp(a->text, b->text) == 0;
	return !conf_role_is_whole(b) && a->rank == b->rank;
}

static const char *
role_text(const struct conf_role *r, char *out, size_t cap)
{
	char q[QUOTE_MAX];

	out[0] = '\0';
	if (r->is_peer)
		str_add(out, cap, "peer id \"%s\"", conf_quote(r->text, q));
	else
		str_add(out, cap, "<match %s=\"%s\">", conf_match_word(r->kind),
			conf_quote(r->text, q));
	return out;
}

static void
tell_tie(struct checker *k, const struct conf_role *a, const struct conf_role *b)
{
	char ta[QUOTE_MAX + 24], tb[QUOTE_MAX + 24];

	role_text(a, ta, sizeof(ta));
	role_text(b, tb, sizeof(tb));
	if (strcasecmp(a->text, b->text) == 0)
		conf_bad(k, b->pos, CONF_E_AMBIGUOUS, "%s is also in realm \"%s\" "
			 "(line %u), and we are called the same there: the "
			 "identities would select two realms; change one of "
			 "them", tb, a->realm->name != NULL ? a->realm->name :
			 "?", a->pos.line);
	else
		conf_bad(k, b->pos, CONF_E_AMBIGUOUS, "%s and %s of realm \"%s\" "
			 "(line %u) are equally special, and some identities "
			 "fit both: they would select two realms; say one "
			 "more exactly", tb, ta, a->realm->name != NULL ?
			 a->realm->name : "?", a->pos.line);
}

/* What is known of a peer selects its realm, so it may select one only. */
static void
one_realm(struct checker *k)
{
	struct rules rs = { NULL, 0 };
	unsigned n = 0;

	conf_role_walk(k->c, rule_count, &n);
	if ((rs.role = calloc(n + 1u, sizeof(*rs.role))) == NULL) {
		k->is_oom = true;
		return;
	}
	conf_role_walk(k->c, rule_keep, &rs);
	qsort(rs.role, rs.n, sizeof(*rs.role), by_group);
	for (unsigned i = 0; i < rs.n; i++) {
		for (unsigned o = i; o-- > 0 &&
		     same_group(&rs.role[o], &rs.role[i]);) {
			if (!same(rs.role[o].realm->name,
				  rs.role[i].realm->name) &&
			    conf_role_tie(&rs.role[o], &rs.role[i])) {
				tell_tie(k, &rs.role[o], &rs.role[i]);
				break;
			}
		}
	}
	free(rs.role);
}

/* Within RFC 9867 the name of a PPK is all there is to find it by. */
static void
one_ppk(struct checker *k, const struct conf_realm *r, const struct conf_peer *p)
{
	const struct conf_realm *o;

	if (p->ppk == NULL)
		return;
	for (o = k->c->realm; o < r; o++) {
		if (same(o->keys != NULL ? o->keys : "", r->keys != NULL ?
			 r->keys : ""))
			continue;
		for (unsigned i = 0; i < o->n_peer; i++) {
			if (!same(o->peer[i].ppk, p->ppk))
				continue;
			conf_bad(k, p->pos, CONF_E_AMBIGUOUS, "ppk=\"%s\" is also "
				 "in realm \"%s\", which has other keys=; name "
				 "one of them differently", p->ppk, o->name != NULL ?
				 o->name : "?");
			return;
		}
	}
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

/* One realm at most shuts the machine, and it has to have a tunnel for all. */
static void
check_lockdown(struct checker *k, const struct conf_realm *r)
{
	bool has = false;

	if (!r->lockdown)
		return;
	for (unsigned i = 0; i < r->n_peer; i++)
		has |= r->peer[i].net != NULL && r->peer[i].net->is_dynamic;
	if (!has)
		conf_bad(k, r->pos, CONF_E_CONFLICT, "lockdown=\"yes\" is for a "
			 "realm with <net local=\"dynamic\"/>: packets leave "
			 "only through its tunnel");
	for (const struct conf_realm *o = k->c->realm; o < r; o++)
		if (o->lockdown)
			conf_bad(k, r->pos, CONF_E_CONFLICT, "lockdown=\"yes\" is "
				 "in realm \"%s\" too (line %u): nothing could "
				 "leave through either", o->name != NULL ?
				 o->name : "?", o->pos.line);
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
		check_lockdown(k, r);
		if (r->pool != NULL && r->pool->lease != NULL)
			check_leases(k, r->pool);
		for (unsigned i = 0; i < r->n_peer; i++)
			peer_doubles(k, r, &r->peer[i]);
		for (unsigned i = 0; k->c->n_realm > 1 && i < r->n_peer; i++)
			one_ppk(k, r, &r->peer[i]);
		for (unsigned i = 0; i < r->n_fixed; i++)
			check_static(k, r, &r->fixed[i]);
	}
	one_realm(k);
}
