/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/bench/dial_eap.c - the client's end of many conversations by EAP-MSCHAPv2.
 *
 * The method is the daemon's provider; the frame around it (RFC 3748 section 4) is
 * as much as a client needs that only ever meets a gateway of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "spi/spi_eap.h"
#include "test/bench/dial.h"

struct person {
	char user[64];
	struct spi_eap_run *run;	/* NULL: not yet */
	struct spi_eap_result res;
	bool is_done;
	uint32_t lease;			/* IPv4, host order; 0 = none */
};

static struct {
	const struct spi_eap *method;
	struct person *person;
	unsigned n;
	const char *word;
} d;

static int
nt_hash(void *ctx UNUSED, struct view user UNUSED, uint8_t out[SPI_EAP_NT_HASH])
{
	return spi_eap_nt_hash((struct view){ (const uint8_t *)d.word,
			       strlen(d.word) }, out);
}

static const struct spi_eap_host host = { .nt_hash = nt_hash };

int
dial_eap_init(unsigned n, const char *word)
{
	int err;

	d.word = word;
	d.n = n;
	if ((d.method = spi_eap_named("mschapv2")) == NULL)
		return ERR_UNSUP;
	if (d.method->init != NULL && (err = d.method->init()) != 0)
		return err;
	d.person = calloc(n, sizeof(*d.person));
	return d.person != NULL ? 0 : ERR_NOMEM;
}

int
dial_eap_begin(unsigned who, const char *user)
{
	struct person *p = &d.person[who];
	const struct spi_eap_conf c = {
		.host = &host,
		.user = { (const uint8_t *)user, strlen(user) },
	};

	d.method->close(p->run);
	p->run = NULL;
	p->is_done = false;
	str_copy(p->user, sizeof(p->user), user);
	return d.method->open(&c, &p->run);
}

/* One step of the method: the type data it wants to send is put in the frame. */
static enum ike_eap_end
step(struct person *p, const struct spi_eap_msg *in, struct wcur *out)
{
	struct spi_eap_msg reply = { .code = SPI_EAP_RESPONSE, .id = in->id,
				     .type = SPI_EAP_MSCHAPV2 };
	uint8_t data[SPI_EAP_MTU];
	enum spi_eap_end end;
	struct wcur w;

	wcur_init(&w, data, sizeof(data));
	end = d.method->step(p->run, in->id, in->data, &w, &p->res);
	if (end != SPI_EAP_MORE && end != SPI_EAP_DONE)
		return IKE_EAP_NO;
	p->is_done = end == SPI_EAP_DONE;
	reply.data = wcur_done(&w);
	spi_eap_enc(out, &reply);
	return out->err == 0 ? IKE_EAP_MORE : IKE_EAP_NO;
}

enum ike_eap_end
dial_eap_talk(unsigned who, struct view in, struct wcur *out)
{
	struct person *p = &d.person[who];
	struct spi_eap_msg m, reply;

	if (p->run == NULL || spi_eap_dec(in, &m) != 0)
		return IKE_EAP_NO;
	if (m.code == SPI_EAP_SUCCESS)
		return p->is_done ? IKE_EAP_OK : IKE_EAP_NO;
	if (m.code != SPI_EAP_REQUEST)
		return IKE_EAP_NO;
	if (m.type == SPI_EAP_MSCHAPV2)
		return step(p, &m, out);
	if (m.type != SPI_EAP_IDENTITY)
		return IKE_EAP_NO;
	reply = (struct spi_eap_msg){ .code = SPI_EAP_RESPONSE, .id = m.id,
		.type = SPI_EAP_IDENTITY,
		.data = { (const uint8_t *)p->user, strlen(p->user) } };
	spi_eap_enc(out, &reply);
	return out->err == 0 ? IKE_EAP_MORE : IKE_EAP_NO;
}

struct view
dial_eap_key(unsigned who)
{
	const struct person *p = &d.person[who];

	return (struct view){ p->res.msk, p->is_done ? sizeof(p->res.msk) : 0 };
}

/* ---- addresses ------------------------------------------------------------------ */

void
dial_lease(unsigned who, const struct vpn_cfg *cfg)
{
	if (who < d.n && cfg->ip4.addr.family == 4)
		d.person[who].lease = be32_get(cfg->ip4.addr.b);
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

unsigned
dial_n_lease(void)
{
	uint32_t *all = calloc(d.n, sizeof(*all)), last = 0;
	unsigned n = 0;

	if (all == NULL)
		return 0;
	for (unsigned i = 0; i < d.n; i++)
		all[i] = d.person[i].lease;
	qsort(all, d.n, sizeof(*all), by_number);
	for (unsigned i = 0; i < d.n; i++) {
		n += all[i] != 0 && all[i] != last;
		last = all[i];
	}
	free(all);
	return n;
}

uint32_t
dial_lease_sum(void)
{
	uint32_t sum = 2166136261u;	/* FNV-1a, by words */

	for (unsigned i = 0; i < d.n; i++)
		sum = (sum ^ d.person[i].lease) * 16777619u;
	return sum;
}
