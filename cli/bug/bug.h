/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/bug/bug.h - tapir bugreport: what is collected, and what is taken out.
 *
 *   collect.c  commands, files, programs --> parts, a text each
 *   inside.c   the daemon's own answers
 *   redact.c   inline secrets of the configuration; tapir-secure --redact
 *   anon.c     --anonymous: names and addresses
 *   tar.c      parts --> one archive
 *
 * Text of parts is printable UTF-8 but for newlines and tabs.  Thread: one.
 */
#ifndef TAPIR_CLI_BUG_BUG_H
#define TAPIR_CLI_BUG_BUG_H

#include <stdio.h>
#include "cli/cli.h"
#include "conf/conf.h"

#define BUG_PARTS_MAX 128		/* ours */
#define BUG_NAME_MAX  80		/* bytes of a part's name; tar has 100 */
#define BUG_PART_MAX  (1u << 20)	/* bytes of a part; ours */
#define BUG_MARK      "[secret]"	/* as tapir-secure --redact writes it */

struct bug_part {
	char name[BUG_NAME_MAX];	/* "config/tapir.xml" */
	char *text;			/* malloc()ed, with NUL */
	size_t len;
};
struct bug {
	struct cli *c;
	const char *config;		/* path of the configuration */
	struct conf *conf;		/* NULL: it cannot be read */
	struct conf_errs *errs;		/* why */
	bool is_running;		/* tapird answers */
	char *hidden;			/* what bug_hide() is to take out; a line
					 * each */
	char self[4096];		/* this program */
	struct bug_part part[BUG_PARTS_MAX];
	unsigned n_part;
	FILE *at;			/* the part that is being written */
	char *at_text;
	size_t at_len;
};

/* ---- collect.c ---- */

/** Begin a part; what is written to the stream becomes its text.  NULL: no room
 * or no memory. */
FILE *bug_begin(struct bug *b, const char *fmt, ...) PRINTF(2, 3);
/** End it: made printable, cut to BUG_PART_MAX (the end is kept when is_tail). */
void bug_end(struct bug *b, bool is_tail);
/** A file's text, its last BUG_PART_MAX bytes; why not where it cannot be read. */
void bug_file(struct bug *b, const char *part, const char *path);
/** Write a small file's text into the open part, behind its name. */
void bug_copy(struct bug *b, const char *path);
/** Run a program within ms milliseconds, its output into the open part behind the
 * command line.  argv ends with NULL.  @return its status or ERR_*. */
int bug_run(struct bug *b, int ms, const char *const *argv);
/** The same of tapir itself, with --run-dir; words up to NULL (at most 8). */
int bug_tapir(struct bug *b, int ms, const char *first, ...);
void bug_free(struct bug *b);

/* ---- inside.c, system.c ---- */

/** Version, build, configuration: what needs no daemon. */
void bug_collect_config(struct bug *b);
/** What the daemon says; sets is_running. */
void bug_collect_daemon(struct bug *b);
/** Kernel, network, processes, logs. */
void bug_collect_system(struct bug *b);

/* ---- redact.c ---- */

/**
 * A configuration without what people write into it by mistake: comments are
 * emptied, key material in place of a file's name becomes BUG_MARK.
 *
 * @param keys  directory of the key files; may be unreadable.
 * @param words each value that was taken out, for bug_hide(): a line each.
 */
void bug_conf_text(const char *text, size_t len, const char *keys, FILE *out,
		   FILE *words);
/** Take the lines of words out of all parts. */
void bug_hide(struct bug *b, const char *words);
/**
 * Let tapir-secure take the content of the key files out of all parts.
 *
 * @param why  a sentence on failure.
 * @return 0, or ERR_*: nothing was changed.
 */
MUST_USE int bug_redact(struct bug *b, char *why, size_t cap);
/** Places where something was taken out. */
size_t bug_count_marks(const struct bug *b);

/* ---- anon.c ---- */

struct anon;
struct anon *anon_new(void);
void anon_free(struct anon *a);
/** A name to be replaced by KIND-N, like "peer-3"; short ones are left. */
void anon_name(struct anon *a, const char *kind, const char *name);
/** Names of a configuration's attributes. */
void anon_conf(struct anon *a, const char *text, size_t len);
/** A text with names, addresses, e-mail addresses and parts of distinguished names
 * replaced, each by the same word everywhere. */
void anon_text(struct anon *a, const char *text, size_t len, FILE *out);
/** Replace in all parts, and in their names. */
void bug_anonymous(struct bug *b, struct anon *a);

/* ---- tar.c ---- */

/** All parts below a directory as gzipped tar.  0 or ERR_SYS with errno. */
MUST_USE int bug_tar(const struct bug *b, const char *dir, int fd);

#endif
