/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/serve.h - answers the questions of tapird.
 *
 *   datagram -> credentials -> decode -> gate -> handler of its type -> answer
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_SERVE_H
#define TAPIR_SECURE_SERVE_H

#include <sys/types.h>
#include "conf/conf.h"
#include "daemon/base/base.h"
#include "daemon/ipc/msg.h"
#include "secure-proc/keys/store.h"
#include "secure-proc/net/net.h"

#define SEC_SA_MAX 65536	/* IKE SAs known at once; ours */

struct ipc_chan;
struct sec_trust;
struct sec_link;
struct sec_token;
struct sec_eaps;
struct sec_radius_link;
struct sec_serve;

/* Everything is borrowed and must outlive the server. */
struct sec_serve_conf {
	const struct conf *conf;
	const struct sec_store *store;
	const struct sec_net *net;
	const struct mac *mac;		/* one a realm */
	uint32_t features;		/* CONFINE_F_* */
	struct sec_trust *trust;	/* NULL: no peer has a certificate */
	struct sec_link *link;		/* the verify child; with trust */
	const struct sec_token *token;	/* NULL: no QCD tokens */
	const struct sec_token *marks;	/* NULL: changed secrets are not noticed */
	uint32_t instance;		/* sec_net_instance() */
	int names_fd;			/* to tapir-names; -1 = it is not there */
	uint32_t resolver;		/* user of the resolver; 0 = not known */
	const struct sec_eaps *eap;	/* NULL: nobody comes by EAP */
	struct sec_radius_link *radius;	/* its child; NULL: no RADIUS */
	int word_fd;			/* listens for typed passwords; -1 = no */
	uid_t owner;			/* who besides root may type them */
	pid_t super;			/* our supervisor */
};

/** Where answers go; fds are taken.  0 or an error that ends the server. */
typedef int sec_send_fn(void *ctx, const struct ipc_msg *m, const int *fds,
			unsigned n_fd);

/** 0, ERR_NOMEM or ERR_CRYPTO. */
MUST_USE int sec_serve_new(struct sec_serve **out,
			   const struct sec_serve_conf *c, sec_send_fn *send,
			   void *send_ctx, uint64_t now_ms);
/** Wipe and free; NULL is fine. */
void sec_serve_free(struct sec_serve *s);

/**
 * One datagram.
 *
 * @param n_fd descriptors that came along (already closed by the caller);
 *             any is a violation.
 * @return 0; every error is a violation or a failure to answer, is logged, and
 *         means: close the channel and end.
 */
MUST_USE int sec_serve_input(struct sec_serve *s, struct view bytes,
			     unsigned n_fd, uint64_t now_ms);
/** IKE SAs known now. */
size_t sec_serve_sas(const struct sec_serve *s);

/**
 * Serve an end of the channel until the other end is gone.
 *
 * @param chan     taken; made before confinement, expects tapird's user and no
 *                 descriptor.
 * @param stop_fd  readable: end (a signalfd), or -1.
 * @return 0 (the other end is gone, or told to stop) or the error of a
 *         violation, logged.
 */
MUST_USE int sec_serve(const struct sec_serve_conf *c, struct ipc_chan *chan,
		       int stop_fd);

#endif
