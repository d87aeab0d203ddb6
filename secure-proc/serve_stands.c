/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/serve_stands.c - handler of STANDS: would who is connected be let in
 * with what he showed then?
 *
 *   place      his identity belongs where he is
 *   key        the pre-shared key, or the password, is the one it was
 *   user       he is in the users file
 *   certificate  the chain ends at an authority of ca=, no list names it
 *
 * tapird asks for everybody after a reload, and when a list of revoked certificates
 * came.  It keeps what was shown and has the session keys anyway, so nothing is
 * gained for it by a lie.
 *
 * Thread: the only one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "secure-proc/eap/realms.h"
#include "secure-proc/keys/token.h"
#include "secure-proc/serve_priv.h"

#define LISTS_PER_S 64		/* words about lists; ours */

/* One question. */
struct look {
	struct sec_serve *s;
	const struct ipc_stands *q;
	struct sec_shown shown;
	struct sec_id id, own;
	const struct conf_realm *realm;
	const struct conf_peer *peer;
	bool is_open;		/* its certificate says where it belongs */
	char *why;		/* WHY_MAX bytes */
};

static int
no(struct look *l, const char *text)
{
	str_copy(l->why, WHY_MAX, text);
	return ERR_AUTH;
}

void
sec_mark_of(const struct sec_serve *s, struct view secret,
	    uint8_t out[SEC_SHOWN_MARK])
{
	if (s->c.marks == NULL || secret.len == 0 ||
	    sec_token_mark(s->c.marks, secret, out) != 0)
		memset(out, 0, SEC_SHOWN_MARK);
}

struct view
sec_shown_note(struct sec_serve *s, struct sa *sa,
	       const struct sec_shown *shown, uint8_t *buf)
{
	struct view v = { buf, 0 };

	if (sec_shown_enc(shown, buf, &v.len) != 0)
		return (struct view){ NULL, 0 };
	sa->has_shown = sec_showns_add(s->showns, v, sa->shown) == 0;
	return v;
}

/* ---- where he belongs ---------------------------------------------------------- */

static bool
is_eap(const struct look *l)
{
	return l->shown.kind == SEC_SHOWN_USER ||
	    l->shown.kind == SEC_SHOWN_PASSWORD ||
	    l->shown.kind == SEC_SHOWN_TLS;
}

static enum conf_auth
auth_of(const struct look *l)
{
	return is_eap(l) ? CONF_AUTH_EAP : l->shown.kind == SEC_SHOWN_PSK ?
	    CONF_AUTH_PSK : CONF_AUTH_CERT;
}

/* Whom we dialled. */
static int
place_dialled(struct look *l)
{
	if (l->peer->id == NULL || !sec_id_equal(&l->id, l->peer->id))
		return no(l, "another identity is expected of it now");
	return 0;
}

/* Who came to us. */
static int
place_came(struct look *l)
{
	struct sec_comer who = { .peer = &l->id, .eap = l->shown.user };
	char why[WHY_MAX] = "";
	struct sec_place at;
	int err;

	if (l->shown.id_own.len > 0)
		who.own = &l->own;
	if (is_eap(l))
		err = sec_id_by_eap(l->s->c.conf, &who, &at, why, sizeof(why));
	else
		err = sec_id_select(l->s->c.conf, &who, &at, why, sizeof(why));
	/* rules about certificates: the child says */
	if (l->shown.kind == SEC_SHOWN_CERT && at.is_open &&
	    l->shown.cert.len > 0) {
		l->is_open = true;
		return sec_id_may(l->s->c.conf, &who, l->peer) ? 0 :
		    no(l, "its identity does not lead to this realm any more");
	}
	if (err != 0)
		return no(l, "its identity does not lead to this realm any "
			  "more");
	if (at.realm != l->realm || at.peer != l->peer)
		return no(l, "its identity leads to another realm or peer now");
	return 0;
}

static int
place(struct look *l)
{
	int err;

	err = l->q->is_initiator ? place_dialled(l) : place_came(l);
	if (err == 0 && l->peer->auth != auth_of(l))
		err = no(l, "it has to prove itself in another way now");
	return err;
}

/* ---- what he showed ------------------------------------------------------------ */

static int
key_same(struct look *l)
{
	struct view psk = sec_store_psk(l->s->keys.store, l->q->realm,
	    l->q->peer);
	uint8_t mark[SEC_SHOWN_MARK];

	sec_mark_of(l->s, psk, mark);
	if (psk.len == 0)
		return no(l, "there is no pre-shared key for it any more");
	if (sec_shown_differ(mark, l->shown.mark))
		return no(l, "its pre-shared key was changed");
	return 0;
}

static int
user_same(struct look *l)
{
	const struct sec_eap_realm *r = sec_eaps_of(l->s->c.eap, l->q->realm);
	uint8_t hash[SPI_EAP_NT_HASH], mark[SEC_SHOWN_MARK];
	char user[2 * SPI_EAP_USER_MAX];
	int err;

	str_escape(user, sizeof(user), l->shown.user.p, l->shown.user.len);
	if (r == NULL || !r->is_server)
		return no(l, "this realm lets nobody in by EAP any more");
	if (l->shown.kind == SEC_SHOWN_USER)
		return 0;	/* who knows the password is not asked again */
	if (r->users == NULL ||
	    (err = sec_users_nt_hash(r->users, l->shown.user, hash)) != 0) {
		snprintf(l->why, WHY_MAX, "user \"%.80s\" is not in the users "
			 "file any more", user);
		return ERR_AUTH;
	}
	sec_mark_of(l->s, (struct view){ hash, sizeof(hash) }, mark);
	wipe(hash, sizeof(hash));
	if (!sec_shown_differ(mark, l->shown.mark))
		return 0;
	snprintf(l->why, WHY_MAX, "the password of user \"%.80s\" was changed",
		 user);
	return ERR_AUTH;
}

/* Ask the child; its answer comes to sec_stands_checked(). */
static int
cert_ask(struct look *l, const struct ipc_msg *m)
{
	uint8_t id[SEC_ID_BODY_MAX];
	char text[SEC_ID_TEXT_MAX], user[SPI_EAP_USER_MAX + 1];
	struct sec_check q = {
		.realm = l->is_open ? SEC_CHECK_CHOOSE : l->q->realm,
		.peer = l->is_open ? SEC_CHECK_CHOOSE : l->q->peer,
		.now = clk_wall_s(), .is_standing = true,
		.is_tls = l->shown.kind == SEC_SHOWN_TLS,
		.id = l->shown.id_peer, .id_own = l->shown.id_own,
		.cert = l->shown.cert,
	};
	int err;

	if (q.is_tls) {		/* the certificate has the user's name */
		if (l->shown.user.len >= sizeof(user))
			return ERR_LONG;
		memcpy(user, l->shown.user.p, l->shown.user.len);
		user[l->shown.user.len] = '\0';
		q.id.p = id;
		if ((err = sec_id_enc(user, id, sizeof(id), &q.id.len)) != 0)
			return err;
	}
	err = sec_check_ask(l->s, m, NULL, &q, sec_id_text(&l->id, text),
	    &l->shown);
	return err == 0 ? ERR_AGAIN : err;
}

/* 0, ERR_AUTH (why), ERR_AGAIN: the child has it, or that it cannot be told. */
static int
look(struct look *l, const struct ipc_msg *m)
{
	int err;

	if ((err = sec_shown_dec(l->q->shown, &l->shown)) != 0 ||
	    (err = sec_id_dec(l->shown.id_peer, &l->id)) != 0 ||
	    (l->shown.id_own.len > 0 &&
	     (err = sec_id_dec(l->shown.id_own, &l->own)) != 0))
		return err;
	l->realm = sec_realm_at(l->s, l->q->realm);
	if (l->realm == NULL || l->q->peer >= l->realm->n_peer)
		return ERR_NOTFOUND;
	l->peer = &l->realm->peer[l->q->peer];
	if ((err = place(l)) != 0)
		return err;
	switch (l->shown.kind) {
	case SEC_SHOWN_PSK:
		return key_same(l);
	case SEC_SHOWN_USER:
	case SEC_SHOWN_PASSWORD:
		return user_same(l);
	case SEC_SHOWN_CERT:
	case SEC_SHOWN_TLS:
	case SEC_SHOWN_END:
		break;
	}
	return cert_ask(l, m);
}

/* ---- public ------------------------------------------------------------------- */

int
sec_on_stands(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa UNUSED)
{
	char why[WHY_MAX] = "";
	struct look l = { .s = s, .q = &m->u.stands, .why = why };
	int err = look(&l, m);

	if (err == ERR_AGAIN)
		return s->fatal;
	return sec_refuse(s, m, err, why[0] != '\0' ? why : NULL);
}

int
sec_stands_checked(struct sec_serve *s, const struct asked *q,
		   const struct sec_checked *c)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_STANDS);
	m.ticket = q->ticket;
	if (c->err == ERR_AUTH || c->err == ERR_NOTFOUND)
		return sec_refuse(s, &m, ERR_AUTH, c->why);
	if (c->err != 0)	/* nothing is known against it */
		return sec_refuse(s, &m, ERR_CLOSED, c->why);
	if (c->realm != q->realm || c->peer != q->peer)
		return sec_refuse(s, &m, ERR_AUTH, "its certificate leads to "
		    "another realm or peer now");
	if (sec_shown_differ(c->key, q->key))
		return sec_refuse(s, &m, ERR_AUTH, "another public key is "
		    "expected of it now");
	return sec_refuse(s, &m, 0, NULL);
}

int
sec_lists_changed(struct sec_serve *s)
{
	uint64_t now_ms = clk_ms();
	struct ipc_msg m;

	s->lists++;
	if (now_ms - s->lists_ms >= 1000) {
		s->lists_ms = now_ms;
		s->n_lists = 0;
	}
	if (s->n_lists++ >= LISTS_PER_S)
		return 0;	/* a child that is out of its mind */
	ipc_msg_init(&m, IPC_LISTS);
	return sec_answer(s, &m, NULL, 0);
}
