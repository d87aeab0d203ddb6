/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/topo.c - the networks of the lab as tables of `ip` commands.
 *
 *                       the "internet", 192.0.2.0/24
 *                      .------------------------.
 *   host-a ---- gw-a --|--(nat)-- inet ---------|-- gw-b ---- host-b
 *   eth0   lan0      wan0                     wan0      lan0   eth0
 *
 *   Ethernet: 10.0.0.0/24 and fd00::/64 on both sides, one broadcast domain
 *   IP:       10.1.0.0/24 and fd00:1::/64       10.2.0.0/24 and fd00:2::/64
 *   outside:  gw-a .1, gw-b .2; behind NAT gw-a is 198.51.100.2, nat .1
 */
#include "cli/lab/topo.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cli/lab/proc.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define RUN_MS	  10000		/* for one command; ours */
#define LINE_MAX_ 256

static const struct {
	unsigned need;
	const char *name;
} nodes[] = {
	{ 0, "host-a" }, { 0, "gw-a" },	  { TOPO_NAT, "nat" },
	{ 0, "inet" },	 { 0, "gw-b" },	  { 0, "host-b" },
};

/* "node" is where `ip` works (NULL: here); @x becomes the namespace of x. */
static const struct row {
	unsigned need;
	const char *node;
	const char *words;
} rows[] = {
	{ 0, "inet", "link add br0 type bridge forward_delay 0 mcast_snooping 0" },
	{ 0, "inet", "link set br0 up" },
	{ 0, NULL, "link add eth0 netns @host-a type veth peer name lan0 netns @gw-a" },
	{ 0, NULL, "link add eth0 netns @host-b type veth peer name lan0 netns @gw-b" },
	{ 0, NULL, "link add wan0 netns @gw-b type veth peer name b0 netns @inet" },
	{ 0, "inet", "link set b0 master br0 up" },
	{ TOPO_PLAIN, NULL, "link add wan0 netns @gw-a type veth peer name a0 netns @inet" },
	{ TOPO_NAT, NULL, "link add wan0 netns @gw-a type veth peer name in0 netns @nat" },
	{ TOPO_NAT, NULL, "link add out0 netns @nat type veth peer name a0 netns @inet" },
	{ 0, "inet", "link set a0 master br0 up" },

	{ TOPO_PLAIN, "gw-a", "addr add 192.0.2.1/24 dev wan0" },
	{ TOPO_PLAIN, "gw-a", "addr add 2001:db8:1::1/64 dev wan0 nodad" },
	{ TOPO_NAT, "gw-a", "addr add 198.51.100.2/24 dev wan0" },
	{ TOPO_NAT, "nat", "addr add 198.51.100.1/24 dev in0" },
	{ TOPO_NAT, "nat", "addr add 192.0.2.1/24 dev out0" },
	{ TOPO_NAT, "nat", "link set in0 up" },
	{ TOPO_NAT, "nat", "link set out0 up" },
	{ 0, "gw-a", "link set wan0 up" },
	{ TOPO_NAT, "gw-a", "route add default via 198.51.100.1" },
	{ 0, "gw-b", "addr add 192.0.2.2/24 dev wan0" },
	{ 0, "gw-b", "addr add 2001:db8:1::2/64 dev wan0 nodad" },
	{ 0, "gw-b", "link set wan0 up" },

	{ TOPO_ETHER, "gw-a", "link add br-lan type bridge forward_delay 0 mcast_snooping 0" },
	{ TOPO_ETHER, "gw-b", "link add br-lan type bridge forward_delay 0 mcast_snooping 0" },
	{ TOPO_ETHER, "gw-a", "link set lan0 master br-lan" },
	{ TOPO_ETHER, "gw-b", "link set lan0 master br-lan" },
	{ TOPO_ETHER, "gw-a", "link set br-lan up" },
	{ TOPO_ETHER, "gw-b", "link set br-lan up" },
	{ TOPO_ETHER, "host-a", "addr add 10.0.0.1/24 dev eth0" },
	{ TOPO_ETHER, "host-b", "addr add 10.0.0.2/24 dev eth0" },
	{ TOPO_ETHER, "host-a", "addr add fd00::1/64 dev eth0 nodad" },
	{ TOPO_ETHER, "host-b", "addr add fd00::2/64 dev eth0 nodad" },

	{ TOPO_IP, "gw-a", "addr add 10.1.0.1/24 dev lan0" },
	{ TOPO_IP, "gw-b", "addr add 10.2.0.1/24 dev lan0" },
	{ TOPO_IP, "host-a", "addr add 10.1.0.2/24 dev eth0" },
	{ TOPO_IP, "host-b", "addr add 10.2.0.2/24 dev eth0" },
	{ TOPO_IP, "gw-a", "addr add fd00:1::1/64 dev lan0 nodad" },
	{ TOPO_IP, "gw-b", "addr add fd00:2::1/64 dev lan0 nodad" },
	{ TOPO_IP, "host-a", "addr add fd00:1::2/64 dev eth0 nodad" },
	{ TOPO_IP, "host-b", "addr add fd00:2::2/64 dev eth0 nodad" },

	/* room for the tunnel's headers: no fragments inside */
	{ 0, "host-a", "link set eth0 mtu 1400 up" },
	{ 0, "host-b", "link set eth0 mtu 1400 up" },
	{ 0, "gw-a", "link set lan0 mtu 1400 up" },
	{ 0, "gw-b", "link set lan0 mtu 1400 up" },
	{ TOPO_IP, "host-a", "route add default via 10.1.0.1" },
	{ TOPO_IP, "host-b", "route add default via 10.2.0.1" },
	{ TOPO_IP, "host-a", "route add default via fd00:1::1" },
	{ TOPO_IP, "host-b", "route add default via fd00:2::1" },
};

static const struct {
	unsigned need;
	const char *node, *file, *value;
} sysctls[] = {
	{ TOPO_NAT, "nat", "/proc/sys/net/ipv4/ip_forward", "1" },
	{ TOPO_IP, "gw-a", "/proc/sys/net/ipv4/ip_forward", "1" },
	{ TOPO_IP, "gw-b", "/proc/sys/net/ipv4/ip_forward", "1" },
	{ TOPO_IP, "gw-a", "/proc/sys/net/ipv6/conf/all/forwarding", "1" },
	{ TOPO_IP, "gw-b", "/proc/sys/net/ipv6/conf/all/forwarding", "1" },
};

static const char *const nat_rules[] = {
	"add table ip nat",
	"add chain ip nat post { type nat hook postrouting priority 100 ; }",
	"add rule ip nat post oifname out0 masquerade",
};

const char *
topo_node(unsigned flags, unsigned i)
{
	unsigned k;

	for (k = 0; k < N_OF(nodes); k++)
		if ((nodes[k].need & flags) == nodes[k].need && i-- == 0)
			return nodes[k].name;
	return NULL;
}

void
topo_ns(const char *id, const char *node, char *out, size_t cap)
{
	snprintf(out, cap, "tapir%s-%s", id, node);
}

/* Split a row into words, names of namespaces put in; false = too long. */
static bool
split(const char *id, const char *words, char *buf, size_t cap,
      const char **argv, unsigned max, unsigned n)
{
	size_t used = 0;

	while (*words != '\0') {
		size_t len = strcspn(words, " ");
		char *to = buf + used;

		if (n + 1 >= max || used + len + TOPO_NS_MAX >= cap)
			return false;
		if (*words == '@') {
			char node[32];

			snprintf(node, sizeof(node), "%.*s", (int)len - 1,
				 words + 1);
			topo_ns(id, node, to, TOPO_NS_MAX);
		} else {
			memcpy(to, words, len);
			to[len] = '\0';
		}
		argv[n++] = to;
		used += strlen(to) + 1;
		words += len + (words[len] == ' ');
	}
	argv[n] = NULL;
	return true;
}

/* Run a command and put what went wrong into why. */
static int
run(const struct proc *p, const char *words, char *why, size_t cap)
{
	char out[PROC_OUT_MAX];
	int rc = proc_run(p, RUN_MS, out, sizeof(out));

	if (rc == 0)
		return 0;
	if (rc < 0)
		snprintf(why, cap, "%s %s: %s", p->argv[0], words, err_text(rc));
	else
		snprintf(why, cap, "%s %s: %.*s", p->argv[0], words,
			 (int)strcspn(out, "\n"), out);
	return rc < 0 ? rc : ERR_SYS;
}

int
topo_ip(const char *id, const char *node, const char *words, char *why,
	size_t cap)
{
	const char *argv[PROC_ARG_MAX] = { "ip" };
	char ns[TOPO_NS_MAX], buf[LINE_MAX_ + 2 * TOPO_NS_MAX];
	struct proc p = { .argv = argv };
	unsigned n = 1;

	if (node != NULL) {
		topo_ns(id, node, ns, sizeof(ns));
		argv[n++] = "-n";
		argv[n++] = ns;
	}
	if (!split(id, words, buf, sizeof(buf), argv, N_OF(argv), n))
		return ERR_LONG;
	return run(&p, words, why, cap);
}

static int
set_sysctl(const char *id, const char *node, const char *file,
	   const char *value, char *why, size_t cap)
{
	char ns[TOPO_NS_MAX];
	int back, fd, rc = -1;

	topo_ns(id, node, ns, sizeof(ns));
	if (proc_ns_enter(ns, &back) != 0) {
		snprintf(why, cap, "cannot enter namespace %s", ns);
		return ERR_SYS;
	}
	if ((fd = open(file, O_WRONLY | O_CLOEXEC)) >= 0) {
		rc = write(fd, value, strlen(value)) > 0 ? 0 : -1;
		close(fd);
	}
	proc_ns_leave(back);
	if (rc != 0)
		snprintf(why, cap, "cannot write %s", file);
	return rc == 0 ? 0 : ERR_SYS;
}

static int
set_nat(const char *id, char *why, size_t cap)
{
	char ns[TOPO_NS_MAX], buf[LINE_MAX_ + 2 * TOPO_NS_MAX];
	unsigned i;
	int err;

	topo_ns(id, "nat", ns, sizeof(ns));
	for (i = 0; i < N_OF(nat_rules); i++) {
		const char *argv[PROC_ARG_MAX] = { "nft" };
		struct proc p = { .argv = argv, .ns = ns };

		if (!split(id, nat_rules[i], buf, sizeof(buf), argv, N_OF(argv),
			   1))
			return ERR_LONG;
		if ((err = run(&p, nat_rules[i], why, cap)) != 0)
			return err;
	}
	return 0;
}

int
topo_up(const char *id, unsigned flags, char *why, size_t cap)
{
	char words[64];
	unsigned i;
	int err = 0;

	for (i = 0; err == 0 && topo_node(flags, i) != NULL; i++) {
		snprintf(words, sizeof(words), "netns add @%s",
			 topo_node(flags, i));
		if ((err = topo_ip(id, NULL, words, why, cap)) == 0)
			err = topo_ip(id, topo_node(flags, i), "link set lo up",
				     why, cap);
	}
	for (i = 0; err == 0 && i < N_OF(rows); i++)
		if ((rows[i].need & flags) == rows[i].need)
			err = topo_ip(id, rows[i].node, rows[i].words, why, cap);
	for (i = 0; err == 0 && i < N_OF(sysctls); i++)
		if ((sysctls[i].need & flags) == sysctls[i].need)
			err = set_sysctl(id, sysctls[i].node, sysctls[i].file,
					 sysctls[i].value, why, cap);
	if (err == 0 && (flags & TOPO_NAT) != 0)
		err = set_nat(id, why, cap);
	return err;
}

void
topo_down(const char *id)
{
	char ns[TOPO_NS_MAX], path[128], out[PROC_OUT_MAX];
	unsigned i;

	for (i = 0; i < N_OF(nodes); i++) {
		const char *argv[] = { "ip", "netns", "del", ns, NULL };
		struct proc p = { .argv = argv, .is_stubborn = true };

		topo_ns(id, nodes[i].name, ns, sizeof(ns));
		proc_ns_path(ns, path, sizeof(path));
		if (access(path, F_OK) != 0)
			continue;
		proc_ns_kill(ns, NULL, SIGKILL);
		if (proc_run(&p, RUN_MS, out, sizeof(out)) != 0)
			fprintf(stderr, "tapir: cannot remove namespace %s\n", ns);
	}
}
