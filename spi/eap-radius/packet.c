/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/eap-radius/packet.c - RADIUS messages that carry EAP.
 *
 *   +-------+-------+---------------+----------------+------------------ ...
 *   | Code  |  Id   |    Length     | Authenticator  | Type | Length | Value
 *   +-------+-------+---------------+------ 16 ------+------------------ ...
 *
 * An answer is proved before anything of it is looked at but its frame: first
 * the authenticator (RFC 2865 3), then Message-Authenticator (RFC 3579 3.2).
 *
 * Thread: any after spi_radius_init().
 */
#include "spi/spi_radius.h"
/* OpenSSL has a type of this name; ours is an error. */
#define ERR_STATE ossl_err_state_type
#include <openssl/evp.h>
#undef ERR_STATE
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

#define HEADER	  20
#define VALUE_MAX 253
#define MD5_LEN	  16
#define MD5_BLOCK 64
#define KEY_MAX	  32		/* bytes of one MPPE key we take */
#define CIPHER_MAX 240		/* of its encrypted form, whole blocks */

/* Attributes, RFC 2865 5, RFC 2869 5, RFC 3162. */
enum {
	A_USER_NAME = 1,
	A_FRAMED_MTU = 12,
	A_STATE = 24,
	A_VENDOR = 26,
	A_SESSION_TIMEOUT = 27,
	A_CALLING_STATION = 31,
	A_NAS_ID = 32,
	A_NAS_PORT_TYPE = 61,
	A_EAP_MESSAGE = 79,
	A_MESSAGE_AUTH = 80
};
#define PORT_TYPE_VIRTUAL 5	/* RFC 2865 5.41 */
#define VENDOR_MICROSOFT  311	/* RFC 2548 */
enum {
	MS_MPPE_SEND_KEY = 16,
	MS_MPPE_RECV_KEY = 17
};

static EVP_MD *md5;

static int
hash(const struct view *part, unsigned n, uint8_t out[MD5_LEN])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool is_ok = c != NULL && md5 != NULL &&
	    EVP_DigestInit_ex(c, md5, NULL) == 1;

	for (unsigned i = 0; is_ok && i < n; i++)
		is_ok = EVP_DigestUpdate(c, part[i].p, part[i].len) == 1;
	is_ok = is_ok && EVP_DigestFinal_ex(c, out, NULL) == 1;
	EVP_MD_CTX_free(c);
	return is_ok ? 0 : ERR_CRYPTO;
}

/* HMAC-MD5, RFC 2104, of at most 4 parts. */
static int
hmac(struct view key, const struct view *part, unsigned n, uint8_t out[MD5_LEN])
{
	uint8_t block[MD5_BLOCK] = { 0 }, inner[MD5_LEN];
	struct view all[5] = { { block, sizeof(block) } };
	struct view outer[2] = { { block, sizeof(block) },
				 { inner, sizeof(inner) } };
	int err = 0;

	if (n > 4)
		return ERR_INTERNAL;
	if (key.len > sizeof(block))
		err = hash(&key, 1, block);
	else if (key.len > 0)
		memcpy(block, key.p, key.len);
	for (unsigned i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	for (unsigned i = 0; i < n; i++)
		all[1 + i] = part[i];
	if (err == 0)
		err = hash(all, n + 1, inner);
	for (unsigned i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	if (err == 0)
		err = hash(outer, 2, out);
	wipe(block, sizeof(block));
	wipe(inner, sizeof(inner));
	return err;
}

/* ---- requests ---------------------------------------------------------------- */

static void
put(struct wcur *w, uint8_t type, struct view v)
{
	if (v.len == 0 || v.len > VALUE_MAX)
		return;
	wcur_u8(w, type);
	wcur_u8(w, (uint8_t)(v.len + 2));
	wcur_view(w, v);
}

int
spi_radius_enc(const struct spi_radius_ask *q, struct wcur *out)
{
	static const uint8_t port_type[4] = { 0, 0, 0, PORT_TYPE_VIRTUAL };
	/* RFC 3579 2.4: how large the server's EAP messages may be */
	static const uint8_t mtu[4] = { 0, 0, SPI_EAP_MTU >> 8,
					SPI_EAP_MTU & 0xff };
	uint8_t mac[MD5_LEN];
	size_t start = out->len, mac_at;
	struct view all;
	int err;

	wcur_u8(out, SPI_RADIUS_REQUEST);
	wcur_u8(out, q->id);
	wcur_u16(out, 0);
	wcur_bytes(out, q->auth, sizeof(q->auth));
	wcur_u8(out, A_MESSAGE_AUTH);
	wcur_u8(out, MD5_LEN + 2);
	mac_at = out->len;
	wcur_zero(out, MD5_LEN);
	put(out, A_USER_NAME, q->user);
	put(out, A_NAS_ID, q->nas);
	put(out, A_NAS_PORT_TYPE, (struct view){ port_type, 4 });
	put(out, A_FRAMED_MTU, (struct view){ mtu, 4 });
	put(out, A_CALLING_STATION, q->from);
	/* RFC 3579 3.1: several in a row are one message */
	for (size_t at = 0; at < q->eap.len; at += VALUE_MAX)
		put(out, A_EAP_MESSAGE, (struct view){ q->eap.p + at,
			MIN(q->eap.len - at, (size_t)VALUE_MAX) });
	put(out, A_STATE, q->state);
	if (out->err != 0 || out->len - start > SPI_RADIUS_MAX)
		return ERR_LONG;
	wcur_put16(out, start + 2, (uint16_t)(out->len - start));
	all = (struct view){ out->base + start, out->len - start };
	if ((err = hmac(q->secret, &all, 1, mac)) != 0)
		return err;
	memcpy(out->base + mac_at, mac, sizeof(mac));
	return 0;
}

/* ---- answers ----------------------------------------------------------------- */

struct attr {
	uint8_t type;
	struct view value;
	size_t at;		/* of the value, in the message */
};

/* The next one; 0, ERR_NOTFOUND at the end, ERR_SYNTAX. */
static int
attr_next(struct cur *c, struct attr *a)
{
	uint8_t len;

	if (cur_left(c) == 0)
		return ERR_NOTFOUND;
	if (cur_u8(c, &a->type) != 0 || cur_u8(c, &len) != 0 || len < 2)
		return ERR_SYNTAX;
	a->at = cur_at(c);
	return cur_view(c, len - 2u, &a->value) == 0 ? 0 : ERR_SYNTAX;
}

/* RFC 2865 3: MD5(Code, Id, Length, Request Authenticator, Attributes, Secret) */
static int
authenticator_check(const struct spi_radius_ask *q, struct view in)
{
	const struct view part[4] = {
		{ in.p, 4 }, { q->auth, SPI_RADIUS_AUTH },
		{ in.p + HEADER, in.len - HEADER }, q->secret
	};
	uint8_t want[MD5_LEN];
	int err = hash(part, N_OF(part), want);

	if (err != 0)
		return err;
	return ct_equal(want, in.p + 4, sizeof(want)) ? 0 : ERR_AUTH;
}

/* RFC 3579 3.2: over the message with the request's authenticator in its place
 * and zeros for the value itself.  Exactly one. */
static int
message_auth_check(const struct spi_radius_ask *q, struct view in)
{
	uint8_t copy[SPI_RADIUS_MAX], want[MD5_LEN];
	const struct view all = { copy, in.len };
	struct attr a, found = { 0 };
	struct cur c;
	int err;

	cur_init(&c, in.p, in.len);
	if ((err = cur_skip(&c, HEADER)) != 0)
		return err;
	while ((err = attr_next(&c, &a)) == 0) {
		if (a.type != A_MESSAGE_AUTH)
			continue;
		if (found.type != 0 || a.value.len != MD5_LEN)
			return ERR_AUTH;
		found = a;
	}
	if (err != ERR_NOTFOUND)
		return err;
	if (found.type == 0)
		return ERR_AUTH;
	memcpy(copy, in.p, in.len);
	memcpy(copy + 4, q->auth, SPI_RADIUS_AUTH);
	memset(copy + found.at, 0, MD5_LEN);
	if ((err = hmac(q->secret, &all, 1, want)) != 0)
		return err;
	return ct_equal(want, found.value.p, MD5_LEN) ? 0 : ERR_AUTH;
}

/* RFC 2548 2.4.2: Salt, then the key behind its length, in blocks of MD5. */
static int
key_open(const struct spi_radius_ask *q, struct view v, uint8_t key[KEY_MAX],
	 size_t *len)
{
	uint8_t plain[CIPHER_MAX], pad[MD5_LEN];
	struct view salt, in;
	struct view first[3] = { q->secret, { q->auth, SPI_RADIUS_AUTH } };
	struct view later[2] = { q->secret, { NULL, MD5_LEN } };
	struct cur c;
	int err = 0;

	cur_init(&c, v.p, v.len);
	if (cur_view(&c, 2, &salt) != 0)
		return ERR_SYNTAX;
	cur_rest(&c, &in);
	if (in.len < MD5_LEN || in.len % MD5_LEN != 0 || in.len > sizeof(plain))
		return ERR_SYNTAX;
	first[2] = salt;
	for (size_t at = 0; at < in.len && err == 0; at += MD5_LEN) {
		later[1].p = at == 0 ? NULL : in.p + at - MD5_LEN;
		err = at == 0 ? hash(first, 3, pad) : hash(later, 2, pad);
		for (size_t i = 0; i < MD5_LEN; i++)
			plain[at + i] = in.p[at + i] ^ pad[i];
	}
	if (err == 0 && (plain[0] == 0 || plain[0] > KEY_MAX ||
			 plain[0] > in.len - 1))
		err = ERR_SYNTAX;
	if (err == 0) {
		*len = plain[0];
		memcpy(key, plain + 1, *len);
	}
	wipe(plain, sizeof(plain));
	wipe(pad, sizeof(pad));
	return err;
}

/* Both halves of the MSK, as they come. */
struct halves {
	uint8_t recv[KEY_MAX], send[KEY_MAX];
	size_t recv_len, send_len;
};

static int
vendor_take(const struct spi_radius_ask *q, struct view v, struct halves *h)
{
	uint32_t vendor;
	struct attr a;
	struct cur c;
	int err;

	cur_init(&c, v.p, v.len);
	if (cur_u32(&c, &vendor) != 0)
		return ERR_SYNTAX;
	if (vendor != VENDOR_MICROSOFT)
		return 0;
	while ((err = attr_next(&c, &a)) == 0) {
		if (a.type == MS_MPPE_RECV_KEY)
			err = key_open(q, a.value, h->recv, &h->recv_len);
		else if (a.type == MS_MPPE_SEND_KEY)
			err = key_open(q, a.value, h->send, &h->send_len);
		if (err != 0)
			return err;
	}
	return err == ERR_NOTFOUND ? 0 : err;
}

static int
attr_take(const struct spi_radius_ask *q, const struct attr *a,
	  struct spi_radius_answer *out, struct halves *h)
{
	switch (a->type) {
	case A_EAP_MESSAGE:
		if (a->value.len > sizeof(out->eap) - out->eap_len)
			return ERR_LONG;
		memcpy(out->eap + out->eap_len, a->value.p, a->value.len);
		out->eap_len += a->value.len;
		return 0;
	case A_STATE:
		if (a->value.len > sizeof(out->state))
			return ERR_LONG;
		memcpy(out->state, a->value.p, a->value.len);
		out->state_len = a->value.len;
		return 0;
	case A_USER_NAME:
		if (a->value.len > SPI_EAP_USER_MAX ||
		    memchr(a->value.p, '\0', a->value.len) != NULL)
			return ERR_SYNTAX;
		memcpy(out->user, a->value.p, a->value.len);
		out->user[a->value.len] = '\0';
		return 0;
	case A_SESSION_TIMEOUT:
		if (a->value.len != 4)
			return ERR_SYNTAX;
		out->timeout_s = be32_get(a->value.p);
		return 0;
	case A_VENDOR:
		return vendor_take(q, a->value, h);
	default:
		return 0;
	}
}

static int
attrs_take(const struct spi_radius_ask *q, struct view in,
	   struct spi_radius_answer *out)
{
	struct halves h = { .recv_len = 0 };
	struct attr a;
	struct cur c;
	int err;

	cur_init(&c, in.p, in.len);
	if ((err = cur_skip(&c, HEADER)) != 0)
		return err;
	while ((err = attr_next(&c, &a)) == 0) {
		if ((err = attr_take(q, &a, out, &h)) != 0)
			break;
	}
	if (err == ERR_NOTFOUND)
		err = 0;
	if (err == 0 && out->code == SPI_RADIUS_ACCEPT && h.recv_len > 0 &&
	    h.send_len > 0) {
		/* what the client calls its MSK: receive key, send key */
		memcpy(out->msk, h.recv, h.recv_len);
		memcpy(out->msk + h.recv_len, h.send, h.send_len);
		out->has_msk = true;
	}
	wipe(&h, sizeof(h));
	return err;
}

int
spi_radius_dec(const struct spi_radius_ask *q, struct view in,
	       struct spi_radius_answer *out)
{
	uint8_t code, id;
	uint16_t len;
	struct cur c;
	int err;

	memset(out, 0, sizeof(*out));
	cur_init(&c, in.p, in.len);
	if ((err = cur_u8(&c, &code)) != 0 || (err = cur_u8(&c, &id)) != 0 ||
	    (err = cur_u16(&c, &len)) != 0)
		return err;
	if (len < HEADER || len > in.len)
		return ERR_SHORT;
	if (len > SPI_RADIUS_MAX)
		return ERR_LONG;
	in.len = len;		/* RFC 2865 3: what is behind is padding */
	if (code != SPI_RADIUS_ACCEPT && code != SPI_RADIUS_REJECT &&
	    code != SPI_RADIUS_CHALLENGE)
		return ERR_SYNTAX;
	if (id != q->id)
		return ERR_NOTFOUND;
	if ((err = authenticator_check(q, in)) != 0 ||
	    (err = message_auth_check(q, in)) != 0)
		return err;
	out->code = (enum spi_radius_code)code;
	if ((err = attrs_take(q, in, out)) != 0)
		wipe(out, sizeof(*out));
	return err;
}

int
spi_radius_init(void)
{
	/* RFC 1321 A.5; what the library sets up at first use is set up now */
	static const uint8_t of_abc[MD5_LEN] = {
		0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0,
		0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72
	};
	const struct view abc = { (const uint8_t *)"abc", 3 };
	uint8_t got[MD5_LEN];

	if (md5 == NULL)
		md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	if (md5 == NULL || hash(&abc, 1, got) != 0 ||
	    !ct_equal(got, of_abc, sizeof(got)))
		return ERR_ALG;
	return 0;
}
