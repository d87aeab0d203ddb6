/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_serve_net.c - addresses and routes: only those that the
 * configuration permits the peer that asks.
 */
#include "test/unit/secure-proc/serve_kit.h"

/* ---- addresses from a gateway ---------------------------------------------------- */

TEST(addresses_come_only_from_peers_that_are_to_give_them)
{
	world_run();
	assert_int_equal(addr(9, 0, true, "10.20.1.7"), ERR_PERM);
	authenticate(9);
	assert_int_equal(addr(9, 0, true, "10.20.1.7"), ERR_PERM);
	w.c->realm[0].net.is_dynamic = true;
	assert_int_equal(addr(9, 1, true, "10.20.1.7"), ERR_PERM);
	assert_int_equal(addr(9, 0, true, "127.0.0.1"), ERR_RANGE);
	assert_int_equal(addr(9, 0, true, "224.0.0.1"), ERR_RANGE);
	assert_int_equal(addr(9, 0, true, "10.20.1.7/0"), ERR_RANGE);
	assert_int_equal(w.fake.n_addr_add, 0);
	assert_int_equal(addr(9, 0, true, "10.20.1.7"), 0);
	assert_int_equal(addr(9, 0, true, "fd00::7"), 0);
	assert_int_equal(w.fake.n_addr_add, 2);
	hang_up(9);
	assert_int_equal(w.fake.n_addr_del, 2);
	world_end();
}

TEST(an_address_goes_with_the_last_sa_that_asked_for_it)
{
	world_run();
	w.c->realm[0].net.is_dynamic = true;
	authenticate(9);
	assert_int_equal(addr(9, 0, true, "10.20.1.7"), 0);
	authenticate(10);
	assert_int_equal(addr(10, 0, true, "10.20.1.7"), 0);
	assert_int_equal(w.fake.n_addr_add, 1);
	hang_up(9);
	assert_int_equal(w.fake.n_addr_del, 0);
	/* not for others to take away */
	authenticate(11);
	assert_int_equal(addr(11, 0, false, "10.20.1.7"), 0);
	assert_int_equal(w.fake.n_addr_del, 0);
	hang_up(10);
	assert_int_equal(w.fake.n_addr_del, 1);
	world_end();
}

TEST(an_address_that_cannot_be_set_is_not_remembered)
{
	world_run();
	w.c->realm[0].net.is_dynamic = true;
	authenticate(9);
	w.fake.err = ERR_EXISTS;
	assert_int_equal(addr(9, 0, true, "10.20.1.7"), ERR_EXISTS);
	w.fake.err = 0;
	hang_up(9);
	assert_int_equal(w.fake.n_addr_del, 0);
	world_end();
}

TEST(addresses_have_a_bound)
{
	char text[IP_TEXT_MAX];
	unsigned n_full = 0;

	world_run();
	w.c->realm[0].net.is_dynamic = true;
	authenticate(9);
	for (unsigned i = 1; i <= 70; i++) {
		snprintf(text, sizeof(text), "10.20.1.%u", i);
		w.now_ms += 1000;
		n_full += addr(9, 0, true, text) == ERR_FULL;
	}
	assert_int_equal(n_full, 6);
	assert_int_equal(w.fake.n_addr_add, 64);
	world_end();
}

TEST(routes_to_addresses_of_the_pool_are_permitted_one_by_one)
{
	struct conf_pool pool = { .n_net = 1 };

	world_run();
	assert_int_equal(ip_net_parse("10.20.1.0/24", &pool.net[0]), 0);
	authenticate(9);
	assert_int_equal(route(9, 0, true, "10.20.1.7/32"), ERR_PERM);
	w.c->realm[0].pool = &pool;
	assert_int_equal(route(9, 0, true, "10.20.1.7/32"), 0);
	assert_int_equal(route(9, 0, true, "10.20.1.0/24"), ERR_PERM);
	assert_int_equal(route(9, 0, true, "10.20.2.7/32"), ERR_PERM);
	w.c->realm[0].pool = NULL;
	world_end();
}

TEST(what_was_set_before_this_process_can_be_taken_away_and_nothing_else)
{
	struct conf_net n = { .is_dynamic = true };
	const struct conf_net *was;
	struct conf_peer *p;

	world_run();
	assert_int_equal(addr(IPC_NOBODY, 0, false, "10.20.1.7"), ERR_PERM);
	/* where no peer gives us addresses: what a peer can have had */
	assert_int_equal(route(IPC_NOBODY, 0, true, "10.2.0.0/16"), ERR_PERM);
	assert_int_equal(route(IPC_NOBODY, 0, false, "10.9.0.0/16"), ERR_PERM);
	assert_int_equal(route(IPC_NOBODY, 9, false, "10.2.0.0/16"), ERR_PERM);
	assert_int_equal(w.fake.n_del, 0);
	assert_int_equal(route(IPC_NOBODY, 0, false, "10.2.0.0/16"), 0);
	assert_int_equal(w.fake.n_del, 1);
	w.fake.n_del = 0;
	p = (struct conf_peer *)(uintptr_t)&w.c->realm[0].peer[0];
	was = p->net;
	p->net = &n;
	assert_int_equal(addr(IPC_NOBODY, 0, true, "10.20.1.7"), ERR_PERM);
	assert_int_equal(route(IPC_NOBODY, 0, true, "10.2.0.0/16"), ERR_PERM);
	assert_int_equal(addr(IPC_NOBODY, 0, false, "10.20.1.7"), 0);
	assert_int_equal(w.fake.n_addr_del, 1);
	assert_int_equal(route(IPC_NOBODY, 0, false, "10.2.0.0/16"), 0);
	assert_int_equal(w.fake.n_del, 1);
	authenticate(9);		/* and what has an owner stays */
	assert_int_equal(addr(9, 0, true, "10.20.1.7"), 0);
	assert_int_equal(route(9, 0, true, "10.2.0.0/16"), 0);
	assert_int_equal(addr(IPC_NOBODY, 0, false, "10.20.1.7"), ERR_PERM);
	assert_int_equal(route(IPC_NOBODY, 0, false, "10.2.0.0/16"), 0);
	assert_int_equal(w.fake.n_addr_del, 1);
	assert_int_equal(w.fake.n_del, 1);
	p->net = was;
	world_end();
}

/* ---- lockdown -------------------------------------------------------------------- */

TEST(a_greeting_locks_as_the_configuration_says_or_there_is_no_service)
{
	struct ipc_msg m = hello();

	world_run();
	assert_int_equal(w.fake.n_lock, 1);	/* the lock of before goes */
	assert_null(w.fake.lock_tap);
	sec_serve_free(w.s);
	w.c->realm[1].lockdown = true;
	assert_int_equal(sec_serve_new(&w.s, &w.sc, catch, NULL, w.now_ms), 0);
	assert_int_equal(w.fake.n_lock, 1);	/* read, not in force yet */
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.fake.n_lock, 2);
	assert_string_equal(w.fake.lock_tap, "tap-s");
	sec_serve_free(w.s);
	w.fake.err = ERR_SYS;
	assert_int_equal(sec_serve_new(&w.s, &w.sc, catch, NULL, w.now_ms), 0);
	assert_int_equal(say(&m), ERR_SYS);
	assert_int_equal(w.n_answer, 0);
	world_end();
}

/* ---- routes -------------------------------------------------------------------- */

TEST(routes_are_for_authenticated_handles_of_that_realm_inside_its_nets)
{
	struct ipc_msg m;

	world_run();
	assert_int_equal(route(9, 0, true, "10.2.0.0/16"), ERR_PERM);
	m = verify(9);
	assert_int_equal(say(&m), 0);
	/* Verified, but we did not prove ourselves yet. */
	assert_int_equal(route(9, 0, true, "10.2.0.0/16"), ERR_PERM);
	m = sign(9);
	assert_int_equal(say(&m), 0);
	assert_int_equal(route(9, 0, true, "10.2.0.0/16"), 0);
	assert_int_equal(route(9, 1, true, "10.2.0.0/16"), ERR_PERM);
	assert_int_equal(route(9, 7, true, "10.2.0.0/16"), ERR_PERM);
	assert_int_equal(route(9, 0, true, "10.3.0.0/16"), ERR_PERM);
	assert_int_equal(route(9, 0, true, "10.2.0.0/15"), ERR_PERM);
	assert_int_equal(route(9, 0, true, "0.0.0.0/0"), ERR_PERM);
	assert_non_null(strstr(w.last.why, "local=\"dynamic\""));
	assert_int_equal(route(9, 0, true, "::/0"), ERR_PERM);
	assert_int_equal(route(9, 0, true, "fd00::/64"), ERR_PERM);
	assert_int_equal(route(9, 0, true, "10.2.0.1/16"), ERR_RANGE);
	assert_int_equal(w.fake.n_add, 1);
	world_end();
}

TEST(a_route_stays_until_its_last_user_goes)
{
	struct ipc_msg m;

	world_run();
	authenticate(9);
	authenticate(10);
	assert_int_equal(route(9, 0, true, "10.2.3.0/24"), 0);
	assert_int_equal(route(10, 0, true, "10.2.3.0/24"), 0);
	assert_int_equal(route(10, 0, true, "10.2.3.0/24"), 0);
	assert_int_equal(w.fake.n_add, 1);
	assert_int_equal(route(9, 0, false, "10.2.3.0/24"), 0);
	assert_int_equal(route(9, 0, false, "10.2.3.0/24"), 0);
	assert_int_equal(w.fake.n_del, 0);
	ipc_msg_init(&m, IPC_CLOSE);
	m.handle = 10;
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.fake.n_del, 1);
	world_end();
}

TEST(a_handle_has_a_bounded_number_of_routes)
{
	char text[32];
	int err = 0;
	unsigned n = 0;

	world_run();
	authenticate(9);
	for (; n < 200 && err == 0; n++) {
		snprintf(text, sizeof(text), "10.2.%u.0/24", n);
		err = route(9, 0, true, text);
	}
	assert_int_equal(err, ERR_FULL);
	assert_true(n <= 65);
	/* The one too many was taken out of the kernel again. */
	assert_int_equal(w.fake.n_add, w.fake.n_del + n - 1);
	world_end();
}
