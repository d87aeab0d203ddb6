/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/names/serve.c - the process tapir-names, and what is said to it.
 *
 * How a TAP's servers are set is chosen when they come: with systemd-resolved
 * where /etc/resolv.conf leads to it, with resolvconf where that is in charge,
 * else in the file itself.  In a network namespace other than init's the first
 * two serve another network, and so does the file, unless it is a mount of its
 * own (ip netns exec makes one of /etc/netns/NAME/resolv.conf): nothing is
 * changed there.
 *
 * Thread: one.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/ipc/confine.h"
#include "secure-proc/names/names.h"

#define WHO	   "names"
#define RESOLV	   "/etc/resolv.conf"
#define TAPS_MAX   32
#define TAP_GONE_MS 5000	/* after tapir-secure ended; then main goes on */
#define LOOK_MS	   20
#define NETNS_LATER 4026532000u	/* 0xF0000000, and what Linux 4 to 6 take first */

struct set {
	char tap[IFNAMSIZ];
	enum conf_names how;	/* never AUTO */
};

struct names {
	int fd, sig_fd;
	bool is_foreign;	/* this network is not the machine's */
	char journal[NAMES_PATH_MAX];	/* "" = nowhere */
	struct names_file file;
	struct set set[TAPS_MAX];
	unsigned n;
};

/* ---- what is in charge ------------------------------------------------------------ */

/* Is this the machine's own network?  init's namespace tells, where it may be
 * looked at; else the number of ours: the machine's is made while the kernel
 * begins and has one of the first, those of others come far behind. */
static bool
same_netns(void)
{
	struct stat own, init;

	if (stat("/proc/self/ns/net", &own) != 0)
		return false;
	if (stat("/proc/1/ns/net", &init) == 0)
		return own.st_ino == init.st_ino;
	return own.st_ino < NETNS_LATER;
}

/* Is the file a mount of its own? */
static bool
is_mount(const char *path)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[1024], at[512];
	bool is = false;

	while (f != NULL && !is && fgets(line, sizeof(line), f) != NULL)
		is = sscanf(line, "%*s %*s %*s %*s %511s", at) == 1 &&
		    strcmp(at, path) == 0;
	if (f != NULL)
		fclose(f);
	return is;
}

static enum conf_names
choose(const struct names *s, enum conf_names how, const char **why_not)
{
	char to[256] = "";

	if (how != CONF_NAMES_AUTO)
		return how;
	if (s->is_foreign && !is_mount(RESOLV)) {
		*why_not = "this network namespace has no resolv.conf of its own "
		    "(/etc/netns/NAME/resolv.conf)";
		return CONF_NAMES_NO;
	}
	if (readlink(RESOLV, to, sizeof(to) - 1) < 0)
		to[0] = '\0';
	if (strstr(to, "systemd/resolve") != NULL)
		return CONF_NAMES_RESOLVED;
	return strstr(to, "resolvconf") != NULL ? CONF_NAMES_RESOLVCONF :
	    CONF_NAMES_FILE;
}

/* ---- set and clear ---------------------------------------------------------------- */

static struct set *
find(struct names *s, const char *tap)
{
	for (unsigned i = 0; i < s->n; i++)
		if (strcmp(s->set[i].tap, tap) == 0)
			return &s->set[i];
	return NULL;
}

static void
undo(struct names *s, const struct set *set)
{
	if (set->how == CONF_NAMES_RESOLVED && if_nametoindex(set->tap) != 0)
		names_resolved_clear(set->tap);
	else if (set->how == CONF_NAMES_RESOLVCONF)
		names_resolvconf_clear(set->tap);
	else if (set->how == CONF_NAMES_FILE)
		names_file_restore(&s->file, set->tap);
}

static void
clear(struct names *s, const char *tap)
{
	struct set *set = find(s, tap);

	if (set == NULL)
		return;
	undo(s, set);
	*set = s->set[--s->n];
}

/* resolv.conf knows no servers for some names only. */
static bool
can(enum conf_names how, const struct vpn_cfg *c)
{
	return how == CONF_NAMES_RESOLVED ||
	    (c->n_dns > 0 && c->n_domain == 0);
}

static void
set(struct names *s, const char *tap, enum conf_names how,
    const struct vpn_cfg *c)
{
	const char *why_not = NULL;
	char why[LOG_LINE_MAX] = "";
	int err = 0;

	how = choose(s, how, &why_not);
	if (how == CONF_NAMES_FILE && *s->journal == '\0')
		why_not = "there is no place to keep what it was";
	if (why_not != NULL || !can(how, c)) {
		log_notice(WHO, "the name servers of %s are not used: %s", tap,
			   why_not != NULL ? why_not : c->n_dns == 0 ?
			   "they are to be asked by TLS, which systemd-resolved "
			   "can" : "they are for some names only, which "
			   "systemd-resolved can tell apart");
		return;
	}
	clear(s, tap);
	if (s->n == TAPS_MAX || how == CONF_NAMES_NO)
		return;
	if (how == CONF_NAMES_RESOLVED)
		err = names_resolved_set(tap, c);
	else if (how == CONF_NAMES_RESOLVCONF)
		err = names_resolvconf_set(tap, c);
	else if ((err = names_file_set(&s->file, tap, c, why,
				       sizeof(why))) != 0)
		log_warn(WHO, "%s", why);
	s->set[s->n].how = how;
	(void)str_copy(s->set[s->n++].tap, IFNAMSIZ, tap);
	if (err == 0)
		log_info(WHO, "the name servers of %s are in use", tap);
}

/* "set TAP how words" or "clear TAP" */
static void
on_words(struct names *s, char *text)
{
	char tap[IFNAMSIZ], *rest;
	struct vpn_cfg *c;
	unsigned how;
	int used = 0;

	if (sscanf(text, "clear %15s", tap) == 1) {
		clear(s, tap);
		return;
	}
	if (sscanf(text, "set %15s %u %n", tap, &how, &used) != 2 ||
	    used == 0 || how > CONF_NAMES_NO)
		return;
	rest = text + used;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return;
	if (vpn_names_read(rest, c) == 0)
		set(s, tap, how, c);
	free(c);
}

/* ---- life ------------------------------------------------------------------------- */

/* tapir-secure ended.  If main goes on, its TAPs stay and so does what we did:
 * who comes after us knows it from the journal. */
static void
last_words(struct names *s, bool is_told)
{
	uint64_t end = clk_ms() + TAP_GONE_MS;

	while (s->n > 0 && (is_told || clk_ms() < end)) {
		for (unsigned i = s->n; i-- > 0;)
			if (is_told || if_nametoindex(s->set[i].tap) == 0)
				clear(s, s->set[i].tap);
		if (s->n > 0)
			(void)poll(NULL, 0, LOOK_MS);
	}
}

static void
serve(struct names *s)
{
	static char text[NAMES_MSG_MAX + 1];
	ssize_t n;

	for (;;) {
		struct pollfd p[2] = { { .fd = s->fd, .events = POLLIN },
				       { .fd = s->sig_fd, .events = POLLIN } };

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents != 0) {
			last_words(s, true);
			return;
		}
		n = recv(s->fd, text, NAMES_MSG_MAX, MSG_DONTWAIT);
		if (n == 0)
			break;
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			break;
		text[n] = '\0';
		on_words(s, text);
	}
	last_words(s, false);
}

static void
journal_path(const char *state_dir, char *out)
{
	out[0] = '\0';
	if (state_dir != NULL)
		str_add(out, NAMES_PATH_MAX, "%s/resolv.conf", state_dir);
}

/* What one before us left whose TAP is there: ours from now on. */
static void
adopt(struct names *s)
{
	char tap[IFNAMSIZ];

	if (*s->journal == '\0' || !names_file_owner(&s->file, tap))
		return;
	s->set[s->n].how = CONF_NAMES_FILE;
	(void)str_copy(s->set[s->n++].tap, IFNAMSIZ, tap);
}

/* Never returns. */
static void
child(int fd, const struct conf *c, const char *state_dir, const bool *is_gone)
{
	static struct names s;
	const struct confine_user root = { .is_rootless = true };
	const char *why_not = NULL;
	uint32_t feat = 0;
	sigset_t term;

	s.fd = fd;
	s.is_foreign = !same_netns();
	journal_path(state_dir, s.journal);
	s.file = (struct names_file){ RESOLV, s.journal };
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, NULL);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_NAME, "tapir-names");
	(void)prctl(PR_SET_PDEATHSIG, 0);	/* it has to outlive the others */
	s.sig_fd = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s.sig_fd < 0 || confine_fds((int[]){ fd, s.sig_fd }, 2) != 0 ||
	    confine_drop(&root, &feat) != 0)
		_exit(1);
	adopt(&s);
	/* resolvconf keeps what a killed one said */
	for (unsigned i = 0; i < c->n_realm; i++)
		if (is_gone[i] && choose(&s, c->realm[i].names, &why_not) ==
		    CONF_NAMES_RESOLVCONF)
			names_resolvconf_clear(c->realm[i].tap);
	serve(&s);
	_exit(0);
}

static bool
is_client(const struct conf_realm *r)
{
	bool is = false;

	for (unsigned k = 0; k < r->n_peer; k++)
		is |= r->peer[k].net->is_dynamic;
	return is;
}

static bool
is_needed(const struct conf *c)
{
	bool is = false;

	for (unsigned i = 0; i < c->n_realm; i++)
		is |= is_client(&c->realm[i]) &&
		    c->realm[i].names != CONF_NAMES_NO;
	return is;
}

int
names_start(const struct conf *c, const char *state_dir, int *fd)
{
	bool is_gone[CONF_REALM_MAX];
	int pair[2];
	pid_t pid;

	*fd = -1;
	/* Here, while nobody can have made a TAP of the same name yet. */
	names_recover(state_dir);
	for (unsigned i = 0; i < c->n_realm; i++)
		is_gone[i] = is_client(&c->realm[i]) &&
		    if_nametoindex(c->realm[i].tap) == 0;
	if (!is_needed(c))
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return ERR_SYS;
	if ((pid = fork()) == 0) {
		close(pair[0]);
		child(pair[1], c, state_dir, is_gone);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return ERR_SYS;
	}
	*fd = pair[0];
	return 0;
}

void
names_recover(const char *state_dir)
{
	char journal[NAMES_PATH_MAX], tap[IFNAMSIZ];
	const struct names_file f = { RESOLV, journal };

	journal_path(state_dir, journal);
	if (*journal != '\0' && names_file_owner(&f, tap) &&
	    if_nametoindex(tap) == 0)
		names_file_restore(&f, tap);
}

void
names_say(int fd, const struct conf_realm *r, const char *words)
{
	char text[NAMES_MSG_MAX] = "";

	if (fd < 0)
		return;
	if (words == NULL)
		str_add(text, sizeof(text), "clear %s", r->tap);
	else
		str_add(text, sizeof(text), "set %s %u %s", r->tap,
			(unsigned)r->names, words);
	if (send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_warn(WHO, "the name servers of %s cannot be changed: %s",
			 r->tap, strerror(errno));
}
