/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/spi/t_radius.c - RADIUS messages that carry EAP.  The messages
 * below were made by another implementation of RFC 2865, 3579 and 2548 (hmac
 * and hashlib of Python).
 */
#include "spi/spi_radius.h"
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

#define REQ \
	"012a0067000102030405060708090a0b0c0d0e0f5012723d30fde57c95097bbc" \
	"b31dba0ae76e010868616e616b6f201176706e2e6578616d706c652e636f6d3d" \
	"06000000050c06000003fc1f0b3139322e302e322e374f0d0207000b0168616e" \
	"616b6f18047374"
#define ACCEPT \
	"022a00aee3474faaa123c0c15dbf985e6301f50b5012369521ee2ee38a1992ed" \
	"7f0647cd9dcc4f0603070004010868616e616b6f1b0600000e101a3a00000137" \
	"11348102c5687c21e359fc1b52a51ce9d4f059fd3de0e089a735b4a30d5052ec" \
	"23183a22b1abee4da6f317812a0002f6a690a9271a3a000001371034930491d2" \
	"2b8edc5bcaf1259691195ca671426678282a7f590e59c78d334be207a4147619" \
	"1bd3d60e6cb77024734af988acb6"
#define CHALLENGE \
	"0b2a01300008a2a7161ba4efa390a03cba53196a501200460e867fe13e3cc39f" \
	"66b60b669eb34fff010801001a00000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"00000000004f0555555518066e657874"
#define REJECT \
	"032a002c9e2bb297ad08d8e6ffa72165befaf6d35012c7c9b7cca63471d3900b" \
	"6e164f7ece8d4f0604070004"
#define REJECT_UNSIGNED \
	"032a001a337fd2890e4865f60e401e9d5579b9334f0604070004"

static struct view
text(const char *s)
{
	return (struct view){ (const uint8_t *)s, strlen(s) };
}

/* The request all answers are to. */
static struct spi_radius_ask
ask(void)
{
	static const uint8_t eap[] = { 2, 7, 0, 11, 1, 'h', 'a', 'n', 'a', 'k',
				       'o' };
	struct spi_radius_ask q = {
		.id = 42, .secret = text("xyzzy5461"), .user = text("hanako"),
		.nas = text("vpn.example.com"), .from = text("192.0.2.7"),
		.state = text("st"), .eap = { eap, sizeof(eap) }
	};

	for (unsigned i = 0; i < SPI_RADIUS_AUTH; i++)
		q.auth[i] = (uint8_t)i;
	assert_int_equal(spi_radius_init(), 0);
	return q;
}

static uint8_t buf[SPI_RADIUS_MAX + 16];
static struct spi_radius_answer ans;

static size_t
load(const char *hex)
{
	return test_hex(hex, buf, sizeof(buf));
}

static int
dec(const struct spi_radius_ask *q, size_t n)
{
	return spi_radius_dec(q, (struct view){ buf, n }, &ans);
}

TEST(a_request_is_written_with_its_proof_first)
{
	struct spi_radius_ask q = ask();
	uint8_t out[SPI_RADIUS_MAX];
	struct wcur w;
	size_t n = load(REQ);

	wcur_init(&w, out, sizeof(out));
	assert_int_equal(spi_radius_enc(&q, &w), 0);
	assert_int_equal(w.len, n);
	assert_memory_equal(out, buf, n);
	assert_int_equal(out[20], 80);
}

TEST(an_accept_gives_the_key_of_both_directions)
{
	struct spi_radius_ask q = ask();

	assert_int_equal(dec(&q, load(ACCEPT)), 0);
	assert_int_equal(ans.code, SPI_RADIUS_ACCEPT);
	assert_true(ans.has_msk);
	for (unsigned i = 0; i < 32; i++) {
		assert_int_equal(ans.msk[i], 0x20 + i);
		assert_int_equal(ans.msk[32 + i], 0x60 + i);
	}
	assert_string_equal(ans.user, "hanako");
	assert_int_equal(ans.timeout_s, 3600);
	assert_int_equal(ans.eap_len, 4);
	assert_int_equal(ans.eap[0], SPI_EAP_SUCCESS);
}

TEST(a_challenge_in_pieces_is_put_together)
{
	struct spi_radius_ask q = ask();
	struct spi_eap_msg m;

	assert_int_equal(dec(&q, load(CHALLENGE)), 0);
	assert_int_equal(ans.code, SPI_RADIUS_CHALLENGE);
	assert_int_equal(ans.eap_len, 256);
	assert_int_equal(spi_eap_dec((struct view){ ans.eap, ans.eap_len }, &m),
			 0);
	assert_int_equal(m.type, SPI_EAP_MSCHAPV2);
	assert_int_equal(ans.state_len, 4);
	assert_memory_equal(ans.state, "next", 4);
	assert_false(ans.has_msk);
}

TEST(a_reject_is_taken)
{
	struct spi_radius_ask q = ask();

	assert_int_equal(dec(&q, load(REJECT)), 0);
	assert_int_equal(ans.code, SPI_RADIUS_REJECT);
}

TEST(an_answer_without_message_authenticator_is_refused)
{
	struct spi_radius_ask q = ask();

	assert_int_equal(dec(&q, load(REJECT_UNSIGNED)), ERR_AUTH);
}

TEST(a_flipped_bit_anywhere_is_noticed)
{
	struct spi_radius_ask q = ask();
	size_t n = load(ACCEPT);

	for (size_t i = 0; i < n; i++) {
		buf[i] ^= 1;
		assert_int_not_equal(dec(&q, n), 0);
		assert_false(ans.has_msk);
		buf[i] ^= 1;
	}
	assert_int_equal(dec(&q, n), 0);
}

TEST(an_answer_to_another_request_or_by_another_secret_is_refused)
{
	struct spi_radius_ask q = ask();
	size_t n = load(ACCEPT);

	q.auth[0] ^= 1;
	assert_int_equal(dec(&q, n), ERR_AUTH);
	q = ask();
	q.secret = text("xyzzy5462");
	assert_int_equal(dec(&q, n), ERR_AUTH);
	q = ask();
	q.id = 43;
	assert_int_equal(dec(&q, n), ERR_NOTFOUND);
}

TEST(every_shorter_answer_is_refused_and_padding_is_not)
{
	struct spi_radius_ask q = ask();
	size_t n = load(CHALLENGE);

	for (size_t i = 0; i < n; i++)
		assert_int_not_equal(dec(&q, i), 0);
	memset(buf + n, 0xff, 16);
	assert_int_equal(dec(&q, n + 16), 0);
}

TEST(a_long_eap_message_is_cut_and_one_too_long_refused)
{
	static uint8_t eap[SPI_RADIUS_MAX];
	struct spi_radius_ask q = ask();
	uint8_t out[2 * SPI_RADIUS_MAX];
	struct wcur w;

	q.eap = (struct view){ eap, 1020 };
	wcur_init(&w, out, sizeof(out));
	assert_int_equal(spi_radius_enc(&q, &w), 0);
	/* 1020 = 4 * 253 + 8: five attributes instead of one */
	assert_int_equal(w.len, 103 - 13 + 1020 + 5 * 2);
	q.eap.len = sizeof(eap);
	wcur_init(&w, out, sizeof(out));
	assert_int_equal(spi_radius_enc(&q, &w), ERR_LONG);
}
