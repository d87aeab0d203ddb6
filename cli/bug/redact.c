/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/bug/redact.c - take secrets out of a report.
 *
 * Configurations name files of secrets.  People write the secret itself into
 * psk= all the same, a PIN into the address of a key, or a password into a
 * comment: that is found here.  What is in the files is known to tapir-secure
 * alone, which gets the finished text.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cli/bug/bug.h"
#include "cli/lab/proc.h"
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define REDACT_MS  60000	/* patience with tapir-secure; ours */
#define WORD_MIN   3		/* of a value that is taken out everywhere; ours */
#define BETWEEN	   '\x1e'	/* parts in the text for tapir-secure */

/* ---- the configuration ------------------------------------------------------- */

/* Options whose value names a file in keys/. */
static bool
is_key_option(const char *name, size_t len)
{
	static const char *const list[] = { "psk", "ppk", "pass", "key",
					    "secret", "password", "users",
					    "pin" };

	for (unsigned i = 0; i < N_OF(list); i++)
		if (strlen(list[i]) == len &&
		    strncasecmp(list[i], name, len) == 0)
			return true;
	return false;
}

/* Looks a value like the name of a file of keys, or is there one? */
static bool
is_file_name(const char *v, size_t len, const char *keys)
{
	static const char *const end[] = { ".psk", ".ppk", ".key", ".pem",
					   ".users", ".eap", ".pass", ".pub",
					   ".p12", ".pfx", ".der", ".secret" };
	char path[4096];
	struct stat st;

	for (unsigned i = 0; i < N_OF(end); i++)
		if (len > strlen(end[i]) && strncasecmp(v + len -
		    strlen(end[i]), end[i], strlen(end[i])) == 0)
			return true;
	if (memchr(v, '/', len) != NULL)
		return false;
	snprintf(path, sizeof(path), "%s/%.*s", keys, (int)len, v);
	if (lstat(path, &st) == 0)
		return true;
	snprintf(path, sizeof(path), "%s/%.*s.ppk", keys, (int)len, v);
	return lstat(path, &st) == 0;
}

static void
word_out(FILE *words, const char *v, size_t len)
{
	if (len >= WORD_MIN && memchr(v, '\n', len) == NULL)
		fprintf(words, "%.*s\n", (int)len, v);
}

/* Must a value go?  A key may also be at a URI, whose PIN is an option of its
 * own here. */
static bool
must_go(const char *name, size_t name_len, const char *v, size_t len,
	const char *keys)
{
	static const char pin[] = "pin-value", key[] = "key";

	if (len == 0)
		return false;
	if (name_len == sizeof(pin) - 1 && strncasecmp(name, pin, name_len) == 0)
		return true;
	if (name_len == sizeof(key) - 1 &&
	    strncasecmp(name, key, name_len) == 0 && memchr(v, ':', len) != NULL)
		return false;
	return is_key_option(name, name_len) && !is_file_name(v, len, keys);
}

/* <!-- ... -->: its lines stay, its words go.  @return bytes read. */
static size_t
comment_out(const char *p, size_t left, FILE *out)
{
	size_t i = 4;

	fputs("<!-- (left out)", out);
	while (i < left && !(left - i >= 3 && memcmp(p + i, "-->", 3) == 0)) {
		if (p[i] == '\n')
			fputc('\n', out);
		i++;
	}
	fputs(" -->", out);
	return MIN(left, i + 3);
}

static bool
is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* Behind a tag, text: there is none in this language.  @return bytes read. */
static size_t
loose_out(const char *p, size_t left, FILE *out)
{
	size_t i;

	fputs("(left out)", out);
	for (i = 0; i < left && p[i] != '<'; i++)
		if (p[i] == '\n')
			fputc('\n', out);
	return i;
}

/* name="value" and name=value, whatever stands around it: a quote that is
 * missing elsewhere changes nothing here.  Without a value to be taken out, the
 * name alone is written: there may be another one within the value.
 * @return bytes read. */
static size_t
option_out(const char *p, size_t left, const char *keys, FILE *out, FILE *words)
{
	size_t name = 0, i, n = 0;
	char quote;

	while (name < left && is_name_char(p[name]))
		name++;
	for (i = name; i < left && isspace((unsigned char)p[i]);)
		i++;
	if (i < left && p[i] == '=') {
		for (i++; i < left && isspace((unsigned char)p[i]);)
			i++;
		quote = i < left && (p[i] == '"' || p[i] == '\'') ? p[i] : '\0';
		i += quote != '\0';
		while (i + n < left && p[i + n] != '<' && (quote != '\0' ?
		    p[i + n] != quote : strchr(" \t\r\n\"'>&;?", p[i + n]) == NULL))
			n++;
	}
	if (!must_go(p, name, p + i, n, keys)) {
		(void)fwrite(p, 1, name, out);
		return name;
	}
	(void)fwrite(p, 1, i, out);
	fputs(BUG_MARK, out);
	word_out(words, p + i, n);
	return i + n;
}

void
bug_conf_text(const char *text, size_t len, const char *keys, FILE *out,
	      FILE *words)
{
	bool in_tag = false;
	size_t i = 0;

	while (i < len) {
		if (len - i >= 4 && memcmp(text + i, "<!--", 4) == 0) {
			i += comment_out(text + i, len - i, out);
		} else if (in_tag && is_name_char(text[i])) {
			i += option_out(text + i, len - i, keys, out, words);
		} else if (!in_tag && text[i] != '<' &&
			   !isspace((unsigned char)text[i])) {
			i += loose_out(text + i, len - i, out);
		} else {
			if (text[i] == '<' || text[i] == '>')
				in_tag = text[i] == '<';
			fputc(text[i++], out);
		}
	}
}

/* ---- words in all parts ------------------------------------------------------ */

static void
word_hide(struct bug_part *p, const char *word, size_t len)
{
	char *out = NULL, *at, *from = p->text;
	size_t out_len;
	FILE *f;

	if (memmem(p->text, p->len, word, len) == NULL ||
	    (f = open_memstream(&out, &out_len)) == NULL)
		return;
	while ((at = memmem(from, p->len - (size_t)(from - p->text), word,
	    len)) != NULL) {
		(void)fwrite(from, 1, (size_t)(at - from), f);
		fputs(BUG_MARK, f);
		from = at + len;
	}
	(void)fwrite(from, 1, p->len - (size_t)(from - p->text), f);
	fclose(f);
	free(p->text);
	p->text = out;
	p->len = out_len;
}

void
bug_hide(struct bug *b, const char *words)
{
	for (size_t n; *words != '\0'; words += n + (words[n] == '\n')) {
		n = strcspn(words, "\n");
		for (unsigned i = 0; n > 0 && i < b->n_part; i++)
			word_hide(&b->part[i], words, n);
	}
}

size_t
bug_count_marks(const struct bug *b)
{
	size_t n = 0;

	for (unsigned i = 0; i < b->n_part; i++) {
		const char *p = b->part[i].text;

		while ((p = strstr(p, BUG_MARK)) != NULL) {
			p += sizeof(BUG_MARK) - 1;
			n++;
		}
	}
	return n;
}

/* ---- tapir-secure ------------------------------------------------------------ */

static void __attribute__((noreturn))
child(const char *prog, const char *config, int in, int out, int say)
{
	char *argv[] = { (char *)(uintptr_t)prog, (char[]){ "--redact" },
			 (char *)(uintptr_t)config, NULL };
	char *env[] = { (char[]){ "LC_ALL=C" }, NULL };

	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(say, 2) < 0)
		_exit(126);
	close_range(3, ~0u, 0);
	execve(prog, argv, env);
	_exit(127);
}

static int
child_wait(pid_t pid)
{
	uint64_t end = clk_ms() + REDACT_MS;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clk_ms() >= end)
			kill(pid, SIGKILL);
		(void)poll(NULL, 0, 5);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : ERR_CLOSED;
}

static int
parts_write(const struct bug *b, int fd)
{
	FILE *f = fdopen(dup(fd), "w");

	if (f == NULL)
		return ERR_SYS;
	for (unsigned i = 0; i < b->n_part; i++) {
		(void)fwrite(b->part[i].text, 1, b->part[i].len, f);
		fputc(BETWEEN, f);
	}
	if (fclose(f) != 0 || lseek(fd, 0, SEEK_SET) != 0)
		return ERR_SYS;
	return 0;
}

/* A memory file's text; malloc()ed. */
static char *
all_of(int fd, size_t *len)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char *text = end >= 0 ? malloc((size_t)end + 1) : NULL;

	if (text == NULL)
		return NULL;
	if (pread(fd, text, (size_t)end, 0) != end) {
		free(text);
		return NULL;
	}
	text[end] = '\0';
	*len = (size_t)end;
	return text;
}

/* As many parts come back as went, or nothing is believed. */
static int
parts_read(struct bug *b, const char *text, size_t len)
{
	const char *end = text + len, *p = text, *next;
	char *fresh;
	unsigned n = 0;

	for (const char *q = text; q < end; q++)
		n += *q == BETWEEN;
	if (n != b->n_part || len == 0 || end[-1] != BETWEEN)
		return ERR_SYNTAX;
	for (unsigned i = 0; i < n; i++, p = next + 1) {
		next = memchr(p, BETWEEN, (size_t)(end - p));
		if ((fresh = malloc((size_t)(next - p) + 1)) == NULL)
			return ERR_NOMEM;
		memcpy(fresh, p, (size_t)(next - p));
		fresh[next - p] = '\0';
		free(b->part[i].text);
		b->part[i].text = fresh;
		b->part[i].len = (size_t)(next - p);
	}
	return 0;
}

int
bug_redact(struct bug *b, char *why, size_t cap)
{
	int in = memfd_create("in", MFD_CLOEXEC);
	int out = memfd_create("out", MFD_CLOEXEC);
	int say = memfd_create("say", MFD_CLOEXEC);
	char prog[PROC_PATH_MAX], *text = NULL;
	size_t len = 0;
	int err = ERR_SYS;
	pid_t pid;

	str_copy(why, cap, "tapir-secure cannot be started");
	if (in < 0 || out < 0 || say < 0 || parts_write(b, in) != 0)
		goto out;
	if (!proc_find_ours("tapir-secure", prog, sizeof(prog))) {
		err = ERR_NOTFOUND;
		goto out;
	}
	if ((pid = fork()) == 0)
		child(prog, b->config, in, out, say);
	if (pid > 0)
		err = child_wait(pid);
	if (err != 0) {
		if ((text = all_of(say, &len)) != NULL && len > 0) {
			text[strcspn(text, "\n")] = '\0';
			str_copy(why, cap, text);
		}
	} else if ((text = all_of(out, &len)) == NULL) {
		err = ERR_NOMEM;
	} else if ((err = parts_read(b, text, len)) != 0) {
		str_copy(why, cap, "tapir-secure gave back something else");
	}
out:
	free(text);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	if (say >= 0)
		close(say);
	return err;
}
