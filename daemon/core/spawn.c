/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/spawn.c - how the supervisor starts the roles.
 *
 * Every role is fork and exec, so that their address layouts differ.  What a
 * child may have is made inheritable just before; the rest is close-on-exec,
 * and the child closes once more what it does not know.
 */
#include "daemon/core/spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/core/prio.h"
#include "daemon/core/sock.h"
#include "daemon/core/web.h"
#include "daemon/ipc/chan.h"

#define DEATH_MAX	  5	/* within DEATH_WINDOW_MS; then slowly */
#define DEATH_WINDOW_MS	  60000
#define RUN_USUAL   "/run/tapir"
#define STATE_USUAL "/var/lib/tapir"

#define ARG_MAX_N 48	/* arguments of a role */
#define ARG_TEXT_MAX SOCK_SPEC_MAX /* the longest of them */

/* ---- users --------------------------------------------------------------- */

/* Does this user namespace know the id? */
static bool
id_is_mapped(uid_t id)
{
	FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned long in, out, n;
	bool found = false;

	if (f == NULL)
		return true;
	while (!found && fscanf(f, "%lu %lu %lu", &in, &out, &n) == 3)
		found = id >= in && id - in < n;
	fclose(f);
	return found;
}

static void
user_of(const char *name, uid_t fallback, struct sandbox_user *u)
{
	struct passwd *pw = getpwnam(name);

	*u = (struct sandbox_user){ fallback, (gid_t)fallback, false };
	if (pw != NULL)
		*u = (struct sandbox_user){ pw->pw_uid, pw->pw_gid, false };
	if (!id_is_mapped(u->uid))
		*u = (struct sandbox_user){ geteuid(), getegid(), true };
}

void
spawn_users(struct super *s)
{
	user_of("tapir", ID_FALLBACK, &s->main_user);
	user_of("tapir-sec", ID_FALLBACK + 1, &s->secure_user);
	user_of("tapir-web", ID_FALLBACK + 2, &s->web.user);
	if (s->main_user.is_rootless || s->secure_user.is_rootless ||
	    s->web.user.is_rootless) {
		s->main_user.is_rootless = s->secure_user.is_rootless = true;
		s->web.user.is_rootless = true;
		s->main_user.uid = s->secure_user.uid = geteuid();
		s->web.user.uid = geteuid();
		log_notice("tapird", "this user namespace has one user: the "
			   "processes are split, but share uid %u",
			   (unsigned)geteuid());
	} else if (getpwnam("tapir") == NULL || getpwnam("tapir-sec") == NULL) {
		log_notice("tapird", "no users tapir and tapir-sec: uids %u and "
			   "%u are used (make install makes the users)",
			   (unsigned)s->main_user.uid,
			   (unsigned)s->secure_user.uid);
	}
}

uint64_t
spawn_pause_ms(struct super_death *d)
{
	uint64_t now = clk_ms();

	if (d->n == 0 || now - d->from_ms > DEATH_WINDOW_MS) {
		d->from_ms = now;
		d->n = 0;
	}
	return ++d->n <= DEATH_MAX ? SPAWN_PAUSE_MS : SPAWN_LONG_MS;
}

/* ---- starting roles ------------------------------------------------------ */

/* Arguments of an exec'd role: strings kept in one block. */
struct args {
	char text[ARG_MAX_N][ARG_TEXT_MAX];
	char *argv[ARG_MAX_N + 1];
	unsigned n;
};

static void
arg(struct args *a, const char *fmt, ...) PRINTF(2, 3);
static void
arg(struct args *a, const char *fmt, ...)
{
	va_list ap;

	if (a->n == ARG_MAX_N)
		abort();
	va_start(ap, fmt);
	vsnprintf(a->text[a->n], sizeof(a->text[0]), fmt, ap);
	va_end(ap);
	a->argv[a->n] = a->text[a->n];
	a->argv[++a->n] = NULL;
}

static void
arg_fd(struct args *a, const char *name, int fd)
{
	arg(a, "--%s", name);
	arg(a, "%d", fd);
}

int
spawn_conf_fd(const char *text, size_t len)
{
	int fd = memfd_create("tapir-conf", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	size_t at = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while (at < len) {
		n = write(fd, text + at, len - at);
		if (n <= 0) {
			close(fd);
			return -1;
		}
		at += (size_t)n;
	}
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
	return fd;
}

/* Which part of the CPU a role has. */
enum turn { TURN_USUAL, TURN_FIRST };

/* Fork and exec; inherit[] are the descriptors the child keeps beside its
 * standard ones (the child's confine_fds() closes the rest).  Pid or 0. */
static pid_t
spawn(const char *path, struct args *a, enum turn turn)
{
	sigset_t none;
	pid_t pid = fork();

	if (pid != 0)
		return MAX(pid, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (turn == TURN_USUAL)
		prio_usual();
	execv(path, a->argv);
	log_error("tapird", "cannot start %s: %s", path, strerror(errno));
	_exit(1);
}

/* Everything the child must not see is close-on-exec; what it needs is made
 * inheritable just before. */
static void
inherit(int fd, bool on)
{
	if (fd >= 0)
		(void)fcntl(fd, F_SETFD, on ? 0 : FD_CLOEXEC);
}

/* A program beside this one, or where make install puts it. */
static void
beside(const struct super *s, const char *name, char *out, size_t cap)
{
	out[0] = '\0';
	str_add(out, cap, "%s/%s", s->exe_dir, name);
	if (access(out, X_OK) == 0)
		return;
	out[0] = '\0';
	str_add(out, cap, "%s/%s", TAPIR_LIBEXEC, name);
}

static void
secure_path(const struct super *s, char *out, size_t cap)
{
	beside(s, "tapir-secure", out, cap);
}

/* Instances with run directories of their own have states of their own. */
static void
state_dir(const struct super_args *a, char *out, size_t cap)
{
	size_t n = strlen(a->run_dir);

	while (n > 1 && a->run_dir[n - 1] == '/')
		n--;
	out[0] = '\0';
	if (a->state_dir != NULL)
		str_add(out, cap, "%s", a->state_dir);
	else if (n == strlen(RUN_USUAL) && memcmp(a->run_dir, RUN_USUAL, n) == 0)
		str_add(out, cap, "%s", STATE_USUAL);
	else
		str_add(out, cap, "%.*s.state", (int)n, a->run_dir);
}

/* Where tapir-secure keeps what a file was before it changed it. */
static void
arg_state(struct args *a, const struct super *s)
{
	char dir[SUPER_PATH_MAX - 16];

	state_dir(s->args, dir, sizeof(dir));
	arg(a, "--state-dir");
	arg(a, "%s", dir);
}

/* Start the secure process with its end of the channel. */
int
spawn_secure(struct super *s, int chan)
{
	struct args a = { 0 };
	char path[SUPER_PATH_MAX];
	int conf = spawn_conf_fd(s->conf_text, s->conf_len);

	if (conf < 0) {
		close(chan);
		return ERR_SYS;
	}
	secure_path(s, path, sizeof(path));
	arg(&a, "tapir-secure");
	arg_fd(&a, "channel", chan);
	arg_fd(&a, "config-fd", conf);
	arg(&a, "--config-name");
	arg(&a, "%s", s->args->conf_path);
	arg(&a, "--keys");
	arg(&a, "%s", s->key_dir);
	arg(&a, "--run-dir");
	arg(&a, "%s", s->args->run_dir);
	arg_state(&a, s);
	arg_fd(&a, "uid", (int)s->secure_user.uid);
	arg_fd(&a, "gid", (int)s->secure_user.gid);
	arg_fd(&a, "peer-uid", (int)s->main_user.uid);
	if (s->typed_fd >= 0) {
		arg_fd(&a, "words", s->typed_fd);
		arg_fd(&a, "owner", (int)getuid());
	}
	arg(&a, "--log-level");
	arg(&a, "%s", log_level_name(log_get_level()));
	if (s->secure_user.is_rootless)
		arg(&a, "--rootless");
	inherit(chan, true);
	inherit(conf, true);
	inherit(s->typed_fd, true);
	s->secure_pid = spawn(path, &a, TURN_USUAL);
	inherit(s->typed_fd, false);
	close(chan);
	close(conf);
	return s->secure_pid > 0 ? 0 : ERR_SYS;
}

pid_t
spawn_release(const struct super *s, bool is_clean)
{
	struct args a = { 0 };
	char path[SUPER_PATH_MAX];
	int conf = spawn_conf_fd(s->conf_text, s->conf_len);
	pid_t pid;

	if (conf < 0)
		return 0;
	secure_path(s, path, sizeof(path));
	arg(&a, "tapir-secure");
	arg(&a, "--release");
	arg(&a, is_clean ? "all" : "rules");
	arg_fd(&a, "config-fd", conf);
	arg(&a, "--config-name");
	arg(&a, "%s", s->args->conf_path);
	arg(&a, "--run-dir");
	arg(&a, "%s", s->args->run_dir);
	arg_state(&a, s);
	inherit(conf, true);
	pid = spawn(path, &a, TURN_USUAL);
	close(conf);
	return pid;
}

pid_t
spawn_login(const struct super *s, int chan, int prove)
{
	int dir = s->web.users_fd, listen_fd = s->web.link_fd;
	struct args a = { 0 };
	char path[SUPER_PATH_MAX];
	pid_t pid;

	secure_path(s, path, sizeof(path));
	arg(&a, "tapir-login");
	arg(&a, "--login");
	if (dir >= 0)
		arg(&a, "%d", dir);
	else
		arg(&a, "none");
	arg_fd(&a, "channel", chan);
	arg_fd(&a, "prove", prove);
	if (listen_fd >= 0)
		arg_fd(&a, "words", listen_fd);
	arg_fd(&a, "owner", (int)getuid());
	arg_fd(&a, "uid", (int)s->secure_user.uid);
	arg_fd(&a, "gid", (int)s->secure_user.gid);
	arg(&a, "--log-level");
	arg(&a, "%s", log_level_name(log_get_level()));
	if (s->secure_user.is_rootless)
		arg(&a, "--rootless");
	inherit(chan, true);
	inherit(prove, true);
	inherit(dir, true);
	inherit(listen_fd, true);
	pid = spawn(path, &a, TURN_USUAL);
	inherit(dir, false);
	inherit(listen_fd, false);
	close(chan);
	close(prove);
	return pid;
}

pid_t
spawn_desk(const struct super *s, int chan, bool is_proved)
{
	struct args a = { 0 };
	char path[SUPER_PATH_MAX];
	pid_t pid;

	beside(s, "tapir-desk", path, sizeof(path));
	arg(&a, "tapir-desk");
	arg_fd(&a, "channel", chan);
	arg(&a, "--config");
	arg(&a, "%s", s->args->conf_path);
	arg(&a, "--keys");
	arg(&a, "%s", s->key_dir);
	if (!s->conf->web.edit)
		arg(&a, "--closed");
	if (is_proved)
		arg(&a, "--proved");
	if (s->main_user.is_rootless)
		arg(&a, "--rootless");
	inherit(chan, true);
	pid = spawn(path, &a, TURN_USUAL);
	close(chan);
	return pid;
}

void
spawn_inherit_socks(struct super *s, bool on)
{
	int fd[SOCK_FD_MAX];
	unsigned n = sock_list(&s->socks, fd);

	for (unsigned i = 0; i < n; i++)
		inherit(fd[i], on);
	inherit(s->key_log_fd, on);
	inherit(s->typed_fd, false);
}

int
spawn_resolver(struct super *s, int fd)
{
	struct args a = { 0 };
	char path[SUPER_PATH_MAX] = "";

	str_add(path, sizeof(path), "%s/tapird", s->exe_dir);
	arg(&a, "tapird");
	arg(&a, "--role");
	arg(&a, "resolve");
	arg_fd(&a, "channel", fd);
	arg_fd(&a, "uid", (int)s->main_user.uid);
	arg_fd(&a, "gid", (int)s->main_user.gid);
	if (s->main_user.is_rootless)
		arg(&a, "--rootless");
	inherit(fd, true);
	s->resolve_pid = spawn(path, &a, TURN_USUAL);
	close(fd);
	return s->resolve_pid > 0 ? 0 : ERR_SYS;
}

void
spawn_word(int to, uint8_t word, int fd)
{
	union {
		struct cmsghdr align;
		char b[CMSG_SPACE(sizeof(int))];
	} ctl = { 0 };
	struct iovec iov = { &word, 1 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (fd >= 0) {
		h.msg_control = &ctl;
		h.msg_controllen = sizeof(ctl);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	(void)!sendmsg(to, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- the diary ----------------------------------------------------------- */

void
spawn_state_dir(struct super *s)
{
	char dir[SUPER_PATH_MAX - 16];
	struct stat st;

	state_dir(s->args, dir, sizeof(dir));
	s->state_dir[0] = '\0';
	str_add(s->state_dir, sizeof(s->state_dir), "%s/history", dir);
	/* whatever the umask: the diary must get through */
	if (((mkdir(dir, 0711) == 0 && chmod(dir, 0711) == 0) ||
	     errno == EEXIST) &&
	    (mkdir(s->state_dir, 0700) == 0 || errno == EEXIST) &&
	    lstat(s->state_dir, &st) == 0 && S_ISDIR(st.st_mode) &&
	    (st.st_uid == s->main_user.uid ||
	     lchown(s->state_dir, s->main_user.uid, s->main_user.gid) == 0))
		return;
	log_warn("tapird", "cannot write to %s: %s; no history of the peers is "
		 "kept", s->state_dir, strerror(errno));
	s->state_dir[0] = '\0';
}

int
spawn_lease_file(const struct super *s)
{
	char dir[SUPER_PATH_MAX - 16], path[SUPER_PATH_MAX];
	struct stat st;
	int fd;

	state_dir(s->args, dir, sizeof(dir));
	path[0] = '\0';
	str_add(path, sizeof(path), "%s/leases", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
		  O_NOCTTY, 0600);
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
		errno = EINVAL;
	}
	if (fd < 0)
		log_warn("tapird", "cannot write to %s: %s; addresses of clients "
			 "may change after a restart", path, strerror(errno));
	return fd;
}

/* A file of the log: append, for us alone, no link is followed. */
static int
log_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC |
		      O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		close(fd);
		fd = -1;
		errno = EINVAL;
	}
	if (fd < 0)
		log_warn("tapird", "cannot write the log to %s: %s", path,
			 strerror(errno));
	return fd;
}

/* One <log> as an argument of the diary (daemon/diary/sinks.h). */
static void
sink_arg(struct args *a, const struct super *s, const struct conf_log *l, int fd)
{
	static const char *const to[] = { "journal", "syslog", "file" };
	const char *list = l->component;
	char who[256] = "", word[32];

	while (list != NULL && conf_word_next(&list, word, sizeof(word)))
		str_add(who, sizeof(who), "%s%s", *who != '\0' ? "+" : "", word);
	arg(a, "--sink");
	arg(a, "%s:%s:%s:%d:%s", to[l->to], s->args->log_level != NULL ?
	    s->args->log_level : log_level_name(l->level),
	    *who != '\0' ? who : "*", fd, l->file != NULL ? l->file : "");
}

int
spawn_diary(struct super *s, int chan)
{
	char path[SUPER_PATH_MAX] = "";
	int word[2], file[CONF_LOG_MAX] = { -1, -1, -1, -1 };
	struct args a = { 0 };

	if (spawn_pair(word) != 0) {
		close(chan);
		return ERR_SYS;
	}
	str_add(path, sizeof(path), "%s/tapird", s->exe_dir);
	arg(&a, "tapird");
	arg(&a, "--role");
	arg(&a, "diary");
	arg_fd(&a, "channel", chan);
	arg_fd(&a, "supervisor", word[1]);
	arg_fd(&a, "uid", (int)s->main_user.uid);
	arg_fd(&a, "gid", (int)s->main_user.gid);
	if (s->main_user.is_rootless)
		arg(&a, "--rootless");
	if (*s->state_dir != '\0') {
		arg(&a, "--state-dir");
		arg(&a, "%s", s->state_dir);
	}
	for (unsigned i = 0; i < s->conf->n_log; i++) {
		const struct conf_log *l = &s->conf->logs[i];

		if (l->to == CONF_LOG_FILE)
			file[i] = log_file(l->file);
		sink_arg(&a, s, l, file[i]);
		inherit(file[i], true);
	}
	inherit(chan, true);
	inherit(word[1], true);
	s->diary_pid = spawn(path, &a, TURN_USUAL);
	close(chan);
	close(word[1]);
	for (unsigned i = 0; i < N_OF(file); i++)
		if (file[i] >= 0)
			close(file[i]);
	if (s->diary_fd >= 0)
		close(s->diary_fd);
	s->diary_fd = word[0];
	return s->diary_pid > 0 ? 0 : ERR_SYS;
}

void
spawn_log_files(struct super *s)
{
	uint8_t n = 0;
	int fd;

	for (unsigned i = 0; i < s->conf->n_log; i++) {
		if (s->conf->logs[i].to != CONF_LOG_FILE)
			continue;
		if ((fd = log_file(s->conf->logs[i].file)) >= 0) {
			spawn_word(s->diary_fd, n, fd);
			close(fd);
		}
		n++;
	}
}

/* ---- the main role ------------------------------------------------------- */

static int
start_main(struct super *s, int sup, int chan, int res, int diary, int web)
{
	struct args a = { 0 };
	char path[SUPER_PATH_MAX] = "", spec[SOCK_SPEC_MAX];
	int conf = spawn_conf_fd(s->conf_text, s->conf_len);

	/* without a text it says so and ends; the descriptors are closed below */
	str_add(path, sizeof(path), "%s/tapird", s->exe_dir);
	sock_spec(&s->socks, spec, sizeof(spec));
	arg(&a, "tapird");
	arg(&a, "--role");
	arg(&a, "main");
	arg_fd(&a, "supervisor", sup);
	arg_fd(&a, "channel", chan);
	arg_fd(&a, "resolver", res);
	arg_fd(&a, "web", web);
	arg_fd(&a, "diary", diary);
	arg_fd(&a, "config-fd", conf);
	arg(&a, "--config");
	arg(&a, "%s", s->args->conf_path);
	arg(&a, "--sockets");
	arg(&a, "%s", spec);
	arg_fd(&a, "uid", (int)s->main_user.uid);
	arg_fd(&a, "gid", (int)s->main_user.gid);
	arg_fd(&a, "secure-uid", (int)s->secure_user.uid);
	arg_fd(&a, "owner", (int)getuid());
	arg(&a, "--log-level");
	arg(&a, "%s", log_level_name(log_get_level()));
	if (s->key_log_fd >= 0)
		arg_fd(&a, "key-log-fd", s->key_log_fd);
	if (s->args->fallback != NULL) {
		arg(&a, "--force-fallback");
		arg(&a, "%s", s->args->fallback);
	}
	if (s->main_user.is_rootless)
		arg(&a, "--rootless");
	inherit(sup, true);
	inherit(chan, true);
	inherit(res, true);
	inherit(web, true);
	inherit(diary, true);
	inherit(conf, true);
	spawn_inherit_socks(s, true);
	s->main_pid = spawn(path, &a, TURN_FIRST);
	spawn_inherit_socks(s, false);
	close(sup);
	close(chan);
	close(res);
	close(web);
	close(diary);
	if (conf >= 0)
		close(conf);
	return s->main_pid > 0 ? 0 : ERR_SYS;
}

void
spawn_kill(const struct super *s, pid_t pid, int sig)
{
	bool is_main = pid == s->main_pid || pid == s->resolve_pid;

	if (kill(pid, sig) == 0 || errno != EPERM)
		return;
	if (seteuid(is_main ? s->main_user.uid : s->secure_user.uid) == 0) {
		(void)kill(pid, sig);
		if (seteuid(0) != 0)
			abort();
	}
}

void
spawn_reap(const struct super *s, pid_t *pid)
{
	if (*pid > 0) {
		spawn_kill(s, *pid, SIGKILL);
		(void)waitpid(*pid, NULL, 0);
		*pid = 0;
	}
}

int
spawn_pair(int fd[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == 0
	    ? 0 : ERR_SYS;
}

/* One of those that were not handed on. */
static void
drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int
take(int *fd)
{
	int n = *fd;

	*fd = -1;
	return n;
}

/* All roles, with fresh channels between them; main has [0] of each but the
 * supervisor's. */
int
spawn_all(struct super *s)
{
	enum { CHAN, SUP, RES, DIARY, WEB, N };
	int p[N][2], err;

	memset(p, 0xff, sizeof(p));
	if ((err = ipc_chan_pair(p[CHAN])) != 0)
		goto out;
	for (unsigned i = SUP; i < N; i++)
		if ((err = spawn_pair(p[i])) != 0)
			goto out;
	s->main_fd = take(&p[SUP][0]);
	if ((err = spawn_secure(s, take(&p[CHAN][1]))) != 0 ||
	    (err = spawn_resolver(s, take(&p[RES][1]))) != 0 ||
	    (err = spawn_diary(s, take(&p[DIARY][1]))) != 0)
		goto out;
	err = start_main(s, take(&p[SUP][1]), take(&p[CHAN][0]),
			 take(&p[RES][0]), take(&p[DIARY][0]),
			 take(&p[WEB][0]));
	web_link(s, take(&p[WEB][1]));
out:
	for (unsigned i = 0; i < N; i++) {
		drop(&p[i][0]);
		drop(&p[i][1]);
	}
	return err;
}
