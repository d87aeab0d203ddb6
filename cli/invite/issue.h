/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/invite/issue.h - key and certificate for somebody who is invited, by the
 * authority in a directory of keys (cli/ca).
 *
 * The key is made here only to be handed on: it does not stay, unless it was there
 * before (tapir ca issue).
 *
 * Thread: one.
 */
#ifndef TAPIR_CLI_ISSUE_H
#define TAPIR_CLI_ISSUE_H

#include "cli/ca/ca.h"
#include "cli/cli.h"

#define ISSUE_PEM_MAX 8192	/* bytes of a file, with NUL; ours */

/* PEM texts; key and p12 are secrets. */
struct issued {
	char ca[ISSUE_PEM_MAX], cert[ISSUE_PEM_MAX], key[ISSUE_PEM_MAX];
	size_t n_ca, n_cert, n_key;
	uint8_t *p12;		/* for devices */
	size_t n_p12;
	char pass[CA_PASS_MAX];	/* of it */
};

/**
 * Take or make the certificate of a name.
 *
 * @param gateway its certificate has to be of the same authority: a name of it.
 *                NULL: nobody asks.
 * @param wants_p12 also as PKCS#12, in the form that Apple's devices read.
 * @param out     issue_wipe() it, on failure too.
 * @return CLI_OK, or the exit status after the failure was told.
 */
MUST_USE int issue_make(struct cli *c, const char *keys, const char *name,
			const char *gateway, bool wants_p12,
			struct issued *out);
/** Is this certificate (a name of a file) of the authority in a directory? */
bool issue_is_ours(const char *keys, const char *cert);
/** Forget the secrets and free. */
void issue_wipe(struct issued *s);

#endif
