/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_mss.c - the MSS option of a SYN, lowered.
 */
#include "test/lib/test.h"
#include <string.h>
#include "daemon/base/cur.h"
#include "test/unit/vhub/tcpmake.h"
#include "vhub/mss.h"

/* A SYN with these options (hexadecimal); its checksum is right. */
static size_t
make(struct tcpmake *m, unsigned family, const char *options, uint8_t flags)
{
	uint8_t o[40];
	size_t n = test_hex(options, o, sizeof(o));

	tcpmake(m, family, flags, o, n, 0);
	assert_int_equal(tcpmake_sum(m), 0);
	return m->len;
}

static void
lowered(unsigned family, const char *before, uint8_t flags, uint32_t mtu,
	uint32_t most, const char *after)
{
	uint8_t want[40];
	struct tcpmake m;
	size_t n = test_hex(after, want, sizeof(want));

	make(&m, family, before, flags);
	assert_true(mss_lower(m.b, m.len, mtu, most));
	assert_memory_equal(m.b + m.tcp + 20, want, n);
	assert_int_equal(tcpmake_sum(&m), 0);
}

static void
untouched(const struct tcpmake *m, uint32_t mtu, uint32_t most)
{
	uint8_t copy[sizeof(m->b)];

	memcpy(copy, m->b, sizeof(copy));
	assert_false(mss_lower(copy, m->len, mtu, most));
	assert_memory_equal(copy, m->b, sizeof(copy));
}

TEST(a_syn_and_its_answer_are_lowered_in_both_families)
{
	lowered(4, "020405b4", TCPMAKE_SYN, 1400, 0, "02040550");
	lowered(4, "020405b4", TCPMAKE_SYN | TCPMAKE_ACK, 1400, 0, "02040550");
	lowered(6, "020405a0", TCPMAKE_SYN, 1400, 0, "0204053c");
	lowered(6, "0204ffff", TCPMAKE_SYN, 1280, 0, "020404c4");
}

TEST(an_option_at_an_odd_place_keeps_the_checksum_right)
{
	lowered(4, "01020405b4000000", TCPMAKE_SYN, 1400, 0,
		"0102040550000000");
	lowered(4, "0402080a00000001000000000103030702040fff", TCPMAKE_SYN, 1400,
		0, "0402080a00000001000000000103030702040550");
	lowered(6, "010303070102040fff000000", TCPMAKE_SYN, 1400, 0,
		"010303070102040" "53c000000");
}

TEST(a_number_bounds_it_too_and_the_smaller_one_counts)
{
	lowered(4, "020405b4", TCPMAKE_SYN, 0, 1000, "020403e8");
	lowered(4, "020405b4", TCPMAKE_SYN, 1400, 1000, "020403e8");
	lowered(4, "020405b4", TCPMAKE_SYN, 700, 1000, "02040294");
	lowered(4, "020405b4", TCPMAKE_SYN, 1, 0, "02040030"); /* the least */
}

TEST(it_is_never_raised_nor_added)
{
	struct tcpmake m;

	make(&m, 4, "02040218", TCPMAKE_SYN);
	untouched(&m, 1400, 0);
	untouched(&m, 0, 9000);
	make(&m, 4, "02040550", TCPMAKE_SYN);
	untouched(&m, 1400, 0);
	make(&m, 4, "01010101", TCPMAKE_SYN);
	untouched(&m, 1400, 0);
	make(&m, 4, "", TCPMAKE_SYN);
	untouched(&m, 1400, 0);
	make(&m, 4, "0101010000020405b4000000", TCPMAKE_SYN); /* past the end */
	untouched(&m, 1400, 0);
}

TEST(other_segments_and_protocols_are_left_alone)
{
	struct tcpmake m;

	make(&m, 4, "020405b4", TCPMAKE_ACK);
	untouched(&m, 1400, 0);
	make(&m, 4, "020405b4", TCPMAKE_SYN);
	m.b[9] = 17;
	untouched(&m, 1400, 0);
	make(&m, 6, "020405b4", TCPMAKE_SYN);
	m.b[6] = 17;
	untouched(&m, 1400, 0);
	m.b[0] = 0x50;
	untouched(&m, 1400, 0);
}

TEST(the_tail_of_a_fragmented_packet_is_left_alone)
{
	struct tcpmake m;

	make(&m, 4, "020405b4", TCPMAKE_SYN);
	be16_put(m.b + 6, 0x2001);
	untouched(&m, 1400, 0);
	be16_put(m.b + 6, 0x1fff);
	untouched(&m, 1400, 0);
	be16_put(m.b + 6, 0x2000); /* the first piece has the header */
	assert_true(mss_lower(m.b, m.len, 1400, 0));
	tcpmake_ext(&m, 44, "060000080000002a", TCPMAKE_SYN, "020405b4");
	untouched(&m, 1400, 0);
	tcpmake_ext(&m, 44, "060000010000002a", TCPMAKE_SYN, "020405b4");
	assert_true(mss_lower(m.b, m.len, 1400, 0));
}

TEST(extension_headers_are_looked_through_within_bounds)
{
	struct tcpmake m;

	tcpmake_ext(&m, 0, "0600010400000000", TCPMAKE_SYN, "020405b4");
	assert_true(mss_lower(m.b, m.len, 1400, 0));
	assert_int_equal(be16_get(m.b + m.tcp + 22), 1340);
	assert_int_equal(tcpmake_sum(&m), 0);
	/* a length that leads out of the packet; ESP; a chain without end */
	tcpmake_ext(&m, 0, "06ff010400000000", TCPMAKE_SYN, "020405b4");
	untouched(&m, 1400, 0);
	tcpmake_ext(&m, 50, "0600010400000000", TCPMAKE_SYN, "020405b4");
	untouched(&m, 1400, 0);
	tcpmake_ext(&m, 0, "0000010400000000" "0000010400000000"
		    "0000010400000000" "0000010400000000" "0000010400000000"
		    "0000010400000000" "0600010400000000", TCPMAKE_SYN,
		    "020405b4");
	untouched(&m, 1400, 0);
}

TEST(options_that_lie_about_their_length_change_nothing)
{
	static const char *const bad[] = {
		"03000204" "05b40000",	/* length 0: no way on */
		"03010204" "05b40000",	/* length 1 */
		"03280204" "05b40000",	/* beyond the header */
		"02030204" "05b40000",	/* an MSS of another length */
		"020605b4" "00000000",
		"01010102",		/* cut off behind its kind */
		"01010204",		/* and behind its length */
		"01020405",
	};
	struct tcpmake m;

	for (unsigned i = 0; i < N_OF(bad); i++) {
		make(&m, 4, bad[i], TCPMAKE_SYN);
		untouched(&m, 600, 0);
	}
}

TEST(every_cut_of_a_packet_is_borne)
{
	struct tcpmake m, whole;

	make(&whole, 4, "0402080a0000000100000000010303070204fff0", TCPMAKE_SYN);
	for (size_t n = 0; n < whole.len; n++) {
		m = whole;
		m.len = n;
		untouched(&m, 1400, 0); /* its own length says more */
		be16_put(m.b + 2, (uint16_t)n);
		untouched(&m, 1400, 0);
		m.b[whole.tcp + 12] = 0xf0; /* header longer than the packet */
		untouched(&m, 1400, 0);
	}
	m = whole;
	m.b[m.tcp + 12] = 0x40;
	untouched(&m, 1400, 0);
	m = whole;
	m.b[0] = 0x44;
	untouched(&m, 1400, 0);
}
