/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cert_facts.c - subject and names of a certificate file, by OpenSSL.
 */
#include "cli/cert_facts.h"
#define ERR_STATE ossl_err_state_type /* a type of theirs, an error of ours */
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#undef ERR_STATE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"

static X509 *
file_read(const char *path)
{
	FILE *f = fopen(path, "re");
	X509 *x;

	if (f == NULL)
		return NULL;
	if ((x = PEM_read_X509(f, NULL, NULL, NULL)) == NULL) {
		rewind(f);
		x = d2i_X509_fp(f, NULL);
	}
	fclose(f);
	errno = 0;
	return x;
}

static int
subject_read(const X509 *x, struct cert_facts *out)
{
	const X509_NAME *name = X509_get_subject_name(x);
	int n = X509_NAME_entry_count(name), set = -1;

	if (n > CONF_RDN_MAX)
		return ERR_UNSUP;
	for (int i = 0; i < n; i++) {
		const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
		int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(e));
		struct conf_rdn *r = &out->subject[i];
		unsigned char *text = NULL;
		int len;

		if (X509_NAME_ENTRY_set(e) == set)
			return ERR_UNSUP;
		/* No rule has a word for the others. */
		if (nid == NID_undef ||
		    !str_copy(r->key, sizeof(r->key), OBJ_nid2sn(nid)))
			r->key[0] = '\0';
		set = X509_NAME_ENTRY_set(e);
		len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(e));
		if (len < 0 || len > CONF_ID_MAX ||
		    memchr(text, '\0', (size_t)len) != NULL) {
			OPENSSL_free(text);
			return ERR_UNSUP;
		}
		memcpy(r->value, text, (size_t)len);
		r->value[len] = '\0';
		OPENSSL_free(text);
	}
	out->n_subject = (unsigned)n;
	return 0;
}

static void
names_read(X509 *x, struct cert_facts *out)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	int n = all != NULL ? sk_GENERAL_NAME_num(all) : 0;

	for (int i = 0; i < n && out->n_name < CERT_NAMES_MAX; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
		struct conf_altname *to = &out->name[out->n_name];
		uint8_t *text = out->text[out->n_name];
		int len;

		if (g->type != GEN_EMAIL && g->type != GEN_DNS)
			continue;
		len = ASN1_STRING_length(g->d.ia5);
		if (len <= 0 || len > CONF_ID_MAX)
			continue;
		memcpy(text, ASN1_STRING_get0_data(g->d.ia5), (size_t)len);
		to->is_email = g->type == GEN_EMAIL;
		to->text = (struct view){ text, (size_t)len };
		out->n_name++;
	}
	GENERAL_NAMES_free(all);
}

int
cert_facts_read(const char *path, struct cert_facts *out, char *why, size_t cap)
{
	unsigned char *p;
	X509 *x;
	int len, err;

	memset(out, 0, sizeof(*out));
	errno = 0;
	if ((x = file_read(path)) == NULL) {
		snprintf(why, cap, "%s", errno != 0 ? strerror(errno) :
			 "there is no certificate in it");
		return errno != 0 ? ERR_SYS : ERR_SYNTAX;
	}
	p = out->der;
	if ((len = i2d_X509(x, NULL)) <= 0 || len > CERT_DER_MAX) {
		snprintf(why, cap, "the certificate is too long");
		X509_free(x);
		return ERR_LONG;
	}
	out->n_der = (size_t)i2d_X509(x, &p);
	if ((err = subject_read(x, out)) != 0)
		snprintf(why, cap, "its subject has attributes no rule can name");
	names_read(x, out);
	X509_free(x);
	return err;
}

const char *
cert_facts_attr(const struct cert_facts *f, const char *key)
{
	for (unsigned i = f->n_subject; i-- > 0;)
		if (strcmp(f->subject[i].key, key) == 0)
			return f->subject[i].value;
	return NULL;
}
