/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/spi/late.h - an ESP provider that completes later and in disorder.
 *
 * The place of a device: a thread of its own takes operations of all contexts
 * in random order and has OpenSSL do them.
 *
 *   seal/open --all of a batch--> job[] --random--> device --count--> poll
 *
 * Some operations are complete when seal() or open() return, some calls of
 * poll() find nothing, others find one or many.  late_seal_fails and
 * late_open_fails name sequence numbers the device cannot do.  The contract of
 * spi/spi_esp.h is asserted: nothing is outstanding when a context is freed.
 */
#ifndef TEST_UNIT_SPI_LATE_H
#define TEST_UNIT_SPI_LATE_H

#include "test/lib/test.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/thr.h"
#include "spi/spi_esp.h"

#define LATE_MAX 1024 /* operations outstanding */

struct late_job {
	struct spi_esp_ctx *ctx;
	struct spi_esp_op *op;
	unsigned order;		/* given in */
};

struct spi_esp_ctx {
	struct spi_esp_ctx *inner; /* OpenSSL's; the device's while n_out > 0 */
	bool is_seal;
	unsigned n_out;		/* given to the device, not seen by poll() */
	unsigned n_done;	/* of these, complete */
};

static pthread_mutex_t late_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t late_work = PTHREAD_COND_INITIALIZER;
static pthread_cond_t late_done = PTHREAD_COND_INITIALIZER;
/* all of it under late_lock */
static struct late_job late_job[LATE_MAX];
static unsigned late_n, late_order, late_last;
static unsigned late_n_disorder;	/* done before one given in earlier */
static unsigned late_n_later;		/* not complete at once */
static bool late_is_stopping;
static struct rng_det late_rng;

static struct thr *late_thr;
static const struct spi_esp *late_inner;
/* Every such number fails; 0 = none.  Set while nothing runs. */
static unsigned late_seal_fails UNUSED, late_open_fails UNUSED;

static void
late_one(struct spi_esp_ctx *c, struct spi_esp_op *op)
{
	unsigned every = c->is_seal ? late_seal_fails : late_open_fails;
	/* the low half of the number is the end of the AAD */
	uint32_t seq = be32_get(op->aad + op->aad_len - 4);

	if (every != 0 && seq % every == 0) {
		memset(op->out, 0xee, op->part[0].len);
		op->err = ERR_CRYPTO;
		op->is_done = true;
		return;
	}
	if (c->is_seal)
		late_inner->seal(c->inner, op, 1);
	else
		late_inner->open(c->inner, op, 1);
}

static void
late_device(void *arg UNUSED)
{
	pthread_mutex_lock(&late_lock);
	for (;;) {
		struct late_job j;
		unsigned i;

		while (late_n == 0 && !late_is_stopping)
			pthread_cond_wait(&late_work, &late_lock);
		if (late_n == 0)
			break;
		i = (unsigned)(rng_det_u64(&late_rng) % late_n);
		j = late_job[i];
		late_job[i] = late_job[--late_n];
		late_n_disorder += j.order < late_last;
		late_last = j.order;
		pthread_mutex_unlock(&late_lock);
		late_one(j.ctx, j.op);
		pthread_mutex_lock(&late_lock);
		j.ctx->n_done++;
		pthread_cond_broadcast(&late_done);
	}
	pthread_mutex_unlock(&late_lock);
}

static int
late_init(void)
{
	return 0;
}

static bool
late_has_alg(enum vpn_alg alg)
{
	return late_inner->has_alg(alg);
}

static int
late_ctx_new(struct spi_esp_ctx **out, enum vpn_alg alg,
	     const struct vpn_keys *keys, bool is_seal)
{
	struct spi_esp_ctx *c = calloc(1, sizeof(*c));
	int err;

	assert_non_null(c);
	c->is_seal = is_seal;
	if ((err = late_inner->ctx_new(&c->inner, alg, keys, is_seal)) != 0) {
		free(c);
		return err;
	}
	*out = c;
	return 0;
}

static void
late_ctx_free(struct spi_esp_ctx *c)
{
	if (c == NULL)
		return;
	assert_int_equal(c->n_out, 0);
	late_inner->ctx_free(c->inner);
	free(c);
}

static unsigned
late_run(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n)
{
	unsigned at_once;

	assert_int_equal(c->n_out, 0);
	for (unsigned i = 0; i < n; i++)
		assert_false(ops[i].is_done);
	pthread_mutex_lock(&late_lock);
	at_once = rng_det_u64(&late_rng) % 4 == 0 ?
	    (unsigned)(rng_det_u64(&late_rng) % (n + 1)) : 0;
	pthread_mutex_unlock(&late_lock);
	/* The last ones: those before are still to come. */
	for (unsigned i = n - at_once; i < n; i++)
		late_one(c, &ops[i]);
	pthread_mutex_lock(&late_lock);
	for (unsigned i = 0; i < n - at_once; i++) {
		assert_true(late_n < LATE_MAX);
		late_job[late_n++] = (struct late_job){ c, &ops[i],
							late_order++ };
	}
	c->n_out = n - at_once;
	late_n_later += c->n_out;
	pthread_cond_signal(&late_work);
	pthread_mutex_unlock(&late_lock);
	return at_once;
}

static unsigned
late_poll(struct spi_esp_ctx *c)
{
	unsigned n;

	pthread_mutex_lock(&late_lock);
	/* Nothing to wait for would be waiting for ever. */
	assert_true(c->n_out > 0);
	if (rng_det_u64(&late_rng) % 4 == 0) {
		pthread_mutex_unlock(&late_lock);
		return 0;
	}
	while (c->n_done == 0)
		pthread_cond_wait(&late_done, &late_lock);
	n = rng_det_u64(&late_rng) % 2 == 0 ? 1 : c->n_done;
	c->n_done -= n;
	c->n_out -= n;
	pthread_mutex_unlock(&late_lock);
	return n;
}

static const struct spi_esp late_esp UNUSED = {
	.head = { SPI_VERSION, "late", "completes later and in disorder" },
	.init = late_init,
	.has_alg = late_has_alg,
	.ctx_new = late_ctx_new,
	.ctx_free = late_ctx_free,
	.seal = late_run,
	.open = late_run,
	.poll = late_poll,
};

/* Switch the device on, and off once nothing is outstanding. */
static UNUSED void
late_start(uint64_t seed)
{
	assert_int_equal(spi_esp_get("openssl", &late_inner), 0);
	rng_det_init(&late_rng, seed);
	late_n = late_order = late_last = 0;
	late_n_disorder = late_n_later = 0;
	late_is_stopping = false;
	late_seal_fails = late_open_fails = 0;
	assert_int_equal(thr_start(&late_thr, "late", late_device, NULL), 0);
}

static UNUSED void
late_stop(void)
{
	pthread_mutex_lock(&late_lock);
	assert_int_equal(late_n, 0);
	late_is_stopping = true;
	pthread_cond_signal(&late_work);
	pthread_mutex_unlock(&late_lock);
	thr_join(late_thr);
}

/* True when nothing is with the device: what was given to it came back. */
static UNUSED bool
late_is_idle(void)
{
	bool is_idle;

	pthread_mutex_lock(&late_lock);
	is_idle = late_n == 0;
	pthread_mutex_unlock(&late_lock);
	return is_idle;
}

#endif
