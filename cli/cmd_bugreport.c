/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_bugreport.c - tapir bugreport: one archive for who shall help.
 *
 *   collect --> secrets out (redact.c, tapir-secure) --> names out (anon.c)
 *           --> shown, or written once it is complete
 *
 * What cannot be looked through for secrets is not written.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "cli/ask.h"
#include "cli/bug/bug.h"
#include "cli/json.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

struct bug_opts {
	const char *config, *file;	/* file "": a name is made */
	bool is_preview, is_anonymous;
};

/* ---- what is taken out ------------------------------------------------------- */

/* Names that only the daemon knows: peers that a pattern admitted. */
static void
names_of_daemon(struct bug *b, struct anon *a)
{
	static const struct {
		enum bus_row row;
		enum bus_field field;
		const char *kind;
	} of[] = {
		{ BUS_RES_REALM, BUS_F_NAME, "realm" },
		{ BUS_RES_PEER, BUS_F_NAME, "peer" },
		{ BUS_RES_PEER, BUS_F_ID, "peer" },
	};
	struct cli quiet = *b->c;
	struct ask_list list = { 0 };
	struct bus_rec cmd, end;
	FILE *null = fopen("/dev/null", "w");

	if (null == NULL)
		return;
	quiet.out = quiet.err = null;
	bus_rec_init(&cmd, BUS_CMD_STATUS);
	if (b->is_running && ask(&quiet, &cmd, ask_keep, &list, &end) == CLI_OK)
		for (size_t i = 0; i < list.n; i++)
			for (unsigned k = 0; k < N_OF(of); k++)
				if (list.rec[i].desc->row == of[k].row)
					anon_name(a, of[k].kind,
						  bus_str(&list.rec[i],
							  of[k].field));
	ask_list_fini(&list);
	fclose(null);
}

/* Key files are called by their users: hanako.eap. */
static void
names_of_keys(struct bug *b, struct anon *a)
{
	char dir[PATH_MAX], name[256];
	struct dirent *e;
	DIR *d;

	conf_key_dir(b->config, dir, sizeof(dir));
	if ((d = opendir(dir)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		char *dot;

		str_copy(name, sizeof(name), e->d_name);
		dot = strrchr(name, '.');
		if (dot == NULL || strcmp(name, "qcd.secret") == 0 ||
		    strncmp(name, "tap-", 4) == 0)
			continue;
		*dot = '\0';
		anon_name(a, "file", name);
	}
	closedir(d);
}

static int
anonymize(struct bug *b)
{
	struct anon *a = anon_new();
	struct utsname u;

	if (a == NULL)
		return cli_fail(b->c, CLI_FAILED, "memory", NULL, "out of memory");
	for (unsigned i = 0; i < b->n_part; i++)
		if (strncmp(b->part[i].name, "config/", 7) == 0)
			anon_conf(a, b->part[i].text, b->part[i].len);
	if (uname(&u) == 0) {
		anon_name(a, "machine", u.nodename);
		u.nodename[strcspn(u.nodename, ".")] = '\0';
		anon_name(a, "machine", u.nodename);
	}
	names_of_daemon(b, a);
	names_of_keys(b, a);
	bug_anonymous(b, a);
	anon_free(a);
	return CLI_OK;
}

/* Secrets: CLI_OK, or what hinders was told. */
static int
clean(struct bug *b, const struct bug_opts *o, bool *was_looked)
{
	char keys[PATH_MAX], why[256];

	if (b->hidden != NULL)
		bug_hide(b, b->hidden);
	conf_key_dir(b->config, keys, sizeof(keys));
	*was_looked = bug_redact(b, why, sizeof(why)) == 0;
	/* who cannot read the keys has nothing that could hold them */
	if (!*was_looked && access(keys, R_OK | X_OK) == 0)
		return cli_fail(b->c, CLI_FAILED, "secrets", "nothing was "
				"written", "the report cannot be looked through "
				"for secrets: %s", why);
	return o->is_anonymous ? anonymize(b) : CLI_OK;
}

/* ---- the first page ---------------------------------------------------------- */

/* Put what was written last first. */
static void
to_front(struct bug *b)
{
	struct bug_part last = b->part[b->n_part - 1];

	memmove(b->part + 1, b->part, (b->n_part - 1) * sizeof(last));
	b->part[0] = last;
}

static void
readme(struct bug *b, const struct bug_opts *o, bool was_looked)
{
	size_t marks = bug_count_marks(b);
	unsigned n = b->n_part;
	char when[40] = "";
	time_t now = time(NULL);
	struct tm tm;
	FILE *out = bug_begin(b, "README.txt");

	if (out == NULL)
		return;
	if (gmtime_r(&now, &tm) != NULL)
		strftime(when, sizeof(when), "%F %T UTC", &tm);
	fprintf(out, "tapir bugreport, %s, tapir %s\n\n", when, TAPIR_VERSION);
	fprintf(out, "Secrets: key files are not in it, only their names, sizes "
		"and modes.\nComments of the configuration are left out.\n");
	fputs(was_looked ?
	      "Every text was looked through for what stands in the key "
	      "files.\n" :
	      "The key files cannot be read by this user, so that the texts "
	      "could not be\nlooked through for them; nor can they come from "
	      "there.\n", out);
	fprintf(out, "%zu places say %s.\n", marks, BUG_MARK);
	fprintf(out, o->is_anonymous ?
		"Names and addresses: replaced, each by the same word "
		"everywhere; names of\nless than three letters are left. Read "
		"it before you give it away.\n\n" :
		"Names and addresses: as they are. --anonymous replaces "
		"them.\n\n");
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "%8zu  %s\n", b->part[i].len, b->part[i].name);
	bug_end(b, false);
	to_front(b);
}

/* ---- the result -------------------------------------------------------------- */

static void
preview(struct bug *b)
{
	char safe[BUG_NAME_MAX];

	for (unsigned i = 0; i < b->n_part; i++) {
		const struct bug_part *p = &b->part[i];

		fprintf(b->c->out, "==== %s ====\n",
			bus_print_text(p->name, safe, sizeof(safe)));
		(void)fwrite(p->text, 1, p->len, b->c->out);
		if (p->len > 0 && p->text[p->len - 1] != '\n')
			fputc('\n', b->c->out);
		fputc('\n', b->c->out);
	}
}

static void
told(struct bug *b, const char *file)
{
	struct json j;

	if (!b->c->is_json) {
		fprintf(b->c->out, "%s: %u files, %zu secrets taken out\n"
			"Look at it before you give it away: tapir bugreport "
			"--preview\n", file, b->n_part, bug_count_marks(b));
		return;
	}
	json_init(&j, b->c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", true);
	json_str(&j, "file", file);
	json_u64(&j, "n_secrets", bug_count_marks(b));
	json_bool(&j, "is_running", b->is_running);
	json_arr(&j, "parts");
	for (unsigned i = 0; i < b->n_part; i++) {
		json_obj(&j, NULL);
		json_str(&j, "name", b->part[i].name);
		json_u64(&j, "bytes", b->part[i].len);
		json_obj_end(&j);
	}
	json_arr_end(&j);
	json_obj_end(&j);
	json_end(&j);
}

/* The directory inside: the file's name without its endings. */
static void
dir_name(const char *file, char *out)
{
	const char *base = strrchr(file, '/');

	str_copy(out, 20, "tapir-bugreport");
	base = base != NULL ? base + 1 : file;
	if (strncmp(base, out, strlen(out)) == 0 && strlen(base) >= 19 + 7)
		snprintf(out, 20, "bug-%.15s", base + 16);
}

static int
archive(struct bug *b, const char *file)
{
	char dir[20];
	int fd, err;

	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		  0600);
	if (fd < 0)
		return cli_fail(b->c, CLI_FAILED, "file", errno == EEXIST ?
				"it is never overwritten; name another with "
				"-o" : "-o FILE names another place",
				"cannot write %s: %s", file, strerror(errno));
	dir_name(file, dir);
	err = bug_tar(b, dir, fd);
	if (close(fd) != 0 && err == 0)
		err = ERR_SYS;
	if (err != 0) {
		int was = errno;

		(void)unlink(file);
		return cli_fail(b->c, CLI_FAILED, "file", "-o FILE names "
				"another place", "cannot write %s: %s", file,
				strerror(was));
	}
	told(b, file);
	return CLI_OK;
}

static int
report(struct bug *b, const struct bug_opts *o)
{
	char file[PATH_MAX], when[32] = "";
	time_t now = time(NULL);
	bool was_looked;
	struct tm tm;
	int status;

	if (gmtime_r(&now, &tm) != NULL)
		strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
	snprintf(file, sizeof(file), "tapir-bugreport-%s.tar.gz", when);
	bug_collect_config(b);
	bug_collect_daemon(b);
	bug_collect_system(b);
	if ((status = clean(b, o, &was_looked)) != CLI_OK)
		return status;
	readme(b, o, was_looked);
	if (o->is_preview) {
		preview(b);
		return CLI_OK;
	}
	return archive(b, *o->file != '\0' ? o->file : file);
}

int
cmd_bugreport(struct cli *c, int argc, char **argv)
{
	struct bug_opts o = { .config = CLI_CONF, .file = "" };
	const struct cli_opt opt[] = {
		{ 'c', "config", NULL, &o.config },
		{ 'o', "output", NULL, &o.file },
		{ 0, "preview", &o.is_preview, NULL },
		{ 0, "anonymous", &o.is_anonymous, NULL },
	};
	struct bug *b;
	ssize_t n;
	int status;

	if (cli_opts(c, opt, N_OF(opt), argc, argv, 0) < 0)
		return CLI_USAGE;
	if (o.is_preview && (c->is_json || *o.file != '\0'))
		return cli_fail(c, CLI_USAGE, "usage", NULL, "bugreport: "
				"--preview is text and writes no file");
	b = calloc(1, sizeof(*b));
	if (b == NULL || (b->errs = calloc(1, sizeof(*b->errs))) == NULL) {
		free(b);
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	}
	b->c = c;
	b->config = o.config;
	n = readlink("/proc/self/exe", b->self, sizeof(b->self) - 1);
	b->self[MAX(n, 0)] = '\0';
	if (conf_load(o.config, &b->conf, b->errs) != 0)
		b->conf = NULL;	/* config/check.txt says why */
	cli_catch();
	status = report(b, &o);
	bug_free(b);
	free(b);
	return status;
}
