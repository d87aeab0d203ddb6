/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/sa.c - IKE SAs: birth, tables, timers, end.
 *
 * An SA that ends is moved to ike->dead and released by ike_reap() when the
 * engine is left, so that no function up the stack holds a dangling pointer.
 */
#include "daemon/base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "daemon/base/str.h"
#include "ikev2/engine.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

#define SRC_KEY 18	/* family, width, address */

/* ---- timers -------------------------------------------------------------- */

static void
arm(struct ike_sa *sa, struct tmr *t, uint64_t in_ms)
{
	if (tmr_start(&sa->ike->tmr, t, sa->ike->now_ms + in_ms) != 0)
		log_warn("ike", "SA %u: no timer: out of memory", sa->handle);
}

/* The end of a state's time. */
static void
life_over(void *ctx)
{
	struct ike_sa *sa = ctx;
	struct ike_link *link = sa->link;

	switch (sa->state) {
	case IKE_SA_INIT_I:
	case IKE_SA_AUTH_I:
		if (link != NULL && !sa->is_told) {
			ike_link_why(link, "connecting took too long");
			ike_trace_out(sa, IKE_BY_SILENCE,
				      IKE_STAGE_AUTH, 0, link->why);
		}
		if (link != NULL)
			ike_link_failed(link);
		ike_sa_kill(sa, NULL);
		break;
	case IKE_SA_UP:
		ike_sa_delete(sa, ike_until_is_over(sa) ?
			      "the time of the login is over: the peer has to "
			      "log in anew" :
			      "the IKE SA reached the end of its life");
		break;
	case IKE_SA_REKEYED:
		ike_task_add(sa, IKE_TASK_DEL_IKE, 0);
		ike_task_pump(sa);
		break;
	default:
		ike_sa_kill(sa, NULL);
		break;
	}
}

static void
soft_over(void *ctx)
{
	struct ike_sa *sa = ctx;
	uint64_t again_ms = (uint64_t)sa->link->realm->conf.ike_life_s * 1000 /
	    IKE_SOFT_PARTS;

	if (sa->login_ms != 0 && (again_ms == 0 || again_ms > IKE_LOGIN_MS))
		again_ms = IKE_LOGIN_MS;
	/* until the SA is replaced: a rekeying may be refused or forgotten */
	arm(sa, &sa->soft, again_ms);
	if (ike_reauth_is_wanted(sa)) {
		ike_reauth_start(sa);
		return;
	}
	ike_task_add(sa, IKE_TASK_REKEY_IKE, 0);
	ike_task_pump(sa);
}

static void
again_over(void *ctx)
{
	struct ike_sa *sa = ctx;

	ike_task_pump(sa);
}

void
ike_sa_traffic(struct ike_sa *sa, uint64_t *in_ms, uint64_t *out_ms)
{
	struct ike *ike = sa->ike;

	*in_ms = sa->in_ms;
	*out_ms = sa->out_ms;
	LIST_FOREACH(it, &sa->children) {
		struct ike_child *c = CONTAINER_OF(it, struct ike_child, node);
		uint64_t in = 0, out = 0;

		ike->ops.traffic(ike->ops.ctx, c->id, &in, &out);
		*in_ms = MAX(*in_ms, in);
		*out_ms = MAX(*out_ms, out);
	}
}

/* 2.23, RFC 3948 4: when nothing else went out. */
static void
keep_mapping(struct ike_sa *sa, uint64_t out_ms)
{
	struct ike *ike = sa->ike;
	uint64_t last = MAX(out_ms, sa->keep_ms);

	if (!sa->is_nat_here || !sa->is_natt ||
	    ike->now_ms - MIN(last, ike->now_ms) < IKE_KEEPALIVE_MS)
		return;
	sa->keep_ms = ike->now_ms;
	ike->ops.keepalive(ike->ops.ctx, &sa->local, &sa->remote);
}

/* How often alive_over() looks. */
static uint64_t
alive_ms(const struct ike_sa *sa)
{
	uint64_t dpd_ms = (uint64_t)sa->link->realm->conf.dpd_s * 1000;
	uint64_t ms = dpd_ms > 0 ? MAX(dpd_ms / 4, (uint64_t)500) : UINT64_MAX;

	return MIN(ms, (uint64_t)IKE_KEEPALIVE_MS / 4);
}

/* 2.4: ask when we send and hear nothing, or nothing at all goes on. */
static void
alive_over(void *ctx)
{
	struct ike_sa *sa = ctx;
	struct ike *ike = sa->ike;
	uint64_t dpd_ms = (uint64_t)sa->link->realm->conf.dpd_s * 1000;
	uint64_t in_ms, out_ms, quiet;

	ike_sa_traffic(sa, &in_ms, &out_ms);
	quiet = ike->now_ms - MIN(in_ms, ike->now_ms);
	if (dpd_ms > 0 && quiet >= dpd_ms &&
	    (out_ms > in_ms || quiet >= 3 * dpd_ms))
		ike_task_add(sa, IKE_TASK_ALIVE, 0);
	keep_mapping(sa, out_ms);
	ike_size_tick(sa, out_ms);
	ike_frag_expire(sa);
	ike_lane_fill(sa, 0);	/* one may have been lost */
	ike_child_fill(sa);
	if (sa->n_child == 0)	/* whatever went wrong: it serves nobody */
		ike_task_add_later(sa, IKE_TASK_DEL_IKE, IKE_DEL_IF_CHILDLESS,
				   IKE_CHILDLESS_MS);
	arm(sa, &sa->alive, alive_ms(sa));
	ike_task_pump(sa);
}

/* ---- tables -------------------------------------------------------------- */

uint64_t
ike_sa_own_spi(const struct ike_sa *sa)
{
	return sa->is_initiator ? sa->ispi : sa->rspi;
}

struct ike_sa *
ike_sa_by_spi(struct ike *ike, uint64_t own_spi)
{
	return map_find(ike->by_spi, &own_spi);
}

struct ike_sa *
ike_sa_by_handle(struct ike *ike, uint32_t handle)
{
	return map_find(ike->by_handle, &handle);
}

uint64_t
ike_sa_spi_new(struct ike *ike)
{
	uint64_t spi;

	for (unsigned i = 0; i < 8; i++) {
		if (rng_bytes(&spi, sizeof(spi)) != 0)
			return 0;
		if (spi != 0 && ike_sa_by_spi(ike, spi) == NULL)
			return spi;
	}
	return 0;
}

/* A source is who gets one address of IPv4 or a /64 of IPv6; its network is the
 * least that is routed: a /24, a /48 (RFC 8019 4.2). */
static void
src_key(const struct ip_addr *ip, bool is_wide, uint8_t key[SRC_KEY])
{
	size_t len = ip->family == 4 ? (is_wide ? 3 : 4) : is_wide ? 6 : 8;

	memset(key, 0, SRC_KEY);
	key[0] = ip->family;
	key[1] = is_wide;
	memcpy(key + 2, ip->b, len);
}

static unsigned
src_count(struct ike *ike, const struct ip_addr *src, bool is_wide)
{
	uint8_t key[SRC_KEY];

	src_key(src, is_wide, key);
	return (unsigned)(uintptr_t)map_find(ike->by_src, key);
}

struct ike_sources
ike_sa_halfopen_of(struct ike *ike, const struct ip_addr *src)
{
	return (struct ike_sources){ src_count(ike, src, false),
				     src_count(ike, src, true) };
}

static int
src_add_one(struct ike *ike, const struct ip_addr *src, bool is_wide, int by)
{
	unsigned n = src_count(ike, src, is_wide) + (unsigned)by;
	uint8_t key[SRC_KEY];

	src_key(src, is_wide, key);
	map_remove(ike->by_src, key);
	return n == 0 ? 0 : map_add(ike->by_src, key, (void *)(uintptr_t)n);
}

/* Count by more of a source; nothing is counted when it fails. */
static int
src_add(struct ike *ike, const struct ip_addr *src, int by)
{
	int err;

	if ((err = src_add_one(ike, src, false, by)) != 0)
		return err;
	if ((err = src_add_one(ike, src, true, by)) != 0 &&
	    src_add_one(ike, src, false, -by) != 0)
		log_debug("ike", "half-open count lost");
	return err;
}

static void
init_key(const struct ike_msg *m, uint8_t key[32])
{
	memset(key, 0, 32);
	be64_put(key, m->h.ispi);
	key[8] = m->remote.ip.family;
	memcpy(key + 9, m->remote.ip.b, 16);
	be16_put(key + 25, m->remote.port);
}

struct ike_sa *
ike_sa_by_init(struct ike *ike, const struct ike_msg *m)
{
	uint8_t key[32];

	init_key(m, key);
	return map_find(ike->by_init, key);
}

int
ike_sa_halfopen_add(struct ike_sa *sa, const struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;
	int err;

	init_key(m, st->init_key);
	if ((err = map_add(sa->ike->by_init, st->init_key, sa)) != 0)
		return err;
	st->init_key_len = sizeof(st->init_key);
	sa->ike->stats.n_halfopen++;
	st->src = m->remote.ip;
	st->src_weight = src_add(sa->ike, &st->src, 1) == 0;
	st->has_proof = m->proof.has_cookie;
	ike_door_used(sa->ike, &m->proof);
	ike_door_tune(sa->ike);
	return 0;
}

void
ike_sa_halfopen_remove(struct ike_sa *sa)
{
	struct ike_setup *st = sa->setup;

	if (st == NULL || st->init_key_len == 0)
		return;
	map_remove(sa->ike->by_init, st->init_key);
	st->init_key_len = 0;
	sa->ike->stats.n_halfopen--;
	if (st->src_weight > 0 &&
	    src_add(sa->ike, &st->src, -(int)st->src_weight) != 0)
		log_debug("ike", "half-open count lost");
	st->src_weight = 0;
}

void
ike_sa_forged(struct ike_sa *sa)
{
	struct ike_setup *st = sa->setup;

	if (st == NULL || sa->is_initiator)
		return;
	st->forged_ms = sa->ike->now_ms;
	if (st->n_forged++ == 0 && st->src_weight == 1 &&
	    src_add(sa->ike, &st->src, 1) == 0)
		st->src_weight = 2;
}

bool
ike_sa_is_pestered(const struct ike_sa *sa)
{
	const struct ike_setup *st = sa->setup;

	return st != NULL && st->n_forged >= IKE_FORGED_MAX &&
	    sa->ike->now_ms - st->forged_ms < IKE_FORGED_MS;
}

/* ---- birth --------------------------------------------------------------- */

struct ike_sa *
ike_sa_new(struct ike *ike, bool is_initiator)
{
	struct ike_sa *sa;
	uint64_t spi;

	if (ike->n_sa >= IKE_SA_MAX || (spi = ike_sa_spi_new(ike)) == 0 ||
	    (sa = calloc(1, sizeof(*sa))) == NULL)
		return NULL;
	if (++ike->last_handle == 0)
		ike->last_handle = 1;
	sa->handle = ike->last_handle;
	if (map_add(ike->by_spi, &spi, sa) != 0 ||
	    map_add(ike->by_handle, &sa->handle, sa) != 0) {
		map_remove(ike->by_spi, &spi);
		free(sa);
		return NULL;
	}
	sa->ike = ike;
	sa->made_ms = ike->now_ms;
	sa->is_initiator = is_initiator;
	*(is_initiator ? &sa->ispi : &sa->rspi) = spi;
	list_init(&sa->link_node);
	list_init(&sa->tasks);
	list_init(&sa->children);
	list_add_tail(&ike->sas, &sa->node);
	ike->n_sa++;
	ike_win_init(sa);
	tmr_init(&sa->life, life_over, sa);
	tmr_init(&sa->soft, soft_over, sa);
	tmr_init(&sa->alive, alive_over, sa);
	tmr_init(&sa->again, again_over, sa);
	tmr_init(&sa->follow_tmr, ike_follow_over, sa);
	tmr_init(&sa->watch, ike_roam_over, sa);
	return sa;
}

void
ike_sa_bind(struct ike_sa *sa, struct ike_link *link)
{
	list_remove(&sa->link_node);
	if (sa->link != NULL && --sa->link->n_sa == 0)
		sa->ike->has_idle_link = true;
	sa->link = link;
	if (link == NULL)
		return;
	list_add_tail(&link->sas, &sa->link_node);
	link->n_sa++;
}

int
ike_sa_authenticate(struct ike_sa *sa, const struct ike_ans *ans,
		    const struct ike_sa *old)
{
	bool ok = false;

	if (ans != NULL)
		ok = ans->err == 0 && ans->handle == sa->handle &&
		    (sa->state == IKE_SA_AUTH_I || sa->state == IKE_SA_AUTH_R);
	else if (old != NULL)
		ok = old->is_authenticated && sa->state == IKE_SA_NONE;
	if (!ok)
		return ERR_AUTH;
	sa->is_authenticated = true;
	return 0;
}

void
ike_sa_setup_free(struct ike_sa *sa)
{
	struct ike_setup *st = sa->setup;
	struct ike_msg *m;

	if (st == NULL)
		return;
	ike_sa_halfopen_remove(sa);
	while ((m = ike_frag_held(sa)) != NULL)
		ike_msg_free(m);
	ike_msg_free(st->eap_first);
	ike_offer_drop(sa->ike, &st->offer);
	spi_crypto()->dh_free(st->dh);
	secret_free(st->ppk_keys);
	if (st->resume != NULL)
		wipe(st->resume, sizeof(*st->resume));
	free(st->resume);
	free(st->own_msg.p);
	free(st->peer_msg.p);
	free(st->certreq.p);
	free(st->auth_ann.p);
	wipe(st, sizeof(*st));
	free(st);
	sa->setup = NULL;
}

/* Between 80 and 90 per cent of a life, so that ends rarely rekey at once. */
static uint64_t
soft_of(uint64_t life_ms)
{
	uint16_t r = 0;

	if (rng_bytes(&r, sizeof(r)) != 0)
		r = 0;
	return life_ms * 8 / 10 + life_ms / 10 * r / UINT16_MAX;
}

void
ike_sa_up(struct ike_sa *sa)
{
	uint64_t life_ms = (uint64_t)sa->link->realm->conf.ike_life_s * 1000;

	if (sa->setup != NULL)		/* no heir of another SA */
		ike_hist_add(&sa->ike->stats.setup,
			     sa->ike->now_ms - sa->made_ms);
	ike_sa_setup_free(sa);
	secret_free(sa->old_keys);
	sa->old_keys = NULL;
	sa->up_ms = sa->in_ms = sa->ike->now_ms;
	tmr_stop(&sa->ike->tmr, &sa->life);
	if (life_ms > 0) {
		arm(sa, &sa->life, life_ms);
		arm(sa, &sa->soft, soft_of(life_ms));
	}
	ike_until_arm(sa);
	arm(sa, &sa->alive, alive_ms(sa));
	if (sa->pmtu.now == 0)
		ike_size_start(sa);
	ike_roam_watch(sa);
	ike_key_log_sa(sa);
}

/* ---- the end ------------------------------------------------------------- */

static void
stop_timers(struct ike_sa *sa)
{
	struct tmr_set *s = &sa->ike->tmr;

	tmr_stop(s, &sa->life);
	tmr_stop(s, &sa->soft);
	tmr_stop(s, &sa->alive);
	tmr_stop(s, &sa->again);
	tmr_stop(s, &sa->watch);
	tmr_stop(s, &sa->out.tmr);
}

/* Everything but the stored answer. */
static void
strip(struct ike_sa *sa)
{
	struct ike *ike = sa->ike;

	stop_timers(sa);
	ike_job_cancel(sa);
	ike_follow_forget(sa);
	sa->out.is_busy = false;
	while (!list_is_empty(&sa->children))
		ike_child_kill(CONTAINER_OF(sa->children.next, struct ike_child,
					    node));
	if (sa->task != NULL)
		ike_task_free(sa, sa->task);
	sa->task = NULL;
	while (!list_is_empty(&sa->tasks))
		ike_task_free(sa, CONTAINER_OF(sa->tasks.next, struct ike_task,
					       node));
	ike_msg_free(sa->parked);
	sa->parked = NULL;
	ike_frag_forget(sa);
	ike_plain_free(&sa->out.plain);
	ike_plain_free(&sa->in.plain);	/* no keys, no other cut */
	ike_sa_setup_free(sa);
	secret_free(sa->keys);
	secret_free(sa->old_keys);
	sa->keys = sa->old_keys = NULL;
	sa->is_authenticated = false;
	if (sa->ask_handle != 0) {
		struct ike_ask ask = { .type = IKE_ASK_CLOSE,
				       .handle = sa->ask_handle };
		int err = ike->ops.ask(ike->ops.ctx, &ask);

		if (err != 0)
			log_debug("ike", "SA %u: close not told: %s",
				  sa->handle, err_text(err));
		sa->ask_handle = 0;
	}
}

/* A link lost an SA: say why, if there is a reason, and what it is now. */
static void
link_left(struct ike_link *link, const char *why)
{
	if (link == NULL)
		return;
	if (why != NULL)
		ike_link_why(link, "%s", why);
	ike_link_update(link);
}

static void
leave_link(struct ike_sa *sa, const char *why)
{
	struct ike_link *link = sa->link;

	ike_sa_bind(sa, NULL);
	link_left(link, why);
}

void
ike_sa_kill(struct ike_sa *sa, const char *why)
{
	uint64_t spi = ike_sa_own_spi(sa);

	if (sa->state == IKE_SA_DEAD)
		return;
	strip(sa);
	ike_win_fini(sa);
	map_remove(sa->ike->by_spi, &spi);
	map_remove(sa->ike->by_handle, &sa->handle);
	list_remove(&sa->node);
	list_add_tail(&sa->ike->dead, &sa->node);
	sa->ike->n_sa--;
	if (!ike_sa_move(sa, IKE_EV_KILL))
		sa->state = IKE_SA_DEAD;
	leave_link(sa, why);
}

void
ike_sa_close(struct ike_sa *sa, const char *why)
{
	if (!ike_sa_move(sa, IKE_EV_CLOSE)) {
		ike_sa_kill(sa, why);
		return;
	}
	strip(sa);
	arm(sa, &sa->life, IKE_CLOSED_MS);
	leave_link(sa, why);
}

/* Give up what is under way; the window of one makes a Delete wait for the
 * answer to a request that was sent already. */
static void
forget_work(struct ike_sa *sa)
{
	bool is_answered = sa->parked != NULL && sa->parked->h.is_response;

	ike_follow_forget(sa);
	ike_msg_free(sa->parked);
	sa->parked = NULL;
	while (!list_is_empty(&sa->tasks))
		ike_task_free(sa, CONTAINER_OF(sa->tasks.next, struct ike_task,
					       node));
	if (sa->task == NULL) {
		sa->out.is_busy = false;
		return;
	}
	if (sa->out.is_busy && !is_answered) {
		sa->task->is_moot = true;
		arm(sa, &sa->out.tmr, sa->out.wait_ms);
		return;
	}
	ike_task_free(sa, sa->task);
	sa->task = NULL;
}

void
ike_sa_delete(struct ike_sa *sa, const char *why)
{
	struct ike_link *link = sa->link;

	if (sa->state != IKE_SA_UP && sa->state != IKE_SA_REKEYED) {
		ike_sa_kill(sa, why);
		return;
	}
	while (!list_is_empty(&sa->children))
		ike_child_kill(CONTAINER_OF(sa->children.next, struct ike_child,
					    node));
	stop_timers(sa);
	forget_work(sa);
	if (!ike_sa_move(sa, IKE_EV_DELETE))
		return;
	arm(sa, &sa->life, IKE_CLOSED_MS);
	ike_task_add(sa, IKE_TASK_DEL_IKE, 0);
	ike_sa_bind(sa, NULL);
	ike_task_pump(sa);
	link_left(link, why);
}

void
ike_reap(struct ike *ike)
{
	ike_link_reap(ike);
	while (!list_is_empty(&ike->dead)) {
		struct ike_sa *sa = CONTAINER_OF(ike->dead.next, struct ike_sa,
						 node);

		list_remove(&sa->node);
		wipe(sa, sizeof(*sa));
		free(sa);
	}
}

void
ike_sa_hint(struct ike_sa *sa)
{
	uint64_t now_ms = sa->ike->now_ms;

	if (sa->state != IKE_SA_UP || now_ms - sa->hint_ms < IKE_HINT_MS)
		return;
	sa->hint_ms = now_ms;
	ike_task_add(sa, IKE_TASK_ALIVE, 0);
	ike_task_pump(sa);
}

void
ike_sa_timeout(struct ike_sa *sa)
{
	struct ike_link *link = sa->link;
	char ip[IP_TEXT_MAX], why[IKE_WHY_MAX];

	snprintf(why, sizeof(why), "no answer from %s port %u",
		 ip_text(&sa->remote.ip, ip), sa->remote.port);
	if (sa->state != IKE_SA_INIT_I && sa->state != IKE_SA_AUTH_I) {
		log_info("ike", "SA %u: %s", sa->handle, why);
		ike_trace_out(sa, IKE_BY_SILENCE, IKE_STAGE_ALIVE, 0, why);
		ike_sa_kill(sa, why);
		return;
	}
	/* an unprotected error that came meanwhile says more */
	if (link != NULL && !sa->is_told) {
		ike_link_why(link, "%s", why);
		ike_trace_out(sa, IKE_BY_SILENCE, sa->state == IKE_SA_INIT_I ?
			      IKE_STAGE_INIT : IKE_STAGE_AUTH, 0, why);
	}
	if (link != NULL)
		link->is_mute = sa->state == IKE_SA_INIT_I &&
		    sa->setup->n_again == 0 && !sa->is_told;
	if (link != NULL)
		ike_link_failed(link);
	ike_sa_kill(sa, NULL);
}

/* ---- moving -------------------------------------------------------------- */

void
ike_sa_placed(struct ike_sa *sa, const struct net_ep *was)
{
	struct ike *ike = sa->ike;
	char text[IP_TEXT_MAX];

	if (sa->state == IKE_SA_UP)
		ike_size_start(sa);
	LIST_FOREACH(it, &sa->children)
		ike_child_path(CONTAINER_OF(it, struct ike_child, node));
	if (sa->state == IKE_SA_UP && sa->link != NULL &&
	    !net_ep_equal(was, &sa->remote))
		ike->ops.link_event(ike->ops.ctx, sa->link->id, IKE_LINK_MOVED,
				    net_ep_text(was, text));
}

void
ike_sa_moved(struct ike_sa *sa, const struct net_ep *local,
	     const struct net_ep *remote, bool is_natt)
{
	/* 2.23: follow a peer behind a NAT; before that a responder follows the
	 * initiator's move to port 4500.  Behind a NAT ourselves we do not, or
	 * one packet sent on by an attacker would part us; but who is dialled
	 * through a NAT has no other way to find its peer again. */
	bool dials = sa->link != NULL && sa->link->is_wanted;
	bool may = sa->state == IKE_SA_INIT_R ||
	    (sa->is_nat_there && !(sa->is_nat_here && dials));
	struct net_ep was = sa->remote;

	if (!may || (net_ep_equal(&sa->remote, remote) &&
		     sa->is_natt == is_natt))
		return;
	sa->remote = *remote;
	sa->local = *local;
	sa->is_natt = is_natt;
	ike_sa_placed(sa, &was);
}

void
ike_sa_dir(const struct ike_sa *sa, bool is_out, struct ike_dir *d)
{
	ike_sa_dir_of(sa, sa->keys, is_out, d);
}

void
ike_sa_dir_of(const struct ike_sa *sa, const struct ike_keys *k, bool is_out,
	      struct ike_dir *d)
{
	/* index 0 protects what the initiator sends */
	unsigned i = sa->is_initiator == is_out ? 0 : 1;

	*d = (struct ike_dir){ .encr = sa->suite.encr,
		.integ = sa->suite.integ, .sk_e = k->e[i],
		.sk_a = k->a[i] };
}
