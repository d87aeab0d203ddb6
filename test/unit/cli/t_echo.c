/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_echo.c - ICMP echo: requests, and what is an answer to them.
 */
#include "cli/echo.h"
#include <string.h>
#include "test/lib/test.h"

/* The request as its answer, behind an IPv4 header of len bytes. */
static size_t
answer(uint8_t *out, size_t header, uint16_t id, uint16_t seq)
{
	size_t n;

	memset(out, 0, header);
	if (header > 0)
		out[0] = (uint8_t)(0x40 | header / 4);
	n = echo_make(4, id, seq, out + header, ECHO_MAX - header);
	out[header] = 0;		/* echo reply */
	out[header + 4] ^= 0xff;	/* an id of the kernel's */
	return header + n;
}

TEST(request_has_the_form_and_checksum_of_rfc_792)
{
	uint8_t b[64];
	size_t n = echo_make(4, 0x1234, 7, b, sizeof(b));
	uint32_t sum = 0;

	assert_int_equal(n, 24);
	assert_int_equal(b[0], 8);
	assert_int_equal(b[1], 0);
	assert_int_equal(b[7], 7);
	for (size_t i = 0; i < n; i += 2)
		sum += (uint32_t)(b[i] << 8 | b[i + 1]);
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
	assert_int_equal(echo_make(6, 1, 2, b, sizeof(b)), 24);
	assert_int_equal(b[0], 128);
	assert_int_equal(echo_make(4, 1, 2, b, 10), 0);
}

TEST(answer_is_known_by_its_mark_and_number)
{
	uint8_t b[ECHO_MAX];
	size_t n = answer(b, 20, 0x1234, 7);

	assert_true(echo_is_answer(4, true, 0x1234, 7, b, n));
	assert_false(echo_is_answer(4, true, 0x1234, 8, b, n));
	assert_false(echo_is_answer(4, true, 0x1235, 7, b, n));
	n = answer(b, 60, 0x1234, 7);	/* with options */
	assert_true(echo_is_answer(4, true, 0x1234, 7, b, n));
	n = answer(b, 0, 0x1234, 7);
	assert_true(echo_is_answer(4, false, 0x1234, 7, b, n));
}

TEST(our_own_request_and_torn_packets_are_no_answers)
{
	uint8_t b[ECHO_MAX];
	size_t n = answer(b, 20, 1, 2), own;

	for (size_t i = 0; i < n - 4; i++)
		assert_false(echo_is_answer(4, true, 1, 2, b, i));
	b[0] = 0x44;			/* a header that is too short */
	assert_false(echo_is_answer(4, true, 1, 2, b, n));
	b[0] = 0x65;
	assert_false(echo_is_answer(4, true, 1, 2, b, n));
	own = echo_make(4, 1, 2, b, sizeof(b));
	assert_false(echo_is_answer(4, false, 1, 2, b, own));
	b[0] = 3;			/* unreachable */
	assert_false(echo_is_answer(4, false, 1, 2, b, own));
}
