/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_fetch.c - addresses of lists, heads of answers, and
 * what is believed of what comes.
 */
#include "secure-proc/verify/fetch.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include "daemon/base/err.h"
#include "test/unit/secure-proc/chains.h"

TEST(addresses_are_taken_apart_and_odd_ones_refused)
{
	static const char *const wrong[] = {
		"https://h/x", "http://", "http:///x", "ftp://h/x", "",
		"http://u@h/x", "http://h:0/x", "http://h:66000/", "http://h:/",
		"http://h:8x/", "http://[::1/x", "http://[::1]x/", "http://h /x",
		"http://h/\r\nX: y", "http://h/\x80",
	};
	struct sec_url u;

	assert_int_equal(sec_url_read("http://crl.example/a/b.crl?c=d#e", &u),
	    0);
	assert_string_equal(u.host, "crl.example");
	assert_string_equal(u.port, "80");
	assert_string_equal(u.path, "/a/b.crl?c=d");
	assert_int_equal(sec_url_read("http://h:8080", &u), 0);
	assert_string_equal(u.port, "8080");
	assert_string_equal(u.path, "/");
	assert_int_equal(sec_url_read("http://[2001:db8::1]:81/x", &u), 0);
	assert_string_equal(u.host, "2001:db8::1");
	assert_string_equal(u.port, "81");
	assert_int_equal(sec_url_read("http://h?q", &u), 0);
	assert_string_equal(u.path, "/?q");
	for (unsigned i = 0; i < N_OF(wrong); i++)
		if (sec_url_read(wrong[i], &u) == 0)
			fail_msg("%s", wrong[i]);
}

static int
head(const char *text, size_t *n)
{
	return sec_http_head(kit_view(text, strlen(text)), n);
}

TEST(heads_of_answers_are_read_and_redirects_refused)
{
	size_t n;

	assert_int_equal(head("HTTP/1.1 200 OK\r\n\r\n", &n), 0);
	assert_true(n == SIZE_MAX);
	assert_int_equal(head("HTTP/1.0 200 OK\r\nX: y\r\ncontent-length: "
	    "12\r\n\r\n", &n), 0);
	assert_int_equal(n, 12);
	assert_int_equal(head("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", &n),
	    ERR_UNSUP);
	assert_int_equal(head("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
	    "\r\n\r\n", &n), ERR_UNSUP);
	assert_int_equal(head("HTTP/1.1 200 OK\r\nContent-Length: 99999999"
	    "\r\n\r\n", &n), ERR_LONG);
	assert_int_equal(head("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
	    &n), ERR_SYNTAX);
	assert_int_equal(head("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
	    "Content-Length: 2\r\n\r\n", &n), ERR_SYNTAX);
	assert_int_equal(head("HTTP/1.1 2000 OK\r\n\r\n", &n), ERR_UNSUP);
	assert_int_equal(head("SSH-2.0-x\r\n\r\n\r\n", &n), ERR_SYNTAX);
}

/* The other end gives back what a server would have. */
static void
give(int fd, const void *p, size_t n)
{
	int file = memfd_create("crl", 0);
	union {
		struct cmsghdr align;
		uint8_t b[CMSG_SPACE(sizeof(int))];
	} ctl = { .b = { 0 } };
	char byte = 1;
	struct iovec iov = { &byte, 1 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl.b, .msg_controllen = sizeof(ctl.b) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);

	assert_int_equal(write(file, p, n), n);
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &file, sizeof(int));
	assert_int_equal(sendmsg(fd, &mh, 0), 1);
	close(file);
}

static void
give_crl(int fd, EVP_PKEY *by, X509 *revoked)
{
	X509_CRL *crl = pki_crl(root, by, revoked, -60, PKI_DAY);
	uint8_t *der = NULL;
	int n = i2d_X509_CRL(crl, &der);

	give(fd, der, (size_t)n);
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

TEST(a_fetched_list_counts_once_its_authority_signed_it)
{
	const struct pki_spec s0 = { .cn = "peer",
		.san = "DNS:peer.example", .crl_url = "URI:http://h/r.crl" };
	struct pki_spec s = s0;
	struct sec_fetcher *f;
	struct sec_checked c;
	char url[64];
	X509 *x;
	int sv[2];

	begin();
	s.key = ec;
	s.issuer = root;
	s.issuer_key = ec_root;
	x = pki_cert(&s);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	assert_int_equal(sec_fetcher_new(&f, sv[0], trust), 0);
	assert_int_equal(sec_fetcher_due(f, 1000), -1);
	c = chain(STRICT, &x, 1);
	bad(&c, "nobody says");
	assert_int_equal(sec_fetcher_due(f, 1000), 0);
	sec_fetcher_next(f, 1000);
	sec_fetcher_next(f, 1001);	/* one at a time */
	assert_int_equal(recv(sv[1], url, sizeof(url), MSG_DONTWAIT), 15);
	assert_memory_equal(url, "\0http://h/r.crl", 15);
	assert_true(recv(sv[1], url, sizeof(url), MSG_DONTWAIT) < 0);
	give_crl(sv[1], ec2, NULL);	/* a stranger's */
	sec_fetcher_input(f, 2000);
	c = chain(STRICT, &x, 1);
	bad(&c, "nobody says");
	/* Not again at once. */
	assert_true(recv(sv[1], url, sizeof(url), MSG_DONTWAIT) < 0);
	assert_int_equal(sec_fetcher_due(f, 2000), 59000);
	sec_fetcher_next(f, 61000);
	assert_int_equal(recv(sv[1], url, sizeof(url), MSG_DONTWAIT), 15);
	give(sv[1], "junk", 4);
	sec_fetcher_input(f, 61001);
	assert_int_equal(sec_fetcher_due(f, 61001), 119999);
	sec_fetcher_next(f, 181000);
	give_crl(sv[1], ec_root, NULL);
	sec_fetcher_input(f, 181001);
	c = chain(STRICT, &x, 1);
	good(&c);
	assert_int_equal(sec_fetcher_due(f, 181000), 3600000);	/* afresh */
	X509_free(x);
	free(f);
	close(sv[0]);
	close(sv[1]);
	end();
}

TEST(a_certificate_sends_us_to_public_addresses_only)
{
	static const struct {
		const char *ip;
		bool is_fine, is_fine_of_ours;
	} rows[] = {
		{ "192.0.2.1", true, true }, { "8.8.8.8", true, true },
		{ "9.255.255.255", true, true }, { "11.0.0.0", true, true },
		{ "172.15.255.255", true, true }, { "172.32.0.0", true, true },
		{ "100.63.255.255", true, true }, { "100.128.0.0", true, true },
		{ "223.255.255.255", true, true },
		{ "2001:db8::1", true, true }, { "2606:4700::1", true, true },
		{ "10.0.0.1", false, true }, { "172.16.0.1", false, true },
		{ "172.31.255.255", false, true },
		{ "192.168.1.1", false, true }, { "100.64.0.1", false, true },
		{ "198.18.0.1", false, true }, { "198.19.255.255", false, true },
		{ "fd00::1", false, true }, { "fc12::1", false, true },
		{ "0.0.0.0", false, false }, { "0.1.2.3", false, false },
		{ "127.0.0.1", false, false }, { "127.255.255.254", false, false },
		{ "169.254.169.254", false, false },
		{ "192.0.0.8", false, false }, { "224.0.0.1", false, false },
		{ "255.255.255.255", false, false }, { "240.0.0.1", false, false },
		{ "::", false, false }, { "::1", false, false },
		{ "::127.0.0.1", false, false },
		{ "::ffff:192.0.2.1", false, false },
		{ "::ffff:127.0.0.1", false, false },
		{ "64:ff9b::7f00:1", false, false },
		{ "64:ff9b:1::1", false, false },
		{ "2002:7f00:1::1", false, false }, { "2001::1", false, false },
		{ "fe80::1", false, false }, { "fec0::1", false, false },
		{ "ff02::1", false, false },
	};
	struct ip_addr ip;

	for (unsigned i = 0; i < N_OF(rows); i++) {
		assert_int_equal(ip_parse(rows[i].ip, &ip), 0);
		for (unsigned ours = 0; ours < 2; ours++)
			if ((sec_target_check(&ip, ours) == 0) != (ours ?
			    rows[i].is_fine_of_ours : rows[i].is_fine))
				fail_msg("%s, ours %u", rows[i].ip, ours);
	}
	ip = ip_from(NULL, 0);
	assert_int_equal(sec_target_check(&ip, true), ERR_UNSUP);
}

static X509 *
leaf_with(const char *urls)
{
	const struct pki_spec s = { .cn = "peer", .key = ec, .issuer = root,
		.issuer_key = ec_root, .san = "DNS:peer.example",
		.crl_url = urls };

	return pki_cert(&s);
}

static struct spi_cert *
root_cert(void)
{
	uint8_t *der = NULL;
	int n = i2d_X509(root, &der);
	struct spi_cert *c;

	assert_int_equal(spi_certs()->cert_read(kit_view(der, (size_t)n), &c),
	    0);
	OPENSSL_free(der);
	return c;
}

TEST(of_several_addresses_each_gets_its_turn_and_one_is_enough)
{
	const uint8_t no = 0;
	struct sec_fetcher *f;
	struct sec_checked c;
	char url[64];
	X509 *x;
	int sv[2];

	begin();
	x = leaf_with("URI:http://a/r.crl,URI:ldap://b/,URI:http://c/r.crl");
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	assert_int_equal(sec_fetcher_new(&f, sv[0], trust), 0);
	c = chain(STRICT, &x, 1);
	bad(&c, "nobody says");
	sec_fetcher_next(f, 1000);
	assert_int_equal(recv(sv[1], url, sizeof(url), MSG_DONTWAIT), 15);
	assert_memory_equal(url + 1, "http://a/r.crl", 14);
	assert_int_equal(send(sv[1], &no, 1, 0), 1);
	sec_fetcher_input(f, 2000);
	assert_int_equal(recv(sv[1], url, sizeof(url), MSG_DONTWAIT), 15);
	assert_memory_equal(url + 1, "http://c/r.crl", 14);
	give_crl(sv[1], ec_root, NULL);
	sec_fetcher_input(f, 3000);
	c = chain(STRICT, &x, 1);
	good(&c);
	/* The first is not tried again before its list is old. */
	assert_int_equal(sec_fetcher_due(f, 3000), 3598000);
	X509_free(x);
	free(f);
	close(sv[0]);
	close(sv[1]);
	end();
}

TEST(an_address_that_never_answers_is_asked_less_and_less)
{
	static const int gap[] = { 60, 120, 240, 480, 960, 1920, 3600, 3600 };
	const uint8_t no = 0;
	struct sec_fetcher *f;
	uint64_t now = 1000;
	char url[64];
	int sv[2];

	begin();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	assert_int_equal(sec_fetcher_new(&f, sv[0], trust), 0);
	sec_trust_want(trust, "http://h/r.crl", NULL);
	for (unsigned i = 0; i < N_OF(gap); i++) {
		sec_fetcher_next(f, now);
		assert_int_equal(recv(sv[1], url, sizeof(url), MSG_DONTWAIT),
		    15);
		assert_int_equal(url[0], 1);	/* our own word */
		if (i % 2 == 0) {
			assert_int_equal(send(sv[1], &no, 1, 0), 1);
			sec_fetcher_input(f, now);
		} else {			/* no answer at all */
			sec_fetcher_next(f, now + 20000);
		}
		assert_int_equal(sec_fetcher_due(f, now), gap[i] * 1000);
		now += (uint64_t)gap[i] * 1000;
	}
	free(f);
	close(sv[0]);
	close(sv[1]);
	end();
}

TEST(one_authority_cannot_fill_the_table_of_addresses)
{
	struct spi_cert *c;
	char url[64];

	begin();
	c = root_cert();
	for (unsigned i = 0; i < 100; i++) {
		snprintf(url, sizeof(url), "http://h/%u", i);
		sec_trust_want(trust, url, c);
	}
	assert_non_null(sec_trust_want_at(trust, SEC_WANT_OF - 1));
	assert_null(sec_trust_want_at(trust, SEC_WANT_OF));
	sec_trust_want(trust, "http://other/", NULL);
	assert_non_null(sec_trust_want_at(trust, SEC_WANT_OF));
	spi_certs()->cert_free(c);
	end();
}

TEST(what_the_configuration_names_stands_above_the_certificate)
{
	const char *const text = "<vpn><realm name='r'><me id='us' psk='k'/>"
	    "<peer id='peer.example' ca='root.pem' my-auth='psk' psk='k' "
	    "crl='http://10.0.0.1/own.crl'/></realm></vpn>";
	struct sec_checked c;
	struct sec_want *w;
	X509 *x;

	begin();
	sec_trust_free(trust);
	conf_free(conf);
	conf = kit_conf(text);
	assert_int_equal(sec_trust_load(&trust, conf, kit_dir, geteuid()), 0);
	x = leaf_with("URI:http://a/r.crl");
	c = chain(0, &x, 1);
	good(&c);
	w = sec_trust_want_at(trust, 0);
	assert_non_null(w);
	assert_string_equal(w->url, "http://10.0.0.1/own.crl");
	assert_true(w->is_ours && w->is_wanted);
	assert_null(sec_trust_want_at(trust, 1));
	X509_free(x);
	end();
}
