/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_state.c - every row and every absent row of both tables, and
 * which message is possible in which state.
 */
#include "test/lib/test.h"

#include "ikev2/engine.h"

/* The drawing in state.c, as text: one line a state, one word a target. */
static const enum ike_sa_state sa_want[IKE_SA_STATE_END][IKE_EV_SA_END] = {
	[IKE_SA_NONE] = { [IKE_EV_DIAL] = IKE_SA_INIT_I,
			  [IKE_EV_INIT_IN] = IKE_SA_INIT_R,
			  [IKE_EV_HEIR] = IKE_SA_UP,
			  [IKE_EV_KILL] = IKE_SA_DEAD },
	[IKE_SA_INIT_I] = { [IKE_EV_KEYED] = IKE_SA_AUTH_I,
			    [IKE_EV_KILL] = IKE_SA_DEAD },
	[IKE_SA_INIT_R] = { [IKE_EV_AUTH_IN] = IKE_SA_AUTH_R,
			    [IKE_EV_CLOSE] = IKE_SA_CLOSED,
			    [IKE_EV_KILL] = IKE_SA_DEAD },
	[IKE_SA_AUTH_I] = { [IKE_EV_AUTH_OK] = IKE_SA_UP,
			    [IKE_EV_KILL] = IKE_SA_DEAD },
	[IKE_SA_AUTH_R] = { [IKE_EV_AUTH_OK] = IKE_SA_UP,
			    [IKE_EV_CLOSE] = IKE_SA_CLOSED,
			    [IKE_EV_KILL] = IKE_SA_DEAD },
	[IKE_SA_UP] = { [IKE_EV_REPLACED] = IKE_SA_REKEYED,
			[IKE_EV_DELETE] = IKE_SA_DELETING,
			[IKE_EV_CLOSE] = IKE_SA_CLOSED,
			[IKE_EV_KILL] = IKE_SA_DEAD },
	[IKE_SA_REKEYED] = { [IKE_EV_DELETE] = IKE_SA_DELETING,
			     [IKE_EV_CLOSE] = IKE_SA_CLOSED,
			     [IKE_EV_KILL] = IKE_SA_DEAD },
	[IKE_SA_DELETING] = { [IKE_EV_CLOSE] = IKE_SA_CLOSED,
			      [IKE_EV_KILL] = IKE_SA_DEAD },
	[IKE_SA_CLOSED] = { [IKE_EV_KILL] = IKE_SA_DEAD },
};

TEST(sa_rows_are_those_of_the_drawing_and_no_other)
{
	for (unsigned s = 0; s < IKE_SA_STATE_END; s++)
		for (unsigned e = 0; e < IKE_EV_SA_END; e++) {
			struct ike ike = { .n_sa = 1 };
			struct ike_sa sa = { .state = s, .ike = &ike };
			bool is_row = sa_want[s][e] != IKE_SA_NONE;

			assert_int_equal(ike_sa_move(&sa, e), is_row);
			assert_int_equal(sa.state, is_row ? sa_want[s][e] : s);
		}
}

TEST(child_rows_are_those_of_the_drawing_and_no_other)
{
	static const enum ike_child_state
	    want[IKE_CHILD_STATE_END][IKE_EV_CHILD_END] = {
		[IKE_CHILD_NONE] = { [IKE_EV_CHILD_MADE] = IKE_CHILD_UP },
		[IKE_CHILD_UP] = {
			[IKE_EV_CHILD_REPLACED] = IKE_CHILD_REKEYED,
			[IKE_EV_CHILD_DELETE] = IKE_CHILD_DELETING,
			[IKE_EV_CHILD_KILL] = IKE_CHILD_GONE },
		[IKE_CHILD_REKEYED] = {
			[IKE_EV_CHILD_DELETE] = IKE_CHILD_DELETING,
			[IKE_EV_CHILD_KILL] = IKE_CHILD_GONE },
		[IKE_CHILD_DELETING] = {
			[IKE_EV_CHILD_KILL] = IKE_CHILD_GONE },
	};

	for (unsigned s = 0; s < IKE_CHILD_STATE_END; s++)
		for (unsigned e = 0; e < IKE_EV_CHILD_END; e++) {
			struct ike_child c = { .state = s };
			bool is_row = want[s][e] != IKE_CHILD_NONE;

			assert_int_equal(ike_child_move(&c, e), is_row);
			assert_int_equal(c.state, is_row ? want[s][e] : s);
		}
}

TEST(every_state_and_event_has_a_name)
{
	for (unsigned s = 0; s <= IKE_SA_STATE_END; s++)
		assert_non_null(ike_sa_state_name(s));
	for (unsigned e = 0; e <= IKE_EV_SA_END; e++)
		assert_non_null(ike_sa_event_name(e));
	assert_string_equal(ike_sa_state_name(IKE_SA_STATE_END), "?");
	assert_string_equal(ike_child_state_name(IKE_CHILD_STATE_END), "?");
	assert_string_equal(ike_child_event_name(IKE_EV_CHILD_END), "?");
}

TEST(before_authentication_only_init_and_auth_have_a_path)
{
	static const enum ike_sa_state young[] = { IKE_SA_NONE, IKE_SA_INIT_I,
	    IKE_SA_INIT_R, IKE_SA_AUTH_I, IKE_SA_AUTH_R, IKE_SA_CLOSED,
	    IKE_SA_DEAD };

	for (unsigned i = 0; i < N_OF(young); i++)
		for (unsigned f = 0; f < IKE_FORM_END; f++)
			for (unsigned r = 0; r < 2; r++) {
				assert_null(ike_path_find(
				    IKE_XCHG_CREATE_CHILD_SA, r, f, young[i]));
				assert_null(ike_path_find(
				    IKE_XCHG_INFORMATIONAL, r, f, young[i]));
				assert_null(ike_path_find(
				    IKE_XCHG_IKE_FOLLOWUP_KE, r, f, young[i]));
			}
}

TEST(after_authentication_init_and_auth_have_no_path)
{
	static const enum ike_sa_state old[] = { IKE_SA_UP, IKE_SA_REKEYED,
	    IKE_SA_DELETING, IKE_SA_CLOSED, IKE_SA_DEAD };

	for (unsigned i = 0; i < N_OF(old); i++)
		for (unsigned f = 0; f < IKE_FORM_END; f++)
			for (unsigned r = 0; r < 2; r++) {
				assert_null(ike_path_find(IKE_XCHG_IKE_SA_INIT,
							  r, f, old[i]));
				assert_null(ike_path_find(IKE_XCHG_IKE_AUTH, r,
							  f, old[i]));
				assert_null(ike_path_find(
				    IKE_XCHG_IKE_INTERMEDIATE, r, f, old[i]));
			}
}

TEST(unprotected_and_unknown_forms_have_no_path)
{
	for (unsigned x = 0; x < 256; x++)
		for (unsigned s = 0; s < IKE_SA_STATE_END; s++)
			for (unsigned r = 0; r < 2; r++) {
				assert_null(ike_path_find((uint8_t)x, r,
				    IKE_FORM_UNPROTECTED, s));
				if ((x < IKE_XCHG_IKE_SA_INIT ||
				     x > IKE_XCHG_IKE_SESSION_RESUME) &&
				    x != IKE_XCHG_IKE_INTERMEDIATE &&
				    x != IKE_XCHG_IKE_FOLLOWUP_KE)
					for (unsigned f = 0; f < IKE_FORM_END;
					     f++)
						assert_null(ike_path_find(
						    (uint8_t)x, r, f, s));
			}
}
