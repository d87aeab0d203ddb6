/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/trace.c - what is remembered of attempts to connect, for people.
 *
 * A peer that is refused before it is known who it is belongs to no link.  It is
 * noted at the link whose identity it claims, or whose address it has: a lie is
 * possible, so the sentence that comes of it names the sender's address.
 */
#include "ikev2/trace_note.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/str.h"
#include "ikev2/step/step.h"

#define HANGS_TRIES 3	/* transmissions: it may be called silence */
#define UDP_BYTES   28	/* headers of UDP and IPv4 */
#define LISTED_MAX  24	/* different transforms in a cell; ours */

static struct ike_trace *
trace_of(struct ike_link *link)
{
	if (link != NULL && link->trace == NULL)
		link->trace = calloc(1, sizeof(*link->trace));
	return link != NULL ? link->trace : NULL;
}

static void
pairs_free(struct ike_trace *t)
{
	free(t->pairs);
	t->pairs = NULL;
}

void
ike_trace_free(struct ike_trace *t)
{
	if (t == NULL)
		return;
	pairs_free(t);
	free(t);
}

/* ---- our attempts ---------------------------------------------------------- */

void
ike_trace_try(struct ike_link *link)
{
	struct ike_trace *t = trace_of(link);

	if (t == NULL)
		return;
	t->try_ms = link->ike->now_ms;
	t->n_cookie = t->n_group = 0;
	t->big_bytes = 0;
	t->has_frag = false;
}

void
ike_trace_up(struct ike_link *link)
{
	struct ike_trace *t = trace_of(link);

	if (t == NULL)
		return;
	memset(&t->out, 0, sizeof(t->out));
	memset(&t->in, 0, sizeof(t->in));
	pairs_free(t);
	t->n_cookie = t->n_group = 0;
	t->rekey_ms = 0;
}

void
ike_trace_lookup(struct ike_link *link, bool is_found)
{
	struct ike_trace *t = trace_of(link);

	if (t != NULL)
		t->is_unresolved = !is_found;
}

void
ike_trace_sent(struct ike_sa *sa, size_t bytes)
{
	struct ike_trace *t = trace_of(sa->link);

	if (t == NULL)
		return;
	t->sent_ms[sa->is_natt ? 1 : 0] = sa->ike->now_ms;
	if (sa->is_authenticated || !sa->is_initiator)
		return;
	t->big_bytes = (unsigned)bytes + UDP_BYTES;
	t->has_frag = sa->has_frag;
}

void
ike_trace_heard(struct ike_sa *sa, bool is_natt)
{
	struct ike_trace *t = trace_of(sa->link);

	if (t != NULL)
		t->heard_ms[is_natt ? 1 : 0] = sa->ike->now_ms;
}

void
ike_trace_cookie(struct ike_link *link)
{
	struct ike_trace *t = trace_of(link);

	if (t != NULL)
		t->n_cookie++;
}

void
ike_trace_group(struct ike_link *link)
{
	struct ike_trace *t = trace_of(link);

	if (t != NULL)
		t->n_group++;
}

void
ike_trace_out(struct ike_sa *sa, enum ike_by by, enum ike_stage stage,
	      uint16_t notify, const char *why)
{
	struct ike_trace *t = trace_of(sa->link);

	if (t == NULL)
		return;
	t->out = (struct ike_end){ .by = by, .stage = stage,
		.at_ms = sa->ike->now_ms, .notify = notify,
		.is_protected = sa->keys != NULL, .from = sa->remote };
	str_copy(t->out.why, sizeof(t->out.why), why);
	t->own_end_s = sa->own_end_s;
}

void
ike_trace_rekey(struct ike_link *link, const char *why)
{
	struct ike_trace *t = trace_of(link);

	if (t == NULL)
		return;
	t->rekey_ms = why != NULL ? link->ike->now_ms : 0;
	if (why != NULL)
		str_copy(t->rekey_why, sizeof(t->rekey_why), why);
}

void
ike_trace_moved(struct ike_link *link, const struct ip_addr *from,
		const struct ike_gw *to, enum ike_moved_how how)
{
	struct ike_trace *t = trace_of(link);
	char ip[IP_TEXT_MAX];

	if (t == NULL)
		return;
	t->moved = (struct ike_moved){ .how = how, .from = *from,
		.at_ms = link->ike->now_ms, .n = link->away.redirects.n };
	str_copy(t->moved.to, sizeof(t->moved.to), to->ip.family == 0 ?
		 to->name : ip_text(&to->ip, ip));
}

void
ike_trace_nowhere(struct ike_link *link)
{
	if (link->trace != NULL)
		link->trace->moved.how = IKE_MOVED_NOWHERE;
}

void
ike_trace_ticket(struct ike_link *link)
{
	struct ike_trace *t = trace_of(link);

	if (t != NULL)
		t->ticket_ms = link->ike->now_ms;
}

/* ---- the peer's ------------------------------------------------------------- */

static void
end_in(struct ike_link *link, const struct net_ep *from, enum ike_stage stage,
       uint16_t notify, const char *why)
{
	struct ike_trace *t = trace_of(link);

	if (t == NULL)
		return;
	t->in = (struct ike_end){ .by = IKE_BY_US, .stage = stage,
		.at_ms = link->ike->now_ms, .notify = notify, .from = *from };
	str_copy(t->in.why, sizeof(t->in.why), why);
}

void
ike_trace_in(struct ike_sa *sa, enum ike_stage stage, uint16_t notify,
	     const char *why)
{
	end_in(sa->link, &sa->remote, stage, notify, why);
	if (sa->link != NULL && sa->link->trace != NULL)
		sa->link->trace->own_end_s = sa->own_end_s;
}

void
ike_trace_refused(struct ike_sa *sa, uint16_t notify, const char *why)
{
	struct ike_trace *t = trace_of(sa->link);

	end_in(sa->link, &sa->remote, IKE_STAGE_AUTH, notify, why);
	if (t == NULL)
		return;
	t->own_end_s = sa->own_end_s;
	t->in.by = IKE_BY_PEER;
	t->in.is_protected = true;
}

static bool
is_at(const struct ike_link *l, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < l->n_ep; i++)
		if (ip_equal(&l->ep[i].ip, ip))
			return true;
	return false;
}

/* The only link it can be, by its claim or its address; NULL for none. */
static struct ike_link *
link_of(struct ike *ike, const struct net_ep *from, const char *id)
{
	struct ike_link *found = NULL;

	LIST_FOREACH(it, &ike->links) {
		struct ike_link *l = CONTAINER_OF(it, struct ike_link, node);
		bool fits = *id != '\0' ? strcmp(l->id_text, id) == 0 :
		    is_at(l, &from->ip);

		if (!fits)
			continue;
		if (found != NULL)
			return NULL;
		found = l;
	}
	return found;
}

static struct ike_stranger *
stranger_new(struct ike *ike)
{
	if (ike->strangers == NULL)
		ike->strangers = calloc(IKE_STRANGERS, sizeof(*ike->strangers));
	if (ike->strangers == NULL)
		return NULL;
	return &ike->strangers[ike->n_stranger++ % IKE_STRANGERS];
}

/* ---- comparisons -------------------------------------------------------------- */

/* Add a word to a list unless it is in it. */
static void
list_add(char *cell, const char *word)
{
	const char *at = cell;
	size_t len = strlen(word);

	while ((at = strstr(at, word)) != NULL) {
		if ((at == cell || at[-1] == ' ') &&
		    (at[len] == '\0' || at[len] == ','))
			return;
		at += len;
	}
	if (strlen(cell) + len + 3 < IKE_CELL_MAX)
		str_add(cell, IKE_CELL_MAX, "%s%s", *cell != '\0' ? ", " : "",
			word);
}

static void
list_type(const struct ike_props *props, uint8_t type, char *cell)
{
	char name[IKE_WORD_MAX], word[IKE_WORD_MAX + 8];
	unsigned n = 0;

	for (unsigned i = 0; props != NULL && i < props->n; i++)
		for (unsigned k = 0; k < props->prop[i].n_tr; k++) {
			const struct ike_tr *tr = &props->prop[i].tr[k];

			if (tr->type != type || n++ > 8 * LISTED_MAX)
				continue;
			word[0] = '\0';
			str_add(word, sizeof(word), "%s",
				ike_tr_name(tr->type, tr->id, name));
			if (tr->key_bits != 0)
				str_add(word, sizeof(word), "-%u",
					tr->key_bits);
			list_add(cell, word);
		}
}

static void
pairs_props(struct ike_pairs *p, enum ike_pair_kind kind,
	    const struct ike_props *own, const struct ike_props *peer)
{
	static const struct {
		uint8_t type;
		const char *what;
	} row[] = {
		{ IKE_TRT_ENCR, "encryption" }, { IKE_TRT_INTEG, "integrity" },
		{ IKE_TRT_PRF, "prf" }, { IKE_TRT_KE, "group" },
	};

	memset(p, 0, sizeof(*p));
	p->kind = kind;
	for (unsigned i = 0; i < N_OF(row); i++) {
		struct ike_pair *one = &p->pair[p->n];

		list_type(own, row[i].type, one->own);
		list_type(peer, row[i].type, one->peer);
		if (one->own[0] == '\0' && one->peer[0] == '\0')
			continue;
		str_copy(one->what, sizeof(one->what), row[i].what);
		p->n++;
	}
}

static struct ike_pairs *
pairs_of(struct ike_link *link)
{
	struct ike_trace *t = trace_of(link);

	if (t == NULL)
		return NULL;
	if (t->pairs == NULL)
		t->pairs = calloc(1, sizeof(*t->pairs));
	return t->pairs;
}

void
ike_trace_props(struct ike_link *link, enum ike_pair_kind kind,
		const struct ike_props *own, const struct ike_props *peer)
{
	struct ike_pairs *p = pairs_of(link);

	if (p != NULL)
		pairs_props(p, kind, own, peer);
}

static void
list_ts(const struct vpn_ts *ts, unsigned n, char *cell)
{
	char text[VPN_TS_TEXT_MAX];

	for (unsigned i = 0; i < n; i++)
		list_add(cell, vpn_ts_text(&ts[i], text));
}

void
ike_trace_ts(struct ike_link *link, const struct ike_ts_set *own_local,
	     const struct ike_ts_set *own_remote,
	     const struct ike_tss *peer_local,
	     const struct ike_tss *peer_remote)
{
	struct ike_pairs *p = pairs_of(link);

	if (p == NULL)
		return;
	memset(p, 0, sizeof(*p));
	p->kind = IKE_PAIR_TS;
	p->n = 2;
	str_copy(p->pair[0].what, sizeof(p->pair[0].what), "our side");
	str_copy(p->pair[1].what, sizeof(p->pair[1].what), "its side");
	list_ts(own_local->ts, own_local->n, p->pair[0].own);
	list_ts(own_remote->ts, own_remote->n, p->pair[1].own);
	if (peer_local != NULL)
		list_ts(peer_local->ts, peer_local->n, p->pair[1].peer);
	if (peer_remote != NULL)
		list_ts(peer_remote->ts, peer_remote->n, p->pair[0].peer);
}

/* ---- strangers ------------------------------------------------------------------ */

/* What any realm permits, as we would offer it. */
static void
pairs_init(struct ike *ike, const struct ike_msg *m, struct ike_pairs *p)
{
	enum vpn_suite suite = VPN_SUITE_2026;
	struct ike_props own = { 0 };
	struct arena a;

	LIST_FOREACH(it, &ike->realms)
		if (CONTAINER_OF(it, struct ike_realm, node)->conf.suite ==
		    VPN_SUITE_COMPAT)
			suite = VPN_SUITE_COMPAT;
	arena_init(&a, IKE_ARENA_MAX);
	if (ike_prop_offer_ike(&a, suite, (struct view){ NULL, 0 }, &own) == 0)
		pairs_props(p, IKE_PAIR_IKE, &own, m->p->sa);
	arena_fini(&a);
}

void
ike_trace_stranger(struct ike *ike, const struct ike_msg *m, const char *id,
		   enum ike_stage stage, uint16_t notify, const char *why)
{
	struct ike_link *link;
	struct ike_stranger *s;
	struct ike_pairs *p;

	if (!ike_rate_take(ike, &ike->stranger_rate, IKE_STRANGERS_PER_S))
		return;
	link = link_of(ike, &m->remote, id);
	if (link != NULL) {
		end_in(link, &m->remote, stage, notify, why);
		if (stage == IKE_STAGE_INIT && (p = pairs_of(link)) != NULL)
			pairs_init(ike, m, p);
		return;
	}
	if ((s = stranger_new(ike)) == NULL)
		return;
	memset(s, 0, sizeof(*s));
	s->at_ms = ike->now_ms;
	s->from = m->remote;
	s->stage = stage;
	str_copy(s->id, sizeof(s->id), id);
	str_copy(s->why, sizeof(s->why), why);
	if (stage == IKE_STAGE_INIT)
		pairs_init(ike, m, &s->pairs);
}

const struct ike_stranger *
ike_stranger_at(const struct ike *ike, unsigned i)
{
	const struct ike_stranger *s;

	if (ike->strangers == NULL || i >= IKE_STRANGERS || i >= ike->n_stranger)
		return NULL;
	s = &ike->strangers[(ike->n_stranger - 1 - i) % IKE_STRANGERS];
	return s->at_ms != 0 ? s : NULL;
}

/* ---- looking in ------------------------------------------------------------------ */

/* An attempt that hangs has not ended, and yet it is silence. */
static void
hangs(const struct ike_link *link, struct ike_trace_info *out)
{
	LIST_FOREACH(it, &link->sas) {
		const struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa,
						       link_node);
		bool is_young = sa->state == IKE_SA_INIT_I ||
		    sa->state == IKE_SA_AUTH_I;

		if (!is_young || !sa->out.is_busy || sa->is_told ||
		    sa->out.n_try < HANGS_TRIES ||
		    out->out.at_ms >= out->try_ms)
			continue;
		memset(&out->out, 0, sizeof(out->out));
		out->out.by = IKE_BY_SILENCE;
		out->out.stage = sa->state == IKE_SA_INIT_I ? IKE_STAGE_INIT :
		    IKE_STAGE_AUTH;
		out->out.at_ms = link->ike->now_ms;
		out->out.from = sa->remote;
	}
}

bool
ike_trace_get(const struct ike *ike, uint32_t id, struct ike_trace_info *out)
{
	const struct ike_link *l = map_find(ike->by_link, &id);
	const struct ike_trace *t = l != NULL ? l->trace : NULL;

	memset(out, 0, sizeof(*out));
	if (l == NULL)
		return false;
	out->is_held = l->is_held;
	out->needs_word = l->needs_word;
	out->is_wanted = l->is_wanted;
	out->n_ep = l->n_ep;
	if (l->n_ep > 0)
		out->at = l->ep[l->at_ep % l->n_ep];
	if (t == NULL)
		return true;
	out->try_ms = t->try_ms;
	memcpy(out->sent_ms, t->sent_ms, sizeof(out->sent_ms));
	memcpy(out->heard_ms, t->heard_ms, sizeof(out->heard_ms));
	out->n_cookie = t->n_cookie;
	out->n_group = t->n_group;
	out->big_bytes = t->big_bytes;
	out->has_frag = t->has_frag;
	out->out = t->out;
	out->in = t->in;
	if (t->pairs != NULL)
		out->pairs = *t->pairs;
	out->rekey_ms = t->rekey_ms;
	memcpy(out->rekey_why, t->rekey_why, sizeof(out->rekey_why));
	out->moved = t->moved;
	out->ticket_ms = t->ticket_ms;
	out->own_end_s = t->own_end_s;
	out->is_unresolved = t->is_unresolved;
	hangs(l, out);
	return true;
}
