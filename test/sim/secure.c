/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/secure.c - what the secure process answers, for PSK (2.15).
 *
 *   AUTH = prf( prf(PSK, "Key Pad for IKEv2"), octets )
 *   octets = IKE_SA_INIT message | nonce of the other | prf(SK_p, ID body)
 *            [| IntAuth]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/str.h"
#include "test/sim/world.h"

#define ASK_MS 3	/* until an answer comes */

static enum spi_hash
hash_of(enum ike_prf p)
{
	return p == IKE_PRF_SHA256 ? SPI_HASH_SHA256 :
	    p == IKE_PRF_SHA384 ? SPI_HASH_SHA384 : SPI_HASH_SHA512;
}

/* Did this SA come by a ticket (RFC 5723)? */
static bool
is_resumed(const struct sim_host *h, uint32_t handle)
{
	for (unsigned i = 0; i < MIN(h->n_resumed, SIM_RESUMED_MAX); i++)
		if (h->resumed[i] == handle)
			return true;
	return false;
}

/* word: NULL = SK_p itself. */
static size_t
key_auth(const char *word, const struct ike_ask *ask, struct view id,
	 uint8_t *out)
{
	enum spi_hash hash = hash_of(ask->prf);
	struct view pad = { (const uint8_t *)"Key Pad for IKEv2", 17 };
	struct view psk = { (const uint8_t *)word,
			    word != NULL ? strlen(word) : 0 };
	uint8_t key[SPI_HASH_MAX], mac[SPI_HASH_MAX];
	size_t n = spi_hash_len(hash);
	struct view octets[4];

	if (spi_crypto()->hmac(hash, psk, &pad, 1, key) != 0 ||
	    spi_crypto()->hmac(hash, ask->sk_p, &id, 1, mac) != 0)
		abort();
	octets[0] = ask->init_msg;
	octets[1] = ask->nonce;
	octets[2] = (struct view){ mac, n };
	octets[3] = ask->int_auth;
	if (spi_crypto()->hmac(hash, word == NULL ? ask->sk_p :
			       (struct view){ key, n }, octets, 4, out) != 0)
		abort();
	return n;
}

static size_t
psk_auth(const struct sim_host *h, const struct ike_ask *ask, struct view id,
	 uint8_t *out)
{
	return key_auth(is_resumed(h, ask->handle) ? NULL : h->psk, ask, id,
			out);
}

static size_t
id_body(const char *text, uint8_t *out)
{
	memset(out, 0, 4);
	out[0] = IKE_ID_FQDN;
	memcpy(out + 4, text, strlen(text));
	return 4 + strlen(text);
}

static void
own_id(const struct sim_host *h, struct sim_event *e)
{
	e->ans.id_own = (struct view){ e->id_own, id_body(h->id, e->id_own) };
	if (h->is_id_odd)
		memset(e->id_own + 1, 0x5a, 3);		/* RESERVED */
}

static void
answer_sign(struct sim_host *h, const struct ike_ask *ask, struct sim_event *e)
{
	bool is_eap = h->eap_word[0] != '\0' && !is_resumed(h, ask->handle);

	own_id(h, e);
	if (ask->is_initiator)
		e->ans.id_peer = (struct view){ e->id_peer,
		    id_body(h->expect_id, e->id_peer) };
	if (ask->is_initiator && h->wants_cert) {
		e->certreq = sim_alloc(sizeof(*e->certreq));
		sim_cert_ask(h, e->certreq);
		e->ans.certreq = (struct view){ e->certreq->b,
						e->certreq->len };
	}
	if (ask->is_initiator && is_eap && strcmp(h->eap_word, "?") == 0) {
		e->ans.err = ERR_PASSWORD;
		str_copy(e->ans.why, sizeof(e->ans.why),
			 "the password is to be typed");
		return;
	}
	e->ans.eap_only = is_eap && (ask->is_initiator ? h->eap_only :
				     h->is_bare);
	if (is_eap && (ask->is_initiator || h->is_bare))
		return;			/* method 0: by EAP */
	if (h->is_signing) {
		sim_cert_sign(h, ask, e);
		return;
	}
	e->ans.method = IKE_AUTH_PSK;
	e->ans.auth = (struct view){ e->auth,
	    MAX(psk_auth(h, ask, e->ans.id_own, e->auth),
		(size_t)h->auth_bytes) };
}

static void
answer_verify(struct sim_host *h, const struct ike_ask *ask,
	      struct sim_event *e)
{
	uint8_t want[SPI_HASH_MAX];
	size_t n = psk_auth(h, ask, ask->id_peer, want);
	bool may_eap = h->eap_word[0] != '\0' &&
	    !is_resumed(h, ask->handle) && (!ask->is_initiator ||
	    (ask->by_eap && h->eap_only));
	const char *why = NULL;
	char id[IKE_ID_TEXT_MAX];

	h->is_bare = ask->by_eap && (h->eap_bare ||
	    (ask->eap_only && h->eap_only));

	memcpy(h->peer_body, ask->id_peer.p, ask->id_peer.len);
	h->peer_body_len = ask->id_peer.len;
	str_escape(id, sizeof(id), ask->id_peer.p + 4,
		   MIN(ask->id_peer.len - 4, (size_t)60));
	str_copy(e->ans.id_text, sizeof(e->ans.id_text), id);
	if (!str_glob(h->peer.id, id)) {
		e->ans.err = ERR_NOTFOUND;
		snprintf(e->ans.why, sizeof(e->ans.why),
			 "no realm for the identity %.60s", id);
	} else if (h->is_trusting) {
		return;
	} else if (ask->by_eap != may_eap) {
		e->ans.err = ERR_AUTH;
		str_copy(e->ans.why, sizeof(e->ans.why), ask->by_eap ?
			 "EAP is not configured" : "the peer comes without EAP");
	} else if (ask->by_eap) {
		return;
	} else if (h->wants_cert) {
		if ((why = sim_cert_verify(h, ask, id)) == NULL)
			return;
		e->ans.err = ERR_AUTH;
		str_copy(e->ans.why, sizeof(e->ans.why), why);
	} else if (ask->method != IKE_AUTH_PSK || ask->auth.len !=
		   MAX(n, (size_t)h->other->auth_bytes) ||
		   memcmp(ask->auth.p, want, n) != 0) {
		e->ans.err = ERR_AUTH;
		snprintf(e->ans.why, sizeof(e->ans.why),
			 "%.60s does not know our shared secret", id);
	}
}

static void
answer_eap_verify(struct sim_host *h, const struct ike_ask *ask,
		  struct sim_event *e)
{
	struct view id = { h->peer_body, h->peer_body_len };
	uint8_t want[SPI_HASH_MAX];
	size_t n = key_auth(h->eap_word, ask, id, want);

	str_escape(e->ans.id_text, sizeof(e->ans.id_text), id.p + 4,
		   MIN(id.len - 4, (size_t)60));
	e->ans.session_s = ask->is_initiator ? 0 : h->eap_session_s;
	if (ask->method == IKE_AUTH_PSK && ask->auth.len == n &&
	    memcmp(ask->auth.p, want, n) == 0)
		return;
	e->ans.err = ERR_AUTH;
	str_copy(e->ans.why, sizeof(e->ans.why), "AUTH of another key");
}

static void
answer_eap_sign(struct sim_host *h, const struct ike_ask *ask,
		struct sim_event *e)
{
	own_id(h, e);
	e->ans.auth = (struct view){ e->auth,
	    key_auth(h->eap_word, ask, e->ans.id_own, e->auth) };
}

/* RFC 9867 3.1: prove it, or see among the offers whether one is the same. */
static bool
answer_ppk_int(struct sim_host *h, const struct ike_ask *ask,
	       struct sim_event *e, struct view ppk)
{
	const uint8_t *p = ask->ppk_offers.p;
	size_t at = 0, n;

	if (spi_crypto()->hmac(hash_of(ask->prf), ppk, &ask->ppk_seed, 1,
			       h->confirm) != 0)
		abort();
	e->ans.ppk_confirm = (struct view){ h->confirm, 8 };
	for (; !ask->is_initiator && at < ask->ppk_offers.len; at += 2 + n) {
		n = (size_t)(p[at] << 8 | p[at + 1]);
		if (n == 4 + 8 && memcmp(p + at + 2, "\002ppk", 4) == 0 &&
		    memcmp(p + at + 6, h->confirm, 8) == 0)
			return true;
	}
	return ask->is_initiator;
}

/* RFC 8784 3, one round of prf+; the identity is "ppk". */
static void
answer_ppk(struct sim_host *h, const struct ike_ask *ask, struct sim_event *e)
{
	enum spi_hash hash = hash_of(ask->prf);
	struct view ppk = { (const uint8_t *)h->ppk, strlen(h->ppk) };
	const struct view in[3] = { ask->sk_d, ask->sk_pi, ask->sk_pr };
	uint8_t *out[3] = { h->mixed.d, h->mixed.p[0], h->mixed.p[1] };
	static const uint8_t one = 1;

	e->ans.is_ppk_required = ppk.len > 0;
	if (ask->is_ppk_int && ppk.len > 0 && !answer_ppk_int(h, ask, e, ppk)) {
		e->ans.err = ERR_NOTFOUND;
		str_copy(e->ans.why, sizeof(e->ans.why), "no such PPK");
		return;
	}
	if (ppk.len == 0) {
		e->ans.err = ERR_NOTFOUND;
		str_copy(e->ans.why, sizeof(e->ans.why), "no PPK");
		return;
	}
	for (unsigned i = 0; i < (ask->is_ppk_int ? 1 : N_OF(in)); i++) {
		struct view part[2] = { in[i], { &one, 1 } };

		if (spi_crypto()->hmac(hash, ppk, part, 2, out[i]) != 0)
			abort();
	}
	e->ans.ppk_id = (struct view){ (const uint8_t *)"\002ppk", 4 };
	e->ans.sk_d = (struct view){ out[0], ask->sk_d.len };
	e->ans.sk_pi = (struct view){ out[1], ask->sk_d.len };
	e->ans.sk_pr = (struct view){ out[2], ask->sk_d.len };
}

/* A ticket without secrecy: who it is for, SK_d, and a sum over both. */
static size_t
ticket_sum(const struct sim_host *h, const uint8_t *p, size_t len, uint8_t *out)
{
	uint8_t key[9] = { 0 };
	struct view part = { p, len };

	memcpy(key, h->name, strlen(h->name));
	key[8] = h->ticket_key;
	if (spi_crypto()->hmac(SPI_HASH_SHA256, (struct view){ key, 9 }, &part,
			       1, out) != 0)
		abort();
	return 32;
}

static void
answer_seal(struct sim_host *h, const struct ike_ask *ask, struct sim_event *e)
{
	uint8_t *p = e->auth;
	size_t n = 2 + IKE_SUITE_LEN + ask->sk_d.len;

	p[0] = ask->is_initiator;
	p[1] = (uint8_t)ask->prf;
	memcpy(p + 2, ask->suite, IKE_SUITE_LEN);
	memcpy(p + 2 + IKE_SUITE_LEN, ask->sk_d.p, ask->sk_d.len);
	n += ticket_sum(h, p, n, p + n);
	e->ans.sealed = (struct view){ p, n };
	e->ans.life_s = MIN(ask->life_s, 28800u);
}

static void
answer_open(struct sim_host *h, const struct ike_ask *ask, struct sim_event *e)
{
	size_t head = 2 + IKE_SUITE_LEN, n = ask->sealed.len - 32;
	const uint8_t *p = ask->sealed.p;
	struct view part[3] = { { (const uint8_t *)"Resumption", 10 }, ask->ni,
		ask->nr };
	uint8_t sum[32];

	e->ans.err = ERR_AUTH;
	if (ask->sealed.len < head + 32)
		return;
	ticket_sum(h, p, n, sum);
	if (memcmp(sum, p + n, sizeof(sum)) != 0 ||
	    p[0] != ask->is_initiator)
		return;
	e->ans.err = 0;
	memcpy(e->ans.suite, p + 2, IKE_SUITE_LEN);
	if (spi_crypto()->hmac(hash_of((enum ike_prf)p[1]), (struct view){
			       p + head, n - head }, part, 3, e->auth) != 0)
		abort();
	e->ans.seed = (struct view){ e->auth, n - head };
	h->resumed[h->n_resumed++ % SIM_RESUMED_MAX] = ask->handle;
}

/* Would it be let in with the key of then? */
static void
answer_stands(const struct sim_host *h, const struct ike_ask *ask,
	      struct sim_event *e)
{
	e->ans.is_stands = true;
	if (h->is_mute) {
		e->ans.err = ERR_CLOSED;
	} else if (ask->shown.len != strlen(h->psk) ||
		   memcmp(ask->shown.p, h->psk, ask->shown.len) != 0) {
		e->ans.err = ERR_AUTH;
		str_copy(e->ans.why, sizeof(e->ans.why),
			 "its pre-shared key was changed");
	}
}

/* RFC 6290 5.1; the secret is the host's name, which it keeps when killed. */
static void
answer_token(struct sim_host *h, const struct ike_ask *ask, struct sim_event *e)
{
	struct view key = { (const uint8_t *)h->name, strlen(h->name) }, part;
	uint8_t spis[16], mac[SPI_HASH_MAX];

	be64_put(spis, ask->ispi);
	be64_put(spis + 8, ask->rspi);
	part = (struct view){ spis, sizeof(spis) };
	if (spi_crypto()->hmac(SPI_HASH_SHA256, key, &part, 1, mac) != 0)
		abort();
	memcpy(e->auth, mac, IKE_TOKEN_LEN);
	e->ans.token = (struct view){ e->auth, IKE_TOKEN_LEN };
}

/* IPC_ONCE_SA of daemon/ipc/secure.def: the real one ends, and tapird with it. */
static void
once_only(struct sim_host *h, const struct ike_ask *ask)
{
	if (ask->type != IKE_ASK_SIGN && ask->type != IKE_ASK_VERIFY &&
	    ask->type != IKE_ASK_PPK && ask->type != IKE_ASK_OPEN)
		return;
	for (unsigned i = 0; i < MIN(h->n_once, SIM_ONCE_MAX); i++)
		h->n_twice += h->once[i].handle == ask->handle &&
		    h->once[i].type == ask->type;
	h->once[h->n_once % SIM_ONCE_MAX].handle = ask->handle;
	h->once[h->n_once++ % SIM_ONCE_MAX].type = ask->type;
}

int
sim_ask(void *ctx, const struct ike_ask *ask)
{
	struct sim_host *h = ctx;
	struct sim_world *w = h->w;
	struct sim_event *e;
	bool is_busy;

	if (ask->type == IKE_ASK_CLOSE)
		return 0;
	if (h->is_secure_dead)
		return ERR_CLOSED;
	if (w->n_ev == SIM_PKT_MAX)
		abort();
	is_busy = ask->type == IKE_ASK_PPK && h->n_ppk_busy > 0;
	if (!is_busy)
		once_only(h, ask);
	e = sim_alloc(sizeof(*e));
	e->what = SIM_ASK;
	e->host = h;
	e->life = h->life;
	e->at_ms = w->now_ms + ASK_MS;
	e->order = ++w->order;
	e->ans.ticket = ask->ticket;
	e->ans.handle = ask->handle;
	e->ans.realm = 0;
	e->ans.peer = 0;
	if (ask->type == IKE_ASK_VERIFY)	/* for STANDS */
		e->ans.shown = (struct view){ memcpy(e->shown, h->psk,
		    sizeof(e->shown)), strlen(h->psk) };
	if (is_busy) {
		h->n_ppk_busy--;
		e->ans.err = ERR_AGAIN;
	} else if (ask->type == IKE_ASK_PPK)
		answer_ppk(h, ask, e);
	else if (ask->type == IKE_ASK_SEAL)
		answer_seal(h, ask, e);
	else if (ask->type == IKE_ASK_OPEN)
		answer_open(h, ask, e);
	else if (ask->type == IKE_ASK_STANDS)
		answer_stands(h, ask, e);
	else if (ask->type == IKE_ASK_TOKEN)
		answer_token(h, ask, e);
	else if (ask->type == IKE_ASK_SIGN)
		answer_sign(h, ask, e);
	else if (ask->type == IKE_ASK_EAP)
		sim_eap_talk(h, ask, e);
	else if (ask->type == IKE_ASK_EAP_SIGN)
		answer_eap_sign(h, ask, e);
	else if (ask->type == IKE_ASK_EAP_VERIFY)
		answer_eap_verify(h, ask, e);
	else
		answer_verify(h, ask, e);
	w->ev[w->n_ev++] = e;
	return 0;
}
