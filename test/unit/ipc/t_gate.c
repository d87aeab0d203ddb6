/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ipc/t_gate.c - every row and every absent row, in every state, from
 * both sides.
 */
#include "daemon/ipc/gate.h"
#include <string.h>
#include "test/lib/test.h"

static struct ipc_msg
msg(unsigned type, uint64_t ticket)
{
	struct ipc_msg m;

	ipc_msg_init(&m, (enum ipc_type)type);
	m.ticket = ticket;
	return m;
}

TEST(every_type_in_every_state_follows_the_table)
{
	for (unsigned side = IPC_MAIN; side <= IPC_SECURE; side++)
		for (unsigned st = IPC_G_START; st <= IPC_G_RUN; st++)
			for (unsigned t = 0; t < 256; t++) {
				const struct ipc_row *r = ipc_row(t);
				struct ipc_msg m = msg(t, 1);
				struct ipc_gate g;
				uint64_t seen = 0;
				bool is_ok;
				int err;

				assert_int_equal(ipc_gate_init(&g,
				    (enum ipc_side)side, 0), 0);
				g.state = st;
				err = ipc_gate_in(&g, &m, &seen, 0, 0);
				/* Answers are never right: nothing was asked. */
				is_ok = r != NULL && r->sender != side &&
				    (r->states & st) != 0 && t % 2 == 0;
				assert_int_equal(err, is_ok ? 0 : ERR_GATE);
				if (!is_ok)
					assert_int_equal(seen, 0);
				ipc_gate_fini(&g);
			}
}

TEST(nothing_but_hello_before_hello_is_answered)
{
	struct ipc_msg hello = msg(IPC_HELLO, 0), ok = msg(IPC_HELLO_OK, 0);
	struct ipc_msg tap = msg(IPC_TAP_OPEN, 1);
	struct ipc_gate g;

	assert_int_equal(ipc_gate_init(&g, IPC_SECURE, 0), 0);
	assert_int_equal(ipc_gate_in(&g, &tap, NULL, 0, 0), ERR_GATE);
	assert_int_equal(ipc_gate_in(&g, &hello, NULL, 0, 0), 0);
	assert_int_equal(ipc_gate_in(&g, &hello, NULL, 0, 0), ERR_GATE);
	assert_int_equal(ipc_gate_in(&g, &tap, NULL, 0, 0), ERR_GATE);
	assert_int_equal(ipc_gate_out(&g, &ok), 0);
	assert_int_equal(ipc_gate_in(&g, &tap, NULL, 0, 0), 0);
	assert_int_equal(ipc_gate_in(&g, &hello, NULL, 0, 0), ERR_GATE);
	assert_int_equal(ipc_gate_out(&g, &ok), ERR_GATE);
	ipc_gate_fini(&g);
}

TEST(one_signature_and_one_verification_per_handle)
{
	struct ipc_msg sign = msg(IPC_SIGN, 1), verify = msg(IPC_VERIFY, 2);
	uint64_t a = 0, b = 0;
	struct ipc_gate g;

	assert_int_equal(ipc_gate_init(&g, IPC_SECURE, 0), 0);
	g.state = IPC_G_RUN;
	assert_int_equal(ipc_gate_in(&g, &sign, &a, 0, 0), 0);
	assert_int_equal(ipc_gate_in(&g, &sign, &a, 0, 0), ERR_GATE);
	assert_int_equal(ipc_gate_in(&g, &verify, &a, 0, 0), 0);
	assert_int_equal(ipc_gate_in(&g, &verify, &a, 0, 0), ERR_GATE);
	assert_int_equal(ipc_gate_in(&g, &sign, &b, 0, 0), 0);
	assert_int_equal(ipc_gate_in(&g, &sign, NULL, 0, 0), ERR_GATE);
	ipc_gate_fini(&g);
}

TEST(burst_then_rate_and_too_fast_does_not_use_up_the_once)
{
	const struct ipc_row *r = ipc_row(IPC_SIGN);
	struct ipc_msg sign = msg(IPC_SIGN, 1);
	struct ipc_gate g;
	uint64_t seen;

	assert_int_equal(r->rate, 2000);
	assert_int_equal(r->burst, 4000);
	assert_int_equal(ipc_gate_init(&g, IPC_SECURE, 5000), 0);
	g.state = IPC_G_RUN;
	for (unsigned i = 0; i < r->burst; i++) {
		seen = 0;
		assert_int_equal(ipc_gate_in(&g, &sign, &seen, 0, 5000), 0);
	}
	seen = 0;
	assert_int_equal(ipc_gate_in(&g, &sign, &seen, 0, 5000), ERR_AGAIN);
	assert_int_equal(seen, 0);
	for (unsigned i = 0; i < r->rate / 1000; i++) {
		seen = 0;
		assert_int_equal(ipc_gate_in(&g, &sign, &seen, 0, 5001), 0);
	}
	seen = 0;
	assert_int_equal(ipc_gate_in(&g, &sign, &seen, 0, 5001), ERR_AGAIN);
	/* A clock that jumps far ahead fills the bucket once, not more. */
	for (unsigned i = 0; i < r->burst; i++) {
		seen = 0;
		assert_int_equal(ipc_gate_in(&g, &sign, &seen, 0,
		    UINT64_MAX), 0);
	}
	seen = 0;
	assert_int_equal(ipc_gate_in(&g, &sign, &seen, 0, UINT64_MAX),
	    ERR_AGAIN);
	ipc_gate_fini(&g);
}

TEST(answers_pass_only_for_an_open_request_of_their_kind)
{
	struct ipc_msg ask = msg(IPC_TAP_OPEN, 7), ok = msg(IPC_TAP_OK, 7);
	struct ipc_msg wrong = msg(IPC_TAP_MTU_OK, 7);
	struct ipc_msg other = msg(IPC_TAP_OK, 8);
	struct ipc_gate g;

	assert_int_equal(ipc_gate_init(&g, IPC_MAIN, 0), 0);
	g.state = IPC_G_RUN;
	assert_int_equal(ipc_gate_in(&g, &ok, NULL, 0, 0), ERR_GATE);
	assert_int_equal(ipc_gate_out(&g, &ask), 0);
	assert_int_equal(ipc_gate_out(&g, &ask), ERR_EXISTS);
	assert_int_equal(ipc_gate_in(&g, &wrong, NULL, 0, 0), ERR_GATE);
	assert_int_equal(ipc_gate_in(&g, &other, NULL, 0, 0), ERR_GATE);
	assert_int_equal(ipc_gate_in(&g, &ok, NULL, 2, 0), 0);
	assert_int_equal(ipc_gate_in(&g, &ok, NULL, 2, 0), ERR_GATE);
	assert_int_equal(ipc_gate_out(&g, &ask), 0);
	ipc_gate_forget(&g, 7);
	assert_int_equal(ipc_gate_in(&g, &ok, NULL, 0, 0), ERR_GATE);
	ipc_gate_fini(&g);
}

TEST(descriptors_pass_only_with_the_one_answer_that_has_them)
{
	for (unsigned t = 0; t < IPC_TYPE_END; t++) {
		const struct ipc_row *r = ipc_row(t);

		if (r == NULL)
			continue;
		assert_int_equal(r->n_fd, t == IPC_TAP_OK ? IPC_FD_MAX : 0);
		if (r->sender == IPC_MAIN) {
			struct ipc_msg m = msg(t, 1);
			uint64_t seen = 0;
			struct ipc_gate g;

			assert_int_equal(ipc_gate_init(&g, IPC_SECURE, 0), 0);
			g.state = r->states;
			assert_int_equal(ipc_gate_in(&g, &m, &seen, 1, 0),
			    ERR_GATE);
			ipc_gate_fini(&g);
		}
	}
}

TEST(unanswered_requests_are_bounded)
{
	struct ipc_gate g;

	assert_int_equal(ipc_gate_init(&g, IPC_MAIN, 0), 0);
	g.state = IPC_G_RUN;
	for (uint64_t i = 1; i <= IPC_OPEN_MAX; i++) {
		struct ipc_msg m = msg(IPC_ROUTE, i);

		assert_int_equal(ipc_gate_out(&g, &m), 0);
	}
	{
		struct ipc_msg m = msg(IPC_ROUTE, IPC_OPEN_MAX + 1u);

		assert_int_equal(ipc_gate_out(&g, &m), ERR_FULL);
	}
	ipc_gate_fini(&g);
}

TEST(neither_side_sends_what_belongs_to_the_other)
{
	for (unsigned t = 0; t < IPC_TYPE_END; t++) {
		const struct ipc_row *r = ipc_row(t);
		struct ipc_msg m = msg(t, 1);
		struct ipc_gate g;

		if (r == NULL)
			continue;
		assert_int_equal(ipc_gate_init(&g, r->sender == IPC_MAIN ?
		    IPC_SECURE : IPC_MAIN, 0), 0);
		g.state = r->states;
		assert_int_equal(ipc_gate_out(&g, &m), ERR_GATE);
		ipc_gate_fini(&g);
	}
}
