/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/demo.c - tapir demo: a tunnel shown from its first packet to its last.
 */
#include "cli/lab/demo.h"
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/json.h"
#include "cli/lab/lab.h"
#include "cli/lab/proc.h"
#include "cli/lab/wire.h"
#include "cli/status.h"
#include "daemon/base/clk.h"
#include "daemon/base/str.h"

#define PING_COUNT "3"
#define PING_MS	   15000
#define SETTLE_MS  100		/* the last frames reach the listener */

struct demo {
	struct cli *c;
	struct lab lab;
	struct wire wire;
	unsigned n_sent, n_received;
	uint64_t up_ms;
	bool is_rootless;
};

/* A step in plain words; nothing with --json. */
static void
say(const struct demo *d, const char *fmt, ...) PRINTF(2, 3);

static void
say(const struct demo *d, const char *fmt, ...)
{
	va_list ap;

	if (d->c->is_json)
		return;
	va_start(ap, fmt);
	vfprintf(d->c->out, fmt, ap);
	va_end(ap);
	fputc('\n', d->c->out);
	fflush(d->c->out);
}

bool
demo_ping_result(const char *text, unsigned *sent, unsigned *received)
{
	const char *p = strstr(text, " packets transmitted");

	if (p == NULL)
		return false;
	while (p > text && p[-1] >= '0' && p[-1] <= '9')
		p--;
	return sscanf(p, "%u packets transmitted, %u received", sent,
		      received) == 2;
}

static int
ping(struct demo *d)
{
	const char *argv[] = { "ping", "-n", "-c", PING_COUNT, "-i", "0.3",
			       "-W", "3", "-p", WIRE_MARKER_HEX,
			       lab_target(&d->lab), NULL };
	char ns[TOPO_NS_MAX], out[PROC_OUT_MAX];
	struct proc p = { .argv = argv, .ns = ns };
	int rc;

	topo_ns(d->lab.id, "host-a", ns, sizeof(ns));
	rc = proc_run(&p, PING_MS, out, sizeof(out));
	wire_read(&d->wire);
	if (rc < 0)
		return rc;
	if (!demo_ping_result(out, &d->n_sent, &d->n_received)) {
		say(d, "     ping: %.*s", (int)strcspn(out, "\n"), out);
		return ERR_SYS;
	}
	return 0;
}

static void
show_wire(const struct demo *d)
{
	const struct wire *w = &d->wire;
	unsigned i;

	for (i = 0; i < WIRE_END; i++)
		say(d, "     %6llu  %s", (unsigned long long)w->n[i],
		    wire_class_text(i));
	say(d, "     %6llu  frames in which the text of the pings can be read",
	    (unsigned long long)w->n_marker);
	say(d, "     ESP only: %s", wire_is_esp_only(w) ? "yes" : "NO");
}

static void
show_status(const struct demo *d)
{
	struct ask_list a = { 0 };
	struct show s = d->c->show;

	if (d->c->is_json || lab_status(&d->lab, "gw-a", &a) != 0)
		return;
	say(d, "  5. tapir status on gw-a");
	status_table(&s, &a);
	ask_list_fini(&a);
}

static bool
is_good(const struct demo *d)
{
	return d->n_sent > 0 && d->n_received == d->n_sent &&
	    wire_is_esp_only(&d->wire);
}

static void
show_json(const struct demo *d)
{
	struct json j;
	unsigned i;

	json_init(&j, d->c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", is_good(d));
	json_str(&j, "peer", (d->lab.flags & LAB_STRONGSWAN) != 0 ?
		 "strongswan" : "tapir");
	json_str(&j, "mode", (d->lab.flags & TOPO_IP) != 0 ? "ip" : "ether");
	json_bool(&j, "rootless", d->is_rootless);
	json_u64(&j, "up_ms", d->up_ms);
	json_u64(&j, "pings_sent", d->n_sent);
	json_u64(&j, "pings_received", d->n_received);
	json_bool(&j, "esp_only", wire_is_esp_only(&d->wire));
	json_obj(&j, "frames");
	for (i = 0; i < WIRE_END; i++)
		json_u64(&j, wire_class_key(i), d->wire.n[i]);
	json_u64(&j, "marker", d->wire.n_marker);
	json_obj_end(&j);
	json_obj_end(&j);
	json_end(&j);
}

static void
look_around(const struct demo *d)
{
	char run[256], ns[TOPO_NS_MAX];
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	lab_run_dir(&d->lab, "gw-a", run, sizeof(run));
	topo_ns(d->lab.id, "host-a", ns, sizeof(ns));
	say(d, "\nIt runs until you press Enter.  In another terminal:");
	if (d->is_rootless)
		say(d, "  nsenter --user --preserve-credentials --net --mount "
		    "--target %s", d->lab.id);
	say(d, "  ip netns exec %s ping %s", ns, lab_target(&d->lab));
	topo_ns(d->lab.id, "inet", ns, sizeof(ns));
	say(d, "  ip netns exec %s tcpdump -ni a0", ns);
	say(d, "  tapir --run-dir %s status -w", run);
	say(d, "  tapir --run-dir %s log -f", run);
	while (!cli_stopped && poll(&p, 1, 200) == 0)
		;
}

/* The steps; d->lab says why when one fails. */
static int
steps(struct demo *d, unsigned flags)
{
	bool is_ss = (flags & LAB_STRONGSWAN) != 0;
	char ns[TOPO_NS_MAX];
	uint64_t start;
	int err;

	say(d, "  1. build  host-a -- gw-a == internet == gw-b -- host-b   "
	    "(network namespaces)");
	if ((err = lab_build(&d->lab, flags)) != 0)
		return err;
	topo_ns(d->lab.id, "inet", ns, sizeof(ns));
	if ((err = wire_open(&d->wire, ns, "a0")) != 0) {
		str_copy(d->lab.why, sizeof(d->lab.why),
			 "cannot listen on the lab's internet");
		return err;
	}
	say(d, "  2. start  tapird on gw-a, %s on gw-b: IKEv2 with a random "
	    "pre-shared key", is_ss ? "strongSwan" : "tapird");
	start = clk_ms();
	if ((err = lab_start(&d->lab)) != 0 ||
	    (err = lab_wait_up(&d->lab, LAB_UP_MS)) != 0)
		return err;
	d->up_ms = clk_ms() - start;
	say(d, "     the tunnel is up %llu ms after the start of both daemons",
	    (unsigned long long)d->up_ms);
	say(d, "  3. ping   host-a to %s on host-b, through the tunnel",
	    lab_target(&d->lab));
	if ((err = ping(d)) != 0) {
		snprintf(d->lab.why, sizeof(d->lab.why), "ping: %s",
			 err_text(err));
		return err;
	}
	say(d, "     %u of %u pings", d->n_received, d->n_sent);
	poll(NULL, 0, SETTLE_MS);
	wire_read(&d->wire);
	say(d, "  4. what was on the wire of the internet, from the first frame "
	    "on");
	if (!d->c->is_json)
		show_wire(d);
	show_status(d);
	return 0;
}

int
demo_run(struct cli *c, unsigned flags, bool is_once)
{
	struct demo *d = calloc(1, sizeof(*d));
	int err, status = CLI_FAILED;

	if (d == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	d->c = c;
	d->wire.fd = -1;
	if ((err = lab_check(&d->lab, flags)) != 0)
		goto out;
	if (geteuid() != 0) {
		if ((err = lab_enter_userns()) != 0) {
			status = cli_fail(c, CLI_FAILED, "not-permitted",
				"sudo tapir demo",
				"not root, and no user namespaces here");
			goto done;
		}
		d->is_rootless = true;
		say(d, "not root: running in a user namespace; all processes "
		    "have one user id there");
	} else {
		lab_sweep();
	}
	say(d, "tapir demo: %s", (flags & TOPO_IP) != 0 ?
	    "two networks joined over the internet" :
	    "two offices, one Ethernet over the internet");
	cli_catch();
	if ((err = steps(d, flags)) == 0) {
		status = is_good(d) ? CLI_OK : CLI_FAILED;
		if (c->is_json)
			show_json(d);
		else if (!is_once && c->show.is_tty && isatty(STDIN_FILENO) == 1)
			look_around(d);
	}
out:
	if (err != 0)
		status = cli_fail(c, CLI_FAILED, "demo",
				  *d->lab.hint != '\0' ? d->lab.hint : NULL,
				  "demo: %s", *d->lab.why != '\0' ? d->lab.why :
				  err_text(err));
	wire_close(&d->wire);
	lab_down(&d->lab);
	if (err == 0)
		say(d, "%s; everything is removed", status == CLI_OK ?
		    "demo: it works" : "demo: IT FAILED");
done:
	free(d);
	return status;
}
