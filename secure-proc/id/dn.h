/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/id/dn.h - distinguished names: text of the configuration <->
 * DER of ID_DER_ASN1_DN (RFC 7296 3.5, RFC 4945 3.1.5).
 *
 * Only names of known attributes with one value each, in DER lengths of at most
 * 255 bytes; everything else is "not equal" and has no text.
 *
 * Thread: any.
 */
#ifndef TAPIR_SECURE_ID_DN_H
#define TAPIR_SECURE_ID_DN_H

#include "conf/conf.h"
#include "conf/role.h"
#include "daemon/base/base.h"

/** "C=JP, O=Example, CN=vpn" -> DER.  0, ERR_SYNTAX or ERR_LONG. */
MUST_USE int sec_dn_enc(const char *text, uint8_t *out, size_t cap,
			size_t *len);
/** Is this name, as a stranger sent it, the one of the text?  Same attributes in
 * the same order; values without regard to ASCII case, string types and
 * repeated spaces (RFC 5280 7.1). */
bool sec_dn_is(struct view der, const char *text);
/** The attributes of a name a stranger sent.  One for which we have no word has
 * an empty key, which is equal to none.  How many, at least one; or ERR_SYNTAX,
 * ERR_SHORT, ERR_LONG (also: more than cap). */
MUST_USE int sec_dn_read(struct view der, struct conf_rdn *out, unsigned cap);
/** The name as text, control and non-ASCII bytes escaped.  False: it has none. */
bool sec_dn_text(struct view der, char *out, size_t cap);

#endif
