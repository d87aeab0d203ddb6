/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/eap-tls/eap_tls.h - what the files of this method share.
 */
#ifndef TAPIR_SPI_EAP_TLS_EAP_TLS_H
#define TAPIR_SPI_EAP_TLS_EAP_TLS_H

/* OpenSSL has a type of this name; ours is an error. */
#define ERR_STATE ossl_err_state_type
#include <openssl/err.h>
#include <openssl/ssl.h>
#undef ERR_STATE
#include "spi/spi_eap_tls.h"

struct spi_eap_tls {
	SSL_CTX *ctx;
	bool is_server;
};

/* ---- messages in pieces, RFC 5216 2.1.5 and 3.1 (frag.c) ------------------------ */

#define EAP_TLS_MAX (64u << 10)	/* bytes of a TLS message; ours */

#define EAP_TLS_F_LENGTH 0x80u
#define EAP_TLS_F_MORE	 0x40u
#define EAP_TLS_F_START	 0x20u

struct wcur;

/* Bytes that come in pieces, and bytes that go in pieces. */
struct eap_frag {
	uint8_t *in;		/* malloc()ed, grows with what came */
	size_t in_len, in_cap;
	size_t in_said;		/* length the first piece spoke of; 0 = none */
	uint8_t *out;		/* malloc()ed */
	size_t out_len, out_at;
};

enum eap_piece {
	EAP_PIECE_WHOLE,	/* in holds a message; eap_frag_taken() */
	EAP_PIECE_MORE,		/* a piece of theirs: acknowledge it */
	EAP_PIECE_ACK,		/* they have ours: send the next */
	EAP_PIECE_BAD
};

/** Take type data.  Whether it is an ack depends on what we sent before. */
enum eap_piece eap_frag_take(struct eap_frag *f, struct view data,
			     uint8_t *flags);
/** What came is used up. */
void eap_frag_taken(struct eap_frag *f);
/** Have a message to send.  0, ERR_NOMEM or ERR_LONG. */
MUST_USE int eap_frag_give(struct eap_frag *f, const uint8_t *p, size_t len);
/** Is there something left to send? */
bool eap_frag_is_sending(const struct eap_frag *f);
/** Write the next piece, room bytes at most; with nothing to send, an empty one,
 * which is an acknowledgement. */
void eap_frag_put(struct eap_frag *f, struct wcur *out, size_t room);
void eap_frag_fini(struct eap_frag *f);

#endif
