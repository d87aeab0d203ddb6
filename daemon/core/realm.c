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
#include "daemon/core/secure.h"
#include "daemon/core/wire.h"
#include "daemon/core/work.h"
#include "daemon/ipc/msg.h"
#include "ikev2/ike.h"
#include "spi/spi_crypto.h"

#define PATH_MTU      1500 /* outer MTU assumed; larger packets are fragmented */
#define LANE_REALMS   8	   /* with more, a TAP has one queue a worker:
			    * each is a descriptor */
#define BRIDGE_MTU    1500 /* a bridged LAN expects whole Ethernet frames */

/* Largest inner packet that fits an outer packet of PATH_MTU whatever is
 * negotiated; in a bridge the LAN's MTU counts, and the outer packet is
 * fragmented where it must be. */
static unsigned
mtu_of(const struct conf_realm *cr)
{
	unsigned over = 0, o;

	if (cr->mtu != 0)
		return cr->mtu;
	if (cr->bridge != NULL)
		return BRIDGE_MTU;
	for (int alg = VPN_ALG_NONE + 1; alg < VPN_ALG_END; alg++) {
		if (cr->suite == VPN_SUITE_2026 &&
		    alg > VPN_ALG_CHACHA20_POLY1305)
			break;
		o = esp_overhead((enum vpn_alg)alg, vpn_mode_is_ip(cr->mode) ?
				 cr->mode : VPN_MODE_ETHER, VPN_ENCAP_UDP, 6);
		over = MAX(over, o);
	}
	return PATH_MTU - over;
}

int
realm_open_all(struct vpn *v)
{
	char why[IPC_WHY_MAX + 1];
	int err;

	v->realm = calloc(v->conf->n_realm + 1, sizeof(*v->realm));
	if (v->realm == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < v->conf->n_realm; i++) {
		struct vpn_realm *r = &v->realm[i];

		memset(r->tap_fd, 0xff, sizeof(r->tap_fd));
		r->vpn = v;
		r->conf = &v->conf->realm[i];
		v->n_realm = i + 1;
		r->n_lane = v->conf->n_realm <= LANE_REALMS ?
		    vpn_lanes(v->n_worker) : 1;
		err = secure_tap_open(v->secure, r, v->n_worker * r->n_lane,
				      mtu_of(r->conf), why);
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

static void
peer_params(const struct vpn *v, const struct conf_peer *p,
	    struct ike_peer_conf *out)
{
	*out = (struct ike_peer_conf){
		.index = p->index,
		.is_pattern = p->is_glob,
		.has_at = p->at != NULL,
		.has_ppk = p->ppk != NULL,
		.is_dial = p->dial,
		.mode = p->mode,
		.encap = p->encap,
	};
	share_params(v, p, out);
	inner_of_net(p->net, &out->n_ts_local, out->ts_local, &out->n_ts_remote,
		     out->ts_remote);
	if (p->ppk != NULL)
		str_copy(out->ppk, sizeof(out->ppk), p->ppk);
	str_copy(out->name, sizeof(out->name), p->name);
	str_copy(out->id, sizeof(out->id), p->id != NULL ? p->id : "*");
}

static int
engine_realm(struct vpn *v, const struct conf_realm *cr)
{
	struct ike_peer_conf *peer = calloc(cr->n_peer + 1, sizeof(*peer));
	struct ike_realm_conf rc = {
		.index = cr->index,
		.suite = cr->suite,
		.prefer = cr->cipher,
		.dpd_s = cr->dpd_s,
		.is_childless = cr->childless,
		.is_reauth = cr->reauth,
		.child_life_s = cr->child_life_s,
		.child_bytes = (uint64_t)cr->child_mib << 20,
		.child_packets = cr->child_packets,
		.ike_life_s = cr->ike_life_s,
		.dead_s = cr->dead_s,
		.n_peer = cr->n_peer,
		.peer = peer,
	};
	int err;

	if (peer == NULL)
		return ERR_NOMEM;
	str_copy(rc.name, sizeof(rc.name), cr->name);
	inner_of_net(&cr->net, &rc.n_ts_local, rc.ts_local, &rc.n_ts_remote,
		     rc.ts_remote);
	for (unsigned i = 0; i < cr->n_peer; i++)
		peer_params(v, &cr->peer[i], &peer[i]);
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

int
realm_start(struct vpn *v)
{
	struct ike_conf ic = {
		.port = (uint16_t)v->conf->port,
		.natt_port = (uint16_t)v->conf->nat_port,
		.cookie_threshold = v->conf->cookie_threshold,
		.puzzle_threshold = v->conf->puzzle_threshold,
		.puzzle_bits = (uint8_t)v->conf->puzzle_bits,
		.max_halfopen = v->conf->half_open_max,
		.frag_bytes = (uint16_t)v->conf->fragment_bytes,
		.has_ppk_int = true,
		.can_raw_esp = v->socks.raw[FAM_V4] >= 0,
		.has_qcd = v->conf->qcd,
		.kems = kems_here(),
	};
	struct esp_io io = wire_esp_io(v);
	struct ike_ops ops;
	int err;

	if ((err = work_new(&v->work, v)) != 0 ||
	    (err = esp_new(&v->esp, v->n_worker, &io, v->conf->esp_provider,
			   conf_rule_name(v->conf->rule))) != 0 ||
	    (err = wire_ike_init(v, &ops)) != 0 ||
	    (err = ike_new(&v->ike, &ic, &ops, clk_ms())) != 0)
		return err;
	for (unsigned i = 0; i < v->n_realm; i++)
		if ((err = wire_hub_realm(v, &v->realm[i])) != 0 ||
		    (err = engine_realm(v, v->realm[i].conf)) != 0)
			return err;
	return 0;
}

void
realm_announce(struct vpn *v)
{
	struct bus_rec ev;
	char mac[MAC_TEXT_MAX];

	for (unsigned i = 0; i < v->n_realm; i++) {
		bus_rec_init(&ev, BUS_EV_REALM_READY);
		bus_set_str(&ev, BUS_F_REALM, v->realm[i].conf->name);
		bus_set_str(&ev, BUS_F_TAP, v->realm[i].ifname);
		bus_set_str(&ev, BUS_F_MAC, mac_text(&v->realm[i].mac, mac));
		bus_set_str(&ev, BUS_F_BRIDGE, v->realm[i].conf->bridge);
		vpn_publish(v, &ev);
	}
}

void
realm_close_all(struct vpn *v)
{
	thr_reclaim_all();
	for (unsigned i = 0; i < v->n_realm; i++) {
		hub_free(v->realm[i].hub);
		for (unsigned k = 0; k < VPN_LANE_MAX; k++)
			if (v->realm[i].tap_fd[k] >= 0)
				close(v->realm[i].tap_fd[k]);
	}
	esp_free(v->esp);
	work_free(v->work);
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
