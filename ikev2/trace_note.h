/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/trace_note.h - how the engine notes what trace.h tells.
 *
 * Nothing here fails: without memory something is not remembered.  All of it is
 * fine with a link or SA that is NULL.
 *
 * Thread: the loop.
 */
#ifndef TAPIR_IKEV2_TRACE_NOTE_H
#define TAPIR_IKEV2_TRACE_NOTE_H

#include "ikev2/engine.h"
#include "ikev2/trace.h"

/* Of a link; made at its first attempt. */
struct ike_trace {
	uint64_t try_ms, sent_ms[2], heard_ms[2];
	unsigned n_cookie, n_group, big_bytes;
	bool has_frag, is_unresolved;
	struct ike_end out, in;
	struct ike_pairs *pairs;	/* owned; NULL = none */
	uint64_t rekey_ms;
	char rekey_why[IKE_WHY_MAX];
	struct ike_moved moved;
	uint64_t ticket_ms, own_end_s;
};

void ike_trace_free(struct ike_trace *t);
/** An attempt of ours begins. */
void ike_trace_try(struct ike_link *link);
/** It is up: what went wrong before is over. */
void ike_trace_up(struct ike_link *link);
/** A lookup ended. */
void ike_trace_lookup(struct ike_link *link, bool is_found);
/** A datagram of so many bytes left; one came. */
void ike_trace_sent(struct ike_sa *sa, size_t bytes);
void ike_trace_heard(struct ike_sa *sa, bool is_natt);
/** The peer wants a cookie; another group. */
void ike_trace_cookie(struct ike_link *link);
void ike_trace_group(struct ike_link *link);
/** Our attempt ended.  notify 0 = none. */
void ike_trace_out(struct ike_sa *sa, enum ike_by by, enum ike_stage stage,
		   uint16_t notify, const char *why);
/** We ended the peer's. */
void ike_trace_in(struct ike_sa *sa, enum ike_stage stage, uint16_t notify,
		  const char *why);
/** The peer ended what it began: it does not accept us (RFC 7296 2.21.2). */
void ike_trace_refused(struct ike_sa *sa, uint16_t notify, const char *why);
/** Rekeying was refused; why NULL: it was done. */
void ike_trace_rekey(struct ike_link *link, const char *why);
/** The peer sends us to a gateway (RFC 5685). */
void ike_trace_moved(struct ike_link *link, const struct ip_addr *from,
		     const struct ike_gw *to, enum ike_moved_how how);
/** The name of the gateway leads nowhere, or back. */
void ike_trace_nowhere(struct ike_link *link);
/** The peer does not take our ticket (RFC 5723). */
void ike_trace_ticket(struct ike_link *link);
/** A responder refused who has no link yet: to the link it most likely is, by
 * the identity it claims or its address, and to the strangers otherwise.
 * props: what it proposed, or NULL. */
void ike_trace_stranger(struct ike *ike, const struct ike_msg *m,
			const char *id, enum ike_stage stage, uint16_t notify,
			const char *why);

/** The proposals of both ends, or of one; NULL = not known. */
void ike_trace_props(struct ike_link *link, enum ike_pair_kind kind,
		     const struct ike_props *own, const struct ike_props *peer);
/** The selectors of both ends; the peer's as it sent them, or NULL. */
void ike_trace_ts(struct ike_link *link, const struct ike_ts_set *own_local,
		  const struct ike_ts_set *own_remote,
		  const struct ike_tss *peer_local,
		  const struct ike_tss *peer_remote);

#endif
