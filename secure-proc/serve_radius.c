/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/serve_radius.c - EAP messages to RADIUS servers and back.
 *
 *   EAP --> limits --> RADIUS child --> server
 *   EAP_OK <-- who is it? <-- conversation (eap/run.c) <-- its answer
 *
 * A conversation stays with the server that began it.  The realm is fixed before
 * the first message goes out: a server that names somebody of another realm in
 * its Accept is refused, so that who is known to it under two names gets in by
 * the one he showed.
 *
 * Thread: the only one.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "daemon/base/addr.h"
#include "daemon/base/err.h"
#include "daemon/base/map.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "secure-proc/serve_talk.h"

static struct view
view_of(const char *text)
{
	return (struct view){ (const uint8_t *)text, strlen(text) };
}

/* ---- there ------------------------------------------------------------------- */

/* As the limits of a users file, but that a name counts from the first message:
 * whether a password was looked at is the server's secret. */
static bool
is_permitted(struct talk *t)
{
	if (t->has_tried)
		return true;
	t->has_tried = true;
	/* whom the server knows it alone can say */
	t->is_early = !sec_talk_try(t, true);
	return !t->is_early;
}

static int
put_question(struct talk *t, const struct ipc_msg *m, struct view eap)
{
	const struct conf_realm *r = sec_realm_at(t->s, t->sa->auth.realm);
	struct sec_radius_query q = {
		.number = ++t->s->last_number, .realm = t->sa->auth.realm,
		.server = t->server,
		.ask = {
			.user = view_of(sec_eap_claim(t->eap)),
			.from = view_of(t->from),
			.state = { t->state, t->state_len }, .eap = eap,
		},
	};
	struct asked *a;
	int err;

	if (t->s->c.radius == NULL || r == NULL)
		return ERR_STATE;
	q.ask.nas = view_of(r->me.id != NULL ? r->me.id : "tapir");
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return ERR_NOMEM;
	a->number = q.number;
	a->ticket = m->ticket;
	a->handle = m->handle;
	a->is_eap = a->is_radius = true;
	if ((err = map_add(t->s->asked, &a->number, a)) != 0) {
		free(a);
		return err;
	}
	if ((err = sec_radius_link_ask(t->s->c.radius, &q)) != 0) {
		map_remove(t->s->asked, &a->number);
		free(a);
		return err;
	}
	t->sa->asked = q.number;
	return 0;
}

enum sec_eap_end
sec_talk_relay(struct talk *t, const struct ipc_msg *m, struct view eap,
	       struct wcur *out)
{
	int err;

	if (!is_permitted(t))
		return sec_eap_relayed(t->eap, NULL, NULL,
		    "too many failures before, not looked at", out);
	if ((err = put_question(t, m, eap)) == 0)
		return SEC_EAP_RELAY;
	return sec_eap_relayed(t->eap, NULL, NULL, err == ERR_FULL ?
	    "too many questions to RADIUS servers at once" : err == ERR_LONG ?
	    "the message is too long for RADIUS" :
	    "the RADIUS servers cannot be asked", out);
}

/* ---- and back ---------------------------------------------------------------- */

/* What was said, with or without a domain: "DOMAIN\\NAME", and NAME alone of
 * "NAME@realm". */
static bool
is_same_name(const char *claim, const char *name)
{
	const char *sub = strrchr(name, '\\'), *at = strrchr(claim, '@');

	if (sub != NULL)
		name = sub + 1;
	if (strcasecmp(claim, name) == 0)
		return true;
	return at != NULL && strlen(name) == (size_t)(at - claim) &&
	    strncasecmp(claim, name, strlen(name)) == 0;
}

/* Whom does an Accept let in?  0 and a name, or ERR_AUTH. */
static int
who_is_it(struct talk *t, const char *name, const char **out)
{
	const char *claim = sec_eap_claim(t->eap);
	struct sec_place at;
	char why[160] = "", shown[2 * SPI_EAP_USER_MAX];

	if (t->is_stranger)
		return ERR_AUTH;
	*out = claim;
	if (name[0] == '\0' || is_same_name(claim, name))
		return 0;
	if (sec_talk_place(t, view_of(name), &at, why, sizeof(why)) == 0 &&
	    at.realm->index == t->sa->auth.realm &&
	    at.peer->index == t->sa->auth.peer) {
		*out = name;
		return 0;
	}
	str_escape(shown, sizeof(shown), name, strlen(name));
	t->is_stranger = true;
	str_copy(t->stranger, sizeof(t->stranger), "");
	str_add(t->stranger, sizeof(t->stranger), "the RADIUS server says it "
	    "is \"%.60s\", who does not belong here", shown);
	return ERR_AUTH;
}

/* Why there is no answer; RADIUS servers are named as the configuration does. */
static void
say_silence(const struct talk *t, const struct sec_radius_reply *a, char *out,
	    size_t cap)
{
	const struct conf_realm *r = sec_realm_at(t->s, t->sa->auth.realm);
	struct net_ep ep[CONF_RADIUS_MAX];
	char text[IP_TEXT_MAX] = "";
	unsigned n = r != NULL ? conf_eap_servers(&r->eap, ep) : 0;

	out[0] = '\0';
	if (a->err != ERR_TIMEOUT)
		str_add(out, cap, "the RADIUS servers cannot be asked: %s",
		    err_text(a->err));
	else if (t->server == SEC_RADIUS_ANY && n > 1)
		str_add(out, cap, "no RADIUS server answers, %s neither",
		    a->server < n ? net_ep_text(&ep[a->server], text) : "");
	else
		str_add(out, cap, "the RADIUS server %s is silent",
		    a->server < n ? net_ep_text(&ep[a->server], text) : "");
}

static enum sec_eap_end
take(struct talk *t, const struct sec_radius_reply *a, struct wcur *out)
{
	const struct spi_radius_answer *is = &a->answer;
	const char *user = NULL;
	char why[160] = "";

	if (a->err != 0) {
		say_silence(t, a, why, sizeof(why));
		return sec_eap_relayed(t->eap, NULL, NULL, why, out);
	}
	t->server = a->server;
	memcpy(t->state, is->state, is->state_len);
	t->state_len = is->state_len;
	if (is->code == SPI_RADIUS_ACCEPT && who_is_it(t, is->user, &user) != 0)
		return sec_eap_relayed(t->eap, NULL, NULL,
		    "the RADIUS server accepts who does not belong here", out);
	return sec_eap_relayed(t->eap, is, user, "", out);
}

void
sec_on_relayed(void *ctx, const struct sec_radius_reply *a)
{
	struct sec_serve *s = ctx;
	struct asked *q = map_find(s->asked, &a->number);
	uint8_t buf[SEC_TALK_EAP];
	struct ipc_msg req;
	struct wcur w;
	struct sa *sa;
	int err;

	if (q == NULL || !q->is_radius)
		return;
	map_remove(s->asked, &q->number);
	ipc_msg_init(&req, IPC_EAP);
	req.ticket = q->ticket;
	req.handle = q->handle;
	sa = q->is_closed ? NULL : map_find(s->sa, &q->handle);
	free(q);
	wcur_init(&w, buf, sizeof(buf));
	if (sa == NULL || sa->talk == NULL || sa->talk->eap == NULL) {
		err = sec_refuse(s, &req, ERR_STATE, "the IKE SA is gone");
	} else {
		sa->asked = 0;
		err = sec_talk_tell(sa->talk, &req, take(sa->talk, a, &w), &w);
	}
	if (err != 0)
		s->fatal = err;
}
