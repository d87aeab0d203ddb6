/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/base/t_thr.c - threads, their indices, and release after a quiet point.
 */
#include "daemon/base/thr.h"
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/lk.h"
#include "test/lib/test.h"

static unsigned n_done;
static atomic_uint step;	/* a hand-made rendezvous between two threads */

static void
done(void *ctx)
{
	(void)ctx;
	n_done++;
}

static void
wait_step(unsigned n)
{
	while (atomic_load(&step) < n)
		sched_yield();
}

struct seen {
	char name[16];
	bool is_blocked;
	unsigned index;
};

static void
look(void *ctx)
{
	struct seen *s = ctx;
	sigset_t set;

	prctl(PR_GET_NAME, s->name, 0, 0, 0);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	s->is_blocked = sigismember(&set, SIGTERM) == 1 &&
	    sigismember(&set, SIGHUP) == 1;
	s->index = thr_index();
}

TEST(a_thread_has_its_name_and_no_signals)
{
	struct seen s = { .index = 9999 };
	unsigned mine_index = thr_index();
	struct thr *t = NULL;
	sigset_t mine;

	assert_int_equal(thr_start(&t, "a-name-that-is-too-long", look, &s),
	    0);
	thr_join(t);
	assert_string_equal(s.name, "a-name-that-is-");
	assert_true(s.is_blocked);
	assert_in_range(s.index, 0, THR_MAX - 1);
	assert_int_not_equal(s.index, mine_index);
	pthread_sigmask(SIG_SETMASK, NULL, &mine);
	assert_int_equal(sigismember(&mine, SIGTERM), 0);
	thr_join(NULL);
}

TEST(an_index_stays_and_is_used_again_after_the_end)
{
	unsigned mine = thr_index();

	/* More threads in a row than there are indices. */
	for (unsigned i = 0; i < THR_MAX + 10; i++) {
		struct seen s = { .index = 9999 };
		struct thr *t = NULL;

		assert_int_equal(thr_start(&t, "short", look, &s), 0);
		thr_join(t);
		assert_in_range(s.index, 0, THR_MAX - 1);
		assert_int_not_equal(s.index, mine);
	}
	assert_int_equal(thr_index(), mine);
}

TEST(pinning_to_no_cpu_is_refused)
{
	struct seen s;
	struct thr *t = NULL;

	assert_int_equal(thr_start(&t, "pin", look, &s), 0);
	assert_int_equal(thr_pin(t, 1 << 20), ERR_RANGE);
	thr_join(t);
}

struct levels {
	sem_t go;
	int seen;
};

static void
own_level(void *ctx)
{
	struct levels *l = ctx;

	while (sem_wait(&l->go) != 0)
		;
	l->seen = getpriority(PRIO_PROCESS, (id_t)gettid());
}

TEST(a_nice_level_is_that_of_one_thread_alone)
{
	int mine = getpriority(PRIO_PROCESS, 0);
	struct levels l = { .seen = -100 };
	struct thr *t = NULL;

	sem_init(&l.go, 0, 0);
	assert_int_equal(thr_start(&t, "lower", own_level, &l), 0);
	assert_int_equal(thr_nice(t, 19), 0);
	sem_post(&l.go);
	thr_join(t);
	assert_int_equal(l.seen, 19);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), mine);
	sem_destroy(&l.go);
}

TEST(with_nobody_registered_it_runs_at_once_and_in_order)
{
	n_done = 0;
	assert_false(thr_reclaim());
	assert_int_equal(thr_defer(done, NULL), 0);
	assert_int_equal(thr_defer(done, NULL), 0);
	assert_int_equal(n_done, 0);
	assert_false(thr_reclaim());
	assert_int_equal(n_done, 2);
}

TEST(the_registered_caller_does_not_block_itself)
{
	n_done = 0;
	thr_register();
	assert_int_equal(thr_defer(done, NULL), 0);
	assert_false(thr_reclaim());
	assert_int_equal(n_done, 1);
	thr_unregister();
}

static void
reader_steps(void *ctx)
{
	(void)ctx;
	thr_register();
	atomic_store(&step, 1);
	wait_step(2);
	thr_quiet();
	atomic_store(&step, 3);
	wait_step(4);
	thr_offline();
	thr_quiet();		/* stays offline */
	atomic_store(&step, 5);
	wait_step(6);
	thr_online();
	atomic_store(&step, 7);
	wait_step(8);
	thr_unregister();
}

TEST(an_online_thread_holds_back_until_it_was_quiet)
{
	struct thr *t = NULL;

	n_done = 0;
	atomic_store(&step, 0);
	assert_int_equal(thr_start(&t, "reader", reader_steps, NULL), 0);
	wait_step(1);
	assert_int_equal(thr_defer(done, NULL), 0);
	assert_true(thr_reclaim());
	assert_int_equal(n_done, 0);
	atomic_store(&step, 2);
	wait_step(3);
	assert_false(thr_reclaim());
	assert_int_equal(n_done, 1);
	/* Deferred after its quiet point: waits for the next one. */
	assert_int_equal(thr_defer(done, NULL), 0);
	assert_true(thr_reclaim());
	assert_int_equal(n_done, 1);
	atomic_store(&step, 4);
	wait_step(5);
	assert_false(thr_reclaim());
	assert_int_equal(n_done, 2);
	atomic_store(&step, 6);
	wait_step(7);
	assert_int_equal(thr_defer(done, NULL), 0);
	assert_true(thr_reclaim());
	atomic_store(&step, 8);
	thr_join(t);
	assert_false(thr_reclaim());
	assert_int_equal(n_done, 3);
}

static void
defer_more(void *ctx)
{
	n_done++;
	assert_int_equal(thr_defer(done, ctx), 0);
}

TEST(a_deferred_function_may_defer)
{
	n_done = 0;
	assert_int_equal(thr_defer(defer_more, NULL), 0);
	assert_true(thr_reclaim());
	assert_int_equal(n_done, 1);
	assert_false(thr_reclaim());
	assert_int_equal(n_done, 2);
	assert_int_equal(thr_defer(defer_more, NULL), 0);
	thr_reclaim_all();
	assert_int_equal(n_done, 4);
}

/* Readers follow a pointer that the writer replaces and frees. */
#define MAGIC 0x7461706972u
#define READERS 3

struct table {
	uint64_t magic;		/* plain: a race with free shows up in TSan */
};
static _Atomic(struct table *) table;
static atomic_bool is_end;

static void
table_free(void *ctx)
{
	struct table *t = ctx;

	t->magic = 0;
	free(t);
}

static void
reader(void *ctx)
{
	atomic_uint *n_bad = ctx;

	thr_register();
	for (unsigned i = 0; !atomic_load_explicit(&is_end,
	    memory_order_relaxed); i++) {
		struct table *t = atomic_load_explicit(&table,
		    memory_order_acquire);

		if (t->magic != MAGIC)
			atomic_fetch_add(n_bad, 1);
		if (i % 16 == 5) {
			thr_offline();
			thr_online();
		} else if (i % 4 == 0) {
			thr_quiet();
		}
	}
	thr_unregister();
}

static struct table *
table_new(void)
{
	struct table *t = malloc(sizeof(*t));

	assert_non_null(t);
	t->magic = MAGIC;
	return t;
}

TEST(readers_never_see_a_freed_table)
{
	struct thr *t[READERS];
	atomic_uint n_bad = 0;

	atomic_store(&is_end, false);
	atomic_store(&table, table_new());
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(thr_start(&t[i], "reader", reader, &n_bad),
		    0);
	for (unsigned i = 0; i < 3000; i++) {
		struct table *old = atomic_exchange(&table, table_new());

		assert_int_equal(thr_defer(table_free, old), 0);
		thr_reclaim();
	}
	atomic_store(&is_end, true);
	for (size_t i = 0; i < READERS; i++)
		thr_join(t[i]);
	thr_reclaim_all();
	assert_false(thr_reclaim());
	table_free(atomic_load(&table));
	assert_int_equal(atomic_load(&n_bad), 0);
}

/* Locks guard a plain counter between threads. */
static struct lk lock;
static struct lk_rw rwlock;
static unsigned n_guarded, n_rw_guarded;

static void
count_up(void *ctx)
{
	(void)ctx;
	for (unsigned i = 0; i < 2000; i++) {
		lk_lock(&lock);
		n_guarded++;
		lk_rw_wrlock(&rwlock);
		n_rw_guarded++;
		lk_rw_unlock(&rwlock);
		lk_unlock(&lock);
		lk_rw_rdlock(&rwlock);
		lk_rw_unlock(&rwlock);
	}
}

TEST(locks_exclude_each_other)
{
	struct thr *t[3];

	lk_init(&lock, 10);
	lk_rw_init(&rwlock, 20);
	for (size_t i = 0; i < N_OF(t); i++)
		assert_int_equal(thr_start(&t[i], "count", count_up, NULL), 0);
	for (size_t i = 0; i < N_OF(t); i++)
		thr_join(t[i]);
	assert_int_equal(n_guarded, 6000);
	assert_int_equal(n_rw_guarded, 6000);
	lk_fini(&lock);
	lk_rw_fini(&rwlock);
}

static atomic_bool may_end;

static void
burn(void *ctx)
{
	atomic_uint *n = ctx;

	while (!atomic_load(&may_end))
		atomic_fetch_add(n, 1);
}

TEST(cpu_time_of_a_thread_grows_while_it_computes)
{
	atomic_uint n = 0;
	struct thr *t;
	uint64_t at;

	atomic_store(&may_end, false);
	assert_int_equal(thr_start(&t, "burn", burn, &n), 0);
	at = thr_cpu_ns(t);
	while (thr_cpu_ns(t) <= at || atomic_load(&n) == 0)
		continue;
	atomic_store(&may_end, true);
	thr_join(t);
	assert_true(atomic_load(&n) > 0);
	assert_int_equal(thr_cpu_ns(NULL), 0);
}
