/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/neg/prop.h - offer, choose and check proposals (RFC 7296 2.7, 3.3).
 *
 * Pure: structs to a verdict.  What a suite contains stands in one table.
 */
#ifndef TAPIR_IKEV2_NEG_PROP_H
#define TAPIR_IKEV2_NEG_PROP_H

#include "daemon/base/vpn.h"
#include "ikev2/crypt/keymat.h"
#include "ikev2/wire/wire.h"

/* What was agreed.  Of an IKE SA: ike; of a child SA: alg, is_esn, group. */
struct ike_choice {
	struct ike_suite ike;
	enum vpn_alg alg;
	bool is_esn;
	enum spi_group group;	/* child: SPI_GROUP_NONE without KE */
	uint8_t prop_num;	/* number of the chosen proposal */
	/* additional key exchanges; of an IKE SA the same as ike.addke */
	enum spi_group addke[IKE_ADDKE_MAX];
	uint8_t addke_seen;	/* bit i: ADDKE(i+1) was proposed */
	uint64_t ike_spi;	/* peer's SPI when one came in the proposal */
	uint32_t esp_spi;
};

/* When a child SA is made: is a key exchange possible? */
enum ike_ke_rule {
	IKE_KE_NEVER,	/* IKE_AUTH: no KE (RFC 7296 1.2); a proposed group is
			 * passed over */
	IKE_KE_MAYBE	/* CREATE_CHILD_SA: as offered */
};

/* Which additional key exchanges (RFC 9370) are possible: a set of groups, a bit
 * each.  The bit of SPI_GROUP_NONE says that the transform types are known at
 * all; without it a proposal that has them is of no use (RFC 7296 3.3.6). */
#define IKE_KEM_BIT(group_)	(1u << (group_))
#define IKE_ADDKE_KNOWN		IKE_KEM_BIT(SPI_GROUP_NONE)
/* Beside them: implicit IVs of ESP may be chosen (RFC 8750). */
#define IKE_MAY_IIV		(1u << 31)
/* And: of ESP, this cipher before all others. */
#define IKE_PREFER_AES128	(1u << 30)
#define IKE_PREFER_CHACHA20	(1u << 29)
#define IKE_PREFER_ANY		(IKE_PREFER_AES128 | IKE_PREFER_CHACHA20)

/** Group number on the wire, and back (SPI_GROUP_NONE when not ours). */
uint16_t ike_group_wire(enum spi_group g);
enum spi_group ike_group_from_wire(uint16_t id);
/** Is a group part of the suite? */
bool ike_prop_has_group(enum vpn_suite suite, enum spi_group g);
/** The group a suite sends first. */
enum spi_group ike_prop_first_group(enum vpn_suite suite);
/** Are the algorithms of an IKE SA part of the suite? */
bool ike_prop_permits(enum vpn_suite suite, const struct ike_suite *s);

/**
 * Our proposals.  Arrays come from the arena.
 *
 * @param spi   IKE rekey: 8 bytes; first IKE SA: empty; ESP: 4 bytes.
 * @param group ESP: group of our KE payload, before all others of the suite, or
 *              SPI_GROUP_NONE for none at all.
 * @return 0 or ERR_NOMEM.
 */
MUST_USE int ike_prop_offer_ike(struct arena *a, enum vpn_suite suite,
				struct view spi, struct ike_props *out);
MUST_USE int ike_prop_offer_esp(struct arena *a, enum vpn_suite suite,
				struct view spi, enum spi_group group,
				struct ike_props *out);

/**
 * Put in front of AEAD proposals the same with an additional key exchange: one
 * of the KEMs in kems, or none.  The peer that does not know of it takes the
 * ones behind.
 *
 * @return 0 or ERR_NOMEM.
 */
MUST_USE int ike_prop_offer_addke(struct arena *a, unsigned kems,
				  struct ike_props *io);
/**
 * Put the cipher that is preferred (IKE_PREFER_*) in front of the others in ESP
 * proposals; without a preference nothing changes.
 *
 * @return 0 or ERR_NOMEM.
 */
MUST_USE int ike_prop_offer_first(struct arena *a, unsigned kems,
				  struct ike_props *io);
/**
 * Put in front of each AEAD of ESP proposals the same with an implicit IV (RFC
 * 8750 section 5).
 *
 * @return 0 or ERR_NOMEM.
 */
MUST_USE int ike_prop_offer_iiv(struct arena *a, struct ike_props *io);
/** The first additional key exchange; IKE_ADDKE_MAX for none from i on. */
unsigned ike_addke_next(const enum spi_group *addke, unsigned i);

/**
 * Choose among a peer's proposals, by our order of preference.
 *
 * @param kems additional key exchanges that are possible; see IKE_ADDKE_KNOWN
 *             and IKE_MAY_IIV.
 * @param ke   group of the KE payload that came along; 0 = none.  When the
 *             chosen out->group is another, the answer is INVALID_KE_PAYLOAD.
 * @param is_rekey  proposals must carry an SPI of 8 bytes (IKE).
 * @return 0 or ERR_NOPROP.
 */
MUST_USE int ike_prop_choose_ike(const struct ike_props *peer,
				 enum vpn_suite suite, unsigned kems,
				 uint16_t ke, bool is_rekey, struct ike_choice *out);
/**
 * Choose, for rekeying, the cipher, integrity and PRF in use, where the peer
 * proposes them.  Peers are known that derive wrong keys when the PRF changes.
 *
 * @param now  suite of the SA that is rekeyed; its group does not matter.
 * @return 0 or ERR_NOPROP: choose among all then.
 */
MUST_USE int ike_prop_keep_ike(const struct ike_props *peer,
			       const struct ike_suite *now,
			       enum vpn_suite suite, unsigned kems,
			       uint16_t ke, struct ike_choice *out);
MUST_USE int ike_prop_choose_esp(const struct ike_props *peer,
				 enum vpn_suite suite, unsigned kems,
				 uint16_t ke, enum ike_ke_rule rule, struct ike_choice *out);

/**
 * Choose, for a further child SA like one there is, its algorithms, where the
 * peer proposes them.
 *
 * @return 0 or ERR_NOPROP.
 */
MUST_USE int ike_prop_keep_esp(const struct ike_props *peer, enum vpn_alg alg,
			       bool is_esn, enum vpn_suite suite, uint16_t ke,
			       enum ike_ke_rule rule, struct ike_choice *out);
/** Our proposal of these algorithms and no others.  As ike_prop_offer_esp. */
MUST_USE int ike_prop_offer_esp_as(struct arena *a, enum vpn_alg alg,
				   bool is_esn, struct view spi,
				   enum spi_group group,
				   struct ike_props *out);

/** The SA payload that answers with a choice; spi is ours. */
MUST_USE int ike_prop_answer_ike(struct arena *a, const struct ike_choice *c,
				 struct view spi, struct ike_props *out);
MUST_USE int ike_prop_answer_esp(struct arena *a, const struct ike_choice *c,
				 struct view spi, struct ike_props *out);

/**
 * Check the peer's answer to our offer: exactly one proposal, one transform of
 * each type, all of them offered by us.
 *
 * @param group ESP: the group of our KE payload.
 * @return 0 or ERR_NOPROP.
 */
MUST_USE int ike_prop_check_ike(const struct ike_props *ans,
				enum vpn_suite suite, unsigned kems,
				bool is_rekey, struct ike_choice *out);
MUST_USE int ike_prop_check_esp(const struct ike_props *ans,
				enum vpn_suite suite, unsigned kems,
				enum spi_group group, struct ike_choice *out);

#endif
