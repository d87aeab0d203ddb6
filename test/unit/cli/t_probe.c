/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_probe.c - a question to an IKE port, and what answers it.
 */
#include "cli/probe.h"
#include <string.h>
#include "test/lib/test.h"

#define SPI UINT64_C(0x1122334455667788)

TEST(probe_is_an_ike_header_of_a_version_that_does_not_exist)
{
	uint8_t want[64], got[PROBE_MAX];
	size_t n = test_hex("1122334455667788 eeddccbbaa998877 00 30 25 08 "
			    "00000000 00000040", want, sizeof(want));

	assert_int_equal(n, 28);
	n = 64;				/* more of it, so that an answer fits */
	memset(want + 28, 0, n - 28);
	assert_int_equal(probe_make(SPI, false, got, sizeof(got)), n);
	assert_memory_equal(got, want, n);
	assert_int_equal(probe_make(SPI, true, got, sizeof(got)), n + 4);
	assert_memory_equal(got, "\0\0\0\0", 4);
	assert_memory_equal(got + 4, want, n);
	assert_int_equal(probe_make(SPI, true, got, 20), 0);
}

TEST(answer_has_our_spi_and_is_a_response)
{
	uint8_t b[128];
	size_t n = test_hex("1122334455667788 0000000000000000 29 20 22 20 "
			    "00000000 00000024 00000008 00000005", b,
			    sizeof(b));

	assert_true(probe_is_answer(SPI, false, b, n));
	assert_false(probe_is_answer(SPI + 1, false, b, n));
	assert_false(probe_is_answer(SPI, true, b, n));
	for (size_t i = 0; i < 28; i++)
		assert_false(probe_is_answer(SPI, false, b, i));
	b[19] = 0x08;			/* a request */
	assert_false(probe_is_answer(SPI, false, b, n));
	/* our own words come back */
	n = probe_make(SPI, false, b, sizeof(b));
	assert_false(probe_is_answer(SPI, false, b, n));
}
