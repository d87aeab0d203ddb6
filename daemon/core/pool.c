/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/pool.c - addresses for clients.
 *
 * The file is LEASE_REC_BYTES a slot; it grows with the highest slot in use.
 */
#include "daemon/core/pool.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/core/lease.h"
#include "ikev2/wire/cfg.h"

#define WHO "pool"

struct pools {
	struct leases *book;
	int fd;			/* owned; -1 = none */
};

/* ---- the file --------------------------------------------------------------------- */

/* All bytes or fewer: the end of the file, or an error. */
static size_t
read_at(int fd, uint32_t slot, uint8_t *rec)
{
	size_t n = 0;
	ssize_t r = 0;

	if (lseek(fd, (off_t)slot * LEASE_REC_BYTES, SEEK_SET) < 0)
		return 0;
	while (n < LEASE_REC_BYTES &&
	       (r = read(fd, rec + n, LEASE_REC_BYTES - n)) > 0)
		n += (size_t)r;
	return n;
}

static bool
write_at(int fd, uint32_t slot, const uint8_t *rec)
{
	return lseek(fd, (off_t)slot * LEASE_REC_BYTES, SEEK_SET) >= 0 &&
	    write(fd, rec, LEASE_REC_BYTES) == LEASE_REC_BYTES;
}

static void
load(struct pools *p)
{
	static const uint8_t zero[LEASE_REC_BYTES];
	uint8_t rec[LEASE_REC_BYTES];
	unsigned n = 0, n_bad = 0;

	for (uint32_t i = 0; i < LEASE_MAX &&
	     read_at(p->fd, i, rec) == sizeof(rec); i++) {
		if (lease_load(p->book, i, rec) == 0)
			n++;
		else if (memcmp(rec, zero, sizeof(zero)) != 0)
			n_bad++;
	}
	if (n_bad > 0)
		log_warn(WHO, "%u damaged or double leases in the file of "
			 "leases are left out, %u are good", n_bad, n);
	else if (n > 0)
		log_info(WHO, "%u leases are kept from before", n);
}

static void
save(struct pools *p)
{
	uint8_t rec[LEASE_REC_BYTES];
	uint32_t slot;

	while (p->fd >= 0 && lease_dirty(p->book, &slot, rec)) {
		if (write_at(p->fd, slot, rec))
			continue;
		log_rl(LOG_WARN, WHO, "cannot write the file of leases: %s; "
		       "addresses may change after a restart",
		       strerror(errno));
		lease_soil(p->book, slot);
		return;
	}
}

/* ---- realms ------------------------------------------------------------------------ */

/* What no client may have: addresses of ours, and of its name servers. */
static unsigned
taken_of(const struct conf_realm *r, struct ip_addr *out)
{
	const struct vpn_cfg *cfg = &r->pool->cfg;
	unsigned n = 0;

	for (unsigned i = 0; i < r->n_addr; i++)
		out[n++] = r->addr[i].addr;
	for (unsigned i = 0; i < cfg->n_dns; i++)
		out[n++] = cfg->dns[i];
	for (unsigned i = 0; i < cfg->n_enc; i++)
		for (unsigned k = 0; k < cfg->enc[i].n_ip; k++)
			out[n++] = cfg->enc[i].ip[k];
	return n;
}

int
pools_realm(struct pools *p, const struct conf_realm *r)
{
	struct ip_addr taken[LEASE_NOT_MAX];
	struct lease_pool_conf c = { .not_these = taken };
	const struct conf_pool *pool = r->pool;
	struct lease_fix *fix;
	unsigned n = 0;
	int err;

	_Static_assert(CONF_ADDR_MAX + VPN_CFG_DNS_MAX + VPN_CFG_ENC_MAX *
	    VPN_CFG_ENC_IP_MAX <= LEASE_NOT_MAX, "room");
	_Static_assert(CONF_POOL_NET_MAX <= LEASE_NET_MAX, "room");
	if (pool == NULL) {
		lease_pool_drop(p->book, r->name);
		return 0;
	}
	fix = calloc((size_t)pool->n_lease * CONF_LEASE_IP_MAX + 1,
		     sizeof(*fix));
	if (fix == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < pool->n_lease; i++)
		for (unsigned k = 0; k < pool->lease[i].n_ip; k++)
			fix[n++] = (struct lease_fix){ pool->lease[i].id,
						       pool->lease[i].ip[k] };
	c.n_net = pool->n_net;
	c.net = pool->net;
	c.n_not = taken_of(r, taken);
	c.n_fix = n;
	c.fix = fix;
	err = lease_pool_set(p->book, r->name, &c);
	free(fix);
	return err;
}

void
pools_realm_gone(struct pools *p, const char *realm)
{
	lease_pool_drop(p->book, realm);
}

/* ---- clients ----------------------------------------------------------------------- */

static void
say_full(const struct pools *p, const struct conf_realm *r, uint8_t family,
	 char *why, size_t cap)
{
	struct lease_count n;

	lease_count(p->book, r->name, family, &n);
	why[0] = '\0';
	str_add(why, cap, "the pool of realm %s has no IPv%u address left: %u "
		"are in use; make net= of its <pool> larger", r->name, family,
		n.n_used);
}

int
pools_take(struct pools *p, const struct conf_realm *r, const char *who,
	   const struct ike_cfg_req *req, struct vpn_cfg *out, char *why,
	   size_t cap)
{
	struct lease_got got;
	int err4 = ERR_NOTFOUND, err6 = ERR_NOTFOUND;
	int64_t now_s = clk_wall_s();

	if (r->pool == NULL)
		return ERR_NOTFOUND;
	*out = r->pool->cfg;
	if (req->has_ip4 && (err4 = lease_take(p->book, r->name, who, 4,
	    &req->wish4, now_s, &got)) == 0)
		out->ip4 = got.ip;
	if (req->has_ip6 && (err6 = lease_take(p->book, r->name, who, 6,
	    &req->wish6, now_s, &got)) == 0)
		out->ip6 = got.ip;
	save(p);
	if (err4 == 0 || err6 == 0)	/* 3.15.4: some is enough */
		return 0;
	if (err4 == ERR_FULL || err6 == ERR_FULL) {
		say_full(p, r, err4 == ERR_FULL ? 4 : 6, why, cap);
		return ERR_FULL;
	}
	return err4 != ERR_NOTFOUND ? err4 : err6;
}

void
pools_count(const struct pools *p, const char *realm, uint8_t family,
	    struct lease_count *out)
{
	lease_count(p->book, realm, family, out);
}

void
pools_end(struct pools *p, const char *realm, const char *who)
{
	lease_end(p->book, realm, who, clk_wall_s());
	save(p);
}

/* ---- life -------------------------------------------------------------------------- */

int
pools_new(struct pools **out, int fd)
{
	struct pools *p = calloc(1, sizeof(*p));
	int err;

	if (p == NULL) {
		if (fd >= 0)
			close(fd);
		return ERR_NOMEM;
	}
	p->fd = fd;
	if ((err = lease_new(&p->book, LEASE_MAX)) != 0) {
		pools_free(p);
		return err;
	}
	if (fd >= 0)
		load(p);
	*out = p;
	return 0;
}

void
pools_free(struct pools *p)
{
	if (p == NULL)
		return;
	if (p->book != NULL)
		save(p);
	lease_free(p->book);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

bool
pools_next(const struct pools *p, uint32_t *it, struct lease_info *out)
{
	return lease_next(p->book, it, out);
}
