/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/vpn_cfg.h - what a gateway hands to a client: addresses, name
 * servers, networks.
 *
 * Plain structs that the IKE engine, core and the secure process share.  Whoever
 * fills one has checked it: addresses are unicast, prefixes have no host bits
 * but those of ip4 and ip6, names have letters, digits, '-', '_' and dots only.
 */
#ifndef TAPIR_BASE_VPN_CFG_H
#define TAPIR_BASE_VPN_CFG_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"

/* Bounds; all ours.  Together they fit into one Configuration payload. */
#define VPN_CFG_DNS_MAX	   8
#define VPN_CFG_SUBNET_MAX 16
#define VPN_CFG_DOMAIN_MAX 16
#define VPN_CFG_ENC_MAX	   4	/* encrypted resolvers */
#define VPN_CFG_ENC_IP_MAX 4	/* addresses of one */
#define VPN_NAME_MAX	   254	/* a domain name with NUL, RFC 1035 2.3.4 */
#define VPN_DOH_PATH_MAX   128	/* with NUL */

/* An encrypted resolver, RFC 9464 3.1. */
struct vpn_enc_dns {
	uint16_t prio;			/* 1..; the lowest is asked first */
	unsigned n_ip;			/* at least 1, of one family */
	struct ip_addr ip[VPN_CFG_ENC_IP_MAX];
	char name[VPN_NAME_MAX];	/* its certificate has it */
	uint16_t port;			/* 0 = that of the protocol */
	bool has_dot, has_doq, has_doh;	/* TLS, QUIC, HTTPS; none said: TLS */
	char doh_path[VPN_DOH_PATH_MAX]; /* "/dns-query{?dns}", or empty */
};

struct vpn_cfg {
	struct ip_net ip4, ip6;		/* the client's; family 0 = none */
	unsigned n_dns;
	struct ip_addr dns[VPN_CFG_DNS_MAX];
	unsigned n_subnet;		/* reached through the tunnel */
	struct ip_net subnet[VPN_CFG_SUBNET_MAX];
	unsigned n_domain;		/* 0 = dns is for all names */
	char domain[VPN_CFG_DOMAIN_MAX][VPN_NAME_MAX];
	unsigned n_enc;			/* in the order of prio */
	struct vpn_enc_dns enc[VPN_CFG_ENC_MAX];
};

/**
 * A domain name in presentation format (A-labels): a last dot is left out.
 *
 * @param text len bytes, not terminated; anything.
 * @param out  VPN_NAME_MAX bytes; written on success.
 * @return 0 or ERR_SYNTAX.  RFC 1035 2.3.4, RFC 8598 4.1.
 */
MUST_USE int vpn_name_read(const void *text, size_t len, char *out);

/** Both are the same, field by field. */
bool vpn_cfg_equal(const struct vpn_cfg *a, const struct vpn_cfg *b);

#endif
