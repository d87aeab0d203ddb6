/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/radius/wire.c - questions to the RADIUS child and its answers.
 *
 * Thread: any.
 */
#include "secure-proc/radius/wire.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

static int
get_bytes(struct cur *c, uint8_t *out, size_t cap, size_t *len)
{
	struct view v;
	int err;

	if ((err = cur_block(c, &v)) != 0)
		return err;
	if (v.len > cap)
		return ERR_LONG;
	if (v.len > 0)
		memcpy(out, v.p, v.len);
	*len = v.len;
	return 0;
}

/* It becomes the name of somebody who got in. */
static int
get_user(struct cur *c, char out[SPI_EAP_USER_MAX + 1])
{
	size_t len;
	int err;

	if ((err = get_bytes(c, (uint8_t *)out, SPI_EAP_USER_MAX, &len)) != 0)
		return err;
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)out[i] < 0x20 || out[i] == 0x7f)
			return ERR_SYNTAX;
	out[len] = '\0';
	return 0;
}

int
sec_radius_query_enc(const struct sec_radius_query *q, uint8_t *out, size_t cap,
		     size_t *len)
{
	struct wcur w;

	wcur_init(&w, out, cap);
	wcur_u64(&w, q->number);
	wcur_u32(&w, q->realm);
	wcur_u32(&w, q->server);
	wcur_block(&w, q->ask.user);
	wcur_block(&w, q->ask.nas);
	wcur_block(&w, q->ask.from);
	wcur_block(&w, q->ask.state);
	wcur_block(&w, q->ask.eap);
	*len = w.len;
	return w.err != 0 ? ERR_LONG : 0;
}

int
sec_radius_query_dec(struct view in, struct sec_radius_query *q)
{
	struct cur c;
	int err;

	memset(q, 0, sizeof(*q));
	cur_init(&c, in.p, in.len);
	if ((err = cur_u64(&c, &q->number)) != 0 ||
	    (err = cur_u32(&c, &q->realm)) != 0 ||
	    (err = cur_u32(&c, &q->server)) != 0 ||
	    (err = cur_block(&c, &q->ask.user)) != 0 ||
	    (err = cur_block(&c, &q->ask.nas)) != 0 ||
	    (err = cur_block(&c, &q->ask.from)) != 0 ||
	    (err = cur_block(&c, &q->ask.state)) != 0 ||
	    (err = cur_block(&c, &q->ask.eap)) != 0)
		return err;
	return cur_end(&c);
}

int
sec_radius_reply_enc(const struct sec_radius_reply *a, uint8_t *out, size_t cap,
		     size_t *len)
{
	const struct spi_radius_answer *r = &a->answer;
	struct wcur w;

	wcur_init(&w, out, cap);
	wcur_u64(&w, a->number);
	wcur_u32(&w, (uint32_t)a->err);
	wcur_u32(&w, a->server);
	wcur_u8(&w, (uint8_t)r->code);
	wcur_u8(&w, r->has_msk);
	wcur_u32(&w, r->timeout_s);
	wcur_bytes(&w, r->msk, sizeof(r->msk));
	wcur_block(&w, (struct view){ r->eap, r->eap_len });
	wcur_block(&w, (struct view){ r->state, r->state_len });
	wcur_block(&w, (struct view){ (const uint8_t *)r->user, strlen(r->user) });
	*len = w.len;
	return w.err != 0 ? ERR_LONG : 0;
}

/* Do its parts go together? */
static int
reply_check(const struct sec_radius_reply *a)
{
	const struct spi_radius_answer *r = &a->answer;

	if (a->err > 0 || a->err <= -(int32_t)ERR_IDX_END)
		return ERR_RANGE;
	if (a->number == 0 || a->err != 0)
		return r->code == 0 && !r->has_msk ? 0 : ERR_SYNTAX;
	if (r->code != SPI_RADIUS_ACCEPT && r->code != SPI_RADIUS_REJECT &&
	    r->code != SPI_RADIUS_CHALLENGE)
		return ERR_SYNTAX;
	return r->has_msk && r->code != SPI_RADIUS_ACCEPT ? ERR_SYNTAX : 0;
}

static int
reply_read(struct cur *c, struct sec_radius_reply *a)
{
	struct spi_radius_answer *r = &a->answer;
	uint8_t code, has_msk;
	uint32_t is;
	int err;

	if ((err = cur_u64(c, &a->number)) != 0 ||
	    (err = cur_u32(c, &is)) != 0 ||
	    (err = cur_u32(c, &a->server)) != 0 ||
	    (err = cur_u8(c, &code)) != 0 ||
	    (err = cur_u8(c, &has_msk)) != 0 ||
	    (err = cur_u32(c, &r->timeout_s)) != 0 ||
	    (err = cur_copy(c, r->msk, sizeof(r->msk))) != 0 ||
	    (err = get_bytes(c, r->eap, sizeof(r->eap), &r->eap_len)) != 0 ||
	    (err = get_bytes(c, r->state, sizeof(r->state),
	    &r->state_len)) != 0 ||
	    (err = get_user(c, r->user)) != 0)
		return err;
	a->err = (int32_t)is;
	r->code = (enum spi_radius_code)code;
	r->has_msk = has_msk != 0;
	if ((err = cur_end(c)) != 0)
		return err;
	return reply_check(a);
}

int
sec_radius_reply_dec(struct view in, struct sec_radius_reply *a)
{
	struct cur c;
	int err;

	memset(a, 0, sizeof(*a));
	cur_init(&c, in.p, in.len);
	if ((err = reply_read(&c, a)) != 0)
		wipe(a, sizeof(*a));
	return err;
}
