/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/ppk.h - post-quantum pre-shared keys, RFC 8784.
 *
 *   SK_d = prf+ (PPK, SK_d')   SK_pi, SK_pr likewise        (section 3)
 *
 * The PPK stays here; what leaves are keys of one IKE SA.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_KEYS_PPK_H
#define TAPIR_SECURE_KEYS_PPK_H

#include "secure-proc/keys/auth.h"

#define SEC_PPK_ID_MAX 128	/* bytes of a PPK_ID, with its type; ours */

struct sec_ppk {
	uint8_t id[SEC_PPK_ID_MAX];	/* PPK_IDENTITY to send */
	size_t id_len;
	uint8_t sk_d[SEC_PRF_MAX], sk_pi[SEC_PRF_MAX], sk_pr[SEC_PRF_MAX];
	size_t len;			/* of each */
	bool is_required;		/* of the peer, as configured */
};

/**
 * Mix the PPK of a peer into the keys of an IKE SA.
 *
 * @param out the caller wipes it; is_required is valid on failure too.
 * @param why a sentence on failure.
 * @return 0, ERR_NOTFOUND (no such peer, or it has no such PPK), ERR_SYNTAX,
 *         ERR_RANGE, ERR_ALG or ERR_CRYPTO.
 */
MUST_USE int sec_ppk_mix(const struct sec_keys *k, const struct ipc_ppk *q,
			 struct sec_ppk *out, char *why, size_t cap);

#endif
