/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/bug/tar.c - parts as one gzipped tar archive.
 *
 *   header (512 bytes) | text, padded to 512 | ... | two empty blocks
 *
 * POSIX.1-1988 (ustar): numbers in octal, sum of the header's bytes.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>
#include "cli/bug/bug.h"
#include "daemon/base/err.h"

#define BLOCK 512

struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8],
	    type, link[100], magic[6], version[2], uname[32], gname[32],
	    major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "a header is a block");

static void
octal(char *field, size_t width, unsigned long long v)
{
	char text[24];

	snprintf(text, sizeof(text), "%0*llo", (int)width - 1, v);
	memcpy(field, text, width);
}

static void
header(struct ustar *h, const char *dir, const struct bug_part *p, time_t now)
{
	const uint8_t *bytes = (const uint8_t *)h;
	unsigned sum = 0;

	memset(h, 0, sizeof(*h));
	snprintf(h->name, sizeof(h->name), "%.*s/%s",
		 (int)(sizeof(h->name) - BUG_NAME_MAX - 1), dir, p->name);
	octal(h->mode, sizeof(h->mode), 0600);
	octal(h->uid, sizeof(h->uid), 0);
	octal(h->gid, sizeof(h->gid), 0);
	octal(h->size, sizeof(h->size), p->len);
	octal(h->mtime, sizeof(h->mtime), (unsigned long long)now);
	h->type = '0';
	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	memset(h->sum, ' ', sizeof(h->sum));
	for (unsigned i = 0; i < BLOCK; i++)
		sum += bytes[i];
	octal(h->sum, 7, sum);	/* six digits, NUL, blank */
}

static int
put(gzFile z, const void *p, size_t n)
{
	return n == 0 || gzwrite(z, p, (unsigned)n) == (int)n ? 0 : ERR_SYS;
}

int
bug_tar(const struct bug *b, const char *dir, int fd)
{
	static const char zero[2 * BLOCK];
	time_t now = time(NULL);
	int own = dup(fd), err = 0, rc;
	struct ustar h;
	gzFile z;

	if (own < 0)
		return ERR_SYS;
	if ((z = gzdopen(own, "wb9")) == NULL) {
		close(own);
		errno = ENOMEM;
		return ERR_SYS;
	}
	for (unsigned i = 0; i < b->n_part && err == 0; i++) {
		const struct bug_part *p = &b->part[i];

		header(&h, dir, p, now);
		if ((err = put(z, &h, sizeof(h))) == 0 &&
		    (err = put(z, p->text, p->len)) == 0)
			err = put(z, zero, (BLOCK - p->len % BLOCK) % BLOCK);
	}
	if (err == 0)
		err = put(z, zero, sizeof(zero));
	rc = gzclose(z);
	if (err == 0 && rc != Z_OK)
		err = ERR_SYS;
	return err == 0 && fsync(fd) != 0 && errno != EINVAL ? ERR_SYS : err;
}
