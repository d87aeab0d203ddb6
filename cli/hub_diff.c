/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/hub_diff.c - changes between two looks at a hub's tables.
 *
 * Both are sorted by what a row is about, then read side by side.
 */
#include "cli/hub.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cli/json.h"
#include "daemon/base/err.h"
#include "daemon/bus/bus_text.h"

/* The fields that say what a row is about, and those that may change. */
static const struct row_kind {
	enum bus_row row;
	const char *name;
	enum bus_field key[3], value[2];
} kinds[] = {
	{ BUS_RES_PORT, "port", { BUS_F_PORT, BUS_F_END },
	  { BUS_F_STATE, BUS_F_KIND } },
	{ BUS_RES_MAC, "mac", { BUS_F_MAC, BUS_F_END },
	  { BUS_F_PORT, BUS_F_END } },
	{ BUS_RES_NEIGH, "arp", { BUS_F_IP, BUS_F_END },
	  { BUS_F_MAC, BUS_F_PORT } },
	{ BUS_RES_GROUP, "group", { BUS_F_IP, BUS_F_KIND, BUS_F_PORT },
	  { BUS_F_END } },
};

static const struct row_kind *
kind_of(const struct bus_rec *r)
{
	for (unsigned i = 0; i < N_OF(kinds); i++)
		if (kinds[i].row == r->desc->row)
			return &kinds[i];
	return NULL;
}

static uint64_t
vlan_of(const struct bus_rec *r)
{
	return r->desc->row == BUS_RES_PORT ? 0 : bus_u64(r, BUS_F_VLAN);
}

static int
compare(const struct bus_rec *a, const struct bus_rec *b)
{
	const struct row_kind *ka = kind_of(a), *kb = kind_of(b);
	int n;

	if (ka != kb)
		return ka < kb ? -1 : 1;
	if ((n = strcmp(bus_str(a, BUS_F_REALM), bus_str(b, BUS_F_REALM))) != 0)
		return n;
	if (vlan_of(a) != vlan_of(b))
		return vlan_of(a) < vlan_of(b) ? -1 : 1;
	for (unsigned i = 0; i < N_OF(ka->key) && ka->key[i] != BUS_F_END; i++)
		if ((n = strcmp(bus_str(a, ka->key[i]),
				bus_str(b, ka->key[i]))) != 0)
			return n;
	return 0;
}

static int
by_key(const void *a, const void *b)
{
	return compare(*(const struct bus_rec *const *)a,
		       *(const struct bus_rec *const *)b);
}

static bool
is_changed(const struct bus_rec *a, const struct bus_rec *b)
{
	const struct row_kind *k = kind_of(a);

	for (unsigned i = 0; i < N_OF(k->value) && k->value[i] != BUS_F_END; i++)
		if (strcmp(bus_str(a, k->value[i]),
			   bus_str(b, k->value[i])) != 0)
			return true;
	return false;
}

/* The rows of an answer in order; *n of them. */
static const struct bus_rec **
sorted(const struct ask_list *a, size_t *n)
{
	const struct bus_rec **p = calloc(a->n + 1, sizeof(*p));

	*n = 0;
	for (size_t i = 0; p != NULL && i < a->n; i++)
		if (kind_of(&a->rec[i]) != NULL)
			p[(*n)++] = &a->rec[i];
	if (p != NULL)
		qsort(p, *n, sizeof(*p), by_key);
	return p;
}

int
hub_diff(const struct ask_list *before, const struct ask_list *now,
	 hub_change_fn *fn, void *ctx)
{
	size_t n_a, n_b, i = 0, k = 0;
	const struct bus_rec **a = sorted(before, &n_a);
	const struct bus_rec **b = sorted(now, &n_b);
	int err = a == NULL || b == NULL ? ERR_NOMEM : 0;

	while (err == 0 && (i < n_a || k < n_b)) {
		int n = i == n_a ? 1 : k == n_b ? -1 : compare(a[i], b[k]);

		if (n < 0) {
			fn(ctx, HUB_GONE, a[i++], NULL);
			continue;
		}
		if (n > 0)
			fn(ctx, HUB_ADDED, b[k], NULL);
		else if (is_changed(a[i], b[k]))
			fn(ctx, HUB_CHANGED, b[k], a[i]);
		i += n == 0;
		k++;
	}
	free(a);
	free(b);
	return err;
}

static void
show_line(struct cli *c, enum hub_change what, const struct bus_rec *r,
	  const struct bus_rec *was)
{
	static const char mark[] = { '+', '-', '>' };
	const struct row_kind *k = kind_of(r);
	char raw[BUS_SENTENCE_MAX] = "", text[BUS_SENTENCE_MAX], at[16] = "";
	time_t t = time(NULL);
	size_t n = 0;
	struct tm tm;

	if (localtime_r(&t, &tm) != NULL)
		strftime(at, sizeof(at), "%H:%M:%S", &tm);
	n += (size_t)snprintf(raw, sizeof(raw), "%s %c %s %s", at, mark[what],
			      bus_str(r, BUS_F_REALM), k->name);
	if (vlan_of(r) != 0)
		n += (size_t)snprintf(raw + n, sizeof(raw) - n, " vlan %u",
				      (unsigned)vlan_of(r));
	for (unsigned i = 0; i < N_OF(k->key) && n < sizeof(raw) &&
	     k->key[i] != BUS_F_END; i++)
		n += (size_t)snprintf(raw + n, sizeof(raw) - n, " %s",
				      bus_str(r, k->key[i]));
	for (unsigned i = 0; i < N_OF(k->value) && n < sizeof(raw) &&
	     k->value[i] != BUS_F_END; i++)
		n += (size_t)snprintf(raw + n, sizeof(raw) - n, " %s",
				      bus_str(r, k->value[i]));
	if (was != NULL && n < sizeof(raw))
		snprintf(raw + n, sizeof(raw) - n, " (was %s)",
			 bus_str(was, k->value[0]));
	fprintf(c->out, "%s\n", bus_print_text(raw, text, sizeof(text)));
}

void
hub_change_show(struct cli *c, enum hub_change what, const struct bus_rec *r,
		const struct bus_rec *was)
{
	static const char *const word[] = { "added", "gone", "changed" };
	struct json j;

	if (!c->is_json) {
		show_line(c, what, r, was);
		return;
	}
	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_str(&j, "change", word[what]);
	json_str(&j, "what", kind_of(r)->name);
	json_fields(&j, r, BUS_F_END);
	json_obj_end(&j);
	json_end(&j);
}
