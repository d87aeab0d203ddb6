/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/check.c - what must hold of an IKE SA (debug builds), and the key lines
 * that tests hand to Wireshark.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "ikev2/engine.h"

#define LINE_MAX_ 1024

void
ike_sa_check(const struct ike_sa *sa)
{
#ifdef TAPIR_DEBUG
	bool is_up = sa->state == IKE_SA_UP || sa->state == IKE_SA_REKEYED ||
	    sa->state == IKE_SA_DELETING;

	if (sa->state == IKE_SA_DEAD)
		return;
	assert(sa->is_authenticated == is_up || sa->state == IKE_SA_AUTH_I ||
	       sa->state == IKE_SA_AUTH_R);
	assert(!is_up || (sa->keys != NULL && sa->setup == NULL));
	assert(!is_up || (sa->ispi != 0 && sa->rspi != 0));
	assert(sa->state != IKE_SA_UP || sa->link != NULL);
	assert(sa->state == IKE_SA_UP || sa->state == IKE_SA_AUTH_R ||
	       sa->state == IKE_SA_AUTH_I || sa->n_child == 0);
	assert(sa->state != IKE_SA_CLOSED || sa->keys == NULL);
	assert(sa->out.is_busy == tmr_is_set(&sa->out.tmr));
#else
	(void)sa;
#endif
}

/* ---- key lines ----------------------------------------------------------- */

static const char *
encr_name(enum spi_cipher c)
{
	switch (c) {
	case SPI_CIPHER_AES_GCM_128:
		return "AES-GCM-128 with 16 octet ICV [RFC5282]";
	case SPI_CIPHER_AES_GCM_256:
		return "AES-GCM-256 with 16 octet ICV [RFC5282]";
	case SPI_CIPHER_AES_CBC_128:
		return "AES-CBC-128 [RFC3602]";
	case SPI_CIPHER_AES_CBC_256:
		return "AES-CBC-256 [RFC3602]";
	default:
		return "CHACHA20-POLY1305 with 16 octet ICV [RFC7634]";
	}
}

static const char *
integ_name(enum spi_hash h)
{
	switch (h) {
	case SPI_HASH_SHA256:
		return "HMAC_SHA2_256_128 [RFC4868]";
	case SPI_HASH_SHA384:
		return "HMAC_SHA2_384_192 [RFC4868]";
	case SPI_HASH_SHA512:
		return "HMAC_SHA2_512_256 [RFC4868]";
	default:
		return "NONE [RFC4306]";
	}
}

static void
add_hex(char *line, const uint8_t *p, size_t n)
{
	char hex[2 * SPI_HASH_MAX + 1];

	str_hex(hex, sizeof(hex), p, n);
	str_add(line, LINE_MAX_, "%s", hex);
	wipe(hex, sizeof(hex));
}

static bool
is_logged(const struct ike_sa *sa)
{
	uint32_t link = sa->ike->key_log_link;

	return sa->ike->key_log != NULL &&
	    (link == 0 || (sa->link != NULL && sa->link->id == link));
}

void
ike_key_log_link(struct ike *ike, uint32_t link)
{
	ike->key_log_link = link;
	LIST_FOREACH(it, &ike->sas) {
		const struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa, node);

		if (sa->state == IKE_SA_UP)
			ike_key_log_sa(sa);
	}
}

void
ike_key_log_sa(const struct ike_sa *sa)
{
	size_t elen = spi_cipher_key_len(sa->suite.encr) +
	    (spi_cipher_is_aead(sa->suite.encr) ? IKE_SALT_LEN : 0);
	size_t alen = spi_hash_len(sa->suite.integ);
	char line[LINE_MAX_];

	if (!is_logged(sa))
		return;
	snprintf(line, sizeof(line),
		 "ikev2_decryption_table: %016llx,%016llx,",
		 (unsigned long long)sa->ispi, (unsigned long long)sa->rspi);
	add_hex(line, sa->keys->e[0], elen);
	str_add(line, sizeof(line), ",");
	add_hex(line, sa->keys->e[1], elen);
	str_add(line, sizeof(line), ",\"%s\",", encr_name(sa->suite.encr));
	add_hex(line, sa->keys->a[0], alen);
	str_add(line, sizeof(line), ",");
	add_hex(line, sa->keys->a[1], alen);
	str_add(line, sizeof(line), ",\"%s\"", integ_name(sa->suite.integ));
	sa->ike->key_log(sa->ike->key_log_ctx, line);
	wipe(line, sizeof(line));
}

static void
child_line(const struct ike_sa *sa, const struct net_ep *src,
	   const struct net_ep *dst, uint32_t esp_spi, enum vpn_alg alg,
	   const struct vpn_keys *k)
{
	const struct vpn_alg_info *info = vpn_alg_info(alg);
	char line[LINE_MAX_], a[IP_TEXT_MAX], b[IP_TEXT_MAX];
	const char *encr = info->integ_key_len > 0 ? "AES-CBC [RFC3602]" :
	    alg == VPN_ALG_CHACHA20_POLY1305 ? "ChaCha20 with Poly1305" :
	    "AES-GCM with 16 octet ICV [RFC4106]";
	const char *integ = info->integ_key_len == 0 ? "NULL" :
	    info->integ_key_len == 32 ? "HMAC-SHA-256-128 [RFC4868]" :
	    info->integ_key_len == 48 ? "HMAC-SHA-384-192 [RFC4868]" :
	    "HMAC-SHA-512-256 [RFC4868]";

	snprintf(line, sizeof(line),
		 "esp_sa: \"%s\",\"%s\",\"%s\",\"0x%08x\",\"%s\",\"0x",
		 src->ip.family == 6 ? "IPv6" : "IPv4", ip_text(&src->ip, a),
		 ip_text(&dst->ip, b), esp_spi, encr);
	add_hex(line, k->encr, (size_t)info->encr_key_len + info->salt_len);
	str_add(line, sizeof(line), "\",\"%s\",\"%s", integ,
		info->integ_key_len > 0 ? "0x" : "");
	add_hex(line, k->integ, info->integ_key_len);
	str_add(line, sizeof(line), "\"");
	sa->ike->key_log(sa->ike->key_log_ctx, line);
	wipe(line, sizeof(line));
}

void
ike_key_log_child(const struct ike_sa *sa, const struct ike_child *c,
		  const struct vpn_keys *in, const struct vpn_keys *out)
{
	if (!is_logged(sa))
		return;
	child_line(sa, &sa->remote, &sa->local, c->spi_in, c->alg, in);
	child_line(sa, &sa->local, &sa->remote, c->spi_out, c->alg, out);
}
