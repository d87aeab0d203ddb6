/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/main.c - options of tapird, then the role that was asked for.
 *
 * Without --role it is the supervisor; the other options below the line are
 * how the supervisor talks to the roles it execs, not for people.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include "daemon/base/log.h"
#include "daemon/core/fallback.h"
#include "daemon/core/resolve.h"
#include "daemon/core/role.h"
#include "daemon/core/super.h"
#include "daemon/diary/diary.h"
#include "daemon/ipc/confine.h"

enum opt {
	OPT_CONFIG = 'c', OPT_RUN_DIR = 'r', OPT_FOREGROUND = 'f',
	OPT_LOG = 'l', OPT_HELP = 'h', OPT_VERSION = 'V',
	OPT_NO_WEB = 256, OPT_WEB_ROOT, OPT_WEB_FD, OPT_KEY_LOG,
	OPT_ROLE, OPT_SUP, OPT_CHAN, OPT_RES, OPT_CONF_FD, OPT_SOCKS, OPT_UID,
	OPT_GID, OPT_SEC_UID, OPT_OWNER, OPT_KEY_LOG_FD, OPT_ROOTLESS,
	OPT_STATE, OPT_DIARY, OPT_SINK,
	OPT_FALLBACK,
};

static const struct option options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "foreground", no_argument, NULL, OPT_FOREGROUND },
	{ "log-level", required_argument, NULL, OPT_LOG },
	{ "no-web", no_argument, NULL, OPT_NO_WEB },
	{ "web-root", required_argument, NULL, OPT_WEB_ROOT },
	{ "web", required_argument, NULL, OPT_WEB_FD },
	{ "key-log", required_argument, NULL, OPT_KEY_LOG },
	{ "state-dir", required_argument, NULL, OPT_STATE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	/* between supervisor and roles */
	{ "role", required_argument, NULL, OPT_ROLE },
	{ "supervisor", required_argument, NULL, OPT_SUP },
	{ "channel", required_argument, NULL, OPT_CHAN },
	{ "resolver", required_argument, NULL, OPT_RES },
	{ "diary", required_argument, NULL, OPT_DIARY },
	{ "sink", required_argument, NULL, OPT_SINK },
	{ "config-fd", required_argument, NULL, OPT_CONF_FD },
	{ "sockets", required_argument, NULL, OPT_SOCKS },
	{ "uid", required_argument, NULL, OPT_UID },
	{ "gid", required_argument, NULL, OPT_GID },
	{ "secure-uid", required_argument, NULL, OPT_SEC_UID },
	{ "owner", required_argument, NULL, OPT_OWNER },
	{ "key-log-fd", required_argument, NULL, OPT_KEY_LOG_FD },
	{ "rootless", no_argument, NULL, OPT_ROOTLESS },
	/* for tests: do without what the kernel has */
	{ "force-fallback", required_argument, NULL, OPT_FALLBACK },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
    "usage: tapird [--config FILE] [--run-dir DIR] [--foreground] [--no-web]\n"
    "              [--web-root DIR] [--log-level error|warn|notice|info|debug]\n"
    "              [--key-log FILE] [--state-dir DIR]\n"
    "defaults: --config /etc/tapir/tapir.xml --run-dir /run/tapir\n"
    "tapir check FILE examines a configuration; tapird(8) has the rest.\n";

struct main_args {
	const char *role;
	struct super_args super;
	struct role_args r;
	struct diary_args diary;
};

static int
num(const char *text)
{
	char *end;
	long v = strtol(text, &end, 10);

	if (*end != '\0' || end == text || v < -1 || v > INT32_MAX) {
		fprintf(stderr, "tapird: %s is not a number\n", text);
		exit(EXIT_USAGE);
	}
	return (int)v;
}

static int
set_level(const char *text)
{
	enum log_level lv;

	if (log_parse_level(text, &lv) != 0) {
		fprintf(stderr, "tapird: --log-level %s: allowed are error, "
			"warn, notice, info, debug\n", text);
		return EXIT_USAGE;
	}
	log_set_level(lv);
	return 0;
}

/* 0, or the exit status + 1. */
static int
take(struct main_args *m, int opt, const char *v)
{
	switch (opt) {
	case OPT_CONFIG:
		m->super.conf_path = m->r.conf_name = v;
		return 0;
	case OPT_RUN_DIR:
		m->super.run_dir = v;
		return 0;
	case OPT_FOREGROUND:
		m->super.is_foreground = true;
		return 0;
	case OPT_LOG:
		m->super.log_level = v;
		return set_level(v) == 0 ? 0 : EXIT_USAGE + 1;
	case OPT_NO_WEB:
		m->super.is_no_web = true;
		return 0;
	case OPT_WEB_ROOT:
		m->super.web_root = v;
		return 0;
	case OPT_WEB_FD:
		m->r.web_fd = num(v);
		return 0;
	case OPT_KEY_LOG:
		m->super.key_log = v;
		return 0;
	case OPT_HELP:
		fputs(usage_text, stdout);
		return 1;
	case OPT_VERSION:
		puts("tapird " TAPIR_VERSION);
		return 1;
	case OPT_ROLE:
		m->role = v;
		return 0;
	case OPT_SUP:
		m->r.sup_fd = num(v);
		return 0;
	case OPT_CHAN:
		m->r.secure_fd = num(v);
		return 0;
	case OPT_STATE:
		m->super.state_dir = m->diary.state_dir = v;
		return 0;
	case OPT_DIARY:
		m->r.diary_fd = num(v);
		return 0;
	case OPT_SINK:
		if (m->diary.n_sink == SINK_MAX)
			return EXIT_USAGE + 1;
		m->diary.sink[m->diary.n_sink++] = v;
		return 0;
	case OPT_RES:
		m->r.resolve_fd = num(v);
		return 0;
	case OPT_CONF_FD:
		m->r.conf_fd = num(v);
		return 0;
	case OPT_SOCKS:
		m->r.socks = v;
		return 0;
	case OPT_UID:
		m->r.user.uid = (uid_t)num(v);
		return 0;
	case OPT_GID:
		m->r.user.gid = (gid_t)num(v);
		return 0;
	case OPT_SEC_UID:
		m->r.secure_uid = (uid_t)num(v);
		return 0;
	case OPT_OWNER:
		m->r.owner = (uid_t)num(v);
		return 0;
	case OPT_KEY_LOG_FD:
		m->r.key_log_fd = num(v);
		return 0;
	case OPT_FALLBACK:
		m->super.fallback = v;
		if (fallback_parse(v, &m->r.fallback) == 0)
			return 0;
		fprintf(stderr, "tapird: --force-fallback %s: a list of "
			"tap-gso, uso, udp-gso, udp-gro, packet-ring, "
			"gso-mangled, gso-refused\n", v);
		return EXIT_USAGE + 1;
	case OPT_ROOTLESS:
		m->r.user.is_rootless = true;
		return 0;
	default:
		fputs(usage_text, stderr);
		return EXIT_USAGE + 1;
	}
}

static int
resolve_role(const struct role_args *a)
{
	uint32_t feat = 0;

	(void)prctl(PR_SET_NAME, "tapir-resolve");
	if (confine_fds(&a->secure_fd, 1) != 0 ||
	    sandbox_drop(&a->user, &feat) != 0)
		return 1;
	/* Changing the user forgot it; a lookup may take long, and the end of
	 * the channel is seen only after it. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		return 1;
	return resolve_main(a->secure_fd);
}

static int
diary_role(struct main_args *m)
{
	const int keep[] = { m->r.secure_fd, m->r.sup_fd };
	int fd[N_OF(keep) + SINK_MAX];
	unsigned n = 0;

	for (; n < N_OF(keep); n++)
		fd[n] = keep[n];
	for (unsigned i = 0; i < m->diary.n_sink; i++)
		fd[n++] = sinks_fd(m->diary.sink[i]);
	m->diary.main_fd = m->r.secure_fd;
	m->diary.sup_fd = m->r.sup_fd;
	m->diary.user = (struct confine_user){
		.uid = m->r.user.uid, .gid = m->r.user.gid,
		.is_rootless = m->r.user.is_rootless,
	};
	return confine_fds(fd, n) == 0 ? diary_main(&m->diary) : 1;
}

int
main(int argc, char **argv)
{
	struct main_args m = {
		.super = { .conf_path = "/etc/tapir/tapir.xml",
			   .run_dir = "/run/tapir" },
		.r = { .sup_fd = -1, .secure_fd = -1, .resolve_fd = -1,
		       .conf_fd = -1, .key_log_fd = -1, .web_fd = -1,
		       .diary_fd = -1 },
		.diary = { .state_dir = "" },
	};
	int opt, end;

	while ((opt = getopt_long(argc, argv, "c:r:fl:hV", options, NULL)) != -1)
		if ((end = take(&m, opt, optarg)) != 0)
			return end - 1;
	if (optind < argc) {
		fprintf(stderr, "tapird: unexpected \"%s\"\n%s", argv[optind],
			usage_text);
		return EXIT_USAGE;
	}
	if (m.role == NULL)
		return super_main(&m.super);
	if (strcmp(m.role, "main") == 0 && m.r.socks != NULL)
		return role_main(&m.r);
	if (strcmp(m.role, "diary") == 0)
		return diary_role(&m);
	if (strcmp(m.role, "resolve") == 0)
		return resolve_role(&m.r);
	fputs(usage_text, stderr);
	return EXIT_USAGE;
}
