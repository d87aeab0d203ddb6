/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/structs.h - the structs of the engine's inside.  What its files do with them
 * is ikev2/engine.h; the face to others is ikev2/ike.h.
 *
 *   struct ike --- realms --- peers
 *        |                      |
 *        +------ links ---------'        as the user sees it
 *        |         |
 *        +------- IKE SAs --- children    as the wire sees it
 *                  |  |
 *                  |  '--- task: the request of ours under way (window 1)
 *                  '------ parked: the peer's message that awaits an answer
 *
 * Thread: the loop, for everything.
 */
#ifndef TAPIR_IKEV2_STRUCTS_H
#define TAPIR_IKEV2_STRUCTS_H

#include "daemon/base/drop.h"
#include "daemon/base/err.h"
#include "daemon/base/list.h"
#include "daemon/base/map.h"
#include "daemon/base/tmr.h"
#include "ikev2/crypt/keymat.h"
#include "ikev2/crypt/protect.h"
#include "ikev2/crypt/puzzle.h"
#include "ikev2/drain.h"
#include "ikev2/gate.h"
#include "ikev2/ike.h"
#include "ikev2/limits.h"
#include "ikev2/neg/place.h"
#include "ikev2/neg/prop.h"
#include "ikev2/neg/redirect.h"
#include "ikev2/neg/ts.h"
#include "ikev2/path.h"
#include "ikev2/pmtu.h"
#include "ikev2/roam.h"
#include "ikev2/stands.h"
#include "ikev2/state.h"
#include "ikev2/wire/cfg.h"
#include "ikev2/wire/rules.h"
#include "ikev2/wire/wire.h"

/* At most n in a second. */
struct ike_rate {
	uint64_t ms;
	unsigned n;
};

/* ---- realms and links ---------------------------------------------------- */

struct ike_realm {
	struct list node;
	struct ike_drain drain;		/* OFF: that of the engine counts */
	struct ike_realm_conf conf;	/* conf.peer points to peer */
	struct ike_peer_conf *peer;
};

/* Whose link it is.  A pattern has many: they differ in the identity. */
struct ike_link_key {
	uint32_t realm, peer;		/* indices of the configuration */
	uint64_t id;			/* hash of the text; 0 = no pattern */
};

struct ike_bytes {
	uint8_t *p;		/* owned */
	size_t len;
};

struct ike_resume;			/* step/step.h */
struct ike_link {
	struct list node;
	struct ike *ike;
	uint32_t id;
	struct ike_link_key key;	/* in by_peer, as long as it lives */
	struct ike_realm *realm;
	const struct ike_peer_conf *peer;
	uint32_t peer_at;		/* its place in realm->peer */
	char id_text[IKE_ID_TEXT_MAX];	/* authenticated, else configured */
	uint8_t peer_method;		/* of its last proof; 0 = none */
	char subject[IKE_ID_TEXT_MAX];	/* of its certificate, or empty */
	uint64_t not_after_s;		/* end of that; 0 = none */
	bool is_on_demand;		/* matched a pattern; see ike_link_reap() */
	bool is_wanted;			/* we dial and keep trying */
	bool is_held;			/* taken down by command */
	bool needs_word;		/* not dialled, see ike_link_ask() */
	enum ike_link_state state;
	unsigned n_ep, at_ep;
	struct net_ep ep[IKE_EP_MAX];
	bool is_resolving;
	/* 2.23: where port 500 is shut, everything goes over port 4500 */
	bool is_natt;			/* dial that one */
	bool is_mute;			/* the last attempt heard nothing at all */
	bool is_turned;			/* the other port was tried before this */
	bool is_single;			/* the peer takes one pair of selectors a
					 * child SA, SINGLE_PAIR_REQUIRED */
	bool needs_childless;		/* the peer refused a child SA in IKE_AUTH */
	struct ike_away away;		/* RFC 5685 */
	struct ike_resume *resume;	/* owned, or NULL; RFC 5723 */
	struct ike_bytes shown;		/* what the peer let itself be known by */
	unsigned n_fail;		/* attempts since it was up */
	enum spi_group group;		/* the peer asked for it; NONE = our first */
	struct tmr dial;
	struct list sas;
	unsigned n_sa;
	uint64_t up_since_ms;
	uint64_t down_since_ms;		/* it was up before; 0 = it is, or never was */
	uint64_t heard_ms;		/* last authentic IKE message of the proven peer */
	uint64_t answer_ms;		/* last answer to a request of ours; 0 = never */
	char why[IKE_WHY_MAX];
	struct ike_trace *trace;	/* owned; NULL = nothing to tell */
	struct vpn_cfg *cfg;		/* owned; what the peer was given, or we by it,
					 * 2.19; NULL = nothing */
};

/* ---- child SAs ----------------------------------------------------------- */

/* What we offered, until the answer is there. */
struct ike_offer {
	uint32_t esp_spi;		/* reserved; 0 = none */
	enum vpn_mode mode;
	enum spi_group group;		/* with KE, or SPI_GROUP_NONE */
	struct ike_ts_set local, remote;
	uint32_t like;			/* inbound SPI of what it replaces */
	/* RFC 9611, step/lane.c */
	bool is_shared;			/* more may have the same selectors */
	uint32_t bundle, lane;		/* bundle 0: it is the first of one */
	enum vpn_alg alg;		/* this and no other; NONE = any */
	bool is_esn;			/* with alg */
};

struct ike_child {
	struct list node;
	struct ike_sa *sa;
	uint32_t id;
	enum ike_child_state state;
	uint32_t spi_in, spi_out;
	enum vpn_alg alg;
	enum vpn_mode mode;
	enum vpn_encap encap;
	bool is_esn, is_initiator;
	bool is_heir;			/* made in place of another */
	bool is_over;			/* deleted on both ends; packets may still come */
	struct ike_ts_set local, remote;
	uint32_t bundle, lane;		/* RFC 9611; bundle 0 = alone */
	uint64_t made_ms;
	struct tmr soft, hard;
	uint8_t sel_head[IKE_SEL_HEAD];	/* of a packet outside of the selectors */
	unsigned n_sel_head;
};

/* What CREATE_CHILD_SA agreed on, while additional key exchanges follow it (RFC
 * 9370 2.2.4).  In secret memory. */
struct ike_follow {
	struct ike_choice choice;
	unsigned at;			/* the next one, in choice.addke */
	uint8_t nonce[IKE_NONCE_MAX];	/* the peer's */
	size_t nonce_len;
	uint8_t first[SPI_DH_CLASSIC_MAX]; /* secret of CREATE_CHILD_SA */
	size_t first_len;
	uint8_t more[IKE_ADDKE_MAX * 32]; /* those of IKE_FOLLOWUP_KE */
	size_t more_len;
	uint8_t link[IKE_FOLLOW_LINK_MAX];
	size_t link_len;
	/* a responder's */
	enum ike_form form;
	uint8_t own_nonce[IKE_NONCE_LEN];
	struct ike_offer offer;
	uint32_t child_id;
	uint32_t heir;			/* handle of the IKE SA to be */
};

/* ---- requests of ours ---------------------------------------------------- */

enum ike_task_type {
	IKE_TASK_INIT,
	IKE_TASK_AUTH,
	IKE_TASK_ALIVE,
	IKE_TASK_PING,		/* the same, and who asked is told */
	IKE_TASK_DEL_CHILD,
	IKE_TASK_DEL_IKE,
	IKE_TASK_REKEY_CHILD,
	IKE_TASK_REKEY_IKE,
	IKE_TASK_NEW_CHILD,
	IKE_TASK_TELL_SEL,
	IKE_TASK_TELL_TOKEN,
	IKE_TASK_NEW_LANE,		/* child_id is the bundle */
	IKE_TASK_SIZE,
	IKE_TASK_TELL_SIZE,
	IKE_TASK_ROAM,
	IKE_TASK_PROVE,
	IKE_TASK_TELL_ADDRS,
	IKE_TASK_REDIRECT
};

struct ike_task {
	struct list node;
	enum ike_task_type type;
	uint32_t child_id;
	uint64_t from_ms;	/* not before */
	bool is_moot;		/* the answer is of no interest any more */
	uint32_t size;		/* SIZE: that of the probe; ROAM, PROVE: the
				 * place they are about */
	uint8_t nonce[IKE_NONCE_LEN];
	uint32_t heir;		/* handle of the IKE SA to be, when rekeying */
	struct spi_dh_key *dh;
	struct ike_follow *follow;	/* NULL = none is under way */
	struct ike_offer offer;
	/* simultaneous rekeying, 2.8.1: the peer replaced the same child SA in
	 * an exchange with this as its lower nonce */
	uint8_t twin_nonce[IKE_NONCE_MAX];
	size_t twin_nonce_len;
	/* SPIs that the peer deleted before its answer told us of them, 1.4.1 */
	uint32_t gone[IKE_GONE_MAX];
	unsigned n_gone;
};

/* ---- IKE SAs ------------------------------------------------------------- */


/* A message before it was sealed, for another cut (RFC 7383 2.5.2).  text is
 * NULL when it is small. */
struct ike_plain {
	struct ike_hdr h;
	uint8_t first;		/* type of the first payload inside */
	uint16_t n_frag;	/* of the last cut; 0 = never cut */
	bool is_old;		/* under the keys before (RFC 9242 3.3.1) */
	uint8_t ps[IKE_PS_KEYS * IKE_PUZZLE_KEY_LEN]; /* in clear before it */
	size_t ps_len;
	uint8_t *text;		/* owned; wiped */
	size_t len;
};

/* RFC 7296 2.1, 2.3: our requests, window of one.  What was sent is a train:
 * one message, or all its fragments back to back. */
struct ike_win_out {
	uint32_t next;		/* id of the next request */
	uint32_t id;		/* of the one under way */
	bool is_busy;
	uint8_t xchg;
	struct ike_bytes pkt;
	struct ike_plain plain;
	unsigned n_try, max_try;
	bool is_probe;			/* may not be cut, until it is repeated */
	uint64_t dead_ms;		/* unanswered until then: dead; 0 = by tries */
	uint64_t wait_ms;
	uint64_t sent_ms;		/* the first time */
	struct tmr tmr;
};
/* The peer's requests, answered in order. */
struct ike_win_in {
	uint32_t next;
	bool has_reply;
	uint8_t req_hash[32];	/* of the request that reply answers, or of
				 * its first fragment */
	struct ike_bytes reply;
	struct ike_plain plain;
	unsigned n_resend;
	uint64_t resend_ms;		/* when the last one went */
};

/* What only the set-up needs; gone once the SA is up. */
struct ike_setup {
	uint8_t ni[IKE_NONCE_MAX], nr[IKE_NONCE_MAX];
	size_t ni_len, nr_len;
	struct ike_bytes own_msg, peer_msg;
	enum spi_group group;
	struct spi_dh_key *dh;
	uint8_t peer_ke[SPI_DH_CLASSIC_MAX];
	size_t peer_ke_len;
	uint8_t cookie[64];
	size_t cookie_len;
	uint8_t ps[IKE_PS_KEYS * IKE_PUZZLE_KEY_LEN]; /* solution that goes with it */
	size_t ps_len;
	uint8_t auth_ps[IKE_PS_KEYS * IKE_PUZZLE_KEY_LEN]; /* of IKE_AUTH, 7.2 */
	size_t auth_ps_len;
	unsigned n_again;
	bool has_natd;			/* the peer sent both kinds, 2.23 */
	struct ip_addr src;		/* counted in by_src */
	unsigned src_weight;		/* as so many; 2 once it was forged */
	bool has_proof;			/* its request came with a cookie */
	unsigned n_forged;		/* IKE_AUTH requests with a wrong ICV */
	uint64_t forged_ms;		/* the last one */
	uint8_t init_key[32];		/* in by_init */
	size_t init_key_len;
	struct ike_offer offer;		/* first child SA */
	bool has_cfg_req;		/* the peer asked for an address, 2.19 */
	struct ike_cfg_req cfg_req;
	struct ike_resume *resume;	/* owned; we come with it */
	bool is_resumed;		/* the peer did */
	bool is_ppk;			/* both ends said USE_PPK, RFC 8784 */
	bool is_ppk_int;		/* both said USE_PPK_INT, RFC 9867 */
	struct ike_keys *ppk_keys;	/* with the PPK, not in use yet; secret */
	bool is_mixed;			/* ... and the keys are mixed with it */
	uint8_t ppk_id[IKE_PPK_ID_MAX];
	size_t ppk_id_len;
	/* additional key exchanges, RFC 9370 */
	unsigned addke_at;		/* the one that is due, in suite.addke */
	unsigned n_inter;		/* exchanges done */
	uint8_t int_auth[2][SPI_HASH_MAX]; /* RFC 9242 3.3.2: initiator's, */
	uint8_t int_auth_all[2 * SPI_HASH_MAX + 4]; /* responder's; all */
	struct list held;		/* fragments that wait for keys */
	unsigned n_held;
	uint8_t id_peer[IKE_ID_BODY_MAX]; /* IDr we expect; may be empty */
	size_t id_peer_len;
	uint32_t peer_hashes;		/* bit n: hash algorithm n, RFC 7427 */
	struct ike_bytes certreq;	/* the peer's, as a list */
	struct ike_bytes auth_ann;	/* the peer's, RFC 9593 */
	/* EAP, 2.16: we log in by it; only AUTH is left; why it fails was told */
	bool is_eap, is_eap_done, is_eap_told;
	bool is_eap_only;		/* the responder may prove itself by EAP, or does */
	bool has_word;			/* the peer has seen what our password makes */
	struct ike_msg *eap_first;	/* responder: the first request; owned */
	/* questions that are put once an IKE SA; bit: enum ike_ask_type */
	uint32_t asked, asking;
};

struct ike_sa {
	struct list node;		/* in ike.sas or ike.dead */
	struct list link_node;		/* in link.sas when link != NULL */
	struct ike *ike;
	struct ike_link *link;
	uint32_t handle;
	uint32_t ask_handle;		/* known to the secure process; 0 = not */
	enum ike_sa_state state;
	bool is_initiator;		/* of this IKE SA */
	bool is_authenticated;		/* set in ike_sa_authenticate() only */
	bool is_suspect;
	bool is_told;			/* link has a better reason than "no answer" */
	bool is_refused;		/* by an answer of the peer */
	bool is_tapir;			/* peer sent our vendor id */
	uint64_t ispi, rspi;
	struct ike_suite suite;
	struct ike_keys *keys;		/* secret memory; NULL = none yet */
	struct ike_keys *old_keys;	/* before the last IKE_INTERMEDIATE */
	bool has_inter;			/* both ends know that exchange */
	uint64_t iv;			/* counter of our direction */
	/* where the peer is */
	struct net_ep local, remote;
	bool is_natt;			/* port 4500 with marker */
	bool is_nat_here, is_nat_there, is_faked;
	enum vpn_encap encap;		/* of its child SAs */
	bool has_frag;			/* both ends know fragments, RFC 7383 */
	uint16_t frag_bytes;		/* datagrams towards the peer, now */
	struct ike_frags *frags[2];	/* a request, a response; NULL = none */
	struct ike_setup *setup;
	struct ike_win_out out;
	struct ike_win_in in;
	struct ike_task *task;		/* under way */
	struct list tasks;		/* waiting */
	unsigned n_task;
	uint64_t task_ticket;		/* job for the task */
	struct ike_msg *parked;
	uint64_t park_ticket;
	bool is_asked;			/* it waits for the secure process */
	struct list children;
	unsigned n_child;
	struct tmr life, soft, alive, again;
	uint64_t made_ms, up_ms, in_ms, out_ms, hint_ms, keep_ms;
	enum spi_group child_group, sa_group; /* for rekeying; NONE = as now */
	unsigned n_ke_again;
	bool had_child;
	bool is_outgoing;		/* another is made in its place, 2.8.3 */
	bool is_succeeded;		/* ... and stands */
	bool is_rest_refused;		/* of the selectors without child SA */
	uint64_t rest_ms;		/* none for them before */
	bool can_childless;		/* the peer said so, RFC 6023 */
	uint64_t own_end_s;		/* of our certificate, Unix time; 0 = none */
	uint64_t end_ms, login_ms;	/* step/until.c; 0 = never */
	bool is_child_plain;		/* the peer wants no key exchange there */
	/* step/size.c */
	struct ike_pmtu pmtu;
	uint32_t peer_size;		/* what the peer told; 0 = nothing */
	uint32_t size_told, size_used;	/* to the peer, by our child SAs */
	uint64_t rtt_ms;		/* of the last request; 0 = not known */
	uint64_t size_ms, size_top_ms;	/* last probe; when more was tried */
	bool can_redirect;		/* the peer follows REDIRECT, RFC 5685 3 */
	struct ip_addr sent_by;		/* ... and was sent here by this gateway */
	bool is_elsewhere;		/* the peer is not where we were to dial */
	struct ike_roam roam;
	struct tmr watch;		/* looks after the path */
	/* RFC 9611 */
	unsigned lane_max;		/* the peer wants no more; 0 = no word yet */
	uint64_t lane_ms, lane_pause_ms; /* none before; how long the last pause was */
	struct ike_follow *follow;	/* the peer's; NULL = none */
	struct tmr follow_tmr;
	/* RFC 6290 */
	bool has_token, is_token_told;	/* ours */
	uint8_t token[IKE_TOKEN_LEN];
	bool has_peer_token;
	uint8_t peer_token[32];		/* its SHA2-256 */
	struct ike_rate tried;		/* of those that came unprotected */
	/* simultaneous rekeying of the IKE SA, 2.8.2 */
	uint32_t twin_handle;		/* SA the peer made in place of it */
	uint8_t twin_nonce[IKE_NONCE_MAX];
	size_t twin_nonce_len;
};

/* ---- a message on its path ----------------------------------------------- */

struct ike_msg {
	struct list node;		/* in setup->held */
	struct ike *ike;
	struct ike_hdr h;
	struct net_ep local, remote;
	bool is_natt;
	uint8_t *buf;			/* owned copy, opened in place */
	size_t len;
	uint8_t hash[32];		/* of the datagram as received */
	struct ike_proof proof;		/* of an IKE_SA_INIT request */
	bool is_opened;			/* ICV was right */
	struct ike_sk frag;		/* numbers of a fragment */
	uint8_t sk_flags;		/* of SK, or of the first fragment */
	struct view text;		/* what was inside */
	uint8_t *whole;			/* text put together; owned, wiped */
	size_t whole_len;
	struct arena arena;
	struct ike_pls clear, inner;
	const struct ike_pls *p;	/* the one that steps read */
	enum ike_form form;
	ike_step_fn *const *path;
	unsigned at;
	/* a step's reason for V_DROP; for V_FAIL the notify */
	enum drop drop;
	uint16_t fail;
	uint8_t fail_data[2];
	size_t fail_len;
	uint8_t fail_spi[4];		/* of ESP; with CHILD_SA_NOT_FOUND */
	size_t fail_spi_len;
	char why[IKE_WHY_MAX];
	/* what steps hand on */
	const struct ike_ans *ans;	/* while ike_answer() runs */
	struct ike_choice choice;
	struct spi_dh_key *dh;
	uint8_t secret[SPI_DH_SECRET_MAX];
	size_t secret_len;
	int job_err;
	struct ike_follow *follow;	/* owned; all of them are done */
	enum spi_group follow_group;
	uint8_t nonce[IKE_NONCE_LEN];	/* ours, of this exchange */
	uint32_t child_id;		/* to be rekeyed */
	struct ike_child *made;
	struct ike_offer offer;		/* a responder's choice */
	struct ike_sa *heir;		/* SA made by an IKE_SA_INIT request */
	struct view own_id, own_auth;	/* in the arena */
	struct view ticket;		/* TICKET_LT_OPAQUE to send, in the arena */
	struct view own_cert, own_certreq; /* lists, in the arena */
	uint8_t own_method;
	struct ike_msg *request;	/* with EAP the first one; owned */
	uint16_t child_fail;		/* notify instead of a first child SA */
};

/* ---- the engine ---------------------------------------------------------- */

struct ike_dh_job;

/* A request for an SA we do not have, until its token is there. */
struct ike_token_wait {
	uint32_t serial;	/* of the question; 0 = free */
	struct ike_hdr h;
	struct net_ep local, remote;
	bool is_natt;
	size_t len;
};

/* How much is asked of strangers, step/cookie.c. */
struct ike_door {
	struct ike_gate *gate;
	struct ike_gate_seat seat;	/* ours */
	struct ike_gate_want want;
	bool is_cookie_on, is_puzzle_on;
	bool is_many;			/* not just because the threshold is 0 */
	uint64_t since_ms;		/* ... since then */
	uint64_t second_ms, n_before;	/* cookies asked for until that second */
	uint64_t rush_ms;		/* the last rush; 0 = there was none */
	struct tmr tmr;			/* while it is not open */
	uint64_t *used;			/* [IKE_USED_MAX] tags of solved cookies */
};

/* Half-open SAs of one source, and of the network it is in. */
struct ike_sources {
	unsigned n_near, n_wide;
};

struct ike {
	struct ike_conf conf;
	struct ike_ops ops;
	uint64_t now_ms;
	struct tmr_set tmr;
	struct list realms, links, sas, dead, jobs;
	struct map *by_spi;	/* our SPI -> struct ike_sa */
	struct map *by_handle;	/* handle -> struct ike_sa */
	struct map *by_link;	/* link id -> struct ike_link */
	struct map *by_peer;	/* struct ike_link_key -> struct ike_link */
	uint8_t id_key[16];	/* of the hash in it */
	struct map *by_child;	/* child id -> struct ike_child */
	struct map *by_init;	/* peer's SPI and endpoint -> half-open SA */
	struct map *by_src;	/* source -> half-open SAs, as a number */
	struct ike_drain drain;
	struct ike_stands stands;	/* stands.c */
	struct ike_own own;	/* addresses we have; empty = not known */
	uint32_t last_handle, last_link, last_child, last_serial;
	unsigned n_sa;
	bool has_ppk;		/* some peer has one, RFC 8784 */
	bool has_idle_link;	/* a link lost its last SA */
	struct ike_stats stats;
	struct ike_stranger *strangers;	/* owned; [IKE_STRANGERS], a ring */
	unsigned n_stranger;
	struct ike_rate stranger_rate;
	struct ike_door door;
	struct ike_rate unprot_rate;	/* of unprotected answers */
	uint64_t refused_ms;	/* the same, of events about refused strangers */
	unsigned refused_n;
	struct ike_rate token_rate, stray_rate, hint_rate;
	struct ike_token_wait token_wait[IKE_TOKENS_WAIT];
	unsigned token_turn, stray_turn;
	void (*key_log)(void *ctx, const char *line);
	void *key_log_ctx;
	uint32_t key_log_link;	/* of this one only; 0 = of all */
	struct ike_bytes certreq;  /* whom we trust: IKE_SA_INIT responses */
	struct ike_bytes auth_ann; /* our methods, RFC 9593 */
	struct ike_msg brief;	/* header and place of a datagram not copied yet */
	uint8_t *tx;		/* IKE_MAX_MSG_BYTES; one message is built at a time */
	uint8_t *train;		/* IKE_TRAIN_MAX; its fragments */
	size_t frag_held;	/* bytes of fragments of peers */
};

#endif
