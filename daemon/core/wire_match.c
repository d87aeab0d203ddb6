/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire_match.c - who would fall into which realm, and who has which
 * address.
 *
 * The rules are those of the configuration in force, and the decision is the one the
 * secure process takes (conf/role.h); nobody is authenticated by asking.
 *
 * Thread: the loop.
 */
#include <stdlib.h>
#include <string.h>
#include "conf/role_test.h"
#include "daemon/base/clk.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"
#include "daemon/core/ctl.h"
#include "daemon/core/lease.h"
#include "daemon/core/pool.h"

#define NAMES_MAX 32	/* names of a certificate; ours */

/* What was typed, as long as it is looked at. */
struct typed {
	struct conf_typed id, own;
	struct conf_rdn subject[CONF_RDN_MAX];
	struct conf_altname name[NAMES_MAX];
};

/* "vpn.example.com hanako@example.com": how many, or ERR_LONG. */
static int
names_read(const char *text, struct conf_altname *out)
{
	int n = 0;
	size_t len;

	for (; *(text += strspn(text, " ,")) != '\0'; text += len) {
		len = strcspn(text, " ,");
		if (n == NAMES_MAX)
			return ERR_LONG;
		out[n].text = (struct view){ (const uint8_t *)text, len };
		out[n++].is_email = memchr(text, '@', len) != NULL;
	}
	return n;
}

/* 0, or an error: one of the texts is none. */
static int
who_read(const struct bus_rec *cmd, struct typed *t, struct conf_who *w)
{
	const char *eap = bus_str(cmd, BUS_F_EAP), *own = bus_str(cmd, BUS_F_OWN);
	const char *subject = bus_str(cmd, BUS_F_CERT_SUBJECT);
	const char *names = bus_str(cmd, BUS_F_CERT_NAMES);
	int err, n;

	*w = (struct conf_who){
		.has_cert = *subject != '\0' || *names != '\0',
	};
	if ((err = conf_typed_read(bus_str(cmd, BUS_F_ID), &t->id)) != 0)
		return err;
	w->peer = t->id.i;
	if (*own != '\0' && (err = conf_typed_read(own, &t->own)) != 0)
		return err;
	if (*own != '\0')
		w->own = &t->own.i;
	if (*eap != '\0') {
		w->is_eap = true;
		w->eap = (struct view){ (const uint8_t *)eap, strlen(eap) };
	}
	if ((n = names_read(names, t->name)) < 0)
		return n;
	w->name = t->name;
	w->n_name = (unsigned)n;
	if (*subject == '\0')
		return 0;
	if ((n = conf_rdn_read(subject, t->subject, CONF_RDN_MAX)) < 0)
		return n;
	w->subject = t->subject;
	w->n_subject = (unsigned)n;
	return 0;
}

const struct conf_peer *
wire_match_name(const struct conf *c, const char *name,
		const struct conf_realm **realm)
{
	struct conf_who who = { .is_eap = true };
	struct conf_picked got;
	struct conf_typed id;

	if (*name == '\0' || conf_typed_read(name, &id) != 0)
		return NULL;
	who.peer = id.i;
	who.eap = (struct view){ (const uint8_t *)name, strlen(name) };
	for (int i = 0; i < 2; i++) {
		who.is_eap = i == 0;
		if (conf_role_pick(c, &who, &got) != 0 || got.role.peer == NULL)
			continue;
		*realm = got.role.realm;
		return got.role.peer;
	}
	return NULL;
}

static void
rule_tell(struct ctl_client *cl, uint32_t tag, const struct conf_tried *row)
{
	const struct conf_role *role = &row->role;
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_MATCH);
	bus_set_str(&r, BUS_F_REALM, role->realm->name);
	bus_set_str(&r, BUS_F_PEER, role->peer != NULL ? role->peer->name : "");
	bus_set_str(&r, BUS_F_KIND, role->is_peer ? "peer" : "match");
	bus_set_str(&r, BUS_F_OPTION, conf_match_word(role->kind));
	bus_set_str(&r, BUS_F_ID, role->text);
	bus_set_u64(&r, BUS_F_LINE, role->pos.line);
	bus_set_str(&r, BUS_F_VERDICT, conf_tried_word(row));
	ctl_send(cl, &r, tag);
}

static void
verdict(const struct conf_trial *t, struct bus_rec *r)
{
	const struct conf_role *role = &t->got.role;

	bus_rec_init(r, BUS_RES_DONE);
	bus_set_str(r, BUS_F_CODE, conf_trial_word(t));
	if (t->err == ERR_STATE)
		bus_set_str(r, BUS_F_TEXT, "refused; two rules fit equally well");
	else if (t->err == ERR_AGAIN)
		bus_set_fmt(r, BUS_F_TEXT, "the EAP identity decides; until then "
			    "realm %s speaks", t->got.asks->name);
	else if (t->err != 0)
		bus_set_str(r, BUS_F_TEXT, "refused; no rule fits");
	else if (role->peer == NULL)
		bus_set_fmt(r, BUS_F_TEXT, "realm %s, which has no peer for it: "
			    "refused", role->realm->name);
	else
		bus_set_fmt(r, BUS_F_TEXT, "realm %s, peer %s",
			    role->realm->name, role->peer->name);
}

void
wire_match_command(struct vpn *v, struct ctl_client *cl,
		   const struct bus_rec *cmd)
{
	struct typed *typed = calloc(1, sizeof(*typed));
	struct conf_trial trial = { .row = NULL };
	struct conf_who who;
	struct bus_rec end;
	int err = typed == NULL ? ERR_NOMEM : who_read(cmd, typed, &who);

	if (err == ERR_NOMEM || (err == 0 &&
	    (err = conf_trial_init(&trial, v->conf, &who)) != 0)) {
		ctl_failed(cl, cmd->tag, ERR_NOMEM, err_text(ERR_NOMEM), "");
	} else if (err != 0) {
		ctl_failed(cl, cmd->tag, ERR_SYNTAX, "this is no identity",
			   "like vpn.example.com, hanako@example.com, an address, "
			   "or C=JP, O=Example");
	} else {
		for (unsigned i = 0; i < trial.n; i++)
			rule_tell(cl, cmd->tag, &trial.row[i]);
		verdict(&trial, &end);
		ctl_send(cl, &end, cmd->tag);
	}
	conf_trial_fini(&trial);
	free(typed);
}

void
wire_lease_command(struct vpn *v, struct ctl_client *cl,
		   const struct bus_rec *cmd)
{
	const char *realm = bus_str(cmd, BUS_F_REALM);
	int64_t now_s = (int64_t)(clk_wall_ms() / 1000);
	struct lease_info li;
	char text[IP_TEXT_MAX];
	struct bus_rec r;
	uint32_t it = 0;

	if (*realm != '\0' && conf_realm_find(v->conf, realm) == NULL) {
		wire_ctl_no_peer(v, cl, cmd);
		return;
	}
	while (v->pools != NULL && pools_next(v->pools, &it, &li)) {
		if (*realm != '\0' && strcmp(realm, li.realm) != 0)
			continue;
		bus_rec_init(&r, BUS_RES_LEASE);
		bus_set_str(&r, BUS_F_REALM, li.realm);
		bus_set_str(&r, BUS_F_ID, li.who);
		bus_set_str(&r, BUS_F_IP, ip_text(&li.ip, text));
		bus_set_str(&r, BUS_F_STATE, li.is_used ? "used" : "kept");
		bus_set_i64(&r, BUS_F_SEEN_S, MAX(now_s - li.last_s, 0));
		ctl_send(cl, &r, cmd->tag);
	}
	ctl_done(cl, cmd->tag, "");
}
