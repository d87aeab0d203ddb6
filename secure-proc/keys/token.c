/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/token.c - QCD tokens of pairs of IKE SPIs (RFC 6290 5.1).
 *
 *   token = first 16 bytes of HMAC-SHA2-256(secret, SPIi | SPIr | machine id)
 *
 * The secret is kept in a file for good: who was restarted makes the same tokens
 * again.  The machine's id is in it because a directory of keys gets copied, and
 * of two gateways with the same tokens one can be made to tell those of the other
 * (RFC 6290 9.2).
 *
 * Thread: the only one; loading is before confinement.
 */
#include "secure-proc/keys/token.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "secure-proc/files/file.h"
#include "secure-proc/keys/store.h"
#include "spi/spi_crypto.h"

#define WHO	   "keys"
#define SECRET_LEN 32		/* bytes, RFC 6290 5.1 */
#define MACHINE_ID "/etc/machine-id"
#define TEXT_LEN   (2 + 2 * SECRET_LEN + 1) /* 0x, digits, newline */

struct sec_token {
	uint8_t *secret;	/* secret memory */
	size_t len;
	uint8_t machine[64];
	size_t machine_len;
};

/* ---- the file ---------------------------------------------------------------- */

static int
text_write(int fd, const uint8_t *secret)
{
	static const char digit[] = "0123456789abcdef";
	char text[TEXT_LEN];
	bool is_ok;

	text[0] = '0';
	text[1] = 'x';
	for (unsigned i = 0; i < SECRET_LEN; i++) {
		text[2 + 2 * i] = digit[secret[i] >> 4];
		text[3 + 2 * i] = digit[secret[i] & 15];
	}
	text[TEXT_LEN - 1] = '\n';
	is_ok = write(fd, text, sizeof(text)) == (ssize_t)sizeof(text) &&
	    fsync(fd) == 0;
	wipe(text, sizeof(text));
	return is_ok ? 0 : ERR_IO;
}

/* A new secret, written whole under another name first. */
static int
file_make(int dir)
{
	static const char tmp[] = SEC_TOKEN_FILE ".new";
	uint8_t secret[SECRET_LEN];
	int fd, err;

	if ((err = rng_bytes(secret, sizeof(secret))) != 0)
		return err;
	unlinkat(dir, tmp, 0);
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	err = fd >= 0 ? text_write(fd, secret) : ERR_IO;
	wipe(secret, sizeof(secret));
	if (fd >= 0)
		close(fd);
	if (err == 0 && (renameat(dir, tmp, dir, SEC_TOKEN_FILE) != 0 ||
	    fsync(dir) != 0))
		err = ERR_IO;
	if (err != 0)
		unlinkat(dir, tmp, 0);
	return err;
}

static int
file_read(int dir, uid_t uid, struct sec_token *t)
{
	char why[160] = "";
	int err;

	err = sec_key_read(dir, SEC_TOKEN_FILE, uid, &t->secret, &t->len, why,
	    sizeof(why));
	if (err == 0 && t->len < SECRET_LEN) {
		snprintf(why, sizeof(why), "is too short; remove it, and a new "
		    "one is made");
		err = ERR_KEYFILE;
	}
	if (err == ERR_KEYFILE)
		log_error(WHO, "key file %s %s", SEC_TOKEN_FILE, why);
	return err;
}

static void
machine_read(struct sec_token *t)
{
	int fd = open(MACHINE_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, t->machine, sizeof(t->machine)) : 0;

	t->machine_len = n > 0 ? (size_t)n : 0;
	if (fd >= 0)
		close(fd);
}

/* ERR_IO: there is none, and none can be kept. */
static int
load(int dir, uid_t uid, struct sec_token *t)
{
	struct stat st;
	int err;

	if (fstatat(dir, SEC_TOKEN_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT)
			return ERR_IO;
		if ((err = file_make(dir)) != 0)
			return err == ERR_NOMEM ? err : ERR_IO;
	}
	machine_read(t);
	return file_read(dir, uid, t);
}

/* ---- public ------------------------------------------------------------------ */

int
sec_token_load(struct sec_token **out, const char *dir, uid_t uid)
{
	struct sec_token *t = calloc(1, sizeof(*t));
	int fd, err = ERR_IO;

	*out = NULL;
	if (t == NULL)
		return ERR_NOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		err = load(fd, uid, t);
		close(fd);
	}
	if (err == 0) {
		*out = t;
		return 0;
	}
	sec_token_free(t);
	if (err != ERR_IO)
		return err;
	log_notice(WHO, "%s cannot be written: peers will not know at once when "
	    "this machine was restarted (no %s)", dir, SEC_TOKEN_FILE);
	return 0;
}

void
sec_token_free(struct sec_token *t)
{
	if (t == NULL)
		return;
	secret_free(t->secret);
	free(t);
}

int
sec_token_make(const struct sec_token *t, uint64_t ispi, uint64_t rspi,
	       uint8_t out[SEC_TOKEN_LEN])
{
	uint8_t spis[16], mac[SPI_HASH_MAX];
	struct view part[2] = {
		{ spis, sizeof(spis) },
		{ t->machine, t->machine_len },
	};
	int err;

	be64_put(spis, ispi);
	be64_put(spis + 8, rspi);
	err = spi_crypto()->hmac(SPI_HASH_SHA256, (struct view){ t->secret,
	    t->len }, part, N_OF(part), mac);
	if (err == 0)
		memcpy(out, mac, SEC_TOKEN_LEN);
	wipe(mac, sizeof(mac));
	return err;
}

int
sec_token_mark(const struct sec_token *t, struct view secret, uint8_t out[32])
{
	/* longer than two SPIs: no token is ever made of this */
	static const char text[] = "tapir: what a peer showed";
	struct view part[2] = {
		{ (const uint8_t *)text, sizeof(text) - 1 }, secret,
	};

	return spi_crypto()->hmac(SPI_HASH_SHA256, (struct view){ t->secret,
	    t->len }, part, N_OF(part), out);
}
