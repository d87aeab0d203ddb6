/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/radius/child.c - the RADIUS child, and its keeper.
 *
 * A socket is connected, so the kernel drops what others send, and the address
 * it is sent from is that of the time of connecting.  When the machine's
 * addresses change it is of no use: sending fails, the server counts as silent,
 * and as soon as nobody waits the child ends and the keeper makes new sockets.
 *
 * Thread: one in each process.
 */
#include "secure-proc/radius/child.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "secure-proc/radius/wire.h"

#define WHO	   "radius"
#define BUDGET_S   2		/* for one datagram; ours */
#define PAUSE_MS   200		/* between two children; ours */
#define BATCH	   64		/* datagrams of one socket in a row; ours */
#define EXIT_AGAIN 3		/* of the child: new sockets, please */
#define N_FD	   (1 + SEC_RADIUS_REALMS * SEC_RADIUS_SERVERS)

/* ---- sockets --------------------------------------------------------------------- */

static socklen_t
sockaddr_of(const struct net_ep *ep, struct sockaddr_storage *out)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(ep->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(ep->port) };

	memset(out, 0, sizeof(*out));
	if (ep->ip.family == 4) {
		memcpy(&in.sin_addr, ep->ip.b, 4);
		memcpy(out, &in, sizeof(in));
		return sizeof(in);
	}
	memcpy(&in6.sin6_addr, ep->ip.b, 16);
	memcpy(out, &in6, sizeof(in6));
	return sizeof(in6);
}

static int
sock_open(const struct net_ep *ep)
{
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_of(ep, &sa);
	int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&sa, len) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

void
sec_radius_socks_open(struct sec_radius_socks *k,
		      const struct sec_radius_set *set)
{
	memset(k, 0xff, sizeof(*k));		/* -1 everywhere */
	for (unsigned i = 0; i < set->n_realm; i++)
		for (unsigned j = 0; j < set->realm[i].n; j++)
			k->fd[i][j] = sock_open(&set->realm[i].server[j].ep);
}

void
sec_radius_socks_close(struct sec_radius_socks *k)
{
	for (unsigned i = 0; i < SEC_RADIUS_REALMS; i++)
		for (unsigned j = 0; j < SEC_RADIUS_SERVERS; j++)
			if (k->fd[i][j] >= 0)
				close(k->fd[i][j]);
	memset(k, 0xff, sizeof(*k));
}

/* ---- the child ------------------------------------------------------------------- */

struct serving;

/* Servers of one realm. */
struct group {
	struct serving *v;
	unsigned at;			/* in the set */
	struct sec_radius *radius;
};

struct serving {
	const struct sec_radius_set *set;
	const struct sec_radius_socks *socks;
	int chan;
	int fatal;		/* an answer could not be given */
	bool is_stale;		/* a socket is of no use */
	struct group group[SEC_RADIUS_REALMS];
	struct pollfd p[N_FD];
	struct { uint8_t group, server; } at[N_FD]; /* of p */
	unsigned n;
	uint8_t buf[SEC_RADIUS_WIRE_MAX];
};

static void
budget(unsigned s)
{
	const struct itimerval t = { .it_value = { .tv_sec = s } };

	(void)setitimer(ITIMER_REAL, &t, NULL);
}

static void
reply(struct serving *v, const struct sec_radius_reply *a)
{
	uint8_t out[SEC_RADIUS_WIRE_MAX];
	size_t len;
	int err = sec_radius_reply_enc(a, out, sizeof(out), &len);

	if (err == 0 && send(v->chan, out, len, MSG_NOSIGNAL) != (ssize_t)len)
		err = ERR_IO;
	wipe(out, sizeof(out));
	if (err != 0)
		v->fatal = err;
}

/* These say that the socket's own address or way is gone, not that the server
 * does not listen. */
static bool
is_socket_stale(int error)
{
	return error == ENETUNREACH || error == EADDRNOTAVAIL ||
	    error == EINVAL || error == ENETDOWN || error == ENODEV ||
	    error == EPERM;
}

static void
on_send(void *ctx, unsigned server, struct view bytes)
{
	struct group *g = ctx;
	int fd = g->v->socks->fd[g->at][server];

	if (fd < 0)
		g->v->is_stale = true;
	/* an error that came by ICMP is told by the first call after it, and
	 * nothing is sent then */
	for (unsigned i = 0; fd >= 0 && i < 2; i++) {
		if (send(fd, bytes.p, bytes.len, MSG_NOSIGNAL) >= 0)
			return;
		if (is_socket_stale(errno))
			g->v->is_stale = true;
		if (errno != ECONNREFUSED && errno != EINTR)
			break;
	}
	sec_radius_deaf(g->radius, server, clk_ms());
}

static void
on_done(void *ctx, uint64_t ticket, int err, unsigned server,
	const struct spi_radius_answer *a)
{
	struct group *g = ctx;
	struct sec_radius_reply r = { .number = ticket, .err = err,
				      .server = server };

	if (err == 0)
		r.answer = *a;
	reply(g->v, &r);
	wipe(&r, sizeof(r));
}

static const struct sec_radius_ops ops = { on_send, on_done };

static struct group *
group_of(struct serving *v, uint32_t realm)
{
	for (unsigned i = 0; i < v->set->n_realm; i++)
		if (v->set->realm[i].realm == realm)
			return &v->group[i];
	return NULL;
}

static void
query_take(struct serving *v, struct view in)
{
	struct sec_radius_reply no = { .err = ERR_NOTFOUND };
	struct sec_radius_query q;
	struct group *g;

	if (sec_radius_query_dec(in, &q) != 0) {
		v->fatal = ERR_SYNTAX;	/* not of this build */
		return;
	}
	if ((g = group_of(v, q.realm)) != NULL)
		no.err = sec_radius_ask(g->radius, q.number, q.server, &q.ask,
		    clk_ms());
	if (no.err == 0)
		return;
	no.number = q.number;
	no.server = q.server;
	reply(v, &no);
}

static void
sock_take(struct serving *v, unsigned i)
{
	struct group *g = &v->group[v->at[i].group];
	ssize_t n;

	for (unsigned k = 0; k < BATCH; k++) {
		n = recv(v->p[i].fd, v->buf, SPI_RADIUS_MAX + 1, MSG_DONTWAIT);
		if (n < 0 && errno != ECONNREFUSED && errno != EHOSTUNREACH)
			return;
		if (n < 0)
			sec_radius_deaf(g->radius, v->at[i].server, clk_ms());
		/* what is not an answer, or not the server's, is nothing */
		if (n > 0 && sec_radius_input(g->radius, v->at[i].server,
		    (struct view){ v->buf, (size_t)n }, clk_ms()) == ERR_AUTH)
			log_rl(LOG_WARN, WHO, "an answer is not proved by the "
			    "secret: is secret= right, and does the server send "
			    "Message-Authenticator?");
	}
}

static int
chan_take(struct serving *v)
{
	ssize_t n;

	for (unsigned k = 0; k < BATCH && v->fatal == 0; k++) {
		n = recv(v->chan, v->buf, sizeof(v->buf), MSG_DONTWAIT);
		if (n == 0)
			return ERR_CLOSED;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : ERR_IO;
		query_take(v, (struct view){ v->buf, (size_t)n });
	}
	return v->fatal;
}

/* How long nothing has to be done, after doing what is due; and does anybody
 * wait? */
static int
tick(struct serving *v, bool *is_idle)
{
	uint64_t next = UINT64_MAX, now = clk_ms();

	*is_idle = true;
	for (unsigned i = 0; i < v->set->n_realm; i++) {
		next = MIN(next, sec_radius_tick(v->group[i].radius, now));
		if (sec_radius_n_open(v->group[i].radius) > 0)
			*is_idle = false;
	}
	if (next == UINT64_MAX)
		return -1;
	return next <= now ? 0 : (int)MIN(next - now, UINT64_C(60000));
}

static int
loop(struct serving *v)
{
	const struct sec_radius_reply begun = { .number = 0 };
	int err = 0, wait_ms;
	bool is_idle;

	reply(v, &begun);
	while (err == 0) {
		wait_ms = tick(v, &is_idle);
		if (v->fatal != 0)
			return v->fatal;
		if (v->is_stale && is_idle)
			return ERR_AGAIN;
		budget(0);
		if (poll(v->p, v->n, wait_ms) < 0 && errno != EINTR)
			return ERR_SYS;
		budget(BUDGET_S);
		for (unsigned i = 1; i < v->n; i++)
			if (v->p[i].revents != 0)
				sock_take(v, i);
		if (v->p[0].revents != 0)
			err = chan_take(v);
	}
	return err == ERR_CLOSED ? 0 : err;
}

static int
group_open(struct serving *v, unsigned at)
{
	const struct sec_radius_realm *r = &v->set->realm[at];
	struct view secret[SEC_RADIUS_SERVERS];

	v->group[at] = (struct group){ .v = v, .at = at };
	for (unsigned i = 0; i < r->n; i++) {
		secret[i] = (struct view){ r->server[i].secret,
					   r->server[i].n_secret };
		if (v->socks->fd[at][i] < 0)
			continue;
		v->at[v->n].group = (uint8_t)at;
		v->at[v->n].server = (uint8_t)i;
		v->p[v->n++] = (struct pollfd){ .events = POLLIN,
			.fd = v->socks->fd[at][i] };
	}
	return sec_radius_new(&v->group[at].radius, secret, r->n, &ops,
	    &v->group[at]);
}

int
sec_radius_serve(const struct sec_radius_set *set,
		 const struct sec_radius_socks *k, int chan)
{
	struct serving *v = calloc(1, sizeof(*v));
	int err = 0;

	if (v == NULL)
		return ERR_NOMEM;
	v->set = set;
	v->socks = k;
	v->chan = chan;
	v->p[v->n++] = (struct pollfd){ .fd = chan, .events = POLLIN };
	for (unsigned i = 0; err == 0 && i < set->n_realm; i++)
		err = group_open(v, i);
	if (err == 0)
		err = loop(v);
	budget(0);
	for (unsigned i = 0; i < set->n_realm; i++)
		sec_radius_free(v->group[i].radius);
	wipe(v, sizeof(*v));
	free(v);
	return err;
}

static int
child_confine(void)
{
	static const char *const calls[] = {
		"read", "write", "writev", "close",
		"recvfrom", "poll", "ppoll",
		"munmap", "mremap", "madvise", "brk",
		"getrandom", "futex", "getpid", "gettid",
		"clock_gettime", "gettimeofday", "time", "setitimer",
		"rt_sigreturn", "rt_sigprocmask", "rt_sigaction",
		"sigaltstack", "tgkill", "restart_syscall",
		"exit", "exit_group",
#ifdef __SANITIZE_THREAD__
		/* the sanitizer's own thread, which may just be starting */
		"rseq", "set_robust_list",
#endif
	};
	/* to where it is connected, and to nobody else: sendto() with no
	 * address is what send() is */
	static const struct confine_arg args[] = {
		{ "sendto", 4, UINT64_MAX, 0 },
		{ "mmap", 2, PROT_EXEC, 0 },
		{ "mprotect", 2, PROT_EXEC, 0 },
	};
	const struct confine_filter filter = {
		.who = "tapir-secure (radius)", .calls = calls,
		.n_call = N_OF(calls), .args = args, .n_arg = N_OF(args),
	};
	uint32_t feat = 0;

	return confine_shut(&filter, &feat);
}

/* ---- the keeper ------------------------------------------------------------------ */

/* Never returns. */
static void
child_run(struct sec_radius_set *set, int chan)
{
	struct sec_radius_socks k;
	uint8_t warm[1];
	int err;

	sec_radius_socks_open(&k, set);
	signal(SIGALRM, SIG_DFL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NAME, "tapir-radius");
	sec_radius_set_lock(set);
	/* libcrypto sets itself up while it may still ask the system */
	if (spi_radius_init() != 0 || rng_bytes(warm, sizeof(warm)) != 0 ||
	    child_confine() != 0)
		_exit(1);
	err = sec_radius_serve(set, &k, chan);
	_exit(err == 0 ? 0 : err == ERR_AGAIN ? EXIT_AGAIN : 1);
}

/* Until a child ends because nobody is there to ask it. */
static void
keeper_loop(struct sec_radius_set *set, int chan)
{
	int status;
	pid_t pid;

	for (;;) {
		if ((pid = fork()) == 0)
			child_run(set, chan);
		if (pid < 0)
			log_error(WHO, "cannot start: %s", strerror(errno));
		status = 0;
		while (pid > 0 && waitpid(pid, &status, 0) < 0 &&
		       errno == EINTR)
			;
		if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return;
		if (pid > 0 && WIFSIGNALED(status))
			log_warn(WHO, "ended by signal %d: starting anew",
			    WTERMSIG(status));
		(void)poll(NULL, 0, PAUSE_MS);
	}
}

/* Never returns. */
static void
keeper_run(struct sec_radius_set *set, const struct confine_user *u, int chan)
{
	struct confine_user user = *u;
	uint32_t feat = 0;
	sigset_t none;

	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	user.keep_caps = 0;
	if (sigprocmask(SIG_SETMASK, &none, NULL) != 0 ||
	    confine_common(&feat) != 0 || confine_fds(&chan, 1) != 0 ||
	    confine_drop(&user, &feat) != 0)
		_exit(1);
	(void)prctl(PR_SET_NAME, "tapir-keeper");
	sec_radius_set_lock(set);
	keeper_loop(set, chan);
	wipe(set, sizeof(*set));
	_exit(0);
}

int
sec_radius_child_start(struct sec_radius_set *set, const struct confine_user *u,
		       int *fd)
{
	int sv[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) != 0)
		return ERR_SYS;
	if ((pid = fork()) == 0) {
		close(sv[0]);
		keeper_run(set, u, sv[1]);
	}
	close(sv[1]);
	if (pid < 0 || fcntl(sv[0], F_SETFL, O_RDWR | O_NONBLOCK) != 0) {
		close(sv[0]);
		return ERR_SYS;
	}
	*fd = sv[0];
	return 0;
}
