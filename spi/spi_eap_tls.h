/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/spi_eap_tls.h - what a conversation of EAP-TLS or TTLS needs besides the other
 * end: our certificate, our key, the rules of TLS.  One a realm and role.
 *
 * Thread: made before confinement, then that of the conversations.
 */
#ifndef TAPIR_SPI_SPI_EAP_TLS_H
#define TAPIR_SPI_SPI_EAP_TLS_H

#include "daemon/base/base.h"

struct spi_eap_tls;

struct spi_eap_tls_conf {
	bool is_server;
	bool is_12_permitted;	/* TLS 1.2 too: what old devices have */
	struct view chain;	/* PEM: our certificate, then its issuers */
	struct view key;	/* PEM, without a passphrase; both empty: a
				 * client of a tunnel, which shows none */
	const struct view *anchor; /* server: files of authorities, PEM or DER, as
				 * a hint to clients which certificate to choose */
	unsigned n_anchor;
};

/**
 * Bytes are borrowed for the call; the key goes to memory of the library.
 *
 * @param why SPI_EAP_WHY_MAX bytes: a sentence on failure.
 * @return 0, ERR_KEYFILE (certificate or key not usable, or not of each other),
 *         ERR_NOMEM or ERR_CRYPTO.
 */
MUST_USE int spi_eap_tls_new(const struct spi_eap_tls_conf *c,
			     struct spi_eap_tls **out, char *why);
/** NULL is fine. */
void spi_eap_tls_free(struct spi_eap_tls *t);

#endif
