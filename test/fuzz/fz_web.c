/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_web.c - any bytes as what a client sends on one connection, up to the
 * answers: http.c, head.c, site.c, the table of paths, the bus, /conf, /desk.
 *
 * A socket pair is the connection; the core and the supervisor are made up.  For what
 * cannot be guessed a byte stands: 0xf8 the field that says who an admin is, 0xf9 that
 * of a viewer, 0xfa the name of the admin's session, 0xfb "HTTP/1.1", a new line and
 * Host, 0xfe the time goes on by 100 ms (all of them are no UTF-8).
 *
 * What is answered begins like an answer, and nothing of a request is in its head.
 */
#include <event2/event.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/str.h"
#include "webui/app.h"
#include "webui/asset.h"
#include "webui/capture.h"
#include "webui/desk.h"
#include "webui/edit.h"
#include "webui/metrics_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ADMIN  "1111111111111111111111111111111111111111111111111111111111111111"
#define VIEWER "2222222222222222222222222222222222222222222222222222222222222222"
#define SENT_MAX (256u << 10)
#define ASKED_MAX 32

static struct {
	struct event_base *base;
	struct ui_http *http;
	struct ui_app app;
	struct sockaddr_un at;
	socklen_t at_len;
	uint64_t now_ns;
	struct bus_rec asked[ASKED_MAX];	/* of the core, with its tag */
	struct bus_rec edit;			/* of the supervisor */
	unsigned n_asked, n_edit;
	char sess[UI_ID_MAX];
} z;

static uint64_t
fake_clock(void *ctx)
{
	(void)ctx;
	return z.now_ns;
}

static int
core(void *ctx, uint32_t tag, const char *user, struct bus_rec *cmd)
{
	(void)ctx;
	(void)user;
	if (z.n_asked == ASKED_MAX)
		return -1;
	z.asked[z.n_asked] = *cmd;
	z.asked[z.n_asked++].tag = tag;
	return 0;
}

static int
page_core(void *ctx, uint32_t tag, struct bus_rec *cmd)
{
	return core(ctx, tag, NULL, cmd);
}

static int
supervisor(void *ctx, const struct bus_rec *cmd, struct view text)
{
	(void)ctx;
	(void)text;
	z.edit = *cmd;
	z.n_edit = 1;
	return 0;
}

/* ---- answers of the others --------------------------------------------------- */

static void
record(struct bus_rec *r, uint32_t tag)
{
	r->tag = tag;
	for (unsigned i = 0; i < r->desc->n_field; i++)
		if (bus_field_kind(r->desc->field[i]) == BUS_KIND_STR)
			bus_set_str(r, r->desc->field[i], "a\"<&>'\\\x01\xff b");
	if (tag == UI_METRICS_TAG)
		ui_page_record(z.app.page, r, clk_ms());
	else if (tag == UI_CAPTURE_TAG)
		ui_capture_record(z.app.capture, r);
	else
		ui_bus_record(z.app.bus, r, clk_ms());
}

static void
others_answer(void)
{
	static const enum bus_row supervisors[] = {
		BUS_RES_CONF_FILE, BUS_RES_DESK, BUS_RES_DONE,
	};
	struct bus_rec r;

	for (unsigned i = 0; i < z.n_asked; i++) {
		bool is_capture = z.asked[i].desc->row == BUS_CMD_CAPTURE;

		bus_rec_init(&r, is_capture ? BUS_RES_CAPTURE : BUS_RES_PEER);
		record(&r, z.asked[i].tag);
		bus_rec_init(&r, i % 3 == 2 ? BUS_RES_FAILED : BUS_RES_DONE);
		record(&r, z.asked[i].tag);
	}
	z.n_asked = 0;
	for (unsigned i = 0; z.n_edit != 0 && i < N_OF(supervisors); i++) {
		uint32_t tag = z.edit.tag;

		bus_rec_init(&r, supervisors[i]);
		if (supervisors[i] == BUS_RES_DESK) {
			bus_set_str(&r, BUS_F_CODE, "done");
			bus_set_str(&r, BUS_F_FILE, "a.b");
			bus_set_str(&r, BUS_F_KIND, "text/html");
			bus_set_str(&r, BUS_F_SEAL, "00");
		}
		r.tag = tag;
		if (supervisors[i] == BUS_RES_DONE)
			z.n_edit = 0;
		ui_edit_record(z.app.edit, &r, (struct view){
			       (const uint8_t *)"{}\n", 3 });
	}
	bus_rec_init(&r, BUS_EV_DAEMON_STOPPING);
	record(&r, 1);
}

/* ---- start ------------------------------------------------------------------------ */

static void
must(int err)
{
	if (err != 0)
		abort();
}

static void
listener_make(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	z.at.sun_family = AF_UNIX; /* abstract: a name without a file */
	snprintf(z.at.sun_path + 1, sizeof(z.at.sun_path) - 1, "tapir-fz-web-%d",
		 (int)getpid());
	z.at_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			       strlen(z.at.sun_path + 1));
	if (fd < 0)
		abort();
	must(bind(fd, (struct sockaddr *)&z.at, z.at_len));
	must(listen(fd, 16));
	must(ui_http_listen(z.http, fd, UI_DOOR_TCP, NULL));
}

static void
begin(void)
{
	static const uint8_t text[] = "text";
	static const struct ui_asset file = {
		"/index.html", "\"0123456789abcdef0123456789abcdef\"", text, text,
		4, 4,
	};
	static const struct ui_asset_set files = { &file, 1 };
	const struct ui_capture_ops cap = { NULL, core };
	const struct ui_page_ops page = { NULL, page_core };
	const struct ui_edit_ops edit = { NULL, supervisor };
	const struct ui_bus_ops bus = { NULL, core, ui_app_answer };
	const struct ui_http_ops http = {
		&z.app, ui_app_request, ui_app_gone
	};

	memset(&z, 0, sizeof(z));
	z.now_ns = 3600000000000;
	clk_set_source(fake_clock, NULL);
	z.app.host[z.app.n_host++] = "a";
	z.app.assets = &files;
	if ((z.base = event_base_new()) == NULL)
		abort();
	must(ui_login_new(&z.app.login));
	must(ui_page_new(&z.app.page, &page));
	must(ui_capture_new(&z.app.capture, &cap));
	must(ui_edit_new(&z.app.edit, &edit));
	must(ui_desk_new(&z.app.desk));
	must(ui_bus_new(&z.app.bus, &bus, 4));
	must(ui_http_new(&z.http, z.base, &http, 8));
	ui_bus_link(z.app.bus, true, clk_ms());
	listener_make();
}

/* Two who are logged in, and a session. */
static void
people(void)
{
	struct ui_owner o = { 0, BUS_RIGHT_ADMIN, "root" };
	struct ui_sess *s;
	struct ui_who *who;

	must(ui_login_add_as(z.app.login, "v", BUS_RIGHT_VIEW, clk_ms(), VIEWER,
			     &who));
	must(ui_login_add_as(z.app.login, "root", BUS_RIGHT_ADMIN, clk_ms(),
			     ADMIN, &who));
	o.id = who->id;
	if (ui_sess_open(z.app.bus, &o, clk_ms(), &s) == 0)
		(void)str_copy(z.sess, sizeof(z.sess), ui_sess_id(s));
}

/* ---- one connection ------------------------------------------------------------------ */

static void
turn(int fd, char *got, size_t *n_got)
{
	ssize_t n;

	(void)event_base_loop(z.base, EVLOOP_NONBLOCK);
	while ((n = recv(fd, got + *n_got, SENT_MAX - *n_got,
			 MSG_DONTWAIT)) > 0)
		*n_got += (size_t)n;
}

static void
later(uint64_t ms)
{
	z.now_ns += ms * 1000000;
	others_answer();
	ui_bus_run(z.app.bus, clk_ms());
	ui_capture_run(z.app.capture);
	ui_edit_run(z.app.edit, clk_ms());
	ui_desk_run(z.app.desk, clk_ms());
}

/* What a byte stands for; NULL: itself. */
static const char *
meaning(uint8_t b)
{
	switch (b) {
	case 0xf8:
		return "Authorization: Bearer " ADMIN "\r\n";
	case 0xf9:
		return "Authorization: Bearer " VIEWER "\r\n";
	case 0xfa:
		return z.sess;
	case 0xfb:
		return " HTTP/1.1\r\nHost: a\r\n";
	default:
		return NULL;
	}
}

static void
check(const char *got, size_t n)
{
	if (n > 0 && (n < 9 || memcmp(got, "HTTP/1.1 ", 9) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char got[SENT_MAX + 1];
	size_t n_got = 0, from = 0;
	int fd;

	if (z.base == NULL)
		begin();
	people();
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&z.at, z.at_len) != 0)
		abort();
	for (size_t i = 0; i <= size; i++) {
		const char *say = i < size ? meaning(data[i]) : NULL;

		if (i < size && say == NULL && data[i] != 0xfe)
			continue;
		(void)send(fd, data + from, i - from, MSG_NOSIGNAL);
		if (say != NULL)
			(void)send(fd, say, strlen(say), MSG_NOSIGNAL);
		from = i + 1;
		if (i < size && say != NULL)
			continue;
		turn(fd, got, &n_got);
		later(100);
	}
	turn(fd, got, &n_got);
	later(UI_HOLD_MS);
	turn(fd, got, &n_got);
	check(got, n_got);
	close(fd);
	turn(fd, got, &n_got); /* he left */
	later(1000);
	for (uint64_t id = 1; id <= 2; id++) { /* all that was begun ends */
		struct ui_who *who;
		const char *token = id == 1 ? ADMIN : VIEWER;

		who = ui_login_find(z.app.login, (struct view){
				    (const uint8_t *)token, UI_TOKEN_MAX - 1 },
				    clk_ms());
		if (who == NULL)
			continue;
		ui_app_forget(&z.app, who->id);
		ui_login_end(z.app.login, who);
	}
	later(1000);
	return 0;
}
