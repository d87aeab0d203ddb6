/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/bus/t_bus.c - records, the tables, the ring.
 */
#include "test/lib/test.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/thr.h"
#include "daemon/bus/bus.h"

static void
note(struct bus_rec *r, const char *text)
{
	bus_rec_init(r, BUS_EV_NOTE);
	bus_set_str(r, BUS_F_CODE, "test");
	bus_set_str(r, BUS_F_TEXT, text);
}

TEST(tables_have_unique_numbers_and_names)
{
	for (int c = BUS_COMMAND; c <= BUS_EVENT; c++) {
		const struct bus_desc *d;
		unsigned it = 0, n = 0;

		while ((d = bus_desc_next((enum bus_class)c, &it)) != NULL) {
			n++;
			assert_ptr_equal(bus_desc_find(d->class, d->num), d);
			assert_ptr_equal(bus_desc_named(d->class, d->name), d);
			for (unsigned i = 0; i < d->n_field; i++)
				for (unsigned k = 0; k < i; k++)
					assert_true(d->field[i] != d->field[k]);
		}
		assert_true(n > 5);
	}
	assert_null(bus_desc_find(BUS_EVENT, 999));
	assert_null(bus_desc_find((enum bus_class)0, 1));
	assert_null(bus_desc_named(BUS_COMMAND, "nonsense"));
}

/* What stands in front of the fields in JSON and XML: webui/form.c. */
TEST(no_field_has_the_name_of_what_stands_before_the_fields)
{
	static const char *const taken[] = { "n", "tag", "result", "event",
		"seq", "time_ms", "severity", "sentence" };

	for (int c = BUS_RESULT; c <= BUS_EVENT; c++) {
		unsigned it = 0, n = c == BUS_EVENT ? 8 : 4;
		const struct bus_desc *d;

		while ((d = bus_desc_next((enum bus_class)c, &it)) != NULL)
			for (unsigned i = 0; i < d->n_field * n; i++)
				assert_string_not_equal(taken[i % n],
				    bus_field_key(d->field[i / n]));
	}
}

TEST(every_key_in_a_sentence_is_a_field_of_its_row)
{
	const struct bus_desc *d;
	unsigned it = 0;

	while ((d = bus_desc_next(BUS_EVENT, &it)) != NULL)
		for (const char *s = d->sentence; (s = strchr(s, '{')); s++) {
			bool found = false;
			size_t n = strcspn(s + 1, "}");

			for (unsigned i = 0; i < d->n_field; i++) {
				const char *k = bus_field_key(d->field[i]);

				found |= strlen(k) == n &&
				    memcmp(k, s + 1, n) == 0;
			}
			if (!found)
				fail_msg("%s: %s", d->name, s);
		}
}

TEST(status_answers_have_the_keys_of_the_contract)
{
	static const char *const keys[] = { "name", "state", "mode", "encap",
		"suite", "remote", "rx_bytes", "tx_bytes", "last_packet_s" };
	const struct bus_desc *d = bus_desc_named(BUS_RESULT, "peer");

	for (size_t k = 0; k < N_OF(keys); k++) {
		bool found = false;

		for (unsigned i = 0; i < d->n_field; i++)
			found |= strcmp(bus_field_key(d->field[i]),
			    keys[k]) == 0;
		assert_true(found);
	}
}

TEST(a_record_gives_back_what_was_set)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_PEER);
	assert_string_equal(bus_str(&r, BUS_F_NAME), "");
	assert_int_equal(bus_u64(&r, BUS_F_RX_BYTES), 0);
	bus_set_str(&r, BUS_F_NAME, "osaka");
	bus_set_fmt(&r, BUS_F_REMOTE, "%s:%u", "192.0.2.1", 4500u);
	bus_set_u64(&r, BUS_F_RX_BYTES, UINT64_MAX);
	bus_set_i64(&r, BUS_F_LAST_PACKET_S, -1);
	assert_string_equal(bus_str(&r, BUS_F_NAME), "osaka");
	assert_string_equal(bus_str(&r, BUS_F_REMOTE), "192.0.2.1:4500");
	assert_true(bus_u64(&r, BUS_F_RX_BYTES) == UINT64_MAX);
	assert_int_equal(bus_i64(&r, BUS_F_LAST_PACKET_S), -1);
	assert_true(bus_has(&r, BUS_F_NAME));
	assert_false(bus_has(&r, BUS_F_TAP));
	assert_string_equal(bus_str(&r, BUS_F_TAP), "");
	bus_set_str(&r, BUS_F_NAME, NULL);
	assert_string_equal(bus_str(&r, BUS_F_NAME), "");
}

TEST(long_texts_are_cut_between_characters)
{
	char big[3 * BUS_STR_MAX];
	struct bus_rec r;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	memcpy(big + BUS_STR_MAX - 1, "\xc3\xa9", 2); /* lies on the cut */
	bus_rec_init(&r, BUS_EV_AUTH_FAILED);
	bus_set_str(&r, BUS_F_ID, big);
	assert_int_equal(strlen(bus_str(&r, BUS_F_ID)), BUS_STR_MAX - 1);
	/* And the record as a whole is bounded too. */
	bus_set_str(&r, BUS_F_WHY, big);
	bus_set_str(&r, BUS_F_HINT, big);
	bus_set_str(&r, BUS_F_REALM, big);
	bus_set_str(&r, BUS_F_PEER, big);
	assert_true(r.used <= BUS_TEXT_MAX);
	assert_int_equal(r.text[r.used - 1], '\0');
	assert_string_equal(bus_str(&r, BUS_F_PEER), "");
}

TEST(events_are_numbered_without_gaps)
{
	struct bus_reader rd;
	struct bus_rec r, got;
	struct bus *b;
	uint64_t lost;

	assert_int_equal(bus_new(&b), 0);
	assert_int_equal(bus_last_seq(b), 0);
	bus_reader_init(&rd, 0);
	assert_int_equal(bus_read(b, &rd, &got, &lost), ERR_AGAIN);
	for (uint64_t i = 1; i <= 10; i++) {
		char text[16];

		snprintf(text, sizeof(text), "n %u", (unsigned)i);
		note(&r, text);
		assert_int_equal(bus_publish(b, &r), i);
		assert_int_equal(bus_read(b, &rd, &got, &lost), 0);
		assert_int_equal(lost, 0);
		assert_int_equal(got.seq, i);
		assert_true(got.time_ms > 0);
		assert_string_equal(bus_str(&got, BUS_F_TEXT), text);
	}
	assert_int_equal(bus_read(b, &rd, &got, &lost), ERR_AGAIN);
	bus_reader_init(&rd, 7);
	assert_int_equal(bus_read(b, &rd, &got, &lost), 0);
	assert_int_equal(got.seq, 8);
	bus_free(b);
	assert_int_equal(bus_publish(NULL, &r), 0);
	bus_free(NULL);
}

TEST(a_slow_reader_learns_how_much_it_lost)
{
	struct bus_reader rd;
	struct bus_rec r, got;
	struct bus *b;
	uint64_t lost, n = 0;

	assert_int_equal(bus_new(&b), 0);
	bus_reader_init(&rd, 0);
	note(&r, "short");
	for (int i = 0; i < BUS_RING_MAX + 100; i++)
		bus_publish(b, &r);
	assert_int_equal(bus_read(b, &rd, &got, &lost), 0);
	assert_int_equal(lost, 100);
	while (bus_read(b, &rd, &got, &lost) == 0) {
		assert_int_equal(lost, 0);
		n++;
		assert_int_equal(got.seq, 100 + n);
	}
	assert_int_equal(n, BUS_RING_MAX);
	bus_free(b);
}

/* Sizes from tiny to the largest, many times around the ring of bytes. */
TEST(the_ring_of_bytes_stays_whole_when_it_wraps)
{
	char text[BUS_STR_MAX + 1];
	struct bus_reader rd;
	struct bus_rec r, got;
	struct bus *b;
	uint64_t lost, n_lost = 0, n_read = 0;
	unsigned n = 20000, x = 12345;

	assert_int_equal(bus_new(&b), 0);
	bus_reader_init(&rd, 0);
	for (unsigned i = 1; i <= n; i++) {
		size_t len;

		x = x * 1103515245u + 12345u;
		len = (x >> 8) % BUS_STR_MAX;
		memset(text, 'a' + (int)(i % 26), len);
		text[len] = '\0';
		note(&r, text);
		bus_set_fmt(&r, BUS_F_REALM, "%u %zu", i, len);
		assert_int_equal(bus_publish(b, &r), i);
		if (i % 4001 != 0)
			continue;
		while (bus_read(b, &rd, &got, &lost) == 0) {
			unsigned who = 0;
			size_t size = 0;

			n_lost += lost;
			if (lost > 0)
				continue;
			n_read++;
			assert_int_equal(got.seq, rd.next_seq - 1);
			assert_int_equal(sscanf(bus_str(&got, BUS_F_REALM),
			    "%u %zu", &who, &size), 2);
			assert_int_equal(who, got.seq);
			assert_int_equal(strlen(bus_str(&got, BUS_F_TEXT)),
			    size);
		}
	}
	assert_true(n_lost > 0);
	assert_int_equal(n_lost + n_read, 4001 * (n / 4001));
	bus_free(b);
}

struct crowd {
	struct bus *b;
	_Atomic unsigned n_notified;
};

static void
count(void *ctx)
{
	((struct crowd *)ctx)->n_notified++;
}

static void
shout(void *ctx)
{
	struct crowd *c = ctx;
	struct bus_rec r;

	for (int i = 0; i < 1000; i++) {
		note(&r, "from a thread");
		bus_publish(c->b, &r);
	}
}

TEST(any_thread_may_publish)
{
	struct crowd c = { NULL, 0 };
	struct thr *t[2];
	struct bus_reader rd;
	struct bus_rec got;
	uint64_t lost, last = 0;

	assert_int_equal(bus_new(&c.b), 0);
	bus_set_notify(c.b, count, &c);
	for (int i = 0; i < 2; i++)
		assert_int_equal(thr_start(&t[i], "shout", shout, &c), 0);
	bus_reader_init(&rd, 0);
	while (last < 2000) {
		if (bus_read(c.b, &rd, &got, &lost) != 0)
			continue;
		assert_int_equal(lost, 0);
		assert_int_equal(got.seq, ++last);
	}
	for (int i = 0; i < 2; i++)
		thr_join(t[i]);
	assert_int_equal(c.n_notified, 2000);
	assert_int_equal(bus_last_seq(c.b), 2000);
	bus_free(c.b);
}
