/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_radius.c - any bytes as a RADIUS answer: as they are, and as the
 * attributes of an answer that a server which has the secret has signed.
 */
#define ERR_STATE ossl_err_state_type
#include <openssl/evp.h>
#include <openssl/hmac.h>
#undef ERR_STATE
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "spi/spi_radius.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "secret"
#define HEAD   38	/* header and Message-Authenticator */

/* Sign what stands behind HEAD. */
static void
sign(uint8_t *p, size_t len, const uint8_t auth[16], uint8_t code)
{
	uint8_t whole[SPI_RADIUS_MAX + sizeof(SECRET)];
	unsigned n = 0;

	p[0] = code;
	p[1] = 7;
	be16_put(p + 2, (uint16_t)len);
	memcpy(p + 4, auth, 16);
	p[20] = 80;
	p[21] = 18;
	memset(p + 22, 0, 16);
	if (HMAC(EVP_md5(), SECRET, (int)strlen(SECRET), p, len, whole, &n) ==
	    NULL)
		abort();
	memcpy(p + 22, whole, 16);
	memcpy(whole, p, len);
	memcpy(whole + len, SECRET, strlen(SECRET));
	if (EVP_Digest(whole, len + strlen(SECRET), p + 4, &n, EVP_md5(),
		       NULL) != 1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct spi_radius_answer a;
	struct spi_radius_ask q = {
		.id = 7, .secret = { (const uint8_t *)SECRET, strlen(SECRET) }
	};
	uint8_t msg[SPI_RADIUS_MAX];
	int err;

	if (spi_radius_init() != 0)
		return 0;
	memset(q.auth, 0xa5, sizeof(q.auth));
	if (spi_radius_dec(&q, (struct view){ data, size }, &a) == 0)
		abort();	/* MD5 of a secret it does not have */
	if (size < 1 || size - 1 > sizeof(msg) - HEAD)
		return 0;
	memcpy(msg + HEAD, data + 1, size - 1);
	sign(msg, HEAD + size - 1, q.auth, data[0]);
	err = spi_radius_dec(&q, (struct view){ msg, HEAD + size - 1 }, &a);
	if (err == ERR_AUTH && memchr(data + 1, 80, size - 1) == NULL)
		abort();	/* it was signed */
	if (err == 0 && (a.eap_len > sizeof(a.eap) ||
			 a.state_len > sizeof(a.state) ||
			 strlen(a.user) > SPI_EAP_USER_MAX))
		abort();
	return 0;
}
