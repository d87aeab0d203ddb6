/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/spi/t_esp_kat.c - ESP providers: known answers, refusal of liars.
 */
#include "test/lib/test.h"
#include <string.h>
#include "daemon/base/err.h"
#include "spi/spi_esp.h"

static const struct spi_esp *
good(void)
{
	const struct spi_esp *p = NULL;

	assert_int_equal(spi_esp_get("openssl", &p), 0);
	return p;
}

TEST(openssl_gives_every_known_answer)
{
	const struct spi_esp *p = good();

	for (int a = VPN_ALG_NONE + 1; a < VPN_ALG_END; a++)
		assert_true(p->has_alg(vpn_alg_explicit((enum vpn_alg)a)));
	assert_int_equal(spi_esp_check(p), 0);
}

TEST(best_provider_is_first_of_the_list_that_runs_here)
{
	const struct spi_esp *p = NULL;
	unsigned i = 0;

	while (spi_esp_at(i) != NULL && spi_esp_at(i)->init() == ERR_UNSUP)
		i++;
	assert_int_equal(spi_esp_get(NULL, &p), 0);
	assert_ptr_equal(p, spi_esp_at(i));
}

TEST(unknown_provider_is_not_found)
{
	const struct spi_esp *p = NULL;

	assert_int_equal(spi_esp_get("abacus", &p), ERR_NOTFOUND);
	assert_null(p);
}

TEST(unknown_algorithm_has_no_context)
{
	const struct spi_esp *p = good();
	struct vpn_keys keys = { 0 };
	struct spi_esp_ctx *c = NULL;

	assert_int_equal(p->ctx_new(&c, VPN_ALG_NONE, &keys, true), ERR_ALG);
	assert_int_equal(p->ctx_new(&c, VPN_ALG_END, &keys, true), ERR_ALG);
	assert_null(c);
}

/* ---- providers that are wrong in one way each ------------------------- */

static struct spi_esp liar;

static unsigned
seal_bad_icv(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n)
{
	unsigned done = good()->seal(c, ops, n);

	ops[0].icv[0] ^= 1;
	return done;
}

static unsigned
seal_bad_text(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n)
{
	unsigned done = good()->seal(c, ops, n);

	ops[0].out[0] ^= 1;
	return done;
}

static unsigned
open_believes_all(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n)
{
	unsigned done = good()->open(c, ops, n);

	ops[0].err = 0;
	return done;
}

static bool
no_gcm(enum vpn_alg alg)
{
	return alg != VPN_ALG_AES_GCM_256 && good()->has_alg(alg);
}

TEST(provider_that_seals_wrong_is_refused)
{
	liar = *good();
	liar.seal = seal_bad_icv;
	assert_int_equal(spi_esp_check(&liar), ERR_CRYPTO);
	liar.seal = seal_bad_text;
	assert_int_equal(spi_esp_check(&liar), ERR_CRYPTO);
}

TEST(provider_that_accepts_forgeries_is_refused)
{
	liar = *good();
	liar.open = open_believes_all;
	assert_int_equal(spi_esp_check(&liar), ERR_CRYPTO);
}

static unsigned
open_blames_all(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n)
{
	unsigned done = good()->open(c, ops, n);
	int worst = 0;

	for (unsigned i = 0; i < n; i++)
		worst = MIN(worst, ops[i].err);
	for (unsigned i = 0; i < n; i++)
		ops[i].err = worst;
	return done;
}

static unsigned
seal_forgets_the_last(struct spi_esp_ctx *c, struct spi_esp_op *ops,
		      unsigned n)
{
	good()->seal(c, ops, n > 1 ? n - 1 : n);
	return n;
}

TEST(provider_that_is_wrong_in_batches_only_is_refused)
{
	liar = *good();
	liar.open = open_blames_all;
	assert_int_equal(spi_esp_check(&liar), ERR_CRYPTO);
	liar = *good();
	liar.seal = seal_forgets_the_last;
	assert_int_equal(spi_esp_check(&liar), ERR_CRYPTO);
}

TEST(provider_without_gcm_or_of_another_version_is_refused)
{
	liar = *good();
	liar.has_alg = no_gcm;
	assert_int_equal(spi_esp_check(&liar), ERR_CRYPTO);
	liar = *good();
	liar.head.version++;
	assert_int_equal(spi_esp_check(&liar), ERR_CRYPTO);
}

/* ---- what takes the place of the one that is refused ------------------ */

static int
init_unsup(void)
{
	return ERR_UNSUP;
}

TEST(provider_of_another_machine_is_passed_over)
{
	const struct spi_esp *list[] = { &liar, good(), NULL };
	const struct spi_esp *p = NULL;

	liar = *good();
	liar.head.name = "elsewhere";
	liar.init = init_unsup;
	assert_int_equal(spi_esp_pick(list, NULL, &p), 0);
	assert_ptr_equal(p, good());
	p = NULL;
	assert_int_equal(spi_esp_pick(list, "elsewhere", &p), ERR_UNSUP);
	assert_null(p);
}

TEST(provider_that_fails_its_check_is_passed_over)
{
	const struct spi_esp *list[] = { &liar, good(), NULL };
	const struct spi_esp *p = NULL;

	liar = *good();
	liar.head.name = "liar";
	liar.seal = seal_bad_icv;
	assert_int_equal(spi_esp_pick(list, NULL, &p), 0);
	assert_ptr_equal(p, good());
	p = NULL;
	assert_int_equal(spi_esp_pick(list, "liar", &p), ERR_CRYPTO);
	assert_null(p);
}

/* ---- a provider that completes later ---------------------------------- */

static struct spi_esp_op *held;
static unsigned n_held;
static bool is_held_seal;

static unsigned
seal_later(struct spi_esp_ctx *c UNUSED, struct spi_esp_op *ops, unsigned n)
{
	held = ops;
	n_held = n;
	is_held_seal = true;
	return 0;
}
static unsigned
open_later(struct spi_esp_ctx *c UNUSED, struct spi_esp_op *ops, unsigned n)
{
	held = ops;
	n_held = n;
	is_held_seal = false;
	return 0;
}
/* The last one first. */
static unsigned
poll_later(struct spi_esp_ctx *c)
{
	n_held--;
	return is_held_seal ? good()->seal(c, held + n_held, 1) :
			      good()->open(c, held + n_held, 1);
}

TEST(provider_may_complete_later)
{
	liar = *good();
	liar.seal = seal_later;
	liar.open = open_later;
	liar.poll = poll_later;
	assert_int_equal(spi_esp_check(&liar), 0);
}
