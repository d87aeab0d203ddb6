/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/eap/run.h - one EAP conversation (RFC 3748), either end.
 *
 *   server                                     client
 *     Request/Identity           -->
 *                                <--   Response/Identity
 *     Request/method             -->                      again while the
 *                                <--   Response/method    method wants more
 *     Success or Failure         -->
 *
 * A server may leave the methods to a RADIUS server (RFC 3579): then messages
 * behind Identity are carried to it and back, and Success comes of its Accept with
 * a key and of nothing else.
 *
 * What every method has in common is here: identifiers, Identity, Nak,
 * Notification, Success, Failure, limits.  A table says which message may come
 * in which state; what is not in it ends the conversation.
 *
 * IKE carries each message once and in order, so nothing is repeated here, and
 * a message that does not fit is not one that came late: it is wrong.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_EAP_RUN_H
#define TAPIR_SECURE_EAP_RUN_H

#include "spi/spi_eap.h"
#include "spi/spi_radius.h"

#define SEC_EAP_ROUNDS	 50	/* messages taken in one conversation; ours */
#define SEC_EAP_METHODS	 4	/* a realm permits; ours */

struct sec_eap;

/* Everything borrowed but user, which is copied. */
struct sec_eap_conf {
	bool is_server;
	/* permitted, best first; a server begins with the first, a client
	 * takes no other */
	const struct spi_eap *method[SEC_EAP_METHODS];
	unsigned n_method;
	struct view user;	/* client: its identity */
	struct view name;	/* server: what it calls itself; borrowed */
	const struct spi_eap_host *host;
	void *ctx;
	struct spi_eap_tls *tls;
	bool is_relay;		/* server: a RADIUS server has the methods */
	/** Server, may be NULL: the client has said who it is, before a method
	 * begins; methods, tls and is_relay of io may be changed. */
	void (*came)(void *ctx, struct view user, struct sec_eap_conf *io);
};

enum sec_eap_end {
	SEC_EAP_MORE,	/* out is to be sent, an answer comes */
	SEC_EAP_OK,	/* proved: there is an MSK and a user; a server sends
			 * out (Success), a client has nothing to send */
	SEC_EAP_WAIT,	/* a certificate is looked at: sec_eap_go_on() */
	SEC_EAP_RELAY,	/* the message that came is for the RADIUS server:
			 * sec_eap_relayed() */
	SEC_EAP_NO	/* failed for good; out, when not empty, is sent */
};

/** 0, ERR_NOMEM, ERR_RANGE (no method), ERR_LONG, ERR_SYNTAX (a user name with
 * control characters, or none). */
MUST_USE int sec_eap_open(const struct sec_eap_conf *c, struct sec_eap **out);
/** Wipes; NULL is fine. */
void sec_eap_close(struct sec_eap *e);
/** A server's first message: Request/Identity.  MORE, or NO (wrong order). */
enum sec_eap_end sec_eap_start(struct sec_eap *e, struct wcur *out);
/** A message of the other end. */
enum sec_eap_end sec_eap_input(struct sec_eap *e, struct view in,
			       struct wcur *out);
/** The answer to the host's look(): err 0, or why the certificate is not good. */
enum sec_eap_end sec_eap_go_on(struct sec_eap *e, int err, const char *why,
			       struct wcur *out);
/**
 * What the RADIUS server says to the message.
 *
 * @param a    its answer; NULL: there is none, and why is a sentence.
 * @param user whom an Accept is about; NULL: whom the client said it is.
 * @return MORE, OK or NO.
 */
enum sec_eap_end sec_eap_relayed(struct sec_eap *e,
				 const struct spi_radius_answer *a,
				 const char *user, const char *why,
				 struct wcur *out);
/** The session key; empty unless the end was OK. */
struct view sec_eap_msk(const struct sec_eap *e);
/** How long the RADIUS server lets it stay, after OK; 0 = for ever. */
uint32_t sec_eap_session_s(const struct sec_eap *e);
/** Whom the other end says it is: a server's peer before it proved it, or "". */
const char *sec_eap_claim(const struct sec_eap *e);
/** Whom the method proved, after OK; else "". */
const char *sec_eap_user(const struct sec_eap *e);
/** A sentence about a failure, for the log; never for the other end. */
const char *sec_eap_why(const struct sec_eap *e);
/** The method in use, or NULL. */
const struct spi_eap *sec_eap_method(const struct sec_eap *e);

#endif
