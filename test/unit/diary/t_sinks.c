/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/diary/t_sinks.c - levels, components, rotation and rate of logs.
 */
#include "daemon/diary/sinks.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "test/lib/test.h"

static struct sinks s;
static char notes[256];

static void
note(void *ctx, enum log_level lv, const char *code, const char *text)
{
	(void)ctx;
	(void)lv;
	(void)text;
	str_add(notes, sizeof(notes), "%s ", code);
}

static int
file_new(void)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
	return fd;
}

/* What is in a file, as one text. */
static const char *
text_of(int fd)
{
	static char text[65536];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static unsigned
lines_of(int fd)
{
	unsigned n = 0;

	for (const char *p = text_of(fd); *p != '\0'; p++)
		n += *p == '\n';
	return n;
}

/* A sink with these filters; the descriptor to look at. */
static int
start(const char *level, const char *who)
{
	int fd = file_new();
	char spec[128];

	memset(&s, 0, sizeof(s));
	s.note = note;
	notes[0] = '\0';
	snprintf(spec, sizeof(spec), "file:%s:%s:%d:/var/log/tapir.log", level,
		 who, dup(fd));
	assert_int_equal(sinks_add(&s, spec), 0);
	return fd;
}

static void
event(enum bus_row row, const char *peer)
{
	struct bus_rec r;

	bus_rec_init(&r, row);
	r.seq = 7;
	bus_set_str(&r, BUS_F_REALM, "branches");
	bus_set_str(&r, BUS_F_PEER, peer);
	sinks_event(&s, &r);
}

TEST(events_stand_with_code_component_and_names)
{
	int fd = start("info", "*");

	event(BUS_EV_PEER_ALIVE, "osaka");
	assert_non_null(strstr(text_of(fd), "1970-01-01T00:00:00.000Z NOTICE "
			       "ike peer-alive: branches/osaka answers again"));
	sinks_line(&s, LOG_INFO, 0, "spi", "a provider");
	assert_non_null(strstr(text_of(fd), "INFO spi: a provider\n"));
	sinks_close(&s);
	close(fd);
}

TEST(level_and_component_decide)
{
	int fd = start("notice", "ike+hub");

	sinks_line(&s, LOG_INFO, 0, "ike", "too fine");
	sinks_line(&s, LOG_NOTICE, 0, "esp", "of another part");
	sinks_line(&s, LOG_NOTICE, 0, "ik", "no such part");
	event(BUS_EV_PEER_CONNECTING, "osaka");	/* info */
	assert_int_equal(lines_of(fd), 0);
	sinks_line(&s, LOG_ERROR, 0, "hub", "said");
	event(BUS_EV_PEER_ALIVE, "osaka");
	assert_int_equal(lines_of(fd), 2);
	sinks_close(&s);
	close(fd);
}

TEST(a_new_file_takes_what_comes_after_it)
{
	int fd = start("info", "*"), next = file_new();

	assert_string_equal(sinks_file(&s, 0), "/var/log/tapir.log");
	assert_null(sinks_file(&s, 1));
	sinks_line(&s, LOG_INFO, 0, "ike", "one");
	sinks_reopen(&s, 0, dup(next));
	sinks_line(&s, LOG_INFO, 0, "ike", "two");
	assert_int_equal(lines_of(fd), 1);
	assert_non_null(strstr(text_of(next), "two"));
	sinks_close(&s);
	close(fd);
	close(next);
}

TEST(what_happens_too_often_is_counted_for_each_peer)
{
	int fd = start("info", "*");
	unsigned n;

	for (unsigned i = 0; i < BUS_LIMIT_BURST + 30; i++)
		event(BUS_EV_PEER_ALIVE, "osaka");
	assert_int_equal(lines_of(fd), BUS_LIMIT_BURST);
	event(BUS_EV_PEER_ALIVE, "kyoto");
	assert_int_equal(lines_of(fd), BUS_LIMIT_BURST + 1);
	/* the window passes: as if it had begun long ago */
	for (unsigned i = 0; i < BUS_LIMIT_SLOTS; i++)
		s.sink[0].limit.slot[i].from_ms -= BUS_LIMIT_WINDOW_MS;
	sinks_tick(&s);
	n = lines_of(fd);
	assert_int_equal(n, BUS_LIMIT_BURST + 2);
	assert_non_null(strstr(text_of(fd), "(30 more like this: branches/osaka "
			       "answers again"));
	/* what an administrator did is all there */
	for (unsigned i = 0; i < 30; i++)
		event(BUS_EV_COMMAND_RUN, "osaka");
	assert_int_equal(lines_of(fd), n + 30);
	sinks_close(&s);
	close(fd);
}

TEST(a_full_disk_is_said_once_and_the_end_of_it)
{
	int fd = open("/dev/full", O_WRONLY), ok = file_new();
	char spec[64];

	assert_true(fd >= 0);
	memset(&s, 0, sizeof(s));
	s.note = note;
	notes[0] = '\0';
	snprintf(spec, sizeof(spec), "file:info:*:%d:/x", fd);
	assert_int_equal(sinks_add(&s, spec), 0);
	for (unsigned i = 0; i < 5; i++)
		sinks_line(&s, LOG_INFO, 0, "ike", "lost");
	assert_string_equal(notes, "log-lost ");
	sinks_reopen(&s, 0, dup(ok));
	sinks_line(&s, LOG_INFO, 0, "ike", "kept");
	assert_string_equal(notes, "log-lost log-again ");
	assert_int_equal(lines_of(ok), 1);
	sinks_close(&s);
	close(ok);
}

TEST(arguments_that_are_none_are_refused)
{
	memset(&s, 0, sizeof(s));
	assert_int_equal(sinks_add(&s, ""), ERR_SYNTAX);
	assert_int_equal(sinks_add(&s, "file:info:*"), ERR_SYNTAX);
	assert_int_equal(sinks_add(&s, "file:loud:*:-1:"), ERR_SYNTAX);
	assert_int_equal(sinks_add(&s, "file:info::-1:"), ERR_SYNTAX);
	assert_int_equal(sinks_add(&s, "pigeon:info:*:-1:"), ERR_NOTFOUND);
	assert_int_equal(s.n, 0);
	assert_int_equal(sinks_fd("file:info:*:17:/x"), 17);
	assert_int_equal(sinks_fd("file:info"), -1);
}
