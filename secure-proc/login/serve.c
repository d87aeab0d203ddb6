/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/login/serve.c - the process that decides about passwords.
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
#include "secure-proc/login/account.h"

#define WHO	   "login"
#define OPEN_FLAGS (O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
#define ALL_32	   UINT64_C(0xffffffff)

static const char *const calls[] = {
	"read", "write", "writev", "close", "sendto", "recvfrom",
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

static int
confine(const struct confine_user *u, int chan, int dir)
{
	static const struct confine_filter filter = {
		.who = "tapir-login", .calls = calls, .n_call = N_OF(calls),
		.args = args, .n_arg = N_OF(args),
	};
	const int keep[] = { chan, dir };
	struct confine_user user = *u;
	struct confine_path path = { .is_write = false };
	char name[32];
	uint32_t feat = 0;
	int err;

	user.keep_caps = 0;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", dir);
	path.path = name;
	if ((err = confine_common(&feat)) != 0 ||
	    (err = confine_fds(keep, N_OF(keep))) != 0 ||
	    (err = confine_drop(&user, &feat)) != 0)
		return err;
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) /* the user's change forgot it */
		return ERR_SYS;
	if ((err = confine_landlock(&path, 1, &feat)) != 0 ||
	    (err = confine_seccomp(&filter, confine_probe_all, CONFINE_P_END, &feat)) != 0)
		return err;
	confine_report(WHO, feat | CONFINE_F_LOCKED);
	return 0;
}

/* The file as text in buf; "" when there is none. */
static void
users_read(int dir, char *buf, size_t cap)
{
	int fd = openat(dir, CONF_USER_FILE, OPEN_FLAGS);
	size_t n = 0;
	ssize_t got;

	while (fd >= 0 && n < cap - 1 &&
	       (got = read(fd, buf + n, cap - 1 - n)) > 0)
		n += (size_t)got;
	buf[n] = '\0';
	if (fd >= 0)
		close(fd);
	else if (errno != ENOENT)
		log_warn(WHO, "keys/%s/%s cannot be read: %s", CONF_USER_DIR,
			 CONF_USER_FILE, strerror(errno));
}

static void
say(const struct pass_ask *q, const struct pass_answer *a)
{
	char name[4 * CONF_USER_NAME_MAX + 1];

	str_escape(name, sizeof(name), q->name, strlen(q->name));
	if (a->verdict == PASS_YES)
		log_notice(WHO, "%s logged in from %s", name, q->source);
	else if (a->verdict == PASS_NO)
		log_warn(WHO, "%s was refused, from %s", name, q->source);
}

static int
answer(struct login *l, int chan, int dir, char *users, const uint8_t *bytes,
       size_t n)
{
	struct pass_answer a;
	struct pass_ask q;
	uint8_t out[PASS_BYTES_MAX];
	int len, err;

	if ((err = pass_ask_dec(bytes, n, &q)) != 0)
		return err;
	users_read(dir, users, CONF_USER_BYTES_MAX);
	a = (struct pass_answer){ .id = q.id };
	if (q.is_still)
		login_still(q.name, users, &a);
	else
		login_decide(l, &q, users, clk_ms(), clk_wall_ms() / 1000, &a);
	wipe(users, CONF_USER_BYTES_MAX);
	if (!q.is_still)
		say(&q, &a);
	wipe(&q, sizeof(q));
	len = pass_answer_enc(&a, out, sizeof(out));
	if (len < 0)
		return len;
	return send(chan, out, (size_t)len, MSG_NOSIGNAL) == len ? 0 :
	    ERR_CLOSED;
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

int
login_serve(const struct confine_user *u, int chan, int dir)
{
	struct login *l = NULL;
	char *users = malloc(CONF_USER_BYTES_MAX);
	uint8_t bytes[PASS_BYTES_MAX];
	ssize_t n;
	int err = users == NULL ? ERR_NOMEM : 0;

	(void)prctl(PR_SET_NAME, "tapir-login");
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	if (err == 0 && (err = login_new(&l)) == 0 &&
	    (err = warm_up(l)) == 0)
		err = confine(u, chan, dir);
	while (err == 0) {
		n = recv(chan, bytes, sizeof(bytes), 0);
		if (n == 0)
			break;
		if (n > 0)
			err = answer(l, chan, dir, users, bytes, (size_t)n);
		else if (errno != EINTR)
			err = ERR_SYS;
		wipe(bytes, sizeof(bytes));
	}
	if (err != 0 && err != ERR_CLOSED)
		log_error(WHO, "passwords are not looked at any more: %s",
			  err_text(err));
	login_free(l);
	free(users);
	return err == ERR_CLOSED ? 0 : err;
}
