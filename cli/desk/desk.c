/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/desk/desk.c - one question to the desk, and its answer.
 */
#include "cli/desk/desk.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "cli/desk/seal.h"
#include "cli/invite/profile.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/bus/doc_wire.h"

#define PASS_LINE "passphrase: "
#define PLAIN	  (DOC_BYTES_MAX - DESK_TAG)	/* of a document before it is sealed */

/* What a command printed. */
struct printed {
	char *out, *err;
	size_t n_out, n_err;
};

/* ---- running a command ------------------------------------------------------------- */

/* The password is a file without a name, read once. */
static int
word_offer(const char *word)
{
	int fd;
	bool is_ok;

	if (*word == '\0')
		return 0;
	if ((fd = memfd_create("tapir-word", MFD_CLOEXEC)) < 0)
		return ERR_SYS;
	is_ok = write(fd, word, strlen(word)) == (ssize_t)strlen(word) &&
	    write(fd, "\n", 1) == 1 && lseek(fd, 0, SEEK_SET) == 0 &&
	    dup2(fd, STDIN_FILENO) == STDIN_FILENO;
	close(fd);
	return is_ok ? 0 : ERR_SYS;
}

static void
printed_free(struct printed *p)
{
	if (p->out != NULL)
		wipe(p->out, p->n_out);
	if (p->err != NULL)
		wipe(p->err, p->n_err);
	free(p->out);
	free(p->err);
}

/* CLI_OK, another exit status, or ERR_NOMEM. */
static int
run(const struct bus_rec *cmd, struct desk_line *l, int bad, struct printed *p)
{
	struct cli c = { .is_json = true, .run_dir = CLI_RUN_DIR };
	int status;

	c.out = open_memstream(&p->out, &p->n_out);
	c.err = open_memstream(&p->err, &p->n_err);
	if (c.out == NULL || c.err == NULL) {
		if (c.out != NULL)
			fclose(c.out);
		return ERR_NOMEM;
	}
	show_init(&c.show, c.out);
	c.cmd = cli_cmd_find(l->cmd != NULL ? l->cmd : "help");
	if (bad != 0)
		status = cli_fail(&c, CLI_FAILED, err_name(bad), NULL, "%s",
				  l->why != NULL ? l->why : err_text(bad));
	else if (word_offer(bus_str(cmd, BUS_F_PASSWORD)) != 0)
		status = cli_fail(&c, CLI_FAILED, "password", NULL, "no memory "
				  "for the password");
	else
		status = l->fn(&c, l->argc, l->argv);
	if (fclose(c.out) != 0 || fclose(c.err) != 0)
		return ERR_NOMEM;
	return status;
}

/* ---- the answer ---------------------------------------------------------------------- */

/* Which device it is for; PROFILE_KINDS: another tapir. */
static enum profile_kind
device(const struct bus_rec *cmd)
{
	for (unsigned k = 0; k < PROFILE_KINDS; k++)
		if (strcmp(bus_str(cmd, BUS_F_KIND), profile_word(k)) == 0)
			return k;
	return PROFILE_KINDS;
}

/* The passphrase of what a profile holds: only for who asked. */
static int
pass_seal(struct desk_seal *s, const struct printed *p, struct bus_rec *r)
{
	const char *at = p->err != NULL ? strstr(p->err, PASS_LINE) : NULL;
	uint8_t sealed[128];
	char hex[2 * sizeof(sealed) + 1];
	struct view v;
	int err;

	if (at == NULL)
		return 0;
	at += sizeof(PASS_LINE) - 1;
	v = (struct view){ (const uint8_t *)at, strcspn(at, "\n") };
	if (v.len > sizeof(sealed) - DESK_TAG)
		return ERR_LONG;
	if ((err = desk_seal_do(s, v, sealed)) != 0)
		return err;
	str_hex(hex, sizeof(hex), sealed, v.len + DESK_TAG);
	bus_set_str(r, BUS_F_SEALED, hex);
	return 0;
}

static int
doc_put(struct desk_answer *a, struct desk_seal *s, const struct printed *p)
{
	struct view v = { (const uint8_t *)p->out, p->n_out };

	if (v.len > PLAIN)
		return ERR_LONG;
	if ((a->doc = malloc(v.len + DESK_TAG)) == NULL)
		return ERR_NOMEM;
	a->len = v.len;
	if (s == NULL) {
		memcpy(a->doc, v.p, v.len);
		return 0;
	}
	a->len += DESK_TAG;
	return desk_seal_do(s, v, a->doc);
}

/* What was done, for whom it is. */
static int
done(const struct bus_rec *cmd, const struct desk_line *l, struct desk_seal *s,
     const struct printed *p, struct desk_answer *a)
{
	enum profile_kind k = device(cmd);
	bool is_profile = l->is_file && k < PROFILE_KINDS;
	int err;

	if (l->is_secret)
		bus_set_str(&a->rec, BUS_F_SEAL, s->own);
	if (l->is_file) {
		bus_set_fmt(&a->rec, BUS_F_FILE, "%.200s%s",
			    bus_str(cmd, BUS_F_NAME), is_profile ?
			    profile_ending(k) : ".invite");
		bus_set_str(&a->rec, BUS_F_KIND, is_profile ? profile_type(k) :
			    "application/octet-stream");
	}
	if (is_profile && (err = pass_seal(s, p, &a->rec)) != 0)
		return err;
	return doc_put(a, l->is_secret && !is_profile ? s : NULL, p);
}

static int
prepare(const struct bus_rec *cmd, const struct desk_place *at,
	struct desk_line *l, struct desk_seal *s)
{
	int err = desk_line(cmd, at, l);

	if (err != 0 || !l->is_secret)
		return err;
	if ((err = desk_seal_begin(s, bus_str(cmd, BUS_F_SEAL))) != 0)
		l->why = "the answer is secret: seal= is the public key it is "
			 "sealed for";
	return err;
}

int
desk_run(const struct bus_rec *cmd, const struct desk_place *at,
	 struct desk_answer *out)
{
	struct desk_line *l = calloc(1, sizeof(*l));
	struct printed p = { 0 };
	struct desk_seal s = { .is_used = false };
	int bad, status, err = ERR_NOMEM;

	memset(out, 0, sizeof(*out));
	bus_rec_init(&out->rec, BUS_RES_DESK);
	bus_set_str(&out->rec, BUS_F_WHAT, bus_str(cmd, BUS_F_WHAT));
	if (l == NULL)
		return ERR_NOMEM;
	bad = prepare(cmd, at, l, &s);
	status = run(cmd, l, bad, &p);
	bus_set_bool(&out->rec, BUS_F_IS_DRY, bad != 0 || !l->is_change);
	bus_set_str(&out->rec, BUS_F_CODE, status == CLI_OK ? "done" :
		    bad == ERR_PROOF ? "proof" : "failed");
	if (status >= CLI_OK)
		err = status == CLI_OK ? done(cmd, l, &s, &p, out) :
		    doc_put(out, NULL, &p);
	desk_seal_wipe(&s);
	printed_free(&p);
	wipe(l, sizeof(*l));
	free(l);
	return err;
}

void
desk_answer_free(struct desk_answer *a)
{
	if (a->doc != NULL)
		wipe(a->doc, a->len);
	free(a->doc);
	a->doc = NULL;
	a->len = 0;
}
