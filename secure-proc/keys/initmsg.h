/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/initmsg.h - is this really an IKE_SA_INIT message?
 *
 * The secure process signs only what it recognises (SECURITY-CHECKLIST A3): a
 * whole IKE_SA_INIT message of the right direction.  Only header and payload
 * framing are read; what is in the payloads is main's concern.
 *
 * Pure.  Thread: any.
 */
#ifndef TAPIR_SECURE_KEYS_INITMSG_H
#define TAPIR_SECURE_KEYS_INITMSG_H

#include "daemon/base/base.h"

#define SEC_NONCE_MIN 16	/* RFC 7296 2.10 */
#define SEC_NONCE_MAX 256

struct sec_init {
	uint64_t ispi, rspi;
	struct view nonce;	/* of its Nonce payload, borrowed */
	bool is_resume;		/* IKE_SESSION_RESUME, RFC 5723: no SA, no KE */
};

/**
 * @param is_request true: sent by the initiator, false: by the responder.
 * @return 0, ERR_SHORT, ERR_LONG, ERR_TRAIL, ERR_VERSION, ERR_GRAMMAR or
 *         ERR_SYNTAX.  RFC 7296 1.2, 3.1, 3.2.
 */
MUST_USE int sec_init_read(struct view msg, bool is_request,
			   struct sec_init *out);

#endif
