/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/gate.c - cookies (RFC 7296 2.6) and puzzles (RFC 8019 7.1), responder.
 *
 *   cookie = info | HMAC-SHA2-256(secret, Ni | IPi | SPIi | info)
 *
 *   info, 6 bytes
 *   +--------+--------+--------+--------+-----------------+
 *   | period | bits   | PRF    | round  | time, seconds   |
 *   +--------+--------+--------+--------+-----------------+
 *
 * period tells the secret.  round counts the puzzles given in a row, 0 = none
 * was; bits and PRF are those of the puzzle.  The time makes the cookies of one
 * initiator, and so the solutions, different each second (section 10).
 *
 * The secret of a period is HMAC(root, period), so that threads need not tell
 * each other of new ones.
 */
#include "ikev2/gate.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/drop.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "ikev2/crypt/puzzle.h"
#include "ikev2/wire/wire.h"
#include "spi/spi_crypto.h"

#define INFO_LEN    6
#define MAC_LEN	    32
#define COOKIE_LEN  (INFO_LEN + MAC_LEN)
#define XCHG_AT	    18		/* in the IKE header */
#define FLAGS_AT    19
#define FLAG_RESPONSE 0x20
#define SLACK_BITS  2		/* so much easier than now asked is good still */
#define FREE_BITS   14		/* enough where no number was asked */

struct ike_gate {
	uint8_t root[IKE_GATE_KEY];	/* immutable */
	_Atomic uint32_t want;		/* level | bits << 8 | chance << 16 */
	/* relaxed; statistics */
	_Atomic uint64_t n_cookie, n_puzzle, n_solved, n_lucky;
};

struct info {
	uint8_t period, bits, prf, round;
	uint16_t time_s;
};

/* What is read of a request, without storing the rest. */
struct request {
	struct ike_hdr h;
	const struct net_ep *remote;
	struct view nonce, cookie, sa;	/* views; len 0 = not there */
	struct ike_ps ps;		/* keys.len 0 = not there */
	struct info info;		/* of a good cookie */
};

const char *
ike_gate_level_name(enum ike_gate_level level)
{
	static const char *const name[] = { "nothing", "cookies", "puzzles" };

	return (unsigned)level < N_OF(name) ? name[level] : "?";
}

static void
count(_Atomic uint64_t *n)
{
	atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

/* ---- secrets ------------------------------------------------------------- */

static int
period_key(const struct ike_gate *g, uint64_t period, uint8_t *out)
{
	uint8_t raw[8];
	struct view part = { raw, sizeof(raw) };

	be64_put(raw, period);
	return spi_crypto()->hmac(SPI_HASH_SHA256, (struct view){ g->root,
	    sizeof(g->root) }, &part, 1, out);
}

static int
seat_renew(const struct ike_gate *g, struct ike_gate_seat *seat,
	   uint64_t now_ms)
{
	uint64_t period = now_ms / IKE_GATE_MS;
	int err;

	if (seat->has_keys && seat->period == period)
		return 0;
	seat->has_keys = false;
	if ((err = period_key(g, period, seat->key[0])) != 0 ||
	    (err = period_key(g, period - 1, seat->key[1])) != 0)
		return err;
	seat->period = period;
	seat->has_keys = true;
	return 0;
}

/* ---- the cookie ---------------------------------------------------------- */

static void
info_put(const struct info *in, uint8_t raw[INFO_LEN])
{
	raw[0] = in->period;
	raw[1] = in->bits;
	raw[2] = in->prf;
	raw[3] = in->round;
	be16_put(raw + 4, in->time_s);
}

static int
cookie_make(const struct ike_gate_seat *seat, const struct request *r,
	    const struct info *info, uint8_t out[COOKIE_LEN])
{
	unsigned age = (uint8_t)((uint8_t)seat->period - info->period);
	uint8_t ispi[8];
	struct view part[] = {
		r->nonce,
		{ r->remote->ip.b, ip_len(&r->remote->ip) },
		{ ispi, sizeof(ispi) },
		{ out, INFO_LEN },
	};

	if (age > 1)
		return ERR_AUTH;
	be64_put(ispi, r->h.ispi);
	info_put(info, out);
	return spi_crypto()->hmac(SPI_HASH_SHA256, (struct view){
	    seat->key[age], IKE_GATE_KEY }, part, N_OF(part), out + INFO_LEN);
}

/* Ours, for this request, and not too old?  Then what it says. */
static bool
cookie_read(const struct ike_gate_seat *seat, struct request *r)
{
	uint8_t want[COOKIE_LEN];
	struct info in;
	struct cur c;

	cur_init(&c, r->cookie.p, r->cookie.len);
	if (r->cookie.len != COOKIE_LEN ||
	    cur_u8(&c, &in.period) != 0 || cur_u8(&c, &in.bits) != 0 ||
	    cur_u8(&c, &in.prf) != 0 || cur_u8(&c, &in.round) != 0 ||
	    cur_u16(&c, &in.time_s) != 0 ||
	    cookie_make(seat, r, &in, want) != 0 ||
	    !ct_equal(want, r->cookie.p, COOKIE_LEN))
		return false;
	r->info = in;
	return true;
}

/* ---- reading ------------------------------------------------------------- */

static int
take(struct request *r, const struct ike_pl *pl)
{
	struct ike_ntf ntf;
	struct cur c;
	int err;

	cur_init(&c, pl->body.p, pl->body.len);
	switch (pl->type) {
	case IKE_PL_SA:
		r->sa = pl->body;
		return 0;
	case IKE_PL_NONCE:
		return dec_nonce(&c, &r->nonce);
	case IKE_PL_PS:
		return dec_ps(&c, &r->ps);
	case IKE_PL_N:
		if ((err = dec_notify(&c, &ntf)) == 0 &&
		    ntf.type == IKE_N_COOKIE)
			r->cookie = ntf.data;
		return err;
	default:
		return 0;
	}
}

/* The name of what is wrong with it, or DROP_END. */
static enum drop
request_read(struct view data, struct request *r)
{
	struct ike_chain chain;
	struct ike_perr perr;
	struct cur c;
	int err;

	if ((err = ike_hdr_decode(data, &r->h)) != 0)
		return err == ERR_VERSION ? DROP_IKE_VERSION :
		    err == ERR_TRAIL ? DROP_IKE_LONG :
		    err == ERR_RANGE ? DROP_IKE_SPI : DROP_IKE_RUNT;
	/* F1: roles, SPIs and id of this exchange are fixed */
	if ((r->h.xchg != IKE_XCHG_IKE_SA_INIT &&
	     r->h.xchg != IKE_XCHG_IKE_SESSION_RESUME) || r->h.is_response ||
	    !r->h.is_initiator || r->h.msgid != 0 || r->h.rspi != 0)
		return DROP_IKE_EXCH;
	cur_init(&c, data.p, data.len);
	if (cur_skip(&c, IKE_HDR_LEN) != 0)
		return DROP_IKE_RUNT;
	cur_rest(&c, &data);
	if ((err = ike_chain_decode(data, r->h.next, &chain, &perr)) != 0)
		return err == ERR_CRITICAL ? DROP_IKE_CRITICAL :
		    DROP_IKE_SYNTAX;
	for (unsigned i = 0; i < chain.n; i++)
		if (take(r, &chain.pl[i]) != 0)
			return DROP_IKE_SYNTAX;
	/* who comes with a ticket has nothing to choose */
	return r->nonce.len > 0 && (r->sa.len > 0 ||
	    r->h.xchg == IKE_XCHG_IKE_SESSION_RESUME) ? DROP_END :
	    DROP_IKE_GRAMMAR;
}

/* ---- answering ----------------------------------------------------------- */

struct judging {
	struct ike_gate *g;
	const struct ike_gate_seat *seat;
	struct ike_gate_want want;
	uint64_t now_ms;
	size_t cap;		/* bytes of the request */
	uint8_t *answer;
	size_t *len;
};

/* RFC 8019 7.1.1: COOKIE, and PUZZLE if one is wanted and can be set. */
static enum ike_gate_verdict
ask(const struct judging *j, const struct request *r, unsigned round)
{
	struct ike_hdr h = { .ispi = r->h.ispi, .major = 2,
		.xchg = r->h.xchg, .is_response = true };
	struct ike_puzzle puzzle = { .bits = j->want.bits };
	struct info info = { .period = (uint8_t)j->seat->period,
		.time_s = (uint16_t)(j->now_ms / 1000) };
	struct view none = { NULL, 0 }, out;
	uint8_t cookie[COOKIE_LEN], raw[3];
	struct ike_build b;
	struct wcur w;

	if (j->want.level == IKE_GATE_PUZZLE)
		puzzle.prf = ike_puzzle_prf(ike_sa_prfs(r->sa));
	if (puzzle.prf != 0) {
		info.bits = puzzle.bits;
		info.prf = (uint8_t)puzzle.prf;
		info.round = (uint8_t)round;
	}
	if (cookie_make(j->seat, r, &info, cookie) != 0)
		return IKE_GATE_DROP;
	ike_build_init(&b, j->answer, IKE_GATE_ANSWER_MAX, &h);
	ike_build_notify(&b, IKE_PROTO_NONE, IKE_N_COOKIE, none,
			 (struct view){ cookie, sizeof(cookie) });
	if (puzzle.prf != 0) {
		wcur_init(&w, raw, sizeof(raw));
		enc_puzzle(&w, &puzzle);
		ike_build_notify(&b, IKE_PROTO_NONE, IKE_N_PUZZLE, none,
				 (struct view){ raw, w.len });
	}
	/* a stranger never gets more than it sent */
	if (ike_build_finish(&b, &out) != 0 || out.len > j->cap) {
		drop_count(DROP_IKE_RATE, 1);
		return IKE_GATE_DROP;
	}
	*j->len = out.len;
	count(&j->g->n_cookie);
	if (puzzle.prf != 0)
		count(&j->g->n_puzzle);
	return IKE_GATE_ANSWER;
}

/* ---- deciding ------------------------------------------------------------ */

/* RFC 8019 7.1, 7.1.5: who returned a cookie but solved nothing has a chance.  One
 * draw a second, so that repeating does not make it better. */
static enum ike_gate_verdict
draw(const struct judging *j, const struct request *r)
{
	uint8_t raw[8], out[MAC_LEN];
	struct view part[] = { r->cookie, { raw, sizeof(raw) } };

	be64_put(raw, j->now_ms / 1000);
	if (j->want.chance > 0 &&
	    spi_crypto()->hmac(SPI_HASH_SHA256, (struct view){ j->seat->key[0],
	    IKE_GATE_KEY }, part, N_OF(part), out) == 0 &&
	    be16_get(out) % 100 < j->want.chance) {
		count(&j->g->n_lucky);
		return IKE_GATE_ADMIT;
	}
	drop_count(DROP_IKE_PUZZLE, 1);
	return IKE_GATE_DROP;
}

/* RFC 8019 7.1.4: the cookie is good, a puzzle was wanted from the first. */
static enum ike_gate_verdict
weigh(const struct judging *j, const struct request *r, struct ike_proof *proof)
{
	unsigned least, enough = j->want.bits;

	if (r->info.round == 0 && ike_puzzle_prf(ike_sa_prfs(r->sa)) == 0)
		return IKE_GATE_ADMIT;	/* to be told NO_PROPOSAL_CHOSEN */
	if (r->info.round == 0)		/* asked for before it came to puzzles */
		return ask(j, r, 1);
	if (r->ps.keys.len == 0 ||
	    ike_puzzle_check(r->info.prf, r->cookie, r->info.bits, &r->ps,
			     &least) != 0)
		return draw(j, r);
	count(&j->g->n_solved);
	enough = enough == 0 ? FREE_BITS : enough > SLACK_BITS ?
	    enough - SLACK_BITS : 0;
	if (least < enough && r->info.round < IKE_GATE_ROUNDS)
		return ask(j, r, r->info.round + 1u);
	/* the choice was the initiator's, twice, and it chose little work */
	if (r->info.bits == 0 && least < FREE_BITS)
		return draw(j, r);
	proof->has_solved = true;
	return IKE_GATE_ADMIT;
}

enum ike_gate_verdict
ike_gate_judge(struct ike_gate *g, struct ike_gate_seat *seat,
	       const struct ike_gate_want *want, const struct net_ep *remote,
	       struct view data, uint64_t now_ms, uint8_t *answer, size_t *len,
	       struct ike_proof *proof)
{
	struct judging j = { g, seat, want != NULL ? *want : ike_gate_get(g),
			     now_ms, data.len, answer, len };
	struct request r = { .remote = remote };
	enum drop d;

	*proof = (struct ike_proof){ .has_cookie = false };
	if (j.want.level == IKE_GATE_OPEN)
		return IKE_GATE_ADMIT;
	if ((d = request_read(data, &r)) != DROP_END) {
		drop_count(d, 1);
		return IKE_GATE_DROP;
	}
	if (seat_renew(g, seat, now_ms) != 0)
		return IKE_GATE_DROP;
	if (r.cookie.len == 0 || !cookie_read(seat, &r)) {
		if (r.cookie.len > 0)
			drop_count(DROP_IKE_COOKIE, 1);
		return ask(&j, &r, 1);
	}
	proof->has_cookie = true;
	proof->tag = be64_get(r.cookie.p + INFO_LEN);
	return j.want.level == IKE_GATE_PUZZLE ? weigh(&j, &r, proof) :
	    IKE_GATE_ADMIT;
}

/* ---- the rest of the face ------------------------------------------------ */

bool
ike_gate_is_mine(struct view data)
{
	return data.len > FLAGS_AT && data.p[XCHG_AT] == IKE_XCHG_IKE_SA_INIT &&
	    (data.p[FLAGS_AT] & FLAG_RESPONSE) == 0;
}

void
ike_gate_set(struct ike_gate *g, const struct ike_gate_want *want)
{
	atomic_store_explicit(&g->want, (uint32_t)want->level |
	    (uint32_t)want->bits << 8 | (uint32_t)want->chance << 16,
	    memory_order_relaxed);
}

struct ike_gate_want
ike_gate_get(const struct ike_gate *g)
{
	uint32_t w = atomic_load_explicit(&g->want, memory_order_relaxed);

	return (struct ike_gate_want){
		.level = (enum ike_gate_level)(w & 0xff),
		.bits = (uint8_t)(w >> 8), .chance = (uint8_t)(w >> 16),
	};
}

void
ike_gate_stats_get(const struct ike_gate *g, struct ike_gate_stats *out)
{
	*out = (struct ike_gate_stats){
		.n_cookie = atomic_load_explicit(&g->n_cookie,
						 memory_order_relaxed),
		.n_puzzle = atomic_load_explicit(&g->n_puzzle,
						 memory_order_relaxed),
		.n_solved = atomic_load_explicit(&g->n_solved,
						 memory_order_relaxed),
		.n_lucky = atomic_load_explicit(&g->n_lucky,
						memory_order_relaxed),
	};
}

void
ike_gate_seat_fini(struct ike_gate_seat *seat)
{
	wipe(seat, sizeof(*seat));
}

int
ike_gate_new(struct ike_gate **out)
{
	struct ike_gate *g = calloc(1, sizeof(*g));
	int err;

	if (g == NULL)
		return ERR_NOMEM;
	if ((err = rng_bytes(g->root, sizeof(g->root))) != 0) {
		free(g);
		return err;
	}
	*out = g;
	return 0;
}

void
ike_gate_free(struct ike_gate *g)
{
	if (g == NULL)
		return;
	wipe(g, sizeof(*g));
	free(g);
}
