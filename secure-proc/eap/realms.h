/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/eap/realms.h - what each realm needs for EAP: methods, users, our
 * password, our certificate for TLS.
 *
 * Loaded once with rights, before confinement.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_EAP_REALMS_H
#define TAPIR_SECURE_EAP_REALMS_H

#include <sys/types.h>
#include "conf/conf.h"
#include "secure-proc/eap/run.h"
#include "secure-proc/eap/users.h"
#include "spi/spi_eap_tls.h"

struct sec_eaps;

/* One realm: we ask clients, or are asked as a client. */
struct sec_eap_realm {
	bool is_server;
	const struct spi_eap *method[SEC_EAP_METHODS]; /* best first */
	unsigned n_method;
	bool is_relay;			/* RADIUS servers ask, not we */
	struct sec_users *users;	/* server, or NULL */
	struct spi_eap_tls *tls;	/* or NULL */
	bool has_cert;			/* client: it can show one */
	uint8_t *password;		/* client, secret memory, or NULL */
	size_t password_len;
};

/** Does any realm use it? */
bool sec_eaps_is_needed(const struct conf *c);
/**
 * Read users files, passwords and certificates, and make the methods ready.
 *
 * @param dir keys/ beside the configuration file.
 * @param uid the user of the secure process: may own key files.
 * @return 0, ERR_KEYFILE (logged, with what to do), ERR_UNSUP (logged: a method
 *         that this library cannot do) or ERR_NOMEM.
 */
MUST_USE int sec_eaps_load(struct sec_eaps **out, const struct conf *c,
			   const char *dir, uid_t uid);
/** Wipe and free; NULL is fine. */
void sec_eaps_free(struct sec_eaps *e);
/** NULL: this realm has none. */
const struct sec_eap_realm *sec_eaps_of(const struct sec_eaps *e,
					uint32_t realm);

#endif
