/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/esp.c - the face's control half: set-up, SPIs, pairs, counters, rules.
 *
 * Thread: the loop, but for esp_in_worker() and esp_out_worker().
 */
#include "esp/esp.h"
#include <stdlib.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "esp/encap.h"
#include "esp/esp_int.h"
#include "esp/lane.h"
#include "esp/pkt.h"

#define WORKER_MASK  ((1u << ESP_WORKER_BITS) - 1)
#define SPI_TRIES    64	/* random SPIs tried before giving up; ours */
#define UDP_HDR_LEN  8
#define IP4_HDR_LEN  20
#define IP6_HDR_LEN  40

int
esp_new(struct esp **out, unsigned n_worker, const struct esp_io *io,
	const char *provider, const char *rule)
{
	const struct esp_rule *r = esp_rule_find(rule);
	struct esp *e;
	int err;

	if (n_worker == 0 || n_worker > ESP_WORKER_MAX)
		return ERR_RANGE;
	if (r == NULL)
		return ERR_NOTFOUND;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return ERR_NOMEM;
	e->io = *io;
	e->n_worker = n_worker;
	atomic_init(&e->rule, r);
	e->hold = calloc(n_worker, sizeof(*e->hold));
	if ((err = e->hold == NULL ? ERR_NOMEM : 0) != 0 ||
	    (err = spi_esp_get(provider, &e->provider)) != 0 ||
	    (err = esp_sad_new(&e->sad)) != 0) {
		free(e->hold);
		free(e);
		return err;
	}
	*out = e;
	return 0;
}

void
esp_free(struct esp *e)
{
	if (e == NULL)
		return;
	/* What was buried refers to the tables. */
	thr_reclaim_all();
	esp_sad_free(e->sad);
	free(e->hold);
	free(e);
}

/* ---- SPIs ------------------------------------------------------------- */

/* The worker with the fewest pairs of a link; of several the first from `from`
 * on (RFC 9611 4). */
static unsigned
least_busy(const struct esp *e, uint32_t link, unsigned from)
{
	const struct esp_link *l = esp_sad_link(e->sad, link);
	unsigned n[ESP_WORKER_MAX] = { 0 }, best = from;
	const struct esp_set *set = NULL;

	if (l != NULL)
		set = atomic_load_explicit(&l->set, memory_order_relaxed);
	for (unsigned i = 0; set != NULL && i < set->n; i++) {
		const struct esp_child *c;

		c = atomic_load_explicit(&set->child[i], memory_order_relaxed);
		if (c != NULL)
			n[c->worker_in % ESP_WORKER_MAX]++;
	}
	for (unsigned i = 1; i < e->n_worker; i++)
		if (n[(from + i) % e->n_worker] < n[best])
			best = (from + i) % e->n_worker;
	return best;
}

static uint32_t
worker_for(const struct esp *e, uint32_t realm, uint32_t link, uint32_t like)
{
	struct esp_task t = {
		.realm = realm,
		.link = link,
		.order = e->sad->n_spi_made,
	};
	const struct esp_rule *r = atomic_load(&e->rule);
	uint32_t worker = r->in(&t) % e->n_worker;

	if (like != 0)
		return (like & WORKER_MASK) % e->n_worker;
	return r->is_in_turn ? least_busy(e, link, worker) : worker;
}

int
esp_spi_alloc(struct esp *e, uint32_t realm, uint32_t link, uint32_t like,
	      uint32_t *esp_spi)
{
	uint32_t worker = worker_for(e, realm, link, like);
	int err = ERR_LIMIT;

	for (unsigned i = 0; i < SPI_TRIES; i++) {
		uint32_t v;

		if ((err = rng_bytes(&v, sizeof(v))) != 0)
			return err;
		v = (v & ~WORKER_MASK) | worker;
		if ((err = esp_sad_spi_add(e->sad, v)) == 0) {
			e->sad->n_spi_made++;
			*esp_spi = v;
			return 0;
		}
		if (err != ERR_EXISTS && err != ERR_RANGE)
			return err;
	}
	return ERR_LIMIT;
}

int
esp_spi_reserve(struct esp *e, uint32_t esp_spi)
{
	if ((esp_spi & WORKER_MASK) >= e->n_worker)
		return ERR_RANGE;
	return esp_sad_spi_add(e->sad, esp_spi);
}

void
esp_spi_free(struct esp *e, uint32_t esp_spi)
{
	esp_sad_spi_del(e->sad, esp_spi);
}

/* ---- pairs ------------------------------------------------------------ */

int
esp_child_add(struct esp *e, uint32_t link, const struct vpn_child *c)
{
	struct esp_child *n;
	int err;

	if ((err = esp_child_new(&n, e->provider, e->n_worker, c)) != 0)
		return err;
	if ((err = esp_sad_add(e->sad, link, c->realm, n)) != 0)
		esp_child_free(n);
	return err;
}

void
esp_child_retire(struct esp *e, uint32_t child_id)
{
	struct esp_child *c = esp_sad_id(e->sad, child_id);

	if (c != NULL)
		esp_sad_retire(c);
}

void
esp_child_del(struct esp *e, uint32_t child_id)
{
	struct esp_child *c = esp_sad_id(e->sad, child_id);

	if (c != NULL)
		esp_sad_del(e->sad, c);
}

int
esp_child_link(const struct esp *e, uint32_t child_id, uint32_t *link)
{
	const struct esp_child *c = esp_sad_id(e->sad, child_id);

	if (c == NULL)
		return ERR_NOTFOUND;
	*link = c->link_id;
	return 0;
}

void
esp_child_path(struct esp *e, uint32_t child_id, const struct vpn_path *path)
{
	struct esp_child *c = esp_sad_id(e->sad, child_id);

	/* Without memory the old path stays; the peer's next packet from
	 * elsewhere asks again. */
	if (c != NULL && esp_sad_path(e->sad, c, path) != 0)
		return;
}

int
esp_child_stats_get(const struct esp *e, uint32_t child_id,
		    struct esp_child_stats *out)
{
	const struct esp_child *c = esp_sad_id(e->sad, child_id);
	struct esp_child_stats sum = { 0 };

	if (c == NULL)
		return ERR_NOTFOUND;
	esp_child_sum(c, &sum);
	*out = sum;
	return 0;
}

bool
esp_child_next(const struct esp *e, size_t *it, struct esp_child_info *out)
{
	const struct esp_child *c = map_next(e->sad->by_id, it);

	if (c == NULL)
		return false;
	*out = (struct esp_child_info){
		.child_id = c->id,
		.link = c->link_id,
		.esp_spi_in = c->esp_spi_in,
		.esp_spi_out = c->esp_spi_out,
		.worker_in = c->worker_in,
		.alg = c->alg,
		.mode = c->mode,
		.path = atomic_load(&c->path)->p,
	};
	esp_child_sum(c, &out->stats);
	return true;
}

void
esp_link_stats_get(const struct esp *e, uint32_t link,
		   struct esp_child_stats *out)
{
	struct esp_link *l = esp_sad_link(e->sad, link);
	struct esp_child_stats sum = { 0 };

	if (l != NULL) {
		sum = l->past;
		LIST_FOREACH(it, &l->all)
			esp_child_sum(CONTAINER_OF(it, struct esp_child, node),
				      &sum);
	}
	*out = sum;
}

/* ---- workers ---------------------------------------------------------- */

int
esp_rule_set(struct esp *e, const char *rule)
{
	const struct esp_rule *r = esp_rule_find(rule);

	if (r == NULL)
		return ERR_NOTFOUND;
	atomic_store(&e->rule, r);
	return 0;
}

unsigned
esp_in_worker(const struct esp *e, const struct buf *pkt)
{
	uint32_t esp_spi;

	if (esp_pkt_spi(buf_view(pkt), &esp_spi) != 0)
		return 0;
	return (esp_spi & WORKER_MASK) % e->n_worker;
}

/* The lane of a bundle that t's flow belongs to. */
static void
find_lane(const struct esp_set *set, uint32_t bundle, struct esp_task *t)
{
	uint32_t flow = esp_lane_flow(t->frame, t->is_ether), weight, best = 0;

	for (unsigned i = 0; i < set->n; i++) {
		const struct esp_child *c;

		c = atomic_load_explicit(&set->child[i], memory_order_acquire);
		if (c == NULL || c->bundle != bundle)
			continue;
		t->n_lane++;
		weight = esp_lane_weight(flow, c->lane);
		if (t->has_lane && weight <= best)
			continue;
		best = weight;
		t->has_lane = true;
		t->lane = c->lane;
		t->esp_spi = c->esp_spi_out;
	}
}

unsigned
esp_out_worker(const struct esp *e, unsigned self, uint32_t link,
	       const struct buf *frame)
{
	const struct esp_rule *r = atomic_load_explicit(&e->rule,
							memory_order_relaxed);
	const struct esp_link *l = esp_sad_link(e->sad, link);
	struct esp_task t = { .self = self, .link = link };
	const struct esp_set *set = NULL;

	if (l != NULL) {
		t.order = l->order;
		set = atomic_load_explicit(&l->set, memory_order_acquire);
	}
	for (unsigned i = 0; set != NULL && i < set->n; i++) {
		const struct esp_child *c;

		c = atomic_load_explicit(&set->child[i], memory_order_acquire);
		if (c == NULL)
			continue;
		t.realm = set->realm;
		t.esp_spi = c->esp_spi_out;
		t.is_ether = c->is_ether;
		t.frame = buf_view(frame);
		if (c->bundle != 0)
			find_lane(set, c->bundle, &t);
		break;
	}
	return r->out(&t) % e->n_worker;
}

/* ---- facts ------------------------------------------------------------ */

unsigned
esp_overhead(enum vpn_alg alg, enum vpn_mode mode, enum vpn_encap encap,
	     unsigned outer_family)
{
	const struct vpn_alg_info *info = vpn_alg_info(alg);
	unsigned n = ESP_HDR_LEN + ESP_TRAIL_LEN;

	if (info == NULL)
		return 0;
	n += info->iv_len + info->icv_len + MAX(info->block_len, 4) - 1u;
	n += mode == VPN_MODE_ETHER ? ESP_ETHERIP_LEN :
	    mode == VPN_MODE_GRE ? ESP_GRE_LEN : 0;
	n += encap == VPN_ENCAP_ESP ? 0 : UDP_HDR_LEN;
	return n + (outer_family == 6 ? IP6_HDR_LEN : IP4_HDR_LEN);
}

unsigned
esp_inner_max(enum vpn_alg alg, enum vpn_mode mode, enum vpn_encap encap,
	      unsigned outer_family, unsigned path_mtu)
{
	const struct vpn_alg_info *info = vpn_alg_info(alg);
	unsigned outer = (outer_family == 6 ? IP6_HDR_LEN : IP4_HDR_LEN) +
	    (encap == VPN_ENCAP_ESP ? 0 : UDP_HDR_LEN);
	unsigned head = mode == VPN_MODE_ETHER ?
	    ESP_ETHERIP_LEN + ESP_ETHER_HDR :
	    mode == VPN_MODE_GRE ? ESP_GRE_LEN : 0;
	size_t n;

	if (info == NULL || path_mtu <= outer)
		return 0;
	n = esp_payload_max(info, path_mtu - outer);
	return n > head ? (unsigned)n - head : 0;
}

const char *
esp_rule_name(const struct esp *e)
{
	return atomic_load(&e->rule)->name;
}

const char *
esp_provider_name(const struct esp *e)
{
	return e->provider->head.name;
}
