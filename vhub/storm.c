/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/storm.c - storm control: a token bucket for each kind of flooding.
 *
 * A bucket is one number, the time at which it would be full again: a frame
 * moves it on by 1/rate, and may not pass when it would lie more than a second
 * ahead.  So a port may flood a second's worth at once and its rate afterwards.
 * Only frames that are flooded come here.
 *
 * What a flood costs is its copies: one for each peer, sealed and sent.  They have a
 * bucket of their own, of a tenth of a second, so that the other realms and peers of
 * the worker do not wait for long; it is filled when the copies were made, and
 * asked before.
 *
 * Thread: storm_pass() any worker, no lock; storm_tick() the loop.
 */
#include "daemon/base/clk.h"
#include "daemon/bus/bus.h"
#include "vhub/priv.h"

#define SECOND_NS	1000000000ull
#define COPIES_NS	100000000ull	/* at once; ours */
#define TELL_S		60	/* one event a minute, port and kind */
#define PROBE_RATE	100	/* loop probes of other hubs, a second; ours */
#define PROBE		HUB_CAST_END
#define ICMP_RATE	100	/* answers, a second; RFC 4443 2.4 (f); ours */
#define ICMP		(HUB_CAST_END + 1)

static bool
take(struct batch *x, _Atomic uint64_t *full_ns, uint32_t rate, uint32_t n)
{
	uint64_t old = atomic_load_explicit(full_ns, memory_order_relaxed);
	uint64_t by = SECOND_NS / rate * n, next;

	if (x->now_ns == 0)
		x->now_ns = clk_ns();
	do {
		next = MAX(old, x->now_ns);
		if (next > x->now_ns && next + by > x->now_ns + SECOND_NS)
			return false;
		next += by;
	} while (!atomic_compare_exchange_weak_explicit(full_ns, &old, next,
	    memory_order_relaxed, memory_order_relaxed));
	return true;
}

/* A super-frame counts as what it will be cut into. */
static uint32_t
segments(const struct buf *b)
{
	return b->seg_len == 0 ? 1 : (b->len + b->seg_len - 1) / b->seg_len;
}

static enum hub_cast
cast_of(const struct mac *dst)
{
	if (!mac_is_group(dst))
		return HUB_UNKNOWN;
	return mac_equal(dst, &mac_broadcast) ? HUB_BROADCAST : HUB_MULTICAST;
}

static bool
may_copy(struct batch *x, const struct port *from)
{
	if (from->conf.policy.rate[HUB_COPIES] == 0)
		return true;
	if (x->now_ns == 0)
		x->now_ns = clk_ns();
	return atomic_load_explicit(&from->live->full_ns[HUB_COPIES],
	    memory_order_relaxed) <= x->now_ns + COPIES_NS;
}

bool
storm_pass(struct batch *x, struct port *from, const struct mac *dst,
	   const struct buf *b)
{
	enum hub_cast cast = cast_of(dst);
	uint32_t rate = from->conf.policy.rate[cast];

	if (!may_copy(x, from))
		cast = HUB_COPIES;
	else if (rate == 0 ||
	    take(x, &from->live->full_ns[cast], rate, segments(b)))
		return true;
	atomic_fetch_add_explicit(&from->live->n_storm[cast], 1,
	    memory_order_relaxed);
	return false;
}

void
storm_copied(struct batch *x, struct port *from, const struct buf *b,
	     unsigned n)
{
	_Atomic uint64_t *full_ns = &from->live->full_ns[HUB_COPIES];
	uint64_t old = atomic_load_explicit(full_ns, memory_order_relaxed);
	uint32_t rate = from->conf.policy.rate[HUB_COPIES];
	uint64_t by;

	if (rate == 0)
		return;
	if (x->now_ns == 0)
		x->now_ns = clk_ns();
	by = SECOND_NS / rate * segments(b) * n;
	while (!atomic_compare_exchange_weak_explicit(full_ns, &old,
	    MAX(old, x->now_ns) + by, memory_order_relaxed,
	    memory_order_relaxed))
		;
}

bool
storm_pass_probe(struct batch *x, struct port *from)
{
	return take(x, &from->live->full_ns[PROBE], PROBE_RATE, 1);
}

bool
storm_pass_icmp(struct batch *x, struct port *from)
{
	return take(x, &from->live->full_ns[ICMP], ICMP_RATE, 1);
}

static void
tell(struct hub *h, const struct port *p, enum hub_cast cast, uint32_t n)
{
	static const char *const what[] = { "broadcast", "multicast",
		"unknown unicast", "flooded (copies counted)" };
	struct bus_rec r;

	bus_rec_init(&r, BUS_EV_HUB_STORM);
	bus_set_str(&r, BUS_F_REALM, h->conf.name);
	bus_set_str(&r, BUS_F_PORT, p->conf.name);
	bus_set_str(&r, BUS_F_WHAT, what[cast]);
	bus_set_u64(&r, BUS_F_LIMIT, p->conf.policy.rate[cast]);
	bus_set_u64(&r, BUS_F_N_DROP, n);
	note_tell(h, &r);
}

void
storm_tick(struct hub *h, uint32_t now_s)
{
	for (uint32_t i = 0; i < h->n_slot; i++) {
		struct port *p = port_at(h, i);

		for (int c = 0; p != NULL && c < HUB_CAST_END; c++) {
			uint32_t *told = &p->live->storm_told_s[c], n;

			if (p->live->n_storm[c] == 0 ||
			    (*told != 0 && now_s - *told < TELL_S))
				continue;
			n = atomic_exchange(&p->live->n_storm[c], 0);
			*told = now_s;
			tell(h, p, (enum hub_cast)c, n);
		}
	}
}
