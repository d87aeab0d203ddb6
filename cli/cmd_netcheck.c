/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_netcheck.c - tapir netcheck: what stands between this machine and its
 * peers, and whether the machine itself is fit.
 */
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>
#include "cli/ask.h"
#include "cli/json.h"
#include "cli/probe.h"
#include "daemon/base/clk.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

#define PORT_IKE  500
#define PORT_NAT  4500
#define WAIT_MS	  1500		/* for a port to answer */
#define PROBE_PEERS 16		/* whose ports are tried, unless one is named */
#define BUILT	  __DATE__	/* no clock may be before it */

enum grade { GOOD, NOTE, BAD };

struct check {
	struct cli *c;
	struct json j;
	unsigned n_bad;
};

/* One result: of what (peer or "here"), a short stable name, words. */
static void
tell(struct check *k, enum grade g, const char *of, const char *name,
     const char *text)
{
	static const char *const word[] = { "ok", "note", "bad" };
	static const enum show_tone tone[] = { SHOW_GOOD, SHOW_WARN, SHOW_BAD };
	char head[CLI_NAME_MAX * 2 + 64], safe[BUS_SENTENCE_MAX];

	k->n_bad += g == BAD;
	if (k->c->is_json) {
		json_obj(&k->j, NULL);
		json_str(&k->j, "of", of);
		json_str(&k->j, "check", name);
		json_str(&k->j, "result", word[g]);
		json_str(&k->j, "text", text);
		json_obj_end(&k->j);
		return;
	}
	snprintf(head, sizeof(head), "%-5s", word[g]);
	show_text(&k->c->show, tone[g], head);
	snprintf(head, sizeof(head), "%s%s%s", of, *of != '\0' ? ": " : "", text);
	show_wrap(&k->c->show, 5, 5, bus_print_text(head, safe, sizeof(safe)));
	fflush(k->c->out);
}

/* ---- this machine -------------------------------------------------------- */

/* The date the program was made, at noon. */
static time_t
built(void)
{
	struct tm tm = { .tm_hour = 12 };

	return strptime(BUILT, "%b %d %Y", &tm) != NULL ? timegm(&tm) : 0;
}

static void
check_clock(struct check *k)
{
	struct timex tx = { .modes = 0 };
	time_t now = time(NULL);
	char text[160], when[32] = "";
	struct tm tm;

	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	if (now < built() - 86400) {
		snprintf(text, sizeof(text), "the clock says %s UTC, before this "
			 "program was made: certificates will not be valid",
			 when);
		tell(k, BAD, "", "clock", text);
		return;
	}
	if (adjtimex(&tx) < 0 || (tx.status & STA_UNSYNC) == 0) {
		snprintf(text, sizeof(text), "the clock is kept right: %s UTC",
			 when);
		tell(k, GOOD, "", "clock", text);
		return;
	}
	snprintf(text, sizeof(text), "nothing keeps the clock right (no NTP): it "
		 "says %s UTC", when);
	tell(k, NOTE, "", "clock", text);
}

static bool
has_opt(int opt)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;
	bool ok = fd >= 0 &&
	    setsockopt(fd, IPPROTO_UDP, opt, &one, sizeof(one)) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static void
check_kernel(struct check *k)
{
	char without[128] = "";

	if (access("/dev/net/tun", F_OK) != 0)
		tell(k, BAD, "", "tun", "there is no /dev/net/tun: load the "
		     "module tun, or give it to this container");
	if (!has_opt(UDP_SEGMENT))
		str_add(without, sizeof(without), " UDP_SEGMENT");
	if (!has_opt(UDP_GRO))
		str_add(without, sizeof(without), " UDP_GRO");
	if (*without == '\0') {
		tell(k, GOOD, "", "kernel", "the kernel takes and gives packets in "
		     "trains (UDP_SEGMENT, UDP_GRO)");
		return;
	}
	str_add(without, sizeof(without), " missing in this kernel: tunnels are "
		"slower");
	tell(k, NOTE, "", "kernel", without + 1);
}

static void
check_offloads(struct check *k, const struct bus_rec *r)
{
	const char *without = bus_str(r, BUS_F_WITHOUT);
	char text[BUS_SENTENCE_MAX];

	if (r->desc->row != BUS_RES_DATAPATH)
		return;
	snprintf(text, sizeof(text), "tapird %s%s; ESP by %s", *without == '\0' ?
		 "uses all offloads" : "does without ", without,
		 bus_str(r, BUS_F_PROVIDER));
	tell(k, *without == '\0' ? GOOD : NOTE, "", "offloads", text);
}

/* ---- peers --------------------------------------------------------------- */

static void
port_text(struct check *k, const char *of, const struct net_ep *to,
	  enum probe_answer a, bool is_up)
{
	static const char *const word[] = {
		[PROBE_ANSWERED] = "answers",
		[PROBE_SILENT] = ("does not answer: a firewall on the way, the "
				  "host is off, or it does not say so"),
		[PROBE_REFUSED] = "is refused: nobody listens there",
		[PROBE_NO_ROUTE] = "cannot be reached: there is no route",
		[PROBE_FAILED] = "was not asked: no socket",
	};
	char text[256], ip[IP_TEXT_MAX], name[16];

	snprintf(text, sizeof(text), "UDP port %u of %s %s", to->port,
		 ip_text(&to->ip, ip), word[a]);
	snprintf(name, sizeof(name), "port-%u", to->port);
	tell(k, a == PROBE_ANSWERED ? GOOD : is_up ? NOTE : BAD, of, name, text);
}

static void
check_ports(struct check *k, const struct bus_rec *p, const char *of)
{
	bool is_up = strcmp(bus_str(p, BUS_F_STATE), "up") == 0;
	struct net_ep to;

	if (net_ep_parse(bus_str(p, BUS_F_REMOTE), &to) != 0 ||
	    ip_is_any(&to.ip)) {
		tell(k, NOTE, of, "address", "its address is not known: it has to "
		     "connect from its end");
		return;
	}
	if (strcmp(bus_str(p, BUS_F_INTENT), "dial") != 0) {
		tell(k, GOOD, of, "address", "connects by itself: its ports "
		     "need not be open");
		return;
	}
	/* a port that was written in at= is the only one */
	if (to.port != PORT_IKE && to.port != PORT_NAT) {
		port_text(k, of, &to, probe_ask(&to, false, WAIT_MS), is_up);
		return;
	}
	to.port = PORT_IKE;
	port_text(k, of, &to, probe_ask(&to, false, WAIT_MS), is_up);
	to.port = PORT_NAT;
	port_text(k, of, &to, probe_ask(&to, true, WAIT_MS), is_up);
}

static void
check_nat(struct check *k, const struct bus_rec *p, const char *of)
{
	const char *nat = bus_str(p, BUS_F_NAT);
	uint64_t path = bus_u64(p, BUS_F_PATH_MTU);
	char text[160];

	if (*bus_str(p, BUS_F_IKE_SUITE) == '\0') {
		tell(k, NOTE, of, "nat", "whether there is a NAT on the way shows "
		     "when IKE answers");
		return;
	}
	tell(k, GOOD, of, "nat", strcmp(nat, "here") == 0 ? "this machine is "
	     "behind a NAT: ESP goes in UDP, keep-alives are sent" :
	     strcmp(nat, "there") == 0 ? "the peer is behind a NAT: ESP goes in "
	     "UDP" : strcmp(nat, "both") == 0 ? "both ends are behind NATs: ESP "
	     "goes in UDP, keep-alives are sent" : "no NAT on the way");
	if (path == 0) {
		tell(k, NOTE, of, "path-mtu", "the path MTU is not known yet");
		return;
	}
	snprintf(text, sizeof(text), "packets of %u bytes pass; inside the tunnel "
		 "%u", (unsigned)path, (unsigned)bus_u64(p, BUS_F_MTU));
	tell(k, path < 1280 ? NOTE : GOOD, of, "path-mtu", text);
}

static void
check_cert(struct check *k, const struct bus_rec *p, const char *of)
{
	uint64_t until = bus_u64(p, BUS_F_CERT_UNTIL);
	uint64_t now = (uint64_t)clk_wall_s();
	char text[128];

	if (until == 0)
		return;
	if (until < now) {
		tell(k, BAD, of, "certificate", "by this clock its certificate has "
		     "ended: renew it, or set the clock");
		return;
	}
	snprintf(text, sizeof(text), "its certificate is valid for %llu days more",
		 (unsigned long long)(until - now) / 86400);
	tell(k, until - now < 14 * 86400 ? NOTE : GOOD, of, "certificate", text);
}

static void
check_peers(struct check *k, const struct ask_list *a, bool is_named)
{
	char of[2 * CLI_NAME_MAX];
	unsigned n = 0;

	for (size_t i = 0; i < a->n && !cli_stopped; i++) {
		const struct bus_rec *p = &a->rec[i];

		if (p->desc->row != BUS_RES_PEER)
			continue;
		snprintf(of, sizeof(of), "%s/%s", bus_str(p, BUS_F_REALM),
			 bus_str(p, BUS_F_NAME));
		if (++n > PROBE_PEERS && !is_named) {
			tell(k, NOTE, "", "peers", "there are more peers: name one "
			     "to have it checked");
			break;
		}
		check_ports(k, p, of);
		check_nat(k, p, of);
		check_cert(k, p, of);
	}
}

/* ---- the command --------------------------------------------------------- */

static void
check_all(struct check *k, const struct ask_list *stats,
	  const struct ask_list *peers, bool is_named)
{
	cli_catch();
	if (k->c->is_json) {
		json_init(&k->j, k->c->out);
		json_obj(&k->j, NULL);
		json_arr(&k->j, "checks");
	}
	check_clock(k);
	check_kernel(k);
	for (size_t i = 0; i < stats->n; i++)
		check_offloads(k, &stats->rec[i]);
	check_peers(k, peers, is_named);
	if (k->c->is_json) {
		json_arr_end(&k->j);
		json_u64(&k->j, "n_bad", k->n_bad);
		json_obj_end(&k->j);
		json_end(&k->j);
	}
}

int
cmd_netcheck(struct cli *c, int argc, char **argv)
{
	char realm[CLI_NAME_MAX] = "", peer[CLI_NAME_MAX] = "";
	struct check k = { .c = c };
	struct ask_list stats = { 0 }, peers = { 0 };
	struct bus_rec cmd, end;
	int status;

	if ((argc = cli_opts(c, NULL, 0, argc, argv, 1)) < 0)
		return CLI_USAGE;
	if (argc == 1 && cli_target(argv[0], realm, peer, peer) != 0)
		return cli_fail(c, CLI_USAGE, "usage", NULL,
				"netcheck: the form is PEER or REALM/PEER");
	bus_rec_init(&cmd, BUS_CMD_STATUS);
	bus_set_str(&cmd, BUS_F_REALM, realm);
	bus_set_str(&cmd, BUS_F_PEER, peer);
	status = ask(c, &cmd, ask_keep, &peers, &end);
	bus_rec_init(&cmd, BUS_CMD_STATS);
	if (status == CLI_OK)
		status = ask(c, &cmd, ask_keep, &stats, &end);
	if (status == CLI_OK)
		check_all(&k, &stats, &peers, *peer != '\0');
	ask_list_fini(&stats);
	ask_list_fini(&peers);
	return status != CLI_OK ? status : k.n_bad > 0 ? CLI_FAILED : CLI_OK;
}
