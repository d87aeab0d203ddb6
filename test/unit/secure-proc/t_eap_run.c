/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_eap_run.c - EAP conversations: two ends that talk,
 * and one end with a liar.
 */
#include "secure-proc/eap/run.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

#define ROOM 2048

/* What an end knows. */
struct knows {
	const char *user;
	const char *pass;	/* NULL: nobody */
	unsigned n_asked;
};

static int
nt_hash(void *ctx, struct view user, uint8_t out[SPI_EAP_NT_HASH])
{
	struct knows *k = ctx;

	k->n_asked++;
	if (k->pass == NULL || user.len != strlen(k->user) ||
	    memcmp(user.p, k->user, user.len) != 0)
		return ERR_NOTFOUND;
	return spi_eap_nt_hash((struct view){ (const uint8_t *)k->pass,
					      strlen(k->pass) }, out);
}

static const struct spi_eap_host host = { .nt_hash = nt_hash };

/* One message on its way. */
struct wire {
	uint8_t p[ROOM];
	struct wcur w;
};

static struct view
sent(const struct wire *m)
{
	return wcur_done(&m->w);
}

static void
clear(struct wire *m)
{
	wcur_init(&m->w, m->p, sizeof(m->p));
}

static struct sec_eap *
make(bool is_server, const char *user, struct knows *k)
{
	struct sec_eap_conf c = {
		.is_server = is_server, .host = &host, .ctx = k,
		.method = { spi_eap_named("mschapv2") }, .n_method = 1,
		.user = { (const uint8_t *)user, strlen(user) },
		.name = { (const uint8_t *)"gate", 4 },
	};
	struct sec_eap *e = NULL;

	assert_int_equal(c.method[0]->init(), 0);
	assert_int_equal(sec_eap_open(&c, &e), 0);
	return e;
}

/* Let both talk to the end; what each came to. */
static void
talk(struct sec_eap *srv, struct sec_eap *cli, enum sec_eap_end *srv_end,
     enum sec_eap_end *cli_end)
{
	struct wire down, up;

	clear(&down);
	*srv_end = sec_eap_start(srv, &down.w);
	*cli_end = SEC_EAP_MORE;
	for (unsigned i = 0; i < 20; i++) {
		clear(&up);
		*cli_end = sec_eap_input(cli, sent(&down), &up.w);
		if (*srv_end != SEC_EAP_MORE || up.w.len == 0)
			return;
		clear(&down);
		*srv_end = sec_eap_input(srv, sent(&up), &down.w);
	}
	fail_msg("they never end");
}

/* The answer of e to a message written as hex. */
static enum sec_eap_end
say(struct sec_eap *e, const char *hex, struct wire *out)
{
	uint8_t in[ROOM];
	size_t n = test_hex(hex, in, sizeof(in));

	clear(out);
	return sec_eap_input(e, (struct view){ in, n }, &out->w);
}

TEST(the_right_password_gives_both_ends_the_same_key)
{
	struct knows k = { "hanako", "secret", 0 };
	struct sec_eap *srv = make(true, "", &k);
	struct sec_eap *cli = make(false, "hanako", &k);
	enum sec_eap_end s, c;

	talk(srv, cli, &s, &c);
	assert_int_equal(s, SEC_EAP_OK);
	assert_int_equal(c, SEC_EAP_OK);
	assert_int_equal(sec_eap_msk(srv).len, SPI_EAP_MSK);
	assert_memory_equal(sec_eap_msk(srv).p, sec_eap_msk(cli).p,
			    SPI_EAP_MSK);
	assert_string_equal(sec_eap_user(srv), "hanako");
	sec_eap_close(srv);
	sec_eap_close(cli);
}

TEST(a_wrong_password_gives_no_key)
{
	struct knows right = { "hanako", "secret", 0 };
	struct knows wrong = { "hanako", "Secret", 0 };
	struct sec_eap *srv = make(true, "", &right);
	struct sec_eap *cli = make(false, "hanako", &wrong);
	enum sec_eap_end s, c;

	talk(srv, cli, &s, &c);
	assert_int_equal(s, SEC_EAP_NO);
	assert_int_equal(c, SEC_EAP_NO);
	assert_int_equal(sec_eap_msk(srv).len, 0);
	assert_int_equal(sec_eap_msk(cli).len, 0);
	assert_string_equal(sec_eap_user(srv), "");
	assert_string_equal(sec_eap_why(srv), "wrong password");
	assert_string_equal(sec_eap_why(cli),
			    "wrong user name or password");
	sec_eap_close(srv);
	sec_eap_close(cli);
}

/* Sizes of what a server says to a client with this password. */
static void
sizes(const char *pass, size_t n[4])
{
	struct knows srv_k = { "hanako", pass, 0 };
	struct knows cli_k = { "hanako", "guess", 0 };
	struct sec_eap *srv = make(true, "", &srv_k);
	struct sec_eap *cli = make(false, "hanako", &cli_k);
	struct wire down, up;

	clear(&down);
	(void)sec_eap_start(srv, &down.w);
	for (unsigned i = 0; i < 4; i++) {
		n[i] = down.w.len;
		clear(&up);
		(void)sec_eap_input(cli, sent(&down), &up.w);
		if (up.w.len == 0)
			break;
		clear(&down);
		(void)sec_eap_input(srv, sent(&up), &down.w);
	}
	assert_int_equal(srv_k.n_asked, 1);
	sec_eap_close(srv);
	sec_eap_close(cli);
}

TEST(who_is_not_known_is_refused_like_who_has_a_wrong_password)
{
	size_t known[4] = { 0 }, unknown[4] = { 0 };

	sizes("secret", known);
	sizes(NULL, unknown);
	assert_memory_equal(known, unknown, sizeof(known));
	assert_true(known[2] > 0);
}

TEST(a_client_believes_no_success_before_the_method_has_finished)
{
	struct knows k = { "hanako", "secret", 0 };
	struct sec_eap *cli = make(false, "hanako", &k);
	struct wire out;

	assert_int_equal(say(cli, "03 01 0004", &out), SEC_EAP_NO);
	assert_int_equal(sec_eap_msk(cli).len, 0);
	sec_eap_close(cli);

	cli = make(false, "hanako", &k);
	assert_int_equal(say(cli, "01 01 0005 01", &out), SEC_EAP_MORE);
	assert_int_equal(say(cli, "01 02 001a 1a 01 02 0015 10"
			     "000102030405060708090a0b0c0d0e0f", &out),
			 SEC_EAP_MORE);
	assert_int_equal(say(cli, "03 02 0004", &out), SEC_EAP_NO);
	assert_string_equal(sec_eap_why(cli),
			    "Success before the method has finished");
	sec_eap_close(cli);
}

TEST(a_client_does_not_believe_a_server_without_its_password)
{
	struct knows k = { "hanako", "secret", 0 };
	struct sec_eap *cli = make(false, "hanako", &k);
	struct wire out;

	assert_int_equal(say(cli, "01 02 001a 1a 01 02 0015 10"
			     "000102030405060708090a0b0c0d0e0f", &out),
			 SEC_EAP_MORE);
	assert_int_equal(say(cli, "01 03 0033 1a 03 02 002e"
			     "533d3030303030303030303030303030303030303030"
			     "3030303030303030303030303030303030303030",
			     &out), SEC_EAP_NO);
	assert_string_equal(sec_eap_why(cli),
			    "the server does not know our password");
	sec_eap_close(cli);
}

TEST(a_client_answers_another_method_with_nak_and_its_own)
{
	struct knows k = { "hanako", "secret", 0 };
	struct sec_eap *cli = make(false, "hanako", &k);
	struct wire out;
	static const uint8_t nak[] = { 2, 9, 0, 6, SPI_EAP_NAK,
				       SPI_EAP_MSCHAPV2 };

	/* MD5-Challenge: a downgrade that is not even possible */
	assert_int_equal(say(cli, "01 09 0016 04 10"
			     "000102030405060708090a0b0c0d0e0f", &out),
			 SEC_EAP_MORE);
	assert_int_equal(out.w.len, sizeof(nak));
	assert_memory_equal(out.p, nak, sizeof(nak));
	assert_int_equal(k.n_asked, 0);
	sec_eap_close(cli);
}

TEST(a_server_refuses_a_client_that_takes_none_of_its_methods)
{
	struct knows k = { "hanako", "secret", 0 };
	struct sec_eap *srv = make(true, "", &k);
	struct wire down;
	char hex[64];
	uint8_t id;

	clear(&down);
	assert_int_equal(sec_eap_start(srv, &down.w), SEC_EAP_MORE);
	id = down.p[1];
	snprintf(hex, sizeof(hex), "02 %02x 0006 01 61", id);
	assert_int_equal(say(srv, hex, &down), SEC_EAP_MORE);
	id = down.p[1];
	snprintf(hex, sizeof(hex), "02 %02x 0007 03 0d 04", id);
	assert_int_equal(say(srv, hex, &down), SEC_EAP_NO);
	assert_int_equal(down.p[0], SPI_EAP_FAILURE);
	assert_int_equal(down.w.len, 4);
	sec_eap_close(srv);
}

TEST(a_server_refuses_another_identifier)
{
	struct knows k = { "hanako", "secret", 0 };
	struct sec_eap *srv = make(true, "", &k);
	struct wire down;
	char hex[64];

	clear(&down);
	assert_int_equal(sec_eap_start(srv, &down.w), SEC_EAP_MORE);
	snprintf(hex, sizeof(hex), "02 %02x 0006 01 61",
		 (uint8_t)(down.p[1] + 1));
	assert_int_equal(say(srv, hex, &down), SEC_EAP_NO);
	sec_eap_close(srv);
}

TEST(a_server_takes_no_identity_with_control_characters)
{
	static const char *const bad[] = { "0005 01", "0007 01 6100",
					   "0007 01 610a", "0007 01 7f61" };
	struct knows k = { "hanako", "secret", 0 };

	for (size_t i = 0; i < N_OF(bad); i++) {
		struct sec_eap *srv = make(true, "", &k);
		struct wire down;
		char hex[64];

		clear(&down);
		(void)sec_eap_start(srv, &down.w);
		snprintf(hex, sizeof(hex), "02 %02x %s", down.p[1], bad[i]);
		assert_int_equal(say(srv, hex, &down), SEC_EAP_NO);
		sec_eap_close(srv);
	}
}

TEST(a_response_under_another_name_is_refused)
{
	struct knows k = { "hanako", "secret", 0 };
	struct sec_eap *srv = make(true, "", &k);
	struct sec_eap *cli = make(false, "hanako", &k);
	struct wire down, up;
	char hex[64];

	/* says it is taro, and proves to be hanako */
	clear(&down);
	(void)sec_eap_start(srv, &down.w);
	snprintf(hex, sizeof(hex), "02 %02x 0009 01 7461726f", down.p[1]);
	assert_int_equal(say(srv, hex, &down), SEC_EAP_MORE);
	clear(&up);
	assert_int_equal(sec_eap_input(cli, sent(&down), &up.w),
			 SEC_EAP_MORE);
	clear(&down);
	assert_int_equal(sec_eap_input(srv, sent(&up), &down.w),
			 SEC_EAP_MORE);
	assert_int_equal(down.p[5], 4);		/* Failure of the method */
	assert_int_equal(sec_eap_msk(srv).len, 0);
	sec_eap_close(srv);
	sec_eap_close(cli);
}

TEST(a_domain_in_front_of_the_name_in_the_response_does_not_matter)
{
	struct knows k = { "CORP\\hanako", "secret", 0 };
	struct sec_eap *srv = make(true, "", &k);
	struct sec_eap *cli = make(false, "CORP\\hanako", &k);
	enum sec_eap_end s, c;

	talk(srv, cli, &s, &c);
	assert_int_equal(s, SEC_EAP_OK);
	assert_int_equal(c, SEC_EAP_OK);
	sec_eap_close(srv);
	sec_eap_close(cli);
}

TEST(a_conversation_without_end_is_ended)
{
	struct knows k = { "hanako", "secret", 0 };
	struct sec_eap *cli = make(false, "hanako", &k);
	struct wire out;

	for (unsigned i = 0; i < SEC_EAP_ROUNDS; i++)
		assert_int_equal(say(cli, "01 01 0005 02", &out),
				 SEC_EAP_MORE);
	assert_int_equal(say(cli, "01 01 0005 02", &out), SEC_EAP_NO);
	sec_eap_close(cli);
}

TEST(after_the_end_nothing_is_taken_and_the_key_is_gone)
{
	struct knows k = { "hanako", "secret", 0 };
	struct sec_eap *srv = make(true, "", &k);
	struct sec_eap *cli = make(false, "hanako", &k);
	enum sec_eap_end s, c;
	struct wire out;

	talk(srv, cli, &s, &c);
	assert_int_equal(say(srv, "02 01 0006 01 61", &out), SEC_EAP_NO);
	assert_int_equal(sec_eap_msk(srv).len, 0);
	assert_int_equal(say(cli, "03 01 0004", &out), SEC_EAP_NO);
	assert_int_equal(sec_eap_msk(cli).len, 0);
	sec_eap_close(srv);
	sec_eap_close(cli);
}

TEST(a_client_needs_a_name)
{
	struct sec_eap_conf c = {
		.host = &host, .method = { spi_eap_named("mschapv2") },
		.n_method = 1
	};
	struct sec_eap *e = NULL;

	assert_int_equal(sec_eap_open(&c, &e), ERR_SYNTAX);
	c.n_method = 0;
	assert_int_equal(sec_eap_open(&c, &e), ERR_RANGE);
	assert_null(e);
}
