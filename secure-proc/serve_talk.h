/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/serve_talk.h - what serve_eap.c and serve_radius.c share: one EAP
 * conversation of an IKE SA.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_SERVE_TALK_H
#define TAPIR_SECURE_SERVE_TALK_H

#include "secure-proc/eap/limit.h"
#include "secure-proc/eap/realms.h"
#include "secure-proc/radius/link.h"
#include "secure-proc/serve_priv.h"

#define SEC_TALK_EAP 4200	/* bytes of a message, as secure.def has it */

/* One conversation; what is secret of it is in eap. */
struct talk {
	struct sec_serve *s;
	struct sa *sa;
	struct sec_eap *eap;		/* NULL before the first message */
	const struct sec_eap_realm *realm;
	uint64_t ticket;		/* of the message at hand */
	bool has_tried;			/* a password was compared */
	struct sec_try attempt;		/* ... once it was; views of this */
	bool has_word;			/* client: ours was used */
	bool is_right;			/* ... and the server took it */
	uint32_t typed;			/* number of a typed one, 0 = it was not */
	bool is_early;			/* too many failures before: not looked at */
	uint32_t server;		/* RADIUS: who has the conversation */
	size_t state_len;
	uint8_t state[SPI_RADIUS_STATE];/* ... and wants to hear this again */
	bool is_stranger;		/* nobody here, or not here: never let in */
	char stranger[160];		/* ... why */
	char from[64];
	char subject[SEC_CHECK_TEXT_MAX]; /* of its certificate, or empty */
	int64_t not_after;
	bool is_local;			/* the password is that of our file */
	uint8_t mark[SEC_SHOWN_MARK];	/* of it, or of the certificate's key */
	uint8_t *cert;			/* what it sent of certificates */
	size_t n_cert;
	uint8_t id_peer[SEC_ID_BODY_MAX], id_own[SEC_ID_BODY_MAX];
	size_t id_peer_len, id_own_len;
};

/** Answer an EAP message by how it ended; out is what goes to the other end. */
MUST_USE int sec_talk_tell(struct talk *t, const struct ipc_msg *m,
			   enum sec_eap_end end, struct wcur *out);
/** The password of who it claims to be is about to be looked at; false: too early. */
MUST_USE bool sec_talk_try(struct talk *t, bool is_somebody);
/**
 * Whose is this EAP identity?
 *
 * @return 0, ERR_NOTFOUND or ERR_AUTH (a sentence in why), ERR_SYNTAX.
 */
MUST_USE int sec_talk_place(const struct talk *t, struct view user,
			    struct sec_place *out, char *why, size_t cap);

/* ---- serve_radius.c ------------------------------------------------------------ */

/**
 * Put the client's message to the RADIUS servers of the realm; the answer comes
 * to sec_on_relayed().
 *
 * @return RELAY: asked; NO: it was not, out has the last word.
 */
MUST_USE enum sec_eap_end sec_talk_relay(struct talk *t, const struct ipc_msg *m,
					 struct view eap, struct wcur *out);

#endif
