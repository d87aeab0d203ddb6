/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/spi_radius.h - RADIUS messages that carry EAP: RFC 2865, RFC 2869 5.13 and
 * 5.14, RFC 3579, keys by RFC 2548 2.4.
 *
 * Bytes only: who sends them when, and to which server, is secure-proc/eap's.
 * Message-Authenticator stands in every message we make, as its first attribute,
 * and in every one we take: without it an answer could be forged by who can
 * collide MD5.
 *
 * Thread: any after spi_radius_init().
 */
#ifndef TAPIR_SPI_SPI_RADIUS_H
#define TAPIR_SPI_SPI_RADIUS_H

#include "daemon/base/cur.h"
#include "spi/spi_eap.h"

#define SPI_RADIUS_MAX	  4096	/* bytes of a message, RFC 2865 3 */
#define SPI_RADIUS_AUTH	  16	/* an authenticator */
#define SPI_RADIUS_STATE  253	/* bytes of State */
#define SPI_RADIUS_PORT	  1812

enum spi_radius_code {
	SPI_RADIUS_REQUEST = 1,
	SPI_RADIUS_ACCEPT = 2,
	SPI_RADIUS_REJECT = 3,
	SPI_RADIUS_CHALLENGE = 11
};

/* An Access-Request; everything borrowed. */
struct spi_radius_ask {
	uint8_t id;
	uint8_t auth[SPI_RADIUS_AUTH];	/* random, new for each message */
	struct view secret;		/* shared with the server */
	struct view user;		/* User-Name: the EAP identity */
	struct view nas;		/* NAS-Identifier: our identity */
	struct view from;		/* Calling-Station-Id: address, as text */
	struct view state;		/* of the last challenge, or empty */
	struct view eap;		/* the client's message, whole */
};

/* An answer that was proved to be the server's. */
struct spi_radius_answer {
	enum spi_radius_code code;
	uint8_t eap[SPI_EAP_IN_MAX];	/* EAP-Message, put together */
	size_t eap_len;
	uint8_t state[SPI_RADIUS_STATE];
	size_t state_len;
	uint8_t msk[SPI_EAP_MSK];	/* of an Accept; the caller wipes it */
	bool has_msk;
	char user[SPI_EAP_USER_MAX + 1];/* User-Name of an Accept, or empty */
	uint32_t timeout_s;		/* Session-Timeout, 0 = none */
};

/** Fetch MD5 before confinement and try it.  0 or ERR_ALG. */
MUST_USE int spi_radius_init(void);
/** Write a request; 0, ERR_LONG (does not fit in one message) or ERR_CRYPTO. */
MUST_USE int spi_radius_enc(const struct spi_radius_ask *q, struct wcur *out);
/**
 * Take an answer to q.  Nothing of out is to be used on an error.
 *
 * @return 0; ERR_AUTH (not made by who has the secret, for this request, or
 *         without Message-Authenticator); ERR_SHORT, ERR_LONG, ERR_SYNTAX (not
 *         a RADIUS message); ERR_NOTFOUND (another identifier).
 */
MUST_USE int spi_radius_dec(const struct spi_radius_ask *q, struct view in,
			    struct spi_radius_answer *out);

#endif
