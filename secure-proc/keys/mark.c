/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/mark.c - the fingerprint of a pre-shared key.
 */
#include "secure-proc/keys/mark.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "spi/spi_crypto.h"

#define SALT_MAX 600	/* two identities and a few bytes */

int
sec_pbkdf2(struct view pass, struct view salt, unsigned rounds, uint8_t out[32])
{
	static const uint8_t one[4] = { 0, 0, 0, 1 };
	const struct spi_crypto *cr = spi_crypto();
	struct view first[2] = { salt, { one, sizeof(one) } };
	uint8_t u[32];
	struct view again = { u, sizeof(u) };
	int err = cr->hmac(SPI_HASH_SHA256, pass, first, 2, u);

	memcpy(out, u, sizeof(u));
	for (unsigned i = 1; i < rounds && err == 0; i++) {
		err = cr->hmac(SPI_HASH_SHA256, pass, &again, 1, u);
		for (unsigned k = 0; k < sizeof(u); k++)
			out[k] ^= u[k];
	}
	wipe(u, sizeof(u));
	return err;
}

int
sec_mark_make(struct view psk, const char *id_a, const char *id_b,
	      unsigned rounds, char *out)
{
	bool is_sorted = strcmp(id_a, id_b) <= 0;
	uint8_t key[32];
	char salt[SALT_MAX];
	int err, n;

	if (psk.len == 0)
		return ERR_SHORT;
	n = snprintf(salt, sizeof(salt), "tapir psk%c%s%c%s", 0,
		     is_sorted ? id_a : id_b, 0, is_sorted ? id_b : id_a);
	if (n < 0 || (size_t)n >= sizeof(salt))
		return ERR_LONG;
	err = sec_pbkdf2(psk, (struct view){ (const uint8_t *)salt, (size_t)n },
			 rounds, key);
	if (err == 0)
		snprintf(out, SEC_MARK_DIGITS + 1, "%02x%x", key[0],
			 key[1] >> 4);
	wipe(key, sizeof(key));
	return err;
}
