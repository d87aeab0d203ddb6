/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_serve_word.c - our own login by EAP: passwords that are typed,
 * and nothing said before the gateway proved itself.
 */
#include "secure-proc/serve_priv.h"
#include "daemon/base/clk.h"
#include "daemon/ipc/prompt.h"
#include "test/unit/secure-proc/serve_eap_kit.h"

/* What a person types, or "": is it needed? */
static enum prompt_verdict
type(const char *realm, const char *word)
{
	struct prompt_ask q = { .id = 4, .has_word = *word != '\0' };
	struct prompt_answer a;

	snprintf(q.realm, sizeof(q.realm), "%s", realm);
	snprintf(q.word, sizeof(q.word), "%s", word);
	sec_word_answer(w.s, &q, clk_ms(), &a);
	assert_int_equal(a.id, 4);
	assert_string_equal(a.user, a.verdict == PROMPT_NONE ? "" :
	    "hanako@sales.example.com");
	return a.verdict;
}

static int
dial(uint32_t handle)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_SIGN);
	m.ticket = 2;
	m.handle = handle;
	m.u.sign = (struct ipc_sign){
		.is_initiator = true, .realm = OUT, .peer = 0, .prf = 1,
		.init_msg = { w.req.b, w.req.len }, .nonce = { kit_nr, 32 },
		.sk_p = { w.sk_pi, 32 },
	};
	assert_int_equal(say(&m), 0);
	return w.last.err;
}

TEST(client_without_a_password_says_so_before_it_says_who_it_is)
{
	begin();
	assert_int_equal(type("out", ""), PROMPT_NEEDED);
	assert_int_equal(dial(7), ERR_PASSWORD);
	assert_non_null(strstr(w.last.why, "hanako@sales.example.com"));
	assert_int_equal(w.last.u.sign_ok.id_own.len, 0);
	/* that one is over */
	assert_int_equal(eap(7, (struct view){ NULL, 0 }, "x"), ERR_STATE);
	assert_int_equal(type("out", WORD), PROMPT_KNOWN);
	assert_int_equal(type("out", ""), PROMPT_KNOWN);
	assert_int_equal(dial(8), 0);
	end();
}

TEST(only_a_client_realm_takes_a_typed_password)
{
	begin();
	assert_int_equal(type("sales", WORD), PROMPT_NONE);
	assert_int_equal(type("offices", WORD), PROMPT_NONE);
	assert_int_equal(type("nowhere", WORD), PROMPT_NONE);
	assert_int_equal(type("", WORD), PROMPT_NONE);
	assert_int_equal(type("out", ""), PROMPT_NEEDED);
	end();
}

TEST(client_sends_no_auth_and_no_eap_before_the_gateway_proved_itself)
{
	static const uint8_t ask_id[] = { 1, 9, 0, 5, 1 };

	begin();
	assert_int_equal(type("out", WORD), PROMPT_KNOWN);
	assert_int_equal(dial(7), 0);
	assert_int_equal(w.last.u.sign_ok.method, 0);
	assert_int_equal(w.last.u.sign_ok.auth.len, 0);
	assert_int_equal(eap(7, kit_view(ask_id, sizeof(ask_id)), "x"),
	    ERR_STATE);
	assert_int_equal(sign_msk(7), ERR_STATE);
	end();
}
