/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/frame.h - headers the hub reads and the few packets it writes.
 *
 * Decoders are pure: bytes to struct, through cursors; every length is checked.
 *
 * Thread: none shared.  No allocation.
 */
#ifndef TAPIR_VHUB_FRAME_H
#define TAPIR_VHUB_FRAME_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"
#include "daemon/base/cur.h"

#define ETH_HEAD	14
#define ETH_TAG		4
#define ETH_TAGS_MAX	2	/* IEEE 802.1ad: one S-tag, one C-tag */
#define ETHER_IPV4	0x0800
#define ETHER_ARP	0x0806
#define ETHER_VLAN	0x8100	/* IEEE 802.1Q */
#define ETHER_QINQ	0x88a8	/* IEEE 802.1ad */
#define ETHER_IPV6	0x86dd
#define ETHER_PROBE	0x88b5	/* IEEE 802, local experimental 1: ours */
#define ARP_FRAME	(ETH_HEAD + 28)
#define ND_FRAME	(ETH_HEAD + 40 + 32) /* NS or NA with one address option */

enum arp_op { ARP_REQUEST = 1, ARP_REPLY = 2 };
enum nd_type { ND_SOLICIT = 135, ND_ADVERT = 136 };

struct eth {
	struct mac dst, src;
	uint16_t type;		/* behind the tags */
	unsigned n_tag;
	uint16_t vlan;		/* of the outer tag; 0 = none, or priority only */
	uint32_t tag;		/* the outer tag itself; 0 = none */
	struct view data;	/* behind the header */
};
/* Where an answer goes: to whom, in which VLAN. */
struct eth_to {
	struct mac dst;
	uint32_t tag;
};
struct arp {
	uint16_t op;
	struct mac sender_mac, target_mac;
	struct ip_addr sender_ip, target_ip;
};
struct ip_head {
	struct ip_addr src, dst;
	uint8_t proto;
	uint8_t hops;		/* TTL, hop limit */
	bool is_fragment;
	size_t head_len;
	size_t total_len;	/* header and payload, without padding behind */
};
struct nd {
	uint8_t type;
	bool is_solicited;	/* S of an advertisement */
	bool is_override;	/* O, to encode only */
	struct ip_addr src, dst, target;
	bool has_mac;		/* source (NS) or target (NA) address option */
	struct mac mac;
};

/** Ethernet II header with up to two tags.  0, ERR_SHORT, or ERR_LIMIT (more
 * tags; everything but type and data is set). */
MUST_USE int eth_dec(struct view frame, struct eth *out);
/** RFC 826 for Ethernet and IPv4.  0, ERR_SHORT, ERR_UNSUP (other addresses). */
MUST_USE int arp_dec(struct view v, struct arp *out);
/** IPv4 or IPv6 header (RFC 791, RFC 8200).  Padding behind the packet is
 * permitted.  0, ERR_SHORT, ERR_SYNTAX, ERR_VERSION. */
MUST_USE int ip_dec(struct view v, struct ip_head *out);
/** Neighbour solicitation or advertisement in an IPv6 packet, with all checks
 * of RFC 4861 7.1.1 and 7.1.2.  0, ERR_UNSUP (something else), or ERR_SHORT /
 * ERR_SYNTAX / ERR_ICV (one that must be ignored). */
MUST_USE int nd_dec(struct view v, struct nd *out);

/** Internet checksum (RFC 1071); 0 when n bytes carry their right one. */
uint16_t ip_sum(const uint8_t *p, size_t n);
/** The same of ICMPv6 with its pseudo header (RFC 4443 2.3). */
uint16_t ip_sum_icmpv6(const struct ip_addr *src, const struct ip_addr *dst,
		       const uint8_t *p, size_t n);
void eth_enc(struct wcur *w, const struct mac *dst, const struct mac *src,
	     uint16_t type);
/** The same with a tag (struct eth), if it is not 0: 4 bytes more. */
void eth_enc_tag(struct wcur *w, const struct eth_to *to, const struct mac *src,
		 uint16_t type);
/** A whole ARP frame (ARP_FRAME bytes, and those of a tag). */
void arp_enc(struct wcur *w, const struct eth_to *to, const struct arp *a);
/** A whole NS or NA frame (ND_FRAME bytes, and those of a tag) from n->mac. */
void nd_enc(struct wcur *w, const struct eth_to *to, const struct nd *n);

/** Group address of an IP multicast address (RFC 1112 6.4, RFC 2464 7). */
struct mac mac_of_multicast(const struct ip_addr *ip);
bool ip_is_multicast(const struct ip_addr *ip);
bool ip_is_broadcast(const struct ip_addr *ip);	/* 255.255.255.255 */
/** ff02::1:ffXX:XXXX of an address (RFC 4291 2.7.1). */
struct ip_addr ip_solicited_node(const struct ip_addr *ip);
extern const struct mac mac_broadcast;

#endif
