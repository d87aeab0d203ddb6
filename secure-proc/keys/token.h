/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/token.h - QCD tokens of pairs of IKE SPIs (RFC 6290 5.1).
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_TOKEN_H
#define TAPIR_SECURE_TOKEN_H

#include <sys/types.h>
#include "daemon/base/base.h"

#define SEC_TOKEN_LEN  16	/* bytes; RFC 6290 5 wants 16 to 128 */
#define SEC_TOKEN_FILE "qcd.secret"

struct sec_token;

/**
 * Read the secret of all tokens, or make it the first time.
 *
 * @param dir keys/ beside the configuration file.
 * @param uid the user of the secure process: may own the file.
 * @param out NULL comes back when there is no secret and none can be kept: then
 *            there are no tokens (logged).
 * @return 0, ERR_KEYFILE (logged: the file is not fit to hold a secret) or
 *         ERR_NOMEM.
 */
MUST_USE int sec_token_load(struct sec_token **out, const char *dir, uid_t uid);
/** Wipe and free; NULL is fine. */
void sec_token_free(struct sec_token *t);
/** The token of a pair of SPIs: always the same, on this machine.  0 or
 * ERR_CRYPTO. */
MUST_USE int sec_token_make(const struct sec_token *t, uint64_t ispi,
			    uint64_t rspi, uint8_t out[SEC_TOKEN_LEN]);

/**
 * A mark of something secret, to see later whether it is still the same.  Of no use
 * to who does not have the secret of all tokens.
 *
 * @param out 32 bytes.
 * @return 0 or ERR_CRYPTO.
 */
MUST_USE int sec_token_mark(const struct sec_token *t, struct view secret,
			    uint8_t out[32]);

#endif
