/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_serve_stands.c - who is connected, and whether he would
 * be let in again: pre-shared keys, users and places.
 */
#include "secure-proc/eap/realms.h"
#include "secure-proc/keys/shown.h"
#include "secure-proc/keys/token.h"
#include "test/unit/secure-proc/pki.h"
#include "test/unit/secure-proc/serve_kit.h"

static uint8_t shown[SEC_SHOWN_MAX + 1];
static size_t shown_len;
static struct sec_token *marks;

static int
take(void *ctx, const struct ipc_msg *m, const int *fds, unsigned n_fd)
{
	if (m->type == IPC_VERIFY_OK && m->err == 0) {
		shown_len = m->u.verify_ok.shown.len;
		assert_true(shown_len <= SEC_SHOWN_MAX);
		memcpy(shown, m->u.verify_ok.shown.p, shown_len);
	}
	return catch(ctx, m, fds, n_fd);
}

/* A secure process of its own, over the keys as they are now. */
static void
process(const char *conf)
{
	struct ipc_msg m = hello();

	sec_serve_free(w.s);
	sec_store_free(w.store);
	conf_free(w.c);
	sec_token_free(marks);
	assert_int_equal(sec_token_load(&marks, kit_dir, geteuid()), 0);
	w.c = kit_conf(conf);
	assert_int_equal(sec_store_load(&w.store, w.c, kit_dir, geteuid()), 0);
	w.sc.conf = w.c;
	w.sc.store = w.store;
	w.sc.marks = marks;
	assert_int_equal(sec_serve_new(&w.s, &w.sc, take, NULL, w.now_ms), 0);
	assert_int_equal(say(&m), 0);
}

static void
begin(void)
{
	world_begin();
	process(conf_text);
	authenticate(1);
	assert_true(shown_len > 0);
}

static void
end(void)
{
	sec_token_free(marks);
	marks = NULL;
	world_end();
}

static int
stands(uint32_t realm, uint32_t peer)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_STANDS);
	m.ticket = 9;
	m.u.stands.realm = realm;
	m.u.stands.peer = peer;
	m.u.stands.shown = (struct view){ shown, shown_len };
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.type, IPC_STANDS_OK);
	assert_int_equal(w.last.ticket, 9);
	return w.last.err;
}

TEST(who_was_let_in_stands_also_before_another_process)
{
	begin();
	assert_int_equal(stands(0, 0), 0);
	process(conf_text);
	assert_int_equal(stands(0, 0), 0);
	assert_false(w.has_leaked);
	end();
}

TEST(another_key_ends_who_was_let_in_by_the_one_before)
{
	begin();
	kit_key("k", "another key, as long as that");
	process(conf_text);
	assert_int_equal(stands(0, 0), ERR_AUTH);
	assert_non_null(strstr(w.last.why, "pre-shared key was changed"));
	kit_key("k", PSK);
	process(conf_text);
	assert_int_equal(stands(0, 0), 0);
	end();
}

TEST(who_belongs_elsewhere_now_does_not_stand)
{
	static const char moved[] =
	    "<vpn><realm name='r'><me id='osaka' psk='k'/><peer id='*'/></realm>"
	    "<realm name='s'><me id='kyoto' psk='k'/><peer id='tokyo'/></realm>"
	    "</vpn>";
	static const char gone[] =
	    "<vpn><realm name='r'><me id='osaka' psk='k'/><peer id='nara'/>"
	    "</realm></vpn>";

	begin();
	process(moved);
	assert_int_equal(stands(0, 0), ERR_AUTH);
	assert_non_null(strstr(w.last.why, "another realm"));
	assert_int_equal(stands(1, 0), 0);
	process(gone);
	assert_int_equal(stands(0, 0), ERR_AUTH);
	assert_non_null(strstr(w.last.why, "does not lead to this realm"));
	end();
}

TEST(who_has_to_prove_itself_otherwise_now_does_not_stand)
{
	static const char other[] =
	    "<vpn><realm name='r'><me id='osaka' psk='k'/>"
	    "<peer id='tokyo' my-auth='psk' pubkey='t.pub'/></realm></vpn>";

	begin();
	process(other);
	assert_int_equal(stands(0, 0), ERR_AUTH);
	assert_non_null(strstr(w.last.why, "in another way"));
	end();
}

TEST(a_question_that_makes_no_sense_ends_nobody)
{
	size_t whole;

	begin();
	whole = shown_len;
	for (shown_len = 0; shown_len < whole; shown_len++)
		assert_int_not_equal(stands(0, 0), ERR_AUTH);
	shown_len = whole;
	assert_int_equal(stands(7, 0), ERR_NOTFOUND);
	assert_int_equal(stands(0, 7), ERR_NOTFOUND);
	assert_int_equal(stands(0, 0), 0);
	end();
}

TEST(the_mark_of_a_key_is_of_no_use_on_another_machine)
{
	uint8_t before[SEC_SHOWN_MAX];
	char path[128];

	begin();
	memcpy(before, shown, shown_len);
	snprintf(path, sizeof(path), "%s/%s", kit_dir, SEC_TOKEN_FILE);
	assert_int_equal(unlink(path), 0);
	process(conf_text);
	authenticate(2);
	assert_memory_not_equal(before, shown, shown_len);
	end();
}

TEST(without_a_secret_for_marks_only_places_are_looked_at)
{
	struct ipc_msg m = hello();

	begin();
	kit_key("k", "another key, as long as that");
	process(conf_text);
	sec_serve_free(w.s);
	w.sc.marks = NULL;
	assert_int_equal(sec_serve_new(&w.s, &w.sc, take, NULL, w.now_ms), 0);
	assert_int_equal(say(&m), 0);
	assert_int_equal(stands(0, 0), 0);
	end();
}

/* ---- users ------------------------------------------------------------------- */

#define HANAKO "hanako@sales.example.com"
#define NT     "f64b56fd909abe870184896c287b74fe"

static const char people[] =
    "<vpn><realm name='sales'><match id='*@sales.example.com'/>"
    "<me id='gw.example.com' key='gw.key'/><eap users='sales.users'/>"
    "<net local='10.1.0.0/16'/></realm></vpn>";
static struct sec_eaps *eaps;

/* A secure process with these users. */
static void
with_users(const char *users)
{
	EVP_PKEY *k = pki_key("EC", "P-256");
	struct conf *c;

	pki_pem_key("gw.key", k, NULL);
	EVP_PKEY_free(k);
	kit_key("sales.users", users);
	sec_serve_free(w.s);
	w.s = NULL;
	sec_eaps_free(eaps);
	c = kit_conf(people);
	assert_int_equal(sec_eaps_load(&eaps, c, kit_dir, geteuid()), 0);
	conf_free(c);
	w.sc.eap = eaps;
	process(people);
}

/* What she showed when she logged in by that hash. */
static void
showed(enum sec_shown_kind kind, const uint8_t nt[16])
{
	struct sec_shown s = { .kind = kind,
		.id_peer = kit_id(w.idbuf, 3, HANAKO),
		.user = kit_view(HANAKO, strlen(HANAKO)) };

	assert_int_equal(sec_token_mark(marks, kit_view(nt, 16), s.mark), 0);
	assert_int_equal(sec_shown_enc(&s, shown, &shown_len), 0);
}

TEST(user_who_was_deleted_or_has_another_password_does_not_stand)
{
	static const uint8_t nt[16] = { 0xf6, 0x4b, 0x56, 0xfd, 0x90, 0x9a,
		0xbe, 0x87, 0x01, 0x84, 0x89, 0x6c, 0x28, 0x7b, 0x74, 0xfe };

	world_begin();
	with_users(HANAKO ":nt:" NT "\njiro@sales.example.com:nt:" NT "\n");
	showed(SEC_SHOWN_PASSWORD, nt);
	assert_null(memmem(shown, shown_len, nt, 4));
	assert_int_equal(stands(0, 0), 0);
	with_users("jiro@sales.example.com:nt:" NT "\n");
	assert_int_equal(stands(0, 0), ERR_AUTH);
	assert_non_null(strstr(w.last.why, HANAKO));
	assert_non_null(strstr(w.last.why, "not in the users file"));
	with_users(HANAKO ":nt:00112233445566778899aabbccddeeff\n");
	assert_int_equal(stands(0, 0), ERR_AUTH);
	assert_non_null(strstr(w.last.why, "password"));
	assert_null(strstr(w.last.why, "001122"));
	/* only somebody else knows that password */
	showed(SEC_SHOWN_USER, nt);
	assert_int_equal(stands(0, 0), 0);
	sec_serve_free(w.s);
	w.s = NULL;
	sec_eaps_free(eaps);
	eaps = NULL;
	end();
}
