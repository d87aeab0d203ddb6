/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/lib/test.h - TEST() on top of cmocka.
 *
 *   #include "test/lib/test.h"
 *   TEST(replay_refuses_left_of_window)
 *   {
 *           assert_int_equal(esp_replay_check(&w, 1), ERR_REPLAY);
 *   }
 *
 * A program is one t_<file>.c linked with test.o, which has main().  A test's
 * name is a sentence.  Assertions are cmocka's (cmocka_assert header).
 */
#ifndef TAPIR_TEST_H
#define TAPIR_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

typedef void test_body_fn(void **state);

/** Add one test to the program's list; used by TEST() before main() runs. */
void test_add(const char *name, test_body_fn *fn);

/**
 * Decode a hexadecimal text ("00 0a ff", spaces and newlines ignored).
 * @return number of bytes written; ends the test when the text is not
 *         hexadecimal or longer than cap bytes.
 */
size_t test_hex(const char *text, uint8_t *out, size_t cap);

/** Seed of this run, printed at start; TEST_SEED=n in the environment sets it. */
uint64_t test_seed(void);

#define TEST(name_)                                                            \
	static void test_##name_(void **state);                                \
	__attribute__((constructor)) static void test_reg_##name_(void)        \
	{                                                                      \
		test_add(#name_, test_##name_);                                \
	}                                                                      \
	static void test_##name_(void **state __attribute__((unused)))

#endif
