/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/role.h - the main role: everything but rights and secrets.
 */
#ifndef TAPIR_CORE_ROLE_H
#define TAPIR_CORE_ROLE_H

#include "daemon/core/core.h"
#include "daemon/core/sandbox.h"

/* Words between supervisor and main role: one byte a datagram, and what is said
 * to come along. */
#define ROLE_READY     'R'	/* main: serving */
#define ROLE_BEAT      'B'	/* main: its loop turns, every ROLE_BEAT_MS */
#define ROLE_FAILED    'F'	/* main: gave up, its line is in the log */
#define ROLE_TERMINATE 'T'	/* supervisor: end cleanly */
#define ROLE_SECURE    'S'	/* supervisor: a new secure process; with a
				 * descriptor: the channel to it */
#define ROLE_RESOLVE   'N'	/* the same for the resolver */
#define ROLE_WEB       'W'	/* the same for tapir-web */
#define ROLE_DIARY     'Y'	/* the same for the diary */
#define ROLE_ASK       'L'	/* main: read the configuration; enum role_ask as
				 * 1 byte, seconds to confirm and a serial
				 * number as 4 bytes each */
#define ROLE_CONF      'C'	/* supervisor: a configuration that is right.
				 * ROLE_CONF_* as 1 byte, level of the log as 1
				 * (ROLE_LOG_KEEP: as it is), seconds to confirm
				 * and serial number; with descriptors: the
				 * text, and unless it is a trial the channel
				 * to a secure process that knows it */
#define ROLE_SAY       'E'	/* supervisor: answer to an ASK without a CONF.  1
				 * byte: 0 = done; the serial number; text, a
				 * mistake a line */
#define ROLE_WRITTEN   'J'	/* supervisor: somebody wrote a file of the
				 * configuration.  Length of his name as 1 byte,
				 * name, file */
#define ROLE_AUDIT     'A'	/* supervisor: an admin did something at the desk; an
				 * event COMMAND_RUN, bus_wire.h */
#define ROLE_TAKEN     'K'	/* main: it is in force; serial number */
#define ROLE_NOT_TAKEN 'X'	/* main: it is not, the former one goes on */
#define ROLE_DISTRUST  'D'	/* main: the secure process broke the protocol or
				 * is silent; its pid as 4 bytes */
#define ROLE_BEAT_MS   5000
#define ROLE_WORD_MAX  16
#define ROLE_SAY_MAX   60000	/* bytes of text; ours */
#define ROLE_LOG_KEEP  0xff

/* What a SAY is. */
#define ROLE_SAY_DONE  0
#define ROLE_SAY_CONF  1	/* the file is wrong, how is said line by line */
#define ROLE_SAY_STATE 2	/* not now */
#define ROLE_CONFIRM_MAX 86400	/* s; ours */

enum role_ask { ROLE_ASK_TRY, ROLE_ASK_TAKE, ROLE_ASK_CONFIRM };
#define ROLE_CONF_TRY  1	/* only say what would change */
#define ROLE_CONF_UNDO 2	/* the former one, as nobody confirmed */
#define ROLE_CONF_BACK 4	/* and what was written is taken back, too */

/* Words of the supervisor to tapir-web (webui/main.c), with a descriptor. */
#define WEB_WORD_LINK  'B'	/* its channel to main */
#define WEB_WORD_PASS  'P'	/* its channel to who knows the accounts */
#define WEB_WORD_TYPED 'T'	/* its way to who takes typed passwords */

struct role_args {
	int sup_fd, secure_fd, resolve_fd, conf_fd;
	int web_fd;			/* channel to tapir-web; -1 = none */
	int diary_fd;
	int key_log_fd;			/* -1 = none; tests only */
	const char *conf_name;
	const char *socks;		/* text form of the sock_set */
	struct sandbox_user user;
	uid_t secure_uid;
	uint32_t fallback;		/* bits of enum fallback; tests only */
	uid_t owner;			/* may command besides root */
};

/** Run the main role until told to end.  Exit status. */
int role_main(const struct role_args *a);

#endif
