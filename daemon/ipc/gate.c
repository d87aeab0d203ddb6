/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/gate.c - the rules of secure.def, applied.
 *
 * Checks come first and change nothing; the counting happens in one place once
 * all of them passed.
 *
 * Thread: the owner of the channel.
 */
#include "daemon/ipc/gate.h"
#include <string.h>
#include "daemon/base/map.h"

#define MILLI 1000u

static void
bucket_fill(struct ipc_bucket *b, const struct ipc_row *r, uint64_t now_ms)
{
	uint64_t full = (uint64_t)r->burst * MILLI;
	uint64_t ms = now_ms > b->at_ms ? now_ms - b->at_ms : 0;

	/* One message a second is one thousandth a millisecond. */
	if (ms > full / r->rate)
		b->milli = full;
	else
		b->milli = MIN(full, b->milli + ms * r->rate);
	b->at_ms = now_ms;
}

static bool
bucket_take(struct ipc_bucket *b, const struct ipc_row *r, uint64_t now_ms)
{
	if (r->rate == 0)
		return true;
	bucket_fill(b, r, now_ms);
	if (b->milli < MILLI)
		return false;
	b->milli -= MILLI;
	return true;
}

static bool
is_answer(const struct ipc_row *r)
{
	return r->type % 2 == 1;
}

/* Requests wait under the key "ticket"; the value is the type, plus one so that
 * it is never NULL.  HELLO has no ticket and waits under 0. */
static void *
open_value(unsigned type)
{
	return (void *)(uintptr_t)(type + 1);
}

/* ---- public ------------------------------------------------------------------ */

int
ipc_gate_init(struct ipc_gate *g, enum ipc_side side, uint64_t now_ms)
{
	memset(g, 0, sizeof(*g));
	g->side = side;
	g->state = IPC_G_START;
	for (unsigned i = 0; i < IPC_TYPE_END; i++) {
		const struct ipc_row *r = ipc_row(i);

		g->bucket[i].at_ms = now_ms;
		if (r != NULL)
			g->bucket[i].milli = (uint64_t)r->burst * MILLI;
	}
	return map_new(&g->open, sizeof(uint64_t), IPC_OPEN_MAX);
}

void
ipc_gate_fini(struct ipc_gate *g)
{
	map_free(g->open);
	memset(g, 0, sizeof(*g));
}

int
ipc_gate_in(struct ipc_gate *g, const struct ipc_msg *m, uint64_t *seen,
	    unsigned n_fd, uint64_t now_ms)
{
	const struct ipc_row *r = ipc_row(m->type);
	uint64_t bit;

	if (r == NULL || r->sender == g->side || (r->states & g->state) == 0 ||
	    n_fd > r->n_fd)
		return ERR_GATE;
	bit = UINT64_C(1) << r->type;
	if (r->once == IPC_ONCE && (g->once & bit) != 0)
		return ERR_GATE;
	if (r->once == IPC_ONCE_SA && (seen == NULL || (*seen & bit) != 0))
		return ERR_GATE;
	if (is_answer(r) &&
	    map_find(g->open, &m->ticket) != open_value(r->type - 1u))
		return ERR_GATE;
	if (!bucket_take(&g->bucket[r->type], r, now_ms))
		return ERR_AGAIN;

	if (r->once == IPC_ONCE)
		g->once |= bit;
	if (r->once == IPC_ONCE_SA)
		*seen |= bit;
	if (is_answer(r))
		map_remove(g->open, &m->ticket);
	if (r->type == IPC_HELLO_OK)
		g->state = IPC_G_RUN;
	return 0;
}

int
ipc_gate_out(struct ipc_gate *g, const struct ipc_msg *m)
{
	const struct ipc_row *r = ipc_row(m->type);
	int err;

	if (r == NULL || r->sender != g->side || (r->states & g->state) == 0)
		return ERR_GATE;
	if (ipc_has_answer(r->type) &&
	    (err = map_add(g->open, &m->ticket, open_value(r->type))) != 0)
		return err;
	if (r->type == IPC_HELLO_OK)
		g->state = IPC_G_RUN;
	return 0;
}

void
ipc_gate_forget(struct ipc_gate *g, uint64_t ticket)
{
	map_remove(g->open, &ticket);
}
