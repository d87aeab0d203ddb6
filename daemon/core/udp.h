/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/udp.h - datagrams in and out, in batches.
 *
 * UDP 500 and 4500 and raw ESP share one form: a buffer with its endpoints.
 * Thread: whoever owns the descriptor; sending is safe from any thread.
 */
#ifndef TAPIR_CORE_UDP_H
#define TAPIR_CORE_UDP_H

#include <netinet/in.h>
#include <sys/socket.h>
#include "daemon/core/core.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103	/* Linux 4.18 */
#endif
#ifndef UDP_GRO
#define UDP_GRO 104	/* Linux 5.0 */
#endif

/* What is larger than the interface, or IPv6 than the path, is cut here; IPv4 by
 * routers where it must be (no "don't fragment").  What strangers make the kernel
 * believe about an IPv4 path cuts up nothing: sizes that were probed do. */
#define UDP_CUT_V4 IP_PMTUDISC_OMIT
#define UDP_CUT_V6 IPV6_PMTUDISC_DONT

union udp_sa {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};
/* Control data of a message: an address, and the size of packets. */
union udp_ctl {
	size_t align;	/* that of struct cmsghdr */
	uint8_t b[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
		  CMSG_SPACE(sizeof(int))];
};

/** Socket address of an endpoint; returns its length. */
socklen_t udp_sa_from_ep(const struct net_ep *ep, bool is_raw,
			 union udp_sa *out);
/** Write the source address to use, and the interface unless that is 0; returns
 * the length of the control data. */
size_t udp_ctl_from_addr(const struct ip_addr *local, uint32_t ifindex,
			 union udp_ctl *out);
/** Add the size of a train's packets behind len bytes of control data (0, or
 * what udp_ctl_from_addr() wrote); returns the new length. */
size_t udp_ctl_segment(union udp_ctl *ctl, size_t len, uint16_t seg);

/**
 * Receive up to n datagrams.  b->from, b->to are filled; the port of b->to is
 * to_port.  Raw IPv4 packets lose their IP header.  What the kernel coalesced
 * (UDP_GRO) is a train with seg_len; it takes buffers of 64 KiB.
 *
 * @param pool  where buffers come from.
 * @return how many (0 = nothing there).
 */
unsigned udp_recv(int fd, struct buf_pool *pool, uint16_t to_port, bool is_raw,
		  struct buf **out, unsigned n);
/* Where a message goes, and from where. */
struct udp_way {
	const struct net_ep *local, *remote;
	uint32_t ifindex;	/* 0 = as routes say */
	bool is_natt;		/* with a marker of four zero bytes in front */
};
/** Send one message. */
void udp_send_msg(int fd, const struct udp_way *way, struct view data);
/** The same as one IP packet that may not be cut, here or on its way, whatever the
 * kernel believes of the path.  0, or ERR_LONG: larger than the interface takes.
 * Thread: the loop, which alone sends on fd. */
int udp_send_whole(int fd, const struct udp_way *way, struct view data);
/** Bytes of the largest IP packet towards remote, as far as the kernel knows; 0 =
 * it does not. */
uint32_t udp_path_mtu(const int probe[FAM_END], const struct ip_addr *remote);
/** Source address the kernel would use towards remote; family 0 = none. */
struct ip_addr udp_local_addr(const int probe[FAM_END],
			      const struct ip_addr *remote);

#endif
