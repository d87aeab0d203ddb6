/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/apply.c - a configuration takes the place of another: what goes,
 * what stays, what comes.
 *
 * conf/diff.h decides what becomes of whom.  Places of realms and peers in the
 * engine stay; vpn_realm and vpn_peer say where they are in the configuration.
 */
#include "daemon/core/reload.h"
#include <stdlib.h>
#include <string.h>
#include "conf/diff.h"
#include "conf/role.h"
#include "daemon/base/clk.h"
#include "daemon/base/log.h"
#include "daemon/core/pool.h"
#include "daemon/core/realm.h"
#include "daemon/core/wire.h"

/* ---- what goes ----------------------------------------------------------- */

static void
peer_end(struct vpn *v, struct vpn_realm *r, uint32_t at, const char *why)
{
	uint32_t realm = (uint32_t)(r - v->realm);

	if (ike_peer_remove(v->ike, realm, at, why, clk_ms()) != 0)
		log_error("core", "realm %s: no peer at %u", r->conf->name, at);
	r->peer[at] = (struct vpn_peer){ 0 };
}

static void
realm_less(struct vpn *v, struct vpn_realm *r, const struct conf *next,
	   const struct conf_realm *now)
{
	for (uint32_t i = 0; i < r->n_peer; i++) {
		const struct conf_peer *p = r->peer[i].conf, *np;

		if (p == NULL)
			continue;
		np = conf_peer_near(now, p->name, p->index);
		if (np == NULL)
			peer_end(v, r, i, "removed from the configuration");
		else if (conf_peer_fate(r->conf, p, now, np) != CONF_LIVE)
			peer_end(v, r, i, "its configuration changed");
		else if (p->is_glob && conf_role_shifts(v->conf, next,
			 now, np))
			peer_end(v, r, i, "some of whom it admits belong "
				 "elsewhere now");
	}
}

void
apply_less(struct vpn *v, const struct conf *now)
{
	for (unsigned i = 0; i < v->n_realm; i++) {
		struct vpn_realm *r = &v->realm[i];
		const struct conf_realm *nr;

		if (r->conf == NULL)
			continue;
		nr = conf_realm_find(now, r->conf->name);
		if (nr == NULL)
			realm_end(v, r, "removed from the configuration");
		else if (conf_realm_fate(r->conf, nr) == CONF_RENEWS)
			realm_end(v, r, "its configuration changed");
		else
			realm_less(v, r, now, nr);
	}
}

/* ---- what stays ---------------------------------------------------------- */

static bool
same_port(const struct conf_port *a, const struct conf_port *b)
{
	bool same_vlans = a->vlans == b->vlans || (a->vlans != NULL &&
	    b->vlans != NULL && strcmp(a->vlans, b->vlans) == 0);

	return same_vlans && a->isolate == b->isolate && a->guard == b->guard &&
	    a->macs == b->macs && a->macs_full == b->macs_full &&
	    a->untagged == b->untagged &&
	    memcmp(a->storm, b->storm, sizeof(a->storm)) == 0;
}

static void
peer_stays(struct vpn *v, struct vpn_realm *r, uint32_t at,
	   const struct conf_peer *now)
{
	bool is_same = same_port(&r->peer[at].conf->port, &now->port);
	uint32_t realm = (uint32_t)(r - v->realm);
	struct ike_peer_conf pc;

	r->peer[at].conf = now;
	realm_peer_params(v, r->conf, now, &pc);
	pc.index = at;
	if (ike_peer_set(v->ike, realm, &pc, clk_ms()) != 0)
		log_error("core", "realm %s: peer %s stays as it was",
			  r->conf->name, now->name);
	if (!is_same)
		wire_hub_reload(v, realm, false, at);
}

/* ---- what comes ---------------------------------------------------------- */

static int
peer_comes(struct vpn *v, struct vpn_realm *r, const struct conf_peer *p)
{
	uint32_t realm = (uint32_t)(r - v->realm), at;
	struct ike_peer_conf pc;
	struct vpn_peer *more;
	int err;

	more = realloc(r->peer, (r->n_peer + 1) * sizeof(*more));
	if (more == NULL)
		return ERR_NOMEM;
	r->peer = more;
	realm_peer_params(v, r->conf, p, &pc);
	if ((err = ike_peer_add(v->ike, realm, &pc, &at, clk_ms())) != 0)
		return err;
	if (at >= r->n_peer)
		r->n_peer = at + 1;	/* the engine has no gaps: one more */
	r->peer[at] = (struct vpn_peer){ .conf = p };
	return 0;
}

static void
realm_more(struct vpn *v, struct vpn_realm *r, const struct conf_realm *now)
{
	bool is_same = same_port(&r->conf->port, &now->port);
	uint32_t realm = (uint32_t)(r - v->realm);
	bool *placed = calloc(now->n_peer + 1, sizeof(*placed));
	const struct conf_peer *p, *was;
	struct ike_realm_conf rc;
	int err;

	realm_params(now, &rc);
	rc.index = realm;
	if (ike_realm_set(v->ike, &rc) != 0)
		log_error("core", "realm %s stays as it was", now->name);
	r->conf = now;
	if (pools_realm(v->pools, now) != 0)
		log_error("core", "realm %s: its pool stays as it was",
			  now->name);
	for (uint32_t i = 0; i < r->n_peer; i++) {
		if ((was = r->peer[i].conf) == NULL)
			continue;
		p = conf_peer_near(now, was->name, was->index);
		if (p == NULL)
			continue;
		peer_stays(v, r, i, p);
		if (placed != NULL)
			placed[p->index] = true;
	}
	if (placed == NULL)
		log_error("core", "realm %s: out of memory, new peers are left "
			  "out", now->name);
	for (unsigned i = 0; placed != NULL && i < now->n_peer; i++) {
		if (placed[i])
			continue;
		if ((err = peer_comes(v, r, &now->peer[i])) != 0)
			log_error("core", "realm %s: peer %s is left out: %s",
				  now->name, now->peer[i].name, err_text(err));
	}
	free(placed);
	if (!is_same)
		wire_hub_reload(v, realm, true, 0);
}

static bool
is_running(const struct vpn *v, const struct conf_realm *cr)
{
	for (unsigned i = 0; i < v->n_realm; i++)
		if (v->realm[i].conf == cr)
			return true;
	return false;
}

unsigned
apply_realms(struct vpn *v)
{
	unsigned n_bad = 0;

	for (unsigned i = 0; i < v->conf->n_realm; i++)
		if (!is_running(v, &v->conf->realm[i]))
			n_bad += realm_begin(v, &v->conf->realm[i]) != 0;
	return n_bad;
}

void
apply_more(struct vpn *v, struct conf *now)
{
	struct conf *old = (struct conf *)(uintptr_t)v->conf;
	struct ike_conf limits = { 0 };

	for (unsigned i = 0; i < v->n_realm; i++) {
		struct vpn_realm *r = &v->realm[i];
		const struct conf_realm *nr = NULL;

		if (r->conf != NULL)
			nr = conf_realm_find(now, r->conf->name);
		if (nr != NULL)
			realm_more(v, r, nr);
	}
	realm_limits(now, &limits);
	ike_limits_set(v->ike, &limits);
	ike_words_new(v->ike, clk_ms());
	v->conf = now;
	conf_free(old);
}
