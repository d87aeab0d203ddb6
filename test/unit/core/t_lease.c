/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_lease.c - addresses of a pool: stable, reserved, used up,
 * and the same again after the file was read back.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/base/err.h"
#include "daemon/core/lease.h"
#include "test/lib/test.h"

static struct ip_addr
ip(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(text, &a), 0);
	return a;
}

static struct leases *
book(uint32_t max, const char *realm, const char *net)
{
	struct lease_pool_conf c = { .n_net = 1 };
	struct leases *l;
	struct ip_net n;

	assert_int_equal(ip_net_parse(net, &n), 0);
	c.net = &n;
	assert_int_equal(lease_new(&l, max), 0);
	assert_int_equal(lease_pool_set(l, realm, &c), 0);
	return l;
}

/* The address who gets, as text; "" with the error in *err. */
static const char *
take(struct leases *l, const char *realm, const char *who, int64_t now_s,
     int *err)
{
	static char out[4][IP_TEXT_MAX];
	static unsigned at;
	struct lease_got got;

	at = (at + 1) % 4;
	out[at][0] = '\0';
	if ((*err = lease_take(l, realm, who, 4, NULL, now_s, &got)) == 0)
		ip_text(&got.ip.addr, out[at]);
	return out[at];
}

/* Everything that is dirty, as a file; returns how many records were written. */
static uint8_t file[64][LEASE_REC_BYTES];

static unsigned
save(struct leases *l)
{
	uint8_t rec[LEASE_REC_BYTES];
	unsigned n = 0;
	uint32_t slot;

	while (lease_dirty(l, &slot, rec)) {
		assert_true(slot < 64);
		memcpy(file[slot], rec, sizeof(rec));
		n++;
	}
	return n;
}

TEST(an_identity_keeps_its_address)
{
	struct leases *l = book(16, "sales", "10.0.0.0/24");
	const char *a, *b, *c;
	int err;

	a = take(l, "sales", "anna@x", 1, &err);
	b = take(l, "sales", "bert@x", 2, &err);
	assert_string_not_equal(a, b);
	lease_end(l, "sales", "anna@x", 3);
	c = take(l, "sales", "carl@x", 4, &err);
	assert_string_not_equal(c, a);
	assert_string_equal(take(l, "sales", "anna@x", 5, &err), a);
	/* a second connection of the same is the same */
	assert_string_equal(take(l, "sales", "anna@x", 6, &err), a);
	lease_free(l);
}

TEST(the_address_follows_from_the_identity_without_a_book)
{
	struct leases *l = book(16, "sales", "10.0.0.0/16");
	char first[IP_TEXT_MAX];
	int err;

	snprintf(first, sizeof(first), "%s",
		 take(l, "sales", "anna@x", 1, &err));
	lease_free(l);
	l = book(16, "sales", "10.0.0.0/16");
	(void)take(l, "sales", "bert@x", 1, &err);
	assert_string_equal(take(l, "sales", "anna@x", 2, &err), first);
	lease_free(l);
}

TEST(a_pool_is_used_up_to_its_last_address)
{
	struct leases *l = book(64, "sales", "10.0.0.0/29");
	bool seen[8] = { false };
	struct lease_got got;
	char who[32];
	int err;

	for (unsigned i = 0; i < 6; i++) {
		snprintf(who, sizeof(who), "u%u@x", i);
		assert_int_equal(lease_take(l, "sales", who, 4, NULL, i, &got),
				 0);
		assert_int_equal(got.ip.bits, 29);
		assert_true(got.is_new && !got.is_taken);
		assert_false(seen[got.ip.addr.b[3]]);
		seen[got.ip.addr.b[3]] = true;
	}
	assert_false(seen[0] || seen[7]);	/* network and broadcast */
	(void)take(l, "sales", "late@x", 9, &err);
	assert_int_equal(err, ERR_FULL);
	lease_free(l);
}

TEST(who_was_away_longest_loses_its_address_when_no_other_is_left)
{
	struct leases *l = book(64, "sales", "10.0.0.0/30");
	char b[IP_TEXT_MAX];
	struct lease_got got;
	int err;

	(void)take(l, "sales", "anna@x", 1, &err);
	snprintf(b, sizeof(b), "%s", take(l, "sales", "bert@x", 2, &err));
	lease_end(l, "sales", "bert@x", 10);
	lease_end(l, "sales", "anna@x", 20);
	assert_int_equal(lease_take(l, "sales", "carl@x", 4, NULL, 30, &got), 0);
	assert_true(got.is_taken);
	assert_true(ip_equal(&got.ip.addr, &(struct ip_addr){ 4,
		    { 10, 0, 0, ip(b).b[3] } }));
	/* bert is back, anna is away: hers is next */
	assert_int_equal(lease_take(l, "sales", "bert@x", 4, NULL, 31, &got), 0);
	assert_true(got.is_new && got.is_taken);
	(void)take(l, "sales", "anna@x", 32, &err);
	assert_int_equal(err, ERR_FULL);
	lease_free(l);
}

TEST(reserved_addresses_are_for_those_they_are_reserved_for)
{
	struct lease_fix fix[] = { { "boss@x", ip("10.0.0.1") },
				   { "far@x", ip("10.9.9.9") } };
	struct ip_net net = { ip("10.0.0.0"), 30 };
	struct lease_pool_conf c = { .n_net = 1, .net = &net, .n_fix = 2,
				     .fix = fix };
	struct ip_addr wish = ip("10.0.0.1");
	struct lease_got got;
	struct leases *l;
	int err;

	assert_int_equal(lease_new(&l, 16), 0);
	assert_int_equal(lease_pool_set(l, "sales", &c), 0);
	/* asking for it does not help */
	assert_int_equal(lease_take(l, "sales", "anna@x", 4, &wish, 1, &got), 0);
	assert_int_equal(got.ip.addr.b[3], 2);
	(void)take(l, "sales", "bert@x", 2, &err);
	assert_int_equal(err, ERR_FULL);
	assert_string_equal(take(l, "sales", "boss@x", 3, &err), "10.0.0.1");
	assert_string_equal(take(l, "sales", "far@x", 4, &err), "10.9.9.9");
	lease_free(l);
}

TEST(a_reservation_made_later_moves_its_owner)
{
	struct lease_fix fix = { "anna@x", ip("10.0.0.200") };
	struct ip_net net = { ip("10.0.0.0"), 24 };
	struct lease_pool_conf c = { .n_net = 1, .net = &net, .n_fix = 1,
				     .fix = &fix };
	struct leases *l = book(16, "sales", "10.0.0.0/24");
	int err;

	assert_string_not_equal(take(l, "sales", "anna@x", 1, &err),
				"10.0.0.200");
	assert_int_equal(lease_pool_set(l, "sales", &c), 0);
	assert_string_equal(take(l, "sales", "anna@x", 2, &err), "10.0.0.200");
	lease_free(l);
}

TEST(our_own_addresses_are_left_out)
{
	struct ip_addr own = ip("10.0.0.1");
	struct ip_net net = { ip("10.0.0.0"), 30 };
	struct lease_pool_conf c = { .n_net = 1, .net = &net, .n_not = 1,
				     .not_these = &own };
	struct leases *l;
	int err;

	assert_int_equal(lease_new(&l, 16), 0);
	assert_int_equal(lease_pool_set(l, "sales", &c), 0);
	assert_string_equal(take(l, "sales", "anna@x", 1, &err), "10.0.0.2");
	(void)take(l, "sales", "bert@x", 1, &err);
	assert_int_equal(err, ERR_FULL);
	lease_free(l);
}

TEST(a_wish_is_granted_when_it_is_free)
{
	struct leases *l = book(16, "sales", "10.0.0.0/24");
	struct ip_addr wish = ip("10.0.0.77"), end = ip("10.0.0.255"),
		       out = ip("10.0.1.1");
	struct lease_got got;

	assert_int_equal(lease_take(l, "sales", "a", 4, &wish, 1, &got), 0);
	assert_true(ip_equal(&got.ip.addr, &wish));
	assert_int_equal(lease_take(l, "sales", "b", 4, &wish, 1, &got), 0);
	assert_false(ip_equal(&got.ip.addr, &wish));
	assert_int_equal(lease_take(l, "sales", "c", 4, &end, 1, &got), 0);
	assert_false(ip_equal(&got.ip.addr, &end));
	assert_int_equal(lease_take(l, "sales", "d", 4, &out, 1, &got), 0);
	assert_false(ip_equal(&got.ip.addr, &out));
	lease_free(l);
}

TEST(a_large_network_of_ipv6_is_searched_at_once)
{
	struct leases *l = book(16, "sales", "fd00:1::/64");
	struct ip_addr first = { 0 };
	struct lease_got got;

	assert_int_equal(lease_take(l, "sales", "a@x", 6, NULL, 1, &got), 0);
	first = got.ip.addr;
	assert_int_equal(got.ip.bits, 64);
	assert_int_equal(lease_take(l, "sales", "b@x", 6, NULL, 1, &got), 0);
	assert_false(ip_equal(&first, &got.ip.addr));
	assert_int_equal(lease_take(l, "sales", "a@x", 4, NULL, 1, &got),
			 ERR_NOTFOUND);
	lease_free(l);
}

TEST(realms_have_nothing_to_do_with_each_other)
{
	struct leases *l = book(16, "sales", "10.0.0.0/30");
	struct ip_net net = { ip("10.0.0.0"), 30 };
	struct lease_pool_conf c = { .n_net = 1, .net = &net };
	int err;

	assert_int_equal(lease_pool_set(l, "dev", &c), 0);
	(void)take(l, "sales", "a@x", 1, &err);
	(void)take(l, "sales", "b@x", 1, &err);
	(void)take(l, "dev", "a@x", 1, &err);
	assert_int_equal(err, 0);
	(void)take(l, "dev", "b@x", 1, &err);
	assert_int_equal(err, 0);
	lease_end(l, "sales", "a@x", 2);	/* not that of dev */
	(void)take(l, "dev", "c@x", 1, &err);
	assert_int_equal(err, ERR_FULL);
	(void)take(l, "none", "a@x", 1, &err);
	assert_int_equal(err, ERR_NOTFOUND);
	lease_free(l);
}

TEST(leases_survive_in_the_file)
{
	struct leases *l = book(16, "sales", "10.0.0.0/24");
	char a[IP_TEXT_MAX], b[IP_TEXT_MAX];
	struct lease_count n;
	struct ip_addr wish = ip("10.0.0.9");
	struct lease_got got;
	int err;

	memset(file, 0, sizeof(file));
	assert_int_equal(lease_take(l, "sales", "anna@x", 4, &wish, 1, &got), 0);
	ip_text(&got.ip.addr, a);
	snprintf(b, sizeof(b), "%s", take(l, "sales", "bert@x", 2, &err));
	assert_int_equal(save(l), 2);
	assert_int_equal(save(l), 0);
	lease_free(l);

	l = book(16, "sales", "10.0.0.0/24");
	for (uint32_t i = 0; i < 16; i++)
		if (lease_load(l, i, file[i]) != 0)
			assert_true(i >= 2);
	lease_count(l, "sales", 4, &n);
	assert_int_equal(n.n_kept, 2);
	assert_int_equal(n.n_used, 0);
	assert_int_equal(n.n_all, 256);
	assert_string_equal(take(l, "sales", "bert@x", 3, &err), b);
	assert_string_equal(take(l, "sales", "anna@x", 3, &err), a);
	lease_free(l);
}

TEST(a_record_that_could_not_be_written_is_written_later)
{
	struct leases *l = book(16, "sales", "10.0.0.0/24");
	uint8_t rec[LEASE_REC_BYTES];
	uint32_t slot;
	int err;

	(void)take(l, "sales", "anna@x", 1, &err);
	assert_true(lease_dirty(l, &slot, rec));
	assert_false(lease_dirty(l, &slot, rec));
	lease_soil(l, slot);
	assert_true(lease_dirty(l, &slot, rec));
	lease_free(l);
}

TEST(a_forgotten_lease_is_wiped_from_the_file)
{
	static const uint8_t zero[LEASE_REC_BYTES];
	struct leases *l = book(16, "sales", "10.0.0.0/24");
	int err;

	memset(file, 0xff, sizeof(file));
	(void)take(l, "sales", "anna@x", 1, &err);
	save(l);
	assert_memory_not_equal(file[0], zero, sizeof(zero));
	assert_true(lease_forget(l, "sales", "anna@x"));
	assert_false(lease_forget(l, "sales", "anna@x"));
	assert_int_equal(save(l), 1);
	assert_memory_equal(file[0], zero, sizeof(zero));
	lease_free(l);
}

TEST(damaged_records_are_left)
{
	struct leases *l = book(16, "sales", "10.0.0.0/24");
	uint8_t good[LEASE_REC_BYTES];
	uint32_t slot;
	int err;

	(void)take(l, "sales", "anna@x", 1, &err);
	assert_true(lease_dirty(l, &slot, good));
	lease_free(l);
	l = book(16, "sales", "10.0.0.0/24");
	for (size_t i = 0; i < LEASE_REC_BYTES; i++) {
		uint8_t bad[LEASE_REC_BYTES];

		memcpy(bad, good, sizeof(bad));
		bad[i] ^= 0x10;
		if (lease_load(l, 0, bad) != ERR_SYNTAX)
			fail_msg("byte %zu", i);
	}
	assert_int_equal(lease_load(l, 16, good), ERR_LIMIT);
	assert_int_equal(lease_load(l, 3, good), 0);
	assert_int_equal(lease_load(l, 3, good), ERR_EXISTS);
	lease_free(l);
}

/* Two records of one identity, or of one address, as a crash may leave them. */
TEST(of_two_records_the_younger_counts)
{
	struct leases *l = book(16, "sales", "10.0.0.0/24");
	uint8_t old[LEASE_REC_BYTES], new[LEASE_REC_BYTES], rec[LEASE_REC_BYTES];
	struct ip_addr wish = ip("10.0.0.9");
	struct lease_got got;
	struct lease_count n;
	uint32_t slot;

	assert_int_equal(lease_take(l, "sales", "anna@x", 4, NULL, 1, &got), 0);
	assert_true(lease_dirty(l, &slot, old));
	assert_true(lease_forget(l, "sales", "anna@x"));
	assert_int_equal(lease_take(l, "sales", "anna@x", 4, &wish, 5, &got), 0);
	assert_true(lease_dirty(l, &slot, new));
	lease_free(l);
	for (unsigned turn = 0; turn < 2; turn++) {
		l = book(16, "sales", "10.0.0.0/24");
		assert_int_equal(lease_load(l, 0, turn == 0 ? old : new), 0);
		assert_int_equal(lease_load(l, 1, turn == 0 ? new : old),
				 turn == 0 ? 0 : ERR_EXISTS);
		lease_count(l, "sales", 4, &n);
		assert_int_equal(n.n_kept, 1);
		assert_int_equal(lease_take(l, "sales", "anna@x", 4, NULL, 6,
					    &got), 0);
		assert_true(ip_equal(&got.ip.addr, &wish));
		/* the other is wiped */
		while (lease_dirty(l, &slot, rec))
			if (slot == (turn == 0 ? 0 : 1))
				assert_int_equal(rec[0], 0);
		lease_free(l);
	}
}

TEST(a_full_book_forgets_who_was_away_longest)
{
	struct leases *l = book(4, "sales", "10.0.0.0/16");
	struct lease_count n;
	char who[32];
	int err;

	for (unsigned i = 0; i < 4; i++) {
		snprintf(who, sizeof(who), "u%u@x", i);
		(void)take(l, "sales", who, i, &err);
		assert_int_equal(err, 0);
	}
	(void)take(l, "sales", "late@x", 9, &err);
	assert_int_equal(err, ERR_FULL);
	lease_end(l, "sales", "u2@x", 10);
	(void)take(l, "sales", "late@x", 11, &err);
	assert_int_equal(err, 0);
	lease_count(l, "sales", 4, &n);
	assert_int_equal(n.n_used, 4);
	assert_int_equal(n.n_kept, 0);
	lease_free(l);
}

TEST(a_pool_that_changed_moves_who_is_outside_of_it)
{
	struct leases *l = book(16, "sales", "10.0.0.0/24");
	struct ip_net net = { ip("10.7.0.0"), 24 };
	struct lease_pool_conf c = { .n_net = 1, .net = &net };
	int err;

	(void)take(l, "sales", "anna@x", 1, &err);
	lease_pool_drop(l, "sales");
	(void)take(l, "sales", "anna@x", 2, &err);
	assert_int_equal(err, ERR_NOTFOUND);
	assert_int_equal(lease_pool_set(l, "sales", &c), 0);
	assert_memory_equal(take(l, "sales", "anna@x", 3, &err), "10.7.0.", 7);
	lease_free(l);
}
