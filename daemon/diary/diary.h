/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/diary/diary.h - the role that writes down what happens: history and
 * logs.
 *
 * A process of its own, because tapird opens no file after its start and must
 * not wait for a disk.  It reads what tapird says and touches two things: the
 * state directory, and the sockets of journal and syslog.  When it ends, the
 * supervisor starts another, which goes on; what was on its way may be lost.
 */
#ifndef TAPIR_DIARY_DIARY_H
#define TAPIR_DIARY_DIARY_H

#include "daemon/base/base.h"
#include "daemon/diary/sinks.h"
#include "daemon/ipc/confine.h"

#define DIARY_HISTORY "history.db"	/* in the state directory */

struct diary_args {
	int main_fd;			/* frames (frame.h) */
	int sup_fd;			/* new log files, one a word; -1 = none */
	const char *state_dir;		/* "" = no history */
	struct confine_user user;
	unsigned n_sink;
	const char *sink[SINK_MAX];	/* sinks.h */
};

/** Confine itself, then run until tapird is gone.  Exit status. */
int diary_main(const struct diary_args *a);

#endif
