/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/ike.h - the face of the IKEv2 engine (RFC 7296).
 *
 * The engine is pure: bytes, answers and time go in; datagrams, questions and
 * child SA descriptions come out through struct ike_ops, which daemon/core (or
 * the simulator) fills.  It makes no system call.
 *
 *   datagram  -> ike_input()   -> ops.send / ops.ask / ops.job / ops.child_up
 *   answer    -> ike_answer()  -> the parked message goes on where it stood
 *   job done  -> ike_job_done()-> likewise
 *   time      -> ike_tick()    -> retransmissions, liveness, rekeying
 *
 * Nouns.  A *link* is one peer of one realm as the user sees it: it exists for
 * every configured peer with an exact identity, and for each connected peer
 * that matched a pattern.  It outlives IKE SAs, keeps its id over rekeying and
 * re-establishment, and is what status, hub port and commands refer to.
 *
 * Thread: the loop, for every function.  No callback of ops may call back into
 * the engine; ops.ask and ops.job are answered later, never from inside.
 */
#ifndef TAPIR_IKEV2_IKE_H
#define TAPIR_IKEV2_IKE_H

#include <stdatomic.h>

#include "daemon/base/addr.h"
#include "daemon/base/base.h"
#include "daemon/base/vpn.h"
#include "ikev2/gate.h"

struct ike;
struct bus;
struct ike_cfg_req;	/* ikev2/wire/cfg.h */
struct vpn_cfg;		/* daemon/base/vpn_cfg.h */

#define IKE_ID_TEXT_MAX   256	/* identity as text; ours */
#define IKE_NAME_MAX      64	/* realm and peer names; ours */
#define IKE_ID_BODY_MAX   260	/* type, 3 reserved, data; ours */
#define IKE_SUITE_LEN	  16	/* a suite in a ticket */
#define IKE_TICKET_MAX	  512	/* bytes of a ticket of ours, or sealed for us */
#define IKE_INIT_MSG_MAX  16384	/* IKE_SA_INIT message kept for AUTH; ours */
#define IKE_NONCE_MAX     256	/* RFC 7296 2.10 */
#define IKE_PRF_MAX       64	/* output of PRF_HMAC_SHA2_512 */
#define IKE_AUTH_DATA_MAX 2048	/* AUTH data, RSA of 8192 bits; ours */
#define IKE_EP_MAX        8	/* addresses of one peer that are tried; ours */
#define IKE_PPK_NAME_MAX  128	/* name of a PPK */
#define IKE_METHOD_EAP    255	/* of how a peer proved itself; ours */
#define IKE_WHY_MAX       160	/* sentence why a link is not up */

/* ---- what the engine is told ------------------------------------------------ */

struct ike_peer_conf {
	uint32_t index;			/* in the realm; given back in asks */
	char name[IKE_NAME_MAX];	/* as users call it */
	char id[IKE_ID_TEXT_MAX];	/* text; may be a pattern ("*...") */
	bool is_pattern;		/* many peers may match: links made on demand */
	bool has_ppk;			/* it must be used, RFC 8784 or 9867 */
	char ppk[IKE_PPK_NAME_MAX];	/* its name */
	bool is_removed;		/* the engine's own: false */
	bool has_at;			/* an address or name to dial is known */
	bool is_dial;			/* we initiate, and keep trying */
	bool is_client;			/* it gives us our address, RFC 7296 2.19:
					 * in IP mode ts_local is not looked at */
	bool may_redirect;		/* it may send us to another gateway, which
					 * has to prove the same identity, RFC 5685 */
	enum vpn_mode mode;
	enum vpn_encap encap;
	/* RFC 9611: several child SAs for the same selectors */
	bool may_share;			/* the peer may make them */
	unsigned n_lane;		/* how many we want; below 2 we do not ask */
	/* selectors of its own; both 0 = those of the realm */
	unsigned n_ts_local, n_ts_remote;
	struct vpn_ts ts_local[VPN_TS_MAX];
	struct vpn_ts ts_remote[VPN_TS_MAX];
};

struct ike_realm_conf {
	uint32_t index;
	char name[IKE_NAME_MAX];
	enum vpn_suite suite;
	enum vpn_prefer prefer;		/* of ESP */
	uint32_t dpd_s;			/* silence before a liveness check */
	uint32_t dead_s;		/* an established peer that leaves a
					 * request unanswered so long is dead;
					 * 0 = after a few transmissions */
	uint32_t child_life_s;		/* hard; soft is jittered below it */
	uint64_t child_bytes, child_packets; /* the same; 0 = none */
	uint32_t ike_life_s;
	bool is_reauth;			/* who dials authenticates anew, instead of
					 * rekeying the IKE SA */
	bool is_childless;		/* no child SA in our IKE_AUTH, RFC 6023 */
	bool has_pool;			/* peers are given addresses.  Who asks for one
					 * has it as its only selector; who does not
					 * needs ts_remote */
	bool is_mobike;			/* either end may move, RFC 4555 */
	bool is_resume;			/* tickets are given and used, RFC 5723 */
	unsigned n_ts_local, n_ts_remote; /* IP mode; 0 = not configured */
	struct vpn_ts ts_local[VPN_TS_MAX];
	struct vpn_ts ts_remote[VPN_TS_MAX];
	unsigned n_peer;
	const struct ike_peer_conf *peer; /* borrowed during the call */
};

struct ike_conf {
	uint16_t port, natt_port;	/* 500 and 4500 */
	uint32_t cookie_threshold;	/* half-open SAs before cookies are asked */
	uint32_t puzzle_threshold;	/* ... before puzzles are set; 0 = never */
	uint8_t puzzle_bits;		/* zero bits of one at first, at most 22; 0 =
					 * as many as the initiator likes */
	uint32_t max_halfopen;
	uint32_t kems;			/* additional key exchanges that we can
					 * do: bits 1 << enum spi_group */
	uint16_t frag_bytes;		/* IP datagrams of IKE are no larger where
					 * the peer knows fragments; 0 = never cut */
	bool can_raw_esp;		/* a raw ESP socket exists */
	bool has_qcd;			/* make and take QCD tokens, RFC 6290 */
	bool has_ppk_int;		/* PPKs are mixed in IKE_INTERMEDIATE with
					 * those who can, RFC 9867 */
};

/* ---- questions to the secure process ---------------------------------------- */

enum ike_ask_type {
	IKE_ASK_SIGN,	/* make our ID payload(s) and AUTH */
	IKE_ASK_VERIFY,	/* check the peer's AUTH; as responder also finds the realm */
	IKE_ASK_PPK,	/* mix a PPK into keys; before the others */
	IKE_ASK_EAP,	/* an EAP message of the peer: what comes next? */
	IKE_ASK_EAP_SIGN, /* our AUTH by the key that EAP made, RFC 7296 2.16 */
	IKE_ASK_EAP_VERIFY, /* ... and the peer's */
	IKE_ASK_SEAL,	/* a ticket for an authenticated SA, RFC 5723 */
	IKE_ASK_OPEN,	/* keys by a ticket; before the others */
	IKE_ASK_STANDS,	/* would a peer be let in by what it showed then? */
	IKE_ASK_TOKEN,	/* the QCD token of a pair of SPIs, RFC 6290 */
	IKE_ASK_CLOSE	/* forget this handle; no answer */
};

/* prf ids of a question, ours (not wire numbers) */
enum ike_prf { IKE_PRF_NONE, IKE_PRF_SHA256, IKE_PRF_SHA384, IKE_PRF_SHA512 };

/*
 * All views are borrowed during ops.ask().  The order for an initiator is
 * SIGN, VERIFY; for a responder VERIFY (decides the realm), SIGN.  One of each
 * per handle (SECURITY-CHECKLIST A4).
 *
 * With EAP a responder's VERIFY says so, and the answer to an initiator's SIGN has
 * method 0: send no AUTH.  Then EAP, as often as it takes; then an initiator
 * EAP_SIGN, EAP_VERIFY, a responder EAP_VERIFY (which says who it is now),
 * EAP_SIGN.
 */
struct ike_ask {
	enum ike_ask_type type;
	uint64_t ticket;	/* comes back in the answer */
	uint32_t handle;	/* IKE SA handle: unique, not reused soon, never 0;
				 * 0 for STANDS, and for TOKEN where it is not about
				 * an SA of ours */
	bool is_initiator;	/* our role in IKE_SA_INIT */
	uint32_t realm, peer;	/* initiator: which; responder: UINT32_MAX */
	enum ike_prf prf;
	struct view init_msg;	/* SIGN: our IKE_SA_INIT message; VERIFY: the peer's */
	struct view nonce;	/* SIGN: the peer's nonce; VERIFY: ours */
	struct view sk_p;	/* SIGN: our SK_p; VERIFY: the peer's */
	/* lists: payload bodies, each with its length (16 bits) in front */
	uint32_t peer_hashes;	/* SIGN: bit n = hash n of RFC 7427 7 */
	struct view certreq;	/* SIGN: list of the peer's CERTREQ payloads */
	struct view auth_ann;	/* SIGN: its SUPPORTED_AUTH_METHODS, RFC 9593 */
	struct view cert;	/* VERIFY: list of the peer's CERT payloads */
	struct view id_peer;	/* VERIFY: body of the peer's ID payload */
	struct view id_own;	/* VERIFY as responder: body of IDr if sent, or empty */
	bool by_eap;		/* VERIFY as responder: there is no AUTH, it wants
				 * to log in by EAP */
	bool eap_only;		/* VERIFY as responder: the peer does without our AUTH,
				 * if we want, RFC 5998 */
	uint8_t method;		/* VERIFY: auth method number, RFC 7296 3.8 */
	struct view auth;	/* VERIFY: auth data */
	struct view eap;	/* EAP: a message as it came; a responder's first
				 * question has none */
	struct view from;	/* EAP: where the peer is, as text: for limits */
	struct view int_auth;	/* IntAuth of RFC 9242 3.3.2, or empty */
	/* PPK in IKE_AUTH, RFC 8784; with id_peer and id_own as responder */
	struct view ppk_id;	/* responder: PPK_IDENTITY of the peer */
	struct view sk_d, sk_pi, sk_pr; /* as derived */
	uint64_t ispi, rspi;	/* TOKEN */
	/* SEAL: sk_d and prf; OPEN: ispi */
	uint8_t suite[IKE_SUITE_LEN]; /* SEAL */
	uint32_t life_s;	/* SEAL: at most */
	struct view sealed;	/* OPEN */
	struct view ni, nr;	/* OPEN */
	struct view shown;	/* STANDS: of VERIFY or EAP_VERIFY then */
	/* PPK in IKE_INTERMEDIATE, RFC 9867; of the keys sk_d alone */
	bool is_ppk_int;
	struct view ppk_seed;	/* Ni | Nr | SPIi | SPIr */
	struct view ppk_offers;	/* responder: list of PPK_IDENTITY_KEYs, each
				 * with its length (16 bits) in front */
};

/* What came of an EAP message. */
enum ike_eap_end {
	IKE_EAP_MORE,	/* send the answer, another one comes */
	IKE_EAP_OK,	/* proved; a responder sends the answer (Success) */
	IKE_EAP_NO	/* refused; why says why; a responder sends the answer
			 * (Failure) */
};

/* Views are borrowed during ike_answer(). */
struct ike_ans {
	uint64_t ticket;
	uint32_t handle;
	int err;		/* 0; ERR_AUTH: wrong credentials; ERR_NOTFOUND: no
				 * realm for these identities; ERR_PASSWORD: a person
				 * has to type one; other: our trouble */
	char why[IKE_WHY_MAX];	/* err != 0: a sentence, without secrets */
	/* SIGN */
	struct view id_own;	/* ID payload body to send as ours */
	struct view id_peer;	/* initiator: ID payload body to expect (IDr), or empty */
	uint8_t method;
	struct view auth;
	struct view cert;	/* list of CERT payloads to send */
	bool eap_only;		/* RFC 5998: initiator: say that EAP may do without the
				 * gateway's AUTH; responder: send none */
	struct view certreq;	/* initiator: list of CERTREQ payloads to send */
	/* VERIFY */
	uint32_t realm, peer;
	char id_text[IKE_ID_TEXT_MAX]; /* authenticated identity of the peer */
	char subject[IKE_ID_TEXT_MAX]; /* of its certificate, or empty */
	uint64_t not_after_s;	/* end of its certificate, or of ours with what we
				 * signed, Unix time; 0 = none */
	uint32_t session_s;	/* how long the peer may stay; 0 = for ever */
	struct view shown;	/* VERIFY, EAP_VERIFY: for STANDS; may be empty */
	bool is_stands;		/* STANDS; handle is 0.  ERR_AUTH or ERR_NOTFOUND: no
				 * longer; any other error: nobody can tell */
	/* EAP */
	enum ike_eap_end eap_end;
	struct view eap;	/* message to send; empty with an initiator's OK;
				 * with MORE and a why it will be refused */
	bool has_word;		/* initiator: our password was used for it */
	/* PPK */
	struct view ppk_id;	/* to send as PPK_IDENTITY */
	struct view sk_d, sk_pi, sk_pr; /* RFC 9867: sk_d is SKEYSEED' */
	struct view ppk_confirm; /* RFC 9867, initiator: 8 bytes to send */
	bool is_ppk_required;	/* err != 0: the peer is configured to use one */
	struct view token;	/* TOKEN; handle is 0 */
	struct view sealed;	/* SEAL */
	uint32_t life_s;	/* SEAL */
	uint8_t suite[IKE_SUITE_LEN]; /* OPEN: what was sealed */
	struct view seed;	/* OPEN: SKEYSEED */
};

/* ---- work for other threads --------------------------------------------------- */

/* Owned by the engine until handed to ops.job, and again after ike_job_done(). */
struct ike_job {
	void (*run)(struct ike_job *job);  /* on any thread; touches only the job */
	uint64_t ticket;
	bool is_slow;		/* takes seconds: no other job waits behind it, and
				 * it goes behind everything else on the CPU */
	bool is_stranger;	/* the first for somebody: others go before it */
	/* Set before run(): do nothing, and fail.  For what comes when too much
	 * waits already; or, of a slow one, while it runs, at the end. */
	atomic_bool is_refused;
};

/* ---- what the engine demands -------------------------------------------------- */

struct ike_ops {
	void *ctx;
	/** Send an IKE message.  natt: from port 4500 with the non-ESP marker,
	 * which core writes.  data is borrowed.  Errors are core's to count. */
	void (*send)(void *ctx, const struct net_ep *local,
		     const struct net_ep *remote, bool natt, struct view data);
	/** The same, but the datagram may not be cut on its way, whatever the kernel
	 * believes of it.  0, or ERR_LONG: it is larger than the interface.  May
	 * be NULL: then sizes are not probed. */
	int (*send_whole)(void *ctx, const struct net_ep *local,
			  const struct net_ep *remote, bool natt,
			  struct view data);
	/** Bytes of the largest IP packet towards remote that the kernel knows of;
	 * 0 = it does not know.  May be NULL. */
	uint32_t (*path_mtu)(void *ctx, const struct ip_addr *remote);
	/** Send the one byte 0xff from port 4500, so that a NAT in front of us
	 * keeps its mapping (RFC 3948 2.3). */
	void (*keepalive)(void *ctx, const struct net_ep *local,
			  const struct net_ep *remote);
	/** Address the kernel would use towards remote; family 0 when no route. */
	struct ip_addr (*local_addr)(void *ctx, const struct ip_addr *remote);
	/** Ask the secure process; 0 or ERR_AGAIN / ERR_CLOSED (then no answer). */
	int (*ask)(void *ctx, const struct ike_ask *ask);
	/** Run job->run on some thread, then call ike_job_done() from the loop. */
	void (*job)(void *ctx, struct ike_job *job);
	/** Reserve / give back an inbound ESP SPI (>= 256, unique).  like: that
	 * of the child it will replace, whose worker it keeps; 0 = none. */
	int (*spi_alloc)(void *ctx, uint32_t realm, uint32_t link,
			 uint32_t like, uint32_t *esp_spi);
	void (*spi_free)(void *ctx, uint32_t esp_spi);
	/** Install a pair of ESP SAs; the newest is used for output.  0 or an
	 * error, after which the engine gives the child up. */
	int (*child_up)(void *ctx, uint32_t link, const struct vpn_child *child);
	/** Send no more on a pair, go on receiving: it will be removed soon. */
	void (*child_retire)(void *ctx, uint32_t child_id);
	/** Remove a pair; the keys are wiped when every worker let go. */
	void (*child_down)(void *ctx, uint32_t link, uint32_t child_id);
	/** The outer path of a child changed (NAT moved, port 4500, its size). */
	void (*child_path)(void *ctx, uint32_t child_id, const struct vpn_path *path);
	/** clk_ms() of the last authenticated inbound packet and the last
	 * outbound packet of a child; 0 = never. */
	void (*traffic)(void *ctx, uint32_t child_id, uint64_t *in_ms,
			uint64_t *out_ms);
	/** Resolve the peer's name (again); answered by ike_peer_at().  Not
	 * called for peers without a name or address. */
	void (*resolve)(void *ctx, uint32_t realm, uint32_t peer);
	/** Look up the name of a gateway that the peer sends us to; answered by
	 * ike_gateway_at().  May be NULL: then only addresses are followed. */
	void (*resolve_gateway)(void *ctx, uint32_t realm, uint32_t peer,
				const char *name);
	/** A responder refused who called itself id (escaped text); why is a
	 * sentence.  Bounded in rate; there is no link. */
	void (*auth_refused)(void *ctx, const struct net_ep *remote,
			     const char *id, const char *why);
	/** How much is asked of strangers from now on (ike_gate_set() was called).
	 * is_many: because they are many; else the configuration wants it of
	 * every one.  May be NULL. */
	void (*gate)(void *ctx, enum ike_gate_level level, bool is_many);
	/** An ike_ping(): n_try 0 = the request is out now, else it was answered
	 * after so many transmissions.  May be NULL. */
	void (*ping)(void *ctx, uint32_t link, unsigned n_try);
	/** A peer that has proved itself asks for an address.  It keeps what it
	 * gets until its link goes down.  out is zero; why: IKE_WHY_MAX bytes for
	 * a sentence.  0; ERR_NOTFOUND: there are none of the families asked for;
	 * ERR_FULL: none is left.  May be NULL, where no realm has_pool. */
	int (*lease)(void *ctx, uint32_t link, const struct ike_cfg_req *req,
		     struct vpn_cfg *out, char *why);
	/** The peer of a link that is_client hands us this; it holds until the link
	 * is down, or is told anew.  May be NULL. */
	void (*configured)(void *ctx, uint32_t link, const struct vpn_cfg *cfg);
	/** A link came, went, changed state.  what: see enum below. */
	void (*link_event)(void *ctx, uint32_t link, int what, const char *why);
};

enum ike_link_event {
	IKE_LINK_CONNECTING,	/* dialling */
	IKE_LINK_UP,		/* IKE SA and child SA stand */
	IKE_LINK_SUSPECT,	/* a liveness check is not answered yet */
	IKE_LINK_DOWN,		/* not connected; why says the reason */
	IKE_LINK_REKEYED,	/* an SA was replaced; why is "child" or "ike" */
	IKE_LINK_AUTH_FAILED,	/* why says which side refused */
	IKE_LINK_GONE,		/* a link made on demand is forgotten */
	IKE_LINK_ALIVE,		/* up again after IKE_LINK_SUSPECT */
	IKE_LINK_MOVED,		/* its outer address; why is the one before */
	IKE_LINK_ROAMED,	/* our outer address; why is the one before */
	IKE_LINK_SENT,		/* to another gateway; why is that */
	IKE_LINK_EXPELLED,	/* it would not be let in any more; its SAs end */
	IKE_LINK_ASKS		/* a person has to type a password; why says whose */
};

/* ---- functions ------------------------------------------------------------------ */

/** @param ops copied.  @param now_ms the time of the first tick.
 * 0, ERR_NOMEM or ERR_RANDOM. */
MUST_USE int ike_new(struct ike **out, const struct ike_conf *conf,
		     const struct ike_ops *ops, uint64_t now_ms);
/** Forget everything without a word to anybody; wipes all keys. */
void ike_free(struct ike *ike);
/** Hand out keys, for tests that let Wireshark look inside: lines
 * "ikev2_decryption_table: ..." and "esp_sa: ...", each after the colon in the
 * form of the file of that name.  NULL stops it. */
void ike_set_key_log(struct ike *ike, void (*fn)(void *ctx, const char *line),
		     void *ctx);
/** Hand out those of one link only; 0 = of all.  And those that stand now: of IKE
 * SAs; a child SA has none until it is rekeyed. */
void ike_key_log_link(struct ike *ike, uint32_t link);
bool ike_has_key_log(const struct ike *ike);

/** Add a realm and its peers; dialling starts at the next tick.  realm is
 * copied.  0, ERR_NOMEM or ERR_EXISTS. */
MUST_USE int ike_realm_add(struct ike *ike, const struct ike_realm_conf *realm);
/* While it runs (reconf.c).  What changes in place counts from the next
 * negotiation on; SAs that stand are left alone. */
/** Add a peer.  peer->index is not looked at: *index is the place it got.
 * 0, ERR_NOTFOUND (no such realm) or ERR_NOMEM. */
MUST_USE int ike_peer_add(struct ike *ike, uint32_t realm,
			  const struct ike_peer_conf *peer, uint32_t *index,
			  uint64_t now_ms);
/** Change a peer in place.  0, ERR_NOTFOUND, or ERR_STATE when it would become
 * a pattern, or would not be one any more. */
MUST_USE int ike_peer_set(struct ike *ike, uint32_t realm,
			  const struct ike_peer_conf *peer, uint64_t now_ms);
/** Delete the SAs of a peer, tell it, and forget it.  why: a sentence for its
 * last event.  0 or ERR_NOTFOUND. */
MUST_USE int ike_peer_remove(struct ike *ike, uint32_t realm, uint32_t index,
			     const char *why, uint64_t now_ms);
/** Change what concerns a realm as a whole; its peers (n_peer, peer) are not
 * looked at.  0 or ERR_NOTFOUND. */
MUST_USE int ike_realm_set(struct ike *ike, const struct ike_realm_conf *realm);
/** The same as ike_peer_remove() with all peers of a realm, and it. */
MUST_USE int ike_realm_remove(struct ike *ike, uint32_t index, const char *why,
			      uint64_t now_ms);
/** Passwords may have changed: dial the links that wait for one.  Thread: the loop. */
void ike_words_new(struct ike *ike, uint64_t now_ms);
/** Change thresholds and bounds of half-open SAs; no more of conf counts. */
void ike_limits_set(struct ike *ike, const struct ike_conf *conf);

/** Addresses of a peer to dial, in order of preference (answers ops.resolve and
 * given at start for literal addresses).  n = 0: the name does not resolve. */
void ike_peer_at(struct ike *ike, uint32_t realm, uint32_t peer,
		 const struct net_ep *ep, unsigned n);

/** Addresses of the gateway that ops.resolve_gateway() was asked for; n = 0: none. */
void ike_gateway_at(struct ike *ike, uint32_t realm, uint32_t peer,
		    const struct ip_addr *ip, unsigned n, uint64_t now_ms);

/** The addresses that this machine has now.  At the start, and whenever they or
 * routes changed: SAs that can move do (RFC 4555).  Copied; more than IKE_OWN_MAX of
 * neg/place.h are left out.  n = 0: there is no net at present.
 * @param n_out  the first so many are of use to reach others; the rest (loopback, a
 *               tunnel of ours) is only used where the peer began. */
void ike_own_addrs(struct ike *ike, const struct ip_addr *ip, unsigned n_out,
		   unsigned n, uint64_t now_ms);

/** What a responder asks strangers for: a list of CERTREQ payloads and the data
 * of SUPPORTED_AUTH_METHODS (RFC 9593), both copied; empty = ask nothing.
 * 0, ERR_LONG or ERR_NOMEM. */
MUST_USE int ike_set_cert_asks(struct ike *ike, struct view certreq,
			       struct view auth_ann);

/** A datagram from the network, marker removed.  natt: it came to port 4500. */
void ike_input(struct ike *ike, const struct net_ep *local,
	       const struct net_ep *remote, bool natt, struct view data,
	       uint64_t now_ms);
/** The same for an IKE_SA_INIT request that ike_gate_judge() admitted. */
void ike_input_proven(struct ike *ike, const struct net_ep *local,
		      const struct net_ep *remote, bool natt, struct view data,
		      const struct ike_proof *proof, uint64_t now_ms);
/** The door of this engine, for who judges in its stead.  Lives as long. */
struct ike_gate *ike_gate_of(const struct ike *ike);
void ike_answer(struct ike *ike, const struct ike_ans *ans, uint64_t now_ms);
void ike_job_done(struct ike *ike, struct ike_job *job, uint64_t now_ms);
void ike_tick(struct ike *ike, uint64_t now_ms);
/** When ike_tick() wants to run next; UINT64_MAX when never. */
uint64_t ike_next(const struct ike *ike);

/** The secure process was replaced: parked questions will not be answered. */
void ike_secure_lost(struct ike *ike, uint64_t now_ms);
/** Keys, users or lists of revoked certificates may be others than they were: ask
 * about all who are connected (IKE_ASK_STANDS), and end whom it says to. */
void ike_recheck(struct ike *ike, uint64_t now_ms);
/** An SA reached its packet or byte limit. */
void ike_child_expire(struct ike *ike, uint32_t child_id, bool is_hard,
		      uint64_t now_ms);
/** Authenticated ESP of a child held a packet outside of its selectors, which
 * begins so: the peer is told (RFC 7296 3.10.1).  head is copied. */
void ike_child_selectors(struct ike *ike, uint32_t child_id, struct view head,
			 uint64_t now_ms);
/** ESP came with an SPI that no child has, perhaps of a time before we were
 * restarted: its sender is told, seldom and without protection (RFC 7296 1.5).
 * natt: it was in UDP; else the ports do not matter.  len: bytes of it. */
void ike_stray_esp(struct ike *ike, const struct net_ep *local,
		   const struct net_ep *remote, bool natt, uint32_t esp_spi,
		   size_t len, uint64_t now_ms);
/** Authenticated ESP of a child came from another endpoint (RFC 7296 2.23). */
void ike_child_moved(struct ike *ike, uint32_t child_id,
		     const struct net_ep *from, uint64_t now_ms);

/** Commands.  link 0 = all links of the realm.  0, ERR_NOTFOUND, ERR_STATE. */
MUST_USE int ike_up(struct ike *ike, uint32_t realm, uint32_t link, uint64_t now_ms);
MUST_USE int ike_down(struct ike *ike, uint32_t realm, uint32_t link, uint64_t now_ms);
/** Whoever waits to dial again does so within a second: what stood in the way may be
 * gone, the clock was set say. */
void ike_try_soon(struct ike *ike, uint64_t now_ms);
MUST_USE int ike_rekey(struct ike *ike, uint32_t link, bool is_child, uint64_t now_ms);
/** Ask a peer for a sign of life, as soon as no other request is under way (RFC
 * 7296 2.4); ops.ping tells what becomes of it, unless the SA ends before.
 * 0, ERR_NOTFOUND, ERR_STATE (there is no SA). */
MUST_USE int ike_ping(struct ike *ike, uint32_t link, uint64_t now_ms);
/* What becomes of peers of a gateway that is to be emptied. */
enum ike_drain_mode {
	IKE_DRAIN_OFF,		/* it is not, or no longer */
	IKE_DRAIN_SEND,		/* who follows (RFC 5685) goes to another gateway, the
				 * others are left alone */
	IKE_DRAIN_KEEP,		/* nobody is let in, and none of ours is dialled; who
				 * is connected stays */
	IKE_DRAIN_END		/* and who is connected is told goodbye */
};
/** Empty this gateway, or one realm of it.
 * @param realm  UINT32_MAX = all of them; what is said of one realm counts more.
 * @param to     with SEND: an address, or a host name; else NULL.
 * @return how many connected ones were told, ERR_NOTFOUND (no such realm), or
 *         ERR_SYNTAX: no name or address that a gateway can have. */
MUST_USE int ike_drain(struct ike *ike, uint32_t realm,
		       enum ike_drain_mode mode, const char *to,
		       uint64_t now_ms);
/** What is in force for a realm.  to: cap bytes, the gateway; empty without SEND. */
enum ike_drain_mode ike_drained(const struct ike *ike, uint32_t realm, char *to,
				size_t cap);
/** Say goodbye: Delete to every peer once, without waiting for answers. */
void ike_shutdown(struct ike *ike, uint64_t now_ms);

/* ---- looking in --------------------------------------------------------------- */

enum ike_link_state { IKE_ST_DOWN, IKE_ST_CONNECTING, IKE_ST_SUSPECT, IKE_ST_UP };
const char *ike_link_state_name(enum ike_link_state s);

/* What a link's state rests on.  Times of clk_ms(); 0 = never, or none. */
struct ike_evidence {
	uint64_t heard_ms;		/* last authentic IKE message of the peer */
	uint64_t answer_ms;		/* last answer to a request of ours */
	uint64_t asked_ms;		/* a request is under way since */
	unsigned n_try;			/* ... and was sent so often */
	uint64_t next_ms;		/* its next repeat, or the next dialling */
	uint64_t dead_ms;		/* unanswered until then: the peer is dead */
	unsigned n_fail;		/* rounds of dialling that failed */
	uint64_t down_since_ms;		/* it was up before */
	bool is_wanted;			/* we dial, and keep trying */
	bool is_held;			/* taken down by command */
	bool needs_word;		/* a person has to type a password, then ike_up() */
	bool is_resolving;		/* its name is being looked up */
};

struct ike_link_info {
	uint32_t link, realm, peer;
	char name[IKE_NAME_MAX];	/* peer name; identity for links on demand */
	char id[IKE_ID_TEXT_MAX];	/* authenticated identity, or the configured one */
	enum ike_link_state state;
	enum vpn_mode mode;		/* of the child; AUTO when none */
	enum vpn_encap encap;
	enum vpn_alg alg;		/* of the child */
	char ike_suite[96];		/* "aes256-gcm prf-sha384 x25519" */
	struct net_ep local, remote;
	bool is_initiator;
	bool is_nat_here, is_nat_there;
	uint64_t ispi, rspi;
	uint32_t ask_handle;		/* of its newest authenticated IKE SA, in the
					 * secure process; 0 = unknown there */
	unsigned n_child;
	uint32_t child_id;		/* the one used for output, 0 = none */
	uint32_t esp_spi_in, esp_spi_out;
	unsigned n_ts_local, n_ts_remote;
	struct vpn_ts ts_local[VPN_TS_MAX], ts_remote[VPN_TS_MAX];
	uint64_t up_since_ms;		/* 0 = not up */
	uint8_t peer_method;		/* how the peer proved itself, RFC 7296
					 * 3.8 or IKE_METHOD_EAP; 0 = not yet */
	char subject[IKE_ID_TEXT_MAX];	/* of its certificate, or empty */
	uint64_t not_after_s;		/* end of it, Unix time; 0 = none */
	uint64_t own_end_s;		/* the same of ours, that it was shown */
	char why[IKE_WHY_MAX];		/* why it is not up; may be empty */
	struct ike_evidence seen;
};
/** Visit the links: start with *it = 0; false at the end. */
bool ike_link_next(const struct ike *ike, uint32_t *it, struct ike_link_info *out);
bool ike_link_get(const struct ike *ike, uint32_t link, struct ike_link_info *out);
/** What the peer gave us, or we gave it; NULL: nothing.  Borrowed until the link
 * changes. */
const struct vpn_cfg *ike_link_cfg(const struct ike *ike, uint32_t link);

struct ike_child_info {
	uint32_t id, esp_spi_in, esp_spi_out;
	uint32_t bundle, lane;		/* struct vpn_child */
	enum vpn_mode mode;
	enum vpn_encap encap;
	enum vpn_alg alg;
	bool is_current;		/* neither replaced nor being deleted */
	uint64_t made_ms;
};
/** Visit the child SAs of a link's IKE SA: start with *it = 0; false at the
 * end. */
bool ike_child_visit(const struct ike *ike, uint32_t link, uint32_t *it,
		     struct ike_child_info *out);

/* How long something took, in steps of ike_hist_ms[]; the last counts the rest. */
#define IKE_HIST_END 12
struct ike_hist {
	uint64_t n[IKE_HIST_END];
	uint64_t sum_ms;
};
extern const uint32_t ike_hist_ms[IKE_HIST_END - 1];

struct ike_stats {
	uint64_t n_halfopen, n_ike_sa, n_child;
	uint64_t n_init_in, n_init_out, n_auth_ok, n_auth_failed;
	uint64_t n_retransmit, n_rekey, n_cookie_asked;
	/* strangers */
	enum ike_gate_level level;
	uint64_t level_ms;		/* since when they are many; 0 = they are not */
	uint64_t n_attack;		/* times that they were */
	uint8_t puzzle_bits;		/* of a puzzle now; 0 = none, or free */
	struct ike_gate_stats gate;
	struct ike_hist setup;		/* first message to authenticated */
	struct ike_hist exchange;	/* our request to its answer, if not repeated */
};
void ike_stats_get(const struct ike *ike, struct ike_stats *out);

#endif
