/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/id/ident.h - identities on the wire against those of the
 * configuration, and the realm they select (requirement R4).
 *
 * Pure: nothing is changed, nothing is opened.
 *
 * Thread: any.
 */
#ifndef TAPIR_SECURE_ID_IDENT_H
#define TAPIR_SECURE_ID_IDENT_H

#include "conf/conf.h"
#include "conf/role.h"
#include "daemon/base/base.h"

/* RFC 7296 3.5 */
enum {
	SEC_ID_IPV4_ADDR = 1, SEC_ID_FQDN = 2, SEC_ID_RFC822_ADDR = 3,
	SEC_ID_IPV6_ADDR = 5, SEC_ID_DER_ASN1_DN = 9, SEC_ID_KEY_ID = 11
};

#define SEC_ID_BODY_MAX 260	/* type, 3 reserved, data; ours */
#define SEC_ID_TEXT_MAX 256	/* with NUL; ours */

/* Body of an ID payload, RFC 7296 3.5; data is a view. */
struct sec_id {
	uint8_t type;
	struct view data;
};

/** Body -> type and data.  0, ERR_SHORT (also: no data) or ERR_LONG. */
MUST_USE int sec_id_dec(struct view body, struct sec_id *id);
/** Text of the configuration -> body.  0, ERR_SYNTAX or ERR_LONG. */
MUST_USE int sec_id_enc(const char *text, uint8_t *out, size_t cap,
			size_t *len);
/** Printable text of an identity, control and non-ASCII bytes escaped;
 * returns out, which has SEC_ID_TEXT_MAX bytes. */
const char *sec_id_text(const struct sec_id *id, char *out);
/* An identity as the rules look at it. */
struct sec_id_open {
	struct conf_ident i;
	struct conf_rdn rdn[CONF_RDN_MAX];
};
/** Take an identity apart; out points into itself and to what id views. */
void sec_id_open(const struct sec_id *id, struct sec_id_open *out);
/** Same type and same value; host names without regard to ASCII case. */
bool sec_id_equal(const struct sec_id *id, const char *text);
/** Pattern with '*' and '?': host names against patterns without '@', e-mail
 * addresses against patterns with one; "*" alone is any identity. */
bool sec_id_glob(const struct sec_id *id, const char *pattern);

/* Who comes, as far as it is known. */
struct sec_comer {
	const struct sec_id *peer;	/* the identity it claims */
	const struct sec_id *own;	/* the one it wants of us (IDr), or NULL */
	bool has_cert;			/* what its certificate says is known: */
	unsigned n_subject;		/* 0: nothing a rule could name */
	const struct conf_rdn *subject;
	unsigned n_name;
	const struct conf_altname *name;
	bool is_eap;			/* it logs in by EAP */
	struct view eap;		/* its identity there; empty: not yet */
};
struct sec_place {
	const struct conf_realm *realm;
	const struct conf_peer *peer;
	bool is_open;	/* its certificate could lead elsewhere; also set when
			 * there is no place without one */
};

/**
 * Which peer of which realm is this?  The most special rule decides; exactly one
 * must be it (conf/role.h).
 *
 * @param why a sentence when there is none or more than one.
 * @return 0; ERR_NOTFOUND; ERR_AGAIN: its EAP identity will tell, until then
 *         out->realm speaks for all realms it may be, and out->peer is NULL.
 */
MUST_USE int sec_id_select(const struct conf *c, const struct sec_comer *who,
			   struct sec_place *out, char *why, size_t cap);
/**
 * The same for who has said its EAP identity.  What the identity of IKE decided
 * stays, and then the one of EAP has to be that (conf/role.h).
 *
 * @return 0, ERR_NOTFOUND or ERR_AUTH (a sentence in why).
 */
MUST_USE int sec_id_by_eap(const struct conf *c, const struct sec_comer *who,
			   struct sec_place *out, char *why, size_t cap);
/** May who has this identity be that peer, whatever its certificate says? */
bool sec_id_may(const struct conf *c, const struct sec_comer *who,
		const struct conf_peer *p);

#endif
