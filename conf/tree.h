/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/tree.h - what the files of conf/ share: tree, option table, errors.
 *
 * Not for other folders.
 */
#ifndef TAPIR_CONF_TREE_H
#define TAPIR_CONF_TREE_H

#include "conf/conf.h"
#include "daemon/base/arena.h"
#include "daemon/base/base.h"

struct conf_attr {
	const char *name;
	const char *value;
	struct conf_pos pos;
};
struct conf_node {
	const char *name;
	struct conf_pos pos;
	unsigned n_attr;
	struct conf_attr *attr;
	struct conf_node *child;	/* first */
	struct conf_node *next;
};

/**
 * Text -> tree with line numbers, in mem.
 *
 * @param file  which of errs->file it is.
 * @param root  also set when the text is not well-formed, as far as it was read;
 *              NULL: nothing can be said of it.
 * @return 0, ERR_CONF with errs, ERR_NOMEM.
 */
MUST_USE int conf_tree_parse(const char *text, size_t len, unsigned file,
			     struct arena *mem, struct conf_node **root,
			     struct conf_errs *errs);

/** No errors yet, of one file. */
void conf_errs_init(struct conf_errs *errs, const char *file);

/** Tree -> configuration.  0, ERR_CONF or ERR_KEYFILE with errs, ERR_NOMEM. */
MUST_USE int conf_check(const struct conf_node *root, const char *key_dir,
			struct conf **out, struct conf_errs *errs);

/** The first file as a whole. */
#define CONF_WHOLE ((struct conf_pos){ 0 })
/** Append an error; line 0 = the file as a whole. */
void conf_err_add(struct conf_errs *errs, struct conf_pos pos,
		  enum conf_code code, const char *fmt, ...) PRINTF(4, 5);

/* ---- the option table --------------------------------------------------------- */
enum conf_scope {
#define CONF_ELEM(scope_, ...) CONF_IN_##scope_,
#define CONF_OPT(...)
#define CONF_LATER(...)
#define CONF_LATER_WORD(...)
#include "conf/conf.def"
	CONF_IN_END
};

enum conf_kind {
	K_LATER,	/* not available */
	K_VERSION,	/* uint32_t, 1..CONF_VERSION */
	K_UINT,		/* uint32_t, lo..hi */
	K_UINT0,	/* uint32_t, 0 or lo..hi */
	K_COUNT,	/* uint32_t, lo..hi, or the place of a word in words,
			 * which lies below lo */
	K_ENUM,		/* an enum: place of the word in words */
	K_BOOL,		/* bool: "yes no" */
	K_NAME,		/* from here on const char * */
	K_IFNAME,
	K_ID,
	K_HOST,
	K_FILE,		/* secret: closed to others */
	K_CERT,		/* a certificate; others may read it */
	K_PUB,		/* public key; others may read it */
	K_KEY,		/* private key: file, or a URI */
	K_DN,		/* parts of a distinguished name */
	K_FILES,	/* certificates, a list of names */
	K_URLS,		/* where lists are, by HTTP */
	K_ADDRS,
	K_TSS,
	K_CPUS,
	K_VLANS,
	K_MAC,
	K_LISTEN,	/* address and port of this machine */
	K_HOSTS,	/* host names */
	K_NETS,		/* networks without host bits */
	K_IPS,		/* addresses */
	K_NAMES,	/* domain names */
	K_RESOLVERS,	/* encrypted name servers */
	K_SERVERS,	/* addresses of servers, ports may be written */
	K_PATH,		/* absolute, of a file */
	K_WORDS,	/* some of words */
};

/* <net> and <match> before they are put together. */
struct conf_net_text {
	const char *local, *remote;
};
struct conf_match_text {
	const char *id, *eap, *email, *dns, *dn;
};

struct conf_row {
	enum conf_scope scope;
	enum conf_kind kind;
	size_t off;		/* of the field in the scope's struct */
	struct conf_opt opt;
};
extern const struct conf_elem conf_elems[CONF_IN_END];
extern const struct conf_row conf_rows[];
extern const unsigned conf_n_rows;

/** What a value of an option waits for, or NULL when it is no such value. */
const char *conf_word_needs(const struct conf_row *row, const char *word);
/** Word i of a list of words separated by spaces, or false behind the last. */
bool conf_word_at(const char *words, unsigned i, char *out, size_t cap);

/**
 * A field of a scope's struct as text.
 *
 * @param buf room for numbers and words; CONF_FIELD_TEXT bytes suffice.
 * @return the text (buf, or in the configuration); NULL: it is absent.
 */
#define CONF_FIELD_TEXT 24
const char *conf_field_text(const struct conf_row *row, const void *obj,
			    char *buf, size_t cap);

/** Text of an element, or of a value between double quotes, as XML. */
void conf_xml_put(FILE *f, const char *text);

/* ---- selectors ---------------------------------------------------------------- */
#define CONF_TS_TEXT 128
/** "10.1.0.0/16", "10.1.0.1-10.1.0.9", "10.1.1.1/32[17/5000]",
 * "...[6/80-90]", "...[any/...]".  0 or ERR_ADDR / ERR_SYNTAX. */
MUST_USE int conf_ts_parse(const char *text, struct vpn_ts *ts);
/** The text conf_ts_parse() takes back.  out has CONF_TS_TEXT bytes. */
void conf_ts_text(const struct vpn_ts *ts, char *out);

/** Parse "0-3,6" into cpu[max].  How many, or ERR_SYNTAX / ERR_FULL. */
MUST_USE int conf_cpus_parse(const char *text, uint16_t *cpu, unsigned max);

#endif
