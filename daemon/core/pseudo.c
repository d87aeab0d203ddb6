/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/pseudo.c - the pseudo Ethernet address of a peer in IP mode.
 */
#include "daemon/core/pseudo.h"
#include <string.h>
#include "spi/spi_crypto.h"

#define SHA256_LEN 32

int
pseudo_mac(const struct mac *tap, const char *realm, const char *id,
	   struct mac *out)
{
	static const char what[] = "tapir pseudo address";
	/* With their final zeros: no two triples make one text. */
	const struct view part[] = {
		{ (const uint8_t *)what, sizeof(what) },
		{ tap->b, sizeof(tap->b) },
		{ (const uint8_t *)realm, strlen(realm) + 1 },
		{ (const uint8_t *)id, strlen(id) + 1 },
	};
	uint8_t sum[SHA256_LEN];
	int err;

	err = spi_crypto()->hash(SPI_HASH_SHA256, part, N_OF(part), sum);
	if (err != 0)
		return err;
	memcpy(out->b, sum, sizeof(out->b));
	out->b[0] = (uint8_t)((out->b[0] & 0xfc) | 0x02); /* local, unicast */
	return 0;
}
