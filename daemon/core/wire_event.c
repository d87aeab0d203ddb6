/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire_event.c - what the IKE engine tells of links -> events of the
 * bus, in words.
 *
 * Thread: the loop.
 */
#include "daemon/core/wire.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"
#include "daemon/core/pool.h"
#include "ikev2/ike.h"

#define METHOD_PSK    2		/* RFC 7296 3.8 */
#define SILENT_S      2	/* less than that is not silence; ours */
#define EXPIRY_WARN_S (14u * 24 * 3600) /* a certificate's end is near; ours */

struct wire_event {
	bool was_up[VPN_LINK_MAX];	/* or has said why not */
	uint64_t up_ms[VPN_LINK_MAX];	/* since when; 0 = it is not */
};

void
wire_event_peer(struct bus_rec *r, enum bus_row row, const struct vpn *v,
		const struct ike_link_info *info)
{
	char text[IP_TEXT_MAX];

	bus_rec_init(r, row);
	bus_set_str(r, BUS_F_REALM, vpn_realm_name(v, info->realm));
	bus_set_str(r, BUS_F_PEER, info->name);
	if (bus_has(r, BUS_F_REMOTE) && info->remote.ip.family != 0)
		bus_set_str(r, BUS_F_REMOTE, net_ep_text(&info->remote, text));
}

const char *
wire_ts_text(const struct vpn_ts *ts, unsigned n, char *out, size_t cap)
{
	char one[VPN_TS_TEXT_MAX];

	out[0] = '\0';
	for (unsigned i = 0; i < n; i++)
		str_add(out, cap, "%s%s", i > 0 ? " " : "",
			vpn_ts_text(&ts[i], one));
	return out;
}

static const char *
alg_name(enum vpn_alg alg)
{
	const struct vpn_alg_info *info = vpn_alg_info(vpn_alg_explicit(alg));

	return info != NULL ? info->name : "";
}

void
wire_event_proof(struct bus_rec *r, const struct ike_link_info *info)
{
	if (info->peer_method == 0)
		return;
	bus_set_str(r, BUS_F_AUTH, info->peer_method == METHOD_PSK ? "psk" :
		    info->peer_method == IKE_METHOD_EAP ? "eap" :
		    info->subject[0] != '\0' ? "cert" : "key");
	bus_set_str(r, BUS_F_CERT_SUBJECT, info->subject);
	bus_set_u64(r, BUS_F_CERT_UNTIL, info->not_after_s);
}

static void
peer_up(struct bus_rec *r, const struct ike_link_info *info)
{
	bus_set_str(r, BUS_F_ID, info->id);
	wire_event_proof(r, info);
	bus_set_str(r, BUS_F_MODE, vpn_mode_name(info->mode));
	bus_set_str(r, BUS_F_ENCAP, vpn_encap_name(info->encap));
	bus_set_str(r, BUS_F_SUITE, alg_name(info->alg));
	bus_set_str(r, BUS_F_IKE_SUITE, info->ike_suite);
	bus_set_str(r, BUS_F_NAT, info->is_nat_here && info->is_nat_there ?
		    "both" : info->is_nat_here ? "here" :
		    info->is_nat_there ? "there" : "none");
}

/* A tunnel that will not come up again after its peer's certificate ended is
 * better known before. */
static void
warn_expiry(struct vpn *v, const struct ike_link_info *info)
{
	uint64_t now = (uint64_t)clk_wall_s();
	struct bus_rec r;

	if (info->not_after_s == 0 || info->not_after_s > now + EXPIRY_WARN_S)
		return;
	wire_event_peer(&r, BUS_EV_WARNING, v, info);
	bus_set_str(&r, BUS_F_CODE, "certificate-ends");
	bus_set_str(&r, BUS_F_TEXT, "the certificate of this peer ends in less "
		    "than 14 days; have it renewed");
	vpn_publish(v, &r);
}

/* It never came up: what the administrator may look at. */
static void
peer_failed(struct bus_rec *r, const char *why)
{
	static const struct {
		const char *in, *code, *hint;
	} row[] = {
		{ "NO_PROPOSAL_CHOSEN", "no-proposal",
		  "no algorithms in common: compare suite= with the proposal "
		  "of the peer" },
		{ "TS_UNACCEPTABLE", "selectors",
		  "compare <net> of both ends" },
		{ "not answer", "no-answer",
		  "check at=, and UDP ports 500 and 4500 in the firewalls" },
		{ "no route", "no-route", "check the routes of this machine" },
		{ "", "failed", "the peer's log may say more" },
	};
	unsigned i = 0;

	while (strstr(why, row[i].in) == NULL)
		i++;
	bus_set_str(r, BUS_F_CODE, row[i].code);
	bus_set_str(r, BUS_F_WHY, why);
	bus_set_str(r, BUS_F_HINT, row[i].hint);
}

/* What to compare when one end did not believe the other. */
static const char *
auth_hint(const struct vpn *v, const struct ike_link_info *info)
{
	const struct vpn_peer *vp = vpn_peer_at(v, info->realm, info->peer);
	const struct conf_peer *p;

	if (vp == NULL)
		return "compare both ends";
	p = vp->conf;
	if (p->own_auth == CONF_AUTH_PSK && p->auth == CONF_AUTH_PSK)
		return "compare id= and the psk file of both ends";
	if (p->own_auth == CONF_AUTH_EAP)
		return "compare eap= of <me> and its password with what the "
		    "gateway has, and ca= with who issued its certificate";
	if (p->auth == CONF_AUTH_EAP)
		return "compare the password with the users file";
	return "compare id= with the names in the certificates, and ca= with "
	    "who issued them, at both ends";
}

/* Note what an event says; was the link up before, or has said why not? */
static bool
note_up(bool *was_up, int what)
{
	bool before = *was_up;

	if (what == IKE_LINK_UP || what == IKE_LINK_AUTH_FAILED ||
	    what == IKE_LINK_ASKS)
		*was_up = true;
	else if (what == IKE_LINK_DOWN || what == IKE_LINK_GONE)
		*was_up = false;
	return before;
}

/* Note when a link came up; how long it was, once it is down. */
static uint64_t
up_time(uint64_t *up_ms, int what)
{
	uint64_t was = *up_ms, now = clk_ms();

	if (what == IKE_LINK_UP)
		*up_ms = now;
	else if (what == IKE_LINK_DOWN || what == IKE_LINK_GONE)
		*up_ms = 0;
	return was == 0 ? 0 : now - was;
}

/* How long nothing authentic came of a peer. */
static uint64_t
silence_s(struct vpn *v, const struct ike_link_info *info)
{
	struct esp_child_stats st;
	uint64_t now = clk_ms(), last = info->seen.heard_ms;

	esp_link_stats_get(v->esp, info->link, &st);
	last = MAX(last, st.last_in_ms);
	return (now - MIN(now, last)) / 1000;
}

/* A question stays without an answer; packets may come all the same. */
static void
peer_suspect(struct bus_rec *r, struct vpn *v, const struct ike_link_info *info)
{
	uint64_t idle_s = silence_s(v, info);
	char remote[IP_TEXT_MAX], text[128] = "";

	net_ep_text(&info->remote, remote);
	if (idle_s >= SILENT_S)
		str_add(text, sizeof(text), "nothing from %s for %llu s", remote,
			(unsigned long long)idle_s);
	else
		str_add(text, sizeof(text), "%s leaves a question of IKE without "
			"an answer; other packets came until now", remote);
	bus_set_u64(r, BUS_F_IDLE_S, idle_s);
	bus_set_str(r, BUS_F_WHY, text);
}

void
wire_event_link(void *ctx, uint32_t link, int what, const char *why)
{
	static const enum bus_row row[] = {
		[IKE_LINK_CONNECTING] = BUS_EV_PEER_CONNECTING,
		[IKE_LINK_UP] = BUS_EV_PEER_UP,
		[IKE_LINK_SUSPECT] = BUS_EV_PEER_SUSPECT,
		[IKE_LINK_DOWN] = BUS_EV_PEER_DOWN,
		[IKE_LINK_REKEYED] = BUS_EV_PEER_REKEYED,
		[IKE_LINK_AUTH_FAILED] = BUS_EV_AUTH_FAILED,
		[IKE_LINK_GONE] = BUS_EV_PEER_DOWN,
		[IKE_LINK_ALIVE] = BUS_EV_PEER_ALIVE,
		[IKE_LINK_MOVED] = BUS_EV_PEER_MOVED,
		[IKE_LINK_ROAMED] = BUS_EV_PEER_ROAMED,
		[IKE_LINK_SENT] = BUS_EV_PEER_SENT,
		[IKE_LINK_EXPELLED] = BUS_EV_PEER_EXPELLED,
		[IKE_LINK_ASKS] = BUS_EV_PEER_ASKS,
	};
	struct vpn *v = ctx;
	struct ike_link_info info = { .realm = UINT32_MAX };
	char ip[IP_TEXT_MAX];
	struct bus_rec r;
	bool was_up, is_failed;
	uint64_t up_ms;

	if (what < 0 || (size_t)what >= N_OF(row) || link >= VPN_LINK_MAX)
		return;
	was_up = note_up(&v->wire_event->was_up[link], what);
	up_ms = up_time(&v->wire_event->up_ms[link], what);
	is_failed = what == IKE_LINK_DOWN && !was_up && *why != '\0';
	(void)ike_link_get(v->ike, link, &info);
	if (what == IKE_LINK_DOWN || what == IKE_LINK_GONE)
		pools_end(v->pools, vpn_realm_name(v, info.realm), info.id);
	if (what == IKE_LINK_GONE && !was_up)
		return;		/* it was said when it went down */
	wire_event_peer(&r, is_failed ? BUS_EV_PEER_FAILED : row[what], v, &info);
	switch ((enum ike_link_event)what) {
	case IKE_LINK_UP:
		peer_up(&r, &info);
		break;
	case IKE_LINK_REKEYED:
		bus_set_str(&r, BUS_F_WHAT, why);
		bus_set_str(&r, BUS_F_SUITE, strcmp(why, "ike") == 0 ?
			    info.ike_suite : alg_name(info.alg));
		break;
	case IKE_LINK_AUTH_FAILED:
		bus_set_str(&r, BUS_F_ID, info.id);
		bus_set_str(&r, BUS_F_HINT, auth_hint(v, &info));
		bus_set_str(&r, BUS_F_WHY, why);
		break;
	case IKE_LINK_ASKS:
		bus_set_str(&r, BUS_F_WHY, why);
		bus_set_str(&r, BUS_F_HINT, "tapir up asks for it, and so does "
			    "Connect in the browser");
		break;
	case IKE_LINK_DOWN:
	case IKE_LINK_GONE:
		if (is_failed) {
			peer_failed(&r, why);
			break;
		}
		bus_set_str(&r, BUS_F_WHY, why);
		bus_set_u64(&r, BUS_F_UP_S, up_ms / 1000);
		break;
	case IKE_LINK_SUSPECT:
		peer_suspect(&r, v, &info);
		break;
	case IKE_LINK_MOVED:
		bus_set_str(&r, BUS_F_OLD_REMOTE, why);
		break;
	case IKE_LINK_ROAMED:
		bus_set_str(&r, BUS_F_LOCAL, ip_text(&info.local.ip, ip));
		bus_set_str(&r, BUS_F_OLD_LOCAL, why);
		break;
	case IKE_LINK_SENT:
		bus_set_str(&r, BUS_F_WHAT, why);
		break;
	case IKE_LINK_EXPELLED:
		bus_set_str(&r, BUS_F_ID, info.id);
		bus_set_str(&r, BUS_F_WHY, why);
		break;
	case IKE_LINK_CONNECTING:
	case IKE_LINK_ALIVE:
		break;
	}
	vpn_publish(v, &r);
	if (what == IKE_LINK_UP)
		warn_expiry(v, &info);
}

/* A peer that dialled us and has no link: only its own word says who it is. */
void
wire_event_refused(void *ctx, const struct net_ep *remote, const char *id,
		const char *why)
{
	char text[IP_TEXT_MAX];
	struct bus_rec r;

	bus_rec_init(&r, BUS_EV_AUTH_FAILED);
	bus_set_str(&r, BUS_F_REMOTE, net_ep_text(remote, text));
	bus_set_str(&r, BUS_F_ID, id);
	bus_set_str(&r, BUS_F_WHY, why);
	bus_set_str(&r, BUS_F_HINT, "the peer is told only that it failed");
	vpn_publish(ctx, &r);
}

void
wire_event_child_up(struct vpn *v, uint32_t link, const struct vpn_child *c)
{
	struct ike_link_info info = { .realm = c->realm };
	char text[BUS_STR_MAX];
	struct bus_rec r;

	(void)ike_link_get(v->ike, link, &info);
	wire_event_peer(&r, BUS_EV_CHILD_UP, v, &info);
	bus_set_u64(&r, BUS_F_SPI_IN, c->esp_spi_in);
	bus_set_u64(&r, BUS_F_SPI_OUT, c->esp_spi_out);
	bus_set_str(&r, BUS_F_MODE, vpn_mode_name(c->mode));
	bus_set_str(&r, BUS_F_ENCAP, vpn_encap_name(c->path.encap));
	bus_set_str(&r, BUS_F_SUITE, alg_name(c->alg));
	bus_set_str(&r, BUS_F_TS_LOCAL, wire_ts_text(c->ts_local,
		    c->n_ts_local, text, sizeof(text)));
	bus_set_str(&r, BUS_F_TS_REMOTE, wire_ts_text(c->ts_remote,
		    c->n_ts_remote, text, sizeof(text)));
	vpn_publish(v, &r);
}

void
wire_event_child_down(struct vpn *v, uint32_t link, uint32_t child_id)
{
	struct ike_link_info info;
	struct ike_child_info ci = { 0 };
	struct bus_rec r;
	uint32_t it = 0;

	if (!ike_link_get(v->ike, link, &info))
		return;
	while (ike_child_visit(v->ike, link, &it, &ci) && ci.id != child_id)
		continue;
	if (ci.id != child_id)
		return;
	wire_event_peer(&r, BUS_EV_CHILD_DOWN, v, &info);
	bus_set_u64(&r, BUS_F_SPI_IN, ci.esp_spi_in);
	bus_set_u64(&r, BUS_F_SPI_OUT, ci.esp_spi_out);
	bus_set_str(&r, BUS_F_WHY, info.n_child > 1 ? "others take its place" :
		    "the last one of its peer");
	vpn_publish(v, &r);
}

/* ---- start and end ------------------------------------------------------- */

int
wire_event_new(struct wire_event **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? 0 : ERR_NOMEM;
}

void
wire_event_free(struct wire_event *we)
{
	free(we);
}
