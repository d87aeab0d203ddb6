/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/web.c - the supervisor's part of the browser interface.
 */
#include "daemon/core/web.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "conf/conf.h"
#include "conf/user.h"
#include "daemon/base/clk.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/core/nest.h"
#include "daemon/core/role.h"
#include "daemon/core/sock.h"
#include "daemon/core/typed.h"
#include "daemon/ipc/proof.h"

#define WHO	    "web"
#define BACKLOG	    128
#define RENEW_MS    1000	/* the page that asked for it gets its answer */
#define EXIT_WRONG  2		/* tapir-web: starting it again would not help */

void
web_init(struct super *s)
{
	struct super_web *w = &s->web;

	memset(w, 0, sizeof(*w));
	w->tcp_fd = w->unix_fd = w->nest_fd = w->word_fd = w->users_fd = -1;
	w->link_fd = -1;
}

/* ---- sockets --------------------------------------------------------------- */

static socklen_t
sockaddr_of(const struct net_ep *ep, struct sockaddr_storage *out)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(ep->port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET,
				  .sin_port = htons(ep->port) };

	memset(out, 0, sizeof(*out));
	if (ep->ip.family == 4) {
		memcpy(&a4.sin_addr, ep->ip.b, 4);
		memcpy(out, &a4, sizeof(a4));
		return sizeof(a4);
	}
	memcpy(&a6.sin6_addr, ep->ip.b, 16);
	memcpy(out, &a6, sizeof(a6));
	return sizeof(a6);
}

/* -1: no browser can connect; said here. */
static int
tcp_open(const struct conf_web *w)
{
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_of(&w->listen_ep, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC |
			SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	/* lo, or the address, may come up later */
	(void)setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sa, len) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	if (w->pos.line == 0 && errno == EADDRINUSE)
		log_notice(WHO, "%s is in use: no browser interface there; "
			   "<web listen=\"...\"/> chooses another address",
			   w->listen);
	else
		log_error(WHO, "cannot listen on %s: %s; <web listen=\"...\"/> "
			  "chooses another address", w->listen, strerror(errno));
	close(fd);
	return -1;
}

static int
unix_open(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)unlink(path);
	if (fd >= 0 && str_copy(a.sun_path, sizeof(a.sun_path), path) &&
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    chmod(path, 0666) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	log_error(WHO, "cannot make %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The directory of accounts: made here, filled by tapir web user. */
static int
users_open(const struct super *s)
{
	char path[SUPER_PATH_MAX + sizeof(CONF_USER_DIR) + 1] = "";
	int fd;

	str_add(path, sizeof(path), "%s/" CONF_USER_DIR, s->key_dir);
	if (mkdir(path, 0711) == 0)
		(void)chmod(path, 0711); /* tapir-sec reads what is its own there */
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		log_notice(WHO, "%s: %s: there are no accounts", path,
			   strerror(errno));
	return fd;
}

/* ---- who may connect from elsewhere ------------------------------------------ */

/* A file of keys/; -1 when it is not there. */
static int
key_file(const struct super *s, const char *name)
{
	char path[SUPER_PATH_MAX + CONF_FILE_MAX] = "";

	if (name == NULL || *name == '\0')
		return -1;
	str_add(path, sizeof(path), "%s/%s", s->key_dir, name);
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static bool
has_accounts(const struct super *s)
{
	struct stat st;
	int fd = key_file(s, CONF_USER_DIR "/" CONF_USER_FILE);
	bool has = fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0;

	if (fd >= 0)
		close(fd);
	return has;
}

/* Beyond this machine somebody must be able to prove who he is. */
static bool
may_listen(const struct super *s)
{
	const struct conf_web *w = &s->conf->web;

	if (conf_web_is_local(w))
		return true;
	if (w->cert == NULL) /* the configuration was refused before */
		return false;
	if (w->client_ca != NULL || has_accounts(s))
		return true;
	log_error(WHO, "%s is reached from other machines, and nobody has a "
		  "password or certificate: not served there; tapir web user "
		  "add NAME makes an account, then start tapird again",
		  w->listen);
	return false;
}

/* ---- the process --------------------------------------------------------------- */

static void
program(const struct super *s, char *out, size_t cap)
{
	out[0] = '\0';
	str_add(out, cap, "%s/tapir-web", s->exe_dir);
	if (access(out, X_OK) == 0)
		return;
	out[0] = '\0';
	str_add(out, cap, "%s/tapir-web", TAPIR_LIBEXEC);
}

static void
add_hosts(struct nest_cmd *c, const struct conf_web *w)
{
	char name[CONF_FILE_MAX], text[IP_TEXT_MAX];
	const char *list = w->host;

	nest_arg(c, "--host=localhost");
	nest_arg(c, "--host=127.0.0.1");
	nest_arg(c, "--host=[::1]");
	ip_text(&w->listen_ep.ip, text);
	nest_arg(c, w->listen_ep.ip.family == 6 ? "--host=[%s]" : "--host=%s",
		 text);
	while (list != NULL && conf_file_next(&list, name, sizeof(name)))
		nest_arg(c, "--host=%s", name);
}

/* Certificate and key are opened for each start: they may have been renewed. */
static bool
add_tls(const struct super *s, struct nest_cmd *c)
{
	const struct conf_web *w = &s->conf->web;
	char key[CONF_FILE_MAX];
	int cert_fd, key_fd, ca_fd;

	conf_web_key(w, key);
	cert_fd = key_file(s, w->cert);
	key_fd = key_file(s, key);
	ca_fd = key_file(s, w->client_ca);
	if (cert_fd < 0 || key_fd < 0 || (w->client_ca != NULL && ca_fd < 0)) {
		log_error(WHO, "%s in keys/ cannot be read: browsers are not "
			  "served", cert_fd < 0 ? w->cert : key_fd < 0 ? key :
			  w->client_ca);
		nest_fd_drop(cert_fd);
		nest_fd_drop(key_fd);
		nest_fd_drop(ca_fd);
		return false;
	}
	nest_fd(c, "cert", cert_fd, true);
	nest_fd(c, "key", key_fd, true);
	nest_fd(c, "client-ca", ca_fd, true);
	if (w->client_ca != NULL)
		nest_arg(c, "--needs-cert");
	nest_fd(c, "tls", s->web.tcp_fd, false);
	return true;
}

/* The other process, that knows the accounts; its channel for tapir-web, or -1. */
static int
start_login(struct super *s)
{
	struct super_web *w = &s->web;
	int chan[2], prove[2];

	if (w->login_pid > 0) {
		(void)kill(w->login_pid, SIGKILL);
		(void)waitpid(w->login_pid, NULL, 0);
		w->login_pid = 0;
	}
	super_proof_link(s, -1);
	if (spawn_pair(chan) != 0)
		return -1;
	if (spawn_pair(prove) != 0) {
		close(chan[0]);
		close(chan[1]);
		return -1;
	}
	w->login_pid = spawn_login(s, chan[1], prove[1]);
	if (w->login_pid > 0) {
		super_proof_link(s, prove[0]);
		return chan[0];
	}
	w->login_pid = 0;
	close(chan[0]);
	close(prove[0]);
	return -1;
}

static void
start(struct super *s, int link)
{
	struct super_web *w = &s->web;
	struct nest_cmd c;
	char path[SUPER_PATH_MAX];
	int word[2];

	if (spawn_pair(word) != 0) {
		close(link);
		return;
	}
	program(s, path, sizeof(path));
	nest_cmd_init(&c, path);
	nest_arg(&c, "--uid=%u", (unsigned)w->user.uid);
	nest_arg(&c, "--gid=%u", (unsigned)w->user.gid);
	nest_arg(&c, "--owner=%u", (unsigned)getuid());
	nest_arg(&c, "--sessions=%u", (unsigned)s->conf->web.sessions);
	nest_arg(&c, "--log-level=%s", log_level_name(log_get_level()));
	if (w->user.is_rootless)
		nest_arg(&c, "--rootless");
	if (s->args->web_root != NULL)
		nest_arg(&c, "--web-root=%s", s->args->web_root);
	add_hosts(&c, &s->conf->web);
	nest_fd(&c, "supervisor", word[1], true);
	nest_fd(&c, "link", link, true);
	w->login_death.due_ms = 0;
	nest_fd(&c, "gate", start_login(s), true);
	nest_fd(&c, "typed", typed_connect(s), true);
	nest_fd(&c, "unix", w->unix_fd, false);
	if (w->tcp_fd >= 0 && s->conf->web.cert == NULL)
		nest_fd(&c, "tcp", w->tcp_fd, false);
	else if (w->tcp_fd >= 0)
		(void)add_tls(s, &c);
	w->pid = nest_start(w->nest_fd, &c);
	if (w->pid <= 0) {
		w->pid = 0;
		close(word[0]);
		log_error(WHO, "cannot start %s", path);
		return;
	}
	w->word_fd = word[0];
}

void
web_link(struct super *s, int link)
{
	struct super_web *w = &s->web;

	if (w->nest_fd < 0)
		close(link);
	else if (w->pid > 0)
		nest_word(w->word_fd, WEB_WORD_LINK, link);
	else
		start(s, link);
}

void
web_typed(struct super *s)
{
	int fd;

	if (s->web.pid > 0 && (fd = typed_connect(s)) >= 0)
		nest_word(s->web.word_fd, WEB_WORD_TYPED, fd);
}

/* Where browsers connect may be another place now. */
static void
listen_anew(struct super *s)
{
	const struct conf_web *c = &s->conf->web;
	struct super_web *w = &s->web;
	bool is_wanted = may_listen(s);

	if (w->tcp_fd >= 0 && (!is_wanted || strcmp(w->listen, c->listen) != 0)) {
		close(w->tcp_fd);
		w->tcp_fd = -1;
	}
	if (is_wanted && w->tcp_fd < 0 && (w->tcp_fd = tcp_open(c)) < 0 &&
	    *w->listen != '\0' && c->listen_ep.port < 1024)
		log_error(WHO, "a port below 1024 can be had at the start of "
			  "tapird only");
	str_copy(w->listen, sizeof(w->listen), c->listen);
}

void
web_open(struct super *s)
{
	struct super_web *w = &s->web;

	if (s->args->is_no_web)
		return;
	str_add(w->path, sizeof(w->path), "%s/bus.sock", s->args->run_dir);
	if ((w->unix_fd = unix_open(w->path)) < 0)
		return;
	listen_anew(s);
	w->users_fd = users_open(s);
	w->link_fd = sock_private(s->args->run_dir, PROOF_SOCKET, w->link_path,
				  sizeof(w->link_path), "tapir web cannot make "
				  "links");
	w->nest_fd = nest_make(&w->nest_pid);
	if (w->nest_fd < 0)
		log_error(WHO, "no process for the browser interface: %s",
			  strerror(errno));
}

/* ---- its end --------------------------------------------------------------------- */

static void
death(struct super_death *d, const char *what, const char *how)
{
	uint64_t wait = spawn_pause_ms(d);

	if (wait == SPAWN_LONG_MS)
		log_error(WHO, "%s ended (%s), again and again: the next start is "
			  "in %u s", what, how, SPAWN_LONG_MS / 1000);
	else
		log_error(WHO, "%s ended (%s), starting it again", what, how);
	d->due_ms = clk_ms() + wait;
}

bool
web_reaped(struct super *s, pid_t pid, int status, const char *how)
{
	struct super_web *w = &s->web;

	if (pid <= 0 || (pid != w->pid && pid != w->nest_pid &&
	    pid != w->login_pid))
		return false;
	if (pid == w->login_pid) {
		w->login_pid = 0;
		if (!s->is_stopping && w->pid > 0)
			death(&w->login_death, "the process that looks at "
			      "passwords", how);
		return true;
	}
	if (pid == w->nest_pid) {
		w->nest_pid = 0;
		close(w->nest_fd);
		w->nest_fd = -1;
		if (!s->is_stopping)
			log_error(WHO, "the process that starts tapir-web ended "
				  "(%s): once tapir-web ends, there is no "
				  "browser interface until tapird is started "
				  "again", how);
		return true;
	}
	w->pid = 0;
	close(w->word_fd);
	w->word_fd = -1;
	super_proof_forget(s);
	if (s->is_stopping)
		return true;
	if (w->death.is_planned)
		w->death.due_ms = clk_ms();
	else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_WRONG)
		log_error(WHO, "there is no browser interface");
	else
		death(&w->death, "tapir-web", how);
	w->death.is_planned = false;
	return true;
}

uint64_t
web_due(const struct super *s)
{
	const uint64_t at[] = { s->web.death.due_ms, s->web.login_death.due_ms,
				s->web.renew_ms };
	uint64_t first = 0;

	for (unsigned i = 0; i < N_OF(at); i++)
		if (at[i] != 0 && (first == 0 || at[i] < first))
			first = at[i];
	return first;
}

void
web_renew(struct super *s)
{
	if (s->web.nest_fd >= 0)
		s->web.renew_ms = clk_ms() + RENEW_MS;
}

static void
renew(struct super *s)
{
	struct super_web *w = &s->web;

	w->renew_ms = 0;
	listen_anew(s);
	if (w->pid <= 0) {
		w->death.due_ms = clk_ms();
		return;
	}
	log_notice(WHO, "tapir-web begins anew with its new configuration; "
		   "browsers log in again");
	w->death.is_planned = true;
	(void)kill(w->pid, SIGKILL);
}

void
web_again(struct super *s)
{
	struct super_web *w = &s->web;
	int link[2], chan;

	if (w->renew_ms != 0 && w->renew_ms <= clk_ms())
		renew(s);

	if (w->login_death.due_ms != 0 && w->login_death.due_ms <= clk_ms()) {
		w->login_death.due_ms = 0;
		if (w->pid > 0 && (chan = start_login(s)) >= 0)
			nest_word(w->word_fd, WEB_WORD_PASS, chan);
	}
	if (w->death.due_ms == 0 || w->death.due_ms > clk_ms())
		return;
	w->death.due_ms = 0;
	if (s->main_fd < 0 || spawn_pair(link) != 0)
		return;
	nest_word(s->main_fd, ROLE_WEB, link[0]);
	web_link(s, link[1]);
}

static void
drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
web_end(struct super *s)
{
	struct super_web *w = &s->web;

	drop(&w->word_fd);
	drop(&w->nest_fd);
	if (w->login_pid > 0) {
		(void)kill(w->login_pid, SIGKILL);
		(void)waitpid(w->login_pid, NULL, 0);
		w->login_pid = 0;
	}
	drop(&w->users_fd);
	if (w->link_fd >= 0)
		(void)unlink(w->link_path);
	drop(&w->link_fd);
	super_proof_end(s);
	if (w->pid > 0) {
		(void)kill(w->pid, SIGKILL);
		(void)waitpid(w->pid, NULL, 0);
	}
	if (w->nest_pid > 0) {
		(void)kill(w->nest_pid, SIGKILL);
		(void)waitpid(w->nest_pid, NULL, 0);
	}
	w->pid = w->nest_pid = 0;
	drop(&w->tcp_fd);
	if (w->unix_fd >= 0)
		(void)unlink(w->path);
	drop(&w->unix_fd);
}
