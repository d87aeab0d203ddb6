/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/move.c - hosts with several addresses, that come, go and die.
 *
 *   addr a 192.0.2.9      it is there now, and nowhere else; the engine is told
 *   addr a + 192.0.2.9    one more, which the kernel likes less
 *   addr a - 192.0.2.1    one less
 *   dead a 192.0.2.1      nothing passes there any more, and nobody says so
 */
#include <string.h>

#include "test/sim/play.h"

static unsigned
index_of(const struct sim_host *h, const struct ip_addr *ip)
{
	unsigned i = 0;

	while (i < h->n_addr && !ip_equal(&h->addr[i], ip))
		i++;
	return i;
}

bool
sim_is_at(const struct sim_host *h, const struct ip_addr *ip)
{
	return index_of(h, ip) < h->n_addr;
}

bool
sim_reaches(const struct sim_host *h, const struct ip_addr *from,
	    const struct ip_addr *to)
{
	unsigned i = index_of(h, from), k = index_of(h->other, to);

	if (i == h->n_addr || h->is_addr_dead[i])
		return false;
	return k == h->other->n_addr || !h->other->is_addr_dead[k];
}

struct ip_addr
sim_addr_for(const struct sim_host *h, const struct ip_addr *remote)
{
	for (unsigned i = 0; i < h->n_addr; i++)
		if (h->addr[i].family == remote->family)
			return h->addr[i];
	return (struct ip_addr){ .family = 0 };
}

void
sim_addrs_tell(struct sim_host *h)
{
	if (h->ike != NULL)
		ike_own_addrs(h->ike, h->addr, h->n_addr, h->n_addr,
			      h->w->now_ms);
}

/* ---- data ----------------------------------------------------------------- */

/* The pair that data leave on. */
static const struct sim_child *
newest(const struct sim_host *h)
{
	const struct sim_child *best = NULL;

	for (unsigned i = 0; i < SIM_CHILD_MAX; i++)
		if (h->child[i].is_up && (best == NULL ||
		    h->child[i].desc.id > best->desc.id))
			best = &h->child[i];
	return best;
}

bool
sim_data_reaches(const struct sim_host *h)
{
	const struct sim_child *c = newest(h);
	const struct vpn_path *path;

	if (c == NULL)
		return false;
	path = &c->desc.path;
	if (!sim_reaches(h, &path->local.ip, &path->remote.ip))
		return false;
	/* through its NAT, or to where it is */
	return h->other->is_natted ? path->remote.ip.b[3] == 99 :
	    sim_is_at(h->other, &path->remote.ip);
}

/* ---- commands ------------------------------------------------------------- */

static bool
is_ip(struct play *p, unsigned i, struct ip_addr *ip)
{
	return (i < p->n_arg && ip_parse(p->arg[i], ip) == 0) ||
	    play_fail(p, "word %u is no address", i);
}

static void
leave(struct sim_host *h, unsigned i)
{
	h->n_addr--;
	for (; i < h->n_addr; i++) {
		h->addr[i] = h->addr[i + 1];
		h->is_addr_dead[i] = h->is_addr_dead[i + 1];
	}
}

static bool
arrive(struct play *p, struct sim_host *h, const struct ip_addr *ip)
{
	if (h->n_addr == SIM_ADDR_MAX)
		return play_fail(p, "%s has too many addresses", h->name);
	h->is_addr_dead[h->n_addr] = false;
	h->addr[h->n_addr++] = *ip;
	return true;
}

bool
play_addr(struct play *p)
{
	struct sim_host *h = play_host(p, 1);
	bool is_more = strcmp(p->arg[2], "+") == 0;
	bool is_less = strcmp(p->arg[2], "-") == 0;
	struct ip_addr ip;
	unsigned i;

	if (!is_ip(p, is_more || is_less ? 3 : 2, &ip))
		return false;
	i = index_of(h, &ip);
	if (is_less && i == h->n_addr)
		return play_fail(p, "%s does not have that address", h->name);
	if (is_less)
		leave(h, i);
	else if (!is_more)
		h->n_addr = 0;
	if (!is_less && !arrive(p, h, &ip))
		return false;
	if (h->n_addr > 0)
		h->ep.ip = h->addr[0];
	sim_addrs_tell(h);
	return true;
}

bool
play_dead(struct play *p)
{
	struct sim_host *h = play_host(p, 1);
	struct ip_addr ip;
	unsigned i;

	if (!is_ip(p, 2, &ip))
		return false;
	if ((i = index_of(h, &ip)) == h->n_addr)
		return play_fail(p, "%s does not have that address", h->name);
	h->is_addr_dead[i] = strcmp(p->arg[0], "dead") == 0;
	return true;
}

/* Where both ends send is where the other is. */
static bool
agree(struct play *p)
{
	const struct sim_child *a = newest(&p->w.a), *b = newest(&p->w.b);

	if (a == NULL || b == NULL)
		return play_fail(p, "no child SA");
	if (!sim_data_reaches(&p->w.a) || !sim_data_reaches(&p->w.b))
		return play_fail(p, "data do not arrive");
	return a->desc.path.encap == b->desc.path.encap ||
	    play_fail(p, "one end encapsulates in UDP, the other does not");
}

bool
play_paths(struct play *p)
{
	const struct sim_child *c;
	struct ip_addr local, remote;
	char l[IP_TEXT_MAX], r[IP_TEXT_MAX];

	if (strcmp(p->arg[1], "agree") == 0)
		return agree(p);
	if (!is_ip(p, 2, &local) || !is_ip(p, 3, &remote))
		return false;
	if ((c = newest(play_host(p, 1))) == NULL)
		return play_fail(p, "no child SA");
	return (ip_equal(&c->desc.path.local.ip, &local) &&
		ip_equal(&c->desc.path.remote.ip, &remote)) ||
	    play_fail(p, "data go from %s to %s",
		      ip_text(&c->desc.path.local.ip, l),
		      ip_text(&c->desc.path.remote.ip, r));
}

/* gap HOST MS: run until data of HOST arrive at the other end again */
bool
play_gap(struct play *p)
{
	struct sim_host *h = play_host(p, 1);
	unsigned most = play_num(p, 2), ms = 0;

	while (!sim_data_reaches(h) && ms <= most) {
		sim_run(&p->w, 10);
		ms += 10;
	}
	return ms <= most ||
	    play_fail(p, "after %u ms no data of %s arrive", ms, h->name);
}

/* drain HOST GATEWAY|off|keep|end [realm]: RFC 5685; the other gateway is another
 * address of HOST */
bool
play_drain(struct play *p)
{
	static const char *const word[] = { [IKE_DRAIN_OFF] = "off",
		[IKE_DRAIN_KEEP] = "keep", [IKE_DRAIN_END] = "end" };
	enum ike_drain_mode mode = IKE_DRAIN_SEND;
	uint32_t realm = p->n_arg > 3 ? 0 : UINT32_MAX;

	for (unsigned i = 0; i < N_OF(word); i++)
		if (word[i] != NULL && strcmp(p->arg[2], word[i]) == 0)
			mode = (enum ike_drain_mode)i;
	return ike_drain(play_host(p, 1)->ike, realm, mode,
			 mode == IKE_DRAIN_SEND ? p->arg[2] : NULL,
			 p->w.now_ms) >= 0 ||
	    play_fail(p, "ike_drain refused");
}

/* gw2 IP|none: where gw2.example.com leads */
bool
play_gw2(struct play *p)
{
	p->w.gw2.family = 0;
	return strcmp(p->arg[1], "none") == 0 ||
	    ip_parse(p->arg[1], &p->w.gw2) == 0 ||
	    play_fail(p, "no address: %s", p->arg[1]);
}
