/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/auth.c - SIGN and VERIFY of one IKE SA.
 *
 * Decide first, commit at the end: a->phase moves in sec_auth_sign() and
 * sec_auth_verify() only, and any failure is final for the handle.
 *
 * Thread: the only one.
 */
#include "secure-proc/keys/auth.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "secure-proc/keys/initmsg.h"
#include "secure-proc/keys/msk.h"
#include "spi/spi_crypto.h"

#define METHOD_PSK 2	/* Shared Key Message Integrity Code, RFC 7296 3.8 */

/* Stands in for the key of somebody we do not know, so that the work is the
 * same; never compared as a success. */
static const uint8_t dummy_psk[32] = "no peer has this key, no peer!!";

static int
fail(char *why, size_t cap, int err, const char *text)
{
	snprintf(why, cap, "%s", text);
	return err;
}

static int
digest(struct view v, uint8_t out[32])
{
	return spi_crypto()->hash(SPI_HASH_SHA256, &v, 1, out);
}

/*
 * The exchange as the question describes it.
 *
 * @param is_own  init_msg is ours (SIGN), else the peer's (VERIFY).
 */
static int
exchange_read(struct view msg, struct view nonce, bool is_own,
	      bool is_initiator, struct sec_auth *out)
{
	struct sec_init init;
	uint8_t of_msg[32], other[32];
	int err;

	/* Our message is the request when we are the initiator. */
	err = sec_init_read(msg, is_own == is_initiator, &init);
	if (err != 0)
		return err;
	if (init.is_resume != out->is_resumed)
		return ERR_STATE;
	if (nonce.len < SEC_NONCE_MIN || nonce.len > SEC_NONCE_MAX)
		return ERR_RANGE;
	if ((err = digest(init.nonce, of_msg)) != 0 ||
	    (err = digest(nonce, other)) != 0)
		return err;
	/* Our own nonce sent back: a reflection. */
	if (memcmp(of_msg, other, sizeof(of_msg)) == 0)
		return ERR_SYNTAX;
	out->ispi = init.ispi;
	out->is_initiator = is_initiator;
	memcpy(out->nonce_own, is_own ? of_msg : other, sizeof(of_msg));
	memcpy(out->nonce_peer, is_own ? other : of_msg, sizeof(of_msg));
	return 0;
}

static bool
exchange_is_same(const struct sec_auth *a, const struct sec_auth *b)
{
	return a->ispi == b->ispi && a->is_initiator == b->is_initiator &&
	    memcmp(a->nonce_own, b->nonce_own, sizeof(a->nonce_own)) == 0 &&
	    memcmp(a->nonce_peer, b->nonce_peer, sizeof(a->nonce_peer)) == 0;
}

/* What stays the same from one step to the next. */
static struct sec_auth
next_of(const struct sec_auth *a)
{
	struct sec_auth x = { .is_resumed = a->is_resumed,
		.not_after_s = a->not_after_s, .is_alone = a->is_alone,
		.ticket_serial = a->ticket_serial,
		.ticket_until_s = a->ticket_until_s };

	memcpy(x.id_own, a->id_own, sizeof(x.id_own));
	memcpy(x.id_peer, a->id_peer, sizeof(x.id_peer));
	return x;
}

static const struct conf_peer *
peer_at(const struct conf *c, uint32_t realm, uint32_t peer)
{
	if (realm >= c->n_realm || peer >= c->realm[realm].n_peer)
		return NULL;
	return &c->realm[realm].peer[peer];
}

/* ---- SIGN -------------------------------------------------------------------- */

static int
sign_ids(const struct conf *c, const struct sec_auth *x, struct sec_signed *out)
{
	const struct conf_peer *p = peer_at(c, x->realm, x->peer);
	int err;

	out->id_peer_len = 0;
	if (c->realm[x->realm].me.id == NULL)
		return ERR_NOTFOUND;
	err = sec_id_enc(c->realm[x->realm].me.id, out->id_own,
	    sizeof(out->id_own), &out->id_own_len);
	if (err != 0 || !x->is_initiator || p->is_glob || p->id == NULL)
		return err;
	return sec_id_enc(p->id, out->id_peer, sizeof(out->id_peer),
	    &out->id_peer_len);
}

static int
sign_psk(const struct sec_keys *k, const struct sec_auth *x,
	 const struct sec_octets *oct, struct sec_signed *out, char *why,
	 size_t cap)
{
	struct view psk = sec_store_psk(k->store, x->realm, x->peer);
	int err;

	if (psk.len == 0)
		return fail(why, cap, ERR_KEYFILE, "this peer has no "
		    "pre-shared key");
	out->method = METHOD_PSK;
	err = sec_psk_auth(psk, oct, out->auth, &out->auth_len);
	return err == 0 ? 0 : fail(why, cap, err, err_text(err));
}

/* RFC 5723 4.3.3; our identity is to be the one it was. */
static int
sign_resumed(const struct sec_auth *x, const struct sec_octets *oct,
	     struct sec_signed *out, char *why, size_t cap)
{
	uint8_t id[32];
	int err;

	if ((err = digest(oct->id, id)) != 0)
		return err;
	if (memcmp(id, x->id_own, sizeof(id)) != 0)
		return fail(why, cap, ERR_AUTH, "our identity is not the one of "
		    "the ticket any more");
	out->method = METHOD_PSK;
	err = sec_resume_auth(oct, out->auth, &out->auth_len);
	return err == 0 ? 0 : fail(why, cap, err, err_text(err));
}

/* RFC 9242 3.3.2: IntAuth stands behind the MACed identity. */
static size_t
int_auth_add(struct view int_auth, uint8_t maced[SEC_MACED_MAX], size_t len)
{
	if (int_auth.len > SEC_MACED_MAX - len)
		return len;		/* cannot be: the table bounds it */
	if (int_auth.len > 0)
		memcpy(maced + len, int_auth.p, int_auth.len);
	return len + int_auth.len;
}

static int
sign_cert(const struct sec_keys *k, const struct sec_auth *x,
	  const struct ipc_sign *q, const struct sec_octets *oct,
	  struct sec_signed *out, char *why, size_t cap)
{
	struct sec_own *own = sec_store_own(k->store, x->realm);
	uint8_t maced[SEC_MACED_MAX];
	struct sec_own_ask ask = {
		.part = { q->init_msg, q->nonce, { maced, 0 } },
		.peer_hashes = q->peer_hashes, .certreq = q->certreq,
		.auth_ann = q->auth_ann,
		.is_compat = k->conf->realm[x->realm].suite ==
		    VPN_SUITE_COMPAT,
	};
	int err;

	if (own == NULL)
		return fail(why, cap, ERR_KEYFILE, "this realm has no "
		    "certificate");
	if ((err = sec_maced_id(oct, maced, &ask.part[2].len)) != 0)
		return fail(why, cap, err, err_text(err));
	ask.part[2].len = int_auth_add(q->int_auth, maced, ask.part[2].len);
	err = sec_own_sign(own, &ask, &out->method, out->auth, &out->auth_len,
	    why, cap);
	wipe(maced, sizeof(maced));
	if (err != 0 && why[0] == '\0')
		return fail(why, cap, err, err_text(err));
	out->cert = sec_own_certs(own, q->certreq);
	out->not_after = sec_own_end(own);
	return err;
}

static int
sign_try(const struct sec_keys *k, struct sec_auth *x, const struct sec_auth *a,
	 const struct ipc_sign *q, struct sec_signed *out, char *why, size_t cap)
{
	const struct conf_peer *p;
	struct sec_octets oct;
	int err;

	if (a->phase != (q->is_initiator ? SEC_P_NEW : SEC_P_VERIFIED))
		return fail(why, cap, ERR_STATE, "SIGN is not the next step of "
		    "this IKE SA");
	err = exchange_read(q->init_msg, q->nonce, true, q->is_initiator, x);
	if (err != 0)
		return fail(why, cap, err, "what is to be signed is not our "
		    "IKE_SA_INIT message");
	x->realm = q->is_initiator ? q->realm : a->realm;
	x->peer = q->is_initiator ? q->peer : a->peer;
	if ((!q->is_initiator || a->is_resumed) && !exchange_is_same(a, x))
		return fail(why, cap, ERR_STATE, "SIGN is not of the exchange "
		    "that was verified");
	if (a->is_resumed && (x->realm != a->realm || x->peer != a->peer))
		return fail(why, cap, ERR_STATE, "SIGN is about another peer "
		    "than the ticket");
	p = peer_at(k->conf, x->realm, x->peer);
	x->is_eap = !a->is_resumed && (q->is_initiator ? p != NULL &&
	    p->own_auth == CONF_AUTH_EAP : a->is_eap);
	if ((p == NULL && (q->is_initiator || !x->is_eap)) ||
	    (q->is_initiator && p->is_glob))
		return fail(why, cap, ERR_NOTFOUND, "no such peer");
	if ((err = sign_ids(k->conf, x, out)) != 0)
		return fail(why, cap, err, "our identity cannot be encoded");
	oct = (struct sec_octets){
		.prf = q->prf, .init_msg = q->init_msg, .nonce = q->nonce,
		.sk_p = q->sk_p, .id = { out->id_own, out->id_own_len },
		.int_auth = q->int_auth,
	};
	if (q->sk_p.len != sec_prf_len(q->prf))
		return fail(why, cap, ERR_RANGE, "SK_p has the wrong length");
	if (a->is_resumed)
		return sign_resumed(x, &oct, out, why, cap);
	if ((err = digest(oct.id, x->id_own)) != 0)
		return err;
	if (x->is_eap && (q->is_initiator || x->is_alone))
		return 0;	/* method 0: EAP follows */
	/* who comes by EAP may be of several realms with one certificate */
	if (p == NULL || p->own_auth == CONF_AUTH_CERT)
		return sign_cert(k, x, q, &oct, out, why, cap);
	return sign_psk(k, x, &oct, out, why, cap);
}

/* ---- VERIFY ------------------------------------------------------------------ */

static int
verify_who(const struct sec_keys *k, struct sec_auth *x,
	   const struct sec_auth *a, const struct ipc_verify *q,
	   const struct sec_id *id, char *why, size_t cap)
{
	struct sec_comer who = { .peer = id };
	const struct conf_peer *p;
	char text[SEC_ID_TEXT_MAX];
	struct sec_place at;
	struct sec_id own;
	int err;

	if (q->is_initiator) {
		x->realm = a->realm;
		x->peer = a->peer;
		p = peer_at(k->conf, x->realm, x->peer);
		if (p != NULL && p->id != NULL && sec_id_equal(id, p->id))
			return 0;
		snprintf(why, cap, "the peer calls itself \"%.120s\", which is "
		    "not the configured identity", sec_id_text(id, text));
		return ERR_NOTFOUND;
	}
	if (q->id_own.len > 0 && sec_id_dec(q->id_own, &own) != 0)
		return fail(why, cap, ERR_SYNTAX, "malformed IDr");
	if (q->id_own.len > 0)
		who.own = &own;
	who.is_eap = q->by_eap;
	err = sec_id_select(k->conf, &who, &at, why, cap);
	if (err == ERR_AGAIN) {		/* by EAP: its identity there decides */
		x->realm = at.realm->index;
		x->peer = SEC_ANY;
		return 0;
	}
	if (!q->by_eap && at.is_open && q->cert.len > 0 &&
	    q->method != METHOD_PSK) {
		x->realm = x->peer = SEC_ANY;
		return ERR_AGAIN;
	}
	if (err != 0)
		return err;
	x->realm = at.realm->index;
	x->peer = at.peer->index;
	return 0;
}

/* The work is the same for known and unknown peers (H6). */
static int
verify_auth(const struct sec_keys *k, const struct sec_auth *x, bool is_known,
	    const struct ipc_verify *q)
{
	const struct sec_octets oct = {
		.prf = q->prf, .init_msg = q->init_msg, .nonce = q->nonce,
		.sk_p = q->sk_p, .id = q->id_peer, .int_auth = q->int_auth,
	};
	struct view psk = { dummy_psk, sizeof(dummy_psk) };
	uint8_t want[SEC_PRF_MAX];
	bool is_equal = false;
	size_t len = 0;
	int err;

	if (is_known)
		psk = sec_store_psk(k->store, x->realm, x->peer);
	if (psk.len == 0) {
		is_known = false;
		psk = (struct view){ dummy_psk, sizeof(dummy_psk) };
	}
	if ((err = sec_psk_auth(psk, &oct, want, &len)) != 0)
		return err;
	if (q->auth.len == len)
		is_equal = ct_equal(want, q->auth.p, len);
	wipe(want, sizeof(want));
	return is_known && is_equal && q->method == METHOD_PSK ? 0 : ERR_AUTH;
}

/* By certificate: the child decides, this is what it must know. */
static int
verify_ask(const struct ipc_verify *q, struct sec_auth_asked *asked)
{
	const struct sec_octets oct = {
		.prf = q->prf, .sk_p = q->sk_p, .id = q->id_peer,
	};
	int err = sec_maced_id(&oct, asked->maced_id, &asked->maced_id_len);

	if (err != 0)
		return err;
	asked->maced_id_len = int_auth_add(q->int_auth, asked->maced_id,
	    asked->maced_id_len);
	return ERR_AGAIN;
}

/* It wants to be asked by EAP; may it? */
static int
claim_by_eap(const struct conf_peer *p, const struct ipc_verify *q, int who,
	     const char *id_text, char *why, size_t cap)
{
	if (who != 0)
		return who;
	if (q->auth.len != 0 || q->method != 0)
		return fail(why, cap, ERR_SYNTAX, "AUTH and EAP at once");
	if (p == NULL || p->auth == CONF_AUTH_EAP)
		return 0;
	snprintf(why, cap, "peer \"%.120s\" wants to log in by EAP, which is "
	    "not configured for it", id_text);
	return ERR_AUTH;
}

/* RFC 5998: may the gateway leave it to EAP to prove who it is? */
static bool
may_be_alone(const struct sec_keys *k, const struct sec_auth *a)
{
	return a->is_eap && a->realm < k->conf->n_realm &&
	    k->conf->realm[a->realm].me.only;
}

/* It does.  Its identity is what the certificate within EAP is held against. */
static int
gateway_by_eap(const struct ipc_verify *q, int who, char *why, size_t cap)
{
	if (who != 0)
		return who;
	if (q->auth.len != 0 || q->method != 0 || q->cert.len != 0)
		return fail(why, cap, ERR_SYNTAX, "AUTH and EAP at once");
	return 0;
}

/* RFC 5723 4.3.3: who comes is who the ticket says, and proves that it knows what
 * went into the keys. */
static int
verify_resumed(struct sec_auth *x, const struct sec_auth *a,
	       const struct ipc_verify *q, char *why, size_t cap)
{
	const struct sec_octets oct = {
		.prf = q->prf, .init_msg = q->init_msg, .nonce = q->nonce,
		.sk_p = q->sk_p, .id = q->id_peer, .int_auth = q->int_auth,
	};
	uint8_t id[32], want[SEC_PRF_MAX];
	bool is_right;
	size_t len;
	int err;

	if ((err = digest(q->id_peer, id)) != 0)
		return err;
	if (memcmp(id, a->id_peer, sizeof(id)) != 0)
		return fail(why, cap, ERR_AUTH, "the identity is not the one of "
		    "the ticket");
	if (!q->is_initiator && q->id_own.len > 0 &&
	    ((err = digest(q->id_own, id)) != 0 ||
	     memcmp(id, a->id_own, sizeof(id)) != 0))
		return fail(why, cap, ERR_AUTH, "it asks for another identity "
		    "than that of the ticket");
	if ((err = sec_resume_auth(&oct, want, &len)) != 0)
		return err;
	is_right = q->method == METHOD_PSK && q->auth.len == len &&
	    ct_equal(want, q->auth.p, len);
	wipe(want, sizeof(want));
	if (!is_right)
		return fail(why, cap, ERR_AUTH, "who brings the ticket does not "
		    "know the keys that belong to it");
	x->realm = a->realm;
	x->peer = a->peer;
	return 0;
}

static int
verify_try(const struct sec_keys *k, struct sec_auth *x,
	   const struct sec_auth *a, const struct ipc_verify *q, char *id_text,
	   struct sec_auth_asked *asked, char *why, size_t cap)
{
	const struct conf_peer *p;
	struct sec_id id;
	int err, who;

	if (a->phase != (q->is_initiator ? SEC_P_SIGNED : SEC_P_NEW) ||
	    (q->is_initiator && q->by_eap && !may_be_alone(k, a)))
		return fail(why, cap, ERR_STATE, "VERIFY is not the next step "
		    "of this IKE SA");
	err = exchange_read(q->init_msg, q->nonce, false, q->is_initiator, x);
	if (err != 0)
		return fail(why, cap, err, "what is to be verified is not the "
		    "peer's IKE_SA_INIT message");
	if ((q->is_initiator || a->is_resumed) && !exchange_is_same(a, x))
		return fail(why, cap, ERR_STATE, "VERIFY is not of the "
		    "exchange that was signed");
	if (q->sk_p.len != sec_prf_len(q->prf) || q->sk_p.len == 0)
		return fail(why, cap, ERR_RANGE, "SK_p has the wrong length");
	if ((err = sec_id_dec(q->id_peer, &id)) != 0)
		return fail(why, cap, err, "malformed identity");
	if (a->is_resumed) {
		sec_id_text(&id, id_text);
		return verify_resumed(x, a, q, why, cap);
	}
	if ((err = digest(q->id_peer, x->id_peer)) != 0)
		return err;
	who = verify_who(k, x, a, q, &id, why, cap);
	if (who == ERR_AGAIN) {
		sec_id_text(&id, id_text);
		return verify_ask(q, asked);
	}
	if (who != 0 && who != ERR_NOTFOUND)
		return who;
	p = who == 0 ? peer_at(k->conf, x->realm, x->peer) : NULL;
	x->is_eap = q->is_initiator ? a->is_eap : q->by_eap;
	if (q->by_eap) {
		sec_id_text(&id, id_text);
		if (!q->is_initiator)
			x->is_alone = who == 0 && q->eap_only &&
			    x->realm < k->conf->n_realm &&
			    k->conf->realm[x->realm].eap.only;
		else
			x->is_alone = true;
		return q->is_initiator ? gateway_by_eap(q, who, why, cap) :
		    claim_by_eap(p, q, who, id_text, why, cap);
	}
	if (p != NULL && p->auth == CONF_AUTH_CERT) {
		sec_id_text(&id, id_text);
		if (q->method != METHOD_PSK)
			return verify_ask(q, asked);
		snprintf(why, cap, "peer \"%.120s\" uses a pre-shared key, a "
		    "certificate is configured", id_text);
		return ERR_AUTH;
	}
	err = verify_auth(k, x, who == 0, q);
	if (who != 0)
		return who;
	sec_id_text(&id, id_text);
	if (p->auth == CONF_AUTH_EAP)
		snprintf(why, cap, "peer \"%.120s\" does not come by EAP, "
		    "which is configured for it", id_text);
	else if (err == ERR_AUTH && q->method != METHOD_PSK)
		snprintf(why, cap, "peer \"%.120s\" authenticates by method "
		    "%u, a pre-shared key is configured", id_text, q->method);
	else if (err == ERR_AUTH)
		snprintf(why, cap, "wrong pre-shared key of peer \"%.120s\": "
		    "compare the key files of both ends", id_text);
	else if (err != 0)
		snprintf(why, cap, "%s", err_text(err));
	return err;
}

/* Where the child has put somebody by a certificate.  It only reads what others
 * wrote, so what it says is held against the identities; and the key that was
 * mixed in before (RFC 8784) must be the one of that place. */
static int
verify_place(const struct sec_keys *k, const struct sec_auth_told *told,
	     char *why, size_t cap)
{
	const struct conf_peer *p = peer_at(k->conf, told->realm, told->peer);
	struct sec_id id, own;
	struct sec_comer who = { .peer = &id };
	struct sec_place at;

	if (sec_id_dec(told->id_peer, &id) != 0 ||
	    (told->id_own.len > 0 && sec_id_dec(told->id_own, &own) != 0))
		return fail(why, cap, ERR_SYNTAX, "malformed identity");
	if (told->id_own.len > 0)
		who.own = &own;
	if (p == NULL || p->auth != CONF_AUTH_CERT ||
	    !sec_id_may(k->conf, &who, p))
		return fail(why, cap, ERR_AUTH, "no rule leads from its "
		    "identity to this realm");
	if (p->ppk != NULL &&
	    (sec_id_select(k->conf, &who, &at, why, cap) != 0 ||
	     at.peer->ppk == NULL || strcmp(at.peer->ppk, p->ppk) != 0))
		return fail(why, cap, ERR_AUTH, "its certificate leads to a "
		    "peer with ppk=, which its identity alone does not");
	return 0;
}

/* ---- public ------------------------------------------------------------------ */

static enum sec_phase
verified_phase(const struct sec_auth *a)
{
	if (!a->is_initiator)
		return SEC_P_VERIFIED;
	return a->is_eap ? SEC_P_TALKING : SEC_P_DONE;
}

bool
sec_auth_is_done(const struct sec_auth *a)
{
	return a->phase == SEC_P_DONE;
}

int
sec_auth_sign(const struct sec_keys *k, struct sec_auth *a,
	      const struct ipc_sign *q, struct sec_signed *out, char *why,
	      size_t cap)
{
	struct sec_auth x = next_of(a);
	int err;

	memset(out, 0, sizeof(*out));
	err = sign_try(k, &x, a, q, out, why, cap);
	if (err != 0) {
		wipe(out, sizeof(*out));
		a->phase = SEC_P_FAILED;
		return err;
	}
	x.phase = q->is_initiator ? SEC_P_SIGNED :
	    x.is_eap ? SEC_P_TALKING : SEC_P_DONE;
	*a = x;
	return 0;
}

int
sec_auth_verify(const struct sec_keys *k, struct sec_auth *a,
		const struct ipc_verify *q, char *id_text,
		struct sec_auth_asked *asked, char *why, size_t cap)
{
	struct sec_auth x = next_of(a);
	int err;

	id_text[0] = '\0';
	err = verify_try(k, &x, a, q, id_text, asked, why, cap);
	if (err == ERR_AGAIN) {
		x.phase = SEC_P_ASKED;
		*a = x;
		return err;
	}
	if (err != 0) {
		id_text[0] = '\0';
		a->phase = SEC_P_FAILED;
		return err;
	}
	x.phase = verified_phase(&x);
	*a = x;
	return 0;
}

int
sec_auth_verified(const struct sec_keys *k, struct sec_auth *a,
		  const struct sec_auth_told *told, char *why, size_t cap)
{
	int err = told->err;

	why[0] = '\0';
	if (a->phase != SEC_P_ASKED)
		return fail(why, cap, ERR_STATE, "nothing was asked");
	if (err == 0 && a->realm == SEC_ANY)
		err = verify_place(k, told, why, cap);
	else if (err == 0 && (told->realm != a->realm || told->peer != a->peer))
		err = fail(why, cap, ERR_AUTH, "the answer is about another "
		    "peer");
	if (err != 0) {
		a->phase = SEC_P_FAILED;
		return err;
	}
	a->realm = told->realm;
	a->peer = told->peer;
	a->phase = verified_phase(a);
	return 0;
}

/* ---- EAP --------------------------------------------------------------------- */

int
sec_auth_talks(const struct sec_auth *a)
{
	return a->phase == SEC_P_TALKING ? 0 : ERR_STATE;
}

int
sec_auth_settle(struct sec_auth *a, uint32_t realm, uint32_t peer)
{
	if (a->phase != SEC_P_TALKING || a->is_initiator)
		return ERR_STATE;
	if (a->peer != SEC_ANY && (a->realm != realm || a->peer != peer))
		return ERR_AUTH;
	a->realm = realm;
	a->peer = peer;
	return 0;
}

void
sec_auth_talked(struct sec_auth *a, bool is_good)
{
	a->phase = a->phase == SEC_P_TALKING && is_good ? SEC_P_PROVED :
	    SEC_P_FAILED;
}

/* Is it about the exchange that was verified and signed before? */
static int
bind_read(const struct sec_auth *a, const struct sec_bind *b, bool is_own,
	  struct sec_octets *oct)
{
	struct sec_auth x = { 0 };
	int err;

	/* initiator: ours, then the peer's; responder: the other way */
	if (a->phase != (is_own == a->is_initiator ? SEC_P_PROVED :
	    SEC_P_BOUND) || a->peer == SEC_ANY)
		return ERR_STATE;
	if ((err = exchange_read(b->init_msg, b->nonce, is_own,
	    a->is_initiator, &x)) != 0)
		return err;
	if (!exchange_is_same(a, &x))
		return ERR_STATE;
	if (b->sk_p.len == 0 || b->sk_p.len != sec_prf_len(b->prf))
		return ERR_RANGE;
	*oct = (struct sec_octets){
		.prf = b->prf, .init_msg = b->init_msg, .nonce = b->nonce,
		.sk_p = b->sk_p, .id = b->id_peer, .int_auth = b->int_auth,
	};
	return 0;
}

static int
bound(struct sec_auth *a, int err)
{
	if (err != 0)
		a->phase = SEC_P_FAILED;
	else
		a->phase = a->phase == SEC_P_PROVED ? SEC_P_BOUND : SEC_P_DONE;
	return err;
}

int
sec_auth_bind_sign(const struct sec_keys *k, struct sec_auth *a,
		   const struct sec_bind *b, uint8_t *auth, size_t *len)
{
	struct sec_signed ids;
	struct sec_octets oct;
	int err;

	memset(&ids, 0, sizeof(ids));
	if ((err = bind_read(a, b, true, &oct)) == 0 &&
	    (err = sign_ids(k->conf, a, &ids)) == 0) {
		oct.id = (struct view){ ids.id_own, ids.id_own_len };
		err = sec_msk_sign(b->msk, &oct, auth, len);
	}
	return bound(a, err);
}

int
sec_auth_bind_check(struct sec_auth *a, const struct sec_bind *b,
		    uint8_t method, struct view auth)
{
	struct sec_octets oct;
	int err = bind_read(a, b, false, &oct);

	if (err == 0)
		err = sec_msk_check(b->msk, &oct, method, auth);
	return bound(a, err);
}

void
sec_auth_name_proved(struct sec_auth *a, uint64_t not_after_s)
{
	a->is_named = true;
	a->not_after_s = not_after_s;
}

int
sec_auth_ticket(const struct sec_keys *k, const struct sec_auth *a,
		struct sec_ticket *t)
{
	const struct conf_peer *p = peer_at(k->conf, a->realm, a->peer);
	const struct conf_realm *r;

	/* EAP may have proved another name than the ID payload says */
	if (!sec_auth_is_done(a) || p == NULL ||
	    (a->is_eap && !a->is_initiator && !a->is_named))
		return ERR_STATE;
	r = &k->conf->realm[a->realm];
	t->role = a->is_initiator ? 1 : 2;
	t->not_after_s = a->not_after_s;
	t->realm = (struct view){ (const uint8_t *)r->name, strlen(r->name) };
	t->peer = (struct view){ (const uint8_t *)p->name, strlen(p->name) };
	t->id_own = (struct view){ a->id_own, sizeof(a->id_own) };
	t->id_peer = (struct view){ a->id_peer, sizeof(a->id_peer) };
	return 0;
}

static bool
is_name(struct view v, const char *name)
{
	return v.len == strlen(name) && memcmp(v.p, name, v.len) == 0;
}

/* By name: places change with the configuration. */
static int
place_find(const struct conf *c, const struct sec_ticket *t, struct sec_auth *x)
{
	for (uint32_t r = 0; r < c->n_realm; r++) {
		if (!is_name(t->realm, c->realm[r].name))
			continue;
		for (uint32_t p = 0; p < c->realm[r].n_peer; p++)
			if (is_name(t->peer, c->realm[r].peer[p].name)) {
				x->realm = r;
				x->peer = p;
				return 0;
			}
	}
	return ERR_NOTFOUND;
}

int
sec_auth_resume(const struct sec_keys *k, struct sec_auth *a,
		const struct ipc_ticket_open *q, const struct sec_ticket *t)
{
	struct sec_auth x = { .phase = SEC_P_NEW, .is_resumed = true,
		.is_initiator = q->is_initiator, .ispi = q->ispi,
		.not_after_s = t->not_after_s, .ticket_serial = t->serial,
		.ticket_until_s = t->until_s };

	if (a->phase != SEC_P_NEW || a->is_resumed)
		return ERR_STATE;
	if (t->role != (q->is_initiator ? 1 : 2) ||
	    t->id_own.len != sizeof(x.id_own) ||
	    t->id_peer.len != sizeof(x.id_peer) ||
	    place_find(k->conf, t, &x) != 0 ||
	    peer_at(k->conf, x.realm, x.peer)->ppk != NULL ||
	    digest(q->is_initiator ? q->ni : q->nr, x.nonce_own) != 0 ||
	    digest(q->is_initiator ? q->nr : q->ni, x.nonce_peer) != 0)
		return ERR_AUTH;
	memcpy(x.id_own, t->id_own.p, sizeof(x.id_own));
	memcpy(x.id_peer, t->id_peer.p, sizeof(x.id_peer));
	*a = x;
	return 0;
}
