/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/child.c - child SAs: what to offer, keys, installation, end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "ikev2/engine.h"
#include "ikev2/step/step.h"

#define ESP_SPI_MIN 256	/* RFC 4303 2.1: those below are reserved */

/* ---- lookups ------------------------------------------------------------- */

struct ike_child *
ike_child_by_id(struct ike *ike, uint32_t id)
{
	return map_find(ike->by_child, &id);
}

struct ike_child *
ike_child_by_out(struct ike_sa *sa, uint32_t spi_out)
{
	LIST_FOREACH(it, &sa->children) {
		struct ike_child *c = CONTAINER_OF(it, struct ike_child, node);

		if (c->spi_out == spi_out)
			return c;
	}
	return NULL;
}

struct ike_child *
ike_child_current(const struct ike_sa *sa)
{
	struct ike_child *best = NULL;

	LIST_FOREACH(it, &sa->children) {
		struct ike_child *c = CONTAINER_OF(it, struct ike_child, node);

		if (best == NULL || c->state == IKE_CHILD_UP)
			best = c;
	}
	return best;
}

/* ---- what to offer ------------------------------------------------------- */

static void
set_conf(struct ike_ts_set *s, const struct vpn_ts *ts, unsigned n)
{
	s->n = MIN(n, (unsigned)VPN_TS_MAX);
	memcpy(s->ts, ts, s->n * sizeof(*ts));
}

void
ike_link_ts(const struct ike_link *l, struct ike_ts_set *local,
	    struct ike_ts_set *remote)
{
	const struct ike_realm_conf *r = &l->realm->conf;
	const struct ike_peer_conf *p = l->peer;
	struct ike_ts_set hosts;

	if (p->n_ts_local > 0 || p->n_ts_remote > 0) {
		set_conf(local, p->ts_local, p->n_ts_local);
		set_conf(remote, p->ts_remote, p->n_ts_remote);
	} else {
		set_conf(local, r->ts_local, r->n_ts_local);
		set_conf(remote, r->ts_remote, r->n_ts_remote);
	}
	/* 2.19: the client's address, and nothing besides */
	if (ike_config_hosts(l, &hosts))
		*(p->is_client ? local : remote) = hosts;
	else if (p->is_client)
		ike_config_any(local);
}

int
ike_child_offer(struct ike_sa *sa, struct ike_offer *o, char *why)
{
	enum vpn_mode mode = sa->link->peer->mode;

	if (mode == VPN_MODE_AUTO)
		mode = sa->is_tapir ? VPN_MODE_ETHER : VPN_MODE_IP;
	o->mode = mode;
	ike_lane_ask(sa, o);
	if (ike_ts_proto(mode) != 0) {
		o->local.n = o->remote.n = 1;
		o->local.ts[0] = ike_ts_host(&sa->local.ip, ike_ts_proto(mode));
		o->remote.ts[0] = ike_ts_host(&sa->remote.ip,
					      ike_ts_proto(mode));
		return 0;
	}
	ike_link_ts(sa->link, &o->local, &o->remote);
	if (o->local.n > 0 && o->remote.n > 0)
		return 0;
	snprintf(why, IKE_WHY_MAX, "the peer is not a tapir, so the realm "
		 "needs <net local= remote=> for IP mode");
	return ERR_CONF;
}

/* ---- several pairs of selectors ------------------------------------------ */

static bool
overlap(const struct vpn_ts *a, const struct vpn_ts *b)
{
	return a->lo.family == b->lo.family &&
	    ip_compare(&a->lo, &b->hi) <= 0 && ip_compare(&b->lo, &a->hi) <= 0 &&
	    (a->proto == 0 || b->proto == 0 || a->proto == b->proto);
}

static bool
touches(const struct ike_ts_set *s, const struct vpn_ts *ts)
{
	for (unsigned i = 0; i < s->n; i++)
		if (overlap(&s->ts[i], ts))
			return true;
	return false;
}

/* Carries any child SA something of this pair?  The peer may have narrowed it:
 * then it does not want the rest. */
static bool
is_served(const struct ike_sa *sa, const struct vpn_ts *local,
	  const struct vpn_ts *remote)
{
	LIST_FOREACH(it, &sa->children) {
		struct ike_child *c = CONTAINER_OF(it, struct ike_child, node);

		if (c->state == IKE_CHILD_UP && touches(&c->local, local) &&
		    touches(&c->remote, remote))
			return true;
	}
	return false;
}

bool
ike_child_rest(struct ike_sa *sa, struct ike_offer *o)
{
	struct ike_ts_set local, remote;
	char why[IKE_WHY_MAX];

	if (ike_child_offer(sa, o, why) != 0 || o->mode != VPN_MODE_IP)
		return false;
	local = o->local;
	remote = o->remote;
	o->local.n = o->remote.n = 0;
	for (unsigned i = 0; i < local.n && o->local.n == 0; i++)
		for (unsigned k = 0; k < remote.n; k++) {
			if (local.ts[i].lo.family != remote.ts[k].lo.family ||
			    is_served(sa, &local.ts[i], &remote.ts[k]))
				continue;
			o->local.n = 1;
			o->local.ts[0] = local.ts[i];
			o->remote.ts[o->remote.n++] = remote.ts[k];
			if (sa->link->is_single)
				break;
		}
	return o->local.n > 0;
}

void
ike_child_fill(struct ike_sa *sa)
{
	struct ike_offer o = { 0 };

	if (sa->state != IKE_SA_UP || sa->n_child == 0 || sa->link == NULL ||
	    !sa->link->is_wanted || sa->is_rest_refused ||
	    sa->rest_ms > sa->ike->now_ms || sa->n_child >= IKE_CHILD_MAX ||
	    !ike_child_rest(sa, &o))
		return;
	ike_task_add_later(sa, IKE_TASK_NEW_CHILD, 0, 1);
}

int
ike_offer_spi(struct ike_sa *sa, struct ike_offer *o)
{
	struct ike *ike = sa->ike;

	if (o->esp_spi != 0)
		return 0;
	return ike->ops.spi_alloc(ike->ops.ctx, sa->link->realm->conf.index,
				  sa->link->id, o->like, &o->esp_spi);
}

void
ike_offer_drop(struct ike *ike, struct ike_offer *o)
{
	if (o->esp_spi != 0)
		ike->ops.spi_free(ike->ops.ctx, o->esp_spi);
	o->esp_spi = 0;
}

/* ---- life ---------------------------------------------------------------- */

static void
soft_over(void *ctx)
{
	struct ike_child *c = ctx;

	struct ike *ike = c->sa->ike;
	uint64_t hard = (uint64_t)c->sa->link->realm->conf.child_life_s * 1000;

	if (c->state != IKE_CHILD_UP)
		return;
	/* until it is replaced: a rekeying may be refused or forgotten */
	if (tmr_start(&ike->tmr, &c->soft, ike->now_ms + hard /
		      IKE_SOFT_PARTS) != 0)
		log_warn("ike", "child %u: no timer: out of memory", c->id);
	ike_task_add(c->sa, IKE_TASK_REKEY_CHILD, c->id);
	ike_task_pump(c->sa);
}

static void
hard_over(void *ctx)
{
	struct ike_child *c = ctx;
	struct ike_sa *sa = c->sa;

	if (c->is_over) {
		ike_child_kill(c);
		ike_delete_if_childless(sa, NULL);
	} else {	/* also for one the peer replaced and never deleted */
		ike_child_retire(c);
	}
	ike_task_pump(sa);
}

static void
start_life(struct ike_child *c)
{
	struct ike *ike = c->sa->ike;
	uint64_t hard = (uint64_t)c->sa->link->realm->conf.child_life_s * 1000;
	uint16_t r = 0;

	if (hard == 0)
		return;
	if (rng_bytes(&r, sizeof(r)) != 0)
		r = 0;
	if (tmr_start(&ike->tmr, &c->hard, ike->now_ms + hard) != 0 ||
	    tmr_start(&ike->tmr, &c->soft, ike->now_ms + hard * 8 / 10 +
		      hard / 10 * r / UINT16_MAX) != 0)
		log_warn("ike", "child %u: no timer: out of memory", c->id);
}

void
ike_child_retire(struct ike_child *c)
{
	struct ike *ike = c->sa->ike;

	if (c->state == IKE_CHILD_UP &&
	    !ike_child_move(c, IKE_EV_CHILD_REPLACED))
		return;
	tmr_stop(&ike->tmr, &c->soft);
	ike->ops.child_retire(ike->ops.ctx, c->id);
	ike_task_add_later(c->sa, IKE_TASK_DEL_CHILD, c->id, IKE_OLD_MS);
	ike_lane_fill(c->sa, 0);
}

void
ike_child_over(struct ike_child *c)
{
	struct ike *ike = c->sa->ike;

	c->is_over = true;
	if (c->sa->n_child < 2 ||
	    tmr_start(&ike->tmr, &c->hard, ike->now_ms + IKE_OLD_MS) != 0)
		ike_child_kill(c);
}

static struct vpn_path
path_of(const struct ike_child *c)
{
	const struct ike_sa *sa = c->sa;
	struct vpn_path p = { .encap = c->encap, .mtu = ike_size_mtu(sa) };
	bool is_natt;

	ike_roam_path(sa, &p, &is_natt);
	p.local.port = sa->ike->conf.natt_port;
	if (!is_natt)
		p.remote.port = sa->ike->conf.natt_port;
	return p;
}

void
ike_child_path(struct ike_child *c)
{
	struct vpn_path p = path_of(c);

	c->sa->ike->ops.child_path(c->sa->ike->ops.ctx, c->id, &p);
}

/* Between 80 and 90 per cent, so that ends rarely rekey at once. */
static uint64_t
soft_of(uint64_t hard)
{
	uint16_t r = 0;

	if (rng_bytes(&r, sizeof(r)) != 0)
		r = 0;
	return hard / 10 * 8 + hard / 10 * r / UINT16_MAX;
}

static int
install(struct ike_child *c, struct vpn_keys keys[2])
{
	const struct ike_realm_conf *r = &c->sa->link->realm->conf;
	unsigned in = c->is_initiator ? 1 : 0;
	struct ike *ike = c->sa->ike;
	struct vpn_child v = {
		.id = c->id, .realm = r->index, .peer = c->sa->link->id,
		.esp_spi_in = c->spi_in, .esp_spi_out = c->spi_out,
		.alg = c->alg, .is_esn = c->is_esn,
		.is_initiator = c->is_initiator, .is_heir = c->is_heir,
		.mode = c->mode,
		.path = path_of(c), .keys_in = &keys[in],
		.keys_out = &keys[1 - in], .n_ts_local = c->local.n,
		.n_ts_remote = c->remote.n, .hard_s = r->child_life_s,
		.bundle = c->bundle, .lane = c->lane
	};

	v.hard_bytes = r->child_bytes;
	v.soft_bytes = soft_of(v.hard_bytes);
	v.hard_packets = r->child_packets;
	v.soft_packets = soft_of(v.hard_packets);
	memcpy(v.ts_local, c->local.ts, sizeof(v.ts_local));
	memcpy(v.ts_remote, c->remote.ts, sizeof(v.ts_remote));
	ike_key_log_child(c->sa, c, v.keys_in, v.keys_out);
	return ike->ops.child_up(ike->ops.ctx, c->sa->link->id, &v);
}

static struct ike_child *
child_alloc(struct ike_sa *sa, const struct ike_child_make *mk)
{
	struct ike_child *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->sa = sa;
	c->id = ++sa->ike->last_child;
	c->spi_in = mk->offer->esp_spi;
	c->spi_out = mk->choice->esp_spi;
	c->alg = mk->choice->alg;
	c->is_esn = mk->choice->is_esn;
	c->mode = mk->offer->mode;
	c->encap = sa->encap;
	c->is_initiator = mk->is_initiator;
	c->is_heir = mk->offer->like != 0;
	c->local = mk->offer->local;
	c->remote = mk->offer->remote;
	if (mk->offer->is_shared) {
		c->bundle = mk->offer->bundle != 0 ? mk->offer->bundle : c->id;
		/* the peer may have made one since we offered */
		c->lane = mk->offer->like != 0 ? mk->offer->lane :
		    ike_lane_free(sa, c->bundle);
	}
	c->made_ms = sa->ike->now_ms;
	tmr_init(&c->soft, soft_over, c);
	tmr_init(&c->hard, hard_over, c);
	return c;
}

int
ike_child_new(struct ike_sa *sa, const struct ike_child_make *mk,
	      struct ike_child **out)
{
	struct ike *ike = sa->ike;
	struct vpn_keys keys[2];
	struct ike_child *c;
	int err;

	if (!sa->is_authenticated || sa->link == NULL)
		return ERR_AUTH;
	if (sa->n_child >= IKE_CHILD_REKEY_MAX)
		return ERR_LIMIT;
	if (mk->choice->esp_spi < ESP_SPI_MIN)
		return ERR_NOPROP;
	if ((c = child_alloc(sa, mk)) == NULL)
		return ERR_NOMEM;
	if ((err = ike_keymat_child(sa->suite.prf, sa->keys->d, &mk->in, c->alg,
				    keys)) != 0)
		goto out;
	if ((err = map_add(ike->by_child, &c->id, c)) != 0)
		goto out;
	if ((err = install(c, keys)) != 0) {
		map_remove(ike->by_child, &c->id);
		goto out;
	}
	if (!ike_child_move(c, IKE_EV_CHILD_MADE))
		log_error("ike", "child %u: not made", c->id);
	list_add_tail(&sa->children, &c->node);
	sa->n_child++;
	sa->had_child = true;
	ike->stats.n_child++;
	start_life(c);
	*out = c;
out:
	wipe(keys, sizeof(keys));
	if (err != 0)
		free(c);
	return err;
}

void
ike_child_kill(struct ike_child *c)
{
	struct ike_sa *sa = c->sa;
	struct ike *ike = sa->ike;

	tmr_stop(&ike->tmr, &c->soft);
	tmr_stop(&ike->tmr, &c->hard);
	ike->ops.child_down(ike->ops.ctx, sa->link != NULL ? sa->link->id : 0,
			    c->id);
	ike->ops.spi_free(ike->ops.ctx, c->spi_in);
	map_remove(ike->by_child, &c->id);
	list_remove(&c->node);
	sa->n_child--;
	ike->stats.n_child--;
	if (!ike_child_move(c, IKE_EV_CHILD_KILL))
		log_error("ike", "child %u: not killed", c->id);
	wipe(c, sizeof(*c));
	free(c);
}

void
ike_child_inherit(struct ike_sa *from, struct ike_sa *to)
{
	while (!list_is_empty(&from->children)) {
		struct ike_child *c = CONTAINER_OF(from->children.next,
						   struct ike_child, node);

		list_remove(&c->node);
		list_add_tail(&to->children, &c->node);
		c->sa = to;
		from->n_child--;
		to->n_child++;
	}
}
