/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/redirect.c - peers are sent to another gateway (RFC 5685).
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
	sa->is_elsewhere = link->is_elsewhere;
	if (!link->is_elsewhere) {
		ike_build_notify(b, IKE_PROTO_NONE, IKE_N_REDIRECT_SUPPORTED,
				 none, none);
		return;
	}
	from.ip = link->home;
	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_REDIRECTED_FROM, none,
			 (struct view){ data, ike_gw_write(&from, data) });
}

/* The gateway named, by an address of use; nonce: what has to follow it. */
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
	if (gw->ip.family == 0) {
		log_rl(LOG_NOTICE, "ike", "%s: the peer names the gateway %s; "
		       "only addresses are followed", sa->link->id_text,
		       gw->name);
		ike_trace_moved(sa->link, &sa->remote.ip, gw,
				IKE_MOVED_BY_NAME);
		return false;
	}
	return !ip_equal(&gw->ip, &sa->remote.ip);
}

/* The next attempt goes there; false: enough is enough. */
static bool
go_elsewhere(struct ike_sa *sa, const struct ike_gw *gw)
{
	struct ike_link *link = sa->link;
	char from[IP_TEXT_MAX], to[IP_TEXT_MAX];

	if (!ike_redirects_take(&link->redirects, sa->ike->now_ms)) {
		log_rl(LOG_WARN, "ike", "%s: sent from gateway to gateway too "
		       "often, not followed", link->id_text);
		ike_trace_moved(link, &sa->remote.ip, gw, IKE_MOVED_TOO_OFTEN);
		return false;
	}
	link->home = sa->remote.ip;
	link->elsewhere = gw->ip;
	link->is_elsewhere = true;
	ike_trace_moved(link, &sa->remote.ip, gw, IKE_MOVED_GONE);
	ike_link_why(link, "sent by %s to the gateway %s",
		     ip_text(&sa->remote.ip, from), ip_text(&gw->ip, to));
	log_notice("ike", "%s: %s", link->id_text, link->why);
	return true;
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
	struct ike_link *link = sa->link;
	struct net_ep there;
	struct ip_addr own;
	struct ike_gw gw;

	/* who dialled only: the other end waits where it is */
	if (sa->state != IKE_SA_UP || !link->is_wanted || sa->is_outgoing ||
	    !named(sa, m, none, &gw) || !go_elsewhere(sa, &gw))
		return;
	there = (struct net_ep){ gw.ip, ike_link_port(link) };
	own = sa->ike->ops.local_addr(sa->ike->ops.ctx, &gw.ip);
	/* make before break, as when authenticating anew */
	sa->is_outgoing = own.family != 0 &&
	    ike_init_start(link, &own, &there) == 0;
	if (!sa->is_outgoing)
		link->is_elsewhere = false;
}

/* ---- who sends away -------------------------------------------------------- */

static bool
says_it_follows(const struct ike_msg *m)
{
	return ike_ntf_find(m->p, IKE_N_REDIRECT_SUPPORTED) != NULL ||
	    ike_ntf_find(m->p, IKE_N_REDIRECTED_FROM) != NULL;
}

enum ike_verdict
ike_step_redirect_away(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	uint8_t data[IKE_GW_DATA_MAX + IKE_NONCE_MAX];
	const struct ike_ntf *from = ike_ntf_find(m->p, IKE_N_REDIRECTED_FROM);
	struct view nonce;
	struct ike_gw gw;
	size_t len;

	(void)sa;
	if (!ike->is_drained || !says_it_follows(m) ||
	    ip_equal(&m->local.ip, &ike->drain.ip))
		return V_NEXT;
	/* back to who sent it would be a loop */
	if (from != NULL && ike_gw_read(from->data, &gw, &nonce) == 0 &&
	    ike->drain.ip.family != 0 && ip_equal(&gw.ip, &ike->drain.ip))
		return V_NEXT;
	len = ike_gw_write(&ike->drain, data);
	memcpy(data + len, m->p->nonce->p, m->p->nonce->len);
	ike_out_clear_error(ike, m, IKE_N_REDIRECT, (struct view){ data,
	    len + m->p->nonce->len }, true);
	return V_DONE;
}

enum ike_verdict
ike_step_redirect_note(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	sa->can_redirect = !m->h.is_response && says_it_follows(m);
	return V_NEXT;
}

int
ike_redirect_send(struct ike_sa *sa, struct ike_task *t UNUSED)
{
	uint8_t data[IKE_GW_DATA_MAX];
	struct ike_build b;

	if (!sa->ike->is_drained)
		return ERR_STATE;
	ike_out_open(sa, &b);
	ike_build_notify(&b, IKE_PROTO_NONE, IKE_N_REDIRECT, none,
			 (struct view){ data, ike_gw_write(&sa->ike->drain,
							   data) });
	return ike_out_request(sa, &b, IKE_XCHG_INFORMATIONAL);
}

/* As it would be read by who is sent there. */
static int
gateway_of(const char *to, struct ike_gw *gw)
{
	uint8_t data[IKE_GW_DATA_MAX];
	struct view rest;

	*gw = (struct ike_gw){ .name = "" };
	if (ip_parse(to, &gw->ip) != 0) {
		gw->ip.family = 0;
		if (strlen(to) >= sizeof(gw->name))
			return ERR_SYNTAX;
		memcpy(gw->name, to, strlen(to) + 1);
	}
	return ike_gw_read((struct view){ data, ike_gw_write(gw, data) }, gw,
			   &rest) == 0 ? 0 : ERR_SYNTAX;
}

int
ike_drain(struct ike *ike, const char *to, uint64_t now_ms)
{
	struct ike_gw gw;
	int n = 0;

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if (to != NULL && gateway_of(to, &gw) != 0)
		return ERR_SYNTAX;
	ike->is_drained = to != NULL;
	if (to == NULL)
		return 0;
	ike->drain = gw;
	LIST_FOREACH_SAFE(it, next, &ike->sas) {
		struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa, node);

		if (sa->state != IKE_SA_UP || !sa->can_redirect)
			continue;
		ike_task_add(sa, IKE_TASK_REDIRECT, 0);
		ike_task_pump(sa);
		n++;
	}
	ike_reap(ike);
	return n;
}

bool
ike_drained(const struct ike *ike, char *to, size_t cap)
{
	char ip[IP_TEXT_MAX];

	str_copy(to, cap, !ike->is_drained ? "" : ike->drain.ip.family == 0 ?
		 ike->drain.name : ip_text(&ike->drain.ip, ip));
	return ike->is_drained;
}
