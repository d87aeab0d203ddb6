/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/invite/profile.h - what a device of somebody needs to connect with the
 * IKEv2 it was made with.
 *
 *   .mobileconfig  macOS, iOS: property list with a VPN payload and the authority
 *   .ps1           Windows: PowerShell that adds the authority, the connection and
 *                  algorithms we accept (without it Windows offers MODP-1024)
 *   .sswan         the strongSwan app of Android: JSON
 *
 * A profile made again for the same gateway and user replaces the one on the
 * device: its identifiers are derived from those two.
 *
 * Passwords are never in a profile: the device asks for it.
 *
 * Pure.  Thread: any.
 */
#ifndef TAPIR_CLI_PROFILE_H
#define TAPIR_CLI_PROFILE_H

#include <stdio.h>
#include "daemon/base/base.h"

#define PROFILE_UUID	37	/* characters, with NUL */
#define PROFILE_TEXT	256	/* bytes of a text; ours */
#define PROFILE_NETS	32	/* networks of split tunnelling; ours */

enum profile_kind { PROFILE_APPLE, PROFILE_WINDOWS, PROFILE_ANDROID, PROFILE_KINDS };

enum profile_auth {
	PROFILE_MSCHAPV2,	/* name and password by EAP */
	PROFILE_CERT,		/* a certificate: p12 */
	PROFILE_TLS,		/* the same by EAP-TLS; Windows is brought it by
				 * its own tools, and p12 is empty */
};

struct profile {
	const char *title;	/* what the device calls it */
	const char *at;		/* host name or address of the gateway */
	const char *gateway;	/* identity it proves */
	const char *user;	/* identity of the user */
	enum profile_auth auth;
	bool is_compat;		/* suite="compat": devices that know no AES-GCM */
	struct view ca;		/* authority of the gateway, DER; empty: one the
				 * device knows already */
	const char *ca_name;	/* its common name, or NULL */
	struct view p12;	/* with auth CERT and TLS */
	const char *cert_type;	/* with it: RSA ECDSA256 ECDSA384 ECDSA521 Ed25519 */
	unsigned n_net;		/* networks to send through; 0: everything */
	const char *net[PROFILE_NETS]; /* "10.20.0.0/16" */
};

/** Ending of the file, with its dot. */
const char *profile_ending(enum profile_kind k);
/** Its content type, by which browsers hand it to the right program. */
const char *profile_type(enum profile_kind k);
/** The word by which commands call it: apple windows android. */
const char *profile_word(enum profile_kind k);
/** UUID (RFC 9562 5.8) of a part of this profile, the same each time. */
MUST_USE int profile_uuid(const struct profile *p, const char *part,
			  char out[PROFILE_UUID]);
/**
 * Write a profile.
 *
 * @param why a sentence on failure.
 * @return 0, ERR_UNSUP (the device has no such thing), ERR_SYNTAX (a text that
 *         cannot stand in it), ERR_CRYPTO.
 */
MUST_USE int profile_write(FILE *f, enum profile_kind k, const struct profile *p,
			   char *why, size_t cap);

#endif
