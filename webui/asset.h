/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/asset.h - the files a browser loads.
 *
 * Those of webui/www are in the program, plain and compressed; --web-root DIR
 * replaces them by the files of a directory, which are read at the start: later
 * nothing can be opened.
 *
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_ASSET_H
#define TAPIR_WEBUI_ASSET_H

#include "webui/http.h"

#define UI_ASSET_MAX	   512		/* files; ours */
#define UI_ASSET_BYTES_MAX (16u << 20)	/* all of them together; ours */
#define UI_ASSET_DEPTH	   8		/* of directories; ours */

struct ui_asset {
	const char *path;	/* "/app.js" */
	const char *etag;	/* with its quotes */
	const uint8_t *plain, *gzip; /* gzip: NULL = not kept compressed */
	size_t n_plain, n_gzip;
};
struct ui_asset_set {
	const struct ui_asset *asset;
	unsigned n;
};

/** Those in the program. */
const struct ui_asset_set *ui_asset_builtin(void);
/** Read a directory; hidden files, links and what is no file are passed over.
 * 0, ERR_SYS, ERR_LIMIT, ERR_NOMEM; why: what to do about it. */
MUST_USE int ui_asset_load(const char *dir, struct ui_asset_set **out, char *why,
			   size_t cap);
void ui_asset_free(struct ui_asset_set *s);

/** Answer a request for a file. */
void ui_asset_serve(const struct ui_asset_set *s, struct ui_req *rq);

#endif
