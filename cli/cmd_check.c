/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_check.c - tapir check: a configuration file looked at, not used.
 */
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "cli/json.h"
#include "conf/conf.h"
#include "daemon/base/err.h"
#include "daemon/bus/bus_text.h"

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
	   const struct conf_errs *errs, bool is_ok)
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
		json_u64(&j, "line", errs->e[i].line);
		json_str(&j, "text", errs->e[i].text);
		json_obj_end(&j);
	}
	json_arr_end(&j);
	json_obj_end(&j);
	json_end(&j);
}

static void
check_text(struct cli *c, const char *file, const struct conf *conf,
	   const struct conf_errs *errs, bool is_ok)
{
	unsigned n = errs->n + errs->n_more, n_peer = count_peers(conf);
	char name[CONF_FILE_MAX];

	bus_print_text(file, name, sizeof(name));
	if (!is_ok) {
		conf_errs_print(errs, c->out);
		fprintf(c->out, "%s: %u mistake%s\n", name, n, n == 1 ? "" : "s");
		return;
	}
	fprintf(c->out, "%s: correct, %u realm%s with %u peer%s\n", name,
		conf->n_realm, conf->n_realm == 1 ? "" : "s", n_peer,
		n_peer == 1 ? "" : "s");
}

int
cmd_check(struct cli *c, int argc, char **argv)
{
	struct conf_errs *errs;
	struct conf *conf = NULL;
	const char *file;
	int err;

	if ((argc = cli_opts(c, NULL, 0, argc, argv, 1)) < 0)
		return CLI_USAGE;
	file = argc > 0 ? argv[0] : CLI_CONF;
	if ((errs = calloc(1, sizeof(*errs))) == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	err = conf_load(file, &conf, errs);
	if (err != 0)
		conf = NULL;
	if (err != 0 && errs->n == 0)
		cli_fail(c, CLI_FAILED, "check", NULL, "%s: %s", file,
			 err_text(err));
	else if (c->is_json)
		check_json(c, file, conf, errs, err == 0);
	else
		check_text(c, file, conf, errs, err == 0);
	conf_free(conf);
	free(errs);
	return err == 0 ? CLI_OK : CLI_FAILED;
}
