/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/prompt.h - a password that a person types, on its way to tapir-secure:
 * over RUN/password.sock, from the tapir command or tapir-web.  tapird has no part
 * in it.
 *
 *   question   type 1 | id 4 | realm               is one needed?
 *              type 2 | id 4 | realm | password    here it is
 *   answer     type 3 | id 4 | verdict 1 | user
 *
 * One datagram each; texts are 2 bytes of length and the bytes, without NUL; big
 * endian, exact.
 *
 * Thread: any; nothing shared.
 */
#ifndef TAPIR_IPC_PROMPT_H
#define TAPIR_IPC_PROMPT_H

#include "daemon/base/base.h"

#define PROMPT_SOCKET	 "password.sock"
#define PROMPT_REALM_MAX 63	/* bytes; ours, more than a realm's name has */
#define PROMPT_WORD_MAX	 1023	/* of a password; ours */
#define PROMPT_USER_MAX	 255	/* of the identity of EAP */
#define PROMPT_BYTES_MAX 1200	/* largest datagram */

struct prompt_ask {
	uint32_t id;
	bool has_word;		/* type 2 */
	char realm[PROMPT_REALM_MAX + 1];
	char word[PROMPT_WORD_MAX + 1];
};

enum prompt_verdict {
	PROMPT_NEEDED,		/* type 1: nobody has typed it yet, or not right */
	PROMPT_KNOWN,		/* type 1: it is there; type 2: taken */
	PROMPT_NONE,		/* there is no such realm, or it asks for none */
	PROMPT_FAILED,		/* empty, or no memory for it */
	PROMPT_END
};

struct prompt_answer {
	uint32_t id;
	enum prompt_verdict verdict;
	char user[PROMPT_USER_MAX + 1];	/* whose; "" with PROMPT_NONE */
};

/** Bytes written, or ERR_LONG. */
MUST_USE int prompt_ask_enc(const struct prompt_ask *a, void *buf, size_t cap);
MUST_USE int prompt_answer_enc(const struct prompt_answer *a, void *buf,
			       size_t cap);
/** 0, ERR_SHORT, ERR_TRAIL, ERR_LONG, ERR_SYNTAX; out is written on success. */
MUST_USE int prompt_ask_dec(const void *p, size_t len, struct prompt_ask *out);
MUST_USE int prompt_answer_dec(const void *p, size_t len,
			       struct prompt_answer *out);

#endif
