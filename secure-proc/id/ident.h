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
/** Same type and same value; host names without regard to ASCII case. */
bool sec_id_equal(const struct sec_id *id, const char *text);
/** Pattern with '*' and '?': host names against patterns without '@', e-mail
 * addresses against patterns with one; "*" alone is any identity. */
bool sec_id_glob(const struct sec_id *id, const char *pattern);

/**
 * Which peer of which realm is this?  Exactly one must fit.
 *
 * @param peer the identity the peer claims.
 * @param own  the identity it wants of us (IDr), or NULL.
 * @param why  a sentence when there is none or more than one.
 * @return 0 or ERR_NOTFOUND.
 */
MUST_USE int sec_id_select(const struct conf *c, const struct sec_id *peer,
			   const struct sec_id *own,
			   const struct conf_peer **out_peer,
			   const struct conf_realm **out_realm, char *why,
			   size_t cap);

#endif
