/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/invite/share.h - a file by a link that works once.
 *
 *   http://HOST:PORT/TOKEN          a profile, for a device's browser
 *   http://HOST:PORT/TOKEN#KEY      an invitation: only who has the link can read it
 *   https://HOST:PORT/get/TOKEN#KEY the same, of the browser interface (cli/desk)
 *
 * TOKEN is 128 random bits.  What follows # is never sent: an invitation travels
 * sealed (AES-256-GCM), so neither who listens nor who answers in our place has a
 * part in it.  A profile holds no secret that its passphrase does not protect; it
 * travels as it is, for the device's own program to take it.
 *
 * Thread: one.
 */
#ifndef TAPIR_CLI_SHARE_H
#define TAPIR_CLI_SHARE_H

#include "cli/cli.h"

#define SHARE_LINK_MAX	512		/* of a link, with NUL; ours */
#define SHARE_BYTES_MAX (96u << 10)	/* of what is fetched; ours */
#define SHARE_WAIT_S	600		/* then the link is void; ours */

struct share {
	int fd;				/* it listens */
	char link[SHARE_LINK_MAX];
	char path[40];			/* "/TOKEN" */
	const char *type;		/* of the content, for browsers */
	uint8_t *body;
	size_t n_body;
};

/** Is it HOST:PORT, or [ADDRESS]:PORT? */
bool share_at_ok(const char *at);
/**
 * Begin to listen, and make the link.
 *
 * @param at    "HOST:PORT": where others reach us; we listen on that port of all
 *              addresses.
 * @param body  copied; sealed when is_secret.
 * @return CLI_OK, or the exit status after the failure was told.
 */
MUST_USE int share_begin(struct cli *c, const char *at, const char *type,
			 struct view body, bool is_secret, struct share *s);
/** Wait until it was fetched whole.  CLI_OK, or CLI_FAILED after it was told that
 * nobody came within wait_s. */
MUST_USE int share_wait(struct cli *c, struct share *s, unsigned wait_s);
void share_end(struct share *s);

/** Is it a link and no name of a file? */
bool share_is_link(const char *text);
/**
 * Fetch what a link with a key leads to.
 *
 * @param out cap bytes; wipe() it.
 * @return CLI_OK, or the exit status after the failure was told.
 */
MUST_USE int share_fetch(struct cli *c, const char *link, char *out, size_t cap,
			 size_t *len);

#endif
