/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/pmtu.c - the search for the size of a path.
 */
#include "ikev2/pmtu.h"
#include <string.h>

static uint32_t
bounded(const struct ike_pmtu *p, uint32_t size)
{
	return MIN(MAX(size, p->least), p->top);
}

void
ike_pmtu_init(struct ike_pmtu *p, bool is_v6, uint32_t grain, uint32_t hint)
{
	memset(p, 0, sizeof(*p));
	p->grain = grain;
	p->least = is_v6 ? IKE_PMTU_LEAST_6 : IKE_PMTU_LEAST_4;
	p->top = MIN(MAX(hint, (uint32_t)IKE_PMTU_USUAL),
		     (uint32_t)IKE_PMTU_TOP);
	p->bad = p->top + 1;
	p->hint = hint;
	p->now = hint != 0 ? bounded(p, hint) : IKE_PMTU_USUAL;
}

uint32_t
ike_pmtu_next(const struct ike_pmtu *p)
{
	uint32_t hint = p->hint != 0 ? bounded(p, p->hint) : 0;

	switch (p->phase) {
	case IKE_PMTU_DONE:
		return 0;
	case IKE_PMTU_CHECK:
		return p->now;
	case IKE_PMTU_SEARCH:
		break;
	}
	if (p->bad > p->top)
		return p->top;
	if (hint > p->ok && hint < p->bad)
		return hint;
	if (p->ok < IKE_PMTU_USUAL && p->bad > IKE_PMTU_USUAL)
		return IKE_PMTU_USUAL;
	if (p->ok == 0)
		return p->bad > IKE_PMTU_BASE && p->least < IKE_PMTU_BASE ?
		    IKE_PMTU_BASE : p->least;
	return p->ok + (p->bad - p->ok) / 2;
}

/* Is what a probe could still tell worth one? */
static void
settle(struct ike_pmtu *p)
{
	if (p->ok == p->top || (p->ok != 0 && p->bad - p->ok <= p->grain))
		p->phase = IKE_PMTU_DONE;
}

static void
passed(struct ike_pmtu *p, uint32_t size)
{
	p->ok = MAX(p->ok, size);
	if (p->bad <= p->ok)	/* the path has grown meanwhile */
		p->bad = p->top + 1;
	if (p->phase == IKE_PMTU_CHECK) {
		p->phase = IKE_PMTU_DONE;
		return;
	}
	/* until a larger one was lost, what is used may be more */
	if (size > p->now || p->bad <= p->top)
		p->now = p->ok;
	settle(p);
}

static void
lost(struct ike_pmtu *p, uint32_t size)
{
	/* A router's word, and now a probe that bears it out. */
	bool is_borne_out = p->ok != 0 && p->ok == p->hint && size > p->ok;

	p->bad = MIN(p->bad, size);
	if (p->ok >= p->bad)
		p->ok = 0;
	p->phase = IKE_PMTU_SEARCH;
	if (size <= p->least) {	/* something else is wrong */
		p->now = p->ok = p->least;
		p->phase = IKE_PMTU_DONE;
		return;
	}
	if (p->now >= size)
		p->now = p->ok != 0 ? p->ok : bounded(p, MIN(size - 1,
		    p->hint != 0 && p->hint < size ? p->hint :
		    (uint32_t)IKE_PMTU_BASE));
	if (is_borne_out)
		p->phase = IKE_PMTU_DONE;
	else
		settle(p);
}

void
ike_pmtu_result(struct ike_pmtu *p, uint32_t size, bool has_passed)
{
	if (p->phase == IKE_PMTU_DONE || size < p->least || size > p->top)
		return;
	if (has_passed)
		passed(p, size);
	else
		lost(p, size);
}

bool
ike_pmtu_hint(struct ike_pmtu *p, uint32_t hint)
{
	bool is_news = hint != p->hint && hint != 0 && hint < p->now;

	p->hint = hint;
	return is_news && p->phase == IKE_PMTU_DONE;
}

void
ike_pmtu_check(struct ike_pmtu *p)
{
	if (p->phase == IKE_PMTU_DONE)
		p->phase = IKE_PMTU_CHECK;
}

void
ike_pmtu_raise(struct ike_pmtu *p)
{
	if (p->phase != IKE_PMTU_DONE || p->now >= p->top)
		return;
	p->bad = p->top + 1;
	p->phase = IKE_PMTU_SEARCH;
}
