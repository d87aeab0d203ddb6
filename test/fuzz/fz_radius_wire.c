/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_radius_wire.c - any bytes as a question to the RADIUS child, as an
 * answer of one that was taken over, and as a file of secrets.  What is taken
 * comes out the same when it is written and read again.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "secure-proc/radius/set.h"
#include "secure-proc/radius/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
question(struct view in)
{
	static uint8_t out[SEC_RADIUS_WIRE_MAX];
	struct sec_radius_query q;
	size_t len;

	if (sec_radius_query_dec(in, &q) != 0)
		return;
	if (sec_radius_query_enc(&q, out, sizeof(out), &len) != 0) {
		if (in.len <= sizeof(out))
			abort();
		return;
	}
	if (len != in.len || memcmp(out, in.p, len) != 0)
		abort();
}

static void
answer(struct view in)
{
	static uint8_t out[SEC_RADIUS_WIRE_MAX];
	static struct sec_radius_reply a, b;
	size_t len;

	if (sec_radius_reply_dec(in, &a) != 0)
		return;
	if (a.answer.has_msk && a.answer.code != SPI_RADIUS_ACCEPT)
		abort();
	if (sec_radius_reply_enc(&a, out, sizeof(out), &len) != 0 ||
	    sec_radius_reply_dec((struct view){ out, len }, &b) != 0 ||
	    b.number != a.number || b.answer.code != a.answer.code ||
	    strcmp(a.answer.user, b.answer.user) != 0)
		abort();
}

static void
secrets(struct view in)
{
	static struct sec_radius_server s[SEC_RADIUS_SERVERS];
	char why[200];

	if (sec_radius_secrets(in, SEC_RADIUS_SERVERS, s, why,
	    sizeof(why)) != 0)
		return;
	for (unsigned i = 0; i < SEC_RADIUS_SERVERS; i++)
		if (s[i].n_secret == 0 ||
		    s[i].n_secret > SEC_RADIUS_SECRET_MAX)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view in = { data, size };

	question(in);
	answer(in);
	secrets(in);
	return 0;
}
