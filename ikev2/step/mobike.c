/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/mobike.c - either end moves, and SAs stay (MOBIKE, RFC 4555).
 *
 *   IKE_AUTH  .., N(MOBIKE_SUPPORTED), N(ADDITIONAL_*_ADDRESS)*  <-->
 *
 *   initiator is elsewhere                         responder
 *   SK{ N(UPDATE_SA_ADDRESSES), N(NATD) x2, N(COOKIE2) }  -->
 *                     <--  SK{ N(NATD) x2, N(COOKIE2) }
 *                     <--  SK{ N(COOKIE2) }     is it really there? (3.7)
 *   SK{ N(COOKIE2) }  -->                       ... then data go there
 *
 *   responder has other addresses
 *                     <--  SK{ N(ADDITIONAL_*_ADDRESS)+ }
 *
 * Nothing but an authentic answer moves us, and nothing but a protected request
 * moves the peer (I6 of the attacks we test).  ways.c looks after the path.
 */
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "ikev2/step/step.h"

static const struct view none;

bool
ike_roam_is_wanted(const struct ike_sa *sa)
{
	return sa->link != NULL && sa->link->realm->conf.is_mobike;
}

/* Up, or on its way out: what the two still have to say needs to get through. */
static bool
stands(const struct ike_sa *sa)
{
	return sa->state == IKE_SA_UP || sa->state == IKE_SA_REKEYED ||
	    sa->state == IKE_SA_DELETING;
}

/* ---- moving -------------------------------------------------------------- */

static void
children_path(struct ike_sa *sa)
{
	LIST_FOREACH(it, &sa->children)
		ike_child_path(CONTAINER_OF(it, struct ike_child, node));
}

/* Data follow. */
static void
data_follow(struct ike_sa *sa, const struct net_ep *was)
{
	sa->roam.is_unproven = false;
	ike_sa_placed(sa, was);
}

static void
tell_roamed(struct ike_sa *sa, const struct net_ep *was)
{
	struct ike *ike = sa->ike;
	char text[IP_TEXT_MAX];

	if (sa->state == IKE_SA_UP && !ip_equal(&was->ip, &sa->local.ip))
		ike->ops.link_event(ike->ops.ctx, sa->link->id, IKE_LINK_ROAMED,
				    ip_text(&was->ip, text));
}

/* The IKE SA is between these now.  Data follow at once, unless the peer is at an
 * address from which nobody answered yet. */
static void
place(struct ike_sa *sa, const struct net_ep *local, const struct net_ep *remote,
      bool is_natt)
{
	struct ike_roam *r = &sa->roam;
	struct net_ep was = sa->remote, was_local = sa->local;
	bool was_natt = sa->is_natt;

	r->place++;
	if (net_ep_equal(&was, remote) && net_ep_equal(&was_local, local) &&
	    was_natt == is_natt)
		return;
	sa->local = *local;
	sa->remote = *remote;
	sa->is_natt = is_natt;
	r->has_seen = false;
	tell_roamed(sa, &was_local);
	if (r->is_unproven && ip_equal(&r->data_remote.ip, &remote->ip))
		r->is_unproven = false;		/* back again */
	else if (!r->is_unproven && !ip_equal(&was.ip, &remote->ip)) {
		r->is_unproven = true;
		r->data_local = was_local;
		r->data_remote = was;
		r->is_data_natt = was_natt;
	}
	if (!r->is_unproven)
		data_follow(sa, &was);
}

/* The peer answered from where it says to be. */
static void
prove(struct ike_sa *sa)
{
	struct net_ep was = sa->roam.data_remote;

	if (sa->roam.is_unproven)
		data_follow(sa, &was);
}

void
ike_roam_path(const struct ike_sa *sa, struct vpn_path *path, bool *is_natt)
{
	const struct ike_roam *r = &sa->roam;

	path->local = r->is_unproven ? r->data_local : sa->local;
	path->remote = r->is_unproven ? r->data_remote : sa->remote;
	*is_natt = r->is_unproven ? r->is_data_natt : sa->is_natt;
}

/* The peer has to know where we are, whatever it answers to an earlier word. */
static void
announce(struct ike_sa *sa)
{
	sa->roam.is_pending = true;
	if (sa->task != NULL && sa->task->type == IKE_TASK_ROAM)
		sa->task->is_moot = true;
	ike_task_add_first(sa, IKE_TASK_ROAM);
}

/* ---- another path works -------------------------------------------------- */

void
ike_roam_answered(struct ike_sa *sa, const struct ike_msg *m)
{
	struct ike_roam *r = &sa->roam;
	bool is_elsewhere = !ip_equal(&m->local.ip, &sa->local.ip) ||
	    !ip_equal(&m->remote.ip, &sa->remote.ip);
	/* over several ways: which one the peer took for ours is not known */
	bool is_vague = sa->task != NULL && sa->task->type == IKE_TASK_ROAM;

	if (!r->is_seeking || (ike_roam_decides(sa) && !ike_roam_is_pair(sa, m)))
		return;
	r->is_seeking = false;
	if (!ike_roam_decides(sa) || (!is_elsewhere && !is_vague))
		return;
	log_info("ike", "SA %u: another path to the peer works", sa->handle);
	place(sa, &m->local, &m->remote, m->is_natt);
	announce(sa);
}

/* ---- addresses of ours come and go --------------------------------------- */

/* Another address of ours to the same one of the peer. */
static void
use_local(struct ike_sa *sa, const struct ip_addr *ip)
{
	struct net_ep local = { *ip, sa->local.port };
	struct net_ep remote = sa->remote;

	place(sa, &local, &remote, sa->is_natt);
}

static void
decider_addrs(struct ike_sa *sa, const struct ip_addr *best, bool is_gone,
	      bool is_new)
{
	if (best->family != 0 && !ip_equal(best, &sa->local.ip)) {
		use_local(sa, best);
		announce(sa);
		ike_win_hurry(sa);
	} else if (is_gone) {		/* no route to where the peer was */
		sa->roam.is_seeking = true;
		announce(sa);
		ike_win_hurry(sa);
	} else if (is_new) {
		ike_task_add(sa, IKE_TASK_TELL_ADDRS, 0);
	}
	ike_roam_watch(sa);
}

/* 3.5, 3.6: who does not decide changes its own address only when it has to. */
static void
other_addrs(struct ike_sa *sa, const struct ip_addr *best, bool is_gone,
	    bool is_new)
{
	if (!is_gone && !is_new)
		return;
	if (is_gone && best->family != 0)
		use_local(sa, best);
	sa->roam.is_seeking = is_gone;
	ike_task_add_first(sa, IKE_TASK_TELL_ADDRS);
	if (is_gone)
		ike_win_hurry(sa);
}

/* is_new: the list is another; else perhaps routes are. */
static void
addrs_changed(struct ike_sa *sa, bool is_new)
{
	struct ike *ike = sa->ike;
	bool is_gone = ike_own_lacks(&ike->own, &sa->local.ip);
	struct ip_addr best;

	if (!sa->roam.is_on || !stands(sa))
		return;
	memset(&sa->roam.refused, 0, sizeof(sa->roam.refused));
	best = ike->ops.local_addr(ike->ops.ctx, &sa->remote.ip);
	if (ike_own_lacks(&ike->own, &best))
		best.family = 0;
	if (ike_roam_decides(sa))
		decider_addrs(sa, &best, is_gone, is_new);
	else
		other_addrs(sa, &best, is_gone, is_new);
	ike_task_pump(sa);
}

void
ike_own_addrs(struct ike *ike, const struct ip_addr *ip, unsigned n_out,
	      unsigned n, uint64_t now_ms)
{
	bool is_new = ike_own_set(&ike->own, ip, n_out, n);

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if (ike->own.n == 0)	/* we are nowhere: wait for somewhere */
		return;
	LIST_FOREACH_SAFE(it, next, &ike->sas)
		addrs_changed(CONTAINER_OF(it, struct ike_sa, node),
			      is_new);
	ike_reap(ike);
}

/* ---- IKE_AUTH ------------------------------------------------------------ */

static void
add_no_nats(const struct ike_sa *sa, struct ike_build *b)
{
	uint8_t data[IKE_NO_NATS_MAX];
	size_t len = ike_no_nats_put(&sa->local, &sa->remote, data);

	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_NO_NATS_ALLOWED, none,
			 (struct view){ data, len });
}

static void
add_addrs(const struct ike_sa *sa, struct ike_build *b, bool has_none)
{
	struct ike_addrs own = ike_roam_own(sa);

	ike_addrs_write(b, &own, &sa->local.ip, has_none);
}

void
ike_roam_add(struct ike_sa *sa, struct ike_build *b)
{
	if (sa->is_initiator ? !ike_roam_is_wanted(sa) : !sa->roam.is_on)
		return;
	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_MOBIKE_SUPPORTED, none, none);
	add_addrs(sa, b, false);
	/* 3.9: where both could not tell a NAT */
	if (sa->is_initiator && !sa->setup->has_natd)
		add_no_nats(sa, b);
}

static bool
is_offered(const struct ike_msg *m)
{
	return ike_ntf_find(m->p, IKE_N_MOBIKE_SUPPORTED) != NULL;
}

/* 3.9: did the request travel as its sender says? */
static bool
is_untouched(const struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_NO_NATS_ALLOWED);

	return n == NULL || ike_no_nats_fits(n->data, &m->remote, &m->local);
}

bool
ike_roam_fits(const struct ike_sa *sa, const struct ike_msg *m)
{
	return !ike_roam_is_wanted(sa) || !is_offered(m) || is_untouched(m);
}

void
ike_roam_begin(struct ike_sa *sa, const struct ike_msg *m)
{
	struct ike_roam *r = &sa->roam;

	if (!ike_roam_is_wanted(sa) || !is_offered(m))
		return;
	r->is_on = true;
	r->is_initiator = sa->is_initiator;
	r->can_natt = sa->setup->has_natd;
	(void)ike_addrs_read(m->p, &r->peer);
}

void
ike_roam_inherit(struct ike_sa *heir, const struct ike_sa *old)
{
	struct ike_roam *r = &heir->roam;

	*r = old->roam;
	r->has_seen = false;		/* the SPIs are in it, 3.8 */
	if (!r->is_on)
		return;
	r->is_pending |= old->task != NULL && old->task->type == IKE_TASK_ROAM;
	if (r->is_pending)
		ike_task_add_first(heir, IKE_TASK_ROAM);
	else if (r->is_unproven)
		ike_task_add_first(heir, IKE_TASK_PROVE);
}

/* ---- requests of ours ---------------------------------------------------- */

static int
add_cookie(struct ike_task *t, struct ike_build *b)
{
	int err;

	if ((err = rng_bytes(t->nonce, IKE_COOKIE2_LEN)) != 0)
		return err;
	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_COOKIE2, none,
			 (struct view){ t->nonce, IKE_COOKIE2_LEN });
	return 0;
}

bool
ike_roam_prepare(struct ike_sa *sa, struct ike_task *t UNUSED,
		 enum spi_group *key_group UNUSED)
{
	return ike_roam_decides(sa) && sa->roam.is_pending;
}

int
ike_roam_update_send(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_build b;
	int err;

	t->size = sa->roam.place;
	ike_out_open(sa, &b);
	ike_build_notify(&b, IKE_PROTO_NONE, IKE_N_UPDATE_SA_ADDRESSES, none,
			 none);
	if (sa->roam.can_natt)
		ike_natd_add(sa, &b);
	else
		add_no_nats(sa, &b);
	if (sa->ike->own.n > 0)
		add_addrs(sa, &b, true);
	if ((err = add_cookie(t, &b)) != 0 ||
	    (err = ike_out_request(sa, &b, IKE_XCHG_INFORMATIONAL)) != 0)
		return err;
	sa->roam.is_pending = false;
	return 0;
}

bool
ike_prove_prepare(struct ike_sa *sa, struct ike_task *t UNUSED,
		  enum spi_group *key_group UNUSED)
{
	return sa->roam.is_unproven && !ike_roam_decides(sa);
}

int
ike_prove_send(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_build b;
	int err;

	t->size = sa->roam.place;
	ike_out_open(sa, &b);
	if ((err = add_cookie(t, &b)) != 0)
		return err;
	return ike_out_request(sa, &b, IKE_XCHG_INFORMATIONAL);
}

int
ike_tell_addrs_send(struct ike_sa *sa, struct ike_task *t UNUSED)
{
	struct ike_build b;

	if (!sa->roam.is_on || sa->ike->own.n == 0)
		return ERR_STATE;
	ike_out_open(sa, &b);
	add_addrs(sa, &b, true);
	if (!sa->roam.can_natt)
		add_no_nats(sa, &b);
	return ike_out_request(sa, &b, IKE_XCHG_INFORMATIONAL);
}

void
ike_roam_ask_nat(struct ike_sa *sa, struct ike_build *b)
{
	if (ike_roam_decides(sa) && sa->roam.can_natt && sa->is_nat_here)
		ike_natd_add(sa, b);
}

/* ---- their answers ------------------------------------------------------- */

/* 3.7: an answer without our cookie is not one of who we asked. */
static bool
has_cookie(const struct ike_task *t, const struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_COOKIE2);

	return n != NULL && n->data.len == IKE_COOKIE2_LEN &&
	    ct_equal(n->data.p, t->nonce, IKE_COOKIE2_LEN);
}

/* 3.8: the peer sees us elsewhere than before. */
static bool
is_seen_elsewhere(struct ike_sa *sa, const struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p,
	    IKE_N_NAT_DETECTION_DESTINATION_IP);
	struct ike_roam *r = &sa->roam;

	return n != NULL && n->data.len == sizeof(r->seen) &&
	    (!r->has_seen ||
	     memcmp(n->data.p, r->seen, sizeof(r->seen)) != 0);
}

static void
remember_seen(struct ike_sa *sa, const struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p,
	    IKE_N_NAT_DETECTION_DESTINATION_IP);
	struct ike_roam *r = &sa->roam;

	r->has_seen = n != NULL && n->data.len == sizeof(r->seen);
	if (r->has_seen)
		memcpy(r->seen, n->data.p, sizeof(r->seen));
}

/* 3.9: somebody on the way changes addresses; perhaps of this one packet. */
static void
touched(struct ike_sa *sa)
{
	struct ike_roam *r = &sa->roam;

	if (++r->n_again > IKE_ROAM_AGAIN_MAX) {
		log_notice("ike", "SA %u: there is a NAT on the new path, and "
			   "the peer knows none", sa->handle);
		return;
	}
	r->is_pending = true;
	ike_task_add_later(sa, IKE_TASK_ROAM, 0, IKE_ROAM_AGAIN_MS);
}

/* The peer does not want these addresses: any others? */
static void
unwanted(struct ike_sa *sa)
{
	struct ike_roam *r = &sa->roam;
	struct ike_way pair[IKE_WAY_MAX];
	struct net_ep local, remote;

	r->refused = (struct ike_way){ sa->local.ip, sa->remote.ip };
	if (ike_roam_pairs(sa, pair) == 0) {
		log_notice("ike", "SA %u: the peer does not take our new "
			   "address", sa->handle);
		return;
	}
	local = (struct net_ep){ pair[0].local, sa->local.port };
	remote = ike_roam_at(sa, &pair[0].remote);
	place(sa, &local, &remote, sa->is_natt);
	announce(sa);
}

static void
update_answered(struct ike_sa *sa, const struct ike_task *t,
		const struct ike_msg *m)
{
	struct ike_nat nat;

	/* moved since: that is told next */
	if (t->size != sa->roam.place || sa->roam.is_pending)
		return;
	if (ike_ntf_find(m->p, IKE_N_UNEXPECTED_NAT_DETECTED) != NULL) {
		touched(sa);
		return;
	}
	if (ike_ntf_find(m->p, IKE_N_UNACCEPTABLE_ADDRESSES) != NULL) {
		unwanted(sa);
		return;
	}
	sa->roam.n_again = 0;
	if (ike_natd_read(sa, m, &nat) == 0) {
		ike_natd_apply(sa, &nat);
		remember_seen(sa, m);
	}
	if (sa->roam.is_unproven) {
		prove(sa);
		return;
	}
	children_path(sa);	/* a NAT came or went */
}

void
ike_roam_told(struct ike_sa *sa, const struct ike_task *t,
	      const struct ike_msg *m)
{
	if (!sa->roam.is_on)
		return;
	if ((t->type == IKE_TASK_ROAM || t->type == IKE_TASK_PROVE) &&
	    !has_cookie(t, m)) {
		if (sa->state != IKE_SA_UP)	/* it had no interest any more */
			return;
		log_notice("ike", "SA %u: the peer answers without having seen "
			   "the question", sa->handle);
		ike_out_bye(sa, 0);
		ike_sa_kill(sa, "the peer is not where it says to be");
		return;
	}
	if (t->type == IKE_TASK_ROAM)
		update_answered(sa, t, m);
	else if (t->type == IKE_TASK_PROVE && t->size == sa->roam.place)
		prove(sa);
	else if ((t->type == IKE_TASK_ALIVE || t->type == IKE_TASK_PING) &&
		 ike_roam_decides(sa) && is_seen_elsewhere(sa, m))
		announce(sa);
}

/* ---- requests of the peer ------------------------------------------------ */

bool
ike_roam_may_follow(const struct ike_sa *sa)
{
	return !sa->roam.is_on || sa->roam.moved_ms == 0 ||
	    sa->ike->now_ms - sa->roam.moved_ms >= IKE_ROAM_SETTLE_MS;
}

/* 3.5: what no peer can have, or is ours, is not accepted. */
static bool
is_acceptable(const struct ike_sa *sa, const struct ike_msg *m)
{
	return ip_is_unicast(&m->remote.ip) && m->remote.port != 0 &&
	    !ike_own_has(&sa->ike->own, &m->remote.ip);
}

/* The peer is where this request came from. */
static void
follow(struct ike_sa *sa, const struct ike_msg *m)
{
	struct ike_nat nat;

	sa->roam.moved_ms = sa->ike->now_ms;
	if (ike_natd_read(sa, m, &nat) == 0)
		ike_natd_apply(sa, &nat);
	place(sa, &m->local, &m->remote, m->is_natt);
	if (!sa->roam.is_unproven) {
		children_path(sa);	/* a NAT came or went */
		return;
	}
	if (sa->task != NULL && sa->task->type == IKE_TASK_PROVE)
		sa->task->is_moot = true;	/* from somewhere else */
	ike_task_add_first(sa, IKE_TASK_PROVE);
	ike_win_hurry(sa);
}

/* The peer's list.  Who decides leaves an address that is not in it any more. */
static void
take_list(struct ike_sa *sa, const struct ike_msg *m)
{
	struct ike_roam *r = &sa->roam;

	if (!ike_addrs_read(m->p, &r->peer))
		return;
	if (!ike_roam_decides(sa) || ip_equal(&m->remote.ip, &sa->remote.ip) ||
	    !ip_is_unicast(&m->remote.ip))
		return;
	if (ike_addrs_has(&r->peer, &sa->remote.ip)) {
		(void)ike_addrs_add(&r->peer, &m->remote.ip);
	} else {
		place(sa, &m->local, &m->remote, m->is_natt);
		announce(sa);
		ike_win_hurry(sa);
	}
	ike_roam_watch(sa);
}

static bool
is_about_places(const struct ike_msg *m)
{
	static const uint16_t type[] = { IKE_N_UPDATE_SA_ADDRESSES,
		IKE_N_ADDITIONAL_IP4_ADDRESS, IKE_N_ADDITIONAL_IP6_ADDRESS,
		IKE_N_NO_ADDITIONAL_ADDRESSES };

	for (unsigned i = 0; i < N_OF(type); i++)
		if (ike_ntf_find(m->p, type[i]) != NULL)
			return true;
	return false;
}

static void
refuse(struct ike_build *b, uint16_t notify)
{
	ike_build_notify(b, IKE_PROTO_NONE, notify, none, none);
}

void
ike_roam_take(struct ike_sa *sa, const struct ike_msg *m, struct ike_build *b)
{
	const struct ike_ntf *cookie = ike_ntf_find(m->p, IKE_N_COOKIE2);
	bool is_update = ike_ntf_find(m->p, IKE_N_UPDATE_SA_ADDRESSES) != NULL &&
	    !ike_roam_decides(sa);
	struct ike_nat nat;

	if (!sa->roam.is_on)
		return;
	if (cookie != NULL)			/* 3.7 */
		ike_build_notify(b, IKE_PROTO_NONE, IKE_N_COOKIE2, none,
				 cookie->data);
	if (is_about_places(m) && !is_untouched(m)) {
		refuse(b, IKE_N_UNEXPECTED_NAT_DETECTED);
		return;
	}
	if (is_update && !is_acceptable(sa, m)) {
		refuse(b, IKE_N_UNACCEPTABLE_ADDRESSES);
		return;
	}
	if (is_update)
		follow(sa, m);
	take_list(sa, m);
	if (ike_natd_read(sa, m, &nat) == 0)	/* 3.8 */
		ike_natd_add_at(sa, b, &m->local, &m->remote);
}
