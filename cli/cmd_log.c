/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_log.c - tapir log: the daemon's events, those kept and those to come.
 */
#include <string.h>
#include <time.h>
#include "cli/ask.h"
#include "cli/json.h"
#include "cli/when.h"
#include "daemon/base/clk.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

static enum show_tone
tone_of(enum log_level lv)
{
	switch (lv) {
	case LOG_ERROR:
		return SHOW_BAD;
	case LOG_WARN:
		return SHOW_WARN;
	case LOG_INFO:
	case LOG_DEBUG:
		return SHOW_DIM;
	default:
		return SHOW_PLAIN;
	}
}

/* "11-21 08:03:11 notice  sentence", wrapped on a terminal only: a file is
 * for grep. */
static void
event_text(const struct show *s, const struct bus_rec *r)
{
	char text[BUS_SENTENCE_MAX], when[32] = "", head[64];
	time_t t = (time_t)(r->time_ms / 1000);
	struct show fold = *s;
	struct tm tm;

	if (r->desc->row == BUS_RES_LOST) {
		fprintf(s->out, "(%llu older events are gone)\n",
			(unsigned long long)bus_u64(r, BUS_F_N_LOST));
		return;
	}
	if (localtime_r(&t, &tm) != NULL)
		strftime(when, sizeof(when), "%m-%d %H:%M:%S", &tm);
	snprintf(head, sizeof(head), "%s %-7s", when,
		 log_level_name(r->desc->severity));
	show_text(s, tone_of(r->desc->severity), head);
	fputc(' ', s->out);
	if (!s->is_tty)
		fold.width = 1u << 20;
	show_wrap(&fold, (unsigned)strlen(head) + 1, 4,
		  bus_event_text(r, text, sizeof(text)));
}

struct log_out {
	struct cli *c;
	struct json j;
	bool is_follow;
};

/* Without --json or with -f each record stands alone; else inside the array. */
static void
on_record(void *ctx, const struct bus_rec *r)
{
	struct log_out *o = ctx;

	if (!o->c->is_json) {
		event_text(&o->c->show, r);
		return;
	}
	if (!o->is_follow) {
		if (o->j.has[o->j.depth])
			fputc(',', o->c->out);
		o->j.has[o->j.depth] = true;
	}
	bus_rec_json(r, o->c->out);
	if (o->is_follow)
		fputc('\n', o->c->out);
}

static int
follow(struct cli *c, struct bus_rec *cmd, struct log_out *o)
{
	struct bus_rec r;
	struct link l;
	int err, status;

	if ((status = ask_open(c, &l)) != CLI_OK)
		return status;
	cli_catch();
	err = link_send(&l, cmd);
	while (err == 0) {
		if ((err = link_recv(&l, &r, -1, &cli_stopped)) != 0)
			break;
		if (r.desc->row == BUS_RES_DONE)
			break;
		if (r.desc->row == BUS_RES_FAILED) {
			status = ask_refused(c, &r);
			break;
		}
		on_record(o, &r);
		if (fflush(c->out) != 0)
			break;
	}
	link_close(&l);
	if (err == 0 || err == ERR_AGAIN)	/* ^C is how it ends */
		return status;
	return ask_broken(c, err);
}

static int
whole(struct cli *c, struct bus_rec *cmd, struct log_out *o)
{
	struct ask_list a = { 0 };
	struct bus_rec end;
	int status;
	size_t i;

	status = ask(c, cmd, ask_keep, &a, &end);
	if (status != CLI_OK)
		goto out;
	if (c->is_json) {
		json_obj(&o->j, NULL);
		json_arr(&o->j, "events");
	}
	for (i = 0; i < a.n; i++)
		on_record(o, &a.rec[i]);
	if (c->is_json) {
		json_arr_end(&o->j);
		json_obj_end(&o->j);
		json_end(&o->j);
	}
out:
	ask_list_fini(&a);
	return status;
}

/* A code nobody knows is a typing mistake, not an empty log. */
static int
check_code(struct cli *c, const char *code)
{
	const struct bus_desc *d;
	const char *name[256], *near;
	unsigned it = 0, n = 0;

	if (bus_desc_named(BUS_EVENT, code) != NULL)
		return CLI_OK;
	while ((d = bus_desc_next(BUS_EVENT, &it)) != NULL && n < N_OF(name))
		name[n++] = d->name;
	near = str_closest(code, name, n);
	if (near != NULL)
		return cli_fail(c, CLI_USAGE, "usage", NULL,
				"log: no event has the code '%s'; did you mean "
				"'%s'?", code, near);
	return cli_fail(c, CLI_USAGE, "usage", NULL,
			"log: no event has the code '%s'", code);
}

/* A part of which there are no events is a mistake too. */
static int
check_part(struct cli *c, const char *part)
{
	const struct bus_desc *d;
	const char *name[16];
	char list[128] = "";
	unsigned it = 0, n = 0, i;

	while ((d = bus_desc_next(BUS_EVENT, &it)) != NULL) {
		const char *one = bus_event_part(d);

		if (strcmp(one, part) == 0)
			return CLI_OK;
		for (i = 0; i < n && strcmp(name[i], one) != 0; i++)
			continue;
		if (i == n && n < N_OF(name)) {
			name[n++] = one;
			str_add(list, sizeof(list), " %s", one);
		}
	}
	return cli_fail(c, CLI_USAGE, "usage", NULL,
			"log: there is no component '%s'; there are%s", part,
			list);
}

int
cmd_log(struct cli *c, int argc, char **argv)
{
	const char *realm = "", *peer = "", *code = "", *level = "";
	const char *since = "", *part = "", *last = "";
	enum log_level lv;
	uint64_t ms = 0, n = 0;
	struct log_out o = { .c = c };
	struct bus_rec cmd;
	struct cli_opt opt[] = {
		{ 'f', "follow", &o.is_follow, NULL },
		{ 0, "realm", NULL, &realm },
		{ 0, "peer", NULL, &peer },
		{ 0, "code", NULL, &code },
		{ 0, "level", NULL, &level },
		{ 0, "component", NULL, &part },
		{ 0, "since", NULL, &since },
		{ 'n', "last", NULL, &last },
	};

	if (cli_opts(c, opt, N_OF(opt), argc, argv, 0) < 0)
		return CLI_USAGE;
	if (*code != '\0' && check_code(c, code) != CLI_OK)
		return CLI_USAGE;
	if (*level != '\0' && log_parse_level(level, &lv) != 0)
		return cli_fail(c, CLI_USAGE, "usage", NULL, "log: --level is "
				"error, warn, notice, info or debug, not '%s'",
				level);
	if (*part != '\0' && check_part(c, part) != CLI_OK)
		return CLI_USAGE;
	if (*since != '\0' && when_parse(since, clk_wall_ms(), &ms) != 0)
		return cli_fail(c, CLI_USAGE, "usage",
				"like 5m, 2h, 7d or 2026-01-31",
				"log: '%s' is no time", since);
	if (*last != '\0' && (str_u64(last, 1000000, &n) != 0 || n == 0))
		return cli_fail(c, CLI_USAGE, "usage", NULL,
				"log: --last wants a number, not '%s'", last);
	json_init(&o.j, c->out);
	bus_rec_init(&cmd, BUS_CMD_LOG);
	bus_set_u64(&cmd, BUS_F_LIMIT, n);
	bus_set_str(&cmd, BUS_F_LEVEL, level);
	bus_set_str(&cmd, BUS_F_OWNER, part);
	bus_set_u64(&cmd, BUS_F_SINCE_MS, ms);
	bus_set_bool(&cmd, BUS_F_IS_FOLLOW, o.is_follow);
	bus_set_str(&cmd, BUS_F_REALM, realm);
	bus_set_str(&cmd, BUS_F_PEER, peer);
	bus_set_str(&cmd, BUS_F_CODE, code);
	return o.is_follow ? follow(c, &cmd, &o) : whole(c, &cmd, &o);
}
