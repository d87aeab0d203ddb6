/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/eap.c - the frame of EAP messages (RFC 3748 section 4), and the methods
 * that are built in.
 *
 *    0                   1                   2                   3
 *   +---------------+---------------+-------------------------------+
 *   |     Code      |  Identifier   |            Length             |
 *   +---------------+---------------+-------------------------------+
 *   |     Type      |  Type data ...      (Request and Response only)
 *   +---------------+------------------
 *
 * Thread: any; nothing is kept.
 */
#include <string.h>
#include "daemon/base/err.h"
#include "spi/spi_eap.h"

#define HEADER 4

extern const struct spi_eap spi_eap_mschapv2;
extern const struct spi_eap spi_eap_tls;
extern const struct spi_eap spi_eap_ttls;
extern const struct spi_eap spi_eap_peap;

static const struct spi_eap *const method[] = {
	&spi_eap_tls,
	&spi_eap_ttls,
	&spi_eap_peap,
	&spi_eap_mschapv2,
};

int
spi_eap_dec(struct view in, struct spi_eap_msg *out)
{
	struct spi_eap_msg m = { 0 };
	uint16_t len;
	struct cur c;
	int err;

	if (in.len > SPI_EAP_IN_MAX)
		return ERR_LONG;
	cur_init(&c, in.p, in.len);
	if ((err = cur_u8(&c, &m.code)) != 0 ||
	    (err = cur_u8(&c, &m.id)) != 0 || (err = cur_u16(&c, &len)) != 0)
		return err;
	/* 4.1: bytes behind Length are padding of the link below; IKE has
	 * none, so they are somebody's mistake or trick. */
	if (len > in.len)
		return ERR_SHORT;
	if (len < in.len)
		return ERR_TRAIL;
	if (m.code == SPI_EAP_REQUEST || m.code == SPI_EAP_RESPONSE) {
		if ((err = cur_u8(&c, &m.type)) != 0)
			return err;
		if (m.type == 0)
			return ERR_SYNTAX;
		cur_rest(&c, &m.data);
	} else if ((m.code != SPI_EAP_SUCCESS && m.code != SPI_EAP_FAILURE) ||
		   cur_end(&c) != 0) {
		return ERR_SYNTAX;
	}
	*out = m;
	return 0;
}

void
spi_eap_enc(struct wcur *w, const struct spi_eap_msg *m)
{
	size_t start = w->len;

	wcur_u8(w, m->code);
	wcur_u8(w, m->id);
	wcur_u16(w, HEADER);
	if (m->code != SPI_EAP_REQUEST && m->code != SPI_EAP_RESPONSE)
		return;
	wcur_u8(w, m->type);
	wcur_view(w, m->data);
	if (w->err == 0)
		wcur_put16(w, start + 2, (uint16_t)(w->len - start));
}

const struct spi_eap *
spi_eap_find(uint8_t type)
{
	for (size_t i = 0; i < N_OF(method); i++) {
		if (method[i]->type == type)
			return method[i];
	}
	return NULL;
}

const struct spi_eap *
spi_eap_named(const char *name)
{
	for (size_t i = 0; i < N_OF(method); i++) {
		if (strcmp(method[i]->head.name, name) == 0)
			return method[i];
	}
	return NULL;
}
