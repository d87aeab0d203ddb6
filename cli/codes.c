/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/codes.c - tapir-codes(7): every cause that tapir why can name.
 */
#include <string.h>
#include "cli/cli.h"
#include "why/why.h"

/* The words of a page; those of the causes are in why.def. */
static const struct page {
	const char *about, *before, *check, *cure;
} pages[WHY_LANG_END] = {
	[WHY_EN] = {
		"causes that tapir why names",
		"Each cause has a number and a code, which stay the same.  Of "
		"several that hold the one that stands first here is named "
		"first; a note does not mean that something fails.  PEER, ME, "
		"REALM and REMOTE stand for names and addresses, three dots for "
		"what was seen.",
		"Check", "Cure",
	},
	[WHY_JA] = {
		"tapir why が示す原因の一覧",
		"番号とコードは変わりません。複数当てはまるときは、この一覧で先にあるものが先に"
		"示されます。「注意」は失敗を意味しません。PEER・ME・REALM・REMOTE は名前や"
		"アドレス、... は実際に見えた内容です。",
		"検査", "対策",
	},
};

/* Words of the table as mdoc text. */
static void
words(FILE *out, const char *p)
{
	static const struct {
		const char *key, *text;
	} row[] = {
		{ "{peer}", "PEER" }, { "{me}", "ME" }, { "{realm}", "REALM" },
		{ "{remote}", "REMOTE" }, { "{a}", "..." }, { "{b}", "..." },
		{ "{c}", "..." },
	};

	if (*p == '.' || *p == '\'' || *p == '{')
		fputs("\\&", out);
	while (*p != '\0') {
		unsigned i = 0;

		while (*p == '{' && i < N_OF(row) &&
		       strncmp(p, row[i].key, strlen(row[i].key)) != 0)
			i++;
		if (*p == '{' && i < N_OF(row)) {
			fputs(row[i].text, out);
			p += strlen(row[i].key);
			continue;
		}
		fputs(*p == '\\' ? "\\e" : *p == '-' ? "\\-" :
		      (char[]){ *p, '\0' }, out);
		p++;
	}
	fputc('\n', out);
}

static void
one(FILE *out, const struct why_rule_info *info, enum why_lang lang)
{
	const struct page *page = &pages[lang];

	fprintf(out, ".It Sy W%03u Cm ", info->num);
	words(out, info->code);
	words(out, info->cause[lang]);
	fputs(".br\n", out);
	fprintf(out, ".Em %s :\n", page->cure);
	words(out, info->cure[lang]);
	fputs(".br\n", out);
	fprintf(out, ".Em %s :\n", page->check);
	words(out, why_check_text(info->check, lang));
	if (info->is_note)
		fputs(lang == WHY_JA ? "(注意)\n" : "(note)\n", out);
}

void
cli_codes_man(FILE *out, const char *lang_text)
{
	enum why_lang lang = why_lang_of(lang_text);
	const struct page *page = &pages[lang];

	fprintf(out, ".\\\" SPDX-License-Identifier: Apache-2.0\n"
		".\\\" Written by: tapir help --codes %s\n"
		".Dd November 1, 2026\n.Dt TAPIR-CODES 7\n.Os\n.Sh NAME\n"
		".Nm tapir\\-codes\n.Nd %s\n.Sh DESCRIPTION\n",
		lang == WHY_JA ? "ja" : "en", page->about);
	words(out, page->before);
	fputs(".Bl -tag -width indent\n", out);
	for (unsigned i = 0; i < WHY_RULE_END; i++)
		one(out, why_rule_info(i), lang);
	fputs(".El\n.Sh SEE ALSO\n.Xr tapir 1\n", out);
}
