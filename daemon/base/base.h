/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/base.h - attributes and small helpers every file may want.
 */
#ifndef TAPIR_BASE_BASE_H
#define TAPIR_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE	__attribute__((warn_unused_result))
#define PRINTF(f_, a_)	__attribute__((format(printf, f_, a_)))
#define UNUSED		__attribute__((unused))
#define LIKELY(x_)	__builtin_expect(!!(x_), 1)
#define UNLIKELY(x_)	__builtin_expect(!!(x_), 0)
#define N_OF(a_)	(sizeof(a_) / sizeof((a_)[0]))
#define MIN(a_, b_)	((a_) < (b_) ? (a_) : (b_))
#define MAX(a_, b_)	((a_) > (b_) ? (a_) : (b_))
#define CONTAINER_OF(p_, t_, m_)                                               \
	((t_ *)(void *)((char *)(p_) - offsetof(t_, m_)))
/* Documents which lock protects a field; read by people. */
#define GUARDED_BY(l_)

/** A borrowed run of bytes; never owns, valid as long as what it points into. */
struct view {
	const uint8_t *p;
	size_t len;
};

#endif
