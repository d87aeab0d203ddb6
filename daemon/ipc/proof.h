/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/proof.h - who proved who he is, asked of the process that knows the
 * accounts, by those who do not believe tapir-web.
 *
 *   the supervisor, before something is changed:
 *     question   type 6 | id 4 | proof 8           whose is it, and is it fresh?
 *     answer     type 7 | id 4 | verdict 1 | name  PASS_YES: an admin's, and fresh
 *   tapir web, over RUN/login.sock, which only root and the owner can open:
 *     question   type 8 | id 4 | role 1            a new one-time link
 *     answer     type 9 | id 4 | left_s 4 | token
 *
 * One datagram each; texts are 2 bytes of length and the bytes, without NUL; big
 * endian, exact.  tapird has no part in it: neither it nor tapir-web can make a link
 * or a proof.
 *
 * Thread: any; nothing shared.
 */
#ifndef TAPIR_IPC_PROOF_H
#define TAPIR_IPC_PROOF_H

#include "daemon/ipc/pass.h"

#define PROOF_SOCKET	"login.sock"
#define PROOF_BYTES_MAX 128	/* largest datagram */
#define PROOF_TOKEN	64	/* characters of a link's secret: 256 bits as hex */

struct proof_ask {
	uint32_t id;
	uint64_t proof;		/* pass_answer.proof; 0 is nobody's */
};

struct proof_answer {
	uint32_t id;
	enum pass_verdict verdict;
	char name[PASS_NAME_MAX + 1];	/* with PASS_YES: of the account, or root */
};

struct proof_link_ask {
	uint32_t id;
	enum pass_role role;
};

struct proof_link_answer {
	uint32_t id;
	uint32_t left_s;
	char token[PROOF_TOKEN + 1];
};

/** Bytes written, or ERR_LONG. */
MUST_USE int proof_ask_enc(const struct proof_ask *a, void *buf, size_t cap);
MUST_USE int proof_answer_enc(const struct proof_answer *a, void *buf,
			      size_t cap);
MUST_USE int proof_link_ask_enc(const struct proof_link_ask *a, void *buf,
				size_t cap);
MUST_USE int proof_link_answer_enc(const struct proof_link_answer *a, void *buf,
				   size_t cap);
/** 0, ERR_SHORT, ERR_TRAIL, ERR_LONG, ERR_SYNTAX; out is written on success. */
MUST_USE int proof_ask_dec(const void *p, size_t len, struct proof_ask *out);
MUST_USE int proof_answer_dec(const void *p, size_t len,
			      struct proof_answer *out);
MUST_USE int proof_link_ask_dec(const void *p, size_t len,
				struct proof_link_ask *out);
MUST_USE int proof_link_answer_dec(const void *p, size_t len,
				   struct proof_link_answer *out);

#endif
