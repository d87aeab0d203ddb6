/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pl_cert.c - Certificate and Certificate Request payloads,
 * RFC 7296 sections 3.6 and 3.7.
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+-----------------------------------------------+
 * | Cert Encoding |                                               |
 * +---------------+                                               +
 * ~       Certificate Data, or Certification Authorities          ~
 * +---------------------------------------------------------------+
 *
 * Only the frame is read here.  Certificates are parsed outside of this
 * process.  Pure.
 */
#include "ikev2/wire/wire.h"

int
dec_cert(struct cur *c, struct ike_cert *out)
{
	struct ike_cert cert;
	int err;

	if ((err = cur_u8(c, &cert.enc)) != 0)
		return err;
	cur_rest(c, &cert.data);
	if (cert.data.len == 0)
		return ERR_SHORT;
	*out = cert;
	return 0;
}

void
enc_cert(struct wcur *w, const struct ike_cert *cert)
{
	wcur_u8(w, cert->enc);
	wcur_view(w, cert->data);
}

int
dec_certreq(struct cur *c, struct ike_certreq *out)
{
	struct ike_certreq req = { 0 };
	int err;

	if ((err = cur_u8(c, &req.enc)) != 0)
		return err;
	cur_rest(c, &req.data);
	if (req.enc == IKE_CERT_X509_SIGNATURE) {
		if (req.data.len % IKE_CERTREQ_HASH_LEN != 0)
			return ERR_SYNTAX;
		/* A hint (3.7): of a long list the beginning is enough. */
		req.n_hash = (unsigned)MIN(req.data.len / IKE_CERTREQ_HASH_LEN,
					   IKE_MAX_CERTREQ_HASHES);
	}
	*out = req;
	return 0;
}

void
enc_certreq(struct wcur *w, const struct ike_certreq *req)
{
	wcur_u8(w, req->enc);
	wcur_view(w, req->data);
}
