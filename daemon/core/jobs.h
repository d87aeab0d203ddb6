/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/jobs.h - threads for what the IKE engine must not wait for.
 *
 *   tapir-job   Diffie-Hellman and the like: never delays packets or messages;
 *               what strangers cause goes behind the rest
 *   tapir-slow  puzzles (RFC 8019): seconds each, the lowest priority
 *
 * Thread: the loop.
 */
#ifndef TAPIR_CORE_JOBS_H
#define TAPIR_CORE_JOBS_H

#include "daemon/core/core.h"

struct jobs;

/** Start the threads, before confinement.  0, ERR_NOMEM or ERR_SYS; jobs_free()
 * *out even then. */
MUST_USE int jobs_new(struct jobs **out, struct vpn *v);
/** Have a job done; ike_job_done() follows, later. */
void jobs_give(struct jobs *j, struct ike_job *job);
/** Report the jobs that were done here, for want of a queue. */
void jobs_late(struct jobs *j);
/** End the threads; what they posted is still to be drained.  NULL is fine. */
void jobs_stop(struct jobs *j);
void jobs_free(struct jobs *j);

#endif
