/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/serve_priv.h - what serve.c, serve_auth.c and serve_net.c share.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_SERVE_PRIV_H
#define TAPIR_SECURE_SERVE_PRIV_H

#include <sys/types.h>
#include "daemon/ipc/gate.h"
#include "daemon/ipc/visit.h"
#include "secure-proc/keys/auth.h"
#include "secure-proc/keys/shown.h"
#include "secure-proc/route_table.h"
#include "secure-proc/serve.h"
#include "secure-proc/verify/link.h"

#define WHO	"secure"
#define WHY_MAX IPC_WHY_MAX

struct sec_typed;
struct talk;

struct sa {
	uint32_t handle;
	uint64_t seen;		/* IPC_ONCE_SA messages */
	uint64_t asked;		/* number of its question, or 0 */
	struct sec_auth auth;
	struct talk *talk;	/* EAP; NULL = none */
	uint8_t shown[SEC_SHOWN_ID];	/* name of what the peer showed */
	bool has_shown;
};
/* A VERIFY, the certificates of an EAP-TLS, or a STANDS, that the verify child has, or
 * will have; or a message of EAP that the RADIUS child has. */
struct asked {
	uint64_t number;	/* of the question */
	uint64_t ticket;
	uint32_t handle;
	bool is_closed;		/* the IKE SA ended meanwhile */
	uint8_t id_peer[SEC_ID_BODY_MAX]; /* bodies of both IDs */
	uint8_t id_own[SEC_ID_BODY_MAX];
	size_t n_peer, n_own;
	bool is_eap;
	bool is_radius;		/* the RADIUS child has it */
	bool is_standing;	/* STANDS: there is no IKE SA, but */
	uint32_t realm, peer;	/* it has to be this one, */
	uint8_t key[SEC_SHOWN_MARK]; /* with this key */
	uint8_t *cert;		/* what was sent of certificates, or NULL */
	size_t n_cert;
	char id[SEC_ID_TEXT_MAX];
};
/* An address of ours that a peer gave us. */
struct sec_client {
	uint32_t handle, realm;
	struct ip_net net;
};
#define SEC_CLIENT_MAX 64	/* ours: two of each of 32 realms */
struct sec_serve {
	struct sec_serve_conf c;
	struct sec_keys keys;
	struct ipc_gate gate;
	struct map *sa;		/* handle -> struct sa */
	struct map *asked;	/* number -> struct asked */
	uint64_t last_number;
	int fatal;		/* an answer could not be sent */
	struct sec_routes routes;
	uint32_t names[CONF_REALM_MAX];	/* handle whose name servers are in use */
	struct sec_tickets *tickets;	/* RFC 5723 */
	struct sec_showns *showns;	/* of who may come back by one */
	uint32_t lists;			/* generation of lists that were fetched */
	unsigned n_lists;		/* told of them within a second */
	uint64_t lists_ms;
	unsigned n_client;
	struct sec_client client[SEC_CLIENT_MAX];
	struct sec_limit *limit;	/* of guessing */
	struct sec_typed *typed;	/* our passwords; with c.eap */
	unsigned n_talk;
	sec_send_fn *send;
	void *send_ctx;
	uint8_t digest[IPC_DIGEST_LEN];
};

/* A handler: sends its answer itself, and returns what sending returned.  sa is
 * NULL for messages without handle and for handles nobody has heard of. */
typedef int handler_fn(struct sec_serve *s, const struct ipc_msg *m,
		       struct sa *sa);

/** Send an answer; fds are taken. */
MUST_USE int sec_answer(struct sec_serve *s, const struct ipc_msg *m,
			const int *fds, unsigned n_fd);
/** Answer with an error (0 = done) and its reason, or NULL. */
MUST_USE int sec_refuse(struct sec_serve *s, const struct ipc_msg *m, int err,
			const char *why);
/** NULL: there is none of this number. */
const struct conf_realm *sec_realm_at(const struct sec_serve *s,
				      uint32_t realm);

/* ---- serve_auth.c: signatures, certificates, tokens -------------------------- */

handler_fn sec_on_sign, sec_on_verify, sec_on_ppk, sec_on_ca_list, sec_on_token;
handler_fn sec_on_mark;
/** The verify child has answered; ctx is the server. */
void sec_on_checked(void *ctx, uint64_t number, const struct sec_checked *c);

/** Put a question to the verify child; its answer comes to sec_on_checked().
 * @param sa    NULL with STANDS.
 * @param shown with STANDS what was shown, else NULL. */
MUST_USE int sec_check_ask(struct sec_serve *s, const struct ipc_msg *m,
			   struct sa *sa, const struct sec_check *q,
			   const char *id, const struct sec_shown *shown);

/* ---- serve_stands.c: would they be let in again? -------------------------------- */

handler_fn sec_on_stands;
/** The verify child has looked at what somebody showed. */
MUST_USE int sec_stands_checked(struct sec_serve *s, const struct asked *q,
				const struct sec_checked *c);
/** It has other lists than before. */
MUST_USE int sec_lists_changed(struct sec_serve *s);
/** Keep what this peer showed, for its ticket, and write it for an answer.
 * @param buf SEC_SHOWN_MAX bytes.
 * @return empty: it cannot be looked at again. */
struct view sec_shown_note(struct sec_serve *s, struct sa *sa,
			   const struct sec_shown *shown, uint8_t *buf);
/** A mark of something secret; all zero without a secret for it. */
void sec_mark_of(const struct sec_serve *s, struct view secret,
		 uint8_t out[SEC_SHOWN_MARK]);

/* ---- serve_eap.c: EAP -------------------------------------------------------- */

#define SEC_TALK_MAX 2048	/* conversations at once; ours */

handler_fn sec_on_eap, sec_on_eap_sign, sec_on_eap_verify;
/** There will be one with this peer.  0, ERR_FULL or ERR_NOMEM. */
MUST_USE int sec_talk_begin(struct sec_serve *s, struct sa *sa);
/** The peer's ID payload, and the one that names us if any, as they came. */
void sec_talk_id(struct sa *sa, struct view id_peer, struct view id_own);
/** Is our password for this realm there, in a file or typed? */
bool sec_talk_has_word(struct sec_serve *s, uint32_t realm);
/** Its certificates were looked at; q is the message that waits, asked loses what
 * it has of certificates. */
MUST_USE int sec_talk_checked(struct sec_serve *s, const struct ipc_msg *q,
			      struct sa *sa, struct asked *asked,
			      const struct sec_checked *c);
void sec_talk_end(struct sec_serve *s, struct sa *sa);

/* ---- serve_radius.c: EAP by RADIUS ------------------------------------------- */

struct sec_radius_reply;

/** The RADIUS child has answered; ctx is the server. */
void sec_on_relayed(void *ctx, const struct sec_radius_reply *a);
/* ---- serve_word.c: passwords that are typed ------------------------------------ */

/** Does a client realm log in by a password, and which user is it? */
bool sec_word_is_asked(const struct sec_serve *s, uint32_t realm,
		       const char **user);
/** A visit_ops.ask; ctx is the struct sec_serve. */
int sec_word_visit(void *ctx, const struct visit_who *who, const uint8_t *p,
		   size_t len, uint8_t out[VISIT_BYTES_MAX]);
/** Answer one question.  Thread: the only one. */
struct prompt_ask;
struct prompt_answer;
void sec_word_answer(struct sec_serve *s, const struct prompt_ask *q,
		     uint64_t now_ms, struct prompt_answer *a);

/* ---- serve_ticket.c: session resumption --------------------------------------- */

handler_fn sec_on_ticket_seal, sec_on_ticket_open;
/** An IKE SA that was resumed stands: its ticket is used up.  0, or it is not to
 * stand. */
MUST_USE int sec_ticket_spend(struct sec_serve *s, const struct sec_auth *a);

/* ---- serve_net.c: TAPs and routes -------------------------------------------- */

handler_fn sec_on_tap_open, sec_on_tap_mtu, sec_on_tap_bridge, sec_on_route;
/** Lock the machine, or no longer, as the configuration says; from here on it is
 * in force.  An error is logged. */
MUST_USE int sec_lockdown(struct sec_serve *s);
/** Take away the routes of an IKE SA that nobody else wants. */
void sec_unroute(struct sec_serve *s, uint32_t handle);
/** Address and prefix length as a message has them: family 4 or 6, the bytes behind
 * an IPv4 address 0.  *out is written only with 0.  ERR_RANGE: not such a one. */
int sec_net_read(uint8_t family, const uint8_t bytes[16], uint8_t bits,
		 struct ip_net *out);

/* ---- serve_client.c: addresses from a gateway --------------------------------- */

handler_fn sec_on_addr, sec_on_names;
/** Does a peer of this realm give us addresses? */
bool sec_is_client(const struct sec_serve *s, uint32_t realm);
/** Take away the addresses and name servers that an IKE SA brought. */
void sec_unaddr(struct sec_serve *s, uint32_t handle);

#endif
