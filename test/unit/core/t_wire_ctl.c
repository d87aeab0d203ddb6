/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_wire_ctl.c - what status says of peers that are not up, and
 * commands that name what does not exist.
 */
#include "daemon/core/ctl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"
#include "daemon/bus/bus_wire.h"
#include "daemon/core/loop.h"
#include "daemon/core/pool.h"
#include "daemon/core/realm.h"
#include "daemon/core/sock.h"
#include "ikev2/wire/cfg.h"
#include "test/lib/test.h"

#define ROUNDS 8

static const char text[] =
    "<vpn>\n"
    " <realm name='plain'><me id='a' psk='k'/>\n"
    "  <peer id='p1' at='192.0.2.1'/>\n"
    "  <peer id='p2' at='192.0.2.2' encap='esp'/>\n"
    "  <peer id='p3' at='192.0.2.3' mode='ip'>\n"
    "   <net local='10.1.0.0/16' remote='10.3.0.0/16'/></peer></realm>\n"
    " <realm name='nets'><me id='b' psk='k'/>\n"
    "  <net local='10.1.0.0/16' remote='10.2.0.0/16'/>\n"
    "  <peer id='q1' at='192.0.2.4'/></realm>\n"
    "</vpn>\n";
static const char roaming[] =
    "<vpn>\n"
    " <realm name='plain'><me id='a' psk='k'/>\n"
    "  <peer id='p2' at='192.0.2.1'/></realm>\n"
    " <realm name='roam'><match id='*@x.example' />\n"
    "  <match dn='O=Example'/><match email='*@mail.example'/>\n"
    "  <match dns='*.dev.example'/><me id='c' cert='c.pem'/><peer ca='ca.pem'/>\n"
    "  <pool net='10.9.0.0/29'/></realm>\n"
    "</vpn>\n";

struct world {
	struct vpn v;
	char path[64];
	int listener, fd;
	unsigned rounds;
	const struct conf *before;	/* world_roams() */
};

static uint64_t
count_round(void *ctx)
{
	struct world *w = ctx;

	if (++w->rounds >= ROUNDS)
		loop_stop(w->v.loop);
	return 0;
}

static void
turn(struct world *w)
{
	w->rounds = 0;
	loop_run(w->v.loop);
}

static void
no_resolve(void *ctx UNUSED, uint32_t realm UNUSED, uint32_t peer UNUSED)
{
}

static void
no_refusal(void *ctx UNUSED, const struct net_ep *remote UNUSED,
	   const char *id UNUSED, const char *why UNUSED)
{
}

static void
no_event(void *ctx UNUSED, uint32_t link UNUSED, int what UNUSED,
	 const char *why UNUSED)
{
}

static void
realm_add(struct world *w, const struct conf_realm *cr)
{
	struct ike_peer_conf peer[4] = { 0 };
	struct ike_realm_conf rc = {
		.index = cr->index, .n_peer = cr->n_peer, .peer = peer,
	};

	str_copy(rc.name, sizeof(rc.name), cr->name);
	for (unsigned i = 0; i < cr->n_peer; i++) {
		peer[i].index = i;
		peer[i].has_at = true;
		str_copy(peer[i].name, sizeof(peer[i].name), cr->peer[i].name);
		str_copy(peer[i].id, sizeof(peer[i].id), cr->peer[i].id);
	}
	assert_int_equal(ike_realm_add(w->v.ike, &rc), 0);
}

static struct conf *
conf_of(const char *xml)
{
	struct conf_errs errs = { 0 };
	struct conf *c;

	if (conf_parse(xml, strlen(xml), "test", NULL, &c, &errs) != 0) {
		conf_errs_print(&errs, stderr);
		fail();
	}
	return c;
}

/* What is asked about is another configuration than that of the realms. */
static void
world_roams(struct world *w)
{
	w->before = w->v.conf;
	w->v.conf = conf_of(roaming);
}

static void
world_new(struct world *w)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct ike_ops ops = { .resolve = no_resolve, .link_event = no_event,
		.auth_refused = no_refusal };
	struct ike_conf ic = { .port = 500, .natt_port = 4500 };
	struct esp_io io = { 0 };
	struct conf *c = conf_of(text);
	char why[256];

	memset(w, 0, sizeof(*w));
	w->v.conf = c;
	w->v.n_realm = c->n_realm;
	w->v.realm = calloc(c->n_realm, sizeof(*w->v.realm));
	assert_non_null(w->v.realm);
	assert_int_equal(loop_new(&w->v.loop), 0);
	assert_int_equal(bus_new(&w->v.bus), 0);
	assert_int_equal(ike_new(&w->v.ike, &ic, &ops, clk_ms()), 0);
	assert_int_equal(esp_new(&w->v.esp, 1, &io, NULL, NULL), 0);
	for (unsigned i = 0; i < c->n_realm; i++) {
		w->v.realm[i].conf = &c->realm[i];
		assert_int_equal(realm_places(&w->v.realm[i]), 0);
		realm_add(w, &c->realm[i]);
	}
	snprintf(w->path, sizeof(w->path), "/tmp/t_wire.%d", (int)getpid());
	w->listener = sock_ctl(w->path, 0666, why, sizeof(why));
	assert_true(w->listener >= 0);
	assert_int_equal(ctl_new(&w->v.ctl, &w->v, w->listener, geteuid()), 0);
	loop_set_idle(w->v.loop, count_round, w);
	w->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", w->path);
	assert_int_equal(connect(w->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	turn(w);
}

static void
world_free(struct world *w)
{
	close(w->fd);
	ctl_free(w->v.ctl);
	ike_free(w->v.ike);
	esp_free(w->v.esp);
	loop_free(w->v.loop);
	bus_free(w->v.bus);
	for (unsigned i = 0; i < w->v.n_realm; i++)
		free(w->v.realm[i].peer);
	free(w->v.realm);
	conf_free((struct conf *)(uintptr_t)w->v.conf);
	conf_free((struct conf *)(uintptr_t)w->before);
	close(w->listener);
	unlink(w->path);
}

static void
ask_rec(struct world *w, struct bus_rec *r)
{
	uint8_t bytes[BUS_WIRE_MAX];
	int len;

	r->tag = 1;
	len = bus_enc_buf(r, bytes, sizeof(bytes));
	assert_int_equal(send(w->fd, bytes, (size_t)len, MSG_NOSIGNAL), len);
	turn(w);
}

static void
ask(struct world *w, enum bus_row row, const char *realm, const char *peer)
{
	struct bus_rec r;

	bus_rec_init(&r, row);
	bus_set_str(&r, BUS_F_REALM, realm);
	bus_set_str(&r, BUS_F_PEER, peer);
	ask_rec(w, &r);
}

static void
next(struct world *w, struct bus_rec *r)
{
	uint8_t bytes[BUS_WIRE_MAX];
	ssize_t n = recv(w->fd, bytes, sizeof(bytes), 0);

	assert_true(n > 0);
	assert_int_equal(bus_dec(bytes, (size_t)n, r), 0);
}

TEST(status_of_a_peer_that_is_down_says_what_it_would_get_first)
{
	static const struct {
		const char *name, *mode, *encap;
	} want[] = {
		{ "p1", "ether", "udp" }, { "p2", "ether", "esp" },
		{ "p3", "ip", "udp" }, { "q1", "ip", "udp" },
	};
	struct world w;
	struct bus_rec r;
	unsigned n = 0;

	world_new(&w);
	ask(&w, BUS_CMD_STATUS, "", "");
	for (next(&w, &r); r.desc->row != BUS_RES_DONE; next(&w, &r)) {
		if (r.desc->row != BUS_RES_PEER)
			continue;
		assert_true(n < N_OF(want));
		assert_string_equal(bus_str(&r, BUS_F_NAME), want[n].name);
		assert_string_equal(bus_str(&r, BUS_F_STATE), "down");
		assert_string_equal(bus_str(&r, BUS_F_MODE), want[n].mode);
		assert_string_equal(bus_str(&r, BUS_F_ENCAP), want[n].encap);
		assert_int_equal(bus_i64(&r, BUS_F_LAST_PACKET_S), -1);
		n++;
	}
	assert_int_equal(n, N_OF(want));
	world_free(&w);
}

TEST(commands_that_name_nobody_say_who_may_be_meant)
{
	static const struct {
		enum bus_row row;
		const char *realm, *peer, *hint;
	} bad[] = {
		{ BUS_CMD_STATUS, "plan", "", "did you mean plain?" },
		{ BUS_CMD_STATUS, "plain", "p9", "did you mean p1?" },
		{ BUS_CMD_UP, "nets", "p1", "" },
		{ BUS_CMD_DOWN, "none-at-all", "p1", "tapir status lists" },
		{ BUS_CMD_REKEY, "", "\x01\xff", "tapir status lists" },
	};
	struct world w;
	struct bus_rec r;

	world_new(&w);
	for (unsigned i = 0; i < N_OF(bad); i++) {
		ask(&w, bad[i].row, bad[i].realm, bad[i].peer);
		do
			next(&w, &r);
		while (r.desc->row != BUS_RES_FAILED);
		assert_string_equal(bus_str(&r, BUS_F_CODE), "ERR_NOTFOUND");
		assert_non_null(strstr(bus_str(&r, BUS_F_HINT), bad[i].hint));
	}
	world_free(&w);
}

TEST(a_rule_is_told_for_everybody_who_asks_where_he_would_fall)
{
	static const struct {
		const char *id, *eap, *dn, *code, *realm, *rule, *names;
	} tries[] = {
		{ "p2", "", "", "realm", "plain", "p2", "" },
		{ "a@x.example", "", "", "realm", "roam", "*@x.example",
		  "" },
		{ "a@z.example", "", "", "none", NULL, NULL, "" },
		{ "a@z.example", "", "C=JP, O=Example", "realm", "roam",
		  "O=Example", "" },
		{ "a@z.example", "", "", "realm", "roam", "*@mail.example",
		  "other.example  a@mail.example" },
		{ "a@z.example", "", "", "realm", "roam", "*.dev.example",
		  "h.dev.example" },
		{ "a@z.example", "", "", "none", NULL, NULL, "mail.example" },
		{ "", "", "", NULL, NULL, NULL, "" },
		{ "a@z.example", "", "nonsense", NULL, NULL, NULL, "" },
	};
	struct world w;
	struct bus_rec r;

	world_new(&w);
	world_roams(&w);
	for (unsigned i = 0; i < N_OF(tries); i++) {
		unsigned n_decides = 0;

		bus_rec_init(&r, BUS_CMD_MATCH);
		bus_set_str(&r, BUS_F_ID, tries[i].id);
		bus_set_str(&r, BUS_F_EAP, tries[i].eap);
		bus_set_str(&r, BUS_F_CERT_SUBJECT, tries[i].dn);
		bus_set_str(&r, BUS_F_CERT_NAMES, tries[i].names);
		ask_rec(&w, &r);
		for (next(&w, &r); r.desc->row == BUS_RES_MATCH; next(&w, &r)) {
			if (strcmp(bus_str(&r, BUS_F_VERDICT), "decides") != 0)
				continue;
			assert_non_null(tries[i].realm);
			assert_string_equal(bus_str(&r, BUS_F_REALM),
					    tries[i].realm);
			assert_string_equal(bus_str(&r, BUS_F_ID),
					    tries[i].rule);
			assert_true(bus_u64(&r, BUS_F_LINE) > 0);
			n_decides++;
		}
		assert_int_equal(n_decides, tries[i].realm != NULL);
		assert_int_equal(r.desc->row, tries[i].code != NULL ?
				 BUS_RES_DONE : BUS_RES_FAILED);
		if (tries[i].code != NULL)
			assert_string_equal(bus_str(&r, BUS_F_CODE),
					    tries[i].code);
	}
	world_free(&w);
}

TEST(leases_are_told_by_realm_used_and_kept)
{
	const struct ike_cfg_req req = { .has_ip4 = true };
	const struct conf_realm *roam;
	struct vpn_cfg cfg = { 0 };
	struct bus_rec r;
	struct world w;
	unsigned n = 0;
	char why[160];

	world_new(&w);
	world_roams(&w);
	assert_int_equal(pools_new(&w.v.pools, -1), 0);
	roam = conf_realm_find(w.v.conf, "roam");
	assert_int_equal(pools_realm(w.v.pools, roam), 0);
	assert_int_equal(pools_take(w.v.pools, roam, "a@x", &req, &cfg, why,
				    sizeof(why)), 0);
	assert_int_equal(pools_take(w.v.pools, roam, "b@x", &req, &cfg, why,
				    sizeof(why)), 0);
	pools_end(w.v.pools, "roam", "b@x");
	bus_rec_init(&r, BUS_CMD_LEASES);
	ask_rec(&w, &r);
	for (next(&w, &r); r.desc->row == BUS_RES_LEASE; next(&w, &r), n++) {
		bool is_a = strcmp(bus_str(&r, BUS_F_ID), "a@x") == 0;

		assert_string_equal(bus_str(&r, BUS_F_STATE), is_a ? "used" :
				    "kept");
		assert_non_null(strstr(bus_str(&r, BUS_F_IP), "10.9.0."));
		assert_true(bus_i64(&r, BUS_F_SEEN_S) >= 0);
	}
	assert_int_equal(n, 2);
	assert_int_equal(r.desc->row, BUS_RES_DONE);
	bus_rec_init(&r, BUS_CMD_LEASES);
	bus_set_str(&r, BUS_F_REALM, "plain");
	ask_rec(&w, &r);
	next(&w, &r);
	assert_int_equal(r.desc->row, BUS_RES_DONE);
	bus_rec_init(&r, BUS_CMD_LEASES);
	bus_set_str(&r, BUS_F_REALM, "nothing");
	ask_rec(&w, &r);
	next(&w, &r);
	assert_int_equal(r.desc->row, BUS_RES_FAILED);
	pools_free(w.v.pools);
	world_free(&w);
}
