/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/eap-tls/frag.c - TLS messages in pieces, RFC 5216 2.1.5 and 3.1.
 *
 *   +---------------+-------------------------------+--------- ...
 *   |L M S R R R R R|  TLS message length (with L)  |  TLS data
 *   +---------------+-------------------------------+--------- ...
 *
 * A piece with M is answered with an empty message, which asks for the next.
 * Memory follows what came, not what was announced.
 *
 * Thread: that of the conversation.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "spi/eap-tls/eap_tls.h"

static int
append(struct eap_frag *f, struct view v)
{
	size_t cap = f->in_cap;
	uint8_t *p;

	if (v.len > EAP_TLS_MAX - f->in_len)
		return ERR_LONG;
	if (f->in_len + v.len > cap) {
		cap = MIN((f->in_len + v.len) * 2, (size_t)EAP_TLS_MAX);
		if ((p = realloc(f->in, cap)) == NULL)
			return ERR_NOMEM;
		f->in = p;
		f->in_cap = cap;
	}
	if (v.len > 0)
		memcpy(f->in + f->in_len, v.p, v.len);
	f->in_len += v.len;
	return 0;
}

/* The announced length has to be kept to. */
static int
length_take(struct eap_frag *f, struct cur *c)
{
	uint32_t said;
	int err;

	if ((err = cur_u32(c, &said)) != 0)
		return err;
	if (said > EAP_TLS_MAX)
		return ERR_LONG;
	if (f->in_len > 0 && said != f->in_said)
		return ERR_SYNTAX;
	f->in_said = said;
	return 0;
}

enum eap_piece
eap_frag_take(struct eap_frag *f, struct view data, uint8_t *flags)
{
	struct view rest;
	struct cur c;

	cur_init(&c, data.p, data.len);
	if (cur_u8(&c, flags) != 0)
		return EAP_PIECE_BAD;
	if (eap_frag_is_sending(f))
		return *flags == 0 && cur_end(&c) == 0 ? EAP_PIECE_ACK :
		    EAP_PIECE_BAD;
	if ((*flags & EAP_TLS_F_LENGTH) != 0 && length_take(f, &c) != 0)
		return EAP_PIECE_BAD;
	cur_rest(&c, &rest);
	if (append(f, rest) != 0 ||
	    (f->in_said != 0 && f->in_len > f->in_said))
		return EAP_PIECE_BAD;
	if ((*flags & EAP_TLS_F_MORE) != 0)
		return rest.len > 0 ? EAP_PIECE_MORE : EAP_PIECE_BAD;
	return f->in_said == 0 || f->in_len == f->in_said ?
	    EAP_PIECE_WHOLE : EAP_PIECE_BAD;
}

void
eap_frag_taken(struct eap_frag *f)
{
	f->in_len = 0;
	f->in_said = 0;
}

int
eap_frag_give(struct eap_frag *f, const uint8_t *p, size_t len)
{
	uint8_t *copy;

	if (len > EAP_TLS_MAX)
		return ERR_LONG;
	if ((copy = malloc(len > 0 ? len : 1)) == NULL)
		return ERR_NOMEM;
	if (len > 0)
		memcpy(copy, p, len);
	free(f->out);
	f->out = copy;
	f->out_len = len;
	f->out_at = 0;
	return 0;
}

bool
eap_frag_is_sending(const struct eap_frag *f)
{
	return f->out_at < f->out_len;
}

void
eap_frag_put(struct eap_frag *f, struct wcur *out, size_t room)
{
	size_t left = f->out_len - f->out_at;
	bool is_first = f->out_at == 0;
	bool is_split = left + 1 > room;	/* with the byte of flags */
	size_t head = is_split && is_first ? 5 : 1;
	size_t n = MIN(left, room - head);

	wcur_u8(out, (uint8_t)((head == 5 ? EAP_TLS_F_LENGTH : 0) |
			       (is_split ? EAP_TLS_F_MORE : 0)));
	if (head == 5)
		wcur_u32(out, (uint32_t)f->out_len);
	if (n > 0)
		wcur_bytes(out, f->out + f->out_at, n);
	f->out_at += n;
}

void
eap_frag_fini(struct eap_frag *f)
{
	free(f->in);
	free(f->out);
	memset(f, 0, sizeof(*f));
}
