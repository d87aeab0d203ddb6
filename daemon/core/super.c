/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/super.c - the supervisor.
 *
 *   main role dies     both are started again (its TAPs went with it)
 *   secure dies        a new one is started and its channel handed to main
 *   resolver dies      likewise
 *   diary dies         likewise
 *   one dies too often 10 s between two starts; never given up
 *
 * The supervisor parses nothing from the network and holds no secret.  It
 * keeps the capabilities that starting a role again needs, and no others.
 */
#include "daemon/core/super.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/core/role.h"
#include "daemon/core/sock.h"
#include "daemon/core/spawn.h"
#include "daemon/core/typed.h"
#include "daemon/core/web.h"
#include "daemon/ipc/chan.h"

#define STOP_WAIT_MS	  5000	/* for a role to end cleanly */
#define RELEASE_WAIT_MS	  2000	/* for tapir-secure --release */
#define SILENCE_MS	  (6 * ROLE_BEAT_MS) /* then main hangs */
#define START_AGAIN_MS	  1000	/* when a role cannot be started just now */

/* ---- while it runs ------------------------------------------------------- */

static void
word(struct super *s, char w, int fd)
{
	spawn_word(s->main_fd, (uint8_t)w, fd);
}

static const char *
death_text(int st, char *out, size_t cap)
{
	out[0] = '\0';
	if (WIFSIGNALED(st))
		str_add(out, cap, "killed by signal %d (%s)", WTERMSIG(st),
			strsignal(WTERMSIG(st)));
	else
		str_add(out, cap, "exit status %d", WEXITSTATUS(st));
	return out;
}

/* Secure process, resolver or diary.  When main dies they follow, and may be seen
 * to do so first: so nothing is said or counted before the pause is over. */
static void
helper_died(struct super *s, struct super_death *d, const char *how)
{
	bool is_planned = d->is_planned;

	d->is_planned = false;
	if (!s->is_ready || s->main_pid == 0) /* another line says why */
		return;
	str_copy(d->how, sizeof(d->how), is_planned ? "" : how);
	d->due_ms = clk_ms() + (is_planned ? 0 : SPAWN_PAUSE_MS);
}

/* What is said of a death, and ms until the next start. */
static uint64_t
tell_death(struct super_death *d, const char *what, const char *verb)
{
	uint64_t wait = spawn_pause_ms(d);

	if (wait == SPAWN_LONG_MS)
		log_error("tapird", "the %s ended (%s), again and again: the "
			  "next start is in %u s", what, d->how,
			  SPAWN_LONG_MS / 1000);
	else
		log_error("tapird", "the %s ended (%s), starting %s again", what,
			  d->how, verb);
	d->how[0] = '\0';
	return wait;
}

/* Is it time?  Says and counts the death; tries again when starting fails. */
static bool
is_due(struct super_death *d, const char *what)
{
	uint64_t now = clk_ms(), wait;

	if (d->due_ms == 0 || d->due_ms > now)
		return false;
	if (*d->how != '\0') {
		wait = tell_death(d, what, "it");
		if (wait == SPAWN_LONG_MS) {
			d->due_ms = now + wait;
			return false;
		}
	}
	d->due_ms = now + START_AGAIN_MS;
	return true;
}

static void
secure_again(struct super *s)
{
	int chan[2];

	if (ipc_chan_pair(chan) != 0)
		return;
	if (spawn_secure(s, chan[1]) == 0) {
		s->secure_death.due_ms = 0;
		word(s, ROLE_SECURE, chan[0]);
		web_typed(s);
	}
	close(chan[0]);
}

static void
resolver_again(struct super *s)
{
	int res[2];

	if (spawn_pair(res) != 0)
		return;
	if (spawn_resolver(s, res[1]) == 0) {
		s->resolve_death.due_ms = 0;
		word(s, ROLE_RESOLVE, res[0]);
	}
	close(res[0]);
}

static void
diary_again(struct super *s)
{
	int fd[2];

	if (spawn_pair(fd) != 0)
		return;
	if (spawn_diary(s, fd[1]) == 0) {
		s->diary_death.due_ms = 0;
		word(s, ROLE_DIARY, fd[0]);
	}
	close(fd[0]);
}

static void
end_helpers(struct super *s)
{
	spawn_reap(s, &s->main_pid);
	spawn_reap(s, &s->secure_pid);
	spawn_reap(s, &s->resolve_pid);
	spawn_reap(s, &s->diary_pid);
	spawn_reap(s, &s->old_secure_pid);
	super_conf_forget(s);
	s->secure_death.due_ms = s->resolve_death.due_ms = 0;
	s->diary_death.due_ms = 0;
}

static void
all_again(struct super *s)
{
	s->main_death.due_ms = 0;
	if (spawn_all(s) == 0)
		return;
	log_error("tapird", "the processes cannot be started: %s; the next try "
		  "is in %u s", strerror(errno), SPAWN_LONG_MS / 1000);
	end_helpers(s);
	if (s->main_fd >= 0)
		close(s->main_fd);
	s->main_fd = -1;
	s->main_death.due_ms = clk_ms() + SPAWN_LONG_MS;
}

/* Start again what is due; ms until the rest is, or UINT64_MAX. */
static uint64_t
start_due(struct super *s)
{
	enum { SECURE, RESOLVE, DIARY, UNDO, WEB, MAIN };
	const uint64_t at[] = {
		[MAIN] = s->main_death.due_ms,
		[SECURE] = s->secure_death.due_ms,
		[RESOLVE] = s->resolve_death.due_ms,
		[DIARY] = s->diary_death.due_ms,
		[UNDO] = s->undo.due_ms,
		[WEB] = web_due(s),
	};
	uint64_t now = clk_ms(), wait = UINT64_MAX;

	if (s->main_death.due_ms != 0 && s->main_death.due_ms <= now)
		all_again(s);
	if (is_due(&s->secure_death, "secure process"))
		secure_again(s);
	super_conf_due(s);
	if (is_due(&s->resolve_death, "resolver"))
		resolver_again(s);
	if (is_due(&s->diary_death, "diary"))
		diary_again(s);
	web_again(s);
	for (unsigned i = 0; i < N_OF(at); i++)
		if (at[i] != 0)
			wait = MIN(wait, at[i] > now ? at[i] - now :
				   i == UNDO ? SPAWN_PAUSE_MS : 0);
	return wait;
}

static void
main_died(struct super *s, int st, const char *how)
{
	struct super_death *d = &s->main_death;

	close(s->main_fd);
	s->main_fd = -1;
	s->beat_ms = 0;
	if (!s->is_ready || (WIFEXITED(st) && WEXITSTATUS(st) == 0)) {
		s->status = s->is_ready ? 0 : 1;
		s->is_stopping = true;
		return;
	}
	str_copy(d->how, sizeof(d->how), how);
	d->due_ms = clk_ms() + tell_death(d, "main process", "all");
	end_helpers(s);
}

static void
on_child(struct super *s)
{
	char how[64];
	pid_t pid;
	int st;

	while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
		death_text(st, how, sizeof(how));
		if (web_reaped(s, pid, st, how) || super_desk_reaped(s, pid))
			continue;
		if (pid == s->old_secure_pid) {
			s->old_secure_pid = 0;
			web_typed(s);	/* the way led to this one */
		} else if (pid == s->next.secure_pid) {
			s->next.secure_pid = 0;	/* main sees it, too */
		} else if (pid == s->secure_pid) {
			s->secure_pid = 0;
			if (!s->is_stopping)
				helper_died(s, &s->secure_death, how);
		} else if (pid == s->resolve_pid) {
			s->resolve_pid = 0;
			if (!s->is_stopping)
				helper_died(s, &s->resolve_death, how);
		} else if (pid == s->diary_pid) {
			s->diary_pid = 0;
			if (!s->is_stopping)
				helper_died(s, &s->diary_death, how);
		} else if (pid == s->main_pid) {
			s->main_pid = 0;
			if (!s->is_stopping)
				main_died(s, st, how);
		}
	}
}

static void
on_signal(struct super *s)
{
	struct signalfd_siginfo si;

	if (read(s->sig_fd, &si, sizeof(si)) != sizeof(si))
		return;
	switch (si.ssi_signo) {
	case SIGCHLD:
		on_child(s);
		break;
	case SIGHUP:
		spawn_log_files(s);
		super_conf_ask(s, ROLE_ASK_TAKE, 0, 0);
		break;
	default:
		s->is_stopping = true;
		break;
	}
}

/* The parent of a background start waits for one byte: the exit status. */
static void
tell_parent(struct super *s, int status)
{
	uint8_t b = (uint8_t)status;

	if (s->ready_fd < 0)
		return;
	(void)!write(s->ready_fd, &b, 1);
	close(s->ready_fd);
	s->ready_fd = -1;
}

static void
on_word(struct super *s)
{
	uint8_t msg[ROLE_WORD_MAX], w;
	ssize_t n = recv(s->main_fd, msg, sizeof(msg), MSG_DONTWAIT);
	uint32_t pid, confirm_s, serial;
	uint8_t what;
	struct cur c;

	cur_init(&c, msg, n > 0 ? (size_t)n : 0);
	if (cur_u8(&c, &w) != 0)
		return;
	if (w == ROLE_READY && !s->is_ready) {
		s->is_ready = true;
		tell_parent(s, 0);
		notify_say(&s->notify, "READY=1\nSTATUS=serving");
	} else if (w == ROLE_BEAT) {
		s->beat_ms = clk_ms();
	} else if (w == ROLE_DISTRUST && cur_u32(&c, &pid) == 0 &&
		   s->secure_pid > 0 && pid == (uint32_t)s->secure_pid) {
		spawn_kill(s, s->secure_pid, SIGKILL);
	} else if (w == ROLE_ASK && cur_u8(&c, &what) == 0 &&
		   cur_u32(&c, &confirm_s) == 0 &&
		   cur_u32(&c, &serial) == 0) {
		super_conf_ask(s, (enum role_ask)what, confirm_s, serial);
	} else if ((w == ROLE_TAKEN || w == ROLE_NOT_TAKEN) &&
		   cur_u32(&c, &serial) == 0) {
		super_conf_answer(s, w == ROLE_TAKEN, serial);
	}
}

/* Somebody holds it with a signal or a debugger: no reason to kill it. */
static bool
is_held(pid_t pid)
{
	char path[64] = "", line[128];
	bool held = false;
	FILE *f;

	str_add(path, sizeof(path), "/proc/%d/status", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	while (!held && fgets(line, sizeof(line), f) != NULL)
		held = strncmp(line, "State:\tT", 8) == 0 ||
		    strncmp(line, "State:\tt", 8) == 0;
	fclose(f);
	return held;
}

/* A main role that says nothing for long hangs: it is ended, and what comes
 * after that is as for every other death.  ms until this is to be asked again. */
static uint64_t
watch_main(struct super *s)
{
	uint64_t now = clk_ms();

	if (s->beat_ms == 0 || s->main_pid == 0)
		return UINT64_MAX;
	if (now - s->beat_ms < SILENCE_MS)
		return s->beat_ms + SILENCE_MS - now;
	if (!is_held(s->main_pid)) {
		log_error("tapird", "the main process does not answer for %u s: "
			  "ending it", SILENCE_MS / 1000);
		spawn_kill(s, s->main_pid, SIGABRT);
	}
	s->beat_ms = now;
	return SILENCE_MS;
}

/* What is due is done; ms until something is due again, or -1. */
static int
turn(struct super *s)
{
	uint64_t wait = start_due(s);

	wait = MIN(wait, watch_main(s));
	wait = MIN(wait, super_desk_due(s));
	wait = MIN(wait, super_proof_due(s));
	wait = MIN(wait, notify_alive(&s->notify));
	return wait == UINT64_MAX ? -1 : (int)MIN(wait, 3600000u);
}

static void
run(struct super *s)
{
	int wait_ms;

	while (wait_ms = turn(s), !s->is_stopping) {
		struct pollfd p[] = {
			{ .fd = s->sig_fd, .events = POLLIN },
			{ .fd = s->main_fd, .events = POLLIN },
			{ .fd = s->web.word_fd, .events = POLLIN },
			{ .fd = s->desk.fd, .events = POLLIN },
			{ .fd = s->proof.fd, .events = POLLIN },
		};

		if (poll(p, N_OF(p), wait_ms) < 0 && errno != EINTR)
			break;
		if ((p[1].revents & POLLIN) != 0)
			on_word(s);
		if ((p[2].revents & POLLIN) != 0)
			super_file_word(s);
		if (p[3].revents != 0)
			super_desk_word(s);
		if (p[4].revents != 0 && p[4].fd == s->proof.fd)
			super_proof_word(s);
		if (p[0].revents != 0)
			on_signal(s);
		else if ((p[1].revents & (POLLHUP | POLLERR)) != 0) {
			/* wait for its SIGCHLD instead of spinning */
			struct pollfd q = { .fd = s->sig_fd, .events = POLLIN };

			(void)poll(&q, 1, 100);
			if (q.revents != 0)
				on_signal(s);
		}
	}
}

/* Is there something outside of the TAPs to be taken away? */
static bool
leaves_something(const struct conf *c)
{
	bool has = false;

	for (unsigned i = 0; i < c->n_realm; i++) {
		has |= c->realm[i].lockdown;
		for (unsigned k = 0; k < c->realm[i].n_peer; k++)
			has |= c->realm[i].peer[k].net->is_dynamic;
	}
	return has;
}

/* An end that was asked for opens what lockdown= closed; no other does. */
static void
release(struct super *s)
{
	uint64_t end = clk_ms() + RELEASE_WAIT_MS;
	pid_t pid = leaves_something(s->conf) ?
	    spawn_release(s, s->status == 0) : 0;

	while (pid > 0 && waitpid(pid, NULL, WNOHANG) == 0 && clk_ms() < end)
		(void)poll(NULL, 0, 10);
}

/* End the roles: ask, wait, then insist. */
static void
end_roles(struct super *s)
{
	uint64_t end = clk_ms() + STOP_WAIT_MS;

	notify_say(&s->notify, "STOPPING=1");
	if (s->main_fd >= 0)
		word(s, ROLE_TERMINATE, -1);
	while ((s->main_pid > 0 || s->secure_pid > 0 || s->diary_pid > 0) &&
	       clk_ms() < end) {
		struct pollfd p = { .fd = s->sig_fd, .events = POLLIN };
		struct signalfd_siginfo si;

		(void)poll(&p, 1, 100);
		while (read(s->sig_fd, &si, sizeof(si)) == sizeof(si))
			continue;
		on_child(s);
	}
	spawn_reap(s, &s->main_pid);
	spawn_reap(s, &s->secure_pid);
	release(s);
	spawn_reap(s, &s->resolve_pid);
	spawn_reap(s, &s->diary_pid);
	spawn_reap(s, &s->old_secure_pid);
	super_conf_forget(s);
	super_file_keep(s);
	super_desk_end(s);
	web_end(s);
	if (s->main_fd >= 0)
		close(s->main_fd);
}

/* ---- all of it ------------------------------------------------------------- */

int
super_main(const struct super_args *a)
{
	struct super s = {
		.args = a,
		.lock_fd = -1, .sig_fd = -1, .key_log_fd = -1, .ready_fd = -1,
		.main_fd = -1, .diary_fd = -1, .typed_fd = -1, .notify.fd = -1,
	};
	int status;

	memset(&s.socks, 0xff, sizeof(s.socks));
	s.socks.n_worker = 0;
	web_init(&s);
	super_desk_init(&s);
	super_proof_init(&s);
	status = super_prepare(&s);
	if (status == 0) {
		(void)prctl(PR_SET_NAME, "tapir-super");
		if (spawn_all(&s) != 0) {
			log_error("tapird", "cannot start its processes: %s",
				  strerror(errno));
			s.status = 1;
		} else {
			run(&s);
		}
		end_roles(&s);
		status = s.status;
	}
	web_end(&s);
	if (s.socks.ctl >= 0)
		(void)unlink(s.ctl_path);
	typed_end(&s);
	if (s.is_claimed)
		(void)unlink(s.pid_path);
	/* Somebody waits for the start: stopped before it served is no success. */
	tell_parent(&s, status != 0 ? status : 1);
	notify_close(&s.notify);
	sock_close(&s.socks);
	conf_free(s.conf);
	free(s.conf_text);
	free(s.undo.text);
	return status;
}
