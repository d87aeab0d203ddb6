/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packaging/man/lists.c - every list a manual page can have, from its table.
 */
#include <inttypes.h>
#include <string.h>
#include "cli/cli.h"
#include "cli/lab/break.h"
#include "conf/conf.h"
#include "daemon/base/drop.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"
#include "packaging/man/man.h"
#include "spi/spi_esp.h"

/* What stands around the words of the tables; {} is what the list puts there. */
enum phrase {
	P_IN, P_IN_MANY, P_FORM, P_ONE_OF, P_RANGE, P_RANGE_OR, P_ZERO_OR, P_DEFAULT,
	P_RESTART, P_LATER, P_CURE, P_CHECK, P_NOTE, P_ROLE, P_FIELDS, P_NO_FIELDS,
	P_SEEN, P_SLOW, P_END
};
static const char *const phrases[P_END][WHY_LANG_END] = {
	[P_IN] = { "In <{}>, once.", "<{}> の中に 1 個まで置けます。" },
	[P_IN_MANY] = { "In <{}>, up to {}.", "<{}> の中に {} 個まで置けます。" },
	[P_FORM] = { "Form: {}.", "書式: {}。" },
	[P_ONE_OF] = { "One of: {}.", "次のいずれか: {}。" },
	[P_RANGE] = { "Range {}{} to {}{}.", "範囲: {}{} から {}{}。" },
	[P_RANGE_OR] = { "One of: {}, or {} to {}{}.", "{} のいずれか、または {} から {}{}。" },
	[P_ZERO_OR] = { "0 or ", "0、または " },
	[P_DEFAULT] = { "Default: {}.", "既定値: {}。" },
	[P_RESTART] = { "A change needs a restart.", "変更を反映するには再起動が必要です。" },
	[P_LATER] = { "Not available in this version.", "この版では使えません。" },
	[P_CURE] = { "Cure", "対策" },
	[P_CHECK] = { "Check", "検査" },
	[P_NOTE] = { "(note)", "(注意)" },
	[P_ROLE] = { "Role: {}.", "必要な役割: {}。" },
	[P_FIELDS] = { "Fields: {}.", "フィールド: {}。" },
	[P_NO_FIELDS] = { "No fields.", "フィールドはありません。" },
	[P_SEEN] = { "Seen on {}: tapir why {} says {}.", "{} で tapir why {} を実行すると {} と示されます。" },
	[P_SLOW] = { "It takes some seconds to show.", "現れるまで数秒かかります。" },
};

void
man_text(const struct man *m, const char *text, size_t len)
{
	if (len > 0 && (*text == '.' || *text == '\''))
		fputs("\\&", m->out);
	for (; len > 0; len--, text++) {
		if (*text == '\\')
			fputs("\\e", m->out);
		else if (*text == '-')
			fputs("\\-", m->out);
		else
			fputc(*text, m->out);
	}
	fputc('\n', m->out);
}

static void
line(const struct man *m, const char *text)
{
	man_text(m, text, strlen(text));
}

/* A phrase, its holes filled in their order. */
static void
phrase(const struct man *m, enum phrase p, const char *const *with)
{
	const char *form = phrases[p][m->lang], *hole;
	char text[1024] = "";

	for (; (hole = strstr(form, "{}")) != NULL; form = hole + 2)
		str_add(text, sizeof(text), "%.*s%s", (int)(hole - form), form,
			*with++);
	str_add(text, sizeof(text), "%s", form);
	line(m, text);
}

#define PHRASE(m_, p_, ...) phrase(m_, p_, (const char *const[]){ __VA_ARGS__ })

/* The words of a row in the language of the page. */
static const char *
said(const struct man *m, const char *key, const char *english)
{
	const char *words = NULL;

	if (m->lang == WHY_JA && *english != '\0')
		words = words_find(key, english);
	return words != NULL ? words : english;
}

static const char *
said_of(const struct man *m, const char *table, const char *row,
	const char *english)
{
	char key[128];

	snprintf(key, sizeof(key), "%s/%s", table, row);
	return said(m, key, english);
}

static void
item(const struct man *m, const char *name)
{
	fputs(".It Cm ", m->out);
	line(m, name);
}

static void
list_begin(const struct man *m)
{
	fputs(".Bl -tag -width Ds\n", m->out);
}

static void
list_end(const struct man *m)
{
	fputs(".El\n", m->out);
}

/* ---- tapir(1) --------------------------------------------------------------------- */

/* Its one line, an empty one, what tapir help adds. */
static void
command(const struct man *m, const struct cli_cmd *cmd)
{
	char english[4096], head[256];
	const char *p;

	snprintf(head, sizeof(head), "%s%s%s", cmd->name,
		 *cmd->args != '\0' ? " " : "", cmd->args);
	item(m, head);
	snprintf(english, sizeof(english), "%s%s%s", cmd->line,
		 *cmd->help != '\0' ? "\n\n" : "", cmd->help);
	p = said_of(m, "cmd", cmd->name, english);
	man_text(m, p, strcspn(p, "\n"));
	if ((p = strstr(p, "\n\n")) == NULL)
		return;
	fputs(".Bd -literal -compact\n", m->out);
	for (p += 2; *p != '\0';) {
		size_t n = strcspn(p, "\n");

		man_text(m, p, n);
		p += n + (p[n] == '\n');
	}
	fputs(".Ed\n", m->out);
}

static void
commands(const struct man *m)
{
	const struct cli_cmd *cmd;

	list_begin(m);
	for (unsigned i = 0; (cmd = cli_cmd_at(i)) != NULL; i++)
		command(m, cmd);
	list_end(m);
}

/* ---- tapir.xml(5) ------------------------------------------------------------------ */

static void
element(const struct man *m, const struct conf_elem *e)
{
	char in[256] = "", max[16];
	const struct conf_elem *parent;

	fprintf(m->out, ".It Sy <%s>\n", e->name);
	line(m, said_of(m, "conf", e->name, e->help));
	for (unsigned i = 0; (parent = conf_elem_at(i)) != NULL; i++)
		if ((e->parents & 1u << i) != 0)
			str_add(in, sizeof(in), "%s%s", *in != '\0' ? ">, <" : "",
				parent->name);
	snprintf(max, sizeof(max), "%u", e->max);
	if (e->needs != NULL)
		PHRASE(m, P_LATER, "");
	else if (*in != '\0')
		PHRASE(m, e->max == 1 ? P_IN : P_IN_MANY, in, max);
}

static void
elements(const struct man *m)
{
	const struct conf_elem *e;

	list_begin(m);
	for (unsigned i = 0; (e = conf_elem_at(i)) != NULL; i++)
		element(m, e);
	list_end(m);
}

/* What values an option takes. */
static void
values(const struct man *m, const struct conf_opt *o)
{
	const char *unit = said_of(m, "unit", o->unit, o->unit);
	char lo[24], hi[24], after[64];
	bool is_word = strcmp(o->type, "word") == 0 || strcmp(o->type, "words") == 0;

	snprintf(lo, sizeof(lo), "%" PRIu64, o->lo);
	snprintf(hi, sizeof(hi), "%" PRIu64, o->hi);
	snprintf(after, sizeof(after), "%s%s", *unit != '\0' ? " " : "", unit);
	if (o->hi > 0 && *o->words != '\0')
		PHRASE(m, P_RANGE_OR, o->words, lo, hi, after);
	else if (o->hi > 0)
		PHRASE(m, P_RANGE, o->has_zero ? phrases[P_ZERO_OR][m->lang] : "",
		       lo, hi, after);
	else if (*o->words != '\0' && is_word)
		PHRASE(m, P_ONE_OF, o->words);
	else if (*o->words != '\0')
		PHRASE(m, P_FORM, said_of(m, "form", o->words, o->words));
}

static void
option(const struct man *m, const struct conf_opt *o)
{
	char row[96];

	fprintf(m->out, ".It Cm %s Ns = Ns Ar %s\n", o->name,
		said_of(m, "type", o->type, o->type));
	snprintf(row, sizeof(row), "%s/%s", o->element, o->name);
	line(m, said_of(m, "conf", row, o->help));
	if (o->needs != NULL) {
		PHRASE(m, P_LATER, "");
		return;
	}
	values(m, o);
	if (*o->def != '\0')
		PHRASE(m, P_DEFAULT, o->def);
	if (o->effect == CONF_RESTARTS)
		PHRASE(m, P_RESTART, "");
}

/* The rows of an element may stand apart in the table. */
static void
options(const struct man *m)
{
	const struct conf_elem *e;
	const struct conf_opt *o;

	for (unsigned i = 0; (e = conf_elem_at(i)) != NULL; i++) {
		unsigned n = 0;

		for (unsigned k = 0; (o = conf_opt_at(k)) != NULL; k++) {
			if (strcmp(o->element, e->name) != 0)
				continue;
			if (n++ == 0) {
				fprintf(m->out, ".Ss <%s>\n", e->name);
				list_begin(m);
			}
			option(m, o);
		}
		if (n > 0)
			list_end(m);
	}
}

/* ---- tapir-codes(7) ----------------------------------------------------------------- */

/* A cause or cure; what why fills in is named in capitals. */
static void
why_words(const struct man *m, const char *text)
{
	static const struct {
		const char *key, *name;
	} row[] = {
		{ "{peer}", "PEER" }, { "{me}", "ME" }, { "{realm}", "REALM" },
		{ "{remote}", "REMOTE" }, { "{a}", "..." }, { "{b}", "..." },
		{ "{c}", "..." },
	};
	char out[2048] = "";

	while (*text != '\0') {
		unsigned i = 0;

		while (i < N_OF(row) &&
		       strncmp(text, row[i].key, strlen(row[i].key)) != 0)
			i++;
		if (i < N_OF(row))
			str_add(out, sizeof(out), "%s", row[i].name);
		else
			str_add(out, sizeof(out), "%c", *text);
		text += i < N_OF(row) ? strlen(row[i].key) : 1;
	}
	line(m, out);
}

static void
causes(const struct man *m)
{
	list_begin(m);
	for (unsigned i = 0; i < WHY_RULE_END; i++) {
		const struct why_rule_info *info = why_rule_info(i);

		fprintf(m->out, ".It Sy W%03u Cm ", info->num);
		line(m, info->code);
		why_words(m, info->cause[m->lang]);
		fprintf(m->out, ".br\n.Em %s :\n", phrases[P_CURE][m->lang]);
		why_words(m, info->cure[m->lang]);
		fprintf(m->out, ".br\n.Em %s :\n", phrases[P_CHECK][m->lang]);
		line(m, why_check_text(info->check, m->lang));
		if (info->is_note)
			line(m, phrases[P_NOTE][m->lang]);
	}
	list_end(m);
}

static void
mistakes(const struct man *m)
{
	list_begin(m);
	for (unsigned i = 0; i < CONF_E_END; i++) {
		item(m, conf_code_name(i));
		line(m, said_of(m, "mistake", conf_code_name(i), conf_code_help(i)));
	}
	list_end(m);
}

static void
drops(const struct man *m)
{
	list_begin(m);
	for (unsigned i = 0; i < DROP_END; i++) {
		item(m, drop_key(i));
		line(m, said_of(m, "drop", drop_key(i), drop_text(i)));
	}
	list_end(m);
}

/* ---- tapir-bus(7) --------------------------------------------------------------------- */

static void
fields_of(const struct man *m, const struct bus_desc *d)
{
	char text[1024] = "";

	fputs(".br\n", m->out);
	for (unsigned i = 0; i < d->n_field; i++)
		str_add(text, sizeof(text), "%s%s", i > 0 ? ", " : "",
			bus_field_key(d->field[i]));
	PHRASE(m, d->n_field > 0 ? P_FIELDS : P_NO_FIELDS, text);
}

static void
rows(const struct man *m, enum bus_class class)
{
	static const char *const roles[] = {
		[BUS_RIGHT_VIEW] = "viewer",
		[BUS_RIGHT_OPERATE] = "operator",
		[BUS_RIGHT_ADMIN] = "admin",
	};
	const struct bus_desc *d;
	unsigned it = 0;

	list_begin(m);
	while ((d = bus_desc_next(class, &it)) != NULL) {
		item(m, d->name);
		if (class == BUS_COMMAND)
			PHRASE(m, P_ROLE, roles[d->right]);
		if (class == BUS_EVENT) {
			line(m, said_of(m, "event", d->name, d->sentence));
			fprintf(m->out, "(%s)\n", log_level_name(d->severity));
		}
		fields_of(m, d);
	}
	list_end(m);
}

static void
bus_commands(const struct man *m)
{
	rows(m, BUS_COMMAND);
}

static void
bus_results(const struct man *m)
{
	rows(m, BUS_RESULT);
}

static void
bus_events(const struct man *m)
{
	rows(m, BUS_EVENT);
}

static void
bus_fields(const struct man *m)
{
	static const char *const kinds[][WHY_LANG_END] = {
		[BUS_KIND_U64] = { "number", "数値" },
		[BUS_KIND_I64] = { "number, may be negative", "数値 (負も可)" },
		[BUS_KIND_STR] = { "text", "文字列" },
		[BUS_KIND_BOOL] = { "true or false", "真偽値" },
	};

	fputs(".Bl -tag -compact -width own_cert_until\n", m->out);
	for (int f = 0; f < BUS_F_END; f++) {
		item(m, bus_field_key((enum bus_field)f));
		line(m, kinds[bus_field_kind((enum bus_field)f)][m->lang]);
	}
	list_end(m);
}

/* ---- tapir-lab(7), tapir-spi(7) ------------------------------------------------------- */

static void
faults(const struct man *m)
{
	struct lab_fault_info f;

	list_begin(m);
	for (unsigned i = 0; lab_fault_at(i, &f); i++) {
		item(m, f.name);
		line(m, said_of(m, "fault", f.name, f.line));
		fputs(".br\n", m->out);
		PHRASE(m, P_SEEN, f.node, f.peer, f.code);
		if (f.is_slow)
			PHRASE(m, P_SLOW, "");
	}
	list_end(m);
}

static void
providers(const struct man *m)
{
	const struct spi_esp *p;

	list_begin(m);
	for (unsigned i = 0; (p = spi_esp_at(i)) != NULL; i++) {
		item(m, p->head.name);
		line(m, said_of(m, "provider", p->head.name, p->head.about));
	}
	list_end(m);
}

/* ---- by name ---------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*fn)(const struct man *m);
} lists[] = {
	{ "commands", commands },
	{ "elements", elements },
	{ "options", options },
	{ "causes", causes },
	{ "mistakes", mistakes },
	{ "drops", drops },
	{ "bus-commands", bus_commands },
	{ "bus-results", bus_results },
	{ "bus-events", bus_events },
	{ "bus-fields", bus_fields },
	{ "faults", faults },
	{ "providers", providers },
};

int
man_list(const struct man *m, const char *name)
{
	for (unsigned i = 0; i < N_OF(lists); i++)
		if (strcmp(lists[i].name, name) == 0) {
			lists[i].fn(m);
			return 0;
		}
	return ERR_NOTFOUND;
}

void
man_list_all(const struct man *m)
{
	for (unsigned i = 0; i < N_OF(lists); i++)
		lists[i].fn(m);
}
