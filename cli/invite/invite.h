/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/invite/invite.h - an invitation: what the other end needs to join.
 *
 *   tapir-invitation 1
 *   auth psk
 *   realm branches
 *   me osaka
 *   peer tokyo
 *   at 203.0.113.2
 *   file branches-osaka.psk secret
 *   c2VjcmV0Li4u
 *   end
 *
 * With auth cert the files are NAME.key, NAME.pem and the authority of the peer.
 * One word and its value a line; files follow in base64, up to the next word.
 * It may come by mail, so lines may end in CR LF and spaces at their ends do not
 * count.  What it says is the other end's wish: the command that joins shows it,
 * and writes nothing but a realm, and files of keys/ that are not there yet.
 *
 * Pure.  Thread: any.
 */
#ifndef TAPIR_CLI_INVITE_H
#define TAPIR_CLI_INVITE_H

#include <stdio.h>
#include "conf/conf.h"

#define INVITE_BYTES_MAX (64u << 10)	/* an invitation; ours */
#define INVITE_FILES_MAX 4
#define INVITE_FILE_MAX	 8192		/* bytes of a file; ours */
#define INVITE_NAME_MAX	 120		/* bytes of its name; ours */

enum invite_auth {
	INVITE_PSK,		/* both ends by a pre-shared key */
	INVITE_EAP,		/* we by EAP, they by certificate; with a key and its
				 * certificate in it by EAP-TLS, else a password */
	INVITE_CERT,		/* both ends by certificate */
};

struct invite_file {
	char name[INVITE_NAME_MAX + 1];
	bool is_secret;
	size_t len;
	uint8_t data[INVITE_FILE_MAX];
};

/* Texts are "" where nothing is said. */
struct invite {
	enum invite_auth auth;
	char realm[CONF_NAME_MAX + 1];
	char me[CONF_ID_MAX + 1];	/* who joins */
	char peer[CONF_ID_MAX + 1];	/* who invites */
	char at[CONF_ID_MAX + 1];	/* where */
	char mode[8];			/* "", ether, ip, gre */
	char local[256], remote[256];	/* networks, in the view of who joins */
	unsigned n_file;
	struct invite_file file[INVITE_FILES_MAX];
};

/** Is it a name of a file in keys/: no '/', not hidden, letters and digits and
 * . _ - @ +? */
bool invite_name_ok(const char *name);
/**
 * Read an invitation.
 *
 * @param text borrowed; len bytes.
 * @param out  wipe() it when done: it holds secrets.
 * @param why  a sentence on failure, with the line.
 * @return 0, ERR_SYNTAX, ERR_LONG or ERR_UNSUP (a newer one).
 */
MUST_USE int invite_read(const char *text, size_t len, struct invite *out,
			 char *why, size_t cap);
/** Is there a secret in it? */
bool invite_has_key(const struct invite *in);
/** Write it. */
void invite_write(FILE *f, const struct invite *in);
/**
 * The realm as configuration, to stand in <vpn>.  Files are named as they are in
 * the invitation.
 *
 * @param lan "" or a bridge, or an address with its prefix length.
 */
void invite_realm(FILE *f, const struct invite *in, const char *lan);
/**
 * A whole configuration of who invites, where there was none: the realm with the
 * one who joins as its peer, and psk as the file of their key.
 */
void invite_first(FILE *f, const struct invite *in, const char *lan,
		  const char *psk);

#endif
