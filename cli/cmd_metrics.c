/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_metrics.c - tapir metrics: all numbers as Prometheus text.
 */
#include "cli/ask.h"
#include "daemon/bus/metrics.h"

int
cmd_metrics(struct cli *c, int argc, char **argv)
{
	struct metrics *m = NULL;
	struct bus_rec cmd, end;
	int err, status;

	if (cli_opts(c, NULL, 0, argc, argv, 0) < 0)
		return CLI_USAGE;
	if ((err = metrics_new(&m)) != 0)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "%s",
				err_text(err));
	bus_rec_init(&cmd, BUS_CMD_METRICS);
	status = ask(c, &cmd, metrics_add, m, &end);
	if (status != CLI_OK)
		goto out;
	if ((err = metrics_check(m)) != 0) {
		status = cli_fail(c, CLI_FAILED, "answer", NULL,
				  "the answer of tapird is too long: %s",
				  err_text(err));
	} else if (c->is_json) {
		fputs("{\"metrics\":", c->out);
		metrics_json(m, c->out);
		fputs("}\n", c->out);
	} else {
		metrics_write(m, c->out);
	}
out:
	metrics_free(m);
	return status;
}
