/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/http.c - addresses of lists and heads of answers, as far as
 * one GET needs them (RFC 3986, RFC 9112).
 *
 * Decoding alone; no input is trusted, nothing is sent.
 *
 * Thread: any.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "secure-proc/files/file.h"
#include "secure-proc/verify/fetch.h"

int
sec_url_read(const char *text, struct sec_url *u)
{
	const char *host = text + 7, *end, *colon;
	uint64_t port = 80;
	size_t n;

	if (strncmp(text, "http://", 7) != 0 ||
	    strlen(text) >= SPI_CERT_URL_MAX)
		return ERR_SYNTAX;
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			return ERR_SYNTAX;
	end = host + strcspn(host, "/?#");
	if (memchr(host, '@', (size_t)(end - host)) != NULL)
		return ERR_SYNTAX;
	n = (size_t)(end - host);
	if (*host == '[') {
		const char *shut = memchr(host, ']', n);

		if (shut == NULL)
			return ERR_SYNTAX;
		colon = shut + 1 < end ? shut + 1 : NULL;
		host++;
		n = (size_t)(shut - host);
		if (colon != NULL && *colon != ':')
			return ERR_SYNTAX;
	} else if ((colon = memchr(host, ':', n)) != NULL) {
		n = (size_t)(colon - host);
	}
	if (n == 0)
		return ERR_SYNTAX;
	str_copy(u->port, sizeof(u->port), "80");
	if (colon != NULL) {
		size_t m = (size_t)(end - colon - 1);

		if (m == 0 || m >= sizeof(u->port))
			return ERR_SYNTAX;
		memcpy(u->port, colon + 1, m);
		u->port[m] = '\0';
		if (str_u64(u->port, 65535, &port) != 0 || port == 0)
			return ERR_SYNTAX;
	}
	memcpy(u->host, host, n);
	u->host[n] = '\0';
	if (*end == '#')
		end = "";
	snprintf(u->path, sizeof(u->path), "%s%.*s", *end == '/' ? "" : "/",
	    (int)strcspn(end, "#"), end);
	return 0;
}

/* A header's value, when this line has that name. */
static bool
header_is(const char *line, size_t n, const char *name, struct view *value)
{
	size_t m = strlen(name);

	if (n <= m || line[m] != ':' || strncasecmp(line, name, m) != 0)
		return false;
	for (m++; m < n && (line[m] == ' ' || line[m] == '\t');)
		m++;
	value->p = (const uint8_t *)line + m;
	value->len = n - m;
	return true;
}

int
sec_http_head(struct view head, size_t *n)
{
	const char *p = (const char *)head.p, *end = p + head.len, *eol;
	char number[24];
	struct view v;
	uint64_t len;

	*n = SIZE_MAX;
	if (head.len < 13 || strncmp(p, "HTTP/1.", 7) != 0 || p[8] != ' ')
		return ERR_SYNTAX;
	if (memcmp(p + 9, "200", 3) != 0 || (p[12] >= '0' && p[12] <= '9'))
		return ERR_UNSUP;
	for (; p < end && (eol = memchr(p, '\n', (size_t)(end - p))) != NULL;
	    p = eol + 1) {
		size_t m = (size_t)(eol - p);

		if (m > 0 && p[m - 1] == '\r')
			m--;
		if (header_is(p, m, "Transfer-Encoding", &v) ||
		    header_is(p, m, "Content-Encoding", &v))
			return ERR_UNSUP;
		if (!header_is(p, m, "Content-Length", &v))
			continue;
		if (v.len == 0 || v.len >= sizeof(number) || *n != SIZE_MAX)
			return ERR_SYNTAX;
		memcpy(number, v.p, v.len);
		number[v.len] = '\0';
		if (str_u64(number, UINT32_MAX, &len) != 0)
			return ERR_SYNTAX;
		if (len > SEC_PUBLIC_MAX)
			return ERR_LONG;
		*n = (size_t)len;
	}
	return 0;
}
