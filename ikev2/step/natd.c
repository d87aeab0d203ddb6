/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/natd.c - NAT detection and the move to port 4500 (RFC 7296 2.23).
 *
 *   hash = SHA-1(SPIi | SPIr | address | port)
 *
 * A wrong source hash of ours makes both ends encapsulate in UDP though no NAT
 * is there: that is how encap="udp" and "auto" are said on the wire.
 */
#include <string.h>

#include "daemon/base/rng.h"
#include "ikev2/step/step.h"

#define HASH_LEN 20

static int
natd_hash(uint64_t ispi, uint64_t rspi, const struct net_ep *ep,
	  uint8_t out[HASH_LEN])
{
	uint8_t spis[16], port[2];
	struct view part[3] = {
		{ spis, sizeof(spis) },
		{ ep->ip.b, ip_len(&ep->ip) },
		{ port, sizeof(port) }
	};

	be64_put(spis, ispi);
	be64_put(spis + 8, rspi);
	be16_put(port, ep->port);
	return spi_crypto()->hash(SPI_HASH_SHA1, part, N_OF(part), out);
}

void
ike_natd_add_at(struct ike_sa *sa, struct ike_build *b,
		const struct net_ep *local, const struct net_ep *remote)
{
	uint8_t src[HASH_LEN], dst[HASH_LEN];
	struct view none = { NULL, 0 };
	int err;

	err = sa->is_faked ? rng_bytes(src, sizeof(src)) :
	    natd_hash(sa->ispi, sa->rspi, local, src);
	if (err != 0 || natd_hash(sa->ispi, sa->rspi, remote, dst) != 0)
		return;		/* without them the peer assumes no NAT */
	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_NAT_DETECTION_SOURCE_IP, none,
			 (struct view){ src, sizeof(src) });
	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_NAT_DETECTION_DESTINATION_IP,
			 none, (struct view){ dst, sizeof(dst) });
}

void
ike_natd_add(struct ike_sa *sa, struct ike_build *b)
{
	ike_natd_add_at(sa, b, &sa->local, &sa->remote);
}

/* Does any notify of the type carry the hash?  A host with several addresses
 * sends several source hashes. */
static bool
any_match(const struct ike_msg *m, uint16_t type, const uint8_t *hash,
	  unsigned *n_seen)
{
	bool found = false;

	*n_seen = 0;
	for (unsigned i = 0; i < m->p->n_ntf; i++) {
		const struct ike_ntf *n = &m->p->ntf[i];

		if (n->type != type)
			continue;
		(*n_seen)++;
		if (n->data.len == HASH_LEN &&
		    memcmp(n->data.p, hash, HASH_LEN) == 0)
			found = true;
	}
	return found;
}

/* To port 4500, if the peer's port is the usual one. */
static void
move_to_natt(struct ike_sa *sa)
{
	struct ike *ike = sa->ike;

	sa->is_natt = true;
	sa->local.port = ike->conf.natt_port;
	if (sa->remote.port == ike->conf.port)
		sa->remote.port = ike->conf.natt_port;
}

static int
read_at(const struct ike_msg *m, uint64_t ispi, uint64_t rspi,
	struct ike_nat *out)
{
	uint8_t src[HASH_LEN], dst[HASH_LEN];
	unsigned n_src, n_dst;
	bool src_ok, dst_ok;

	if (natd_hash(ispi, rspi, &m->remote, src) != 0 ||
	    natd_hash(ispi, rspi, &m->local, dst) != 0)
		return ERR_CRYPTO;
	src_ok = any_match(m, IKE_N_NAT_DETECTION_SOURCE_IP, src, &n_src);
	dst_ok = any_match(m, IKE_N_NAT_DETECTION_DESTINATION_IP, dst, &n_dst);
	out->is_there = n_src > 0 && !src_ok;
	out->is_here = n_dst > 0 && !dst_ok;
	return n_src > 0 && n_dst > 0 ? 0 : ERR_NOTFOUND;
}

int
ike_natd_read(struct ike_sa *sa, const struct ike_msg *m, struct ike_nat *out)
{
	return read_at(m, sa->ispi, sa->rspi, out);
}

/* The same with or without UDP: only where raw ESP can be. */
static enum vpn_encap
encap_of(const struct ike_sa *sa)
{
	return sa->is_nat_there || sa->is_nat_here || sa->is_faked ||
	    !sa->ike->conf.can_raw_esp ? VPN_ENCAP_UDP : VPN_ENCAP_ESP;
}

void
ike_natd_apply(struct ike_sa *sa, const struct ike_nat *nat)
{
	sa->is_nat_here = nat->is_here;
	sa->is_nat_there = nat->is_there;
	sa->encap = encap_of(sa);
	LIST_FOREACH(it, &sa->children)
		CONTAINER_OF(it, struct ike_child, node)->encap = sa->encap;
}

enum ike_verdict
ike_step_natd(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	/* the request was hashed with SPIr = 0 */
	uint64_t rspi = m->h.is_response ? sa->rspi : 0;
	struct ike_nat nat;
	bool has_both;
	int err;

	if ((err = read_at(m, sa->ispi, rspi, &nat)) == ERR_CRYPTO)
		return ike_drop(m, DROP_IKE_BUSY);
	has_both = err == 0;
	if (sa->setup != NULL)
		sa->setup->has_natd = has_both;
	sa->is_nat_there = nat.is_there;
	sa->is_nat_here = nat.is_here;
	sa->encap = has_both &&
	    (sa->is_nat_there || sa->is_nat_here || sa->is_faked) ?
	    VPN_ENCAP_UDP : VPN_ENCAP_ESP;
	if (sa->encap == VPN_ENCAP_ESP && !ike->conf.can_raw_esp) {
		if (m->h.is_response)
			return ike_fail(m, 0, "the peer cannot encapsulate ESP "
			    "in UDP and raw ESP is not available here");
		return ike_drop(m, DROP_IKE_NOPROP);
	}
	/* RFC 4555 3.3: who may move does so in any case */
	if (m->h.is_response && (sa->encap == VPN_ENCAP_UDP ||
				 (has_both && ike_roam_is_wanted(sa))))
		move_to_natt(sa);
	return V_NEXT;
}
