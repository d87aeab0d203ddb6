/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/look.c - looking in: links and statistics for status and metrics.
 */
#include <string.h>

#include "daemon/base/str.h"
#include "ikev2/engine.h"

const char *
ike_link_state_name(enum ike_link_state s)
{
	static const char *const name[] = { "down", "connecting", "suspect",
					    "up" };

	return (unsigned)s < N_OF(name) ? name[s] : "?";
}

static void
fill_child(const struct ike_child *c, struct ike_link_info *out)
{
	out->child_id = c->id;
	out->mode = c->mode;
	out->encap = c->encap;
	out->alg = c->alg;
	out->esp_spi_in = c->spi_in;
	out->esp_spi_out = c->spi_out;
	out->n_ts_local = c->local.n;
	out->n_ts_remote = c->remote.n;
	memcpy(out->ts_local, c->local.ts, sizeof(out->ts_local));
	memcpy(out->ts_remote, c->remote.ts, sizeof(out->ts_remote));
}

static void
fill_sa(const struct ike_sa *sa, struct ike_link_info *out)
{
	const struct ike_child *c = ike_child_current(sa);

	out->local = sa->local;
	out->remote = sa->remote;
	out->is_initiator = sa->is_initiator;
	out->is_nat_here = sa->is_nat_here;
	out->is_nat_there = sa->is_nat_there;
	out->ispi = sa->ispi;
	out->rspi = sa->rspi;
	out->n_child = sa->n_child;
	out->own_end_s = sa->own_end_s;
	if (sa->keys != NULL)
		ike_suite_text(&sa->suite, out->ike_suite,
			       sizeof(out->ike_suite));
	if (c != NULL)
		fill_child(c, out);
}

/* The request under way, else the next dialling. */
static void
fill_next(const struct ike_link *link, const struct ike_sa *sa,
	  struct ike_evidence *e)
{
	if (tmr_is_set(&link->dial))
		e->next_ms = link->dial.at_ms;
	/* what becomes of a probe is about its size, until it is repeated */
	if (sa == NULL || !sa->out.is_busy || (sa->out.is_probe &&
	    sa->out.n_try <= IKE_FRAG_TRY))
		return;
	e->asked_ms = sa->out.sent_ms;
	e->n_try = sa->out.n_try;
	e->dead_ms = sa->out.dead_ms;
	if (tmr_is_set(&sa->out.tmr))
		e->next_ms = sa->out.tmr.at_ms;
}

static void
fill_evidence(const struct ike_link *link, const struct ike_sa *sa,
	      struct ike_evidence *e)
{
	*e = (struct ike_evidence){
		.heard_ms = link->heard_ms,
		.answer_ms = link->answer_ms,
		.n_fail = link->n_fail,
		.down_since_ms = link->down_since_ms,
		.is_wanted = link->is_wanted,
		.is_held = link->is_held,
		.needs_word = link->needs_word,
		.is_resolving = link->is_resolving,
	};
	if (sa != NULL && sa->is_authenticated) /* before there was the link */
		e->heard_ms = MAX(e->heard_ms, sa->in_ms);
	fill_next(link, sa, e);
}

static void
fill(const struct ike_link *link, struct ike_link_info *out)
{
	const struct ike_sa *sa = ike_link_sa(link);

	memset(out, 0, sizeof(*out));
	out->link = link->id;
	out->realm = link->realm->conf.index;
	out->peer = link->peer->index;
	str_copy(out->name, sizeof(out->name),
		 link->is_on_demand ? link->id_text : link->peer->name);
	str_copy(out->id, sizeof(out->id), link->id_text);
	str_copy(out->subject, sizeof(out->subject), link->subject);
	out->peer_method = link->peer_method;
	out->not_after_s = link->not_after_s;
	out->state = link->state;
	out->mode = VPN_MODE_AUTO;
	out->encap = link->peer->encap;
	out->up_since_ms = link->up_since_ms;
	str_copy(out->why, sizeof(out->why), link->why);
	if (link->n_ep > 0)
		out->remote = link->ep[link->at_ep % link->n_ep];
	if (sa != NULL)
		fill_sa(sa, out);
	LIST_FOREACH(it, &link->sas) {		/* the newest is the last */
		const struct ike_sa *one = CONTAINER_OF(it, struct ike_sa,
							link_node);

		if (one->is_authenticated)
			out->ask_handle = one->ask_handle;
	}
	fill_evidence(link, sa, &out->seen);
}

bool
ike_child_visit(const struct ike *ike, uint32_t link, uint32_t *it,
		struct ike_child_info *out)
{
	const struct ike_link *l = map_find(ike->by_link, &link);
	const struct ike_sa *sa = l != NULL ? ike_link_sa(l) : NULL;
	const struct ike_child *best = NULL;

	if (sa == NULL)
		return false;
	LIST_FOREACH(n, &sa->children) {
		const struct ike_child *c = CONTAINER_OF(n, struct ike_child,
							 node);

		if (c->id > *it && (best == NULL || c->id < best->id))
			best = c;
	}
	if (best == NULL)
		return false;
	*it = best->id;
	*out = (struct ike_child_info){
		.id = best->id, .esp_spi_in = best->spi_in,
		.esp_spi_out = best->spi_out, .bundle = best->bundle,
		.lane = best->lane, .mode = best->mode, .encap = best->encap,
		.alg = best->alg, .is_current = best->state == IKE_CHILD_UP,
		.made_ms = best->made_ms
	};
	return true;
}

bool
ike_link_next(const struct ike *ike, uint32_t *it, struct ike_link_info *out)
{
	/* links stand in the order of their ids, and *it is the last one seen;
	 * it may have gone since */
	const struct ike_link *last = map_find(ike->by_link, it);
	const struct list *n = last != NULL ? last->node.next :
	    ike->links.next;

	for (; n != &ike->links; n = n->next) {
		const struct ike_link *l = CONTAINER_OF(n, struct ike_link,
							node);

		if (l->id > *it) {
			*it = l->id;
			fill(l, out);
			return true;
		}
	}
	return false;
}

bool
ike_link_get(const struct ike *ike, uint32_t id, struct ike_link_info *out)
{
	const struct ike_link *l = map_find(ike->by_link, &id);

	if (l != NULL)
		fill(l, out);
	return l != NULL;
}

const struct vpn_cfg *
ike_link_cfg(const struct ike *ike, uint32_t id)
{
	const struct ike_link *l = map_find(ike->by_link, &id);

	return l != NULL ? l->cfg : NULL;
}

const uint32_t ike_hist_ms[IKE_HIST_END - 1] = {
	5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 15000
};

void
ike_hist_add(struct ike_hist *h, uint64_t ms)
{
	unsigned i = 0;

	while (i < N_OF(ike_hist_ms) && ms > ike_hist_ms[i])
		i++;
	h->n[i]++;
	h->sum_ms += ms;
}

void
ike_stats_get(const struct ike *ike, struct ike_stats *out)
{
	*out = ike->stats;
	out->level = ike->door.want.level;
	out->level_ms = ike->door.is_many ? ike->door.since_ms : 0;
	out->puzzle_bits = out->level == IKE_GATE_PUZZLE ? ike->door.want.bits :
	    0;
	ike_gate_stats_get(ike->door.gate, &out->gate);
	out->n_cookie_asked = out->gate.n_cookie;
}
