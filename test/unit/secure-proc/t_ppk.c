/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_ppk.c - mixing a PPK into keys (RFC 8784 3).
 */
#include "secure-proc/keys/ppk.h"
#include "daemon/base/err.h"
#include "spi/spi_crypto.h"
#include "test/unit/secure-proc/kit.h"

static const char conf_text[] =
    "<vpn><realm name='r'><me id='tokyo' psk='k'/>"
    "<peer id='osaka' ppk='p.1'/><peer id='nara'/></realm></vpn>";

static struct conf *c;
static struct sec_store *s;
static struct sec_keys k;
static uint8_t d[48], pi[48], pr[48], id[64];
static char why[200];

static void
begin(void)
{
	kit_begin();
	c = kit_conf(conf_text);
	kit_key("k", "a key");
	kit_key("p.1.ppk", "0x00112233445566778899aabbccddeeff");
	assert_int_equal(sec_store_load(&s, c, kit_dir, geteuid()), 0);
	k = (struct sec_keys){ .conf = c, .store = s };
	memset(d, 1, sizeof(d));
	memset(pi, 2, sizeof(pi));
	memset(pr, 3, sizeof(pr));
}

static void
end(void)
{
	sec_store_free(s);
	conf_free(c);
	kit_end();
}

static struct ipc_ppk
question(bool is_initiator)
{
	return (struct ipc_ppk){ .is_initiator = is_initiator, .prf = 2,
		.realm = is_initiator ? 0 : UINT32_MAX,
		.peer = is_initiator ? 0 : UINT32_MAX,
		.sk_d = { d, 48 }, .sk_pi = { pi, 48 }, .sk_pr = { pr, 48 } };
}

static struct view
identity(const char *name)
{
	memset(id, 0, sizeof(id));
	id[0] = 2;			/* ID_FQDN */
	memcpy(id + 4, name, strlen(name));
	return (struct view){ id, 4 + strlen(name) };
}

TEST(keys_are_mixed_by_one_round_of_prf_plus)
{
	static const uint8_t ppk[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
	    0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	uint8_t text[49], want[64];
	struct view part = { text, sizeof(text) };
	struct ipc_ppk q;
	struct sec_ppk out;

	begin();
	q = question(true);
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)), 0);
	assert_int_equal(out.len, 48);
	assert_int_equal(out.id_len, 4);
	assert_memory_equal(out.id, "\002p.1", 4);
	memcpy(text, pr, 48);
	text[48] = 1;
	assert_int_equal(spi_crypto()->hmac(SPI_HASH_SHA384,
	    (struct view){ ppk, sizeof(ppk) }, &part, 1, want), 0);
	assert_memory_equal(out.sk_pr, want, 48);
	assert_memory_not_equal(out.sk_pi, want, 48);
	assert_memory_not_equal(out.sk_d, want, 48);
	end();
}

TEST(a_responder_finds_the_peer_by_its_identity)
{
	struct ipc_ppk q;
	struct sec_ppk out;

	begin();
	q = question(false);
	q.id_peer = identity("osaka");
	q.ppk_id = (struct view){ (const uint8_t *)"\002p.1", 4 };
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)), 0);
	/* another name, another type */
	q.ppk_id = (struct view){ (const uint8_t *)"\002p.2", 4 };
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)),
			 ERR_NOTFOUND);
	assert_true(out.is_required);
	q.ppk_id = (struct view){ (const uint8_t *)"\001p.1", 4 };
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)),
			 ERR_NOTFOUND);
	/* a peer without one, and a stranger */
	q.id_peer = identity("nara");
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)),
			 ERR_NOTFOUND);
	assert_false(out.is_required);
	q.id_peer = identity("kobe");
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)),
			 ERR_NOTFOUND);
	assert_false(out.is_required);
	end();
}

TEST(hostile_questions_about_a_ppk_are_refused)
{
	struct ipc_ppk q;
	struct sec_ppk out;

	begin();
	q = question(true);
	q.peer = 1;
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)),
			 ERR_NOTFOUND);
	q.peer = 2;
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)),
			 ERR_NOTFOUND);
	q.peer = 0;
	q.realm = 7;
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)),
			 ERR_NOTFOUND);
	q = question(true);
	q.sk_pi.len = 47;
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)),
			 ERR_RANGE);
	q = question(true);
	q.prf = 9;
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)), ERR_ALG);
	q = question(false);
	assert_int_not_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)), 0);
	end();
}

/* ---- RFC 9867 ---------------------------------------------------------------- */

static const uint8_t seed[80] = { 7, 7, 7 };

static struct ipc_ppk
question_int(bool is_initiator)
{
	struct ipc_ppk q = question(is_initiator);

	q.is_int = true;
	q.sk_pi = q.sk_pr = (struct view){ NULL, 0 };
	q.seed = (struct view){ seed, sizeof(seed) };
	return q;
}

/* One PPK_IDENTITY_KEY behind its length; returns where the next one goes. */
static size_t
offer(uint8_t *out, size_t at, const char *ppk_id, const uint8_t proof[8])
{
	size_t n = strlen(ppk_id);

	be16_put(out + at, (uint16_t)(n + 8));
	memcpy(out + at + 2, ppk_id, n);
	memcpy(out + at + 2 + n, proof, 8);
	return at + 2 + n + 8;
}

TEST(the_proof_is_the_prf_of_nonces_and_spis)
{
	static const uint8_t ppk[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
	    0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	uint8_t text[49], want[64];
	struct view part = { seed, sizeof(seed) }, one = { text, 49 };
	struct ipc_ppk q;
	struct sec_ppk out;

	begin();
	q = question_int(true);
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)), 0);
	assert_int_equal(out.id_len, 4);
	assert_memory_equal(out.id, "\002p.1", 4);
	assert_int_equal(spi_crypto()->hmac(SPI_HASH_SHA384,
	    (struct view){ ppk, sizeof(ppk) }, &part, 1, want), 0);
	assert_memory_equal(out.confirm, want, 8);
	memcpy(text, d, 48);		/* SKEYSEED' = prf+ (PPK, SK_d) */
	text[48] = 1;
	assert_int_equal(spi_crypto()->hmac(SPI_HASH_SHA384,
	    (struct view){ ppk, sizeof(ppk) }, &one, 1, want), 0);
	assert_memory_equal(out.sk_d, want, 48);
	end();
}

TEST(a_responder_takes_the_first_offer_that_proves_to_be_its_own)
{
	uint8_t list[200], wrong[8] = { 1 };
	struct sec_ppk own, out;
	struct ipc_ppk q;
	size_t n;

	begin();
	q = question_int(true);
	assert_int_equal(sec_ppk_mix(&k, &q, &own, why, sizeof(why)), 0);
	q = question_int(false);
	n = offer(list, 0, "\002p.2", own.confirm);	/* not ours */
	n = offer(list, n, "\002p.1", wrong);		/* another key */
	n = offer(list, n, "\001p.1", own.confirm);	/* another type */
	q.offers = (struct view){ list, n };
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)),
			 ERR_NOTFOUND);
	assert_int_equal(out.id_len, 0);
	n = offer(list, n, "\002p.1", own.confirm);
	q.offers.len = n;
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)), 0);
	assert_int_equal(out.id_len, 4);
	assert_memory_equal(out.sk_d, own.sk_d, 48);
	end();
}

TEST(hostile_offers_of_a_ppk_are_refused)
{
	uint8_t list[200], proof[8] = { 0 };
	struct sec_ppk out;
	struct ipc_ppk q;
	size_t n;

	begin();
	q = question_int(false);
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)),
			 ERR_NOTFOUND);
	n = offer(list, 0, "\002p.1", proof);
	for (size_t cut = 1; cut < n; cut++) {
		q.offers = (struct view){ list, cut };
		assert_int_equal(sec_ppk_mix(&k, &q, &out, why,
					     sizeof(why)), ERR_SYNTAX);
	}
	be16_put(list, 9);		/* no room for a name */
	q.offers = (struct view){ list, 11 };
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)),
			 ERR_SYNTAX);
	q = question_int(true);
	q.seed.len = 0;
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)),
			 ERR_RANGE);
	q = question_int(true);
	q.peer = 9;
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)),
			 ERR_NOTFOUND);
	q = question_int(true);
	q.sk_d.len = 32;
	assert_int_equal(sec_ppk_mix(&k, &q, &out, why, sizeof(why)),
			 ERR_RANGE);
	end();
}
