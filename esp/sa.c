/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/sa.c - one pair of SAs: making, counting, ending.
 *
 * Thread: the loop.
 */
#include "esp/sa.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "esp/keyctx.h"
#include "esp/pkt.h"

/* Zeroed memory on a cache line of its own. */
static void *
line_alloc(size_t n)
{
	void *p;

	n = (n + ESP_CACHE_LINE - 1) / ESP_CACHE_LINE * ESP_CACHE_LINE;
	if ((p = aligned_alloc(ESP_CACHE_LINE, n)) != NULL)
		memset(p, 0, n);
	return p;
}

static int
check(const struct spi_esp *prov, const struct vpn_child *c)
{
	if (vpn_alg_info(c->alg) == NULL ||
	    !prov->has_alg(vpn_alg_explicit(c->alg)))
		return ERR_ALG;
	if (esp_encap_of(c->mode) == NULL)
		return ERR_UNSUP;
	if (c->esp_spi_in < ESP_SPI_MIN || c->esp_spi_out < ESP_SPI_MIN ||
	    c->n_ts_local > VPN_TS_MAX || c->n_ts_remote > VPN_TS_MAX)
		return ERR_RANGE;
	return 0;
}

static void
fill(struct esp_child *n, const struct vpn_child *c)
{
	n->id = c->id;
	n->esp_spi_in = c->esp_spi_in;
	n->esp_spi_out = c->esp_spi_out;
	n->alg = c->alg;
	n->info = vpn_alg_info(c->alg);
	n->encap = esp_encap_of(c->mode);
	n->is_esn = c->is_esn;
	n->is_aead = n->info->integ_key_len == 0;
	n->is_iiv = n->info->iv_len == 0;
	n->mode = c->mode;
	n->is_ether = c->mode == VPN_MODE_ETHER;
	n->bundle = c->bundle;
	n->lane = c->lane;
	n->worker_in = c->esp_spi_in & ((1u << ESP_WORKER_BITS) - 1);
	n->n_ts_local = c->n_ts_local;
	n->n_ts_remote = c->n_ts_remote;
	memcpy(n->ts_local, c->ts_local, sizeof(n->ts_local));
	memcpy(n->ts_remote, c->ts_remote, sizeof(n->ts_remote));
	n->keys[0] = *c->keys_in;
	n->keys[1] = *c->keys_out;
	list_init(&n->node);
	esp_seq_init(&n->seq, c->is_esn);
	esp_seq_limit(&n->seq, c->soft_packets, c->hard_packets, c->soft_bytes,
		      c->hard_bytes);
	esp_replay_init(&n->replay);
	/* RFC 7296 2.8: the responder must not use the new outbound SA before
	 * the initiator can have installed its inbound one. */
	n->ready_ms = c->is_initiator ? 0 : clk_ms() +
	    (c->is_heir ? ESP_READY_HEIR_MS : ESP_READY_MS);
	atomic_init(&n->is_ready, c->is_initiator);
}

int
esp_child_new(struct esp_child **out, const struct spi_esp *prov,
	      unsigned n_worker, const struct vpn_child *c)
{
	struct esp_child *n;
	struct esp_path *path;
	int err;

	if ((err = check(prov, c)) != 0)
		return err;
	if ((n = line_alloc(sizeof(*n))) == NULL)
		return ERR_NOMEM;
	n->provider = prov;
	n->n_worker = n_worker;
	n->stat = line_alloc(n_worker * sizeof(*n->stat));
	n->ctx = line_alloc(n_worker * sizeof(*n->ctx));
	n->keys = secret_alloc(2 * sizeof(*n->keys));
	path = calloc(1, sizeof(*path));
	atomic_init(&n->path, path);
	if (c->is_strict && (n->order = calloc(1, sizeof(*n->order))) != NULL)
		esp_order_init(n->order);
	if (n->stat == NULL || n->ctx == NULL || n->keys == NULL ||
	    path == NULL || (c->is_strict && n->order == NULL)) {
		esp_child_free(n);
		return ERR_NOMEM;
	}
	path->p = c->path;
	fill(n, c);
	*out = n;
	return 0;
}

void
esp_child_free(struct esp_child *c)
{
	if (c == NULL)
		return;
	if (c->ctx != NULL)
		esp_keyctx_fini(c);
	if (c->order != NULL)
		esp_order_fini(c->order);
	free(c->order);
	secret_free(c->keys);
	free(atomic_load_explicit(&c->path, memory_order_relaxed));
	free(c->ctx);
	free(c->stat);
	free(c);
}

static uint64_t
get(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

const enum drop esp_drop_of[ESP_DROPS] = {
	DROP_ESP_REPLAY, DROP_ESP_ICV, DROP_ESP_CRYPTO, DROP_ESP_DUMMY,
	DROP_ESP_INNER, DROP_ESP_LATE, DROP_ESP_NEXT, DROP_ESP_PAD, DROP_ESP_SEL,
	DROP_ESP_RUNT, DROP_ETHERIP, DROP_GRE, DROP_GRE_TYPE, DROP_ESP_SEQ,
	DROP_TOO_BIG, DROP_NO_BUF, DROP_GSO,
};

void
esp_child_drop(struct esp_child *c, enum drop why, unsigned n)
{
	drop_count(why, n);
	for (unsigned i = 0; i < ESP_DROPS; i++)
		if (esp_drop_of[i] == why) {
			atomic_fetch_add_explicit(&c->drop[i], n,
						  memory_order_relaxed);
			return;
		}
}

void
esp_child_sum(const struct esp_child *c, struct esp_child_stats *sum)
{
	for (unsigned w = 0; w < c->n_worker; w++) {
		const struct esp_stat *s = &c->stat[w];
		struct esp_child_stats one = {
			.rx_packets = get(&s->rx_packets),
			.rx_bytes = get(&s->rx_bytes),
			.tx_packets = get(&s->tx_packets),
			.tx_bytes = get(&s->tx_bytes),
			.last_in_ms = get(&s->last_in_ms),
			.last_out_ms = get(&s->last_out_ms),
			.n_replay = get(&s->n_replay),
			.n_icv = get(&s->n_icv),
		};

		esp_stats_add(sum, &one);
	}
	for (unsigned i = 0; i < ESP_DROPS; i++)
		sum->drop[i] += atomic_load_explicit(&c->drop[i],
						     memory_order_relaxed);
	sum->seq_out = MAX(sum->seq_out, get(&c->seq.last));
	sum->seq_in = MAX(sum->seq_in, get(&c->seq_in));
}

void
esp_stats_add(struct esp_child_stats *a, const struct esp_child_stats *b)
{
	a->rx_packets += b->rx_packets;
	a->rx_bytes += b->rx_bytes;
	a->tx_packets += b->tx_packets;
	a->tx_bytes += b->tx_bytes;
	a->n_replay += b->n_replay;
	a->n_icv += b->n_icv;
	for (unsigned i = 0; i < ESP_DROPS; i++)
		a->drop[i] += b->drop[i];
	a->last_in_ms = MAX(a->last_in_ms, b->last_in_ms);
	a->last_out_ms = MAX(a->last_out_ms, b->last_out_ms);
	a->seq_out = MAX(a->seq_out, b->seq_out);
	a->seq_in = MAX(a->seq_in, b->seq_in);
}
