/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_mcast.c - IGMP and MLD messages.
 */
#include "test/lib/test.h"
#include "daemon/base/err.h"
#include "test/unit/vhub/mcmake.h"
#include "vhub/mcast.h"

static int
dec(const uint8_t *p, size_t n, struct mc_msg *m)
{
	struct ip_head ip;
	int err = ip_dec((struct view){ p, n }, &ip);

	return err != 0 ? err : mc_dec((struct view){ p, n }, &ip, m);
}

static void
expect_groups(struct mc_msg *m, const char *joined, const char *left)
{
	struct ip_addr g;
	bool is_join;
	char text[IP_TEXT_MAX], j[200] = "", l[200] = "";
	int n;

	while ((n = mc_next(m, &g, &is_join)) > 0) {
		char *to = is_join ? j : l;

		snprintf(to + strlen(to), 200 - strlen(to), "%s ",
		    ip_text(&g, text));
	}
	assert_int_equal(n, 0);
	assert_string_equal(j, joined);
	assert_string_equal(l, left);
}

TEST(igmp_of_every_version_is_read)
{
	uint8_t p[200];
	struct mc_msg m;
	size_t n;

	n = mk_igmp(p, "10.0.0.1", "224.0.0.1", "11 00 0000 00000000");
	assert_int_equal(dec(p, n, &m), 0); /* version 1 */
	assert_int_equal(m.kind, MC_QUERY);
	assert_int_equal(m.resp_s, 10);
	assert_int_equal(m.hold_s, 0);
	assert_true(ip_is_any(&m.group));
	n = mk_igmp(p, "10.0.0.1", "239.1.1.1", "11 0b 0000 ef010101");
	assert_int_equal(dec(p, n, &m), 0); /* 2, one group */
	assert_int_equal(m.resp_s, 2);
	assert_int_equal(m.group.b[0], 239);
	n = mk_igmp(p, "10.0.0.1", "224.0.0.1",
	    "11 64 0000 00000000 02 7d 0000");
	assert_int_equal(dec(p, n, &m), 0); /* 3 */
	assert_int_equal(m.resp_s, 10);
	assert_int_equal(m.hold_s, 2 * 125 + 10);
	/* Codes with an exponent: 0x8f = 31 * 8, 0xff = 31 * 1024. */
	n = mk_igmp(p, "10.0.0.1", "224.0.0.1",
	    "11 64 0000 00000000 01 8f 0000");
	assert_int_equal(dec(p, n, &m), 0);
	assert_int_equal(m.hold_s, 31 * 8 + 10);
	n = mk_igmp(p, "10.0.0.1", "224.0.0.1",
	    "11 64 0000 00000000 00 ff 0000"); /* QRV 0: the default of 2 */
	assert_int_equal(dec(p, n, &m), 0);
	assert_int_equal(m.hold_s, 2 * 31 * 1024 + 10);
	n = mk_igmp(p, "10.0.0.2", "239.1.1.1", "12 00 0000 ef010101");
	assert_int_equal(dec(p, n, &m), 0);
	assert_int_equal(m.kind, MC_REPORT);
	expect_groups(&m, "239.1.1.1 ", "");
	n = mk_igmp(p, "10.0.0.2", "239.1.1.1", "16 00 0000 ef010101");
	assert_int_equal(dec(p, n, &m), 0);
	expect_groups(&m, "239.1.1.1 ", "");
	n = mk_igmp(p, "10.0.0.2", "224.0.0.2", "17 00 0000 ef010101");
	assert_int_equal(dec(p, n, &m), 0);
	assert_int_equal(m.kind, MC_LEAVE);
	expect_groups(&m, "", "239.1.1.1 ");
}

TEST(records_of_version_3_join_by_their_type_and_sources)
{
	uint8_t p[400];
	struct mc_msg m;
	size_t n = mk_igmp(p, "10.0.0.2", "224.0.0.22", "22 00 0000 0000 0007"
	    "04 00 0000 ef010101"			/* to EXCLUDE {} */
	    "03 00 0000 ef010102"			/* to INCLUDE {} */
	    "01 00 0001 ef010103 0a000001"		/* is INCLUDE {a} */
	    "06 00 0001 ef010104 0a000001"		/* BLOCK {a} */
	    "05 01 0002 ef010105 0a000001 0a000002 deadbeef" /* ALLOW, aux */
	    "02 00 0000 ef010106"			/* is EXCLUDE {} */
	    "01 00 0000 ef010107");			/* is INCLUDE {} */

	assert_int_equal(dec(p, n, &m), 0);
	expect_groups(&m, "239.1.1.1 239.1.1.3 239.1.1.5 239.1.1.6 ",
	    "239.1.1.2 239.1.1.4 239.1.1.7 ");
}

TEST(wrong_igmp_is_refused)
{
	uint8_t p[200];
	struct ip_addr g;
	struct mc_msg m;
	bool is_join;
	size_t n;

	n = mk_igmp(p, "10.0.0.2", "239.1.1.1", "16 00 0000 ef010101");
	p[n - 1] ^= 1;
	assert_int_equal(dec(p, n, &m), ERR_ICV);
	n = mk_igmp(p, "10.0.0.2", "239.1.1.1", "16 00 0000 ef01");
	assert_int_equal(dec(p, n, &m), ERR_SHORT);
	n = mk_igmp(p, "10.0.0.2", "239.1.1.1", "16 00");
	assert_int_not_equal(dec(p, n, &m), 0);
	n = mk_igmp(p, "10.0.0.2", "239.1.1.1", "13 00 0000 ef010101");
	assert_int_equal(dec(p, n, &m), ERR_UNSUP); /* DVMRP */
	/* More records than there are, a record longer than the packet. */
	n = mk_igmp(p, "10.0.0.2", "224.0.0.22",
	    "22 00 0000 0000 ffff 04 00 0000 ef010101");
	assert_int_equal(dec(p, n, &m), 0);
	assert_int_equal(mc_next(&m, &g, &is_join), 1);
	assert_int_equal(mc_next(&m, &g, &is_join), ERR_SHORT);
	n = mk_igmp(p, "10.0.0.2", "224.0.0.22",
	    "22 00 0000 0000 0001 04 ff ffff ef010101");
	assert_int_equal(dec(p, n, &m), 0);
	assert_int_equal(mc_next(&m, &g, &is_join), ERR_SHORT);
	/* Groups that are none. */
	n = mk_igmp(p, "10.0.0.2", "239.1.1.1", "16 00 0000 0a010101");
	assert_int_equal(dec(p, n, &m), 0);
	assert_int_equal(mc_next(&m, &g, &is_join), ERR_SYNTAX);
	/* A piece of a packet. */
	n = mk_igmp(p, "10.0.0.2", "239.1.1.1", "16 00 0000 ef010101");
	p[6] = 0x20;
	assert_int_equal(dec(p, n, &m), ERR_UNSUP);
}

#define G6 "ff3e 0000 0000 0000 0000 0000 0000 0001"
#define ANY6 "0000 0000 0000 0000 0000 0000 0000 0000"

TEST(mld_of_both_versions_is_read)
{
	uint8_t p[400];
	struct mc_msg m;
	size_t n;

	n = mk_mld(p, "fe80::1", "ff02::1", "82 00 0000 2710 0000" ANY6);
	assert_int_equal(dec(p, n, &m), 0);
	assert_int_equal(m.kind, MC_QUERY);
	assert_int_equal(m.resp_s, 10);
	assert_true(ip_is_any(&m.group));
	n = mk_mld(p, "fe80::1", "ff02::1", "82 00 0000 8fff 0000" ANY6
	    "02 7d 0000");
	assert_int_equal(dec(p, n, &m), 0); /* 0x1fff * 8 ms */
	assert_int_equal(m.resp_s, 66);
	assert_int_equal(m.hold_s, 250 + 66);
	n = mk_mld(p, "fe80::2", "ff3e::1", "83 00 0000 0000 0000" G6);
	assert_int_equal(dec(p, n, &m), 0);
	expect_groups(&m, "ff3e::1 ", "");
	n = mk_mld(p, "::", "ff02::16", "8f 00 0000 0000 0002"
	    "04 00 0000" G6
	    "03 00 0000" "ff3e0000000000000000000000000002");
	assert_int_equal(dec(p, n, &m), 0);
	expect_groups(&m, "ff3e::1 ", "ff3e::2 ");
	n = mk_mld(p, "fe80::2", "ff02::2", "84 00 0000 0000 0000" G6);
	assert_int_equal(dec(p, n, &m), 0);
	assert_int_equal(m.kind, MC_LEAVE);
}

TEST(mld_that_was_forwarded_or_has_no_alert_is_refused)
{
	uint8_t p[400];
	struct mc_msg m;
	size_t n = mk_mld(p, "fe80::2", "ff3e::1", "83 00 0000 0000 0000" G6);

	p[7] = 2; /* hop limit */
	assert_int_equal(dec(p, n, &m), ERR_SYNTAX);
	p[7] = 1;
	assert_int_equal(dec(p, n, &m), 0);
	p[42] = 1; /* the alert becomes PadN */
	assert_int_equal(dec(p, n, &m), ERR_SYNTAX);
	p[42] = 5;
	p[n - 1] ^= 1;
	assert_int_equal(dec(p, n, &m), ERR_ICV);
	n = mk_mld(p, "2001:db8::2", "ff3e::1", "83 00 0000 0000 0000" G6);
	assert_int_equal(dec(p, n, &m), ERR_SYNTAX);
	n = mk_mld(p, "::", "ff02::1", "82 00 0000 2710 0000" ANY6);
	assert_int_equal(dec(p, n, &m), ERR_SYNTAX); /* a query from :: */
	n = mk_mld(p, "fe80::2", "ff02::1", "80 00 0000 00000000");
	assert_int_equal(dec(p, n, &m), ERR_UNSUP); /* an echo request */
	/* Options that run out of their header. */
	n = mk_mld(p, "fe80::2", "ff3e::1", "83 00 0000 0000 0000" G6);
	p[43] = 200;
	assert_int_equal(dec(p, n, &m), ERR_SHORT);
}

TEST(a_hello_of_pim_tells_of_a_router)
{
	uint8_t p[200];
	struct mc_msg m;
	size_t n = mk_igmp(p, "10.0.0.1", "224.0.0.13", "20 00 0000 0001 0002");

	p[9] = 103;
	assert_int_equal(dec(p, n, &m), 0);
	assert_int_equal(m.kind, MC_ROUTER);
	p[24] = 0x23; /* join/prune */
	assert_int_equal(dec(p, n, &m), ERR_UNSUP);
}
