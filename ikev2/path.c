/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/path.c - THE table: exchange x form x direction -> list of steps.
 *
 * The order of a list is the order of events.  A step that waits is followed by
 * the step that takes what it waited for.  Which forms a message can have is
 * checked before (wire/rules.h); in which states it is possible stands here.
 */
#include "ikev2/path.h"

#include "ikev2/step/step.h"

/* IKE_SA_INIT request.                               RFC 7296
 * Before it: ike_cookie_admits(), 2.6, on the bare datagram. */
static ike_step_fn *const init_req[] = {
	ike_step_away_init,		/* RFC 5685 3: while we are drained */
	ike_step_init_choose,		/* 2.7: or NO_PROPOSAL_CHOSEN, 1.2: or
					 * INVALID_KE_PAYLOAD */
	ike_step_init_new,		/* half-open SA; waits for a key */
	ike_step_init_key,
	ike_step_natd,			/* 2.23 */
	ike_step_away_note,		/* RFC 5685 3 */
	ike_step_frag,			/* RFC 7383 2.3 */
	ike_step_ppk,			/* RFC 8784 3 */
	ike_step_vendor,		/* 3.12 */
	ike_step_cert_told,		/* RFC 7427 4 */
	ike_step_init_reply,
	NULL
};
/* IKE_SA_INIT response that chooses. */
static ike_step_fn *const init_rsp[] = {
	ike_step_init_answer,		/* only what we offered, F4 */
	ike_step_natd,			/* moves us to port 4500 */
	ike_step_frag,
	ike_step_ppk,
	ike_step_vendor,
	ike_step_childless,		/* RFC 6023 */
	ike_step_cert_told,		/* 3.7, RFC 7427 4, RFC 9593 */
	ike_step_auth_puzzle,		/* RFC 8019 7.2; waits, if there is one */
	ike_step_auth_puzzled,
	ike_step_derive,		/* 2.14; waits for the secret */
	ike_step_keys,
	ike_step_inter_key,		/* RFC 9370: waits for a key, if any */
	ike_step_inter_request,		/* ... and ends here then */
	ike_step_ppk_int_ask,		/* RFC 9867: waits, if there is a PPK */
	ike_step_ppk_int_request,	/* ... and ends here then */
	ike_step_ppk_ask,		/* RFC 8784; waits, if there is a PPK */
	ike_step_ppk_mixed,
	ike_step_auth_sign,		/* 2.15; waits for the secure process */
	ike_step_auth_signed,
	ike_step_auth_request,
	NULL
};
static ike_step_fn *const init_rsp_cookie[] = {
	ike_step_cookie_again,		/* RFC 8019 7.1.2: waits for a solution */
	ike_step_cookie_send,
	NULL
};
static ike_step_fn *const init_rsp_ke[] = { ike_step_init_ke_again, NULL };
static ike_step_fn *const init_rsp_redirect[] = {
	ike_step_redirect_init, NULL	/* RFC 5685 3 */
};
static ike_step_fn *const init_rsp_error[] = { ike_step_init_error, NULL };

/* IKE_SESSION_RESUME, in place of IKE_SA_INIT.       RFC 5723 */
static ike_step_fn *const resume_req[] = {
	ike_step_resume_new,		/* half-open SA; waits for the keys */
	ike_step_resume_opened,		/* or TICKET_NACK */
	ike_step_natd,
	ike_step_away_note,
	ike_step_frag,
	ike_step_vendor,
	ike_step_resume_reply,
	NULL
};
static ike_step_fn *const resume_rsp[] = {
	ike_step_resume_answer,
	ike_step_natd,
	ike_step_frag,
	ike_step_vendor,
	ike_step_childless,
	ike_step_resume_open,		/* waits for the keys */
	ike_step_resume_keys,
	ike_step_auth_sign,
	ike_step_auth_signed,
	ike_step_auth_request,
	NULL
};
static ike_step_fn *const resume_rsp_nack[] = {
	ike_step_resume_refused,	/* IKE_SA_INIT instead */
	NULL
};

/* IKE_INTERMEDIATE: an additional key exchange, a PPK.  RFC 9242, 9370, 9867 */
static ike_step_fn *const inter_req[] = {
	ike_step_inter_check,		/* waits for the secret, if any */
	ike_step_ppk_int_find,		/* waits, if one is offered */
	ike_step_inter_reply,		/* answers, then new keys */
	NULL
};
static ike_step_fn *const inter_rsp[] = {
	ike_step_ppk_int_answer,	/* of the last one: new keys */
	ike_step_inter_answer,		/* waits for the secret */
	ike_step_inter_keys,
	ike_step_inter_key,		/* the next one, if any */
	ike_step_inter_request,
	ike_step_ppk_int_ask,
	ike_step_ppk_int_request,
	ike_step_ppk_ask,
	ike_step_ppk_mixed,
	ike_step_auth_sign,
	ike_step_auth_signed,
	ike_step_auth_request,
	NULL
};

/* IKE_AUTH request. */
static ike_step_fn *const auth_req[] = {
	ike_step_auth_begin,
	ike_step_config_asked,		/* 2.19 */
	ike_step_ppk_ask,		/* RFC 8784; waits, if there is a PPK */
	ike_step_ppk_mixed,
	ike_step_cert_told,		/* 3.7, RFC 9593 */
	ike_step_auth_verify,		/* 2.15; waits for the secure process */
	ike_step_auth_realm,		/* identity -> realm, peer, link */
	ike_step_auth_sign,		/* waits for the secure process */
	ike_step_auth_signed,
	ike_step_away_auth,		/* RFC 5685 6: or it ends here */
	ike_step_resume_give,		/* RFC 5723 4.1: waits for a ticket */
	ike_step_resume_given,
	ike_step_contact,		/* 2.4: older SAs of this peer end */
	ike_step_config_lease,		/* 3.15.4: or INTERNAL_ADDRESS_FAILURE */
	ike_step_first_child_choose,	/* 2.7, 2.9 */
	ike_step_auth_reply,		/* commits: IKE SA and child SA up */
	NULL
};
/* The same without AUTH: EAP is wanted, 2.16. */
static ike_step_fn *const auth_req_eap_first[] = {
	ike_step_auth_begin,
	ike_step_config_asked,		/* 2.19 */
	ike_step_ppk_ask,
	ike_step_ppk_mixed,
	ike_step_cert_told,
	ike_step_eap_claim,		/* waits: the realm, and may it by EAP? */
	ike_step_eap_admit,
	ike_step_auth_sign,		/* waits */
	ike_step_auth_signed,
	ike_step_eap_first,		/* waits */
	ike_step_eap_offer,		/* IDr, AUTH, EAP; keeps the request */
	NULL
};
static ike_step_fn *const auth_req_eap[] = {
	ike_step_eap_ask,		/* waits for the secure process */
	ike_step_eap_reply,
	NULL
};
static ike_step_fn *const auth_req_eap_last[] = {
	ike_step_eap_verify,		/* waits */
	ike_step_eap_enter,		/* identity -> realm, peer, link */
	ike_step_eap_sign,		/* waits */
	ike_step_eap_signed,
	ike_step_away_auth,		/* RFC 5685 6: or it ends here */
	ike_step_resume_give,		/* RFC 5723 4.1: waits for a ticket */
	ike_step_resume_given,
	ike_step_contact,		/* of the first request, as the rest */
	ike_step_config_lease,
	ike_step_first_child_choose,
	ike_step_auth_reply,		/* commits: IKE SA and child SA up */
	NULL
};
static ike_step_fn *const auth_rsp[] = {
	ike_step_auth_verify,
	ike_step_auth_accept,
	ike_step_resume_take,		/* RFC 5723: waits, if there is a ticket */
	ike_step_resume_keep,
	ike_step_contact,		/* 2.4 */
	ike_step_config_take,		/* 2.19 */
	ike_step_first_child_take,
	NULL
};
static ike_step_fn *const auth_rsp_no_child[] = {
	ike_step_auth_verify,
	ike_step_auth_accept,
	ike_step_resume_take,		/* RFC 5723: waits, if there is a ticket */
	ike_step_resume_keep,
	ike_step_contact,		/* 2.4 */
	ike_step_first_child_none,
	NULL
};
/* With EAP, 2.16. */
static ike_step_fn *const auth_rsp_eap_first[] = {
	ike_step_auth_verify,		/* the gateway first (H5); waits */
	ike_step_eap_gateway,
	ike_step_eap_ask,		/* waits */
	ike_step_eap_next,		/* ... sends, and ends here then */
	NULL
};
static ike_step_fn *const auth_rsp_eap[] = {
	ike_step_eap_ask,		/* waits */
	ike_step_eap_next,		/* ... sends, and ends here while it lasts */
	ike_step_eap_sign,		/* waits */
	ike_step_eap_request,
	NULL
};
static ike_step_fn *const auth_rsp_eap_last[] = {
	ike_step_eap_check,		/* waits */
	ike_step_eap_accept,
	ike_step_resume_take,		/* RFC 5723: waits, if there is a ticket */
	ike_step_resume_keep,
	ike_step_contact,		/* 2.4 */
	ike_step_config_take,		/* 2.19 */
	ike_step_first_child_take,
	NULL
};
static ike_step_fn *const auth_rsp_eap_last_no_child[] = {
	ike_step_eap_check,
	ike_step_eap_accept,
	ike_step_redirect_auth,		/* RFC 5685 6: or it ends here */
	ike_step_resume_take,
	ike_step_resume_keep,
	ike_step_contact,
	ike_step_first_child_none,
	NULL
};
/* RFC 6023: the first child SA comes by CREATE_CHILD_SA. */
static ike_step_fn *const auth_rsp_childless[] = {
	ike_step_childless_asked,
	ike_step_auth_verify,
	ike_step_redirect_eap,		/* RFC 5685 6: before EAP; or it ends here */
	ike_step_auth_accept,
	ike_step_redirect_auth,		/* RFC 5685 6: or it ends here */
	ike_step_resume_take,		/* RFC 5723: waits, if there is a ticket */
	ike_step_resume_keep,
	ike_step_contact,		/* 2.4 */
	ike_step_config_take,		/* 2.19 */
	ike_step_childless_up,
	NULL
};
static ike_step_fn *const auth_rsp_error[] = { ike_step_auth_refused, NULL };

/* CREATE_CHILD_SA: a new child SA, or one in place of another. */
static ike_step_fn *const child_req[] = {
	ike_step_create_check,		/* 2.25: or TEMPORARY_FAILURE */
	ike_step_rekey_find,		/* 1.3.3: or CHILD_SA_NOT_FOUND */
	ike_step_child_choose,
	ike_step_child_ke,		/* waits for the secret, if any */
	ike_step_follow_offer,		/* RFC 9370: ends here, if more follow */
	ike_step_child_reply,		/* installs, then answers */
	NULL
};
static ike_step_fn *const child_rsp[] = {
	ike_step_child_answer,
	ike_step_child_derive,		/* waits for the secret, if any */
	ike_step_follow_begin,		/* waits for a key, if more follow */
	ike_step_follow_request,	/* ... and ends here then */
	ike_step_child_take,		/* installs, settles 2.8.1 */
	NULL
};
/* CREATE_CHILD_SA: the IKE SA itself. */
static ike_step_fn *const rekey_req[] = {
	ike_step_create_check,
	ike_step_sa_choose,
	ike_step_sa_ke,			/* waits for the secret */
	ike_step_follow_offer,
	ike_step_sa_reply,
	NULL
};
static ike_step_fn *const rekey_rsp[] = {
	ike_step_sa_answer,
	ike_step_sa_derive,		/* waits for the secret */
	ike_step_follow_begin,
	ike_step_follow_request,
	ike_step_sa_take,		/* settles 2.8.2 */
	NULL
};
/* IKE_FOLLOWUP_KE                                    RFC 9370 2.2.4 */
static ike_step_fn *const follow_req[] = {
	ike_step_follow_check,		/* or STATE_NOT_FOUND; waits */
	ike_step_follow_reply,		/* the last one installs, then answers */
	NULL
};
static ike_step_fn *const follow_rsp[] = {
	ike_step_follow_answer,		/* waits for the secret */
	ike_step_follow_next,		/* waits for a key, if more follow */
	ike_step_follow_request,	/* ... and ends here then */
	ike_step_follow_take,		/* as child_rsp, rekey_rsp end */
	NULL
};
static ike_step_fn *const create_rsp_error[] = {
	ike_step_create_refused, NULL
};

/* INFORMATIONAL */
static ike_step_fn *const info_req[] = { ike_step_info_request, NULL };
static ike_step_fn *const info_rsp[] = { ike_step_info_answer, NULL };

#define S(s_) (1u << IKE_SA_##s_)
#define ESTABLISHED (S(UP) | S(REKEYED) | S(DELETING))

static const struct {
	uint8_t xchg;
	bool is_response;
	enum ike_form form;
	unsigned states;
	ike_step_fn *const *path;
} row[] = {
	{ IKE_XCHG_IKE_SA_INIT, false, IKE_FORM_INIT, S(NONE), init_req },
	{ IKE_XCHG_IKE_SA_INIT, true, IKE_FORM_INIT, S(INIT_I), init_rsp },
	{ IKE_XCHG_IKE_SA_INIT, true, IKE_FORM_INIT_COOKIE, S(INIT_I),
	  init_rsp_cookie },
	{ IKE_XCHG_IKE_SA_INIT, true, IKE_FORM_INIT_INVALID_KE, S(INIT_I),
	  init_rsp_ke },
	{ IKE_XCHG_IKE_SA_INIT, true, IKE_FORM_INIT_REDIRECT, S(INIT_I),
	  init_rsp_redirect },
	{ IKE_XCHG_IKE_SA_INIT, true, IKE_FORM_INIT_ERROR, S(INIT_I),
	  init_rsp_error },
	{ IKE_XCHG_IKE_SESSION_RESUME, false, IKE_FORM_RESUME, S(NONE),
	  resume_req },
	{ IKE_XCHG_IKE_SESSION_RESUME, true, IKE_FORM_RESUME, S(INIT_I),
	  resume_rsp },
	{ IKE_XCHG_IKE_SESSION_RESUME, true, IKE_FORM_INIT_COOKIE, S(INIT_I),
	  init_rsp_cookie },
	{ IKE_XCHG_IKE_SESSION_RESUME, true, IKE_FORM_RESUME_NACK, S(INIT_I),
	  resume_rsp_nack },
	{ IKE_XCHG_IKE_INTERMEDIATE, false, IKE_FORM_INTER, S(INIT_R),
	  inter_req },
	{ IKE_XCHG_IKE_INTERMEDIATE, true, IKE_FORM_INTER, S(AUTH_I),
	  inter_rsp },
	{ IKE_XCHG_IKE_INTERMEDIATE, true, IKE_FORM_INTER_ERROR, S(AUTH_I),
	  auth_rsp_error },
	{ IKE_XCHG_IKE_AUTH, false, IKE_FORM_AUTH, S(INIT_R) | S(AUTH_R),
	  auth_req },
	{ IKE_XCHG_IKE_AUTH, false, IKE_FORM_AUTH_CHILDLESS,
	  S(INIT_R) | S(AUTH_R), auth_req },
	{ IKE_XCHG_IKE_AUTH, false, IKE_FORM_AUTH_EAP_FIRST,
	  S(INIT_R) | S(AUTH_R), auth_req_eap_first },
	{ IKE_XCHG_IKE_AUTH, false, IKE_FORM_AUTH_EAP, S(AUTH_R),
	  auth_req_eap },
	{ IKE_XCHG_IKE_AUTH, false, IKE_FORM_AUTH_EAP_LAST, S(AUTH_R),
	  auth_req_eap_last },
	{ IKE_XCHG_IKE_AUTH, true, IKE_FORM_AUTH, S(AUTH_I), auth_rsp },
	{ IKE_XCHG_IKE_AUTH, true, IKE_FORM_AUTH_CHILDLESS, S(AUTH_I),
	  auth_rsp_childless },
	{ IKE_XCHG_IKE_AUTH, true, IKE_FORM_AUTH_NO_CHILD, S(AUTH_I),
	  auth_rsp_no_child },
	{ IKE_XCHG_IKE_AUTH, true, IKE_FORM_AUTH_EAP_FIRST, S(AUTH_I),
	  auth_rsp_eap_first },
	{ IKE_XCHG_IKE_AUTH, true, IKE_FORM_AUTH_EAP, S(AUTH_I),
	  auth_rsp_eap },
	{ IKE_XCHG_IKE_AUTH, true, IKE_FORM_AUTH_EAP_LAST, S(AUTH_I),
	  auth_rsp_eap_last },
	{ IKE_XCHG_IKE_AUTH, true, IKE_FORM_AUTH_EAP_LAST_NO_CHILD, S(AUTH_I),
	  auth_rsp_eap_last_no_child },
	{ IKE_XCHG_IKE_AUTH, true, IKE_FORM_AUTH_ERROR, S(AUTH_I),
	  auth_rsp_error },
	{ IKE_XCHG_CREATE_CHILD_SA, false, IKE_FORM_CHILD_NEW, ESTABLISHED,
	  child_req },
	{ IKE_XCHG_CREATE_CHILD_SA, false, IKE_FORM_CHILD_REKEY, ESTABLISHED,
	  child_req },
	{ IKE_XCHG_CREATE_CHILD_SA, true, IKE_FORM_CHILD_NEW, ESTABLISHED,
	  child_rsp },
	{ IKE_XCHG_CREATE_CHILD_SA, false, IKE_FORM_IKE_REKEY, ESTABLISHED,
	  rekey_req },
	{ IKE_XCHG_CREATE_CHILD_SA, true, IKE_FORM_IKE_REKEY, ESTABLISHED,
	  rekey_rsp },
	{ IKE_XCHG_CREATE_CHILD_SA, true, IKE_FORM_CHILD_ERROR, ESTABLISHED,
	  create_rsp_error },
	{ IKE_XCHG_IKE_FOLLOWUP_KE, false, IKE_FORM_FOLLOW, ESTABLISHED,
	  follow_req },
	{ IKE_XCHG_IKE_FOLLOWUP_KE, true, IKE_FORM_FOLLOW, ESTABLISHED,
	  follow_rsp },
	{ IKE_XCHG_IKE_FOLLOWUP_KE, true, IKE_FORM_CHILD_ERROR, ESTABLISHED,
	  create_rsp_error },
	{ IKE_XCHG_INFORMATIONAL, false, IKE_FORM_INFO, ESTABLISHED, info_req },
	{ IKE_XCHG_INFORMATIONAL, true, IKE_FORM_INFO, ESTABLISHED, info_rsp },
};

ike_step_fn *const *
ike_path_find(uint8_t xchg, bool is_response, enum ike_form form,
	      enum ike_sa_state state)
{
	for (unsigned i = 0; i < N_OF(row); i++)
		if (row[i].xchg == xchg && row[i].is_response == is_response &&
		    row[i].form == form && (row[i].states >> state & 1) != 0)
			return row[i].path;
	return NULL;
}
