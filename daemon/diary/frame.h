/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/diary/frame.h - what passes between tapird and its diary.
 *
 *   tapird                                    diary
 *     | EVENT, LINE                             |  written down, no answer
 *     |---------------------------------------->|
 *     | QUERY id                                |
 *     |---------------------------------------->|
 *     |<----------------------------------------|  ROW id ..., END id
 *     |<----------------------------------------|  NOTE: it has something to say
 *
 *   kind (8)  then
 *   EVENT     a record of the bus (bus_wire.h)
 *   LINE      level (8)  time (64)  who, text
 *   QUERY     id (32)  since (64)  limit (32)  realm, peer
 *   ROW       id (32)  a record of the bus
 *   END       id (32)  error + 256 (16)
 *   NOTE      level (8)  code, text
 *
 * Texts are a length of 16 bits and the bytes, without NUL.  One frame is one
 * datagram (SOCK_SEQPACKET).
 */
#ifndef TAPIR_DIARY_FRAME_H
#define TAPIR_DIARY_FRAME_H

#include "daemon/base/base.h"
#include "daemon/base/log.h"
#include "daemon/bus/bus.h"
#include "daemon/bus/bus_wire.h"

#define DIARY_FRAME_MAX	(BUS_WIRE_MAX + 16)
#define DIARY_NAME_MAX	256	/* a realm, a peer, a code, with NUL; ours */

enum diary_kind {
	DIARY_EVENT = 1, DIARY_LINE, DIARY_QUERY, DIARY_ROW, DIARY_END, DIARY_NOTE
};

struct diary_frame {
	enum diary_kind kind;
	uint32_t id;			/* QUERY, ROW, END */
	int err;			/* END */
	enum log_level level;		/* LINE, NOTE */
	uint64_t time_ms;		/* LINE */
	uint64_t since_ms;		/* QUERY */
	uint32_t limit;			/* QUERY: the newest so many */
	char realm[DIARY_NAME_MAX], peer[DIARY_NAME_MAX]; /* QUERY; "" = any */
	char word[DIARY_NAME_MAX];	/* LINE: who; NOTE: code */
	char text[LOG_LINE_MAX];	/* LINE, NOTE */
	struct bus_rec rec;		/* EVENT, ROW */
};

/** @return the length, or ERR_LONG. */
MUST_USE int diary_enc(const struct diary_frame *f, void *buf, size_t cap);
/** A LINE without a frame; texts too long are cut.  As diary_enc(). */
MUST_USE int diary_enc_line(enum log_level lv, uint64_t time_ms, const char *who,
			    const char *text, void *buf, size_t cap);
/** A whole datagram.  0, ERR_SHORT, ERR_LONG, ERR_TRAIL, ERR_SYNTAX, or what
 * bus_dec() says; out holds nothing then. */
MUST_USE int diary_dec(const void *p, size_t len, struct diary_frame *out);

#endif
