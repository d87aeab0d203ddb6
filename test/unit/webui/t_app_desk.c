/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/webui/t_app_desk.c - /desk and links that work once, with the desk made up.
 */
#include "test/unit/webui/app_rig.h"

#define DEL "{\"command\":\"desk\",\"what\":\"account-del\",\"name\":\"taro\"}"
#define INVITE                                                                 \
	"{\"command\":\"desk\",\"what\":\"invite\",\"name\":\"osaka\","             \
	"\"realm\":\"r\",\"seal\":\"04aa\"}"

/* The desk says something, and the supervisor that this was all. */
static void
desk_says(const char *code, const char *file, const char *seal, const char *doc)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_DESK);
	r.tag = w.cmd.tag;
	bus_set_str(&r, BUS_F_WHAT, bus_str(&w.cmd, BUS_F_WHAT));
	bus_set_str(&r, BUS_F_CODE, code);
	bus_set_str(&r, BUS_F_FILE, file);
	bus_set_str(&r, BUS_F_KIND, "application/octet-stream");
	bus_set_str(&r, BUS_F_SEAL, seal);
	ui_edit_record(w.app.edit, &r, v(doc));
	bus_rec_init(&r, BUS_RES_DONE);
	r.tag = w.cmd.tag;
	ui_edit_record(w.app.edit, &r, (struct view){ NULL, 0 });
}

TEST(the_desk_is_for_admins_who_proved_themselves)
{
	static struct ui_req rq;
	const char *auth;

	begin();
	for (int right = BUS_RIGHT_VIEW; right < BUS_RIGHT_ADMIN; right++) {
		auth = logged_in((enum bus_right)right);
		ask(&rq, UI_GET, "/desk?what=accounts", auth, "");
		assert_int_equal(rq.status, 403);
		ask(&rq, UI_POST, "/desk", auth, DEL);
		assert_int_equal(rq.status, 403);
	}
	auth = logged_in(BUS_RIGHT_ADMIN);
	ask(&rq, UI_GET, "/desk?what=account-del", auth, "");
	assert_int_equal(rq.status, 400);
	ask(&rq, UI_POST, "/desk", auth, "{\"command\":\"reload\"}");
	assert_int_equal(rq.status, 400);
	assert_int_equal(w.n_cmd, 0);
	ask(&rq, UI_POST, "/desk", auth, DEL);
	assert_int_equal(w.n_cmd, 1);
	assert_true(bus_u64(&w.cmd, BUS_F_PROOF) == PROOF);
	assert_string_equal(bus_str(&w.cmd, BUS_F_NAME), "taro");
	desk_says("done", "", "", "{\"ok\":true}");
	assert_int_equal(rq.status, 200);
	assert_string_equal(rq.text, "{\"ok\":true}");
	ask(&rq, UI_POST, "/desk", auth, DEL);
	desk_says("failed", "", "", "{\"ok\":false,\"code\":\"unknown-user\"}");
	assert_int_equal(rq.status, 409);
	w.now_ns += UI_PROOF_MS * 1000000;
	ask(&rq, UI_POST, "/desk", auth, DEL);
	assert_int_equal(rq.status, 403);
	assert_non_null(strstr(rq.text, "ERR_PROOF"));
	ask(&rq, UI_GET, "/desk?what=users&realm=sales", auth, "");
	assert_string_equal(bus_str(&w.cmd, BUS_F_REALM), "sales");
	desk_says("failed", "", "", "{\"ok\":false,\"code\":\"eap\"}");
	assert_int_equal(rq.status, 200);
	assert_non_null(strstr(rq.text, "\"eap\""));
	end();
}

TEST(who_asks_cannot_bring_a_proof_or_a_name)
{
	static struct ui_req rq;

	begin();
	ask(&rq, UI_POST, "/desk", logged_in(BUS_RIGHT_ADMIN),
	    "{\"command\":\"desk\",\"what\":\"account-del\",\"name\":\"x\","
	    "\"proof\":77}");
	assert_true(bus_u64(&w.cmd, BUS_F_PROOF) == PROOF);
	ask(&rq, UI_POST, "/desk", logged_in(BUS_RIGHT_ADMIN),
	    "{\"command\":\"desk\",\"what\":\"account-del\",\"name\":\"x\","
	    "\"user\":\"taro\"}");
	assert_int_equal(rq.status, 400);
	end();
}

TEST(the_unix_socket_looks_but_changes_nothing)
{
	static struct ui_req rq;

	begin();
	ask(&rq, UI_GET, "/desk?what=accounts", NULL, "");
	assert_int_equal(w.n_cmd, 1);
	desk_says("done", "", "", "{\"ok\":true}");
	assert_int_equal(rq.status, 200);
	ask(&rq, UI_POST, "/desk", NULL, DEL);
	assert_int_equal(rq.status, 403);
	assert_non_null(strstr(rq.text, "ERR_PROOF"));
	assert_int_equal(w.n_cmd, 1);
	end();
}

TEST(what_the_supervisor_takes_for_no_proof_is_asked_for_again)
{
	static struct ui_req rq;

	begin();
	ask(&rq, UI_POST, "/desk", logged_in(BUS_RIGHT_ADMIN), DEL);
	desk_says("proof", "", "", "{\"ok\":false}");
	assert_int_equal(rq.status, 403);
	assert_non_null(strstr(rq.text, "ERR_PROOF"));
	end();
}

TEST(a_sealed_answer_is_passed_on_as_it_is)
{
	static struct ui_req rq;

	begin();
	ask(&rq, UI_POST, "/desk", logged_in(BUS_RIGHT_ADMIN), DEL);
	desk_says("done", "", "04bb", "\x01\x02\xff");
	assert_int_equal(rq.status, 200);
	assert_non_null(strstr(rq.text, "\"seal\":\"04bb\""));
	assert_non_null(strstr(rq.text, "\"sealed\":\"0102ff\""));
	end();
}

/* The path of the link in an answer. */
static const char *
link_of(const struct ui_req *rq)
{
	static char path[64];
	const char *at = strstr(rq->text, "\"link\":\"");

	assert_non_null(at);
	(void)str_copy(path, sizeof(path), at + 8);
	path[strcspn(path, "\"")] = '\0';
	return path;
}

TEST(a_link_leads_to_its_file_once)
{
	static struct ui_req rq;
	char path[64];

	begin();
	ask(&rq, UI_POST, "/desk", logged_in(BUS_RIGHT_ADMIN), INVITE);
	desk_says("done", "osaka\r\nX: y\".invite", "04bb", "SEALED");
	assert_int_equal(rq.status, 200);
	assert_null(strstr(rq.text, "SEALED"));
	(void)str_copy(path, sizeof(path), link_of(&rq));
	ask(&rq, UI_GET, "/get/00000000000000000000000000000000", "none", "");
	assert_int_equal(rq.status, 404);
	ask(&rq, UI_GET, "/get/", "none", "");
	assert_int_equal(rq.status, 404);
	ask(&rq, UI_GET, path, "none", "");
	assert_int_equal(rq.status, 200);
	assert_string_equal(rq.text, "SEALED");
	assert_non_null(strstr(rq.fields, "filename=\"osaka__X__y_.invite\""));
	ask(&rq, UI_GET, path, "none", "");
	assert_int_equal(rq.status, 404);
	end();
}

TEST(a_link_that_nobody_follows_ends_and_there_are_not_too_many)
{
	static struct ui_req rq;
	char path[64];

	begin();
	for (unsigned i = 0; i < UI_DESK_KEPT; i++) {
		ask(&rq, UI_POST, "/desk", logged_in(BUS_RIGHT_ADMIN), INVITE);
		desk_says("done", "osaka.invite", "04bb", "SEALED");
		assert_int_equal(rq.status, 200);
	}
	(void)str_copy(path, sizeof(path), link_of(&rq));
	ask(&rq, UI_POST, "/desk", logged_in(BUS_RIGHT_ADMIN), INVITE);
	desk_says("done", "osaka.invite", "04bb", "SEALED");
	assert_int_equal(rq.status, 429);
	w.now_ns += UI_DESK_S * 1000000000ull;
	ui_desk_run(w.app.desk, clk_ms());
	ask(&rq, UI_GET, path, "none", "");
	assert_int_equal(rq.status, 404);
	ask(&rq, UI_POST, "/desk", logged_in(BUS_RIGHT_ADMIN), INVITE);
	desk_says("done", "osaka.invite", "04bb", "SEALED");
	assert_int_equal(rq.status, 200);
	end();
}
