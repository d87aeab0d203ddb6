/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/lane.c - several child SAs for one pair of selectors (RFC 9611).
 *
 *   HDR, SK{ ..., SA, TSi, TSr, N(SA_RESOURCE_INFO) }  -->
 *        <--  HDR, SK{ ..., SA, TSi, TSr, N(SA_RESOURCE_INFO) }
 *
 * Said by both in the exchange that makes a child SA, it permits more like it:
 * same selectors, mode and algorithms, keys of their own.  They are a bundle;
 * each has a lane in it, which a rekeying hands on.  Each end makes more until
 * it has as many as it has use for; one that is lost is made again.
 *
 * What the peer says to identify a resource is for people (RFC 9611 3), and
 * nobody reads it here; ours is the number of the lane, not that of a CPU.
 */
#include <string.h>

#include "daemon/base/log.h"
#include "ikev2/step/step.h"

/* ---- bundles ------------------------------------------------------------- */

static bool
is_in(const struct ike_child *c, uint32_t bundle)
{
	return c->bundle == bundle && c->state == IKE_CHILD_UP;
}

static struct ike_child *
first_of(const struct ike_sa *sa, uint32_t bundle)
{
	LIST_FOREACH(it, &sa->children) {
		struct ike_child *c = CONTAINER_OF(it, struct ike_child, node);

		if (is_in(c, bundle))
			return c;
	}
	return NULL;
}

unsigned
ike_lane_count(const struct ike_sa *sa, uint32_t bundle)
{
	unsigned n = 0;

	LIST_FOREACH(it, &sa->children)
		n += is_in(CONTAINER_OF(it, struct ike_child, node), bundle);
	return n;
}

static bool
is_taken(const struct ike_sa *sa, uint32_t bundle, uint32_t lane)
{
	LIST_FOREACH(it, &sa->children) {
		struct ike_child *c = CONTAINER_OF(it, struct ike_child, node);

		if (is_in(c, bundle) && c->lane == lane)
			return true;
	}
	return false;
}

uint32_t
ike_lane_free(const struct ike_sa *sa, uint32_t bundle)
{
	uint32_t lane = 0;

	while (is_taken(sa, bundle, lane))
		lane++;
	return lane;
}

static bool
is_same_ts(const struct ike_ts_set *a, const struct ike_ts_set *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (!vpn_ts_covers(&a->ts[i], &b->ts[i]) ||
		    !vpn_ts_covers(&b->ts[i], &a->ts[i]))
			return false;
	return true;
}

/* A child SA of a bundle with the selectors of an offer. */
static struct ike_child *
like(const struct ike_sa *sa, const struct ike_offer *o)
{
	LIST_FOREACH(it, &sa->children) {
		struct ike_child *c = CONTAINER_OF(it, struct ike_child, node);

		if (c->bundle != 0 && c->state == IKE_CHILD_UP &&
		    c->mode == o->mode && is_same_ts(&c->local, &o->local) &&
		    is_same_ts(&c->remote, &o->remote))
			return c;
	}
	return NULL;
}

static void
join(const struct ike_sa *sa, const struct ike_child *c, struct ike_offer *o)
{
	o->is_shared = true;
	o->bundle = c->bundle;
	o->lane = ike_lane_free(sa, c->bundle);
	o->alg = c->alg;
	o->is_esn = c->is_esn;
}

void
ike_lane_inherit(const struct ike_child *old, struct ike_offer *o)
{
	o->is_shared = old->bundle != 0;
	o->bundle = old->bundle;
	o->lane = old->lane;
	o->like = old->spi_in;
}

/* ---- saying so ----------------------------------------------------------- */

void
ike_lane_ask(const struct ike_sa *sa, struct ike_offer *o)
{
	o->is_shared = sa->link->peer->n_lane > 1;
}

void
ike_lane_add(struct ike_build *b, const struct ike_offer *o)
{
	struct view none = { NULL, 0 };
	uint8_t lane[4];

	if (!o->is_shared)
		return;
	be32_put(lane, o->lane);
	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_SA_RESOURCE_INFO, none,
			 (struct view){ lane, sizeof(lane) });
}

void
ike_lane_answered(const struct ike_msg *m, struct ike_offer *o)
{
	if (o->bundle == 0 &&
	    ike_ntf_find(m->p, IKE_N_SA_RESOURCE_INFO) == NULL)
		o->is_shared = false;
}

bool
ike_lane_is_asked(const struct ike_sa *sa, const struct ike_msg *m)
{
	return sa->link->peer->may_share &&
	    m->form != IKE_FORM_CHILD_REKEY &&
	    ike_ntf_find(m->p, IKE_N_SA_RESOURCE_INFO) != NULL;
}

/* ---- the peer wants one --------------------------------------------------- */

enum ike_verdict
ike_lane_choose(struct ike_sa *sa, struct ike_msg *m, enum ike_ke_rule rule)
{
	uint16_t ke = m->p->ke != NULL ? m->p->ke->group : IKE_KE_NONE;
	const struct ike_child *c;

	if (!ike_lane_is_asked(sa, m))
		return V_NEXT;
	m->offer.is_shared = true;
	if ((c = like(sa, &m->offer)) == NULL)
		return V_NEXT;			/* the first of its kind */
	if (ike_lane_count(sa, c->bundle) >= IKE_LANE_ACCEPT)
		return ike_fail(m, IKE_N_TS_MAX_QUEUE,
				"enough child SAs for these selectors");
	join(sa, c, &m->offer);
	/* RFC 9611 3: the algorithms of the first one */
	if (ike_prop_keep_esp(m->p->sa, c->alg, c->is_esn,
			      sa->link->realm->conf.suite, ke, rule,
			      &m->choice) != 0)
		return ike_fail(m, IKE_N_NO_PROPOSAL_CHOSEN,
				"the first child SA has other algorithms");
	return V_NEXT;
}

/* ---- we want one --------------------------------------------------------- */

static unsigned
n_wanted(const struct ike_sa *sa)
{
	unsigned n = MIN(sa->link->peer->n_lane, (unsigned)IKE_LANE_MAX);

	return sa->lane_max != 0 ? MIN(n, sa->lane_max) : n;
}

void
ike_lane_fill(struct ike_sa *sa, uint64_t in_ms)
{
	uint64_t now_ms = sa->ike->now_ms;

	if (sa->state != IKE_SA_UP || sa->link == NULL || n_wanted(sa) < 2)
		return;
	in_ms = MAX(in_ms, (uint64_t)1);	/* not the one that just ended */
	if (sa->lane_ms > now_ms)
		in_ms = MAX(in_ms, sa->lane_ms - now_ms);
	LIST_FOREACH(it, &sa->children) {
		struct ike_child *c = CONTAINER_OF(it, struct ike_child, node);

		if (c->bundle != 0 && first_of(sa, c->bundle) == c &&
		    ike_lane_count(sa, c->bundle) < n_wanted(sa))
			ike_task_add_later(sa, IKE_TASK_NEW_LANE, c->bundle,
					   in_ms);
	}
}

void
ike_lane_lost(struct ike_sa *sa, const struct ike_child *c)
{
	if (c->bundle == 0 || c->state != IKE_CHILD_UP)
		return;
	/* RFC 9611 6: two ends that make and delete in turn must come to rest */
	sa->lane_pause_ms = MIN(MAX(2 * sa->lane_pause_ms,
				    (uint64_t)IKE_LANE_PAUSE_MS),
				(uint64_t)IKE_LANE_PAUSE_CAP_MS);
	sa->lane_ms = sa->ike->now_ms + sa->lane_pause_ms;
}

bool
ike_new_lane_prepare(struct ike_sa *sa, struct ike_task *t,
		     enum spi_group *group)
{
	const struct ike_child *c = first_of(sa, t->child_id);

	if (c == NULL || ike_lane_count(sa, t->child_id) >= n_wanted(sa) ||
	    sa->lane_ms > sa->ike->now_ms)
		return false;
	t->offer.mode = c->mode;
	t->offer.local = c->local;
	t->offer.remote = c->remote;
	join(sa, c, &t->offer);
	t->offer.group = *group = ike_child_group(sa);
	return true;
}

bool
ike_lane_is_equal(const struct ike_sa *sa, const struct ike_offer *o)
{
	const struct ike_child *c = first_of(sa, o->bundle);

	return c == NULL || (is_same_ts(&c->local, &o->local) &&
			     is_same_ts(&c->remote, &o->remote));
}

void
ike_lane_enough(struct ike_sa *sa, uint32_t bundle)
{
	sa->lane_max = MAX(ike_lane_count(sa, bundle), 1u);
}

void
ike_new_lane_failed(struct ike_sa *sa, struct ike_task *t, uint16_t notify,
		    const char *why)
{
	if (ike_child_retry(sa, t, notify))
		return;
	if (notify == 0 || notify == IKE_N_INVALID_SYNTAX) {
		ike_sa_delete(sa, why);	/* what exists is not agreed on */
		return;
	}
	/* TS_MAX_QUEUE above all: what there is will do */
	ike_lane_enough(sa, t->child_id);
	log_info("ike", "%s: %u child SAs for the same selectors, not %u",
		 sa->link->id_text, sa->lane_max, sa->link->peer->n_lane);
}
