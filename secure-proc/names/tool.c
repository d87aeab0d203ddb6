/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/names/tool.c - resolvectl and resolvconf.
 *
 * No shell, a fixed path, an environment of one word; every argument is an
 * address, a name of letters, digits, '-', '_' and dots, or ours.
 *
 * Thread: the only one.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "secure-proc/names/names.h"

#define WHO	 "names"
#define WAIT_MS	 5000		/* for one of them to end */
#define ARGS_MAX 32
#define ARG_LEN	 (VPN_NAME_MAX + 64)

static const char *const resolvectl[] = { "/usr/bin/resolvectl",
					  "/bin/resolvectl", NULL };
static const char *const resolvconf[] = { "/usr/sbin/resolvconf",
					  "/sbin/resolvconf",
					  "/usr/bin/resolvconf", NULL };

struct args {
	char text[ARGS_MAX][ARG_LEN];
	char *argv[ARGS_MAX + 1];
	unsigned n;
};

static void
arg(struct args *a, const char *fmt, ...) PRINTF(2, 3);
static void
arg(struct args *a, const char *fmt, ...)
{
	va_list ap;

	if (a->n == ARGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(a->text[a->n], ARG_LEN, fmt, ap);
	va_end(ap);
	a->argv[a->n] = a->text[a->n];
	a->argv[++a->n] = NULL;
}

/* In the child of run(). */
static void
become(const char *path, struct args *a, int in)
{
	char path_of[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const env[] = { path_of, NULL };
	sigset_t none;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (in >= 0)
		(void)dup2(in, 0);
	execve(path, a->argv, env);
	_exit(127);
}

static int
wait_for(pid_t pid)
{
	uint64_t end = clk_ms() + WAIT_MS;
	int st;

	while (waitpid(pid, &st, WNOHANG) == 0) {
		if (clk_ms() >= end) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, &st, 0);
			return ERR_TIMEOUT;
		}
		(void)poll(NULL, 0, 10);
	}
	return WIFEXITED(st) && WEXITSTATUS(st) == 0 ? 0 : ERR_SYS;
}

/* Run the first program of a list that exists, with text for it to read. */
static int
run(const char *const *list, struct args *a, const char *text)
{
	int in[2] = { -1, -1 }, err;
	pid_t pid;

	while (*list != NULL && access(*list, X_OK) != 0)
		list++;
	if (*list == NULL || (text != NULL && pipe(in) != 0))
		return ERR_NOTFOUND;
	if ((pid = fork()) == 0) {
		if (in[1] >= 0)
			close(in[1]);
		become(*list, a, in[0]);
	}
	if (in[0] >= 0)
		close(in[0]);
	/* A pipe takes it all: VPN_NAMES_TEXT is less than PIPE_BUF's page. */
	if (in[1] >= 0) {
		(void)!write(in[1], text, strlen(text));
		close(in[1]);
	}
	if (pid < 0)
		return ERR_SYS;
	err = wait_for(pid);
	if (err != 0)
		log_warn(WHO, "%s %s: %s", *list, a->argv[1],
			 err == ERR_TIMEOUT ? "takes too long" : "failed");
	return err;
}

void
names_lines(const struct vpn_cfg *c, char *out, size_t cap)
{
	char ip[IP_TEXT_MAX];

	out[0] = '\0';
	for (unsigned i = 0; i < c->n_dns; i++)
		str_add(out, cap, "nameserver %s\n", ip_text(&c->dns[i], ip));
	for (unsigned i = 0; i < c->n_domain; i++)
		str_add(out, cap, "%s%s", i == 0 ? "search " : " ",
			c->domain[i]);
	if (c->n_domain > 0)
		str_add(out, cap, "\n");
}

/* ---- systemd-resolved ------------------------------------------------------------ */

/* resolvectl dns TAP ADDRESS... ; by TLS ADDRESS:PORT#NAME */
static int
set_servers(const char *tap, const struct vpn_cfg *c)
{
	struct args a = { 0 };
	char ip[IP_TEXT_MAX];

	arg(&a, "resolvectl");
	arg(&a, "dns");
	arg(&a, "%s", tap);
	for (unsigned i = 0; i < c->n_enc; i++)
		for (unsigned k = 0; k < c->enc[i].n_ip; k++)
			arg(&a, c->enc[i].ip[k].family == 6 ? "[%s]:%u#%s" :
			    "%s:%u#%s", ip_text(&c->enc[i].ip[k], ip),
			    c->enc[i].port, c->enc[i].name);
	for (unsigned i = 0; i < c->n_dns && c->n_enc == 0; i++)
		arg(&a, "%s", ip_text(&c->dns[i], ip));
	return run(resolvectl, &a, NULL);
}

/* Names of these domains go to the servers of the link; "~." is all names. */
static int
set_domains(const char *tap, const struct vpn_cfg *c)
{
	struct args a = { 0 };

	arg(&a, "resolvectl");
	arg(&a, "domain");
	arg(&a, "%s", tap);
	for (unsigned i = 0; i < c->n_domain; i++)
		arg(&a, "%s", c->domain[i]);
	if (c->n_domain == 0)
		arg(&a, "~.");
	return run(resolvectl, &a, NULL);
}

static int
set_word(const char *what, const char *tap, bool is)
{
	struct args a = { 0 };

	arg(&a, "resolvectl");
	arg(&a, "%s", what);
	arg(&a, "%s", tap);
	arg(&a, is ? "yes" : "no");
	return run(resolvectl, &a, NULL);
}

int
names_resolved_set(const char *tap, const struct vpn_cfg *c)
{
	int err;

	if ((err = set_servers(tap, c)) == 0 &&
	    (err = set_domains(tap, c)) == 0 &&
	    (err = set_word("default-route", tap, c->n_domain == 0)) == 0 &&
	    c->n_enc > 0)
		err = set_word("dnsovertls", tap, true);
	return err;
}

void
names_resolved_clear(const char *tap)
{
	struct args a = { 0 };

	arg(&a, "resolvectl");
	arg(&a, "revert");
	arg(&a, "%s", tap);
	(void)run(resolvectl, &a, NULL);
}

/* ---- resolvconf ------------------------------------------------------------------ */

int
names_resolvconf_set(const char *tap, const struct vpn_cfg *c)
{
	char text[VPN_NAMES_TEXT];
	struct args a = { 0 };

	names_lines(c, text, sizeof(text));
	arg(&a, "resolvconf");
	arg(&a, "-a");
	arg(&a, "%s.tapir", tap);
	return run(resolvconf, &a, text);
}

void
names_resolvconf_clear(const char *tap)
{
	struct args a = { 0 };

	arg(&a, "resolvconf");
	arg(&a, "-d");
	arg(&a, "%s.tapir", tap);
	(void)run(resolvconf, &a, "");
}
