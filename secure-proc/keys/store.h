/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/store.h - pre-shared keys and our own certificates, read once
 * before confinement.
 *
 * A key file holds the text itself; "0x" in front means hexadecimal; one final
 * newline is ignored.  It must be a regular file of 1..SEC_KEY_FILE_MAX bytes
 * that only its owner may touch, and the owner is root, the starting user or
 * the user of the secure process.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_KEYS_STORE_H
#define TAPIR_SECURE_KEYS_STORE_H

#include <sys/types.h>
#include "conf/conf.h"
#include "daemon/base/base.h"

#define SEC_KEY_FILE_MAX 4096	/* bytes of a key file; ours */
#define SEC_KEY_NAME_MAX 128	/* bytes of its name; ours */

struct sec_store;
struct sec_own;

/**
 * Read every key file the configuration names.
 *
 * @param dir keys/ beside the configuration file.
 * @param uid the user of the secure process: may own key files.
 * @return 0, ERR_KEYFILE (logged, with what to do) or ERR_NOMEM.
 */
MUST_USE int sec_store_load(struct sec_store **out, const struct conf *c,
			    const char *dir, uid_t uid);
/** Wipe and free; NULL is fine. */
void sec_store_free(struct sec_store *s);
/** The pre-shared key of a peer, borrowed from the store; empty when it has
 * none. */
struct view sec_store_psk(const struct sec_store *s, uint32_t realm,
			  uint32_t peer);
/** The same for its PPK, RFC 8784. */
struct view sec_store_ppk(const struct sec_store *s, uint32_t realm,
			  uint32_t peer);

/** Our certificate and key in a realm; NULL when it has none. */
struct sec_own *sec_store_own(const struct sec_store *s, uint32_t realm);
/** Descriptors that must stay open through confinement; how many, at most
 * cap. */
unsigned sec_store_fds(const struct sec_store *s, int *fd, unsigned cap);
/**
 * Write the first name of our certificate into each <me> without id=; it lives
 * as long as the store.  0 or ERR_KEYFILE (logged).
 */
MUST_USE int sec_store_name(const struct sec_store *s, struct conf *c);

/**
 * Read one key file into secret memory.
 *
 * @param dir_fd directory; name has no '/'.
 * @param key    secret_free() it.
 * @param why    a sentence on failure: what is wrong, what to do.
 * @return 0, ERR_KEYFILE or ERR_NOMEM.
 */
MUST_USE int sec_key_read(int dir_fd, const char *name, uid_t uid,
			  uint8_t **key, size_t *len, char *why, size_t cap);

#endif
