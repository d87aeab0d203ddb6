/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/stands.c - who is connected is asked about again: other keys are in force
 * than when he was let in.
 *
 *   ike_recheck()  -> for each link, a few at a time: IKE_ASK_STANDS
 *   answered       -> good, or its SAs are deleted with the reason
 *
 * Beginning anew while it goes on is fine: each link is asked about after the last
 * ike_recheck().  What cannot be answered ends nobody, and is asked again later.
 *
 * Thread: the loop.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "ikev2/engine.h"
#include "ikev2/step/step.h"

#define AGAIN_MS 5000	/* until those are asked about that nobody could answer */
#define AGAIN_N	 12	/* times, in a row */

/* ---- what was shown -------------------------------------------------------- */

void
ike_shown_keep(struct ike_link *link, struct view shown)
{
	uint8_t *p = shown.len > 0 ? malloc(shown.len) : NULL;

	if (p != NULL)
		memcpy(p, shown.p, shown.len);
	free(link->shown.p);
	link->shown = (struct ike_bytes){ p, p != NULL ? shown.len : 0 };
}

/* An SA of the link that its peer proved itself for. */
static const struct ike_sa *
proven(const struct ike_link *link)
{
	LIST_FOREACH(it, &link->sas) {
		const struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa,
						       link_node);

		if (sa->is_authenticated)
			return sa;
	}
	return NULL;
}

/* ---- asking ---------------------------------------------------------------- */

static struct ike_doubt *
doubt_find(struct ike *ike, uint64_t ticket)
{
	for (unsigned i = 0; i < IKE_DOUBTS; i++)
		if (ike->stands.doubt[i].ticket == ticket)
			return &ike->stands.doubt[i];
	return NULL;
}

static int
ask(struct ike *ike, struct ike_link *link, struct ike_doubt *d)
{
	const struct ike_sa *sa = proven(link);
	struct ike_ask a = { .type = IKE_ASK_STANDS,
		.realm = link->realm->conf.index, .peer = link->peer->index,
		.shown = { link->shown.p, link->shown.len } };
	int err;

	if (sa == NULL || link->shown.len == 0)
		return 0;
	if (++ike->last_serial == 0)
		ike->last_serial = 1;
	a.is_initiator = sa->is_initiator;
	a.ticket = ike->last_serial;
	if ((err = ike->ops.ask(ike->ops.ctx, &a)) != 0)
		return err;
	*d = (struct ike_doubt){ .ticket = a.ticket, .link = link->id };
	return 0;
}

/* As many questions as may be under way. */
static void
pump(struct ike *ike)
{
	struct ike_stands *st = &ike->stands;
	struct ike_doubt *free_one;
	struct ike_link *link;

	while (st->is_on && (free_one = doubt_find(ike, 0)) != NULL) {
		if (st->at >= IKE_LINK_MAX) {
			st->is_on = false;
			break;
		}
		st->at++;
		link = map_find(ike->by_link, &st->at);
		if (link != NULL && ask(ike, link, free_one) != 0)
			st->has_unknown = true;
	}
	for (unsigned i = 0; i < IKE_DOUBTS; i++)
		if (st->doubt[i].ticket != 0)
			return;
	if (st->is_on || !st->has_unknown || st->n_again >= AGAIN_N)
		return;
	st->n_again++;
	if (tmr_start(&ike->tmr, &st->again, ike->now_ms + AGAIN_MS) != 0)
		log_warn("ike", "out of memory: not everybody who is connected "
			 "was asked about");
}

static void
begin(struct ike *ike)
{
	ike->stands.is_on = true;
	ike->stands.has_unknown = false;
	ike->stands.at = 0;
	pump(ike);
}

static void
again_over(void *ctx)
{
	begin(ctx);
}

/* ---- answers --------------------------------------------------------------- */

static void
expel(struct ike_link *link, const char *why)
{
	struct ike *ike = link->ike;

	ike_resume_forget(link);
	ike_shown_keep(link, (struct view){ NULL, 0 });
	ike->ops.link_event(ike->ops.ctx, link->id, IKE_LINK_EXPELLED, why);
	LIST_FOREACH_SAFE(it, next, &link->sas) {
		struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa, link_node);

		if (sa->is_authenticated)
			ike_sa_delete(sa, why);
	}
	ike_link_update(link);
}

void
ike_stands_answer(struct ike *ike, const struct ike_ans *ans)
{
	struct ike_doubt *d = ans->ticket != 0 ? doubt_find(ike, ans->ticket) :
	    NULL;
	struct ike_link *link;

	if (d == NULL)
		return;
	link = ike_link_by_id(ike, d->link);
	*d = (struct ike_doubt){ 0 };
	if (link != NULL && (ans->err == ERR_AUTH || ans->err == ERR_NOTFOUND))
		expel(link, ans->why);
	else if (ans->err != 0)
		ike->stands.has_unknown = true;
	pump(ike);
}

void
ike_stands_lost(struct ike *ike)
{
	memset(ike->stands.doubt, 0, sizeof(ike->stands.doubt));
	ike->stands.is_on = false;
	tmr_stop(&ike->tmr, &ike->stands.again);
}

void
ike_stands_init(struct ike *ike)
{
	tmr_init(&ike->stands.again, again_over, ike);
}

/* ---- public ---------------------------------------------------------------- */

void
ike_recheck(struct ike *ike, uint64_t now_ms)
{
	ike->now_ms = MAX(ike->now_ms, now_ms);
	tmr_stop(&ike->tmr, &ike->stands.again);
	ike->stands.n_again = 0;
	/* those under way are asked about once more, with what is known now */
	begin(ike);
	ike_reap(ike);
}
