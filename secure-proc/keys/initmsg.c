/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/initmsg.c - header and payload framing of IKE_SA_INIT.
 *
 *   +---------------------------------------------------------------+
 *   |                       IKE SA Initiator's SPI                  |
 *   |                       IKE SA Responder's SPI                  |
 *   +---------------+-------+-------+---------------+---------------+
 *   |  Next Payload | MjVer | MnVer | Exchange Type |     Flags     |
 *   +---------------+-------+-------+---------------+---------------+
 *   |                          Message ID = 0                       |
 *   |                            Length                             |
 *   +---------------------------------------------------------------+
 *
 * Thread: any.
 */
#include "secure-proc/keys/initmsg.h"
#include "daemon/base/cur.h"

#define EXCHANGE_INIT	34
#define EXCHANGE_RESUME	38
#define MAJOR_VERSION	2
#define FLAG_INITIATOR	0x08
#define FLAG_RESPONSE	0x20
#define PL_NONE		0
#define PL_SA		33
#define PL_KE		34
#define PL_NONCE	40
#define PL_SK		46
#define PAYLOADS_MAX	64	/* as in the engine; ours */

static int
header_read(struct cur *c, size_t msg_len, bool is_request,
	    struct sec_init *out, uint8_t *next)
{
	uint8_t version, exchange, flags;
	uint32_t id, len;
	int err;

	if ((err = cur_u64(c, &out->ispi)) != 0 ||
	    (err = cur_u64(c, &out->rspi)) != 0 ||
	    (err = cur_u8(c, next)) != 0 ||
	    (err = cur_u8(c, &version)) != 0 ||
	    (err = cur_u8(c, &exchange)) != 0 ||
	    (err = cur_u8(c, &flags)) != 0 ||
	    (err = cur_u32(c, &id)) != 0 ||
	    (err = cur_u32(c, &len)) != 0)
		return err;
	if (version >> 4 != MAJOR_VERSION)
		return ERR_VERSION;
	if (len != msg_len)
		return len > msg_len ? ERR_SHORT : ERR_TRAIL;
	if ((exchange != EXCHANGE_INIT && exchange != EXCHANGE_RESUME) ||
	    id != 0 || out->ispi == 0)
		return ERR_SYNTAX;
	out->is_resume = exchange == EXCHANGE_RESUME;
	if (is_request != ((flags & FLAG_INITIATOR) != 0) ||
	    is_request != ((flags & FLAG_RESPONSE) == 0) ||
	    is_request != (out->rspi == 0))
		return ERR_SYNTAX;
	return 0;
}

/* Generic payload header, RFC 7296 3.2. */
static int
payload_next(struct cur *c, uint8_t *next, struct view *body)
{
	uint16_t len;
	int err;

	if ((err = cur_u8(c, next)) != 0 || (err = cur_skip(c, 1)) != 0 ||
	    (err = cur_u16(c, &len)) != 0)
		return err;
	return len < 4 ? ERR_SHORT : cur_view(c, len - 4u, body);
}

int
sec_init_read(struct view msg, bool is_request, struct sec_init *out)
{
	unsigned n_sa = 0, n_ke = 0, n_nonce = 0;
	struct sec_init in = { 0 };
	struct view body;
	uint8_t type, next;
	struct cur c;
	int err;

	cur_init(&c, msg.p, msg.len);
	if ((err = header_read(&c, msg.len, is_request, &in, &type)) != 0)
		return err;
	for (unsigned n = 0; type != PL_NONE; n++, type = next) {
		if (n == PAYLOADS_MAX)
			return ERR_LONG;
		if ((err = payload_next(&c, &next, &body)) != 0)
			return err;
		if (type == PL_SK)
			return ERR_GRAMMAR;
		n_sa += type == PL_SA;
		n_ke += type == PL_KE;
		if (type == PL_NONCE) {
			n_nonce++;
			in.nonce = body;
		}
	}
	if ((err = cur_end(&c)) != 0)
		return err;
	if (n_sa != !in.is_resume || n_ke != !in.is_resume || n_nonce != 1)
		return ERR_GRAMMAR;
	if (in.nonce.len < SEC_NONCE_MIN || in.nonce.len > SEC_NONCE_MAX)
		return ERR_SYNTAX;
	*out = in;
	return 0;
}
