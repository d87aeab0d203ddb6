/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_check.c - certificates of strangers: names, signatures,
 * and input that is none.  Chains: t_chains.c.
 */
#include "daemon/base/rng.h"
#include "secure-proc/verify/wire.h"
#include "test/unit/secure-proc/chains.h"

TEST(sixty_four_kilobytes_are_looked_at_and_one_more_is_not)
{
	static uint8_t big[9000];
	struct asking a;
	struct sec_checked c;
	X509 *x;

	begin();
	x = leaf_of(root, ec_root);
	a = asking(OFF);
	pki_put_cert(&a.w, x);
	while (a.w.len + sizeof(big) + 3 <= 65535)
		pki_put(&a.w, 200, big, sizeof(big));
	pki_put(&a.w, 200, big, 65535 - a.w.len - 3);
	c = ask(&a);
	good(&c);
	pki_put(&a.w, 200, big, 1);
	c = ask(&a);
	bad(&c, "64 KiB");
	X509_free(x);
	end();
}

/* ---- identities ------------------------------------------------------------------ */

TEST(every_kind_of_identity_is_found_in_its_kind_of_name)
{
	const struct pki_spec s = { .cn = "peer", .key = ec, .issuer = root,
		.issuer_key = ec_root, .san =
		"DNS:peer.example,email:me@Peer.example,IP:192.0.2.1,"
		"IP:2001:db8::1" };
	const struct {
		uint8_t type;
		const char *id;
		bool is_good;
	} rows[] = {
		{ 2, "peer.example", true }, { 2, "peer.example.", false },
		{ 2, "me@Peer.example", false },
		{ 3, "me@peer.EXAMPLE", true }, { 3, "Me@Peer.example", false },
		{ 3, "peer.example", false },
		{ 1, "\xc0\x01\x02\x01", false }, { 11, "peer.example", false },
		{ 9, "peer", false },
	};
	struct sec_checked c;
	X509 *x;

	begin();
	x = pki_cert(&s);
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct asking a = asking(OFF);

		a.id_type = rows[i].type;
		a.id = rows[i].id;
		pki_put_cert(&a.w, x);
		c = ask(&a);
		if ((c.err == 0) != rows[i].is_good)
			fail_msg("%s: %s", rows[i].id, c.why);
	}
	X509_free(x);
	end();
}

/* The identity may hold any byte: asked of the function itself. */
static int
named(X509 *x, const void *id, size_t len, uint8_t type)
{
	uint8_t *der = NULL, body[600] = { type };
	int n = i2d_X509(x, &der);
	struct spi_cert_facts f;
	struct spi_cert *c;
	char why[300];
	int err;

	memcpy(body + 4, id, len);
	assert_int_equal(spi_certs()->cert_read((struct view){ der,
	    (size_t)n }, &c), 0);
	spi_certs()->cert_facts(c, &f);
	err = sec_names_check(c, &f, (struct view){ body, len + 4 }, why,
	    sizeof(why));
	spi_certs()->cert_free(c);
	OPENSSL_free(der);
	return err;
}

TEST(addresses_and_subjects_are_compared_as_bytes_and_as_names)
{
	const struct pki_spec s = { .cn = "Peer", .key = ec, .issuer = root,
		.issuer_key = ec_root, .san = "DNS:x.example,IP:192.0.2.1" };
	const uint8_t ip[4] = { 192, 0, 2, 1 };
	uint8_t *dn = NULL;
	X509_NAME *turned;
	X509 *x;
	int n;

	begin();
	x = pki_cert(&s);
	assert_int_equal(named(x, ip, 4, 1), 0);
	assert_int_equal(named(x, ip, 4, 2), ERR_AUTH);
	assert_int_equal(named(x, ip, 3, 1), ERR_AUTH);
	assert_int_equal(named(x, "x.example\0.evil", 15, 2), ERR_AUTH);
	assert_int_equal(named(x, "x.example", 9, 2), 0);
	n = i2d_X509_NAME(X509_get_subject_name(x), &dn);
	assert_int_equal(named(x, dn, (size_t)n, 9), 0);
	assert_int_equal(named(x, dn, (size_t)n - 1, 9), ERR_AUTH);
	OPENSSL_free(dn);
	/* The same parts in another order are another name. */
	turned = X509_NAME_new();
	X509_NAME_add_entry_by_txt(turned, "CN", MBSTRING_ASC,
	    (const uint8_t *)"Peer", -1, -1, 0);
	X509_NAME_add_entry_by_txt(turned, "O", MBSTRING_ASC,
	    (const uint8_t *)"Test", -1, -1, 0);
	dn = NULL;
	n = i2d_X509_NAME(turned, &dn);
	assert_int_equal(named(x, dn, (size_t)n, 9), ERR_AUTH);
	OPENSSL_free(dn);
	X509_NAME_free(turned);
	X509_free(x);
	end();
}

/* ---- signatures ---------------------------------------------------------------------- */

TEST(every_permitted_algorithm_verifies)
{
	begin();
	const struct {
		EVP_PKEY *key;
		struct spi_sig how;
	} rows[] = {
		{ ec, { SPI_SIG_ECDSA, SPI_SIG_SHA256 } },
		{ ec, { SPI_SIG_ECDSA, SPI_SIG_SHA512 } },
		{ p384, { SPI_SIG_ECDSA, SPI_SIG_SHA384 } },
		{ p521, { SPI_SIG_ECDSA, SPI_SIG_SHA512 } },
		{ rsa, { SPI_SIG_PKCS1, SPI_SIG_SHA256 } },
		{ rsa, { SPI_SIG_PKCS1, SPI_SIG_SHA384 } },
		{ rsa, { SPI_SIG_PKCS1, SPI_SIG_SHA512 } },
		{ rsa, { SPI_SIG_PSS, SPI_SIG_SHA256 } },
		{ rsa, { SPI_SIG_PSS, SPI_SIG_SHA384 } },
		{ rsa, { SPI_SIG_PSS, SPI_SIG_SHA512 } },
		{ ed, { SPI_SIG_ED, SPI_SIG_IDENTITY } },
		{ ed448, { SPI_SIG_ED, SPI_SIG_IDENTITY } },
	};

	for (unsigned i = 0; i < N_OF(rows); i++) {
		const struct pki_spec s = { .cn = "peer", .key = rows[i].key,
			.issuer = root, .issuer_key = ec_root,
			.san = "DNS:peer.example" };
		X509 *x = pki_cert(&s);
		struct asking a = asking(OFF);
		struct sec_checked c;

		pki_put_cert(&a.w, x);
		a.sign_with = rows[i].key;
		a.how = rows[i].how;
		c = ask(&a);
		good(&c);
		if (a.how.form == SPI_SIG_ED) {
			a.is_other_curve = true;
			c = ask(&a);
			bad(&c, "does not belong");
			a.is_other_curve = false;
		}
		a.sign_with = ec2;	/* another's key, another's way */
		a.how = (struct spi_sig){ SPI_SIG_ECDSA, SPI_SIG_SHA256 };
		c = ask(&a);
		bad(&c, "does not belong");
		X509_free(x);
	}
	end();
}

TEST(old_methods_need_compat_and_pre_shared_keys_are_another_thing)
{
	struct sec_checked c;
	struct asking a;
	X509 *x;

	begin();
	x = leaf_of(root, ec_root);
	a = asking(OFF);
	pki_put_cert(&a.w, x);
	a.method = 9;
	a.how.form = SPI_SIG_ECDSA_RAW;
	c = ask(&a);
	bad(&c, "compat");
	a.realm = SOFT;
	c = ask(&a);
	good(&c);
	a.method = 10;			/* of P-384 */
	c = ask(&a);
	bad(&c, "does not belong");
	a.method = 2;
	c = ask(&a);
	bad(&c, "pre-shared");
	a.method = 77;
	c = ask(&a);
	bad(&c, "not known");
	X509_free(x);
	end();
}

/* H1: of RFC 7296 3.8 the method remains, its default hash does not. */
TEST(the_old_rsa_method_takes_sha_2_and_no_other)
{
	const struct {
		const EVP_MD *md;
		bool is_good;
	} rows[] = {
		{ EVP_sha256(), true }, { EVP_sha384(), true },
		{ EVP_sha512(), true }, { EVP_sha1(), false },
		{ EVP_sha224(), false }, { EVP_md5(), false },
	};
	struct pki_spec s = { .cn = "peer", .san = "DNS:peer.example" };
	struct sec_checked c;
	X509 *x;

	begin();
	s.key = rsa;
	s.issuer = root;
	s.issuer_key = ec_root;
	x = pki_cert(&s);
	for (unsigned i = 0; i < N_OF(rows); i++)
		for (unsigned compat = 0; compat < 2; compat++) {
			struct asking a = asking(compat ? SOFT : OFF);

			a.sign_with = rsa;
			a.method = 1;
			a.md = rows[i].md;
			pki_put_cert(&a.w, x);
			c = ask(&a);
			if (!compat)
				bad(&c, "compat");
			else if (rows[i].is_good)
				good(&c);
			else
				bad(&c, "SHA-1 is not accepted");
		}
	X509_free(x);
	end();
}

TEST(algorithms_outside_of_the_list_are_refused_unparsed)
{
	/* PSS with SHA-1, ECDSA with SHA-1, RSA with SHA-1, MD5, DSA */
	static const uint8_t sha1_rsa[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
		0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00 };
	static const uint8_t sha1_ec[] = { 0x30, 0x09, 0x06, 0x07, 0x2a, 0x86,
		0x48, 0xce, 0x3d, 0x04, 0x01 };
	/* RFC 7427 A.4.3 and the form without the trailer's default */
	static const uint8_t pss[] = { 0x30, 0x46, 0x06, 0x09, 0x2a, 0x86, 0x48,
		0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x39, 0xa0, 0x0f,
		0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
		0x04, 0x02, 0x01, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06,
		0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08,
		0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
		0x04, 0x02, 0x01, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x20,
		0xa3, 0x03, 0x02, 0x01, 0x01 };
	uint8_t der[SPI_SIG_ALG_MAX];
	struct spi_sig how;
	size_t n;

	assert_false(spi_sig_of_alg((struct view){ sha1_rsa,
	    sizeof(sha1_rsa) }, &how));
	assert_false(spi_sig_of_alg((struct view){ sha1_ec, sizeof(sha1_ec) },
	    &how));
	assert_false(spi_sig_of_alg((struct view){ NULL, 0 }, &how));
	assert_true(spi_sig_of_alg((struct view){ pss, sizeof(pss) }, &how));
	assert_int_equal(how.form, SPI_SIG_PSS);
	assert_int_equal(how.hash, SPI_SIG_SHA256);
	how = (struct spi_sig){ SPI_SIG_PSS, SPI_SIG_SHA512 };
	n = spi_sig_alg(&how, der);
	assert_int_equal(n, 67);
	assert_true(spi_sig_of_alg((struct view){ der, n }, &how));
	assert_int_equal(how.hash, SPI_SIG_SHA512);
	der[n - 1]++;			/* another length of salt */
	assert_false(spi_sig_of_alg((struct view){ der, n }, &how));
}

/* ---- pinned certificates and bare keys ----------------------------------------------- */

TEST(a_pinned_certificate_and_a_bare_key_stand_for_themselves)
{
	struct pki_spec s = { .cn = "pin", .key = ec };
	struct sec_checked c;
	struct asking a;
	uint8_t *der = NULL;
	X509 *x;
	int n;

	begin();
	a = asking(STRICT);
	a.peer = 1;
	a.id = "pin.example";
	c = ask(&a);			/* it need not be sent */
	good(&c);
	x = pki_cert(&s);		/* same key and name, but another */
	pki_put_cert(&a.w, x);
	c = ask(&a);
	bad(&c, "not the one of cert=");
	X509_free(x);
	a = asking(STRICT);
	a.peer = 2;
	a.sign_with = ed;
	a.how = (struct spi_sig){ SPI_SIG_ED, SPI_SIG_IDENTITY };
	c = ask(&a);
	good(&c);
	n = i2d_PUBKEY(ed, &der);
	pki_put(&a.w, 15, der, (size_t)n);
	OPENSSL_free(der);
	c = ask(&a);
	good(&c);
	wcur_init(&a.w, bodies, sizeof(bodies));
	der = NULL;
	n = i2d_PUBKEY(ec, &der);
	pki_put(&a.w, 15, der, (size_t)n);
	OPENSSL_free(der);
	c = ask(&a);
	bad(&c, "not the one of pubkey=");
	end();
}

/* ---- input that is none --------------------------------------------------------------- */

TEST(broken_payloads_are_refused_with_a_word)
{
	struct sec_checked c;
	struct asking a;
	X509 *x;

	begin();
	a = asking(OFF);
	c = ask(&a);
	bad(&c, "sent no certificate");
	pki_put(&a.w, 4, "junk", 4);
	c = ask(&a);
	bad(&c, "cannot be read");
	a = asking(OFF);
	pki_put(&a.w, 12, "hash and url", 12);
	c = ask(&a);
	bad(&c, "address of its certificate");
	a = asking(OFF);
	wcur_u16(&a.w, 100);
	wcur_u8(&a.w, 4);
	c = ask(&a);
	bad(&c, "malformed");
	a = asking(OFF);
	wcur_u16(&a.w, 0);
	c = ask(&a);
	bad(&c, "malformed");
	x = leaf_of(root, ec_root);
	a = asking(OFF);
	pki_put_cert(&a.w, x);
	wcur_u8(&a.w, 7);
	c = ask(&a);
	bad(&c, "malformed");
	X509_free(x);
	end();
}

TEST(no_flipped_bit_of_a_certificate_is_good)
{
	struct rng_det r;
	struct asking a;
	X509 *x;
	size_t n;

	begin();
	rng_det_init(&r, test_seed());
	x = leaf_of(root, ec_root);
	for (unsigned i = 0; i < 300; i++) {
		struct sec_checked c;
		size_t bit;

		a = asking(OFF);
		pki_put_cert(&a.w, x);
		n = a.w.len - 3;
		bit = (size_t)(rng_det_u64(&r) % (n * 8));
		bodies[3 + bit / 8] ^= (uint8_t)(1u << (bit % 8));
		c = ask(&a);
		assert_int_not_equal(c.err, 0);
	}
	X509_free(x);
	end();
}

TEST(questions_and_answers_travel_whole)
{
	static uint8_t out[SEC_WIRE_MAX];
	struct sec_checked a = { .err = ERR_AUTH, .realm = 4,
		.peer = 5, .why = "because",
		.subject = "CN=x\x01y", .not_after = 77 }, b;
	struct sec_check q = {
		.realm = 1, .peer = 2, .now = 3, .method = 14,
		.id = kit_view("id", 2), .id_own = kit_view("own", 3),
		.cert = kit_view(bodies, 65535),
		.auth = kit_view(bodies, 2048),
		.init_msg = kit_view(bodies, 16384),
		.nonce = kit_view(kit_ni, 32), .maced_id = kit_view(kit_nr, 32),
	}, p;
	uint64_t number;
	size_t len;

	assert_int_equal(sec_ask_enc(9, &q, out, sizeof(out), &len), 0);
	assert_int_equal(sec_ask_dec(kit_view(out, len), &number, &p), 0);
	assert_int_equal(number, 9);
	assert_int_equal(p.id_own.len, 3);
	assert_int_equal(p.cert.len, 65535);
	assert_int_equal(p.maced_id.len, 32);
	for (size_t n = 0; n < len; n += 97)
		assert_int_not_equal(sec_ask_dec(kit_view(out, n), &number,
		    &p), 0);
	assert_int_equal(sec_ask_dec(kit_view(out, len + 1), &number, &p),
	    ERR_TRAIL);
	assert_int_equal(sec_answer_enc(9, &a, out, sizeof(out), &len), 0);
	assert_int_equal(sec_answer_dec(kit_view(out, len), &number, &b), 0);
	assert_int_equal(b.err, ERR_AUTH);
	assert_int_equal(b.realm, 4);
	assert_int_equal(b.peer, 5);
	assert_string_equal(b.why, "because");
	assert_string_equal(b.subject, "CN=x?y");
	out[8] = 0x7f;			/* no such error */
	assert_int_not_equal(sec_answer_dec(kit_view(out, len), &number, &b),
	    0);
}
