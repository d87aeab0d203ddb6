/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/desk/main.c - tapir-desk: accounts, users, certificates and invitations for
 * the browser.
 *
 *   supervisor -> fork, exec -> one question on its channel -> one answer -> end
 *
 * It may write the directory of the configuration, with keys/ in it, and nothing
 * else; it opens no connection.  tapir-web, where the question comes from, sees
 * neither keys nor what is made of passwords.  A process answers one question: what
 * it knew is gone with it.
 */
#define ERR_STATE ossl_err_state_type /* a type of theirs, an error of ours */
#include <openssl/crypto.h>
#undef ERR_STATE
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "conf/check.h"
#include "cli/desk/desk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/bus/doc_wire.h"
#include "daemon/ipc/confine.h"

#define WHO "desk"

struct opts {
	int channel;
	bool is_rootless;
	struct desk_place at;
};

static bool
opts_read(int argc, char **argv, struct opts *o)
{
	static const struct option known[] = {
		{ "channel", required_argument, NULL, 'c' },
		{ "config", required_argument, NULL, 'f' },
		{ "keys", required_argument, NULL, 'k' },
		{ "closed", no_argument, NULL, 'n' },
		{ "proved", no_argument, NULL, 'p' },
		{ "rootless", no_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int which;

	*o = (struct opts){ .channel = -1 };
	while ((which = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (which) {
		case 'c':
			o->channel = (int)strtol(optarg, NULL, 10);
			break;
		case 'f':
			o->at.config = optarg;
			break;
		case 'k':
			o->at.keys = optarg;
			break;
		case 'n':
			o->at.is_closed = true;
			break;
		case 'p':
			o->at.is_proved = true;
			break;
		case 'r':
			o->is_rootless = true;
			break;
		default:
			return false;
		}
	}
	return o->channel > STDERR_FILENO && o->at.config != NULL &&
	    o->at.keys != NULL;
}

/* The directory that holds the configuration. */
static void
dir_of(const char *config, char *out, size_t cap)
{
	char *slash;

	snprintf(out, cap, "%s", config);
	slash = strrchr(out, '/');
	if (slash == NULL)
		snprintf(out, cap, ".");
	else
		slash[slash == out] = '\0';
}

/* Files, which Landlock bounds, and numbers; no socket, no process. */
static const char *const calls[] = {
	"read", "pread64", "readv", "write", "pwrite64", "writev", "lseek",
	"close", "dup", "dup2", "dup3", "fcntl", "openat", "open", "fstat",
	"newfstatat", "stat", "lstat", "statx", "access", "faccessat",
	"faccessat2", "readlink", "readlinkat", "getdents64", "getcwd",
	"mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink",
	"unlinkat", "chmod", "fchmod", "fchmodat", "fchown", "fchownat",
	"ftruncate", "fsync", "fdatasync", "flock", "umask", "memfd_create",
	"sendto", "recvfrom", "munmap", "mremap", "madvise", "brk", "mlock",
	"munlock", "futex", "getrandom", "getpid", "gettid", "getuid",
	"geteuid", "getgid", "getegid", "uname", "sysinfo", "prlimit64",
	"sched_getaffinity", "sched_yield", "clock_gettime", "clock_nanosleep",
	"gettimeofday", "time", "rt_sigreturn", "rt_sigprocmask",
	"rt_sigaction", "sigaltstack", "tgkill", "restart_syscall", "exit",
	"exit_group",
};
static const struct confine_arg args[] = {
	{ "ioctl", 1, UINT64_C(0xffffffff), TCGETS },
	{ "mmap", 2, PROT_EXEC, 0 },
	{ "mprotect", 2, PROT_EXEC, 0 },
};
/* What must fail: all but to read a file that anybody may read. */
static const enum confine_probe probes[] = {
	CONFINE_P_INET, CONFINE_P_PACKET, CONFINE_P_FORK, CONFINE_P_EXEC,
	CONFINE_P_PTRACE, CONFINE_P_SETUID, CONFINE_P_UNSHARE,
	CONFINE_P_MOUNT, CONFINE_P_KILL, CONFINE_P_BPF, CONFINE_P_KEYCTL,
};

/* Libraries read their settings, and zones of time, the first time they are used. */
static int
warm_up(void)
{
	uid_t uid;
	gid_t gid;

	(void)conf_key_owner(&uid, &gid);
	tzset();
	return OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) == 1 ? 0 :
	    ERR_CRYPTO;
}

/* Root without a capability, in the group of tapir-sec, so that accounts it writes
 * can be read there. */
static struct confine_user
become(const struct opts *o)
{
	struct confine_user user = {
		.uid = geteuid(), .gid = getegid(), .is_rootless = o->is_rootless,
	};
	uid_t uid;

	if (!conf_key_owner(&uid, &user.also_gid))
		user.also_gid = CONF_KEY_UID;
	return user;
}

static int
confine(const struct opts *o)
{
	const struct confine_user user = become(o);
	static const struct confine_filter filter = {
		.who = "tapir-desk", .calls = calls, .n_call = N_OF(calls),
		.args = args, .n_arg = N_OF(args),
	};
	char dir[PATH_MAX];
	const struct confine_path keep[] = {
		{ dir, true }, { o->at.keys, true },
		{ "/etc/ssl", false }, { "/etc/pki", false }, { "/usr", false },
		{ "/proc/self", false },
	};
	uint32_t feat = 0;
	int err;

	dir_of(o->at.config, dir, sizeof(dir));
	if (mkdir(o->at.keys, 0700) != 0 && errno != EEXIST)
		log_warn(WHO, "no directory %s: %m", o->at.keys);
	if ((err = warm_up()) != 0 || (err = confine_common(&feat)) != 0 ||
	    (err = confine_fds(&o->channel, 1)) != 0 ||
	    (err = confine_drop(&user, &feat)) != 0)
		return err;
	if ((err = confine_landlock(keep, N_OF(keep), &feat)) != 0)
		return err;
	return confine_seccomp(&filter, probes, N_OF(probes), &feat);
}

static int
answer(const struct opts *o, const struct bus_rec *cmd)
{
	static uint8_t b[DOC_WIRE_MAX];
	struct desk_answer a;
	int n, err = desk_run(cmd, &o->at, &a);

	if (err == 0) {
		a.rec.tag = cmd->tag;
		n = doc_enc(&a.rec, (struct view){ a.doc, a.len }, b, sizeof(b));
		err = n < 0 ? n : send(o->channel, b, (size_t)n, MSG_NOSIGNAL) ==
		    n ? 0 : ERR_SYS;
	}
	desk_answer_free(&a);
	wipe(b, sizeof(b));
	return err;
}

int
main(int argc, char **argv)
{
	static uint8_t b[DOC_WIRE_MAX];
	struct view none;
	struct bus_rec cmd;
	struct opts o;
	ssize_t n;
	int err;

	if (!opts_read(argc, argv, &o)) {
		log_error(WHO, "tapird starts this program; tapir does the same "
			  "from a shell");
		return 2;
	}
	if ((err = confine(&o)) != 0) {
		log_error(WHO, "cannot give up rights: %s", err_text(err));
		return 1;
	}
	n = recv(o.channel, b, sizeof(b), 0);
	err = n > 0 ? doc_dec(b, (size_t)n, &cmd, &none) : ERR_CLOSED;
	wipe(b, sizeof(b));
	if (err == 0 && cmd.desc->row != BUS_CMD_DESK)
		err = ERR_UNSUP;
	if (err == 0)
		err = answer(&o, &cmd);
	wipe(&cmd, sizeof(cmd));
	if (err != 0)
		log_warn(WHO, "%s", err_text(err));
	return err == 0 ? 0 : 1;
}
