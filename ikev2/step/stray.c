/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/stray.c - INVALID_SPI without protection (RFC 7296 1.5).
 *
 * Who was restarted gets ESP it has no SA for, and says so:
 *
 *   HDR(0,0), N(INVALID_SPI: SPI)  -->
 *
 * It is a request that is never answered, and proves nothing: its receiver asks
 * in a protected exchange.  To that question who was restarted answers with the
 * token of token.c, and so both know within one round trip.
 *
 * Both directions look through all SAs, but a few times a second at most.
 */
#include "daemon/base/log.h"
#include "ikev2/step/step.h"

#define SPI_LEN 4

/* ---- ours ---------------------------------------------------------------- */

/* Late packets of an SA that was replaced are no news to a peer that is there.
 * Behind one address of a NAT there may be several. */
static bool
knows_peer(const struct ike *ike, const struct net_ep *ep, bool natt)
{
	LIST_FOREACH(it, &ike->sas) {
		const struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa, node);

		if (natt ? net_ep_equal(&sa->remote, ep) :
		    ip_equal(&sa->remote.ip, &ep->ip))
			return true;
	}
	return false;
}

static void
tell(struct ike *ike, const struct ike_msg *m, uint32_t esp_spi)
{
	struct ike_hdr h = { .major = 2, .xchg = IKE_XCHG_INFORMATIONAL,
			     .is_initiator = true };
	uint8_t spi[SPI_LEN];
	struct ike_build b;
	struct view pkt;

	be32_put(spi, esp_spi);
	ike_build_init(&b, ike->tx, IKE_MAX_MSG_BYTES, &h);
	ike_build_notify(&b, IKE_PROTO_NONE, IKE_N_INVALID_SPI,
			 (struct view){ NULL, 0 },
			 (struct view){ spi, sizeof(spi) });
	if (ike_build_finish(&b, &pkt) == 0 && pkt.len <= m->len)
		ike->ops.send(ike->ops.ctx, &m->local, &m->remote, m->is_natt,
			      pkt);
}

void
ike_stray_esp(struct ike *ike, const struct net_ep *local,
	      const struct net_ep *remote, bool natt, uint32_t esp_spi,
	      size_t len, uint64_t now_ms)
{
	struct ike_msg *m = &ike->brief;

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if (!ike_rate_take(ike, &ike->stray_rate, IKE_STRAY_PER_S) ||
	    knows_peer(ike, remote, natt))
		return;
	m->local = *local;
	m->remote = *remote;
	m->is_natt = natt;
	m->len = len;
	if (!natt) {		/* its IKE goes by either port: in turn */
		m->is_natt = ++ike->stray_turn % 2 == 0;
		m->local.port = m->is_natt ? ike->conf.natt_port :
		    ike->conf.port;
		m->remote.port = m->local.port;
	}
	tell(ike, m, esp_spi);
}

/* ---- the peer's ---------------------------------------------------------- */

/* The SPI that a hint names. */
static int
read_spi(const struct ike_msg *m, struct view data, uint32_t *esp_spi)
{
	struct ike_chain chain;
	struct ike_perr perr;
	struct ike_ntf ntf;
	struct cur c;
	int err;

	cur_init(&c, data.p, data.len);
	if ((err = cur_skip(&c, IKE_HDR_LEN)) != 0)
		return err;
	cur_rest(&c, &data);
	if ((err = ike_chain_decode(data, m->h.next, &chain, &perr)) != 0)
		return err;
	for (unsigned i = 0; i < chain.n; i++) {
		cur_init(&c, chain.pl[i].body.p, chain.pl[i].body.len);
		if (chain.pl[i].type != IKE_PL_N || dec_notify(&c, &ntf) != 0 ||
		    ntf.type != IKE_N_INVALID_SPI)
			continue;
		cur_init(&c, ntf.data.p, ntf.data.len);
		return cur_u32(&c, esp_spi);
	}
	return ERR_NOTFOUND;
}

/* The peer at that address gets no ESP from us any more, perhaps. */
static void
ask_owner(struct ike *ike, const struct ip_addr *ip, uint32_t esp_spi)
{
	LIST_FOREACH(it, &ike->sas) {
		struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa, node);

		if (sa->state != IKE_SA_UP ||
		    !ip_equal(&sa->remote.ip, ip) ||
		    ike_child_by_out(sa, esp_spi) == NULL)
			continue;
		ike_sa_hint(sa);
		return;
	}
}

bool
ike_stray_hint(struct ike *ike, const struct ike_msg *m, struct view data)
{
	uint32_t esp_spi;

	if (m->h.xchg != IKE_XCHG_INFORMATIONAL || m->h.is_response ||
	    m->h.next != IKE_PL_N)
		return false;
	if (ike_rate_take(ike, &ike->hint_rate, IKE_STRAY_PER_S) &&
	    read_spi(m, data, &esp_spi) == 0)
		ask_owner(ike, &m->remote.ip, esp_spi);
	return true;
}
