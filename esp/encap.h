/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/encap.h - what travels inside of ESP: interface and the three kinds.
 *
 * Thread: pure functions.
 */
#ifndef TAPIR_ESP_ENCAP_H
#define TAPIR_ESP_ENCAP_H

#include "daemon/base/base.h"
#include "daemon/base/drop.h"
#include "daemon/base/vpn.h"
#include "esp/sel.h"

#define ESP_WRAP_MAX	 4	/* bytes an encapsulation puts in front */
#define ESP_ETHERIP_LEN	 2
#define ESP_GRE_LEN	 4	/* without a checksum */
#define ESP_ETHER_HDR	 14	/* shortest frame that is one */

struct esp_wrap {
	uint8_t hdr[ESP_WRAP_MAX];
	uint8_t hdr_len;
	uint8_t next;		/* next header of the ESP trailer */
	uint32_t len;		/* of the inner packet without link padding */
};

struct esp_encap {
	const char *name;
	bool has_sel;		/* selectors look into the inner packet */
	/** Header for an inner packet on its way out; f is what selectors
	 * look at, if they do.
	 * 0, or ERR_SYNTAX when it is not what it should be. */
	int (*wrap)(struct view inner, struct esp_wrap *w, struct esp_flow *f);
	/** Inner packet of a payload that came in (trailer cut off, dummies
	 * sorted out): a view into text.
	 * 0 or ERR_SYNTAX; then *why is the drop reason. */
	int (*unwrap)(struct view text, uint8_t next, struct view *inner,
		      struct esp_flow *f, enum drop *why);
};

extern const struct esp_encap esp_encap_etherip; /* RFC 3378 */
extern const struct esp_encap esp_encap_ip;	 /* RFC 4303 tunnel mode */
extern const struct esp_encap esp_encap_gre;	 /* RFC 2784 */

/** Encapsulation of a mode; NULL for AUTO. */
const struct esp_encap *esp_encap_of(enum vpn_mode mode);

#endif
