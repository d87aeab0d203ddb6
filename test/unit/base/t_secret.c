/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/base/t_secret.c - secret memory is zeroed, guarded, wiped and bounded.
 */
#include "daemon/base/secret.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "daemon/base/thr.h"
#include "test/lib/test.h"

/* Run fn in a child; true when it ended by exit(0). */
static bool
child_survives(void (*fn)(uint8_t *), uint8_t *arg)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit none = { 0, 0 };

		/* cmocka would turn these into a failed test and go on. */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		setrlimit(RLIMIT_CORE, &none);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(2);
		fn(arg);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
expect_zero(uint8_t *p)
{
	for (size_t i = 0; i < 64; i++)
		if (p[i] != 0)
			_exit(1);
}

static void
write_behind(uint8_t *p)
{
	((volatile uint8_t *)p)[64 << 10] = 1;
}

static void
write_before(uint8_t *p)
{
	((volatile uint8_t *)p)[-1] = 1;
}

static void
write_inside(uint8_t *p)
{
	((volatile uint8_t *)p)[0] = 1;
	((volatile uint8_t *)p)[(64 << 10) - 1] = 1;
}

static void
free_middle(uint8_t *p)
{
	secret_free(p + 1);
}

static void
free_stranger(uint8_t *p)
{
	uint8_t mine[64];

	(void)p;
	secret_free(mine);
}

static void
free_twice(uint8_t *p)
{
	secret_free(p);
	secret_free(p);
}

TEST(memory_is_zeroed_when_given_out_also_the_second_time)
{
	static const size_t sizes[] = { 0, 1, 64, 65, 300, 4096, 5000, 65536 };

	for (size_t k = 0; k < 2 * N_OF(sizes); k++) {
		size_t n = sizes[k / 2];
		uint8_t *p = secret_alloc(n);

		assert_non_null(p);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xee, n);
		secret_free(p);
	}
}

TEST(used_rises_and_falls)
{
	size_t before = secret_used();
	void *p = secret_alloc(100), *q = secret_alloc(100);

	assert_true(secret_used() >= before + 200);
	secret_free(p);
	secret_free(q);
	secret_free(NULL);
	assert_int_equal(secret_used(), before);
}

TEST(more_than_the_largest_secret_is_refused)
{
	assert_null(secret_alloc((64 << 10) + 1));
	assert_null(secret_alloc(SIZE_MAX));
}

TEST(a_child_process_sees_zeros)
{
	uint8_t *p = secret_alloc(64);

	memset(p, 0x5a, 64);
	assert_true(child_survives(expect_zero, p));
	assert_int_equal(p[0], 0x5a);
	secret_free(p);
}

TEST(guard_pages_stop_an_overrun_on_either_side)
{
	uint8_t *p = secret_alloc(64 << 10);

	assert_non_null(p);
	assert_true(child_survives(write_inside, p));
	assert_false(child_survives(write_behind, p));
	assert_false(child_survives(write_before, p));
	secret_free(p);
}

TEST(a_wrong_free_ends_the_program)
{
	uint8_t *p = secret_alloc(64);

	assert_false(child_survives(free_middle, p));
	assert_false(child_survives(free_stranger, p));
	assert_false(child_survives(free_twice, p));
	secret_free(p);
}

TEST(the_total_is_bounded_and_comes_back)
{
	static void *p[SECRET_MAX_BYTES / 65536 + 1];
	size_t n = 0;

	while (n < N_OF(p) && (p[n] = secret_alloc(65536)) != NULL)
		n++;
	assert_in_range(n, 1, SECRET_MAX_BYTES / 65536);
	assert_null(secret_alloc(65536));
	for (size_t i = 0; i < n; i++)
		secret_free(p[i]);
	/* What was one large secret now serves many small ones. */
	for (size_t i = 0; i < N_OF(p); i++) {
		p[i] = secret_alloc(64);
		assert_non_null(p[i]);
	}
	for (size_t i = 0; i < N_OF(p); i++)
		secret_free(p[i]);
}

TEST(pages_are_locked_kept_out_of_dumps_and_wiped_on_fork)
{
	uint8_t *p = secret_alloc(64);
	char line[512], want_dd = 0, want_wf = 0, want_lo = 0;
	FILE *f = fopen("/proc/self/smaps", "r");
	bool is_here = false;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		unsigned long lo, hi;

		if (sscanf(line, "%lx-%lx", &lo, &hi) == 2)
			is_here = (uintptr_t)p >= lo && (uintptr_t)p < hi;
		if (!is_here || strncmp(line, "VmFlags:", 8) != 0)
			continue;
		want_dd = strstr(line, " dd") != NULL;
		want_wf = strstr(line, " wf") != NULL;
		want_lo = strstr(line, " lo") != NULL;
	}
	fclose(f);
	assert_true(want_dd);
	assert_true(want_wf);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	/* The sanitizers turn mlock() into nothing. */
	assert_int_equal(want_lo != 0, secret_is_locked());
#else
	(void)want_lo;
#endif
	secret_free(p);
}

static void
churn(void *ctx)
{
	bool *is_ok = ctx;

	for (size_t i = 0; i < 400; i++) {
		uint8_t *p = secret_alloc(i % 300 + 1);

		if (p == NULL || p[0] != 0 || p[i % 300] != 0)
			*is_ok = false;
		if (p != NULL)
			memset(p, 0xff, i % 300 + 1);
		secret_free(p);
	}
}

TEST(threads_never_get_the_same_memory)
{
	bool is_ok[3] = { true, true, true };
	struct thr *t[3];

	for (size_t i = 0; i < N_OF(t); i++)
		assert_int_equal(thr_start(&t[i], "churn", churn, &is_ok[i]),
		    0);
	for (size_t i = 0; i < N_OF(t); i++)
		thr_join(t[i]);
	assert_true(is_ok[0] && is_ok[1] && is_ok[2]);
}

TEST(ct_equal_tells_true_when_equal)
{
	assert_true(ct_equal("abcdef", "abcdef", 6));
	assert_false(ct_equal("Xbcdef", "abcdef", 6));
	assert_false(ct_equal("abcdeX", "abcdef", 6));
	assert_true(ct_equal("abcdeX", "abcdef", 5));
	assert_true(ct_equal("a", "b", 0));
	assert_false(ct_equal("\x80", "\x00", 1));
}

TEST(wipe_zeroes_exactly_n_bytes)
{
	uint8_t b[4] = { 1, 2, 3, 4 };

	wipe(b, 3);
	assert_int_equal(b[0] | b[1] | b[2], 0);
	assert_int_equal(b[3], 4);
	wipe(NULL, 0);
}
