/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/ctl.h - the control socket: clients, rights, what waits to be
 * sent.  What commands mean is in wire_ctl.c.
 *
 * A client sends records of daemon/bus/command.def, one a datagram; answers
 * are records with the command's tag, the last one DONE or FAILED.  Rights
 * follow from the peer's credentials: root, and the user who started tapird,
 * may do everything.  Others get one answer, which refuses, and are closed;
 * they hold few places, of their own.
 *
 * A client is not read from while it does not read: what waits for it is
 * bounded by one answer, and a follower of the log that is slow is told how
 * many events it lost.
 *
 * Thread: the loop.
 */
#ifndef TAPIR_CORE_CTL_H
#define TAPIR_CORE_CTL_H

#include "daemon/core/core.h"
#include <sys/types.h>

struct ctl;
struct ctl_client;
struct bus_rec;

/** Listen on fd (borrowed).  owner: the uid that may command besides root. */
MUST_USE int ctl_new(struct ctl **out, struct vpn *v, int fd, uid_t owner);
void ctl_free(struct ctl *c);
/** Queue a record for a client under tag; a client that does not read is
 * disconnected when its queue is full. */
void ctl_send(struct ctl_client *cl, struct bus_rec *r, uint32_t tag);
/** Queue bytes that are no record, as a datagram; false: the client has enough to
 * read for now, and capture_client_ready() will tell. */
MUST_USE bool ctl_send_raw(struct ctl_client *cl, const void *p, size_t len);
/** Does nothing wait for it? */
bool ctl_is_ready(const struct ctl_client *cl);
void ctl_done(struct ctl_client *cl, uint32_t tag, const char *text);
void ctl_failed(struct ctl_client *cl, uint32_t tag, int err, const char *text,
		const char *hint);
/** Take over the channel to tapir-web (taken on success): a client that may do
 * everything, because it looks at the rights of its users itself. */
MUST_USE int ctl_adopt_web(struct ctl *c, int fd);
/** The channel to tapir-web; NULL when it is not there. */
struct ctl_client *ctl_web(const struct ctl *c);
#define CTL_USER_MAX 96
/** Who it is, for people: "user 0", "hanako by the web".  out: CTL_USER_MAX. */
const char *ctl_user(const struct ctl_client *cl, char *out);
uid_t ctl_uid(const struct ctl_client *cl);
/** A name for a client that is answered later, and the client of a name; NULL:
 * it has left. */
uint64_t ctl_id(const struct ctl_client *cl);
struct ctl_client *ctl_find(const struct ctl *c, uint64_t id);
/** Send events after after_seq (what is to come has a place beyond the newest),
 * as fast as the client reads; then DONE, or with is_follow new ones as they
 * come.  With a limit only the newest so many of those that are there. */
void ctl_follow(struct ctl_client *cl, const struct bus_rec *cmd);

/** Carry out a command (wire_ctl.c). */
void wire_ctl_command(struct vpn *v, struct ctl_client *cl,
		      const struct bus_rec *cmd);
/** The command web (wire_web.c). */
void wire_web_command(struct vpn *v, struct ctl_client *cl,
		      const struct bus_rec *cmd);
/** Does a link answer to the realm and peer a command names?  (wire_ctl.c) */
bool wire_ctl_fits(const struct vpn *v, const struct ike_link_info *li,
		   const struct bus_rec *cmd);
/** The command drain (wire_drain.c). */
void wire_drain(struct vpn *v, struct ctl_client *cl,
		const struct bus_rec *cmd);
/** FAILED: no such realm or peer, with the nearest name there is. */
void wire_ctl_no_peer(struct vpn *v, struct ctl_client *cl,
		      const struct bus_rec *cmd);
/** The command why (wire_why.c). */
void wire_why_command(struct vpn *v, struct ctl_client *cl,
		      const struct bus_rec *cmd);
/** Tell who asked for what (wire_ctl.c). */
void wire_ctl_record(struct vpn *v, struct ctl_client *cl,
		     const struct bus_rec *cmd, const char *text);
/** The commands match and leases (wire_match.c). */
void wire_match_command(struct vpn *v, struct ctl_client *cl,
			const struct bus_rec *cmd);
void wire_lease_command(struct vpn *v, struct ctl_client *cl,
			const struct bus_rec *cmd);
/** Which peer of the configuration would this name lead to, by EAP or without?
 * NULL: none, or it needs a certificate to tell. */
const struct conf_peer *wire_match_name(const struct conf *c, const char *name,
					const struct conf_realm **realm);
/** The command ping (wire_ping.c). */
void wire_ping_command(struct vpn *v, struct ctl_client *cl,
		       const struct bus_rec *cmd);
/** The command stats (wire_stats.c). */
void wire_stats_command(struct vpn *v, struct ctl_client *cl,
			const struct bus_rec *cmd);
/** What metrics have in common with stats. */
void wire_stats_metrics(struct vpn *v, struct ctl_client *cl, uint32_t tag);
/** The command metrics (wire_metrics.c). */
void wire_metrics_command(struct vpn *v, struct ctl_client *cl,
			  const struct bus_rec *cmd);

#endif
