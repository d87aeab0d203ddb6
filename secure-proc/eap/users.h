/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/eap/users.h - a file of user names and what proves them.
 *
 *   # comment
 *   NAME:nt:32 hexadecimal digits
 *
 * "nt" is MD4 of the password in UTF-16, which MSCHAPv2 needs on the server:
 * who has it can log in as that user, and finds a weak password out of it.
 * The file is as secret as a private key and has mode 0600.  Nothing else can
 * be stored for this method: no salt, no slow hash.
 *
 * Read whole before confinement; a line that is not understood refuses the file.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_EAP_USERS_H
#define TAPIR_SECURE_EAP_USERS_H

#include "spi/spi_eap.h"

#define SEC_USERS_MAX 2048	/* users of a file; ours */

struct sec_users;

/**
 * Read the text of a file.
 *
 * @param bytes taken, also on error: secret memory.
 * @param why   a sentence with the line on failure.
 * @return 0, ERR_KEYFILE or ERR_NOMEM.
 */
MUST_USE int sec_users_parse(uint8_t *bytes, size_t len, struct sec_users **out,
			     char *why, size_t cap);
/** Wipe and free; NULL is fine. */
void sec_users_free(struct sec_users *u);
/** 0 or ERR_NOTFOUND.  Names are compared byte by byte. */
MUST_USE int sec_users_nt_hash(const struct sec_users *u, struct view name,
			       uint8_t out[SPI_EAP_NT_HASH]);
/** How many. */
unsigned sec_users_count(const struct sec_users *u);

#endif
