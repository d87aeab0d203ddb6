/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_stats.c - tapir stats: counters, and why packets were dropped.
 */
#include "cli/ask.h"
#include "cli/json.h"

static const struct show_col stat_col[] = {
	{ "NAME", false, 16 }, { "VALUE", true, 0 }, { "OF", false, 10 },
};
static const struct show_col drop_col[] = {
	{ "DROPPED", false, 12 }, { "TIMES", true, 0 }, { "BY", false, 0 },
	{ "BECAUSE", false, 20 },
};

static void
str_cell(struct show_table *t, const struct bus_rec *r, enum bus_field f)
{
	show_cell(t, SHOW_PLAIN, "%s", bus_str(r, f));
}

static void
stats_json(struct cli *c, const struct ask_list *a)
{
	static const struct {
		const char *key;
		enum bus_row row;
	} part[] = { { "stats", BUS_RES_STAT }, { "drops", BUS_RES_COUNTER } };
	struct json j;
	unsigned p;
	size_t i;

	json_init(&j, c->out);
	json_obj(&j, NULL);
	for (p = 0; p < N_OF(part); p++) {
		json_arr(&j, part[p].key);
		for (i = 0; i < a->n; i++) {
			if (a->rec[i].desc->row != part[p].row)
				continue;
			json_obj(&j, NULL);
			json_fields(&j, &a->rec[i], BUS_F_END);
			json_obj_end(&j);
		}
		json_arr_end(&j);
	}
	json_obj_end(&j);
	json_end(&j);
}

static void
stats_table(struct cli *c, const struct ask_list *a, bool is_all)
{
	struct show_table *st = show_table_new(stat_col, N_OF(stat_col));
	struct show_table *dt = show_table_new(drop_col, N_OF(drop_col));
	size_t i, n_stat = 0, n_drop = 0;

	for (i = 0; i < a->n; i++) {
		const struct bus_rec *r = &a->rec[i];
		const char *peer = bus_str(r, BUS_F_PEER);

		if (bus_u64(r, BUS_F_VALUE) == 0 && !is_all)
			continue;
		if (r->desc->row == BUS_RES_STAT) {
			n_stat++;
			str_cell(st, r, BUS_F_NAME);
			show_cell(st, SHOW_PLAIN, "%llu",
				  (unsigned long long)bus_u64(r, BUS_F_VALUE));
			show_cell(st, SHOW_PLAIN, "%s%s%s",
				  bus_str(r, BUS_F_REALM),
				  *peer != '\0' ? "/" : "", peer);
		} else if (r->desc->row == BUS_RES_COUNTER) {
			n_drop++;
			str_cell(dt, r, BUS_F_NAME);
			show_cell(dt, SHOW_PLAIN, "%llu",
				  (unsigned long long)bus_u64(r, BUS_F_VALUE));
			str_cell(dt, r, BUS_F_OWNER);
			str_cell(dt, r, BUS_F_TEXT);
		}
	}
	if (n_stat > 0)
		show_table_print(&c->show, st, 0);
	if (n_stat > 0 && n_drop > 0)
		fputc('\n', c->out);
	if (n_drop > 0)
		show_table_print(&c->show, dt, 0);
	else
		fprintf(c->out, "nothing was dropped\n");
	show_table_free(st);
	show_table_free(dt);
}

int
cmd_stats(struct cli *c, int argc, char **argv)
{
	struct ask_list a = { 0 };
	struct bus_rec cmd, end;
	bool is_all = false;
	struct cli_opt opt[] = { { 'a', "all", &is_all, NULL } };
	int status;

	if (cli_opts(c, opt, N_OF(opt), argc, argv, 0) < 0)
		return CLI_USAGE;
	bus_rec_init(&cmd, BUS_CMD_STATS);
	status = ask(c, &cmd, ask_keep, &a, &end);
	if (status == CLI_OK && c->is_json)
		stats_json(c, &a);
	else if (status == CLI_OK)
		stats_table(c, &a, is_all);
	ask_list_fini(&a);
	return status;
}
