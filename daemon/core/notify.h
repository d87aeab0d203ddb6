/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/notify.h - what the supervisor tells a service manager.
 *
 * The protocol of sd_notify(3): a datagram of NAME=VALUE lines to the socket
 * that $NOTIFY_SOCKET names.  It is a few lines, and the supervisor stays
 * without one more library in its address space.
 */
#ifndef TAPIR_CORE_NOTIFY_H
#define TAPIR_CORE_NOTIFY_H

#include "daemon/base/base.h"

struct notify {
	int fd;			/* connected, or -1: nobody listens */
	uint64_t every_ms;	/* between signs of life; 0 = none wanted */
	uint64_t due_ms;	/* the next one, by clk_ms() */
};

/**
 * Read $NOTIFY_SOCKET (a path, or @ and an abstract name), $WATCHDOG_USEC and
 * $WATCHDOG_PID, and take them out of the environment, so that no role that is
 * started later speaks for the service.  A name that cannot be connected to is
 * said in the log and then as if there were none.
 */
void notify_open(struct notify *n);

/** Say something, without waiting: "READY=1\nSTATUS=serving".  Nothing happens
 * when nobody listens. */
void notify_say(const struct notify *n, const char *fmt, ...) PRINTF(2, 3);

/** A sign of life when one is due.  Returns the ms until the next one, or
 * UINT64_MAX. */
uint64_t notify_alive(struct notify *n);

void notify_close(struct notify *n);

#endif
