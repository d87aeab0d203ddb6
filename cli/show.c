/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/show.c - tables that fit the terminal, a little colour, short numbers.
 */
#include "cli/show.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

#define GAP 2 /* columns between two columns */

struct cell {
	char text[SHOW_CELL_MAX];
	enum show_tone tone;
	bool is_note;
};
struct show_table {
	const struct show_col *col;
	unsigned n_col;
	struct cell *cell;
	size_t n, cap;
	unsigned at;		/* column of the next cell */
};

static const char *const tone_code[] = {
	[SHOW_PLAIN] = "", [SHOW_GOOD] = "\033[32m", [SHOW_WARN] = "\033[33m",
	[SHOW_BAD] = "\033[31m", [SHOW_DIM] = "\033[2m",
};

static unsigned
width_of(FILE *out, bool is_tty)
{
	const char *env = getenv("COLUMNS");
	struct winsize ws;
	uint64_t v;

	if (env != NULL && str_u64(env, 1000, &v) == 0 && v >= 20)
		return (unsigned)v;
	if (is_tty && ioctl(fileno(out), TIOCGWINSZ, &ws) == 0 && ws.ws_col >= 20)
		return ws.ws_col;
	return SHOW_WIDTH;
}

void
show_init(struct show *s, FILE *out)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	int fd = fileno(out);

	s->out = out;
	s->is_tty = fd >= 0 && isatty(fd) == 1;
	s->has_colour = s->is_tty && (no == NULL || *no == '\0') &&
	    term != NULL && strcmp(term, "dumb") != 0;
	s->width = width_of(out, s->is_tty);
}

/* ---- columns of a text ------------------------------------------------------ */

/* Length of the UTF-8 sequence that starts with b; 1 for anything else. */
static unsigned
seq_len(unsigned char b)
{
	return b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : b >= 0xc0 ? 2 : 1;
}

/* Columns of the character at p: East Asian wide ones take two. */
static unsigned
char_columns(const char *p, unsigned len)
{
	const unsigned char *u = (const unsigned char *)p;
	uint32_t cp;

	if (len < 3)
		return 1;
	cp = len == 3 ? (u[0] & 15u) << 12 | (u[1] & 63u) << 6 | (u[2] & 63u) :
	    (u[0] & 7u) << 18 | (u[1] & 63u) << 12 | (u[2] & 63u) << 6 |
	    (u[3] & 63u);
	if ((cp >= 0x1100 && cp <= 0x115f) || (cp >= 0x2e80 && cp <= 0xa4cf) ||
	    (cp >= 0xac00 && cp <= 0xd7a3) || (cp >= 0xf900 && cp <= 0xfaff) ||
	    (cp >= 0xfe30 && cp <= 0xfe6f) || (cp >= 0xff00 && cp <= 0xff60) ||
	    (cp >= 0xffe0 && cp <= 0xffe6) || (cp >= 0x1f300 && cp <= 0x1faff) ||
	    (cp >= 0x20000 && cp <= 0x3fffd))
		return 2;
	return 1;
}

/* One character: its bytes in *len (never beyond the NUL), its columns back. */
static unsigned
char_at(const char *p, unsigned *len)
{
	unsigned want = seq_len((unsigned char)*p), n = 0;

	while (n < want && p[n] != '\0')
		n++;
	*len = n;
	return n == want ? char_columns(p, n) : 1;
}

unsigned
show_columns(const char *text)
{
	unsigned n = 0, len;

	for (; *text != '\0'; text += len)
		n += char_at(text, &len);
	return n;
}

void
show_cut(char *text, unsigned max)
{
	unsigned at = 0, len, w;
	char *p = text;

	if (max == 0 || show_columns(text) <= max)
		return;
	for (; *p != '\0'; p += len, at += w) {
		w = char_at(p, &len);
		if (at + w > max - 1)
			break;
	}
	p[0] = '~';
	p[1] = '\0';
}

/* ---- text ------------------------------------------------------------------- */

void
show_text(const struct show *s, enum show_tone tone, const char *text)
{
	bool on = s->has_colour && tone != SHOW_PLAIN;

	fprintf(s->out, "%s%s%s", on ? tone_code[tone] : "", text,
		on ? "\033[0m" : "");
}

/* Must this not begin a line?  Marks that close or go on (JIS X 4051). */
static bool
is_tail(const char *p)
{
	static const char *const tail[] = {
		"。", "、", "）", "」", "』", "：", "・", "ー", "？", "！", ".", ",",
		":", ";", ")", "?", "!", "}", "]",
	};

	for (unsigned i = 0; i < N_OF(tail); i++)
		if (strncmp(p, tail[i], strlen(tail[i])) == 0)
			return true;
	return false;
}

/* Bytes up to where a line may end: a space, or beside a wide character. */
static size_t
word_len(const char *text)
{
	const char *p = text;
	unsigned w, last = 0, len;

	for (; *p != '\0' && *p != ' '; p += len, last = w) {
		w = char_at(p, &len);
		if (p > text && (w == 2 || last == 2) && !is_tail(p))
			break;
	}
	return (size_t)(p - text);
}

void
show_wrap(const struct show *s, unsigned at, unsigned indent, const char *text)
{
	bool is_first = true;

	while (*text != '\0') {
		unsigned gap = *text == ' ' && !is_first ? 1 : 0, w;
		char word[BUS_SENTENCE_MAX];
		size_t n;

		text += strspn(text, " ");
		if ((n = word_len(text)) == 0)
			break;
		snprintf(word, sizeof(word), "%.*s", (int)n, text);
		w = show_columns(word);
		if (!is_first && at + gap + w > s->width) {
			fprintf(s->out, "\n%*s", (int)indent, "");
			at = indent;
			gap = 0;
		}
		fprintf(s->out, "%*s%s", (int)gap, "", word);
		at += gap + w;
		is_first = false;
		text += n;
	}
	fputc('\n', s->out);
}

const char *
show_short(uint64_t v, char *out, size_t cap)
{
	static const char unit[] = "kMGTPE";
	uint64_t tenth;
	unsigned u = 0;

	if (v < 1000) {
		snprintf(out, cap, "%u", (unsigned)v);
		return out;
	}
	tenth = v / 100;		/* tenths of a unit */
	while (tenth >= 10000) {
		tenth /= 1000;
		u++;
	}
	if (tenth < 100)
		snprintf(out, cap, "%u.%u%c", (unsigned)(tenth / 10),
			 (unsigned)(tenth % 10), unit[u]);
	else
		snprintf(out, cap, "%u%c", (unsigned)(tenth / 10), unit[u]);
	return out;
}

const char *
show_age(int64_t s, char *out, size_t cap)
{
	if (s < 0)
		snprintf(out, cap, "never");
	else if (s < 120)
		snprintf(out, cap, "%d s", (int)s);
	else if (s < 7200)
		snprintf(out, cap, "%d min", (int)(s / 60));
	else if (s < 172800)
		snprintf(out, cap, "%d h", (int)(s / 3600));
	else
		snprintf(out, cap, "%lld d", (long long)(s / 86400));
	return out;
}

enum show_tone
show_state_tone(const char *state)
{
	if (strcmp(state, "up") == 0)
		return SHOW_GOOD;
	if (strcmp(state, "down") == 0)
		return SHOW_BAD;
	return SHOW_WARN;
}

/* ---- tables ----------------------------------------------------------------- */

struct show_table *
show_table_new(const struct show_col *col, unsigned n)
{
	struct show_table *t = calloc(1, sizeof(*t));

	if (t == NULL || n == 0 || n > SHOW_COL_MAX) {
		free(t);
		return NULL;
	}
	t->col = col;
	t->n_col = n;
	return t;
}

void
show_table_free(struct show_table *t)
{
	if (t == NULL)
		return;
	free(t->cell);
	free(t);
}

static struct cell *
cell_add(struct show_table *t)
{
	struct cell *grown;

	if (t->n == t->cap) {
		grown = realloc(t->cell, (t->cap * 2 + 64) * sizeof(*grown));
		if (grown == NULL)
			return NULL;
		t->cell = grown;
		t->cap = t->cap * 2 + 64;
	}
	memset(&t->cell[t->n], 0, sizeof(*t->cell));
	return &t->cell[t->n++];
}

static void cell_set(struct cell *c, const char *fmt, va_list ap) PRINTF(2, 0);

static void
cell_set(struct cell *c, const char *fmt, va_list ap)
{
	char raw[SHOW_CELL_MAX];

	vsnprintf(raw, sizeof(raw), fmt, ap);
	bus_print_text(raw, c->text, sizeof(c->text));
}

void
show_cell(struct show_table *t, enum show_tone tone, const char *fmt, ...)
{
	struct cell *c;
	va_list ap;

	if (t == NULL || (c = cell_add(t)) == NULL)
		return;
	va_start(ap, fmt);
	cell_set(c, fmt, ap);
	va_end(ap);
	c->tone = tone;
	t->at = (t->at + 1) % t->n_col;
}

void
show_note(struct show_table *t, const char *fmt, ...)
{
	struct cell *c;
	va_list ap;

	if (t == NULL || t->at != 0 || (c = cell_add(t)) == NULL)
		return;
	va_start(ap, fmt);
	cell_set(c, fmt, ap);
	va_end(ap);
	c->is_note = true;
}

/* Widths: what the cells need, then the widest column that may gives way. */
static void
fit(const struct show *s, const struct show_table *t, unsigned indent,
    unsigned *w)
{
	unsigned sum = indent, c, at = 0;
	size_t i;

	for (c = 0; c < t->n_col; c++)
		w[c] = show_columns(t->col[c].title);
	for (i = 0; i < t->n; i++) {
		unsigned n;

		if (t->cell[i].is_note)
			continue;
		n = show_columns(t->cell[i].text);
		w[at] = MAX(w[at], n);
		at = (at + 1) % t->n_col;
	}
	for (c = 0; c < t->n_col; c++)
		sum += w[c] + (c > 0 ? GAP : 0);
	while (sum > s->width) {
		unsigned best = t->n_col;

		for (c = 0; c < t->n_col; c++)
			if (t->col[c].min > 0 && w[c] > t->col[c].min &&
			    (best == t->n_col || w[c] > w[best]))
				best = c;
		if (best == t->n_col)
			return;
		w[best]--;
		sum--;
	}
}

/* Blanks are held back until something follows, so that no line ends in them. */
static void
put_cell(const struct show *s, const struct show_col *col, unsigned w,
	 const struct cell *cell, unsigned *blanks)
{
	char cut[SHOW_CELL_MAX];
	unsigned pad, n;

	str_copy(cut, sizeof(cut), cell->text);
	show_cut(cut, w);
	n = show_columns(cut);
	pad = w > n ? w - n : 0;
	if (n > 0) {
		*blanks += col->is_right ? pad : 0;
		fprintf(s->out, "%*s", (int)*blanks, "");
		show_text(s, cell->tone, cut);
		*blanks = col->is_right ? 0 : pad;
	} else {
		*blanks += pad;
	}
	*blanks += GAP;
}

void
show_table_print(const struct show *s, const struct show_table *t,
		 unsigned indent)
{
	unsigned w[SHOW_COL_MAX], c, at = 0, blanks = indent;
	struct cell head = { .tone = SHOW_DIM };
	size_t i;

	if (t == NULL)
		return;
	fit(s, t, indent, w);
	for (c = 0; c < t->n_col; c++) {
		str_copy(head.text, sizeof(head.text), t->col[c].title);
		put_cell(s, &t->col[c], w[c], &head, &blanks);
	}
	fputc('\n', s->out);
	for (i = 0; i < t->n; i++) {
		if (t->cell[i].is_note) {
			fprintf(s->out, "%*s", (int)indent + 2, "");
			show_wrap(s, indent + 2, indent + 4, t->cell[i].text);
			continue;
		}
		if (at == 0)
			blanks = indent;
		put_cell(s, &t->col[at], w[at], &t->cell[i], &blanks);
		at = (at + 1) % t->n_col;
		if (at == 0)
			fputc('\n', s->out);
	}
}
