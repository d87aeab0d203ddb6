/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/auth.h - SIGN and VERIFY of one IKE SA.
 *
 *   initiator:  SIGN (realm and peer are given)   -> VERIFY
 *   responder:  VERIFY (decides realm and peer)   -> SIGN
 *
 * VERIFY of a pre-shared key is decided here; of a certificate it is prepared
 * here, asked of the verify child, and decided by its answer.  Where rules about
 * certificates could lead elsewhere than the identity alone, the child also says
 * where, among the places that the identity leaves open; that is fixed before it
 * looks at the signature.
 *
 * Who comes by EAP sends no AUTH at first (method 0).  Then
 *
 *   initiator:  SIGN(0) -> VERIFY -> EAP.. -> EAP_SIGN -> EAP_VERIFY
 *   responder:  VERIFY(0) -> SIGN -> EAP.. -> EAP_VERIFY -> EAP_SIGN
 *
 * so an initiator takes part in EAP with nobody but a gateway that proved itself
 * (H5).  Both of the last are made with the key of EAP (keys/msk.h).
 *
 * The second of a pair must belong to the first: same role, same SPI, the
 * nonces of both messages.  So main cannot have something signed that is not
 * the exchange it had verified, nor the other way round.
 *
 * An IKE SA that is resumed (RFC 5723) has the place and the identities of its
 * ticket, whatever is said; the pair is as above, and AUTH is made with SK_p.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_KEYS_AUTH_H
#define TAPIR_SECURE_KEYS_AUTH_H

#include "conf/conf.h"
#include "daemon/base/base.h"
#include "daemon/ipc/msg.h"
#include "secure-proc/id/ident.h"
#include "secure-proc/keys/own.h"
#include "secure-proc/keys/psk.h"
#include "secure-proc/keys/store.h"
#include "secure-proc/keys/ticket.h"

enum sec_phase {
	SEC_P_NEW,
	SEC_P_SIGNED,		/* initiator, waits for VERIFY */
	SEC_P_VERIFIED,		/* responder, waits for SIGN */
	SEC_P_ASKED,		/* the verify child has the question */
	SEC_P_TALKING,		/* EAP messages may come */
	SEC_P_PROVED,		/* EAP ended well: one AUTH of the two is due */
	SEC_P_BOUND,		/* ... and the other */
	SEC_P_DONE,		/* both: authenticated */
	SEC_P_FAILED		/* nothing more for this handle */
};

#define SEC_ANY UINT32_MAX

/* What is kept of an IKE SA. */
struct sec_auth {
	enum sec_phase phase;
	bool is_initiator;
	bool is_eap;		/* the initiator proves itself by EAP */
	bool is_named;		/* responder: whom EAP proved is who its identity
				 * says, letter by letter */
	bool is_alone;		/* ... and so does the responder, RFC 5998 */
	uint32_t realm, peer;	/* SEC_ANY: the child says it, or EAP */
	uint64_t ispi;
	uint8_t nonce_own[32];	/* SHA-256 of the nonces */
	uint8_t nonce_peer[32];
	uint8_t id_own[32];	/* SHA-256 of the ID bodies */
	uint8_t id_peer[32];
	uint64_t not_after_s;	/* end of the peer's certificate; 0 = none */
	bool is_resumed;	/* RFC 5723: all of the above but the nonces, and */
	uint64_t ticket_serial;	/* these, came out of a ticket */
	uint64_t ticket_until_s;
};

struct sec_keys {
	const struct conf *conf;
	const struct sec_store *store;
};

/* Results; the buffers hold what the answer's views point to. */
struct sec_signed {
	uint8_t id_own[SEC_ID_BODY_MAX];
	size_t id_own_len;
	uint8_t id_peer[SEC_ID_BODY_MAX];
	size_t id_peer_len;
	uint8_t method;
	uint8_t auth[SEC_AUTH_MAX];
	size_t auth_len;
	struct view cert;	/* CERT bodies; until the next SIGN */
	int64_t not_after;	/* our certificate's end; 0 = none */
};

#define SEC_MACED_MAX (SEC_PRF_MAX + 132) /* MACed identity and IntAuth */

/* What the verify child must know besides the question. */
struct sec_auth_asked {
	uint8_t maced_id[SEC_MACED_MAX];
	size_t maced_id_len;
};
/* What the verify child said. */
struct sec_auth_told {
	int err;
	uint32_t realm, peer;	/* where it was put */
	struct view id_peer;	/* bodies of the question's IDs */
	struct view id_own;	/* may be empty */
};

/** EAP has proved the very name of the identity: only then does a ticket, which
 * holds the identity, stand for the same person. */
void sec_auth_name_proved(struct sec_auth *a, uint64_t not_after_s);
/**
 * What is to be in a ticket about who and where; views are borrowed of a and the
 * configuration.  ERR_STATE: not authenticated, or by a name of EAP that is not
 * the identity.
 */
MUST_USE int sec_auth_ticket(const struct sec_keys *k,
			     const struct sec_auth *a, struct sec_ticket *t);
/**
 * A new handle is the same as the one of a ticket was: AUTH will prove SK_p.
 *
 * @return 0; ERR_STATE: not new; ERR_AUTH: a ticket of the other role, or its realm
 *         or peer is not configured any more.
 */
MUST_USE int sec_auth_resume(const struct sec_keys *k, struct sec_auth *a,
			     const struct ipc_ticket_open *q,
			     const struct sec_ticket *t);

/** True once the peer has proved who it is and we did too; the one place that
 * says so (SECURITY-CHECKLIST A5). */
bool sec_auth_is_done(const struct sec_auth *a);

/**
 * Build our AUTH.
 *
 * @param a   changed: on any error the handle has failed for good.
 * @param why a sentence on failure.
 * @return 0, ERR_STATE (order, or not the exchange verified before),
 *         ERR_NOTFOUND (no such peer), ERR_RANGE, ERR_SYNTAX and the like
 *         (init_msg), ERR_KEYFILE (peer without key), ERR_ALG, ERR_CRYPTO.
 */
MUST_USE int sec_auth_sign(const struct sec_keys *k, struct sec_auth *a,
			   const struct ipc_sign *q, struct sec_signed *out,
			   char *why, size_t cap);
/**
 * Check the peer's AUTH; as responder find the realm first.
 *
 * @param id_text SEC_ID_TEXT_MAX bytes: the peer's identity, on success.
 * @param asked   filled when the answer is ERR_AGAIN.
 * @return 0; ERR_AGAIN: ask the verify child about a->realm and a->peer, then
 *         sec_auth_verified(); ERR_AUTH: wrong credentials or method; ERR_NOTFOUND: no realm for
 *         these identities (takes the same time); others as sec_auth_sign().
 */
MUST_USE int sec_auth_verify(const struct sec_keys *k, struct sec_auth *a,
			     const struct ipc_verify *q, char *id_text,
			     struct sec_auth_asked *asked, char *why,
			     size_t cap);
/**
 * The verify child's answer: 0 moves on, anything else is final.
 *
 * @param why a sentence, unless told has the error.
 * @return ERR_STATE when nothing was asked; ERR_AUTH when it names a place the
 *         identities do not permit; else told->err.
 */
MUST_USE int sec_auth_verified(const struct sec_keys *k, struct sec_auth *a,
			       const struct sec_auth_told *told, char *why,
			       size_t cap);

/* A question of EAP_SIGN or EAP_VERIFY, and what goes with it. */
struct sec_bind {
	struct view init_msg, nonce, sk_p, int_auth;
	uint8_t prf;
	struct view msk;	/* of the conversation; empty fails */
	struct view id_peer;	/* body of the ID payload; EAP_VERIFY */
};
/** May an EAP message be taken?  0 or ERR_STATE. */
MUST_USE int sec_auth_talks(const struct sec_auth *a);
/** As responder: the identity of EAP says where it belongs.  0; ERR_AUTH: that of
 * IKE has said otherwise; ERR_STATE. */
MUST_USE int sec_auth_settle(struct sec_auth *a, uint32_t realm, uint32_t peer);
/** The conversation has ended, well or not. */
void sec_auth_talked(struct sec_auth *a, bool is_good);
/**
 * Our AUTH by the key of EAP.
 *
 * @param auth SEC_PRF_MAX bytes.
 * @return 0, ERR_STATE, ERR_RANGE, ERR_SHORT (no key), ERR_CRYPTO and the like;
 *         any error is final for the handle.
 */
MUST_USE int sec_auth_bind_sign(const struct sec_keys *k, struct sec_auth *a,
				const struct sec_bind *b, uint8_t *auth,
				size_t *len);
/** The peer's.  0, ERR_AUTH, or as above. */
MUST_USE int sec_auth_bind_check(struct sec_auth *a, const struct sec_bind *b,
				 uint8_t method, struct view auth);

#endif
