/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/world.c - two engines, a net between them, a virtual clock.
 */
#include "test/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/secret.h"
#include "daemon/base/str.h"

static unsigned
pick(struct sim_world *w, unsigned lo, unsigned hi)
{
	return lo + (unsigned)(rng_det_u64(&w->rng) % (hi - lo + 1));
}

static bool
chance(struct sim_world *w, unsigned per_cent)
{
	return per_cent > 0 && pick(w, 0, 99) < per_cent;
}

/* ---- events -------------------------------------------------------------- */

static void
event_free(struct sim_event *e)
{
	free(e->p);
	free(e->cert);
	free(e->certreq);
	free(e);
}

static void
event_put(struct sim_world *w, struct sim_event *e, uint64_t in_ms)
{
	if (w->n_ev == SIM_PKT_MAX)
		abort();
	e->at_ms = w->now_ms + in_ms;
	e->order = ++w->order;
	w->ev[w->n_ev++] = e;
}

static struct sim_event *
event_first(struct sim_world *w, unsigned *at)
{
	struct sim_event *best = NULL;

	for (unsigned i = 0; i < w->n_ev; i++)
		if (best == NULL || w->ev[i]->at_ms < best->at_ms ||
		    (w->ev[i]->at_ms == best->at_ms &&
		     w->ev[i]->order < best->order)) {
			best = w->ev[i];
			*at = i;
		}
	return best;
}

static struct sim_event *
dgram(struct sim_host *to_host, const struct net_ep *from,
      const struct net_ep *to, bool natt, const void *p, size_t len)
{
	struct sim_event *e = sim_alloc(sizeof(*e));

	e->p = sim_alloc(len + 1);
	memcpy(e->p, p, len);
	e->len = len;
	e->what = SIM_DGRAM;
	e->host = to_host;
	e->from = *from;
	e->to = *to;
	e->is_natt = natt;
	return e;
}

void
sim_inject(struct sim_host *h, const struct net_ep *from,
	   const struct net_ep *to, bool natt, const void *p, size_t len)
{
	event_put(h->w, dgram(h, from, to, natt, p, len), 0);
}

/* ---- the net ------------------------------------------------------------- */

static void
forge_error(struct sim_host *h, const uint8_t *p, size_t len)
{
	uint8_t msg[36];

	if (len < 28 || p[18] != IKE_XCHG_IKE_SA_INIT || (p[19] & 0x20) != 0)
		return;
	memcpy(msg, p, 28);
	msg[16] = IKE_PL_N;
	msg[19] = 0x20;
	be32_put(msg + 24, sizeof(msg));
	memset(msg + 28, 0, 8);
	be16_put(msg + 30, 8);
	be16_put(msg + 34, h->w->forge_type);
	sim_inject(h, &h->other->ep, &h->ep, false, msg, sizeof(msg));
}

/* Somebody on the way makes 3DES of every cipher offered. */
static void
mangle(uint8_t *p, size_t len)
{
	for (size_t i = 28; i + 6 <= len && p[18] == IKE_XCHG_IKE_SA_INIT; i++)
		if (p[i] == 0 && (p[i + 1] == 8 || p[i + 1] == 12) &&
		    p[i + 2] == IKE_TRT_ENCR && p[i + 3] == 0 && p[i + 4] == 0)
			p[i + 5] = IKE_ENCR_3DES;
}

/* The solution of a puzzle, behind the cookie: the same key twice is none. */
static void
spoil_ps(uint8_t *p, size_t len)
{
	uint8_t *key = p + 28 + be16_get(p + 30) + 4;

	if (len > 100 && p[18] == IKE_XCHG_IKE_SA_INIT &&
	    p[16] == IKE_PL_N && p[28] == IKE_PL_PS)
		memcpy(key, key + 4, 4);
}

static void
put_on_wire(struct sim_host *h, const struct net_ep *from,
	    const struct net_ep *to, bool natt, struct view data)
{
	struct sim_world *w = h->w;
	struct sim_event *e = dgram(h->other, from, to, natt, data.p, data.len);
	unsigned delay = pick(w, w->delay_lo, w->delay_hi);

	if (w->n_rec < SIM_PKT_MAX)
		w->rec[w->n_rec++] = dgram(h->other, from, to, natt, data.p,
					   data.len);
	if (w->is_mangled)
		mangle(e->p, e->len);
	if (h->spoils_ps)
		spoil_ps(e->p, e->len);
	if (h->adds_puzzle && (e->p = realloc(e->p, e->len + 64)) != NULL)
		e->len = sim_puzzle_add(e->p, e->len, e->len + 64);
	sim_puzzle_see(h, data);
	if (chance(w, w->flip))
		e->p[pick(w, 0, (unsigned)e->len - 1)] ^=
		    (uint8_t)(1u << pick(w, 0, 7));
	if (chance(w, w->reorder))
		delay += pick(w, 1, 3 * w->delay_hi + 20);
	if (chance(w, w->dup))
		event_put(w, dgram(h->other, from, to, natt, data.p, data.len),
			  pick(w, w->delay_lo, w->delay_hi + 30));
	if (chance(w, w->loss)) {
		if (w->is_verbose)
			printf("  %8llu ms   lost\n",
			       (unsigned long long)w->now_ms);
		event_free(e);
		return;
	}
	event_put(w, e, delay);
}

void
sim_send(struct sim_host *h, const struct net_ep *local,
	 const struct net_ep *remote, bool natt, struct view data)
{
	unsigned mtu;
	struct net_ep from = *local, to = *remote;

	if (h->w->is_verbose)
		printf("  %8llu ms %s -> %s%s xchg %u %s id %u len %zu\n",
		       (unsigned long long)h->w->now_ms, h->name,
		       h->other->name, natt ? " natt" : "", data.p[18],
		       (data.p[19] & 0x20) != 0 ? "rsp" : "req",
		       be32_get(data.p + 20), data.len);
	h->w->n_sent++;
	h->w->n_clear_token += sim_has_token(data.p, data.len);
	h->n_frag += data.p[16] == IKE_PL_SKF;
	if (h->w->forge_init_error)
		forge_error(h, data.p, data.len);
	if (h->is_reflected)
		sim_inject(h, remote, local, natt, data.p, data.len);
	if (h->is_cut || (h->has_cut && h->n_cut == 0))
		return;
	if (h->has_cut)
		h->n_cut--;
	if (!sim_reaches(h, &local->ip, &remote->ip))
		return;
	if (h->is_natted) {		/* leaves with the NAT's address */
		from.ip.b[3] = 99;
		from.port = (uint16_t)(from.port + h->nat_shift);
	}
	if (h->other->is_natted) {	/* arrives through its NAT's mapping */
		if (to.ip.b[3] != 99)
			return;		/* nobody reaches the inside directly */
		to.ip = h->other->ep.ip;
		to.port = (uint16_t)(to.port - h->other->nat_shift);
		if (to.port != 500 && to.port != 4500)
			return;		/* the mapping is gone */
	} else if (!sim_is_at(h->other, &to.ip)) {
		h->w->n_stray += data.len;
		return;
	}
	if (natt != (to.port == 4500) || (!natt && h->w->is_500_shut))
		return;
	mtu = h->w->mtu_a > 0 && strcmp(h->name, "a") == 0 ? h->w->mtu_a :
	    h->w->mtu;
	if (mtu > 0 && data.len + 28 + (natt ? 4 : 0) > mtu)
		return;
	put_on_wire(h, &from, &to, natt, data);
}

static void
op_send(void *ctx, const struct net_ep *local, const struct net_ep *remote,
	bool natt, struct view data)
{
	sim_send(ctx, local, remote, natt, data);
}

static int
op_send_whole(void *ctx, const struct net_ep *local,
	      const struct net_ep *remote, bool natt, struct view data)
{
	struct sim_host *h = ctx;

	h->n_probe++;
	if (data.len + 28 + (natt ? 4 : 0) > h->w->link)
		return ERR_LONG;
	sim_send(h, local, remote, natt, data);
	return 0;
}

static uint32_t
op_path_mtu(void *ctx, const struct ip_addr *remote UNUSED)
{
	struct sim_host *h = ctx;

	return h->w->link;
}

static void
op_gate(void *ctx, enum ike_gate_level level, bool is_many)
{
	struct sim_host *h = ctx;

	(void)is_many;
	h->level = level;
}

void
sim_data_put(struct sim_host *h, uint32_t esp_spi)
{
	struct sim_world *w = h->w;
	struct sim_event *e = sim_alloc(sizeof(*e));
	unsigned delay = pick(w, w->delay_lo, w->delay_hi);

	if (chance(w, w->reorder))
		delay += pick(w, 1, 3 * w->delay_hi + 20);
	e->what = SIM_ESP;
	e->host = h;
	e->esp_spi = esp_spi;
	event_put(w, e, delay);
}

/* ---- the other ops ------------------------------------------------------- */

static void
op_keepalive(void *ctx, const struct net_ep *local, const struct net_ep *remote)
{
	struct sim_host *h = ctx;

	if (local->port == 4500 && remote->port >= 4500)
		h->n_keepalive++;
}

static struct ip_addr
op_local(void *ctx, const struct ip_addr *remote)
{
	return sim_addr_for(ctx, remote);
}

static void
op_job(void *ctx, struct ike_job *job)
{
	struct sim_host *h = ctx;
	struct sim_event *e = sim_alloc(sizeof(*e));

	e->what = SIM_JOB;
	e->host = h;
	e->life = h->life;
	e->job = job;
	event_put(h->w, e, job->is_slow ? h->w->slow_ms : h->w->job_ms);
}

static int
op_spi_alloc(void *ctx, uint32_t realm, uint32_t link, uint32_t like,
	     uint32_t *spi)
{
	struct sim_host *h = ctx;

	(void)realm;
	(void)link;
	(void)like;
	h->last_spi += 0x100;
	*spi = h->last_spi | (h->name[0] == 'a' ? 0xa0000000 : 0xb0000000);
	h->n_spi++;
	return 0;
}

static void
op_spi_free(void *ctx, uint32_t spi)
{
	(void)spi;
	((struct sim_host *)ctx)->n_spi--;
}

static void
trace_child(const struct sim_host *h, const struct sim_child *c,
	    const char *what)
{
	if (h->w->is_verbose)
		printf("  %8llu ms %s child %u %s, in %08x out %08x\n",
		       (unsigned long long)h->w->now_ms, h->name, c->desc.id,
		       what, c->desc.esp_spi_in, c->desc.esp_spi_out);
}

static int
op_child_up(void *ctx, uint32_t link, const struct vpn_child *v)
{
	struct sim_host *h = ctx;

	(void)link;
	for (unsigned i = 0; i < SIM_CHILD_MAX; i++) {
		struct sim_child *c = &h->child[i];

		if (c->is_up)
			continue;
		*c = (struct sim_child){ .is_up = true, .up_ms = h->w->now_ms };
		c->desc = *v;
		c->in = *v->keys_in;
		c->out = *v->keys_out;
		h->n_child_up++;
		h->n_child_made++;
		trace_child(h, c, "up");
		return 0;
	}
	return ERR_FULL;
}

static void
op_child_retire(void *ctx, uint32_t id)
{
	struct sim_host *h = ctx;

	for (unsigned i = 0; i < SIM_CHILD_MAX; i++)
		if (h->child[i].is_up && h->child[i].desc.id == id) {
			h->child[i].is_retired = true;
			trace_child(h, &h->child[i], "replaced");
		}
}

static void
op_child_down(void *ctx, uint32_t link, uint32_t id)
{
	struct sim_host *h = ctx;

	(void)link;
	for (unsigned i = 0; i < SIM_CHILD_MAX; i++)
		if (h->child[i].is_up && h->child[i].desc.id == id) {
			h->child[i].is_up = false;
			h->n_child_up--;
			trace_child(h, &h->child[i], "down");
			return;
		}
	abort();	/* down without up */
}

static void
op_child_path(void *ctx, uint32_t id, const struct vpn_path *path)
{
	struct sim_host *h = ctx;

	for (unsigned i = 0; i < SIM_CHILD_MAX; i++)
		if (h->child[i].is_up && h->child[i].desc.id == id)
			h->child[i].desc.path = *path;
}

static void
op_traffic(void *ctx, uint32_t id, uint64_t *in_ms, uint64_t *out_ms)
{
	struct sim_host *h = ctx;

	(void)id;
	if (h->w->is_esp_flowing) {
		h->esp_out_ms = h->w->now_ms;
		if (h->other->ike != NULL && !h->other->is_cut &&
		    sim_data_reaches(h->other))
			h->esp_in_ms = h->w->now_ms;
	}
	*in_ms = h->esp_in_ms;
	*out_ms = h->esp_out_ms;
}

static void
op_resolve(void *ctx, uint32_t realm, uint32_t peer)
{
	(void)ctx;
	(void)realm;
	(void)peer;
}

/* There is one name in this world. */
static void
op_resolve_gateway(void *ctx, uint32_t realm, uint32_t peer, const char *name)
{
	struct sim_host *h = ctx;
	struct sim_event *e = sim_alloc(sizeof(*e));

	(void)realm;
	(void)peer;
	h->n_named++;
	e->what = SIM_NAME;
	e->host = h;
	e->life = h->life;
	if (strcmp(name, "gw2.example.com") == 0)
		e->to.ip = h->w->gw2;
	event_put(h->w, e, 20);
}

static void
op_event(void *ctx, uint32_t link, int what, const char *why)
{
	struct sim_host *h = ctx;
	static const char *const name[] = { "connecting", "up", "suspect",
	    "down", "rekeyed", "auth-failed", "gone", "alive", "moved",
	    "roamed", "sent", "expelled", "asks" };

	h->n_event[what]++;
	if (h->w->is_verbose)
		printf("  %8llu ms %s link %u %s %s\n",
		       (unsigned long long)h->w->now_ms, h->name, link,
		       name[what], why);
}

static void
op_refused(void *ctx, const struct net_ep *remote, const char *id,
	   const char *why)
{
	struct sim_host *h = ctx;

	(void)remote;
	h->n_refused++;
	str_copy(h->refused_why, sizeof(h->refused_why), why);
	if (h->w->is_verbose)
		printf("  %8llu ms %s refuses %s: %s\n",
		       (unsigned long long)h->w->now_ms, h->name, id, why);
}

/* ---- hosts --------------------------------------------------------------- */

void
sim_host_start(struct sim_host *h)
{
	struct ike_ops ops = {
		.ctx = h, .send = op_send, .gate = op_gate,
		.send_whole = h->w->link != 0 ? op_send_whole : NULL,
		.path_mtu = op_path_mtu,
		.keepalive = op_keepalive, .local_addr = op_local,
		.ask = sim_ask, .job = op_job, .spi_alloc = op_spi_alloc,
		.spi_free = op_spi_free, .child_up = op_child_up,
		.child_retire = op_child_retire,
		.child_down = op_child_down, .child_path = op_child_path,
		.traffic = op_traffic, .resolve = op_resolve,
		.resolve_gateway = op_resolve_gateway,
		.link_event = op_event, .auth_refused = op_refused,
		.lease = sim_lease, .configured = sim_configured
	};
	struct net_ep at = h->other->ep;

	h->level = IKE_GATE_OPEN;
	h->seat = (struct ike_gate_seat){ .has_keys = false };
	if (h->other->is_natted)
		at.ip.b[3] = 99;
	h->realm.n_peer = 1;
	h->realm.peer = &h->peer;
	if (ike_new(&h->ike, &h->conf, &ops, h->w->now_ms) != 0 ||
	    ike_realm_add(h->ike, &h->realm) != 0)
		abort();
	if (h->peer.has_at)
		ike_peer_at(h->ike, 0, 0, &at, 1);
	if (h->realm.is_mobike)
		sim_addrs_tell(h);
	if (h->wants_cert) {
		struct sim_list *l = sim_alloc(sizeof(*l));

		sim_cert_ask(h, l);
		if (ike_set_cert_asks(h->ike, (struct view){ l->b, l->len },
				      (struct view){ NULL, 0 }) != 0)
			abort();
		free(l);
	}
	LIST_FOREACH(it, &h->ike->links)
		CONTAINER_OF(it, struct ike_link, node)->group = h->first_group;
}

void
sim_host_kill(struct sim_host *h)
{
	ike_free(h->ike);
	h->ike = NULL;
	h->life++;
}

static void
host_init(struct sim_world *w, struct sim_host *h, struct sim_host *other,
	  const char *name, const char *ip, const char *id, const char *peer_id)
{
	h->w = w;
	h->other = other;
	str_copy(h->name, sizeof(h->name), name);
	if (net_ep_parse(ip, &h->ep) != 0)
		abort();
	h->ep.port = 500;
	h->addr[0] = h->ep.ip;
	h->n_addr = 1;
	h->conf = (struct ike_conf){ .port = 500, .natt_port = 4500,
		.cookie_threshold = 100, .max_halfopen = 1000,
		.can_raw_esp = true, .frag_bytes = 1280, .has_qcd = true,
		.has_ppk_int = true };
	str_copy(h->realm.name, sizeof(h->realm.name), "branches");
	h->realm.dpd_s = 10;
	h->realm.child_life_s = 3600;
	h->realm.ike_life_s = 14400;
	str_copy(h->peer.name, sizeof(h->peer.name), peer_id);
	str_copy(h->peer.id, sizeof(h->peer.id), peer_id);
	h->peer.has_at = true;
	str_copy(h->id, sizeof(h->id), id);
	str_copy(h->expect_id, sizeof(h->expect_id), peer_id);
	str_copy(h->psk, sizeof(h->psk), "correct horse");
	str_copy(h->cert_ca, sizeof(h->cert_ca), "judge");
	h->cert_enc = IKE_CERT_X509_SIGNATURE;
	h->cert_bytes = 700;
	h->n_cert = h->n_ca = 1;
	h->nat_shift = 10000;
}

void
sim_world_init(struct sim_world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	rng_det_init(&w->rng, seed);
	rng_det_init(&w->crypto, seed + 1);
	rng_set_source(rng_det_source, &w->crypto);
	w->now_ms = 1000000;
	w->job_ms = 1;
	w->slow_ms = 800;
	w->door_ms = 2;
	w->delay_lo = 5;
	w->delay_hi = 15;
	host_init(w, &w->a, &w->b, "a", "192.0.2.1", "tokyo", "osaka");
	host_init(w, &w->b, &w->a, "b", "198.51.100.2", "osaka", "tokyo");
	w->a.peer.is_dial = true;
}

static bool
host_fini(struct sim_host *h)
{
	if (h->ike != NULL)
		sim_host_kill(h);
	if (h->n_child_up == 0 && h->n_spi == 0)
		return true;
	printf("  leak: %s has %u child SAs, %u SPIs left\n", h->name,
	       h->n_child_up, h->n_spi);
	return false;
}

bool
sim_world_fini(struct sim_world *w)
{
	bool ok = host_fini(&w->a);

	ok &= host_fini(&w->b);
	for (unsigned i = 0; i < w->n_ev; i++)
		event_free(w->ev[i]);
	for (unsigned i = 0; i < w->n_rec; i++)
		event_free(w->rec[i]);
	sim_alloc_watch(NULL, 0);
	rng_set_source(NULL, NULL);
	if (secret_used() != 0) {
		printf("  leak: %zu bytes of secrets\n", secret_used());
		ok = false;
	}
	return ok;
}

/* ---- time ---------------------------------------------------------------- */

static void
happen(struct sim_world *w, struct sim_event *e)
{
	struct sim_host *h = e->host;

	if (h->is_asleep && (e->what == SIM_ASK || e->what == SIM_JOB)) {
		event_put(w, e, 100);
		return;
	}
	if (h->is_asleep) {		/* nobody hears it */
		event_free(e);
		return;
	}
	if (e->what == SIM_DGRAM && h->ike != NULL && sim_door_takes(h, e)) {
		e->what = SIM_DOOR;
		event_put(w, e, w->door_ms);
		return;
	}
	(void)sim_alloc_runs(h);
	switch (e->what) {
	case SIM_DGRAM:
		if (h->ike != NULL)
			ike_input(h->ike, &e->to, &e->from, e->is_natt,
				  (struct view){ e->p, e->len }, w->now_ms);
		break;
	case SIM_ASK:
		if (h->ike != NULL && e->life == h->life)
			ike_answer(h->ike, &e->ans, w->now_ms);
		break;
	case SIM_JOB:
		if (h->ike != NULL && e->life == h->life) {
			(void)sim_alloc_runs(NULL);	/* another thread */
			e->job->run(e->job);
			(void)sim_alloc_runs(h);
			ike_job_done(h->ike, e->job, w->now_ms);
		}
		break;
	case SIM_NAME:
		if (h->ike != NULL && e->life == h->life)
			ike_gateway_at(h->ike, 0, 0, &e->to.ip,
				       e->to.ip.family != 0, w->now_ms);
		break;
	case SIM_DOOR:
		(void)sim_alloc_runs(NULL);	/* another thread */
		if (h->ike != NULL)
			sim_door_judge(h, e);
		break;
	case SIM_ESP:
		if (h->ike != NULL)
			sim_data_arrive(h, e->esp_spi);
		break;
	}
	(void)sim_alloc_runs(NULL);
	event_free(e);
}

static uint64_t
next_of(const struct sim_host *h)
{
	return h->ike != NULL && !h->is_asleep ? ike_next(h->ike) : UINT64_MAX;
}

static void
tick(struct sim_host *h)
{
	if (h->ike == NULL || h->is_asleep)
		return;
	(void)sim_alloc_runs(h);
	ike_tick(h->ike, h->w->now_ms);
	(void)sim_alloc_runs(NULL);
}

void
sim_run(struct sim_world *w, uint64_t ms)
{
	uint64_t end = w->now_ms + ms;

	for (;;) {
		unsigned at = 0;
		uint64_t data_ms = w->data_ms != 0 ? w->data_next_ms :
		    UINT64_MAX;
		struct sim_event *e = event_first(w, &at);
		uint64_t t = MIN(next_of(&w->a), next_of(&w->b));

		if (data_ms <= end && data_ms <= t &&
		    (e == NULL || data_ms <= e->at_ms)) {
			w->now_ms = MAX(w->now_ms, data_ms);
			w->data_next_ms = w->now_ms + w->data_ms;
			sim_data_send(w);
			continue;
		}
		if (e != NULL && e->at_ms <= t && e->at_ms <= end) {
			w->now_ms = MAX(w->now_ms, e->at_ms);
			w->ev[at] = w->ev[--w->n_ev];
			happen(w, e);
			continue;
		}
		if (t > end)
			break;
		w->now_ms = MAX(w->now_ms, t);
		tick(&w->a);
		tick(&w->b);
	}
	w->now_ms = end;
}

void
sim_replay(struct sim_world *w)
{
	unsigned n = w->n_rec;

	for (unsigned i = 0; i < n; i++) {
		struct sim_event *r = w->rec[i];

		sim_inject(r->host, &r->from, &r->to, r->is_natt, r->p, r->len);
		sim_run(w, 2);
	}
}

/* ---- judging ------------------------------------------------------------- */

bool
sim_link(struct sim_host *h, struct ike_link_info *out)
{
	uint32_t it = 0;

	return h->ike != NULL && ike_link_next(h->ike, &it, out);
}

/* The newest child SA of from must be known to to, with the same key. */
static bool
one_way(struct sim_host *from, struct sim_host *to)
{
	const struct sim_child *best = NULL;

	for (unsigned i = 0; i < SIM_CHILD_MAX; i++)
		if (from->child[i].is_up && (best == NULL ||
		    from->child[i].desc.id > best->desc.id))
			best = &from->child[i];
	if (best == NULL)
		return false;
	for (unsigned i = 0; i < SIM_CHILD_MAX; i++) {
		const struct sim_child *c = &to->child[i];

		if (c->is_up && c->desc.esp_spi_in == best->desc.esp_spi_out)
			return memcmp(&c->in, &best->out, sizeof(c->in)) == 0 &&
			    c->desc.alg == best->desc.alg &&
			    c->desc.mode == best->desc.mode &&
			    c->desc.is_esn == best->desc.is_esn &&
			    c->desc.path.encap == best->desc.path.encap;
	}
	return false;
}

/* Every child of from has its other half, with the same keys. */
static bool
halves(const struct sim_host *from, const struct sim_host *to)
{
	for (unsigned i = 0; i < SIM_CHILD_MAX; i++) {
		const struct sim_child *c = &from->child[i], *o = NULL;

		for (unsigned k = 0; k < SIM_CHILD_MAX && c->is_up; k++)
			if (to->child[k].is_up && c->desc.esp_spi_out ==
			    to->child[k].desc.esp_spi_in)
				o = &to->child[k];
		if (c->is_up && (o == NULL ||
		    o->desc.esp_spi_out != c->desc.esp_spi_in ||
		    memcmp(&c->out, &o->in, sizeof(o->in)) != 0 ||
		    memcmp(&c->in, &o->out, sizeof(o->in)) != 0)) {
			printf("  child SA %08x of %s, made at %llu ms\n",
			       c->desc.esp_spi_in, from->name,
			       (unsigned long long)c->up_ms);
			return false;
		}
	}
	return true;
}

bool
sim_pairs_agree(struct sim_world *w)
{
	return halves(&w->a, &w->b) && halves(&w->b, &w->a);
}

bool
sim_keys_agree(struct sim_world *w)
{
	return one_way(&w->a, &w->b) && one_way(&w->b, &w->a);
}
