/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_notify.c - what the supervisor tells a service manager.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/core/notify.h"
#include "test/lib/test.h"

/* A manager's socket; name as in $NOTIFY_SOCKET. */
static int
manager(const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memcpy(sa.sun_path, name, len);
	if (name[0] == '@')
		sa.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&sa,
			      (socklen_t)(sizeof(sa.sun_family) + len)), 0);
	return fd;
}

static const char *
heard(int fd)
{
	static char text[1024];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
env(const char *sock, const char *usec, const char *pid)
{
	if (sock != NULL)
		setenv("NOTIFY_SOCKET", sock, 1);
	if (usec != NULL)
		setenv("WATCHDOG_USEC", usec, 1);
	if (pid != NULL)
		setenv("WATCHDOG_PID", pid, 1);
}

TEST(nothing_is_said_without_a_manager)
{
	struct notify n;

	notify_open(&n);
	assert_int_equal(n.fd, -1);
	notify_say(&n, "READY=1");
	assert_int_equal(notify_alive(&n), UINT64_MAX);
	notify_close(&n);
}

TEST(a_manager_hears_it_by_abstract_name_and_by_path)
{
	char dir[] = "/tmp/t_notifyXXXXXX", path[64], abst[64];
	const char *name[2] = { abst, path };

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(abst, sizeof(abst), "@t_notify-%d", (int)getpid());
	for (int i = 0; i < 2; i++) {
		int m = manager(name[i]);
		struct notify n;

		env(name[i], NULL, NULL);
		notify_open(&n);
		assert_true(n.fd >= 0);
		assert_null(getenv("NOTIFY_SOCKET"));
		notify_say(&n, "READY=%d\nSTATUS=%s", 1, "serving");
		assert_string_equal(heard(m), "READY=1\nSTATUS=serving");
		assert_int_equal(notify_alive(&n), UINT64_MAX);
		assert_string_equal(heard(m), "");
		notify_close(&n);
		close(m);
	}
	unlink(path);
	rmdir(dir);
}

TEST(signs_of_life_come_twice_in_the_time_given)
{
	char name[64], pid[16];
	struct notify n;
	int m;

	snprintf(name, sizeof(name), "@t_notify-%d", (int)getpid());
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	m = manager(name);
	env(name, "30000000", pid);
	notify_open(&n);
	assert_int_equal(n.every_ms, 15000);
	assert_in_range(notify_alive(&n), 14000, 15000);
	assert_string_equal(heard(m), "WATCHDOG=1");
	assert_in_range(notify_alive(&n), 13000, 15000);
	assert_string_equal(heard(m), "");
	n.due_ms = clk_ms();
	(void)notify_alive(&n);
	assert_string_equal(heard(m), "WATCHDOG=1");
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
	notify_close(&n);
	close(m);
}

TEST(a_watchdog_of_another_process_or_a_bad_number_is_none)
{
	static const char *const usec[] = { "", "0", "-5", "1x", "x",
		"99999999999999999999999" };
	char name[64];
	struct notify n;
	int m;

	snprintf(name, sizeof(name), "@t_notify-%d", (int)getpid());
	m = manager(name);
	env(name, "30000000", "1");
	notify_open(&n);
	assert_true(n.fd >= 0);
	assert_int_equal(n.every_ms, 0);
	notify_close(&n);
	for (unsigned i = 0; i < N_OF(usec); i++) {
		env(name, usec[i], NULL);
		notify_open(&n);
		assert_int_equal(n.every_ms, 0);
		notify_close(&n);
	}
	close(m);
}

TEST(a_name_that_leads_nowhere_is_as_none)
{
	static char longer[300];
	const char *const name[] = { "", "@", "/", "relative", "vsock:2:3",
		"/nonexistent/notify", "@t_notify-nobody-binds-this", longer };
	struct notify n;

	memset(longer, 'a', sizeof(longer) - 1);
	longer[0] = '/';
	for (unsigned i = 0; i < N_OF(name); i++) {
		env(name[i], "1000000", NULL);
		notify_open(&n);
		assert_int_equal(n.fd, -1);
		assert_int_equal(n.every_ms, 0);
		notify_say(&n, "READY=1");
		notify_close(&n);
	}
}

TEST(a_full_socket_does_not_stop_the_daemon)
{
	char name[64];
	struct notify n;
	int m;

	snprintf(name, sizeof(name), "@t_notify-%d", (int)getpid());
	m = manager(name);
	env(name, NULL, NULL);
	notify_open(&n);
	for (int i = 0; i < 100000; i++)
		notify_say(&n, "STATUS=%0400d", i);
	assert_true(strncmp(heard(m), "STATUS=0", 8) == 0);
	notify_close(&n);
	notify_say(&n, "STATUS=closed");
	close(m);
}
