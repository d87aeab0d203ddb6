/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/pass.h - the questions between tapir-web and the process that knows
 * the accounts: may this name with this password log in, and as what?  May this
 * link?  Is this account still what it was?
 *
 *   question   type 2 | id 4 | name | password | code | source
 *              type 4 | id 4 | name
 *              type 5 | id 4 | link | source
 *   answer     type 3 | id 4 | verdict 1 | role 1 | wait_s 4 | stamp 8 | proof 8
 *
 * One datagram each; texts are 2 bytes of length and the bytes, without NUL;
 * big endian, exact.  A password goes to that process and never to tapird.
 *
 * Thread: any; nothing shared.
 */
#ifndef TAPIR_IPC_PASS_H
#define TAPIR_IPC_PASS_H

#include "daemon/base/base.h"

#define PASS_NAME_MAX	63	/* bytes; ours */
#define PASS_WORD_MAX	1023	/* of a password; ours */
#define PASS_CODE_MAX	15	/* of a one-time code; ours */
#define PASS_SOURCE_MAX	63	/* who asks, as text; ours */
#define PASS_BYTES_MAX	2048	/* largest datagram */
#define PASS_PROOF_S	300	/* a password or link proves so long; ours */

enum pass_kind {
	PASS_WORD,		/* a password of an account */
	PASS_STILL,		/* is there the account?  Only the name counts */
	PASS_LINK,		/* a one-time link: word and source count */
};

struct pass_ask {
	uint32_t id;
	enum pass_kind kind;
	char name[PASS_NAME_MAX + 1];
	char word[PASS_WORD_MAX + 1];
	char code[PASS_CODE_MAX + 1];	/* RFC 6238, "" = none */
	char source[PASS_SOURCE_MAX + 1];
};

enum pass_verdict {
	PASS_YES,
	PASS_NO,		/* name, password or code is wrong: never which */
	PASS_LATER,		/* too many wrong ones; not looked at */
	PASS_END
};
enum pass_role { PASS_VIEWER, PASS_OPERATOR, PASS_ADMIN, PASS_ROLE_END };

struct pass_answer {
	uint32_t id;
	enum pass_verdict verdict;
	enum pass_role role;
	uint32_t wait_s;	/* with PASS_LATER */
	uint64_t stamp;		/* with PASS_YES: another one once the account's
				 * password, codes or role are changed */
	uint64_t proof;		/* of it, for daemon/ipc/proof.h; 0 = none */
};

/** Bytes written, or ERR_LONG. */
MUST_USE int pass_ask_enc(const struct pass_ask *a, void *buf, size_t cap);
MUST_USE int pass_answer_enc(const struct pass_answer *a, void *buf, size_t cap);
/** 0, ERR_SHORT, ERR_TRAIL, ERR_LONG, ERR_SYNTAX; out is written on success. */
MUST_USE int pass_ask_dec(const void *p, size_t len, struct pass_ask *out);
MUST_USE int pass_answer_dec(const void *p, size_t len, struct pass_answer *out);

#endif
