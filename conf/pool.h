/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/pool.h - words of <pool>: networks, addresses, names, resolvers.
 *
 * Not for other folders.
 */
#ifndef TAPIR_CONF_POOL_H
#define TAPIR_CONF_POOL_H

#include "conf/check.h"

/** A word of a list of this kind (K_NETS, K_IPS, K_NAMES, K_RESOLVERS, K_SERVERS): NULL, or
 * what is allowed.  For a route the network may be all there is. */
const char *conf_pool_word(const struct conf_row *row, const char *word);
/** The <pool> of a realm, with its leases, if it has one; errors are added. */
void conf_pool_take(struct checker *k, const struct conf_node *realm,
		    struct conf_realm *r);
/**
 * "tls://NAME[:PORT]@ADDRESS", also quic:// and https://NAME[:PORT]/PATH@...;
 * further addresses of the same family behind '+'.
 *
 * @param out written on success, but for prio.
 * @return 0 or ERR_SYNTAX.
 */
MUST_USE int conf_resolver_parse(const char *text, struct vpn_enc_dns *out);

#endif
