/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/crypt/protect.h - sealing and opening of the SK payload.
 *
 *   | IKE header | payloads in clear | SK header | IV | text | pad | n | ICV |
 *   '--- AEAD: associated data (RFC 5282 5.1) ---'    '--- encrypted --'
 *   '--- cipher and integrity: ICV over all in front of it (3.14) ----'
 */
#ifndef TAPIR_IKEV2_CRYPT_PROTECT_H
#define TAPIR_IKEV2_CRYPT_PROTECT_H

#include "ikev2/crypt/keymat.h"

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

/**
 * Seal a message in place.  The text stands at sk_at + 4 + IV; the length fields
 * of the header and of the SK payload are filled in here, because they are
 * authenticated.
 *
 * @param msg     whole message; cap bytes of room.
 * @param sk_at   where the generic header of the SK payload begins.
 * @param text_len bytes of text.
 * @param iv      AEAD: a number never used before in this direction.
 * @param len     the message's length afterwards.
 * @return 0, ERR_LONG, ERR_RANDOM or ERR_CRYPTO.
 */
MUST_USE int ike_protect_seal(const struct ike_dir *d, uint8_t *msg, size_t cap,
			      size_t sk_at, size_t text_len, uint64_t iv,
			      size_t *len);
/**
 * Check and open a message in place.  Nothing but *text is written on success;
 * on failure msg is not to be used any more.
 *
 * @param len  of the message; the SK payload is the last one.
 * @param text the opened text, borrowed from msg, padding removed.
 * @return 0, ERR_SHORT, ERR_ICV or ERR_PAD.
 */
MUST_USE int ike_protect_open(const struct ike_dir *d, uint8_t *msg, size_t len,
			      size_t sk_at, struct view *text);

#endif
