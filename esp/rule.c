/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/rule.c - the rules that spread work over workers.
 *
 * Hashes are not keyed: who can choose inner addresses is an authenticated
 * peer or our own network, and all it can reach is an uneven load.
 */
#include "esp/rule.h"
#include <string.h>
#include "daemon/base/cur.h"

#define ETHER_ADDR_LEN	6
#define IP4_DST		16
#define IP6_DST		24

/* FNV-1a, then the finisher of MurmurHash3 for the low bits. */
static uint32_t
hash(struct view v)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < v.len; i++)
		h = (h ^ v.p[i]) * 16777619u;
	h = (h ^ h >> 16) * 0x85ebca6bu;
	return h ^ h >> 13;
}

static uint32_t
hash_u32(uint32_t x)
{
	uint8_t b[4];

	be32_put(b, x);
	return hash((struct view){ b, sizeof(b) });
}

/* A peer with a single SA may have a window of 32 packets, out of which several
 * sealers would push each other's: one seals for it (RFC 9611 1). */
static uint32_t
by_queue(const struct esp_task *t)
{
	return t->n_lane > 1 || t->esp_spi == 0 ? t->self : hash_u32(t->link);
}

static uint32_t
by_destination(const struct esp_task *t)
{
	struct view dst = { NULL, 0 };
	struct cur c;
	size_t skip = 0, n = ETHER_ADDR_LEN;

	if (t->frame.len == 0)
		return t->self;
	if (!t->is_ether) {
		skip = t->frame.p[0] >> 4 == 6 ? IP6_DST : IP4_DST;
		n = t->frame.p[0] >> 4 == 6 ? 16 : 4;
	}
	cur_init(&c, t->frame.p, t->frame.len);
	if (cur_skip(&c, skip) != 0 || cur_view(&c, n, &dst) != 0)
		return t->self;
	return hash(dst);
}

static uint32_t
by_spi(const struct esp_task *t)
{
	/* lanes in turn, so that no two share a worker while one is idle */
	if (t->has_lane)
		return hash_u32(t->link) + t->lane;
	return hash_u32(t->esp_spi);
}

static uint32_t
by_peer(const struct esp_task *t)
{
	return hash_u32(t->link);
}

static uint32_t
by_realm(const struct esp_task *t)
{
	return t->realm;
}

static uint32_t
in_turn(const struct esp_task *t)
{
	return t->order;
}

static const struct esp_rule rules[] = {
	{ "queue", by_queue, in_turn, true },
	{ "destination", by_destination, in_turn, true },
	{ "spi", by_spi, in_turn, true },
	{ "peer", by_peer, by_peer, false },
	{ "realm", by_realm, by_realm, false },
	{ "round-robin", in_turn, in_turn, true },
};

const struct esp_rule *
esp_rule_at(unsigned i)
{
	return i < N_OF(rules) ? &rules[i] : NULL;
}

const struct esp_rule *
esp_rule_find(const char *name)
{
	if (name == NULL)
		name = ESP_RULE_DEFAULT;
	for (size_t i = 0; i < N_OF(rules); i++)
		if (strcmp(rules[i].name, name) == 0)
			return &rules[i];
	return NULL;
}
