/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/secure_ask.c - questions of the IKE engine as messages to the secure
 * process.
 *
 * Thread: any; pure.
 */
#include "daemon/base/str.h"
#include "daemon/core/secure.h"
#include "daemon/ipc/msg.h"
#include "ikev2/ike.h"

/* What proofs of either end are made from; q: its question. */
#define ASK_PROOF(q, a)                                                        \
	do {                                                                   \
		(q)->is_initiator = (a)->is_initiator;                         \
		(q)->realm = (a)->realm;                                       \
		(q)->peer = (a)->peer;                                         \
		(q)->prf = (uint8_t)(a)->prf;                                  \
		(q)->init_msg = (a)->init_msg;                                 \
		(q)->nonce = (a)->nonce;                                       \
		(q)->sk_p = (a)->sk_p;                                         \
		(q)->int_auth = (a)->int_auth;                                 \
	} while (0)

static void
ask_sign(const struct ike_ask *a, struct ipc_msg *m)
{
	struct ipc_sign *q = &m->u.sign;

	ipc_msg_init(m, IPC_SIGN);
	ASK_PROOF(q, a);
	q->peer_hashes = a->peer_hashes;
	q->certreq = a->certreq;
	q->auth_ann = a->auth_ann;
}

static void
ask_verify(const struct ike_ask *a, struct ipc_msg *m)
{
	struct ipc_verify *q = &m->u.verify;

	ipc_msg_init(m, IPC_VERIFY);
	ASK_PROOF(q, a);
	q->id_peer = a->id_peer;
	q->id_own = a->id_own;
	q->by_eap = a->by_eap;
	q->eap_only = a->eap_only;
	q->method = a->method;
	q->auth = a->auth;
	q->cert = a->cert;
}

static void
ask_eap(const struct ike_ask *a, struct ipc_msg *m)
{
	struct ipc_eap *q = &m->u.eap;

	ipc_msg_init(m, IPC_EAP);
	q->eap = a->eap;
	str_escape(q->from, sizeof(q->from), a->from.p, a->from.len);
}

static void
ask_eap_sign(const struct ike_ask *a, struct ipc_msg *m)
{
	struct ipc_eap_sign *q = &m->u.eap_sign;

	ipc_msg_init(m, IPC_EAP_SIGN);
	q->prf = (uint8_t)a->prf;
	q->init_msg = a->init_msg;
	q->nonce = a->nonce;
	q->sk_p = a->sk_p;
	q->int_auth = a->int_auth;
}

static void
ask_eap_verify(const struct ike_ask *a, struct ipc_msg *m)
{
	struct ipc_eap_verify *q = &m->u.eap_verify;

	ipc_msg_init(m, IPC_EAP_VERIFY);
	q->prf = (uint8_t)a->prf;
	q->init_msg = a->init_msg;
	q->nonce = a->nonce;
	q->sk_p = a->sk_p;
	q->int_auth = a->int_auth;
	q->method = a->method;
	q->auth = a->auth;
}

static void
ask_ppk(const struct ike_ask *a, struct ipc_msg *m)
{
	struct ipc_ppk *q = &m->u.ppk;

	ipc_msg_init(m, IPC_PPK);
	q->is_initiator = a->is_initiator;
	q->realm = a->realm;
	q->peer = a->peer;
	q->prf = (uint8_t)a->prf;
	q->id_peer = a->id_peer;
	q->id_own = a->id_own;
	q->ppk_id = a->ppk_id;
	q->sk_d = a->sk_d;
	q->sk_pi = a->sk_pi;
	q->sk_pr = a->sk_pr;
	q->is_int = a->is_ppk_int;
	q->seed = a->ppk_seed;
	q->offers = a->ppk_offers;
}

static void
ask_seal(const struct ike_ask *a, struct ipc_msg *m)
{
	struct ipc_ticket_seal *q = &m->u.ticket_seal;

	ipc_msg_init(m, IPC_TICKET_SEAL);
	memcpy(q->suite, a->suite, sizeof(q->suite));
	q->prf = (uint8_t)a->prf;
	q->sk_d = a->sk_d;
	q->life_s = a->life_s;
}

static void
ask_open(const struct ike_ask *a, struct ipc_msg *m)
{
	struct ipc_ticket_open *q = &m->u.ticket_open;

	ipc_msg_init(m, IPC_TICKET_OPEN);
	q->is_initiator = a->is_initiator;
	q->ispi = a->ispi;
	q->ni = a->ni;
	q->nr = a->nr;
	q->sealed = a->sealed;
}

int
secure_ask_write(const struct ike_ask *ask, struct ipc_msg *m)
{
	switch (ask->type) {
	case IKE_ASK_SIGN:
		ask_sign(ask, m);
		break;
	case IKE_ASK_VERIFY:
		ask_verify(ask, m);
		break;
	case IKE_ASK_PPK:
		ask_ppk(ask, m);
		break;
	case IKE_ASK_EAP:
		ask_eap(ask, m);
		break;
	case IKE_ASK_EAP_SIGN:
		ask_eap_sign(ask, m);
		break;
	case IKE_ASK_EAP_VERIFY:
		ask_eap_verify(ask, m);
		break;
	case IKE_ASK_SEAL:
		ask_seal(ask, m);
		break;
	case IKE_ASK_OPEN:
		ask_open(ask, m);
		break;
	case IKE_ASK_STANDS:
		ipc_msg_init(m, IPC_STANDS);
		m->u.stands.is_initiator = ask->is_initiator;
		m->u.stands.realm = ask->realm;
		m->u.stands.peer = ask->peer;
		m->u.stands.shown = ask->shown;
		break;
	case IKE_ASK_TOKEN:
		ipc_msg_init(m, IPC_TOKEN);
		m->u.token.ispi = ask->ispi;
		m->u.token.rspi = ask->rspi;
		break;
	case IKE_ASK_CLOSE:
		ipc_msg_init(m, IPC_CLOSE);
		m->handle = ask->handle;
		return 0;
	default:
		return ERR_INTERNAL;
	}
	m->ticket = ask->ticket;
	m->handle = ask->handle;
	return 0;
}
