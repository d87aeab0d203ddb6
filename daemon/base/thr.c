/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/thr.c - threads, thread indices, deferred release.
 *
 * Deferred release.  `epoch` rises with each thr_defer().  Every thread has a
 * slot: 0 while it is offline or not registered, otherwise the epoch it saw at
 * its last quiet point.  What was deferred at epoch e may run once each slot is
 * 0 or >= e:
 *   - slot >= e: the thread loaded an epoch that was raised after the new
 *     version was published, so it sees the new version from there on;
 *   - slot == 0: the reader's exchange in thr_online() and the writer's
 *     read-modify-write in slot_seen() have one order.  Either the writer sees
 *     the reader online and waits, or the reader synchronises with the writer
 *     and sees the new version.
 * No fences, so that ThreadSanitizer understands it.
 */
#include "daemon/base/thr.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/list.h"

struct thr {
	pthread_t id;
	pid_t tid;
	char name[16];
	thr_fn *fn;
	void *ctx;
	sem_t is_running;	/* posted once it has started */
};
struct slot {
	_Alignas(64) _Atomic uint64_t seen;
};
struct later {
	struct list node;
	uint64_t epoch;
	thr_fn *fn;
	void *ctx;
};

static struct slot slots[THR_MAX];
static _Atomic uint64_t epoch = 1;
/* Owner: the loop.  In rising order of epoch. */
static struct list queue = { &queue, &queue };

/* Leaf lock: which indices are in use. */
static pthread_mutex_t index_lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_taken[THR_MAX] GUARDED_BY(index_lock);
static _Thread_local int my_index = -1;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

/* At the end of a thread: its index is free for a later one.  The value is
 * the index + 1, because NULL would not be called. */
static void
index_release(void *value)
{
	size_t i = (size_t)(uintptr_t)value - 1;

	atomic_store_explicit(&slots[i].seen, 0, memory_order_release);
	pthread_mutex_lock(&index_lock);
	is_taken[i] = false;
	pthread_mutex_unlock(&index_lock);
	my_index = -1;
}

static void
key_make(void)
{
	if (pthread_key_create(&key, index_release) != 0)
		abort();
}

static unsigned
index_take(void)
{
	size_t i = 0;

	pthread_once(&key_once, key_make);
	pthread_mutex_lock(&index_lock);
	while (i < THR_MAX && is_taken[i])
		i++;
	if (i < THR_MAX)
		is_taken[i] = true;
	pthread_mutex_unlock(&index_lock);
	/* Our own bug: the number of threads is set by us, not by a peer. */
	if (i == THR_MAX ||
	    pthread_setspecific(key, (void *)(uintptr_t)(i + 1)) != 0) {
		fprintf(stderr, "thr: more than %d threads\n", THR_MAX);
		abort();
	}
	my_index = (int)i;
	return (unsigned)i;
}

static void *
trampoline(void *arg)
{
	struct thr *t = arg;

	prctl(PR_SET_NAME, t->name, 0, 0, 0);
	t->tid = gettid();
	sem_post(&t->is_running);
	t->fn(t->ctx);
	return NULL;
}

/* What a slot says; see the top of the file for the second look. */
static uint64_t
slot_seen(struct slot *s)
{
	uint64_t seen = atomic_load_explicit(&s->seen, memory_order_acquire);

	if (seen != 0)
		return seen;
	return atomic_fetch_add_explicit(&s->seen, 0, memory_order_acq_rel);
}

/* The oldest epoch any registered thread may still be in. */
static uint64_t
oldest_seen(void)
{
	uint64_t oldest = atomic_load_explicit(&epoch, memory_order_acquire);

	for (size_t i = 0; i < THR_MAX; i++) {
		uint64_t seen = slot_seen(&slots[i]);

		if (seen != 0 && seen < oldest)
			oldest = seen;
	}
	return oldest;
}

static void
run_until(uint64_t upto)
{
	while (!list_is_empty(&queue)) {
		struct later *l = CONTAINER_OF(queue.next, struct later, node);

		if (l->epoch > upto)
			break;
		list_remove(&l->node);
		l->fn(l->ctx);
		free(l);
	}
}

int
thr_start(struct thr **out, const char *name, thr_fn *fn, void *ctx)
{
	struct thr *t = calloc(1, sizeof(*t));
	sigset_t all, old;
	int rc;

	if (t == NULL)
		return ERR_NOMEM;
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->fn = fn;
	t->ctx = ctx;
	sem_init(&t->is_running, 0, 0);
	/* The new thread inherits the mask: signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&t->id, NULL, trampoline, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0) {
		sem_destroy(&t->is_running);
		free(t);
		return ERR_SYS;
	}
	/* What a thread does at its start must not meet a system call filter
	 * that the caller installs next. */
	while (sem_wait(&t->is_running) != 0)
		continue;
	*out = t;
	return 0;
}

void
thr_join(struct thr *t)
{
	if (t == NULL)
		return;
	if (pthread_join(t->id, NULL) != 0)
		abort();
	sem_destroy(&t->is_running);
	free(t);
}

int
thr_pin(struct thr *t, unsigned cpu)
{
	cpu_set_t set;
	int rc;

	if (cpu >= CPU_SETSIZE)
		return ERR_RANGE;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	rc = pthread_setaffinity_np(t->id, sizeof(set), &set);
	if (rc == EINVAL) /* no such CPU, or not ours */
		return ERR_RANGE;
	return rc == 0 ? 0 : ERR_SYS;
}

/* On Linux the level is a thread's own. */
int
thr_nice(struct thr *t, int nice)
{
	return setpriority(PRIO_PROCESS, (id_t)t->tid, nice) == 0 ? 0 : ERR_SYS;
}

uint64_t
thr_cpu_ns(const struct thr *t)
{
	struct timespec ts;
	clockid_t id;

	if (t == NULL || pthread_getcpuclockid(t->id, &id) != 0 ||
	    clock_gettime(id, &ts) != 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

unsigned
thr_index(void)
{
	if (LIKELY(my_index >= 0))
		return (unsigned)my_index;
	return index_take();
}

void
thr_register(void)
{
	thr_online();
}

void
thr_unregister(void)
{
	thr_offline();
}

void
thr_quiet(void)
{
	uint64_t now = atomic_load_explicit(&epoch, memory_order_acquire);
	struct slot *s = &slots[thr_index()];
	uint64_t seen = atomic_load_explicit(&s->seen, memory_order_relaxed);

	/* Almost always nothing was deferred: then no store either.  Who is
	 * offline stays so; coming back takes the exchange below. */
	if (seen != 0 && seen != now)
		atomic_store_explicit(&s->seen, now, memory_order_release);
}

void
thr_offline(void)
{
	atomic_store_explicit(&slots[thr_index()].seen, 0,
	    memory_order_release);
}

void
thr_online(void)
{
	uint64_t now = atomic_load_explicit(&epoch, memory_order_acquire);

	atomic_exchange_explicit(&slots[thr_index()].seen, now,
	    memory_order_acq_rel);
}

int
thr_defer(thr_fn *fn, void *ctx)
{
	struct later *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return ERR_NOMEM;
	l->fn = fn;
	l->ctx = ctx;
	l->epoch = 1 + atomic_fetch_add_explicit(&epoch, 1,
	    memory_order_acq_rel);
	list_add_tail(&queue, &l->node);
	return 0;
}

bool
thr_reclaim(void)
{
	if (list_is_empty(&queue))
		return false;
	/* Who releases tables here holds none: the caller is quiet too. */
	thr_quiet();
	run_until(oldest_seen());
	return !list_is_empty(&queue);
}

void
thr_reclaim_all(void)
{
	run_until(UINT64_MAX);
}
