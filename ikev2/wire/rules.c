/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/rules.c - the grammar of messages, RFC 7296 appendix C.
 *
 * A row is one form of one message: { exchange, direction, who, clear or in
 * SK, form, notifies it needs or refuses, payloads with least and most }.
 * Rows of a message are tried from top to bottom; the first that fits is its
 * form.  N and V may be in any message (appendix C), so rows name them only
 * through the notifies they need.
 *
 * Pure.
 */
#include "ikev2/wire/rules.h"

#include "ikev2/wire/priv.h"

#define N_TYPES		64	/* every payload type we know is below */
#define MAX_ITEMS	11
#define MAX_NEED	2

enum dir { REQ, RESP };
enum from { INITIATOR, RESPONDER, ANYONE };	/* of the IKE SA: who sends it */
enum where { CLEAR, IN_SK };

struct item {
	uint8_t type;
	uint8_t min, max;
};
struct rule {
	uint8_t xchg;
	enum dir dir;
	enum from from;
	enum where where;
	enum ike_form form;
	enum { ANY_N, NEEDS_ERROR, NO_ERROR } error;	/* N(error), 3.10.1 */
	uint16_t need[MAX_NEED];	/* one of these must be there; 0 = end */
	uint16_t deny;			/* this must not be there; 0 = none */
	struct item item[MAX_ITEMS];	/* up to type 0 */
};

#define ONE(p_)		{ IKE_PL_##p_, 1, 1 }
#define OPT(p_)		{ IKE_PL_##p_, 0, 1 }
#define MANY(p_)	{ IKE_PL_##p_, 0, IKE_MAX_PAYLOADS }
#define CERTS		{ IKE_PL_CERT, 0, IKE_MAX_CERTS }
/* beside an error nothing else counts, whatever it is (3.10.1) */
#define WHATEVER	OPT(SA), OPT(KE), OPT(NONCE), OPT(IDR), CERTS, \
			OPT(AUTH), OPT(CP), OPT(TSI), OPT(TSR)

static const struct rule rules[] = {
	/* ---- IKE_SA_INIT, C.1, 1.2, 2.6 ---- */
	{ IKE_XCHG_IKE_SA_INIT, REQ, INITIATOR, CLEAR, IKE_FORM_INIT,
	  .item = { ONE(SA), ONE(KE), ONE(NONCE), MANY(CERTREQ), OPT(PS) } },
	{ IKE_XCHG_IKE_SA_INIT, RESP, RESPONDER, CLEAR, IKE_FORM_INIT,
	  .item = { ONE(SA), ONE(KE), ONE(NONCE), MANY(CERTREQ) } },
	{ IKE_XCHG_IKE_SA_INIT, RESP, RESPONDER, CLEAR, IKE_FORM_INIT_COOKIE,
	  .need = { IKE_N_COOKIE } },
	{ IKE_XCHG_IKE_SA_INIT, RESP, RESPONDER, CLEAR, IKE_FORM_INIT_INVALID_KE,
	  .need = { IKE_N_INVALID_KE_PAYLOAD } },
	{ IKE_XCHG_IKE_SA_INIT, RESP, RESPONDER, CLEAR, IKE_FORM_INIT_REDIRECT,
	  .error = NO_ERROR, .need = { IKE_N_REDIRECT } },
	{ IKE_XCHG_IKE_SA_INIT, RESP, RESPONDER, CLEAR, IKE_FORM_INIT_ERROR,
	  .error = NEEDS_ERROR },

	/* ---- IKE_SESSION_RESUME, RFC 5723 4.3.2 ---- */
	{ IKE_XCHG_IKE_SESSION_RESUME, REQ, INITIATOR, CLEAR, IKE_FORM_RESUME,
	  .need = { IKE_N_TICKET_OPAQUE }, .item = { ONE(NONCE) } },
	{ IKE_XCHG_IKE_SESSION_RESUME, RESP, RESPONDER, CLEAR, IKE_FORM_RESUME,
	  .error = NO_ERROR, .item = { ONE(NONCE) } },
	{ IKE_XCHG_IKE_SESSION_RESUME, RESP, RESPONDER, CLEAR,
	  IKE_FORM_INIT_COOKIE, .need = { IKE_N_COOKIE } },
	{ IKE_XCHG_IKE_SESSION_RESUME, RESP, RESPONDER, CLEAR,
	  IKE_FORM_RESUME_NACK, .need = { IKE_N_TICKET_NACK } },
	{ IKE_XCHG_IKE_SESSION_RESUME, RESP, RESPONDER, CLEAR,
	  IKE_FORM_RESUME_NACK, .error = NEEDS_ERROR },

	/* ---- IKE_INTERMEDIATE, RFC 9242 3.2, RFC 9370 2.2.2 ---- */
	/* what has to be in it was agreed on before: a KE, a PPK, or both */
	{ IKE_XCHG_IKE_INTERMEDIATE, REQ, INITIATOR, IN_SK, IKE_FORM_INTER,
	  .item = { OPT(KE) } },
	{ IKE_XCHG_IKE_INTERMEDIATE, RESP, RESPONDER, IN_SK, IKE_FORM_INTER,
	  .error = NO_ERROR, .item = { OPT(KE) } },
	{ IKE_XCHG_IKE_INTERMEDIATE, RESP, RESPONDER, IN_SK,
	  IKE_FORM_INTER_ERROR, .error = NEEDS_ERROR },

	/* ---- IKE_AUTH requests, C.2, C.3, 2.16 ---- */
	{ IKE_XCHG_IKE_AUTH, REQ, INITIATOR, IN_SK, IKE_FORM_AUTH,
	  .item = { ONE(IDI), CERTS, MANY(CERTREQ), OPT(IDR), ONE(AUTH),
		    OPT(CP), ONE(SA), ONE(TSI), ONE(TSR) } },
	{ IKE_XCHG_IKE_AUTH, REQ, INITIATOR, IN_SK, IKE_FORM_AUTH_CHILDLESS,
	  .item = { ONE(IDI), CERTS, MANY(CERTREQ), OPT(IDR), ONE(AUTH),
		    OPT(CP) } },
	{ IKE_XCHG_IKE_AUTH, REQ, INITIATOR, IN_SK, IKE_FORM_AUTH_EAP_FIRST,
	  .item = { ONE(IDI), MANY(CERTREQ), OPT(IDR), OPT(CP), ONE(SA),
		    ONE(TSI), ONE(TSR) } },
	{ IKE_XCHG_IKE_AUTH, REQ, INITIATOR, IN_SK, IKE_FORM_AUTH_EAP,
	  .item = { ONE(EAP) } },
	{ IKE_XCHG_IKE_AUTH, REQ, INITIATOR, IN_SK, IKE_FORM_AUTH_EAP_LAST,
	  .item = { ONE(AUTH) } },

	/* ---- IKE_AUTH responses, C.2, C.3, 2.21.2 ---- */
	{ IKE_XCHG_IKE_AUTH, RESP, RESPONDER, IN_SK, IKE_FORM_AUTH,
	  .error = NO_ERROR, .item = { ONE(IDR), CERTS, ONE(AUTH), OPT(CP), ONE(SA), ONE(TSI),
		    ONE(TSR) } },
	{ IKE_XCHG_IKE_AUTH, RESP, RESPONDER, IN_SK, IKE_FORM_AUTH_NO_CHILD,
	  .error = NEEDS_ERROR,
	  .item = { ONE(IDR), CERTS, ONE(AUTH), OPT(CP) } },
	{ IKE_XCHG_IKE_AUTH, RESP, RESPONDER, IN_SK, IKE_FORM_AUTH_CHILDLESS,
	  .item = { ONE(IDR), CERTS, ONE(AUTH), OPT(CP) } },
	{ IKE_XCHG_IKE_AUTH, RESP, RESPONDER, IN_SK, IKE_FORM_AUTH_EAP_FIRST,
	  .item = { ONE(IDR), CERTS, OPT(AUTH), ONE(EAP) } },
	{ IKE_XCHG_IKE_AUTH, RESP, RESPONDER, IN_SK, IKE_FORM_AUTH_EAP,
	  .item = { ONE(EAP) } },
	{ IKE_XCHG_IKE_AUTH, RESP, RESPONDER, IN_SK, IKE_FORM_AUTH_EAP_LAST,
	  .error = NO_ERROR, .item = { ONE(AUTH), OPT(CP), ONE(SA), ONE(TSI), ONE(TSR) } },
	{ IKE_XCHG_IKE_AUTH, RESP, RESPONDER, IN_SK,
	  IKE_FORM_AUTH_EAP_LAST_NO_CHILD, .error = NEEDS_ERROR,
	  .item = { ONE(AUTH), OPT(CP) } },
	{ IKE_XCHG_IKE_AUTH, RESP, RESPONDER, IN_SK,	/* RFC 5685 6 */
	  IKE_FORM_AUTH_EAP_LAST_NO_CHILD, .error = NO_ERROR,
	  .need = { IKE_N_REDIRECT }, .item = { ONE(AUTH) } },
	{ IKE_XCHG_IKE_AUTH, RESP, RESPONDER, IN_SK, IKE_FORM_AUTH_ERROR,
	  .error = NEEDS_ERROR, .item = { WHATEVER } },
	{ IKE_XCHG_IKE_AUTH, RESP, ANYONE, CLEAR, IKE_FORM_UNPROTECTED,
	  .error = NEEDS_ERROR },

	/* ---- CREATE_CHILD_SA, C.4, C.5, 1.3 ---- */
	{ IKE_XCHG_CREATE_CHILD_SA, REQ, ANYONE, IN_SK, IKE_FORM_CHILD_REKEY,
	  .need = { IKE_N_REKEY_SA },
	  .item = { OPT(CP), ONE(SA), ONE(NONCE), OPT(KE), ONE(TSI),
		    ONE(TSR) } },
	{ IKE_XCHG_CREATE_CHILD_SA, REQ, ANYONE, IN_SK, IKE_FORM_CHILD_NEW,
	  .deny = IKE_N_REKEY_SA,
	  .item = { OPT(CP), ONE(SA), ONE(NONCE), OPT(KE), ONE(TSI),
		    ONE(TSR) } },
	{ IKE_XCHG_CREATE_CHILD_SA, REQ, ANYONE, IN_SK, IKE_FORM_IKE_REKEY,
	  .deny = IKE_N_REKEY_SA,
	  .item = { ONE(SA), ONE(NONCE), ONE(KE) } },
	{ IKE_XCHG_CREATE_CHILD_SA, RESP, ANYONE, IN_SK, IKE_FORM_CHILD_NEW,
	  .error = NO_ERROR, .item = { OPT(CP), ONE(SA), ONE(NONCE), OPT(KE), ONE(TSI),
		    ONE(TSR) } },
	{ IKE_XCHG_CREATE_CHILD_SA, RESP, ANYONE, IN_SK, IKE_FORM_IKE_REKEY,
	  .error = NO_ERROR, .item = { ONE(SA), ONE(NONCE), ONE(KE) } },
	{ IKE_XCHG_CREATE_CHILD_SA, RESP, ANYONE, IN_SK, IKE_FORM_CHILD_ERROR,
	  .error = NEEDS_ERROR, .item = { WHATEVER } },
	{ IKE_XCHG_CREATE_CHILD_SA, RESP, ANYONE, CLEAR, IKE_FORM_UNPROTECTED,
	  .error = NEEDS_ERROR },

	/* ---- IKE_FOLLOWUP_KE, RFC 9370 2.2.4 ---- */
	{ IKE_XCHG_IKE_FOLLOWUP_KE, REQ, ANYONE, IN_SK, IKE_FORM_FOLLOW,
	  .need = { IKE_N_ADDITIONAL_KEY_EXCHANGE }, .item = { ONE(KE) } },
	{ IKE_XCHG_IKE_FOLLOWUP_KE, RESP, ANYONE, IN_SK, IKE_FORM_FOLLOW,
	  .error = NO_ERROR, .item = { ONE(KE) } },
	{ IKE_XCHG_IKE_FOLLOWUP_KE, RESP, ANYONE, IN_SK, IKE_FORM_CHILD_ERROR,
	  .error = NEEDS_ERROR },

	/* ---- INFORMATIONAL, C.6, 1.4, 1.5 ---- */
	{ IKE_XCHG_INFORMATIONAL, REQ, ANYONE, IN_SK, IKE_FORM_INFO,
	  .item = { MANY(D), OPT(CP) } },
	{ IKE_XCHG_INFORMATIONAL, RESP, ANYONE, IN_SK, IKE_FORM_INFO,
	  .item = { MANY(D), OPT(CP) } },
	{ IKE_XCHG_INFORMATIONAL, REQ, ANYONE, CLEAR, IKE_FORM_UNPROTECTED,
	  .need = { IKE_N_INVALID_SPI, IKE_N_INVALID_IKE_SPI } },
	{ IKE_XCHG_INFORMATIONAL, RESP, ANYONE, CLEAR, IKE_FORM_UNPROTECTED,
	  .error = NEEDS_ERROR },
};

static const char *const form_names[] = {
	[IKE_FORM_NONE] = "none",
	[IKE_FORM_INIT] = "init",
	[IKE_FORM_INIT_COOKIE] = "init, cookie wanted",
	[IKE_FORM_INIT_INVALID_KE] = "init, other group wanted",
	[IKE_FORM_INIT_REDIRECT] = "init, another gateway named",
	[IKE_FORM_INIT_ERROR] = "init, refused",
	[IKE_FORM_RESUME] = "resume",
	[IKE_FORM_RESUME_NACK] = "resume, refused",
	[IKE_FORM_INTER] = "intermediate",
	[IKE_FORM_INTER_ERROR] = "intermediate, refused",
	[IKE_FORM_AUTH] = "auth",
	[IKE_FORM_AUTH_CHILDLESS] = "auth, no child",
	[IKE_FORM_AUTH_NO_CHILD] = "auth, child refused",
	[IKE_FORM_AUTH_EAP_FIRST] = "auth, first of EAP",
	[IKE_FORM_AUTH_EAP] = "auth, EAP",
	[IKE_FORM_AUTH_EAP_LAST] = "auth, last of EAP",
	[IKE_FORM_AUTH_EAP_LAST_NO_CHILD] = "auth, last of EAP, child refused",
	[IKE_FORM_AUTH_ERROR] = "auth, refused",
	[IKE_FORM_CHILD_NEW] = "new child",
	[IKE_FORM_CHILD_REKEY] = "rekey child",
	[IKE_FORM_IKE_REKEY] = "rekey IKE SA",
	[IKE_FORM_FOLLOW] = "additional key exchange",
	[IKE_FORM_CHILD_ERROR] = "child, refused",
	[IKE_FORM_INFO] = "informational",
	[IKE_FORM_UNPROTECTED] = "unprotected error",
};

const char *
ike_form_name(enum ike_form form)
{
	if ((unsigned)form >= N_OF(form_names))
		return form_names[IKE_FORM_NONE];
	return form_names[form];
}

static bool
rule_applies(const struct rule *r, const struct ike_hdr *h, bool is_protected)
{
	if (r->xchg != h->xchg ||
	    r->dir != (h->is_response ? RESP : REQ) ||
	    r->where != (is_protected ? IN_SK : CLEAR))
		return false;
	return r->from == ANYONE ||
	    r->from == (h->is_initiator ? INITIATOR : RESPONDER);
}

/* The notifies that make this form. */
static bool
notifies_fit(const struct rule *r, const struct ike_pls *p)
{
	unsigned i;

	if (r->error != ANY_N &&
	    (ike_ntf_error(p) != NULL) != (r->error == NEEDS_ERROR))
		return false;
	if (r->deny != 0 && ike_ntf_find(p, r->deny) != NULL)
		return false;
	for (i = 0; i < MAX_NEED && r->need[i] != 0; i++)
		if (ike_ntf_find(p, r->need[i]) != NULL)
			return true;
	return i == 0;
}

static struct item
item_of(const struct rule *r, uint8_t type)
{
	unsigned i;

	if (type == IKE_PL_N || type == IKE_PL_V)	/* anywhere */
		return (struct item){ type, 0, IKE_MAX_PAYLOADS };
	for (i = 0; i < MAX_ITEMS && r->item[i].type != IKE_PL_NONE; i++)
		if (r->item[i].type == type)
			return r->item[i];
	return (struct item){ type, 0, 0 };
}

/* The payload for which a message is not of this form; IKE_PL_NONE: it is. */
static uint8_t
find_misfit(const struct rule *r, const struct ike_pls *p,
	    const unsigned *count)
{
	uint8_t type;

	for (type = 1; type < N_TYPES; type++) {
		struct item it = item_of(r, type);

		if (count[type] < it.min || count[type] > it.max)
			return type;
	}
	return notifies_fit(r, p) ? IKE_PL_NONE : IKE_PL_N;
}

/* Beside SK nothing but V may be in clear: what counts comes encrypted.  PS is
 * for who asked for it (RFC 8019 7.2.2). */
static uint8_t
find_stray(const struct ike_pls *clear)
{
	unsigned i;

	if (clear->sk_type == IKE_PL_NONE)
		return IKE_PL_SK;
	for (i = 0; i < clear->n_pl; i++)
		if (clear->pl[i].type != IKE_PL_V &&
		    clear->pl[i].type != IKE_PL_PS &&
		    clear->pl[i].type != clear->sk_type)
			return clear->pl[i].type;
	return IKE_PL_NONE;
}

static bool
is_exchange_known(uint8_t xchg)
{
	size_t i;

	for (i = 0; i < N_OF(rules); i++)
		if (rules[i].xchg == xchg)
			return true;
	return false;
}

/* Try the rows of this message; blame is what the first of them lacked. */
static enum ike_form
find_form(const struct ike_hdr *h, const struct ike_pls *p, bool is_protected,
	  uint8_t *blame)
{
	unsigned count[N_TYPES] = { 0 };
	bool is_first = true;
	uint8_t misfit;
	unsigned i;

	for (i = 0; i < p->n_pl; i++)
		count[p->pl[i].type % N_TYPES]++;
	for (i = 0; i < N_OF(rules); i++) {
		if (!rule_applies(&rules[i], h, is_protected))
			continue;
		misfit = find_misfit(&rules[i], p, count);
		if (misfit == IKE_PL_NONE)
			return rules[i].form;
		if (is_first)
			*blame = misfit;
		is_first = false;
	}
	return IKE_FORM_NONE;
}

int
ike_rules_check(const struct ike_hdr *h, const struct ike_pls *clear,
		const struct ike_pls *inner, enum ike_form *form,
		struct ike_perr *perr)
{
	uint8_t blame = IKE_PL_NONE;
	enum ike_form found;

	if (!is_exchange_known(h->xchg))
		return perr_set(perr, ERR_UNSUP, IKE_PL_NONE);
	if (inner != NULL && (blame = find_stray(clear)) != IKE_PL_NONE)
		return perr_set(perr, ERR_GRAMMAR, blame);
	found = find_form(h, inner != NULL ? inner : clear, inner != NULL,
			  &blame);
	if (found == IKE_FORM_NONE)
		return perr_set(perr, ERR_GRAMMAR, blame);
	*form = found;
	return 0;
}
