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

/* A link of somebody who fits a pattern; was he up, and until when? */
static struct ike_link *
guest(unsigned n, uint64_t down_since_ms)
{
	static const struct ike_peer_conf any = { .id = "*", .name = "*",
						  .is_pattern = true };
	struct ike_realm *r = ike_realm_by_index(ike, 0);
	struct ike_link *l = NULL;
	char name[32];

	snprintf(name, sizeof(name), "guest-%u", n);
	assert_int_equal(ike_link_new(ike, r, &any, name, &l), 0);
	l->peer = &r->peer[0];
	l->down_since_ms = down_since_ms;
	ike->has_idle_link = true;
	return l;
}

TEST(who_came_by_a_pattern_is_kept_once_he_was_up)
{
	struct ike_link_info li;
	uint32_t was_up, never;

	start(100, 100);
	was_up = guest(1, now)->id;
	never = guest(2, 0)->id;
	ike_tick(ike, now += 1000);
	assert_true(ike_link_get(ike, was_up, &li));
	assert_string_equal(li.name, "guest-1");
	assert_int_equal(li.state, IKE_ST_DOWN);
	assert_false(ike_link_get(ike, never, &li));
	stop();
}

TEST(of_many_that_are_down_the_oldest_are_forgotten)
{
	struct ike_link_info li;
	uint32_t first = 0, id = 0;

	start(100, 100);
	for (unsigned i = 0; i < IKE_LINGER_MAX + 10; i++) {
		id = guest(i, now + i)->id;
		first = i == 10 ? id : first;
	}
	for (unsigned i = 0; i < 20; i++)
		ike_tick(ike, now += 1000);
	assert_int_equal(n_links(), IKE_LINGER_MAX + 1);
	assert_true(ike_link_get(ike, first, &li));
	assert_true(ike_link_get(ike, id, &li));
	assert_false(ike_link_get(ike, first - 1, &li));
	stop();
}

TEST(numbers_of_links_are_used_again_and_stay_in_order)
{
	struct ike_link_info li;
	uint32_t it = 0, last = 0;

	start(100, 100);
	for (unsigned i = 0; i < IKE_LINK_MAX + 5u; i++) {
		assert_in_range(guest(i, 0)->id, 2, IKE_LINK_MAX);
		ike_tick(ike, now);
	}
	(void)guest(1, now);
	(void)guest(2, now);
	ike->last_link = 2;
	assert_int_equal(guest(3, now)->id, 3);
	while (ike_link_next(ike, &it, &li)) {
		assert_true(li.link > last);
		last = li.link;
	}
	assert_int_equal(n_links(), 4);
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
