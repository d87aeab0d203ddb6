/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/engine.h - inside of the engine: what its files offer each other.  The
 * structs are in ikev2/structs.h, the face to others is ikev2/ike.h.
 *
 * Thread: the loop, for everything.
 */
#ifndef TAPIR_IKEV2_ENGINE_H
#define TAPIR_IKEV2_ENGINE_H

#include "ikev2/structs.h"

/* ---- engine.c ------------------------------------------------------------ */

/** Go on with a message until a step ends or parks it. */
void ike_path_run(struct ike *ike, struct ike_sa *sa, struct ike_msg *m);
void ike_msg_free(struct ike_msg *m);
/** Keys are there: go on with the fragments that waited for them. */
void ike_engine_held(struct ike *ike, struct ike_sa *sa);
/** Drop with a reason: for steps, "return ike_drop(m, DROP_IKE_KE)". */
enum ike_verdict ike_drop(struct ike_msg *m, enum drop d);
/** Fail with a notify; why is a sentence for the link. */
enum ike_verdict ike_fail(struct ike_msg *m, uint16_t notify, const char *fmt,
			  ...) PRINTF(3, 4);
/** One 16-bit number as notification data (INVALID_KE_PAYLOAD). */
enum ike_verdict ike_fail16(struct ike_msg *m, uint16_t notify, uint16_t data);
/** Name of a notify in words for people. */
const char *ike_notify_text(uint16_t type, char *buf);

/* ---- out.c: building and sending ----------------------------------------- */

/** The solution of a puzzle that goes in front of the SK payload of what is built
 * next (RFC 8019 7.2.2); its bytes, header included, 0 = none. */
size_t ike_out_ps(const struct ike_sa *sa, struct view *keys);
/** Header of a message, and in front of SK or SKF the solution, if any. */
void ike_out_head(struct wcur *w, const struct ike_hdr *h, struct view ps);
/** Begin the inside of a protected message in ike->tx. */
void ike_out_open(struct ike_sa *sa, struct ike_build *b);
/** Seal what was built.  @param out points into ike->tx. */
MUST_USE int ike_out_seal(struct ike_sa *sa, struct ike_build *b, uint8_t xchg,
			  bool is_response, uint32_t msgid, struct view *out);
/** Seal and send as request: window, retransmission. */
MUST_USE int ike_out_request(struct ike_sa *sa, struct ike_build *b,
			     uint8_t xchg);
/** The same as one datagram that may not be cut: a probe of the path. */
MUST_USE int ike_out_probe(struct ike_sa *sa, struct ike_build *b);
/** Seal and send as the answer to m, kept for repeats. */
MUST_USE int ike_out_reply(struct ike_sa *sa, const struct ike_msg *m,
			   struct ike_build *b);
/** Answer m with m->fail as a protected notify. */
void ike_out_reply_error(struct ike_sa *sa, const struct ike_msg *m);
/** May one more happen in this second? */
bool ike_rate_take(const struct ike *ike, struct ike_rate *r, unsigned most);
/** Answer m with one unprotected notify; no state. */
void ike_out_clear_error(struct ike *ike, const struct ike_msg *m,
			 uint16_t notify, struct view data, bool is_limited);
/** Tell the peer once, without awaiting an answer: Delete or an error. */
void ike_out_bye(struct ike_sa *sa, uint16_t notify);
/** Send a train to where the peer is. */
void ike_out_send(struct ike_sa *sa, struct view train);
/** Send a train (one message, or fragments back to back) as m came. */
void ike_out_back(const struct ike_msg *m, struct view train);

/* ---- window.c ------------------------------------------------------------ */

void ike_win_init(struct ike_sa *sa);
void ike_win_fini(struct ike_sa *sa);
/** Send a train as request and repeat it until ike_win_answered().  A message
 * in sa->out.plain is cut smaller when no answer comes. */
MUST_USE int ike_win_send(struct ike_sa *sa, uint8_t xchg, struct view train);
/** The same for one datagram that may not be cut, until it is repeated. */
MUST_USE int ike_win_probe(struct ike_sa *sa, uint8_t xchg, struct view msg);
/** Replace the request under way (COOKIE, INVALID_KE). */
void ike_win_answered(struct ike_sa *sa);
/** Is this response the one we await? */
bool ike_win_expects(const struct ike_sa *sa, const struct ike_hdr *h);
/** The request under way goes out again now, as if for the first time. */
void ike_win_hurry(struct ike_sa *sa);
/** What to do with a request's id: 0 new; ERR_EXISTS a repeat (answered from
 * the store); ERR_REPLAY drop (reason in *d). */
MUST_USE int ike_win_take(struct ike_sa *sa, const struct ike_msg *m,
			  enum drop *d);
/** The first fragment of the last request again, cut anew and authentic: the
 * answer goes out in fragments no larger (RFC 7383 2.6.1). */
void ike_win_recut(struct ike_sa *sa, const struct ike_msg *m);
/** Keep and send the answer to m; the window moves on. */
MUST_USE int ike_win_reply(struct ike_sa *sa, const struct ike_msg *m,
			   struct view train);

/* ---- job.c: key exchange on other threads -------------------------------- */

enum ike_job_for { IKE_JOB_MSG, IKE_JOB_TASK };
/** Start a job: a new key when *key is NULL, and the secret when peer is not
 * empty.  Takes *key.  The result goes to the parked message or to the task.
 * @return 0 or ERR_NOMEM. */
MUST_USE int ike_job_start(struct ike_sa *sa, enum ike_job_for who,
			   enum spi_group group, struct spi_dh_key **key,
			   struct view peer);
/** Solve a puzzle over s for the parked message; the solution becomes its
 * secret.  0 or ERR_NOMEM. */
MUST_USE int ike_job_puzzle(struct ike_sa *sa, const struct ike_puzzle *puzzle,
			    struct view s);
/** The puzzle of an SA that ends need not be solved any more. */
void ike_job_cancel(struct ike_sa *sa);
void ike_job_free_all(struct ike *ike);

/* ---- sa.c ---------------------------------------------------------------- */

/** A new IKE SA with an SPI of ours.  NULL when memory, random numbers or
 * room are missing. */
struct ike_sa *ike_sa_new(struct ike *ike, bool is_initiator);
/** An endless handle -> SA lookup over those alive. */
struct ike_sa *ike_sa_by_handle(struct ike *ike, uint32_t handle);
struct ike_sa *ike_sa_by_spi(struct ike *ike, uint64_t own_spi);
/** A random SPI that no IKE SA of ours has; 0 on failure. */
uint64_t ike_sa_spi_new(struct ike *ike);
uint64_t ike_sa_own_spi(const struct ike_sa *sa);
/** Join / leave a link. */
void ike_sa_bind(struct ike_sa *sa, struct ike_link *link);
/** The one place that sets is_authenticated: from the secure process's answer,
 * or inherited when an authenticated SA is rekeyed.  0 or ERR_AUTH. */
MUST_USE int ike_sa_authenticate(struct ike_sa *sa, const struct ike_ans *ans,
				 const struct ike_sa *old);
/** The half-open SA is known by the peer's SPI and endpoint. */
MUST_USE int ike_sa_halfopen_add(struct ike_sa *sa, const struct ike_msg *m);
void ike_sa_halfopen_remove(struct ike_sa *sa);
struct ike_sa *ike_sa_by_init(struct ike *ike, const struct ike_msg *m);
struct ike_sources ike_sa_halfopen_of(struct ike *ike,
				      const struct ip_addr *src);
/** A request in a half-open SA was not authentic: remember it against its
 * source. */
void ike_sa_forged(struct ike_sa *sa);
/** Were there so many that another may not be looked at now? */
bool ike_sa_is_pestered(const struct ike_sa *sa);
/** Free what only the set-up needed. */
void ike_sa_setup_free(struct ike_sa *sa);
/** Authenticated and answered: timers for life, liveness, rekeying. */
void ike_sa_up(struct ike_sa *sa);
/** End at once: children down, keys wiped, memory given back soon.  why may be
 * NULL; the link is told. */
void ike_sa_kill(struct ike_sa *sa, const char *why);
/** As kill, but the last answer stays repeatable for a while. */
void ike_sa_close(struct ike_sa *sa, const char *why);
/** Ask the peer to delete it, children down at once. */
void ike_sa_delete(struct ike_sa *sa, const char *why);
/** The peer moved (authenticated message); 2.23. */
void ike_sa_moved(struct ike_sa *sa, const struct net_ep *local,
		  const struct net_ep *remote, bool is_natt);
/** The path to the peer is another: data go there, its size is looked for, and
 * core is told where the peer is now.  was: its endpoint before. */
void ike_sa_placed(struct ike_sa *sa, const struct net_ep *was);
/** When anything was heard from and sent to the peer, ESP included. */
void ike_sa_traffic(struct ike_sa *sa, uint64_t *in_ms, uint64_t *out_ms);
/** Release what was killed. */
void ike_reap(struct ike *ike);
/** Debug builds: check what must hold. */
void ike_sa_check(const struct ike_sa *sa);
/** A sign without proof that the peer lost an SA: ask it, but not often. */
void ike_sa_hint(struct ike_sa *sa);
/** A request of ours got no answer. */
void ike_sa_timeout(struct ike_sa *sa);
void ike_sa_dir(const struct ike_sa *sa, bool is_out, struct ike_dir *d);
/** The same with other keys than the SA's present ones. */
void ike_sa_dir_of(const struct ike_sa *sa, const struct ike_keys *k,
		   bool is_out, struct ike_dir *d);
/** Write key lines (tests only). */
void ike_key_log_sa(const struct ike_sa *sa);
void ike_key_log_child(const struct ike_sa *sa, const struct ike_child *c,
		       const struct vpn_keys *in, const struct vpn_keys *out);

/* ---- task.c -------------------------------------------------------------- */

/* As child_id of IKE_TASK_DEL_IKE: pointless once there is a child SA. */
#define IKE_DEL_IF_CHILDLESS UINT32_MAX
/** Queue a request; the same one twice is one. */
void ike_task_add(struct ike_sa *sa, enum ike_task_type type, uint32_t child_id);
/** As ike_task_add, not before in_ms from now. */
void ike_task_add_later(struct ike_sa *sa, enum ike_task_type type,
			uint32_t child_id, uint64_t in_ms);
/** As ike_task_add, before all others that wait. */
void ike_task_add_first(struct ike_sa *sa, enum ike_task_type type);
/** Start the next request when nothing is under way. */
void ike_task_pump(struct ike_sa *sa);
/** The task under way is over. */
void ike_task_end(struct ike_sa *sa);
void ike_task_free(struct ike_sa *sa, struct ike_task *t);
/** Its job is done: go on to send. */
void ike_task_job(struct ike_sa *sa, int err);
/** Its answer failed: notify, or 0. */
void ike_task_failed(struct ike_sa *sa, uint16_t notify, const char *why);

/* ---- child.c ------------------------------------------------------------- */

struct ike_child *ike_child_by_id(struct ike *ike, uint32_t id);
struct ike_child *ike_child_by_out(struct ike_sa *sa, uint32_t spi_out);

/** The newest one, used for output; NULL for none. */
struct ike_child *ike_child_current(const struct ike_sa *sa);
/* Everything a new child SA is made of. */
struct ike_child_make {
	const struct ike_offer *offer;	/* what was agreed, SPI of ours */
	const struct ike_choice *choice;
	struct ike_keymat_in in;
	bool is_initiator;		/* of the exchange */
};
/** Derive keys and install.  The reserved SPI belongs to the child on success.
 * @return 0 or what child_up said. */
MUST_USE int ike_child_new(struct ike_sa *sa, const struct ike_child_make *mk,
			   struct ike_child **out);
/** Take it down and forget it; gives the SPI back. */
void ike_child_kill(struct ike_child *c);
/** It has served: send no more on it now, and delete it when what is on the way
 * has arrived. */
void ike_child_retire(struct ike_child *c);
/** The peer knows that it is gone: receive a little longer, then kill it.  At
 * once when it is the last. */
void ike_child_over(struct ike_child *c);
/** Move all children to the SA that replaces theirs. */
void ike_child_inherit(struct ike_sa *from, struct ike_sa *to);
/** What the configuration permits on a link: its peer's own selectors, else
 * those of the realm. */
void ike_link_ts(const struct ike_link *l, struct ike_ts_set *local,
		 struct ike_ts_set *remote);
/** Selectors to offer or permit; ERR_CONF with a sentence in why. */
MUST_USE int ike_child_offer(struct ike_sa *sa, struct ike_offer *o, char *why);
/** Is a pair of configured selectors without any child SA, and should we make
 * one?  Then o offers it. */
bool ike_child_rest(struct ike_sa *sa, struct ike_offer *o);
/** Make child SAs for such pairs. */
void ike_child_fill(struct ike_sa *sa);
/** Reserve an SPI for o; released by ike_offer_drop() if unused. */
MUST_USE int ike_offer_spi(struct ike_sa *sa, struct ike_offer *o);
void ike_offer_drop(struct ike *ike, struct ike_offer *o);
/** Tell esp that the outer path changed. */
void ike_child_path(struct ike_child *c);

/* ---- link.c -------------------------------------------------------------- */

/* look.c: count what took ms. */
void ike_hist_add(struct ike_hist *h, uint64_t ms);

struct ike_realm *ike_realm_by_index(struct ike *ike, uint32_t index);
struct ike_link *ike_link_by_id(struct ike *ike, uint32_t id);
struct ike_link *ike_link_of_peer(struct ike *ike, uint32_t realm,
				  uint32_t peer, const char *id_text);
MUST_USE int ike_link_new(struct ike *ike, struct ike_realm *realm,
			  const struct ike_peer_conf *peer, const char *id_text,
			  struct ike_link **out);
void ike_link_free(struct ike_link *link);
/** Free the links made on demand that have no SA left. */
void ike_link_reap(struct ike *ike);
/** Why it is not up. */
void ike_link_why(struct ike_link *link, const char *fmt, ...) PRINTF(2, 3);
/** Recompute the state from the SAs, tell core, dial again when wanted. */
void ike_link_update(struct ike_link *link);
/** An authentic message came; of a peer that proved itself it is noted. */
void ike_link_heard(const struct ike_sa *sa, bool is_answer);
/** The port to dial. */
uint16_t ike_link_port(const struct ike_link *link);
/** Start to dial now unless something is under way. */
void ike_link_dial(struct ike_link *link);
/** The attempt under way fails, and a person has to type a password first. */
void ike_link_ask(struct ike_link *link);
/** An attempt failed before authentication: next address, back-off. */
void ike_link_failed(struct ike_link *link);
/** The SA that carries the link, or NULL. */
struct ike_sa *ike_link_sa(const struct ike_link *link);
/** The SA that carries a link, which must be up: for a command about it.  0,
 * ERR_NOTFOUND or ERR_STATE. */
MUST_USE int ike_link_up_sa(struct ike *ike, uint32_t link_id,
			    struct ike_sa **out);
/** The links of a peer with one identity; a pattern has none yet.  0 or
 * ERR_NOMEM. */
MUST_USE int ike_link_make(struct ike *ike, struct ike_realm *r, uint32_t at);
bool ike_link_is_busy(const struct ike_link *link);

#endif
