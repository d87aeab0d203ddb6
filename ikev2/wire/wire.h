/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/wire.h - IKEv2 messages as bytes and as structs, RFC 7296
 * section 3.
 *
 *   datagram -> ike_hdr_decode -> ike_pls_decode (what is in clear)
 *            -> dec_sk, decrypt -> ike_pls_decode (what was inside SK)
 *            -> ike_rules_check (ikev2/wire/rules.h)
 *
 *   ike_build_init -> { ike_build_begin, enc_*, ike_build_end }* -> finish
 *
 * All is pure: no state, no system call, no memory but the arena given.
 * Structs hold host order.  Views point into the bytes that were decoded and
 * live as long as those; arrays live as long as the arena.
 *
 * Results are written on success only, unless the comment says otherwise.
 * Thread: any.
 */
#ifndef TAPIR_IKEV2_WIRE_WIRE_H
#define TAPIR_IKEV2_WIRE_WIRE_H

#include "daemon/base/arena.h"
#include "daemon/base/base.h"
#include "daemon/base/cur.h"
#include "daemon/base/vpn.h"

/* ---- numbers: IKE_XCHG_IKE_AUTH, IKE_PL_SA, IKE_N_COOKIE, ... ------------ */

enum {
#define IANA(set_, name_, num_, text_) IKE_##set_##_##name_ = (num_),
#include "ikev2/wire/iana.def"
#undef IANA
};

/* Sets of numbers, for the name lookup. */
enum ike_set {
	IKE_SET_XCHG,	/* exchange types */
	IKE_SET_PL,	/* payload types */
	IKE_SET_PROTO,	/* security protocols */
	IKE_SET_TRT,	/* transform types */
	IKE_SET_ENCR,
	IKE_SET_PRF,
	IKE_SET_INTEG,
	IKE_SET_KE,	/* key exchange methods, "groups" */
	IKE_SET_SN,
	IKE_SET_ATTR,	/* transform attributes */
	IKE_SET_ID,
	IKE_SET_CERT,
	IKE_SET_AUTH,
	IKE_SET_HASH,
	IKE_SET_N,	/* notify message types */
	IKE_SET_TS,
	IKE_SET_CP,
	IKE_SET_CA,	/* configuration attributes */
	IKE_SET_EAP,
	IKE_SET_END
};

#define IKE_WORD_MAX 24 /* "unknown(4294967295)" and room */

/**
 * The name of a number.
 *
 * @param set  which registry.
 * @param num  the number, as on the wire.
 * @param out  IKE_WORD_MAX bytes, used only when the name is unknown.
 * @return the static name, or out holding "unknown(NN)"; never NULL.
 */
const char *ike_name(enum ike_set set, unsigned num, char *out);
/** The set of the transform ids of a transform type; IKE_SET_END if unknown. */
enum ike_set ike_tr_set(uint8_t tr_type);
/** The same for one transform id: "AES-GCM-16", or "unknown(77)". */
const char *ike_tr_name(uint8_t tr_type, uint16_t id, char *out);

/* ---- bounds: RFC 7296 sets none, these are ours -------------------------- */

#define IKE_HDR_LEN		28
#define IKE_PL_HDR_LEN		4
#define IKE_MAX_MSG_BYTES	65535	/* what a UDP datagram can carry */
#define IKE_MAX_PAYLOADS	64	/* of one message, skipped ones too */
#define IKE_MAX_PROPOSALS	32	/* of one SA payload */
#define IKE_MAX_TRANSFORMS	128	/* of one SA payload */
#define IKE_MAX_TR_ATTRS	64	/* of one transform */
#define IKE_MAX_SELECTORS	64	/* of one TS payload */
#define IKE_MAX_CERTS		8	/* of one message */
#define IKE_MAX_CERT_BYTES	65536	/* all of one message together */
#define IKE_MAX_CERTREQ_HASHES	64	/* of one message */
#define IKE_MAX_NOTIFIES	32	/* of one message */
#define IKE_MAX_CP_ATTRS	64	/* of one CP payload */
#define IKE_MAX_DELETE_SPIS	64	/* of one message */
#define IKE_MAX_FRAGMENTS	64	/* of one message, RFC 7383: 32 kB in
					 * datagrams of 576 */
#define IKE_MIN_NONCE		16	/* RFC 7296 3.9 */
#define IKE_MAX_NONCE		256	/* RFC 7296 3.9 */
#define IKE_MAX_SPI		8	/* of a known protocol */
#define IKE_CERTREQ_HASH_LEN	20	/* SHA-1 of a key, RFC 7296 3.7 */

/* ---- errors -------------------------------------------------------------- */

/* What was wrong, and what a protected answer may say about it (RFC 7296
 * 2.21, 2.5).  Written whenever a function below that takes one fails. */
struct ike_perr {
	int err;		/* the ERR_* that was returned */
	uint8_t pl_type;	/* payload at fault; IKE_PL_NONE if none */
	uint16_t notify;	/* IKE_N_* to answer with; 0 = none applies */
	uint8_t n_data;		/* length of its notification data */
	uint8_t data[1];	/* the type, for UNSUPPORTED_CRITICAL_PAYLOAD */
};

/* ---- header, RFC 7296 3.1 (hdr.c) ---------------------------------------- */

struct ike_hdr {
	uint64_t ispi, rspi;
	uint8_t next;		/* type of the first payload */
	uint8_t major, minor;	/* 2, 0 when sending */
	uint8_t xchg;		/* IKE_XCHG_*, or any other number */
	bool is_initiator;	/* I: sent by the original initiator */
	bool is_response;	/* R */
	bool is_version;	/* V: speaks a higher major version too */
	uint32_t msgid;
	uint32_t len;		/* whole message */
};

/**
 * Decode the header of a datagram (non-ESP marker already removed).
 *
 * @param dgram  the whole message; its length must be the header's.
 * @param out    written on success and for ERR_VERSION.
 * @return 0; ERR_SHORT: no full header, or Length beyond the datagram, or
 *         below 28; ERR_TRAIL: datagram longer than Length;
 *         ERR_VERSION: major version is not 2 (answer with
 *         INVALID_MAJOR_VERSION only if out->major > 2);
 *         ERR_RANGE: initiator's SPI is zero (some unprotected hints of
 *         1.5 look so; they are of no use).
 * RFC 7296 3.1, 2.5.
 */
MUST_USE int ike_hdr_decode(struct view dgram, struct ike_hdr *out);
/** Append the header; version, reserved bits and V as RFC 7296 3.1 wants
 * them from a sender (2.0, V clear), all else from h. */
void ike_hdr_encode(struct wcur *w, const struct ike_hdr *h);

/* ---- payload chain, RFC 7296 3.2 (chain.c) ------------------------------- */

struct ike_pl {
	uint8_t type;		/* IKE_PL_*, always a known one */
	bool is_critical;	/* as received; of no consequence when known */
	struct view body;	/* without the generic header */
};
struct ike_chain {
	unsigned n;
	uint8_t sk_first;	/* SK, SKF: first payload inside; always last */
	struct ike_pl pl[IKE_MAX_PAYLOADS];
};

/** True for the payload types this folder decodes. */
bool ike_pl_is_known(uint8_t type);
/**
 * Cut a run of payloads.  Unknown ones are skipped unless critical.
 *
 * @param body   what follows the IKE header, or a decrypted SK body without
 *               padding.
 * @param first  type of the first payload; IKE_PL_NONE wants an empty body.
 * @param out    written also on failure, then of no meaning.
 * @param perr   written on failure.
 * @return 0; ERR_SHORT, ERR_TRAIL: lengths do not fit; ERR_LIMIT: more than
 *         IKE_MAX_PAYLOADS; ERR_CRITICAL: unknown and critical.
 * RFC 7296 3.2, 2.5.
 */
MUST_USE int ike_chain_decode(struct view body, uint8_t first,
			      struct ike_chain *out, struct ike_perr *perr);

/* ---- payloads ------------------------------------------------------------ */
/*
 * dec_x() reads one payload's body to its end; enc_x() appends one body.
 * Errors of decoders unless noted: ERR_SHORT, ERR_LONG, ERR_TRAIL (lengths),
 * ERR_SYNTAX (contradiction), ERR_RANGE (value), ERR_LIMIT (a bound above),
 * ERR_NOMEM (arena).  Encoders report through w->err.
 */

/* SA, 3.3 (pl_sa.c) */
struct ike_tr {
	uint8_t type;		/* IKE_TRT_*, or unknown: skip proposal */
	bool is_odd;		/* has an attribute we do not know, or a key
				 * length twice: never choose it (3.3.6) */
	uint16_t id;		/* IKE_ENCR_*, IKE_PRF_*, ... by type */
	uint16_t key_bits;	/* 0 = no key length attribute */
};
struct ike_prop {
	uint8_t num;		/* 1.. */
	uint8_t proto;		/* IKE_PROTO_*, or unknown: skip it */
	struct view spi;	/* IKE: 0 or 8 bytes; AH, ESP: 4 */
	unsigned n_tr;
	const struct ike_tr *tr;
};
struct ike_props {
	unsigned n;		/* at least 1 */
	const struct ike_prop *prop;
};
MUST_USE int dec_sa(struct arena *a, struct cur *c, struct ike_props *out);
void enc_sa(struct wcur *w, const struct ike_props *sa);

/* KE, 3.4 (pl_ke.c) */
struct ike_ke {
	uint16_t group;		/* IKE_KE_* */
	struct view data;	/* never empty; length is not checked */
};
MUST_USE int dec_ke(struct cur *c, struct ike_ke *out);
void enc_ke(struct wcur *w, const struct ike_ke *ke);

/* IDi, IDr, 3.5 (pl_id.c) */
struct ike_id {
	uint8_t type;		/* IKE_ID_*, or unknown */
	struct view data;	/* addresses have their length, names no control
				 * characters; empty only for IKE_ID_NULL */
	struct view raw;	/* the whole body: RestOfIDPayload of 2.15;
				 * not read by enc_id */
};
MUST_USE int dec_id(struct cur *c, struct ike_id *out);
void enc_id(struct wcur *w, const struct ike_id *id);

/* CERT 3.6, CERTREQ 3.7 (pl_cert.c) */
struct ike_cert {
	uint8_t enc;		/* IKE_CERT_* */
	struct view data;	/* never empty; parsed elsewhere */
};
struct ike_certreq {
	uint8_t enc;
	struct view data;	/* X.509: hashes of 20 bytes; the bound is for
				 * n_hash, what is beyond it is not looked at */
	unsigned n_hash;	/* 0 unless X.509 */
};
MUST_USE int dec_cert(struct cur *c, struct ike_cert *out);
void enc_cert(struct wcur *w, const struct ike_cert *cert);
MUST_USE int dec_certreq(struct cur *c, struct ike_certreq *out);
void enc_certreq(struct wcur *w, const struct ike_certreq *req);

/* AUTH, 3.8 (pl_auth.c) */
struct ike_auth {
	uint8_t method;		/* IKE_AUTH_* */
	struct view data;	/* never empty */
};
MUST_USE int dec_auth(struct cur *c, struct ike_auth *out);
void enc_auth(struct wcur *w, const struct ike_auth *auth);

/* Ni, Nr, 3.9 (pl_nonce.c): 16 to 256 bytes */
MUST_USE int dec_nonce(struct cur *c, struct view *out);
void enc_nonce(struct wcur *w, struct view nonce);

/* N, 3.10 (pl_notify.c).  Types whose data have a fixed shape are checked:
 * COOKIE, COOKIE2, INVALID_KE_PAYLOAD, NAT_DETECTION_*, SET_WINDOW_SIZE,
 * REKEY_SA, ... */
struct ike_ntf {
	uint8_t proto;		/* IKE_PROTO_*; NONE whenever spi is empty */
	uint16_t type;		/* IKE_N_*, or any other number */
	struct view spi;
	struct view data;
};
MUST_USE int dec_notify(struct cur *c, struct ike_ntf *out);
void enc_notify(struct wcur *w, const struct ike_ntf *n);
/** True for error types (below 16384), known or not. */
bool ike_ntf_is_error(uint16_t type);

/* D, 3.11 (pl_delete.c) */
struct ike_del {
	uint8_t proto;		/* IKE (then n_spi is 0), AH or ESP */
	unsigned n_spi;
	struct view spis;	/* n_spi times 4 bytes */
};
MUST_USE int dec_delete(struct cur *c, struct ike_del *out);
void enc_delete(struct wcur *w, const struct ike_del *d);
/** SPI number i in host order; 0 when i >= n_spi. */
uint32_t ike_del_spi(const struct ike_del *d, unsigned i);

/* PUZZLE and PS, RFC 8019 8 (pl_ps.c) */
#define IKE_PS_KEYS	4	/* keys of a solution */
#define IKE_PS_KEY_MAX	64	/* preferred key length of the longest PRF */
struct ike_puzzle {
	uint16_t prf;		/* IKE_PRF_*, or any other number */
	uint8_t bits;		/* trailing zeros; 0 = as many as you like */
};
struct ike_ps {
	size_t key_len;		/* bytes of each key, at least 1 */
	struct view keys;	/* IKE_PS_KEYS of them, back to back */
};
/** The data of an N(PUZZLE). */
MUST_USE int dec_puzzle(struct cur *c, struct ike_puzzle *out);
void enc_puzzle(struct wcur *w, const struct ike_puzzle *puzzle);
MUST_USE int dec_ps(struct cur *c, struct ike_ps *out);
void enc_ps(struct wcur *w, const struct ike_ps *ps);
/** The PRFs of the proposals in an SA payload's body: bit n = PRF number n, of
 * those below 32.  Allocates nothing; 0 for what is malformed. */
uint32_t ike_sa_prfs(struct view body);

/* V, 3.12 (pl_vid.c) */
MUST_USE int dec_vid(struct cur *c, struct view *out);
void enc_vid(struct wcur *w, struct view vid);

/* TSi, TSr, 3.13 (pl_ts.c) */
struct ike_tss {
	unsigned n;
	unsigned n_skipped;	/* of a type we do not know; n may be 0 then */
	const struct vpn_ts *ts;
};
MUST_USE int dec_ts(struct arena *a, struct cur *c, struct ike_tss *out);
void enc_ts(struct wcur *w, const struct ike_tss *ts);

/* CP, 3.15 (pl_cp.c) */
struct ike_cp_attr {
	uint16_t type;		/* IKE_CA_*, 15 bits */
	struct view value;	/* length checked for the fixed-size ones */
};
struct ike_cp {
	uint8_t type;		/* IKE_CP_*, or unknown */
	unsigned n;
	const struct ike_cp_attr *attr;
};
MUST_USE int dec_cp(struct arena *a, struct cur *c, struct ike_cp *out);
void enc_cp(struct wcur *w, const struct ike_cp *cp);

/* EAP, 3.16 (pl_eap.c) */
struct ike_eap {
	uint8_t code;		/* IKE_EAP_* */
	uint8_t id;
	uint8_t type;		/* of requests and responses, else 0 */
	struct view data;	/* type data */
	struct view raw;	/* the whole EAP message; not read by enc_eap */
};
MUST_USE int dec_eap(struct cur *c, struct ike_eap *out);
void enc_eap(struct wcur *w, const struct ike_eap *eap);

/* SK 3.14, SKF RFC 7383 2.5 (pl_sk.c): framing only, no cryptography */
struct ike_sk {
	uint16_t frag_num;	/* 1..frag_total; 0 for SK */
	uint16_t frag_total;
	struct view iv, ct, icv; /* ct holds payloads, padding, pad length */
};
/**
 * Split the body of an SK or SKF payload.
 *
 * @param body   body of a payload of type pl_type, from the chain.
 * @param first  ike_chain.sk_first; must be 0 in SKF fragments but the first.
 * @return 0; ERR_SHORT: no room for IV, one byte and ICV; ERR_RANGE:
 *         fragment numbers; ERR_SYNTAX: next payload of a later fragment;
 *         ERR_LIMIT: more than IKE_MAX_FRAGMENTS.
 */
MUST_USE int dec_sk(struct view body, uint8_t pl_type, uint8_t first,
		    size_t iv_len, size_t icv_len, struct ike_sk *out);

/* ---- a whole message or SK content (pls.c) ------------------------------- */

/* Everything that one run of payloads held.  NULL = absent. */
struct ike_pls {
	const struct ike_props *sa;
	const struct ike_ke *ke;
	const struct view *nonce;
	const struct ike_id *idi, *idr;
	const struct ike_auth *auth;
	const struct ike_tss *tsi, *tsr;
	const struct ike_cp *cp;
	const struct ike_eap *eap;
	unsigned n_cert, n_certreq, n_ntf, n_del, n_vid;
	const struct ike_cert *cert;
	const struct ike_certreq *certreq;
	const struct ike_ntf *ntf;
	const struct ike_del *del;
	const struct view *vid;
	/* SK or SKF, always the last payload; sk_type 0 = absent */
	uint8_t sk_type;
	uint8_t sk_first;
	struct view sk;		/* body; what lies before it is the AAD */
	/* in order of the message, SK included */
	unsigned n_pl;
	const struct ike_pl *pl;
};

/**
 * Decode all payloads of one run (in clear, or what SK held).
 *
 * @param a      arrays come from here; what it holds lives with the exchange.
 * @param h      header of the message: a response has exactly one proposal,
 *               a request numbers its proposals 1, 2, 3 ... (3.3.1).
 * @param body   bytes; borrowed by the views in out.
 * @param first  type of the first payload: h->next or ike_pls.sk_first.
 * @param out    written on success.
 * @param perr   written on failure: which payload, what to answer.
 * @return 0, ERR_CRITICAL, ERR_GRAMMAR (a payload twice that may be there
 *         once), ERR_LIMIT, ERR_NOMEM, or what the decoders say.
 */
MUST_USE int ike_pls_decode(struct arena *a, const struct ike_hdr *h,
			    struct view body, uint8_t first,
			    struct ike_pls *out, struct ike_perr *perr);
/** How many payloads of a type were there. */
unsigned ike_pls_count(const struct ike_pls *p, uint8_t pl_type);
/** First notify of a type; NULL for not there. */
const struct ike_ntf *ike_ntf_find(const struct ike_pls *p, uint16_t type);
/** First notify that is an error; NULL for none. */
const struct ike_ntf *ike_ntf_error(const struct ike_pls *p);

/* ---- building (build.c) -------------------------------------------------- */

/*
 * A chain under construction.  Errors are sticky in b.w and reported once by
 * finish.  To protect a message, build the inner chain with
 * ike_build_init_inner, then the outer message with ike_build_init and
 * ike_build_sk, and encrypt into the room that leaves.
 */
struct ike_build {
	struct wcur w;		/* for enc_*() between begin and end */
	uint8_t first;		/* type of the first payload, IKE_PL_NONE yet */
	bool has_hdr;
	bool is_open;		/* between begin and end */
	bool is_sealed;		/* SK was added: nothing may follow */
	int err;		/* misuse: begin, end out of order */
	size_t next_at;		/* Next Payload byte to patch; valid if first */
	size_t pl_at;		/* where the open payload begins */
};
/* Where the parts of an SK payload lie in the buffer. */
struct ike_sk_room {
	size_t aad_len;		/* from offset 0: header to the IV (RFC 5282) */
	size_t iv_at, ct_at, icv_at;
	size_t msg_len;		/* = icv_at + icv_len */
};

/** Begin a message at buf.  h is copied into place; next and len are set by
 * the builder. */
void ike_build_init(struct ike_build *b, uint8_t *buf, size_t cap,
		    const struct ike_hdr *h);
/** Begin a chain without header: the content of an SK payload. */
void ike_build_init_inner(struct ike_build *b, uint8_t *buf, size_t cap);
/** Begin a payload; its body comes from enc_*(&b->w, ...).
 * @return its offset. */
size_t ike_build_begin(struct ike_build *b, uint8_t pl_type, bool is_critical);
/** End the payload: its length is known now. */
void ike_build_end(struct ike_build *b);
/** Begin, encode a notify, end; the most frequent payload. */
void ike_build_notify(struct ike_build *b, uint8_t proto, uint16_t type,
		      struct view spi, struct view data);
/**
 * Append an SK payload (skf NULL) or SKF fragment (skf: frag_num, frag_total)
 * as last payload and leave room for IV, ciphertext and ICV.
 *
 * @param inner_first  first payload inside (0 in fragments but the first).
 * @param ct_len       length with padding and pad length byte.
 * @param room         offsets from the start of the buffer; zero on failure.
 */
void ike_build_sk(struct ike_build *b, uint8_t inner_first,
		  const struct ike_sk *skf, size_t iv_len, size_t ct_len,
		  size_t icv_len, struct ike_sk_room *room);
/**
 * Patch the lengths.
 *
 * @param out  the message, or the inner chain (its first type is b->first).
 * @return 0, ERR_LONG (did not fit, or beyond a length field), ERR_INTERNAL
 *         (begin and end do not pair).
 */
MUST_USE int ike_build_finish(struct ike_build *b, struct view *out);

#endif
