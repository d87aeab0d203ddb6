/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pls.c - all payloads of one run, decoded.
 *
 *   bytes -> chain (bounded) -> counts against the bounds -> dec_*() each
 *
 * Bounds are looked at before anything is stored.  Work is linear in the
 * bytes.  Pure; arrays from the arena.
 */
#include "ikev2/wire/priv.h"

#define N_TYPES 64	/* every payload type we know is below */

/* Room for the payloads that come once, and the arrays being filled. */
struct store {
	struct ike_props sa;
	struct ike_ke ke;
	struct view nonce;
	struct ike_id idi, idr;
	struct ike_auth auth;
	struct ike_tss tsi, tsr;
	struct ike_cp cp;
	struct ike_eap eap;
	struct ike_cert *cert;
	struct ike_certreq *certreq;
	struct ike_ntf *ntf;
	struct ike_del *del;
	struct view *vid;
	size_t cert_bytes;
	unsigned n_hash, n_spi;
};

/* How often one message may hold a payload; the grammar may ask for less. */
static unsigned
max_of(uint8_t type)
{
	switch (type) {
	case IKE_PL_CERT:
		return IKE_MAX_CERTS;
	case IKE_PL_N:
		return IKE_MAX_NOTIFIES;
	case IKE_PL_CERTREQ:
	case IKE_PL_D:
	case IKE_PL_V:
		return IKE_MAX_PAYLOADS;
	default:
		return 1;
	}
}

static int
count_types(const struct ike_chain *ch, unsigned *count, struct ike_perr *perr)
{
	unsigned i;

	for (i = 0; i < ch->n; i++) {
		uint8_t type = ch->pl[i].type;

		if (++count[type] <= max_of(type))
			continue;
		return perr_set(perr, max_of(type) == 1 ? ERR_GRAMMAR
							: ERR_LIMIT, type);
	}
	return 0;
}

/* Zeroed array; NULL for none is right, *err tells a failure. */
static void *
array_new(struct arena *a, unsigned n, size_t size, int *err)
{
	void *p;

	if (n == 0)
		return NULL;
	if ((p = arena_alloc(a, n * size)) == NULL)
		*err = ERR_NOMEM;
	return p;
}

static struct store *
store_new(struct arena *a, const unsigned *count)
{
	struct store *st = arena_alloc(a, sizeof(*st));
	int err = 0;

	if (st == NULL)
		return NULL;
	st->cert = array_new(a, count[IKE_PL_CERT], sizeof(*st->cert), &err);
	st->certreq = array_new(a, count[IKE_PL_CERTREQ],
				sizeof(*st->certreq), &err);
	st->ntf = array_new(a, count[IKE_PL_N], sizeof(*st->ntf), &err);
	st->del = array_new(a, count[IKE_PL_D], sizeof(*st->del), &err);
	st->vid = array_new(a, count[IKE_PL_V], sizeof(*st->vid), &err);
	return err == 0 ? st : NULL;
}

/* 3.3.1: offers are numbered 1, 2, 3 ...; an answer is one proposal. */
static int
check_numbers(const struct ike_hdr *h, const struct ike_props *sa)
{
	unsigned i;

	if (h->is_response)
		return sa->n == 1 ? 0 : ERR_SYNTAX;
	for (i = 0; i < sa->n; i++)
		if (sa->prop[i].num != i + 1)
			return ERR_SYNTAX;
	return 0;
}

static int
add_sa(struct arena *a, const struct ike_hdr *h, struct cur *c,
       struct store *st)
{
	int err;

	if ((err = dec_sa(a, c, &st->sa)) != 0)
		return err;
	return check_numbers(h, &st->sa);
}

static int
add_cert(struct cur *c, struct store *st, struct ike_pls *out)
{
	struct ike_cert *cert = &st->cert[out->n_cert];
	int err;

	if ((err = dec_cert(c, cert)) != 0)
		return err;
	st->cert_bytes += cert->data.len;
	if (st->cert_bytes > IKE_MAX_CERT_BYTES)
		return ERR_LIMIT;
	out->n_cert++;
	return 0;
}

static int
add_certreq(struct cur *c, struct store *st, struct ike_pls *out)
{
	struct ike_certreq *req = &st->certreq[out->n_certreq];
	int err;

	if ((err = dec_certreq(c, req)) != 0)
		return err;
	/* Hints (3.7): beyond the bound they are left out, not refused. */
	if (req->n_hash > IKE_MAX_CERTREQ_HASHES - st->n_hash)
		return 0;
	st->n_hash += req->n_hash;
	out->n_certreq++;
	return 0;
}

static int
add_delete(struct cur *c, struct store *st, struct ike_pls *out)
{
	struct ike_del *d = &st->del[out->n_del];
	int err;

	if ((err = dec_delete(c, d)) != 0)
		return err;
	st->n_spi += d->n_spi;
	if (st->n_spi > IKE_MAX_DELETE_SPIS)
		return ERR_LIMIT;
	out->n_del++;
	return 0;
}

/* Payloads that may be there several times. */
static int
add_many(const struct ike_pl *pl, struct cur *c, struct store *st,
	 struct ike_pls *out)
{
	switch (pl->type) {
	case IKE_PL_CERT:
		return add_cert(c, st, out);
	case IKE_PL_CERTREQ:
		return add_certreq(c, st, out);
	case IKE_PL_D:
		return add_delete(c, st, out);
	case IKE_PL_N:
		return dec_notify(c, &st->ntf[out->n_ntf++]);
	case IKE_PL_V:
		return dec_vid(c, &st->vid[out->n_vid++]);
	default:
		return ERR_INTERNAL;
	}
}

static int
add_payload(struct arena *a, const struct ike_hdr *h, const struct ike_pl *pl,
	    struct store *st, struct ike_pls *out)
{
	struct cur c;

	cur_init(&c, pl->body.p, pl->body.len);
	switch (pl->type) {
	case IKE_PL_SA:
		out->sa = &st->sa;
		return add_sa(a, h, &c, st);
	case IKE_PL_KE:
		out->ke = &st->ke;
		return dec_ke(&c, &st->ke);
	case IKE_PL_NONCE:
		out->nonce = &st->nonce;
		return dec_nonce(&c, &st->nonce);
	case IKE_PL_IDI:
		out->idi = &st->idi;
		return dec_id(&c, &st->idi);
	case IKE_PL_IDR:
		out->idr = &st->idr;
		return dec_id(&c, &st->idr);
	case IKE_PL_AUTH:
		out->auth = &st->auth;
		return dec_auth(&c, &st->auth);
	case IKE_PL_TSI:
		out->tsi = &st->tsi;
		return dec_ts(a, &c, &st->tsi);
	case IKE_PL_TSR:
		out->tsr = &st->tsr;
		return dec_ts(a, &c, &st->tsr);
	case IKE_PL_CP:
		out->cp = &st->cp;
		return dec_cp(a, &c, &st->cp);
	case IKE_PL_EAP:
		out->eap = &st->eap;
		return dec_eap(&c, &st->eap);
	case IKE_PL_PS:
		return dec_ps(&c, &(struct ike_ps){ 0 });
	case IKE_PL_SK:
	case IKE_PL_SKF:
		out->sk_type = pl->type;
		out->sk = pl->body;
		return 0;
	default:
		return add_many(pl, &c, st, out);
	}
}

int
ike_pls_decode(struct arena *a, const struct ike_hdr *h, struct view body,
	       uint8_t first, struct ike_pls *out, struct ike_perr *perr)
{
	unsigned count[N_TYPES] = { 0 };
	struct ike_pls pls = { 0 };
	struct ike_chain ch;
	struct store *st;
	unsigned i;
	int err;

	if ((err = ike_chain_decode(body, first, &ch, perr)) != 0 ||
	    (err = count_types(&ch, count, perr)) != 0)
		return err;
	pls.n_pl = ch.n;
	pls.pl = arena_dup(a, ch.pl, ch.n * sizeof(ch.pl[0]));
	if ((st = store_new(a, count)) == NULL ||
	    (ch.n > 0 && pls.pl == NULL))
		return perr_set(perr, ERR_NOMEM, IKE_PL_NONE);
	for (i = 0; i < ch.n; i++)
		if ((err = add_payload(a, h, &ch.pl[i], st, &pls)) != 0)
			return perr_set(perr, err, ch.pl[i].type);
	pls.cert = st->cert;
	pls.certreq = st->certreq;
	pls.ntf = st->ntf;
	pls.del = st->del;
	pls.vid = st->vid;
	pls.sk_first = ch.sk_first;
	*out = pls;
	return 0;
}

unsigned
ike_pls_count(const struct ike_pls *p, uint8_t pl_type)
{
	unsigned i, n = 0;

	for (i = 0; i < p->n_pl; i++)
		n += p->pl[i].type == pl_type;
	return n;
}

const struct ike_ntf *
ike_ntf_find(const struct ike_pls *p, uint16_t type)
{
	unsigned i;

	for (i = 0; i < p->n_ntf; i++)
		if (p->ntf[i].type == type)
			return &p->ntf[i];
	return NULL;
}

const struct ike_ntf *
ike_ntf_error(const struct ike_pls *p)
{
	unsigned i;

	for (i = 0; i < p->n_ntf; i++)
		if (ike_ntf_is_error(p->ntf[i].type))
			return &p->ntf[i];
	return NULL;
}
