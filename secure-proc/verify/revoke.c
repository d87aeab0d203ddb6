/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/revoke.c - was a certificate of the chain taken back?
 *
 *            known to be revoked   known to be good   nobody says
 *   strict   refused               fine               refused
 *   soft     refused               fine               fine
 *   off      fine                  fine               fine
 *
 * Who is connected already is not sent away because a list is late.
 *
 * Who speaks: OCSP responses and lists the peer sent along, the files *.crl,
 * lists that were fetched.  One that says "revoked" wins over all others.
 *
 * Thread: any.
 */
#include <stdio.h>
#include "daemon/base/err.h"
#include "secure-proc/verify/check.h"

static enum spi_status
status_of(const struct sec_trust *t, const struct sec_evidence *ev,
	  const struct spi_cert *c, const struct spi_cert *issuer, int64_t now)
{
	const struct spi_certs *sp = spi_certs();
	enum spi_status all = SPI_STATUS_UNKNOWN, st;
	const struct spi_crl *crl;

	for (unsigned i = 0; i < ev->n_ocsp; i++) {
		st = sp->ocsp_look(ev->ocsp[i], c, issuer, now);
		if (st == SPI_STATUS_REVOKED)
			return st;
		all = MAX(all, st);
	}
	for (unsigned i = 0; i < ev->n_crl; i++) {
		st = sp->crl_look(ev->crl[i], c, issuer, now);
		if (st == SPI_STATUS_REVOKED)
			return st;
		all = MAX(all, st);
	}
	for (unsigned i = 0; (crl = sec_trust_crl(t, i)) != NULL; i++) {
		st = sp->crl_look(crl, c, issuer, now);
		if (st == SPI_STATUS_REVOKED)
			return st;
		all = MAX(all, st);
	}
	return all;
}

/* Where the lists of an issuer are: what the configuration says stands above
 * what a certificate says. */
static void
lists_want(struct sec_trust *t, const struct spi_cert *c,
	   const struct spi_cert *issuer, const struct conf_peer *peer)
{
	char url[SPI_CERT_URL_MAX];
	const char *list = peer->crl;

	while (list != NULL && conf_file_next(&list, url, sizeof(url)))
		sec_trust_want(t, url, NULL);
	for (unsigned i = 0; peer->crl == NULL &&
	    spi_certs()->cert_crl_url(c, i, url); i++)
		sec_trust_want(t, url, issuer);
}

int
sec_revoke_check(struct sec_trust *t, const struct spi_cert_path *path,
		 const struct sec_evidence *ev, const struct conf_peer *peer,
		 const struct sec_check *q, struct sec_checked *out)
{
	enum conf_revocation policy = peer->revocation;

	if (policy == CONF_REVOCATION_OFF)
		return 0;
	/* The last one is believed, not vouched for. */
	for (unsigned i = 0; i + 1 < path->n; i++) {
		const char *of = i == 0 ? "the certificate" :
		    "an issuing authority";

		switch (status_of(t, ev, path->cert[i], path->cert[i + 1],
		    q->now)) {
		case SPI_STATUS_GOOD:
			break;
		case SPI_STATUS_REVOKED:
			snprintf(out->why, sizeof(out->why), "%s was revoked",
			    of);
			return ERR_AUTH;
		case SPI_STATUS_UNKNOWN:
			lists_want(t, path->cert[i], path->cert[i + 1], peer);
			if (policy != CONF_REVOCATION_STRICT || q->is_standing)
				break;
			snprintf(out->why, sizeof(out->why), "nobody says that "
			    "%s was not revoked: no CRL of its issuer in "
			    "date, no OCSP response (revocation=\"strict\")",
			    of);
			return ERR_AUTH;
		}
	}
	return 0;
}
