/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/gsotest.h - does this kernel send trains (UDP_SEGMENT) as they are?
 *
 * Kernels before 4.18 know none; some of 7.0 to 7.1.4 mix up the packets of a
 * train in which all have one size, and what arrives is lost to its checksum or,
 * worse, to the other end's ICV check.  So before the first peer some trains are
 * sent over loopback and what arrives is compared, with and without UDP_GRO.
 */
#ifndef TAPIR_CORE_GSOTEST_H
#define TAPIR_CORE_GSOTEST_H

#include "daemon/base/base.h"

/**
 * Send trains to ourselves and compare.
 *
 * @param is_faulty  change a byte of what arrived: for tests.
 * @return 0; ERR_UNSUP (the kernel takes no trains); ERR_ICV (they arrive
 * changed); ERR_SYS (it could not be tried, without loopback for example).
 * Thread: any, before sockets are forbidden to it.
 */
MUST_USE int gsotest_run(bool is_faulty);

#endif
