/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/bug/inside.c - what tapir itself is, was told, and answers.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#define ERR_STATE ossl_err_state_type /* a type of theirs, an error of ours */
#include <openssl/crypto.h>
#undef ERR_STATE
#include "cli/ask.h"
#include "cli/bug/bug.h"
#include "cli/lab/proc.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

#define WHY_MAX	   20		/* peers whose tapir why is in it; ours */
#define SHORT_MS   15000	/* for an answer of the daemon */
#define LONG_MS	   60000	/* for netcheck */

/* ---- version and configuration ----------------------------------------------- */

static void
version(struct bug *b)
{
	static const char *const prog[] = { "tapird", "tapir-secure", "tapir-web" };
	char path[PROC_PATH_MAX];
	struct stat st;
	struct utsname u;
	FILE *out = bug_begin(b, "version.txt");

	if (out == NULL)
		return;
	fprintf(out, "tapir %s, compiled by "
#ifdef __clang__
		"clang %s\n", TAPIR_VERSION, __clang_version__);
#else
		"gcc %s\n", TAPIR_VERSION, __VERSION__);
#endif
	fprintf(out, "libcrypto: %s (compiled for %s)\n",
		OpenSSL_version(OPENSSL_VERSION), OPENSSL_VERSION_TEXT);
	fprintf(out, "this program: %s\n", b->self);
	for (unsigned i = 0; i < N_OF(prog); i++)
		if (proc_find_ours(prog[i], path, sizeof(path)) &&
		    stat(path, &st) == 0)
			fprintf(out, "%s: %s, %lld bytes\n", prog[i], path,
				(long long)st.st_size);
		else
			fprintf(out, "%s: not found\n", prog[i]);
	if (uname(&u) == 0)
		fprintf(out, "kernel: %s %s %s %s\n", u.sysname, u.release,
			u.version, u.machine);
	fprintf(out, "user: %u (rights of %u)\n", (unsigned)getuid(),
		(unsigned)geteuid());
	bug_copy(b, "/etc/os-release");
	bug_end(b, false);
}

/* One file of the configuration, what is written into it by mistake taken out. */
static void
config_one(struct bug *b, const char *path, const char *keys, FILE *words)
{
	const char *base = strrchr(path, '/');
	char *all = NULL;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	FILE *out = bug_begin(b, "config/%.60s", base != NULL ? base + 1 : path);
	ssize_t n = 0, got;

	if (out == NULL)
		goto out;
	if (fd < 0 || (all = malloc(CONF_BYTES_MAX)) == NULL) {
		fprintf(out, "%s cannot be read: %m\n", path);
		bug_end(b, false);
		goto out;
	}
	while ((size_t)n < CONF_BYTES_MAX &&
	       (got = read(fd, all + n, CONF_BYTES_MAX - (size_t)n)) > 0)
		n += got;
	bug_conf_text(all, (size_t)n, keys, out, words);
	bug_end(b, false);
out:
	free(all);
	if (fd >= 0)
		close(fd);
}

/* Who owns what in keys/; never what is in it. */
static void
keys_list(struct bug *b, const char *keys)
{
	FILE *out = bug_begin(b, "config/keys.txt");
	struct dirent **list = NULL;
	char path[PATH_MAX + 257], when[32];
	struct stat st;
	struct tm tm;
	int n;

	if (out == NULL)
		return;
	n = scandir(keys, &list, NULL, alphasort);
	if (n < 0)
		fprintf(out, "%s: %m\n", keys);
	for (int i = 0; i < n; free(list[i++])) {
		snprintf(path, sizeof(path), "%s/%s", keys, list[i]->d_name);
		if (strcmp(list[i]->d_name, "..") == 0 || lstat(path, &st) != 0)
			continue;
		when[0] = '\0';
		if (gmtime_r(&st.st_mtime, &tm) != NULL)
			strftime(when, sizeof(when), "%F %T", &tm);
		fprintf(out, "%06o %5u %5u %8lld %s %s\n", (unsigned)st.st_mode,
			(unsigned)st.st_uid, (unsigned)st.st_gid,
			(long long)st.st_size, when, list[i]->d_name);
	}
	free(list);
	bug_end(b, false);
}

void
bug_collect_config(struct bug *b)
{
	char keys[PATH_MAX], dir[PATH_MAX], path[PATH_MAX + 256], *words = NULL;
	struct dirent **list = NULL;
	size_t len = 0;
	FILE *w = open_memstream(&words, &len);
	int n;

	version(b);
	conf_key_dir(b->config, keys, sizeof(keys));
	if (w == NULL)
		return;
	config_one(b, b->config, keys, w);
	n = (int)strlen(b->config);	/* tapir.d of tapir.xml */
	n -= n > 4 && strcmp(b->config + n - 4, ".xml") == 0 ? 4 : 0;
	snprintf(dir, sizeof(dir), "%.*s.d", n, b->config);
	n = scandir(dir, &list, NULL, alphasort);
	for (int i = 0; i < n; free(list[i++])) {
		size_t k = strlen(list[i]->d_name);

		snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
		if (k > 4 && strcmp(list[i]->d_name + k - 4, ".xml") == 0)
			config_one(b, path, keys, w);
	}
	free(list);
	keys_list(b, keys);
	if (bug_begin(b, "config/check.txt") != NULL) {
		(void)bug_tapir(b, SHORT_MS, "check", b->config, NULL);
		bug_end(b, false);
	}
	fclose(w);
	b->hidden = words;
}

/* ---- the daemon -------------------------------------------------------------- */

/* Those that are not up first: up to WHY_MAX. */
static void
whys(struct bug *b)
{
	struct cli quiet = *b->c;
	struct ask_list a = { 0 };
	struct bus_rec cmd, end;
	FILE *null = fopen("/dev/null", "w");
	char name[2 * CLI_NAME_MAX];
	unsigned n = 0;

	if (null == NULL)
		return;
	quiet.out = quiet.err = null;
	bus_rec_init(&cmd, BUS_CMD_STATUS);
	if (ask(&quiet, &cmd, ask_keep, &a, &end) != CLI_OK)
		a.n = 0;
	for (unsigned is_up = 0; is_up < 2; is_up++)
		for (size_t i = 0; i < a.n && n < WHY_MAX; i++) {
			const struct bus_rec *r = &a.rec[i];

			if (r->desc->row != BUS_RES_PEER || is_up !=
			    (strcmp(bus_str(r, BUS_F_STATE), "up") == 0))
				continue;
			name[0] = '\0';
			str_add(name, sizeof(name), "%s/%s",
				bus_str(r, BUS_F_REALM), bus_str(r, BUS_F_NAME));
			if (n++ == 0 && bug_begin(b, "daemon/why.txt") == NULL)
				break;
			(void)bug_tapir(b, SHORT_MS, "why", "--lang", "en",
					name, NULL);
			(void)bug_tapir(b, SHORT_MS, "status", name, NULL);
		}
	if (n > 0)
		bug_end(b, false);
	ask_list_fini(&a);
	fclose(null);
}

static void
one(struct bug *b, int ms, const char *part, const char *w1, const char *w2,
    const char *w3)
{
	if (bug_begin(b, "daemon/%s", part) == NULL)
		return;
	(void)bug_tapir(b, ms, w1, w2, w3, NULL);
	bug_end(b, false);
}

void
bug_collect_daemon(struct bug *b)
{
	int status;

	if (bug_begin(b, "daemon/status.txt") == NULL)
		return;
	status = bug_tapir(b, SHORT_MS, "status", NULL);
	b->is_running = status == 0;
	if (status == CLI_NO_DAEMON)
		fputs("tapird is not running, or not with this --run-dir.\n",
		      b->at);
	else if (status != 0)
		fputs("tapird does not answer; it was asked nothing else.\n",
		      b->at);
	bug_end(b, false);
	if (!b->is_running)
		return;
	one(b, SHORT_MS, "status.json", "status", "--json", NULL);
	one(b, SHORT_MS, "stats.txt", "stats", "--all", NULL);
	one(b, SHORT_MS, "metrics.txt", "metrics", NULL, NULL);
	one(b, SHORT_MS, "hub.txt", "hub", NULL, NULL);
	one(b, SHORT_MS, "hub-mac.txt", "hub", "mac", NULL);
	one(b, SHORT_MS, "hub-arp.txt", "hub", "arp", NULL);
	one(b, SHORT_MS, "events.txt", "log", NULL, NULL);
	one(b, SHORT_MS, "history.txt", "history", "-n", "2000");
	one(b, SHORT_MS, "reload.txt", "reload", "--dry-run", NULL);
	one(b, LONG_MS, "netcheck.txt", "netcheck", NULL, NULL);
	whys(b);
}
