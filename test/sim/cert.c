/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/cert.c - what the secure process does with certificates, as a play:
 * they are text ("leaf ID by CA", then zeros), and a signature is an HMAC whose
 * key is the name of who signs.  What travels, and when, is as in earnest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/str.h"
#include "test/sim/world.h"

#define NAME_LEN 20	/* of an authority in CERTREQ */

/* RFC 7427 3: length, AlgorithmIdentifier, signature.  Of Ed25519. */
static const uint8_t algorithm[] = { 7, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70 };

static void
ca_name(const char *ca, uint8_t out[NAME_LEN])
{
	struct view v = { (const uint8_t *)ca, strlen(ca) };
	uint8_t hash[SPI_HASH_MAX];

	if (spi_crypto()->hash(SPI_HASH_SHA256, &v, 1, hash) != 0)
		abort();
	memcpy(out, hash, NAME_LEN);
}

/* A list of payload bodies: length, encoding, data. */
static void
list_add(struct sim_list *l, uint8_t enc, const void *p, size_t len)
{
	if (l->len + len + 3 > sizeof(l->b))
		abort();
	be16_put(l->b + l->len, (uint16_t)(len + 1));
	l->b[l->len + 2] = enc;
	memcpy(l->b + l->len + 3, p, len);
	l->len += len + 3;
}

static bool
list_at(struct view list, unsigned i, uint8_t *enc, struct view *data)
{
	struct cur c;
	uint16_t n;

	cur_init(&c, list.p, list.len);
	do
		if (cur_u16(&c, &n) != 0 || cur_view(&c, n, data) != 0)
			return false;
	while (i-- > 0);
	*enc = data->p[0];
	data->p++;
	data->len--;
	return true;
}

static void
signature(const char *id, const struct ike_ask *ask, struct view id_body,
	  uint8_t out[SPI_HASH_MAX])
{
	struct view key = { (const uint8_t *)id, strlen(id) };
	struct view part[4] = { ask->init_msg, ask->nonce, ask->sk_p, id_body };

	if (spi_crypto()->hmac(SPI_HASH_SHA512, key, part, 4, out) != 0)
		abort();
}

/* Was our authority asked for?  Counted for the play. */
static void
see_certreq(struct sim_host *h, const struct ike_ask *ask)
{
	uint8_t want[NAME_LEN], enc;
	struct view data;

	ca_name(h->cert_ca, want);
	for (unsigned i = 0; list_at(ask->certreq, i, &enc, &data); i++) {
		if (enc != IKE_CERT_X509_SIGNATURE)
			continue;
		h->n_asked_any += data.len == 0;
		for (size_t at = 0; at + NAME_LEN <= data.len; at += NAME_LEN)
			h->n_asked += memcmp(data.p + at, want, NAME_LEN) == 0;
	}
}

void
sim_cert_sign(struct sim_host *h, const struct ike_ask *ask,
	      struct sim_event *e)
{
	uint8_t *cert = sim_alloc(h->cert_bytes + SIM_WORD_MAX * 3);
	size_t n = (size_t)snprintf((char *)cert, SIM_WORD_MAX * 3,
	    "leaf %s by %s", h->cert_id[0] != '\0' ? h->cert_id : h->id,
	    h->cert_ca);

	e->cert = sim_alloc(sizeof(*e->cert));
	see_certreq(h, ask);
	if ((ask->peer_hashes & 1u << IKE_HASH_IDENTITY) == 0) {
		e->ans.err = ERR_ALG;
		str_copy(e->ans.why, sizeof(e->ans.why), "the peer cannot check "
			 "any signature of ours");
	}
	list_add(e->cert, h->cert_enc, cert, MAX(n + 1, h->cert_bytes));
	for (unsigned i = 1; i < h->n_cert; i++)
		list_add(e->cert, IKE_CERT_X509_SIGNATURE, "between", 8);
	free(cert);
	e->ans.method = IKE_AUTH_DIGITAL_SIGNATURE;
	memcpy(e->auth, algorithm, sizeof(algorithm));
	signature(h->cert_id[0] != '\0' ? h->cert_id : h->id, ask,
		  e->ans.id_own, e->auth + sizeof(algorithm));
	e->ans.auth = (struct view){ e->auth,
				     sizeof(algorithm) + SPI_HASH_MAX };
	e->ans.cert = (struct view){ e->cert->b, e->cert->len };
}

void
sim_cert_ask(struct sim_host *h, struct sim_list *out)
{
	uint8_t name[NAME_LEN * 60];

	for (unsigned i = 0; i < h->n_ca; i++)
		ca_name(i == 0 ? h->cert_ca : "another",
			name + (size_t)i * NAME_LEN);
	out->len = 0;
	list_add(out, IKE_CERT_X509_SIGNATURE, name,
		 (size_t)h->n_ca * NAME_LEN);
}

const char *
sim_cert_verify(struct sim_host *h, const struct ike_ask *ask, const char *id)
{
	char subject[SIM_WORD_MAX], ca[SIM_WORD_MAX];
	uint8_t want[SPI_HASH_MAX], enc;
	struct view data;

	if (ask->method != IKE_AUTH_DIGITAL_SIGNATURE)
		return "a certificate is wanted";
	if (!list_at(ask->cert, 0, &enc, &data) ||
	    enc != IKE_CERT_X509_SIGNATURE)
		return "no certificate";
	if (sscanf((const char *)data.p, "leaf %63s by %63s", subject, ca) != 2)
		return "malformed certificate";
	for (h->n_cert_in = 1; list_at(ask->cert, h->n_cert_in, &enc, &data);)
		h->n_cert_in++;
	if (strcmp(ca, h->cert_ca) != 0)
		return "unknown authority";
	if (strcmp(subject, id) != 0)
		return "the certificate is of another name";
	signature(subject, ask, ask->id_peer, want);
	if (ask->auth.len != sizeof(algorithm) + SPI_HASH_MAX ||
	    memcmp(ask->auth.p, algorithm, sizeof(algorithm)) != 0 ||
	    memcmp(ask->auth.p + sizeof(algorithm), want, SPI_HASH_MAX) != 0)
		return "wrong signature";
	return NULL;
}

bool
sim_cert_set(struct sim_host *h, const char *key, const char *val)
{
	unsigned v = (unsigned)strtoul(val, NULL, 0);

	if (strcmp(key, "auth") == 0)		/* psk or cert: ours */
		h->is_signing = strcmp(val, "cert") == 0;
	else if (strcmp(key, "want") == 0)	/* psk or cert: the peer's */
		h->wants_cert = strcmp(val, "cert") == 0;
	else if (strcmp(key, "cert-ca") == 0)
		str_copy(h->cert_ca, sizeof(h->cert_ca), val);
	else if (strcmp(key, "cert-id") == 0)
		str_copy(h->cert_id, sizeof(h->cert_id), val);
	else if (strcmp(key, "cert-bytes") == 0)
		h->cert_bytes = v;
	else if (strcmp(key, "certs") == 0)
		h->n_cert = v;
	else if (strcmp(key, "cert-enc") == 0)
		h->cert_enc = (uint8_t)v;
	else if (strcmp(key, "cas") == 0)	/* authorities we trust */
		h->n_ca = v;
	else
		return false;
	return true;
}
