/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/out.c - build, seal and send messages.
 *
 * One message is built at a time, in ike->tx: first what goes inside SK, at the
 * place where sealing wants it, then header and SK header in front of it.
 */
#include <string.h>

#include "daemon/base/log.h"
#include "ikev2/engine.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

#define SK_AT IKE_HDR_LEN	/* SK is the first outer payload, but for a PS */
#define HDR_LEN_AT 24		/* length field of the IKE header */

size_t
ike_out_ps(const struct ike_sa *sa, struct view *keys)
{
	const struct ike_setup *st = sa->setup;

	*keys = (struct view){ NULL, 0 };
	/* IKE_AUTH is meant, not an IKE_INTERMEDIATE before it */
	if (st == NULL || st->auth_ps_len == 0 || ike_inter_is_due(sa))
		return 0;
	*keys = (struct view){ st->auth_ps, st->auth_ps_len };
	return IKE_PL_HDR_LEN + keys->len;
}

void
ike_out_head(struct wcur *w, const struct ike_hdr *h, struct view ps)
{
	struct ike_hdr head = *h;

	if (ps.len > 0)
		head.next = IKE_PL_PS;
	ike_hdr_encode(w, &head);
	if (ps.len == 0)
		return;
	wcur_u8(w, h->next);		/* SK or SKF */
	wcur_u8(w, 0);
	wcur_u16(w, (uint16_t)(IKE_PL_HDR_LEN + ps.len));
	wcur_view(w, ps);
}

static size_t
sk_at(const struct ike_sa *sa)
{
	struct view ps;

	return SK_AT + ike_out_ps(sa, &ps);
}

static size_t
text_at(const struct ike_sa *sa, const struct ike_dir *d)
{
	return sk_at(sa) + IKE_PL_HDR_LEN + ike_protect_iv_len(d);
}

void
ike_out_open(struct ike_sa *sa, struct ike_build *b)
{
	struct ike_dir d;
	size_t at;

	ike_sa_dir(sa, true, &d);
	at = text_at(sa, &d);
	ike_build_init_inner(b, sa->ike->tx + at, IKE_MAX_MSG_BYTES - at -
			     ike_protect_tail_max(&d));
}

int
ike_out_seal(struct ike_sa *sa, struct ike_build *b, uint8_t xchg,
	     bool is_response, uint32_t msgid, struct view *out)
{
	struct ike_hdr h = { .ispi = sa->ispi, .rspi = sa->rspi,
		.next = IKE_PL_SK, .major = 2, .xchg = xchg,
		.is_initiator = sa->is_initiator, .is_response = is_response,
		.msgid = msgid };
	uint8_t *tx = sa->ike->tx;
	struct ike_sealing s = { .msg = tx, .cap = IKE_MAX_MSG_BYTES,
		.sk_at = sk_at(sa), .iv_at = sk_at(sa) + IKE_PL_HDR_LEN };
	struct view inner, ps;
	struct ike_dir d;
	struct wcur w;
	size_t len;
	int err;

	if ((err = ike_build_finish(b, &inner)) != 0)
		return err;
	wcur_init(&w, tx, s.iv_at);
	(void)ike_out_ps(sa, &ps);
	ike_out_head(&w, &h, ps);
	wcur_u8(&w, b->first);
	wcur_u8(&w, 0);
	wcur_u16(&w, 0);		/* sealing fills both lengths in */
	if (w.err != 0)
		return w.err;
	ike_sa_dir(sa, true, &d);
	s.text_len = inner.len;
	s.iv = ++sa->iv;
	if ((err = ike_protect_seal(&d, &s, &len)) != 0)
		return err;
	*out = (struct view){ tx, len };
	return 0;
}

/* Seal what was built: whole, or in fragments when it is large. */
static int
seal_train(struct ike_sa *sa, struct ike_build *b, const struct ike_hdr *h,
	   struct ike_plain *plain, struct view *train)
{
	int err;

	if ((err = ike_frag_keep(sa, h, b, plain)) != 0)
		return err;
	if (ike_frag_wanted(sa, plain->len))
		err = ike_frag_cut(sa, plain, train);
	else
		err = ike_out_seal(sa, b, h->xchg, h->is_response, h->msgid,
				   train);
	if (err != 0)
		ike_plain_free(plain);
	return err;
}

int
ike_out_request(struct ike_sa *sa, struct ike_build *b, uint8_t xchg)
{
	struct ike_hdr h = { .ispi = sa->ispi, .rspi = sa->rspi, .major = 2,
		.xchg = xchg, .is_initiator = sa->is_initiator,
		.msgid = sa->out.next };
	struct ike_plain plain;
	struct view train;
	int err;

	if ((err = seal_train(sa, b, &h, &plain, &train)) != 0)
		return err;
	if (sa->setup != NULL && xchg == IKE_XCHG_IKE_AUTH)
		sa->setup->auth_ps_len = 0;	/* once; plain has it for a cut */
	if ((err = ike_win_send(sa, xchg, train)) != 0)
		ike_plain_free(&plain);
	else
		sa->out.plain = plain;
	return err;
}

int
ike_out_probe(struct ike_sa *sa, struct ike_build *b)
{
	struct ike_hdr h = { .ispi = sa->ispi, .rspi = sa->rspi, .major = 2,
		.xchg = IKE_XCHG_INFORMATIONAL,
		.is_initiator = sa->is_initiator, .msgid = sa->out.next };
	struct ike_plain plain;
	struct view msg;
	int err;

	if ((err = ike_frag_keep(sa, &h, b, &plain)) != 0)
		return err;
	if ((err = ike_out_seal(sa, b, h.xchg, false, h.msgid, &msg)) != 0 ||
	    (err = ike_win_probe(sa, h.xchg, msg)) != 0)
		ike_plain_free(&plain);
	else
		sa->out.plain = plain;
	return err;
}

int
ike_out_reply(struct ike_sa *sa, const struct ike_msg *m, struct ike_build *b)
{
	struct ike_hdr h = { .ispi = sa->ispi, .rspi = sa->rspi, .major = 2,
		.xchg = m->h.xchg, .is_initiator = sa->is_initiator,
		.is_response = true, .msgid = m->h.msgid };
	struct ike_plain plain;
	struct view train;
	int err;

	if ((err = seal_train(sa, b, &h, &plain, &train)) != 0)
		return err;
	if ((err = ike_win_reply(sa, m, train)) != 0)
		ike_plain_free(&plain);
	else
		sa->in.plain = plain;
	return err;
}

void
ike_out_reply_error(struct ike_sa *sa, const struct ike_msg *m)
{
	struct ike_build b;
	int err;

	ike_out_open(sa, &b);
	ike_build_notify(&b, m->fail_spi_len > 0 ? IKE_PROTO_ESP :
			 IKE_PROTO_NONE, m->fail,
			 (struct view){ m->fail_spi, m->fail_spi_len },
			 (struct view){ m->fail_data, m->fail_len });
	if ((err = ike_out_reply(sa, m, &b)) != 0)
		log_warn("ike", "SA %u: error answer not sent: %s", sa->handle,
			 err_text(err));
}

bool
ike_rate_take(const struct ike *ike, struct ike_rate *r, unsigned most)
{
	if (ike->now_ms - r->ms >= 1000) {
		r->ms = ike->now_ms;
		r->n = 0;
	}
	if (r->n >= most)
		return false;
	r->n++;
	return true;
}

void
ike_out_clear_error(struct ike *ike, const struct ike_msg *m, uint16_t notify,
		    struct view data, bool is_limited)
{
	/* 2.21.1, 2.21.4: same SPIs and message id as the request */
	struct ike_hdr h = { .ispi = m->h.ispi, .rspi = m->h.rspi, .major = 2,
		.xchg = m->h.xchg, .is_initiator = !m->h.is_initiator,
		.is_response = true, .msgid = m->h.msgid };
	struct ike_build b;
	struct view pkt;

	ike_build_init(&b, ike->tx, IKE_MAX_MSG_BYTES, &h);
	ike_build_notify(&b, IKE_PROTO_NONE, notify, (struct view){ NULL, 0 },
			 data);
	if (ike_build_finish(&b, &pkt) != 0)
		return;
	/* a stranger never gets more than it sent */
	if (pkt.len > m->len || (is_limited &&
	    !ike_rate_take(ike, &ike->unprot_rate, IKE_UNPROT_PER_S)))
		drop_count(DROP_IKE_RATE, 1);
	else
		ike->ops.send(ike->ops.ctx, &m->local, &m->remote, m->is_natt,
			      pkt);
}

void
ike_out_bye(struct ike_sa *sa, uint16_t notify)
{
	struct ike_del del = { .proto = IKE_PROTO_IKE };
	/* a request that is out keeps its id, answered or not */
	uint32_t msgid = sa->out.is_busy ? sa->out.id + 1 : sa->out.next;
	struct ike_build b;
	struct view pkt;

	if (sa->keys == NULL)
		return;
	ike_out_open(sa, &b);
	if (notify != 0)
		ike_build_notify(&b, IKE_PROTO_NONE, notify,
		    (struct view){ NULL, 0 }, (struct view){ NULL, 0 });
	ike_build_begin(&b, IKE_PL_D, false);
	enc_delete(&b.w, &del);
	ike_build_end(&b);
	if (ike_out_seal(sa, &b, IKE_XCHG_INFORMATIONAL, false, msgid,
			 &pkt) == 0)
		ike_out_send(sa, pkt);
}

/* Each message of a train says its length. */
static bool
next_of(struct cur *train, struct view *one)
{
	struct cur c = *train;
	uint32_t len;

	return cur_left(train) > 0 && cur_skip(&c, HDR_LEN_AT) == 0 &&
	    cur_u32(&c, &len) == 0 && cur_view(train, len, one) == 0;
}

void
ike_out_send(struct ike_sa *sa, struct view train)
{
	struct ike *ike = sa->ike;
	struct view one;
	struct cur c;

	sa->out_ms = ike->now_ms;
	cur_init(&c, train.p, train.len);
	while (next_of(&c, &one)) {
		ike_trace_sent(sa, one.len);
		ike->ops.send(ike->ops.ctx, &sa->local, &sa->remote,
			      sa->is_natt, one);
	}
}

void
ike_out_back(const struct ike_msg *m, struct view train)
{
	struct ike *ike = m->ike;
	struct view one;
	struct cur c;

	cur_init(&c, train.p, train.len);
	while (next_of(&c, &one))
		ike->ops.send(ike->ops.ctx, &m->local, &m->remote, m->is_natt,
			      one);
}
