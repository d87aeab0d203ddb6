/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/files/file.h - files of keys/, read before confinement.
 *
 * Opened without following links and without blocking (a fifo would otherwise
 * hold the start) and looked at through the descriptor.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_FILE_H
#define TAPIR_SECURE_FILE_H

#include <sys/types.h>
#include "conf/conf.h"
#include "daemon/base/base.h"

#define SEC_FILE_NAME_MAX 128		/* bytes of a name; ours */
#define SEC_SECRET_MAX	  (60u << 10)	/* bytes of a secret file; ours */
#define SEC_PUBLIC_MAX	  (10u << 20)	/* of a public one: a CRL; ours */

/** The directory; who may write there may exchange keys.  -1: logged. */
int sec_dir_open(const char *dir);
/** That of a realm (its keys=) in it, or itself.  -1: logged. */
int sec_realm_dir_open(const char *dir, const struct conf_realm *r);
/** Is it a name without '/', not hidden, not too long? */
bool sec_name_is_plain(const char *name);

/**
 * Read a file that only its owner may touch; the owner is root, the starting
 * user or uid.
 *
 * @param max   bytes at most, <= SEC_SECRET_MAX.
 * @param bytes secret memory; secret_free() it.
 * @param why   a sentence on failure: what is wrong, what to do.
 * @return 0, ERR_KEYFILE, ERR_NOTFOUND (no such file) or ERR_NOMEM.
 */
MUST_USE int sec_file_secret(int dir_fd, const char *name, uid_t uid,
			     size_t max, uint8_t **bytes, size_t *len,
			     char *why, size_t cap);
/**
 * Read a file that others may read but not write.
 *
 * @param bytes malloc()ed.
 */
MUST_USE int sec_file_public(int dir_fd, const char *name, uid_t uid,
			     uint8_t **bytes, size_t *len, char *why,
			     size_t cap);

#endif
