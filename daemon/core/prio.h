/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/prio.h - packets go before other programs on the CPU.
 *
 * A queue in front of a thread that waits for its turn is delay.  Where packets
 * have their turn first, what would stand there waits in the sockets of the
 * programs that send, and these notice.
 *
 * Thread: before there are any others.
 */
#ifndef TAPIR_CORE_PRIO_H
#define TAPIR_CORE_PRIO_H

/**
 * Give this process, and what it starts, nice level -levels (0 to 20); with 0
 * it stays as it is.  Says in the log what it has no right to.
 */
void prio_raise(unsigned levels);
/** Back to where everybody is; for what handles no packets. */
void prio_usual(void);

#endif
