/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why/rules_flow.c - why a peer that is up carries nothing, or comes and goes.
 *
 * Thread: any.
 */
#include <stdio.h>
#include <string.h>
#include "daemon/base/str.h"
#include "why/priv.h"

/* From when on numbers mean something; ours. */
#define SWAPS	      3		/* other addresses in ten minutes */
#define SENT_LEAST    5		/* packets without an answer */
#define UP_LEAST_S    5
#define QUIET_S	      45	/* nothing came, while we sent */
#define BUSY_S	      10
#define BAD_LEAST     5		/* packets, and one of a hundred */
#define LATE_LEAST    20
#define ARP_LEAST     5
#define TOLD_S	      120	/* what the hub told is still so */
#define MAC_S	      20	/* up without a frame from behind */

static bool
told(const struct why_told *t)
{
	return t->age_s != WHY_NEVER && t->age_s <= TOLD_S;
}

static bool
is_ether(const struct why_facts *f)
{
	return why_is_up(f) && f->has_port && strcmp(f->mode_now, "ether") == 0;
}

static bool
twice(const struct why_facts *f, struct why_say *s)
{
	str_copy(s->a, sizeof(s->a), f->id);
	snprintf(s->b, sizeof(s->b), s->lang == WHY_JA ? "%s と %s" :
		 "%s and %s", f->swap[0], f->swap[1]);
	snprintf(s->c, sizeof(s->c), "%u", f->n_swap);
	return f->n_swap >= SWAPS;
}

static bool
silent(const struct why_facts *f, struct why_say *s)
{
	int64_t age = f->port[0].heard_s;

	if (age == WHY_NEVER || (f->port[1].heard_s != WHY_NEVER &&
				 f->port[1].heard_s < age))
		age = f->port[1].heard_s;
	if (f->in_s != WHY_NEVER && (age == WHY_NEVER || f->in_s < age))
		age = f->in_s;
	if (age == WHY_NEVER)
		str_copy(s->a, sizeof(s->a), "?");
	else
		snprintf(s->a, sizeof(s->a), "%lld", (long long)age);
	return f->state == WHY_SUSPECT || (!why_is_up(f) &&
	    f->out.by == WHY_BY_SILENCE && f->out.stage == WHY_AT_ALIVE);
}

static bool
rekey(const struct why_facts *f, struct why_say *s)
{
	str_copy(s->a, sizeof(s->a), f->rekey_said);
	return why_is_up(f) && f->rekey_s != WHY_NEVER;
}

static bool
loop(const struct why_facts *f, struct why_say *s)
{
	str_copy(s->a, sizeof(s->a), f->loop.old_port);
	str_copy(s->b, sizeof(s->b), f->loop.port);
	snprintf(s->c, sizeof(s->c), "%u", f->blocked_s);
	return f->has_port && f->is_blocked;
}

static bool
mac_twice(const struct why_facts *f, struct why_say *s)
{
	str_copy(s->a, sizeof(s->a), f->clash.mac);
	snprintf(s->b, sizeof(s->b), s->lang == WHY_JA ? "%s と %s" :
		 "%s and %s", f->clash.old_port, f->clash.port);
	return f->has_port && told(&f->clash);
}

static bool
mac_moves(const struct why_facts *f, struct why_say *s)
{
	str_copy(s->a, sizeof(s->a), f->flap.old_port);
	str_copy(s->b, sizeof(s->b), f->flap.port);
	snprintf(s->c, sizeof(s->c), "%u", f->flap.n);
	return f->has_port && told(&f->flap);
}

/* One of a hundred that came, and a few at least. */
static bool
many(uint64_t n, uint64_t of, uint64_t least)
{
	return n >= least && n >= of / 100;
}

static bool
integrity(const struct why_facts *f, struct why_say *s)
{
	snprintf(s->a, sizeof(s->a), "%llu", (unsigned long long)f->n_icv);
	return why_is_up(f) && many(f->n_icv, f->rx_packets, BAD_LEAST);
}

static bool
replay(const struct why_facts *f, struct why_say *s)
{
	snprintf(s->a, sizeof(s->a), "%llu", (unsigned long long)f->n_replay);
	return why_is_up(f) && many(f->n_replay, f->rx_packets, LATE_LEAST);
}

static bool
mtu(const struct why_facts *f, struct why_say *s)
{
	snprintf(s->a, sizeof(s->a), "%u", f->path_mtu);
	snprintf(s->b, sizeof(s->b), "%u", f->mtu);
	snprintf(s->c, sizeof(s->c), "%u", f->inside);
	return why_is_up(f) && f->inside != 0 && f->mtu > f->inside;
}

static bool
is_one_way(const struct why_facts *f)
{
	if (f->state != WHY_UP || f->n_icv > 0)
		return false;
	if (f->has_sample && f->rx_now > 0)
		return false;
	if (f->rx_packets == 0)
		return f->tx_packets >= SENT_LEAST && f->up_s >= UP_LEAST_S;
	return f->in_s >= QUIET_S && f->out_s != WHY_NEVER &&
	    f->out_s <= BUSY_S;
}

static bool
one_way(const struct why_facts *f, struct why_say *s)
{
	bool is_udp = strcmp(f->encap, "udp") == 0;

	snprintf(s->a, sizeof(s->a), "%llu",
		 (unsigned long long)f->tx_packets);
	str_copy(s->b, sizeof(s->b), is_udp ? "UDP 4500" : "IP 50");
	str_copy(s->c, sizeof(s->c), is_udp ? "UDP 4500" :
		 "IP protocol 50 (or use encap=\"udp\")");
	return is_one_way(f);
}

static bool
arp_silent(const struct why_facts *f, struct why_say *s)
{
	snprintf(s->a, sizeof(s->a), "%llu", (unsigned long long)f->arp_asked);
	s->b[0] = '\0';
	if (f->tap_in > 0)
		str_copy(s->b, sizeof(s->b), s->lang == WHY_JA ?
			 " (こちら側のブロードキャストは届いています)" :
			 ", though frames of our side do come");
	str_copy(s->c, sizeof(s->c), f->has_bridge ? f->bridge : f->tap);
	return is_ether(f) && f->arp_asked >= ARP_LEAST && f->arp_told == 0;
}

static bool
no_mac(const struct why_facts *f, struct why_say *s UNUSED)
{
	return is_ether(f) && f->n_mac == 0 && f->up_s >= MAC_S;
}

static bool
fallback(const struct why_facts *f, struct why_say *s UNUSED)
{
	return why_is_up(f) && strcmp(f->mode, "auto") == 0 &&
	    strcmp(f->mode_now, "ip") == 0;
}

why_rule_fn *const why_flow_rule[WHY_RULE_END] = {
	[WHY_R_TWICE] = twice, [WHY_R_SILENT] = silent, [WHY_R_REKEY] = rekey,
	[WHY_R_LOOP] = loop, [WHY_R_MAC_TWICE] = mac_twice,
	[WHY_R_MAC_MOVES] = mac_moves, [WHY_R_INTEGRITY] = integrity,
	[WHY_R_REPLAY] = replay, [WHY_R_MTU] = mtu, [WHY_R_ONE_WAY] = one_way,
	[WHY_R_ARP_SILENT] = arp_silent, [WHY_R_NO_MAC] = no_mac,
	[WHY_R_FALLBACK] = fallback,
};
