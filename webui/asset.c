/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/asset.c - the files a browser loads.
 */
#include "webui/asset.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "webui/tls.h"

#define PATH_BYTES 256	/* of a file beneath the root; ours */
#define ETAG_BYTES 36	/* two quotes, 32 digits, NUL */

/* ---- serving --------------------------------------------------------------- */

static const char *
type_of(const char *path)
{
	static const struct {
		const char *end, *type;
	} known[] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".mjs", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".json", "application/json" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".ico", "image/x-icon" },
		{ ".woff2", "font/woff2" },
		{ ".webmanifest", "application/manifest+json" },
		{ ".txt", "text/plain; charset=utf-8" },
	};
	const char *end = strrchr(path, '.');

	for (unsigned i = 0; end != NULL && i < N_OF(known); i++)
		if (strcmp(end, known[i].end) == 0)
			return known[i].type;
	return "application/octet-stream";
}

static const struct ui_asset *
find(const struct ui_asset_set *s, struct view path)
{
	if (ui_view_is(path, "/"))
		path = (struct view){ (const uint8_t *)"/index.html", 11 };
	for (unsigned i = 0; i < s->n; i++)
		if (ui_view_is(path, s->asset[i].path))
			return &s->asset[i];
	return NULL;
}

/* A file asked for by its digest never changes. */
static bool
is_by_digest(const struct ui_asset *a, struct view query)
{
	struct view v;

	return ui_query_get(query, "v", &v) && v.len >= 8 &&
	    v.len <= strlen(a->etag) - 2 &&
	    memcmp(v.p, a->etag + 1, v.len) == 0;
}

static void
say(struct ui_req *rq, int status, const char *fields, const char *text)
{
	struct ui_reply rep = {
		.status = status, .type = "text/plain; charset=utf-8",
		.fields = fields, .body = text, .len = strlen(text),
	};

	ui_req_reply(rq, &rep);
}

void
ui_asset_serve(const struct ui_asset_set *s, struct ui_req *rq)
{
	const struct ui_head *h = ui_req_head(rq);
	const struct ui_asset *a = find(s, h->path);
	struct ui_reply rep = { .status = 200 };
	char fields[256] = "";
	bool is_gzip;

	if (a == NULL) {
		say(rq, 404, NULL, "not found\n");
		return;
	}
	if ((h->method & (UI_GET | UI_HEAD)) == 0) {
		say(rq, 405, "Allow: GET, HEAD\r\n", "");
		return;
	}
	is_gzip = a->gzip != NULL && ui_list_has(h->field[UI_F_ENCODING],
						 "gzip");
	str_add(fields, sizeof(fields), "ETag: %s\r\nCache-Control: %s\r\n%s",
		a->etag, is_by_digest(a, h->query) ?
		"public, max-age=31536000, immutable" : "no-cache",
		is_gzip ? "Content-Encoding: gzip\r\n" : "");
	rep.fields = fields;
	if (ui_list_has_tag(h->field[UI_F_IF_NONE], a->etag)) {
		rep.status = 304;
		ui_req_reply(rq, &rep);
		return;
	}
	rep.type = type_of(a->path);
	rep.body = is_gzip ? a->gzip : a->plain;
	rep.len = is_gzip ? a->n_gzip : a->n_plain;
	ui_req_reply(rq, &rep);
}

/* ---- a directory ----------------------------------------------------------- */

struct loader {
	struct ui_asset *asset;
	unsigned n;
	size_t n_bytes;
	char *why;
	size_t cap;
};

static int
add_file(struct loader *l, int fd, const char *path, size_t size)
{
	struct ui_asset *a = &l->asset[l->n];
	uint8_t *bytes, digest[32];
	char *name, *etag, hex[33];
	size_t got = 0;
	ssize_t n;

	if (l->n == UI_ASSET_MAX || size > UI_ASSET_BYTES_MAX - l->n_bytes) {
		str_add(l->why, l->cap, "at most %u files of %u MiB together",
			UI_ASSET_MAX, UI_ASSET_BYTES_MAX >> 20);
		return ERR_LIMIT;
	}
	bytes = malloc(size + 1);
	name = strdup(path);
	etag = malloc(ETAG_BYTES);
	if (bytes == NULL || name == NULL || etag == NULL)
		return ERR_NOMEM; /* the program ends */
	while (got < size && (n = read(fd, bytes + got, size - got)) > 0)
		got += (size_t)n;
	if (ui_sha256(bytes, got, digest) != 0)
		return ERR_CRYPTO;
	str_hex(hex, sizeof(hex), digest, 16);
	snprintf(etag, ETAG_BYTES, "\"%s\"", hex);
	*a = (struct ui_asset){ name, etag, bytes, NULL, got, 0 };
	l->n++;
	l->n_bytes += got;
	return 0;
}

static int load_dir(struct loader *l, int dir, const char *path, unsigned depth);

static int
load_entry(struct loader *l, int dir, const char *path, const char *name,
	   unsigned depth)
{
	char full[PATH_BYTES] = "";
	struct stat st;
	int fd, err = 0;

	str_add(full, sizeof(full), "%s/%s", path, name);
	if (name[0] == '.' || strlen(full) == sizeof(full) - 1)
		return 0;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		return load_dir(l, fd, full, depth + 1);
	if (S_ISREG(st.st_mode))
		err = add_file(l, fd, full, (size_t)st.st_size);
	close(fd);
	return err;
}

/* dir is taken. */
static int
load_dir(struct loader *l, int dir, const char *path, unsigned depth)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;
	int err = 0;

	if (d == NULL) {
		close(dir);
		return ERR_SYS;
	}
	while (depth < UI_ASSET_DEPTH && err == 0 && (e = readdir(d)) != NULL)
		err = load_entry(l, dirfd(d), path, e->d_name, depth);
	closedir(d);
	return err;
}

int
ui_asset_load(const char *dir, struct ui_asset_set **out, char *why, size_t cap)
{
	struct loader l = { .why = why, .cap = cap };
	struct ui_asset_set *s = calloc(1, sizeof(*s));
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	why[0] = '\0';
	l.asset = calloc(UI_ASSET_MAX, sizeof(*l.asset));
	if (fd < 0)
		str_add(why, cap, "%s: %s", dir, strerror(errno));
	err = s == NULL || l.asset == NULL ? ERR_NOMEM : fd < 0 ? ERR_SYS : 0;
	if (err == 0)
		err = load_dir(&l, fd, "", 0);
	else if (fd >= 0)
		close(fd);
	if (s != NULL)
		*s = (struct ui_asset_set){ l.asset, l.n };
	if (err != 0 && s != NULL)
		ui_asset_free(s);
	else if (err == 0)
		*out = s;
	return err;
}

void
ui_asset_free(struct ui_asset_set *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->n; i++) {
		free((void *)(uintptr_t)s->asset[i].path);
		free((void *)(uintptr_t)s->asset[i].etag);
		free((void *)(uintptr_t)s->asset[i].plain);
	}
	free((void *)(uintptr_t)s->asset);
	free(s);
}
