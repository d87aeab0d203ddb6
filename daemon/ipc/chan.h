/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/chan.h - one end of the channel between the processes: datagrams,
 * descriptors, and who really sent them.
 *
 * PF_UNIX SOCK_SEQPACKET with SO_PASSCRED: the kernel writes pid and uid of the
 * sender to every datagram, and every datagram is checked.  The pid is learned
 * from the first one unless given.  The socket never blocks: what cannot be
 * sent waits in a bounded queue; a full queue is an error.
 *
 * Thread: the owner.
 */
#ifndef TAPIR_IPC_CHAN_H
#define TAPIR_IPC_CHAN_H

#include "daemon/base/base.h"
#include "daemon/ipc/msg.h"
#include <sys/types.h>

#define IPC_QUEUE_MAX 256	/* datagrams waiting to be sent, unless the
				 * owner wants more; ours */

struct ipc_chan;

struct ipc_peer {
	uid_t uid;		/* must be the sender's, on every datagram */
	pid_t pid;		/* 0 = learn from the first datagram */
	unsigned n_fd;		/* descriptors accepted with one datagram;
				 * 0 = any descriptor is ERR_PERM */
	unsigned n_queue;	/* datagrams that may wait; 0 = IPC_QUEUE_MAX */
};

/** A connected pair, non-blocking, close-on-exec, SO_PASSCRED set on both ends
 * (before anything can be sent).  0 or ERR_SYS. */
MUST_USE int ipc_chan_pair(int fd[2]);

/**
 * Take over an end of the pair.
 *
 * @param fd taken on success: close-on-exec, non-blocking and SO_PASSCRED are
 *           set.  @return 0, ERR_NOMEM or ERR_SYS.
 */
MUST_USE int ipc_chan_new(struct ipc_chan **out, int fd,
			  const struct ipc_peer *peer);
/** Close, wipe and free, with all that waits; NULL is fine. */
void ipc_chan_free(struct ipc_chan *c);

/** The descriptor, for poll: always readable events; writable events while
 * ipc_chan_is_waiting(). */
int ipc_chan_fd(const struct ipc_chan *c);
bool ipc_chan_is_waiting(const struct ipc_chan *c);
/** How many datagrams wait to be sent. */
unsigned ipc_chan_waiting(const struct ipc_chan *c);
/** Pid of the peer, 0 while unknown. */
pid_t ipc_chan_pid(const struct ipc_chan *c);

/**
 * Send a datagram, or queue it.
 *
 * @param bytes copied when it must wait; wiped after sending then.
 * @param fds   n_fd descriptors, taken even on error: they are closed here as
 *              soon as they are sent.
 * @return 0, ERR_FULL (queue), ERR_CLOSED, ERR_NOMEM, ERR_LONG or ERR_SYS.
 */
MUST_USE int ipc_chan_send(struct ipc_chan *c, struct view bytes,
			   const int *fds, unsigned n_fd);
/** Send what waits.  0 (all or some), ERR_CLOSED or ERR_SYS. */
MUST_USE int ipc_chan_flush(struct ipc_chan *c);

/**
 * Receive one datagram.
 *
 * @param bytes view into the channel, valid until the next call; call
 *              ipc_chan_done() when it held secrets.
 * @param fds   NULL, or room for IPC_FD_MAX descriptors, which are the caller's
 *              then (close-on-exec is set).
 * @return 0; ERR_AGAIN: nothing there; ERR_CLOSED: the other end is gone;
 *         violations, after which descriptors that came along are closed:
 *         ERR_CRED, ERR_PERM (descriptors not accepted), ERR_LONG; ERR_SYS.
 */
MUST_USE int ipc_chan_recv(struct ipc_chan *c, struct view *bytes, int *fds,
			   unsigned *n_fd);
/** Wipe the datagram last received. */
void ipc_chan_done(struct ipc_chan *c);

/**
 * Encode, pass the gate, send: what both ends do.  gate may be NULL (tests).
 * A request that could not be queued is forgotten by the gate.
 */
struct ipc_gate;
MUST_USE int ipc_post(struct ipc_chan *c, struct ipc_gate *gate,
		      const struct ipc_msg *m, const int *fds, unsigned n_fd);

#endif
