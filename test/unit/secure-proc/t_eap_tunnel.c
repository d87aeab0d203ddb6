/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_eap_tunnel.c - EAP-TTLS and PEAP as a client: what it
 * says in the tunnel, and when; servers that do not know the password, are not the
 * right ones, or say what does not belong there.
 */
#include "secure-proc/eap/run.h"
#include <string.h>
#include "daemon/base/err.h"
#include "spi/eap-tls/eap_tls.h"
#include "test/lib/test.h"
#include "test/unit/secure-proc/pki.h"

#define ROOM 2048
#define USER "hanako@corp.example.com"
#define AVP  "0000004f"

extern const struct spi_eap spi_eap_mschapv2;

/* What a server does in the tunnel after the last message of MSCHAPv2. */
enum last {
	L_SUCCESS,	/* nothing: a Success outside */
	L_INSIDE,	/* an EAP Success inside before it */
	L_EMPTY		/* a message without any AVP */
};

/* A server of EAP-TTLS or PEAP, for tests: the tunnel is that of the provider. */
struct server {
	struct spi_eap_tls *tls;
	struct eap_wire w;
	struct sec_eap *in;	/* MSCHAPv2 in the tunnel */
	const char *word;	/* the password it knows */
	enum last last;
	const char *odd;	/* AVPs it sends in place of its first message */
	bool is_peap, is_12, has_begun, is_proved, has_ended, has_result;
	uint8_t in_id;		/* PEAP: of the message in the tunnel */
	char claim[SPI_EAP_USER_MAX + 1];
	uint8_t id, msk[SPI_EAP_MSK];
};

struct client {
	bool is_peap;
	struct sec_eap *e;
	struct spi_eap_tls *tls;
	const char *word;
	unsigned n_look;
	int verdict;
};

static int
hash_of(const char *word, uint8_t out[SPI_EAP_NT_HASH])
{
	return spi_eap_nt_hash((struct view){ (const uint8_t *)word,
					      strlen(word) }, out);
}

static int
server_hash(void *ctx, struct view user, uint8_t out[SPI_EAP_NT_HASH])
{
	const struct server *s = ctx;

	return user.len != strlen(USER) ? ERR_NOTFOUND : hash_of(s->word, out);
}

static int
client_hash(void *ctx, struct view user UNUSED, uint8_t out[SPI_EAP_NT_HASH])
{
	return hash_of(((struct client *)ctx)->word, out);
}

static int
look(void *ctx, const struct view *der UNUSED, unsigned n)
{
	assert_true(n > 0);
	((struct client *)ctx)->n_look++;
	return 0;
}

static const struct spi_eap_host server_host = { .nt_hash = server_hash };
static const struct spi_eap_host client_host = { .nt_hash = client_hash,
						 .look = look };

static void
server_open(struct server *s)
{
	EVP_PKEY *k = pki_key("EC", "P-256");
	X509 *x = pki_cert(&(struct pki_spec){ .cn = "aaa", .key = k });
	BIO *cert = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());
	struct spi_eap_tls_conf c = { .is_server = true,
				      .is_12_permitted = true };
	struct sec_eap_conf in = {
		.is_server = true, .host = &server_host, .ctx = s,
		.method = { spi_eap_named("mschapv2") }, .n_method = 1,
		.name = { (const uint8_t *)"aaa", 3 },
	};
	char why[SPI_EAP_WHY_MAX];
	char *p;

	assert_int_equal(spi_eap_mschapv2.init(), 0);
	assert_int_equal(PEM_write_bio_X509(cert, x), 1);
	assert_int_equal(PEM_write_bio_PrivateKey(key, k, NULL, NULL, 0, NULL,
						  NULL), 1);
	c.chain.len = (size_t)BIO_get_mem_data(cert, &p);
	c.chain.p = (const uint8_t *)p;
	c.key.len = (size_t)BIO_get_mem_data(key, &p);
	c.key.p = (const uint8_t *)p;
	assert_int_equal(spi_eap_tls_new(&c, &s->tls, why), 0);
	SSL_CTX_set_verify(s->tls->ctx, SSL_VERIFY_NONE, NULL);
	if (s->is_12)
		SSL_CTX_set_max_proto_version(s->tls->ctx, TLS1_2_VERSION);
	assert_int_equal(eap_wire_open(&s->w, s->tls), 0);
	assert_int_equal(sec_eap_open(&in, &s->in), 0);
	BIO_free(cert);
	BIO_free(key);
	X509_free(x);
	EVP_PKEY_free(k);
}

static void
server_close(struct server *s)
{
	sec_eap_close(s->in);
	eap_wire_fini(&s->w);
	spi_eap_tls_free(s->tls);
}

static void
client_open(struct client *c)
{
	struct spi_eap_tls_conf tc = { .is_12_permitted = true };
	struct sec_eap_conf ec = {
		.method = { spi_eap_named("ttls") }, .n_method = 1,
		.user = { (const uint8_t *)USER, strlen(USER) },
		.host = &client_host, .ctx = c,
	};
	char why[SPI_EAP_WHY_MAX];

	if (c->is_peap)
		ec.method[0] = spi_eap_named("peap");
	assert_int_equal(ec.method[0]->init(), 0);
	assert_int_equal(spi_eap_tls_new(&tc, &c->tls, why), 0);
	ec.tls = c->tls;
	assert_int_equal(sec_eap_open(&ec, &c->e), 0);
}

static void
client_close(struct client *c)
{
	sec_eap_close(c->e);
	spi_eap_tls_free(c->tls);
}

/* ---- the server's side ------------------------------------------------------------ */

static void
tell(struct server *s, const void *p, size_t n)
{
	if (n > 0)
		assert_int_equal(SSL_write(s->w.ssl, p, (int)n), (int)n);
	assert_int_equal(eap_wire_collect(&s->w), 0);
}

static void
tell_eap(struct server *s, struct view eap)
{
	uint8_t buf[ROOM];
	struct wcur w;

	s->in_id = eap.p[1];
	if (s->is_peap) {
		tell(s, eap.p + 4, eap.len - 4);
		return;
	}
	wcur_init(&w, buf, sizeof(buf));
	wcur_u32(&w, 79);
	wcur_u32(&w, (uint32_t)(8 + eap.len));
	wcur_view(&w, eap);
	wcur_zero(&w, (4 - eap.len % 4) % 4);
	tell(s, buf, w.len);
}

/* The EAP message in an AVP: our client writes one and nothing else. */
static struct view
of_avp(const uint8_t *buf, size_t n)
{
	size_t len;

	assert_true(n > 8 && n % 4 == 0);
	assert_int_equal(be32_get(buf), 79);
	assert_int_equal(buf[4], 0x40);
	len = (be32_get(buf + 4) & 0xffffff) - 8;
	assert_int_equal((len + 3) / 4 * 4 + 8, n);
	return (struct view){ buf + 8, len };
}

/* ... and one without its header, but Results. */
static struct view
of_peap(const struct server *s, uint8_t *buf, size_t n)
{
	assert_true(n > 0 && n < ROOM - 4);
	if (s->has_ended)
		return (struct view){ buf, n };
	memmove(buf + 4, buf, n);
	buf[0] = SPI_EAP_RESPONSE;
	buf[1] = s->in_id;
	be16_put(buf + 2, (uint16_t)(n + 4));
	return (struct view){ buf, n + 4 };
}

static void
tell_odd(struct server *s)
{
	uint8_t buf[ROOM];

	tell(s, buf, test_hex(s->odd, buf, sizeof(buf)));
}

/* PEAP: what came of it, in the tunnel. */
static void
tell_result(struct server *s)
{
	uint8_t buf[32];

	tell(s, buf, test_hex(s->is_proved ? "01 77 000b 21 8003 0002 0001" :
	    "01 77 000b 21 8003 0002 0002", buf, sizeof(buf)));
}

static void
hear(struct server *s)
{
	uint8_t buf[ROOM], out[ROOM];
	int n = SSL_read(s->w.ssl, buf, sizeof(buf));
	enum sec_eap_end end;
	struct spi_eap_msg m;
	struct view in;
	struct wcur w;

	assert_true(n > 0);
	in = s->is_peap ? of_peap(s, buf, (size_t)n) : of_avp(buf, (size_t)n);
	assert_int_equal(spi_eap_dec(in, &m), 0);
	wcur_init(&w, out, sizeof(out));
	if (m.type == SPI_EAP_IDENTITY) {
		memcpy(s->claim, m.data.p, m.data.len);
		if (s->odd != NULL) {
			tell_odd(s);
			s->has_begun = true;
			return;
		}
	}
	/* with TTLS it says who it is without being asked; ours asks first */
	if (!s->has_begun) {
		assert_int_equal(m.type, SPI_EAP_IDENTITY);
		s->has_begun = true;
		assert_int_equal(sec_eap_start(s->in, &w), SEC_EAP_MORE);
		tell_eap(s, wcur_done(&w));
		return;
	}
	if (s->has_ended) {		/* PEAP: its Result */
		assert_int_equal(m.type, SPI_EAP_TLV);
		assert_int_equal(m.id, 0x77);
		s->has_result = true;
		return;
	}
	end = sec_eap_input(s->in, in, &w);
	if (end == SEC_EAP_MORE) {
		tell_eap(s, wcur_done(&w));
		return;
	}
	s->has_ended = true;
	s->is_proved = end == SEC_EAP_OK;
	if (s->is_proved)
		assert_int_equal(eap_wire_key(&s->w, s->is_peap ?
		    "client EAP encryption" : "ttls keying material", s->is_peap ?
		    SPI_EAP_PEAP : SPI_EAP_TTLS, s->msk), 0);
	if (s->is_peap)
		tell_result(s);
	else if (s->is_proved && s->last == L_INSIDE)
		tell_eap(s, wcur_done(&w));
}

/* PEAP: the server asks first. */
static void
begin_peap(struct server *s)
{
	uint8_t out[ROOM];
	struct wcur w;

	s->has_begun = true;
	wcur_init(&w, out, sizeof(out));
	assert_int_equal(sec_eap_start(s->in, &w), SEC_EAP_MORE);
	tell_eap(s, wcur_done(&w));
}

static bool
is_at_end(const struct server *s, bool was_over)
{
	if (s->is_peap)
		return s->has_result;
	return s->has_ended && (was_over || s->last == L_SUCCESS ||
				!s->is_proved);
}

/* One message of the client, and what the server says to it. */
static void
serve(struct server *s, struct view in, struct wcur *out)
{
	struct spi_eap_msg req = { SPI_EAP_REQUEST, ++s->id, s->is_peap ?
		SPI_EAP_PEAP : SPI_EAP_TTLS, { NULL, 0 } };
	uint8_t flags, buf[SPI_EAP_MTU];
	struct spi_eap_msg m;
	bool was_over = s->has_ended;
	struct wcur w;

	assert_int_equal(spi_eap_dec(in, &m), 0);
	assert_int_equal(m.type, req.type);
	if (eap_frag_take(&s->w.frag, m.data, &flags) == EAP_PIECE_WHOLE) {
		bool is_empty = s->w.frag.in_len == 0;

		if (!is_empty)
			assert_int_equal(eap_wire_feed(&s->w), 0);
		else
			eap_frag_taken(&s->w.frag);
		if (!SSL_is_init_finished(s->w.ssl)) {
			(void)eap_wire_shake(&s->w);
			assert_int_equal(eap_wire_collect(&s->w), 0);
		} else if (s->is_peap && !s->has_begun && is_empty) {
			begin_peap(s);
		} else if (s->is_peap ? !is_empty : !was_over) {
			hear(s);
		}
	}
	if (is_at_end(s, was_over)) {
		spi_eap_enc(out, &(struct spi_eap_msg){ s->is_proved ?
			SPI_EAP_SUCCESS : SPI_EAP_FAILURE, req.id, 0,
			{ NULL, 0 } });
		return;
	}
	wcur_init(&w, buf, sizeof(buf));
	eap_frag_put(&s->w.frag, &w, SPI_EAP_MTU - 5);
	req.data = wcur_done(&w);
	spi_eap_enc(out, &req);
}

static enum sec_eap_end
give(struct client *c, struct view in, struct wcur *out)
{
	enum sec_eap_end r = sec_eap_input(c->e, in, out);

	if (r != SEC_EAP_WAIT)
		return r;
	assert_int_equal(out->len, 0);	/* nothing is said before the verdict */
	return sec_eap_go_on(c->e, c->verdict, "not good", out);
}

/* Until the client is at an end; what it came to. */
static enum sec_eap_end
talk(struct server *s, struct client *c)
{
	static uint8_t down[ROOM], up[ROOM];
	enum sec_eap_end end;
	struct wcur d, u;

	wcur_init(&d, down, sizeof(down));
	spi_eap_enc(&d, &(struct spi_eap_msg){ SPI_EAP_REQUEST, ++s->id,
		s->is_peap ? SPI_EAP_PEAP : SPI_EAP_TTLS,
		{ (const uint8_t *)"\x20", 1 } });
	for (unsigned i = 0; i < 40; i++) {
		wcur_init(&u, up, sizeof(up));
		end = give(c, wcur_done(&d), &u);
		assert_true(u.len <= SPI_EAP_MTU);
		if (end != SEC_EAP_MORE)
			return end;
		wcur_init(&d, down, sizeof(down));
		serve(s, wcur_done(&u), &d);
	}
	fail_msg("they never end");
	return SEC_EAP_NO;
}

/* ---- tests -------------------------------------------------------------------------- */

static void
works(bool is_peap, bool is_12, enum last last)
{
	struct server s = { .word = "geheim", .is_12 = is_12, .last = last,
			    .is_peap = is_peap };
	struct client c = { .word = "geheim", .is_peap = is_peap };

	server_open(&s);
	client_open(&c);
	assert_int_equal(talk(&s, &c), SEC_EAP_OK);
	assert_int_equal(c.n_look, 1);
	assert_string_equal(s.claim, USER);
	assert_int_equal(sec_eap_msk(c.e).len, SPI_EAP_MSK);
	assert_memory_equal(sec_eap_msk(c.e).p, s.msk, SPI_EAP_MSK);
	assert_string_equal(sec_eap_user(c.e), USER);
	client_close(&c);
	server_close(&s);
}

TEST(a_password_in_a_tunnel_gives_both_ends_the_same_key)
{
	works(false, false, L_SUCCESS);
	works(false, true, L_SUCCESS);
	works(true, false, L_SUCCESS);
	works(true, true, L_SUCCESS);
}

TEST(a_server_may_go_on_in_the_tunnel_after_it_was_proved)
{
	works(false, false, L_INSIDE);
	works(false, true, L_INSIDE);
	works(false, true, L_EMPTY);
}

static void
refuses(struct server *s, struct client *c, const char *why)
{
	server_open(s);
	client_open(c);
	assert_int_equal(talk(s, c), SEC_EAP_NO);
	assert_int_equal(sec_eap_msk(c->e).len, 0);
	assert_string_equal(sec_eap_why(c->e), why);
	client_close(c);
	server_close(s);
}

TEST(a_wrong_password_gives_no_key)
{
	struct server s = { .word = "geheim" };
	struct client c = { .word = "Geheim" };

	refuses(&s, &c, "wrong user name or password");
	assert_false(s.is_proved);
	s = (struct server){ .word = "geheim", .is_peap = true };
	c = (struct client){ .word = "Geheim", .is_peap = true };
	refuses(&s, &c, "wrong user name or password");
	assert_false(s.is_proved);
}

TEST(a_certificate_that_is_not_good_hears_nothing_of_the_user)
{
	struct server s = { .word = "geheim" };
	struct client c = { .word = "geheim", .verdict = ERR_AUTH };

	refuses(&s, &c, "not good");
	assert_false(s.has_begun);
}

TEST(success_counts_only_after_the_password)
{
	struct server s = { .word = "geheim" };
	struct client c = { .word = "geheim" };
	uint8_t in[8], up[ROOM];
	struct wcur u;

	/* inside: code 3, id 1 */
	s.odd = AVP "4000000c 03010004";
	refuses(&s, &c, "Success before the method has finished");
	/* outside, behind Start */
	client_open(&c);
	wcur_init(&u, up, sizeof(up));
	assert_int_equal(give(&c, (struct view){ in, test_hex(
	    "01 01 0006 15 20", in, sizeof(in)) }, &u), SEC_EAP_MORE);
	wcur_init(&u, up, sizeof(up));
	assert_int_equal(give(&c, (struct view){ in, test_hex("03 01 0004", in,
	    sizeof(in)) }, &u), SEC_EAP_NO);
	client_close(&c);
}

TEST(a_result_of_peap_counts_only_after_the_password)
{
	static const struct {
		const char *odd, *why;
	} odd[] = {
		{ "01 05 000b 21 8003 0002 0001",
		  "Success before the method has finished" },
		{ "01 05 000b 21 8003 0002 0002", "the server refused us" },
		{ "01 05 000b 21 8003 0002 0003", "malformed Result in the tunnel" },
		{ "01 05 0005 21", "malformed Result in the tunnel" },
		{ "01 05 0011 21 8003 0002 0001 8003 0002 0001",
		  "malformed Result in the tunnel" },
		{ "01 05 0011 21 8003 0002 0001 8063 0002 0001",
		  "malformed Result in the tunnel" },
		{ "21 8003 0002 0001", "malformed message in the tunnel" },
		{ "00", "malformed message in the tunnel" },
	};

	for (size_t i = 0; i < N_OF(odd); i++) {
		struct server s = { .word = "geheim", .odd = odd[i].odd,
				    .is_peap = true };
		struct client c = { .word = "geheim", .is_peap = true };

		refuses(&s, &c, odd[i].why);
	}
}

TEST(what_does_not_belong_into_the_tunnel_is_refused)
{
	static const struct {
		const char *odd, *why;
	} odd[] = {
		/* an AVP that has to be understood */
		{ "00000123 4000000c 00000000", "the server wants something in "
		  "the tunnel that we do not know" },
		/* one of a vendor, with the code of an EAP message */
		{ AVP "c0000010 00000137 01010004", "the server wants something "
		  "in the tunnel that we do not know" },
		/* two messages */
		{ AVP "4000000d 01010005 01000000" AVP "4000000d 01010005 01",
		  "malformed message in the tunnel" },
		{ AVP "400000ff 01010005 01", "malformed message in the tunnel" },
		{ AVP "40000007", "malformed message in the tunnel" },
		{ AVP "4000000d 02010005 01", "malformed EAP message in the "
		  "tunnel" },
		{ AVP "4000000c 04010004", "the server refused us" },
	};

	for (size_t i = 0; i < N_OF(odd); i++) {
		struct server s = { .word = "geheim", .odd = odd[i].odd };
		struct client c = { .word = "geheim" };

		refuses(&s, &c, odd[i].why);
	}
}

TEST(other_methods_in_the_tunnel_are_answered_with_a_nak)
{
	/* EAP-MD5 inside, and an AVP that need not be understood before it */
	struct server s = { .word = "geheim", .odd = "00000123 0000000a 61620000"
		AVP "4000000e 01010006 0400" };
	struct client c = { .word = "geheim" };
	static uint8_t down[ROOM], up[ROOM];
	struct wcur d, u;
	uint8_t buf[64];

	server_open(&s);
	client_open(&c);
	wcur_init(&d, down, sizeof(down));
	spi_eap_enc(&d, &(struct spi_eap_msg){ SPI_EAP_REQUEST, ++s.id,
		SPI_EAP_TTLS, { (const uint8_t *)"\x20", 1 } });
	for (unsigned i = 0; i < 20 && !s.has_begun; i++) {
		wcur_init(&u, up, sizeof(up));
		assert_int_equal(give(&c, wcur_done(&d), &u), SEC_EAP_MORE);
		wcur_init(&d, down, sizeof(down));
		serve(&s, wcur_done(&u), &d);
	}
	wcur_init(&u, up, sizeof(up));
	assert_int_equal(give(&c, wcur_done(&d), &u), SEC_EAP_MORE);
	assert_int_equal(eap_frag_take(&s.w.frag, (struct view){ up + 5,
	    u.len - 5 }, buf), EAP_PIECE_WHOLE);
	assert_int_equal(eap_wire_feed(&s.w), 0);
	assert_int_equal(SSL_read(s.w.ssl, buf, sizeof(buf)), 16);
	assert_int_equal(buf[12], SPI_EAP_NAK);
	assert_int_equal(buf[13], SPI_EAP_MSCHAPV2);
	client_close(&c);
	server_close(&s);
}

TEST(nobody_is_asked_by_a_tunnel_here)
{
	const struct spi_eap_conf c = { .is_server = true,
					.host = &server_host };
	struct spi_eap_run *r = NULL;

	assert_int_equal(spi_eap_named("ttls")->open(&c, &r), ERR_UNSUP);
	assert_int_equal(spi_eap_named("peap")->open(&c, &r), ERR_UNSUP);
}
