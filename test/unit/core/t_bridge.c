/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_bridge.c - a bridge that comes, goes and comes again: what is
 * told, what status shows, what the hub forgets.
 */
#include "daemon/core/bridge.h"
#include <string.h>
#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "daemon/base/thr.h"
#include "daemon/bus/bus.h"
#include "test/lib/test.h"
#include "vhub/hub.h"

struct world {
	struct vpn v;
	struct vpn_realm realm;
	struct conf_realm conf;
	struct buf_pool *pool;
	struct bus_reader rd;
};

static struct buf *
on_buf(void *ctx, unsigned worker UNUSED)
{
	return buf_new(((struct world *)ctx)->pool);
}

static void
on_out(void *ctx UNUSED, unsigned worker UNUSED, struct buf **b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_put(b[i]);
}

static void
begin(struct world *w)
{
	static char name[] = "branches", bridge[] = "br0";
	struct hub_conf hc = { .name = "branches", .n_worker = 1,
		.buf_new = on_buf, .ctx = w };
	struct hub_port_conf pc = { .kind = HUB_PORT_TAP, .name = "tap-b",
		.mac = { { 2, 0, 0, 0, 0, 1 } }, .ops = { w, on_out } };
	struct hub *hub;

	memset(w, 0, sizeof(*w));
	w->conf.name = name;
	w->conf.bridge = bridge;
	w->realm.conf = &w->conf;
	w->realm.vpn = &w->v;
	str_copy(w->realm.ifname, sizeof(w->realm.ifname), "tap-b");
	w->v.n_realm = 1;
	w->v.realm = &w->realm;
	assert_int_equal(bus_new(&w->v.bus), 0);
	bus_reader_init(&w->rd, 0);
	assert_int_equal(buf_pool_new(&w->pool, 8, BUF_ROOM_DEFAULT), 0);
	assert_int_equal(hub_new(&hub, &hc), 0);
	w->realm.hub = hub;
	assert_int_equal(hub_port_add(hub, &pc, &w->realm.tap_port),
	    0);
}

static void
end(struct world *w)
{
	hub_free(w->realm.hub);
	thr_reclaim_all();
	buf_pool_free(w->pool);
	bus_free(w->v.bus);
}

/* The next event; false: nothing was told. */
static bool
told(struct world *w, struct bus_rec *ev)
{
	uint64_t lost;

	return bus_read(w->v.bus, &w->rd, ev, &lost) == 0;
}

/* A host behind the TAP speaks. */
static void
speak(struct world *w)
{
	static const uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		2, 0, 0, 0, 0, 9, 0x88, 0xb6 };
	struct buf *b = buf_new(w->pool);

	memcpy(buf_append(b, sizeof(frame)), frame, sizeof(frame));
	hub_input(w->realm.hub, 0, w->realm.tap_port, &b, 1);
}

static unsigned
learned(struct world *w)
{
	struct hub_mac_info info;
	uint32_t it = 0;
	unsigned n = 0;

	while (hub_mac_next(w->realm.hub, &it, &info))
		n += !info.is_static;
	return n;
}

static const char *
shown(struct world *w, struct bus_rec *r)
{
	bus_rec_init(r, BUS_RES_REALM);
	bridge_status(&w->realm, r);
	return bus_str(r, BUS_F_STATE);
}

TEST(a_bridge_that_was_always_there_is_no_news)
{
	struct bus_rec r;
	struct world w;

	begin(&w);
	speak(&w);
	bridge_answer(&w.v, 0, 0, false, "");
	assert_false(told(&w, &r));
	assert_string_equal(shown(&w, &r), "up");
	assert_string_equal(bus_str(&r, BUS_F_WHY), "");
	assert_int_equal(learned(&w), 1);
	end(&w);
}

TEST(a_bridge_that_is_away_is_told_once_and_shown_until_it_is_back)
{
	struct bus_rec r;
	struct world w;

	begin(&w);
	speak(&w);
	for (int i = 0; i < 3; i++)
		bridge_answer(&w.v, 0, ERR_NOTFOUND, false, "no br0");
	assert_true(told(&w, &r));
	assert_int_equal(r.desc->row, BUS_EV_REALM_WAITING);
	assert_string_equal(bus_str(&r, BUS_F_WHY), "no br0");
	assert_string_equal(bus_str(&r, BUS_F_BRIDGE), "br0");
	assert_false(told(&w, &r));
	assert_int_equal(learned(&w), 0); /* who was behind it is not there */
	assert_string_equal(shown(&w, &r), "waiting");
	assert_string_equal(bus_str(&r, BUS_F_WHY), "no br0");
	/* Another reason is news; one without words gets some. */
	bridge_answer(&w.v, 0, ERR_PERM, false, "");
	assert_true(told(&w, &r));
	assert_string_equal(bus_str(&r, BUS_F_WHY), err_text(ERR_PERM));
	bridge_answer(&w.v, 0, 0, true, "");
	assert_true(told(&w, &r));
	assert_int_equal(r.desc->row, BUS_EV_REALM_BRIDGED);
	assert_string_equal(bus_str(&r, BUS_F_TAP), "tap-b");
	assert_string_equal(shown(&w, &r), "up");
	end(&w);
}

TEST(a_bridge_that_was_made_anew_within_a_second_is_noticed)
{
	struct bus_rec r;
	struct world w;

	begin(&w);
	speak(&w);
	bridge_answer(&w.v, 0, 0, true, "");
	assert_true(told(&w, &r));
	assert_int_equal(r.desc->row, BUS_EV_REALM_BRIDGED);
	assert_int_equal(learned(&w), 0);
	end(&w);
}

TEST(answers_about_no_realm_or_a_tap_that_is_gone_change_nothing)
{
	struct bus_rec r;
	struct world w;

	begin(&w);
	bridge_answer(&w.v, 1, ERR_NOTFOUND, false, "no br0");
	w.realm.is_tap_gone = true;
	bridge_answer(&w.v, 0, ERR_NOTFOUND, false, "no br0");
	assert_false(told(&w, &r));
	assert_string_equal(shown(&w, &r), "up");
	end(&w);
}
