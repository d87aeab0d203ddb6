/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/spi_crypto.h - the cryptography IKE needs, as an exchangeable provider.
 *
 * One table of functions: keyed hash, hash, sealing of messages, key exchange.
 * ESP has its own interface (spi_esp.h), because packets come in batches.
 *
 * Thread: every function may be called from any thread; a struct spi_dh_key
 * belongs to one thread at a time.
 */
#ifndef TAPIR_SPI_SPI_CRYPTO_H
#define TAPIR_SPI_SPI_CRYPTO_H

#include "daemon/base/base.h"

#define SPI_HASH_MAX	  64	/* SHA2-512 */
#define SPI_DH_PUBLIC_MAX 1568	/* ML-KEM-1024, either way */
#define SPI_DH_CLASSIC_MAX 384	/* MODP-3072 */
#define SPI_DH_SECRET_MAX 384	/* MODP-3072 */
#define SPI_AEAD_TAG	  16	/* every AEAD here */
#define SPI_AEAD_NONCE	  12
#define SPI_CBC_BLOCK	  16

/* Numbers are ours.  SHA-1 only for NAT detection (RFC 7296 2.23). */
enum spi_hash {
	SPI_HASH_NONE,
	SPI_HASH_SHA1,
	SPI_HASH_SHA256,
	SPI_HASH_SHA384,
	SPI_HASH_SHA512
};

enum spi_cipher {
	SPI_CIPHER_NONE,
	SPI_CIPHER_AES_GCM_128,
	SPI_CIPHER_AES_GCM_256,
	SPI_CIPHER_CHACHA20_POLY1305,
	SPI_CIPHER_AES_CBC_128,
	SPI_CIPHER_AES_CBC_256
};

enum spi_group {
	SPI_GROUP_NONE,
	SPI_GROUP_X25519,	/* RFC 8031 */
	SPI_GROUP_ECP_256,	/* RFC 5903 */
	SPI_GROUP_ECP_384,
	SPI_GROUP_MODP_2048,	/* RFC 3526 */
	SPI_GROUP_MODP_3072,
	SPI_GROUP_KEM_FIRST,
	SPI_GROUP_ML_KEM_512 = SPI_GROUP_KEM_FIRST, /* FIPS 203 */
	SPI_GROUP_ML_KEM_768,
	SPI_GROUP_ML_KEM_1024,
	SPI_GROUP_END
};

struct spi_dh_key;

struct spi_crypto {
	const char *name;

	/** Fetch everything that is needed later and try it once, so that no
	 * file is opened after confinement.  0 or ERR_CRYPTO. */
	int (*self_test)(void);

	/** Hash of n parts in order; out has spi_hash_len() bytes.
	 * 0 or ERR_CRYPTO. */
	int (*hash)(enum spi_hash h, const struct view *part, unsigned n,
		    uint8_t *out);
	/** HMAC of n parts in order (RFC 2104).  0 or ERR_CRYPTO. */
	int (*hmac)(enum spi_hash h, struct view key, const struct view *part,
		    unsigned n, uint8_t *out);

	/** Seal len bytes at data in place; tag gets SPI_AEAD_TAG bytes.
	 * 0 or ERR_CRYPTO. */
	int (*aead_seal)(enum spi_cipher c, const uint8_t *key,
			 const uint8_t *nonce, struct view aad, uint8_t *data,
			 size_t len, uint8_t *tag);
	/** Open in place.  ERR_ICV when the tag is wrong; data is undefined
	 * then. */
	int (*aead_open)(enum spi_cipher c, const uint8_t *key,
			 const uint8_t *nonce, struct view aad, uint8_t *data,
			 size_t len, const uint8_t *tag);
	/** AES-CBC over whole blocks in place, no padding.  0 or ERR_CRYPTO. */
	int (*cbc)(enum spi_cipher c, bool is_encrypt, const uint8_t *key,
		   const uint8_t *iv, uint8_t *data, size_t len);

	/** Make an ephemeral key pair.  0, ERR_ALG or ERR_CRYPTO. */
	int (*dh_new)(enum spi_group g, struct spi_dh_key **out);
	/** NULL is fine; the private part is wiped. */
	void (*dh_free)(struct spi_dh_key *k);
	/** Public value as it stands in a KE payload. */
	struct view (*dh_public)(const struct spi_dh_key *k);
	/** Shared secret with a peer's public value as received.
	 * ERR_KE: wrong length, not a member of the group, our own value, or
	 * an all-zero secret (RFC 6989, RFC 7748 6.1).
	 * @param secret SPI_DH_SECRET_MAX bytes; the caller wipes it. */
	int (*dh_derive)(struct spi_dh_key *k, struct view peer,
			 uint8_t *secret, size_t *secret_len);
	/** The same for a key encapsulation mechanism, where the ends differ:
	 * the initiator has dh_new() and dh_derive(), the responder answers
	 * the initiator's public value with this.
	 * @param out   holds the ciphertext as its public value.
	 * @param secret as for dh_derive().  ERR_KE, ERR_ALG or ERR_CRYPTO. */
	int (*kem_answer)(enum spi_group g, struct view peer,
			  struct spi_dh_key **out, uint8_t *secret,
			  size_t *secret_len);
	/** Can this group be used here?  KEMs need OpenSSL 3.5; known after
	 * self_test(). */
	bool (*group_usable)(enum spi_group g);
	/** As dh_new with a given private key; for known-answer tests. */
	int (*dh_load)(enum spi_group g, struct view priv,
		       struct spi_dh_key **out);
};

/** Length of a hash in bytes; 0 for SPI_HASH_NONE. */
size_t spi_hash_len(enum spi_hash h);
/** Key length in bytes. */
size_t spi_cipher_key_len(enum spi_cipher c);
bool spi_cipher_is_aead(enum spi_cipher c);
/** Length of an initiator's public value in a KE payload; 0 when unknown. */
size_t spi_group_public_len(enum spi_group g);
/** The same for a responder's answer; differs for a KEM. */
size_t spi_group_answer_len(enum spi_group g);
bool spi_group_is_kem(enum spi_group g);

/** The provider in use; never NULL. */
const struct spi_crypto *spi_crypto(void);
/** Use another one, before anything else is called; NULL: the built-in one.
 * For tests. */
void spi_crypto_use(const struct spi_crypto *p);

#endif
