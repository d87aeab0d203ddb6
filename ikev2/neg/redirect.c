/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/neg/redirect.c - data of REDIRECT and REDIRECTED_FROM, RFC 5685 9.2, 9.3.
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * | GW Ident Type |  GW Ident Len |   GW Identity                 ~
 * +---------------+---------------+-------------------------------+
 * ~                 Nonce Data (IKE_SA_INIT response only)        ~
 * +---------------------------------------------------------------+
 *
 * Pure.
 */
#include "ikev2/neg/redirect.h"

#include <string.h>

#include "daemon/base/err.h"

enum { GW_IPV4 = 1, GW_IPV6 = 2, GW_FQDN = 3 };

static bool
is_name_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '-';
}

static int
take_name(struct view id, struct ike_gw *gw)
{
	if (id.len == 0 || id.len >= sizeof(gw->name))
		return ERR_SYNTAX;
	for (size_t i = 0; i < id.len; i++)
		if (!is_name_char(id.p[i]))
			return ERR_SYNTAX;
	memcpy(gw->name, id.p, id.len);
	return 0;
}

static int
take_ip(struct view id, size_t len, struct ike_gw *gw)
{
	if (id.len != len)
		return ERR_SYNTAX;
	gw->ip = ip_from(id.p, id.len);
	return ip_is_unicast(&gw->ip) ? 0 : ERR_SYNTAX;
}

int
ike_gw_read(struct view data, struct ike_gw *out, struct view *nonce)
{
	struct ike_gw gw = { .name = "" };
	uint8_t type, len;
	struct view id;
	struct cur c;
	int err;

	cur_init(&c, data.p, data.len);
	if ((err = cur_u8(&c, &type)) != 0 || (err = cur_u8(&c, &len)) != 0 ||
	    (err = cur_view(&c, len, &id)) != 0)
		return err;
	switch (type) {
	case GW_IPV4:
		err = take_ip(id, 4, &gw);
		break;
	case GW_IPV6:
		err = take_ip(id, 16, &gw);
		break;
	case GW_FQDN:
		err = take_name(id, &gw);
		break;
	default:
		err = ERR_UNSUP;
	}
	if (err != 0)
		return err;
	cur_rest(&c, nonce);
	*out = gw;
	return 0;
}

size_t
ike_gw_write(const struct ike_gw *gw, uint8_t *out)
{
	struct view id = { (const uint8_t *)gw->name, strlen(gw->name) };
	struct wcur w;

	if (gw->ip.family != 0)
		id = (struct view){ gw->ip.b, ip_len(&gw->ip) };
	wcur_init(&w, out, IKE_GW_DATA_MAX);
	wcur_u8(&w, gw->ip.family == 4 ? GW_IPV4 :
		gw->ip.family == 6 ? GW_IPV6 : GW_FQDN);
	wcur_u8(&w, (uint8_t)id.len);
	wcur_view(&w, id);
	return 2 + id.len;
}

bool
ike_redirects_take(struct ike_redirects *r, uint64_t now_ms)
{
	if (r->n == 0 || now_ms - r->since_ms >= IKE_REDIRECTS_MS)
		*r = (struct ike_redirects){ .since_ms = now_ms };
	if (r->n >= IKE_REDIRECTS_MAX)
		return false;
	r->n++;
	return true;
}
