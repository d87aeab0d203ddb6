/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/vpn.h - the nouns that siblings share, as plain structs.
 *
 * Numbers here are ours: they never appear on the wire (ikev2/wire maps them).
 */
#ifndef TAPIR_BASE_VPN_H
#define TAPIR_BASE_VPN_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"

enum vpn_mode { VPN_MODE_AUTO, VPN_MODE_ETHER, VPN_MODE_IP, VPN_MODE_GRE };
enum vpn_encap { VPN_ENCAP_AUTO, VPN_ENCAP_UDP, VPN_ENCAP_ESP };
enum vpn_suite { VPN_SUITE_2026, VPN_SUITE_COMPAT };

/* Which of a suite's ciphers goes first for packets; the others stay possible. */
enum vpn_prefer { VPN_PREFER_AES256, VPN_PREFER_AES128, VPN_PREFER_CHACHA20 };

/* How an SA protects packets: cipher and integrity as one choice, so that
 * encryption without integrity cannot be said (requirement K17). */
enum vpn_alg {
	VPN_ALG_NONE,
	VPN_ALG_AES_GCM_128,		/* RFC 4106, 16-byte ICV; salt 4 */
	VPN_ALG_AES_GCM_256,
	VPN_ALG_CHACHA20_POLY1305,	/* RFC 7634; salt 4 */
	VPN_ALG_AES_CBC_128_SHA256,	/* RFC 3602 with RFC 4868 */
	VPN_ALG_AES_CBC_128_SHA384,
	VPN_ALG_AES_CBC_128_SHA512,
	VPN_ALG_AES_CBC_256_SHA256,
	VPN_ALG_AES_CBC_256_SHA384,
	VPN_ALG_AES_CBC_256_SHA512,
	VPN_ALG_AES_GCM_128_IIV,	/* RFC 8750: the IV is the number */
	VPN_ALG_AES_GCM_256_IIV,
	VPN_ALG_CHACHA20_POLY1305_IIV,
	VPN_ALG_END
};

/** What an algorithm needs; lengths in bytes. */
struct vpn_alg_info {
	const char *name;	/* "aes256-gcm", "aes256-cbc-sha256", ... */
	uint8_t encr_key_len;	/* without salt */
	uint8_t salt_len;
	uint8_t integ_key_len;	/* 0 for AEAD */
	uint8_t iv_len;		/* on the wire; 0 = implicit */
	uint8_t icv_len;
	uint8_t block_len;	/* padding granularity: 1 (AEAD) or 16; ESP pads to >= 4 */
};
/** Facts of an algorithm; NULL for VPN_ALG_NONE and out of range. */
const struct vpn_alg_info *vpn_alg_info(enum vpn_alg alg);
/** The same with its IV on the wire: cipher, keys and nonces are equal (RFC 8750
 * section 4), and only this one is known to the providers of spi/spi_esp.h.
 * Others are given back as they are. */
enum vpn_alg vpn_alg_explicit(enum vpn_alg alg);

const char *vpn_mode_name(enum vpn_mode m);	/* auto ether ip gre */
/** True when IP packets travel, not frames. */
static inline bool
vpn_mode_is_ip(enum vpn_mode m)
{
	return m == VPN_MODE_IP || m == VPN_MODE_GRE;
}
const char *vpn_encap_name(enum vpn_encap e);	/* auto udp esp */
const char *vpn_suite_name(enum vpn_suite s);	/* 2026 compat */

/* A traffic selector: RFC 7296 3.13.1, host order. */
struct vpn_ts {
	struct ip_addr lo, hi;	/* same family, lo <= hi */
	uint8_t proto;		/* 0 = any */
	uint16_t port_lo, port_hi; /* 0..65535 = any; OPAQUE is 65535..0 */
};
#define VPN_TS_MAX	16	/* selectors of one side of a child SA; ours */
#define VPN_TS_TEXT_MAX 160
/** "10.1.0.0/16", "10.1.0.1-10.1.0.9", with "[udp/5000]" when narrowed. */
const char *vpn_ts_text(const struct vpn_ts *ts, char *out);
/** The selector of a prefix, any protocol and port. */
struct vpn_ts vpn_ts_from_net(const struct ip_net *net);
/** True when b lies inside a. */
bool vpn_ts_covers(const struct vpn_ts *a, const struct vpn_ts *b);

#define VPN_KEY_MAX 132 /* 32 cipher + 4 salt, or 32 + 64; rounded up */

/* Where the outer packets of an SA travel. */
struct vpn_path {
	struct net_ep local;	/* our address; family 0 = let the kernel choose */
	uint32_t ifindex;	/* its interface, where several lead out of here;
				 * 0 = as routes say */
	struct net_ep remote;
	enum vpn_encap encap;	/* UDP or ESP; never AUTO */
	uint32_t mtu;		/* bytes of the largest IP packet, 0 = not known */
};

/* One direction of keys.  The owner wipes it after use. */
struct vpn_keys {
	uint8_t encr[36];	/* cipher key, then salt */
	uint8_t integ[64];
};

/* A pair of ESP SAs as the IKE engine hands them over (RFC 4301 4.4.2.1).
 * Borrowed during the call; the receiver copies what it keeps. */
struct vpn_child {
	uint32_t id;		/* unique in this process, never reused */
	uint32_t realm;		/* index of the realm in the configuration */
	uint32_t peer;		/* handle of the connected peer (hub port) */
	uint32_t esp_spi_in;	/* ours */
	uint32_t esp_spi_out;	/* theirs */
	enum vpn_alg alg;
	bool is_esn;
	bool is_initiator;	/* of the IKE exchange that made it */
	bool is_heir;		/* it replaces another */
	bool is_strict;		/* deliver in the order of numbers */
	enum vpn_mode mode;	/* never AUTO */
	struct vpn_path path;
	const struct vpn_keys *keys_in;
	const struct vpn_keys *keys_out;
	/* GRE: those of protocol 47 between two hosts; what may travel in it
	 * is for the receiver to say. */
	unsigned n_ts_local, n_ts_remote;
	struct vpn_ts ts_local[VPN_TS_MAX];
	struct vpn_ts ts_remote[VPN_TS_MAX];
	uint32_t soft_s, hard_s; /* life in seconds; 0 = none */
	/* in inner bytes and in packets, of each direction; 0 = none */
	uint64_t soft_bytes, hard_bytes, soft_packets, hard_packets;
	/* Several pairs with the same selectors (RFC 9611) share a bundle, and
	 * flows are spread over its lanes.  A pair that replaces another has
	 * both from it. */
	uint32_t bundle;	/* 0 = alone */
	uint32_t lane;		/* in the bundle */
};

#endif
