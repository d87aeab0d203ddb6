/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/str.h - bounded printing, hex, UTF-8, similarity ("did you mean").
 */
#ifndef TAPIR_BASE_STR_H
#define TAPIR_BASE_STR_H

#include "daemon/base/base.h"

/** Append to a NUL-terminated text in out[cap]; truncates, always terminates. */
void str_add(char *out, size_t cap, const char *fmt, ...) PRINTF(3, 4);
/** Copy; truncates, always terminates.  True when it fitted. */
bool str_copy(char *out, size_t cap, const char *in);
/** n bytes as lower-case hex; out needs 2n+1. */
void str_hex(char *out, size_t cap, const void *p, size_t n);
/** Decode hex (even number of digits, no separators) into out.
 * @return number of bytes or ERR_SYNTAX / ERR_LONG. */
MUST_USE int str_unhex(const char *text, size_t len, void *out, size_t cap);
/** Printable copy of untrusted bytes: control, non-ASCII, quote and backslash
 * become \xNN; truncated to cap-1. */
void str_escape(char *out, size_t cap, const void *p, size_t n);
/** Damerau-Levenshtein distance, at most 32 characters each considered. */
unsigned str_distance(const char *a, const char *b);
/** The closest of n words when it is close enough to be a typing mistake,
 * else NULL. */
const char *str_closest(const char *word, const char *const *words, size_t n);
/** Unsigned decimal number, whole text.  0 or ERR_SYNTAX / ERR_RANGE. */
MUST_USE int str_u64(const char *text, uint64_t max, uint64_t *out);
/** Glob with '*' and '?', ASCII case-insensitive (identities). */
bool str_glob(const char *pattern, const char *text);

#endif
