/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/serve_net.c - handlers of messages that change the network: TAPs,
 * their MTU and bridges, routes.
 *
 * Nothing is done that the configuration does not name: which realm has a TAP, and
 * into which networks of which peer a route may lead (security: A6).
 *
 * Thread: the only one.
 */
#include <string.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/map.h"
#include "secure-proc/serve_priv.h"

/* ---- TAPs -------------------------------------------------------------------- */

int
sec_on_tap_open(struct sec_serve *s, const struct ipc_msg *m,
		struct sa *sa UNUSED)
{
	const struct ipc_tap_open *q = &m->u.tap_open;
	const struct conf_realm *r = sec_realm_at(s, q->realm);
	char why[WHY_MAX] = "";
	struct sec_tap_req req;
	struct sec_tap tap;
	struct ipc_msg a;
	int err;

	if (r == NULL)
		return sec_refuse(s, m, ERR_NOTFOUND, "no such realm");
	if (q->n_queue == 0 || q->n_queue > IPC_FD_MAX ||
	    q->mtu < SEC_MTU_MIN || q->mtu > SEC_MTU_MAX ||
	    (q->offloads & ~IPC_TAP_ALL) != 0)
		return sec_refuse(s, m, ERR_RANGE, NULL);
	req = (struct sec_tap_req){
		.realm = r, .mac = s->c.mac[q->realm],
		.n_queue = q->n_queue, .mtu = q->mtu,
		.offloads = q->offloads,
	};
	err = s->c.net->tap_open(s->c.net->ctx, &req, &tap, why, sizeof(why));
	if (err != 0)
		return sec_refuse(s, m, err, why);	/* tapird logs it */
	ipc_msg_answer(&a, m, 0, NULL);
	a.u.tap_ok.realm = q->realm;
	a.u.tap_ok.ifindex = tap.ifindex;
	memcpy(a.u.tap_ok.ifname, tap.ifname, sizeof(tap.ifname));
	memcpy(a.u.tap_ok.mac, tap.mac.b, sizeof(tap.mac.b));
	a.u.tap_ok.mtu = tap.mtu;
	a.u.tap_ok.offloads = tap.offloads;
	a.u.tap_ok.n_fd = tap.n_fd;
	/* Our copies are closed when they are sent: the device lives exactly as
	 * long as main holds it. */
	return sec_answer(s, &a, tap.fd, tap.n_fd);
}

int
sec_on_tap_mtu(struct sec_serve *s, const struct ipc_msg *m,
	       struct sa *sa UNUSED)
{
	const struct ipc_tap_mtu *q = &m->u.tap_mtu;
	const struct conf_realm *r = sec_realm_at(s, q->realm);
	char why[WHY_MAX] = "";
	int err;

	if (r == NULL)
		return sec_refuse(s, m, ERR_NOTFOUND, "no such realm");
	if (q->mtu < SEC_MTU_MIN || q->mtu > SEC_MTU_MAX)
		return sec_refuse(s, m, ERR_RANGE, NULL);
	err = s->c.net->tap_mtu(s->c.net->ctx, r, q->mtu, why, sizeof(why));
	return sec_refuse(s, m, err, why[0] != '\0' ? why : NULL);
}

int
sec_on_tap_bridge(struct sec_serve *s, const struct ipc_msg *m,
		  struct sa *sa UNUSED)
{
	const struct conf_realm *r = sec_realm_at(s, m->u.tap_bridge.realm);
	char why[WHY_MAX] = "";
	struct ipc_msg a;
	bool has_joined;
	int err;

	if (r == NULL)
		return sec_refuse(s, m, ERR_NOTFOUND, "no such realm");
	err = s->c.net->bridge(s->c.net->ctx, r, &has_joined, why,
	    sizeof(why));
	if (err != 0)
		return sec_refuse(s, m, err, why);
	ipc_msg_answer(&a, m, 0, NULL);
	a.u.tap_bridge_ok.has_joined = has_joined;
	return sec_answer(s, &a, NULL, 0);
}

/* ---- lockdown ---------------------------------------------------------------- */

int
sec_lockdown(struct sec_serve *s)
{
	const struct conf *c = s->c.conf;
	struct sec_lock l = { .instance = s->c.instance,
			      .resolver = s->c.resolver };
	char why[WHY_MAX] = "";
	int err;

	for (unsigned i = 0; i < c->n_realm; i++)
		if (c->realm[i].lockdown)
			l.tap = c->realm[i].tap;
	err = s->c.net->lock(s->c.net->ctx, &l, why, sizeof(why));
	if (err != 0)
		log_error(WHO, "%s", why[0] != '\0' ? why : err_text(err));
	return err;
}

/* ---- routes ------------------------------------------------------------------ */

/* The address that a peer of this realm gave us; family 0: none. */
static struct ip_addr
given(const struct sec_serve *s, uint32_t realm, uint8_t family)
{
	for (unsigned i = 0; i < s->n_client; i++)
		if (s->client[i].realm == realm &&
		    s->client[i].net.addr.family == family)
			return s->client[i].net.addr;
	return (struct ip_addr){ 0 };
}

static int
route_kernel(struct sec_serve *s, uint32_t realm, const struct conf_net *net,
	     const struct ip_net *prefix, bool is_add, char *why, size_t cap)
{
	struct sec_route_req req = {
		.realm = sec_realm_at(s, realm), .net = net, .prefix = *prefix,
		.is_add = is_add,
	};

	if (req.realm == NULL)
		return ERR_NOTFOUND;
	if (net != NULL && net->is_dynamic)
		req.source = given(s, realm, prefix->addr.family);
	return s->c.net->route(s->c.net->ctx, &req, why, cap);
}

void
sec_unroute(struct sec_serve *s, uint32_t handle)
{
	struct ip_net prefix;
	uint32_t realm;

	while (sec_routes_take(&s->routes, handle, &realm, &prefix)) {
		char why[WHY_MAX] = "";

		if (sec_routes_users(&s->routes, realm, &prefix) > 0)
			continue;
		if (route_kernel(s, realm, NULL, &prefix, false, why,
		    sizeof(why)) != 0)
			log_warn(WHO, "%s", why);
	}
}

int
sec_net_read(uint8_t family, const uint8_t bytes[16], uint8_t bits,
	     struct ip_net *out)
{
	size_t len = family == 4 ? 4 : family == 6 ? 16 : 0;

	if (len == 0 || bits > len * 8)
		return ERR_RANGE;
	for (size_t i = len; i < 16; i++)
		if (bytes[i] != 0)
			return ERR_RANGE;
	out->addr = ip_from(bytes, len);
	out->bits = bits;
	return 0;
}

/* The prefix as main wrote it, or an error when it is not a clean one. */
static int
prefix_read(const struct ipc_route *q, struct ip_net *out)
{
	struct ip_addr lo, hi;
	int err = sec_net_read(q->family, q->addr, q->bits, out);

	if (err != 0)
		return err;
	ip_net_range(out, &lo, &hi);
	if (!ip_equal(&lo, &out->addr))		/* host bits are set */
		return ERR_RANGE;
	return 0;
}

/* One address that the pool of the realm can give to a client. */
static bool
is_lease(const struct conf_pool *pool, const struct ip_net *prefix)
{
	if (pool == NULL || prefix->bits != ip_len(&prefix->addr) * 8)
		return false;
	for (unsigned i = 0; i < pool->n_net; i++)
		if (ip_net_has(&pool->net[i], &prefix->addr))
			return true;
	for (unsigned i = 0; i < pool->n_lease; i++)
		for (unsigned k = 0; k < pool->lease[i].n_ip; k++)
			if (ip_equal(&pool->lease[i].ip[k], &prefix->addr))
				return true;
	return false;
}

static int
prefix_permitted(const struct conf_net *net, const struct conf_pool *pool,
		 const struct ip_net *prefix, const char **why)
{
	struct vpn_ts want = vpn_ts_from_net(prefix);
	struct vpn_ts any;

	if (prefix->bits < SEC_ROUTE_BITS_MIN && !net->is_dynamic) {
		*why = "everything goes only to a peer that gives us an address: "
		    "<net local=\"dynamic\"/>";
		return ERR_PERM;
	}
	if (!ip_is_unicast(&prefix->addr) && (prefix->bits >= SEC_ROUTE_BITS_MIN ||
	    !ip_is_any(&prefix->addr))) {
		*why = "not a network a peer can have";
		return ERR_PERM;
	}
	if (is_lease(pool, prefix) || (net->is_dynamic && net->n_remote == 0))
		return 0;
	for (unsigned i = 0; i < net->n_remote; i++) {
		/* The route carries what the selector narrows by protocol. */
		any = net->remote[i];
		any.proto = 0;
		any.port_lo = 0;
		any.port_hi = 65535;
		if (vpn_ts_covers(&any, &want))
			return 0;
	}
	*why = net->n_remote == 0 ?
	    "the configuration names no network behind this peer: "
	    "<net remote=...>" :
	    "outside of the networks the configuration permits behind this "
	    "peer";
	return ERR_PERM;
}

static int
route_add(struct sec_serve *s, const struct sa *sa, const struct conf_net *net,
	  const struct ip_net *prefix, char *why, size_t cap)
{
	uint32_t realm = sa->auth.realm;
	const char *text = NULL;
	int err;

	if ((err = prefix_permitted(net, s->c.conf->realm[realm].pool, prefix,
				    &text)) != 0) {
		snprintf(why, cap, "%s", text);
		return err;
	}
	if (sec_routes_has(&s->routes, sa->handle, realm, prefix))
		return 0;
	if (sec_routes_users(&s->routes, realm, prefix) == 0 &&
	    (err = route_kernel(s, realm, net, prefix, true, why, cap)) != 0)
		return err;
	err = sec_routes_add(&s->routes, sa->handle, realm, prefix);
	if (err == 0)
		return 0;
	snprintf(why, cap, "too many routes");
	if (sec_routes_users(&s->routes, realm, prefix) == 0 &&
	    route_kernel(s, realm, net, prefix, false, why, cap) != 0)
		log_warn(WHO, "%s", why);
	return err;
}

static int
route_remove(struct sec_serve *s, const struct sa *sa,
	     const struct ip_net *prefix, char *why, size_t cap)
{
	uint32_t realm = sa->auth.realm;

	if (!sec_routes_has(&s->routes, sa->handle, realm, prefix))
		return 0;
	sec_routes_remove(&s->routes, sa->handle, realm, prefix);
	if (sec_routes_users(&s->routes, realm, prefix) > 0)
		return 0;
	return route_kernel(s, realm, NULL, prefix, false, why, cap);
}

/* May some peer of a realm have it? */
static bool
is_of_realm(const struct sec_serve *s, uint32_t realm,
	    const struct ip_net *prefix)
{
	const struct conf_realm *r;
	const char *why;

	if (realm >= s->c.conf->n_realm)
		return false;
	r = &s->c.conf->realm[realm];
	for (unsigned i = 0; i < r->n_peer; i++)
		if (prefix_permitted(r->peer[i].net, r->pool, prefix, &why) == 0)
			return true;
	return false;
}

/* A route from before this process: nobody here knows it, and without it less
 * goes into the TAP, no more. */
static int
forget(struct sec_serve *s, const struct ipc_route *q, char *why, size_t cap)
{
	struct ip_net prefix;
	int err;

	if ((err = prefix_read(q, &prefix)) != 0 ||
	    sec_routes_users(&s->routes, q->realm, &prefix) > 0)
		return err;
	if (!is_of_realm(s, q->realm, &prefix)) {
		snprintf(why, cap, "no peer of the realm can have had it");
		return ERR_PERM;
	}
	return route_kernel(s, q->realm, NULL, &prefix, false, why, cap);
}

int
sec_on_route(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	const struct ipc_route *q = &m->u.route;
	const struct conf_peer *p;
	char why[WHY_MAX] = "";
	struct ip_net prefix;
	int err;

	if (sa == NULL && !q->is_add) {
		err = forget(s, q, why, sizeof(why));
		return sec_refuse(s, m, err, why[0] != '\0' ? why : NULL);
	}
	if (sa == NULL || !sec_auth_is_done(&sa->auth))
		return sec_refuse(s, m, ERR_PERM, "routes are for authenticated "
		    "peers");
	if (q->realm != sa->auth.realm)
		return sec_refuse(s, m, ERR_PERM, "this peer belongs to another "
		    "realm");
	if ((err = prefix_read(q, &prefix)) != 0)
		return sec_refuse(s, m, err, "not a clean prefix");
	p = &s->c.conf->realm[sa->auth.realm].peer[sa->auth.peer];
	if (q->is_add)
		err = route_add(s, sa, p->net, &prefix, why, sizeof(why));
	else
		err = route_remove(s, sa, &prefix, why, sizeof(why));
	return sec_refuse(s, m, err, why[0] != '\0' ? why : NULL);
}
