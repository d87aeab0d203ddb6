/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/rules.h - which payloads a message may carry: the grammar of
 * RFC 7296 appendix C as a table, checked before any handler runs.
 *
 * A message has one of several forms (a CREATE_CHILD_SA request makes a child,
 * or rekeys one, or rekeys the IKE SA).  The check says which.
 *
 * Pure.  Thread: any.
 */
#ifndef TAPIR_IKEV2_WIRE_RULES_H
#define TAPIR_IKEV2_WIRE_RULES_H

#include "ikev2/wire/wire.h"

enum ike_form {
	IKE_FORM_NONE,
	/* IKE_SA_INIT, in clear */
	IKE_FORM_INIT,			/* request, response: SA, KE, Nonce */
	IKE_FORM_INIT_COOKIE,		/* response: N(COOKIE) */
	IKE_FORM_INIT_INVALID_KE,	/* response: N(INVALID_KE_PAYLOAD) */
	IKE_FORM_INIT_REDIRECT,		/* response: N(REDIRECT), RFC 5685 3 */
	IKE_FORM_INIT_ERROR,		/* response: N(other error) */
	/* IKE_AUTH */
	IKE_FORM_RESUME,	/* IKE_SESSION_RESUME, RFC 5723 */
	IKE_FORM_RESUME_NACK,
	IKE_FORM_INTER,
	IKE_FORM_INTER_ERROR,
	IKE_FORM_AUTH,			/* IDi AUTH SA TSi TSr; IDr AUTH SA.. */
	IKE_FORM_AUTH_CHILDLESS,	/* RFC 6023: nobody asked for one */
	IKE_FORM_AUTH_NO_CHILD,		/* response: IDr AUTH N(error) */
	IKE_FORM_AUTH_EAP_FIRST,	/* IDi SA TSi TSr; IDr [AUTH] EAP */
	IKE_FORM_AUTH_EAP,		/* EAP */
	IKE_FORM_AUTH_EAP_LAST,		/* AUTH; AUTH SA TSi TSr */
	IKE_FORM_AUTH_EAP_LAST_NO_CHILD, /* response: AUTH N(error) */
	IKE_FORM_AUTH_ERROR,		/* response: N(error) */
	/* CREATE_CHILD_SA */
	IKE_FORM_CHILD_NEW,		/* SA Nonce [KE] TSi TSr; any response
					 * that makes or rekeys a child */
	IKE_FORM_CHILD_REKEY,		/* request with N(REKEY_SA) */
	IKE_FORM_IKE_REKEY,		/* SA Nonce KE */
	IKE_FORM_FOLLOW,
	IKE_FORM_CHILD_ERROR,		/* response: N(error) */
	/* INFORMATIONAL */
	IKE_FORM_INFO,			/* N* D* [CP]; may be empty */
	/* Protected exchange, but in clear and only N: tells of a lost SA.
	 * Never a reason to change an SA. */
	IKE_FORM_UNPROTECTED,
	IKE_FORM_END
};

/** Name of a form, for logs; never NULL, static. */
const char *ike_form_name(enum ike_form form);

/**
 * Check a message against the grammar.
 *
 * @param h      its header: exchange, direction and role choose the rows.
 * @param clear  payloads in clear (with SK, if protected).
 * @param inner  payloads that SK held; NULL for a message without SK.
 * @param form   which form matched; written on success.
 * @param perr   written on failure: the payload missing or not permitted, and
 *               INVALID_SYNTAX.
 * @return 0; ERR_GRAMMAR; ERR_UNSUP for an exchange without rows.
 * RFC 7296 appendix C, 1.2, 1.3, 1.4, 2.16, 2.21.
 */
MUST_USE int ike_rules_check(const struct ike_hdr *h,
			     const struct ike_pls *clear,
			     const struct ike_pls *inner, enum ike_form *form,
			     struct ike_perr *perr);

#endif
