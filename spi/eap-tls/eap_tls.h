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

/* ---- what is in the tunnel of EAP-TTLS, RFC 5281 10 (avp.c) ----------------------- */

/** An EAP message as an AVP, padded. */
void eap_avp_put(struct wcur *w, struct view eap);
/**
 * The EAP message among AVPs.
 *
 * @param eap a view into in, or empty: there is none.
 * @return 0, ERR_SHORT (malformed), ERR_SYNTAX (two EAP messages), ERR_UNSUP (an
 *         unknown AVP that has to be understood).
 */
MUST_USE int eap_avps_take(struct view in, struct view *eap);

/* ---- what is in the tunnel of PEAP, [MS-PEAP] 2.2 (peap.c) ------------------------- */

#define EAP_PEAP_RESULT_LEN 6	/* bytes of a Result */

struct spi_eap_msg;

/** An EAP message without its header, but Results. */
void eap_peap_put(struct wcur *w, struct view eap);
/**
 * The EAP request in a message of the tunnel.
 *
 * @param id of the message outside, as those inside have none.
 * @return 0 or ERR_SHORT, ERR_SYNTAX (an answer, or anything but a request).
 */
MUST_USE int eap_peap_take(struct view in, uint8_t id, struct spi_eap_msg *m);
/** The type data of a Result: is it good?  0, ERR_SHORT, ERR_SYNTAX (none, or two,
 * or another value), ERR_UNSUP (something else that has to be understood). */
MUST_USE int eap_peap_result(struct view data, bool *is_good);
void eap_peap_result_put(struct wcur *w, bool is_good);

/* ---- TLS between two buffers (wire.c) --------------------------------------------- */

struct spi_eap_conf;

struct eap_wire {
	SSL *ssl;
	BIO *to, *from;		/* into TLS, out of TLS; the SSL has them */
	struct eap_frag frag;
	bool has_looked;	/* the host has said yes */
};

enum eap_shake {
	EAP_SHAKE_ON,		/* there is something to send, or it is done */
	EAP_SHAKE_LOOK,		/* the host has to look at a certificate */
	EAP_SHAKE_SHORT,	/* the message did not hold all of it */
	EAP_SHAKE_NO		/* TLS refuses; it may say why */
};

/** 0 or ERR_NOMEM; eap_wire_fini() is due in both cases. */
MUST_USE int eap_wire_open(struct eap_wire *w, const struct spi_eap_tls *t);
void eap_wire_fini(struct eap_wire *w);
bool eap_wire_is_13(const struct eap_wire *w);
/** What came in pieces goes into TLS.  0 or ERR_NOMEM. */
MUST_USE int eap_wire_feed(struct eap_wire *w);
/** What TLS wants to say is to be sent in pieces.  0, ERR_NOMEM or ERR_LONG. */
MUST_USE int eap_wire_collect(struct eap_wire *w);
/** ... or is never sent. */
void eap_wire_mute(struct eap_wire *w);
enum eap_shake eap_wire_shake(struct eap_wire *w);
/** Have the host look at the other end's certificate.  0 or its error. */
MUST_USE int eap_wire_look(struct eap_wire *w, const struct spi_eap_conf *c);
/**
 * The MSK: RFC 9427 2.1 with TLS 1.3, else by the method's own label.
 *
 * @return 0 or ERR_CRYPTO.
 */
MUST_USE int eap_wire_key(struct eap_wire *w, const char *label_12,
			  uint8_t type, uint8_t *msk);

#endif
