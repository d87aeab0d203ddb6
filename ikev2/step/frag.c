/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/frag.c - messages in fragments (RFC 7383).
 *
 *   HDR, SK{ text }  =  HDR, SKF(1/n){ te } .. HDR, SKF(n/n){ xt }
 *
 * Sending.  A message whose datagram would be larger than the SA's bound goes
 * in pieces.  What is larger than the least bound is kept as text until it is
 * answered, so that it can be cut again, smaller, when no answer comes (2.5.2).
 *
 * Receiving.  One message each way is put together at a time; only fragments
 * whose ICV is right take memory.  The one exception are those of the message
 * for which the keys are still being computed: they are held, few and briefly.
 *
 *   bounds: IKE_MAX_FRAGMENTS pieces, IKE_MAX_MSG_BYTES of text, IKE_FRAG_MS
 *           since the last piece;
 *           IKE_FRAG_HELD_MAX for all strangers together
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/secret.h"
#include "ikev2/step/step.h"

#define IP4_HDR	    20
#define IP6_HDR	    40
#define UDP_HDR	    8
#define MARKER	    4	/* RFC 3948 2.2 */
#define ROOM_MIN    64	/* text of a fragment, at least; ours */

/* ---- negotiation, 2.3 ---------------------------------------------------- */

void
ike_frag_add(struct ike_sa *sa, struct ike_build *b)
{
	struct view none = { NULL, 0 };

	/* an answer says it only when it was asked */
	if (sa->ike->conf.frag_bytes > 0 && (sa->is_initiator || sa->has_frag))
		ike_build_notify(b, IKE_PROTO_NONE,
				 IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, none,
				 none);
}

enum ike_verdict
ike_step_frag(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	sa->has_frag = ike->conf.frag_bytes > 0 &&
	    ike_ntf_find(m->p, IKE_N_IKEV2_FRAGMENTATION_SUPPORTED) != NULL;
	sa->frag_bytes = ike->conf.frag_bytes;
	return V_NEXT;
}

/* ---- sizes --------------------------------------------------------------- */

static size_t
outer_len(const struct ike_sa *sa)
{
	return (sa->remote.ip.family == 4 ? IP4_HDR : IP6_HDR) + UDP_HDR +
	    (sa->is_natt ? MARKER : 0);
}

/* 2.5.1: what passes everywhere, or nearly. */
static size_t
least_bytes(const struct ike_sa *sa)
{
	return sa->remote.ip.family == 4 ? IKE_FRAG_LEAST_4 : IKE_FRAG_LEAST_6;
}

static size_t
dgram_len(const struct ike_sa *sa, const struct ike_dir *d, size_t text_len)
{
	return outer_len(sa) + IKE_HDR_LEN + IKE_PL_HDR_LEN +
	    ike_protect_iv_len(d) + text_len + ike_protect_tail_max(d);
}

/* Text that fits into one fragment of a datagram of so many bytes. */
static size_t
room_of(const struct ike_sa *sa, const struct ike_dir *d, size_t bytes,
	size_t ps_len)
{
	size_t fixed = dgram_len(sa, d, 0) + IKE_SKF_NUMBERS;

	/* in the first one only, but all are cut alike */
	if (ps_len > 0)
		fixed += IKE_PL_HDR_LEN + ps_len;

	return bytes > fixed + ROOM_MIN ? bytes - fixed : ROOM_MIN;
}

size_t
ike_frag_text_of(const struct ike_sa *sa, size_t bytes)
{
	struct ike_dir d;
	size_t fixed, n;

	ike_sa_dir(sa, true, &d);
	fixed = outer_len(sa) + IKE_HDR_LEN + IKE_PL_HDR_LEN +
	    ike_protect_iv_len(&d) + ike_protect_icv_len(&d);
	n = bytes > fixed ? bytes - fixed : 0;
	if (!spi_cipher_is_aead(d.encr))
		n -= n % SPI_CBC_BLOCK;
	return n > 0 ? n - 1 : 0;	/* the length of the padding */
}

/* ---- cutting ------------------------------------------------------------- */

bool
ike_frag_wanted(const struct ike_sa *sa, size_t text_len)
{
	struct ike_dir d;

	ike_sa_dir(sa, true, &d);
	return sa->has_frag && dgram_len(sa, &d, text_len) > sa->frag_bytes;
}

void
ike_plain_free(struct ike_plain *p)
{
	if (p->text != NULL)
		wipe(p->text, p->len);
	free(p->text);
	memset(p, 0, sizeof(*p));
}

int
ike_frag_keep(const struct ike_sa *sa, const struct ike_hdr *h,
	      struct ike_build *b, struct ike_plain *out)
{
	struct ike_plain p = { .h = *h, .first = b->first };
	struct view text, ps;
	struct ike_dir d;
	int err;

	if ((err = ike_build_finish(b, &text)) != 0)
		return err;
	p.len = text.len;
	p.h.next = IKE_PL_SKF;
	if (ike_out_ps(sa, &ps) > 0) {
		memcpy(p.ps, ps.p, ps.len);
		p.ps_len = ps.len;
	}
	ike_sa_dir(sa, true, &d);
	if (sa->has_frag && dgram_len(sa, &d, text.len) > MIN(least_bytes(sa),
	    (size_t)sa->frag_bytes)) {
		if ((p.text = malloc(text.len)) == NULL)
			return ERR_NOMEM;
		memcpy(p.text, text.p, text.len);
	}
	*out = p;
	return 0;
}

/* A message keeps the keys it was first sealed with. */
static void
dir_of(const struct ike_sa *sa, const struct ike_plain *p, struct ike_dir *d)
{
	ike_sa_dir_of(sa, p->is_old ? sa->old_keys : sa->keys, true, d);
}

/* One fragment at msg. */
static int
cut_one(struct ike_sa *sa, const struct ike_plain *p, uint16_t num,
	uint16_t total, struct view text, uint8_t *msg, size_t cap, size_t *len)
{
	/* RFC 7383 2.5.3: what is in clear is in the first one only */
	struct view ps = { p->ps, num == 1 ? p->ps_len : 0 };
	size_t at = IKE_HDR_LEN + (ps.len > 0 ? IKE_PL_HDR_LEN + ps.len : 0);
	struct ike_sealing s = { .msg = msg, .cap = cap, .sk_at = at,
		.iv_at = at + IKE_PL_HDR_LEN + IKE_SKF_NUMBERS,
		.text_len = text.len, .iv = ++sa->iv };
	struct ike_dir d;
	struct wcur w;

	dir_of(sa, p, &d);
	wcur_init(&w, msg, cap);
	ike_out_head(&w, &p->h, ps);
	wcur_u8(&w, num == 1 ? p->first : IKE_PL_NONE);
	wcur_u8(&w, 0);
	wcur_u16(&w, 0);		/* sealing fills both lengths in */
	wcur_u16(&w, num);
	wcur_u16(&w, total);
	wcur_zero(&w, ike_protect_iv_len(&d));
	wcur_view(&w, text);
	if (w.err != 0)
		return w.err;
	return ike_protect_seal(&d, &s, len);
}

int
ike_frag_cut(struct ike_sa *sa, struct ike_plain *p, struct view *train)
{
	struct cur c;
	struct ike_dir d;
	size_t room, total, at = 0, len = 0;
	int err = 0;

	dir_of(sa, p, &d);
	room = room_of(sa, &d, sa->frag_bytes, p->ps_len);
	total = (p->len + room - 1) / room;
	if (p->text == NULL || total > IKE_MAX_FRAGMENTS ||
	    total <= p->n_frag)	/* 2.5.2: a new set has more */
		return ERR_RANGE;
	cur_init(&c, p->text, p->len);
	for (size_t i = 1; i <= total && err == 0; i++) {
		struct view part;

		if ((err = cur_view(&c, MIN(room, cur_left(&c)), &part)) != 0)
			break;
		err = cut_one(sa, p, (uint16_t)i, (uint16_t)total, part,
			      sa->ike->train + at, IKE_TRAIN_MAX - at, &len);
		at += len;
	}
	if (err != 0)
		return err;
	p->n_frag = (uint16_t)total;
	*train = (struct view){ sa->ike->train, at };
	return 0;
}

bool
ike_frag_smaller(struct ike_sa *sa, struct ike_plain *p, size_t bytes,
		 struct view *train)
{
	size_t least = MAX(least_bytes(sa), bytes);

	if (p->text == NULL || (p->is_old ? sa->old_keys : sa->keys) == NULL)
		return false;
	sa->frag_bytes = (uint16_t)MIN(least, (size_t)sa->frag_bytes);
	return ike_frag_cut(sa, p, train) == 0;
}

/* ---- putting together ---------------------------------------------------- */

struct ike_frags {
	uint32_t msgid;
	uint8_t xchg, first, flags;
	unsigned total, n_have;
	size_t bytes;			/* of text */
	size_t largest;			/* datagram, with IP header */
	uint64_t fed_ms;		/* when the last piece came */
	uint8_t hash[32];		/* of the first fragment */
	struct ike_bytes part[IKE_MAX_FRAGMENTS];
};

static struct ike_frags **
set_of(struct ike_sa *sa, const struct ike_msg *m)
{
	return &sa->frags[m->h.is_response ? 1 : 0];
}

static void
set_free(struct ike *ike, struct ike_frags **set)
{
	struct ike_frags *f = *set;

	*set = NULL;
	if (f == NULL)
		return;
	for (unsigned i = 0; i < f->total; i++) {
		if (f->part[i].p != NULL)
			wipe(f->part[i].p, f->part[i].len);
		free(f->part[i].p);
	}
	ike->frag_held -= f->bytes + sizeof(*f);
	free(f);
}

void
ike_frag_forget(struct ike_sa *sa)
{
	for (unsigned i = 0; i < N_OF(sa->frags); i++)
		set_free(sa->ike, &sa->frags[i]);
}

void
ike_frag_expire(struct ike_sa *sa)
{
	for (unsigned i = 0; i < N_OF(sa->frags); i++)
		if (sa->frags[i] != NULL &&
		    sa->ike->now_ms - sa->frags[i]->fed_ms >= IKE_FRAG_MS)
			set_free(sa->ike, &sa->frags[i]);
}

/* 2.6: the tests that need no key.  m is within the window, so a set with
 * another message id is over. */
bool
ike_frag_admits(struct ike_sa *sa, const struct ike_msg *m)
{
	struct ike_frags **set = set_of(sa, m), *f;

	ike_frag_expire(sa);
	if (*set != NULL && (*set)->msgid != m->h.msgid)
		set_free(sa->ike, set);
	if ((f = *set) == NULL)
		return true;
	if (f->xchg != m->h.xchg)
		return false;
	if (m->frag.frag_total != f->total)
		return m->frag.frag_total > f->total;
	return f->part[m->frag.frag_num - 1].p == NULL;
}

static struct ike_frags *
set_new(struct ike_sa *sa, const struct ike_msg *m)
{
	struct ike *ike = sa->ike;
	struct ike_frags *f;

	if ((!sa->is_authenticated &&
	     ike->frag_held + sizeof(*f) > IKE_FRAG_HELD_MAX) ||
	    (f = calloc(1, sizeof(*f))) == NULL)
		return NULL;
	f->msgid = m->h.msgid;
	f->xchg = m->h.xchg;
	f->total = m->frag.frag_total;
	ike->frag_held += sizeof(*f);
	return f;
}

/* Room for one more piece of text, within all bounds. */
static int
store(struct ike_sa *sa, struct ike_frags *f, unsigned i, struct view text)
{
	struct ike *ike = sa->ike;

	if (f->bytes + text.len > IKE_MAX_MSG_BYTES ||
	    (!sa->is_authenticated &&
	     ike->frag_held + text.len > IKE_FRAG_HELD_MAX))
		return ERR_LIMIT;
	if ((f->part[i].p = malloc(MAX(text.len, (size_t)1))) == NULL)
		return ERR_NOMEM;
	memcpy(f->part[i].p, text.p, text.len);
	f->part[i].len = text.len;
	f->bytes += text.len;
	ike->frag_held += text.len;
	f->n_have++;
	f->fed_ms = ike->now_ms;
	return 0;
}

/* All are there: m becomes the whole message. */
static int
join(struct ike_sa *sa, const struct ike_frags *f, struct ike_msg *m,
     struct view *text)
{
	struct wcur w;

	if ((m->whole = malloc(MAX(f->bytes, (size_t)1))) == NULL)
		return ERR_NOMEM;
	m->whole_len = f->bytes;
	wcur_init(&w, m->whole, f->bytes);
	for (unsigned i = 0; i < f->total; i++)
		wcur_bytes(&w, f->part[i].p, f->part[i].len);
	memcpy(m->hash, f->hash, sizeof(m->hash));
	m->clear.sk_first = f->first;
	m->sk_flags = f->flags;
	/* 2.5.1: the peer knows its path; do not send larger ones there */
	if (!m->h.is_response && f->total > 1)
		sa->frag_bytes = (uint16_t)MIN((size_t)sa->frag_bytes,
		    MAX(least_bytes(sa), f->largest));
	*text = (struct view){ m->whole, f->bytes };
	return 0;
}

int
ike_frag_take(struct ike_sa *sa, struct ike_msg *m, struct view *text)
{
	struct ike_frags **set = set_of(sa, m), *f;
	int err;

	if (*set != NULL && m->frag.frag_total > (*set)->total)
		set_free(sa->ike, set);
	if (*set == NULL && (*set = set_new(sa, m)) == NULL)
		return ERR_NOMEM;
	f = *set;
	if ((err = store(sa, f, m->frag.frag_num - 1u, *text)) != 0)
		return err;
	f->largest = MAX(f->largest, m->len + outer_len(sa));
	if (m->frag.frag_num == 1) {
		f->first = m->clear.sk_first;
		f->flags = m->sk_flags;
		memcpy(f->hash, m->hash, sizeof(f->hash));
	}
	if (f->n_have < f->total)
		return ERR_AGAIN;
	err = join(sa, f, m, text);
	set_free(sa->ike, set);
	return err;
}

/* ---- before there are keys ----------------------------------------------- */

bool
ike_frag_hold(struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;

	if (st == NULL || st->n_held >= IKE_MAX_FRAGMENTS ||
	    sa->ike->frag_held + m->len + sizeof(*m) > IKE_FRAG_HELD_MAX)
		return false;
	if (st->n_held == 0)
		list_init(&st->held);
	sa->ike->frag_held += m->len + sizeof(*m);
	list_add_tail(&st->held, &m->node);
	st->n_held++;
	return true;
}

struct ike_msg *
ike_frag_held(struct ike_sa *sa)
{
	struct ike_setup *st = sa->setup;
	struct ike_msg *m;

	if (st == NULL || st->n_held == 0)
		return NULL;
	m = CONTAINER_OF(st->held.next, struct ike_msg, node);
	list_remove(&m->node);
	st->n_held--;
	sa->ike->frag_held -= m->len + sizeof(*m);
	return m;
}
