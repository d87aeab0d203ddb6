/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/route_table.c - two maps: what an SA wants, who wants a prefix.
 *
 * Thread: the only one.
 */
#include "secure-proc/route_table.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/map.h"

struct want {
	struct want *next;
	uint32_t realm;
	struct ip_net prefix;
};
struct owner {
	unsigned n;
	struct want *first;
};
struct users {
	unsigned n;
};
struct net_key {
	uint32_t realm;
	uint8_t bits, family, addr[16];
	uint8_t zero[2];		/* no padding: a key is its bytes */
};

static struct net_key
key_of(uint32_t realm, const struct ip_net *p)
{
	struct net_key k = { .realm = realm, .bits = p->bits,
			     .family = p->addr.family };

	memcpy(k.addr, p->addr.b, sizeof(k.addr));
	return k;
}

static int
begin(struct sec_routes *t)
{
	int err = 0;

	if (t->by_sa == NULL)
		err = map_new(&t->by_sa, sizeof(uint32_t), SEC_ROUTE_MAX);
	if (err == 0 && t->by_net == NULL)
		err = map_new(&t->by_net, sizeof(struct net_key),
			      SEC_ROUTE_MAX);
	return err;
}

static struct owner *
owner_of(const struct sec_routes *t, uint32_t handle)
{
	return t->by_sa != NULL ? map_find(t->by_sa, &handle) : NULL;
}

/* Where the want is linked, or NULL. */
static struct want **
find(struct owner *o, uint32_t realm, const struct ip_net *p)
{
	for (struct want **at = &o->first; *at != NULL; at = &(*at)->next)
		if ((*at)->realm == realm && (*at)->prefix.bits == p->bits &&
		    ip_equal(&(*at)->prefix.addr, &p->addr))
			return at;
	return NULL;
}

/* One more who wants it. */
static int
use(struct sec_routes *t, uint32_t realm, const struct ip_net *prefix)
{
	struct net_key k = key_of(realm, prefix);
	struct users *u = map_find(t->by_net, &k);
	int err;

	if (u == NULL) {
		if ((u = calloc(1, sizeof(*u))) == NULL)
			return ERR_NOMEM;
		if ((err = map_add(t->by_net, &k, u)) != 0) {
			free(u);
			return err;
		}
	}
	u->n++;
	return 0;
}

static void
unuse(struct sec_routes *t, uint32_t realm, const struct ip_net *prefix)
{
	struct net_key k = key_of(realm, prefix);
	struct users *u = map_find(t->by_net, &k);

	if (u != NULL && --u->n == 0)
		free(map_remove(t->by_net, &k));
}

/* Take a want out, and the owner with its last one. */
static void
unlink_at(struct sec_routes *t, uint32_t handle, struct owner *o,
	  struct want **at)
{
	struct want *w = *at;

	*at = w->next;
	unuse(t, w->realm, &w->prefix);
	free(w);
	t->n--;
	if (--o->n == 0)
		free(map_remove(t->by_sa, &handle));
}

void
sec_routes_fini(struct sec_routes *t)
{
	size_t it = 0;
	void *v;

	while (t->by_sa != NULL && (v = map_next(t->by_sa, &it)) != NULL) {
		struct owner *o = v;

		while (o->first != NULL) {
			struct want *w = o->first;

			o->first = w->next;
			free(w);
		}
		free(o);
	}
	it = 0;
	while (t->by_net != NULL && (v = map_next(t->by_net, &it)) != NULL)
		free(v);
	map_free(t->by_sa);
	map_free(t->by_net);
	memset(t, 0, sizeof(*t));
}

unsigned
sec_routes_users(const struct sec_routes *t, uint32_t realm,
		 const struct ip_net *prefix)
{
	struct net_key k = key_of(realm, prefix);
	const struct users *u = t->by_net != NULL ? map_find(t->by_net, &k) :
	    NULL;

	return u != NULL ? u->n : 0;
}

bool
sec_routes_has(const struct sec_routes *t, uint32_t handle, uint32_t realm,
	       const struct ip_net *prefix)
{
	struct owner *o = owner_of(t, handle);

	return o != NULL && find(o, realm, prefix) != NULL;
}

static int
owner_new(struct sec_routes *t, uint32_t handle, struct owner **out)
{
	struct owner *o = calloc(1, sizeof(*o));
	int err;

	if (o == NULL)
		return ERR_NOMEM;
	if ((err = map_add(t->by_sa, &handle, o)) != 0) {
		free(o);
		return err;
	}
	*out = o;
	return 0;
}

int
sec_routes_add(struct sec_routes *t, uint32_t handle, uint32_t realm,
	       const struct ip_net *prefix)
{
	struct owner *o = owner_of(t, handle);
	struct want *w;
	int err;

	if (t->n >= SEC_ROUTE_MAX || (o != NULL && o->n >= SEC_ROUTE_SA_MAX))
		return ERR_FULL;
	if ((err = begin(t)) != 0)
		return err;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return ERR_NOMEM;
	if ((err = use(t, realm, prefix)) != 0)
		goto out;
	if (o == NULL && (err = owner_new(t, handle, &o)) != 0) {
		unuse(t, realm, prefix);
		goto out;
	}
	w->realm = realm;
	w->prefix = *prefix;
	w->next = o->first;
	o->first = w;
	o->n++;
	t->n++;
	return 0;
out:
	free(w);
	return err;
}

void
sec_routes_remove(struct sec_routes *t, uint32_t handle, uint32_t realm,
		  const struct ip_net *prefix)
{
	struct owner *o = owner_of(t, handle);
	struct want **at = o != NULL ? find(o, realm, prefix) : NULL;

	if (at != NULL)
		unlink_at(t, handle, o, at);
}

bool
sec_routes_take(struct sec_routes *t, uint32_t handle, uint32_t *realm,
		struct ip_net *prefix)
{
	struct owner *o = owner_of(t, handle);

	if (o == NULL)
		return false;
	*realm = o->first->realm;
	*prefix = o->first->prefix;
	unlink_at(t, handle, o, &o->first);
	return true;
}
