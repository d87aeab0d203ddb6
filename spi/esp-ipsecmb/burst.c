/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/esp-ipsecmb/burst.c - what needs several packets to be fast.
 *
 * AES-CBC encryption and HMAC cannot run side by side inside one packet; the
 * library runs them side by side across packets.  Each thread has a manager of
 * its own.  It is drained before a call returns: no packet waits for company.
 *
 *   ChaCha20-Poly1305: in one piece; parts are put together in out first,
 *                      the library's own way with parts costs twice as much
 *   AES-CBC + HMAC:    the library hashes one contiguous text, and the tail of
 *                      an extended number is not on the wire, so the packet is
 *                      laid out in the thread's arena:
 *                      aad | iv | text | tail
 *
 * Thread: any; the context belongs to the caller.  Memory is taken when a
 * thread meets its first context and given back when the thread ends.
 */
#include "spi/esp-ipsecmb/mb.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

#define JOBS_MAX    64		/* packets of one burst; ours */
#define ARENA_BYTES (256u << 10) /* their texts; stays in the L2 cache */
#define HASH_MAX    64
#define FEW_MAX	    8		/* up to here SHA instructions win; measured */

struct mb_thread {
	IMB_MGR *mgr;
	/* Sixteen packets abreast are slow when there are few, and one is
	 * three times as slow as with the CPU's SHA-256 instructions; this
	 * manager uses them.  NULL when there is nothing to win. */
	IMB_MGR *few;
	IMB_MGR *use;			/* one of both; of the call at hand */
	unsigned n;			/* jobs filled */
	size_t used;			/* bytes of the arena */
	IMB_JOB *job[JOBS_MAX];
	uint8_t nonce[JOBS_MAX][MB_BLOCK_LEN];
	uint8_t tag[JOBS_MAX][HASH_MAX];
	uint8_t arena[ARENA_BYTES] __attribute__((aligned(MB_ALIGN)));
};

static pthread_key_t at_exit;	/* owner: the loop at start-up */
static bool is_at_exit;
static _Thread_local struct mb_thread *mine;

static void
thread_free(void *p)
{
	struct mb_thread *t = p;

	if (t->mgr != NULL)
		free_mb_mgr(t->mgr);
	if (t->few != NULL)
		free_mb_mgr(t->few);
	wipe(t, sizeof(*t));
	free(t);
	mine = NULL;
}

int
mb_burst_init(void)
{
	if (is_at_exit)
		return 0;
	if (pthread_key_create(&at_exit, thread_free) != 0)
		return ERR_NOMEM;
	is_at_exit = true;
	return 0;
}

/* Both managers; without the second everything works as well. */
static int
managers(struct mb_thread *t)
{
	IMB_ARCH arch = IMB_ARCH_NONE;

	if ((t->mgr = alloc_mb_mgr(0)) == NULL)
		return ERR_NOMEM;
	init_mb_mgr_auto(t->mgr, &arch);
	if (!mb_is_usable(t->mgr->features))
		return ERR_CRYPTO;
	if (arch != IMB_ARCH_AVX512 ||
	    (t->mgr->features & IMB_FEATURE_SHANI) == 0 ||
	    (t->few = alloc_mb_mgr(0)) == NULL)
		return 0;
	init_mb_mgr_sse(t->few);
	return mb_is_usable(t->few->features) ? 0 : ERR_CRYPTO;
}

int
mb_burst_ready(void)
{
	struct mb_thread *t;
	int err;

	if (mine != NULL)
		return 0;
	if ((t = aligned_alloc(MB_ALIGN, sizeof(*t))) == NULL)
		return ERR_NOMEM;
	t->mgr = t->few = NULL;
	t->n = 0;
	t->used = 0;
	if ((err = managers(t)) == 0 && pthread_setspecific(at_exit, t) != 0)
		err = ERR_NOMEM;
	if (err != 0) {
		thread_free(t);
		return err;
	}
	mine = t;
	return 0;
}

/* ---- keys ------------------------------------------------------------- */

/* The hash's state after one block of the key, RFC 2104. */
static void
half_key(const IMB_MGR *m, IMB_HASH_ALG hash, const uint8_t *key, size_t len,
	 uint8_t pad, uint8_t *state)
{
	uint8_t block[128];

	memset(block, pad, sizeof(block));
	for (size_t i = 0; i < len; i++)
		block[i] ^= key[i];
	if (hash == IMB_AUTH_HMAC_SHA_256)
		m->sha256_one_block(block, state);
	else if (hash == IMB_AUTH_HMAC_SHA_384)
		m->sha384_one_block(block, state);
	else
		m->sha512_one_block(block, state);
	wipe(block, sizeof(block));
}

int
mb_cbc_key(struct spi_esp_ctx *c, const uint8_t *encr, const uint8_t *integ,
	   size_t integ_len)
{
	struct mb_cbc_key *k = &c->key.cbc;
	int err;

	if ((err = mb_burst_ready()) != 0)
		return err;
	if (c->alg->key_len == 16)
		mine->mgr->keyexp_128(encr, k->enc, k->dec);
	else
		mine->mgr->keyexp_256(encr, k->enc, k->dec);
	half_key(mine->mgr, c->alg->hash, integ, integ_len, 0x36, k->ipad);
	half_key(mine->mgr, c->alg->hash, integ, integ_len, 0x5c, k->opad);
	return 0;
}

/* ---- jobs ------------------------------------------------------------- */

/* What both kinds say alike; slot numbers this job's scratch memory. */
static void
job_common(struct mb_thread *t, const struct spi_esp_ctx *c,
	   struct spi_esp_op *op, IMB_JOB *j, unsigned slot)
{
	j->cipher_direction = c->is_seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
	j->chain_order = c->is_seal ? IMB_ORDER_CIPHER_HASH :
				      IMB_ORDER_HASH_CIPHER;
	j->key_len_in_bytes = c->alg->key_len;
	j->auth_tag_output = c->is_seal ? op->icv : t->tag[slot];
	j->auth_tag_output_len_in_bytes = c->icv_len;
	j->cipher_start_src_offset_in_bytes = 0;
	j->hash_start_src_offset_in_bytes = 0;
	j->user_data = op;
	j->user_data2 = NULL;
}

static void
job_chacha(struct mb_thread *t, const struct spi_esp_ctx *c,
	   struct spi_esp_op *op, IMB_JOB *j, unsigned slot)
{
	struct view in = mb_op_whole(op);
	uint8_t *nonce = t->nonce[slot];

	memcpy(nonce, c->salt, MB_SALT_LEN);
	memcpy(nonce + MB_SALT_LEN, op->iv, MB_NONCE_LEN - MB_SALT_LEN);
	j->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	j->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	j->enc_keys = j->dec_keys = c->key.chacha;
	j->iv = nonce;
	j->iv_len_in_bytes = MB_NONCE_LEN;
	j->src = in.p;
	j->dst = op->out;
	j->msg_len_to_cipher_in_bytes = in.len;
	j->msg_len_to_hash_in_bytes = in.len;
	j->u.CHACHA20_POLY1305.aad = op->aad;
	j->u.CHACHA20_POLY1305.aad_len_in_bytes = op->aad_len;
}

/* Bytes a packet takes in the arena. */
static size_t
cbc_need(const struct spi_esp_op *op)
{
	size_t n = SPI_ESP_AAD_MAX + MB_BLOCK_LEN + mb_op_len(op) +
		   SPI_ESP_TAIL_MAX;

	return (n + MB_ALIGN - 1) / MB_ALIGN * MB_ALIGN;
}

static uint8_t *
put(uint8_t *to, const void *from, size_t len)
{
	memcpy(to, from, len);
	return to + len;
}

static void
job_cbc(struct mb_thread *t, const struct spi_esp_ctx *c,
	struct spi_esp_op *op, IMB_JOB *j)
{
	uint8_t *start = t->arena + t->used, *p = start, *text;

	p = put(p, op->aad, op->aad_len);
	p = text = put(p, op->iv, MB_BLOCK_LEN);
	for (unsigned i = 0; i < op->n_part; i++)
		p = put(p, op->part[i].p, op->part[i].len);
	j->msg_len_to_cipher_in_bytes = (size_t)(p - text);
	p = put(p, op->tail, op->tail_len);
	t->used += cbc_need(op);

	j->cipher_mode = IMB_CIPHER_CBC;
	j->hash_alg = c->alg->hash;
	j->enc_keys = c->key.cbc.enc;
	j->dec_keys = c->key.cbc.dec;
	j->iv = op->iv;
	j->iv_len_in_bytes = MB_BLOCK_LEN;
	j->src = start;
	j->cipher_start_src_offset_in_bytes = (size_t)(text - start);
	j->dst = c->is_seal ? text : op->out;
	j->msg_len_to_hash_in_bytes = (size_t)(p - start);
	j->u.HMAC._hashed_auth_key_xor_ipad = c->key.cbc.ipad;
	j->u.HMAC._hashed_auth_key_xor_opad = c->key.cbc.opad;
	j->user_data2 = c->is_seal ? text : NULL;
}

/* ---- bursts ----------------------------------------------------------- */

static void
settle(const struct spi_esp_ctx *c, IMB_JOB *const *job, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const IMB_JOB *j = job[i];
		struct spi_esp_op *op = j->user_data;

		if (j->status != IMB_STATUS_COMPLETED)
			continue;
		if (j->user_data2 != NULL)
			memcpy(op->out, j->user_data2,
			       j->msg_len_to_cipher_in_bytes);
		op->err = c->is_seal || ct_equal(j->auth_tag_output, op->icv,
						 c->icv_len) ? 0 : ERR_ICV;
	}
}

/* All jobs that are filled, to the end.  What the library refuses keeps its
 * ERR_CRYPTO. */
static void
drain(struct mb_thread *t, const struct spi_esp_ctx *c)
{
	unsigned left = t->n, n;

	if (left == 0)
		return;
	n = IMB_SUBMIT_BURST(t->use, left, t->job);
	settle(c, t->job, n);
	for (left -= n; left > 0; left -= n) {
		if ((n = IMB_FLUSH_BURST(t->use, left, t->job)) == 0)
			break;
		settle(c, t->job, n);
	}
	t->n = 0;
	t->used = 0;
}

static bool
fits(const struct spi_esp_ctx *c, const struct spi_esp_op *op)
{
	size_t len;

	if (op->n_part > SPI_ESP_PARTS)
		return false;
	if (c->alg->kind != MB_CBC)
		return true;
	len = mb_op_len(op);
	return len > 0 && len % MB_BLOCK_LEN == 0 &&
	       cbc_need(op) <= ARENA_BYTES;
}

/* Take up to n packets as one burst; @return how many. */
static unsigned
burst(struct mb_thread *t, struct spi_esp_ctx *c, struct spi_esp_op *ops,
      unsigned n)
{
	unsigned i, max = n < JOBS_MAX ? n : JOBS_MAX;

	max = IMB_GET_NEXT_BURST(t->use, max, t->job);
	for (i = 0; i < n && t->n < max; i++) {
		IMB_JOB *j = t->job[t->n];

		if (!fits(c, &ops[i]))
			continue;
		if (c->alg->kind == MB_CBC &&
		    t->used + cbc_need(&ops[i]) > ARENA_BYTES)
			break;
		job_common(t, c, &ops[i], j, t->n);
		if (c->alg->kind == MB_CBC)
			job_cbc(t, c, &ops[i], j);
		else
			job_chacha(t, c, &ops[i], j, t->n);
#if IMB_VERSION_NUM >= IMB_VERSION(1, 4, 0)
		imb_set_session(t->use, j);
#endif
		t->n++;
	}
	drain(t, c);
	return max > 0 ? i : n;
}

void
mb_burst_run(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		ops[i].err = ERR_CRYPTO;
	if (LIKELY(mb_burst_ready() == 0)) {
		bool is_few = c->alg->hash == IMB_AUTH_HMAC_SHA_256 &&
			      n <= FEW_MAX && mine->few != NULL;

		mine->use = is_few ? mine->few : mine->mgr;
		for (i = 0; i < n;)
			i += burst(mine, c, &ops[i], n - i);
	}
	for (i = 0; i < n; i++)
		ops[i].is_done = true;
}
