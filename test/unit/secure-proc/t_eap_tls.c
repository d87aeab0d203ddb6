/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_eap_tls.c - EAP-TLS: both ends talk, certificates
 * are looked at before anything follows.
 */
#include "secure-proc/eap/run.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "spi/eap-tls/eap_tls.h"
#include "spi/spi_eap_tls.h"
#include "test/lib/test.h"
#include "test/unit/secure-proc/pki.h"

#define ROOM 2048

struct end {
	struct sec_eap *e;
	struct spi_eap_tls *tls;
	unsigned n_look;	/* how often it was asked */
	size_t leaf_len;	/* of what it was shown */
	int verdict;		/* what it says about it */
};

static int
look(void *ctx, const struct view *der, unsigned n)
{
	struct end *x = ctx;

	assert_true(n > 0);
	x->n_look++;
	x->leaf_len = der[0].len;
	return 0;
}

static const struct spi_eap_host host = { .look = look };

/* PEM of a certificate and its key, in memory. */
static void
pem(const char *cn, char *cert, size_t cert_cap, char *key, size_t key_cap)
{
	EVP_PKEY *k = pki_key("EC", "P-256");
	X509 *x = pki_cert(&(struct pki_spec){ .cn = cn, .key = k });
	BIO *b = BIO_new(BIO_s_mem());
	int n;

	assert_int_equal(PEM_write_bio_X509(b, x), 1);
	n = BIO_read(b, cert, (int)cert_cap - 1);
	assert_true(n > 0);
	cert[n] = '\0';
	assert_int_equal(PEM_write_bio_PrivateKey(b, k, NULL, NULL, 0, NULL,
						  NULL), 1);
	n = BIO_read(b, key, (int)key_cap - 1);
	assert_true(n > 0);
	key[n] = '\0';
	BIO_free(b);
	X509_free(x);
	EVP_PKEY_free(k);
}

static void
make(struct end *x, bool is_server, bool is_12, unsigned n_chain)
{
	static char cert[4096], key[4096], chain[64 << 10];
	char why[SPI_EAP_WHY_MAX];
	struct spi_eap_tls_conf c = {
		.is_server = is_server, .is_12_permitted = is_12
	};
	struct sec_eap_conf ec = {
		.is_server = is_server, .method = { spi_eap_named("tls") },
		.n_method = 1, .user = { (const uint8_t *)"hanako", 6 },
		.host = &host, .ctx = x
	};

	memset(x, 0, sizeof(*x));
	pem(is_server ? "gate" : "hanako", cert, sizeof(cert), key,
	    sizeof(key));
	chain[0] = '\0';
	for (unsigned i = 0; i < n_chain; i++)
		str_add(chain, sizeof(chain), "%s", cert);
	c.chain = (struct view){ (uint8_t *)chain, strlen(chain) };
	c.key = (struct view){ (uint8_t *)key, strlen(key) };
	assert_int_equal(spi_eap_tls_new(&c, &x->tls, why), 0);
	ec.tls = x->tls;
	assert_int_equal(sec_eap_open(&ec, &x->e), 0);
}

static void
drop(struct end *x)
{
	sec_eap_close(x->e);
	spi_eap_tls_free(x->tls);
}

static enum sec_eap_end
give(struct end *x, struct view in, struct wcur *out)
{
	enum sec_eap_end r = sec_eap_input(x->e, in, out);

	if (r != SEC_EAP_WAIT)
		return r;
	/* nothing is said before the verdict */
	assert_int_equal(out->len, 0);
	return sec_eap_go_on(x->e, x->verdict, "not good", out);
}

static void
talk(struct end *srv, struct end *cli, enum sec_eap_end *s, enum sec_eap_end *c)
{
	static uint8_t down[ROOM], up[ROOM];
	struct wcur d, u;

	wcur_init(&d, down, sizeof(down));
	*s = sec_eap_start(srv->e, &d);
	for (unsigned i = 0; i < 60; i++) {
		assert_true(d.len <= SPI_EAP_MTU);
		wcur_init(&u, up, sizeof(up));
		*c = give(cli, wcur_done(&d), &u);
		assert_true(u.len <= SPI_EAP_MTU);
		if (*s != SEC_EAP_MORE || u.len == 0)
			return;
		wcur_init(&d, down, sizeof(down));
		*s = give(srv, wcur_done(&u), &d);
	}
	fail_msg("they never end");
}

static void
works(bool srv_12, bool cli_12, unsigned n_chain)
{
	struct end srv, cli;
	enum sec_eap_end s, c;

	make(&srv, true, srv_12, n_chain);
	make(&cli, false, cli_12, n_chain);
	talk(&srv, &cli, &s, &c);
	assert_int_equal(s, SEC_EAP_OK);
	assert_int_equal(c, SEC_EAP_OK);
	assert_int_equal(srv.n_look, 1);
	assert_int_equal(cli.n_look, 1);
	assert_memory_equal(sec_eap_msk(srv.e).p, sec_eap_msk(cli.e).p,
			    SPI_EAP_MSK);
	assert_string_equal(sec_eap_user(srv.e), "hanako");
	drop(&srv);
	drop(&cli);
}

TEST(two_ends_that_look_at_each_other_get_the_same_key)
{
	works(false, false, 1);
}

TEST(a_long_chain_goes_in_pieces)
{
	works(false, false, 8);
}

static void
only_12(struct end *x)
{
	assert_int_equal(SSL_CTX_set_max_proto_version(x->tls->ctx,
						       TLS1_2_VERSION), 1);
}

TEST(tls_1_2_works_where_it_is_permitted)
{
	struct end srv, cli;
	enum sec_eap_end s, c;

	make(&srv, true, true, 2);
	make(&cli, false, true, 2);
	/* what is made of it later is of the old kind */
	only_12(&cli);
	sec_eap_close(cli.e);
	assert_int_equal(sec_eap_open(&(struct sec_eap_conf){
		.method = { spi_eap_named("tls") }, .n_method = 1,
		.user = { (const uint8_t *)"hanako", 6 }, .host = &host,
		.ctx = &cli, .tls = cli.tls }, &cli.e), 0);
	talk(&srv, &cli, &s, &c);
	assert_int_equal(s, SEC_EAP_OK);
	assert_int_equal(c, SEC_EAP_OK);
	assert_memory_equal(sec_eap_msk(srv.e).p, sec_eap_msk(cli.e).p,
			    SPI_EAP_MSK);
	drop(&srv);
	drop(&cli);
}

TEST(nobody_is_talked_down_to_tls_1_2)
{
	struct end srv, cli;
	enum sec_eap_end s, c;

	make(&srv, true, false, 1);
	make(&cli, false, true, 1);
	only_12(&cli);
	sec_eap_close(cli.e);
	assert_int_equal(sec_eap_open(&(struct sec_eap_conf){
		.method = { spi_eap_named("tls") }, .n_method = 1,
		.user = { (const uint8_t *)"hanako", 6 }, .host = &host,
		.ctx = &cli, .tls = cli.tls }, &cli.e), 0);
	talk(&srv, &cli, &s, &c);
	assert_int_equal(s, SEC_EAP_NO);
	assert_int_equal(c, SEC_EAP_NO);
	assert_int_equal(srv.n_look, 0);
	drop(&srv);
	drop(&cli);
}

TEST(a_server_that_does_not_like_the_certificate_gives_no_key)
{
	struct end srv, cli;
	enum sec_eap_end s, c;

	make(&srv, true, false, 1);
	make(&cli, false, false, 1);
	srv.verdict = ERR_AUTH;
	talk(&srv, &cli, &s, &c);
	assert_int_equal(s, SEC_EAP_NO);
	assert_int_equal(c, SEC_EAP_NO);
	assert_int_equal(sec_eap_msk(srv.e).len, 0);
	assert_int_equal(sec_eap_msk(cli.e).len, 0);
	assert_string_equal(sec_eap_why(srv.e), "not good");
	drop(&srv);
	drop(&cli);
}

TEST(a_client_that_does_not_like_the_server_shows_nothing_of_itself)
{
	struct end srv, cli;
	enum sec_eap_end s, c;

	make(&srv, true, false, 1);
	make(&cli, false, false, 1);
	cli.verdict = ERR_AUTH;
	talk(&srv, &cli, &s, &c);
	assert_int_equal(c, SEC_EAP_NO);
	assert_int_equal(srv.n_look, 0);
	assert_int_equal(sec_eap_msk(srv.e).len, 0);
	drop(&srv);
	drop(&cli);
}

TEST(a_key_of_another_certificate_is_refused)
{
	static char cert[4096], key[4096], other[4096];
	char why[SPI_EAP_WHY_MAX];
	struct spi_eap_tls *t = NULL;
	struct spi_eap_tls_conf c = { .is_server = true };

	pem("a", cert, sizeof(cert), key, sizeof(key));
	pem("b", other, sizeof(other), key, sizeof(key));
	c.chain = (struct view){ (uint8_t *)cert, strlen(cert) };
	c.key = (struct view){ (uint8_t *)key, strlen(key) };
	assert_int_equal(spi_eap_tls_new(&c, &t, why), ERR_KEYFILE);
	assert_true(strlen(why) > 0);
	c.chain.len = 0;
	assert_int_equal(spi_eap_tls_new(&c, &t, why), ERR_KEYFILE);
}

TEST(authorities_are_named_to_clients)
{
	static char cert[4096], key[4096], two[8192] = "some words\n";
	char why[SPI_EAP_WHY_MAX];
	struct spi_eap_tls *t = NULL;
	struct spi_eap_tls_conf c = { .is_server = true };
	struct view file[2] = { { (const uint8_t *)two, 0 },
				{ (const uint8_t *)"no certificate", 14 } };

	pem("first", cert, sizeof(cert), key, sizeof(key));
	str_add(two, sizeof(two), "%s", cert);
	pem("second", cert, sizeof(cert), key, sizeof(key));
	str_add(two, sizeof(two), "%s", cert);
	file[0].len = strlen(two);
	c.chain = (struct view){ (uint8_t *)cert, strlen(cert) };
	c.key = (struct view){ (uint8_t *)key, strlen(key) };
	c.anchor = file;
	c.n_anchor = 1;
	assert_int_equal(spi_eap_tls_new(&c, &t, why), 0);
	assert_int_equal(sk_X509_NAME_num(SSL_CTX_get_client_CA_list(t->ctx)),
	    2);
	spi_eap_tls_free(t);
	c.n_anchor = 2;
	assert_int_equal(spi_eap_tls_new(&c, &t, why), ERR_KEYFILE);
}

/* ---- pieces ---------------------------------------------------------------------- */

static enum eap_piece
piece(struct eap_frag *f, const char *hex)
{
	uint8_t in[64], flags;
	size_t n = test_hex(hex, in, sizeof(in));

	return eap_frag_take(f, (struct view){ in, n }, &flags);
}

TEST(pieces_keep_to_the_length_the_first_one_spoke_of)
{
	struct eap_frag f = { 0 };

	assert_int_equal(piece(&f, "c0 00000004 aabb"), EAP_PIECE_MORE);
	assert_int_equal(piece(&f, "00 ccdd"), EAP_PIECE_WHOLE);
	assert_int_equal(f.in_len, 4);
	eap_frag_taken(&f);
	assert_int_equal(piece(&f, "c0 00000004 aabb"), EAP_PIECE_MORE);
	assert_int_equal(piece(&f, "00 cc"), EAP_PIECE_BAD);
	eap_frag_taken(&f);
	assert_int_equal(piece(&f, "80 00000001 aabb"), EAP_PIECE_BAD);
	eap_frag_fini(&f);
}

TEST(a_huge_length_allocates_nothing)
{
	struct eap_frag f = { 0 };

	assert_int_equal(piece(&f, "c0 ffffffff aa"), EAP_PIECE_BAD);
	assert_int_equal(f.in_cap, 0);
	assert_int_equal(piece(&f, "c0 00010000 aa"), EAP_PIECE_MORE);
	assert_true(f.in_cap < 16);
	eap_frag_fini(&f);
}

TEST(a_piece_without_bytes_or_flags_is_none)
{
	struct eap_frag f = { 0 };

	assert_int_equal(piece(&f, ""), EAP_PIECE_BAD);
	assert_int_equal(piece(&f, "40"), EAP_PIECE_BAD);
	assert_int_equal(piece(&f, "80 0000"), EAP_PIECE_BAD);
	eap_frag_fini(&f);
}
