/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/vpn_names.h - name servers as one line of text, by which processes
 * hand them on:
 *
 *   dns=10.20.0.53 domain=example.com tls=10.20.0.53,853,dns.example.com
 *
 * Thread: any.
 */
#ifndef TAPIR_BASE_VPN_NAMES_H
#define TAPIR_BASE_VPN_NAMES_H

#include "daemon/base/vpn_cfg.h"

#define VPN_NAMES_TEXT 8192	/* all that a struct vpn_cfg holds, with NUL */

/**
 * Name servers, domains and resolvers by TLS of cfg; nothing else of it.
 *
 * @param cap VPN_NAMES_TEXT is enough.
 * @return out; empty when there is none.
 */
const char *vpn_names_write(const struct vpn_cfg *cfg, char *out, size_t cap);
/**
 * The other way; every word is checked.
 *
 * @param out written whole on success: addresses and networks are none.
 * @return 0, ERR_SYNTAX, ERR_LIMIT.
 */
MUST_USE int vpn_names_read(const char *text, struct vpn_cfg *out);

#endif
