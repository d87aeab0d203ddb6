/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/step.h - the steps of the lists in path.c, by feature.
 *
 * A feature's file holds request and response, build and process.  Steps share
 * data only through struct ike_msg and the parts of struct ike_sa.
 */
#ifndef TAPIR_IKEV2_STEP_STEP_H
#define TAPIR_IKEV2_STEP_STEP_H

#include "ikev2/engine.h"

/* What a gateway knows us again by, and we ourselves (RFC 5723). */
struct ike_resume {
	uint8_t ticket[IKE_TICKET_THEIRS_MAX];
	size_t ticket_len;
	uint8_t sealed[IKE_TICKET_MAX];	/* by our secure process */
	size_t sealed_len;
	struct ike_suite suite;
	struct ip_addr gateway;		/* nobody else gets it */
	uint64_t until_ms;
	unsigned n_try;			/* attempts that nobody answered */
};

/* cookie.c: RFC 7296 2.6 */
/** May an IKE_SA_INIT request go on?  Under load it needs a cookie: a good one,
 * or the answer is a cookie.  Allocates nothing for what has none.  m: header,
 * place and what was proven already only. */
bool ike_cookie_admits(struct ike *ike, struct ike_msg *m, struct view data);
/** Look again how much is to be asked of strangers. */
void ike_door_tune(struct ike *ike);
void ike_door_over(void *ike);		/* the same, by its timer */
/** A half-open SA stands: what proved it does so no more. */
void ike_door_used(struct ike *ike, const struct ike_proof *proof);
ike_step_fn ike_step_cookie_again;	/* response N(COOKIE); waits for the
					 * solution of a puzzle, if any */
ike_step_fn ike_step_cookie_send;
ike_step_fn ike_step_auth_puzzle;	/* response: one for IKE_AUTH (waits) */
ike_step_fn ike_step_auth_puzzled;

/* init.c: IKE_SA_INIT, 1.2 */
/** Keep a first message, for AUTH.  0, ERR_LONG or ERR_NOMEM. */
MUST_USE int ike_init_keep(struct ike_bytes *b, const uint8_t *p, size_t len);
/** A half-open SA for a request; NULL: there is no room.  Its nonce is made. */
struct ike_sa *ike_init_halfopen(struct ike *ike, struct ike_msg *m);
MUST_USE int ike_init_start(struct ike_link *link, const struct ip_addr *own,
			    const struct net_ep *remote);
bool ike_init_prepare(struct ike_sa *sa, struct ike_task *t,
		      enum spi_group *group);
int ike_init_send(struct ike_sa *sa, struct ike_task *t);
void ike_init_failed(struct ike_sa *sa, struct ike_task *t, uint16_t notify,
		     const char *why);
ike_step_fn ike_step_init_choose;	/* request: proposal, KE group, nonce */
ike_step_fn ike_step_init_new;		/* request: SA, key of ours (waits) */
ike_step_fn ike_step_init_key;
ike_step_fn ike_step_init_reply;
ike_step_fn ike_step_init_answer;	/* response: what the peer chose */
ike_step_fn ike_step_init_ke_again;	/* response INVALID_KE_PAYLOAD */
ike_step_fn ike_step_init_error;	/* response with another error */
ike_step_fn ike_step_derive;		/* shared secret (waits) */
ike_step_fn ike_step_keys;		/* SKEYSEED and the seven keys */

/* cert.c: CERT, CERTREQ, 3.6, 3.7; RFC 7427, RFC 9593 */
/** SIGNATURE_HASH_ALGORITHMS into IKE_SA_INIT; an answer names those both ends
 * know, RFC 7427 4. */
void ike_cert_hashes_add(const struct ike_sa *sa, struct ike_build *b);
/** CERTREQ of an IKE_SA_INIT response; the message does not grow beyond cap. */
void ike_cert_ask_add(const struct ike *ike, struct ike_build *b, size_t cap);
/** Take what is to be sent with our AUTH into m.  0 or ERR_NOMEM. */
MUST_USE int ike_cert_signed(struct ike_msg *m, const struct ike_ans *ans);
/** CERT, and as initiator CERTREQ, into IKE_AUTH. */
void ike_cert_add(const struct ike_sa *sa, struct ike_build *b,
		  const struct ike_msg *m);
/** The peer's CERT payloads as a list, in the arena of m.  0, ERR_UNSUP or
 * ERR_NOMEM with a sentence. */
MUST_USE int ike_cert_shown(struct ike_msg *m, struct view *out,
			    const char **why);
ike_step_fn ike_step_cert_told;		/* hashes, CERTREQ, methods */

/* natd.c: 2.23 */
void ike_natd_add(struct ike_sa *sa, struct ike_build *b);
/** The same for a message that goes from local to remote. */
void ike_natd_add_at(struct ike_sa *sa, struct ike_build *b,
		     const struct net_ep *local, const struct net_ep *remote);
/** What an authentic message of an established SA says of its way.
 * @return 0; ERR_NOTFOUND: it does not say; ERR_CRYPTO. */
MUST_USE int ike_natd_read(struct ike_sa *sa, const struct ike_msg *m,
			   struct ike_nat *out);
/** Encapsulate as it requires, from now on. */
void ike_natd_apply(struct ike_sa *sa, const struct ike_nat *nat);
ike_step_fn ike_step_natd;

/* frag.c: RFC 7383 */
void ike_frag_add(struct ike_sa *sa, struct ike_build *b);
ike_step_fn ike_step_frag;		/* does the peer know fragments? */
/** Bytes of text of a whole message that fill a datagram of so many bytes; 0 =
 * there is no room for any. */
size_t ike_frag_text_of(const struct ike_sa *sa, size_t bytes);
/** Must a message with so much text go in fragments? */
bool ike_frag_wanted(const struct ike_sa *sa, size_t text_len);
/** Remember a message before it is sealed; the text only if it may be cut. */
MUST_USE int ike_frag_keep(const struct ike_sa *sa, const struct ike_hdr *h,
			   struct ike_build *b, struct ike_plain *out);
void ike_plain_free(struct ike_plain *p);
/** Cut and seal into ike->train.  ERR_RANGE: not possible, or no more fragments
 * than the last time. */
MUST_USE int ike_frag_cut(struct ike_sa *sa, struct ike_plain *p,
			  struct view *train);
/** Go down to datagrams of so many bytes (0: the least) for the rest of the
 * SA's life, and cut again.  False: nothing to gain, *train is unset. */
bool ike_frag_smaller(struct ike_sa *sa, struct ike_plain *p, size_t bytes,
		      struct view *train);
/** May this fragment be new (2.6)?  Before anything is computed, for a message
 * that the window admits. */
bool ike_frag_admits(struct ike_sa *sa, const struct ike_msg *m);
/** Take an opened fragment.
 * @param text its text; with 0 that of the whole message, owned by m.
 * @return 0: complete; ERR_AGAIN: more to come; ERR_LIMIT, ERR_NOMEM. */
MUST_USE int ike_frag_take(struct ike_sa *sa, struct ike_msg *m,
			   struct view *text);
/** Fragments of messages that did not get complete in time are forgotten. */
void ike_frag_expire(struct ike_sa *sa);
void ike_frag_forget(struct ike_sa *sa);
/** Hold a fragment until there are keys; takes m if true. */
MUST_USE bool ike_frag_hold(struct ike_sa *sa, struct ike_msg *m);
/** The next one held; the caller owns it.  NULL: no more. */
struct ike_msg *ike_frag_held(struct ike_sa *sa);

/* inter.c: IKE_INTERMEDIATE, RFC 9242; additional key exchanges, RFC 9370 */
/** The additional key exchanges that may be chosen in IKE_SA_INIT. */
unsigned ike_inter_kems(const struct ike_sa *sa);
void ike_inter_add(struct ike_sa *sa, struct ike_build *b);
bool ike_inter_said(const struct ike_msg *m);
/** Do we, as initiator, have a use for IKE_INTERMEDIATE? */
bool ike_inter_wanted(const struct ike_sa *sa);
/** IntAuth of a message of the peer, and of one of ours that is built and not
 * sealed yet, RFC 9242 3.3.2.  0, ERR_CRYPTO or what the build has. */
MUST_USE int ike_inter_auth_in(struct ike_sa *sa, const struct ike_msg *m);
MUST_USE int ike_inter_auth_out(struct ike_sa *sa, struct ike_build *b,
				uint32_t msgid);
/** Send a built IKE_INTERMEDIATE request; IKE_AUTH is what the task goes on to. */
enum ike_verdict ike_inter_send(struct ike_sa *sa, struct ike_msg *m,
				struct ike_build *b);
/** One exchange is done; its keys, or NULL when it made none. */
void ike_inter_done(struct ike_sa *sa, struct ike_keys *k);
/** Keys that follow from the secret in m; secret memory. */
MUST_USE int ike_inter_derive(struct ike_sa *sa, struct ike_msg *m,
			      struct ike_keys **out);
/** Is one of them still to be done before IKE_AUTH? */
bool ike_inter_is_due(const struct ike_sa *sa);
/** IntAuth for AUTH; empty when there was no such exchange. */
struct view ike_inter_auth(struct ike_sa *sa);
ike_step_fn ike_step_inter_key;		/* waits for a key of ours, if one is due */
ike_step_fn ike_step_inter_request;
ike_step_fn ike_step_inter_answer;	/* response: (waits) */
ike_step_fn ike_step_inter_keys;
ike_step_fn ike_step_inter_check;	/* request: (waits) */
ike_step_fn ike_step_inter_reply;

/* follow.c: IKE_FOLLOWUP_KE, RFC 9370 2.2.4 */
void ike_follow_free(struct ike *ike, struct ike_follow *f);
/** The peer's series is over, whatever it was. */
void ike_follow_forget(struct ike_sa *sa);
void ike_follow_over(void *sa);		/* its time */
/** The additional key exchanges that are possible in CREATE_CHILD_SA: in a
 * request of ours, or in one of the peer. */
unsigned ike_follow_kems(const struct ike_sa *sa, bool is_ours);
/** Add them to our proposals, if the IKE SA has them.  0 or ERR_NOMEM. */
MUST_USE int ike_follow_offer(const struct ike_sa *sa, struct arena *a,
			      struct ike_props *io);
/** The peer's nonce of CREATE_CHILD_SA, and the secrets that followed. */
struct view ike_peer_nonce(const struct ike_msg *m);
struct view ike_more_secrets(const struct ike_msg *m);
/** Our part of the last one. */
void ike_follow_last(struct ike_build *b, const struct ike_msg *m);
ike_step_fn ike_step_follow_begin;	/* after CREATE_CHILD_SA (waits) */
ike_step_fn ike_step_follow_request;
ike_step_fn ike_step_follow_answer;	/* response (waits) */
ike_step_fn ike_step_follow_next;	/* (waits) */
ike_step_fn ike_step_follow_take;
ike_step_fn ike_step_follow_offer;	/* request CREATE_CHILD_SA */
ike_step_fn ike_step_follow_check;	/* request (waits) */
ike_step_fn ike_step_follow_reply;

/* ppk.c: post-quantum pre-shared keys, RFC 8784 */
void ike_ppk_add(struct ike_sa *sa, struct ike_build *b);
void ike_ppk_id_add(const struct ike_sa *sa, struct ike_build *b);
/** The data that prove who the peer is: of AUTH, or of NO_PPK_AUTH. */
struct view ike_ppk_auth(const struct ike_sa *sa, const struct ike_msg *m);
/** The peer is one that must use a PPK, and did not. */
bool ike_ppk_is_missing(const struct ike_sa *sa);
/** Responder, the peer is known: does the PPK it used belong to another? */
bool ike_ppk_is_foreign(const struct ike_sa *sa);
/** Initiator: did the answer agree to use a PPK, in one way or the other? */
bool ike_ppk_said(const struct ike_sa *sa, const struct ike_msg *m);
/** Responder: does a request in IKE_INTERMEDIATE offer PPKs that are due? */
bool ike_ppk_int_offered(const struct ike_sa *sa, const struct ike_msg *m);
/** Responder: the PPK that was found, as PPK_IDENTITY, and keys with it in
 * place of st->ppk_keys. */
MUST_USE int ike_ppk_int_take(struct ike_sa *sa, struct ike_msg *m,
			      struct ike_build *b);
ike_step_fn ike_step_ppk_int_ask;	/* initiator: (waits) */
ike_step_fn ike_step_ppk_int_request;
ike_step_fn ike_step_ppk_int_answer;
ike_step_fn ike_step_ppk_int_find;	/* responder: (waits) */
ike_step_fn ike_step_ppk;		/* will there be a PPK? */
ike_step_fn ike_step_ppk_ask;		/* (waits) */
ike_step_fn ike_step_ppk_mixed;

/* vendor.c: 3.12 */
void ike_vendor_add(struct ike_build *b);
ike_step_fn ike_step_vendor;

/* auth.c: IKE_AUTH, 1.2, 2.15 */
void ike_auth_failed(struct ike_sa *sa, struct ike_task *t, uint16_t notify,
		     const char *why);
/** Put a question to the secure process; the message in hand waits.  ERR_EXISTS: it
 * is answered once an IKE SA, and was put already. */
MUST_USE int ike_auth_ask(struct ike_sa *sa, struct ike_ask *ask);
/** The same as a step ends: V_WAIT, or what becomes of m otherwise.  A request whose
 * question cannot be put now comes again. */
enum ike_verdict ike_auth_put(struct ike_sa *sa, struct ike_msg *m,
			      struct ike_ask *ask);
enum ike_prf ike_auth_prf(const struct ike_sa *sa);
/** What the questions about AUTH have in common; is_own: about ours. */
struct ike_ask ike_auth_base(struct ike_sa *sa, enum ike_ask_type type,
			     bool is_own);
/** As responder: one answer for every reason (H6); why stays here. */
enum ike_verdict ike_auth_refuse_peer(struct ike_sa *sa, struct ike_msg *m,
				      const char *why);
/** As initiator, with the answer of the secure process in m. */
enum ike_verdict ike_auth_refuse_gateway(struct ike_sa *sa, struct ike_msg *m);
/** What the peer proved, for those who look at the link. */
void ike_auth_note_proof(struct ike_link *link, const struct ike_msg *m);
/** As responder: the peer is who the answer in m says; its realm, its link. */
enum ike_verdict ike_auth_enter(struct ike *ike, struct ike_sa *sa,
				struct ike_msg *m);
/** What a responder proves itself with in its last answer. */
void ike_auth_answer(struct ike_sa *sa, struct ike_build *b,
		     const struct ike_msg *m);
/** IDr, CERT, AUTH: how a responder proves itself. */
void ike_auth_payloads(struct ike_sa *sa, struct ike_build *b,
		       const struct ike_msg *m);
ike_step_fn ike_step_auth_begin;	/* request: the SA leaves half-open */
ike_step_fn ike_step_auth_verify;	/* ask: is the peer's AUTH good? (waits) */
ike_step_fn ike_step_auth_realm;	/* request: who is it, which realm */
ike_step_fn ike_step_auth_accept;	/* response: it is the one we dialled */
ike_step_fn ike_step_auth_sign;		/* ask: our ID and AUTH (waits) */
ike_step_fn ike_step_auth_signed;
ike_step_fn ike_step_auth_request;	/* build and send */
ike_step_fn ike_step_auth_reply;

/* eap.c: IKE_AUTH with EAP, 2.16 */
ike_step_fn ike_step_eap_claim;		/* request: who wants in? (waits) */
ike_step_fn ike_step_eap_admit;
ike_step_fn ike_step_eap_first;		/* our first EAP message (waits) */
ike_step_fn ike_step_eap_offer;		/* answers with it */
ike_step_fn ike_step_eap_ask;		/* what the peer's says (waits) */
ike_step_fn ike_step_eap_reply;
ike_step_fn ike_step_eap_verify;	/* request: the last AUTH (waits) */
ike_step_fn ike_step_eap_enter;
ike_step_fn ike_step_eap_sign;		/* ours (waits) */
ike_step_fn ike_step_eap_signed;
ike_step_fn ike_step_eap_gateway;	/* response: it is who we dialled */
ike_step_fn ike_step_eap_next;		/* ends here while there is more EAP */
ike_step_fn ike_step_eap_request;	/* AUTH */
ike_step_fn ike_step_eap_check;		/* response: the last AUTH (waits) */
ike_step_fn ike_step_eap_accept;

/* contact.c: 2.4 INITIAL_CONTACT, and both ends dialling at once */
void ike_contact_add(struct ike_sa *sa, struct ike_build *b);
ike_step_fn ike_step_contact;
void ike_contact_crossing(struct ike_sa *sa);

/* child.c: first child SA in IKE_AUTH; choosing for all */
void ike_child_payloads(struct ike_sa *sa, struct ike_build *b,
			struct arena *a, const struct ike_offer *o,
			struct view nonce, const struct spi_dh_key *dh);
/** Choose proposal and selectors for a request; fills choice and offer.
 * @param old  the child SA to be rekeyed, or NULL. */
enum ike_verdict ike_child_choose(struct ike_sa *sa, struct ike_msg *m,
				  enum ike_ke_rule rule,
				  const struct ike_child *old);
/** Check a response against our offer; fills choice, narrows the offer. */
enum ike_verdict ike_child_check(struct ike_sa *sa, struct ike_msg *m,
				 struct ike_offer *o);
void ike_child_answer_payloads(struct ike_sa *sa, struct ike_msg *m,
			       struct ike_build *b, struct view nonce,
			       const struct spi_dh_key *dh);
ike_step_fn ike_step_first_child_choose; /* request */
ike_step_fn ike_step_first_child_take;	/* response */
ike_step_fn ike_step_first_child_none;	/* response without a child SA */

/* refuse.c: errors in IKE_AUTH and CREATE_CHILD_SA responses, 2.21 */
ike_step_fn ike_step_auth_refused;
ike_step_fn ike_step_create_refused;

/* rekey_child.c: CREATE_CHILD_SA for child SAs, 1.3.1, 1.3.3, 2.8 */
bool ike_rekey_child_prepare(struct ike_sa *sa, struct ike_task *t,
			     enum spi_group *group);
bool ike_new_child_prepare(struct ike_sa *sa, struct ike_task *t,
			   enum spi_group *group);
int ike_rekey_child_send(struct ike_sa *sa, struct ike_task *t);
void ike_rekey_child_failed(struct ike_sa *sa, struct ike_task *t,
			    uint16_t notify, const char *why);
void ike_new_child_failed(struct ike_sa *sa, struct ike_task *t,
			  uint16_t notify, const char *why);
/** A request of ours that makes a child SA is under way. */
bool ike_rekey_child_making(const struct ike_sa *sa);
/** The same for a child SA; false when none of ours is met (2.8.1). */
bool ike_rekey_child_meets(struct ike_sa *sa, const struct ike_msg *m);
ike_step_fn ike_step_create_check;	/* request: possible now? 2.25 */
ike_step_fn ike_step_rekey_find;	/* request: which child SA */
ike_step_fn ike_step_child_choose;
ike_step_fn ike_step_child_ke;		/* request: key exchange (waits) */
ike_step_fn ike_step_child_reply;
ike_step_fn ike_step_child_answer;	/* response */
ike_step_fn ike_step_child_derive;	/* response: shared secret (waits) */
ike_step_fn ike_step_child_take;

/** Group for a child SA of ours; NONE when the peer wants none. */
enum spi_group ike_child_group(const struct ike_sa *sa);
/** The peer refused for a reason that another try may overcome; true when there
 * will be one. */
bool ike_child_retry(struct ike_sa *sa, struct ike_task *t, uint16_t notify);

/* lane.c: several child SAs for the same selectors, RFC 9611 */
/** Those of a bundle that are neither replaced nor being deleted. */
unsigned ike_lane_count(const struct ike_sa *sa, uint32_t bundle);
/** The first lane of a bundle that has none. */
uint32_t ike_lane_free(const struct ike_sa *sa, uint32_t bundle);
/** An offer takes the place of old in its bundle. */
void ike_lane_inherit(const struct ike_child *old, struct ike_offer *o);
/** An offer of the first child SA: do we want several? */
void ike_lane_ask(const struct ike_sa *sa, struct ike_offer *o);
/** The notify, when the offer is shared. */
void ike_lane_add(struct ike_build *b, const struct ike_offer *o);
/** The answer to our offer: does the peer want several? */
void ike_lane_answered(const struct ike_msg *m, struct ike_offer *o);
/** A request for one that may be one of several, and may it? */
bool ike_lane_is_asked(const struct ike_sa *sa, const struct ike_msg *m);
/** A request, its selectors chosen: joins it a bundle?  May refuse. */
enum ike_verdict ike_lane_choose(struct ike_sa *sa, struct ike_msg *m,
				 enum ike_ke_rule rule);
/** Make those that are missing, not before in_ms from now. */
void ike_lane_fill(struct ike_sa *sa, uint64_t in_ms);
/** The peer deletes this one: do not make another at once. */
void ike_lane_lost(struct ike_sa *sa, const struct ike_child *c);
/** Has the peer agreed to what the bundle has? */
bool ike_lane_is_equal(const struct ike_sa *sa, const struct ike_offer *o);
/** No more than there are now. */
void ike_lane_enough(struct ike_sa *sa, uint32_t bundle);
bool ike_new_lane_prepare(struct ike_sa *sa, struct ike_task *t,
			  enum spi_group *group);
void ike_new_lane_failed(struct ike_sa *sa, struct ike_task *t,
			 uint16_t notify, const char *why);

/* childless.c: RFC 6023 */
/** Say that we can, when cap bytes suffice. */
void ike_childless_add(struct ike_build *b, size_t cap);
/** Leave the child SA out of our IKE_AUTH? */
bool ike_childless_is_wanted(const struct ike_sa *sa);
/** The peer refused the child SA of IKE_AUTH: true when the next dial goes
 * without. */
bool ike_childless_refused(struct ike_sa *sa, uint16_t notify);
ike_step_fn ike_step_childless;		/* response of IKE_SA_INIT */
ike_step_fn ike_step_childless_asked;	/* response: or it is no answer to ours */
ike_step_fn ike_step_childless_up;	/* response of IKE_AUTH without child */

/* config.c: an address from the gateway, 2.19, 3.15 */
void ike_config_free(struct ike_link *link);
/** The addresses of the client as selectors; false: it has none. */
bool ike_config_hosts(const struct ike_link *link, struct ike_ts_set *out);
/** All addresses, of both families. */
void ike_config_any(struct ike_ts_set *out);
/** Client: CFG_REQUEST into IKE_AUTH, and selectors that fit any address. */
void ike_config_add(struct ike_sa *sa, struct ike_build *b, struct arena *a);
void ike_config_widen(const struct ike_sa *sa, struct ike_offer *o);
/** Client: cut the answer to what we were given.  0 or ERR_TS. */
MUST_USE int ike_config_narrow(const struct ike_sa *sa,
			       const struct ike_tss *answer,
			       const struct ike_offer *o,
			       struct ike_ts_set *local);
/** Gateway: the notify for who should have asked, or 0. */
uint16_t ike_config_missing(const struct ike_sa *sa,
			    const struct ike_ts_set *remote);
/** Gateway: CFG_REPLY into the answer with AUTH. */
void ike_config_reply(struct ike_sa *sa, struct ike_msg *m,
		      struct ike_build *b);
ike_step_fn ike_step_config_asked;	/* request: remember what is asked */
ike_step_fn ike_step_config_lease;	/* request, authenticated: decide */
ike_step_fn ike_step_config_take;	/* response */

/* reauth.c: make before break, 2.8.3 */
/** Shall an SA that is due be replaced by a new one with authentication? */
bool ike_reauth_is_wanted(const struct ike_sa *sa);
void ike_reauth_start(struct ike_sa *sa);
/** New keys do not put it off: due is what was last authenticated too long ago. */
void ike_reauth_keep(struct ike_sa *heir);
/** A child SA of sa stands: end those it was made in place of. */
void ike_reauth_done(struct ike_sa *sa);

/* until.c: how long an authentication holds, RFC 4478 */
/** Responder: the peer may stay so long; 0 = for ever. */
void ike_until_limit(struct ike_sa *sa, uint32_t session_s);
/** ... and is told. */
void ike_until_add(const struct ike_sa *sa, struct ike_build *b);
/** Initiator: what the peer says of it, in the last message of IKE_AUTH or later.
 * False: nothing. */
bool ike_until_take(struct ike_sa *sa, const struct ike_msg *m);
/** New keys change nothing of it. */
void ike_until_inherit(struct ike_sa *heir, const struct ike_sa *old);
bool ike_until_is_over(const struct ike_sa *sa);
/** The timers of an SA that is up, where this makes them earlier. */
void ike_until_arm(struct ike_sa *sa);

/* rekey_ike.c: CREATE_CHILD_SA for the IKE SA, 1.3.2, 2.8.2, 2.18 */
bool ike_rekey_sa_prepare(struct ike_sa *sa, struct ike_task *t,
			  enum spi_group *group);
int ike_rekey_sa_send(struct ike_sa *sa, struct ike_task *t);
void ike_rekey_sa_failed(struct ike_sa *sa, struct ike_task *t,
			 uint16_t notify, const char *why);
/** The SA payload, nonce and KE that answer a rekeying. */
void ike_sa_answer_payloads(const struct ike_sa *heir, struct ike_msg *m,
			    struct ike_build *b);
/** The peer's rekeying meets one of ours: remember its lower nonce, and its
 * heir, if there is one yet (2.8.2). */
void ike_rekey_sa_meets(struct ike_sa *sa, const struct ike_msg *m,
			uint32_t heir);
/** The peer deletes the old SA: who inherits its children? */
void ike_rekey_sa_settle(struct ike_sa *sa);
/** The peer speaks of a child SA on the heir already: it knows that this one
 * stays, and so do we now.  The child SA with its outbound SPI, or NULL. */
struct ike_child *ike_rekey_sa_child(struct ike_sa *sa, uint32_t spi_out);
ike_step_fn ike_step_sa_choose;
ike_step_fn ike_step_sa_ke;		/* (waits) */
ike_step_fn ike_step_sa_reply;
ike_step_fn ike_step_sa_answer;
ike_step_fn ike_step_sa_derive;		/* (waits) */
ike_step_fn ike_step_sa_take;

/* delete.c: INFORMATIONAL with Delete, 1.4.1 */
bool ike_delete_child_prepare(struct ike_sa *sa, struct ike_task *t,
			      enum spi_group *group);
int ike_delete_child_send(struct ike_sa *sa, struct ike_task *t);
void ike_delete_child_failed(struct ike_sa *sa, struct ike_task *t,
			     uint16_t notify, const char *why);
int ike_delete_sa_send(struct ike_sa *sa, struct ike_task *t);
void ike_delete_sa_failed(struct ike_sa *sa, struct ike_task *t,
			  uint16_t notify, const char *why);
/** The peer has deleted a child SA of this task already: that Delete overtook
 *  the answer, which was lost and repeated (1.4.1, 2.1).  Ends made, then. */
void ike_delete_overtook(struct ike_sa *sa, const struct ike_task *t,
			 struct ike_child *made);
/** An IKE SA that lost its last child SA goes too, now or after a while. */
void ike_delete_if_childless(struct ike_sa *sa, const char *why);
ike_step_fn ike_step_info_request;
ike_step_fn ike_step_info_answer;

/* token.c: quick crash detection, RFC 6290 */
/** Both SPIs of an SA are known: have its token made.  It goes out with the next
 * IKE_AUTH message, or in an exchange of its own. */
void ike_token_ask(struct ike_sa *sa);
/** Our token into IKE_AUTH, if it is there. */
void ike_token_add(struct ike_sa *sa, struct ike_build *b);
int ike_token_send(struct ike_sa *sa, struct ike_task *t);
/** Remember the token of the peer for sa; m is authentic. */
void ike_token_take(struct ike_sa *sa, const struct ike_msg *m);
/** An unprotected message for sa: does it prove that the peer lost it?  Then it
 * is gone. */
bool ike_token_proves(struct ike_sa *sa, const struct ike_msg *m);
/** A protected request for an SA that we do not have: answer with its token.
 * False: it needs another answer. */
bool ike_token_stranger(struct ike *ike, const struct ike_msg *m);
void ike_token_answer(struct ike *ike, const struct ike_ans *ans);

/* stray.c: INVALID_SPI without protection, 1.5 */
/** A request outside of any SA: true when it is such a hint (whether of use or
 * not), which is never answered. */
bool ike_stray_hint(struct ike *ike, const struct ike_msg *m,
		    struct view data);

/* size.c: the size of the path, RFC 8899 */
/** Bytes of the largest outer IP packet to the peer, 0 = not known. */
uint32_t ike_size_mtu(const struct ike_sa *sa);
/** The path is new: find out. */
void ike_size_start(struct ike_sa *sa);
/** What is known goes on with the SA that replaces another. */
void ike_size_inherit(struct ike_sa *heir, const struct ike_sa *old);
/** Now and then: is a probe due?  out_ms: when we last sent something. */
void ike_size_tick(struct ike_sa *sa, uint64_t out_ms);
bool ike_size_prepare(struct ike_sa *sa, struct ike_task *t,
		      enum spi_group *key_group);
int ike_size_send(struct ike_sa *sa, struct ike_task *t);
int ike_tell_size_send(struct ike_sa *sa, struct ike_task *t);
/** How long the answer to a probe is waited for. */
uint64_t ike_size_wait_ms(const struct ike_sa *sa);
/** The answer to a probe came. */
void ike_size_answered(struct ike_sa *sa, const struct ike_task *t);
/** What the peer says in its request. */
void ike_size_take(struct ike_sa *sa, const struct ike_msg *m);

/* redirect.c: RFC 5685 */
/** That we may be sent elsewhere, or were, into IKE_SA_INIT. */
void ike_redirect_add(struct ike_sa *sa, struct ike_build *b);
/** Does the peer send us elsewhere, and do we go? */
bool ike_redirect_said(const struct ike_sa *sa, const struct ike_msg *m);
/** INFORMATIONAL request, answered: does it? */
void ike_redirect_take(struct ike_sa *sa, const struct ike_msg *m);
int ike_redirect_send(struct ike_sa *sa, struct ike_task *t);
ike_step_fn ike_step_redirect_init;	/* response IKE_SA_INIT */
ike_step_fn ike_step_redirect_eap;	/* first response IKE_AUTH, no EAP in it */
ike_step_fn ike_step_redirect_auth;	/* response IKE_AUTH, authenticated */

/* away.c: the other end of it */
/** What is in force for an SA; without link: for all realms. */
const struct ike_drain *ike_drain_of(const struct ike *ike,
				     const struct ike_realm *r);
/** Is nobody let in, and none of ours dialled? */
bool ike_drain_shuts(const struct ike *ike, const struct ike_realm *r);
ike_step_fn ike_step_away_init;		/* request IKE_SA_INIT */
ike_step_fn ike_step_away_note;
ike_step_fn ike_step_away_auth;		/* request IKE_AUTH, signed: or it goes on */

/* resume.c: RFC 5723 */
/** The link has no ticket any more; NULL is fine. */
void ike_resume_forget(struct ike_link *link);
/** The peer ended the SA: its ticket is not used any more (6.2). */
void ike_resume_ended(struct ike_sa *sa);
/** A new SA: does it begin with a ticket? */
void ike_resume_begin(struct ike_sa *sa);
/** It ended before anybody answered. */
void ike_resume_back(struct ike_sa *sa);
int ike_resume_send(struct ike_sa *sa);
/** TICKET_REQUEST into IKE_AUTH, and what was given into its answer. */
void ike_resume_ask(struct ike_sa *sa, struct ike_build *b);
void ike_resume_add(const struct ike_msg *m, struct ike_build *b);
ike_step_fn ike_step_resume_new;	/* request */
ike_step_fn ike_step_resume_opened;
ike_step_fn ike_step_resume_reply;
ike_step_fn ike_step_resume_answer;	/* response */
ike_step_fn ike_step_resume_open;
ike_step_fn ike_step_resume_keys;
ike_step_fn ike_step_resume_refused;	/* response that refuses */
ike_step_fn ike_step_resume_give;	/* IKE_AUTH request */
ike_step_fn ike_step_resume_given;
ike_step_fn ike_step_resume_take;	/* IKE_AUTH response */
ike_step_fn ike_step_resume_keep;

/* ways.c: RFC 4555, the pairs of addresses */
/** Is this the end that decides on the path, of an SA that can move? */
bool ike_roam_decides(const struct ike_sa *sa);
/** Addresses of ours that the peer can reach. */
struct ike_addrs ike_roam_own(const struct ike_sa *sa);
/** Pairs to try, the one in use first; returns how many. */
unsigned ike_roam_pairs(const struct ike_sa *sa,
			struct ike_way out[IKE_WAY_MAX]);
/** Are the addresses of a message such a pair? */
bool ike_roam_is_pair(const struct ike_sa *sa, const struct ike_msg *m);
/** The peer's endpoint at another of its addresses. */
struct net_ep ike_roam_at(const struct ike_sa *sa, const struct ip_addr *ip);
/** The SA is up: look after its path. */
void ike_roam_watch(struct ike_sa *sa);
void ike_roam_over(void *sa);		/* its timer */
/** Send a request: where the peer is, or over all pairs while we seek it. */
void ike_roam_send(struct ike_sa *sa, struct view train);
/** How long to wait for the nth transmission of a request to be answered; 0 = as
 * usual. */
uint64_t ike_roam_wait_ms(const struct ike_sa *sa, unsigned n_try);
/** The nth transmission is due: perhaps the path is broken. */
void ike_roam_unanswered(struct ike_sa *sa, unsigned n_try);
/** How long a request may stay unanswered; 0 = as usual. */
uint64_t ike_roam_dead_ms(const struct ike_sa *sa);

/* mobike.c: RFC 4555 */
/** Does this realm want it? */
bool ike_roam_is_wanted(const struct ike_sa *sa);
/** Our part of IKE_AUTH; in an answer only what was asked. */
void ike_roam_add(struct ike_sa *sa, struct ike_build *b);
/** Request IKE_AUTH: false when a NAT is where the peer permits none (3.9). */
bool ike_roam_fits(const struct ike_sa *sa, const struct ike_msg *m);
/** The peer's part of IKE_AUTH, before ike_roam_add() of an answer. */
void ike_roam_begin(struct ike_sa *sa, const struct ike_msg *m);
void ike_roam_inherit(struct ike_sa *heir, const struct ike_sa *old);
/** An authentic answer came, by whichever way. */
void ike_roam_answered(struct ike_sa *sa, const struct ike_msg *m);
/** Authentic ESP came from elsewhere: may that be followed now? */
bool ike_roam_may_follow(const struct ike_sa *sa);
/** Where data go: not where the peer says to be before that is proven. */
void ike_roam_path(const struct ike_sa *sa, struct vpn_path *path, bool *is_natt);
/** INFORMATIONAL request of the peer: what of it is ours, and our part of the
 * answer. */
void ike_roam_take(struct ike_sa *sa, const struct ike_msg *m,
		   struct ike_build *b);
/** Our part of a liveness check. */
void ike_roam_ask_nat(struct ike_sa *sa, struct ike_build *b);
/** The answer to a task of ours, of whatever kind. */
void ike_roam_told(struct ike_sa *sa, const struct ike_task *t,
		   const struct ike_msg *m);
bool ike_roam_prepare(struct ike_sa *sa, struct ike_task *t,
		      enum spi_group *key_group);
int ike_roam_update_send(struct ike_sa *sa, struct ike_task *t);
bool ike_prove_prepare(struct ike_sa *sa, struct ike_task *t,
		       enum spi_group *key_group);
int ike_prove_send(struct ike_sa *sa, struct ike_task *t);
int ike_tell_addrs_send(struct ike_sa *sa, struct ike_task *t);

/* alive.c: liveness, 2.4 */
int ike_alive_send(struct ike_sa *sa, struct ike_task *t);
int ike_ping_send(struct ike_sa *sa, struct ike_task *t);
/* ... and INVALID_SELECTORS, 3.10.1 */
int ike_tell_sel_send(struct ike_sa *sa, struct ike_task *t);

#endif
