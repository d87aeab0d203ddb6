/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/size.c - the size of the path to a peer: probes, and what we tell
 * each other (requirement E3).
 *
 *   request    HDR, SK{ N(TUNNEL_SIZE): our path size (4), zeros ... }
 *   response   HDR, SK{ }
 *
 * A probe is an INFORMATIONAL request padded to the size in question and sent
 * with "don't fragment".  Every IKEv2 peer answers it, since a status notify it
 * does not know is to be ignored (RFC 7296 3.10.1).  One that stays without an
 * answer is repeated in fragments (RFC 7383 2.5.2), so that the exchange ends and
 * nobody takes the peer for dead; peers that know no fragments are not probed.
 *
 * The first four bytes mean something between two of us: how large outer packets
 * the sender found to pass, 0 = it does not know yet.
 */
#include "daemon/base/log.h"
#include "ikev2/step/step.h"

#define NTF_HEAD     8		/* generic header, protocol, SPI size, type */
#define FIRST_MS     300	/* after the SA came up: what it needs goes first */
#define NEXT_MS	     50		/* between two probes */
#define WAIT_MIN_MS  100	/* for the answer to a probe, and round trips */
/* Between two checks, where there is traffic.  Routers cut IPv4 where a path has
 * become smaller; of IPv6 they drop what is too large. */
#define CHECK_4_MS   60000
#define CHECK_6_MS   15000
#define HINT_MS	     10000	/* something was sent just now */
#define RAISE_MS     600000	/* RFC 8899 5.1.1, PMTU_RAISE_TIMER */

static bool
can_probe(const struct ike_sa *sa)
{
	return sa->ike->ops.send_whole != NULL && sa->has_frag;
}

static uint32_t
asked(const struct ike_sa *sa)
{
	const struct ike_ops *o = &sa->ike->ops;

	return o->path_mtu != NULL ? o->path_mtu(o->ctx, &sa->remote.ip) : 0;
}

uint32_t
ike_size_mtu(const struct ike_sa *sa)
{
	uint32_t own = sa->pmtu.now != 0 ? sa->pmtu.now : asked(sa);

	if (own == 0 || sa->peer_size == 0)
		return own;
	return MIN(own, sa->peer_size);
}

/* Tell everybody whom it concerns, when it changed. */
static void
apply(struct ike_sa *sa)
{
	uint32_t mtu = ike_size_mtu(sa);

	if (mtu == sa->size_used)
		return;
	sa->size_used = mtu;
	log_debug("ike", "SA %u: packets of %u bytes pass", sa->handle, mtu);
	LIST_FOREACH(it, &sa->children)
		ike_child_path(CONTAINER_OF(it, struct ike_child, node));
}

/* The peer may want to know, unless it is what everybody expects. */
static void
tell(struct ike_sa *sa)
{
	bool is_small = sa->pmtu.now < sa->pmtu.top;

	if (!sa->is_tapir || sa->pmtu.phase != IKE_PMTU_DONE ||
	    sa->size_told == sa->pmtu.now ||
	    (!is_small && sa->size_told == 0))
		return;
	ike_task_add(sa, IKE_TASK_TELL_SIZE, 0);
}

void
ike_size_start(struct ike_sa *sa)
{
	/* CBC seals whole blocks, so its probes have not every size */
	ike_pmtu_init(&sa->pmtu, sa->remote.ip.family == 6,
		      spi_cipher_is_aead(sa->suite.encr) ? 1 : SPI_CBC_BLOCK,
		      asked(sa));
	sa->peer_size = sa->size_told = 0;
	sa->size_ms = sa->size_top_ms = sa->ike->now_ms;
	apply(sa);
	if (can_probe(sa))
		ike_task_add_later(sa, IKE_TASK_SIZE, 0, FIRST_MS);
}

void
ike_size_inherit(struct ike_sa *heir, const struct ike_sa *old)
{
	heir->pmtu = old->pmtu;
	heir->peer_size = old->peer_size;
	heir->size_told = old->size_told;
	heir->size_used = old->size_used;
	heir->size_ms = old->size_ms;
	heir->rtt_ms = old->rtt_ms;
	heir->size_top_ms = old->size_top_ms;
	if (heir->pmtu.now == 0)
		return;
	if (heir->pmtu.phase != IKE_PMTU_DONE && can_probe(heir))
		ike_task_add_later(heir, IKE_TASK_SIZE, 0, FIRST_MS);
}

void
ike_size_tick(struct ike_sa *sa, uint64_t out_ms)
{
	uint64_t now_ms = sa->ike->now_ms;
	bool is_v6 = sa->remote.ip.family == 6, is_due;
	uint64_t every_ms = is_v6 ? CHECK_6_MS : CHECK_4_MS;

	if (sa->state != IKE_SA_UP || sa->pmtu.phase != IKE_PMTU_DONE ||
	    !can_probe(sa))
		return;
	/* data over IPv4 has no DF, so nobody answers it */
	is_due = is_v6 && now_ms - MIN(out_ms, now_ms) < HINT_MS &&
	    ike_pmtu_hint(&sa->pmtu, asked(sa));
	if (now_ms - sa->size_top_ms >= RAISE_MS) {
		sa->size_top_ms = now_ms;
		ike_pmtu_raise(&sa->pmtu);
	} else if (is_due || (now_ms - sa->size_ms >= every_ms &&
			      out_ms > sa->size_ms)) {
		ike_pmtu_check(&sa->pmtu);
	}
	if (sa->pmtu.phase != IKE_PMTU_DONE)
		ike_task_add(sa, IKE_TASK_SIZE, 0);
}

/* ---- probes ----------------------------------------------------------------- */

static void
add_notify(struct ike_sa *sa, struct ike_build *b, size_t n)
{
	uint8_t data[IKE_PMTU_TOP] = { 0 };
	uint32_t own = sa->pmtu.phase == IKE_PMTU_DONE ? sa->pmtu.now : 0;

	be32_put(data, own);
	sa->size_told = own;
	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_TUNNEL_SIZE,
			 (struct view){ NULL, 0 },
			 (struct view){ data, MIN(n, sizeof(data)) });
}

bool
ike_size_prepare(struct ike_sa *sa, struct ike_task *t UNUSED,
		 enum spi_group *key_group UNUSED)
{
	return can_probe(sa) && ike_pmtu_next(&sa->pmtu) != 0;
}

int
ike_size_send(struct ike_sa *sa, struct ike_task *t)
{
	uint32_t size = ike_pmtu_next(&sa->pmtu);
	size_t text = ike_frag_text_of(sa, size);
	struct ike_build b;

	if (text < NTF_HEAD + 4)
		return ERR_STATE;
	t->size = size;
	ike_out_open(sa, &b);
	add_notify(sa, &b, text - NTF_HEAD);
	return ike_out_probe(sa, &b);
}

int
ike_tell_size_send(struct ike_sa *sa, struct ike_task *t UNUSED)
{
	struct ike_build b;

	ike_out_open(sa, &b);
	add_notify(sa, &b, 4);
	return ike_out_request(sa, &b, IKE_XCHG_INFORMATIONAL);
}

uint64_t
ike_size_wait_ms(const struct ike_sa *sa)
{
	if (sa->rtt_ms == 0)
		return IKE_RETRY_FIRST_MS;
	return MIN(WAIT_MIN_MS + 3 * sa->rtt_ms,
		   (uint64_t)IKE_RETRY_FIRST_MS);
}

void
ike_size_answered(struct ike_sa *sa, const struct ike_task *t)
{
	/* an answer after the repeat in fragments proves nothing */
	bool has_passed = sa->out.n_try < IKE_FRAG_TRY;

	(void)ike_pmtu_hint(&sa->pmtu, asked(sa));
	ike_pmtu_result(&sa->pmtu, t->size, has_passed);
	sa->size_ms = sa->ike->now_ms;
	apply(sa);
	if (ike_pmtu_next(&sa->pmtu) != 0)
		ike_task_add_later(sa, IKE_TASK_SIZE, 0, NEXT_MS);
	else
		tell(sa);
}

/* ---- the peer's word -------------------------------------------------------- */

void
ike_size_take(struct ike_sa *sa, const struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_TUNNEL_SIZE);
	uint32_t size, least = sa->remote.ip.family == 6 ? IKE_PMTU_LEAST_6 :
	    IKE_PMTU_LEAST_4;

	if (n == NULL || !sa->is_tapir || n->data.len < 4)
		return;
	size = be32_get(n->data.p);
	sa->peer_size = size == 0 ? 0 : MAX(size, least);
	apply(sa);
}
