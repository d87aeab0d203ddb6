/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/eap-mschapv2/mschapv2.c - EAP-MSCHAPv2, both ends
 * (draft-kamath-pppext-eap-mschapv2-02 over RFC 2759 and RFC 3079).
 *
 *   server                                        client
 *     Challenge { 16 bytes, name }          -->
 *                                           <--   Response { 16, 24 bytes, name }
 *     Success { "S=..." } or Failure        -->
 *                                           <--   Success or Failure (one byte)
 *
 *   type data:
 *   +--------+--------+-----------------+----------- ...
 *   | OpCode | MS id  |  MS length      |  as above
 *   +--------+--------+-----------------+----------- ...
 *
 * Who is not known is asked and refused exactly as who has a wrong password:
 * the computation is done with a hash that nobody has.
 *
 * Thread: that of the conversation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "spi/eap-mschapv2/mschap.h"
#include "spi/spi_eap.h"

#define RESPONSE_VALUE 49	/* challenge 16, reserved 8, response 24, flags */
#define RESERVED       8
#define WORDS_MAX      256	/* bytes of a Failure's words we read; ours */

enum opcode {
	OP_CHALLENGE = 1,
	OP_RESPONSE = 2,
	OP_SUCCESS = 3,
	OP_FAILURE = 4
};

enum phase {
	P_START,	/* nothing was said */
	P_CHALLENGED,	/* server: sent it; client: answered it */
	P_PROVED,	/* server: Success is sent */
	P_REFUSED,	/* server: Failure is sent */
	P_OVER
};

struct spi_eap_run {
	enum phase phase;
	struct spi_eap_conf conf;
	char user[SPI_EAP_USER_MAX + 1];
	char name[SPI_EAP_USER_MAX + 1];
	struct mschap x;
	uint8_t hash[MSCHAP_HASH];
	uint8_t response[MSCHAP_RESPONSE];
};

extern const struct spi_eap spi_eap_mschapv2;

static enum spi_eap_end
fail(struct spi_eap_run *r, struct spi_eap_result *res, const char *why)
{
	r->phase = P_OVER;
	str_copy(res->why, sizeof(res->why), why);
	return SPI_EAP_FAIL;
}

/* Opcode, id and length; the length is put in by finish(). */
static void
begin(struct wcur *out, enum opcode op, uint8_t id)
{
	wcur_u8(out, (uint8_t)op);
	wcur_u8(out, id);
	wcur_u16(out, 0);
}

static void
finish(struct wcur *out, size_t start)
{
	if (out->err == 0)
		wcur_put16(out, start + 2, (uint16_t)(out->len - start));
}

/* MSK: what goes to the server, what goes to the client, zeros. */
static int
keys(const struct spi_eap_run *r, struct spi_eap_result *res)
{
	memset(res->msk, 0, sizeof(res->msk));
	return mschap_keys(r->hash, r->response, res->msk,
			   res->msk + MSCHAP_KEY);
}

static enum spi_eap_end
done(struct spi_eap_run *r, struct spi_eap_result *res)
{
	if (keys(r, res) != 0)
		return fail(r, res, "the session key cannot be computed");
	str_copy(res->user, sizeof(res->user), r->user);
	r->phase = P_OVER;
	return SPI_EAP_DONE;
}

/* ---- server ---------------------------------------------------------------- */

static enum spi_eap_end
server_start(struct spi_eap_run *r, uint8_t id, struct wcur *out,
	     struct spi_eap_result *res)
{
	size_t start = out->len;

	if (rng_bytes(r->x.server, sizeof(r->x.server)) != 0)
		return fail(r, res, "no random numbers");
	begin(out, OP_CHALLENGE, id);
	wcur_u8(out, MSCHAP_CHALLENGE);
	wcur_bytes(out, r->x.server, sizeof(r->x.server));
	wcur_bytes(out, r->name, strlen(r->name));
	finish(out, start);
	r->phase = P_CHALLENGED;
	return SPI_EAP_MORE;
}

/* E=691: authentication failure; R=0: no other try in this conversation. */
static enum spi_eap_end
server_refuse(struct spi_eap_run *r, uint8_t id, struct wcur *out)
{
	char words[80], hex[2 * MSCHAP_CHALLENGE + 1];
	size_t start = out->len;

	str_hex(hex, sizeof(hex), r->x.server, sizeof(r->x.server));
	snprintf(words, sizeof(words), "E=691 R=0 C=%s V=3 M=Refused", hex);
	begin(out, OP_FAILURE, id);
	wcur_bytes(out, words, strlen(words));
	finish(out, start);
	r->phase = P_REFUSED;
	return SPI_EAP_MORE;
}

/* The name in a response is the identity the conversation began with; a domain
 * in front does not count, as it is not part of what is computed. */
static bool
is_same_user(const struct spi_eap_run *r, struct view name)
{
	struct view got = mschap_user(name);
	struct view want = mschap_user(
	    (struct view){ (const uint8_t *)r->user, strlen(r->user) });

	return got.len == want.len && got.len > 0 &&
	    memcmp(got.p, want.p, got.len) == 0;
}

static int
response_read(struct cur *c, struct spi_eap_run *r, struct view *name)
{
	uint8_t size;
	int err;

	if ((err = cur_skip(c, 3)) != 0 ||	/* MS id and length */
	    (err = cur_u8(c, &size)) != 0)
		return err;
	if (size != RESPONSE_VALUE)
		return ERR_SYNTAX;
	if ((err = cur_copy(c, r->x.peer, sizeof(r->x.peer))) != 0 ||
	    (err = cur_skip(c, RESERVED)) != 0 ||
	    (err = cur_copy(c, r->response, sizeof(r->response))) != 0 ||
	    (err = cur_skip(c, 1)) != 0)	/* flags: zero, RFC 2759 4 */
		return err;
	cur_rest(c, name);
	return name->len <= SPI_EAP_USER_MAX ? 0 : ERR_LONG;
}

static enum spi_eap_end
server_response(struct spi_eap_run *r, uint8_t id, struct cur *c,
		struct wcur *out, struct spi_eap_result *res)
{
	uint8_t want[MSCHAP_RESPONSE], proof[MSCHAP_PROOF];
	size_t start = out->len;
	struct view name;
	bool is_known, is_equal;

	if (response_read(c, r, &name) != 0)
		return fail(r, res, "malformed response of MSCHAPv2");
	r->x.user = name;
	is_known = r->conf.host->nt_hash(r->conf.ctx,
	    (struct view){ (const uint8_t *)r->user, strlen(r->user) },
	    r->hash) == 0;
	if (!is_known && rng_bytes(r->hash, sizeof(r->hash)) != 0)
		return fail(r, res, "no random numbers");
	if (mschap_response(&r->x, r->hash, want) != 0 ||
	    mschap_proof(&r->x, r->hash, r->response, proof) != 0)
		return fail(r, res, "MSCHAPv2 cannot be computed");
	is_equal = ct_equal(want, r->response, sizeof(want));
	wipe(want, sizeof(want));
	if (!is_known || !is_equal || !is_same_user(r, name)) {
		str_copy(res->why, sizeof(res->why), !is_known ?
			 "no such user" : !is_equal ? "wrong password" :
			 "another user answers than the one who came");
		return server_refuse(r, id, out);
	}
	begin(out, OP_SUCCESS, id);
	wcur_bytes(out, proof, sizeof(proof));
	wcur_bytes(out, " M=OK", 5);
	finish(out, start);
	r->phase = P_PROVED;
	return SPI_EAP_MORE;
}

static enum spi_eap_end
server_step(struct spi_eap_run *r, uint8_t id, struct view in, struct wcur *out,
	    struct spi_eap_result *res)
{
	struct cur c;
	uint8_t op;

	if (r->phase == P_START)
		return server_start(r, id, out, res);
	cur_init(&c, in.p, in.len);
	if (cur_u8(&c, &op) != 0)
		return fail(r, res, "malformed message of MSCHAPv2");
	if (r->phase == P_CHALLENGED && op == OP_RESPONSE)
		return server_response(r, id, &c, out, res);
	if (r->phase == P_PROVED && op == OP_SUCCESS)
		return done(r, res);
	if (r->phase == P_PROVED)
		return fail(r, res, "the client does not believe us: another "
			    "server or another password?");
	if (r->phase == P_REFUSED) {
		r->phase = P_OVER;	/* why stands from before */
		return SPI_EAP_FAIL;
	}
	return fail(r, res, "message of MSCHAPv2 out of order");
}

/* ---- client ---------------------------------------------------------------- */

static int
challenge_read(struct cur *c, struct spi_eap_run *r, uint8_t *ms_id)
{
	uint8_t size;
	int err;

	if ((err = cur_u8(c, ms_id)) != 0 || (err = cur_skip(c, 2)) != 0 ||
	    (err = cur_u8(c, &size)) != 0)
		return err;
	if (size != MSCHAP_CHALLENGE)
		return ERR_SYNTAX;
	return cur_copy(c, r->x.server, sizeof(r->x.server));
}

static enum spi_eap_end
client_challenge(struct spi_eap_run *r, struct cur *c, struct wcur *out,
		 struct spi_eap_result *res)
{
	struct view user = { (const uint8_t *)r->user, strlen(r->user) };
	size_t start = out->len;
	uint8_t ms_id;

	if (challenge_read(c, r, &ms_id) != 0)
		return fail(r, res, "malformed challenge of MSCHAPv2");
	if (r->conf.host->nt_hash(r->conf.ctx, user, r->hash) != 0)
		return fail(r, res, "no password");
	if (rng_bytes(r->x.peer, sizeof(r->x.peer)) != 0)
		return fail(r, res, "no random numbers");
	r->x.user = user;
	if (mschap_response(&r->x, r->hash, r->response) != 0)
		return fail(r, res, "MSCHAPv2 cannot be computed");
	begin(out, OP_RESPONSE, ms_id);
	wcur_u8(out, RESPONSE_VALUE);
	wcur_bytes(out, r->x.peer, sizeof(r->x.peer));
	wcur_zero(out, RESERVED);
	wcur_bytes(out, r->response, sizeof(r->response));
	wcur_u8(out, 0);
	wcur_view(out, user);
	finish(out, start);
	r->phase = P_CHALLENGED;
	return SPI_EAP_MORE;
}

static enum spi_eap_end
client_success(struct spi_eap_run *r, struct cur *c, struct wcur *out,
	       struct spi_eap_result *res)
{
	uint8_t want[MSCHAP_PROOF];
	struct view got;

	if (mschap_proof(&r->x, r->hash, r->response, want) != 0)
		return fail(r, res, "MSCHAPv2 cannot be computed");
	if (cur_skip(c, 3) != 0 || cur_view(c, sizeof(want), &got) != 0 ||
	    !ct_equal(want, got.p, sizeof(want)))
		return fail(r, res, "the server does not know our password");
	wcur_u8(out, OP_SUCCESS);
	return done(r, res);
}

/* Error codes, RFC 2759 section 6. */
static const char *
failure_text(unsigned long code)
{
	switch (code) {
	case 646:
		return "not at this hour";
	case 647:
		return "the account is disabled";
	case 648:
		return "the password has expired";
	case 649:
		return "no permission to dial in";
	case 691:
		return "wrong user name or password";
	default:
		return "refused by the server";
	}
}

static enum spi_eap_end
client_failure(struct spi_eap_run *r, struct cur *c, struct wcur *out,
	       struct spi_eap_result *res)
{
	char words[WORDS_MAX + 1];
	unsigned long code = 0;
	const char *at;
	struct view v;

	if (cur_skip(c, 3) == 0) {
		cur_rest(c, &v);
		v.len = MIN(v.len, (size_t)WORDS_MAX);
		if (v.len > 0)
			memcpy(words, v.p, v.len);
		words[v.len] = '\0';
		at = strstr(words, "E=");
		code = at != NULL ? strtoul(at + 2, NULL, 10) : 0;
	}
	wcur_u8(out, OP_FAILURE);	/* no second try: the password stays */
	return fail(r, res, failure_text(code));
}

static enum spi_eap_end
client_step(struct spi_eap_run *r, struct view in, struct wcur *out,
	    struct spi_eap_result *res)
{
	struct cur c;
	uint8_t op;

	cur_init(&c, in.p, in.len);
	if (cur_u8(&c, &op) != 0)
		return fail(r, res, "malformed message of MSCHAPv2");
	if (r->phase == P_START && op == OP_CHALLENGE)
		return client_challenge(r, &c, out, res);
	if (r->phase == P_CHALLENGED && op == OP_SUCCESS)
		return client_success(r, &c, out, res);
	if (r->phase == P_CHALLENGED && op == OP_FAILURE)
		return client_failure(r, &c, out, res);
	return fail(r, res, "message of MSCHAPv2 out of order");
}

/* ---- the method ------------------------------------------------------------ */

static enum spi_eap_end
step(struct spi_eap_run *r, uint8_t id, struct view in, struct wcur *out,
     struct spi_eap_result *res)
{
	if (r->phase == P_OVER)
		return fail(r, res, "the conversation is over");
	return r->conf.is_server ? server_step(r, id, in, out, res) :
	    client_step(r, in, out, res);
}

static int
take(char *to, struct view from)
{
	if (from.len > SPI_EAP_USER_MAX)
		return ERR_LONG;
	if (from.len > 0)
		memcpy(to, from.p, from.len);
	to[from.len] = '\0';
	return 0;
}

static int
run_open(const struct spi_eap_conf *c, struct spi_eap_run **out)
{
	struct spi_eap_run *r = secret_alloc(sizeof(*r));
	int err;

	if (r == NULL)
		return ERR_NOMEM;
	r->conf = *c;
	if ((err = take(r->user, c->user)) != 0 ||
	    (err = take(r->name, c->name)) != 0) {
		secret_free(r);
		return err;
	}
	*out = r;
	return 0;
}

static void
run_close(struct spi_eap_run *r)
{
	secret_free(r);
}

const struct spi_eap spi_eap_mschapv2 = {
	.head = { SPI_VERSION, "mschapv2", "user name and password" },
	.type = SPI_EAP_MSCHAPV2,
	.flags = SPI_EAP_F_MUTUAL,
	.init = mschap_init,
	.open = run_open,
	.close = run_close,
	.step = step,
};

int
spi_eap_nt_hash(struct view password, uint8_t out[SPI_EAP_NT_HASH])
{
	return mschap_hash(password, out);
}
