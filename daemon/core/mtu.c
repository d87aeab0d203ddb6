/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/mtu.c - paths, tunnels and TAPs: who may send how much.
 *
 * Where mtu= says so, and in a bridge, packets of that size pass though they do
 * not leave whole: they are cut outside.  Elsewhere their sender is told.
 */
#include "daemon/core/mtu.h"
#include <stdlib.h>
#include "daemon/base/clk.h"
#include "daemon/base/log.h"
#include "daemon/core/secure.h"
#include "daemon/core/udp.h"

#define PATH_MTU     1500  /* of a path nothing is known about: Ethernet */
#define BRIDGE_MTU   1500  /* a bridged LAN expects whole Ethernet frames */
#define TAP_MTU_MIN  1280  /* RFC 8200 5: Linux has no IPv6 on less */
#define TAP_MTU_MAX  1500  /* of a TAP that follows; more is for mtu= */
#define TAP_LOOK_MS  8000  /* after the last change of a tunnel */
#define TAP_RISE_MS  5000 /* a larger MTU has to last so long; ours */

/* A link that is up. */
struct tunnel {
	uint32_t realm, inside;	/* inside 0: it is not up */
	uint16_t alg;
	uint8_t mode;
	struct vpn_path path;
};

struct mtu {
	struct vpn *v;
	struct tunnel **link;	/* [VPN_LINK_MAX], NULL = never up */
	uint32_t n_link;	/* highest that was ever up, + 1 */
	uint64_t look_ms;	/* TAPs are looked at until then */
};

unsigned
mtu_at_start(const struct conf_realm *cr)
{
	enum vpn_mode mode = vpn_mode_is_ip(cr->mode) ? cr->mode :
	    VPN_MODE_ETHER;
	unsigned least = PATH_MTU;

	/* A bridge drops what is larger than its port without a word, so the
	 * hub could not tell anybody. */
	if (cr->bridge != NULL)
		return MAX(cr->mtu, (unsigned)BRIDGE_MTU);
	if (cr->mtu != 0)
		return cr->mtu;
	for (int alg = VPN_ALG_NONE + 1; alg < VPN_ALG_END; alg++) {
		if (cr->suite == VPN_SUITE_2026 &&
		    alg > VPN_ALG_CHACHA20_POLY1305)
			break;
		least = MIN(least, esp_inner_max((enum vpn_alg)alg, mode,
						 VPN_ENCAP_UDP, 6, PATH_MTU));
	}
	return least;
}

int
mtu_new(struct mtu **out, struct vpn *v)
{
	struct mtu *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return ERR_NOMEM;
	m->v = v;
	m->link = calloc(VPN_LINK_MAX, sizeof(struct tunnel *));
	if (m->link == NULL) {
		mtu_free(m);
		return ERR_NOMEM;
	}
	*out = m;
	return 0;
}

void
mtu_free(struct mtu *m)
{
	if (m == NULL)
		return;
	for (uint32_t i = 0; m->link != NULL && i < m->n_link; i++)
		free(m->link[i]);
	free(m->link);
	free(m);
}

/* ---- links ----------------------------------------------------------------- */

static struct tunnel *
tunnel_of(const struct mtu *m, uint32_t link)
{
	return m != NULL && link < m->n_link ? m->link[link] : NULL;
}

/* What passes though it is cut outside.  Routers do not cut IPv6, and the kernel
 * cuts to a size of ours only what is larger than its own: then hosts are told. */
static uint32_t
most_of(const struct mtu *m, const struct tunnel *t)
{
	const struct conf_realm *cr = m->v->realm[t->realm].conf;
	const struct ip_addr *to = &t->path.remote.ip;

	if (to->family == 6 && t->path.mtu != 0 &&
	    t->path.mtu < udp_path_mtu(m->v->socks.probe, to))
		return 0;
	return cr->mtu != 0 ? cr->mtu : cr->bridge != NULL ? BRIDGE_MTU : 0;
}

static void
apply(struct mtu *m, uint32_t link, struct tunnel *t)
{
	const struct vpn_link *l = vpn_link_find(m->v, link);
	uint32_t path = t->path.mtu != 0 ? t->path.mtu : PATH_MTU;

	m->look_ms = clk_ms() + TAP_LOOK_MS;
	t->inside = esp_inner_max((enum vpn_alg)t->alg, (enum vpn_mode)t->mode,
				  t->path.encap, t->path.remote.ip.family, path);
	if (l != NULL)
		hub_port_mtu(l->hub, l->port, t->inside, most_of(m, t));
}

void
mtu_child(struct mtu *m, uint32_t link, const struct vpn_child *c)
{
	struct tunnel *t;

	if (link >= VPN_LINK_MAX)
		return;
	if (m->link[link] == NULL &&
	    (m->link[link] = calloc(1, sizeof(*t))) == NULL) {
		log_warn("core", "link %u: out of memory, the size of its "
			 "tunnel is not told", link);
		return;
	}
	m->n_link = MAX(m->n_link, link + 1);
	t = m->link[link];
	t->realm = c->realm;
	t->alg = (uint16_t)c->alg;
	t->mode = (uint8_t)c->mode;
	t->path = c->path;
	if (t->path.mtu == 0)
		t->path.mtu = udp_path_mtu(m->v->socks.probe,
					   &c->path.remote.ip);
	apply(m, link, t);
}

void
mtu_path(struct mtu *m, uint32_t link, const struct vpn_path *path)
{
	struct tunnel *t = tunnel_of(m, link);

	if (t == NULL || t->inside == 0)
		return;
	t->path = *path;
	apply(m, link, t);
}

void
mtu_gone(struct mtu *m, uint32_t link)
{
	struct tunnel *t = tunnel_of(m, link);

	if (t == NULL)
		return;
	t->inside = 0;
	m->look_ms = clk_ms() + TAP_LOOK_MS;
}

uint32_t
mtu_inside(const struct mtu *m, uint32_t link)
{
	const struct tunnel *t = tunnel_of(m, link);

	return t != NULL ? t->inside : 0;
}

uint32_t
mtu_outside(const struct mtu *m, uint32_t link)
{
	const struct tunnel *t = tunnel_of(m, link);

	return t != NULL && t->inside != 0 ? t->path.mtu : 0;
}

/* ---- TAPs ------------------------------------------------------------------ */

/* What its tunnels would have it be; where there is none, it stays. */
static uint32_t
wanted(const struct mtu *m, uint32_t realm)
{
	uint32_t least = UINT32_MAX;

	for (uint32_t i = 0; i < m->n_link; i++) {
		const struct tunnel *t = m->link[i];

		if (t != NULL && t->inside != 0 && t->realm == realm)
			least = MIN(least, t->inside);
	}
	if (least == UINT32_MAX)
		return m->v->realm[realm].mtu;
	return MIN(MAX(least, (uint32_t)TAP_MTU_MIN), (uint32_t)TAP_MTU_MAX);
}

/* mtu= and bridges say it themselves. */
static bool
follows(const struct vpn_realm *r)
{
	return r != NULL && r->hub != NULL && !r->is_tap_gone &&
	    r->conf->mtu == 0 && r->conf->bridge == NULL;
}

void
mtu_tick(struct mtu *m, uint64_t now_ms)
{
	for (uint32_t i = 0; i < m->v->n_realm && now_ms < m->look_ms; i++) {
		struct vpn_realm *r = vpn_realm_at(m->v, i);
		uint32_t want;

		if (!follows(r))
			continue;
		want = wanted(m, i);
		if (want != r->mtu_want) {
			r->mtu_want = want;
			r->mtu_since_ms = now_ms;
		}
		if (want == r->mtu || (want > r->mtu &&
		    now_ms - r->mtu_since_ms < TAP_RISE_MS))
			continue;
		log_info("core", "realm %s: the MTU of %s is %u", r->conf->name,
			 r->ifname, want);
		secure_tap_mtu(m->v->secure, i, want);
		r->mtu = want;
	}
}
