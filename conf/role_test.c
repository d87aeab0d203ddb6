/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/role_test.c - what every rule says of somebody.
 */
#include "conf/role_test.h"
#include <stdlib.h>
#include "daemon/base/err.h"

int
conf_typed_read(const char *text, struct conf_typed *out)
{
	enum conf_id_kind kind = conf_id_type(text);
	size_t len = 0;
	int n = 0, err = 0;

	out->i = (struct conf_ident){ .kind = kind };
	if (kind == CONF_ID_DN)
		n = conf_rdn_read(text, out->rdn, CONF_RDN_MAX);
	else
		err = conf_id_bytes(text, &kind, out->data, sizeof(out->data),
				    &len);
	if (n < 0 || err != 0)
		return n < 0 ? n : err;
	out->i.id = (struct view){ out->data, len };
	out->i.rdn = out->rdn;
	out->i.n_rdn = (unsigned)n;
	return 0;
}

/* ---- the rules ------------------------------------------------------------------ */

struct walk {
	struct conf_trial *t;
	const struct conf_who *who;
};

static void
take(void *ctx, const struct conf_role *r)
{
	struct walk *k = ctx;

	k->t->row[k->t->n++] = (struct conf_tried){
		*r, conf_role_fit(r, k->who), false
	};
}

static void
count(void *ctx, const struct conf_role *r UNUSED)
{
	((struct walk *)ctx)->t->n++;
}

/* As they are tried: the most special one first. */
static int
by_rank(const void *a, const void *b)
{
	const struct conf_role *x = &((const struct conf_tried *)a)->role;
	const struct conf_role *y = &((const struct conf_tried *)b)->role;

	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	if (x->pos.file != y->pos.file)
		return x->pos.file < y->pos.file ? -1 : 1;
	if (x->pos.line != y->pos.line)
		return x->pos.line < y->pos.line ? -1 : 1;
	return x->pos.col < y->pos.col ? -1 : x->pos.col > y->pos.col;
}

int
conf_trial_init(struct conf_trial *t, const struct conf *c,
		const struct conf_who *w)
{
	struct walk k = { t, w };

	*t = (struct conf_trial){ .err = 0 };
	conf_role_walk(c, count, &k);
	if ((t->row = calloc(t->n + 1u, sizeof(*t->row))) == NULL)
		return ERR_NOMEM;
	t->n = 0;
	conf_role_walk(c, take, &k);
	qsort(t->row, t->n, sizeof(*t->row), by_rank);
	t->err = conf_role_pick(c, w, &t->got);
	for (unsigned i = 0; i < t->n; i++)
		t->row[i].is_chosen = t->err == 0 &&
		    t->row[i].fit == CONF_FIT_YES &&
		    t->row[i].role.realm == t->got.role.realm &&
		    t->row[i].role.text == t->got.role.text;
	return 0;
}

void
conf_trial_fini(struct conf_trial *t)
{
	free(t->row);
	t->row = NULL;
}

/* ---- words ---------------------------------------------------------------------- */

const char *
conf_tried_word(const struct conf_tried *r)
{
	static const char *const words[] = {
		[CONF_FIT_NO] = "no",	    [CONF_FIT_YES] = "fits",
		[CONF_FIT_OWN] = "other-own", [CONF_FIT_LATER] = "needs-eap",
		[CONF_FIT_CERT] = "needs-cert",
	};

	return r->is_chosen ? "decides" : words[r->fit];
}

const char *
conf_trial_word(const struct conf_trial *t)
{
	switch (t->err) {
	case 0:
		return t->got.role.peer != NULL ? "realm" : "no-peer";
	case ERR_AGAIN:
		return "needs-eap";
	case ERR_STATE:
		return "ambiguous";
	default:
		return "none";
	}
}
