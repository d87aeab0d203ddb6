/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/chan_unix.c - the channel over PF_UNIX SOCK_SEQPACKET.
 *
 * Reading: one recvmsg into the channel's own buffer, which is one byte longer
 * than the longest message so that an oversized one is noticed and not cut.
 * Descriptors are taken out of the control data before anything is decided, so
 * that none is left open on any path.
 *
 * Thread: the owner.
 */
#include "daemon/ipc/chan.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/secret.h"
#include "daemon/ipc/gate.h"

/* Room for one more descriptor than a message may carry. */
#define CONTROL_BYTES                                                          \
	(CMSG_SPACE(sizeof(struct ucred)) +                                    \
	 CMSG_SPACE(sizeof(int) * (IPC_FD_MAX + 1)))

struct waiting {
	struct waiting *next;
	unsigned n_fd;
	int fd[IPC_FD_MAX];
	size_t len;
	uint8_t bytes[];
};

struct ipc_chan {
	int fd;
	struct ipc_peer peer;
	struct waiting *first, **last;
	unsigned n_waiting;
	size_t rx_len;
	uint8_t rx[IPC_MSG_MAX + 1];
};

static void
fds_close(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}

static int
fd_prepare(int fd)
{
	int on = 1, fl = fcntl(fd, F_GETFL);

	if (fl < 0 || fcntl(fd, F_SETFL, fl | O_NONBLOCK) != 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0)
		return ERR_SYS;
	return 0;
}

/* One datagram out.  0, ERR_AGAIN, ERR_CLOSED, ERR_LONG or ERR_SYS. */
static int
send_one(int fd, struct view bytes, const int *fds, unsigned n_fd)
{
	union {
		struct cmsghdr align;
		uint8_t b[CONTROL_BYTES];
	} ctl;
	struct iovec iov = { (void *)(uintptr_t)bytes.p, bytes.len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (n_fd > 0) {
		struct cmsghdr *cm;

		memset(&ctl, 0, sizeof(ctl));
		mh.msg_control = ctl.b;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * n_fd);
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * n_fd);
		memcpy(CMSG_DATA(cm), fds, sizeof(int) * n_fd);
	}
	do
		n = sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	switch (errno) {
	case EAGAIN:
	case ENOBUFS:
		return ERR_AGAIN;
	case EPIPE:
	case ECONNRESET:
	case ENOTCONN:
		return ERR_CLOSED;
	case EMSGSIZE:
		return ERR_LONG;
	default:
		return ERR_SYS;
	}
}

static int
queue_add(struct ipc_chan *c, struct view bytes, const int *fds, unsigned n_fd)
{
	struct waiting *w;

	if (c->n_waiting >= c->peer.n_queue)
		return ERR_FULL;
	if ((w = malloc(sizeof(*w) + bytes.len)) == NULL)
		return ERR_NOMEM;
	w->next = NULL;
	w->n_fd = n_fd;
	if (n_fd > 0)
		memcpy(w->fd, fds, sizeof(int) * n_fd);
	w->len = bytes.len;
	memcpy(w->bytes, bytes.p, bytes.len);
	*c->last = w;
	c->last = &w->next;
	c->n_waiting++;
	return 0;
}

static void
queue_drop_first(struct ipc_chan *c)
{
	struct waiting *w = c->first;

	if ((c->first = w->next) == NULL)
		c->last = &c->first;
	c->n_waiting--;
	fds_close(w->fd, w->n_fd);
	wipe(w->bytes, w->len);
	free(w);
}

struct control {
	bool has_cred;
	struct ucred cred;
	unsigned n_fd;
	int fd[IPC_FD_MAX + 1];
};

/* Everything the kernel delivered beside the bytes. */
static void
control_read(struct msghdr *mh, struct control *out)
{
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm != NULL;
	    cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level != SOL_SOCKET)
			continue;
		if (cm->cmsg_type == SCM_CREDENTIALS &&
		    cm->cmsg_len == CMSG_LEN(sizeof(out->cred))) {
			memcpy(&out->cred, CMSG_DATA(cm), sizeof(out->cred));
			out->has_cred = true;
		}
		if (cm->cmsg_type == SCM_RIGHTS) {
			size_t n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);

			/* The control buffer has no room for more. */
			n = MIN(n, N_OF(out->fd) - out->n_fd);
			memcpy(out->fd + out->n_fd, CMSG_DATA(cm),
			    n * sizeof(int));
			out->n_fd += (unsigned)n;
		}
	}
}

/* Is this datagram from the one process we talk to? */
static int
control_check(struct ipc_chan *c, const struct control *ct, int flags,
	      const int *room)
{
	if (!ct->has_cred || ct->cred.uid != c->peer.uid ||
	    ct->cred.pid <= 0 ||
	    (c->peer.pid != 0 && ct->cred.pid != c->peer.pid))
		return ERR_CRED;
	if ((flags & MSG_CTRUNC) != 0 || ct->n_fd > c->peer.n_fd ||
	    (ct->n_fd > 0 && room == NULL))
		return ERR_PERM;
	if ((flags & MSG_TRUNC) != 0)
		return ERR_LONG;
	return 0;
}

/* ---- public ------------------------------------------------------------------ */

int
ipc_chan_pair(int fd[2])
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) != 0)
		return ERR_SYS;
	if (fd_prepare(sv[0]) != 0 || fd_prepare(sv[1]) != 0) {
		fds_close(sv, 2);
		return ERR_SYS;
	}
	fd[0] = sv[0];
	fd[1] = sv[1];
	return 0;
}

int
ipc_chan_new(struct ipc_chan **out, int fd, const struct ipc_peer *peer)
{
	struct ipc_chan *c;

	if (fd_prepare(fd) != 0)
		return ERR_SYS;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return ERR_NOMEM;
	c->fd = fd;
	c->peer = *peer;
	if (c->peer.n_fd > IPC_FD_MAX)
		c->peer.n_fd = IPC_FD_MAX;
	if (c->peer.n_queue == 0)
		c->peer.n_queue = IPC_QUEUE_MAX;
	c->last = &c->first;
	*out = c;
	return 0;
}

void
ipc_chan_free(struct ipc_chan *c)
{
	if (c == NULL)
		return;
	while (c->first != NULL)
		queue_drop_first(c);
	close(c->fd);
	wipe(c->rx, sizeof(c->rx));
	free(c);
}

int
ipc_chan_fd(const struct ipc_chan *c)
{
	return c->fd;
}

bool
ipc_chan_is_waiting(const struct ipc_chan *c)
{
	return c->first != NULL;
}

unsigned
ipc_chan_waiting(const struct ipc_chan *c)
{
	return c->n_waiting;
}

pid_t
ipc_chan_pid(const struct ipc_chan *c)
{
	return c->peer.pid;
}

int
ipc_chan_send(struct ipc_chan *c, struct view bytes, const int *fds,
	      unsigned n_fd)
{
	int err = ERR_AGAIN;

	if (bytes.len > IPC_MSG_MAX || n_fd > IPC_FD_MAX) {
		fds_close(fds, n_fd);
		return ERR_LONG;
	}
	if (c->first == NULL)
		err = send_one(c->fd, bytes, fds, n_fd);
	if (err == ERR_AGAIN) {
		err = queue_add(c, bytes, fds, n_fd);
		if (err == 0)
			return 0;	/* the queue has the descriptors */
	}
	fds_close(fds, n_fd);
	return err;
}

int
ipc_chan_flush(struct ipc_chan *c)
{
	while (c->first != NULL) {
		struct waiting *w = c->first;
		struct view v = { w->bytes, w->len };
		int err = send_one(c->fd, v, w->fd, w->n_fd);

		if (err == ERR_AGAIN)
			return 0;
		if (err != 0)
			return err;
		queue_drop_first(c);
	}
	return 0;
}

int
ipc_chan_recv(struct ipc_chan *c, struct view *bytes, int *fds, unsigned *n_fd)
{
	union {
		struct cmsghdr align;
		uint8_t b[CONTROL_BYTES];
	} ctl;
	struct iovec iov = { c->rx, sizeof(c->rx) };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl.b, .msg_controllen = sizeof(ctl.b),
	};
	struct control ct;
	ssize_t n;
	int err;

	memset(&ct, 0, sizeof(ct));
	do
		n = recvmsg(c->fd, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return ERR_AGAIN;
	if (n < 0)
		return errno == ECONNRESET ? ERR_CLOSED : ERR_SYS;
	control_read(&mh, &ct);
	c->rx_len = (size_t)n;
	/* End of file has no sender; nobody sends empty datagrams. */
	if (n == 0 && ct.n_fd == 0 && (!ct.has_cred || ct.cred.pid == 0))
		return ERR_CLOSED;
	if ((err = control_check(c, &ct, mh.msg_flags, fds)) != 0 ||
	    (size_t)n > IPC_MSG_MAX) {
		fds_close(ct.fd, ct.n_fd);
		return err != 0 ? err : ERR_LONG;
	}
	c->peer.pid = ct.cred.pid;
	if (ct.n_fd > 0)
		memcpy(fds, ct.fd, ct.n_fd * sizeof(int));
	if (n_fd != NULL)
		*n_fd = ct.n_fd;
	bytes->p = c->rx;
	bytes->len = c->rx_len;
	return 0;
}

void
ipc_chan_done(struct ipc_chan *c)
{
	wipe(c->rx, MIN(c->rx_len, sizeof(c->rx)));
	c->rx_len = 0;
}

int
ipc_post(struct ipc_chan *c, struct ipc_gate *gate, const struct ipc_msg *m,
	 const int *fds, unsigned n_fd)
{
	uint8_t buf[IPC_MSG_MAX];
	struct view v = { buf, 0 };
	int err;

	if ((err = ipc_msg_encode(m, buf, sizeof(buf), &v.len)) != 0 ||
	    (gate != NULL && (err = ipc_gate_out(gate, m)) != 0)) {
		wipe(buf, sizeof(buf));
		fds_close(fds, n_fd);
		return err;
	}
	err = ipc_chan_send(c, v, fds, n_fd);
	wipe(buf, v.len);
	if (err != 0 && gate != NULL && ipc_has_answer(m->type))
		ipc_gate_forget(gate, m->ticket);
	return err;
}
