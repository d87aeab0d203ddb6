/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/window.c - message ids, retransmission, stored answers.
 *
 * RFC 7296 2.1: the requester repeats, the responder never does by itself.
 * 2.3: our window is one, so requests are answered in order, and only the last
 * answer needs to be kept.  A repeat must be the same to the byte.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "ikev2/engine.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

static int
bytes_set(struct ike_bytes *b, struct view v)
{
	uint8_t *p = malloc(v.len > 0 ? v.len : 1);

	if (p == NULL)
		return ERR_NOMEM;
	memcpy(p, v.p, v.len);
	free(b->p);
	b->p = p;
	b->len = v.len;
	return 0;
}

/* ---- our requests -------------------------------------------------------- */

/* RFC 7383 2.5.2: no answer, so perhaps the datagrams are too large. */
static void
cut_smaller(struct ike_sa *sa)
{
	struct ike_win_out *o = &sa->out;
	uint16_t usual = sa->frag_bytes;
	struct view train;

	if (o->n_try != IKE_FRAG_TRY ||
	    !ike_frag_smaller(sa, &o->plain, 0, &train) ||
	    bytes_set(&o->pkt, train) != 0)
		return;
	if (o->is_probe)	/* it was meant to be too large */
		sa->frag_bytes = usual;
	o->wait_ms = IKE_RETRY_FIRST_MS;
	o->max_try += IKE_FRAG_TRY - 1;
}

/* A probe that is larger than the interface need not be waited for. */
static void
transmit(struct ike_sa *sa)
{
	struct ike_win_out *o = &sa->out;
	struct ike *ike = sa->ike;
	struct view msg = { o->pkt.p, o->pkt.len };

	if (!o->is_probe || o->n_try >= IKE_FRAG_TRY) {
		ike_roam_send(sa, msg);
		return;
	}
	sa->out_ms = ike->now_ms;
	ike_trace_sent(sa, msg.len);
	if (ike->ops.send_whole(ike->ops.ctx, &sa->local, &sa->remote,
				sa->is_natt, msg) != ERR_LONG)
		return;
	o->n_try = IKE_FRAG_TRY - 1;
	if (tmr_start(&ike->tmr, &o->tmr, ike->now_ms + 1) != 0)
		log_warn("ike", "SA %u: no timer: out of memory", sa->handle);
}

/* Transmissions after which the peer is suspected; those of a probe that are
 * lost say nothing about it. */
static unsigned
suspect_try(const struct ike_win_out *o)
{
	return o->is_probe ? 2 * IKE_FRAG_TRY - 1 : IKE_FRAG_TRY;
}

static void
retransmit(void *ctx)
{
	struct ike_sa *sa = ctx;
	struct ike_win_out *o = &sa->out;

	uint64_t now_ms = sa->ike->now_ms, at_ms, short_ms;

	if (o->dead_ms != 0 ? now_ms >= o->dead_ms : o->n_try >= o->max_try) {
		ike_sa_timeout(sa);
		return;
	}
	o->n_try++;
	/* the first ones of a probe may be lost for their size */
	ike_roam_unanswered(sa, o->is_probe ? o->n_try - (IKE_FRAG_TRY - 1) :
			    o->n_try);
	short_ms = ike_roam_wait_ms(sa, o->n_try);
	o->wait_ms = short_ms != 0 ? short_ms :
	    MIN(o->wait_ms * 2, (uint64_t)IKE_RETRY_CAP_MS);
	cut_smaller(sa);
	sa->ike->stats.n_retransmit += !o->is_probe || o->n_try > IKE_FRAG_TRY;
	at_ms = now_ms + o->wait_ms;
	if (o->dead_ms != 0)
		at_ms = MIN(at_ms, o->dead_ms);
	if (tmr_start(&sa->ike->tmr, &o->tmr, at_ms) != 0)
		log_warn("ike", "SA %u: no timer: out of memory", sa->handle);
	transmit(sa);
	if (o->n_try == suspect_try(o) && sa->state == IKE_SA_UP && sa->link != NULL) {
		sa->is_suspect = true;
		ike_link_update(sa->link);
	}
}

void
ike_win_init(struct ike_sa *sa)
{
	tmr_init(&sa->out.tmr, retransmit, sa);
}

void
ike_win_fini(struct ike_sa *sa)
{
	tmr_stop(&sa->ike->tmr, &sa->out.tmr);
	free(sa->out.pkt.p);
	free(sa->in.reply.p);
	memset(&sa->out.pkt, 0, sizeof(sa->out.pkt));
	memset(&sa->in.reply, 0, sizeof(sa->in.reply));
	ike_plain_free(&sa->out.plain);
	ike_plain_free(&sa->in.plain);
	sa->out.is_busy = false;
	sa->in.has_reply = false;
}

/* When an established peer counts as dead; 0 = the number of tries decides. */
static uint64_t
dead_at(const struct ike_sa *sa)
{
	uint64_t ms = ike_roam_dead_ms(sa);

	if (ms != 0)
		return sa->ike->now_ms + ms;
	if ((sa->state != IKE_SA_UP && sa->state != IKE_SA_REKEYED) ||
	    sa->link == NULL || sa->link->realm->conf.dead_s == 0)
		return 0;
	return sa->ike->now_ms + sa->link->realm->conf.dead_s * 1000ull;
}

static int
win_send(struct ike_sa *sa, uint8_t xchg, struct view train, bool is_probe)
{
	struct ike_win_out *o = &sa->out;
	int err;

	if (o->is_busy)
		return ERR_STATE;
	if ((err = bytes_set(&o->pkt, train)) != 0)
		return err;
	ike_plain_free(&o->plain);
	o->wait_ms = is_probe ? ike_size_wait_ms(sa) : ike_roam_wait_ms(sa, 1);
	if (o->wait_ms == 0)
		o->wait_ms = IKE_RETRY_FIRST_MS;
	if ((err = tmr_start(&sa->ike->tmr, &o->tmr,
			     sa->ike->now_ms + o->wait_ms)) != 0)
		return err;
	o->is_busy = true;
	o->xchg = xchg;
	o->id = o->next;
	o->n_try = 1;
	o->sent_ms = sa->ike->now_ms;
	o->max_try = sa->state == IKE_SA_DELETING ? IKE_RETRY_N_BYE :
	    IKE_RETRY_N;
	o->dead_ms = dead_at(sa);
	o->is_probe = is_probe;
	transmit(sa);
	return 0;
}

int
ike_win_send(struct ike_sa *sa, uint8_t xchg, struct view train)
{
	return win_send(sa, xchg, train, false);
}

int
ike_win_probe(struct ike_sa *sa, uint8_t xchg, struct view msg)
{
	return win_send(sa, xchg, msg, true);
}

void
ike_win_hurry(struct ike_sa *sa)
{
	struct ike_win_out *o = &sa->out;

	if (!o->is_busy)
		return;
	o->n_try = 2;			/* how long it took tells nothing */
	o->is_probe = false;		/* of a path that we left */
	o->wait_ms = ike_roam_wait_ms(sa, 1);
	if (o->wait_ms == 0)
		o->wait_ms = IKE_RETRY_FIRST_MS;
	if (tmr_start(&sa->ike->tmr, &o->tmr,
		      sa->ike->now_ms + o->wait_ms) != 0)
		log_warn("ike", "SA %u: no timer: out of memory", sa->handle);
	transmit(sa);
}

void
ike_win_answered(struct ike_sa *sa)
{
	struct ike_win_out *o = &sa->out;

	tmr_stop(&sa->ike->tmr, &o->tmr);
	if (!o->is_busy)
		return;
	if (o->n_try == 1)
		sa->rtt_ms = MAX(sa->ike->now_ms - o->sent_ms, (uint64_t)1);
	o->is_busy = false;
	if (o->n_try == 1)
		ike_hist_add(&sa->ike->stats.exchange,
			     sa->ike->now_ms - o->sent_ms);
	ike_plain_free(&o->plain);
	/* IKE_SA_INIT is repeated with COOKIE or another KE under id 0 (2.6) */
	if ((o->xchg != IKE_XCHG_IKE_SA_INIT &&
	     o->xchg != IKE_XCHG_IKE_SESSION_RESUME) || sa->rspi != 0)
		o->next = o->id + 1;
}

bool
ike_win_expects(const struct ike_sa *sa, const struct ike_hdr *h)
{
	return sa->out.is_busy && h->msgid == sa->out.id &&
	    h->xchg == sa->out.xchg;
}

/* ---- the peer's requests ------------------------------------------------- */

/* One more repeat of the answer, if it may be. */
static bool
may_resend(struct ike_sa *sa)
{
	struct ike_win_in *in = &sa->in;

	if (in->n_resend >= IKE_RESEND_MAX &&
	    sa->ike->now_ms - in->resend_ms < IKE_RESEND_PAUSE_MS)
		return false;
	in->n_resend++;
	in->resend_ms = sa->ike->now_ms;
	return true;
}

static void
resend(struct ike_sa *sa, const struct ike_msg *m, size_t bytes, bool is_cut)
{
	struct ike_win_in *in = &sa->in;
	struct view train;

	/* if it fails, the old cut goes out again */
	if (is_cut && ike_frag_smaller(sa, &in->plain, bytes, &train) &&
	    bytes_set(&in->reply, train) != 0)
		log_debug("ike", "SA %u: answer not cut", sa->handle);
	ike_out_back(m, (struct view){ in->reply.p, in->reply.len });
}

int
ike_win_take(struct ike_sa *sa, const struct ike_msg *m, enum drop *d)
{
	struct ike_win_in *in = &sa->in;

	if (m->h.msgid == in->next)
		return 0;
	*d = DROP_IKE_MSGID;
	if (!in->has_reply || m->h.msgid + 1 != in->next)
		return ERR_REPLAY;
	*d = DROP_IKE_REPEAT;
	if (!ct_equal(m->hash, in->req_hash, sizeof(m->hash)))
		return ERR_REPLAY;
	if (!may_resend(sa))
		return ERR_REPLAY;
	/* RFC 7383 2.4: our large answer does not seem to arrive */
	resend(sa, m, 0, in->n_resend == IKE_FRAG_TRY - 1);
	return ERR_EXISTS;
}

void
ike_win_recut(struct ike_sa *sa, const struct ike_msg *m)
{
	if (may_resend(sa))
		resend(sa, m, m->len, true);
	else
		drop_count(DROP_IKE_REPEAT, 1);
}

int
ike_win_reply(struct ike_sa *sa, const struct ike_msg *m, struct view train)
{
	struct ike_win_in *in = &sa->in;
	int err;

	if ((err = bytes_set(&in->reply, train)) != 0)
		return err;
	ike_plain_free(&in->plain);
	in->has_reply = true;
	in->n_resend = 0;
	in->next = m->h.msgid + 1;
	memcpy(in->req_hash, m->hash, sizeof(in->req_hash));
	sa->out_ms = sa->ike->now_ms;
	ike_out_back(m, train);	/* 2.11: to where the request came from */
	return 0;
}
