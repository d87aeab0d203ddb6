/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/job.c - key exchange and puzzles on other threads.
 *
 * A job owns everything it touches: the key moves in and out again, the peer's
 * value is a copy.  It knows its SA by handle only, so an SA may die meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/secret.h"
#include "ikev2/engine.h"

struct ike_dh_job {
	struct ike_job job;
	struct list node;
	uint32_t handle;
	enum ike_job_for who;
	enum spi_group group;
	struct ike_puzzle puzzle;	/* prf 0: key exchange */
	struct spi_dh_key *key;
	uint8_t peer[SPI_DH_PUBLIC_MAX];
	size_t peer_len;
	uint8_t secret[SPI_DH_SECRET_MAX];
	size_t secret_len;
	int err;
};

/* On any thread. */
static void
dh_run(struct ike_job *job)
{
	struct ike_dh_job *j = CONTAINER_OF(job, struct ike_dh_job, job);

	if (atomic_load(&job->is_refused)) {
		j->err = ERR_LIMIT;
		return;
	}
	if (j->key == NULL && j->peer_len > 0 && spi_group_is_kem(j->group)) {
		j->err = spi_crypto()->kem_answer(j->group,
		    (struct view){ j->peer, j->peer_len }, &j->key, j->secret,
		    &j->secret_len);
		return;
	}
	if (j->key == NULL)
		j->err = spi_crypto()->dh_new(j->group, &j->key);
	if (j->err == 0 && j->peer_len > 0)
		j->err = spi_crypto()->dh_derive(j->key,
		    (struct view){ j->peer, j->peer_len }, j->secret,
		    &j->secret_len);
}

static bool
go_on(void *job)
{
	struct ike_job *j = job;

	return !atomic_load(&j->is_refused);
}

/* Seconds.  On any thread. */
static void
puzzle_run(struct ike_job *job)
{
	struct ike_dh_job *j = CONTAINER_OF(job, struct ike_dh_job, job);

	j->err = ike_puzzle_solve(j->puzzle.prf, (struct view){ j->peer,
	    j->peer_len }, j->puzzle.bits, IKE_PUZZLE_KEY_LEN, go_on, job,
	    j->secret);
	if (j->err == 0)
		j->secret_len = IKE_PS_KEYS * IKE_PUZZLE_KEY_LEN;
}

static void
job_free(struct ike_dh_job *j)
{
	list_remove(&j->node);
	spi_crypto()->dh_free(j->key);
	wipe(j, sizeof(*j));
	free(j);
}

static struct ike_dh_job *
job_new(struct ike_sa *sa, enum ike_job_for who, struct view peer)
{
	struct ike_dh_job *j;

	if (peer.len > sizeof(j->peer) ||
	    (j = calloc(1, sizeof(*j))) == NULL)
		return NULL;
	j->job.ticket = (uint64_t)sa->handle << 32 | ++sa->ike->last_serial;
	j->handle = sa->handle;
	j->who = who;
	if (peer.len > 0)
		memcpy(j->peer, peer.p, peer.len);
	j->peer_len = peer.len;
	return j;
}

static void
job_go(struct ike_sa *sa, struct ike_dh_job *j)
{
	struct ike *ike = sa->ike;

	list_add_tail(&ike->jobs, &j->node);
	if (j->who == IKE_JOB_MSG) {
		sa->park_ticket = j->job.ticket;
		sa->is_asked = false;
	} else {
		sa->task_ticket = j->job.ticket;
	}
	ike->ops.job(ike->ops.ctx, &j->job);
}

int
ike_job_start(struct ike_sa *sa, enum ike_job_for who, enum spi_group group,
	      struct spi_dh_key **key, struct view peer)
{
	struct ike_dh_job *j;

	if (peer.len > sizeof(j->peer))
		return ERR_KE;
	if ((j = job_new(sa, who, peer)) == NULL)
		return ERR_NOMEM;
	j->job.run = dh_run;
	/* a key of ours for an IKE_SA_INIT request */
	j->job.is_stranger = who == IKE_JOB_MSG && peer.len == 0 &&
	    sa->state == IKE_SA_NONE;
	j->group = group;
	j->key = *key;
	*key = NULL;
	job_go(sa, j);
	return 0;
}

int
ike_job_puzzle(struct ike_sa *sa, const struct ike_puzzle *puzzle,
	       struct view s)
{
	struct ike_dh_job *j = job_new(sa, IKE_JOB_MSG, s);

	if (j == NULL)
		return ERR_NOMEM;
	j->job.run = puzzle_run;
	j->job.is_slow = true;
	j->puzzle = *puzzle;
	job_go(sa, j);
	return 0;
}

void
ike_job_cancel(struct ike_sa *sa)
{
	if (sa->state != IKE_SA_INIT_I || sa->parked == NULL)
		return;
	LIST_FOREACH(it, &sa->ike->jobs) {
		struct ike_dh_job *j = CONTAINER_OF(it, struct ike_dh_job,
						    node);

		if (j->handle == sa->handle && j->job.is_slow)
			atomic_store(&j->job.is_refused, true);
	}
}

void
ike_job_free_all(struct ike *ike)
{
	LIST_FOREACH_SAFE(it, next, &ike->jobs)
		job_free(CONTAINER_OF(it, struct ike_dh_job, node));
}

/* The message goes on with the step after the one that asked. */
static void
done_msg(struct ike *ike, struct ike_sa *sa, struct ike_dh_job *j)
{
	struct ike_msg *m = sa->parked;

	sa->parked = NULL;
	sa->park_ticket = 0;
	spi_crypto()->dh_free(m->dh);
	m->dh = j->key;
	j->key = NULL;
	memcpy(m->secret, j->secret, j->secret_len);
	m->secret_len = j->secret_len;
	m->job_err = j->err;
	ike_path_run(ike, sa, m);
	ike_engine_held(ike, sa);	/* what waited for keys */
}

static void
done_task(struct ike_sa *sa, struct ike_dh_job *j)
{
	sa->task_ticket = 0;
	sa->task->dh = j->key;
	j->key = NULL;
	ike_task_job(sa, j->err);
}

void
ike_job_done(struct ike *ike, struct ike_job *job, uint64_t now_ms)
{
	struct ike_dh_job *j = CONTAINER_OF(job, struct ike_dh_job, job);
	struct ike_sa *sa = ike_sa_by_handle(ike, j->handle);

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if (sa != NULL && j->who == IKE_JOB_MSG && sa->parked != NULL &&
	    sa->park_ticket == job->ticket)
		done_msg(ike, sa, j);
	else if (sa != NULL && j->who == IKE_JOB_TASK && sa->task != NULL &&
		 sa->task_ticket == job->ticket)
		done_task(sa, j);
	job_free(j);
	ike_reap(ike);
}
