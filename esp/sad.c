/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/sad.c - the tables of SAs.
 *
 *   SPI  -> by_spi[hash]  -> child -> child
 *   link -> by_link[hash] -> link -> set { newest child, ..., oldest }
 *                                \-> all: children, also those that die
 *
 * Life of a pair: add (SPI table first, so that it receives before it sends;
 * then the set) -> del (set first, then the SPI table) -> every worker quiet
 * -> free: counters folded into the link, keys wiped, SPI free again.
 *
 * Thread: the loop changes; any thread looks up.
 */
#include "esp/sad.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/thr.h"
#include "esp/pkt.h"

#define KEY_LEN sizeof(uint32_t)

/* The low bits of our SPIs are worker numbers; the rest is random. */
static unsigned
spi_bucket(uint32_t esp_spi)
{
	return (esp_spi ^ esp_spi >> ESP_WORKER_BITS) & (ESP_SAD_BUCKETS - 1);
}

static unsigned
link_bucket(uint32_t link)
{
	return (link * 2654435761u >> 16) & (ESP_SAD_BUCKETS - 1);
}

/* ---- graves ----------------------------------------------------------- */

static void
dig_stuck(struct esp_sad *s)
{
	LIST_FOREACH_SAFE(it, tmp, &s->stuck) {
		struct esp_grave *g = CONTAINER_OF(it, struct esp_grave, node);

		list_remove(it);
		if (thr_defer(g->fn, g) != 0) {
			list_add_head(&s->stuck, it);
			return;
		}
	}
}

/* Run fn(g) once no worker can know the object any more. */
static void
bury(struct esp_sad *s, struct esp_grave *g, thr_fn *fn)
{
	g->fn = fn;
	list_add_tail(&s->stuck, &g->node);
	dig_stuck(s);
}

static void
free_grave(void *g)
{
	free(g);
}

/* A link of which no child is left. */
static void
free_link(void *g)
{
	struct esp_link *l = CONTAINER_OF(g, struct esp_link, grave);

	free(atomic_load_explicit(&l->set, memory_order_relaxed));
	free(l);
}

/* ---- tables ----------------------------------------------------------- */

int
esp_sad_new(struct esp_sad **out)
{
	struct esp_sad *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_NOMEM;
	list_init(&s->stuck);
	if (map_new(&s->by_id, KEY_LEN, ESP_CHILD_MAX) != 0 ||
	    map_new(&s->spis, KEY_LEN, 2 * ESP_CHILD_MAX) != 0) {
		esp_sad_free(s);
		return ERR_NOMEM;
	}
	*out = s;
	return 0;
}

void
esp_sad_free(struct esp_sad *s)
{
	if (s == NULL)
		return;
	LIST_FOREACH_SAFE(it, tmp, &s->stuck) {
		struct esp_grave *g = CONTAINER_OF(it, struct esp_grave, node);

		list_remove(it);
		g->fn(g);
	}
	for (size_t i = 0; i < ESP_SAD_BUCKETS; i++) {
		struct esp_link *l = s->by_link[i], *next;

		for (; l != NULL; l = next) {
			next = l->next;
			LIST_FOREACH_SAFE(it, tmp, &l->all)
				esp_child_free(CONTAINER_OF(it,
				    struct esp_child, node));
			free_link(&l->grave);
		}
	}
	map_free(s->by_id);
	map_free(s->spis);
	free(s);
}

int
esp_sad_spi_add(struct esp_sad *s, uint32_t esp_spi)
{
	int err;

	if (esp_spi < ESP_SPI_MIN)
		return ERR_RANGE;
	/* Any value but NULL says "taken". */
	err = map_add(s->spis, &esp_spi, s);
	return err == ERR_FULL ? ERR_LIMIT : err;
}

void
esp_sad_spi_del(struct esp_sad *s, uint32_t esp_spi)
{
	if (esp_sad_spi(s, esp_spi) == NULL)
		map_remove(s->spis, &esp_spi);
}

struct esp_child *
esp_sad_spi(const struct esp_sad *s, uint32_t esp_spi)
{
	struct esp_child *c;

	c = atomic_load_explicit(&s->by_spi[spi_bucket(esp_spi)],
				 memory_order_acquire);
	while (c != NULL && c->esp_spi_in != esp_spi)
		c = atomic_load_explicit(&c->next, memory_order_acquire);
	return c;
}

struct esp_link *
esp_sad_link(const struct esp_sad *s, uint32_t link)
{
	struct esp_link *l;

	l = atomic_load_explicit(&s->by_link[link_bucket(link)],
				 memory_order_acquire);
	while (l != NULL && l->id != link)
		l = atomic_load_explicit(&l->next, memory_order_acquire);
	return l;
}

struct esp_child *
esp_sad_id(const struct esp_sad *s, uint32_t id)
{
	return map_find(s->by_id, &id);
}

/* ---- links ------------------------------------------------------------ */

/* The table is full: forget counters of links that have nothing left. */
static void
links_sweep(struct esp_sad *s)
{
	for (size_t i = 0; i < ESP_SAD_BUCKETS; i++) {
		_Atomic(struct esp_link *) *at = &s->by_link[i];
		struct esp_link *l;

		while ((l = *at) != NULL) {
			if (!list_is_empty(&l->all)) {
				at = &l->next;
				continue;
			}
			atomic_store_explicit(at, l->next,
					      memory_order_release);
			s->n_link--;
			bury(s, &l->grave, free_link);
		}
	}
}

static struct esp_link *
link_make(struct esp_sad *s, uint32_t id)
{
	_Atomic(struct esp_link *) *head = &s->by_link[link_bucket(id)];
	struct esp_link *l;

	if (s->n_link >= ESP_LINK_MAX)
		links_sweep(s);
	if (s->n_link >= ESP_LINK_MAX || (l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	l->id = id;
	l->order = s->n_link_made++;
	list_init(&l->all);
	atomic_init(&l->next, *head);
	atomic_store_explicit(head, l, memory_order_release);
	s->n_link++;
	return l;
}

/* Live children of a set. */
static unsigned
set_count(const struct esp_set *set)
{
	unsigned n = 0;

	for (unsigned i = 0; set != NULL && i < set->n; i++)
		n += set->child[i] != NULL;
	return n;
}

/* The live children of a set with one more in front; NULL: out of memory. */
static struct esp_set *
set_make(const struct esp_set *old, uint32_t realm, struct esp_child *add)
{
	struct esp_set *set;
	size_t max = set_count(old) + 1;

	set = calloc(1, sizeof(*set) + max * sizeof(set->child[0]));
	if (set == NULL)
		return NULL;
	set->realm = realm;
	set->has_bundle = add->bundle != 0 || (old != NULL && old->has_bundle);
	atomic_init(&set->child[set->n++], add);
	for (unsigned i = 0; old != NULL && i < old->n; i++)
		if (old->child[i] != NULL)
			atomic_init(&set->child[set->n++], old->child[i]);
	return set;
}

static void
set_publish(struct esp_sad *s, struct esp_link *l, struct esp_set *set)
{
	struct esp_set *old;

	old = atomic_exchange_explicit(&l->set, set, memory_order_acq_rel);
	if (old != NULL)
		bury(s, &old->grave, free_grave);
}

/* ---- pairs ------------------------------------------------------------ */

static void
spi_publish(struct esp_sad *s, struct esp_child *c)
{
	_Atomic(struct esp_child *) *head;

	head = &s->by_spi[spi_bucket(c->esp_spi_in)];
	atomic_init(&c->next, *head);
	atomic_store_explicit(head, c, memory_order_release);
}

static void
spi_withdraw(struct esp_sad *s, struct esp_child *c)
{
	_Atomic(struct esp_child *) *at = &s->by_spi[spi_bucket(c->esp_spi_in)];
	struct esp_child *it;

	/* The taken-out child keeps its next: readers on it walk on. */
	for (; (it = *at) != NULL; at = &it->next)
		if (it == c) {
			atomic_store_explicit(at, c->next,
					      memory_order_release);
			return;
		}
}

int
esp_sad_add(struct esp_sad *s, uint32_t link, uint32_t realm,
	    struct esp_child *c)
{
	struct esp_link *l = esp_sad_link(s, link);
	struct esp_set *old, *set;
	int err;

	if (map_find(s->spis, &c->esp_spi_in) == NULL)
		return ERR_NOTFOUND;
	if (esp_sad_spi(s, c->esp_spi_in) != NULL ||
	    esp_sad_id(s, c->id) != NULL)
		return ERR_EXISTS;
	if (s->n_child >= ESP_CHILD_MAX)
		return ERR_LIMIT;
	if (l == NULL && (l = link_make(s, link)) == NULL)
		return s->n_link >= ESP_LINK_MAX ? ERR_LIMIT : ERR_NOMEM;
	old = atomic_load_explicit(&l->set, memory_order_relaxed);
	if (set_count(old) >= ESP_SET_MAX)
		return ERR_LIMIT;
	if ((set = set_make(old, realm, c)) == NULL)
		return ERR_NOMEM;
	if ((err = map_add(s->by_id, &c->id, c)) != 0) {
		free(set);
		return err == ERR_FULL ? ERR_LIMIT : err;
	}
	c->sad = s;
	c->link = l;
	c->link_id = link;
	list_add_tail(&l->all, &c->node);
	s->n_child++;
	spi_publish(s, c);
	set_publish(s, l, set);
	return 0;
}

/* Every worker was quiet since the pair was taken out. */
static void
child_end(void *g)
{
	struct esp_child *c = CONTAINER_OF(g, struct esp_child, grave);
	struct esp_child_stats sum = { 0 };

	esp_child_sum(c, &sum);
	esp_stats_add(&c->link->past, &sum);
	list_remove(&c->node);
	map_remove(c->sad->spis, &c->esp_spi_in);
	c->sad->n_child--;
	esp_child_free(c);
}

void
esp_sad_retire(struct esp_child *c)
{
	struct esp_set *set = atomic_load_explicit(&c->link->set,
						   memory_order_relaxed);

	/* A hole needs no memory; the next addition closes it. */
	for (unsigned i = 0; i < set->n; i++)
		if (set->child[i] == c)
			atomic_store_explicit(&set->child[i], NULL,
					      memory_order_release);
}

void
esp_sad_del(struct esp_sad *s, struct esp_child *c)
{
	esp_sad_retire(c);
	spi_withdraw(s, c);
	map_remove(s->by_id, &c->id);
	bury(s, &c->grave, child_end);
}

int
esp_sad_path(struct esp_sad *s, struct esp_child *c,
	     const struct vpn_path *path)
{
	struct esp_path *n = calloc(1, sizeof(*n)), *old;

	if (n == NULL)
		return ERR_NOMEM;
	n->p = *path;
	old = atomic_exchange_explicit(&c->path, n, memory_order_acq_rel);
	bury(s, &old->grave, free_grave);
	return 0;
}
