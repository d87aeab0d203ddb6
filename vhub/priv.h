/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/priv.h - what the files of the hub share: struct hub, ports, the batch.
 */
#ifndef TAPIR_VHUB_PRIV_H
#define TAPIR_VHUB_PRIV_H

#include <stdatomic.h>
#include "daemon/base/drop.h"
#include "vhub/frame.h"
#include "vhub/hub.h"
#include "vhub/mactab.h"
#include "vhub/neigh.h"
#include "vhub/owner.h"
#include "vhub/snoop.h"
#include "vhub/wait.h"

#define HUB_WORKER_MAX	64	/* ours */
#define HUB_NOTE_MAX	8	/* moves reported between two ticks; ours */
#define HUB_MUTE_MAX	8	/* LAN hosts watched at a time; ours */
#define HUB_CHANGE_AGE_S 15	/* IEEE 802.1D forward delay */
#define HUB_OUT_MAX	256	/* frames a batch holds before it sends; ours */

/* Counters of one port on one worker; that worker alone writes. */
struct port_count {
	_Alignas(64) _Atomic uint64_t rx_frames;
	_Atomic uint64_t rx_bytes, tx_frames, tx_bytes, n_flood, n_drop;
	_Atomic uint64_t n_arp_ask, n_arp_reply;
};
/* What is known of a port while it lives; passes from version to version. */
struct port_live {
	/* Any worker. */
	_Atomic bool is_blocked;
	_Atomic uint64_t full_ns[HUB_CAST_END + 2]; /* storm.c; + probes, ICMP */
	_Atomic uint32_t mtu_whole, mtu_most; /* hub_port_mtu(); 0 = any */
	_Atomic uint32_t n_storm[HUB_CAST_END];	    /* dropped since told */
	_Atomic uint64_t token[2][2];	/* of our last two probes by this port */
	_Atomic uint32_t n_loop;	/* of them came back since the last tick */
	_Atomic uint32_t loop_a, loop_b; /* between these ports */
	_Atomic uint32_t loop_vlan;	/* in this VLAN */
	_Atomic uint32_t n_reflect;	/* probes that came back by this port */
	/* The loop thread. */
	bool is_told;			/* that it is blocked */
	uint32_t until_s, wait_s;	/* blocked until; for how long */
	uint32_t clear_s;		/* forwards again since */
	uint32_t storm_told_s[HUB_CAST_END], reflect_told_s;
};
/* One version of a port; immutable once published. */
struct port {
	struct hub *hub;
	uint32_t num;
	struct hub_port_conf conf;
	struct port_count *count;	/* [n_worker]; passes from version to version */
	struct port_live *live;		/* passes on as well */
	bool is_last;			/* frees count and live too */
	struct port *next_dead;		/* could not be deferred: freed with the hub */
};
/* A move or clash that the loop will tell about. */
struct note {
	_Atomic uint64_t what;		/* MAC << 16 | new port; 0 = none */
	_Atomic uint32_t old;
	_Atomic bool is_clash;
};
/* What a port said although its address is another's. */
struct spoof {
	_Atomic uint32_t n;
	_Atomic uint32_t port;		/* the last one */
};
/* A host of the LAN that is asked, or asks (mute.c). */
struct mute {
	_Atomic uint64_t who;		/* its MAC; 0 = a free one */
	_Atomic uint64_t key;		/* of whom it asks for; 0 = it is asked */
	_Atomic uint32_t n_asked, since_s;
	_Atomic bool is_speaking, has_answered;
};
struct hub {
	struct hub_conf conf;
	/* Owner: the loop; workers load (acquire). */
	_Atomic(struct port *) slot[HUB_PORT_MAX];
	_Atomic(struct port *) tap;
	_Atomic(struct own_tab *) own;
	atomic_uint n_slot;		/* highest number in use + 1 */
	struct mactab *macs;
	struct neigh *neighs;
	struct wait *waits;
	struct snoop *snoop;
	struct mac probe_mac;		/* our probes' source; immutable */
	unsigned n_fixed;		/* immutable, as what they point at */
	struct hub_fixed *fixed;
	struct spoof spoof;
	/* IP ports whose selectors name groups; the loop writes. */
	_Atomic uint64_t named[HUB_PORT_MAX / 64];
	_Atomic uint32_t now_s;		/* as of the last tick */
	_Atomic bool probe_due;		/* hub_work() shall send probes */
	_Atomic bool news_due;		/* ... announcements, of these ports */
	_Atomic uint64_t news[HUB_PORT_MAX / 64];
	_Atomic bool has_flooded;	/* since the last probe */
	_Atomic uint64_t flooded[HUB_VLANS / 64]; /* in these VLANs */
	_Atomic uint64_t unprobed[HUB_VLANS / 64]; /* of those before, yet to do */
	_Atomic bool has_change;	/* of the topology, since the last tick */
	_Atomic bool is_new;		/* our next probes tell others of one */
	_Atomic bool has_mute;		/* somebody is watched */
	struct mute mute[HUB_MUTE_MAX];
	struct note note[HUB_NOTE_MAX];
	atomic_uint n_note;
	atomic_uint n_refused;		/* addresses not learned since told */
	_Atomic uint32_t refused_port;
	/* Owner: the loop. */
	bool is_leaving[HUB_PORT_MAX];	/* number not yet free again */
	unsigned n_later;		/* deferred releases under way */
	bool is_freed;			/* the last of them frees the hub */
	struct port *dead;
	uint32_t swept_s, told_s, flap_told_s, spoof_told_s;
	uint32_t probed_s, probe_seq;
	uint32_t mute_told_s, changed_s, flushed_s;
};

/* What one hub_input() call sends, collected by destination. */
struct batch {
	struct hub *h;
	unsigned worker;
	unsigned n;
	uint64_t now_ns;		/* 0 = not asked for yet */
	/* Where the frame before went, when the next one with its header goes
	 * there too; run_to NULL: look again. */
	struct port *run_to;
	size_t run_max;			/* larger ones are looked at */
	uint8_t run_head[ETH_HEAD];
	struct ip_addr run_ip;		/* of an IP port: destination */
	struct {
		struct port *to;	/* NULL: sent, or to many */
		struct buf *b;
		uint32_t many;		/* 0, or flooded to flood[many - 1] */
	} e[HUB_OUT_MAX];
	unsigned n_flood;
	struct port_set flood[HUB_BATCH_MAX];
};

/* Verdict of forward.c. */
enum fwd {
	FWD_PORT,	/* to one port */
	FWD_SET,	/* to all Ethernet ports that may, but not back */
	FWD_DROP
};
struct fwd_to {
	enum fwd what;
	struct port *port;	/* FWD_PORT */
	enum drop why;		/* FWD_DROP */
};

/* A question of ARP or ND. */
struct question {
	struct ip_addr target;
	uint16_t vlan;
	bool is_probe;		/* duplicate address detection */
	bool is_unicast;	/* to one MAC: is the host still there? */
};

/* port.c */
struct port *port_at(const struct hub *h, uint32_t num);
void port_drop(struct batch *x, struct port *from, struct buf *b, enum drop why);
void port_rx(struct port *p, unsigned worker, uint64_t frames, uint64_t bytes);
void port_tx(struct port *p, unsigned worker, uint64_t frames, uint64_t bytes);
void port_flooded(struct port *p, unsigned worker);
/** An ARP message came in that goes on to others. */
void port_arp(struct port *p, unsigned worker, bool is_reply);
/** Addresses a port may have; of NULL the bound for all. */
uint32_t port_mac_max(const struct port *p);
/** Free a version, and the counters with the last one. */
void port_free(struct port *p);

/* hub.c: free the memory, once nothing refers to it any more. */
void hub_destroy(struct hub *h);

/* forward.c */
/** 01-80-c2-00-00-00 .. -0f: spoken between neighbouring bridges only. */
bool fwd_is_linklocal(const struct mac *dst);
/** A BPDU of spanning tree, of all VLANs or of one? */
bool fwd_is_bpdu(const struct eth *e);
/** Is a VLAN (0 = untagged) permitted on a port? */
bool fwd_has_vlan(const struct port *p, uint16_t vlan);
/** May what came by from leave by to?  *why: if not. */
bool fwd_may_leave(const struct port *from, const struct port *to,
		   uint16_t vlan, enum drop *why);
/** May a frame with this header come in?  *why: if not. */
bool fwd_may_enter(const struct hub *h, const struct port *from,
		   const struct eth *e, enum drop *why);
struct fwd_to fwd_decide(const struct hub *h, const struct port *from,
			 uint16_t vlan, const struct mac *dst);

/* flood.c: sending */
void batch_init(struct batch *x, struct hub *h, unsigned worker);
/** Queue for a port; takes b.  IP ports get the bare packet. */
void batch_add(struct batch *x, struct port *from, struct port *to,
	       struct buf *b);
/** Queue a bare IP packet for an IP port; takes b. */
void batch_add_packet(struct batch *x, struct port *to, struct buf *b);
/** Remember where b goes, the frame now being looked at. */
void batch_run_begin(struct batch *x, const struct fwd_to *to,
		     const struct buf *b);
/** Queue as the frame before when b continues its run: same header, TCP or UDP
 * within IP.  False: it does not. */
bool batch_run_next(struct batch *x, struct buf *b);
/** Queue for all Ethernet ports but from that have the VLAN, by reference;
 * takes b. */
void batch_flood(struct batch *x, struct port *from, uint16_t vlan,
		 struct buf *b);
/** The same, of the ports of a set. */
void batch_flood_set(struct batch *x, struct port *from, uint16_t vlan,
		     const struct port_set *set, struct buf *b);
/** Forward as decided; takes b. */
void batch_forward(struct batch *x, struct port *from, const struct mac *dst,
		   uint16_t vlan, struct buf *b);
void batch_send(struct batch *x);

/* group.c: multicast that is IP: note who wants it, send it there.  True when it
 * was dealt with (b is taken). */
bool group_input(struct batch *x, struct port *from, const struct eth *e,
		 struct buf *b);

/* storm.c: may b, which is to be flooded, pass?  Counts what may not. */
bool storm_pass(struct batch *x, struct port *from, const struct mac *dst,
		const struct buf *b);
/* n copies of b were flooded. */
void storm_copied(struct batch *x, struct port *from, const struct buf *b,
		  unsigned n);
/* The same for probes of others, which have a bound of their own. */
bool storm_pass_probe(struct batch *x, struct port *from);
/* The same for what the hub itself answers to what came from a port. */
bool storm_pass_icmp(struct batch *x, struct port *from);
/* storm.c, on the loop: tell of ports that had to be limited. */
void storm_tick(struct hub *h, uint32_t now_s);

/* mute.c */
/** Somebody behind from asks for a neighbour; is_ours: the hub answers. */
void mute_question(struct hub *h, const struct port *from, const struct eth *e,
		   const struct question *q, bool is_ours);
/** A frame came by the TAP while has_mute. */
void mute_heard(struct hub *h, const struct eth *e);
/** Tell of a LAN that lets no foreign addresses pass.  Thread: the loop. */
void mute_tick(struct hub *h, uint32_t now_s);

/* stp.c */
/** A BPDU passes. */
void stp_input(struct hub *h, const struct eth *e);
/** Does an IEEE 802.2 frame with a BPDU speak of a topology change? */
bool stp_is_change(struct view v);
/** Forget what was learned when the topology changed; for how many seconds an
 * address is kept now.  Thread: the loop. */
uint32_t stp_tick(struct hub *h, uint32_t now_s);

/* fit.c: sizes of packets and tunnels (E3). */
#define IP_LEAST 20
/** IP packets, untagged, of more bytes need to be looked at on their way to a port;
 * 0 = none do. */
uint32_t fit_room(const struct port *p);
/** Is there a SYN of TCP in an IP packet that begins at byte at?  Cheap. */
bool fit_is_syn(struct view frame, size_t at);
/** What b needs to go from one port to another: the MSS of a SYN lowered, or its
 * sender told that it is too large.  Then false, and b is taken. */
bool fit_frame(struct batch *x, struct port *from, const struct port *to,
	       struct buf *b);
/** The same for a bare IP packet. */
bool fit_packet(struct batch *x, struct port *from, const struct port *to,
		struct buf *b);
/** The same for a frame to every port, before it is shared. */
void fit_flooded(struct batch *x, const struct port *from, struct buf *b);

/* loop.c */
/** A frame that may be a probe; true when it was dealt with (b is taken). */
bool loop_input(struct batch *x, struct port *from, const struct eth *e,
		struct buf *b);
/** Something was flooded in a VLAN: there may be a ring. */
void loop_flooded(struct hub *h, uint16_t vlan);
/** Send a probe by every Ethernet port, in every VLAN that floods. */
void loop_probe(struct batch *x);
/** The port to block when a probe of a came in by b; NULL: none. */
struct port *loop_choose(enum hub_loop mode, struct port *a, struct port *b);
/** Block, tell, unblock; is a probe due?  has_flap: addresses move to and fro
 * between ports a and b.  Thread: the loop. */
bool loop_tick(struct hub *h, uint32_t now_s, bool has_flap, uint32_t a,
	       uint32_t b);

/* note.c: what workers saw, told by the loop. */
void note_move(struct hub *h, const struct mac *m, uint32_t port, uint32_t old,
	       bool is_clash);
void note_full(struct hub *h, uint32_t port);
/** Tell; true when addresses move to and fro between ports *a and *b. */
bool note_tick(struct hub *h, uint32_t now_s, uint32_t *a, uint32_t *b);
/** Publish an event. */
void note_tell(struct hub *h, struct bus_rec *r);
/** A port's name for an event. */
const char *note_port(const struct hub *h, uint32_t num);

/* news.c: gratuitous ARP and unsolicited advertisements. */
/** Port p has a pseudo address hosts may not know yet.  Thread: the loop. */
void news_add(struct hub *h, const struct port *p);
void news_send(struct batch *x);

/* arp.c, nd.c: true when the frame was dealt with (b is taken then). */
bool arp_input(struct batch *x, struct port *from, const struct eth *e,
	       struct buf *b);
bool nd_input(struct batch *x, struct port *from, const struct eth *e,
	      struct buf *b);
/** Ask who has ip, on behalf of IP port from; src is the asking address. */
void arp_ask(struct batch *x, struct port *from, const struct ip_addr *src,
	     const struct ip_addr *ip);
void nd_ask(struct batch *x, struct port *from, const struct ip_addr *src,
	    const struct ip_addr *ip);

/* answer.c: what ARP and ND have in common. */
/** Sender ip is at m behind from: learn, and send what waited for it. */
void answer_learn(struct batch *x, struct port *from, const struct eth *e,
		  const struct ip_addr *ip, const struct mac *m);
/** May a host behind from say that it has ip?  Counted and noted if not. */
bool answer_may_speak(struct batch *x, const struct port *from,
		      const struct ip_addr *ip);
/** Who answers a question that came by port from?  True: the one at *m. */
bool answer_find(const struct hub *h, const struct port *from,
		 const struct question *q, struct mac *m);
/** Is dst the pseudo MAC of an IP port? */
bool answer_is_pseudo(const struct hub *h, const struct eth *e);
/** A buffer of len bytes to write, or NULL (counted). */
struct buf *answer_buf(struct batch *x, size_t len, struct wcur *w);

/* inside.c: packets of IP ports. */
void inside_input(struct batch *x, struct port *from, struct buf *b);
/** Put the Ethernet header on and forward; takes b, an IP packet. */
void inside_send(struct batch *x, struct port *from, const struct mac *dst,
		 struct buf *b);
/** Make b a bare IP packet; NULL when it is not IP (b is put and counted). */
struct buf *inside_strip(struct batch *x, struct port *from, struct buf *b);
/** The packet of a frame (borrowed) that is flooded, in a buffer of its own: when
 * it is multicast that an IP port gets; else NULL. */
struct buf *inside_group(struct batch *x, struct port *from,
			 const struct port *to, struct buf *b);

#endif
