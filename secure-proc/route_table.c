/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/route_table.c - a short list; the control path alone walks it.
 *
 * Thread: the only one.
 */
#include "secure-proc/route_table.h"
#include <stdlib.h>
#include "daemon/base/err.h"

struct sec_want {
	struct sec_want *next;
	uint32_t handle, realm;
	struct ip_net prefix;
};

static bool
is_prefix(const struct sec_want *w, uint32_t realm, const struct ip_net *p)
{
	return w->realm == realm && w->prefix.bits == p->bits &&
	    ip_equal(&w->prefix.addr, &p->addr);
}

static void
unlink_at(struct sec_routes *t, struct sec_want **at)
{
	struct sec_want *w = *at;

	*at = w->next;
	t->n--;
	free(w);
}

void
sec_routes_fini(struct sec_routes *t)
{
	while (t->first != NULL)
		unlink_at(t, &t->first);
}

unsigned
sec_routes_users(const struct sec_routes *t, uint32_t realm,
		 const struct ip_net *prefix)
{
	unsigned n = 0;

	for (const struct sec_want *w = t->first; w != NULL; w = w->next)
		n += is_prefix(w, realm, prefix);
	return n;
}

bool
sec_routes_has(const struct sec_routes *t, uint32_t handle, uint32_t realm,
	       const struct ip_net *prefix)
{
	for (const struct sec_want *w = t->first; w != NULL; w = w->next)
		if (w->handle == handle && is_prefix(w, realm, prefix))
			return true;
	return false;
}

int
sec_routes_add(struct sec_routes *t, uint32_t handle, uint32_t realm,
	       const struct ip_net *prefix)
{
	struct sec_want *w;
	unsigned n_sa = 0;

	for (w = t->first; w != NULL; w = w->next)
		n_sa += w->handle == handle;
	if (t->n >= SEC_ROUTE_MAX || n_sa >= SEC_ROUTE_SA_MAX)
		return ERR_FULL;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return ERR_NOMEM;
	w->handle = handle;
	w->realm = realm;
	w->prefix = *prefix;
	w->next = t->first;
	t->first = w;
	t->n++;
	return 0;
}

void
sec_routes_remove(struct sec_routes *t, uint32_t handle, uint32_t realm,
		  const struct ip_net *prefix)
{
	for (struct sec_want **at = &t->first; *at != NULL;
	    at = &(*at)->next)
		if ((*at)->handle == handle && is_prefix(*at, realm, prefix)) {
			unlink_at(t, at);
			return;
		}
}

bool
sec_routes_take(struct sec_routes *t, uint32_t handle, uint32_t *realm,
		struct ip_net *prefix)
{
	for (struct sec_want **at = &t->first; *at != NULL;
	    at = &(*at)->next)
		if ((*at)->handle == handle) {
			*realm = (*at)->realm;
			*prefix = (*at)->prefix;
			unlink_at(t, at);
			return true;
		}
	return false;
}
