/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_eap.c - any messages in an EAP conversation, as either end, any
 * pieces of TLS messages, anything in a tunnel.  Who does not know the password
 * never gets to an OK.
 *
 *   role (1 byte), then messages, each behind its 16-bit length
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "secure-proc/eap/run.h"
#include "spi/eap-tls/eap_tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
nt_hash(void *ctx, struct view user, uint8_t out[SPI_EAP_NT_HASH])
{
	(void)ctx;
	/* some are known, some are not */
	if (user.len == 0 || user.p[0] == 'x')
		return ERR_NOTFOUND;
	memset(out, 0x5a, SPI_EAP_NT_HASH);
	return 0;
}

static const struct spi_eap_host host = { .nt_hash = nt_hash };

static void
pieces(struct cur c)
{
	struct eap_frag f = { 0 };
	enum eap_piece p;
	struct view v;
	uint16_t len;
	uint8_t flags;

	while (cur_u16(&c, &len) == 0 && cur_view(&c, len, &v) == 0) {
		p = eap_frag_take(&f, v, &flags);
		if (f.in_len > EAP_TLS_MAX || f.in_len > f.in_cap)
			abort();
		if (p == EAP_PIECE_BAD)
			break;
		if (p == EAP_PIECE_WHOLE)
			eap_frag_taken(&f);
	}
	eap_frag_fini(&f);
}

/* What is found lies in what came, and comes out of what it is put into. */
static void
avps(struct cur c)
{
	uint8_t again[SPI_EAP_IN_MAX];
	struct view in, eap, twice;
	struct wcur w;

	cur_rest(&c, &in);
	if (eap_avps_take(in, &eap) != 0 || eap.p == NULL)
		return;
	if (eap.p < in.p || eap.p + eap.len > in.p + in.len)
		abort();
	wcur_init(&w, again, sizeof(again));
	eap_avp_put(&w, eap);
	if (w.err == 0 && (eap_avps_take(wcur_done(&w), &twice) != 0 ||
	    twice.len != eap.len || (eap.len > 0 &&
	    memcmp(twice.p, eap.p, eap.len) != 0)))
		abort();
}

/* What a message of PEAP's tunnel is, and a Result. */
static void
peap(struct cur c)
{
	struct spi_eap_msg m;
	bool is_good;
	struct view in;

	cur_rest(&c, &in);
	if (eap_peap_take(in, 7, &m) != 0)
		return;
	if (m.code != SPI_EAP_REQUEST || m.type == 0 || (m.data.len > 0 &&
	    (m.data.p < in.p || m.data.p + m.data.len > in.p + in.len)))
		abort();
	if (m.type == SPI_EAP_TLV)
		(void)eap_peap_result(m.data, &is_good);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sec_eap_conf conf = {
		.method = { spi_eap_named("mschapv2") }, .n_method = 1,
		.user = { (const uint8_t *)"hanako", 6 }, .host = &host
	};
	struct sec_eap *e = NULL;
	struct rng_det det;
	uint8_t role, out[2048];
	struct wcur w;
	struct view v;
	uint16_t len;
	struct cur c;

	cur_init(&c, data, size);
	if (cur_u8(&c, &role) != 0 || conf.method[0]->init() != 0)
		return 0;
	if (role == 2) {
		pieces(c);
		return 0;
	}
	if (role == 3) {
		avps(c);
		return 0;
	}
	if (role == 4) {
		peap(c);
		return 0;
	}
	rng_det_init(&det, 1);
	rng_set_source(rng_det_source, &det);
	conf.is_server = role == 1;
	if (sec_eap_open(&conf, &e) != 0)
		return 0;
	wcur_init(&w, out, sizeof(out));
	if (conf.is_server)
		(void)sec_eap_start(e, &w);
	while (cur_u16(&c, &len) == 0 && cur_view(&c, len, &v) == 0) {
		wcur_init(&w, out, sizeof(out));
		if (sec_eap_input(e, v, &w) == SEC_EAP_OK)
			abort();
		if (w.err != 0)
			abort();
	}
	sec_eap_close(e);
	rng_set_source(NULL, NULL);
	return 0;
}
