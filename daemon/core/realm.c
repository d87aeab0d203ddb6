/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/realm.c - configured realms become TAPs, hubs and IKE parameters.
 */
#include "daemon/core/realm.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/base/thr.h"
#include "daemon/bus/bus.h"
#include "daemon/core/inner.h"
#include "daemon/core/mtu.h"
#include "daemon/core/pool.h"
#include "daemon/core/secure.h"
#include "daemon/core/wire.h"
#include "daemon/core/work.h"
#include "daemon/ipc/msg.h"
#include "ikev2/ike.h"
#include "spi/spi_crypto.h"

#define LANE_REALMS   8	   /* with more, a TAP has one queue a worker:
			    * each is a descriptor */
#define PLACE_RESTS_MS 2000	/* of a realm that went: packets of it may wait */

struct vpn_realm *
vpn_realm_at(const struct vpn *v, uint32_t realm)
{
	return realm < v->n_realm && v->realm[realm].conf != NULL ?
	    &v->realm[realm] : NULL;
}

struct vpn_peer *
vpn_peer_at(const struct vpn *v, uint32_t realm, uint32_t peer)
{
	const struct vpn_realm *r = vpn_realm_at(v, realm);

	return r != NULL && peer < r->n_peer && r->peer[peer].conf != NULL ?
	    &r->peer[peer] : NULL;
}

int
realm_places(struct vpn_realm *r)
{
	unsigned n = r->conf->n_peer;

	r->peer = calloc(n + 1, sizeof(*r->peer));
	if (r->peer == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < n; i++)
		r->peer[i].conf = &r->conf->peer[i];
	r->n_peer = n;
	return 0;
}

/* Have the TAP of a realm made.  why: IPC_WHY_MAX + 1 bytes. */
static int
realm_open(struct vpn *v, struct vpn_realm *r, const struct conf_realm *cr,
	   char *why)
{
	*r = (struct vpn_realm){ .vpn = v, .conf = cr };
	memset(r->tap_fd, 0xff, sizeof(r->tap_fd));
	r->n_lane = v->conf->n_realm <= LANE_REALMS ? vpn_lanes(v->n_worker) : 1;
	return secure_tap_open(v->secure, r, v->n_worker * r->n_lane, mtu_at_start(cr), why);
}

int
realm_open_all(struct vpn *v)
{
	char why[IPC_WHY_MAX + 1];
	int err;

	v->realm = calloc(VPN_REALM_MAX, sizeof(*v->realm));
	if (v->realm == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < v->conf->n_realm; i++) {
		struct vpn_realm *r = &v->realm[i];

		v->n_realm = i + 1;
		err = realm_open(v, r, &v->conf->realm[i], why);
		if (err != 0) {
			log_error("tapird", "realm %s: %s", r->conf->name, why);
			return err;
		}
	}
	return 0;
}

/* ---- parameters of the engine -------------------------------------------- */

/* RFC 9611: not for strangers who only fit a pattern (section 7), unless the
 * administrator says so. */
static void
share_params(const struct vpn *v, const struct conf_peer *p,
	     struct ike_peer_conf *out)
{
	bool is_auto = p->resources == CONF_RESOURCES_AUTO;

	out->may_share = p->resources != CONF_RESOURCES_OFF &&
	    !(is_auto && p->is_glob);
	if (out->may_share)
		out->n_lane = is_auto ? v->n_worker : p->resources;
}

void
realm_peer_params(const struct vpn *v, const struct conf_realm *r,
		  const struct conf_peer *p, struct ike_peer_conf *out)
{
	*out = (struct ike_peer_conf){
		.index = p->index,
		.is_pattern = p->is_glob,
		.has_at = p->at != NULL,
		.has_ppk = p->ppk != NULL,
		.is_dial = p->dial,
		.is_client = p->net->is_dynamic,
		.may_redirect = p->redirect,
		.mode = p->mode,
		.encap = p->encap,
	};
	share_params(v, p, out);
	inner_of_net(p->net, &out->n_ts_local, out->ts_local, &out->n_ts_remote,
		     out->ts_remote);
	inner_of_pool(p->net, r->pool, &out->n_ts_local, out->ts_local,
		      &out->n_ts_remote);
	if (p->ppk != NULL)
		str_copy(out->ppk, sizeof(out->ppk), p->ppk);
	str_copy(out->name, sizeof(out->name), p->name);
	str_copy(out->id, sizeof(out->id), p->id != NULL ? p->id : "*");
}

void
realm_params(const struct conf_realm *cr, struct ike_realm_conf *out)
{
	*out = (struct ike_realm_conf){
		.index = cr->index,
		.suite = cr->suite,
		.prefer = cr->cipher,
		.dpd_s = cr->dpd_s,
		.is_mobike = cr->mobike,
		.is_resume = cr->resume,
		.is_childless = cr->childless,
		.is_reauth = cr->reauth,
		.child_life_s = cr->child_life_s,
		.child_bytes = (uint64_t)cr->child_mib << 20,
		.child_packets = cr->child_packets,
		.ike_life_s = cr->ike_life_s,
		.dead_s = cr->dead_s,
	};
	str_copy(out->name, sizeof(out->name), cr->name);
	inner_of_net(&cr->net, &out->n_ts_local, out->ts_local,
		     &out->n_ts_remote, out->ts_remote);
	inner_of_pool(&cr->net, cr->pool, &out->n_ts_local, out->ts_local,
		      &out->n_ts_remote);
	out->has_pool = cr->pool != NULL;
}

static int
engine_realm(struct vpn *v, const struct vpn_realm *r)
{
	const struct conf_realm *cr = r->conf;
	struct ike_peer_conf *peer = calloc(cr->n_peer + 1, sizeof(*peer));
	struct ike_realm_conf rc;
	int err;

	if (peer == NULL)
		return ERR_NOMEM;
	realm_params(cr, &rc);
	rc.index = (uint32_t)(r - v->realm);
	rc.n_peer = cr->n_peer;
	rc.peer = peer;
	for (unsigned i = 0; i < cr->n_peer; i++)
		realm_peer_params(v, cr, &cr->peer[i], &peer[i]);
	err = ike_realm_add(v->ike, &rc);
	free(peer);
	return err;
}

/* The KEMs of this OpenSSL, as found out by self_test(). */
static uint32_t
kems_here(void)
{
	uint32_t set = 0;

	for (enum spi_group g = SPI_GROUP_KEM_FIRST; g < SPI_GROUP_END; g++)
		if (spi_crypto()->group_usable(g))
			set |= 1u << g;
	return set;
}

void
realm_limits(const struct conf *c, struct ike_conf *out)
{
	out->cookie_threshold = c->cookie_threshold;
	out->puzzle_threshold = c->puzzle_threshold;
	out->puzzle_bits = (uint8_t)c->puzzle_bits;
	out->max_halfopen = c->half_open_max;
}

int
realm_start(struct vpn *v)
{
	struct ike_conf ic = {
		.port = v->port,
		.natt_port = v->nat_port,
		.frag_bytes = (uint16_t)v->conf->fragment_bytes,
		.has_ppk_int = true,
		.can_raw_esp = v->socks.raw[FAM_V4] >= 0,
		.has_qcd = v->conf->qcd,
		.kems = kems_here(),
	};
	struct esp_io io = wire_esp_io(v);
	struct ike_ops ops;
	int err;

	realm_limits(v->conf, &ic);
	if ((err = mtu_new(&v->mtu, v)) != 0 ||
	    (err = work_new(&v->work, v)) != 0 ||
	    (err = esp_new(&v->esp, v->n_worker, &io, v->conf->esp_provider,
			   conf_rule_name(v->conf->rule))) != 0 ||
	    (err = pools_new(&v->pools, v->socks.lease)) != 0 ||
	    (err = wire_ike_init(v, &ops)) != 0 ||
	    (err = ike_new(&v->ike, &ic, &ops, clk_ms())) != 0)
		return err;
	for (unsigned i = 0; i < v->n_realm; i++)
		if ((err = realm_places(&v->realm[i])) != 0 ||
		    (err = wire_hub_realm(v, &v->realm[i])) != 0 ||
		    (err = pools_realm(v->pools, v->realm[i].conf)) != 0 ||
		    (err = engine_realm(v, &v->realm[i])) != 0)
			return err;
	return 0;
}

static void
announce(struct vpn *v, const struct vpn_realm *r)
{
	struct bus_rec ev;
	char mac[MAC_TEXT_MAX];

	bus_rec_init(&ev, BUS_EV_REALM_READY);
	bus_set_str(&ev, BUS_F_REALM, r->conf->name);
	bus_set_str(&ev, BUS_F_TAP, r->ifname);
	bus_set_str(&ev, BUS_F_MAC, mac_text(&r->mac, mac));
	bus_set_str(&ev, BUS_F_BRIDGE, r->conf->bridge);
	vpn_publish(v, &ev);
}

void
realm_announce(struct vpn *v)
{
	for (unsigned i = 0; i < v->n_realm; i++)
		announce(v, &v->realm[i]);
}

/* ---- one that comes, or goes, while others run --------------------------------- */

/* What workers may still use of a realm that is gone. */
struct remains {
	struct hub *hub;
	struct source **source;
	unsigned n_worker;
	int tap_fd[VPN_LANE_MAX];
};

static void
remains_free(void *ctx)
{
	struct remains *m = ctx;

	hub_free(m->hub);
	work_sources_free(m->source, m->n_worker);
	for (unsigned k = 0; k < VPN_LANE_MAX; k++)
		if (m->tap_fd[k] >= 0)
			close(m->tap_fd[k]);
	free(m);
}

/* A place, or NULL: all are taken, or rest. */
static struct vpn_realm *
place(struct vpn *v)
{
	uint64_t now = clk_ms();

	for (unsigned i = 0; i < v->n_realm; i++)
		if (v->realm[i].conf == NULL && v->realm[i].free_ms <= now)
			return &v->realm[i];
	return v->n_realm < VPN_REALM_MAX ? &v->realm[v->n_realm] : NULL;
}

static void
forget(struct vpn *v, struct vpn_realm *r)
{
	struct remains *m = calloc(1, sizeof(*m));

	work_realm_del(v->work, r);
	r->conf = NULL;
	r->free_ms = clk_ms() + PLACE_RESTS_MS;
	free(r->peer);
	r->peer = NULL;
	r->n_peer = 0;
	if (m == NULL) {
		log_error("core", "%s: out of memory, it is not removed",
			  r->ifname);
		return;
	}
	m->hub = atomic_exchange(&r->hub, NULL);
	m->source = r->source;
	m->n_worker = v->n_worker;
	r->source = NULL;
	memcpy(m->tap_fd, r->tap_fd, sizeof(m->tap_fd));
	memset(r->tap_fd, 0xff, sizeof(r->tap_fd));
	if (thr_defer(remains_free, m) != 0)
		log_error("core", "%s: out of memory, it is not removed",
			  r->ifname);
}

void
realm_end(struct vpn *v, struct vpn_realm *r, const char *why)
{
	struct bus_rec ev;

	if (ike_realm_remove(v->ike, (uint32_t)(r - v->realm), why,
			     clk_ms()) != 0)
		log_error("core", "realm %s: the engine does not know it",
			  r->conf->name);
	bus_rec_init(&ev, BUS_EV_REALM_DOWN);
	bus_set_str(&ev, BUS_F_REALM, r->conf->name);
	bus_set_str(&ev, BUS_F_TAP, r->ifname);
	bus_set_str(&ev, BUS_F_WHY, why);
	vpn_publish(v, &ev);
	forget(v, r);
}

static void
failed(struct vpn *v, const struct conf_realm *cr, const char *why)
{
	struct bus_rec ev;

	bus_rec_init(&ev, BUS_EV_REALM_FAILED);
	bus_set_str(&ev, BUS_F_REALM, cr->name);
	bus_set_str(&ev, BUS_F_TAP, cr->tap);
	bus_set_str(&ev, BUS_F_WHY, why);
	bus_set_str(&ev, BUS_F_HINT, "mend it and restart tapird, or take the "
		    "realm out and reload");
	vpn_publish(v, &ev);
}

int
realm_begin(struct vpn *v, const struct conf_realm *cr)
{
	struct vpn_realm *r = place(v);
	char why[IPC_WHY_MAX + 1] = "";
	int err;

	if (r == NULL || !work_has_room(v->work, v->conf)) {
		failed(v, cr, r == NULL ? "too many realms came and went" :
		       "its mtu is larger than any at the start");
		return ERR_FULL;
	}
	if ((err = realm_open(v, r, cr, why)) == 0 &&
	    (err = realm_places(r)) == 0 &&
	    (err = wire_hub_realm(v, r)) == 0) {
		if (r == &v->realm[v->n_realm])
			v->n_realm++;
		if ((err = pools_realm(v->pools, cr)) == 0 &&
		    (err = engine_realm(v, r)) == 0 &&
		    (err = work_realm_add(v->work, r)) != 0 &&
		    ike_realm_remove(v->ike, (uint32_t)(r - v->realm),
				     err_text(err), clk_ms()) != 0)
			log_error("core", "realm %s stays half", cr->name);
	}
	if (err != 0) {
		failed(v, cr, *why != '\0' ? why : err_text(err));
		forget(v, r);
		return err;
	}
	announce(v, r);
	return 0;
}

void
realm_close_all(struct vpn *v)
{
	thr_reclaim_all();
	for (unsigned i = 0; i < v->n_realm; i++) {
		hub_free(v->realm[i].hub);
		free(v->realm[i].peer);
		work_sources_free(v->realm[i].source, v->n_worker);
		for (unsigned k = 0; k < VPN_LANE_MAX; k++)
			if (v->realm[i].vpn != NULL && v->realm[i].tap_fd[k] >= 0)
				close(v->realm[i].tap_fd[k]);
	}
	esp_free(v->esp);
	work_free(v->work);
	mtu_free(v->mtu);
	thr_reclaim_all();
	for (uint32_t i = 0; v->link != NULL && i < VPN_LINK_MAX; i++)
		free(atomic_load(&v->link[i]));
	free(v->realm);
}

static void
key_line(void *ctx, const char *line)
{
	fprintf(ctx, "%s\n", line);
}

void
realm_key_log(struct vpn *v, FILE *f)
{
	ike_set_key_log(v->ike, key_line, f);
}
