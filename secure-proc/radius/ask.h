/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/radius/ask.h - who asks RADIUS servers, and what it does when they
 * are silent.
 *
 * No sockets here: messages go out by a function, come in by another, time is
 * told.  A conversation stays with the server that began it (its State means
 * nothing to others); only the first message of one goes to the next server when
 * the first is silent.  A silent server is asked last for a while.
 *
 * An answer that cannot be proved is as if it had not come: the question stays
 * open, so that a forger cannot end what it does not hear (RFC 2865 3).
 *
 * Thread: the only one of the RADIUS child.
 */
#ifndef TAPIR_SECURE_RADIUS_ASK_H
#define TAPIR_SECURE_RADIUS_ASK_H

#include "spi/spi_radius.h"

#define SEC_RADIUS_SERVERS 4	/* of a realm; ours */
#define SEC_RADIUS_OPEN	   256	/* questions to one server: its identifiers */
#define SEC_RADIUS_TRIES   3	/* sendings to one server */
#define SEC_RADIUS_MOVE	   2	/* ... when there is another one to ask */
#define SEC_RADIUS_WAIT_MS 2000	/* for an answer, then 4000, 8000 */
#define SEC_RADIUS_DEAD_MS 30000 /* a silent server is asked last */
#define SEC_RADIUS_ANY	   UINT32_MAX

struct sec_radius;

struct sec_radius_ops {
	/** A datagram to server i; nobody waits for success. */
	void (*send)(void *ctx, unsigned server, struct view bytes);
	/** The end of a question: err 0 and an answer, ERR_TIMEOUT and NULL.
	 * Not called from inside of sec_radius_ask(). */
	void (*done)(void *ctx, uint64_t ticket, int err, unsigned server,
		     const struct spi_radius_answer *a);
};

/**
 * @param secret one for each server, borrowed: they outlive it.
 * @return 0, ERR_RANGE (no or too many servers, an empty secret), ERR_NOMEM.
 */
MUST_USE int sec_radius_new(struct sec_radius **out, const struct view *secret,
			    unsigned n_server, const struct sec_radius_ops *ops,
			    void *ctx);
/** Wipes; no question is answered any more.  NULL is fine. */
void sec_radius_free(struct sec_radius *r);
/**
 * Ask.
 *
 * @param server the one that gave q->state; SEC_RADIUS_ANY for a first message.
 * @param q      id, auth and secret are filled in here; the rest borrowed.
 * @return 0, ERR_FULL, ERR_LONG, ERR_NOMEM, ERR_RANDOM, ERR_CRYPTO, ERR_RANGE.
 */
MUST_USE int sec_radius_ask(struct sec_radius *r, uint64_t ticket,
			    uint32_t server, const struct spi_radius_ask *q,
			    uint64_t now_ms);
/** A datagram from a server.  0, or why it was not taken. */
MUST_USE int sec_radius_input(struct sec_radius *r, unsigned server,
			      struct view bytes, uint64_t now_ms);
/** Time has passed.  When to come again, or UINT64_MAX. */
uint64_t sec_radius_tick(struct sec_radius *r, uint64_t now_ms);
/** The asker is gone: its question is forgotten. */
void sec_radius_forget(struct sec_radius *r, uint64_t ticket);
/**
 * Nobody listens at a server, or it cannot be reached: who has only begun goes to
 * the next one now, where there is one.  It is a hint that a stranger could give
 * (ICMP), so it changes the order and ends nothing.  May be called from send().
 */
void sec_radius_deaf(struct sec_radius *r, unsigned server, uint64_t now_ms);
/** Questions that wait. */
unsigned sec_radius_n_open(const struct sec_radius *r);

#endif
