/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_join.c - tapir join: an invitation, a file or behind a link, becomes a
 * realm and its keys.
 *
 * Whoever wrote the invitation says where we dial and with which key, so it is
 * shown and asked for.  A realm or a key that is there is never changed, and what
 * tapir check would refuse is not written.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/conf_file.h"
#include "cli/invite/invite.h"
#include "cli/invite/share.h"
#include "cli/json.h"
#include "cli/word.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

#define EMPTY	"<vpn>\n</vpn>\n"
#define VPN_END "</vpn>"

struct join {
	const char *config, *lan, *from, *pass_file;
	bool is_sure;
	struct invite in;
	char keys[PATH_MAX];
	bool is_new[INVITE_FILES_MAX];	/* written by us */
	char *text;			/* of the configuration as it will be */
	size_t len;
};

/* ---- the invitation ----------------------------------------------------------------- */

static int
read_all(const char *path, char *out, size_t cap, size_t *len)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO :
	    open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 1;
	size_t n = 0;

	if (fd < 0)
		return ERR_SYS;
	while (n < cap && (got = read(fd, out + n, cap - n)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		n += (size_t)got;
	}
	if (fd != STDIN_FILENO)
		close(fd);
	*len = n;
	return got < 0 ? ERR_SYS : 0;
}

static int
invitation(struct cli *c, struct join *j)
{
	char *text = calloc(1, INVITE_BYTES_MAX + 1), why[160] = "";
	size_t len = 0;
	int status = CLI_OK;

	if (text == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	if (share_is_link(j->from))
		status = share_fetch(c, j->from, text, INVITE_BYTES_MAX, &len);
	else if (read_all(j->from, text, INVITE_BYTES_MAX + 1, &len) != 0)
		status = cli_fail(c, CLI_FAILED, "file", NULL, "cannot read "
				  "%.200s: %s", j->from, strerror(errno));
	if (status == CLI_OK &&
	    invite_read(text, len, &j->in, why, sizeof(why)) != 0)
		status = cli_fail(c, CLI_FAILED, "invitation", NULL, "%.200s: "
				  "%s", share_is_link(j->from) ? "the link" :
				  j->from, why);
	wipe(text, INVITE_BYTES_MAX + 1);
	free(text);
	return status;
}

/* What it would do; the user says whether. */
static int
agree(struct cli *c, const struct join *j)
{
	char text[CONF_ID_MAX * 4], answer[16] = "";
	const struct invite *in = &j->in;

	if (c->is_json || j->is_sure)
		return j->is_sure ? CLI_OK : cli_fail(c, CLI_USAGE, "usage", NULL,
						      "--json wants --yes");
	fprintf(c->out, "realm  %s\n", bus_print_text(in->realm, text,
						      sizeof(text)));
	fprintf(c->out, "we are %s\n", bus_print_text(in->me, text,
						      sizeof(text)));
	fprintf(c->out, "peer   %s\n", bus_print_text(in->peer, text,
						      sizeof(text)));
	fprintf(c->out, "at     %s\n", bus_print_text(in->at, text,
						      sizeof(text)));
	for (unsigned i = 0; i < in->n_file; i++)
		fprintf(c->out, "%s    %s/%s\n", in->file[i].is_secret ? "key" :
			"ca ", j->keys, in->file[i].name);
	if (!isatty(STDIN_FILENO) || strcmp(j->from, "-") == 0)
		return cli_fail(c, CLI_USAGE, "usage", "say --yes", "without a "
				"terminal nobody can agree to it");
	fprintf(c->out, "Join? [y/N] ");
	fflush(c->out);
	if (fgets(answer, sizeof(answer), stdin) == NULL ||
	    (answer[0] != 'y' && answer[0] != 'Y'))
		return cli_fail(c, CLI_FAILED, "refused", NULL, "nothing was "
				"written");
	return CLI_OK;
}

/* ---- keys ----------------------------------------------------------------------------- */

static void
keys_undo(struct join *j)
{
	char path[PATH_MAX + INVITE_NAME_MAX + 2];

	for (unsigned i = 0; i < j->in.n_file; i++) {
		if (!j->is_new[i])
			continue;
		snprintf(path, sizeof(path), "%s/%s", j->keys,
			 j->in.file[i].name);
		(void)unlink(path);
	}
}

/* The same bytes as what is there? */
static bool
same_file(const char *path, const struct invite_file *f)
{
	uint8_t *have = calloc(1, INVITE_FILE_MAX + 1);
	size_t n = 0;
	bool is_same;

	if (have == NULL)
		return false;
	is_same = read_all(path, (char *)have, INVITE_FILE_MAX + 1, &n) == 0 &&
	    n == f->len && ct_equal(have, f->data, n);
	wipe(have, INVITE_FILE_MAX + 1);
	free(have);
	return is_same;
}

static int
key_write(struct cli *c, struct join *j, unsigned i)
{
	char path[PATH_MAX + INVITE_NAME_MAX + 2];
	const struct invite_file *f = &j->in.file[i];
	int fd;
	bool is_ok;

	snprintf(path, sizeof(path), "%s/%s", j->keys, f->name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  f->is_secret ? 0600 : 0644);
	if (fd < 0 && errno == EEXIST) {
		if (same_file(path, f))
			return CLI_OK;
		return cli_fail(c, CLI_FAILED, "exists", "move it away if it is "
				"not used any more", "%s is there, and another "
				"one", path);
	}
	if (fd < 0)
		return cli_fail(c, CLI_FAILED, "write", "run the command as root",
				"cannot write %s: %s", path, strerror(errno));
	j->is_new[i] = true;
	is_ok = write(fd, f->data, f->len) == (ssize_t)f->len && fsync(fd) == 0;
	if (close(fd) != 0 || !is_ok)
		return cli_fail(c, CLI_FAILED, "write", NULL, "cannot write %s: "
				"%s", path, strerror(errno));
	return CLI_OK;
}

/* The password of who logs in by EAP, as one more file of the invitation. */
static int
password_add(struct cli *c, struct join *j)
{
	struct invite_file *f = &j->in.file[j->in.n_file];
	char word[WORD_MAX] = "";
	int status, n;

	if (j->in.auth != INVITE_EAP || invite_has_key(&j->in))
		return CLI_OK;
	n = snprintf(f->name, sizeof(f->name), "%.110s.eap", j->in.me);
	if (j->in.n_file == INVITE_FILES_MAX || n < 0 || !invite_name_ok(f->name) ||
	    strlen(j->in.me) > 110)
		return cli_fail(c, CLI_FAILED, "invitation", NULL, "the name %.100s "
				"cannot be that of a file", j->in.me);
	if ((status = word_read_old(c, j->pass_file, word)) == CLI_OK) {
		f->is_secret = true;
		f->len = (size_t)snprintf((char *)f->data, sizeof(f->data), "%s\n",
					  word);
		j->in.n_file++;
	}
	wipe(word, sizeof(word));
	return status;
}

static int
keys_write(struct cli *c, struct join *j)
{
	int status = CLI_OK;

	if (mkdir(j->keys, 0700) != 0 && errno != EEXIST)
		return cli_fail(c, CLI_FAILED, "write", "run the command as root",
				"cannot make %s: %s", j->keys, strerror(errno));
	for (unsigned i = 0; i < j->in.n_file && status == CLI_OK; i++)
		status = key_write(c, j, i);
	return status;
}

/* ---- the configuration ------------------------------------------------------------------ */

/* The last place of a word in a text, or NULL. */
static char *
last_of(char *text, const char *word)
{
	char *found = NULL;

	for (char *p = text; (p = strstr(p, word)) != NULL; p++)
		found = p;
	return found;
}

/* The main file with the realm as the last of <vpn>. */
static int
text_make(struct cli *c, struct join *j)
{
	char *old = calloc(1, CONF_BYTES_MAX + 1), *end;
	size_t len = 0;
	FILE *f;

	if (old == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	if (access(j->config, F_OK) != 0 && errno == ENOENT)
		str_copy(old, CONF_BYTES_MAX, EMPTY);
	else if (read_all(j->config, old, CONF_BYTES_MAX, &len) != 0) {
		free(old);
		return cli_fail(c, CLI_FAILED, "file", NULL, "cannot read %s: %s",
				j->config, strerror(errno));
	}
	end = last_of(old, VPN_END);
	f = end != NULL ? open_memstream(&j->text, &j->len) : NULL;
	if (f == NULL) {
		free(old);
		return cli_fail(c, CLI_FAILED, "check", "tapir check shows what "
				"is wrong", "%s: there is no %s", j->config,
				VPN_END);
	}
	fwrite(old, 1, (size_t)(end - old), f);
	invite_realm(f, &j->in, j->lan);
	fputs(end, f);
	free(old);
	if (fclose(f) != 0)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	return CLI_OK;
}

/* Is it what was meant, and only that? */
static int
text_check(struct cli *c, struct join *j)
{
	struct conf_errs *errs = calloc(1, sizeof(*errs));
	const struct conf_realm *r;
	struct conf *conf = NULL;
	int err, status = CLI_OK;

	if (errs == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	err = conf_parse(j->text, j->len, j->config, j->keys, &conf, errs);
	if (err != 0) {
		status = cli_fail(c, CLI_FAILED, errs->n > 0 ?
				  conf_code_name(errs->e[0].code) : "check",
				  "nothing was written", "the configuration "
				  "would be wrong: %s", errs->n > 0 ?
				  errs->e[0].text : err_text(err));
		free(errs);
		return status;
	}
	r = conf_realm_find(conf, j->in.realm);
	if (r == NULL || r->n_peer != 1)
		status = cli_fail(c, CLI_FAILED, "check", NULL, "%s is written in "
				  "a way this command cannot add to", j->config);
	conf_free(conf);
	free(errs);
	return status;
}

static int
done(struct cli *c, const struct join *j)
{
	struct json js;

	if (!c->is_json) {
		fprintf(c->out, "wrote realm %s into %s; tapir reload, or "
			"systemctl start tapir, puts it in force\n", j->in.realm,
			j->config);
		return CLI_OK;
	}
	json_init(&js, c->out);
	json_obj(&js, NULL);
	json_bool(&js, "ok", true);
	json_str(&js, "realm", j->in.realm);
	json_str(&js, "file", j->config);
	json_obj_end(&js);
	json_end(&js);
	return CLI_OK;
}

static int
join_run(struct cli *c, struct join *j)
{
	int status;

	if ((status = invitation(c, j)) != CLI_OK ||
	    (status = agree(c, j)) != CLI_OK ||
	    (status = text_make(c, j)) != CLI_OK)
		return status;
	if ((status = password_add(c, j)) == CLI_OK &&
	    (status = keys_write(c, j)) == CLI_OK &&
	    (status = text_check(c, j)) == CLI_OK &&
	    conf_file_replace(j->config, j->text, j->len, 0644) != 0)
		status = cli_fail(c, CLI_FAILED, "write", "run the command as "
				  "root", "cannot write %s: %s", j->config,
				  strerror(errno));
	if (status != CLI_OK) {
		keys_undo(j);
		return status;
	}
	return done(c, j);
}

int
cmd_join(struct cli *c, int argc, char **argv)
{
	struct join *j = calloc(1, sizeof(*j));
	int status;

	if (j == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	j->config = CLI_CONF;
	j->lan = "";
	{
		const struct cli_opt opt[] = {
			{ 'c', "config", NULL, &j->config },
			{ 0, "lan", NULL, &j->lan },
			{ 'y', "yes", &j->is_sure, NULL },
			{ 0, "pass", NULL, &j->pass_file },
		};

		argc = cli_opts(c, opt, N_OF(opt), argc, argv, 1);
	}
	if (argc == 1) {
		j->from = argv[0];
		conf_key_dir(j->config, j->keys, sizeof(j->keys));
		status = join_run(c, j);
	} else {
		status = argc < 0 ? CLI_USAGE :
		    cli_fail(c, CLI_USAGE, "usage", "tapir help join",
			     "join wants the file of an invitation, or a link");
	}
	free(j->text);
	wipe(j, sizeof(*j));
	free(j);
	return status;
}
