/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/link.c - realms, peers and links: dialling, state, commands.
 *
 * A link's state is never stored by hand: ike_link_update() computes it from
 * the IKE SAs and tells core about the change.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "daemon/base/str.h"
#include "ikev2/engine.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

#define NEXT_EP_MS 100	/* before the next address of the same peer; ours */

static void
event(struct ike_link *link, int what)
{
	struct ike *ike = link->ike;

	ike->ops.link_event(ike->ops.ctx, link->id, what, link->why);
}

static void
dial_in(struct ike_link *link, uint64_t ms)
{
	struct ike *ike = link->ike;

	if (tmr_start(&ike->tmr, &link->dial, ike->now_ms + ms) != 0)
		log_warn("ike", "%s: no timer: out of memory", link->id_text);
}

/* ---- lookups ------------------------------------------------------------- */

struct ike_realm *
ike_realm_by_index(struct ike *ike, uint32_t index)
{
	LIST_FOREACH(it, &ike->realms) {
		struct ike_realm *r = CONTAINER_OF(it, struct ike_realm, node);

		if (r->conf.index == index)
			return r;
	}
	return NULL;
}

struct ike_link *
ike_link_by_id(struct ike *ike, uint32_t id)
{
	return map_find(ike->by_link, &id);
}

static struct ike_link_key
key_of(const struct ike *ike, uint32_t realm, uint32_t peer, const char *id)
{
	return (struct ike_link_key){ .realm = realm, .peer = peer,
	    .id = siphash(ike->id_key, id, strlen(id)) };
}

struct ike_link *
ike_link_of_peer(struct ike *ike, uint32_t realm, uint32_t peer,
		 const char *id_text)
{
	struct ike_link_key key = { .realm = realm, .peer = peer };
	struct ike_link *l = map_find(ike->by_peer, &key);

	if (l != NULL)
		return l;
	key = key_of(ike, realm, peer, id_text);
	l = map_find(ike->by_peer, &key);
	return l != NULL && strcmp(l->id_text, id_text) == 0 ? l : NULL;
}

struct ike_sa *
ike_link_sa(const struct ike_link *link)
{
	struct ike_sa *best = NULL;

	LIST_FOREACH(it, &link->sas) {
		struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa, link_node);

		if (best == NULL || (sa->state == IKE_SA_UP &&
		    (best->state != IKE_SA_UP || sa->n_child > 0 ||
		     best->n_child == 0)))
			best = sa;
	}
	return best;
}

bool
ike_link_is_busy(const struct ike_link *link)
{
	LIST_FOREACH(it, &link->sas) {
		struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa, link_node);

		if (sa->state >= IKE_SA_INIT_I && sa->state <= IKE_SA_UP)
			return true;
	}
	return false;
}

/* ---- state --------------------------------------------------------------- */

void
ike_link_why(struct ike_link *link, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(link->why, sizeof(link->why), fmt, ap);
	va_end(ap);
}

static enum ike_link_state
compute(const struct ike_link *link)
{
	enum ike_link_state st = IKE_ST_DOWN;

	LIST_FOREACH(it, &link->sas) {
		struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa, link_node);
		enum ike_link_state one = IKE_ST_DOWN;

		if (sa->state == IKE_SA_UP && !sa->had_child)
			one = IKE_ST_CONNECTING;	/* RFC 6023 */
		else if (sa->state == IKE_SA_UP && sa->n_child > 0)
			one = sa->is_suspect ? IKE_ST_SUSPECT : IKE_ST_UP;
		else if (sa->state == IKE_SA_INIT_I ||
			 sa->state == IKE_SA_AUTH_I ||
			 sa->state == IKE_SA_AUTH_R)
			one = IKE_ST_CONNECTING;
		st = MAX(st, one);
	}
	return st;
}

static void
went_up(struct ike_link *link, bool is_new)
{
	link->n_fail = 0;
	link->away.is_elsewhere = link->away.is_naming = false;
	link->why[0] = '\0';
	link->down_since_ms = 0;
	ike_trace_up(link);
	if (is_new)
		link->up_since_ms = link->ike->now_ms;
	tmr_stop(&link->ike->tmr, &link->dial);
	event(link, is_new ? IKE_LINK_UP : IKE_LINK_ALIVE);
}

void
ike_link_update(struct ike_link *link)
{
	enum ike_link_state was = link->state, now = compute(link);

	link->state = now;
	if (now < IKE_ST_SUSPECT && link->up_since_ms != 0)
		link->down_since_ms = link->ike->now_ms;
	if (now < IKE_ST_SUSPECT)
		link->up_since_ms = 0;
	if (now != was) {
		if (now == IKE_ST_UP)
			went_up(link, was != IKE_ST_SUSPECT);
		else if (now == IKE_ST_SUSPECT)
			event(link, IKE_LINK_SUSPECT);
		else if (now == IKE_ST_CONNECTING)
			event(link, IKE_LINK_CONNECTING);
		else
			event(link, IKE_LINK_DOWN);
	}
	if (link->is_wanted && !link->needs_word && !ike_link_is_busy(link) &&
	    !tmr_is_set(&link->dial) &&
	    !ike_drain_shuts(link->ike, link->realm))
		dial_in(link, 0);
}

void
ike_link_heard(const struct ike_sa *sa, bool is_answer)
{
	if (sa->link == NULL || !sa->is_authenticated)
		return;
	sa->link->heard_ms = sa->ike->now_ms;
	if (is_answer)
		sa->link->answer_ms = sa->ike->now_ms;
}

/* ---- dialling ------------------------------------------------------------ */

static uint64_t
back_off(const struct ike_link *link)
{
	uint64_t ms = IKE_DIAL_FIRST_MS;
	uint16_t r = 0;

	for (unsigned i = 1; i < link->n_fail && ms < IKE_DIAL_CAP_MS; i++)
		ms *= 2;
	ms = MIN(ms, (uint64_t)IKE_DIAL_CAP_MS);
	if (rng_bytes(&r, sizeof(r)) != 0)
		r = 0;
	return ms * 3 / 4 + ms / 4 * r / UINT16_MAX;
}

static void
resolve(struct ike_link *link)
{
	struct ike *ike = link->ike;

	if (link->is_resolving || !link->peer->has_at)
		return;
	link->is_resolving = true;
	ike->ops.resolve(ike->ops.ctx, link->realm->conf.index,
			 link->peer->index);
}

/* Nobody answered at any address: then perhaps at the other port. */
static bool
turn(struct ike_link *link)
{
	if (!link->is_mute || link->is_turned) {
		link->is_natt &= !link->is_mute;
		link->is_turned = false;
		return false;
	}
	link->is_natt = !link->is_natt;
	link->is_turned = true;
	return true;
}

void
ike_link_ask(struct ike_link *link)
{
	link->needs_word = true;
	link->away.is_elsewhere = link->away.is_naming = false;
	tmr_stop(&link->ike->tmr, &link->dial);
}

void
ike_link_failed(struct ike_link *link)
{
	if (link->needs_word) {		/* trying again would change nothing */
		link->at_ep = 0;
		event(link, IKE_LINK_ASKS);
		return;
	}
	if (link->away.is_elsewhere) {	/* RFC 5685: back to where it began */
		link->away.is_elsewhere = false;
		dial_in(link, NEXT_EP_MS);
		return;
	}
	if (++link->at_ep < link->n_ep) {
		dial_in(link, NEXT_EP_MS);
		return;
	}
	link->at_ep = 0;
	if (turn(link)) {
		dial_in(link, NEXT_EP_MS);
		return;
	}
	link->n_fail++;
	link->is_resolving = false;
	resolve(link);		/* the name may point elsewhere by now */
	dial_in(link, back_off(link));
}

uint16_t
ike_link_port(const struct ike_link *link)
{
	const struct ike_conf *c = &link->ike->conf;
	uint16_t port = link->n_ep > 0 ?
	    link->ep[link->at_ep % link->n_ep].port : 0;

	if (port != 0 && port != c->port)
		return port;		/* as it was written */
	return link->is_natt ? c->natt_port : c->port;
}

void
ike_link_dial(struct ike_link *link)
{
	struct net_ep remote;
	struct ip_addr own;
	char ip[IP_TEXT_MAX];

	if (!link->is_wanted || link->needs_word || ike_link_is_busy(link))
		return;
	if (ike_drain_shuts(link->ike, link->realm)) {
		ike_link_why(link, "not dialled: this gateway is drained");
		return;
	}
	if (link->n_ep == 0) {
		resolve(link);
		link->n_fail++;
		dial_in(link, back_off(link));
		return;
	}
	remote = link->ep[link->at_ep % link->n_ep];
	if (link->away.is_elsewhere)
		remote.ip = link->away.elsewhere;
	remote.port = ike_link_port(link);
	link->is_mute = false;
	own = link->ike->ops.local_addr(link->ike->ops.ctx, &remote.ip);
	if (own.family == 0) {
		ike_link_why(link, "no route to %s", ip_text(&remote.ip, ip));
		ike_link_failed(link);
		return;
	}
	if (ike_init_start(link, &own, &remote) != 0) {
		ike_link_why(link, "not enough memory to connect");
		ike_link_failed(link);
		return;
	}
	ike_link_update(link);
}

static void
dial_over(void *ctx)
{
	ike_link_dial(ctx);
}

/* ---- birth and end ------------------------------------------------------- */

/* A number nobody has, not one that just got free; 0: there is none. */
static uint32_t
id_new(struct ike *ike)
{
	for (uint32_t n = 0; n < IKE_LINK_MAX; n++) {
		ike->last_link = ike->last_link % IKE_LINK_MAX + 1;
		if (map_find(ike->by_link, &ike->last_link) == NULL)
			return ike->last_link;
	}
	return 0;
}

/* Links stand in the order of their numbers: ike_link_next(). */
static void
put_in_order(struct ike *ike, struct ike_link *link)
{
	struct list *at = ike->links.prev;

	while (at != &ike->links &&
	       CONTAINER_OF(at, struct ike_link, node)->id > link->id)
		at = at->prev;
	list_add_head(at, &link->node);
}

int
ike_link_new(struct ike *ike, struct ike_realm *realm,
	     const struct ike_peer_conf *peer, const char *id_text,
	     struct ike_link **out)
{
	struct ike_link *link = calloc(1, sizeof(*link));

	if (link == NULL)
		return ERR_NOMEM;
	link->ike = ike;
	if ((link->id = id_new(ike)) == 0) {
		free(link);
		return ERR_FULL;
	}
	link->key = peer->is_pattern ?
	    key_of(ike, realm->conf.index, peer->index, id_text) :
	    (struct ike_link_key){ .realm = realm->conf.index,
				   .peer = peer->index };
	if (map_add(ike->by_link, &link->id, link) != 0) {
		free(link);
		return ERR_NOMEM;
	}
	if (map_add(ike->by_peer, &link->key, link) != 0) {
		map_remove(ike->by_link, &link->id);
		free(link);
		return ERR_NOMEM;
	}
	link->realm = realm;
	link->peer = peer;
	link->peer_at = (uint32_t)(peer - realm->peer);
	link->is_on_demand = peer->is_pattern;
	link->is_wanted = peer->is_dial && !peer->is_pattern;
	str_copy(link->id_text, sizeof(link->id_text), id_text);
	list_init(&link->sas);
	tmr_init(&link->dial, dial_over, link);
	put_in_order(ike, link);
	*out = link;
	return 0;
}

void
ike_link_free(struct ike_link *link)
{
	link->is_wanted = false;
	LIST_FOREACH_SAFE(it, next, &link->sas)
		ike_sa_bind(CONTAINER_OF(it, struct ike_sa, link_node), NULL);
	tmr_stop(&link->ike->tmr, &link->dial);
	map_remove(link->ike->by_link, &link->id);
	map_remove(link->ike->by_peer, &link->key);
	list_remove(&link->node);
	ike_resume_forget(link);
	free(link->shown.p);
	ike_trace_free(link->trace);
	ike_config_free(link);
	free(link);
}

static void
link_gone(struct ike_link *link)
{
	event(link, IKE_LINK_GONE);
	ike_link_free(link);
}

/* Whoever came by a pattern and was never up goes with his last SA; who was up
 * is kept with what is known of him, until there are too many. */
void
ike_link_reap(struct ike *ike)
{
	struct ike_link *oldest = NULL;
	unsigned n = 0;

	if (!ike->has_idle_link)
		return;
	ike->has_idle_link = false;
	LIST_FOREACH_SAFE(it, next, &ike->links) {
		struct ike_link *link = CONTAINER_OF(it, struct ike_link, node);

		if (!link->is_on_demand || !list_is_empty(&link->sas))
			continue;
		if (link->down_since_ms == 0) {
			link_gone(link);
			continue;
		}
		n++;
		if (oldest == NULL ||
		    link->down_since_ms < oldest->down_since_ms)
			oldest = link;
	}
	if (n <= IKE_LINGER_MAX)
		return;
	link_gone(oldest);
	ike->has_idle_link = true;	/* one each time */
}

int
ike_link_make(struct ike *ike, struct ike_realm *r, uint32_t at)
{
	struct ike_link *link;
	int err;

	if (r->peer[at].is_pattern)
		return 0;
	if ((err = ike_link_new(ike, r, &r->peer[at], r->peer[at].id,
				&link)) != 0)
		return err;
	ike_link_why(link, "%s", link->is_wanted ? "not yet dialled" :
		     "waiting for the peer to connect");
	ike_link_update(link);
	return 0;
}

int
ike_realm_add(struct ike *ike, const struct ike_realm_conf *conf)
{
	struct ike_realm *r;
	int err;

	if (ike_realm_by_index(ike, conf->index) != NULL)
		return ERR_EXISTS;
	if ((r = calloc(1, sizeof(*r))) == NULL ||
	    (r->peer = calloc(conf->n_peer + 1, sizeof(*r->peer))) == NULL) {
		free(r);
		return ERR_NOMEM;
	}
	r->conf = *conf;
	if (conf->n_peer > 0)
		memcpy(r->peer, conf->peer, conf->n_peer * sizeof(*r->peer));
	r->conf.peer = r->peer;
	list_add_tail(&ike->realms, &r->node);
	for (unsigned i = 0; i < conf->n_peer; i++)
		ike->has_ppk |= r->peer[i].has_ppk;
	for (unsigned i = 0; i < conf->n_peer; i++)
		if ((err = ike_link_make(ike, r, i)) != 0)
			return err;
	return 0;
}

void
ike_peer_at(struct ike *ike, uint32_t realm, uint32_t peer,
	    const struct net_ep *ep, unsigned n)
{
	struct ike_link *link = ike_link_of_peer(ike, realm, peer, "");
	bool was_empty;

	if (link == NULL)
		return;
	was_empty = link->n_ep == 0;
	link->is_resolving = false;
	ike_trace_lookup(link, n > 0);
	if (n == 0) {
		if (was_empty)
			ike_link_why(link, "the name of the peer does not resolve");
		return;		/* what we knew may still be right */
	}
	link->n_ep = MIN(n, (unsigned)IKE_EP_MAX);
	memcpy(link->ep, ep, link->n_ep * sizeof(*ep));
	link->at_ep %= link->n_ep;
	if (was_empty && link->is_wanted && !link->needs_word &&
	    !ike_link_is_busy(link)) {
		link->n_fail = 0;
		dial_in(link, 0);
	}
}

/* ---- commands ------------------------------------------------------------ */

static int
link_up(struct ike_link *link)
{
	bool was_held = link->is_held;

	link->is_held = false;
	link->needs_word = false;
	if (!link->peer->has_at) {
		ike_link_why(link, "waiting for the peer to connect");
		return was_held ? 0 : ERR_STATE;
	}
	link->is_wanted = true;
	if (!ike_link_is_busy(link)) {
		link->n_fail = 0;
		dial_in(link, 0);
	}
	return 0;
}

static int
link_down(struct ike_link *link)
{
	link->is_wanted = false;
	link->is_held = true;
	link->needs_word = false;
	ike_resume_forget(link);
	tmr_stop(&link->ike->tmr, &link->dial);
	ike_link_why(link, "taken down by command");
	LIST_FOREACH_SAFE(it, next, &link->sas)
		ike_sa_delete(CONTAINER_OF(it, struct ike_sa, link_node),
			      "taken down by command");
	ike_link_update(link);
	return 0;
}

static int
for_links(struct ike *ike, uint32_t realm, uint32_t id,
	  int (*fn)(struct ike_link *link))
{
	int err = ERR_NOTFOUND;

	LIST_FOREACH_SAFE(it, next, &ike->links) {
		struct ike_link *link = CONTAINER_OF(it, struct ike_link, node);
		int one;

		if (link->realm->conf.index != realm ||
		    (id != 0 && link->id != id))
			continue;
		one = fn(link);
		if (err == ERR_NOTFOUND || one == 0)
			err = one;
	}
	ike_reap(ike);
	return err;
}

int
ike_up(struct ike *ike, uint32_t realm, uint32_t link, uint64_t now_ms)
{
	ike->now_ms = MAX(ike->now_ms, now_ms);
	return for_links(ike, realm, link, link_up);
}

void
ike_try_soon(struct ike *ike, uint64_t now_ms)
{
	ike->now_ms = MAX(ike->now_ms, now_ms);
	LIST_FOREACH(it, &ike->links) {
		struct ike_link *link = CONTAINER_OF(it, struct ike_link, node);

		if (!tmr_is_set(&link->dial) || link->n_fail == 0)
			continue;
		link->n_fail = 1;
		dial_in(link, back_off(link));
	}
}

int
ike_down(struct ike *ike, uint32_t realm, uint32_t link, uint64_t now_ms)
{
	ike->now_ms = MAX(ike->now_ms, now_ms);
	return for_links(ike, realm, link, link_down);
}

int
ike_link_up_sa(struct ike *ike, uint32_t link_id, struct ike_sa **out)
{
	struct ike_link *link = ike_link_by_id(ike, link_id);

	if (link == NULL)
		return ERR_NOTFOUND;
	*out = ike_link_sa(link);
	return *out != NULL && (*out)->state == IKE_SA_UP ? 0 : ERR_STATE;
}

int
ike_rekey(struct ike *ike, uint32_t link_id, bool is_child, uint64_t now_ms)
{
	struct ike_sa *sa;
	int err;

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if ((err = ike_link_up_sa(ike, link_id, &sa)) != 0)
		return err;
	if (is_child && ike_child_current(sa) == NULL)
		return ERR_STATE;
	if (!is_child)
		ike_task_add(sa, IKE_TASK_REKEY_IKE, 0);
	LIST_FOREACH(it, &sa->children) {
		struct ike_child *c = CONTAINER_OF(it, struct ike_child, node);

		if (is_child && c->state == IKE_CHILD_UP)
			ike_task_add(sa, IKE_TASK_REKEY_CHILD, c->id);
	}
	ike_task_pump(sa);
	ike_reap(ike);
	return 0;
}

void
ike_shutdown(struct ike *ike, uint64_t now_ms)
{
	ike->now_ms = MAX(ike->now_ms, now_ms);
	LIST_FOREACH(it, &ike->links)
		CONTAINER_OF(it, struct ike_link, node)->is_wanted = false;
	/* the end of one may end another (the heir of a rekeying) */
	while (!list_is_empty(&ike->sas)) {
		struct ike_sa *sa = CONTAINER_OF(ike->sas.next, struct ike_sa,
						 node);

		if (sa->state == IKE_SA_UP || sa->state == IKE_SA_REKEYED)
			ike_out_bye(sa, 0);
		ike_sa_kill(sa, "shutting down");
	}
	ike_reap(ike);
}
