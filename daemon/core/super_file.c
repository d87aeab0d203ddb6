/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/super_file.c - the files of the configuration as tapir-web may see and
 * change them.
 *
 *   tapir-web: conf-files | conf-read FILE | conf-write FILE DIGEST + text
 *   answer:    conf-file ... mistake ... change ... then done or failed
 *
 * They are this process's business, which alone may write them; role main, which
 * speaks with strangers, has no part in it.  Only files that the configuration
 * consists of can be named, and who writes must have proved who he is
 * (super_proof.c).  What tapir check would refuse is not written, nor what
 * was changed by somebody else since it was read.
 *
 * Thread: the supervisor's.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "conf/replace.h"
#include "daemon/base/cur.h"
#include "daemon/base/log.h"
#include "daemon/base/map.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/bus/doc_wire.h"
#include "daemon/core/change.h"
#include "daemon/core/spawn.h"

#define CHANGE_MAX 200		/* changes that are told one by one; ours */
#define SEND_MS	   200		/* tapir-web may be busy so long; ours */
#define MODE	   0644		/* of a file that is not there any more */

/* One question, and what is known while it is answered. */
struct work {
	struct super *s;
	struct bus_rec cmd;
	const char *by;			/* who asks; NULL: nobody proved it */
	struct view text;		/* of a write */
	bool is_deaf;			/* tapir-web does not take the answer */
	char *all;			/* the files as one text */
	size_t len;
	unsigned n, at;			/* how many, which one */
	struct conf_file f[CONF_FILES_MAX];
	struct conf_errs *errs;
	unsigned n_told;
};

/* ---- answers --------------------------------------------------------------- */

static void
put(struct work *k, const void *p, size_t len)
{
	struct pollfd out = { .fd = k->s->web.word_fd, .events = POLLOUT };

	if (k->is_deaf)
		return;
	if (send(out.fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return;
	if (errno == EAGAIN && poll(&out, 1, SEND_MS) == 1 &&
	    send(out.fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return;
	k->is_deaf = true;
	log_warn("tapird", "tapir-web does not take an answer");
}

static void
tell(struct work *k, struct bus_rec *r)
{
	uint8_t b[BUS_WIRE_MAX];
	int n;

	r->tag = k->cmd.tag;
	if ((n = bus_enc_buf(r, b, sizeof(b))) > 0)
		put(k, b, (size_t)n);
}

static void
done(struct work *k, const char *text)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_DONE);
	bus_set_str(&r, BUS_F_TEXT, text);
	tell(k, &r);
}

static void
failed(struct work *k, int err, const char *text, const char *hint)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_FAILED);
	bus_set_str(&r, BUS_F_CODE, err_name(err));
	bus_set_str(&r, BUS_F_TEXT, text);
	bus_set_str(&r, BUS_F_HINT, hint);
	tell(k, &r);
}

/* ---- files ----------------------------------------------------------------- */

/* Tells texts apart; it proves nothing to anybody. */
static uint64_t
digest_of(const char *text, size_t len)
{
	static const uint8_t key[16];

	return siphash(key, text, len);
}

static void
file_rec(const struct work *k, const char *text, size_t len,
	 struct bus_rec *r)
{
	bus_rec_init(r, BUS_RES_CONF_FILE);
	bus_set_str(r, BUS_F_FILE, k->f[k->at].name);
	bus_set_fmt(r, BUS_F_DIGEST, "%016llx",
		    (unsigned long long)digest_of(text, len));
	bus_set_u64(r, BUS_F_N_BYTES, len);
	bus_set_bool(r, BUS_F_IS_MAIN, k->at == 0);
}

/* All of them as they are now; false: it was answered. */
static bool
read_all(struct work *k)
{
	const char *path = k->s->args->conf_path;

	k->errs = calloc(1, sizeof(*k->errs));
	if (k->errs == NULL) {
		failed(k, ERR_NOMEM, err_text(ERR_NOMEM), "");
		return false;
	}
	if (conf_read(path, &k->all, &k->len, k->errs) != 0) {
		failed(k, ERR_CONF, k->errs->n > 0 ? k->errs->e[0].text :
		       err_text(ERR_NOMEM), "tapir check says more");
		return false;
	}
	k->n = conf_files(k->all, k->len, path, k->f);
	return true;
}

/* The one that is asked for; empty: the first. */
static bool
find(struct work *k)
{
	const char *name = bus_str(&k->cmd, BUS_F_FILE);

	for (k->at = 0; k->at < k->n; k->at++)
		if (*name == '\0' || strcmp(name, k->f[k->at].name) == 0)
			return true;
	failed(k, ERR_NOTFOUND, "the configuration has no such file",
	       "conf-files lists them");
	return false;
}

/* ---- taking back ----------------------------------------------------------- */

static void
wrote_free(struct super_wrote *w)
{
	free(w->name);
	free(w->former);
	free(w);
}

void
super_file_keep(struct super *s)
{
	struct super_wrote *w;

	while ((w = s->wrote) != NULL) {
		s->wrote = w->next;
		wrote_free(w);
	}
}

/* The file was not changed by somebody else since it was written. */
static bool
is_ours(const struct super *s, const struct super_wrote *w)
{
	struct work k = { .n = 0 };
	bool is = false;

	k.errs = calloc(1, sizeof(*k.errs));
	if (k.errs != NULL && conf_read(s->args->conf_path, &k.all, &k.len,
					k.errs) == 0)
		k.n = conf_files(k.all, k.len, s->args->conf_path, k.f);
	for (unsigned i = 0; i < k.n; i++)
		if (strcmp(k.f[i].name, w->name) == 0)
			is = digest_of(k.f[i].text, k.f[i].len) == w->digest;
	free(k.all);
	free(k.errs);
	return is;
}

bool
super_file_can_undo(const struct super *s)
{
	for (const struct super_wrote *w = s->wrote; w != NULL; w = w->next)
		if (is_ours(s, w))
			return true;
	return false;
}

void
super_file_undo(struct super *s)
{
	for (const struct super_wrote *w = s->wrote; w != NULL; w = w->next)
		if (is_ours(s, w) && conf_file_replace(w->name, w->former,
						       w->len, MODE) != 0)
			log_error("tapird", "cannot write %s: %s", w->name,
				  strerror(errno));
	super_file_keep(s);
}

/* How the file was before the first time; false without memory. */
static bool
remember(struct work *k)
{
	const struct conf_file *f = &k->f[k->at];
	uint64_t digest = digest_of((const char *)k->text.p, k->text.len);
	struct super_wrote *w;

	for (w = k->s->wrote; w != NULL; w = w->next)
		if (strcmp(w->name, f->name) == 0) {
			w->digest = digest;
			return true;
		}
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return false;
	w->digest = digest;
	w->name = strdup(f->name);
	w->former = malloc(f->len + 1);
	if (w->name == NULL || w->former == NULL) {
		wrote_free(w);
		return false;
	}
	memcpy(w->former, f->text, f->len);
	w->len = f->len;
	w->next = k->s->wrote;
	k->s->wrote = w;
	return true;
}

/* ---- writing --------------------------------------------------------------- */

static void
tell_change(void *ctx, const struct conf_change *ch)
{
	struct work *k = ctx;
	struct bus_rec r;

	if (k->n_told++ >= CHANGE_MAX)
		return;
	change_rec(ch, &r);
	tell(k, &r);
}

/* Every mistake, and that it was not written. */
static void
refuse(struct work *k)
{
	struct bus_rec r;

	for (unsigned i = 0; i < k->errs->n; i++) {
		mistake_rec(k->errs, &k->errs->e[i], &r);
		tell(k, &r);
	}
	failed(k, ERR_CONF, "the configuration would be wrong, nothing was "
	       "written", "");
}

/* Is all of it right with the new text?  Says what would change, or what is
 * wrong. */
static bool
check(struct work *k)
{
	struct conf_file f[CONF_FILES_MAX];
	struct conf *next = NULL;
	struct conf_diff_sum sum;
	struct bus_rec r;
	char *all = NULL;
	size_t len;
	int err;

	memcpy(f, k->f, k->n * sizeof(*f));
	f[k->at].text = (const char *)k->text.p;
	f[k->at].len = k->text.len;
	if (conf_bundle(f, k->n, &all, &len) != 0) {
		failed(k, ERR_NOMEM, err_text(ERR_NOMEM), "");
		return false;
	}
	err = conf_parse(all, len, k->s->args->conf_path, k->s->key_dir, &next,
			 k->errs);
	free(all);
	if (err != 0) {
		refuse(k);
		return false;
	}
	conf_diff(k->s->conf, next, tell_change, k, &sum);
	conf_free(next);
	change_sum_rec(&sum, 0, &r);
	tell(k, &r);
	return true;
}

/* Role main tells it to everybody. */
static void
announce(const struct work *k)
{
	const char *user = k->by;
	const char *file = k->f[k->at].name;
	size_t n = MIN(strlen(user), (size_t)UINT8_MAX);
	uint8_t b[2 + UINT8_MAX + BUS_STR_MAX];
	struct wcur w;

	wcur_init(&w, b, sizeof(b));
	wcur_u8(&w, ROLE_WRITTEN);
	wcur_u8(&w, (uint8_t)n);
	wcur_bytes(&w, user, n);
	wcur_bytes(&w, file, MIN(strlen(file), (size_t)BUS_STR_MAX));
	if (send(k->s->main_fd, b, wcur_done(&w).len, MSG_NOSIGNAL |
		 MSG_DONTWAIT) < 0)
		log_warn("tapird", "the main process does not listen");
}

static void
replace(struct work *k)
{
	char why[512] = "";
	struct bus_rec r;

	if (!remember(k)) {
		failed(k, ERR_NOMEM, err_text(ERR_NOMEM), "");
		return;
	}
	if (conf_file_replace(k->f[k->at].name, (const char *)k->text.p,
			      k->text.len, MODE) != 0) {
		str_add(why, sizeof(why), "cannot write %s: %s",
			k->f[k->at].name, strerror(errno));
		failed(k, ERR_SYS, why, errno == EROFS ? "the service manager "
		       "keeps it read-only: ReadWritePaths=/etc/tapir" : "");
		return;
	}
	announce(k);
	file_rec(k, (const char *)k->text.p, k->text.len, &r);
	tell(k, &r);
	done(k, "written; a reload puts it in force");
}

static bool
is_stale(const struct work *k)
{
	char now[24] = "";

	str_add(now, sizeof(now), "%016llx", (unsigned long long)
		digest_of(k->f[k->at].text, k->f[k->at].len));
	return strcmp(now, bus_str(&k->cmd, BUS_F_DIGEST)) != 0;
}

/* A text that several files in one (conf_bundle()) could be taken for is none. */
static bool
is_text(struct view v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.p[i] < ' ' && strchr("\t\r\n", v.p[i]) == NULL)
			return false;
	return memchr(v.p, '\0', v.len) == NULL;
}

static void
do_write(struct work *k)
{
	bool is_dry = bus_bool(&k->cmd, BUS_F_IS_DRY);

	if (!is_text(k->text))
		failed(k, ERR_SYNTAX, "this is no text", "UTF-8 without control "
		       "characters");
	else if (!is_dry && !k->s->conf->web.edit)
		failed(k, ERR_PERM, "the configuration is not changed from here",
		       "<web edit=\"no\"> says so; change the file on the "
		       "machine itself");
	else if (!is_dry && k->by == NULL)
		failed(k, ERR_PROOF, err_text(ERR_PROOF), "PUT /login with the "
		       "password, or with a new link");
	else if (!read_all(k) || !find(k))
		return;
	else if (!is_dry && is_stale(k))
		failed(k, ERR_STALE, "somebody changed the file since it was "
		       "read", "read it again");
	else if (!check(k))
		return;
	else if (is_dry)
		done(k, "nothing was written");
	else
		replace(k);
}

/* ---- reading --------------------------------------------------------------- */

static void
do_list(struct work *k)
{
	struct bus_rec r;

	if (!read_all(k))
		return;
	for (k->at = 0; k->at < k->n; k->at++) {
		file_rec(k, k->f[k->at].text, k->f[k->at].len, &r);
		tell(k, &r);
	}
	done(k, "");
}

static void
do_read(struct work *k)
{
	static uint8_t b[DOC_WIRE_MAX];
	const struct conf_file *f = &k->f[0];
	struct bus_rec r;
	int n;

	if (!read_all(k) || !find(k))
		return;
	f = &k->f[k->at];
	file_rec(k, f->text, f->len, &r);
	r.tag = k->cmd.tag;
	n = doc_enc(&r, (struct view){ (const uint8_t *)f->text, f->len }, b,
		    sizeof(b));
	if (n < 0) {
		failed(k, n, "the file is too large for a browser", "more than "
		       "64 KiB: change it on the machine itself");
		return;
	}
	put(k, b, (size_t)n);
	done(k, "");
}

/* ---- questions ------------------------------------------------------------- */

void
super_file_do(struct super *s, const uint8_t *bytes, size_t len, const char *by)
{
	struct work k = { .s = s, .by = by };

	if (doc_dec(bytes, len, &k.cmd, &k.text) != 0)
		return;
	switch (k.cmd.desc->row) {
	case BUS_CMD_CONF_FILES:
		do_list(&k);
		break;
	case BUS_CMD_CONF_READ:
		do_read(&k);
		break;
	case BUS_CMD_CONF_WRITE:
		do_write(&k);
		break;
	case BUS_CMD_DESK:
		super_desk_ask(s, &k.cmd, (struct view){ bytes, len }, by);
		wipe(&k.cmd, sizeof(k.cmd));
		break;
	default:
		failed(&k, ERR_UNSUP, "this is not for the supervisor", "");
		break;
	}
	free(k.all);
	free(k.errs);
}

/* Where it matters who asks: the proof of it.  0: none came along. */
static uint64_t
proof_of(const struct bus_rec *cmd)
{
	bool is_change = cmd->desc->row == BUS_CMD_DESK ||
	    (cmd->desc->row == BUS_CMD_CONF_WRITE && !bus_bool(cmd, BUS_F_IS_DRY));

	return is_change ? bus_u64(cmd, BUS_F_PROOF) : 0;
}

void
super_file_word(struct super *s)
{
	static uint8_t b[DOC_WIRE_MAX];
	struct work k = { .s = s };
	ssize_t n = recv(s->web.word_fd, b, sizeof(b), MSG_DONTWAIT | MSG_TRUNC);
	uint64_t proof;
	int err = 0;

	if (n <= 0 || n > (ssize_t)sizeof(b) ||
	    doc_dec(b, (size_t)n, &k.cmd, &k.text) != 0)
		return;
	if ((proof = proof_of(&k.cmd)) == 0)
		super_file_do(s, b, (size_t)n, NULL);
	else
		err = super_proof_ask(s, proof, (struct view){ b, (size_t)n });
	if (err != 0)
		failed(&k, err, err == ERR_AGAIN ? "another question waits" :
		       err_text(err), "try again");
	wipe(b, (size_t)n);
	wipe(&k.cmd, sizeof(k.cmd));
}
