/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/config.c - an address from the gateway (RFC 7296 2.19, 3.15).
 *
 *   SK{ IDi, .., AUTH, CP(CFG_REQUEST), SAi2, TSi(any), TSr }  -->
 *       <--  SK{ IDr, .., AUTH, CP(CFG_REPLY), SAr2, TSi(the address), TSr }
 *
 * It stands in the first IKE_AUTH request and in the answer that has AUTH, so
 * with EAP there are messages between them: what was asked waits in the setup.
 *
 * Who hands out what is core's to decide (ops.lease), once the peer has proved
 * itself (security: A5).  What was handed out belongs to the link, so it outlives
 * IKE SAs; all child SAs in IP mode are for it and nothing else: the gateway
 * permits no other source, and the client accepts no wider answer.
 *
 * Nothing is asked or handed out anew by rekeying, and no use is defined for
 * CFG_SET and CFG_ACK (3.15.1).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"
#include "ikev2/wire/cfg.h"

/* ---- both ends ------------------------------------------------------------------ */

static int
keep(struct ike_link *link, const struct vpn_cfg *cfg)
{
	if (link->cfg == NULL &&
	    (link->cfg = calloc(1, sizeof(*link->cfg))) == NULL)
		return ERR_NOMEM;
	*link->cfg = *cfg;
	return 0;
}

void
ike_config_free(struct ike_link *link)
{
	free(link->cfg);
	link->cfg = NULL;
}

static void
add_host(struct ike_ts_set *s, const struct ip_addr *ip)
{
	if (ip->family != 0 && s->n < VPN_TS_MAX)
		s->ts[s->n++] = ike_ts_host(ip, 0);
}

bool
ike_config_hosts(const struct ike_link *link, struct ike_ts_set *out)
{
	out->n = 0;
	if (link->cfg == NULL)
		return false;
	add_host(out, &link->cfg->ip4.addr);
	add_host(out, &link->cfg->ip6.addr);
	return out->n > 0;
}

static void
add_cp(struct ike_build *b, const struct ike_cp *cp)
{
	ike_build_begin(b, IKE_PL_CP, false);
	enc_cp(&b->w, cp);
	ike_build_end(b);
}

/* ---- the client ----------------------------------------------------------------- */

static bool
is_client(const struct ike_sa *sa)
{
	return sa->is_initiator && sa->link != NULL && sa->link->peer->is_client;
}

/* As ike_child_offer() decides; the child SA may come later, RFC 6023. */
static bool
is_ip(const struct ike_sa *sa)
{
	enum vpn_mode mode = sa->link->peer->mode;

	return mode == VPN_MODE_AUTO ? !sa->is_tapir : mode == VPN_MODE_IP;
}

void
ike_config_add(struct ike_sa *sa, struct ike_build *b, struct arena *a)
{
	struct ike_cfg_req req = {
		.has_ip4 = true, .has_ip6 = true, .has_mask = true,
		.has_dns4 = true, .has_dns6 = true, .has_subnet4 = true,
		.has_subnet6 = true, .has_domain = true, .has_enc4 = true,
		.has_enc6 = true
	};
	struct ike_cp cp;
	int err;

	if (!is_client(sa))
		return;
	if (sa->link->cfg != NULL) {		/* the same again, please */
		req.wish4 = sa->link->cfg->ip4.addr;
		req.wish6 = sa->link->cfg->ip6.addr;
	}
	if ((err = ike_cfg_req_write(a, &req, &cp)) != 0) {
		b->err = err;
		return;
	}
	add_cp(b, &cp);
}

void
ike_config_any(struct ike_ts_set *out)
{
	static const struct vpn_ts any[2] = {
		{ .lo = { .family = 4 },
		  .hi = { 4, { 0xff, 0xff, 0xff, 0xff } },
		  .port_hi = UINT16_MAX },
		{ .lo = { .family = 6 },
		  .hi = { 6, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			       0xff } },
		  .port_hi = UINT16_MAX }
	};

	out->n = N_OF(any);
	memcpy(out->ts, any, sizeof(any));
}

void
ike_config_widen(const struct ike_sa *sa, struct ike_offer *o)
{
	if (is_client(sa) && o->mode == VPN_MODE_IP)
		ike_config_any(&o->local);	/* 2.19 */
}

int
ike_config_narrow(const struct ike_sa *sa, const struct ike_tss *answer,
		  const struct ike_offer *o, struct ike_ts_set *local)
{
	struct ike_ts_set hosts;

	if (!is_client(sa) || o->mode != VPN_MODE_IP)
		return 0;
	if (!ike_config_hosts(sa->link, &hosts))
		return ERR_TS;
	return ike_ts_narrow(answer, &hosts, local);
}

enum ike_verdict
ike_step_config_take(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_cp *cp = m->p->cp;
	struct vpn_cfg cfg = { 0 };

	if (!is_client(sa))
		return V_NEXT;		/* what we did not ask for, 3.15 */
	if (cp != NULL && cp->type == IKE_CP_REPLY)
		ike_cfg_read(cp, &cfg);
	/* The SA is authentic, and of no use: without an address the child SA is
	 * refused below, in ether mode it is the network's to give one. */
	if (cfg.ip4.addr.family == 0 && cfg.ip6.addr.family == 0) {
		ike_config_free(sa->link);
		return V_NEXT;
	}
	if (is_ip(sa)) {
		cfg.ip4.bits = cfg.ip4.addr.family != 0 ? 32 : 0;
		cfg.ip6.bits = cfg.ip6.addr.family != 0 ? 128 : 0;
	}
	if (keep(sa->link, &cfg) != 0)
		return ike_fail(m, 0, "out of memory");
	if (ike->ops.configured != NULL)
		ike->ops.configured(ike->ops.ctx, sa->link->id, sa->link->cfg);
	return V_NEXT;
}

/* ---- the gateway ---------------------------------------------------------------- */

enum ike_verdict
ike_step_config_asked(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	if (m->p->cp == NULL || m->p->cp->type != IKE_CP_REQUEST)
		return V_NEXT;
	ike_cfg_req_read(m->p->cp, &sa->setup->cfg_req);
	sa->setup->has_cfg_req = true;
	return V_NEXT;
}

/* Refuse the child SA, not the IKE SA (3.15.4, 1.2). */
static enum ike_verdict
no_child(struct ike_msg *m, uint16_t notify, const char *why)
{
	snprintf(m->why, sizeof(m->why), "%s", why);
	m->child_fail = notify;
	return V_NEXT;
}

/* What is asked for only makes sense with an address. */
static bool
asks_address(const struct ike_setup *st)
{
	return st->has_cfg_req && (st->cfg_req.has_ip4 || st->cfg_req.has_ip6);
}

enum ike_verdict
ike_step_config_lease(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_setup *st = sa->setup;
	struct ike_link *link = sa->link;
	char why[IKE_WHY_MAX] = "";
	struct vpn_cfg cfg = { 0 };
	int err;

	if (!link->realm->conf.has_pool || !asks_address(st)) {
		ike_config_free(link);
		return V_NEXT;
	}
	if (ike->ops.lease == NULL)
		return V_NEXT;
	err = ike->ops.lease(ike->ops.ctx, link->id, &st->cfg_req, &cfg, why);
	if (err == 0)
		err = keep(link, &cfg);
	if (err == 0)
		return V_NEXT;
	ike_config_free(link);
	if (err == ERR_NOTFOUND)	/* not of these families: no answer */
		return V_NEXT;
	return no_child(m, IKE_N_INTERNAL_ADDRESS_FAILURE, why[0] != '\0' ?
			why : "no address can be handed out");
}

uint16_t
ike_config_missing(const struct ike_sa *sa, const struct ike_ts_set *remote)
{
	/* 3.10.1: a CFG_REQUEST was expected */
	return sa->link->realm->conf.has_pool && remote->n == 0 ?
	    IKE_N_FAILED_CP_REQUIRED : 0;
}

void
ike_config_reply(struct ike_sa *sa, struct ike_msg *m, struct ike_build *b)
{
	const struct ike_setup *st = sa->setup;
	struct ike_cp cp;
	int err;

	/* 3.15: never without a request */
	if (!st->has_cfg_req || sa->link->cfg == NULL)
		return;
	if ((err = ike_cfg_write(&m->arena, &st->cfg_req, sa->link->cfg,
				 &cp)) != 0) {
		b->err = err;
		return;
	}
	add_cp(b, &cp);
}
