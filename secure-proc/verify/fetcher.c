/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/fetcher.c - the verify child's side of fetching: what is
 * wanted, how often it is asked for, what is believed of what comes.
 *
 * Thread: the only one of the verify child.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "secure-proc/files/file.h"
#include "secure-proc/verify/fetch.h"

#define WHO	 "verify"
#define AGAIN_MS 60000u	/* between two tries of one address; doubled for
			 * each that failed, up to FRESH_MS; ours */
#define AGAIN_N	 6
#define FRESH_MS 3600000u /* until one that is there is fetched again; ours */
#define LOST_MS	 20000u	/* then there will be no answer; ours */

struct sec_fetcher {
	int fd;
	struct sec_trust *trust;
	struct sec_want *out;	/* asked for now, or NULL */
	uint64_t out_ms;
	unsigned n_taken;	/* lists of the present answer */
};

int
sec_fetcher_new(struct sec_fetcher **out, int fd, struct sec_trust *trust)
{
	struct sec_fetcher *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return ERR_NOMEM;
	f->fd = fd;
	f->trust = trust;
	*out = f;
	return 0;
}

int
sec_fetcher_fd(const struct sec_fetcher *f)
{
	return f->fd;
}

/* When it may be asked for. */
static uint64_t
turn_of(const struct sec_want *w, uint64_t now_ms)
{
	if (w->asked_ms == 0)
		return w->is_wanted ? now_ms : UINT64_MAX;
	if (!w->is_wanted)
		return w->asked_ms + FRESH_MS;
	return w->asked_ms + MIN((uint64_t)AGAIN_MS <<
	    MIN(MAX(w->n_failed, 1u) - 1u, AGAIN_N), FRESH_MS);
}

static int
ask_send(int fd, const struct sec_want *w)
{
	char out[1 + SPI_CERT_URL_MAX];
	size_t n = strlen(w->url);

	out[0] = w->is_ours;
	memcpy(out + 1, w->url, n);
	return send(fd, out, n + 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? ERR_IO :
	    0;
}

void
sec_fetcher_next(struct sec_fetcher *f, uint64_t now_ms)
{
	struct sec_want *w;

	if (f->out != NULL && now_ms - f->out_ms < LOST_MS)
		return;
	if (f->out != NULL)
		sec_trust_wanted(f->trust, f->out, false);
	f->out = NULL;
	for (unsigned i = 0; (w = sec_trust_want_at(f->trust, i)) != NULL;
	    i++) {
		if (turn_of(w, now_ms) > now_ms)
			continue;
		w->asked_ms = MAX(now_ms, 1u);
		if (ask_send(f->fd, w) != 0)
			return;
		f->out = w;
		f->out_ms = now_ms;
		return;
	}
}

int
sec_fetcher_due(const struct sec_fetcher *f, uint64_t now_ms)
{
	const struct sec_want *w;
	uint64_t first = UINT64_MAX;

	if (f->out != NULL)
		return now_ms - f->out_ms >= LOST_MS ? 0 :
		    (int)(f->out_ms + LOST_MS - now_ms);
	for (unsigned i = 0; (w = sec_trust_want_at(f->trust, i)) != NULL;
	    i++)
		first = MIN(first, turn_of(w, now_ms));
	if (first == UINT64_MAX)
		return -1;
	return first <= now_ms ? 0 : (int)(first - now_ms);
}

/* ---- what comes ---------------------------------------------------------------------- */

static int
take_crl(void *ctx, struct spi_crl *c)
{
	struct sec_fetcher *f = ctx;

	if (!sec_trust_is_by(f->trust, f->out, c)) {
		log_rl(LOG_WARN, WHO, "%s: not signed by the authority whose "
		    "list it should be", f->out->url);
		spi_certs()->crl_free(c);
		return 0;
	}
	sec_trust_crl_add(f->trust, c);
	f->n_taken++;
	return 0;
}

static int
take_cert(void *ctx UNUSED, struct spi_cert *c)
{
	spi_certs()->cert_free(c);
	return 0;
}

static void
file_take(struct sec_fetcher *f, int file)
{
	const struct spi_bundle_to to = {
		.ctx = f, .cert = take_cert, .crl = take_crl,
	};
	uint8_t *buf = malloc(SEC_PUBLIC_MAX + 1u);
	const struct view none = { NULL, 0 };
	char why[SPI_CERT_WHY_MAX];
	size_t len = 0;
	ssize_t n;

	while (buf != NULL && len <= SEC_PUBLIC_MAX &&
	    (n = read(file, buf + len, SEC_PUBLIC_MAX + 1u - len)) > 0)
		len += (size_t)n;
	if (buf != NULL && len <= SEC_PUBLIC_MAX &&
	    spi_certs()->bundle_read((struct view){ buf, len }, none, &to,
	    why) != 0)
		log_rl(LOG_WARN, WHO, "%s: no list of what was revoked",
		    f->out->url);
	free(buf);
	if (f->n_taken > 0)
		log_info(WHO, "fetched %s", f->out->url);
}

/* One answer.  The descriptor, -1 without one, -2 when there is nothing. */
static int
answer_read(int fd)
{
	union {
		struct cmsghdr align;
		uint8_t b[CMSG_SPACE(sizeof(int))];
	} ctl;
	uint8_t byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl.b, .msg_controllen = sizeof(ctl.b),
	};
	struct cmsghdr *cm;
	int file = -1;

	if (recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
		return -2;
	cm = CMSG_FIRSTHDR(&mh);
	if (cm != NULL && cm->cmsg_level == SOL_SOCKET &&
	    cm->cmsg_type == SCM_RIGHTS &&
	    cm->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&file, CMSG_DATA(cm), sizeof(int));
	return file;
}

void
sec_fetcher_input(struct sec_fetcher *f, uint64_t now_ms)
{
	int file;

	while ((file = answer_read(f->fd)) != -2) {
		f->n_taken = 0;
		if (file >= 0 && f->out != NULL)
			file_take(f, file);
		if (f->out != NULL)
			sec_trust_wanted(f->trust, f->out, f->n_taken > 0);
		if (file >= 0)
			close(file);
		f->out = NULL;
	}
	sec_fetcher_next(f, now_ms);
}
