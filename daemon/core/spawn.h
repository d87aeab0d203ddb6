/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/spawn.h - how the supervisor starts the roles: users, channels,
 * arguments, what a child inherits.  Shared by super*.c, spawn.c, typed.c and web.c
 * only.
 */
#ifndef TAPIR_CORE_SPAWN_H
#define TAPIR_CORE_SPAWN_H

#include <sys/types.h>
#include "daemon/bus/bus.h"
#include "daemon/core/core.h"
#include "daemon/core/notify.h"
#include "daemon/core/role.h"
#include "daemon/core/sandbox.h"
#include "daemon/core/super.h"
#include "daemon/ipc/pass.h"

#define SUPER_PATH_MAX 512
#define ID_FALLBACK    64510	/* first of the numeric ids taken when the users
				 * tapir and tapir-sec do not exist */

/* How often a role died, and what is to be done about it. */
struct super_death {
	unsigned n;		/* in the current window */
	uint64_t from_ms;	/* start of the window */
	uint64_t due_ms;	/* to start the role again; 0 = not */
	char how[64];		/* it ended */
	bool is_planned;	/* we asked it to: nothing is said or counted */
};

/* A configuration that is on its way into force. */
struct super_next {
	struct conf *conf;
	char *text;		/* NULL = there is none */
	size_t len;
	pid_t secure_pid;	/* who read its keys */
	uint32_t serial, confirm_s;
};

/* The one before, until somebody confirms. */
struct super_undo {
	char *text;		/* NULL = nothing waits */
	size_t len;
	uint64_t due_ms;
};

/* The browser interface, seen by the supervisor. */
struct super_web {
	int tcp_fd, unix_fd;	/* listening; -1 = not */
	char path[SUPER_PATH_MAX]; /* of the Unix socket */
	struct sandbox_user user;
	int nest_fd, word_fd;	/* to the nest, to tapir-web */
	int users_fd;		/* directory of accounts; -1 = none */
	int link_fd;		/* listens for tapir web, for tapir-login; -1 = not */
	char link_path[SUPER_PATH_MAX]; /* of that */
	pid_t nest_pid, pid, login_pid; /* 0 = does not run */
	struct super_death death, login_death;
	char listen[CONF_FILE_MAX]; /* where tcp_fd is, or would be */
	uint64_t renew_ms;	/* it begins anew then; 0 = no */
};

/* A file of the configuration that was written for a browser, as it was when what
 * it said was in force. */
struct super_wrote {
	struct super_wrote *next;
	uint64_t digest;	/* of what was written */
	char *name, *former;
	size_t len;
};

/* Who answers a question about accounts, users or certificates. */
struct super_desk {
	pid_t pid;		/* 0 = ended */
	int fd;			/* -1 = nothing was asked */
	pid_t web_pid;		/* which tapir-web asked */
	char by[PASS_NAME_MAX + 1]; /* in whose name; "" = nobody proved it */
	struct bus_rec cmd;	/* without its password */
	uint64_t due_ms;
};

/* A question of tapir-web that waits until it is known who proved what. */
struct super_proof {
	int fd;			/* to tapir-login; -1 = not there */
	uint32_t id;		/* of the last question */
	uint8_t *bytes;		/* NULL = nothing waits */
	size_t len;
	uint64_t due_ms;
};

struct super {
	const struct super_args *args;
	struct conf *conf;
	char *conf_text;
	size_t conf_len;
	struct super_next next;
	struct super_undo undo;
	struct super_wrote *wrote;
	pid_t old_secure_pid;	/* of the configuration before, ending */
	char key_dir[SUPER_PATH_MAX];
	char exe_dir[SUPER_PATH_MAX];
	char ctl_path[SUPER_PATH_MAX], pid_path[SUPER_PATH_MAX];
	char typed_path[SUPER_PATH_MAX];
	int typed_fd;		/* listens for typed passwords, for tapir-secure */
	int lock_fd, sig_fd, key_log_fd, ready_fd;
	struct sock_set socks;
	struct sandbox_user main_user, secure_user;
	pid_t main_pid, secure_pid, resolve_pid, diary_pid; /* 0 = does not run */
	struct super_death secure_death, resolve_death, diary_death, main_death;
	char state_dir[SUPER_PATH_MAX];	/* "" = there is none */
	int diary_fd;		/* words to the diary */
	struct super_web web;
	struct super_desk desk;
	struct super_proof proof;
	int main_fd;		/* words to and from the main role */
	uint64_t beat_ms;	/* when main last said that it lives; 0 = not yet */
	struct notify notify;	/* the service manager */
	bool is_claimed;	/* the run directory is ours */
	bool is_ready, is_stopping;
	int status;
};

#define SPAWN_PAUSE_MS 200	/* before a role is started again; ours */
#define SPAWN_LONG_MS  10000	/* when it ends again and again */

/** Count a death.  @return how long to wait: something may be wrong that a restart
 * does not mend, and then it costs little. */
uint64_t spawn_pause_ms(struct super_death *d);
/** Choose the users of the roles, and say which. */
void spawn_users(struct super *s);
/** Start the secure process; chan (its end of the channel) is taken. */
MUST_USE int spawn_secure(struct super *s, int chan);
/** Start tapir-secure to take away what may be left of rules, and of lockdown=
 * when the end is a clean one.  Its pid, or 0. */
pid_t spawn_release(const struct super *s, bool is_clean);
/** Start tapir-secure to decide about passwords; chan (of tapir-web) and prove (of
 * the supervisor), its ends of the channels, are taken.  Its pid, or 0. */
pid_t spawn_login(const struct super *s, int chan, int prove);
/** Start the desk for one question; chan (its end of the channel) is taken.  Its pid,
 * or 0.
 *
 * @param is_proved who asks may change something. */
pid_t spawn_desk(const struct super *s, int chan, bool is_proved);
/** Start the resolver; fd (its end of the channel) is taken. */
MUST_USE int spawn_resolver(struct super *s, int fd);
/** Kill and forget a child; 0 = there is none. */
void spawn_reap(const struct super *s, pid_t *pid);
/** A signal to a role.  A service manager may have left us without CAP_KILL:
 * then as the role's own user, who may. */
void spawn_kill(const struct super *s, pid_t pid, int sig);
/** A text as a file without a name, read-only; -1 without memory. */
MUST_USE int spawn_conf_fd(const char *text, size_t len);
/** Make the state directory, of the diary's user; say when it cannot be. */
void spawn_state_dir(struct super *s);
/** The file of leases in it, for role main; -1 and a warning when it cannot be
 * had. */
int spawn_lease_file(const struct super *s);
/** Start the diary; fd (its end of the channel to main) is taken. */
MUST_USE int spawn_diary(struct super *s, int fd);
/** Open the files of the log anew and hand them to the diary. */
void spawn_log_files(struct super *s);
/** Send a word on a pair's socket, with a descriptor or -1. */
void spawn_word(int to, uint8_t word, int fd);
/** A pair of sockets for words.  0 or ERR_SYS. */
MUST_USE int spawn_pair(int fd[2]);
/** Start all roles, with fresh channels between them. */
MUST_USE int spawn_all(struct super *s);
/** Let exec'd children have the sockets, or no longer. */
void spawn_inherit_socks(struct super *s, bool on);


/* super_start.c: until the roles are started. */
/** Everything that has to be done with rights.  0, or the exit status, logged. */
MUST_USE int super_prepare(struct super *s);

/* super_conf.c: another configuration while it runs. */
/** The main role, or a signal (serial 0), asks. */
void super_conf_ask(struct super *s, enum role_ask what, uint32_t confirm_s,
		    uint32_t serial);
/** The main role took it into force, or did not. */
void super_conf_answer(struct super *s, bool is_taken, uint32_t serial);
/** Bring the former one back when it is time to. */
void super_conf_due(struct super *s);
/* super_file.c: the files of the configuration, for tapir-web. */
/** A question of tapir-web: answered, or kept until it is known who asks. */
void super_file_word(struct super *s);
/** The same question in the name of by; NULL: of somebody who proved nothing. */
void super_file_do(struct super *s, const uint8_t *bytes, size_t len,
		   const char *by);
/** Would super_file_undo() write something? */
bool super_file_can_undo(const struct super *s);
/** Put back what was written since the former configuration was in force, where
 * nobody else changed it meanwhile. */
void super_file_undo(struct super *s);
/** What was written stays. */
void super_file_keep(struct super *s);

/* super_desk.c: accounts, users, certificates, for tapir-web. */
void super_desk_init(struct super *s);
/** Ask the desk what tapir-web asks: bytes is the datagram, cmd what it says.
 *
 * @param by in whose name; NULL: of somebody who may only look. */
void super_desk_ask(struct super *s, const struct bus_rec *cmd,
		    struct view bytes, const char *by);
/** The desk said something, or ended. */
void super_desk_word(struct super *s);
/** An answer that does not come is not waited for.  ms until then, UINT64_MAX when
 * nothing was asked. */
uint64_t super_desk_due(struct super *s);
/** Was it the desk that ended? */
bool super_desk_reaped(struct super *s, pid_t pid);
void super_desk_end(struct super *s);

/* super_proof.c: who may change something for a browser. */
void super_proof_init(struct super *s);
/** Keep a question until tapir-login said who gave the proof of this number, then
 * super_file_do() it.  0; ERR_AGAIN: another one waits; ERR_NOMEM. */
MUST_USE int super_proof_ask(struct super *s, uint64_t number,
			     struct view bytes);
/** tapir-login said something, or ended. */
void super_proof_word(struct super *s);
/** Another tapir-login; -1: none.  fd is taken. */
void super_proof_link(struct super *s, int fd);
/** An answer that does not come is not waited for.  ms until then, UINT64_MAX when
 * nothing waits. */
uint64_t super_proof_due(struct super *s);
/** Who asked is gone: what waits is not done. */
void super_proof_forget(struct super *s);
void super_proof_end(struct super *s);

/** Nothing is on its way any more. */
void super_conf_forget(struct super *s);

#endif
