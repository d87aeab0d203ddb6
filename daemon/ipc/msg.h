/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/msg.h - messages between tapird and tapir-secure: structs, codec
 * and facts, all expanded from secure.def.
 *
 *   0        1        2                 4
 *   +--------+--------+-----------------+-----------------------------------+
 *   | version| type   | 0               | length of the body                |
 *   +--------+--------+-----------------+-----------------------------------+
 *   | ticket (64 bits)                                                      |
 *   +-----------------------------------+-----------------------------------+
 *   | handle                            | body: fields in the order of the  |
 *   +-----------------------------------+ table; texts and runs of bytes    |
 *   | carry a 16-bit length in front                                        |
 *   +-----------------------------------------------------------------------+
 *
 * Big endian.  The decoder takes its input for hostile: lengths must add up,
 * no byte may be left over, booleans are 0 or 1, texts hold no control
 * character.
 *
 * Thread: any; nothing shared.
 */
#ifndef TAPIR_IPC_MSG_H
#define TAPIR_IPC_MSG_H

#include "daemon/base/base.h"
#include "daemon/base/err.h"

#define IPC_VERSION	1
#define IPC_HEAD_LEN	20
#define IPC_NOBODY	UINT32_MAX /* a handle that no IKE SA has */
#define IPC_WHY_MAX	256	/* bytes of a sentence; ours */
#define IPC_FD_MAX	64	/* descriptors of one message: queues of a TAP */
#define IPC_DIGEST_LEN	32

/* Offloads of a TAP. */
#define IPC_TAP_VNET	0x01u	/* frames have a struct virtio_net_hdr in front */
#define IPC_TAP_TSO	0x02u	/* partial checksums, TCP super-frames; with VNET */
#define IPC_TAP_USO	0x04u	/* UDP super-frames; with TSO */
#define IPC_TAP_ALL	0x07u

/* What came of an EAP message. */
#define IPC_TALK_MORE	0	/* eap is to be sent, another one comes */
#define IPC_TALK_OK	1	/* proved; a gateway sends eap, Success */
#define IPC_TALK_NO	2	/* refused; eap, when not empty, is sent */

enum ipc_side { IPC_MAIN, IPC_SECURE };
enum ipc_once { IPC_MANY, IPC_ONCE, IPC_ONCE_SA };

/* Gate states, as bits so that a row can name several. */
#define IPC_G_START 1u		/* before HELLO is answered */
#define IPC_G_RUN   2u

/* Message numbers: IPC_HELLO, IPC_HELLO_OK, IPC_TAP_OPEN, ... */
#define IPC_MSG(num_, NAME_, ...) IPC_##NAME_ = num_,
#define IPC_END(NAME_, name_)
#define IPC_U8(f_)
#define IPC_U32(f_)
#define IPC_U64(f_)
#define IPC_BOOL(f_)
#define IPC_FIX(f_, n_)
#define IPC_BYTES(f_, n_)
#define IPC_STR(f_, n_)
#define IPC_RESULT
enum ipc_type {
#include "daemon/ipc/secure.def"
	IPC_TYPE_END = 48	/* numbers stay below; 64 at most (gate.h) */
};
#include "daemon/ipc/undef.h"

/* struct ipc_hello, struct ipc_sign, ...: views are borrowed. */
#define IPC_MSG(num_, NAME_, name_, ...) struct ipc_##name_ {
#define IPC_END(NAME_, name_) };
#define IPC_U8(f_)	  uint8_t f_;
#define IPC_U32(f_)	  uint32_t f_;
#define IPC_U64(f_)	  uint64_t f_;
#define IPC_BOOL(f_)	  bool f_;
#define IPC_FIX(f_, n_)	  uint8_t f_[n_];
#define IPC_BYTES(f_, n_) struct view f_;
#define IPC_STR(f_, n_)	  char f_[(n_) + 1];
#define IPC_RESULT
#include "daemon/ipc/secure.def"
#include "daemon/ipc/undef.h"

/* Longest body of each message: IPC_HELLO_MAX, IPC_SIGN_MAX, ... */
#define IPC_MSG(num_, NAME_, ...) enum { IPC_##NAME_##_MAX = 0
#define IPC_END(NAME_, name_) };
#define IPC_U8(f_)	  + 1
#define IPC_U32(f_)	  + 4
#define IPC_U64(f_)	  + 8
#define IPC_BOOL(f_)	  + 1
#define IPC_FIX(f_, n_)	  + (n_)
#define IPC_BYTES(f_, n_) + 2 + (n_)
#define IPC_STR(f_, n_)	  + 2 + (n_)
#define IPC_RESULT	  + 4 + 2 + IPC_WHY_MAX
#include "daemon/ipc/secure.def"
#include "daemon/ipc/undef.h"

#define IPC_MSG_MAX (IPC_HEAD_LEN + IPC_VERIFY_MAX) /* the longest of all */

/* A message as the programs see it. */
struct ipc_msg {
	uint8_t type;		/* enum ipc_type */
	uint64_t ticket;	/* of a request, comes back in its answer */
	uint32_t handle;	/* IKE SA, where the message concerns one */
	int32_t err;		/* answers: 0 or enum err */
	char why[IPC_WHY_MAX + 1]; /* answers with err: a sentence */
	union {
#define IPC_MSG(num_, NAME_, name_, ...) struct ipc_##name_ name_;
#define IPC_END(NAME_, name_)
#define IPC_U8(f_)
#define IPC_U32(f_)
#define IPC_U64(f_)
#define IPC_BOOL(f_)
#define IPC_FIX(f_, n_)
#define IPC_BYTES(f_, n_)
#define IPC_STR(f_, n_)
#define IPC_RESULT
#include "daemon/ipc/secure.def"
#include "daemon/ipc/undef.h"
	} u;
};

/* A row of the table. */
struct ipc_row {
	const char *name;	/* "SIGN" */
	uint8_t type;
	enum ipc_side sender;
	unsigned states;	/* IPC_G_* */
	enum ipc_once once;
	uint32_t rate;		/* per second; 0 = no limit */
	uint32_t burst;
	unsigned n_fd;		/* descriptors at most */
	bool has_ticket, has_handle, has_result;
	size_t max;		/* body, bytes */
};

/** The row of a message number; NULL when there is none. */
const struct ipc_row *ipc_row(unsigned type);
/** Name of a message number; "?" when there is none. */
const char *ipc_name(unsigned type);
/** True when a request of this type is answered (by type + 1). */
bool ipc_has_answer(unsigned type);

/** A zeroed message of a type. */
void ipc_msg_init(struct ipc_msg *m, enum ipc_type type);
/** The answer to a request: type + 1, its ticket and handle, err and, when why
 * is not NULL, a sentence (else the one of err). */
void ipc_msg_answer(struct ipc_msg *m, const struct ipc_msg *req, int err,
		    const char *why);

/**
 * Encode.
 *
 * @param cap IPC_MSG_MAX always suffices.
 * @return 0, ERR_NOTFOUND (type), ERR_RANGE (ticket, handle, boolean), ERR_LONG
 *         or ERR_SYNTAX (control character in a text); *len only on success.
 */
MUST_USE int ipc_msg_encode(const struct ipc_msg *m, void *out, size_t cap,
			    size_t *len);
/**
 * Decode one datagram.
 *
 * @param m filled on success; its views point into p.
 * @return 0, ERR_VERSION, ERR_NOTFOUND (type), ERR_SHORT, ERR_LONG, ERR_TRAIL,
 *         ERR_RANGE or ERR_SYNTAX.
 */
MUST_USE int ipc_msg_decode(struct ipc_msg *m, const void *p, size_t len);

/** SHA-256 over the text of the table: both ends must have been built from the
 * same one.  Call it once before confinement (libcrypto initialises itself).
 * 0 or ERR_CRYPTO. */
MUST_USE int ipc_digest(uint8_t out[IPC_DIGEST_LEN]);

#endif
