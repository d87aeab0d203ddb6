/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/set.c - the command "set": what the hosts of a scenario are like.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/str.h"
#include "test/sim/play.h"

static int
word_index(const char *word, const char *const *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(word, list[i]) == 0)
			return (int)i;
	return -1;
}

static bool
set_ts(struct vpn_ts *ts, unsigned *n, const char *text)
{
	struct ip_net net;

	if (*n == VPN_TS_MAX || ip_net_parse(text, &net) != 0)
		return false;
	ts[(*n)++] = vpn_ts_from_net(&net);
	return true;
}

/* kem 768 / 1024 / no: more than one may be set */
static bool
set_kem(struct sim_host *h, const char *val)
{
	static const struct {
		const char *word;
		enum spi_group group;
	} row[] = {
		{ "512", SPI_GROUP_ML_KEM_512 },
		{ "768", SPI_GROUP_ML_KEM_768 },
		{ "1024", SPI_GROUP_ML_KEM_1024 },
	};

	for (unsigned i = 0; i < N_OF(row); i++)
		if (strcmp(val, row[i].word) == 0) {
			h->conf.kems |= IKE_KEM_BIT(row[i].group);
			return true;
		}
	h->conf.kems = 0;
	return strcmp(val, "no") == 0;
}

static bool
set_one(struct sim_host *h, const char *key, const char *val)
{
	static const char *const modes[] = { "auto", "ether", "ip",
		"gre" };
	static const char *const encaps[] = { "auto", "udp", "esp" };
	static const char *const suites[] = { "2026", "compat" };
	unsigned v = (unsigned)strtoul(val, NULL, 0);
	struct ike_realm_conf *r = &h->realm;
	bool yes = strcmp(val, "yes") == 0, is_ok;

	if (sim_pool_set(h, key, val, &is_ok))
		return is_ok;
	if (sim_eap_set(h, key, val))
		return true;
	if (strcmp(key, "mode") == 0)
		h->peer.mode = (enum vpn_mode)word_index(val, modes, 4);
	else if (strcmp(key, "encap") == 0)
		h->peer.encap = (enum vpn_encap)word_index(val, encaps, 3);
	else if (strcmp(key, "suite") == 0)
		r->suite = (enum vpn_suite)word_index(val, suites, 2);
	else if (strcmp(key, "dial") == 0)
		h->peer.is_dial = yes;
	else if (strcmp(key, "raw-esp") == 0)
		h->conf.can_raw_esp = yes;
	else if (strcmp(key, "id") == 0)
		str_copy(h->id, sizeof(h->id), val);
	else if (strcmp(key, "ppk") == 0) {
		str_copy(h->ppk, sizeof(h->ppk), val);
		h->peer.has_ppk = true;
		str_copy(h->peer.ppk, sizeof(h->peer.ppk), "ppk");
	} else if (strcmp(key, "ppk-of") == 0)
		str_copy(h->peer.ppk, sizeof(h->peer.ppk), val);
	else if (strcmp(key, "ppk-busy") == 0)
		h->n_ppk_busy = v;
	else if (strcmp(key, "ppk-int") == 0)
		h->conf.has_ppk_int = yes;
	else if (strcmp(key, "psk") == 0)
		str_copy(h->psk, sizeof(h->psk), val);
	else if (strcmp(key, "peer-id") == 0) {
		str_copy(h->peer.id, sizeof(h->peer.id), val);
		h->peer.is_pattern = strchr(val, '*') != NULL;
		h->peer.has_at = h->peer.has_at && !h->peer.is_pattern;
	} else if (strcmp(key, "trusting") == 0)
		h->is_trusting = yes;
	else if (strcmp(key, "group-first") == 0)
		h->first_group = SPI_GROUP_MODP_2048;
	else if (strcmp(key, "dpd") == 0)
		r->dpd_s = v;
	else if (strcmp(key, "reauth") == 0)
		r->is_reauth = yes;
	else if (strcmp(key, "redirect") == 0)
		h->peer.may_redirect = yes;
	else if (strcmp(key, "mobike") == 0)
		r->is_mobike = yes;
	else if (strcmp(key, "ticket-key") == 0)
		h->ticket_key = (uint8_t)v;
	else if (strcmp(key, "resume") == 0)
		r->is_resume = yes;
	else if (strcmp(key, "childless") == 0)
		r->is_childless = yes;
	else if (strcmp(key, "lanes") == 0) {
		h->peer.n_lane = v;
		h->peer.may_share = v > 0;
	} else if (strcmp(key, "may-share") == 0)
		h->peer.may_share = yes;
	else if (strcmp(key, "dead") == 0)
		r->dead_s = v;
	else if (strcmp(key, "child-life") == 0)
		r->child_life_s = v;
	else if (strcmp(key, "ike-life") == 0)
		r->ike_life_s = v;
	else if (strcmp(key, "cookie-threshold") == 0)
		h->conf.cookie_threshold = v;
	else if (strcmp(key, "qcd") == 0)
		h->conf.has_qcd = yes;
	else if (strcmp(key, "puzzle-threshold") == 0)
		h->conf.puzzle_threshold = v;
	else if (strcmp(key, "puzzle-bits") == 0)
		h->conf.puzzle_bits = (uint8_t)v;
	else if (strcmp(key, "auth-puzzle") == 0)
		h->adds_puzzle = yes;
	else if (strcmp(key, "wrong-solutions") == 0)
		h->spoils_ps = yes;
	else if (strcmp(key, "half-open-max") == 0)
		h->conf.max_halfopen = v;
	else if (strcmp(key, "kem") == 0)
		return set_kem(h, val);
	else if (strcmp(key, "fragment") == 0)
		h->conf.frag_bytes = (uint16_t)v;
	else if (strcmp(key, "auth-bytes") == 0)
		h->auth_bytes = MIN(v, (unsigned)IKE_AUTH_DATA_MAX);
	else if (strcmp(key, "also-notify") == 0)
		h->also_notify = (uint16_t)v;
	else if (strcmp(key, "odd-id") == 0)
		h->is_id_odd = yes;
	else if (strcmp(key, "local") == 0)
		return set_ts(r->ts_local, &r->n_ts_local, val);
	else if (strcmp(key, "remote") == 0)
		return set_ts(r->ts_remote, &r->n_ts_remote, val);
	else if (strcmp(key, "peer-local") == 0)
		return set_ts(h->peer.ts_local, &h->peer.n_ts_local, val);
	else if (strcmp(key, "peer-remote") == 0)
		return set_ts(h->peer.ts_remote, &h->peer.n_ts_remote, val);
	else
		return sim_cert_set(h, key, val);
	return true;
}

bool
play_set(struct play *p)
{
	bool both = strcmp(p->arg[1], "both") == 0;

	if (p->n_arg < 4 ||
	    !set_one(both ? &p->w.a : play_host(p, 1), p->arg[2], p->arg[3]) ||
	    (both && !set_one(&p->w.b, p->arg[2], p->arg[3])))
		return play_fail(p, "cannot set that");
	return true;
}
