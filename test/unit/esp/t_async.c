/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_async.c - ESP over a provider that completes later and in
 * disorder (test/unit/spi/late.h).
 *
 * The same frames and packets, by the same seed, go once through OpenSSL and
 * once through the late provider.  What is sent and delivered, in which order,
 * what is dropped and counted must be the same to the byte.
 */
#include "test/unit/esp/rig.h"
#include <stdatomic.h>
#include <stdlib.h>
#include "test/unit/esp/frames.h"
#include "test/unit/spi/late.h"

#define PAIR	  3	/* and PAIR + 1, in one batch */
#define ROUNDS	  12
#define SCRIPT_MAX (4u << 20)

/* What happened, as bytes. */
struct script {
	uint8_t *p;
	size_t len;
	unsigned n_wire, n_got;
};

static void
note(struct script *s, const void *p, size_t len)
{
	assert_true(s->len + len <= SCRIPT_MAX);
	memcpy(s->p + s->len, p, len);
	s->len += len;
}

static void
note_buf(struct script *s, const struct buf *b)
{
	note(s, &b->len, sizeof(b->len));
	note(s, b->data, b->len);
}

static void
script_init(struct script *s)
{
	*s = (struct script){ .p = malloc(SCRIPT_MAX) };
	assert_non_null(s->p);
}

static void
script_same(struct script *a, struct script *b)
{
	assert_int_equal(a->n_wire, b->n_wire);
	assert_int_equal(a->n_got, b->n_got);
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->p, b->p, a->len);
	free(a->p);
	free(b->p);
}

static unsigned
below(struct rng_det *r, unsigned n)
{
	return (unsigned)(rng_det_u64(r) % n);
}

/* The rig with one provider at both ends; CBC's IVs come from the seed. */
static void
open_with(const struct spi_esp *p, struct rng_det *r)
{
	rig_open(1);
	rng_set_source(rng_det_source, r);
	for (unsigned i = 0; i < 2; i++)
		rig[i].esp->provider = p;
}

static void
close_all(void)
{
	rng_set_source(NULL, NULL);
	rig_close();
}

/* ---- out -------------------------------------------------------------- */

/* A batch of frames of all sizes; every third is shared, as when flooded. */
static void
out_round(struct rng_det *r, struct script *s, uint64_t *seq)
{
	struct buf *b[ESP_BATCH_MAX], *kept[ESP_BATCH_MAX];
	unsigned n = 1 + below(r, ESP_BATCH_MAX), n_kept = 0;

	for (unsigned i = 0; i < n; i++) {
		b[i] = rig_frame(14 + below(r, 1400), (uint8_t)i);
		if (below(r, 3) == 0)
			kept[n_kept++] = buf_get(b[i]);
	}
	esp_output(rig[0].esp, 0, RIG_LINK, b, n);
	assert_true(late_is_idle());
	assert_int_equal(rig[0].n_wire, n); /* none is lost */
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(be32_get(rig[0].wire[i]->data + 4), ++*seq);
		note_buf(s, rig[0].wire[i]);
	}
	/* A shared frame was read only. */
	for (unsigned i = 0; i < n_kept; i++) {
		note_buf(s, kept[i]);
		buf_put(kept[i]);
	}
	s->n_wire += n;
	rig_clear(&rig[0]);
}

static void
out_play(const struct spi_esp *p, enum vpn_alg alg, struct script *s)
{
	struct rng_det r, ivs;
	uint64_t seq = 0;

	script_init(s);
	rng_det_init(&r, test_seed());
	rng_det_init(&ivs, test_seed() + 1);
	open_with(p, &ivs);
	rig_pair(PAIR, alg, VPN_MODE_ETHER, true);
	for (unsigned i = 0; i < ROUNDS; i++)
		out_round(&r, s, &seq);
	rig_drops(DROP_END, 0);
	close_all();
}

TEST(sealed_in_disorder_leaves_in_order_with_the_same_bytes)
{
	for (int alg = 1; alg < VPN_ALG_END; alg++) {
		struct script sync, late;

		late_start(test_seed());
		out_play(late_inner, (enum vpn_alg)alg, &sync);
		assert_int_equal(late_n_later, 0);
		out_play(&late_esp, (enum vpn_alg)alg, &late);
		/* It was put to the test. */
		assert_true(late_n_later > ROUNDS);
		assert_true(late_n_disorder > ROUNDS);
		late_stop();
		script_same(&sync, &late);
	}
}

TEST(operation_that_fails_late_loses_its_own_packet_only)
{
	uint64_t seq = 0;

	late_start(test_seed());
	rig_open(1);
	rig[0].esp->provider = &late_esp;
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	late_seal_fails = 7;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct buf *b[ESP_BATCH_MAX];
		uint64_t first = seq;

		for (unsigned k = 0; k < ESP_BATCH_MAX; k++)
			b[k] = rig_frame(60, (uint8_t)k);
		esp_output(rig[0].esp, 0, RIG_LINK, b, ESP_BATCH_MAX);
		for (unsigned k = 0; k < rig[0].n_wire; k++) {
			if (++seq % 7 == 0)
				seq++;
			assert_int_equal(be32_get(rig[0].wire[k]->data + 4),
					 seq);
		}
		seq = first + ESP_BATCH_MAX;
		rig_clear(&rig[0]);
	}
	rig_drops(DROP_ESP_CRYPTO, ROUNDS * ESP_BATCH_MAX / 7);
	late_stop();
	rig_close();
}

/* ---- trains ----------------------------------------------------------- */

static struct fr train_frame;

/* A frame, or with seg a super-frame to be cut into such segments. */
static struct buf *
frame_of(const struct fr_spec *s, uint16_t seg)
{
	struct buf *b = buf_new(rig_bigs);

	assert_non_null(b);
	fr_make(&train_frame, s);
	memcpy(buf_append(b, train_frame.len), train_frame.b, train_frame.len);
	b->seg_len = seg;
	return b;
}

/* What end 0 sent reaches end 1 as slices of the messages. */
static void
trains_arrive(struct script *s)
{
	struct buf *part[ESP_BATCH_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < rig[0].n_wire; i++) {
		struct buf *b = rig[0].wire[i];
		uint32_t seg = b->seg_len != 0 ? b->seg_len : b->len;

		note(s, &b->seg_len, sizeof(b->seg_len));
		note_buf(s, b);
		s->n_wire++;
		for (uint32_t at = 0; at < b->len; at += seg) {
			if (n == ESP_BATCH_MAX) {
				rig_in_n(1, part, n);
				n = 0;
			}
			part[n++] = buf_slice(rig_slices, b, b->data + at,
					      MIN(seg, b->len - at));
		}
	}
	rig_in_n(1, part, n);
	assert_true(late_is_idle());
	for (unsigned i = 0; i < rig[1].n_got; i++)
		note_buf(s, rig[1].got[i]);
	s->n_got += rig[1].n_got;
	rig_clear(&rig[0]);
	rig_clear(&rig[1]);
}

static void
train_play(const struct spi_esp *p, enum vpn_alg alg, struct script *s)
{
	struct rng_det ivs;

	script_init(s);
	fr_seed = (uint32_t)test_seed();
	rng_det_init(&ivs, test_seed() + 1);
	rig_has_trains = true;
	open_with(p, &ivs);
	rig_pair(PAIR, alg, VPN_MODE_ETHER, true);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct buf *b[6];
		unsigned n = 1 + fr_rand() % 6;

		for (unsigned k = 0; k < n; k++) {
			struct fr_spec f = fr_random();
			uint16_t seg = (uint16_t)(400 + fr_rand() % 1000);

			f.is_ether = true;
			f.len = 1 + fr_rand() % (fr_rand() % 2 ? 30000 : 1400);
			b[k] = frame_of(&f, f.len > 1400 ? seg : 0);
		}
		esp_output(rig[0].esp, 0, RIG_LINK, b, n);
		assert_true(late_is_idle());
		trains_arrive(s);
	}
	rig_drops(DROP_END, 0);
	close_all();
	rig_has_trains = false;
}

TEST(trains_sealed_and_opened_in_disorder_are_the_same)
{
	for (int alg = 1; alg < VPN_ALG_END; alg++) {
		struct script sync, late;

		late_start(test_seed());
		train_play(late_inner, (enum vpn_alg)alg, &sync);
		assert_int_equal(late_n_later, 0);
		train_play(&late_esp, (enum vpn_alg)alg, &late);
		assert_true(late_n_disorder > ROUNDS);
		late_stop();
		script_same(&sync, &late);
	}
}

/* Text may lie in clear where an operation failed. */
TEST(a_train_in_which_one_operation_fails_late_does_not_leave)
{
	struct fr_spec f = { .is_ether = true, .family = 4, .is_tcp = true,
			     .flags = 0x10 };

	late_start(test_seed());
	rig_has_trains = true;
	rig_open(1);
	rig[0].esp->provider = &late_esp;
	rig_pair(PAIR, VPN_ALG_AES_GCM_256, VPN_MODE_ETHER, true);
	late_seal_fails = 100;
	/* 40 packets each: 1-40, 41-80, 81-120, 121-160, 161-200 */
	for (unsigned i = 0; i < 5; i++) {
		f.len = 40000;
		rig_out(0, frame_of(&f, 1000));
		assert_int_equal(rig[0].n_wire > 0, i != 2 && i != 4);
		rig_clear(&rig[0]);
	}
	rig_drops(DROP_ESP_CRYPTO, 80);
	late_seal_fails = 0;
	late_stop();
	rig_close();
	rig_has_trains = false;
}

/* ---- in --------------------------------------------------------------- */

/* A batch of two pairs: in order, late, doubled, forged, too far back. */
static unsigned
in_batch(struct rng_det *r, struct buf **b, uint64_t top[2])
{
	unsigned n = 1 + below(r, ESP_BATCH_MAX);

	for (unsigned i = 0; i < n; i++) {
		unsigned pair = below(r, 5) == 0;
		uint64_t seq;

		switch (below(r, 8)) {
		case 0: /* seen, or still open: a hole was left there */
			seq = top[pair] - below(r, top[pair] < 40 ?
						(unsigned)top[pair] : 40);
			break;
		case 1:
			seq = top[pair] > 2000 ? top[pair] - 2000 : 1;
			break;
		case 2:
			seq = top[pair] += 1 + below(r, 900);
			break;
		default:
			seq = ++top[pair];
		}
		b[i] = i > 0 && below(r, 10) == 0 ?
		    buf_copy(rig_pool, b[below(r, i)]) :
		    rig_good(PAIR + pair, seq);
		assert_non_null(b[i]);
		if (below(r, 8) == 0)
			b[i]->data[8 + below(r, b[i]->len - 8)] ^= 0x40;
	}
	return n;
}

static void
in_round(struct rng_det *r, struct script *s, uint64_t top[2])
{
	struct buf *b[ESP_BATCH_MAX];
	unsigned n = in_batch(r, b, top);

	rig_in_n(1, b, n);
	assert_true(late_is_idle());
	for (unsigned i = 0; i < rig[1].n_got; i++)
		note_buf(s, rig[1].got[i]);
	s->n_got += rig[1].n_got;
	for (unsigned i = 0; i < 2; i++)
		note(s, &rig_sa(1, PAIR + i)->replay.top, sizeof(uint64_t));
	rig_clear(&rig[1]);
}

static void
in_play(const struct spi_esp *p, enum vpn_alg alg, bool is_esn,
	struct script *s)
{
	uint64_t top[2] = { 1, 1 };
	struct rng_det r, ivs;

	script_init(s);
	rng_det_init(&r, test_seed());
	rng_det_init(&ivs, test_seed() + 1);
	open_with(p, &ivs);
	rig[0].esp->provider = late_inner; /* the packets' maker is rig_seal */
	for (unsigned i = 0; i < 2; i++)
		rig_pair(PAIR + i, alg, VPN_MODE_ETHER, is_esn);
	for (unsigned i = 0; i < ROUNDS; i++)
		in_round(&r, s, top);
	for (unsigned i = 0; i < 2; i++) {
		struct esp_child_stats st;

		assert_int_equal(esp_child_stats_get(rig[1].esp, PAIR + i,
						     &st), 0);
		note(s, &st, sizeof(st));
	}
	for (int d = 0; d < DROP_END; d++) {
		uint64_t sum = drop_sum((enum drop)d);

		note(s, &sum, sizeof(sum));
	}
	/* Every kind took part. */
	assert_true(drop_sum(DROP_ESP_ICV) > 0);
	assert_true(drop_sum(DROP_ESP_REPLAY) > 0);
	assert_true(s->n_got > ROUNDS);
	close_all();
}

TEST(opened_in_disorder_is_delivered_in_order_and_no_replay_passes)
{
	for (int i = 2; i < 2 * VPN_ALG_END; i++) {
		struct script sync, late;

		late_start(test_seed() + (unsigned)i);
		in_play(late_inner, (enum vpn_alg)(i / 2), i % 2 == 0, &sync);
		assert_int_equal(late_n_later, 0);
		in_play(&late_esp, (enum vpn_alg)(i / 2), i % 2 == 0, &late);
		assert_true(late_n_disorder > ROUNDS);
		late_stop();
		script_same(&sync, &late);
	}
}

TEST(packet_that_fails_late_may_come_again)
{
	late_start(test_seed());
	rig_open(1);
	rig[1].esp->provider = &late_esp;
	rig_pair(PAIR, VPN_ALG_AES_GCM_256, VPN_MODE_ETHER, true);
	late_open_fails = 5;
	for (uint64_t seq = 1; seq <= 20; seq++)
		rig_in(1, rig_good(PAIR, seq));
	assert_int_equal(rig[1].n_got, 16);
	rig_drops(DROP_ESP_CRYPTO, 4);
	/* The window did not take what was not verified. */
	late_open_fails = 0;
	for (uint64_t seq = 1; seq <= 20; seq++)
		rig_in(1, rig_good(PAIR, seq));
	assert_int_equal(rig[1].n_got, 20);
	rig_drops(DROP_ESP_REPLAY, 16);
	late_stop();
	rig_close();
}

/* ---- several workers, one device -------------------------------------- */

#define N_WORKER 3
#define N_BATCH	 120
#define BATCH	 16

static struct esp *shop;
static struct buf_pool *pools[N_WORKER];
static uint32_t n_next[N_WORKER];	/* each its worker's */
static atomic_uint n_running, n_fed, n_came, n_disordered;

/* What a worker has sealed comes back to it, every second packet twice. */
static void
on_send(void *ctx UNUSED, unsigned worker, const struct vpn_path *path,
	struct buf **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct buf *two[2] = { pkts[i] };
		unsigned k = 1;

		if (i % 2 == 1 && (two[1] = buf_copy(pools[worker],
						     pkts[i])) != NULL)
			k = 2;
		for (unsigned m = 0; m < k; m++) {
			two[m]->kind = VPN_ENCAP_UDP;
			two[m]->from = path->remote;
		}
		atomic_fetch_add(&n_fed, k);
		esp_input(shop, worker, two, k);
	}
}

static void
on_deliver(void *ctx UNUSED, unsigned worker, uint32_t link,
	   struct buf **frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t no = be32_get(frames[i]->data);

		/* Nothing twice, nothing before what was sent earlier. */
		if (link != worker || no < n_next[worker])
			atomic_fetch_add(&n_disordered, 1);
		n_next[worker] = no + 1;
		buf_put(frames[i]);
	}
	atomic_fetch_add(&n_came, n);
}

static struct buf *
on_buf(void *ctx UNUSED, unsigned worker)
{
	return buf_new(pools[worker]);
}

static void
on_event(void *ctx UNUSED, unsigned worker UNUSED,
	 const struct esp_event *ev UNUSED)
{
}

static void
add(uint32_t id, uint32_t link, uint32_t spi)
{
	struct vpn_child c = rig_child(0, 1, VPN_ALG_AES_GCM_128,
				       VPN_MODE_ETHER);

	c.id = id;
	c.esp_spi_in = c.esp_spi_out = spi;
	c.keys_in = c.keys_out;
	assert_int_equal(esp_spi_reserve(shop, spi), 0);
	assert_int_equal(esp_child_add(shop, link, &c), 0);
}

static void
work(void *ctx)
{
	unsigned worker = (unsigned)(uintptr_t)ctx;

	thr_register();
	for (unsigned i = 0; i < N_BATCH; i++) {
		struct buf *b[BATCH];

		for (unsigned k = 0; k < BATCH; k++) {
			uint8_t *p;

			b[k] = buf_new(pools[worker]);
			assert_non_null(b[k]);
			p = buf_append(b[k], 60);
			memset(p, 0, 60);
			be32_put(p, i * BATCH + k);
		}
		esp_output(shop, worker, worker, b, BATCH);
		thr_quiet();
	}
	thr_unregister();
	atomic_fetch_sub(&n_running, 1);
}

/* Pairs come and go while workers and device are at work: a context is freed
 * only when nothing of it is outstanding.  What was sealed on a pair that is
 * gone before it is opened has no SA any more; nothing else may be missing. */
TEST(workers_share_the_device_while_the_loop_replaces_their_pairs)
{
	struct esp_io io = {
		.send = on_send, .deliver = on_deliver, .buf_new = on_buf,
		.event = on_event,
	};
	uint32_t id = 100;
	struct thr *t[N_WORKER];

	late_start(test_seed());
	drop_reset();
	atomic_store(&n_running, N_WORKER);
	atomic_store(&n_fed, 0);
	atomic_store(&n_came, 0);
	atomic_store(&n_disordered, 0);
	assert_int_equal(esp_new(&shop, N_WORKER, &io, NULL, NULL), 0);
	shop->provider = &late_esp;
	for (uint32_t w = 0; w < N_WORKER; w++) {
		n_next[w] = 0;
		add(w, w, 0x40000000 | w);
		assert_int_equal(buf_pool_new(&pools[w], 4 * BATCH,
					      BUF_ROOM_DEFAULT), 0);
	}
	for (uint32_t w = 0; w < N_WORKER; w++)
		assert_int_equal(thr_start(&t[w], "worker", work,
					   (void *)(uintptr_t)w), 0);
	while (atomic_load(&n_running) > 0) {
		if (thr_reclaim())
			continue;
		/* One pair of each at a time beside the first. */
		for (uint32_t w = 0; w < N_WORKER; w++) {
			esp_child_del(shop, id + w - N_WORKER);
			add(id + w, w, ((id + w) << 8) | w);
		}
		id += N_WORKER;
	}
	for (unsigned w = 0; w < N_WORKER; w++)
		thr_join(t[w]);
	assert_true(id > 100);
	assert_int_equal(atomic_load(&n_disordered), 0);
	assert_true(atomic_load(&n_fed) > N_WORKER * N_BATCH * BATCH);
	assert_int_equal(atomic_load(&n_came) + drop_sum(DROP_ESP_SPI) +
			 drop_sum(DROP_ESP_REPLAY), atomic_load(&n_fed));
	for (int d = 0; d < DROP_END; d++)
		if (d != DROP_ESP_SPI && d != DROP_ESP_REPLAY)
			assert_int_equal(drop_sum((enum drop)d), 0);
	assert_true(drop_sum(DROP_ESP_REPLAY) > 0);
	late_stop();
	esp_free(shop);
	assert_int_equal(secret_used(), 0);
	for (unsigned w = 0; w < N_WORKER; w++) {
		assert_int_equal(buf_pool_used(pools[w]), 0);
		buf_pool_free(pools[w]);
	}
}
