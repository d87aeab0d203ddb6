/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/invite/share.c - a file by a link that works once.
 *
 * HTTP is here no more than one request line that is compared, and one answer that
 * is sealed: nothing of it is believed.
 */
#include "cli/invite/share.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cli/invite/b64.h"
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#define ERR_STATE ossl_err_state_type /* a type of theirs, an error of ours */
#include <openssl/evp.h>
#include <openssl/ssl.h>
#undef ERR_STATE

#define SCHEME	   "http://"
#define SCHEME_TLS "https://"	/* of tapir-web: its desk makes such links */
#define TOKEN_LEN  16
#define KEY_LEN	   32
#define TAG_LEN	   16
#define CONN_MAX   16		/* at once; ours */
#define HEAD_MAX   4096		/* of a request or an answer; ours */
#define CONN_MS	   10000	/* for one of them; ours */

/* ---- sealing: one key, used once, so its nonce is 0 ------------------------------ */

static int
seal(const uint8_t key[KEY_LEN], struct view in, uint8_t *out)
{
	static const uint8_t nonce[12];
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0, ok;

	ok = c != NULL &&
	    EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	    EVP_EncryptUpdate(c, out, &n, in.p, (int)in.len) == 1 &&
	    EVP_EncryptFinal_ex(c, out + n, &n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG_LEN,
				out + in.len) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok ? 0 : ERR_CRYPTO;
}

static int
unseal(const uint8_t key[KEY_LEN], struct view in, uint8_t *out)
{
	static const uint8_t nonce[12];
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t tag[TAG_LEN];
	int n = 0, ok;

	if (in.len < TAG_LEN) {
		EVP_CIPHER_CTX_free(c);
		return ERR_SHORT;
	}
	memcpy(tag, in.p + in.len - TAG_LEN, TAG_LEN);
	ok = c != NULL &&
	    EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	    EVP_DecryptUpdate(c, out, &n, in.p, (int)(in.len - TAG_LEN)) == 1 &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) == 1 &&
	    EVP_DecryptFinal_ex(c, out + n, &n) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok ? 0 : ERR_AUTH;
}

/* ---- "HOST:PORT", "[ADDRESS]:PORT" ------------------------------------------------ */

struct place {
	char host[260], port[8];
	bool is_tls;
};

static bool
place_read(const char *text, size_t len, struct place *out)
{
	const char *host = text, *colon = memrchr(text, ':', len);
	size_t n = colon != NULL ? (size_t)(colon - text) : 0;
	size_t n_port = colon != NULL ? len - n - 1 : 0;

	if (n == 0 || n_port == 0 || n_port >= sizeof(out->port) ||
	    strspn(colon + 1, "0123456789") < n_port)
		return false;
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
	} else if (memchr(host, ':', n) != NULL) {
		return false;
	}
	if (n >= sizeof(out->host))
		return false;
	memcpy(out->host, host, n);
	out->host[n] = '\0';
	memcpy(out->port, colon + 1, n_port);
	out->port[n_port] = '\0';
	for (const char *p = out->host; *p != '\0'; p++)
		if ((unsigned char)*p <= 0x20 || *p == 0x7f || strchr("/#?@", *p))
			return false;
	return true;
}

/* ---- serving ------------------------------------------------------------------------ */

static int
listen_on(const char *port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };
	unsigned long n = strtoul(port, NULL, 10);
	const int on = 1, off = 0;
	int fd;

	if (n == 0 || n > 65535) {
		errno = EINVAL;
		return -1;
	}
	a.sin6_port = htons((uint16_t)n);
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 &&
	    listen(fd, CONN_MAX) == 0)
		return fd;
	close(fd);
	return -1;
}

/* base64 of RFC 4648 5: for what stands in a link. */
static void
key_text(const uint8_t key[KEY_LEN], char out[B64_LEN(KEY_LEN) + 2])
{
	FILE *f = fmemopen(out, B64_LEN(KEY_LEN) + 2, "w");

	out[0] = '\0';
	if (f == NULL)
		return;
	b64_write(f, (struct view){ key, KEY_LEN }, 64, "");
	fclose(f);
	out[strcspn(out, "=\n")] = '\0';
	for (char *p = out; *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
}

static int
body_make(struct share *s, struct view body, bool is_secret)
{
	char text[B64_LEN(KEY_LEN) + 2] = "";
	uint8_t key[KEY_LEN];
	int err = 0;

	s->n_body = body.len + (is_secret ? TAG_LEN : 0);
	if (body.len > SHARE_BYTES_MAX - TAG_LEN)
		return ERR_LONG;
	if ((s->body = malloc(s->n_body)) == NULL)
		return ERR_NOMEM;
	if (!is_secret) {
		memcpy(s->body, body.p, body.len);
		return 0;
	}
	if ((err = rng_bytes(key, sizeof(key))) == 0 &&
	    (err = seal(key, body, s->body)) == 0) {
		key_text(key, text);
		str_add(s->link, sizeof(s->link), "#%s", text);
		err = *text != '\0' ? 0 : ERR_NOMEM;
	}
	wipe(key, sizeof(key));
	wipe(text, sizeof(text));
	return err;
}

bool
share_at_ok(const char *at)
{
	struct place p;

	return place_read(at, strlen(at), &p);
}

int
share_begin(struct cli *c, const char *at, const char *type, struct view body,
	    bool is_secret, struct share *s)
{
	char hex[2 * TOKEN_LEN + 1];
	uint8_t token[TOKEN_LEN];
	struct place p;
	int err;

	memset(s, 0, sizeof(*s));
	s->fd = -1;
	s->type = type;
	if (!place_read(at, strlen(at), &p))
		return cli_fail(c, CLI_USAGE, "usage", NULL, "\"%.100s\" is not "
				"HOST:PORT", at);
	if ((err = rng_bytes(token, sizeof(token))) != 0)
		return cli_fail(c, CLI_FAILED, "random", NULL, "no random numbers");
	str_hex(hex, sizeof(hex), token, sizeof(token));
	snprintf(s->path, sizeof(s->path), "/%s", hex);
	snprintf(s->link, sizeof(s->link), SCHEME "%.300s%s", at, s->path);
	if ((err = body_make(s, body, is_secret)) != 0)
		return cli_fail(c, CLI_FAILED, "link", NULL, "%s", err_text(err));
	if ((s->fd = listen_on(p.port)) < 0)
		return cli_fail(c, CLI_FAILED, "listen", NULL, "cannot listen on "
				"port %s: %s", p.port, strerror(errno));
	return CLI_OK;
}

void
share_end(struct share *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->body != NULL)
		wipe(s->body, s->n_body);
	free(s->body);
	wipe(s, sizeof(*s));
	s->fd = -1;
}

struct conn {
	int fd;			/* -1: free */
	bool is_answering, is_ours;
	size_t n;		/* bytes of its head that came; or sent */
	uint64_t end_ms;
	char head[HEAD_MAX];
};

static void
conn_close(struct conn *k)
{
	close(k->fd);
	k->fd = -1;
}

static void
conn_open(struct share *s, struct conn *k, uint64_t now_ms)
{
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	memset(k, 0, sizeof(*k));
	k->fd = fd;
	k->end_ms = now_ms + CONN_MS;
}

/* The head has come: who names the token gets it, anybody else is told nothing. */
static void
conn_judge(const struct share *s, struct conn *k)
{
	size_t n = strlen(s->path);

	k->is_ours = k->n > n + 5 && memcmp(k->head, "GET ", 4) == 0 &&
	    ct_equal((const uint8_t *)k->head + 4, (const uint8_t *)s->path, n) &&
	    k->head[4 + n] == ' ';
	k->is_answering = true;
	k->n = 0;
	snprintf(k->head, sizeof(k->head), k->is_ours ?
		 "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
		 "Cache-Control: no-store\r\nConnection: close\r\n\r\n" :
		 "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
		 "Connection: close\r\n\r\n", s->type, s->n_body);
}

static void
conn_read(const struct share *s, struct conn *k)
{
	ssize_t n = recv(k->fd, k->head + k->n, sizeof(k->head) - 1 - k->n, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_close(k);
		return;
	}
	k->n += (size_t)n;
	k->head[k->n] = '\0';
	if (strstr(k->head, "\r\n\r\n") != NULL)
		conn_judge(s, k);
	else if (k->n == sizeof(k->head) - 1 || strlen(k->head) != k->n)
		conn_close(k);
}

/* True: all of it went out. */
static bool
conn_write(const struct share *s, struct conn *k)
{
	size_t n_head = strlen(k->head), all;
	ssize_t n;

	all = n_head + (k->is_ours ? s->n_body : 0);
	while (k->n < all) {
		n = k->n < n_head ?
		    send(k->fd, k->head + k->n, n_head - k->n, MSG_NOSIGNAL) :
		    send(k->fd, s->body + (k->n - n_head), all - k->n,
			 MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (n <= 0) {
			conn_close(k);
			return false;
		}
		k->n += (size_t)n;
	}
	return true;
}

/* One turn of poll(); true: it was fetched. */
static bool
turn(struct share *s, struct conn *k, uint64_t end_ms)
{
	struct pollfd p[CONN_MAX + 1] = { { .fd = s->fd, .events = POLLIN } };
	struct conn *free_one = NULL;
	uint64_t now;
	bool is_done = false;

	for (unsigned i = 0; i < CONN_MAX; i++) {
		p[i + 1].fd = k[i].fd;
		p[i + 1].events = k[i].is_answering ? POLLOUT : POLLIN;
		if (k[i].fd < 0)
			free_one = &k[i];
	}
	if (free_one == NULL)
		p[0].fd = -1;
	now = clk_ms();
	if (poll(p, N_OF(p), now < end_ms ? (int)MIN(end_ms - now, 1000u) : 0) < 0)
		return false;
	now = clk_ms();
	for (unsigned i = 0; i < CONN_MAX; i++) {
		if (k[i].fd < 0)
			continue;
		if (p[i + 1].revents != 0 && !k[i].is_answering)
			conn_read(s, &k[i]);
		if (k[i].fd >= 0 && k[i].is_answering && conn_write(s, &k[i])) {
			is_done |= k[i].is_ours;
			(void)shutdown(k[i].fd, SHUT_WR);
			conn_close(&k[i]);
		}
		if (k[i].fd >= 0 && now >= k[i].end_ms)
			conn_close(&k[i]);
	}
	if (p[0].revents != 0 && free_one != NULL && free_one->fd < 0)
		conn_open(s, free_one, now);
	return is_done;
}

int
share_wait(struct cli *c, struct share *s, unsigned wait_s)
{
	struct conn *k = calloc(CONN_MAX, sizeof(*k));
	uint64_t end_ms = clk_ms() + wait_s * 1000ull;
	bool is_done = false;

	if (k == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	for (unsigned i = 0; i < CONN_MAX; i++)
		k[i].fd = -1;
	while (!is_done && clk_ms() < end_ms)
		is_done = turn(s, k, end_ms);
	for (unsigned i = 0; i < CONN_MAX; i++)
		if (k[i].fd >= 0)
			close(k[i].fd);
	free(k);
	return is_done ? CLI_OK : cli_fail(c, CLI_FAILED, "time", "is the port "
					   "open in the firewall?", "nobody "
					   "followed the link within %u minutes",
					   wait_s / 60);
}

/* ---- fetching ------------------------------------------------------------------------- */

bool
share_is_link(const char *text)
{
	return strncmp(text, SCHEME, sizeof(SCHEME) - 1) == 0 ||
	    strncmp(text, SCHEME_TLS, sizeof(SCHEME_TLS) - 1) == 0;
}

/* The key behind #; the rest of the link in front of it is n bytes long. */
static int
key_read(const char *link, uint8_t key[KEY_LEN], size_t *n)
{
	const char *hash = strchr(link, '#');
	char text[64] = "";
	uint8_t out[KEY_LEN + 3];
	int got;

	if (hash == NULL || strlen(hash + 1) != 43)
		return ERR_SYNTAX;
	snprintf(text, sizeof(text), "%s=", hash + 1);
	for (char *p = text; *p != '\0'; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	got = b64_read(text, strlen(text), out, sizeof(out));
	wipe(text, sizeof(text));
	if (got == KEY_LEN)
		memcpy(key, out, KEY_LEN);
	wipe(out, sizeof(out));
	*n = (size_t)(hash - link);
	return got == KEY_LEN ? 0 : ERR_SYNTAX;
}

static int
dial(const struct place *p)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const struct timeval wait = { .tv_sec = CONN_MS / 1000 };
	struct addrinfo *all = NULL;
	int fd = -1;

	if (getaddrinfo(p->host, p->port, &hints, &all) != 0)
		return -1;
	for (struct addrinfo *a = all; a != NULL && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
		if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(all);
	return fd;
}

/* Everything the other end says until it closes. */
static ssize_t
talk(int fd, const char *ask, uint8_t *in, size_t cap)
{
	size_t n = 0;
	ssize_t got;

	if (send(fd, ask, strlen(ask), MSG_NOSIGNAL) != (ssize_t)strlen(ask))
		return -1;
	while (n < cap && (got = recv(fd, in + n, cap - n, 0)) != 0) {
		if (got < 0)
			return -1;
		n += (size_t)got;
	}
	return n < cap ? (ssize_t)n : -1;
}

/* The same by TLS.  Who answers is not asked: what comes is sealed by the key of the
 * link, which only who made it knows. */
static ssize_t
talk_tls(int fd, const struct place *p, const char *ask, uint8_t *in, size_t cap)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = ctx != NULL ? SSL_new(ctx) : NULL;
	size_t n = 0, got;
	bool is_ok;

	is_ok = ssl != NULL &&
	    SSL_set_min_proto_version(ssl, TLS1_3_VERSION) == 1 &&
	    SSL_set_tlsext_host_name(ssl, p->host) == 1 &&
	    SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1 &&
	    SSL_write_ex(ssl, ask, strlen(ask), &got) == 1;
	while (is_ok && n < cap && SSL_read_ex(ssl, in + n, cap - n, &got) == 1)
		n += got;
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return is_ok && n < cap ? (ssize_t)n : -1;
}

/* What is behind the head of a good answer. */
static bool
body_of(struct view all, struct view *body)
{
	const uint8_t *end = memmem(all.p, all.len, "\r\n\r\n", 4);

	if (all.len < 12 || memcmp(all.p, "HTTP/1.", 7) != 0 ||
	    memcmp(all.p + 8, " 200", 4) != 0 || end == NULL)
		return false;
	body->p = end + 4;
	body->len = all.len - (size_t)(end + 4 - all.p);
	return true;
}

static int
fetch(struct cli *c, const struct place *p, const char *path, uint8_t *in,
      struct view *body)
{
	char ask[SHARE_LINK_MAX + 400];
	int fd = dial(p);
	ssize_t n;

	if (fd < 0)
		return cli_fail(c, CLI_FAILED, "connect", "links work for some "
				"minutes only", "%.200s cannot be reached",
				p->host);
	snprintf(ask, sizeof(ask), "GET %s HTTP/1.1\r\nHost: %s%s%s:%s\r\n"
		 "Connection: close\r\n\r\n", path,
		 strchr(p->host, ':') != NULL ? "[" : "", p->host,
		 strchr(p->host, ':') != NULL ? "]" : "", p->port);
	n = p->is_tls ? talk_tls(fd, p, ask, in, SHARE_BYTES_MAX + HEAD_MAX) :
	    talk(fd, ask, in, SHARE_BYTES_MAX + HEAD_MAX);
	close(fd);
	if (n < 0 || !body_of((struct view){ in, (size_t)n }, body))
		return cli_fail(c, CLI_FAILED, "link", "a link works once; let them "
				"make another one", "there is nothing behind this "
				"link");
	return CLI_OK;
}

int
share_fetch(struct cli *c, const char *link, char *out, size_t cap, size_t *len)
{
	const bool is_tls = strncmp(link, SCHEME_TLS, sizeof(SCHEME_TLS) - 1) == 0;
	const char *from = link + (is_tls ? sizeof(SCHEME_TLS) : sizeof(SCHEME)) -
	    1;
	uint8_t key[KEY_LEN], *in = NULL;
	char path[SHARE_LINK_MAX] = "";
	struct view body;
	struct place p;
	size_t n, n_host;
	int status;

	n_host = strcspn(from, "/#");
	if (strlen(link) >= SHARE_LINK_MAX || key_read(link, key, &n) != 0 ||
	    from[n_host] != '/' || !place_read(from, n_host, &p) ||
	    strcspn(from, " \t\r\n") != strlen(from)) {
		wipe(key, sizeof(key));
		return cli_fail(c, CLI_USAGE, "usage", NULL, "this is no link of an "
				"invitation, or not all of it: it has a # and "
				"43 characters behind");
	}
	p.is_tls = is_tls;
	snprintf(path, sizeof(path), "%.*s", (int)(n - (size_t)(from + n_host -
		 link)), from + n_host);
	if ((in = calloc(1, SHARE_BYTES_MAX + HEAD_MAX)) == NULL) {
		status = cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	} else if ((status = fetch(c, &p, path, in, &body)) == CLI_OK) {
		if (body.len < TAG_LEN || body.len - TAG_LEN > cap ||
		    unseal(key, body, (uint8_t *)out) != 0)
			status = cli_fail(c, CLI_FAILED, "link", NULL, "what is "
					  "there is not what the link was made "
					  "for");
		else
			*len = body.len - TAG_LEN;
	}
	free(in);
	wipe(key, sizeof(key));
	return status;
}
