/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/diary/diary.c - the role that writes down what happens.
 *
 * One thread, one loop: frames of tapird, words of the supervisor, a second.
 */
#include "daemon/diary/diary.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/diary/frame.h"
#include "daemon/diary/history.h"

#define TICK_MS	  1000
#define BATCH	  64		/* frames between two looks at the clock */
#define LAST_BATCHES 64		/* read at the end, at most */

struct diary {
	const struct diary_args *args;
	struct sinks sinks;
	struct history *history;	/* NULL = none is kept */
	uint32_t ask_id;		/* of the query being answered */
	bool is_over;
};

/* ---- to tapird ----------------------------------------------------------- */

/* Waits while tapird does not read: it is not for long. */
static void
frame_send(struct diary *d, const struct diary_frame *f)
{
	uint8_t buf[DIARY_FRAME_MAX];
	int len = diary_enc(f, buf, sizeof(buf));

	if (len < 0)
		return;
	while (send(d->args->main_fd, buf, (size_t)len, MSG_NOSIGNAL) < 0)
		if (errno != EINTR) {
			d->is_over = true;
			return;
		}
}

/* history_note_fn: tapird makes an event of it. */
static void
note(void *ctx, enum log_level lv, const char *code, const char *text)
{
	struct diary_frame *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return;
	f->kind = DIARY_NOTE;
	f->level = lv;
	(void)str_copy(f->word, sizeof(f->word), code);
	(void)str_copy(f->text, sizeof(f->text), text);
	frame_send(ctx, f);
	free(f);
}

/* history_row_fn. */
static void
row(void *ctx, const struct bus_rec *r)
{
	struct diary *d = ctx;
	struct diary_frame *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return;
	f->kind = DIARY_ROW;
	f->id = d->ask_id;
	f->rec = *r;
	frame_send(d, f);
	free(f);
}

/* ---- from tapird --------------------------------------------------------- */

static void
answer(struct diary *d, const struct diary_frame *f)
{
	struct diary_frame end = { .kind = DIARY_END, .id = f->id,
				   .err = ERR_UNSUP };

	d->ask_id = f->id;
	if (d->history != NULL)
		end.err = history_ask(d->history, f->realm, f->peer,
				      f->since_ms, f->limit, row, d);
	frame_send(d, &end);
}

static void
frame_do(struct diary *d, const struct diary_frame *f)
{
	switch (f->kind) {
	case DIARY_EVENT:
		if (f->rec.desc->class != BUS_EVENT)
			return;
		sinks_event(&d->sinks, &f->rec);
		if (d->history != NULL)
			history_add(d->history, &f->rec);
		return;
	case DIARY_LINE:
		sinks_line(&d->sinks, f->level, f->time_ms, f->word, f->text);
		return;
	case DIARY_QUERY:
		answer(d, f);
		return;
	default:
		return;
	}
}

static void
on_main(struct diary *d)
{
	static struct diary_frame f; /* large */
	uint8_t buf[DIARY_FRAME_MAX];
	ssize_t n;

	for (unsigned i = 0; i < BATCH && !d->is_over; i++) {
		n = recv(d->args->main_fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			d->is_over = true;
			return;
		}
		if (diary_dec(buf, (size_t)n, &f) == 0)
			frame_do(d, &f);
	}
}

/* ---- from the supervisor ------------------------------------------------- */

/* One byte, the number of the file, and its new descriptor. */
static void
on_supervisor(struct diary *d)
{
	union {
		struct cmsghdr align;
		char b[CMSG_SPACE(sizeof(int))];
	} ctl;
	uint8_t word = 0;
	struct iovec iov = { &word, 1 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &ctl, .msg_controllen = sizeof(ctl) };
	ssize_t n = recvmsg(d->args->sup_fd, &h, MSG_DONTWAIT |
			    MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&h) : NULL;
	int fd = -1;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {	/* the end, or another diary follows */
		for (unsigned i = 0; i < LAST_BATCHES; i++)
			on_main(d);
		d->is_over = true;
		return;
	}
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	if (fd >= 0)
		sinks_reopen(&d->sinks, word, fd);
}

/* ---- rights -------------------------------------------------------------- */

static const char *const calls[] = {
	"read", "readv", "write", "writev", "recvfrom", "recvmsg", "sendto",
	"sendmsg", "close", "connect", "poll", "ppoll", "restart_syscall",
	"clock_gettime", "clock_nanosleep", "nanosleep", "futex",
	/* the database */
	"openat", "open", "pread64", "pwrite64", "fsync", "fdatasync",
	"ftruncate", "fallocate", "lseek", "fstat", "newfstatat", "stat",
	"lstat", "statx", "access", "faccessat", "faccessat2", "unlink",
	"unlinkat", "rename", "renameat", "renameat2", "fcntl", "getcwd",
	"readlink", "readlinkat", "fchmod", "geteuid", "getuid", "fchown",
	/* memory, itself */
	"mmap", "munmap", "mremap", "madvise", "brk", "mprotect", "getpid",
	"gettid", "getrandom", "rt_sigprocmask", "rt_sigaction", "rt_sigreturn",
	"sigaltstack", "exit", "exit_group", "sysinfo", "sched_getaffinity",
};

static int
confine(struct diary *d)
{
	static const enum confine_probe probes[] = {
		CONFINE_P_INET, CONFINE_P_PACKET, CONFINE_P_FORK,
		CONFINE_P_EXEC, CONFINE_P_PTRACE, CONFINE_P_SETUID,
		CONFINE_P_UNSHARE, CONFINE_P_MOUNT,
	};
	static const struct confine_arg local[] = {
		{ "socket", 0, UINT64_MAX, AF_UNIX },
	};
	const struct confine_filter f = {
		.who = "diary", .calls = calls, .n_call = N_OF(calls),
		.args = local, .n_arg = N_OF(local),
	};
	const struct confine_path keep[] = {
		{ .path = d->args->state_dir, .is_write = true },
	};
	uint32_t feat = 0;
	int err;

	tzset();		/* its file is out of reach from now on */
	if ((err = confine_common(&feat)) != 0 ||
	    (err = confine_drop(&d->args->user, &feat)) != 0 ||
	    (err = confine_landlock(keep, *d->args->state_dir != '\0' ? 1 : 0,
				    &feat)) != 0)
		return err;
	return confine_seccomp(&f, probes, N_OF(probes), &feat);
}

/* ---- the role ------------------------------------------------------------ */

static void
run(struct diary *d)
{
	uint64_t due = clk_ms() + TICK_MS;

	while (!d->is_over) {
		struct pollfd p[2] = {
			{ .fd = d->args->main_fd, .events = POLLIN },
			{ .fd = d->args->sup_fd, .events = POLLIN },
		};
		uint64_t now = clk_ms();

		if (now >= due) {
			sinks_tick(&d->sinks);
			if (d->history != NULL)
				history_tick(d->history, clk_wall_ms());
			due = now + TICK_MS;
		}
		if (poll(p, 2, (int)(due - now)) < 0 && errno != EINTR)
			return;
		if (p[1].revents != 0)
			on_supervisor(d);
		if (p[0].revents != 0)
			on_main(d);
		if (d->history != NULL)
			history_commit(d->history);
	}
}

int
diary_main(const struct diary_args *a)
{
	static struct diary d; /* large */
	char path[512] = "";
	int err = 0;

	(void)prctl(PR_SET_NAME, "tapir-diary");
	d.args = a;
	d.sinks.note = note;
	d.sinks.ctx = &d;
	if ((err = confine(&d)) != 0) {
		log_error("diary", "cannot give up its rights: %s",
			  err_text(err));
		return 1;
	}
	for (unsigned i = 0; i < a->n_sink && err == 0; i++)
		err = sinks_add(&d.sinks, a->sink[i]);
	if (err == 0 && *a->state_dir != '\0') {
		str_add(path, sizeof(path), "%s/" DIARY_HISTORY, a->state_dir);
		err = history_open(&d.history, path, note, &d);
	}
	if (err == 0)
		run(&d);
	else
		log_error("diary", "cannot start: %s", err_text(err));
	history_close(d.history);
	sinks_close(&d.sinks);
	return err == 0 ? 0 : 1;
}
