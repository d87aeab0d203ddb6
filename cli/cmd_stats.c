/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_stats.c - tapir stats: what the packet path did, and why packets were
 * dropped.
 *
 * The daemon sends counts; means and shares are made here.
 */
#include <stdlib.h>
#include <string.h>
#include "cli/ask.h"
#include "cli/json.h"

#define SA_SHOWN 10 /* busiest pairs in the table; ours */

/* Counts of all records of a worker. */
static double
net_bytes(const struct ask_list *a, uint64_t worker)
{
	double n = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct bus_rec *r = &a->rec[i];

		if (r->desc->row == BUS_RES_STAGE &&
		    bus_u64(r, BUS_F_WORKER) == worker &&
		    strncmp(bus_str(r, BUS_F_STAGE), "net-", 4) == 0)
			n += (double)bus_u64(r, BUS_F_N_BYTES);
	}
	return n;
}

/* part / whole, 0 when there was nothing. */
static double
ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

static double
field_ratio(const struct bus_rec *r, enum bus_field part, enum bus_field whole)
{
	return ratio((double)bus_u64(r, part), (double)bus_u64(r, whole));
}

static double
ns_per_byte(const struct ask_list *a, const struct bus_rec *r)
{
	return ratio((double)bus_u64(r, BUS_F_CPU_NS),
		     net_bytes(a, bus_u64(r, BUS_F_WORKER)));
}

/* ---- JSON ----------------------------------------------------------------- */

static const struct {
	const char *key;
	enum bus_row row;
} parts[] = {
	{ "stats", BUS_RES_STAT },   { "drops", BUS_RES_COUNTER },
	{ "workers", BUS_RES_WORKER }, { "stages", BUS_RES_STAGE },
	{ "queues", BUS_RES_QUEUE }, { "sas", BUS_RES_SA },
	{ "peer_drops", BUS_RES_PEER_DROP },
};

static void
json_rec(struct json *j, const struct ask_list *a, const struct bus_rec *r)
{
	json_fields(j, r, BUS_F_END);
	if (r->desc->row == BUS_RES_WORKER)
		json_f64(j, "ns_per_byte", ns_per_byte(a, r));
	if (r->desc->row == BUS_RES_STAGE) {
		json_f64(j, "per_batch",
			 field_ratio(r, BUS_F_N_PACKET, BUS_F_N_BATCH));
		json_f64(j, "per_train",
			 field_ratio(r, BUS_F_N_IN_TRAIN, BUS_F_N_TRAIN));
		json_f64(j, "train_share",
			 field_ratio(r, BUS_F_N_IN_TRAIN, BUS_F_N_PACKET));
	}
}

static void
stats_json(struct cli *c, const struct ask_list *a)
{
	struct json j;

	json_init(&j, c->out);
	json_obj(&j, NULL);
	for (unsigned p = 0; p < N_OF(parts); p++) {
		json_arr(&j, parts[p].key);
		for (size_t i = 0; i < a->n; i++) {
			if (a->rec[i].desc->row != parts[p].row)
				continue;
			json_obj(&j, NULL);
			json_rec(&j, a, &a->rec[i]);
			json_obj_end(&j);
		}
		json_arr_end(&j);
	}
	for (size_t i = 0; i < a->n; i++)
		if (a->rec[i].desc->row == BUS_RES_DATAPATH) {
			json_obj(&j, "datapath");
			json_fields(&j, &a->rec[i], BUS_F_END);
			json_obj_end(&j);
		}
	json_obj_end(&j);
	json_end(&j);
}

/* ---- tables --------------------------------------------------------------- */

static const struct show_col worker_col[] = {
	{ "WORKER", true, 0 }, { "CPU S", true, 0 },  { "NS/BYTE", true, 0 },
	{ "WAKE-UPS", true, 0 }, { "HANDED", true, 0 }, { "REFUSED", true, 0 },
	{ "DROPPED", true, 0 },
};
static const struct show_col stage_col[] = {
	{ "WORKER", true, 0 }, { "STAGE", false, 0 },	 { "PACKETS", true, 0 },
	{ "BYTES", true, 0 },  { "A BATCH", true, 0 }, { "IN TRAINS", true, 0 },
	{ "A TRAIN", true, 0 },
};
static const struct show_col queue_col[] = {
	{ "WORKER", true, 0 },	{ "QUEUE", false, 0 }, { "NOW", true, 0 },
	{ "HIGHEST", true, 0 }, { "LIMIT", true, 0 },  { "DROPPED", true, 0 },
};
static const struct show_col sa_col[] = {
	{ "SA IN", false, 0 }, { "OF", false, 8 },    { "WORKER", true, 0 },
	{ "RX PKTS", true, 0 }, { "RX", true, 0 },    { "TX PKTS", true, 0 },
	{ "TX", true, 0 },	{ "REPLAY", true, 0 }, { "ICV", true, 0 },
};
static const struct show_col stat_col[] = {
	{ "NAME", false, 16 }, { "VALUE", true, 0 },
};
static const struct show_col drop_col[] = {
	{ "DROPPED", false, 12 }, { "TIMES", true, 0 }, { "BY", false, 0 },
	{ "BECAUSE", false, 20 },
};

static const struct show_col peer_drop_col[] = {
	{ "PEER", false, 12 }, { "DROPPED", false, 12 }, { "TIMES", true, 0 },
	{ "BECAUSE", false, 20 },
};

static void
str_cell(struct show_table *t, const struct bus_rec *r, enum bus_field f)
{
	show_cell(t, SHOW_PLAIN, "%s", bus_str(r, f));
}

static void
short_cell(struct show_table *t, const struct bus_rec *r, enum bus_field f)
{
	char b[16];

	show_cell(t, SHOW_PLAIN, "%s", show_short(bus_u64(r, f), b, sizeof(b)));
}

static void
num_cell(struct show_table *t, const struct bus_rec *r, enum bus_field f)
{
	show_cell(t, SHOW_PLAIN, "%llu", (unsigned long long)bus_u64(r, f));
}

static void
worker_row(struct show_table *t, const struct ask_list *a,
	   const struct bus_rec *r)
{
	num_cell(t, r, BUS_F_WORKER);
	show_cell(t, SHOW_PLAIN, "%.2f",
		  (double)bus_u64(r, BUS_F_CPU_NS) / 1e9);
	show_cell(t, SHOW_PLAIN, "%.2f", ns_per_byte(a, r));
	short_cell(t, r, BUS_F_N_WAKE);
	short_cell(t, r, BUS_F_N_HANDED);
	short_cell(t, r, BUS_F_N_REFUSED);
	short_cell(t, r, BUS_F_N_DROP);
}

static void
stage_row(struct show_table *t, const struct ask_list *a UNUSED,
	  const struct bus_rec *r)
{
	num_cell(t, r, BUS_F_WORKER);
	str_cell(t, r, BUS_F_STAGE);
	short_cell(t, r, BUS_F_N_PACKET);
	short_cell(t, r, BUS_F_N_BYTES);
	show_cell(t, SHOW_PLAIN, "%.1f",
		  field_ratio(r, BUS_F_N_PACKET, BUS_F_N_BATCH));
	show_cell(t, SHOW_PLAIN, "%.0f %%", 100 *
		  field_ratio(r, BUS_F_N_IN_TRAIN, BUS_F_N_PACKET));
	show_cell(t, SHOW_PLAIN, "%.1f",
		  field_ratio(r, BUS_F_N_IN_TRAIN, BUS_F_N_TRAIN));
}

static void
queue_row(struct show_table *t, const struct ask_list *a UNUSED,
	  const struct bus_rec *r)
{
	num_cell(t, r, BUS_F_WORKER);
	str_cell(t, r, BUS_F_QUEUE);
	short_cell(t, r, BUS_F_N_NOW);
	short_cell(t, r, BUS_F_N_HIGH);
	short_cell(t, r, BUS_F_LIMIT);
	short_cell(t, r, BUS_F_N_DROP);
}

static void
sa_row(struct show_table *t, const struct ask_list *a UNUSED,
       const struct bus_rec *r)
{
	show_cell(t, SHOW_PLAIN, "%08llx",
		  (unsigned long long)bus_u64(r, BUS_F_SPI_IN));
	show_cell(t, SHOW_PLAIN, "%s/%s", bus_str(r, BUS_F_REALM),
		  bus_str(r, BUS_F_PEER));
	num_cell(t, r, BUS_F_WORKER);
	short_cell(t, r, BUS_F_RX_PACKETS);
	short_cell(t, r, BUS_F_RX_BYTES);
	short_cell(t, r, BUS_F_TX_PACKETS);
	short_cell(t, r, BUS_F_TX_BYTES);
	short_cell(t, r, BUS_F_N_REPLAY);
	short_cell(t, r, BUS_F_N_ICV);
}

static void
stat_row(struct show_table *t, const struct ask_list *a UNUSED,
	 const struct bus_rec *r)
{
	str_cell(t, r, BUS_F_NAME);
	num_cell(t, r, BUS_F_VALUE);
}

static void
drop_row(struct show_table *t, const struct ask_list *a UNUSED,
	 const struct bus_rec *r)
{
	str_cell(t, r, BUS_F_NAME);
	num_cell(t, r, BUS_F_VALUE);
	str_cell(t, r, BUS_F_OWNER);
	str_cell(t, r, BUS_F_TEXT);
}

static void
peer_drop_row(struct show_table *t, const struct ask_list *a UNUSED,
	      const struct bus_rec *r)
{
	show_cell(t, SHOW_PLAIN, "%s/%s", bus_str(r, BUS_F_REALM),
		  bus_str(r, BUS_F_PEER));
	str_cell(t, r, BUS_F_NAME);
	num_cell(t, r, BUS_F_VALUE);
	str_cell(t, r, BUS_F_TEXT);
}

/* Is it worth a line when not everything is asked for? */
static bool
says_something(const struct bus_rec *r)
{
	switch (r->desc->row) {
	case BUS_RES_STAGE:
		return bus_u64(r, BUS_F_N_PACKET) != 0;
	case BUS_RES_QUEUE:
		return bus_u64(r, BUS_F_N_HIGH) != 0 ||
		    bus_u64(r, BUS_F_N_DROP) != 0;
	case BUS_RES_STAT: /* what is not in the tables */
		return bus_u64(r, BUS_F_VALUE) != 0 &&
		    strncmp(bus_str(r, BUS_F_NAME), "worker", 6) != 0 &&
		    strncmp(bus_str(r, BUS_F_NAME), "without-", 8) != 0;
	case BUS_RES_COUNTER:
		return bus_u64(r, BUS_F_VALUE) != 0;
	default:
		return true;
	}
}

static uint64_t
sa_bytes(const struct bus_rec *r)
{
	return bus_u64(r, BUS_F_RX_BYTES) + bus_u64(r, BUS_F_TX_BYTES);
}

static int
busier(const void *x, const void *y)
{
	uint64_t a = sa_bytes(x), b = sa_bytes(y);

	return a < b ? 1 : a > b ? -1 : 0;
}

static const struct block {
	enum bus_row row;
	const struct show_col *col;
	unsigned n_col;
	void (*line)(struct show_table *t, const struct ask_list *a,
		     const struct bus_rec *r);
	unsigned max;		/* lines unless all are asked for; 0 = all */
} blocks[] = {
	{ BUS_RES_WORKER, worker_col, N_OF(worker_col), worker_row, 0 },
	{ BUS_RES_STAGE, stage_col, N_OF(stage_col), stage_row, 0 },
	{ BUS_RES_QUEUE, queue_col, N_OF(queue_col), queue_row, 0 },
	{ BUS_RES_SA, sa_col, N_OF(sa_col), sa_row, SA_SHOWN },
	{ BUS_RES_STAT, stat_col, N_OF(stat_col), stat_row, 0 },
	{ BUS_RES_PEER_DROP, peer_drop_col, N_OF(peer_drop_col), peer_drop_row,
	  SA_SHOWN },
	{ BUS_RES_COUNTER, drop_col, N_OF(drop_col), drop_row, 0 },
};

/* A table with an empty line behind it, if it has lines.  Their number. */
static unsigned
block_print(struct cli *c, const struct ask_list *a, const struct block *b,
	    bool is_all)
{
	struct show_table *t = show_table_new(b->col, b->n_col);
	unsigned n = 0, max = is_all || b->max == 0 ? UINT32_MAX : b->max;

	for (size_t i = 0; i < a->n; i++) {
		const struct bus_rec *r = &a->rec[i];

		if (r->desc->row != b->row || (!is_all && !says_something(r)))
			continue;
		if (n++ < max)
			b->line(t, a, r);
	}
	if (n > 0) {
		if (b != blocks)
			fputc('\n', c->out);
		show_table_print(&c->show, t, 0);
		if (n > max)
			fprintf(c->out, "and %u more: tapir stats --all\n",
				n - max);
	}
	show_table_free(t);
	return n;
}

static void
stats_table(struct cli *c, struct ask_list *a, bool is_all)
{
	unsigned n = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct bus_rec *r = &a->rec[i];
		const char *without = bus_str(r, BUS_F_WITHOUT);

		if (r->desc->row == BUS_RES_DATAPATH)
			fprintf(c->out, "provider %s, rule %s, workers: %llu"
				"%s%s\n\n", bus_str(r, BUS_F_PROVIDER),
				bus_str(r, BUS_F_RULE), (unsigned long long)
				bus_u64(r, BUS_F_N_WORKER),
				*without != '\0' ? "; without " : "", without);
	}
	for (unsigned k = 0; k < N_OF(blocks); k++)
		n = block_print(c, a, &blocks[k], is_all);
	if (n == 0) /* the last one: reasons */
		fprintf(c->out, "\nnothing was dropped\n");
}

/* SAs by their traffic; the others keep their order, as equals are not moved
 * past them: the daemon sends all SAs in one run. */
static void
sort_sas(struct ask_list *a)
{
	size_t from = 0, to;

	while (from < a->n && a->rec[from].desc->row != BUS_RES_SA)
		from++;
	for (to = from; to < a->n && a->rec[to].desc->row == BUS_RES_SA;)
		to++;
	if (to > from)
		qsort(a->rec + from, to - from, sizeof(*a->rec), busier);
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
	sort_sas(&a);
	if (status == CLI_OK && c->is_json)
		stats_json(c, &a);
	else if (status == CLI_OK)
		stats_table(c, &a, is_all);
	ask_list_fini(&a);
	return status;
}
