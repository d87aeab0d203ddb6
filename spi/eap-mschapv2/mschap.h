/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/eap-mschapv2/mschap.h - the computations of MS-CHAPv2: RFC 2759 section 8,
 * RFC 3079 section 3.
 *
 * The hash of a password (mschap_hash) is as good as the password for who wants
 * to log in with this method.  Its strength is that of one DES key of 56 bits
 * against who hears both messages: it runs inside of IKE_AUTH only, towards a
 * gateway whose certificate was verified.
 *
 * Thread: any after mschap_init().
 */
#ifndef TAPIR_SPI_EAP_MSCHAPV2_MSCHAP_H
#define TAPIR_SPI_EAP_MSCHAPV2_MSCHAP_H

#include "daemon/base/base.h"

#define MSCHAP_CHALLENGE 16	/* of either side */
#define MSCHAP_HASH	 16
#define MSCHAP_RESPONSE	 24
#define MSCHAP_PROOF	 42	/* "S=" and 40 digits */
#define MSCHAP_KEY	 16	/* each of both master keys */
#define MSCHAP_PASS_MAX	 256	/* UTF-16 units, RFC 2759 8.1 */

/* One exchange. */
struct mschap {
	uint8_t server[MSCHAP_CHALLENGE];
	uint8_t peer[MSCHAP_CHALLENGE];
	struct view user;	/* with its domain, if it has one */
};

/** Fetch DES and SHA-1, so that nothing is opened after confinement.
 * 0 or ERR_ALG (a library without them). */
MUST_USE int mschap_init(void);

/** The part of a name behind "DOMAIN\", RFC 2759 8.2. */
struct view mschap_user(struct view name);
/** Hash of a password in UTF-8.  0, ERR_SYNTAX (not UTF-8), ERR_LONG. */
MUST_USE int mschap_hash(struct view password, uint8_t hash[MSCHAP_HASH]);
/** NT-Response.  0 or ERR_CRYPTO. */
MUST_USE int mschap_response(const struct mschap *x,
			     const uint8_t hash[MSCHAP_HASH],
			     uint8_t out[MSCHAP_RESPONSE]);
/** What the server proves itself with.  0 or ERR_CRYPTO. */
MUST_USE int mschap_proof(const struct mschap *x,
			  const uint8_t hash[MSCHAP_HASH],
			  const uint8_t response[MSCHAP_RESPONSE],
			  uint8_t out[MSCHAP_PROOF]);
/**
 * Master keys of 128 bits, RFC 3079 3.4.
 *
 * @param to_server what the client sends with and the server receives with.
 * @param to_client the other direction.
 */
MUST_USE int mschap_keys(const uint8_t hash[MSCHAP_HASH],
			 const uint8_t response[MSCHAP_RESPONSE],
			 uint8_t to_server[MSCHAP_KEY],
			 uint8_t to_client[MSCHAP_KEY]);
/** Insert parity bits: 7 bytes of key become 8.  For tests. */
void mschap_des_key(const uint8_t in[7], uint8_t out[8]);

#endif
