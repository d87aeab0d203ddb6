/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/role.h - which realm somebody falls into (requirements R2, R4).
 *
 *   who: identity of IKE, what the certificate says, identity of EAP
 *     -> every rule of the configuration: does it fit, and how special is it
 *     -> the most special one; two of the same rank in two places: none
 *
 * Rules are the identities of <peer> and the <match> of realms.  Their order:
 *
 *   1. a whole identity:  <peer id>, then <match> without * and ?
 *   2. a pattern: the more characters it demands, the earlier; parts of a
 *      subject: the more attributes, the earlier
 *   3. "*"
 *
 * and within 1, 2 and 3: id, eap, email, dns, dn.  The secure process decides by
 * this before it authenticates anybody; tapir realm test shows the same.
 *
 * Pure.  Thread: any.
 */
#ifndef TAPIR_CONF_ROLE_H
#define TAPIR_CONF_ROLE_H

#include "conf/conf.h"

#define CONF_RDN_MAX 32 /* attributes of a name looked at; ours */

/* One attribute of a distinguished name. */
struct conf_rdn {
	char key[CONF_DN_KEY_MAX];	/* "OU" */
	char value[CONF_ID_MAX + 1];	/* UTF-8 */
};

/* An identity as it came, or a text of the configuration made one. */
struct conf_ident {
	enum conf_id_kind kind;	/* NONE: of a kind nobody is configured with */
	struct view id;		/* as on the wire; not looked at of kind DN */
	unsigned n_rdn;		/* of kind DN; 0: it could not be read */
	const struct conf_rdn *rdn;
};

/* A subjectAltName. */
struct conf_altname {
	bool is_email;		/* else a DNS name */
	struct view text;
};

/* What is known of somebody; everything is borrowed and nothing of it proved. */
struct conf_who {
	struct conf_ident peer;	/* what it calls itself */
	const struct conf_ident *own; /* whom it wants to talk to, or NULL */
	bool has_cert;		/* the rest is known */
	unsigned n_subject;
	const struct conf_rdn *subject;
	unsigned n_name;
	const struct conf_altname *name;
	bool is_eap;		/* it will be asked by EAP */
	struct view eap;	/* its answer to EAP-Identity; empty: not yet */
};

/* One rule. */
struct conf_role {
	const struct conf_realm *realm;
	const struct conf_peer *peer; /* whom it leads to; NULL: see conf_role_of() */
	bool is_peer;		/* the id= of that <peer>, not a <match> */
	enum conf_match_kind kind;
	const char *text;
	struct conf_pos pos;
	uint32_t rank;		/* the greatest goes first */
};

enum conf_fit {
	CONF_FIT_NO,		/* it is about somebody else */
	CONF_FIT_YES,
	CONF_FIT_OWN,		/* it would, but we are called differently there */
	CONF_FIT_LATER,		/* the EAP identity will show */
	CONF_FIT_CERT,		/* nothing is known of a certificate */
};

/* What conf_role_pick() found. */
struct conf_picked {
	struct conf_role role;
	struct conf_role also;	/* with ERR_STATE: the other one */
	unsigned n_own;		/* rules with CONF_FIT_OWN */
	bool is_open;		/* a certificate could lead elsewhere */
	const struct conf_realm *asks; /* with ERR_AGAIN: whose <me> speaks */
};

/** Same kind and same value as a text: host names without regard to case. */
bool conf_ident_is(const struct conf_ident *i, const char *text);
/** Value of an attribute against a text by RFC 5280 7.1, for ASCII: no case, runs
 * of spaces are one, none at the ends. */
bool conf_rdn_is(const struct conf_rdn *r, const char *key, const char *value);
/** Has a name all attributes of the text, each another one of its own, in any
 * order?  False for a text that is none. */
bool conf_rdn_has(const struct conf_rdn *r, unsigned n, const char *text);
/** The same attributes in the same order. */
bool conf_rdn_equal(const struct conf_rdn *r, unsigned n, const char *text);
/** A text of the configuration -> attributes; how many, or ERR_SYNTAX or
 * ERR_LONG. */
int conf_rdn_read(const char *text, struct conf_rdn *out, unsigned cap);

/** Does a pattern take a name?  Printable ASCII only, at most one '@', and only a
 * pattern with '@' takes a name with one; "*" takes every name. */
bool conf_glob_takes(const char *pattern, struct view name);
/** Is there a name that both take? */
bool conf_glob_meet(const char *a, const char *b);

/** The peer that stands for whom <match> admits: the only one of the realm without
 * an identity of its own; NULL when there is none, or more than one. */
const struct conf_peer *conf_role_of(const struct conf_realm *r);
/** The word of the option: id eap email dns dn. */
const char *conf_match_word(enum conf_match_kind k);

typedef void conf_role_fn(void *ctx, const struct conf_role *r);
/** Every rule, in the order of the file. */
void conf_role_walk(const struct conf *c, conf_role_fn *fn, void *ctx);
/** Does a rule fit? */
enum conf_fit conf_role_fit(const struct conf_role *r, const struct conf_who *w);

/**
 * Which realm, and which peer of it?
 *
 * @return 0; ERR_NOTFOUND: no rule fits; ERR_STATE: two of the same rank do, in
 *         out->role and out->also; ERR_AGAIN: come again with the EAP identity,
 *         until then out->asks speaks for all realms it may be.  out->role.peer is
 *         NULL when its realm has no peer for it.
 */
MUST_USE int conf_role_pick(const struct conf *c, const struct conf_who *w,
			    struct conf_picked *out);
/** Is there a rule that leads to this peer and fits, or would fit with the right
 * certificate? */
bool conf_role_may(const struct conf *c, const struct conf_who *w,
		   const struct conf_peer *p);
/**
 * May somebody who got into a realm by this rule be authenticated with an EAP
 * identity?  A realm that was chosen by the identity of IKE wants the same one
 * in EAP, unless that is an address, which names nobody.
 */
bool conf_role_eap_ok(const struct conf_role *r, const struct conf_who *w);

/** Is it about one identity, not a pattern and not parts of a name? */
bool conf_role_is_whole(const struct conf_role *r);
/**
 * Does a configuration that takes the place of another have a rule that the other had
 * not, by which some of whom this peer admits would now go somewhere else?  Its people
 * have to come anew then: nobody stays in a realm that is not his any more.
 *
 * @param old, now configurations; borrowed.
 * @param realm, peer a place of now.
 * @return true also where it cannot be told without a certificate.
 */
bool conf_role_shifts(const struct conf *old, const struct conf *now,
		      const struct conf_realm *realm,
		      const struct conf_peer *peer);
/** Somebody could get into the realm of either, and either no order between the
 * rules tells which, or they are about the same one identity. */
bool conf_role_tie(const struct conf_role *a, const struct conf_role *b);
/** A sentence why a rule is without effect, or NULL. */
const char *conf_role_idle(const struct conf *c, const struct conf_role *r);

#endif
