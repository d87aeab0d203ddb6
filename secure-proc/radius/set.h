/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/radius/set.h - the RADIUS servers of all realms, with the secrets
 * that are shared with them.
 *
 * The secrets go with a fork, as the RADIUS child needs them and is forked again
 * when it ends: locked and kept out of dumps like others, but not wiped by a
 * fork.  The secure process forgets its own copy once the keeper has one.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_RADIUS_SET_H
#define TAPIR_SECURE_RADIUS_SET_H

#include <sys/types.h>
#include "conf/conf.h"
#include "secure-proc/radius/ask.h"

#define SEC_RADIUS_REALMS     32	/* that use RADIUS; ours */
#define SEC_RADIUS_SECRET_MAX 128	/* bytes; ours */
#define SEC_RADIUS_SECRET_MIN 16	/* a shorter one is warned of: RFC 2865 3 */

struct sec_radius_server {
	struct net_ep ep;
	size_t n_secret;
	uint8_t secret[SEC_RADIUS_SECRET_MAX];
};
/* Servers of one realm. */
struct sec_radius_realm {
	uint32_t realm;		/* place in the configuration */
	unsigned n;
	struct sec_radius_server server[SEC_RADIUS_SERVERS];
};
struct sec_radius_set {
	unsigned n_realm;
	struct sec_radius_realm realm[SEC_RADIUS_REALMS];
};

/** Does any realm use it? */
bool sec_radius_is_needed(const struct conf *c);
/**
 * Read the secrets.
 *
 * @param dir keys/ beside the configuration file.
 * @param uid the user of the secure process: may own key files.
 * @return 0, ERR_KEYFILE (logged, with what to do), ERR_ALG (logged: no MD5),
 *         ERR_FULL (logged) or ERR_NOMEM.
 */
MUST_USE int sec_radius_set_load(struct sec_radius_set **out,
				 const struct conf *c, const char *dir,
				 uid_t uid);
/** After a fork: keep it locked there too. */
void sec_radius_set_lock(struct sec_radius_set *s);
/** Wipe and free; NULL is fine. */
void sec_radius_set_free(struct sec_radius_set *s);
/**
 * The text of a file of secrets.
 *
 * @param n_server how many servers there are.
 * @param to       their places; the secrets are written.
 * @param why      a sentence on failure.
 * @return 0 or ERR_KEYFILE.
 */
MUST_USE int sec_radius_secrets(struct view text, unsigned n_server,
				struct sec_radius_server *to, char *why,
				size_t cap);

#endif
