/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_check.c - tapir check: a configuration file looked at, not used.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/lab/proc.h"
#include "conf/conf.h"
#include "conf/role.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

#define CHECK_MS 10000	/* patience with tapir-secure; ours */

static unsigned
count_peers(const struct conf *conf)
{
	unsigned i, n = 0;

	for (i = 0; conf != NULL && i < conf->n_realm; i++)
		n += conf->realm[i].n_peer;
	return n;
}

static void
check_json(struct cli *c, const char *file, const struct conf *conf,
	   const struct conf_errs *errs, const struct conf_errs *warns,
	   bool is_ok)
{
	struct json j;
	unsigned i;

	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", is_ok);
	json_str(&j, "file", file);
	json_u64(&j, "n_realms", conf != NULL ? conf->n_realm : 0);
	json_u64(&j, "n_peers", count_peers(conf));
	json_u64(&j, "n_errors", errs->n + errs->n_more);
	json_arr(&j, "errors");
	for (i = 0; i < errs->n; i++) {
		json_obj(&j, NULL);
		json_str(&j, "file", conf_err_file(errs, &errs->e[i]));
		json_u64(&j, "line", errs->e[i].line);
		json_u64(&j, "column", errs->e[i].col);
		json_str(&j, "code", conf_code_name(errs->e[i].code));
		json_str(&j, "text", errs->e[i].text);
		json_obj_end(&j);
	}
	json_arr_end(&j);
	json_arr(&j, "warnings");
	for (i = 0; i < warns->n; i++)
		json_str(&j, NULL, warns->e[i].text);
	json_arr_end(&j);
	json_obj_end(&j);
	json_end(&j);
}

/* A line each, for grep and editors; wrapped on a terminal. */
static void
mistakes_text(struct cli *c, const struct conf_errs *errs)
{
	char *text = NULL, *save = NULL;
	size_t len = 0;
	FILE *f = c->show.is_tty ? open_memstream(&text, &len) : NULL;

	conf_errs_print(errs, f != NULL ? f : c->out);
	if (f == NULL || fclose(f) != 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		show_wrap(&c->show, 0, 4, line);
	free(text);
}

static void
check_text(struct cli *c, const char *file, const struct conf *conf,
	   const struct conf_errs *errs, const struct conf_errs *warns,
	   bool is_ok)
{
	unsigned n = errs->n + errs->n_more, n_peer = count_peers(conf);
	char name[CONF_FILE_MAX];

	bus_print_text(file, name, sizeof(name));
	if (!is_ok) {
		mistakes_text(c, errs);
		fprintf(c->out, "%s: %u mistake%s\n", name, n, n == 1 ? "" : "s");
		return;
	}
	mistakes_text(c, warns);
	fprintf(c->out, "%s: correct, %u realm%s with %u peer%s\n", name,
		conf->n_realm, conf->n_realm == 1 ? "" : "s", n_peer,
		n_peer == 1 ? "" : "s");
}

/* ---- keys and certificates ------------------------------------------------- */

static bool
has_certs(const struct conf *conf)
{
	for (unsigned i = 0; i < conf->n_realm; i++) {
		const struct conf_realm *r = &conf->realm[i];

		if (r->me.cert != NULL || r->me.key != NULL)
			return true;
		for (unsigned k = 0; k < r->n_peer; k++)
			if (r->peer[k].auth == CONF_AUTH_CERT)
				return true;
	}
	return false;
}

static void
add(struct conf_errs *to, const char *head, const char *text)
{
	struct conf_err *e = &to->e[to->n];

	if (to->n == CONF_ERR_MAX)
		return;
	e->file = e->line = e->col = 0;
	e->code = CONF_E_KEYFILE;
	e->text[0] = '\0';
	str_add(e->text, sizeof(e->text), "%s%s", head, text);
	to->n++;
}

/* Who may read the keys hears what is wrong with them, too; this program never
 * opens them, tapir-secure does.  0 or ERR_KEYFILE. */
static int
look_inside(const char *file, const struct conf *conf, struct conf_errs *errs,
	    struct conf_errs *warns)
{
	static const char bad[] = "error: ";
	char prog[PROC_PATH_MAX], keys[PROC_PATH_MAX], out[PROC_OUT_MAX] = "";
	const char *argv[] = { prog, "--check", file, NULL };
	const struct proc p = { .argv = argv };
	char *line, *rest = out;
	int status;

	conf_key_dir(file, keys, sizeof(keys));
	if (!has_certs(conf) || access(keys, R_OK | X_OK) != 0 ||
	    !proc_find_ours("tapir-secure", prog, sizeof(prog)))
		return 0;
	if ((status = proc_run(&p, CHECK_MS, out, sizeof(out))) < 0) {
		add(warns, "warning: the keys were not looked at: ",
		    err_text(status));
		return 0;
	}
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, bad, sizeof(bad) - 1) == 0)
			add(errs, "", line + sizeof(bad) - 1);
		else if (*line != '\0')
			add(warns, "", line);
	}
	return status > 0 ? ERR_KEYFILE : 0;
}

struct idle {
	const struct conf *conf;
	struct conf_errs *warns;
};

static void
warn_idle(void *ctx, const struct conf_role *r)
{
	const struct idle *i = ctx;
	const char *why = conf_role_idle(i->conf, r);
	char head[CONF_ERR_TEXT] = "";
	unsigned was = i->warns->n;

	if (why == NULL)
		return;
	str_add(head, sizeof(head), "warning: <match %s=\"%.80s\"> of realm "
		"%s is without effect: ", conf_match_word(r->kind), r->text,
		r->realm->name);
	add(i->warns, head, why);
	if (i->warns->n > was && r->pos.file == 0)
		i->warns->e[was].line = r->pos.line;
}

int
cmd_check(struct cli *c, int argc, char **argv)
{
	struct conf_errs *errs, *warns;
	struct conf *conf = NULL;
	const char *file;
	int err;

	if ((argc = cli_opts(c, NULL, 0, argc, argv, 1)) < 0)
		return CLI_USAGE;
	file = argc > 0 ? argv[0] : CLI_CONF;
	/* two of them: what is wrong, and what is only to be known */
	if ((errs = calloc(2, sizeof(*errs))) == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	warns = errs + 1;
	warns->n_file = 1;
	str_copy(warns->file[0], sizeof(warns->file[0]), file);
	err = conf_load(file, &conf, errs);
	if (err != 0) {
		conf = NULL;
	} else {
		conf_role_walk(conf, warn_idle,
			       &(struct idle){ conf, warns });
		err = look_inside(file, conf, errs, warns);
	}
	if (err != 0 && errs->n == 0)
		cli_fail(c, CLI_FAILED, "check", NULL, "%s: %s", file,
			 err_text(err));
	else if (c->is_json)
		check_json(c, file, conf, errs, warns, err == 0);
	else
		check_text(c, file, conf, errs, warns, err == 0);
	conf_free(conf);
	free(errs);
	return err == 0 ? CLI_OK : CLI_FAILED;
}
