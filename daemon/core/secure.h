/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/secure.h - typed calls to the secure process.
 *
 * At start, calls wait for their answer (nothing runs yet); later everything
 * is asynchronous and answered on the loop.  A breach of the protocol by the
 * other end is final: on_lost() is called and the channel is closed.
 *
 * Thread: the loop.
 */
#ifndef TAPIR_CORE_SECURE_H
#define TAPIR_CORE_SECURE_H

#include "daemon/core/core.h"
#include <sys/types.h>

struct secure;
struct ike_ask;
struct ipc_msg;
struct ike_ans;

struct secure_cb {
	void *ctx;
	void (*answer)(void *ctx, const struct ike_ans *ans);
	/** The channel is gone; why is a sentence. */
	void (*lost)(void *ctx, const char *why);
	/* What to ask strangers for: CERTREQ payloads as a list, and methods;
	 * borrowed (ike_set_cert_asks()). */
	void (*trust)(void *ctx, struct view certreq, struct view auth_ann);
	/* secure_bridge() was answered: bridge_answer(). */
	void (*bridge)(void *ctx, uint32_t realm, int err, bool has_joined,
		       const char *why);
	/* Fingerprint of a peer's pre-shared key; empty: there is none. */
	void (*mark)(void *ctx, uint32_t realm, uint32_t peer, const char *mark);
	/* Other lists of revoked certificates are in force: ike_recheck(). */
	void (*lists)(void *ctx);
	/* secure_hello_later() was answered well. */
	void (*ready)(void *ctx, uint32_t features);
};

/** Take over the channel fd (taken).  0 or an error. */
MUST_USE int secure_new(struct secure **out, int fd, uid_t uid,
			const struct secure_cb *cb);
/** From now on others are told. */
void secure_set_cb(struct secure *s, const struct secure_cb *cb);
/** Does not call lost; NULL is fine. */
void secure_free(struct secure *s);
/** Is there a channel that was not lost?  NULL is fine. */
bool secure_is_open(const struct secure *s);
/** Say HELLO and wait for its answer (at most 5 s).  The features of the
 * secure process (CONFINE_F_*) come back.  why: 256 bytes. */
MUST_USE int secure_hello(struct secure *s, uint32_t *features, char *why);
/** The same once the loop runs, after secure_attach(): returns at once, then
 * ready or lost is called.  0 or an error. */
MUST_USE int secure_hello_later(struct secure *s);
/** Change the MTU of a realm's TAP; errors are logged when the answer comes. */
void secure_tap_mtu(struct secure *s, uint32_t realm, unsigned mtu);
/** Have the TAP of a realm made; waits (at most 5 s).  Fills ifname, mac, mtu
 * and tap_fd of r. */
MUST_USE int secure_tap_open(struct secure *s, struct vpn_realm *r,
			     unsigned n_queue, unsigned mtu, char *why);
/** From now on, answers are handled by the loop. */
MUST_USE int secure_attach(struct secure *s, struct loop *l);
/** Put a question of the engine.  0, ERR_CLOSED (lost, or not ready yet),
 * ERR_FULL. */
MUST_USE int secure_ask(struct secure *s, const struct ike_ask *ask);
/** secure_ask.c: a question as a message, with its views.  0 or ERR_INTERNAL. */
MUST_USE int secure_ask_write(const struct ike_ask *ask, struct ipc_msg *m);
/** Add or remove a route to net over the realm's TAP, in the name of an
 * authenticated handle.  A refusal is logged. */
void secure_route(struct secure *s, uint32_t handle, uint32_t realm,
		  const struct ip_net *net, bool is_add);
/** Put an address that the peer gave us on the realm's TAP, or take it away, in
 * the name of an authenticated handle.  A refusal is logged. */
void secure_addr(struct secure *s, uint32_t handle, uint32_t realm,
		 const struct ip_net *addr, bool is_add);
/** Let this machine ask these name servers (vpn_names.h), in the name of an
 * authenticated handle; empty = no longer.  A refusal is logged. */
void secure_names(struct secure *s, uint32_t handle, uint32_t realm,
		  const char *words);
/** Have the TAP of a realm put into its bridge if it is not there; bridge is
 * called with the answer.  While one is awaited, nothing is asked. */
void secure_bridge(struct secure *s, uint32_t realm);
/** Ask for the fingerprint of a peer's pre-shared key, answered by mark().
 * 0 or an error. */
MUST_USE int secure_mark(struct secure *s, uint32_t realm, uint32_t peer);
/** Pid of the process at the other end, also after it was lost; 0 when none
 * ever spoke. */
pid_t secure_pid(const struct secure *s);

#endif
