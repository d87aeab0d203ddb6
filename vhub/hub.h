/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/hub.h - the face of the virtual hub: one learning switch per realm.
 *
 *            +--------- hub ---------+
 *   TAP port |  MAC table, neighbour | tunnel port (ETHER): Ethernet frames
 *            |  table, flooding      | tunnel port (IP): bare IP packets, for
 *            +-----------------------+   which the hub makes a pseudo Ethernet
 *
 * An IP port has a pseudo MAC address; the hub answers ARP requests and
 * neighbour solicitations for every address in the port's selectors with it,
 * puts an Ethernet header before what comes from it and takes the header off
 * what goes to it (requirement V5).
 *
 * Threads.  The loop adds, changes and removes ports and calls hub_tick().
 * Any worker calls hub_input(); lookups take no lock.  Ports are replaced, not
 * changed, and old versions go through thr_defer().
 */
#ifndef TAPIR_VHUB_HUB_H
#define TAPIR_VHUB_HUB_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"
#include "daemon/base/buf.h"
#include "daemon/base/vpn.h"

struct bus_rec;
struct hub;

#define HUB_BATCH_MAX	 64	/* frames in one call */
#define HUB_PORT_MAX	 4096	/* ports of a hub, a peer each; ours */
#define HUB_MAC_MAX	 16384	/* learned addresses of a hub; ours */
#define HUB_PORT_MAC_MAX 4096	/* learned addresses of one port; ours */
#define HUB_NEIGH_MAX	 4096	/* IP -> MAC entries of a hub; ours */
#define HUB_PORT_NEIGH_MAX 1024	/* of one port; ours */
#define HUB_MAC_AGE_S	 300	/* IEEE 802.1D default ageing time */
#define HUB_NAME_MAX	 64
#define HUB_FIXED_MAX	 1024	/* configured static addresses; ours */
#define HUB_GROUP_MAX	 1024	/* multicast groups with listeners; ours */
#define HUB_MEMBER_MAX	 4096	/* ports of all groups together; ours */
#define HUB_PORT_GROUP_MAX 256	/* groups of one port; ours */
#define HUB_ADDR_MAX	 16	/* addresses of the TAP; ours */
#define HUB_VLANS	 4096	/* VLAN identifiers (IEEE 802.1Q), 12 bits */

/* What is flooded, and limited by storm control. */
enum hub_cast {
	HUB_BROADCAST, HUB_MULTICAST, HUB_UNKNOWN,
	HUB_COPIES,		/* of all three, each port it goes to counted */
	HUB_CAST_END
};

/* What is done about loops. */
enum hub_loop {
	HUB_LOOP_PROBE,		/* a probe that comes back blocks a port */
	HUB_LOOP_STRICT,	/* so do addresses that move to and fro */
	HUB_LOOP_OFF
};
/* Where multicast goes once a querier is heard. */
enum hub_snoop {
	HUB_SNOOP_FLOOD,	/* everywhere */
	HUB_SNOOP_MEMBERS,	/* groups somebody joined: to who joined */
	HUB_SNOOP_STRICT	/* and others to routers only */
};

/* What a port may do; all zero is a port without restrictions. */
struct hub_policy {
	bool is_isolated;	/* exchanges nothing with other such ports */
	bool is_strict;		/* frames of addresses beyond mac_max go */
	bool has_guard;		/* ARP and ND only for the port's selectors */
	bool has_ip_guard;	/* with has_guard: so are IP packets' sources */
	bool has_vlans;		/* only those of the set */
	uint32_t mac_max;	/* learned addresses; 0 = HUB_PORT_MAC_MAX */
	uint32_t rate[HUB_CAST_END]; /* frames a second; 0 = no limit */
	uint64_t vlans[HUB_VLANS / 64]; /* bit v: VLAN v; bit 0: untagged */
};

enum hub_port_kind { HUB_PORT_TAP, HUB_PORT_ETHER, HUB_PORT_IP };

/* Does an IP port get multicast?  That which its selectors hold, and ... */
enum hub_mcast {
	HUB_MCAST_NONE,		/* none */
	HUB_MCAST_NAMED,	/* always: they name groups */
	HUB_MCAST_LINK		/* as an Ethernet port: who joins is heeded */
};

struct hub_port_ops {
	void *ctx;
	/** Frames (IP packets for an IP port) to send out of this port; takes
	 * the buffers, which may be shared with other ports: do not write. */
	void (*out)(void *ctx, unsigned worker, struct buf **frames, unsigned n);
};

struct hub_port_conf {
	enum hub_port_kind kind;
	char name[HUB_NAME_MAX];
	uint32_t link;			/* tunnel ports: the peer; shown only */
	struct mac mac;			/* TAP: its address; IP: pseudo MAC (null =
					 * made by the hub at random) */
	enum hub_mcast mcast;		/* IP ports */
	unsigned n_ts;			/* IP: what lies behind the peer; with
					 * has_guard: what it may speak for */
	struct vpn_ts ts[VPN_TS_MAX];
	struct hub_policy policy;
	struct hub_port_ops ops;
};

/* An address that is behind one port only, in every VLAN. */
struct hub_fixed {
	struct mac mac;
	char port[HUB_NAME_MAX]; /* by name; empty: the TAP */
};

/* hub_conf.mss, but for a number of bytes. */
#define HUB_MSS_AUTO 0	/* lowered to what fits */
#define HUB_MSS_NO   1	/* left alone */

struct hub_conf {
	char name[HUB_NAME_MAX];
	bool has_bridge;		/* the TAP is a bridge port: hosts behind it */
	bool pass_stp, pass_lldp;	/* else they end here */
	enum hub_loop loop;
	enum hub_snoop snoop;
	uint32_t mss;			/* of TCP: HUB_MSS_*, or at most so many */
	unsigned n_fixed;
	const struct hub_fixed *fixed;	/* copied */
	unsigned n_addr;		/* of the TAP; up to HUB_ADDR_MAX */
	struct ip_net addr[HUB_ADDR_MAX]; /* with their networks */
	unsigned n_worker;
	/** An empty buffer of this worker's pool, or NULL. */
	struct buf *(*buf_new)(void *ctx, unsigned worker);
	void *ctx;
	/** An event, like moved addresses and full tables; NULL: nobody cares.
	 * Thread: the loop. */
	void (*tell)(void *ctx, struct bus_rec *r);
};

MUST_USE int hub_new(struct hub **out, const struct hub_conf *conf);
/** Workers have ended.  NULL is fine. */
void hub_free(struct hub *h);

/** Add a port.  *port is its number (0 .. HUB_PORT_MAX-1).  0, ERR_FULL,
 * ERR_NOMEM, ERR_EXISTS (a second TAP port). */
MUST_USE int hub_port_add(struct hub *h, const struct hub_port_conf *conf,
			  uint32_t *port);
/** Replace kind, name and selectors of a port (a peer came back in another
 * mode); learned addresses of the port are forgotten if the kind changes. */
MUST_USE int hub_port_set(struct hub *h, uint32_t port,
			  const struct hub_port_conf *conf);
/** Remove; everything learned on it is forgotten.  Workers may still call the
 * port's out() until each was quiet: release its context by thr_defer(). */
void hub_port_del(struct hub *h, uint32_t port);

/** Forget what was learned on a port: other hosts may be behind it now.
 * Thread: the loop. */
void hub_port_flush(struct hub *h, uint32_t port);

/** Sizes of IP packets that a tunnel takes.
 *
 * @param whole  the largest that leaves in one piece, behind an untagged Ethernet
 *               header; 0 = not known: packets of every size pass, and no MSS is
 *               touched.
 * @param most   the largest that passes though it may not be cut (DF, IPv6); 0 =
 *               whole.
 * Unknown ports are ignored.  Thread: the loop. */
void hub_port_mtu(struct hub *h, uint32_t port, uint32_t whole, uint32_t most);

/** n (<= HUB_BATCH_MAX) frames (IP packets on an IP port) that came in by port;
 * takes the buffers.  Thread: any worker, with its number. */
void hub_input(struct hub *h, unsigned worker, uint32_t port,
	       struct buf **frames, unsigned n);
/** Age tables, tell what happened; call about once a second.
 * @return true when a worker shall call hub_work().  Thread: the loop. */
bool hub_tick(struct hub *h, uint64_t now_ms);
/** Send what the hub itself has to say (probes, announcements); cheap when there
 * is nothing.  Thread: any worker, with its number. */
void hub_work(struct hub *h, unsigned worker);

struct hub_mac_info {
	struct mac mac;
	uint16_t vlan;			/* 0 = untagged */
	uint32_t port;
	bool is_static;			/* pseudo MAC, TAP, configured */
	uint32_t age_s;
};
struct hub_neigh_info {
	struct ip_addr ip;
	uint16_t vlan;
	struct mac mac;
	uint32_t port;
	uint32_t age_s;
};
/* What lies behind an IP port, for which the hub answers. */
struct hub_behind_info {
	struct vpn_ts ts;
	struct mac mac;			/* pseudo address of the port */
	uint32_t port;
};
struct hub_port_info {
	uint32_t port;
	enum hub_port_kind kind;
	char name[HUB_NAME_MAX];
	uint32_t link;
	struct mac mac;
	uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes, n_flood, n_drop;
	uint64_t n_arp_ask;	/* ARP requests that came in and that the hub
				 * did not answer itself */
	uint64_t n_arp_reply;	/* ARP replies that came in */
	uint32_t n_mac;
	bool is_isolated, is_blocked;
	uint32_t blocked_s;		/* seconds until it is tried again */
};
struct hub_group_info {
	struct ip_addr group;		/* family 0: the port leads to a router */
	uint8_t family;			/* of the group, or of what is routed */
	uint16_t vlan;
	uint32_t port;
	uint32_t left_s;		/* until it must be heard of again */
};
struct hub_counts {
	uint32_t n_mac;			/* learned */
	uint32_t n_neigh, n_member;
};
/** How full the tables are.  Any thread. */
void hub_counts_get(const struct hub *h, struct hub_counts *out);
/** Visit tables: start with *it = 0; false at the end.  Thread: the loop. */
bool hub_mac_next(const struct hub *h, uint32_t *it, struct hub_mac_info *out);
bool hub_neigh_next(const struct hub *h, uint32_t *it, struct hub_neigh_info *out);
bool hub_behind_next(const struct hub *h, uint32_t *it,
		     struct hub_behind_info *out);
bool hub_port_next(const struct hub *h, uint32_t *it, struct hub_port_info *out);
bool hub_group_next(const struct hub *h, uint32_t *it, struct hub_group_info *out);

#endif
