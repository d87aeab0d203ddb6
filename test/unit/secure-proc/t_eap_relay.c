/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_eap_relay.c - EAP conversations that a RADIUS server
 * leads: what it may make of them, and what not.
 */
#include "secure-proc/eap/run.h"
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

static uint8_t buf[SPI_EAP_IN_MAX + 100];
static struct wcur w;
static struct spi_radius_answer a;

static struct view
bytes(const void *p, size_t n)
{
	return (struct view){ p, n };
}

/* A server whose client has said that it is hanako: the message is to go on. */
static struct sec_eap *
begun(void)
{
	struct sec_eap_conf c = { .is_server = true, .is_relay = true };
	uint8_t id[] = { SPI_EAP_RESPONSE, 0, 0, 11, SPI_EAP_IDENTITY, 'h', 'a',
			 'n', 'a', 'k', 'o' };
	struct sec_eap *e = NULL;

	assert_int_equal(sec_eap_open(&c, &e), 0);
	wcur_init(&w, buf, sizeof(buf));
	assert_int_equal(sec_eap_start(e, &w), SEC_EAP_MORE);
	id[1] = buf[1];
	wcur_init(&w, buf, sizeof(buf));
	assert_int_equal(sec_eap_input(e, bytes(id, sizeof(id)), &w),
			 SEC_EAP_RELAY);
	assert_int_equal(w.len, 0);
	assert_string_equal(sec_eap_claim(e), "hanako");
	return e;
}

static void
server_says(enum spi_radius_code code, const char *eap, size_t len, bool msk)
{
	memset(&a, 0, sizeof(a));
	a.code = code;
	memcpy(a.eap, eap, len);
	a.eap_len = len;
	a.has_msk = msk;
	if (msk)
		memset(a.msk, 0x5a, sizeof(a.msk));
}

static enum sec_eap_end
relayed(struct sec_eap *e, const char *user)
{
	wcur_init(&w, buf, sizeof(buf));
	return sec_eap_relayed(e, &a, user, "", &w);
}

/* Over, with Failure for the client and no key. */
static void
refused(struct sec_eap *e, const char *user, const char *why)
{
	assert_int_equal(relayed(e, user), SEC_EAP_NO);
	assert_int_equal(w.len, 4);
	assert_int_equal(buf[0], SPI_EAP_FAILURE);
	assert_int_equal(sec_eap_msk(e).len, 0);
	assert_string_equal(sec_eap_user(e), "");
	assert_non_null(strstr(sec_eap_why(e), why));
	sec_eap_close(e);
}

#define CHALLENGE "\x01\x42\x00\x06\x15\x20"	/* TTLS, start */
#define ANSWER	  "\x02\x42\x00\x06\x15\x00"
#define NAK	  "\x02\x42\x00\x06\x03\x19"
#define SUCCESS	  "\x03\x42\x00\x04"
#define FAILURE	  "\x04\x42\x00\x04"

TEST(what_the_server_asks_goes_out_unchanged_and_any_answer_goes_back)
{
	struct sec_eap *e = begun();

	for (unsigned i = 0; i < 3; i++) {
		server_says(SPI_RADIUS_CHALLENGE, CHALLENGE, 6, false);
		assert_int_equal(relayed(e, NULL), SEC_EAP_MORE);
		assert_int_equal(w.len, 6);
		assert_memory_equal(buf, CHALLENGE, 6);
		wcur_init(&w, buf, sizeof(buf));
		assert_int_equal(sec_eap_input(e, bytes(i == 1 ? NAK : ANSWER,
		    6), &w), SEC_EAP_RELAY);
	}
	server_says(SPI_RADIUS_ACCEPT, SUCCESS, 4, true);
	assert_int_equal(relayed(e, NULL), SEC_EAP_OK);
	assert_int_equal(w.len, 4);
	assert_memory_equal(buf, SUCCESS, 4);
	assert_string_equal(sec_eap_user(e), "hanako");
	assert_int_equal(sec_eap_msk(e).len, SPI_EAP_MSK);
	assert_memory_equal(sec_eap_msk(e).p, a.msk, SPI_EAP_MSK);
	sec_eap_close(e);
}

TEST(a_session_has_the_time_of_an_accept_and_of_nothing_else)
{
	struct sec_eap *e = begun();

	/* of a challenge it is the time to answer, RFC 3579 2.1 */
	server_says(SPI_RADIUS_CHALLENGE, CHALLENGE, 6, false);
	a.timeout_s = 60;
	assert_int_equal(relayed(e, NULL), SEC_EAP_MORE);
	wcur_init(&w, buf, sizeof(buf));
	assert_int_equal(sec_eap_input(e, bytes(ANSWER, 6), &w), SEC_EAP_RELAY);
	assert_int_equal(sec_eap_session_s(e), 0);
	server_says(SPI_RADIUS_ACCEPT, SUCCESS, 4, true);
	a.timeout_s = 28800;
	assert_int_equal(relayed(e, NULL), SEC_EAP_OK);
	assert_int_equal(sec_eap_session_s(e), 28800);
	sec_eap_close(e);
}

TEST(the_server_may_know_the_user_by_another_name)
{
	struct sec_eap *e = begun();

	server_says(SPI_RADIUS_ACCEPT, SUCCESS, 4, true);
	assert_int_equal(relayed(e, "Hanako Yamada"), SEC_EAP_OK);
	assert_string_equal(sec_eap_user(e), "Hanako Yamada");
	sec_eap_close(e);
}

TEST(nobody_gets_in_without_a_key)
{
	server_says(SPI_RADIUS_ACCEPT, SUCCESS, 4, false);
	refused(begun(), NULL, "no key");
	server_says(SPI_RADIUS_ACCEPT, SUCCESS, 4, true);
	memset(a.msk, 0, sizeof(a.msk));
	refused(begun(), NULL, "no key");
}

TEST(an_answer_that_contradicts_its_message_is_refused)
{
	server_says(SPI_RADIUS_ACCEPT, FAILURE, 4, true);
	refused(begun(), NULL, "no Success");
	server_says(SPI_RADIUS_ACCEPT, CHALLENGE, 6, true);
	refused(begun(), NULL, "no Success");
	server_says(SPI_RADIUS_ACCEPT, "", 0, true);
	refused(begun(), NULL, "no message of EAP");
	server_says(SPI_RADIUS_CHALLENGE, SUCCESS, 4, false);
	refused(begun(), NULL, "no request");
	server_says(SPI_RADIUS_CHALLENGE, ANSWER, 6, false);
	refused(begun(), NULL, "no request");
	server_says(SPI_RADIUS_CHALLENGE, CHALLENGE, 5, false);
	refused(begun(), NULL, "no message of EAP");
	server_says(SPI_RADIUS_REJECT, SUCCESS, 4, true);
	refused(begun(), NULL, "refused");
	server_says(SPI_RADIUS_REJECT, FAILURE, 4, false);
	refused(begun(), NULL, "refused");
}

TEST(silence_is_said_and_is_the_end)
{
	struct sec_eap *e = begun();

	wcur_init(&w, buf, sizeof(buf));
	assert_int_equal(sec_eap_relayed(e, NULL, NULL, "is silent", &w),
			 SEC_EAP_NO);
	assert_string_equal(sec_eap_why(e), "is silent");
	assert_int_equal(buf[0], SPI_EAP_FAILURE);
	server_says(SPI_RADIUS_ACCEPT, SUCCESS, 4, true);
	refused(e, NULL, "is silent");	/* it comes too late */
}

TEST(a_client_does_not_speak_twice)
{
	struct sec_eap *e = begun();

	wcur_init(&w, buf, sizeof(buf));
	assert_int_equal(sec_eap_input(e, bytes(ANSWER, 6), &w), SEC_EAP_NO);
	server_says(SPI_RADIUS_ACCEPT, SUCCESS, 4, true);
	refused(e, NULL, "over");
}

TEST(an_answer_to_another_question_is_refused)
{
	struct sec_eap *e = begun();

	server_says(SPI_RADIUS_CHALLENGE, CHALLENGE, 6, false);
	assert_int_equal(relayed(e, NULL), SEC_EAP_MORE);
	wcur_init(&w, buf, sizeof(buf));
	assert_int_equal(sec_eap_input(e, bytes("\x02\x41\x00\x06\x15\x00", 6),
	    &w), SEC_EAP_NO);
	sec_eap_close(e);
}

TEST(a_client_has_nothing_to_relay)
{
	struct sec_eap_conf c = { .is_relay = true,
				  .user = bytes("hanako", 6) };
	struct sec_eap *e = NULL;

	assert_int_equal(sec_eap_open(&c, &e), ERR_RANGE);
	assert_null(e);
}
