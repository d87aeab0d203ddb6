/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/cert.c - certificates on their way: CERT and CERTREQ payloads (RFC
 * 7296 3.6, 3.7), the hashes a signature may use (RFC 7427 4) and the
 * announcement of methods (RFC 9593).
 *
 *   HDR, SAi1, KEi, Ni, N(HASHES)  -->
 *          <--  HDR, SAr1, KEr, Nr, [N(HASHES)], [CERTREQ..], [N(METHODS)]
 *   HDR, SK{ IDi, [CERT..], [CERTREQ..], [N(METHODS)], AUTH, .. }  -->
 *          <--  HDR, SK{ IDr, [CERT..], AUTH, .. }
 *
 * Nothing is understood here: what the secure process has to show, and what the
 * peer shows, passes through as lists of payload bodies, each with its length
 * (16 bits) in front.
 */
#include <stdlib.h>
#include <string.h>

#include "ikev2/step/step.h"

/* RFC 7427 7, RFC 8420: what our signatures and checks can use. */
static const uint16_t own_hashes[] = {
	IKE_HASH_SHA2_256, IKE_HASH_SHA2_384, IKE_HASH_SHA2_512,
	IKE_HASH_IDENTITY
};

/* ---- lists of bodies ----------------------------------------------------- */

/* Encodings that are passed on; others mean nothing to us. */
static bool
is_known(uint8_t pl_type, struct view body)
{
	switch (body.len > 0 ? body.p[0] : 0) {
	case IKE_CERT_X509_SIGNATURE:
	case IKE_CERT_OCSP:
	case IKE_CERT_RAW_KEY:
		return true;
	case IKE_CERT_CRL:
		return pl_type == IKE_PL_CERT;
	default:
		return false;
	}
}

/* All bodies of one payload type that fit into cap bytes, as a list. */
static size_t
list_put(const struct ike_pls *p, uint8_t pl_type, uint8_t *out, size_t cap)
{
	size_t len = 0;

	for (unsigned i = 0; i < p->n_pl; i++) {
		struct view body = p->pl[i].body;

		if (p->pl[i].type != pl_type || !is_known(pl_type, body) ||
		    body.len + 2 > cap - len)
			continue;
		if (out != NULL) {
			be16_put(out + len, (uint16_t)body.len);
			memcpy(out + len + 2, body.p, body.len);
		}
		len += body.len + 2;
	}
	return len;
}

static void
list_send(struct ike_build *b, uint8_t pl_type, struct view list)
{
	struct view body;
	struct cur c;
	uint16_t n;

	cur_init(&c, list.p, list.len);
	while (cur_u16(&c, &n) == 0 && cur_view(&c, n, &body) == 0) {
		ike_build_begin(b, pl_type, false);
		wcur_view(&b->w, body);
		ike_build_end(b);
	}
}

/* Length of what list_send() would add. */
static size_t
list_cost(struct view list)
{
	struct view body;
	size_t cost = 0;
	struct cur c;
	uint16_t n;

	cur_init(&c, list.p, list.len);
	while (cur_u16(&c, &n) == 0 && cur_view(&c, n, &body) == 0)
		cost += IKE_PL_HDR_LEN + body.len;
	return cost;
}

static int
bytes_set(struct ike_bytes *b, struct view v)
{
	uint8_t *copy = NULL;

	if (v.len > 0 && (copy = malloc(v.len)) == NULL)
		return ERR_NOMEM;
	if (v.len > 0)
		memcpy(copy, v.p, v.len);
	free(b->p);
	b->p = copy;
	b->len = v.len;
	return 0;
}

/* ---- what the peer tells ------------------------------------------------- */

/* SIGNATURE_HASH_ALGORITHMS as bits; numbers we do not know are no use. */
static uint32_t
hashes_of(const struct ike_pls *p)
{
	const struct ike_ntf *n =
	    ike_ntf_find(p, IKE_N_SIGNATURE_HASH_ALGORITHMS);
	uint32_t set = 0;
	uint16_t id;
	struct cur c;

	if (n == NULL)
		return 0;
	cur_init(&c, n->data.p, n->data.len);
	while (cur_u16(&c, &id) == 0)
		if (id < 32)
			set |= 1u << id;
	return set;
}

/* CERTREQ payloads are hints (3.7): what is too much is left out. */
static int
keep_certreq(struct ike_setup *st, const struct ike_msg *m)
{
	size_t n = list_put(m->p, IKE_PL_CERTREQ, NULL, IKE_CERTREQ_LIST_MAX);
	uint8_t *list;

	if (n == 0)
		return 0;
	if ((list = malloc(n)) == NULL)
		return ERR_NOMEM;
	st->certreq.len = list_put(m->p, IKE_PL_CERTREQ, list, n);
	free(st->certreq.p);
	st->certreq.p = list;
	return 0;
}

enum ike_verdict
ike_step_cert_told(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ntf *ann =
	    ike_ntf_find(m->p, IKE_N_SUPPORTED_AUTH_METHODS);
	struct ike_setup *st = sa->setup;

	(void)ike;
	if (m->h.xchg == IKE_XCHG_IKE_SA_INIT)
		st->peer_hashes = hashes_of(m->p);
	if (keep_certreq(st, m) != 0)
		return ike_drop(m, DROP_IKE_BUSY);
	if (ann != NULL && ann->data.len <= IKE_AUTH_ANN_MAX &&
	    bytes_set(&st->auth_ann, ann->data) != 0)
		return ike_drop(m, DROP_IKE_BUSY);
	return V_NEXT;
}

/* ---- IKE_SA_INIT --------------------------------------------------------- */

void
ike_cert_hashes_add(const struct ike_sa *sa, struct ike_build *b)
{
	uint8_t data[2 * N_OF(own_hashes)];
	size_t len = 0;

	/* The initiator knows its own hashes: an answer with those of them that
	 * are ours too tells it all, and is not longer than what it sent. */
	for (size_t i = 0; i < N_OF(own_hashes); i++) {
		if (!sa->is_initiator &&
		    (sa->setup->peer_hashes & 1u << own_hashes[i]) == 0)
			continue;
		be16_put(data + len, own_hashes[i]);
		len += 2;
	}
	if (len > 0)
		ike_build_notify(b, IKE_PROTO_NONE,
				 IKE_N_SIGNATURE_HASH_ALGORITHMS,
				 (struct view){ NULL, 0 },
				 (struct view){ data, len });
}

void
ike_cert_ask_add(const struct ike *ike, struct ike_build *b, size_t cap)
{
	static const uint8_t any[] = { 0, 1, IKE_CERT_X509_SIGNATURE };
	struct view list = { ike->certreq.p, ike->certreq.len };
	struct view ann = { ike->auth_ann.p, ike->auth_ann.len };
	const size_t notify = IKE_PL_HDR_LEN + 4;

	if (list.len == 0)
		return;
	/* A stranger never gets more than it sent: without room for the names
	 * of our authorities we ask for any certificate. */
	if (b->w.len + list_cost(list) > cap)
		list = (struct view){ any, sizeof(any) };
	if (b->w.len + list_cost(list) > cap)
		return;
	list_send(b, IKE_PL_CERTREQ, list);
	/* RFC 9593 3: beside the CERTREQ it may refer to */
	if (list.p != any && ann.len > 0 && b->w.len + notify + ann.len <= cap)
		ike_build_notify(b, IKE_PROTO_NONE,
				 IKE_N_SUPPORTED_AUTH_METHODS,
				 (struct view){ NULL, 0 }, ann);
}

int
ike_set_cert_asks(struct ike *ike, struct view certreq, struct view auth_ann)
{
	int err;

	if (certreq.len > IKE_CERTREQ_LIST_MAX ||
	    auth_ann.len > IKE_AUTH_ANN_MAX)
		return ERR_LONG;
	if ((err = bytes_set(&ike->certreq, certreq)) != 0)
		return err;
	return bytes_set(&ike->auth_ann, auth_ann);
}

/* ---- IKE_AUTH ------------------------------------------------------------ */

int
ike_cert_signed(struct ike_msg *m, const struct ike_ans *ans)
{
	m->own_cert.len = ans->cert.len;
	m->own_cert.p = arena_dup(&m->arena, ans->cert.p, ans->cert.len);
	m->own_certreq.len = ans->certreq.len;
	m->own_certreq.p = arena_dup(&m->arena, ans->certreq.p,
				     ans->certreq.len);
	if ((ans->cert.len > 0 && m->own_cert.p == NULL) ||
	    (ans->certreq.len > 0 && m->own_certreq.p == NULL))
		return ERR_NOMEM;
	return 0;
}

void
ike_cert_add(const struct ike_sa *sa, struct ike_build *b,
	     const struct ike_msg *m)
{
	const struct ike *ike = sa->ike;

	list_send(b, IKE_PL_CERT, m->own_cert);
	if (!sa->is_initiator)
		return;
	list_send(b, IKE_PL_CERTREQ, m->own_certreq);
	if (ike->auth_ann.len > 0)
		ike_build_notify(b, IKE_PROTO_NONE,
				 IKE_N_SUPPORTED_AUTH_METHODS,
				 (struct view){ NULL, 0 },
				 (struct view){ ike->auth_ann.p,
						ike->auth_ann.len });
}

int
ike_cert_shown(struct ike_msg *m, struct view *out, const char **why)
{
	uint8_t *list = NULL;
	size_t n;

	for (unsigned i = 0; i < m->p->n_cert; i++) {
		if (m->p->cert[i].enc != IKE_CERT_X509_URL &&
		    m->p->cert[i].enc != IKE_CERT_X509_BUNDLE_URL)
			continue;
		*why = "the peer sends the address of its certificate (hash and "
		    "URL) and not the certificate; we fetch nothing and never "
		    "said so: let it send certificates";
		return ERR_UNSUP;
	}
	n = list_put(m->p, IKE_PL_CERT, NULL, IKE_CERT_LIST_MAX);
	if (n > 0 && (list = arena_alloc(&m->arena, n)) == NULL) {
		*why = err_text(ERR_NOMEM);
		return ERR_NOMEM;
	}
	*out = (struct view){ list, n > 0 ? list_put(m->p, IKE_PL_CERT, list, n)
					  : 0 };
	return 0;
}
