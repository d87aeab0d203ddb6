/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/evidence.c - what a peer's state rests on, in words.
 */
#include "cli/evidence.h"
#include <string.h>
#include "cli/show.h"
#include "daemon/base/str.h"

static bool
is_state(const struct bus_rec *p, const char *state)
{
	return strcmp(bus_str(p, BUS_F_STATE), state) == 0;
}

static bool
is_intent(const struct bus_rec *p, const char *intent)
{
	return strcmp(bus_str(p, BUS_F_INTENT), intent) == 0;
}

/* "packet 3 s ago", with what goes before it. */
static void
add_ago(char *out, size_t cap, const char *what, int64_t s)
{
	char age[24];

	if (s < 0)
		return;
	str_add(out, cap, "%s%s %s ago", *out != '\0' ? ", " : "", what,
		show_age(s, age, sizeof(age)));
}

const char *
evidence_heard(const struct bus_rec *p, char *out, size_t cap)
{
	*out = '\0';
	add_ago(out, cap, "packet", bus_i64(p, BUS_F_LAST_PACKET_S));
	add_ago(out, cap, "IKE message", bus_i64(p, BUS_F_IKE_HEARD_S));
	add_ago(out, cap, "answer to us", bus_i64(p, BUS_F_IKE_ANSWER_S));
	if (*out == '\0')
		str_copy(out, cap, "nothing of it was ever heard");
	return out;
}

const char *
evidence_doubt(const struct bus_rec *p, char *out, size_t cap)
{
	int64_t asked = bus_i64(p, BUS_F_ASKED_S);
	int64_t dead = bus_i64(p, BUS_F_DEAD_IN_S);
	char b[2][24];

	*out = '\0';
	if (asked < 0 || bus_u64(p, BUS_F_TRY) < 2)
		return out;
	str_add(out, cap, "asked %s ago, sent %u times, no answer yet",
		show_age(asked, b[0], sizeof(b[0])),
		(unsigned)bus_u64(p, BUS_F_TRY));
	if (dead >= 0)
		str_add(out, cap, "; counts as dead in %s",
			show_age(dead, b[1], sizeof(b[1])));
	return out;
}

const char *
evidence_next(const struct bus_rec *p, char *out, size_t cap)
{
	int64_t next = bus_i64(p, BUS_F_NEXT_TRY_S);
	unsigned n = (unsigned)bus_u64(p, BUS_F_N_FAILED);
	char age[24];

	*out = '\0';
	if (is_state(p, "up") || is_state(p, "suspect"))
		return out;
	if (is_intent(p, "held"))
		str_copy(out, cap, "not dialled until tapir up");
	else if (is_intent(p, "password"))
		str_copy(out, cap, "waits for a password: tapir up asks for it");
	else if (is_intent(p, "wait"))
		str_copy(out, cap, "waits for the peer to connect");
	else if (next >= 0)
		str_add(out, cap, "next try in %s",
			show_age(next, age, sizeof(age)));
	if (n > 0 && is_intent(p, "dial"))
		str_add(out, cap, "%s%u round%s failed", *out != '\0' ? ", " :
			"", n, n == 1 ? "" : "s");
	return out;
}

const char *
evidence_note(const struct bus_rec *p, char *out, size_t cap)
{
	const char *why = bus_str(p, BUS_F_WHY);
	char more[EVIDENCE_MAX];

	*out = '\0';
	if (is_state(p, "up"))
		return out;
	if (is_state(p, "suspect")) {
		str_copy(out, cap, why);
		evidence_doubt(p, more, sizeof(more));
	} else {
		str_copy(out, cap, why);
		evidence_next(p, more, sizeof(more));
		if (strcmp(why, "waiting for the peer to connect") == 0 &&
		    is_intent(p, "wait"))
			more[0] = '\0';
	}
	if (*more != '\0')
		str_add(out, cap, "%s%s", *out != '\0' ? "; " : "", more);
	return out;
}
