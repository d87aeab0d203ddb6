/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pl_delete.c - Delete payload, RFC 7296 section 3.11.
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * | Protocol ID   |   SPI Size    |          Num of SPIs          |
 * +---------------+---------------+-------------------------------+
 * ~               Security Parameter Index(es) (SPI)              ~
 * +---------------------------------------------------------------+
 *
 * The IKE SA: size 0, number 0.  AH and ESP: size 4, one or more.
 * Pure.
 */
#include "ikev2/wire/wire.h"

#define CHILD_SPI_LEN 4

static int
check_sizes(uint8_t proto, uint8_t spi_len, uint16_t n_spi)
{
	switch (proto) {
	case IKE_PROTO_IKE:
		return spi_len == 0 && n_spi == 0 ? 0 : ERR_SYNTAX;
	case IKE_PROTO_AH:
	case IKE_PROTO_ESP:
		if (spi_len != CHILD_SPI_LEN || n_spi == 0)
			return ERR_SYNTAX;
		return n_spi <= IKE_MAX_DELETE_SPIS ? 0 : ERR_LIMIT;
	default:
		return ERR_RANGE;
	}
}

int
dec_delete(struct cur *c, struct ike_del *out)
{
	struct ike_del d;
	uint16_t n_spi;
	uint8_t spi_len;
	int err;

	if ((err = cur_u8(c, &d.proto)) != 0 ||
	    (err = cur_u8(c, &spi_len)) != 0 ||
	    (err = cur_u16(c, &n_spi)) != 0 ||
	    (err = check_sizes(d.proto, spi_len, n_spi)) != 0 ||
	    (err = cur_view(c, (size_t)spi_len * n_spi, &d.spis)) != 0 ||
	    (err = cur_end(c)) != 0)
		return err;
	d.n_spi = n_spi;
	*out = d;
	return 0;
}

void
enc_delete(struct wcur *w, const struct ike_del *d)
{
	if (d->n_spi > IKE_MAX_DELETE_SPIS ||
	    d->spis.len != (size_t)d->n_spi * CHILD_SPI_LEN) {
		w->err = ERR_LONG;
		return;
	}
	wcur_u8(w, d->proto);
	wcur_u8(w, d->n_spi > 0 ? CHILD_SPI_LEN : 0);
	wcur_u16(w, (uint16_t)d->n_spi);
	wcur_view(w, d->spis);
}

uint32_t
ike_del_spi(const struct ike_del *d, unsigned i)
{
	struct cur c;
	uint32_t esp_spi;

	cur_init(&c, d->spis.p, d->spis.len);
	if (i >= d->n_spi || cur_skip(&c, (size_t)i * CHILD_SPI_LEN) != 0 ||
	    cur_u32(&c, &esp_spi) != 0)
		return 0;
	return esp_spi;
}
