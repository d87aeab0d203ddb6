/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_ike_cfg.c - a Configuration payload as values.
 *
 * What a CFG_REPLY hands over is, written and read again, the same; and nothing
 * in it can mean something to a resolver's configuration.
 */
#include <stdlib.h>
#include <string.h>

#include "ikev2/wire/cfg.h"

#define ARENA_BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool is)
{
	if (!is)
		abort();
}

static void
turn(struct arena *a, const struct vpn_cfg *cfg)
{
	static const struct ike_cfg_req all = {
		.has_ip4 = true, .has_ip6 = true, .has_mask = true,
		.has_dns4 = true, .has_dns6 = true, .has_subnet4 = true,
		.has_subnet6 = true, .has_domain = true, .has_enc4 = true,
		.has_enc6 = true
	};
	struct vpn_cfg again;
	struct ike_cp cp;

	must(ike_cfg_write(a, &all, cfg, &cp) == 0);
	ike_cfg_read(&cp, &again);
	must(vpn_cfg_equal(cfg, &again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_cfg_req req;
	struct vpn_cfg cfg;
	struct ike_cp cp;
	struct arena a;
	struct cur c;

	arena_init(&a, ARENA_BYTES);
	cur_init(&c, data, size);
	if (dec_cp(&a, &c, &cp) == 0) {
		ike_cfg_req_read(&cp, &req);
		ike_cfg_read(&cp, &cfg);
		must(cfg.n_dns <= VPN_CFG_DNS_MAX &&
		     cfg.n_subnet <= VPN_CFG_SUBNET_MAX &&
		     cfg.n_domain <= VPN_CFG_DOMAIN_MAX &&
		     cfg.n_enc <= VPN_CFG_ENC_MAX);
		for (unsigned i = 0; i < cfg.n_domain; i++)
			must(strpbrk(cfg.domain[i], " \n\t\"'\\/;#") == NULL);
		/* networks go with an address of their family */
		if (cfg.ip4.addr.family == 0)
			cfg.ip4 = (struct ip_net){ { 4, { 10, 0, 0, 1 } }, 32 };
		if (cfg.ip6.addr.family == 0)
			cfg.ip6 = (struct ip_net){ { 6, { 0xfd } }, 128 };
		turn(&a, &cfg);
	}
	arena_fini(&a);
	return 0;
}
