/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/ppk.h - post-quantum pre-shared keys, RFC 8784, RFC 9867.
 *
 *   SK_d = prf+ (PPK, SK_d')   SK_pi, SK_pr likewise        (8784, section 3)
 *   SKEYSEED' = prf+ (PPK, SK_d)                            (9867, 3.1.1)
 *
 * The PPK stays here; what leaves are keys of one IKE SA.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_KEYS_PPK_H
#define TAPIR_SECURE_KEYS_PPK_H

#include "secure-proc/keys/auth.h"

#define SEC_PPK_ID_MAX 128	/* bytes of a PPK_ID, with its type; ours */
#define SEC_PPK_CONFIRM 8	/* PPK Confirmation, RFC 9867 3.1 */

struct sec_ppk {
	uint8_t id[SEC_PPK_ID_MAX];	/* PPK_IDENTITY to send */
	size_t id_len;
	uint8_t sk_d[SEC_PRF_MAX], sk_pi[SEC_PRF_MAX], sk_pr[SEC_PRF_MAX];
	size_t len, p_len;		/* of sk_d; of each of the others */
	uint8_t confirm[SEC_PPK_CONFIRM]; /* RFC 9867 */
	size_t n_confirm;
	bool is_required;		/* of the peer, as configured */
};

/**
 * Mix the PPK of a peer into the keys of an IKE SA.
 *
 * With is_int it is that of IKE_INTERMEDIATE (RFC 9867 3.1): the initiator has
 * its peer's PPK and a proof of it, the responder the first one offered that it
 * has as well, whosever it is; sk_d becomes SKEYSEED'.
 *
 * @param out the caller wipes it; is_required is valid on failure too.
 * @param why a sentence on failure.
 * @return 0, ERR_NOTFOUND (no such peer, it has no such PPK, none in common),
 *         ERR_SYNTAX,
 *         ERR_RANGE, ERR_ALG or ERR_CRYPTO.
 */
MUST_USE int sec_ppk_mix(const struct sec_keys *k, const struct ipc_ppk *q,
			 struct sec_ppk *out, char *why, size_t cap);

#endif
