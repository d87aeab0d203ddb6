/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/scan.h - a first look at an XML text: lines, bounds, no DOCTYPE.
 *
 * libxml2 knows one line for an element and none for an attribute, and it
 * reads a DOCTYPE before anybody can object.  This scan finds the tags alone.
 */
#ifndef TAPIR_CONF_SCAN_H
#define TAPIR_CONF_SCAN_H

#include "conf/conf.h"
#include "daemon/base/base.h"

/* A start tag or, when is_attr, an attribute of the start tag before it. */
struct conf_mark {
	struct view name;
	struct conf_pos pos;
	struct conf_pos text;	/* first text directly inside; line 0 = none */
	bool is_attr;
	/* of an attribute */
	struct view value;	/* as written, without its quotes; p NULL: none */
	char quote;
	/* of an element; places in the text */
	unsigned depth;		/* 0: the outermost */
	bool is_empty;		/* <name/> */
	const char *begin;	/* at its '<' */
	const char *inner;	/* behind the '>' of its start tag */
	const char *close;	/* at the '<' of its end tag; NULL: none */
	const char *end;	/* behind it all; NULL: it does not end */
};
struct conf_scan {
	unsigned n;
	struct conf_mark *mark;	/* in the order of the text */
	unsigned cap;
	unsigned file;		/* of errs, which the text is */
};

/**
 * Scan a text.  What is not well-formed is left for the parser to report.
 *
 * @param file which of errs->file it is.
 * @param out conf_scan_fini() it, whatever this returns; borrows the text.
 * @return 0; ERR_CONF with errs when the text is too deep, too large, not
 *         UTF-8 by its own words, or holds a DOCTYPE; ERR_NOMEM.
 */
MUST_USE int conf_scan(const char *text, size_t len, unsigned file,
		       struct conf_scan *out, struct conf_errs *errs);
void conf_scan_fini(struct conf_scan *s);

#endif
