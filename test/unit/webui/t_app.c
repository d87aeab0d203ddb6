/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/webui/t_app.c - requests as the table of paths takes them, with HTTP
 * and the core made up (app_rig.h).
 */
#include "test/unit/webui/app_rig.h"

/* ---- captures -------------------------------------------------------------- */

#define ESP "{\"command\":\"capture\",\"what\":\"esp\"}"

/* The core says yes, no, or that it is over. */
static void
say(enum bus_row row, const char *code)
{
	struct bus_rec r;

	bus_rec_init(&r, row);
	if (row == BUS_RES_CAPTURE)
		bus_set_u64(&r, BUS_F_CAPTURE, 5);
	else
		bus_set_str(&r, BUS_F_CODE, code);
	ui_capture_record(w.app.capture, &r);
}

static void
packet(enum cap_side side, uint32_t len)
{
	static const uint8_t bytes[100] = { 0xaa };
	struct cap_pkt p = { .side = side, .drop = CAP_NO_DROP, .len = len };
	uint8_t buf[CAP_HEAD + sizeof(bytes)];
	struct wcur c;

	wcur_init(&c, buf, sizeof(buf));
	cap_enc_head(&c, &p);
	if (side != CAP_LOST)
		wcur_bytes(&c, bytes, sizeof(bytes));
	ui_capture_packet(w.app.capture, buf, wcur_done(&c).len);
}

TEST(a_capture_streams_until_the_core_says_it_is_over)
{
	static struct ui_req rq;
	size_t before;

	begin();
	ask(&rq, UI_POST, "/capture", logged_in(BUS_RIGHT_OPERATE), ESP);
	assert_int_equal(w.cmd.desc->row, BUS_CMD_CAPTURE);
	assert_int_equal(w.tag, UI_CAPTURE_TAG);
	assert_string_equal(w.user, "hanako");
	assert_int_equal(bus_u64(&w.cmd, BUS_F_LEFT_S), UI_CAPTURE_S);
	assert_int_equal(rq.status, 0);
	packet(CAP_ESP, 100); /* too early: nobody asked for it */
	say(BUS_RES_CAPTURE, NULL);
	assert_int_equal(rq.status, 200);
	assert_non_null(strstr(rq.fields, "filename=\"tapir-"));
	before = rq.len;
	assert_true(before > 100);
	packet(CAP_ESP, 100);
	assert_true(rq.len > before + 100);
	ui_capture_packet(w.app.capture, "\x10junk", 5);
	packet(CAP_LOST, 0);
	before = rq.len;
	say(BUS_RES_DONE, "");
	assert_true(rq.is_ended);
	assert_int_equal(rq.len, before);
	end();
}

TEST(what_a_slow_client_missed_is_in_the_last_block)
{
	static struct ui_req rq;

	begin();
	ask(&rq, UI_POST, "/capture", NULL, ESP);
	say(BUS_RES_CAPTURE, NULL);
	rq.is_slow = true;
	packet(CAP_ESP, 100);
	packet(CAP_ESP, 100);
	rq.is_slow = false;
	packet(CAP_LOST, 40);
	say(BUS_RES_DONE, "");
	assert_true(rq.is_ended);
	assert_non_null(memmem(rq.text, rq.len, "42 packets were lost", 20));
	end();
}

TEST(a_stream_that_cannot_be_finished_is_cut)
{
	static struct ui_req rq;

	begin();
	ask(&rq, UI_POST, "/capture", NULL, ESP);
	say(BUS_RES_CAPTURE, NULL);
	rq.is_slow = true;
	packet(CAP_ESP, 100);
	say(BUS_RES_DONE, "");
	assert_true(rq.is_cut);
	memset(&rq, 0, sizeof(rq));
	ask(&rq, UI_POST, "/capture", NULL, ESP);
	say(BUS_RES_CAPTURE, NULL);
	ui_capture_lost(w.app.capture);
	assert_true(rq.is_cut);
	end();
}

TEST(whose_client_left_is_ended_in_the_core_once_its_number_is_known)
{
	static struct ui_req rq, next, third;

	begin();
	ask(&rq, UI_POST, "/capture", NULL, ESP);
	ui_app_gone(&w.app, &rq);
	assert_int_equal(w.n_cmd, 1);
	ask(&third, UI_POST, "/capture", NULL, ESP);
	assert_int_equal(third.status, 409);
	w.refuse = ERR_FULL;
	say(BUS_RES_CAPTURE, NULL);
	assert_int_equal(w.n_cmd, 1);
	w.refuse = 0;
	ui_capture_run(w.app.capture);
	assert_int_equal(w.cmd.desc->row, BUS_CMD_CAPTURE_STOP);
	assert_int_equal(bus_u64(&w.cmd, BUS_F_CAPTURE), 5);
	assert_int_equal(rq.status, 0);
	/* the next waits for its end */
	ask(&next, UI_POST, "/capture", NULL, ESP);
	assert_int_equal(w.n_cmd, 2);
	packet(CAP_ESP, 100);
	say(BUS_RES_DONE, "");
	assert_int_equal(w.n_cmd, 3);
	assert_int_equal(w.cmd.desc->row, BUS_CMD_CAPTURE);
	say(BUS_RES_CAPTURE, NULL);
	assert_int_equal(next.status, 200);
	end();
}

TEST(a_capture_ends_with_its_login)
{
	static struct ui_req rq, out, waits;
	const char *auth;

	begin();
	auth = logged_in(BUS_RIGHT_OPERATE);
	ask(&rq, UI_POST, "/capture", auth, ESP);
	say(BUS_RES_CAPTURE, NULL);
	ask(&out, UI_DELETE, "/login", auth, "");
	assert_int_equal(out.status, 204);
	assert_true(rq.is_cut);
	assert_int_equal(w.cmd.desc->row, BUS_CMD_CAPTURE_STOP);
	auth = logged_in(BUS_RIGHT_OPERATE);
	ask(&waits, UI_POST, "/capture", auth, ESP);
	ask(&out, UI_DELETE, "/login", auth, "");
	assert_int_equal(waits.status, 401);
	end();
}

TEST(the_core_refuses_in_its_words)
{
	static const struct {
		int err, status;
	} known[] = {
		{ ERR_EXISTS, 409 }, { ERR_NOTFOUND, 404 }, { ERR_STATE, 409 },
		{ ERR_PERM, 403 }, { ERR_NOMEM, 503 },
	};
	static struct ui_req rq;

	begin();
	for (unsigned i = 0; i < N_OF(known); i++) {
		ask(&rq, UI_POST, "/capture", NULL, ESP);
		assert_int_equal(rq.status, 0);
		say(BUS_RES_FAILED, err_name(known[i].err));
		assert_int_equal(rq.status, known[i].status);
		assert_non_null(strstr(rq.text, err_name(known[i].err)));
	}
	w.refuse = ERR_CLOSED;
	ask(&rq, UI_POST, "/capture", NULL, ESP);
	assert_int_equal(rq.status, 503);
	end();
}

TEST(roles_get_what_they_may_see)
{
	static const struct {
		enum bus_right right;
		const char *body;
		int status;		/* 0: it goes to the core */
	} tries[] = {
		{ BUS_RIGHT_VIEW, ESP, 403 },
		{ BUS_RIGHT_OPERATE, ESP, 0 },
		{ BUS_RIGHT_OPERATE, "{\"command\":\"capture\"}", 0 },
		{ BUS_RIGHT_OPERATE,
		  "{\"command\":\"capture\",\"what\":\"esp,clear\"}", 403 },
		{ BUS_RIGHT_OPERATE,
		  "{\"command\":\"capture\",\"what\":\"dropped\"}", 403 },
		{ BUS_RIGHT_ADMIN, "{\"command\":\"capture\"}", 0 },
		{ BUS_RIGHT_ADMIN,
		  "{\"command\":\"capture\",\"has_keys\":true}", 403 },
		{ BUS_RIGHT_ADMIN,
		  "{\"command\":\"capture\",\"what\":\"all\"}", 400 },
		{ BUS_RIGHT_ADMIN,
		  "{\"command\":\"capture\",\"left_s\":901}", 400 },
		{ BUS_RIGHT_ADMIN, "{\"command\":\"web\"}", 400 },
		{ BUS_RIGHT_ADMIN, "{\"what\":\"esp\"}", 400 },
		{ BUS_RIGHT_ADMIN, "[", 400 },
	};
	static struct ui_req rq;

	for (unsigned i = 0; i < N_OF(tries); i++) {
		begin();
		ask(&rq, UI_POST, "/capture", logged_in(tries[i].right),
		    tries[i].body);
		assert_int_equal(rq.status, tries[i].status);
		assert_int_equal(w.n_cmd, tries[i].status == 0);
		if (tries[i].status == 0 &&
		    tries[i].right == BUS_RIGHT_OPERATE)
			assert_null(strstr(bus_str(&w.cmd, BUS_F_WHAT),
					   "clear"));
		if (i == 2)
			assert_string_equal(bus_str(&w.cmd, BUS_F_WHAT),
					    "esp ike");
		end();
	}
}

/* The process that makes links knows this one, or not. */
static void
link_is(enum pass_verdict verdict, enum pass_role role)
{
	const struct pass_answer a = { .verdict = verdict, .role = role,
				       .proof = PROOF + 1 };

	gate.fn(gate.ctx, &a);
}

TEST(an_old_login_proves_itself_again)
{
	static struct ui_req rq;
	const char *auth, *link = "{\"link\":\"" LINK "\"}";

	begin();
	auth = logged_in(BUS_RIGHT_ADMIN);
	w.now_ns += UI_PROOF_MS * 1000000;
	ask(&rq, UI_POST, "/capture", auth, ESP);
	assert_int_equal(rq.status, 403);
	assert_non_null(strstr(rq.text, "ERR_PROOF"));
	/* a link that is none, and one of a lower role */
	ask(&rq, UI_PUT, "/login", auth, link);
	assert_int_equal(gate.q.kind, PASS_LINK);
	assert_string_equal(gate.q.word, LINK);
	link_is(PASS_NO, PASS_VIEWER);
	assert_int_equal(rq.status, 401);
	ask(&rq, UI_PUT, "/login", auth, link);
	link_is(PASS_YES, PASS_VIEWER);
	assert_int_equal(rq.status, 401);
	ask(&rq, UI_POST, "/capture", auth, ESP);
	assert_int_equal(rq.status, 403);
	ask(&rq, UI_PUT, "/login", auth, link);
	link_is(PASS_YES, PASS_ADMIN);
	assert_int_equal(rq.status, 200);
	assert_non_null(strstr(rq.text, "\"proved\":true"));
	ask(&rq, UI_POST, "/capture", auth, ESP);
	assert_int_equal(rq.status, 0);
	assert_int_equal(w.n_cmd, 1);
	end();
}

/* ---- the configuration ----------------------------------------------------- */

#define TAG "\"0123456789abcdef\""

/* The supervisor says what a file is, that it is done, or that it is not. */
static void
sup_says(enum bus_row row, const char *code, const char *doc)
{
	struct bus_rec r;

	bus_rec_init(&r, row);
	r.tag = w.cmd.tag;
	if (row == BUS_RES_CONF_FILE) {
		bus_set_str(&r, BUS_F_FILE, "/etc/tapir/tapir.xml");
		bus_set_str(&r, BUS_F_DIGEST, "0123456789abcdef");
	} else if (row == BUS_RES_MISTAKE) {
		bus_set_u64(&r, BUS_F_LINE, 12);
		bus_set_str(&r, BUS_F_WHY, "<b> is \"not\" known");
	} else {
		bus_set_str(&r, BUS_F_CODE, code);
	}
	ui_edit_record(w.app.edit, &r, v(doc));
}

TEST(a_file_is_read_with_its_digest)
{
	static struct ui_req rq;

	begin();
	ask(&rq, UI_GET, "/conf?file=/etc/tapir/tapir.xml",
	    logged_in(BUS_RIGHT_ADMIN), "");
	assert_int_equal(w.cmd.desc->row, BUS_CMD_CONF_READ);
	assert_string_equal(bus_str(&w.cmd, BUS_F_FILE), "/etc/tapir/tapir.xml");
	sup_says(BUS_RES_CONF_FILE, NULL, "<vpn/>\n");
	assert_int_equal(rq.status, 0);
	sup_says(BUS_RES_DONE, "", "");
	assert_int_equal(rq.status, 200);
	assert_string_equal(rq.text, "<vpn/>\n");
	assert_non_null(strstr(rq.fields, "ETag: " TAG));
	end();
}

TEST(a_preview_is_written_nowhere_and_tells_each_mistake)
{
	static struct ui_req rq;

	begin();
	ask(&rq, UI_PUT, "/conf?dry=1", NULL, "<vpn><b/></vpn>");
	assert_int_equal(w.cmd.desc->row, BUS_CMD_CONF_WRITE);
	assert_true(bus_bool(&w.cmd, BUS_F_IS_DRY));
	assert_string_equal(w.text, "<vpn><b/></vpn>");
	sup_says(BUS_RES_MISTAKE, NULL, "");
	sup_says(BUS_RES_MISTAKE, NULL, "");
	sup_says(BUS_RES_FAILED, "ERR_CONF", "");
	assert_int_equal(rq.status, 422);
	assert_non_null(strstr(rq.text, "{\"ok\":false,\"code\":\"ERR_CONF\""));
	assert_non_null(strstr(rq.text, "\"line\":12"));
	assert_non_null(strstr(rq.text, "<b> is \\\"not\\\" known"));
	assert_non_null(strstr(rq.text, "},{\"result\":\"mistake\""));
	assert_string_equal(rq.text + rq.len - 4, "}]}\n");
	end();
}

TEST(writing_wants_an_admin_a_proof_and_what_was_read)
{
	static struct ui_req rq;
	const char *auth;

	begin();
	for (int right = BUS_RIGHT_VIEW; right < BUS_RIGHT_ADMIN; right++) {
		auth = logged_in((enum bus_right)right);
		ask_match(&rq, UI_PUT, "/conf", auth, TAG, "<vpn/>");
		assert_int_equal(rq.status, 403);
		ask(&rq, UI_PUT, "/conf?dry=1", auth, "<vpn/>");
		assert_int_equal(rq.status, 403);
		ask(&rq, UI_GET, "/conf", auth, "");
		assert_int_equal(rq.status, 403);
		ask(&rq, UI_GET, "/conf/files", auth, "");
		assert_int_equal(rq.status, 403);
	}
	auth = logged_in(BUS_RIGHT_ADMIN);
	ask(&rq, UI_PUT, "/conf", auth, "<vpn/>");
	assert_int_equal(rq.status, 428);
	ask_match(&rq, UI_PUT, "/conf", auth, "*", "<vpn/>");
	assert_int_equal(rq.status, 428);
	ask_match(&rq, UI_PUT, "/conf?dry=true", auth, TAG, "<vpn/>");
	assert_int_equal(rq.status, 400);
	assert_int_equal(w.n_cmd, 0);
	ask_match(&rq, UI_PUT, "/conf", auth, TAG, "<vpn/>");
	assert_int_equal(w.n_cmd, 1);
	assert_false(bus_bool(&w.cmd, BUS_F_IS_DRY));
	assert_true(bus_u64(&w.cmd, BUS_F_PROOF) == PROOF);
	assert_string_equal(bus_str(&w.cmd, BUS_F_DIGEST), "0123456789abcdef");
	sup_says(BUS_RES_CONF_FILE, NULL, "");
	sup_says(BUS_RES_DONE, "", "");
	assert_int_equal(rq.status, 200);
	assert_non_null(strstr(rq.text, "\"digest\":\"0123456789abcdef\""));
	w.now_ns += UI_PROOF_MS * 1000000;
	ask_match(&rq, UI_PUT, "/conf", auth, TAG, "<vpn/>");
	assert_int_equal(rq.status, 403);
	assert_non_null(strstr(rq.text, "ERR_PROOF"));
	end();
}

TEST(the_supervisor_refuses_in_its_words)
{
	static const struct {
		int err, status;
	} known[] = {
		{ ERR_STALE, 409 }, { ERR_PERM, 403 }, { ERR_NOTFOUND, 404 },
		{ ERR_LONG, 413 }, { ERR_SYS, 500 }, { ERR_NOMEM, 503 },
		{ ERR_PROOF, 403 },
	};
	static struct ui_req rq;
	const char *auth;

	begin();
	/* the Unix socket says who, and proves nothing */
	ask_match(&rq, UI_PUT, "/conf", NULL, TAG, "<vpn/>");
	assert_int_equal(rq.status, 403);
	assert_int_equal(w.n_cmd, 0);
	auth = logged_in(BUS_RIGHT_ADMIN);
	for (unsigned i = 0; i < N_OF(known); i++) {
		ask_match(&rq, UI_PUT, "/conf", auth, TAG, "<vpn/>");
		sup_says(BUS_RES_FAILED, err_name(known[i].err), "");
		assert_int_equal(rq.status, known[i].status);
	}
	end();
}

TEST(questions_wait_their_turn_and_not_for_ever)
{
	static struct ui_req rq[UI_EDIT_MAX + 1];

	begin();
	for (unsigned i = 0; i <= UI_EDIT_MAX; i++)
		ask(&rq[i], UI_GET, "/conf/files", NULL, "");
	assert_int_equal(rq[UI_EDIT_MAX].status, 429);
	assert_int_equal(w.n_cmd, 1);
	ui_app_gone(&w.app, &rq[0]);	/* answered to nobody */
	ui_app_gone(&w.app, &rq[1]);	/* not asked at all */
	sup_says(BUS_RES_DONE, "", "");
	assert_int_equal(w.n_cmd, 2);
	assert_int_equal(rq[0].status, 0);
	sup_says(BUS_RES_CONF_FILE, NULL, "");
	sup_says(BUS_RES_DONE, "", "");
	assert_int_equal(rq[2].status, 200);
	assert_non_null(strstr(rq[2].text, "\"items\":[{\"result\":"
			       "\"conf-file\""));
	w.cmd.tag--;			/* of the one before: too late */
	sup_says(BUS_RES_DONE, "", "");
	assert_int_equal(rq[3].status, 0);
	w.now_ns += UI_EDIT_MS * 1000000ull;
	ui_edit_run(w.app.edit, clk_ms());
	assert_int_equal(rq[3].status, 503);
	w.refuse = ERR_CLOSED;
	w.now_ns += UI_EDIT_MS * 1000000ull;
	ui_edit_run(w.app.edit, clk_ms());
	for (unsigned i = 4; i < UI_EDIT_MAX; i++)
		assert_int_equal(rq[i].status, 503);
	end();
}

/* ---- accounts -------------------------------------------------------------- */

static void
account_is(enum pass_verdict verdict, uint64_t stamp)
{
	const struct pass_answer a = { .verdict = verdict, .stamp = stamp,
				       .role = PASS_OPERATOR };

	gate.fn(gate.ctx, &a);
}

/* Log in by a password; "Bearer TOKEN". */
static void
by_password(const char *name, uint64_t stamp, char auth[96])
{
	static struct ui_req rq;
	char body[128];

	snprintf(body, sizeof(body), "{\"user\":\"%s\",\"password\":\"x\"}",
		 name);
	ask(&rq, UI_POST, "/login", "none", body);
	assert_int_equal(gate.q.kind, PASS_WORD);
	account_is(PASS_YES, stamp);
	assert_int_equal(rq.status, 200);
	snprintf(auth, 96, "Bearer %.64s", strstr(rq.text, "\"token\":\"") + 9);
}

static int
whoami(const char *auth)
{
	static struct ui_req rq;

	ask(&rq, UI_GET, "/login", auth, "");
	return rq.status;
}

TEST(who_is_removed_or_changed_is_logged_out)
{
	char hanako[2][96], taro[96];
	const char *link;

	begin();
	by_password("hanako", 5, hanako[0]);
	by_password("hanako", 5, hanako[1]);
	by_password("taro", 6, taro);
	link = logged_in(BUS_RIGHT_ADMIN);
	gate.n = 0;
	ui_app_check(&w.app, clk_ms());
	assert_int_equal(gate.n, 0);	/* it was just looked at */
	w.now_ns += 1000000000;
	ui_app_check(&w.app, clk_ms());
	assert_int_equal(gate.n, 2);	/* each name once */
	assert_int_equal(gate.q.kind, PASS_STILL);
	assert_string_equal(gate.q.name, "taro");
	account_is(PASS_LATER, 0);	/* nobody knows just now */
	assert_int_equal(whoami(taro), 200);
	w.now_ns += 1000000000;
	ui_app_check(&w.app, clk_ms());
	assert_int_equal(gate.n, 3);	/* the other one is still asked for */
	account_is(PASS_YES, 6);
	assert_int_equal(whoami(taro), 200);
	w.now_ns += 1000000000;
	ui_app_check(&w.app, clk_ms());
	account_is(PASS_YES, 7);	/* another password or role */
	assert_int_equal(whoami(taro), 401);
	assert_int_equal(whoami(hanako[0]), 200);
	assert_int_equal(whoami(link), 200);
	end();
}

TEST(all_logins_of_an_account_end_with_what_they_have_under_way)
{
	static struct ui_req rq;
	char auth[2][96];

	begin();
	by_password("jiro", 5, auth[0]);
	by_password("jiro", 5, auth[1]);
	ask(&rq, UI_POST, "/capture", auth[0], ESP);
	say(BUS_RES_CAPTURE, NULL);
	w.now_ns += 1000000000;
	ui_app_check(&w.app, clk_ms());
	assert_string_equal(gate.q.name, "jiro");
	account_is(PASS_NO, 0);
	assert_true(rq.is_cut);
	assert_int_equal(whoami(auth[0]), 401);
	assert_int_equal(whoami(auth[1]), 401);
	end();
}

/* ---- passwords of EAP ------------------------------------------------------------ */

#define TYPED "{\"realm\":\"office\",\"password\":\"horse\"}"

static int
typed_is(struct ui_req *rq, enum prompt_verdict verdict)
{
	const struct prompt_answer a = { .verdict = verdict };

	ask(rq, UI_POST, "/password", logged_in(BUS_RIGHT_OPERATE), TYPED);
	assert_int_equal(rq->status, 0);	/* it waits */
	typed.fn(typed.ctx, &a);
	return rq->status;
}

TEST(a_typed_password_goes_to_the_secure_process_and_nowhere_else)
{
	static struct ui_req rq;

	begin();
	w.app.typed = (struct ui_typed *)&typed; /* never looked into */
	typed.n = 0;
	assert_int_equal(typed_is(&rq, PROMPT_KNOWN), 204);
	assert_string_equal(typed.q.realm, "office");
	assert_string_equal(typed.q.word, "horse");
	assert_true(typed.q.has_word);
	assert_int_equal(w.n_cmd, 0);
	assert_int_equal(typed_is(&rq, PROMPT_NONE), 404);
	assert_int_equal(typed_is(&rq, PROMPT_FAILED), 400);
	assert_null(strstr(rq.text, "horse"));
	end();
}

TEST(who_may_not_connect_types_no_password)
{
	static struct ui_req rq;

	begin();
	w.app.typed = (struct ui_typed *)&typed;
	typed.n = 0;
	ask(&rq, UI_POST, "/password", logged_in(BUS_RIGHT_VIEW), TYPED);
	assert_int_equal(rq.status, 403);
	ask(&rq, UI_POST, "/password", "Bearer no", TYPED);
	assert_int_equal(rq.status, 401);
	ask(&rq, UI_POST, "/password", logged_in(BUS_RIGHT_OPERATE),
	    "{\"realm\":\"office\"}");
	assert_int_equal(rq.status, 400);
	assert_int_equal(typed.n, 0);
	end();
}

TEST(a_way_that_is_closed_or_a_browser_that_left_is_no_harm)
{
	const struct prompt_answer yes = { .verdict = PROMPT_KNOWN };
	static struct ui_req rq;

	begin();
	ask(&rq, UI_POST, "/password", logged_in(BUS_RIGHT_OPERATE), TYPED);
	assert_int_equal(rq.status, 503);
	w.app.typed = (struct ui_typed *)&typed;
	ask(&rq, UI_POST, "/password", logged_in(BUS_RIGHT_OPERATE), TYPED);
	typed.fn(typed.ctx, NULL);
	assert_int_equal(rq.status, 503);
	ask(&rq, UI_POST, "/password", logged_in(BUS_RIGHT_OPERATE), TYPED);
	ui_app_gone(&w.app, &rq);
	typed.fn(typed.ctx, &yes);
	assert_int_equal(rq.status, 0);
	end();
}
