/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/list.h - intrusive doubly linked list (ring with a head node).
 */
#ifndef TAPIR_BASE_LIST_H
#define TAPIR_BASE_LIST_H

#include "daemon/base/base.h"

struct list {
	struct list *next, *prev;
};

static inline void
list_init(struct list *l)
{
	l->next = l->prev = l;
}
static inline bool
list_is_empty(const struct list *l)
{
	return l->next == l;
}
static inline void
list_add_tail(struct list *head, struct list *n)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}
static inline void
list_add_head(struct list *head, struct list *n)
{
	list_add_tail(head->next, n);
}
/** Take out; the node is a list of its own afterwards (removing twice is safe). */
static inline void
list_remove(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}
#define LIST_FOREACH(it_, head_)                                               \
	for (struct list *it_ = (head_)->next; it_ != (head_); it_ = it_->next)
#define LIST_FOREACH_SAFE(it_, tmp_, head_)                                    \
	for (struct list *it_ = (head_)->next, *tmp_ = it_->next;              \
	     it_ != (head_); it_ = tmp_, tmp_ = it_->next)

#endif
