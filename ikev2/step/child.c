/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/child.c - child SAs: payloads, choosing, the first one in IKE_AUTH
 * (RFC 7296 1.2, 1.3.1, 2.7, 2.9).
 */
#include <stdio.h>
#include <string.h>

#include "daemon/base/log.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

static void
spi_bytes(uint32_t spi, uint8_t out[4])
{
	be32_put(out, spi);
}

static void
add_ts(struct ike_build *b, uint8_t type, const struct ike_ts_set *s)
{
	struct ike_tss ts = { .n = s->n, .ts = s->ts };

	ike_build_begin(b, type, false);
	enc_ts(&b->w, &ts);
	ike_build_end(b);
}

static void
add_nonce_ke(struct ike_build *b, struct view nonce, enum spi_group group,
	     const struct spi_dh_key *dh)
{
	if (nonce.len > 0) {
		ike_build_begin(b, IKE_PL_NONCE, false);
		enc_nonce(&b->w, nonce);
		ike_build_end(b);
	}
	if (dh != NULL) {
		struct ike_ke ke = { ike_group_wire(group),
				     spi_crypto()->dh_public(dh) };

		ike_build_begin(b, IKE_PL_KE, false);
		enc_ke(&b->w, &ke);
		ike_build_end(b);
	}
}

static void
add_mode(struct ike_build *b, enum vpn_mode mode)
{
	struct view none = { NULL, 0 };

	if (ike_ts_proto(mode) != 0)
		ike_build_notify(b, IKE_PROTO_NONE, IKE_N_USE_TRANSPORT_MODE,
				 none, none);
}

/* RFC 8750: they save 8 bytes a packet.  Those who ask for the old algorithms get
 * nothing unusual, and what is to be deciphered by others none either. */
static unsigned
may_iiv(const struct ike_sa *sa)
{
	return sa->link->realm->conf.suite == VPN_SUITE_2026 &&
	    sa->ike->key_log == NULL ? IKE_MAY_IIV : 0;
}

static unsigned
prefers(const struct ike_sa *sa)
{
	switch (sa->link->realm->conf.prefer) {
	case VPN_PREFER_AES128:
		return IKE_PREFER_AES128;
	case VPN_PREFER_CHACHA20:
		return IKE_PREFER_CHACHA20;
	case VPN_PREFER_AES256:
		break;
	}
	return 0;
}

void
ike_child_payloads(struct ike_sa *sa, struct ike_build *b, struct arena *a,
		   const struct ike_offer *o, struct view nonce,
		   const struct spi_dh_key *dh)
{
	struct ike_props props;
	uint8_t spi[4];
	int err;

	spi_bytes(o->esp_spi, spi);
	add_mode(b, o->mode);
	ike_lane_add(b, o);
	err = o->alg != VPN_ALG_NONE ?
	    ike_prop_offer_esp_as(a, o->alg, o->is_esn, (struct view){ spi, 4 },
				  o->group, &props) :
	    ike_prop_offer_esp(a, sa->link->realm->conf.suite,
			       (struct view){ spi, 4 }, o->group, &props);
	if (err == 0 && o->alg == VPN_ALG_NONE && prefers(sa) != 0)
		err = ike_prop_offer_first(a, prefers(sa), &props);
	if (err == 0 && o->alg == VPN_ALG_NONE && may_iiv(sa) != 0)
		err = ike_prop_offer_iiv(a, &props);
	/* one follows the other: none without a first key exchange */
	if (err == 0 && o->alg == VPN_ALG_NONE && dh != NULL)
		err = ike_follow_offer(sa, a, &props);
	if (err != 0) {
		b->err = err;
		return;
	}
	ike_build_begin(b, IKE_PL_SA, false);
	enc_sa(&b->w, &props);
	ike_build_end(b);
	add_nonce_ke(b, nonce, o->group, dh);
	add_ts(b, IKE_PL_TSI, &o->local);
	add_ts(b, IKE_PL_TSR, &o->remote);
}

void
ike_child_answer_payloads(struct ike_sa *sa, struct ike_msg *m,
			  struct ike_build *b, struct view nonce,
			  const struct spi_dh_key *dh)
{
	struct ike_props props;
	uint8_t spi[4];
	int err;

	(void)sa;
	spi_bytes(m->made != NULL ? m->made->spi_in : m->offer.esp_spi, spi);
	add_mode(b, m->offer.mode);
	ike_lane_add(b, &m->offer);
	err = ike_prop_answer_esp(&m->arena, &m->choice,
				  (struct view){ spi, 4 }, &props);
	if (err != 0) {
		b->err = err;
		return;
	}
	ike_build_begin(b, IKE_PL_SA, false);
	enc_sa(&b->w, &props);
	ike_build_end(b);
	add_nonce_ke(b, nonce, m->choice.group, dh);
	/* the request's initiator is the remote side here */
	add_ts(b, IKE_PL_TSI, &m->offer.remote);
	add_ts(b, IKE_PL_TSR, &m->offer.local);
}

/* ---- choosing as responder ----------------------------------------------- */

/* Transport mode: one host on each side.  Behind a NAT the addresses are those the
 * peer knows, not those on the wire (2.23.1). */
static bool
addresses_ok(const struct ike_sa *sa, const struct ike_msg *m)
{
	if (sa->encap == VPN_ENCAP_UDP)
		return true;
	return ip_equal(&m->p->tsi->ts[0].lo, &sa->remote.ip) &&
	    ip_equal(&m->p->tsr->ts[0].lo, &sa->local.ip);
}

/* Do both lists of selectors pass a test for transport mode? */
static bool
are_hosts(const struct ike_msg *m, enum vpn_mode mode,
	  bool (*is)(const struct ike_tss *ts, uint8_t proto))
{
	return is(m->p->tsi, ike_ts_proto(mode)) &&
	    is(m->p->tsr, ike_ts_proto(mode));
}

/* The mode a request can have: one in transport mode, or IP. */
static enum vpn_mode
mode_of(const struct ike_msg *m, enum vpn_mode own)
{
	if (ike_ntf_find(m->p, IKE_N_USE_TRANSPORT_MODE) == NULL ||
	    own == VPN_MODE_IP)
		return VPN_MODE_IP;
	if (own == VPN_MODE_GRE)
		return are_hosts(m, VPN_MODE_GRE, ike_ts_may_be_host) ?
		    VPN_MODE_GRE : VPN_MODE_IP;
	return are_hosts(m, VPN_MODE_ETHER, ike_ts_is_host) ? VPN_MODE_ETHER :
	    VPN_MODE_IP;
}

static enum ike_verdict
choose_mode(struct ike_sa *sa, struct ike_msg *m, const struct ike_child *old)
{
	enum vpn_mode own = old != NULL ? old->mode : sa->link->peer->mode;

	/* 1.3.1: transport mode asked for, tunnel mode may be our answer */
	m->offer.mode = mode_of(m, own);
	if (m->offer.mode != VPN_MODE_IP && !addresses_ok(sa, m))
		return ike_fail(m, IKE_N_TS_UNACCEPTABLE, "the selectors of "
		    "transport mode are not our two addresses");
	if (m->offer.mode == VPN_MODE_IP && own == VPN_MODE_ETHER)
		return ike_fail(m, IKE_N_TS_UNACCEPTABLE,
		    "the peer does not speak EtherIP, and mode is ether");
	if (m->offer.mode == VPN_MODE_IP && own == VPN_MODE_GRE)
		return ike_fail(m, IKE_N_TS_UNACCEPTABLE, "the peer does not "
		    "ask for GRE in transport mode, and mode is gre");
	return V_NEXT;
}

/* Nothing in common: the likeliest reason. */
static const char *
why_no_ts(const struct ike_msg *m, const struct ike_ts_set *local)
{
	if (are_hosts(m, VPN_MODE_GRE, ike_ts_is_host))
		return "the peer asks for GRE, and mode is not gre";
	return local->n == 0 ?
	    "the peer asks for IP mode, and the realm has no <net>" :
	    "no traffic selector in common with the peer";
}

static enum ike_verdict
choose_ts(struct ike_sa *sa, struct ike_msg *m, const struct ike_child *old)
{
	uint8_t proto = ike_ts_proto(m->offer.mode);
	struct ike_ts_set local, remote;

	if (proto != 0) {
		m->offer.remote.n = m->offer.local.n = 1;
		/* 2.23.1: as the packets look here */
		m->offer.remote.ts[0] = ike_ts_host(sa->is_nat_there ?
		    &sa->remote.ip : &m->p->tsi->ts[0].lo, proto);
		m->offer.local.ts[0] = ike_ts_host(sa->is_nat_here ?
		    &sa->local.ip : &m->p->tsr->ts[0].lo, proto);
		return V_NEXT;
	}
	if (old != NULL) {		/* I3: rekeying never widens */
		local = old->local;
		remote = old->remote;
	} else {
		ike_link_ts(sa->link, &local, &remote);
	}
	if (old == NULL && ike_config_missing(sa, &remote) != 0)
		return ike_fail(m, ike_config_missing(sa, &remote),
				"the peer asks for IP mode without asking for "
				"an address, and <pool> is for those who do");
	if (ike_ts_narrow(m->p->tsi, &remote, &m->offer.remote) != 0 ||
	    ike_ts_narrow(m->p->tsr, &local, &m->offer.local) != 0) {
		ike_trace_ts(sa->link, &local, &remote, m->p->tsi, m->p->tsr);
		return ike_fail(m, IKE_N_TS_UNACCEPTABLE, "%s",
				why_no_ts(m, &local));
	}
	return V_NEXT;
}

static void
note_esp(struct ike_sa *sa, const struct ike_props *peer)
{
	struct ike_props own;
	struct arena a;

	arena_init(&a, IKE_ARENA_MAX);
	if (ike_prop_offer_esp(&a, sa->link->realm->conf.suite, (struct view){
			       NULL, 0 }, SPI_GROUP_NONE, &own) == 0)
		ike_trace_props(sa->link, IKE_PAIR_ESP, &own, peer);
	arena_fini(&a);
}

enum ike_verdict
ike_child_choose(struct ike_sa *sa, struct ike_msg *m, enum ike_ke_rule rule,
		 const struct ike_child *old)
{
	uint16_t ke = m->p->ke != NULL ? m->p->ke->group : IKE_KE_NONE;
	enum ike_verdict v;

	if (ike_prop_choose_esp(m->p->sa, sa->link->realm->conf.suite,
				may_iiv(sa) | prefers(sa) | (rule == IKE_KE_NEVER ?
				IKE_ADDKE_KNOWN : ike_follow_kems(sa, false)),
				ke, rule,
				&m->choice) != 0) {
		m->drop = DROP_IKE_NOPROP;
		note_esp(sa, m->p->sa);
		return ike_fail(m, IKE_N_NO_PROPOSAL_CHOSEN,
				"no ESP proposal in common with the peer");
	}
	if (m->choice.group != SPI_GROUP_NONE &&
	    (ke != ike_group_wire(m->choice.group) || m->p->ke->data.len !=
	     spi_group_public_len(m->choice.group)))
		return ike_fail16(m, IKE_N_INVALID_KE_PAYLOAD,
				  ike_group_wire(m->choice.group));
	if ((v = choose_mode(sa, m, old)) != V_NEXT ||
	    (v = choose_ts(sa, m, old)) != V_NEXT)
		return v;
	if (old != NULL)
		ike_lane_inherit(old, &m->offer);
	else if ((v = ike_lane_choose(sa, m, rule)) != V_NEXT)
		return v;
	if (ike_offer_spi(sa, &m->offer) != 0)
		return ike_fail(m, IKE_N_NO_ADDITIONAL_SAS, "no ESP SPI left");
	return V_NEXT;
}

/* ---- checking as initiator ----------------------------------------------- */

/* 2.23.1: behind a NAT the answer has the address that the peer sees, and ours
 * takes its place. */
static int
check_ts(const struct ike_tss *ts, const struct ike_ts_set *own, bool is_natted,
	 struct ike_ts_set *out)
{
	if (!is_natted || !ike_ts_is_host(ts, own->ts[0].proto) ||
	    ts->ts[0].lo.family != own->ts[0].lo.family)
		return ike_ts_check(ts, own, out);
	*out = *own;
	return 0;
}

enum ike_verdict
ike_child_check(struct ike_sa *sa, struct ike_msg *m, struct ike_offer *o)
{
	bool transport = ike_ntf_find(m->p, IKE_N_USE_TRANSPORT_MODE) != NULL;
	bool is_host = ike_ts_proto(o->mode) != 0;
	struct ike_ts_set local, remote;

	if (ike_prop_check_esp(m->p->sa, sa->link->realm->conf.suite,
			       ike_follow_kems(sa, true) | may_iiv(sa), o->group,
			       &m->choice) != 0 ||
	    (o->alg != VPN_ALG_NONE && (m->choice.alg != o->alg ||
					m->choice.is_esn != o->is_esn)))
		return ike_fail(m, IKE_N_NO_PROPOSAL_CHOSEN,
				"the peer chose an ESP proposal we did not offer");
	if (transport != is_host)
		return ike_fail(m, IKE_N_TS_UNACCEPTABLE, "the peer %s",
		    transport ? "wants transport mode, which we did not offer" :
		    o->mode == VPN_MODE_GRE ?
		    "declines transport mode, which GRE needs" :
		    "declines transport mode, which EtherIP needs");
	if (check_ts(m->p->tsi, &o->local, is_host && sa->is_nat_here,
		     &local) != 0 ||
	    check_ts(m->p->tsr, &o->remote, is_host && sa->is_nat_there,
		     &remote) != 0)
		return ike_fail(m, IKE_N_TS_UNACCEPTABLE,
				"the peer's selectors are wider than our offer");
	if (ike_config_narrow(sa, m->p->tsi, o, &local) != 0)
		return ike_fail(m, IKE_N_TS_UNACCEPTABLE, "%s",
				sa->link->cfg == NULL ?
				"the peer gave us no address" :
				"the peer's selectors leave out the address "
				"that it gave us");
	o->local = local;
	o->remote = remote;
	ike_lane_answered(m, o);
	return V_NEXT;
}

/* ---- the first child SA -------------------------------------------------- */

enum ike_verdict
ike_step_first_child_choose(struct ike *ike, struct ike_sa *sa,
			    struct ike_msg *m)
{
	enum ike_verdict v;

	(void)ike;
	if (m->form == IKE_FORM_AUTH_CHILDLESS || m->child_fail != 0)
		return V_NEXT;
	v = ike_child_choose(sa, m, IKE_KE_NEVER, NULL);
	/* 1.2: the IKE SA stands without it; the answer carries the notify */
	if (v == V_FAIL) {
		m->child_fail = m->fail;
		if (m->drop != 0)
			drop_count(m->drop, 1);
	}
	return V_NEXT;
}

/* What we offered, and the peer's answer; NULL = there was none. */
static void
note_ts(struct ike_sa *sa, const struct ike_offer *o, const struct ike_pls *p)
{
	if (p != NULL)
		ike_trace_ts(sa->link, &o->local, &o->remote, p->tsr, p->tsi);
	else
		ike_trace_ts(sa->link, &o->local, &o->remote, NULL, NULL);
}

/* The peer says that it refuses, and nothing of what it would have. */
static void
note_refused(struct ike_sa *sa, uint16_t notify)
{
	if (notify == IKE_N_NO_PROPOSAL_CHOSEN)
		note_esp(sa, NULL);
	else
		note_ts(sa, &sa->setup->offer, NULL);
}

/* The IKE SA is good and the child SA is not: go, and say why. */
static void
give_up(struct ike_sa *sa, enum ike_by by, uint16_t notify, const char *why)
{
	struct ike_link *link = sa->link;

	log_notice("ike", "%s: %s", link->id_text, why);
	ike_link_why(link, "%s", why);
	ike_trace_out(sa, by, IKE_STAGE_CHILD, notify, why);
	ike_link_failed(link);		/* sets the time of the next try */
	ike_sa_delete(sa, why);
}

enum ike_verdict
ike_step_first_child_take(struct ike *ike, struct ike_sa *sa,
			  struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;
	struct ike_child_make mk = {
		.offer = &st->offer, .choice = &m->choice,
		.in = { .ni = { st->ni, st->ni_len },
			.nr = { st->nr, st->nr_len } },
		.is_initiator = true
	};
	enum ike_verdict v;
	int err;

	(void)ike;
	v = ike_child_check(sa, m, &st->offer);
	if (v == V_NEXT && (err = ike_child_new(sa, &mk, &m->made)) != 0)
		v = ike_fail(m, 0, "child SA not installed: %s", err_text(err));
	if (v != V_NEXT)
		note_ts(sa, &st->offer, m->p);
	else
		st->offer.esp_spi = 0;
	if (!ike_sa_move(sa, IKE_EV_AUTH_OK))
		return V_DONE;
	ike_task_end(sa);
	ike->stats.n_auth_ok++;
	ike_sa_up(sa);
	if (v != V_NEXT) {
		give_up(sa, IKE_BY_US, m->fail, m->why);
		return V_KEEP;	/* the Delete is a task of its own */
	}
	ike_link_update(sa->link);
	ike_lane_fill(sa, 0);
	ike_child_fill(sa);
	ike_reauth_done(sa);
	ike_contact_crossing(sa);
	return V_KEEP;
}

enum ike_verdict
ike_step_first_child_none(struct ike *ike, struct ike_sa *sa,
			  struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_error(m->p);
	char buf[IKE_WORD_MAX], why[IKE_WHY_MAX];

	snprintf(why, sizeof(why), "the peer refuses the child SA: %s",
		 n != NULL ? ike_notify_text(n->type, buf) : "no reason given");
	note_refused(sa, n != NULL ? n->type : 0);
	if (!ike_sa_move(sa, IKE_EV_AUTH_OK))
		return V_DONE;
	ike_task_end(sa);
	ike->stats.n_auth_ok++;
	ike_sa_up(sa);
	/* 2.9: the selectors one by one, and the IKE SA stays */
	if (n != NULL && n->type == IKE_N_SINGLE_PAIR_REQUIRED) {
		sa->link->is_single = true;
		ike_task_add(sa, IKE_TASK_NEW_CHILD, 0);
		ike_link_update(sa->link);
		return V_KEEP;
	}
	if (n != NULL && ike_childless_refused(sa, n->type)) {
		ike_sa_delete(sa, why);	/* which dials again, at once */
		return V_KEEP;
	}
	give_up(sa, IKE_BY_PEER, n != NULL ? n->type : 0, why);
	return V_KEEP;
}
