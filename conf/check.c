/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/check.c - tree -> struct conf, all errors in one run.
 *
 * Each element: defaults, then its attributes by the rows of conf.def
 * (field.c), then its children, then what follows from others (a peer's name
 * from its id, its key from <me>).  rule.c looks at the whole.
 *
 * One mistake gives one error: what follows from it is not reported, so
 * "required" is asked of the tree (is it written?), not of the struct.
 *
 * Thread: the caller's.
 */
#include "conf/pool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/role.h"
#include "conf/user.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"

/* A megabyte of text at most, in small pieces, and realms with their arrays. */
#define CONF_MEM_MAX (64u << 20)
#define IFACE_MAX    15 /* IFNAMSIZ without the NUL */
#define KEY_DIR_LEN  4096 /* a path, with NUL; PATH_MAX */

struct conf_own {
	struct conf c;
	struct arena mem;
};

/* ---- <net>, <match>, <me> ------------------------------------------------------ */

static void
add_selectors(struct checker *k, struct conf_pos pos, const char *text,
	      struct vpn_ts *ts, unsigned *n)
{
	char word[CONF_TS_TEXT];

	while (text != NULL && conf_list_next(&text, word, sizeof(word))) {
		if (*n == VPN_TS_MAX) {
			conf_bad(k, pos, CONF_E_MANY, "more than %u networks on one side",
				 VPN_TS_MAX);
			return;
		}
		if (conf_ts_parse(word, &ts[*n]) == 0)
			(*n)++;
	}
}

static void
take_nets(struct checker *k, const struct conf_node *parent,
	  struct conf_net *net)
{
	struct conf_net_text t;

	for (const struct conf_node *c = parent->child; c != NULL;
	     c = c->next) {
		if (!conf_node_is(c, CONF_IN_NET))
			continue;
		t = (struct conf_net_text){0};
		conf_node_fill(k, c, CONF_IN_NET, &t);
		if (conf_node_attr(c, "local") == NULL &&
		    conf_node_attr(c, "remote") == NULL)
			conf_bad(k, c->pos, CONF_E_MISSING, "<net> names no network; give "
				 "local=, remote= or both");
		net->is_dynamic |= t.local != NULL &&
		    strcmp(t.local, "dynamic") == 0;
		add_selectors(k, c->pos, t.local, net->local, &net->n_local);
		add_selectors(k, c->pos, t.remote, net->remote,
			      &net->n_remote);
	}
}

static void
take_match(struct checker *k, const struct conf_node *n,
	   enum conf_match_kind kind, const char *text, struct conf_realm *r)
{
	enum conf_id_kind is = text != NULL ? conf_id_type(text) : CONF_ID_NONE;
	const char *word = conf_match_word(kind);

	if (text == NULL || r->n_match == CONF_MATCH_MAX)
		return;
	if ((kind == CONF_MATCH_EMAIL && is != CONF_ID_EMAIL) ||
	    (kind == CONF_MATCH_DNS && is != CONF_ID_FQDN)) {
		conf_bad(k, conf_node_attr(n, word)->pos, CONF_E_IDENTITY,
			 "%s= of <match> is written like %s", word,
			 kind == CONF_MATCH_DNS ? "*.dev.example.com" :
			 "*@sales.example.com");
		return;
	}
	r->match[r->n_match++] = (struct conf_match){
		.pos = n->pos, .kind = kind, .text = text,
	};
}

static void
take_matches(struct checker *k, const struct conf_node *node,
	     struct conf_realm *r)
{
	struct conf_match_text t;
	unsigned n;

	for (const struct conf_node *c = node->child; c != NULL; c = c->next) {
		if (!conf_node_is(c, CONF_IN_MATCH))
			continue;
		t = (struct conf_match_text){0};
		conf_node_fill(k, c, CONF_IN_MATCH, &t);
		n = 0;
		for (unsigned i = 0; i < CONF_MATCH_KINDS; i++)
			n += conf_node_attr(c, conf_match_word(i)) != NULL;
		if (n != 1)
			conf_bad(k, c->pos, CONF_E_CONFLICT, "a <match> has one of id=, eap=, "
				 "email=, dns= and dn=; give what it stands for");
		take_match(k, c, CONF_MATCH_ID, t.id, r);
		take_match(k, c, CONF_MATCH_EAP, t.eap, r);
		take_match(k, c, CONF_MATCH_EMAIL, t.email, r);
		take_match(k, c, CONF_MATCH_DNS, t.dns, r);
		take_match(k, c, CONF_MATCH_DN, t.dn, r);
	}
}

static bool
is_glob(const char *id)
{
	return strpbrk(id, "*?") != NULL;
}

static void
take_me(struct checker *k, const struct conf_node *node, struct conf_realm *r)
{
	const struct conf_node *me = conf_node_child(node, CONF_IN_ME);
	const struct conf_attr *id;

	if (me == NULL) {
		conf_bad(k, node->pos, CONF_E_MISSING, "realm has no <me>; add <me id=\"...\" "
			 "psk=\"...\"/>");
		return;
	}
	conf_node_fill(k, me, CONF_IN_ME, &r->me);
	id = conf_node_attr(me, "id");
	if (id == NULL && r->me.eap != NULL) {
		r->me.id = r->me.eap;
		id = conf_node_attr(me, "eap");
	}
	if (r->me.id != NULL) {
		r->me.id_kind = conf_id_type(r->me.id);
		if (is_glob(r->me.id))
			conf_bad(k, id->pos, CONF_E_IDENTITY, "our own id= cannot hold * or "
				 "?; only that of a peer that dials us can");
	}
	conf_auth_me(k, me, r);
}

/* ---- <peer> -------------------------------------------------------------------- */

static void
peer_name(struct checker *k, struct conf_peer *p)
{
	bool is_ok = strlen(p->id) <= CONF_NAME_MAX;

	for (const char *c = p->id; *c != '\0'; c++)
		is_ok &= *c > ' ' && *c < 0x7f && *c != '/';
	if (is_ok)
		p->name = p->id;
	else
		conf_bad(k, p->pos, CONF_E_NAME, "the id of this peer cannot serve as its "
			 "name (too long, or with space, / or non-ASCII); add "
			 "name=");
}

/* A certificate says who the peer is: a realm may take whoever its authorities
 * and its <match> admit. */
static void
peer_without_id(struct checker *k, const struct conf_node *n,
		struct conf_peer *p, const struct conf_realm *r)
{
	if ((conf_node_attr(n, "ca") == NULL && !conf_eap_asks(n, p, r)) ||
	    p->at != NULL) {
		conf_bad(k, n->pos, CONF_E_MISSING, "<peer> has no id=; give the identity the "
			 "peer proves");
		return;
	}
	p->is_glob = true;
	if (r->n_match == 0)
		p->id = conf_keep(k, "*");
	if (conf_node_attr(n, "name") == NULL)
		p->name = conf_keep(k, "any");
}

static void
peer_at(struct checker *k, const struct conf_node *n, struct conf_peer *p)
{
	const struct conf_attr *at = conf_node_attr(n, "at");
	const struct conf_attr *dial = conf_node_attr(n, "dial");

	if (dial == NULL)
		p->dial = p->at != NULL;
	else if (p->dial && p->at == NULL)
		conf_bad(k, dial->pos, CONF_E_CONFLICT, "dial=\"yes\" without at=; say where "
			 "the peer is");
	if (at != NULL && p->is_glob)
		conf_bad(k, conf_node_attr(n, "id")->pos, CONF_E_IDENTITY,
			 "a peer with at= is "
			 "one peer: its id= cannot hold * or ?");
}

static void
peer_net(struct checker *k, const struct conf_node *n, struct conf_peer *p,
	 const struct conf_realm *r, bool has_realm_net)
{
	bool has_own = conf_node_child(n, CONF_IN_NET) != NULL;
	struct conf_net *net;

	p->net = &r->net;
	if (has_own && (net = conf_keep_array(k, 1, sizeof(*net))) != NULL) {
		take_nets(k, n, net);
		p->net = net;
	}
	if (p->net->is_dynamic && p->at == NULL)
		conf_bad(k, p->pos, CONF_E_CONFLICT, "local=\"dynamic\" is for a "
			 "peer we dial; give this one at=, or a <net> of its own");
	if (p->mode == VPN_MODE_IP && !has_own && !has_realm_net &&
	    r->pool == NULL && !p->net->is_dynamic)
		conf_bad(k, p->pos, CONF_E_MISSING, "mode=\"ip\" needs a <net local=\"...\" "
			 "remote=\"...\"/>, in the realm or in the peer: it "
			 "says what travels");
}

/* Is there a <net remote=>, right or wrong? */
static bool
names_remote(const struct conf_node *n)
{
	for (const struct conf_node *c = n->child; c != NULL; c = c->next)
		if (conf_node_is(c, CONF_IN_NET) &&
		    conf_node_attr(c, "remote") != NULL)
			return true;
	return false;
}

/* What a peer does not say of its port the realm says. */
static void
peer_port(const struct conf_node *n, struct conf_peer *p,
	  const struct conf_realm *r)
{
	static const char *const storm[] = { "storm-broadcast",
		"storm-multicast", "storm-unknown", "storm-copies" };

	if (conf_node_attr(n, "isolate") == NULL)
		p->port.isolate = r->port.isolate;
	if (conf_node_attr(n, "guard") == NULL)
		p->port.guard = r->port.guard;
	if (conf_node_attr(n, "macs") == NULL)
		p->port.macs = r->port.macs;
	if (conf_node_attr(n, "macs-full") == NULL)
		p->port.macs_full = r->port.macs_full;
	if (conf_node_attr(n, "vlans") == NULL)
		p->port.vlans = r->port.vlans;
	if (conf_node_attr(n, "untagged") == NULL)
		p->port.untagged = r->port.untagged;
	for (unsigned i = 0; i < N_OF(storm); i++)
		if (conf_node_attr(n, storm[i]) == NULL)
			p->port.storm[i] = r->port.storm[i];
}

static void
take_peer(struct checker *k, const struct conf_node *n,
	  const struct conf_node *realm, struct conf_realm *r,
	  struct conf_peer *p)
{
	const struct conf_node *me = conf_node_child(realm, CONF_IN_ME);
	bool is_later = conf_has_later(n, CONF_IN_PEER);

	p->pos = n->pos;
	conf_node_fill(k, n, CONF_IN_PEER, p);
	if (conf_node_attr(n, "id") == NULL && !is_later)
		peer_without_id(k, n, p, r);
	if (p->id != NULL) {
		p->id_kind = conf_id_type(p->id);
		p->is_glob = is_glob(p->id);
		if (p->name == NULL && conf_node_attr(n, "name") == NULL)
			peer_name(k, p);
	}
	conf_eap_at(k, n, r, p);
	peer_at(k, n, p);
	if (conf_node_attr(n, "mode") == NULL)
		p->mode = r->mode;
	if (conf_node_attr(n, "encap") == NULL)
		p->encap = r->encap;
	if (conf_node_attr(n, "resources") == NULL)
		p->resources = r->resources;
	if (conf_node_attr(n, "order") == NULL)
		p->order = r->order;
	conf_auth_peer(k, n, me, p, r);
	peer_net(k, n, p, r, conf_node_child(realm, CONF_IN_NET) != NULL);
	peer_port(n, p, r);
	if (p->port.guard != CONF_GUARD_NO &&
	    !names_remote(conf_node_child(n, CONF_IN_NET) != NULL ? n : realm))
		conf_bad(k, p->pos, CONF_E_MISSING, "guard= needs a <net remote=\"...\"/>, "
			 "in the realm or in the peer: it says for which "
			 "addresses the peer may speak");
}

static void
take_statics(struct checker *k, const struct conf_node *node,
	     struct conf_realm *r)
{
	unsigned n = conf_node_count(node, CONF_IN_STATIC);
	struct conf_static *s;

	r->fixed = conf_keep_array(k, n, sizeof(*r->fixed));
	for (const struct conf_node *c = node->child; c != NULL &&
	     r->fixed != NULL && r->n_fixed < n; c = c->next) {
		if (!conf_node_is(c, CONF_IN_STATIC))
			continue;
		s = &r->fixed[r->n_fixed++];
		s->pos = c->pos;
		conf_node_fill(k, c, CONF_IN_STATIC, s);
		if (conf_node_attr(c, "mac") == NULL)
			conf_bad(k, c->pos, CONF_E_MISSING, "<static> has no mac=; give the "
				 "Ethernet address");
	}
}

/* ---- <realm> and <vpn> ----------------------------------------------------------- */

static void
realm_names(struct checker *k, const struct conf_node *n, struct conf_realm *r)
{
	char tap[CONF_NAME_MAX + sizeof("tap-")];
	const struct conf_attr *name = conf_node_attr(n, "name");

	if (name == NULL) {
		conf_bad(k, n->pos, CONF_E_MISSING, "<realm> has no name=; give it one");
		return;
	}
	if (r->name == NULL || conf_node_attr(n, "tap") != NULL)
		return;
	snprintf(tap, sizeof(tap), "tap-%s", r->name);
	if (strlen(tap) > IFACE_MAX)
		conf_bad(k, name->pos, CONF_E_INTERFACE, "the TAP interface would be called "
			 "\"%.40s\", and a name has at most %u characters; "
			 "add tap=\"...\" or shorten the name", tap,
			 IFACE_MAX);
	else
		r->tap = conf_keep(k, tap);
}

static void
realm_times(struct checker *k, const struct conf_node *n,
	    const struct conf_realm *r)
{
	if (r->child_life_s > r->ike_life_s)
		conf_bad(k, n->pos, CONF_E_CONFLICT, "child-life=\"%u\" is longer than "
			 "ike-life=\"%u\": an ESP SA ends with its IKE SA",
			 r->child_life_s, r->ike_life_s);
}

/* A keystore of its own: from here on names are of files in it. */
static void
realm_keys(struct checker *k, const struct conf_node *n, struct conf_realm *r,
	   char *dir, size_t cap)
{
	char why[CONF_ERR_TEXT];

	if (r->keys == NULL)
		return;
	if (strcmp(r->keys, CONF_USER_DIR) == 0) {
		conf_bad(k, conf_node_attr(n, "keys")->pos, CONF_E_FILENAME,
			 "keys=\"%s\" cannot be the directory of a realm", r->keys);
		return;
	}
	if (k->key_dir == NULL)
		return;
	conf_realm_key_dir(k->key_dir, r, dir, cap);
	k->key_dir = dir;
	if (conf_keydir_look(dir, why, sizeof(why)) == 0)
		return;
	k->n_key++;
	conf_err_add(k->errs, conf_node_attr(n, "keys")->pos, CONF_E_KEYFILE,
		     "%s", why);
}

static void
take_realm(struct checker *k, const struct conf_node *n, struct conf_realm *r)
{
	const char *key_dir = k->key_dir;
	char dir[KEY_DIR_LEN];
	struct conf_node anybody = { .name = "peer" };
	unsigned i = 0;

	r->pos = n->pos;
	conf_node_fill(k, n, CONF_IN_REALM, r);
	realm_keys(k, n, r, dir, sizeof(dir));
	realm_names(k, n, r);
	realm_times(k, n, r);
	r->n_peer = conf_node_count(n, CONF_IN_PEER);
	/* one more: users who come by EAP need no <peer> */
	r->peer = conf_keep_array(k, r->n_peer + 1, sizeof(*r->peer));
	if (r->peer == NULL) {
		r->n_peer = 0;
		k->key_dir = key_dir;
		return;
	}
	take_matches(k, n, r);
	take_me(k, n, r);
	take_nets(k, n, &r->net);
	take_statics(k, n, r);
	conf_pool_take(k, n, r);
	conf_eap_take(k, n, r);
	if (r->mode == VPN_MODE_IP && r->n_peer == 0 &&
	    conf_node_child(n, CONF_IN_NET) == NULL && r->pool == NULL)
		conf_bad(k, n->pos, CONF_E_MISSING, "mode=\"ip\" needs a <net local=\"...\" "
			 "remote=\"...\"/>: it says what travels");
	for (const struct conf_node *c = n->child; c != NULL && i < r->n_peer;
	     c = c->next) {
		if (!conf_node_is(c, CONF_IN_PEER))
			continue;
		r->peer[i].index = i;
		take_peer(k, c, n, r, &r->peer[i]);
		i++;
	}
	if (r->eap.method != NULL && !conf_eap_has_peer(r, i)) {
		anybody.pos = r->eap.pos;
		r->peer[i].index = i;
		r->n_peer = i + 1;
		take_peer(k, &anybody, n, r, &r->peer[i]);
	}
	k->key_dir = key_dir;
}

/* Without <web> the defaults count. */
static void
take_web(struct checker *k, const struct conf_node *root)
{
	const struct conf_node *n = conf_node_child(root, CONF_IN_WEB);
	struct conf_web *w = &k->c->web;

	if (n != NULL)
		w->pos = n->pos;
	for (unsigned i = 0; i < conf_n_rows; i++)
		if (conf_rows[i].scope == CONF_IN_WEB)
			conf_field_default(&conf_rows[i], w);
	w->listen = CONF_WEB_LISTEN;
	if (net_ep_parse(w->listen, &w->listen_ep) != 0)
		w->listen_ep.port = 0;	/* not reached */
	if (n == NULL)
		return;
	conf_node_fill(k, n, CONF_IN_WEB, w);
	if (w->cert == NULL && !conf_web_is_local(w))
		conf_bad(k, w->pos, CONF_E_CONFLICT, "listen=\"%s\" is reached from other "
			 "machines: that needs TLS; add cert=\"...\", or listen "
			 "on 127.0.0.1", w->listen);
	if (w->cert == NULL && (w->key != NULL || w->client_ca != NULL))
		conf_bad(k, w->pos, CONF_E_CONFLICT, "%s= without cert=: there is no TLS "
			 "without a certificate", w->key != NULL ? "key" :
			 "client-ca");
}

bool
conf_web_is_local(const struct conf_web *w)
{
	static const struct ip_net local[] = {
		{ { 4, { 127 } }, 8 },
		{ { 6, { [15] = 1 } }, 128 },
	};

	return ip_net_has(&local[0], &w->listen_ep.ip) ||
	    ip_net_has(&local[1], &w->listen_ep.ip);
}

void
conf_web_key(const struct conf_web *w, char *out)
{
	const char *dot = w->cert != NULL ? strrchr(w->cert, '.') : NULL;

	out[0] = '\0';
	if (w->key != NULL)
		str_add(out, CONF_FILE_MAX, "%s", w->key);
	else if (w->cert != NULL)
		str_add(out, CONF_FILE_MAX, "%.*s.key", dot != NULL ?
			(int)(dot - w->cert) : (int)strlen(w->cert), w->cert);
}

static void
take_logs(struct checker *k, const struct conf_node *root)
{
	unsigned n = conf_node_count(root, CONF_IN_LOG);
	struct conf_log *l;

	k->c->logs = conf_keep_array(k, n, sizeof(*k->c->logs));
	for (const struct conf_node *c = root->child; c != NULL &&
	     k->c->logs != NULL && k->c->n_log < n; c = c->next) {
		if (!conf_node_is(c, CONF_IN_LOG))
			continue;
		l = &k->c->logs[k->c->n_log++];
		l->pos = c->pos;
		l->level = k->c->log;
		conf_node_fill(k, c, CONF_IN_LOG, l);
		if ((l->to == CONF_LOG_FILE) !=
		    (conf_node_attr(c, "file") != NULL))
			conf_bad(k, c->pos, l->to == CONF_LOG_FILE ?
				 CONF_E_MISSING : CONF_E_CONFLICT, l->to == CONF_LOG_FILE ?
				 "<log to=\"file\"> has no file=; give the path" :
				 "file= of <log> is for to=\"file\"");
	}
}

static void
take_vpn(struct checker *k, const struct conf_node *root)
{
	unsigned i = 0;

	conf_node_fill(k, root, CONF_IN_VPN, k->c);
	take_web(k, root);
	take_logs(k, root);
	k->c->n_realm = conf_node_count(root, CONF_IN_REALM);
	k->c->realm = conf_keep_array(k, k->c->n_realm, sizeof(*k->c->realm));
	if (k->c->realm == NULL) {
		k->c->n_realm = 0;
		return;
	}
	if (k->c->n_realm == 0)
		conf_bad(k, root->pos, CONF_E_MISSING, "<vpn> has no <realm>; add one");
	for (const struct conf_node *c = root->child;
	     c != NULL && i < k->c->n_realm; c = c->next) {
		if (!conf_node_is(c, CONF_IN_REALM))
			continue;
		k->c->realm[i].index = i;
		take_realm(k, c, &k->c->realm[i]);
		i++;
	}
}

static void
look_at_key_dir(struct checker *k)
{
	char why[CONF_ERR_TEXT];

	if (k->key_dir == NULL ||
	    conf_keydir_look(k->key_dir, why, sizeof(why)) == 0)
		return;
	k->n_key++;
	conf_err_add(k->errs, CONF_WHOLE, CONF_E_KEYFILE, "%s", why);
}

int
conf_check(const struct conf_node *root, const char *key_dir,
	   struct conf **out, struct conf_errs *errs)
{
	struct conf_own *own = calloc(1, sizeof(*own));
	struct checker k = {.key_dir = key_dir, .errs = errs};
	int err = 0;

	if (own == NULL)
		return ERR_NOMEM;
	arena_init(&own->mem, CONF_MEM_MAX);
	k.c = &own->c;
	k.mem = &own->mem;
	look_at_key_dir(&k);
	if (!conf_node_is(root, CONF_IN_VPN))
		conf_bad(&k, root->pos, CONF_E_ROOT, "the outermost element is <%.40s>; "
			 "it must be <vpn>", root->name);
	else
		take_vpn(&k, root);
	if (!k.is_oom)
		conf_rules(&k);
	if (k.is_oom)
		err = ERR_NOMEM;
	else if (k.n_bad > 0)
		err = ERR_CONF;
	else if (k.n_key > 0)
		err = ERR_KEYFILE;
	if (err != 0)
		conf_free(&own->c);
	else
		*out = &own->c;
	return err;
}

void
conf_free(struct conf *c)
{
	struct conf_own *own;

	if (c == NULL)
		return;
	own = CONTAINER_OF(c, struct conf_own, c);
	arena_fini(&own->mem);
	free(own);
}
