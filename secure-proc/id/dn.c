/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/id/dn.c - distinguished names, DER and text.
 *
 *   SEQUENCE { SET { SEQUENCE { OBJECT IDENTIFIER, string } } ... }
 *
 * A stranger's name is only walked over and compared here, by a cursor; whether
 * it is the subject of a certificate is for who may parse certificates.
 *
 * Thread: any.
 */
#include "secure-proc/id/dn.h"
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"

enum { DER_OID = 6, DER_UTF8 = 12, DER_PRINTABLE = 19, DER_T61 = 20,
       DER_IA5 = 22, DER_SEQUENCE = 0x30, DER_SET = 0x31 };

/* Attribute types, RFC 4519, RFC 2985; the words are those of conf/value.c. */
static const struct attr {
	const char *key;
	uint8_t string;		/* type we write; 0 = as the value needs */
	uint8_t n_oid;
	uint8_t oid[10];
} attrs[] = {
	{ "CN", 0, 3, { 0x55, 4, 3 } },
	{ "SN", 0, 3, { 0x55, 4, 4 } },
	{ "serialNumber", DER_PRINTABLE, 3, { 0x55, 4, 5 } },
	{ "C", DER_PRINTABLE, 3, { 0x55, 4, 6 } },
	{ "L", 0, 3, { 0x55, 4, 7 } },
	{ "ST", 0, 3, { 0x55, 4, 8 } },
	{ "street", 0, 3, { 0x55, 4, 9 } },
	{ "O", 0, 3, { 0x55, 4, 10 } },
	{ "OU", 0, 3, { 0x55, 4, 11 } },
	{ "title", 0, 3, { 0x55, 4, 12 } },
	{ "GN", 0, 3, { 0x55, 4, 42 } },
	{ "organizationIdentifier", 0, 3, { 0x55, 4, 97 } },
	{ "UID", 0, 10, { 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1 } },
	{ "DC", DER_IA5, 10,
	  { 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25 } },
	{ "emailAddress", DER_IA5, 9,
	  { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1 } },
};

/* One attribute of a name on the wire. */
struct rdn {
	const struct attr *attr;	/* NULL: we have no word for it */
	struct view value;
};

/* ---- reading ------------------------------------------------------------- */

/* A value of a type; DER's short length, or the long one of one byte. */
static int
tlv(struct cur *c, uint8_t type, struct cur *out)
{
	uint8_t t, n;
	int err;

	if ((err = cur_u8(c, &t)) != 0 || (err = cur_u8(c, &n)) != 0)
		return err;
	if (t != type || n > 0x81 || n == 0x80)
		return ERR_SYNTAX;
	if (n == 0x81) {
		if ((err = cur_u8(c, &n)) != 0)
			return err;
		if (n < 0x80)			/* it would have been short */
			return ERR_SYNTAX;
	}
	return cur_sub(c, n, out);
}

static const struct attr *
attr_of_oid(struct cur *c)
{
	struct view oid;

	cur_rest(c, &oid);
	for (size_t i = 0; i < N_OF(attrs); i++)
		if (attrs[i].n_oid == oid.len &&
		    memcmp(attrs[i].oid, oid.p, oid.len) == 0)
			return &attrs[i];
	return NULL;
}

static int
read_string(struct cur *c, struct view *out)
{
	static const uint8_t types[] = {
		DER_UTF8, DER_PRINTABLE, DER_IA5, DER_T61,
	};
	struct cur in, again;
	int err = ERR_SYNTAX;

	for (size_t i = 0; err != 0 && i < N_OF(types); i++) {
		again = *c;
		if ((err = tlv(&again, types[i], &in)) == 0)
			*c = again;
	}
	if (err != 0)
		return err;
	cur_rest(&in, out);
	return out->len > 0 ? 0 : ERR_SYNTAX;
}

/* The next attribute of the names in c. */
static int
read_rdn(struct cur *c, struct rdn *out)
{
	struct cur set, pair, oid;
	int err;

	if ((err = tlv(c, DER_SET, &set)) != 0 ||
	    (err = tlv(&set, DER_SEQUENCE, &pair)) != 0 ||
	    (err = cur_end(&set)) != 0 ||
	    (err = tlv(&pair, DER_OID, &oid)) != 0 ||
	    (err = read_string(&pair, &out->value)) != 0 ||
	    (err = cur_end(&pair)) != 0)
		return err;
	out->attr = attr_of_oid(&oid);
	return 0;
}

/* The whole name: c stands on its first attribute. */
static int
read_name(struct view der, struct cur *c)
{
	struct cur all;
	int err;

	cur_init(&all, der.p, der.len);
	if ((err = tlv(&all, DER_SEQUENCE, c)) != 0)
		return err;
	return cur_end(&all);
}

/* ---- public -------------------------------------------------------------- */

int
sec_dn_read(struct view der, struct conf_rdn *out, unsigned cap)
{
	unsigned n = 0;
	struct rdn r;
	struct cur c;
	int err;

	if ((err = read_name(der, &c)) != 0)
		return err;
	for (; cur_end(&c) != 0; n++) {
		if ((err = read_rdn(&c, &r)) != 0)
			return err;
		if (n == cap || r.value.len >= sizeof(out->value))
			return ERR_LONG;
		/* A NUL inside would end every comparison early. */
		if (memchr(r.value.p, '\0', r.value.len) != NULL)
			return ERR_SYNTAX;
		out[n].key[0] = '\0';
		if (r.attr != NULL)
			str_copy(out[n].key, sizeof(out[n].key), r.attr->key);
		memcpy(out[n].value, r.value.p, r.value.len);
		out[n].value[r.value.len] = '\0';
	}
	return n > 0 ? (int)n : ERR_SHORT;
}

bool
sec_dn_is(struct view der, const char *text)
{
	struct conf_rdn r[CONF_RDN_MAX];
	int n = sec_dn_read(der, r, CONF_RDN_MAX);

	return n > 0 && conf_rdn_equal(r, (unsigned)n, text);
}

bool
sec_dn_text(struct view der, char *out, size_t cap)
{
	char value[CONF_ID_MAX * 4 + 1];
	const char *comma = "";
	struct rdn r;
	struct cur c;

	out[0] = '\0';
	if (read_name(der, &c) != 0 || cur_end(&c) == 0)
		return false;
	while (cur_end(&c) != 0) {
		if (read_rdn(&c, &r) != 0 || r.attr == NULL)
			return false;
		str_escape(value, sizeof(value), r.value.p, r.value.len);
		str_add(out, cap, "%s%s=%s", comma, r.attr->key, value);
		comma = ", ";
	}
	return true;
}

/* PrintableString: X.680 41.4. */
static bool
is_printable(const char *v)
{
	for (; *v != '\0'; v++)
		if (!((*v >= 'A' && *v <= 'Z') || (*v >= 'a' && *v <= 'z') ||
		      (*v >= '0' && *v <= '9')) &&
		    strchr(" '()+,-./:=?", *v) == NULL)
			return false;
	return true;
}

static void
put_head(struct wcur *w, uint8_t type, size_t len)
{
	wcur_u8(w, type);
	if (len >= 0x80)
		wcur_u8(w, 0x81);
	wcur_u8(w, (uint8_t)len);
}

/* Bytes of a type, length and content. */
static size_t
whole(size_t len)
{
	return len + (len >= 0x80 ? 3 : 2);
}

static const struct attr *
attr_of_key(const char *key)
{
	for (size_t i = 0; i < N_OF(attrs); i++)
		if (strcmp(attrs[i].key, key) == 0)
			return &attrs[i];
	return NULL;
}

static int
put_rdn(struct wcur *w, const char *key, const char *value)
{
	const struct attr *a = attr_of_key(key);
	size_t n = strlen(value), pair;
	uint8_t type;

	if (a == NULL)
		return ERR_SYNTAX;
	type = a->string != 0 ? a->string :
	    is_printable(value) ? DER_PRINTABLE : DER_UTF8;
	pair = whole(a->n_oid) + whole(n);
	if (whole(pair) > UINT8_MAX)
		return ERR_LONG;
	put_head(w, DER_SET, whole(pair));
	put_head(w, DER_SEQUENCE, pair);
	put_head(w, DER_OID, a->n_oid);
	wcur_bytes(w, a->oid, a->n_oid);
	put_head(w, type, n);
	wcur_bytes(w, value, n);
	return 0;
}

int
sec_dn_enc(const char *text, uint8_t *out, size_t cap, size_t *len)
{
	char key[CONF_DN_KEY_MAX], value[CONF_ID_MAX + 1];
	uint8_t body[UINT8_MAX];
	struct wcur w, all;
	int n, err;

	wcur_init(&w, body, sizeof(body));
	while ((n = conf_dn_next(&text, key, value)) > 0)
		if ((err = put_rdn(&w, key, value)) != 0)
			return err;
	if (n < 0 || w.len == 0)
		return ERR_SYNTAX;
	wcur_init(&all, out, cap);
	put_head(&all, DER_SEQUENCE, w.len);
	wcur_bytes(&all, body, w.len);
	if (w.err != 0 || all.err != 0)
		return ERR_LONG;
	*len = all.len;
	return 0;
}
