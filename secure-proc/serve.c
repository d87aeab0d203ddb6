/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/serve.c - dispatch of secure.def: message -> handler.
 *
 * Violations (a message that is not in the table or not permitted now, wrong
 * credentials, a descriptor, a malformed datagram) end the process, and with it
 * its partner.  Everything else that cannot be done is an answer with an error.
 *
 * Thread: the only one.
 */
#include "secure-proc/serve.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/map.h"
#include "daemon/base/secret.h"
#include "daemon/ipc/chan.h"
#include "daemon/ipc/gate.h"
#include "secure-proc/keys/auth.h"
#include "secure-proc/keys/ppk.h"
#include "secure-proc/keys/token.h"
#include "secure-proc/route_table.h"
#include "secure-proc/verify/link.h"

#define WHO	    "secure"
#define WHY_MAX	    IPC_WHY_MAX
#define BATCH	    64	/* datagrams before answers are flushed */
#define CERTREQ_MAX 8192 /* bytes of CERTREQ bodies, as secure.def has it */
#define ROUTE_BITS_MIN 8 /* shorter prefixes need policy routing */

struct sa {
	uint32_t handle;
	uint64_t seen;		/* IPC_ONCE_SA messages */
	uint64_t asked;		/* number of its question, or 0 */
	struct sec_auth auth;
};
/* A VERIFY that the verify child has, or will have. */
struct asked {
	uint64_t number;	/* of the question */
	uint64_t ticket;
	uint32_t handle;
	bool is_closed;		/* the IKE SA ended meanwhile */
	char id[SEC_ID_TEXT_MAX];
};
struct sec_serve {
	struct sec_serve_conf c;
	struct sec_keys keys;
	struct ipc_gate gate;
	struct map *sa;		/* handle -> struct sa */
	struct map *asked;	/* number -> struct asked */
	uint64_t last_number;
	int fatal;		/* an answer could not be sent */
	struct sec_routes routes;
	sec_send_fn *send;
	void *send_ctx;
	uint8_t digest[IPC_DIGEST_LEN];
};

/* A handler: sends its answer itself.  sa is NULL for messages without handle
 * and for handles nobody has heard of. */
typedef int handler_fn(struct sec_serve *s, const struct ipc_msg *m,
		       struct sa *sa);

/* The gate hears of every answer: HELLO_OK opens it. */
static int
answer(struct sec_serve *s, const struct ipc_msg *m, const int *fds,
       unsigned n_fd)
{
	int err = ipc_gate_out(&s->gate, m);

	if (err == 0)
		return s->send(s->send_ctx, m, fds, n_fd);
	for (unsigned i = 0; i < n_fd; i++)
		close(fds[i]);
	return err;
}

static int
refuse(struct sec_serve *s, const struct ipc_msg *m, int err, const char *why)
{
	struct ipc_msg a;

	ipc_msg_answer(&a, m, err, why);
	return answer(s, &a, NULL, 0);
}

static const struct conf_realm *
realm_at(const struct sec_serve *s, uint32_t realm)
{
	return realm < s->c.conf->n_realm ? &s->c.conf->realm[realm] : NULL;
}

/* ---- handlers ---------------------------------------------------------------- */

static int
on_hello(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa UNUSED)
{
	const struct ipc_hello *q = &m->u.hello;
	struct ipc_msg a;

	if (q->version != IPC_VERSION ||
	    memcmp(q->digest, s->digest, sizeof(s->digest)) != 0) {
		log_error(WHO, "tapird and tapir-secure are not of one build: "
		    "install both again");
		return ERR_VERSION;
	}
	ipc_msg_answer(&a, m, 0, NULL);
	a.u.hello_ok.version = IPC_VERSION;
	memcpy(a.u.hello_ok.digest, s->digest, sizeof(s->digest));
	a.u.hello_ok.n_realm = s->c.conf->n_realm;
	a.u.hello_ok.features = s->c.features;
	return answer(s, &a, NULL, 0);
}

static int
on_tap_open(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa UNUSED)
{
	const struct ipc_tap_open *q = &m->u.tap_open;
	const struct conf_realm *r = realm_at(s, q->realm);
	char why[WHY_MAX] = "";
	struct sec_tap_req req;
	struct sec_tap tap;
	struct ipc_msg a;
	int err;

	if (r == NULL)
		return refuse(s, m, ERR_NOTFOUND, "no such realm");
	if (q->n_queue == 0 || q->n_queue > IPC_FD_MAX ||
	    q->mtu < SEC_MTU_MIN || q->mtu > SEC_MTU_MAX ||
	    (q->offloads & ~IPC_TAP_ALL) != 0)
		return refuse(s, m, ERR_RANGE, NULL);
	req = (struct sec_tap_req){
		.realm = r, .mac = s->c.mac[q->realm],
		.n_queue = q->n_queue, .mtu = q->mtu,
		.offloads = q->offloads,
	};
	err = s->c.net->tap_open(s->c.net->ctx, &req, &tap, why, sizeof(why));
	if (err != 0)
		return refuse(s, m, err, why);	/* tapird logs it */
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
	return answer(s, &a, tap.fd, tap.n_fd);
}

static int
on_tap_mtu(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa UNUSED)
{
	const struct ipc_tap_mtu *q = &m->u.tap_mtu;
	const struct conf_realm *r = realm_at(s, q->realm);
	char why[WHY_MAX] = "";
	int err;

	if (r == NULL)
		return refuse(s, m, ERR_NOTFOUND, "no such realm");
	if (q->mtu < SEC_MTU_MIN || q->mtu > SEC_MTU_MAX)
		return refuse(s, m, ERR_RANGE, NULL);
	err = s->c.net->tap_mtu(s->c.net->ctx, r, q->mtu, why, sizeof(why));
	return refuse(s, m, err, why[0] != '\0' ? why : NULL);
}

/* What we ask of this peer, as initiator. */
static struct view
certreq_of(struct sec_serve *s, const struct sec_auth *a, uint8_t *buf,
	   size_t cap)
{
	const struct conf_peer *p =
	    &s->c.conf->realm[a->realm].peer[a->peer];
	struct view v = { buf, 0 };

	if (s->c.trust != NULL && a->is_initiator &&
	    p->auth == CONF_AUTH_CERT)
		v.len = sec_trust_certreq(s->c.trust, a->realm, a->peer, buf,
		    cap);
	return v;
}

static int
on_sign(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	char why[WHY_MAX] = "";
	uint8_t certreq[CERTREQ_MAX];
	struct sec_signed out;
	struct ipc_msg a;
	int err;

	err = sec_auth_sign(&s->keys, &sa->auth, &m->u.sign, &out, why,
	    sizeof(why));
	if (err != 0)
		return refuse(s, m, err, why);
	ipc_msg_answer(&a, m, 0, NULL);
	a.u.sign_ok.id_own = (struct view){ out.id_own, out.id_own_len };
	a.u.sign_ok.id_peer = (struct view){ out.id_peer, out.id_peer_len };
	a.u.sign_ok.method = out.method;
	a.u.sign_ok.cert = out.cert;
	a.u.sign_ok.certreq = certreq_of(s, &sa->auth, certreq,
	    sizeof(certreq));
	a.u.sign_ok.auth = (struct view){ out.auth, out.auth_len };
	return answer(s, &a, NULL, 0);
}

static int
on_ppk(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	char why[WHY_MAX] = "";
	struct sec_ppk out;
	struct ipc_msg a;
	int err;

	(void)sa;
	err = sec_ppk_mix(&s->keys, &m->u.ppk, &out, why, sizeof(why));
	ipc_msg_answer(&a, m, err, why);
	a.u.ppk_ok.is_required = out.is_required;
	if (err == 0) {
		a.u.ppk_ok.ppk_id = (struct view){ out.id, out.id_len };
		a.u.ppk_ok.sk_d = (struct view){ out.sk_d, out.len };
		a.u.ppk_ok.sk_pi = (struct view){ out.sk_pi, out.p_len };
		a.u.ppk_ok.sk_pr = (struct view){ out.sk_pr, out.p_len };
		a.u.ppk_ok.confirm = (struct view){ out.confirm, out.n_confirm };
	}
	err = answer(s, &a, NULL, 0);
	wipe(&out, sizeof(out));
	return err;
}

/* Hand a VERIFY to the child; its answer comes to on_checked(). */
static int
verify_ask(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa,
	   const struct sec_auth_asked *with, const char *id)
{
	const struct ipc_verify *v = &m->u.verify;
	const struct sec_check q = {
		.realm = sa->auth.realm, .peer = sa->auth.peer,
		.now = clk_wall_s(), .method = v->method, .id = v->id_peer,
		.cert = v->cert, .auth = v->auth, .init_msg = v->init_msg,
		.nonce = v->nonce,
		.maced_id = { with->maced_id, with->maced_id_len },
	};
	struct asked *a;
	int err;

	if (s->c.link == NULL)
		return ERR_STATE;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return ERR_NOMEM;
	a->number = ++s->last_number;
	a->ticket = m->ticket;
	a->handle = m->handle;
	memcpy(a->id, id, strlen(id) + 1);
	if ((err = map_add(s->asked, &a->number, a)) != 0) {
		free(a);
		return err;
	}
	sa->asked = a->number;
	err = sec_link_ask(s->c.link, a->number, &q, clk_ms());
	if (err != 0) {
		map_remove(s->asked, &a->number);
		free(a);
		sa->asked = 0;
	}
	return err;
}

/* The child has looked. */
static void
on_checked(void *ctx, uint64_t number, const struct sec_checked *c)
{
	struct sec_serve *s = ctx;
	struct asked *q = map_remove(s->asked, &number);
	struct ipc_msg req, a;
	char why[WHY_MAX];
	struct sa *sa;
	int err = c->err;

	if (q == NULL)
		return;
	ipc_msg_init(&req, IPC_VERIFY);
	req.ticket = q->ticket;
	req.handle = q->handle;
	sa = q->is_closed ? NULL : map_find(s->sa, &q->handle);
	if (sa == NULL) {
		err = refuse(s, &req, ERR_STATE, "the IKE SA is gone");
	} else if ((sa->asked = 0, sec_auth_verified(&sa->auth, err)) != 0) {
		snprintf(why, sizeof(why), "peer \"%.60s\": %.180s", q->id,
		    c->why);
		err = refuse(s, &req, err != 0 ? err : ERR_STATE, why);
	} else {
		ipc_msg_answer(&a, &req, 0, NULL);
		a.u.verify_ok.realm = sa->auth.realm;
		a.u.verify_ok.peer = sa->auth.peer;
		a.u.verify_ok.not_after = (uint64_t)c->not_after;
		memcpy(a.u.verify_ok.id_text, q->id, strlen(q->id) + 1);
		memcpy(a.u.verify_ok.subject, c->subject,
		    strlen(c->subject) + 1);
		err = answer(s, &a, NULL, 0);
	}
	if (err != 0)
		s->fatal = err;
	free(q);
}

static int
on_verify(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	char why[WHY_MAX] = "", id[SEC_ID_TEXT_MAX];
	struct sec_auth_asked asked;
	struct ipc_msg a;
	int err;

	err = sec_auth_verify(&s->keys, &sa->auth, &m->u.verify, id, &asked,
	    why, sizeof(why));
	if (err == ERR_AGAIN) {
		err = verify_ask(s, m, sa, &asked, id);
		wipe(&asked, sizeof(asked));
		if (err == 0)
			return s->fatal;
		(void)!sec_auth_verified(&sa->auth, err);
		return refuse(s, m, err, err == ERR_FULL ? "too many "
		    "certificates wait to be looked at" : NULL);
	}
	if (err != 0)
		return refuse(s, m, err, why);
	ipc_msg_answer(&a, m, 0, NULL);
	a.u.verify_ok.realm = sa->auth.realm;
	a.u.verify_ok.peer = sa->auth.peer;
	memcpy(a.u.verify_ok.id_text, id, strlen(id) + 1);
	return answer(s, &a, NULL, 0);
}

/* ---- routes ------------------------------------------------------------------ */

static int
route_kernel(struct sec_serve *s, uint32_t realm, const struct conf_net *net,
	     const struct ip_net *prefix, bool is_add, char *why, size_t cap)
{
	struct sec_route_req req = {
		.realm = realm_at(s, realm), .net = net, .prefix = *prefix,
		.is_add = is_add,
	};

	if (req.realm == NULL)
		return ERR_NOTFOUND;
	return s->c.net->route(s->c.net->ctx, &req, why, cap);
}

static void
routes_release(struct sec_serve *s, uint32_t handle)
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

/* The prefix as main wrote it, or an error when it is not a clean one. */
static int
prefix_read(const struct ipc_route *q, struct ip_net *out)
{
	size_t len = q->family == 4 ? 4 : q->family == 6 ? 16 : 0;
	struct ip_addr lo, hi;

	if (len == 0 || q->bits > len * 8)
		return ERR_RANGE;
	for (size_t i = len; i < sizeof(q->addr); i++)
		if (q->addr[i] != 0)
			return ERR_RANGE;
	out->addr = ip_from(q->addr, len);
	out->bits = q->bits;
	ip_net_range(out, &lo, &hi);
	if (!ip_equal(&lo, &out->addr))		/* host bits are set */
		return ERR_RANGE;
	return 0;
}

static int
prefix_permitted(const struct conf_net *net, const struct ip_net *prefix,
		 const char **why)
{
	struct vpn_ts want = vpn_ts_from_net(prefix);
	struct vpn_ts any;

	if (prefix->bits < ROUTE_BITS_MIN) {
		*why = "a default route into the tunnel would also catch the "
		    "tunnel's own packets: that needs policy routing, which is "
		    "not done here";
		return ERR_PERM;
	}
	if (!ip_is_unicast(&prefix->addr)) {
		*why = "not a network a peer can have";
		return ERR_PERM;
	}
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

	if ((err = prefix_permitted(net, prefix, &text)) != 0) {
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

static int
on_route(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	const struct ipc_route *q = &m->u.route;
	const struct conf_peer *p;
	char why[WHY_MAX] = "";
	struct ip_net prefix;
	int err;

	if (sa == NULL || !sec_auth_is_done(&sa->auth))
		return refuse(s, m, ERR_PERM, "routes are for authenticated "
		    "peers");
	if (q->realm != sa->auth.realm)
		return refuse(s, m, ERR_PERM, "this peer belongs to another "
		    "realm");
	if ((err = prefix_read(q, &prefix)) != 0)
		return refuse(s, m, err, "not a clean prefix");
	p = &s->c.conf->realm[sa->auth.realm].peer[sa->auth.peer];
	if (q->is_add)
		err = route_add(s, sa, p->net, &prefix, why, sizeof(why));
	else
		err = route_remove(s, sa, &prefix, why, sizeof(why));
	return refuse(s, m, err, why[0] != '\0' ? why : NULL);
}

static int
on_close(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	struct asked *q;

	if (sa == NULL)
		return 0;		/* an SA that never got to a question */
	if ((q = map_find(s->asked, &sa->asked)) != NULL)
		q->is_closed = true;
	routes_release(s, m->handle);
	map_remove(s->sa, &m->handle);
	wipe(sa, sizeof(*sa));
	free(sa);
	return 0;
}

/* ---- certificates ------------------------------------------------------------ */

static int
on_ca_list(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa UNUSED)
{
	uint8_t certreq[CERTREQ_MAX], ann[512];
	struct ipc_msg a;

	ipc_msg_answer(&a, m, 0, NULL);
	a.u.ca_list_ok.certreq.p = certreq;
	a.u.ca_list_ok.auth_ann.p = ann;
	if (s->c.trust != NULL)
		a.u.ca_list_ok.certreq.len = sec_trust_certreq(s->c.trust,
		    UINT32_MAX, UINT32_MAX, certreq, sizeof(certreq));
	a.u.ca_list_ok.auth_ann.len = sec_trust_methods(s->c.trust, s->c.conf,
	    ann, sizeof(ann));
	return answer(s, &a, NULL, 0);
}

/* ---- quick crash detection, RFC 6290 ----------------------------------------- */

static int
on_token(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa UNUSED)
{
	const struct ipc_token *q = &m->u.token;
	uint8_t token[SEC_TOKEN_LEN];
	struct ipc_msg a;
	int err;

	if (s->c.token == NULL)
		return refuse(s, m, ERR_UNSUP, "no tokens are made here");
	if (q->ispi == 0 || q->rspi == 0)
		return refuse(s, m, ERR_RANGE, NULL);
	if ((err = sec_token_make(s->c.token, q->ispi, q->rspi, token)) != 0)
		return refuse(s, m, err, NULL);
	ipc_msg_answer(&a, m, 0, NULL);
	a.u.token_ok.token = (struct view){ token, sizeof(token) };
	return answer(s, &a, NULL, 0);
}

static handler_fn *const handlers[IPC_TYPE_END] = {
	[IPC_HELLO] = on_hello,
	[IPC_TAP_OPEN] = on_tap_open,
	[IPC_SIGN] = on_sign,
	[IPC_VERIFY] = on_verify,
	[IPC_CLOSE] = on_close,
	[IPC_PPK] = on_ppk,
	[IPC_ROUTE] = on_route,
	[IPC_TAP_MTU] = on_tap_mtu,
	[IPC_CA_LIST] = on_ca_list,
	[IPC_TOKEN] = on_token,
};

/* ---- dispatch ---------------------------------------------------------------- */

/* The SA a message names.  SIGN, VERIFY and PPK make it known; *out stays NULL for
 * others.  0, ERR_FULL or ERR_NOMEM. */
static int
sa_of(struct sec_serve *s, const struct ipc_msg *m, struct sa **out,
      bool *is_new)
{
	struct sa *sa;
	int err;

	*is_new = false;
	*out = m->handle != 0 ? map_find(s->sa, &m->handle) : NULL;
	if (*out != NULL || (m->type != IPC_SIGN && m->type != IPC_VERIFY &&
	    m->type != IPC_PPK))
		return 0;
	if ((sa = calloc(1, sizeof(*sa))) == NULL)
		return ERR_NOMEM;
	sa->handle = m->handle;
	if ((err = map_add(s->sa, &m->handle, sa)) != 0) {
		free(sa);
		return err;
	}
	*out = sa;
	*is_new = true;
	return 0;
}

static int
dispatch(struct sec_serve *s, const struct ipc_msg *m, unsigned n_fd,
	 uint64_t now_ms)
{
	uint64_t full = 0;
	struct sa *sa;
	bool is_new;
	int err, sa_err;

	sa_err = sa_of(s, m, &sa, &is_new);
	err = ipc_gate_in(&s->gate, m, sa != NULL ? &sa->seen :
	    sa_err != 0 ? &full : NULL, n_fd, now_ms);
	if (err != 0 && is_new) {
		map_remove(s->sa, &m->handle);
		free(sa);
	}
	if (err == ERR_AGAIN && ipc_has_answer(m->type))
		return refuse(s, m, ERR_AGAIN, NULL);
	if (err != 0) {
		log_error(WHO, "tapird sent %s, which is not permitted now: "
		    "ending", ipc_name(m->type));
		return err;
	}
	if (sa_err != 0)
		return refuse(s, m, sa_err, NULL);
	return handlers[m->type](s, m, sa);
}

/* ---- public ------------------------------------------------------------------ */

int
sec_serve_new(struct sec_serve **out, const struct sec_serve_conf *c,
	      sec_send_fn *send, void *send_ctx, uint64_t now_ms)
{
	struct sec_serve *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL)
		return ERR_NOMEM;
	s->c = *c;
	s->keys.conf = c->conf;
	s->keys.store = c->store;
	s->send = send;
	s->send_ctx = send_ctx;
	if ((err = ipc_digest(s->digest)) == 0 &&
	    (err = ipc_gate_init(&s->gate, IPC_SECURE, now_ms)) == 0)
		err = map_new(&s->sa, sizeof(uint32_t), SEC_SA_MAX);
	if (err == 0)
		err = map_new(&s->asked, sizeof(uint64_t),
		    2 * SEC_LINK_ASKS_MAX);
	if (err == 0 && c->link != NULL)
		sec_link_to(c->link, on_checked, s);
	if (err != 0) {
		sec_serve_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void
sec_serve_free(struct sec_serve *s)
{
	struct asked *q;
	struct sa *sa;
	size_t it = 0;

	if (s == NULL)
		return;
	while (s->asked != NULL && (q = map_next(s->asked, &it)) != NULL) {
		map_remove(s->asked, &q->number);
		free(q);
	}
	map_free(s->asked);
	it = 0;
	while (s->sa != NULL && (sa = map_next(s->sa, &it)) != NULL) {
		map_remove(s->sa, &sa->handle);
		wipe(sa, sizeof(*sa));
		free(sa);
	}
	map_free(s->sa);
	sec_routes_fini(&s->routes);
	ipc_gate_fini(&s->gate);
	free(s);
}

int
sec_serve_input(struct sec_serve *s, struct view bytes, unsigned n_fd,
		uint64_t now_ms)
{
	struct ipc_msg m;
	int err;

	if ((err = ipc_msg_decode(&m, bytes.p, bytes.len)) != 0) {
		log_error(WHO, "tapird sent %zu bytes that are no message: "
		    "%s: ending", bytes.len, err_text(err));
		return err;
	}
	return dispatch(s, &m, n_fd, now_ms);
}

size_t
sec_serve_sas(const struct sec_serve *s)
{
	return map_count(s->sa);
}

/* ---- the loop ---------------------------------------------------------------- */

struct link {
	struct ipc_chan *chan;
	struct sec_serve *serve;
};

static int
link_send(void *ctx, const struct ipc_msg *m, const int *fds, unsigned n_fd)
{
	struct link *l = ctx;
	int err = ipc_post(l->chan, NULL, m, fds, n_fd);

	if (err == ERR_FULL)
		log_error(WHO, "tapird does not read its answers: ending");
	else if (err != 0 && err != ERR_CLOSED)
		log_error(WHO, "answer %s cannot be sent: %s",
		    ipc_name(m->type), err_text(err));
	return err;
}

/* 0: nothing more for now. */
static int
link_read(struct link *l)
{
	struct view v;
	unsigned n_fd = 0;
	int err;

	for (unsigned i = 0; i < BATCH; i++) {
		err = ipc_chan_recv(l->chan, &v, NULL, &n_fd);
		if (err == ERR_AGAIN)
			return 0;
		if (err != 0) {
			if (err != ERR_CLOSED)
				log_error(WHO, "channel: %s: ending",
				    err_text(err));
			return err;
		}
		err = sec_serve_input(l->serve, v, n_fd, clk_ms());
		ipc_chan_done(l->chan);
		if (err != 0)
			return err;
	}
	return 0;
}

static int
link_loop(struct link *l, int stop_fd)
{
	struct sec_link *verify = l->serve->c.link;
	struct pollfd p[3] = {
		{ .fd = ipc_chan_fd(l->chan) },
		{ .fd = stop_fd, .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
	};
	int err, wait_ms = -1;

	for (;;) {
		if (verify != NULL) {
			p[2].fd = sec_link_fd(verify);
			wait_ms = sec_link_due(verify, clk_ms());
		}
		p[0].events = POLLIN;
		if (ipc_chan_is_waiting(l->chan))
			p[0].events |= POLLOUT;
		if (poll(p, N_OF(p), wait_ms) < 0) {
			if (errno == EINTR)
				continue;
			return ERR_SYS;
		}
		if (p[1].revents != 0)
			return 0;
		if ((p[0].revents & POLLOUT) != 0 &&
		    (err = ipc_chan_flush(l->chan)) != 0)
			return err;
		if ((p[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
		    (err = link_read(l)) != 0)
			return err;
		if (verify != NULL && p[2].revents != 0)
			sec_link_input(verify, clk_ms());
		if (verify != NULL)
			sec_link_tick(verify, clk_ms());
		if (l->serve->fatal != 0)
			return l->serve->fatal;
	}
}

int
sec_serve(const struct sec_serve_conf *c, struct ipc_chan *chan, int stop_fd)
{
	struct link l = { chan, NULL };
	int err;

	err = sec_serve_new(&l.serve, c, link_send, &l, clk_ms());
	if (err == 0)
		err = link_loop(&l, stop_fd);
	sec_serve_free(l.serve);
	ipc_chan_free(l.chan);
	return err == ERR_CLOSED ? 0 : err;
}
