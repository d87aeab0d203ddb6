/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_radius_child.c - the work of the RADIUS child, in a
 * process of its own, with this one as the server on the loopback.
 */
#include "secure-proc/radius/child.h"
#define ERR_STATE ossl_err_state_type
#include <openssl/evp.h>
#include <openssl/hmac.h>
#undef ERR_STATE
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "secure-proc/radius/wire.h"
#include "test/lib/test.h"

#define SECRET	"a secret of both ends"
#define WAIT_MS 5000	/* a hang, not a measure */

static struct {
	struct sec_radius_set set;
	int server, chan;
	pid_t pid;
	struct sockaddr_in from;	/* of the last request */
	uint8_t req[SPI_RADIUS_MAX];
	struct sec_radius_reply got;
} w;

static bool
is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, WAIT_MS) == 1;
}

static void
reply_wait(void)
{
	uint8_t buf[SEC_RADIUS_WIRE_MAX];
	ssize_t n;

	assert_true(is_readable(w.chan));
	n = recv(w.chan, buf, sizeof(buf), 0);
	assert_true(n > 0);
	assert_int_equal(sec_radius_reply_dec((struct view){ buf, (size_t)n },
	    &w.got), 0);
}

static void
begin(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t len = sizeof(sa);
	struct sec_radius_socks k;
	int sv[2];

	memset(&w, 0, sizeof(w));
	assert_int_equal(spi_radius_init(), 0);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	w.server = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(w.server, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(w.server, (struct sockaddr *)&sa, &len), 0);
	w.set.n_realm = 1;
	w.set.realm[0].realm = 5;
	w.set.realm[0].n = 1;
	w.set.realm[0].server[0].n_secret = strlen(SECRET);
	memcpy(w.set.realm[0].server[0].secret, SECRET, strlen(SECRET));
	w.set.realm[0].server[0].ep.ip = ip_from(&sa.sin_addr, 4);
	w.set.realm[0].server[0].ep.port = ntohs(sa.sin_port);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	w.chan = sv[0];
	sec_radius_socks_open(&k, &w.set);
	assert_true(k.fd[0][0] >= 0);
	if ((w.pid = fork()) == 0) {
		close(sv[0]);
		close(w.server);
		_exit(-sec_radius_serve(&w.set, &k, sv[1]) & 0x7f);
	}
	assert_true(w.pid > 0);
	close(sv[1]);
	sec_radius_socks_close(&k);
	reply_wait();
	assert_true(w.got.number == 0);
}

/* What the child came to. */
static int
end(void)
{
	int status = 0;

	close(w.chan);
	close(w.server);
	assert_int_equal(waitpid(w.pid, &status, 0), w.pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
ask(uint64_t number, uint32_t realm)
{
	const struct sec_radius_query q = {
		.number = number, .realm = realm, .server = SEC_RADIUS_ANY,
		.ask = { .user = { (const uint8_t *)"hanako", 6 },
			 .nas = { (const uint8_t *)"gate", 4 },
			 .eap = { (const uint8_t *)"\x02\x01\x00\x06\x01x",
				  6 } },
	};
	uint8_t buf[SEC_RADIUS_WIRE_MAX];
	size_t len;

	assert_int_equal(sec_radius_query_enc(&q, buf, sizeof(buf), &len), 0);
	assert_int_equal(send(w.chan, buf, len, 0), (ssize_t)len);
}

static void
request_wait(void)
{
	socklen_t len = sizeof(w.from);

	assert_true(is_readable(w.server));
	assert_true(recvfrom(w.server, w.req, sizeof(w.req), 0,
	    (struct sockaddr *)&w.from, &len) > 20);
}

static void
answer(uint8_t code, const char *secret, bool has_mac)
{
	size_t n = strlen(secret), len = has_mac ? 38 : 20;
	uint8_t a[38 + 64] = { code, w.req[1], 0, (uint8_t)len };
	uint8_t mac[16];
	unsigned m = 0;

	memcpy(a + 4, w.req + 4, 16);
	if (has_mac) {
		a[20] = 80;
		a[21] = 18;
		assert_non_null(HMAC(EVP_md5(), secret, (int)n, a, len, mac,
				     &m));
		memcpy(a + 22, mac, sizeof(mac));
	}
	memcpy(a + len, secret, n);
	assert_int_equal(EVP_Digest(a, len + n, mac, &m, EVP_md5(), NULL), 1);
	memcpy(a + 4, mac, sizeof(mac));
	assert_int_equal(sendto(w.server, a, len, 0,
	    (struct sockaddr *)&w.from, sizeof(w.from)), (ssize_t)len);
}

TEST(a_question_goes_out_and_its_answer_comes_in)
{
	begin();
	ask(7, 5);
	request_wait();
	assert_int_equal(w.req[0], SPI_RADIUS_REQUEST);
	answer(SPI_RADIUS_REJECT, SECRET, true);
	reply_wait();
	assert_true(w.got.number == 7);
	assert_int_equal(w.got.err, 0);
	assert_int_equal(w.got.server, 0);
	assert_int_equal(w.got.answer.code, SPI_RADIUS_REJECT);
	assert_int_equal(end(), 0);
}

TEST(what_is_not_proved_is_nothing_and_the_right_answer_still_comes_in)
{
	begin();
	ask(7, 5);
	request_wait();
	answer(SPI_RADIUS_REJECT, "another secret", true);
	answer(SPI_RADIUS_REJECT, SECRET, false);
	answer(SPI_RADIUS_CHALLENGE, SECRET, true);
	reply_wait();
	assert_int_equal(w.got.answer.code, SPI_RADIUS_CHALLENGE);
	assert_int_equal(end(), 0);
}

TEST(questions_of_a_realm_without_servers_are_refused)
{
	begin();
	ask(7, 4);
	reply_wait();
	assert_true(w.got.number == 7);
	assert_int_equal(w.got.err, ERR_NOTFOUND);
	assert_int_equal(end(), 0);
}
