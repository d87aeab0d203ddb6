/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/engine.c - header -> SA -> window -> unprotect -> grammar -> path.
 *
 *   ike_input
 *     |-- IKE_SA_INIT request: cookie gate; a repeat? else path with no SA yet
 *     |-- IKE_SA_INIT response: by our SPI, path
 *     '-- protected: by our SPI, window, then the path
 *           [derive keys, the first time] -> open -> the list of path.c
 *
 * Opening is a step like any other: it replaces the list by the right one once
 * the ICV is verified.  Nothing of an SA changes before.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "ikev2/engine.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

/* ---- verdicts ------------------------------------------------------------ */

enum ike_verdict
ike_drop(struct ike_msg *m, enum drop d)
{
	m->drop = d;
	return V_DROP;
}

enum ike_verdict
ike_fail(struct ike_msg *m, uint16_t notify, const char *fmt, ...)
{
	va_list ap;

	m->fail = notify;
	m->fail_len = m->fail_spi_len = 0;
	va_start(ap, fmt);
	vsnprintf(m->why, sizeof(m->why), fmt, ap);
	va_end(ap);
	return V_FAIL;
}

enum ike_verdict
ike_fail16(struct ike_msg *m, uint16_t notify, uint16_t data)
{
	char buf[IKE_WORD_MAX];

	ike_fail(m, notify, "%s", ike_notify_text(notify, buf));
	be16_put(m->fail_data, data);
	m->fail_len = 2;
	return V_FAIL;
}

const char *
ike_notify_text(uint16_t type, char *buf)
{
	return ike_name(IKE_SET_N, type, buf);
}

/* ---- messages ------------------------------------------------------------ */

static struct ike_msg *
msg_new(struct ike *ike, const struct ike_msg *brief, struct view data)
{
	struct ike_msg *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	if ((m->buf = malloc(data.len)) == NULL ||
	    spi_crypto()->hash(SPI_HASH_SHA256, &data, 1, m->hash) != 0) {
		free(m->buf);
		free(m);
		return NULL;
	}
	memcpy(m->buf, data.p, data.len);
	m->len = data.len;
	m->ike = ike;
	m->h = brief->h;
	m->local = brief->local;
	m->remote = brief->remote;
	m->is_natt = brief->is_natt;
	m->proof = brief->proof;
	arena_init(&m->arena, IKE_ARENA_MAX);
	return m;
}

void
ike_msg_free(struct ike_msg *m)
{
	if (m == NULL)
		return;
	ike_offer_drop(m->ike, &m->offer);
	arena_fini(&m->arena);
	spi_crypto()->dh_free(m->dh);
	ike_follow_free(m->ike, m->follow);
	ike_msg_free(m->request);
	wipe(m->buf, m->len);
	free(m->buf);
	if (m->whole != NULL)
		wipe(m->whole, m->whole_len);
	free(m->whole);
	wipe(m, sizeof(*m));
	free(m);
}

static int
decode_clear(struct ike_msg *m, struct ike_perr *perr)
{
	return ike_pls_decode(&m->arena, &m->h, (struct view){
	    m->buf + IKE_HDR_LEN, m->len - IKE_HDR_LEN }, m->h.next, &m->clear,
	    perr);
}

static void
drop_err(int err)
{
	drop_count(err == ERR_CRITICAL ? DROP_IKE_CRITICAL :
		   err == ERR_GRAMMAR ? DROP_IKE_GRAMMAR : DROP_IKE_SYNTAX, 1);
}

/* ---- the end of a path --------------------------------------------------- */

static void
request_failed(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct view data = { m->fail_data, m->fail_len };
	bool is_fatal;

	if (!m->is_opened) {		/* IKE_SA_INIT */
		if (m->drop != 0)
			drop_count(m->drop, 1);
		ike_out_clear_error(ike, m, m->fail, data,
				    m->fail != IKE_N_INVALID_KE_PAYLOAD);
		if (sa != NULL)
			ike_sa_kill(sa, NULL);
		return;
	}
	if (m->drop != 0)
		drop_count(m->drop, 1);
	/* 2.21.2: an error before the end of IKE_AUTH ends the SA; 2.21.3:
	 * INVALID_SYNTAX ends it later too */
	if (sa->state == IKE_SA_AUTH_R)
		ike_trace_in(sa, IKE_STAGE_AUTH, m->fail, m->why);
	is_fatal = sa->state == IKE_SA_AUTH_R || sa->state == IKE_SA_INIT_R ||
	    m->fail == IKE_N_INVALID_SYNTAX;
	ike_out_reply_error(sa, m);
	if (is_fatal)
		ike_sa_close(sa, m->why);
}

static void
path_end(struct ike *ike, struct ike_sa *sa, struct ike_msg *m,
	 enum ike_verdict v)
{
	if (v == V_DROP && !(m->h.is_response && m->is_opened)) {
		drop_count(m->drop, 1);
		if (sa != NULL && sa->state == IKE_SA_NONE)
			ike_sa_kill(sa, NULL);
	} else if (v == V_DROP) {
		drop_count(m->drop, 1);
		ike_task_failed(sa, 0, m->why[0] != '\0' ? m->why :
				drop_text(m->drop));
	} else if (v == V_FAIL && m->h.is_response) {
		ike_task_failed(sa, m->fail, m->why);
	} else if (v == V_FAIL) {
		request_failed(ike, sa, m);
	} else if (v != V_KEEP && m->h.is_response) {
		ike_task_end(sa);
	}
}

void
ike_path_run(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	enum ike_verdict v = V_DONE;

	while (m->path[m->at] != NULL) {
		v = m->path[m->at++](ike, sa, m);
		if (sa == NULL)
			sa = m->heir;	/* made by a step of IKE_SA_INIT */
		if (v == V_WAIT) {
			sa->parked = m;
			return;
		}
		if (v != V_NEXT)
			break;
	}
	path_end(ike, sa, m, v);
	/* with EAP the last answer is about the first request */
	if (sa == NULL || sa->setup == NULL || sa->setup->eap_first != m)
		ike_msg_free(m);
	if (sa != NULL) {
		ike_sa_check(sa);
		ike_task_pump(sa);
	}
}

/* ---- opening a protected message ----------------------------------------- */

static enum ike_verdict
open_failed(struct ike_msg *m, int err, const struct ike_perr *perr)
{
	m->drop = err == ERR_CRITICAL ? DROP_IKE_CRITICAL :
	    err == ERR_GRAMMAR ? DROP_IKE_GRAMMAR : DROP_IKE_SYNTAX;
	if (m->h.is_response || perr->notify == 0)
		return V_DROP;
	ike_fail(m, perr->notify, "the peer sent a malformed message (%s)",
		 err_text(err));
	m->fail_data[0] = perr->data[0];
	m->fail_len = MIN(perr->n_data, sizeof(m->fail_data));
	return V_FAIL;
}

/* The message is authentic and new: what follows from that alone. */
static void
authentic(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	sa->in_ms = ike->now_ms;
	ike_link_heard(sa, m->h.is_response);
	ike_trace_heard(sa, m->is_natt);
	if (m->h.is_response)
		ike_win_answered(sa);
	if (!sa->roam.is_on)	/* RFC 4555 3.8: else it is said */
		ike_sa_moved(sa, &m->local, &m->remote, m->is_natt);
	else if (m->h.is_response)
		ike_roam_answered(sa, m);
	if (sa->is_suspect) {
		sa->is_suspect = false;
		if (sa->link != NULL)
			ike_link_update(sa->link);
	}
}

/* Check and open one datagram; a fragment has its numbers before the IV. */
static int
open_text(struct ike_sa *sa, const struct ike_keys *k, struct ike_msg *m,
	  struct view *text)
{
	size_t iv_at = (size_t)(m->clear.sk.p - m->buf) +
	    (m->clear.sk_type == IKE_PL_SKF ? IKE_SKF_NUMBERS : 0);
	struct ike_dir d;

	/* flags of the payload header, which the body follows */
	m->sk_flags = m->buf[(size_t)(m->clear.sk.p - m->buf) - 3];
	ike_sa_dir_of(sa, k, false, &d);
	return ike_protect_open(&d, m->buf, m->len, iv_at, text);
}

static enum ike_verdict
step_open(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_perr perr = { 0 };
	struct view text;
	int err;

	if ((err = open_text(sa, sa->keys, m, &text)) != 0) {
		ike_sa_forged(sa);
		return ike_drop(m, err == ERR_ICV ? DROP_IKE_ICV :
				DROP_IKE_SYNTAX);
	}
	if (m->clear.sk_type == IKE_PL_SKF) {
		err = ike_frag_take(sa, m, &text);
		if (err == ERR_AGAIN)
			return V_KEEP;
		if (err != 0)
			return ike_drop(m, DROP_IKE_FRAG);
	}
	m->text = text;
	err = ike_pls_decode(&m->arena, &m->h, text, m->clear.sk_first,
			     &m->inner, &perr);
	if (err == ERR_NOMEM)		/* as if it had been lost */
		return ike_drop(m, DROP_NO_BUF);
	m->is_opened = true;
	authentic(ike, sa, m);
	if (err != 0 ||
	    (err = ike_rules_check(&m->h, &m->clear, &m->inner, &m->form,
				   &perr)) != 0)
		return open_failed(m, err, &perr);
	m->p = &m->inner;
	m->path = ike_path_find(m->h.xchg, m->h.is_response, m->form, sa->state);
	m->at = 0;
	if (m->path == NULL) {
		static ike_step_fn *const nothing[] = { NULL };

		m->path = nothing;
		return ike_drop(m, DROP_IKE_EXCH);
	}
	return V_NEXT;
}

static ike_step_fn *const open_path[] = { step_open, NULL };
/* The first IKE_AUTH of a half-open SA: the secret is computed now, once. */
static ike_step_fn *const derive_path[] = {
	ike_step_derive, ike_step_keys, step_open, NULL
};

/* ---- protected messages ----------------------------------------------- */

static bool
exchange_possible(const struct ike_sa *sa, const struct ike_hdr *h)
{
	if (sa->state == IKE_SA_NONE || sa->state == IKE_SA_INIT_I ||
	    sa->state == IKE_SA_DEAD)
		return false;
	switch (h->xchg) {
	case IKE_XCHG_IKE_AUTH:
		return h->is_response ? sa->state == IKE_SA_AUTH_I :
		    sa->state == IKE_SA_INIT_R || sa->state == IKE_SA_AUTH_R ||
		    sa->in.has_reply;
	case IKE_XCHG_IKE_INTERMEDIATE:	/* a request once more: has_reply */
		return sa->has_inter && (h->is_response ?
		    sa->state == IKE_SA_AUTH_I : sa->state == IKE_SA_INIT_R);
	case IKE_XCHG_CREATE_CHILD_SA:
	case IKE_XCHG_IKE_FOLLOWUP_KE:
	case IKE_XCHG_INFORMATIONAL:
		return sa->is_authenticated || sa->state == IKE_SA_CLOSED;
	default:
		return false;
	}
}

/* 2.4: a sign that the peer lost the SA is a reason to ask, never more; unless it
 * is the one that only the peer can give (RFC 6290). */
static void
unprotected(struct ike_sa *sa, const struct ike_msg *m)
{
	if (ike_token_proves(sa, m))
		return;
	drop_count(DROP_IKE_UNPROT, 1);
	ike_sa_hint(sa);
}

/* Is it new (0), or a repeat that was answered (ERR_EXISTS)? */
static int
window_admits(struct ike_sa *sa, const struct ike_msg *m, enum drop *d)
{
	*d = DROP_IKE_MSGID;
	if (m->h.is_response)
		return ike_win_expects(sa, &m->h) ? 0 : ERR_REPLAY;
	return ike_win_take(sa, m, d);
}

/* RFC 7383 2.6.1: the request was answered, and now it comes cut anew, or for the
 * first time cut: the answer was lost, however small it was.  Only its first
 * fragment counts, and only if it is authentic. */
static bool
is_recut(struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_keys *k = sa->in.plain.is_old ? sa->old_keys :
	    sa->keys;
	struct view text;

	return m->clear.sk_type == IKE_PL_SKF && m->frag.frag_num == 1 &&
	    !m->h.is_response && sa->in.has_reply && k != NULL &&
	    m->h.msgid + 1 == sa->in.next &&
	    open_text(sa, k, m, &text) == 0;
}

/* May a fragment be, and are its numbers right? */
static bool
fragment_read(const struct ike_sa *sa, struct ike_msg *m)
{
	return m->clear.sk_type != IKE_PL_SKF || (sa->has_frag &&
	    dec_sk(m->clear.sk, IKE_PL_SKF, m->clear.sk_first, 0, 0,
		   &m->frag) == 0);
}

static void
protected_in(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	enum drop d = DROP_IKE_FRAG;
	struct ike_perr perr;
	int err;

	if (!exchange_possible(sa, &m->h)) {
		d = DROP_IKE_EXCH;
		goto drop;
	}
	if ((err = decode_clear(m, &perr)) != 0) {
		drop_err(err);
		ike_msg_free(m);
		return;
	}
	if (m->clear.sk_type == IKE_PL_NONE) {
		unprotected(sa, m);
		ike_msg_free(m);
		ike_task_pump(sa);
		return;
	}
	if (!fragment_read(sa, m))
		goto drop;
	if ((err = window_admits(sa, m, &d)) == ERR_REPLAY) {
		if (!is_recut(sa, m))
			goto drop;
		ike_win_recut(sa, m);
		err = ERR_EXISTS;
	}
	if (err != 0) {
		ike_msg_free(m);	/* a repeat, answered */
		return;
	}
	/* a new IKE_AUTH once that is over; its repeats were answered above */
	d = DROP_IKE_EXCH;
	if (m->h.xchg == IKE_XCHG_IKE_AUTH && !m->h.is_response &&
	    sa->state != IKE_SA_INIT_R && sa->state != IKE_SA_AUTH_R)
		goto drop;
	if (m->clear.sk_type == IKE_PL_SKF && sa->keys == NULL &&
	    sa->parked != NULL && ike_frag_hold(sa, m))
		return;
	d = DROP_IKE_BUSY;
	if (sa->parked != NULL || sa->state == IKE_SA_CLOSED)
		goto drop;
	d = DROP_IKE_FRAG;
	if (m->clear.sk_type == IKE_PL_SKF && !ike_frag_admits(sa, m))
		goto drop;
	m->path = sa->keys == NULL ? derive_path : open_path;
	ike_path_run(ike, sa, m);
	return;
drop:
	drop_count(d, 1);
	ike_msg_free(m);
}

void
ike_engine_held(struct ike *ike, struct ike_sa *sa)
{
	struct ike_msg *m;

	while (sa->parked == NULL && sa->keys != NULL &&
	       (m = ike_frag_held(sa)) != NULL)
		protected_in(ike, sa, m);
}

/* The same IKE_SA_INIT request again, 2.1. */
static void
init_repeat(struct ike_sa *sa, struct ike_msg *m)
{
	enum drop d = DROP_IKE_BUSY;

	if (sa->state == IKE_SA_INIT_R && ike_win_take(sa, m, &d) == ERR_EXISTS)
		d = DROP_END;
	if (d != DROP_END)
		drop_count(d, 1);
	ike_msg_free(m);
}

/* 2.5: the one error of a malformed request that must be told. */
static void
init_malformed(struct ike *ike, struct ike_msg *m, int err,
	       const struct ike_perr *perr)
{
	drop_err(err);
	if (!m->h.is_response &&
	    perr->notify == IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD)
		ike_out_clear_error(ike, m, perr->notify, (struct view){
		    perr->data, perr->n_data }, true);
	ike_msg_free(m);
}

/* sa: of the response, or the half-open one of a repeated request. */
static void
init_in(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_perr perr = { 0 };
	int err;

	if (!m->h.is_response && sa != NULL) {
		init_repeat(sa, m);
		return;
	}
	if ((err = decode_clear(m, &perr)) != 0 ||
	    (err = ike_rules_check(&m->h, &m->clear, NULL, &m->form,
				   &perr)) != 0) {
		init_malformed(ike, m, err, &perr);
		return;
	}
	if (sa != NULL)
		ike_trace_heard(sa, m->is_natt);
	m->p = &m->clear;
	m->path = ike_path_find(m->h.xchg, m->h.is_response, m->form,
				sa != NULL ? sa->state : IKE_SA_NONE);
	if (m->path == NULL) {
		drop_count(DROP_IKE_EXCH, 1);
		ike_msg_free(m);
		return;
	}
	ike_path_run(ike, sa, m);
}

/* ---- who is meant, before anything is copied ------------------------------ */

static bool
init_admitted(struct ike *ike, struct ike_msg *m, struct view data,
	      struct ike_sa **sa)
{
	bool is_in;

	/* F1: roles, SPIs and id of this exchange are fixed */
	if (m->h.msgid != 0 || m->h.is_initiator == m->h.is_response ||
	    (!m->h.is_response && m->h.rspi != 0)) {
		drop_count(DROP_IKE_EXCH, 1);
		return false;
	}
	*sa = ike_sa_by_spi(ike, m->h.ispi);
	if (m->h.is_response) {
		if (*sa != NULL && (*sa)->state == IKE_SA_INIT_I &&
		    ike_win_expects(*sa, &m->h) && (*sa)->parked == NULL &&
		    ip_equal(&m->remote.ip, &(*sa)->remote.ip))
			return true;
		drop_count(*sa == NULL ? DROP_IKE_SPI : DROP_IKE_UNPROT, 1);
		return false;
	}
	ike->stats.n_init_in++;
	if (*sa != NULL && (*sa)->is_initiator) {
		drop_count(DROP_IKE_SPI, 1);	/* our own, sent back to us */
		return false;
	}
	is_in = ike_cookie_admits(ike, m, data);
	*sa = ike_sa_by_init(ike, m);
	return is_in;
}

/* No SA with these SPIs: a request may be told so, 2.21.4. */
static bool
sa_known(struct ike *ike, const struct ike_msg *m, struct view data,
	 struct ike_sa **out)
{
	struct ike_sa *sa = ike_sa_by_spi(ike, m->h.is_initiator ? m->h.rspi :
					  m->h.ispi);

	if (sa != NULL && sa->ispi == m->h.ispi && sa->rspi == m->h.rspi &&
	    sa->is_initiator != m->h.is_initiator) {
		*out = sa;
		if (!ike_sa_is_pestered(sa))
			return true;
		drop_count(DROP_IKE_RATE, 1);
		return false;
	}
	drop_count(DROP_IKE_SPI, 1);
	if (ike_stray_hint(ike, m, data) || ike_token_stranger(ike, m))
		return false;
	if (!m->h.is_response && ((m->h.xchg >= IKE_XCHG_IKE_AUTH &&
	    m->h.xchg <= IKE_XCHG_INFORMATIONAL) ||
	    m->h.xchg == IKE_XCHG_IKE_INTERMEDIATE ||
	    m->h.xchg == IKE_XCHG_IKE_FOLLOWUP_KE))
		ike_out_clear_error(ike, m, IKE_N_INVALID_IKE_SPI,
				    (struct view){ NULL, 0 }, true);
	return false;
}

static void
header_bad(struct ike *ike, int err, const struct ike_msg *m)
{
	if (err != ERR_VERSION) {
		drop_count(err == ERR_TRAIL ? DROP_IKE_LONG :
			   err == ERR_RANGE ? DROP_IKE_SPI : DROP_IKE_RUNT, 1);
		return;
	}
	drop_count(DROP_IKE_VERSION, 1);
	if (m->h.major > 2 && !m->h.is_response)	/* 2.5 */
		ike_out_clear_error(ike, m, IKE_N_INVALID_MAJOR_VERSION,
				    (struct view){ NULL, 0 }, true);
}

/* ---- the face ------------------------------------------------------------ */

void
ike_input_proven(struct ike *ike, const struct net_ep *local,
		 const struct net_ep *remote, bool natt, struct view data,
		 const struct ike_proof *proof, uint64_t now_ms)
{
	struct ike_msg *brief = &ike->brief, *m;
	struct ike_sa *sa = NULL;
	bool is_init;
	int err;

	ike->now_ms = MAX(ike->now_ms, now_ms);
	brief->local = *local;
	brief->remote = *remote;
	brief->is_natt = natt;
	brief->len = data.len;
	brief->proof = *proof;
	if ((err = ike_hdr_decode(data, &brief->h)) != 0) {
		header_bad(ike, err, brief);
		return;
	}
	is_init = brief->h.xchg == IKE_XCHG_IKE_SA_INIT ||
	    brief->h.xchg == IKE_XCHG_IKE_SESSION_RESUME;
	if (is_init ? !init_admitted(ike, brief, data, &sa) :
	    !sa_known(ike, brief, data, &sa))
		return;
	if ((m = msg_new(ike, brief, data)) == NULL) {
		drop_count(DROP_NO_BUF, 1);
		return;
	}
	if (is_init)
		init_in(ike, sa, m);
	else
		protected_in(ike, sa, m);
	ike_reap(ike);
}

void
ike_input(struct ike *ike, const struct net_ep *local,
	  const struct net_ep *remote, bool natt, struct view data,
	  uint64_t now_ms)
{
	static const struct ike_proof none;

	ike_input_proven(ike, local, remote, natt, data, &none, now_ms);
}

struct ike_gate *
ike_gate_of(const struct ike *ike)
{
	return ike->door.gate;
}

void
ike_answer(struct ike *ike, const struct ike_ans *ans, uint64_t now_ms)
{
	struct ike_sa *sa = ike_sa_by_handle(ike, ans->handle);
	struct ike_msg *m;

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if (ans->is_stands) {
		ike_stands_answer(ike, ans);
		ike_reap(ike);
		return;
	}
	if (ans->handle == 0) {
		ike_token_answer(ike, ans);
		ike_reap(ike);
		return;
	}
	/* late: its question was given up; or an answer to no question */
	if (sa == NULL || sa->parked == NULL || !sa->is_asked ||
	    sa->park_ticket != ans->ticket)
		return;
	m = sa->parked;
	sa->parked = NULL;
	sa->park_ticket = 0;
	/* too many at once: it was not looked at, and may be asked again */
	if (ans->err == ERR_AGAIN && sa->setup != NULL)
		sa->setup->asked &= ~sa->setup->asking;
	m->ans = ans;
	ike_path_run(ike, sa, m);
	ike_reap(ike);
}

void
ike_tick(struct ike *ike, uint64_t now_ms)
{
	ike->now_ms = MAX(ike->now_ms, now_ms);
	tmr_run(&ike->tmr, ike->now_ms);
	ike_reap(ike);
}

uint64_t
ike_next(const struct ike *ike)
{
	return tmr_next(&ike->tmr);
}
