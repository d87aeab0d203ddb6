/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/esp-ipsecmb/gcm.c - AES-GCM of one packet by the library's direct calls.
 *
 * One call seals or opens a packet in one piece, in place or apart: then
 * sealing is the only copy.  In several parts it needs a call for each, and
 * every call of the library writes one variable that all threads share (1.3;
 * mended in 1.4).  So a packet of common size is put together in out first,
 * which costs less than these calls; a big one goes through them.
 *
 * Thread: the worker that owns the context.  No lock, no allocation.
 */
#include "spi/esp-ipsecmb/mb.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

#define GATHER_MAX 2048	/* put together up to here; measured */

struct gcm_calls {
	aes_gcm_pre_t pre;
	aes_gcm_init_t init;
	/* by is_seal */
	aes_gcm_enc_dec_t one[2];
	aes_gcm_enc_dec_update_t update[2];
	aes_gcm_enc_dec_finalize_t final[2];
};

/* By "is a 256-bit key"; owner: the loop at start-up, immutable later. */
static struct gcm_calls calls[2];

void
mb_gcm_init(const IMB_MGR *m)
{
	calls[0] = (struct gcm_calls){
		m->gcm128_pre, m->gcm128_init,
		{ m->gcm128_dec, m->gcm128_enc },
		{ m->gcm128_dec_update, m->gcm128_enc_update },
		{ m->gcm128_dec_finalize, m->gcm128_enc_finalize },
	};
	calls[1] = (struct gcm_calls){
		m->gcm256_pre, m->gcm256_init,
		{ m->gcm256_dec, m->gcm256_enc },
		{ m->gcm256_dec_update, m->gcm256_enc_update },
		{ m->gcm256_dec_finalize, m->gcm256_enc_finalize },
	};
}

void
mb_gcm_key(struct spi_esp_ctx *c, const uint8_t *key)
{
	const struct gcm_calls *f = &calls[c->alg->key_len == 32];

	f->pre(key, &c->key.gcm);
	c->gcm_one = f->one[c->is_seal];
	c->gcm_init = f->init;
	c->gcm_update = f->update[c->is_seal];
	c->gcm_final = f->final[c->is_seal];
}

static void
parts(struct spi_esp_ctx *c, const struct spi_esp_op *op, const uint8_t *nonce,
      uint8_t *tag)
{
	uint8_t *out = op->out;

	c->gcm_init(&c->key.gcm, &c->gcm_run, nonce, op->aad, op->aad_len);
	for (unsigned i = 0; i < op->n_part; i++) {
		const struct view *v = &op->part[i];

		if (v->len == 0)
			continue;
		c->gcm_update(&c->key.gcm, &c->gcm_run, out, v->p, v->len);
		out += v->len;
	}
	c->gcm_final(&c->key.gcm, &c->gcm_run, tag, MB_TAG_LEN);
}

static int
packet(struct spi_esp_ctx *c, struct spi_esp_op *op)
{
	uint8_t nonce[MB_NONCE_LEN], full[MB_TAG_LEN];
	uint8_t *tag = c->is_seal ? op->icv : full;

	memcpy(nonce, c->salt, MB_SALT_LEN);
	memcpy(nonce + MB_SALT_LEN, op->iv, MB_NONCE_LEN - MB_SALT_LEN);
	if (op->n_part != 1 && mb_op_len(op) > GATHER_MAX) {
		parts(c, op, nonce, tag);
	} else {
		struct view in = mb_op_whole(op);

		c->gcm_one(&c->key.gcm, &c->gcm_run, op->out, in.p, in.len,
			   nonce, op->aad, op->aad_len, tag, MB_TAG_LEN);
	}
	if (!c->is_seal && !ct_equal(full, op->icv, MB_TAG_LEN))
		return ERR_ICV;
	return 0;
}

void
mb_gcm_run(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		ops[i].err = packet(c, &ops[i]);
		ops[i].is_done = true;
	}
}
