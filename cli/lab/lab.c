/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/lab.c - a running lab: networks, daemons, their files.
 */
#include "cli/lab/lab.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/lab/lab_conf.h"
#include "cli/lab/proc.h"
#include "daemon/base/clk.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

#ifndef TAPIR_LIBEXEC
#define TAPIR_LIBEXEC "/usr/local/libexec/tapir"
#endif

#define CHARON	   "/usr/lib/ipsec/charon"
#define LIBIPSEC   "/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so"
#define STOP_MS	   4000
#define POLL_MS	   50
#define CHARON_MS  8000
#define PATH_MAX_  512

static const char *const gw_name[2] = { "gw-a", "gw-b" };

static int
fail(struct lab *l, int err, const char *hint, const char *fmt, ...)
    PRINTF(4, 5);

static int
fail(struct lab *l, int err, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->why, sizeof(l->why), fmt, ap);
	va_end(ap);
	str_copy(l->hint, sizeof(l->hint), hint != NULL ? hint : "");
	return err;
}

/* Paths are short; one that is cut does not exist, and that is noticed. */
static void put(char *out, size_t cap, const char *fmt, ...) PRINTF(3, 4);

static void
put(char *out, size_t cap, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out, cap, fmt, ap);
	va_end(ap);
}

static void
join(char *out, size_t cap, const char *dir, const char *name)
{
	put(out, cap, "%s/%s", dir, name);
}

void
lab_run_dir(const struct lab *l, const char *node, char *out, size_t cap)
{
	put(out, cap, "%s/%s/run", l->dir, node);
}

const char *
lab_target(const struct lab *l)
{
	return (l->flags & TOPO_IP) != 0 ? "10.2.0.2" : "10.0.0.2";
}

/* ---- what the machine must have ---------------------------------------------- */

int
lab_check(struct lab *l, unsigned flags)
{
	if (!proc_exists("ip"))
		return fail(l, ERR_NOTFOUND, "packaging/deps demo, or: "
			    "apt-get install iproute2 iputils-ping",
			    "the program 'ip' is not installed");
	if (!proc_exists("ping"))
		return fail(l, ERR_NOTFOUND, "packaging/deps demo, or: "
			    "apt-get install iputils-ping",
			    "the program 'ping' is not installed");
	if ((flags & TOPO_NAT) != 0 && !proc_exists("nft"))
		return fail(l, ERR_NOTFOUND, "apt-get install nftables",
			    "the program 'nft' is not installed");
	if (access("/dev/net/tun", R_OK | W_OK) != 0)
		return fail(l, ERR_NOTFOUND, "modprobe tun",
			    "/dev/net/tun is not there or not for us");
	if ((flags & LAB_STRONGSWAN) != 0 &&
	    (!proc_exists("swanctl") || access(CHARON, X_OK) != 0 ||
	     access(LIBIPSEC, R_OK) != 0))
		return fail(l, ERR_NOTFOUND,
			    "packaging/deps strongswan, or: apt-get install "
			    "strongswan-charon strongswan-swanctl "
			    "libcharon-extra-plugins "
			    "libstrongswan-standard-plugins "
			    "libstrongswan-extra-plugins",
			    "strongSwan with ESP in user space is not installed");
	return 0;
}

static bool
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_ok;

	if (fd < 0)
		return false;
	is_ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return is_ok;
}

int
lab_enter_userns(void)
{
	unsigned uid = (unsigned)geteuid(), gid = (unsigned)getegid();
	char map[64];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) != 0)
		return ERR_PERM;
	put(map, sizeof(map), "0 %u 1", uid);
	if (!write_file("/proc/self/setgroups", "deny") ||
	    !write_file("/proc/self/uid_map", map))
		return ERR_PERM;
	put(map, sizeof(map), "0 %u 1", gid);
	if (!write_file("/proc/self/gid_map", map) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") != 0)
		return ERR_PERM;
	return 0;
}

/* ---- build -------------------------------------------------------------------- */

/* A directory others go through, tapird's roles among them, and do not look
 * into. */
static bool
make_way(const char *dir)
{
	return mkdir(dir, 0700) == 0 && chmod(dir, 0711) == 0;
}

static int
make_files(struct lab *l)
{
	char dir[PATH_MAX_], psk[LAB_PSK_HEX], text[64];
	uint8_t key[32];
	unsigned i;
	int err = 0;

	if (!make_way(LAB_DIR) && errno != EEXIST)
		return fail(l, ERR_SYS, NULL, "cannot make %s: %s", LAB_DIR,
			    strerror(errno));
	if (!make_way(l->dir))
		return fail(l, ERR_SYS, NULL, "cannot make %s: %s", l->dir,
			    strerror(errno));
	put(text, sizeof(text), "flags %u\n", l->flags);
	if ((err = lab_write(l->dir, "lab", text)) != 0 ||
	    (err = rng_bytes(key, sizeof(key))) != 0)
		return fail(l, err, NULL, "cannot write below %s", l->dir);
	str_hex(psk, sizeof(psk), key, sizeof(key));
	for (i = 0; i < 2 && err == 0; i++) {
		join(dir, sizeof(dir), l->dir, gw_name[i]);
		if (!make_way(dir))
			err = ERR_SYS;
		else if (i == 1 && (l->flags & LAB_STRONGSWAN) != 0)
			err = lab_conf_strongswan(dir, psk);
		else
			err = lab_conf_tapir(dir, l->flags, i == 0, psk);
	}
	wipe(key, sizeof(key));
	wipe(psk, sizeof(psk));
	if (err != 0)
		return fail(l, err, NULL, "cannot write below %s", l->dir);
	return 0;
}

int
lab_build(struct lab *l, unsigned flags)
{
	int err;

	memset(l, 0, sizeof(*l));
	l->flags = flags;
	put(l->id, sizeof(l->id), "%d", (int)getpid());
	join(l->dir, sizeof(l->dir), LAB_DIR, l->id);
	if ((err = make_files(l)) != 0)
		return err;
	err = topo_up(l->id, flags, l->why, sizeof(l->why));
	if (err == ERR_AGAIN)
		return fail(l, err, NULL, "interrupted");
	if (err != 0)
		str_copy(l->hint, sizeof(l->hint),
			 "network namespaces need root, or a kernel that "
			 "permits them");
	return err;
}

/* ---- daemons ------------------------------------------------------------------ */

/* Last line of a daemon's log, to say why it ended. */
static void
last_line(const struct lab *l, const char *node, char *out, size_t cap)
{
	char path[PATH_MAX_], text[1024];
	FILE *f;

	out[0] = '\0';
	put(path, sizeof(path), "%s/%s/log", l->dir, node);
	if ((f = fopen(path, "re")) == NULL)
		return;
	while (fgets(text, sizeof(text), f) != NULL) {
		text[strcspn(text, "\n")] = '\0';
		if (*text != '\0')
			str_copy(out, cap, text);
	}
	fclose(f);
}

static int
start_tapird(struct lab *l, const char *node, pid_t *pid)
{
	char prog[PATH_MAX_], conf[PATH_MAX_], run[PATH_MAX_], log[PATH_MAX_];
	char ns[TOPO_NS_MAX];
	const char *argv[] = { prog, "--config", conf, "--run-dir", run,
			       "--foreground", "--no-web", NULL };
	struct proc p = { .argv = argv, .ns = ns, .log = log,
			  .is_tied = (l->flags & LAB_TIED) != 0 };

	if (!proc_find_ours("tapird", prog, sizeof(prog)))
		return fail(l, ERR_NOTFOUND, "make, or make install",
			    "tapird is not beside this program and not installed");
	topo_ns(l->id, node, ns, sizeof(ns));
	put(conf, sizeof(conf), "%s/%s/tapir.xml", l->dir, node);
	put(log, sizeof(log), "%s/%s/log", l->dir, node);
	lab_run_dir(l, node, run, sizeof(run));
	if (proc_start(&p, pid) != 0)
		return fail(l, ERR_SYS, NULL, "cannot start %s", prog);
	return 0;
}

/* strongSwan in gw-b: charon with a /run of its own, then its connection. */
static int
start_charon(struct lab *l)
{
	char dir[PATH_MAX_], run[PATH_MAX_ + 8], log[PATH_MAX_ + 8];
	char env[PATH_MAX_ + 32], vici[PATH_MAX_ + 32], uri[PATH_MAX_ + 64];
	char ns[TOPO_NS_MAX], out[PROC_OUT_MAX];
	const char *inside[] = { "STRONGSWAN_CONF=/run/strongswan.conf", NULL };
	const char *outside[] = { env, NULL };
	const char *argv[] = { CHARON, NULL };
	const char *load[] = { "swanctl", "--load-all", "--uri", uri, NULL };
	struct proc p = { .argv = argv, .env = inside, .ns = ns, .run_dir = run,
			  .log = log, .is_tied = (l->flags & LAB_TIED) != 0 };
	struct proc s = { .argv = load, .env = outside };
	uint64_t end = clk_ms() + CHARON_MS;
	int rc;

	join(dir, sizeof(dir), l->dir, "gw-b");
	put(run, sizeof(run), "%s/run", dir);
	put(log, sizeof(log), "%s/log", dir);
	put(vici, sizeof(vici), "%s/run/charon.vici", dir);
	put(uri, sizeof(uri), "unix://%s", vici);
	put(env, sizeof(env), "SWANCTL_DIR=%s", dir);
	topo_ns(l->id, "gw-b", ns, sizeof(ns));
	(void)unlink(vici);	/* of one that ran before */
	if (proc_start(&p, &l->pid[1]) != 0)
		return fail(l, ERR_SYS, NULL, "cannot start " CHARON);
	while (access(vici, F_OK) != 0) {
		if (cli_stopped)
			return fail(l, ERR_AGAIN, NULL, "interrupted");
		if (clk_ms() >= end || !proc_is_alive(l->pid[1])) {
			last_line(l, "gw-b", out, sizeof(out));
			return fail(l, ERR_TIMEOUT, NULL,
				    "strongSwan does not start: %.300s", out);
		}
		poll(NULL, 0, POLL_MS);
	}
	/* between bind() and listen() of it a connection is refused */
	while ((rc = proc_run(&s, CHARON_MS, out, sizeof(out))) > 0 &&
	    clk_ms() < end && proc_is_alive(l->pid[1]))
		poll(NULL, 0, POLL_MS);
	if (rc != 0)
		return fail(l, rc < 0 ? rc : ERR_SYS, NULL,
			    "swanctl --load-all: %.200s", out);
	return 0;
}

int
lab_start_one(struct lab *l, unsigned i)
{
	return i == 1 && (l->flags & LAB_STRONGSWAN) != 0 ? start_charon(l) :
	    start_tapird(l, gw_name[i], &l->pid[i]);
}

int
lab_start_at(struct lab *l, const char *node)
{
	pid_t pid;

	return start_tapird(l, node, &pid);
}

int
lab_start(struct lab *l)
{
	int err;

	err = lab_start_one(l, 1);
	return err != 0 ? err : lab_start_one(l, 0);
}

int
lab_status(const struct lab *l, const char *node, struct ask_list *a)
{
	struct bus_rec cmd, end;
	char run[PATH_MAX_];
	struct link k;
	int err;

	lab_run_dir(l, node, run, sizeof(run));
	if ((err = link_open(&k, run)) != 0)
		return err;
	bus_rec_init(&cmd, BUS_CMD_STATUS);
	err = link_ask(&k, &cmd, ask_keep, a, &end);
	link_close(&k);
	return err;
}

/* The state of gw-a's only peer; "" while the daemon does not answer. */
static void
peer_state(const struct lab *l, char *state, size_t cap, char *why,
	   size_t why_cap)
{
	struct ask_list a = { 0 };
	size_t i;

	state[0] = why[0] = '\0';
	if (lab_status(l, "gw-a", &a) == 0)
		for (i = 0; i < a.n; i++)
			if (a.rec[i].desc->row == BUS_RES_PEER) {
				str_copy(state, cap,
					 bus_str(&a.rec[i], BUS_F_STATE));
				str_copy(why, why_cap,
					 bus_str(&a.rec[i], BUS_F_WHY));
			}
	ask_list_fini(&a);
}

int
lab_wait_up(struct lab *l, int ms)
{
	uint64_t end = clk_ms() + (uint64_t)ms;
	char state[32], why[LAB_WHY_MAX / 2];
	unsigned i;

	for (;;) {
		peer_state(l, state, sizeof(state), why, sizeof(why));
		if (strcmp(state, "up") == 0)
			return 0;
		if (cli_stopped)
			return fail(l, ERR_AGAIN, NULL, "interrupted");
		for (i = 0; i < 2; i++)
			if (!proc_is_alive(l->pid[i])) {
				last_line(l, gw_name[i], why, sizeof(why));
				return fail(l, ERR_CLOSED, NULL,
					    "the daemon of %s ended: %s",
					    gw_name[i], why);
			}
		if (clk_ms() >= end)
			return fail(l, ERR_TIMEOUT, NULL,
				    "the tunnel is not up after %d s: %s %s",
				    ms / 1000, state, why);
		poll(NULL, 0, POLL_MS);
	}
}

/* ---- down --------------------------------------------------------------------- */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path) == 0 ? 0 : -1;
}

/* Daemons of a lab that another process built are not our children.  Shells that
 * people have there are left alone. */
static void
stop_strangers(const struct lab *l)
{
	static const char *const name[] = { "tapir", "charon" };
	uint64_t end = clk_ms() + STOP_MS;
	char ns[TOPO_NS_MAX];

	for (unsigned i = 0; i < 2; i++) {
		topo_ns(l->id, gw_name[i], ns, sizeof(ns));
		proc_ns_kill(ns, NULL, SIGTERM);
	}
	for (unsigned i = 0; i < 2 * N_OF(name); i++) {
		topo_ns(l->id, gw_name[i / 2], ns, sizeof(ns));
		while (proc_ns_kill(ns, name[i % 2], 0) > 0 && clk_ms() < end)
			poll(NULL, 0, POLL_MS);
		proc_ns_kill(ns, name[i % 2], SIGKILL);
	}
}

void
lab_stop(struct lab *l)
{
	if (l->pid[0] == 0 && l->pid[1] == 0) {
		stop_strangers(l);
	} else {
		proc_stop(l->pid[0], STOP_MS);
		proc_stop(l->pid[1], STOP_MS);
	}
	l->pid[0] = l->pid[1] = 0;
}

void
lab_down(struct lab *l)
{
	if (*l->id == '\0')
		return;
	lab_stop(l);
	topo_down(l->id);
	nftw(l->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	rmdir(LAB_DIR);		/* fails while another lab is there */
}

int
lab_find(struct lab *l, const char *id)
{
	char path[PATH_MAX_], text[64] = "";
	unsigned flags = 0;
	uint64_t pid;
	FILE *f;

	memset(l, 0, sizeof(*l));
	if (str_u64(id, 1u << 30, &pid) != 0)
		return ERR_NOTFOUND;
	put(l->id, sizeof(l->id), "%u", (unsigned)pid);
	join(l->dir, sizeof(l->dir), LAB_DIR, l->id);
	join(path, sizeof(path), l->dir, "lab");
	if ((f = fopen(path, "re")) == NULL)
		return ERR_NOTFOUND;
	if (fgets(text, sizeof(text), f) == NULL ||
	    sscanf(text, "flags %u", &flags) != 1)
		flags = TOPO_ETHER | TOPO_PLAIN;
	fclose(f);
	l->flags = flags;
	return 0;
}

bool
lab_at(unsigned i, struct lab *l)
{
	DIR *d = opendir(LAB_DIR);
	struct dirent *e;
	bool is_found = false;

	if (d == NULL)
		return false;
	while (!is_found && (e = readdir(d)) != NULL)
		if (lab_find(l, e->d_name) == 0 && i-- == 0)
			is_found = true;
	closedir(d);
	return is_found;
}

void
lab_sweep(void)
{
	struct lab l;
	unsigned i = 0;

	while (lab_at(i, &l)) {
		uint64_t pid;

		if ((l.flags & LAB_TIED) != 0 &&
		    str_u64(l.id, 1u << 30, &pid) == 0 &&
		    kill((pid_t)pid, 0) != 0 && errno == ESRCH)
			lab_down(&l);
		if (access(l.dir, F_OK) == 0)
			i++;
	}
}
