/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/msk.c - AUTH by the key that EAP made.
 *
 * Thread: any.
 */
#include "secure-proc/keys/msk.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

#define METHOD_SHARED_KEY 2	/* RFC 7296 3.8; 2.16 asks for it */

static bool
is_key(struct view msk)
{
	uint8_t all = 0;

	for (size_t i = 0; i < msk.len; i++)
		all |= msk.p[i];
	return msk.len >= SEC_MSK_MIN && all != 0;
}

int
sec_msk_sign(struct view msk, const struct sec_octets *own, uint8_t *auth,
	     size_t *len)
{
	if (!is_key(msk)) {
		memset(auth, 0, SEC_PRF_MAX);
		return ERR_SHORT;
	}
	return sec_psk_auth(msk, own, auth, len);
}

int
sec_msk_check(struct view msk, const struct sec_octets *peer, uint8_t method,
	      struct view auth)
{
	uint8_t want[SEC_PRF_MAX];
	size_t len = 0;
	int err;

	if ((err = sec_msk_sign(msk, peer, want, &len)) != 0)
		return err;
	/* the whole of it, and no part of it: lengths are compared first */
	err = method == METHOD_SHARED_KEY && auth.len == len &&
	    ct_equal(want, auth.p, len) ? 0 : ERR_AUTH;
	wipe(want, sizeof(want));
	return err;
}
