/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/own.c - our certificate and private key in one realm.
 *
 * Files are read before confinement; a key at a URI stays where it is.
 *
 * Thread: the only one.
 */
#include "secure-proc/keys/own.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/addr.h"
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "secure-proc/files/file.h"
#include "secure-proc/id/ident.h"
#include "secure-proc/keys/signer.h"
#include "secure-proc/keys/store.h"
#include "spi/spi_cert.h"

#define WHO	      "keys"
#define CERT_X509     4		/* RFC 7296 3.6 */
#define CERT_OCSP     14	/* RFC 4806 */
#define CERT_RAW      15	/* RFC 7670 */
#define METHOD_RSA    1
#define METHOD_EC256  9
#define METHOD_DIGSIG 14
#define BODIES_MAX    65535	/* bytes of all CERT bodies */
#define SOON_S	      (30 * 86400)

struct sec_own {
	struct spi_pkey *key;
	struct sec_signer *signer; /* the key is at a URI: key is public only */
	unsigned n_cert;
	struct spi_cert *cert[SEC_OWN_CERTS]; /* ours first */
	uint8_t *ocsp;		/* what vouches for it, or NULL */
	size_t ocsp_len;
	char name[SPI_CERT_TEXT_MAX];
	int64_t not_after;	/* of cert[0]; 0 = there is none */
	uint8_t bodies[BODIES_MAX];
};

/* What is open while it is loaded. */
struct loading {
	struct sec_own *o;
	const struct conf_me *me;
	int dir_fd;
	uid_t uid;
	uint8_t *pass;		/* secret memory, or NULL */
	size_t pass_len;
	bool want_key, want_cert;
};

static int
complain(const char *name, const char *why)
{
	char shown[CONF_FILE_MAX];

	str_escape(shown, sizeof(shown), name, strlen(name));
	log_error(WHO, "file %s %s", shown, why);
	return ERR_KEYFILE;
}

/* ---- loading -------------------------------------------------------------------- */

static int
take_cert(void *ctx, struct spi_cert *c)
{
	struct loading *l = ctx;
	struct sec_own *o = l->o;

	if (!l->want_cert) {
		spi_certs()->cert_free(c);
		return 0;
	}
	if (o->n_cert == SEC_OWN_CERTS) {
		spi_certs()->cert_free(c);
		return ERR_LIMIT;
	}
	o->cert[o->n_cert++] = c;
	return 0;
}

static int
take_key(void *ctx, struct spi_pkey *k)
{
	struct loading *l = ctx;

	if (l->o->key != NULL || !l->want_key) {
		spi_certs()->key_free(k);
		return 0;
	}
	l->o->key = k;
	return 0;
}

static int
file_take(struct loading *l, const char *name, struct view bytes)
{
	const struct spi_bundle_to to = {
		.ctx = l, .cert = take_cert,
		.key = l->want_key ? take_key : NULL,
	};
	char why[SPI_CERT_WHY_MAX] = "";
	int err;

	err = spi_certs()->bundle_read(bytes,
	    (struct view){ l->pass, l->pass_len }, &to, why);
	if (err == 0 || err == ERR_NOMEM)
		return err;
	return complain(name, err == ERR_LIMIT ? "has too many certificates" :
	    why);
}

static int
secret_take(struct loading *l, const char *name)
{
	char why[160] = "";
	uint8_t *bytes;
	size_t len;
	int err;

	err = sec_file_secret(l->dir_fd, name, l->uid, SEC_SECRET_MAX, &bytes,
	    &len, why, sizeof(why));
	if (err == ERR_NOMEM || err == ERR_NOTFOUND)
		return err;
	if (err != 0)
		return complain(name, why);
	err = file_take(l, name, (struct view){ bytes, len });
	secret_free(bytes);
	return err;
}

static int
public_take(struct loading *l, const char *name)
{
	char why[160] = "";
	uint8_t *bytes;
	size_t len;
	int err;

	err = sec_file_public(l->dir_fd, name, l->uid, &bytes, &len, why,
	    sizeof(why));
	if (err == ERR_NOMEM || err == ERR_NOTFOUND)
		return err;
	if (err != 0)
		return complain(name, why);
	err = file_take(l, name, (struct view){ bytes, len });
	free(bytes);
	return err;
}

static bool
is_p12(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && (strcmp(name + n - 4, ".p12") == 0 ||
	    strcmp(name + n - 4, ".pfx") == 0);
}

static int
cert_load(struct loading *l)
{
	char name[CONF_FILE_MAX];
	int err = ERR_NOTFOUND;

	l->want_cert = true;
	l->want_key = false;
	for (unsigned i = 0; err == ERR_NOTFOUND &&
	    conf_cert_file(l->me->cert, i, name); i++) {
		if (!is_p12(name)) {
			err = public_take(l, name);
			continue;
		}
		l->want_key = l->me->key == NULL;
		err = secret_take(l, name);
	}
	if (err == ERR_NOTFOUND)
		return complain(l->me->cert, "is not there: cert= names it");
	if (err == 0 && l->o->n_cert == 0)
		return complain(name, "has no certificate in it");
	return err;
}

static int
key_load(struct loading *l)
{
	char name[CONF_FILE_MAX], why[SPI_CERT_WHY_MAX] = "";
	int err = ERR_NOTFOUND;

	if (l->o->key != NULL)
		return 0;
	if (l->me->key != NULL && conf_key_is_uri(l->me->key)) {
		err = sec_signer_start(&l->o->signer, l->me->key,
		    (struct view){ l->pass, l->pass_len }, &l->o->key, why);
		return err == 0 || err == ERR_NOMEM ? err :
		    complain(l->me->key, why);
	}
	l->want_cert = false;
	l->want_key = true;
	for (unsigned i = 0; err == ERR_NOTFOUND &&
	    conf_key_file(l->me, i, name); i++)
		err = secret_take(l, name);
	/* Certificate and key in one file? */
	for (unsigned i = 0; err == ERR_NOTFOUND && l->me->key == NULL &&
	    conf_cert_file(l->me->cert, i, name); i++)
		err = secret_take(l, name);
	if (err == ERR_NOTFOUND)
		return complain(name, "is not there: it should be the private "
		    "key; key= names another");
	if (err == 0 && l->o->key == NULL)
		return complain(name, "has no private key in it");
	return err;
}

/* Ours to the front; what is a root by itself the peer must have anyway. */
static int
certs_order(struct loading *l)
{
	const struct spi_certs *sp = spi_certs();
	struct sec_own *o = l->o;
	struct spi_cert_facts *f;
	unsigned own = 0, to = 1;

	while (own < o->n_cert && !sp->key_is_of(o->key, o->cert[own]))
		own++;
	if (own == o->n_cert)
		return complain(l->me->cert, "is not the certificate of the "
		    "private key");
	if ((f = malloc(sizeof(*f))) == NULL)
		return ERR_NOMEM;
	if (own != 0) {
		struct spi_cert *c = o->cert[own];

		o->cert[own] = o->cert[0];
		o->cert[0] = c;
	}
	for (unsigned i = 1; i < o->n_cert; i++) {
		sp->cert_facts(o->cert[i], f);
		if (f->is_self_signed)
			sp->cert_free(o->cert[i]);
		else
			o->cert[to++] = o->cert[i];
	}
	if (o->n_cert > 0)
		o->n_cert = to;
	free(f);
	return 0;
}

static void
end_warn(const struct spi_cert_facts *f)
{
	int64_t left = f->not_after - clk_wall_s();

	if (left < 0)
		log_warn(WHO, "our certificate \"%s\" has expired", f->subject);
	else if (left < SOON_S)
		log_warn(WHO, "our certificate \"%s\" expires in %lld days",
		    f->subject, (long long)(left / 86400));
}

/* A name of a certificate as an identity; false: it cannot be one. */
static bool
name_id(const struct spi_cert_name *n, struct sec_id *out)
{
	out->data = n->data;
	switch (n->kind) {
	case SPI_NAME_DNS:
		out->type = SEC_ID_FQDN;
		return true;
	case SPI_NAME_EMAIL:
		out->type = SEC_ID_RFC822_ADDR;
		return true;
	case SPI_NAME_IP:
		out->type = n->data.len == 4 ? SEC_ID_IPV4_ADDR :
		    SEC_ID_IPV6_ADDR;
		return true;
	default:
		return false;
	}
}

/* Will a peer that keeps to RFC 4945 believe that this is our certificate? */
static void
identity_warn(const struct spi_cert_facts *f, const char *text)
{
	struct sec_id id = { SEC_ID_DER_ASN1_DN, f->subject_der };
	char shown[SEC_ID_TEXT_MAX], has[160] = "";

	if (sec_id_equal(&id, text))
		return;
	for (unsigned i = 0; i < f->n_name; i++) {
		if (!name_id(&f->name[i], &id))
			continue;
		if (sec_id_equal(&id, text))
			return;
		str_add(has, sizeof(has), "%s%.60s", i > 0 ? ", " : "",
		    sec_id_text(&id, shown));
	}
	log_warn(WHO, "our identity \"%.100s\" is not in our certificate "
	    "\"%.80s\": peers will refuse it; names in it: %s", text,
	    f->subject, has[0] != '\0' ? has : "none");
}

/* The first name that can be an identity. */
static int
name_take(struct sec_own *o, const struct conf_me *me)
{
	struct spi_cert_facts *f = malloc(sizeof(*f));
	char ip[IP_TEXT_MAX];
	struct ip_addr a;

	if (f == NULL)
		return ERR_NOMEM;
	spi_certs()->cert_facts(o->cert[0], f);
	end_warn(f);
	o->not_after = f->not_after;
	if (me->id != NULL)
		identity_warn(f, me->id);
	for (unsigned i = 0; i < f->n_name && o->name[0] == '\0'; i++) {
		const struct spi_cert_name *n = &f->name[i];

		if (n->kind == SPI_NAME_IP) {
			a = ip_from(n->data.p, n->data.len);
			if (a.family != 0)
				str_copy(o->name, sizeof(o->name),
				    ip_text(&a, ip));
		} else if (n->kind == SPI_NAME_DNS ||
		    n->kind == SPI_NAME_EMAIL) {
			str_escape(o->name, sizeof(o->name), n->data.p,
			    n->data.len);
		}
	}
	free(f);
	return 0;
}

/* NAME.ocsp beside the certificate: a response to staple, DER. */
static int
ocsp_load(struct loading *l)
{
	char name[CONF_FILE_MAX], why[160];
	size_t n = strlen(l->me->cert);
	int err;

	for (unsigned i = 0; i < 4; i++) {
		static const char *const end[] = {
			".pem", ".crt", ".der", ".p12"
		};

		if (n > 4 && strcmp(l->me->cert + n - 4, end[i]) == 0)
			n -= 4;
	}
	if (n + 6 > sizeof(name))
		return 0;
	snprintf(name, sizeof(name), "%.*s.ocsp", (int)n, l->me->cert);
	err = sec_file_public(l->dir_fd, name, l->uid, &l->o->ocsp,
	    &l->o->ocsp_len, why, sizeof(why));
	if (err == ERR_NOTFOUND)
		return 0;
	if (err == ERR_KEYFILE)
		return complain(name, why);
	return err;
}

static int
load(struct loading *l)
{
	char why[160] = "";
	int err;

	if (l->me->pass != NULL) {
		err = sec_key_read(l->dir_fd, l->me->pass, l->uid, &l->pass,
		    &l->pass_len, why, sizeof(why));
		if (err != 0)
			return err == ERR_KEYFILE ? complain(l->me->pass, why) :
			    err;
	}
	if (l->me->cert != NULL && (err = cert_load(l)) != 0)
		return err;
	if ((err = key_load(l)) != 0 || l->me->cert == NULL)
		return err;
	if ((err = certs_order(l)) != 0 || (err = name_take(l->o, l->me)) != 0)
		return err;
	return ocsp_load(l);
}

int
sec_own_load(struct sec_own **out, const struct conf_me *me, int dir_fd,
	     uid_t uid)
{
	struct loading l = { .me = me, .dir_fd = dir_fd, .uid = uid };
	int err;

	if ((l.o = calloc(1, sizeof(*l.o))) == NULL)
		return ERR_NOMEM;
	err = load(&l);
	secret_free(l.pass);
	if (err != 0) {
		sec_own_free(l.o);
		return err;
	}
	*out = l.o;
	return 0;
}

void
sec_own_free(struct sec_own *o)
{
	if (o == NULL)
		return;
	sec_signer_free(o->signer);
	spi_certs()->key_free(o->key);
	for (unsigned i = 0; i < o->n_cert; i++)
		spi_certs()->cert_free(o->cert[i]);
	free(o->ocsp);
	free(o);
}

const char *
sec_own_name(const struct sec_own *o)
{
	return o->name[0] != '\0' ? o->name : NULL;
}

/* ---- which signature ------------------------------------------------------------- */

struct choice {
	enum spi_key_kind kind;
	struct spi_sig how;
};

/* By key, best first. */
static const struct choice choices[] = {
	{ SPI_KEY_RSA, { SPI_SIG_PSS, SPI_SIG_SHA256 } },
	{ SPI_KEY_RSA, { SPI_SIG_PSS, SPI_SIG_SHA384 } },
	{ SPI_KEY_RSA, { SPI_SIG_PSS, SPI_SIG_SHA512 } },
	{ SPI_KEY_RSA, { SPI_SIG_PKCS1, SPI_SIG_SHA256 } },
	{ SPI_KEY_RSA, { SPI_SIG_PKCS1, SPI_SIG_SHA384 } },
	{ SPI_KEY_RSA, { SPI_SIG_PKCS1, SPI_SIG_SHA512 } },
	{ SPI_KEY_EC256, { SPI_SIG_ECDSA, SPI_SIG_SHA256 } },
	{ SPI_KEY_EC256, { SPI_SIG_ECDSA, SPI_SIG_SHA384 } },
	{ SPI_KEY_EC256, { SPI_SIG_ECDSA, SPI_SIG_SHA512 } },
	{ SPI_KEY_EC384, { SPI_SIG_ECDSA, SPI_SIG_SHA384 } },
	{ SPI_KEY_EC384, { SPI_SIG_ECDSA, SPI_SIG_SHA512 } },
	{ SPI_KEY_EC384, { SPI_SIG_ECDSA, SPI_SIG_SHA256 } },
	{ SPI_KEY_EC521, { SPI_SIG_ECDSA, SPI_SIG_SHA512 } },
	{ SPI_KEY_EC521, { SPI_SIG_ECDSA, SPI_SIG_SHA384 } },
	{ SPI_KEY_EC521, { SPI_SIG_ECDSA, SPI_SIG_SHA256 } },
	{ SPI_KEY_ED25519, { SPI_SIG_ED, SPI_SIG_IDENTITY } },
	{ SPI_KEY_ED448, { SPI_SIG_ED, SPI_SIG_IDENTITY } },
};

/* The two Edwards curves have one way to sign and two identifiers. */
static size_t
alg_of(const struct choice *c, uint8_t *out)
{
	size_t n = spi_sig_alg(&c->how, out);

	if (c->kind == SPI_KEY_ED448)
		out[n - 1] = 0x71;	/* RFC 8420 A.2 */
	return n;
}

/* Is it among the announced ones?  Nothing announced about signatures: yes. */
static bool
is_announced(struct view ann, struct view alg)
{
	bool has_any = false;
	struct view rest;
	uint8_t len, method;
	struct cur c, in;

	cur_init(&c, ann.p, ann.len);
	while (cur_u8(&c, &len) == 0 && len >= 2 &&
	    cur_view(&c, len - 1u, &rest) == 0) {
		cur_init(&in, rest.p, rest.len);
		if (cur_u8(&in, &method) != 0 || method != METHOD_DIGSIG)
			continue;
		has_any = true;
		if (len == 3)
			return true;	/* any algorithm, RFC 9593 3.2.2 */
		if (cur_skip(&in, 1) != 0)
			continue;
		cur_rest(&in, &rest);
		if (rest.len == alg.len &&
		    memcmp(rest.p, alg.p, alg.len) == 0)
			return true;
	}
	return !has_any;
}

static int
sign(struct sec_own *o, const struct spi_sig *how, const struct sec_own_ask *q,
     uint8_t *out, size_t *len)
{
	if (o->signer != NULL)
		return sec_signer_sign(o->signer, how, q->part, N_OF(q->part),
		    out, len);
	return spi_certs()->sign(o->key, how, q->part, N_OF(q->part), out,
	    len);
}

/* RFC 7427 3: length, algorithm, signature. */
static int
sign_new(struct sec_own *o, const struct sec_own_ask *q, uint8_t *auth,
	 size_t *len, char *why, size_t cap)
{
	enum spi_key_kind kind = spi_certs()->key_kind(o->key);
	uint8_t alg[SPI_SIG_ALG_MAX];
	size_t n;
	int err;

	for (unsigned i = 0; i < N_OF(choices); i++) {
		const struct choice *c = &choices[i];

		if (c->kind != kind ||
		    (q->peer_hashes >> c->how.hash & 1) == 0)
			continue;
		n = alg_of(c, alg);
		if (!is_announced(q->auth_ann, (struct view){ alg, n }))
			continue;
		auth[0] = (uint8_t)n;
		memcpy(auth + 1, alg, n);
		err = sign(o, &c->how, q, auth + 1 + n, len);
		*len += 1 + n;
		if (err != 0)
			snprintf(why, cap, "our private key does not sign: %s",
			    err_text(err));
		return err;
	}
	snprintf(why, cap, "the peer accepts no signature our key can make: it "
	    "announces other hash algorithms (RFC 7427)");
	return ERR_ALG;
}

static int
sign_old(struct sec_own *o, const struct sec_own_ask *q, uint8_t *method,
	 uint8_t *auth, size_t *len, char *why, size_t cap)
{
	enum spi_key_kind kind = spi_certs()->key_kind(o->key);
	struct spi_sig how = { SPI_SIG_ECDSA_RAW, SPI_SIG_SHA256 };

	if (!q->is_compat) {
		snprintf(why, cap, "the peer does not announce hash algorithms "
		    "(RFC 7427): signatures of the old form need "
		    "suite=\"compat\"");
		return ERR_ALG;
	}
	switch (kind) {
	case SPI_KEY_RSA:
		/* Not SHA-1, the default of RFC 7296 3.8: peers that insist on
		 * it are told to use RFC 7427. */
		how = (struct spi_sig){ SPI_SIG_PKCS1, SPI_SIG_SHA256 };
		*method = METHOD_RSA;
		break;
	case SPI_KEY_EC256:
	case SPI_KEY_EC384:
	case SPI_KEY_EC521:
		how.hash = (uint8_t)(SPI_SIG_SHA256 + (kind - SPI_KEY_EC256));
		*method = (uint8_t)(METHOD_EC256 + (kind - SPI_KEY_EC256));
		break;
	default:
		snprintf(why, cap, "the peer does not announce hash algorithms "
		    "(RFC 7427), without which our key cannot be used");
		return ERR_ALG;
	}
	return sign(o, &how, q, auth, len);
}

int
sec_own_fd(const struct sec_own *o)
{
	return o->signer != NULL ? sec_signer_fd(o->signer) : -1;
}

int
sec_own_sign(struct sec_own *o, const struct sec_own_ask *q, uint8_t *method,
	     uint8_t *auth, size_t *len, char *why, size_t cap)
{
	if (q->peer_hashes == 0)
		return sign_old(o, q, method, auth, len, why, cap);
	*method = METHOD_DIGSIG;
	return sign_new(o, q, auth, len, why, cap);
}

/* ---- what we send ---------------------------------------------------------------- */

/* Does the peer ask for this encoding? */
static bool
is_asked(struct view certreq, uint8_t want)
{
	struct view body;
	struct cur c;
	uint16_t len;

	cur_init(&c, certreq.p, certreq.len);
	while (cur_u16(&c, &len) == 0 && cur_view(&c, len, &body) == 0)
		if (body.len > 0 && body.p[0] == want)
			return true;
	return false;
}

static void
put_body(struct wcur *w, uint8_t encoding, struct view data)
{
	wcur_u16(w, (uint16_t)(data.len + 1));
	wcur_u8(w, encoding);
	wcur_view(w, data);
}

struct view
sec_own_certs(struct sec_own *o, struct view certreq)
{
	const struct view none = { NULL, 0 };
	uint8_t *spki = NULL;
	size_t len = 0;
	struct wcur w;

	wcur_init(&w, o->bodies, sizeof(o->bodies));
	for (unsigned i = 0; i < o->n_cert; i++)
		put_body(&w, CERT_X509, spi_certs()->cert_der(o->cert[i]));
	if (o->ocsp != NULL && o->ocsp_len < UINT16_MAX &&
	    is_asked(certreq, CERT_OCSP))
		put_body(&w, CERT_OCSP, (struct view){ o->ocsp, o->ocsp_len });
	if (o->n_cert == 0 && (certreq.len == 0 ||
	    is_asked(certreq, CERT_RAW)) &&
	    spi_certs()->key_spki(o->key, &spki, &len) == 0)
		put_body(&w, CERT_RAW, (struct view){ spki, len });
	free(spki);
	return w.err == 0 ? (struct view){ o->bodies, w.len } : none;
}

int64_t
sec_own_end(const struct sec_own *o)
{
	return o->not_after;
}
