/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/serve_ticket.c - handlers of session resumption (RFC 5723).
 *
 *   TICKET_SEAL  an authenticated handle, SK_d        -> a ticket
 *   TICKET_OPEN  a new handle, a ticket, both nonces  -> SKEYSEED
 *
 * The gateway gives what it sealed to its peer; who dialled keeps its own.  SK_d
 * never leaves again, only what follows from it and the new nonces.
 *
 * Thread: the only one.
 */
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "secure-proc/keys/ticket.h"
#include "secure-proc/serve_priv.h"
#include "spi/spi_crypto.h"

static struct sec_now
now_get(void)
{
	return (struct sec_now){ clk_ms() / 1000, (uint64_t)clk_wall_s() };
}

int
sec_on_ticket_seal(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	const struct ipc_ticket_seal *q = &m->u.ticket_seal;
	struct sec_now now = now_get();
	uint8_t out[SEC_TICKET_MAX];
	struct sec_ticket t = { .prf = q->prf, .sk_d = q->sk_d,
		.until_s = now.s + q->life_s };
	struct ipc_msg a;
	size_t len;
	int err;

	if (sa == NULL || sec_auth_ticket(&s->keys, &sa->auth, &t) != 0)
		return sec_refuse(s, m, ERR_STATE, "not authenticated");
	if (q->sk_d.len == 0 || q->sk_d.len != sec_prf_len(q->prf))
		return sec_refuse(s, m, ERR_RANGE, "SK_d has the wrong length");
	memcpy(t.suite, q->suite, sizeof(t.suite));
	t.lists = s->lists;
	t.shown = (struct view){ sa->shown, sa->has_shown ?
	    sizeof(sa->shown) : 0 };
	if ((err = sec_ticket_seal(s->tickets, &t, now, out, &len)) != 0)
		return sec_refuse(s, m, err, NULL);
	ipc_msg_answer(&a, m, 0, NULL);
	a.u.ticket_seal_ok.sealed = (struct view){ out, len };
	a.u.ticket_seal_ok.life_s = (uint32_t)(t.until_s - now.s);
	return sec_answer(s, &a, NULL, 0);
}

/* SKEYSEED = prf(SK_d, "Resumption" | Ni | Nr), 5.1. */
static int
seed_make(const struct sec_ticket *t, const struct ipc_ticket_open *q,
	  uint8_t *out, size_t *len)
{
	static const enum spi_hash hash[] = { SPI_HASH_NONE, SPI_HASH_SHA256,
		SPI_HASH_SHA384, SPI_HASH_SHA512 };
	static const char text[] = "Resumption";
	struct view part[] = { { (const uint8_t *)text, sizeof(text) - 1 },
		q->ni, q->nr };

	if (t->prf >= N_OF(hash) || t->sk_d.len != sec_prf_len(t->prf))
		return ERR_ALG;
	*len = t->sk_d.len;
	return spi_crypto()->hmac(hash[t->prf], t->sk_d, part, N_OF(part), out);
}

/* Who has a certificate that may have been revoked since, and who showed what is not
 * known any more, has to show it again. */
static bool
is_stale(const struct sec_serve *s, const struct sec_ticket *t)
{
	struct view is = sec_showns_find(s->showns, t->shown);
	struct sec_shown x;

	if (t->shown.len == 0)
		return false;
	if (is.len == 0 || sec_shown_dec(is, &x) != 0)
		return true;
	return (x.kind == SEC_SHOWN_CERT || x.kind == SEC_SHOWN_TLS) &&
	    t->lists != s->lists;
}

int
sec_on_ticket_open(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	const struct ipc_ticket_open *q = &m->u.ticket_open;
	uint8_t buf[SEC_TICKET_MAX], seed[SEC_PRF_MAX];
	struct sec_ticket t;
	struct ipc_msg a;
	size_t len = 0;
	int err;

	err = sec_ticket_open(s->tickets, q->sealed, now_get(), buf, &t);
	if (err == 0 && is_stale(s, &t))
		err = ERR_AUTH;
	if (err == 0 && (err = seed_make(&t, q, seed, &len)) == 0)
		err = sec_auth_resume(&s->keys, &sa->auth, q, &t);
	if (err == 0 && (sa->has_shown = t.shown.len == sizeof(sa->shown)))
		memcpy(sa->shown, t.shown.p, sizeof(sa->shown));
	if (err != 0)
		sa->auth.phase = SEC_P_FAILED;
	ipc_msg_answer(&a, m, err, err != 0 ? "the ticket is not good (any "
	    "more)" : NULL);
	if (err == 0) {
		memcpy(a.u.ticket_open_ok.suite, t.suite, sizeof(t.suite));
		a.u.ticket_open_ok.seed = (struct view){ seed, len };
	}
	err = sec_answer(s, &a, NULL, 0);
	wipe(buf, sizeof(buf));
	wipe(seed, sizeof(seed));
	return err;
}

int
sec_ticket_spend(struct sec_serve *s, const struct sec_auth *a)
{
	const struct sec_ticket t = { .serial = a->ticket_serial,
		.until_s = a->ticket_until_s };

	return sec_ticket_use(s->tickets, &t, now_get().s);
}
