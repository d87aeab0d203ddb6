/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/sock.h - the sockets that need rights: opened by the supervisor,
 * handed to the main role as inherited descriptors.
 */
#ifndef TAPIR_CORE_SOCK_H
#define TAPIR_CORE_SOCK_H

#include <sys/types.h>
#include "daemon/core/core.h"

#define SOCK_SPEC_MAX 4096 /* text form of a struct sock_set */
#define SOCK_ONE_N    18   /* descriptors in it that no worker has its own of */
#define SOCK_FD_MAX   (SOCK_ONE_N + \
		       (VPN_LANE_MAX + 2 * VPN_WORKER_MAX) * FAM_END)

/**
 * Open every socket of the daemon.  IPv6 and raw ESP may be missing (logged);
 * IPv4 UDP may not.
 *
 * @param fallback  bits of enum fallback: what to do without.
 * @param why  on failure one line for people: what, why, what to do.
 * @return 0, ERR_SYS.
 */
MUST_USE int sock_open(struct sock_set *s, const struct conf *conf,
		       unsigned n_worker, uint32_t fallback, char *why,
		       size_t why_cap);
/** Is raw ESP received through rings?  With several workers and a peer that has
 * raw ESP: the kernel steers packets to the worker they are for.  One worker
 * is better served by the raw socket, whose packets are copied once, not
 * twice; and who has no raw ESP saves the memory. */
bool sock_wants_rings(const struct conf *conf, unsigned n_worker);
/** Listening socket for datagrams of this machine at path (an old one is replaced).
 * Descriptor or -1 with why.
 *
 * @param mode who gets so far as to connect; who may do what is decided by peer
 *             credentials. */
int sock_ctl(const char *path, mode_t mode, char *why, size_t why_cap);
/** One like that in run_dir which only root and the owner can connect to, for a
 * process that takes it.  Descriptor; -1 is logged with what is lost by it.
 *
 * @param path written, cap bytes. */
int sock_private(const char *run_dir, const char *name, char *path, size_t cap,
		 const char *lost);
void sock_close(struct sock_set *s);
/** Write the descriptors there are; returns how many.  out: SOCK_FD_MAX. */
unsigned sock_list(const struct sock_set *s, int *out);
/** Text form for an exec'd process, and back.  0 or ERR_SYNTAX. */
void sock_spec(const struct sock_set *s, char *out, size_t cap);
MUST_USE int sock_parse(const char *spec, struct sock_set *out);

#endif
