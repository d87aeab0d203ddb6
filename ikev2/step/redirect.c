/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/redirect.c - we are sent to another gateway (RFC 5685); away.c sends.
 *
 *   IKE_SA_INIT    HDR, .., N(REDIRECT_SUPPORTED)  -->
 *                  <--  HDR, N(REDIRECT: gateway, Ni)          in clear
 *   IKE_AUTH       <--  SK{ IDr, AUTH, N(REDIRECT: gateway) }
 *   later          <--  SK{ N(REDIRECT: gateway) }
 *
 *   then, there    HDR, .., N(REDIRECTED_FROM: first gateway)  -->
 *
 * Only who is configured to follow says that it does, and follows.  Where it is
 * sent it expects the same identity with the same credentials: nothing of the
 * peer's configuration changes but, for one attempt, the address.  What comes in
 * clear holds our nonce, so who cannot see our request cannot send us away; and
 * who can gets us no further than to an address where authentication fails, and
 * then we come back.  Five times in five minutes is enough (7).
 */
#include <stdio.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

#define NAME_MS 10000	/* for looking up the name of a gateway; ours */

static const struct view none;

/* ---- who is sent away ------------------------------------------------------ */

static bool
follows(const struct ike_sa *sa)
{
	return sa->link != NULL && sa->link->peer->may_redirect;
}

void
ike_redirect_add(struct ike_sa *sa, struct ike_build *b)
{
	uint8_t data[IKE_GW_DATA_MAX];
	struct ike_gw from = { .name = "" };
	struct ike_link *link = sa->link;

	if (!sa->is_initiator || !follows(sa))
		return;
	sa->is_elsewhere = link->away.is_elsewhere;
	if (!link->away.is_elsewhere) {
		ike_build_notify(b, IKE_PROTO_NONE, IKE_N_REDIRECT_SUPPORTED,
				 none, none);
		return;
	}
	from.ip = link->away.home;
	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_REDIRECTED_FROM, none,
			 (struct view){ data, ike_gw_write(&from, data) });
}

/* The gateway named; nonce: what has to follow it. */
static bool
named(const struct ike_sa *sa, const struct ike_msg *m, struct view nonce,
      struct ike_gw *gw)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_REDIRECT);
	struct view got;

	if (n == NULL || !follows(sa) || ike_gw_read(n->data, gw, &got) != 0 ||
	    got.len != nonce.len ||
	    (nonce.len > 0 && !ct_equal(got.p, nonce.p, nonce.len)))
		return false;
	if (gw->ip.family == 0)
		return sa->ike->ops.resolve_gateway != NULL;
	return !ip_equal(&gw->ip, &sa->remote.ip);
}

/* The next attempt goes there, or, with a name, once it is looked up; false: enough
 * is enough. */
static bool
go_elsewhere(struct ike_sa *sa, const struct ike_gw *gw)
{
	struct ike_link *link = sa->link;
	struct ike *ike = sa->ike;
	char from[IP_TEXT_MAX], to[IP_TEXT_MAX];
	bool is_name = gw->ip.family == 0;

	if (!ike_redirects_take(&link->away.redirects, ike->now_ms)) {
		log_rl(LOG_WARN, "ike", "%s: sent from gateway to gateway too "
		       "often, not followed", link->id_text);
		ike_trace_moved(link, &sa->remote.ip, gw, IKE_MOVED_TOO_OFTEN);
		return false;
	}
	link->away.home = sa->remote.ip;
	link->away.elsewhere = gw->ip;
	link->away.is_elsewhere = !is_name;
	link->away.is_naming = is_name;
	ike_trace_moved(link, &sa->remote.ip, gw, IKE_MOVED_GONE);
	ike_link_why(link, "sent by %s to the gateway %s",
		     ip_text(&sa->remote.ip, from), is_name ? gw->name :
		     ip_text(&gw->ip, to));
	ike->ops.link_event(ike->ops.ctx, link->id, IKE_LINK_SENT, is_name ?
			    gw->name : to);
	if (!is_name)
		return true;
	/* nobody is dialled meanwhile, but not for ever */
	if (sa->state != IKE_SA_UP && tmr_start(&ike->tmr, &link->dial,
						ike->now_ms + NAME_MS) != 0)
		log_debug("ike", "%s: no timer", link->id_text);
	ike->ops.resolve_gateway(ike->ops.ctx, link->realm->conf.index,
				 link->peer->index, gw->name);
	return true;
}

/* Make before break, as when authenticating anew. */
static void
go_from(struct ike_sa *sa)
{
	struct ike_link *link = sa->link;
	struct net_ep there = { link->away.elsewhere, ike_link_port(link) };
	struct ip_addr own;

	own = sa->ike->ops.local_addr(sa->ike->ops.ctx, &there.ip);
	sa->is_outgoing = own.family != 0 &&
	    ike_init_start(link, &own, &there) == 0;
	if (!sa->is_outgoing)
		link->away.is_elsewhere = false;
}

enum ike_verdict
ike_step_redirect_init(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct view ni = { sa->setup->ni, sa->setup->ni_len };
	struct ike_gw gw;

	(void)ike;
	/* 3: silently, and the right answer may still come */
	if (!named(sa, m, ni, &gw) || !go_elsewhere(sa, &gw))
		return ike_drop(m, DROP_IKE_UNPROT);
	ike_sa_kill(sa, NULL);
	return V_DONE;
}

bool
ike_redirect_said(const struct ike_sa *sa, const struct ike_msg *m)
{
	struct ike_gw gw;

	return named(sa, m, none, &gw);
}

/* The gateway proved itself, we did not: there is nothing to delete. */
enum ike_verdict
ike_step_redirect_eap(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_gw gw;

	(void)ike;
	if (!sa->setup->is_eap)
		return V_NEXT;
	if (m->ans->err != 0)
		return ike_auth_refuse_gateway(sa, m);
	if (!named(sa, m, none, &gw) || !go_elsewhere(sa, &gw))
		return ike_fail(m, 0, "sent from gateway to gateway too often");
	ike_sa_kill(sa, NULL);
	return V_DONE;
}

enum ike_verdict
ike_step_redirect_auth(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_gw gw;

	(void)ike;
	if (!named(sa, m, none, &gw))
		return V_NEXT;
	if (!go_elsewhere(sa, &gw))
		return ike_fail(m, 0, "sent from gateway to gateway too often");
	ike_out_bye(sa, 0);		/* 6 */
	ike_sa_kill(sa, NULL);
	return V_DONE;
}

void
ike_redirect_take(struct ike_sa *sa, const struct ike_msg *m)
{
	struct ike_gw gw;

	/* who dialled only: the other end waits where it is */
	if (sa->state != IKE_SA_UP || !sa->link->is_wanted || sa->is_outgoing ||
	    !named(sa, m, none, &gw) || !go_elsewhere(sa, &gw))
		return;
	if (sa->link->away.is_elsewhere)
		go_from(sa);
}

/* Any but the one that sent us. */
static const struct ip_addr *
other_of(const struct ike_link *link, const struct ip_addr *ip, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (ip_is_unicast(&ip[i]) &&
		    !ip_equal(&ip[i], &link->away.home))
			return &ip[i];
	return NULL;
}

void
ike_gateway_at(struct ike *ike, uint32_t realm, uint32_t peer,
	       const struct ip_addr *ip, unsigned n, uint64_t now_ms)
{
	struct ike_link *link = ike_link_of_peer(ike, realm, peer, "");
	const struct ip_addr *to;
	struct ike_sa *sa;

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if (link == NULL || !link->away.is_naming)
		return;
	link->away.is_naming = false;
	sa = ike_link_sa(link);
	if ((to = other_of(link, ip, n)) == NULL) {
		log_rl(LOG_NOTICE, "ike", "%s: the name of the gateway that it "
		       "was sent to leads nowhere else", link->id_text);
		ike_trace_nowhere(link);
		if (sa == NULL)
			ike_link_failed(link);
		return;
	}
	/* something else was begun meanwhile */
	if (sa != NULL && (sa->state != IKE_SA_UP || sa->is_outgoing ||
			   !ip_equal(&sa->remote.ip, &link->away.home)))
		return;
	link->away.elsewhere = *to;
	link->away.is_elsewhere = true;
	if (sa != NULL)
		go_from(sa);
	else
		ike_link_dial(link);
	ike_reap(ike);
}
