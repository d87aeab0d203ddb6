/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/bug/system.c - the machine: kernel, network, processes, logs.
 *
 * Never asked: ip xfrm, which prints keys of other programs.
 */
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/bug/bug.h"
#include "daemon/base/str.h"

#define RUN_MS 10000	/* for one program */

static void
kernel(struct bug *b)
{
	static const char *const path[] = {
		"/proc/version", "/proc/uptime", "/proc/loadavg",
		"/proc/meminfo", "/proc/pressure/cpu", "/proc/pressure/memory",
		"/sys/devices/system/cpu/online",
		"/sys/devices/system/clocksource/clocksource0/current_clocksource",
		"/proc/net/snmp", "/proc/net/snmp6", "/proc/net/softnet_stat",
	};

	if (bug_begin(b, "system/kernel.txt") == NULL)
		return;
	for (unsigned i = 0; i < N_OF(path); i++)
		bug_copy(b, path[i]);
	bug_run(b, RUN_MS, (const char *const[]){ "lscpu", NULL });
	bug_run(b, RUN_MS, (const char *const[]){ "ls", "-l", "/dev/net/tun",
		NULL });
	bug_run(b, RUN_MS, (const char *const[]){ "df", "-h", "/run", "/var",
		"/etc", "/tmp", NULL });
	bug_end(b, false);
}

static void
sysctls(struct bug *b)
{
	static const char *const name[] = {
		"net/core/rmem_max", "net/core/wmem_max",
		"net/core/netdev_max_backlog", "net/core/default_qdisc",
		"net/ipv4/ip_forward", "net/ipv4/conf/all/rp_filter",
		"net/ipv4/conf/default/rp_filter", "net/ipv4/ip_no_pmtu_disc",
		"net/ipv4/ip_local_port_range", "net/ipv4/ipfrag_high_thresh",
		"net/ipv4/tcp_mtu_probing", "net/ipv6/conf/all/forwarding",
		"net/ipv6/conf/all/disable_ipv6",
		"net/bridge/bridge-nf-call-iptables",
		"net/bridge/bridge-nf-call-ip6tables",
		"net/netfilter/nf_conntrack_max",
		"net/netfilter/nf_conntrack_count",
		"user/max_user_namespaces", "user/max_net_namespaces",
		"kernel/unprivileged_userns_clone", "kernel/yama/ptrace_scope",
		"kernel/sched_autogroup_enabled", "fs/file-nr", "fs/nr_open",
		"vm/overcommit_memory",
	};
	char path[128];

	if (bug_begin(b, "system/sysctl.txt") == NULL)
		return;
	for (unsigned i = 0; i < N_OF(name); i++) {
		snprintf(path, sizeof(path), "/proc/sys/%s", name[i]);
		bug_copy(b, path);
	}
	bug_end(b, false);
}

static void
network(struct bug *b)
{
	static const char *const cmd[][6] = {
		{ "ip", "-d", "-s", "link", NULL },
		{ "ip", "addr", NULL },
		{ "ip", "rule", NULL },
		{ "ip", "-6", "rule", NULL },
		{ "ip", "route", "show", "table", "all", NULL },
		{ "ip", "-6", "route", "show", "table", "all" },
		{ "bridge", "-d", "link", NULL },
		{ "ss", "-uanp", NULL },
		{ "ss", "-wanp", NULL },
		{ "nft", "list", "ruleset", NULL },
	};

	if (bug_begin(b, "system/network.txt") == NULL)
		return;
	for (unsigned i = 0; i < N_OF(cmd); i++) {
		const char *argv[N_OF(cmd[0]) + 1] = { NULL };

		memcpy(argv, cmd[i], sizeof(cmd[i]));
		(void)bug_run(b, RUN_MS, argv);
	}
	bug_end(b, false);
}

/* The processes of tapir: what the kernel knows of them. */
static void
processes(struct bug *b)
{
	static const char *const of[] = { "status", "limits", "cgroup" };
	DIR *d = opendir("/proc"), *fds;
	char path[300], comm[64];
	struct dirent *e;
	unsigned n;
	FILE *f;

	if (d == NULL)
		return;
	if (bug_begin(b, "system/processes.txt") == NULL) {
		closedir(d);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		comm[0] = '\0';
		if ((f = fopen(path, "re")) != NULL) {
			if (fgets(comm, sizeof(comm), f) == NULL)
				comm[0] = '\0';
			fclose(f);
		}
		if (strncmp(comm, "tapir", 5) != 0 || strcmp(comm, "tapir\n") == 0)
			continue;
		for (unsigned i = 0; i < N_OF(of); i++) {
			snprintf(path, sizeof(path), "/proc/%s/%s", e->d_name,
				 of[i]);
			bug_copy(b, path);
		}
		snprintf(path, sizeof(path), "/proc/%s/fd", e->d_name);
		if ((fds = opendir(path)) != NULL) {
			for (n = 0; readdir(fds) != NULL;)
				n++;
			closedir(fds);
			fprintf(b->at, "open descriptors: %u\n", n - 2);
		}
		fputc('\n', b->at);
	}
	closedir(d);
	bug_end(b, false);
}

/* Files the daemon logs to, and the journal. */
static void
logs(struct bug *b)
{
	char path[PATH_MAX], part[32];

	snprintf(path, sizeof(path), "%s/tapir.log", b->c->run_dir);
	bug_file(b, "log/tapir.log", path);
	for (unsigned i = 0; b->conf != NULL && i < b->conf->n_log; i++) {
		if (b->conf->logs[i].to != CONF_LOG_FILE)
			continue;
		snprintf(part, sizeof(part), "log/file-%u.log", i + 1);
		bug_file(b, part, b->conf->logs[i].file);
	}
	if (bug_begin(b, "log/journal.txt") != NULL) {
		bug_run(b, RUN_MS, (const char *const[]){ "journalctl", "-u",
			"tapir.service", "-n", "3000", "--no-pager", "-o",
			"short-precise", NULL });
		bug_end(b, true);
	}
	if (bug_begin(b, "system/systemd.txt") != NULL) {
		bug_run(b, RUN_MS, (const char *const[]){ "systemctl", "status",
			"tapir.service", "--no-pager", "-l", "-n", "0", NULL });
		bug_run(b, RUN_MS, (const char *const[]){ "systemctl", "cat",
			"tapir.service", "--no-pager", NULL });
		bug_run(b, RUN_MS, (const char *const[]){ "coredumpctl", "list",
			"--no-pager", "tapird", NULL });
		bug_end(b, false);
	}
}

void
bug_collect_system(struct bug *b)
{
	kernel(b);
	sysctls(b);
	network(b);
	processes(b);
	logs(b);
}
