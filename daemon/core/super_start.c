/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/super_start.c - the supervisor until it starts the roles: read the
 * configuration, claim the run directory, open what needs rights, give them up.
 *
 * Thread: the only one.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/core/caps.h"
#include "daemon/core/fallback.h"
#include "daemon/core/prio.h"
#include "daemon/core/sock.h"
#include "daemon/core/spawn.h"
#include "daemon/core/typed.h"
#include "daemon/core/web.h"
#include "daemon/ipc/confine.h"

static int
load_conf(struct super *s)
{
	struct conf_errs *errs = calloc(1, sizeof(*errs));
	int err = ERR_NOMEM;

	if (errs == NULL)
		return 1;
	err = conf_load(s->args->conf_path, &s->conf, errs);
	if (err == 0)
		err = conf_read(s->args->conf_path, &s->conf_text, &s->conf_len,
				errs);
	if (err != 0)
		conf_errs_print(errs, stderr);
	free(errs);
	conf_key_dir(s->args->conf_path, s->key_dir, sizeof(s->key_dir));
	return err == 0 ? 0 : EXIT_USAGE;
}

static int
exe_dir(char *out, size_t cap)
{
	ssize_t n = readlink("/proc/self/exe", out, cap - 1);
	char *slash;

	if (n <= 0)
		return ERR_SYS;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL)
		return ERR_SYS;
	*slash = '\0';
	return 0;
}

/* One instance a run directory: an exclusive lock that dies with us. */
static int
claim_run_dir(struct super *s)
{
	char pid[32] = "";
	struct stat st;
	ssize_t n;

	if ((mkdir(s->args->run_dir, 0755) != 0 && errno != EEXIST) ||
	    stat(s->args->run_dir, &st) != 0) {
		log_error("tapird", "cannot make %s: %s", s->args->run_dir,
			  strerror(errno));
		return 1;
	}
	if ((st.st_mode & S_IWOTH) != 0)
		log_warn("tapird", "everybody may write to %s: others can take "
			 "away the control socket; chmod o-w it",
			 s->args->run_dir);
	str_add(s->pid_path, sizeof(s->pid_path), "%s/tapird.pid",
		s->args->run_dir);
	str_add(s->ctl_path, sizeof(s->ctl_path), "%s/ctl.sock",
		s->args->run_dir);
	s->lock_fd = open(s->pid_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			  0644);
	if (s->lock_fd < 0) {
		log_error("tapird", "cannot write %s: %s", s->pid_path,
			  strerror(errno));
		return 1;
	}
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		n = read(s->lock_fd, pid, sizeof(pid) - 1);
		pid[n > 0 ? n : 0] = '\0';
		pid[strcspn(pid, "\n")] = '\0';
		log_error("tapird", "another tapird runs in %s (process %s): "
			  "stop it, or choose another --run-dir",
			  s->args->run_dir, pid);
		return 1;
	}
	/* Somebody who ended just now took the name away from our lock. */
	if (fstat(s->lock_fd, &st) != 0 || st.st_nlink == 0) {
		log_error("tapird", "another tapird just ended in %s: try again",
			  s->args->run_dir);
		return 1;
	}
	s->is_claimed = true;
	return 0;
}

/* Once the process is the one that stays. */
static int
write_pid(struct super *s)
{
	char pid[32] = "";

	str_add(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(s->lock_fd, 0) == 0 &&
	    pwrite(s->lock_fd, pid, strlen(pid), 0) > 0)
		return 0;
	log_error("tapird", "cannot write %s: %s", s->pid_path, strerror(errno));
	return 1;
}

static unsigned
worker_count(const struct conf *c)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (c->workers > 0)
		return MIN(c->workers, VPN_WORKER_MAX);
	/* One core is left to the kernel's softirqs and everything else. */
	return (unsigned)MAX(1L, MIN(n - 1, (long)VPN_WORKER_MAX));
}

static int
open_all(struct super *s)
{
	uint32_t fallback = 0;
	char why[512];

	if (s->args->fallback != NULL &&
	    fallback_parse(s->args->fallback, &fallback) != 0)
		return 2;
	if (sock_open(&s->socks, s->conf, worker_count(s->conf), fallback, why,
		      sizeof(why)) != 0) {
		log_error("tapird", "%s", why);
		return 1;
	}
	s->socks.ctl = sock_ctl(s->ctl_path, 0666, why, sizeof(why));
	if (s->socks.ctl < 0) {
		log_error("tapird", "%s", why);
		return 1;
	}
	typed_listen(s);
	s->socks.lease = spawn_lease_file(s);
	if (s->args->key_log != NULL) {
		s->key_log_fd = open(s->args->key_log, O_WRONLY | O_CREAT |
				     O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (s->key_log_fd < 0) {
			log_error("tapird", "cannot write %s: %s",
				  s->args->key_log, strerror(errno));
			return 1;
		}
	}
	spawn_inherit_socks(s, false);
	return 0;
}

static int
block_signals(struct super *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGPIPE);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return 1;
	sigdelset(&set, SIGPIPE);
	s->sig_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->sig_fd >= 0 ? 0 : 1;
}

/* Go to the background: the parent ends with the status the child reports. */
static int
background(struct super *s)
{
	uint8_t status = 1;
	int p[2], fd;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) != 0)
		return 1;
	pid = fork();
	if (pid < 0)
		return 1;
	if (pid > 0) {
		close(p[1]);
		if (read(p[0], &status, 1) != 1)
			status = 1;
		_exit(status);
	}
	close(p[0]);
	s->ready_fd = p[1];
	(void)setsid();
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		(void)dup2(fd, 0);
		(void)dup2(fd, 1);
	}
	return 0;
}

/* Once the roles serve, standard error is the log file. */
static void
log_to_file(struct super *s)
{
	char path[SUPER_PATH_MAX] = "";
	int fd;

	str_add(path, sizeof(path), "%s/tapir.log", s->args->run_dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0) {
		log_warn("tapird", "cannot write %s: %s", path, strerror(errno));
		return;
	}
	log_notice("tapird", "the log is in %s", path);
	(void)dup2(fd, 2);
	close(fd);
}

/* Where standard descriptors are missing, the next sockets would take their
 * numbers and lines of the log go to the network. */
static int
std_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return ERR_SYS;
	close(fd);
	return 0;
}

int
super_prepare(struct super *s)
{
	int status;

	if (std_fds() != 0)
		return 1;
	if (geteuid() != 0) {
		log_error("tapird", "not started as root: ports, TAP devices and "
			  "users need it; use sudo (or unshare -Urn for a try)");
		return 1;
	}
	if (exe_dir(s->exe_dir, sizeof(s->exe_dir)) != 0)
		return 1;
	if ((status = load_conf(s)) != 0)
		return status;
	if (s->args->log_level == NULL)
		log_set_level(s->conf->log);
	/* After the configuration, which may be /dev/fd/N. */
	if (confine_fds(NULL, 0) != 0)
		return 1;
	if ((status = claim_run_dir(s)) != 0)
		return status;
	if (!s->args->is_foreground && background(s) != 0)
		return 1;
	notify_open(&s->notify);
	/* From here on a signal ends us in order. */
	if ((status = block_signals(s)) != 0 || (status = write_pid(s)) != 0)
		return status;
	spawn_users(s);
	spawn_state_dir(s);
	if ((status = open_all(s)) != 0)
		return status;
	if (!s->args->is_foreground)
		log_to_file(s);
	web_open(s);
	prio_raise(s->conf->priority);
	if (caps_keep_few() != 0) {
		log_error("tapird", "cannot give up capabilities: %s",
			  strerror(errno));
		return 1;
	}
	return 0;
}
