/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cert_facts.h - what a certificate file says about its holder.
 */
#ifndef TAPIR_CLI_CERT_FACTS_H
#define TAPIR_CLI_CERT_FACTS_H

#include "conf/role.h"

#define CERT_DER_MAX   8192	/* bytes of a certificate; ours */
#define CERT_NAMES_MAX 64	/* subjectAltNames looked at; ours */

struct cert_facts {
	unsigned n_subject;
	struct conf_rdn subject[CONF_RDN_MAX];
	unsigned n_name;
	struct conf_altname name[CERT_NAMES_MAX]; /* views of text */
	uint8_t text[CERT_NAMES_MAX][CONF_ID_MAX];
	size_t n_der;
	uint8_t der[CERT_DER_MAX];	/* the certificate itself */
};

/**
 * Read the first certificate of a file, PEM or DER.  Nothing is verified.
 *
 * @param why a sentence on failure.
 * @return 0, ERR_SYS (errno), ERR_SYNTAX, ERR_LONG or ERR_UNSUP (a subject that no rule can
 *         name: other attributes, several in one set).
 */
MUST_USE int cert_facts_read(const char *path, struct cert_facts *out, char *why,
			     size_t cap);
/** The value of the subject's last attribute of this key, or NULL. */
const char *cert_facts_attr(const struct cert_facts *f, const char *key);

#endif
