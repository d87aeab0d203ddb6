/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/diff.c - what a reload would change, and whom it would interrupt.
 *
 * The rows of conf.def say what a change of an option means; lists (<net>,
 * <match>, <static>) are compared as sets of texts.
 */
#include "conf/diff.h"
#include <stdio.h>
#include <string.h>
#include "conf/check.h"
#include "conf/role.h"
#include "daemon/base/str.h"

#define LIST_TEXT 1024	/* a list of networks in a message; ours */

struct differ {
	const struct conf *old, *now;
	conf_diff_fn *fn;
	void *ctx;
	struct conf_diff_sum *sum;
};

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void
tell(struct differ *d, const struct conf_change *ch)
{
	if (ch->what != CONF_INTERRUPTED)
		d->sum->n_change++;
	if (ch->effect == CONF_RESTARTS)
		d->sum->n_restart++;
	if (d->fn != NULL)
		d->fn(d->ctx, ch);
}

/* ---- options of one element ------------------------------------------------------ */

static bool
same_option(const struct conf_row *row, const void *a, const void *b)
{
	char ta[CONF_FIELD_TEXT], tb[CONF_FIELD_TEXT];

	return same_text(conf_field_text(row, a, ta, sizeof(ta)),
			 conf_field_text(row, b, tb, sizeof(tb)));
}

/* The strongest effect of what differs between two elements. */
static enum conf_effect
effect_of(enum conf_scope s, const void *a, const void *b)
{
	enum conf_effect most = CONF_LIVE;

	for (unsigned i = 0; i < conf_n_rows; i++)
		if (conf_rows[i].scope == s &&
		    !same_option(&conf_rows[i], a, b))
			most = MAX(most, conf_rows[i].opt.effect);
	return most;
}

/* Where a peer takes an option from that it does not write, or NULL. */
static const void *
giver(const struct conf_row *row, const struct conf_realm *r,
      const struct conf_row **out)
{
	*out = conf_row_find(CONF_IN_REALM, row->opt.name);
	if (*out != NULL && strcmp(row->opt.name, "name") != 0)
		return r;
	*out = conf_row_find(CONF_IN_ME, row->opt.name);
	return *out != NULL && strcmp(row->opt.name, "psk") == 0 ? &r->me : NULL;
}

/* Does the peer's value follow the realm's, before and after?  Then the change
 * was told of the realm. */
static bool
follows(const struct conf_row *row, const struct conf_realm *a,
	const struct conf_peer *pa, const struct conf_realm *b,
	const struct conf_peer *pb)
{
	char t1[CONF_FIELD_TEXT], t2[CONF_FIELD_TEXT];
	const struct conf_row *from;
	const void *ga = giver(row, a, &from), *gb = giver(row, b, &from);

	return ga != NULL &&
	    same_text(conf_field_text(row, pa, t1, sizeof(t1)),
		      conf_field_text(from, ga, t2, sizeof(t2))) &&
	    same_text(conf_field_text(row, pb, t1, sizeof(t1)),
		      conf_field_text(from, gb, t2, sizeof(t2)));
}

static void
diff_option(struct differ *d, const struct conf_row *row, const char *realm,
	    const char *peer, const void *a, const void *b)
{
	char ta[CONF_FIELD_TEXT], tb[CONF_FIELD_TEXT];
	struct conf_change ch = {
		.what = CONF_CHANGED, .effect = row->opt.effect,
		.realm = realm, .peer = peer,
		.element = row->opt.element, .option = row->opt.name,
		.before = conf_field_text(row, a, ta, sizeof(ta)),
		.after = conf_field_text(row, b, tb, sizeof(tb)),
	};

	tell(d, &ch);
}

static void
diff_options(struct differ *d, enum conf_scope s, const char *realm,
	     const void *a, const void *b)
{
	for (unsigned i = 0; i < conf_n_rows; i++)
		if (conf_rows[i].scope == s &&
		    !same_option(&conf_rows[i], a, b))
			diff_option(d, &conf_rows[i], realm, NULL, a, b);
}

/* ---- lists ----------------------------------------------------------------------- */

static bool
same_side(const struct vpn_ts *a, unsigned n_a, const struct vpn_ts *b,
	  unsigned n_b)
{
	char ta[CONF_TS_TEXT], tb[CONF_TS_TEXT];

	if (n_a != n_b)
		return false;
	for (unsigned i = 0; i < n_a; i++) {
		conf_ts_text(&a[i], ta);
		conf_ts_text(&b[i], tb);
		if (strcmp(ta, tb) != 0)
			return false;
	}
	return true;
}

static bool
same_net(const struct conf_net *a, const struct conf_net *b)
{
	return a->is_dynamic == b->is_dynamic &&
	    same_side(a->local, a->n_local, b->local, b->n_local) &&
	    same_side(a->remote, a->n_remote, b->remote, b->n_remote);
}

static void
side_text(const char *name, const struct vpn_ts *ts, unsigned n, char *out,
	  size_t cap)
{
	char text[CONF_TS_TEXT];

	if (n > 0)
		str_add(out, cap, "%s%s", *out != '\0' ? ", " : "", name);
	for (unsigned i = 0; i < n; i++) {
		conf_ts_text(&ts[i], text);
		str_add(out, cap, " %s", text);
	}
}

/* NULL: there is none. */
static const char *
net_text(const struct conf_net *n, char *out)
{
	out[0] = '\0';
	if (n->is_dynamic)
		str_add(out, LIST_TEXT, "local dynamic");
	side_text("local", n->local, n->n_local, out, LIST_TEXT);
	side_text("remote", n->remote, n->n_remote, out, LIST_TEXT);
	return *out != '\0' ? out : NULL;
}

static void
diff_net(struct differ *d, const char *realm, const char *peer,
	 enum conf_effect effect, const struct conf_net *a,
	 const struct conf_net *b)
{
	char ta[LIST_TEXT], tb[LIST_TEXT];
	struct conf_change ch = {
		.what = CONF_CHANGED, .effect = effect,
		.realm = realm, .peer = peer, .element = "net",
		.before = net_text(a, ta), .after = net_text(b, tb),
	};

	if (!same_net(a, b))
		tell(d, &ch);
}

static bool
match_among(const struct conf_realm *r, const struct conf_match *m)
{
	for (unsigned i = 0; i < r->n_match; i++)
		if (r->match[i].kind == m->kind &&
		    strcmp(r->match[i].text, m->text) == 0)
			return true;
	return false;
}

static bool
same_match(const struct conf_realm *a, const struct conf_realm *b)
{
	for (unsigned i = 0; i < a->n_match; i++)
		if (!match_among(b, &a->match[i]))
			return false;
	for (unsigned i = 0; i < b->n_match; i++)
		if (!match_among(a, &b->match[i]))
			return false;
	return true;
}

/* What a realm has that the other has not. */
static void
match_less(struct differ *d, enum conf_diff_what what,
	   const struct conf_realm *a, const struct conf_realm *b)
{
	struct conf_change ch = {
		.what = what, .effect = CONF_INTERRUPTS, .realm = a->name,
		.element = "match",
	};

	for (unsigned i = 0; i < a->n_match; i++) {
		if (match_among(b, &a->match[i]))
			continue;
		ch.option = conf_match_word(a->match[i].kind);
		ch.before = what == CONF_REMOVED ? a->match[i].text : NULL;
		ch.after = what == CONF_ADDED ? a->match[i].text : NULL;
		tell(d, &ch);
	}
}

static void
diff_match(struct differ *d, const struct conf_realm *a,
	   const struct conf_realm *b)
{
	match_less(d, CONF_REMOVED, a, b);
	match_less(d, CONF_ADDED, b, a);
}

static const struct conf_static *
static_find(const struct conf_realm *r, const struct mac *mac)
{
	for (unsigned i = 0; i < r->n_fixed; i++)
		if (mac_equal(&r->fixed[i].mac, mac))
			return &r->fixed[i];
	return NULL;
}

static bool
same_statics(const struct conf_realm *a, const struct conf_realm *b)
{
	const struct conf_static *o;

	if (a->n_fixed != b->n_fixed)
		return false;
	for (unsigned i = 0; i < a->n_fixed; i++) {
		o = static_find(b, &a->fixed[i].mac);
		if (o == NULL || !same_text(o->peer, a->fixed[i].peer))
			return false;
	}
	return true;
}

/* Told when it is in a and not, or otherwise, in b. */
static void
statics_less(struct differ *d, enum conf_diff_what what,
	     const struct conf_realm *a, const struct conf_realm *b)
{
	char mac[MAC_TEXT_MAX];
	struct conf_change ch = {
		.what = what, .effect = CONF_RENEWS, .realm = a->name,
		.element = "static", .option = "mac",
	};

	for (unsigned i = 0; i < a->n_fixed; i++) {
		const struct conf_static *o = static_find(b, &a->fixed[i].mac);

		if (o != NULL && same_text(o->peer, a->fixed[i].peer))
			continue;
		mac_text(&a->fixed[i].mac, mac);
		ch.before = what == CONF_REMOVED ? mac : NULL;
		ch.after = what == CONF_ADDED ? mac : NULL;
		tell(d, &ch);
	}
}

static const struct conf_lease *
lease_find(const struct conf_pool *p, const char *id)
{
	for (unsigned i = 0; p != NULL && i < p->n_lease; i++)
		if (strcmp(p->lease[i].id, id) == 0)
			return &p->lease[i];
	return NULL;
}

/* Told when it is in a and not, or otherwise, in b.  Who has another address now
 * keeps it until it connects anew. */
static void
leases_less(struct differ *d, enum conf_diff_what what, const char *realm,
	    const struct conf_pool *a, const struct conf_pool *b)
{
	struct conf_change ch = {
		.what = what, .effect = CONF_LIVE, .realm = realm,
		.element = "lease", .option = "id",
	};

	for (unsigned i = 0; a != NULL && i < a->n_lease; i++) {
		const struct conf_lease *l = &a->lease[i];
		const struct conf_lease *o = lease_find(b, l->id);

		if (o != NULL && same_text(o->address, l->address))
			continue;
		ch.before = what == CONF_REMOVED ? l->id : NULL;
		ch.after = what == CONF_ADDED ? l->id : NULL;
		tell(d, &ch);
	}
}

static const struct conf_pool no_pool;

static const struct conf_pool *
pool_of(const struct conf_realm *r)
{
	return r->pool != NULL ? r->pool : &no_pool;
}

static void
diff_pool(struct differ *d, const struct conf_realm *a,
	  const struct conf_realm *b)
{
	diff_options(d, CONF_IN_POOL, b->name, pool_of(a), pool_of(b));
	leases_less(d, CONF_REMOVED, b->name, a->pool, b->pool);
	leases_less(d, CONF_ADDED, b->name, b->pool, a->pool);
}

/* ---- what becomes of a peer, of a realm --------------------------------------------- */

enum conf_effect
conf_realm_fate(const struct conf_realm *old, const struct conf_realm *now)
{
	if (!same_statics(old, now))
		return CONF_RENEWS;
	return effect_of(CONF_IN_REALM, old, now) == CONF_RENEWS ? CONF_RENEWS
								 : CONF_LIVE;
}

/* Options that are about all peers of a realm. */
static bool
realm_interrupts(const struct conf_realm *old, const struct conf_realm *now)
{
	if (effect_of(CONF_IN_ME, &old->me, &now->me) >= CONF_INTERRUPTS)
		return true;
	if (effect_of(CONF_IN_POOL, pool_of(old), pool_of(now)) >=
	    CONF_INTERRUPTS)
		return true;
	if ((old->eap.method == NULL) != (now->eap.method == NULL) ||
	    effect_of(CONF_IN_EAP, &old->eap, &now->eap) >= CONF_INTERRUPTS)
		return true;
	for (unsigned i = 0; i < conf_n_rows; i++)
		if (conf_rows[i].scope == CONF_IN_REALM &&
		    conf_rows[i].opt.effect == CONF_INTERRUPTS &&
		    !same_option(&conf_rows[i], old, now))
			return true;
	return false;
}

enum conf_effect
conf_peer_fate(const struct conf_realm *old_realm, const struct conf_peer *old,
	       const struct conf_realm *realm, const struct conf_peer *now)
{
	if (realm_interrupts(old_realm, realm) || !same_net(old->net, now->net) ||
	    old->is_glob != now->is_glob || old->auth != now->auth)
		return CONF_INTERRUPTS;
	if (now->is_glob && !same_match(old_realm, realm))
		return CONF_INTERRUPTS;
	return effect_of(CONF_IN_PEER, old, now) >= CONF_INTERRUPTS ?
	    CONF_INTERRUPTS : CONF_LIVE;
}

/* ---- the walk ----------------------------------------------------------------------- */

static void
diff_peer(struct differ *d, const struct conf_realm *ra,
	  const struct conf_peer *a, const struct conf_realm *rb,
	  const struct conf_peer *b, bool is_renewed)
{
	struct conf_change ch = {
		.what = CONF_INTERRUPTED, .effect = CONF_INTERRUPTS,
		.realm = rb->name, .peer = b->name,
	};

	for (unsigned i = 0; i < conf_n_rows; i++)
		if (conf_rows[i].scope == CONF_IN_PEER &&
		    !same_option(&conf_rows[i], a, b) &&
		    !follows(&conf_rows[i], ra, a, rb, b))
			diff_option(d, &conf_rows[i], rb->name, b->name, a, b);
	if (a->net != &ra->net || b->net != &rb->net)
		diff_net(d, rb->name, b->name, CONF_INTERRUPTS, a->net, b->net);
	if (!is_renewed && conf_peer_fate(ra, a, rb, b) == CONF_LIVE &&
	    !(b->is_glob && conf_role_shifts(d->old, d->now, rb, b))) {
		d->sum->n_kept++;
		return;
	}
	d->sum->n_interrupted++;
	if (!is_renewed)
		tell(d, &ch);
}

static void
diff_peers(struct differ *d, const struct conf_realm *a,
	   const struct conf_realm *b, bool is_renewed)
{
	struct conf_change ch = { .realm = b->name, .effect = CONF_INTERRUPTS };
	const struct conf_peer *o;

	for (unsigned i = 0; i < a->n_peer; i++) {
		if (conf_peer_near(b, a->peer[i].name, i) != NULL)
			continue;
		ch.what = CONF_REMOVED;
		ch.peer = a->peer[i].name;
		d->sum->n_removed++;
		tell(d, &ch);
	}
	for (unsigned i = 0; i < b->n_peer; i++) {
		o = conf_peer_near(a, b->peer[i].name, i);
		if (o != NULL) {
			diff_peer(d, a, o, b, &b->peer[i], is_renewed);
			continue;
		}
		ch.what = CONF_ADDED;
		ch.peer = b->peer[i].name;
		ch.effect = CONF_LIVE;
		d->sum->n_added++;
		tell(d, &ch);
	}
}

static void
diff_realm(struct differ *d, const struct conf_realm *a,
	   const struct conf_realm *b)
{
	bool is_renewed = conf_realm_fate(a, b) == CONF_RENEWS;
	struct conf_change ch = {
		.what = CONF_INTERRUPTED, .effect = CONF_RENEWS,
		.realm = b->name,
	};

	diff_options(d, CONF_IN_REALM, b->name, a, b);
	diff_options(d, CONF_IN_ME, b->name, &a->me, &b->me);
	diff_options(d, CONF_IN_EAP, b->name, &a->eap, &b->eap);
	diff_match(d, a, b);
	diff_pool(d, a, b);
	diff_net(d, b->name, NULL, CONF_INTERRUPTS, &a->net, &b->net);
	statics_less(d, CONF_REMOVED, a, b);
	statics_less(d, CONF_ADDED, b, a);
	if (is_renewed)
		tell(d, &ch);
	diff_peers(d, a, b, is_renewed);
}

bool
conf_logs_same(const struct conf *old, const struct conf *now)
{
	bool is_same = old->n_log == now->n_log;

	for (unsigned i = 0; is_same && i < now->n_log; i++)
		for (unsigned k = 0; k < conf_n_rows; k++)
			is_same &= conf_rows[k].scope != CONF_IN_LOG ||
			    same_option(&conf_rows[k], &old->logs[i],
					&now->logs[i]);
	return is_same;
}

bool
conf_web_same(const struct conf *old, const struct conf *now)
{
	bool is_same = true;

	/* edit= is asked for each time */
	for (unsigned k = 0; k < conf_n_rows; k++)
		is_same &= conf_rows[k].scope != CONF_IN_WEB ||
		    strcmp(conf_rows[k].opt.name, "edit") == 0 ||
		    same_option(&conf_rows[k], &old->web, &now->web);
	return is_same;
}

static void
diff_logs(struct differ *d, const struct conf *old, const struct conf *now)
{
	struct conf_change ch = { .what = CONF_CHANGED, .element = "log",
				  .effect = CONF_LIVE };

	if (!conf_logs_same(old, now))
		tell(d, &ch);
}

void
conf_diff(const struct conf *old, const struct conf *now, conf_diff_fn *fn,
	  void *ctx, struct conf_diff_sum *sum)
{
	struct differ d = { .old = old, .now = now, .fn = fn, .ctx = ctx,
			    .sum = sum };
	struct conf_change ch = { .effect = CONF_RENEWS };
	const struct conf_realm *o;

	*sum = (struct conf_diff_sum){ 0 };
	diff_options(&d, CONF_IN_VPN, NULL, old, now);
	diff_logs(&d, old, now);
	diff_options(&d, CONF_IN_WEB, NULL, &old->web, &now->web);
	for (unsigned i = 0; i < old->n_realm; i++) {
		if (conf_realm_find(now, old->realm[i].name) != NULL)
			continue;
		ch.what = CONF_REMOVED;
		ch.realm = old->realm[i].name;
		sum->n_removed += old->realm[i].n_peer;
		tell(&d, &ch);
	}
	for (unsigned i = 0; i < now->n_realm; i++) {
		o = conf_realm_find(old, now->realm[i].name);
		if (o != NULL) {
			diff_realm(&d, o, &now->realm[i]);
			continue;
		}
		ch.what = CONF_ADDED;
		ch.realm = now->realm[i].name;
		sum->n_added += now->realm[i].n_peer;
		tell(&d, &ch);
	}
}

/* ---- words ---------------------------------------------------------------------------- */

static void
where(const struct conf_change *ch, char *out)
{
	if (ch->realm != NULL)
		str_add(out, CONF_CHANGE_TEXT, "realm %s", ch->realm);
	if (ch->peer != NULL)
		str_add(out, CONF_CHANGE_TEXT, ", peer %s", ch->peer);
	if (ch->realm != NULL && ch->element != NULL)
		str_add(out, CONF_CHANGE_TEXT, ": ");
}

/* A value in a line of bounded length. */
static void
value(const char *v, char *out)
{
	size_t n = strlen(v);

	if (n <= 120)
		str_add(out, CONF_CHANGE_TEXT, "\"%s\"", v);
	else
		str_add(out, CONF_CHANGE_TEXT, "\"%.117s...\"", v);
}

static void
thing(const struct conf_change *ch, char *out)
{
	if (ch->option == NULL)
		str_add(out, CONF_CHANGE_TEXT, "<%s>", ch->element);
	else if (strcmp(ch->element, "me") == 0 ||
		 strcmp(ch->element, "web") == 0 ||
		 strcmp(ch->element, "match") == 0 ||
		 strcmp(ch->element, "static") == 0)
		str_add(out, CONF_CHANGE_TEXT, "<%s %s>", ch->element,
			ch->option);
	else
		str_add(out, CONF_CHANGE_TEXT, "%s", ch->option);
}

static void
itself(const struct conf_change *ch, char *out)
{
	const char *text = "";

	switch (ch->what) {
	case CONF_ADDED:
		text = " is new";
		break;
	case CONF_REMOVED:
		text = ch->peer != NULL ? " is removed; its tunnel ends" :
		    " is removed with its TAP interface; its tunnels end";
		break;
	case CONF_INTERRUPTED:
		text = ch->peer != NULL ? " is interrupted and connects anew" :
		    " is taken down and set up again; its peers connect anew";
		break;
	case CONF_CHANGED:
		text = " changes";
		break;
	}
	str_add(out, CONF_CHANGE_TEXT, "%s", text);
}

const char *
conf_change_text(const struct conf_change *ch, char *out)
{
	out[0] = '\0';
	where(ch, out);
	if (ch->element == NULL) {
		itself(ch, out);
		return out;
	}
	thing(ch, out);
	if (ch->before == NULL && ch->after == NULL) {
		str_add(out, CONF_CHANGE_TEXT, " changes");
	} else if (ch->before != NULL && ch->after != NULL) {
		str_add(out, CONF_CHANGE_TEXT, " changes from ");
		value(ch->before, out);
		str_add(out, CONF_CHANGE_TEXT, " to ");
		value(ch->after, out);
	} else if (ch->after != NULL) {
		str_add(out, CONF_CHANGE_TEXT, " is new: ");
		value(ch->after, out);
	} else if (ch->before != NULL) {
		str_add(out, CONF_CHANGE_TEXT, " is removed: ");
		value(ch->before, out);
	}
	if (ch->effect == CONF_RESTARTS)
		str_add(out, CONF_CHANGE_TEXT, ", after a restart of tapird");
	return out;
}

static void
count(unsigned n, const char *what, char *out)
{
	if (n > 0)
		str_add(out, CONF_CHANGE_TEXT, "%s%u peer%s %s %s",
			*out != '\0' ? ", " : "", n, n == 1 ? "" : "s",
			n == 1 ? "is" : "are", what);
}

const char *
conf_sum_text(const struct conf_diff_sum *sum, char *out)
{
	out[0] = '\0';
	if (sum->n_change == 0) {
		str_add(out, CONF_CHANGE_TEXT, "nothing changes");
		return out;
	}
	count(sum->n_added, "new", out);
	count(sum->n_removed, "removed", out);
	count(sum->n_interrupted, "interrupted", out);
	count(sum->n_kept, "not touched", out);
	if (sum->n_restart > 0)
		str_add(out, CONF_CHANGE_TEXT, "%s%u change%s wait%s for a restart",
			*out != '\0' ? "; " : "", sum->n_restart,
			sum->n_restart == 1 ? "" : "s",
			sum->n_restart == 1 ? "s" : "");
	return out;
}
