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
#include "secure-proc/serve_priv.h"
#include <errno.h>
#include <limits.h>
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
#include "secure-proc/eap/limit.h"
#include "secure-proc/eap/typed.h"
#include "secure-proc/radius/link.h"

#define BATCH 64	/* datagrams before answers are flushed */

/* The gate hears of every answer: HELLO_OK opens it. */
int
sec_answer(struct sec_serve *s, const struct ipc_msg *m, const int *fds,
	   unsigned n_fd)
{
	int err = ipc_gate_out(&s->gate, m);

	if (err == 0)
		return s->send(s->send_ctx, m, fds, n_fd);
	for (unsigned i = 0; i < n_fd; i++)
		close(fds[i]);
	return err;
}

int
sec_refuse(struct sec_serve *s, const struct ipc_msg *m, int err,
	   const char *why)
{
	struct ipc_msg a;

	ipc_msg_answer(&a, m, err, why);
	return sec_answer(s, &a, NULL, 0);
}

const struct conf_realm *
sec_realm_at(const struct sec_serve *s, uint32_t realm)
{
	return realm < s->c.conf->n_realm ? &s->c.conf->realm[realm] : NULL;
}

/* ---- handlers ---------------------------------------------------------------- */

static int
on_hello(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa UNUSED)
{
	const struct ipc_hello *q = &m->u.hello;
	struct ipc_msg a;
	int err;

	if (q->version != IPC_VERSION ||
	    memcmp(q->digest, s->digest, sizeof(s->digest)) != 0) {
		log_error(WHO, "tapird and tapir-secure are not of one build: "
		    "install both again");
		return ERR_VERSION;
	}
	if ((err = sec_lockdown(s)) != 0)
		return err;
	ipc_msg_answer(&a, m, 0, NULL);
	a.u.hello_ok.version = IPC_VERSION;
	memcpy(a.u.hello_ok.digest, s->digest, sizeof(s->digest));
	a.u.hello_ok.n_realm = s->c.conf->n_realm;
	a.u.hello_ok.features = s->c.features;
	return sec_answer(s, &a, NULL, 0);
}

static int
on_close(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	struct asked *q;

	if (sa == NULL)
		return 0;		/* an SA that never got to a question */
	if ((q = map_find(s->asked, &sa->asked)) != NULL)
		q->is_closed = true;
	sec_unroute(s, m->handle);
	sec_unaddr(s, m->handle);
	sec_talk_end(s, sa);
	map_remove(s->sa, &m->handle);
	wipe(sa, sizeof(*sa));
	free(sa);
	return 0;
}

static handler_fn *const handlers[IPC_TYPE_END] = {
	[IPC_HELLO] = on_hello,
	[IPC_TAP_OPEN] = sec_on_tap_open,
	[IPC_SIGN] = sec_on_sign,
	[IPC_VERIFY] = sec_on_verify,
	[IPC_CLOSE] = on_close,
	[IPC_EAP] = sec_on_eap,
	[IPC_EAP_SIGN] = sec_on_eap_sign,
	[IPC_EAP_VERIFY] = sec_on_eap_verify,
	[IPC_PPK] = sec_on_ppk,
	[IPC_ROUTE] = sec_on_route,
	[IPC_ADDR] = sec_on_addr,
	[IPC_NAMES] = sec_on_names,
	[IPC_TAP_MTU] = sec_on_tap_mtu,
	[IPC_TAP_BRIDGE] = sec_on_tap_bridge,
	[IPC_CA_LIST] = sec_on_ca_list,
	[IPC_TOKEN] = sec_on_token,
	[IPC_TICKET_SEAL] = sec_on_ticket_seal,
	[IPC_TICKET_OPEN] = sec_on_ticket_open,
	[IPC_MARK] = sec_on_mark,
	[IPC_STANDS] = sec_on_stands,
};

/* ---- dispatch ---------------------------------------------------------------- */

/* The SA a message names.  SIGN, VERIFY, PPK and TICKET_OPEN make it known; *out
 * stays NULL for others.  0, ERR_FULL or ERR_NOMEM. */
static int
sa_of(struct sec_serve *s, const struct ipc_msg *m, struct sa **out,
      bool *is_new)
{
	struct sa *sa;
	int err;

	*is_new = false;
	*out = m->handle != 0 ? map_find(s->sa, &m->handle) : NULL;
	if (*out != NULL || (m->type != IPC_SIGN && m->type != IPC_VERIFY &&
	    m->type != IPC_PPK && m->type != IPC_TICKET_OPEN))
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
		return sec_refuse(s, m, ERR_AGAIN, NULL);
	if (err != 0) {
		log_error(WHO, "tapird sent %s, which is not permitted now: "
		    "ending", ipc_name(m->type));
		return err;
	}
	if (sa_err != 0)
		return sec_refuse(s, m, sa_err, NULL);
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
		err = sec_tickets_new(&s->tickets);
	if (err == 0)
		err = sec_showns_new(&s->showns);
	if (err == 0)
		err = map_new(&s->asked, sizeof(uint64_t),
		    2 * SEC_LINK_ASKS_MAX + SEC_RADIUS_ASKS);
	if (err == 0 && c->eap != NULL)
		err = sec_limit_new(&s->limit);
	if (err == 0 && c->radius != NULL)
		sec_radius_link_to(c->radius, sec_on_relayed, s);
	if (err == 0 && c->eap != NULL)
		err = sec_typed_new(&s->typed, c->conf->n_realm);
	if (err == 0 && c->link != NULL)
		sec_link_to(c->link, sec_on_checked, s);
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
		free(q->cert);
		free(q);
	}
	map_free(s->asked);
	it = 0;
	while (s->sa != NULL && (sa = map_next(s->sa, &it)) != NULL) {
		map_remove(s->sa, &sa->handle);
		sec_talk_end(s, sa);
		wipe(sa, sizeof(*sa));
		free(sa);
	}
	map_free(s->sa);
	sec_tickets_free(s->tickets);
	sec_showns_free(s->showns);
	sec_routes_fini(&s->routes);
	sec_limit_free(s->limit);
	sec_typed_free(s->typed);
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
	struct visit *words;	/* NULL: nobody may type */
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

/* How long poll() may wait: questions to the verify child, and passwords whose time
 * is over. */
static int
wait_ms_of(const struct link *l)
{
	struct sec_serve *s = l->serve;
	uint64_t now = clk_ms(), due = 0;
	int ms = -1, left;

	if (s->c.link != NULL)
		ms = sec_link_due(s->c.link, now);
	if (s->typed == NULL || (due = sec_typed_due(s->typed)) == 0)
		return ms;
	left = due <= now ? 0 : (int)MIN(due - now + 1, (uint64_t)INT_MAX);
	return ms < 0 ? left : MIN(ms, left);
}

static int
link_loop(struct link *l, int stop_fd)
{
	struct sec_link *verify = l->serve->c.link;
	struct sec_radius_link *radius = l->serve->c.radius;
	struct pollfd p[4 + VISIT_FDS] = {
		{ .fd = ipc_chan_fd(l->chan) },
		{ .fd = stop_fd, .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
	};
	unsigned n_word;
	int err;

	for (;;) {
		if (verify != NULL)
			p[2].fd = sec_link_fd(verify);
		if (radius != NULL)
			p[3].fd = sec_radius_link_fd(radius);
		p[0].events = POLLIN;
		if (ipc_chan_is_waiting(l->chan))
			p[0].events |= POLLOUT;
		n_word = l->words != NULL ?
		    visit_poll(l->words, p + 4) : 0;
		if (poll(p, 4 + n_word, wait_ms_of(l)) < 0) {
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
		if (radius != NULL && p[3].revents != 0)
			sec_radius_link_input(radius);
		if (n_word > 0)
			visit_input(l->words, p + 4, n_word);
		if (l->serve->typed != NULL)
			sec_typed_tick(l->serve->typed, clk_ms());
		if (l->serve->fatal != 0)
			return l->serve->fatal;
	}
}

int
sec_serve(const struct sec_serve_conf *c, struct ipc_chan *chan, int stop_fd)
{
	struct link l = { .chan = chan };
	struct visit_ops words = { .ask = sec_word_visit };
	int err;

	err = sec_serve_new(&l.serve, c, link_send, &l, clk_ms());
	words.ctx = l.serve;
	if (err == 0 && c->word_fd >= 0)
		err = visit_new(&l.words, &words, c->word_fd, c->owner, c->super);
	if (err == 0)
		err = link_loop(&l, stop_fd);
	visit_free(l.words);
	sec_serve_free(l.serve);
	ipc_chan_free(l.chan);
	return err == ERR_CLOSED ? 0 : err;
}
