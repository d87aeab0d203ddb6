/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/core.h - the main process as a whole: what core's files share.
 *
 *   supervisor (root, super.c)
 *     |- tapird, role main  (this struct)   loop thread, job thread, workers
 *     |- tapir-secure
 *     `- tapird, role resolve
 *
 * The loop thread owns everything here but what is said to belong to workers.
 */
#ifndef TAPIR_CORE_CORE_H
#define TAPIR_CORE_CORE_H

#include "conf/conf.h"
#include "daemon/base/base.h"
#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/base/vpn.h"
#include "esp/esp.h"
#include "ikev2/ike.h"
#include "ikev2/limits.h"
#include "vhub/hub.h"
#include <stdatomic.h>

#define VPN_WORKER_MAX	 64	/* workers of this version; ours */
#define VPN_LINK_MAX	 (IKE_LINK_MAX + 1) /* places of links by their numbers */
#define VPN_REALM_MAX	 (2 * CONF_REALM_MAX) /* places: a new realm waits for that
				 * of an old one to be forgotten */
#define VPN_BATCH	 64	/* packets between two flushes; PERFORMANCE */
#define VPN_POOL_BUFS	 2048	/* buffers of a worker; taken lazily */
#define VPN_POOL_BIG	 512	/* of 64 KiB; taken lazily */
#define VPN_POOL_SLICES	 8192	/* packets of trains; taken lazily */
#define VPN_QUEUE_LEN	 2048	/* hand-over queue of a worker */

struct bus;
struct cap;
struct ctl;
struct door;
struct icmp;
struct loop;
struct mtu;
struct pools;
struct reload;
struct source;
struct uplink;
struct resolve;
struct bus_rec;
struct scribe;
struct secure;
struct wire_event;
struct wire_ike;
struct wire_why;
struct wire_ping;
struct work;

/* lane.h */
#define VPN_LANES	 4	/* queues of a worker in one place; a power of two */
#define VPN_LANE_MAX	 64	/* of all workers */

/* Sockets that need rights, opened by the supervisor (sock.c).  -1 = none. */
enum { FAM_V4, FAM_V6, FAM_END };
struct sock_set {
	unsigned n_worker;
	int ike[FAM_END];			/* UDP 500 */
	int nat_ike[FAM_END];			/* UDP 4500, IKE of it */
	int door[FAM_END], nat_door[FAM_END];	/* of both, IKE_SA_INIT requests */
	int nat[VPN_LANE_MAX][FAM_END];		/* UDP 4500, the lanes of workers */
	int raw[FAM_END];			/* protocol 50 */
	int ring[VPN_WORKER_MAX][FAM_END];	/* the same, from a ring */
	int route[VPN_WORKER_MAX][FAM_END];	/* a worker's questions */
	int probe[FAM_END];			/* asks the kernel for routes */
	int icmp[FAM_END];			/* errors about our datagrams */
	int uplink;				/* news of addresses and routes */
	int uplink_ask;				/* questions about routes */
	int ctl;				/* RUN/ctl.sock, listening */
	int lease;				/* STATE/leases */
};

/* A link as the data plane sees it; replaced as a whole, freed by thr_defer(). */
struct vpn_link {
	uint32_t id;
	uint32_t realm;
	uint32_t peer;		/* in the realm's configuration */
	uint32_t port;		/* hub port */
	enum vpn_mode mode;
	struct hub *hub;
	struct vpn *vpn;
	unsigned n_ts;		/* IP mode: what lies behind; routes */
	struct vpn_ts ts[VPN_TS_MAX];
};

/* A peer in the place that the engine knows it by; a reload may have moved it in
 * the configuration. */
struct vpn_peer {
	const struct conf_peer *conf;	/* NULL: nobody is here any more */
};

struct vpn_realm {
	struct vpn *vpn;
	const struct conf_realm *conf;	/* NULL: the realm is gone */
	unsigned n_peer;		/* places */
	struct vpn_peer *peer;
	struct hub *_Atomic hub;	/* workers read; NULL: none, or no more */
	struct source **source;		/* [n_worker], of work.c */
	uint64_t free_ms;		/* when its place can be had again */
	uint32_t tap_port;		/* in the hub */
	char ifname[16];
	struct mac mac;
	unsigned mtu;			/* of the TAP */
	uint32_t mtu_want;		/* mtu.c: what it shall become, since then */
	uint64_t mtu_since_ms;
	unsigned n_lane;		/* queues a worker has of it */
	int tap_fd[VPN_LANE_MAX];	/* [worker * n_lane + lane] */
	uint32_t offloads;		/* IPC_TAP_*: what is on */
	bool is_tap_gone;		/* its device was removed; the loop's */
	char bridge_why[256];		/* it is not in its bridge; or empty */
};

/* What is counted for metrics where it happens (wire_metrics.c). */
#define VPN_EVENT_MAX	 128	/* numbers of events; ours */
#define VPN_CODE_MAX	 32	/* reasons why a peer could not be reached; ours */
#define VPN_CODE_LEN	 32
struct vpn_metrics {
	_Atomic uint64_t n_event[VPN_EVENT_MAX];	/* any thread */
	/* the loop's */
	uint64_t n_ok, n_other;
	unsigned n_code;
	struct vpn_code {
		char code[VPN_CODE_LEN];
		uint64_t n;
	} code[VPN_CODE_MAX];
};

struct vpn {
	const struct conf *conf;	/* the loop's; a reload replaces it */
	uint16_t port, nat_port;	/* of the sockets */
	struct sock_set socks;
	unsigned n_worker;
	uint32_t fallback;		/* bits of enum fallback: do without */
	struct loop *loop;
	struct bus *bus;
	struct ike *ike;
	struct wire_ike *wire_ike;	/* jobs, names, handles */
	struct wire_event *wire_event;
	struct wire_ping *wire_ping;	/* NULL = nobody asked yet */
	struct esp *esp;
	struct work *work;
	struct mtu *mtu;
	struct pools *pools;		/* addresses for clients */
	struct secure *secure;
	struct resolve *resolve;
	struct ctl *ctl;
	struct reload *reload;
	struct scribe *scribe;		/* NULL = no diary */
	struct vpn_limit *limit;	/* of lines about events */
	struct door *door;
	atomic_uint n_realm;			/* places; workers read */
	struct vpn_realm *realm;		/* [VPN_REALM_MAX] */
	struct icmp *icmp;
	struct uplink *uplink;		/* NULL = not known */
	struct wire_why *why;		/* NULL until somebody asks */
	struct buf_pool *loop_pool;
	_Atomic(struct vpn_link *) *link;	/* [VPN_LINK_MAX]; workers read */
	uint64_t start_ms;
	bool is_stopping;
	struct vpn_metrics metrics;
	_Atomic(struct cap *) cap;	/* cap.h; NULL = nobody captures */
	uint64_t n_capture;		/* so many were begun */
};

/** How many lanes each of n workers has: queues of a TAP, sockets of a family.
 * Flows and SAs are spread over them, so that one that fills its queue is in
 * the way of few.  Lane i of worker w is number w * lanes + i. */
static inline unsigned
vpn_lanes(unsigned n_worker)
{
	return n_worker * VPN_LANES <= VPN_LANE_MAX ? VPN_LANES : 1;
}

/** Count an event.  Those of links come from the loop. */
void wire_metrics_note(struct vpn_metrics *m, const struct bus_rec *r);
/** Publish an event on the bus; its sentence goes to the log, unless the same
 * was said too often (bus_limit.h).  Any thread. */
void vpn_publish(struct vpn *v, struct bus_rec *r);
/** Once a second: say what was held back.  Thread: the loop. */
void vpn_publish_tick(struct vpn *v);
MUST_USE int vpn_limit_new(struct vpn_limit **out);
void vpn_limit_free(struct vpn_limit *l);
/** Name of a realm, "?" when there is none. */
const char *vpn_realm_name(const struct vpn *v, uint32_t realm);
/** A realm, or a peer, in its place; NULL when there is none.  Thread: the
 * loop. */
struct vpn_realm *vpn_realm_at(const struct vpn *v, uint32_t realm);
struct vpn_peer *vpn_peer_at(const struct vpn *v, uint32_t realm, uint32_t peer);

/** The link of an id, or NULL.  Any thread between quiescent points. */
struct vpn_link *vpn_link_find(const struct vpn *v, uint32_t link);

#endif
