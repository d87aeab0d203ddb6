/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_set.c - tapir set, get: one thing of the configuration file.
 *
 * The file is changed, never the daemon: tapir reload puts it in force.  What
 * tapir check would refuse is not written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cli/conf_file.h"
#include "cli/json.h"
#include "conf/edit.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

#define FILE_PATH_MAX 4096

/* The files of a configuration, and which of them a path is in. */
struct files {
	const char *path;	/* of the first */
	char *text;		/* all of them */
	size_t len;
	struct conf_file f[CONF_FILES_MAX];
	unsigned n, at;
	struct edit edit;	/* what is known of the path there */
	struct conf_errs *errs;
};

static void
files_free(struct files *s)
{
	free(s->text);
	free(s->errs);
}

static int
files_read(struct cli *c, struct files *s, const char *path)
{
	*s = (struct files){ .path = path };
	s->errs = calloc(1, sizeof(*s->errs));
	if (s->errs == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	if (conf_read(path, &s->text, &s->len, s->errs) != 0)
		return cli_fail(c, CLI_FAILED, "file", NULL, "%s: %s", path,
				s->errs->n > 0 ? s->errs->e[0].text :
				"out of memory");
	s->n = conf_files(s->text, s->len, path, s->f);
	return CLI_OK;
}

/* The file that knows most of the path; of equals the first. */
static int
files_find(struct cli *c, struct files *s, const char *path)
{
	static struct edit best;
	bool has_one = false;
	int err = 0;

	for (unsigned i = 0; i < s->n; i++) {
		err = edit_find(s->f[i].text, s->f[i].len, path, &s->edit);
		if (err != 0)
			return cli_fail(c, CLI_FAILED, "path", "a path is like "
					"log, branches/mtu, branches/me/psk or "
					"branches/osaka/at", "%s: %s", path,
					s->edit.why);
		if (has_one && s->edit.found <= best.found)
			continue;
		best = s->edit;
		s->at = i;
		has_one = true;
	}
	s->edit = best;
	return CLI_OK;
}

/* ---- get ---------------------------------------------------------------------- */

struct lister {
	struct cli *c;
	struct json *j;		/* NULL: lines */
	const char *below;	/* path that is asked for; "" = all */
	unsigned n;
};

static void
list_one(void *ctx, const char *path, const char *value)
{
	struct lister *l = ctx;
	size_t n = strlen(l->below);
	char p[BUS_STR_MAX], v[BUS_STR_MAX];

	if (n > 0 && (strncmp(path, l->below, n) != 0 || path[n] != '/'))
		return;
	l->n++;
	if (l->j != NULL) {
		json_obj(l->j, NULL);
		json_str(l->j, "path", path);
		json_str(l->j, "value", value);
		json_obj_end(l->j);
		return;
	}
	bus_print_text(path, p, sizeof(p));
	bus_print_text(value, v, sizeof(v));
	fprintf(l->c->out, "%s = %s\n", p, v);
}

static int
list_all(struct cli *c, struct files *s, const char *below)
{
	struct json j;
	struct lister l = { c, c->is_json ? &j : NULL, below, 0 };

	if (c->is_json) {
		json_init(&j, c->out);
		json_obj(&j, NULL);
		json_arr(&j, "options");
	}
	for (unsigned i = 0; i < s->n; i++)
		if (edit_each(s->f[i].text, s->f[i].len, list_one, &l) != 0)
			continue;	/* nothing of it can be told */
	if (c->is_json) {
		json_arr_end(&j);
		json_obj_end(&j);
		json_end(&j);
	}
	return CLI_OK;
}

static int
get_one(struct cli *c, struct files *s, const char *path)
{
	bool is_set = s->edit.found == EDIT_OPTION;
	const char *v = is_set ? s->edit.value : s->edit.def;
	char text[BUS_STR_MAX];
	struct json j;

	if (s->edit.found < EDIT_ELEMENT)
		return cli_fail(c, CLI_FAILED, "not-there", "tapir get lists "
				"what is written", "%s: there is no such thing "
				"in the configuration", path);
	if (!s->edit.is_option)
		return list_all(c, s, path);
	if (!is_set && *v == '\0')
		return cli_fail(c, CLI_FAILED, "not-set", NULL,
				"%s is not set, and has no default of its own",
				path);
	if (c->is_json) {
		json_init(&j, c->out);
		json_obj(&j, NULL);
		json_str(&j, "path", path);
		json_str(&j, "value", v);
		json_bool(&j, "is_set", is_set);
		json_str(&j, "file", s->f[s->at].name);
		json_obj_end(&j);
		json_end(&j);
		return CLI_OK;
	}
	bus_print_text(v, text, sizeof(text));
	fprintf(c->out, "%s\n", text);
	return CLI_OK;
}

int
cmd_get(struct cli *c, int argc, char **argv)
{
	const char *config = CLI_CONF;
	struct cli_opt opt[] = { { 'c', "config", NULL, &config } };
	struct files s;
	int status;

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 1)) < 0)
		return CLI_USAGE;
	if ((status = files_read(c, &s, config)) == CLI_OK && argc == 0)
		status = list_all(c, &s, "");
	else if (status == CLI_OK &&
		 (status = files_find(c, &s, argv[0])) == CLI_OK)
		status = get_one(c, &s, argv[0]);
	files_free(&s);
	return status;
}

/* ---- set ---------------------------------------------------------------------- */

/* Mistakes of a text, into s->errs. */
static unsigned
mistakes(struct files *s, const char *text, size_t len)
{
	char keys[FILE_PATH_MAX];
	struct conf *conf = NULL;
	int err;

	conf_key_dir(s->path, keys, sizeof(keys));
	err = conf_parse(text, len, s->path, keys, &conf, s->errs);
	conf_free(conf);
	return err == 0 ? 0 : MAX(s->errs->n + s->errs->n_more, 1u);
}

static int
refused(struct cli *c, struct files *s)
{
	if (!c->is_json)
		conf_errs_print(s->errs, c->err);
	return cli_fail(c, CLI_FAILED, s->errs->n > 0 ?
			conf_code_name(s->errs->e[0].code) : "check",
			"nothing was written", "the configuration would be "
			"wrong: %s", s->errs->n > 0 ? s->errs->e[0].text :
			"out of memory");
}

/* Is the whole, with this text of one file, better than before? */
static int
check_new(struct cli *c, struct files *s, char *text, size_t len)
{
	struct conf_file f[CONF_FILES_MAX];
	char *all = NULL;
	size_t all_len = 0;
	unsigned before, after;

	memcpy(f, s->f, sizeof(f));
	f[s->at].text = text;
	f[s->at].len = len;
	if (conf_bundle(f, s->n, &all, &all_len) != 0)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	before = mistakes(s, s->text, s->len);
	after = mistakes(s, all, all_len);
	free(all);
	return after == 0 || after < before ? CLI_OK : refused(c, s);
}

static int
tell(struct cli *c, struct files *s, const char *path, const char *value)
{
	const char *was = s->edit.found == EDIT_OPTION ? s->edit.value : NULL;
	const char *file = s->f[s->at].name;
	char text[BUS_STR_MAX];
	struct json j;

	if (c->is_json) {
		json_init(&j, c->out);
		json_obj(&j, NULL);
		json_bool(&j, "ok", true);
		json_str(&j, "path", path);
		if (was != NULL)
			json_str(&j, "before", was);
		if (value != NULL)
			json_str(&j, "after", value);
		json_str(&j, "file", file);
		json_obj_end(&j);
		json_end(&j);
		return CLI_OK;
	}
	bus_print_text(path, text, sizeof(text));
	fprintf(c->out, "%s: ", text);
	if (was != NULL) {
		bus_print_text(was, text, sizeof(text));
		fprintf(c->out, "%s -> ", text);
	}
	bus_print_text(value != NULL ? value : "taken out", text, sizeof(text));
	fprintf(c->out, "%s\nin %s; tapir reload puts it in force\n", text, file);
	return CLI_OK;
}

static int
change(struct cli *c, struct files *s, const char *path, const char *value,
       bool is_quiet)
{
	struct edit was = s->edit;
	const struct conf_file *f = &s->f[s->at];
	char *text = NULL;
	size_t len = 0;
	int err, status;

	err = edit_change(f->text, f->len, path, value, &text, &len, &s->edit);
	if (err == ERR_NOTFOUND)
		return cli_fail(c, CLI_FAILED, "not-there", NULL, "%s is not "
				"in the configuration", path);
	if (err != 0)
		return cli_fail(c, CLI_FAILED, "path", NULL, "%s: %s", path,
				*s->edit.why != '\0' ? s->edit.why :
				err_text(err));
	s->edit = was;
	if ((status = check_new(c, s, text, len)) == CLI_OK) {
		if (conf_file_replace(f->name, text, len, 0644) != 0)
			status = cli_fail(c, CLI_FAILED, "write", "run the "
					  "command as root", "cannot write %s: "
					  "%s", f->name, strerror(errno));
		else if (!is_quiet)
			status = tell(c, s, path, value);
	}
	free(text);
	return status;
}

int
conf_file_open(struct cli *c, const char *config, struct conf **out)
{
	struct conf_errs *errs = calloc(1, sizeof(*errs));
	char *text = NULL;
	size_t len;
	int err;

	*out = NULL;
	if (errs == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	err = conf_read(config, &text, &len, errs);
	if (err == 0)
		err = conf_parse(text, len, config, NULL, out, errs);
	if (err != 0) {
		*out = NULL;
		cli_fail(c, CLI_FAILED, "check", "tapir check shows what is "
			 "wrong", "%.200s: %s", config, errs->n > 0 ?
			 errs->e[0].text : err_text(err));
	}
	free(text);
	free(errs);
	return err == 0 ? CLI_OK : CLI_FAILED;
}

int
conf_file_set(struct cli *c, const char *config, const char *path,
	      const char *value)
{
	struct files s;
	int status;

	if ((status = files_read(c, &s, config)) == CLI_OK &&
	    (status = files_find(c, &s, path)) == CLI_OK)
		status = change(c, &s, path, value, true);
	files_free(&s);
	return status;
}

int
cmd_set(struct cli *c, int argc, char **argv)
{
	const char *config = CLI_CONF;
	bool is_unset = false;
	struct cli_opt opt[] = {
		{ 'c', "config", NULL, &config },
		{ 0, "unset", &is_unset, NULL },
	};
	struct files s;
	int status;

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 2)) < 0)
		return CLI_USAGE;
	if (argc != (is_unset ? 1 : 2))
		return cli_fail(c, CLI_USAGE, "usage", "usage: tapir set PATH "
				"VALUE, or tapir set --unset PATH",
				is_unset ? "--unset needs a path and no value" :
				"set needs a path and a value");
	if ((status = files_read(c, &s, config)) == CLI_OK &&
	    (status = files_find(c, &s, argv[0])) == CLI_OK)
		status = change(c, &s, argv[0], is_unset ? NULL : argv[1],
				false);
	files_free(&s);
	return status;
}

int
cmd_schema(struct cli *c, int argc, char **argv)
{
	if (cli_opts(c, NULL, 0, argc, argv, 0) < 0)
		return CLI_USAGE;
	if (c->is_json)
		return cli_fail(c, CLI_USAGE, "usage", NULL,
				"the schema is XML");
	conf_schema(c->out);
	return CLI_OK;
}
