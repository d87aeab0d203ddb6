/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/edit.h - change one thing in the text of a configuration, and leave every
 * other byte as it is.
 *
 * A path names an option as commands name things:
 *
 *	log			of <vpn>
 *	web/listen		of <web>
 *	branches/mtu		of the realm branches
 *	branches/me/psk		of its <me>; so net, match, static
 *	branches/osaka/at	of its peer osaka
 *	branches/osaka/net/remote
 *
 * Without an option at its end it names the element.  Pure; thread: any.
 */
#ifndef TAPIR_CONF_EDIT_H
#define TAPIR_CONF_EDIT_H

#include "conf/conf.h"

#define EDIT_VALUE_MAX 1024	/* bytes of a value; ours */
#define EDIT_WHY_MAX   256

/** How far a text knows a path. */
enum edit_found {
	EDIT_NOTHING,		/* not even the realm */
	EDIT_PARENT,		/* what it would be put into */
	EDIT_ELEMENT,		/* the element, without this option */
	EDIT_OPTION,		/* it is written */
};

struct edit {
	enum edit_found found;
	bool is_option;			/* the path names an option */
	const char *def;		/* default of the option; "" = none */
	char value[EDIT_VALUE_MAX];	/* with found OPTION */
	char why[EDIT_WHY_MAX];		/* of an error: a sentence */
};

/**
 * Look for a path.
 *
 * @param out value is decoded.
 * @return 0; ERR_SYNTAX: there is no such path, or several; ERR_CONF: the text
 *         cannot be read.  out->why says it.
 */
MUST_USE int edit_find(const char *text, size_t len, const char *path,
		       struct edit *out);
/**
 * The text with one option set, or an option or element taken out.  Elements on
 * the way are made; layout follows what stands beside them.
 *
 * @param value NULL: take it out.
 * @param now   malloc()ed with a NUL behind *now_len bytes; free() it.
 * @return as edit_find(); ERR_NOTFOUND: it is not there to be taken out;
 *         ERR_NOMEM.
 */
MUST_USE int edit_change(const char *text, size_t len, const char *path,
			 const char *value, char **now, size_t *now_len,
			 struct edit *out);
/** Call fn with each option that is written, and its path, in order. */
typedef void edit_each_fn(void *ctx, const char *path, const char *value);
MUST_USE int edit_each(const char *text, size_t len, edit_each_fn *fn, void *ctx);

#endif
