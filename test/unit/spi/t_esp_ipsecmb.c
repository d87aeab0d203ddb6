/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/spi/t_esp_ipsecmb.c - libipsec-mb gives what OpenSSL gives.
 *
 * Skipped where the library was not there at build time or the CPU cannot run
 * it; that OpenSSL then serves is t_esp_kat's matter.
 */
#include "test/lib/test.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/thr.h"
#include "spi/spi_esp.h"

#ifdef TAPIR_HAVE_IPSECMB
#include "spi/esp-ipsecmb/mb.h"
#endif

#define BATCH_MAX 64
#define LEN_MAX	  9000
#define GUARD	  64	/* bytes behind a packet nobody may touch */
#define GUARD_SET 0xa5
#define ROUNDS	  24
#define N_THREAD  4

enum place { APART, IN_PLACE, N_PLACE };

/* A packet in one piece of memory: text | icv | guard. */
struct packet {
	uint8_t iv[16];
	uint8_t plain[LEN_MAX];
	uint8_t wire[LEN_MAX + 32 + GUARD];
	uint8_t back[LEN_MAX + 32 + GUARD];
	size_t len;
};

struct batch {
	struct rng_det rng;
	enum vpn_alg alg;
	const struct vpn_alg_info *info;
	unsigned n;
	struct packet *pkt;	/* BATCH_MAX of them */
	struct spi_esp_op op[BATCH_MAX];
};

static const struct spi_esp *
provider(const char *name)
{
	const struct spi_esp *p = NULL;

	return spi_esp_get(name, &p) == 0 ? p : NULL;
}

/* Only another build or another machine is a reason to skip. */
static const struct spi_esp *
mb_or_skip(void)
{
	const struct spi_esp *p = NULL;
	int err = spi_esp_get("ipsecmb", &p);

#ifdef TAPIR_HAVE_IPSECMB
	if (err == ERR_UNSUP)
		skip();
	assert_int_equal(err, 0);
#else
	assert_int_equal(err, ERR_NOTFOUND);
	skip();
#endif
	return p;
}

static void
fill(struct batch *b, void *out, size_t n)
{
	rng_det_source(&b->rng, out, n);
}

static uint32_t
below(struct batch *b, uint32_t n)
{
	uint32_t v;

	fill(b, &v, sizeof(v));
	return v % n;
}

static void
batch_init(struct batch *b, enum vpn_alg alg, uint64_t seed)
{
	memset(b, 0, sizeof(*b));
	rng_det_init(&b->rng, seed);
	b->alg = alg;
	b->info = vpn_alg_info(alg);
	b->pkt = calloc(BATCH_MAX, sizeof(*b->pkt));
	assert_non_null(b->pkt);
}

/* Small ones matter as much as big ones. */
static size_t
random_len(struct batch *b)
{
	size_t len = below(b, 3) == 0 ? below(b, 80) : below(b, LEN_MAX + 1);

	if (b->info->block_len == 1)
		return len;
	len -= len % 16;
	return len == 0 ? 16 : len;
}

/* Contents, IV and what is authenticated: with ESN or without. */
static void
batch_fill(struct batch *b, unsigned n)
{
	b->n = n;
	for (unsigned i = 0; i < n; i++) {
		struct packet *p = &b->pkt[i];
		struct spi_esp_op *op = &b->op[i];
		bool is_esn = below(b, 2) == 1;

		memset(op, 0, sizeof(*op));
		p->len = random_len(b);
		fill(b, p->plain, p->len);
		fill(b, p->iv, sizeof(p->iv));
		fill(b, op->aad, sizeof(op->aad));
		fill(b, op->tail, sizeof(op->tail));
		op->aad_len = is_esn && b->info->integ_key_len == 0 ? 12 : 8;
		op->tail_len = is_esn && b->info->integ_key_len > 0 ? 4 : 0;
		op->iv = p->iv;
	}
}

/* From p->plain (apart, in 1 to 3 parts) or from out itself into out. */
static void
op_parts(struct batch *b, unsigned i, uint8_t *out, enum place place)
{
	struct packet *p = &b->pkt[i];
	struct spi_esp_op *op = &b->op[i];
	const uint8_t *from = p->plain;
	size_t at = 0;

	memset(out + p->len, GUARD_SET, b->info->icv_len + GUARD);
	if (place == IN_PLACE) {
		memcpy(out, p->plain, p->len);
		from = out;
	}
	op->n_part = 1 + below(b, SPI_ESP_PARTS);
	for (unsigned k = 0; k < op->n_part; k++) {
		size_t left = p->len - at;
		size_t n = k + 1 == op->n_part ? left :
			   below(b, (uint32_t)(k == 0 ? left < 20 ? left : 20 :
					       left) + 1);

		op->part[k] = (struct view){ from + at, n };
		at += n;
	}
	op->out = out;
	op->icv = out + p->len;
	op->is_done = false;
	op->err = ERR_INTERNAL;
}

static void
assert_guard(const struct batch *b, const struct packet *p,
	     const uint8_t *out)
{
	for (size_t k = 0; k < GUARD; k++)
		assert_int_equal(out[p->len + b->info->icv_len + k],
				 GUARD_SET);
}

static void
assert_run(const struct spi_esp *p, struct spi_esp_ctx *c, struct batch *b,
	   bool is_seal)
{
	unsigned n = is_seal ? p->seal(c, b->op, b->n) :
			       p->open(c, b->op, b->n);

	assert_int_equal(n, b->n);
	for (unsigned i = 0; i < b->n; i++)
		assert_true(b->op[i].is_done);
}

/* Seal with both into wire and back; the same bytes must come out. */
static void
seal_both(const struct spi_esp *const p[2], struct spi_esp_ctx *const c[2],
	  struct batch *b, enum place place)
{
	for (int who = 0; who < 2; who++) {
		for (unsigned i = 0; i < b->n; i++)
			op_parts(b, i, who == 0 ? b->pkt[i].wire :
						  b->pkt[i].back, place);
		assert_run(p[who], c[who], b, true);
		for (unsigned i = 0; i < b->n; i++)
			assert_int_equal(b->op[i].err, 0);
	}
	for (unsigned i = 0; i < b->n; i++) {
		const struct packet *k = &b->pkt[i];

		assert_memory_equal(k->wire, k->back,
				    k->len + b->info->icv_len);
		assert_guard(b, k, k->wire);
		assert_guard(b, k, k->back);
	}
}

/* One bit of the ICV, the text, the AAD or the tail. */
static void
forge(struct batch *b, unsigned i)
{
	struct packet *p = &b->pkt[i];
	struct spi_esp_op *op = &b->op[i];
	uint8_t bit = (uint8_t)(1u << below(b, 8));
	uint8_t *text = (uint8_t *)(uintptr_t)op->part[0].p;

	switch (below(b, 4)) {
	case 0:
		op->icv[below(b, b->info->icv_len)] ^= bit;
		break;
	case 1:
		if (p->len > 0)
			text[below(b, (uint32_t)p->len)] ^= bit;
		else
			op->icv[0] ^= bit;
		break;
	case 2:
		op->aad[below(b, op->aad_len)] ^= bit;
		break;
	default:
		if (op->tail_len > 0)
			op->tail[below(b, op->tail_len)] ^= bit;
		else
			op->icv[b->info->icv_len - 1] ^= bit;
	}
}

/* Open what wire holds into back; every third packet is forged. */
static void
open_some_forged(const struct spi_esp *p, struct spi_esp_ctx *c,
		 struct batch *b, enum place place)
{
	bool is_forged[BATCH_MAX];

	for (unsigned i = 0; i < b->n; i++) {
		struct packet *k = &b->pkt[i];
		struct spi_esp_op *op = &b->op[i];

		memset(k->back, GUARD_SET, k->len + b->info->icv_len + GUARD);
		if (place == IN_PLACE)
			memcpy(k->back, k->wire, k->len + b->info->icv_len);
		op->n_part = 1;
		op->part[0].p = place == IN_PLACE ? k->back : k->wire;
		op->part[0].len = k->len;
		op->out = k->back;
		op->icv = place == IN_PLACE ? k->back + k->len :
					      k->wire + k->len;
		op->is_done = false;
		op->err = ERR_INTERNAL;
		is_forged[i] = below(b, 3) == 0;
		if (is_forged[i])
			forge(b, i);
	}
	assert_run(p, c, b, false);
	for (unsigned i = 0; i < b->n; i++) {
		const struct packet *k = &b->pkt[i];

		assert_int_equal(b->op[i].err, is_forged[i] ? ERR_ICV : 0);
		assert_guard(b, k, k->back);
		if (!is_forged[i])
			assert_memory_equal(k->back, k->plain, k->len);
	}
}

static void
ctx_pair(const struct spi_esp *p, struct batch *b, const struct vpn_keys *keys,
	 struct spi_esp_ctx **seal, struct spi_esp_ctx **open)
{
	assert_int_equal(p->ctx_new(seal, b->alg, keys, true), 0);
	assert_int_equal(p->ctx_new(open, b->alg, keys, false), 0);
	/* the library's code loads from it with aligned instructions */
	assert_int_equal((uintptr_t)*seal % 16, 0);
}

static void
compare(const struct spi_esp *mb, enum vpn_alg alg, uint64_t seed)
{
	/* the ends, and around where few packets are served differently */
	static const unsigned first[] = { 1, BATCH_MAX, 2, 7, 8, 9 };
	const struct spi_esp *p[2] = { provider("openssl"), mb };
	struct spi_esp_ctx *seal[2] = { NULL }, *open[2] = { NULL };
	struct vpn_keys keys;
	struct batch b;

	batch_init(&b, alg, seed);
	fill(&b, &keys, sizeof(keys));
	ctx_pair(p[0], &b, &keys, &seal[0], &open[0]);
	ctx_pair(p[1], &b, &keys, &seal[1], &open[1]);
	for (unsigned r = 0; r < ROUNDS; r++)
		for (int place = 0; place < N_PLACE; place++) {
			batch_fill(&b, r < N_OF(first) ? first[r] :
				       1 + below(&b, BATCH_MAX));
			seal_both(p, seal, &b, (enum place)place);
			open_some_forged(p[1], open[1], &b,
					 (enum place)place);
		}
	for (int who = 0; who < 2; who++) {
		p[who]->ctx_free(seal[who]);
		p[who]->ctx_free(open[who]);
	}
	free(b.pkt);
}

TEST(ipsecmb_equals_openssl_for_aes_gcm)
{
	const struct spi_esp *mb = mb_or_skip();

	compare(mb, VPN_ALG_AES_GCM_128, test_seed());
	compare(mb, VPN_ALG_AES_GCM_256, test_seed() + 1);
}

TEST(ipsecmb_equals_openssl_for_chacha20_poly1305)
{
	compare(mb_or_skip(), VPN_ALG_CHACHA20_POLY1305, test_seed());
}

TEST(ipsecmb_equals_openssl_for_every_cbc)
{
	const struct spi_esp *mb = mb_or_skip();

	for (int a = VPN_ALG_AES_CBC_128_SHA256; a <= VPN_ALG_AES_CBC_256_SHA512;
	     a++)
		compare(mb, (enum vpn_alg)a, test_seed() + (uint64_t)a);
}

TEST(ipsecmb_gives_every_known_answer)
{
	const struct spi_esp *mb = mb_or_skip();

	for (int a = VPN_ALG_NONE + 1; a < VPN_ALG_END; a++)
		assert_true(mb->has_alg(vpn_alg_explicit((enum vpn_alg)a)));
	assert_false(mb->has_alg(VPN_ALG_NONE));
	assert_false(mb->has_alg(VPN_ALG_END));
	assert_int_equal(spi_esp_check(mb), 0);
}

TEST(ipsecmb_is_preferred_and_openssl_can_be_forced)
{
	const struct spi_esp *mb = mb_or_skip(), *p = NULL;

	assert_int_equal(spi_esp_get(NULL, &p), 0);
	assert_ptr_equal(p, mb);
	assert_int_equal(spi_esp_get("openssl", &p), 0);
	assert_string_equal(p->head.name, "openssl");
}

TEST(unknown_algorithm_has_no_ipsecmb_context)
{
	const struct spi_esp *mb = mb_or_skip();
	struct vpn_keys keys = { 0 };
	struct spi_esp_ctx *c = NULL;

	assert_int_equal(mb->ctx_new(&c, VPN_ALG_NONE, &keys, true), ERR_ALG);
	assert_int_equal(mb->ctx_new(&c, VPN_ALG_END, &keys, true), ERR_ALG);
	assert_null(c);
	mb->ctx_free(NULL);
}

/* ESP pads and checks before; a mistake there must harm one packet only. */
TEST(cbc_refuses_odd_sizes_and_serves_the_rest)
{
	static const size_t odd[] = { 0, 15, 17, 1u << 20 };
	const struct spi_esp *mb = mb_or_skip();
	struct spi_esp_ctx *c = NULL;
	struct vpn_keys keys = { 0 };
	uint8_t *big = calloc(1, (1u << 20) + 64);
	struct batch b;

	assert_non_null(big);
	batch_init(&b, VPN_ALG_AES_CBC_256_SHA256, test_seed());
	assert_int_equal(mb->ctx_new(&c, b.alg, &keys, true), 0);
	batch_fill(&b, 8);
	for (unsigned i = 0; i < b.n; i++) {
		op_parts(&b, i, b.pkt[i].wire, IN_PLACE);
		if (i % 2 == 0)
			continue;
		b.op[i].n_part = 1;
		b.op[i].part[0] = (struct view){ big, odd[i / 2] };
		b.op[i].out = big;
		b.op[i].icv = big + (1u << 20);
	}
	assert_run(mb, c, &b, true);
	for (unsigned i = 0; i < b.n; i++)
		assert_int_equal(b.op[i].err, i % 2 == 0 ? 0 : ERR_CRYPTO);
	mb->ctx_free(c);
	free(b.pkt);
	free(big);
}

/* ---- threads ---------------------------------------------------------- */

static void
thread_body(void *ctx)
{
	uint64_t seed = *(const uint64_t *)ctx;

	compare(provider("ipsecmb"), VPN_ALG_AES_GCM_128, seed);
	compare(provider("ipsecmb"), VPN_ALG_CHACHA20_POLY1305, seed);
	compare(provider("ipsecmb"), VPN_ALG_AES_CBC_128_SHA256, seed);
}

TEST(ipsecmb_serves_several_threads)
{
	struct thr *t[N_THREAD];
	uint64_t seed[N_THREAD];

	mb_or_skip();
	/* Providers are made ready by one thread, before others have them. */
	assert_non_null(provider("openssl"));
	for (unsigned i = 0; i < N_THREAD; i++) {
		seed[i] = test_seed() + 100 + i;
		assert_int_equal(thr_start(&t[i], "t", thread_body, &seed[i]),
				 0);
	}
	for (unsigned i = 0; i < N_THREAD; i++)
		thr_join(t[i]);
}

struct moved {
	const struct spi_esp *mb;
	struct spi_esp_ctx *c;
	struct batch *b;
};

static void
seal_elsewhere(void *ctx)
{
	struct moved *m = ctx;

	m->mb->seal(m->c, m->b->op, m->b->n);
}

/* A worker seals with what the loop made, and the loop frees what a worker
 * made: the context must not hang on its thread. */
TEST(context_may_change_its_thread)
{
	struct moved m = { .mb = mb_or_skip() };
	struct vpn_keys keys = { 0 };
	struct spi_esp_ctx *open = NULL;
	struct batch b;
	struct thr *t;

	batch_init(&b, VPN_ALG_AES_CBC_128_SHA512, test_seed());
	ctx_pair(m.mb, &b, &keys, &m.c, &open);
	batch_fill(&b, 10);
	for (unsigned i = 0; i < b.n; i++)
		op_parts(&b, i, b.pkt[i].wire, APART);
	m.b = &b;
	assert_int_equal(thr_start(&t, "t", seal_elsewhere, &m), 0);
	thr_join(t);
	for (unsigned i = 0; i < b.n; i++)
		assert_int_equal(b.op[i].err, 0);
	open_some_forged(m.mb, open, &b, IN_PLACE);
	m.mb->ctx_free(m.c);
	m.mb->ctx_free(open);
	free(b.pkt);
}

/* ---- which machines --------------------------------------------------- */

#ifdef TAPIR_HAVE_IPSECMB
TEST(ipsecmb_is_left_out_on_lesser_machines)
{
	const uint64_t base = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ |
			      IMB_FEATURE_SSE4_2 | IMB_FEATURE_CMOV;

	assert_true(mb_is_usable(base));
	assert_true(mb_is_usable(base | IMB_FEATURE_AVX2));
	assert_false(mb_is_usable(0));
	assert_false(mb_is_usable(base & ~IMB_FEATURE_AESNI));
	assert_false(mb_is_usable(base & ~IMB_FEATURE_PCLMULQDQ));
	assert_false(mb_is_usable(base | IMB_FEATURE_AESNI_EMU));
}

TEST(ipsecmb_that_fails_its_own_test_is_left_out)
{
	const uint64_t base = IMB_CPUFLAGS_SSE;

	assert_false(mb_is_usable(base | IMB_FEATURE_SELF_TEST));
	assert_true(mb_is_usable(base | IMB_FEATURE_SELF_TEST |
				 IMB_FEATURE_SELF_TEST_PASS));
}
#else
TEST(ipsecmb_that_was_not_built_is_not_found)
{
	const struct spi_esp *p = NULL;

	assert_int_equal(spi_esp_get("ipsecmb", &p), ERR_NOTFOUND);
	assert_null(p);
}
#endif
