/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/sig_alg.c - algorithm identifiers of signatures, RFC 7427 appendix A.
 *
 * What a peer sends is compared with the permitted byte strings and not parsed.
 * Of RSA there is more than one of them: parameters may be NULL or absent, and
 * the trailer of PSS may be written though it is the default.
 *
 * Thread: any.
 */
#include "spi/spi_cert.h"
#include <string.h>

struct fixed {
	enum spi_sig_form form;
	uint8_t hash;
	uint8_t len;
	uint8_t der[16];
};

/* The first of a kind is the one that is sent. */
static const struct fixed fixed[] = {
	{ SPI_SIG_ECDSA, SPI_SIG_SHA256, 12, { 0x30, 0x0a, 0x06, 0x08, 0x2a,
	  0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 } },
	{ SPI_SIG_ECDSA, SPI_SIG_SHA384, 12, { 0x30, 0x0a, 0x06, 0x08, 0x2a,
	  0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 } },
	{ SPI_SIG_ECDSA, SPI_SIG_SHA512, 12, { 0x30, 0x0a, 0x06, 0x08, 0x2a,
	  0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04 } },
	{ SPI_SIG_PKCS1, SPI_SIG_SHA256, 15, { 0x30, 0x0d, 0x06, 0x09, 0x2a,
	  0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00 } },
	{ SPI_SIG_PKCS1, SPI_SIG_SHA384, 15, { 0x30, 0x0d, 0x06, 0x09, 0x2a,
	  0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c, 0x05, 0x00 } },
	{ SPI_SIG_PKCS1, SPI_SIG_SHA512, 15, { 0x30, 0x0d, 0x06, 0x09, 0x2a,
	  0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d, 0x05, 0x00 } },
	{ SPI_SIG_PKCS1, SPI_SIG_SHA256, 13, { 0x30, 0x0b, 0x06, 0x09, 0x2a,
	  0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b } },
	{ SPI_SIG_PKCS1, SPI_SIG_SHA384, 13, { 0x30, 0x0b, 0x06, 0x09, 0x2a,
	  0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c } },
	{ SPI_SIG_PKCS1, SPI_SIG_SHA512, 13, { 0x30, 0x0b, 0x06, 0x09, 0x2a,
	  0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d } },
	/* RFC 8420 A.1, A.2 */
	{ SPI_SIG_ED, SPI_SIG_IDENTITY, 7, { 0x30, 0x05, 0x06, 0x03, 0x2b,
	  0x65, 0x70 } },
	{ SPI_SIG_ED, SPI_SIG_IDENTITY, 7, { 0x30, 0x05, 0x06, 0x03, 0x2b,
	  0x65, 0x71 } },
};

/* Last byte of the hash's object identifier and its length in bytes. */
static const struct {
	uint8_t hash, oid_end, bytes;
} pss_hash[] = {
	{ SPI_SIG_SHA256, 1, 32 },
	{ SPI_SIG_SHA384, 2, 48 },
	{ SPI_SIG_SHA512, 3, 64 },
};

static size_t
put(uint8_t *out, size_t at, const void *p, size_t n)
{
	memcpy(out + at, p, n);
	return at + n;
}

/* AlgorithmIdentifier of a SHA-2 hash. */
static size_t
put_hash(uint8_t *out, size_t at, uint8_t oid_end, bool has_null)
{
	static const uint8_t oid[] = { 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
				       0x65, 0x03, 0x04, 0x02 };

	out[at++] = 0x30;
	out[at++] = has_null ? 13 : 11;
	at = put(out, at, oid, sizeof(oid));
	out[at++] = oid_end;
	return has_null ? put(out, at, "\x05\x00", 2) : at;
}

/* RSASSA-PSS with one hash for all, RFC 4055 3.1. */
static size_t
pss(uint8_t *out, unsigned i, bool has_null, bool has_trailer)
{
	static const uint8_t pss_oid[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
					   0xf7, 0x0d, 0x01, 0x01, 0x0a };
	static const uint8_t mgf_oid[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
					   0xf7, 0x0d, 0x01, 0x01, 0x08 };
	uint8_t hash = has_null ? 15 : 13;	/* with its header */
	uint8_t params = (uint8_t)(2 + hash + 4 + 11 + hash + 5 +
	    (has_trailer ? 5 : 0));
	size_t at = 0;

	out[at++] = 0x30;
	out[at++] = (uint8_t)(sizeof(pss_oid) + 2 + params);
	at = put(out, at, pss_oid, sizeof(pss_oid));
	out[at++] = 0x30;
	out[at++] = params;
	out[at++] = 0xa0;
	out[at++] = hash;
	at = put_hash(out, at, pss_hash[i].oid_end, has_null);
	out[at++] = 0xa1;
	out[at++] = (uint8_t)(2 + 11 + hash);
	out[at++] = 0x30;
	out[at++] = (uint8_t)(11 + hash);
	at = put(out, at, mgf_oid, sizeof(mgf_oid));
	at = put_hash(out, at, pss_hash[i].oid_end, has_null);
	at = put(out, at, "\xa2\x03\x02\x01", 4);
	out[at++] = pss_hash[i].bytes;
	return has_trailer ? put(out, at, "\xa3\x03\x02\x01\x01", 5) : at;
}

size_t
spi_sig_alg(const struct spi_sig *how, uint8_t *out)
{
	for (unsigned i = 0; i < N_OF(fixed); i++)
		if (fixed[i].form == how->form && fixed[i].hash == how->hash)
			return put(out, 0, fixed[i].der, fixed[i].len);
	for (unsigned i = 0; how->form == SPI_SIG_PSS && i < N_OF(pss_hash);
	    i++)
		if (pss_hash[i].hash == how->hash)
			return pss(out, i, true, false);
	return 0;
}

bool
spi_sig_of_alg(struct view alg, struct spi_sig *out)
{
	uint8_t der[SPI_SIG_ALG_MAX];

	for (unsigned i = 0; i < N_OF(fixed); i++)
		if (alg.len == fixed[i].len &&
		    memcmp(alg.p, fixed[i].der, alg.len) == 0) {
			*out = (struct spi_sig){ fixed[i].form, fixed[i].hash };
			return true;
		}
	for (unsigned i = 0; i < 4 * N_OF(pss_hash); i++) {
		size_t n = pss(der, i / 4, (i & 1) != 0, (i & 2) != 0);

		if (alg.len == n && memcmp(alg.p, der, n) == 0) {
			*out = (struct spi_sig){ SPI_SIG_PSS,
						 pss_hash[i / 4].hash };
			return true;
		}
	}
	return false;
}
