/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/files/redact.h - take every secret of keys/ out of a text.
 *
 * For tapir bugreport: the program that writes it never sees a key; it gives
 * the finished text to this one, which has them.
 *
 *   keys/  files, and those of directories in it --> words --> text without them
 *
 * A word is: a line of a file; behind ':' a field of it; without its "0x"; a line
 * inside a PEM block that is no certificate, list or public key; the beginning
 * of a binary file in hexadecimal digits.  Letters are compared without case.
 * Files with wrong modes or owners are read as well: they are secret, too.
 *
 * Thread: the only one, in a process of its own.
 */
#ifndef TAPIR_SECURE_REDACT_H
#define TAPIR_SECURE_REDACT_H

#include <stdio.h>
#include "daemon/base/base.h"

#define SEC_WORD_MIN 4		/* shorter ones would cut up any text; ours */
#define SEC_WORD_MARK "[secret]" /* stands where one was */

struct sec_words;

/** None yet.  NULL without memory. */
struct sec_words *sec_words_new(void);
/** Wipe and free; NULL is fine. */
void sec_words_free(struct sec_words *w);
/** The words of one file.  bytes: secret memory, taken, also on error.
 * 0 or ERR_NOMEM. */
MUST_USE int sec_words_add(struct sec_words *w, uint8_t *bytes, size_t len);
/**
 * The words of all files in a directory of keys.
 *
 * @return 0; ERR_NOTFOUND: no such directory; ERR_KEYFILE: a file cannot be
 *         read (said on standard error); ERR_NOMEM.
 */
MUST_USE int sec_words_dir(struct sec_words *w, const char *dir);
/** Write a text with SEC_WORD_MARK in place of each word.  @return how many. */
size_t sec_words_apply(const struct sec_words *w, const char *text, size_t len,
		       FILE *out);
/** How many words. */
size_t sec_words_count(const struct sec_words *w);

/**
 * tapir-secure --redact: standard input to standard output.
 *
 * @param dir of keys.
 * @return 0 or what sec_words_dir() says; ERR_SYS, ERR_LONG: input or output
 *         failed, and nothing useful was written.
 */
MUST_USE int sec_redact(const char *dir);

#endif
