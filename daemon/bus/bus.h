/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/bus.h - typed records, and the ring of events.
 *
 * Three tables (event.def, command.def, result.def) over one vocabulary of
 * fields (field.def).  A record is a row of a table with values:
 *
 *	struct bus_rec r;
 *
 *	bus_rec_init(&r, BUS_EV_PEER_DOWN);
 *	bus_set_str(&r, BUS_F_REALM, "branches");
 *	bus_set_str(&r, BUS_F_PEER, "osaka");
 *	bus_publish(bus, &r);
 *
 * Siblings publish; only daemon/core reads commands.  Not for the packet path:
 * publishing takes a short lock.
 */
#ifndef TAPIR_BUS_BUS_H
#define TAPIR_BUS_BUS_H

#include "daemon/base/base.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"

#define BUS_FIELD_MAX	48	/* fields of a row; ours */
#define BUS_STR_MAX	1024	/* bytes of one text value; ours */
#define BUS_TEXT_MAX	3072	/* bytes of all text values of a record, with NULs */
#define BUS_SENTENCE_MAX 1024	/* an event as a sentence, with NUL */
#define BUS_RING_MAX	4096	/* events kept; ours */
#define BUS_RING_BYTES	(1u << 20) /* and their size together; ours */

enum bus_class { BUS_COMMAND = 1, BUS_RESULT = 2, BUS_EVENT = 3 };
enum bus_kind { BUS_KIND_U64, BUS_KIND_I64, BUS_KIND_STR, BUS_KIND_BOOL };
enum bus_right { BUS_RIGHT_VIEW, BUS_RIGHT_OPERATE, BUS_RIGHT_ADMIN }; /* rising */
enum bus_audit {
	BUS_AUDIT_NONE,
	BUS_AUDIT_SYSTEM,	/* processes, realms */
	BUS_AUDIT_CONF,
	BUS_AUDIT_ADMIN,	/* what an administrator asked for */
	BUS_AUDIT_AUTH,		/* who came, who was refused */
	BUS_AUDIT_KEY,		/* keys made and replaced */
};

enum bus_field {
#define FIELD(name_, key_, kind_) BUS_F_##name_,
#include "daemon/bus/field.def"
#undef FIELD
	BUS_F_END
};

/* A row of any table as one number: class << 16 | number. */
#define BUS_ROW(class_, num_) ((uint32_t)(class_) << 16 | (num_))
enum bus_row {
#define COMMAND(num_, name_, text_, right_, fields_)                           \
	BUS_CMD_##name_ = BUS_ROW(BUS_COMMAND, num_),
#include "daemon/bus/command.def"
#undef COMMAND
#define RESULT(num_, name_, text_, fields_)                                    \
	BUS_RES_##name_ = BUS_ROW(BUS_RESULT, num_),
#include "daemon/bus/result.def"
#undef RESULT
#define EVENT(num_, name_, text_, sev_, audit_, line_, fields_)                \
	BUS_EV_##name_ = BUS_ROW(BUS_EVENT, num_),
#include "daemon/bus/event.def"
#undef EVENT
};

/* What a row says about itself. */
struct bus_desc {
	enum bus_row row;
	enum bus_class class;
	uint16_t num;
	const char *name;		/* "peer-up": code, stable */
	enum log_level severity;	/* events */
	enum bus_audit audit;		/* events */
	enum bus_right right;		/* commands */
	const char *sentence;		/* events; NULL otherwise */
	unsigned n_field;
	enum bus_field field[BUS_FIELD_MAX];
};

struct bus_val {
	uint64_t num;		/* U64, I64 (as two's complement), BOOL */
	uint16_t off, len;	/* STR: place in text[] */
};

/* A record; about 4 KiB, lives on the stack or in its owner. */
struct bus_rec {
	const struct bus_desc *desc;
	uint32_t tag;		/* which command it belongs to; 0 = none */
	uint64_t seq;		/* events: from 1, no gaps */
	uint64_t time_ms;	/* events: since 1970, UTC */
	uint16_t used;		/* bytes of text[] given out */
	struct bus_val val[BUS_FIELD_MAX];
	char text[BUS_TEXT_MAX];
};

/** Description of a row, NULL when there is none.  Any thread. */
const struct bus_desc *bus_desc_find(enum bus_class c, uint16_t num);
/** By name ("status", "peer-up"); NULL when there is none. */
const struct bus_desc *bus_desc_named(enum bus_class c, const char *name);
/** Visit the rows of a class: start with *it = 0; NULL at the end. */
const struct bus_desc *bus_desc_next(enum bus_class c, unsigned *it);
const char *bus_field_key(enum bus_field f);
enum bus_kind bus_field_kind(enum bus_field f);
const char *bus_class_name(enum bus_class c);

/** Start a record of a row: all numbers 0, all texts empty, no tag. */
void bus_rec_init(struct bus_rec *r, enum bus_row row);
/** True when the row, a record's row, has the field. */
bool bus_desc_has(const struct bus_desc *d, enum bus_field f);
bool bus_has(const struct bus_rec *r, enum bus_field f);
/** Set a field.  The row must have it and its kind must fit (asserted: our own
 * bug).  Texts are copied, cut at BUS_STR_MAX or when the record is full; NULL
 * is the empty text. */
void bus_set_str(struct bus_rec *r, enum bus_field f, const char *text);
void bus_set_fmt(struct bus_rec *r, enum bus_field f, const char *fmt, ...)
    PRINTF(3, 4);
void bus_set_u64(struct bus_rec *r, enum bus_field f, uint64_t v);
void bus_set_i64(struct bus_rec *r, enum bus_field f, int64_t v);
void bus_set_bool(struct bus_rec *r, enum bus_field f, bool v);
/** Value of a field; "", 0 or false when the row does not have it.  Texts are
 * as untrusted as their source: print them through bus_text.h. */
const char *bus_str(const struct bus_rec *r, enum bus_field f);
uint64_t bus_u64(const struct bus_rec *r, enum bus_field f);
int64_t bus_i64(const struct bus_rec *r, enum bus_field f);
bool bus_bool(const struct bus_rec *r, enum bus_field f);

struct bus;
/** Called after each publish, on the publishing thread, without the lock. */
typedef void bus_notify_fn(void *ctx);

MUST_USE int bus_new(struct bus **out);
/** NULL is fine. */
void bus_free(struct bus *b);
/** Who wakes the readers (one; NULL = nobody).  Before other threads start. */
void bus_set_notify(struct bus *b, bus_notify_fn *fn, void *ctx);
/**
 * Add an event to the ring: gives it the next number and the wall clock time
 * (also written into r).  The oldest events make room.
 *
 * @param b  NULL is fine: nothing happens.
 * @return the event's sequence number.  Any thread; not the packet path.
 */
uint64_t bus_publish(struct bus *b, struct bus_rec *r);
/** Number of the newest event, 0 before the first.  Any thread. */
uint64_t bus_last_seq(const struct bus *b);

/* A reader's place; belongs to one thread.  Reading changes nothing but it. */
struct bus_reader {
	uint64_t next_seq;
};
/** Read what comes after after_seq (0 = all that is kept). */
void bus_reader_init(struct bus_reader *rd, uint64_t after_seq);
/**
 * Next event.
 *
 * @param lost  how many events left the ring unread; when not 0, out is not
 *              written and the reader stands on the oldest event kept.
 * @return 0, or ERR_AGAIN when there is nothing new.
 */
MUST_USE int bus_read(const struct bus *b, struct bus_reader *rd,
		      struct bus_rec *out, uint64_t *lost);

#endif
