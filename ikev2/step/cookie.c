/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/cookie.c - cookies and puzzles: how much is asked of strangers, and
 * what we do when it is asked of us (RFC 7296 2.6, RFC 8019).
 *
 *   half-open IKE SAs        asked of everybody
 *   cookie-threshold and up  a cookie; until half of it
 *   puzzle-threshold and up  a puzzle too; until half of it
 *
 * More than a few half-open of one source, and that source has to; many requests
 * without a cookie in one second, and everybody has to.  The judge is gate.c.
 * Requests are judged as they came, before anything is allocated, copied or
 * decoded; so this is no step of path.c.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "ikev2/crypt/puzzle.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

/* ---- how much is asked --------------------------------------------------- */

/* On from n, off again at half of it. */
static bool
hysteresis(bool is_on, uint64_t n, uint64_t on)
{
	return n >= on || (is_on && n > on / 2);
}

/* Are strangers without a cookie many?  One second is counted at a time. */
static bool
is_rush(struct ike *ike)
{
	struct ike_door *d = &ike->door;
	uint64_t n, ms = MAX(ike->now_ms - d->second_ms, 1000);
	struct ike_gate_stats gs;

	ike_gate_stats_get(d->gate, &gs);
	n = gs.n_cookie - d->n_before;
	if (n * 1000 / ms >= IKE_RUSH_PER_S)
		d->rush_ms = ike->now_ms;
	if (ike->now_ms - d->second_ms >= 1000) {
		d->second_ms = ike->now_ms;
		d->n_before = gs.n_cookie;
	}
	return d->rush_ms != 0 && ike->now_ms - d->rush_ms < IKE_RUSH_MS;
}

/* RFC 8019 10: more work, and fewer let in without, the fuller the table is. */
static void
puzzle_set(const struct ike *ike, struct ike_gate_want *want)
{
	uint64_t max = MAX(ike->conf.max_halfopen, 1u);
	uint64_t n = MIN(ike->stats.n_halfopen, max);

	want->bits = ike->conf.puzzle_bits == 0 ? 0 :
	    (uint8_t)(ike->conf.puzzle_bits + n * IKE_PUZZLE_MORE / max);
	want->chance = (uint8_t)(IKE_PUZZLE_CHANCE -
	    (IKE_PUZZLE_CHANCE - IKE_PUZZLE_CHANCE_LO) * n / max);
}

static void
level_set(struct ike *ike, const struct ike_gate_want *want, bool is_many)
{
	struct ike_door *d = &ike->door;
	bool is_new = want->level != d->want.level || is_many != d->is_many;

	d->want = *want;
	ike_gate_set(d->gate, want);
	if (is_many && !d->is_many) {
		d->since_ms = ike->now_ms;
		ike->stats.n_attack++;
	}
	d->is_many = is_many;
	if (is_new && ike->ops.gate != NULL)
		ike->ops.gate(ike->ops.ctx, want->level, is_many);
}

void
ike_door_tune(struct ike *ike)
{
	struct ike_door *d = &ike->door;
	uint64_t n = ike->stats.n_halfopen;
	struct ike_gate_want want = { .level = IKE_GATE_OPEN };
	bool rush = is_rush(ike);

	d->is_cookie_on = rush ||
	    hysteresis(d->is_cookie_on, n, ike->conf.cookie_threshold);
	d->is_puzzle_on = ike->conf.puzzle_threshold != 0 &&
	    hysteresis(d->is_puzzle_on, n, MAX(ike->conf.puzzle_threshold,
					       ike->conf.cookie_threshold));
	if (d->is_puzzle_on) {
		want.level = IKE_GATE_PUZZLE;
		puzzle_set(ike, &want);
	} else if (d->is_cookie_on) {
		want.level = IKE_GATE_COOKIE;
	}
	level_set(ike, &want, rush || d->is_puzzle_on ||
		  (d->is_cookie_on && ike->conf.cookie_threshold != 0));
	if (want.level != IKE_GATE_OPEN && !tmr_is_set(&d->tmr) &&
	    tmr_start(&ike->tmr, &d->tmr, ike->now_ms + IKE_DOOR_MS) != 0)
		log_debug("ike", "no timer for the door");
}

void
ike_door_over(void *ctx)
{
	ike_door_tune(ctx);
}

/* ---- may it come in? ----------------------------------------------------- */

/* What is wanted of this source, which may be more than of others. */
static struct ike_gate_want
want_of(struct ike *ike, const struct ike_sources *src)
{
	struct ike_gate_want want = ike->door.want;

	if (want.level == IKE_GATE_OPEN && (src->n_near >= IKE_COOKIE_PER_SRC ||
	    src->n_wide >= IKE_COOKIE_PER_NET))
		want.level = IKE_GATE_COOKIE;
	return want;
}

static bool
judge(struct ike *ike, const struct ike_msg *m, struct view data,
      const struct ike_sources *src, struct ike_proof *proof)
{
	struct ike_gate_want want = want_of(ike, src);
	uint8_t answer[IKE_GATE_ANSWER_MAX];
	size_t len = 0;

	switch (ike_gate_judge(ike->door.gate, &ike->door.seat, &want,
	    &m->remote, data, ike->now_ms, answer, &len, proof)) {
	case IKE_GATE_ADMIT:
		return true;
	case IKE_GATE_ANSWER:
		ike->ops.send(ike->ops.ctx, &m->local, &m->remote, m->is_natt,
			      (struct view){ answer, len });
		ike_door_tune(ike);	/* perhaps there is a rush */
		return false;
	case IKE_GATE_DROP:
		break;
	}
	return false;
}

/* RFC 8019 10: a solution makes one half-open SA. */
static uint64_t *
used_slot(struct ike *ike, uint64_t tag)
{
	struct ike_door *d = &ike->door;

	if (d->used == NULL)
		d->used = calloc(IKE_USED_MAX, sizeof(*d->used));
	return d->used != NULL ? &d->used[tag % IKE_USED_MAX] : NULL;
}

static bool
is_used(struct ike *ike, const struct ike_proof *proof)
{
	const uint64_t *slot = used_slot(ike, proof->tag);

	return slot != NULL && *slot == proof->tag;
}

void
ike_door_used(struct ike *ike, const struct ike_proof *proof)
{
	uint64_t *slot;

	if (proof->has_solved && (slot = used_slot(ike, proof->tag)) != NULL)
		*slot = proof->tag;
}

/* Is there room for one more of this source, proven or not? */
static bool
has_room(const struct ike *ike, const struct ike_sources *src)
{
	uint32_t max = ike->conf.max_halfopen;

	return ike->stats.n_halfopen < max &&
	    src->n_near < MAX(max / IKE_HALFOPEN_PARTS,
			      IKE_COOKIE_PER_SRC + 1u) &&
	    src->n_wide < MAX(max / 2, IKE_COOKIE_PER_NET + 1u);
}

static bool
is_same(const struct ike_sa *sa, struct view data)
{
	const struct ike_bytes *b = &sa->setup->peer_msg;

	return b->len == data.len && memcmp(b->p, data.p, data.len) == 0;
}

bool
ike_cookie_admits(struct ike *ike, struct ike_msg *m, struct view data)
{
	struct ike_sa *old = ike_sa_by_init(ike, m);
	struct ike_sources src;

	if (old != NULL && !m->proof.has_cookie)
		return true;		/* admitted before: a repeat */
	if (data.len > IKE_INIT_REQ_MAX) {
		drop_count(DROP_IKE_LONG, 1);
		return false;
	}
	src = ike_sa_halfopen_of(ike, &m->remote.ip);
	if (!m->proof.has_cookie) {
		ike_door_tune(ike);
		/* a puzzle is set in IKE_SA_INIT only */
		if (m->h.xchg == IKE_XCHG_IKE_SESSION_RESUME &&
		    ike->door.want.level == IKE_GATE_PUZZLE) {
			ike_out_clear_error(ike, m, IKE_N_TICKET_NACK,
					    (struct view){ NULL, 0 }, true);
			return false;
		}
		if (!judge(ike, m, data, &src, &m->proof))
			return false;
	}
	if (old != NULL && (old->setup->has_proof || is_same(old, data)))
		return true;
	/* what came without a cookie has to go when its sender brings one: our
	 * answer to it was lost, and it asked again under attack */
	if (old != NULL)
		ike_sa_kill(old, NULL);
	if (m->proof.has_solved && is_used(ike, &m->proof)) {
		drop_count(DROP_IKE_PUZZLE, 1);
		return false;
	}
	if (has_room(ike, &src))
		return true;
	drop_count(DROP_IKE_HALFOPEN, 1);
	return false;
}

/* ---- as initiator -------------------------------------------------------- */

/* Shall we solve it?  Else the cookie alone is returned (RFC 8019 7.1.2). */
static bool
is_solvable(const struct ike_sa *sa, const struct ike_ntf *n,
	    struct ike_puzzle *out)
{
	char ip[IP_TEXT_MAX];
	struct cur c;

	if (n == NULL)
		return false;
	cur_init(&c, n->data.p, n->data.len);
	if (dec_puzzle(&c, out) != 0)
		return false;
	if (ike_puzzle_hash(out->prf) == SPI_HASH_NONE) {
		log_notice("ike", "%s sets a puzzle for PRF %u, which we do not "
			   "have: trying without", net_ep_text(&sa->remote, ip),
			   out->prf);
		return false;
	}
	if (out->bits > IKE_PUZZLE_BITS_MAX) {
		log_notice("ike", "%s is overloaded and sets a puzzle of %u "
			   "bits, we solve %u at most: trying without",
			   net_ep_text(&sa->remote, ip), out->bits,
			   IKE_PUZZLE_BITS_MAX);
		ike_link_why(sa->link, "%s is overloaded and sets a puzzle that "
			     "is too hard", net_ep_text(&sa->remote, ip));
		return false;
	}
	if (out->bits == 0)		/* as much as we can afford */
		out->bits = IKE_PUZZLE_BITS_FREE;
	return true;
}

enum ike_verdict
ike_step_cookie_again(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_COOKIE);
	struct ike_setup *st = sa->setup;
	struct ike_puzzle puzzle;

	(void)ike;
	if (n == NULL || n->data.len == 0 || n->data.len > sizeof(st->cookie))
		return ike_drop(m, DROP_IKE_SYNTAX);
	ike_trace_cookie(sa->link);
	if (m->h.rspi != 0 || st->n_again >= IKE_INIT_AGAIN_MAX)
		return ike_drop(m, DROP_IKE_UNPROT);
	st->n_again++;
	memcpy(st->cookie, n->data.p, n->data.len);
	st->cookie_len = n->data.len;
	st->ps_len = 0;
	ike_win_answered(sa);
	if (!is_solvable(sa, ike_ntf_find(m->p, IKE_N_PUZZLE), &puzzle))
		return V_NEXT;
	if (ike_job_puzzle(sa, &puzzle, (struct view){ st->cookie,
						       st->cookie_len }) != 0)
		return ike_fail(m, 0, "not enough memory to connect");
	return V_WAIT;
}

enum ike_verdict
ike_step_cookie_send(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;

	(void)ike;
	if (m->secret_len == sizeof(st->ps) && m->job_err == 0) {
		memcpy(st->ps, m->secret, sizeof(st->ps));
		st->ps_len = sizeof(st->ps);
	}
	if (ike_init_send(sa, sa->task) != 0)
		return ike_fail(m, 0, "the request could not be sent again");
	return V_KEEP;
}

/* ---- puzzles of IKE_AUTH, RFC 8019 7.2 ------------------------------------ */

enum ike_verdict
ike_step_auth_puzzle(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_PUZZLE);
	struct ike_setup *st = sa->setup;
	uint8_t s[IKE_NONCE_MAX + 8];
	struct ike_puzzle puzzle;

	(void)ike;
	m->secret_len = 0;
	if (!is_solvable(sa, n, &puzzle))
		return V_NEXT;
	memcpy(s, st->nr, st->nr_len);		/* 7.2.3: Nr | SPIr */
	be64_put(s + st->nr_len, sa->rspi);
	if (ike_job_puzzle(sa, &puzzle, (struct view){ s, st->nr_len + 8 }) != 0)
		return ike_fail(m, 0, "not enough memory to connect");
	return V_WAIT;
}

enum ike_verdict
ike_step_auth_puzzled(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;

	(void)ike;
	if (m->secret_len != sizeof(st->auth_ps) || m->job_err != 0)
		return V_NEXT;
	memcpy(st->auth_ps, m->secret, sizeof(st->auth_ps));
	st->auth_ps_len = sizeof(st->auth_ps);
	return V_NEXT;
}
