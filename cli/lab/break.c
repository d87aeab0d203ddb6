/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/break.c - faults for a running lab, one at a time.
 *
 * A fault is a row: what the two configurations say otherwise, filters, `ip`
 * commands, and where tapir why names it.  Mending writes the files as they were
 * built and starts both daemons again, so a fault may leave anything behind.
 */
#include "cli/lab/break.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/cli.h"
#include "cli/lab/lab_cert.h"
#include "cli/lab/lab_conf.h"
#include "cli/lab/proc.h"
#include "daemon/base/clk.h"
#include "daemon/base/str.h"

#define RUN_MS	 10000
#define UP_MS	 10000
#define POLL_MS	 100
#define PATH_LEN 512
#define BROKEN	 "broken"	/* file with the name of the fault */

#define DROP(what_)                                                            \
	"table inet lab {\n  chain in {\n    type filter hook input priority 0;\n" \
	"    " what_ "\n  }\n}\n"
/* ESP in UDP: behind the UDP header there are no four zero bytes. */
#define NO_ESP "udp sport 4500 @th,64,32 != 0 drop"
/* What arrives of it, before the stack looks at it; dup would else see its own. */
#define ESP_IN(family_, what_)                                                 \
	"table " family_ " lab {\n  chain in {\n    type filter hook prerouting " \
	"priority -300\n    iifname wan0 udp sport 4500 @th,64,32 != 0 " what_    \
	"\n  }\n}\n"

struct fault {
	struct lab_fault_info info;
	unsigned need, never;		/* flags of the lab */
	struct lab_side a, b;		/* what is otherwise */
	struct lab_swan swan;
	const char *rules_on, *rules;	/* nftables: where, what */
	const char *ip_on[3], *ip[3];	/* node (NULL: here) and words */
	const char *undo_on, *undo;
	enum lab_cert cert;		/* both by certificate; gw-b's is so */
	bool is_late;			/* filters once it is up */
	bool is_alone;			/* gw-b does not run */
	bool has_ping;			/* host-b asks for host-a meanwhile */
	bool asks_nobody;		/* ... and for one that is not there */
	bool has_twin;			/* another tokyo, in the node inet */
};

#define AT_A(code_) .node = "gw-a", .peer = "osaka", .code = (code_)
#define AT_B(code_) .node = "gw-b", .peer = "tokyo", .code = (code_)
#define CERT(name_, line_, code_, cert_)                                       \
	{ .info = { .name = (name_), .line = (line_), AT_A(code_) },           \
	  .cert = (cert_), .never = LAB_STRONGSWAN }

static const struct fault faults[] = {
	{ .info = { .name = "psk", .line = "the pre-shared keys differ",
		    AT_B("psk-wrong") }, .never = LAB_STRONGSWAN,
	  .b = { .psk = "another key than the one of gw-a" } },
	{ .info = { .name = "identity", .line = "gw-b knows no tokyo",
		    AT_B("identity-unknown") }, .never = LAB_STRONGSWAN,
	  .b = { .peer = "id=\"kyoto\" name=\"tokyo\"" } },
	{ .info = { .name = "method",
		    .line = "gw-b wants a certificate, gw-a has a key",
		    AT_B("method-differs") }, .never = LAB_STRONGSWAN,
	  .cert = LAB_CERT_GOOD, .a = { .own = "psk=\"branches.psk\"",
	  .trust = "" } },
	{ .info = { .name = "ports", .line = "UDP 500 and 4500 are filtered",
		    AT_A("no-answer") }, .rules_on = "gw-b",
	  .rules = DROP("udp dport { 500, 4500 } drop") },
	{ .info = { .name = "port500", .line = "UDP 500 is filtered",
		    AT_A("port-500-blocked"), .is_slow = true },
	  .rules_on = "gw-b", .rules = DROP("udp dport 500 drop") },
	{ .info = { .name = "port4500", .line = "UDP 4500 is filtered",
		    AT_A("port-4500-blocked") }, .rules_on = "gw-b",
	  .rules = DROP("udp dport 4500 drop") },
	{ .info = { .name = "closed", .line = "no daemon runs on gw-b",
		    AT_A("port-unreachable") }, .is_alone = true },
	{ .info = { .name = "unreachable",
		    .line = "a router says that gw-b cannot be reached",
		    AT_A("unreachable") }, .rules_on = "gw-b",
	  .rules = DROP("udp dport { 500, 4500 } reject with icmpx type "
			"host-unreachable") },
	{ .info = { .name = "resolve", .line = "the name of gw-b has no address",
		    AT_A("name-unresolved") },
	  .a = { .at = "osaka.invalid" } },
	{ .info = { .name = "route", .line = "gw-a has no route to gw-b",
		    AT_A("no-route") }, .never = TOPO_NAT,
	  .a = { .at = "198.18.0.1" } },
	{ .info = { .name = "ts", .line = "the networks of gw-b are others",
		    AT_B("ts-unacceptable") }, .need = TOPO_IP,
	  .never = LAB_STRONGSWAN,
	  .b = { .net = "local=\"10.9.0.0/24\" remote=\"10.1.0.0/24\"" } },
	{ .info = { .name = "mode", .line = "Ethernet on gw-a, IP on gw-b",
		    AT_A("mode-differs") }, .never = LAB_STRONGSWAN | TOPO_IP,
	  .a = { .realm = "bridge=\"br-lan\" mode=\"ether\"" },
	  .b = { .realm = "mode=\"ip\"",
		 .net = "local=\"10.9.0.0/24\" remote=\"10.8.0.0/24\"" } },
	{ .info = { .name = "one-way", .line = "ESP does not come back to gw-a",
		    AT_A("one-way"), .is_slow = true }, .never = TOPO_IP,
	  .rules_on = "gw-a", .rules = DROP(NO_ESP), .has_ping = true },
	{ .info = { .name = "corrupt",
		    .line = "something changes bytes of what comes from gw-b",
		    AT_A("esp-integrity"), .is_slow = true }, .never = TOPO_IP,
	  .is_late = true, .has_ping = true, .rules_on = "gw-a",
	  .rules = ESP_IN("inet", "@th,224,32 set 0x5a5a5a5a") },
	{ .info = { .name = "repeat",
		    .line = "what comes from gw-b arrives twice",
		    AT_A("esp-replay"), .is_slow = true },
	  .never = TOPO_IP | TOPO_NAT, .is_late = true, .has_ping = true,
	  .rules_on = "gw-a", .rules = ESP_IN("ip", "dup to 192.0.2.1") },
	{ .info = { .name = "silent",
		    .line = "gw-b answers nothing any more",
		    AT_A("peer-silent"), .is_slow = true },
	  .never = LAB_STRONGSWAN | TOPO_IP, .is_late = true,
	  .a = { .realm = "bridge=\"br-lan\" dpd=\"1\" dead=\"60\"" },
	  .rules_on = "gw-b", .rules = DROP("udp dport { 500, 4500 } drop") },
	{ .info = { .name = "mtu", .line = "gw-a's mtu= is larger than fits",
		    AT_A("mtu-black-hole") }, .need = TOPO_IP,
	  .a = { .realm = "mode=\"ip\" mtu=\"1500\"" } },
	{ .info = { .name = "identity-twice",
		    .line = "a second machine says that it is tokyo",
		    AT_B("identity-twice"), .is_slow = true },
	  .never = LAB_STRONGSWAN | TOPO_NAT | TOPO_IP, .has_twin = true,
	  .ip_on = { "inet" }, .ip = { "addr add 192.0.2.3/24 dev br0" },
	  .undo_on = "inet", .undo = "addr del 192.0.2.3/24 dev br0" },
	{ .info = { .name = "loop",
		    .line = "the two networks are joined by a wire as well",
		    AT_A("loop"), .is_slow = true }, .never = TOPO_IP,
	  .is_late = true, .has_ping = true,
	  /* so that it is gw-a that finds it */
	  .b = { .realm = "bridge=\"br-lan\" loop=\"off\"" },
	  .ip_on = { NULL, "gw-a", "gw-b" },
	  .ip = { "link add loop0 netns @gw-a type veth peer name loop0 "
		  "netns @gw-b", "link set loop0 master br-lan up",
		  "link set loop0 master br-lan up" },
	  .undo_on = "gw-a", .undo = "link del loop0" },
	{ .info = { .name = "mac-duplicate",
		    .line = "host-b has the MAC address of host-a",
		    AT_A("mac-duplicate"), .is_slow = true },
	  .never = TOPO_IP, .is_late = true, .has_ping = true,
	  .asks_nobody = true,	/* so that both are heard */
	  .ip_on = { "host-a", "host-b" },
	  .ip = { "link set eth0 address 02:00:00:00:00:66",
		  "link set eth0 address 02:00:00:00:00:66" },
	  .undo_on = "host-b", .undo = "link set eth0 address 02:00:00:00:00:67" },
	{ .info = { .name = "arp-silent",
		    .line = "host-a answers no ARP, as behind a hypervisor "
		    "that forbids it", AT_A("arp-silent"), .is_slow = true },
	  .never = TOPO_IP, .is_late = true, .has_ping = true,
	  .ip_on = { "host-a" }, .ip = { "link set eth0 arp off" },
	  .undo_on = "host-a", .undo = "link set eth0 arp on" },
	CERT("cert-unknown-ca", "gw-b's certificate is by a stranger",
	     "cert-unknown-ca", LAB_CERT_OTHER_CA),
	CERT("cert-expired", "gw-b's certificate has ended", "cert-expired",
	     LAB_CERT_EXPIRED),
	CERT("cert-not-yet", "gw-b's certificate begins in a month",
	     "cert-not-yet", LAB_CERT_NOT_YET),
	CERT("cert-revoked", "gw-b's certificate was revoked", "cert-revoked",
	     LAB_CERT_REVOKED),
	CERT("cert-name", "gw-b's certificate has another name", "cert-name",
	     LAB_CERT_NAME),
	CERT("clock", "gw-b's clock is two hours ahead: its certificate begins "
	     "then", "clock-off", LAB_CERT_CLOCK),
	{ .info = { .name = "proposal",
		    .line = "strongSwan has other IKE algorithms",
		    AT_A("no-proposal") }, .need = LAB_STRONGSWAN,
	  .swan = { .ike = "aes256-sha256-modp4096" } },
	{ .info = { .name = "group",
		    .line = "strongSwan has another key exchange group, and "
		    "says only that it refuses", AT_A("no-proposal") }, .need = LAB_STRONGSWAN,
	  .swan = { .ike = "aes256gcm16-prfsha384-modp4096" } },
	{ .info = { .name = "esp-proposal",
		    .line = "strongSwan has other ESP algorithms",
		    AT_A("no-esp-proposal") }, .need = LAB_STRONGSWAN,
	  .swan = { .esp = "aes256-sha256" } },
	{ .info = { .name = "ts-there",
		    .line = "strongSwan has other networks",
		    AT_A("ts-unacceptable") }, .need = LAB_STRONGSWAN,
	  .swan = { .ts = "10.9.0.0/24" } },
};

bool
lab_fault_at(unsigned i, struct lab_fault_info *out)
{
	if (i >= N_OF(faults))
		return false;
	*out = faults[i].info;
	return true;
}

bool
lab_fault_fits(unsigned i, const struct lab *l)
{
	const struct fault *f = &faults[i];

	return (l->flags & f->need) == f->need && (l->flags & f->never) == 0;
}

static const struct fault *
find(const char *name)
{
	for (unsigned i = 0; i < N_OF(faults); i++)
		if (strcmp(faults[i].info.name, name) == 0)
			return &faults[i];
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

/* gw-a once more, elsewhere: as a machine that was copied. */
static int
twin(struct lab *l)
{
	static const struct lab_side side = {
		.realm = "tap=\"twin\"", .net = "",
	};
	char dir[PATH_LEN];
	int err;

	snprintf(dir, sizeof(dir), "%s/inet", l->dir);
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return failed(l, ERR_SYS, "cannot write below the lab");
	if ((err = lab_conf_again(l->dir, dir, l->flags, true, &side)) != 0)
		return failed(l, err, "cannot write the configuration");
	return lab_start_at(l, "inet");
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
	if (f->has_twin && (err = twin(l)) != 0)
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
	if (!lab_fault_fits((unsigned)(f - faults), l))
		return ERR_STATE;
	if ((err = take_out(l)) != 0)
		return err;
	if (lab_write(l->dir, BROKEN, name) != 0)
		return failed(l, ERR_SYS, "cannot write below the lab");
	return put_in(l, f);
}
