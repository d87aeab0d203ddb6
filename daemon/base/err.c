/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/err.c - sentences and names of err.def.
 */
#include "daemon/base/err.h"
#include "daemon/base/base.h"

struct err_row {
	const char *name;
	const char *text;
};

/* Index is the negated error value; [0] is success. */
static const struct err_row rows[ERR_IDX_END] = {
	{ "ERR_OK", "done" },
#define ERR(name_, text_) { #name_, text_ },
#include "daemon/base/err.def"
#undef ERR
};

static const struct err_row *
row_of(int err)
{
	static const struct err_row unknown = { "ERR_?", "unknown error" };

	/* -err would overflow for INT_MIN, so compare before negating. */
	if (err > 0 || err <= -(int)N_OF(rows))
		return &unknown;
	return &rows[-err];
}

const char *
err_text(int err)
{
	return row_of(err)->text;
}

const char *
err_name(int err)
{
	return row_of(err)->name;
}
