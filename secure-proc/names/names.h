/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/names/names.h - tapir-names: whom this machine asks for names.
 *
 *   tapir-secure --- "set TAP how words" / "clear TAP" ---> tapir-names
 *                                                             resolvectl
 *                                                             resolvconf
 *                                                             /etc/resolv.conf
 *
 * A child of tapir-secure, forked before a secret is read; root without any
 * capability, since these files and services are root's.  It takes words that
 * were checked and checks them again, and starts these two programs only.  When
 * tapir-secure ends, it stays until the TAP is gone, puts back what was, and ends.
 *
 * Killed with everything else, it leaves: with systemd-resolved nothing, as that
 * forgets with the TAP; else what the next start finds and puts back.
 */
#ifndef TAPIR_SECURE_NAMES_NAMES_H
#define TAPIR_SECURE_NAMES_NAMES_H

#include "conf/conf.h"
#include "daemon/base/base.h"
#include "daemon/base/vpn_names.h"

#define NAMES_PATH_MAX 512
#define NAMES_MSG_MAX  (VPN_NAMES_TEXT + 64)
#define NAMES_FILE_MAX (64u << 10) /* of a resolv.conf; ours */

/* ---- file.c: /etc/resolv.conf ---------------------------------------------------- */

/* The file, and where what it was is kept while it is ours. */
struct names_file {
	const char *path, *journal;
};

/**
 * Name servers into the file, in place; what was there goes into the journal
 * first, unless it is there already.
 *
 * @param tap named in the journal.
 * @param why a sentence, on error.
 * @return 0, ERR_SYS, ERR_NOMEM.
 */
MUST_USE int names_file_set(const struct names_file *f, const char *tap,
			    const struct vpn_cfg *c, char *why, size_t cap);
/**
 * Put back what was, if the file is still as we wrote it; somebody else's stays.
 *
 * @param tap only when the journal names this TAP; NULL = whichever.
 */
void names_file_restore(const struct names_file *f, const char *tap);
/** The TAP the journal names: IFNAMSIZ bytes; false: there is no journal. */
bool names_file_owner(const struct names_file *f, char *tap);

/* ---- tool.c: programs ------------------------------------------------------------ */

/** 0 or ERR_SYS, logged.  resolvectl and resolvconf. */
MUST_USE int names_resolved_set(const char *tap, const struct vpn_cfg *c);
void names_resolved_clear(const char *tap);
MUST_USE int names_resolvconf_set(const char *tap, const struct vpn_cfg *c);
void names_resolvconf_clear(const char *tap);
/** The lines of a resolv.conf. */
void names_lines(const struct vpn_cfg *c, char *out, size_t cap);

/* ---- serve.c --------------------------------------------------------------------- */

/**
 * Start it, where the configuration may need it.
 *
 * @param state_dir where the journal is; NULL = nowhere: no file is changed.
 * @param fd        the end to say words to; -1: it is not needed.
 * @return 0 or ERR_SYS.
 */
MUST_USE int names_start(const struct conf *c, const char *state_dir, int *fd);
/** Put back what a killed one left, if its TAP is gone. */
void names_recover(const char *state_dir);
/** Say words; what cannot be said is logged.  words NULL: clear. */
void names_say(int fd, const struct conf_realm *r, const char *words);

#endif
