/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/net/tapmac.c - the Ethernet address of a TAP: 46 random bits,
 * kept in a file so that a realm keeps it (requirement V6).
 *
 * Thread: the only one, before confinement.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "secure-proc/net/net.h"
#include "spi/spi_crypto.h"

#define MAC_FILE_MAX (CONF_NAME_MAX + 16)

static bool
mac_is_ours(const struct mac *m)
{
	return (m->b[0] & 3) == 2;	/* local, not a group */
}

/* 0, ERR_NOTFOUND (no file) or ERR_SYNTAX. */
static int
file_read(int dir, const char *name, struct mac *out)
{
	char text[MAC_TEXT_MAX + 1] = "";
	int fd = openat(dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? ERR_NOTFOUND : ERR_SYNTAX;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < MAC_TEXT_MAX - 1)
		return ERR_SYNTAX;
	text[MAC_TEXT_MAX - 1] = '\0';
	return mac_parse(text, out) == 0 && mac_is_ours(out) ? 0 : ERR_SYNTAX;
}

/* Written whole under another name first: a crash leaves no half file. */
static int
file_write(int dir, const char *name, const struct mac *m)
{
	char tmp[MAC_FILE_MAX + 8], text[MAC_TEXT_MAX], line[MAC_TEXT_MAX + 1];
	int fd, n;
	bool is_ok;

	snprintf(tmp, sizeof(tmp), "%s.new", name);
	unlinkat(dir, tmp, 0);
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return ERR_IO;
	n = snprintf(line, sizeof(line), "%s\n", mac_text(m, text));
	is_ok = write(fd, line, (size_t)n) == n && fsync(fd) == 0;
	close(fd);
	if (is_ok && renameat(dir, tmp, dir, name) == 0)
		return fsync(dir) == 0 ? 0 : ERR_IO;
	unlinkat(dir, tmp, 0);
	return ERR_IO;
}

/* The same machine, file and realm give the same address. */
static int
mac_derive(const char *conf_name, const char *realm, struct mac *out)
{
	uint8_t id[64] = { 0 }, hash[SPI_HASH_MAX];
	int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC), err;
	ssize_t n = fd >= 0 ? read(fd, id, sizeof(id)) : 0;
	/* The NULs at the ends keep the parts apart. */
	struct view part[3] = {
		{ id, n > 0 ? (size_t)n : 0 },
		{ (const uint8_t *)conf_name, strlen(conf_name) + 1 },
		{ (const uint8_t *)realm, strlen(realm) + 1 },
	};

	if (fd >= 0)
		close(fd);
	err = spi_crypto()->hash(SPI_HASH_SHA256, part, N_OF(part), hash);
	if (err != 0)
		return err;
	memcpy(out->b, hash, sizeof(out->b));
	out->b[0] = (uint8_t)((out->b[0] & ~3) | 2);
	return 0;
}

int
sec_mac_get(const char *dir, const char *conf_name, const char *realm,
	    struct mac *out)
{
	char name[MAC_FILE_MAX];
	int fd, err;

	snprintf(name, sizeof(name), "tap-%s.mac", realm);
	if (strchr(realm, '/') != NULL)
		return mac_derive(conf_name, realm, out);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = fd >= 0 ? file_read(fd, name, out) : ERR_IO;
	if (err == ERR_SYNTAX)
		log_warn("net", "%s/%s is not a usable Ethernet address: made "
		    "anew", dir, name);
	if (err == ERR_SYNTAX || err == ERR_NOTFOUND) {
		if ((err = mac_random(out)) == 0)
			err = file_write(fd, name, out);
	}
	if (fd >= 0)
		close(fd);
	if (err != ERR_IO)
		return err;
	log_notice("net", "realm %s: %s cannot be written, so the address of "
	    "its TAP is derived from the machine and the configuration's name",
	    realm, dir);
	return mac_derive(conf_name, realm, out);
}
