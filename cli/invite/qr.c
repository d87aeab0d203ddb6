/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/invite/qr.c - QR codes by half blocks.
 *
 * The library is looked for when a code is wanted, so that a machine without it
 * lacks nothing else.
 */
#include "cli/invite/qr.h"
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>
#include "daemon/base/err.h"

#define LIBRARY "libqrencode.so.4"
#define QUIET	4	/* light modules around it, ISO/IEC 18004 */

/* What the library gives; its header is not needed to build. */
struct code {
	int version, width;
	unsigned char *data;	/* width * width; bit 0: dark */
};
typedef struct code *encode_fn(const char *text, int version, int level, int mode,
			       int is_case);
typedef void free_fn(struct code *c);

enum { LEVEL_M = 1, MODE_8 = 2 };

/* Light beyond the edges. */
static bool
is_dark(const struct code *c, int row, int col)
{
	return row >= 0 && col >= 0 && row < c->width && col < c->width &&
	    (c->data[row * c->width + col] & 1) != 0;
}

static void
print(FILE *f, const struct code *c, bool is_color)
{
	/* [upper is light][lower is light] */
	static const char *const block[2][2] = {
		{ " ", "\u2584" }, { "\u2580", "\u2588" },
	};

	for (int row = -QUIET; row < c->width + QUIET; row += 2) {
		if (is_color)
			fputs("\x1b[97;40m", f);
		for (int col = -QUIET; col < c->width + QUIET; col++)
			fputs(block[!is_dark(c, row, col)]
			      [!is_dark(c, row + 1, col)], f);
		fputs(is_color ? "\x1b[0m\n" : "\n", f);
	}
}

int
qr_print(FILE *f, const char *text, bool is_color)
{
	void *lib = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	encode_fn *encode = NULL;
	free_fn *done = NULL;
	struct code *c;
	void *sym;

	if (lib == NULL)
		return ERR_NOTFOUND;
	/* POSIX has it that a data pointer can hold a function's address. */
	if ((sym = dlsym(lib, "QRcode_encodeString")) != NULL)
		memcpy(&encode, &sym, sizeof(encode));
	if ((sym = dlsym(lib, "QRcode_free")) != NULL)
		memcpy(&done, &sym, sizeof(done));
	if (encode == NULL || done == NULL) {
		dlclose(lib);
		return ERR_NOTFOUND;
	}
	if ((c = encode(text, 0, LEVEL_M, MODE_8, 1)) == NULL) {
		dlclose(lib);
		return ERR_LONG;
	}
	print(f, c, is_color);
	done(c);
	dlclose(lib);
	return 0;
}
