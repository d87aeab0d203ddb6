/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/webui/t_http.c - connections: what is a request and what never becomes
 * one, clients that leave, places that run out.
 *
 * Both ends of real sockets in one thread; the loop turns only when it is told to.
 */
#include "webui/http.h"
#include <errno.h>
#include <event2/event.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "daemon/base/str.h"
#include "test/lib/test.h"

#define N_CLIENT 16
#define TURNS	 20 /* of the loop: enough for what is under way */
#define HELD	 "GET /held HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET	 "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static struct {
	struct event_base *base;
	struct ui_http *http;
	struct sockaddr_un at;
	socklen_t at_len;
	struct ui_req *held;		/* not answered yet */
	unsigned n_request, n_gone;
	char last[64];			/* the path of the last one */
} t;
static char big[4 << 20];

static void
on_request(void *ctx UNUSED, struct ui_req *rq)
{
	const struct ui_head *h = ui_req_head(rq);
	const struct ui_reply rep = {
		.status = 200, .type = "text/plain", .body = "ok", .len = 2,
	}, much = {
		.status = 200, .type = "text/plain", .body = big,
		.len = sizeof(big),
	};

	t.n_request++;
	t.last[0] = '\0';
	str_add(t.last, sizeof(t.last), "%.*s", (int)h->path.len, h->path.p);
	if (ui_view_is(h->path, "/held"))
		t.held = rq;
	else if (ui_view_is(h->path, "/big"))
		ui_req_reply(rq, &much);
	else
		ui_req_reply(rq, &rep);
}

static void
on_gone(void *ctx UNUSED, struct ui_req *rq)
{
	assert_ptr_equal(rq, t.held);
	t.held = NULL;
	t.n_gone++;
}

static void
begin(unsigned max)
{
	static const struct ui_http_ops ops = { NULL, on_request, on_gone };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static unsigned n_test;

	memset(&t, 0, sizeof(t));
	t.at.sun_family = AF_UNIX;	/* abstract: a name without a file */
	snprintf(t.at.sun_path + 1, sizeof(t.at.sun_path) - 1, "tapir-t-http-%d-%u",
		 (int)getpid(), n_test++);
	t.at_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			       strlen(t.at.sun_path + 1));
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&t.at, t.at_len), 0);
	assert_int_equal(listen(fd, N_CLIENT), 0);
	t.base = event_base_new();
	assert_non_null(t.base);
	assert_int_equal(ui_http_new(&t.http, t.base, &ops, max), 0);
	assert_int_equal(ui_http_listen(t.http, fd, UI_DOOR_TCP, NULL), 0);
}

static void
end(void)
{
	ui_http_free(t.http);
	event_base_free(t.base);
}

static void
turn(void)
{
	for (int i = 0; i < TURNS; i++)
		(void)event_base_loop(t.base, EVLOOP_NONBLOCK);
}

static int
client(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&t.at, t.at_len), 0);
	turn();
	return fd;
}

/* Until so many requests came: the loop sleeps meanwhile. */
static void
wait_requests(unsigned n)
{
	for (int i = 0; i < 10 * TURNS && t.n_request < n; i++)
		(void)event_base_loop(t.base, EVLOOP_ONCE);
	assert_int_equal(t.n_request, n);
}

/* What there is to read, as a text; NULL: the other end closed. */
static const char *
answer(int fd)
{
	static char text[1 << 16];
	ssize_t n;

	turn();
	n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	if (n == 0)
		return NULL;
	text[MAX(n, 0)] = '\0';
	return text;
}

/* Send all of it while the loop turns; false: the other end closed. */
static bool
say(int fd, const char *p, size_t n)
{
	for (unsigned i = 0; n > 0 && i < 1000; i++) {
		ssize_t sent = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0) {
			p += sent;
			n -= (size_t)sent;
		} else if (errno != EAGAIN) {
			return false;
		}
		turn();
	}
	return true;
}

static bool
say_text(int fd, const char *text)
{
	return say(fd, text, strlen(text));
}

TEST(requests_of_one_connection_are_answered_one_after_the_other)
{
	const char *said;
	struct tm tm;
	int fd;

	begin(4);
	fd = client();
	assert_true(say_text(fd, GET GET "PUT /x HTTP/1.1\r\nHost: a\r\n"
			     "Content-Length: 37\r\n\r\n" GET));
	assert_int_equal(t.n_request, 2); /* the rest of a body is awaited */
	assert_true(say_text(fd, "0123456789"));
	assert_int_equal(t.n_request, 3);
	assert_string_equal(t.last, "/x");
	said = answer(fd);
	assert_non_null(strstr(said, "HTTP/1.1 200 OK\r\n"));
	/* RFC 9110 6.6.1: a server that has a clock says what it shows */
	said = strstr(said, "\r\nDate: ");
	assert_non_null(said);
	assert_non_null(strptime(said + 8, "%a, %d %b %Y %H:%M:%S GMT", &tm));
	assert_in_range(timegm(&tm), time(NULL) - 600, time(NULL) + 600);
	assert_true(say_text(fd, HELD GET));
	assert_int_equal(t.n_request, 4);
	close(fd);
	turn();
	assert_int_equal(t.n_gone, 1);
	assert_int_equal(t.n_request, 4);
	end();
}

TEST(what_follows_a_refused_head_is_never_a_request)
{
	static const char *const bad[] = {
		"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n",
		"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"0\r\n\r\n",
		"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n01234",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n01234",
		"GET / HTTP/1.1\r\nHost: a\r\nX: y\n\r\n", "\r\n",
	};

	for (unsigned i = 0; i < N_OF(bad); i++) {
		int fd;

		begin(4);
		fd = client();
		assert_true(say_text(fd, bad[i]));
		(void)say_text(fd, GET GET);
		assert_non_null(strstr(answer(fd), "Connection: close\r\n"));
		assert_null(answer(fd));
		(void)say_text(fd, GET);
		assert_int_equal(t.n_request, 0);
		close(fd);
		end();
	}
}

TEST(a_head_may_come_byte_by_byte)
{
	static const char two[] = "PUT /slow HTTP/1.1\r\nHost: a\r\nX: 0123456789"
	    "0123456789012345678901234567890123456789\r\nContent-Length: 2\r\n"
	    "\r\nabGET /next HTTP/1.1\r\nHost: a\r\n\r\n";
	static const char bad[] = "GET / HTTP/1.1\r\nHost: a\n";
	int fd;

	begin(4);
	fd = client();
	for (const char *p = two; *p != '\0'; p++) {
		assert_true(say(fd, p, 1));
		assert_int_equal(t.n_request, (p - two >= 106) +
				 (p[1] == '\0'));
		if (t.n_request == 1)
			assert_string_equal(t.last, "/slow");
	}
	assert_string_equal(t.last, "/next");
	for (const char *p = bad; *p != '\0'; p++)
		assert_true(say(fd, p, 1));
	assert_non_null(strstr(answer(fd), "HTTP/1.1 400 "));
	assert_int_equal(t.n_request, 2);
	close(fd);
	end();
}

TEST(who_fills_the_room_behind_a_held_request_is_let_go)
{
	static char more[UI_HEAD_MAX + UI_BODY_MAX + 4096];
	int fd;

	begin(4);
	fd = client();
	memset(more, 'x', sizeof(more));
	assert_true(say_text(fd, HELD));
	assert_non_null(t.held);
	assert_true(say(fd, more, 4096)); /* a little may wait there */
	assert_non_null(t.held);
	/* else it would not be seen any more that he leaves */
	(void)say(fd, more, sizeof(more));
	assert_null(t.held);
	assert_int_equal(t.n_gone, 1);
	close(fd);
	end();
}

TEST(who_asks_much_and_reads_nothing_costs_nothing_meanwhile)
{
	static char more[UI_HEAD_MAX + UI_BODY_MAX + 4096];
	size_t n = 0;
	int fd;

	begin(4);
	memset(big, 'x', sizeof(big));
	fd = client();
	assert_true(say_text(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n"));
	while (n + strlen(GET) < sizeof(more)) {
		memcpy(more + n, GET, strlen(GET));
		n += strlen(GET);
	}
	assert_true(say(fd, more, n));
	assert_int_equal(t.n_request, 1);
	assert_int_equal(event_base_get_num_events(t.base,
			 EVENT_BASE_COUNT_ACTIVE), 0);
	while (*answer(fd) != '\0') /* now he reads, and all is answered */
		;
	assert_int_equal(t.n_request, 1 + n / strlen(GET));
	close(fd);
	end();
}

TEST(places_that_run_out_are_those_of_who_waits_longest)
{
	int fd[4], more;

	begin(3);
	for (unsigned i = 0; i < 3; i++)
		fd[i] = client();
	assert_true(say_text(fd[0], HELD));
	more = client();
	assert_true(say_text(more, GET));
	assert_non_null(strstr(answer(more), "200 OK"));
	assert_null(answer(fd[1])); /* he asked for nothing, longest */
	assert_string_equal(answer(fd[2]), "");
	assert_non_null(t.held);
	for (unsigned i = 0; i < 3; i++)
		close(fd[i]);
	close(more);
	turn();
	assert_int_equal(t.n_gone, 1);
	end();
}

/* Let this process have n descriptors more than it has now. */
static void
descriptors_left(rlim_t n, struct rlimit *old)
{
	struct rlimit lim;
	int next = dup(STDERR_FILENO);

	assert_true(next >= 0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, old), 0);
	lim = (struct rlimit){ (rlim_t)next + n, old->rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &lim), 0);
}

TEST(without_a_descriptor_who_waits_longest_makes_room)
{
	struct rlimit old;
	int idle, more;

	begin(8);
	more = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	idle = client();
	descriptors_left(0, &old);
	assert_int_equal(connect(more, (struct sockaddr *)&t.at, t.at_len), 0);
	assert_true(say_text(more, GET));
	wait_requests(1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_non_null(strstr(answer(more), "200 OK"));
	assert_null(answer(idle));
	close(more);
	close(idle);
	end();
}

TEST(without_a_descriptor_it_waits_for_one_and_not_busily)
{
	struct rlimit old;
	int held, more;

	begin(8);
	more = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	held = client();
	assert_true(say_text(held, HELD));
	descriptors_left(0, &old);
	assert_int_equal(connect(more, (struct sockaddr *)&t.at, t.at_len), 0);
	assert_true(say_text(more, GET));
	assert_non_null(t.held);
	/* a listener that nobody can be taken from is not looked at for a while:
	 * only the timers of both are there, and the read of who is held */
	assert_int_equal(event_base_get_num_events(t.base,
			 EVENT_BASE_COUNT_ACTIVE), 0);
	close(held); /* his place becomes free */
	wait_requests(2);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_non_null(strstr(answer(more), "200 OK"));
	close(more);
	end();
}

TEST(no_more_places_than_descriptors)
{
	struct rlimit old, lim;
	int fd[4], n_open = 0;

	/* as many as there are may be had; beyond, there are fewer places */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	lim = (struct rlimit){ 80, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &lim), 0);
	begin(30);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &lim), 0);
	assert_true(lim.rlim_cur >= 80);
	for (unsigned i = 0; i < N_OF(fd); i++)
		fd[i] = client();
	for (unsigned i = 0; i < N_OF(fd); i++)
		n_open += answer(fd[i]) != NULL;
	assert_int_equal(n_open, N_OF(fd));
	for (unsigned i = 0; i < N_OF(fd); i++)
		close(fd[i]);
	end();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}
