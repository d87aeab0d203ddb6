/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/data.c - ESP packets between the two hosts, as far as the engines
 * decide their fate: which pair they leave on, and whether the other end still
 * has it when they arrive.
 *
 * A packet is late and overtaken as datagrams are, but never lost by the net:
 * what is counted as lost was lost by us.
 */
#include <stdio.h>

#include "test/sim/play.h"

/* as esp: a responder sends on a new pair after that */
#define READY_MS      5000
#define READY_HEIR_MS 35000
#define FLOWS	 8	/* on each end */

static bool
is_ready(const struct sim_host *h, const struct sim_child *c)
{
	return c->desc.is_initiator || c->is_heard ||
	    h->w->now_ms >= c->up_ms +
	    (c->desc.is_heir ? READY_HEIR_MS : READY_MS);
}

static unsigned
weight(const struct sim_child *c, unsigned flow)
{
	return (flow * 2654435761u ^ (c->desc.lane + 1) * 40503u) * 2246822519u;
}

/* The newest that is ready, or in its bundle the one of the flow's lane. */
static struct sim_child *
best_of(struct sim_host *h, unsigned flow, bool ready)
{
	struct sim_child *first = NULL, *best;

	for (unsigned i = 0; i < SIM_CHILD_MAX; i++) {
		struct sim_child *c = &h->child[i];

		if (c->is_up && !c->is_retired && is_ready(h, c) == ready &&
		    (first == NULL || c->desc.id > first->desc.id))
			first = c;
	}
	best = first;
	for (unsigned i = 0; i < SIM_CHILD_MAX; i++) {
		struct sim_child *c = &h->child[i];

		if (!c->is_up || c->is_retired || is_ready(h, c) != ready ||
		    first->desc.bundle == 0 ||
		    c->desc.bundle != first->desc.bundle)
			continue;
		if (weight(c, flow) > weight(best, flow) ||
		    (c->desc.lane == best->desc.lane &&
		     c->desc.id > best->desc.id))
			best = c;
	}
	return best;
}

static void
send_one(struct sim_host *h, unsigned flow)
{
	struct sim_child *c = best_of(h, flow, true);

	if (c == NULL)
		c = best_of(h, flow, false);
	h->n_data_sent++;
	if (c == NULL || h->other->ike == NULL) {
		h->n_data_lost++;
		return;
	}
	c->n_out++;
	sim_data_put(h->other, c->desc.esp_spi_out);
}

void
sim_data_send(struct sim_world *w)
{
	for (unsigned flow = 0; flow < FLOWS; flow++) {
		if (w->a.ike != NULL)
			send_one(&w->a, flow);
		if (w->b.ike != NULL)
			send_one(&w->b, flow);
	}
}

void
sim_data_arrive(struct sim_host *h, uint32_t esp_spi)
{
	for (unsigned i = 0; i < SIM_CHILD_MAX; i++) {
		struct sim_child *c = &h->child[i];

		if (!c->is_up || c->desc.esp_spi_in != esp_spi)
			continue;
		c->is_heard = true;
		c->n_in++;
		return;
	}
	h->other->n_data_lost++;
	if (h->w->is_verbose)
		printf("  %8llu ms %s has no SPI %08x\n",
		       (unsigned long long)h->w->now_ms, h->name, esp_spi);
}

/* ---- commands ------------------------------------------------------------ */

/* data MS: both ends send on all flows every MS ms; 0 = no more */
bool
play_data(struct play *p)
{
	p->w.data_ms = play_num(p, 1);
	p->w.data_next_ms = p->w.now_ms;
	return true;
}

/* churn N: N rekeyings, each of a kind and by an end of the seed's choice, now
 * and then by both at once */
bool
play_churn(struct play *p)
{
	struct sim_world *w = &p->w;

	for (unsigned i = 0; i < play_num(p, 1); i++) {
		uint64_t r = rng_det_u64(&w->rng);
		bool is_child = (r & 7) != 0, both = (r >> 3 & 15) == 0;
		struct ike_link_info la, lb;
		int err = 0;

		if (!sim_link(&w->a, &la) || !sim_link(&w->b, &lb))
			return play_fail(p, "no link");
		if (both || (r >> 8 & 1) == 0)
			err |= ike_rekey(w->a.ike, la.link, is_child, w->now_ms);
		if (both || (r >> 8 & 1) != 0)
			err |= ike_rekey(w->b.ike, lb.link,
					 (r >> 9 & 3) != 0 ? is_child :
					 !is_child, w->now_ms);
		if (err != 0)
			return play_fail(p, "rekeying %u refused", i);
		sim_run(w, (r >> 16) % 400 + 100);
	}
	return true;
}

/* Children that carried packets both ways. */
unsigned
sim_data_busy(const struct sim_host *h)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SIM_CHILD_MAX; i++)
		n += h->child[i].is_up && h->child[i].n_in > 0 &&
		    h->child[i].n_out > 0;
	return n;
}
