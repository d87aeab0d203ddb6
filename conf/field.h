/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/field.h - inside of field.c: one attribute that is being looked at, and what
 * its files offer each other.
 *
 * Thread: the caller's.
 */
#ifndef TAPIR_CONF_FIELD_H
#define TAPIR_CONF_FIELD_H

#include <string.h>
#include "conf/check.h"

struct conf_field {
	struct checker *k;
	const struct conf_row *row;
	const struct conf_attr *a;
	void *at;		/* the field */
	char q[QUOTE_MAX];	/* the value as it may be shown */
};

/* name="value": is wrong this way. */
#define CONF_WRONG(f_, code_, fmt_, ...)                                       \
	conf_bad((f_)->k, (f_)->a->pos, CONF_E_##code_, "%s=\"%s\": " fmt_,     \
		 (f_)->row->opt.name, (f_)->q, ##__VA_ARGS__)

static inline bool
conf_is_graph(char c)
{
	return c > ' ' && c < 0x7f;
}

/** The value as text into the field. */
static inline void
conf_field_put(struct conf_field *f)
{
	const char *t = conf_keep(f->k, f->a->value);

	memcpy(f->at, &t, sizeof(t));
}

/** field_file.c: kinds of conf.def that are names of files, or addresses of lists. */
void conf_set_file(struct conf_field *f);
void conf_set_pub(struct conf_field *f);
void conf_set_cert(struct conf_field *f);
void conf_set_key(struct conf_field *f);
void conf_set_files(struct conf_field *f);
void conf_set_urls(struct conf_field *f);

#endif
