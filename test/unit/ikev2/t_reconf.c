/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_reconf.c - realms and peers that come, change and go while
 * the engine runs.
 */
#include "test/unit/ikev2/engine_help.h"

#include <stdio.h>

static const struct ike_peer_conf kobe = { .id = "kobe", .name = "kobe",
	.has_at = true, .is_dial = true };

static unsigned
n_links(void)
{
	struct ike_link_info li;
	uint32_t it = 0;
	unsigned n = 0;

	while (ike_link_next(ike, &it, &li))
		n++;
	return n;
}

/* The link of a place, and what it is called. */
static const char *
name_at(uint32_t place)
{
	static struct ike_link_info li;
	uint32_t it = 0;

	while (ike_link_next(ike, &it, &li))
		if (li.peer == place)
			return li.name;
	return "";
}

TEST(a_peer_that_comes_is_dialled)
{
	uint32_t at = 99;

	start(100, 100);
	assert_int_equal(ike_peer_add(ike, 7, &kobe, &at, now), ERR_NOTFOUND);
	assert_int_equal(ike_peer_add(ike, 0, &kobe, &at, now), 0);
	assert_int_equal(at, 1);
	ike_peer_at(ike, 0, at, &there, 1);
	ike_tick(ike, now);
	jobs();
	assert_int_equal(n_sent, 1);
	assert_string_equal(name_at(0), "osaka");
	assert_string_equal(name_at(1), "kobe");
	stop();
}

TEST(a_peer_that_goes_takes_its_sas_with_it_and_leaves_its_place)
{
	struct ike_peer_conf nara = { .id = "nara", .name = "nara" };
	uint32_t at;

	start(100, 100);
	assert_int_equal(ike_peer_add(ike, 0, &kobe, &at, now), 0);
	ike_peer_at(ike, 0, at, &there, 1);
	ike_tick(ike, now);
	jobs();
	assert_false(list_is_empty(&ike->sas));
	assert_int_equal(ike_peer_remove(ike, 0, at, "removed", now), 0);
	assert_true(list_is_empty(&ike->sas));
	assert_int_equal(n_links(), 1);
	assert_int_equal(ike_peer_remove(ike, 0, at, "", now), ERR_NOTFOUND);
	assert_int_equal(ike_peer_remove(ike, 0, 99, "", now), ERR_NOTFOUND);
	/* nobody dials any more */
	n_sent = 0;
	for (unsigned i = 0; i < 100; i++)
		ike_tick(ike, now += 1000);
	assert_int_equal(n_sent, 0);
	assert_int_equal(ike_peer_add(ike, 0, &nara, &at, now), 0);
	assert_int_equal(at, 1);
	assert_string_equal(name_at(1), "nara");
	stop();
}

TEST(links_find_their_peers_after_many_came)
{
	struct ike_peer_conf p = { .has_at = false };
	uint32_t at;

	start(100, 100);
	for (unsigned i = 1; i < 200; i++) {
		snprintf(p.name, sizeof(p.name), "p%u", i);
		snprintf(p.id, sizeof(p.id), "p%u", i);
		assert_int_equal(ike_peer_add(ike, 0, &p, &at, now), 0);
		assert_int_equal(at, i);
	}
	for (unsigned i = 1; i < 200; i++) {
		snprintf(p.name, sizeof(p.name), "p%u", i);
		assert_string_equal(name_at(i), p.name);
	}
	stop();
}

TEST(a_peer_that_changes_stops_or_begins_to_dial)
{
	struct ike_peer_conf p = kobe;
	uint32_t at;

	start(100, 100);
	p.is_dial = false;
	assert_int_equal(ike_peer_add(ike, 0, &p, &at, now), 0);
	ike_peer_at(ike, 0, at, &there, 1);
	ike_tick(ike, now += 5000);
	assert_int_equal(n_sent, 0);
	p.index = at;
	p.is_dial = true;
	assert_int_equal(ike_peer_set(ike, 0, &p, now), 0);
	ike_tick(ike, now);
	jobs();
	assert_int_equal(n_sent, 1);
	p.is_pattern = true;
	assert_int_equal(ike_peer_set(ike, 0, &p, now), ERR_STATE);
	p.index = 9;
	assert_int_equal(ike_peer_set(ike, 0, &p, now), ERR_NOTFOUND);
	stop();
}

TEST(a_realm_goes_with_all_its_peers_and_comes_back)
{
	struct ike_peer_conf peer = kobe;
	struct ike_realm_conf realm = { .index = 3, .n_peer = 1, .peer = &peer };

	start(100, 100);
	assert_int_equal(ike_realm_add(ike, &realm), 0);
	ike_peer_at(ike, 3, 0, &there, 1);
	ike_tick(ike, now);
	jobs();
	assert_int_equal(n_links(), 2);
	assert_int_equal(ike_realm_remove(ike, 3, "gone", now), 0);
	assert_true(list_is_empty(&ike->sas));
	assert_int_equal(n_links(), 1);
	assert_int_equal(ike_realm_remove(ike, 3, "gone", now), ERR_NOTFOUND);
	assert_int_equal(ike_realm_set(ike, &realm), ERR_NOTFOUND);
	assert_int_equal(ike_realm_add(ike, &realm), 0);
	realm.n_peer = 0;
	realm.peer = NULL;
	realm.dpd_s = 5;
	assert_int_equal(ike_realm_set(ike, &realm), 0);
	assert_int_equal(n_links(), 2);
	stop();
}
