/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/spi/t_eap.c - the frame of EAP messages, RFC 3748 section 4.
 */
#include "spi/spi_eap.h"
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

static int
dec(const char *hex, struct spi_eap_msg *m)
{
	static uint8_t buf[64];
	size_t n = test_hex(hex, buf, sizeof(buf));

	return spi_eap_dec((struct view){ buf, n }, m);
}

TEST(a_request_has_a_type_and_data)
{
	struct spi_eap_msg m;

	assert_int_equal(dec("01 07 0007 1a aabb", &m), 0);
	assert_int_equal(m.code, SPI_EAP_REQUEST);
	assert_int_equal(m.id, 7);
	assert_int_equal(m.type, SPI_EAP_MSCHAPV2);
	assert_int_equal(m.data.len, 2);
	assert_int_equal(m.data.p[1], 0xbb);
}

TEST(success_and_failure_have_nothing_behind_the_header)
{
	struct spi_eap_msg m;

	assert_int_equal(dec("03 07 0004", &m), 0);
	assert_int_equal(m.code, SPI_EAP_SUCCESS);
	assert_int_equal(m.type, 0);
	assert_int_equal(dec("04 07 0004", &m), 0);
	assert_int_equal(dec("03 07 0005 00", &m), ERR_SYNTAX);
}

TEST(a_wrong_length_is_refused)
{
	struct spi_eap_msg m;

	assert_int_equal(dec("01 07 0008 1a aabb", &m), ERR_SHORT);
	assert_int_equal(dec("01 07 0006 1a aabb", &m), ERR_TRAIL);
	assert_int_equal(dec("01 07 0000 1a aabb", &m), ERR_TRAIL);
	assert_int_equal(dec("01 07 ffff 1a aabb", &m), ERR_SHORT);
	assert_int_equal(dec("01 07 0004", &m), ERR_SHORT);
	assert_int_equal(dec("01 07 00", &m), ERR_SHORT);
	assert_int_equal(dec("", &m), ERR_SHORT);
}

TEST(codes_and_types_that_do_not_exist_are_refused)
{
	struct spi_eap_msg m;

	assert_int_equal(dec("00 07 0004", &m), ERR_SYNTAX);
	assert_int_equal(dec("05 07 0004", &m), ERR_SYNTAX);
	assert_int_equal(dec("05 07 0005 1a", &m), ERR_SYNTAX);
	assert_int_equal(dec("01 07 0005 00", &m), ERR_SYNTAX);
}

TEST(a_message_of_more_than_the_limit_is_not_looked_at)
{
	static uint8_t big[SPI_EAP_IN_MAX + 1] = { 1, 1, 0x10, 0x01, 13 };
	struct spi_eap_msg m;

	assert_int_equal(spi_eap_dec((struct view){ big, sizeof(big) }, &m),
			 ERR_LONG);
	big[3] = 0;
	assert_int_equal(spi_eap_dec((struct view){ big, SPI_EAP_IN_MAX }, &m),
			 0);
}

TEST(what_is_written_is_read_again)
{
	const struct spi_eap_msg in[] = {
		{ SPI_EAP_REQUEST, 1, SPI_EAP_IDENTITY, { NULL, 0 } },
		{ SPI_EAP_RESPONSE, 255, SPI_EAP_NAK,
		  { (const uint8_t *)"\x1a\x0d", 2 } },
		{ SPI_EAP_SUCCESS, 9, 0, { NULL, 0 } },
		{ SPI_EAP_FAILURE, 9, 0, { NULL, 0 } },
	};
	uint8_t buf[64];
	struct spi_eap_msg m;
	struct wcur w;

	for (size_t i = 0; i < N_OF(in); i++) {
		wcur_init(&w, buf, sizeof(buf));
		spi_eap_enc(&w, &in[i]);
		assert_int_equal(w.err, 0);
		assert_int_equal(spi_eap_dec(wcur_done(&w), &m), 0);
		assert_int_equal(m.code, in[i].code);
		assert_int_equal(m.id, in[i].id);
		assert_int_equal(m.type, in[i].type);
		assert_int_equal(m.data.len, in[i].data.len);
		if (m.data.len > 0)
			assert_memory_equal(m.data.p, in[i].data.p,
					    m.data.len);
	}
}

TEST(methods_are_found_by_number_and_by_name)
{
	assert_non_null(spi_eap_find(SPI_EAP_MSCHAPV2));
	assert_ptr_equal(spi_eap_named("mschapv2"),
			 spi_eap_find(SPI_EAP_MSCHAPV2));
	assert_null(spi_eap_find(4));	/* MD5: no keys, not even an option */
	assert_null(spi_eap_named("md5"));
}
