/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/role.c - which realm somebody falls into.
 *
 * rank, 32 bits:   class (4) | kind (4) | how special within them (24)
 *
 * Thread: any.
 */
#include "conf/role.h"
#include <string.h>
#include <strings.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"

/* The class of a rule. */
enum { ANYBODY, PATTERN, WHOLE, PEER };

#define NAME_MAX_ (CONF_ID_MAX + 1) /* of a name as a C string */

/* ---- distinguished names ------------------------------------------------------ */

static const char *
spaces(const char *s)
{
	return s + strspn(s, " ");
}

static bool
value_is(const char *a, const char *b)
{
	a = spaces(a);
	b = spaces(b);
	while (*a != '\0' && *b != '\0') {
		if (*a == ' ' || *b == ' ') {
			if (*a != *b && *spaces(a) != '\0' && *spaces(b) != '\0')
				return false;
			a = spaces(a);
			b = spaces(b);
			continue;
		}
		if (strncasecmp(a++, b++, 1) != 0)
			return false;
	}
	return *spaces(a) == '\0' && *spaces(b) == '\0';
}

bool
conf_rdn_is(const struct conf_rdn *r, const char *key, const char *value)
{
	return strcasecmp(r->key, key) == 0 && value_is(r->value, value);
}

int
conf_rdn_read(const char *text, struct conf_rdn *out, unsigned cap)
{
	unsigned n = 0;
	struct conf_rdn r;
	int more;

	while ((more = conf_dn_next(&text, r.key, r.value)) > 0) {
		if (n == cap)
			return ERR_LONG;
		out[n++] = r;
	}
	return more < 0 ? more : (int)n;
}

bool
conf_rdn_has(const struct conf_rdn *r, unsigned n, const char *text)
{
	struct conf_rdn want;
	uint64_t used = 0;
	unsigned n_want = 0, i;
	int more;

	if (n > CONF_RDN_MAX)
		return false;
	while ((more = conf_dn_next(&text, want.key, want.value)) > 0) {
		for (i = 0; i < n; i++)
			if ((used & 1ull << i) == 0 &&
			    conf_rdn_is(&r[i], want.key, want.value))
				break;
		if (i == n)
			return false;
		used |= 1ull << i;
		n_want++;
	}
	return more == 0 && n_want > 0;
}

bool
conf_rdn_equal(const struct conf_rdn *r, unsigned n, const char *text)
{
	struct conf_rdn want;
	unsigned i = 0;
	int more;

	while ((more = conf_dn_next(&text, want.key, want.value)) > 0) {
		if (i == n || !conf_rdn_is(&r[i], want.key, want.value))
			return false;
		i++;
	}
	return more == 0 && i == n && n > 0;
}

/* The same attributes, in any order. */
static bool
dn_same(const char *a, const char *b)
{
	struct conf_rdn ra[CONF_RDN_MAX], rb[CONF_RDN_MAX];
	int na = conf_rdn_read(a, ra, CONF_RDN_MAX);
	int nb = conf_rdn_read(b, rb, CONF_RDN_MAX);

	return na > 0 && na == nb && conf_rdn_has(ra, (unsigned)na, b);
}

/* ---- patterns ------------------------------------------------------------------- */

static bool
is_pattern(const char *text)
{
	return strpbrk(text, "*?") != NULL;
}

/* Printable ASCII with at most one '@', as a C string: a NUL inside would end the
 * comparison early, a second '@' hide the domain. */
static bool
plain(struct view v, char out[NAME_MAX_])
{
	unsigned n_at = 0;

	if (v.len == 0 || v.len >= NAME_MAX_)
		return false;
	for (size_t i = 0; i < v.len; i++) {
		if (v.p[i] <= 0x20 || v.p[i] >= 0x7f)
			return false;
		n_at += v.p[i] == '@';
	}
	memcpy(out, v.p, v.len);
	out[v.len] = '\0';
	return n_at <= 1;
}

bool
conf_glob_takes(const char *pattern, struct view name)
{
	char text[NAME_MAX_];

	if (strcmp(pattern, "*") == 0)
		return true;
	return plain(name, text) &&
	    (strchr(text, '@') != NULL) == (strchr(pattern, '@') != NULL) &&
	    str_glob(pattern, text);
}

static bool
same_char(char a, char b)
{
	return a == '?' || b == '?' || strncasecmp(&a, &b, 1) == 0;
}

/* Row i of reach[] says which rests of b can be met by the rest of a from i on. */
bool
conf_glob_meet(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	bool row[NAME_MAX_ + 1] = { false }, above[NAME_MAX_ + 1];

	if (nb > CONF_ID_MAX || na > CONF_ID_MAX)
		return true;		/* never: both were checked */
	if (strcmp(a, "*") == 0 || strcmp(b, "*") == 0)
		return true;
	if ((strchr(a, '@') != NULL) != (strchr(b, '@') != NULL))
		return false;
	for (size_t i = na + 1; i-- > 0;) {
		memcpy(above, row, sizeof(row));
		for (size_t k = nb + 1; k-- > 0;) {
			if (i == na && k == nb)
				row[k] = true;
			else if (i < na && a[i] == '*')
				row[k] = above[k] || (k < nb && row[k + 1]);
			else if (k < nb && b[k] == '*')
				row[k] = row[k + 1] || (i < na && above[k]);
			else
				row[k] = i < na && k < nb &&
				    same_char(a[i], b[k]) && above[k + 1];
		}
	}
	return row[0];
}

/* ---- identities ------------------------------------------------------------------ */

bool
conf_ident_is(const struct conf_ident *i, const char *text)
{
	uint8_t data[CONF_ID_MAX];
	enum conf_id_kind kind = conf_id_type(text);
	size_t n;

	if (kind != i->kind || kind == CONF_ID_NONE)
		return false;
	if (kind == CONF_ID_DN)
		return conf_rdn_equal(i->rdn, i->n_rdn, text);
	if (conf_id_bytes(text, &kind, data, sizeof(data), &n) != 0 ||
	    i->id.len != n)
		return false;
	if (kind == CONF_ID_FQDN)
		return strncasecmp((const char *)data, (const char *)i->id.p,
				   n) == 0 && memchr(i->id.p, '\0', n) == NULL;
	return memcmp(data, i->id.p, n) == 0;
}

/* An address is where somebody is, not who. */
static bool
is_nobody(enum conf_id_kind kind)
{
	return kind == CONF_ID_IPV4 || kind == CONF_ID_IPV6;
}

/* ---- rules ------------------------------------------------------------------------ */

const char *
conf_match_word(enum conf_match_kind k)
{
	static const char *const words[CONF_MATCH_KINDS] = {
		[CONF_MATCH_ID] = "id",	      [CONF_MATCH_EAP] = "eap",
		[CONF_MATCH_EMAIL] = "email", [CONF_MATCH_DNS] = "dns",
		[CONF_MATCH_DN] = "dn",
	};

	return words[k];
}

const struct conf_peer *
conf_role_of(const struct conf_realm *r)
{
	const struct conf_peer *role = NULL;

	for (unsigned i = 0; i < r->n_peer; i++) {
		if (!r->peer[i].is_glob && r->peer[i].id != NULL)
			continue;
		if (role != NULL)
			return NULL;
		role = &r->peer[i];
	}
	return role;
}

bool
conf_role_is_whole(const struct conf_role *r)
{
	return r->kind != CONF_MATCH_DN && !is_pattern(r->text);
}

static uint32_t
rank_of(const struct conf_role *r)
{
	uint32_t class = PATTERN, much = 0;
	struct conf_rdn rdn[CONF_RDN_MAX];
	int n;

	if (r->kind == CONF_MATCH_DN) {
		n = conf_rdn_read(r->text, rdn, CONF_RDN_MAX);
		much = n > 0 ? (uint32_t)n : 0;
	} else if (strcmp(r->text, "*") == 0) {
		class = ANYBODY;
	} else if (!is_pattern(r->text)) {
		class = r->is_peer ? PEER : WHOLE;
	} else {
		for (const char *p = r->text; *p != '\0'; p++)
			much += *p == '*' ? 0 : *p == '?' ? 1 : 2;
	}
	return class << 28 | (uint32_t)(CONF_MATCH_KINDS - r->kind) << 24 | much;
}

void
conf_role_walk(const struct conf *c, conf_role_fn *fn, void *ctx)
{
	for (unsigned i = 0; i < c->n_realm; i++) {
		const struct conf_realm *r = &c->realm[i];
		struct conf_role role = { .realm = r, .is_peer = true };

		for (unsigned k = 0; k < r->n_peer; k++) {
			role.peer = &r->peer[k];
			role.text = r->peer[k].id;
			role.pos = r->peer[k].pos;
			if (role.text == NULL)
				continue;	/* whom <match> admits */
			role.rank = rank_of(&role);
			fn(ctx, &role);
		}
		role.is_peer = false;
		role.peer = conf_role_of(r);
		for (unsigned k = 0; k < r->n_match; k++) {
			role.kind = r->match[k].kind;
			role.text = r->match[k].text;
			role.pos = r->match[k].pos;
			role.rank = rank_of(&role);
			fn(ctx, &role);
		}
	}
}

/* id=: the identity of IKE; if that names nobody, the one of EAP in its place. */
static enum conf_fit
fit_id(const struct conf_role *r, const struct conf_who *w)
{
	enum conf_id_kind kind = w->peer.kind;
	bool has_at = strchr(r->text, '@') != NULL;

	if (conf_ident_is(&w->peer, r->text))
		return CONF_FIT_YES;
	if (!r->is_peer && w->is_eap && is_nobody(kind)) {
		if (w->eap.len == 0)
			return CONF_FIT_LATER;
		return conf_glob_takes(r->text, w->eap) ? CONF_FIT_YES :
		    CONF_FIT_NO;
	}
	if (!is_pattern(r->text))
		return CONF_FIT_NO;
	if (strcmp(r->text, "*") == 0)
		return CONF_FIT_YES;
	if (kind != (has_at ? CONF_ID_EMAIL : CONF_ID_FQDN))
		return CONF_FIT_NO;
	return conf_glob_takes(r->text, w->peer.id) ? CONF_FIT_YES : CONF_FIT_NO;
}

static enum conf_fit
fit_name(const struct conf_role *r, const struct conf_who *w)
{
	if (!w->has_cert)
		return CONF_FIT_CERT;
	for (unsigned i = 0; i < w->n_name; i++)
		if (w->name[i].is_email == (r->kind == CONF_MATCH_EMAIL) &&
		    conf_glob_takes(r->text, w->name[i].text))
			return CONF_FIT_YES;
	return CONF_FIT_NO;
}

/* An identity that is a name has to be the subject, so it does without. */
static enum conf_fit
fit_dn(const struct conf_role *r, const struct conf_who *w)
{
	if (w->has_cert)
		return conf_rdn_has(w->subject, w->n_subject, r->text) ?
		    CONF_FIT_YES : CONF_FIT_NO;
	if (w->peer.kind != CONF_ID_DN)
		return CONF_FIT_CERT;
	return conf_rdn_has(w->peer.rdn, w->peer.n_rdn, r->text) ?
	    CONF_FIT_YES : CONF_FIT_NO;
}

enum conf_fit
conf_role_fit(const struct conf_role *r, const struct conf_who *w)
{
	enum conf_fit fit = CONF_FIT_NO;

	switch (r->kind) {
	case CONF_MATCH_ID:
		fit = fit_id(r, w);
		break;
	case CONF_MATCH_EAP:
		if (!w->is_eap)
			break;
		fit = w->eap.len == 0 ? CONF_FIT_LATER :
		    conf_glob_takes(r->text, w->eap) ? CONF_FIT_YES : CONF_FIT_NO;
		break;
	case CONF_MATCH_EMAIL:
	case CONF_MATCH_DNS:
		fit = fit_name(r, w);
		break;
	case CONF_MATCH_DN:
		fit = fit_dn(r, w);
		break;
	case CONF_MATCH_KINDS:
		break;
	}
	if (fit != CONF_FIT_NO && w->own != NULL &&
	    (r->realm->me.id == NULL ||
	     !conf_ident_is(w->own, r->realm->me.id)))
		return CONF_FIT_OWN;
	return fit;
}

/* ---- the choice ------------------------------------------------------------------- */

struct choice {
	const struct conf_who *who;
	struct conf_picked *out;
	unsigned n;		/* rules of the greatest rank, in different places */
	uint32_t cert_rank;	/* the greatest of those that want a certificate */
	bool is_mixed;		/* who may ask by EAP there is not one <me> */
};

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* To the peer they are one: same name, same certificate. */
static bool
same_me(const struct conf_me *a, const struct conf_me *b)
{
	return same_text(a->id, b->id) && same_text(a->cert, b->cert) &&
	    same_text(a->key, b->key);
}

static void
choose(void *ctx, const struct conf_role *r)
{
	struct choice *ch = ctx;
	struct conf_picked *out = ch->out;

	switch (conf_role_fit(r, ch->who)) {
	case CONF_FIT_OWN:
		out->n_own++;
		return;
	case CONF_FIT_LATER:
		if (out->asks == NULL)
			out->asks = r->realm;
		else if (!same_me(&out->asks->me, &r->realm->me))
			ch->is_mixed = true;
		return;
	case CONF_FIT_YES:
		break;
	case CONF_FIT_CERT:
		ch->cert_rank = MAX(ch->cert_rank, r->rank);
		return;
	case CONF_FIT_NO:
		return;
	}
	if (ch->n > 0 && r->rank < out->role.rank)
		return;
	if (ch->n > 0 && r->rank == out->role.rank) {
		if (r->realm == out->role.realm && r->peer == out->role.peer)
			return;
		out->also = *r;
		ch->n++;
		return;
	}
	out->role = *r;
	ch->n = 1;
}

int
conf_role_pick(const struct conf *c, const struct conf_who *w,
	       struct conf_picked *out)
{
	struct choice ch = { .who = w, .out = out };

	memset(out, 0, sizeof(*out));
	conf_role_walk(c, choose, &ch);
	out->is_open = ch.cert_rank != 0 &&
	    (ch.n == 0 || ch.cert_rank >= out->role.rank);
	if (ch.n > 1)
		return ERR_STATE;
	/* "*" would take away whom the EAP identity belongs elsewhere. */
	if (out->asks != NULL &&
	    (ch.n == 0 || out->role.rank >> 28 == ANYBODY))
		return ch.is_mixed ? ERR_STATE : ERR_AGAIN;
	return ch.n == 1 ? 0 : ERR_NOTFOUND;
}

struct may {
	const struct conf_who *who;
	const struct conf_peer *p;
	bool is_so;
};

static void
look_for_way(void *ctx, const struct conf_role *r)
{
	struct may *m = ctx;
	enum conf_fit fit;

	if (r->peer != m->p)
		return;
	fit = conf_role_fit(r, m->who);
	m->is_so |= fit == CONF_FIT_YES || fit == CONF_FIT_CERT;
}

bool
conf_role_may(const struct conf *c, const struct conf_who *w,
	      const struct conf_peer *p)
{
	struct may m = { .who = w, .p = p };

	conf_role_walk(c, look_for_way, &m);
	return m.is_so;
}

bool
conf_role_eap_ok(const struct conf_role *r, const struct conf_who *w)
{
	if (w->eap.len == 0)
		return false;
	if (r->kind == CONF_MATCH_EAP || is_nobody(w->peer.kind) ||
	    strcmp(r->text, "*") == 0)
		return true;
	if (w->peer.kind == CONF_ID_FQDN)
		return w->peer.id.len == w->eap.len &&
		    strncasecmp((const char *)w->peer.id.p,
				(const char *)w->eap.p, w->eap.len) == 0 &&
		    memchr(w->eap.p, '\0', w->eap.len) == NULL;
	return w->peer.id.len == w->eap.len &&
	    memcmp(w->peer.id.p, w->eap.p, w->eap.len) == 0;
}

/* ---- what a configuration should not have ------------------------------------------ */

bool
conf_role_tie(const struct conf_role *a, const struct conf_role *b)
{
	const struct conf_me *x = &a->realm->me, *y = &b->realm->me;

	if (a->realm == b->realm || a->kind != b->kind)
		return false;
	/* Two names of ours: whom the peer wants tells them apart. */
	if (x->id != NULL && y->id != NULL ? strcasecmp(x->id, y->id) != 0 :
	    x->id != y->id || x->cert == NULL || !same_text(x->cert, y->cert))
		return false;
	if (conf_role_is_whole(a) && conf_role_is_whole(b))
		return strcasecmp(a->text, b->text) == 0;
	if (a->rank != b->rank)
		return false;
	if (a->kind == CONF_MATCH_DN)
		return dn_same(a->text, b->text);
	return conf_glob_meet(a->text, b->text);
}

/* ---- from one configuration to the next ------------------------------------------ */

struct shift {
	const struct conf *old;
	const struct conf_realm *realm;
	const struct conf_peer *peer;
	bool is_so;
};

/* Could one name fit both?  Of two kinds nobody knows without looking at more. */
static bool
may_meet(const struct conf_role *a, const struct conf_role *b)
{
	if (a->kind != b->kind || a->kind == CONF_MATCH_DN)
		return true;
	return conf_glob_meet(a->text, b->text);
}

/* Does it go before a rule of this place, for somebody whom both take? */
static bool
takes_from(const struct shift *s, const struct conf_role *r)
{
	struct conf_role own = { .realm = s->realm, .peer = s->peer,
				 .is_peer = true, .text = s->peer->id };

	if (own.text != NULL) {
		own.rank = rank_of(&own);
		if (r->rank > own.rank && may_meet(r, &own))
			return true;
	}
	own.is_peer = false;
	for (unsigned i = 0; conf_role_of(s->realm) == s->peer &&
	     i < s->realm->n_match; i++) {
		own.kind = s->realm->match[i].kind;
		own.text = s->realm->match[i].text;
		own.rank = rank_of(&own);
		if (r->rank > own.rank && may_meet(r, &own))
			return true;
	}
	return false;
}

static bool
was_there(const struct conf *old, const struct conf_role *r)
{
	const struct conf_realm *o = conf_realm_find(old, r->realm->name);
	const struct conf_peer *p;

	if (o == NULL || r->peer == NULL)
		return false;
	if (r->is_peer) {
		p = conf_peer_near(o, r->peer->name, r->peer->index);
		return p != NULL && same_text(p->id, r->text);
	}
	p = conf_role_of(o);
	for (unsigned i = 0; p != NULL && i < o->n_match; i++)
		if (o->match[i].kind == r->kind &&
		    strcmp(o->match[i].text, r->text) == 0)
			return same_text(p->name, r->peer->name);
	return false;
}

static void
look_for_new(void *ctx, const struct conf_role *r)
{
	struct shift *s = ctx;

	if (!s->is_so && r->peer != s->peer && takes_from(s, r))
		s->is_so = !was_there(s->old, r);
}

bool
conf_role_shifts(const struct conf *old, const struct conf *now,
		 const struct conf_realm *realm, const struct conf_peer *peer)
{
	struct shift s = { .old = old, .realm = realm, .peer = peer };

	conf_role_walk(now, look_for_new, &s);
	return s.is_so;
}

/* ---- rules without effect --------------------------------------------------------- */

/* Does a pattern take all that another one takes? */
static bool
glob_covers(const char *a, const char *b)
{
	const char *star = NULL, *rest = NULL;

	if (strcmp(a, "*") == 0)
		return true;
	if ((strchr(a, '@') != NULL) != (strchr(b, '@') != NULL))
		return false;
	while (*b != '\0') {
		if (*a == '*') {
			star = ++a;
			rest = b;
		} else if (*a != '\0' && *b != '*' &&
			   (*a == '?' || strncasecmp(a, b, 1) == 0)) {
			a++;
			b++;
		} else if (star != NULL) {
			a = star;
			b = ++rest;
		} else {
			return false;
		}
	}
	return a[strspn(a, "*")] == '\0';
}

struct cover {
	const struct conf_role *r;
	bool is_covered;
};

static bool
is_before(struct conf_pos a, struct conf_pos b)
{
	if (a.file != b.file || a.line != b.line)
		return a.file != b.file ? a.file < b.file : a.line < b.line;
	return a.col < b.col;
}

static void
look_for_cover(void *ctx, const struct conf_role *o)
{
	struct cover *cv = ctx;
	const struct conf_role *r = cv->r;
	bool is_same;

	if (o->is_peer || o->realm != r->realm || o->kind != r->kind)
		return;
	is_same = r->kind == CONF_MATCH_DN ? dn_same(o->text, r->text) :
	    strcasecmp(o->text, r->text) == 0;
	if (is_same)
		cv->is_covered |= is_before(o->pos, r->pos);
	else if (r->kind != CONF_MATCH_DN)
		cv->is_covered |= glob_covers(o->text, r->text);
}

const char *
conf_role_idle(const struct conf *c, const struct conf_role *r)
{
	const struct conf_peer *p = r->peer;
	struct cover cv = { .r = r };

	if (r->is_peer)
		return NULL;
	if (p == NULL && r->realm->n_peer > 0)
		return "the realm has no peer for whom it admits, or several: "
		    "give it one <peer> without at= that has no identity, or "
		    "a pattern";
	if (p != NULL && p->auth == CONF_AUTH_PSK &&
	    (r->kind == CONF_MATCH_EMAIL || r->kind == CONF_MATCH_DNS))
		return "it is about certificates, and peers of this realm have "
		    "a pre-shared key";
	if (p != NULL && p->ppk != NULL &&
	    (r->kind == CONF_MATCH_EMAIL || r->kind == CONF_MATCH_DNS))
		return "the peer has ppk=, which is mixed in before a "
		    "certificate is seen";
	conf_role_walk(c, look_for_cover, &cv);
	if (cv.is_covered)
		return "another <match> of this realm admits the same";
	return NULL;
}
