/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/break.c - faults for a running lab, one at a time.
 *
 * Mending writes the files as they were built and starts both daemons again, so a
 * fault (fault.c) may leave anything behind.
 */
#include "cli/lab/break.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/cli.h"
#include "cli/lab/fault.h"
#include "cli/lab/proc.h"
#include "daemon/base/clk.h"
#include "daemon/base/str.h"

#define RUN_MS	 10000
#define UP_MS	 10000
#define POLL_MS	 100
#define PATH_LEN 512
#define BROKEN	 "broken"	/* file with the name of the fault */

bool
lab_fault_at(unsigned i, struct lab_fault_info *out)
{
	if (i >= lab_n_fault)
		return false;
	*out = lab_faults[i].info;
	return true;
}

bool
lab_fault_fits(unsigned i, const struct lab *l)
{
	const struct fault *f = &lab_faults[i];

	return (l->flags & f->need) == f->need && (l->flags & f->never) == 0;
}

static const struct fault *
find(const char *name)
{
	for (unsigned i = 0; i < lab_n_fault; i++)
		if (strcmp(lab_faults[i].info.name, name) == 0)
			return &lab_faults[i];
	return NULL;
}

static int
failed(struct lab *l, int err, const char *what)
{
	if (*l->why == '\0')
		snprintf(l->why, sizeof(l->why), "%s: %s", what, err_text(err));
	return err;
}

/* ---- filters and wires -------------------------------------------------------- */

static int
nft(struct lab *l, const char *node, const char *rules)
{
	char ns[TOPO_NS_MAX], file[PATH_LEN], out[PROC_OUT_MAX];
	const char *load[] = { "nft", "-f", file, NULL };
	const char *flush[] = { "nft", "flush", "ruleset", NULL };
	struct proc p = { .argv = rules != NULL ? load : flush, .ns = ns };
	int rc;

	topo_ns(l->id, node, ns, sizeof(ns));
	snprintf(file, sizeof(file), "%s/rules", l->dir);
	if (rules != NULL && lab_write(l->dir, "rules", rules) != 0)
		return failed(l, ERR_SYS, "cannot write the rules");
	if ((rc = proc_run(&p, RUN_MS, out, sizeof(out))) == 0)
		return 0;
	if (rc == ERR_NOTFOUND)
		str_copy(l->hint, sizeof(l->hint), "apt-get install nftables");
	snprintf(l->why, sizeof(l->why), "nft: %.*s", (int)strcspn(out, "\n"),
		 out);
	return rc < 0 ? rc : ERR_SYS;
}

static int
wires(struct lab *l, const struct fault *f)
{
	int err = 0;

	for (unsigned i = 0; i < N_OF(f->ip) && f->ip[i] != NULL && err == 0; i++)
		err = topo_ip(l->id, f->ip_on[i], f->ip[i], l->why,
			      sizeof(l->why));
	return err;
}

/* ---- daemons ------------------------------------------------------------------- */

static int
confs(struct lab *l, const struct fault *f)
{
	char dir[PATH_LEN];
	struct lab_side side[2] = { f->a, f->b };
	int err = 0;

	for (unsigned i = 0; i < 2 && err == 0; i++) {
		bool is_swan = i == 1 && (l->flags & LAB_STRONGSWAN) != 0;

		snprintf(dir, sizeof(dir), "%s/gw-%c", l->dir, "ab"[i]);
		if (f->cert != LAB_CERT_NONE && side[i].own == NULL)
			side[i].own = "cert=\"own.pem\"";
		if (f->cert != LAB_CERT_NONE && side[i].trust == NULL)
			side[i].trust = "ca=\"ca.pem\"";
		err = is_swan ? lab_conf_swan_again(l->dir, dir, &f->swan) :
		    lab_conf_again(l->dir, dir, l->flags, i == 0, &side[i]);
	}
	if (err == 0 && f->cert != LAB_CERT_NONE)
		err = lab_cert_write(l->dir, f->cert, l->why, sizeof(l->why));
	return err == 0 ? 0 : failed(l, err, "cannot write the configuration");
}

static bool
is_up(struct lab *l)
{
	struct ask_list a = { 0 };
	bool up = false;

	if (lab_status(l, "gw-a", &a) == 0)
		for (size_t i = 0; i < a.n; i++)
			up |= a.rec[i].desc->row == BUS_RES_PEER &&
			    strcmp(bus_str(&a.rec[i], BUS_F_STATE), "up") == 0;
	ask_list_fini(&a);
	return up;
}

static int
wait_up(struct lab *l)
{
	uint64_t end = clk_ms() + UP_MS;

	while (!is_up(l)) {
		if (cli_stopped)
			return ERR_AGAIN;
		if (clk_ms() >= end)
			return failed(l, ERR_TIMEOUT, "the tunnel is not up");
		poll(NULL, 0, POLL_MS);
	}
	return 0;
}

/* In the background, for as long as a fault needs to show. */
static int
ping(struct lab *l, bool is_for_nobody)
{
	char ns[TOPO_NS_MAX], log[PATH_LEN];
	const char *argv[] = { "ping", "-n", "-q", "-i", "0.2", "-c", "150",
			       "-W", "1", is_for_nobody ? "10.0.0.77" : "10.0.0.1",
			       NULL };
	const char *back[] = { "ping", "-n", "-q", "-i", "0.2", "-c", "150",
			       "-W", "1", is_for_nobody ? "10.0.0.77" : "10.0.0.2",
			       NULL };
	struct proc p = { .argv = argv, .ns = ns, .log = log };
	pid_t pid;

	snprintf(log, sizeof(log), "%s/ping", l->dir);
	topo_ns(l->id, "host-b", ns, sizeof(ns));
	if (proc_start(&p, &pid) != 0)
		return failed(l, ERR_SYS, "ping");
	p.argv = back;
	topo_ns(l->id, "host-a", ns, sizeof(ns));
	return proc_start(&p, &pid) == 0 ? 0 : failed(l, ERR_SYS, "ping");
}

/* A gateway once more, elsewhere: as a machine that was copied. */
static int
twin(struct lab *l, bool is_a)
{
	static const struct lab_side side = {
		.realm = "tap=\"twin\"", .net = "",
	};
	char dir[PATH_LEN];
	int err;

	snprintf(dir, sizeof(dir), "%s/inet", l->dir);
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return failed(l, ERR_SYS, "cannot write below the lab");
	if ((err = lab_conf_again(l->dir, dir, l->flags, is_a, &side)) != 0)
		return failed(l, err, "cannot write the configuration");
	return lab_start_at(l, "inet");
}

/* tapir itself, with a gateway's daemon. */
static int
command(struct lab *l, const char *node, const char *words)
{
	char prog[PROC_PATH_MAX], run[PATH_LEN], text[128], out[PROC_OUT_MAX];
	const char *argv[8] = { prog, "--run-dir", run };
	struct proc p = { .argv = argv };
	unsigned n = 3;

	if (!proc_find_ours("tapir", prog, sizeof(prog)))
		return failed(l, ERR_NOTFOUND, "tapir");
	lab_run_dir(l, node, run, sizeof(run));
	str_copy(text, sizeof(text), words);
	for (char *w = text, *end; *w != '\0' && n + 1 < N_OF(argv); w = end) {
		argv[n++] = w;
		end = w + strcspn(w, " ");
		if (*end != '\0')
			*end++ = '\0';
	}
	return proc_run(&p, RUN_MS, out, sizeof(out)) == 0 ? 0 :
	    failed(l, ERR_SYS, words);
}

/* It says no farewell, and forgets what it knew. */
static int
kill_b(struct lab *l)
{
	char ns[TOPO_NS_MAX];

	topo_ns(l->id, "gw-b", ns, sizeof(ns));
	proc_ns_kill(ns, "tapir", SIGSTOP);	/* none sees another go */
	while (proc_ns_kill(ns, "tapir", SIGKILL) > 0)
		poll(NULL, 0, POLL_MS);
	return lab_start_one(l, 1);
}

/* Without its keys the secure process does not start again. */
static int
take_keys(struct lab *l)
{
	char ns[TOPO_NS_MAX], from[PATH_LEN], to[PATH_LEN];

	snprintf(from, sizeof(from), "%s/gw-a/keys", l->dir);
	snprintf(to, sizeof(to), "%s/gw-a/keys-" BROKEN, l->dir);
	if (rename(from, to) != 0)
		return failed(l, ERR_SYS, "keys of gw-a");
	topo_ns(l->id, "gw-a", ns, sizeof(ns));
	return proc_ns_kill(ns, "tapir-secure", SIGKILL) > 0 ? 0 :
	    failed(l, ERR_NOTFOUND, "tapir-secure of gw-a");
}

/* What those files are that the last fault took away: the same again. */
static int
keys_back(struct lab *l)
{
	char from[PATH_LEN], to[PATH_LEN];

	snprintf(from, sizeof(from), "%s/gw-a/keys-" BROKEN, l->dir);
	snprintf(to, sizeof(to), "%s/gw-a/keys", l->dir);
	return rename(from, to) == 0 || errno == ENOENT ? 0 : ERR_SYS;
}

static int
put_in(struct lab *l, const struct fault *f)
{
	int err;

	lab_stop(l);
	if ((err = confs(l, f)) != 0)
		return err;
	if (f->rules != NULL && !f->is_late &&
	    (err = nft(l, f->rules_on, f->rules)) != 0)
		return err;
	if ((err = f->is_alone ? lab_start_one(l, 0) : lab_start(l)) != 0)
		return err;
	if (f->is_late && (err = wait_up(l)) != 0)
		return err;
	if (f->rules != NULL && f->is_late &&
	    (err = nft(l, f->rules_on, f->rules)) != 0)
		return err;
	if ((err = wires(l, f)) != 0)
		return err;
	if (f->twin != '\0' && (err = twin(l, f->twin == 'a')) != 0)
		return err;
	for (unsigned i = 0; i < N_OF(f->cmd) && f->cmd[i] != NULL; i++)
		if ((err = command(l, f->cmd_on[i], f->cmd[i])) != 0)
			return err;
	if (f->is_killed && (err = kill_b(l)) != 0)
		return err;
	if (f->is_keyless && (err = take_keys(l)) != 0)
		return err;
	return f->has_ping ? ping(l, f->asks_nobody) : 0;
}

/* ---- public --------------------------------------------------------------------- */

/* What filters, wires and pings the last fault left. */
static int
take_out(struct lab *l)
{
	static const char *const host[] = { "host-a", "host-b", "inet" };
	char ns[TOPO_NS_MAX], path[PATH_LEN], name[64] = "";
	const struct fault *f;
	FILE *in;

	snprintf(path, sizeof(path), "%s/" BROKEN, l->dir);
	if ((in = fopen(path, "re")) == NULL)
		return 0;
	if (fgets(name, sizeof(name), in) == NULL)
		name[0] = '\0';
	fclose(in);
	for (unsigned i = 0; i < N_OF(host); i++) {
		topo_ns(l->id, host[i], ns, sizeof(ns));
		proc_ns_kill(ns, NULL, SIGTERM);
	}
	f = find(name);
	if (f != NULL && f->undo != NULL &&
	    topo_ip(l->id, f->undo_on, f->undo, l->why, sizeof(l->why)) != 0)
		l->why[0] = '\0';	/* it was not put in whole */
	if (f != NULL && f->is_keyless && keys_back(l) != 0)
		return failed(l, ERR_SYS, "keys of gw-a");
	if (f != NULL && f->rules != NULL && nft(l, f->rules_on, NULL) != 0)
		return ERR_SYS;
	unlink(path);
	return 0;
}

int
lab_mend(struct lab *l)
{
	static const struct fault none;
	int err;

	l->why[0] = l->hint[0] = '\0';
	if ((err = take_out(l)) != 0)
		return err;
	return put_in(l, &none);
}

int
lab_break(struct lab *l, const char *name)
{
	const struct fault *f = find(name);
	int err;

	l->why[0] = l->hint[0] = '\0';
	if (f == NULL)
		return ERR_NOTFOUND;
	if (!lab_fault_fits((unsigned)(f - lab_faults), l))
		return ERR_STATE;
	if ((err = take_out(l)) != 0)
		return err;
	if (lab_write(l->dir, BROKEN, name) != 0)
		return failed(l, ERR_SYS, "cannot write below the lab");
	return put_in(l, f);
}
