/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/serve_client.c - addresses that a gateway gave us, on the TAP.
 *
 * Only for a peer whose configuration says local="dynamic", and only addresses
 * that this machine has nowhere else (security: A6).  An address belongs to the
 * IKE SA that last asked for it: when a new one takes over, the end of the old
 * one leaves it alone.  All of them go with the TAP.
 *
 * Thread: the only one.
 */
#include <string.h>

#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "secure-proc/serve_priv.h"

static struct sec_client *
find(struct sec_serve *s, uint32_t realm, const struct ip_net *a)
{
	for (unsigned i = 0; i < s->n_client; i++)
		if (s->client[i].realm == realm &&
		    ip_equal(&s->client[i].net.addr, &a->addr))
			return &s->client[i];
	return NULL;
}

static int
change(struct sec_serve *s, uint32_t realm, const struct ip_net *a, bool is_add,
       char *why, size_t cap)
{
	const struct conf_realm *r = sec_realm_at(s, realm);

	if (r == NULL)
		return ERR_NOTFOUND;
	return s->c.net->addr(s->c.net->ctx, r, a, is_add, why, cap);
}

static int
take_out(struct sec_serve *s, struct sec_client *c, char *why, size_t cap)
{
	struct sec_client gone = *c;

	*c = s->client[--s->n_client];
	return change(s, gone.realm, &gone.net, false, why, cap);
}

void
sec_unaddr(struct sec_serve *s, uint32_t handle)
{
	char why[WHY_MAX];

	for (unsigned i = s->n_client; i-- > 0;) {
		why[0] = '\0';
		if (s->client[i].handle == handle &&
		    take_out(s, &s->client[i], why, sizeof(why)) != 0)
			log_warn(WHO, "%s", why);
	}
}

/* The address as main wrote it. */
static int
addr_read(const struct ipc_addr *q, struct ip_net *out)
{
	size_t len = q->family == 4 ? 4 : q->family == 6 ? 16 : 0;

	if (len == 0 || q->bits == 0 || q->bits > len * 8)
		return ERR_RANGE;
	for (size_t i = len; i < sizeof(q->addr); i++)
		if (q->addr[i] != 0)
			return ERR_RANGE;
	out->addr = ip_from(q->addr, len);
	out->bits = q->bits;
	return ip_is_unicast(&out->addr) ? 0 : ERR_RANGE;
}

static int
addr_add(struct sec_serve *s, const struct sa *sa, const struct ip_net *a,
	 char *why, size_t cap)
{
	struct sec_client *c = find(s, sa->auth.realm, a);
	int err;

	if (c != NULL) {
		c->handle = sa->handle;
		return 0;
	}
	if (s->n_client == SEC_CLIENT_MAX)
		return ERR_FULL;
	if ((err = change(s, sa->auth.realm, a, true, why, cap)) != 0)
		return err;
	s->client[s->n_client++] = (struct sec_client){ sa->handle,
							sa->auth.realm, *a };
	return 0;
}

int
sec_on_addr(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	const struct ipc_addr *q = &m->u.addr;
	char why[WHY_MAX] = "";
	const struct conf_peer *p;
	struct sec_client *c;
	struct ip_net a;
	int err = 0;

	if (sa == NULL || !sec_auth_is_done(&sa->auth))
		return sec_refuse(s, m, ERR_PERM, "addresses come from "
		    "authenticated peers");
	if (q->realm != sa->auth.realm)
		return sec_refuse(s, m, ERR_PERM, "this peer belongs to another "
		    "realm");
	p = &s->c.conf->realm[sa->auth.realm].peer[sa->auth.peer];
	if (!p->net->is_dynamic)
		return sec_refuse(s, m, ERR_PERM, "the configuration takes no "
		    "address from this peer: <net local=\"dynamic\"/>");
	if ((err = addr_read(q, &a)) != 0)
		return sec_refuse(s, m, err, "not an address a host can have");
	if (q->is_add) {
		err = addr_add(s, sa, &a, why, sizeof(why));
	} else {
		c = find(s, sa->auth.realm, &a);
		if (c != NULL && c->handle == sa->handle)
			err = take_out(s, c, why, sizeof(why));
	}
	return sec_refuse(s, m, err, why[0] != '\0' ? why : NULL);
}
