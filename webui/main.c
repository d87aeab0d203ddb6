/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/main.c - tapir-web: what tapird hands over, put together and served.
 * Started by tapird only, in an empty network namespace.
 *
 *   options -> files of --web-root, certificate -> confinement -> serve
 *
 * Exit status: 0 tapird is gone, 1 failure, 2 usage or files that are wrong.
 *
 * Thread: one.
 */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <libxml/parser.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/bus/doc_wire.h"
#include "webui/app.h"
#include "webui/asset.h"
#include "webui/capture.h"
#include "webui/desk.h"
#include "webui/edit.h"
#include "webui/gate.h"
#include "webui/link.h"
#include "webui/metrics_page.h"
#include "webui/sandbox.h"
#include "webui/tls.h"
#include "webui/typed.h"

#define WHO "web"
#define SPARE_CONNS 32	/* connections beside one held read a session; ours */
#define TICK_MS	    1000

/* Words of the supervisor, one byte and a descriptor each. */
enum { WORD_LINK = 'B', WORD_GATE = 'P', WORD_TYPED = 'T' };
enum { EXIT_FAILED = 1, EXIT_WRONG = 2 };

struct options {
	int sup, link, gate, typed, tcp, tls, unix_fd;
	int cert, key, ca;
	bool needs_cert;
	unsigned sessions;
	const char *root;
	struct confine_user user;
};

struct web {
	struct options o;
	struct event_base *base;
	struct event *tick, *sup;
	struct ui_http *http;
	struct ui_link *link;
	struct ssl_ctx_st *ssl;
	struct ui_asset_set *own_assets;
	struct ui_app app;
	bool is_over;
};

/* ---- memory that forgets ----------------------------------------------------- */

static void
free_wiped(void *p)
{
	if (p != NULL)
		wipe(p, malloc_usable_size(p));
	free(p);
}

static void *
realloc_wiped(void *p, size_t n)
{
	void *q = malloc(n);

	if (q == NULL)
		return NULL;
	if (p != NULL)
		memcpy(q, p, MIN(n, malloc_usable_size(p)));
	free_wiped(p);
	return q;
}

/* ---- options ----------------------------------------------------------------- */

enum {
	OPT_SUP = 1, OPT_LINK, OPT_GATE, OPT_TYPED, OPT_TCP, OPT_TLS, OPT_UNIX, OPT_CERT,
	OPT_KEY, OPT_CA,
	OPT_N_FD, OPT_UID = OPT_N_FD, OPT_GID, OPT_OWNER, OPT_SESSIONS, OPT_HOST, OPT_ROOT,
	OPT_ROOTLESS, OPT_LOG, OPT_NEEDS_CERT
};
static const struct option long_options[] = {
	{ "supervisor", required_argument, NULL, OPT_SUP },
	{ "link", required_argument, NULL, OPT_LINK },
	{ "gate", required_argument, NULL, OPT_GATE },
	{ "typed", required_argument, NULL, OPT_TYPED },
	{ "tcp", required_argument, NULL, OPT_TCP },
	{ "tls", required_argument, NULL, OPT_TLS },
	{ "unix", required_argument, NULL, OPT_UNIX },
	{ "cert", required_argument, NULL, OPT_CERT },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "client-ca", required_argument, NULL, OPT_CA },
	{ "needs-cert", no_argument, NULL, OPT_NEEDS_CERT },
	{ "uid", required_argument, NULL, OPT_UID },
	{ "gid", required_argument, NULL, OPT_GID },
	{ "owner", required_argument, NULL, OPT_OWNER },
	{ "sessions", required_argument, NULL, OPT_SESSIONS },
	{ "host", required_argument, NULL, OPT_HOST },
	{ "web-root", required_argument, NULL, OPT_ROOT },
	{ "rootless", no_argument, NULL, OPT_ROOTLESS },
	{ "log-level", required_argument, NULL, OPT_LOG },
	{ NULL, 0, NULL, 0 },
};

/* The place of option "which", if it is a descriptor. */
static int *
fd_option(struct options *o, int which)
{
	int *const at[OPT_N_FD] = {
		[OPT_SUP] = &o->sup, [OPT_LINK] = &o->link,
		[OPT_GATE] = &o->gate, [OPT_TYPED] = &o->typed,
		[OPT_TCP] = &o->tcp,
		[OPT_TLS] = &o->tls, [OPT_UNIX] = &o->unix_fd,
		[OPT_CERT] = &o->cert, [OPT_KEY] = &o->key, [OPT_CA] = &o->ca,
	};

	return which > 0 && which < OPT_N_FD ? at[which] : NULL;
}

static int
number_option(struct web *w, int which, const char *arg)
{
	int *fd = fd_option(&w->o, which);
	uint64_t n;

	if (str_u64(arg, UINT32_MAX - 1u, &n) != 0)
		return ERR_SYNTAX;
	if (fd != NULL && n <= INT32_MAX)
		*fd = (int)n;
	else if (which == OPT_UID)
		w->o.user.uid = (uid_t)n;
	else if (which == OPT_GID)
		w->o.user.gid = (gid_t)n;
	else if (which == OPT_OWNER)
		w->app.owner = (uid_t)n;
	else if (which == OPT_SESSIONS)
		w->o.sessions = (unsigned)n;
	else
		return ERR_SYNTAX;
	return 0;
}

static int
option_set(struct web *w, int which, const char *arg)
{
	enum log_level lv;

	switch (which) {
	case OPT_HOST:
		if (w->app.n_host == UI_HOST_MAX)
			return ERR_FULL;
		w->app.host[w->app.n_host++] = arg;
		return 0;
	case OPT_ROOT:
		w->o.root = arg;
		return 0;
	case OPT_ROOTLESS:
		w->o.user.is_rootless = true;
		return 0;
	case OPT_NEEDS_CERT:
		w->o.needs_cert = true;
		return 0;
	case OPT_LOG:
		if (log_parse_level(arg, &lv) != 0)
			return ERR_SYNTAX;
		log_set_level(lv);
		return 0;
	default:
		return which > 0 && which < OPT_HOST ?
		    number_option(w, which, arg) : ERR_SYNTAX;
	}
}

static int
options_read(struct web *w, int argc, char **argv)
{
	int which;

	for (int i = 1; i < OPT_N_FD; i++)
		*fd_option(&w->o, i) = -1;
	w->o.sessions = 64;
	while ((which = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (option_set(w, which, optarg) != 0)
			return ERR_SYNTAX;
	if (optind == argc && w->o.sup >= 0 && w->o.unix_fd >= 0)
		return 0;
	fprintf(stderr, "tapir-web is started by tapird, not by hand; see "
		"tapir-web(8)\n");
	return ERR_SYNTAX;
}

/* ---- the world outside --------------------------------------------------------- */

static void
on_record(void *ctx, const struct bus_rec *r)
{
	struct web *w = ctx;
	uint64_t now = clk_ms();

	if (r->tag == UI_METRICS_TAG) {
		ui_page_record(w->app.page, r, now);
		return;
	}
	if (r->tag == UI_CAPTURE_TAG) {
		ui_capture_record(w->app.capture, r);
		return;
	}
	ui_bus_record(w->app.bus, r, now);
}

static void
on_packet(void *ctx, const void *data, size_t len)
{
	struct web *w = ctx;

	ui_capture_packet(w->app.capture, data, len);
}

static void
on_lost(void *ctx)
{
	struct web *w = ctx;

	ui_bus_link(w->app.bus, false, clk_ms());
	ui_capture_lost(w->app.capture);
	ui_page_lost(w->app.page);
}

static int
to_core(void *ctx, uint32_t tag, const char *user, struct bus_rec *cmd)
{
	struct web *w = ctx;
	struct bus_rec who;
	int err;

	if (user != NULL) {
		bus_rec_init(&who, BUS_RES_WEB_USER);
		bus_set_str(&who, BUS_F_NAME, user);
		if ((err = ui_link_send(w->link, 0, &who)) != 0)
			return err;
	}
	return ui_link_send(w->link, tag, cmd);
}

static int
page_to_core(void *ctx, uint32_t tag, struct bus_rec *cmd)
{
	return to_core(ctx, tag, NULL, cmd);
}

static void
link_use(struct web *w, int fd)
{
	if (ui_link_use(w->link, fd) == 0)
		ui_bus_link(w->app.bus, true, clk_ms());
}

/* The supervisor answers a question about the configuration. */
static void
answer_take(struct web *w, const uint8_t *p, size_t len)
{
	struct view doc = { NULL, 0 };
	struct bus_rec r;
	int err = p[0] == DOC_CLASS ? doc_dec(p, len, &r, &doc) :
	    bus_dec(p, len, &r);

	if (err == 0)
		ui_edit_record(w->app.edit, &r, doc);
	else
		log_warn(WHO, "the supervisor sent a record that is none");
}

static int
to_sup(void *ctx, const struct bus_rec *cmd, struct view text)
{
	static uint8_t b[DOC_WIRE_MAX];
	struct web *w = ctx;
	int n = doc_enc(cmd, text, b, sizeof(b));

	bool is_sent;

	if (n < 0)
		return n;
	is_sent = send(w->o.sup, b, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) == n;
	wipe(b, (size_t)n);
	if (is_sent)
		return 0;
	return errno == EAGAIN ? ERR_FULL : ERR_CLOSED;
}

/* One word with a descriptor, or an answer; false at the end. */
static bool
word_take(struct web *w, int sup)
{
	union {
		struct cmsghdr align;
		char b[CMSG_SPACE(sizeof(int))];
	} ctl;
	static uint8_t word[DOC_WIRE_MAX];
	struct iovec iov = { word, sizeof(word) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &ctl, .msg_controllen = sizeof(ctl) };
	ssize_t n = recvmsg(sup, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&h) : NULL;
	int fd = -1;

	if (n <= 0)
		return n < 0;
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	if (fd < 0) {
		answer_take(w, word, (size_t)n);
		return true;
	}
	if (word[0] == WORD_LINK)
		link_use(w, fd);
	else if (word[0] == WORD_GATE)
		ui_gate_renew(w->app.gate, fd);
	else if (word[0] == WORD_TYPED)
		ui_typed_renew(w->app.typed, fd);
	else
		close(fd);
	return true;
}

static void
on_sup(evutil_socket_t fd, short what UNUSED, void *ctx)
{
	struct web *w = ctx;

	if (!word_take(w, fd))
		w->is_over = true;
}

static void
on_tick(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx UNUSED)
{
}

/* ---- start --------------------------------------------------------------------- */

static int
keep_fds(struct web *w)
{
	int fd[OPT_N_FD];
	unsigned n = 0;

	for (int i = 1; i < OPT_N_FD; i++)
		if (*fd_option(&w->o, i) >= 0)
			fd[n++] = *fd_option(&w->o, i);
	return confine_fds(fd, n);
}

/* What needs files. */
static int
load(struct web *w)
{
	char why[256] = "";
	int err;

	w->app.assets = ui_asset_builtin();
	if (w->o.root != NULL) {
		err = ui_asset_load(w->o.root, &w->own_assets, why, sizeof(why));
		if (err != 0) {
			log_error(WHO, "--web-root: %s", why);
			return err;
		}
		w->app.assets = w->own_assets;
	}
	if (w->o.tls < 0)
		return 0;
	err = ui_tls_new(&w->ssl, w->o.cert, w->o.key, w->o.ca, w->o.needs_cert,
			 why, sizeof(why));
	if (err != 0)
		log_error(WHO, "not served: %s", *why != '\0' ? why :
			  err_text(err));
	for (int i = OPT_CERT; i <= OPT_CA; i++)
		if (*fd_option(&w->o, i) >= 0)
			close(*fd_option(&w->o, i));
	return err;
}

/* Libraries set themselves up while files can be opened. */
static int
warm_up(void)
{
	static const char one[] = "<command/>";
	struct ui_obj obj;
	uint8_t digest[32];

	LIBXML_TEST_VERSION
	if (ui_obj_parse(UI_XML, (struct view){ (const uint8_t *)one,
			 sizeof(one) - 1 }, "command", &obj) != 0)
		return ERR_INTERNAL;
	return ui_sha256(one, sizeof(one), digest);
}

static int
build(struct web *w)
{
	const struct ui_http_ops http = { &w->app, ui_app_request, ui_app_gone };
	const struct ui_link_ops link = { w, on_record, on_packet, on_lost };
	struct ui_bus_ops bus = { w, to_core, ui_app_answer };
	const struct ui_page_ops page = { w, page_to_core };
	const struct ui_capture_ops capture = { w, to_core };
	const struct ui_edit_ops edit = { w, to_sup };
	int err;

	if ((w->base = event_base_new()) == NULL ||
	    (w->tick = event_new(w->base, -1, EV_PERSIST, on_tick, w)) == NULL ||
	    (w->sup = event_new(w->base, w->o.sup, EV_READ | EV_PERSIST, on_sup,
				w)) == NULL || event_add(w->sup, NULL) != 0)
		return ERR_NOMEM;
	if ((err = ui_bus_new(&w->app.bus, &bus, w->o.sessions)) != 0 ||
	    (err = ui_page_new(&w->app.page, &page)) != 0 ||
	    (err = ui_capture_new(&w->app.capture, &capture)) != 0 ||
	    (err = ui_edit_new(&w->app.edit, &edit)) != 0 ||
	    (err = ui_desk_new(&w->app.desk)) != 0 ||
	    (err = ui_login_new(&w->app.login)) != 0 ||
	    (err = ui_gate_new(&w->app.gate, w->base, w->o.gate)) != 0 ||
	    (err = ui_typed_new(&w->app.typed, w->base, w->o.typed)) != 0 ||
	    (err = ui_link_new(&w->link, w->base, &link)) != 0 ||
	    (err = ui_http_new(&w->http, w->base, &http,
			       w->o.sessions + SPARE_CONNS)) != 0)
		return err;
	if (w->o.link >= 0)
		link_use(w, w->o.link);
	if ((err = ui_http_listen(w->http, w->o.unix_fd, UI_DOOR_UNIX,
				  NULL)) != 0)
		return err;
	if (w->o.tcp >= 0 && (err = ui_http_listen(w->http, w->o.tcp,
	    UI_DOOR_TCP, NULL)) != 0)
		return err;
	return w->o.tls < 0 ? 0 : ui_http_listen(w->http, w->o.tls,
						 UI_DOOR_TLS, w->ssl);
}

static void
serve(struct web *w)
{
	uint64_t now, due, id;

	while (!w->is_over) {
		struct timeval tv;

		now = clk_ms();
		due = MIN(ui_bus_due(w->app.bus), now + TICK_MS);
		due = due > now ? due - now : 0;
		tv.tv_sec = (time_t)(due / 1000);
		tv.tv_usec = (suseconds_t)(due % 1000 * 1000);
		(void)event_add(w->tick, &tv);
		if (event_base_loop(w->base, EVLOOP_ONCE) != 0)
			return;
		now = clk_ms();
		ui_bus_run(w->app.bus, now);
		if ((id = ui_login_expire(w->app.login, now)) != 0)
			ui_app_forget(&w->app, id);
		ui_capture_run(w->app.capture);
		ui_edit_run(w->app.edit, now);
		ui_desk_run(w->app.desk, now);
		ui_app_check(&w->app, now);
	}
}

static void
take_down(struct web *w)
{
	ui_http_free(w->http);
	ui_bus_free(w->app.bus);
	ui_link_free(w->link);
	ui_gate_free(w->app.gate);
	ui_typed_free(w->app.typed);
	ui_login_free(w->app.login);
	ui_page_free(w->app.page);
	ui_capture_free(w->app.capture);
	ui_edit_free(w->app.edit);
	ui_desk_free(w->app.desk);
	ui_tls_free(w->ssl);
	ui_asset_free(w->own_assets);
	if (w->sup != NULL)
		event_free(w->sup);
	if (w->tick != NULL)
		event_free(w->tick);
	if (w->base != NULL)
		event_base_free(w->base);
}

int
main(int argc, char **argv)
{
	static struct web w;
	int err;

	event_set_mem_functions(malloc, realloc_wiped, free_wiped);
	(void)xmlMemSetup(free_wiped, malloc, realloc_wiped, strdup);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);	/* Ctrl-C is for tapird */
	(void)signal(SIGHUP, SIG_IGN);
	(void)prctl(PR_SET_NAME, "tapir-web");
	if (options_read(&w, argc, argv) != 0)
		return EXIT_WRONG;
	if ((err = keep_fds(&w)) == 0 && (err = load(&w)) != 0)
		return EXIT_WRONG;
	if (err == 0 && (err = warm_up()) == 0 && (err = build(&w)) == 0 &&
	    (err = ui_confine(&w.o.user)) == 0)
		serve(&w);
	if (err != 0)
		log_error(WHO, "cannot serve: %s", err_text(err));
	take_down(&w);
	return err == 0 ? 0 : EXIT_FAILED;
}
