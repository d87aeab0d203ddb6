/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/esp_kat.c - known answers every ESP provider must give.
 *
 * AES-GCM: draft-mcgrew-gcm-test-01 (ESP packets, the first with ESN).
 * ChaCha20-Poly1305: RFC 7634 appendix A.
 * AES-CBC with HMAC: computed with libgcrypt 1.10.1 from counting bytes.
 *
 * Each answer is tried sealed apart in three parts, sealed in place, opened,
 * opened with one bit of the ICV, the text, the AAD or the IV changed, and in
 * a batch with a forged neighbour.
 */
#include "spi/spi_esp.h"
#include <string.h>
#include "daemon/base/err.h"

#define TEXT_MAX 96
#define BATCH	 5

struct kat {
	enum vpn_alg alg;
	const char *encr;	/* cipher key and salt */
	const char *integ;
	const char *iv;
	const char *aad;
	const char *tail;
	const char *text;
	const char *sealed;
	const char *icv;
};

#define CBC_IV	 "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
#define CBC_TEXT "101112131415161718191a1b1c1d1e1f" \
		 "202122232425262728292a2b2c2d2e2f"
#define CBC_K128 "000102030405060708090a0b0c0d0e0f"
#define CBC_K256 CBC_K128 "101112131415161718191a1b1c1d1e1f"
#define CBC_C128 "67896c75ba00597bae4779270ef2b108" \
		 "94c0fcebdd5a9c3629c747dbf6e15159"
#define CBC_C256 "965fe30bdce6316a5ec0e066ec3389d4" \
		 "35adcd35993d1a31c1b4c58d278b620a"
#define CBC_I256 "404142434445464748494a4b4c4d4e4f" \
		 "505152535455565758595a5b5c5d5e5f"
#define CBC_I384 CBC_I256 "606162636465666768696a6b6c6d6e6f"
#define CBC_I512 CBC_I384 "707172737475767778797a7b7c7d7e7f"
#define CBC_AAD	 "0102030400000007"
#define CBC_TAIL "00000009"

static const struct kat kats[] = {
	{ VPN_ALG_AES_GCM_128,
	  "4c80cdefbb5d10da906ac73c3613a634" "2e443b68", "",
	  "4956ed7e3b244cfe", "000043218765432100000000", "",
	  "45000048699a000080114db7c0a80102c0a801010a9bf15638d3010000010000"
	  "00000000045f736970045f756470037369700963796265726369747902646b00"
	  "0021000101020201",
	  "fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34"
	  "cfa2436f14a3f3cf65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce"
	  "61bc17d768fd9732", "459018148f6cbe722fd04796562dfdb4" },
	{ VPN_ALG_AES_GCM_256,
	  "abbccddef00112233445566778899aababbccddef00112233445566778899aab"
	  "11223344", "",
	  "0102030405060708", "4a2cbfe300000002", "",
	  "4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee000000000"
	  "7002400020bf0000020405b40101040201020201",
	  "ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763"
	  "748a637985771d347f0545659f14e99def842d8e",
	  "b335f4eecfdbf831824b4c4915956c96" },
	{ VPN_ALG_CHACHA20_POLY1305,
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
	  "a0a1a2a3", "",
	  "1011121314151617", "0102030400000005", "",
	  "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10"
	  "0007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
	  "2425262728292a2b2c2d2e2f303132333435363701020204",
	  "24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c6"
	  "14ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3"
	  "cbec163fac469b502773f6fb94e664da9165b82829f641e0",
	  "76aaa8266b7fb0f7b11b369907e1ad43" },
	{ VPN_ALG_AES_CBC_128_SHA256, CBC_K128, CBC_I256, CBC_IV, CBC_AAD,
	  CBC_TAIL, CBC_TEXT, CBC_C128, "31755c731cf61f8fc4c3487fc2c43bb6" },
	{ VPN_ALG_AES_CBC_128_SHA384, CBC_K128, CBC_I384, CBC_IV, CBC_AAD,
	  CBC_TAIL, CBC_TEXT, CBC_C128,
	  "314e8a4da57b8dccc80bee3541c1ea4d5e3f8d2de1345c5e" },
	{ VPN_ALG_AES_CBC_128_SHA512, CBC_K128, CBC_I512, CBC_IV, CBC_AAD,
	  CBC_TAIL, CBC_TEXT, CBC_C128,
	  "c87298ff9c429c45cae427b96c4cd068748ecb632e938381acff05bf68d4783b" },
	{ VPN_ALG_AES_CBC_256_SHA256, CBC_K256, CBC_I256, CBC_IV, CBC_AAD,
	  CBC_TAIL, CBC_TEXT, CBC_C256, "f643bd99512a1366899dabf3d0f5311b" },
	{ VPN_ALG_AES_CBC_256_SHA384, CBC_K256, CBC_I384, CBC_IV, CBC_AAD,
	  CBC_TAIL, CBC_TEXT, CBC_C256,
	  "b8047f33f8ad0ed45b871972eb6ef06675782a6a1d92de39" },
	{ VPN_ALG_AES_CBC_256_SHA512, CBC_K256, CBC_I512, CBC_IV, CBC_AAD,
	  CBC_TAIL, CBC_TEXT, CBC_C256,
	  "c089c2b6d893858c2e97bbbf923da9aeb0ee64aaba6ad83312a1def3965e1ff8" },
};

/* An answer as bytes. */
struct bytes {
	struct vpn_keys keys;
	uint8_t iv[16];
	uint8_t text[TEXT_MAX];
	uint8_t sealed[TEXT_MAX];
	uint8_t icv[32];
	size_t len, icv_len;
	struct spi_esp_op op;	/* iv, aad and tail are set */
};

static uint8_t
nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The texts above are ours and well formed. */
static size_t
unhex(const char *s, uint8_t *out)
{
	size_t n = 0;

	for (; s[0] != '\0'; s += 2)
		out[n++] = (uint8_t)(nibble(s[0]) << 4 | nibble(s[1]));
	return n;
}

static void
bytes_init(struct bytes *b, const struct kat *k)
{
	memset(b, 0, sizeof(*b));
	unhex(k->encr, b->keys.encr);
	unhex(k->integ, b->keys.integ);
	unhex(k->iv, b->iv);
	b->len = unhex(k->text, b->text);
	unhex(k->sealed, b->sealed);
	b->icv_len = unhex(k->icv, b->icv);
	b->op.iv = b->iv;
	b->op.aad_len = (uint8_t)unhex(k->aad, b->op.aad);
	b->op.tail_len = (uint8_t)unhex(k->tail, b->op.tail);
}

static int
run(const struct spi_esp *p, struct spi_esp_ctx *c, struct spi_esp_op *op,
    bool is_seal)
{
	unsigned n;

	op->is_done = false;
	op->err = ERR_CRYPTO;
	n = is_seal ? p->seal(c, op, 1) : p->open(c, op, 1);
	while (n == 0)
		n += p->poll(c);
	return op->is_done ? op->err : ERR_CRYPTO;
}

static int
check_seal(const struct spi_esp *p, struct spi_esp_ctx *c,
	   const struct bytes *b, bool is_in_place)
{
	uint8_t out[TEXT_MAX], icv[32];
	struct spi_esp_op op = b->op;

	op.out = out;
	op.icv = icv;
	if (is_in_place) {
		memcpy(out, b->text, b->len);
		op.n_part = 1;
		op.part[0] = (struct view){ out, b->len };
	} else {
		op.n_part = 3;
		op.part[0] = (struct view){ b->text, 2 };
		op.part[1] = (struct view){ b->text + 2, b->len - 7 };
		op.part[2] = (struct view){ b->text + b->len - 5, 5 };
	}
	if (run(p, c, &op, true) != 0 || memcmp(out, b->sealed, b->len) != 0 ||
	    memcmp(icv, b->icv, b->icv_len) != 0)
		return ERR_CRYPTO;
	return 0;
}

/* flip: 0 = nothing, 1 = ICV, 2 = text, 3 = AAD, 4 = IV. */
static int
check_open(const struct spi_esp *p, struct spi_esp_ctx *c,
	   const struct bytes *b, int flip)
{
	uint8_t buf[TEXT_MAX], icv[32], iv[16];
	struct spi_esp_op op = b->op;
	int err;

	memcpy(buf, b->sealed, b->len);
	memcpy(icv, b->icv, b->icv_len);
	memcpy(iv, b->iv, sizeof(iv));
	op.n_part = 1;
	op.part[0] = (struct view){ buf, b->len };
	op.out = buf;
	op.icv = icv;
	op.iv = iv;
	icv[b->icv_len - 1] ^= flip == 1;
	buf[b->len - 1] ^= flip == 2;
	op.aad[0] ^= flip == 3;
	iv[0] ^= flip == 4;
	err = run(p, c, &op, false);
	if (flip != 0)
		return err == ERR_ICV ? 0 : ERR_CRYPTO;
	return err == 0 && memcmp(buf, b->text, b->len) == 0 ? 0 : ERR_CRYPTO;
}

/* A batch in place; opening, the one in the middle is forged. */
static int
check_batch(const struct spi_esp *p, struct spi_esp_ctx *c,
	    const struct bytes *b, bool is_seal)
{
	const uint8_t *want = is_seal ? b->sealed : b->text;
	uint8_t buf[BATCH][TEXT_MAX], icv[BATCH][32];
	struct spi_esp_op op[BATCH];
	unsigned done, bad = is_seal ? BATCH : BATCH / 2;

	for (unsigned i = 0; i < BATCH; i++) {
		memcpy(buf[i], is_seal ? b->text : b->sealed, b->len);
		memcpy(icv[i], b->icv, b->icv_len);
		op[i] = b->op;
		op[i].n_part = 1;
		op[i].part[0] = (struct view){ buf[i], b->len };
		op[i].out = buf[i];
		op[i].icv = icv[i];
		op[i].err = ERR_CRYPTO;
		icv[i][0] ^= is_seal || i == bad;
	}
	done = is_seal ? p->seal(c, op, BATCH) : p->open(c, op, BATCH);
	while (done < BATCH)
		done += p->poll(c);
	for (unsigned i = 0; i < BATCH; i++)
		if (!op[i].is_done || op[i].err != (i == bad ? ERR_ICV : 0) ||
		    (i != bad && (memcmp(buf[i], want, b->len) != 0 ||
				  memcmp(icv[i], b->icv, b->icv_len) != 0)))
			return ERR_CRYPTO;
	return 0;
}

static int
check_kat(const struct spi_esp *p, const struct kat *k)
{
	struct spi_esp_ctx *c = NULL;
	struct bytes b;
	int err;

	bytes_init(&b, k);
	if ((err = p->ctx_new(&c, k->alg, &b.keys, true)) != 0)
		return err;
	/* Twice with one context: the kept key must survive. */
	if ((err = check_seal(p, c, &b, false)) == 0)
		err = check_seal(p, c, &b, true);
	if (err == 0)
		err = check_batch(p, c, &b, true);
	p->ctx_free(c);
	if (err != 0 || (err = p->ctx_new(&c, k->alg, &b.keys, false)) != 0)
		return err;
	for (int flip = 0; flip <= 4 && err == 0; flip++)
		err = check_open(p, c, &b, flip);
	if (err == 0)
		err = check_batch(p, c, &b, false);
	if (err == 0)
		err = check_open(p, c, &b, 0);
	p->ctx_free(c);
	return err;
}

int
spi_esp_check(const struct spi_esp *p)
{
	if (p->head.version != SPI_VERSION || p->init() != 0 ||
	    !p->has_alg(VPN_ALG_AES_GCM_128) ||
	    !p->has_alg(VPN_ALG_AES_GCM_256))
		return ERR_CRYPTO;
	for (size_t i = 0; i < N_OF(kats); i++)
		if (p->has_alg(kats[i].alg) && check_kat(p, &kats[i]) != 0)
			return ERR_CRYPTO;
	return 0;
}
