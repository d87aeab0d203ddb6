/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/behind.c - the remote selectors of a link's child SAs.
 *
 * Thread: the loop.
 */
#include "daemon/core/behind.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"

struct part {
	struct part *next;	/* of the same link */
	uint32_t child_id;
	unsigned n;
	struct vpn_ts ts[];
};

struct behind {
	unsigned n_link;
	struct part **link;	/* [n_link] newest first */
};

int
behind_new(struct behind **out, unsigned n_link)
{
	struct behind *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return ERR_NOMEM;
	b->n_link = n_link;
	if ((b->link = calloc(n_link, sizeof(*b->link))) == NULL) {
		free(b);
		return ERR_NOMEM;
	}
	*out = b;
	return 0;
}

void
behind_free(struct behind *b)
{
	if (b == NULL)
		return;
	for (unsigned i = 0; i < b->n_link; i++)
		while (b->link[i] != NULL)
			behind_del(b, i, b->link[i]->child_id);
	free(b->link);
	free(b);
}

int
behind_add(struct behind *b, uint32_t link, const struct vpn_child *c)
{
	struct part *p;

	if (link >= b->n_link)
		return ERR_LIMIT;
	p = calloc(1, sizeof(*p) + c->n_ts_remote * sizeof(p->ts[0]));
	if (p == NULL)
		return ERR_NOMEM;
	p->child_id = c->id;
	p->n = c->n_ts_remote;
	memcpy(p->ts, c->ts_remote, p->n * sizeof(p->ts[0]));
	p->next = b->link[link];
	b->link[link] = p;
	return 0;
}

void
behind_del(struct behind *b, uint32_t link, uint32_t child_id)
{
	struct part **at, *p;

	if (link >= b->n_link)
		return;
	for (at = &b->link[link]; (p = *at) != NULL; at = &p->next)
		if (p->child_id == child_id) {
			*at = p->next;
			free(p);
			return;
		}
}

static bool
has(const struct vpn_ts *list, unsigned n, const struct vpn_ts *ts)
{
	for (unsigned i = 0; i < n; i++)
		if (vpn_ts_covers(&list[i], ts))
			return true;
	return false;
}

unsigned
behind_get(const struct behind *b, uint32_t link,
	   struct vpn_ts out[VPN_TS_MAX])
{
	unsigned n = 0;

	if (link >= b->n_link)
		return 0;
	for (const struct part *p = b->link[link]; p != NULL; p = p->next)
		for (unsigned i = 0; i < p->n && n < VPN_TS_MAX; i++)
			if (!has(out, n, &p->ts[i]))
				out[n++] = p->ts[i];
	return n;
}
