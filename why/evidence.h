/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why/evidence.h - what is known about one peer at one moment.
 *
 * Plain facts without a judgement: daemon/core/wire_why.c gathers them from the
 * IKE engine, ESP, the hub and the ring of events; rules (why.h) judge.  A fact
 * that happened has its age in seconds; WHY_NEVER: it did not happen, or nobody
 * remembers.  All of it may be shown to an administrator: no secret is in here.
 */
#ifndef TAPIR_WHY_EVIDENCE_H
#define TAPIR_WHY_EVIDENCE_H

#include "daemon/base/base.h"

#define WHY_NEVER    (-1)
#define WHY_NAME_MAX 64		/* names of realms, peers, ports */
#define WHY_ID_MAX   256	/* identities */
#define WHY_EP_MAX   64		/* address and port as text */
#define WHY_SAID_MAX 256	/* a sentence of the daemon */
#define WHY_CELL_MAX 192	/* one side of a comparison */
#define WHY_PAIR_MAX 10		/* rows of a comparison */

enum why_state { WHY_DOWN, WHY_CONNECTING, WHY_SUSPECT, WHY_UP };

/* How far the last attempt that failed had come. */
enum why_stage {
	WHY_AT_START,		/* nothing was sent */
	WHY_AT_INIT,		/* IKE_SA_INIT */
	WHY_AT_AUTH,		/* IKE_INTERMEDIATE and IKE_AUTH */
	WHY_AT_CHILD,		/* authenticated; the child SA */
	WHY_AT_REKEY,		/* up; new keys */
	WHY_AT_ALIVE		/* up; the peer stopped answering */
};

/* Who ended it. */
enum why_by {
	WHY_BY_NOBODY,		/* no attempt failed */
	WHY_BY_SILENCE,		/* no answer came */
	WHY_BY_PEER,		/* it refused us: notify */
	WHY_BY_US		/* we refused it: said */
};

/* ICMP errors (RFC 792, RFC 4443). */
enum why_icmp {
	WHY_ICMP_NONE,
	WHY_ICMP_PORT,		/* nobody listens there */
	WHY_ICMP_HOST,		/* host or network cannot be reached */
	WHY_ICMP_ADMIN,		/* a firewall says so */
	WHY_ICMP_BIG		/* the packet does not fit: mtu */
};

enum why_pair_kind { WHY_PAIR_NONE, WHY_PAIR_IKE, WHY_PAIR_ESP, WHY_PAIR_TS };

/* A row of a comparison; lists are separated by commas, empty = not known. */
struct why_pair {
	char what[24];
	char own[WHY_CELL_MAX];
	char peer[WHY_CELL_MAX];
};

/* UDP 500 and UDP 4500, in this order. */
struct why_port {
	unsigned number;
	int64_t sent_s;		/* since our last IKE message by it */
	int64_t heard_s;	/* since the peer's last */
};

/* How an attempt ended. */
struct why_end {
	enum why_by by;
	enum why_stage stage;
	int64_t age_s;
	unsigned notify;		/* number of RFC 7296 3.10.1, 0 = none */
	bool is_protected;		/* the refusal was authenticated */
	char from[WHY_EP_MAX];
	char why[WHY_SAID_MAX];		/* a sentence, without secrets */
};

/* Somebody who dialled us and was refused. */
struct why_stranger {
	int64_t age_s;
	char from[WHY_EP_MAX];
	char id[WHY_ID_MAX];		/* as it calls itself; may be empty */
	char said[WHY_SAID_MAX];	/* why it was refused */
	char nearest[WHY_ID_MAX];	/* rule that nearly fits, or empty */
};

/* The peer sent us to another gateway (RFC 5685). */
enum why_moved_how { WHY_MOVED_GONE, WHY_MOVED_TOO_OFTEN, WHY_MOVED_NOWHERE };
struct why_moved {
	int64_t age_s;
	enum why_moved_how how;
	unsigned n;			/* times of late */
	bool was_up;			/* the connection there is now is older */
	char from[WHY_EP_MAX], to[WHY_EP_MAX];
};

/* Something the hub told of. */
struct why_told {
	int64_t age_s;
	unsigned n;
	char mac[24];
	char port[WHY_NAME_MAX], old_port[WHY_NAME_MAX];
};

struct why_facts {
	/* ---- who */
	char realm[WHY_NAME_MAX], peer[WHY_NAME_MAX];
	char id[WHY_ID_MAX];		/* the peer's, configured or proven */
	char me[WHY_ID_MAX];
	char remote[WHY_EP_MAX];	/* where it is, or is tried */
	enum why_state state;
	int64_t up_s;
	char said[WHY_SAID_MAX];	/* the engine's own sentence */
	char now[24];			/* our clock, UTC */

	/* ---- configuration */
	bool is_held;			/* taken down by command */
	char drain[WHY_EP_MAX];		/* we send peers there; or empty */
	bool needs_word;		/* waits for a password that is typed */
	bool is_shut;			/* we are drained: nobody is let in */
	bool is_dialled;		/* we dial; else the peer must */
	bool is_name;			/* at= is a host name */
	char at[WHY_ID_MAX];
	bool own_cert, peer_cert;	/* proof by certificate; else by PSK */
	bool own_eap;			/* or ours by EAP */
	char fingerprint[16];		/* of the PSK, or empty */
	char mode[8], mode_now[8];	/* wanted: ether ip gre auto; in use */
	bool has_bridge;
	char bridge[24];

	/* ---- the way to the peer */
	bool is_secure_gone;		/* nobody can authenticate */
	unsigned n_addr;		/* addresses known */
	bool is_unresolved;		/* the last lookup failed */
	bool has_route;
	struct why_port port[2];
	enum why_icmp icmp;
	int64_t icmp_s;
	char icmp_from[WHY_EP_MAX];
	unsigned icmp_port, icmp_mtu;

	/* ---- attempts since the peer was up */
	int64_t try_s;			/* since the last one of ours began */
	struct why_end out;		/* how our last one ended, or stands */
	struct why_end in;		/* how we ended the peer's last one */
	unsigned big_bytes;		/* datagram without an answer */
	bool has_frag;			/* both ends know IKE fragments */
	unsigned n_cookie, n_group;	/* asked for in one attempt */
	struct why_moved moved;
	int64_t ticket_s;		/* since our ticket was refused */
	char own_end[24];		/* our certificate's, when it has ended */
	enum why_pair_kind pair_kind;
	unsigned n_pair;
	struct why_pair pair[WHY_PAIR_MAX];

	/* ---- others */
	struct why_stranger stranger;	/* the latest that may have been it */
	unsigned n_swap;		/* times it came from another address
					 * while it was up, in ten minutes */
	char swap[2][WHY_EP_MAX];

	/* ---- the tunnel */
	int64_t rekey_s;		/* since rekeying was refused */
	char rekey_said[WHY_SAID_MAX];
	uint64_t rx_packets, tx_packets;
	int64_t in_s, out_s;		/* since the last packet */
	uint64_t n_replay, n_icv;
	char encap[8];
	bool has_sample;		/* the next two: in sample_s seconds */
	unsigned sample_s;
	uint64_t rx_now, tx_now;
	/* bytes: mtu= of the configuration, 0 = none; what fits inside of the
	 * tunnel, and outside, 0 = not known */
	unsigned mtu, inside, path_mtu;

	/* ---- the hub */
	bool has_port;
	char tap[24];
	unsigned n_mac;			/* learnt behind the peer */
	bool is_blocked;
	unsigned blocked_s;
	uint64_t arp_asked;		/* by the peer's side, of ours */
	uint64_t arp_told;		/* answers from our side */
	uint64_t tap_in;		/* frames from our side at all */
	struct why_told loop, flap, clash;
};

#endif
