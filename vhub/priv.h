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
#include "vhub/wait.h"

#define HUB_WORKER_MAX	64	/* ours */
#define HUB_NOTE_MAX	8	/* moves reported between two ticks; ours */
#define HUB_OUT_MAX	256	/* frames a batch holds before it sends; ours */

/* Counters of one port on one worker; that worker alone writes. */
struct port_count {
	_Alignas(64) _Atomic uint64_t rx_frames;
	_Atomic uint64_t rx_bytes, tx_frames, tx_bytes, n_flood, n_drop;
};
/* One version of a port; immutable once published. */
struct port {
	struct hub *hub;
	uint32_t num;
	struct hub_port_conf conf;
	struct port_count *count;	/* [n_worker]; passes from version to version */
	bool is_last;			/* frees count too */
	struct port *next_dead;		/* could not be deferred: freed with the hub */
};
/* A move or clash that the loop will tell about. */
struct note {
	_Atomic uint64_t what;		/* MAC << 16 | new port; 0 = none */
	_Atomic uint32_t old;
	_Atomic bool is_clash;
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
	_Atomic uint32_t now_s;		/* as of the last tick */
	struct note note[HUB_NOTE_MAX];
	atomic_uint n_note;
	atomic_uint n_refused;		/* addresses not learned since told */
	_Atomic uint32_t refused_port;
	/* Owner: the loop. */
	bool is_leaving[HUB_PORT_MAX];	/* number not yet free again */
	unsigned n_later;		/* deferred releases under way */
	bool is_freed;			/* the last of them frees the hub */
	struct port *dead;
	uint32_t swept_s, told_s;
};

/* What one hub_input() call sends, collected by destination. */
struct batch {
	struct hub *h;
	unsigned worker;
	unsigned n;
	/* Where the frame before went, when the next one with its header goes
	 * there too; run_to NULL: look again. */
	struct port *run_to;
	uint8_t run_head[ETH_HEAD];
	struct {
		struct port *to;
		struct buf *b;
	} e[HUB_OUT_MAX];
};

/* Verdict of forward.c. */
enum fwd {
	FWD_PORT,	/* to one port */
	FWD_SET,	/* to all Ethernet ports but the one it came by */
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
	bool is_probe;		/* duplicate address detection */
	bool is_unicast;	/* to one MAC: is the host still there? */
};

/* port.c */
struct port *port_at(const struct hub *h, uint32_t num);
void port_drop(struct batch *x, struct port *from, struct buf *b, enum drop why);
void port_rx(struct port *p, unsigned worker, uint64_t frames, uint64_t bytes);
void port_tx(struct port *p, unsigned worker, uint64_t frames, uint64_t bytes);
void port_flooded(struct port *p, unsigned worker);
/** Free a version, and the counters with the last one. */
void port_free(struct port *p);

/* hub.c: free the memory, once nothing refers to it any more. */
void hub_destroy(struct hub *h);

/* forward.c */
/** 01-80-c2-00-00-00 .. -0f: spoken between neighbouring bridges only. */
bool fwd_is_linklocal(const struct mac *dst);
struct fwd_to fwd_decide(const struct hub *h, const struct port *from,
			 const struct mac *dst);

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
/** Queue for all Ethernet ports but from, by reference; takes b. */
void batch_flood(struct batch *x, struct port *from, struct buf *b);
/** Forward as decided; takes b. */
void batch_forward(struct batch *x, struct port *from, const struct mac *dst,
		   struct buf *b);
void batch_send(struct batch *x);

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
void answer_learn(struct batch *x, struct port *from, const struct ip_addr *ip,
		  const struct mac *m);
/** Who answers a question that came by port from?  True: the one at *m. */
bool answer_find(const struct hub *h, const struct port *from,
		 const struct question *q, struct mac *m);
/** Is dst the pseudo MAC of an IP port? */
bool answer_is_pseudo(const struct hub *h, const struct mac *dst);
/** A buffer of len bytes to write, or NULL (counted). */
struct buf *answer_buf(struct batch *x, size_t len, struct wcur *w);

/* inside.c: packets of IP ports. */
void inside_input(struct batch *x, struct port *from, struct buf *b);
/** Put the Ethernet header on and forward; takes b, an IP packet. */
void inside_send(struct batch *x, struct port *from, const struct mac *dst,
		 struct buf *b);
/** Make b a bare IP packet; NULL when it is not IP (b is put and counted). */
struct buf *inside_strip(struct batch *x, struct port *from, struct buf *b);

#endif
