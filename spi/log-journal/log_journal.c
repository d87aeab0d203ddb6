/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/log-journal/log_journal.c - the systemd journal, by its native protocol.
 *
 * One datagram a record (systemd: "Native Journal Protocol").  A field is
 *
 *	KEY=value\n			when the value has no newline, else
 *	KEY\n  length, 64 bits little endian  value\n
 *
 * A library would bring much that a confined process must not do; the format
 * is this small and promised to be stable.  The socket is systemd's own, so it
 * outlives the journal's restart; should it be gone it is opened anew.
 *
 * Thread: the diary's only one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "spi/spi_log.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_MAX    16384	/* bytes of a record; ours */

struct spi_log_ctx {
	int fd;
};

static void
put_value(struct wcur *w, const char *value)
{
	uint64_t len = strlen(value);

	if (strchr(value, '\n') == NULL) {
		wcur_u8(w, '=');
	} else {
		wcur_u8(w, '\n');
		for (unsigned i = 0; i < 8; i++)
			wcur_u8(w, (uint8_t)(len >> (8 * i)));
	}
	wcur_bytes(w, value, len);
	wcur_u8(w, '\n');
}

static void
put(struct wcur *w, const char *key, const char *value)
{
	wcur_bytes(w, key, strlen(key));
	put_value(w, value);
}

/* "old_remote" -> TAPIR_OLD_REMOTE */
static void
put_field(struct wcur *w, const struct spi_log_field *f)
{
	if (*f->value == '\0')
		return;
	wcur_bytes(w, "TAPIR_", 6);
	for (const char *p = f->key; *p != '\0'; p++)
		wcur_u8(w, (uint8_t)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p));
	put_value(w, f->value);
}

/* Priorities of syslog(3). */
static const char *
priority(enum log_level lv)
{
	static const char *const word[] = { "3", "4", "5", "6", "7" };

	return word[MIN((unsigned)lv, (unsigned)LOG_DEBUG)];
}

static int
connect_to(struct spi_log_ctx *c)
{
	const struct sockaddr_un sa = { AF_UNIX, JOURNAL_SOCKET };

	c->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return ERR_SYS;
	if (connect(c->fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0)
		return 0;
	close(c->fd);
	c->fd = -1;
	return ERR_SYS;
}

static int
journal_open(struct spi_log_ctx **out, const char *path UNUSED, int fd)
{
	struct spi_log_ctx *c = calloc(1, sizeof(*c));
	int err;

	if (fd >= 0)
		close(fd);
	if (c == NULL)
		return ERR_NOMEM;
	if ((err = connect_to(c)) != 0) {
		free(c);
		return err;
	}
	*out = c;
	return 0;
}

static int
journal_write(struct spi_log_ctx *c, const struct spi_log_rec *r)
{
	uint8_t buf[JOURNAL_MAX];
	char num[24] = "";
	struct wcur w;

	wcur_init(&w, buf, sizeof(buf));
	put(&w, "MESSAGE", r->line);
	put(&w, "PRIORITY", priority(r->level));
	put(&w, "SYSLOG_IDENTIFIER", "tapird");
	put(&w, "TAPIR_COMPONENT", r->who);
	if (r->seq != 0) {
		str_add(num, sizeof(num), "%llu", (unsigned long long)r->seq);
		put(&w, "TAPIR_EVENT", r->code);
		put(&w, "TAPIR_SEQ", num);
	}
	for (unsigned i = 0; i < r->n_field; i++)
		put_field(&w, &r->field[i]);
	if (w.err != 0)
		return w.err;
	for (int i = 0; i < 2; i++) {
		if (c->fd >= 0 &&
		    send(c->fd, buf, w.len, MSG_NOSIGNAL) >= 0)
			return 0;
		if (c->fd >= 0 && errno == EAGAIN)
			return ERR_AGAIN;
		if (c->fd >= 0)
			close(c->fd);
		if (connect_to(c) != 0)
			return ERR_SYS;
	}
	return ERR_SYS;
}

static void
journal_reopen(struct spi_log_ctx *c UNUSED, int fd)
{
	if (fd >= 0)
		close(fd);
}

static void
journal_close(struct spi_log_ctx *c)
{
	if (c != NULL && c->fd >= 0)
		close(c->fd);
	free(c);
}

const struct spi_log spi_log_journal = {
	.head = { SPI_VERSION, "journal", "the systemd journal, with fields" },
	.open = journal_open,
	.write = journal_write,
	.reopen = journal_reopen,
	.close = journal_close,
};
