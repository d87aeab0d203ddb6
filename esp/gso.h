/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/gso.h - cutting super-frames: one large TCP or UDP frame becomes the
 * segments a network card would have made of it.
 *
 *   Ethernet | tags | IPv4 or IPv6 | TCP or UDP | payload (up to 64 KiB)
 *   `------------- headers -------------------'
 *        ->   headers 0 | payload 0     headers 1 | payload 1     ...
 *
 * What changes from segment to segment: IP length and (IPv4) identification
 * and checksum; TCP sequence number, flags (FIN and PSH on the last only, CWR
 * on the first only) and checksum; UDP length and checksum.
 *
 * Thread: pure functions over byte arrays.
 */
#ifndef TAPIR_ESP_GSO_H
#define TAPIR_ESP_GSO_H

#include "daemon/base/base.h"

#define ESP_GSO_HDR_MAX 512	/* headers of a super-frame; ours */
#define ESP_TAGS_MAX	2	/* VLAN tags looked through; IEEE 802.1ad */

/* Where the headers of a TCP or UDP frame are. */
struct esp_l4 {
	uint16_t ip;		/* offset of the IP header */
	uint16_t l4;		/* offset of the TCP or UDP header */
	uint16_t data;		/* offset of the payload */
	uint8_t family;		/* 4 or 6 */
	bool is_tcp;
	uint32_t ip_len;	/* IP header and all behind, by its length field */
};

/* A super-frame and what its segments have in common. */
struct esp_gso {
	struct view frame;	/* borrowed */
	struct esp_l4 at;
	uint16_t seg_len;	/* payload of a segment */
	uint32_t n;		/* segments */
	uint32_t ip_sum, l4_sum; /* of what does not change */
};

/**
 * Find the headers of an unfragmented TCP or UDP frame.
 *
 * @param is_ether  frame starts with an Ethernet header, else with IP.
 * @return 0, ERR_SHORT (cut off), or ERR_UNSUP (something else: other
 * protocols, fragments, IPv6 routing headers).
 */
MUST_USE int esp_l4_find(struct view frame, bool is_ether, struct esp_l4 *out);

/** Plan the segments of a super-frame (borrowed until the last one is cut).
 * Length fields and checksums of frame are not looked at.
 * 0, ERR_SHORT, ERR_UNSUP or ERR_RANGE (no payload, segments of 0 bytes). */
MUST_USE int esp_gso_plan(struct view frame, bool is_ether, uint16_t seg_len,
			  struct esp_gso *out);
/** Bytes of segment i < g->n, headers included. */
size_t esp_gso_len(const struct esp_gso *g, uint32_t i);
/** Write segment i: esp_gso_len() bytes. */
void esp_gso_put(const struct esp_gso *g, uint32_t i, uint8_t *out);

/**
 * Take the first segment off a super-frame in place: what is left begins seg_len
 * bytes further, with the headers of the second one.
 *
 * @param frame  len bytes; only they are touched.
 * @return 0, ERR_SHORT, ERR_UNSUP, or ERR_RANGE (there is no second segment); then
 * nothing was changed.
 */
MUST_USE int esp_gso_behead(uint8_t *frame, size_t len, bool is_ether,
			    uint16_t seg_len);

/** Complete a partial checksum (virtio 5.1.6.2): the field at start + off holds
 * the sum of the pseudo header.  0 or ERR_RANGE (outside of the frame). */
MUST_USE int esp_csum_complete(uint8_t *frame, size_t len, size_t start,
			       size_t off);

#endif
