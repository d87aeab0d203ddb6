/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/pkt.c - header, trailer and padding of ESP (RFC 4303 section 2).
 */
#include "esp/pkt.h"
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"

#define ALIGN_MIN 4 /* RFC 4303 2.4: the trailer ends on a 4-byte boundary */

int
esp_pkt_spi(struct view pkt, uint32_t *esp_spi)
{
	if (pkt.len < ESP_HDR_LEN)
		return ERR_SHORT;
	*esp_spi = be32_get(pkt.p);
	return 0;
}

int
esp_pkt_decode(struct view pkt, const struct vpn_alg_info *alg,
	       struct esp_pkt *out)
{
	struct cur c;
	size_t n;
	int err;

	cur_init(&c, pkt.p, pkt.len);
	if ((err = cur_u32(&c, &out->esp_spi)) != 0 ||
	    (err = cur_u32(&c, &out->seq_lo)) != 0 ||
	    (err = cur_view(&c, alg->iv_len, &out->iv)) != 0)
		return err;
	n = cur_left(&c);
	if (n < (size_t)alg->icv_len + ESP_TRAIL_LEN)
		return ERR_SHORT;
	if ((err = cur_view(&c, n - alg->icv_len, &out->text)) != 0 ||
	    (err = cur_view(&c, alg->icv_len, &out->icv)) != 0)
		return err;
	return out->text.len % alg->block_len == 0 ? 0 : ERR_SYNTAX;
}

size_t
esp_trail_len(const struct vpn_alg_info *alg, size_t len)
{
	size_t align = MAX(alg->block_len, ALIGN_MIN);

	return ESP_TRAIL_LEN + (align - (len + ESP_TRAIL_LEN) % align) % align;
}

size_t
esp_payload_max(const struct vpn_alg_info *alg, size_t pkt_len)
{
	size_t align = MAX(alg->block_len, ALIGN_MIN);
	size_t front = ESP_HDR_LEN + alg->iv_len + alg->icv_len;

	if (pkt_len < front + align)
		return 0;
	return (pkt_len - front) / align * align - ESP_TRAIL_LEN;
}

void
esp_trail_put(uint8_t *p, size_t n, uint8_t next)
{
	size_t pad = n - ESP_TRAIL_LEN;

	for (size_t i = 0; i < pad; i++)
		p[i] = (uint8_t)(i + 1);
	p[pad] = (uint8_t)pad;
	p[pad + 1] = next;
}

int
esp_trail_get(struct view text, size_t *len, uint8_t *next)
{
	struct cur c;
	size_t n;
	uint8_t pad, v;

	if (text.len < ESP_TRAIL_LEN)
		return ERR_PAD;
	pad = text.p[text.len - ESP_TRAIL_LEN];
	if ((size_t)pad + ESP_TRAIL_LEN > text.len)
		return ERR_PAD;
	n = text.len - ESP_TRAIL_LEN - pad;
	cur_init(&c, text.p, text.len);
	if (cur_skip(&c, n) != 0)
		return ERR_PAD;
	/* The ICV was checked, so no oracle hides in an early exit. */
	for (unsigned i = 1; i <= pad; i++)
		if (cur_u8(&c, &v) != 0 || v != i)
			return ERR_PAD;
	if (cur_u8(&c, &v) != 0 || cur_u8(&c, &v) != 0)
		return ERR_PAD;
	*len = n;
	*next = v;
	return 0;
}

void
esp_pkt_iiv(uint64_t seq, uint8_t iv[ESP_IIV_LEN])
{
	be64_put(iv, seq);
}

void
esp_pkt_aad(struct spi_esp_op *op, const struct vpn_alg_info *alg, bool is_esn,
	    uint32_t esp_spi, uint64_t seq)
{
	bool is_aead = alg->integ_key_len == 0;

	be32_put(op->aad, esp_spi);
	op->tail_len = 0;
	if (is_aead && is_esn) {
		be64_put(op->aad + 4, seq);
		op->aad_len = 12;
		return;
	}
	be32_put(op->aad + 4, (uint32_t)seq);
	op->aad_len = ESP_HDR_LEN;
	if (is_esn) {
		be32_put(op->tail, (uint32_t)(seq >> 32));
		op->tail_len = 4;
	}
}
