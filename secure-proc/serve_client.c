/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/serve_client.c - addresses that a gateway gave us, on the TAP, and
 * its name servers.
 *
 * Only for a peer whose configuration says local="dynamic", and only addresses
 * that this machine has nowhere else (security: A6).  An address belongs to the
 * IKE SA that last asked for it: when a new one takes over, the end of the old
 * one leaves it alone.  All of them go with the TAP.
 *
 * Thread: the only one.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/vpn_names.h"
#include "secure-proc/names/names.h"
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

	for (unsigned i = 0; i < s->c.conf->n_realm && handle != 0; i++)
		if (s->names[i] == handle) {
			s->names[i] = 0;
			names_say(s->c.names_fd, &s->c.conf->realm[i], NULL);
		}
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
	int err = sec_net_read(q->family, q->addr, q->bits, out);

	if (err != 0)
		return err;
	return q->bits != 0 && ip_is_unicast(&out->addr) ? 0 : ERR_RANGE;
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

bool
sec_is_client(const struct sec_serve *s, uint32_t realm)
{
	const struct conf_realm *r = sec_realm_at(s, realm);
	bool is = false;

	for (unsigned i = 0; r != NULL && i < r->n_peer; i++)
		is |= r->peer[i].net->is_dynamic;
	return is;
}

/* An address from before this process, that nobody here knows; not one of the
 * configuration. */
static int
forget(struct sec_serve *s, uint32_t realm, const struct ip_net *a, char *why,
       size_t cap)
{
	const struct conf_realm *r = sec_realm_at(s, realm);

	if (find(s, realm, a) != NULL)
		return ERR_PERM;
	for (unsigned i = 0; i < r->n_addr; i++)
		if (ip_equal(&r->addr[i].addr, &a->addr))
			return ERR_PERM;
	return change(s, realm, a, false, why, cap);
}

/* Is this peer one that gives us something?  NULL, or why not. */
static const char *
refused(const struct sec_serve *s, const struct sa *sa, uint32_t realm)
{
	const struct conf_peer *p;

	if (sa == NULL || !sec_auth_is_done(&sa->auth))
		return "addresses come from authenticated peers";
	if (realm != sa->auth.realm)
		return "this peer belongs to another realm";
	p = &s->c.conf->realm[sa->auth.realm].peer[sa->auth.peer];
	return p->net->is_dynamic ? NULL : "the configuration takes no address "
	    "from this peer: <net local=\"dynamic\"/>";
}

int
sec_on_names(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	const struct ipc_names *q = &m->u.names;
	const char *no = refused(s, sa, q->realm);
	char text[VPN_NAMES_TEXT];
	struct vpn_cfg *c;
	int err;

	if (sa == NULL && q->words.len == 0 && sec_is_client(s, q->realm)) {
		if (s->names[q->realm] == 0)	/* from before this process */
			names_say(s->c.names_fd, sec_realm_at(s, q->realm),
				  NULL);
		return sec_refuse(s, m, 0, NULL);
	}
	if (no != NULL)
		return sec_refuse(s, m, ERR_PERM, no);
	if (q->words.len >= sizeof(text) ||
	    memchr(q->words.p, '\0', q->words.len) != NULL)
		return sec_refuse(s, m, ERR_RANGE, NULL);
	memcpy(text, q->words.p, q->words.len);
	text[q->words.len] = '\0';
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return sec_refuse(s, m, ERR_NOMEM, NULL);
	/* What is handed on is what was understood. */
	if ((err = vpn_names_read(text, c)) == 0) {
		vpn_names_write(c, text, sizeof(text));
		s->names[q->realm] = *text != '\0' ? sa->handle : 0;
		names_say(s->c.names_fd, sec_realm_at(s, q->realm),
			  *text != '\0' ? text : NULL);
	}
	free(c);
	return sec_refuse(s, m, err, NULL);
}

int
sec_on_addr(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	const struct ipc_addr *q = &m->u.addr;
	const char *no = refused(s, sa, q->realm);
	char why[WHY_MAX] = "";
	struct sec_client *c;
	struct ip_net a;
	int err = 0;

	if (no != NULL && (sa != NULL || q->is_add ||
	    !sec_is_client(s, q->realm)))
		return sec_refuse(s, m, ERR_PERM, no);
	if ((err = addr_read(q, &a)) != 0)
		return sec_refuse(s, m, err, "not an address a host can have");
	if (q->is_add) {
		err = addr_add(s, sa, &a, why, sizeof(why));
	} else if (sa == NULL) {
		err = forget(s, q->realm, &a, why, sizeof(why));
	} else {
		c = find(s, sa->auth.realm, &a);
		if (c != NULL && c->handle == sa->handle)
			err = take_out(s, c, why, sizeof(why));
	}
	return sec_refuse(s, m, err, why[0] != '\0' ? why : NULL);
}
