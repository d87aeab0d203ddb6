/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/spi_cert.h - certificates, revocation and signatures as an exchangeable
 * provider.
 *
 * The provider reads and checks; it holds no policy of ours: who may be who,
 * which usage is right and what revocation means is decided by who calls
 * (secure-proc/verify/).  Private keys and strangers' certificates use the
 * same table, in different processes.
 *
 *   keys          key_read / key_uri -> sign;  key_spki -> check
 *   certificates  cert_read (one, DER) or bundle_read (a file) -> facts
 *   a chain       path_build: leaf, what came along, anchors -> path
 *   revocation    crl_read, crl_look;  ocsp_look
 *
 * Thread: one at a time for each object; nothing is shared between objects.
 */
#ifndef TAPIR_SPI_SPI_CERT_H
#define TAPIR_SPI_SPI_CERT_H

#include "daemon/base/base.h"

#define SPI_CERT_PATH_MAX  8	/* certificates from leaf to anchor; ours */
#define SPI_CERT_NAMES_MAX 64	/* subjectAltNames looked at; ours */
#define SPI_CERT_TEXT_MAX  256	/* a name as text, with NUL; ours */
#define SPI_CERT_URL_MAX   256	/* a distribution point, with NUL; ours */
#define SPI_SIG_MAX	   1024	/* RSA of 8192 bits */
#define SPI_SIG_ALG_MAX	   80	/* bytes of an AlgorithmIdentifier */
#define SPI_KEY_ID_LEN	   20	/* SHA-1 of a SubjectPublicKeyInfo */
#define SPI_CERT_WHY_MAX   200

struct spi_cert;		/* a certificate */
struct spi_pkey;		/* a key: public, or private as well */
struct spi_crl;

enum spi_key_kind {
	SPI_KEY_NONE,		/* nothing we use: unknown, explicit curve,
				 * RSA below 2048 or above 8192 bits */
	SPI_KEY_RSA,
	SPI_KEY_EC256,
	SPI_KEY_EC384,
	SPI_KEY_EC521,
	SPI_KEY_ED25519,
	SPI_KEY_ED448
};

/* A way to sign; SPI_HASH_* of spi_crypto.h by the number of RFC 7427. */
enum spi_sig_form {
	SPI_SIG_PKCS1,		/* RSASSA-PKCS1-v1_5 */
	SPI_SIG_PSS,		/* RSASSA-PSS, salt as long as the hash */
	SPI_SIG_ECDSA,		/* r and s as ECDSA-Sig-Value, DER */
	SPI_SIG_ECDSA_RAW,	/* r | s, RFC 4754 */
	SPI_SIG_ED		/* Ed25519, Ed448: no hash before */
};
/* Hash algorithms by their number in RFC 7427 7 (and RFC 8420); 1 is SHA-1,
 * which nothing here signs or checks with. */
enum {
	SPI_SIG_SHA256 = 2,
	SPI_SIG_SHA384 = 3,
	SPI_SIG_SHA512 = 4,
	SPI_SIG_IDENTITY = 5
};
struct spi_sig {
	enum spi_sig_form form;
	uint8_t hash;
};

enum spi_name_kind {
	SPI_NAME_DNS, SPI_NAME_EMAIL, SPI_NAME_IP, SPI_NAME_DN, SPI_NAME_OTHER
};
struct spi_cert_name {
	enum spi_name_kind kind;
	struct view data;	/* borrowed from the certificate; DN: DER */
};

/* Key usage, RFC 5280 4.2.1.3. */
#define SPI_KU_DIGITAL_SIGNATURE 0x01u
#define SPI_KU_NON_REPUDIATION	 0x02u
#define SPI_KU_CRL_SIGN		 0x04u
#define SPI_KU_CERT_SIGN	 0x08u
/* Extended key usage, RFC 4945 5.1.3.12. */
#define SPI_EKU_SERVER_AUTH	 0x01u
#define SPI_EKU_CLIENT_AUTH	 0x02u
#define SPI_EKU_IKE		 0x04u	/* id-kp-ipsecIKE, iKEIntermediate */
#define SPI_EKU_ANY		 0x08u

struct spi_cert_facts {
	bool is_ca;
	bool is_self_signed;	/* by name and by signature */
	bool has_usage, has_ext_usage;
	uint32_t usage, ext_usage;
	int64_t not_before, not_after; /* Unix time */
	enum spi_key_kind key;
	unsigned key_bits;
	char subject[SPI_CERT_TEXT_MAX];
	char issuer[SPI_CERT_TEXT_MAX];
	struct view subject_der; /* borrowed */
	unsigned n_name;
	struct spi_cert_name name[SPI_CERT_NAMES_MAX];
};

/* Leaf first, anchor last; borrowed from what went in. */
struct spi_cert_path {
	unsigned n;
	struct spi_cert *cert[SPI_CERT_PATH_MAX + 1];
};

/* What a source says about one certificate. */
enum spi_status { SPI_STATUS_UNKNOWN, SPI_STATUS_GOOD, SPI_STATUS_REVOKED };

struct spi_path_ask {
	struct spi_cert *leaf;
	struct spi_cert *const *other;	/* came along */
	unsigned n_other;
	struct spi_cert *const *anchor;	/* believed */
	unsigned n_anchor;
	int64_t now;		/* Unix time */
};

/** What bundle_read() finds, in its order; takes what it is given. */
struct spi_bundle_to {
	void *ctx;
	int (*cert)(void *ctx, struct spi_cert *c);
	int (*key)(void *ctx, struct spi_pkey *k);	/* NULL: none wanted */
	int (*crl)(void *ctx, struct spi_crl *c);	/* NULL: none wanted */
};

struct spi_certs {
	const char *name;

	/** Fetch what is needed later and try it, so that nothing is opened
	 * after confinement.  0 or ERR_CRYPTO. */
	int (*self_test)(void);
	/** Keep private keys in locked memory where the machine permits. */
	void (*lock_keys)(void);

	/* ---- keys */
	/** A key at a URI, through the library's stores.  May open files and
	 * devices.  why: SPI_CERT_WHY_MAX bytes, a sentence on failure. */
	int (*key_uri)(const char *uri, struct view pass, struct spi_pkey **out,
		       char *why);
	/** A public key, PEM or SubjectPublicKeyInfo. */
	int (*key_public)(struct view bytes, struct spi_pkey **out);
	/** NULL is fine; a private part is wiped. */
	void (*key_free)(struct spi_pkey *k);
	enum spi_key_kind (*key_kind)(const struct spi_pkey *k);
	/** SubjectPublicKeyInfo.  *out is malloc()ed. */
	int (*key_spki)(const struct spi_pkey *k, uint8_t **out, size_t *len);
	bool (*key_is_of)(const struct spi_pkey *k, const struct spi_cert *c);
	bool (*key_same)(const struct spi_pkey *a, const struct spi_pkey *b);
	/** Sign n parts in order.  out: SPI_SIG_MAX bytes. */
	int (*sign)(struct spi_pkey *k, const struct spi_sig *how,
		    const struct view *part, unsigned n, uint8_t *out,
		    size_t *len);
	/** 0 or ERR_AUTH (also when the key cannot have made such a thing). */
	int (*check)(struct spi_pkey *k, const struct spi_sig *how,
		     const struct view *part, unsigned n, struct view sig);

	/* ---- certificates */
	/** DER, nothing behind it.  0, ERR_SYNTAX or ERR_NOMEM. */
	int (*cert_read)(struct view der, struct spi_cert **out);
	void (*cert_free)(struct spi_cert *c);
	/** The whole certificate, borrowed. */
	struct view (*cert_der)(const struct spi_cert *c);
	void (*cert_facts)(const struct spi_cert *c, struct spi_cert_facts *out);
	/** Its public key; key_free() it.  NULL when there is none we use. */
	struct spi_pkey *(*cert_key)(const struct spi_cert *c);
	/** SHA-1 of its SubjectPublicKeyInfo, RFC 7296 3.7. */
	int (*cert_key_id)(const struct spi_cert *c,
			   uint8_t out[SPI_KEY_ID_LEN]);
	bool (*cert_same)(const struct spi_cert *a, const struct spi_cert *b);
	/** Is this name (DER) the subject, by the rules of RFC 5280 7.1? */
	bool (*cert_is_named)(const struct spi_cert *c, struct view dn);
	/** Where its CRL is: http URL i; false behind the last. */
	bool (*cert_crl_url)(const struct spi_cert *c, unsigned i,
			     char out[SPI_CERT_URL_MAX]);
	/**
	 * A file: PEM with anything in it, DER, or PKCS#12.
	 *
	 * @param pass passphrase, empty when there is none.
	 * @param why  SPI_CERT_WHY_MAX bytes: a sentence on failure.
	 * @return 0, ERR_SYNTAX (nothing usable in it), ERR_PERM (passphrase
	 *         missing or wrong), ERR_NOMEM, or what a function of to said.
	 */
	int (*bundle_read)(struct view bytes, struct view pass,
			   const struct spi_bundle_to *to, char *why);

	/** 0, or ERR_AUTH with a sentence.  RFC 5280 6: signatures, validity,
	 * basic and name constraints, path length, critical extensions,
	 * strength of keys and hashes. */
	int (*path_build)(const struct spi_path_ask *q,
			  struct spi_cert_path *out, char *why);

	/* ---- revocation */
	int (*crl_read)(struct view der, struct spi_crl **out);
	void (*crl_free)(struct spi_crl *c);
	/** Does it replace the other: same issuer, not older? */
	bool (*crl_is_newer)(const struct spi_crl *a, const struct spi_crl *b);
	/** Is it signed by this certificate, which may sign lists? */
	bool (*crl_is_by)(const struct spi_crl *crl,
			  const struct spi_cert *issuer);
	/** What a CRL says about a certificate, checked against its issuer.
	 * UNKNOWN when it is another's, not signed by it, or out of date. */
	enum spi_status (*crl_look)(const struct spi_crl *crl,
				    const struct spi_cert *c,
				    const struct spi_cert *issuer, int64_t now);
	/** The same of an OCSP response (RFC 6960): by the issuer, or by a
	 * responder the issuer delegated to; fresh. */
	enum spi_status (*ocsp_look)(struct view der, const struct spi_cert *c,
				     const struct spi_cert *issuer, int64_t now);
};

/**
 * The AlgorithmIdentifier of a way to sign, as RFC 7427 appendix A writes it.
 *
 * @param out SPI_SIG_ALG_MAX bytes.
 * @return bytes written; 0 when there is none (SPI_SIG_ECDSA_RAW).
 */
size_t spi_sig_alg(const struct spi_sig *how, uint8_t *out);
/** The way to sign that these bytes name: one of the permitted strings, nothing
 * is parsed.  SHA-1 is not among them.  False: not permitted. */
bool spi_sig_of_alg(struct view alg, struct spi_sig *out);

/** The built-in provider; never NULL. */
const struct spi_certs *spi_certs(void);

#endif
