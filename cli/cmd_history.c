/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_history.c - tapir history: when peers were up and down, and why.
 */
#include "cli/history.h"
#include <stdio.h>
#include <string.h>
#include "cli/json.h"
#include "cli/when.h"
#include "daemon/base/clk.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

/* ---- sums ---------------------------------------------------------------- */

enum turn { TURN_NONE, TURN_UP, TURN_DOWN, TURN_OFF, TURN_CLOCK };

/* What a row means to the peer's tunnel. */
static enum turn
turn_of(const struct bus_rec *r)
{
	static const struct {
		const char *code;
		enum turn turn;
	} row[] = {
		{ "peer-up", TURN_UP }, { "peer-alive", TURN_UP },
		{ "peer-suspect", TURN_UP }, { "peer-moved", TURN_UP },
		{ "peer-roamed", TURN_UP },
		{ "peer-down", TURN_DOWN }, { "peer-failed", TURN_DOWN },
		{ "auth-failed", TURN_DOWN },
		{ "peer-expelled", TURN_DOWN }, { "daemon-started", TURN_DOWN },
		{ "daemon-stopping", TURN_OFF }, { "clock-set", TURN_CLOCK },
	};

	for (unsigned i = 0; i < N_OF(row); i++)
		if (strcmp(row[i].code, bus_str(r, BUS_F_CODE)) == 0)
			return row[i].turn;
	return TURN_NONE;
}

static bool
is_of(const struct bus_rec *r, const char *realm, const char *peer)
{
	if (r->desc->row != BUS_RES_HISTORY)
		return false;
	if (*bus_str(r, BUS_F_REALM) == '\0')
		return true;	/* the daemon */
	return (*realm == '\0' || strcmp(realm, bus_str(r, BUS_F_REALM)) == 0) &&
	    strcmp(peer, bus_str(r, BUS_F_PEER)) == 0;
}

void
history_sum(const struct ask_list *a, const char *realm, const char *peer,
	    uint64_t now_ms, struct history_sum *out)
{
	enum turn was = TURN_NONE;
	uint64_t at = 0;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i <= a->n; i++) {
		const struct bus_rec *r = i < a->n ? &a->rec[i] : NULL;
		uint64_t t = r != NULL ? bus_u64(r, BUS_F_TIME_MS) : now_ms;
		enum turn turn;

		if (r != NULL && !is_of(r, realm, peer))
			continue;
		turn = r != NULL ? turn_of(r) : was;
		if (turn == TURN_CLOCK)	/* as if nothing was between */
			at = t;
		if (turn == TURN_NONE || turn == TURN_CLOCK)
			continue;
		if (at != 0 && t > at && was != TURN_OFF) {
			out->watched_ms += t - at;
			out->up_ms += was == TURN_UP ? t - at : 0;
		}
		if (out->from_ms == 0)
			out->from_ms = t;
		out->n_down += was == TURN_UP && turn != TURN_UP;
		was = turn;
		at = t;
	}
	out->is_up = was == TURN_UP;
}

/* ---- lines --------------------------------------------------------------- */

static const struct {
	const char *code, *word;
	enum show_tone tone;
} words[] = {
	{ "peer-up", "up", SHOW_GOOD },
	{ "peer-alive", "alive", SHOW_GOOD },
	{ "peer-suspect", "suspect", SHOW_WARN },
	{ "peer-down", "down", SHOW_BAD },
	{ "peer-failed", "failed", SHOW_BAD },
	{ "auth-failed", "refused", SHOW_BAD },
	{ "peer-moved", "moved", SHOW_PLAIN },
	{ "peer-roamed", "roamed", SHOW_PLAIN },
	{ "peer-expelled", "expelled", SHOW_BAD },
	{ "command", "command", SHOW_PLAIN },
	{ "daemon-started", "tapird", SHOW_DIM },
	{ "daemon-stopping", "tapird", SHOW_DIM },
	{ "clock-set", "clock", SHOW_WARN },
};

void
history_row(const struct show *s, const struct bus_rec *r, bool has_name)
{
	char when[32], raw[BUS_SENTENCE_MAX] = "", text[BUS_SENTENCE_MAX];
	uint64_t n = bus_u64(r, BUS_F_N_SAME);
	struct show fold = *s;
	unsigned i = 0;

	while (i < N_OF(words) - 1 &&
	       strcmp(words[i].code, bus_str(r, BUS_F_CODE)) != 0)
		i++;
	fprintf(s->out, "%s  ", when_text(bus_u64(r, BUS_F_TIME_MS), when,
					  sizeof(when)));
	snprintf(raw, sizeof(raw), "%-8s", words[i].word);
	show_text(s, words[i].tone, raw);
	snprintf(raw, sizeof(raw), "%s", bus_str(r, BUS_F_TEXT));
	if (!has_name) {	/* the sentence begins with it */
		char name[2 * CLI_NAME_MAX] = "";

		str_add(name, sizeof(name), "%s/%s", bus_str(r, BUS_F_REALM),
			bus_str(r, BUS_F_PEER));
		if (strncmp(raw, name, strlen(name)) == 0)
			memmove(raw, raw + strlen(name) +
				strspn(raw + strlen(name), ": "),
				strlen(raw + strlen(name) +
				strspn(raw + strlen(name), ": ")) + 1);
	}
	if (n > 1)
		str_add(raw, sizeof(raw), " (%llu times, last %s)",
			(unsigned long long)n,
			when_text(bus_u64(r, BUS_F_LAST_MS), when,
				  sizeof(when)));
	fputc(' ', s->out);
	if (!s->is_tty && s->width == SHOW_WIDTH)
		fold.width = 1u << 20;	/* a file is for grep */
	show_wrap(&fold, 25, 25, bus_print_text(raw, text, sizeof(text)));
}

static void
sum_line(const struct show *s, const char *realm, const char *peer,
	 const struct history_sum *h)
{
	char b[2][24];
	uint64_t per_mille = h->watched_ms == 0 ? 0 :
	    h->up_ms * 1000 / h->watched_ms;

	fprintf(s->out, "%s%s%s: ", realm, *realm != '\0' ? "/" : "", peer);
	if (h->from_ms == 0) {
		fputs("nothing is known yet\n", s->out);
		return;
	}
	fprintf(s->out, "up %s of the %s watched (%llu.%llu %%), %u time%s "
		"down, now %s\n",
		show_age((int64_t)(h->up_ms / 1000), b[0], sizeof(b[0])),
		show_age((int64_t)(h->watched_ms / 1000), b[1], sizeof(b[1])),
		(unsigned long long)per_mille / 10,
		(unsigned long long)per_mille % 10, h->n_down,
		h->n_down == 1 ? "" : "s", h->is_up ? "up" : "down");
}

static void
history_json(FILE *out, const struct ask_list *a, const char *realm,
	     const char *peer, const struct history_sum *h)
{
	struct json j;

	json_init(&j, out);
	json_obj(&j, NULL);
	json_str(&j, "realm", realm);
	json_str(&j, "peer", peer);
	if (*peer != '\0') {
		json_u64(&j, "watched_s", h->watched_ms / 1000);
		json_u64(&j, "up_s", h->up_ms / 1000);
		json_u64(&j, "n_down", h->n_down);
		json_bool(&j, "up", h->is_up);
	}
	json_rows(&j, "events", a, BUS_RES_HISTORY);
	json_obj_end(&j);
	json_end(&j);
}

/* ---- the command --------------------------------------------------------- */

static int
show_all(struct cli *c, const char *realm, const char *peer, size_t last,
	 struct bus_rec *cmd)
{
	struct ask_list a = { 0 };
	struct history_sum sum;
	struct bus_rec end;
	size_t from;
	int status = ask(c, cmd, ask_keep, &a, &end);

	if (status == CLI_OK && a.is_short)
		status = cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	if (status != CLI_OK)
		goto out;
	history_sum(&a, realm, peer, clk_wall_ms(), &sum);
	from = last > 0 && last < a.n ? a.n - last : 0;
	if (c->is_json) {
		struct ask_list tail = { .rec = a.rec + from, .n = a.n - from };

		history_json(c->out, &tail, realm, peer, &sum);
		goto out;
	}
	for (size_t i = from; i < a.n; i++)
		history_row(&c->show, &a.rec[i], *peer == '\0');
	if (*peer != '\0')
		sum_line(&c->show, realm, peer, &sum);
	else if (a.n == 0)
		fputs("nothing is known yet\n", c->out);
out:
	ask_list_fini(&a);
	return status;
}

int
cmd_history(struct cli *c, int argc, char **argv)
{
	char realm[CLI_NAME_MAX] = "", peer[CLI_NAME_MAX] = "";
	const char *last = "", *since = "", *of = "";
	struct cli_opt opt[] = {
		{ 'n', "last", NULL, &last }, { 0, "since", NULL, &since },
		{ 0, "realm", NULL, &of },
	};
	struct bus_rec cmd;
	uint64_t n = 0, ms = 0;

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 1)) < 0)
		return CLI_USAGE;
	if ((argc == 1 && cli_target(argv[0], realm, peer, peer) != 0) ||
	    (*of != '\0' && !str_copy(realm, sizeof(realm), of)))
		return cli_fail(c, CLI_USAGE, "usage", NULL,
				"history: the form is PEER or REALM/PEER");
	if (*last != '\0' && (str_u64(last, 1000000, &n) != 0 || n == 0))
		return cli_fail(c, CLI_USAGE, "usage", NULL,
				"history: --last wants a number, not '%s'", last);
	if (*since != '\0' && when_parse(since, clk_wall_ms(), &ms) != 0)
		return cli_fail(c, CLI_USAGE, "usage",
				"like 5m, 2h, 7d or 2026-01-31",
				"history: '%s' is no time", since);
	bus_rec_init(&cmd, BUS_CMD_HISTORY);
	bus_set_str(&cmd, BUS_F_REALM, realm);
	bus_set_str(&cmd, BUS_F_PEER, peer);
	bus_set_u64(&cmd, BUS_F_SINCE_MS, ms);
	return show_all(c, realm, peer, (size_t)n, &cmd);
}
