/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_evidence.c - what a peer's state rests on, in words; whole
 * views of status at 80 columns.
 */
#include "cli/evidence.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/status.h"
#include "cli/watch.h"
#include "test/lib/test.h"

static struct bus_rec
peer(const char *state, const char *intent, const char *why)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_PEER);
	bus_set_str(&r, BUS_F_REALM, "branches");
	bus_set_str(&r, BUS_F_NAME, "osaka");
	bus_set_str(&r, BUS_F_STATE, state);
	bus_set_str(&r, BUS_F_INTENT, intent);
	bus_set_str(&r, BUS_F_WHY, why);
	bus_set_str(&r, BUS_F_MODE, "ether");
	bus_set_str(&r, BUS_F_ENCAP, "udp");
	bus_set_str(&r, BUS_F_SUITE, "aes256-gcm");
	bus_set_str(&r, BUS_F_REMOTE, "203.0.113.2:4500");
	bus_set_i64(&r, BUS_F_LAST_PACKET_S, -1);
	bus_set_i64(&r, BUS_F_IKE_HEARD_S, -1);
	bus_set_i64(&r, BUS_F_IKE_ANSWER_S, -1);
	bus_set_i64(&r, BUS_F_ASKED_S, -1);
	bus_set_i64(&r, BUS_F_NEXT_TRY_S, -1);
	bus_set_i64(&r, BUS_F_DEAD_IN_S, -1);
	bus_set_i64(&r, BUS_F_DOWN_S, -1);
	return r;
}

TEST(evidence_names_what_was_heard_and_when)
{
	struct bus_rec r = peer("up", "dial", "");
	char text[EVIDENCE_MAX];

	assert_string_equal(evidence_heard(&r, text, sizeof(text)),
			    "nothing of it was ever heard");
	bus_set_i64(&r, BUS_F_LAST_PACKET_S, 3);
	bus_set_i64(&r, BUS_F_IKE_HEARD_S, 400);
	assert_string_equal(evidence_heard(&r, text, sizeof(text)),
			    "packet 3 s ago, IKE message 6 min ago");
	assert_string_equal(evidence_note(&r, text, sizeof(text)), "");
}

TEST(suspect_says_how_often_it_was_asked_and_when_it_counts_as_dead)
{
	struct bus_rec r = peer("suspect", "dial", "");
	char text[EVIDENCE_MAX];

	bus_set_i64(&r, BUS_F_ASKED_S, 4);
	bus_set_u64(&r, BUS_F_TRY, 3);
	bus_set_i64(&r, BUS_F_DEAD_IN_S, 16);
	assert_string_equal(evidence_note(&r, text, sizeof(text)),
			    "asked 4 s ago, sent 3 times, no answer yet; counts "
			    "as dead in 16 s");
	/* the first one is no reason to doubt */
	bus_set_u64(&r, BUS_F_TRY, 1);
	assert_string_equal(evidence_doubt(&r, text, sizeof(text)), "");
}

TEST(down_says_why_and_what_comes_next)
{
	struct bus_rec r = peer("down", "dial", "no answer from 203.0.113.2 "
				"port 500");
	char text[EVIDENCE_MAX];

	bus_set_i64(&r, BUS_F_NEXT_TRY_S, 7);
	bus_set_u64(&r, BUS_F_N_FAILED, 1);
	assert_string_equal(evidence_note(&r, text, sizeof(text)),
			    "no answer from 203.0.113.2 port 500; next try in "
			    "7 s, 1 round failed");
	r = peer("down", "held", "taken down by command");
	assert_string_equal(evidence_note(&r, text, sizeof(text)),
			    "taken down by command; not dialled until tapir up");
	r = peer("down", "wait", "waiting for the peer to connect");
	assert_string_equal(evidence_note(&r, text, sizeof(text)),
			    "waiting for the peer to connect");
	r = peer("down", "wait", "no answer from 203.0.113.2 port 500");
	assert_string_equal(evidence_next(&r, text, sizeof(text)),
			    "waits for the peer to connect");
}

/* ---- whole views --------------------------------------------------------- */

static void
world(struct ask_list *a)
{
	a->n = 4;
	a->rec = calloc(a->n, sizeof(*a->rec));
	assert_non_null(a->rec);
	bus_rec_init(&a->rec[0], BUS_RES_REALM);
	bus_set_str(&a->rec[0], BUS_F_NAME, "branches");
	bus_set_str(&a->rec[0], BUS_F_TAP, "tap-branches");
	bus_set_u64(&a->rec[0], BUS_F_N_PEER, 3);
	bus_set_u64(&a->rec[0], BUS_F_N_UP, 2);
	a->rec[1] = peer("up", "dial", "");
	bus_set_i64(&a->rec[1], BUS_F_LAST_PACKET_S, 0);
	bus_set_u64(&a->rec[1], BUS_F_RX_BYTES, 123456);
	a->rec[2] = peer("suspect", "wait", "");
	bus_set_str(&a->rec[2], BUS_F_NAME, "sapporo");
	bus_set_i64(&a->rec[2], BUS_F_ASKED_S, 4);
	bus_set_u64(&a->rec[2], BUS_F_TRY, 3);
	bus_set_i64(&a->rec[2], BUS_F_DEAD_IN_S, 16);
	a->rec[3] = peer("down", "dial", "no answer from 203.0.113.9 port 500");
	bus_set_str(&a->rec[3], BUS_F_NAME, "naha");
	bus_set_i64(&a->rec[3], BUS_F_NEXT_TRY_S, 9);
	bus_set_u64(&a->rec[3], BUS_F_N_FAILED, 4);
}

static char *
view(bool has_colour)
{
	struct ask_list a = { 0 };
	struct show s = { .width = 80, .has_colour = has_colour };
	char *text = NULL;
	size_t len;

	world(&a);
	s.out = open_memstream(&text, &len);
	assert_non_null(s.out);
	status_table(&s, &a);
	fclose(s.out);
	ask_list_fini(&a);
	return text;
}

TEST(status_shows_every_peer_with_its_state_and_reason)
{
	char *text = view(false);

	assert_string_equal(text,
	    "realm branches on tap-branches: 2 of 3 peers up\n"
	    "  PEER     STATE    CARRIES    SUITE       REMOTE              RX  TX   LAST\n"
	    "  osaka    up       ether/udp  aes256-gcm  203.0.113.2:4500  123k   0    0 s\n"
	    "  sapporo  suspect  ether/udp  aes256-gcm  203.0.113.2:4500     0   0  never\n"
	    "    asked 4 s ago, sent 3 times, no answer yet; counts as dead in 16 s\n"
	    "  naha     down     ether/udp  aes256-gcm  203.0.113.2:4500     0   0  never\n"
	    "    no answer from 203.0.113.9 port 500; next try in 9 s, 4 rounds failed\n");
	free(text);
}

TEST(colour_changes_nothing_but_colour)
{
	char *plain = view(false), *colour = view(true), *at;

	assert_non_null(strstr(colour, "\033[32mup\033[0m"));
	assert_non_null(strstr(colour, "\033[33msuspect\033[0m"));
	assert_non_null(strstr(colour, "\033[31mdown\033[0m"));
	while ((at = strchr(colour, '\033')) != NULL) {
		char *end = strchr(at, 'm');

		assert_non_null(end);
		memmove(at, end + 1, strlen(end + 1) + 1);
	}
	assert_string_equal(colour, plain);
	free(plain);
	free(colour);
}

TEST(a_frame_writes_over_the_one_before_and_keeps_to_the_screen)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	watch_frame(f, "a\nb\nc\nd\n", 3);
	fclose(f);
	assert_string_equal(text, "\033[Ha\033[K\nb\033[K\n(2 more lines)\033[K"
			    "\033[J");
	free(text);
	f = open_memstream(&text, &len);
	assert_non_null(f);
	watch_frame(f, "a\nb\n", 3);
	fclose(f);
	assert_string_equal(text, "\033[Ha\033[K\nb\033[K\n\033[J");
	free(text);
}
