/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/super_desk.c - accounts, users, certificates and invitations, for
 * tapir-web: a process of its own for each question.
 *
 *   tapir-web: desk WHAT ... -> tapir-desk: one answer -> tapir-web, then done
 *              (it changes something only where super_proof.c says who asks)
 *                                        -> role main: who did what, for the audit
 *
 * The supervisor passes on what it does not look into; a password goes through its
 * memory and is wiped.  Role main, which speaks with strangers, hears what was done
 * and nothing else.
 *
 * Thread: the supervisor's.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/bus/doc_wire.h"
#include "daemon/core/role.h"
#include "daemon/core/spawn.h"

#define ANSWER_MS 8000	/* tapir-web waits for 15 s, for the proof too */

/* ---- answers --------------------------------------------------------------- */

static void
tell(struct super *s, struct bus_rec *r, uint32_t tag)
{
	uint8_t b[BUS_WIRE_MAX];
	int n;

	r->tag = tag;
	if ((n = bus_enc_buf(r, b, sizeof(b))) <= 0 || s->web.word_fd < 0 ||
	    send(s->web.word_fd, b, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) != n)
		log_warn("tapird", "tapir-web does not take an answer");
}

static void
failed(struct super *s, uint32_t tag, int err, const char *text)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_FAILED);
	bus_set_str(&r, BUS_F_CODE, err_name(err));
	bus_set_str(&r, BUS_F_TEXT, text);
	bus_set_str(&r, BUS_F_HINT, "tapir does the same on the machine itself");
	tell(s, &r, tag);
}

/* Role main tells it to everybody.  What was asked, never what was typed. */
static void
audit(struct super *s)
{
	const struct bus_rec *cmd = &s->desk.cmd;
	const char *realm = bus_str(cmd, BUS_F_REALM);
	const char *name = bus_str(cmd, BUS_F_NAME);
	uint8_t b[1 + BUS_WIRE_MAX] = { ROLE_AUDIT };
	struct bus_rec ev;
	int n;

	bus_rec_init(&ev, BUS_EV_COMMAND_RUN);
	bus_set_fmt(&ev, BUS_F_USER, "%s by the web", s->desk.by);
	bus_set_str(&ev, BUS_F_COMMAND, bus_str(cmd, BUS_F_WHAT));
	bus_set_str(&ev, BUS_F_REALM, realm);
	bus_set_fmt(&ev, BUS_F_NAME, "%s%.60s%s%.250s", *realm != '\0' ? " " : "",
		    realm, *name != '\0' ? " " : "", name);
	bus_set_str(&ev, BUS_F_TEXT, "done");
	if ((n = bus_enc_buf(&ev, b + 1, sizeof(b) - 1)) <= 0 ||
	    send(s->main_fd, b, 1 + (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_warn("tapird", "the main process does not listen");
}

/* ---- one question ---------------------------------------------------------- */

/* Another tapir-web would take the answer for one to a question of its own. */
static bool
is_listened_to(const struct super *s)
{
	return s->web.word_fd >= 0 && s->web.pid == s->desk.web_pid;
}

static void
desk_end(struct super *s)
{
	if (s->desk.fd >= 0)
		close(s->desk.fd);
	spawn_reap(s, &s->desk.pid);
	s->desk = (struct super_desk){ .fd = -1 };
}

/* What is remembered of a question: no password. */
static void
keep(const struct bus_rec *cmd, struct bus_rec *out)
{
	static const enum bus_field of[] = {
		BUS_F_WHAT, BUS_F_REALM, BUS_F_NAME,
	};

	bus_rec_init(out, BUS_CMD_DESK);
	out->tag = cmd->tag;
	for (unsigned i = 0; i < N_OF(of); i++)
		bus_set_str(out, of[i], bus_str(cmd, of[i]));
}

void
super_desk_ask(struct super *s, const struct bus_rec *cmd, struct view bytes,
	       const char *by)
{
	int chan[2];

	if (s->desk.fd >= 0) {
		failed(s, cmd->tag, ERR_AGAIN, "the desk is busy");
		return;
	}
	if (spawn_pair(chan) != 0) {
		failed(s, cmd->tag, ERR_SYS, "the desk cannot be asked");
		return;
	}
	s->desk.pid = spawn_desk(s, chan[1], by != NULL);
	s->desk.fd = chan[0];
	s->desk.web_pid = s->web.pid;
	keep(cmd, &s->desk.cmd);
	(void)str_copy(s->desk.by, sizeof(s->desk.by), by != NULL ? by : "");
	s->desk.due_ms = clk_ms() + ANSWER_MS;
	if (s->desk.pid > 0 && send(chan[0], bytes.p, bytes.len, MSG_DONTWAIT |
				    MSG_NOSIGNAL) == (ssize_t)bytes.len)
		return;
	failed(s, cmd->tag, ERR_SYS, "the desk cannot be asked");
	desk_end(s);
}

/* It is an answer to what was asked. */
static bool
is_answer(const struct super *s, const struct bus_rec *r)
{
	return r->desc->row == BUS_RES_DESK && r->tag == s->desk.cmd.tag;
}

void
super_desk_word(struct super *s)
{
	static uint8_t b[DOC_WIRE_MAX];
	uint32_t tag = s->desk.cmd.tag;
	struct bus_rec r;
	struct view doc;
	ssize_t n = recv(s->desk.fd, b, sizeof(b), MSG_DONTWAIT | MSG_TRUNC);

	if (n <= 0 || n > (ssize_t)sizeof(b) ||
	    doc_dec(b, (size_t)n, &r, &doc) != 0 || !is_answer(s, &r)) {
		if (is_listened_to(s))
			failed(s, tag, ERR_SYS, "the desk gave no answer; look "
			       "whether it was done");
		desk_end(s);
		return;
	}
	if (strcmp(bus_str(&r, BUS_F_CODE), "done") == 0 &&
	    !bus_bool(&r, BUS_F_IS_DRY))
		audit(s);
	if (is_listened_to(s)) {
		if (send(s->web.word_fd, b, (size_t)n, MSG_DONTWAIT |
			 MSG_NOSIGNAL) != n)
			log_warn("tapird", "tapir-web does not take an answer");
		bus_rec_init(&r, BUS_RES_DONE);
		tell(s, &r, tag);
	}
	wipe(b, (size_t)n);
	desk_end(s);
}

uint64_t
super_desk_due(struct super *s)
{
	uint64_t now = clk_ms();

	if (s->desk.fd < 0)
		return UINT64_MAX;
	if (now < s->desk.due_ms)
		return s->desk.due_ms - now;
	if (is_listened_to(s))
		failed(s, s->desk.cmd.tag, ERR_TIMEOUT, "the desk does not "
		       "answer; look whether it was done");
	desk_end(s);
	return UINT64_MAX;
}

bool
super_desk_reaped(struct super *s, pid_t pid)
{
	if (pid <= 0 || pid != s->desk.pid)
		return false;
	s->desk.pid = 0;	/* its channel says the rest */
	return true;
}

void
super_desk_init(struct super *s)
{
	s->desk = (struct super_desk){ .fd = -1 };
}

void
super_desk_end(struct super *s)
{
	desk_end(s);
}
