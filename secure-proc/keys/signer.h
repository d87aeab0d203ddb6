/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/signer.h - a private key that is not in a file of ours but at
 * a URI: in a token, a TPM, wherever a provider of OpenSSL finds it.
 *
 * Such providers open files and devices whenever they sign, which the secure
 * process cannot.  So the key is used by a process of its own: it has this one
 * key and no right, and signs what the secure process gives it.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_KEYS_SIGNER_H
#define TAPIR_SECURE_KEYS_SIGNER_H

#include "daemon/base/base.h"
#include "daemon/ipc/confine.h"
#include "spi/spi_cert.h"

#define SEC_SIGNER_MS 3000	/* patience for one signature; ours */

struct sec_signer;

/** Who these processes become; before the first one is started. */
void sec_signer_user(const struct confine_user *u);
/**
 * Start the process and have it open the key.
 *
 * @param pass passphrase or PIN; empty: none.
 * @param pub  the key without its private part; key_free() it.
 * @param why  SPI_CERT_WHY_MAX bytes: a sentence on failure.
 * @return 0, ERR_NOTFOUND, ERR_ALG, ERR_SYS, ERR_NOMEM.
 */
MUST_USE int sec_signer_start(struct sec_signer **out, const char *uri,
			      struct view pass, struct spi_pkey **pub,
			      char *why);
/** Ends the process; NULL is fine. */
void sec_signer_free(struct sec_signer *s);
/** Must stay open through confinement. */
int sec_signer_fd(const struct sec_signer *s);
/** As spi_certs()->sign; ERR_TIMEOUT: the token does not answer. */
MUST_USE int sec_signer_sign(struct sec_signer *s, const struct spi_sig *how,
			     const struct view *part, unsigned n, uint8_t *out,
			     size_t *len);

#endif
