/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/mute.c - a LAN that lets no foreign addresses pass, recognised.
 *
 *   peers == tunnel == hub - TAP - bridge - [virtual switch] - LAN hosts
 *
 * Many a hypervisor delivers to a machine only what is for its own Ethernet
 * address, or drops what it sends from another.  Broadcasts of the LAN then come
 * in as ever, but what hosts behind tunnels and hosts of the LAN say to each
 * other does not arrive.  Two things tell, and neither happens in a LAN that is
 * well:
 *
 *   - a LAN host is asked again and again (ARP, ND) by hosts behind tunnels; it
 *     is there, for it speaks to all, but it answers none of them;
 *   - a LAN host asks again and again for the same host behind a tunnel, and says
 *     nothing to it, as if the answer did not arrive.
 *
 * A few hosts are watched at a time.  One unicast frame to a host behind a tunnel
 * clears a host.
 *
 * Thread: mute_question() and mute_heard() any worker, no lock; a mix-up of two
 * workers costs a verdict.  mute_tick() the loop.
 */
#include "daemon/base/err.h"
#include "daemon/bus/bus.h"
#include "vhub/priv.h"

#define ASKED_MIN	3	/* so often; Linux and Windows ask three times */
#define WATCH_MIN_S	3	/* for so long at least */
#define WATCH_MAX_S	60	/* then somebody else is watched */
#define TELL_S		3600	/* it does not change by itself */
#define HINT		"in a virtual machine permit it: VMware promiscuous " \
			"mode and forged transmits, Hyper-V MAC address " \
			"spoofing, Proxmox no MAC filter; see doc/hub.md"

static uint64_t
mac_num(const struct mac *m)
{
	uint64_t n = 0;

	for (int i = 0; i < 6; i++)
		n = n << 8 | m->b[i];
	return n;
}

/* The watch of a host, taken if there is a free one; NULL: none is. */
static struct mute *
watch(struct hub *h, const struct mac *m, uint64_t key, bool is_speaking)
{
	uint64_t who = mac_num(m), none;
	struct mute *free_one = NULL;

	for (unsigned i = 0; i < HUB_MUTE_MAX; i++) {
		struct mute *w = &h->mute[i];
		uint64_t is = atomic_load_explicit(&w->who,
		    memory_order_relaxed);

		if (is == who)
			return w->key == key ? w : NULL;
		if (is == 0 && free_one == NULL)
			free_one = w;
	}
	none = 0;
	if (free_one == NULL || !atomic_compare_exchange_strong(&free_one->who,
	    &none, who))
		return NULL;
	free_one->key = key;
	free_one->n_asked = 0;
	free_one->has_answered = false;
	free_one->is_speaking = is_speaking;
	free_one->since_s = atomic_load_explicit(&h->now_s,
	    memory_order_relaxed);
	atomic_store_explicit(&h->has_mute, true, memory_order_relaxed);
	return free_one;
}

void
mute_question(struct hub *h, const struct port *from, const struct eth *e,
	      const struct question *q, bool is_ours)
{
	const struct port *tap = atomic_load_explicit(&h->tap,
	    memory_order_acquire), *to;
	struct hub_neigh_info nb;
	struct mute *w = NULL;
	enum drop why;

	if (!h->conf.has_bridge || tap == NULL || q->is_probe ||
	    from->conf.kind == HUB_PORT_IP ||
	    !neigh_find(h->neighs, q->vlan, &q->target, &nb) ||
	    (to = port_at(h, nb.port)) == NULL || to == from ||
	    !fwd_may_leave(from, to, q->vlan, &why))
		return;
	/* This machine itself has no switch between. */
	if (to == tap && !is_ours && !mac_equal(&nb.mac, &tap->conf.mac)) {
		w = watch(h, &nb.mac, 0, false);
	} else if (from == tap && to->conf.kind == HUB_PORT_ETHER &&
	    !mac_equal(&e->src, &tap->conf.mac)) {
		struct ip_key k = ip_key_of(&q->target);

		w = watch(h, &e->src, k.hi ^ k.lo, true);
	}
	if (w != NULL)
		atomic_fetch_add_explicit(&w->n_asked, 1, memory_order_relaxed);
}

void
mute_heard(struct hub *h, const struct eth *e)
{
	uint64_t who = mac_num(&e->src);

	for (unsigned i = 0; i < HUB_MUTE_MAX; i++) {
		struct mute *w = &h->mute[i];

		if (atomic_load_explicit(&w->who, memory_order_relaxed) != who)
			continue;
		if (mac_is_group(&e->dst))
			w->is_speaking = true;
		else
			w->has_answered = true;
	}
}

static void
tell(struct hub *h, uint64_t who)
{
	char text[MAC_TEXT_MAX];
	struct bus_rec r;
	struct mac m;

	for (int k = 0; k < 6; k++)
		m.b[k] = (uint8_t)(who >> (40 - 8 * k));
	bus_rec_init(&r, BUS_EV_HUB_MUTE);
	bus_set_str(&r, BUS_F_REALM, h->conf.name);
	bus_set_str(&r, BUS_F_MAC, mac_text(&m, text));
	bus_set_str(&r, BUS_F_HINT, HINT);
	note_tell(h, &r);
}

void
mute_tick(struct hub *h, uint32_t now_s)
{
	bool has_any = false;

	if (!atomic_load_explicit(&h->has_mute, memory_order_relaxed))
		return;
	for (unsigned i = 0; i < HUB_MUTE_MAX; i++) {
		struct mute *w = &h->mute[i];
		uint64_t who = atomic_load(&w->who);
		uint32_t s = now_s - w->since_s;

		if (who == 0)
			continue;
		if (!w->has_answered && s < WATCH_MAX_S &&
		    (s < WATCH_MIN_S || w->n_asked < ASKED_MIN ||
		    !w->is_speaking)) {
			has_any = true;
			continue;
		}
		if (!w->has_answered && s < WATCH_MAX_S &&
		    (h->mute_told_s == 0 || now_s - h->mute_told_s >= TELL_S)) {
			h->mute_told_s = now_s;
			tell(h, who);
		}
		atomic_store(&w->who, 0);
	}
	atomic_store_explicit(&h->has_mute, has_any, memory_order_relaxed);
}
