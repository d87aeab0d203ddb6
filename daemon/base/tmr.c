/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/tmr.c - binary heap of timers.
 *
 * A set timer is in one of two places, told apart by its idx:
 *
 *   idx = place + 1             in the heap
 *   idx = DUE_BIT | place + 1   in the due list of a running tmr_run()
 *
 * tmr_run() first moves all that is due out of the heap, then fires; what a
 * callback starts goes into the heap and is looked at by the next call.
 */
#include "daemon/base/tmr.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"

#define DUE_BIT  ((size_t)1 << (sizeof(size_t) * 8 - 1))
#define HEAP_MIN 64 /* first allocation, timers; ours */

static void
place(struct tmr_set *s, size_t i, struct tmr *t)
{
	s->heap[i] = t;
	t->idx = i + 1;
}

static void
sift_up(struct tmr_set *s, size_t i)
{
	struct tmr *t = s->heap[i];

	while (i > 0 && s->heap[(i - 1) / 2]->at_ms > t->at_ms) {
		place(s, i, s->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(s, i, t);
}

static void
sift_down(struct tmr_set *s, size_t i)
{
	struct tmr *t = s->heap[i];

	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid >= s->n)
			break;
		if (kid + 1 < s->n &&
		    s->heap[kid + 1]->at_ms < s->heap[kid]->at_ms)
			kid++;
		if (s->heap[kid]->at_ms >= t->at_ms)
			break;
		place(s, i, s->heap[kid]);
		i = kid;
	}
	place(s, i, t);
}

static void
heap_cut(struct tmr_set *s, size_t i)
{
	struct tmr *last = s->heap[--s->n];

	if (i == s->n)
		return;
	place(s, i, last);
	sift_down(s, i);
	sift_up(s, last->idx - 1);
}

/* The due list is as large as the heap, so that tmr_run() cannot fail. */
static int
grow(struct tmr_set *s)
{
	size_t cap = s->cap == 0 ? HEAP_MIN : s->cap * 2;
	struct tmr **p;

	if ((p = realloc(s->due, cap * sizeof(struct tmr *))) == NULL)
		return ERR_NOMEM;
	s->due = p;
	if ((p = realloc(s->heap, cap * sizeof(struct tmr *))) == NULL)
		return ERR_NOMEM;
	s->heap = p;
	s->cap = cap;
	return 0;
}

void
tmr_set_init(struct tmr_set *s)
{
	memset(s, 0, sizeof(*s));
}

void
tmr_set_fini(struct tmr_set *s)
{
	free(s->heap);
	free(s->due);
	memset(s, 0, sizeof(*s));
}

void
tmr_init(struct tmr *t, tmr_fn *fn, void *ctx)
{
	t->at_ms = 0;
	t->fn = fn;
	t->ctx = ctx;
	t->idx = 0;
}

int
tmr_start(struct tmr_set *s, struct tmr *t, uint64_t at_ms)
{
	int err;

	tmr_stop(s, t);
	if (s->n == s->cap && (err = grow(s)) != 0)
		return err;
	t->at_ms = at_ms;
	s->heap[s->n] = t;
	sift_up(s, s->n++);
	return 0;
}

void
tmr_stop(struct tmr_set *s, struct tmr *t)
{
	size_t i = (t->idx & ~DUE_BIT) - 1;

	if (t->idx == 0)
		return;
	if ((t->idx & DUE_BIT) != 0) {
		if (i < s->n_due && s->due[i] == t)
			s->due[i] = NULL;
	} else if (i < s->n && s->heap[i] == t) {
		heap_cut(s, i);
	}
	t->idx = 0;
}

bool
tmr_is_set(const struct tmr *t)
{
	return t->idx != 0;
}

void
tmr_run(struct tmr_set *s, uint64_t now_ms)
{
	if (s->n_due > 0) /* called from a callback: the outer call goes on */
		return;
	while (s->n > 0 && s->heap[0]->at_ms <= now_ms) {
		struct tmr *t = s->heap[0];

		heap_cut(s, 0);
		s->due[s->n_due++] = t;
		t->idx = DUE_BIT | s->n_due;
	}
	for (s->due_at = 0; s->due_at < s->n_due; s->due_at++) {
		struct tmr *t = s->due[s->due_at];

		if (t == NULL) /* stopped by an earlier callback */
			continue;
		s->due[s->due_at] = NULL;
		t->idx = 0;
		t->fn(t->ctx); /* may free t */
	}
	s->n_due = 0;
	s->due_at = 0;
}

uint64_t
tmr_next(const struct tmr_set *s)
{
	uint64_t at = s->n > 0 ? s->heap[0]->at_ms : UINT64_MAX;

	for (size_t i = s->due_at; i < s->n_due; i++)
		if (s->due[i] != NULL)
			return MIN(at, s->due[i]->at_ms);
	return at;
}
