/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_serve_eap.c - people who log in by EAP: the order of
 * messages, whom a login makes of somebody, and what does not get in.
 */
#include "test/unit/secure-proc/serve_eap_kit.h"

TEST(password_and_both_auth_make_a_user_of_somebody)
{
	begin();
	assert_int_equal(login(7, "hanako@sales.example.com",
	    "hanako@sales.example.com", WORD), IPC_TALK_OK);
	assert_int_equal(verify_msk(7, NULL), 0);
	assert_int_equal(w.last.u.eap_verify_ok.realm, SALES);
	assert_string_equal(w.last.u.eap_verify_ok.id_text,
	    "hanako@sales.example.com");
	assert_int_equal(sign_msk(7), 0);
	assert_int_equal(w.last.u.eap_sign_ok.auth.len, 32);
	/* and it is over */
	assert_int_equal(sign_msk(7), ERR_STATE);
	end();
}

TEST(claim_alone_says_no_place_and_permits_nothing)
{
	struct ipc_msg m;

	begin();
	assert_int_equal(come(7, MAIL, "hanako@sales.example.com"), 0);
	assert_int_equal(w.last.u.verify_ok.realm, UINT32_MAX);
	assert_int_equal(w.last.u.verify_ok.peer, UINT32_MAX);
	ipc_msg_init(&m, IPC_ROUTE);
	m.ticket = 9;
	m.handle = 7;
	m.u.route.is_add = true;
	m.u.route.family = 4;
	m.u.route.bits = 32;
	assert_int_equal(say(&m), 0);
	assert_int_not_equal(w.last.err, 0);
	end();
}

TEST(messages_out_of_order_are_refused)
{
	const struct view none = { NULL, 0 };

	begin();
	/* nobody has heard of it */
	assert_int_equal(eap(7, none, "x"), ERR_STATE);
	assert_int_equal(sign_msk(7), ERR_STATE);
	assert_int_equal(verify_msk(7, NULL), ERR_STATE);
	/* before SIGN */
	assert_int_equal(come(7, MAIL, "hanako@sales.example.com"), 0);
	assert_int_equal(eap(7, none, "x"), ERR_STATE);
	assert_int_equal(sign(7), 0);
	/* AUTH before EAP has ended */
	assert_int_equal(verify_msk(7, NULL), ERR_STATE);
	/* which was final */
	assert_int_equal(eap(7, none, "x"), ERR_STATE);
	end();
}

TEST(gateway_never_signs_by_the_key_before_the_client_did)
{
	begin();
	assert_int_equal(login(7, "hanako@sales.example.com",
	    "hanako@sales.example.com", WORD), IPC_TALK_OK);
	assert_int_equal(sign_msk(7), ERR_STATE);
	assert_int_equal(verify_msk(7, NULL), ERR_STATE);
	end();
}

TEST(auth_of_another_key_is_refused_for_good)
{
	const uint8_t bit = 1;

	begin();
	assert_int_equal(login(7, "hanako@sales.example.com",
	    "hanako@sales.example.com", WORD), IPC_TALK_OK);
	assert_int_equal(verify_msk(7, &bit), ERR_AUTH);
	assert_int_equal(verify_msk(7, NULL), ERR_STATE);
	end();
}

/* H6: same number and length of answers for who is unknown and who is wrong. */
TEST(unknown_user_and_wrong_password_look_the_same)
{
	static const char *const who[] = { "hanako@sales.example.com",
	    "nobody@sales.example.com" };
	size_t len[2][3];
	char why[2][256];

	begin();
	for (unsigned i = 0; i < 2; i++) {
		const struct view none = { NULL, 0 };
		uint32_t handle = 10 + i;
		uint8_t buf[4200];
		struct wcur out;
		unsigned n = 0;

		client(who[i], "guessed");
		/* a length of its own would tell */
		assert_int_equal(come(handle, MAIL, who[i]), 0);
		assert_int_equal(sign(handle), 0);
		assert_int_equal(eap(handle, none, "x"), 0);
		for (; n < 3; n++) {
			len[i][n] = w.last.u.eap_ok.eap.len;
			if (w.last.u.eap_ok.said[0] != '\0')
				memcpy(why[i], w.last.u.eap_ok.said,
				    sizeof(why[i]));
			wcur_init(&out, buf, sizeof(buf));
			(void)sec_eap_input(peer.eap, w.last.u.eap_ok.eap,
			    &out);
			if (out.len == 0)
				break;
			assert_int_equal(eap(handle, wcur_done(&out), "x"), 0);
		}
		assert_int_equal(n, 3);
		assert_int_equal(w.last.u.eap_ok.end, IPC_TALK_NO);
	}
	assert_memory_equal(len[0], len[1], sizeof(len[0]));
	assert_non_null(strstr(why[0], "wrong password"));
	assert_non_null(strstr(why[1], "no such user"));
	end();
}

/* H5: the realm that the identity of IKE chose is not left by another in EAP, be
 * the password as right as can be. */
TEST(identity_of_eap_does_not_change_what_that_of_ike_decided)
{
	begin();
	assert_int_equal(login(7, "hanako@sales.example.com",
	    "ken@dev.example.com", WORD), IPC_TALK_NO);
	assert_non_null(strstr(w.last.u.eap_ok.said, "is not the one of IKE"));
	/* nor for another user of the same realm */
	assert_int_equal(login(8, "hanako@sales.example.com",
	    "taro@mobile.example.com", WORD), IPC_TALK_NO);
	end();
}

TEST(address_as_identity_is_placed_by_that_of_eap)
{
	const char ip[4] = { 10, 0, 0, 3 };

	begin();
	client("ken@dev.example.com", WORD);
	assert_int_equal(claim(7, 1, ip, 4), 0);
	assert_int_equal(sign(7), 0);
	assert_int_equal(talk(7, "x"), IPC_TALK_OK);
	assert_int_equal(verify_msk(7, NULL), 0);
	assert_int_equal(w.last.u.eap_verify_ok.realm, DEV);
	assert_string_equal(w.last.u.eap_verify_ok.id_text,
	    "ken@dev.example.com");
	client("taro@mobile.example.com", WORD);
	assert_int_equal(claim(8, 1, ip, 4), 0);
	assert_int_equal(sign(8), 0);
	assert_int_equal(talk(8, "x"), IPC_TALK_OK);
	assert_int_equal(verify_msk(8, NULL), 0);
	assert_int_equal(w.last.u.eap_verify_ok.realm, SALES);
	/* nobody's */
	client("who@elsewhere.example.com", WORD);
	assert_int_equal(claim(9, 1, ip, 4), 0);
	assert_int_equal(sign(9), 0);
	assert_int_equal(talk(9, "x"), IPC_TALK_NO);
	assert_non_null(strstr(w.last.u.eap_ok.said, "no realm"));
	end();
}

TEST(who_is_configured_otherwise_does_not_come_by_eap)
{
	begin();
	assert_int_equal(come(7, FQDN, "tokyo"), ERR_AUTH);
	/* a rule about EAP is for whatever identity; this one fits none */
	assert_int_equal(login(8, "kyoto@example.com", "kyoto@example.com",
	    WORD), IPC_TALK_NO);
	/* nor with the identity of somebody who comes otherwise */
	assert_int_equal(login(9, "kyoto@example.com", "tokyo", WORD),
	    IPC_TALK_NO);
	end();
}

TEST(auth_and_eap_at_once_are_a_mistake)
{
	struct ipc_msg m;

	begin();
	ipc_msg_init(&m, IPC_VERIFY);
	m.ticket = 1;
	m.handle = 7;
	m.u.verify = (struct ipc_verify){
		.realm = UINT32_MAX, .peer = UINT32_MAX, .prf = 1,
		.init_msg = { w.req.b, w.req.len }, .nonce = { kit_nr, 32 },
		.sk_p = { w.sk_pi, 32 },
		.id_peer = kit_id(w.idbuf, MAIL, "hanako@sales.example.com"),
		.by_eap = true, .method = 2, .auth = { w.sk_pr, 32 },
	};
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_SYNTAX);
	/* and AUTH without it is not enough for who has to log in */
	m.handle = 8;
	m.u.verify.by_eap = false;
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_AUTH);
	assert_non_null(strstr(w.last.why, "does not come by EAP"));
	/* not even AUTH of no method */
	m.handle = 9;
	m.u.verify.method = 0;
	m.u.verify.auth.len = 0;
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_AUTH);
	end();
}

TEST(too_many_failures_make_even_the_right_password_wait)
{
	begin();
	for (uint32_t i = 0; i < SEC_LIMIT_FREE_USER + 1; i++)
		assert_int_not_equal(login(20 + i, "hanako@sales.example.com",
		    "hanako@sales.example.com", "guess"), IPC_TALK_OK);
	assert_int_not_equal(login(90, "hanako@sales.example.com",
	    "hanako@sales.example.com", WORD), IPC_TALK_OK);
	assert_non_null(strstr(w.last.u.eap_ok.said, "too many failures"));
	/* another one is not touched by that */
	assert_int_equal(login(91, "ken@dev.example.com",
	    "ken@dev.example.com", WORD), IPC_TALK_OK);
	end();
}

TEST(conversations_end_with_their_ike_sa_and_are_bounded)
{
	struct ipc_msg m;
	uint32_t n = 0;

	begin();
	while (come(100 + n, MAIL, "hanako@sales.example.com") == 0 && n < 4000)
		n++;
	assert_int_equal(w.last.err, ERR_FULL);
	assert_int_equal(n, 2048);
	ipc_msg_init(&m, IPC_CLOSE);
	m.handle = 100;
	assert_int_equal(say(&m), 0);
	assert_int_equal(come(99, MAIL, "hanako@sales.example.com"), 0);
	end();
}

/* ---- tickets, RFC 5723 --------------------------------------------------------- */

static int
seal(uint32_t handle)
{
	static const uint8_t sk_d[32] = { 7 };
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_TICKET_SEAL);
	m.ticket = 6;
	m.handle = handle;
	m.u.ticket_seal.prf = 1;
	m.u.ticket_seal.sk_d = kit_view(sk_d, sizeof(sk_d));
	m.u.ticket_seal.life_s = 600;
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.type, IPC_TICKET_SEAL_OK);
	return w.last.err;
}

/* A ticket that was sealed last comes with this identity: OPEN, VERIFY, SIGN. */
static int
resume(uint32_t handle, struct view sealed, const char *id)
{
	struct sec_octets oct = { .prf = 1, .nonce = { kit_nr, 32 },
		.sk_p = { w.sk_pi, 32 } };
	uint8_t auth[SEC_PRF_MAX];
	struct ipc_msg m;
	size_t n;

	w.req = kit_resume(true);
	w.resp = kit_resume(false);
	ipc_msg_init(&m, IPC_TICKET_OPEN);
	m.ticket = 7;
	m.handle = handle;
	m.u.ticket_open.ispi = KIT_ISPI;
	m.u.ticket_open.ni = kit_view(kit_ni, 32);
	m.u.ticket_open.nr = kit_view(kit_nr, 32);
	m.u.ticket_open.sealed = sealed;
	assert_int_equal(say(&m), 0);
	if (w.last.err != 0)
		return w.last.err;
	oct.init_msg = kit_view(w.req.b, w.req.len);
	oct.id = kit_id(w.idbuf, MAIL, id);
	assert_int_equal(sec_resume_auth(&oct, auth, &n), 0);
	ipc_msg_init(&m, IPC_VERIFY);
	m.ticket = 8;
	m.handle = handle;
	m.u.verify = (struct ipc_verify){
		.realm = UINT32_MAX, .peer = UINT32_MAX, .prf = 1,
		.init_msg = oct.init_msg, .nonce = oct.nonce, .sk_p = oct.sk_p,
		.id_peer = oct.id, .method = 2, .auth = { auth, n },
	};
	assert_int_equal(say(&m), 0);
	if (w.last.err != 0)
		return w.last.err;
	assert_int_equal(w.last.u.verify_ok.realm, SALES);
	assert_string_equal(w.last.u.verify_ok.id_text, id);
	return sign(handle);
}

static void
enter(uint32_t handle)
{
	assert_int_equal(verify_msk(handle, NULL), 0);
	assert_int_equal(sign_msk(handle), 0);
}

TEST(who_logged_in_by_the_name_of_its_identity_comes_back_by_a_ticket)
{
	uint8_t kept[512];
	size_t n;

	begin();
	assert_int_equal(login(7, "hanako@sales.example.com",
	    "hanako@sales.example.com", WORD), IPC_TALK_OK);
	assert_int_equal(seal(7), ERR_STATE);	/* EAP alone is not enough */
	assert_int_equal(verify_msk(7, NULL), 0);
	assert_int_equal(seal(7), ERR_STATE);
	assert_int_equal(sign_msk(7), 0);
	assert_int_equal(seal(7), 0);
	n = w.last.u.ticket_seal_ok.sealed.len;
	assert_in_range(n, 1, sizeof(kept));
	memcpy(kept, w.said, n);
	assert_int_equal(resume(8, kit_view(kept, n),
	    "hanako@sales.example.com"), 0);
	assert_int_equal(seal(8), 0);		/* and gets the next one */
	/* once */
	assert_int_not_equal(resume(9, kit_view(kept, n),
	    "hanako@sales.example.com"), 0);
	end();
}

TEST(nobody_resumes_what_eap_proved_under_another_name)
{
	const char ip[4] = { 10, 0, 0, 3 };

	begin();
	client("ken@dev.example.com", WORD);
	assert_int_equal(claim(7, 1, ip, 4), 0);
	assert_int_equal(sign(7), 0);
	assert_int_equal(talk(7, "x"), IPC_TALK_OK);
	enter(7);
	assert_int_equal(seal(7), ERR_STATE);
	/* a rule about EAP: whatever the identity is */
	client("taro@mobile.example.com", WORD);
	assert_int_equal(come(8, MAIL, "someone@elsewhere.example.com"), 0);
	assert_int_equal(sign(8), 0);
	assert_int_equal(talk(8, "x"), IPC_TALK_OK);
	enter(8);
	assert_int_equal(seal(8), ERR_STATE);
	end();
}

TEST(a_ticket_of_a_user_is_for_the_same_user_only)
{
	static const char *const others[] = { "ken@dev.example.com",
		"taro@mobile.example.com", "HANAKO@sales.example.com",
		"hanako@sales.example.com.", "tokyo" };
	uint8_t kept[512];
	size_t n;

	begin();
	assert_int_equal(login(7, "hanako@sales.example.com",
	    "hanako@sales.example.com", WORD), IPC_TALK_OK);
	enter(7);
	assert_int_equal(seal(7), 0);
	n = w.last.u.ticket_seal_ok.sealed.len;
	memcpy(kept, w.said, n);
	for (uint32_t i = 0; i < N_OF(others); i++)
		assert_int_equal(resume(20 + i, kit_view(kept, n), others[i]),
		    ERR_AUTH);
	/* and these did not use it up */
	assert_int_equal(resume(90, kit_view(kept, n),
	    "hanako@sales.example.com"), 0);
	end();
}

/* ---- from one realm into another ------------------------------------------------ */

/* Whoever it is in IKE, and in EAP, with the right password: each pair ends where
 * its rules lead, or nowhere. */
TEST(no_pair_of_identities_leads_to_a_realm_of_neither)
{
	static const struct {
		const char *id;
		int of_id;		/* realm of its rule; -1 = none */
	} ids[] = {
		{ "hanako@sales.example.com", SALES },
		{ "ken@dev.example.com", DEV },
		{ "who@elsewhere.example.com", -1 },
		{ "hanako@sales.example.com.evil.example", -1 },
	};
	static const struct {
		const char *user;
		int file;		/* whose users file has it */
	} users[] = {
		{ "hanako@sales.example.com", SALES },
		{ "taro@mobile.example.com", SALES },
		{ "ken@dev.example.com", DEV },
		{ "nobody@sales.example.com", -1 },
	};
	uint32_t handle = 100;

	begin();
	for (unsigned i = 0; i < N_OF(ids); i++)
		for (unsigned u = 0; u < N_OF(users); u++, handle++) {
			if (login(handle, ids[i].id, users[u].user, WORD) !=
			    IPC_TALK_OK) {
				assert_int_equal(verify_msk(handle, NULL),
				    ERR_STATE);
				continue;
			}
			assert_int_equal(verify_msk(handle, NULL), 0);
			assert_int_equal(w.last.u.eap_verify_ok.realm,
			    users[u].file);
			assert_string_equal(w.last.u.eap_verify_ok.id_text,
			    users[u].user);
			assert_true(ids[i].of_id < 0 ||
			    ids[i].of_id == users[u].file);
		}
	end();
}

/* A second claim breaks the rules of the channel; tapird never asks twice. */
TEST(an_identity_that_was_claimed_stays)
{
	enum { CLAIMED, SIGNED, LOGGED_IN, ENTERED, N };
	static const char ken[] = "ken@dev.example.com";
	struct ipc_msg m;

	for (unsigned at = CLAIMED; at < N; at++) {
		begin();
		client("hanako@sales.example.com", WORD);
		assert_int_equal(come(7, MAIL, "hanako@sales.example.com"), 0);
		if (at >= SIGNED)
			assert_int_equal(sign(7), 0);
		if (at >= LOGGED_IN)
			assert_int_equal(talk(7, "x"), IPC_TALK_OK);
		if (at >= ENTERED)
			enter(7);
		m = claim_of(7, MAIL, ken, sizeof(ken) - 1);
		assert_int_equal(say(&m), ERR_GATE);
		end();
	}
}

/* A conversation counts for the IKE SA it was had in. */
TEST(what_one_ike_sa_proved_does_not_count_for_another)
{
	begin();
	assert_int_equal(come(8, MAIL, "ken@dev.example.com"), 0);
	assert_int_equal(sign(8), 0);
	assert_int_equal(login(7, "hanako@sales.example.com",
	    "hanako@sales.example.com", WORD), IPC_TALK_OK);
	assert_int_not_equal(verify_msk(8, NULL), 0);
	/* an answer of another conversation: its identifier or its type is wrong */
	assert_int_equal(verify_msk(7, NULL), 0);
	assert_int_equal(sign_msk(8), ERR_STATE);
	end();
}
