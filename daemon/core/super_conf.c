/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/super_conf.c - the supervisor's part of a reload: it reads the file,
 * starts a secure process that knows it, remembers what was before, and brings
 * that back when nobody confirms.  See daemon/core/reload.h.
 *
 * What is undone is what runs: a later reload reads the file as it is then.  Only
 * what tapir-web had written is taken back with it (super_file.c).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/log.h"
#include "daemon/core/change.h"
#include "daemon/core/role.h"
#include "daemon/core/spawn.h"
#include "daemon/core/web.h"
#include "daemon/ipc/chan.h"

/* ---- words to the main role ---------------------------------------------- */

static void
say(const struct super *s, uint8_t kind, uint32_t serial, const char *text)
{
	static uint8_t b[ROLE_SAY_MAX];
	struct wcur w;
	size_t n = strlen(text);

	wcur_init(&w, b, sizeof(b));
	wcur_u8(&w, ROLE_SAY);
	wcur_u8(&w, kind);
	wcur_u32(&w, serial);
	wcur_bytes(&w, text, MIN(n, sizeof(b) - w.len));
	if (send(s->main_fd, b, w.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_warn("tapird", "the main process does not listen");
}

/* The text, and perhaps the channel to its secure process; both are borrowed. */
static int
hand_over(const struct super *s, uint8_t flags, int conf, int chan)
{
	union {
		struct cmsghdr align;
		char b[CMSG_SPACE(2 * sizeof(int))];
	} ctl = { 0 };
	const int fd[2] = { conf, chan };
	size_t n_fd = chan >= 0 ? 2 : 1;
	uint8_t b[ROLE_WORD_MAX];
	struct iovec iov = { b, 0 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &ctl,
			    .msg_controllen = CMSG_SPACE(n_fd * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	struct wcur w;

	wcur_init(&w, b, sizeof(b));
	wcur_u8(&w, ROLE_CONF);
	wcur_u8(&w, flags);
	wcur_u8(&w, s->args->log_level != NULL ? ROLE_LOG_KEEP :
		(uint8_t)s->next.conf->log);
	wcur_u32(&w, s->next.confirm_s);
	wcur_u32(&w, s->next.serial);
	iov.iov_len = w.len;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n_fd * sizeof(int));
	memcpy(CMSG_DATA(c), fd, n_fd * sizeof(int));
	return sendmsg(s->main_fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ?
	    ERR_SYS : 0;
}

/* ---- the next one -------------------------------------------------------- */

void
super_conf_forget(struct super *s)
{
	spawn_reap(s, &s->next.secure_pid);
	conf_free(s->next.conf);
	free(s->next.text);
	s->next = (struct super_next){ 0 };
}

/* The file as it is now, into s->next.  What is wrong is said. */
static int
read_next(struct super *s, uint32_t serial)
{
	struct conf_errs *errs = calloc(1, sizeof(*errs));
	const char *path = s->args->conf_path;
	char *text;
	int err = ERR_NOMEM;

	if (errs == NULL)
		return ERR_NOMEM;
	if ((err = conf_read(path, &s->next.text, &s->next.len, errs)) == 0)
		err = conf_parse(s->next.text, s->next.len, path, s->key_dir,
				 &s->next.conf, errs);
	if (err != 0) {
		conf_errs_print(errs, stderr);
		text = errs->n > 0 ? mistake_lines(errs) : NULL;
		say(s, ROLE_SAY_CONF, serial, text != NULL ? text :
		    err_text(err));
		free(text);
	}
	free(errs);
	return err;
}

/* What ran before, into s->next. */
static int
read_former(struct super *s)
{
	struct conf_errs *errs = calloc(1, sizeof(*errs));
	int err = ERR_NOMEM;

	s->next.text = s->undo.text;
	s->next.len = s->undo.len;
	s->undo = (struct super_undo){ 0 };
	if (errs != NULL)
		err = conf_parse(s->next.text, s->next.len, s->args->conf_path,
				 NULL, &s->next.conf, errs);
	free(errs);
	return err;
}

/* A secure process that knows the next configuration, beside that in use. */
static int
spawn_next(struct super *s, int chan)
{
	enum log_level level = log_get_level();
	pid_t now = s->secure_pid;
	char *text = s->conf_text;
	size_t len = s->conf_len;
	int err;

	s->conf_text = s->next.text;
	s->conf_len = s->next.len;
	if (s->args->log_level == NULL)
		log_set_level(s->next.conf->log);
	err = spawn_secure(s, chan);
	log_set_level(level);
	s->next.secure_pid = err == 0 ? s->secure_pid : 0;
	s->secure_pid = now;
	s->conf_text = text;
	s->conf_len = len;
	return err;
}

static int
offer(struct super *s, uint8_t flags)
{
	int chan[2] = { -1, -1 }, conf, err;

	conf = spawn_conf_fd(s->next.text, s->next.len);
	if (conf < 0)
		return ERR_SYS;
	err = (flags & ROLE_CONF_TRY) != 0 ? 0 : ipc_chan_pair(chan);
	if (err == 0 && chan[1] >= 0)
		err = spawn_next(s, chan[1]);
	if (err == 0)
		err = hand_over(s, flags, conf, chan[0]);
	if (chan[0] >= 0)
		close(chan[0]);
	close(conf);
	return err;
}

/* ---- questions ----------------------------------------------------------- */

static void
confirm(struct super *s, uint32_t serial)
{
	if (s->undo.text == NULL) {
		say(s, ROLE_SAY_STATE, serial, "nothing waits to be confirmed");
		return;
	}
	free(s->undo.text);
	s->undo = (struct super_undo){ 0 };
	super_file_keep(s);
	say(s, ROLE_SAY_DONE, serial, "confirmed, the configuration stays");
}

void
super_conf_ask(struct super *s, enum role_ask what, uint32_t confirm_s,
	       uint32_t serial)
{
	bool is_try = what == ROLE_ASK_TRY;
	int err;

	if (what == ROLE_ASK_CONFIRM) {
		confirm(s, serial);
		return;
	}
	if (s->next.text != NULL) {
		say(s, ROLE_SAY_STATE, serial, "another reload is under way");
		return;
	}
	if (!is_try && s->undo.text != NULL) {
		say(s, ROLE_SAY_STATE, serial, "the last reload waits for tapir "
		    "confirm, or for its end");
		return;
	}
	s->next.serial = serial;
	s->next.confirm_s = confirm_s;
	if (read_next(s, serial) != 0) {
		super_conf_forget(s);
		return;
	}
	if ((err = offer(s, is_try ? ROLE_CONF_TRY : 0)) != 0)
		say(s, ROLE_SAY_STATE, serial, err_text(err));
	if (err != 0 || is_try)
		super_conf_forget(s);
}

/* What other processes were given at their start: they begin anew, without a
 * word.  A diary ends when its words do, having read all it was sent. */
static void
renew(struct super *s, bool is_log, bool is_web)
{
	if (is_log && s->diary_pid > 0) {
		s->diary_death.is_planned = true;
		close(s->diary_fd);
		s->diary_fd = -1;
	}
	if (is_web)
		web_renew(s);
}

void
super_conf_answer(struct super *s, bool is_taken, uint32_t serial)
{
	bool is_log, is_web;

	if (s->next.text == NULL || serial != s->next.serial)
		return;
	if (!is_taken) {
		super_conf_forget(s);
		return;
	}
	is_log = !conf_logs_same(s->conf, s->next.conf);
	is_web = !conf_web_same(s->conf, s->next.conf);
	if (s->next.confirm_s > 0) {
		s->undo.text = s->conf_text;
		s->undo.len = s->conf_len;
		s->undo.due_ms = clk_ms() + s->next.confirm_s * 1000ull;
	} else {
		free(s->conf_text);
		super_file_keep(s);
	}
	conf_free(s->conf);
	s->conf = s->next.conf;
	s->conf_text = s->next.text;
	s->conf_len = s->next.len;
	if (s->args->log_level == NULL)
		log_set_level(s->conf->log);
	/* the former one ends as its channel is closed */
	spawn_reap(s, &s->old_secure_pid);
	s->old_secure_pid = s->secure_pid;
	s->secure_pid = s->next.secure_pid;
	if (s->old_secure_pid == 0)	/* it was quicker than this answer */
		web_typed(s);
	s->secure_death.due_ms = 0;
	s->next = (struct super_next){ 0 };
	renew(s, is_log, is_web);
}

void
super_conf_due(struct super *s)
{
	uint8_t flags = ROLE_CONF_UNDO;

	if (s->undo.text == NULL || s->undo.due_ms > clk_ms() ||
	    s->next.text != NULL || s->main_fd < 0 || !s->is_ready)
		return;
	log_warn("tapird", "nobody confirmed the configuration: the former one "
		 "comes back");
	if (super_file_can_undo(s))
		flags |= ROLE_CONF_BACK;
	if (read_former(s) == 0 && offer(s, flags) == 0) {
		super_file_undo(s);
	} else {
		log_error("tapird", "the former configuration cannot be brought "
			  "back; the present one stays");
		super_conf_forget(s);
	}
}
