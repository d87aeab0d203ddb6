/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/gate.h - which messages are permitted now, and how often.
 *
 * One gate at each end of the channel; the rules are the rows of secure.def.
 *
 *            HELLO                HELLO_OK
 *   G_START -------> (answered) ----------> G_RUN: everything else
 *
 * An answer is permitted only for a request of the matching type that is still
 * unanswered.  ERR_GATE from either function means: log one line, close the
 * channel, end the process; nothing else is an acceptable reaction.
 *
 * Thread: the owner of the channel.
 */
#ifndef TAPIR_IPC_GATE_H
#define TAPIR_IPC_GATE_H

#include "daemon/base/base.h"
#include "daemon/ipc/msg.h"

#define IPC_OPEN_MAX 8192	/* requests without an answer yet; ours */

struct ipc_bucket {
	uint64_t milli;		/* thousandths of a message */
	uint64_t at_ms;
};
struct map;
struct ipc_gate {
	enum ipc_side side;	/* whose gate this is */
	unsigned state;		/* IPC_G_START or IPC_G_RUN */
	uint64_t once;		/* types with IPC_ONCE already seen */
	struct map *open;	/* ticket -> type of unanswered requests */
	struct ipc_bucket bucket[IPC_TYPE_END];
};

/** 0 or ERR_NOMEM. */
MUST_USE int ipc_gate_init(struct ipc_gate *g, enum ipc_side side,
			   uint64_t now_ms);
void ipc_gate_fini(struct ipc_gate *g);

/**
 * May this message, just received and decoded, be acted upon?
 *
 * @param seen types of IPC_ONCE_SA already seen for the message's handle, kept
 *             by the caller with the handle; NULL for messages without (then an
 *             IPC_ONCE_SA message is a violation).
 * @param n_fd descriptors that came along.
 * @return 0; ERR_AGAIN: too fast, refuse this one with an answer; ERR_GATE:
 *         violation.
 */
MUST_USE int ipc_gate_in(struct ipc_gate *g, const struct ipc_msg *m,
			 uint64_t *seen, unsigned n_fd, uint64_t now_ms);
/**
 * Note a message about to be sent.  Sending HELLO_OK opens the sender's gate.
 *
 * @return 0; ERR_FULL: too many unanswered requests; ERR_EXISTS: this ticket
 *         is in use; ERR_NOMEM; ERR_GATE: our own bug.
 */
MUST_USE int ipc_gate_out(struct ipc_gate *g, const struct ipc_msg *m);
/** Forget an unanswered request (it was not sent after all). */
void ipc_gate_forget(struct ipc_gate *g, uint64_t ticket);

#endif
