/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/spi_eap.h - an EAP method, as either end, as an exchangeable provider.
 *
 * A method sees type data only (RFC 3748 section 4.1, behind the type byte).
 * The frame, identifiers, Identity, Nak, Success, Failure and the limits of a
 * conversation belong to who drives it (secure-proc/eap/run.h), once for all
 * methods:
 *
 *   server   step(nothing) -> request, step(response) -> request, ... DONE
 *   client   step(request) -> response, ...                           DONE
 *
 * A method asks its host for what it must know and never looks for it itself:
 * the hash of a password, its certificate, whether a stranger's certificate is
 * good.  DONE of a server means: proved.  DONE of a client means: from here on a
 * Success may come, and nothing else; READY: a Success, or more of the method.
 *
 * Thread: one for each conversation; a method opens nothing after init().
 */
#ifndef TAPIR_SPI_SPI_EAP_H
#define TAPIR_SPI_SPI_EAP_H

#include "daemon/base/cur.h"
#include "spi/spi.h"

#define SPI_EAP_MSK	  64	/* bytes of a session key, RFC 3748 7.10 */
#define SPI_EAP_MTU	  1020	/* bytes of a message we make; RFC 3748 3.1 */
#define SPI_EAP_IN_MAX	  4096	/* bytes of one we take; ours */
#define SPI_EAP_USER_MAX  253	/* bytes of an identity, RFC 7542 2.2 */
#define SPI_EAP_NT_HASH	  16	/* bytes of a password's hash */
#define SPI_EAP_WHY_MAX	  200

/* Types, RFC 3748 section 5 and IANA. */
enum spi_eap_type {
	SPI_EAP_IDENTITY = 1,
	SPI_EAP_NOTIFICATION = 2,
	SPI_EAP_NAK = 3,
	SPI_EAP_TLS = 13,
	SPI_EAP_TTLS = 21,
	SPI_EAP_PEAP = 25,
	SPI_EAP_MSCHAPV2 = 26,
	SPI_EAP_TLV = 33,	/* in the tunnel of PEAP */
	SPI_EAP_EXPANDED = 254
};

enum spi_eap_code {
	SPI_EAP_REQUEST = 1,
	SPI_EAP_RESPONSE = 2,
	SPI_EAP_SUCCESS = 3,
	SPI_EAP_FAILURE = 4
};

/* What a step comes to. */
enum spi_eap_end {
	SPI_EAP_MORE,		/* out is to be sent */
	SPI_EAP_DONE,		/* the method has finished and has its key; a
				 * client may have something in out */
	SPI_EAP_READY,		/* client: out is to be sent, there is a key; a
				 * Success may come, or more of the method */
	SPI_EAP_WAIT,		/* the host looks at a certificate; go_on() */
	SPI_EAP_IGNORE,		/* not a message of now: as if never received */
	SPI_EAP_FAIL		/* over; out may hold a last word of a client */
};

/* What a method asks for.  Borrowed; answers are for the call. */
struct spi_eap_host {
	/** MD4 of the password of user.  0 or ERR_NOTFOUND, which a server does
	 * not show: it goes on with a hash nobody has. */
	int (*nt_hash)(void *ctx, struct view user,
		       uint8_t out[SPI_EAP_NT_HASH]);
	/** The certificates a stranger showed, DER, leaf first: begin to look
	 * at them.  0: the host calls go_on() later, perhaps at once, but not
	 * from inside of this. */
	int (*look)(void *ctx, const struct view *der, unsigned n);
};

struct spi_eap_conf {
	bool is_server;
	const struct spi_eap_host *host;
	void *ctx;
	struct view user;	/* its EAP identity; copied */
	struct view name;	/* server: what it calls itself; copied */
	/* With certificates: our own and the settings; borrowed. */
	struct spi_eap_tls *tls;
};

/* What came of a conversation. */
struct spi_eap_result {
	uint8_t msk[SPI_EAP_MSK];	/* the caller wipes it */
	char user[SPI_EAP_USER_MAX + 1];/* whom the method proved, or empty */
	char why[SPI_EAP_WHY_MAX];	/* a sentence on failure, for the log */
};

struct spi_eap_run;		/* one conversation of one method */

/* What a method is, and what RFC 3748 7.2.1 wants claimed. */
#define SPI_EAP_F_MUTUAL 0x01u	/* the server is proved too */
#define SPI_EAP_F_ALONE	 0x02u	/* good enough without a certificate of the
				 * gateway: mutual, keys, no dictionary attack
				 * by who listens (RFC 5998 section 4) */
#define SPI_EAP_F_TLS	 0x04u	/* needs conf.tls */

struct spi_eap {
	struct spi_head head;
	uint8_t type;		/* enum spi_eap_type */
	uint32_t flags;		/* SPI_EAP_F_* */

	/** Before confinement.  0, ERR_UNSUP or ERR_ALG. */
	int (*init)(void);
	/** 0, ERR_NOMEM, ERR_LONG (a name), ERR_RANDOM. */
	int (*open)(const struct spi_eap_conf *c, struct spi_eap_run **out);
	/** Wipes; NULL is fine. */
	void (*close)(struct spi_eap_run *r);
	/**
	 * One message.
	 *
	 * @param id  identifier of the frame in came in; of the frame out goes
	 *            in, as server.
	 * @param in  type data; a server's first step has none.
	 * @param out type data of the answer, of SPI_EAP_MTU bytes at most.
	 * @param res why is written on FAIL and msk and user on DONE, READY.
	 */
	enum spi_eap_end (*step)(struct spi_eap_run *r, uint8_t id,
				 struct view in, struct wcur *out,
				 struct spi_eap_result *res);
	/** The answer to look(): err 0 or not, and why not.  As step() would
	 * have ended, never WAIT.  NULL where look() is not used. */
	enum spi_eap_end (*go_on)(struct spi_eap_run *r, int err,
				  const char *why, struct wcur *out,
				  struct spi_eap_result *res);
};

/* ---- the frame, RFC 3748 section 4 ------------------------------------------- */

struct spi_eap_msg {
	uint8_t code, id;
	uint8_t type;		/* 0 with Success and Failure */
	struct view data;	/* type data, borrowed */
};
/** 0, ERR_SHORT, ERR_LONG, ERR_TRAIL (the length is not that of the message),
 * ERR_SYNTAX (unknown code, or Success with data). */
MUST_USE int spi_eap_dec(struct view in, struct spi_eap_msg *out);
/** The whole frame; w->err tells of overflow. */
void spi_eap_enc(struct wcur *w, const struct spi_eap_msg *m);

/* ---- built-in methods -------------------------------------------------------- */

/** By type or by name, or NULL. */
const struct spi_eap *spi_eap_find(uint8_t type);
const struct spi_eap *spi_eap_named(const char *name);
/** MD4 of a password in UTF-8, for who makes a users file.
 * 0, ERR_SYNTAX or ERR_LONG. */
MUST_USE int spi_eap_nt_hash(struct view password,
			     uint8_t out[SPI_EAP_NT_HASH]);

#endif
