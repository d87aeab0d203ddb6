/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/qcd.c - commands about lost SAs: RFC 6290, RFC 7296 1.5.
 */
#include <string.h>

#include "test/sim/play.h"

/* Does a message tell a token without protection? */
bool
sim_has_token(const uint8_t *p, size_t len)
{
	uint8_t next = p[16];
	size_t at = IKE_HDR_LEN;

	while (next == IKE_PL_N && at + 8 <= len) {
		if (be16_get(p + at + 6) == IKE_N_QCD_TOKEN)
			return true;
		next = p[at];
		at += MAX(be16_get(p + at + 2), 4);
	}
	return false;
}

/* stray HOST: ESP on its newest child SA comes to the other end, which has no
 * such SA */
bool
play_stray(struct play *p)
{
	struct sim_host *h = play_host(p, 1);
	struct ike_link_info li;
	struct net_ep to = h->other->ep, from;

	if (!sim_link(h, &li) || li.child_id == 0)
		return play_fail(p, "no child SA");
	if (h->other->ike == NULL)
		return true;
	from = li.local;
	to.port = li.remote.port;
	if (h->is_natted) {
		from.ip.b[3] = 99;
		from.port = (uint16_t)(from.port + h->nat_shift);
	}
	ike_stray_esp(h->other->ike, &to, &from, li.encap == VPN_ENCAP_UDP,
		      li.esp_spi_out, 100, p->w.now_ms);
	return true;
}

static struct ike_sa *
up_sa(struct sim_host *h)
{
	LIST_FOREACH(it, &h->ike->sas) {
		struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa, node);

		if (sa->state == IKE_SA_UP)
			return sa;
	}
	return NULL;
}

/* fish HOST: requests that look protected, with the SPIs of its SAs in every
 * order and with every flag; no answer may hold a token (RFC 6290 9.2) */
bool
play_fish(struct play *p)
{
	struct sim_host *h = play_host(p, 1);
	unsigned before = p->w.n_clear_token;
	uint8_t msg[120] = { 0 };

	be32_put(msg + 24, sizeof(msg));
	msg[17] = 0x20;
	be16_put(msg + 30, sizeof(msg) - 28);
	LIST_FOREACH(it, &h->ike->sas) {
		const struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa, node);

		for (unsigned i = 0; i < 16; i++) {
			be64_put(msg, (i & 1) != 0 ? sa->ispi : sa->rspi);
			be64_put(msg + 8, (i & 1) != 0 ? sa->rspi : sa->ispi);
			msg[16] = (i & 2) != 0 ? IKE_PL_SK : IKE_PL_SKF;
			msg[18] = (i & 4) != 0 ? IKE_XCHG_INFORMATIONAL :
			    IKE_XCHG_CREATE_CHILD_SA;
			msg[19] = (i & 8) != 0 ? 8 : 0;
			sim_inject(h, &sa->remote, &sa->local, sa->is_natt,
				   msg, sizeof(msg));
		}
	}
	sim_run(&p->w, 100);
	return p->w.n_clear_token == before ||
	    play_fail(p, "%u tokens of standing SAs were told",
		      p->w.n_clear_token - before);
}

/* The token that the other end gave for an SA of h, as a restarted one would. */
static void
token_of(struct sim_host *h, const struct ike_sa *sa, uint8_t *out)
{
	struct view key = { (const uint8_t *)h->other->name,
			    strlen(h->other->name) }, part;
	uint8_t spis[16], mac[SPI_HASH_MAX];

	be64_put(spis, sa->ispi);
	be64_put(spis + 8, sa->rspi);
	part = (struct view){ spis, sizeof(spis) };
	if (spi_crypto()->hmac(SPI_HASH_SHA256, key, &part, 1, mac) == 0)
		memcpy(out, mac, IKE_TOKEN_LEN);
}

/* token HOST wrong|short|long|fourth: it gets tokens from a foreign address;
 * fourth: the right one behind three wrong ones */
bool
play_token(struct play *p)
{
	struct sim_host *h = play_host(p, 1);
	struct ike_sa *sa = up_sa(h);
	struct ike_hdr hdr = { .xchg = IKE_XCHG_INFORMATIONAL,
			       .is_response = true };
	struct net_ep from;
	uint8_t token[200] = { 1 }, buf[600];
	size_t len = IKE_TOKEN_LEN;
	struct ike_build b;
	struct view out;

	if (sa == NULL)
		return play_fail(p, "no SA to attack");
	from = sa->remote;
	from.ip.b[2] ^= 1;
	hdr.ispi = sa->ispi;
	hdr.rspi = sa->rspi;
	hdr.is_initiator = !sa->is_initiator;
	ike_build_init(&b, buf, sizeof(buf), &hdr);
	if (strcmp(p->arg[2], "short") == 0)
		len = 15;
	else if (strcmp(p->arg[2], "long") == 0)
		len = 129;
	if (len != IKE_TOKEN_LEN)	/* the right one, cut or lengthened */
		token_of(h, sa, token);
	for (unsigned i = 0; i < 4; i++) {
		if (i == 3 && strcmp(p->arg[2], "fourth") == 0)
			token_of(h, sa, token);
		ike_build_notify(&b, IKE_PROTO_IKE, IKE_N_QCD_TOKEN,
				 (struct view){ NULL, 0 },
				 (struct view){ token, len });
	}
	if (ike_build_finish(&b, &out) != 0)
		return play_fail(p, "not built");
	sim_inject(h, &from, &sa->local, sa->is_natt, out.p, out.len);
	sim_run(&p->w, 1);
	return true;
}
