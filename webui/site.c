/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/site.c - does a request come from our own pages, or from a program of
 * the user's?
 *
 *   Host            must be a name of ours: other names that lead here are
 *                   somebody's (DNS rebinding)
 *   Origin          must be ourselves: scheme, name and port
 *   Sec-Fetch-Site  same-origin, or none; a page elsewhere may only lead a
 *                   window of its own to our first page
 *
 * Pure.  Fetch Metadata, RFC 6454, RFC 9110 7.2.
 */
#include <string.h>
#include <strings.h>
#include "webui/app.h"

/* The name of a Host field without its port and the brackets' zone. */
static struct view
name_of(struct view host)
{
	const uint8_t *end = NULL;

	if (host.len > 0 && host.p[0] == '[')
		end = memchr(host.p, ']', host.len);
	if (end != NULL)
		return (struct view){ host.p, (size_t)(end - host.p) + 1 };
	end = memchr(host.p, ':', host.len);
	return (struct view){ host.p, end != NULL ? (size_t)(end - host.p) :
			      host.len };
}

/* What is behind the name is empty or a port. */
static bool
has_good_port(struct view host, struct view name)
{
	size_t n = host.len - name.len;
	const uint8_t *p = host.p + name.len;

	if (n == 0)
		return true;
	if (p[0] != ':' || n < 2 || n > 6)
		return false;
	for (size_t i = 1; i < n; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

static bool
is_own_host(const struct ui_app *a, struct view host)
{
	struct view name = name_of(host);

	if (!has_good_port(host, name))
		return false;
	for (unsigned i = 0; i < a->n_host; i++)
		if (ui_view_is_ci(name, a->host[i]))
			return true;
	return false;
}

/* "scheme://" and the very Host of this request. */
static bool
is_own_origin(const struct ui_req *rq, struct view origin, struct view host)
{
	const char *scheme = ui_req_door(rq) == UI_DOOR_TLS ? "https://" :
	    "http://";
	size_t n = strlen(scheme);

	return origin.len == n + host.len && memcmp(origin.p, scheme, n) == 0 &&
	    strncasecmp((const char *)origin.p + n, (const char *)host.p,
			host.len) == 0;
}

/* A window of its own, led to a page or to a file: harmless, as who led it there
 * cannot read it. */
static bool
is_visit(const struct ui_head *h)
{
	static const char get[] = "/get/";
	const size_t n = sizeof(get) - 1;
	bool is_get = h->path.len > n && memcmp(h->path.p, get, n) == 0;

	return h->method == UI_GET && (is_get || ui_view_is(h->path, "/")) &&
	    ui_view_is(h->field[UI_F_MODE], "navigate") &&
	    ui_view_is(h->field[UI_F_DEST], "document");
}

int
ui_site_check(const struct ui_app *a, const struct ui_req *rq)
{
	const struct ui_head *h = ui_req_head(rq);
	const struct view *f = h->field;

	if (ui_req_door(rq) != UI_DOOR_UNIX && !is_own_host(a, f[UI_F_HOST]))
		return 421;
	if (f[UI_F_ORIGIN].p != NULL &&
	    !is_own_origin(rq, f[UI_F_ORIGIN], f[UI_F_HOST]))
		return 403;
	if (f[UI_F_SITE].p == NULL || ui_view_is(f[UI_F_SITE], "same-origin") ||
	    ui_view_is(f[UI_F_SITE], "none"))
		return 0;
	return is_visit(h) ? 0 : 403;
}
