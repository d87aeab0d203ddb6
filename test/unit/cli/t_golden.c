/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_golden.c - what commands print, byte by byte.
 *
 * test/golden/NAME.in has a command line and the answers of a daemon:
 *
 *	$ status branches
 *	realm	name=branches	n_peers=2
 *	event peer-up	time_ms=1767225600000	realm=branches	...
 *	done
 *
 * (fields are separated by tabs).  NAME.txt is what it prints into a file, and
 * NAME.ansi what on a terminal of 80 columns with colour.  GOLDEN=write in the
 * environment writes both anew, for somebody to read.
 */
#include <dirent.h>
#include <pthread.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>
#include "cli/cli.h"
#include "cli/show.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"
#include "daemon/bus/bus_wire.h"
#include "test/lib/test.h"

#define GOLDEN	 "test/golden"
#define ANS_MAX	 64
#define OUT_MAX	 65536
#define WORD_MAX 16

static struct bus_rec answers[ANS_MAX];
static unsigned n_answer;
static int listener;
static char dir[64];

/* ---- the daemon ---------------------------------------------------------------- */

static void *
serve(void *ctx)
{
	uint8_t buf[BUS_WIRE_MAX];
	int fd = accept(listener, NULL, NULL);
	struct bus_rec got;
	ssize_t n = recv(fd, buf, sizeof(buf), 0);
	int len;

	(void)ctx;
	if (n <= 0 || bus_dec(buf, (size_t)n, &got) != 0)
		goto out;
	for (unsigned i = 0; i < n_answer; i++) {
		answers[i].tag = got.tag;
		len = bus_enc_buf(&answers[i], buf, sizeof(buf));
		if (len < 0 || send(fd, buf, (size_t)len, MSG_NOSIGNAL) != len)
			break;
	}
out:
	close(fd);
	return NULL;
}

/* key=value; a wrong one is a mistake of the test. */
static void
field(struct bus_rec *r, char *text)
{
	char *value = strchr(text, '=');

	assert_non_null(value);
	*value++ = '\0';
	if (strcmp(text, "time_ms") == 0 && r->desc->class == BUS_EVENT) {
		r->time_ms = strtoull(value, NULL, 10);
		return;
	}
	for (int f = 0; f < BUS_F_END; f++) {
		if (strcmp(bus_field_key((enum bus_field)f), text) != 0)
			continue;
		switch (bus_field_kind((enum bus_field)f)) {
		case BUS_KIND_STR:
			bus_set_str(r, (enum bus_field)f, value);
			return;
		case BUS_KIND_U64:
			bus_set_u64(r, (enum bus_field)f,
				    strtoull(value, NULL, 10));
			return;
		case BUS_KIND_I64:
			bus_set_i64(r, (enum bus_field)f,
				    strtoll(value, NULL, 10));
			return;
		case BUS_KIND_BOOL:
			bus_set_bool(r, (enum bus_field)f, *value == 'y');
			return;
		}
	}
	fail_msg("no field %s", text);
}

static void
answer(char *line)
{
	struct bus_rec *r = &answers[n_answer++];
	const struct bus_desc *d;
	char *save = NULL, *name = strtok_r(line, "\t", &save), *word;

	assert_true(n_answer < ANS_MAX);
	d = strncmp(name, "event ", 6) == 0 ? bus_desc_named(BUS_EVENT, name + 6) :
	    bus_desc_named(BUS_RESULT, name);
	if (d == NULL)
		fail_msg("no row %s", name);
	bus_rec_init(r, d->row);
	r->seq = n_answer;
	while ((word = strtok_r(NULL, "\t", &save)) != NULL)
		field(r, word);
}

/* ---- the command ---------------------------------------------------------------- */

struct reader {
	int fd;
	char *text;
	size_t len;
};

static void *
read_all(void *ctx)
{
	struct reader *r = ctx;
	ssize_t n;

	while (r->len < OUT_MAX - 1 &&
	       (n = read(r->fd, r->text + r->len, OUT_MAX - 1 - r->len)) > 0)
		r->len += (size_t)n;
	r->text[r->len] = '\0';
	return NULL;
}

/* A place for the daemon to listen. */
static void
listen_there(struct sockaddr_un *sa)
{
	str_copy(dir, sizeof(dir), "/tmp/t_golden.XXXXXX");
	assert_non_null(mkdtemp(dir));
	setenv("TAPIR_RUN_DIR", dir, 1);
	snprintf(sa->sun_path, sizeof(sa->sun_path), "%.60s/ctl.sock", dir);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)sa, sizeof(*sa)), 0);
	assert_int_equal(listen(listener, 1), 0);
}

/* Run it with its output on fd, which is closed. */
static void
command(const char *line, int fd, bool has_daemon)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char words[256], *argv[WORD_MAX] = { (char[]){ "tapir" } }, *save = NULL;
	FILE *o = fdopen(fd, "w");
	pthread_t daemon;
	int argc = 1;

	assert_non_null(o);
	assert_true(str_copy(words, sizeof(words), line));
	for (char *w = strtok_r(words, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	setenv("TAPIR_RUN_DIR", "/nonexistent", 1);
	if (has_daemon) {
		listen_there(&sa);
		assert_int_equal(pthread_create(&daemon, NULL, serve, NULL), 0);
	}
	cli_main(argc, argv, o, o);
	fclose(o);
	if (has_daemon) {
		pthread_join(daemon, NULL);
		close(listener);
		unlink(sa.sun_path);
		rmdir(dir);
	}
}

static char *
output(const char *line, bool is_tty, bool has_daemon)
{
	struct reader r = { .text = calloc(1, OUT_MAX) };
	struct termios raw;
	pthread_t thread;
	int fd[2];

	assert_non_null(r.text);
	if (is_tty) {
		assert_int_equal(openpty(&fd[0], &fd[1], NULL, NULL, NULL), 0);
		tcgetattr(fd[1], &raw);
		cfmakeraw(&raw);
		tcsetattr(fd[1], TCSANOW, &raw);
	} else {
		assert_int_equal(pipe(fd), 0);
	}
	r.fd = fd[0];
	assert_int_equal(pthread_create(&thread, NULL, read_all, &r), 0);
	command(line, fd[1], has_daemon);
	pthread_join(thread, NULL);
	close(fd[0]);
	return r.text;
}

/* ---- comparing ------------------------------------------------------------------ */

static char *
file_text(const char *path)
{
	char *text = calloc(1, OUT_MAX);
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL) {
		free(text);
		return NULL;
	}
	n = fread(text, 1, OUT_MAX - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

/* Lines on a terminal are at most 80 columns. */
static void
fits(const char *name, const char *text)
{
	char line[1024];

	while (*text != '\0') {
		size_t n = 0;

		for (; *text != '\0' && *text != '\n'; text++)
			if (*text == '\033')	/* colour: up to its m */
				text += strcspn(text, "m");
			else if (n < sizeof(line) - 1)
				line[n++] = *text;
		line[n] = '\0';
		text += *text == '\n';
		if (show_columns(line) > SHOW_WIDTH)
			fail_msg("%s: %u columns: %s", name, show_columns(line),
				 line);
	}
}

static void
compare(const char *name, const char *ending, const char *got)
{
	char path[300], *want;
	FILE *f;

	snprintf(path, sizeof(path), GOLDEN "/%s.%s", name, ending);
	if (getenv("GOLDEN") != NULL) {
		assert_non_null(f = fopen(path, "w"));
		fputs(got, f);
		fclose(f);
		return;
	}
	want = file_text(path);
	if (want == NULL || strcmp(want, got) != 0)
		fail_msg("printed:\n%s\n%s has:\n%s\nif it is right so: "
			 "GOLDEN=write, then read git diff", got, path,
			 want != NULL ? want : "(nothing)");
	free(want);
}

static void
play(const char *name)
{
	char path[300], command_line[256] = "", *text, *save = NULL, *got;

	snprintf(path, sizeof(path), GOLDEN "/%s.in", name);
	assert_non_null(text = file_text(path));
	n_answer = 0;
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (line[0] == '$')
			assert_true(str_copy(command_line, sizeof(command_line),
					     line + 2));
		else if (line[0] != '#')
			answer(line);
	free(text);
	got = output(command_line, false, n_answer > 0);
	assert_null(strchr(got, '\033'));
	compare(name, "txt", got);
	free(got);
	got = output(command_line, true, n_answer > 0);
	fits(name, got);
	compare(name, "ansi", got);
	free(got);
}

TEST(what_commands_print_is_what_it_was_with_and_without_colour)
{
	struct dirent *e;
	DIR *d = opendir(GOLDEN);
	unsigned n = 0;

	setenv("TZ", "UTC", 1);
	setenv("TERM", "xterm", 1);
	setenv("COLUMNS", "80", 1);
	setenv("LANG", "C.UTF-8", 1);
	unsetenv("LC_ALL");
	unsetenv("LC_MESSAGES");
	unsetenv("NO_COLOR");
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char name[256];
		size_t len = strlen(e->d_name);

		if (len < 4 || strcmp(e->d_name + len - 3, ".in") != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(len - 3), e->d_name);
		play(name);
		n++;
	}
	closedir(d);
	assert_true(n >= 10);
}

TEST(colour_is_not_used_where_it_is_not_wanted)
{
	char *got;

	setenv("NO_COLOR", "1", 1);
	n_answer = 0;
	answer((char[]){ "done\tcode=\ttext=1 peer" });
	got = output("up branches/osaka", true, true);
	assert_null(strchr(got, '\033'));
	free(got);
	unsetenv("NO_COLOR");
}
