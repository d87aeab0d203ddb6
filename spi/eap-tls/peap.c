/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/eap-tls/peap.c - what is in the tunnel of PEAP version 0: EAP messages
 * without their header, and Results with theirs ([MS-PEAP] 2.2.6, 2.2.8).
 *
 *   +---------------+------------------ ...
 *   |     Type      |  Type data
 *   +---------------+------------------ ...
 *
 *   Result: an EAP message of type 33 with TLVs
 *   +---+---------------------------+-------------------------------+-----
 *   |M R|         TLV type          |            Length             | ..
 *   +---+---------------------------+-------------------------------+-----
 *
 * Thread: any; nothing is kept.
 */
#include "spi/eap-tls/eap_tls.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "spi/spi_eap.h"

#define HEADER	    4		/* code, identifier, length */
#define TLV_MUST    0x8000u
#define TLV_TYPE    0x3fffu
#define TLV_RESULT  3u
#define TLV_BINDING 12u		/* may be left unanswered, 3.2.5.6 */
#define GOOD	    1u
#define BAD	    2u

void
eap_peap_put(struct wcur *w, struct view eap)
{
	struct spi_eap_msg m;

	if (spi_eap_dec(eap, &m) == 0 && m.type != SPI_EAP_TLV) {
		eap.p += HEADER;
		eap.len -= HEADER;
	}
	wcur_view(w, eap);
}

/* Only what may have a header is looked at for one: another message could begin
 * with the same bytes. */
static bool
is_whole(struct view in, struct spi_eap_msg *m)
{
	return spi_eap_dec(in, m) == 0 && m->code == SPI_EAP_REQUEST &&
	    (m->type == SPI_EAP_TLV || m->type == SPI_EAP_IDENTITY);
}

int
eap_peap_take(struct view in, uint8_t id, struct spi_eap_msg *m)
{
	struct cur c;
	int err;

	if (is_whole(in, m))
		return 0;
	*m = (struct spi_eap_msg){ .code = SPI_EAP_REQUEST, .id = id };
	cur_init(&c, in.p, in.len);
	if ((err = cur_u8(&c, &m->type)) != 0)
		return err;
	cur_rest(&c, &m->data);
	return m->type != 0 && m->type != SPI_EAP_TLV ? 0 : ERR_SYNTAX;
}

int
eap_peap_result(struct view data, bool *is_good)
{
	uint16_t type, len, value = 0;
	struct view v;
	struct cur c;

	cur_init(&c, data.p, data.len);
	while (cur_left(&c) > 0) {
		if (cur_u16(&c, &type) != 0 || cur_u16(&c, &len) != 0 ||
		    cur_view(&c, len, &v) != 0)
			return ERR_SHORT;
		if ((type & TLV_TYPE) == TLV_RESULT) {
			if (value != 0 || v.len != 2)
				return ERR_SYNTAX;
			value = be16_get(v.p);
		} else if ((type & TLV_MUST) != 0 &&
			   (type & TLV_TYPE) != TLV_BINDING) {
			return ERR_UNSUP;
		}
	}
	if (value != GOOD && value != BAD)
		return ERR_SYNTAX;
	*is_good = value == GOOD;
	return 0;
}

void
eap_peap_result_put(struct wcur *w, bool is_good)
{
	wcur_u16(w, TLV_MUST | TLV_RESULT);
	wcur_u16(w, 2);
	wcur_u16(w, is_good ? GOOD : BAD);
}
