/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/init.c - IKE_SA_INIT (RFC 7296 1.2, 2.7, 2.14).
 *
 *   HDR(SPIi,0), [N(COOKIE)], SAi1, KEi, Ni, N(NATD) x2, V  -->
 *        <--  HDR(SPIi,SPIr), SAr1, KEr, Nr, N(NATD) x2, V
 *
 * Nothing here is protected: an answer that is an error changes nothing but the
 * reason we give when the right answer never comes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

static enum vpn_suite
own_suite(const struct ike_sa *sa)
{
	return sa->link->realm->conf.suite;
}

/* Before the identity is known: what any realm permits. */
static enum vpn_suite
any_suite(const struct ike *ike)
{
	LIST_FOREACH(it, &ike->realms)
		if (CONTAINER_OF(it, struct ike_realm, node)->conf.suite ==
		    VPN_SUITE_COMPAT)
			return VPN_SUITE_COMPAT;
	return VPN_SUITE_2026;
}

int
ike_init_keep(struct ike_bytes *b, const uint8_t *p, size_t len)
{
	uint8_t *copy;

	if (len > IKE_INIT_MSG_MAX)
		return ERR_LONG;
	if ((copy = malloc(len)) == NULL)
		return ERR_NOMEM;
	memcpy(copy, p, len);
	free(b->p);
	b->p = copy;
	b->len = len;
	return 0;
}

static void
add_common(struct ike_sa *sa, struct ike_build *b, const struct ike_props *sa_pl,
	   struct view nonce)
{
	struct ike_setup *st = sa->setup;
	struct ike_ke ke = { ike_group_wire(st->group),
			     spi_crypto()->dh_public(st->dh) };

	ike_build_begin(b, IKE_PL_SA, false);
	enc_sa(&b->w, sa_pl);
	ike_build_end(b);
	ike_build_begin(b, IKE_PL_KE, false);
	enc_ke(&b->w, &ke);
	ike_build_end(b);
	ike_build_begin(b, IKE_PL_NONCE, false);
	enc_nonce(&b->w, nonce);
	ike_build_end(b);
	/* an answer says only what was asked: it is not to be longer than the
	 * request of a stranger */
	if (sa->is_initiator || st->has_natd)
		ike_natd_add(sa, b);
	ike_frag_add(sa, b);
	ike_inter_add(sa, b);
	ike_ppk_add(sa, b);
	ike_cert_hashes_add(sa, b);
	ike_redirect_add(sa, b);
	if (sa->is_initiator || sa->is_tapir)
		ike_vendor_add(b);
}

/* ---- as initiator -------------------------------------------------------- */

int
ike_init_start(struct ike_link *link, const struct ip_addr *own,
	       const struct net_ep *remote)
{
	struct ike *ike = link->ike;
	struct ike_sa *sa = ike_sa_new(ike, true);

	if (sa == NULL)
		return ERR_NOMEM;
	if ((sa->setup = calloc(1, sizeof(*sa->setup))) == NULL ||
	    rng_bytes(sa->setup->ni, IKE_NONCE_LEN) != 0) {
		ike_sa_kill(sa, NULL);
		return ERR_NOMEM;
	}
	sa->setup->ni_len = IKE_NONCE_LEN;
	/* the group the peer asked for last time saves a round trip */
	sa->setup->group = link->group != SPI_GROUP_NONE ? link->group :
	    ike_prop_first_group(link->realm->conf.suite);
	sa->local = (struct net_ep){ *own, ike->conf.port };
	sa->remote = *remote;
	/* 2.23: possible from the beginning */
	sa->is_natt = remote->port == ike->conf.natt_port;
	if (sa->is_natt)
		sa->local.port = ike->conf.natt_port;
	sa->is_faked = link->peer->encap != VPN_ENCAP_ESP ||
	    !ike->conf.can_raw_esp;
	ike_sa_bind(sa, link);
	ike_resume_begin(sa);
	ike_trace_try(link);
	if (!ike_sa_move(sa, IKE_EV_DIAL) ||
	    tmr_start(&ike->tmr, &sa->life, ike->now_ms + IKE_CONNECT_MS) != 0) {
		ike_sa_kill(sa, NULL);
		return ERR_NOMEM;
	}
	ike_task_add(sa, IKE_TASK_INIT, 0);
	ike_task_pump(sa);
	return 0;
}

bool
ike_init_prepare(struct ike_sa *sa, struct ike_task *t, enum spi_group *group)
{
	(void)t;
	if (sa->setup->resume == NULL)
		*group = sa->setup->group;
	return true;
}

int
ike_init_send(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_hdr h = { .ispi = sa->ispi, .major = 2,
		.xchg = IKE_XCHG_IKE_SA_INIT, .is_initiator = true };
	struct ike_setup *st = sa->setup;
	struct ike_props props;
	struct ike_build b;
	struct arena a;
	struct view pkt;
	int err;

	if (st->resume != NULL)
		return ike_resume_send(sa);
	if (t->dh != NULL) {
		spi_crypto()->dh_free(st->dh);
		st->dh = t->dh;
		t->dh = NULL;
	}
	arena_init(&a, IKE_ARENA_MAX);
	if ((err = ike_prop_offer_ike(&a, own_suite(sa),
	    (struct view){ NULL, 0 }, &props)) != 0)
		goto out;
	if (sa->ike->conf.kems != 0 && (err = ike_prop_offer_addke(&a,
	    sa->ike->conf.kems, &props)) != 0)
		goto out;
	ike_build_init(&b, sa->ike->tx, IKE_MAX_MSG_BYTES, &h);
	if (st->cookie_len > 0)		/* 2.6: first payload */
		ike_build_notify(&b, IKE_PROTO_NONE, IKE_N_COOKIE,
		    (struct view){ NULL, 0 },
		    (struct view){ st->cookie, st->cookie_len });
	if (st->ps_len > 0) {		/* RFC 8019 7.1.2 */
		struct ike_ps ps = { IKE_PUZZLE_KEY_LEN,
				     { st->ps, st->ps_len } };

		ike_build_begin(&b, IKE_PL_PS, false);
		enc_ps(&b.w, &ps);
		ike_build_end(&b);
	}
	add_common(sa, &b, &props, (struct view){ st->ni, st->ni_len });
	if ((err = ike_build_finish(&b, &pkt)) != 0 ||
	    (err = ike_init_keep(&st->own_msg, pkt.p, pkt.len)) != 0)
		goto out;
	sa->ike->stats.n_init_out++;
	err = ike_win_send(sa, IKE_XCHG_IKE_SA_INIT, pkt);
out:
	arena_fini(&a);
	return err;
}

void
ike_init_failed(struct ike_sa *sa, struct ike_task *t, uint16_t notify,
		const char *why)
{
	struct ike_link *link = sa->link;

	(void)t;
	ike_resume_back(sa);
	if (link != NULL) {
		ike_link_why(link, "%s", why);
		ike_trace_out(sa, IKE_BY_US, IKE_STAGE_INIT, notify, why);
		ike_link_failed(link);
	}
	ike_sa_kill(sa, NULL);
}

enum ike_verdict
ike_step_init_answer(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;
	struct view own_ke = spi_crypto()->dh_public(st->dh);
	struct ike_choice ch;

	/* F4: only what we offered; own values refused */
	if (m->h.rspi == 0 || ike_sa_by_spi(ike, m->h.rspi) != NULL)
		return ike_drop(m, DROP_IKE_SPI);
	sa->has_inter = ike_inter_wanted(sa) && ike_inter_said(m);
	if (ike_prop_check_ike(m->p->sa, own_suite(sa), ike_inter_kems(sa),
			       false, &ch) != 0 ||
	    ch.ike.group != st->group)
		return ike_drop(m, DROP_IKE_NOPROP);
	if (m->p->ke->group != ike_group_wire(st->group) ||
	    m->p->ke->data.len != spi_group_public_len(st->group) ||
	    (own_ke.len == m->p->ke->data.len &&
	     memcmp(own_ke.p, m->p->ke->data.p, own_ke.len) == 0))
		return ike_drop(m, DROP_IKE_KE);
	if (m->p->nonce->len == st->ni_len &&
	    ct_equal(m->p->nonce->p, st->ni, st->ni_len))
		return ike_drop(m, DROP_IKE_SYNTAX);
	/* RFC 8784 3: a PPK is there to be used */
	if (sa->link->peer->has_ppk && !ike_ppk_said(sa, m)) {
		sa->is_told = true;
		ike_link_why(sa->link, "the peer does not use a PPK");
		ike_trace_out(sa, IKE_BY_US, IKE_STAGE_AUTH, 0,
			      sa->link->why);
		return ike_drop(m, DROP_IKE_NOPROP);
	}
	if (ike_init_keep(&st->peer_msg, m->buf, m->len) != 0)
		return ike_drop(m, DROP_IKE_LONG);
	sa->rspi = m->h.rspi;
	sa->suite = ch.ike;
	sa->link->group = st->group;
	memcpy(st->nr, m->p->nonce->p, m->p->nonce->len);
	st->nr_len = m->p->nonce->len;
	memcpy(st->peer_ke, m->p->ke->data.p, m->p->ke->data.len);
	st->peer_ke_len = m->p->ke->data.len;
	ike_win_answered(sa);
	return V_NEXT;
}

/* What we offered, and what the peer is known to want; 0 = not known. */
static void
note_offer(struct ike_sa *sa, uint16_t group)
{
	struct ike_tr tr = { .type = IKE_TRT_KE, .id = group };
	struct ike_prop prop = { .num = 1, .proto = IKE_PROTO_IKE, .n_tr = 1,
		.tr = &tr };
	struct ike_props own, peer = { .n = 1, .prop = &prop };
	struct arena a;

	arena_init(&a, IKE_ARENA_MAX);
	if (ike_prop_offer_ike(&a, own_suite(sa), (struct view){ NULL, 0 },
			       &own) == 0)
		ike_trace_props(sa->link, IKE_PAIR_IKE, &own,
				group != 0 ? &peer : NULL);
	arena_fini(&a);
}

/* It wants a group that we did not offer: said by anybody, so only noted. */
static void
note_group(struct ike_sa *sa, uint16_t group)
{
	char buf[IKE_WORD_MAX];

	sa->is_told = true;
	ike_link_why(sa->link, "the peer wants the group %s, which we do not "
		     "offer", ike_tr_name(IKE_TRT_KE, group, buf));
	ike_trace_out(sa, IKE_BY_PEER, IKE_STAGE_INIT,
		      IKE_N_INVALID_KE_PAYLOAD, sa->link->why);
	note_offer(sa, group);
}

enum ike_verdict
ike_step_init_ke_again(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_INVALID_KE_PAYLOAD);
	struct ike_setup *st = sa->setup;
	enum spi_group g;

	(void)ike;
	if (n == NULL || n->data.len != 2)
		return ike_drop(m, DROP_IKE_SYNTAX);
	g = ike_group_from_wire(be16_get(n->data.p));
	/* 1.2: a group we did not offer would be a downgrade */
	ike_trace_group(sa->link);
	if (!ike_prop_has_group(own_suite(sa), g))
		note_group(sa, be16_get(n->data.p));
	if (!ike_prop_has_group(own_suite(sa), g) || g == st->group ||
	    st->n_again >= IKE_INIT_AGAIN_MAX || sa->task_ticket != 0)
		return ike_drop(m, DROP_IKE_UNPROT);
	st->n_again++;
	st->group = g;
	ike_win_answered(sa);
	if (ike_job_start(sa, IKE_JOB_TASK, g, &sa->task->dh,
			  (struct view){ NULL, 0 }) != 0)
		return ike_fail(m, 0, "not enough memory to connect");
	return V_KEEP;
}

/* Anybody can send this: remember why, and wait for the right answer still. */
enum ike_verdict
ike_step_init_error(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_error(m->p);
	char buf[IKE_WORD_MAX], ip[IP_TEXT_MAX];
	uint64_t soon = ike->now_ms + IKE_INIT_ERR_MS;

	if (n != NULL && sa->link != NULL) {
		sa->is_told = true;
		ike_link_why(sa->link, "%s answers %s",
			     net_ep_text(&m->remote, ip),
			     ike_notify_text(n->type, buf));
		ike_trace_out(sa, IKE_BY_PEER, IKE_STAGE_INIT, n->type,
			      ike_notify_text(n->type, buf));
		if (n->type == IKE_N_NO_PROPOSAL_CHOSEN)
			note_offer(sa, 0);
	}
	if (sa->life.at_ms > soon && tmr_start(&ike->tmr, &sa->life, soon) != 0)
		log_debug("ike", "SA %u: no timer", sa->handle);
	return ike_drop(m, DROP_IKE_UNPROT);
}

/* ---- as responder -------------------------------------------------------- */

enum ike_verdict
ike_step_init_choose(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	unsigned kems = ike_inter_said(m) ? ike->conf.kems | IKE_ADDKE_KNOWN :
	    0;

	(void)sa;
	if (ike_prop_choose_ike(m->p->sa, any_suite(ike), kems,
				m->p->ke->group, false, &m->choice) != 0) {
		char ip[IP_TEXT_MAX];

		log_rl(LOG_NOTICE, "ike", "%s: no proposal in common",
		       net_ep_text(&m->remote, ip));
		ike_trace_stranger(ike, m, "", IKE_STAGE_INIT,
				   IKE_N_NO_PROPOSAL_CHOSEN,
				   "no proposal in common");
		m->drop = DROP_IKE_NOPROP;
		return ike_fail(m, IKE_N_NO_PROPOSAL_CHOSEN,
				"no proposal in common");
	}
	if (m->p->ke->group != ike_group_wire(m->choice.ike.group))
		return ike_fail16(m, IKE_N_INVALID_KE_PAYLOAD,
				  ike_group_wire(m->choice.ike.group));
	if (m->p->ke->data.len != spi_group_public_len(m->choice.ike.group))
		return ike_drop(m, DROP_IKE_KE);
	return V_NEXT;
}

/* The fuller the table, the shorter a half-open SA may wait. */
static uint64_t
halfopen_ms(const struct ike *ike)
{
	uint64_t max = MAX(ike->conf.max_halfopen, 1u);
	uint64_t n = MIN(ike->stats.n_halfopen, max);

	return IKE_HALFOPEN_MS - (IKE_HALFOPEN_MS - IKE_HALFOPEN_LO_MS) * n /
	    max;
}

struct ike_sa *
ike_init_halfopen(struct ike *ike, struct ike_msg *m)
{
	struct ike_sa *sa = ike_sa_new(ike, false);
	struct ike_setup *st;

	if (sa == NULL)
		return NULL;
	m->heir = sa;
	if ((st = sa->setup = calloc(1, sizeof(*st))) == NULL ||
	    ike_init_keep(&st->peer_msg, m->buf, m->len) != 0 ||
	    rng_bytes(st->nr, IKE_NONCE_LEN) != 0 ||
	    ike_sa_halfopen_add(sa, m) != 0 ||
	    tmr_start(&ike->tmr, &sa->life, ike->now_ms + halfopen_ms(ike)) != 0)
		return NULL;
	sa->ispi = m->h.ispi;
	sa->local = m->local;
	sa->remote = m->remote;
	sa->is_natt = m->is_natt;
	sa->is_faked = !ike->conf.can_raw_esp;
	memcpy(st->ni, m->p->nonce->p, m->p->nonce->len);
	st->ni_len = m->p->nonce->len;
	return sa;
}

enum ike_verdict
ike_step_init_new(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_setup *st;

	if ((sa = ike_init_halfopen(ike, m)) == NULL)
		return ike_drop(m, DROP_IKE_HALFOPEN);
	st = sa->setup;
	sa->suite = m->choice.ike;
	sa->has_inter = ike_inter_said(m);
	st->group = sa->suite.group;
	/* no longer than the peer's, so that the answer is not either; but 2.10:
	 * half of the key of the PRF at least */
	st->nr_len = MAX(MIN((size_t)IKE_NONCE_LEN, m->p->nonce->len),
			 spi_hash_len(sa->suite.prf) / 2);
	memcpy(st->peer_ke, m->p->ke->data.p, m->p->ke->data.len);
	st->peer_ke_len = m->p->ke->data.len;
	if (ike_job_start(sa, IKE_JOB_MSG, st->group, &m->dh,
			  (struct view){ NULL, 0 }) != 0)
		return ike_drop(m, DROP_IKE_HALFOPEN);
	return V_WAIT;
}

enum ike_verdict
ike_step_init_key(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	if (m->job_err != 0)
		return ike_drop(m, DROP_IKE_KE);
	sa->setup->dh = m->dh;
	m->dh = NULL;
	return V_NEXT;
}

enum ike_verdict
ike_step_init_reply(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_hdr h = { .ispi = sa->ispi, .rspi = sa->rspi, .major = 2,
		.xchg = IKE_XCHG_IKE_SA_INIT, .is_response = true };
	struct ike_setup *st = sa->setup;
	struct ike_props props;
	struct ike_build b;
	struct view pkt;

	if (ike_prop_answer_ike(&m->arena, &m->choice, (struct view){ NULL, 0 },
				&props) != 0)
		return ike_drop(m, DROP_IKE_HALFOPEN);
	ike_build_init(&b, ike->tx, IKE_MAX_MSG_BYTES, &h);
	add_common(sa, &b, &props, (struct view){ st->nr, st->nr_len });
	/* what fits, the most useful first */
	ike_cert_ask_add(ike, &b, m->len);
	ike_childless_add(&b, m->len);
	if (ike_build_finish(&b, &pkt) != 0 ||
	    pkt.len > m->len ||		/* its nonce is too short, 2.10 */
	    ike_init_keep(&st->own_msg, pkt.p, pkt.len) != 0 ||
	    !ike_sa_move(sa, IKE_EV_INIT_IN) ||
	    ike_win_reply(sa, m, pkt) != 0) {
		ike_sa_kill(sa, NULL);	/* the peer's repeat begins anew */
		return ike_drop(m, DROP_IKE_HALFOPEN);
	}
	return V_DONE;
}

/* ---- keys ---------------------------------------------------------------- */

enum ike_verdict
ike_step_derive(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;

	(void)ike;
	if (st == NULL || st->dh == NULL)
		return ike_drop(m, DROP_IKE_BUSY);
	if (ike_job_start(sa, IKE_JOB_MSG, st->group, &st->dh, (struct view){
			  st->peer_ke, st->peer_ke_len }) != 0)
		return ike_drop(m, DROP_IKE_BUSY);
	return V_WAIT;
}

enum ike_verdict
ike_step_keys(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;
	struct ike_keymat_in in = {
		.ni = { st->ni, st->ni_len }, .nr = { st->nr, st->nr_len },
		.ispi = sa->ispi, .rspi = sa->rspi,
		.dh = { m->secret, m->secret_len }
	};
	int err = m->job_err;

	(void)ike;
	if (err == 0 && (sa->keys = secret_alloc(sizeof(*sa->keys))) == NULL)
		err = ERR_NOMEM;
	if (err == 0)
		err = ike_keymat_first(&sa->suite, &in, sa->keys);
	wipe(m->secret, sizeof(m->secret));
	if (err != 0) {
		/* a value like this never becomes right: no second try */
		secret_free(sa->keys);
		sa->keys = NULL;
		if (!m->h.is_response)
			return ike_drop(m, DROP_IKE_KE);
		drop_count(DROP_IKE_KE, 1);
		return ike_fail(m, 0, "the peer's key exchange value is invalid");
	}
	if (m->h.is_response && !ike_sa_move(sa, IKE_EV_KEYED))
		return ike_fail(m, 0, "not possible in this state");
	return V_NEXT;
}
