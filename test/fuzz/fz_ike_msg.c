/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_ike_msg.c - any bytes as an IKE datagram: header, chain, all
 * payloads, grammar.  What stands in an SK payload is taken as if it had been
 * decrypted, so that the inner chain is reached too.
 */
#include <stdlib.h>

#include "ikev2/wire/rules.h"

#define ARENA_BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the decoders promise about bounds and views. */
static void
check_promises(const struct ike_pls *p, struct view in)
{
	unsigned i;

	if (p->n_pl > IKE_MAX_PAYLOADS || p->n_cert > IKE_MAX_CERTS ||
	    p->n_ntf > IKE_MAX_NOTIFIES ||
	    (p->sa != NULL && (p->sa->n == 0 ||
			       p->sa->n > IKE_MAX_PROPOSALS)) ||
	    (p->tsi != NULL && p->tsi->n > IKE_MAX_SELECTORS) ||
	    (p->cp != NULL && p->cp->n > IKE_MAX_CP_ATTRS))
		abort();
	for (i = 0; i < p->n_pl; i++)
		if (p->pl[i].body.p < in.p ||
		    p->pl[i].body.p + p->pl[i].body.len > in.p + in.len)
			abort();
}

static void
decode_inner(struct arena *a, const struct ike_hdr *h,
	     const struct ike_pls *clear)
{
	enum ike_form form;
	struct ike_perr perr;
	struct ike_pls inner;
	struct ike_sk sk;

	if (dec_sk(clear->sk, clear->sk_type, clear->sk_first, 8, 16, &sk) == 0
	    && sk.iv.len + sk.ct.len + sk.icv.len > clear->sk.len)
		abort();
	if (ike_pls_decode(a, h, clear->sk, clear->sk_first, &inner, &perr)
	    != 0)
		return;
	check_promises(&inner, clear->sk);
	if (ike_rules_check(h, clear, &inner, &form, &perr) == 0 &&
	    (form == IKE_FORM_NONE || form >= IKE_FORM_END))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = { data, size };
	enum ike_form form;
	struct ike_perr perr;
	struct ike_pls clear;
	struct ike_hdr h;
	struct arena a;

	if (ike_hdr_decode(in, &h) != 0)
		return 0;
	in.p += IKE_HDR_LEN;
	in.len -= IKE_HDR_LEN;
	arena_init(&a, ARENA_BYTES);
	if (ike_pls_decode(&a, &h, in, h.next, &clear, &perr) == 0) {
		check_promises(&clear, in);
		if (clear.sk_type != IKE_PL_NONE)
			decode_inner(&a, &h, &clear);
		else if (ike_rules_check(&h, &clear, NULL, &form, &perr) != 0
			 && perr.err == 0)
			abort();
	} else if (perr.err == 0) {
		abort();
	}
	arena_fini(&a);
	return 0;
}
