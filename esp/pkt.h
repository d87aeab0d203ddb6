/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/pkt.h - the ESP packet (RFC 4303 section 2).
 *
 *   +-----------------+-----------------+
 *   | SPI             | sequence number |  ESP_HDR_LEN
 *   +-----------------+-----------------+
 *   | IV                                |  iv_len
 *   +-----------------------------------+  -- text: what is enciphered
 *   | payload, TFC padding              |
 *   | 1 2 3 ... | pad length | next hdr |
 *   +-----------------------------------+  --
 *   | ICV                               |  icv_len
 *   +-----------------------------------+
 *
 * Thread: pure functions.
 */
#ifndef TAPIR_ESP_PKT_H
#define TAPIR_ESP_PKT_H

#include "daemon/base/base.h"
#include "daemon/base/vpn.h"
#include "spi/spi_esp.h"

#define ESP_HDR_LEN	8	/* SPI and sequence number */
#define ESP_IIV_LEN	8	/* an IV that is not sent, RFC 8750 4 */
#define ESP_TRAIL_LEN	2	/* pad length and next header */
#define ESP_TRAIL_MAX	(15 + ESP_TRAIL_LEN) /* blocks of 16 at most */
#define ESP_SPI_MIN	256	/* RFC 4303 2.1: 1 to 255 are reserved */
#define ESP_SEQ32_MAX	UINT64_C(0xffffffff)

#define ESP_NEXT_IPV4	 4
#define ESP_NEXT_IPV6	 41
#define ESP_NEXT_DUMMY	 59	/* RFC 4303 2.6 */
#define ESP_NEXT_GRE	 47	/* RFC 2784 */
#define ESP_NEXT_ETHERIP 97	/* RFC 3378 */

/* A received packet; the views point into it. */
struct esp_pkt {
	uint32_t esp_spi;
	uint32_t seq_lo;
	struct view iv;
	struct view text;
	struct view icv;
};

/** The SPI alone.  0, or ERR_SHORT for less than a header. */
MUST_USE int esp_pkt_spi(struct view pkt, uint32_t *esp_spi);
/** Cut a packet by the lengths of its algorithm.  0 or ERR_SHORT; a text that
 * is no multiple of the cipher's block is ERR_SYNTAX. */
MUST_USE int esp_pkt_decode(struct view pkt, const struct vpn_alg_info *alg,
			    struct esp_pkt *out);

/** Length of the trailer (padding included) behind len bytes of payload. */
size_t esp_trail_len(const struct vpn_alg_info *alg, size_t len);
/** The longest payload of a packet of at most pkt_len bytes; 0: there is none. */
size_t esp_payload_max(const struct vpn_alg_info *alg, size_t pkt_len);
/** Write a trailer of n bytes (ESP_TRAIL_LEN <= n <= ESP_TRAIL_MAX). */
void esp_trail_put(uint8_t *p, size_t n, uint8_t next);
/** Check the trailer of a deciphered text.
 * @param len  payload without trailer.  @return 0 or ERR_PAD. */
MUST_USE int esp_trail_get(struct view text, size_t *len, uint8_t *next);

/** The IV that both ends know (RFC 8750 section 4): the number, 64 bits; without
 * ESN its high half is 0. */
void esp_pkt_iiv(uint64_t seq, uint8_t iv[ESP_IIV_LEN]);

/** What is authenticated beside the text: fills aad and tail of op.
 * RFC 4106 section 5, RFC 7634 section 2.1, RFC 4303 section 2.2.1. */
void esp_pkt_aad(struct spi_esp_op *op, const struct vpn_alg_info *alg,
		 bool is_esn, uint32_t esp_spi, uint64_t seq);

#endif
