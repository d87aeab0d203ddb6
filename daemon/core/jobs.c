/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/jobs.c - threads for what the IKE engine must not wait for.
 */
#include "daemon/core/jobs.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/list.h"
#include "daemon/base/log.h"
#include "daemon/base/ring.h"
#include "daemon/base/thr.h"
#include "daemon/core/loop.h"

#define JOBS_MAX      1024	/* jobs that may wait; ours */
#define JOBS_SLOW_MAX 16	/* puzzles that may wait; ours */
#define SLOW_NICE     19	/* the lowest there is */

/* A thread; it takes from the first queue first. */
enum { QUEUE_FIRST, QUEUE_STRANGERS, QUEUE_END };
struct hand {
	struct vpn *vpn;
	struct ring *queue[QUEUE_END];
	int wake;
	struct thr *thr;
	_Atomic(struct ike_job *) now;	/* the one it does */
	atomic_bool is_stopped;
};

struct jobs {
	struct vpn *vpn;
	struct hand quick, slow;
	struct list late;		/* done here, for jobs_late() */
};

/* A job that was done on the loop for want of a queue. */
struct late {
	struct list node;
	struct ike_job *job;
};

static void
job_done(void *ctx, void *item)
{
	struct vpn *v = ctx;

	if (!v->is_stopping) /* else the engine frees it with itself */
		ike_job_done(v->ike, item, clk_ms());
}

/* ---- the threads --------------------------------------------------------- */

static void
job_do(struct hand *h, struct ike_job *job)
{
	atomic_store(&h->now, job);
	if (atomic_load(&h->is_stopped))	/* hand_stop() may not see it */
		atomic_store(&job->is_refused, true);
	job->run(job);
	atomic_store(&h->now, NULL);
	/* The loop's queue holds more posts than jobs exist: when it is full the
	 * loop is behind; wait for it. */
	while (loop_post(h->vpn->loop, job_done, h->vpn, job) != 0 &&
	       !atomic_load(&h->is_stopped))
		usleep(1000);
}

static struct ike_job *
job_next(struct hand *h)
{
	struct ike_job *job = NULL;

	for (int q = 0; q < QUEUE_END && job == NULL; q++)
		job = ring_pop(h->queue[q]);
	return job;
}

static void
hand_main(void *ctx)
{
	struct hand *h = ctx;
	struct ike_job *job;
	uint64_t junk;

	while (!atomic_load(&h->is_stopped)) {
		if (read(h->wake, &junk, sizeof(junk)) < 0 && errno != EINTR)
			return;
		while (!atomic_load(&h->is_stopped) &&
		       (job = job_next(h)) != NULL)
			job_do(h, job);
	}
}

/* ---- on the loop --------------------------------------------------------- */

void
jobs_give(struct jobs *j, struct ike_job *job)
{
	struct hand *h = job->is_slow ? &j->slow : &j->quick;
	struct late *l;
	uint64_t one = 1;

	if (ring_push(h->queue[job->is_stranger ? QUEUE_STRANGERS :
			       QUEUE_FIRST], job) == 0) {
		if (write(h->wake, &one, sizeof(one)) < 0)
			return; /* the counter is at its top: it wakes anyway */
		return;
	}
	/* Queue full: do it here, late rather than never, unless it is for a
	 * stranger or takes long.  The answer may not come from inside of this
	 * call. */
	if ((l = malloc(sizeof(*l))) == NULL) {
		log_rl(LOG_WARN, "ike", "a key exchange is given up: %s",
		       err_text(ERR_NOMEM));
		return; /* the SA times out; the engine frees the job at its end */
	}
	if (job->is_stranger || job->is_slow)
		atomic_store(&job->is_refused, true);
	job->run(job);
	l->job = job;
	list_add_tail(&j->late, &l->node);
}

void
jobs_late(struct jobs *j)
{
	while (!list_is_empty(&j->late)) {
		struct list *first = j->late.next;
		struct late *l = CONTAINER_OF(first, struct late, node);

		list_remove(first);
		job_done(j->vpn, l->job);
		free(l);
	}
}

/* ---- start and end ------------------------------------------------------- */

static int
hand_init(struct hand *h, struct vpn *v, unsigned n)
{
	int err = 0;

	h->vpn = v;
	h->wake = eventfd(0, EFD_CLOEXEC);
	if (h->wake < 0)
		return ERR_SYS;
	for (int q = 0; q < QUEUE_END && err == 0; q++)
		err = ring_new(&h->queue[q], n);
	return err;
}

static int
hand_start(struct hand *h, const char *name, int nice)
{
	int err;

	if ((err = thr_start(&h->thr, name, hand_main, h)) != 0)
		return err;
	/* It may be lower than that already. */
	if (thr_nice(h->thr, nice) != 0)
		log_debug("core", "the priority of %s stays as it is", name);
	return 0;
}

int
jobs_new(struct jobs **out, struct vpn *v)
{
	struct jobs *j = calloc(1, sizeof(*j));
	int err;

	if (j == NULL)
		return ERR_NOMEM;
	*out = j;
	j->vpn = v;
	list_init(&j->late);
	j->quick.wake = j->slow.wake = -1;
	if ((err = hand_init(&j->quick, v, JOBS_MAX)) != 0 ||
	    (err = hand_init(&j->slow, v, JOBS_SLOW_MAX)) != 0 ||
	    (err = hand_start(&j->quick, "tapir-job", 0)) != 0)
		return err;
	return hand_start(&j->slow, "tapir-slow", SLOW_NICE);
}

static void
hand_stop(struct hand *h)
{
	struct ike_job *job;
	uint64_t one = 1;

	if (h->thr == NULL)
		return;
	atomic_store(&h->is_stopped, true);
	/* It lives still: only the loop frees jobs, and the loop is here. */
	if ((job = atomic_load(&h->now)) != NULL)
		atomic_store(&job->is_refused, true);
	if (write(h->wake, &one, sizeof(one)) < 0)
		return; /* cannot be: the counter is far from its top */
	thr_join(h->thr);
	h->thr = NULL;
}

void
jobs_stop(struct jobs *j)
{
	if (j == NULL)
		return;
	hand_stop(&j->quick);
	hand_stop(&j->slow);
}

static void
hand_fini(struct hand *h)
{
	for (int q = 0; q < QUEUE_END; q++)
		ring_free(h->queue[q]);
	if (h->wake >= 0)
		close(h->wake);
}

void
jobs_free(struct jobs *j)
{
	if (j == NULL)
		return;
	jobs_stop(j);
	LIST_FOREACH_SAFE(it, tmp, &j->late)
		free(CONTAINER_OF(it, struct late, node));
	hand_fini(&j->quick);
	hand_fini(&j->slow);
	free(j);
}
