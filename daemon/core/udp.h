/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/udp.h - datagrams in and out, in batches.
 *
 * UDP 500 and 4500 and raw ESP share one form: a buffer with its endpoints.
 * Thread: whoever owns the descriptor; sending is safe from any thread.
 */
#ifndef TAPIR_CORE_UDP_H
#define TAPIR_CORE_UDP_H

#include "daemon/core/core.h"

/**
 * Receive up to n datagrams.  b->from, b->to are filled; the port of b->to is
 * to_port.  Raw IPv4 packets lose their IP header.
 *
 * @param pool  where buffers come from.
 * @return how many (0 = nothing there).
 */
unsigned udp_recv(int fd, struct buf_pool *pool, uint16_t to_port, bool is_raw,
		  struct buf **out, unsigned n);
/** Send n packets along path; borrows the buffers.  Counts what the kernel
 * refuses as DROP_SEND. */
void udp_send(int fd, const struct vpn_path *path, struct buf **pkts,
	      unsigned n);
/** Send one message, with a marker of four zero bytes in front when natt. */
void udp_send_msg(int fd, const struct net_ep *local,
		  const struct net_ep *remote, bool natt, struct view data);
/** Source address the kernel would use towards remote; family 0 = none. */
struct ip_addr udp_local_addr(const int probe[FAM_END],
			      const struct ip_addr *remote);

#endif
