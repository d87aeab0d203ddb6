/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/wire_help.h - what the tests of ikev2/wire share.
 */
#ifndef TAPIR_TEST_WIRE_HELP_H
#define TAPIR_TEST_WIRE_HELP_H

#include <stdlib.h>
#include <string.h>

#include "ikev2/wire/wire.h"
#include "test/lib/test.h"

#define ARENA_BYTES (1u << 20)

/* A view of bytes given as hexadecimal text, kept in buf. */
#define HEX(buf_, text_) \
	((struct view){ (buf_), test_hex((text_), (buf_), sizeof(buf_)) })

#define VIEW(bytes_) ((struct view){ (bytes_), sizeof(bytes_) })

static inline void
assert_view(struct view v, const void *p, size_t len)
{
	assert_int_equal(v.len, len);
	assert_memory_equal(v.p, p, len);
}

/* decode(a, c) reads one body; returns its error. */
typedef int body_fn(struct arena *a, struct cur *c);

/* Decode the first len bytes of v out of memory of exactly that size, so that
 * a sanitizer sees one byte too many. */
static inline int
decode_part(body_fn *decode, struct view v, size_t len)
{
	uint8_t *p = malloc(len > 0 ? len : 1);
	struct arena a;
	struct cur c;
	int err;

	assert_non_null(p);
	memcpy(p, v.p, len);
	arena_init(&a, ARENA_BYTES);
	cur_init(&c, p, len);
	err = decode(&a, &c);
	arena_fini(&a);
	free(p);
	return err;
}

/* Every length below min_ok must fail; from there on all must pass. */
static inline void
assert_cut_everywhere(body_fn *decode, struct view v, size_t min_ok)
{
	size_t len;

	for (len = 0; len <= v.len; len++) {
		int err = decode_part(decode, v, len);

		if (len < min_ok)
			assert_int_not_equal(err, 0);
		else
			assert_int_equal(err, 0);
	}
}

#endif
