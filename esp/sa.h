/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/sa.h - one pair of SAs as ESP keeps it, and the link it belongs to.
 *
 * Fields are grouped by who may touch them.  What is immutable after
 * installation needs no order; what is replaced is an atomic pointer whose old
 * value is buried (thr_defer); the rest belongs to one worker each.
 */
#ifndef TAPIR_ESP_SA_H
#define TAPIR_ESP_SA_H

#include <stdatomic.h>
#include "daemon/base/base.h"
#include "daemon/base/list.h"
#include "daemon/base/thr.h"
#include "daemon/base/vpn.h"
#include "esp/encap.h"
#include "esp/esp.h"
#include "esp/order.h"
#include "esp/replay.h"
#include "esp/seq.h"
#include "spi/spi_esp.h"

#define ESP_CACHE_LINE 64
/* A responder waits this long for the first packet on a new pair before it
 * sends there without (RFC 7296 2.8); ours.  Where the pair replaces another,
 * the end of that one says so before: only if it never comes. */
#define ESP_READY_MS	  5000
#define ESP_READY_HEIR_MS 35000

/* First member of what is replaced while workers may still read it. */
struct esp_grave {
	struct list node;	/* only while thr_defer() refuses */
	thr_fn *fn;
};

struct esp_path {
	struct esp_grave grave;
	struct vpn_path p;
};

/* Counters of one worker: one writer, so plain adds with relaxed order. */
struct esp_stat {
	_Alignas(ESP_CACHE_LINE) _Atomic uint64_t rx_packets;
	_Atomic uint64_t rx_bytes, tx_packets, tx_bytes;
	_Atomic uint64_t last_in_ms, last_out_ms;
	_Atomic uint64_t n_replay, n_icv;
};

/* Ready cipher contexts of one worker; see keyctx.h. */
struct esp_keyctx {
	_Alignas(ESP_CACHE_LINE) struct spi_esp_ctx *seal;
	struct spi_esp_ctx *open;
};

struct esp_link;
struct esp_sad;

struct esp_child {
	struct esp_grave grave;			/* owner: loop */
	/* immutable */
	uint32_t id, link_id;
	uint32_t esp_spi_in, esp_spi_out;
	enum vpn_alg alg;
	const struct vpn_alg_info *info;
	const struct spi_esp *provider;
	const struct esp_encap *encap;
	enum vpn_mode mode;
	bool is_esn, is_aead, is_ether;
	bool is_iiv;			/* the IV is not sent, RFC 8750 */
	uint32_t bundle, lane;			/* esp/lane.h; bundle 0 = alone */
	unsigned worker_in;			/* owner of the window */
	unsigned n_worker;
	uint64_t ready_ms;			/* send here from then on */
	unsigned n_ts_local, n_ts_remote;
	struct vpn_ts ts_local[VPN_TS_MAX];
	struct vpn_ts ts_remote[VPN_TS_MAX];
	struct vpn_keys *keys;			/* secret: [0] in, [1] out */
	struct esp_stat *stat;			/* [n_worker] */
	struct esp_keyctx *ctx;			/* [n_worker] */
	/* loop only */
	struct esp_sad *sad;
	struct esp_link *link;
	struct list node;			/* of link->all */
	/* replaced by the loop, read by workers */
	_Atomic(struct esp_child *) next;	/* chain of the SPI table */
	_Atomic(struct esp_path *) path;
	/* any worker */
	_Alignas(ESP_CACHE_LINE) struct esp_seq seq;
	atomic_bool is_ready;			/* the peer was heard on it */
	atomic_bool said_soft, said_hard;
	_Atomic uint32_t drop[ESP_DROPS];	/* relaxed; not where packets pass */
	/* worker_in only */
	_Alignas(ESP_CACHE_LINE) struct esp_replay replay;
	struct esp_order *order;		/* NULL = as they come */
	struct net_ep moved;			/* last one reported */
	uint64_t moved_ms;			/* 0 = never */
	uint64_t sel_ms;			/* ESP_EV_SEL was last; 0 = never */
	/* written by worker_in, read by the loop */
	_Atomic uint64_t seq_in;
};

/* Children of a link, newest first; replaced when one is added.  NULL: one
 * that was taken out. */
struct esp_set {
	struct esp_grave grave;
	uint32_t realm;
	bool has_bundle;			/* one of them is in a bundle */
	unsigned n;
	_Atomic(struct esp_child *) child[];
};

struct esp_link {
	struct esp_grave grave;			/* owner: loop */
	uint32_t id;				/* immutable */
	uint32_t order;				/* immutable: nth link made */
	_Atomic(struct esp_link *) next;	/* chain of the link table */
	_Atomic(struct esp_set *) set;		/* NULL = no children */
	/* loop only */
	struct list all;			/* children, dying ones too */
	struct esp_child_stats past;		/* sums of the dead */
};

/** Make a pair; nothing is published yet.
 * 0, ERR_ALG, ERR_UNSUP (mode), ERR_RANGE (SPI, selectors) or ERR_NOMEM. */
MUST_USE int esp_child_new(struct esp_child **out, const struct spi_esp *prov,
			   unsigned n_worker, const struct vpn_child *c);
/** Wipe keys, free contexts and memory: no worker may know it any more. */
void esp_child_free(struct esp_child *c);
/** Add what all workers counted to *sum.  Thread: loop. */
void esp_child_sum(const struct esp_child *c, struct esp_child_stats *sum);
/** Count n packets of the pair that are dropped, by their reason and for all.  Any
 * worker. */
void esp_child_drop(struct esp_child *c, enum drop why, unsigned n);
/** Add b to a: sums, and the later of times. */
void esp_stats_add(struct esp_child_stats *a, const struct esp_child_stats *b);

/** Add to a counter that only the calling worker writes. */
static inline void
esp_stat_add(_Atomic uint64_t *v, uint64_t n)
{
	atomic_store_explicit(v, n +
	    atomic_load_explicit(v, memory_order_relaxed),
	    memory_order_relaxed);
}

#endif
