/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/choose.c - which peer of which realm has this certificate?
 *
 * Nothing of it is verified yet: it says whose authorities shall judge.  A subject
 * with attributes that have no word of ours fits what its other attributes fit;
 * one that cannot be read at all fits no <match dn>.
 *
 * Thread: any.
 */
#include <stdio.h>
#include <stdlib.h>
#include "daemon/base/err.h"
#include "secure-proc/id/dn.h"
#include "secure-proc/id/ident.h"
#include "secure-proc/verify/check.h"

/* What a certificate says about its holder, as rules look at it. */
struct said {
	struct conf_rdn subject[CONF_RDN_MAX];
	struct conf_altname name[SPI_CERT_NAMES_MAX];
};

static void
hear(const struct spi_cert_facts *f, struct said *s, struct sec_comer *who)
{
	int n = sec_dn_read(f->subject_der, s->subject, CONF_RDN_MAX);

	who->has_cert = true;
	who->subject = s->subject;
	who->n_subject = n > 0 ? (unsigned)n : 0;
	who->name = s->name;
	for (unsigned i = 0; i < f->n_name; i++) {
		enum spi_name_kind kind = f->name[i].kind;

		if (kind == SPI_NAME_EMAIL || kind == SPI_NAME_DNS)
			s->name[who->n_name++] = (struct conf_altname){
				.is_email = kind == SPI_NAME_EMAIL,
				.text = f->name[i].data,
			};
	}
}

int
sec_choose(const struct conf *c, const struct sec_check *q,
	   const struct spi_cert_facts *f, struct sec_checked *out)
{
	struct sec_id id, own;
	struct sec_comer who = { .peer = &id };
	struct sec_place at;
	struct said *s;
	int err;

	if ((err = sec_id_dec(q->id, &id)) != 0 ||
	    (q->id_own.len > 0 && (err = sec_id_dec(q->id_own, &own)) != 0))
		return err;
	if (q->id_own.len > 0)
		who.own = &own;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return ERR_NOMEM;
	hear(f, s, &who);
	err = sec_id_select(c, &who, &at, out->why, sizeof(out->why));
	if (err == 0) {
		out->realm = at.realm->index;
		out->peer = at.peer->index;
	}
	free(s);
	return err;
}
