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
	assert_int_equal(recv(sv[1], url, sizeof(url), MSG_DONTWAIT), 14);
	assert_memory_equal(url, "http://h/r.crl", 14);
	assert_true(recv(sv[1], url, sizeof(url), MSG_DONTWAIT) < 0);
	give_crl(sv[1], ec2, NULL);	/* a stranger's */
	sec_fetcher_input(f, 2000);
	c = chain(STRICT, &x, 1);
	bad(&c, "nobody says");
	/* Not again at once. */
	assert_true(recv(sv[1], url, sizeof(url), MSG_DONTWAIT) < 0);
	assert_int_equal(sec_fetcher_due(f, 2000), 59000);
	sec_fetcher_next(f, 61000);
	assert_int_equal(recv(sv[1], url, sizeof(url), MSG_DONTWAIT), 14);
	give(sv[1], "junk", 4);
	sec_fetcher_input(f, 61001);
	sec_fetcher_next(f, 122000);
	give_crl(sv[1], ec_root, NULL);
	sec_fetcher_input(f, 122001);
	c = chain(STRICT, &x, 1);
	good(&c);
	assert_int_equal(sec_fetcher_due(f, 122000), 3600000);	/* afresh */
	X509_free(x);
	free(f);
	close(sv[0]);
	close(sv[1]);
	end();
}
