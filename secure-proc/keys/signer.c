/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/signer.c - a process for a private key at a URI.
 *
 *   first     a byte, the passphrase: secret memory does not survive the fork
 *   question  number (32), form (8), hash (8), the octets
 *   answer    number (32), err (32), the signature; number 0 comes first: the
 *             public key, or with err a sentence
 *
 * Thread: the only one.
 */
#include "secure-proc/keys/signer.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"

#define WHO	  "signer"
#define START_MS  15000u		/* a token may be slow to wake; ours */
#define PASS_MAX  4096		/* as long as a key file may be */
#define MSG_MAX	  (32u << 10)	/* the octets of RFC 7296 2.15 fit */

struct sec_signer {
	int fd;
	uint32_t last;		/* number of the last question */
};

static struct confine_user user = { .is_rootless = true };

/* ---- the process -------------------------------------------------------------- */

static void
answer(int fd, uint32_t number, int err, struct view bytes)
{
	uint8_t out[4096];
	struct wcur w;

	wcur_init(&w, out, sizeof(out));
	wcur_u32(&w, number);
	wcur_u32(&w, (uint32_t)err);
	wcur_view(&w, bytes);
	if (w.err == 0)
		(void)!send(fd, out, w.len, MSG_NOSIGNAL);
}

static void
sign_one(int fd, struct spi_pkey *key, struct view in)
{
	uint8_t sig[SPI_SIG_MAX], form, hash;
	size_t len = 0;
	struct view octets;
	uint32_t number;
	struct cur c;
	int err;

	cur_init(&c, in.p, in.len);
	if (cur_u32(&c, &number) != 0 || cur_u8(&c, &form) != 0 ||
	    cur_u8(&c, &hash) != 0)
		return;
	cur_rest(&c, &octets);
	err = spi_certs()->sign(key, &(struct spi_sig){
	    (enum spi_sig_form)form, hash }, &octets, 1, sig, &len);
	answer(fd, number, err, (struct view){ sig, err == 0 ? len : 0 });
}

/* Never returns. */
static void
signer_run(int fd, const char *uri)
{
	uint8_t pass[PASS_MAX + 1];
	char why[SPI_CERT_WHY_MAX] = "";
	struct spi_pkey *key = NULL;
	uint8_t *buf = malloc(MSG_MAX), *spki = NULL;
	struct confine_user me = user;
	uint32_t feat = 0;
	size_t len = 0;
	ssize_t n;
	int err;

	(void)prctl(PR_SET_NAME, "tapir-signer");
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	me.keep_caps = 0;
	/* Descriptors first: the key may need some of its own. */
	if (buf == NULL || confine_common(&feat) != 0 ||
	    confine_fds(&fd, 1) != 0 ||
	    (n = recv(fd, pass, sizeof(pass), 0)) < 1)
		_exit(1);
	err = spi_certs()->key_uri(uri, (struct view){ pass + 1,
	    (size_t)n - 1 }, &key, why);
	wipe(pass, sizeof(pass));
	if (err == 0)
		err = spi_certs()->key_spki(key, &spki, &len);
	if (err != 0) {
		answer(fd, 0, err, (struct view){ (const uint8_t *)why,
		    strlen(why) });
		_exit(1);
	}
	if (confine_drop(&me, &feat) != 0)
		_exit(1);
	answer(fd, 0, 0, (struct view){ spki, len });
	while ((n = recv(fd, buf, MSG_MAX, 0)) > 0)
		sign_one(fd, key, (struct view){ buf, (size_t)n });
	_exit(0);
}

/* ---- our side ------------------------------------------------------------------- */

/* The answer to a question; older ones, which came too late, are left out. */
static int
answer_wait(struct sec_signer *s, uint64_t ms, uint8_t *buf, size_t cap,
	    struct view *bytes)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	uint64_t end = clk_ms() + ms, now;
	uint32_t number, code;
	struct cur c;
	ssize_t n;

	while ((now = clk_ms()) < end) {
		if (poll(&p, 1, (int)(end - now)) <= 0)
			continue;
		n = recv(s->fd, buf, cap, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return ERR_CLOSED;
		if (n < 0)
			continue;
		cur_init(&c, buf, (size_t)n);
		if (cur_u32(&c, &number) != 0 || cur_u32(&c, &code) != 0)
			return ERR_SYNTAX;
		if (number != s->last)
			continue;
		cur_rest(&c, bytes);
		if ((int32_t)code > 0 || (int32_t)code <= -(int32_t)ERR_IDX_END)
			return ERR_RANGE;
		return (int32_t)code;
	}
	return ERR_TIMEOUT;
}

static int
pass_send(int fd, struct view pass)
{
	uint8_t out[PASS_MAX + 1] = { 0 };
	ssize_t n;

	if (pass.len > PASS_MAX)
		return ERR_LONG;
	if (pass.len > 0)
		memcpy(out + 1, pass.p, pass.len);
	n = send(fd, out, pass.len + 1, MSG_NOSIGNAL);
	wipe(out, sizeof(out));
	return n == (ssize_t)pass.len + 1 ? 0 : ERR_CLOSED;
}

void
sec_signer_user(const struct confine_user *u)
{
	user = *u;
}

int
sec_signer_start(struct sec_signer **out, const char *uri, struct view pass,
		 struct spi_pkey **pub, char *why)
{
	struct sec_signer *s = calloc(1, sizeof(*s));
	struct view bytes = { NULL, 0 };
	uint8_t buf[4096];
	int sv[2], err;
	pid_t pid;

	snprintf(why, SPI_CERT_WHY_MAX, "the process for this key does not "
	    "start");
	if (s == NULL)
		return ERR_NOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) != 0) {
		free(s);
		return ERR_SYS;
	}
	if ((pid = fork()) == 0) {
		close(sv[0]);
		signer_run(sv[1], uri);
	}
	close(sv[1]);
	s->fd = sv[0];
	err = pid < 0 ? ERR_SYS : pass_send(s->fd, pass);
	if (err == 0)
		err = answer_wait(s, START_MS, buf, sizeof(buf), &bytes);
	if (err == 0)
		err = spi_certs()->key_public(bytes, pub);
	else if (bytes.len > 0)
		snprintf(why, SPI_CERT_WHY_MAX, "%.*s", (int)bytes.len,
		    (const char *)bytes.p);
	if (err != 0) {
		sec_signer_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void
sec_signer_free(struct sec_signer *s)
{
	if (s == NULL)
		return;
	close(s->fd);
	free(s);
}

int
sec_signer_fd(const struct sec_signer *s)
{
	return s->fd;
}

int
sec_signer_sign(struct sec_signer *s, const struct spi_sig *how,
		const struct view *part, unsigned n, uint8_t *out, size_t *len)
{
	uint8_t buf[MSG_MAX];
	struct view sig = { NULL, 0 };
	struct wcur w;
	int err;

	wcur_init(&w, buf, sizeof(buf));
	wcur_u32(&w, ++s->last);
	wcur_u8(&w, (uint8_t)how->form);
	wcur_u8(&w, how->hash);
	for (unsigned i = 0; i < n; i++)
		wcur_view(&w, part[i]);
	if (w.err != 0)
		return ERR_LONG;
	if (send(s->fd, buf, w.len, MSG_NOSIGNAL | MSG_DONTWAIT) !=
	    (ssize_t)w.len)
		return ERR_CLOSED;
	err = answer_wait(s, SEC_SIGNER_MS, buf, sizeof(buf), &sig);
	if (err == 0 && (sig.len == 0 || sig.len > SPI_SIG_MAX))
		err = ERR_CRYPTO;
	if (err != 0) {
		log_rl(LOG_WARN, WHO, "the key at its URI does not sign: %s",
		    err_text(err));
		return err;
	}
	memcpy(out, sig.p, sig.len);
	*len = sig.len;
	return 0;
}
