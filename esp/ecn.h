/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/ecn.h - telling a sender of congestion without losing its packet.
 *
 * Thread: pure functions over byte arrays.
 */
#ifndef TAPIR_ESP_ECN_H
#define TAPIR_ESP_ECN_H

#include "daemon/base/base.h"

/**
 * Mark an IP packet "congestion experienced" if its ends understand that.
 * RFC 3168 5.
 *
 * @param frame     len bytes, changed in place: two bits, and in IPv4 the header
 *                  checksum by what they are worth.
 * @param is_ether  it starts with an Ethernet header and up to ESP_TAGS_MAX tags.
 * @return false: it is not IP, cut off, or its ends do not.
 */
bool esp_ecn_mark(uint8_t *frame, size_t len, bool is_ether);

#endif
