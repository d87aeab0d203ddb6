/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/login/serve.c - the process that decides about passwords.
 *
 *   tapir-web  ---- channel -----+
 *   supervisor ---- prove -------+--> answer.c --> the file of accounts
 *   tapir web  --> login.sock ---+
 *
 * A process of its own: guessing costs it time, not the one that has the keys of
 * the VPN.  The file of accounts is read for each question, so that a change counts
 * at once; nothing else can be opened.
 *
 * Thread: one.
 */
#include "secure-proc/login/serve.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/ipc/visit.h"
#include "secure-proc/login/answer.h"

#define WHO	   "login"
#define OPEN_FLAGS (O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
#define ALL_32	   UINT64_C(0xffffffff)

static const char *const calls[] = {
	"read", "write", "writev", "close", "sendto", "recvfrom", "poll",
	"ppoll", "accept4", "getsockopt",
	"munmap", "mremap", "madvise", "brk", "futex", "getrandom",
	"getpid", "gettid", "getuid", "geteuid", "clock_gettime",
	"gettimeofday", "time", "rt_sigreturn", "rt_sigprocmask",
	"rt_sigaction", "sigaltstack", "tgkill", "fstat", "newfstatat",
	"restart_syscall", "exit", "exit_group",
};
static const struct confine_arg args[] = {
	{ "openat", 2, ALL_32, OPEN_FLAGS },
	{ "mmap", 2, PROT_EXEC, 0 },
	{ "mprotect", 2, PROT_EXEC, 0 },
};

struct serve {
	struct login_fds fd;
	struct login_at at;
	char *users;		/* [CONF_USER_BYTES_MAX] */
	struct visit *visit;	/* NULL: nobody makes links */
};

static int
confine(const struct confine_user *u, const struct login_fds *fd)
{
	static const struct confine_filter filter = {
		.who = "tapir-login", .calls = calls, .n_call = N_OF(calls),
		.args = args, .n_arg = N_OF(args),
	};
	const int all[] = { fd->web, fd->super, fd->listen, fd->dir };
	struct confine_user user = *u;
	struct confine_path path = { .is_write = false };
	char name[32];
	uint32_t feat = 0;
	int keep[N_OF(all)], err;
	unsigned n = 0;

	for (unsigned i = 0; i < N_OF(all); i++)
		if (all[i] >= 0)
			keep[n++] = all[i];
	user.keep_caps = 0;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd->dir);
	path.path = name;
	if ((err = confine_common(&feat)) != 0 ||
	    (err = confine_fds(keep, n)) != 0 ||
	    (err = confine_drop(&user, &feat)) != 0)
		return err;
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) /* the user's change forgot it */
		return ERR_SYS;
	err = fd->dir >= 0 ? confine_landlock(&path, 1, &feat) :
	    confine_landlock_none(&feat);
	if (err != 0 || (err = confine_seccomp(&filter, confine_probe_all,
					       CONFINE_P_END, &feat)) != 0)
		return err;
	confine_report(WHO, feat | CONFINE_F_LOCKED);
	return 0;
}

/* The file as text in buf; "" when there is none. */
static void
users_read(int dir, char *buf, size_t cap)
{
	int fd = dir >= 0 ? openat(dir, CONF_USER_FILE, OPEN_FLAGS) : -1;
	size_t n = 0;
	ssize_t got;

	while (fd >= 0 && n < cap - 1 &&
	       (got = read(fd, buf + n, cap - 1 - n)) > 0)
		n += (size_t)got;
	buf[n] = '\0';
	if (fd >= 0)
		close(fd);
	else if (dir >= 0 && errno != ENOENT)
		log_warn(WHO, "keys/%s/%s cannot be read: %s", CONF_USER_DIR,
			 CONF_USER_FILE, strerror(errno));
}

static void
say(const struct pass_ask *q, const struct pass_answer *a)
{
	char name[4 * CONF_USER_NAME_MAX + 1];

	str_escape(name, sizeof(name), q->name, strlen(q->name));
	if (q->kind == PASS_LINK)
		(void)str_copy(name, sizeof(name), "a link");
	if (a->verdict == PASS_YES)
		log_notice(WHO, "%s logged in from %s", name, q->source);
	else if (a->verdict == PASS_NO)
		log_warn(WHO, "%s was refused, from %s", name, q->source);
}

/* ---- questions ------------------------------------------------------------------- */

/* What is known now; users_forget() ends it. */
static const struct login_at *
users_know(struct serve *s)
{
	users_read(s->fd.dir, s->users, CONF_USER_BYTES_MAX);
	s->at.users = s->users;
	s->at.now_ms = clk_ms();
	s->at.wall_s = clk_wall_ms() / 1000;
	return &s->at;
}

static void
users_forget(struct serve *s)
{
	wipe(s->users, CONF_USER_BYTES_MAX);
}

/* Bytes of the answer, or an error. */
static int
from_web(struct serve *s, const uint8_t *bytes, size_t n, uint8_t *out)
{
	struct pass_answer a;
	struct pass_ask q;
	int err;

	if ((err = pass_ask_dec(bytes, n, &q)) != 0)
		return err;
	login_answer(users_know(s), &q, &a);
	users_forget(s);
	if (q.kind != PASS_STILL)
		say(&q, &a);
	wipe(&q, sizeof(q));
	return pass_answer_enc(&a, out, PASS_BYTES_MAX);
}

static int
from_super(struct serve *s, const uint8_t *bytes, size_t n, uint8_t *out)
{
	struct proof_answer a;
	struct proof_ask q;
	int err;

	if ((err = proof_ask_dec(bytes, n, &q)) != 0)
		return err;
	login_answer_proof(users_know(s), &q, &a);
	users_forget(s);
	return proof_answer_enc(&a, out, PASS_BYTES_MAX);
}

static int
from_visitor(void *ctx, const struct visit_who *who, const uint8_t *p, size_t len,
	     uint8_t out[VISIT_BYTES_MAX])
{
	struct proof_link_answer a;
	struct proof_link_ask q;
	struct serve *s = ctx;
	int err;

	if ((err = proof_link_ask_dec(p, len, &q)) != 0)
		return err;
	s->at.now_ms = clk_ms();
	if ((err = login_answer_link(&s->at, &q, &a)) != 0)
		return err;
	log_notice(WHO, "a link was made by user %u", (unsigned)who->uid);
	err = proof_link_answer_enc(&a, out, VISIT_BYTES_MAX);
	wipe(&a, sizeof(a));
	return err;
}

/* One datagram of a channel; ERR_CLOSED at its end. */
static int
channel_read(struct serve *s, int fd,
	     int (*fn)(struct serve *, const uint8_t *, size_t, uint8_t *))
{
	uint8_t bytes[PASS_BYTES_MAX], out[PASS_BYTES_MAX];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	int len;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : ERR_SYS;
	if (n == 0)
		return ERR_CLOSED;
	len = fn(s, bytes, (size_t)n, out);
	wipe(bytes, sizeof(bytes));
	if (len < 0)
		return len;
	return send(fd, out, (size_t)len, MSG_NOSIGNAL) == len ? 0 : ERR_CLOSED;
}

/* libcrypto sets itself up while files can be opened. */
static int
warm_up(struct login *l)
{
	const struct pass_ask q = { .name = "nobody", .source = "start" };
	struct pass_answer a;
	char code[7];

	login_decide(l, &q, "", 0, 0, &a);
	return login_code((const uint8_t *)"key", 3, 1, code);
}

static int
loop(struct serve *s)
{
	struct pollfd p[2 + VISIT_FDS] = {
		{ .fd = s->fd.web, .events = POLLIN },
		{ .fd = s->fd.super, .events = POLLIN },
	};
	unsigned n;
	int err = 0;

	while (err == 0) {
		n = s->visit != NULL ? visit_poll(s->visit, p + 2) : 0;
		if (poll(p, 2 + n, -1) < 0) {
			err = errno == EINTR ? 0 : ERR_SYS;
			continue;
		}
		/* it waits for nobody's scrypt longer than one takes */
		if (p[1].revents != 0)
			err = channel_read(s, s->fd.super, from_super);
		if (n > 0)
			visit_input(s->visit, p + 2, n);
		if (err == 0 && p[0].revents != 0)
			err = channel_read(s, s->fd.web, from_web);
	}
	return err;
}

int
login_serve(const struct confine_user *u, uid_t owner, const struct login_fds *fd)
{
	struct serve s = { .fd = *fd, .users = malloc(CONF_USER_BYTES_MAX) };
	const struct visit_ops ops = { &s, from_visitor };
	int err = s.users == NULL ? ERR_NOMEM : 0;

	(void)prctl(PR_SET_NAME, "tapir-login");
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	if (err == 0 && (err = login_new(&s.at.accounts)) == 0 &&
	    (err = login_proofs_new(&s.at.proofs)) == 0 &&
	    (fd->listen < 0 || (err = visit_new(&s.visit, &ops, fd->listen,
						owner, 0)) == 0) &&
	    (err = warm_up(s.at.accounts)) == 0)
		err = confine(u, fd);
	if (err == 0)
		err = loop(&s);
	if (err != 0 && err != ERR_CLOSED)
		log_error(WHO, "passwords are not looked at any more: %s",
			  err_text(err));
	visit_free(s.visit);
	login_proofs_free(s.at.proofs);
	login_free(s.at.accounts);
	free(s.users);
	return err == ERR_CLOSED ? 0 : err;
}
