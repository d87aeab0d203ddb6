/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_pool.c - addresses for clients, with the file they are kept in.
 */
#include "daemon/core/pool.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/core/lease.h"
#include "ikev2/wire/cfg.h"
#include "test/lib/test.h"

static const struct ike_cfg_req both = { .has_ip4 = true, .has_ip6 = true };
static struct conf_errs errs;

static struct conf *
conf(const char *pool)
{
	char text[512];
	struct conf *c = NULL;

	snprintf(text, sizeof(text), "<vpn><realm name='sales' "
		 "address='10.0.0.1/29'><me id='gw' psk='k'/>"
		 "<peer id='*@x'/>%s</realm></vpn>", pool);
	assert_int_equal(conf_parse(text, strlen(text), "t", NULL, &c, &errs),
			 0);
	return c;
}

/* A file without a name. */
static int
temp(void)
{
	char path[] = "/tmp/tapir-pool-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

static struct pools *
pools(int fd, const struct conf *c)
{
	struct pools *p;

	assert_int_equal(pools_new(&p, fd), 0);
	assert_int_equal(pools_realm(p, &c->realm[0]), 0);
	return p;
}

static struct ip_addr
take(struct pools *p, const struct conf *c, const char *who)
{
	struct vpn_cfg cfg = { 0 };
	char why[160];

	assert_int_equal(pools_take(p, &c->realm[0], who, &both, &cfg, why,
				    sizeof(why)), 0);
	return cfg.ip4.addr;
}

TEST(a_client_gets_addresses_and_what_goes_with_them)
{
	struct conf *c = conf("<pool net='10.0.0.0/29 fd00::/64' "
			      "dns='10.0.0.2' route='10.0.0.0/8'/>");
	struct pools *p = pools(-1, c);
	struct vpn_cfg cfg = { 0 };
	char why[160];

	assert_int_equal(pools_take(p, &c->realm[0], "a@x", &both, &cfg, why,
				    sizeof(why)), 0);
	assert_int_equal(cfg.ip4.bits, 29);
	assert_int_equal(cfg.ip6.bits, 64);
	assert_int_equal(cfg.n_dns, 1);
	assert_int_equal(cfg.n_subnet, 1);
	pools_free(p);
	conf_free(c);
}

/* Of eight addresses four are left: not the ends, ours, the name server's. */
TEST(a_pool_that_is_used_up_says_so)
{
	struct conf *c = conf("<pool net='10.0.0.0/29' dns='10.0.0.2'/>");
	struct pools *p = pools(-1, c);
	struct vpn_cfg cfg = { 0 };
	char who[16], why[160] = "";

	for (unsigned i = 0; i < 4; i++) {
		snprintf(who, sizeof(who), "u%u@x", i);
		assert_true(take(p, c, who).b[3] > 2);
	}
	assert_int_equal(pools_take(p, &c->realm[0], "late@x", &both, &cfg,
				    why, sizeof(why)), ERR_FULL);
	assert_non_null(strstr(why, "realm sales"));
	assert_non_null(strstr(why, "4 are in use"));
	pools_end(p, "sales", "u2@x");
	(void)take(p, c, "late@x");
	pools_free(p);
	conf_free(c);
}

TEST(leases_are_the_same_after_a_restart)
{
	struct conf *c = conf("<pool net='10.0.0.0/16'/>");
	int fd = temp();
	struct pools *p = pools(dup(fd), c);
	struct ip_addr a, b;
	struct ike_cfg_req req = { .has_ip4 = true };
	struct vpn_cfg cfg = { 0 };
	char why[160];

	/* anna has an address that does not follow from her name */
	assert_int_equal(ip_parse("10.0.77.77", &req.wish4), 0);
	assert_int_equal(pools_take(p, &c->realm[0], "anna@x", &req, &cfg, why,
				    sizeof(why)), 0);
	a = cfg.ip4.addr;
	assert_true(ip_equal(&a, &req.wish4));
	b = take(p, c, "bert@x");
	pools_free(p);
	p = pools(dup(fd), c);
	cfg.ip4.addr = take(p, c, "bert@x");
	assert_true(ip_equal(&cfg.ip4.addr, &b));
	cfg.ip4.addr = take(p, c, "anna@x");
	assert_true(ip_equal(&cfg.ip4.addr, &a));
	pools_free(p);
	close(fd);
	conf_free(c);
}

TEST(a_file_of_anything_is_survived)
{
	struct conf *c = conf("<pool net='10.0.0.0/16'/>");
	uint8_t junk[3 * LEASE_REC_BYTES + 100];
	struct pools *p;
	int fd = temp();

	memset(junk, 0x5a, sizeof(junk));
	assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
	p = pools(fd, c);
	(void)take(p, c, "anna@x");
	pools_free(p);
	conf_free(c);
}

TEST(a_realm_without_a_pool_hands_out_nothing)
{
	struct conf *c = conf("");
	struct pools *p = pools(-1, c);
	struct vpn_cfg cfg = { 0 };
	char why[160];

	assert_int_equal(pools_take(p, &c->realm[0], "a@x", &both, &cfg, why,
				    sizeof(why)), ERR_NOTFOUND);
	pools_free(p);
	conf_free(c);
}
