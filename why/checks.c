/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why/checks.c - what is known of each step of a connection, without causes.
 *
 * Thread: any.
 */
#include <stdio.h>
#include <string.h>
#include "daemon/base/str.h"
#include "why/priv.h"

#define AGE_MAX 32

static void
age(int64_t s, char *out, size_t cap)
{
	if (s == WHY_NEVER)
		str_copy(out, cap, "never");
	else if (s < 120)
		snprintf(out, cap, "%lld s ago", (long long)s);
	else
		snprintf(out, cap, "%lld min ago", (long long)s / 60);
}

/* How far it came: the furthest of our attempt and the peer's. */
static enum why_stage
furthest(const struct why_facts *f)
{
	enum why_stage s = WHY_AT_START;

	if (f->out.by != WHY_BY_NOBODY)
		s = f->out.stage;
	if (f->in.by != WHY_BY_NOBODY)
		s = MAX(s, f->in.stage);
	return s;
}

static enum why_result
reached(const struct why_facts *f, enum why_stage after)
{
	if (why_is_up(f) || furthest(f) > after)
		return WHY_OK;
	return furthest(f) == after ? WHY_UNKNOWN : WHY_NOT_REACHED;
}

static enum why_result
answer(const struct why_facts *f, char *d)
{
	char a[2][AGE_MAX];

	for (int i = 0; i < 2; i++)
		age(f->port[i].heard_s, a[i], sizeof(a[i]));
	/* who dials us is heard as a stranger until it is known */
	if (f->port[0].heard_s != WHY_NEVER || f->port[1].heard_s != WHY_NEVER ||
	    f->in.by == WHY_BY_NOBODY) {
		snprintf(d, WHY_DETAIL_MAX, "UDP %u: %s, UDP %u: %s",
			 f->port[0].number, a[0], f->port[1].number, a[1]);
	} else if (f->in.from[0] != '\0') {
		age(f->in.age_s, a[0], sizeof(a[0]));
		snprintf(d, WHY_DETAIL_MAX, "%s: %s", f->in.from, a[0]);
	}
	if (why_is_up(f))
		return WHY_OK;
	if (f->try_s == WHY_NEVER)
		return f->in.by != WHY_BY_NOBODY ? WHY_OK : WHY_NOT_REACHED;
	for (int i = 0; i < 2; i++)
		if (f->port[i].heard_s != WHY_NEVER &&
		    f->port[i].heard_s <= f->try_s)
			return WHY_OK;
	return f->out.by == WHY_BY_SILENCE ? WHY_FAILED : WHY_UNKNOWN;
}

static enum why_result
receive(const struct why_facts *f, char *d)
{
	char in[AGE_MAX], out[AGE_MAX];

	if (!why_is_up(f))
		return WHY_NOT_REACHED;
	age(f->in_s, in, sizeof(in));
	age(f->out_s, out, sizeof(out));
	snprintf(d, WHY_DETAIL_MAX, "in %llu (%s), out %llu (%s)",
		 (unsigned long long)f->rx_packets, in,
		 (unsigned long long)f->tx_packets, out);
	if (f->has_sample)
		snprintf(d + strlen(d), WHY_DETAIL_MAX - strlen(d),
			 "; in %u s: %llu, %llu", f->sample_s,
			 (unsigned long long)f->rx_now,
			 (unsigned long long)f->tx_now);
	return f->rx_packets > 0 ? WHY_OK : WHY_UNKNOWN;
}

static enum why_result
size(const struct why_facts *f, char *d)
{
	if (!why_is_up(f))
		return WHY_NOT_REACHED;
	if (f->inside == 0)
		return WHY_UNKNOWN;
	snprintf(d, WHY_DETAIL_MAX, "inside %u, path %u", f->inside,
		 f->path_mtu);
	return f->mtu <= f->inside ? WHY_OK : WHY_FAILED;
}

static enum why_result
name(const struct why_facts *f, char *d)
{
	str_copy(d, WHY_DETAIL_MAX, f->at);
	if (why_is_up(f) || f->n_addr > 0 || f->at[0] == '\0')
		return WHY_OK;
	return f->is_unresolved ? WHY_FAILED : WHY_UNKNOWN;
}

static enum why_result
route(const struct why_facts *f, char *d)
{
	str_copy(d, WHY_DETAIL_MAX, f->remote);
	if (why_is_up(f) || f->has_route)
		return WHY_OK;
	return f->n_addr > 0 ? WHY_FAILED : WHY_NOT_REACHED;
}

static enum why_result
behind(const struct why_facts *f, char *d)
{
	if (!why_is_up(f))
		return WHY_NOT_REACHED;
	if (strcmp(f->mode_now, "ether") != 0 || !f->has_port)
		return WHY_OK;
	snprintf(d, WHY_DETAIL_MAX, "MAC: %u", f->n_mac);
	return f->n_mac > 0 ? WHY_OK : WHY_UNKNOWN;
}

static enum why_result
local(const struct why_facts *f, char *d)
{
	if (!why_is_up(f))
		return WHY_NOT_REACHED;
	snprintf(d, WHY_DETAIL_MAX, "ARP: %llu / %llu",
		 (unsigned long long)f->arp_told,
		 (unsigned long long)f->arp_asked);
	return f->arp_told > 0 || f->tap_in > 0 ? WHY_OK : WHY_UNKNOWN;
}

enum why_result
why_check_of(const struct why_facts *f, enum why_check c,
	     char detail[WHY_DETAIL_MAX])
{
	bool is_up = why_is_up(f);

	detail[0] = '\0';
	switch (c) {
	case WHY_C_WANTED:
		return is_up || f->is_dialled || f->in.by != WHY_BY_NOBODY ?
		    WHY_OK : WHY_UNKNOWN;
	case WHY_C_NAME:
		return name(f, detail);
	case WHY_C_ROUTE:
		return route(f, detail);
	case WHY_C_ANSWER:
		return answer(f, detail);
	case WHY_C_PROPOSAL:
		return reached(f, WHY_AT_INIT);
	case WHY_C_IDENTITY:
	case WHY_C_PROOF:
		return reached(f, WHY_AT_AUTH);
	case WHY_C_TUNNEL:
		if (is_up)
			snprintf(detail, WHY_DETAIL_MAX, "%s, %s", f->mode_now,
				 f->encap);
		return reached(f, WHY_AT_CHILD);
	case WHY_C_ALIVE:
		return f->state == WHY_UP ? WHY_OK : is_up ? WHY_FAILED :
		    WHY_NOT_REACHED;
	case WHY_C_ALONE:
		return f->n_swap == 0 ? WHY_OK : WHY_UNKNOWN;
	case WHY_C_RECEIVE:
		return receive(f, detail);
	case WHY_C_INTACT:
		if (f->n_icv > 0 || f->n_replay > 0)
			snprintf(detail, WHY_DETAIL_MAX, "ICV %llu, replay %llu",
				 (unsigned long long)f->n_icv,
				 (unsigned long long)f->n_replay);
		return is_up ? WHY_OK : WHY_NOT_REACHED;
	case WHY_C_SIZE:
		return size(f, detail);
	case WHY_C_KEYS:
	case WHY_C_LOOP:
		return is_up ? WHY_OK : WHY_NOT_REACHED;
	case WHY_C_BEHIND:
		return behind(f, detail);
	case WHY_C_LOCAL:
		return local(f, detail);
	case WHY_CHECK_END:
		break;
	}
	return WHY_UNKNOWN;
}
