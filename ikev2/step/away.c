/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/away.c - this gateway, or a realm of it, is emptied: peers are sent to
 * another one (RFC 5685), or nobody is let in any more.
 *
 *            who comes                      who is connected
 *   SEND     IKE_SA_INIT: REDIRECT          INFORMATIONAL: REDIRECT
 *            (all realms), else IKE_AUTH
 *   KEEP     TEMPORARY_FAILURE              stays
 *   END      TEMPORARY_FAILURE              Delete
 *
 * In IKE_SA_INIT nobody is known, so there only what holds for all realms counts.
 * A realm is known in IKE_AUTH once its peer proved itself.  TEMPORARY_FAILURE
 * there says to try elsewhere or later; what is configured does not change.
 */
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

static const struct view none;

/* ---- what is in force ------------------------------------------------------ */

const struct ike_drain *
ike_drain_of(const struct ike *ike, const struct ike_realm *r)
{
	return r != NULL && r->drain.mode != IKE_DRAIN_OFF ? &r->drain :
	    &ike->drain;
}

bool
ike_drain_shuts(const struct ike *ike, const struct ike_realm *r)
{
	enum ike_drain_mode mode = ike_drain_of(ike, r)->mode;

	return mode == IKE_DRAIN_KEEP || mode == IKE_DRAIN_END;
}

enum ike_drain_mode
ike_drained(const struct ike *ike, uint32_t realm, char *to, size_t cap)
{
	const struct ike_drain *d = &ike->drain;
	char ip[IP_TEXT_MAX];

	LIST_FOREACH(it, &ike->realms) {
		const struct ike_realm *r = CONTAINER_OF(it, struct ike_realm,
							 node);

		if (r->conf.index == realm)
			d = ike_drain_of(ike, r);
	}
	str_copy(to, cap, d->mode != IKE_DRAIN_SEND ? "" :
		 d->to.ip.family == 0 ? d->to.name : ip_text(&d->to.ip, ip));
	return d->mode;
}

/* ---- who comes ------------------------------------------------------------- */

static bool
says_it_follows(const struct ike_msg *m)
{
	return ike_ntf_find(m->p, IKE_N_REDIRECT_SUPPORTED) != NULL ||
	    ike_ntf_find(m->p, IKE_N_REDIRECTED_FROM) != NULL;
}

/* Who sent it here; family 0: nobody said. */
static struct ip_addr
sender_of(const struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_REDIRECTED_FROM);
	struct ike_gw gw = { .name = "" };
	struct view rest;

	if (n == NULL || ike_gw_read(n->data, &gw, &rest) != 0)
		gw.ip.family = 0;
	return gw.ip;
}

/* Not to where it is, nor back to who sent it: that would be a loop.  Whom another
 * address of ours sent stays. */
static bool
goes_round(const struct ike *ike, const struct ike_gw *to,
	   const struct ip_addr *here, const struct ip_addr *from)
{
	if (from->family != 0 && ike_own_has(&ike->own, from))
		return true;
	return to->ip.family != 0 && (ip_equal(&to->ip, here) ||
	    (from->family != 0 && ip_equal(&to->ip, from)));
}

enum ike_verdict
ike_step_away_init(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	uint8_t data[IKE_GW_DATA_MAX + IKE_NONCE_MAX];
	struct ip_addr from = sender_of(m);
	size_t len;

	(void)sa;
	if (ike_drain_shuts(ike, NULL)) {
		ike_trace_stranger(ike, m, "", IKE_STAGE_INIT,
				   IKE_N_TEMPORARY_FAILURE,
				   "this gateway is drained");
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE,
				"this gateway is drained");
	}
	if (ike->drain.mode != IKE_DRAIN_SEND || !says_it_follows(m) ||
	    goes_round(ike, &ike->drain.to, &m->local.ip, &from))
		return V_NEXT;
	len = ike_gw_write(&ike->drain.to, data);
	memcpy(data + len, m->p->nonce->p, m->p->nonce->len);
	ike_out_clear_error(ike, m, IKE_N_REDIRECT, (struct view){ data,
	    len + m->p->nonce->len }, true);
	return V_DONE;
}

enum ike_verdict
ike_step_away_note(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	sa->can_redirect = !m->h.is_response && says_it_follows(m);
	sa->sent_by = sender_of(m);
	return V_NEXT;
}

/* May this SA be sent there? */
static bool
is_due(const struct ike_sa *sa)
{
	const struct ike_drain *d = ike_drain_of(sa->ike, sa->link != NULL ?
						 sa->link->realm : NULL);

	return d->mode == IKE_DRAIN_SEND && sa->can_redirect &&
	    !goes_round(sa->ike, &d->to, &sa->local.ip, &sa->sent_by);
}

static void
add_gateway(const struct ike_sa *sa, struct ike_build *b)
{
	uint8_t data[IKE_GW_DATA_MAX];
	const struct ike_drain *d = ike_drain_of(sa->ike, sa->link->realm);

	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_REDIRECT, none,
			 (struct view){ data, ike_gw_write(&d->to, data) });
}

/* It proved itself, and so did we; there is no child SA (6). */
enum ike_verdict
ike_step_away_auth(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_build b;

	if (!is_due(sa))
		return V_NEXT;
	ike_out_open(sa, &b);
	ike_auth_answer(sa, &b, m);
	add_gateway(sa, &b);
	if (!ike_sa_move(sa, IKE_EV_AUTH_OK))
		return ike_drop(m, DROP_IKE_EXCH);
	ike->stats.n_auth_ok++;
	ike_sa_up(sa);
	if (ike_out_reply(sa, m, &b) != 0) {
		ike_sa_kill(sa, "the answer could not be sent");
		return V_DONE;
	}
	log_rl(LOG_NOTICE, "ike", "%s: sent to another gateway",
	       sa->link->id_text);
	/* it deletes this SA; if not, we do */
	ike_delete_if_childless(sa, "sent to another gateway");
	return V_DONE;
}

/* ---- who is connected ------------------------------------------------------ */

int
ike_redirect_send(struct ike_sa *sa, struct ike_task *t UNUSED)
{
	struct ike_build b;

	if (sa->link == NULL || !is_due(sa))
		return ERR_STATE;
	ike_out_open(sa, &b);
	add_gateway(sa, &b);
	return ike_out_request(sa, &b, IKE_XCHG_INFORMATIONAL);
}

static bool
send_away(struct ike_sa *sa)
{
	if (!is_due(sa))
		return false;
	ike_task_add(sa, IKE_TASK_REDIRECT, 0);
	ike_task_pump(sa);
	return true;
}

static int
tell_all(struct ike *ike, const struct ike_realm *r)
{
	int n = 0;

	LIST_FOREACH_SAFE(it, next, &ike->sas) {
		struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa, node);
		enum ike_drain_mode mode;

		if (sa->link == NULL || sa->state != IKE_SA_UP ||
		    (r != NULL && sa->link->realm != r))
			continue;
		mode = ike_drain_of(ike, sa->link->realm)->mode;
		if (mode == IKE_DRAIN_END) {
			ike_sa_delete(sa, "this gateway is drained");
			n++;
		} else if (mode == IKE_DRAIN_SEND) {
			n += send_away(sa);
		}
	}
	/* who may be dialled again */
	LIST_FOREACH_SAFE(it2, next2, &ike->links)
		ike_link_update(CONTAINER_OF(it2, struct ike_link, node));
	return n;
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
ike_drain(struct ike *ike, uint32_t realm, enum ike_drain_mode mode,
	  const char *to, uint64_t now_ms)
{
	struct ike_realm *r = ike_realm_by_index(ike, realm);
	struct ike_drain d = { .mode = mode };
	int n;

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if (realm != UINT32_MAX && r == NULL)
		return ERR_NOTFOUND;
	if (mode == IKE_DRAIN_SEND && gateway_of(to, &d.to) != 0)
		return ERR_SYNTAX;
	if (r != NULL)
		r->drain = d;
	else
		ike->drain = d;
	n = tell_all(ike, r);
	ike_reap(ike);
	return n;
}
