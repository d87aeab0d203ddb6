/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/shown.h - what a peer showed when it was let in, in a form that
 * a later secure process can look at again.
 *
 *   kind (8), mark (32), then id_peer, id_own, user, cert, each behind a 16-bit
 *   length
 *
 * tapird keeps it with the connection and brings it back after a reload (STANDS).
 * Nothing in it is secret: a key or password is there as a mark only, which is of
 * no use without the secret of this machine (keys/token.h).
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_KEYS_SHOWN_H
#define TAPIR_SECURE_KEYS_SHOWN_H

#include "daemon/base/base.h"

#define SEC_SHOWN_MAX	24576	/* bytes, as secure.def has it */
#define SEC_SHOWN_MARK	32
#define SEC_SHOWN_ID	32	/* bytes of its name: SHA-256 */
#define SEC_SHOWN_KEEP	8192	/* kept for who comes back by a ticket; ours */
#define SEC_SHOWN_BYTES (16u << 20) /* all of them; ours */

enum sec_shown_kind {
	SEC_SHOWN_PSK = 1,	/* mark: of the pre-shared key */
	SEC_SHOWN_CERT,		/* mark: SHA-256 of the public key; cert */
	SEC_SHOWN_USER,		/* somebody else knows the password */
	SEC_SHOWN_PASSWORD,	/* mark: of what the users file has */
	SEC_SHOWN_TLS,		/* as CERT, within EAP */
	SEC_SHOWN_END
};

struct sec_shown {
	enum sec_shown_kind kind;
	uint8_t mark[SEC_SHOWN_MARK];	/* all zero: unknown */
	struct view id_peer, id_own;	/* bodies of ID payloads; id_own may be
					 * empty */
	struct view user;		/* of EAP, or empty */
	struct view cert;		/* CERT bodies, each behind its 16-bit
					 * length, or empty */
};

/** @param out SEC_SHOWN_MAX bytes.  0 or ERR_LONG. */
MUST_USE int sec_shown_enc(const struct sec_shown *s, uint8_t *out,
			   size_t *len);
/** Views point into in.  0, ERR_SHORT, ERR_TRAIL or ERR_RANGE. */
MUST_USE int sec_shown_dec(struct view in, struct sec_shown *s);
/** Marks that are known and differ? */
bool sec_shown_differ(const uint8_t a[SEC_SHOWN_MARK],
		      const uint8_t b[SEC_SHOWN_MARK]);
/**
 * Of CERT bodies, those that say who it is: certificates and keys, without lists
 * and responses.
 *
 * @param out malloc()ed, or NULL where there are none.
 * @return 0, ERR_SHORT or ERR_NOMEM.
 */
MUST_USE int sec_shown_certs(struct view cert, uint8_t **out, size_t *len);

/* What was shown by those whose tickets may come back; the oldest go. */
struct sec_showns;

/** 0 or ERR_NOMEM. */
MUST_USE int sec_showns_new(struct sec_showns **out);
/** NULL is fine. */
void sec_showns_free(struct sec_showns *k);
/** Keep it; id: SEC_SHOWN_ID bytes, its name.  0, ERR_NOMEM, ERR_CRYPTO. */
MUST_USE int sec_showns_add(struct sec_showns *k, struct view shown,
			    uint8_t *id);
/** Empty: not there (any more).  Borrowed until the next sec_showns_add(). */
struct view sec_showns_find(const struct sec_showns *k, struct view id);

#endif
