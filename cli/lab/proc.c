/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/proc.c - run other programs: no shell, bounded time, own namespaces.
 */
#include "cli/lab/proc.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cli/cli.h"
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define EXIT_NOTFOUND 127
#define EXIT_SETUP    126	/* namespace or mount failed */
#define SLICE_MS      50	/* a signal is noticed after this */
#define NETNS_DIR     "/run/netns"

static const char *const sys_dirs[] = { "/usr/sbin", "/usr/bin", "/sbin",
					"/bin", "/usr/local/sbin",
					"/usr/local/bin" };
static const char *const base_env[] = {
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin",
	"LC_ALL=C", "TERM=dumb",
};
#define ENV_MAX 16

/* Full path of a program; one with a slash is taken as it is. */
static bool
find_prog(const char *name, char *out, size_t cap)
{
	unsigned i;

	if (strchr(name, '/') != NULL) {
		str_copy(out, cap, name);
		return access(name, X_OK) == 0;
	}
	for (i = 0; i < N_OF(sys_dirs); i++) {
		snprintf(out, cap, "%s/%s", sys_dirs[i], name);
		if (access(out, X_OK) == 0)
			return true;
	}
	return false;
}

bool
proc_find_ours(const char *name, char *out, size_t cap)
{
	static const char *const dirs[] = { ".", "../sbin", "../libexec/tapir" };
	char self[PROC_PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		if ((slash = strrchr(self, '/')) != NULL)
			*slash = '\0';
		for (unsigned i = 0; i < N_OF(dirs); i++) {
			snprintf(out, cap, "%s/%s/%s", self, dirs[i], name);
			if (access(out, X_OK) == 0)
				return true;
		}
	}
	snprintf(out, cap, "%s/%s", TAPIR_LIBEXEC, name);
	return access(out, X_OK) == 0;
}

bool
proc_exists(const char *name)
{
	char path[256];

	return find_prog(name, path, sizeof(path));
}

void
proc_ns_path(const char *ns, char *out, size_t cap)
{
	snprintf(out, cap, NETNS_DIR "/%s", ns);
}

static int
ns_set(const char *ns)
{
	char path[128];
	int fd, rc;

	proc_ns_path(ns, path, sizeof(path));
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return ERR_SYS;
	rc = setns(fd, CLONE_NEWNET);
	close(fd);
	return rc == 0 ? 0 : ERR_SYS;
}

int
proc_ns_enter(const char *ns, int *back)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return ERR_SYS;
	if (ns_set(ns) != 0) {
		close(fd);
		return ERR_SYS;
	}
	*back = fd;
	return 0;
}

void
proc_ns_leave(int back)
{
	if (setns(back, CLONE_NEWNET) != 0)
		abort();	/* going on in the wrong network is worse */
	close(back);
}

/* ---- the child -------------------------------------------------------------- */

static void
child_signals(void)
{
	sigset_t none;
	int s;

	for (s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool
child_mount(const char *run_dir)
{
	return unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount(run_dir, "/run", NULL, MS_BIND, NULL) == 0;
}

static void __attribute__((noreturn))
child_run(const struct proc *p, const char *path, int out, pid_t parent)
{
	const char *env[ENV_MAX];
	unsigned n = 0, i;
	int null = open("/dev/null", O_RDONLY);

	setsid();
	child_signals();
	if (p->is_tied) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(EXIT_SETUP);
	}
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	close_range(3, ~0u, 0);
	if ((p->ns != NULL && ns_set(p->ns) != 0) ||
	    (p->run_dir != NULL && !child_mount(p->run_dir))) {
		dprintf(2, "cannot enter the namespace: %s\n", strerror(errno));
		_exit(EXIT_SETUP);
	}
	for (i = 0; i < N_OF(base_env); i++)
		env[n++] = base_env[i];
	for (i = 0; p->env != NULL && p->env[i] != NULL && n + 1 < ENV_MAX; i++)
		env[n++] = p->env[i];
	env[n] = NULL;
	execve(path, (char *const *)p->argv, (char *const *)env);
	_exit(EXIT_NOTFOUND);
}

/* ---- run -------------------------------------------------------------------- */

/* Read the output until its end or until time is up. */
static int
collect(int fd, int ms, bool is_stubborn, char *out, size_t cap)
{
	uint64_t end = clk_ms() + (uint64_t)ms;
	char buf[1024];
	size_t len = 0;

	if (cap > 0)
		out[0] = '\0';
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (cli_stopped && !is_stubborn)
			return ERR_AGAIN;
		if (clk_ms() >= end)
			return ERR_TIMEOUT;
		if (poll(&p, 1, SLICE_MS) <= 0)
			continue;
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		if (len + 1 < cap) {
			size_t take = MIN((size_t)n, cap - 1 - len);

			memcpy(out + len, buf, take);
			len += take;
			out[len] = '\0';
		}
	}
}

int
proc_run(const struct proc *p, int ms, char *out, size_t cap)
{
	pid_t pid, me = getpid();
	int fd[2], status, err;
	char path[256];

	if (!find_prog(p->argv[0], path, sizeof(path)))
		return ERR_NOTFOUND;
	if (pipe2(fd, O_CLOEXEC) != 0)
		return ERR_SYS;
	if ((pid = fork()) == 0)
		child_run(p, path, fd[1], me);
	close(fd[1]);
	if (pid < 0) {
		close(fd[0]);
		return ERR_SYS;
	}
	err = collect(fd[0], ms, p->is_stubborn, out, cap);
	close(fd[0]);
	if (err != 0)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (err != 0)
		return err;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int
proc_start(const struct proc *p, pid_t *pid)
{
	pid_t me = getpid();
	char path[256];
	int out;

	if (!find_prog(p->argv[0], path, sizeof(path)))
		return ERR_NOTFOUND;
	out = open(p->log != NULL ? p->log : "/dev/null",
		   O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return ERR_SYS;
	*pid = fork();
	if (*pid == 0)
		child_run(p, path, out, me);
	close(out);
	if (*pid < 0) {
		*pid = 0;
		return ERR_SYS;
	}
	return 0;
}

bool
proc_is_alive(pid_t pid)
{
	siginfo_t si = { 0 };

	if (pid <= 0)
		return false;
	return waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    si.si_pid == 0;
}

void
proc_stop(pid_t pid, int ms)
{
	uint64_t end = clk_ms() + (uint64_t)ms;
	int status;

	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clk_ms() >= end) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			end += 1000;
		}
		poll(NULL, 0, 10);
	}
}

/* ---- what lives in a namespace ---------------------------------------------- */

/* Does the name of its program begin so?  NULL: any does. */
static bool
is_called(unsigned pid, const char *name)
{
	char path[64], comm[32] = "";
	FILE *f;

	if (name == NULL)
		return true;
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	if (fgets(comm, sizeof(comm), f) == NULL)
		comm[0] = '\0';
	fclose(f);
	return strncmp(comm, name, strlen(name)) == 0;
}

unsigned
proc_ns_kill(const char *ns, const char *name, int sig)
{
	char path[128];
	struct stat want, st;
	struct dirent *e;
	unsigned n = 0;
	uint64_t pid;
	DIR *d;

	proc_ns_path(ns, path, sizeof(path));
	if (stat(path, &want) != 0 || (d = opendir("/proc")) == NULL)
		return 0;
	while ((e = readdir(d)) != NULL) {
		if (str_u64(e->d_name, 1u << 30, &pid) != 0 ||
		    pid == (uint64_t)getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/%u/ns/net", (unsigned)pid);
		if (stat(path, &st) == 0 && st.st_dev == want.st_dev &&
		    st.st_ino == want.st_ino &&
		    is_called((unsigned)pid, name) && kill((pid_t)pid, sig) == 0)
			n++;
	}
	closedir(d);
	return n;
}
