/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/reconf.c - realms and peers that come, change and go while SAs stand.
 *
 * A peer keeps its place in the realm for its life; the place of one that went
 * is given to a later one, once no link refers to it.  What is changed in place
 * counts from the next negotiation on, SAs that stand are left alone.
 *
 * Thread: the loop.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/str.h"
#include "ikev2/engine.h"

#define PEER_STEP 16	/* places a realm grows by; ours */

/* Links point into the array of peers, which moved. */
static void
links_follow(struct ike *ike, const struct ike_realm *r)
{
	LIST_FOREACH(it, &ike->links) {
		struct ike_link *l = CONTAINER_OF(it, struct ike_link, node);

		if (l->realm == r)
			l->peer = &r->peer[l->peer_at];
	}
}

static bool
is_used(struct ike *ike, const struct ike_realm *r, uint32_t at)
{
	LIST_FOREACH(it, &ike->links) {
		struct ike_link *l = CONTAINER_OF(it, struct ike_link, node);

		if (l->realm == r && l->peer_at == at)
			return true;
	}
	return false;
}

/* A free place, at the end if there is no other. */
static int
place(struct ike *ike, struct ike_realm *r, uint32_t *at)
{
	struct ike_peer_conf *more;
	uint32_t n = r->conf.n_peer;

	for (uint32_t i = 0; i < n; i++)
		if (r->peer[i].is_removed && !is_used(ike, r, i)) {
			*at = i;
			return 0;
		}
	more = calloc(n + PEER_STEP, sizeof(*more));
	if (more == NULL)
		return ERR_NOMEM;
	if (n > 0)
		memcpy(more, r->peer, n * sizeof(*more));
	free(r->peer);
	r->conf.peer = r->peer = more;
	links_follow(ike, r);
	r->conf.n_peer = n + 1;
	*at = n;
	return 0;
}

static void
note_ppk(struct ike *ike)
{
	ike->has_ppk = false;
	LIST_FOREACH(it, &ike->realms) {
		struct ike_realm *r = CONTAINER_OF(it, struct ike_realm, node);

		for (unsigned i = 0; i < r->conf.n_peer; i++)
			ike->has_ppk |= !r->peer[i].is_removed &&
			    r->peer[i].has_ppk;
	}
}

/* Say goodbye and forget. */
static void
link_end(struct ike_link *link, const char *why)
{
	link->is_wanted = false;
	LIST_FOREACH_SAFE(it, next, &link->sas)
		ike_sa_delete(CONTAINER_OF(it, struct ike_sa, link_node), why);
	ike_link_free(link);
}

int
ike_peer_add(struct ike *ike, uint32_t realm, const struct ike_peer_conf *peer,
	     uint32_t *index, uint64_t now_ms)
{
	struct ike_realm *r = ike_realm_by_index(ike, realm);
	uint32_t at;
	int err;

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if (r == NULL)
		return ERR_NOTFOUND;
	if ((err = place(ike, r, &at)) != 0)
		return err;
	r->peer[at] = *peer;
	r->peer[at].index = at;
	r->peer[at].is_removed = false;
	if ((err = ike_link_make(ike, r, at)) != 0) {
		r->peer[at].is_removed = true;
		return err;
	}
	note_ppk(ike);
	*index = at;
	return 0;
}

static void
link_set(struct ike *ike, struct ike_link *l)
{
	l->is_wanted = l->peer->is_dial && !l->peer->is_pattern && !l->is_held;
	l->needs_word = false;
	if (!l->is_wanted)
		tmr_stop(&ike->tmr, &l->dial);
	ike_link_update(l);
}

int
ike_peer_set(struct ike *ike, uint32_t realm, const struct ike_peer_conf *peer,
	     uint64_t now_ms)
{
	struct ike_realm *r = ike_realm_by_index(ike, realm);
	struct ike_link *l;
	struct ike_peer_conf *p;

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if (r == NULL || peer->index >= r->conf.n_peer ||
	    r->peer[peer->index].is_removed)
		return ERR_NOTFOUND;
	p = &r->peer[peer->index];
	if (p->is_pattern != peer->is_pattern)
		return ERR_STATE;
	*p = *peer;
	p->is_removed = false;
	note_ppk(ike);
	if (!p->is_pattern) {
		l = ike_link_of_peer(ike, realm, peer->index, "");
		if (l != NULL)
			link_set(ike, l);
		return 0;
	}
	LIST_FOREACH(it, &ike->links) {
		l = CONTAINER_OF(it, struct ike_link, node);
		if (l->realm == r && l->peer == p)
			link_set(ike, l);
	}
	return 0;
}

static void
peer_end(struct ike *ike, struct ike_realm *r, uint32_t at, const char *why)
{
	r->peer[at].is_removed = true;
	LIST_FOREACH_SAFE(it, next, &ike->links) {
		struct ike_link *l = CONTAINER_OF(it, struct ike_link, node);

		if (l->realm == r && l->peer_at == at)
			link_end(l, why);
	}
}

int
ike_peer_remove(struct ike *ike, uint32_t realm, uint32_t index,
		const char *why, uint64_t now_ms)
{
	struct ike_realm *r = ike_realm_by_index(ike, realm);

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if (r == NULL || index >= r->conf.n_peer || r->peer[index].is_removed)
		return ERR_NOTFOUND;
	peer_end(ike, r, index, why);
	note_ppk(ike);
	ike_reap(ike);
	return 0;
}

int
ike_realm_set(struct ike *ike, const struct ike_realm_conf *conf)
{
	struct ike_realm *r = ike_realm_by_index(ike, conf->index);
	struct ike_realm_conf now = *conf;

	if (r == NULL)
		return ERR_NOTFOUND;
	now.peer = r->conf.peer;
	now.n_peer = r->conf.n_peer;
	r->conf = now;
	return 0;
}

int
ike_realm_remove(struct ike *ike, uint32_t index, const char *why,
		 uint64_t now_ms)
{
	struct ike_realm *r = ike_realm_by_index(ike, index);

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if (r == NULL)
		return ERR_NOTFOUND;
	for (uint32_t i = 0; i < r->conf.n_peer; i++)
		peer_end(ike, r, i, why);
	list_remove(&r->node);
	free(r->peer);
	free(r);
	note_ppk(ike);
	ike_reap(ike);
	return 0;
}

void
ike_limits_set(struct ike *ike, const struct ike_conf *conf)
{
	ike->conf.cookie_threshold = conf->cookie_threshold;
	ike->conf.puzzle_threshold = conf->puzzle_threshold;
	ike->conf.puzzle_bits = conf->puzzle_bits;
	ike->conf.max_halfopen = conf->max_halfopen;
}

void
ike_words_new(struct ike *ike, uint64_t now_ms)
{
	ike->now_ms = MAX(ike->now_ms, now_ms);
	LIST_FOREACH(it, &ike->links) {
		struct ike_link *l = CONTAINER_OF(it, struct ike_link, node);

		if (!l->needs_word)
			continue;
		l->needs_word = false;
		ike_link_update(l);
	}
}
