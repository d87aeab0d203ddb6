/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/crypt/protect.h - sealing and opening of SK and SKF payloads.
 *
 *   | IKE header | payloads in clear | SK header | IV | text | pad | n | ICV |
 *   '--- AEAD: associated data (RFC 5282 5.1) ---'    '--- encrypted --'
 *   '--- cipher and integrity: ICV over all in front of it (3.14) ----'
 */
#ifndef TAPIR_IKEV2_CRYPT_PROTECT_H
#define TAPIR_IKEV2_CRYPT_PROTECT_H

#include "ikev2/crypt/keymat.h"

#define IKE_SKF_NUMBERS 4	/* fragment number, total; RFC 7383 2.5 */

/* One direction of an IKE SA. */
struct ike_dir {
	enum spi_cipher encr;
	enum spi_hash integ;
	const uint8_t *sk_e, *sk_a;	/* borrowed, in secret memory */
};

/** Bytes of IV in front of the text / of ICV behind it. */
size_t ike_protect_iv_len(const struct ike_dir *d);
size_t ike_protect_icv_len(const struct ike_dir *d);
/** Bytes that sealing adds behind the text at most (pad, pad length, ICV). */
size_t ike_protect_tail_max(const struct ike_dir *d);

/* What is to be sealed: a whole message with its text in place. */
struct ike_sealing {
	uint8_t *msg;
	size_t cap;		/* bytes of room at msg */
	size_t sk_at;		/* the generic header of the SK payload */
	size_t iv_at;		/* the IV: behind that header, and behind the
				 * fragment numbers of an SKF payload */
	size_t text_len;	/* bytes of text, behind the IV */
	uint64_t iv;		/* AEAD: never used before in this direction */
};

/**
 * Seal a message in place.  The length fields of the header and of the SK
 * payload are filled in here, because they are authenticated.
 *
 * @param len     the message's length afterwards.
 * @return 0, ERR_LONG, ERR_RANDOM or ERR_CRYPTO.
 */
MUST_USE int ike_protect_seal(const struct ike_dir *d,
			      const struct ike_sealing *s, size_t *len);
/**
 * Check and open a message in place.  Nothing but *text is written on success;
 * on failure msg is not to be used any more.
 *
 * @param len   of the message; the SK or SKF payload is the last one.
 * @param iv_at where the IV begins; all in front of it is authenticated.
 * @param text the opened text, borrowed from msg, padding removed.
 * @return 0, ERR_SHORT, ERR_ICV or ERR_PAD.
 */
MUST_USE int ike_protect_open(const struct ike_dir *d, uint8_t *msg, size_t len,
			      size_t iv_at, struct view *text);

#endif
