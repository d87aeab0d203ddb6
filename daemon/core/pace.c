/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/pace.c - how often a worker lets itself be woken.
 */
#include "daemon/core/pace.h"

#define WINDOW_NS 1000000u
#define SINGLES	  24u	/* in a window: 24,000 a second, less than half of what a
			 * core can be woken for; ours */
#define FEW	  2u	/* packets of a wake-up that was for them alone */
#define WORTH	  3u	/* packets of a look that has saved wake-ups */
#define ENOUGH	  32u	/* packets of a batch that needs no others */
#define ONE_WAY	  4u	/* times as many packets one way as the other */
#define LOOKS_MAX 4u

/* The way that has more packets, when it has much more. */
static bool
one_way(const uint64_t n[PACE_WAY_END], enum pace_way *way)
{
	*way = n[PACE_OUT] > n[PACE_IN] ? PACE_OUT : PACE_IN;
	return n[*way] >= ONE_WAY * n[PACE_WAY_END - 1 - *way];
}

static void
window_begin(struct pace *p, uint64_t now_ns)
{
	p->window_ns = now_ns;
	for (int w = 0; w < PACE_WAY_END; w++) {
		p->n_single[w] = 0;
		p->n_in[w] = 0;
	}
}

/* Woken for each packet?  n: what this wake-up was for. */
static void
watch(struct pace *p, const uint64_t n[PACE_WAY_END], uint64_t now_ns)
{
	enum pace_way way;

	if (now_ns - p->window_ns > WINDOW_NS)
		window_begin(p, now_ns);
	for (int w = 0; w < PACE_WAY_END; w++) {
		p->n_in[w] += n[w];
		p->n_single[w] += n[w] > 0 && n[w] <= FEW;
	}
	if (!one_way(p->n_in, &way) || p->n_single[way] < SINGLES)
		return;
	p->is_on = true;
	p->n_vain = 0;
	p->looked_ns = now_ns;
}

uint64_t
pace_rest(struct pace *p, const uint64_t total[PACE_WAY_END], bool is_more,
	  uint64_t now_ns)
{
	uint64_t n[PACE_WAY_END], past;
	enum pace_way way;

	for (int w = 0; w < PACE_WAY_END; w++) {
		n[w] = total[w] - p->total[w];
		p->total[w] = total[w];
	}
	if (LIKELY(!p->is_on)) {
		watch(p, n, now_ns);
		return 0;
	}
	p->n_vain = one_way(n, &way) && n[way] >= WORTH ? 0 : p->n_vain + 1;
	if (p->n_vain == LOOKS_MAX) {
		p->is_on = false;
		window_begin(p, now_ns);
		return 0;
	}
	past = now_ns - p->looked_ns;
	if (is_more || n[way] >= ENOUGH || past >= PACE_NS) {
		p->looked_ns = now_ns;
		return 0;
	}
	return PACE_NS - past;
}

void
pace_woken(struct pace *p, uint64_t now_ns)
{
	p->looked_ns = now_ns;
}
