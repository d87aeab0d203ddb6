/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/secure.c - typed calls to the secure process.
 */
#include "daemon/core/secure.h"
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/core/fallback.h"
#include "daemon/core/loop.h"
#include "daemon/ipc/chan.h"
#include "daemon/ipc/gate.h"
#include "daemon/ipc/msg.h"
#include "ikev2/ike.h"

/* Messages that may wait for the other process.  Questions are refused earlier:
 * who asks tries again.  Routes and ends of SAs are said once and must arrive,
 * also when a thousand peers come up together; ours. */
#define QUESTION_MAX  1024
#define WAITING_MAX   16384
#define START_WAIT_MS 5000 /* patience for the first answers */
/* Tickets of our own questions; the engine's count up from 1. */
#define TICKET_OWN    (1ull << 63)
/* Of a realm's bridge: one question at a time; the realm is in the low bits. */
#define TICKET_BRIDGE (3ull << 62)

struct secure {
	struct ipc_chan *chan;	/* NULL once lost */
	struct ipc_gate gate;
	struct loop *loop;	/* NULL before secure_attach() */
	struct secure_cb cb;
	struct tmr patience;	/* with a HELLO the loop waits for */
	uint8_t digest[IPC_DIGEST_LEN]; /* of the table, as we know it */
	uint64_t next_ticket;
	pid_t pid;		/* of who is lost */
	bool is_ready;		/* HELLO was answered well */
};

int
secure_new(struct secure **out, int fd, uid_t uid, const struct secure_cb *cb)
{
	struct ipc_peer peer = {
		.uid = uid, .n_fd = IPC_FD_MAX, .n_queue = WAITING_MAX,
	};
	struct secure *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL)
		return ERR_NOMEM;
	s->cb = *cb;
	s->next_ticket = TICKET_OWN;
	if ((err = ipc_gate_init(&s->gate, IPC_MAIN, clk_ms())) != 0) {
		free(s);
		return err;
	}
	if ((err = ipc_chan_new(&s->chan, fd, &peer)) != 0) {
		ipc_gate_fini(&s->gate);
		free(s);
		return err;
	}
	*out = s;
	return 0;
}

void
secure_set_cb(struct secure *s, const struct secure_cb *cb)
{
	s->cb = *cb;
}

static void
unwatch(struct secure *s)
{
	if (s->loop == NULL || s->chan == NULL)
		return;
	tmr_stop(loop_timers(s->loop), &s->patience);
	loop_del(s->loop, ipc_chan_fd(s->chan));
}

void
secure_free(struct secure *s)
{
	if (s == NULL)
		return;
	unwatch(s);
	ipc_chan_free(s->chan);
	ipc_gate_fini(&s->gate);
	free(s);
}

pid_t
secure_pid(const struct secure *s)
{
	if (s == NULL)
		return 0;
	return s->chan != NULL ? ipc_chan_pid(s->chan) : s->pid;
}

bool
secure_is_open(const struct secure *s)
{
	return s != NULL && s->chan != NULL;
}

static void
lost(struct secure *s, const char *why)
{
	if (s->chan == NULL)
		return;
	unwatch(s);
	s->pid = ipc_chan_pid(s->chan);
	ipc_chan_free(s->chan);
	s->chan = NULL;
	s->is_ready = false;
	s->cb.lost(s->cb.ctx, why);
}

static int
post(struct secure *s, const struct ipc_msg *m)
{
	int err;

	if (s->chan == NULL || (!s->is_ready && m->type != IPC_HELLO))
		return ERR_CLOSED;
	err = ipc_post(s->chan, &s->gate, m, NULL, 0);
	if (s->loop != NULL && ipc_chan_is_waiting(s->chan))
		loop_want_out(s->loop, ipc_chan_fd(s->chan), true);
	return err;
}

/* ---- answers ------------------------------------------------------------- */

static void
answer_sign(struct secure *s, const struct ipc_msg *m)
{
	struct ike_ans ans = {
		.ticket = m->ticket,
		.handle = m->handle,
		.err = m->err,
		.id_own = m->u.sign_ok.id_own,
		.id_peer = m->u.sign_ok.id_peer,
		.method = m->u.sign_ok.method,
		.eap_only = m->u.sign_ok.eap_only,
		.auth = m->u.sign_ok.auth,
		.cert = m->u.sign_ok.cert,
		.certreq = m->u.sign_ok.certreq,
		.not_after_s = m->u.sign_ok.not_after,
		.realm = UINT32_MAX,
		.peer = UINT32_MAX,
	};

	str_copy(ans.why, sizeof(ans.why), m->why);
	s->cb.answer(s->cb.ctx, &ans);
}

static void
answer_ppk(struct secure *s, const struct ipc_msg *m)
{
	const struct ipc_ppk_ok *a = &m->u.ppk_ok;
	struct ike_ans ans = {
		.ticket = m->ticket, .handle = m->handle, .err = m->err,
		.ppk_id = a->ppk_id, .sk_d = a->sk_d, .sk_pi = a->sk_pi,
		.sk_pr = a->sk_pr, .ppk_confirm = a->confirm,
		.is_ppk_required = a->is_required,
		.realm = UINT32_MAX, .peer = UINT32_MAX,
	};

	str_copy(ans.why, sizeof(ans.why), m->why);
	s->cb.answer(s->cb.ctx, &ans);
}

static void
answer_token(struct secure *s, const struct ipc_msg *m)
{
	struct ike_ans ans = {
		.ticket = m->ticket, .err = m->err,
		.token = m->u.token_ok.token,
		.realm = UINT32_MAX, .peer = UINT32_MAX,
	};

	s->cb.answer(s->cb.ctx, &ans);
}

static void
answer_ticket(struct secure *s, const struct ipc_msg *m)
{
	struct ike_ans ans = {
		.ticket = m->ticket, .handle = m->handle, .err = m->err,
		.realm = UINT32_MAX, .peer = UINT32_MAX,
	};

	if (m->type == IPC_TICKET_SEAL_OK) {
		ans.sealed = m->u.ticket_seal_ok.sealed;
		ans.life_s = m->u.ticket_seal_ok.life_s;
	} else {
		ans.seed = m->u.ticket_open_ok.seed;
		memcpy(ans.suite, m->u.ticket_open_ok.suite,
		       sizeof(ans.suite));
	}
	str_copy(ans.why, sizeof(ans.why), m->why);
	s->cb.answer(s->cb.ctx, &ans);
}

static void
answer_verify(struct secure *s, const struct ipc_msg *m)
{
	struct ike_ans ans = {
		.ticket = m->ticket,
		.handle = m->handle,
		.err = m->err,
		.realm = m->u.verify_ok.realm,
		.peer = m->u.verify_ok.peer,
		.shown = m->u.verify_ok.shown,
		.not_after_s = m->u.verify_ok.not_after,
	};

	str_copy(ans.why, sizeof(ans.why), m->why);
	str_copy(ans.id_text, sizeof(ans.id_text), m->u.verify_ok.id_text);
	str_copy(ans.subject, sizeof(ans.subject), m->u.verify_ok.subject);
	s->cb.answer(s->cb.ctx, &ans);
}

static void
answer_eap(struct secure *s, const struct ipc_msg *m)
{
	const struct ipc_eap_ok *a = &m->u.eap_ok;
	struct ike_ans ans = {
		.ticket = m->ticket, .handle = m->handle, .err = m->err,
		.eap = a->eap, .eap_end = a->end == IPC_TALK_MORE ? IKE_EAP_MORE :
		    a->end == IPC_TALK_OK ? IKE_EAP_OK : IKE_EAP_NO,
		.has_word = a->has_word,
		.realm = UINT32_MAX, .peer = UINT32_MAX,
	};

	str_copy(ans.why, sizeof(ans.why), m->err != 0 ? m->why : a->said);
	s->cb.answer(s->cb.ctx, &ans);
}

static void
answer_eap_sign(struct secure *s, const struct ipc_msg *m)
{
	struct ike_ans ans = {
		.ticket = m->ticket, .handle = m->handle, .err = m->err,
		.auth = m->u.eap_sign_ok.auth,
		.realm = UINT32_MAX, .peer = UINT32_MAX,
	};

	str_copy(ans.why, sizeof(ans.why), m->why);
	s->cb.answer(s->cb.ctx, &ans);
}

static void
answer_eap_verify(struct secure *s, const struct ipc_msg *m)
{
	const struct ipc_eap_verify_ok *a = &m->u.eap_verify_ok;
	struct ike_ans ans = {
		.ticket = m->ticket, .handle = m->handle, .err = m->err,
		.realm = a->realm, .peer = a->peer,
		.not_after_s = a->not_after, .session_s = a->session_s,
		.shown = a->shown,
	};

	str_copy(ans.why, sizeof(ans.why), m->why);
	str_copy(ans.id_text, sizeof(ans.id_text), a->id_text);
	str_copy(ans.subject, sizeof(ans.subject), a->subject);
	s->cb.answer(s->cb.ctx, &ans);
}

static void
answer_stands(struct secure *s, const struct ipc_msg *m)
{
	struct ike_ans ans = {
		.ticket = m->ticket, .is_stands = true, .err = m->err,
		.realm = UINT32_MAX, .peer = UINT32_MAX,
	};

	str_copy(ans.why, sizeof(ans.why), m->why);
	s->cb.answer(s->cb.ctx, &ans);
}

static void
answer_bridge(struct secure *s, const struct ipc_msg *m)
{
	char why[IPC_WHY_MAX + 1] = "";

	str_copy(why, sizeof(why), m->why);
	s->cb.bridge(s->cb.ctx, (uint32_t)m->ticket, m->err,
		     m->u.tap_bridge_ok.has_joined, why);
}

/* Whom do we trust?  A responder says so before it knows the peer; without an
 * answer it asks for no certificate. */
static void
ask_trust(struct secure *s)
{
	struct ipc_msg m;
	int err;

	ipc_msg_init(&m, IPC_CA_LIST);
	m.ticket = ++s->next_ticket;
	if ((err = post(s, &m)) != 0)
		log_warn("ike", "peers are not told whom we trust: %s",
			 err_text(err));
}

static void
answer_trust(struct secure *s, const struct ipc_msg *m)
{
	if (m->err != 0)
		log_warn("ike", "peers are not told whom we trust: %s", m->why);
	else
		s->cb.trust(s->cb.ctx, m->u.ca_list_ok.certreq,
			    m->u.ca_list_ok.auth_ann);
}

/* Does the other end speak the same table of messages? */
static int
check_hello(struct secure *s, const struct ipc_msg *m)
{
	if (m->u.hello_ok.version != IPC_VERSION ||
	    !ct_equal(m->u.hello_ok.digest, s->digest, sizeof(s->digest)))
		return ERR_VERSION;
	s->is_ready = true;
	return 0;
}

static void
answer_hello(struct secure *s, const struct ipc_msg *m)
{
	uint32_t features = m->u.hello_ok.features;
	int err = check_hello(s, m);

	if (err != 0) {
		lost(s, err_text(err));
		return;
	}
	tmr_stop(loop_timers(s->loop), &s->patience);
	ask_trust(s);
	s->cb.ready(s->cb.ctx, features);
}

static void
handle(struct secure *s, const struct ipc_msg *m)
{
	switch (m->type) {
	case IPC_HELLO_OK:
		answer_hello(s, m);
		break;
	case IPC_SIGN_OK:
		answer_sign(s, m);
		break;
	case IPC_PPK_OK:
		answer_ppk(s, m);
		break;
	case IPC_TICKET_SEAL_OK:
	case IPC_TICKET_OPEN_OK:
		answer_ticket(s, m);
		break;
	case IPC_TOKEN_OK:
		answer_token(s, m);
		break;
	case IPC_STANDS_OK:
		answer_stands(s, m);
		break;
	case IPC_LISTS:
		s->cb.lists(s->cb.ctx);
		break;
	case IPC_VERIFY_OK:
		answer_verify(s, m);
		break;
	case IPC_EAP_OK:
		answer_eap(s, m);
		break;
	case IPC_EAP_SIGN_OK:
		answer_eap_sign(s, m);
		break;
	case IPC_EAP_VERIFY_OK:
		answer_eap_verify(s, m);
		break;
	case IPC_CA_LIST_OK:
		answer_trust(s, m);
		break;
	case IPC_MARK_OK:
		if (m->err == 0)
			s->cb.mark(s->cb.ctx, m->u.mark_ok.realm,
				   m->u.mark_ok.peer, m->u.mark_ok.mark);
		break;
	case IPC_TAP_BRIDGE_OK:
		answer_bridge(s, m);
		break;
	case IPC_ROUTE_OK:
	case IPC_ADDR_OK:
	case IPC_NAMES_OK:
	case IPC_TAP_MTU_OK:
		if (m->err != 0)
			log_warn("net", "%s", m->why);
		break;
	default:
		break; /* answers of the start: the gate lets none in now */
	}
}

static void
close_fds(const int *fd, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close(fd[i]);
}

/* Receive one message that the gate permits.  0, ERR_AGAIN, or final. */
static int
receive(struct secure *s, struct ipc_msg *m, int *fd, unsigned *n_fd)
{
	struct view bytes;
	int err;

	*n_fd = 0;
	if ((err = ipc_chan_recv(s->chan, &bytes, fd, n_fd)) != 0)
		return err;
	if ((err = ipc_msg_decode(m, bytes.p, bytes.len)) == 0)
		err = ipc_gate_in(&s->gate, m, NULL, *n_fd, clk_ms());
	if (err != 0) {
		close_fds(fd, *n_fd);
		*n_fd = 0;
		if (err == ERR_AGAIN) /* only "nothing there" may say so */
			err = ERR_GATE;
	}
	return err;
}

static void
on_readable(void *ctx, int cfd UNUSED, uint32_t events)
{
	struct secure *s = ctx;
	struct ipc_msg m;
	int fd[IPC_FD_MAX], err;
	unsigned n_fd;

	if ((events & EPOLLOUT) != 0) {
		if ((err = ipc_chan_flush(s->chan)) != 0) {
			lost(s, err_text(err));
			return;
		}
		if (!ipc_chan_is_waiting(s->chan))
			loop_want_out(s->loop, ipc_chan_fd(s->chan), false);
	}
	for (;;) {
		err = receive(s, &m, fd, &n_fd);
		if (err == ERR_AGAIN)
			return;
		if (err != 0) {
			lost(s, err == ERR_CLOSED ? "it has ended"
						  : err_text(err));
			return;
		}
		close_fds(fd, n_fd);
		handle(s, &m);
		if (s->chan == NULL)
			return;
		ipc_chan_done(s->chan);
	}
}

/* ---- before the loop runs ------------------------------------------------ */

/* Wait for the answer of a type. */
static int
wait_for(struct secure *s, enum ipc_type type, struct ipc_msg *m, int *fd,
	 unsigned *n_fd)
{
	uint64_t end = clk_ms() + START_WAIT_MS, now;
	struct pollfd p = { .fd = ipc_chan_fd(s->chan), .events = POLLIN };
	int err;

	for (;;) {
		err = receive(s, m, fd, n_fd);
		if (err == 0 && m->type == type)
			return 0;
		if (err == 0 && s->loop != NULL) {	/* somebody else's */
			close_fds(fd, *n_fd);
			handle(s, m);
			if (s->chan == NULL)
				return ERR_CLOSED;
			ipc_chan_done(s->chan);
			continue;
		}
		if (err == 0) {
			close_fds(fd, *n_fd);
			return ERR_GATE;
		}
		if (err != ERR_AGAIN)
			return err;
		now = clk_ms();
		if (now >= end)
			return ERR_TIMEOUT;
		(void)poll(&p, 1, (int)(end - now));
	}
}

static int
say_hello(struct secure *s)
{
	struct ipc_msg m;
	int err;

	ipc_msg_init(&m, IPC_HELLO);
	m.u.hello.version = IPC_VERSION;
	if ((err = ipc_digest(s->digest)) != 0)
		return err;
	memcpy(m.u.hello.digest, s->digest, sizeof(s->digest));
	return post(s, &m);
}

int
secure_hello(struct secure *s, uint32_t *features, char *why)
{
	struct ipc_msg m;
	int fd[IPC_FD_MAX], err;
	unsigned n_fd;

	if ((err = say_hello(s)) == 0 &&
	    (err = wait_for(s, IPC_HELLO_OK, &m, fd, &n_fd)) == 0 &&
	    (err = check_hello(s, &m)) == 0)
		*features = m.u.hello_ok.features;
	why[0] = '\0';
	if (err != 0)
		str_add(why, IPC_WHY_MAX, "the secure process does not answer: "
			"%s", err == ERR_CLOSED ? "it has ended, see its line "
			"above" : err_text(err));
	return err;
}

/* What tap.c can make use of. */
static uint32_t
offloads_wanted(uint32_t fallback)
{
	if (fallback_has(fallback, FALLBACK_TAP_GSO))
		return 0;
	if (fallback_has(fallback, FALLBACK_USO))
		return IPC_TAP_VNET | IPC_TAP_TSO;
	return IPC_TAP_ALL;
}

int
secure_tap_open(struct secure *s, struct vpn_realm *r, unsigned n_queue,
		unsigned mtu, char *why)
{
	uint32_t offloads = offloads_wanted(r->vpn->fallback);
	struct ipc_msg m;
	int fd[IPC_FD_MAX], err;
	unsigned n_fd = 0;

	why[0] = '\0';
	ipc_msg_init(&m, IPC_TAP_OPEN);
	m.ticket = ++s->next_ticket;
	m.u.tap_open.realm = r->conf->index;
	m.u.tap_open.n_queue = n_queue;
	m.u.tap_open.mtu = mtu;
	m.u.tap_open.offloads = offloads;
	if ((err = post(s, &m)) != 0 ||
	    (err = wait_for(s, IPC_TAP_OK, &m, fd, &n_fd)) != 0) {
		str_add(why, IPC_WHY_MAX, "the secure process does not answer: "
			"%s", err_text(err));
		return err;
	}
	if (m.err != 0 || n_fd != n_queue || n_queue > VPN_LANE_MAX) {
		close_fds(fd, n_fd);
		str_copy(why, IPC_WHY_MAX, m.err != 0 ? m.why :
			 "wrong number of TAP queues");
		return m.err != 0 ? m.err : ERR_INTERNAL;
	}
	str_copy(r->ifname, sizeof(r->ifname), m.u.tap_ok.ifname);
	memcpy(r->mac.b, m.u.tap_ok.mac, sizeof(r->mac.b));
	r->mtu = m.u.tap_ok.mtu;
	r->offloads = m.u.tap_ok.offloads & offloads;
	for (unsigned i = 0; i < n_fd; i++) {
		r->tap_fd[i] = fd[i];
		if (fcntl(fd[i], F_SETFL, O_RDWR | O_NONBLOCK) != 0)
			return ERR_SYS;
	}
	return 0;
}

static void
on_patience(void *ctx)
{
	lost(ctx, err_text(ERR_TIMEOUT));
}

int
secure_hello_later(struct secure *s)
{
	int err;

	tmr_init(&s->patience, on_patience, s);
	if ((err = say_hello(s)) != 0)
		return err;
	return tmr_start(loop_timers(s->loop), &s->patience,
			 clk_ms() + START_WAIT_MS);
}

int
secure_attach(struct secure *s, struct loop *l)
{
	int err;

	if ((err = loop_add(l, ipc_chan_fd(s->chan), on_readable, s)) != 0)
		return err;
	s->loop = l;
	if (s->is_ready)
		ask_trust(s);
	return 0;
}

/* ---- questions ----------------------------------------------------------- */

int
secure_ask(struct secure *s, const struct ike_ask *ask)
{
	struct ipc_msg m;
	int err;

	if ((err = secure_ask_write(ask, &m)) != 0)
		return err;
	if (ask->type != IKE_ASK_CLOSE && s->chan != NULL &&
	    ipc_chan_waiting(s->chan) >= QUESTION_MAX)
		return ERR_FULL;
	return post(s, &m);
}

void
secure_route(struct secure *s, uint32_t ike_handle, uint32_t realm,
	     const struct ip_net *net, bool is_add)
{
	struct ipc_msg m;
	char text[IP_TEXT_MAX];
	int err;

	ipc_msg_init(&m, IPC_ROUTE);
	m.ticket = ++s->next_ticket;
	m.handle = ike_handle;
	m.u.route.realm = realm;
	m.u.route.is_add = is_add;
	m.u.route.family = net->addr.family;
	memcpy(m.u.route.addr, net->addr.b, sizeof(m.u.route.addr));
	m.u.route.bits = net->bits;
	if ((err = post(s, &m)) != 0)
		log_rl(LOG_WARN, "net", "route to %s: %s",
		       ip_net_text(net, text), err_text(err));
}

void
secure_addr(struct secure *s, uint32_t ike_handle, uint32_t realm,
	    const struct ip_net *addr, bool is_add)
{
	struct ipc_msg m;
	char text[IP_TEXT_MAX];
	int err;

	ipc_msg_init(&m, IPC_ADDR);
	m.ticket = ++s->next_ticket;
	m.handle = ike_handle;
	m.u.addr.realm = realm;
	m.u.addr.is_add = is_add;
	m.u.addr.family = addr->addr.family;
	memcpy(m.u.addr.addr, addr->addr.b, sizeof(m.u.addr.addr));
	m.u.addr.bits = addr->bits;
	if ((err = post(s, &m)) != 0)
		log_rl(LOG_WARN, "net", "address %s: %s",
		       ip_net_text(addr, text), err_text(err));
}

void
secure_names(struct secure *s, uint32_t ike_handle, uint32_t realm,
	     const char *words)
{
	struct ipc_msg m;
	int err;

	ipc_msg_init(&m, IPC_NAMES);
	m.ticket = ++s->next_ticket;
	m.handle = ike_handle;
	m.u.names.realm = realm;
	m.u.names.words = (struct view){ (const uint8_t *)words, strlen(words) };
	if ((err = post(s, &m)) != 0)
		log_rl(LOG_WARN, "net", "name servers: %s", err_text(err));
}

void
secure_bridge(struct secure *s, uint32_t realm)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_TAP_BRIDGE);
	m.ticket = TICKET_BRIDGE | realm;
	m.u.tap_bridge.realm = realm;
	/* ERR_EXISTS: it has not answered yet; ERR_CLOSED: it is not there now.
	 * The next second asks again. */
	(void)post(s, &m);
}

void
secure_tap_mtu(struct secure *s, uint32_t realm, unsigned mtu)
{
	struct ipc_msg m;
	int err;

	ipc_msg_init(&m, IPC_TAP_MTU);
	m.ticket = ++s->next_ticket;
	m.u.tap_mtu.realm = realm;
	m.u.tap_mtu.mtu = mtu;
	if ((err = post(s, &m)) != 0)
		log_rl(LOG_WARN, "net", "MTU of a TAP: %s", err_text(err));
}

int
secure_mark(struct secure *s, uint32_t realm, uint32_t peer)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_MARK);
	m.ticket = ++s->next_ticket;
	m.u.mark.realm = realm;
	m.u.mark.peer = peer;
	return post(s, &m);
}
