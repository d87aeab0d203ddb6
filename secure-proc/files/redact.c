/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/files/redact.c - take every secret of keys/ out of a text.
 *
 * Words are found by their first two characters: a list each.
 *
 * Thread: the only one.
 */
#include "secure-proc/files/redact.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "secure-proc/files/file.h"

#define FIELD_MIN 6		/* of a line name:kind:...; ours */
#define PEM_MIN	  12		/* a last line of base64; ours */
#define HEX_BYTES 32		/* of a binary file; ours */
#define TEXT_MAX  (64u << 20)	/* of the text; ours */
#define LISTS	  65536

struct word {
	struct word *next;
	const uint8_t *p;	/* into a block */
	size_t len;
};
/* Secret memory that words point into. */
struct block {
	struct block *next;
	uint8_t *bytes;
};
struct sec_words {
	struct block *block;
	struct word *of[LISTS];
	size_t n;
};

struct sec_words *
sec_words_new(void)
{
	return calloc(1, sizeof(struct sec_words));
}

void
sec_words_free(struct sec_words *w)
{
	struct word *one;
	struct block *b;

	if (w == NULL)
		return;
	for (unsigned i = 0; i < LISTS; i++)
		while ((one = w->of[i]) != NULL) {
			w->of[i] = one->next;
			free(one);
		}
	while ((b = w->block) != NULL) {
		w->block = b->next;
		secret_free(b->bytes);
		free(b);
	}
	free(w);
}

size_t
sec_words_count(const struct sec_words *w)
{
	return w->n;
}

/* ---- words of a file --------------------------------------------------------- */

static unsigned
list_of(const uint8_t *p)
{
	return (unsigned)tolower(p[0]) << 8 | (unsigned)tolower(p[1]);
}

static int
word_add(struct sec_words *w, const uint8_t *p, size_t len, size_t min)
{
	struct word *one, **list;

	if (len < MAX(min, (size_t)SEC_WORD_MIN))
		return 0;
	list = &w->of[list_of(p)];
	for (one = *list; one != NULL; one = one->next)
		if (one->len == len && memcmp(one->p, p, len) == 0)
			return 0;
	if ((one = calloc(1, sizeof(*one))) == NULL)
		return ERR_NOMEM;
	*one = (struct word){ .next = *list, .p = p, .len = len };
	*list = one;
	w->n++;
	return 0;
}

/* A block that belongs to the words from now on; freed on error. */
static int
block_add(struct sec_words *w, uint8_t *bytes)
{
	struct block *b = calloc(1, sizeof(*b));

	if (b == NULL) {
		secret_free(bytes);
		return ERR_NOMEM;
	}
	*b = (struct block){ .next = w->block, .bytes = bytes };
	w->block = b;
	return 0;
}

/* What a role is called is no secret. */
static bool
is_role(const uint8_t *p, size_t len)
{
	static const char *const role[] = { "admin", "operator", "viewer" };

	for (unsigned i = 0; i < N_OF(role); i++)
		if (len == strlen(role[i]) && memcmp(p, role[i], len) == 0)
			return true;
	return false;
}

/* name:kind:secret: what is behind the name. */
static int
fields_add(struct sec_words *w, const uint8_t *line, size_t len)
{
	const uint8_t *end = line + len, *p, *next;
	int err = 0;

	p = memchr(line, ':', len);
	for (; p != NULL && err == 0; p = next) {
		p++;
		next = memchr(p, ':', (size_t)(end - p));
		len = (size_t)((next != NULL ? next : end) - p);
		if (!is_role(p, len))
			err = word_add(w, p, len, FIELD_MIN);
	}
	return err;
}

static bool
begins(const uint8_t *line, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(line, with, strlen(with)) == 0;
}

/* May this PEM block be seen? */
static bool
is_public(const uint8_t *line, size_t len)
{
	static const char *const kind[] = { "CERTIFICATE", "X509 CRL",
					    "PUBLIC KEY", "TRUSTED CERTIFICATE" };

	for (unsigned i = 0; i < N_OF(kind); i++)
		if (begins(line + 11, len - 11, kind[i]))
			return true;
	return false;
}

static int
line_add(struct sec_words *w, const uint8_t *line, size_t len)
{
	int err;

	if ((err = word_add(w, line, len, 0)) != 0)
		return err;
	if (begins(line, len, "0x"))
		return word_add(w, line + 2, len - 2, 0);
	return fields_add(w, line, len);
}

static int
lines_add(struct sec_words *w, const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len, *nl;
	enum { PLAIN, HIDDEN, PUBLIC } in = PLAIN;
	int err = 0;

	for (; p < end && err == 0; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		nl = nl != NULL ? nl : end;
		len = (size_t)(nl - p);
		while (len > 0 && isspace(p[len - 1]))
			len--;
		while (len > 0 && isspace(*p)) {
			p++;
			len--;
		}
		if (begins(p, len, "-----BEGIN "))
			in = is_public(p, len) ? PUBLIC : HIDDEN;
		else if (begins(p, len, "-----END "))
			in = PLAIN;
		else if (in == HIDDEN)
			err = word_add(w, p, len, PEM_MIN);
		else if (in == PLAIN && len > 0)	/* a key may begin with # */
			err = line_add(w, p, len);
	}
	return err;
}

static bool
is_text(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] == 0x7f || (p[i] < ' ' && p[i] != '\n' &&
		    p[i] != '\r' && p[i] != '\t'))
			return false;
	return true;
}

int
sec_words_add(struct sec_words *w, uint8_t *bytes, size_t len)
{
	size_t n = MIN(len, (size_t)HEX_BYTES);
	uint8_t *hex;
	int err;

	if ((err = block_add(w, bytes)) != 0)
		return err;
	if (is_text(bytes, len))
		return lines_add(w, bytes, len);
	if ((hex = secret_alloc(2 * HEX_BYTES + 1)) == NULL)
		return ERR_NOMEM;
	str_hex((char *)hex, 2 * HEX_BYTES + 1, bytes, n);
	if ((err = block_add(w, hex)) != 0)
		return err;
	return word_add(w, hex, 2 * n, 0);
}

/* ---- files ------------------------------------------------------------------- */

static int
unreadable(const char *name)
{
	char shown[2 * SEC_FILE_NAME_MAX];

	str_escape(shown, sizeof(shown), name, strlen(name));
	fprintf(stderr, "key file %s cannot be read: %s\n", shown,
	    strerror(errno));
	return ERR_KEYFILE;
}

/* One file, without care for its mode; not: lists, addresses of TAPs, links. */
static int
file_add(struct sec_words *w, int dir_fd, const char *name)
{
	const char *dot = strrchr(name, '.');
	struct stat st;
	uint8_t *bytes;
	ssize_t n;
	int fd;

	if (dot != NULL && strcmp(dot, ".mac") == 0)
		return 0;
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		return 0;	/* tapir reads no key through a link */
	if (fd < 0 || fstat(fd, &st) != 0) {
		if (fd >= 0)
			close(fd);
		return unreadable(name);
	}
	if (!S_ISREG(st.st_mode) || st.st_size == 0 ||
	    st.st_size > (off_t)SEC_SECRET_MAX) {
		close(fd);
		return 0;	/* too large for a secret: a list */
	}
	bytes = secret_alloc((size_t)st.st_size);
	n = bytes != NULL ? read(fd, bytes, (size_t)st.st_size) : -1;
	close(fd);
	if (bytes == NULL)
		return ERR_NOMEM;
	if (n != st.st_size) {
		secret_free(bytes);
		return unreadable(name);
	}
	return sec_words_add(w, bytes, (size_t)n);
}

static int
dir_add(struct sec_words *w, int fd, bool is_top)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	struct stat st;
	int err = 0, sub;

	if (d == NULL) {
		close(fd);
		return ERR_NOMEM;
	}
	while (err == 0 && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISDIR(st.st_mode)) {
			err = file_add(w, fd, e->d_name);
			continue;
		}
		sub = is_top ? openat(fd, e->d_name, O_RDONLY | O_DIRECTORY |
		    O_NOFOLLOW | O_CLOEXEC) : -1;
		if (sub >= 0)
			err = dir_add(w, sub, false);
	}
	closedir(d);
	return err;
}

int
sec_words_dir(struct sec_words *w, const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return ERR_NOTFOUND;
	return fd < 0 ? unreadable(dir) : dir_add(w, fd, true);
}

/* ---- the text ---------------------------------------------------------------- */

/* The longest word that begins here, 0: none. */
static size_t
word_at(const struct sec_words *w, const uint8_t *p, size_t left)
{
	const struct word *one;
	size_t best = 0;

	for (one = w->of[list_of(p)]; one != NULL; one = one->next)
		if (one->len > best && one->len <= left &&
		    strncasecmp((const char *)one->p, (const char *)p,
		    one->len) == 0)
			best = one->len;
	return best;
}

size_t
sec_words_apply(const struct sec_words *w, const char *text, size_t len,
		FILE *out)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t i = 0, from = 0, n = 0, m;

	while (i + 1 < len) {
		if ((m = word_at(w, p + i, len - i)) == 0) {
			i++;
			continue;
		}
		(void)fwrite(text + from, 1, i - from, out);
		(void)fputs(SEC_WORD_MARK, out);
		i += m;
		from = i;
		n++;
	}
	(void)fwrite(text + from, 1, len - from, out);
	return n;
}

/* Standard input, whole.  malloc()ed; NULL: it failed or is too long. */
static char *
input(size_t *len)
{
	char *text = NULL, *more;
	size_t cap = 0, n = 0;
	ssize_t got = 1;

	while (got > 0 && cap < TEXT_MAX) {
		cap = cap == 0 ? 1u << 20 : 2 * cap;
		if ((more = realloc(text, cap)) == NULL)
			break;
		text = more;
		while (n < cap && (got = read(0, text + n, cap - n)) > 0)
			n += (size_t)got;
	}
	if (got == 0) {
		*len = n;
		return text;
	}
	free(text);
	return NULL;
}

int
sec_redact(const char *dir)
{
	struct sec_words *w = sec_words_new();
	char *text = NULL;
	size_t len = 0;
	int err = w != NULL ? sec_words_dir(w, dir) : ERR_NOMEM;

	if (err == ERR_NOTFOUND)
		err = 0;	/* no keys, no secrets */
	if (err == 0 && (text = input(&len)) == NULL)
		err = ERR_LONG;
	if (err == 0)
		(void)sec_words_apply(w, text, len, stdout);
	if (fflush(stdout) != 0 && err == 0)
		err = ERR_SYS;
	free(text);
	sec_words_free(w);
	return err;
}
