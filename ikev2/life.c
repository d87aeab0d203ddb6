/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/life.c - an engine's birth and end, and what others tell it of its SAs.
 *
 * Thread: the loop.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "ikev2/engine.h"
#include "ikev2/step/step.h"

void
ike_secure_lost(struct ike *ike, uint64_t now_ms)
{
	ike->now_ms = MAX(ike->now_ms, now_ms);
	LIST_FOREACH_SAFE(it, next, &ike->sas) {
		struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa, node);
		bool is_young = sa->state == IKE_SA_INIT_I ||
		    sa->state == IKE_SA_AUTH_I || sa->state == IKE_SA_AUTH_R;

		if (is_young && sa->ask_handle != 0) {
			sa->ask_handle = 0;
			if (sa->is_initiator && sa->link != NULL)
				ike_link_failed(sa->link);
			ike_sa_kill(sa, "the secure process was restarted");
		}
		sa->ask_handle = 0;	/* the new one knows no old handle */
	}
	ike_stands_lost(ike);
	memset(ike->token_wait, 0, sizeof(ike->token_wait));
	ike_reap(ike);
}

void
ike_child_expire(struct ike *ike, uint32_t child_id, bool is_hard,
		 uint64_t now_ms)
{
	struct ike_child *c = ike_child_by_id(ike, child_id);

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if (c == NULL || c->state != IKE_CHILD_UP)
		return;
	if (is_hard)
		ike_child_retire(c);
	else
		ike_task_add(c->sa, IKE_TASK_REKEY_CHILD, c->id);
	ike_task_pump(c->sa);
	ike_reap(ike);
}

void
ike_child_selectors(struct ike *ike, uint32_t child_id, struct view head,
		    uint64_t now_ms)
{
	struct ike_child *c = ike_child_by_id(ike, child_id);

	ike->now_ms = MAX(ike->now_ms, now_ms);
	/* Within GRE the selectors are those of our configuration, of which the
	 * peer does not know. */
	if (c == NULL || c->state != IKE_CHILD_UP || c->mode == VPN_MODE_GRE)
		return;
	c->n_sel_head = (unsigned)MIN(head.len, sizeof(c->sel_head));
	memcpy(c->sel_head, head.p, c->n_sel_head);
	ike_task_add(c->sa, IKE_TASK_TELL_SEL, c->id);
	ike_task_pump(c->sa);
	ike_reap(ike);
}

void
ike_child_moved(struct ike *ike, uint32_t child_id, const struct net_ep *from,
		uint64_t now_ms)
{
	struct ike_child *c = ike_child_by_id(ike, child_id);

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if (c == NULL || c->encap != VPN_ENCAP_UDP ||
	    !ike_roam_may_follow(c->sa))
		return;
	ike_sa_moved(c->sa, &c->sa->local, from, true);
	ike_reap(ike);
}

void
ike_set_key_log(struct ike *ike, void (*fn)(void *ctx, const char *line),
		void *ctx)
{
	ike->key_log = fn;
	ike->key_log_ctx = ctx;
	ike->key_log_link = 0;
}

bool
ike_has_key_log(const struct ike *ike)
{
	return ike->key_log != NULL;
}

int
ike_new(struct ike **out, const struct ike_conf *conf,
	const struct ike_ops *ops, uint64_t now_ms)
{
	struct ike *ike = calloc(1, sizeof(*ike));
	int err = ERR_NOMEM;

	if (ike == NULL)
		return ERR_NOMEM;
	ike->conf = *conf;
	ike->ops = *ops;
	ike->now_ms = ike->door.second_ms = now_ms;
	tmr_set_init(&ike->tmr);
	tmr_init(&ike->door.tmr, ike_door_over, ike);
	ike_stands_init(ike);
	list_init(&ike->realms);
	list_init(&ike->links);
	list_init(&ike->sas);
	list_init(&ike->dead);
	list_init(&ike->jobs);
	if ((ike->tx = malloc(IKE_MAX_MSG_BYTES)) == NULL ||
	    (ike->train = malloc(IKE_TRAIN_MAX)) == NULL ||
	    (err = map_new(&ike->by_spi, 8, IKE_SA_MAX)) != 0 ||
	    (err = map_new(&ike->by_handle, 4, IKE_SA_MAX)) != 0 ||
	    (err = map_new(&ike->by_link, 4, IKE_SA_MAX)) != 0 ||
	    (err = map_new(&ike->by_peer, sizeof(struct ike_link_key),
			   IKE_SA_MAX)) != 0 ||
	    (err = map_new(&ike->by_child, 4, IKE_SA_MAX * 2)) != 0 ||
	    (err = map_new(&ike->by_init, 32, IKE_SA_MAX)) != 0 ||
	    (err = map_new(&ike->by_src, 18, IKE_SA_MAX * 2)) != 0 ||
	    (err = ike_gate_new(&ike->door.gate)) != 0 ||
	    (err = rng_bytes(ike->id_key, sizeof(ike->id_key))) != 0 ||
	    (err = rng_bytes(&ike->last_handle, 2)) != 0) {
		ike_free(ike);
		return err;
	}
	/* the first timer: later a stranger finds room for it */
	if ((err = tmr_start(&ike->tmr, &ike->door.tmr, now_ms)) != 0) {
		ike_free(ike);
		return err;
	}
	*out = ike;
	return 0;
}

void
ike_free(struct ike *ike)
{
	if (ike == NULL)
		return;
	LIST_FOREACH_SAFE(it, next, &ike->links)
		ike_link_free(CONTAINER_OF(it, struct ike_link, node));
	/* the end of one may end another (the heir of a rekeying) */
	while (!list_is_empty(&ike->sas))
		ike_sa_kill(CONTAINER_OF(ike->sas.next, struct ike_sa, node),
			    NULL);
	ike_reap(ike);
	ike_job_free_all(ike);
	LIST_FOREACH_SAFE(it3, next3, &ike->realms) {
		struct ike_realm *r = CONTAINER_OF(it3, struct ike_realm, node);

		free(r->peer);
		free(r);
	}
	map_free(ike->by_spi);
	map_free(ike->by_handle);
	map_free(ike->by_link);
	map_free(ike->by_peer);
	map_free(ike->by_child);
	map_free(ike->by_init);
	map_free(ike->by_src);
	ike_gate_free(ike->door.gate);
	free(ike->strangers);
	free(ike->door.used);
	tmr_set_fini(&ike->tmr);
	free(ike->certreq.p);
	free(ike->auth_ann.p);
	free(ike->tx);
	free(ike->train);
	wipe(ike, sizeof(*ike));
	free(ike);
}
