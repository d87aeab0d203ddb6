/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_serve_ticket.c - session resumption, and what one tries
 * with other people's tickets (RFC 5723).
 */
#include "test/lib/test.h"
#include <string.h>
#include "spi/spi_crypto.h"
#include "test/unit/secure-proc/serve_kit.h"

static uint8_t sk_d[32] = { 7 }, sealed[512], seed[64];
static size_t sealed_len, seed_len;

static int
seal(uint32_t handle)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_TICKET_SEAL);
	m.ticket = 5;
	m.handle = handle;
	m.u.ticket_seal.prf = 1;
	m.u.ticket_seal.suite[3] = 20;
	m.u.ticket_seal.sk_d = (struct view){ sk_d, sizeof(sk_d) };
	m.u.ticket_seal.life_s = 600;
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.type, IPC_TICKET_SEAL_OK);
	return w.last.err;
}

/* catch() keeps no views of these: the answer is taken while it is sent. */
static int
take(void *ctx, const struct ipc_msg *m, const int *fds, unsigned n_fd)
{
	if (m->type == IPC_TICKET_SEAL_OK && m->err == 0) {
		sealed_len = m->u.ticket_seal_ok.sealed.len;
		memcpy(sealed, m->u.ticket_seal_ok.sealed.p, sealed_len);
	}
	if (m->type == IPC_TICKET_OPEN_OK && m->err == 0) {
		seed_len = m->u.ticket_open_ok.seed.len;
		memcpy(seed, m->u.ticket_open_ok.seed.p, seed_len);
	}
	return catch(ctx, m, fds, n_fd);
}

static void
begin(void)
{
	struct ipc_msg m = hello();

	world_begin();
	assert_int_equal(sec_serve_new(&w.s, &w.sc, take, NULL, w.now_ms), 0);
	assert_int_equal(say(&m), 0);
	authenticate(1);
	assert_int_equal(seal(1), 0);
	w.req = kit_resume(true);
	w.resp = kit_resume(false);
}

static int
open_as(uint32_t handle, bool is_initiator)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_TICKET_OPEN);
	m.ticket = 6;
	m.handle = handle;
	m.u.ticket_open.is_initiator = is_initiator;
	m.u.ticket_open.ispi = KIT_ISPI;
	m.u.ticket_open.ni = (struct view){ kit_ni, sizeof(kit_ni) };
	m.u.ticket_open.nr = (struct view){ kit_nr, sizeof(kit_nr) };
	m.u.ticket_open.sealed = (struct view){ sealed, sealed_len };
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.type, IPC_TICKET_OPEN_OK);
	return w.last.err;
}

/* VERIFY of who calls itself id, and knows SK_pi or not. */
static int
come(uint32_t handle, const char *id, bool knows)
{
	struct ipc_msg m = verify(handle);
	struct sec_octets in = {
		.prf = 1, .init_msg = { w.req.b, w.req.len },
		.nonce = { kit_nr, 32 }, .sk_p = { w.sk_pi, 32 },
		.id = kit_id(w.idbuf, 2, id),
	};
	size_t n;

	if (knows)
		assert_int_equal(sec_resume_auth(&in, w.tokyo_auth, &n), 0);
	m.u.verify.id_peer = in.id;
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.type, IPC_VERIFY_OK);
	return w.last.err;
}

static int
finish(uint32_t handle)
{
	struct ipc_msg m = sign(handle);

	assert_int_equal(say(&m), 0);
	return w.last.err;
}

TEST(who_was_authenticated_comes_back_to_the_same_place_by_a_ticket)
{
	struct view part[3] = { { (const uint8_t *)"Resumption", 10 },
		{ kit_ni, 32 }, { kit_nr, 32 } };
	uint8_t want[32];

	begin();
	assert_int_equal(open_as(2, false), 0);
	assert_int_equal(w.last.u.ticket_open_ok.suite[3], 20);
	assert_int_equal(spi_crypto()->hmac(SPI_HASH_SHA256, (struct view){
	    sk_d, 32 }, part, 3, want), 0);
	assert_int_equal(seed_len, 32);
	assert_memory_equal(seed, want, 32);
	assert_int_equal(come(2, "tokyo", true), 0);
	assert_int_equal(w.last.u.verify_ok.realm, 0);
	assert_int_equal(w.last.u.verify_ok.peer, 0);
	assert_string_equal(w.last.u.verify_ok.id_text, "tokyo");
	assert_int_equal(route(2, 0, true, "10.2.0.0/24"), ERR_PERM);
	assert_int_equal(finish(2), 0);
	assert_int_equal(route(2, 0, true, "10.2.0.0/24"), 0);
	assert_false(w.has_leaked);
	world_end();
}

TEST(a_resumed_sa_gets_the_next_ticket)
{
	begin();
	assert_int_equal(open_as(2, false), 0);
	assert_int_equal(come(2, "tokyo", true), 0);
	assert_int_equal(finish(2), 0);
	assert_int_equal(seal(2), 0);
	assert_int_equal(open_as(3, false), 0);
	world_end();
}

TEST(a_ticket_opens_one_sa_only)
{
	begin();
	assert_int_equal(open_as(2, false), 0);
	assert_int_equal(open_as(3, false), 0);		/* both under way */
	assert_int_equal(come(2, "tokyo", true), 0);
	assert_int_equal(come(3, "tokyo", true), 0);
	assert_int_equal(finish(2), 0);
	assert_int_not_equal(finish(3), 0);
	assert_int_equal(route(3, 0, true, "10.2.0.0/24"), ERR_PERM);
	assert_int_equal(open_as(4, false), ERR_AUTH);
	world_end();
}

TEST(nobody_comes_by_a_ticket_as_somebody_else)
{
	begin();
	assert_int_equal(open_as(2, false), 0);
	assert_int_equal(come(2, "nara", true), ERR_AUTH); /* another realm */
	assert_int_not_equal(finish(2), 0);
	world_end();
}

TEST(who_stole_a_ticket_does_not_know_the_keys)
{
	begin();
	assert_int_equal(open_as(2, false), 0);
	assert_int_equal(come(2, "tokyo", false), ERR_AUTH);
	assert_int_equal(open_as(3, false), 0);	/* and it is not used up */
	assert_int_equal(come(3, "tokyo", true), 0);
	assert_int_equal(finish(3), 0);
	world_end();
}

TEST(a_pre_shared_key_does_not_stand_in_for_the_keys_of_a_ticket)
{
	struct ipc_msg m;

	begin();
	assert_int_equal(open_as(2, false), 0);
	m = verify(2);			/* AUTH by the key, which is right */
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_AUTH);
	world_end();
}

TEST(a_ticket_of_a_gateway_is_none_for_who_dials)
{
	begin();
	assert_int_equal(open_as(2, true), ERR_AUTH);
	world_end();
}

TEST(a_changed_ticket_and_one_of_another_process_are_no_good)
{
	struct ipc_msg m = hello();

	begin();
	sealed[sealed_len / 2] ^= 1;
	assert_int_equal(open_as(2, false), ERR_AUTH);
	sealed[sealed_len / 2] ^= 1;
	sec_serve_free(w.s);
	assert_int_equal(sec_serve_new(&w.s, &w.sc, take, NULL, w.now_ms), 0);
	assert_int_equal(say(&m), 0);
	assert_int_equal(open_as(3, false), ERR_AUTH);
	world_end();
}

TEST(only_an_authenticated_sa_gets_a_ticket)
{
	struct ipc_msg m;

	begin();
	assert_int_equal(seal(2), ERR_STATE);
	w.req = kit_init(true);
	m = verify(3);
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, 0);
	assert_int_equal(seal(3), ERR_STATE);
	world_end();
}

TEST(a_ticket_counts_for_the_exchange_it_came_in_only)
{
	struct ipc_msg m;

	begin();
	assert_int_equal(open_as(2, false), 0);
	w.req = kit_init(true);			/* IKE_SA_INIT in its place */
	assert_int_equal(come(2, "tokyo", true), ERR_STATE);
	w.req = kit_resume(true);
	m = verify(3);				/* and RESUME without a ticket */
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_STATE);
	world_end();
}
