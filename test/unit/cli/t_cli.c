/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_cli.c - the command line: options, mistakes, help, forms.
 */
#include "test/lib/test.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "cli/cli.h"
#include "cli/hub.h"
#include "cli/status.h"
#include "daemon/base/err.h"
#include "daemon/bus/bus_wire.h"
#include "why/why.h"
#include "test/unit/cli/run.h"

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

TEST(no_command_prints_usage_and_is_an_error)
{
	assert_int_equal(run(NULL), CLI_USAGE);
	assert_non_null(strstr(err, "usage: tapir"));
	assert_string_equal(out, "");
}

TEST(help_is_not_an_error)
{
	assert_int_equal(run("--help", NULL), CLI_OK);
	assert_non_null(strstr(out, "usage: tapir"));
	assert_int_equal(run("status", "--help", NULL), CLI_OK);
	assert_non_null(strstr(out, "usage: tapir status [-w] [REALM | [REALM/]PEER]"));
}

TEST(unknown_command_names_the_nearest_one)
{
	assert_int_equal(run("staus", NULL), CLI_USAGE);
	assert_non_null(strstr(err, "did you mean 'status'?"));
	assert_int_equal(run("xyzzy", NULL), CLI_USAGE);
	assert_null(strstr(err, "did you mean"));
}

TEST(unknown_option_names_the_nearest_one_and_the_usage)
{
	assert_int_equal(run("log", "--folow", NULL), CLI_USAGE);
	assert_non_null(strstr(err, "did you mean --follow?"));
	assert_non_null(strstr(err, "usage: tapir log"));
	assert_int_equal(run("status", "-x", NULL), CLI_USAGE);
	assert_int_equal(run("--nonsense", "status", NULL), CLI_USAGE);
	assert_int_equal(run("log", "--realm", NULL), CLI_USAGE);
	assert_non_null(strstr(err, "--realm needs a value"));
	assert_int_equal(run("log", "--follow=1", NULL), CLI_USAGE);
	assert_int_equal(run("status", "a", "b", NULL), CLI_USAGE);
	assert_non_null(strstr(err, "'b' is one word too many"));
}

TEST(no_daemon_is_status_three_with_what_to_do)
{
	assert_int_equal(run("--run-dir", "/nonexistent", "status", NULL),
			 CLI_NO_DAEMON);
	assert_non_null(strstr(err, "tapird is not running"));
	assert_non_null(strstr(err, "start it with"));
	assert_int_equal(run("status", "--run-dir=/nonexistent", NULL),
			 CLI_NO_DAEMON);
}

TEST(failure_as_json_is_the_only_document)
{
	assert_int_equal(run("--json", "--run-dir", "/nonexistent", "stats",
			     NULL), CLI_NO_DAEMON);
	assert_string_equal(err, "");
	assert_true(begins(out, "{\"ok\":false,\"code\":\"no-daemon\","));
	assert_int_equal(out[strlen(out) - 1], '\n');
	assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
}

TEST(the_run_directory_may_come_from_the_environment_but_an_option_wins)
{
	setenv("TAPIR_RUN_DIR", "/nonexistent/env", 1);
	assert_int_equal(run("status", NULL), CLI_NO_DAEMON);
	assert_non_null(strstr(err, "/nonexistent/env/ctl.sock"));
	assert_int_equal(run("--run-dir", "/nonexistent/opt", "status", NULL),
			 CLI_NO_DAEMON);
	assert_non_null(strstr(err, "/nonexistent/opt/ctl.sock"));
	unsetenv("TAPIR_RUN_DIR");
}

TEST(a_run_directory_too_long_for_a_socket_is_refused)
{
	char dir[120];

	memset(dir, 'x', sizeof(dir) - 1);
	dir[0] = '/';
	dir[sizeof(dir) - 1] = '\0';
	assert_int_equal(run("--run-dir", dir, "status", NULL), CLI_FAILED);
	assert_non_null(strstr(err, "cannot connect"));
}

TEST(targets_are_split_at_the_slash)
{
	char realm[CLI_NAME_MAX], peer[CLI_NAME_MAX], big[CLI_NAME_MAX + 2];

	assert_int_equal(cli_target("branches/osaka", realm, peer, realm), 0);
	assert_string_equal(realm, "branches");
	assert_string_equal(peer, "osaka");
	assert_int_equal(cli_target("branches", realm, peer, realm), 0);
	assert_string_equal(realm, "branches");
	assert_string_equal(peer, "");
	assert_int_equal(cli_target("osaka", realm, peer, peer), 0);
	assert_string_equal(realm, "");
	assert_string_equal(peer, "osaka");
	assert_int_equal(cli_target("", realm, peer, realm), ERR_SYNTAX);
	assert_int_equal(cli_target("/x", realm, peer, realm), ERR_SYNTAX);
	assert_int_equal(cli_target("x/", realm, peer, realm), ERR_SYNTAX);
	assert_int_equal(cli_target("a/b/c", realm, peer, realm), ERR_SYNTAX);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(cli_target(big, realm, peer, realm), ERR_LONG);
}

TEST(commands_that_need_words_say_so)
{
	assert_int_equal(run("up", NULL), CLI_USAGE);
	assert_int_equal(run("rekey", NULL), CLI_USAGE);
	assert_int_equal(run("rekey", "osaka", "esp", NULL), CLI_USAGE);
	assert_non_null(strstr(err, "ike or child"));
	assert_int_equal(run("hub", "branches", "macs", NULL), CLI_USAGE);
	assert_int_equal(run("log", "--code", "peer-upp", NULL), CLI_USAGE);
	assert_non_null(strstr(err, "did you mean 'peer-up'"));
	assert_int_equal(run("status", "-w", "--json", NULL), CLI_USAGE);
	assert_int_equal(run("demo", "--peer", "windows", NULL), CLI_USAGE);
	assert_int_equal(run("lab", "--json", "frobnicate", NULL), CLI_USAGE);
}

TEST(completion_knows_every_command_and_its_options)
{
	static const char *const shell[] = { "bash", "zsh", "fish" };
	const struct cli_cmd *cmd;
	char want[80];

	for (unsigned s = 0; s < N_OF(shell); s++) {
		assert_int_equal(run("help", "--completion", shell[s], NULL),
				 CLI_OK);
		for (unsigned i = 0; (cmd = cli_cmd_at(i)) != NULL; i++) {
			snprintf(want, sizeof(want), s < 2 ? "'%s '*) " :
				 "-a %s -d", cmd->name);
			assert_non_null(strstr(out, want));
		}
		assert_non_null(strstr(out, s < 2 ? "--dry-run" :
				       "-l dry-run"));
		assert_non_null(strstr(out, s < 2 ? "child --" :
				       "-a ' ike child "));
		assert_null(strstr(out, "'en ja"));
		assert_non_null(strstr(out, s < 2 ? "'why --lang') list=' en ja '" :
				       "-l lang -x -a ' en ja '"));
	}
	assert_int_equal(run("help", "--completion", "csh", NULL), CLI_USAGE);
}

TEST(help_lines_fit_and_every_command_is_complete)
{
	const struct cli_cmd *cmd;

	for (unsigned i = 0; (cmd = cli_cmd_at(i)) != NULL; i++) {
		assert_non_null(cmd->fn);
		assert_true(strlen(cmd->name) <= 9);
		assert_true(strlen(cmd->line) <= 66);
		assert_true(strlen("usage: tapir  ") + strlen(cmd->name) +
			    strlen(cmd->args) <= 80);
		for (const char *p = cmd->help; *p != '\0';) {
			size_t n = strcspn(p, "\n");

			assert_true(n <= CLI_HELP_WIDTH);
			p += n + (p[n] == '\n');
		}
		assert_int_equal(run("help", cmd->name, NULL), CLI_OK);
	}
}

/* A file of the tree; free() it. */
static char *
tree_file(const char *name)
{
	char *file = calloc(1, 65536);
	FILE *f = fopen(name, "r");

	assert_non_null(f);
	assert_true(fread(file, 1, 65535, f) > 0);
	fclose(f);
	return file;
}

TEST(every_cause_stands_in_the_documentation)
{
	char *page = tree_file("doc/why.md"), row[64];

	for (unsigned i = 0; i < WHY_RULE_END; i++) {
		const struct why_rule_info *info = why_rule_info(i);

		snprintf(row, sizeof(row), "| W%03u | `%s` |", info->num,
			 info->code);
		if (strstr(page, row) == NULL)
			fail_msg("doc/why.md has no row %s", row);
	}
	free(page);
}

TEST(global_options_are_taken_behind_a_subcommand_but_not_behind_exec)
{
	assert_int_equal(run("lab", "list", "--json", NULL), CLI_OK);
	assert_true(begins(out, "{\"labs\":["));
	assert_int_equal(run("lab", "exec", "--json", NULL),
			 geteuid() == 0 ? CLI_USAGE : CLI_FAILED);
	assert_string_equal(out, "");
}

TEST(version_has_both_forms)
{
	assert_int_equal(run("version", NULL), CLI_OK);
	assert_true(begins(out, "tapir "));
	assert_int_equal(run("version", "--json", NULL), CLI_OK);
	assert_true(begins(out, "{\"version\":\""));
}

/* ---- check -------------------------------------------------------------------- */

static char dir[64];

static void
write_conf(const char *text)
{
	char path[128];
	FILE *f;

	snprintf(dir, sizeof(dir), "/tmp/t_cli.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/keys", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/keys/k.psk", dir);
	assert_non_null(f = fopen(path, "w"));
	fputs("secret", f);
	fclose(f);
	chmod(path, 0600);
	snprintf(path, sizeof(path), "%s/c.xml", dir);
	assert_non_null(f = fopen(path, "w"));
	fputs(text, f);
	fclose(f);
}

static void
drop_conf(void)
{
	static const char *const name[] = { "keys/k.psk", "keys", "c.xml", "" };
	char path[128];

	for (unsigned i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, name[i]);
		remove(path);
	}
}

TEST(check_accepts_a_correct_file)
{
	char path[128];

	write_conf("<vpn>\n<realm name=\"b\">\n<me id=\"tokyo\" psk=\"k.psk\"/>\n"
		   "<peer id=\"osaka\" at=\"203.0.113.2\"/>\n</realm>\n</vpn>\n");
	snprintf(path, sizeof(path), "%s/c.xml", dir);
	assert_int_equal(run("check", path, NULL), CLI_OK);
	assert_non_null(strstr(out, "correct, 1 realm with 1 peer"));
	assert_int_equal(run("check", "--json", path, NULL), CLI_OK);
	assert_non_null(strstr(out, "\"n_realms\":1,\"n_peers\":1,"
				    "\"n_errors\":0,\"errors\":[],\"warnings\":[]}"));
	drop_conf();
}

TEST(check_names_five_mistakes_with_their_lines)
{
	char path[128], want[160];

	write_conf("<vpn wrkers=\"2\">\n"
		   "<realm name=\"b\" mode=\"eter\">\n"
		   "<me id=\"tokyo\" psk=\"none.psk\"/>\n"
		   "<peer id=\"osaka\" att=\"203.0.113.2\"/>\n"
		   "<pear id=\"kobe\"/>\n"
		   "</realm>\n</vpn>\n");
	snprintf(path, sizeof(path), "%s/c.xml", dir);
	assert_int_equal(run("check", path, NULL), CLI_FAILED);
	for (unsigned line = 1; line <= 5; line++) {
		snprintf(want, sizeof(want), "%s:%u:", path, line);
		assert_non_null(strstr(out, want));
	}
	assert_non_null(strstr(out, ": 5 mistakes\n"));
	assert_int_equal(run("check", path, "--json", NULL), CLI_FAILED);
	assert_non_null(strstr(out, "\"ok\":false"));
	assert_non_null(strstr(out, "\"line\":5,\"column\":1,\"code\":\"unknown-element\","));
	drop_conf();
	assert_int_equal(run("check", "/nonexistent.xml", NULL), CLI_FAILED);
}

/* ---- a daemon that answers what it is told to --------------------------------- */

struct fake {
	int fd;
	pthread_t thread;
	struct bus_rec ans[24];
	unsigned n_ans;
	struct bus_rec got;
};
static struct fake fake;

static void *
fake_run(void *ctx)
{
	uint8_t buf[BUS_WIRE_MAX];
	int fd = accept(fake.fd, NULL, NULL);
	ssize_t n = recv(fd, buf, sizeof(buf), 0);
	int len;

	(void)ctx;
	if (n <= 0 || bus_dec(buf, (size_t)n, &fake.got) != 0)
		goto out;
	for (unsigned i = 0; i < fake.n_ans; i++) {
		fake.ans[i].tag = fake.got.tag;
		len = bus_enc_buf(&fake.ans[i], buf, sizeof(buf));
		if (len < 0 || send(fd, buf, (size_t)len, MSG_NOSIGNAL) != len)
			break;
	}
out:
	close(fd);
	return NULL;
}

static void
fake_start(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	snprintf(dir, sizeof(dir), "/tmp/t_cli.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%.60s/ctl.sock", dir);
	fake.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fake.fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fake.fd, 1), 0);
	assert_int_equal(pthread_create(&fake.thread, NULL, fake_run, NULL), 0);
}

static void
fake_stop(void)
{
	char path[128];

	pthread_join(fake.thread, NULL);
	close(fake.fd);
	snprintf(path, sizeof(path), "%s/ctl.sock", dir);
	unlink(path);
	rmdir(dir);
	fake.n_ans = 0;
}

static struct bus_rec *
answer(enum bus_row row)
{
	struct bus_rec *r = &fake.ans[fake.n_ans++];

	bus_rec_init(r, row);
	return r;
}

static void
answer_status(void)
{
	struct bus_rec *r = answer(BUS_RES_REALM);

	bus_set_str(r, BUS_F_NAME, "branches");
	bus_set_str(r, BUS_F_TAP, "tap-branches");
	bus_set_str(r, BUS_F_BRIDGE, "br-lan");
	bus_set_u64(r, BUS_F_N_PEER, 2);
	bus_set_u64(r, BUS_F_N_UP, 1);
	r = answer(BUS_RES_PEER);
	bus_set_str(r, BUS_F_REALM, "branches");
	bus_set_str(r, BUS_F_NAME, "osaka");
	bus_set_str(r, BUS_F_STATE, "up");
	bus_set_str(r, BUS_F_MODE, "ether");
	bus_set_str(r, BUS_F_ENCAP, "udp");
	bus_set_str(r, BUS_F_SUITE, "aes256-gcm");
	bus_set_str(r, BUS_F_REMOTE, "203.0.113.2:4500");
	bus_set_u64(r, BUS_F_RX_BYTES, 1234567);
	bus_set_u64(r, BUS_F_TX_BYTES, 999);
	bus_set_i64(r, BUS_F_LAST_PACKET_S, 3);
	r = answer(BUS_RES_PEER);
	bus_set_str(r, BUS_F_REALM, "branches");
	bus_set_str(r, BUS_F_NAME, "a-very-long-peer-name.example.com");
	bus_set_str(r, BUS_F_STATE, "connecting");
	bus_set_str(r, BUS_F_REMOTE, "[2001:db8:1234:5678:9abc:def0:1234:5678]:500");
	bus_set_i64(r, BUS_F_LAST_PACKET_S, -1);
	bus_set_str(r, BUS_F_WHY, "no answer to IKE_SA_INIT from "
		    "[2001:db8:1234:5678:9abc:def0:1234:5678]:500 for 12 s");
	answer(BUS_RES_DONE);
}

TEST(status_table_fits_eighty_columns)
{
	char *line, *save = NULL;

	answer_status();
	fake_start();
	assert_int_equal(run("--run-dir", dir, "status", NULL), CLI_OK);
	fake_stop();
	assert_true(begins(out, "realm branches on tap-branches in br-lan: "
				 "1 of 2 peers up\n"));
	assert_non_null(strstr(out, "1.2M  999    3 s\n"));
	assert_non_null(strstr(out, "never\n"));
	assert_non_null(strstr(out, "\n    no answer to IKE_SA_INIT from "));
	for (line = strtok_r(out, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		assert_true(show_columns(line) <= 80);
}

TEST(status_json_has_the_keys_of_the_contract)
{
	answer_status();
	fake_start();
	assert_int_equal(run("--run-dir", dir, "--json", "status", NULL), CLI_OK);
	fake_stop();
	assert_true(begins(out, "{\"realms\":[{\"name\":\"branches\","
				 "\"tap\":\"tap-branches\","));
	assert_non_null(strstr(out, "\"peers\":[{\"name\":\"osaka\",\"state\":"
				    "\"up\",\"mode\":\"ether\",\"encap\":\"udp\","
				    "\"suite\":\"aes256-gcm\",\"remote\":"
				    "\"203.0.113.2:4500\",\"rx_bytes\":1234567,"
				    "\"tx_bytes\":999,\"last_packet_s\":3"));
	assert_non_null(strstr(out, "\"last_packet_s\":-1"));
	assert_non_null(strstr(out, "}]}]}\n"));
}

TEST(a_refusal_is_status_one_with_text_and_hint)
{
	struct bus_rec *r = answer(BUS_RES_FAILED);

	bus_set_str(r, BUS_F_CODE, "ERR_NOTFOUND");
	bus_set_str(r, BUS_F_TEXT, "there is no realm brnches");
	bus_set_str(r, BUS_F_HINT, "did you mean branches?");
	fake_start();
	assert_int_equal(run("--run-dir", dir, "up", "brnches/osaka", NULL),
			 CLI_FAILED);
	fake_stop();
	assert_string_equal(bus_str(&fake.got, BUS_F_REALM), "brnches");
	assert_string_equal(bus_str(&fake.got, BUS_F_PEER), "osaka");
	assert_int_equal(fake.got.desc->row, BUS_CMD_UP);
	assert_string_equal(err, "tapir: there is no realm brnches\n"
				 "       did you mean branches?\n");
}

TEST(a_daemon_that_hangs_up_is_reported)
{
	fake_start();
	assert_int_equal(run("--run-dir", dir, "stats", NULL), CLI_FAILED);
	fake_stop();
	assert_non_null(strstr(err, "tapird closed the connection"));
}

TEST(log_as_json_is_one_document_with_an_array)
{
	struct bus_rec *r = answer(BUS_EV_PEER_UP);

	bus_set_str(r, BUS_F_REALM, "branches");
	bus_set_str(r, BUS_F_PEER, "os\033aka");
	r->seq = 7;
	answer(BUS_EV_DAEMON_READY)->seq = 8;
	answer(BUS_RES_DONE);
	fake_start();
	assert_int_equal(run("--run-dir", dir, "log", "--json", NULL), CLI_OK);
	fake_stop();
	assert_true(begins(out, "{\"events\":[{"));
	assert_non_null(strstr(out, "},{"));
	assert_non_null(strstr(out, "}]}\n"));
	assert_null(strchr(out, '\033'));
}

TEST(hub_and_stats_have_their_arrays)
{
	struct bus_rec *r = answer(BUS_RES_MAC);

	bus_set_str(r, BUS_F_MAC, "02:00:00:00:00:01");
	answer(BUS_RES_DONE);
	fake_start();
	assert_int_equal(run("--run-dir", dir, "hub", "mac", "--json", NULL),
			 CLI_OK);
	fake_stop();
	assert_true(begins(out, "{\"macs\":[{\"realm\":\"\",\"mac\":"));
	r = answer(BUS_RES_COUNTER);
	bus_set_str(r, BUS_F_NAME, "esp-icv");
	bus_set_u64(r, BUS_F_VALUE, 3);
	bus_set_str(r, BUS_F_TEXT, "ESP integrity check failed");
	answer(BUS_RES_DONE);
	fake_start();
	assert_int_equal(run("--run-dir", dir, "stats", NULL), CLI_OK);
	fake_stop();
	assert_non_null(strstr(out, "esp-icv"));
	assert_non_null(strstr(out, "ESP integrity check failed"));
}

struct changes {
	char text[400];
};

static void
note_change(void *ctx, enum hub_change what, const struct bus_rec *r,
	    const struct bus_rec *was)
{
	struct changes *c = ctx;
	size_t n = strlen(c->text);

	snprintf(c->text + n, sizeof(c->text) - n, "%c%s%s%s ", "+->"[what],
		 bus_str(r, r->desc->row == BUS_RES_PORT ? BUS_F_PORT :
			 r->desc->row == BUS_RES_MAC ? BUS_F_MAC : BUS_F_IP),
		 was != NULL ? "/" : "", was != NULL ?
		 bus_str(was, r->desc->row == BUS_RES_PORT ? BUS_F_STATE :
			 BUS_F_PORT) : "");
}

static void
row(struct ask_list *a, enum bus_row kind, enum bus_field f, const char *key,
    const char *port, uint64_t vlan)
{
	struct bus_rec r;

	bus_rec_init(&r, kind);
	bus_set_str(&r, f, key);
	if (kind == BUS_RES_PORT) {
		bus_set_str(&r, BUS_F_STATE, port);
		bus_set_u64(&r, BUS_F_RX_PACKETS, vlan);
	} else {
		bus_set_str(&r, BUS_F_PORT, port);
		bus_set_u64(&r, BUS_F_VLAN, vlan);
	}
	ask_keep(a, &r);
}

TEST(hub_changes_are_what_came_went_or_moved)
{
	struct ask_list a = { 0 }, b = { 0 }, none = { 0 };
	struct changes c = { "" };

	row(&a, BUS_RES_PORT, BUS_F_PORT, "osaka", "forwarding", 5);
	row(&a, BUS_RES_PORT, BUS_F_PORT, "kobe", "forwarding", 5);
	row(&a, BUS_RES_MAC, BUS_F_MAC, "02:01", "osaka", 0);
	row(&a, BUS_RES_MAC, BUS_F_MAC, "02:02", "osaka", 0);
	row(&a, BUS_RES_MAC, BUS_F_MAC, "02:02", "kobe", 10);
	row(&a, BUS_RES_GROUP, BUS_F_IP, "239.1.1.1", "kobe", 0);
	/* In another order; counters do not matter. */
	row(&b, BUS_RES_MAC, BUS_F_MAC, "02:02", "tap", 10);
	row(&b, BUS_RES_MAC, BUS_F_MAC, "02:02", "osaka", 0);
	row(&b, BUS_RES_MAC, BUS_F_MAC, "02:03", "osaka", 0);
	row(&b, BUS_RES_PORT, BUS_F_PORT, "kobe", "blocked", 6);
	row(&b, BUS_RES_PORT, BUS_F_PORT, "osaka", "forwarding", 9);
	row(&b, BUS_RES_GROUP, BUS_F_IP, "239.1.1.1", "osaka", 0);
	assert_int_equal(hub_diff(&a, &b, note_change, &c), 0);
	assert_string_equal(c.text, ">kobe/forwarding -02:01 +02:03 "
			    ">02:02/kobe -239.1.1.1 +239.1.1.1 ");
	c.text[0] = '\0';
	assert_int_equal(hub_diff(&none, &none, note_change, &c), 0);
	assert_int_equal(hub_diff(&b, &b, note_change, &c), 0);
	assert_string_equal(c.text, "");
	ask_list_fini(&a);
	ask_list_fini(&b);
}

/* Worker 0: 2 s of CPU time; 1,000,000,000 bytes out, and as many in. */
static void
answer_stats(void)
{
	static const char *const stage[] = { "net-out", "net-in", "tap-in" };
	struct bus_rec *r = answer(BUS_RES_DATAPATH);

	bus_set_str(r, BUS_F_PROVIDER, "esp-some");
	bus_set_str(r, BUS_F_RULE, "queue");
	bus_set_u64(r, BUS_F_N_WORKER, 1);
	bus_set_str(r, BUS_F_WITHOUT, "uso,udp-gro");
	bus_set_u64(answer(BUS_RES_WORKER), BUS_F_CPU_NS, 2000000000);
	for (unsigned i = 0; i < N_OF(stage); i++) {
		r = answer(BUS_RES_STAGE);
		bus_set_str(r, BUS_F_STAGE, stage[i]);
		bus_set_u64(r, BUS_F_N_BYTES, 1000000000);
		bus_set_u64(r, BUS_F_N_BATCH, 100);
		bus_set_u64(r, BUS_F_N_PACKET, 4000);
		bus_set_u64(r, BUS_F_N_TRAIN, 50);
		bus_set_u64(r, BUS_F_N_IN_TRAIN, 2000);
	}
	for (unsigned i = 0; i < 12; i++) {
		r = answer(BUS_RES_SA);
		bus_set_u64(r, BUS_F_SPI_IN, 0xc0de0000 + i);
		bus_set_u64(r, BUS_F_RX_BYTES, i);
	}
	answer(BUS_RES_DONE);
}

TEST(stats_make_means_and_shares)
{
	answer_stats();
	fake_start();
	assert_int_equal(run("--run-dir", dir, "stats", "--json", NULL), CLI_OK);
	fake_stop();
	assert_non_null(strstr(out, "\"ns_per_byte\":1.000"));
	assert_non_null(strstr(out, "\"per_batch\":40.000,"
				    "\"per_train\":40.000,"
				    "\"train_share\":0.500"));
	assert_non_null(strstr(out, "\"datapath\":{\"provider\":\"esp-some\""));
	assert_non_null(strstr(out, "\"without\":\"uso,udp-gro\""));
}

TEST(stats_show_the_busiest_sas_unless_all_are_wanted)
{
	answer_stats();
	fake_start();
	assert_int_equal(run("--run-dir", dir, "stats", NULL), CLI_OK);
	fake_stop();
	assert_non_null(strstr(out, "; without uso,udp-gro"));
	assert_non_null(strstr(out, "50 %"));
	assert_non_null(strstr(out, "c0de000b"));
	assert_null(strstr(out, "c0de0001"));
	assert_non_null(strstr(out, "and 2 more"));
	assert_non_null(strstr(out, "nothing was dropped"));
	answer_stats();
	fake_start();
	assert_int_equal(run("--run-dir", dir, "stats", "-a", NULL), CLI_OK);
	fake_stop();
	assert_non_null(strstr(out, "c0de0000"));
	assert_null(strstr(out, "more:"));
}

TEST(stats_without_traffic_divide_by_nothing)
{
	answer(BUS_RES_WORKER);
	bus_set_str(answer(BUS_RES_STAGE), BUS_F_STAGE, "net-in");
	answer(BUS_RES_DONE);
	fake_start();
	assert_int_equal(run("--run-dir", dir, "stats", "--json", NULL), CLI_OK);
	fake_stop();
	assert_non_null(strstr(out, "\"ns_per_byte\":0.000"));
	assert_non_null(strstr(out, "\"per_batch\":0.000"));
}
