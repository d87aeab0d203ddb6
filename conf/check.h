/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/check.h - what the files of the checker share.
 *
 * check.c walks the tree and fills structs, node.c looks at one element of it,
 * field.c turns one attribute into one field, rule.c looks at the whole.  Not for
 * other folders.
 */
#ifndef TAPIR_CONF_CHECK_H
#define TAPIR_CONF_CHECK_H

#include <sys/types.h>
#include "conf/tree.h"

struct checker {
	struct conf *c;
	struct arena *mem;
	const char *key_dir;	/* NULL = do not look at key files */
	struct conf_errs *errs;
	unsigned n_bad;		/* errors other than of key files */
	unsigned n_key;		/* errors of key files */
	bool is_oom;
};

#define QUOTE_MAX 72 /* a value as shown in a message, escaped and cut */

/** Count and add an error. */
void conf_bad(struct checker *k, struct conf_pos pos, enum conf_code code,
	      const char *fmt, ...) PRINTF(4, 5);
/** Copy into the configuration's memory; "" and is_oom when it is full. */
const char *conf_keep(struct checker *k, const char *text);
/** Zeroed memory of the configuration for n things; NULL and is_oom when it is
 * full. */
void *conf_keep_array(struct checker *k, unsigned n, size_t size);
/** Escape a value for a message.  out has QUOTE_MAX bytes; returned. */
const char *conf_quote(const char *value, char *out);

const struct conf_attr *conf_node_attr(const struct conf_node *n,
				       const char *name);
bool conf_node_is(const struct conf_node *n, enum conf_scope scope);
/** The first child of a kind, or NULL; and how many there are, up to what is
 * allowed. */
const struct conf_node *conf_node_child(const struct conf_node *n,
					enum conf_scope scope);
unsigned conf_node_count(const struct conf_node *n, enum conf_scope scope);
/** Defaults and attributes of an element into its struct; its children as
 * such. */
void conf_node_fill(struct checker *k, const struct conf_node *n,
		    enum conf_scope s, void *obj);
/** The row of an attribute in a scope, or NULL. */
const struct conf_row *conf_row_find(enum conf_scope scope, const char *name);

/** Set the default of a row, if it has one. */
void conf_field_default(const struct conf_row *row, void *obj);
/** Check a value and store it in its field of obj; errors are added. */
void conf_field_set(struct checker *k, const struct conf_row *row,
		    const struct conf_attr *a, void *obj);

/** Split a list at spaces and commas: the next word of *p, false at the end.
 * A word longer than cap is cut (and then fails to parse). */
bool conf_list_next(const char **p, char *out, size_t cap);

/** auth.c: what <me> proves itself with; NULL: there is no <me>. */
void conf_auth_me(struct checker *k, const struct conf_node *me,
		  struct conf_realm *r);
/** auth.c: how a peer proves itself, and we to it. */
void conf_auth_peer(struct checker *k, const struct conf_node *n,
		    const struct conf_node *me, struct conf_peer *p,
		    const struct conf_realm *r);
/** eap.c: the <eap> of a realm, if it has one; <me> was taken before. */
void conf_eap_take(struct checker *k, const struct conf_node *realm,
		   struct conf_realm *r);
/** Does this peer come by EAP?  Its place was taken before. */
bool conf_eap_asks(const struct conf_node *n, const struct conf_peer *p,
		   const struct conf_realm *r);
/** Does one of the first n_peer peers? */
bool conf_eap_has_peer(const struct conf_realm *r, unsigned n_peer);
/** In a client's realm the name of a gateway says where it is. */
void conf_eap_at(struct checker *k, const struct conf_node *n,
		 const struct conf_realm *r, struct conf_peer *p);
/** Does the element use something of a later version?  Then what it lacks may
 * be just that. */
bool conf_has_later(const struct conf_node *n, enum conf_scope scope);

/** Rules across the finished structs: doubles, conflicts. */
void conf_rules(struct checker *k);

/**
 * Who reads the keys, the user tapir-sec.  Asked once a process: who gives up the
 * right to look for users asks before.
 *
 * @return false: there is no such user; both are 0 then.
 * Thread: the loop, or the only one.
 */
bool conf_key_owner(uid_t *uid, gid_t *gid);
#define CONF_KEY_UID 64511 /* who does where there is no such user */
/**
 * Look at a key file without opening it.
 *
 * @param why what is wrong and what to do, cap bytes; written on error.
 * @return 0 or ERR_KEYFILE.
 */
MUST_USE int conf_keyfile_look(const char *dir, const char *name, char *why,
			       size_t cap);
/** The same for a file that is no secret: who may read it does not matter. */
MUST_USE int conf_pubfile_look(const char *dir, const char *name, char *why,
			       size_t cap);
/** The same for the directory. */
MUST_USE int conf_keydir_look(const char *dir, char *why, size_t cap);

#endif
