/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/eap-md5/md5.c - EAP-MD5 (RFC 3748 section 5.4), as a client.  It makes no key
 * and proves nothing of the server: only where keyless= permits it.
 *
 *   server                                        client
 *     Challenge                             -->
 *                                           <--   MD5(identifier, password, it)
 *   type data:
 *   +------------+-------------- ... ---+------- ...
 *   | Value-Size |  Value               |  Name
 *   +------------+-------------- ... ---+------- ...
 *
 * Thread: that of the conversation.
 */
/* OpenSSL has a type of this name; ours is an error. */
#define ERR_STATE ossl_err_state_type
#include <openssl/evp.h>
#undef ERR_STATE
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "spi/spi_eap.h"

#define MD5_LEN 16

struct spi_eap_run {
	struct spi_eap_conf conf;
	char user[SPI_EAP_USER_MAX + 1];
	bool is_over;
};

extern const struct spi_eap spi_eap_md5;

static EVP_MD *md5;

static enum spi_eap_end
fail(struct spi_eap_run *r, struct spi_eap_result *res, const char *why)
{
	r->is_over = true;
	str_copy(res->why, sizeof(res->why), why);
	return SPI_EAP_FAIL;
}

static int
answer(uint8_t id, struct view word, struct view challenge, uint8_t out[MD5_LEN])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool is_ok = c != NULL && EVP_DigestInit_ex(c, md5, NULL) == 1 &&
	    EVP_DigestUpdate(c, &id, 1) == 1 &&
	    EVP_DigestUpdate(c, word.p, word.len) == 1 &&
	    EVP_DigestUpdate(c, challenge.p, challenge.len) == 1 &&
	    EVP_DigestFinal_ex(c, out, NULL) == 1;

	EVP_MD_CTX_free(c);
	return is_ok ? 0 : ERR_CRYPTO;
}

static enum spi_eap_end
step(struct spi_eap_run *r, uint8_t id, struct view in, struct wcur *out,
     struct spi_eap_result *res)
{
	uint8_t size, value[MD5_LEN];
	struct view challenge, word;
	struct cur c;

	if (r->is_over)
		return fail(r, res, "the conversation is over");
	cur_init(&c, in.p, in.len);
	if (cur_u8(&c, &size) != 0 || size == 0 ||
	    cur_view(&c, size, &challenge) != 0)
		return fail(r, res, "malformed challenge of MD5");
	if (r->conf.host->word(r->conf.ctx, &word) != 0)
		return fail(r, res, "no password");
	if (answer(id, word, challenge, value) != 0)
		return fail(r, res, "MD5 cannot be computed");
	wcur_u8(out, sizeof(value));
	wcur_bytes(out, value, sizeof(value));
	wipe(value, sizeof(value));
	memset(res->msk, 0, sizeof(res->msk));
	str_copy(res->user, sizeof(res->user), r->user);
	r->is_over = true;
	return SPI_EAP_DONE;
}

static int
run_open(const struct spi_eap_conf *c, struct spi_eap_run **out)
{
	struct spi_eap_run *r;

	if (c->is_server || c->host->word == NULL)
		return ERR_UNSUP;
	if (c->user.len > SPI_EAP_USER_MAX)
		return ERR_LONG;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return ERR_NOMEM;
	r->conf = *c;
	if (c->user.len > 0)
		memcpy(r->user, c->user.p, c->user.len);
	*out = r;
	return 0;
}

static void
run_close(struct spi_eap_run *r)
{
	free(r);
}

static int
init(void)
{
	if (md5 == NULL)
		md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	return md5 != NULL ? 0 : ERR_ALG;
}

const struct spi_eap spi_eap_md5 = {
	.head = { SPI_VERSION, "md5", "a password, and no key" },
	.type = SPI_EAP_MD5,
	.flags = SPI_EAP_F_KEYLESS,
	.init = init,
	.open = run_open,
	.close = run_close,
	.step = step,
};
