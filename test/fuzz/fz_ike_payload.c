/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_ike_payload.c - first byte a payload type, the rest its body.
 *
 * What decodes is encoded, decoded and encoded again: the two encodings are
 * the same (the first may differ from the input by what we do not keep:
 * reserved bits, unknown selectors and attributes).
 */
#include <stdlib.h>
#include <string.h>

#include "ikev2/wire/wire.h"

#define ARENA_BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TURN(dec_, enc_)                                                       \
	do {                                                                   \
		int err_ = (dec_);                                             \
		if (err_ == 0)                                                 \
			(enc_);                                                \
		return err_;                                                   \
	} while (0)

/* Decode and encode one body; the decoder's error. */
static int
turn(uint8_t type, struct arena *a, struct cur *c, struct wcur *w)
{
	union {
		struct ike_props sa;
		struct ike_ke ke;
		struct ike_id id;
		struct ike_cert cert;
		struct ike_certreq certreq;
		struct ike_auth auth;
		struct view v;
		struct ike_ntf n;
		struct ike_del d;
		struct ike_tss ts;
		struct ike_cp cp;
		struct ike_eap eap;
		struct ike_ps ps;
	} x;

	switch (type) {
	case IKE_PL_SA:
		TURN(dec_sa(a, c, &x.sa), enc_sa(w, &x.sa));
	case IKE_PL_KE:
		TURN(dec_ke(c, &x.ke), enc_ke(w, &x.ke));
	case IKE_PL_IDI:
	case IKE_PL_IDR:
		TURN(dec_id(c, &x.id), enc_id(w, &x.id));
	case IKE_PL_CERT:
		TURN(dec_cert(c, &x.cert), enc_cert(w, &x.cert));
	case IKE_PL_CERTREQ:
		TURN(dec_certreq(c, &x.certreq), enc_certreq(w, &x.certreq));
	case IKE_PL_AUTH:
		TURN(dec_auth(c, &x.auth), enc_auth(w, &x.auth));
	case IKE_PL_NONCE:
		TURN(dec_nonce(c, &x.v), enc_nonce(w, x.v));
	case IKE_PL_N:
		TURN(dec_notify(c, &x.n), enc_notify(w, &x.n));
	case IKE_PL_D:
		TURN(dec_delete(c, &x.d), enc_delete(w, &x.d));
	case IKE_PL_V:
		TURN(dec_vid(c, &x.v), enc_vid(w, x.v));
	case IKE_PL_TSI:
	case IKE_PL_TSR:
		TURN(dec_ts(a, c, &x.ts), enc_ts(w, &x.ts));
	case IKE_PL_CP:
		TURN(dec_cp(a, c, &x.cp), enc_cp(w, &x.cp));
	case IKE_PL_EAP:
		TURN(dec_eap(c, &x.eap), enc_eap(w, &x.eap));
	case IKE_PL_PS:
		TURN(dec_ps(c, &x.ps), enc_ps(w, &x.ps));
	default:
		return ERR_UNSUP;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t one[1u << 17], two[1u << 17];
	struct wcur w1, w2;
	struct arena a;
	struct cur c;

	if (size == 0 || size > IKE_MAX_MSG_BYTES)
		return 0;
	arena_init(&a, ARENA_BYTES);
	cur_init(&c, data + 1, size - 1);
	wcur_init(&w1, one, sizeof(one));
	wcur_init(&w2, two, sizeof(two));
	if (turn(data[0], &a, &c, &w1) == 0) {
		if (cur_left(&c) != 0)
			abort();	/* bytes nobody looked at */
		cur_init(&c, one, w1.len);
		/* Encoders refuse some of what is kept only to be skipped. */
		if (w1.err == 0 &&
		    (turn(data[0], &a, &c, &w2) != 0 || w2.err != 0 ||
		     w2.len != w1.len || memcmp(one, two, w1.len) != 0))
			abort();
	}
	arena_fini(&a);
	return 0;
}
