/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/invite/invite.c - the text of an invitation.
 */
#include "cli/invite/invite.h"
#include <string.h>
#include "cli/invite/b64.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

#define LINE_MAX_ 512	/* bytes of a line, with NUL; ours */
#define HEAD	  "tapir-invitation"

/* Where each word goes. */
static const struct word {
	const char *name;
	size_t off, cap;
	bool is_needed;
} words[] = {
#define WORD(name_, need_)                                                     \
	{ #name_, offsetof(struct invite, name_),                              \
	  sizeof(((struct invite *)0)->name_), need_ }
	WORD(realm, true), WORD(me, true), WORD(peer, true), WORD(at, true),
	WORD(mode, false), WORD(local, false), WORD(remote, false),
#undef WORD
};

static const char *const auths[] = {
	[INVITE_PSK] = "psk", [INVITE_EAP] = "eap", [INVITE_CERT] = "cert",
};

struct reader {
	const char *at, *end;
	unsigned line;
	struct invite *out;
	unsigned seen;			/* bit of each word */
	struct invite_file *file;	/* its lines follow, or NULL */
	bool is_auth, is_end;
	char *why;
	size_t cap;
};

static int
wrong(struct reader *r, int err, const char *what)
{
	snprintf(r->why, r->cap, "line %u: %s", r->line, what);
	return err;
}

/* The next line without its end and spaces there.  False behind the last. */
static bool
line_next(struct reader *r, char out[LINE_MAX_], int *err)
{
	const char *nl;
	size_t n;

	*err = 0;
	if (r->at == r->end)
		return false;
	r->line++;
	nl = memchr(r->at, '\n', (size_t)(r->end - r->at));
	n = (size_t)((nl != NULL ? nl : r->end) - r->at);
	if (n >= LINE_MAX_) {
		*err = wrong(r, ERR_LONG, "too long");
		return true;
	}
	memcpy(out, r->at, n);
	r->at = nl != NULL ? nl + 1 : r->end;
	while (n > 0 && (out[n - 1] == '\r' || out[n - 1] == ' '))
		n--;
	out[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
			*err = wrong(r, ERR_SYNTAX, "not a text");
	return true;
}

bool
invite_name_ok(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= INVITE_NAME_MAX && name[0] != '.' &&
	    name[0] != '-' &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		   "0123456789._-@+") == n;
}

/* "NAME secret" or "NAME public" */
static int
file_line(struct reader *r, char *value)
{
	char *kind = strchr(value, ' ');
	struct invite_file *f;

	if (r->out->n_file == INVITE_FILES_MAX)
		return wrong(r, ERR_LONG, "too many files");
	if (kind == NULL)
		return wrong(r, ERR_SYNTAX, "a file is secret or public");
	*kind++ = '\0';
	if (strcmp(kind, "secret") != 0 && strcmp(kind, "public") != 0)
		return wrong(r, ERR_SYNTAX, "a file is secret or public");
	if (!invite_name_ok(value))
		return wrong(r, ERR_SYNTAX, "not the name of a file in keys/");
	for (unsigned i = 0; i < r->out->n_file; i++)
		if (strcmp(r->out->file[i].name, value) == 0)
			return wrong(r, ERR_SYNTAX, "this file is there twice");
	f = r->file = &r->out->file[r->out->n_file++];
	str_copy(f->name, sizeof(f->name), value);
	f->is_secret = strcmp(kind, "secret") == 0;
	return 0;
}

static int
data_line(struct reader *r, const char *line)
{
	struct invite_file *f = r->file;
	int n = b64_read(line, strlen(line), f->data + f->len,
			 sizeof(f->data) - f->len);

	if (n < 0)
		return wrong(r, n, n == ERR_LONG ? "the file is too long" :
			     "neither a word of an invitation nor base64");
	f->len += (size_t)n;
	return 0;
}

static int
auth_line(struct reader *r, const char *value)
{
	if (r->is_auth)
		return wrong(r, ERR_SYNTAX, "the word is there twice");
	r->is_auth = true;
	for (unsigned i = 0; i < N_OF(auths); i++)
		if (strcmp(value, auths[i]) == 0) {
			r->out->auth = i;
			return 0;
		}
	return wrong(r, ERR_UNSUP, "auth is psk, eap or cert; a newer tapir may "
		     "know more");
}

static int
word_line(struct reader *r, const char *name, char *value)
{
	for (unsigned i = 0; i < N_OF(words); i++) {
		if (strcmp(words[i].name, name) != 0)
			continue;
		if ((r->seen & 1u << i) != 0)
			return wrong(r, ERR_SYNTAX, "the word is there twice");
		r->seen |= 1u << i;
		if (*value == '\0' || !str_copy((char *)r->out + words[i].off,
						words[i].cap, value))
			return wrong(r, ERR_LONG, "empty or too long");
		return 0;
	}
	return wrong(r, ERR_SYNTAX, "not a word of an invitation");
}

static bool
is_word(const char *line, const char *name, char **value)
{
	size_t n = strlen(name);

	if (strncmp(line, name, n) != 0 || line[n] != ' ')
		return false;
	*value = (char *)line + n + 1;
	return true;
}

static int
one_line(struct reader *r, char *line)
{
	char *value;

	if (strcmp(line, "end") == 0) {
		r->is_end = true;
		return 0;
	}
	if (is_word(line, "file", &value))
		return file_line(r, value);
	if (r->file != NULL)
		return data_line(r, line);
	if (is_word(line, "auth", &value))
		return auth_line(r, value);
	if ((value = strchr(line, ' ')) == NULL)
		return wrong(r, ERR_SYNTAX, "a word without a value");
	*value++ = '\0';
	return word_line(r, line, value);
}

static int
head_line(struct reader *r, const char *line)
{
	char *value;

	if (!is_word(line, HEAD, &value))
		return wrong(r, ERR_SYNTAX, "this is no invitation: it begins "
			     "with " HEAD " 1");
	if (strcmp(value, "1") != 0)
		return wrong(r, ERR_UNSUP, "made by a newer tapir");
	return 0;
}

/* X.pem and X.key? */
static bool
is_pair(const char *cert, const char *key)
{
	size_t n = strlen(cert);

	return n > 4 && n == strlen(key) && strcmp(cert + n - 4, ".pem") == 0 &&
	    strcmp(key + n - 4, ".key") == 0 && strncmp(cert, key, n - 4) == 0;
}

bool
invite_has_key(const struct invite *in)
{
	for (unsigned i = 0; i < in->n_file; i++)
		if (in->file[i].is_secret)
			return true;
	return false;
}

/* One key, its certificate, an authority, and nothing else. */
static bool
has_pair(const struct invite *in)
{
	unsigned n_secret = 0, n_pair = 0;

	for (unsigned i = 0; i < in->n_file; i++) {
		n_secret += in->file[i].is_secret;
		for (unsigned k = 0; k < in->n_file; k++)
			n_pair += !in->file[i].is_secret &&
			    in->file[k].is_secret &&
			    is_pair(in->file[i].name, in->file[k].name);
	}
	return n_secret == 1 && n_pair == 1 && in->n_file == 3;
}

static int
whole(struct reader *r)
{
	if (!r->is_end)
		return wrong(r, ERR_SYNTAX, "the end is missing: it was cut");
	for (unsigned i = 0; i < N_OF(words); i++) {
		if (!words[i].is_needed || (r->seen & 1u << i) != 0)
			continue;
		snprintf(r->why, r->cap, "the line %s is missing",
			 words[i].name);
		return ERR_SYNTAX;
	}
	for (unsigned i = 0; i < r->out->n_file; i++)
		if (r->out->file[i].len == 0)
			return wrong(r, ERR_SYNTAX, "a file is empty");
	if (r->out->n_file == 0)
		return wrong(r, ERR_SYNTAX, "there is no key in it");
	if ((r->out->auth == INVITE_CERT || (r->out->auth == INVITE_EAP &&
	     invite_has_key(r->out))) && !has_pair(r->out))
		return wrong(r, ERR_SYNTAX, "there is no key with its "
			     "certificate in it");
	return 0;
}

int
invite_read(const char *text, size_t len, struct invite *out, char *why,
	    size_t cap)
{
	struct reader r = {
		.at = text, .end = text + len, .out = out, .why = why,
		.cap = cap,
	};
	char line[LINE_MAX_] = "";
	bool has_head = false;
	int err;

	memset(out, 0, sizeof(*out));
	if (len > INVITE_BYTES_MAX) {
		snprintf(why, cap, "too long for an invitation");
		return ERR_LONG;
	}
	while (!r.is_end && line_next(&r, line, &err)) {
		if (err == 0 && *line == '\0')
			continue;
		if (err == 0)
			err = has_head ? one_line(&r, line) : head_line(&r, line);
		has_head = true;
		if (err != 0)
			goto out;
	}
	err = whole(&r);
out:
	wipe(line, sizeof(line));
	if (err != 0)
		wipe(out, sizeof(*out));
	return err;
}

void
invite_write(FILE *f, const struct invite *in)
{
	fprintf(f, HEAD " 1\nauth %s\n", auths[in->auth]);
	for (unsigned i = 0; i < N_OF(words); i++) {
		const char *v = (const char *)in + words[i].off;

		if (*v != '\0')
			fprintf(f, "%s %s\n", words[i].name, v);
	}
	for (unsigned i = 0; i < in->n_file; i++) {
		const struct invite_file *x = &in->file[i];

		fprintf(f, "file %s %s\n", x->name, x->is_secret ? "secret" :
			"public");
		b64_write(f, (struct view){ x->data, x->len }, 64, "");
	}
	fputs("end\n", f);
}

/* ---- the realm ----------------------------------------------------------------- */

static void
attr(FILE *f, const char *name, const char *value)
{
	if (*value == '\0')
		return;
	fprintf(f, " %s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '&' || *value == '<' || *value == '"')
			fprintf(f, "&#%d;", *value);
		else
			fputc(*value, f);
	}
	fputc('"', f);
}

static void
realm_head(FILE *f, const struct invite *in, const char *lan)
{
	fputs("  <realm", f);
	attr(f, "name", in->realm);
	attr(f, "mode", in->mode);
	attr(f, strchr(lan, '/') != NULL ? "address" : "bridge", lan);
	fputs(">\n    <me", f);
}

void
invite_first(FILE *f, const struct invite *in, const char *lan, const char *psk)
{
	fputs("<vpn>\n", f);
	realm_head(f, in, lan);
	attr(f, "id", in->peer);
	fputs("/>\n    <peer", f);
	attr(f, "id", in->me);
	attr(f, "psk", psk);
	fputs("/>\n  </realm>\n</vpn>\n", f);
}

void
invite_realm(FILE *f, const struct invite *in, const char *lan)
{
	bool is_net = in->local[0] != '\0' || in->remote[0] != '\0';
	const char *secret = "", *ca = "", *cert = "";

	for (unsigned i = 0; i < in->n_file; i++)
		if (in->file[i].is_secret)
			secret = in->file[i].name;
	for (unsigned i = 0; i < in->n_file; i++) {
		if (in->file[i].is_secret)
			continue;
		if (in->auth != INVITE_PSK &&
		    is_pair(in->file[i].name, secret))
			cert = in->file[i].name;
		else
			ca = in->file[i].name;
	}
	realm_head(f, in, lan);
	if (in->auth == INVITE_EAP) {
		attr(f, "eap", in->me);
		attr(f, "cert", cert);
	} else {
		attr(f, "id", in->me);
		attr(f, "psk", in->auth == INVITE_PSK ? secret : "");
		attr(f, "cert", cert);
	}
	fputs("/>\n    <peer", f);
	attr(f, "id", in->peer);
	attr(f, "at", in->at);
	if (in->auth != INVITE_PSK)
		attr(f, "ca", ca);
	fputs("/>\n", f);
	if (is_net) {
		fputs("    <net", f);
		attr(f, "local", in->local);
		attr(f, "remote", in->remote);
		fputs("/>\n", f);
	}
	fputs("  </realm>\n", f);
}
