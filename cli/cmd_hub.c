/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_hub.c - tapir hub: tables of the virtual hub.
 */
#include <poll.h>
#include <string.h>
#include "cli/hub.h"
#include "cli/json.h"
#include "daemon/base/str.h"

#define WATCH_MS 1000

/* ---- hub -------------------------------------------------------------------- */

static const struct show_col port_col[] = {
	{ "REALM", false, 6 },	{ "PORT", false, 8 },	  { "KIND", false, 0 },
	{ "MACS", true, 0 },	{ "RX PK", true, 0 }, { "RX", true, 0 },
	{ "TX PK", true, 0 }, { "TX", true, 0 },	  { "FLOOD", true, 0 },
	{ "DROP", true, 0 },	{ "STATE", false, 0 },
};
static const struct show_col mac_col[] = {
	{ "REALM", false, 6 }, { "VLAN", true, 0 }, { "MAC", false, 0 },
	{ "PORT", false, 8 },  { "SEEN", true, 0 },
};
static const struct show_col neigh_col[] = {
	{ "REALM", false, 6 }, { "VLAN", true, 0 }, { "IP", false, 15 },
	{ "MAC", false, 0 },   { "PORT", false, 8 },  { "SEEN", true, 0 },
};

static const struct show_col group_col[] = {
	{ "REALM", false, 6 }, { "VLAN", true, 0 }, { "GROUP", false, 15 },
	{ "PORT", false, 8 },  { "LEFT", true, 0 },
};

static void
short_cell(struct show_table *t, const struct bus_rec *r, enum bus_field f)
{
	char b[16];

	show_cell(t, SHOW_PLAIN, "%s", show_short(bus_u64(r, f), b, sizeof(b)));
}

static void
age_cell(struct show_table *t, const struct bus_rec *r)
{
	char b[16];

	show_cell(t, SHOW_PLAIN, "%s", bus_bool(r, BUS_F_IS_STATIC) ? "static" :
		  show_age((int64_t)bus_u64(r, BUS_F_AGE_S), b, sizeof(b)));
}

static void
str_cell(struct show_table *t, const struct bus_rec *r, enum bus_field f)
{
	show_cell(t, SHOW_PLAIN, "%s", bus_str(r, f));
}

static void
vlan_cell(struct show_table *t, const struct bus_rec *r)
{
	uint64_t vlan = bus_u64(r, BUS_F_VLAN);

	if (vlan == 0)
		show_cell(t, SHOW_PLAIN, "-");
	else
		show_cell(t, SHOW_PLAIN, "%u", (unsigned)vlan);
}

static void
left_cell(struct show_table *t, const struct bus_rec *r)
{
	char b[16];

	show_cell(t, SHOW_PLAIN, "%s", show_age((int64_t)bus_u64(r,
		  BUS_F_LEFT_S), b, sizeof(b)));
}

static void
state_cell(struct show_table *t, const struct bus_rec *r)
{
	const char *state = bus_str(r, BUS_F_STATE);
	unsigned left = (unsigned)bus_u64(r, BUS_F_RETRY_S);

	if (strcmp(state, "blocked") == 0)
		show_cell(t, SHOW_BAD, "blocked %us", left);
	else
		show_cell(t, SHOW_PLAIN, "%s", bus_bool(r, BUS_F_IS_ISOLATED) ?
			  "isolated" : state);
}

static void
hub_row(struct show_table *t, const struct bus_rec *r, bool has_realm)
{
	if (has_realm)
		str_cell(t, r, BUS_F_REALM);
	switch (r->desc->row) {
	case BUS_RES_PORT:
		str_cell(t, r, BUS_F_PORT);
		str_cell(t, r, BUS_F_KIND);
		short_cell(t, r, BUS_F_N_MAC);
		short_cell(t, r, BUS_F_RX_PACKETS);
		short_cell(t, r, BUS_F_RX_BYTES);
		short_cell(t, r, BUS_F_TX_PACKETS);
		short_cell(t, r, BUS_F_TX_BYTES);
		short_cell(t, r, BUS_F_N_FLOOD);
		short_cell(t, r, BUS_F_N_DROP);
		state_cell(t, r);
		break;
	case BUS_RES_MAC:
		vlan_cell(t, r);
		str_cell(t, r, BUS_F_MAC);
		str_cell(t, r, BUS_F_PORT);
		age_cell(t, r);
		break;
	case BUS_RES_GROUP:
		vlan_cell(t, r);
		str_cell(t, r, *bus_str(r, BUS_F_IP) != '\0' ? BUS_F_IP :
			 BUS_F_KIND);
		str_cell(t, r, BUS_F_PORT);
		left_cell(t, r);
		break;
	default:
		vlan_cell(t, r);
		str_cell(t, r, BUS_F_IP);
		str_cell(t, r, BUS_F_MAC);
		str_cell(t, r, BUS_F_PORT);
		age_cell(t, r);
		break;
	}
}

/* What hub can show. */
static const struct hub_kind {
	const char *word, *key;
	enum bus_row row;
	const struct show_col *col;
	unsigned n_col;
	const char *none;
} hub_kinds[] = {
	{ "ports", "ports", BUS_RES_PORT, port_col, N_OF(port_col),
	  "no ports" },
	{ "mac", "macs", BUS_RES_MAC, mac_col, N_OF(mac_col),
	  "no MAC address learned yet" },
	{ "arp", "neighbours", BUS_RES_NEIGH, neigh_col, N_OF(neigh_col),
	  "no IP address learned yet" },
	{ "groups", "groups", BUS_RES_GROUP, group_col, N_OF(group_col),
	  "no multicast group joined, no router heard" },
};

static const struct hub_kind *
hub_kind_find(const char *word)
{
	unsigned i;

	for (i = 0; i < N_OF(hub_kinds); i++)
		if (strcmp(hub_kinds[i].word, word) == 0)
			return &hub_kinds[i];
	return NULL;
}

static void
hub_json(struct cli *c, const struct ask_list *a, const struct hub_kind *k)
{
	struct json j;

	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_rows(&j, k->key, a, k->row);
	json_obj_end(&j);
	json_end(&j);
}

/* Are these rows of several realms?  Of one, its name would only take room. */
static bool
has_realms(const struct ask_list *a, enum bus_row row)
{
	const char *first = NULL;

	for (size_t i = 0; i < a->n; i++) {
		const char *realm = bus_str(&a->rec[i], BUS_F_REALM);

		if (a->rec[i].desc->row != row)
			continue;
		if (first != NULL && strcmp(first, realm) != 0)
			return true;
		first = realm;
	}
	return false;
}

static void
hub_table(struct cli *c, const struct ask_list *a, const struct hub_kind *k)
{
	bool has_realm = has_realms(a, k->row);
	struct show_table *t = show_table_new(k->col + !has_realm,
					      k->n_col - !has_realm);
	size_t i, n = 0;

	for (i = 0; i < a->n; i++) {
		if (a->rec[i].desc->row != k->row)
			continue;
		hub_row(t, &a->rec[i], has_realm);
		n++;
	}
	if (n > 0)
		show_table_print(&c->show, t, 0);
	else
		fprintf(c->out, "%s\n", k->none);
	show_table_free(t);
}

static void
on_change(void *ctx, enum hub_change what, const struct bus_rec *r,
	  const struct bus_rec *was)
{
	hub_change_show(ctx, what, r, was);
}

/* Changes from now on, until interrupted or the daemon is gone. */
static int
watch(struct cli *c, struct bus_rec *cmd)
{
	struct ask_list before = { 0 }, now = { 0 };
	struct bus_rec end;
	bool is_first = true;
	int status;

	cli_catch();
	do {
		now = (struct ask_list){ 0 };
		status = ask(c, cmd, ask_keep, &now, &end);
		if (status == CLI_OK && !is_first &&
		    hub_diff(&before, &now, on_change, c) != 0)
			status = cli_fail(c, CLI_FAILED, "memory", NULL,
					  "out of memory");
		is_first = false;
		ask_list_fini(&before);
		before = now;
		fflush(c->out);
		if (status == CLI_OK && !cli_stopped)
			poll(NULL, 0, WATCH_MS);
	} while (status == CLI_OK && !cli_stopped);
	ask_list_fini(&before);
	return status;
}

int
cmd_hub(struct cli *c, int argc, char **argv)
{
	const struct hub_kind *k = &hub_kinds[0], *last;
	struct ask_list a = { 0 };
	struct bus_rec cmd, end;
	const char *realm = "";
	bool is_watch = false, is_all = true;
	struct cli_opt opt[] = { { 'w', "watch", &is_watch, NULL } };
	int status;

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 2)) < 0)
		return CLI_USAGE;
	if (argc > 0 && (last = hub_kind_find(argv[argc - 1])) != NULL) {
		k = last;
		is_all = false;
		argc--;
	} else if (argc == 2) {
		return cli_fail(c, CLI_USAGE, "usage",
				"usage: tapir hub [-w] [REALM] [ports|mac|arp|groups]",
				"hub: there are ports, mac, arp and groups, "
				"not '%s'",
				argv[1]);
	}
	if (argc > 1)
		return cli_fail(c, CLI_USAGE, "usage", NULL,
				"hub: '%s' is one word too many", argv[1]);
	if (argc == 1)
		realm = argv[0];
	bus_rec_init(&cmd, BUS_CMD_HUB);
	bus_set_str(&cmd, BUS_F_REALM, realm);
	bus_set_str(&cmd, BUS_F_WHAT, is_watch && is_all ? "" : k->word);
	if (is_watch)
		return watch(c, &cmd);
	status = ask(c, &cmd, ask_keep, &a, &end);
	if (status == CLI_OK && c->is_json)
		hub_json(c, &a, k);
	else if (status == CLI_OK)
		hub_table(c, &a, k);
	ask_list_fini(&a);
	return status;
}
