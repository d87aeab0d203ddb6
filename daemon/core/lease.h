/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/lease.h - who has which address of a pool.
 *
 * One book has the leases of all realms.  An identity has one address of each
 * family in a realm, and keeps it: while it is away the address waits for it,
 * and goes to somebody else only when the pool has no other left; the one that
 * was away longest loses it.  Without a book (its file was lost) an identity
 * most likely gets its address again all the same: where the search begins
 * follows from the identity.
 *
 * A book is a row of records of one size, so that its file is changed in place,
 * one record a lease: who ends in between leaves every other one whole.
 *
 *   file -> lease_load() each, lease_pool_set() each realm
 *   lease_take(), lease_end() -> lease_dirty() until it is false -> file
 *
 * Pure: no system call, no clock.  Thread: the loop.
 */
#ifndef TAPIR_CORE_LEASE_H
#define TAPIR_CORE_LEASE_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"

#define LEASE_MAX	65536	/* leases of a book; ours */
#define LEASE_NET_MAX	8	/* networks of a pool; ours */
#define LEASE_NOT_MAX	64	/* addresses left out of a pool; ours */
#define LEASE_WHO_MAX	256	/* identity as text, with NUL */
#define LEASE_REALM_MAX 64	/* name of a realm, with NUL */
#define LEASE_REC_BYTES 384	/* of a record */

struct leases;

/* An address that is kept for somebody. */
struct lease_fix {
	const char *who;
	struct ip_addr ip;	/* need not be in the pool's networks */
};

struct lease_pool_conf {
	unsigned n_net;			/* at most LEASE_NET_MAX */
	const struct ip_net *net;
	unsigned n_not;			/* our own addresses and those of servers;
					 * at most LEASE_NOT_MAX */
	const struct ip_addr *not_these;
	unsigned n_fix;
	const struct lease_fix *fix;
};

struct lease_got {
	struct ip_net ip;	/* address, with the length of its network */
	bool is_new;		/* it was not the identity's before */
	bool is_taken;		/* it was somebody else's, who is away */
};

/* How full a pool is. */
struct lease_count {
	uint64_t n_all;		/* addresses of the family; UINT32_MAX + 1 at most */
	uint32_t n_used, n_kept; /* in use; waiting for who is away */
};

/** @param max leases at most, up to LEASE_MAX.  0 or ERR_NOMEM. */
MUST_USE int lease_new(struct leases **out, uint32_t max);
/** NULL is fine. */
void lease_free(struct leases *l);

/**
 * Set or replace the pool of a realm; what is leased stays as long as it fits.
 *
 * @param conf copied.
 * @return 0, ERR_LIMIT, ERR_NOMEM.
 */
MUST_USE int lease_pool_set(struct leases *l, const char *realm,
			    const struct lease_pool_conf *conf);
/** The realm has no pool any more; its leases wait for the case it has again. */
void lease_pool_drop(struct leases *l, const char *realm);

/**
 * The address of an identity, which is in use from now on.
 *
 * @param family 4 or 6.
 * @param wish   an address it asks for, of any family; NULL = none.
 * @param now_s  Unix time.
 * @param out    written on success.
 * @return 0; ERR_NOTFOUND: no pool, or none of this family; ERR_FULL: every
 *         address is in use; ERR_NOMEM.
 */
MUST_USE int lease_take(struct leases *l, const char *realm, const char *who,
			uint8_t family, const struct ip_addr *wish,
			int64_t now_s, struct lease_got *out);
/** The identity is away; its addresses wait. */
void lease_end(struct leases *l, const char *realm, const char *who,
	       int64_t now_s);
/** Forget an identity's addresses, in use or not: true when there were any. */
bool lease_forget(struct leases *l, const char *realm, const char *who);

struct lease_info {
	const char *realm, *who;	/* borrowed until the book changes */
	struct ip_addr ip;
	bool is_used;
	int64_t last_s;			/* when it was taken, or left; Unix time */
};
/** The next lease, in use or kept for who is away: start with *it = 0; false at the
 * end. */
bool lease_next(const struct leases *l, uint32_t *it, struct lease_info *out);

void lease_count(const struct leases *l, const char *realm, uint8_t family,
		 struct lease_count *out);

/**
 * Take a record of the file in; one that is none, or is damaged, is left.  Of two
 * for the same identity or address the younger counts.
 *
 * @param slot  its place, 0, 1, ...
 * @param rec   LEASE_REC_BYTES.
 * @return 0, or ERR_LIMIT, ERR_SYNTAX, ERR_EXISTS (left), ERR_NOMEM.
 */
MUST_USE int lease_load(struct leases *l, uint32_t slot, const uint8_t *rec);
/**
 * The next record that has to be written to the file.
 *
 * @param slot its place.
 * @param rec  LEASE_REC_BYTES, written.
 * @return false: there is none.
 */
bool lease_dirty(struct leases *l, uint32_t *slot, uint8_t *rec);
/** The record could not be written: later again. */
void lease_soil(struct leases *l, uint32_t slot);

#endif
