/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/ca/ca.h - a certificate authority in a directory of keys.
 *
 *   ca.pem    its certificate       ca.key    its private key (0600)
 *   ca.crl    what was revoked      ca.list   what was issued (0600)
 *   NAME.pem  NAME.key              of what was issued
 *
 * ca.list, one line each:
 *   url URL                               where others may fetch ca.crl
 *   cert SERIAL STATE END REVOKED NAME,NAME...
 * STATE is valid or revoked, END and REVOKED are Unix times; the first NAME is
 * that of the files.
 *
 * Every change happens under a lock on the directory, and every file is written
 * whole under another name first.
 *
 * Thread: one.
 */
#ifndef TAPIR_CLI_CA_H
#define TAPIR_CLI_CA_H

#include <sys/types.h>
#include "daemon/base/base.h"

#define CA_NAMES_MAX  512	/* bytes of a certificate's names; ours */
#define CA_NAME_MAX   120	/* bytes of one of them, a file's name; ours */
#define CA_SERIAL_MAX 41	/* hexadecimal digits of a serial, with NUL */
#define CA_URL_MAX    256
#define CA_CERTS_MAX  100000	/* entries of ca.list; ours */
#define CA_WHY_MAX    256
#define CA_PASS_MAX   25		/* of a made passphrase, with NUL; ours */
#define CA_DAY	      86400

struct ca_entry {
	char serial[CA_SERIAL_MAX];
	bool is_revoked;
	int64_t not_after, revoked_at;	/* Unix time */
	char names[CA_NAMES_MAX];	/* "a.example,192.0.2.1" */
};

/* An open authority. */
struct ca {
	int dir_fd;
	char url[CA_URL_MAX];
	unsigned n, cap;
	struct ca_entry *entry;
	char why[CA_WHY_MAX];		/* a sentence when something failed */
};

/* ---- ca_store.c: files ----------------------------------------------------- */

/** Open the directory and lock it; made (0700) when is_new.  0, ERR_IO,
 * ERR_PERM with ca->why. */
MUST_USE int ca_open(struct ca *ca, const char *dir, bool is_new);
void ca_close(struct ca *ca);
/** Read ca.list.  0; ERR_NOTFOUND: there is no authority; ERR_SYNTAX. */
MUST_USE int ca_list_read(struct ca *ca);
MUST_USE int ca_list_write(struct ca *ca);
/** Add an entry; NULL: out of memory or full. */
struct ca_entry *ca_add(struct ca *ca);
/** The last entry that is valid and has this name first, or this serial. */
struct ca_entry *ca_find(struct ca *ca, const char *name);
bool ca_file_exists(struct ca *ca, const char *name);
/** Write a file whole; a present one is replaced. */
MUST_USE int ca_file_write(struct ca *ca, const char *name, const void *p,
			   size_t n, mode_t mode);
/** Read a file into out (cap bytes, a NUL is added). */
MUST_USE int ca_file_read(struct ca *ca, const char *name, char *out,
			  size_t cap, size_t *len);

/* ---- ca_x509.c: certificates ------------------------------------------------ */

struct ca_want {
	const char *names;	/* of a certificate; of an authority its title */
	const char *type;	/* p256, p384, ed25519 */
	unsigned days;
	int64_t shift_s;	/* begins so much later; a lab's wish */
	const char *usage;	/* extendedKeyUsage; NULL: the usual; a lab's */
	const char *pass;	/* of the authority's key; NULL: none */
};

/** Is it a kind of key we make? */
bool ca_type_ok(const char *type);
/** Make the authority's key and certificate; writes ca.key, ca.pem. */
MUST_USE int ca_make(struct ca *ca, const struct ca_want *w);
/** Does the authority's key want a passphrase? */
bool ca_key_is_closed(struct ca *ca);
/**
 * Issue a certificate; writes NAME.pem and, unless keep_key, NAME.key.
 *
 * @param keep_key NAME.key is there and stays.
 * @param e        filled: serial, end, names.
 */
MUST_USE int ca_issue(struct ca *ca, const struct ca_want *w, bool keep_key,
		      struct ca_entry *e);
/** Write ca.crl from the list, good for so many days. */
MUST_USE int ca_crl(struct ca *ca, const char *pass, unsigned days);
/** Facts of a certificate file: subject and end. */
MUST_USE int ca_facts(struct ca *ca, const char *file, char *subject,
		      size_t cap, int64_t *not_after);
/** When ca.crl wants to be replaced; 0: there is none. */
int64_t ca_crl_end(struct ca *ca);
/** A passphrase nobody has to think of: 120 random bits. */
MUST_USE int ca_pass_make(char out[CA_PASS_MAX]);
/**
 * PKCS#12 of NAME with key and authority; malloc()ed.
 *
 * @param is_old in the form that Apple's devices read.
 */
MUST_USE int ca_p12(struct ca *ca, const char *name, const char *pass,
		    bool is_old, uint8_t **out, size_t *len);

#endif
