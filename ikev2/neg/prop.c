/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/neg/prop.c - offer, choose and check proposals.
 *
 * AEAD ciphers and cipher-with-integrity are separate proposals (RFC 7296 3.3).
 * A proposal that holds a transform type we do not know is unusable as a whole
 * (3.3.6); a transform with an attribute we do not know is skipped.
 *
 * Thread: any.
 */
#include "ikev2/neg/prop.h"

#include <string.h>

#include "daemon/base/err.h"
#include "ikev2/neg/algs.h"

#define TR_MAX 24	/* transforms of one of our proposals; ours */

static bool
has(const struct ike_prop *p, uint8_t type, uint16_t id, uint16_t bits)
{
	for (unsigned i = 0; i < p->n_tr; i++)
		if (p->tr[i].type == type && p->tr[i].id == id &&
		    p->tr[i].key_bits == bits && !p->tr[i].is_odd)
			return true;
	return false;
}

static unsigned
count(const struct ike_prop *p, uint8_t type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->n_tr; i++)
		n += p->tr[i].type == type;
	return n;
}

/* ---- our offers ---------------------------------------------------------- */

static void
tr_add(struct ike_tr *tr, unsigned *n, uint8_t type, uint16_t id, uint16_t bits)
{
	tr[(*n)++] = (struct ike_tr){ .type = type, .id = id, .key_bits = bits };
}

static void
offer_ciphers(struct ike_tr *tr, unsigned *n, const struct ike_kind *k)
{
	for (unsigned i = 0; i < k->n_cipher; i++)
		if (k->cipher[i].ike != SPI_CIPHER_NONE)
			tr_add(tr, n, IKE_TRT_ENCR, k->cipher[i].id,
			       k->cipher[i].key_bits);
	for (unsigned i = 0; !k->is_aead && i < IKE_N_INTEG; i++)
		tr_add(tr, n, IKE_TRT_INTEG, ike_integ_row[i].id, 0);
}

static void
offer_ike_rest(struct ike_tr *tr, unsigned *n, enum vpn_suite suite)
{
	for (unsigned i = 0; i < IKE_N_PRF; i++)
		tr_add(tr, n, IKE_TRT_PRF, ike_prf_row[i].id, 0);
	for (unsigned i = 0; i < IKE_N_GROUP; i++)
		if (ike_group_row[i].suite <= suite)
			tr_add(tr, n, IKE_TRT_KE, ike_group_row[i].id, 0);
}

/* The group of the KE payload, and then the others: who is configured for one of
 * those can only say so (INVALID_KE_PAYLOAD, RFC 7296 1.3) if it was offered. */
static void
offer_esp_rest(struct ike_tr *tr, unsigned *n, enum vpn_suite suite,
	       enum spi_group group)
{
	if (group != SPI_GROUP_NONE)
		tr_add(tr, n, IKE_TRT_KE, ike_group_wire(group), 0);
	for (unsigned i = 0; group != SPI_GROUP_NONE && i < IKE_N_GROUP; i++)
		if (ike_group_row[i].suite <= suite &&
		    ike_group_row[i].group != group)
			tr_add(tr, n, IKE_TRT_KE, ike_group_row[i].id, 0);
	for (unsigned i = 0; i < IKE_N_ESN; i++)
		tr_add(tr, n, IKE_TRT_SN, ike_esn_row[i], 0);
}

static int
offer(struct arena *a, enum vpn_suite suite, uint8_t proto, struct view spi,
      enum spi_group group, struct ike_props *out)
{
	struct ike_prop *prop = arena_alloc(a, IKE_N_KIND * sizeof(*prop));
	uint8_t *own_spi = arena_dup(a, spi.p, spi.len);
	unsigned n_prop = 0;

	if (prop == NULL || (spi.len > 0 && own_spi == NULL))
		return ERR_NOMEM;
	for (unsigned i = 0; i < IKE_N_KIND; i++) {
		struct ike_tr *tr;
		unsigned n = 0;

		if (ike_kinds[i].suite > suite)
			continue;
		if ((tr = arena_alloc(a, TR_MAX * sizeof(*tr))) == NULL)
			return ERR_NOMEM;
		offer_ciphers(tr, &n, &ike_kinds[i]);
		if (proto == IKE_PROTO_IKE)
			offer_ike_rest(tr, &n, suite);
		else
			offer_esp_rest(tr, &n, suite, group);
		prop[n_prop] = (struct ike_prop){
			.num = (uint8_t)(n_prop + 1), .proto = proto,
			.spi = { own_spi, spi.len }, .n_tr = n, .tr = tr
		};
		n_prop++;
	}
	*out = (struct ike_props){ .n = n_prop, .prop = prop };
	return 0;
}

int
ike_prop_offer_ike(struct arena *a, enum vpn_suite suite, struct view spi,
		   struct ike_props *out)
{
	return offer(a, suite, IKE_PROTO_IKE, spi, SPI_GROUP_NONE, out);
}

int
ike_prop_offer_esp(struct arena *a, enum vpn_suite suite, struct view spi,
		   enum spi_group group, struct ike_props *out)
{
	return offer(a, suite, IKE_PROTO_ESP, spi, group, out);
}

int
ike_prop_offer_addke(struct arena *a, unsigned kems, struct ike_props *io)
{
	struct ike_prop *prop = arena_alloc(a, 2 * io->n * sizeof(*prop));
	unsigned n_prop = 0;

	if (prop == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < io->n; i++) {
		const struct ike_prop *p = &io->prop[i];
		unsigned n = p->n_tr;
		struct ike_tr *tr;

		if (count(p, IKE_TRT_INTEG) > 0)
			continue;
		if ((tr = arena_alloc(a, (n + IKE_N_KEM + 1) *
				      sizeof(*tr))) == NULL)
			return ERR_NOMEM;
		memcpy(tr, p->tr, n * sizeof(*tr));
		for (unsigned k = 0; k < IKE_N_KEM; k++)
			if ((kems & IKE_KEM_BIT(ike_kem_row[k].group)) != 0)
				tr_add(tr, &n, IKE_TRT_ADDKE1, ike_kem_row[k].id,
				       0);
		tr_add(tr, &n, IKE_TRT_ADDKE1, IKE_KE_NONE, 0);
		prop[n_prop] = *p;
		prop[n_prop].n_tr = n;
		prop[n_prop++].tr = tr;
	}
	memcpy(prop + n_prop, io->prop, io->n * sizeof(*prop));
	n_prop += io->n;
	for (unsigned i = 0; i < n_prop; i++)
		prop[i].num = (uint8_t)(i + 1);
	*io = (struct ike_props){ .n = n_prop, .prop = prop };
	return 0;
}

static enum vpn_alg
preferred(unsigned kems)
{
	if ((kems & IKE_PREFER_AES128) != 0)
		return VPN_ALG_AES_GCM_128;
	if ((kems & IKE_PREFER_CHACHA20) != 0)
		return VPN_ALG_CHACHA20_POLY1305;
	return VPN_ALG_NONE;
}

static bool
is_of_alg(const struct ike_tr *t, enum vpn_alg alg)
{
	enum spi_hash integ;
	const struct ike_cipher_row *row = ike_row_of_alg(alg, &integ);

	return row != NULL && t->type == IKE_TRT_ENCR && t->id == row->id &&
	    t->key_bits == row->key_bits;
}

int
ike_prop_offer_first(struct arena *a, unsigned kems, struct ike_props *io)
{
	struct ike_prop *prop = arena_dup(a, io->prop, io->n * sizeof(*prop));
	enum vpn_alg alg = preferred(kems);

	if (prop == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < io->n; i++) {
		const struct ike_prop *p = &io->prop[i];
		struct ike_tr *tr = arena_alloc(a, p->n_tr * sizeof(*tr));
		unsigned n = 0;

		if (tr == NULL)
			return ERR_NOMEM;
		for (unsigned k = 0; k < p->n_tr; k++)
			if (is_of_alg(&p->tr[k], alg))
				tr[n++] = p->tr[k];
		for (unsigned k = 0; k < p->n_tr; k++)
			if (!is_of_alg(&p->tr[k], alg))
				tr[n++] = p->tr[k];
		prop[i].tr = tr;
	}
	io->prop = prop;
	return 0;
}

/* The algorithm with an implicit IV that goes with one, or 0. */
static uint16_t
iiv_of(const struct ike_tr *t)
{
	if (t->type != IKE_TRT_ENCR)
		return 0;
	return t->id == IKE_ENCR_AES_GCM_16 ? IKE_ENCR_AES_GCM_16_IIV :
	    t->id == IKE_ENCR_CHACHA20_POLY1305 ?
	    IKE_ENCR_CHACHA20_POLY1305_IIV : 0;
}

int
ike_prop_offer_iiv(struct arena *a, struct ike_props *io)
{
	struct ike_prop *prop = arena_dup(a, io->prop, io->n * sizeof(*prop));

	if (prop == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < io->n; i++) {
		const struct ike_prop *p = &io->prop[i];
		struct ike_tr *tr = arena_alloc(a, 2 * p->n_tr * sizeof(*tr));
		unsigned n = 0;

		if (tr == NULL)
			return ERR_NOMEM;
		for (unsigned k = 0; k < p->n_tr; k++) {
			if (iiv_of(&p->tr[k]) != 0)
				tr_add(tr, &n, IKE_TRT_ENCR, iiv_of(&p->tr[k]),
				       p->tr[k].key_bits);
			tr[n++] = p->tr[k];
		}
		prop[i].tr = tr;
		prop[i].n_tr = n;
	}
	*io = (struct ike_props){ .n = io->n, .prop = prop };
	return 0;
}

unsigned
ike_addke_next(const enum spi_group *addke, unsigned i)
{
	while (i < IKE_ADDKE_MAX && addke[i] == SPI_GROUP_NONE)
		i++;
	return i;
}

/* ---- choosing ------------------------------------------------------------ */

static bool
is_addke(uint8_t type)
{
	return type >= IKE_TRT_ADDKE1 && type <= IKE_TRT_ADDKE7;
}

/* Every type in the proposal must be one we will choose from. */
static bool
is_usable(const struct ike_prop *p, uint8_t proto, size_t spi_len,
	  unsigned kems)
{
	if (p->proto != proto || p->spi.len != spi_len)
		return false;
	for (unsigned i = 0; i < p->n_tr; i++) {
		uint8_t t = p->tr[i].type;

		if (is_addke(t) && (kems & IKE_ADDKE_KNOWN) != 0)
			continue;
		if (t != IKE_TRT_ENCR && t != IKE_TRT_INTEG && t != IKE_TRT_KE &&
		    t != (proto == IKE_PROTO_IKE ? IKE_TRT_PRF : IKE_TRT_SN))
			return false;
	}
	return true;
}

/* Integrity that goes with the cipher: none or NONE beside an AEAD. */
static bool
pick_integ(const struct ike_prop *p, bool is_aead, enum spi_hash *out)
{
	if (is_aead) {
		*out = SPI_HASH_NONE;
		return count(p, IKE_TRT_INTEG) == 0 ||
		    has(p, IKE_TRT_INTEG, IKE_INTEG_NONE, 0);
	}
	for (unsigned i = 0; i < IKE_N_INTEG; i++)
		if (has(p, IKE_TRT_INTEG, ike_integ_row[i].id, 0)) {
			*out = ike_integ_row[i].hash;
			return true;
		}
	return false;
}

static bool
pick_prf(const struct ike_prop *p, enum spi_hash *out)
{
	for (unsigned i = 0; i < IKE_N_PRF; i++)
		if (has(p, IKE_TRT_PRF, ike_prf_row[i].id, 0)) {
			*out = ike_prf_row[i].hash;
			return true;
		}
	return false;
}

/* The group of the KE payload when it will do, else our first. */
static bool
pick_group(const struct ike_prop *p, enum vpn_suite suite, uint16_t ke,
	   enum spi_group *out)
{
	enum spi_group g = ike_group_from_wire(ke);

	if (g != SPI_GROUP_NONE && ike_prop_has_group(suite, g) &&
	    has(p, IKE_TRT_KE, ke, 0)) {
		*out = g;
		return true;
	}
	for (unsigned i = 0; i < IKE_N_GROUP; i++)
		if (ike_group_row[i].suite <= suite &&
		    has(p, IKE_TRT_KE, ike_group_row[i].id, 0)) {
			*out = ike_group_row[i].group;
			return true;
		}
	return false;
}

static bool
pick_esp_group(const struct ike_prop *p, enum vpn_suite suite, uint16_t ke,
	       enum ike_ke_rule rule, enum spi_group *out)
{
	bool none_ok = count(p, IKE_TRT_KE) == 0 ||
	    has(p, IKE_TRT_KE, IKE_KE_NONE, 0);

	*out = SPI_GROUP_NONE;
	/* RFC 7296 1.2: such a proposal has no group.  Some peers name the one of
	 * their rekeys even so; the answer leaves it out. */
	if (rule == IKE_KE_NEVER)
		return true;
	if (count(p, IKE_TRT_KE) == 0 || (ke == IKE_KE_NONE && none_ok))
		return true;
	return pick_group(p, suite, ke, out) || none_ok;
}

/* What all choices have in common. */
struct wish {
	uint8_t proto;
	size_t spi_len;
	enum vpn_suite suite;
	unsigned kems;
	uint16_t ke;
	enum ike_ke_rule rule;
	bool wants_kem;		/* only what has an additional key exchange */
};

/* Additional key exchanges: no group twice (RFC 9370 2.2.1), so a choice may
 * have to be taken back. */
struct addke_pick {
	const struct ike_prop *p;
	unsigned kems;		/* that are possible and not taken yet */
	unsigned n_left;	/* steps that may be spent; ours */
	struct ike_choice *out;
};

static bool
pick_addke_from(struct addke_pick *pk, unsigned i)
{
	uint8_t type = (uint8_t)(IKE_TRT_ADDKE1 + i);

	while (i < IKE_ADDKE_MAX && count(pk->p, type) == 0) {
		pk->out->addke[i++] = SPI_GROUP_NONE;
		type++;
	}
	if (i == IKE_ADDKE_MAX)
		return true;
	pk->out->addke_seen |= (uint8_t)(1u << i);
	for (unsigned k = 0; k < IKE_N_KEM && pk->n_left > 0; k++) {
		unsigned bit = IKE_KEM_BIT(ike_kem_row[k].group);

		pk->n_left--;
		if ((pk->kems & bit) == 0 || !has(pk->p, type, ike_kem_row[k].id, 0))
			continue;
		pk->out->addke[i] = ike_kem_row[k].group;
		pk->kems &= ~bit;
		if (pick_addke_from(pk, i + 1))
			return true;
		pk->kems |= bit;
	}
	pk->out->addke[i] = SPI_GROUP_NONE;
	return has(pk->p, type, IKE_KE_NONE, 0) && pick_addke_from(pk, i + 1);
}

static bool
pick_addke(const struct ike_prop *p, const struct wish *w,
	   struct ike_choice *out)
{
	struct addke_pick pk = { .p = p, .kems = w->kems, .n_left = 256,
		.out = out };

	/* without a first key exchange there is no other */
	if (out->group == SPI_GROUP_NONE)
		pk.kems = 0;
	return pick_addke_from(&pk, 0) && (!w->wants_kem ||
	    ike_addke_next(out->addke, 0) < IKE_ADDKE_MAX);
}

static bool
pick_esn(const struct ike_prop *p, bool *out)
{
	for (unsigned i = 0; i < IKE_N_ESN; i++)
		if (has(p, IKE_TRT_SN, ike_esn_row[i], 0)) {
			*out = ike_esn_row[i] == IKE_SN_SEQ_64_PARTIAL;
			return true;
		}
	return false;
}

static bool
match(const struct ike_prop *p, const struct ike_kind *k,
      const struct ike_cipher_row *c, const struct wish *w,
      struct ike_choice *out)
{
	struct ike_choice ch = { .prop_num = p->num };
	enum spi_hash integ;

	if (c->ike == SPI_CIPHER_NONE && (w->proto != IKE_PROTO_ESP ||
					  (w->kems & IKE_MAY_IIV) == 0))
		return false;
	if (!is_usable(p, w->proto, w->spi_len, w->kems) ||
	    !has(p, IKE_TRT_ENCR, c->id, c->key_bits) ||
	    !pick_integ(p, k->is_aead, &integ))
		return false;
	if (w->proto == IKE_PROTO_IKE) {
		ch.ike.encr = c->ike;
		ch.ike.integ = integ;
		if (!pick_prf(p, &ch.ike.prf) ||
		    !pick_group(p, w->suite, w->ke, &ch.ike.group))
			return false;
		ch.group = ch.ike.group;
		if (w->spi_len == 8)
			ch.ike_spi = be64_get(p->spi.p);
	} else {
		ch.alg = ike_alg_of(c, integ);
		if (!pick_esn(p, &ch.is_esn) ||
		    !pick_esp_group(p, w->suite, w->ke, w->rule, &ch.group))
			return false;
		ch.esp_spi = be32_get(p->spi.p);
	}
	if (!pick_addke(p, w, &ch))
		return false;
	memcpy(ch.ike.addke, ch.addke, sizeof(ch.ike.addke));
	*out = ch;
	return true;
}

/* only: nothing but this algorithm; NONE = whatever there is. */
static int
choose_from(const struct ike_props *peer, const struct wish *w,
	    enum vpn_alg only, struct ike_choice *out)
{
	for (unsigned k = 0; k < IKE_N_KIND; k++) {
		const struct ike_kind *kind = &ike_kinds[k];

		if (kind->suite > w->suite)
			continue;
		for (unsigned c = 0; c < kind->n_cipher; c++) {
			if (only != VPN_ALG_NONE &&
			    vpn_alg_explicit(kind->cipher[c].esp) != only)
				continue;
			for (unsigned i = 0; i < peer->n; i++)
				if (match(&peer->prop[i], kind,
					  &kind->cipher[c], w, out))
					return 0;
		}
	}
	return ERR_NOPROP;
}

static int
choose_of(const struct ike_props *peer, const struct wish *w,
	  struct ike_choice *out)
{
	enum vpn_alg alg = preferred(w->kems);

	if (alg != VPN_ALG_NONE && choose_from(peer, w, alg, out) == 0)
		return 0;
	return choose_from(peer, w, VPN_ALG_NONE, out);
}

static bool
has_kem(unsigned kems)
{
	return (kems & ~(IKE_ADDKE_KNOWN | IKE_MAY_IIV | IKE_PREFER_ANY)) != 0;
}

/* One with an additional key exchange goes before all others. */
static int
choose(const struct ike_props *peer, struct wish *w, struct ike_choice *out)
{
	w->wants_kem = has_kem(w->kems);
	if (w->wants_kem && choose_of(peer, w, out) == 0)
		return 0;
	w->wants_kem = false;
	return choose_of(peer, w, out);
}

int
ike_prop_choose_ike(const struct ike_props *peer, enum vpn_suite suite,
		    unsigned kems, uint16_t ke, bool is_rekey,
		    struct ike_choice *out)
{
	struct wish w = { .proto = IKE_PROTO_IKE, .spi_len = is_rekey ? 8 : 0,
		.suite = suite, .kems = kems, .ke = ke, .rule = IKE_KE_MAYBE };

	return choose(peer, &w, out);
}

static int
keep_of(const struct ike_props *peer, const struct ike_suite *now,
	const struct wish *w, struct ike_choice *out)
{
	const struct ike_cipher_row *row = ike_row_of_ike(now->encr);
	uint16_t prf = ike_hash_id(ike_prf_row, IKE_N_PRF, now->prf);
	uint16_t integ = ike_hash_id(ike_integ_row, IKE_N_INTEG, now->integ);

	for (unsigned i = 0; row != NULL && i < peer->n; i++) {
		const struct ike_prop *p = &peer->prop[i];
		struct ike_choice ch = { .prop_num = p->num, .ike = *now };
		enum spi_hash any;

		if (!is_usable(p, IKE_PROTO_IKE, 8, w->kems) ||
		    !has(p, IKE_TRT_ENCR, row->id, row->key_bits) ||
		    !has(p, IKE_TRT_PRF, prf, 0) ||
		    !pick_integ(p, now->integ == SPI_HASH_NONE, &any) ||
		    (now->integ != SPI_HASH_NONE &&
		     !has(p, IKE_TRT_INTEG, integ, 0)) ||
		    !pick_group(p, w->suite, w->ke, &ch.ike.group))
			continue;
		ch.group = ch.ike.group;
		if (!pick_addke(p, w, &ch))
			continue;
		memcpy(ch.ike.addke, ch.addke, sizeof(ch.ike.addke));
		ch.ike_spi = be64_get(p->spi.p);
		*out = ch;
		return 0;
	}
	return ERR_NOPROP;
}

int
ike_prop_keep_ike(const struct ike_props *peer, const struct ike_suite *now,
		  enum vpn_suite suite, unsigned kems, uint16_t ke,
		  struct ike_choice *out)
{
	struct wish w = { .suite = suite, .kems = kems, .ke = ke,
		.wants_kem = has_kem(kems) };

	if (w.wants_kem && keep_of(peer, now, &w, out) == 0)
		return 0;
	w.wants_kem = false;
	return keep_of(peer, now, &w, out);
}

int
ike_prop_choose_esp(const struct ike_props *peer, enum vpn_suite suite,
		    unsigned kems, uint16_t ke, enum ike_ke_rule rule,
		    struct ike_choice *out)
{
	struct wish w = { .proto = IKE_PROTO_ESP, .spi_len = 4, .suite = suite,
		.kems = kems, .ke = ke, .rule = rule };

	return choose(peer, &w, out);
}

/* ---- answering and checking an answer ------------------------------------ */

static int
answer(struct arena *a, uint8_t num, uint8_t proto, struct view spi,
       const struct ike_tr *tr, unsigned n_tr, struct ike_props *out)
{
	struct ike_prop *prop = arena_alloc(a, sizeof(*prop));
	struct ike_tr *copy = arena_dup(a, tr, n_tr * sizeof(*tr));
	uint8_t *own_spi = arena_dup(a, spi.p, spi.len);

	if (prop == NULL || copy == NULL || (spi.len > 0 && own_spi == NULL))
		return ERR_NOMEM;
	*prop = (struct ike_prop){ .num = num, .proto = proto,
		.spi = { own_spi, spi.len }, .n_tr = n_tr, .tr = copy };
	*out = (struct ike_props){ .n = 1, .prop = prop };
	return 0;
}

/* Every type that was proposed is answered, if by NONE. */
static void
answer_addke(struct ike_tr *tr, unsigned *n, const struct ike_choice *c)
{
	for (unsigned i = 0; i < IKE_ADDKE_MAX; i++)
		if ((c->addke_seen >> i & 1) != 0)
			tr_add(tr, n, (uint8_t)(IKE_TRT_ADDKE1 + i),
			       ike_group_wire(c->addke[i]), 0);
}

int
ike_prop_answer_ike(struct arena *a, const struct ike_choice *c,
		    struct view spi, struct ike_props *out)
{
	const struct ike_cipher_row *row = ike_row_of_ike(c->ike.encr);
	struct ike_tr tr[4 + IKE_ADDKE_MAX];
	unsigned n = 0;

	if (row == NULL)
		return ERR_INTERNAL;
	tr_add(tr, &n, IKE_TRT_ENCR, row->id, row->key_bits);
	if (c->ike.integ != SPI_HASH_NONE)
		tr_add(tr, &n, IKE_TRT_INTEG, ike_hash_id(ike_integ_row,
		    IKE_N_INTEG, c->ike.integ), 0);
	tr_add(tr, &n, IKE_TRT_PRF, ike_hash_id(ike_prf_row, IKE_N_PRF, c->ike.prf),
	       0);
	tr_add(tr, &n, IKE_TRT_KE, ike_group_wire(c->ike.group), 0);
	answer_addke(tr, &n, c);
	return answer(a, c->prop_num, IKE_PROTO_IKE, spi, tr, n, out);
}

int
ike_prop_answer_esp(struct arena *a, const struct ike_choice *c,
		    struct view spi, struct ike_props *out)
{
	enum spi_hash integ = SPI_HASH_NONE;
	const struct ike_cipher_row *row = ike_row_of_alg(c->alg, &integ);
	struct ike_tr tr[4];
	unsigned n = 0;

	if (row == NULL)
		return ERR_INTERNAL;
	tr_add(tr, &n, IKE_TRT_ENCR, row->id, row->key_bits);
	if (integ != SPI_HASH_NONE)
		tr_add(tr, &n, IKE_TRT_INTEG, ike_hash_id(ike_integ_row,
		    IKE_N_INTEG, integ), 0);
	if (c->group != SPI_GROUP_NONE)
		tr_add(tr, &n, IKE_TRT_KE, ike_group_wire(c->group), 0);
	tr_add(tr, &n, IKE_TRT_SN, c->is_esn ? IKE_SN_SEQ_64_PARTIAL : IKE_SN_SEQ_32, 0);
	answer_addke(tr, &n, c);
	return answer(a, c->prop_num, IKE_PROTO_ESP, spi, tr, n, out);
}

int
ike_prop_keep_esp(const struct ike_props *peer, enum vpn_alg alg, bool is_esn,
		  enum vpn_suite suite, uint16_t ke, enum ike_ke_rule rule,
		  struct ike_choice *out)
{
	enum spi_hash integ = SPI_HASH_NONE, any;
	const struct ike_cipher_row *row = ike_row_of_alg(alg, &integ);
	uint16_t integ_id = ike_hash_id(ike_integ_row, IKE_N_INTEG, integ);
	/* its keys come from an SA that had all key exchanges */
	struct wish w = { .kems = IKE_ADDKE_KNOWN };

	for (unsigned i = 0; row != NULL && i < peer->n; i++) {
		const struct ike_prop *p = &peer->prop[i];
		struct ike_choice ch = { .prop_num = p->num, .alg = alg,
					 .is_esn = is_esn };

		if (!is_usable(p, IKE_PROTO_ESP, 4, w.kems) ||
		    !has(p, IKE_TRT_ENCR, row->id, row->key_bits) ||
		    !pick_integ(p, integ == SPI_HASH_NONE, &any) ||
		    (integ != SPI_HASH_NONE &&
		     !has(p, IKE_TRT_INTEG, integ_id, 0)) ||
		    !has(p, IKE_TRT_SN, is_esn ? IKE_SN_SEQ_64_PARTIAL : IKE_SN_SEQ_32,
			 0) ||
		    !pick_esp_group(p, suite, ke, rule, &ch.group) ||
		    !pick_addke(p, &w, &ch))
			continue;
		ch.esp_spi = be32_get(p->spi.p);
		*out = ch;
		return 0;
	}
	return ERR_NOPROP;
}

int
ike_prop_offer_esp_as(struct arena *a, enum vpn_alg alg, bool is_esn,
		      struct view spi, enum spi_group group,
		      struct ike_props *out)
{
	struct ike_choice c = { .alg = alg, .is_esn = is_esn, .group = group,
				.prop_num = 1 };

	return ike_prop_answer_esp(a, &c, spi, out);
}

/* An answer holds one proposal and one transform of each type. */
static bool
is_single(const struct ike_props *ans)
{
	static const uint8_t type[] = { IKE_TRT_ENCR, IKE_TRT_PRF,
		IKE_TRT_INTEG, IKE_TRT_KE, IKE_TRT_SN, IKE_TRT_ADDKE1 };

	if (ans->n != 1)
		return false;
	for (unsigned i = 0; i < N_OF(type); i++)
		if (count(&ans->prop[0], type[i]) > 1)
			return false;
	/* we offer one additional key exchange, the first */
	for (uint8_t t = IKE_TRT_ADDKE1 + 1; t <= IKE_TRT_ADDKE7; t++)
		if (count(&ans->prop[0], t) > 0)
			return false;
	return true;
}

int
ike_prop_check_ike(const struct ike_props *ans, enum vpn_suite suite,
		   unsigned kems, bool is_rekey, struct ike_choice *out)
{
	if (!is_single(ans))
		return ERR_NOPROP;
	return ike_prop_choose_ike(ans, suite, kems, IKE_KE_NONE, is_rekey,
				   out);
}

int
ike_prop_check_esp(const struct ike_props *ans, enum vpn_suite suite,
		   unsigned kems, enum spi_group group, struct ike_choice *out)
{
	struct ike_choice ch;
	int err;

	if (!is_single(ans))
		return ERR_NOPROP;
	/* a group that was not offered is none of ours */
	if (group == SPI_GROUP_NONE && count(&ans->prop[0], IKE_TRT_KE) > 0 &&
	    !has(&ans->prop[0], IKE_TRT_KE, IKE_KE_NONE, 0))
		return ERR_NOPROP;
	err = ike_prop_choose_esp(ans, suite, kems, ike_group_wire(group),
	    group == SPI_GROUP_NONE ? IKE_KE_NEVER : IKE_KE_MAYBE, &ch);
	/* an offered key exchange may not be dropped from the proposal */
	if (err != 0 || ch.group != group)
		return ERR_NOPROP;
	*out = ch;
	return 0;
}
