/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/bus/t_metrics.c - metrics as text and as JSON.
 */
#include "test/lib/test.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/bus/metrics.h"

static struct metrics *ms;
static char *out;

static void
begin(void)
{
	assert_int_equal(metrics_new(&ms), 0);
}

static void
peer(const char *realm, const char *name, uint64_t is_up, uint64_t bytes)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_METRIC_PEER);
	bus_set_str(&r, BUS_F_REALM, realm);
	bus_set_str(&r, BUS_F_PEER, name);
	bus_set_u64(&r, BUS_F_N_UP, is_up);
	bus_set_u64(&r, BUS_F_RX_BYTES, bytes);
	bus_set_i64(&r, BUS_F_LAST_PACKET_S, bytes > 0 ? 3 : -1);
	metrics_add(ms, &r);
}

static void
stat(const char *name, uint64_t v)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_STAT);
	bus_set_str(&r, BUS_F_NAME, name);
	bus_set_u64(&r, BUS_F_VALUE, v);
	metrics_add(ms, &r);
}

static void
write_out(bool is_json)
{
	size_t n;
	FILE *f;

	free(out);
	out = NULL;
	f = open_memstream(&out, &n);
	assert_int_equal(metrics_check(ms), 0);
	if (is_json)
		metrics_json(ms, f);
	else
		metrics_write(ms, f);
	fclose(f);
}

static void
end(void)
{
	metrics_free(ms);
	free(out);
	out = NULL;
}

static bool
says(const char *text)
{
	return strstr(out, text) != NULL;
}

static unsigned
n_times(const char *text)
{
	unsigned n = 0;

	for (const char *p = out; (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

TEST(a_peer_that_is_down_is_there_with_zero)
{
	begin();
	peer("branches", "osaka", 0, 0);
	write_out(false);
	assert_true(says("\ntapir_peer_up{realm=\"branches\",peer=\"osaka\"} 0\n"));
	assert_true(says("\ntapir_peer_receive_bytes_total{realm=\"branches\","
			 "peer=\"osaka\"} 0\n"));
	/* what is not known is left out, not said to be 0 */
	assert_false(says("tapir_peer_last_packet_age_seconds{"));
	assert_false(says("expiry_timestamp_seconds{"));
	end();
}

TEST(a_family_stands_together_below_one_help_and_type)
{
	const char *a, *b, *next;

	begin();
	peer("r", "a", 1, 7);
	stat("ike-auth-ok", 5);
	peer("r", "b", 1, 8);
	stat("ike-auth-failed", 2);
	write_out(false);
	assert_int_equal(n_times("# TYPE tapir_peer_up gauge\n"), 1);
	assert_int_equal(n_times("# HELP tapir_ike_authentications_total "), 1);
	a = strstr(out, "tapir_peer_up{realm=\"r\",peer=\"a\"} 1\n");
	b = strstr(out, "tapir_peer_up{realm=\"r\",peer=\"b\"} 1\n");
	assert_non_null(a);
	assert_non_null(b);
	next = strchr(a, '\n') + 1;
	assert_ptr_equal(next, b);
	assert_true(says("tapir_ike_authentications_total{result=\"ok\"} 5\n"
			 "tapir_ike_authentications_total{result=\"failed\"} 2\n"));
	end();
}

TEST(names_cannot_break_out_of_their_label)
{
	begin();
	peer("r", "x\"} 1\ntapir_evil{a=\"\\", 1, 1);
	write_out(false);
	assert_true(says("tapir_peer_up{realm=\"r\",peer=\"x\\\"} 1\\\\x0a"
			 "tapir_evil{a=\\\"\\\\\"} 1\n"));
	for (const char *p = out; *p != '\0'; p = strchr(p, '\n') + 1)
		assert_true(*p == '#' || strncmp(p, "tapir_", 6) == 0);
	assert_false(says("\ntapir_evil"));
	end();
}

TEST(units_become_seconds)
{
	struct bus_rec r;

	begin();
	bus_rec_init(&r, BUS_RES_WORKER);
	bus_set_u64(&r, BUS_F_WORKER, 1);
	bus_set_u64(&r, BUS_F_CPU_NS, 1500000007);
	metrics_add(ms, &r);
	write_out(false);
	assert_true(says("tapir_worker_cpu_seconds_total{worker=\"1\"} "
			 "1.500000007\n"));
	end();
}

static void
bucket(uint64_t le_ms, uint64_t n)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_BUCKET);
	bus_set_str(&r, BUS_F_NAME, "handshake");
	bus_set_u64(&r, BUS_F_LIMIT, le_ms);
	bus_set_u64(&r, BUS_F_VALUE, n);
	bus_set_u64(&r, BUS_F_SUM_MS, 1234);
	metrics_add(ms, &r);
}

TEST(a_histogram_has_bounds_sum_and_count)
{
	begin();
	bucket(25, 3);
	bucket(2500, 4);
	bucket(0, 5);
	write_out(false);
	assert_true(says("# TYPE tapir_handshake_duration_seconds histogram\n"
	    "tapir_handshake_duration_seconds_bucket{le=\"0.025\"} 3\n"
	    "tapir_handshake_duration_seconds_bucket{le=\"2.5\"} 4\n"
	    "tapir_handshake_duration_seconds_bucket{le=\"+Inf\"} 5\n"
	    "tapir_handshake_duration_seconds_count 5\n"
	    "tapir_handshake_duration_seconds_sum 1.234\n"));
	assert_false(says("tapir_exchange_duration_seconds_bucket"));
	end();
}

TEST(as_json_it_is_one_array)
{
	begin();
	peer("r", "o\"saka", 1, 7);
	bucket(0, 5);
	write_out(true);
	assert_true(says("{\"name\":\"tapir_peer_up\",\"labels\":{\"realm\":\"r\","
			 "\"peer\":\"o\\\"saka\"},\"value\":1}"));
	assert_true(says("\"labels\":{\"le\":\"+Inf\"},\"value\":5}"));
	assert_int_equal(out[0], '[');
	assert_int_equal(out[strlen(out) - 1], ']');
	end();
}

TEST(ten_thousand_peers_are_kept_and_other_rows_passed_over)
{
	struct bus_rec r;
	char name[32];

	begin();
	bus_rec_init(&r, BUS_RES_MAC);
	metrics_add(ms, &r);
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "peer%u", i);
		peer("r", name, 1, i);
	}
	write_out(false);
	assert_int_equal(n_times("\ntapir_peer_up{"), 10000);
	assert_true(says("peer=\"peer9999\"} 9999\n"));
	end();
}
