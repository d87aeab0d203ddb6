/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_lease.c - records of the file of leases.
 *
 * A record is taken as it is, and once more with its checksum made right, so
 * that its fields are reached.  What was taken in is written back the same.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/cur.h"
#include "daemon/base/map.h"
#include "daemon/core/lease.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try(const uint8_t *rec)
{
	uint8_t out[LEASE_REC_BYTES];
	struct leases *l;
	uint32_t slot;

	if (lease_new(&l, 4) != 0)
		return;
	if (lease_load(l, 2, rec) == 0) {
		lease_soil(l, 2);
		if (!lease_dirty(l, &slot, out) || slot != 2)
			abort();
		lease_free(l);
		if (lease_new(&l, 4) != 0)
			return;
		if (lease_load(l, 2, out) != 0)	/* its own word */
			abort();
	}
	lease_free(l);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t rec[LEASE_REC_BYTES] = { 0 };

	memcpy(rec, data, size < sizeof(rec) ? size : sizeof(rec));
	try(rec);
	memcpy(rec, "TPL1", 4);
	be64_put(rec + 4, siphash((const uint8_t *)"tapir lease book", rec + 12,
				  sizeof(rec) - 12));
	try(rec);
	return 0;
}
