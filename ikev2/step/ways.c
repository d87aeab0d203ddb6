/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/ways.c - the pairs of addresses of an SA that can move, and looking
 * after the one in use (MOBIKE, RFC 4555).
 *
 * Who began the first IKE SA of a series decides on the path.  It looks after it
 * while data go out: silence is a reason to ask; an answer that does not come is
 * a reason to repeat the request over every pair of addresses.  The first answer
 * says which pair works.  Then, and when an address of ours went or the kernel
 * would use another, the peer is told, and that it answers from there is the
 * proof that data may go there.
 */
#include "daemon/base/log.h"
#include "ikev2/step/step.h"

/* ---- pairs of addresses -------------------------------------------------- */

bool
ike_roam_decides(const struct ike_sa *sa)
{
	return sa->roam.is_on && sa->roam.is_initiator;
}

struct ike_addrs
ike_roam_own(const struct ike_sa *sa)
{
	struct ike_ts_set local = { .n = 0 }, remote;
	const struct ike_own *own = &sa->ike->own;

	if (sa->link != NULL)
		ike_link_ts(sa->link, &local, &remote);
	return ike_addrs_outside(own->a, own->n, own->n_out, &local,
				 &sa->local.ip);
}

/* Addresses of the peer besides the one in use: what it told, and what we know
 * of it. */
static struct ike_addrs
peer_addrs(const struct ike_sa *sa)
{
	struct ike_ts_set local, remote = { .n = 0 };
	struct ike_addrs all;

	if (sa->link != NULL)
		ike_link_ts(sa->link, &local, &remote);
	all = ike_addrs_outside(sa->roam.peer.a, sa->roam.peer.n,
				sa->roam.peer.n, &remote, &sa->remote.ip);

	/* RFC 5685: those of the gateway that sent us away are not its own */
	for (unsigned i = 0; sa->link != NULL && !sa->is_elsewhere &&
	     i < sa->link->n_ep; i++)
		(void)ike_addrs_add(&all, &sa->link->ep[i].ip);
	return all;
}

static bool
is_refused(const struct ike_roam *r, const struct ike_way *p)
{
	return r->refused.local.family != 0 &&
	    ip_equal(&r->refused.local, &p->local) &&
	    ip_equal(&r->refused.remote, &p->remote);
}

unsigned
ike_roam_pairs(const struct ike_sa *sa, struct ike_way out[IKE_WAY_MAX])
{
	struct ike_way now = { sa->local.ip, sa->remote.ip };
	struct ike_addrs own = ike_roam_own(sa), peer = peer_addrs(sa);
	unsigned n = ike_ways(&own, &peer, &now, out, IKE_WAY_MAX);
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++)
		if (!is_refused(&sa->roam, &out[i]))
			out[left++] = out[i];
	return left;
}

static bool
has_choice(const struct ike_sa *sa)
{
	struct ike_way p[IKE_WAY_MAX];

	return ike_roam_decides(sa) && sa->state == IKE_SA_UP && ike_roam_pairs(sa, p) > 1;
}

struct net_ep
ike_roam_at(const struct ike_sa *sa, const struct ip_addr *ip)
{
	struct net_ep ep = { *ip, sa->remote.port };

	/* behind a NAT its port there is not its port here */
	if (!ip_equal(ip, &sa->remote.ip) && sa->is_nat_there)
		ep.port = sa->ike->conf.natt_port;
	return ep;
}

/* ---- looking after the path ---------------------------------------------- */

void
ike_roam_watch(struct ike_sa *sa)
{
	struct ike *ike = sa->ike;

	if (!has_choice(sa) || tmr_is_set(&sa->watch))
		return;
	if (tmr_start(&ike->tmr, &sa->watch,
		      ike->now_ms + IKE_ROAM_WATCH_MS) != 0)
		log_warn("ike", "SA %u: no timer: out of memory", sa->handle);
}

void
ike_roam_over(void *ctx)
{
	struct ike_sa *sa = ctx;
	uint64_t now_ms = sa->ike->now_ms, in_ms, out_ms;
	bool is_quiet;

	if (!has_choice(sa))
		return;
	ike_sa_traffic(sa, &in_ms, &out_ms);
	is_quiet = out_ms > in_ms &&
	    now_ms - MIN(in_ms, now_ms) >= IKE_ROAM_QUIET_MS;
	if (is_quiet && !sa->out.is_busy) {
		ike_task_add(sa, IKE_TASK_ALIVE, 0);
	} else if (is_quiet && sa->out.is_probe &&
		   now_ms - sa->out.sent_ms >= IKE_ROAM_QUIET_MS) {
		/* it is not only the size that does not pass */
		sa->roam.is_seeking = true;
		ike_win_hurry(sa);
	}
	ike_roam_watch(sa);
	ike_task_pump(sa);
}

uint64_t
ike_roam_wait_ms(const struct ike_sa *sa, unsigned n_try)
{
	if (n_try > IKE_ROAM_TRY || sa->rtt_ms == 0 || !has_choice(sa))
		return 0;
	return MIN(IKE_ROAM_WAIT_MS + 3 * sa->rtt_ms,
		   (uint64_t)IKE_RETRY_FIRST_MS);
}

void
ike_roam_unanswered(struct ike_sa *sa, unsigned n_try)
{
	if (n_try >= IKE_ROAM_TRY && has_choice(sa))
		sa->roam.is_seeking = true;
}

uint64_t
ike_roam_dead_ms(const struct ike_sa *sa)
{
	const struct ike_roam *r = &sa->roam;

	if (!r->is_on || sa->state != IKE_SA_UP || sa->link == NULL ||
	    sa->link->realm->conf.dead_s != 0)	/* it was said how long */
		return 0;
	if (ike_roam_decides(sa))	/* its tries may follow each other fast */
		return IKE_ROAM_LOST_MS;
	/* whom we could dial is not waited for so long */
	return sa->link->peer->has_at ? 0 : IKE_ROAM_DEAD_MS;
}

void
ike_roam_send(struct ike_sa *sa, struct view train)
{
	struct ike_way pair[IKE_WAY_MAX];
	struct net_ep local = sa->local, remote = sa->remote;
	unsigned n = 0;

	if (sa->roam.is_seeking)
		n = ike_roam_pairs(sa, pair);
	if (n == 0) {
		ike_out_send(sa, train);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		struct net_ep there = remote;

		if (!ip_equal(&pair[i].remote, &remote.ip))
			there = ike_roam_at(sa, &pair[i].remote);
		sa->local.ip = pair[i].local;	/* for the sending only */
		sa->remote = there;
		ike_out_send(sa, train);
		sa->local = local;
		sa->remote = remote;
	}
}

bool
ike_roam_is_pair(const struct ike_sa *sa, const struct ike_msg *m)
{
	struct ike_way pair[IKE_WAY_MAX];
	unsigned n = ike_roam_pairs(sa, pair);

	for (unsigned i = 0; i < n; i++)
		if (ip_equal(&pair[i].local, &m->local.ip) &&
		    ip_equal(&pair[i].remote, &m->remote.ip))
			return true;
	return false;
}
