/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/desk/seal.h - an answer that only the browser which asked can read.
 *
 *   browser                     tapir-web, tapird            desk
 *   key pair of its own   ->    public key            ->     key pair of its own
 *   key                   <-    public key, sealed    <-     key, answer sealed
 *
 *   key = HKDF-SHA256(ECDH P-256, no salt,
 *                     "tapir desk 1" | key of the browser | key of the desk)
 *   sealed = AES-256-GCM, nonce 0 | tag of 16 bytes
 *
 * One key seals one thing: it is used once, so its nonce may be 0.  The same form
 * has what a link with a key leads to (cli/invite/share.h).
 *
 * Thread: one.
 */
#ifndef TAPIR_CLI_DESK_SEAL_H
#define TAPIR_CLI_DESK_SEAL_H

#include "daemon/base/base.h"

#define DESK_POINT   65				/* uncompressed: 4, x, y */
#define DESK_POINT_T (2 * DESK_POINT + 1)	/* as text, with NUL */
#define DESK_KEY     32
#define DESK_TAG     16

struct desk_seal {
	uint8_t key[DESK_KEY];
	char own[DESK_POINT_T];	/* our public key, hexadecimal */
	bool is_used;
};

/**
 * Agree on a key.
 *
 * @param peer the browser's public key, hexadecimal.
 * @return 0, ERR_SYNTAX (that is no point of the curve), ERR_CRYPTO.
 */
MUST_USE int desk_seal_begin(struct desk_seal *s, const char *peer);
/**
 * Seal the one thing.
 *
 * @param out in.len + DESK_TAG bytes.
 * @return 0, ERR_STATE (there was one already), ERR_CRYPTO.
 */
MUST_USE int desk_seal_do(struct desk_seal *s, struct view in, uint8_t *out);
/** Forget the key. */
void desk_seal_wipe(struct desk_seal *s);

#endif
